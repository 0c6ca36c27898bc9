/*
 * What runs out, and that it is survived: a WARN line, another try after a while, and recovery
 * without help. Descriptors, processes, disk space, inotify's queue, a flood of orphans, and a wall
 * clock that jumps by ten years.
 */
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "guard.h"
#include "ctl.h"
#include "host.h"
#include "open_files.h"

/* Backoff grows up to a minute; what is tried again within so many failures comes in time. */
#define AFTER_BACKOFF 30000 /* milliseconds */

static void
make_services(struct host *host, const char *stem, unsigned count)
{
	char name[32], file[64];
	unsigned i;

	for (i = 0; i < count; i++) {
		(void)snprintf(name, sizeof(name), "%s-%02u", stem, i);
		(void)snprintf(file, sizeof(file), "%s/restart", name);
		host_write(host, file, 0644, "%s", "");
		host_profile(host, name, GUARD "exec sleep 1000");
	}
}

/* How many profiles proclaunchctl lists in this state. */
static unsigned
count_listed(struct host *host, const char *state)
{
	struct outcome outcome;
	const char *line;
	unsigned count = 0;

	(void)ctl(host, &outcome, "list", "--no-header", "-o", "state", NULL);
	for (line = outcome.output; (line = strstr(line, state)) != NULL; line += strlen(state))
		count++;
	return count;
}

static void
wait_listed(struct host *host, const char *state, unsigned expected)
{
	struct deadline deadline = deadline_in(AFTER_BACKOFF);

	while (count_listed(host, state) != expected)
		deadline_pause(&deadline, state, __FILE__, __LINE__);
}

/* Removes those that run, `count` of them in all; how many are still to be removed. */
static unsigned
remove_some(struct host *host, unsigned count)
{
	char *line, *rest = NULL, name[64], state[32], path[PATH_MAX];
	struct outcome outcome;

	(void)ctl(host, &outcome, "list", "--no-header", "-o", "name,state", NULL);
	for (line = strtok_r(outcome.output, "\n", &rest); line != NULL && count > 0;
	     line = strtok_r(NULL, "\n", &rest)) {
		assert_int_equal(sscanf(line, "%63s %31s", name, state), 2);
		/* nor one that has been removed, and nobody has noticed yet */
		if (strcmp(state, "running") != 0 ||
		    access(host_path(host, name, path, sizeof(path)), F_OK) == -1)
			continue;
		host_remove(host, name);
		count--;
	}
	return count;
}

/* So many of those that run: what is left has to be started. One of them may have run for a moment
 * only, and have failed for want of what has run out. */
static void
remove_running(struct host *host, unsigned count)
{
	wait_until((count = remove_some(host, count)) == 0);
}

static void
assert_no_second_copy(struct host *host)
{
	char path[PATH_MAX];

	assert_int_equal(access(host_path(host, "second", path, sizeof(path)), F_OK), -1);
}

/* --- descriptors ----------------------------------------------------------------------------- */

static void
limit_descriptors(void)
{
	const struct rlimit limit = {.rlim_cur = 64, .rlim_max = 64};

	if (setrlimit(RLIMIT_NOFILE, &limit) == -1)
		_exit(125);
}

static void
with_few_descriptors_as_many_services_run_as_there_is_room_for(void **state)
{
	struct host *host = *state;
	unsigned running;

	host->before_exec = limit_descriptors;
	make_services(host, "web", 12);
	host_start(host);
	host_wait_log(host, " WARN  web-[0-9]+ cannot start: .*: Too many open files$");
	wait_until((running = count_listed(host, "running")) >= 8);
	assert_in_range(running, 1, 11);
	/* where some make room the others rise by themselves */
	host_mark_log(host);
	remove_running(host, 6);
	wait_listed(host, "running", 6);
	assert_int_equal(host_count_log(host, " ProcLaunch .* died "), 0);
	host_stop_all(host);
	assert_no_second_copy(host);
}

/* --- descriptors for FIFOs: one is needed in the monitor, and one more is nice to have -------- */

#define FIFOS	   184
#define FIFOS_HELD 175 /* by a parent that may have 700 descriptors */

