#include <sys/stat.h>
#include <sys/syscall.h>

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "pidfile.h"
#include "trust.h"

/*
 * Opens what a profile holds; -1 when it cannot be had. Most profiles are somebody else's, who
 * could put a FIFO, a link or a file system of their own in its place: none of them may hold up
 * root, who asks about all profiles at once.
 */
static int
open_beneath(int directory, const char *path, uint64_t flags)
{
	struct open_how how = {.flags = flags | O_NOFOLLOW | O_CLOEXEC,
	    .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV};

	return (int)syscall(SYS_openat2, directory, path, &how, sizeof(how));
}

static bool
exists_beneath(int directory, const char *path)
{
	int file = open_beneath(directory, path, O_PATH);

	if (file != -1)
		(void)close(file);
	return file != -1;
}

/* Reads the `pid_file` file without the white space at its end. *ours: nobody but root and the
 * caller can have written it. */
static bool
read_setting(int profile, char *target, size_t size, bool *ours)
{
	int file = open_beneath(profile, setting_name(SETTING_PID_FILE), O_RDONLY | O_NONBLOCK);
	struct stat status;
	ssize_t length = -1;

	if (file == -1)
		return false;
	if (fstat(file, &status) == 0 && S_ISREG(status.st_mode))
		length = read(file, target, size - 1);
	(void)close(file);
	while (length > 0 && strchr(" \t\r\n", target[length - 1]) != NULL)
		length--;
	if (length <= 0)
		return false;
	target[length] = '\0';
	*ours = status.st_uid == 0 || status.st_uid == geteuid();
	return true;
}

bool
pidfile_is_stale(const struct row *row)
{
	const struct hello *greeting = ask_greeting();
	const char *base = strchr(row->name, '/') == NULL ? greeting->base : greeting->tenants;
	char target[PATH_MAX];
	int directory, profile;
	bool found = false, ours;

	if (row->state != STATE_STOPPED)
		return false;
	directory = open(base, O_PATH | O_DIRECTORY | O_CLOEXEC);
	profile = directory == -1 ? -1 : trust_open_profile(directory, row->name);
	/* where somebody else's path leads outside of their profile is not looked at */
	if (profile != -1 && read_setting(profile, target, sizeof(target), &ours))
		found = ours ? faccessat(profile, target, F_OK, 0) == 0
			     : exists_beneath(profile, target);
	if (profile != -1)
		(void)close(profile);
	if (directory != -1)
		(void)close(directory);
	return found;
}
