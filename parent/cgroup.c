#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <mntent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "cgroup.h"
#include "files.h"
#include "names.h"
#include "pidfd.h"
#include "procfs.h"

/* So that a profile called cgroup.kill cannot be mistaken for the kernel's file. */
#define PREFIX	  "profile-"
#define DEPTH_MAX 16

static int ours = -1; /* our subtree, and its name */
static char ours_name[64];

static int
open_profile(const char *profile)
{
	if (ours == -1) {
		errno = ENOENT;
		return -1;
	}
	return openat(
	    ours, files_name(PREFIX, profile, ""), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Our own path in the unified hierarchy, "" for its root; false when there is none. cgroups(7). */
static bool
own_path(char *path, size_t size)
{
	char text[PATH_MAX], *line, *end;

	if (!procfs_read("/proc/self/cgroup", text, sizeof(text)))
		return false;
	line = strncmp(text, "0::/", 4) == 0 ? text : strstr(text, "\n0::/");
	if (line == NULL)
		return false;
	line = strchr(line, '/');
	end = strchr(line, '\n');
	if (end != NULL)
		*end = '\0';
	(void)snprintf(path, size, "%s", strcmp(line, "/") == 0 ? "" : line);
	return true;
}

/* systemd marks what it has given away, https://systemd.io/CGROUP_DELEGATION */
static bool
delegated(const char *path)
{
	char answer = '0';

	return (getxattr(path, "trusted.delegate", &answer, 1) == 1 ||
		   getxattr(path, "user.delegate", &answer, 1) == 1) &&
	    answer == '1';
}

static int
make_subtree(const char *parent)
{
	char path[PATH_MAX + 64];
	struct statfs kind;
	int made;

	(void)snprintf(path, sizeof(path), "%s/%s", parent, ours_name);
	if (mkdir(path, 0755) == -1 && errno != EEXIST)
		return -1;
	made = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (made != -1 &&
	    (fstatfs(made, &kind) == -1 || kind.f_type != CGROUP2_SUPER_MAGIC ||
		faccessat(made, "cgroup.procs", W_OK, AT_EACCESS) == -1)) {
		(void)close(made);
		return -1;
	}
	return made;
}

static int
choose_subtree(const char *mount)
{
	char own[PATH_MAX / 2], path[PATH_MAX];
	int made = -1;

	if (own_path(own, sizeof(own))) {
		(void)snprintf(path, sizeof(path), "%s%s", mount, own);
		if (geteuid() != 0 || delegated(path))
			made = make_subtree(path);
	}
	return made == -1 && geteuid() == 0 ? make_subtree(mount) : made;
}

bool
cgroup_begin(int state_directory)
{
	struct stat status;
	struct mntent *mount;
	FILE *mounts;

	if (fstat(state_directory, &status) == -1)
		return false;
	(void)snprintf(ours_name, sizeof(ours_name), "proclaunch-%llx-%llx",
	    (unsigned long long)status.st_dev, (unsigned long long)status.st_ino);
	mounts = setmntent("/proc/self/mounts", "re");
	if (mounts == NULL)
		return false;
	while (ours == -1 && (mount = getmntent(mounts)) != NULL)
		if (strcmp(mount->mnt_type, "cgroup2") == 0)
			ours = choose_subtree(mount->mnt_dir);
	(void)endmntent(mounts);
	return ours != -1;
}

bool
cgroup_available(void)
{
	return ours != -1;
}

/* What our subtree is in, to be changed: the hierarchy's root is root's, and nobody's to write to,
 * and what goes round that is shed. -1, with errno. */
static int
unlock_above(mode_t *mode)
{
	int above = ours == -1 ? -1 : openat(ours, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat status;

	*mode = 0;
	if (above != -1 && fstat(above, &status) == 0 && (status.st_mode & S_IWUSR) == 0 &&
	    fchmod(above, (status.st_mode | S_IWUSR) & ALLPERMS) == 0)
		*mode = status.st_mode & ALLPERMS;
	return above;
}

static void
lock_above(int above, mode_t mode)
{
	if (mode != 0)
		(void)fchmod(above, mode);
	(void)close(above);
}

/* Ours was empty, and somebody who tidied up has removed it. */
static bool
make_again(void)
{
	mode_t mode;
	int above = unlock_above(&mode), made;

	if (above == -1)
		return false;
	(void)mkdirat(above, ours_name, 0755);
	made = openat(above, ours_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	lock_above(above, mode);
	if (made == -1)
		return false;
	(void)close(ours);
	ours = made;
	return true;
}

int
cgroup_make(const char *profile)
{
	const char *name;

	/* cgroup.kill reaches those who are cloned into the cgroup later, too: the kernel takes
	 * them for children of those who were in it (kill_seq in kernel/cgroup/cgroup.c,
	 * Linux 6.14). What was killed once is made anew; where somebody lives in it, it stays. */
	cgroup_remove(profile);
	name = files_name(PREFIX, profile, "");
	if (mkdirat(ours, name, 0755) == -1 && errno != EEXIST &&
	    (errno != ENOENT || !make_again() || mkdirat(ours, name, 0755) == -1))
		return -1;
	return openat(ours, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* A directory, open, and what it is called in the one above it. False: the walk is over. */
typedef bool visitor(int above, const char *name, int directory, void *context);

/* Visits the directory of that name and each one below it, the deepest first. */
static bool
walk(int above, const char *name, unsigned depth, visitor *visit, void *context)
{
	int directory = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), own;
	const struct dirent *entry;
	struct stat status;
	bool go_on = true;
	DIR *stream;

	if (directory == -1)
		return true;
	/* a directory that has none below it has two links */
	if (depth < DEPTH_MAX && fstat(directory, &status) == 0 && status.st_nlink > 2) {
		own = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		stream = own == -1 ? NULL : fdopendir(own);
		while (go_on && stream != NULL && (entry = readdir(stream)) != NULL)
			if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
				go_on = walk(directory, entry->d_name, depth + 1, visit, context);
		if (stream != NULL)
			(void)closedir(stream);
	}
	go_on = go_on && visit(above, name, directory, context);
	(void)close(directory);
	return go_on;
}

static void
walk_profile(const char *profile, visitor *visit, void *context)
{
	if (ours != -1)
		(void)walk(ours, files_name(PREFIX, profile, ""), 0, visit, context);
}

/* Calls `found` for each process of the directory, until it says stop. */
static void
each_process(int directory, bool (*found)(pid_t pid, void *context), void *context)
{
	int file = openat(directory, "cgroup.procs", O_RDONLY | O_CLOEXEC), pid;
	FILE *processes = file == -1 ? NULL : fdopen(file, "r");

	while (processes != NULL && fscanf(processes, "%d", &pid) == 1)
		if (!found(pid, context))
			break;
	if (processes != NULL)
		(void)fclose(processes);
	else if (file != -1)
		(void)close(file);
}

struct member_search {
	pid_t pid;
	bool found;
};

static bool
is_sought(pid_t pid, void *context)
{
	struct member_search *search = context;

	search->found = pid == search->pid;
	return !search->found;
}

static bool
look_for_member(int above, const char *name, int directory, void *context)
{
	(void)above;
	(void)name;
	each_process(directory, is_sought, context);
	return !((struct member_search *)context)->found;
}

bool
cgroup_contains(const char *profile, pid_t pid)
{
	struct member_search search = {.pid = pid};

	walk_profile(profile, look_for_member, &search);
	return search.found;
}

/*
 * Those who are signalled: the pidfds first, then the proof that what they hold are members. Many
 * with one proof, for to prove each takes a look at all: ten thousand that one service forks would
 * hold us up for a minute.
 */
#define MEMBERS_AT_ONCE 1024
struct members {
	int directory;
	int number; /* the signal */
	unsigned count;
	struct member {
		pid_t pid;
		int pidfd;
		bool proved;
	} all[MEMBERS_AT_ONCE];
};

static int
compare_members(const void *one, const void *other)
{
	const pid_t *a = one, *b = other; /* the first of its members */

	return (*a > *b) - (*a < *b);
}

static bool
prove_member(pid_t pid, void *context)
{
	struct members *members = context;
	struct member *found =
	    bsearch(&pid, members->all, members->count, sizeof(members->all[0]), compare_members);

	if (found != NULL)
		found->proved = true;
	return true;
}

static void
signal_members(struct members *members)
{
	unsigned i;

	qsort(members->all, members->count, sizeof(members->all[0]), compare_members);
	each_process(members->directory, prove_member, members);
	for (i = 0; i < members->count; i++) {
		if (members->all[i].proved) /* it may have ended */
			pidfd_signal(members->all[i].pidfd, members->number);
		(void)close(members->all[i].pidfd);
	}
	members->count = 0;
}

static bool
take_member(pid_t pid, void *context)
{
	struct members *members = context;
	int pidfd = members->count < MEMBERS_AT_ONCE ? pidfd_open(pid, 0) : -1;

	if (pidfd == -1 && members->count > 0) { /* no room, or no descriptor left */
		signal_members(members);
		pidfd = pidfd_open(pid, 0);
	}
	if (pidfd != -1)
		members->all[members->count++] = (struct member){.pid = pid, .pidfd = pidfd};
	return true;
}

static bool
signal_directory(int above, const char *name, int directory, void *context)
{
	static struct members members;

	(void)above;
	(void)name;
	members.directory = directory;
	members.number = *(const int *)context;
	each_process(directory, take_member, &members);
	signal_members(&members);
	return true;
}

bool
cgroup_populated(const char *profile, int *events)
{
	char text[128];
	ssize_t length;
	int directory;

	if (*events == -1 && (directory = open_profile(profile)) != -1) {
		*events = openat(directory, "cgroup.events", O_RDONLY | O_CLOEXEC);
		(void)close(directory);
	}
	if (*events == -1) /* for want of descriptors or memory nobody can tell */
		return errno != ENOENT;
	length = pread(*events, text, sizeof(text) - 1, 0);
	text[length < 0 ? 0 : length] = '\0';
	/* ENODEV: somebody has removed it, which can be done to an empty one only */
	return length < 0 ? errno != ENODEV : strstr(text, "populated 1") != NULL;
}

void
cgroup_signal(const char *profile, int number)
{
	int directory, file;

	if (number != SIGKILL) {
		walk_profile(profile, signal_directory, &number);
	} else if ((directory = open_profile(profile)) != -1) {
		file = openat(directory, "cgroup.kill", O_WRONLY | O_CLOEXEC);
		if (file != -1) {
			(void)!write(file, "1", 1); /* the caller watches whether they end */
			(void)close(file);
		}
		(void)close(directory);
	}
}

static bool
remove_directory(int above, const char *name, int directory, void *context)
{
	(void)directory;
	(void)context;
	(void)unlinkat(above, name, AT_REMOVEDIR); /* EBUSY: processes are in it */
	return true;
}

void
cgroup_remove(const char *profile)
{
	walk_profile(profile, remove_directory, NULL);
}

void
cgroup_end(void)
{
	mode_t mode;
	int above = unlock_above(&mode);

	if (above == -1)
		return;
	(void)unlinkat(above, ours_name, AT_REMOVEDIR);
	lock_above(above, mode);
}

void
cgroup_each(void (*found)(const char *profile))
{
	struct dirent *entry;
	DIR *stream;
	char *slash;
	int own = ours == -1 ? -1 : openat(ours, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	stream = own == -1 ? NULL : fdopendir(own);
	if (stream == NULL)
		return;
	while ((entry = readdir(stream)) != NULL) {
		if (entry->d_type != DT_DIR || strncmp(entry->d_name, PREFIX, strlen(PREFIX)) != 0)
			continue;
		slash = strchr(entry->d_name, '%');
		if (slash != NULL)
			*slash = '/';
		found(entry->d_name + strlen(PREFIX));
	}
	(void)closedir(stream);
}
