#include <errno.h>
#include <signal.h>
#include <string.h>

#include "bucket.h"
#include "clock.h"
#include "commands.h"
#include "explain.h"
#include "history.h"
#include "log.h"
#include "output.h"
#include "parent.h"
#include "reports.h"
#include "supervise.h"
#include "vocabulary.h"

/* A process that lived no longer died at once; one that lived so long has proved itself. */
#define DIED_AT_ONCE (1 * SECOND)
#define GOOD_LIFE    (10 * SECOND)
#define BACKOFF_MAX  (60 * SECOND)
/* How long what a service leaves behind has between SIGTERM and SIGKILL, without stop_timeout. */
#define SWEEP_PATIENCE 10
/* How often a profile without stop_timeout is reported that does not stop. */
#define REMIND_EVERY 60
/* So many wrong pids in a pid file are logged for each start. */
#define CLAIMS_LOGGED 16U

static enum { WORKING, CHECKING, STOPPING_ALL, LEFT } intention = WORKING;
static bool look_whether_all_stopped;
static bool leaving;		    /* as soon as what has ended has its last lines in its files */
static bool look_whether_forgotten; /* profiles that are gone wait for their output */
static bool told;		    /* of every profile there is */
static int64_t next_timer = NEVER;  /* the earliest timer, or before it */

static void step(struct profile *profile, enum event event);

bool
supervise_accepted(const struct profile *profile)
{
	return profile->valid && profile->facts.refusal == REFUSAL_NONE;
}

bool
supervise_wanted(const struct profile *profile)
{
	enum wish wish = profile->wish;

	if (intention != WORKING || profile->facts.gone != 0)
		return false;
	if (wish == WISH_DEFAULT)
		wish = (enum wish)profile->facts.kept;
	return wish == WISH_UP || (wish == WISH_DEFAULT && !profile->settings.down);
}

/* Processes that no record explains. They end before the profile is started, whatever kill_mode
 * says: the service may be one of them. */
static bool
strays(const struct profile *profile)
{
	return profile->process.end == END_UNKNOWN && profile->process.pid == 0;
}

/* What is left of it is neither ended nor waited for. */
static bool
spares_rest(const struct profile *profile)
{
	return profile->settings.kill_mode == KILL_PROCESS && !strays(profile);
}

static void
set_timer(struct profile *profile, enum timer timer, int64_t when)
{
	profile->timer = timer;
	profile->timer_at = timer == TIMER_NONE ? NEVER : when;
	next_timer = clock_earlier(next_timer, profile->timer_at);
}

/*
 * How long to wait before the next start: 0 after the first failure, then 1, 2, 4 ... 60 s, with up
 * to a tenth of jitter so that services that fell together do not rise together.
 */
static int64_t
backoff(const struct profile *profile)
{
	int64_t delay, jitter;

	if (profile->failures < 2)
		return 0;
	delay = profile->failures - 2 >= 6 ? BACKOFF_MAX : SECOND << (profile->failures - 2);
	jitter = (clock_now() / 1000 + table_index(profile) * 7919) % 100 * delay / 1000;
	return delay + jitter > BACKOFF_MAX ? BACKOFF_MAX - jitter : delay + jitter;
}

static bool
restart_permitted(const struct profile *profile)
{
	if (profile->process.end == END_UNBORN || profile->settings.restart == RESTART_ALWAYS)
		return true; /* what was never executed did not die: it is tried again */
	return profile->settings.restart == RESTART_ON_FAILURE &&
	    (profile->cause == CAUSE_LATE || profile->exit_end != END_EXIT ||
		profile->exit_value != 0);
}

/* A tenant's restarts a minute, over all profiles: how long until this one is permitted. A minute's
 * worth may come at once. */
static int64_t
restart_quota(const struct profile *profile)
{
	static struct bucket buckets[BUCKETS];
	uint32_t permitted = profile->facts.quota.restarts_per_minute;
	struct bucket *bucket;
	int64_t wait;

	if (permitted == 0)
		return 0;
	bucket = bucket_of(buckets, profile->facts.uid);
	wait = bucket_wait(bucket, clock_now(), permitted, 60 * SECOND / permitted);
	bucket->full += 60 * SECOND / permitted;
	return wait;
}

static void
say_stopped(struct profile *profile)
{
	log_line(profile->facts.name, SAY_STOPPED);
	profile->stop_said = false;
}

