/*
 * Who prints much delays no other, and costs no memory: proclaunch(8), OUTPUT.
 */
#include <sys/stat.h>
#include <sys/syscall.h>

#include <fcntl.h>
#include <limits.h>
#include <linux/sched/types.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "ctl.h"
#include "printed.h"

/* --- fairness and memory --- */

static int
compare(const void *one, const void *other)
{
	const long long *a = one, *b = other;

	return (*a > *b) - (*a < *b);
}

/* Microseconds from a service's being asked for a line until the line stands in its file. */
static void
ask_for_lines(struct host *host, long long *times, unsigned count)
{
	struct timespec moment = {.tv_nsec = 500000};
	struct deadline deadline = deadline_in(3 * SOON);
	char path[PATH_MAX];
	long long size, begun;
	unsigned i;
	int ask = open(host_path(host, "quiet/ask", path, sizeof(path)), O_RDWR | O_CLOEXEC);

	assert_true(ask != -1);
	for (i = 0; i < count; i++) {
		size = size_of(log_path(host, "quiet.log"));
		begun = now_us();
		assert_int_equal(write(ask, "x\n", 2), 2);
		while (size_of(log_path(host, "quiet.log")) <= size) {
			(void)nanosleep(&moment, NULL);
			if (deadline_left(&deadline) < 0)
				deadline_pause(&deadline, "a line", __FILE__, __LINE__);
		}
		times[i] = now_us() - begun;
	}
	assert_int_equal(close(ask), 0);
	qsort(times, count, sizeof(*times), compare);
}

/* Microseconds of the whole command. */
static long long
median_status(struct host *host)
{
	long long times[21], begun;
	struct outcome outcome;
	unsigned i;

	for (i = 0; i < 21; i++) {
		begun = now_us();
		(void)ctl(host, &outcome, "status", "quiet", NULL);
		times[i] = now_us() - begun;
		assert_int_equal(outcome.status, 0);
	}
	qsort(times, 21, sizeof(times[0]), compare);
	return times[10];
}

/*
 * The promise is 50 ms for 99 of 100, and twice the idle time for a command. Here another one may
 * have the processors: half of the lines have to keep the promise as it stands, 99 of 100 four
 * times the time, and a command gets a part of a second. `make bench` measures it on a quiet
 * machine. Where another one has had them for long, it is looked at again: the flood goes on.
 */
#define LOOKS 3

static bool
others_go_on_as_promised(struct host *host, long long idle)
{
	long long times[100];

	ask_for_lines(host, times, 100);
	return times[50] < 50000 && times[98] < 200000 && median_status(host) < 2 * idle + 100000;
}

static void
a_flood_from_one_delays_no_line_and_no_command_of_another(void **state)
{
	struct host *host = *state;
	long long times[5], idle;
	unsigned looks = 0;
	char path[PATH_MAX];

	host_profile(host, "quiet", "while read line; do echo $line; done <> ask");
	host_write(host, "quiet/output", 0644, "format raw\n");
	assert_int_equal(mkfifo(host_path(host, "quiet/ask", path, sizeof(path)), 0600), 0);
	host_profile(
	    host, "flood", "until [ -e go ]; do sleep 0.01; done; exec yes all work and no play");
	host_write(host, "flood/output", 0644, "rotate_size 1M\nrotate_keep 1\n");
	host_start(host);
	(void)host_wait_running(host, "quiet");
	ask_for_lines(host, times, 5);
	idle = median_status(host);
	host_write(host, "flood/go", 0644, "%s", "");
	wait_until(access(old_path(log_path(host, "flood.log"), 1), F_OK) == 0);
	while (!others_go_on_as_promised(host, idle))
		assert_in_range(++looks, 1, LOOKS - 1);
	host_stop_all(host);
}

static unsigned long
waits_of(pid_t pid)
{
	char value[64];

	return strtoul(
	    process_status(pid, "voluntary_ctxt_switches", value, sizeof(value)), NULL, 10);
}

