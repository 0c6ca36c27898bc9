/*
 * The glue around the state machine: turns what the parent tells, what the files say and what time
 * it is into events, and carries out the actions.
 */
#ifndef PROCLAUNCH_SUPERVISE_H
#define PROCLAUNCH_SUPERVISE_H

#include "channel.h"
#include "table.h"

/* What the parent tells; see the table in main.c. */
void supervise_profile(void *subject, struct incoming *incoming);
void supervise_setting(void *subject, struct incoming *incoming);
void supervise_process(void *subject, struct incoming *incoming);
void supervise_claim(void *subject, struct incoming *incoming);
void supervise_order(void *subject, struct incoming *incoming);

/* --check: say what is wrong with each profile, start none, and leave when all have been told. */
void supervise_only_check(void);

/* Is it to run, as far as anybody's wishes go? */
bool supervise_wanted(const struct profile *profile);

/* Are its files in order? */
bool supervise_accepted(const struct profile *profile);

/* Starts in a row that have failed, up to now. */
uint32_t supervise_failures(const struct profile *profile);

/* Is its main process there, proved or not? */
bool supervise_lives(const struct profile *profile);

/* What was asked for by name, proclaunchctl(1). Start, stop and restart hold until the next boot; a
 * profile that is refused is not started by them, and one that runs not restarted. */
void supervise_start(struct profile *profile);
void supervise_stop(struct profile *profile);
void supervise_restart(struct profile *profile);

/* Failed starts are forgotten; what is wanted and has ended is started. */
void supervise_reset(struct profile *profile);

/* Sends the reload signal, or this one of the fixed set. False: it does not run. */
bool supervise_reload(struct profile *profile);
bool supervise_signal(struct profile *profile, int number);

/* The parent keeps it as enabled or disabled: neither stop nor start is in force any more. */
void supervise_kept(struct profile *profile, enum wish wish);

/* When supervise_tend() has something to do; NEVER otherwise. */
int64_t supervise_deadline(void);
void supervise_tend(int64_t now);

#endif
