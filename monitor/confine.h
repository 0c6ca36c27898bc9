/*
 * The monitor's cage: an empty root, a uid of its own, no capability, no path, and a short list of
 * system calls. Whatever cannot be set up is fatal.
 */
#ifndef PROCLAUNCH_CONFINE_H
#define PROCLAUNCH_CONFINE_H

#include "message.h"

/* Shuts the cage, as the parent's hello says: with HELLO_ROOT, from root; else as an ordinary user,
 * without a root of its own. FD_EMPTY becomes FD_NULL. Returns only when all of it holds. */
void confine(const struct hello *hello);

/* Prints the table of system calls, one a line: name, condition, reason. */
void confine_print_filter(void);

#endif
