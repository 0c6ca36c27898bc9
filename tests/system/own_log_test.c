/*
 * The supervisor's own log has the promises of what services print: proclaunch(8), THE LOG.
 */
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
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

#include "ctl.h"
#include "peer.h"
#include "printed.h"

/* Each of these commands is in the log with who gave it. */
static void
make_log_lines(struct host *host, unsigned count)
{
	struct outcome outcome;
	char program[PATH_MAX];

	host_program("proclaunchctl", program, sizeof(program));
	while (count-- > 0) {
		run_program(&outcome, program, "-d", host->state, "signal", "CONT", "web", NULL);
		assert_int_equal(outcome.status, 0);
	}
}

static void
our_own_log_rotates_at_its_size_and_keeps_as_many_as_was_said(void **state)
{
	struct host *host = *state;
	unsigned i;

	host_profile(host, "web", "exec sleep 1000");
	host_start_with(host, "--log-rotate=4K,2", NULL);
	(void)host_wait_running(host, "web");
	for (i = 0; i < 300 && access(old_path(host->log, 2), F_OK) == -1; i++)
		make_log_lines(host, 1);
	assert_true(size_of(old_path(host->log, 2)) >= 4096 &&
	    size_of(old_path(host->log, 2)) < 4096 + 1024);
	make_log_lines(host, 100); /* at least once more */
	assert_int_equal(access(old_path(host->log, 3), F_OK), -1);
	host_stop_all(host);
}

static void
our_own_log_is_opened_anew_when_asked_and_when_deleted(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	char old[PATH_MAX];

	host_profile(host, "web", "exec sleep 1000");
	host_start(host);
	(void)host_wait_running(host, "web");
	(void)snprintf(old, sizeof(old), "%s.old", host->log);
	assert_int_equal(rename(host->log, old), 0);
	assert_int_equal(ctl(host, &outcome, "reopen", NULL), CTL_DONE);
	host_mark_log(host);
	(void)ctl(host, &outcome, "stop", "web", NULL);
	host_wait_log(host, " INFO  web stopped$");
	assert_true(contains(old, " web running pid "));
	assert_false(contains(old, " web stopped\n"));
	assert_int_equal(unlink(host->log), 0);
	host_mark_log(host);
	(void)ctl(host, &outcome, "start", "web", NULL);
	host_wait_log(host, " INFO  web running pid ");
	host_stop_all(host);
}

static bool
has_ended(pid_t pid)
{
	siginfo_t how = {.si_pid = 0};

	return waitid(P_PID, (id_t)pid, &how, WEXITED | WNOHANG | WNOWAIT) == 0 && how.si_pid != 0;
}

/* logrotate(8) compresses the old file, and deletes it, as soon as that command has ended. */
static void
reopen_ends_when_nothing_more_is_written_to_the_old_log(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	struct running_ctl reopens;
	char old[PATH_MAX];

	host_start(host);
	host_settle(host); /* or a line may wait for the parent */
	(void)snprintf(old, sizeof(old), "%s.old", host->log);
	assert_int_equal(rename(host->log, old), 0);
	peer_stop(host->supervisor);
	ctl_begin(host, 0, &reopens, "reopen", NULL);
	wait_until(contains(old, " reopen by uid 0\n"));
	assert_int_equal(ctl(host, &outcome, "start", "nobody", NULL), CTL_NO_PROFILE);
	wait_until(contains(old, " refused start by uid 0: nobody\n"));
	assert_false(has_ended(reopens.pid));
	peer_continue(host->supervisor);
	assert_int_equal(ctl_wait_end(&reopens), CTL_DONE);
	assert_int_equal(access(host->log, F_OK), 0);
	assert_int_equal(ctl(host, &outcome, "start", "somebody", NULL), CTL_NO_PROFILE);
	assert_false(contains(old, "somebody"));
	host_wait_log(host, " refused start by uid 0: somebody$");
	host_stop_all(host);
}