/* The FIFO rests while it fills: the monitor would otherwise wait once for each line or two. */
static void
who_prints_line_by_line_does_not_wake_the_monitor_for_each(void **state)
{
	struct host *host = *state;
	unsigned long before;
	pid_t monitor;

	host_profile(host, "web",
	    "until [ -e go ]; do sleep 0.01; done\n"
	    "i=0; while [ $i -lt 50000 ]; do i=$((i + 1)); echo $i; done; exec sleep 1000");
	host_write(host, "web/output", 0644, "format raw\n");
	host_start(host);
	(void)host_wait_running(host, "web");
	monitor = host_monitor(host);
	before = waits_of(monitor);
	host_write(host, "web/go", 0644, "%s", "");
	wait_until(size_of(log_path(host, "web.log")) == 288894); /* all of them */
	assert_true(contains(log_path(host, "web.log"), "\n49999\n50000\n"));
	assert_int_equal(host_monitor(host), monitor);
	assert_true(waits_of(monitor) - before < 50000 / 8);
	host_stop_all(host);
}

/* KiB that the process holds itself. */
static unsigned long
memory_of(pid_t pid)
{
	char value[64];

	return strtoul(process_status(pid, "RssAnon", value, sizeof(value)), NULL, 10);
}

static void
a_service_that_never_ends_its_line_costs_no_memory_and_gets_split(void **state)
{
	struct host *host = *state;
	unsigned long before;
	pid_t monitor;

	host_profile(
	    host, "web", "until [ -e go ]; do sleep 0.01; done; exec tr '\\0' x < /dev/zero");
	host_write(host, "web/output", 0644, "format raw\nrotate_size 1M\nrotate_keep 3\n");
	host_start(host);
	(void)host_wait_running(host, "web");
	monitor = host_monitor(host);
	before = memory_of(monitor);
	assert_true(before > 0);
	host_write(host, "web/go", 0644, "%s", "");
	/* which is put aside all the time: at times there is none */
	wait_until(contains(old_path(log_path(host, "web.log"), 3), "x\\\nx"));
	assert_int_equal(host_monitor(host), monitor);
	assert_true(memory_of(monitor) < before + 1024);
	host_stop_all(host);
}

/* All FIFOs together have only so much room: late ones begin small, and grow when they need it. */
static void
a_long_line_stays_whole_where_many_services_share_the_room(void **state)
{
	struct host *host = *state;
	char name[64], path[PATH_MAX];
	const char *end;
	bool others_may_let_it_grow;
	size_t length;
	unsigned i;
	char *text;
	int fifo;

	for (i = 0; i < 300; i++) {
		(void)snprintf(name, sizeof(name), "s%u", i);
		host_profile(host, name, "echo up; exec sleep 1000");
	}
	host_start(host);
	wait_until(host_count_log(host, " running pid ") == 300);
	host_profile(host, "web",
	    "until [ -e go ]; do sleep 0.01; done\n"
	    "head -c 65536 /dev/zero | tr '\\0' x; echo; echo last; exec sleep 1000");
	host_write(host, "web/output", 0644, "format raw\n");
	(void)host_wait_running(host, "web");
	(void)snprintf(path, sizeof(path), "%s/fifo/web.out", host->state);
	fifo = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	assert_true(fifo != -1 && fcntl(fifo, F_GETPIPE_SZ) <= 16384);
	others_may_let_it_grow = fifo_may_grow(fifo);
	assert_int_equal(close(fifo), 0);
	host_write(host, "web/go", 0644, "%s", "");
	wait_until(contains(log_path(host, "web.log"), "last\n"));
	text = content_of(log_path(host, "web.log"), &length);
	end = strchr(text, '\n');
	assert_non_null(end);
	length = (size_t)(end - text);
	free(text);
	host_stop_all(host);
	if (!others_may_let_it_grow)
		skip();
	assert_int_equal(length, 65536);
}

/* Bytes that all FIFOs hold together which are larger than new ones. */
static size_t
enlarged_bytes(struct host *host, unsigned services)
{
	char path[PATH_MAX];
	size_t bytes = 0;
	unsigned i;
	int fifo, size;

	for (i = 0; i < services; i++) {
		(void)snprintf(path, sizeof(path), "%s/fifo/s%u.out", host->state, i);
		fifo = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
		assert_true(fifo != -1);
		size = fcntl(fifo, F_GETPIPE_SZ);
		assert_true(size > 0);
		bytes += size > 65536 ? (size_t)size : 0;
		assert_int_equal(close(fifo), 0);
	}
	return bytes;
}

static void
wait_for_printed(struct host *host, unsigned services, long long size)
{
	struct deadline deadline = deadline_in(3 * SOON);
	char name[64];
	unsigned i;

	for (i = 0; i < services; i++) {
		(void)snprintf(name, sizeof(name), "s%u.log", i);
		while (size_of(log_path(host, name)) != size)
			deadline_pause(&deadline, name, __FILE__, __LINE__);
	}
}

