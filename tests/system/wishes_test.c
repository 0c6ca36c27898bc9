/*
 * What is asked for by name holds: stop until start or the next boot, disable and enable over
 * boots; whatever dies meanwhile. And a service's log belongs to the service's user.
 */
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "client.h"
#include "ctl.h"
#include "host.h"

#define SERVICE "exec sleep 1000"

/* Each ends with a supervisor that runs and has taken in all profiles. */
static void
leave_and_start(struct host *host)
{
	host_leave(host);
	host_start(host);
}

static void
stop_all_and_start(struct host *host)
{
	host_stop_all(host);
	host_start(host);
}

static void
crash_and_start(struct host *host)
{
	host_crash(host);
	host_start(host);
}

static void
kill_monitor(struct host *host)
{
	pid_t monitor = host_monitor(host);

	assert_int_equal(kill(monitor, SIGKILL), 0);
	process_wait_gone(monitor);
	assert_int_not_equal(host_monitor(host), monitor);
}

static void
kill_spawner(struct host *host)
{
	pid_t spawner = host_spawner(host);

	assert_int_equal(kill(spawner, SIGKILL), 0);
	process_wait_gone(spawner);
	assert_int_not_equal(host_spawner(host), spawner);
}

static void
upgrade(struct host *host)
{
	host_mark_log(host);
	assert_int_equal(kill(host->supervisor, SIGUSR2), 0);
	host_wait_log(host, " INFO  ProcLaunch upgraded from ");
}

static void
edit(struct host *host)
{
	host_touch(host, "web/run");
	host_settle(host);
}

static const struct {
	const char *name;
	void (*happen)(struct host *host);
} events[] = {
    {"SIGTERM and a start", leave_and_start},
    {"SIGHUP and a start", stop_all_and_start},
    {"a crash of all three and a start", crash_and_start},
    {"the death of the monitor", kill_monitor},
    {"the death of the spawner", kill_spawner},
    {"an upgrade", upgrade},
    {"an edit", edit},
};
#define EVENTS (sizeof(events) / sizeof(events[0]))

static void
assert_running(struct host *host, const char *name, bool expected)
{
	struct outcome outcome;

	/* settled: what is to come up has time to */
	(void)ctl(host, &outcome, "wait", "--for=running",
	    expected ? "--timeout=10" : "--timeout=0", name, NULL);
	assert_int_equal(outcome.status == CTL_DONE, expected);
	assert_int_equal(ctl(host, &outcome, "status", name, NULL), expected ? 0 : 3);
}

static void
stop_holds_until_start_whatever_happens(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	size_t i;

	host_profile(host, "web", SERVICE);
	host_write(host, "web/restart", 0644, "%s", "");
	host_profile(host, "mail", SERVICE);
	host_start(host);
	(void)host_wait_running(host, "web");
	assert_int_equal(ctl(host, &outcome, "stop", "web", NULL), CTL_DONE);
	for (i = 0; i < EVENTS; i++) {
		events[i].happen(host);
		assert_running(host, "mail", true);
		assert_running(host, "web", false);
	}
	assert_int_equal(ctl(host, &outcome, "start", "web", NULL), CTL_DONE);
	for (i = 0; i < EVENTS; i++) {
		events[i].happen(host);
		assert_running(host, "web", true);
	}
	host_stop_all(host);
}

/* The ledger of another boot is not believed; what enable and disable have left is. */
static void
pretend_reboot(struct host *host)
{
	char path[PATH_MAX];

	host_stop_all(host);
	(void)snprintf(path, sizeof(path), "%s/ledger", host->state);
	assert_int_equal(unlink(path), 0);
	host_start(host);
}

static void
stop_holds_until_the_next_boot_and_disable_over_it_until_enable(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	size_t i;

	host_profile(host, "web", SERVICE);
	host_profile(host, "off", SERVICE);
	host_profile(host, "mail", SERVICE);
	host_start(host);
	(void)host_wait_running(host, "web");
	(void)host_wait_running(host, "off");
	assert_int_equal(ctl(host, &outcome, "stop", "web", NULL), CTL_DONE);
	assert_int_equal(ctl(host, &outcome, "disable", "off", NULL), CTL_DONE);
	assert_running(host, "off", false);
	pretend_reboot(host);
	assert_running(host, "web", true);
	assert_running(host, "mail", true);
	assert_running(host, "off", false);
	for (i = 0; i < EVENTS; i++) {
		events[i].happen(host);
		assert_running(host, "mail", true);
		assert_running(host, "off", false);
	}
	/* started by hand it runs, for this boot */
	assert_int_equal(ctl(host, &outcome, "start", "off", NULL), CTL_DONE);
	assert_running(host, "off", true);
	pretend_reboot(host);
	assert_running(host, "mail", true);
	assert_running(host, "off", false);
	assert_int_equal(ctl(host, &outcome, "enable", "off", NULL), CTL_DONE);
	assert_running(host, "off", true);
	pretend_reboot(host);
	assert_running(host, "off", true);
	host_stop_all(host);
}

