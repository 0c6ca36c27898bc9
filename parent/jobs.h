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

struct job_request {
	enum fork_task task;
	const struct account *account; /* as whom */
	uint32_t index;		       /* comes back with BORN, with the generation */
	uint32_t generation;
	bool new_privs;	    /* no_new_privs is not set */
	uint32_t processes; /* the user's RLIMIT_NPROC; 0: as it is */
	int directory;	    /* what the child may enter; stays the caller's */
	int output;	    /* these three stay the caller's; where one is -1, so are those below */
	int error;
	int cgroup;
};

/* A job to run, or to read. CHANNEL_AGAIN: the spawner has no room now. CHANNEL_BROKEN with errno:
 * it cannot be had. The channel is in the loop, as `source` of `index`. */
enum channel_result
jobs_request(struct job *job, const struct job_request *request, unsigned source);

/* True when this BORN answers the job's request. */
bool jobs_match(const struct job *job, const struct message *born);

/* Hangs up, and kills the child if its pidfd is still the job's: a file system of its user's may
 * hold it where it does not see us hang up. */
void jobs_end(struct job *job);

#endif
