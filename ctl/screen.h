/* `status` to a person: one screen about one profile. */
#ifndef PROCLAUNCH_CTL_SCREEN_H
#define PROCLAUNCH_CTL_SCREEN_H

#include "profiles.h"
#include "request.h"

/* State, reason, processes with memory and processor time, and the last lines of its output. */
void screen_show(const struct request *request, const struct row *row);

#endif
