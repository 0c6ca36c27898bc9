/*
 * What `make install` leaves where, that `make uninstall` takes all of it away, and that shells
 * offer every verb there is.
 */
#include <sys/stat.h>

#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "conversation.h"
#include "folder.h"
#include "host.h"

/* Each with its mode. */
static const struct {
	const char *path;
	mode_t mode;
} installed[] = {
    {"usr/sbin/proclaunch", 0755},
    {"usr/libexec/proclaunch/proclaunch-monitor", 0755},
    {"usr/libexec/proclaunch/proclaunch-spawner", 0755},
    {"usr/bin/proclaunchctl", 0755},
    {"usr/share/man/man8/proclaunch.8", 0644},
    {"usr/share/man/man5/proclaunch-profile.5", 0644},
    {"usr/share/man/man1/proclaunchctl.1", 0644},
    {"usr/share/bash-completion/completions/proclaunchctl", 0644},
    {"usr/share/zsh/site-functions/_proclaunchctl", 0644},
};
#define INSTALLED (sizeof(installed) / sizeof(installed[0]))

static unsigned files;

static int
count_file(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
	(void)path;
	(void)status;
	(void)walk;
	files += kind != FTW_D && kind != FTW_DP;
	return 0;
}

static unsigned
count_files(const char *path)
{
	files = 0;
	assert_int_equal(nftw(path, count_file, 16, FTW_PHYS), 0);
	return files;
}

/* The same build as the one that is tested: nothing is compiled for it. */
static void
make(const struct folder *folder, const char *target)
{
	const char *build = getenv("PROCLAUNCH_BUILD");
	char destination[PATH_MAX], made[PATH_MAX];
	struct outcome outcome;

	/* whoever runs us may be a make with options of its own */
	(void)unsetenv("MAKEFLAGS");
	(void)unsetenv("MFLAGS");
	(void)snprintf(destination, sizeof(destination), "DESTDIR=%s", folder->path);
	(void)snprintf(made, sizeof(made), "BUILD=%s", build == NULL ? "build" : build);
	run_program(&outcome, "make", "--no-print-directory", "-o", "all", target, "PREFIX=/usr",
	    destination, made, NULL);
	if (outcome.status != 0)
		fail_msg("make %s: %s", target, outcome.error);
}

static void
what_is_installed_is_in_its_place_and_uninstall_takes_all_of_it_away(void **state)
{
	const struct folder *folder = *state;
	struct outcome outcome;
	struct stat status;
	size_t i;

	make(folder, "install");
	for (i = 0; i < INSTALLED; i++) {
		if (stat(folder_path(folder, installed[i].path), &status) == -1)
			fail_msg("%s is not installed", installed[i].path);
		assert_int_equal(status.st_mode & 07777, installed[i].mode);
	}
	assert_int_equal(count_files(folder->path), INSTALLED);
	run_program(&outcome, folder_path(folder, "usr/bin/proclaunchctl"), "--version", NULL);
	assert_int_equal(outcome.status, 0);
	make(folder, "install"); /* over itself */
	assert_int_equal(count_files(folder->path), INSTALLED);
	make(folder, "uninstall");
	assert_int_equal(count_files(folder->path), 0);
	assert_int_equal(access(folder_path(folder, "usr/libexec/proclaunch"), F_OK), -1);
	make(folder, "uninstall"); /* nothing is there any more: that is no error */
}

/* The parent looks for the other two there: one that was built for another PREFIX would not start.
 */
static void
another_prefix_makes_another_parent(void **state)
{
	const char *build = getenv("PROCLAUNCH_BUILD");
	char made[PATH_MAX], object[PATH_MAX + 32];
	struct outcome outcome;

	(void)state;
	(void)unsetenv("MAKEFLAGS");
	(void)unsetenv("MFLAGS");
	(void)snprintf(made, sizeof(made), "BUILD=%s", build == NULL ? "build" : build);
	(void)snprintf(object, sizeof(object), "%s/parent/children.o", made + strlen("BUILD="));
	run_program(&outcome, "make", "--no-print-directory", "--dry-run", "PREFIX=/elsewhere",
	    made, object, NULL);
	assert_int_equal(outcome.status, 0);
	assert_non_null(strstr(outcome.output, "-DLIBEXECDIR='\"/elsewhere/libexec/proclaunch\"'"));
}

static void
assert_offers_each_verb(const char *words)
{
	char word[64];
	unsigned verb;

	for (verb = 0; verb < VERB_COUNT; verb++) {
		(void)snprintf(word, sizeof(word), "\n%s\n", verb_rules[verb].name);
		if (strstr(words, word) == NULL)
			fail_msg("%s is not offered", verb_rules[verb].name);
	}
}

/* What bash completes after these words, one a line, with a newline in front. */
static void
complete(char *offered, size_t size, const char *words, const char *last)
{
	char script[2048];
	struct outcome outcome;

	(void)snprintf(script, sizeof(script),
	    "source ctl/completion/proclaunchctl.bash; COMP_WORDS=(proclaunchctl %s); "
	    "COMP_CWORD=%s; COMP_LINE=${COMP_WORDS[*]}; COMP_LINE=${COMP_LINE// @ /@}; "
	    "COMP_POINT=${#COMP_LINE}; "
	    "_proclaunchctl; printf '\\n%%s' \"${COMPREPLY[@]}\"; echo",
	    words, last);
	run_program(&outcome, "bash", "--norc", "-c", script, NULL);
	assert_int_equal(outcome.status, 0);
	(void)snprintf(offered, size, "%s", outcome.output);
}

