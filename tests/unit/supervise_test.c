/*
 * What the monitor does with what it is told, in every order in which it can happen: the real
 * supervise.c, intake.c, process.c, parent.c, machine.c and table.c, against a model of the parent
 * and the kernel. Words are under way in both directions, queues are full, files change, services
 * die at any moment, and so does the monitor, whose successor knows what the parent tells it.
 *
 * The states are searched breadth first. A rule that is broken is reported with the shortest way to
 * it. world_test does the same with the state machine alone.
 */
#include <sys/queue.h>

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "supervise.h" /* of the monitor, whose table this is about */
#include "clock.h"
#include "commands.h"
#include "explain.h"
#include "exploration.h"
#include "history.h"
#include "intake.h"
#include "log.h"
#include "output.h"
#include "parent.h"
#include "process.h"
#include "recall.h"
#include "reports.h"
#include "share.h"
#include "words.h"

/* The hour at which everything happens. That time passes is one of the incidents. */
#define NOW   (1000 * SECOND)
#define LATER (NOW + 1)

#define INDEX	   0U
#define GENERATION 7U

/* The settings of a profile, which stay the same during one search. */
struct scene {
	const char *title;
	const char *restart; /* NULL: there is no such file */
	const char *reload;
	const char *kill_mode;
	const char *stop_timeout;
	bool pid_file;
	unsigned kinds; /* of incidents that happen; not all at once, or there would be no end */
};
static const struct scene *scene;

/* A note, as far as it varies. */
struct brief_note {
	uint64_t trigger_done;
	uint32_t state, wish, finished, failures, cause, exit_end, attempt;
	int32_t exit_value;
	uint32_t start_planned, padding;
};

/* A request of the monitor's that the parent has not yet taken in. */
struct letter {
	struct brief_note note;
	uint32_t type;
	uint32_t number;
};
#define LETTERS_MAX 1

/* What of the monitor's entry varies; the rest is the same in all states of a scene. */
struct brain {
	struct process_facts process;
	uint64_t trigger, trigger_before, trigger_done, signals;
	int64_t recalled_start, timer_at;
	uint32_t gone, state, attempt, wish, cause, failures, timer, exit_end, ask;
	int32_t exit_value;
	uint8_t present, acquainted, finished, reload_owed, unnamed, unproved, asking, padding[1];
};

/* Two that have the same bytes are the same: there is no padding. */
struct situation {
	struct brain brain;
	struct letter letters[LETTERS_MAX];
	/* the parent's table */
	struct process_facts process;
	struct brief_note note;
	uint64_t trigger;
	uint32_t gone, tell;
	/* the kernel's truth */
	uint64_t answered; /* the trigger that the service was told to reload for */
	uint8_t rest;	   /* others than the main process live */
	uint8_t told_to_stop, told_to_sweep, killed;
	uint8_t letter_count, forgotten, stopping_all, padding;
};

static struct exploration *exploration;
static struct situation now; /* the one that is being changed; its brain is unpacked */
static const char *wrong;    /* the first rule that was broken in it */

static void
rule(bool kept, const char *text)
{
	if (!kept && wrong == NULL)
		wrong = text;
}

/*
 * What surrounds the code that is tested.
 */

int
clock_gettime(clockid_t clock, struct timespec *time)
{
	(void)clock;
	time->tv_sec = NOW / SECOND;
	time->tv_nsec = 0;
	return 0;
}

void
log_line(const char *tag, enum level level, const char *format, ...)
{
	(void)tag;
	(void)level;
	(void)format;
}

void
share_line(const struct profile *profile, enum level level, const char *format, ...)
{
	(void)profile;
	(void)level;
	(void)format;
}

/* When lines may be written, log_test and the system tests look at. */
void
log_hold(void)
{
}

bool
log_announce(uint64_t *place)
{
	*place = 0;
	return true;
}

void
log_confirm(uint64_t place)
{
	(void)place;
}

void
log_decide(bool (*came_true)(const char *tag, uint64_t place))
{
	(void)came_true;
}

bool
log_decided(void)
{
	return true;
}

uint64_t
log_reached(uint64_t before)
{
	return before;
}

void
log_save(void)
{
}

bool
log_permit(bool all)
{
	return !all;
}

bool
log_owes(void)
{
	return false;
}

const char *
explain_refusal(const struct profile *profile, char *text, size_t size)
{
	(void)profile;
	(void)size;
	return text;
}

const char *
explain_failure(const struct profile *profile, char *text, size_t size)
{
	(void)profile;
	(void)size;
	return text;
}

void
explain_end(const struct profile *profile, bool expected)
{
	(void)profile;
	(void)expected;
}

void
explain_claim(const struct profile *profile, const struct claim *claim)
{
	(void)profile;
	(void)claim;
}

void
history_add(const struct profile *profile, enum state from, const char *reason)
{
	(void)profile;
	(void)from;
	(void)reason;
}

