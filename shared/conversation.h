/*
 * What proclaunchctl(1) and the monitor say to each other. The caller is who the kernel says it is
 * (SO_PEERCRED); nothing in these messages can change that.
 */
#ifndef PROCLAUNCH_CONVERSATION_H
#define PROCLAUNCH_CONVERSATION_H

#include <stdbool.h>
#include <stdint.h>

#include "names.h"

enum verb {
	VERB_LIST,
	VERB_STATUS,
	VERB_START,
	VERB_STOP,
	VERB_RESTART,
	VERB_RELOAD,
	VERB_SIGNAL,
	VERB_WAIT,
	VERB_ENABLE,
	VERB_DISABLE,
	VERB_RESET,
	VERB_LOG,
	VERB_REOPEN,
	VERB_EVENTS,
	VERB_EXPLAIN,
	VERB_CHECK,
	VERB_METRICS,
	VERB_PING,
	VERB_VERSION,
	VERB_COUNT
};

/* Who may use a verb, and on what. */
enum authority {
	AUTHORITY_ANYBODY, /* about no profile, or about those that the caller may see */
	AUTHORITY_OWNER,   /* root, or the user that the named profile runs as */
	AUTHORITY_ROOT	   /* root alone */
};

struct verb_rule {
	const char *name;
	enum authority authority;
	bool names;   /* takes names of profiles, at least one where authority is OWNER */
	bool changes; /* is written to the log with the caller's uid */
};

/* The authority matrix: one row a verb. */
extern const struct verb_rule verb_rules[VERB_COUNT];

/* VERB_COUNT when there is no such verb. */
enum verb verb_from_text(const char *text);

enum ask_flag {
	ASK_NO_WAIT = 1, /* answer when the command is accepted, not when it has been carried out */
	ASK_FOLLOW = 2,	 /* log, events: go on */
	ASK_ALREADY =
	    4 /* it was asked for before: do nothing, and answer when it has been carried out */
};

struct ask {
	uint32_t verb;
	uint32_t flags;
	uint32_t number; /* signal: which; wait: enum for the state; log, events: how many lines */
	uint32_t padding;
	char name[FULL_NAME_BYTES]; /* "": all that the caller may see */
};

/* How a command ended. */
enum result {
	RESULT_DONE,	   /* or already so */
	RESULT_FAILED,	   /* the text says why */
	RESULT_NO_PROFILE, /* there is none of that name, or none that the caller may see */
	RESULT_NOT_RUNNING,
	RESULT_ROOT_ONLY,
	RESULT_BUSY,	/* too many commands of that uid in too short a time: ask again */
	RESULT_REFUSED, /* too many clients, or a malformed request */
	RESULT_COUNT
};

struct answer {
	uint32_t result;
	uint32_t padding;
	char text[256];
};

/* What a profile waits for, as it is shown. */
enum shown_timer {
	SHOWN_NONE,
	SHOWN_START,	     /* it is started again */
	SHOWN_START_TIMEOUT, /* it is given up, for it has not come up */
	SHOWN_STOP_TIMEOUT,  /* what is left of it is killed */
	SHOWN_REMINDER,	     /* the log says that it is still there */
	SHOWN_COUNT
};

/* One profile, as it is shown. */
struct row {
	char name[FULL_NAME_BYTES];
	char account[ACCOUNT_NAME_BYTES];
	char reason[160];    /* why it is in this state, in words */
	char decided_by[64]; /* which file or rule decided it */
	int64_t since_wall_ms;
	int64_t uptime_ms;
	int64_t exit_wall_ms;
	int64_t timer_wall_ms; /* when the timer runs out */
	uint32_t uid;
	uint32_t state;	   /* enum for "stopped", "starting", "running", "stopping" */
	uint32_t wanted;   /* 1: up */
	uint32_t accepted; /* 0: refused */
	int32_t pid;	   /* 0: none */
	uint32_t restarts;
	uint32_t failures;
	uint32_t exit_end; /* enum process_end; END_NONE: it has not ended yet */
	int32_t exit_pid;
	int32_t exit_value;
	uint32_t timer; /* enum shown_timer */
	uint32_t padding;
};

#define ROWS_MAX 8

struct rows {
	uint32_t count;
	uint32_t padding;
	struct row rows[ROWS_MAX];
};

/* One transition. */
struct transition_facts {
	char name[FULL_NAME_BYTES];
	int64_t wall_ms;
	uint32_t from;
	uint32_t to;
	int32_t pid;
	uint32_t number; /* of the transition, counted by this monitor */
	char reason[64];
};

#endif
