/*
 * What a tenant can do to the FIFO that a service of his prints into, which is his: what he does to
 * it is his own loss, and nobody else's.
 */
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ctl.h"
#include "host.h"
#include "peer.h"
#include "silence.h"

/* What stands in a file, as a string; "" where there is none. */
static const char *
written(FILE *file)
{
	static char text[65536];
	size_t length = 0;

	if (file != NULL)
		length = fread(text, 1, sizeof(text) - 1, file);
	text[length] = '\0';
	return text;
}

/* What stands in the log of a profile's output, or with ".1" in the one before it. */
static const char *
printed_in(const struct host *host, const char *name, const char *age)
{
	char path[PATH_MAX];
	const char *text;
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/output/%s.log%s", host->state, name, age);
	file = fopen(path, "re");
	text = written(file);
	if (file != NULL)
		(void)fclose(file);
	return text;
}

static const char *
printed(const struct host *host, const char *name)
{
	return printed_in(host, name, "");
}

static unsigned
times(const char *text, const char *line)
{
	unsigned count = 0;

	while ((text = strstr(text, line)) != NULL) {
		text += strlen(line);
		count++;
	}
	return count;
}

static void
make_printer(struct host *host, const char *name)
{
	char file[64];

	host_profile(host, name, "echo i am $USER; exec sleep 1000");
	(void)snprintf(file, sizeof(file), "%s/output", name);
	host_write(host, file, 0644, "format raw\n");
	(void)snprintf(file, sizeof(file), "%s/restart", name);
	host_write(host, file, 0644, "%s", "");
	(void)snprintf(file, sizeof(file), "%s/user", name);
	host_write(host, file, 0644, "%s\n", TENANT);
}

/* Ends it, and waits for the next one. */
static pid_t
restart(struct host *host, const char *name, pid_t service)
{
	host_mark_log(host);
	assert_int_equal(kill(service, SIGKILL), 0);
	return host_wait_running(host, name);
}