void
commands_acquainted(const struct profile *profile)
{
	(void)profile;
}

void
commands_look(const struct profile *profile)
{
	(void)profile;
}

void
commands_done(void)
{
}

void
commands_forget(const struct profile *profile)
{
	(void)profile;
}

void
output_flush(struct profile *profile)
{
	(void)profile;
}

bool
output_idle(const struct profile *profile)
{
	(void)profile;
	return true;
}

void
output_give_way(void)
{
}

void
output_hurry(void)
{
}

void
output_confess(const struct profile *profile)
{
	(void)profile;
}

void
output_note(const struct profile *profile, uint64_t *dropped)
{
	(void)profile;
	(void)dropped;
}

void
output_recall(struct profile *profile, const uint64_t *dropped)
{
	(void)profile;
	(void)dropped;
}

void
output_forget(struct profile *profile)
{
	(void)profile;
}

void
output_part(void)
{
}

unsigned
reports_skipped(void)
{
	return 0;
}

/* Without a `down` file it makes no difference whether somebody has asked for it to run. */
static uint32_t
leveled_wish(uint32_t wish)
{
	return wish == WISH_DOWN ? WISH_DOWN : WISH_DEFAULT;
}

/* After two in a row the next start waits. */
static uint32_t
leveled_failures(uint32_t failures)
{
	return failures < 2 ? failures : 2;
}

static struct brief_note
brief(const struct note *note)
{
	return (struct brief_note){.trigger_done = note->trigger_done,
	    .state = note->state,
	    .wish = leveled_wish(note->wish),
	    .finished = note->finished,
	    .failures = leveled_failures(note->failures),
	    .cause = note->cause,
	    .exit_end = note->exit_end,
	    .attempt = note->attempt,
	    .exit_value = note->exit_value,
	    .start_planned = note->next_start != 0};
}

static bool nobody_reads;

/* The monitor's channel to the parent, which holds little. */
enum channel_result
channel_send(int channel, const struct message *message, const int *descriptors, unsigned count)
{
	struct letter *letter = &now.letters[now.letter_count];

	(void)channel;
	(void)descriptors;
	(void)count;
	if (nobody_reads || message->type == MESSAGE_MARK)
		return CHANNEL_DONE;
	if (now.letter_count == LETTERS_MAX)
		return CHANNEL_AGAIN;
	rule(message_valid(message), "every request is a valid message");
	rule(message->index == INDEX && message->generation == GENERATION,
	    "every request is about this profile");
	memset(letter, 0, sizeof(*letter));
	letter->type = message->type;
	letter->number = message->number;
	if (message->type == MESSAGE_START || message->type == MESSAGE_NOTE)
		letter->note = brief(&message->note);
	now.letter_count++;
	return CHANNEL_DONE;
}

/*
 * The parent: what it tells.
 */

enum tell { TELL_PROFILE = 1, TELL_RECALL = 2, TELL_PROCESS = 4 };

static void
address(struct incoming *incoming, enum message_type type)
{
	memset(incoming, 0, sizeof(*incoming));
	message_begin(&incoming->message, type);
	incoming->message.index = INDEX;
	incoming->message.generation = GENERATION;
}

static unsigned
count_contents(void)
{
	return (unsigned)((scene->restart != NULL) + (scene->reload != NULL) +
	    (scene->kill_mode != NULL) + (scene->stop_timeout != NULL) + scene->pid_file);
}

static void
tell_content(enum setting setting, const char *content)
{
	static struct incoming incoming;

	if (content == NULL)
		return;
	address(&incoming, MESSAGE_SETTING);
	incoming.message.number = setting;
	incoming.message.setting.length = (uint32_t)strlen(content);
	memcpy(incoming.message.setting.bytes, content, strlen(content));
	intake_setting(NULL, &incoming);
}

static void
tell_profile(uint64_t trigger, uint32_t gone)
{
	static struct incoming incoming;

	address(&incoming, MESSAGE_PROFILE);
	strcpy(incoming.message.profile.name, "web");
	incoming.message.profile.trigger = trigger;
	incoming.message.profile.gone = gone;
	incoming.message.profile.settings = gone != 0 ? 0 : count_contents();
	intake_profile(NULL, &incoming);
	if (gone != 0)
		return;
	tell_content(SETTING_RESTART, scene->restart);
	tell_content(SETTING_RELOAD, scene->reload);
	tell_content(SETTING_KILL_MODE, scene->kill_mode);
	tell_content(SETTING_STOP_TIMEOUT, scene->stop_timeout);
	tell_content(SETTING_PID_FILE, scene->pid_file ? "daemon.pid" : NULL);
}

/*
 * The monitor: its entry of the profile, with what varies taken out and put in again.
 */

/* As it is when the profile has just been announced. */
static struct profile fresh;

