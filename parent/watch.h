/*
 * Noticing that something has changed in the profiles directory, by inotify(7), without looking at
 * it when nothing has. A profile is looked at again when its files have been still for a moment, so
 * that a burst of edits counts once; a tenant who never stops editing delays nobody but himself.
 */
#ifndef PROCLAUNCH_WATCH_H
#define PROCLAUNCH_WATCH_H

#include "table.h"

/* Watches the profiles directory, which is open, and, from the first look at it on, that of the
 * tenants; scans all of it every `rescan` nanoseconds (0: never) for file systems that tell nobody
 * of changes. */
void watch_open(int64_t rescan);

/* The profiles directory is another one now: watches that one, and scans it. */
void watch_profiles(void);

/* Watches the directory of a profile or a tenant for one event, unless it is watched. It is
 * `opened`, the caller's, or with -1 opened here: where a tenant has mounted something that could
 * hold us up, it is not. */
void watch_entry(struct profile *entry, int opened);

/* How much later something is looked at again that could not be looked at. */
#define LOOK_AGAIN (60 * SECOND)

/* The profile or tenant is looked at again at this time (clock_now() scale), or before. */
void watch_look_at(struct profile *entry, int64_t when);

/* SETTLE has come: somebody has given a command for the profile, and may have edited it before. The
 * monitor wants to know when what has been edited until now has been told: the profile is looked at
 * now, unless it is about to be found still. */
void watch_await(void *subject, struct incoming *incoming);

/* A survey has found the profile changed, or for the first time. What the first scan finds, and
 * what the ledger has recalled, is told at once; what is found from then on has to have settled. */
void watch_changed(struct profile *profile);

/* A survey has found it as it was. */
void watch_unchanged(struct profile *profile);

/* The profile is about to be removed. */
void watch_forget(struct profile *profile);

/* Handler of the loop. */
void watch_event(uint32_t index, uint32_t events);

/* When watch_tend() has something to do; NEVER otherwise. */
int64_t watch_deadline(void);
void watch_tend(int64_t now);

#endif
