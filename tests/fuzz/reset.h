/*
 * Part of the program in a state from which every input starts: its variables are put back, and
 * what it allocated or opened since is given back. Without this an input would mean something else
 * each time. The objects concerned are linked between reset_begin and reset_end.
 */
#ifndef PROCLAUNCH_FUZZ_RESET_H
#define PROCLAUNCH_FUZZ_RESET_H

#include <stdbool.h>
#include <stdint.h>

/* From now on the state that holds at this moment is the one to go back to. `allocates`: the
 * program allocates memory of its own, and what it has not freed is freed; else the C library keeps
 * its. */
void reset_remember(bool allocates);

/* Runs the body, up to its end or to a point at which the program would end its process; then goes
 * back. True when the program would have ended. */
bool reset_after(void (*body)(void *context), void *context);

/* The program's clock, in nanoseconds; it stands still. */
extern int64_t reset_clock;

#endif