static void
whoever_had_a_fifo_before_cannot_read_what_the_next_user_prints(void **state)
{
	struct host *host = *state;
	struct stat before, after;
	char byte[64];
	pid_t service;
	int kept, now;

	make_printer(host, "web");
	host_remove(host, "web/user");
	host_start(host);
	(void)host_wait_running(host, "web"); /* which may be said after it has printed */
	wait_until(strcmp(printed(host, "web"), "i am root\n") == 0);
	host_mark_log(host);
	host_write(host, "web/user", 0644, "%s\n", TENANT);
	service = host_wait_running(host, "web");
	wait_until(strcmp(printed(host, "web"), "i am " TENANT "\n") == 0);
	assert_string_equal(printed_in(host, "web", ".1"), "i am root\n");
	kept = peer_take(service, STDOUT_FILENO); /* he has handed it to a friend */
	assert_int_equal(fcntl(kept, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(write(kept, "the last of mine\n", 17), 17);
	host_mark_log(host);
	host_write(host, "web/user", 0644, "%s\n", OTHER_TENANT);
	service = host_wait_running(host, "web");
	assert_int_equal(process_uid(service), account_uid(OTHER_TENANT));
	wait_until(strstr(printed(host, "web"), "i am " OTHER_TENANT "\n") != NULL);
	assert_string_equal(printed(host, "web"), "i am " OTHER_TENANT "\n");
	assert_string_equal(printed_in(host, "web", ".1"), "i am " TENANT "\nthe last of mine\n");
	now = peer_take(service, STDOUT_FILENO);
	assert_true(fstat(kept, &before) == 0 && fstat(now, &after) == 0);
	assert_int_not_equal(before.st_ino, after.st_ino);
	assert_int_equal(after.st_uid, account_uid(OTHER_TENANT));
	/* the monitor, which has another one now, left nothing in the old */
	assert_true(read(kept, byte, sizeof(byte)) == -1 && errno == EAGAIN);
	assert_int_equal(close(kept) | close(now), 0);
	host_stop_all(host);
}

static void
whoever_follows_a_log_does_not_read_what_the_next_user_prints(void **state)
{
	struct host *host = *state;
	struct running_ctl follows, waits;
	char path[PATH_MAX];
	FILE *kept;

	make_printer(host, "web");
	host_start(host);
	(void)host_wait_running(host, "web");
	ctl_begin(host, account_uid(TENANT), &follows, "log", "-f", "web", NULL);
	ctl_wait_said(&follows, "i am " TENANT "\n");
	ctl_begin(host, account_uid(TENANT), &waits, "wait", "--for=stopped", "web", NULL);
	/* what a client is handed is open for as long as he likes */
	(void)snprintf(path, sizeof(path), "%s/output/web.log", host->state);
	kept = fopen(path, "re");
	assert_non_null(kept);
	host_write(host, "web/user", 0644, "%s\n", OTHER_TENANT);
	wait_until(strstr(printed(host, "web"), "i am " OTHER_TENANT "\n") != NULL);
	assert_int_equal(ctl_wait_end(&follows), CTL_NO_PROFILE);
	assert_int_equal(ctl_wait_end(&waits), CTL_NO_PROFILE);
	assert_string_equal(ctl_peek(&follows), "i am " TENANT "\n");
	assert_string_equal(written(kept), "i am " TENANT "\n");
	assert_int_equal(fclose(kept), 0);
	host_stop_all(host);
}

static void
what_one_service_does_to_its_fifo_does_not_reach_the_next_one(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX];
	struct stat status;
	pid_t service;
	int fifo;

	make_printer(host, "web");
	host_start(host);
	service = host_wait_running(host, "web");
	wait_until(strstr(printed(host, "web"), "i am " TENANT "\n") != NULL);
	fifo = peer_take(service, STDOUT_FILENO);
	/* non-blocking, without a mode, smaller than a line, and of packets */
	assert_int_equal(fcntl(fifo, F_SETFL, O_NONBLOCK | O_DIRECT), 0);
	assert_int_equal(fchmod(fifo, 0), 0);
	assert_true(fcntl(fifo, F_SETPIPE_SZ, 4096) != -1);
	service = restart(host, "web", service);
	wait_until(strstr(printed(host, "web"), "i am " TENANT "\ni am " TENANT "\n") != NULL);
	assert_int_equal(close(fifo), 0);
	fifo = peer_take(service, STDOUT_FILENO);
	assert_int_equal(fcntl(fifo, F_GETFL) & O_NONBLOCK, 0);
	/* it was not opened again: his friend, who has it open, could have kept us in that */
	assert_int_not_equal(fcntl(fifo, F_GETFL) & O_DIRECT, 0);
	/* nor does it keep the next monitor, or the next parent, from reading it */
	assert_int_equal(kill(host_monitor(host), SIGKILL), 0);
	assert_int_equal(write(fifo, "after the monitor\n", 18), 18);
	wait_until(strstr(printed(host, "web"), "after the monitor\n") != NULL);
	host_crash(host);
	host_start(host);
	service = host_wait_running(host, "web");
	service = restart(host, "web", service);
	wait_until(strstr(printed(host, "web"), "after the monitor\ni am " TENANT "\n") != NULL);
	(void)snprintf(path, sizeof(path), "%s/fifo/web.out", host->state);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_uid, account_uid(TENANT));
	assert_int_equal(close(fifo), 0);
	host_stop_all(host);
}

/* To give it away once more takes a change of its mode then, for which root's process has no
 * capability: the profile could not be started any more. */
static void
a_service_that_makes_its_fifo_set_user_id_is_started_again(void **state)
{
	static const mode_t modes[] = {S_ISUID, S_ISGID | S_IXGRP, 07777};
	struct host *host = *state;
	struct outcome outcome;
	unsigned i;
	int fifo;

	make_printer(host, "web");
	host_start(host);
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		fifo = peer_take(host_wait_running(host, "web"), STDOUT_FILENO);
		wait_until(times(printed(host, "web"), "i am " TENANT "\n") == i + 1);
		assert_int_equal(fchmod(fifo, modes[i]), 0);
		assert_int_equal(write(fifo, "before\n", 7), 7);
		assert_int_equal(close(fifo), 0);
		host_mark_log(host);
		assert_int_equal(ctl(host, &outcome, "restart", "web", NULL), CTL_DONE);
	}
	wait_until(times(printed(host, "web"), "i am " TENANT "\n") == i + 1);
	assert_int_equal(times(printed(host, "web"), "before\n"), i);
	host_stop_all(host);
}

/* The FIFO is the tenant's by then, and root may not read what it likes any more. */
static void
what_a_tenant_prints_is_written_after_a_crash_of_everything(void **state)
{
	struct host *host = *state;
	pid_t service;
	int fifo;

	make_printer(host, "web");
	host_start(host);
	service = host_wait_running(host, "web");
	wait_until(strstr(printed(host, "web"), "i am " TENANT "\n") != NULL);
	fifo = peer_take(service, STDOUT_FILENO);
	host_crash(host);
	assert_int_equal(write(fifo, "in between\n", 11), 11);
	host_start(host);
	assert_int_equal(write(fifo, "and after it\n", 13), 13);
	wait_until(strstr(printed(host, "web"), "in between\nand after it\n") != NULL);
	assert_int_equal(close(fifo), 0);
	host_stop_all(host);
}

