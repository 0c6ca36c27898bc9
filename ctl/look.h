/* Looking at what somebody else could let us wait for without end. */
#ifndef PROCLAUNCH_CTL_LOOK_H
#define PROCLAUNCH_CTL_LOOK_H

#include <stdbool.h>

#include "profiles.h"

/*
 * Has a child call `look`, which prints. False when it was not done within a second: the memory
 * that /proc/PID/cmdline is read from may lie in a file system of the process's owner's own, which
 * answers when he likes.
 */
bool look_in_time(const struct row *row, void (*look)(const struct row *row));

#endif
