/*
 * What can be done with a FIFO that a service prints into without losing a byte, whoever is killed:
 * its bytes are looked at where they stand, and leave it only when they have been written. tee(2),
 * splice(2), pipe(7).
 */
#ifndef PROCLAUNCH_FIFO_H
#define PROCLAUNCH_FIFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "clock.h"

/* A longer line is split. */
#define LINE_MAX_BYTES 65536
/* A FIFO that holds the longest line whole. */
#define ROOMY_FIFO_BYTES (2 * LINE_MAX_BYTES)
/* What is looked at in one go: as much as stays in a processor's own cache, for each go wakes the
 * writer of a FIFO that was full, and that costs more than all else that we do but copying. */
#define LOOK_BYTES (4 * LINE_MAX_BYTES)

/* Makes the pipe that FIFOs are looked at through; before the cage is shut. Fatal. */
void fifo_prepare(void);

/* What stands in the FIFO, up to LOOK_BYTES, is copied into `bytes`, and stays in the FIFO. How
 * many bytes that are; 0: there are none; -1 with errno: what comes first cannot be read. */
ssize_t fifo_peek(int fifo, char *bytes);

/* Takes out the first piece, which cannot be read, as it was put in. Returns how many bytes it had.
 */
size_t fifo_skip(int fifo);

/* Takes so many bytes out without copying them, even if they cannot be read. Returns how many there
 * were: fewer, when the service has read some itself. */
size_t fifo_consume(int fifo, size_t bytes);

/* Takes out what nobody wants. True when there may be more. */
bool fifo_throw_away(int fifo);

/* True when nothing more can be printed into it, so that a line that is not finished now never will
 * be. Also for a socket or a terminal. */
bool fifo_is_full(int fifo);

/* Makes room in it for so many bytes, or for a page, if the system's limits allow it, pipe(7), and
 * it does not hold more than that. */
bool fifo_resize(int fifo, size_t bytes);

/* For how many bytes it has room; 0: it is no FIFO. */
size_t fifo_size(int fifo);

/* How long all of the above has taken since this was asked last, in nanoseconds: a FIFO's user can
 * keep its lock, for as long as one of his pages takes to come while he writes it there. */
int64_t fifo_kept(void);

/* When the pieces before have taken so long, the next one is left for another look. */
#define FIFO_KEPT_LONG (5 * MILLISECOND)

/* What this process has done since it began, getrusage(2): how often it has slept, and the
 * nanoseconds that it has run. Whoever has only been put behind others by the scheduler has done
 * neither. */
struct fifo_effort {
	long sleeps;
	int64_t ran;
};
struct fifo_effort fifo_effort(void);

#endif