static void
limit_descriptors_for_fifos(void)
{
	const struct rlimit limit = {.rlim_cur = 700, .rlim_max = 700};

	if (setrlimit(RLIMIT_NOFILE, &limit) == -1)
		_exit(125);
}

/* How many of the process's descriptors are FIFOs of services. */
static unsigned
fifos_of(pid_t pid)
{
	char folder[64], path[PATH_MAX], target[PATH_MAX];
	const struct dirent *entry;
	unsigned count = 0;
	ssize_t length;
	DIR *stream;

	(void)snprintf(folder, sizeof(folder), "/proc/%d/fd", pid);
	stream = opendir(folder);
	assert_non_null(stream);
	while ((entry = readdir(stream)) != NULL) {
		(void)snprintf(path, sizeof(path), "%s/%.16s", folder, entry->d_name);
		length = readlink(path, target, sizeof(target) - 1);
		target[length > 0 ? length : 0] = '\0';
		count += strstr(target, "/state/fifo/") != NULL;
	}
	(void)closedir(stream);
	return count;
}

static void
set_descriptors(pid_t pid, rlim_t soft, struct rlimit *before)
{
	struct rlimit limit;

	assert_int_equal(prlimit(pid, RLIMIT_NOFILE, NULL, before), 0);
	limit = *before;
	limit.rlim_cur = soft;
	assert_int_equal(prlimit(pid, RLIMIT_NOFILE, &limit, NULL), 0);
}

/* The child that the supervisor has made last, unless a list that changes while it is read shows
 * another one. */
static pid_t
youngest_child(const struct host *host)
{
	char name[32], pids[16384], *last;

	(void)snprintf(name, sizeof(name), "task/%d/children", host->supervisor);
	assert_true(read_proc(host->supervisor, name, pids, sizeof(pids)) > 0);
	if (pids[strlen(pids) - 1] == ' ')
		pids[strlen(pids) - 1] = '\0';
	last = strrchr(pids, ' ');
	return (pid_t)strtol(last == NULL ? pids : last + 1, NULL, 10);
}

/* Is it the monitor, or about to become it? */
static bool
is_monitor(pid_t pid)
{
	char name[32];

	return read_proc(pid, "comm", name, sizeof(name)) > 0 &&
	    (strcmp(name, "proclaunch\n") == 0 || strcmp(name, "proclaunch-moni\n") == 0);
}

static bool
is_stopped(pid_t pid)
{
	char value[64];

	return process_status(pid, "State", value, sizeof(value))[0] == 'T';
}

/* Kills the monitor, and stops the next one before it has said anything to the parent, which it
 * does when it is confined. Who was faster than we are is killed as well. */
static pid_t
stop_next_monitor(struct host *host)
{
	pid_t monitor = host_monitor(host), before;
	struct deadline deadline;
	char value[64];

	do {
		before = monitor;
		assert_int_equal(kill(before, SIGKILL), 0);
		deadline = deadline_in(SOON);
		do /* without a pause, which could be too long */
			monitor = youngest_child(host);
		while ((monitor == before || !is_monitor(monitor)) && deadline_left(&deadline) > 0);
		assert_int_equal(kill(monitor, SIGSTOP), 0);
		wait_until(is_stopped(monitor));
	} while (strcmp(process_status(monitor, "NoNewPrivs", value, sizeof(value)), "0") != 0);
	return monitor;
}

