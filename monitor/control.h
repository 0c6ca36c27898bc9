/*
 * Clients of the control socket: who they are, how many there may be, and how long they may take.
 * The socket was bound by the parent; the kernel says who is at its other end.
 */
#ifndef PROCLAUNCH_CONTROL_H
#define PROCLAUNCH_CONTROL_H

#include "channel.h"
#include "table.h"

#define CLIENTS_MAX 256

/* What a client waits for. */
enum client_task {
	CLIENT_READS,	/* nothing: it has to ask */
	CLIENT_SEEKS,	/* for the profile to appear */
	CLIENT_SETTLES, /* for the files of the profile to be still */
	CLIENT_ROWS,	/* rows of profiles are being sent */
	CLIENT_WAITS,	/* for what was asked for to come about */
	CLIENT_KEEPS,	/* for the parent to keep a wish */
	CLIENT_REOPENS, /* for the parent to open our log anew */
	CLIENT_HISTORY, /* transitions are being sent */
	CLIENT_OPENS,	/* for the parent to open a log file for it */
	CLIENT_FILE,	/* the file is being handed over */
	CLIENT_FOLLOWS, /* for the log to grow */
	CLIENT_ANSWERS	/* the answer is being sent */
};

struct client {
	int channel; /* -1: the place is free */
	uint32_t uid;
	bool admin;    /* root, or the user whose supervisor this is */
	bool stranger; /* no profile runs as this user */
	bool blocked;  /* there was no room for what we had to send */
	int64_t blocked_at;
	unsigned state; /* which rules hold for what it says */
	enum client_task task;
	int64_t close_at; /* idle or not reading for too long; NEVER while it waits for us */
	struct ask ask;
	uint32_t index; /* of the profile that it asked for */
	uint32_t generation;
	uint32_t settle; /* the number of the SETTLE that it waits for */
	uint32_t mark;	 /* nothing is sent to it before the parent has seen to what was asked */
	uint32_t steady; /* behind this mark what it has started is known to run on; 0: none */
	uint32_t next_row;
	uint64_t next_transition;
	uint32_t age;	 /* of the log file that it gets next */
	bool ahead;	 /* the one after it was asked for as well */
	int file;	 /* to be handed over; -1: none */
	bool more_due;	 /* the log that it follows has grown */
	bool reopen;	 /* ... and goes on in another file than the one that was asked for */
	int64_t more_at; /* not before this time: a log may grow without end; or when a service that
			  * was started has run for long enough; or has been waited for in vain */
	struct answer answer;
};

/* Takes from the parent's hello who may do what root may, and where the profiles are. */
void control_configure(const struct hello *hello);

/* CONTROL has come from the parent: the listening socket. */
void control_listen(void *subject, struct incoming *incoming);

/* Sends one message; false: there is no room, and the client is continued when there is. */
bool control_send(struct client *client, const struct message *message);

/* The same with the client's file, if there is one, which is closed when it went. */
bool control_send_file(struct client *client, const struct message *message);

/* Sends what the client waits for, as far as that is there and it has room. */
void control_continue(struct client *client);

/* Calls `look` for each client. */
void control_each(void (*look)(struct client *client, void *context), void *context);

/* Handlers of the loop. */
void control_listener_event(uint32_t index, uint32_t events);
void control_client_event(uint32_t index, uint32_t events);

/* When control_tend() has something to do; NEVER otherwise. */
int64_t control_deadline(void);
void control_tend(int64_t now);

#endif
