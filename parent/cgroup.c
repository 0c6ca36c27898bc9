#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
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
#include "survey.h"

/* So that a profile called cgroup.kill cannot be mistaken for the kernel's file. */
#define PREFIX	  "profile-"
#define DEPTH_MAX 16
/* The names in ours are other tenants'; and whoever lists a directory into a page of his that takes
 * long keeps its lock, which to remove it takes. A service may look at its own limits. */
#define LISTED_BY_US 0711
/* So many processes of a cgroup are sent SIGTERM at once: who forks faster than we look at them
 * does not hold us up. SIGKILL they all get. */
#define SIGNALLED_MAX 32768

static int ours = -1; /* our subtree, its name, and its path as /proc/PID/cgroup has it */
static char ours_name[64];
static char ours_path[2 * PATH_MAX];

/* The process's path in the unified hierarchy, "" for its root; false when there is none. No name
 * in it holds a newline. cgroups(7). */
static bool
path_of(pid_t pid, char *path, size_t size)
{
	char text[4 * PATH_MAX], *line;

	if (!procfs_read_of(pid, "cgroup", text, sizeof(text)))
		return false;
	line = strncmp(text, "0::/", 4) == 0 ? text : strstr(text, "\n0::/");
	if (line == NULL)
		return false;
	line += strspn(line, "\n0:"); /* the path begins with a slash */
	line[strcspn(line, "\n")] = '\0';
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

/* In the cgroup `above`, of the hierarchy that is mounted there from its `root` on. */
static int
make_subtree(const char *root, const char *mount, const char *above)
{
	char path[2 * PATH_MAX];
	struct statfs kind;
	int made;

	(void)snprintf(path, sizeof(path), "%s%s/%s", mount, above, ours_name);
	(void)snprintf(ours_path, sizeof(ours_path), "%s%s/%s", root, above, ours_name);
	if (mkdir(path, LISTED_BY_US) == -1 && errno != EEXIST)
		return -1;
	made = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (made != -1 &&
	    (fstatfs(made, &kind) == -1 || kind.f_type != CGROUP2_SUPER_MAGIC ||
		faccessat(made, "cgroup.procs", W_OK, AT_EACCESS) == -1 ||
		fchmod(made, LISTED_BY_US) == -1)) {
		(void)close(made);
		return -1;
	}
	return made;
}

static int
choose_subtree(const char *root, const char *mount)
{
	char own[PATH_MAX / 2], path[2 * PATH_MAX];
	int made = -1;

	if (path_of(getpid(), own, sizeof(own))) {
		(void)snprintf(path, sizeof(path), "%s%s", mount, own);
		if (geteuid() != 0 || delegated(path))
			made = make_subtree(root, mount, own);
	}
	return made == -1 && geteuid() == 0 ? make_subtree(root, mount, "") : made;
}

/* One line for each mount, proc_pid_mountinfo(5): with what is mounted there as its root, which is
 * above that of our cgroup namespace where a container was given the host's. None is of use where
 * nobody can be born into it: filters of containers forbid clone3(2). */
bool
cgroup_begin(int state_directory)
{
	char line[4 * PATH_MAX], root[PATH_MAX], mount[PATH_MAX];
	struct stat status;
	FILE *mounts;

	if (fstat(state_directory, &status) == -1 ||
	    (syscall(SYS_clone3, NULL, 0) == -1 && errno != EINVAL))
		return false;
	(void)snprintf(ours_name, sizeof(ours_name), "proclaunch-%llx-%llx",
	    (unsigned long long)status.st_dev, (unsigned long long)status.st_ino);
	mounts = fopen("/proc/self/mountinfo", "re");
	while (ours == -1 && mounts != NULL && fgets(line, sizeof(line), mounts) != NULL)
		if (strstr(line, " - cgroup2 ") != NULL &&
		    sscanf(line, "%*s %*s %*s %4095s %4095s", root, mount) == 2)
			ours = choose_subtree(strcmp(root, "/") == 0 ? "" : root, mount);
	if (mounts != NULL)
		(void)fclose(mounts);
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
	(void)mkdirat(above, ours_name, LISTED_BY_US);
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
	const char *name = files_name(PREFIX, profile, "");
	bool made = mkdirat(ours, name, LISTED_BY_US) == 0;

	/* cgroup.kill reaches those who are cloned into the cgroup later, too: the kernel takes
	 * them for children of those who were in it (kill_seq in kernel/cgroup/cgroup.c,
	 * Linux 6.14). What was killed once is made anew; where somebody lives in it, it stays. */
	if (!made && errno == EEXIST) {
		if (unlinkat(ours, name, AT_REMOVEDIR) == -1 && errno == EBUSY)
			cgroup_remove(profile); /* there may be others below it */
		made = mkdirat(ours, name, LISTED_BY_US) == 0 || errno == EEXIST;
	} else if (!made && errno == ENOENT) {
		made = make_again() && mkdirat(ours, name, LISTED_BY_US) == 0;
	}
	return made ? openat(ours, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
}

/* A directory, open, and what it is called in the one above it. */
typedef void visitor(int above, const char *name, int directory, void *context);

/* Visits the directory of that name and each one below it, the deepest first. */
static void
walk(int above, const char *name, unsigned depth, visitor *visit, void *context)
{
	int directory = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	const struct dirent *entry;
	struct stat status;
	DIR *stream;

	if (directory == -1)
		return;
	/* a directory that has none below it has two links */
	if (depth < DEPTH_MAX && fstat(directory, &status) == 0 && status.st_nlink > 2) {
		stream = survey_open(directory);
		while (stream != NULL && (entry = readdir(stream)) != NULL)
			if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
				walk(directory, entry->d_name, depth + 1, visit, context);
		if (stream != NULL)
			(void)closedir(stream);
	}
	visit(above, name, directory, context);
	(void)close(directory);
}

static void
walk_profile(const char *profile, visitor *visit, void *context)
{
	if (ours != -1)
		walk(ours, files_name(PREFIX, profile, ""), 0, visit, context);
}

bool
cgroup_contains(const char *profile, pid_t pid)
{
	char path[PATH_MAX], expected[sizeof(ours_path) + NAME_MAX];
	size_t length;

	(void)snprintf(
	    expected, sizeof(expected), "%s/%s", ours_path, files_name(PREFIX, profile, ""));
	length = strlen(expected);
	return path_of(pid, path, sizeof(path)) && strncmp(path, expected, length) == 0 &&
	    (path[length] == '\0' || path[length] == '/');
}

struct signal {
	const char *profile;
	int number;
};

/* A pidfd first, then the proof that what it holds is a member. */
static void
signal_directory(int above, const char *name, int directory, void *context)
{
	const struct signal *signal = context;
	int file = openat(directory, "cgroup.procs", O_RDONLY | O_CLOEXEC), pid, pidfd;
	FILE *processes = file == -1 ? NULL : fdopen(file, "r");
	unsigned count;

	(void)above;
	(void)name;
	for (count = 0;
	     count < SIGNALLED_MAX && processes != NULL && fscanf(processes, "%d", &pid) == 1;
	     count++) {
		pidfd = pidfd_open(pid, 0);
		if (pidfd != -1 && cgroup_contains(signal->profile, pid))
			pidfd_signal(pidfd, signal->number);
		descriptor_close(pidfd);
	}
	if (processes != NULL)
		(void)fclose(processes);
	else
		descriptor_close(file);
}

bool
cgroup_populated(const char *profile, int *events)
{
	char text[128];
	ssize_t length;

	if (*events == -1)
		*events = openat(
		    ours, files_name(PREFIX, profile, "/cgroup.events"), O_RDONLY | O_CLOEXEC);
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
	struct signal signal = {.profile = profile, .number = number};
	int file;

	if (number != SIGKILL) {
		walk_profile(profile, signal_directory, &signal);
		return;
	}
	file = openat(ours, files_name(PREFIX, profile, "/cgroup.kill"), O_WRONLY | O_CLOEXEC);
	if (file != -1)
		(void)!write(file, "1", 1); /* the caller watches whether they end */
	descriptor_close(file);
}

static void
remove_directory(int above, const char *name, int directory, void *context)
{
	(void)directory;
	(void)context;
	(void)unlinkat(above, name, AT_REMOVEDIR); /* EBUSY: processes are in it */
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

	(void)unlinkat(above, ours_name, AT_REMOVEDIR); /* of nothing where there is none */
	lock_above(above, mode);
}

void
cgroup_each(void (*found)(const char *profile))
{
	struct dirent *entry;
	DIR *stream = ours == -1 ? NULL : survey_open(ours);
	char *slash;

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
