/*
 * A disk that takes nothing makes a service wait for a while: proclaunch(8), OUTPUT. Most of the
 * time of these tests is waiting: they run beside others, which those of output_loss must not.
 */
#include <sys/mount.h>

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "ctl.h"
#include "message.h"
#include "printed.h"

/* How long an output that cannot be written is kept, and a little more. */
#define KEPT_FOR 30000

static void
make_counter(struct host *host)
{
	host_profile(host, "web",
	    "i=1000000; while :; do echo $i the quick brown fox jumps over the lazy dog\n"
	    "i=$((i + 1)); [ $((i %% 100)) != 0 ] || echo $i > count; done");
	host_write(host, "web/output", 0644, "format raw\nrotate_size 4G\n");
}

static unsigned long
count_of(struct host *host)
{
	char path[PATH_MAX], text[32];

	wait_for_file(host_path(host, "web/count", path, sizeof(path)), text, sizeof(text));
	return strtoul(text, NULL, 10);
}

/* Who prints and is not asleep has only not been given the processor. */
static bool
is_asleep(pid_t pid)
{
	char value[64];

	return process_status(pid, "State", value, sizeof(value))[0] == 'S';
}

/* In a record as it lies on the disk; ledger_lies_test.c knows where its process stands. */
#define PROCESS_AT 216
#define DROPPED_AT (PROCESS_AT + sizeof(struct process_facts) + offsetof(struct note, dropped))

/* What the ledger's first record knows of bytes that were dropped: for the next monitor. */
static uint64_t
recorded_dropped(struct host *host)
{
	uint64_t dropped = 0;
	char path[PATH_MAX];
	int ledger;

	(void)snprintf(path, sizeof(path), "%s/ledger", host->state);
	ledger = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(ledger != -1);
	assert_int_equal(pread(ledger, &dropped, sizeof(dropped), DROPPED_AT), sizeof(dropped));
	assert_int_equal(close(ledger), 0);
	return dropped;
}

static void
a_full_disk_makes_output_wait_then_drops_and_counts_it_and_logging_resumes(void **state)
{
	struct host *host = *state;
	struct deadline deadline = deadline_in(KEPT_FOR + 2 * SOON);
	unsigned long stuck, dropped, next;
	long long times[2];
	char *log, *said, *text;
	pid_t web, monitor;
	uint64_t recorded;
	size_t length;

	mount_small(log_path(host, ""), "256k");
	make_counter(host);
	host_start(host);
	web = host_wait_running(host, "web");
	host_wait_log(host, " WARN  web its output cannot be written and waits: No space left");
	assert_int_equal(host_log_times(host, times, 1, " web its output cannot be written"), 1);
	/* it waits in the FIFO, and the service with it; which may be enlarged once more, and late
	 * where others have the processors */
	do
		stuck = count_of(host);
	while (poll(NULL, 0, 1500) == 0 && (count_of(host) != stuck || !is_asleep(web)));
	/* of the last page of the full disk less is left than a line takes */
	assert_true((4096 - size_of(log_path(host, "web.log")) % 4096) % 4096 <
	    (off_t)sizeof("1000000 the quick brown fox jumps over the lazy dog"));
	/* and then the service goes on */
	while (count_of(host) == stuck)
		deadline_pause(&deadline, "the service goes on", __FILE__, __LINE__);
	(void)time((time_t *)&times[1]);
	assert_true(times[1] - times[0] / 1000 >= KEPT_FOR / 1000 - 1);
	assert_true(process_lives(web));
	assert_int_equal(host_count_log(host, " web its output cannot be written"), 1);
	host_wait_log(host, " WARN  web its output has waited for 30 s, and is dropped until ");
	/* what a monitor has counted that is killed is not lost, and the next one drops on */
	wait_until(recorded_dropped(host) > 0);
	recorded = recorded_dropped(host);
	monitor = host_monitor(host);
	assert_int_equal(kill(monitor, SIGKILL), 0);
	process_wait_gone(monitor);
	wait_until(recorded_dropped(host) > recorded);
	/* room for what is to come: the file that filled the disk is taken away, as one does */
	assert_int_equal(unlink(log_path(host, "web.log")), 0);
	host_wait_log(host, " WARN  web its output is written again, [0-9]+ bytes were dropped$");
	wait_until(size_of(log_path(host, "web.log")) > 4096);
	log = host_log_text(host);
	said = strstr(log, "written again, ");
	assert_non_null(said);
	dropped = strtoul(said + strlen("written again, "), NULL, 10);
	assert_true(dropped >= recorded && dropped >= 65536);
	text = content_of(log_path(host, "web.log"), &length);
	said = strstr(text, " bytes were dropped here --\n");
	assert_non_null(said);
	assert_true(strtoul(strstr(text, "-- ") + 3, NULL, 10) == dropped);
	/* whole lines were dropped: what follows begins with one */
	next = strtoul(strchr(said, '\n') + 1, NULL, 10);
	assert_true(next > 1000000);
	assert_int_equal(printed_in_order(strchr(said, '\n') + 1, &next), 0);
	free(text);
	free(log);
	wait_until(recorded_dropped(host) == 0);
	host_stop_all(host);
}