/* A child of a service writes from a file that never answers: until it does the kernel keeps the
 * lock of the FIFO, whoever waits for that. Then the service ends, and its FIFO is looked at. */
#define WRITER "--write-from"

static _Noreturn void
write_for_ever(const char *path)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	void *bytes = mmap(NULL, 1, PROT_READ, MAP_SHARED, file, 0);

	_exit(bytes == MAP_FAILED || write(STDOUT_FILENO, bytes, 1) != 1);
}

/* Until the process is in a system call of which /proc/PID/syscall begins like this. */
static int
wait_for_call(pid_t child, const char *call)
{
	char waits[64], text[16];
	ssize_t length;
	int file, i;

	(void)snprintf(waits, sizeof(waits), "/proc/%d/syscall", child);
	for (i = 0; i < SOON; i++) {
		(void)poll(NULL, 0, 1);
		file = open(waits, O_RDONLY | O_CLOEXEC);
		length = file == -1 ? 0 : read(file, text, sizeof(text) - 1);
		text[length < 0 ? 0 : length] = '\0';
		(void)close(file);
		if (strncmp(text, call, strlen(call)) == 0)
			return 0;
	}
	return 1;
}

static int
write_from(const char *path)
{
	pid_t child = fork();

	if (child == 0)
		write_for_ever(path);
	return wait_for_call(child, "1 0x1 "); /* write(2) to standard output */
}

/*
 * What it splices into its FIFO is a page of a file that cannot be kept by then: to read it from
 * the FIFO fails, and while somebody reads the file anew, who reads the FIFO waits for him.
 */
#define FADER  "--splice-from"
#define HOLDER "--splice-and-hold"
/* In its directory: it has begun; it may go on; whoever reads the page waits. */
#define BEGUN "begun"
#define GO    "go"
#define HELD  "held"

static bool
make_mark(const char *path)
{
	int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	return file != -1 && close(file) == 0;
}

static bool
wait_for_mark(const char *path)
{
	int i;

	for (i = 0; i < SOON && access(path, F_OK) == -1; i++)
		(void)poll(NULL, 0, 1);
	return i < SOON;
}

static int
splice_from(const char *path, bool hold)
{
	int file = open(path, O_RDWR | O_CLOEXEC);
	loff_t start = 0;
	pid_t child;
	char byte;

	if (hold && (!make_mark(BEGUN) || !wait_for_mark(GO)))
		return 1;
	if (splice(file, &start, STDOUT_FILENO, NULL, 100, 0) != 100 ||
	    pwrite(file, "x", 1, 0) != -1)
		return 1;
	if (!hold)
		return 0;
	child = fork();
	if (child == 0)
		_exit(pread(file, &byte, 1, 0) == 1);
	return wait_for_call(child, "17 ") != 0 || !make_mark(HELD); /* pread64(2) */
}

/*
 * Whoever prints or reads wakes each epoll instance that waits for the FIFO, in the kernel and at
 * once: a service may have as many as there is memory for.
 */
#define HERD "--herd"

static int
print_to_herd(void)
{
	struct epoll_event room = {.events = EPOLLOUT};
	struct rlimit limit;
	int fifos[800], epoll;
	unsigned i, k;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return 1;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) == -1)
		return 1;
	/* each opened anew, or the kernel would go through all of them for each that is added */
	for (i = 0; i < sizeof(fifos) / sizeof(fifos[0]); i++) {
		fifos[i] = open("/proc/self/fd/1", O_RDWR | O_CLOEXEC);
		if (fifos[i] == -1)
			return 1;
	}
	for (k = 0; k < 500; k++) {
		epoll = epoll_create1(EPOLL_CLOEXEC);
		for (i = 0; i < sizeof(fifos) / sizeof(fifos[0]); i++)
			if (epoll_ctl(epoll, EPOLL_CTL_ADD, fifos[i], &room) == -1)
				return 1;
	}
	if (write(STDOUT_FILENO, "one\n", 4) != 4 || !wait_for_mark(GO) ||
	    write(STDOUT_FILENO, "two\n", 4) != 4 || !make_mark(HELD))
		return 1;
	return pause();
}

