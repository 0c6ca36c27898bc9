#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "bucket.h"
#include "clock.h"
#include "commands.h"
#include "explain.h"
#include "history.h"
#include "log.h"
#include "output.h"
#include "parent.h"
#include "supervise.h"
#include "vocabulary.h"
#include "words.h"

/* A user who is not root may give so many commands at once, and then so many a second: each is a
 * line in the log. Those as whom no profile runs share one bucket. */
#define TOKENS_MAX  20
#define TOKEN_EVERY (100 * MILLISECOND)

/* Who asked without pause would slow down to a tenth whoever prints most. */
#define GIVE_WAY_AGAIN (50 * MILLISECOND)

/* What unmapped users of other user namespaces look like, user_namespaces(7): nobody in particular,
 * who owns nothing. */
#define OVERFLOW_UID 65534

static bool changed;		  /* clients may have something to be told */
static int64_t next_more = NEVER; /* ... or will then */

/* A follower is told so often at most. */
#define MORE_EVERY (20 * MILLISECOND)

/* How long a file that a client is to have is not put aside for want of the client's reading. */
#define READ_WITHIN (1 * SECOND)

/* Who has asked for a start is told that it runs when it has run for so long: what cannot find its
 * files or its port has died by then. A pid_file proves more than this time does. */
#define STEADY_AFTER (250 * MILLISECOND)

/* A profile that has just been made is not known yet. Who wants it to do something waits for it for
 * so long, and no less where there is one of that name that is not theirs. */
#define APPEARS_WITHIN (200 * MILLISECOND)

/* What was edited before a command counts for it, if the files are still within this time: one who
 * never stops editing does not keep his service from being stopped. */
#define SETTLES_WITHIN (1 * SECOND)

static bool
take_token(const struct client *client)
{
	static struct bucket buckets[BUCKETS];
	struct bucket *bucket;

	if (client->admin)
		return true;
	bucket = bucket_of(buckets, client->stranger ? OVERFLOW_UID : client->uid);
	if (bucket_wait(bucket, clock_now(), TOKENS_MAX, TOKEN_EVERY) > 0)
		return false;
	bucket->full += TOKEN_EVERY;
	return true;
}

/* What still runs as somebody else is not theirs, though the profile may be by now. */
static bool
owns(uint32_t uid, const struct profile *profile)
{
	return profile->facts.uid == uid && uid != 0 && uid != OVERFLOW_UID &&
	    profile->facts.account[0] != '\0' &&
	    (!supervise_lives(profile) || profile->process.uid == uid);
}

bool
commands_owner(uint32_t uid)
{
	const struct profile *profile;
	uint32_t index;

	PROFILES_FOREACH(profile, index) {
		if (owns(uid, profile))
			return true;
	}
	return false;
}

/* The one place where a client's eyes end. */
static bool
may_see(const struct client *client, const struct profile *profile)
{
	return client->admin || owns(client->uid, profile);
}

/* Every name is compared, whether or not an earlier one has matched and whoever owns it: how long
 * it takes says nothing about what there is. */
static struct profile *
find(const struct client *client, const char *name)
{
	struct profile *profile, *found = NULL;
	uint32_t index;

	PROFILES_FOREACH(profile, index) {
		/* a command must not come before we know how its process stands */
		if (strcmp(profile->facts.name, name) == 0 && may_see(client, profile) &&
		    profile->acquainted)
			found = profile;
	}
	return found;
}

static struct profile *
asked_profile(const struct client *client)
{
	return table_at(client->index, client->generation);
}

static void
answer(struct client *client, enum result result, const char *text)
{
	memset(&client->answer, 0, sizeof(client->answer));
	client->answer.result = result;
	(void)snprintf(client->answer.text, sizeof(client->answer.text), "%s", text);
	client->task = CLIENT_ANSWERS;
	client->mark = parent_next_mark();
}