/* What makes no difference, or no other difference than that it is there, gets one value. */
static void
level_out(struct profile *profile)
{
	profile->since_wall_ms = profile->exit_wall_ms = 0;
	profile->stop_since = 0;
	profile->exit_pid = 0;
	profile->restarts = profile->claims = 0;
	profile->failures = leveled_failures(profile->failures);
	profile->wish = (enum wish)leveled_wish(profile->wish);
	profile->overruled = false;			       /* nothing is to be kept */
	profile->stop_said = profile->say_found = false;       /* for the log */
	profile->process.started = profile->process.ended = 0; /* was looked at when it came */
	if (profile->timer != TIMER_NONE)
		profile->timer_at = LATER;
	if (profile->recalled_start != 0)
		profile->recalled_start = LATER;
	/* of a directory that is gone no contents are announced, and none are looked at */
	if (profile->facts.gone != 0) {
		profile->facts.settings = fresh.facts.settings;
		profile->draft = fresh.draft;
		profile->settings = fresh.settings;
		profile->settings_known = true;
	}
}

static void
pack(const struct profile *profile, struct brain *brain)
{
	memset(brain, 0, sizeof(*brain));
	if (profile == NULL)
		return;
	brain->present = true;
	brain->process = profile->process;
	brain->trigger = profile->facts.trigger;
	brain->gone = profile->facts.gone;
	brain->trigger_before = profile->trigger_before;
	brain->trigger_done = profile->trigger_done;
	brain->signals = profile->signals;
	brain->recalled_start = profile->recalled_start;
	brain->timer_at = profile->timer_at;
	brain->state = profile->state;
	brain->attempt = profile->attempt;
	brain->wish = profile->wish;
	brain->cause = profile->cause;
	brain->failures = profile->failures;
	brain->timer = profile->timer;
	brain->exit_end = profile->exit_end;
	brain->exit_value = profile->exit_value;
	brain->ask = profile->ask;
	brain->acquainted = profile->acquainted;
	brain->finished = profile->finished;
	brain->reload_owed = profile->reload_owed;
	brain->unnamed = profile->unnamed;
	brain->unproved = profile->unproved;
	brain->asking = profile->asking;
}

static struct profile *
unpack(const struct brain *brain)
{
	struct profile *profile = table_used(INDEX);

	nobody_reads = true; /* empties the queue of the profile that was there before */
	(void)parent_flush();
	nobody_reads = false;
	profile = table_used(INDEX);
	if (profile != NULL)
		table_free(profile);
	if (!brain->present)
		return NULL;
	profile = table_make(INDEX, GENERATION);
	*profile = fresh;
	if (brain->asking)
		parent_ask_note(profile);
	profile->process = brain->process;
	profile->facts.trigger = brain->trigger;
	profile->facts.gone = brain->gone;
	profile->trigger_before = brain->trigger_before;
	profile->trigger_done = brain->trigger_done;
	profile->signals = brain->signals;
	profile->recalled_start = brain->recalled_start;
	profile->timer_at = brain->timer_at;
	profile->state = (enum state)brain->state;
	profile->attempt = brain->attempt;
	profile->wish = (enum wish)brain->wish;
	profile->cause = (enum cause)brain->cause;
	profile->failures = brain->failures;
	profile->timer = (enum timer)brain->timer;
	profile->exit_end = (enum process_end)brain->exit_end;
	profile->exit_value = brain->exit_value;
	profile->ask = brain->ask;
	profile->acquainted = brain->acquainted;
	profile->finished = brain->finished;
	profile->reload_owed = brain->reload_owed;
	profile->unnamed = brain->unnamed;
	profile->unproved = brain->unproved;
	return profile;
}

static void
make_fresh(void)
{
	static const struct brain none;

	now.letter_count = 0;
	(void)unpack(&none); /* of the search before */
	tell_profile(2, 0);
	fresh = *table_used(INDEX);
	fresh.since_wall_ms = 0;
	memset(&fresh.queue, 0, sizeof(fresh.queue));
}

/* A member that varies and is not packed would make this search a lie. */
static void
check_packing(const struct brain *brain)
{
	struct profile before, after;
	struct profile *profile = table_used(INDEX);

	if (profile == NULL)
		return;
	before = *profile;
	after = *unpack(brain);
	memset(&before.queue, 0, sizeof(before.queue));
	memset(&after.queue, 0, sizeof(after.queue));
	if (memcmp(&before, &after, sizeof(before)) != 0) {
		size_t at = 0;

		while (((const char *)&before)[at] == ((const char *)&after)[at])
			at++;
		fail_msg("byte %zu of an entry is not packed", at);
	}
}

/*
 * Numbers that only grow are counted from the latest one.
 */

static uint64_t triggers[16];
static unsigned trigger_count;

static void
rename_trigger(uint64_t *trigger)
{
	unsigned i;

	if (*trigger == 0)
		return;
	for (i = 0; i < trigger_count && triggers[i] != *trigger;)
		i++;
	if (i == trigger_count)
		triggers[trigger_count++] = *trigger;
	*trigger = i + 2;
}

