/*
 * The state machine of a profile: a pure function of state and event, a table with an entry for
 * every pair. It does no I/O and has no clock; `supervise` turns what happens into events and
 * carries out the actions.
 */
#ifndef PROCLAUNCH_MACHINE_H
#define PROCLAUNCH_MACHINE_H

#include "names.h"

enum event {
	EVENT_UP,      /* it is to run: asked for, or a new, mended or enabled profile */
	EVENT_DOWN,    /* it is not to run: asked for, disappeared, or all are to stop */
	EVENT_CHANGED, /* its files have changed, or a restart was asked for */
	EVENT_RELOAD,  /* its files have changed and it has `reload`, or a reload was asked for */
	EVENT_PROVED,  /* its process is the service, the kernel has vouched for it */
	EVENT_FAILED,  /* nothing was executed */
	EVENT_DIED,    /* its main process has ended */
	EVENT_EMPTY,   /* nothing of it lives any more */
	EVENT_DUE,     /* the time of the next start has come */
	EVENT_LATE,    /* start_timeout has run out */
	EVENT_OVERDUE, /* stop_timeout has run out */
	EVENT_COUNT
};

enum action {
	ACTION_START = 1,    /* ask for a process; start_timeout begins */
	ACTION_CANCEL = 2,   /* no next start is planned any more */
	ACTION_AFRESH = 4,   /* the next start is asked for: earlier failures do not count */
	ACTION_PLAN = 8,     /* say that it has stopped; decide when, if at all, it starts next */
	ACTION_RUNNING = 16, /* it runs: say so, and send a reload that is owed */
	ACTION_RELOAD = 32,  /* send the reload signal */
	ACTION_OWE_RELOAD = 64,	  /* ... once it runs */
	ACTION_STOP = 128,	  /* send the stop signal; stop_timeout begins */
	ACTION_REPEAT_STOP = 256, /* send it to the process that is known only now */
	ACTION_SWEEP = 512,	  /* end what the main process has left behind */
	ACTION_KILL = 1024,	  /* SIGKILL to all that is left */
	ACTION_FAILED = 2048,	  /* say why nothing was executed, and count it */
	ACTION_DIED = 4096,	  /* say how the process ended, and count it when it was soon */
	ACTION_LATE = 8192	  /* say that it was not proved in time, and count it */
};

struct transition {
	enum state next;
	unsigned actions; /* bits of enum action */
};

/* What follows from `event` in `state`; both must be below their COUNT. */
struct transition machine_step(enum state state, enum event event);

#endif