static void
copy_self(const struct host *host, const char *name)
{
	char path[PATH_MAX];
	struct stat status;
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), to;

	host_path(host, name, path, sizeof(path));
	to = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	assert_true(from != -1 && to != -1 && fstat(from, &status) == 0);
	assert_int_equal(sendfile(to, from, NULL, (size_t)status.st_size), status.st_size);
	assert_int_equal(close(from) | close(to), 0);
}

/* So many that a parent with few descriptors holds no more FIFOs: the tenant's is opened when it is
 * needed. */
#define CROWD 180

static void
limit_descriptors(void)
{
	const struct rlimit limit = {.rlim_cur = 700, .rlim_max = 700};

	if (setrlimit(RLIMIT_NOFILE, &limit) == -1)
		_exit(125);
}

static void
crowd(struct host *host)
{
	char name[32];
	unsigned i;

	host->before_exec = limit_descriptors;
	for (i = 0; i < CROWD; i++) {
		(void)snprintf(name, sizeof(name), "crowd-%03u", i);
		host_profile(host, name, "exec sleep 1000");
	}
}

/* What was made with a dot in front of its name. */
static void
begin_profile(const struct host *host, const char *name)
{
	char ready[PATH_MAX], begun[PATH_MAX], hidden[64];

	(void)snprintf(hidden, sizeof(hidden), ".%s", name);
	host_path(host, hidden, ready, sizeof(ready));
	assert_int_equal(rename(ready, host_path(host, name, begun, sizeof(begun))), 0);
}

/* A tenant whose service does this with his FIFO, once, and somebody else. */
static void
begin_game(struct host *host, struct silence *silence, const char *game, bool fading)
{
	silence_begin(silence, host->root);
	host_profile(host, ".tenant",
	    "[ -e once ] && echo free again && exec sleep 1000\n: > once\n"
	    "exec ./writer %s %s",
	    game, fading ? silence->fading : silence->path);
	copy_self(host, ".tenant/writer");
	host_write(host, ".tenant/output", 0644, "format raw\n");
	host_write(host, ".tenant/restart", 0644, "%s", "");
	host_chown(host, ".tenant", TENANT);
	make_printer(host, "other");
	host_start(host);
	(void)host_wait_running(host, "other");
	wait_until(strstr(printed(host, "other"), "i am " TENANT "\n") != NULL);
	if (host->before_exec != NULL)
		wait_until(host_count_log(host, " crowd-[0-9]+ running ") == CROWD);
	begin_profile(host, "tenant");
}

/* The monitor does not look at the FIFO before the page is waited for: it would drop it. */
static void
keep_from_looking(struct host *host, pid_t monitor)
{
	char path[PATH_MAX];

	wait_until(access(host_path(host, "tenant/" BEGUN, path, sizeof(path)), F_OK) == 0);
	peer_stop(monitor);
	host_write(host, "tenant/" GO, 0644, "%s", "");
	wait_until(access(host_path(host, "tenant/" HELD, path, sizeof(path)), F_OK) == 0);
	peer_continue(monitor);
}

/* The monitor waits for the tenant's file server. */
static pid_t
hold_monitor(struct host *host, struct silence *silence, const char *game, bool fading)
{
	char state[32];
	pid_t monitor;

	begin_game(host, silence, game, fading);
	monitor = host_monitor(host);
	if (fading)
		keep_from_looking(host, monitor);
	wait_until(process_status(monitor, "State", state, sizeof(state))[0] == 'D');
	return monitor;
}

static bool
was_killed(pid_t pid)
{
	char pending[32];

	process_status(pid, "SigPnd", pending, sizeof(pending));
	return (strtoull(pending, NULL, 16) & 1ULL << (SIGKILL - 1)) != 0;
}

/* Ten seconds until it counts as hung: by the hasty clock six pass with each spawner. */
static void
let_it_hang(struct host *host, pid_t monitor)
{
	struct deadline deadline = deadline_in(SOON);
	pid_t spawner;

	while (!was_killed(monitor)) {
		assert_true(deadline_left(&deadline) > 0);
		spawner = host_spawner(host);
		assert_int_equal(kill(spawner, SIGKILL), 0);
		wait_until(host_spawner(host) > 0 && host_spawner(host) != spawner);
	}
}