static void
a_down_file_is_the_default_where_nothing_was_said(void **state)
{
	struct host *host = *state;
	struct outcome outcome;

	host_profile(host, "web", SERVICE);
	host_write(host, "web/down", 0644, "%s", "");
	host_profile(host, "mail", SERVICE);
	host_start(host);
	assert_running(host, "mail", true);
	assert_running(host, "web", false);
	assert_int_equal(ctl(host, &outcome, "start", "web", NULL), CTL_DONE);
	assert_running(host, "web", true);
	leave_and_start(host);
	assert_running(host, "web", true);
	pretend_reboot(host); /* start was for that boot */
	assert_running(host, "mail", true);
	assert_running(host, "web", false);
	assert_int_equal(ctl(host, &outcome, "enable", "web", NULL), CTL_DONE);
	assert_running(host, "web", true);
	pretend_reboot(host); /* enable is for all of them */
	assert_running(host, "web", true);
	host_stop_all(host);
}

static void
what_was_edited_while_it_was_not_to_run_counts_when_it_is(void **state)
{
	static const char *const verbs[] = {"start", "enable"};
	struct host *host = *state;
	struct outcome outcome;
	pid_t before[2];
	size_t i;

	for (i = 0; i < 2; i++)
		host_profile(host, verbs[i], SERVICE);
	host_start(host);
	for (i = 0; i < 2; i++)
		before[i] = host_wait_running(host, verbs[i]);
	for (i = 0; i < 2; i++) {
		host_write(host, i == 0 ? "start/down" : "enable/down", 0644, "%s", "");
		host_write(host, i == 0 ? "start/run" : "enable/run", 0755, "#!/bin/sh\n%s\n",
		    "exec sleep 2000");
		/* it goes on; the files are looked at before this is answered */
		assert_int_equal(ctl(host, &outcome, "signal", "CONT", verbs[i], NULL), CTL_DONE);
		assert_true(process_lives(before[i]));
		host_mark_log(host);
		assert_int_equal(ctl(host, &outcome, verbs[i], verbs[i], NULL), CTL_DONE);
		assert_int_equal(host_count_log(host, " changed. Restarting."), 1);
		assert_int_not_equal(host_wait_running(host, verbs[i]), before[i]);
	}
	host_mark_log(host);
	leave_and_start(host);
	assert_int_equal(host_count_log(host, " changed. Restarting."), 0);
	host_stop_all(host);
}

static void
what_is_kept_over_boots_is_roots_alone(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	char path[PATH_MAX];
	struct stat status;

	host_profile(host, "web", SERVICE);
	host_chown(host, "web", TENANT);
	host_start(host);
	(void)host_wait_running(host, "web");
	assert_int_equal(
	    ctl_as(host, account_uid(TENANT), &outcome, "disable", "web", NULL), CTL_DONE);
	(void)snprintf(path, sizeof(path), "%s/disabled", host->state);
	assert_int_equal(lstat(path, &status), 0);
	assert_int_equal(status.st_uid, 0);
	assert_int_equal(status.st_mode & 07777, 0700);
	(void)snprintf(path, sizeof(path), "%s/disabled/web", host->state);
	assert_int_equal(lstat(path, &status), 0);
	assert_int_equal(status.st_uid, 0);
	assert_int_equal(status.st_size, 0);
	/* the tenant's own directory says nothing of it */
	assert_int_equal(access(host_path(host, "web/down", path, sizeof(path)), F_OK), -1);
	assert_int_equal(
	    ctl_as(host, account_uid(TENANT), &outcome, "enable", "web", NULL), CTL_DONE);
	(void)snprintf(path, sizeof(path), "%s/disabled/web", host->state);
	assert_int_equal(access(path, F_OK), -1);
	(void)snprintf(path, sizeof(path), "%s/enabled/web", host->state);
	assert_int_equal(access(path, F_OK), 0);
	host_stop_all(host);
}

