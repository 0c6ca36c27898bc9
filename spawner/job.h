/*
 * The conversation with the parent: of the spawner, and of each of its children over a job channel
 * of its own. None of them has anything else to do, so that it may wait; and it ends when the
 * parent has hung up, which has died or no longer wants it. Async-signal-safe.
 */
#ifndef PROCLAUNCH_JOB_H
#define PROCLAUNCH_JOB_H

#include <poll.h>

#include "channel.h"

/* From now on, in a child, the channel is this descriptor. */
void job_use(int number);

/* Sends, waiting for room; the `count` descriptors stay the caller's. */
void job_send(const struct message *message, const int *descriptors, unsigned count);

/* Waits until there is something to receive, or (POLLOUT) room to send. */
void job_wait(short events);

/* Waits for a message of this type, which is good until the next call. Anything else is not what
 * the parent has for a child, and its end. */
struct message *job_expect(enum message_type type);

#endif
