/*
 * Whoever breaks and mends his profiles without end does not wash the log.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "clock.h"
#include "parent.h"
#include "reports.h"
#include "share.h" /* of the monitor's log */

#define MALLORY 1000
#define ALICE	1001

static int64_t now = 1000 * SECOND;
static unsigned written;
static char last[256]; /* line */

int
clock_gettime(clockid_t clock, struct timespec *time)
{
	(void)clock;
	*time = (struct timespec){.tv_sec = now / SECOND, .tv_nsec = now % SECOND};
	return 0;
}

bool
log_says(enum level level)
{
	return level <= LEVEL_INFO;
}

void
log_vline(const char *tag, enum level level, const char *format, va_list arguments)
{
	int length = snprintf(last, sizeof(last), "%s ", tag);

	(void)level;
	(void)vsnprintf(last + length, sizeof(last) - (size_t)length, format, arguments);
	written++;
}

void
log_upgraded(void)
{
}

void
log_line(const char *tag, enum level level, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_vline(tag, level, format, arguments);
	va_end(arguments);
}

void
parent_heard_report(void)
{
}

/* How many of so many entries that are no profiles are named in the log, which have not been
 * before. */
static unsigned
meet_entries(const char *tenant, unsigned entries)
{
	static unsigned number;
	struct incoming incoming = {.message.number = REPORT_SKIPPED_NAME};
	unsigned before = written;

	while (entries-- > 0) {
		(void)snprintf(incoming.message.report.text, sizeof(incoming.message.report.text),
		    "%sbad name %u", tenant, number++);
		reports_log(NULL, &incoming);
		reports_log(NULL, &incoming);
	}
	return written - before;
}

/* How many of so many lines about a profile of his are written. */
static unsigned
write_lines(uint32_t owner, enum level level, unsigned lines)
{
	struct profile profile = {.facts.owner = owner, .facts.name = "web"};
	unsigned before = written;

	while (lines-- > 0)
		share_line(&profile, level, "refused: %s", "again");
	return written - before;
}

static void
whoever_writes_without_end_is_counted_and_costs_nobody_else_a_line(void **state)
{
	(void)state;
	assert_int_equal(write_lines(MALLORY, LEVEL_DEBUG, 2 * SHARE_LINES), 0);
	assert_true(share_deadline() == NEVER);
	assert_int_equal(write_lines(MALLORY, LEVEL_INFO, SHARE_LINES + 7), SHARE_LINES);
	assert_string_equal(last, "web refused: again");
	assert_int_equal(write_lines(ALICE, LEVEL_WARN, 1000), 1000);
	assert_int_equal(write_lines(0, LEVEL_WARN, 2 * SHARE_LINES), 2 * SHARE_LINES);
	/* not a line now and then, each with word of those before */
	now += SHARE_NEXT * SHARE_LINE_EVERY - 1;
	share_tend(now);
	assert_int_equal(write_lines(MALLORY, LEVEL_WARN, 5), 0);
	assert_true(share_deadline() == now + 1);
	now = share_deadline();
	share_tend(now);
	assert_string_equal(last,
	    "ProcLaunch 12 lines about profiles of uid 1000 were left out: there are too many");
	assert_true(share_deadline() == NEVER);
	assert_int_equal(write_lines(MALLORY, LEVEL_WARN, 2 * SHARE_NEXT), SHARE_NEXT);
}

static void
however_many_do_so_each_of_their_missing_lines_is_counted(void **state)
{
	uint32_t owner;

	(void)state;
	for (owner = 2000; owner < 2020; owner++)
		assert_int_equal(write_lines(owner, LEVEL_WARN, SHARE_LINES + owner), SHARE_LINES);
	now += SHARE_NEXT * SHARE_LINE_EVERY;
	written = 0;
	share_tend(now);
	assert_int_equal(written, 20 + 1); /* Mallory's */
	share_tend(now);
	assert_int_equal(written, 20 + 1);
}

static void
whoever_makes_bad_names_without_end_is_named_and_hides_nobody_elses(void **state)
{
	char tenant[32];
	unsigned i, named;

	(void)state;
	assert_int_equal(meet_entries("alice/", 10), 10);
	named = meet_entries("mallory/", 2000);
	assert_in_range(named, 32, 128);
	assert_int_equal(meet_entries("mallory/", 1), 0);
	assert_int_equal(meet_entries("alice/", 10), 10);
	for (i = 0; i < 50; i++) {
		(void)snprintf(tenant, sizeof(tenant), "friend-%u/", i);
		(void)meet_entries(tenant, 100);
	}
	assert_int_equal(meet_entries("", 200), 200);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(whoever_writes_without_end_is_counted_and_costs_nobody_else_a_line),
	    cmocka_unit_test(however_many_do_so_each_of_their_missing_lines_is_counted),
	    cmocka_unit_test(whoever_makes_bad_names_without_end_is_named_and_hides_nobody_elses),
	};

	return cmocka_run_group_tests_name("shares of the log", tests, NULL, NULL);
}
