/*
 * What belongs to a profile where there are no cgroups: the processes of its sessions that run as
 * its user, or, when that is root, as anybody, and descend from us. They are held by pidfd from
 * before the leader is reaped, because the session's number can be used again once nobody is in it.
 *
 * It cannot find what a service moved into a session of its own; proclaunch(8) says so.
 */
#ifndef PROCLAUNCH_SESSION_H
#define PROCLAUNCH_SESSION_H

#include "table.h"

/* Looks for members other than the main process and pins them; drops those that have ended. Returns
 * how many of these live; one more where not all could be pinned, for want of descriptors or
 * because they are too many. */
unsigned session_pin(struct profile *profile);

/* Does one of them live? Looks for others only when all that are pinned have ended. */
bool session_lives(struct profile *profile);

/* Sends the signal to every member that lives. */
void session_signal(struct profile *profile, int number);

/* Closes all pins. */
void session_release(struct profile *profile);

#endif