static void
assert_replaced(struct host *host, const char *game, bool fading)
{
	struct silence silence;
	struct outcome outcome;
	pid_t monitor = hold_monitor(host, &silence, game, fading);

	let_it_hang(host, monitor);
	host_wait_log(host,
	    " WARN  ProcLaunch monitor pid %d was killed and does not end: the kernel keeps it\\.",
	    monitor);
	host_wait_log(host, " WARN  ProcLaunch tenant keeps its FIFO locked: ");
	/* the next one serves everybody else; by its clock, which is not the hasty one, a service
	 * of now runs steadily only later */
	assert_int_equal(ctl(host, &outcome, "restart", "--no-wait", "other", NULL), CTL_DONE);
	wait_until(strstr(printed(host, "other"), "i am " TENANT "\ni am " TENANT "\n") != NULL);
	assert_true(process_lives(monitor));
	/* and the tenant, as soon as he lets go */
	silence_end(&silence);
	process_wait_gone(monitor);
	host_wait_running(host, "tenant");
	wait_until(strstr(printed(host, "tenant"), "free again\n") != NULL);
	assert_true(
	    !fading || strstr(printed(host, "tenant"), "-- 100 bytes were dropped") != NULL);
	host_stop_all(host);
}

static void
a_monitor_that_a_tenant_keeps_in_the_kernel_is_replaced_and_his_fifo_left_alone(void **state)
{
	assert_replaced(*state, WRITER, false);
}

/* Not even for the next service of his, for to open it would keep the parent for as long. */
static void
a_fifo_that_is_left_alone_is_not_opened_either(void **state)
{
	crowd(*state);
	host_write(*state, ".tenant/kill_mode", 0644, "process\n");
	assert_replaced(*state, WRITER, false);
}

static void
a_monitor_that_waits_for_a_tenants_page_is_replaced_and_his_fifo_left_alone(void **state)
{
	assert_replaced(*state, HOLDER, true);
}

static void
a_page_that_cannot_be_read_costs_a_tenant_his_own_output_and_nobody_else_anything(void **state)
{
	struct host *host = *state;
	struct silence silence;
	struct outcome outcome;
	pid_t monitor;

	begin_game(host, &silence, FADER, true);
	monitor = host_monitor(host);
	host_wait_log(host,
	    " WARN  tenant a part of its output cannot be read, and is dropped: Input/output "
	    "error$");
	host_wait_running(host, "tenant");
	assert_int_equal(ctl(host, &outcome, "restart", "other", NULL), CTL_DONE);
	wait_until(strstr(printed(host, "other"), "i am " TENANT "\ni am " TENANT "\n") != NULL);
	/* and he himself goes on, and is told */
	wait_until(strstr(printed(host, "tenant"), "-- 100 bytes were dropped here --\n") != NULL);
	host_wait_log(host, " WARN  tenant its output is written again, 100 bytes were dropped");
	assert_int_equal(host_monitor(host), monitor);
	assert_int_equal(host_count_log(host, "monitor (died|pid)"), 0);
	silence_end(&silence);
	host_stop_all(host);
}

static void
a_supervisor_whose_monitor_a_tenant_keeps_in_the_kernel_leaves_all_the_same(void **state)
{
	struct host *host = *state;
	struct silence silence;
	pid_t monitor = hold_monitor(host, &silence, WRITER, false);

	host_leave(host);
	assert_true(process_lives(monitor)); /* the test itself */
	silence_end(&silence);
	process_wait_gone(monitor);
	host_start(host);
	host_stop_all(host);
}

/* A friend of the tenant's, outside of the profile, who has opened the FIFO for himself. */
static pid_t
hold_from_outside(const struct host *host, const struct silence *silence, const char *name)
{
	char path[PATH_MAX];
	pid_t friend;
	int fifo;

	(void)snprintf(path, sizeof(path), "%s/fifo/%s.out", host->state, name);
	fifo = open(path, O_RDWR | O_CLOEXEC);
	assert_int_not_equal(fifo, -1);
	friend = fork();
	if (friend == 0)
		_exit(dup2(fifo, STDOUT_FILENO) == -1 || write_from(silence->path));
	assert_int_equal(close(fifo), 0);
	return friend;
}

/* So long the lock is kept, and twenty times as long the FIFO is left alone. */
#define KEPT_FOR 200 /* milliseconds */

static void
keep_monitor_for_a_moment(struct host *host)
{
	pid_t monitor = host_monitor(host), friend;
	struct silence silence;
	struct deadline kept;
	char state[32];

	silence_begin(&silence, host->root);
	friend = hold_from_outside(host, &silence, "tenant");
	wait_until(process_status(monitor, "State", state, sizeof(state))[0] == 'D');
	kept = deadline_in(KEPT_FOR);
	while (deadline_left(&kept) > 0)
		deadline_breathe();
	silence_end(&silence);
	assert_int_equal(waitpid(friend, NULL, 0), friend);
}

