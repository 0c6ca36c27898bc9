/* Facts in words: why a profile is refused, how a process ended, why it is in its state. */
#ifndef PROCLAUNCH_EXPLAIN_H
#define PROCLAUNCH_EXPLAIN_H

#include "table.h"

/* "stop_signal: must be ...": why the profile is refused. Written into `text`, which is returned.
 */
const char *explain_refusal(const struct profile *profile, char *text, size_t size);

/* "execve: Exec format error (...)": why nothing was executed. Likewise. */
const char *explain_failure(const struct profile *profile, char *text, size_t size);

/* Writes the log line that says how its last process ended: `expected` on the way to `stopped`,
 * which is of interest when debugging only. */
void explain_end(const struct profile *profile, bool expected);

/* Writes the log line about a claim that was refused. */
void explain_claim(const struct profile *profile, const struct claim *claim);

/* Fills in the row that is shown of the profile, with the reason for its state and what decided it.
 */
void explain_row(const struct profile *profile, struct row *row);

#endif