/* Its space was made in advance; but a disk may fail, between the birth and the gate too. */
static void
a_newborn_whose_pid_cannot_be_recorded_is_not_let_through_its_gate(void **state)
{
	struct host *host = *state;
	struct rlimit before, none = {0, 0};
	struct outcome outcome;
	char fifo[PATH_MAX], ran[PATH_MAX];
	pid_t monitor, spawner, last;

	host_start(host);
	monitor = host_monitor(host);
	spawner = host_spawner(host);
	assert_int_equal(kill(spawner, SIGSTOP), 0);
	host_profile(host, "web", "echo > ran; exec sleep 1000");
	/* it is made after the first record, that the start was asked for */
	(void)snprintf(fifo, sizeof(fifo), "%s/fifo/web.out", host->state);
	wait_until(access(fifo, F_OK) == 0);
	assert_int_equal(prlimit(host->supervisor, RLIMIT_FSIZE, NULL, &before), 0);
	none.rlim_max = before.rlim_max;
	assert_int_equal(prlimit(host->supervisor, RLIMIT_FSIZE, &none, NULL), 0);
	assert_int_equal(kill(spawner, SIGCONT), 0);
	host_wait_log(host, " WARN  web cannot start: ledger: File too large$");
	wait_until((last = youngest_child(host)) == monitor || last == spawner);
	assert_int_equal(access(host_path(host, "web/ran", ran, sizeof(ran)), F_OK), -1);
	assert_int_equal(host_count_log(host, " web (running|died)"), 0);
	assert_int_equal(prlimit(host->supervisor, RLIMIT_FSIZE, &before, NULL), 0);
	assert_int_equal(ctl(host, &outcome, "start", "web", NULL), CTL_DONE);
	host_wait_running(host, "web");
	host_stop_all(host);
}

static void
where_descriptors_are_few_some_fifos_are_opened_when_they_are_needed(void **state)
{
	char name[32], path[PATH_MAX], text[64];
	struct host *host = *state;
	struct rlimit before, none;
	struct outcome outcome;
	pid_t monitor;
	unsigned i;

	host->before_exec = limit_descriptors_for_fifos;
	for (i = 0; i < FIFOS; i++) {
		(void)snprintf(name, sizeof(name), "web-%03u", i);
		host_profile(
		    host, name, "until [ -e ../go ]; do sleep 1; done; echo gone; exec sleep 1000");
		(void)snprintf(path, sizeof(path), "%s/output", name);
		host_write(host, path, 0644, "format raw\n");
	}
	host_start(host);
	wait_listed(host, "running", FIFOS);
	monitor = host_monitor(host);
	wait_until(fifos_of(monitor) == FIFOS);
	wait_until(fifos_of(host->supervisor) == FIFOS_HELD);
	/* one that was opened for a birth is let go when the monitor has it already */
	host_mark_log(host);
	for (i = 0; i < FIFOS; i++) {
		(void)snprintf(name, sizeof(name), "web-%03u", i);
		assert_int_equal(ctl(host, &outcome, "restart", "--no-wait", name, NULL), CTL_DONE);
	}
	wait_until(host_count_log(host, " web-[0-9]+ running pid ") == FIFOS);
	wait_until(fifos_of(host->supervisor) == FIFOS_HELD);
	/* the next monitor gets them all, and so does the next parent's */
	assert_int_equal(kill(monitor, SIGKILL), 0);
	wait_until(host_monitor(host) != monitor && fifos_of(host_monitor(host)) == FIFOS);
	wait_until(fifos_of(host->supervisor) == FIFOS_HELD);
	/* where there is no descriptor to open the others with, they wait until there is one */
	monitor = stop_next_monitor(host);
	/* no fewer: to send those that it has the kernel permits as many as may be open, and counts
	 * whatever root has in flight on this machine */
	set_descriptors(host->supervisor, process_next_descriptor(host->supervisor), &before);
	assert_int_equal(kill(monitor, SIGCONT), 0);
	wait_until(fifos_of(monitor) == FIFOS_HELD);
	wait_until(ctl(host, &outcome, "ping", NULL) == CTL_DONE); /* it has been told of all */
	set_descriptors(host->supervisor, before.rlim_cur, &none);
	wait_until(fifos_of(monitor) == FIFOS);
	wait_until(fifos_of(host->supervisor) == FIFOS_HELD);
	host_crash(host);
	host_start(host);
	wait_until(fifos_of(host_monitor(host)) == FIFOS);
	wait_until(fifos_of(host->supervisor) == FIFOS_HELD);
	host_write(host, "go", 0644, "%s", "");
	for (i = 0; i < FIFOS; i++) {
		(void)snprintf(path, sizeof(path), "%s/output/web-%03u.log", host->state, i);
		wait_for_file(path, text, sizeof(text));
		assert_string_equal(text, "gone\n");
	}
	host_stop_all(host);
}

