/*
 * A child's conversation with the parent, over its job channel. The child has nothing else to do,
 * so that it may wait; an end of file means that the parent no longer wants it. Async-signal-safe.
 */
#ifndef PROCLAUNCH_JOB_H
#define PROCLAUNCH_JOB_H

#include "channel.h"

/* From now on the job channel is this descriptor. */
void job_use(int number);

/* The job channel, for a child that has more than one thing to wait for. */
int job_channel(void);

/* Sends, waiting for room. When the parent has hung up there is nobody to tell: returns. */
void job_send(const struct message *message);

/* Waits for a message of ours. False when the parent has hung up or sent something else. */
bool job_receive(struct incoming *incoming);

#endif
