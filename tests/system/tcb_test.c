/*
 * `make tcb`: what it says of the size of each privilege domain is counted here once more, by other
 * means: which files are linked from the programs' debug information, lines by hand.
 */
#include <ctype.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host.h"

/* Goes on past a comment, a string or one other character; what is not white space counts. */
static const char *
step(const char *at, bool *code)
{
	const char *end;
	char quote = *at;

	if (strncmp(at, "/*", 2) == 0) {
		end = strstr(at + 2, "*/");
		assert_non_null(end);
		return end + 2;
	}
	if (!isspace((unsigned char)*at))
		*code = true;
	if (quote != '"' && quote != '\'')
		return at + 1;
	for (at++; *at != quote; at++)
		if (*at == '\\')
			at++;
	return at + 1;
}

/* Lines that hold more than white space and comments. A comment may hold line ends. */
static unsigned
code_lines(const char *path)
{
	static char text[1 << 18];
	FILE *file = fopen(path, "re");
	const char *at, *next;
	unsigned lines = 0;
	bool code = false;
	size_t length;

	if (file == NULL)
		fail_msg("%s cannot be read", path);
	length = fread(text, 1, sizeof(text) - 1, file);
	(void)fclose(file);
	assert_in_range(length, 1, sizeof(text) - 2);
	text[length] = '\0';
	for (at = text; *at != '\0'; at = next) {
		next = step(at, &code);
		if (memchr(at, '\n', (size_t)(next - at)) == NULL)
			continue;
		lines += code;
		code = false;
	}
	return lines;
}

/* The lines of the files of `folder` that are linked into the programs. */
static unsigned
linked_lines(const char *folder, const char *programs)
{
	struct outcome outcome;
	char command[512], *file, *rest = outcome.output;
	unsigned lines = 0;

	(void)snprintf(command, sizeof(command),
	    "cd ${PROCLAUNCH_BUILD:-build} && readelf --debug-dump=info --dwarf-depth=1 %s | "
	    "grep -o '\\b%s/[a-z_]*\\.c$' | sort -u",
	    programs, folder);
	run_program(&outcome, "/bin/sh", "-c", command, NULL);
	while ((file = strsep(&rest, "\n")) != NULL)
		if (file[0] != '\0')
			lines += code_lines(file);
	assert_int_not_equal(lines, 0);
	return lines;
}

/* The number behind NAME at the start of a line. */
static unsigned
printed(const char *report, const char *name)
{
	char pattern[64];
	const char *at;

	(void)snprintf(pattern, sizeof(pattern), "\n%s ", name);
	at = strstr(report, pattern);
	if (at == NULL)
		fail_msg("no line \"%s N\" in:%s", name, report);
	return (unsigned)strtoul(at + strlen(pattern), NULL, 10);
}

static void
run_tcb(struct outcome *outcome)
{
	run_program(outcome, "/bin/sh", "-c", "echo; make -s --no-print-directory tcb", NULL);
	assert_int_equal(outcome->status, 0);
}

static void
tcb_counts_exactly_what_is_linked_into_each_domain(void **state)
{
	static const struct {
		const char *folder;
		const char *programs;
	} domains[] = {
	    {"parent", "proclaunch"},
	    {"spawner", "proclaunch-spawner"},
	    {"shared", "proclaunch proclaunch-spawner"},
	    {"monitor", "proclaunch-monitor"},
	    {"ctl", "proclaunchctl"},
	};
	struct outcome outcome;
	size_t i;

	(void)state;
	run_tcb(&outcome);
	for (i = 0; i < sizeof(domains) / sizeof(domains[0]); i++)
		assert_int_equal(printed(outcome.output, domains[i].folder),
		    linked_lines(domains[i].folder, domains[i].programs));
}

static void
tcb_names_each_handler_and_the_number_of_system_calls_that_is_in_the_filter(void **state)
{
	struct outcome outcome, filter;
	char program[PATH_MAX], expected[64];
	unsigned calls = 0;
	size_t i;

	(void)state;
	run_tcb(&outcome);
	assert_non_null(strstr(outcome.output, "handle_start (parent/requests.c)"));
	assert_non_null(strstr(outcome.output, "handle_stage (parent/births.c)"));
	assert_non_null(strstr(outcome.output, "handle_fork (spawner/main.c)"));
	assert_non_null(strstr(outcome.output, "channel_receive  parent/children.c"));
	run_program(&filter, host_program("proclaunch-monitor", program, sizeof(program)),
	    "--print-filter", NULL);
	for (i = 0; filter.output[i] != '\0'; i++)
		calls += filter.output[i] == '\n';
	(void)snprintf(
	    expected, sizeof(expected), "allowed system calls of the monitor: %u\n", calls);
	assert_non_null(strstr(outcome.output, expected));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tcb_counts_exactly_what_is_linked_into_each_domain),
	    cmocka_unit_test(
		tcb_names_each_handler_and_the_number_of_system_calls_that_is_in_the_filter),
	};

	return cmocka_run_group_tests_name("tcb", tests, NULL, NULL);
}
