#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "explain.h"
#include "log.h"
#include "output.h"
#include "share.h"
#include "supervise.h"
#include "vocabulary.h"
#include "words.h"

#define STAGE_TEXT(name, text) [STAGE_##name] = text,
static const char *const stage_texts[STAGE_COUNT] = {STAGE_CATALOGUE(STAGE_TEXT)};

static const char *const refusal_texts[REFUSAL_COUNT] = {
    [REFUSAL_MISSING] = "is missing: a profile needs an executable file of that name",
    [REFUSAL_LINK] = "is a link: put a file of its own there",
    [REFUSAL_NOT_REGULAR] = "is no plain file: put one there",
    [REFUSAL_TOO_LARGE] = "is larger than 4096 bytes: shorten it",
    [REFUSAL_OWNER] = "belongs to somebody else than root and the profile's owner: chown it",
    [REFUSAL_WRITABLE] = "may be written to by others: chmod go-w, and see its ACL",
    [REFUSAL_NOT_EXECUTABLE] = "is not executable: chmod +x",
    [REFUSAL_ROOT_ONLY] = "counts in a profile that root owns only: remove it",
    [REFUSAL_NO_ACCOUNT] =
	"must name an existing account exactly, by name and with nothing behind it",
    [REFUSAL_UID_CHANGED] = "names an account whose uid has changed: touch the file to accept it",
    [REFUSAL_FALSE_ROOT] =
	"names an account with uid 0 that is not called root: name root, or another account",
    [REFUSAL_NO_ROOT] =
	"would make it run as root, which --no-root forbids: name another account in it",
    [REFUSAL_NOT_YOU] = "names somebody else, which only root can become: remove it",
    [REFUSAL_QUOTA] = "is one profile more than the tenant's quota allows: remove another",
    [REFUSAL_GROUPS] = "names an account that is in more than 512 groups: take it out of some",
};

static const char *
refused_name(uint32_t setting)
{
	return setting < SETTING_COUNT ? setting_name((enum setting)setting) : "the directory";
}

static const char *
refused_file(const struct profile *profile)
{
	if (profile->facts.refusal == REFUSAL_QUOTA)
		return "quota";
	return refused_name(profile->facts.refusal != REFUSAL_NONE ? profile->facts.refused_setting
								   : profile->draft_refused);
}

const char *
explain_refusal(const struct profile *profile, char *text, size_t size)
{
	const struct profile_facts *facts = &profile->facts;
	const char *file = refused_name(facts->refused_setting);

	if (facts->refusal == REFUSAL_UNREADABLE && facts->refused_error == EREMOTE)
		(void)snprintf(
		    text, size, "%s: is a FUSE mount, which may keep root waiting for ever", file);
	else if (facts->refusal == REFUSAL_UNREADABLE)
		(void)snprintf(text, size, "%s: cannot be read: %s", file,
		    strerror((int)facts->refused_error));
	else if (facts->refusal == REFUSAL_NO_ACCOUNT &&
	    facts->refused_setting == SETTING_DIRECTORY)
		(void)snprintf(
		    text, size, "%s: belongs to a uid that has no account: chown it", file);
	else if (facts->refusal != REFUSAL_NONE)
		(void)snprintf(text, size, "%s: %s", file, refusal_texts[facts->refusal]);
	else
		(void)snprintf(text, size, "%s: %s", refused_name(profile->draft_refused),
		    profile->draft_refusal);
	return text;
}

void
explain_end(const struct profile *profile, bool expected)
{
	char text[SIGNAL_TEXT_BYTES];
	int pid = profile->exit_pid, value = profile->exit_value;

	if (profile->exit_end == END_SIGNAL) {
		(void)signal_to_text(value, text, sizeof(text));
		if (expected)
			share_line(profile, SAY_ENDED_SIGNAL, pid, text);
		else
			share_line(profile, SAY_DIED_SIGNAL, pid, text);
	} else if (profile->exit_end == END_EXIT) {
		if (expected)
			share_line(profile, SAY_ENDED_EXIT, pid, value);
		else
			share_line(profile, SAY_DIED_EXIT, pid, value);
	} else if (expected) {
		share_line(profile, SAY_ENDED, pid);
	} else {
		share_line(profile, SAY_DIED, pid);
	}
}

