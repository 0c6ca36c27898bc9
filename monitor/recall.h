/*
 * What one monitor leaves to the next: a note about each profile, which the parent keeps and gives
 * back unread. Whoever owned the last monitor may have written it.
 */
#ifndef PROCLAUNCH_RECALL_H
#define PROCLAUNCH_RECALL_H

#include "channel.h"
#include "table.h"

/* Fills in what the next monitor must know of the profile. */
void recall_note(const struct profile *profile, struct note *note);

/* RECALL has come from the parent, before the first word on the profile's process. A note with
 * anything in it that is out of its range is left aside whole. */
void recall_take(void *subject, struct incoming *incoming);

/* Every profile has been told. Of the lines that the last monitor has left in the log's journal,
 * those are true that the notes confirm. */
void recall_complete(void);

/* The same when that takes too long. When to look, in clock_now() time; NEVER when it is done. */
int64_t recall_deadline(void);
void recall_tend(int64_t now);

#endif
