/*
 * The supervisor's log: one format, whatever a tenant calls something; and what a full disk does to
 * it.
 */
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "child.h"
#include "clock.h"
#include "folder.h"
#include "journal.h"
#include "log.h"
#include "stamp.h"

#define STAMP "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z "
#undef STAMP_BYTES
#define STAMP_BYTES  25 /* of the log, with the space after it */
#define CONTENTS_MAX (3 * JOURNAL_BYTES)

static struct folder *folder;
static char contents[CONTENTS_MAX];

static int
open_log(void)
{
	int file = open(
	    folder_path(folder, "log"), O_WRONLY | O_APPEND | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_int_not_equal(file, -1);
	return file;
}

static int
set_up(void **state)
{
	assert_int_equal(folder_set_up(state), 0);
	folder = *state;
	log_set_level(LEVEL_DEBUG);
	log_use(open_log(), 0);
	return 0;
}

static int
tear_down(void **state)
{
	log_flush();
	log_use(open("/dev/null", O_WRONLY | O_CLOEXEC), 0);
	return folder_tear_down(state);
}

static const char *
logged(void)
{
	int file = open(folder_path(folder, "log"), O_RDONLY | O_CLOEXEC);
	ssize_t length;

	assert_int_not_equal(file, -1);
	length = read(file, contents, sizeof(contents) - 1);
	assert_true(length >= 0);
	contents[length] = '\0';
	assert_int_equal(close(file), 0);
	return contents;
}

/* `pattern` is a constant: what is asked of thousands of lines, one after the other, is compiled
 * once, for under valgrind that takes longer than all else. */
static void
assert_matches(const char *text, const char *pattern)
{
	static const char *compiled;
	static regex_t expression;

	if (pattern != compiled) {
		if (compiled != NULL)
			regfree(&expression);
		assert_int_equal(regcomp(&expression, pattern, REG_EXTENDED | REG_NOSUB), 0);
		compiled = pattern;
	}
	if (regexec(&expression, text, 0, NULL, 0) != 0)
		fail_msg("\"%s\" is not %s", text, pattern);
}

static void
a_line_is_stamp_level_tag_and_message_with_one_space_between(void **state)
{
	(void)state;
	log_line("web", LEVEL_INFO, "running pid %d", 4242);
	log_flush();
	assert_matches(logged(), STAMP);
	assert_string_equal(contents + STAMP_BYTES, "INFO  web running pid 4242\n");
	assert_int_equal(log_deadline(), NEVER);
}

static void
levels_are_five_columns_wide(void **state)
{
	static const enum level levels[] = {LEVEL_FATAL, LEVEL_WARN, LEVEL_INFO, LEVEL_DEBUG};
	static const char *const expected[] = {"FATAL t m", "WARN  t m", "INFO  t m", "DEBUG t m"};
	char *line;
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++)
		log_line("t", levels[i], "m");
	log_flush();
	(void)logged();
	for (i = 0, line = strtok(contents, "\n"); i < 4; i++, line = strtok(NULL, "\n")) {
		assert_non_null(line);
		assert_string_equal(line + STAMP_BYTES, expected[i]);
	}
	assert_null(line);
}

static void
lines_above_the_level_are_not_written(void **state)
{
	enum level highest, level;
	char expected[64], *line;

	(void)state;
	for (highest = LEVEL_FATAL; highest <= LEVEL_DEBUG; highest++) {
		log_use(open_log(), 0);
		log_set_level(highest);
		for (level = LEVEL_FATAL; level <= LEVEL_DEBUG; level++)
			log_line("t", level, "level %u", level);
		log_flush();
		(void)logged();
		line = strtok(contents, "\n");
		for (level = LEVEL_FATAL; level <= highest; level++) {
			assert_non_null(line);
			(void)snprintf(expected, sizeof(expected), " t level %u", level);
			assert_string_equal(line + STAMP_BYTES + 5, expected);
			line = strtok(NULL, "\n");
		}
		assert_null(line);
	}
}

/* For each of the 255 bytes that a string can hold, in the tag and in the message. */
static void
a_byte_that_is_not_printable_ascii_is_written_as_a_number(void **state)
{
	char tag[2] = "", expected[32], escaped[8];
	int byte;

	(void)state;
	for (byte = 1; byte < 256; byte++) {
		log_use(open_log(), 0);
		tag[0] = (char)byte;
		log_line(tag, LEVEL_INFO, "%sx", tag);
		log_flush();
		if (byte < ' ' || byte > '~' || byte == '\\')
			(void)snprintf(escaped, sizeof(escaped), "\\x%02x", (unsigned)byte);
		else
			(void)snprintf(escaped, sizeof(escaped), "%c", byte);
		(void)snprintf(expected, sizeof(expected), "INFO  %s %sx\n", escaped, escaped);
		assert_string_equal(logged() + STAMP_BYTES, expected);
	}
}

static void
a_tenant_cannot_forge_a_line_or_steer_a_terminal(void **state)
{
	(void)state;
	log_line("web", LEVEL_WARN, "refused: pid_file names \"%s\", which is not a pid",
	    "1\n2026-11-23T03:16:00.123Z INFO  ProcLaunch exiting\r\x1b[2J\x9b");
	log_flush();
	assert_string_equal(logged() + STAMP_BYTES,
	    "WARN  web refused: pid_file names \"1\\x0a2026-11-23T03:16:00.123Z INFO  ProcLaunch "
	    "exiting\\x0d\\x1b[2J\\x9b\", which is not a pid\n");
}

