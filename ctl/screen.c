#include <dirent.h>
#include <fcntl.h>
#include <libsmartcols/libsmartcols.h>
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
	struct libscols_line *line;
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
	member->line = NULL;
	member->ticks = user + system;
	member->resident = (unsigned long)(resident * sysconf(_SC_PAGESIZE) / 1024);
	(void)snprintf(member->command, sizeof(member->command), "[%s]", open_bracket + 1);
	return true;
}

/* The file that lists the members of the process's cgroup; false when there is no such thing. */
static bool
members_path(pid_t pid, char *path, size_t size)
{
	char text[PATH_MAX], own[64], *line, *end;
	struct mntent *mount;
	FILE *mounts;
	bool found = false;

	(void)snprintf(own, sizeof(own), "/proc/%d/cgroup", pid);
	if (slurp(own, text, sizeof(text)) <= 0)
		return false;
	line = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
	line = line == NULL ? NULL : strchr(line, '/');
	if (line == NULL || strstr(line, "/proclaunch-") == NULL)
		return false;
	end = strchr(line, '\n');
	if (end != NULL)
		*end = '\0';
	mounts = setmntent("/proc/self/mounts", "re");
	while (mounts != NULL && !found && (mount = getmntent(mounts)) != NULL) {
		if (strcmp(mount->mnt_type, "cgroup2") != 0)
			continue;
		(void)snprintf(path, size, "%s%s/cgroup.procs", mount->mnt_dir, line);
		found = access(path, R_OK) == 0;
	}
	if (mounts != NULL)
		(void)endmntent(mounts);
	return found;
}

static struct member *
find_member(struct member *members, size_t count, pid_t pid)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (members[i].pid == pid)
			return &members[i];
	return NULL;
}

/* One look at all processes that there are: those of the main one's session, and those that descend
 * from one that is known already. Returns how many are known now. */
static size_t
read_relatives(struct member *members, size_t count, DIR *folder)
{
	struct dirent *entry;
	struct member *next;
	pid_t pid;

	while (count < MEMBERS_MAX && (entry = readdir(folder)) != NULL) {
		pid = (pid_t)strtol(entry->d_name, NULL, 10);
		next = &members[count];
		if (pid > 0 && find_member(members, count, pid) == NULL && read_member(pid, next) &&
		    (next->session == members[0].session ||
			find_member(members, count, next->parent) != NULL))
			count++;
	}
	return count;
}

/* Without a cgroup: what can be told from the main one. */
static size_t
read_family(pid_t main_pid, struct member *members)
{
	size_t count = 1, before = 0;
	DIR *folder;

	if (!read_member(main_pid, &members[0]))
		return 0;
	folder = opendir("/proc");
	while (folder != NULL && count > before) {
		before = count;
		rewinddir(folder);
		count = read_relatives(members, count, folder);
	}
	if (folder != NULL)
		(void)closedir(folder);
	return count;
}

/* The processes of the profile: of its cgroup, or else the main one's session and descendants. */
static size_t
read_members(pid_t main_pid, struct member *members)
{
	char path[2 * PATH_MAX];
	size_t count = 0;
	FILE *list;
	int pid;

	if (!members_path(main_pid, path, sizeof(path)) || (list = fopen(path, "re")) == NULL)
		return read_family(main_pid, members);
	while (count < MEMBERS_MAX && fscanf(list, "%d", &pid) == 1)
		if (read_member(pid, &members[count]))
			count++;
	(void)fclose(list);
	return count;
}

/* A line below its parent's, which is added first. */
static void
add_member(
    struct libscols_table *table, struct member *members, size_t count, struct member *member)
{
	struct member *parent = find_member(members, count, member->parent);
	char text[64];

	if (member->line != NULL)
		return;
	if (parent != NULL)
		add_member(table, members, count, parent);
	member->line = scols_table_new_line(table, parent == NULL ? NULL : parent->line);
	if (member->line == NULL)
		fatal("memory");
	(void)snprintf(text, sizeof(text), "%d", member->pid);
	(void)scols_line_set_data(member->line, 0, text);
	(void)snprintf(text, sizeof(text), "%lu K", member->resident);
	(void)scols_line_set_data(member->line, 1, text);
	(void)snprintf(
	    text, sizeof(text), "%.2f s", (double)member->ticks / (double)sysconf(_SC_CLK_TCK));
	(void)scols_line_set_data(member->line, 2, text);
	(void)scols_line_set_data(member->line, 3, member->command);
}

static void
show_processes(pid_t main_pid)
{
	static struct member members[MEMBERS_MAX];
	struct libscols_table *table;
	unsigned long resident = 0, ticks = 0;
	size_t count, i;

	count = read_members(main_pid, members);
	table = scols_new_table();
	if (table == NULL || scols_table_new_column(table, "PID", 0, SCOLS_FL_RIGHT) == NULL ||
	    scols_table_new_column(table, "MEMORY", 0, SCOLS_FL_RIGHT) == NULL ||
	    scols_table_new_column(table, "CPU", 0, SCOLS_FL_RIGHT) == NULL ||
	    scols_table_new_column(table, "COMMAND", 0, SCOLS_FL_TREE) == NULL)
		fatal("memory");
	(void)scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
	(void)scols_table_enable_ascii(table, 1);
	for (i = 0; i < count; i++)
		read_command(&members[i]);
	for (i = 0; i < count; i++) {
		add_member(table, members, count, &members[i]);
		resident += members[i].resident;
		ticks += members[i].ticks;
	}
	(void)printf("  %zu process%s, %lu K memory, %.2f s processor time\n\n", count,
	    count == 1 ? "" : "es", resident, (double)ticks / (double)sysconf(_SC_CLK_TCK));
	(void)scols_print_table(table);
	scols_unref_table(table);
}

void
screen_show(const struct request *request, const struct row *row)
{
	const char *colour = request_coloured(request) ? show_colour(row) : NULL;
	char text[TIME_TEXT_BYTES], duration[TIME_TEXT_BYTES];

	(void)printf("%s %s%s%s", row->name, colour == NULL ? "" : colour, state_name(row->state),
	    colour == NULL ? "" : "\033[0m");
	if (row->pid != 0)
		(void)printf(" pid %d", row->pid);
	(void)printf(" since %s", profiles_time(row->since_wall_ms, false, text));
	if (row->state == STATE_RUNNING)
		(void)printf(" (%s)", profiles_duration(row->uptime_ms, duration));
	(void)printf("\n  %s\n  user %s, wanted %s, %u restarts, last exit %s\n", row->reason,
	    row->account[0] == '\0' ? "unknown" : row->account, row->wanted != 0 ? "up" : "down",
	    row->restarts, profiles_last_exit(row, duration, sizeof(duration)));
	if (row->timer == SHOWN_START)
		(void)printf("  next start %s\n", profiles_time(row->timer_wall_ms, false, text));
	if (row->pid != 0)
		show_processes(row->pid);
}
