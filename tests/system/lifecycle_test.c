/*
 * What happens to a profile from its start to its end, and to the supervisor, from the outside.
 */
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "child.h"
#include "ctl.h"
#include "host.h"

/* A service that stays when it is told to go; `ready` says that it is deaf from now on. */
#define DEAF_SERVICE "trap '' TERM; : > ready; exec sleep 1000"

/* What a busy machine may add to what is measured: less than the second by which delays differ. */
#define TOLERANCE 900 /* milliseconds */

static void
state_path(const struct host *host, const char *name, char *path, size_t size)
{
	(void)snprintf(path, size, "%s/%s", host->state, name);
}

/* How long after the last line that matches `earlier` the last that matches `later` was written. */
static long long
between(struct host *host, const char *earlier, const char *later)
{
	long long from[16], to[16];
	unsigned from_count = host_log_times(host, from, 16, "%s", earlier);
	unsigned to_count = host_log_times(host, to, 16, "%s", later);

	assert_in_range(from_count, 1, 16);
	assert_in_range(to_count, 1, 16);
	return to[to_count - 1] - from[from_count - 1];
}

#define assert_takes(milliseconds, least) \
	assert_in_range((milliseconds) + 1000, (least) + 1000 - 5, (least) + 1000 + TOLERANCE)

static void
every_profile_without_down_is_started(void **state)
{
	struct host *host = *state;
	pid_t pid;

	host_profile(host, "web", "exec sleep 1000");
	host_profile(host, "later", "exec sleep 1000");
	host_write(host, "later/down", 0644, "%s", "");
	host_start(host);
	pid = host_wait_running(host, "web");
	assert_true(process_lives(pid));
	assert_int_equal(host_count_log(host, " later "), 0);
	host_stop_all(host);
	assert_false(process_lives(pid));
}

static void
a_service_with_restart_that_dies_is_started_again(void **state)
{
	struct host *host = *state;
	pid_t first, second;

	host_profile(host, "web", "exec sleep 1000");
	host_write(host, "web/restart", 0644, "%s", "");
	host_start(host);
	first = host_wait_running(host, "web");
	host_mark_log(host);
	assert_int_equal(kill(first, SIGKILL), 0);
	host_wait_log(host, " INFO  web died pid %d signal SIGKILL$", first);
	second = host_wait_running(host, "web");
	assert_int_not_equal(first, second);
	host_stop_all(host);
}

/* Each service comes to its end once, and stays when it is started a second time. */
static const struct policy {
	const char *name;
	const char *restart; /* NULL: no such file */
	const char *end;
	const char *logged;
	bool again;
} policies[] = {
    {"without-3", NULL, "exit 3", "exit 3", false},
    {"without-signal", NULL, "kill -KILL $$", "signal SIGKILL", false},
    {"empty-0", "", "exit 0", "exit 0", true},
    {"one-0", "1\n", "exit 0", "exit 0", true},
    {"always-0", "always\n", "exit 0", "exit 0", true},
    {"always-signal", "always", "kill -KILL $$", "signal SIGKILL", true},
    {"on-failure-0", "on-failure\n", "exit 0", "exit 0", false},
    {"on-failure-3", "on-failure\n", "exit 3", "exit 3", true},
    {"on-failure-signal", "on-failure\n", "kill -TERM $$", "signal SIGTERM", true},
};
#define POLICIES (sizeof(policies) / sizeof(policies[0]))

static void
restart_decides_whether_a_service_that_ended_is_started_again(void **state)
{
	const struct policy *policy;
	struct host *host = *state;
	char path[PATH_MAX];

	for (policy = policies; policy < policies + POLICIES; policy++) {
		host_profile(host, policy->name, "[ -e once ] && exec sleep 1000; : > once; %s",
		    policy->end);
		(void)snprintf(path, sizeof(path), "%s/restart", policy->name);
		if (policy->restart != NULL)
			host_write(host, path, 0644, "%s", policy->restart);
	}
	host_start(host);
	for (policy = policies; policy < policies + POLICIES; policy++) {
		host_wait_log(host, " INFO  %s died pid [0-9]+ %s$", policy->name, policy->logged);
		if (!policy->again) {
			host_wait_log(host, " INFO  %s stopped$", policy->name);
			continue;
		}
		/* one that ends at once may never have been seen running */
		wait_until(host_count_log(host, " INFO  %s starting$", policy->name) == 2);
		(void)host_wait_running(host, policy->name);
	}
	host_stop_all(host);
	for (policy = policies; policy < policies + POLICIES; policy++)
		assert_int_equal(host_count_log(host, " INFO  %s starting$", policy->name),
		    policy->again ? 2 : 1);
}

static void
a_service_that_dies_at_once_is_started_at_once_then_after_1_and_2_seconds(void **state)
{
	struct host *host = *state;
	long long starts[8], deaths[8];

	host_profile(host, "web", "exit 1");
	host_write(host, "web/restart", 0644, "%s", "");
	host_start(host);
	wait_until(host_count_log(host, " web died pid [0-9]+ exit 1$") >= 4);
	host_wait_log(host, " INFO  web starting again in 1\\.[01][0-9]{2} s$");
	host_wait_log(host, " INFO  web starting again in 2\\.[0-2][0-9]{2} s$");
	assert_in_range(host_log_times(host, starts, 8, " web starting$"), 4, 8);
	assert_in_range(host_log_times(host, deaths, 8, " web died "), 4, 8);
	assert_takes(starts[1] - deaths[0], 0);
	assert_takes(starts[2] - deaths[1], 1000);
	assert_takes(starts[3] - deaths[2], 2000);
	host_stop_all(host);
}

