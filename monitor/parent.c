#include <signal.h>
#include <unistd.h>

#include "descriptors.h"
#include "parent.h"
#include "supervise.h"

enum asked {
	ASKED_SIGNAL = 1,
	ASKED_SWEEP = 2,
	ASKED_KILL = 4,
	ASKED_NOTE = 8,
	ASKED_START = 16,
	ASKED_KEEP = 32,
	ASKED_FORGET = 64
};

static TAILQ_HEAD(, profile) asks = TAILQ_HEAD_INITIALIZER(asks);
static bool reopen_due;
static bool goodbye_due;
static uint32_t goodbye_faults;
static struct message answer;
static bool answer_due;

static void
enqueue(struct profile *profile, enum asked ask)
{
	profile->ask |= ask;
	if (!profile->asking)
		TAILQ_INSERT_TAIL(&asks, profile, queue);
	profile->asking = true;
}

void
parent_ask_start(struct profile *profile)
{
	profile->signals = 0;
	profile->ask &= ASKED_KEEP;
	enqueue(profile, ASKED_START);
}

void
parent_ask_signal(struct profile *profile, int number)
{
	profile->signals |= 1ULL << (number - 1);
	enqueue(profile, ASKED_SIGNAL);
}

void
parent_ask_sweep(struct profile *profile, int number)
{
	enqueue(profile, number == SIGKILL ? ASKED_KILL : ASKED_SWEEP);
}

void
parent_ask_note(struct profile *profile)
{
	enqueue(profile, ASKED_NOTE);
}

void
parent_ask_keep(struct profile *profile, enum wish wish)
{
	profile->keep = wish;
	enqueue(profile, ASKED_KEEP);
}

void
parent_ask_reopen(void)
{
	reopen_due = true;
}

void
parent_ask_forget(struct profile *profile)
{
	enqueue(profile, ASKED_FORGET);
}

void
parent_goodbye(uint32_t faults)
{
	goodbye_due = true;
	goodbye_faults = faults;
}

void
parent_answer(const struct message *message)
{
	answer = *message;
	answer_due = true;
}

static bool
send_message(const struct message *message)
{
	switch (channel_send(FD_PARENT, message, NULL, 0)) {
	case CHANNEL_DONE:
		return true;
	case CHANNEL_AGAIN:
		return false;
	default:
		_exit(0); /* the parent has gone; so do we, at once */
	}
}

static bool
send_ask(struct profile *profile, enum message_type type, int number)
{
	struct message message;

	message_begin(&message, type);
	message.index = table_index(profile);
	message.generation = profile->generation;
	message.number = (uint32_t)number;
	if (type == MESSAGE_START || type == MESSAGE_NOTE)
		supervise_note(profile, &message.note);
	if (type == MESSAGE_START)
		message.number = profile->attempt;
	if (type == MESSAGE_KEEP)
		message.number = profile->keep;
	return send_message(&message);
}

static bool
send_signals(struct profile *profile)
{
	int number;

	for (number = 1; number <= 64; number++) {
		if ((profile->signals & 1ULL << (number - 1)) == 0)
			continue;
		if (!send_ask(profile, MESSAGE_SIGNAL, number))
			return false;
		profile->signals &= ~(1ULL << (number - 1));
	}
	return true;
}

/* In this order: what concerns the process that lives, what must be remembered, the next process.
 */
static bool
send_asks(struct profile *profile)
{
	static const struct {
		enum asked ask;
		enum message_type type;
		int number;
	} kinds[] = {
	    {ASKED_SWEEP, MESSAGE_SWEEP, SIGTERM},
	    {ASKED_KILL, MESSAGE_SWEEP, SIGKILL},
	    {ASKED_START, MESSAGE_START, 0},
	    {ASKED_NOTE, MESSAGE_NOTE, 0},
	    {ASKED_KEEP, MESSAGE_KEEP, 0},
	    {ASKED_FORGET, MESSAGE_FORGET, 0},
	};
	size_t i;

	if (!send_signals(profile))
		return false;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if ((profile->ask & kinds[i].ask) == 0)
			continue;
		if (!send_ask(profile, kinds[i].type, kinds[i].number))
			return false;
		profile->ask &= ~(unsigned)kinds[i].ask;
		if (kinds[i].type == MESSAGE_START)
			profile->ask &= ~(unsigned)ASKED_NOTE; /* it carried the note */
	}
	return true;
}

/* About no profile. */
static bool
send_general(enum message_type type, uint32_t number)
{
	struct message message;

	message_begin(&message, type);
	message.number = number;
	return send_message(&message);
}

bool
parent_flush(void)
{
	struct profile *profile;
	bool forget;

	if (answer_due && !send_message(&answer))
		return true;
	answer_due = false;
	while ((profile = TAILQ_FIRST(&asks)) != NULL) {
		forget = (profile->ask & ASKED_FORGET) != 0;
		if (!send_asks(profile))
			return true;
		TAILQ_REMOVE(&asks, profile, queue);
		profile->asking = false;
		if (forget)
			table_free(profile);
	}
	if (reopen_due)
		reopen_due = !send_general(MESSAGE_REOPEN, 0);
	if (goodbye_due)
		goodbye_due = !send_general(MESSAGE_GOODBYE, goodbye_faults);
	return reopen_due || goodbye_due;
}
