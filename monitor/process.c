#include "clock.h"
#include "commands.h"
#include "digest.h"
#include "explain.h"
#include "leave.h"
#include "log.h"
#include "output.h"
#include "parent.h"
#include "process.h"
#include "share.h"
#include "supervise.h"
#include "vocabulary.h"

/* So many wrong pids in a pid file are logged for each start. */
#define CLAIMS_LOGGED 64U

/* The sums of those that were, of a profile's first `claims`: a pid file that names the same two in
 * turn has two lines, whoever writes it. No memory where nothing is claimed. */
static uint64_t claims_logged[PROFILES_MAX][CLAIMS_LOGGED];

/* Its pid file has not named one of the strays. */
static void
end_strays(struct profile *profile)
{
	profile->cause = CAUSE_AFRESH;
	if (profile->process.phase == PHASE_REST) {
		supervise_resume_stop(profile);
	} else {
		profile->state = STATE_STOPPED;
		supervise_plan(profile);
	}
}

/* Its main process has ended, or nothing was executed: what the parent's facts say is new to us. */
static void
take_end(struct profile *profile)
{
	const struct process_facts *process = &profile->process;

	if (process->end == END_UNBORN) {
		if (process->phase == PHASE_NONE || supervise_spares_rest(profile))
			supervise_step(profile, EVENT_FAILED);
		else
			supervise_resume_stop(profile); /* kill_mode has spared it until now */
		return;
	}
	if (supervise_strays(profile)) {
		end_strays(profile);
		return;
	}
	profile->exit_end = (enum process_end)process->end;
	profile->exit_pid = process->pid;
	profile->exit_value = process->end_value;
	profile->exit_wall_ms = clock_wall_ms() - (clock_now() - process->ended) / MILLISECOND;
	profile->unproved =
	    profile->state == STATE_STARTING && profile->settings.pid_file && process->proved == 0;
	/* with success only `run` has ended: how the daemon did nobody knows */
	if ((profile->unproved || profile->cause == CAUSE_LATE) && process->end == END_EXIT &&
	    process->end_value == 0)
		profile->exit_end = END_UNKNOWN;
	if (profile->state == STATE_STOPPING)
		explain_end(profile, true);
	output_flush(profile);
	supervise_step(profile, EVENT_DIED);
	if (process->phase == PHASE_NONE || supervise_spares_rest(profile))
		supervise_step(profile, EVENT_EMPTY);
}

/* The last of what it had left behind has ended, and may have printed since. */
static void
take_emptiness(struct profile *profile)
{
	output_flush(profile);
	supervise_step(profile, EVENT_EMPTY);
}

/* The service was found running. */
static void
take_over_running(struct profile *profile)
{
	if (profile->state == STATE_STOPPING) {
		supervise_resume_stop(profile);
	} else if (profile->state == STATE_RUNNING) {
		if (profile->say_found)
			share_line(profile, SAY_RUNNING, profile->process.pid);
	} else {
		supervise_set_timer(profile, TIMER_NONE, NEVER);
		supervise_step(profile, EVENT_PROVED);
	}
}

static void
take_over_starting(struct profile *profile)
{
	if (profile->state == STATE_STOPPING) {
		supervise_resume_stop(profile);
		return;
	}
	profile->state = STATE_STARTING;
	supervise_set_timer(profile, TIMER_LATE,
	    profile->process.started + profile->settings.start_timeout * SECOND);
}

/* Nothing of it lives. Did it end while nobody looked, or was it to be so? */
static void
take_over_dead(struct profile *profile)
{
	output_flush(profile);
	if (profile->state == STATE_STOPPED) {
		if (profile->recalled_start != 0)
			supervise_set_timer(profile, TIMER_START, profile->recalled_start);
	} else if (profile->process.end != END_NONE) {
		take_end(profile);
	} else { /* the request to start it had not been carried out */
		profile->state = STATE_STOPPED;
		profile->cause = CAUSE_AFRESH;
		supervise_plan(profile);
	}
}

/* Has it disappeared since the last monitor? Else that one has said so: what was to stay stopped is
 * being stopped, or only lives on as what kill_mode spares. */
