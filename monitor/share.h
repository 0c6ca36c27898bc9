/*
 * What the log says of the profiles of one user who is not root: whoever breaks and mends them
 * without end, or has them restarted, shall not wash away what it says of all others.
 */
#ifndef PROCLAUNCH_SHARE_H
#define PROCLAUNCH_SHARE_H

#include "log.h"
#include "table.h"

/* How many lines at once, and how often one more. Whoever has used them up gets none until this
 * many can be had again. */
#define SHARE_LINES	 10000
#define SHARE_LINE_EVERY (100 * MILLISECOND)
#define SHARE_NEXT	 100

/* log_line() with the profile's name as its tag; or else it is counted, and share_tend() says how
 * many are missing. */
void share_line(const struct profile *profile, enum level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Whether a line about this user's profiles may be written now; it counts. */
bool share_permits(uint32_t owner);

/* When share_tend() has something to do; NEVER otherwise. */
int64_t share_deadline(void);
void share_tend(int64_t now);

#endif
