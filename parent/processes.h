/*
 * The processes of the profiles: who they are, what became of them, and the only place that sends
 * them a signal. A process is known by a pidfd; a number that a tenant wrote becomes one only after
 * the kernel has vouched for it.
 */
#ifndef PROCLAUNCH_PROCESSES_H
#define PROCLAUNCH_PROCESSES_H

#include "table.h"

/* The facts have changed: into the ledger, and to the monitor. */
void processes_changed(struct profile *profile);

/* From now on this is the profile's process; the pidfd becomes ours. */
void processes_hold(struct profile *profile, pid_t pid, int pidfd);

/* Lets go of the process without touching it. */
void processes_release(struct profile *profile);

/*
 * Is the process of that number in this profile? CLAIM_NUMBER: yes, and it is now the profile's
 * process, proved. Otherwise why not.
 */
enum claim_verdict processes_prove(struct profile *profile, pid_t pid);

/* Sends a signal of the fixed set to the profile's process, if it lives. */
void processes_signal(struct profile *profile, int number);

/* Sends SIGTERM or SIGKILL to all that is left of the profile. */
void processes_sweep(struct profile *profile, int number);

/* Reaps children that have ended: services, orphans of services, monitor and spawner. True when
 * there are more. */
bool processes_reap(void);

/* The profile's process has ended, or never came to execute anything. Looks at what is left of the
 * profile, and says so. */
void processes_ended(struct profile *profile, enum process_end end, int value);

/* There is no main process, and what lives is a rest; or nothing lives. */
void processes_rest(struct profile *profile);

/* What was recorded or found is compared with what lives; at the start, for each entry. */
void processes_adopt(struct profile *profile);

/* An entry that no record explains: what runs in its cgroup is a stray. */
void processes_find_strays(struct profile *profile);

/* The FIFOs are to outlive an exec; the ledger says which they are, and who lives, as after a
 * crash: our children, who have their pids until we reap them. */
void processes_keep(void);

/* Handlers of the loop. */
void processes_pidfd_event(uint32_t index, uint32_t events);
void processes_rest_event(uint32_t index, uint32_t events);

/* True when no profile has a main process; what kill_mode leaves alone may live on. */
bool processes_none(void);

#endif