static bool
gone_anew(const struct profile *profile)
{
	if (profile->facts.gone == 0)
		return false;
	return profile->state == STATE_STOPPED
	    ? profile->process.phase != PHASE_REST || !supervise_spares_rest(profile)
	    : profile->state != STATE_STOPPING || profile->cause != CAUSE_NONE;
}

/* The parent's first word on how the profile's process stands; `state` is what the note recalled.
 */
static void
acquaint(struct profile *profile)
{
	profile->acquainted = true;
	commands_acquainted(profile);
	profile->attempt = profile->process.attempt > profile->attempt ? profile->process.attempt
								       : profile->attempt;
	if (gone_anew(profile))
		share_line(profile, SAY_DISAPPEARED);
	switch (profile->process.phase) {
	case PHASE_NONE:
		take_over_dead(profile);
		break;
	case PHASE_REST:
		if (profile->state == STATE_STARTING || profile->state == STATE_RUNNING)
			take_end(profile);
		else if (supervise_spares_rest(profile))
			take_over_dead(profile);
		else
			supervise_resume_stop(profile);
		break;
	case PHASE_PROVED:
		take_over_running(profile);
		break;
	default:
		take_over_starting(profile);
		break;
	}
	if (profile->facts.gone != 0) {
		supervise_gone(profile);
	} else {
		if (leave_intended())
			leave_stop(profile);
		else if (profile->wish == WISH_DOWN)
			supervise_step(
			    profile, EVENT_DOWN); /* asked for while no monitor listened */
		supervise_reconsider(profile);
		supervise_check_changed(profile);
	}
	parent_ask_note(profile);
}

static bool
has_ended(const struct process_facts *facts)
{
	return facts->end != END_NONE && (facts->phase == PHASE_NONE || facts->phase == PHASE_REST);
}

void
process_hear(void *subject, struct incoming *incoming)
{
	const struct message *message = &incoming->message;
	const struct process_facts *now = &message->process;
	struct profile *profile = table_at(message->index, message->generation);
	struct process_facts before;

	(void)subject;
	if (profile == NULL || leave_begun())
		return; /* not introduced yet: it is told again then; or left to the next start */
	if (profile->acquainted && now->attempt != profile->attempt)
		return; /* about a process before the one that we asked for */
	before = profile->process;
	profile->process = *now;
	if (!profile->acquainted) {
		acquaint(profile);
		return;
	}
	/* or it has ended again before the parent came to tell */
	if ((now->phase == PHASE_PROVED && before.phase != PHASE_PROVED) ||
	    (now->proved != 0 && profile->state == STATE_STARTING))
		supervise_step(profile, EVENT_PROVED);
	if (has_ended(now) && !has_ended(&before))
		take_end(profile);
	else if (now->phase == PHASE_NONE && before.phase == PHASE_REST)
		take_emptiness(profile);
	else if (profile->state == STATE_STOPPING && now->phase == PHASE_UP &&
	    now->end != before.end)
		supervise_resume_stop(profile); /* the daemon that `run` has left was not told */
	supervise_forget_if_gone(profile);
	supervise_check_changed(profile);
}

/* A claim that this start of the profile has made before is no other one. */
static bool
is_another_claim(const struct profile *profile, const struct claim *claim)
{
	uint64_t *logged = claims_logged[table_index(profile)];
	uint64_t sum = digest(DIGEST_BEGIN, claim, sizeof(*claim));
	uint32_t i;

	for (i = 0; i < profile->claims && i < CLAIMS_LOGGED; i++) {
		if (logged[i] == sum)
			return false;
	}
	if (i < CLAIMS_LOGGED)
		logged[i] = sum;
	return true;
}

void
process_hear_claim(void *subject, struct incoming *incoming)
{
	const struct message *message = &incoming->message;
	struct profile *profile = table_at(message->index, message->generation);

	(void)subject;
	if (profile == NULL)
		return;
	profile->claim = message->claim;
	if (!is_another_claim(profile, &message->claim))
		return;
	profile->claims++;
	if (profile->claims <= CLAIMS_LOGGED)
		explain_claim(profile, &message->claim);
	else if (profile->claims == CLAIMS_LOGGED + 1)
		share_line(profile, SAY_CLAIMS_MANY, CLAIMS_LOGGED);
}
