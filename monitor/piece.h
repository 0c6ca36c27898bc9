/*
 * The piece of a FIFO that is looked at: what a service has printed, of which whole lines are
 * written to its file, stamped or as they are. There is one at a time, whosever it is, so that what
 * services print costs the same memory whoever prints how much.
 *
 * `length` is how many bytes of it a call is to consider, no more than piece_look() has returned.
 */
#ifndef PROCLAUNCH_PIECE_H
#define PROCLAUNCH_PIECE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Behind a line that was split. */
#define SPLIT_MARK "\\\n"
/* In front of what is written there may stand a notice of no more than so many bytes. */
#define NOTICE_BYTES 96

/* What is to be written; good until the next piece is looked at. */
struct text {
	char *bytes;
	size_t length;
};

/* The first bytes of the FIFO are the piece now, and stay there; fifo_peek(). */
ssize_t piece_look(int fifo);

/* Whole lines, as far as no line is longer than LINE_MAX_BYTES: how many bytes. 0: the first line
 * is too long, or not finished. */
size_t piece_whole_lines(size_t length);

/* How many bytes the first lines have, and how many lines there are; the last one need not be
 * finished. */
size_t piece_first_lines(size_t length, uint32_t lines);
uint32_t piece_count_lines(size_t length, uint32_t most);

/* How many bytes the first lines have that need no more than `room` bytes when they are written. */
size_t piece_fitting_lines(size_t length, bool raw, uint64_t room);

/*
 * The first *length bytes, and then `behind`, "" or "\n" or SPLIT_MARK, as they are to be written
 * to a file of `size` bytes. Of very short lines all may not find room with their stamps; then
 * *length says how many bytes did.
 */
struct text piece_format(size_t *length, const char *behind, bool raw, uint64_t size);

/* The same with a notice in front that says how many bytes are missing. */
struct text piece_confess(struct text text, uint64_t dropped);

#endif