static void
ten_good_seconds_clear_the_count_of_failures_and_one_second_does_not(void **state)
{
	static const char script[] = "echo start >> starts\n"
				     "case $(wc -l < starts) in 1|2) exit 1;; 3) %s; exit "
				     "1;; *) exec sleep 1000; esac";
	struct host *host = *state;
	struct deadline deadline;
	struct outcome outcome;

	host_profile(host, "good", script, "until [ -e end ]; do sleep 0.05; done");
	host_profile(host, "short", script, "sleep 1.2");
	host_write(host, "good/restart", 0644, "%s", "");
	host_write(host, "short/restart", 0644, "%s", "");
	host_start(host);
	wait_until(host_count_log(host, " good starting$") == 3);
	(void)ctl(host, &outcome, "list", "--no-header", "-o", "failures", "good", NULL);
	assert_int_equal(strtol(outcome.output, NULL, 10), 2);
	deadline = deadline_in(2 * SOON);
	while (strtol(outcome.output, NULL, 10) != 0) {
		deadline_pause(&deadline, "no failures", __FILE__, __LINE__);
		(void)ctl(host, &outcome, "list", "--no-header", "-o", "failures", "good", NULL);
	}
	assert_int_equal(host_count_log(host, " good died "), 2); /* it is good already */
	host_write(host, "good/end", 0644, "%s", "");
	wait_until(host_count_log(host, " good starting$") == 4);
	assert_takes(between(host, " good died ", " good starting$"), 0);
	assert_takes(between(host, " short died ", " short starting$"), 1000);
	host_stop_all(host);
}

static void
stop_signal_is_what_a_service_is_stopped_with(void **state)
{
	static const char script[] =
	    "for signal in TERM USR1 USR2; do trap \"echo $signal > got; exit 0\" $signal; done\n"
	    ": > ready; sleep 1000 & wait";
	static const struct {
		const char *name, *stop_signal, *got;
	} services[] = {
	    {"default", NULL, "TERM\n"},
	    {"name", "USR1\n", "USR1\n"},
	    {"long-name", "SIGUSR2\n", "USR2\n"},
	    {"number", "10", "USR1\n"},
	};
	struct host *host = *state;
	char path[PATH_MAX], got[16];
	size_t i;

	for (i = 0; i < 4; i++) {
		host_profile(host, services[i].name, "%s", script);
		(void)snprintf(path, sizeof(path), "%s/stop_signal", services[i].name);
		if (services[i].stop_signal != NULL)
			host_write(host, path, 0644, "%s", services[i].stop_signal);
	}
	host_start(host);
	for (i = 0; i < 4; i++)
		host_wait_ready(host, services[i].name);
	host_stop_all(host);
	for (i = 0; i < 4; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s/got", host->profiles, services[i].name);
		wait_for_file(path, got, sizeof(got));
		assert_string_equal(got, services[i].got);
	}
}

static void
stop_timeout_after_the_stop_signal_comes_sigkill(void **state)
{
	struct host *host = *state;
	pid_t pid;

	host_profile(host, "deaf", DEAF_SERVICE);
	host_write(host, "deaf/stop_timeout", 0644, "1\n");
	host_start(host);
	pid = host_wait_running(host, "deaf");
	host_wait_ready(host, "deaf");
	host_stop_all(host);
	assert_false(process_lives(pid));
	assert_int_equal(host_count_log(host,
			     " WARN  deaf still there 1 s after the stop signal: sending SIGKILL$"),
	    1);
	assert_takes(between(host, " deaf stopping$", " deaf still there "), 1000);
	assert_takes(between(host, " deaf still there ", " deaf stopped$"), 0);
}

static void
a_service_that_had_to_be_killed_is_started_again_and_stays(void **state)
{
	struct host *host = *state;
	pid_t first, second;

	host_profile(host, "deaf", DEAF_SERVICE);
	host_write(host, "deaf/stop_timeout", 0644, "1\n");
	host_start(host);
	first = host_wait_running(host, "deaf");
	host_wait_ready(host, "deaf");
	host_mark_log(host);
	host_remove(host, "deaf/ready");
	host_touch(host, "deaf/run");
	host_wait_log(host, " deaf still there [0-9]+ s after the stop signal: sending SIGKILL$");
	second = host_wait_running(host, "deaf");
	assert_int_not_equal(first, second);
	host_wait_ready(host, "deaf"); /* it came far enough to be its own */
	host_settle(host);
	assert_true(process_lives(second));
	assert_int_equal(host_count_log(host, " deaf died "), 0);
	host_stop_all(host);
}

