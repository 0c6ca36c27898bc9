#include <signal.h>
#include <string.h>

#include "bucket.h"
#include "clock.h"
#include "commands.h"
#include "explain.h"
#include "history.h"
#include "leave.h"
#include "log.h"
#include "output.h"
#include "parent.h"
#include "supervise.h"
#include "share.h"
#include "vocabulary.h"

/* A process that lived no longer died at once; one that lived so long has proved itself. */
#define DIED_AT_ONCE (1 * SECOND)
#define GOOD_LIFE    (10 * SECOND)
#define BACKOFF_MAX  (60 * SECOND)
/* How long what a service leaves behind has between SIGTERM and SIGKILL, without stop_timeout. */
#define SWEEP_PATIENCE 10
/* How often a profile without stop_timeout is reported that does not stop. */
#define REMIND_EVERY 60

static bool look_whether_forgotten; /* profiles that are gone wait for their output */
static int64_t next_timer = NEVER;  /* the earliest timer, or before it */

bool
supervise_accepted(const struct profile *profile)
{
	return profile->valid && profile->facts.refusal == REFUSAL_NONE;
}

bool
supervise_wanted(const struct profile *profile)
{
	enum wish wish = profile->wish;

	if (leave_intended() || profile->facts.gone != 0)
		return false;
	if (wish == WISH_DEFAULT)
		wish = (enum wish)profile->facts.kept;
	return wish == WISH_UP || (wish == WISH_DEFAULT && !profile->settings.down);
}

bool
supervise_strays(const struct profile *profile)
{
	return profile->process.end == END_UNKNOWN && profile->process.pid == 0;
}

bool
supervise_spares_rest(const struct profile *profile)
{
	return profile->settings.kill_mode == KILL_PROCESS && !supervise_strays(profile);
}

void
supervise_set_timer(struct profile *profile, enum timer timer, int64_t when)
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
	share_line(profile, SAY_STOPPED);
	profile->stop_said = false;
}

void
supervise_plan(struct profile *profile)
{
	enum cause cause = profile->cause;
	bool again = cause == CAUSE_DIED || cause == CAUSE_LATE, stays;
	int64_t delay = 0, over_quota;

	supervise_set_timer(profile, TIMER_NONE, NEVER);
	leave_look();
	if (again) {
		/* what ends while all are to stop begins anew at the next start */
		profile->finished = !restart_permitted(profile) && !leave_intended();
		delay = backoff(profile);
	}
	profile->cause = CAUSE_NONE;
	stays = profile->finished || !supervise_wanted(profile) || !supervise_accepted(profile);
	/* who died and starts again at once was never stopped, as far as anybody can see */
	if (profile->stop_said || (stays && again))
		say_stopped(profile);
	if (stays)
		return;
	if (again) {
		over_quota = restart_quota(profile);
		profile->over_quota = over_quota > delay;
		if (profile->over_quota) {
			share_line(
			    profile, SAY_QUOTA_RESTARTS, profile->facts.quota.restarts_per_minute);
			delay = over_quota;
		}
	}
	if (delay == 0) {
		if (again)
			profile->restarts++;
		supervise_step(profile, EVENT_DUE);
		return;
	}
	share_line(
	    profile, SAY_WAITING, (int)(delay / SECOND), (int)(delay % SECOND / MILLISECOND));
	supervise_set_timer(profile, TIMER_START, clock_now() + delay);
}

static void
start(struct profile *profile)
{
	if (profile->process.phase == PHASE_REST && !supervise_spares_rest(profile)) {
		profile->cause = CAUSE_AFRESH;
		supervise_resume_stop(
		    profile); /* first of all; kill_mode has spared it until now */
		return;
	}
	share_line(profile, SAY_STARTING);
	profile->attempt++;
	profile->claims = 0;
	profile->finished = profile->stop_said = profile->reload_owed = profile->unnamed =
	    profile->unproved = false;
	profile->cause = CAUSE_NONE;
	profile->trigger_done = 0;
	memset(&profile->process, 0, sizeof(profile->process));
	profile->process.attempt = profile->attempt;
	parent_ask_start(profile);
	output_give_way();
	supervise_set_timer(
	    profile, TIMER_LATE, clock_now() + profile->settings.start_timeout * SECOND);
}

