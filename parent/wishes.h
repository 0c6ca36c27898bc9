/*
 * What `enable` and `disable` leave for every boot: one empty file a profile, in STATE_DIR/enabled
 * or STATE_DIR/disabled. Root's, not the tenant's, and readable with ls.
 */
#ifndef PROCLAUNCH_WISHES_H
#define PROCLAUNCH_WISHES_H

#include "message.h"

/* Opens the two directories; fatal when they cannot be ours. */
void wishes_open(void);

/* What is kept of the profile of that name. */
enum wish wishes_of(const char *profile);

/* Keeps it, on the disk when this returns. 0, or -1 with errno: then what was kept before holds. */
int wishes_keep(const char *profile, enum wish wish);

#endif
