/*
 * What the supervisor does when profiles come, change and go while it runs: proclaunch(8), CHANGES.
 */
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "ctl.h"
#include "host.h"
#include "printed.h"

/* The design wants 100 ms; what is over it is for a machine that has other things to do. One that
 * has had no time at all gets another look. */
#define NOTICED 500 /* milliseconds */
#define LOOKS	5

/* Notes each of these signals and goes on. */
#define LISTENING_SERVICE                                                              \
	"for signal in HUP USR1 USR2; do trap \"echo $signal >> got\" $signal; done\n" \
	"trap 'echo TERM >> got; exit 0' TERM\n"                                       \
	"sleep 1000 & : > ready; while :; do wait; done"

static long long
wall_ms(void)
{
	struct timespec now;

	assert_int_equal(clock_gettime(CLOCK_REALTIME, &now), 0);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static void
move(struct host *host, const char *from, const char *to)
{
	char source[PATH_MAX], target[PATH_MAX];

	host_path(host, from, source, sizeof(source));
	host_path(host, to, target, sizeof(target));
	assert_int_equal(rename(source, target), 0);
}

static void
wait_for_content(struct host *host, const char *path, const char *expected)
{
	char full[PATH_MAX], text[256];

	host_path(host, path, full, sizeof(full));
	wait_until((wait_for_file(full, text, sizeof(text)), strcmp(text, expected) == 0));
}

/* Was the one line of the log that says it written in time? */
static bool
noticed_in_time(struct host *host, long long since, const char *pattern)
{
	long long noticed;

	assert_int_equal(host_log_times(host, &noticed, 1, "%s", pattern), 1);
	assert_true(noticed >= since);
	return noticed - since <= NOTICED;
}

static void
wait_forgotten(struct host *host, const char *name)
{
	char path[PATH_MAX];

	host_wait_log(host, " INFO  %s disappeared\\. Stopping and not restarting\\.$", name);
	host_wait_log(host, " INFO  %s stopped$", name);
	if (!host_has_cgroups(host))
		return;
	host_cgroup(host, name, path, sizeof(path));
	wait_until(access(path, F_OK) == -1);
}

static void
a_new_profile_is_noticed_and_started_at_once(void **state)
{
	struct host *host = *state;
	unsigned looks = 0;
	long long moved;

	host_start(host);
	host_profile(host, ".web", "exec sleep 1000"); /* no profile, as long as it has a dot */
	host_settle(host);
	assert_int_equal(host_count_log(host, "web"), 0);
	for (;;) {
		host_mark_log(host);
		moved = wall_ms();
		move(host, ".web", "web");
		(void)host_wait_running(host, "web");
		if (noticed_in_time(host, moved, " INFO  web starting$"))
			break;
		assert_in_range(++looks, 1, LOOKS - 1);
		move(host, "web", ".web");
		wait_forgotten(host, "web");
	}
	host_stop_all(host);
}

static void
a_profile_that_is_made_file_by_file_is_started_once_it_is_whole(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX];

	host_start(host);
	host_path(host, "web", path, sizeof(path));
	assert_int_equal(mkdir(path, 0755), 0);
	if (host->uid != 0)
		assert_int_equal(chown(path, host->uid, (gid_t)-1), 0);
	host_wait_log(host, " WARN  web refused: run: is missing");
	host_write(host, "web/run", 0644, "#!/bin/sh\nexec sleep 1000\n");
	host_wait_log(host, " WARN  web refused: run: is not executable");
	assert_int_equal(host_count_log(host, " web starting$"), 0);
	host_path(host, "web/run", path, sizeof(path));
	assert_int_equal(chmod(path, 0755), 0);
	(void)host_wait_running(host, "web");
	assert_int_equal(host_count_log(host, " INFO  web accepted$"), 1);
	assert_int_equal(host_count_log(host, " web refused"), 2);
	assert_int_equal(host_count_log(host, " web starting$"), 1);
	host_stop_all(host);
}

/* The next process of the profile, started because its files have changed. */
static pid_t
wait_restarted(struct host *host, const char *name, pid_t old)
{
	pid_t new;

	host_wait_log(host, " INFO  %s changed\\. Restarting\\.$", name);
	host_wait_log(host, " INFO  %s stopping$", name);
	host_wait_log(host, " INFO  %s stopped$", name);
	new = host_wait_running(host, name);
	assert_int_not_equal(new, old);
	assert_false(process_lives(old));
	return new;
}

static void
a_change_of_run_or_pid_file_restarts_the_service(void **state)
{
	struct host *host = *state;
	char command[256];
	long long touched;
	unsigned looks = 0;
	pid_t web, daemon;

	host_profile(host, "web", "exec sleep 1000");
	host_profile(host, "daemon", "echo $$ > a.pid; echo $$ > b.pid; exec sleep 1000");
	host_write(host, "daemon/pid_file", 0644, "a.pid\n");
	host_start(host);
	web = host_wait_running(host, "web");
	daemon = host_wait_running(host, "daemon");

	do {
		assert_in_range(++looks, 1, LOOKS);
		host_mark_log(host);
		touched = wall_ms();
		host_touch(host, "web/run");
		web = wait_restarted(host, "web", web);
	} while (!noticed_in_time(host, touched, " web changed\\."));

	host_mark_log(host);
	host_replace(host, "web/run", 0755, "#!/bin/sh\nexec sleep 1001\n");
	web = wait_restarted(host, "web", web);
	/* what runs now is the new file: sh until it has become sleep */
	wait_until(read_proc(web, "cmdline", command, sizeof(command)) > 6 &&
	    strcmp(command, "sleep") == 0 && strcmp(command + 6, "1001") == 0);

	host_mark_log(host);
	host_replace(host, "daemon/pid_file", 0644, "b.pid\n");
	(void)wait_restarted(host, "daemon", daemon);
	assert_int_equal(host_count_log(host, " web "), 0);
	host_stop_all(host);
}

static void
the_coming_and_going_of_user_restarts_the_service_as_somebody_else(void **state)
{
	struct host *host = *state;
	pid_t pid;

	host_profile(host, "web", "exec sleep 1000");
	host_start(host);
	pid = host_wait_running(host, "web");
	assert_int_equal(process_uid(pid), 0);
	host_mark_log(host);
	host_write(host, "web/user", 0644, "%s\n", TENANT);
	pid = wait_restarted(host, "web", pid);
	assert_int_equal(process_uid(pid), account_uid(TENANT));
	host_mark_log(host);
	host_replace(host, "web/user", 0644, OTHER_TENANT "\n");
	pid = wait_restarted(host, "web", pid);
	assert_int_equal(process_uid(pid), account_uid(OTHER_TENANT));
	host_mark_log(host);
	host_remove(host, "web/user");
	pid = wait_restarted(host, "web", pid);
	assert_int_equal(process_uid(pid), 0);
	host_stop_all(host);
}