static void
rename_triggers(void)
{
	unsigned i;

	trigger_count = 0;
	rename_trigger(&now.trigger);
	rename_trigger(&now.process.trigger);
	rename_trigger(&now.brain.trigger);
	rename_trigger(&now.brain.trigger_before);
	rename_trigger(&now.brain.process.trigger);
	rename_trigger(&now.brain.trigger_done);
	rename_trigger(&now.note.trigger_done);
	rename_trigger(&now.answered);
	for (i = 0; i < now.letter_count; i++)
		rename_trigger(&now.letters[i].note.trigger_done);
}

static uint32_t last_attempt;

static void
look_at_attempt(uint32_t attempt)
{
	last_attempt = attempt > last_attempt ? attempt : last_attempt;
}

/* The latest is 4; all that are long past are 1; 0 is that there was none. */
static void
renumber(uint32_t *attempt)
{
	if (*attempt != 0)
		*attempt = last_attempt - *attempt >= 3 ? 1 : 4 - (last_attempt - *attempt);
}

static void
renumber_attempts(void)
{
	unsigned i;

	last_attempt = 0;
	look_at_attempt(now.process.attempt);
	look_at_attempt(now.brain.attempt);
	look_at_attempt(now.brain.process.attempt);
	look_at_attempt(now.note.attempt);
	for (i = 0; i < now.letter_count; i++)
		if (now.letters[i].type == MESSAGE_START)
			look_at_attempt(now.letters[i].number);
	renumber(&now.process.attempt);
	renumber(&now.brain.attempt);
	renumber(&now.brain.process.attempt);
	renumber(&now.note.attempt);
	for (i = 0; i < now.letter_count; i++) {
		renumber(&now.letters[i].note.attempt);
		if (now.letters[i].type == MESSAGE_START)
			renumber(&now.letters[i].number);
	}
}

/*
 * The parent: what it does, as requests.c, births.c and processes.c do it.
 */

static bool
main_lives(void)
{
	return now.process.phase == PHASE_ASKED || now.process.phase == PHASE_BORN ||
	    now.process.phase == PHASE_UP || now.process.phase == PHASE_PROVED;
}

static bool
spares_rest(void)
{
	return scene->kill_mode != NULL && strcmp(scene->kill_mode, "process") == 0;
}

static void
ends_unborn(void)
{
	now.process.phase = PHASE_NONE;
	now.process.end = END_UNBORN;
	now.process.ended = NOW;
	now.tell |= TELL_PROCESS;
}

static void
handle_start(const struct letter *letter)
{
	rule(now.process.phase == PHASE_NONE || now.process.phase == PHASE_REST,
	    "a start is asked for only when none lives");
	rule(now.process.phase == PHASE_NONE || spares_rest(),
	    "a start is asked for only when what was left behind has ended");
	if (now.process.phase != PHASE_NONE && now.process.phase != PHASE_REST)
		return;
	now.note = letter->note;
	memset(&now.process, 0, sizeof(now.process));
	now.process.attempt = letter->number;
	now.process.trigger = now.trigger;
	now.process.started = NOW - 20 * SECOND;
	now.told_to_stop = now.told_to_sweep = now.killed = false;
	now.answered = 0;
	if (now.gone != 0) {
		now.tell |= TELL_PROFILE;
		ends_unborn();
		return;
	}
	now.process.phase = PHASE_ASKED;
	now.tell |= TELL_PROCESS;
}

static void
handle_signal(int number)
{
	if (!main_lives())
		return;
	if (now.process.phase == PHASE_ASKED)
		ends_unborn();
	else if (number == SIGHUP)
		now.answered = now.trigger;
	else if (number == SIGKILL)
		now.killed = now.told_to_stop = true;
	else
		now.told_to_stop = true;
}

static void
handle_sweep(int number)
{
	if (now.process.phase == PHASE_NONE || now.process.phase == PHASE_ASKED)
		return;
	now.told_to_stop = now.told_to_sweep = true;
	now.killed |= number == SIGKILL;
}

static void
handle_forget(void)
{
	if (now.process.phase != PHASE_NONE) {
		rule(false, "nothing is forgotten of which something lives");
		return;
	}
	if (now.gone == 0) {
		now.tell |= TELL_PROFILE | TELL_RECALL | TELL_PROCESS;
		return;
	}
	memset(&now, 0, sizeof(now));
	now.forgotten = true;
}

static void
handle(const struct letter *letter)
{
	switch (letter->type) {
	case MESSAGE_START:
		handle_start(letter);
		break;
	case MESSAGE_SIGNAL:
		handle_signal((int)letter->number);
		break;
	case MESSAGE_SWEEP:
		handle_sweep((int)letter->number);
		break;
	case MESSAGE_NOTE:
		now.note = letter->note;
		break;
	case MESSAGE_FORGET:
		handle_forget();
		break;
	default:
		rule(false, "nothing else is asked about a profile");
		break;
	}
}