static void
what_a_service_leaves_behind_is_ended_with_it_unless_kill_mode_is_process(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX];
	pid_t left, kept, deaf;

	host_profile(host, "group", "sleep 1000 & echo $! > left; exec sleep 1000");
	host_profile(host, "deaf",
	    "(trap '' TERM; : > ready; exec sleep 1000) & echo $! > left\n"
	    "exec sleep 1000");
	host_write(host, "deaf/stop_timeout", 0644, "1\n");
	host_profile(host, "process", "sleep 1000 & echo $! > left; exec sleep 1000");
	host_write(host, "process/kill_mode", 0644, "process\n");
	host_start(host);
	left = wait_for_pid_file(host_path(host, "group/left", path, sizeof(path)));
	deaf = wait_for_pid_file(host_path(host, "deaf/left", path, sizeof(path)));
	kept = wait_for_pid_file(host_path(host, "process/left", path, sizeof(path)));
	host_wait_ready(host, "deaf");
	(void)host_wait_running(host, "group");
	(void)host_wait_running(host, "deaf");
	(void)host_wait_running(host, "process");
	host_stop_all(host);
	assert_false(process_lives(left));
	assert_false(process_lives(deaf));
	assert_true(process_lives(kept));
}

static void
suspend(pid_t pid)
{
	char value[64];

	assert_int_equal(kill(pid, SIGSTOP), 0);
	wait_until(process_status(pid, "State", value, sizeof(value))[0] == 'T');
}

/* A signal reaches who is suspended when it goes on, and none of these has a stop_timeout. */
static void
a_suspended_service_is_stopped_and_what_it_leaves_behind_is_ended(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX];

	host_profile(host, "term", "exec sleep 1000");
	host_profile(host, "int", "exec sleep 1000");
	host_write(host, "int/stop_signal", 0644, "INT\n");
	host_profile(host, "group", "sleep 1000 & echo $! > left; exec sleep 1000");
	host_start(host);
	suspend(host_wait_running(host, "term"));
	suspend(host_wait_running(host, "int"));
	suspend(wait_for_pid_file(host_path(host, "group/left", path, sizeof(path))));
	(void)host_wait_running(host, "group");
	host_mark_log(host);
	host_stop_all(host);
	assert_int_equal(host_count_log(host, " INFO  (term|int|group) stopped$"), 3);
	assert_int_equal(host_count_log(host, "SIGKILL"), 0);
	host_wait_deserted(host);
}

static unsigned long
switches_of(pid_t pid)
{
	char value[64];
	unsigned long waits;

	waits =
	    strtoul(process_status(pid, "voluntary_ctxt_switches", value, sizeof(value)), NULL, 10);
	return waits +
	    strtoul(
		process_status(pid, "nonvoluntary_ctxt_switches", value, sizeof(value)), NULL, 10);
}

/* Longer than from one ping to the next while something is under way. */
#define QUIET_FOR 6000 /* milliseconds */

static bool
nobody_runs_for_long(struct host *host)
{
	static const char *const names[] = {"parent", "monitor", "spawner"};
	const pid_t pids[] = {host->supervisor, host_monitor(host), host_spawner(host)};
	struct deadline deadline = deadline_in(QUIET_FOR);
	unsigned long before[3];
	size_t i;

	for (i = 0; i < 3; i++)
		before[i] = switches_of(pids[i]);
	do {
		deadline_breathe();
		for (i = 0; i < 3 && switches_of(pids[i]) == before[i]; i++)
			;
	} while (i == 3 && deadline_left(&deadline) > 0);
	if (i < 3)
		print_message("the %s has run after %lld ms\n", names[i],
		    QUIET_FOR - deadline_left(&deadline));
	return i == 3;
}

/* Whatever lives: a service, a daemon, what a service has left behind and is spared. */
static void
while_nothing_happens_nothing_wakes_up(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX];

	host_profile(host, "web", "exec sleep 1000");
	host_profile(host, "left", "sleep 1000 & echo $! > left; exit 0");
	host_write(host, "left/kill_mode", 0644, "process\n");
	host_profile(host, "daemon", "sleep 1000 & echo $! > daemon.pid");
	host_write(host, "daemon/pid_file", 0644, "daemon.pid\n");
	host_profile(host, "idle", "exec sleep 1000");
	host_write(host, "idle/down", 0644, "%s", "");
	host_start(host);
	(void)host_wait_running(host, "web");
	(void)host_wait_running(host, "daemon");
	host_wait_log(host, " left stopped$");
	assert_true(
	    process_lives(wait_for_pid_file(host_path(host, "left/left", path, sizeof(path)))));
	wait_until(nobody_runs_for_long(host)); /* or prints the log */
	host_stop_all(host);
}

#define HANGS_UNTIL 20000 /* milliseconds */

/* Nobody has work for it but who asks it, and the parent hears nothing of that from it. */
static void
a_monitor_that_hangs_while_nothing_happens_is_replaced_when_somebody_asks(void **state)
{
	struct host *host = *state;
	struct running_ctl status;
	pid_t monitor, web;

	host_profile(host, "web", "exec sleep 1000");
	host_start(host);
	web = host_wait_running(host, "web");
	monitor = host_monitor(host);
	wait_until(nobody_runs_for_long(host));
	assert_int_equal(kill(monitor, SIGSTOP), 0);
	ctl_begin(host, 0, &status, "status", "web", NULL);
	host_wait_log_within(host, HANGS_UNTIL,
	    " WARN  ProcLaunch monitor pid %d has not answered for 10 s.", monitor);
	assert_int_equal(ctl_wait_end(&status), 0);
	assert_int_equal(host_wait_running(host, "web"), web);
	host_stop_all(host);
}