static void
the_coming_and_going_of_allow_new_privs_restarts_the_service(void **state)
{
	struct host *host = *state;
	char value[32];
	pid_t pid;

	host_profile(host, "web", "exec sleep 1000");
	host_write(host, "web/user", 0644, "%s\n", TENANT);
	host_start(host);
	pid = host_wait_running(host, "web");
	assert_string_equal(process_status(pid, "NoNewPrivs", value, sizeof(value)), "1");
	host_mark_log(host);
	host_write(host, "web/allow_new_privs", 0644, "%s", "");
	pid = wait_restarted(host, "web", pid);
	assert_string_equal(process_status(pid, "NoNewPrivs", value, sizeof(value)), "0");
	host_mark_log(host);
	host_remove(host, "web/allow_new_privs");
	pid = wait_restarted(host, "web", pid);
	assert_string_equal(process_status(pid, "NoNewPrivs", value, sizeof(value)), "1");
	host_stop_all(host);
}

/* It runs as its owner and nobody else, though no file has changed. */
static void
a_profile_that_is_given_away_runs_as_its_new_owner_at_once(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX];
	pid_t pid, left;

	host_profile(host, "web", "sleep 1000 & echo $! > left; exec sleep 1000");
	host_write(host, "web/reload", 0644, "%s", "");
	host_start(host);
	pid = host_wait_running(host, "web");
	left = wait_for_pid_file(host_path(host, "web/left", path, sizeof(path)));
	assert_int_equal(process_uid(pid), 0);
	host_mark_log(host);
	host_chown(host, "web", TENANT);
	pid = wait_restarted(host, "web", pid);
	assert_int_equal(process_uid(pid), account_uid(TENANT));
	assert_false(process_lives(left)); /* what it had left behind is looked for as who it was */
	host_stop_all(host);
}

static const char *
control_as(
    struct host *host, const char *account, const char *verb, const char *next, const char *last)
{
	static struct outcome outcome;

	return ctl_as(host, account_uid(account), &outcome, verb, next, last, NULL) == CTL_DONE
	    ? "done"
	    : outcome.error;
}

/* With a reload file it may run on as another than `user` says; that one has no hand in it. */
static void
what_runs_as_another_than_user_says_now_is_roots_to_control(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	pid_t pid;

	host_profile(host, "web", "trap : HUP; true > ready; while :; do sleep 0.05; done");
	host_write(host, "web/reload", 0644, "%s", "");
	host_start(host);
	pid = host_wait_running(host, "web");
	host_wait_ready(host, "web");
	host_write(host, "web/user", 0644, "%s\n", TENANT);
	host_wait_log(host, " INFO  web reloading$");
	host_settle(host);
	assert_true(process_lives(pid));
	assert_int_equal(process_uid(pid), 0);
	assert_string_equal(control_as(host, TENANT, "signal", "KILL", "web"),
	    "proclaunchctl: web: no such profile\n");
	assert_string_equal(
	    control_as(host, TENANT, "stop", "web", NULL), "proclaunchctl: web: no such profile\n");
	assert_true(process_lives(pid));
	host_mark_log(host);
	assert_int_equal(ctl(host, &outcome, "restart", "web", NULL), CTL_DONE);
	pid = host_wait_running(host, "web");
	assert_int_equal(process_uid(pid), account_uid(TENANT));
	assert_string_equal(control_as(host, TENANT, "stop", "web", NULL), "done");
	host_stop_all(host);
}

static void
with_a_reload_file_a_change_sends_its_signal_instead(void **state)
{
	struct host *host = *state;
	pid_t empty, named;

	host_profile(host, "empty", LISTENING_SERVICE);
	host_write(host, "empty/reload", 0644, "%s", "");
	host_profile(host, "named", LISTENING_SERVICE);
	host_write(host, "named/reload", 0644, "SIGUSR1\n");
	host_start(host);
	empty = host_wait_running(host, "empty");
	named = host_wait_running(host, "named");
	host_wait_ready(host, "empty");
	host_wait_ready(host, "named");
	host_mark_log(host);
	host_touch(host, "empty/run");
	host_touch(host, "named/run");
	wait_for_content(host, "empty/got", "HUP\n");
	wait_for_content(host, "named/got", "USR1\n");
	host_write(host, "named/pid_file", 0644, "named.pid\n");
	wait_for_content(host, "named/got", "USR1\nUSR1\n");
	/* the log is told when the parent has done it: the service may be faster */
	wait_until(host_count_log(host, " INFO  named reloading$") == 2);
	assert_int_equal(host_count_log(host, " INFO  empty reloading$"), 1);
	assert_int_equal(host_count_log(host, "stopping|starting|changed"), 0);
	assert_true(process_lives(empty));
	assert_true(process_lives(named));
	host_stop_all(host);
	wait_for_content(host, "empty/got", "HUP\nTERM\n");
}

/* Edits as fast as they can be made; one that took too long to be one burst is no test. */
static bool
edit_in_a_burst(struct host *host)
{
	long long began = wall_ms();
	int i;

	for (i = 0; i < 10; i++) {
		host_touch(host, "web/run");
		host_replace(host, "web/run", 0755, "#!/bin/sh\nexec sleep 1000\n");
	}
	return wall_ms() - began < 15;
}

/* Makes the burst until one was fast enough. */
static void
assert_burst_restarts_once(struct host *host, bool (*make_burst)(struct host *host))
{
	bool burst = false;
	int attempt;
	pid_t pid;

	host_profile(host, "web", "exec sleep 1000");
	host_start(host);
	pid = host_wait_running(host, "web");
	for (attempt = 0; attempt < 20 && !burst; attempt++) {
		host_mark_log(host);
		burst = make_burst(host);
		pid = wait_restarted(host, "web", pid);
		host_settle(host);
		pid = host_wait_running(host, "web");
	}
	if (!burst)
		skip(); /* this machine has no time for so many changes at once */
	assert_int_equal(host_count_log(host, " web changed\\. Restarting\\.$"), 1);
	assert_int_equal(host_count_log(host, " web starting$"), 1);
	host_stop_all(host);
}

static void
a_burst_of_edits_restarts_the_service_once(void **state)
{
	assert_burst_restarts_once(*state, edit_in_a_burst);
}