/*
 * Everything that can happen, each as a change of `now`. False: it cannot happen now.
 */

static bool
the_parent_takes_in_a_request(void)
{
	struct letter letter = now.letters[0];

	if (now.letter_count == 0)
		return false;
	now.letter_count--;
	memmove(now.letters, now.letters + 1, now.letter_count * sizeof(letter));
	memset(&now.letters[now.letter_count], 0, sizeof(letter));
	handle(&letter);
	return true;
}

static void
recall(void)
{
	static struct incoming incoming;
	struct note *note = &incoming.message.note;
	const struct brief_note *kept = &now.note;

	address(&incoming, MESSAGE_RECALL);
	note->trigger_done = kept->trigger_done;
	note->state = kept->state;
	note->wish = kept->wish;
	note->finished = kept->finished;
	note->failures = kept->failures;
	note->cause = kept->cause;
	note->exit_end = kept->exit_end;
	note->exit_value = kept->exit_value;
	note->attempt = kept->attempt;
	note->next_start = kept->start_planned ? LATER : 0;
	recall_take(NULL, &incoming);
}

static void
report_process(void)
{
	static struct incoming incoming;

	address(&incoming, MESSAGE_PROCESS);
	incoming.message.process = now.process;
	process_hear(NULL, &incoming);
}

/* In the order of inform.c, one at a time: the channel may be full after each. */
static bool
the_monitor_is_told(void)
{
	unsigned what = now.tell & ~(now.tell - 1); /* the lowest bit */

	if (what == 0)
		return false;
	now.tell &= ~what;
	if (what == TELL_PROFILE)
		tell_profile(now.trigger, now.gone);
	else if (what == TELL_RECALL)
		recall();
	else
		report_process();
	return true;
}

static bool
the_monitor_sends_its_requests(void)
{
	unsigned before = now.letter_count;

	(void)parent_flush();
	return now.letter_count != before;
}

static bool
the_child_is_born(void)
{
	if (now.process.phase != PHASE_ASKED)
		return false;
	now.process.phase = PHASE_BORN;
	now.process.pid = 4242;
	now.tell |= TELL_PROCESS;
	return true;
}

static bool
it_is_executed(void)
{
	if (now.process.phase != PHASE_BORN)
		return false;
	now.process.phase = scene->pid_file ? PHASE_UP : PHASE_PROVED;
	now.tell |= TELL_PROCESS;
	return true;
}

static bool
it_is_proved(void)
{
	if (now.process.phase != PHASE_UP)
		return false;
	now.process.phase = PHASE_PROVED;
	now.tell |= TELL_PROCESS;
	return true;
}

/* `run` leaves with success; the daemon that it has left has heard nothing of what it was told. */
static bool
it_leaves_a_daemon(void)
{
	if (now.process.phase != PHASE_UP || now.process.end != END_NONE)
		return false;
	now.process.end = END_EXIT;
	now.told_to_stop = false;
	now.tell |= TELL_PROCESS;
	return true;
}

static bool
it_cannot_be_executed(void)
{
	bool born = now.process.phase == PHASE_BORN;

	if (now.process.phase != PHASE_ASKED && !born)
		return false;
	ends_unborn();
	if (born && now.rest)
		now.process.phase = PHASE_REST; /* what the last one has left still lives */
	return true;
}

static bool
ends(enum process_end end, int value, bool leaves, bool at_once)
{
	if (!main_lives() || now.process.phase == PHASE_ASKED)
		return false;
	now.rest |= leaves;
	now.process.phase = now.rest ? PHASE_REST : PHASE_NONE;
	now.process.end = end;
	now.process.end_value = value;
	now.process.ended = at_once ? now.process.started : NOW;
	if (!now.rest)
		now.told_to_stop = now.told_to_sweep = now.killed = false;
	now.tell |= TELL_PROCESS;
	return true;
}

static bool
it_obeys(void)
{
	return now.told_to_stop && ends(END_SIGNAL, SIGSEGV, false, false);
}

static bool
it_is_killed(void)
{
	return ends(END_SIGNAL, SIGSEGV, false, false);
}

static bool
it_is_killed_at_once(void)
{
	return ends(END_SIGNAL, SIGSEGV, false, true);
}

static bool
it_exits_well(void)
{
	return ends(END_EXIT, 0, false, false);
}

static bool
it_is_killed_and_leaves_others(void)
{
	return ends(END_SIGNAL, SIGSEGV, true, false);
}

static bool
others_end(bool permitted)
{
	if (!now.rest || !permitted)
		return false;
	now.rest = now.told_to_sweep = false;
	if (now.process.phase != PHASE_REST)
		return true;
	now.process.phase = PHASE_NONE;
	now.told_to_stop = now.killed = false;
	now.tell |= TELL_PROCESS;
	return true;
}