/* As a death between the two leaves them. */
static void
where_both_wishes_are_kept_disabled_is_what_counts(void **state)
{
	static const char *const directories[] = {"enabled", "disabled"};
	struct host *host = *state;
	char path[PATH_MAX];
	unsigned i;

	host_profile(host, "web", SERVICE);
	host_start(host);
	(void)host_wait_running(host, "web");
	host_stop_all(host);
	for (i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s/web", host->state, directories[i]);
		assert_int_equal(mknod(path, S_IFREG | 0600, 0), 0);
	}
	host_mark_log(host);
	host_start(host);
	host_settle(host);
	assert_int_equal(host_count_log(host, " web starting"), 0);
	host_stop_all(host);
}

static void
a_wish_that_cannot_be_kept_is_said_to_whoever_has_it(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	char path[PATH_MAX];

	host_profile(host, "web", SERVICE);
	host_start(host);
	(void)host_wait_running(host, "web");
	(void)snprintf(path, sizeof(path), "%s/disabled/web", host->state);
	assert_int_equal(mkdir(path, 0755), 0); /* where an empty file should come */
	assert_int_equal(ctl(host, &outcome, "disable", "web", NULL), CTL_FAILED);
	assert_string_equal(outcome.error, "proclaunchctl: web: Is a directory\n");
	assert_running(host, "web", true);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(ctl(host, &outcome, "disable", "web", NULL), CTL_DONE);
	/* the other way round it is the old one that cannot be taken back */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(ctl(host, &outcome, "enable", "web", NULL), CTL_FAILED);
	assert_string_equal(outcome.error, "proclaunchctl: web: Is a directory\n");
	assert_int_equal(rmdir(path), 0);
	(void)snprintf(path, sizeof(path), "%s/enabled/web", host->state);
	(void)unlink(path);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(ctl(host, &outcome, "disable", "web", NULL), CTL_FAILED);
	assert_string_equal(outcome.error, "proclaunchctl: web: Is a directory\n");
	host_stop_all(host);
}

/* The profile of a user, which prints. */
static void
begin_printing(struct host *host, const char *script)
{
	host_profile(host, "web", "%s", script);
	host_write(host, "web/user", 0644, TENANT "\n");
	host_start(host);
	(void)host_wait_running(host, "web");
}

static void
the_owner_reads_and_follows_the_log_of_his_service_which_is_roots(void **state)
{
	struct host *host = *state;
	struct running_ctl follows;
	struct outcome outcome;
	uid_t uid = account_uid(TENANT);
	char path[PATH_MAX];
	struct stat status;

	begin_printing(host,
	    "trap 'echo later' USR1; trap 'echo to stderr >&2' USR2\n"
	    "i=0; while [ $i -lt 200 ]; do i=$((i + 1)); echo line-$i; done\n"
	    "while :; do sleep 0.05; done");
	ctl_begin(host, uid, &follows, "log", "web", "-f", "-n", "3", NULL);
	wait_until(ctl_as(host, uid, &outcome, "log", "-n", "1", "web", NULL) == CTL_DONE &&
	    strstr(outcome.output, " line-200\n") != NULL);
	(void)snprintf(path, sizeof(path), "%s/output/web.log", host->state);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_uid, 0);
	assert_int_equal(status.st_mode & 07777, 0640);
	assert_int_equal(ctl_as(host, uid, &outcome, "log", "-n", "3", "web", NULL), CTL_DONE);
	assert_non_null(strstr(outcome.output, " line-198\n"));
	assert_non_null(strstr(outcome.output, " line-200\n"));
	assert_null(strstr(outcome.output, " line-197\n"));
	assert_int_equal(ctl_as(host, uid, &outcome, "log", "-n", "0", "web", NULL), CTL_DONE);
	assert_string_equal(outcome.output, "");
	/* 50 by default */
	assert_int_equal(ctl_as(host, uid, &outcome, "log", "web", NULL), CTL_DONE);
	assert_non_null(strstr(outcome.output, " line-151\n"));
	assert_null(strstr(outcome.output, " line-150\n"));
	ctl_wait_said(&follows, " line-200\n");
	assert_int_equal(ctl_as(host, uid, &outcome, "signal", "USR1", "web", NULL), CTL_DONE);
	ctl_wait_said(&follows, " later\n");
	/* and when the log is put aside, it goes on in the next file */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(ctl(host, &outcome, "reopen", NULL), CTL_DONE);
	host_mark_log(host);
	assert_int_equal(ctl_as(host, uid, &outcome, "signal", "USR2", "web", NULL), CTL_DONE);
	ctl_wait_said(&follows, " to stderr\n");
	ctl_end(&follows);
	host_stop_all(host);
}

#define LINES 12000