static void
say_command(const struct client *client, const char *tag)
{
	const char *verb = verb_rules[client->ask.verb].name;
	char text[SIGNAL_TEXT_BYTES];

	if (client->ask.verb == VERB_SIGNAL)
		log_line(tag, SAY_SIGNAL_BY, verb,
		    signal_to_text((int)client->ask.number, text, sizeof(text)), client->uid);
	else
		log_line(tag, SAY_COMMAND_BY, verb, client->uid);
}

/* What was asked for before is waited for, and that by name. */
static bool
changes(const struct ask *ask)
{
	return verb_rules[ask->verb].changes &&
	    ((ask->flags & ASK_ALREADY) == 0 || ask->name[0] == '\0');
}

static void
refuse(struct client *client, enum result result, const char *text)
{
	const struct verb_rule *rule = &verb_rules[client->ask.verb];

	if (changes(&client->ask) && client->ask.name[0] == '\0')
		log_line(TAG_PROCLAUNCH, SAY_COMMAND_REFUSED, rule->name, client->uid);
	else if (changes(&client->ask))
		log_line(TAG_PROCLAUNCH, SAY_COMMAND_REFUSED_NAME, rule->name, client->uid,
		    client->ask.name);
	answer(client, result, text);
}

static const char no_profile[] = "no such profile";
static const char disappeared[] = "it has disappeared";

/* The client is continued at this time, if not before. */
static void
continue_at(struct client *client, int64_t when)
{
	client->more_at = when;
	next_more = clock_earlier(next_more, when);
}

/* Does it run, and go on doing so? If that is too early to say, the client is looked at again: when
 * it has run for long enough, and when the parent, who may be late, has said whether it died. */
static bool
runs_steadily(struct client *client, const struct profile *profile)
{
	int64_t steady = profile->process.started + STEADY_AFTER;

	if (profile->state != STATE_RUNNING) {
		client->steady = 0;
		return false;
	}
	if (profile->settings.pid_file)
		return true;
	if (steady > clock_now()) {
		client->steady = 0;
		continue_at(client, steady);
		return false;
	}
	if (client->steady == 0) {
		parent_owe_mark();
		client->steady = parent_next_mark();
	}
	client->more_at = steady; /* that the mark is back all are told */
	return parent_has_done(client->steady);
}

/* What it asked about has gone, or was given to somebody else meanwhile. */
static bool
loses_sight(struct client *client)
{
	const struct profile *profile = asked_profile(client);

	if (client->index == NO_PROFILE || (profile != NULL && may_see(client, profile)))
		return false;
	answer(client, RESULT_NO_PROFILE, profile == NULL ? disappeared : no_profile);
	return true;
}

/* Has what the client asked for come about? Answers it when that is settled either way. */
static void
look_whether_settled(struct client *client)
{
	const struct profile *profile = asked_profile(client);
	struct row row;

	client->more_at = NEVER;
	if (loses_sight(client))
		return;
	switch (client->ask.verb) {
	case VERB_WAIT:
		if (profile->state == (enum state)client->ask.number)
			answer(client, RESULT_DONE, "");
		return;
	case VERB_STOP:
	case VERB_DISABLE:
		if (profile->state == STATE_STOPPED)
			answer(client, RESULT_DONE, "");
		return;
	default:
		break;
	}
	if (profile->facts.gone != 0) {
		answer(client, RESULT_NO_PROFILE, disappeared); /* however long it takes to end */
	} else if (client->ask.verb == VERB_RESTART && !supervise_accepted(profile)) {
		explain_row(profile, &row);
		answer(client, RESULT_FAILED, row.reason);
	} else if (runs_steadily(client, profile)) {
		answer(client, RESULT_DONE, "");
	} else if (profile->state == STATE_STOPPED &&
	    (profile->finished || profile->timer == TIMER_START || !supervise_accepted(profile) ||
		!supervise_wanted(profile))) {
		explain_row(profile, &row);
		answer(client,
		    profile->finished && profile->exit_end == END_EXIT && profile->exit_value == 0
			? RESULT_DONE
			: RESULT_FAILED,
		    row.reason);
	}
}

static void
wait_for_profile(struct client *client)
{
	client->task = CLIENT_WAITS;
	if ((client->ask.flags & ASK_NO_WAIT) != 0)
		answer(client, RESULT_DONE, "");
	else
		look_whether_settled(client);
}

