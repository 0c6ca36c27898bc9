/*
 * The table of profiles: one entry a profile, keyed on its name, at an index that the monitor may
 * name. An entry is never replaced after its creation; what happens to a profile changes the entry.
 *
 * A tenant's directory has an entry too, for it is watched and looked at as a profile's is:
 * "alice/". Nothing else is done with one: only `watch` and `tenants` see it, and the monitor
 * cannot name it.
 */
#ifndef PROCLAUNCH_TABLE_H
#define PROCLAUNCH_TABLE_H

#include <sys/queue.h>

#include <stdbool.h>

#include "jobs.h"
#include "message.h"

/* One copy of a file's bytes, as long as the file. */
struct content {
	uint32_t length;
	char bytes[];
};

/* What the monitor still has to be told of a profile, in the order in which it is told. */
enum tell {
	TELL_PROFILE = 1, /* the directory's facts and the files' contents */
	TELL_RECALL = 2,  /* the note of the last monitor */
	TELL_PROCESS = 4,
	TELL_CLAIM = 8,	   /* a pid file's claim that was refused */
	TELL_KEPT = 16,	   /* whether a wish was kept */
	TELL_FIFO = 32,	   /* the FIFOs of its streams */
	TELL_OUTPUT = 64,  /* the files that were asked for */
	TELL_SETTLED = 128 /* its files are still, and it has been told what they say */
};

/* There are thousands of entries: what is small stands together, so that no room is left between.
 */
struct profile {
	uint32_t generation; /* of this index; a request that names an older one is refused */

	/* the directory; `profiles` fills this in */
	int watch; /* inotify watch, -1: none */
	LIST_ENTRY(profile) watched;
	struct profile_facts facts;
	struct content *contents[SETTING_COUNT];
	int64_t look_at;      /* look at the directory again; NEVER when nothing has happened */
	int64_t looks_earned; /* the time up to which they have been taken */
	int64_t watch_after;  /* a tenant's, or a profile's of no tenant: no watch is set before */
	int64_t unsettled;    /* since when its files have been changing; 0: they are still */
	int64_t looked;	      /* when the look began that was compared last */
	int64_t settle_asked; /* when the monitor's last SETTLE came */
	uint32_t settle;      /* its number, to be told when they are */
	uint32_t settled;     /* of the one that is answered, or about to be */

	/* the process; `processes` and `births` fill this in */
	struct process_facts process;
	struct claim claim;   /* the last one that was refused */
	uint64_t start_ticks; /* of process.pid, since boot: proves the pid after our death */
	pid_t sessions[2];    /* of `run` and of the service: what belongs to us without cgroups */
	struct pin *pins;     /* processes of these sessions that outlived the service */
	unsigned pin_count;
	int pidfd;		  /* of process.pid; -1: none lives */
	struct profile *next_pid; /* in the same bucket of the index by pid */
	struct job birth;	  /* of the newborn, which is held by pidfd above */
	struct job reader;	  /* of the pid file */
	int rest;	       /* cgroup.events while others than the main process are left; -1 */
	int64_t starts_earned; /* the time up to which they have been taken, see births.c */
	struct note note;
	bool noted; /* it is of a monitor of ours: what was found running has been said */
	unsigned
	    streams; /* that have a FIFO, which the service prints into: bits 1 << enum stream */
	int fifos[STREAM_COUNT];   /* these; -1: it is not held */
	unsigned fifos_due;	   /* to be handed to the monitor: bits as above */
	unsigned files_due;	   /* that the monitor has asked for; `inform` says which bits */
	uint32_t put_aside_ms;	   /* how long it took to put a file of it aside, the last time */
	int kept_error;		   /* errno of the last wish that was to be kept; 0: it is */
	pid_t stuck[STREAM_COUNT]; /* a monitor that waits for ever in that FIFO; 0: none */
	bool stray;		   /* found in the cgroup, in no record */

	/* what the monitor must be told; `inform` keeps this */
	bool introduced; /* the monitor is to know that there is such a profile */
	unsigned tell;	 /* bits of enum tell; 0: it does not stand in the queue */
	unsigned settings_told;
	TAILQ_ENTRY(profile) queue;
	/* what the spawner must be asked; `births` keeps this */
	TAILQ_ENTRY(profile) asks;
	unsigned ask; /* 0: it does not stand in that queue */

	LIST_ENTRY(profile) bucket; /* `table` keeps this */
	bool used;
	bool tenant; /* it is a tenant's: the directory's facts and the quota are all there is of it
		      */
	bool seen;   /* by the scan that is under way */
};

/* A process that `session` holds on to. */
struct pin {
	pid_t pid;
	int pidfd;
};

/* facts.trigger of an entry whose directory has not been surveyed yet. */
#define TRIGGER_UNKNOWN 1

/* The profile at an index; NULL where none stands. */
struct profile *table_at(uint32_t index);

/* The index of an entry. */
uint32_t table_index(const struct profile *profile);

/* The entry of that name, or NULL. */
struct profile *table_find(const char *name);

/* A new entry of that name, empty but for its name; NULL when the table is full. */
struct profile *table_add(const char *name);

/* A new entry at a given index, for a record of the ledger; NULL when it is taken or out of range.
 */
struct profile *table_add_at(uint32_t index, const char *name);

/* Frees the entry and what it points to; the caller has closed its descriptors. */
void table_remove(struct profile *profile);

/* The entry, and the profile, that comes after this one (NULL: the first); NULL after the last. The
 * one in hand may be removed meanwhile. */
struct profile *table_next_entry(const struct profile *entry);
struct profile *table_next(const struct profile *profile);

/* The profile that comes after this one (NULL: the first) among those of a tenant, whose "alice/"
 * or "alice/web" is given. */
struct profile *table_next_of(const char *name, const struct profile *profile);

/* For each of them, by this name. */
#define ENTRIES_FOREACH(each)                                               \
	for (struct profile *each = table_next_entry(NULL); (each) != NULL; \
	     (each) = table_next_entry(each))

#define PROFILES_FOREACH(each) \
	for (struct profile *each = table_next(NULL); (each) != NULL; (each) = table_next(each))

#define TENANTS_FOREACH(each, name)                                            \
	for (struct profile *each = table_next_of(name, NULL); (each) != NULL; \
	     (each) = table_next_of(name, each))

#endif
