/*
 * SECURITY.md says what auditors rely on; what it copies from the program and from the kernel is
 * compared with both. That every test it names exists and ran is checked by tests/claims.
 */
#include <sys/prctl.h>

#include <dirent.h>
#include <grp.h>
#include <limits.h>
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

/* Who looks for a claim finds it by its number. */
static void
the_claims_are_numbered_in_their_order(void **state)
{
	const char *line = page;
	unsigned long number = 0, stands;
	char *end;

	(void)state;
	while ((line = strstr(line, "\nC")) != NULL) {
		line += 2;
		stands = strtoul(line, &end, 10);
		if (end > line && strncmp(end, ". ", 2) == 0)
			assert_int_equal(stands, ++number);
	}
	assert_in_range(number, 40, 200);
}

/* The columns of the table of processes. */
enum column {
	UID = 1,
	GID,
	GROUPS,
	EFFECTIVE,
	BOUNDING,
	ROOT,
	DESCRIPTORS,
	LIMITS,
	NO_NEW_PRIVS,
	SECCOMP,
	LANDLOCK,
	MAY_EXEC,
	COLUMN_COUNT
};

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

/* The limit as it stands in force; "unlimited" is the largest number. */
static unsigned long
limit_of(pid_t pid, const char *title)
{
	char text[4096], hard[32];
	const char *line;

	assert_true(read_proc(pid, "limits", text, sizeof(text)) > 0);
	line = strstr(text, title);
	assert_non_null(line);
	assert_int_equal(sscanf(line + strlen(title), "%*s %31s", hard), 1);
	return strcmp(hard, "unlimited") == 0 ? ULONG_MAX : strtoul(hard, NULL, 10);
}

static const struct {
	const char *word;
	const char *title; /* in proc_pid_limits(5) */
} limits[] = {{"NPROC", "Max processes"}, {"CORE", "Max core file size"},
    {"FSIZE", "Max file size"}, {"NOFILE", "Max open files"}};
#define LIMITS_COUNT (sizeof(limits) / sizeof(limits[0]))

