/*
 * From fork to exec. Everything between the two is async-signal-safe; the step that fails is sent
 * to the parent with its errno, and the child ends without having executed anything. Most of what a
 * birth costs is memory: a child maps anew each piece of the C library that it calls, and copies
 * each page that it writes, for two microseconds each. So it calls little but syscall(2), and errno
 * is left alone where nothing fails.
 */
#ifndef PROCLAUNCH_BIRTH_H
#define PROCLAUNCH_BIRTH_H

#include "channel.h"

#define ENVIRONMENT_MAX 16

/* What a child is made from. The descriptors stay the spawner's, and stand above FD_PARENT. */
struct birth {
	const struct fork_request *request;
	int job;       /* the child's channel to the parent */
	int directory; /* holds the profile */
	int output;    /* standard output */
	int error;     /* standard error */
	int cgroup;    /* O_PATH of the profile's cgroup, -1 for none */
	int oom_score; /* the spawner's own, from /proc; -1: it could not be opened */
	char *environment[ENVIRONMENT_MAX + 1]; /* birth_fork() fills it in */
};

/*
 * Forks the child as a child of our parent (CLONE_PARENT), straight into its cgroup. The child does
 * not return. In the spawner: the child's pid, with `*pidfd` the caller's; or -1 with errno.
 */
pid_t birth_fork(struct birth *birth, int *pidfd);

/*
 * In a child that has dropped, whose working directory holds the profile: makes the profile's the
 * working directory, through no link, when it is the one that was checked. STAGE_NONE, or the step
 * that failed with errno.
 */
enum stage birth_enter_directory(const struct fork_request *request);

#endif
