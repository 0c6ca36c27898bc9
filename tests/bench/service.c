/*
 * The service that is measured: says when its first instruction ran, prints one line, and then
 * waits or writes.
 * usage: service BOARD PLACE [LINES block|line]
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "board.h"

#define BLOCK_BYTES 65536

static void
write_all(const char *bytes, size_t length)
{
	ssize_t wrote;

	for (; length > 0; bytes += wrote, length -= (size_t)wrote) {
		wrote = write(STDOUT_FILENO, bytes, length);
		if (wrote == -1)
			err(1, "write");
	}
}

static void
write_lines(size_t lines, size_t block)
{
	static char text[BLOCK_BYTES + LINE_BYTES];
	size_t left = lines * LINE_BYTES, written = 0, length;

	memset(text, 'x', sizeof(text));
	for (length = LINE_BYTES; length <= sizeof(text); length += LINE_BYTES)
		text[length - 1] = '\n';
	for (; left > 0; left -= length, written += length) {
		length = left < block ? left : block;
		write_all(text + written % LINE_BYTES, length);
	}
}

int
main(int count, char **arguments)
{
	int64_t first = board_now();
	struct place *place;
	struct board *board;
	char line[64];
	int length;

	if (count != 3 && count != 5)
		errx(2, "usage: service BOARD PLACE [LINES block|line]");
	board = board_open(arguments[1]);
	place = &board->places[strtoul(arguments[2], NULL, 10)];
	place->first = first;
	place->pid = (uint32_t)getpid();
	board_wake(&place->pid);
	length = snprintf(line, sizeof(line), "service %s is up, pid %d\n", arguments[2], getpid());
	write_all(line, (size_t)length);
	if (count == 5) {
		while (board->write_now == 0)
			board_wait(&board->write_now, 0);
		place->begun = board_now();
		write_lines(strtoul(arguments[3], NULL, 10),
		    strcmp(arguments[4], "line") == 0 ? LINE_BYTES : BLOCK_BYTES);
		place->ended = board_now();
	}
	for (;;)
		(void)pause();
}
