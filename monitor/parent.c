#include <signal.h>
#include <unistd.h>

#include "descriptors.h"
#include "parent.h"
#include "supervise.h"

enum ask {
	ASK_SIGNAL = 1,
	ASK_SWEEP = 2,
	ASK_KILL = 4,
	ASK_NOTE = 8,
	ASK_START = 16,
	ASK_FORGET = 32
};

static TAILQ_HEAD(, profile) asks = TAILQ_HEAD_INITIALIZER(asks);
static bool goodbye_due;
static uint32_t goodbye_faults;
static struct message answer;
static bool answer_due;

static void
enqueue(struct profile *profile, enum ask ask)
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
	profile->ask = 0;
	enqueue(profile, ASK_START);
}

void
parent_ask_signal(struct profile *profile, int number)
{
	profile->signals |= 1ULL << (number - 1);
	enqueue(profile, ASK_SIGNAL);
}

void
parent_ask_sweep(struct profile *profile, int number)
{
	enqueue(profile, number == SIGKILL ? ASK_KILL : ASK_SWEEP);
}

void
parent_ask_note(struct profile *profile)
{
	enqueue(profile, ASK_NOTE);
}

void
parent_ask_forget(struct profile *profile)
{
	enqueue(profile, ASK_FORGET);
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
		enum ask ask;
		enum message_type type;
		int number;
	} kinds[] = {
	    {ASK_SWEEP, MESSAGE_SWEEP, SIGTERM},
	    {ASK_KILL, MESSAGE_SWEEP, SIGKILL},
	    {ASK_START, MESSAGE_START, 0},
	    {ASK_NOTE, MESSAGE_NOTE, 0},
	    {ASK_FORGET, MESSAGE_FORGET, 0},
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
			profile->ask &= ~(unsigned)ASK_NOTE; /* it carried the note */
	}
	return true;
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
		forget = (profile->ask & ASK_FORGET) != 0;
		if (!send_asks(profile))
			return true;
		TAILQ_REMOVE(&asks, profile, queue);
		profile->asking = false;
		if (forget)
			table_free(profile);
	}
	if (goodbye_due) {
		static struct message message;

		message_begin(&message, MESSAGE_GOODBYE);
		message.number = goodbye_faults;
		goodbye_due = !send_message(&message);
	}
	return goodbye_due;
}