/* Decides whether and when it starts next. Its process has ended, or there was none. */
static void
plan(struct profile *profile)
{
	enum cause cause = profile->cause;
	int64_t delay = 0, over_quota;
	bool stays;

	set_timer(profile, TIMER_NONE, NEVER);
	look_whether_all_stopped = true;
	if (cause == CAUSE_DIED || cause == CAUSE_LATE) {
		profile->finished = !restart_permitted(profile);
		delay = backoff(profile);
	}
	profile->cause = CAUSE_NONE;
	stays = profile->finished || !supervise_wanted(profile) || !supervise_accepted(profile);
	/* who died and starts again at once was never stopped, as far as anybody can see */
	if (profile->stop_said || (stays && (cause == CAUSE_DIED || cause == CAUSE_LATE)))
		say_stopped(profile);
	if (stays)
		return;
	if (cause == CAUSE_DIED || cause == CAUSE_LATE) {
		profile->restarts++;
		over_quota = restart_quota(profile);
		profile->over_quota = over_quota > delay;
		if (profile->over_quota) {
			log_line(profile->facts.name, SAY_QUOTA_RESTARTS,
			    profile->facts.quota.restarts_per_minute);
			delay = over_quota;
		}
	}
	if (delay == 0) {
		step(profile, EVENT_DUE);
		return;
	}
	log_line(profile->facts.name, SAY_WAITING, (int)(delay / SECOND),
	    (int)(delay % SECOND / MILLISECOND));
	set_timer(profile, TIMER_START, clock_now() + delay);
}

static void
start(struct profile *profile)
{
	log_line(profile->facts.name, SAY_STARTING);
	profile->attempt++;
	profile->claims = 0;
	profile->finished = profile->stop_said = profile->reload_owed = profile->unnamed = false;
	profile->cause = CAUSE_NONE;
	profile->trigger_done = 0;
	memset(&profile->process, 0, sizeof(profile->process));
	profile->process.attempt = profile->attempt;
	parent_ask_start(profile);
	set_timer(profile, TIMER_LATE, clock_now() + profile->settings.start_timeout * SECOND);
}

static void
reload(struct profile *profile)
{
	log_line(profile->facts.name, SAY_RELOADING);
	profile->reload_owed = false;
	profile->trigger_done = profile->facts.trigger;
	parent_ask_signal(profile,
	    profile->settings.reload_signal != 0 ? profile->settings.reload_signal : SIGHUP);
}

/* Seconds from the stop signal to SIGKILL for what need not be waited for. */
static uint32_t
patience(const struct profile *profile)
{
	return profile->settings.stop_timeout != NO_TIMEOUT ? profile->settings.stop_timeout
							    : SWEEP_PATIENCE;
}

/* Its stop began at stop_since: when is it too long? */
static void
time_stop(struct profile *profile)
{
	bool unnamed = profile->process.phase == PHASE_UP && profile->process.end != END_NONE;

	/* a daemon that `run` may have left behind, and nobody knows, would be waited for for ever
	 */
	if (profile->cause == CAUSE_LATE || profile->process.phase == PHASE_REST || unnamed ||
	    profile->settings.stop_timeout != NO_TIMEOUT)
		set_timer(profile, TIMER_OVERDUE, profile->stop_since + patience(profile) * SECOND);
	else
		set_timer(
		    profile, TIMER_STILL_STOPPING, profile->stop_since + REMIND_EVERY * SECOND);
}

static void
stop(struct profile *profile)
{
	log_line(profile->facts.name, SAY_STOPPING);
	profile->stop_said = true;
	profile->stop_since = clock_now();
	parent_ask_signal(profile, profile->settings.stop_signal);
	time_stop(profile);
}

/* The main process has ended; others of the profile may be left. */
static void
sweep(struct profile *profile)
{
	if (profile->process.phase != PHASE_REST || spares_rest(profile))
		return;
	log_line(profile->facts.name, SAY_LEFTOVERS, profile->exit_pid);
	profile->stop_since = clock_now();
	parent_ask_sweep(profile, SIGTERM);
	time_stop(profile);
}