static void
start_timeout_ends_a_daemon_that_is_not_proved_and_restart_starts_it_again(void **state)
{
	static const char late[] =
	    "pid_file has named no process of this profile within 1 s \\(start_timeout\\)$";
	struct host *host = *state;
	pid_t first;

	host_profile(host, "late", "echo $$ > ../first; exec sleep 1000");
	host_write(host, "late/pid_file", 0644, "never.pid\n");
	host_write(host, "late/start_timeout", 0644, "1\n");
	host_write(host, "late/restart", 0644, "%s", "");
	host_profile(host, "never", "exec sleep 1000");
	host_write(host, "never/pid_file", 0644, "never.pid\n");
	host_write(host, "never/start_timeout", 0644, "1\n");
	host_start(host);
	first = wait_for_pid_file(host_path(host, "first", (char[PATH_MAX]){""}, PATH_MAX));
	host_wait_log(host, " WARN  late %s", late);
	host_wait_log(host, " WARN  never %s", late);
	wait_until(host_count_log(host, " late starting$") >= 2);
	process_wait_gone(first);
	host_wait_log(host, " never stopped$");
	assert_takes(between(host, " never starting$", " never pid_file has "), 1000);
	assert_int_equal(host_count_log(host, " running pid "), 0);
	host_stop_all(host);
	assert_int_equal(host_count_log(host, " never starting$"), 1);
}

/* Without cgroups nobody knows whether there is a daemon at all. */
static void
a_daemon_that_never_names_itself_does_not_keep_its_profile_stopping(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	char path[PATH_MAX];

	host_profile(host, "late",
	    "setsid sh -c ': > ../left; exec sleep 1000' > /dev/null 2>&1 < /dev/null &");
	host_write(host, "late/pid_file", 0644, "never.pid\n");
	host_write(host, "late/stop_timeout", 0644, "1\n");
	host_start(host);
	wait_until(access(host_path(host, "left", path, sizeof(path)), F_OK) == 0);
	assert_int_equal(ctl(host, &outcome, "stop", "late", NULL), CTL_DONE);
	host_wait_log(host, " late stopped$");
	host_stop_all(host);
}

/* Without cgroups: `run` has left with success when it was told to stop, and who knows whether a
 * daemon of it is about to name itself? */
static void
explain_says_that_a_stop_waits_for_a_daemon_that_nobody_knows(void **state)
{
	struct host *host = *state;
	struct outcome outcome;

	host_profile(host, "web", "trap 'exit 0' TERM; while :; do : > ready; sleep 0.01; done");
	host_write(host, "web/pid_file", 0644, "never.pid\n");
	host_write(host, "web/stop_timeout", 0644, "1000\n");
	host_start(host);
	host_wait_ready(host, "web");
	assert_int_equal(ctl(host, &outcome, "stop", "--no-wait", "web", NULL), CTL_DONE);
	wait_until((ctl(host, &outcome, "explain", "web", NULL),
	    strstr(outcome.output, "waiting for what pid ") != NULL));
	assert_non_null(strstr(outcome.output, " may have left behind, then SIGKILL"));
	host_write(host, "web/stop_timeout", 0644, "1\n"); /* which has passed */
	host_wait_log(host, " web stopped$");
	host_stop_all(host);
}

static void
a_daemon_that_writes_its_pid_file_runs_and_its_end_is_noticed(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX];
	pid_t first, second;

	host_profile(host, "daemon",
	    "setsid sh -c 'echo $$ > daemon.pid; exec sleep 1000' > /dev/null 2>&1 &");
	host_write(host, "daemon/pid_file", 0644, "daemon.pid\n");
	host_write(host, "daemon/restart", 0644, "%s", "");
	host_start(host);
	first = host_wait_running(host, "daemon");
	assert_int_equal(
	    wait_for_pid_file(host_path(host, "daemon/daemon.pid", path, sizeof(path))), first);
	host_mark_log(host);
	assert_int_equal(kill(first, SIGKILL), 0);
	host_wait_log(host, " INFO  daemon died pid %d signal SIGKILL$", first);
	second = host_wait_running(host, "daemon");
	assert_int_not_equal(first, second);
	host_stop_all(host);
	process_wait_gone(second);
}

/* As Debian's nginx does it: the pid file is written before setsid(2) is called. */
static void
a_daemon_that_begins_its_session_late_does_not_leave_it_behind(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX];
	pid_t daemon, left;

	host_profile(host, "daemon",
	    "sh -c 'echo $$ > daemon.pid; until [ -e go ]; do sleep 0.01; done\n"
	    "exec setsid sh -c \"sleep 1000 & echo \\$! > left; exec sleep 1000\"' "
	    "> /dev/null 2>&1 &");
	host_write(host, "daemon/pid_file", 0644, "daemon.pid\n");
	host_start(host);
	daemon = host_wait_running(host, "daemon");
	host_write(host, "daemon/go", 0644, "%s", "");
	left = wait_for_pid_file(host_path(host, "daemon/left", path, sizeof(path)));
	assert_int_equal(getsid(left), daemon);
	assert_int_equal(kill(daemon, SIGKILL), 0);
	host_wait_log(host, " daemon stopped$");
	assert_false(process_lives(left));
	host_stop_all(host);
}