/* Two directories that change places, an odd number of times, slowly enough for each to be seen. */
static bool
exchange_in_a_burst(struct host *host)
{
	const struct timespec pause = {.tv_nsec = 1500000};
	char first[PATH_MAX], second[PATH_MAX];
	long long began = wall_ms();
	int i;

	host_path(host, "web", first, sizeof(first));
	host_path(host, ".other", second, sizeof(second));
	for (i = 0; i < 5; i++) {
		assert_int_equal(renameat2(AT_FDCWD, first, AT_FDCWD, second, RENAME_EXCHANGE), 0);
		(void)nanosleep(&pause, NULL);
	}
	return wall_ms() - began < 15;
}

static void
a_burst_of_directories_that_change_places_restarts_the_service_once(void **state)
{
	struct host *host = *state;

	host_profile(host, ".other", "exec sleep 1000");
	assert_burst_restarts_once(host, exchange_in_a_burst);
}

/* The parent caps what an owned monitor could ask for; who edits in a loop is no such attacker. */
static void
a_service_is_restarted_for_each_of_many_edits_in_a_row(void **state)
{
	struct host *host = *state;
	pid_t pid = 0, last;
	unsigned i;

	host_profile(host, "web", "exec sleep 1000");
	host_start(host);
	pid = host_wait_running(host, "web");
	for (i = 0; i < 40; i++) {
		last = pid;
		host_mark_log(host);
		host_touch(host, "web/run");
		pid = host_wait_running(host, "web");
		assert_int_not_equal(pid, last);
	}
	assert_int_equal(host_count_log(host, " cannot start"), 0);
}

/* Says by which signal it was stopped. */
#define TELLTALE                                                     \
	"for signal in USR1 USR2; do\n"                              \
	"trap \"echo $signal > stopped_by; exit 0\" $signal; done\n" \
	": > ready; while :; do sleep 1000 & wait; done"

/* Without a pause between the edit and the command, nor between the making and the wait. */
static void
edit_and_command(struct host *host, const char *owner)
{
	static const char *const signals[] = {"USR1\n", "USR2\n"};
	char path[PATH_MAX], text[64], name[32];
	struct outcome outcome;
	unsigned i;

	host_profile(host, "web", TELLTALE);
	if (owner != NULL)
		host_chown(host, "web", owner);
	host_start(host);
	for (i = 0; i < 6; i++) {
		host_wait_ready(host, "web");
		host_write(host, "web/stop_signal", 0644, "%s", signals[i % 2]);
		assert_int_equal(ctl(host, &outcome, "stop", "web", NULL), CTL_DONE);
		wait_for_file(
		    host_path(host, "web/stopped_by", path, sizeof(path)), text, sizeof(text));
		assert_string_equal(text, signals[i % 2]);
		host_remove(host, "web/stopped_by");
		host_remove(host, "web/ready");
		assert_int_equal(ctl(host, &outcome, "start", "--no-wait", "web", NULL), CTL_DONE);
	}
	for (i = 0; i < 3; i++) {
		(void)snprintf(name, sizeof(name), "new%u", i);
		host_profile(host, name, "exec sleep 1000");
		if (ctl(host, &outcome, "wait", "--for=running", name, NULL) != CTL_DONE)
			fail_msg("%s", outcome.error);
	}
	host_stop_all(host);
}

static void
what_was_done_to_a_profile_before_a_command_counts_for_it(void **state)
{
	edit_and_command(*state, NULL);
}

/* Whose files are looked at by a child of the spawner, and that takes its time. */
static void
what_was_done_to_a_tenants_profile_before_a_command_counts_for_it(void **state)
{
	edit_and_command(*state, TENANT);
}

static void
policy_files_take_effect_at_once_and_leave_the_process_alone(void **state)
{
	struct host *host = *state;
	pid_t pid, again;

	host_profile(host, "web", LISTENING_SERVICE);
	host_start(host);
	pid = host_wait_running(host, "web");
	host_wait_ready(host, "web");
	host_mark_log(host);
	host_replace(host, "web/stop_signal", 0644, "USR2\n");
	host_replace(host, "web/stop_timeout", 0644, "1\n");
	host_replace(host, "web/start_timeout", 0644, "7\n");
	host_replace(host, "web/kill_mode", 0644, "group\n");
	host_write(host, "web/reload", 0644, "%s", "");
	host_write(host, "web/restart", 0644, "%s", "");
	host_settle(host);
	assert_int_equal(host_count_log(host, " web "), 0);
	assert_true(process_lives(pid));

	host_remove(host, "web/ready");
	assert_int_equal(kill(pid, SIGKILL), 0); /* restart is in force */
	again = host_wait_running(host, "web");
	assert_int_not_equal(again, pid);
	host_wait_ready(host, "web");
	host_mark_log(host);
	host_remove(host, "web/restart");
	host_settle(host);
	assert_int_equal(host_count_log(host, " web "), 0);
	host_stop_all(host); /* stop_signal and stop_timeout are: USR2 does not end it */
	wait_for_content(host, "web/got", "USR2\n");
	host_wait_log(
	    host, " WARN  web still there [0-9]+ s after the stop signal: sending SIGKILL$");
}

static void
restart_that_has_gone_is_not_in_force_any_more(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	pid_t pid;

	host_profile(host, "web", "exec sleep 1000");
	host_write(host, "web/restart", 0644, "%s", "");
	host_start(host);
	pid = host_wait_running(host, "web");
	host_remove(host, "web/restart");
	host_settle(host);
	host_mark_log(host);
	assert_int_equal(kill(pid, SIGKILL), 0);
	host_wait_log(host, " INFO  web stopped$");
	host_settle(host);
	assert_int_equal(host_count_log(host, " web starting$"), 0);

	host_profile(host, "waiting", "exit 1"); /* its next start is planned already */
	host_write(host, "waiting/restart", 0644, "%s", "");
	host_wait_log(host, " waiting starting again in 4\\.");
	host_mark_log(host);
	host_remove(host, "waiting/restart");
	host_settle(host);
	assert_int_equal(ctl(host, &outcome, "explain", "waiting", NULL), CTL_DONE);
	assert_non_null(strstr(outcome.output, "is not to be started again"));
	host_write(host, "other/run", 0755, "#!/bin/sh\nexec sleep 5\n"); /* longer than that */
	host_wait_log(host, " INFO  other stopped$");
	assert_int_equal(host_count_log(host, " waiting "), 0);
	host_stop_all(host);
}