/* Does `path` hold each of the lines once, in order, and nothing behind the last? */
static bool
has_all_lines(const char *path)
{
	FILE *file = fopen(path, "re");
	char line[128];
	const char *number;
	int next = 0;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		number = strstr(line, " line-");
		if (number == NULL || strchr(number, '\n') == NULL)
			break; /* more is to come */
		assert_int_equal(atoi(number + 6), ++next);
	}
	assert_int_equal(fclose(file), 0);
	return next == LINES;
}

/* `log -f web`, into a file. */
static pid_t
follow_into(const struct host *host, const char *path)
{
	char program[PATH_MAX];
	pid_t child;
	int file;

	host_program("proclaunchctl", program, sizeof(program));
	file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_int_not_equal(file, -1);
	child = fork();
	assert_int_not_equal(child, -1);
	if (child == 0) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && dup2(file, STDOUT_FILENO) != -1)
			execl(program, program, "-d", host->state, "log", "-f", "web", NULL);
		_exit(127);
	}
	assert_int_equal(close(file), 0);
	return child;
}

/* Into files of 4 KiB, of which one old one is kept: each is there for a moment only. */
static void
who_follows_a_log_misses_no_line_however_often_it_is_put_aside(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX], first[128];
	int status;
	pid_t follower;

	host_profile(host, "web",
	    "echo line-1; while [ ! -e go ]; do sleep 0.02; done; i=1\n"
	    "while [ $i -lt %d ]; do i=$((i + 1)); echo line-$i; done; exec sleep 1000",
	    LINES);
	host_write(host, "web/output", 0644, "%s", "rotate_size 4K\nrotate_keep 1\n");
	host_start(host);
	(void)snprintf(path, sizeof(path), "%s/followed", host->root);
	follower = follow_into(host, path);
	wait_for_file(path, first, sizeof(first)); /* now it follows */
	host_write(host, "web/go", 0644, "%s", "");
	wait_until(has_all_lines(path));
	assert_int_equal(kill(follower, SIGKILL), 0);
	assert_int_equal(waitpid(follower, &status, 0), follower);
	host_stop_all(host);
}

static void
what_the_owner_gets_is_a_descriptor_for_reading(void **state)
{
	struct host *host = *state;
	struct message message;
	int client, file = -1;
	bool admitted;
	char byte;

	begin_printing(host, "echo hello; exec sleep 1000");
	client = client_greet(host, account_uid(TENANT), &admitted);
	assert_true(admitted);
	do {
		assert_true(client_ask(client, VERB_LOG, "web"));
		do {
			assert_true(client_receive(client, &message, file == -1 ? &file : NULL));
		} while (message.type != MESSAGE_ANSWER);
		assert_int_equal(message.answer.result, RESULT_DONE);
	} while (file == -1);
	assert_int_equal(fcntl(file, F_GETFL) & O_ACCMODE, O_RDONLY);
	wait_until(read(file, &byte, 1) == 1); /* the line may not stand in it yet */
	assert_int_equal(write(file, "x", 1), -1);
	assert_int_equal(ftruncate(file, 0), -1);
	assert_int_equal(close(file), 0);
	assert_int_equal(close(client), 0);
	host_stop_all(host);
}

/* U+202E turns round what follows, CVE-2021-42574; others are invisible, or new lines to some.
 * Joiners stay, which scripts and emoji need. */
static void
what_would_be_read_as_something_else_is_escaped_on_a_terminal(void **state)
{
	static const char *const hidden[] = {"\330\234", "\342\200\213", "\342\200\216",
	    "\342\200\217", "\342\200\250", "\342\200\251", "\342\200\252", "\342\200\256",
	    "\342\201\240", "\342\201\246", "\342\201\251", "\342\201\257", "\357\273\277",
	    "\363\240\200\200", "\363\240\201\277"};
	static const char shown[] = "\330\233\330\235\342\200\212\342\200\214\342\200\215"
				    "\342\200\220\342\200\247\342\200\257\342\201\237"
				    "\342\201\260\356\200\200\357\273\276\357\274\200"
				    "\363\240\204\200\364\217\277\277";
	struct host *host = *state;
	struct outcome outcome;
	uid_t uid = account_uid(TENANT);
	char script[1024] = "exec printf '%s\n' '", escaped[1024] = " ";
	const char *byte;
	size_t i;

	for (i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
		(void)strcat(script, hidden[i]);
		for (byte = hidden[i]; *byte != '\0'; byte++)
			(void)sprintf(escaped + strlen(escaped), "\\x%02x", (unsigned char)*byte);
	}
	(void)strcat(strcat(script, shown), "'");
	(void)strcat(escaped, shown);
	begin_printing(host, script);
	wait_until(ctl_as(host, uid, &outcome, "log", "web", NULL) == CTL_DONE &&
	    strstr(outcome.output, shown) != NULL);
	assert_null(strstr(outcome.output, "\\x"));
	assert_int_equal(ctl_on_terminal(host, uid, &outcome, "log", "web", NULL), CTL_DONE);
	if (strstr(outcome.output, escaped) == NULL)
		fail_msg("%s", outcome.output);
	host_stop_all(host);
}

