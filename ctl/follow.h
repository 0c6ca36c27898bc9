/* `log`: prints the end of log files whose descriptors come from the supervisor, and what is added.
 */
#ifndef PROCLAUNCH_CTL_FOLLOW_H
#define PROCLAUNCH_CTL_FOLLOW_H

#include <stdbool.h>

/* A log file has come: `older` is the one before the file that is written. The descriptor becomes
 * the room's. */
void follow_file(int descriptor, bool older);

/* Both have come, or will not: prints the last `lines` lines of them, the first time; and when
 * it goes on, also those that are written meanwhile. */
void follow_begin(long lines, bool goes_on);

/* Forgets what has come, for the next profile. */
void follow_end(void);

/* The file has grown: prints what is new. */
void follow_more(void);

#endif