static void
kill_rest(struct profile *profile)
{
	int64_t now = clock_now();

	log_line(
	    profile->facts.name, SAY_KILLING, (unsigned)((now - profile->stop_since) / SECOND));
	if (spares_rest(profile))
		parent_ask_signal(profile, SIGKILL);
	else
		parent_ask_sweep(profile, SIGKILL);
	set_timer(profile, TIMER_OVERDUE, now + SWEEP_PATIENCE * SECOND);
}

static void
say_failed(struct profile *profile)
{
	char text[512];

	profile->failures++;
	profile->cause = CAUSE_DIED;
	if (profile->facts.refusal == REFUSAL_NONE)
		log_line(profile->facts.name, SAY_CANNOT_START,
		    explain_failure(profile, text, sizeof(text)));
}

static void
say_died(struct profile *profile)
{
	int64_t lived = profile->process.ended - profile->process.started;

	profile->cause = CAUSE_DIED;
	if (lived < DIED_AT_ONCE)
		profile->failures++;
	else if (lived >= GOOD_LIFE)
		profile->failures = 0;
	explain_end(profile, false);
}

static void
say_late(struct profile *profile)
{
	profile->failures++;
	profile->cause = CAUSE_LATE;
	profile->unnamed = profile->process.phase == PHASE_UP;
	if (profile->unnamed)
		log_line(profile->facts.name, SAY_LATE_PID_FILE, profile->settings.start_timeout);
	else
		log_line(profile->facts.name, SAY_LATE, profile->settings.start_timeout);
}

static void
run(struct profile *profile)
{
	log_line(profile->facts.name, SAY_RUNNING, profile->process.pid);
	set_timer(profile, TIMER_NONE, NEVER);
	if (profile->reload_owed)
		reload(profile);
}

static void
start_afresh(struct profile *profile)
{
	profile->failures = 0;
	profile->finished = false;
	profile->cause = CAUSE_AFRESH;
}

static void
cancel(struct profile *profile)
{
	set_timer(profile, TIMER_NONE, NEVER);
	profile->cause = CAUSE_NONE;
}

static void
owe_reload(struct profile *profile)
{
	profile->reload_owed = true;
	profile->trigger_done = profile->facts.trigger;
}

static void
repeat_stop(struct profile *profile)
{
	parent_ask_signal(profile, profile->settings.stop_signal);
}

/* In the order in which a transition's actions are carried out; ACTION_PLAN and ACTION_START may
 * lead to a further step and come last. */
static const struct {
	enum action action;
	void (*carry_out)(struct profile *profile);
} carriers[] = {
    {ACTION_CANCEL, cancel},
    {ACTION_AFRESH, start_afresh},
    {ACTION_FAILED, say_failed},
    {ACTION_DIED, say_died},
    {ACTION_LATE, say_late},
    {ACTION_RUNNING, run},
    {ACTION_RELOAD, reload},
    {ACTION_OWE_RELOAD, owe_reload},
    {ACTION_STOP, stop},
    {ACTION_REPEAT_STOP, repeat_stop},
    {ACTION_SWEEP, sweep},
    {ACTION_KILL, kill_rest},
    {ACTION_START, start},
    {ACTION_PLAN, plan},
};

/* What an event is called where the transitions are shown. */
static const char *const event_names[EVENT_COUNT] = {
    [EVENT_UP] = "wanted",
    [EVENT_DOWN] = "unwanted",
    [EVENT_CHANGED] = "changed",
    [EVENT_RELOAD] = "reload",
    [EVENT_PROVED] = "proved",
    [EVENT_FAILED] = "cannot start",
    [EVENT_DIED] = "died",
    [EVENT_EMPTY] = "nothing is left",
    [EVENT_DUE] = "due",
    [EVENT_LATE] = "start_timeout",
    [EVENT_OVERDUE] = "stop_timeout",
};

static void
enter(struct profile *profile, enum state state, enum event event)
{
	enum state before = profile->state;

	if (before == state)
		return;
	profile->since_wall_ms = clock_wall_ms();
	profile->state = state;
	history_add(profile, before, event_names[event]);
	commands_look(profile);
}

static void
step(struct profile *profile, enum event event)
{
	struct transition transition = machine_step(profile->state, event);
	size_t i;

	/* first of all: nobody hears of what follows before it is in the ledger */
	if (transition.actions != 0 || transition.next != profile->state)
		parent_ask_note(profile);
	enter(profile, transition.next, event);
	for (i = 0; i < sizeof(carriers) / sizeof(carriers[0]); i++)
		if ((transition.actions & carriers[i].action) != 0)
			carriers[i].carry_out(profile);
	commands_look(profile);
}

