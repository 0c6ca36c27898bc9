#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report.h"
#include "screen.h"
#include "show.h"
#include "words.h"

#define MEMBERS_MAX 512

struct member {
	pid_t pid;
	pid_t parent;
	pid_t session;
	char command[128];
	unsigned long resident; /* KiB */
	unsigned long ticks;	/* of processor time */
	bool shown;
};

/* The processes of a profile, and how they are printed. */
struct family {
	size_t count;
	struct member members[MEMBERS_MAX];
	int pid_width;
	int memory_width;
	int processor_width;
	char branches[2 * MEMBERS_MAX + 1]; /* of the tree, in front of a command */
};

/* What fits of a file of /proc, as a string; its length, -1 when there is none. */
static ssize_t
slurp(const char *path, char *text, size_t size)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length;

	if (file == -1)
		return -1;
	length = read(file, text, size - 1);
	(void)close(file);
	text[length < 0 ? 0 : length] = '\0';
	return length;
}

/* The command line with spaces for its NULs; where it has none, the name in brackets stays. */
static void
read_command(struct member *member)
{
	char path[64], text[sizeof(member->command)];
	ssize_t length, i;

	(void)snprintf(path, sizeof(path), "/proc/%d/cmdline", member->pid);
	length = slurp(path, text, sizeof(text));
	if (length <= 0)
		return;
	for (i = 0; i < length - 1; i++)
		if ((unsigned char)text[i] < ' ')
			text[i] = ' ';
	memcpy(member->command, text, sizeof(text));
}

static bool
read_member(pid_t pid, struct member *member)
{
	char path[64], text[1024], *open_bracket, *close_bracket;
	unsigned long user, system;
	long resident;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (slurp(path, text, sizeof(text)) <= 0)
		return false;
	open_bracket = strchr(text, '(');
	close_bracket = strrchr(text, ')');
	if (open_bracket == NULL || close_bracket == NULL ||
	    sscanf(close_bracket,
		") %*c %d %*d %d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %*d %*d %*u "
		"%*u %ld",
		&member->parent, &member->session, &user, &system, &resident) != 5)
		return false;
	*close_bracket = '\0';
	member->pid = pid;
	member->shown = false;
	member->ticks = user + system;
	member->resident = (unsigned long)(resident * sysconf(_SC_PAGESIZE) / 1024);
	(void)snprintf(member->command, sizeof(member->command), "[%s]", open_bracket + 1);
	return true;
}

/* Is the hierarchy mounted there? Then its file that lists the members of the cgroup is the path.
 */
static bool
mounted_at(const char *directory, const char *cgroup, char *path, size_t size)
{
	(void)snprintf(path, size, "%s%s/cgroup.procs", directory, cgroup);
	return access(path, R_OK) == 0;
}

/* Where cgroup v2 usually is, alone and beside v1; anywhere else it takes a while to find. */
static bool
find_hierarchy(const char *cgroup, char *path, size_t size)
{
	struct mntent *mount;
	FILE *mounts;
	bool found = false;

	if (mounted_at("/sys/fs/cgroup", cgroup, path, size) ||
	    mounted_at("/sys/fs/cgroup/unified", cgroup, path, size))
		return true;
	mounts = setmntent("/proc/self/mounts", "re");
	if (mounts == NULL)
		return false;
	while (!found && (mount = getmntent(mounts)) != NULL)
		found = strcmp(mount->mnt_type, "cgroup2") == 0 &&
		    mounted_at(mount->mnt_dir, cgroup, path, size);
	(void)endmntent(mounts);
	return found;
}

/* The process's cgroup, if a supervisor has made it; else false. */
static bool
read_cgroup(pid_t pid, char *cgroup, size_t size)
{
	char text[PATH_MAX], own[64], *line;

	(void)snprintf(own, sizeof(own), "/proc/%d/cgroup", pid);
	if (slurp(own, text, sizeof(text)) <= 0)
		return false;
	line = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
	line = line == NULL ? NULL : strchr(line, '/');
	if (line == NULL)
		return false;
	line[strcspn(line, "\n")] = '\0';
	(void)snprintf(cgroup, size, "%s", line);
	return strstr(cgroup, "/proclaunch-") != NULL;
}

/* The file that lists the members of the process's cgroup; false when there is no such thing. */
static bool
members_path(pid_t pid, char *path, size_t size)
{
	char cgroup[PATH_MAX];

	return read_cgroup(pid, cgroup, sizeof(cgroup)) && find_hierarchy(cgroup, path, size);
}