static void
a_reopen_that_fails_says_why(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	char old[PATH_MAX];

	host_start(host);
	(void)snprintf(old, sizeof(old), "%s.old", host->log);
	assert_int_equal(rename(host->log, old), 0);
	assert_int_equal(mkdir(host->log, 0750), 0);
	assert_int_equal(ctl(host, &outcome, "reopen", NULL), CTL_FAILED);
	assert_non_null(strstr(outcome.error, strerror(EISDIR)));
	assert_int_equal(rmdir(host->log), 0);
	assert_int_equal(ctl(host, &outcome, "reopen", NULL), CTL_DONE);
	assert_int_equal(access(host->log, F_OK), 0);
	host_stop_all(host);
}

/* Something stands in the way of error.log.1. It is tried again after a minute, not at once. */
static void
our_own_log_grows_when_it_cannot_be_put_aside(void **state)
{
	struct host *host = *state;

	assert_int_equal(mkdir(old_path(host->log, 1), 0750), 0);
	host_profile(host, "web", "exec sleep 1000");
	host_start_with(host, "--log-rotate=4K,1", NULL);
	(void)host_wait_running(host, "web");
	make_log_lines(host, 150);
	assert_true(size_of(host->log) > 4096 + 1024);
	assert_int_equal(
	    host_count_log(host, " WARN  ProcLaunch the log cannot be put aside, and grows$"), 1);
	host_stop_all(host);
}

/* The directory is deleted, and made again later; then another takes its place. */
static void
our_own_log_is_written_again_when_its_directory_is_another(void **state)
{
	struct host *host = *state;
	char folder[PATH_MAX], moved[PATH_MAX + 8], option[PATH_MAX + 32];
	struct outcome outcome;

	(void)snprintf(folder, sizeof(folder), "%s/log", host->root);
	(void)snprintf(moved, sizeof(moved), "%s.old", folder);
	assert_int_equal(mkdir(folder, 0750), 0);
	(void)snprintf(host->log, sizeof(host->log), "%.100s/log/error.log", host->root);
	(void)snprintf(option, sizeof(option), "--log-path=%s", host->log);
	host_profile(host, "web", "exec sleep 1000");
	host_start_with(host, option, NULL);
	(void)host_wait_running(host, "web");
	assert_int_equal(unlink(host->log), 0);
	assert_int_equal(rmdir(folder), 0);
	(void)ctl(host, &outcome, "stop", "web", NULL);
	assert_int_equal(mkdir(folder, 0750), 0);
	host_wait_log(host, " INFO  web stopped$");
	assert_int_equal(rename(folder, moved), 0);
	assert_int_equal(mkdir(folder, 0750), 0);
	assert_int_equal(ctl(host, &outcome, "reopen", NULL), CTL_DONE);
	(void)ctl(host, &outcome, "start", "web", NULL);
	host_wait_log(host, " INFO  web running pid ");
	host_stop_all(host);
}

/* Numbers that wrap around would be accepted as small ones. */
static void
a_rotation_that_cannot_be_meant_is_a_usage_error(void **state)
{
	static const char *const wrong[] = {"--log-rotate=10M", "--log-rotate=10M,",
	    "--log-rotate=,5", "--log-rotate=4095,5", "--log-rotate=0,5", "--log-rotate=-4096,5",
	    "--log-rotate=10M,101", "--log-rotate=10M,-1", "--log-rotate=10M,5x",
	    "--log-rotate=10T,5", "--log-rotate=1025G,5", "--log-rotate=17179869185G,5",
	    "--log-rotate=18446744073709555712,5", "--log-rotate=10M,4294967301"};
	struct host *host = *state;
	struct outcome outcome;
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		host_run(host, &outcome, "-f", wrong[i], host->state, host->profiles, NULL);
		assert_int_equal(outcome.status, 2);
		assert_non_null(strstr(outcome.error, "must be a size from 4K to 1024G"));
	}
	host_start_with(host, "--log-rotate=1024G,100", NULL);
	host_stop_all(host);
}