/* A profile that could run and does not, with nothing planned: the reason may have gone. */
static void
reconsider(struct profile *profile)
{
	if (profile->state == STATE_STOPPED && profile->timer == TIMER_NONE && !profile->finished &&
	    supervise_wanted(profile) && supervise_accepted(profile))
		step(profile, EVENT_UP);
}

/* It waits for its next start, and `restart` has gone. */
static void
give_up_start(struct profile *profile)
{
	if (profile->state != STATE_STOPPED || profile->timer != TIMER_START ||
	    !supervise_accepted(profile) || profile->settings.restart != RESTART_NEVER ||
	    profile->process.end == END_UNBORN)
		return;
	cancel(profile);
	profile->finished = true;
	parent_ask_note(profile);
}

uint32_t
supervise_failures(const struct profile *profile)
{
	/* they are counted when it dies; whoever asks before need not hear of old ones */
	return profile->state == STATE_RUNNING &&
		clock_now() - profile->process.started >= GOOD_LIFE
	    ? 0
	    : profile->failures;
}

bool
supervise_lives(const struct profile *profile)
{
	return profile->process.phase == PHASE_BORN || profile->process.phase == PHASE_UP ||
	    profile->process.phase == PHASE_PROVED;
}

/* It runs as somebody whom it does not belong to any more. With a reload file root may let it go on
 * as another user than `user` says now; a tenant's profile runs as nobody but the tenant. */
static bool
has_changed_hands(const struct profile *profile)
{
	return supervise_lives(profile) && profile->process.uid != profile->facts.uid &&
	    (profile->facts.owner != 0 || profile->settings.reload_signal == 0);
}

/* Does it run with other files than those that are there now? */
static void
check_changed(struct profile *profile)
{
	bool hands = has_changed_hands(profile);

	if (profile->state != STATE_STARTING && profile->state != STATE_RUNNING)
		return;
	if (!supervise_accepted(profile) || !supervise_wanted(profile) ||
	    profile->process.trigger == 0)
		return;
	if (!hands &&
	    (profile->facts.trigger == profile->process.trigger ||
		profile->facts.trigger == profile->trigger_done))
		return;
	if (!hands && profile->settings.reload_signal != 0) {
		step(profile, EVENT_RELOAD);
	} else {
		log_line(profile->facts.name, SAY_CHANGED);
		step(profile, EVENT_CHANGED);
	}
}

/* The account has gone, or is not the one that it was: what runs as it is ended. Not so when an
 * edit of the profile names a wrong one: then the process goes on. */
static bool
account_lost(const struct profile *profile)
{
	return (profile->facts.refusal == REFUSAL_NO_ACCOUNT ||
		   profile->facts.refusal == REFUSAL_UID_CHANGED) &&
	    profile->facts.trigger == profile->process.trigger;
}

/* Says once why it is refused, and once that it is not any more. */
static void
say_refusal(struct profile *profile)
{
	char text[512];
	uint32_t reason = 0;

	if (profile->facts.gone == 0 && !supervise_accepted(profile))
		reason = profile->facts.refusal != REFUSAL_NONE ? profile->facts.refusal << 16 |
			profile->facts.refused_setting << 8 | (profile->facts.refused_error & 0xff)
								: 1U << 31 | profile->draft_refused;
	if (reason != 0 &&
	    (reason != profile->refused_said || profile->draft_refusal != profile->refusal_said))
		log_line(
		    profile->facts.name, SAY_REFUSED, explain_refusal(profile, text, sizeof(text)));
	if (reason == 0 && profile->refused_said != 0 && profile->facts.gone == 0)
		log_line(profile->facts.name, SAY_MENDED);
	profile->refused_said = reason;
	profile->refusal_said = profile->draft_refusal;
}

/* Its directory has disappeared and nothing of it lives, what kill_mode spares included, should it
 * come back; and what it has printed last is in its file. */
static void
forget_if_gone(struct profile *profile)
{
	if (profile->facts.gone == 0 || profile->state != STATE_STOPPED ||
	    profile->process.phase != PHASE_NONE)
		return;
	if (output_idle(profile)) {
		commands_forget(profile);
		parent_ask_forget(profile);
	} else {
		look_whether_forgotten = true;
	}
}

