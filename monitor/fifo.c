#include <fcntl.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "descriptors.h"
#include "fifo.h"
#include "report.h"

/* So many looks at a FIFO whose bytes nobody wants. */
#define PIECES_AT_ONCE 16

/* These numbers are the lowest that are free when the monitor begins. */
static void
move(int descriptor, int number)
{
	if (descriptor == number)
		return;
	if (dup3(descriptor, number, O_CLOEXEC) == -1)
		fatal("dup3");
	(void)close(descriptor);
}

void
fifo_prepare(void)
{
	int look[2];

	if (pipe2(look, O_CLOEXEC | O_NONBLOCK) == -1)
		fatal("pipe2");
	move(look[1], FD_LOOK_WRITE);
	move(look[0], FD_LOOK_READ);
	/* no less than a FIFO holds; else we look in smaller pieces */
	(void)fifo_grow(FD_LOOK_WRITE, LOOK_BYTES);
}

size_t
fifo_peek(int fifo, char *bytes)
{
	ssize_t shown = tee(fifo, FD_LOOK_WRITE, LOOK_BYTES, SPLICE_F_NONBLOCK), got;
	size_t length = 0;

	if (shown <= 0)
		return 0;
	while (length < (size_t)shown) {
		got = read(FD_LOOK_READ, bytes + length, (size_t)shown - length);
		if (got <= 0)
			fatal("the pipe of tee(2)"); /* it holds what tee() said */
		length += (size_t)got;
	}
	return length;
}

static ssize_t
discard(int fifo, size_t bytes)
{
	return splice(fifo, NULL, FD_NULL, NULL, bytes, SPLICE_F_NONBLOCK);
}

void
fifo_consume(int fifo, size_t bytes)
{
	ssize_t moved;

	while (bytes > 0) {
		moved = discard(fifo, bytes);
		if (moved <= 0)
			return;
		bytes -= (size_t)moved;
	}
}

bool
fifo_throw_away(int fifo)
{
	ssize_t moved = 1;
	unsigned pieces;

	for (pieces = 0; pieces < PIECES_AT_ONCE && moved > 0; pieces++)
		moved = discard(fifo, LOOK_BYTES);
	return moved > 0;
}

bool
fifo_is_full(int fifo)
{
	static const struct timespec at_once = {.tv_sec = 0};
	struct pollfd room = {.fd = fifo, .events = POLLOUT};

	return ppoll(&room, 1, &at_once, NULL) == 0;
}

bool
fifo_grow(int fifo, size_t bytes)
{
	return fcntl(fifo, F_SETPIPE_SZ, (int)bytes) > 0;
}