/* What to look for when `run` itself could not be executed, execve(2). */
static const char *
exec_hint(int error)
{
	switch (error) {
	case ENOEXEC:
		return "run must be a program, or begin with a line such as #!/bin/sh";
	case ENOENT:
		return "run, or the interpreter in its first line, does not exist: no line may end "
		       "with CR LF";
	case EACCES:
		return "run must be executable by its user, on a file system without noexec";
	case ETXTBSY:
		return "somebody has run open for writing";
	case ELOOP:
		return "run is a symbolic link";
	case EAGAIN:
		return "its user has as many processes as its limit or quota allows";
	default:
		return NULL;
	}
}

const char *
explain_failure(const struct profile *profile, char *text, size_t size)
{
	const struct process_facts *process = &profile->process;
	int error = (int)process->error;
	const char *hint = process->stage == STAGE_EXEC ? exec_hint(error) : NULL;

	if (process->stage == STAGE_DIRECTORY && error == EACCES)
		hint = "its user must be able to enter the directory and all above it";
	if (error == EPERM && process->stage > STAGE_CLONE && process->stage < STAGE_SIGNALS)
		hint = "forbidden to the supervisor itself, as by a container or SystemCallFilter=";
	if (hint == NULL)
		(void)snprintf(text, size, "%s: %s", stage_texts[process->stage], strerror(error));
	else
		(void)snprintf(
		    text, size, "%s: %s (%s)", stage_texts[process->stage], strerror(error), hint);
	return text;
}

static const char *const claim_texts[CLAIM_VERDICT_COUNT] = {
    [CLAIM_NOT_REGULAR] = "is no plain file",
    [CLAIM_TOO_LARGE] = "is larger than 32 bytes",
    [CLAIM_NO_PROCESS] = "which does not exist",
    [CLAIM_THREAD] = "which is no process but a thread",
    [CLAIM_FOREIGN] = "which is not in this profile",
    [CLAIM_ENDED] = "which has ended",
};

void
explain_claim(const struct profile *profile, const struct claim *claim)
{
	switch (claim->verdict) {
	case CLAIM_MALFORMED:
		share_line(profile, SAY_CLAIM_TEXT, claim->text);
		break;
	case CLAIM_UNREADABLE:
		share_line(profile, SAY_CLAIM_UNREADABLE, strerror(claim->pid));
		break;
	case CLAIM_NOT_REGULAR:
	case CLAIM_TOO_LARGE:
		share_line(profile, SAY_CLAIM_FILE, claim_texts[claim->verdict]);
		break;
	case CLAIM_ABSENT:
	case CLAIM_NUMBER:
		break; /* nothing was refused */
	default:
		share_line(profile, SAY_CLAIM_PID, claim->pid, claim_texts[claim->verdict]);
		break;
	}
}