static void
gone(struct profile *profile)
{
	step(profile, EVENT_DOWN);
	forget_if_gone(profile);
}

/* What the directory says now has an effect. */
static void
apply_facts(struct profile *profile, bool changed)
{
	if (profile->facts.gone != 0) {
		gone(profile);
	} else if (account_lost(profile)) {
		step(profile, EVENT_DOWN);
	} else if (profile->state == STATE_STOPPED && changed && supervise_accepted(profile)) {
		step(profile, EVENT_CHANGED);
	} else {
		give_up_start(profile);
		reconsider(profile);
		check_changed(profile);
	}
}

/* A timeout that was edited counts for the start or the stop that is under way. */
static void
retime(struct profile *profile, const struct settings *before)
{
	const struct settings *now = &profile->settings;

	if (profile->timer == TIMER_LATE)
		set_timer(profile, TIMER_LATE,
		    profile->timer_at +
			((int64_t)now->start_timeout - before->start_timeout) * SECOND);
	else if (profile->state == STATE_STOPPING && now->stop_timeout != before->stop_timeout)
		time_stop(profile);
}

/* All files of a profile have come. */
static void
files_complete(struct profile *profile, uint64_t old_trigger)
{
	struct settings before;

	if (profile->draft_refusal == NULL) {
		profile->draft_refusal = settings_fit(&profile->draft, &profile->facts.quota);
		profile->draft_refused = SETTING_OUTPUT;
	}
	profile->valid = profile->draft_refusal == NULL;
	if (supervise_accepted(profile) && profile->facts.gone == 0) {
		before = profile->settings;
		profile->settings = profile->draft;
		if (profile->settings_known && profile->acquainted)
			retime(profile, &before);
		profile->settings_known = true;
	} else if (!profile->settings_known) {
		settings_default(&profile->settings);
	}
	say_refusal(profile);
	if (profile->acquainted)
		apply_facts(profile, old_trigger != 0 && old_trigger != profile->facts.trigger);
}

void
supervise_profile(void *subject, struct incoming *incoming)
{
	const struct message *message = &incoming->message;
	struct profile *profile = table_at(message->index, message->generation);
	uint64_t old_trigger;
	bool was_gone;

	(void)subject;
	if (profile == NULL) {
		profile = table_make(message->index, message->generation);
		if (profile == NULL)
			return;
		/* should its process have to be stopped before its files have once been read */
		settings_default(&profile->settings);
	}
	was_gone = profile->facts.gone != 0;
	profile->trigger_before =
	    profile->draft_missing == 0 ? profile->facts.trigger : profile->trigger_before;
	old_trigger = profile->trigger_before;
	profile->facts = message->profile;
	if (profile->facts.gone != 0 && !was_gone)
		log_line(profile->facts.name, SAY_DISAPPEARED);
	settings_default(&profile->draft);
	profile->draft.down = (profile->facts.present & SETTING_BIT(SETTING_DOWN)) != 0;
	profile->draft_refusal = NULL;
	profile->draft_missing = profile->facts.settings;
	if (profile->draft_missing == 0)
		files_complete(profile, old_trigger);
}

/* A tenant's profile runs as its owner; its `user` file may say so, and nothing else. */
static const char *
check_user(const struct profile *profile, const char *bytes, size_t length)
{
	const char *account = profile->facts.account;
	bool tenants = profile->facts.owner != 0 || strchr(profile->facts.name, '/') != NULL;

	if (!tenants || profile->facts.refusal != REFUSAL_NONE)
		return NULL; /* root's profile: the parent has looked the name up */
	if (length > 0 && bytes[length - 1] == '\n')
		length--;
	if (length == strlen(account) && memcmp(bytes, account, length) == 0)
		return NULL;
	return "names somebody else than the profile's owner: remove it";
}

void
supervise_setting(void *subject, struct incoming *incoming)
{
	const struct message *message = &incoming->message;
	struct profile *profile = table_at(message->index, message->generation);
	enum setting setting = (enum setting)message->number;
	const char *bytes = message->setting.bytes, *refusal;

	(void)subject;
	if (profile == NULL || profile->draft_missing == 0)
		return; /* the announcement was overtaken by another one */
	if (setting == SETTING_USER)
		refusal = check_user(profile, bytes, message->setting.length);
	else
		refusal = settings_parse(&profile->draft, setting, bytes, message->setting.length);
	if (refusal != NULL && profile->draft_refusal == NULL) {
		profile->draft_refusal = refusal;
		profile->draft_refused = setting;
	}
	if (--profile->draft_missing == 0)
		files_complete(profile, profile->trigger_before);
}