/* As the parent names it: after the state directory, so that two supervisors never share one. */
static void
name_cgroup(const char *state_directory, const char *profile, char *name, size_t size)
{
	struct stat status = {0};
	char *slash;

	(void)stat(state_directory, &status);
	(void)snprintf(name, size, "/proclaunch-%llx-%llx/profile-",
	    (unsigned long long)status.st_dev, (unsigned long long)status.st_ino);
	slash = name + strlen(name) + strcspn(profile, "/");
	(void)snprintf(name + strlen(name), size - strlen(name), "%s", profile);
	if (*slash == '/')
		*slash = '%';
}

/* One of those whom the main process has left behind: of the profile's cgroup, or of its session.
 * 0 when there is none to be seen. */
static pid_t
find_remaining(const char *state_directory, const struct row *row)
{
	char name[FULL_NAME_BYTES + 64], cgroup[PATH_MAX];
	DIR *folder = opendir("/proc");
	struct dirent *entry;
	struct member member;
	const char *at;
	pid_t pid, found = 0;

	name_cgroup(state_directory, row->name, name, sizeof(name));
	while (folder != NULL && found == 0 && (entry = readdir(folder)) != NULL) {
		pid = (pid_t)strtol(entry->d_name, NULL, 10);
		if (pid <= 0)
			continue;
		at = read_cgroup(pid, cgroup, sizeof(cgroup)) ? strstr(cgroup, name) : NULL;
		at = at == NULL ? NULL : at + strlen(name);
		if ((at != NULL && (*at == '\0' || *at == '/')) ||
		    (row->exit_pid > 0 && read_member(pid, &member) &&
			member.session == row->exit_pid))
			found = pid;
	}
	if (folder != NULL)
		(void)closedir(folder);
	return found;
}

static struct member *
find_member(struct family *family, pid_t pid)
{
	size_t i;

	for (i = 0; i < family->count; i++)
		if (family->members[i].pid == pid)
			return &family->members[i];
	return NULL;
}

/* One look at all processes that there are: those of the main one's session, and those that descend
 * from one that is known already. */
static void
read_relatives(struct family *family, DIR *folder)
{
	struct dirent *entry;
	struct member *next;
	pid_t pid;

	while (family->count < MEMBERS_MAX && (entry = readdir(folder)) != NULL) {
		pid = (pid_t)strtol(entry->d_name, NULL, 10);
		next = &family->members[family->count];
		if (pid > 0 && find_member(family, pid) == NULL && read_member(pid, next) &&
		    (next->session == family->members[0].session ||
			find_member(family, next->parent) != NULL))
			family->count++;
	}
}

/* Without a cgroup: what can be told from the main one. */
static void
read_family(pid_t main_pid, struct family *family)
{
	size_t before = 0;
	DIR *folder;

	if (!read_member(main_pid, &family->members[0]))
		return;
	family->count = 1;
	folder = opendir("/proc");
	while (folder != NULL && family->count > before) {
		before = family->count;
		rewinddir(folder);
		read_relatives(family, folder);
	}
	if (folder != NULL)
		(void)closedir(folder);
}

/* The processes of the profile: of its cgroup, or else the main one's session and descendants. */
static void
read_members(pid_t main_pid, struct family *family)
{
	char path[2 * PATH_MAX];
	FILE *list;
	int pid;

	family->count = 0;
	if (!members_path(main_pid, path, sizeof(path)) || (list = fopen(path, "re")) == NULL) {
		read_family(main_pid, family);
		return;
	}
	while (family->count < MEMBERS_MAX && fscanf(list, "%d", &pid) == 1)
		if (read_member(pid, &family->members[family->count]))
			family->count++;
	(void)fclose(list);
}

