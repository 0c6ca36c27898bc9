/*
 * What services print: a FIFO for each stream, in a directory that only root can enter, and the
 * files that the monitor writes it to. Opened, rotated and named here; read and written by the
 * monitor.
 */
#ifndef PROCLAUNCH_OUTPUTS_H
#define PROCLAUNCH_OUTPUTS_H

#include "table.h"

/* How many descriptors a process of ours may have: there are no more FIFOs than the monitor can
 * hold. */
void outputs_limit(uint32_t descriptors);

/* Opens the directories; `path` is --output-dir, NULL for STATE_DIR/output. Fatal when they cannot
 * be trusted. */
void outputs_open(int state_directory, const char *path);

/*
 * The FIFO of the stream, for a service of this user; the descriptor stays the profile's. It is
 * made when there is none or another user had it before, opened once, and held as long as there is
 * the profile: nobody's death loses what stands in it, and nobody of ours waits in an open(2) for a
 * lock that a writer may hold, fifo_open() in Linux. Where there are too few descriptors for that,
 * beyond almost half as many FIFOs as we may have descriptors, those beyond are opened when they
 * are needed. It belongs to the user, so that /dev/stdout can be opened. -1 with errno.
 */
int outputs_for_service(struct profile *profile, enum stream stream, uid_t uid);

/* The same FIFO as it is; -1: there is none, or it cannot be opened now. */
int outputs_hold(struct profile *profile, enum stream stream);

/* All who need the profile's FIFOs have them: those that there are too few descriptors for are
 * closed here. */
void outputs_release(struct profile *profile);

/*
 * The monitor, which was killed, waits in the kernel: the FIFO that it waits for is handed to no
 * other. The second: it has ended at last, if it was one, and the FIFO may be looked at again.
 */
void outputs_find_stuck(pid_t monitor);
void outputs_let_go(pid_t monitor);

/* Its FIFOs are to outlive an exec. */
void outputs_keep(const struct profile *profile);

/* Finds the FIFOs from before our time. */
void outputs_find(struct profile *profile);

/* Removes the FIFOs of a profile that is forgotten; its log files stay. */
void outputs_forget(struct profile *profile);

/* Opens the stream's file, as facts->age says, for appending or (`read`) for reading. The caller
 * owns the descriptor; -1 with facts->error. */
int outputs_open_file(const struct profile *profile, struct file_facts *facts, bool read);

/* NAME.log becomes NAME.log.1 and so on; no more than facts->keep old files stay. */
void outputs_rotate(struct profile *profile, const struct file_facts *facts);

#endif