/* It is to be stopped and lives: once more, for the parent or the last monitor may not have come
 * to. */
static void
resume_stopping(struct profile *profile)
{
	if (strays(profile))
		log_line(profile->facts.name, SAY_STOPPING); /* nobody has said it yet */
	profile->state = STATE_STOPPING;
	profile->stop_said = true;
	profile->stop_since = clock_now();
	if (profile->process.phase == PHASE_REST) {
		sweep(profile);
	} else {
		repeat_stop(profile);
		time_stop(profile);
	}
}

/* Its pid file has not named one of the strays. */
static void
end_strays(struct profile *profile)
{
	profile->cause = CAUSE_AFRESH;
	if (profile->process.phase == PHASE_REST) {
		resume_stopping(profile);
	} else {
		profile->state = STATE_STOPPED;
		plan(profile);
	}
}

/* Its main process has ended, or nothing was executed: what the parent's facts say is new to us. */
static void
take_end(struct profile *profile)
{
	const struct process_facts *process = &profile->process;

	if (process->end == END_UNBORN) {
		if (process->phase == PHASE_NONE)
			step(profile, EVENT_FAILED);
		return;
	}
	if (strays(profile)) {
		end_strays(profile);
		return;
	}
	profile->exit_end = (enum process_end)process->end;
	profile->exit_pid = process->pid;
	profile->exit_value = process->end_value;
	profile->exit_wall_ms = clock_wall_ms() - (clock_now() - process->ended) / MILLISECOND;
	if (profile->state == STATE_STOPPING)
		explain_end(profile, true);
	output_flush(profile);
	step(profile, EVENT_DIED);
	if (process->phase == PHASE_NONE || spares_rest(profile))
		step(profile, EVENT_EMPTY);
}

/* The service was found running. */
static void
take_over_running(struct profile *profile)
{
	if (profile->state == STATE_STOPPING) {
		resume_stopping(profile);
	} else if (profile->state == STATE_RUNNING) {
		if (profile->say_found)
			log_line(profile->facts.name, SAY_RUNNING, profile->process.pid);
	} else {
		set_timer(profile, TIMER_NONE, NEVER);
		step(profile, EVENT_PROVED);
	}
}

static void
take_over_starting(struct profile *profile)
{
	if (profile->state == STATE_STOPPING) {
		resume_stopping(profile);
		return;
	}
	profile->state = STATE_STARTING;
	set_timer(profile, TIMER_LATE,
	    profile->process.started + profile->settings.start_timeout * SECOND);
}

/* Nothing of it lives. Did it end while nobody looked, or was it to be so? */
static void
take_over_dead(struct profile *profile)
{
	output_flush(profile);
	if (profile->state == STATE_STOPPED) {
		if (profile->recalled_start != 0)
			set_timer(profile, TIMER_START, profile->recalled_start);
	} else if (profile->process.end != END_NONE) {
		take_end(profile);
	} else { /* the request to start it had not been carried out */
		profile->state = STATE_STOPPED;
		profile->cause = CAUSE_AFRESH;
		plan(profile);
	}
}

/* The parent's first word on how the profile's process stands; `state` is what the note recalled.
 */
static void
acquaint(struct profile *profile)
{
	profile->acquainted = true;
	profile->attempt = profile->process.attempt > profile->attempt ? profile->process.attempt
								       : profile->attempt;
	switch (profile->process.phase) {
	case PHASE_NONE:
		take_over_dead(profile);
		break;
	case PHASE_REST:
		if (profile->state == STATE_STARTING || profile->state == STATE_RUNNING)
			take_end(profile);
		else if (spares_rest(profile))
			take_over_dead(profile);
		else
			resume_stopping(profile);
		break;
	case PHASE_PROVED:
		take_over_running(profile);
		break;
	default:
		take_over_starting(profile);
		break;
	}
	if (profile->facts.gone != 0) {
		gone(profile);
	} else {
		if (intention != WORKING || profile->wish == WISH_DOWN)
			step(profile, EVENT_DOWN); /* asked for while no monitor listened */
		reconsider(profile);
		check_changed(profile);
	}
	parent_ask_note(profile);
}