static void
whoever_keeps_the_lock_of_a_fifo_again_and_again_keeps_the_monitor_for_a_twentieth(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	struct deadline deadline;
	char said[PATH_MAX];

	/* a line that is not finished is looked at by the clock */
	host_profile(host, "tenant",
	    "printf unfinished; while [ ! -e go ]; do sleep 0.1; done; echo , free; : > said; "
	    "exec sleep 1000");
	host_write(host, "tenant/output", 0644, "format raw\n");
	host_chown(host, "tenant", TENANT);
	make_printer(host, "other");
	host_remove(host, "other/user");
	host_start(host);
	host_wait_running(host, "tenant");
	wait_until(strcmp(printed(host, "other"), "i am root\n") == 0);
	keep_monitor_for_a_moment(host);
	host_write(host, "tenant/go", 0644, "%s", "");
	wait_until(access(host_path(host, "tenant/said", said, sizeof(said)), F_OK) == 0);
	assert_int_equal(ctl(host, &outcome, "restart", "--no-wait", "other", NULL), CTL_DONE);
	wait_until(strcmp(printed(host, "other"), "i am root\ni am root\n") == 0);
	assert_string_equal(printed(host, "tenant"), "");
	/* and then he has his turn */
	deadline = deadline_in(10 * SOON);
	while (strcmp(printed(host, "tenant"), "unfinished, free\n") != 0)
		deadline_pause(&deadline, "he is looked at again", __FILE__, __LINE__);
	host_stop_all(host);
}

static void
whoever_has_a_herd_wait_for_his_fifo_keeps_the_monitor_for_a_twentieth(void **state)
{
	struct host *host = *state;
	struct deadline deadline;
	struct outcome outcome;
	char path[PATH_MAX];

	host_profile(host, ".tenant", "exec ./writer " HERD);
	copy_self(host, ".tenant/writer");
	host_write(host, ".tenant/output", 0644, "format raw\n");
	host_chown(host, ".tenant", TENANT);
	make_printer(host, "other");
	host_remove(host, "other/user");
	host_start(host);
	wait_until(strcmp(printed(host, "other"), "i am root\n") == 0);
	begin_profile(host, "tenant");
	wait_until(strcmp(printed(host, "tenant"), "one\n") == 0);
	host_write(host, "tenant/" GO, 0644, "%s", "");
	wait_until(access(host_path(host, "tenant/" HELD, path, sizeof(path)), F_OK) == 0);
	assert_int_equal(ctl(host, &outcome, "restart", "--no-wait", "other", NULL), CTL_DONE);
	wait_until(strcmp(printed(host, "other"), "i am root\ni am root\n") == 0);
	assert_string_equal(printed(host, "tenant"), "one\n");
	deadline = deadline_in(10 * SOON);
	while (strcmp(printed(host, "tenant"), "one\ntwo\n") != 0)
		deadline_pause(&deadline, "he is looked at again", __FILE__, __LINE__);
	host_stop_all(host);
}