static void
keep(struct client *client, struct profile *profile, enum wish wish)
{
	client->task = CLIENT_KEEPS;
	parent_ask_keep(profile, wish);
}

static enum stream
stream_of(const struct client *client)
{
	return client->ask.number == STREAM_ERROR ? STREAM_ERROR : STREAM_OUTPUT;
}

/* Asks for a file for the client: our own log it is only where none of a profile was asked for. */
static void
ask_for_log(struct client *client, uint32_t age)
{
	if (loses_sight(client))
		return;
	client->task = CLIENT_OPENS;
	client->age = age;
	parent_ask_read(asked_profile(client), stream_of(client), age);
}

/* The older file first, whose end comes before the other's. Both are asked for at once, since to
 * ask takes longer than to open them. */
static void
begin_log(struct client *client)
{
	client->reopen = false;
	ask_for_log(client, 0);
	client->ahead = client->task == CLIENT_OPENS;
	if (client->ahead)
		ask_for_log(client, 1);
}

/* Why there may be nothing to read although the service prints: nobody is to take silence for an
 * answer. */
static const char *
remark_on_log(const struct client *client)
{
	const struct profile *profile = asked_profile(client);

	if (profile != NULL && profile->settings.output.discard)
		return "what it prints is discarded: see its output file";
	if (profile != NULL && client->ask.number == STREAM_ERROR &&
	    !profile->settings.output.separate_error)
		return "it does not keep standard error apart: leave out --stderr";
	return "";
}

static void
after_file(struct client *client)
{
	bool goes_on = (client->ask.flags & ASK_FOLLOW) != 0;

	if (client->age == 1 && client->ahead) {
		client->ahead = false;
		client->age = 0;
		client->task = CLIENT_OPENS;
	} else if (client->age == 1 || (client->reopen && goes_on)) {
		client->reopen = false;
		ask_for_log(client, 0);
	} else if (goes_on) {
		client->task = CLIENT_FOLLOWS;
	} else {
		client->reopen = false; /* what there was when it asked it has */
		answer(client, RESULT_DONE, remark_on_log(client));
	}
}

/* The transition of that number, if the client may see it and has asked for it. */
static const struct history_entry *
transition_for(const struct client *client, uint64_t number)
{
	const struct history_entry *transition = history_at(number);
	uint32_t uid = transition->uid;

	if (!client->admin && (uid != client->uid || uid == 0 || uid == OVERFLOW_UID))
		return NULL;
	if (client->ask.name[0] != '\0' && strcmp(transition->name, client->ask.name) != 0)
		return NULL;
	return transition;
}

static bool
send_transition(struct client *client, const struct history_entry *transition)
{
	struct message message;
	struct transition_facts *facts = &message.transition;

	message_begin(&message, MESSAGE_TRANSITION);
	memcpy(facts->name, transition->name, sizeof(facts->name));
	facts->wall_ms = transition->wall_ms;
	facts->from = transition->from;
	facts->to = transition->to;
	facts->pid = transition->pid;
	facts->number = transition->number;
	(void)snprintf(facts->reason, sizeof(facts->reason), "%s", transition->reason);
	return control_send(client, &message);
}

/* Where the last `count` transitions begin that the client may see. */
static uint64_t
first_of_last(const struct client *client, uint32_t count)
{
	uint64_t number = history_next();

	while (count > 0 && number > history_oldest())
		if (transition_for(client, --number) != NULL)
			count--;
	return number;
}

static void
begin_for_all(struct client *client)
{
	switch (client->ask.verb) {
	case VERB_EVENTS:
		client->task = CLIENT_HISTORY;
		client->next_transition = first_of_last(client, client->ask.number);
		break;
	case VERB_LOG:
		begin_log(client);
		break;
	case VERB_REOPEN:
		output_reopen();
		parent_ask_reopen();
		client->task = CLIENT_REOPENS;
		break;
	case VERB_PING:
	case VERB_VERSION:
		answer(client, RESULT_DONE, "");
		client->mark = 0; /* that we live does not depend on the parent */
		break;
	default: /* list, check, metrics */
		client->task = CLIENT_ROWS;
		client->next_row = 0;
		break;
	}
}