static void
sighup_stops_all_profiles_and_the_exit_status_is_111(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX];
	pid_t web, mail;

	host_profile(host, "web", "exec sleep 1000");
	host_profile(host, "mail", "exec sleep 1000");
	host_write(host, "mail/restart", 0644, "%s", "");
	host_start(host);
	web = host_wait_running(host, "web");
	mail = host_wait_running(host, "mail");
	host_mark_log(host);
	host_stop_all(host);
	assert_false(process_lives(web));
	assert_false(process_lives(mail));
	assert_int_equal(host_count_log(host, " INFO  web stopping$"), 1);
	assert_int_equal(host_count_log(host, " INFO  web stopped$"), 1);
	assert_int_equal(host_count_log(host, " INFO  mail stopped$"), 1);
	assert_int_equal(host_count_log(host, " starting$"), 0);
	assert_takes(between(host, " received HUP\\. Stopping all profiles\\.$",
			 " ProcLaunch all profiles stopped\\. Exiting\\.$"),
	    0);
	state_path(host, "proclaunch.pid", path, sizeof(path));
	assert_int_equal(access(path, F_OK), -1);
	host_wait_deserted(host);
	assert_false(host_has_cgroups(host)); /* nor are they left behind */
}

static void
a_second_sighup_leaves_at_once_with_111_whatever_still_runs(void **state)
{
	struct host *host = *state;
	pid_t pid;

	host_profile(host, "deaf", DEAF_SERVICE);
	host_start(host);
	pid = host_wait_running(host, "deaf");
	host_wait_ready(host, "deaf");
	assert_int_equal(kill(host->supervisor, SIGHUP), 0);
	host_wait_log(host, " INFO  deaf stopping$");
	assert_int_equal(host_signal_and_wait(host, SIGHUP), 111);
	assert_int_equal(
	    host_count_log(host, " INFO  ProcLaunch received HUP again\\. Exiting immediately\\.$"),
	    1);
	assert_int_equal(host_count_log(host, " deaf stopped$"), 0);
	assert_true(process_lives(pid));
}

static void
sigterm_leaves_services_up_and_the_next_start_adopts_them(void **state)
{
	struct host *host = *state;
	pid_t pid;

	host_profile(host, "web", "exec sleep 1000");
	host_start(host);
	pid = host_wait_running(host, "web");
	host_leave(host);
	assert_true(process_lives(pid));
	host_wait_log(host, " INFO  ProcLaunch exiting$");
	host_mark_log(host);
	host_start(host);
	assert_int_equal(host_wait_running(host, "web"), pid);
	assert_int_equal(host_count_log(host, " web starting"), 0);
	host_stop_all(host);
	process_wait_gone(pid);
}

static void
sigint_leaves_services_up_and_the_exit_status_is_0(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX];
	pid_t pid;

	host_profile(host, "web", "exec sleep 1000");
	host_start(host);
	pid = host_wait_running(host, "web");
	assert_int_equal(host_signal_and_wait(host, SIGINT), 0);
	assert_int_equal(host_count_log(host, " INFO  ProcLaunch exiting$"), 1);
	state_path(host, "proclaunch.pid", path, sizeof(path));
	assert_int_equal(access(path, F_OK), -1);
	assert_true(process_lives(pid));
	wait_until(host_processes(host) == 1); /* who asks the name services dies with the parent */
}

struct container {
	const struct host *host;
	int first[2]; /* whose pid, out here, comes through this pipe */
};

/* As `docker run proclaunch --log-path=- STATE_DIR PROFILES_DIR` does it: what ends with the first
 * process is the container, and what is left in it the kernel kills. */
static void
run_container(void *context)
{
	const struct container *container = context;
	const struct host *host = container->host;
	char program[PATH_MAX];
	pid_t first;
	int status;

	first = child_fork_first();
	if (first == 0) {
		REQUIRE(dup2(open(host->log, O_WRONLY | O_CREAT | O_APPEND, 0640), STDERR_FILENO) ==
		    STDERR_FILENO);
		(void)execl(host_program("proclaunch", program, sizeof(program)), "proclaunch",
		    "--log-path=-", host->state, host->profiles, (char *)NULL);
		REQUIRE(!"executed");
	}
	REQUIRE(write(container->first[1], &first, sizeof(first)) == sizeof(first));
	REQUIRE(waitpid(first, &status, 0) == first);
	REQUIRE(WIFEXITED(status) && WEXITSTATUS(status) == 111);
}

static void
the_first_process_of_a_container_stays_and_stops_all_before_it_leaves(void **state)
{
	struct host *host = *state;
	struct container container = {.host = host};
	char path[PATH_MAX];
	pid_t first, waits;

	host_profile(
	    host, "web", "trap ': > termed; exit' TERM; : > ready; while :; do sleep 0.1; done");
	assert_int_equal(pipe2(container.first, O_CLOEXEC), 0);
	waits = child_begin(run_container, &container);
	assert_int_equal(read(container.first[0], &first, sizeof(first)), sizeof(first));
	assert_int_equal(close(container.first[0]) | close(container.first[1]), 0);
	host_wait_log(host, " INFO  web running pid ");
	wait_until(access(host_path(host, "web/ready", path, sizeof(path)), F_OK) == 0);
	assert_int_equal(kill(first, SIGTERM), 0);
	child_end(waits);
	assert_int_equal(access(host_path(host, "web/termed", path, sizeof(path)), F_OK), 0);
	host_wait_log(host, " INFO  ProcLaunch all profiles stopped. Exiting.$");
}