static double
seconds(unsigned long ticks)
{
	return (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

static void
widen(int *width, int length)
{
	if (length > *width)
		*width = length;
}

static void
measure(struct family *family)
{
	const struct member *member;

	family->pid_width = strlen("PID");
	family->memory_width = strlen("MEMORY");
	family->processor_width = strlen("CPU");
	for (member = family->members; member < family->members + family->count; member++) {
		widen(&family->pid_width, snprintf(NULL, 0, "%d", member->pid));
		widen(&family->memory_width, snprintf(NULL, 0, "%lu K", member->resident));
		widen(
		    &family->processor_width, snprintf(NULL, 0, "%.2f s", seconds(member->ticks)));
	}
}

/* Who has started the process has chosen these bytes: none of them commands the terminal, and none
 * looks like one that was escaped. */
static void
print_command(const char *command)
{
	for (; *command != '\0'; command++)
		if (*command < ' ' || *command > '~' || (command[0] == '\\' && command[1] == 'x'))
			(void)printf("\\x%02x", (unsigned char)*command);
		else
			(void)putchar(*command);
}

static void
print_member(const struct family *family, const struct member *member)
{
	(void)printf("%*d %*lu K %*.2f s %s", family->pid_width, member->pid,
	    family->memory_width - 2, member->resident, family->processor_width - 2,
	    seconds(member->ticks), family->branches);
	print_command(member->command);
	(void)putchar('\n');
}

static struct member *
next_child(struct family *family, const struct member *parent, struct member *child)
{
	for (; child < family->members + family->count; child++)
		if (child->parent == parent->pid && !child->shown)
			return child;
	return NULL;
}

/* The process, and below it what it has started. */
static void
print_descendants(struct family *family, struct member *member, size_t depth)
{
	char *branch = family->branches + 2 * depth;
	struct member *child, *next;

	member->shown = true;
	print_member(family, member);
	if (depth > 0)
		memcpy(branch - 2, branch[-2] == '|' ? "| " : "  ", 2);
	for (child = next_child(family, member, family->members); child != NULL; child = next) {
		next = next_child(family, member, child + 1);
		memcpy(branch, next == NULL ? "`-" : "|-", 3);
		print_descendants(family, child, depth + 1);
	}
	*branch = '\0';
}

/* The eldest of those whom it descends from. That the kernel's files were read one after another
 * can make two processes each other's parent. */
static struct member *
ancestor(struct family *family, struct member *member)
{
	struct member *parent;
	size_t generations;

	for (generations = 0; generations < family->count; generations++) {
		parent = find_member(family, member->parent);
		if (parent == NULL || parent->shown)
			break;
		member = parent;
	}
	return member;
}

static void
print_tree(struct family *family)
{
	struct member *member;

	measure(family);
	(void)printf("%*s %*s %*s COMMAND\n", family->pid_width, "PID", family->memory_width,
	    "MEMORY", family->processor_width, "CPU");
	for (member = family->members; member < family->members + family->count; member++)
		if (!member->shown)
			print_descendants(family, ancestor(family, member), 0);
}

static void
show_processes(pid_t main_pid)
{
	static struct family family;
	unsigned long resident = 0, ticks = 0;
	size_t i;

	read_members(main_pid, &family);
	for (i = 0; i < family.count; i++) {
		read_command(&family.members[i]);
		resident += family.members[i].resident;
		ticks += family.members[i].ticks;
	}
	(void)printf("  %s%zu process%s, %lu K memory, %.2f s processor time\n\n",
	    family.count == MEMBERS_MAX ? "at least " : "", family.count,
	    family.count == 1 ? "" : "es", resident, seconds(ticks));
	if (family.count > 0)
		print_tree(&family);
}

void
screen_show(const struct request *request, const struct row *row)
{
	const char *colour = request_coloured(request) ? show_colour(row) : NULL;
	char text[TIME_TEXT_BYTES], duration[TIME_TEXT_BYTES];
	pid_t pid = row->pid;

	if (pid == 0 && row->state == STATE_STOPPING)
		pid = find_remaining(request->state_directory, row);
	(void)printf("%s %s%s%s", row->name, colour == NULL ? "" : colour, state_name(row->state),
	    colour == NULL ? "" : "\033[0m");
	if (row->pid != 0)
		(void)printf(" pid %d", row->pid);
	(void)printf(" since %s", profiles_time(row->since_wall_ms, false, text));
	if (row->state == STATE_RUNNING)
		(void)printf(" (%s)", profiles_duration(row->uptime_ms, duration));
	(void)printf("\n  %s\n  user %s, wanted %s, %u restart%s, last exit %s\n", row->reason,
	    row->account[0] == '\0' ? "unknown" : row->account, row->wanted != 0 ? "up" : "down",
	    row->restarts, row->restarts == 1 ? "" : "s",
	    profiles_last_exit(row, duration, sizeof(duration)));
	if (row->timer == SHOWN_START)
		(void)printf("  next start %s\n", profiles_time(row->timer_wall_ms, false, text));
	if (pid != 0)
		show_processes(pid);
}