static void
the_longest_message_of_bytes_that_are_escaped_is_one_whole_line(void **state)
{
	char text[3000], tag[104];
	size_t length;

	(void)state;
	memset(text, '\xff', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	memset(tag, '\x01', sizeof(tag) - 1);
	tag[sizeof(tag) - 1] = '\0';
	log_line(tag, LEVEL_INFO, "%s", text);
	log_line("after", LEVEL_INFO, "it");
	log_flush();
	length = strcspn(logged(), "\n");
	assert_string_equal(contents + length + 1 + STAMP_BYTES, "INFO  after it\n");
	/* the tag is whole, and so is the last escape of what is left of the message */
	assert_memory_equal(contents + STAMP_BYTES + 6 + 4 * 102, "\\x01 \\xff", 9);
	assert_memory_equal(contents + length - 4, "\\xff", 4);
	assert_int_equal((length - STAMP_BYTES - 6 - 1) % 4, 0);
	assert_true(length > 4000);
}

static void
without_flush_nothing_is_written_and_with_it_everything_in_order(void **state)
{
	char expected[64], *line;
	unsigned i;

	(void)state;
	for (i = 0; i < 100; i++)
		log_line("t", LEVEL_INFO, "line %u", i);
	assert_string_equal(logged(), "");
	log_flush();
	(void)logged();
	for (i = 0, line = strtok(contents, "\n"); i < 100; i++, line = strtok(NULL, "\n")) {
		assert_non_null(line);
		(void)snprintf(expected, sizeof(expected), "INFO  t line %u", i);
		assert_string_equal(line + STAMP_BYTES, expected);
	}
	assert_null(line);
}

static void
many_lines_in_one_turn_are_written_before_room_runs_out(void **state)
{
	unsigned i, lines = 0;
	const char *at;

	(void)state;
	for (i = 0; i < 10000; i++)
		log_line("t", LEVEL_INFO, "line %u", i);
	log_flush();
	for (at = logged(); (at = strchr(at, '\n')) != NULL; at++)
		lines++;
	assert_int_equal(lines, 10000);
	assert_null(strstr(contents, "lost"));
}

static void
a_new_descriptor_gets_what_the_old_one_could_not_take(void **state)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	int64_t before;

	(void)state;
	assert_int_not_equal(full, -1);
	log_use(full, 0);
	log_line("t", LEVEL_INFO, "kept");
	before = clock_now();
	log_flush();
	/* the loop tries again in a second, not at once and not never */
	assert_true(log_deadline() > before);
	assert_true(log_deadline() <= clock_now() + SECOND);
	log_use(open_log(), 0);
	assert_int_equal(fcntl(full, F_GETFD), -1);
	assert_int_equal(log_deadline(), NEVER);
	log_flush();
	assert_string_equal(logged() + STAMP_BYTES, "INFO  t kept\n");
}

static void
while_the_log_cannot_be_opened_lines_are_kept(void **state)
{
	(void)state;
	assert_int_equal(unlink(folder_path(folder, "log")), 0);
	log_line("t", LEVEL_INFO, "early");
	log_flush();
	assert_int_equal(log_wants(), LOG_REOPEN);
	assert_int_equal(log_wants(), LOG_NOTHING); /* it is asked for once */
	log_use(-1, 0);
	log_flush();
	/* nor is the parent asked without a pause */
	assert_int_equal(log_wants(), LOG_NOTHING);
	assert_true(log_deadline() <= clock_now() + SECOND);
	log_use(open_log(), 0);
	log_flush();
	assert_string_equal(logged() + STAMP_BYTES, "INFO  t early\n");
}

static void
a_log_that_is_large_enough_is_put_aside_once(void **state)
{
	(void)state;
	log_rotate_at(100);
	log_line("t", LEVEL_INFO, "one");
	log_flush();
	assert_int_equal(log_wants(), LOG_NOTHING);
	log_line("t", LEVEL_INFO, "%080d", 2);
	log_flush();
	assert_int_equal(log_wants(), LOG_ROTATE);
	assert_int_equal(log_wants(), LOG_NOTHING);
	log_line("t", LEVEL_INFO, "three"); /* meant for the next file */
	log_flush();
	assert_null(strstr(logged(), "three"));
	log_use(open_log(), 0);
	log_flush();
	assert_string_equal(logged() + STAMP_BYTES, "INFO  t three\n");
	log_rotate_at(0);
}

/* Such as those that a full disk has held back: a batch of them is not one file. */
static void
many_lines_at_once_are_divided_among_files(void **state)
{
	enum { LINES = 2000, SIZE = 4096, PIECE = 16384 };
	char expected[64];
	unsigned next = 0, files;
	const char *line;

	(void)state;
	log_rotate_at(SIZE);
	for (; next < LINES; next++)
		log_line("t", LEVEL_INFO, "line %u", next);
	for (next = files = 0; next < LINES; files++) {
		log_use(open_log(), 0);
		log_flush();
		assert_true(strlen(logged()) < SIZE + PIECE);
		for (line = contents; *line != '\0'; line = strchr(line, '\n') + 1) {
			(void)snprintf(expected, sizeof(expected), "INFO  t line %u\n", next++);
			assert_memory_equal(line + STAMP_BYTES, expected, strlen(expected));
		}
		if (next < LINES)
			assert_int_equal(log_wants(), LOG_ROTATE);
	}
	assert_true(files > 4);
	log_rotate_at(0);
}