/* What is sent to the monitor fills its queue, so that the ping which follows finds no room. */
static void
a_monitor_that_a_ping_could_not_reach_is_not_taken_for_dead(void **state)
{
	struct host *host = *state;
	struct deadline eleven_seconds;
	char path[128];
	pid_t monitor;
	int i;

	host_start(host);
	monitor = host_monitor(host);
	host_mark_log(host); /* that there are no cgroups may have been said */
	assert_int_equal(kill(monitor, SIGSTOP), 0);
	for (i = 0; i < 200; i++) {
		(void)snprintf(path, sizeof(path), "profile-%d/restart", i);
		host_write(host, path, 0644, "%s", "");
	}
	eleven_seconds = deadline_in(11000);
	while (deadline_left(&eleven_seconds) > 8000)
		(void)poll(NULL, 0, 10); /* until the ping is overdue, and no longer */
	assert_int_equal(kill(monitor, SIGCONT), 0);
	wait_until(host_count_log(host, " WARN  profile-[0-9]+ refused: run: is missing") == 200);
	while (deadline_left(&eleven_seconds) > 0)
		(void)poll(NULL, 0, 10);
	assert_int_equal(host_count_log(host, " WARN  ProcLaunch "), 0);
	assert_int_equal(host_monitor(host), monitor);
	host_stop_all(host);
}

static void
a_second_start_on_one_state_directory_exits_0_and_says_nothing(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	pid_t web, monitor;
	unsigned processes;

	host_profile(host, "web", "exec sleep 1000");
	host_start(host);
	web = host_wait_running(host, "web");
	monitor = host_monitor(host);
	host_wait_nobody_asks(host);
	processes = host_processes(host);
	host_mark_log(host);
	host_run(host, &outcome, host->state, host->profiles, NULL);
	assert_int_equal(outcome.status, 0);
	assert_string_equal(outcome.output, "");
	assert_string_equal(outcome.error, "");
	host_run(host, &outcome, "--foreground", host->state, host->profiles, NULL);
	assert_int_equal(outcome.status, 0);
	assert_string_equal(outcome.output, "");
	assert_string_equal(outcome.error, "");
	/* what else it was told does not count, whether it is there or not */
	host_run(host, &outcome, "--output-dir=/missing", host->state, "/missing", NULL);
	assert_int_equal(outcome.status, 0);
	assert_string_equal(outcome.output, "");
	assert_string_equal(outcome.error, "");
	assert_int_equal(host_count_log(host, "."), 0);
	assert_int_equal(host_monitor(host), monitor);
	assert_int_equal(host_processes(host), processes);
	assert_true(process_lives(web));
	host_stop_all(host);
}

/* Somebody who has been killed, and keeps the lock until some milliseconds after the next start has
 * come to it. Says with a byte that it has it. */
static _Noreturn void
keep_lock_and_die(const struct host *host, int ready)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char path[PATH_MAX], event[sizeof(struct inotify_event) + NAME_MAX + 1];
	int file, watch = inotify_init1(IN_CLOEXEC);

	(void)snprintf(path, sizeof(path), "%s/lock", host->state);
	file = open(path, O_RDWR | O_CLOEXEC);
	if (file == -1 || fcntl(file, F_SETLK, &lock) == -1 ||
	    inotify_add_watch(watch, path, IN_OPEN) == -1 || write(ready, "", 1) != 1 ||
	    read(watch, event, sizeof(event)) <= 0)
		_exit(1);
	(void)poll(NULL, 0, 20);
	_exit(0);
}

/* kill -9 returns before the process has ended: who starts it anew at once would be told, by status
 * 0, that all is up. */
static void
who_is_just_dying_does_not_keep_the_next_one_from_starting(void **state)
{
	struct host *host = *state;
	int ready[2], status;
	pid_t dying, web;
	char byte;

	host_profile(host, "web", "exec sleep 1000");
	host_start(host);
	web = host_wait_running(host, "web");
	host_crash(host);
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	dying = fork();
	assert_true(dying >= 0);
	if (dying == 0)
		keep_lock_and_die(host, ready[1]);
	(void)close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	(void)close(ready[0]);
	host_start(host);
	assert_int_equal(waitpid(dying, &status, 0), dying);
	assert_int_equal(status, 0);
	assert_int_equal(host_wait_running(host, "web"), web);
	host_stop_all(host);
}

/* Somebody takes the lock for a stale one: two supervisors would end each other's services. Nor is
 * there a second one after an upgrade, which opens everything anew. */
static void
assert_second_start_refused(const struct host *host, const char *option)
{
	struct outcome outcome;

	host_run(host, &outcome, option, host->state, host->profiles, NULL);
	assert_int_equal(outcome.status, 1);
	assert_string_equal(outcome.error,
	    "proclaunch: state directory: another proclaunch runs on it, though its lock was"
	    " removed: end that one first\n");
}

static void
where_the_lock_was_removed_a_second_start_is_refused(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX];
	pid_t web;

	host_profile(host, "web", "exec sleep 1000");
	host_start(host);
	web = host_wait_running(host, "web");
	(void)snprintf(path, sizeof(path), "%s/lock", host->state);
	assert_int_equal(unlink(path), 0);
	assert_second_start_refused(host, "--debug");
	assert_second_start_refused(host, "--foreground");
	assert_int_equal(kill(host->supervisor, SIGUSR2), 0);
	host_wait_log(host, " INFO  ProcLaunch upgraded from ");
	assert_second_start_refused(host, "--foreground");
	assert_true(process_lives(web));
	host_stop_all(host);
}