static void
a_parent_without_a_descriptor_left_tries_again_until_there_are_some(void **state)
{
	struct host *host = *state;
	pid_t stays, leaves, monitor, spawner;
	struct rlimit before, none;
	struct outcome outcome;

	host_profile(host, "web", GUARD "exec sleep 1000");
	host_write(host, "web/down", 0644, "%s", "");
	host_profile(host, "stays", GUARD "exec sleep 1000");
	host_profile(host, "edited", GUARD "exec sleep 1000");
	host_profile(host, "given", "exec sleep 1000");
	host_write(host, "given/user", 0644, TENANT "\n");
	host_write(host, "given/down", 0644, "%s", "");
	host_profile(host, "leaves", GUARD "sleep 1000 &\nexec sleep 1000");
	host_write(host, "leaves/restart", 0644, "%s", "");
	host_write(host, "leaves/stop_timeout", 0644, "1\n");
	host_profile(host, "owned", "exec sleep 1000");
	host_chown(host, "owned", OTHER_TENANT);
	host_start(host);
	(void)host_wait_running(host, "owned");
	leaves = host_wait_running(host, "leaves");
	stays = host_wait_running(host, "stays");
	(void)host_wait_running(host, "edited");
	host_settle(host);
	monitor = host_monitor(host);
	spawner = host_spawner(host);
	set_descriptors(host->supervisor, 3, &before);
	/* what cannot be looked at before it is started is not started, and has not gone */
	assert_int_equal(ctl(host, &outcome, "--no-wait", "start", "web", "given", NULL), CTL_DONE);
	host_wait_log(host, " WARN  web refused: .* cannot be read: Too many open files$");
	host_wait_log(host, " WARN  given refused: .* cannot be read: Too many open files$");
	/* what it leaves behind, and nobody can look at, is not taken for gone: who is started next
	 * would meet it */
	assert_int_equal(kill(leaves, SIGKILL), 0);
	host_wait_log(host, " INFO  leaves died pid %d signal SIGKILL$", leaves);
	if (host_has_cgroups(host))
		host_wait_log(host,
		    " WARN  ProcLaunch cannot watch the processes of leaves: Too many open files");
	host_touch(host, "edited/run");
	host_profile(host, "new", GUARD "exec sleep 1000");
	host_touch(host, "owned/run");
	host_wait_log(host, " WARN  edited refused: .* cannot be read: Too many open files$");
	host_wait_log(host, " WARN  owned refused: .* cannot be read: Too many open files$");
	assert_int_equal(kill(host->supervisor, SIGUSR2), 0);
	host_wait_log(host, " WARN  ProcLaunch not upgraded: .*: Too many open files\\. The old");
	assert_int_equal(kill(spawner, SIGKILL), 0);
	host_wait_log(
	    host, " WARN  ProcLaunch cannot start the spawner: Too many open files. Trying again");
	assert_int_equal(kill(monitor, SIGKILL), 0);
	process_wait_gone(monitor);
	assert_true(process_lives(stays));
	set_descriptors(host->supervisor, before.rlim_cur, &none);
	wait_listed(host, "running", 7);
	host_wait_log_within(host, AFTER_BACKOFF, " INFO  edited changed. Restarting.$");
	host_wait_log_within(host, AFTER_BACKOFF, " INFO  owned changed. Restarting.$");
	wait_listed(host, "running", 7);
	assert_true(process_lives(stays));
	assert_int_equal(host_count_log(host, " stays (died|stopping|starting)"), 1);
	/* and what changes afterwards is noticed as ever */
	host_mark_log(host);
	host_touch(host, "new/run");
	host_wait_log(host, " INFO  new changed. Restarting.$");
	host_stop_all(host);
	assert_no_second_copy(host);
}

/* --- processes ------------------------------------------------------------------------------- */

/* An account of which nothing else runs: its processes are counted over the whole machine. */
#define LONELY	      "uucp"
#define PROCESSES_MAX 10

static void
limit_processes(void)
{
	const struct rlimit limit = {.rlim_cur = PROCESSES_MAX, .rlim_max = PROCESSES_MAX};

	if (setrlimit(RLIMIT_NPROC, &limit) == -1)
		_exit(125);
}

