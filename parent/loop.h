/* What the parent waits for: one epoll instance, and for each descriptor in it whose it is. */
#ifndef PROCLAUNCH_LOOP_H
#define PROCLAUNCH_LOOP_H

#include <stdbool.h>
#include <stdint.h>

enum source {
	SOURCE_SIGNALS, /* signalfd */
	SOURCE_MONITOR,
	SOURCE_SPAWNER,
	SOURCE_INOTIFY,
	SOURCE_BIRTH,  /* the job of a profile's newborn */
	SOURCE_READER, /* the job of a profile's pid-file reader */
	SOURCE_SURVEY, /* the job of a survey */
	SOURCE_PROBE,  /* what a new binary says, before an upgrade */
	SOURCE_PIDFD,  /* a service that is not our child: adopted from the ledger */
	SOURCE_REST,   /* a cgroup's cgroup.events */
	SOURCE_PIN,    /* what is left of a session, where there are no cgroups */
	SOURCE_COUNT
};

/* Makes the epoll instance; fatal when it cannot. */
void loop_open(void);

/* Waits for `events` of epoll_ctl(2) on the descriptor, for the source and, with most, the index of
 * a profile. Returns 0, or -1 with errno. */
int loop_add(int descriptor, uint32_t events, enum source source, uint32_t index);

/* Changes what is waited for. */
void loop_change(int descriptor, uint32_t events, enum source source, uint32_t index);

/* Takes the descriptor out of the set. */
void loop_mute(int descriptor);

/* Takes the descriptor out of the set and closes it, and makes the variable -1; -1 is left alone. A
 * close alone would not do: a child between fork and exec holds a copy, epoll(7) Q6. */
void loop_close(int *descriptor);

typedef void (*loop_handler)(uint32_t index, uint32_t events);

/* The one wait of the parent: until something happens or `deadline` (clock_now() scale) comes, then
 * runs the handler of each source that has something. `handlers` is indexed by enum source. */
void loop_wait(int64_t deadline, const loop_handler *handlers);

#endif