void
supervise_process(void *subject, struct incoming *incoming)
{
	const struct message *message = &incoming->message;
	const struct process_facts *now = &message->process;
	struct profile *profile = table_at(message->index, message->generation);
	struct process_facts before;
	bool ended, had_ended;

	(void)subject;
	if (profile == NULL || intention == LEFT)
		return; /* not introduced yet: it is told again then; or left to the next start */
	if (profile->acquainted && now->attempt != profile->attempt)
		return; /* about a process before the one that we asked for */
	before = profile->process;
	profile->process = *now;
	if (!profile->acquainted) {
		acquaint(profile);
		return;
	}
	ended = now->phase == PHASE_NONE || (now->phase == PHASE_REST && now->end != END_UNBORN);
	had_ended = before.end != END_NONE &&
	    (before.phase == PHASE_NONE ||
		(before.phase == PHASE_REST && before.end != END_UNBORN));
	if (now->phase == PHASE_PROVED && before.phase != PHASE_PROVED)
		step(profile, EVENT_PROVED);
	else if (ended && !had_ended && now->end != END_NONE)
		take_end(profile);
	else if (now->phase == PHASE_NONE && before.phase == PHASE_REST)
		step(profile, EVENT_EMPTY);
	forget_if_gone(profile);
	check_changed(profile);
}

void
supervise_claim(void *subject, struct incoming *incoming)
{
	const struct message *message = &incoming->message;
	struct profile *profile = table_at(message->index, message->generation);

	(void)subject;
	if (profile == NULL)
		return;
	profile->claims++;
	if (profile->claims <= CLAIMS_LOGGED)
		explain_claim(profile, &message->claim);
	else if (profile->claims == CLAIMS_LOGGED + 1)
		log_line(profile->facts.name, SAY_CLAIMS_MANY, CLAIMS_LOGGED);
}

static void
stop_all(bool repeated)
{
	struct profile *profile;
	uint32_t index;

	if (!repeated)
		log_line(TAG_PROCLAUNCH, SAY_STOP_ALL);
	intention = STOPPING_ALL;
	look_whether_all_stopped = true;
	PROFILES_FOREACH(profile, index) {
		/* the next start of the supervisor is a start from the beginning */
		profile->failures = 0;
		profile->finished = false;
		step(profile, EVENT_DOWN);
	}
}

/* The parent ends us when it has our goodbye. */
static void
leave(bool at_once)
{
	struct profile *profile;
	uint32_t index;

	intention = LEFT;
	leaving = !at_once;
	if (!at_once) {
		output_hurry();
		return;
	}
	PROFILES_FOREACH(profile, index)
		output_confess(profile);
	parent_goodbye(0);
}

void
supervise_order(void *subject, struct incoming *incoming)
{
	const struct message *message = &incoming->message;

	(void)subject;
	parent_heard_order((enum order)message->number);
	switch (message->number) {
	case ORDER_STOP_ALL:
		stop_all(message->order.repeated != 0);
		break;
	case ORDER_LEAVE:
	case ORDER_LEAVE_NOW:
		if (message->order.repeated == 0 && message->number == ORDER_LEAVE)
			log_line(TAG_PROCLAUNCH, SAY_EXITING);
		else if (message->order.repeated == 0)
			log_line(TAG_PROCLAUNCH, SAY_STOP_NOW);
		leave(message->number == ORDER_LEAVE_NOW);
		break;
	default: /* ORDER_TOLD */
		told = true;
		look_whether_all_stopped = true;
		break;
	}
}

/* A profile that is refused is not started by anybody's wish. */
static void
rise(struct profile *profile, enum event event)
{
	if (supervise_wanted(profile) && supervise_accepted(profile))
		step(profile, event);
}

void
supervise_start(struct profile *profile)
{
	profile->wish = WISH_UP;
	if (profile->state == STATE_STOPPED || profile->state == STATE_STOPPING)
		rise(profile, EVENT_UP);
	parent_ask_note(profile);
}

void
supervise_stop(struct profile *profile)
{
	profile->wish = WISH_DOWN;
	step(profile, EVENT_DOWN);
	parent_ask_note(profile);
}

