/*
 * Of what stands in a FIFO, which lines are written, and how. The pieces of the program and of this
 * test go through a FIFO as they do in the monitor.
 */
#include <sys/types.h>

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "descriptors.h"
#include "fifo.h"
#include "piece.h"
#include "stamp.h"

static int ends[2];

/* The numbers that the monitor has for its own are taken by nothing else. */
static int
make_fifo(void **state)
{
	int made[2], nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)state;
	if (nothing == -1 || pipe2(made, O_CLOEXEC | O_NONBLOCK) == -1)
		return -1;
	ends[0] = fcntl(made[0], F_DUPFD_CLOEXEC, 16);
	ends[1] = fcntl(made[1], F_DUPFD_CLOEXEC, 16);
	if (ends[0] == -1 || ends[1] == -1 || close(made[0]) == -1 || close(made[1]) == -1)
		return -1;
	if (nothing != FD_NULL && (dup2(nothing, FD_NULL) == -1 || close(nothing) == -1))
		return -1;
	fifo_prepare();
	return fifo_resize(ends[0], 1024 * 1024) ? 0 : -1;
}

/* What is in the piece now has so many bytes; the FIFO is empty again. */
static size_t
look_at(const char *text, size_t length)
{
	ssize_t shown;

	assert_int_equal(write(ends[1], text, length), length);
	shown = piece_look(ends[0]);
	assert_int_equal(fifo_consume(ends[0], length), length);
	return (size_t)shown;
}

static size_t
look_at_words(const char *text)
{
	return look_at(text, strlen(text));
}

/* Lines of so many bytes, each with its newline; ended by 0. The caller frees them. */
static char *
lines_of(const size_t *lengths, size_t *length)
{
	char *text = malloc(1024 * 1024);
	unsigned i;

	assert_non_null(text);
	memset(text, 'x', 1024 * 1024);
	*length = 0;
	for (i = 0; lengths[i] > 0; i++) {
		*length += lengths[i];
		text[*length - 1] = '\n';
	}
	return text;
}

static void
only_whole_lines_are_taken(void **state)
{
	(void)state;
	assert_int_equal(piece_whole_lines(look_at_words("one\ntwo\nthr")), 8);
	assert_int_equal(piece_whole_lines(look_at_words("one\n")), 4);
	assert_int_equal(piece_whole_lines(look_at_words("\n")), 1);
	assert_int_equal(piece_whole_lines(look_at_words("one")), 0);
	assert_int_equal(piece_whole_lines(0), 0);
}

/* The longest line that is allowed has LINE_MAX_BYTES and a newline. */
static void
no_line_is_taken_that_is_too_long_nor_what_comes_behind_it(void **state)
{
	static const struct {
		size_t lines[8], taken;
	} cases[] = {
	    {{LINE_MAX_BYTES + 1}, LINE_MAX_BYTES + 1},
	    {{LINE_MAX_BYTES + 2}, 0},
	    {{LINE_MAX_BYTES + 2, 5}, 0},
	    {{5, LINE_MAX_BYTES + 1, 7}, LINE_MAX_BYTES + 13},
	    {{5, 6, LINE_MAX_BYTES + 2, 7}, 11},
	    {{LINE_MAX_BYTES + 1, 1, LINE_MAX_BYTES + 2}, LINE_MAX_BYTES + 2},
	    {{LINE_MAX_BYTES + 1, LINE_MAX_BYTES + 1, LINE_MAX_BYTES + 1},
		3 * (LINE_MAX_BYTES + 1)},
	};
	size_t length, i;
	char *text;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		text = lines_of(cases[i].lines, &length);
		assert_int_equal(piece_whole_lines(look_at(text, length)), cases[i].taken);
		free(text);
	}
}

static void
lines_are_counted_and_the_last_need_not_be_finished(void **state)
{
	size_t length = look_at_words("a\n\nccc\ndd");

	(void)state;
	assert_int_equal(piece_first_lines(length, 0), 0);
	assert_int_equal(piece_first_lines(length, 1), 2);
	assert_int_equal(piece_first_lines(length, 3), 7);
	assert_int_equal(piece_first_lines(length, 4), 9);
	assert_int_equal(piece_first_lines(length, 5), 9);
	assert_int_equal(piece_count_lines(length, 9), 4);
	assert_int_equal(piece_count_lines(length, 2), 2);
	assert_int_equal(piece_count_lines(7, 9), 3);
	assert_int_equal(piece_count_lines(0, 9), 0);
}

