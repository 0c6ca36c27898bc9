/*
 * The profiles as the monitor knows them, at the indices that the parent gave them. An entry is
 * made when the parent announces a profile, and freed when both have forgotten it.
 */
#ifndef PROCLAUNCH_MONITOR_TABLE_H
#define PROCLAUNCH_MONITOR_TABLE_H

#include <sys/queue.h>

#include <stdbool.h>

#include "bucket.h"
#include "linefile.h"
#include "machine.h"
#include "message.h"
#include "settings.h"

/* What the profile's timer is for. */
enum timer { TIMER_NONE, TIMER_START, TIMER_LATE, TIMER_OVERDUE, TIMER_STILL_STOPPING };

/* Why a profile is in `stopping`, which decides what follows. */
enum cause { CAUSE_NONE, CAUSE_AFRESH, CAUSE_DIED, CAUSE_LATE, CAUSE_COUNT };

/* There are thousands of entries: what is small stands together in each part, so that no room is
 * left between. */

/* One of the two things that a service prints into. */
struct output_stream {
	int fifo;	/* -1: there is none */
	int next_fifo;	/* to be listened to when nothing is left in this one; -1 */
	bool muted;	/* epoll does not wake us when something is printed */
	bool unwatched; /* ... because it had no room for the FIFO, and is asked again */
	bool ready;	/* stands in the queue of those to be looked at */
	bool resting;	/* stands in the queue of those that are looked at when they have rested */
	bool waiting;	/* stands in the queue of those with a look_at */
	bool asked;	/* the parent is to open the file */
	bool rotating;	/* ... another one, and to put the one before aside */
	bool wanting;	/* ... and has not been told so yet: stands in the queue of these */
	bool idle;	/* look_at is for a notice alone: a line that comes before is written */
	bool much;	/* stood in it when it was looked at last */
	bool lent;	/* its user has a file of its open, for reading */
	bool handed_on; /* another user's lines come now: they go into another file */
	unsigned heat;	/* looks that found little, each soon after the one before */
	struct line_file file;
	int64_t grows_until; /* it could not be put aside */
	uint64_t last_use;   /* for closing those that are not used */
	size_t flush;	     /* the service has ended, and left no more bytes than these: an
			      * unfinished line goes out too; 0: all that it left has gone out */
	int64_t moved_at;    /* when lines were last written */
	int64_t rest_until;
	uint64_t since_little; /* bytes that were written since a look that found little */
	int64_t stuck_since;   /* what could not be written waits since; 0: nothing does */
	size_t room;	       /* bytes that the FIFO holds */
	size_t unfinished;     /* bytes of a line that was found unfinished; 0: none was */
	int64_t pause; /* ... after which it is looked at again, though nothing is heard of it */
	int64_t quiet_until; /* ... not before this, whatever is heard of it */
	int64_t look_at;     /* not before this time; NEVER when nothing is waited for */
	uint64_t dropped;    /* bytes, since it is stuck for too long */
	int64_t dropped_at;  /* the last of them */
	struct bucket lines; /* that `rate` permits */
	int stuck_error;     /* why the file cannot be written; 0: it can, as far as is known */
	TAILQ_ENTRY(output_stream) wait;
	TAILQ_ENTRY(output_stream) queue;
	TAILQ_ENTRY(output_stream) want;
};

struct profile {
	uint32_t generation;
	bool used;
	bool settings_known; /* false until the files have been valid once */
	bool valid;	     /* the files are valid now */
	bool acquainted;     /* the parent has said how its process stands */

	/* what the directory says */
	struct profile_facts facts;
	struct settings settings;   /* in force */
	struct settings draft;	    /* being read */
	uint64_t trigger_before;    /* of the facts before those that are coming in */
	const char *draft_refusal;  /* why a content was refused */
	enum setting draft_refused; /* which it was */
	uint32_t draft_missing;	    /* contents that are announced and have not come */
	const char *refusal_said;   /* what the log has been told, NULL: nothing */
	uint32_t refused_said;

	/* what happens to it */
	enum state state;
	struct process_facts process;
	int64_t recalled_start; /* when the last monitor had planned the next start; 0: not */
	uint32_t attempt;
	enum wish wish; /* of start and stop, until the next boot */
	enum cause cause;
	bool say_found; /* the supervisor has just started: a service that runs is news */
	bool finished;	/* ended, and not to be restarted */
	bool unnamed;	/* it was ended because pid_file named no process of it in time */
	bool unproved;	/* it ended before pid_file had named a process of it */
	bool stop_said; /* `stopping` stands in the log, so `stopped` has to follow */
	bool reload_owed;
	bool over_quota;       /* the next start waits for the tenant's quota of restarts */
	bool asking;	       /* stands in the queue of those of which the parent is asked */
	bool overruled;	       /* something else was asked for by name since `keep` was */
	uint32_t failures;     /* starts in a row that failed or died within a second */
	uint64_t logged;       /* of the last monitor's note */
	uint64_t trigger_done; /* the change that a reload has answered */
	uint32_t restarts;
	uint32_t claims;    /* different wrong pids in its pid file since its start */
	struct claim claim; /* the last of them */
	enum timer timer;
	unsigned stream_count; /* how many of its streams have been in use, of table_stream(): most
				* services have one */
	int64_t timer_at;      /* NEVER with TIMER_NONE */
	int64_t stop_since;
	int64_t since_wall_ms; /* since when it is in this state */

	/* the last process that ended */
	int64_t exit_wall_ms;
	enum process_end exit_end;
	int32_t exit_pid;
	int32_t exit_value;

	/* what the parent is still to be asked; `parent` keeps this */
	unsigned ask;
	uint64_t signals; /* bit n - 1: signal n */
	TAILQ_ENTRY(profile) queue;
	enum wish keep; /* what the parent is to keep over boots */
};

/* The entry of this index and generation, or NULL. */
struct profile *table_at(uint32_t index, uint32_t generation);

/* Makes the entry, in the place of one of an older generation. NULL: the index is out of range. */
struct profile *table_make(uint32_t index, uint32_t generation);

/* The entry is not in use any more; whoever keeps something in it has closed that. */
void table_free(struct profile *profile);

/* One of the profile's streams; it stands in a table of its own, in which those that are not in use
 * take no memory: it may be touched if `which` is less than the profile's stream_count. */
struct output_stream *table_stream(const struct profile *profile, unsigned which);

/* Takes this stream of the profile, and those before it, into use. */
void table_use_stream(struct profile *profile, enum stream which);

/* The number of a stream, unlike that of every other one; and the stream of a number, NULL when it
 * is not in use. */
uint32_t table_stream_number(const struct output_stream *stream);
struct output_stream *table_stream_numbered(uint32_t number);

/* Whose stream it is, and which. */
struct profile *table_holding(const struct output_stream *stream, enum stream *which);

uint32_t table_index(const struct profile *profile);

/* Every index in use is below. */
uint32_t table_end(void);

/* The entry at an index that is in use; NULL for every other number. */
struct profile *table_used(uint32_t index);

#define PROFILES_FOREACH(profile, index)                    \
	for ((index) = 0; (index) < table_end(); (index)++) \
		if (((profile) = table_used(index)) != NULL)

#endif
