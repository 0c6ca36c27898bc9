/*
 * SECURITY.md says what auditors rely on; what it copies from the program and from the kernel is
 * compared with both. That every test it names exists and ran is checked by tests/claims.
 */
#include <sys/prctl.h>

#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "host.h"

#define PAGE "SECURITY.md"

static char page[65536];

static int
read_page(void **state)
{
	FILE *file = fopen(PAGE, "re");
	size_t length;

	(void)state;
	if (file == NULL)
		return -1;
	length = fread(page, 1, sizeof(page) - 1, file);
	page[length] = '\0';
	(void)fclose(file);
	return length > 0 && length < sizeof(page) - 1 ? 0 : -1;
}

/* The page has, below the heading, a block with exactly what the monitor prints. */
static void
assert_copy(const char *heading, const char *option)
{
	struct outcome outcome;
	char path[512], *block, *end;

	run_program(
	    &outcome, host_program("proclaunch-monitor", path, sizeof(path)), option, (char *)NULL);
	assert_int_equal(outcome.status, 0);
	assert_true(strlen(outcome.output) > 500);
	block = strstr(page, heading);
	assert_non_null(block);
	block = strstr(block, "```\n");
	assert_non_null(block);
	block += strlen("```\n");
	end = strstr(block, "```");
	assert_non_null(end);
	*end = '\0';
	assert_string_equal(block, outcome.output);
	*end = '`';
}

static void
the_table_of_system_calls_is_the_programs(void **state)
{
	(void)state;
	assert_copy("### What the monitor may ask of the kernel", "--print-filter");
}

static void
the_catalogue_of_messages_is_the_programs(void **state)
{
	(void)state;
	assert_copy("### The messages", "--print-messages");
}

/* The columns of the table of processes. */
enum column { EFFECTIVE = 3, BOUNDING = 4, NO_NEW_PRIVS = 6, SECCOMP = 7 };

/* What stands in a column of the process's row, without the spaces around it. */
static const char *
cell(const char *process, enum column column, char *text, size_t size)
{
	char start[64];
	const char *row, *end;
	int i;

	(void)snprintf(start, sizeof(start), "\n| %s | ", process);
	row = strstr(page, start);
	if (row == NULL)
		fail_msg("%s has no row for %s", PAGE, process);
	row++;
	for (i = 0; i < (int)column; i++)
		row = strchr(row + 1, '|');
	end = strchr(row + 1, '|');
	assert_non_null(end);
	(void)snprintf(text, size, "%.*s", (int)(end - row - 3), row + 2);
	return text;
}

static const struct {
	const char *name;
	unsigned number;
} capabilities[] = {{"CHOWN", CAP_CHOWN}, {"DAC_READ_SEARCH", CAP_DAC_READ_SEARCH},
    {"KILL", CAP_KILL}, {"SETGID", CAP_SETGID}, {"SETUID", CAP_SETUID}, {"SYS_NICE", CAP_SYS_NICE},
    {"SYS_PTRACE", CAP_SYS_PTRACE}, {"SYS_RESOURCE", CAP_SYS_RESOURCE}};

/* As a set, of what this machine grants at all. */
static unsigned long long
capability_set(char *words)
{
	unsigned long long set = 0;
	size_t i, count = sizeof(capabilities) / sizeof(capabilities[0]);
	char *word, *rest = NULL;

	for (word = strtok_r(words, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
		if (strcmp(word, "none") == 0)
			continue;
		for (i = 0; i < count && strcmp(word, capabilities[i].name) != 0; i++)
			;
		if (i == count)
			fail_msg("%s names %s, which this test does not know", PAGE, word);
		if (prctl(PR_CAPBSET_READ, capabilities[i].number, 0, 0, 0) == 1)
			set |= 1ULL << capabilities[i].number;
	}
	return set;
}

static void
assert_set(const char *process, pid_t pid, enum column column, const char *field)
{
	char words[256], value[64];

	process_status(pid, field, value, sizeof(value));
	assert_string_not_equal(value, "");
	cell(process, column, words, sizeof(words));
	if (strcmp(words, "as started") == 0)
		process_status(getpid(), field, words, sizeof(words));
	else
		(void)snprintf(words, sizeof(words), "%016llx", capability_set(words));
	if (strcmp(value, words) != 0)
		fail_msg("%s of %s is %s, and not %s", field, process, value, words);
}

static void
assert_row(const char *process, pid_t pid)
{
	char word[64], value[64];

	assert_set(process, pid, EFFECTIVE, "CapEff");
	assert_set(process, pid, EFFECTIVE, "CapPrm");
	assert_set(process, pid, BOUNDING, "CapBnd");
	cell(process, NO_NEW_PRIVS, word, sizeof(word));
	assert_string_equal(process_status(pid, "NoNewPrivs", value, sizeof(value)), word);
	cell(process, SECCOMP, word, sizeof(word));
	assert_string_equal(process_status(pid, "Seccomp", value, sizeof(value)), word);
	if (strcmp(process, "a service") != 0)
		assert_string_equal(process_status(pid, "Groups", value, sizeof(value)), "");
}

static void
the_table_of_processes_is_what_the_kernel_shows(void **state)
{
	struct host *host = *state;
	pid_t web;

	host_profile(host, "web", "exec sleep 1000");
	host_write(host, "web/user", 0644, "%s\n", TENANT);
	host_start_with(host, "--no-root", NULL);
	web = host_wait_running(host, "web");
	assert_row("`proclaunch`", host->supervisor);
	assert_row("`proclaunch-spawner`", host_spawner(host));
	assert_row("`proclaunch-monitor`", host_monitor(host));
	assert_row("a service", web);
	assert_int_equal(process_uid(host->supervisor), 0);
	assert_int_equal(process_uid(host_spawner(host)), 0);
	assert_in_range(process_uid(host_monitor(host)), 61184, 65519);
	assert_int_equal(process_uid(web), account_uid(TENANT));
	host_stop_all(host);
}

/* An auditor who reads the tables that the page names has read all of them. */
static void
the_tables_of_what_is_legal_are_those_that_the_page_names(void **state)
{
	struct outcome outcome;
	char *file, *rest, *named, *end, quoted[256];
	unsigned tables = 0;

	(void)state;
	named = strstr(page, "What is legal when stands in `const` tables: ");
	assert_non_null(named);
	end = strchr(named, ';');
	assert_non_null(end);
	*end = '\0';
	run_program(&outcome, "/bin/sh", "-c", "grep -l '^static const struct rule ' */*.c", NULL);
	for (rest = outcome.output; (file = strsep(&rest, "\n")) != NULL && file[0] != '\0';) {
		(void)snprintf(quoted, sizeof(quoted), "`%s`", file);
		if (strstr(named, quoted) == NULL)
			fail_msg("%s has a table that the page does not name", file);
		tables++;
	}
	for (; (named = strstr(named, ".c`")) != NULL; named++)
		tables--;
	assert_int_equal(tables, 0);
	*end = ';';
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_table_of_system_calls_is_the_programs),
	    cmocka_unit_test(the_tables_of_what_is_legal_are_those_that_the_page_names),
	    cmocka_unit_test(the_catalogue_of_messages_is_the_programs),
	    ROOT_TEST(the_table_of_processes_is_what_the_kernel_shows),
	};

	return cmocka_run_group_tests(tests, read_page, NULL);
}
