/*
 * One cgroup (v2) a profile: whoever is in it belongs to the profile, whatever it forked, and
 * nobody can enter or leave it without root. cgroups(7), Documentation/admin-guide/cgroup-v2.rst.
 *
 * Where there is no writable hierarchy every function says so and `session` takes over.
 */
#ifndef PROCLAUNCH_CGROUP_H
#define PROCLAUNCH_CGROUP_H

#include <sys/types.h>

#include <stdbool.h>

/*
 * Finds a hierarchy (our own cgroup where it was delegated to us, else the root of the mount; also
 * the `unified` mount of a hybrid host) and makes our subtree in it, named after the device and
 * inode of the state directory so that two supervisors never share one. True when there is one.
 */
bool cgroup_begin(int state_directory);

/* True when cgroup_begin() found a hierarchy. */
bool cgroup_available(void);

/* Makes the profile's cgroup if need be. A descriptor for CLONE_INTO_CGROUP that the caller owns,
 * or -1 with errno. */
int cgroup_make(const char *profile);

/* True when the process is in the profile's cgroup or below it. */
bool cgroup_contains(const char *profile, pid_t pid);

/*
 * True when at least one process lives in it or below it. `*events`, which is opened where it is
 * -1, is the caller's: epoll reports it with EPOLLPRI once the answer may have changed since it was
 * given here. A file that was only opened, or is not read again, it reports for ever:
 * kernfs_poll().
 */
bool cgroup_populated(const char *profile, int *events);

/* Sends the signal to every process in it and below, each through a pidfd that was verified to be
 * in it; SIGKILL goes through cgroup.kill, which no fork can outrun. */
void cgroup_signal(const char *profile, int number);

/* Removes the cgroup and what a service made below it; left alone while processes are in it. */
void cgroup_remove(const char *profile);

/* Removes our subtree when no profile's cgroup is left in it. */
void cgroup_end(void);

/* Calls `found` with the name of each profile that has a cgroup. */
void cgroup_each(void (*found)(const char *profile));

#endif