static void
carry_out(struct client *client, struct profile *profile)
{
	switch (client->ask.verb) {
	case VERB_START:
		supervise_start(profile);
		wait_for_profile(client);
		break;
	case VERB_STOP:
		supervise_stop(profile);
		wait_for_profile(client);
		break;
	case VERB_RESTART:
		supervise_restart(profile);
		wait_for_profile(client);
		break;
	case VERB_WAIT:
		wait_for_profile(client);
		break;
	case VERB_RELOAD:
		answer(client, supervise_reload(profile) ? RESULT_DONE : RESULT_NOT_RUNNING, "");
		break;
	case VERB_SIGNAL:
		answer(client,
		    supervise_signal(profile, (int)client->ask.number) ? RESULT_DONE
								       : RESULT_NOT_RUNNING,
		    "");
		break;
	case VERB_RESET:
		supervise_reset(profile);
		answer(client, RESULT_DONE, "");
		break;
	case VERB_ENABLE:
		keep(client, profile, WISH_UP);
		break;
	case VERB_DISABLE:
		keep(client, profile, WISH_DOWN);
		break;
	case VERB_EVENTS:
		begin_for_all(client);
		break;
	case VERB_LOG:
		begin_log(client);
		break;
	default: /* status, explain */
		client->task = CLIENT_ROWS;
		client->next_row = table_index(profile);
		break;
	}
}

/* What the client has edited before it gave the command is known. */
static void
obey(struct client *client)
{
	struct profile *profile = asked_profile(client);

	client->more_at = NEVER;
	client->mark = parent_next_mark();
	if (profile == NULL || !may_see(client, profile)) {
		refuse(client, RESULT_NO_PROFILE, no_profile); /* any more */
		return;
	}
	say_command(client, profile->facts.name);
	carry_out(client, profile);
}

/* Others have root look into its own directory for nothing, whose lock they can keep if they may
 * list it: getdents(2) into a page that takes long to come. */
static bool
may_have_edited(const struct client *client, const struct profile *profile)
{
	return client->admin || client->uid == profile->facts.owner;
}

/* The client has asked for this profile. */
static void
turn_to(struct client *client, struct profile *profile)
{
	client->index = table_index(profile);
	client->generation = profile->generation;
	if (changes(&client->ask) && may_have_edited(client, profile)) {
		client->task = CLIENT_SETTLES;
		client->settle = parent_ask_settle(profile);
		continue_at(client, clock_now() + SETTLES_WITHIN);
	} else if (changes(&client->ask)) {
		client->task = CLIENT_SETTLES;
		continue_at(client, 0);
	} else if ((client->ask.flags & ASK_ALREADY) != 0) {
		wait_for_profile(client);
	} else {
		carry_out(client, profile);
	}
}

static void
seek(struct client *client)
{
	struct profile *profile = find(client, client->ask.name);

	client->more_at = NEVER;
	if (profile != NULL)
		turn_to(client, profile);
	else
		refuse(client, RESULT_NO_PROFILE, no_profile);
}

/* Whoever prints most gives way to one as whom a profile runs. */
static void
give_way(const struct client *client)
{
	static int64_t again;

	if (client->stranger || clock_now() < again)
		return;
	output_give_way();
	again = clock_now() + GIVE_WAY_AGAIN;
}