static int
set_up_lonely(void **state)
{
	struct host *host = calloc(1, sizeof(*host));

	assert_non_null(host);
	host_begin_as(host, LONELY);
	host->before_exec = limit_processes;
	*state = host;
	return 0;
}

static void
where_no_process_can_be_made_others_go_on_and_it_is_tried_again(void **state)
{
	struct host *host = *state;
	unsigned running;

	make_services(host, "web", 12);
	host_start(host);
	host_wait_log(host, " WARN  web-[0-9]+ cannot start: .*: Resource temporarily unavailable");
	wait_until((running = count_listed(host, "running")) >= PROCESSES_MAX - 4);
	assert_in_range(running, 1, PROCESSES_MAX - 3);
	host_mark_log(host);
	remove_running(host, 6);
	wait_listed(host, "running", 6);
	host_stop_all(host);
	assert_no_second_copy(host);
}

/* --- the disk -------------------------------------------------------------------------------- */

/* A tmpfs of so many bytes, which host_end() unmounts. */
static void
mount_small(const char *directory, const char *options)
{
	if (mkdir(directory, 0711) == -1)
		assert_int_equal(errno, EEXIST);
	assert_int_equal(mount("tmpfs", directory, "tmpfs", 0, options), 0);
}

static void
fill(const char *directory)
{
	char path[PATH_MAX], block[4096] = {0};
	int file;

	(void)snprintf(path, sizeof(path), "%s/filler", directory);
	file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(file != -1);
	while (write(file, block, sizeof(block)) > 0)
		;
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(close(file), 0);
}

static void
empty(const char *directory)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/filler", directory);
	assert_int_equal(unlink(path), 0);
}

static void
with_a_full_disk_below_the_log_services_go_on_and_the_log_does_when_there_is_room(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	char small[128];
	pid_t pids[3] = {0};
	unsigned i;

	(void)snprintf(small, sizeof(small), "%s/log", host->root);
	mount_small(small, "size=64k,mode=755");
	(void)snprintf(host->log, sizeof(host->log), "%s/proclaunch.log", small);
	host_profile(host, "web", GUARD "exec sleep 1000");
	host_write(host, "web/restart", 0644, "%s", "");
	host_start_with(host, "--log-level=info", "--log-path", host->log, NULL);
	pids[0] = host_wait_running(host, "web");
	/* the page that the log has begun is its own; so the log is on its next one soon */
	for (i = 0; i < 64; i++)
		(void)ctl(host, &outcome, "--no-wait", "start", "web", NULL);
	fill(small);
	host_mark_log(host);
	for (i = 1; i < 3; i++) {
		assert_int_equal(kill(pids[i - 1], SIGKILL), 0);
		wait_until(count_listed(host, "running") == 1 && !process_lives(pids[i - 1]));
		wait_until(
		    ((void)ctl(host, &outcome, "list", "--no-header", "-o", "pid", "web", NULL),
			pids[i] = (pid_t)strtol(outcome.output, NULL, 10),
			pids[i] > 0 && pids[i] != pids[i - 1]));
	}
	empty(small);
	host_wait_log(host, " INFO  web died pid %d signal SIGKILL$", pids[1]);
	host_wait_log(host, " INFO  web running pid %d$", pids[2]);
	host_stop_all(host);
	assert_int_equal(host_count_log(host, "^"),
	    host_count_log(host, "^[0-9T:.-]{23}Z (FATAL|WARN |INFO ) [^ ]+ [^ ]"));
	assert_no_second_copy(host);
}

