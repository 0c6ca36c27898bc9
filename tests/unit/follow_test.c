/*
 * `proclaunchctl log -f` beside a file that does not only grow: an administrator empties it to make
 * room, and what a disk or a killed monitor has left of a line is cut off.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "child.h"
#include "folder.h"
#include "follow.h"
#include "show.h"

static int printed;    /* all of it */
static int grows = -1; /* a file that is written to whenever something was shown */

size_t
show_escaped(const char *text, size_t length)
{
	(void)text;
	return length; /* for a terminal, which there is none of */
}

void
show_flush(void)
{
	(void)fflush(stdout);
	if (grows != -1)
		REQUIRE(write(grows, "meanwhile\n", 10) == 10);
}

static void
append(int file, const char *text)
{
	REQUIRE(write(file, text, strlen(text)) == (ssize_t)strlen(text));
}

static void
cut(int file, off_t size)
{
	REQUIRE(ftruncate(file, size) == 0);
}

static void
assert_printed(const char *expected)
{
	char text[256];
	ssize_t length = pread(printed, text, sizeof(text) - 1, 0);

	REQUIRE(length >= 0);
	text[length] = '\0';
	REQUIRE(strcmp(text, expected) == 0);
}

/* The file is followed from its beginning. */
static int
begin(const struct folder *folder)
{
	int file = open(folder_path(folder, "log"), O_RDWR | O_CREAT | O_APPEND, 0600);

	REQUIRE(file != -1);
	printed = open(folder_path(folder, "printed"), O_RDWR | O_CREAT | O_APPEND, 0600);
	REQUIRE(printed != -1 && dup2(printed, STDOUT_FILENO) == STDOUT_FILENO);
	append(file, "10:00 one\n");
	follow_file(open(folder_path(folder, "log"), O_RDONLY), false);
	follow_begin(10, true);
	append(file, "10:01 two\n");
	follow_more();
	assert_printed("10:00 one\n10:01 two\n");
	return file;
}

static void
follow_emptied(void *context)
{
	int file = begin(context);

	cut(file, 0);
	append(file, "10:02 three\n");
	follow_more();
	assert_printed("10:00 one\n10:01 two\n10:02 three\n");
	/* it is as long as it was before anybody looks again */
	cut(file, 0);
	append(file, "10:03 fours\n10:04 five\n");
	follow_more();
	assert_printed("10:00 one\n10:01 two\n10:02 three\n10:03 fours\n10:04 five\n");
}

static void
what_comes_after_the_file_was_emptied_is_shown(void **state)
{
	child_run(follow_emptied, *state);
}

static void
follow_torn(void *context)
{
	int file = begin(context);

	append(file, "10:02 thr");
	follow_more();
	cut(file, 20);
	append(file, "10:03 three\n");
	follow_more();
	assert_printed("10:00 one\n10:01 two\n10:03 three\n");
	/* or it was whole, and is written once more */
	cut(file, 20);
	follow_more();
	append(file, "10:04 four\n");
	follow_more();
	assert_printed("10:00 one\n10:01 two\n10:03 three\n10:04 four\n");
}

static void
a_line_that_is_cut_off_again_is_not_shown_in_part(void **state)
{
	child_run(follow_torn, *state);
}

static void
show_last(void *context)
{
	const struct folder *folder = context;
	int older = open(folder_path(folder, "log.1"), O_RDWR | O_CREAT | O_APPEND, 0600);
	int file = begin(folder);

	follow_end();
	REQUIRE(older != -1);
	append(older, "09:58 first\n09:59 second\n");
	follow_file(open(folder_path(folder, "log.1"), O_RDONLY), true);
	follow_file(open(folder_path(folder, "log"), O_RDONLY), false);
	grows = file;
	cut(printed, 0);
	follow_begin(3, false);
	assert_printed("09:59 second\n10:00 one\n10:01 two\n");

	/* it was put aside just now, and is written to until the next one is opened */
	follow_end();
	grows = -1;
	cut(file, 20);
	append(file, "10:02 thr");
	follow_file(open(folder_path(folder, "log"), O_RDONLY), true);
	follow_file(open(folder_path(folder, "new"), O_RDONLY | O_CREAT, 0600), false);
	cut(printed, 0);
	follow_begin(3, false);
	assert_printed("10:00 one\n10:01 two\n");
}

static void
what_is_printed_meanwhile_is_not_shown_beyond_the_lines_that_were_asked_for(void **state)
{
	child_run(show_last, *state);
}

static void
follow_long(void *context)
{
	static char line[65536 + 64];
	int file = begin(context);
	off_t before = lseek(printed, 0, SEEK_END);

	memset(line, 'x', sizeof(line));
	append(file, "10:02 ");
	REQUIRE(write(file, line, sizeof(line)) == (ssize_t)sizeof(line));
	append(file, "\n");
	follow_more();
	REQUIRE(lseek(printed, 0, SEEK_END) == before + 6 + (off_t)sizeof(line) + 1);
}

static void
the_longest_line_is_shown(void **state)
{
	child_run(follow_long, *state);
}

static void
show_unreadable(void *context)
{
	int file = open(folder_path(context, "log"), O_WRONLY | O_CREAT, 0600);

	REQUIRE(file != -1);
	append(file, "10:00 one\n");
	follow_file(file, false);
	follow_begin(3, false);
}

/* A disk that gives nothing back is shown here by a descriptor that cannot be read. */
static void
a_log_that_cannot_be_read_is_not_taken_for_one_without_lines(void **state)
{
	char said[256];

	assert_int_equal(child_status(show_unreadable, *state, said, sizeof(said)), 1);
	assert_string_equal(said, "proclaunch: cannot read the log: Bad file descriptor\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		what_comes_after_the_file_was_emptied_is_shown, folder_set_up, folder_tear_down),
	    cmocka_unit_test_setup_teardown(
		a_line_that_is_cut_off_again_is_not_shown_in_part, folder_set_up, folder_tear_down),
	    cmocka_unit_test_setup_teardown(
		what_is_printed_meanwhile_is_not_shown_beyond_the_lines_that_were_asked_for,
		folder_set_up, folder_tear_down),
	    cmocka_unit_test_setup_teardown(
		the_longest_line_is_shown, folder_set_up, folder_tear_down),
	    cmocka_unit_test_setup_teardown(
		a_log_that_cannot_be_read_is_not_taken_for_one_without_lines, folder_set_up,
		folder_tear_down),
	};

	return cmocka_run_group_tests_name("follow", tests, NULL, NULL);
}
