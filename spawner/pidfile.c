#include <sys/inotify.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "birth.h"
#include "descriptors.h"
#include "job.h"
#include "pidfile.h"

/*
 * How long until the next look, in milliseconds, when the kernel cannot tell us of a change: the
 * file's directory does not exist yet, the user has no inotify instance left, the file system is
 * remote. A claim that was refused is made again at the same pace, should it have become true.
 */
#define LOOK_AGAIN_UNWATCHED 100
#define LOOK_AGAIN_WATCHED   1000
/* Each claim costs the parent: after so many the file may change as often as it likes. */
#define CLAIMS_AT_ONCE 5

void
pidfile_parse(const char *text, size_t length, struct claim *claim)
{
	size_t digits = 0, end;
	int64_t value = 0;

	while (digits < length && text[digits] >= '0' && text[digits] <= '9' && value <= INT32_MAX)
		value = value * 10 + (text[digits++] - '0');
	end = digits < length && text[digits] == '\n' ? digits + 1 : digits;
	claim->verdict = CLAIM_NUMBER;
	claim->pid = (int32_t)value;
	/* strict, as who writes 010 may mean another number than we would read */
	if (end == length && value <= INT32_MAX && (digits == 1 || (digits > 1 && text[0] != '0')))
		return;
	claim->verdict = CLAIM_MALFORMED;
	claim->pid = 0;
	memcpy(claim->text, text, length < sizeof(claim->text) ? length : sizeof(claim->text) - 1);
}

static void
look(const char *path, struct claim *claim)
{
	char text[PIDFILE_BYTES_MAX + 1];
	struct stat status;
	int file = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	ssize_t length;

	if (file == -1) {
		claim->verdict = errno == ENOENT ? CLAIM_ABSENT
		    : errno == ELOOP		 ? CLAIM_NOT_REGULAR
						 : CLAIM_UNREADABLE;
		claim->pid = claim->verdict == CLAIM_UNREADABLE ? errno : 0;
		return;
	}
	if (fstat(file, &status) == -1 || !S_ISREG(status.st_mode))
		claim->verdict = CLAIM_NOT_REGULAR;
	else if ((length = read(file, text, sizeof(text))) > PIDFILE_BYTES_MAX)
		claim->verdict = CLAIM_TOO_LARGE;
	else if (length > 0)
		pidfile_parse(text, (size_t)length, claim);
	else /* a daemon has opened it and not yet written */
		claim->verdict = CLAIM_ABSENT;
	(void)close(file);
}

/* Waits for a change or for the time to look again. Ends the child when the parent has hung up. */
static void
wait_for_change(int inotify, bool watched, unsigned claims)
{
	char events[4096];
	struct pollfd sources[2] = {
	    {.fd = FD_JOB, .events = POLLIN}, {.fd = inotify, .events = POLLIN}};

	if (claims > CLAIMS_AT_ONCE)
		(void)poll(sources, 1, LOOK_AGAIN_UNWATCHED);
	if (poll(sources, 2, watched ? LOOK_AGAIN_WATCHED : LOOK_AGAIN_UNWATCHED) == -1 ||
	    sources[0].revents != 0)
		_exit(0);
	while (read(inotify, events, sizeof(events)) > 0)
		; /* which file it was does not matter */
}

/* The path is the first line of the `pid_file` file; an empty one was refused by the monitor. */
static bool
take_path(const struct setting_bytes *setting, char *path)
{
	size_t length;

	memcpy(path, setting->bytes, setting->length);
	path[setting->length] = '\0';
	length = strcspn(path, "\n");
	while (length > 0 && memchr(" \t\r", path[length - 1], 3) != NULL)
		length--;
	path[length] = '\0';
	return length > 0;
}

_Noreturn void
pidfile_report(const struct fork_request *request)
{
	struct claim last = {.verdict = CLAIM_VERDICT_COUNT}; /* none: the first one is told */
	struct message message;
	char path[SETTING_BYTES_MAX + 1], above[SETTING_BYTES_MAX + 1];
	int inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC); /* -1: then it looks more often */
	unsigned claims = 0;
	bool watched;

	/* should it have gone or been replaced, the survey will say so */
	if (birth_enter_directory(request) != STAGE_NONE ||
	    !take_path(&job_expect(MESSAGE_SETTING)->setting, path))
		_exit(0);
	for (;;) {
		/* before the look, or a change is missed */
		watched = inotify_add_watch(inotify, dirname(strcpy(above, path)),
			      IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO) != -1;
		message_begin(&message, MESSAGE_CLAIM);
		look(path, &message.claim);
		if (message.claim.verdict == CLAIM_NUMBER ||
		    memcmp(&message.claim, &last, sizeof(last)) != 0) {
			job_send(&message, NULL, 0);
			claims++;
		}
		last = message.claim;
		wait_for_change(inotify, watched, claims);
	}
}
