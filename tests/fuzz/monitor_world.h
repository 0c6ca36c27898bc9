/*
 * The whole monitor but for its confinement, on a channel whose other end is a model of the parent.
 * Every input begins with a monitor that has just been greeted.
 */
#ifndef PROCLAUNCH_FUZZ_MONITOR_WORLD_H
#define PROCLAUNCH_FUZZ_MONITOR_WORLD_H

#include "input.h"

/* What the parent has told of an index. */
struct told {
	bool known;
	uint32_t generation;
	uint32_t phase;
	uint32_t uid;
	uint32_t attempt; /* of the last START; 0: none was asked for */
	bool ended;	  /* ... and what came of it */
};
#define TOLD_MAX 8
extern struct told told[TOLD_MAX];

/* Called for each message from the monitor, after the checks that always hold. */
extern void (*monitor_world_hears)(const struct message *message);

/* Remembers the state from which each input starts. */
void monitor_world_remember(void);

/* Runs one input; the monitor is greeted and has a log when `play` begins. */
void monitor_world_run(void (*play)(struct input *input), const uint8_t *bytes, size_t size);

/* The parent sends a message; a descriptor that is not -1 goes with it. */
void monitor_world_tell(const struct message *message, int descriptor);

/* One turn of the monitor's loop; then the parent hears what it asks. */
void monitor_world_turn(void);

#endif
