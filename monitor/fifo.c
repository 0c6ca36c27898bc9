#include <sys/resource.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "descriptors.h"
#include "fifo.h"
#include "report.h"

/* So many looks at a FIFO whose bytes nobody wants. */
#define PIECES_AT_ONCE 16

static int64_t kept; /* for so long, since it was asked last */

/* Whatever touches a FIFO takes its lock, which no call that never waits does without. */
static void
kept_since(int64_t begun)
{
	kept += clock_now() - begun;
}

int64_t
fifo_kept(void)
{
	int64_t total = kept;

	kept = 0;
	return total;
}

static int64_t
nanoseconds(struct timeval time)
{
	return time.tv_sec * SECOND + time.tv_usec * 1000;
}

struct fifo_effort
fifo_effort(void)
{
	struct rusage usage = {.ru_nvcsw = 0};

	(void)getrusage(RUSAGE_SELF, &usage);
	return (struct fifo_effort){.sleeps = usage.ru_nvcsw,
	    .ran = nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime)};
}

/* These numbers are the lowest that are free, whenever the pipe is made. */
static void
move(int descriptor, int number)
{
	if (descriptor == number)
		return;
	if (dup3(descriptor, number, O_CLOEXEC) == -1)
		fatal("dup3");
	(void)close(descriptor);
}

static void
make_look(void)
{
	int look[2];

	if (pipe2(look, O_CLOEXEC | O_NONBLOCK) == -1)
		fatal("pipe2");
	move(look[1], FD_LOOK_WRITE);
	move(look[0], FD_LOOK_READ);
	/* no less than a FIFO holds; else we look in smaller pieces */
	(void)fifo_resize(FD_LOOK_WRITE, LOOK_BYTES);
}

void
fifo_prepare(void)
{
	make_look();
}

/*
 * What stands in the pipe and cannot be read can be got rid of with the pipe only. A tenant may
 * splice(2) pages of a file of his own into his FIFO, and when its FUSE server has refused a
 * write(2) of them, they are in error: the kernel neither reads them nor takes them out.
 */
static void
empty_look(void)
{
	(void)close(FD_LOOK_READ);
	(void)close(FD_LOOK_WRITE);
	make_look();
}

static ssize_t
look(int fifo, char *bytes)
{
	ssize_t shown = tee(fifo, FD_LOOK_WRITE, LOOK_BYTES, SPLICE_F_NONBLOCK), got, length;
	int error;

	for (length = 0; length < shown; length += got) {
		/* the last argument is for the parent, when its owner keeps us waiting here:
		 * procfs_waits_in() */
		got = syscall(SYS_read, FD_LOOK_READ, bytes + length, shown - length, fifo);
		if (got > 0)
			continue;
		error = errno;
		empty_look();
		errno = error;
		return length > 0 ? length : -1;
	}
	return length;
}

ssize_t
fifo_peek(int fifo, char *bytes)
{
	int64_t begun = clock_now();
	ssize_t shown = look(fifo, bytes);
	int error = errno;

	kept_since(begun);
	errno = error;
	return shown;
}

/* They need not be read for that. Of what a pipe of one page has room for. */
static size_t
move_aside(int fifo, size_t bytes)
{
	int64_t begun = clock_now();
	ssize_t moved;

	(void)fifo_resize(FD_LOOK_WRITE, 1);
	moved = splice(fifo, NULL, FD_LOOK_WRITE, NULL, bytes, SPLICE_F_NONBLOCK);
	empty_look();
	kept_since(begun);
	return moved > 0 ? (size_t)moved : 0;
}

size_t
fifo_skip(int fifo)
{
	return move_aside(fifo, LOOK_BYTES);
}

static ssize_t
discard(int fifo, size_t bytes)
{
	int64_t begun = clock_now();
	ssize_t moved = splice(fifo, NULL, FD_NULL, NULL, bytes, SPLICE_F_NONBLOCK);

	kept_since(begun);
	if (moved > 0 || (moved == -1 && errno == EAGAIN))
		return moved;
	return (ssize_t)move_aside(
	    fifo, bytes); /* it cannot be read any more, or its file was cut */
}

size_t
fifo_consume(int fifo, size_t bytes)
{
	int64_t begun = clock_now();
	size_t taken = 0;
	ssize_t moved;

	do {
		moved = discard(fifo, bytes - taken);
		taken += moved > 0 ? (size_t)moved : 0;
		/* its user may read it, too, and leave us a byte each time */
	} while (moved > 0 && taken < bytes && clock_now() - begun < FIFO_KEPT_LONG);
	return taken;
}

bool
fifo_throw_away(int fifo)
{
	int64_t begun = clock_now();
	unsigned pieces = 0;
	ssize_t moved;

	do
		moved = discard(fifo, LOOK_BYTES);
	while (moved > 0 && ++pieces < PIECES_AT_ONCE && clock_now() - begun < FIFO_KEPT_LONG);
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
fifo_resize(int fifo, size_t bytes)
{
	int64_t begun = clock_now();
	bool done = fcntl(fifo, F_SETPIPE_SZ, (int)bytes) > 0;

	kept_since(begun);
	return done;
}

size_t
fifo_size(int fifo)
{
	int64_t begun = clock_now();
	int bytes = fcntl(fifo, F_GETPIPE_SZ);

	kept_since(begun);
	return bytes > 0 ? (size_t)bytes : 0;
}
