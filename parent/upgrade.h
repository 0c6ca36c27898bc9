/*
 * SIGUSR2: the newly installed binaries take over in place. The parent keeps its pid, the services
 * notice nothing, and what the new parent must know stands in the ledger, as after a crash.
 */
#ifndef PROCLAUNCH_UPGRADE_H
#define PROCLAUNCH_UPGRADE_H

#include <sys/types.h>

#include <signal.h>

#include "message.h"

/* Call first: remembers by which path and arguments we were started. Returns the version that we
 * take over from, or NULL when this is an ordinary start. */
const char *upgrade_remember(char **arguments);

/* The path of the binary that runs. */
const char *upgrade_own_path(void);

/* The control socket that the old parent has left us; -1: none. */
int upgrade_control(void);

/* As whom the new binaries are tried out; the new parent is started in the directory that we are in
 * now. */
void upgrade_configure(uid_t uid, gid_t gid);

/* Tries the three new binaries: each has to run without privileges and to name the same version and
 * build. When they do the new parent takes over; else a report says why not. */
void upgrade_begin(void);

/* A child has ended that is no service, no monitor and no spawner: one that tried a new binary? */
void upgrade_reaped(const siginfo_t *how);

/* When upgrade_tend() has something to do; NEVER otherwise. */
int64_t upgrade_deadline(void);
void upgrade_tend(int64_t now);

#endif
