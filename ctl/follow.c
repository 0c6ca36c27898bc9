#include <sys/stat.h>

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "follow.h"
#include "report.h"
#include "show.h"

/* Longer than any line. */
#define BLOCK_BYTES 131072
#define HEAD_BYTES  64
/* All that a file holds, and what is written to it meanwhile. */
#define TO_THE_END INT64_MAX

static int older = -1, current = -1;
static off_t shown;	      /* of `current`: so much is printed */
static char head[HEAD_BYTES]; /* ... how that begins */
static size_t head_length;
static bool begun;

static bool
same_file(int one, int other)
{
	struct stat first, second;

	return fstat(one, &first) == 0 && fstat(other, &second) == 0 &&
	    first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

/* Returns how much it has printed: not a character that is not there as a whole. */
static size_t
print(const char *text, size_t length)
{
	if (isatty(STDOUT_FILENO) == 1)
		return show_escaped(text, length);
	if (fwrite(text, 1, length, stdout) != length)
		fatal("standard output");
	return length;
}

/* Reads at `offset`. What a disk cannot give back must not look like a log without lines. */
static ssize_t
look(int file, char *bytes, size_t size, off_t offset)
{
	ssize_t length = pread(file, bytes, size, offset);

	if (length == -1)
		fatal("cannot read the log");
	return length;
}

/* From `from` to `end`, or to that of the last line that is finished; returns where that is. */
static off_t
print_rest(int file, off_t from, off_t end, bool finished)
{
	static char block[BLOCK_BYTES];
	const char *newline;
	ssize_t length;
	size_t printed = 1;

	while (printed > 0 && from < end &&
	    (length = look(file, block,
		 end - from < BLOCK_BYTES ? (size_t)(end - from) : sizeof(block), from)) > 0) {
		newline = finished ? memrchr(block, '\n', (size_t)length) : NULL;
		if (newline != NULL)
			length = newline - block + 1;
		else if (finished && length < BLOCK_BYTES)
			break;
		printed = print(block, (size_t)length);
		from += (off_t)printed;
	}
	show_flush();
	return from;
}

static void
remember_head(void)
{
	ssize_t length = look(current, head, shown < HEAD_BYTES ? (size_t)shown : HEAD_BYTES, 0);

	head_length = (size_t)length;
}

/* An administrator may have emptied the file to make room, whereupon it begins otherwise. Or lines
 * were cut off of which a full disk had room for a part only: they are written again. */
static void
look_whether_cut(void)
{
	char begins[HEAD_BYTES];
	off_t size = lseek(current, 0, SEEK_END);
	ssize_t length = look(current, begins, head_length, 0);

	if (memcmp(begins, head, (size_t)length) != 0)
		shown = 0;
	else if (size < shown)
		shown = size;
}

static void
print_current(off_t end, bool finished)
{
	if (current == -1)
		return;
	look_whether_cut();
	shown = print_rest(current, shown, end, finished);
	remember_head();
}

/* Where the last line ends that is finished: another one may be under way. */
static off_t
end_of_lines(int file)
{
	static char block[BLOCK_BYTES];
	off_t end = lseek(file, 0, SEEK_END), from = end > BLOCK_BYTES ? end - BLOCK_BYTES : 0;
	ssize_t length = look(file, block, sizeof(block), from);
	const char *newline = length > 0 ? memrchr(block, '\n', (size_t)length) : NULL;

	return newline != NULL ? from + (newline - block) + 1 : end;
}

/* Where the last *lines lines of so many bytes of the file begin; *lines becomes how many it lacks.
 */
static off_t
start_of_last(int file, off_t size, long *lines)
{
	static char block[BLOCK_BYTES];
	off_t end, from;
	ssize_t length, i;

	/* the newline at the very end finishes the last line and begins none */
	for (end = size; end > 0; end = from) {
		from = end > BLOCK_BYTES ? end - BLOCK_BYTES : 0;
		length = look(file, block, (size_t)(end - from), from);
		for (i = length - 1; i >= 0; i--) {
			if (block[i] != '\n' || from + i + 1 == size)
				continue;
			if (--*lines == 0)
				return from + i + 1;
		}
	}
	if (size > 0)
		--*lines; /* the first line has no newline in front of it */
	return 0;
}

/* Was it written to after the other was? */
static bool
is_newer(int file, int than)
{
	struct stat status, other;

	return fstat(file, &status) == 0 && fstat(than, &other) == 0 &&
	    (status.st_mtim.tv_sec > other.st_mtim.tv_sec ||
		(status.st_mtim.tv_sec == other.st_mtim.tv_sec &&
		    status.st_mtim.tv_nsec > other.st_mtim.tv_nsec));
}

/* The log goes on in another file than the one that we have. While nobody told us of it, there may
 * have been one in between. */
static void
go_on_in(int next)
{
	if (current != -1) {
		print_current(TO_THE_END, false); /* what came before it was put aside */
		if (older != -1 && !same_file(older, current) && is_newer(older, current))
			(void)print_rest(older, 0, TO_THE_END, false);
		(void)close(current);
	}
	current = next;
	shown = 0;
	head_length = 0;
}

void
follow_file(int descriptor, bool is_older)
{
	if (is_older) {
		if (older != -1)
			(void)close(older);
		older = descriptor;
		return;
	}
	if (current != -1 && same_file(current, descriptor))
		(void)close(descriptor);
	else
		go_on_in(descriptor);
	if (older != -1 && begun) {
		(void)close(older);
		older = -1;
	}
	if (begun)
		follow_more();
}

void
follow_begin(long lines, bool goes_on)
{
	off_t from = 0, end = current == -1 ? 0 : end_of_lines(current);
	off_t older_end = older == -1 ? 0 : end_of_lines(older), older_from;

	if (begun)
		return; /* it goes on in another file */
	begun = true;
	if (lines == 0) {
		shown = end;
		remember_head();
		return;
	}
	if (current != -1)
		from = start_of_last(current, end, &lines);
	if (older != -1 && lines > 0) {
		older_from = start_of_last(older, older_end, &lines);
		(void)print_rest(older, older_from, goes_on ? TO_THE_END : older_end, false);
	}
	shown = from;
	/* lines that come meanwhile are more than were asked for; also to one put aside just now */
	print_current(goes_on ? TO_THE_END : end, false);
}

void
follow_end(void)
{
	if (older != -1)
		(void)close(older); /* opened for reading */
	if (current != -1)
		(void)close(current);
	older = current = -1;
	head_length = 0;
	begun = false;
}

void
follow_more(void)
{
	print_current(TO_THE_END, true);
}
