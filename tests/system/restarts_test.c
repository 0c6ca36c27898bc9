/*
 * Monitors and spawners that die again and again: nothing grows in the parent, services stay up,
 * and the next one is started with a growing delay.
 */
#include <limits.h>
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
#include "guard.h"
#include "host.h"
#include "open_files.h"

#define RESTARTS 1000
/* What has grown until then is what the first restarts need. */
#define WARM 100
/* The heap may be cut into other pieces; one descriptor or message kept each time is more. */
#define GROWTH_PERMITTED 64 /* KiB */

static long
memory_of(pid_t pid)
{
	char value[64];

	return strtol(process_status(pid, "RssAnon", value, sizeof(value)), NULL, 10);
}

/* The youngest child of the supervisor with that name, as the kernel cuts it, and as it lists them:
 * an older one was given up, and is about to end. 0: there is none. */
static pid_t
child_called(const struct host *host, const char *name)
{
	char list[4096], path[64], called[32], *next = list, *end;
	pid_t pid, youngest = 0;

	(void)snprintf(path, sizeof(path), "task/%d/children", host->supervisor);
	if (read_proc(host->supervisor, path, list, sizeof(list)) <= 0)
		return 0;
	while ((pid = (pid_t)strtol(next, &end, 10)) > 0 && end != next) {
		if (read_proc(pid, "comm", called, sizeof(called)) > 0 &&
		    strncmp(called, name, strlen(name)) == 0)
			youngest = pid;
		next = end;
	}
	return youngest;
}

/* The monitor, once it has confined itself: that is its last step before it greets the parent. */
static pid_t
confined_monitor(const struct host *host, pid_t other_than)
{
	pid_t pid = child_called(host, "proclaunch-moni");
	char value[32];

	if (pid == 0 || pid == other_than)
		return 0;
	return process_status(pid, "Seccomp", value, sizeof(value))[0] == '2' ? pid : 0;
}

static bool
answers(const struct host *host)
{
	struct outcome outcome;

	return ctl(host, &outcome, "ping", NULL) == CTL_DONE;
}