static void
reload(struct profile *profile)
{
	share_line(profile, SAY_RELOADING);
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

void
supervise_time_stop(struct profile *profile)
{
	bool unnamed = profile->process.phase == PHASE_UP && profile->process.end != END_NONE;

	/* a daemon that `run` may have left behind, and nobody knows, would be waited for for ever
	 */
	if (profile->cause == CAUSE_LATE || profile->process.phase == PHASE_REST || unnamed ||
	    profile->settings.stop_timeout != NO_TIMEOUT)
		supervise_set_timer(
		    profile, TIMER_OVERDUE, profile->stop_since + patience(profile) * SECOND);
	else
		supervise_set_timer(
		    profile, TIMER_STILL_STOPPING, profile->stop_since + REMIND_EVERY * SECOND);
}

/* Somebody may have suspended it: it goes on, and sees that it is to stop. The parent knows that of
 * SIGTERM. Also once more, to a process that has not heard of it; a daemon that is known now has
 * the time that it needs. */
static void
ask_to_stop(struct profile *profile)
{
	parent_ask_signal(profile, profile->settings.stop_signal);
	if (profile->settings.stop_signal != SIGTERM)
		parent_ask_signal(profile, SIGCONT);
	supervise_time_stop(profile);
}

static void
stop(struct profile *profile)
{
	share_line(profile, SAY_STOPPING);
	profile->stop_said = true;
	profile->stop_since = clock_now();
	ask_to_stop(profile);
}

/* The main process has ended; others of the profile may be left. */
static void
sweep(struct profile *profile)
{
	if (profile->process.phase != PHASE_REST || supervise_spares_rest(profile))
		return;
	share_line(profile, SAY_LEFTOVERS, profile->exit_pid);
	profile->stop_since = clock_now();
	parent_ask_sweep(profile, SIGTERM);
	supervise_time_stop(profile);
}

static void
kill_rest(struct profile *profile)
{
	int64_t now = clock_now();

	share_line(profile, SAY_KILLING, (unsigned)((now - profile->stop_since) / SECOND));
	if (supervise_spares_rest(profile))
		parent_ask_signal(profile, SIGKILL);
	else
		parent_ask_sweep(profile, SIGKILL);
	supervise_set_timer(profile, TIMER_OVERDUE, now + SWEEP_PATIENCE * SECOND);
}

static void
say_failed(struct profile *profile)
{
	char text[512];

	profile->failures++;
	profile->cause = CAUSE_DIED;
	if (profile->facts.refusal == REFUSAL_NONE)
		share_line(profile, SAY_CANNOT_START, explain_failure(profile, text, sizeof(text)));
}

static void
say_died(struct profile *profile)
{
	int64_t lived = profile->process.ended - profile->process.started;

	profile->cause = CAUSE_DIED;
	if (lived < DIED_AT_ONCE || profile->unproved)
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
		share_line(profile, SAY_LATE_PID_FILE, profile->settings.start_timeout);
	else
		share_line(profile, SAY_LATE, profile->settings.start_timeout);
}

static void
run(struct profile *profile)
{
	share_line(profile, SAY_RUNNING, profile->process.pid);
	supervise_set_timer(profile, TIMER_NONE, NEVER);
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
	supervise_set_timer(profile, TIMER_NONE, NEVER);
	profile->cause = CAUSE_NONE;
}

/* Nothing is noted of it: should we die before it is sent, our successor sees that it is due. */
static void
owe_reload(struct profile *profile)
{
	profile->reload_owed = true;
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
    {ACTION_REPEAT_STOP, ask_to_stop},
    {ACTION_SWEEP, sweep},
    {ACTION_KILL, kill_rest},
    {ACTION_START, start},
    {ACTION_PLAN, supervise_plan},
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

void
supervise_step(struct profile *profile, enum event event)
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

void
supervise_reconsider(struct profile *profile)
{
	if (profile->state == STATE_STOPPED && profile->timer == TIMER_NONE && !profile->finished &&
	    supervise_wanted(profile) && supervise_accepted(profile))
		supervise_step(profile, EVENT_UP);
}

void
supervise_give_up_start(struct profile *profile)
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

void
supervise_check_changed(struct profile *profile)
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
		supervise_step(profile, EVENT_RELOAD);
	} else {
		share_line(profile, SAY_CHANGED);
		supervise_step(profile, EVENT_CHANGED);
	}
}