void
commands_begin(struct client *client, const struct ask *ask)
{
	const struct verb_rule *rule = &verb_rules[ask->verb];
	struct profile *profile;

	give_way(client);
	client->ask = *ask;
	client->index = NO_PROFILE;
	client->steady = 0;
	client->mark = parent_next_mark();
	if (changes(ask) && !take_token(client)) {
		answer(client, RESULT_BUSY, "too many commands at once: wait a moment");
		return;
	}
	if (rule->authority == AUTHORITY_ROOT && !client->admin) {
		refuse(client, RESULT_ROOT_ONLY, "this is root's alone");
		return;
	}
	if (ask->verb == VERB_SIGNAL &&
	    (ask->number >= NSIG || !signal_permitted((int)ask->number))) {
		refuse(client, RESULT_REFUSED, "not a signal that may be sent");
		return;
	}
	if (ask->verb == VERB_LOG && ask->name[0] == '\0' && !client->admin) {
		refuse(client, RESULT_ROOT_ONLY,
		    "the supervisor's own log is root's alone: name a profile");
		return;
	}
	if (ask->name[0] == '\0' && (rule->authority != AUTHORITY_OWNER || ask->verb == VERB_LOG)) {
		if (changes(ask))
			say_command(client, TAG_PROCLAUNCH);
		begin_for_all(client);
		return;
	}
	profile = find(client, ask->name);
	if (profile != NULL) {
		turn_to(client, profile);
	} else if (rule->changes || ask->verb == VERB_WAIT) {
		client->task = CLIENT_SEEKS;
		continue_at(client, clock_now() + APPEARS_WITHIN);
	} else {
		refuse(client, RESULT_NO_PROFILE, no_profile);
	}
}

static void
look_whether_sought(struct client *client, void *context)
{
	const struct profile *profile = context;

	if (client->task == CLIENT_SEEKS && strcmp(client->ask.name, profile->facts.name) == 0 &&
	    may_see(client, profile))
		continue_at(client, 0);
}

void
commands_acquainted(const struct profile *profile)
{
	control_each(look_whether_sought, (void *)(uintptr_t)profile);
}

static void
look_whether_still(struct client *client, void *context)
{
	const struct message *message = context;

	if (client->task == CLIENT_SETTLES && client->index == message->index &&
	    client->generation == message->generation &&
	    (int32_t)(message->number - client->settle) >= 0)
		continue_at(client, 0);
}

void
commands_settled(void *subject, struct incoming *incoming)
{
	(void)subject;
	control_each(look_whether_still, &incoming->message);
}

/* Fills the message with the next rows that the client may see; returns where to go on. */
static uint32_t
collect_rows(const struct client *client, struct rows *rows)
{
	const struct profile *profile;
	uint32_t index;

	for (index = client->next_row; index < table_end() && rows->count < ROWS_MAX; index++) {
		profile = table_used(index);
		if (profile != NULL && may_see(client, profile))
			explain_row(profile, &rows->rows[rows->count++]);
		if (client->index != NO_PROFILE)
			return table_end(); /* it asked for one */
	}
	return index;
}

static bool
send_rows(struct client *client)
{
	struct message message;
	uint32_t next;

	while (client->next_row < table_end()) {
		message_begin(&message, MESSAGE_ROWS);
		next = collect_rows(client, &message.rows);
		if (message.rows.count > 0 && !control_send(client, &message))
			return false;
		client->next_row = next;
	}
	answer(client, RESULT_DONE, "");
	return true;
}

static bool
send_history(struct client *client)
{
	const struct history_entry *transition;

	if (client->next_transition < history_oldest()) {
		answer(client, RESULT_FAILED, "too slow: transitions were lost");
		return true;
	}
	for (; client->next_transition < history_next(); client->next_transition++) {
		if (!parent_has_done(history_at(client->next_transition)->mark))
			return true;
		transition = transition_for(client, client->next_transition);
		if (transition != NULL && !send_transition(client, transition))
			return false;
	}
	if ((client->ask.flags & ASK_FOLLOW) == 0)
		answer(client, RESULT_DONE, "");
	return true;
}

static bool
send_answer(struct client *client)
{
	struct message message;

	if (verb_rules[client->ask.verb].changes) { /* who is told so finds it in the log */
		(void)parent_flush();
		log_flush();
	}
	message_begin(&message, MESSAGE_ANSWER);
	message.answer = client->answer;
	if (!control_send(client, &message))
		return false;
	client->task = CLIENT_READS;
	return true;
}

static void
look_at_client(struct client *client, void *context)
{
	const struct profile *profile = context;

	if (client->task == CLIENT_WAITS && asked_profile(client) == profile)
		look_whether_settled(client);
}