static void
with_a_full_disk_below_the_ledger_nothing_starts_that_could_be_forgotten(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX];

	mount_small(host->state, "size=128k,mode=711");
	host_profile(host, "web", GUARD "exec sleep 1000");
	host_write(host, "web/restart", 0644, "%s", "");
	fill(host->state);
	/* what the start itself needs: the file with the parent's pid */
	(void)snprintf(path, sizeof(path), "%s/filler", host->state);
	assert_int_equal(truncate(path, 128 * 1024 - 3 * 4096), 0);
	host_start(host);
	host_wait_log(host, " WARN  web cannot start: .*: No space left on device$");
	assert_int_equal(host_count_log(host, " web running "), 0);
	empty(host->state);
	host_wait_log_within(host, AFTER_BACKOFF, " INFO  web running pid ");
	/* what has its record needs no room any more */
	fill(host->state);
	host_mark_log(host);
	host_crash(host);
	host_start(host);
	(void)host_wait_running(host, "web");
	assert_int_equal(host_count_log(host, " web starting"), 0);
	/* neither does a start after a parent that has left, and taken its pid file away */
	host_leave(host);
	fill(host->state);
	host_mark_log(host);
	host_start(host);
	(void)host_wait_running(host, "web");
	host_stop_all(host);
	assert_no_second_copy(host);
}