static void
remove_all_state(struct host *host)
{
	static const char *const names[] = {"control", "disabled", "empty", "enabled", "fifo",
	    "ledger", "lines", "lock", "output", "proclaunch.pid"};
	char name[32], path[PATH_MAX];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(name, sizeof(name), "../state/%s", names[i]);
		if (access(host_path(host, name, path, sizeof(path)), F_OK) == 0)
			host_remove(host, name);
	}
}

/* Nothing is left that could be locked, but for the directory itself. */
static void
where_all_of_the_state_was_removed_a_second_start_is_refused(void **state)
{
	struct host *host = *state;
	pid_t web;

	host_profile(host, "web", "exec sleep 1000");
	host_start(host);
	web = host_wait_running(host, "web");
	remove_all_state(host);
	assert_second_start_refused(host, "--foreground");
	assert_true(process_lives(web));
	/* the next parent starts it anew, from an empty ledger */
	assert_int_equal(kill(host->supervisor, SIGUSR2), 0);
	host_wait_log(host, " INFO  ProcLaunch upgraded from ");
	remove_all_state(host);
	assert_second_start_refused(host, "--foreground");
	host_stop_all(host);
}

/* Takes every lock that somebody who may only read can take on what they can open, and says so with
 * a byte. Never returns. */
static void
hold_locks_as(uid_t uid, const struct host *host, int ready)
{
	struct flock read_lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
	static const char *const names[] = {"proclaunch.pid", "lock", "ledger", "control", "."};
	char path[PATH_MAX];
	unsigned char taken = 0;
	int file;
	size_t i;

	if (setuid(uid) == -1)
		_exit(1);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", host->state, names[i]);
		file = open(path, O_RDONLY | O_NONBLOCK);
		if (file == -1)
			continue;
		taken = (unsigned char)(taken + (flock(file, LOCK_EX | LOCK_NB) == 0));
		taken = (unsigned char)(taken + (fcntl(file, F_SETLK, &read_lock) == 0));
	}
	file = open(host->profiles, O_RDONLY | O_DIRECTORY);
	taken = (unsigned char)(taken + (flock(file, LOCK_EX | LOCK_NB) == 0));
	if (write(ready, &taken, 1) != 1)
		_exit(1);
	for (;;)
		(void)pause();
}

static void
somebody_who_can_only_read_cannot_keep_us_from_starting(void **state)
{
	const struct passwd *reader = getpwnam(OTHER_TENANT);
	struct host *host = *state;
	unsigned char taken = 0;
	int ready[2];
	pid_t holder;

	assert_non_null(reader);
	host_profile(host, "web", "exec sleep 1000");
	host_start(host);
	(void)host_wait_running(host, "web");
	host_crash(host); /* what it has made stays where it is */
	assert_int_equal(chmod(host->state, 0755), 0);
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	holder = fork();
	assert_true(holder >= 0);
	if (holder == 0)
		hold_locks_as(reader->pw_uid, host, ready[1]);
	(void)close(ready[1]);
	assert_int_equal(read(ready[0], &taken, 1), 1);
	(void)close(ready[0]);
	host_mark_log(host);
	host_start(host);
	(void)host_wait_running(host, "web");
	host_stop_all(host);
	assert_int_equal(kill(holder, SIGKILL), 0);
	assert_int_equal(waitpid(holder, NULL, 0), holder);
	/* the pid file and the state directory both ways, the profiles directory one way */
	assert_int_equal(taken, 5);
}