static bool
others_obey(void)
{
	return others_end(now.told_to_sweep);
}

static bool
others_end_by_themselves(void)
{
	return others_end(true);
}

static bool
rings(enum timer timer)
{
	struct profile *profile = table_used(INDEX);

	if (profile == NULL || profile->timer != timer)
		return false;
	supervise_tend(NEVER);
	return true;
}

static bool
the_time_of_the_start_comes(void)
{
	return rings(TIMER_START);
}

static bool
start_timeout_runs_out(void)
{
	return rings(TIMER_LATE);
}

static bool
stop_timeout_runs_out(void)
{
	return rings(TIMER_OVERDUE);
}

/* What a client may ask, once the parent has told how the process stands. */
static struct profile *
known(void)
{
	struct profile *profile = table_used(INDEX);

	return profile != NULL && profile->acquainted && profile->facts.gone == 0 ? profile : NULL;
}

static bool
somebody_starts_it(void)
{
	if (known() == NULL)
		return false;
	supervise_start(known());
	return true;
}

static bool
somebody_stops_it(void)
{
	if (known() == NULL)
		return false;
	supervise_stop(known());
	return true;
}

static bool
somebody_restarts_it(void)
{
	if (known() == NULL)
		return false;
	supervise_restart(known());
	return true;
}

static bool
somebody_resets_it(void)
{
	if (known() == NULL)
		return false;
	supervise_reset(known());
	return true;
}

static bool
somebody_reloads_it(void)
{
	return known() != NULL && supervise_reload(known());
}

/* Is the monitor to be told of the last change before the next one? That is enough of them. */
static bool
change_is_news(void)
{
	return (now.tell & TELL_PROFILE) != 0;
}

static bool
its_files_change(void)
{
	if (now.gone != 0 || change_is_news())
		return false;
	now.trigger = 100;
	now.tell |= TELL_PROFILE;
	return true;
}

static bool
its_directory_disappears(void)
{
	if (now.gone != 0 || change_is_news())
		return false;
	now.gone = 1;
	now.tell |= TELL_PROFILE;
	return true;
}

static bool
its_directory_comes_back(void)
{
	if (now.gone == 0 || change_is_news())
		return false;
	now.gone = 0;
	now.trigger = 100;
	now.tell |= TELL_PROFILE;
	return true;
}

static void
replace_monitor(void)
{
	static const struct brain none;

	(void)unpack(&none);
	now.tell = TELL_PROFILE | TELL_RECALL | TELL_PROCESS;
}

static bool
the_monitor_dies_and_its_last_requests_with_it(void)
{
	memset(now.letters, 0, sizeof(now.letters));
	now.letter_count = 0;
	replace_monitor();
	return true;
}

static bool
the_monitor_dies_and_its_last_requests_are_taken_in(void)
{
	if (now.letter_count == 0)
		return false;
	while (the_parent_takes_in_a_request())
		;
	if (!now.forgotten)
		replace_monitor();
	return true;
}

/* The kinds of what can happen. */
#define FAIR	  1U /* happens by itself if one waits */
#define PROOF	  2U /* ... but not for certain: a daemon may never write its pid file */
#define DEATH	  4U
#define FAILURE	  8U  /* a death that counts */
#define CRASH	  16U /* of the monitor */
#define CLIENT	  32U
#define EDIT	  64U
#define DIRECTORY 128U
#define LEFTOVERS 256U

static const struct {
	bool (*happens)(void);
	const char *text;
	unsigned kind;
} incidents[] = {
#define INCIDENT(name, kind)      \
	{                         \
		name, #name, kind \
	}
    INCIDENT(the_parent_takes_in_a_request, FAIR),
    INCIDENT(the_monitor_is_told, FAIR),
    INCIDENT(the_monitor_sends_its_requests, FAIR),
    INCIDENT(the_child_is_born, FAIR),
    INCIDENT(it_is_executed, FAIR),
    INCIDENT(it_is_proved, PROOF),
    INCIDENT(it_leaves_a_daemon, PROOF),
    INCIDENT(it_obeys, FAIR),
    INCIDENT(others_obey, FAIR),
    INCIDENT(the_time_of_the_start_comes, FAIR),
    INCIDENT(start_timeout_runs_out, FAIR),
    INCIDENT(stop_timeout_runs_out, FAIR),
    INCIDENT(it_exits_well, DEATH),
    INCIDENT(it_is_killed, DEATH),
    INCIDENT(it_is_killed_at_once, FAILURE),
    INCIDENT(it_cannot_be_executed, FAILURE),
    INCIDENT(it_is_killed_and_leaves_others, LEFTOVERS),
    INCIDENT(others_end_by_themselves, LEFTOVERS),
    INCIDENT(the_monitor_dies_and_its_last_requests_with_it, CRASH),
    INCIDENT(the_monitor_dies_and_its_last_requests_are_taken_in, CRASH),
    INCIDENT(somebody_starts_it, CLIENT),
    INCIDENT(somebody_stops_it, CLIENT),
    INCIDENT(somebody_restarts_it, CLIENT),
    INCIDENT(somebody_resets_it, CLIENT),
    INCIDENT(somebody_reloads_it, CLIENT),
    INCIDENT(its_files_change, EDIT),
    INCIDENT(its_directory_disappears, DIRECTORY),
    INCIDENT(its_directory_comes_back, DIRECTORY),
};
#define INCIDENTS (sizeof(incidents) / sizeof(incidents[0]))