static void
control_bytes_are_escaped_on_a_terminal_only(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	uid_t uid = account_uid(TENANT);

	begin_printing(host,
	    "printf 'a\\033]0;title\\007b\\177c\\rd\\te\\303\\274f\\n'\n"
	    "printf "
	    "'1\\302\\2332J2\\2333\\302\\2404\\340\\200\\2335\\342\\202\\2546\\355\\240\\200'\n"
	    "printf '7\\360\\237\\230\\2008\\364\\220\\200\\2009\\342\\202\\n'; exec sleep 1000");
	wait_until(ctl_as(host, uid, &outcome, "log", "web", NULL) == CTL_DONE &&
	    strstr(outcome.output, " a\033]0;title\007b\177c\rd\te\303\274f\n") != NULL &&
	    strstr(outcome.output, "9\342\202\n") != NULL);
	assert_int_equal(ctl_on_terminal(host, uid, &outcome, "log", "web", NULL), CTL_DONE);
	assert_non_null(strstr(outcome.output, " a\\x1b]0;title\\x07b\\x7fc\\x0dd"));
	assert_non_null(strstr(outcome.output, "e\303\274f"));
	/* U+009B is as good as ESC [ to many terminals, and so is the byte; what follows is no
	 * UTF-8 or is not complete */
	assert_non_null(strstr(outcome.output,
	    "1\\xc2\\x9b2J2\\x9b3\302\2404\\xe0\\x80\\x9b5\342\202\2546\\xed\\xa0\\x807\360\237\230"
	    "\2008\\xf4\\x90\\x80\\x809\\xe2\\x82"));
	assert_null(strchr(outcome.output, '\033'));
	assert_null(strstr(outcome.output, "\302\233"));
	assert_int_equal(ctl_on_terminal(host, 0, &outcome, "status", "web", NULL), 0);
	assert_non_null(strstr(outcome.output, " a\\x1b]0;title\\x07b\\x7fc\\x0dd"));
	assert_null(strstr(outcome.output, "\033]0;"));
	host_stop_all(host);
}

static void
without_a_name_root_reads_and_follows_the_supervisors_own_log(void **state)
{
	struct running_ctl follows;
	struct host *host = *state;
	struct outcome outcome;

	host_profile(host, "web", SERVICE);
	host_start(host);
	(void)host_wait_running(host, "web");
	assert_int_equal(ctl(host, &outcome, "log", "-n", "1", NULL), CTL_DONE);
	assert_non_null(strstr(outcome.output, " INFO  web running pid "));
	ctl_begin(host, 0, &follows, "log", "-f", "-n", "0", NULL);
	/* once it follows, which nothing says, what happens is shown */
	do {
		assert_int_equal(ctl(host, &outcome, "restart", "web", NULL), CTL_DONE);
	} while (ctl_peek(&follows)[0] == '\0');
	ctl_wait_said(&follows, " INFO  web running pid ");
	ctl_end(&follows);
	host_stop_all(host);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROOT_TEST(stop_holds_until_start_whatever_happens),
	    ROOT_TEST(stop_holds_until_the_next_boot_and_disable_over_it_until_enable),
	    ROOT_TEST(a_down_file_is_the_default_where_nothing_was_said),
	    ROOT_TEST(what_was_edited_while_it_was_not_to_run_counts_when_it_is),
	    ROOT_TEST(what_is_kept_over_boots_is_roots_alone),
	    ROOT_TEST(where_both_wishes_are_kept_disabled_is_what_counts),
	    ROOT_TEST(a_wish_that_cannot_be_kept_is_said_to_whoever_has_it),
	    ROOT_TEST(the_owner_reads_and_follows_the_log_of_his_service_which_is_roots),
	    ROOT_TEST(who_follows_a_log_misses_no_line_however_often_it_is_put_aside),
	    ROOT_TEST(what_the_owner_gets_is_a_descriptor_for_reading),
	    ROOT_TEST(control_bytes_are_escaped_on_a_terminal_only),
	    ROOT_TEST(what_would_be_read_as_something_else_is_escaped_on_a_terminal),
	    ROOT_TEST(without_a_name_root_reads_and_follows_the_supervisors_own_log),
	};

	return cmocka_run_group_tests_name("wishes", tests, NULL, NULL);
}
