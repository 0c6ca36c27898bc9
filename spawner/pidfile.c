#include <sys/inotify.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "birth.h"
#include "job.h"
#include "pidfile.h"

/*
 * How long until the next look, in milliseconds, when the kernel cannot tell us of a change: the
 * file's directory does not exist yet, the user has no inotify instance left, the file system is
 * remote. A claim that was refused is made again at the same pace, should it have become true.
 */
#define LOOK_AGAIN_UNWATCHED 100
#define LOOK_AGAIN_WATCHED   1000

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
	ssize_t length;
	int file;

	memset(claim, 0, sizeof(*claim));
	file = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (file == -1) {
		claim->verdict = errno == ENOENT ? CLAIM_ABSENT
		    : errno == ELOOP		 ? CLAIM_NOT_REGULAR
						 : CLAIM_UNREADABLE;
		claim->pid = errno;
		return;
	}
	if (fstat(file, &status) == -1 || !S_ISREG(status.st_mode)) {
		claim->verdict = CLAIM_NOT_REGULAR;
	} else {
		length = read(file, text, sizeof(text));
		if (length > PIDFILE_BYTES_MAX)
			claim->verdict = CLAIM_TOO_LARGE;
		else if (length > 0)
			pidfile_parse(text, (size_t)length, claim);
		else /* a daemon has opened it and not yet written */
			claim->verdict = CLAIM_ABSENT;
	}
	(void)close(file);
}

/* Watches the directory that the path is in; false when that cannot be. */
static bool
watch_directory(int inotify, const char *path)
{
	char directory[SETTING_BYTES_MAX + 2];
	const char *slash = strrchr(path, '/');
	size_t length = slash == NULL ? 0 : (size_t)(slash - path);

	if (inotify == -1)
		return false;
	if (slash == NULL)
		strcpy(directory, ".");
	else if (length == 0)
		strcpy(directory, "/");
	else {
		memcpy(directory, path, length);
		directory[length] = '\0';
	}
	return inotify_add_watch(inotify, directory, IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO) !=
	    -1;
}

/* Waits for a change or for the time to look again. Ends the child when the parent has hung up. */
static void
wait_for_change(int inotify, bool watched)
{
	char events[4096];
	struct pollfd sources[2] = {
	    {.fd = job_channel(), .events = POLLIN}, {.fd = inotify, .events = POLLIN}};

	if (poll(sources, 2, watched ? LOOK_AGAIN_WATCHED : LOOK_AGAIN_UNWATCHED) == -1 ||
	    sources[0].revents != 0)
		_exit(0);
	if (inotify != -1)
		while (read(inotify, events, sizeof(events)) > 0)
			; /* which file it was does not matter */
}

static void
receive(struct incoming *incoming, enum message_type expected)
{
	if (!job_receive(incoming) || incoming->message.type != expected)
		_exit(0);
}

/* The path is the first line of the `pid_file` file; an empty one was refused by the monitor. */
static bool
take_path(const struct setting_bytes *setting, char *path)
{
	size_t length = 0;

	while (length < setting->length && setting->bytes[length] != '\n' &&
	    setting->bytes[length] != '\0')
		length++;
	while (length > 0 && memchr(" \t\r", setting->bytes[length - 1], 3) != NULL)
		length--;
	memcpy(path, setting->bytes, length);
	path[length] = '\0';
	return length > 0;
}

_Noreturn void
pidfile_report(void)
{
	static struct incoming incoming;
	struct message message;
	struct claim last, claim;
	char path[SETTING_BYTES_MAX + 1];
	bool watched, first = true;
	int inotify;

	receive(&incoming, MESSAGE_GO);
	if (birth_enter_directory(&incoming.message.go) != STAGE_NONE)
		_exit(0); /* gone or replaced: the survey will say so */
	receive(&incoming, MESSAGE_SETTING);
	if (!take_path(&incoming.message.setting, path))
		_exit(0);
	inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	memset(&last, 0, sizeof(last));
	for (;;) {
		watched =
		    watch_directory(inotify, path); /* before the look, or a change is missed */
		look(path, &claim);
		if (first || claim.verdict == CLAIM_NUMBER ||
		    memcmp(&claim, &last, sizeof(claim)) != 0) {
			message_begin(&message, MESSAGE_CLAIM);
			message.claim = claim;
			job_send(&message);
		}
		first = false;
		last = claim;
		wait_for_change(inotify, watched);
	}
}