void
supervise_restart(struct profile *profile)
{
	profile->wish = WISH_UP;
	/* what runs is not stopped when it could not be started again */
	rise(profile, profile->state == STATE_STOPPED ? EVENT_UP : EVENT_CHANGED);
	parent_ask_note(profile);
}

void
supervise_reset(struct profile *profile)
{
	profile->failures = 0;
	profile->finished = false;
	if (profile->state == STATE_STOPPED)
		step(profile, EVENT_CHANGED);
	parent_ask_note(profile);
}

bool
supervise_reload(struct profile *profile)
{
	if (profile->state != STATE_RUNNING)
		return false;
	step(profile, EVENT_RELOAD);
	return true;
}

bool
supervise_signal(struct profile *profile, int number)
{
	/* also while it is being stopped: it may not want to */
	if (profile->state != STATE_RUNNING &&
	    (profile->state != STATE_STOPPING || !supervise_lives(profile)))
		return false;
	parent_ask_signal(profile, number);
	return true;
}

void
supervise_kept(struct profile *profile, enum wish wish)
{
	profile->facts.kept = wish;
	profile->wish = WISH_DEFAULT;
	if (wish == WISH_DOWN)
		step(profile, EVENT_DOWN);
	else if (profile->state == STATE_STOPPED)
		rise(profile, EVENT_UP);
	parent_ask_note(profile);
}

void
supervise_only_check(void)
{
	intention = CHECKING;
}

static void
sum_up_check(void)
{
	struct profile *profile;
	unsigned checked = 0, faults = 0;
	uint32_t index;

	PROFILES_FOREACH(profile, index) {
		checked++;
		faults += !supervise_accepted(profile);
	}
	log_line(TAG_PROCLAUNCH, SAY_CHECKED, checked, faults, reports_skipped());
	intention = LEFT;
	parent_goodbye(faults + reports_skipped());
}

static void
leave_when_all_stopped(void)
{
	struct profile *profile;
	uint32_t index;

	look_whether_all_stopped = false;
	if (intention != STOPPING_ALL || !told)
		return;
	PROFILES_FOREACH(profile, index) {
		if (profile->state != STATE_STOPPED)
			return;
	}
	output_hurry();
	leaving = true;
}

/* What lives keeps its FIFOs, and the next monitor finds what stands in them. */
static void
leave_when_written(void)
{
	struct profile *profile;
	uint32_t index;

	PROFILES_FOREACH(profile, index) {
		if (profile->process.phase == PHASE_NONE && !output_idle(profile))
			return;
	}
	if (intention == STOPPING_ALL)
		log_line(TAG_PROCLAUNCH, SAY_ALL_STOPPED);
	leave(true);
}

static void
timer_expired(struct profile *profile, int64_t now)
{
	enum timer timer = profile->timer;

	set_timer(profile, TIMER_NONE, NEVER);
	switch (timer) {
	case TIMER_START:
		rise(profile, EVENT_DUE);
		break;
	case TIMER_LATE:
		step(profile, EVENT_LATE);
		break;
	case TIMER_OVERDUE:
		step(profile, EVENT_OVERDUE);
		break;
	case TIMER_STILL_STOPPING:
		log_line(profile->facts.name, SAY_STILL_STOPPING,
		    (unsigned)((now - profile->stop_since) / SECOND));
		set_timer(profile, TIMER_STILL_STOPPING, now + REMIND_EVERY * SECOND);
		break;
	default:
		break;
	}
}

int64_t
supervise_deadline(void)
{
	return look_whether_all_stopped && intention == STOPPING_ALL ? 0 : next_timer;
}

void
supervise_tend(int64_t now)
{
	struct profile *profile;
	uint32_t index;

	if (now >= next_timer) {
		next_timer = NEVER;
		PROFILES_FOREACH(profile, index) {
			if (profile->timer_at <= now)
				timer_expired(profile, now);
			next_timer = clock_earlier(next_timer, profile->timer_at);
		}
	}
	if (look_whether_forgotten) {
		look_whether_forgotten = false;
		PROFILES_FOREACH(profile, index)
			forget_if_gone(profile);
	}
	if (intention == CHECKING && told)
		sum_up_check();
	if (look_whether_all_stopped)
		leave_when_all_stopped();
	if (leaving)
		leave_when_written();
}