void
supervise_forget_if_gone(struct profile *profile)
{
	if (profile->facts.gone == 0 || profile->state != STATE_STOPPED ||
	    profile->process.phase != PHASE_NONE)
		return;
	if (output_idle(profile))
		parent_ask_forget(profile);
	else
		look_whether_forgotten = true;
}

void
supervise_gone(struct profile *profile)
{
	supervise_step(profile, EVENT_DOWN);
	supervise_forget_if_gone(profile);
}

void
supervise_renew(struct profile *profile)
{
	if (profile->state != STATE_STOPPED)
		return;
	profile->wish = WISH_DEFAULT;
	profile->finished = profile->overruled = false;
	profile->failures = profile->restarts = 0;
	if (profile->facts.kept != WISH_DEFAULT)
		parent_ask_keep(profile, WISH_DEFAULT);
	profile->facts.kept = WISH_DEFAULT;
}

void
supervise_resume_stop(struct profile *profile)
{
	if (supervise_strays(profile))
		share_line(profile, SAY_STOPPING); /* nobody has said it yet */
	profile->state = STATE_STOPPING;
	profile->stop_said = true;
	profile->stop_since = clock_now();
	if (profile->process.phase == PHASE_REST)
		sweep(profile);
	else
		ask_to_stop(profile);
}

/* A profile that is refused is not started by anybody's wish. */
static void
rise(struct profile *profile, enum event event)
{
	if (supervise_wanted(profile) && supervise_accepted(profile))
		supervise_step(profile, event);
}

/* An edit leaves alone what goes on although it is not to run. It counts when that is to run again:
 * or the next one to look at its files, such as an upgrade, would restart the service. */
static void
be_up(struct profile *profile)
{
	if (profile->state == STATE_STOPPED || profile->state == STATE_STOPPING)
		rise(profile, EVENT_UP);
	else
		supervise_check_changed(profile);
}

/* Until something else is asked for, also when an earlier wish is still to be kept. */
static void
wish_for(struct profile *profile, enum wish wish)
{
	profile->wish = wish;
	profile->overruled = true;
}

void
supervise_start(struct profile *profile)
{
	wish_for(profile, WISH_UP);
	be_up(profile);
	parent_ask_note(profile);
}

void
supervise_stop(struct profile *profile)
{
	wish_for(profile, WISH_DOWN);
	supervise_step(profile, EVENT_DOWN);
	parent_ask_note(profile);
}

void
supervise_restart(struct profile *profile)
{
	wish_for(profile, WISH_UP);
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
		supervise_step(profile, EVENT_CHANGED);
	parent_ask_note(profile);
}

bool
supervise_reload(struct profile *profile)
{
	if (profile->state != STATE_RUNNING)
		return false;
	supervise_step(profile, EVENT_RELOAD);
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
	if (profile->overruled)
		return; /* for every boot but this one */
	profile->wish = WISH_DEFAULT;
	if (wish == WISH_DOWN)
		supervise_step(profile, EVENT_DOWN);
	else
		be_up(profile);
	parent_ask_note(profile);
}

/* It counts now, and not when it was planned: it may have been stopped meanwhile. */
static void
start_again(struct profile *profile)
{
	if (!supervise_wanted(profile) || !supervise_accepted(profile))
		return;
	profile->restarts++;
	supervise_step(profile, EVENT_DUE);
}

static void
timer_expired(struct profile *profile, int64_t now)
{
	enum timer timer = profile->timer;

	supervise_set_timer(profile, TIMER_NONE, NEVER);
	switch (timer) {
	case TIMER_START:
		start_again(profile);
		break;
	case TIMER_LATE:
		supervise_step(profile, EVENT_LATE);
		break;
	case TIMER_OVERDUE:
		supervise_step(profile, EVENT_OVERDUE);
		break;
	case TIMER_STILL_STOPPING:
		share_line(
		    profile, SAY_STILL_STOPPING, (unsigned)((now - profile->stop_since) / SECOND));
		supervise_set_timer(profile, TIMER_STILL_STOPPING, now + REMIND_EVERY * SECOND);
		break;
	default:
		break;
	}
}

bool
supervise_busy(void)
{
	struct profile *profile;
	uint32_t index;

	PROFILES_FOREACH(profile, index) {
		if (profile->timer != TIMER_NONE)
			return true;
	}
	return false;
}

int64_t
supervise_deadline(void)
{
	return next_timer;
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
			supervise_forget_if_gone(profile);
	}
}
