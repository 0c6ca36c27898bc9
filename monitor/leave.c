#include <stdbool.h>

#include "clock.h"
#include "leave.h"
#include "log.h"
#include "output.h"
#include "parent.h"
#include "recall.h"
#include "reports.h"
#include "supervise.h"
#include "vocabulary.h"

static enum { WORKING, CHECKING, STOPPING_ALL, LEFT } intention = WORKING;
static bool look_due; /* it may be that all have stopped */
static bool leaving;  /* as soon as what has ended has its last lines in its files */
static bool told;     /* of every profile there is */

bool
leave_intended(void)
{
	return intention != WORKING;
}

bool
leave_begun(void)
{
	return intention == LEFT;
}

void
leave_look(void)
{
	look_due = true;
}

void
leave_stop(struct profile *profile)
{
	/* the next start of the supervisor is a start from the beginning */
	profile->failures = 0;
	profile->finished = false;
	supervise_step(profile, EVENT_DOWN);
}

static void
stop_all(bool repeated)
{
	struct profile *profile;
	uint32_t index;

	if (!repeated)
		log_line(TAG_PROCLAUNCH, SAY_STOP_ALL);
	intention = STOPPING_ALL;
	look_due = true;
	PROFILES_FOREACH(profile, index) {
		/* or we would note what we do not know yet; it is stopped when we do */
		if (profile->acquainted)
			leave_stop(profile);
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
leave_order(void *subject, struct incoming *incoming)
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
		recall_complete();
		told = true;
		look_due = true;
		break;
	}
}

void
leave_only_check(void)
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
	if (checked == 0)
		log_line(TAG_PROCLAUNCH, SAY_CHECKED_NONE); /* somebody has named one profile */
	log_line(TAG_PROCLAUNCH, SAY_CHECKED, checked, faults, reports_skipped());
	intention = LEFT;
	parent_goodbye(faults + reports_skipped());
}

static void
leave_when_all_stopped(void)
{
	struct profile *profile;
	uint32_t index;

	look_due = false;
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

int64_t
leave_deadline(void)
{
	return look_due && intention == STOPPING_ALL ? 0 : NEVER;
}

void
leave_tend(void)
{
	if (intention == CHECKING && told)
		sum_up_check();
	if (look_due)
		leave_when_all_stopped();
	if (leaving)
		leave_when_written();
}
