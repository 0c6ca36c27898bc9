#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "descriptors.h"
#include "procfs.h"

/* Longer than any chain of ancestors that a service has a use for. */
#define ANCESTORS_MAX 32

static int instance = -1;
static const char *place = "/proc/"; /* "./" in an instance of our own */

void
procfs_open(void)
{
	int context = fsopen("proc", FSOPEN_CLOEXEC); /* when this fails, what follows fails too */

	(void)fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	instance = fsmount(context, FSMOUNT_CLOEXEC, 0);
	descriptor_close(context);
	if (instance != -1)
		place = "./";
}

bool
procfs_read(const char *path, char *text, size_t size)
{
	int file = openat(instance, path, O_RDONLY | O_CLOEXEC);
	ssize_t length;

	if (file == -1)
		return false;
	length = read(file, text, size - 1);
	(void)close(file);
	text[length < 0 ? 0 : length] = '\0';
	return length > 0;
}

bool
procfs_read_of(pid_t pid, const char *name, char *text, size_t size)
{
	char path[48];

	(void)snprintf(path, sizeof(path), "%s%d/%s", place, pid, name);
	return procfs_read(path, text, size);
}

bool
procfs_stat(pid_t pid, struct procfs_stat *stat)
{
	char text[1024], *after;
	unsigned waits; /* 1 of a zombie; or 0, as the status is then, to whom may not see either */
	unsigned flags;

	/* the process chose the name in front, which may hold anything, ')' and digits too */
	after = procfs_read_of(pid, "stat", text, sizeof(text)) ? strrchr(text, ')') : NULL;
	if (after == NULL ||
	    sscanf(after,
		") %c %d %*d %*d %*d %*d %u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d "
		"%" SCNu64 " %*u %*d %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %u",
		&stat->state, &stat->parent, &flags, &stat->start_ticks, &waits) != 5)
		return false;
	stat->unexecuted = (flags & 0x40) != 0; /* PF_FORKNOEXEC, include/linux/sched.h */
	stat->wait_status = (int)strtol(strrchr(text, ' '), NULL, 10); /* the last field */
	stat->wait_status -= stat->wait_status == 0 && waits == 0;
	return true;
}

bool
procfs_uids(pid_t pid, uid_t ids[4])
{
	char text[2048], *line = NULL;

	if (procfs_read_of(pid, "status", text, sizeof(text)))
		line = strstr(text, "\nUid:"); /* in the name before it newlines are escaped */
	return line != NULL &&
	    sscanf(line, "\nUid: %u %u %u %u", &ids[0], &ids[1], &ids[2], &ids[3]) == 4;
}

bool
procfs_has_uid(pid_t pid, uid_t uid, bool all)
{
	unsigned ids[4], matching = 0, i;

	for (i = procfs_uids(pid, ids) ? 0 : 4; i < 4; i++)
		matching += ids[i] == uid;
	return all ? matching == 4 : matching > 0;
}

bool
procfs_waits_in(pid_t pid, struct stat *where)
{
	char text[256], path[48];
	unsigned descriptor, beyond;
	long call;

	if (!procfs_read_of(pid, "syscall", text, sizeof(text)) ||
	    sscanf(text, "%ld %x %*x %*x %x", &call, &descriptor, &beyond) != 3)
		return false;
	if (call == SYS_read)
		descriptor = beyond;
	(void)snprintf(path, sizeof(path), "%s%d/fd/%u", place, pid, descriptor);
	/* statx(2): without asking whoever serves the file, who may be the one who keeps it there
	 */
	return fstatat(instance, path, where, AT_STATX_DONT_SYNC) == 0;
}

bool
procfs_descends_from_us(pid_t pid)
{
	struct procfs_stat stat;
	unsigned generation;

	for (generation = 0; generation < ANCESTORS_MAX && pid > 1 && procfs_stat(pid, &stat);
	     generation++, pid = stat.parent)
		if (stat.parent == getpid())
			return true;
	return false;
}

bool
procfs_each(bool (*found)(pid_t pid, void *context), void *context)
{
	const struct dirent *entry;
	DIR *processes = opendir("/proc");
	bool go_on = processes != NULL;

	while (go_on && (entry = readdir(processes)) != NULL)
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
			go_on = found((pid_t)strtol(entry->d_name, NULL, 10), context);
	if (processes != NULL)
		(void)closedir(processes);
	return go_on;
}