/* "NAME=NUMBER" or "NAME<=NUMBER", or what it was started with: what we have ourselves. */
static void
assert_limits(const char *process, pid_t pid)
{
	char words[256], *word, *rest = NULL;
	unsigned long is, expected;
	size_t i, length;

	cell(process, LIMITS, words, sizeof(words));
	if (strncmp(words, "as started", strlen("as started")) == 0) {
		for (i = 0; i < LIMITS_COUNT; i++)
			assert_int_equal(
			    limit_of(pid, limits[i].title), limit_of(getpid(), limits[i].title));
		return;
	}
	for (word = strtok_r(words, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
		length = strcspn(word, "<=");
		for (i = 0; i < LIMITS_COUNT &&
		     (strlen(limits[i].word) != length ||
			 memcmp(limits[i].word, word, length) != 0);)
			i++;
		assert_in_range(i, 0, LIMITS_COUNT - 1);
		is = limit_of(pid, limits[i].title);
		expected = strtoul(strchr(word, '=') + 1, NULL, 10);
		if (word[length] == '<' ? is > expected : is != expected)
			fail_msg("%s of %s is %lu", limits[i].title, process, is);
	}
}

static void
assert_root(const struct host *host, const char *process, pid_t pid)
{
	char word[64], path[64], target[PATH_MAX], expected[PATH_MAX] = "/";
	ssize_t length;

	(void)snprintf(path, sizeof(path), "/proc/%d/root", pid);
	length = readlink(path, target, sizeof(target) - 1);
	assert_true(length > 0);
	target[length] = '\0';
	cell(process, ROOT, word, sizeof(word));
	if (strcmp(word, "`STATE_DIR/empty`") == 0)
		(void)snprintf(expected, sizeof(expected), "%s/empty", host->state);
	else
		assert_string_equal(word, "`/`");
	assert_string_equal(target, expected);
}

static void
assert_open(const char *process, pid_t pid)
{
	char word[64], path[64], open[256] = "";
	const struct dirent *entry;
	DIR *directory;

	cell(process, DESCRIPTORS, word, sizeof(word));
	if (strcmp(word, "see below") == 0)
		return;
	(void)snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	directory = opendir(path);
	assert_non_null(directory);
	while ((entry = readdir(directory)) != NULL)
		if (entry->d_name[0] != '.')
			(void)snprintf(open + strlen(open), sizeof(open) - strlen(open), "%s%.8s",
			    open[0] == '\0' ? "" : " ", entry->d_name);
	assert_int_equal(closedir(directory), 0);
	assert_string_equal(open, word);
}

static void
assert_number(const char *process, pid_t pid, enum column column, const char *field)
{
	char word[64], value[64], expected[64];

	cell(process, column, word, sizeof(word));
	process_status(pid, field, value, sizeof(value));
	if (word[0] == '0' && word[1] == '\0' && strchr(value, '\t') != NULL)
		(void)snprintf(expected, sizeof(expected), "0\t0\t0\t0");
	else
		(void)snprintf(expected, sizeof(expected), "%s", word);
	if (strcmp(value, expected) != 0)
		fail_msg("%s of %s is %s", field, process, value);
}

static void
assert_row(const struct host *host, const char *process, pid_t pid)
{
	char word[64], value[64];

	cell(process, GROUPS, word, sizeof(word));
	if (strcmp(word, "none") == 0)
		assert_string_equal(process_status(pid, "Groups", value, sizeof(value)), "");
	assert_set(process, pid, EFFECTIVE, "CapEff");
	assert_set(process, pid, EFFECTIVE, "CapPrm");
	assert_set(process, pid, BOUNDING, "CapBnd");
	assert_root(host, process, pid);
	assert_open(process, pid);
	assert_limits(process, pid);
	assert_number(process, pid, NO_NEW_PRIVS, "NoNewPrivs");
	assert_number(process, pid, SECCOMP, "Seccomp");
	assert_string_not_equal(cell(process, LANDLOCK, word, sizeof(word)), "");
	assert_string_not_equal(cell(process, MAY_EXEC, word, sizeof(word)), "");
}

/* Groups that whoever starts us is in are not ours. */
static void
be_in_groups(void)
{
	static const gid_t groups[] = {0, 4, 27};

	if (setgroups(3, groups) == -1)
		_exit(125);
}

static void
the_table_of_processes_is_what_the_kernel_shows(void **state)
{
	struct host *host = *state;
	pid_t web, monitor;
	char gid[64], expected[64];

	host_profile(host, "web", "exec sleep 1000");
	host_write(host, "web/user", 0644, "%s\n", TENANT);
	host->before_exec = be_in_groups;
	host_start_with(host, "--no-root", NULL);
	web = host_wait_running(host, "web");
	monitor = host_monitor(host);
	assert_row(host, "`proclaunch`", host->supervisor);
	assert_row(host, "`proclaunch-spawner`", host_spawner(host));
	assert_row(host, "`proclaunch-monitor`", monitor);
	assert_row(host, "a service", web);
	assert_number("`proclaunch`", host->supervisor, UID, "Uid");
	assert_number("`proclaunch`", host->supervisor, GID, "Gid");
	assert_number("`proclaunch-spawner`", host_spawner(host), UID, "Uid");
	assert_number("`proclaunch-spawner`", host_spawner(host), GID, "Gid");
	assert_in_range(process_uid(monitor), 61184, 65519);
	(void)snprintf(expected, sizeof(expected), "%u", process_uid(monitor));
	assert_int_equal(
	    strncmp(process_status(monitor, "Gid", gid, sizeof(gid)), expected, strlen(expected)),
	    0);
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
	    cmocka_unit_test(the_claims_are_numbered_in_their_order),
	    ROOT_TEST(the_table_of_processes_is_what_the_kernel_shows),
	};

	return cmocka_run_group_tests(tests, read_page, NULL);
}
