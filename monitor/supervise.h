/*
 * The glue around the state machine: carries out its actions, and turns what clients ask and what
 * time it is into events. The rooms `intake`, `process` and `leave` do so with what the parent
 * tells.
 */
#ifndef PROCLAUNCH_SUPERVISE_H
#define PROCLAUNCH_SUPERVISE_H

#include "table.h"

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

/* The parent keeps it as enabled or disabled: neither stop nor start is in force any more, except
 * one that has come since that was asked for. */
void supervise_kept(struct profile *profile, enum wish wish);

/* The event has happened to the profile; what follows from it is done at once. */
void supervise_step(struct profile *profile, enum event event);

/* Its process has ended, or there was none: decides whether and when it starts next. */
void supervise_plan(struct profile *profile);

/* It has only one timer; `when` as clock_now() has it, or NEVER with TIMER_NONE. */
void supervise_set_timer(struct profile *profile, enum timer timer, int64_t when);

/* Sets the timer of a stop that began at stop_since, as the settings are now. */
void supervise_time_stop(struct profile *profile);

/* It is to be stopped and still lives: stops it once more, because the parent or the last monitor
 * may not have got round to it. */
void supervise_resume_stop(struct profile *profile);

/* Starts a profile that could run and does not, with nothing planned: the reason may have gone. */
void supervise_reconsider(struct profile *profile);

/* Gives up the next start that it waits for, when `restart` has gone. */
void supervise_give_up_start(struct profile *profile);

/* Reloads it, or restarts it, when it runs with other files than those that are there now. */
void supervise_check_changed(struct profile *profile);

/* Its directory has disappeared: stops it, and forgets it at once if it can. */
void supervise_gone(struct profile *profile);

/* Its directory is back. What had stopped by then is a new profile, even if it was not forgotten
 * because kill_mode spares some of it: what was asked for and what has failed does not count. */
void supervise_renew(struct profile *profile);

/* Forgets it when its directory has disappeared and nothing of it lives, what kill_mode spares
 * included, should it come back; and when what it has printed last is in its file. */
void supervise_forget_if_gone(struct profile *profile);

/* True when processes live that no record explains. They end before the profile is started,
 * whatever kill_mode says: the service may be one of them. */
bool supervise_strays(const struct profile *profile);

/* True when what is left of it is neither ended nor waited for. */
bool supervise_spares_rest(const struct profile *profile);

/* True while some profile is on its way: starting, stopping, or waiting for its next start. */
bool supervise_busy(void);

/* When supervise_tend() has something to do; NEVER otherwise. */
int64_t supervise_deadline(void);
void supervise_tend(int64_t now);

#endif
