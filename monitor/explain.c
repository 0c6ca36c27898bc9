#include <errno.h>
#include <string.h>

#include "explain.h"
#include "log.h"
#include "vocabulary.h"

#define STAGE_TEXT(name, text) [STAGE_##name] = text,
static const char *const stage_texts[STAGE_COUNT] = {STAGE_CATALOGUE(STAGE_TEXT)};

static const char *const refusal_texts[REFUSAL_COUNT] = {
    [REFUSAL_MISSING] = "is missing: a profile needs an executable file of that name",
    [REFUSAL_LINK] = "is a link: put a file of its own there",
    [REFUSAL_NOT_REGULAR] = "is no plain file",
    [REFUSAL_TOO_LARGE] = "is larger than 4096 bytes",
    [REFUSAL_OWNER] = "belongs to somebody else than root and the profile's owner: chown it",
    [REFUSAL_WRITABLE] = "may be written to by others: chmod go-w, and see its ACL",
    [REFUSAL_NOT_EXECUTABLE] = "is not executable: chmod +x",
    [REFUSAL_ROOT_ONLY] = "counts in a profile that root owns only: remove it",
    [REFUSAL_NO_ACCOUNT] = "must name an existing account exactly, by name",
    [REFUSAL_UID_CHANGED] = "names an account whose uid has changed: touch the file to accept it",
    [REFUSAL_FALSE_ROOT] = "names an account with uid 0 that is not called root",
    [REFUSAL_NO_ROOT] = "would make it run as root, which --no-root forbids",
    [REFUSAL_NOT_YOU] = "names somebody else, which only root can become",
    [REFUSAL_GROUPS] = "names an account that is in more than 512 groups",
};

static const char *
refused_name(uint32_t setting)
{
	return setting < SETTING_COUNT ? setting_name((enum setting)setting) : "the directory";
}

void
explain_refusal(const struct profile *profile)
{
	const struct profile_facts *facts = &profile->facts;
	const char *tag = facts->name;

	if (facts->refusal == REFUSAL_UNREADABLE)
		log_line(tag, SAY_REFUSED_ERROR, refused_name(facts->refused_setting),
		    strerror((int)facts->refused_error));
	else if (facts->refusal == REFUSAL_NO_ACCOUNT &&
	    facts->refused_setting == SETTING_DIRECTORY)
		log_line(
		    tag, SAY_REFUSED_PROFILE, "its directory belongs to a uid without account");
	else if (facts->refusal != REFUSAL_NONE)
		log_line(tag, SAY_REFUSED, refused_name(facts->refused_setting),
		    refusal_texts[facts->refusal]);
	else
		log_line(
		    tag, SAY_REFUSED, refused_name(profile->draft_refused), profile->draft_refusal);
}

void
explain_end(const struct profile *profile, bool expected)
{
	const char *tag = profile->facts.name;
	char text[SIGNAL_TEXT_BYTES];
	int pid = profile->exit_pid, value = profile->exit_value;

	if (profile->exit_end == END_SIGNAL) {
		(void)signal_to_text(value, text, sizeof(text));
		if (expected)
			log_line(tag, SAY_ENDED_SIGNAL, pid, text);
		else
			log_line(tag, SAY_DIED_SIGNAL, pid, text);
	} else if (profile->exit_end == END_EXIT) {
		if (expected)
			log_line(tag, SAY_ENDED_EXIT, pid, value);
		else
			log_line(tag, SAY_DIED_EXIT, pid, value);
	} else if (expected) {
		log_line(tag, SAY_ENDED, pid);
	} else {
		log_line(tag, SAY_DIED, pid);
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
		return "run, or the interpreter in its first line, does not exist";
	case EACCES:
		return "run must be executable by its user, on a file system without noexec";
	case ETXTBSY:
		return "somebody has run open for writing";
	case ELOOP:
		return "run is a symbolic link";
	default:
		return NULL;
	}
}

void
explain_failure(const struct profile *profile)
{
	const struct process_facts *process = &profile->process;
	const char *tag = profile->facts.name;
	int error = (int)process->error;
	const char *hint = process->stage == STAGE_EXEC ? exec_hint(error) : NULL;

	if (process->stage == STAGE_DIRECTORY && error == EACCES)
		hint = "its user must be able to enter the directory and all above it";
	if (hint != NULL)
		log_line(tag, SAY_CANNOT_EXEC, stage_texts[process->stage], strerror(error), hint);
	else
		log_line(tag, SAY_CANNOT_START, stage_texts[process->stage], strerror(error));
}

void
explain_claim(const struct profile *profile, const struct claim *claim)
{
	static const char *const texts[CLAIM_VERDICT_COUNT] = {
	    [CLAIM_NOT_REGULAR] = "is no plain file",
	    [CLAIM_TOO_LARGE] = "is larger than 32 bytes",
	    [CLAIM_NO_PROCESS] = "which does not exist",
	    [CLAIM_THREAD] = "which is no process but a thread",
	    [CLAIM_FOREIGN] = "which is not in this profile",
	    [CLAIM_ENDED] = "which has ended",
	};
	const char *tag = profile->facts.name;

	switch (claim->verdict) {
	case CLAIM_MALFORMED:
		log_line(tag, SAY_CLAIM_TEXT, claim->text);
		break;
	case CLAIM_UNREADABLE:
		log_line(tag, SAY_CLAIM_UNREADABLE, strerror(claim->pid));
		break;
	case CLAIM_NOT_REGULAR:
	case CLAIM_TOO_LARGE:
		log_line(tag, SAY_CLAIM_FILE, texts[claim->verdict]);
		break;
	case CLAIM_ABSENT:
	case CLAIM_NUMBER:
		break; /* nothing was refused */
	default:
		log_line(tag, SAY_CLAIM_PID, claim->pid, texts[claim->verdict]);
		break;
	}
}