void
commands_look(const struct profile *profile)
{
	control_each(look_at_client, (void *)(uintptr_t)profile);
	changed = true; /* answers are sent, and followers told, when the turn is over */
}

static void
disappoint(struct client *client, void *context)
{
	if (asked_profile(client) != context)
		return;
	if (client->task == CLIENT_SETTLES || client->task == CLIENT_WAITS ||
	    client->task == CLIENT_KEEPS || client->task == CLIENT_OPENS ||
	    client->task == CLIENT_FOLLOWS)
		answer(client, RESULT_NO_PROFILE, disappeared);
}

void
commands_done(void)
{
	changed = true;
}

void
commands_forget(const struct profile *profile)
{
	control_each(disappoint, (void *)(uintptr_t)profile);
	changed = true;
}

static void
take_kept(struct client *client, void *context)
{
	const struct message *message = context;
	const struct profile *profile = asked_profile(client);

	if (client->task != CLIENT_KEEPS || client->index != message->index)
		return;
	if (message->number != 0)
		answer(client, RESULT_FAILED, strerror((int)message->number));
	else if (profile != NULL && profile->overruled)
		answer(client, RESULT_DONE, ""); /* it holds for the next boot */
	else
		wait_for_profile(client);
	changed = true;
}

void
commands_kept(void *subject, struct incoming *incoming)
{
	struct message *message = &incoming->message;
	struct profile *profile = table_at(message->index, message->generation);

	(void)subject;
	if (profile != NULL && message->number == 0)
		supervise_kept(profile, profile->keep);
	control_each(take_kept, message);
}

static bool
send_file(struct client *client)
{
	struct message message;

	message_begin(&message, MESSAGE_FILE);
	message.number = client->age;
	if (!control_send_file(client, &message))
		return false;
	after_file(client);
	return true;
}

/* Is it a file of the log that the client has asked for? */
static bool
is_of_log(const struct client *client, const struct message *message)
{
	return client->index == message->index &&
	    (client->index == NO_PROFILE || client->generation == message->generation) &&
	    stream_of(client) == message->file.stream;
}

/* ... and the one that it waits for? */
static bool
opens(const struct client *client, const struct message *message)
{
	return is_of_log(client, message) && client->task == CLIENT_OPENS &&
	    client->age == message->file.age;
}

/* The last client that was handed a file: who comes after it in the table is next. */
static const struct client *served;

struct handing {
	const struct message *message;
	struct client *next; /* NULL: nobody waits */
};

static void
find_next(struct client *client, void *context)
{
	struct handing *handing = context;

	if (opens(client, handing->message) &&
	    (handing->next == NULL || (handing->next <= served && client > served)))
		handing->next = client;
}

/* The file is another client's: it is opened once more for who waits for it, too, since they would
 * share the place where they read. Who has no room yet for the one before asks again when it has.
 */
static void
ask_again(struct client *client, void *context)
{
	const struct message *message = context;

	if (opens(client, message))
		ask_for_log(client, client->age);
	else if ((client->task == CLIENT_OPENS || client->task == CLIENT_FILE) &&
	    message->file.age == 0 && is_of_log(client, message))
		client->ahead = false;
}

void
commands_readable(void *subject, struct incoming *incoming)
{
	struct message *message = &incoming->message;
	struct handing handing = {.message = message};
	struct client *client;

	(void)subject;
	control_each(find_next, &handing);
	client = handing.next;
	if (client != NULL) {
		/* without one: nothing was printed yet, or never so much */
		client->file = incoming->count > 0 ? channel_take(incoming) : -1;
		client->task = CLIENT_FILE;
		served = client;
	}
	control_each(ask_again, message);
	if (client == NULL)
		return;
	if (client->file != -1 && !client->admin && asked_profile(client) != NULL)
		output_lend(asked_profile(client));
	control_continue(client); /* it holds no more than one, and the next may have come */
}

