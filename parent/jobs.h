/*
 * A job is a child of the spawner that has something to say to the parent: a newborn service before
 * its exec, a reader of a pid file, a survey of what a tenant owns.
 */
#ifndef PROCLAUNCH_JOBS_H
#define PROCLAUNCH_JOBS_H

#include "account.h"
#include "channel.h"
#include "sources.h"

struct job {
	int channel;	 /* -1: there is no job */
	int pidfd;	 /* -1: not born yet, or given to somebody else */
	uint32_t number; /* of the request; BORN comes back with it */
};

#define JOB_NONE ((struct job){.channel = -1, .pidfd = -1})

/* What the spawner is asked. */
struct job_request {
	struct message message; /* FORK; its index and generation come back with BORN */
	/* in the order of struct fork_request, the first one being the job's; they stay the
	 * caller's */
	int descriptors[CHANNEL_DESCRIPTORS_MAX];
	unsigned count;
};

/* Begins a request: a child as this account, that may enter the directory. What else the FORK says,
 * and what other descriptors the child gets, the caller adds. */
void jobs_describe(struct job_request *request, enum fork_task task, uint32_t index,
    const struct account *account, int directory);

/* A job to run, or to read. CHANNEL_AGAIN: the spawner has no room now. CHANNEL_BROKEN with errno:
 * it cannot be had. The channel is in the loop, as `source` of the request's index. */
enum channel_result jobs_request(struct job *job, struct job_request *request, unsigned source);

/* True when this BORN answers the job's request. */
bool jobs_match(const struct job *job, const struct message *born);

/* Hangs up, and kills the child if its pidfd is still the job's: a file system of its user's may
 * hold it where it does not see us hang up. */
void jobs_end(struct job *job);

#endif