static void
a_timeout_that_is_edited_counts_for_what_is_under_way(void **state)
{
	struct host *host = *state;
	struct outcome outcome;

	host_profile(host, "deaf", "trap '' TERM; : > ready; while :; do sleep 0.01; done");
	host_profile(host, "late", "exec sleep 1000");
	host_write(host, "late/pid_file", 0644, "late.pid\n");
	host_start(host);
	host_wait_ready(host, "deaf");
	host_wait_log(host, " late starting$");
	assert_int_equal(ctl(host, &outcome, "--no-wait", "stop", "deaf", NULL), CTL_DONE);
	host_wait_log(host, " deaf stopping$");
	host_write(host, "deaf/stop_timeout", 0644, "1\n");
	host_write(host, "late/start_timeout", 0644, "1\n");
	host_wait_log(
	    host, " WARN  deaf still there [1-9] s after the stop signal: sending SIGKILL$");
	host_wait_log(host, " INFO  deaf stopped$");
	host_wait_log(host, " WARN  late pid_file has named no process of this profile within 1 s");
	host_wait_log(host, " INFO  late stopped$");
	host_stop_all(host);
}

static void
down_leaves_a_running_service_alone_and_its_going_starts_a_stopped_one(void **state)
{
	struct host *host = *state;
	pid_t pid;

	host_profile(host, "web", "exec sleep 1000");
	host_write(host, "web/restart", 0644, "%s", "");
	host_start(host);
	pid = host_wait_running(host, "web");
	host_mark_log(host);
	host_write(host, "web/down", 0644, "%s", "");
	host_settle(host);
	assert_true(process_lives(pid));
	assert_int_equal(host_count_log(host, " web "), 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
	host_wait_log(host, " INFO  web stopped$");
	host_settle(host);
	assert_int_equal(host_count_log(host, " web starting$"), 0);
	host_remove(host, "web/down");
	(void)host_wait_running(host, "web");
	host_stop_all(host);
}

static void
a_service_that_has_ended_is_started_again_when_its_files_change(void **state)
{
	struct host *host = *state;

	host_profile(host, "ended", "exit 3");
	host_profile(host, "waiting", "exit 3");
	host_write(host, "waiting/restart", 0644, "%s", "");
	host_start(host);
	host_wait_log(host, " ended stopped$");
	host_wait_log(host, " waiting starting again in 8\\.");
	host_mark_log(host);
	host_replace(host, "ended/run", 0755, "#!/bin/sh\nexec sleep 1000\n");
	host_replace(host, "waiting/run", 0755, "#!/bin/sh\nexec sleep 1000\n");
	host_wait_log_within(host, 7500, " ended running pid "); /* sooner than that delay */
	host_wait_log_within(host, 7500, " waiting running pid ");
	host_stop_all(host);
}

static void
a_profile_that_disappears_is_stopped_and_forgotten_and_may_come_back(void **state)
{
	struct host *host = *state;
	unsigned looks = 0;
	long long moved;
	pid_t pid, again;

	host_profile(host, "web", "exec sleep 1000");
	host_write(host, "web/restart", 0644, "%s", "");
	host_start(host);
	for (;;) {
		pid = host_wait_running(host, "web");
		host_mark_log(host);
		moved = wall_ms();
		move(host, "web", ".web");
		wait_forgotten(host, "web");
		process_wait_gone(pid);
		if (noticed_in_time(host, moved, " web disappeared"))
			break;
		assert_in_range(++looks, 1, LOOKS - 1);
		host_mark_log(host);
		move(host, ".web", "web");
	}
	assert_int_equal(host_count_log(host, " web starting$"), 0);
	host_mark_log(host);
	move(host, ".web", "web");
	again = host_wait_running(host, "web");
	host_mark_log(host);
	host_remove(host, "web");
	wait_forgotten(host, "web");
	process_wait_gone(again);
	host_stop_all(host);
}

static void
a_profile_that_is_back_when_it_is_to_be_forgotten_prints_into_its_file(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	pid_t monitor;

	host_profile(host, "marker", "exec sleep 1000");
	host_write(host, "marker/down", 0644, "%s", "");
	host_profile(host, "web", "echo printed; exec sleep 1000");
	host_write(host, "web/down", 0644, "%s", "");
	host_start(host);
	assert_int_equal(ctl(host, &outcome, "start", "web", NULL), CTL_DONE);
	wait_until(contains(log_path(host, "web.log"), "printed\n"));
	assert_int_equal(ctl(host, &outcome, "stop", "web", NULL), CTL_DONE);
	assert_int_equal(truncate(log_path(host, "web.log"), 0), 0);
	monitor = host_monitor(host);
	assert_int_equal(kill(monitor, SIGSTOP), 0);
	move(host, "web", ".web");
	host_wait_told(host, "marker");
	move(host, ".web", "web");
	host_wait_told(host, "marker");
	assert_int_equal(kill(monitor, SIGCONT), 0);
	host_wait_log(host, " INFO  web disappeared");
	host_settle(host);
	wait_until(ctl(host, &outcome, "start", "web", NULL) == CTL_DONE);
	wait_until(contains(log_path(host, "web.log"), "printed\n"));
	host_stop_all(host);
}

/* It is no profile any more, whatever else stands there. */
static void
a_profile_that_becomes_a_link_or_a_file_has_disappeared(void **state)
{
	static const char *const names[] = {"link", "file", "fifo"};
	struct host *host = *state;
	char path[PATH_MAX], aside[PATH_MAX];
	pid_t pids[3], again;
	size_t i;

	for (i = 0; i < 3; i++)
		host_profile(host, names[i], "exec sleep 1000");
	host_start(host);
	for (i = 0; i < 3; i++)
		pids[i] = host_wait_running(host, names[i]);
	host_mark_log(host);
	move(host, "link", ".link");
	host_path(host, ".link", aside, sizeof(aside));
	assert_int_equal(symlink(aside, host_path(host, "link", path, sizeof(path))), 0);
	move(host, "file", ".file");
	host_write(host, ".new", 0644, "%s", "");
	move(host, ".new", "file");
	host_remove(host, "fifo");
	assert_int_equal(mkfifo(host_path(host, "fifo", path, sizeof(path)), 0600), 0);
	for (i = 0; i < 3; i++) {
		wait_forgotten(host, names[i]);
		process_wait_gone(pids[i]);
	}
	host_settle(host);
	assert_int_equal(host_count_log(host, " ProcLaunch cannot watch "), 0);
	assert_int_equal(host_count_log(host, " ProcLaunch skipped (link|fifo): "), 2);
	host_mark_log(host);
	assert_int_equal(unlink(host_path(host, "link", path, sizeof(path))), 0);
	move(host, ".link", "link");
	again = host_wait_running(host, "link");
	host_mark_log(host);
	host_touch(host, "link/run"); /* it is watched again */
	(void)wait_restarted(host, "link", again);
	host_stop_all(host);
}

static void
a_profile_that_comes_back_while_it_is_stopping_is_started_after_that(void **state)
{
	struct host *host = *state;
	pid_t pid, again;

	host_profile(
	    host, "web", "trap '' TERM; while ! [ -e ../.end ]; do : > ready; sleep 0.01; done");
	host_start(host);
	pid = host_wait_running(host, "web");
	host_wait_ready(host, "web");
	host_mark_log(host);
	move(host, "web", ".web");
	host_wait_log(host, " web stopping$");
	/* what is started then is no longer deaf */
	host_replace(host, ".web/run", 0755, "#!/bin/sh\nexec sleep 1000\n");
	move(host, ".web", "web");
	host_settle(host);
	assert_true(process_lives(pid));
	assert_int_equal(host_count_log(host, " web starting$"), 0);
	host_write(host, ".end", 0644, "%s", "");
	host_wait_log(host, " web stopped$");
	assert_false(process_lives(pid));
	again = host_wait_running(host, "web");
	assert_int_not_equal(again, pid);
	host_stop_all(host);
}

static void
a_profile_whose_rest_kill_mode_spares_may_come_back(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX];
	pid_t left;

	host_profile(host, "web", "sleep 1000 & echo $! > ../left; exec sleep 1000");
	host_write(host, "web/kill_mode", 0644, "process\n");
	host_start(host);
	(void)host_wait_running(host, "web");
	left = wait_for_pid_file(host_path(host, "left", path, sizeof(path)));
	host_mark_log(host);
	move(host, "web", ".web");
	host_wait_log(host, " web stopped$");
	host_settle(host);
	assert_true(process_lives(left));
	host_mark_log(host);
	move(host, ".web", "web");
	(void)host_wait_running(host, "web");
	assert_true(process_lives(left));
	wait_until(wait_for_pid_file(path) != left);
	host_remove(host, "web");
	host_wait_log(host, " web stopped$");
	assert_int_equal(kill(left, SIGKILL), 0);
	assert_int_equal(kill(wait_for_pid_file(path), SIGKILL), 0); /* of the second start */
	wait_forgotten(host, "web");
	host_stop_all(host);
}

