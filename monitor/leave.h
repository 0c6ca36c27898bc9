/*
 * Leaving, as the parent orders it: when all profiles have stopped, or at once and the services
 * stay up; and after --check, which starts none. Nothing but an order of the parent's begins it.
 */
#ifndef PROCLAUNCH_MONITOR_LEAVE_H
#define PROCLAUNCH_MONITOR_LEAVE_H

#include <stdint.h>

#include "channel.h"
#include "table.h"

/* ORDER has come from the parent. */
void leave_order(void *subject, struct incoming *incoming);

/* --check: say what is wrong with each profile, start none, and leave when all have been told. */
void leave_only_check(void);

/* True when no profile is to run any more, whoever wishes it. */
bool leave_intended(void);

/* True when how processes end is left to our successor. */
bool leave_begun(void);

/* Stops one profile because all are to stop. */
void leave_stop(struct profile *profile);

/* A profile has stopped, perhaps the last one. */
void leave_look(void);

/* When leave_tend() has something to do of itself; NEVER otherwise. It is to be called in each
 * turn, after output_tend() and supervise_tend(): what they have done may be what is waited for. */
int64_t leave_deadline(void);
void leave_tend(void);

#endif