/* He asks where his log stands on the disk, into a page that never comes: ext4 keeps the lock. */
static void
map_into_a_silent_page(const struct host *host, const struct silence *silence)
{
	char path[PATH_MAX];
	long page = sysconf(_SC_PAGESIZE);
	int log, file = open(silence->path, O_RDWR | O_CLOEXEC);
	struct fiemap *map;
	char *pages;

	(void)snprintf(path, sizeof(path), "%s/output/tenant.log", host->state);
	log = open(path, O_RDONLY | O_CLOEXEC);
	pages = mmap(
	    NULL, 2 * (size_t)page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (log == -1 || pages == MAP_FAILED ||
	    mmap(pages + page, (size_t)page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, file,
		0) == MAP_FAILED)
		_exit(1);
	map = (struct fiemap *)(void *)(pages + page - sizeof(*map));
	map->fm_length = UINT64_MAX;
	map->fm_extent_count = 1;
	(void)ioctl(log, FS_IOC_FIEMAP, map);
	_exit(0);
}

/* A tenant with this script, which has printed "one", and a friend of his who keeps the lock of the
 * log that he was handed; and somebody else. The friend, or 0 where the file system gives no lock.
 */
static pid_t
keep_lock_of_log(struct host *host, struct silence *silence, const char *output, const char *script)
{
	struct outcome outcome;
	struct statfs kind;
	pid_t friend;

	assert_int_equal(statfs(host->root, &kind), 0);
	if (kind.f_type != EXT4_SUPER_MAGIC)
		return 0;
	host_profile(host, "tenant", "%s", script);
	host_write(host, "tenant/output", 0644, "format raw\n%s", output);
	host_chown(host, "tenant", TENANT);
	make_printer(host, "other");
	host_remove(host, "other/user");
	host_start(host);
	wait_until(strstr(printed(host, "tenant"), "one\n") != NULL);
	wait_until(strcmp(printed(host, "other"), "i am root\n") == 0);
	assert_int_equal(
	    ctl_as(host, account_uid(TENANT), &outcome, "log", "tenant", NULL), CTL_DONE);
	silence_begin(silence, host->root);
	friend = fork();
	if (friend == 0)
		map_into_a_silent_page(host, silence);
	assert_int_equal(wait_for_call(friend, "16 "), 0); /* ioctl(2) */
	return friend;
}

/* Then whoever waits for it goes on. */
static void
let_go_in_a_moment(struct silence *silence, pid_t friend)
{
	struct deadline deadline = deadline_in(KEPT_FOR);

	while (deadline_left(&deadline) > 0)
		deadline_breathe();
	silence_end(silence);
	assert_int_equal(waitpid(friend, NULL, 0), friend);
}

/* The tenant has printed meanwhile, and has his turn later. */
static void
assert_left_alone(struct host *host, const char *before, const char *after)
{
	struct deadline deadline = deadline_in(10 * SOON);
	struct outcome outcome;

	assert_int_equal(ctl(host, &outcome, "restart", "--no-wait", "other", NULL), CTL_DONE);
	wait_until(strcmp(printed(host, "other"), "i am root\ni am root\n") == 0);
	assert_string_equal(printed(host, "tenant"), before);
	while (strcmp(printed(host, "tenant"), after) != 0)
		deadline_pause(&deadline, "he is looked at again", __FILE__, __LINE__);
}

static void
whoever_keeps_the_lock_of_a_log_that_he_was_handed_keeps_the_monitor_for_a_twentieth(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX], status[32];
	struct silence silence;
	pid_t friend = keep_lock_of_log(host, &silence, "",
	    "echo one; while [ ! -e go ]; do sleep 0.1; done; echo two\n"
	    "while [ ! -e on ]; do sleep 0.1; done; echo three; : > said; exec sleep 1000");

	if (friend == 0)
		skip();
	host_write(host, "tenant/go", 0644, "%s", "");
	wait_until(process_status(host_monitor(host), "State", status, sizeof(status))[0] == 'D');
	let_go_in_a_moment(&silence, friend);
	wait_until(strcmp(printed(host, "tenant"), "one\ntwo\n") == 0);
	host_write(host, "tenant/on", 0644, "%s", "");
	wait_until(access(host_path(host, "tenant/said", path, sizeof(path)), F_OK) == 0);
	assert_left_alone(host, "one\ntwo\n", "one\ntwo\nthree\n");
	host_stop_all(host);
}

/* What does not fit into it any more is not written, and has it put aside. */
static void
whoever_keeps_the_lock_of_a_log_that_is_put_aside_keeps_the_parent_for_a_twentieth(void **state)
{
	struct host *host = *state;
	char status[32];
	struct silence silence;
	pid_t friend = keep_lock_of_log(host, &silence, "rotate_size 4096\n",
	    "printf '%04090d' 0; echo one; while [ ! -e go ]; do sleep 0.1; done\n"
	    "echo two; echo three; exec sleep 1000");

	if (friend == 0)
		skip();
	host_write(host, "tenant/go", 0644, "%s", "");
	wait_until(process_status(host->supervisor, "State", status, sizeof(status))[0] == 'D');
	let_go_in_a_moment(&silence, friend);
	wait_until(strstr(printed_in(host, "tenant", ".1"), "one\n") != NULL);
	assert_left_alone(host, "", "two\nthree\n");
	host_stop_all(host);
}

/* What the monitor asks now waits for the parent, and the monitor for its answer. */
static bool
has_asked(int channel, pid_t monitor)
{
	char call[16];
	int bytes = 0;

	return ioctl(channel, FIONREAD, &bytes) == 0 && bytes > 0 &&
	    read_proc(monitor, "syscall", call, sizeof(call)) > 0 &&
	    strncmp(call, "281 ", 4) == 0; /* epoll_pwait(2) */
}

