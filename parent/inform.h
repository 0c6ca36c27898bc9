/*
 * What the monitor has to be told. Nothing is queued but the fact that something is to be told:
 * what is sent is what holds when there is room for it, so that a slow monitor can neither block
 * the parent nor make it grow, and a new monitor is told everything by the same code.
 */
#ifndef PROCLAUNCH_INFORM_H
#define PROCLAUNCH_INFORM_H

#include "channel.h"
#include "table.h"

/* These facts (enum tell) of the profile have changed. */
void inform_tell(struct profile *profile, unsigned what);

/* All that there is of the profile, to a monitor that does not know it. From now on it hears of
 * every change. */
void inform_introduce(struct profile *profile);

/* The profile's FIFOs are to be handed over. */
void inform_streams(struct profile *profile);

/* A file is to be handed over: the profile's, to be written or, for a client, to be read; or (NULL)
 * our own log, to be read. */
void inform_file(struct profile *profile, const struct file_facts *file, bool read);

/* The monitor is to free what an output file holds that nobody can find any more, bit by bit: it is
 * a matter of milliseconds, or of seconds for a large one, and we have services to start. Takes the
 * descriptor over; -1: there is none. */
void inform_remains(int file);

/* The profile is about to be removed. */
void inform_forget(struct profile *profile);

/* Something happened that belongs into the log: with an errno or other value, and a text. */
void inform_report(enum report report, int value, const char *text);

/* The same about one of our children. */
void
inform_child(enum report report, const char *which, pid_t pid, enum process_end end, int value);

/* A survey's SKIPPED, of a tenant's directory or ("") of the profiles directory. */
void inform_skipped(const struct message *finding, const char *tenant);

/* An order, and for every later monitor too. */
void inform_order(enum order order);

/* Has it been said that every profile is told: is the first scan done? */
bool inform_complete(void);

/* The log is to be opened anew and handed over. */
void inform_log(void);

/* MARK has come: what the monitor asked before it is done, for requests are seen to in the order in
 * which they come, and it is told so by the same message. A monitor that starts is given the last
 * one, and is not told again of the reports in it and before. */
void inform_mark(void *subject, struct incoming *incoming);

/* After an upgrade: services that run are no news. */
void inform_quietly(void);

/* A monitor has started that knows nothing. */
void inform_everything(void);

/* Sends what there is room for. */
void inform_flush(void);

/* True when the monitor has been told all there is. */
bool inform_done(void);

/* True when, moreover, every report stands in the log. */
bool inform_written(void);

#endif
