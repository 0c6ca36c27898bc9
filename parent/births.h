/*
 * From a request to start a profile to a process that executes: what the spawner is asked, the gate
 * at which every child waits until its pid stands in the ledger, and the step that failed. Also the
 * children that read pid files.
 */
#ifndef PROCLAUNCH_BIRTHS_H
#define PROCLAUNCH_BIRTHS_H

#include "channel.h"
#include "table.h"

/* Starts the profile's process; `attempt` is the monitor's number for it and comes back in the
 * process's facts. Nothing of the profile may live but what kill_mode left behind. */
void births_start(struct profile *profile, uint32_t attempt);

/* The start is no longer wanted; only before the child is born. */
void births_cancel(struct profile *profile);

/* Has the profile's pid file read, by a child that has dropped to its user, until the service is
 * proved or ends. */
void births_read_pid_file(struct profile *profile);

/* Lets go of the newborn's gate and of the reader. */
void births_stop(struct profile *profile);

/* The newborn has ended: takes in what it has said before. */
void births_drain(struct profile *profile);

/* Sends what the spawner has still to be asked, as far as there is room. */
void births_flush(void);

/* No birth begins until this is called again with false. */
void births_hold(bool hold);

/* True while a child is between its gate and its exec. */
bool births_under_way(void);

/* The spawner has died: what it was asked and has not answered is asked again, surveys too. */
void births_ask_again(void);

/* BORN has come from the spawner. */
void births_born(void *subject, struct incoming *incoming);

/* Handlers of the loop. */
void births_birth_event(uint32_t index, uint32_t events);
void births_reader_event(uint32_t index, uint32_t events);

#endif