/* A service, and the log on a file system that becomes full: `ballast` has taken its room. */
static pid_t
start_on_a_full_disk(struct host *host, char *option, char *ballast)
{
	char folder[PATH_MAX];
	pid_t pid;

	(void)snprintf(folder, sizeof(folder), "%s/log", host->root);
	mount_small(folder, "64k");
	(void)snprintf(host->log, sizeof(host->log), "%.100s/log/error.log", host->root);
	(void)snprintf(option, PATH_MAX, "--log-path=%s", host->log);
	(void)snprintf(ballast, PATH_MAX, "%.100s/log/ballast", host->root);
	host_profile(host, "web", "exec sleep 1000");
	host_start_with(host, option, NULL);
	pid = host_wait_running(host, "web");
	fill(ballast);
	return pid;
}

/* Nothing stops, and what was to be said comes later. */
static void
our_own_log_waits_while_the_disk_is_full_and_loses_nothing(void **state)
{
	struct host *host = *state;
	char option[PATH_MAX], ballast[PATH_MAX];
	pid_t pid = start_on_a_full_disk(host, option, ballast);

	make_log_lines(host, 100); /* the last page of the file had room for some */
	assert_int_equal(kill(pid, SIGKILL), 0);
	process_wait_gone(pid);
	assert_int_equal(host_count_log(host, " web died pid "), 0);
	assert_int_equal(unlink(ballast), 0);
	wait_until(host_count_log(host, " INFO  web died pid %d signal SIGKILL$", pid) == 1);
	assert_int_equal(host_count_log(host, " web signal SIGCONT by uid 0$"), 100);
	host_stop_all(host);
}

/* Nor does who dies meanwhile take anything along. */
static void
what_waits_for_room_in_our_own_log_survives_the_death_of_every_process(void **state)
{
	struct host *host = *state;
	char option[PATH_MAX], ballast[PATH_MAX];
	pid_t monitor;

	(void)start_on_a_full_disk(host, option, ballast);
	make_log_lines(host, 100);
	monitor = host_monitor(host);
	assert_int_equal(kill(monitor, SIGKILL), 0);
	wait_until(host_monitor(host) != monitor);
	make_log_lines(host, 1);
	host_crash(host);
	assert_in_range(host_count_log(host, " web signal SIGCONT by uid 0$"), 1, 99);
	assert_int_equal(unlink(ballast), 0);
	host_start_with(host, option, NULL);
	wait_until(host_count_log(host, " web signal SIGCONT by uid 0$") == 101);
	/* and not a second time, now that they are written */
	make_log_lines(host, 1);
	monitor = host_monitor(host);
	assert_int_equal(kill(monitor, SIGKILL), 0);
	wait_until(host_monitor(host) != monitor);
	make_log_lines(host, 1);
	wait_until(host_count_log(host, " web signal SIGCONT by uid 0$") >= 103);
	assert_int_equal(host_count_log(host, " web signal SIGCONT by uid 0$"), 103);
	assert_int_equal(host_count_log(host, " are lost$"), 0);
	host_stop_all(host);
}

#define CROWD 300

static const char *const said_of_each[] = {"starting", "running", "stopping", "stopped"};
#define SAID (sizeof(said_of_each) / sizeof(said_of_each[0]))

/* Each of the crowd, when it has been executed, prolongs this file by a byte. */
static const char *
board_of(const struct host *host)
{
	static char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%.100s/board", host->root);
	return path;
}

static void
gather_crowd(struct host *host)
{
	char name[16];
	unsigned i;

	for (i = 0; i < CROWD; i++) {
		(void)snprintf(name, sizeof(name), "s%03u", i);
		host_profile(host, name, "printf . >> %s\nexec sleep 1000", board_of(host));
	}
}

/* How often each of the crowd has said each thing since the mark; the pids they run as. */
static void
count_said(struct host *host, unsigned (*said)[SAID], pid_t *pids)
{
	char *text = host_log_text(host), *line, *saved = NULL, word[16];
	unsigned number, i;
	int length;
	pid_t pid;

	memset(said, 0, CROWD * sizeof(*said));
	for (line = strtok_r(text, "\n", &saved); line != NULL;
	     line = strtok_r(NULL, "\n", &saved)) {
		/* every line is whole, at the seam too */
		assert_int_equal(
		    sscanf(line, "%*4u-%*2u-%*2uT%*2u:%*2u:%*2u.%*3uZ %4s %n", word, &length), 1);
		if (sscanf(line + 31, "s%u %15s", &number, word) != 2 || number >= CROWD)
			continue;
		for (i = 0; i < SAID; i++)
			said[number][i] += strcmp(said_of_each[i], word) == 0;
		if (sscanf(line + 31, "s%*u running pid %d", &pid) == 1)
			pids[number] = pid;
	}
	free(text);
}