static void
a_full_disk_leaves_no_torn_line_and_nothing_is_lost_within_the_time(void **state)
{
	struct host *host = *state;
	unsigned long next = 1000000;
	char ballast[PATH_MAX], *text;
	size_t length;

	mount_small(log_path(host, ""), "256k");
	(void)snprintf(ballast, sizeof(ballast), "%s", log_path(host, "ballast"));
	host_profile(host, "lines",
	    "i=1000000; while [ $i -lt 1003000 ]; do\n"
	    "echo $i the quick brown fox jumps over the lazy dog; i=$((i + 1)); done\n"
	    "echo end $i; exec sleep 1000");
	host_write(host, "lines/output", 0644, "format raw\nrotate_size 4G\n");
	fill(ballast);
	host_start(host);
	host_wait_log(host, " WARN  lines its output cannot be written and waits: No space left");
	/* 150 KB of lines: some fit at first, the others when there is room for all */
	assert_int_equal(truncate(ballast, 120 * 1024), 0);
	host_wait_log(host, " INFO  lines its output is written again$");
	assert_int_equal(unlink(ballast), 0);
	wait_until(last_line_begins(log_path(host, "lines.log"), "end "));
	text = content_of(log_path(host, "lines.log"), &length);
	assert_int_equal(printed_in_order(text, &next), 0);
	assert_int_equal(next, 1003000);
	free(text);
	host_stop_all(host);
}

/* As people do who are out of space. What we knew of its size is of no meaning any more. */
static void
a_log_that_is_emptied_on_a_full_disk_has_no_hole(void **state)
{
	struct host *host = *state;
	unsigned long next, before;
	unsigned times;
	size_t length;
	char *text;

	mount_small(log_path(host, ""), "256k");
	make_counter(host);
	host_start(host);
	for (times = 0; times < 3; times++) {
		wait_until(size_of(log_path(host, "web.log")) > 200 * 1024);
		before = count_of(host);
		assert_int_equal(truncate(log_path(host, "web.log"), 0), 0);
		wait_until(count_of(host) > before);
	}
	wait_until(size_of(log_path(host, "web.log")) > 200 * 1024);
	text = content_of(log_path(host, "web.log"), &length);
	assert_int_equal(strlen(text), length);
	next = strtoul(text, NULL, 10);
	assert_int_equal(printed_in_order(text, &next), 0);
	free(text);
	host_stop_all(host);
}

static void
a_log_directory_that_is_read_only_is_used_again_when_it_is_not(void **state)
{
	struct host *host = *state;
	char mount_point[PATH_MAX];
	struct outcome outcome;

	mount_small(log_path(host, ""), "256k");
	(void)snprintf(mount_point, sizeof(mount_point), "%s", log_path(host, ""));
	host_profile(
	    host, "web", "until [ -e go1 ]; do sleep 0.01; done; echo line 1; exec sleep 1000");
	host_write(host, "web/output", 0644, "format raw\n");
	assert_int_equal(mount(NULL, mount_point, NULL, MS_REMOUNT | MS_RDONLY, "size=256k"), 0);
	host_start(host);
	(void)host_wait_running(host, "web");
	host_write(host, "web/go1", 0644, "%s", "");
	host_wait_log(host, " WARN  web its output cannot be written and waits: Read-only");
	/* the log is root's: whoever owns the service finds it here */
	assert_int_equal(ctl(host, &outcome, "explain", "web", NULL), CTL_DONE);
	assert_non_null(strstr(outcome.output,
	    "web is running: run has been executed; its output cannot be written: Read-only file "
	    "system.\n"));
	assert_int_equal(mount(NULL, mount_point, NULL, MS_REMOUNT, "size=256k"), 0);
	host_wait_log(host, " INFO  web its output is written again$");
	wait_until(holds(log_path(host, "web.log"), "line 1\n"));
	assert_int_equal(ctl(host, &outcome, "explain", "web", NULL), CTL_DONE);
	assert_non_null(strstr(outcome.output, "web is running: run has been executed.\n"));
	host_stop_all(host);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROOT_TEST(a_full_disk_makes_output_wait_then_drops_and_counts_it_and_logging_resumes),
	    ROOT_TEST(a_full_disk_leaves_no_torn_line_and_nothing_is_lost_within_the_time),
	    ROOT_TEST(a_log_that_is_emptied_on_a_full_disk_has_no_hole),
	    ROOT_TEST(a_log_directory_that_is_read_only_is_used_again_when_it_is_not),
	};

	return cmocka_run_group_tests_name("output_disk", tests, NULL, NULL);
}