/* The number of the incident stands above the kind. */
#define KIND(incident) (incidents[incident].kind | (unsigned)(incident) << 8)

static bool
nothing_under_way(const struct situation *at)
{
	return at->tell == 0 && at->letter_count == 0 && !at->brain.asking;
}

/* What must be true when all words have arrived, and when they have not. */
static void
look_at_situation(void)
{
	const struct brain *brain = &now.brain;
	enum state state = (enum state)brain->state;

	rule(main_lives() || now.process.phase == PHASE_NONE || now.rest, "the model is sound");
	rule(brain->present || !nothing_under_way(&now),
	    "no profile is forgotten by the monitor alone");
	if (!brain->present || !brain->acquainted || !nothing_under_way(&now))
		return;
	rule(state != STATE_RUNNING || now.process.phase == PHASE_PROVED, "what is running lives");
	rule(state != STATE_STOPPED || !main_lives(), "what is stopped does not live");
	rule(state != STATE_STOPPED || now.process.phase == PHASE_NONE || spares_rest(),
	    "what is stopped has left nothing behind");
	rule(state != STATE_STOPPING || now.process.phase != PHASE_NONE,
	    "what is stopping still lives");
	rule(state != STATE_STARTING || main_lives(), "what is starting was asked for");
}

static void
print_step(const void *state, unsigned kind)
{
	static const char *const phases[] = {"none", "asked", "born", "up", "proved", "rest"};
	const struct situation *after = state;

	print_error("  %s: %s%s, timer %u, cause %u, ask %x, signals %llx; process %s, end %u, "
		    "told to stop %d, tell %x, letters %d, gone %u, note: %s\n",
	    kind == 0 ? "at the beginning" : incidents[kind >> 8].text,
	    after->brain.present ? state_name(after->brain.state) : "unknown",
	    after->brain.acquainted ? "" : " (unacquainted)", after->brain.timer,
	    after->brain.cause, after->brain.ask, (unsigned long long)after->brain.signals,
	    phases[after->process.phase], after->process.end, after->told_to_stop, after->tell,
	    after->letter_count, after->gone, state_name(after->note.state));
}

static void
fail_at(uint32_t number, const char *why)
{
	print_error("%s: broken: %s\n", scene->title, why);
	exploration_print_way(exploration, number, print_step);
	fail();
}

/* Takes the monitor's entry into the situation, and that into the search. */
static void
add_situation(uint32_t from, unsigned kind)
{
	struct profile *profile = table_used(INDEX);
	uint32_t count = exploration_count(exploration);
	struct brain packed;

	if (!now.forgotten) {
		if (profile != NULL)
			level_out(profile);
		pack(profile, &now.brain);
		packed = now.brain;
		look_at_situation();
		rename_triggers();
		renumber_attempts();
	}
	exploration_add(exploration, &now, from, kind);
	if (exploration_count(exploration) > count && !now.forgotten)
		check_packing(&packed);
	if (wrong != NULL) {
		if (from != EXPLORATION_BEGINNING)
			exploration_print_way(exploration, from, print_step);
		print_step(&now, kind);
		fail_msg("%s: broken: %s", scene->title, wrong);
	}
}

static void
explore_from(uint32_t number)
{
	struct situation before = *(const struct situation *)exploration_state(exploration, number);
	size_t i;

	if (before.forgotten)
		return;
	for (i = 0; i < INCIDENTS; i++) {
		if ((incidents[i].kind & (scene->kinds | FAIR | PROOF)) == 0)
			continue;
		now = before;
		(void)unpack(&now.brain);
		if (incidents[i].happens())
			add_situation(number, KIND(i));
	}
}

static bool
runs_with_its_files(const void *state)
{
	const struct situation *at = state;

	return at->brain.state == STATE_RUNNING && at->process.phase == PHASE_PROVED &&
	    at->gone == 0 && (at->process.trigger == at->trigger || at->answered == at->trigger);
}

static bool
is_stopped(const void *state)
{
	const struct situation *at = state;

	return at->forgotten ||
	    (nothing_under_way(at) && at->brain.state == STATE_STOPPED &&
		(at->process.phase == PHASE_NONE ||
		    (at->process.phase == PHASE_REST && spares_rest())));
}

