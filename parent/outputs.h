/*
 * What services print: a FIFO for each stream, in a directory that only root can enter, and the
 * files that the monitor writes it to. Opened, rotated and named here; read and written by the
 * monitor.
 */
#ifndef PROCLAUNCH_OUTPUTS_H
#define PROCLAUNCH_OUTPUTS_H

#include "table.h"

/* So many descriptors a process of ours may have: there are no more FIFOs than the monitor can
 * hold. */
void outputs_limit(uint32_t descriptors);

/* Opens the directories; `path` is --output-dir, NULL for STATE_DIR/output. Fatal when they cannot
 * be trusted. */
void outputs_open(int state_directory, const char *path);

/*
 * Makes the FIFO of the stream if need be and opens it for the service, blocking, for reading and
 * writing, so that nobody's death closes it, fifo(7). It belongs to the profile's user, so that
 * /dev/stdout can be opened. The caller owns the descriptor; -1 with errno.
 */
int outputs_open_for_service(struct profile *profile, enum stream stream);

/* The same for the monitor, which never waits, and for the spawner, which only holds it. -1: there
 * is no such FIFO. */
int outputs_open_for_monitor(const struct profile *profile, enum stream stream);

/*
 * What stands in a FIFO is lost when nobody has it open, and a service may die with the monitor: so
 * it is held here until the next monitor has it. Returns the descriptor, which stays the profile's
 * until outputs_let_go(); -1: there is no such FIFO.
 */
int outputs_hold(struct profile *profile, enum stream stream);
void outputs_let_go(struct profile *profile, enum stream stream);

/* Every FIFO there is, as far as there are descriptors to spare. */
void outputs_hold_all(void);

/* Whether what is held is to outlive an exec. */
void outputs_keep(const struct profile *profile, bool keep);

/* Finds the FIFOs from before our time, and holds them. */
void outputs_find(struct profile *profile);

/* Removes the FIFOs of a profile that is forgotten; its log files stay. */
void outputs_forget(struct profile *profile);

/* Opens the stream's file, as facts->age says, for appending or (`read`) for reading. The caller
 * owns the descriptor; -1 with facts->error. */
int outputs_open_file(const struct profile *profile, struct file_facts *facts, bool read);

/* NAME.log becomes NAME.log.1 and so on; no more than facts->keep old files stay. */
void outputs_rotate(const struct profile *profile, const struct file_facts *facts);

#endif