static void
in_the_background_0_means_up_and_nobody_holds_the_terminal(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	char path[PATH_MAX], target[PATH_MAX];
	pid_t supervisor;
	ssize_t length;
	int i;

	host_profile(host, "web", "exec sleep 1000");
	/* returns only when nobody holds the pipes open that were its output and its error */
	host_run(host, &outcome, host->state, host->profiles, NULL);
	assert_int_equal(outcome.status, 0);
	assert_string_equal(outcome.output, "");
	assert_string_equal(outcome.error, "");
	state_path(host, "proclaunch.pid", path, sizeof(path));
	assert_int_equal(access(path, F_OK), 0);
	supervisor = wait_for_pid_file(path);
	assert_true(process_lives(supervisor));
	assert_int_equal(host_count_log(host, " ProcLaunch started pid %d$", supervisor), 1);
	assert_int_equal(host_count_log(host, " web starting$"), 1);
	assert_int_equal(getsid(supervisor), supervisor);
	for (i = 0; i < 3; i++) {
		(void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", supervisor, i);
		length = readlink(path, target, sizeof(target) - 1);
		assert_true(length > 0);
		target[length] = '\0';
		assert_string_equal(target, "/dev/null");
	}
	assert_int_equal(kill(supervisor, SIGHUP), 0);
	process_wait_gone(supervisor);
	assert_int_equal(
	    host_count_log(host, " ProcLaunch all profiles stopped\\. Exiting\\.$"), 1);
}

static void
in_the_background_1_means_not_up_and_the_reason_is_on_standard_error(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	char option[PATH_MAX];

	host_profile(host, "web", "exec sleep 1000");
	(void)snprintf(option, sizeof(option), "--log-path=%s/missing/log", host->root);
	host_run(host, &outcome, option, host->state, host->profiles, NULL);
	assert_int_equal(outcome.status, 1);
	assert_string_equal(outcome.output, "");
	assert_non_null(strstr(outcome.error, "missing: No such file or directory"));
	host_wait_deserted(host);
	host_run(host, &outcome, host->state, host->log, NULL); /* no directory */
	assert_int_equal(outcome.status, 1);
	assert_non_null(strstr(outcome.error, "profiles directory: "));
	host_wait_deserted(host);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROOT_TEST(every_profile_without_down_is_started),
	    TENANT_TEST(every_profile_without_down_is_started),
	    ROOT_TEST(a_service_with_restart_that_dies_is_started_again),
	    TENANT_TEST(a_service_with_restart_that_dies_is_started_again),
	    ROOT_TEST(restart_decides_whether_a_service_that_ended_is_started_again),
	    TENANT_TEST(restart_decides_whether_a_service_that_ended_is_started_again),
	    ROOT_TEST(a_service_that_dies_at_once_is_started_at_once_then_after_1_and_2_seconds),
	    ROOT_TEST(ten_good_seconds_clear_the_count_of_failures_and_one_second_does_not),
	    ROOT_TEST(stop_signal_is_what_a_service_is_stopped_with),
	    TENANT_TEST(stop_signal_is_what_a_service_is_stopped_with),
	    ROOT_TEST(stop_timeout_after_the_stop_signal_comes_sigkill),
	    TENANT_TEST(stop_timeout_after_the_stop_signal_comes_sigkill),
	    ROOT_TEST(a_service_that_had_to_be_killed_is_started_again_and_stays),
	    TENANT_TEST(a_service_that_had_to_be_killed_is_started_again_and_stays),
	    ROOT_TEST(what_a_service_leaves_behind_is_ended_with_it_unless_kill_mode_is_process),
	    TENANT_TEST(what_a_service_leaves_behind_is_ended_with_it_unless_kill_mode_is_process),
	    ROOT_TEST(a_suspended_service_is_stopped_and_what_it_leaves_behind_is_ended),
	    SESSIONS_TEST(a_suspended_service_is_stopped_and_what_it_leaves_behind_is_ended),
	    ROOT_TEST(while_nothing_happens_nothing_wakes_up),
	    ROOT_TEST(a_monitor_that_hangs_while_nothing_happens_is_replaced_when_somebody_asks),
	    SESSIONS_TEST(while_nothing_happens_nothing_wakes_up),
	    ROOT_TEST(start_timeout_ends_a_daemon_that_is_not_proved_and_restart_starts_it_again),
	    TENANT_TEST(start_timeout_ends_a_daemon_that_is_not_proved_and_restart_starts_it_again),
	    ROOT_TEST(a_daemon_that_never_names_itself_does_not_keep_its_profile_stopping),
	    SESSIONS_TEST(a_daemon_that_never_names_itself_does_not_keep_its_profile_stopping),
	    SESSIONS_TEST(explain_says_that_a_stop_waits_for_a_daemon_that_nobody_knows),
	    ROOT_TEST(a_daemon_that_writes_its_pid_file_runs_and_its_end_is_noticed),
	    TENANT_TEST(a_daemon_that_writes_its_pid_file_runs_and_its_end_is_noticed),
	    ROOT_TEST(a_daemon_that_begins_its_session_late_does_not_leave_it_behind),
	    TENANT_TEST(a_daemon_that_begins_its_session_late_does_not_leave_it_behind),
	    ROOT_TEST(sighup_stops_all_profiles_and_the_exit_status_is_111),
	    TENANT_TEST(sighup_stops_all_profiles_and_the_exit_status_is_111),
	    ROOT_TEST(a_second_sighup_leaves_at_once_with_111_whatever_still_runs),
	    TENANT_TEST(a_second_sighup_leaves_at_once_with_111_whatever_still_runs),
	    ROOT_TEST(sigterm_leaves_services_up_and_the_next_start_adopts_them),
	    TENANT_TEST(sigterm_leaves_services_up_and_the_next_start_adopts_them),
	    ROOT_TEST(sigint_leaves_services_up_and_the_exit_status_is_0),
	    TENANT_TEST(sigint_leaves_services_up_and_the_exit_status_is_0),
	    ROOT_TEST(the_first_process_of_a_container_stays_and_stops_all_before_it_leaves),
	    ROOT_TEST(a_monitor_that_a_ping_could_not_reach_is_not_taken_for_dead),
	    ROOT_TEST(a_second_start_on_one_state_directory_exits_0_and_says_nothing),
	    TENANT_TEST(a_second_start_on_one_state_directory_exits_0_and_says_nothing),
	    ROOT_TEST(who_is_just_dying_does_not_keep_the_next_one_from_starting),
	    ROOT_TEST(where_the_lock_was_removed_a_second_start_is_refused),
	    ROOT_TEST(where_all_of_the_state_was_removed_a_second_start_is_refused),
	    ROOT_TEST(somebody_who_can_only_read_cannot_keep_us_from_starting),
	    TENANT_TEST(somebody_who_can_only_read_cannot_keep_us_from_starting),
	    ROOT_TEST(in_the_background_0_means_up_and_nobody_holds_the_terminal),
	    TENANT_TEST(in_the_background_0_means_up_and_nobody_holds_the_terminal),
	    ROOT_TEST(in_the_background_1_means_not_up_and_the_reason_is_on_standard_error),
	    TENANT_TEST(in_the_background_1_means_not_up_and_the_reason_is_on_standard_error),
	};

	return cmocka_run_group_tests_name("lifecycle", tests, NULL, NULL);
}
