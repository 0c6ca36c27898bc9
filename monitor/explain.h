/* Facts in words: why a profile is refused, how a process ended, why it cannot start. */
#ifndef PROCLAUNCH_EXPLAIN_H
#define PROCLAUNCH_EXPLAIN_H

#include "table.h"

/* Writes the log line that says why the profile is refused. */
void explain_refusal(const struct profile *profile);

/* Writes the log line that says how its last process ended: `expected` on the way to `stopped`,
 * which is of interest when debugging only. */
void explain_end(const struct profile *profile, bool expected);

/* Writes the log line that says why nothing was executed. */
void explain_failure(const struct profile *profile);

/* Writes the log line about a claim that was refused. */
void explain_claim(const struct profile *profile, const struct claim *claim);

#endif