static void
bash_offers_each_verb_and_what_belongs_to_it(void **state)
{
	char offered[8192];

	(void)state;
	complete(offered, sizeof(offered), "''", "1");
	assert_offers_each_verb(offered);
	complete(offered, sizeof(offered), "st", "1");
	assert_string_equal(offered, "\nstatus\nstart\nstop\n");
	complete(offered, sizeof(offered), "wait --for = ''", "4");
	assert_string_equal(offered, "\nstopped\nstarting\nrunning\nstopping\n");
	complete(offered, sizeof(offered), "list --no", "2");
	assert_string_equal(offered, "\n--no-header\n");
	complete(offered, sizeof(offered), "stop --no", "2");
	assert_string_equal(offered, "\n--no-wait\n");
	complete(offered, sizeof(offered), "--ver", "1");
	assert_string_equal(offered, "\n--version\n");
	complete(offered, sizeof(offered), "list --ver", "2");
	assert_string_equal(offered, "\n\n"); /* wrong usage */
	complete(offered, sizeof(offered), "signal US", "2");
	assert_string_equal(offered, "\nUSR1\nUSR2\n");
	complete(offered, sizeof(offered), "list -o name,us", "3");
	assert_string_equal(offered, "\nname,user\n");
}

static void
bash_offers_the_profiles_of_the_state_directory_that_is_named(void **state)
{
	struct host *host = *state;
	char offered[8192], words[256], program[PATH_MAX], path[PATH_MAX + 256];

	host_profile(host, "web", "exec sleep 1000");
	host_profile(host, "mail", "exec sleep 1000");
	host_profile(host, "getty@tty1", "exec sleep 1000");
	host_start(host);
	(void)host_wait_running(host, "web");
	(void)host_wait_running(host, "mail");
	(void)host_wait_running(host, "getty@tty1");
	host_program("proclaunchctl", program, sizeof(program));
	*strrchr(program, '/') = '\0';
	(void)snprintf(path, sizeof(path), "%s:%s", program, getenv("PATH"));
	assert_int_equal(setenv("PATH", path, 1), 0);
	(void)snprintf(words, sizeof(words), "-d %s stop ''", host->state);
	complete(offered, sizeof(offered), words, "4");
	assert_string_equal(offered, "\ngetty@tty1\nmail\nweb\n");
	/* as bash takes it apart, and puts it together again */
	(void)snprintf(words, sizeof(words), "-d %s stop getty @ tt", host->state);
	complete(offered, sizeof(offered), words, "6");
	assert_string_equal(offered, "\n@tty1\n");
	(void)snprintf(words, sizeof(words), "-d %s ping ''", host->state);
	complete(offered, sizeof(offered), words, "4");
	assert_string_equal(offered, "\n\n");
	assert_int_equal(setenv("PATH", strchr(path, ':') + 1, 1), 0);
	host_stop_all(host);
}

/* Whoever owns the monitor chooses what proclaunchctl says: bash expands the words that it is to
 * offer, and whoever presses the tabulator key may be root. */
static void
bash_executes_nothing_that_stands_in_a_name(void **state)
{
	struct folder *folder = *state;
	char offered[8192], path[PATH_MAX], executed[FOLDER_PATH_BYTES + 16], program[4096];

	(void)snprintf(executed, sizeof(executed), "%s/executed", folder->path);
	(void)snprintf(program, sizeof(program),
	    "#!/bin/sh\ncat <<'END'\nweb\n$(touch${IFS}%s)\n`touch${IFS}%s`\nx;y\nEND\n", executed,
	    executed);
	folder_write(folder, "proclaunchctl", 0755, program);
	(void)snprintf(path, sizeof(path), "%s:%s", folder->path, getenv("PATH"));
	assert_int_equal(setenv("PATH", path, 1), 0);
	complete(offered, sizeof(offered), "stop ''", "2");
	assert_int_equal(setenv("PATH", strchr(path, ':') + 1, 1), 0);
	assert_int_equal(access(executed, F_OK), -1);
	assert_string_equal(offered, "\nweb\n");
}

/* Its list is read as it stands: zsh itself is needed by nobody else here. */
static void
zsh_describes_each_verb(void **state)
{
	FILE *file = fopen("ctl/completion/_proclaunchctl", "re");
	char line[512], words[4096] = "\n", *colon;

	(void)state;
	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		colon = strchr(line, ':');
		if (strncmp(line, "\t\t'", 3) != 0 || colon == NULL)
			continue;
		*colon = '\0';
		strncat(words, line + 3, sizeof(words) - strlen(words) - 2);
		strcat(words, "\n");
	}
	assert_int_equal(fclose(file), 0);
	assert_offers_each_verb(words);
}

/* How the sections of the manual name it. */
static void
the_manual_describes_each_verb(void **state)
{
	FILE *file = fopen("man/proclaunchctl.1", "re");
	char line[512], words[4096] = "\n", verb[64];

	(void)state;
	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		if (sscanf(line, ".It Cm %63s", verb) != 1)
			continue;
		strncat(words, verb, sizeof(words) - strlen(words) - 2);
		strcat(words, "\n");
	}
	assert_int_equal(fclose(file), 0);
	assert_offers_each_verb(words);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		what_is_installed_is_in_its_place_and_uninstall_takes_all_of_it_away, folder_set_up,
		folder_tear_down),
	    cmocka_unit_test(another_prefix_makes_another_parent),
	    cmocka_unit_test(bash_offers_each_verb_and_what_belongs_to_it),
	    cmocka_unit_test_setup_teardown(
		bash_executes_nothing_that_stands_in_a_name, folder_set_up, folder_tear_down),
	    ROOT_TEST(bash_offers_the_profiles_of_the_state_directory_that_is_named),
	    cmocka_unit_test(zsh_describes_each_verb),
	    cmocka_unit_test(the_manual_describes_each_verb),
	};

	return cmocka_run_group_tests_name("install", tests, NULL, NULL);
}
