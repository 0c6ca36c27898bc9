/* How the parent leaves: on a signal that it got itself, and in no other way. */
#ifndef PROCLAUNCH_LEAVE_H
#define PROCLAUNCH_LEAVE_H

#include <stdbool.h>
#include <stdint.h>

#include "channel.h"

/* SIGTERM and SIGINT: leave, the services stay. SIGHUP, and for process 1 these two: stop all, then
 * leave; again: leave at once. */
void leave_on_signal(int number);

/* True when a signal has asked us to leave, at once or when all has stopped. */
bool leave_intended(void);

/* --check: leave when every profile has been looked at. */
void leave_after_check(void);

/* GOODBYE has come: the monitor has written its last line; the number is how many profiles are
 * refused. Ends the process when the signal allows it: after a HUP only once no process of any
 * profile is left. */
void leave_when_done(void *subject, struct incoming *incoming);

/* The monitor does not answer: when it is time to leave without it. NEVER: it is not. */
int64_t leave_deadline(void);
void leave_tend(int64_t now);

#endif