static void
on_a_read_only_file_system_it_says_so_and_starts_nothing(void **state)
{
	struct host *host = *state;
	struct outcome outcome;

	mount_small(host->state, "mode=711");
	host_profile(host, "web", GUARD "exec sleep 1000");
	assert_int_equal(mount(NULL, host->state, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	host_run(host, &outcome, "--foreground", host->state, host->profiles, NULL);
	assert_int_equal(outcome.status, 1);
	assert_non_null(strstr(outcome.error, "Read-only file system"));
	assert_int_equal(host_processes(host), 0);
	assert_int_equal(mount(NULL, host->state, NULL, MS_REMOUNT, NULL), 0);
	host_start(host);
	(void)host_wait_running(host, "web");
	/* while the ledger is open for writing the kernel lets nobody make it read-only */
	assert_int_equal(mount(NULL, host->state, NULL, MS_REMOUNT | MS_RDONLY, NULL), -1);
	assert_int_equal(errno, EBUSY);
	host_stop_all(host);
}

/* --- orphans --------------------------------------------------------------------------------- */

#define ORPHANS	 50000
#define WAVE	 250
#define ORPHANED "--make-orphans"

/* A wave: their parent has gone before they end, all at once. */
static void
make_orphans(void)
{
	int ends[2], i;
	char byte;
	pid_t pid;

	if (pipe(ends) == -1)
		_exit(1);
	pid = fork();
	if (pid == 0) {
		for (i = 0; i < WAVE; i++) {
			if (fork() != 0)
				continue;
			(void)close(ends[1]);
			(void)!read(ends[0], &byte, 1);
			_exit(0);
		}
		_exit(0);
	}
	(void)waitpid(pid, NULL, 0);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static int
be_the_maker_of_orphans(const char *done)
{
	int i, file;

	for (i = 0; i < ORPHANS / WAVE; i++)
		make_orphans();
	file = open(done, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (file == -1 || write(file, "all\n", 4) != 4)
		return 1;
	for (;;)
		(void)pause();
}

static unsigned
children_of(pid_t parent)
{
	char path[64], list[65536];
	unsigned count = 0;
	const char *at;

	(void)snprintf(path, sizeof(path), "task/%d/children", parent);
	(void)read_proc(parent, path, list, sizeof(list));
	for (at = list; *at != '\0'; at++)
		count += *at == ' ';
	return count;
}

static void
fifty_thousand_orphans_are_reaped_and_nobody_waits_for_it(void **state)
{
	char self[PATH_MAX], value[64], path[PATH_MAX], text[16];
	struct host *host = *state;
	struct deadline deadline;
	long before, after;
	pid_t web, maker;
	ssize_t length;

	length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	assert_true(length > 0);
	self[length] = '\0';
	host_profile(host, "web", GUARD "exec sleep 1000");
	host_write(host, "web/restart", 0644, "%s", "");
	host_profile(host, "maker", "while [ ! -e ../go ]; do sleep 0.1; done\nexec %s %s %s/done",
	    self, ORPHANED, host->root);
	host_start(host);
	web = host_wait_running(host, "web");
	maker = host_wait_running(host, "maker");
	before =
	    strtol(process_status(host->supervisor, "RssAnon", value, sizeof(value)), NULL, 10);
	host_write(host, "go", 0644, "%s", "");
	/* meanwhile another service that dies is back as ever */
	wait_until((read_proc(maker, "comm", value, sizeof(value)), value[0] == 'e'));
	host_mark_log(host);
	assert_int_equal(kill(web, SIGKILL), 0);
	assert_int_not_equal(host_wait_running(host, "web"), web);
	(void)snprintf(path, sizeof(path), "%s/done", host->root);
	for (deadline = deadline_in(9 * SOON); access(path, F_OK) == -1;)
		deadline_pause(&deadline, "all orphans are made", __FILE__, __LINE__);
	wait_for_file(path, text, sizeof(text));
	/* monitor, spawner and two services; none of the 50,000 is a zombie */
	wait_until(children_of(host->supervisor) == 4);
	after = strtol(process_status(host->supervisor, "RssAnon", value, sizeof(value)), NULL, 10);
	assert_in_range(after, 1, before + 128);
	assert_true(process_lives(maker));
	assert_int_equal(host_count_log(host, " ProcLaunch "), 0);
	host_stop_all(host);
	assert_int_equal(host_processes(host), 0);
}

/* --- a crowd --------------------------------------------------------------------------------- */

#define CROWD	4000
#define CROWDED "--make-a-crowd"
/* Hundredths of a second of a processor that the parent may use meanwhile. What takes as long as
 * there are pairs among them would take several seconds. */
#define SHORT_WORK 150

static int
be_the_crowd(const char *ready)
{
	int i, file;

	(void)signal(SIGTERM, SIG_IGN);
	for (i = 0; i < CROWD; i++)
		if (fork() == 0)
			for (;;)
				(void)pause();
	(void)signal(SIGTERM, SIG_DFL);
	file = open(ready, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (file == -1 || write(file, "all\n", 4) != 4)
		return 1;
	for (;;)
		(void)pause();
}

static void
a_crowd_that_one_service_leaves_behind_holds_up_no_other(void **state)
{
	char self[PATH_MAX], path[PATH_MAX], text[16];
	struct host *host = *state;
	struct outcome outcome;
	unsigned long ticks;
	ssize_t length;
	int i;

	length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	assert_true(length > 0);
	self[length] = '\0';
	(void)snprintf(path, sizeof(path), "%s/ready", host->root);
	host_profile(host, "web", GUARD "exec sleep 1000");
	host_profile(host, "crowd", "exec %s " CROWDED " %s", self, path);
	host_write(host, "crowd/stop_timeout", 0644, "2\n");
	host_start(host);
	(void)host_wait_running(host, "web");
	wait_for_file(path, text, sizeof(text));
	host_mark_log(host);
	/* its leader ends; the others do not heed the signal, and are killed */
	assert_int_equal(ctl(host, &outcome, "stop", "--no-wait", "crowd", NULL), CTL_DONE);
	for (i = 0; i < 5; i++) {
		ticks = process_ticks(host->supervisor);
		assert_int_equal(ctl(host, &outcome, "restart", "web", NULL), CTL_DONE);
		assert_true(process_ticks(host->supervisor) - ticks < SHORT_WORK);
		assert_in_range(open_files_of(host->supervisor), 1, CROWD / 10);
	}
	host_wait_log(host, " crowd stopped$");
	host_stop_all(host);
	assert_int_equal(host_processes(host), 0);
	assert_no_second_copy(host);
}

/* --- the clock ------------------------------------------------------------------------------- */

/* When a service was started, as it has noted itself by a clock that nobody has set: seconds, of
 * which the first `max` are stored. How many there are. */
static unsigned
starts_of(struct host *host, const char *name, double *starts, unsigned max)
{
	char file[64], path[PATH_MAX], text[1024];
	unsigned count = 0;
	const char *at;

	(void)snprintf(file, sizeof(file), "%s/times", name);
	wait_for_file(host_path(host, file, path, sizeof(path)), text, sizeof(text));
	for (at = text; (at = strchr(at, '\n')) != NULL; at++)
		count++;
	for (at = text; max > 0 && count > 0 && at != NULL && *at != '\0'; max--) {
		*starts++ = strtod(at, NULL);
		at = strchr(at, '\n');
		at = at == NULL ? NULL : at + 1;
	}
	return count;
}

static void
a_wall_clock_that_jumps_by_ten_years_changes_nothing_but_time_stamps(void **state)
{
	struct host *host = *state;
	struct deadline begun;
	char year[16], *text;
	double starts[4];
	pid_t web, deaf;
	int years = 0, i;

	host_profile(host, "web", GUARD "exec sleep 1000");
	host_profile(
	    host, "fails", GUARD "read now idle < /proc/uptime\necho $now >> times\nexit 1");
	host_write(host, "fails/restart", 0644, "%s", "");
	host_profile(host, "deaf", GUARD "trap '' TERM\n: > ready\nexec sleep 1000");
	host_write(host, "deaf/stop_timeout", 0644, "2\n");
	host_profile(host, "late", GUARD "exec sleep 1000");
	host_write(host, "late/pid_file", 0644, "never\n");
	host_write(host, "late/start_timeout", 0644, "3\n");
	host_start(host);
	web = host_wait_running(host, "web");
	deaf = host_wait_running(host, "deaf");
	/* backoff: at once, then after 1 and 2 seconds */
	wait_until(starts_of(host, "fails", starts, 4) >= 4);
	assert_true(starts[2] - starts[1] > 0.5 && starts[2] - starts[1] < 2.5);
	assert_true(starts[3] - starts[2] > 1.5 && starts[3] - starts[2] < 4.0);
	host_wait_log(host, " WARN  late pid_file has named no process .* within 3 s");
	begun = deadline_in(0); /* by a clock that nobody has set, either */
	host_remove(host, "deaf");
	wait_until(!process_lives(deaf));
	assert_in_range(-deadline_left(&begun), 2000, 5000);
	/* adoption: a process is known by its start in ticks since boot */
	host_crash(host);
	host_mark_log(host);
	host_start(host);
	assert_int_equal(host_wait_running(host, "web"), web);
	host_settle(host);
	assert_int_equal(host_count_log(host, " web (starting|died|stopping)"), 0);
	host_stop_all(host);
	assert_no_second_copy(host);
	/* the test itself: the clock did jump */
	text = host_log_text(host);
	for (i = 2000; i < 2100; i++) {
		(void)snprintf(year, sizeof(year), "\n%d-", i);
		years += strstr(text, year) != NULL;
	}
	free(text);
	assert_in_range(years, 2, 3);
}

int
main(int count, char **arguments)
{
	const struct CMUnitTest tests[] = {
	    ROOT_TEST(with_few_descriptors_as_many_services_run_as_there_is_room_for),
	    ROOT_TEST(a_newborn_whose_pid_cannot_be_recorded_is_not_let_through_its_gate),
	    ROOT_TEST(where_descriptors_are_few_some_fifos_are_opened_when_they_are_needed),
	    ROOT_TEST(a_parent_without_a_descriptor_left_tries_again_until_there_are_some),
	    cmocka_unit_test_setup_teardown(
		where_no_process_can_be_made_others_go_on_and_it_is_tried_again, set_up_lonely,
		host_tear_down),
	    ROOT_TEST(
		with_a_full_disk_below_the_log_services_go_on_and_the_log_does_when_there_is_room),
	    ROOT_TEST(with_a_full_disk_below_the_ledger_nothing_starts_that_could_be_forgotten),
	    ROOT_TEST(on_a_read_only_file_system_it_says_so_and_starts_nothing),
	    ROOT_TEST(a_crowd_that_one_service_leaves_behind_holds_up_no_other),
	    SESSIONS_TEST(a_crowd_that_one_service_leaves_behind_holds_up_no_other),
	    ROOT_TEST(fifty_thousand_orphans_are_reaped_and_nobody_waits_for_it),
	    cmocka_unit_test_setup_teardown(
		a_wall_clock_that_jumps_by_ten_years_changes_nothing_but_time_stamps,
		host_set_up_jumping, host_tear_down),
	};

	if (count == 3 && strcmp(arguments[1], CROWDED) == 0)
		return be_the_crowd(arguments[2]);
	if (count == 3 && strcmp(arguments[1], ORPHANED) == 0)
		return be_the_maker_of_orphans(arguments[2]);
	return cmocka_run_group_tests_name("exhaustion", tests, NULL, NULL);
}
