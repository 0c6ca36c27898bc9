/*
 * What the README tells a newcomer to type works as it is printed there: its commands are taken out
 * of the page, with the paths of the test's host in the place of the machine's.
 */
#include <sys/stat.h>

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "host.h"

#define PAGE_BYTES   32768
#define SCRIPT_BYTES 8192

static char page[PAGE_BYTES];

static int
read_page(void **state)
{
	FILE *file = fopen("README.md", "re");
	size_t length;

	(void)state;
	if (file == NULL)
		return -1;
	length = fread(page, 1, sizeof(page) - 1, file);
	page[length] = '\0';
	return fclose(file) == 0 && length > 0 && length < sizeof(page) - 1 ? 0 : -1;
}

/* The programs as they are built are found by their names, from every directory. */
static void
find_programs(void)
{
	char program[PATH_MAX], path[3 * PATH_MAX];

	host_program("proclaunch", program, sizeof(program));
	*strrchr(program, '/') = '\0';
	(void)snprintf(path, sizeof(path), "%s:%s", program, getenv("PATH"));
	assert_int_equal(setenv("PATH", path, 1), 0);
}

static void
replace(char *text, size_t size, const char *from, const char *to)
{
	char *place = text;
	size_t rest;

	while ((place = strstr(place, from)) != NULL) {
		rest = strlen(place + strlen(from)) + 1;
		assert_true((size_t)(place - text) + strlen(to) + rest <= size);
		memmove(place + strlen(to), place + strlen(from), rest);
		memcpy(place, to, strlen(to));
		place += strlen(to);
	}
}

/*
 * A line as a person types it: who asks too early asks again, who has edited something sees it
 * done, and who has seen enough of what goes on types ^C.
 */
static void
add_command(const struct host *host, char *script, char *command)
{
	char *comment = strstr(command, "  #");
	const char *awaited = "";
	char *end = script + strlen(script);
	size_t room = SCRIPT_BYTES - strlen(script);

	if (comment != NULL && strstr(comment, "refused:") != NULL)
		awaited = " | grep refused:";
	else if (strncmp(command, "proclaunchctl explain ", 22) == 0)
		awaited = " | grep ' is running: '"; /* it may be on its way to that */
	if (comment != NULL)
		*comment = '\0';
	if (strncmp(command, "proclaunchctl log -f", 20) == 0)
		(void)snprintf(
		    end, room, "timeout -s INT 1 %s; [ $? -eq 124 ] || exit 1\n", command);
	else if (strncmp(command, "proclaunchctl ", 14) == 0)
		(void)snprintf(end, room, "until %s%s; do sleep 0.05; done\n", command, awaited);
	else
		(void)snprintf(end, room, "%s\n[ $? -eq 0 ] || exit 1\n", command);
	if (strncmp(command, "touch ", 6) == 0)
		(void)snprintf(script + strlen(script), SCRIPT_BYTES - strlen(script),
		    "until grep ' changed. ' %s; do sleep 0.05; done\n", host->log);
	assert_true(strlen(script) < SCRIPT_BYTES - 1);
}

/* The section's commands behind this prompt; how many there are. They are what is indented. */
static unsigned
collect(const struct host *host, const char *heading, const char *prompt, char *script)
{
	static char section[PAGE_BYTES];
	char *line, *rest, command[SCRIPT_BYTES], tenants[PATH_MAX];
	unsigned count = 0;

	line = strstr(page, heading);
	assert_non_null(line);
	(void)snprintf(section, sizeof(section), "%s", line + strlen(heading));
	rest = strstr(section, "\n## ");
	assert_non_null(rest);
	*rest = '\0';
	script[0] = '\0';
	(void)snprintf(tenants, sizeof(tenants), "%s/tenants", host->root);
	for (rest = section; (line = strsep(&rest, "\n")) != NULL;) {
		if (strncmp(line, "    ", 4) != 0 || strncmp(line + 4, prompt, strlen(prompt)) != 0)
			continue;
		(void)snprintf(command, sizeof(command), "%s", line + 4 + strlen(prompt));
		replace(command, sizeof(command), "/srv/tenants", tenants);
		replace(command, sizeof(command), "/var/lib/proclaunch", host->state);
		replace(command, sizeof(command), "/etc/proclaunch", host->profiles);
		replace(command, sizeof(command), "alice", TENANT);
		add_command(host, script, command);
		count++;
	}
	return count;
}

static void
run_script(struct outcome *outcome, const char *script, uid_t uid)
{
	const char *arguments[] = {"/bin/sh", "-c", script, NULL};

	run_patiently_as(outcome, uid, arguments);
	if (outcome->status != 0)
		fail_msg(
		    "%s%s-> %d in:\n%s", outcome->output, outcome->error, outcome->status, script);
}

static void
the_first_profile_works_as_it_is_printed(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	char script[SCRIPT_BYTES];

	assert_int_equal(rmdir(host->profiles), 0);
	assert_in_range(collect(host, "\n## A first profile\n", "", script), 10, 12);
	assert_int_equal(setenv("PROCLAUNCH_STATE_DIR", host->state, 1), 0);
	run_script(&outcome, script, geteuid());
	assert_non_null(strstr(outcome.output, "hello running pid "));
	assert_non_null(strstr(outcome.output, "hello is running: "));
	host_wait_log(host, " INFO  hello changed. Restarting.$");
	host_wait_log(host, " INFO  ProcLaunch all profiles stopped. Exiting.$");
	host_wait_deserted(host);
}

static void
what_a_tenant_does_works_as_it_is_printed(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	char script[SCRIPT_BYTES], group[32];

	assert_int_equal(setenv("PROCLAUNCH_STATE_DIR", host->state, 1), 0);
	assert_int_equal(collect(host, "\n## A tenant\n", "# ", script), 2);
	(void)snprintf(group, sizeof(group), "-g %u", account_gid(TENANT));
	replace(script, sizeof(script), "-g " TENANT, group); /* who has no group of the name */
	run_script(&outcome, script, geteuid());
	assert_in_range(collect(host, "\n## A tenant\n", "$ ", script), 8, 10);
	run_script(&outcome, script, account_uid(TENANT));
	assert_non_null(strstr(outcome.output, "refused: restart: must be empty, \"1\""));
	assert_non_null(strstr(outcome.output, TENANT "/web "));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROOT_TEST(the_first_profile_works_as_it_is_printed),
	    ROOT_TEST(what_a_tenant_does_works_as_it_is_printed),
	};

	find_programs();
	return cmocka_run_group_tests_name("readme", tests, read_page, NULL);
}