static void
a_line_that_a_killed_monitor_left_torn_is_taken_away(void **state)
{
	static const char torn[] = "whole line\nhalf a li";
	int file = open_log();

	(void)state;
	assert_int_equal(write(file, torn, sizeof(torn) - 1), sizeof(torn) - 1);
	assert_int_equal(close(file), 0);
	file = open(folder_path(folder, "log"), O_RDWR | O_APPEND | O_CLOEXEC);
	assert_int_not_equal(file, -1);
	log_use(file, sizeof(torn) - 1);
	log_line("t", LEVEL_INFO, "next");
	log_flush();
	assert_true(strncmp(logged(), "whole line\n", 11) == 0);
	assert_string_equal(contents + 11 + STAMP_BYTES, "INFO  t next\n");
}

/* No file of ours may grow further than `bytes` from here: what a full disk looks like. */
static void
limit_disk(rlim_t bytes)
{
	struct rlimit limit;

	(void)signal(SIGXFSZ, SIG_IGN); /* EFBIG instead, as in the monitor, setrlimit(2) */
	REQUIRE(getrlimit(RLIMIT_FSIZE, &limit) == 0);
	limit.rlim_cur = bytes;
	REQUIRE(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

#define FEW 10

static void
fill_disk_in_the_middle_of_a_line(void *context)
{
	unsigned i;

	(void)context;
	limit_disk(100);
	for (i = 0; i < FEW; i++) {
		log_line("t", LEVEL_INFO, "line %u", i);
		log_flush();
	}
	REQUIRE(log_deadline() != NEVER);
	limit_disk(RLIM_INFINITY);
	log_flush();
	REQUIRE(log_deadline() == NEVER);
}

static void
a_full_disk_in_the_middle_of_a_line_costs_nothing(void **state)
{
	char expected[64], *line;
	unsigned i;

	(void)state;
	child_run(fill_disk_in_the_middle_of_a_line, NULL);
	(void)logged();
	for (i = 0, line = strtok(contents, "\n"); i < FEW; i++, line = strtok(NULL, "\n")) {
		assert_non_null(line);
		(void)snprintf(expected, sizeof(expected), "INFO  t line %u", i);
		assert_matches(line, STAMP);
		assert_string_equal(line + STAMP_BYTES, expected);
	}
	assert_null(line);
}

/* More than can be kept. */
#define MANY (JOURNAL_BYTES / 32)

static void
fill_disk_for_long(void *context)
{
	unsigned i;

	(void)context;
	limit_disk(1000);
	for (i = 0; i < MANY; i++) {
		log_line("t", LEVEL_INFO, "line %u", i);
		if (i % 100 == 0)
			log_flush();
	}
	REQUIRE(log_deadline() != NEVER);
	limit_disk(RLIM_INFINITY);
	log_flush();
	log_line("t", LEVEL_INFO, "after");
	log_flush();
	REQUIRE(log_deadline() == NEVER);
}

static void
a_disk_that_is_full_for_long_costs_lines_which_are_counted_and_confessed(void **state)
{
	unsigned next = 0, lost, number;
	bool confessed = false, after = false;
	char *line;

	(void)state;
	child_run(fill_disk_for_long, NULL);
	(void)logged();
	for (line = strtok(contents, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		assert_matches(line, STAMP);
		assert_false(after);
		if (sscanf(line + STAMP_BYTES, "INFO  t line %u", &number) == 1) {
			assert_int_equal(number, next);
			assert_false(confessed);
			next++;
		} else if (sscanf(line + STAMP_BYTES,
			       "WARN  ProcLaunch %u lines could not be written and are lost",
			       &lost) == 1) {
			assert_int_equal(next + lost, MANY);
			confessed = true;
		} else {
			assert_string_equal(line + STAMP_BYTES, "INFO  t after");
			after = true;
		}
	}
	assert_true(confessed);
	assert_true(after);
	assert_true(next > 1000); /* what was kept is worth more than the confession */
}

static void
lose_twice(void *context)
{
	unsigned round, i;

	(void)context;
	for (round = 0; round < 2; round++) {
		limit_disk(1);
		for (i = 0; i < MANY; i++)
			log_line("t", LEVEL_INFO, "round %u", round);
		limit_disk(RLIM_INFINITY);
		log_flush();
	}
}

static void
each_loss_is_confessed_where_it_happened_and_once(void **state)
{
	static const char *const order[] = {"round 0", " are lost", "round 1", " are lost"};
	unsigned at = 0, counted[4] = {0};
	char *line;

	(void)state;
	child_run(lose_twice, NULL);
	(void)logged();
	for (line = strtok(contents, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		if (strstr(line, order[at]) == NULL)
			at++;
		assert_true(at < 4);
		assert_non_null(strstr(line, order[at]));
		counted[at]++;
	}
	assert_int_equal(at, 3);
	assert_int_equal(counted[1], 1);
	assert_int_equal(counted[3], 1);
}

/* Lines of 64 bytes, of which so many fill what a full disk may make us keep. */
#define FULL (JOURNAL_BYTES / 64)
static void
log_lines_of_64_bytes(void *context)
{
	const unsigned *count = context;
	unsigned i;

	limit_disk(0);
	for (i = 0; i < *count; i++)
		log_line("t", LEVEL_INFO, "%030u", i);
	limit_disk(RLIM_INFINITY);
	log_flush();
	REQUIRE(log_deadline() == NEVER);
}

static void
not_one_line_is_lost_that_could_have_been_kept(void **state)
{
	static unsigned count = FULL;

	(void)state;
	child_run(log_lines_of_64_bytes, &count);
	assert_int_equal(strlen(logged()), JOURNAL_BYTES);
	assert_null(strstr(contents, "lost"));
}

static void
a_single_lost_line_is_confessed_too(void **state)
{
	static unsigned count = FULL + 1;

	(void)state;
	child_run(log_lines_of_64_bytes, &count);
	assert_string_equal(logged() + JOURNAL_BYTES + STAMP_BYTES,
	    "WARN  ProcLaunch 1 lines could not be written and are lost\n");
}

/* There is room again for a part of what was kept, and then for all. */
static void
find_room_in_two_steps(void *context)
{
	unsigned i;

	(void)context;
	limit_disk(0);
	for (i = 0; i < MANY; i++)
		log_line("t", LEVEL_INFO, "before");
	limit_disk(40000);
	log_line("t", LEVEL_INFO, "after");
	limit_disk(RLIM_INFINITY);
	log_flush();
}

static void
a_loss_is_confessed_before_the_next_line_that_is_kept(void **state)
{
	const char *confession, *after;

	(void)state;
	child_run(find_room_in_two_steps, NULL);
	confession = strstr(logged(), " are lost\n");
	after = strstr(contents, "INFO  t after\n");
	assert_non_null(confession);
	assert_non_null(after);
	assert_true(confession < after);
	assert_null(strstr(confession, "before"));
}

static void
log_one_brief_line(void *context)
{
	(void)context;
	log_briefly();
	log_line("we\nb", LEVEL_WARN, "refused");
	log_flush();
}

static void
a_brief_line_is_tag_and_message_and_escaped_as_well(void **state)
{
	(void)state;
	child_run(log_one_brief_line, NULL);
	assert_string_equal(logged(), "we\\x0ab refused\n");
}

/* The messages in the log, without what stands before them, each followed by a slash. */
static const char *
messages(void)
{
	static char text[4096];
	char *line, *saved = NULL;

	text[0] = '\0';
	(void)logged();
	for (line = strtok_r(contents, "\n", &saved); line != NULL;
	     line = strtok_r(NULL, "\n", &saved)) {
		assert_matches(line, STAMP "INFO  t ");
		(void)strcat(strcat(text, line + STAMP_BYTES + strlen("INFO  t ")), "/");
	}
	return text;
}

/* All that was logged is asked for. */
static void
announce(void)
{
	uint64_t place;

	assert_true(log_announce(&place));
	assert_int_equal(place, log_reached(0));
}

static void
a_line_waits_until_what_it_speaks_of_is_done(void **state)
{
	(void)state;
	log_line("t", LEVEL_INFO, "a");
	log_flush();
	log_hold();
	log_line("t", LEVEL_INFO, "b");
	log_line("t", LEVEL_INFO, "c");
	log_flush();
	announce();
	log_line("t", LEVEL_INFO, "d");
	log_flush();
	assert_true(log_owes());
	assert_string_equal(messages(), "a/");
	assert_true(log_permit(false));
	log_flush();
	assert_true(log_owes());
	assert_string_equal(messages(), "a/b/c/");
	announce();
	log_line("t", LEVEL_INFO, "e"); /* speaks of nothing that is asked */
	assert_true(log_permit(true));
	log_flush();
	announce();
	assert_false(log_permit(true));
	log_flush();
	assert_false(log_owes());
	assert_int_equal(log_deadline(), NEVER);
	log_line("t", LEVEL_INFO, "f");
	log_flush();
	assert_string_equal(messages(), "a/b/c/d/e/f/");
}

/* The room is used in a circle, while there is always something in it; no line is cut by its end.
 */
static void
go_round(void *context)
{
	uint64_t place;
	unsigned i;

	(void)context;
	log_hold();
	for (i = 0; i < 2 * MANY; i++) {
		log_line("t", LEVEL_INFO, "line %u", i);
		if (i % 1000 != 0)
			continue;
		log_flush();
		REQUIRE(log_owes());
		REQUIRE(log_permit(false)); /* those before the last announcement */
		REQUIRE(log_announce(&place));
	}
	REQUIRE(log_permit(false) && log_announce(&place) && !log_permit(true));
	log_flush();
	REQUIRE(!log_owes());
}

static void
lines_that_go_round_in_their_room_are_written_whole_and_in_order(void **state)
{
	char expected[64], *line, *saved = NULL;
	unsigned i;

	(void)state;
	child_run(go_round, NULL);
	(void)logged();
	for (i = 0, line = strtok_r(contents, "\n", &saved); i < 2 * MANY && line != NULL;
	     i++, line = strtok_r(NULL, "\n", &saved)) {
		(void)snprintf(expected, sizeof(expected), "INFO  t line %u", i);
		assert_string_equal(line + STAMP_BYTES, expected);
	}
	assert_null(line);
	assert_int_equal(i, 2 * MANY);
}

/*
 * What one monitor leaves to the next, each of them a child of the test.
 */

static int
open_journal(void)
{
	int file = open(folder_path(folder, "lines"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	REQUIRE(file != -1);
	return file;
}

static void
use_log(void)
{
	struct stat status;
	int log = open(folder_path(folder, "log"), O_RDWR | O_APPEND | O_CLOEXEC);

	REQUIRE(log != -1 && fstat(log, &status) == 0);
	log_use(log, (uint64_t)status.st_size);
}

/* Says one and two, of which the parent has heard, and dies when they are to be written. */
static void
die_before_it_writes(void *context)
{
	uint64_t *place = context;

	log_inherit(open_journal());
	use_log();
	log_hold();
	log_line("t", LEVEL_INFO, "one");
	log_line("t", LEVEL_INFO, "two");
	log_save();
	REQUIRE(log_announce(place));
	(void)!write(open(folder_path(folder, "place"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600),
	    place, sizeof(*place));
}

static bool
nothing_came_true(const char *tag, uint64_t place)
{
	(void)tag;
	(void)place;
	return false;
}

static void
take_over(void *context)
{
	const uint64_t *confirmed = context;

	log_inherit(open_journal());
	if (*confirmed != 0)
		log_confirm(*confirmed);
	log_line("t", LEVEL_INFO, "next");
	log_save(); /* the log may be handed over in a later turn */
	use_log();
	log_flush();
	log_decide(nothing_came_true);
	REQUIRE(log_decided());
	log_flush();
	REQUIRE(!log_owes());
	log_save();
}

/* The place up to which the parent has done what it was asked for. */
static uint64_t
die_once(void)
{
	static uint64_t place;
	int file;

	(void)unlink(folder_path(folder, "lines"));
	child_run(die_before_it_writes, &place);
	file = open(folder_path(folder, "place"), O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(file, &place, sizeof(place)), sizeof(place));
	assert_int_equal(close(file), 0);
	return place;
}

static int
set_up_successor(void **state)
{
	assert_int_equal(folder_set_up(state), 0);
	folder = *state;
	log_set_level(LEVEL_DEBUG);
	assert_int_equal(close(open_log()), 0);
	return 0;
}

/* "one" and "two" as they are in the journal, behind its head. */
static void
append_to_log(size_t length)
{
	int journal = open_journal(), log;
	char bytes[128];

	assert_int_equal(pread(journal, bytes, length, JOURNAL_HEAD_BYTES), length);
	assert_int_equal(close(journal), 0);
	log = open(folder_path(folder, "log"), O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_equal(write(log, bytes, length), length);
	assert_int_equal(close(log), 0);
}

/* They run first, before this process has opened a log. */
static void
a_monitor_writes_what_the_one_before_did_not_come_to(void **state)
{
	/* a line has 37 bytes with its newline */
	static const size_t written[] = {0, 1, 36, 37, 38, 73, 74};
	uint64_t place;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(written) / sizeof(written[0]); i++) {
		assert_int_equal(close(open_log()), 0);
		place = die_once();
		append_to_log(written[i]);
		child_run(take_over, &place);
		assert_string_equal(messages(), "one/two/next/");
		/* and the third one finds nothing to be written again */
		child_run(take_over, &place);
		assert_string_equal(messages(), "one/two/next/next/");
	}
}

/* Says one, which waits for the parent, and when that has answered two, which waits for nobody. */
static void
die_when_it_has_written(void *context)
{
	uint64_t place;

	(void)context;
	log_inherit(open_journal());
	use_log();
	log_hold();
	log_line("t", LEVEL_INFO, "one");
	log_save();
	REQUIRE(log_announce(&place) && !log_permit(true));
	log_line("t", LEVEL_INFO, "two");
	log_flush();
}

/* Of hundreds that were stopped some had said "stopping" twice. */
static void
what_was_written_together_with_what_waited_is_not_written_again(void **state)
{
	uint64_t all = UINT64_MAX;

	(void)state;
	child_run(die_when_it_has_written, NULL);
	child_run(take_over, &all);
	assert_string_equal(messages(), "one/two/next/");
}

/* The log was put aside, or deleted, since. */
static void
what_waits_is_written_into_another_log_than_it_was_for(void **state)
{
	uint64_t place = die_once();

	(void)state;
	assert_int_equal(renameat(folder->descriptor, "log", folder->descriptor, "old"), 0);
	assert_int_equal(close(open_log()), 0);
	child_run(take_over, &place);
	assert_string_equal(messages(), "one/two/next/");
}

/* The parent has not heard of it, and nothing of it has happened. */
static void
what_the_one_before_did_not_come_to_ask_for_is_not_written(void **state)
{
	uint64_t nothing = 0;

	(void)state;
	(void)die_once();
	child_run(take_over, &nothing);
	assert_string_equal(messages(), "next/");
	child_run(take_over, &nothing);
	assert_string_equal(messages(), "next/next/");
}

static void
die_with_lines_of_several(void *context)
{
	(void)context;
	log_inherit(open_journal());
	use_log();
	log_hold();
	log_line("a", LEVEL_INFO, "one");
	log_line("b", LEVEL_INFO, "two");
	log_line(TAG_PROCLAUNCH, LEVEL_INFO, "three");
	log_line("alice/web", LEVEL_INFO, "four");
	log_line("a", LEVEL_INFO, "five");
	log_save();
}

static uint64_t first_place;

/* Of a's lines the first one, and alice's. */
static bool
some_came_true(const char *tag, uint64_t place)
{
	if (strcmp(tag, "a") == 0 && first_place == 0)
		first_place = place;
	return (strcmp(tag, "a") == 0 && place == first_place) || strcmp(tag, "alice/web") == 0;
}

static long long
look_at_size_of_log(void)
{
	struct stat status;

	REQUIRE(stat(folder_path(folder, "log"), &status) == 0);
	return status.st_size;
}

static void
decide_between_them(void *context)
{
	const bool *dies = context;

	log_inherit(open_journal());
	REQUIRE(!log_decided() && log_reached(7) == 7);
	use_log();
	log_line("n", LEVEL_INFO, "next");
	log_flush(); /* nothing yet */
	REQUIRE(look_at_size_of_log() == 0);
	log_decide(some_came_true);
	REQUIRE(log_decided() && log_reached(7) > first_place);
	log_save();
	if (*dies)
		return;
	log_flush();
	REQUIRE(!log_owes());
}

static void
assert_some_are_logged(void)
{
	static const char *const expected[] = {"a one", "alice/web four", "n next"};
	char *line, *saved = NULL;
	size_t i;

	(void)logged();
	for (i = 0, line = strtok_r(contents, "\n", &saved); i < 3;
	     i++, line = strtok_r(NULL, "\n", &saved)) {
		assert_non_null(line);
		assert_string_equal(line + STAMP_BYTES + 6, expected[i]);
	}
	assert_null(line);
}

static void
of_what_the_one_before_asked_for_in_part_that_part_is_written(void **state)
{
	bool dies = false;

	(void)state;
	child_run(die_with_lines_of_several, NULL);
	child_run(decide_between_them, &dies);
	assert_some_are_logged();
}

static void
take_over_after_an_upgrade(void *context)
{
	(void)context;
	log_inherit(open_journal());
	use_log();
	log_upgraded();
	log_decide(nothing_came_true);
	log_flush();
}

/* The parent has forgotten it, so that it was lost: the line that a first upgrade wrote, when a
 * second one came before the monitor knew that it had been heard. */
static void
what_the_one_before_was_told_by_the_parent_is_written_after_an_upgrade(void **state)
{
	(void)state;
	child_run(die_with_lines_of_several, NULL);
	child_run(take_over_after_an_upgrade, NULL);
	(void)logged();
	assert_string_equal(contents + STAMP_BYTES + 6, TAG_PROCLAUNCH " three\n");
}

static void
finish(void *context)
{
	(void)context;
	log_inherit(open_journal());
	use_log();
	log_decide(nothing_came_true); /* but for what had been decided already */
	log_line("n", LEVEL_INFO, "next");
	log_flush();
}

/* The second one may have asked for something since: it must not decide for the first one's. */
static void
what_was_decided_is_not_decided_again(void **state)
{
	bool dies = true;

	(void)state;
	child_run(die_with_lines_of_several, NULL);
	child_run(decide_between_them, &dies);
	child_run(finish, NULL);
	assert_some_are_logged();
}

static void
decide_and_write(void *context)
{
	(void)context;
	log_inherit(open_journal());
	use_log();
	log_line("n", LEVEL_INFO, "next");
	log_decide(some_came_true);
	log_flush();
	REQUIRE(!log_owes());
}

static void
find_nothing_to_write(void *context)
{
	(void)context;
	log_inherit(open_journal());
	use_log();
	log_decide(some_came_true);
	log_flush();
}

/* It dies as soon as it has written them: what it had decided was put into the journal before. */
static void
what_was_decided_and_written_is_not_written_again(void **state)
{
	(void)state;
	child_run(die_with_lines_of_several, NULL);
	child_run(decide_and_write, NULL);
	child_run(find_nothing_to_write, NULL);
	assert_some_are_logged();
}

/* More than half of the room, so that it goes round in it. */
static void
die_on_a_full_disk(void *context)
{
	const unsigned *from = context;
	uint64_t place;
	unsigned i;

	log_inherit(open_journal());
	log_confirm(UINT64_MAX);
	log_use(open("/dev/full", O_WRONLY | O_CLOEXEC), 0);
	for (i = *from; i < *from + 10000; i++) {
		log_hold();
		log_line("t", LEVEL_INFO, "%030u", i);
		log_save();
		REQUIRE(log_announce(&place) && !log_permit(true));
		log_flush();
	}
	log_save();
}

static void
find_room(void *context)
{
	(void)context;
	log_inherit(open_journal());
	use_log();
	log_flush();
	REQUIRE(!log_owes());
}

static void
no_line_that_waits_for_room_dies_with_its_monitor(void **state)
{
	char *line, *saved = NULL;
	unsigned i, from;

	(void)state;
	for (from = 0; from < 30000; from += 10000)
		child_run(die_on_a_full_disk, &from);
	child_run(find_room, NULL);
	(void)logged();
	for (i = 0, line = strtok_r(contents, "\n", &saved); line != NULL;
	     i++, line = strtok_r(NULL, "\n", &saved))
		assert_int_equal(strtoul(line + STAMP_BYTES + strlen("INFO  t "), NULL, 10), i);
	assert_int_equal(i, 30000);
}

/* What the file of the journal says, after its magic number. */
static void
forge(const struct journal *head, const char *lines, size_t length)
{
	int file = open_journal();

	assert_int_equal(pwrite(file, head, sizeof(*head), 8), sizeof(*head));
	assert_int_equal(
	    pwrite(file, lines, length, JOURNAL_HEAD_BYTES + (off_t)(head->first % JOURNAL_BYTES)),
	    length);
	assert_int_equal(close(file), 0);
}

static bool no_room;

ssize_t
pwrite(int file, const void *bytes, size_t length, off_t at)
{
	if (!no_room)
		return syscall(SYS_pwrite64, file, bytes, length, at);
	errno = ENOSPC;
	return -1;
}

/* As where a file system writes nothing in the place where it stands. */
static void
write_what_cannot_be_noted(void *context)
{
	uint64_t place;

	(void)context;
	log_inherit(open_journal());
	use_log();
	log_hold();
	log_line("t", LEVEL_INFO, "one");
	log_save();
	no_room = true;
	log_line("t", LEVEL_INFO, "two");
	log_save();
	REQUIRE(log_announce(&place) && !log_permit(true));
	log_flush();
	REQUIRE(!log_owes());
	log_save();
	no_room = false;
	log_save(); /* though nothing has happened since */
}

static void
that_lines_were_written_is_noted_as_soon_as_there_is_room(void **state)
{
	uint64_t confirmed = UINT64_MAX;

	(void)state;
	child_run(write_what_cannot_be_noted, NULL);
	child_run(take_over, &confirmed);
	assert_string_equal(messages(), "one/two/next/");
}

/* By an attacker who owned the last monitor: what no monitor writes is not taken over, and none of
 * it harms the next. */
static void
a_forged_journal_is_not_taken_over(void **state)
{
	static const char *const forged[] = {
	    "no newline", "one\n\x1b[2J\n", "one\x7f\n", "\xe4\n", "one\r\n", "t", "\t\n"};
	static const struct journal heads[] = {
	    {.first = 1, .permitted = 0, .end = 2},
	    {.first = 0, .permitted = 3, .end = 2},
	    {.first = 0, .permitted = 0, .end = JOURNAL_BYTES + 1},
	    {.first = UINT64_MAX - 8, .permitted = UINT64_MAX - 8, .end = UINT64_MAX},
	};
	uint64_t confirmed = UINT64_MAX;
	struct journal head;
	struct stat status;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(forged) / sizeof(forged[0]); i++) {
		(void)die_once();
		assert_int_equal(close(open_log()), 0);
		head = (struct journal){.end = strlen(forged[i])};
		forge(&head, forged[i], strlen(forged[i]));
		child_run(take_over, &confirmed);
		assert_string_equal(messages(), "next/");
	}
	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		(void)die_once();
		assert_int_equal(close(open_log()), 0);
		forge(&heads[i], "\n", 1);
		assert_int_equal(truncate(folder_path(folder, "lines"), 1LL << 40), 0);
		child_run(take_over, &confirmed);
		assert_string_equal(messages(), "next/");
		assert_int_equal(stat(folder_path(folder, "lines"), &status), 0);
		assert_int_equal(status.st_size, JOURNAL_HEAD_BYTES + JOURNAL_BYTES);
	}
}

/* As after a loss of power: no line is begun that does not end. */
static void
a_torn_journal_is_not_taken_over(void **state)
{
	uint64_t place;
	off_t length;

	(void)state;
	for (length = 0; length < 74; length++) {
		place = die_once();
		assert_int_equal(close(open_log()), 0);
		assert_int_equal(
		    truncate(folder_path(folder, "lines"), JOURNAL_HEAD_BYTES + length), 0);
		child_run(take_over, &place);
		assert_string_equal(messages(), length == 37 ? "one/next/" : "next/");
	}
}

/* Of lines that are none nothing came true; they may be cut by the end of the room. */
static void
what_is_no_line_is_not_written_unless_it_is_confirmed(void **state)
{
	static const char *const forged[] = {"\n", "x\n", "2026-11-23T03:16:00.123Z INFO  \n",
	    "2026-11-23T03:16:00.123Z INFO  t\n", "\n\n\n"};
	uint64_t nothing = 0;
	struct journal head;
	size_t i;

	(void)state;
	for (i = 0; i < 2 * sizeof(forged) / sizeof(forged[0]); i++) {
		(void)die_once();
		assert_int_equal(close(open_log()), 0);
		head.first = head.permitted = i % 2 == 0 ? 0 : JOURNAL_BYTES - 1;
		head.end = head.first + strlen(forged[i / 2]);
		head.log_inode = head.log_size = 0;
		forge(&head, forged[i / 2], strlen(forged[i / 2]));
		child_run(take_over, &nothing);
		assert_string_equal(messages(), "next/");
	}
}

static void
timestamps_are_right_on_days_that_calendars_get_wrong(void **state)
{
	static const struct {
		int64_t wall_ms;
		const char *expected;
	} dates[] = {
	    {0, "1970-01-01T00:00:00.000Z"},
	    {1, "1970-01-01T00:00:00.001Z"},
	    {999, "1970-01-01T00:00:00.999Z"},
	    {1000, "1970-01-01T00:00:01.000Z"},
	    {86399999, "1970-01-01T23:59:59.999Z"},
	    {86400000, "1970-01-02T00:00:00.000Z"},
	    {68169600000, "1972-02-29T00:00:00.000Z"},
	    {951782400000, "2000-02-29T00:00:00.000Z"},
	    {951868799999, "2000-02-29T23:59:59.999Z"},
	    {951868800000, "2000-03-01T00:00:00.000Z"},
	    {978307199999, "2000-12-31T23:59:59.999Z"},
	    {1709164800000, "2024-02-29T00:00:00.000Z"},
	    {1740787200000, "2025-03-01T00:00:00.000Z"},
	    {2147483647000, "2038-01-19T03:14:07.000Z"},
	    {2147483648000, "2038-01-19T03:14:08.000Z"},
	    {4107542399000, "2100-02-28T23:59:59.000Z"},
	    {4107542400000, "2100-03-01T00:00:00.000Z"},
	    {13574563200000, "2400-02-29T00:00:00.000Z"},
	    {253402300799999, "9999-12-31T23:59:59.999Z"},
	    {-1, "1970-01-01T00:00:00.000Z"},
	    {INT64_MIN, "1970-01-01T00:00:00.000Z"},
	};
	char text[STAMP_MILLISECONDS_BYTES + 1];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
		memset(text, 'x', sizeof(text));
		stamp_milliseconds(dates[i].wall_ms, text);
		assert_int_equal(text[STAMP_MILLISECONDS_BYTES], 'x');
		assert_string_equal(text, dates[i].expected);
	}
}

/* The C library as a second opinion, for a moment in each day until the year 2200. */
static void
timestamps_agree_with_gmtime_on_every_day(void **state)
{
	char text[STAMP_MILLISECONDS_BYTES], expected[STAMP_MILLISECONDS_BYTES];
	struct tm date;
	time_t seconds;

	(void)state;
	for (seconds = 0; seconds < 230LL * 365 * 86400; seconds += 86399) {
		stamp_milliseconds(seconds * 1000 + 7, text);
		assert_non_null(gmtime_r(&seconds, &date));
		assert_int_equal(
		    strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S.007Z", &date), 24);
		assert_string_equal(text, expected);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define SUCCESSOR_TEST(name) \
	cmocka_unit_test_setup_teardown(name, set_up_successor, folder_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    SUCCESSOR_TEST(a_monitor_writes_what_the_one_before_did_not_come_to),
	    SUCCESSOR_TEST(what_was_written_together_with_what_waited_is_not_written_again),
	    SUCCESSOR_TEST(what_waits_is_written_into_another_log_than_it_was_for),
	    SUCCESSOR_TEST(what_the_one_before_did_not_come_to_ask_for_is_not_written),
	    SUCCESSOR_TEST(of_what_the_one_before_asked_for_in_part_that_part_is_written),
	    SUCCESSOR_TEST(what_the_one_before_was_told_by_the_parent_is_written_after_an_upgrade),
	    SUCCESSOR_TEST(what_was_decided_is_not_decided_again),
	    SUCCESSOR_TEST(what_was_decided_and_written_is_not_written_again),
	    SUCCESSOR_TEST(no_line_that_waits_for_room_dies_with_its_monitor),
	    SUCCESSOR_TEST(that_lines_were_written_is_noted_as_soon_as_there_is_room),
	    SUCCESSOR_TEST(a_forged_journal_is_not_taken_over),
	    SUCCESSOR_TEST(a_torn_journal_is_not_taken_over),
	    SUCCESSOR_TEST(what_is_no_line_is_not_written_unless_it_is_confirmed),
	    TEST(a_line_is_stamp_level_tag_and_message_with_one_space_between),
	    TEST(levels_are_five_columns_wide),
	    TEST(lines_above_the_level_are_not_written),
	    TEST(a_byte_that_is_not_printable_ascii_is_written_as_a_number),
	    TEST(a_tenant_cannot_forge_a_line_or_steer_a_terminal),
	    TEST(the_longest_message_of_bytes_that_are_escaped_is_one_whole_line),
	    TEST(without_flush_nothing_is_written_and_with_it_everything_in_order),
	    TEST(many_lines_in_one_turn_are_written_before_room_runs_out),
	    TEST(a_new_descriptor_gets_what_the_old_one_could_not_take),
	    TEST(while_the_log_cannot_be_opened_lines_are_kept),
	    TEST(a_log_that_is_large_enough_is_put_aside_once),
	    TEST(many_lines_at_once_are_divided_among_files),
	    TEST(a_line_that_a_killed_monitor_left_torn_is_taken_away),
	    TEST(a_full_disk_in_the_middle_of_a_line_costs_nothing),
	    TEST(a_disk_that_is_full_for_long_costs_lines_which_are_counted_and_confessed),
	    TEST(each_loss_is_confessed_where_it_happened_and_once),
	    TEST(not_one_line_is_lost_that_could_have_been_kept),
	    TEST(a_single_lost_line_is_confessed_too),
	    TEST(a_loss_is_confessed_before_the_next_line_that_is_kept),
	    TEST(a_brief_line_is_tag_and_message_and_escaped_as_well),
	    TEST(a_line_waits_until_what_it_speaks_of_is_done),
	    TEST(lines_that_go_round_in_their_room_are_written_whole_and_in_order),
	    cmocka_unit_test(timestamps_are_right_on_days_that_calendars_get_wrong),
	    cmocka_unit_test(timestamps_agree_with_gmtime_on_every_day),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