/* It is not forgotten as long as they live, but what was said about it is. */
static void
a_profile_whose_rest_kill_mode_spares_comes_back_as_a_new_one(void **state)
{
	static const char *const verbs[] = {"stop", "disable"};
	struct host *host = *state;
	struct outcome outcome;
	char path[PATH_MAX], left[PATH_MAX], program[PATH_MAX];
	size_t i;

	host_path(host, "left", left, sizeof(left));
	host_profile(host, "web", "sleep 1000 & echo $! >> ../left; exec sleep 1000");
	host_write(host, "web/kill_mode", 0644, "process\n");
	host_start(host);
	for (i = 0; i < 2; i++) {
		(void)host_wait_running(host, "web");
		wait_until(access(left, F_OK) == 0);
		run_program(&outcome, host_program("proclaunchctl", program, sizeof(program)), "-d",
		    host->state, verbs[i], "web", NULL);
		assert_int_equal(outcome.status, 0);
		host_mark_log(host);
		move(host, "web", ".web");
		host_wait_log(host, " web disappeared");
		host_settle(host);
		host_mark_log(host);
		move(host, ".web", "web");
	}
	(void)host_wait_running(host, "web");
	(void)snprintf(path, sizeof(path), "%s/disabled/web", host->state);
	wait_until(access(path, F_OK) == -1);
	host_replace(host, "web/kill_mode", 0644, "group\n"); /* all of them end now */
	host_settle(host);
	host_stop_all(host);
}

/* By the monitor that saw it, and not by the next ones. */
static void
that_a_profile_has_disappeared_is_said_once(void **state)
{
	struct host *host = *state;
	pid_t pid;

	host_profile(host, "deaf", "trap '' TERM; while :; do : > ready; sleep 0.01; done");
	host_start(host);
	pid = host_wait_running(host, "deaf");
	host_wait_ready(host, "deaf");
	move(host, "deaf", ".deaf");
	host_wait_log(host, " deaf stopping$");
	assert_int_equal(kill(host_monitor(host), SIGKILL), 0);
	host_settle(host);
	assert_int_equal(host_count_log(host, " deaf disappeared"), 1);
	assert_int_equal(kill(pid, SIGKILL), 0);
	host_wait_log(host, " deaf stopped$");
	host_stop_all(host);
}

static void
an_edit_that_breaks_a_profile_leaves_its_process_with_its_old_settings(void **state)
{
	struct host *host = *state;
	pid_t pid;

	host_profile(host, "web", LISTENING_SERVICE);
	host_write(host, "web/restart", 0644, "%s", "");
	host_write(host, "web/stop_signal", 0644, "USR2\n");
	host_write(host, "web/stop_timeout", 0644, "1\n");
	host_start(host);
	pid = host_wait_running(host, "web");
	host_wait_ready(host, "web");
	host_mark_log(host);
	host_replace(host, "web/stop_signal", 0644, "NONSENSE\n");
	host_wait_log(host, " WARN  web refused: stop_signal: ");
	host_settle(host);
	assert_true(process_lives(pid));
	assert_int_equal(host_count_log(host, " web "), 1);
	host_stop_all(host);
	wait_for_content(host, "web/got", "USR2\n"); /* as it was started with, and not TERM */
	assert_false(process_lives(pid));
}

/* Who may not read the log, a tenant, learns from explain which file to mend, and how. */
static void
explain_says_what_is_wrong_with_a_broken_profile_that_runs(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	char path[PATH_MAX];

	host_profile(host, "web", "exec sleep 1000");
	host_start(host);
	(void)host_wait_running(host, "web");
	host_write(host, "web/stop_timeout", 0644, "5s\n");
	host_wait_log(host, " WARN  web refused: stop_timeout: ");
	run_program(&outcome, host_program("proclaunchctl", path, sizeof(path)), "-d", host->state,
	    "explain", "web", NULL);
	assert_int_equal(outcome.status, 0);
	assert_non_null(strstr(outcome.output,
	    "running as before; refused: stop_timeout: must be a number of seconds from 1 to "
	    "86400"));
	host_stop_all(host);
}