static pid_t
kill_monitor(struct host *host, pid_t last)
{
	pid_t pid = 0;

	wait_until((pid = confined_monitor(host, last)) != 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
	return pid;
}

/* Kills the spawner, and waits until another one has greeted the parent. Not before a monitor has
 * lived long enough to write what is to be logged: the parent keeps no more than a certain number
 * of lines for it. */
static void
replace_spawner(struct host *host)
{
	pid_t spawner = 0;

	wait_until(answers(host));
	wait_until((spawner = child_called(host, "proclaunch-spaw")) != 0);
	host_mark_log(host);
	assert_int_equal(kill(spawner, SIGKILL), 0);
	host_wait_log(host, " DEBUG ProcLaunch spawner started pid ");
}

/* Each death stands in the log, whichever monitor was the first to live long enough to write it.
 * Who has hung up and is not a zombie yet when the spawner is reaped, at which this clock lets six
 * seconds pass, has been waited for too long. */
static void
assert_deaths_are_logged(struct host *host, const pid_t *pids, unsigned count)
{
	static const char *const said[][2] = {{" WARN  ProcLaunch monitor died pid ", " "},
	    {" WARN  ProcLaunch monitor pid ", " was killed and does not end"}};
	static bool logged[4 * 1024 * 1024]; /* PID_MAX_LIMIT, Linux's include/linux/threads.h */
	char *text, *line, *end;
	unsigned i;
	long pid;

	/* the last one's may come after the next monitor has answered */
	host_wait_log(host,
	    " WARN  ProcLaunch monitor (died )?pid %d (signal|was killed and does not end)",
	    pids[count - 1]);
	text = host_log_text(host);
	for (i = 0; i < 2; i++)
		for (line = text; (line = strstr(line, said[i][0])) != NULL; line = end) {
			pid = strtol(line + strlen(said[i][0]), &end, 10);
			if (strncmp(end, said[i][1], strlen(said[i][1])) == 0)
				logged[pid] = true;
		}
	free(text);
	for (i = 0; i < count; i++)
		if (!logged[pids[i]])
			fail_msg("the death of monitor %u, pid %d, is not logged", i, pids[i]);
}

static void
a_thousand_monitors_and_a_hundred_spawners_leave_nothing_behind(void **state)
{
	static const char *const names[] = {"one", "two", "three", "daemon"};
	unsigned descriptors = 0, i;
	struct host *host = *state;
	pid_t services[4], monitor = 0;
	static pid_t killed[RESTARTS];
	long memory = 0;

	for (i = 0; i < 3; i++)
		host_profile(host, names[i], "exec sleep 1000");
	host_profile(host, "daemon", "setsid sh -c 'echo $$ > pid; exec sleep 1000' > /dev/null &");
	host_write(host, "daemon/pid_file", 0644, "pid\n");
	host_start_with(host, "--log-level=debug", NULL);
	for (i = 0; i < 4; i++)
		services[i] = host_wait_running(host, names[i]);
	host_mark_log(host);
	for (i = 0; i < RESTARTS; i++) {
		if (i % 10 == 9)
			replace_spawner(host);
		monitor = killed[i] = kill_monitor(host, monitor);
		if (i != WARM)
			continue;
		wait_until(answers(host));
		descriptors = open_files_of(host->supervisor);
		memory = memory_of(host->supervisor);
		assert_in_range(descriptors, 10, 100);
	}
	wait_until(answers(host));
	wait_until(open_files_of(host->supervisor) == descriptors);
	assert_in_range(memory_of(host->supervisor), 1, memory + GROWTH_PERMITTED);
	assert_deaths_are_logged(host, killed, RESTARTS);
	for (i = 0; i < 4; i++)
		assert_true(process_lives(services[i]));
	assert_int_equal(host_count_log(host, " (one|two|three|daemon) (starting|died|stop)"), 0);
	host_stop_all(host);
	host_wait_deserted(host);
}

static long long
now_ms(void)
{
	struct timespec now;

	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static pid_t
next_monitor(const struct host *host, pid_t last)
{
	pid_t pid = child_called(host, "proclaunch-moni");

	return pid == last ? 0 : pid;
}

/* The first deaths are forgiven, five at once and one more every six seconds; each further one
 * delays the next start by another tenth of a second. */
static void
a_monitor_that_dies_again_and_again_is_started_with_a_growing_delay(void **state)
{
	enum { DEATHS = 16, FREE = 5 };
	struct host *host = *state;
	long long killed, waited[DEATHS + 1];
	pid_t service, monitor = 0, next = 0;
	unsigned i;

	host_profile(host, "web", "exec sleep 1000");
	host_start(host);
	service = host_wait_running(host, "web");
	for (i = 1; i <= DEATHS; i++) {
		monitor = kill_monitor(host, monitor);
		killed = now_ms();
		wait_until((next = next_monitor(host, monitor)) != 0);
		waited[i] = now_ms() - killed;
		assert_true(process_lives(service));
	}
	/* six seconds may have passed once or twice, on a busy machine, and forgiven as many */
	for (i = FREE + 1; i <= DEATHS; i++)
		assert_true(waited[i] >= (long long)(i - FREE - (i > 12 ? 3 : 1)) * 100 - 5);
	assert_true(waited[DEATHS] >= waited[1] + 500);
	wait_until(answers(host));
	assert_int_equal(host_count_log(host, " web (died|starting)"), 1);
	host_stop_all(host);
	assert_false(process_lives(service));
}

/* The first service kills monitor and spawner while the other profiles are read for the first time,
 * as soon as the log says of one that it runs, which the next monitor is not to say again. A parent
 * that then gave the start up as failed would leave behind what runs already, with nobody to look
 * after it. */
static void
who_dies_in_the_first_scan_is_replaced_and_the_scan_goes_on(void **state)
{
	enum { SERVICES = 20, OTHERS = 300 };
	struct host *host = *state;
	char name[32], path[PATH_MAX], text[64];
	unsigned i;

	for (i = 0; i < OTHERS; i++) {
		(void)snprintf(name, sizeof(name), "other%u/down", i);
		host_write(host, name, 0644, "%s", "");
		(void)snprintf(name, sizeof(name), "other%u", i);
		host_profile(host, name, "exec sleep 1000");
	}
	for (i = 0; i < SERVICES; i++) {
		(void)snprintf(name, sizeof(name), "web%u", i);
		host_profile(host, name,
		    GUARD "mkdir ../.once 2> /dev/null && {\n"
			  "until grep -q ' running pid ' ../error.log; do :; done\n"
			  /* the first of each name: a newborn is called like the spawner */
			  "for pid in $(cat /proc/$PPID/task/$PPID/children); do\n"
			  "read name < /proc/$pid/comm && case $name in\n"
			  "proclaunch-moni*) monitor=${monitor-$pid};;\n"
			  "proclaunch-spaw*) spawner=${spawner-$pid};; esac\n"
			  "done\n"
			  "kill -9 $monitor $spawner\n"
			  "}\n"
			  "exec sleep 1000");
	}
	host_start(host);
	wait_until(host_count_log(host, " WARN  ProcLaunch monitor died .*SIGKILL") == 1);
	wait_until(host_count_log(host, " WARN  ProcLaunch spawner died .*SIGKILL") == 1);
	for (i = 0; i < SERVICES; i++) {
		(void)snprintf(name, sizeof(name), "web%u/starts", i);
		wait_for_file(host_path(host, name, path, sizeof(path)), text, sizeof(text));
		assert_ptr_equal(strchr(text, '\n') + 1, strchr(text, '\0')); /* one line */
	}
	wait_until(answers(host));
	assert_true(host_count_log(host, " web[0-9]+ running pid [0-9]+$") <= SERVICES);
	assert_int_equal(host_count_log(host, " web[0-9]+ (died|stop)"), 0);
	host_stop_all(host);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		a_thousand_monitors_and_a_hundred_spawners_leave_nothing_behind, host_set_up_hasty,
		host_tear_down),
	    ROOT_TEST(a_monitor_that_dies_again_and_again_is_started_with_a_growing_delay),
	    ROOT_TEST(who_dies_in_the_first_scan_is_replaced_and_the_scan_goes_on),
	};

	return cmocka_run_group_tests_name("restarts", tests, NULL, NULL);
}