/* Who closes a FIFO last waits for its lock: that is the monitor, which can be replaced. */
static void
a_fifo_that_is_locked_while_its_profile_is_forgotten_does_not_keep_the_parent(void **state)
{
	struct host *host = *state;
	struct silence silence;
	struct outcome outcome;
	pid_t monitor, friend;
	int channel, status;

	silence_begin(&silence, host->root);
	make_printer(host, "web");
	make_printer(host, "other");
	host_profile(host, "marker", "exec sleep 1000");
	host_write(host, "marker/down", 0644, "%s", "");
	host_start(host);
	(void)host_wait_running(host, "other");
	(void)host_wait_running(host, "web");
	assert_int_equal(ctl(host, &outcome, "stop", "web", NULL), CTL_DONE);
	monitor = host_monitor(host);
	channel = peer_take_parents_end(host->supervisor, monitor);
	peer_stop(monitor);
	host_remove(host, "web");
	host_wait_told(host, "marker");
	peer_stop(host->supervisor);
	peer_continue(monitor);
	wait_until(has_asked(channel, monitor));
	friend = hold_from_outside(host, &silence, "web");
	assert_int_equal(waitpid(friend, &status, 0), friend);
	assert_int_equal(status, 0);
	peer_continue(host->supervisor);
	let_it_hang(host, monitor);
	host_wait_log(
	    host, " WARN  ProcLaunch monitor pid %d was killed and does not end: ", monitor);
	assert_int_equal(ctl(host, &outcome, "restart", "--no-wait", "other", NULL), CTL_DONE);
	assert_true(process_lives(monitor));
	silence_end(&silence);
	process_wait_gone(monitor);
	assert_int_equal(close(channel), 0);
	host_stop_all(host);
}

#define HASTY_TEST(function) \
	cmocka_unit_test_setup_teardown(function, host_set_up_hasty, host_tear_down)

int
main(int count, char **arguments)
{
	const struct CMUnitTest tests[] = {
	    ROOT_TEST(whoever_had_a_fifo_before_cannot_read_what_the_next_user_prints),
	    ROOT_TEST(whoever_follows_a_log_does_not_read_what_the_next_user_prints),
	    ROOT_TEST(what_one_service_does_to_its_fifo_does_not_reach_the_next_one),
	    ROOT_TEST(a_service_that_makes_its_fifo_set_user_id_is_started_again),
	    ROOT_TEST(what_a_tenant_prints_is_written_after_a_crash_of_everything),
	    HASTY_TEST(
		a_monitor_that_a_tenant_keeps_in_the_kernel_is_replaced_and_his_fifo_left_alone),
	    HASTY_TEST(a_fifo_that_is_left_alone_is_not_opened_either),
	    HASTY_TEST(a_monitor_that_waits_for_a_tenants_page_is_replaced_and_his_fifo_left_alone),
	    ROOT_TEST(
		a_page_that_cannot_be_read_costs_a_tenant_his_own_output_and_nobody_else_anything),
	    ROOT_TEST(a_supervisor_whose_monitor_a_tenant_keeps_in_the_kernel_leaves_all_the_same),
	    ROOT_TEST(
		whoever_keeps_the_lock_of_a_fifo_again_and_again_keeps_the_monitor_for_a_twentieth),
	    ROOT_TEST(whoever_has_a_herd_wait_for_his_fifo_keeps_the_monitor_for_a_twentieth),
	    ROOT_TEST(
		whoever_keeps_the_lock_of_a_log_that_he_was_handed_keeps_the_monitor_for_a_twentieth),
	    ROOT_TEST(
		whoever_keeps_the_lock_of_a_log_that_is_put_aside_keeps_the_parent_for_a_twentieth),
	    HASTY_TEST(
		a_fifo_that_is_locked_while_its_profile_is_forgotten_does_not_keep_the_parent),
	};

	if (count == 3 && strcmp(arguments[1], WRITER) == 0)
		return write_from(arguments[2]);
	if (count == 2 && strcmp(arguments[1], HERD) == 0)
		return print_to_herd();
	if (count == 3 && (strcmp(arguments[1], FADER) == 0 || strcmp(arguments[1], HOLDER) == 0))
		return splice_from(arguments[2], strcmp(arguments[1], HOLDER) == 0);

	return cmocka_run_group_tests_name("games with FIFOs", tests, NULL, NULL);
}
