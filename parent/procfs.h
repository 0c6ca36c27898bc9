/*
 * What /proc says of a process, proc_pid_stat(5), proc_pid_status(5). The answer holds for whatever
 * has the pid at this moment: open a pidfd first, ask, and then see that the pidfd still lives.
 */
#ifndef PROCLAUNCH_PROCFS_H
#define PROCLAUNCH_PROCFS_H

#include <sys/stat.h>
#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

struct procfs_stat {
	char state; /* 'Z': a zombie */
	pid_t parent;
	bool unexecuted;      /* it was forked, and has executed nothing since */
	uint64_t start_ticks; /* clock ticks since boot */
	int wait_status;      /* of a zombie, as wait(2) has it; -1 without the right to see it */
};

/* From now on /proc is looked at in an instance of our own, where we may mount one, mount(2):
 * whoever lists a directory of the other into a page that takes long to come keeps its lock, and
 * with it whoever looks something up there; that of a process of his everybody may list. */
void procfs_open(void);

/* Reads the beginning of a file of the kernel's into `text`, as a string. False with errno when
 * there is nothing. */
bool procfs_read(const char *path, char *text, size_t size);

/* The same of /proc/PID/NAME; false when the process has gone. */
bool procfs_read_of(pid_t pid, const char *name, char *text, size_t size);

/* False with errno: ENOENT or ESRCH when there is no such process. */
bool procfs_stat(pid_t pid, struct procfs_stat *stat);

/* The real, effective, saved and file system uid; false when the process has gone. */
bool procfs_uids(pid_t pid, uid_t ids[4]);

/* True when one of them is `uid`, or with `all` each. */
bool procfs_has_uid(pid_t pid, uid_t uid, bool all);

/* The file that the process waits for in a system call: the one that the call's first argument
 * names as a descriptor; for read(2) the argument after its last one, where fifo_peek() says whose
 * bytes it reads. False when nobody can say, or the process runs. proc_pid_syscall(5). */
bool procfs_waits_in(pid_t pid, struct stat *where);

/* True when we are among the process's ancestors. */
bool procfs_descends_from_us(pid_t pid);

/* Calls `found` for every process, until it says stop. True when all were looked at. */
bool procfs_each(bool (*found)(pid_t pid, void *context), void *context);

#endif
