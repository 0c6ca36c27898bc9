#include <stdio.h>
#include <string.h>
#include <time.h>

#include "fifo.h"
#include "piece.h"
#include "stamp.h"

#define OUT_BYTES  (2 * LOOK_BYTES)
#define PAGE_BYTES 4096

/*
 * Where bytes lie in their pages decides how long the kernel copies them: AMD's processors copy ten
 * times as slowly when the last twelve bits of the address are up to 63 more than those of the one
 * that is copied from. Who prints without a pause fills whole pages, so that what comes first in
 * his FIFO stands close to a page's end, as does the end of his file: what is read comes to stand
 * half a page from both, and what is stamped as it will stand in the file. All have room for a
 * notice in front.
 */
static char in_room[PAGE_BYTES / 2 + LOOK_BYTES + sizeof(SPLIT_MARK)]
    __attribute__((aligned(PAGE_BYTES)));
static char out_room[2 * PAGE_BYTES + OUT_BYTES] __attribute__((aligned(PAGE_BYTES)));
static char *const in = in_room + PAGE_BYTES / 2;
_Static_assert(NOTICE_BYTES <= PAGE_BYTES / 2, "a notice has room");

ssize_t
piece_look(int fifo)
{
	return fifo_peek(fifo, in);
}

/* Where the line that begins at `start` ends, or the piece does. */
static size_t
end_of_line(size_t start, size_t length)
{
	const char *newline = memchr(in + start, '\n', length - start);

	return newline == NULL ? length : (size_t)(newline - in) + 1;
}

size_t
piece_whole_lines(size_t length)
{
	size_t start = 0, reach;
	const char *newline;

	for (;;) {
		/* of all lines that end within reach none is longer */
		reach = length - start > LINE_MAX_BYTES ? LINE_MAX_BYTES + 1 : length - start;
		newline = memrchr(in + start, '\n', reach);
		if (newline == NULL)
			return start;
		start = (size_t)(newline - in) + 1;
	}
}

size_t
piece_first_lines(size_t length, uint32_t lines)
{
	size_t end = 0;

	for (; lines > 0 && end < length; lines--)
		end = end_of_line(end, length);
	return end;
}

uint32_t
piece_count_lines(size_t length, uint32_t most)
{
	uint32_t lines = 0;
	size_t end = 0;

	for (; lines < most && end < length; lines++)
		end = end_of_line(end, length);
	return lines;
}

size_t
piece_fitting_lines(size_t length, bool raw, uint64_t room)
{
	size_t end = 0, next;
	uint64_t bytes = 0;

	for (; end < length; end = next) {
		next = end_of_line(end, length);
		bytes += next - end + (raw ? 0 : STAMP_BYTES);
		if (in[next - 1] != '\n')
			bytes += sizeof(SPLIT_MARK);
		if (bytes > room)
			break;
	}
	return end;
}

static void
stamp_now(char *stamp)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now); /* for people to read: it may jump */
	stamp_microseconds(now.tv_sec * 1000000LL + now.tv_nsec / 1000, stamp);
}

struct text
piece_format(size_t *length, const char *behind, bool raw, uint64_t size)
{
	struct text text = {.bytes = in, .length = *length};
	char stamp[STAMP_BYTES + 1];

	if (!raw) {
		text.bytes = out_room + PAGE_BYTES + size % PAGE_BYTES;
		stamp_now(stamp);
		*length = stamp_lines(
		    in, *length, stamp, text.bytes, OUT_BYTES - sizeof(SPLIT_MARK), &text.length);
	}
	/* what it overwrites in the piece still stands in the FIFO */
	memcpy(text.bytes + text.length, behind, strlen(behind));
	text.length += strlen(behind);
	return text;
}

struct text
piece_confess(struct text text, uint64_t dropped)
{
	char notice[NOTICE_BYTES];
	size_t length;

	stamp_now(notice);
	length = STAMP_BYTES +
	    (size_t)snprintf(notice + STAMP_BYTES, sizeof(notice) - STAMP_BYTES,
		"-- %llu bytes were dropped here --\n", (unsigned long long)dropped);
	memcpy(text.bytes - length, notice, length);
	return (struct text){.bytes = text.bytes - length, .length = text.length + length};
}
