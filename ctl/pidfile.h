/* The pid file of a profile that does not run: did a daemon leave it behind? */
#ifndef PROCLAUNCH_CTL_PIDFILE_H
#define PROCLAUNCH_CTL_PIDFILE_H

#include "profiles.h"

/* True when the service does not run and its pid file is there, as far as the caller can see it. */
bool pidfile_is_stale(const struct row *row);

#endif
