/*
 * The one wait of a process: one epoll instance. Each descriptor in it has a source, a value of the
 * process's own enumeration that stands for a handler, and an index, which that handler is given.
 */
#ifndef PROCLAUNCH_LOOP_H
#define PROCLAUNCH_LOOP_H

#include <stdbool.h>
#include <stdint.h>

/* Makes the epoll instance; fatal when it cannot. */
void loop_open(void);

/* Waits for `events` of epoll_ctl(2) on the descriptor, for the source's handler. Returns 0, or -1
 * with errno. */
int loop_add(int descriptor, uint32_t events, unsigned source, uint32_t index);

/* Changes what is waited for. */
void loop_change(int descriptor, uint32_t events, unsigned source, uint32_t index);

/* Takes the descriptor out of the set. */
void loop_mute(int descriptor);

/* Takes the descriptor out of the set and closes it, and makes the variable -1; -1 is left alone. A
 * close alone would not do: a child between fork and exec holds a copy, epoll(7) Q6. */
void loop_close(int *descriptor);

typedef void (*loop_handler)(uint32_t index, uint32_t events);

/* Waits until something happens or `deadline` (clock_now() scale) comes, then
 * runs the handler of each source that has something. `handlers` is indexed by source. */
void loop_wait(int64_t deadline, const loop_handler *handlers);

#endif