static void decide(struct row *row, const char *by, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void
decide(struct row *row, const char *by, const char *format, ...)
{
	va_list arguments;

	(void)snprintf(row->decided_by, sizeof(row->decided_by), "%s", by);
	va_start(arguments, format);
	(void)vsnprintf(row->reason, sizeof(row->reason), format, arguments);
	va_end(arguments);
}

/* "ended with status 3", "was ended by SIGKILL": the last process. */
static const char *
last_end(const struct profile *profile, char *text, size_t size)
{
	char name[SIGNAL_TEXT_BYTES];

	if (profile->exit_end == END_SIGNAL)
		(void)snprintf(text, size, "was ended by %s",
		    signal_to_text(profile->exit_value, name, sizeof(name)));
	else if (profile->exit_end == END_EXIT)
		(void)snprintf(text, size, "ended with status %d", profile->exit_value);
	else if (profile->unproved)
		(void)snprintf(text, size, "ended before pid_file had named a process of it");
	else
		(void)snprintf(text, size, "ended, nobody knows how");
	return text;
}

/* So it seems: what stays in the foreground does not end with status 0 at once. */
static bool
has_gone_to_the_background(const struct profile *profile)
{
	return !profile->settings.pid_file && profile->exit_end == END_EXIT &&
	    profile->exit_value == 0;
}

/* What pid_file names in the place of the service. The log, which says so too, is root's: its owner
 * has only this. */
static const char *
wrong_claim(const struct profile *profile, char *text, size_t size)
{
	const struct claim *claim = &profile->claim;

	if (profile->claims == 0)
		return "";
	switch (claim->verdict) {
	case CLAIM_MALFORMED:
		return "; it names what is not a pid";
	case CLAIM_UNREADABLE:
		(void)snprintf(
		    text, size, "; it names a file that cannot be read: %s", strerror(claim->pid));
		break;
	case CLAIM_NOT_REGULAR:
	case CLAIM_TOO_LARGE:
		(void)snprintf(
		    text, size, "; it names a file that %s", claim_texts[claim->verdict]);
		break;
	default:
		(void)snprintf(
		    text, size, "; it names pid %d, %s", claim->pid, claim_texts[claim->verdict]);
		break;
	}
	return text;
}

static void
explain_stopped(const struct profile *profile, struct row *row)
{
	char text[160];

	if (row->accepted == 0)
		decide(row, refused_file(profile), "refused: %s",
		    explain_refusal(profile, text, sizeof(text)));
	else if (profile->facts.gone != 0)
		decide(row, "", "its directory has disappeared");
	else if (profile->wish == WISH_DOWN)
		decide(row, "stop", "stopped on request, until start or the next boot");
	else if (profile->wish == WISH_DEFAULT && profile->facts.kept == WISH_DOWN)
		decide(row, "disable", "disabled, until enable");
	else if (row->wanted == 0 && profile->settings.down)
		decide(row, "down", "not started until asked for");
	else if (profile->unnamed && (profile->finished || profile->timer == TIMER_START))
		decide(row, "pid_file",
		    "pid_file has named no process of it within start_timeout%s%s",
		    profile->finished ? ", and it is not to be started again" : "",
		    wrong_claim(profile, text, sizeof(text)));
	else if (profile->finished)
		decide(row, "restart", "%s, and is not to be started again",
		    last_end(profile, text, sizeof(text)));
	else if (profile->timer == TIMER_START && profile->over_quota)
		decide(row, "quota", "%s, over the tenant's quota of %u restarts a minute",
		    last_end(profile, text, sizeof(text)),
		    profile->facts.quota.restarts_per_minute);
	else if (profile->timer == TIMER_START && profile->process.end == END_UNBORN)
		decide(row, "backoff", "cannot start: %s",
		    explain_failure(profile, text, sizeof(text)));
	else if (profile->timer == TIMER_START)
		decide(row, "backoff", "%s, %u starts in a row have failed%s",
		    last_end(profile, text, sizeof(text)), profile->failures,
		    has_gone_to_the_background(profile)
			? ": a daemon that puts itself into the background needs a pid_file"
			: "");
	else
		decide(row, "", "all profiles are being stopped");
}

static void
explain_stopping(const struct profile *profile, struct row *row)
{
	const char *gone = profile->facts.gone != 0 ? "its directory has disappeared; " : "";
	const char *deadline = "";

	if (profile->timer == TIMER_OVERDUE)
		deadline = ", then SIGKILL";
	else if (profile->timer == TIMER_STILL_STOPPING)
		deadline = ", however long it takes: there is no stop_timeout";
	if (profile->process.phase == PHASE_REST)
		decide(row, "kill_mode", "%swaiting for what pid %d has left behind to end%s", gone,
		    profile->exit_pid, deadline);
	else if (profile->process.phase == PHASE_UP && profile->process.end != END_NONE)
		decide(row, "pid_file", "%swaiting for what pid %d may have left behind%s", gone,
		    profile->process.pid, deadline);
	else
		decide(row, profile->timer == TIMER_OVERDUE ? "stop_timeout" : "",
		    "%swaiting for pid %d to end%s", gone, profile->process.pid, deadline);
}

/* It may wait for that, and the log, which says so too, is root's. */
static const char *
unwritten(const struct profile *profile, char *text, size_t size)
{
	int error = output_error(profile);

	if (error == 0)
		return "";
	(void)snprintf(text, size, "; its output cannot be written: %s", strerror(error));
	return text;
}

static void
explain_running(const struct profile *profile, struct row *row)
{
	char text[160];

	if (row->accepted != 0 && profile->settings.pid_file)
		decide(row, "pid_file", "pid_file has named its process%s",
		    unwritten(profile, text, sizeof(text)));
	else if (row->accepted != 0)
		decide(
		    row, "run", "run has been executed%s", unwritten(profile, text, sizeof(text)));
	else
		decide(row, refused_file(profile), "running as before; refused: %s",
		    explain_refusal(profile, text, sizeof(text)));
}

static void
explain_state(const struct profile *profile, struct row *row)
{
	char text[160];

	switch (profile->state) {
	case STATE_STOPPED:
		explain_stopped(profile, row);
		break;
	case STATE_STARTING:
		if (profile->process.phase == PHASE_UP)
			decide(row, "pid_file", "waiting for pid_file to name a process of it%s",
			    wrong_claim(profile, text, sizeof(text)));
		else
			decide(row, "", "waiting for run to be executed");
		break;
	case STATE_RUNNING:
		explain_running(profile, row);
		break;
	default:
		explain_stopping(profile, row);
		break;
	}
}

static const enum shown_timer shown_timers[] = {
    [TIMER_NONE] = SHOWN_NONE,
    [TIMER_START] = SHOWN_START,
    [TIMER_LATE] = SHOWN_START_TIMEOUT,
    [TIMER_OVERDUE] = SHOWN_STOP_TIMEOUT,
    [TIMER_STILL_STOPPING] = SHOWN_REMINDER,
};

void
explain_row(const struct profile *profile, struct row *row)
{
	int64_t now = clock_now();

	memset(row, 0, sizeof(*row));
	memcpy(row->name, profile->facts.name, sizeof(row->name));
	memcpy(row->account, profile->facts.account, sizeof(row->account));
	row->uid = profile->facts.uid;
	row->state = profile->state;
	row->wanted = supervise_wanted(profile);
	row->accepted = supervise_accepted(profile);
	row->pid = supervise_lives(profile) ? profile->process.pid : 0;
	row->restarts = profile->restarts;
	row->failures = supervise_failures(profile);
	row->since_wall_ms = profile->since_wall_ms;
	row->exit_end = profile->exit_end;
	row->exit_pid = profile->exit_pid;
	row->exit_value = profile->exit_value;
	row->exit_wall_ms = profile->exit_wall_ms;
	if (profile->state == STATE_RUNNING)
		row->uptime_ms = (now - profile->process.started) / MILLISECOND;
	row->timer = shown_timers[profile->timer];
	/* what is refused, or is not to run any more, is not started by it */
	if (row->timer == SHOWN_START && (row->wanted == 0 || row->accepted == 0))
		row->timer = SHOWN_NONE;
	if (row->timer != SHOWN_NONE)
		row->timer_wall_ms = clock_wall_ms() + (profile->timer_at - now) / MILLISECOND;
	explain_state(profile, row);
}
