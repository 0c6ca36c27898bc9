#include <errno.h>

#include "births.h"
#include "children.h"
#include "inform.h"
#include "ledger.h"
#include "files.h"
#include "leave.h"
#include "outputs.h"
#include "processes.h"
#include "profiles.h"
#include "requests.h"
#include "watch.h"
#include "wishes.h"

static void
take_note(struct profile *profile, const struct message *message)
{
	profile->note = message->note;
	profile->noted = true;
}

static void
handle_start(void *subject, struct incoming *incoming)
{
	struct profile *profile = subject;

	take_note(profile, &incoming->message);
	births_start(profile, incoming->message.number);
}

static void
handle_signal(void *subject, struct incoming *incoming)
{
	struct profile *profile = subject;

	if (profile->process.phase == PHASE_ASKED)
		births_cancel(profile);
	else
		processes_signal(profile, (int)incoming->message.number);
}

static void
handle_sweep(void *subject, struct incoming *incoming)
{
	processes_sweep(subject, (int)incoming->message.number);
}

static void
handle_note(void *subject, struct incoming *incoming)
{
	struct profile *profile = subject;

	take_note(profile, &incoming->message);
	if (ledger_write(profile) == -1)
		inform_report(REPORT_LEDGER, errno, profile->facts.name);
}

static void
handle_keep(void *subject, struct incoming *incoming)
{
	struct profile *profile = subject;
	enum wish wish = (enum wish)incoming->message.number;

	profile->kept_error = wishes_keep(profile->facts.name, wish) == 0 ? 0 : errno;
	if (profile->kept_error == 0)
		profile->facts.kept = wish;
	inform_tell(profile, TELL_KEPT);
}

/* A file of what it prints: put aside, and handed over to be written, or to be read. */
static void
handle_file(void *subject, struct incoming *incoming)
{
	const struct message *message = &incoming->message;

	if (message->type == MESSAGE_ROTATE)
		outputs_rotate(subject, &message->file);
	inform_file(subject, &message->file, message->type == MESSAGE_READ);
}

static void
handle_forget(void *subject, struct incoming *incoming)
{
	struct profile *profile = subject;

	(void)incoming;
	if (profile->facts.gone == 0)
		inform_introduce(profile); /* it has come back meanwhile */
	else
		profiles_forget(profile);
}

static void
handle_rotate_log(void *subject, struct incoming *incoming)
{
	(void)subject;
	files_rotate_log(incoming->message.file.keep);
	inform_log();
}

static void
handle_read_log(void *subject, struct incoming *incoming)
{
	(void)subject;
	inform_file(NULL, &incoming->message.file, true);
}

static void
handle_reopen(void *subject, struct incoming *incoming)
{
	(void)subject;
	(void)incoming;
	inform_log();
}

#define NOTHING_RUNS PHASE_BIT(PHASE_NONE)
#define NO_MAIN	     (PHASE_BIT(PHASE_NONE) | PHASE_BIT(PHASE_REST))
#define LIVES                                                                   \
	(PHASE_BIT(PHASE_ASKED) | PHASE_BIT(PHASE_BORN) | PHASE_BIT(PHASE_UP) | \
	    PHASE_BIT(PHASE_PROVED))
#define LEFTOVERS                                                                \
	(PHASE_BIT(PHASE_BORN) | PHASE_BIT(PHASE_UP) | PHASE_BIT(PHASE_PROVED) | \
	    PHASE_BIT(PHASE_REST))

/* About one profile, named by index and generation; the states are the phases of its process. */
static const struct rule profile_rules[] = {
    {MESSAGE_START, FROM_MONITOR, NO_MAIN, 0, 0, handle_start},
    {MESSAGE_SIGNAL, FROM_MONITOR, LIVES, 0, 0, handle_signal},
    {MESSAGE_SWEEP, FROM_MONITOR, LEFTOVERS, 0, 0, handle_sweep},
    {MESSAGE_NOTE, FROM_MONITOR, 0, 0, 0, handle_note},
    {MESSAGE_OPEN, FROM_MONITOR, 0, 0, 0, handle_file},
    {MESSAGE_ROTATE, FROM_MONITOR, 0, 0, 0, handle_file},
    {MESSAGE_READ, FROM_MONITOR, 0, 0, 0, handle_file},
    {MESSAGE_SETTLE, FROM_MONITOR, 0, 0, 0, watch_await},
    {MESSAGE_KEEP, FROM_MONITOR, 0, 0, 0, handle_keep},
    {MESSAGE_FORGET, FROM_MONITOR, NOTHING_RUNS, 0, 0, handle_forget},
};

/* About none; the states are how far the sender is. */
static const struct rule general_rules[] = {
    {MESSAGE_HELLO, FROM_MONITOR | FROM_SPAWNER, CHILD_NEW, 0, 0, children_hello},
    {MESSAGE_PONG, FROM_MONITOR | FROM_SPAWNER, CHILD_GREETED, 0, 0, children_pong},
    {MESSAGE_ROTATE, FROM_MONITOR, CHILD_GREETED, 0, 0, handle_rotate_log},
    {MESSAGE_READ, FROM_MONITOR, CHILD_GREETED, 0, 0, handle_read_log},
    {MESSAGE_REOPEN, FROM_MONITOR, CHILD_GREETED, 0, 0, handle_reopen},
    {MESSAGE_MARK, FROM_MONITOR, CHILD_GREETED, 0, 0, inform_mark},
    {MESSAGE_GOODBYE, FROM_MONITOR, CHILD_GREETED, 0, 0, leave_when_done},
    {MESSAGE_BORN, FROM_SPAWNER, CHILD_GREETED, 0, 1, births_born},
};

#define COUNT(rules) (sizeof(rules) / sizeof((rules)[0]))

enum verdict
requests_apply(
    enum sender sender, void *child, enum acquaintance acquaintance, struct incoming *incoming)
{
	const struct message *message = &incoming->message;
	struct profile *profile;

	if (sender != FROM_MONITOR || message->index == NO_PROFILE || acquaintance == CHILD_NEW)
		return rules_apply(
		    general_rules, COUNT(general_rules), sender, acquaintance, child, incoming);
	profile = table_at(message->index);
	if (profile == NULL || profile->generation != message->generation) {
		channel_discard(incoming);
		return RULE_REFUSED; /* it was removed while the request was on its way */
	}
	return rules_apply(profile_rules, COUNT(profile_rules), sender,
	    PHASE_BIT(profile->process.phase), profile, incoming);
}