static void
explain_says_that_the_pid_file_named_nobody(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	char path[PATH_MAX];

	host_profile(host, "daemon", "sleep 1000 &");
	host_write(host, "daemon/pid_file", 0644, "daemon.pid\n");
	host_write(host, "daemon/start_timeout", 0644, "1\n");
	/* without cgroups a daemon that has left the session may be there until then */
	host_write(host, "daemon/stop_timeout", 0644, "1\n");
	host_start(host);
	host_wait_log(
	    host, " WARN  daemon pid_file has named no process of this profile within 1 s");
	host_wait_log(host, " INFO  daemon stopped$");
	run_program(&outcome, host_program("proclaunchctl", path, sizeof(path)), "-d", host->state,
	    "explain", "daemon", NULL);
	assert_non_null(strstr(outcome.output,
	    "pid_file has named no process of it within start_timeout, and it is not to be started "
	    "again"));
	host_stop_all(host);
}

static void
a_broken_profile_is_not_started_again_until_it_is_mended(void **state)
{
	struct host *host = *state;
	pid_t pid;

	host_profile(host, "web", "exec sleep 1000");
	host_write(host, "web/restart", 0644, "%s", "");
	host_start(host);
	pid = host_wait_running(host, "web");
	host_write(host, "web/stop_timeout", 0644, "soon\n");
	host_wait_log(host, " WARN  web refused: stop_timeout: ");
	host_mark_log(host);
	assert_int_equal(kill(pid, SIGKILL), 0);
	host_wait_log(host, " INFO  web stopped$");
	host_settle(host);
	assert_int_equal(host_count_log(host, " web starting$"), 0);
	host_write(host, "web/stop_timeout", 0644, "2\n");
	host_wait_log(host, " INFO  web accepted$");
	(void)host_wait_running(host, "web");
	host_stop_all(host);
}

static void
mending_a_profile_restarts_it_only_where_run_user_or_pid_file_differ(void **state)
{
	struct host *host = *state;
	pid_t same, other;

	host_profile(host, "same", "exec sleep 1000");
	host_profile(host, "other", "exec sleep 1000");
	host_start(host);
	same = host_wait_running(host, "same");
	other = host_wait_running(host, "other");
	host_mark_log(host);
	host_write(host, "same/restart", 0644, "perhaps\n");
	host_write(host, "other/restart", 0644, "perhaps\n");
	host_wait_log(host, " same refused: restart: ");
	host_wait_log(host, " other refused: restart: ");
	host_replace(host, "other/run", 0755, "#!/bin/sh\nexec sleep 1001\n");
	host_settle(host);
	assert_true(process_lives(other)); /* still broken */
	host_write(host, "same/restart", 0644, "always\n");
	host_write(host, "other/restart", 0644, "always\n");
	host_wait_log(host, " INFO  same accepted$");
	host_wait_log(host, " INFO  other accepted$");
	(void)wait_restarted(host, "other", other);
	host_settle(host);
	assert_true(process_lives(same));
	assert_int_equal(host_count_log(host, " same (changed|stopping|starting)"), 0);
	host_stop_all(host);
}

static void
a_refused_profile_is_looked_at_again_when_it_changes(void **state)
{
	struct host *host = *state;

	host_profile(host, "web", "exec sleep 1000");
	host_write(host, "web/kill_mode", 0644, "gently\n");
	host_start(host);
	host_wait_log(host, " WARN  web refused: kill_mode: ");
	host_write(host, "web/README", 0644, "nothing\n");
	host_settle(host);
	assert_int_equal(host_count_log(host, " web refused"), 1); /* said once */
	host_write(host, "web/kill_mode", 0644, "\n");
	host_settle(host);
	assert_int_equal(host_count_log(host, " web starting$"), 0);
	host_write(host, "web/kill_mode", 0644, "process\n");
	(void)host_wait_running(host, "web");
	host_stop_all(host);
}

static void
a_profile_that_may_be_read_again_is_noticed_and_watched(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX], text[64];
	pid_t pid;

	host_profile(host, "web", "exec sleep 1000");
	host_start(host);
	pid = host_wait_running(host, "web");
	/* the shell has to have read it */
	wait_until(read_proc(pid, "cmdline", text, sizeof(text)) > 0 && strcmp(text, "sleep") == 0);
	host_path(host, "web", path, sizeof(path));
	assert_int_equal(chmod(path, 0), 0);
	host_wait_log(host, " WARN  web refused: run: cannot be read: Permission denied$");
	assert_int_equal(chmod(path, 0755), 0);
	host_wait_log(host, " INFO  web accepted$");
	assert_true(process_lives(pid));
	host_settle(host);
	host_mark_log(host);
	host_touch(host, "web/run");
	(void)wait_restarted(host, "web", pid);
	host_stop_all(host);
}

static void
a_directory_that_takes_the_place_of_another_is_watched_from_then_on(void **state)
{
	struct host *host = *state;
	char one[PATH_MAX], other[PATH_MAX];
	pid_t pid;

	host_profile(host, "web", "exec sleep 1000");
	host_profile(host, ".next", "exec sleep 1001");
	host_start(host);
	pid = host_wait_running(host, "web");
	host_mark_log(host);
	host_path(host, "web", one, sizeof(one));
	host_path(host, ".next", other, sizeof(other));
	assert_int_equal(renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE), 0);
	pid = wait_restarted(host, "web", pid);
	host_settle(host);
	host_mark_log(host);
	host_touch(host, "web/run");
	(void)wait_restarted(host, "web", pid);
	host_stop_all(host);
}

static void
after_an_overflow_of_events_every_profile_is_scanned_and_watched_again(void **state)
{
	struct host *host = *state;
	pid_t web, mail;

	host_profile(host, "web", "exec sleep 1000");
	host_profile(host, "mail", "exec sleep 1000");
	host_profile(host, "gone", "exec sleep 1000");
	host_start(host);
	web = host_wait_running(host, "web");
	mail = host_wait_running(host, "mail");
	(void)host_wait_running(host, "gone");
	host_mark_log(host);
	host_lose_events(host);
	host_touch(host, "web/run");
	host_write(host, "mail/README", 0644, "no reason to restart\n");
	host_profile(host, "new", "exec sleep 1000");
	move(host, "gone", ".gone");
	assert_int_equal(kill(host->supervisor, SIGCONT), 0);
	host_wait_log(
	    host, " WARN  ProcLaunch too many changes at once\\. Scanning all profiles again\\.$");
	(void)host_wait_running(host, "new");
	host_wait_log(host, " INFO  gone disappeared\\. Stopping and not restarting\\.$");
	web = wait_restarted(host, "web", web);
	host_settle(host);
	assert_true(process_lives(mail));
	host_mark_log(host);
	host_touch(host, "web/run");
	host_touch(host, "mail/run");
	(void)wait_restarted(host, "web", web);
	(void)wait_restarted(host, "mail", mail);
	host_stop_all(host);
}

