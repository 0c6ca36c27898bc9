#include <string.h>

#include "clock.h"
#include "explain.h"
#include "intake.h"
#include "log.h"
#include "supervise.h"
#include "share.h"
#include "vocabulary.h"

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
		share_line(profile, SAY_REFUSED, explain_refusal(profile, text, sizeof(text)));
	if (reason == 0 && profile->refused_said != 0 && profile->facts.gone == 0)
		share_line(profile, SAY_MENDED);
	profile->refused_said = reason;
	profile->refusal_said = profile->draft_refusal;
}

/* The account has gone, or is not the one that it was: what runs as it is ended. Not so when an
 * edit of the profile names a wrong one: then the process goes on. */
static bool
account_lost(const struct profile *profile)
{
	return (profile->facts.refusal == REFUSAL_NO_ACCOUNT ||
		   profile->facts.refusal == REFUSAL_UID_CHANGED ||
		   profile->facts.refusal == REFUSAL_FALSE_ROOT) &&
	    profile->facts.trigger == profile->process.trigger;
}

/* What the directory says now has an effect. */
static void
apply_facts(struct profile *profile, bool changed)
{
	if (profile->facts.gone != 0) {
		supervise_gone(profile);
	} else if (account_lost(profile)) {
		supervise_step(profile, EVENT_DOWN);
	} else if (profile->state == STATE_STOPPED && changed && supervise_accepted(profile)) {
		supervise_step(profile, EVENT_CHANGED);
	} else {
		supervise_give_up_start(profile);
		supervise_reconsider(profile);
		supervise_check_changed(profile);
	}
}

/* A timeout that was edited counts for the start or the stop that is under way. */
static void
retime(struct profile *profile, const struct settings *before)
{
	const struct settings *now = &profile->settings;

	if (profile->timer == TIMER_LATE)
		supervise_set_timer(profile, TIMER_LATE,
		    profile->timer_at +
			((int64_t)now->start_timeout - before->start_timeout) * SECOND);
	else if (profile->state == STATE_STOPPING && now->stop_timeout != before->stop_timeout)
		supervise_time_stop(profile);
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
intake_profile(void *subject, struct incoming *incoming)
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
	/* what was so before is for process_hear() to say, when it knows what the last monitor did
	 */
	if (profile->acquainted && profile->facts.gone != 0 && !was_gone)
		share_line(profile, SAY_DISAPPEARED);
	if (profile->acquainted && profile->facts.gone == 0 && was_gone)
		supervise_renew(profile);
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
intake_setting(void *subject, struct incoming *incoming)
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
