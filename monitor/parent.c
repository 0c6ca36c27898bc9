#include <signal.h>
#include <unistd.h>

#include "commands.h"
#include "control.h"
#include "descriptors.h"
#include "log.h"
#include "output.h"
#include "parent.h"
#include "recall.h"

enum asked {
	ASKED_SIGNAL = 1,
	ASKED_SWEEP = 2,
	ASKED_KILL = 4,
	ASKED_NOTE = 8,
	ASKED_START = 16,
	ASKED_KEEP = 32,
	ASKED_FORGET = 64,
	ASKED_SETTLE = 128,
	ASKED_READ = 256 /* one bit for each file that may be read, from this one on: READ_FILES */
};

/* The older ones first, whose end comes before the others'. */
#define READ_FILES  (2 * STREAM_COUNT)
#define ASKED_READS (ASKED_READ * ((1U << READ_FILES) - 1))

static TAILQ_HEAD(, profile) asks = TAILQ_HEAD_INITIALIZER(asks);
/* Streams that want a file, and whether one is on its way to another one. Those come last, and one
 * at a time, for where many print much into small files there are always some that do: all else
 * would wait behind them, who have no file yet too, with us or with the parent, whom each costs a
 * millisecond. */
static TAILQ_HEAD(, output_stream) wants = TAILQ_HEAD_INITIALIZER(wants);
static bool rotating;
static unsigned log_reads; /* of our own log, whose stream is of no meaning: ASKED_READS */
static uint32_t keep_of_log;
static bool rotate_log_due;
static bool reopen_due;
static bool goodbye_due;
static uint32_t goodbye_faults;
static struct message answer;
static bool answer_due;
static uint32_t settle;	    /* the number of the last SETTLE */
static bool unmarked;	    /* something is to be asked, or has been, since the last mark */
static uint32_t mark, done; /* the last one that was sent; that has come back */
static uint32_t reports_heard, reports_announced;
static uint32_t orders_heard, orders_announced; /* bits 1 << enum order */

void
parent_owe_mark(void)
{
	unmarked = true;
	log_hold();
}

void
parent_heard_report(void)
{
	reports_heard++;
	parent_owe_mark();
}

void
parent_heard_order(enum order order)
{
	orders_heard |= 1U << order;
	parent_owe_mark();
}

static void
enqueue(struct profile *profile, unsigned ask)
{
	if (ask != ASKED_SETTLE && (ask & ASKED_READS) == 0)
		parent_owe_mark();
	profile->ask |= ask;
	if (!profile->asking)
		TAILQ_INSERT_TAIL(&asks, profile, queue);
	profile->asking = true;
}

