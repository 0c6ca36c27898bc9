/*
 * Of messages, what only processes without privileges need: the monitor and proclaunchctl. It is
 * linked into nothing that runs as root.
 */
#ifndef PROCLAUNCH_UNPRIVILEGED_H
#define PROCLAUNCH_UNPRIVILEGED_H

#include "message.h"

/* As message_valid(), also for what monitor and proclaunchctl are told. */
bool unprivileged_valid(const struct message *message);

/* The type's name as in the catalogue, "unknown" for none; never NULL. */
const char *unprivileged_name(uint32_t type);

#endif
