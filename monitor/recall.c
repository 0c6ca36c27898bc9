#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "output.h"
#include "recall.h"
#include "supervise.h"

/* A first scan may take as long as it likes: when nobody has been recalled for so long, the log
 * goes on with what is known. */
#define TOLD_WITHIN (1 * SECOND)

static int64_t decide_by;

void
recall_note(const struct profile *profile, struct note *note)
{
	note->next_start = profile->timer == TIMER_START ? profile->timer_at : 0;
	note->since_wall_ms = profile->since_wall_ms;
	note->exit_wall_ms = profile->exit_wall_ms;
	note->trigger_done = profile->trigger_done;
	note->state = profile->state;
	note->wish = profile->wish;
	note->finished = profile->finished;
	note->failures = profile->failures;
	note->restarts = profile->restarts;
	note->exit_end = profile->exit_end;
	note->exit_pid = profile->exit_pid;
	note->exit_value = profile->exit_value;
	note->cause = profile->cause;
	note->attempt = profile->attempt;
	note->stop_signal = (uint32_t)profile->settings.stop_signal;
	note->reload_signal = (uint32_t)profile->settings.reload_signal;
	note->start_timeout = profile->settings.start_timeout;
	note->stop_timeout = profile->settings.stop_timeout;
	note->restart = profile->settings.restart;
	note->kill_mode = profile->settings.kill_mode;
	note->start_flags =
	    profile->settings.output.separate_error ? (uint32_t)START_SEPARATE_ERROR : 0;
	note->settings_known = profile->settings_known;
	output_note(profile, note->dropped);
	note->logged = log_reached(profile->logged);
}

static bool
timeout_recallable(uint32_t seconds)
{
	return seconds >= 1 && seconds <= TIMEOUT_MAX;
}

/* An attacker who owned the last monitor could have noted anything; it must not become ours. */
static bool
recallable(const struct note *note)
{
	if (note->state >= STATE_COUNT || note->wish >= WISH_COUNT || note->exit_end >= END_COUNT ||
	    note->cause >= CAUSE_COUNT || note->next_start < 0)
		return false;
	return note->settings_known == 0 ||
	    (note->restart <= RESTART_ON_FAILURE && note->kill_mode <= KILL_PROCESS &&
		note->stop_signal < NSIG && signal_permitted((int)note->stop_signal) &&
		(note->reload_signal == 0 ||
		    (note->reload_signal < NSIG && signal_permitted((int)note->reload_signal))) &&
		timeout_recallable(note->start_timeout) &&
		(note->stop_timeout == NO_TIMEOUT || timeout_recallable(note->stop_timeout)));
}

static void
recall_settings(struct profile *profile, const struct note *note)
{
	if ((supervise_accepted(profile) && profile->facts.gone == 0) || note->settings_known == 0)
		return; /* the files say it themselves, or nobody knows */
	profile->settings.stop_signal = (int)note->stop_signal;
	profile->settings.reload_signal = (int)note->reload_signal;
	profile->settings.start_timeout = note->start_timeout;
	profile->settings.stop_timeout = note->stop_timeout;
	profile->settings.restart = (enum restart_policy)note->restart;
	profile->settings.kill_mode = (enum kill_mode)note->kill_mode;
	profile->settings_known = true;
}

void
recall_take(void *subject, struct incoming *incoming)
{
	const struct message *message = &incoming->message;
	const struct note *note = &message->note;
	struct profile *profile = table_at(message->index, message->generation);

	(void)subject;
	if (profile == NULL || profile->acquainted || !recallable(note))
		return;
	profile->state = (enum state)note->state;
	if (note->since_wall_ms != 0)
		profile->since_wall_ms = note->since_wall_ms;
	profile->exit_wall_ms = note->exit_wall_ms;
	profile->trigger_done = note->trigger_done;
	profile->wish = (enum wish)note->wish;
	profile->finished = note->finished != 0;
	profile->failures = note->failures;
	profile->restarts = note->restarts;
	profile->exit_end = (enum process_end)note->exit_end;
	profile->exit_pid = note->exit_pid;
	profile->exit_value = note->exit_value;
	profile->cause = (enum cause)note->cause;
	/* after a death it is in this state to end the rest, which nobody had announced */
	profile->stop_said = profile->state == STATE_STOPPING && profile->cause != CAUSE_DIED;
	profile->attempt = note->attempt;
	profile->recalled_start = note->next_start;
	output_recall(profile, note->dropped);
	recall_settings(profile, note);
	profile->say_found = message->number != 0;
	profile->logged = note->logged;
	if (!log_decided())
		decide_by = clock_now() + TOLD_WITHIN; /* others may follow */
}

/* All profiles by name, as many places as a power of 2 and more than twice of them. Not sorted:
 * what the C library's qsort() asks of the kernel is not for us. */
static struct profile **by_name;
static size_t places;

/* Where the profile of that name stands, or would. */
static struct profile **
place_of(const char *name)
{
	uint64_t sum = 14695981039346656037ULL;
	const char *at;
	size_t place;

	for (at = name; *at != '\0'; at++)
		sum = (sum ^ (unsigned char)*at) * 1099511628211ULL;
	for (place = sum % places; by_name[place] != NULL; place = (place + 1) % places)
		if (strcmp(by_name[place]->facts.name, name) == 0)
			break;
	return &by_name[place];
}

/* What has been forgotten meanwhile was asked for. */
static bool
came_true(const char *name, uint64_t place)
{
	const struct profile *profile = by_name == NULL ? NULL : *place_of(name);

	return profile == NULL || profile->logged > place;
}

void
recall_complete(void)
{
	struct profile *profile;
	uint32_t index;

	if (log_decided())
		return;
	for (places = 2; places <= 2 * (size_t)table_end(); places *= 2)
		;
	by_name = calloc(places, sizeof(struct profile *));
	PROFILES_FOREACH(profile, index) {
		if (by_name != NULL)
			*place_of(profile->facts.name) = profile;
	}
	log_decide(came_true);
	free(by_name);
}

int64_t
recall_deadline(void)
{
	if (log_decided())
		return NEVER;
	if (decide_by == 0)
		decide_by = clock_now() + TOLD_WITHIN;
	return decide_by;
}

void
recall_tend(int64_t now)
{
	if (recall_deadline() <= now)
		recall_complete();
}