static bool
is_forgotten(const void *state)
{
	return ((const struct situation *)state)->forgotten;
}

/* The monitor knows it, and nobody has asked for it to be stopped. */
static bool
wanted(const struct situation *at)
{
	return at->brain.present && at->brain.acquainted && at->gone == 0 &&
	    at->brain.wish != WISH_DOWN && !at->forgotten;
}

static bool
wanted_again(const struct situation *at)
{
	return wanted(at) && scene->restart != NULL && scene->restart[0] == '\0';
}

static bool
unwanted(const struct situation *at)
{
	return at->brain.present && at->brain.acquainted && at->brain.wish == WISH_DOWN &&
	    at->tell == 0 && !at->forgotten;
}

static bool
gone_for_good(const struct situation *at)
{
	return at->gone != 0 && !at->forgotten;
}

/* In every situation in which `condition` holds, waiting leads to the goal. */
static void
assert_leads(bool (*condition)(const struct situation *at), unsigned kinds,
    bool (*goal)(const void *state), const char *why)
{
	bool *leading = exploration_leading_to(exploration, kinds, goal);
	uint32_t number;

	for (number = 0; number < exploration_count(exploration); number++)
		if (condition(exploration_state(exploration, number)) && !leading[number])
			fail_at(number, why);
	free(leading);
}

static void
explore(const struct scene *which)
{
	uint32_t number;

	scene = which;
	memset(&now, 0, sizeof(now));
	exploration = exploration_begin(sizeof(now));
	make_fresh();
	replace_monitor();
	now.trigger = 2;
	add_situation(EXPLORATION_BEGINNING, 0);
	for (number = 0; number < exploration_count(exploration); number++)
		explore_from(number);
	print_message("%s: %u states, %u steps\n", scene->title, exploration_count(exploration),
	    exploration_steps(exploration));
	assert_leads(wanted_again, FAIR | PROOF, runs_with_its_files,
	    "what is wanted comes to run with its files");
	assert_leads(unwanted, FAIR, is_stopped, "what is not wanted comes to stop");
	assert_leads(gone_for_good, FAIR, is_forgotten, "what has gone is forgotten");
	exploration_end(exploration);
}

static void
a_service_that_is_always_started_again(void **state)
{
	static const struct scene always = {
	    .title = "restart", .restart = "", .kinds = DEATH | CRASH | CLIENT};

	(void)state;
	explore(&always);
}

static void
a_service_that_is_to_reload_when_its_files_change(void **state)
{
	static const struct scene reload = {
	    .title = "reload", .restart = "", .reload = "", .kinds = EDIT | CRASH};

	(void)state;
	explore(&reload);
}

static void
a_service_that_is_restarted_when_its_files_change(void **state)
{
	static const struct scene edit = {
	    .title = "edit", .restart = "", .kinds = EDIT | DEATH | CRASH};

	(void)state;
	explore(&edit);
}

static void
a_service_whose_directory_disappears_and_comes_back(void **state)
{
	static const struct scene directory = {
	    .title = "directory", .restart = "", .kinds = DIRECTORY | CRASH};

	(void)state;
	explore(&directory);
}

static void
a_service_that_leaves_others_behind(void **state)
{
	static const struct scene leftovers = {
	    .title = "leftovers", .restart = "", .kinds = LEFTOVERS | CRASH};
	static const struct scene spared = {.title = "spared leftovers",
	    .restart = "",
	    .kill_mode = "process",
	    .kinds = LEFTOVERS | FAILURE | CRASH};

	(void)state;
	explore(&leftovers);
	explore(&spared);
}

static void
a_daemon_that_has_to_be_proved(void **state)
{
	static const struct scene daemon = {.title = "pid_file",
	    .restart = "",
	    .stop_timeout = "5",
	    .pid_file = true,
	    .kinds = DEATH | CRASH};
	static const struct scene stopped = {
	    .title = "pid_file, and a client", .restart = "", .pid_file = true, .kinds = CLIENT};

	(void)state;
	explore(&daemon);
	explore(&stopped);
}

static void
a_service_that_is_started_again_after_a_failure(void **state)
{
	static const struct scene failure = {
	    .title = "on-failure", .restart = "on-failure", .kinds = DEATH | FAILURE | CRASH};

	(void)state;
	explore(&failure);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_service_that_is_always_started_again),
	    cmocka_unit_test(a_service_that_is_to_reload_when_its_files_change),
	    cmocka_unit_test(a_service_that_is_restarted_when_its_files_change),
	    cmocka_unit_test(a_service_whose_directory_disappears_and_comes_back),
	    cmocka_unit_test(a_service_that_leaves_others_behind),
	    cmocka_unit_test(a_daemon_that_has_to_be_proved),
	    cmocka_unit_test(a_service_that_is_started_again_after_a_failure),
	};

	return cmocka_run_group_tests_name("supervise", tests, NULL, NULL);
}