/* FIFOs that services fill are enlarged for the speed of it. Were all of them, those of others
 * could not be, and their long lines would be split: pipe(7) grants a user 64 MiB. */
static void
services_that_print_much_leave_room_for_the_long_lines_of_others(void **state)
{
	static const size_t most = 32 * 1024 * 1024;
	struct host *host = *state;
	struct outcome outcome;
	char name[64];
	pid_t monitor;
	unsigned i;

	for (i = 0; i < 72; i++) {
		(void)snprintf(name, sizeof(name), "s%u", i);
		host_profile(host, name,
		    "for go in 1 2; do until [ -e ../go$go ]; do sleep 0.05; done\n"
		    "seq 100000 129999; done; exec sleep 1000");
		(void)snprintf(name, sizeof(name), "s%u/output", i);
		host_write(host, name, 0644, "format raw\n");
	}
	host_start(host);
	wait_until(host_count_log(host, " running pid ") == 72);
	host_write(host, "go1", 0644, "%s", "");
	wait_for_printed(host, 72, 30000 * 7);
	assert_true(enlarged_bytes(host, 72) <= most);
	/* nor when another monitor begins to count */
	monitor = host_monitor(host);
	assert_int_equal(kill(monitor, SIGKILL), 0);
	process_wait_gone(monitor);
	host_write(host, "go2", 0644, "%s", "");
	wait_for_printed(host, 72, 2 * 30000 * 7);
	assert_true(enlarged_bytes(host, 72) <= most);
	/* and who has ended gives it back */
	(void)ctl(host, &outcome, "stop", "s0", "s1", "s2", "s3", NULL);
	assert_int_equal(outcome.status, 0);
	wait_until(enlarged_bytes(host, 4) == 0);
	host_stop_all(host);
}

/* Of the time that a process asks for on a processor, nanoseconds; 0: this kernel does not say. */
static uint64_t
slice_of(pid_t pid)
{
	struct sched_attr attributes;

	assert_int_equal(syscall(SYS_sched_getattr, pid, &attributes, sizeof(attributes), 0), 0);
	return attributes.sched_runtime;
}

static void
whoever_wakes_up_where_the_monitor_writes_is_let_first(void **state)
{
	struct host *host = *state;

	host_start(host);
	if (slice_of(host_monitor(host)) == 0) {
		host_stop_all(host);
		skip();
	}
	assert_true(slice_of(host_monitor(host)) > slice_of(host->supervisor));
	host_stop_all(host);
}

static void
a_thousand_services_that_print_at_once_are_written_within_bounds(void **state)
{
	struct host *host = *state;
	struct deadline deadline = deadline_in(6 * SOON);
	char name[64], last[64];
	struct rlimit files;
	unsigned i, count;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	count =
	    files.rlim_max < 4096 ? (unsigned)files.rlim_max / 4 : 1000; /* or there is no room */
	for (i = 0; i < count; i++) {
		(void)snprintf(name, sizeof(name), "s%u", i);
		host_profile(host, name, "seq -s ' ' 1 20; exec sleep 1000");
		(void)snprintf(name, sizeof(name), "s%u/output", i);
		host_write(host, name, 0644, "format raw\n");
	}
	host_start(host);
	for (i = 0; i < count; i++) {
		(void)snprintf(last, sizeof(last), "s%u.log", i);
		while (!holds(
		    log_path(host, last), "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20\n"))
			deadline_pause(&deadline, last, __FILE__, __LINE__);
	}
	assert_true(memory_of(host_monitor(host)) < 8192);
	host_stop_all(host);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROOT_TEST(a_flood_from_one_delays_no_line_and_no_command_of_another),
	    ROOT_TEST(who_prints_line_by_line_does_not_wake_the_monitor_for_each),
	    ROOT_TEST(a_service_that_never_ends_its_line_costs_no_memory_and_gets_split),
	    ROOT_TEST(a_long_line_stays_whole_where_many_services_share_the_room),
	    ROOT_TEST(services_that_print_much_leave_room_for_the_long_lines_of_others),
	    ROOT_TEST(whoever_wakes_up_where_the_monitor_writes_is_let_first),
	    ROOT_TEST(a_thousand_services_that_print_at_once_are_written_within_bounds),
	};

	return cmocka_run_group_tests_name("output_load", tests, NULL, NULL);
}