void
parent_ask_start(struct profile *profile)
{
	profile->signals = 0;
	profile->ask &= ASKED_KEEP | ASKED_SETTLE | ASKED_READS; /* not about a process */
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

uint32_t
parent_ask_settle(struct profile *profile)
{
	enqueue(profile, ASKED_SETTLE);
	return ++settle;
}

void
parent_ask_keep(struct profile *profile, enum wish wish)
{
	profile->keep = wish;
	profile->overruled = false;
	enqueue(profile, ASKED_KEEP);
}

void
parent_ask_file(struct output_stream *stream)
{
	if (stream->rotating)
		TAILQ_INSERT_TAIL(&wants, stream, want);
	else
		TAILQ_INSERT_HEAD(&wants, stream, want);
	stream->wanting = true;
}

void
parent_has_file(struct output_stream *stream)
{
	if (stream->wanting)
		TAILQ_REMOVE(&wants, stream, want);
	else if (stream->rotating)
		rotating = false;
	stream->wanting = stream->rotating = false;
}

void
parent_ask_read(struct profile *profile, enum stream stream, uint32_t age)
{
	unsigned ask = ASKED_READ << ((age == 1 ? 0 : STREAM_COUNT) + stream);

	if (profile == NULL)
		log_reads |= ask;
	else
		enqueue(profile, ask);
}

void
parent_configure(uint32_t log_keep)
{
	keep_of_log = log_keep;
}

void
parent_ask_rotate_log(void)
{
	rotate_log_due = true;
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
		recall_note(profile, &message.note);
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

	for (number = 1; number < NSIG; number++) {
		if ((profile->signals & 1ULL << (number - 1)) == 0)
			continue;
		if (!send_ask(profile, MESSAGE_SIGNAL, number))
			return false;
		profile->signals &= ~(1ULL << (number - 1));
	}
	return true;
}

static bool
send_want(const struct output_stream *stream)
{
	enum stream which;
	const struct profile *profile = table_holding(stream, &which);
	struct message message;

	message_begin(&message, stream->rotating ? MESSAGE_ROTATE : MESSAGE_OPEN);
	message.index = table_index(profile);
	message.generation = profile->generation;
	message.file.stream = which;
	message.file.keep = profile->settings.output.rotate_keep;
	return send_message(&message);
}

static bool
send_wants(void)
{
	struct output_stream *stream;

	while ((stream = TAILQ_FIRST(&wants)) != NULL && !(stream->rotating && rotating)) {
		if (!send_want(stream))
			return false;
		TAILQ_REMOVE(&wants, stream, want);
		stream->wanting = false;
		rotating = rotating || stream->rotating;
	}
	return true;
}

static bool
send_if_asked(struct profile *profile, enum asked ask, enum message_type type, int number)
{
	if ((profile->ask & ask) == 0)
		return true;
	if (!send_ask(profile, type, number))
		return false;
	profile->ask &= ~(unsigned)ask;
	if (type == MESSAGE_START)
		profile->ask &= ~(unsigned)ASKED_NOTE; /* it carried the note */
	return true;
}

/* Those that were asked for, of the profile or (NULL) of our own log. */
static bool
send_reads(const struct profile *profile, unsigned *asked)
{
	struct message message;
	unsigned file;

	for (file = 0; file < READ_FILES; file++) {
		if ((*asked & ASKED_READ << file) == 0)
			continue;
		message_begin(&message, MESSAGE_READ);
		if (profile != NULL) {
			message.index = table_index(profile);
			message.generation = profile->generation;
		}
		message.file.stream = file % STREAM_COUNT;
		message.file.age = file < STREAM_COUNT;
		if (!send_message(&message))
			return false;
		*asked &= ~((unsigned)ASKED_READ << file);
	}
	return true;
}

/*
 * What must be remembered comes before what is done about it: should the parent die in between, the
 * signal is sent again because the profile is stopping. A reload would not be, and is noted when
 * its signal is on its way. A start comes before the signal that calls it off.
 */
static bool
send_asks(struct profile *profile)
{
	bool note_first = profile->state == STATE_STOPPING;

	return send_if_asked(profile, ASKED_START, MESSAGE_START, 0) &&
	    (!note_first || send_if_asked(profile, ASKED_NOTE, MESSAGE_NOTE, 0)) &&
	    send_signals(profile) && send_if_asked(profile, ASKED_SWEEP, MESSAGE_SWEEP, SIGTERM) &&
	    send_if_asked(profile, ASKED_KILL, MESSAGE_SWEEP, SIGKILL) &&
	    send_if_asked(profile, ASKED_NOTE, MESSAGE_NOTE, 0) &&
	    send_if_asked(profile, ASKED_KEEP, MESSAGE_KEEP, 0) &&
	    send_if_asked(profile, ASKED_SETTLE, MESSAGE_SETTLE, (int)settle) &&
	    send_reads(profile, &profile->ask) &&
	    send_if_asked(profile, ASKED_FORGET, MESSAGE_FORGET, 0);
}

/* About no profile. */
static bool
send_general(enum message_type type, uint32_t number)
{
	struct message message;

	message_begin(&message, type);
	message.number = number;
	if (type == MESSAGE_ROTATE)
		message.file.keep = keep_of_log;
	return send_message(&message);
}

static bool
send_all_asks(void)
{
	struct profile *profile;
	bool forget;

	while ((profile = TAILQ_FIRST(&asks)) != NULL) {
		forget = (profile->ask & ASKED_FORGET) != 0;
		if (!send_asks(profile))
			return false;
		profile->ask = 0;
		TAILQ_REMOVE(&asks, profile, queue);
		profile->asking = false;
		if (forget) {
			/* not before: somebody may have asked for it since */
			commands_forget(profile);
			output_forget(profile);
			table_free(profile);
		}
	}
	return true;
}

/* One mark is on its way at a time; what is asked meanwhile waits for the next. */
static bool
send_mark(void)
{
	struct message message;

	if (!unmarked || mark != done)
		return true;
	message_begin(&message, MESSAGE_MARK);
	message.number = mark + 1;
	if (log_announce(&message.mark.logged)) {
		reports_announced = reports_heard;
		orders_announced = orders_heard;
	}
	message.mark.reports = reports_announced;
	message.mark.orders = orders_announced;
	if (!send_message(&message))
		return false;
	mark++;
	unmarked = false;
	return true;
}

void
parent_marked(void *subject, struct incoming *incoming)
{
	(void)subject;
	if (mark == 0)
		log_confirm(incoming->message.mark.logged);
	if (mark == 0 || incoming->message.number != mark)
		return;
	done = mark;
	if (log_permit(!unmarked))
		unmarked = true;
	output_part();
	commands_done();
}

uint32_t
parent_next_mark(void)
{
	return unmarked ? mark + 1 : mark;
}

bool
parent_has_done(uint32_t number)
{
	return (int32_t)(done - number) >= 0;
}

bool
parent_flush(void)
{
	log_save();
	/* what is not decided yet we are told only when we have answered */
	if (answer_due && (!log_owes() || !log_decided()))
		answer_due = !send_message(&answer);
	if (!send_all_asks() || !send_mark() || !send_reads(NULL, &log_reads))
		return true;
	if (rotate_log_due)
		rotate_log_due = !send_general(MESSAGE_ROTATE, 0);
	if (reopen_due)
		reopen_due = !send_general(MESSAGE_REOPEN, 0);
	if (goodbye_due && !log_owes())
		goodbye_due = !send_general(MESSAGE_GOODBYE, goodbye_faults);
	return rotate_log_due || reopen_due || (goodbye_due && !log_owes()) || !send_wants();
}