/* inotify does not report what a mount changes. */
static void
rescan_sees_what_inotify_cannot(void **state)
{
	struct host *host = *state;
	char below[PATH_MAX], above[PATH_MAX];
	pid_t pid;

	host_profile(host, "web", "exec sleep 1000");
	host_profile(host, ".above", "exec sleep 1001");
	host_start_with(host, "--rescan=1", NULL);
	pid = host_wait_running(host, "web");
	host_mark_log(host);
	host_path(host, "web", below, sizeof(below));
	host_path(host, ".above", above, sizeof(above));
	assert_int_equal(mount(above, below, NULL, MS_BIND, NULL), 0);
	pid = wait_restarted(host, "web", pid);
	host_mark_log(host);
	assert_int_equal(umount2(below, MNT_DETACH), 0);
	(void)wait_restarted(host, "web", pid);
	host_stop_all(host);
}

/* What a tenant owns is surveyed by a child of the spawner; here the spawner dies before it has
 * made that child. */
static void
a_profile_whose_survey_dies_with_the_spawner_is_surveyed_by_the_next_one(void **state)
{
	struct host *host = *state;
	char hidden[PATH_MAX], shown[PATH_MAX];
	pid_t spawner, web;

	host_profile(host, ".web", "exec sleep 1000");
	host_chown(host, ".web", TENANT);
	host_start(host);
	spawner = host_spawner(host);
	assert_int_equal(kill(spawner, SIGSTOP), 0);
	host_path(host, ".web", hidden, sizeof(hidden));
	host_path(host, "web", shown, sizeof(shown));
	assert_int_equal(rename(hidden, shown), 0);
	host_settle(host);
	assert_int_equal(kill(spawner, SIGKILL), 0);
	web = host_wait_running(host, "web");
	assert_int_equal(process_uid(web), account_uid(TENANT));
	host_stop_all(host);
}

/* How often that file has been opened, by whoever looks at what stands in it. */
static unsigned
count_opens(int inotify, const char *name)
{
	alignas(struct inotify_event) char events[4096];
	const struct inotify_event *event;
	ssize_t length, offset;
	unsigned count = 0;

	while ((length = read(inotify, events, sizeof(events))) > 0) {
		for (offset = 0; offset < length; offset += (ssize_t)sizeof(*event) + event->len) {
			event = (const struct inotify_event *)(const void *)(events + offset);
			count += event->len > 0 && strcmp(event->name, name) == 0;
		}
	}
	return count;
}

/* Once in 20 ms it was, which with fifty profiles keeps half of a processor from everybody else. */
static void
who_edits_a_profile_without_end_has_it_looked_at_ten_times_a_second(void **state)
{
	struct host *host = *state;
	struct deadline end;
	char path[PATH_MAX];
	pid_t web;
	int inotify;

	host_profile(host, "web", "exec sleep 1000");
	host_write(host, "web/stop_timeout", 0644, "5\n");
	host_write(host, "web/README", 0644, "nothing of importance\n");
	host_start(host);
	web = host_wait_running(host, "web");
	host_settle(host);
	inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	assert_int_not_equal(
	    inotify_add_watch(inotify, host_path(host, "web", path, sizeof(path)), IN_OPEN), -1);
	for (end = deadline_in(4000); deadline_left(&end) > 0; deadline_breathe())
		host_touch(host, "web/README");
	/* twenty at once, and ten a second: more than each of them would need */
	assert_in_range(count_opens(inotify, "stop_timeout"), 1, 20 + 40 + 10);
	assert_int_equal(close(inotify), 0);
	/* the last edit counts all the same */
	host_mark_log(host);
	host_touch(host, "web/run");
	(void)wait_restarted(host, "web", web);
	host_stop_all(host);
}

/* By the hasty clock, in which the seconds between two looks pass with each death of a spawner. */
static void
the_profiles_directory_that_stands_at_its_path_is_the_one_that_counts(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	char next[sizeof(host->profiles)], aside[sizeof(host->profiles)];
	pid_t web, gone, again;

	(void)snprintf(host->log, sizeof(host->log), "%s/log", host->root);
	(void)snprintf(aside, sizeof(aside), "%s/aside", host->root);
	memcpy(next, host->profiles, sizeof(next));
	/* the one that is to come is made first, in its place */
	host_profile(host, "web", "exec sleep 1000");
	host_profile(host, "new", "exec sleep 1000");
	assert_int_equal(rename(next, aside), 0);
	assert_int_equal(mkdir(host->profiles, 0755), 0);
	host_profile(host, "web", "exec sleep 1000");
	host_profile(host, "gone", "exec sleep 1000");
	host_start_with(host, "--log-path", host->log, NULL);
	web = host_wait_running(host, "web");
	gone = host_wait_running(host, "gone");
	host_mark_log(host);
	assert_int_equal(
	    syscall(SYS_renameat2, AT_FDCWD, aside, AT_FDCWD, host->profiles, RENAME_EXCHANGE), 0);
	(void)host_wait_running(host, "new");
	process_wait_gone(gone);
	process_wait_gone(web);
	again = host_wait_running(host, "web");
	assert_int_equal(host_count_log(host, " WARN "), 0);
	/* it is watched: it may even be seen before its `run` is there, which is a warning */
	host_profile(host, "later", "exec sleep 1000");
	(void)host_wait_running(host, "later");
	/* one that is removed and made again */
	run_program(&outcome, "/bin/rm", "-r", host->profiles, NULL);
	assert_int_equal(outcome.status, 0);
	process_wait_gone(again);
	host_wait_log(host,
	    " WARN  ProcLaunch cannot read the profiles directory: No such file or directory$");
	assert_int_equal(mkdir(host->profiles, 0755), 0);
	host_profile(host, "web", "exec sleep 1000");
	host_mark_log(host);
	assert_int_equal(kill(host_spawner(host), SIGKILL), 0);
	(void)host_wait_running(host, "web");
	host_stop_all(host);
}