/* Has each of the crowd said the first `count` things? */
static bool
all_have_said(struct host *host, unsigned count, pid_t *pids)
{
	unsigned said[CROWD][SAID], number, i;

	count_said(host, said, pids);
	for (number = 0; number < CROWD; number++)
		for (i = 0; i < count; i++)
			if (said[number][i] == 0)
				return false;
	return true;
}

static unsigned
how_many_live(const pid_t *pids)
{
	unsigned live = 0, number;

	for (number = 0; number < CROWD; number++)
		live += kill(pids[number], 0) == 0;
	return live;
}

/* The monitor asks for what it does while its lines still wait, and is killed in between: when so
 * many have been started, and then when so many are left of those that are stopped. */
static void
start_and_stop_crowd(struct host *host, unsigned started, unsigned left)
{
	unsigned said[CROWD][SAID], number, i;
	pid_t pids[CROWD] = {0}, monitor;

	if (access(host->log, F_OK) == 0)
		assert_int_equal(unlink(host->log), 0);
	if (access(board_of(host), F_OK) == 0)
		assert_int_equal(unlink(board_of(host)), 0);
	host_start(host);
	wait_until(size_of(board_of(host)) >= started);
	monitor = host_monitor(host);
	assert_int_equal(kill(monitor, SIGKILL), 0);
	wait_until(all_have_said(host, 2, pids));
	monitor = host_monitor(host);
	assert_int_equal(kill(host->supervisor, SIGHUP), 0);
	wait_until(how_many_live(pids) <= left);
	(void)kill(monitor, SIGKILL); /* if it has not left yet */
	assert_int_equal(host_signal_and_wait(host, 0), 111);
	count_said(host, said, pids);
	for (number = 0; number < CROWD; number++)
		for (i = 0; i < SAID; i++)
			if (said[number][i] != 1) {
				host_print_log(host);
				fail_msg("killed at %u and %u: s%03u has said '%s' %u times",
				    started, left, number, said_of_each[i], said[number][i]);
			}
}

/* Most of 'stopping' was lost with a monitor that was killed then. */
static void
a_monitor_that_dies_takes_no_line_along_of_hundreds_that_change_at_once(void **state)
{
	static const struct {
		unsigned started, left;
	} moments[] = {{1, CROWD - 1}, {CROWD / 8, CROWD - 16}, {CROWD / 3, CROWD / 2},
	    {2 * CROWD / 3, CROWD / 4}, {CROWD - 1, CROWD / 8}};
	struct host *host = *state;
	size_t i;

	gather_crowd(host);
	for (i = 0; i < sizeof(moments) / sizeof(moments[0]); i++)
		start_and_stop_crowd(host, moments[i].started, moments[i].left);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROOT_TEST(our_own_log_rotates_at_its_size_and_keeps_as_many_as_was_said),
	    ROOT_TEST(reopen_ends_when_nothing_more_is_written_to_the_old_log),
	    ROOT_TEST(a_reopen_that_fails_says_why),
	    ROOT_TEST(our_own_log_grows_when_it_cannot_be_put_aside),
	    ROOT_TEST(our_own_log_is_opened_anew_when_asked_and_when_deleted),
	    ROOT_TEST(our_own_log_is_written_again_when_its_directory_is_another),
	    ROOT_TEST(a_rotation_that_cannot_be_meant_is_a_usage_error),
	    ROOT_TEST(our_own_log_waits_while_the_disk_is_full_and_loses_nothing),
	    ROOT_TEST(what_waits_for_room_in_our_own_log_survives_the_death_of_every_process),
	    ROOT_TEST(a_monitor_that_dies_takes_no_line_along_of_hundreds_that_change_at_once),
	};

	return cmocka_run_group_tests_name("own_log", tests, NULL, NULL);
}