static void
no_more_lines_are_taken_than_find_room(void **state)
{
	size_t length = look_at_words("a\nbb\nccc");

	(void)state;
	assert_int_equal(piece_fitting_lines(length, true, 1), 0);
	assert_int_equal(piece_fitting_lines(length, true, 2), 2);
	assert_int_equal(piece_fitting_lines(length, true, 5), 5);
	/* what is put behind an unfinished line needs room too */
	assert_int_equal(piece_fitting_lines(length, true, 8), 5);
	assert_int_equal(piece_fitting_lines(length, true, 8 + sizeof(SPLIT_MARK)), 8);
	assert_int_equal(piece_fitting_lines(length, false, STAMP_BYTES + 1), 0);
	assert_int_equal(piece_fitting_lines(length, false, STAMP_BYTES + 2), 2);
	assert_int_equal(piece_fitting_lines(length, false, 2 * STAMP_BYTES + 5), 5);
}

static void
lines_are_written_as_they_are_or_each_with_its_stamp(void **state)
{
	size_t length = look_at_words("a\nbb");
	struct text text;

	(void)state;
	text = piece_format(&length, SPLIT_MARK, true, 0);
	assert_int_equal(text.length, 6);
	assert_memory_equal(text.bytes, "a\nbb\\\n", 6);
	length = look_at_words("a\nbb");
	text = piece_format(&length, "\n", false, 12345);
	assert_int_equal(length, 4);
	assert_int_equal(text.length, 2 * STAMP_BYTES + 5);
	assert_memory_equal(text.bytes + STAMP_BYTES, "a\n", 2);
	assert_memory_equal(text.bytes + 2 * STAMP_BYTES + 2, "bb\n", 3);
	assert_memory_equal(text.bytes, text.bytes + STAMP_BYTES + 2, STAMP_BYTES);
}

/* With their stamps they need more room than there is: what was taken, and no more, is there. */
static void
of_many_short_lines_as_many_are_written_as_find_room(void **state)
{
	char *text = malloc(LOOK_BYTES);
	size_t length, taken;
	struct text written;

	(void)state;
	assert_non_null(text);
	memset(text, '\n', LOOK_BYTES);
	length = taken = look_at(text, LOOK_BYTES);
	assert_int_equal(length, LOOK_BYTES);
	written = piece_format(&taken, "", false, 4095); /* where the least room is left */
	assert_true(taken > 0 && taken < length);
	assert_int_equal(written.length, taken * (STAMP_BYTES + 1));
	free(text);
}

/* However many they were, and wherever the lines stand. */
static void
what_was_dropped_is_confessed_in_front(void **state)
{
	static const char most[] = "-- 18446744073709551615 bytes were dropped here --\n";
	size_t length = look_at_words("a\n"), i;
	struct text text;

	(void)state;
	for (i = 0; i < 2; i++) {
		text = piece_confess(piece_format(&length, "", i == 0, 0), UINT64_MAX);
		assert_true(text.length <= NOTICE_BYTES + STAMP_BYTES + 2);
		assert_memory_equal(text.bytes + STAMP_BYTES, most, sizeof(most) - 1);
		assert_memory_equal(text.bytes + text.length - 2, "a\n", 2);
	}
	length = 0;
	text = piece_confess(piece_format(&length, "", true, 0), 7);
	assert_int_equal(text.bytes[text.length - 1], '\n');
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_whole_lines_are_taken),
	    cmocka_unit_test(no_line_is_taken_that_is_too_long_nor_what_comes_behind_it),
	    cmocka_unit_test(lines_are_counted_and_the_last_need_not_be_finished),
	    cmocka_unit_test(no_more_lines_are_taken_than_find_room),
	    cmocka_unit_test(lines_are_written_as_they_are_or_each_with_its_stamp),
	    cmocka_unit_test(of_many_short_lines_as_many_are_written_as_find_room),
	    cmocka_unit_test(what_was_dropped_is_confessed_in_front),
	};

	return cmocka_run_group_tests_name("piece", tests, make_fifo, NULL);
}
