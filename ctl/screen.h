/* `status` to a person: one screen about one profile. */
#ifndef PROCLAUNCH_CTL_SCREEN_H
#define PROCLAUNCH_CTL_SCREEN_H

#include "profiles.h"
#include "request.h"

/* State, reason, processes with memory and processor time, and the last lines of its output. */
void screen_show(const struct request *request, const struct row *row);

/* True when the service does not run and its pid file is there, as far as the caller can see it. */
bool screen_stale_pid_file(const struct row *row);

#endif
