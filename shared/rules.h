/*
 * Permission as data. Each receiving process has one const table of rules; what is not in it is
 * refused. An auditor reads the table and knows what the other side may ask, and when.
 */
#ifndef PROCLAUNCH_RULES_H
#define PROCLAUNCH_RULES_H

#include <stddef.h>

#include "channel.h"

/* Who may send: known from the descriptor that the message came in on. One bit each. */
enum sender {
	FROM_PARENT = 1,
	FROM_MONITOR = 2,
	FROM_SPAWNER = 4,
	FROM_JOB = 8, /* a child of the spawner, before its exec or reading as a user */
	FROM_CLIENT = 16
};

struct rule {
	enum message_type type;
	unsigned senders;
	unsigned states; /* bits of the receiver's own state in which it is legal; 0: always */
	unsigned descriptors_min;
	unsigned descriptors_max;
	void (*handle)(void *subject, struct incoming *incoming);
};

enum verdict {
	RULE_KEPT,    /* permitted, and the handler has run */
	RULE_REFUSED, /* known, but not legal in this state: nothing has happened */
	RULE_BROKEN   /* never legal from this sender: kill and replace it */
};

/*
 * Looks the message up, and runs its handler when the sender, the state (as bit) and the number of
 * descriptors are all permitted. Descriptors that no handler took are closed in every case.
 */
enum verdict rules_apply(const struct rule *rules, size_t count, enum sender sender, unsigned state,
    void *subject, struct incoming *incoming);

#endif