static void
that_others_may_write_to_the_profiles_directory_is_said_and_ends_nothing(void **state)
{
	struct host *host = *state;
	pid_t web;

	host_profile(host, "web", "exec sleep 1000");
	host_start_with(host, "--rescan", "1", NULL);
	web = host_wait_running(host, "web");
	assert_int_equal(chmod(host->profiles, 0777), 0);
	host_wait_log(host,
	    " WARN  ProcLaunch cannot read the profiles directory: it, or what is above it, is a "
	    "link or not its owner's alone: chown it, chmod go-w$");
	assert_int_equal(chmod(host->profiles, 0755), 0);
	host_profile(host, "new", "exec sleep 1000");
	(void)host_wait_running(host, "new");
	assert_int_equal(host_wait_running(host, "web"), web);
	host_stop_all(host);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROOT_TEST(a_new_profile_is_noticed_and_started_at_once),
	    TENANT_TEST(a_new_profile_is_noticed_and_started_at_once),
	    ROOT_TEST(a_profile_that_is_made_file_by_file_is_started_once_it_is_whole),
	    TENANT_TEST(a_profile_that_is_made_file_by_file_is_started_once_it_is_whole),
	    ROOT_TEST(a_change_of_run_or_pid_file_restarts_the_service),
	    TENANT_TEST(a_change_of_run_or_pid_file_restarts_the_service),
	    ROOT_TEST(the_coming_and_going_of_user_restarts_the_service_as_somebody_else),
	    ROOT_TEST(the_coming_and_going_of_allow_new_privs_restarts_the_service),
	    ROOT_TEST(a_profile_that_is_given_away_runs_as_its_new_owner_at_once),
	    SESSIONS_TEST(a_profile_that_is_given_away_runs_as_its_new_owner_at_once),
	    ROOT_TEST(what_runs_as_another_than_user_says_now_is_roots_to_control),
	    ROOT_TEST(with_a_reload_file_a_change_sends_its_signal_instead),
	    TENANT_TEST(with_a_reload_file_a_change_sends_its_signal_instead),
	    ROOT_TEST(a_burst_of_edits_restarts_the_service_once),
	    TENANT_TEST(a_burst_of_edits_restarts_the_service_once),
	    ROOT_TEST(a_burst_of_directories_that_change_places_restarts_the_service_once),
	    TENANT_TEST(a_burst_of_directories_that_change_places_restarts_the_service_once),
	    ROOT_TEST(a_service_is_restarted_for_each_of_many_edits_in_a_row),
	    ROOT_TEST(what_was_done_to_a_profile_before_a_command_counts_for_it),
	    TENANT_TEST(what_was_done_to_a_profile_before_a_command_counts_for_it),
	    ROOT_TEST(what_was_done_to_a_tenants_profile_before_a_command_counts_for_it),
	    ROOT_TEST(policy_files_take_effect_at_once_and_leave_the_process_alone),
	    TENANT_TEST(policy_files_take_effect_at_once_and_leave_the_process_alone),
	    ROOT_TEST(restart_that_has_gone_is_not_in_force_any_more),
	    ROOT_TEST(a_timeout_that_is_edited_counts_for_what_is_under_way),
	    ROOT_TEST(down_leaves_a_running_service_alone_and_its_going_starts_a_stopped_one),
	    TENANT_TEST(down_leaves_a_running_service_alone_and_its_going_starts_a_stopped_one),
	    ROOT_TEST(a_service_that_has_ended_is_started_again_when_its_files_change),
	    ROOT_TEST(a_profile_that_disappears_is_stopped_and_forgotten_and_may_come_back),
	    TENANT_TEST(a_profile_that_disappears_is_stopped_and_forgotten_and_may_come_back),
	    ROOT_TEST(a_profile_that_is_back_when_it_is_to_be_forgotten_prints_into_its_file),
	    ROOT_TEST(a_profile_that_becomes_a_link_or_a_file_has_disappeared),
	    TENANT_TEST(a_profile_that_becomes_a_link_or_a_file_has_disappeared),
	    ROOT_TEST(a_profile_that_comes_back_while_it_is_stopping_is_started_after_that),
	    TENANT_TEST(a_profile_that_comes_back_while_it_is_stopping_is_started_after_that),
	    ROOT_TEST(a_profile_whose_rest_kill_mode_spares_may_come_back),
	    TENANT_TEST(a_profile_whose_rest_kill_mode_spares_may_come_back),
	    ROOT_TEST(a_profile_whose_rest_kill_mode_spares_comes_back_as_a_new_one),
	    ROOT_TEST(that_a_profile_has_disappeared_is_said_once),
	    ROOT_TEST(an_edit_that_breaks_a_profile_leaves_its_process_with_its_old_settings),
	    TENANT_TEST(an_edit_that_breaks_a_profile_leaves_its_process_with_its_old_settings),
	    ROOT_TEST(explain_says_what_is_wrong_with_a_broken_profile_that_runs),
	    ROOT_TEST(explain_says_that_the_pid_file_named_nobody),
	    ROOT_TEST(a_broken_profile_is_not_started_again_until_it_is_mended),
	    TENANT_TEST(a_broken_profile_is_not_started_again_until_it_is_mended),
	    ROOT_TEST(mending_a_profile_restarts_it_only_where_run_user_or_pid_file_differ),
	    TENANT_TEST(mending_a_profile_restarts_it_only_where_run_user_or_pid_file_differ),
	    ROOT_TEST(a_refused_profile_is_looked_at_again_when_it_changes),
	    TENANT_TEST(a_refused_profile_is_looked_at_again_when_it_changes),
	    TENANT_TEST(a_profile_that_may_be_read_again_is_noticed_and_watched),
	    ROOT_TEST(a_directory_that_takes_the_place_of_another_is_watched_from_then_on),
	    TENANT_TEST(a_directory_that_takes_the_place_of_another_is_watched_from_then_on),
	    ROOT_TEST(after_an_overflow_of_events_every_profile_is_scanned_and_watched_again),
	    TENANT_TEST(after_an_overflow_of_events_every_profile_is_scanned_and_watched_again),
	    ROOT_TEST(rescan_sees_what_inotify_cannot),
	    cmocka_unit_test_setup_teardown(
		the_profiles_directory_that_stands_at_its_path_is_the_one_that_counts,
		host_set_up_hasty, host_tear_down),
	    ROOT_TEST(that_others_may_write_to_the_profiles_directory_is_said_and_ends_nothing),
	    ROOT_TEST(a_profile_whose_survey_dies_with_the_spawner_is_surveyed_by_the_next_one),
	    ROOT_TEST(who_edits_a_profile_without_end_has_it_looked_at_ten_times_a_second),
	    TENANT_TEST(who_edits_a_profile_without_end_has_it_looked_at_ten_times_a_second),
	};

	return cmocka_run_group_tests_name("changes", tests, NULL, NULL);
}