/* Does the client follow the log of the profile, or with NULL our own? */
static bool
follows(const struct client *client, const struct profile *profile)
{
	return client->task == CLIENT_FOLLOWS && asked_profile(client) == profile &&
	    (profile != NULL || client->index == NO_PROFILE);
}

static void
tell_more(struct client *client, void *context)
{
	if (!follows(client, context))
		return;
	if (client->more_at == NEVER)
		client->more_at = 0;
	client->more_due = true;
	next_more = clock_earlier(next_more, client->more_at);
}

void
commands_log_grew(const struct profile *profile)
{
	control_each(tell_more, (void *)(uintptr_t)profile);
}

/* One that has no room for the descriptor gets a moment to read, and no more: the service waits. */
static bool
gets_file(const struct client *client)
{
	return client->task == CLIENT_OPENS ||
	    (client->task == CLIENT_FILE &&
		(!client->blocked || clock_now() - client->blocked_at < READ_WITHIN));
}

static void
look_whether_opening(struct client *client, void *context)
{
	const struct profile **profile = context;

	if (*profile != NULL && gets_file(client) && asked_profile(client) == *profile)
		*profile = NULL;
}

bool
commands_opening(const struct profile *profile)
{
	control_each(look_whether_opening, &profile);
	return profile == NULL;
}

static void
open_again(struct client *client, void *context)
{
	bool same =
	    context != NULL ? asked_profile(client) == context : client->index == NO_PROFILE;

	if (follows(client, context)) {
		ask_for_log(client, 0);
	} else if (same && (client->task == CLIENT_OPENS || client->task == CLIENT_FILE)) {
		client->reopen = true; /* when it has the one that it waits for */
	}
}

void
commands_log_rotated(const struct profile *profile)
{
	control_each(open_again, (void *)(uintptr_t)profile);
	changed = true; /* who is told that it is not his any more has nothing else to wait for */
}

static void
take_reopened(struct client *client, void *context)
{
	const int *error = context;

	if (client->task == CLIENT_REOPENS && *error == 0)
		answer(client, RESULT_DONE, "");
	else if (client->task == CLIENT_REOPENS)
		answer(client, RESULT_FAILED, strerror(*error));
}

void
commands_reopened(int error)
{
	control_each(take_reopened, &error);
	changed = true;
}

static bool
send_more(struct client *client)
{
	int64_t now = clock_now();
	struct message message;

	if (!client->more_due) {
		client->more_at = NEVER;
		return true;
	}
	if (client->more_at > now) {
		next_more = clock_earlier(next_more, client->more_at);
		return true;
	}
	if (loses_sight(client))
		return true;
	message_begin(&message, MESSAGE_MORE);
	if (!control_send(client, &message))
		return false;
	client->more_due = false;
	client->more_at = now + MORE_EVERY;
	return true;
}

void
commands_continue(struct client *client)
{
	bool room = true;

	if ((client->task == CLIENT_SEEKS || client->task == CLIENT_SETTLES) &&
	    client->more_at > clock_now()) {
		continue_at(client, client->more_at);
		return;
	}
	if (client->task == CLIENT_SEEKS)
		seek(client);
	if (client->task == CLIENT_SETTLES && client->more_at <= clock_now())
		obey(client);
	if (client->task == CLIENT_WAITS && client->more_at != NEVER)
		look_whether_settled(client);
	/* who has been told what comes next may rely on it: whatever dies, it is in the ledger */
	if (!parent_has_done(client->mark))
		return;
	if (client->task == CLIENT_ROWS)
		room = send_rows(client);
	else if (client->task == CLIENT_HISTORY)
		room = send_history(client);
	else if (client->task == CLIENT_FILE)
		room = send_file(client);
	else if (client->task == CLIENT_FOLLOWS)
		room = send_more(client);
	if (room && client->task == CLIENT_ANSWERS && parent_has_done(client->mark))
		(void)send_answer(client);
}

int64_t
commands_deadline(void)
{
	return next_more;
}

bool
commands_changed(int64_t now)
{
	bool was_changed = changed || next_more <= now;

	changed = false;
	if (was_changed)
		next_more = NEVER;
	return was_changed;
}
