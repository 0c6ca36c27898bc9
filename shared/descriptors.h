/*
 * Letting go of a descriptor, and the numbers at which descriptors stand across an exec. Everything
 * that is not listed here is closed on both sides: by the parent before the exec, by the child as
 * its first act.
 */
#ifndef PROCLAUNCH_DESCRIPTORS_H
#define PROCLAUNCH_DESCRIPTORS_H

#include <errno.h>
#include <unistd.h>

/* Closes it; -1: there is none. Not for what was written to, which close(2) may have to report.
 * errno stays as it was: that of whatever made us let go. */
static inline void
descriptor_close(int descriptor)
{
	int before = errno;

	if (descriptor != -1)
		(void)close(descriptor);
	errno = before;
}

enum descriptor_number {
	/* monitor and spawner: 0 and 1 are /dev/null */
	FD_LAST_WORDS = 2, /* a pipe: what a dying child says, read by the parent */
	FD_PARENT = 3,	   /* the channel to the parent */
	FD_EMPTY = 4,	   /* monitor: the empty directory that becomes its root */
	FD_LINES = 5,	   /* monitor: what is to be in the log, STATE_DIR/lines */
	FD_CHILD_FIRST_FREE = 6,

	/* the monitor's own, by number because its filter names them: a pipe for what tee(2) shows
	 * of a FIFO, and where splice(2) puts what has been written, /dev/null, which takes the
	 * place of FD_EMPTY: no number below the pipe's is ever free */
	FD_LOOK_READ = 6,
	FD_LOOK_WRITE = 7,
	FD_NULL = FD_EMPTY,

	/* a service's child between fork and exec: 0-2 are its own */
	FD_JOB = 3, /* to the parent: gate, failing stage; closed by the exec */
	FD_JOB_FIRST_FREE = 4
};

#endif
