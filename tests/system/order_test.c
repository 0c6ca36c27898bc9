/*
 * Events in an order that is seldom, or that somebody has chosen: what ends between two looks, what
 * crosses on the wire, what has come while a process of ours was stopped. However they come, no
 * profile stays where it is for ever, and nobody waits for what will not be said.
 */
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "accounts.h"
#include "channel.h"
#include "client.h"
#include "clock.h"
#include "ctl.h"
#include "descriptors.h"
#include "fault.h"
#include "host.h"
#include "peer.h"
#include "printed.h"
#include "silence.h"

#define CTL_STOPPED 3 /* of status */

/*
 * The monitor that has to stop all is not the one that SIGHUP came to. What had ended by then was
 * not started at the next start, as it is after every other SIGHUP.
 */
static void
a_start_after_sighup_is_one_from_the_beginning_whoever_died(void **state)
{
	struct host *host = *state;
	pid_t monitor;

	host_profile(host, "once", "exit 0");
	host_start(host);
	host_wait_log(host, " once stopped$");
	monitor = host_monitor(host);
	peer_stop(monitor);
	assert_int_equal(kill(host->supervisor, SIGHUP), 0);
	assert_int_equal(kill(monitor, SIGKILL), 0);
	assert_int_equal(host_signal_and_wait(host, 0), 111);
	host_mark_log(host);
	host_start(host);
	host_wait_log(host, " once stopped$");
	host_stop_all(host);
}

/* Likewise what had ended just before, and was waited for only because of what it had left behind.
 */
static void
a_start_after_sighup_is_one_from_the_beginning_whatever_was_swept(void **state)
{
	struct host *host = *state;

	host_profile(host, "web",
	    "(trap '' TERM; : > ready; sleep 0.5) &\n"
	    "until [ -e ready ]; do sleep 0.01; done");
	host_start(host);
	host_wait_log(host, " web died pid [0-9]+ exit 0$");
	host_stop_all(host);
	host_mark_log(host);
	host_start(host);
	host_wait_log(host, " web starting$");
	host_stop_all(host);
}

/* Prints without end, until it is killed itself. */
static pid_t
print_into(pid_t service)
{
	char path[64], bytes[4096];
	pid_t printer = fork();
	int output;

	if (printer != 0)
		return printer;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)snprintf(path, sizeof(path), "/proc/%d/fd/1", service);
	output = open(path, O_WRONLY | O_CLOEXEC);
	memset(bytes, '\n', sizeof(bytes));
	while (write(output, bytes, sizeof(bytes)) > 0)
		;
	_exit(1);
}

/*
 * A service may hand its standard output to a process that is not the profile's, and who prints
 * faster than we write. SIGHUP waited for the last words for as long as he liked, and a profile
 * that had gone was not forgotten.
 */
static void
who_prints_without_end_holds_up_neither_the_end_nor_oblivion(void **state)
{
	static const char *const names[] = {"gone", "web"};
	struct host *host = *state;
	char path[PATH_MAX];
	pid_t printers[2];
	unsigned i;

	for (i = 0; i < 2; i++) {
		host_profile(host, names[i], "exec sleep 1000");
		(void)snprintf(path, sizeof(path), "%s/output", names[i]);
		host_write(host, path, 0644, "format raw\nrotate_size 64K\nrotate_keep 1\n");
	}
	host_start(host);
	for (i = 0; i < 2; i++)
		printers[i] = print_into(host_wait_running(host, names[i]));
	wait_until(size_of(old_path(log_path(host, "gone.log"), 1)) > 0 &&
	    size_of(old_path(log_path(host, "web.log"), 1)) > 0);
	host_remove(host, "gone");
	(void)snprintf(path, sizeof(path), "%s/fifo/gone.out", host->state);
	wait_until(access(path, F_OK) == -1);
	host_stop_all(host);
	for (i = 0; i < 2; i++) {
		assert_int_equal(kill(printers[i], SIGKILL), 0);
		assert_int_equal(waitpid(printers[i], NULL, 0), printers[i]);
	}
}

/* For so long a command waits to hear that the profile's files are still; proclaunchctl(1). */
#define SETTLES_WITHIN (1 * SECOND)

/* Both are asked for, in this order, before the parent has done anything; both are answered. */
static void
ask_one_after_another(struct host *host, enum verb first, enum verb second)
{
	const enum verb asked[] = {first, second};
	int clients[2], pings, i;
	int64_t carried_out;
	unsigned rows;
	bool admitted;

	host_profile(host, "web", "exec sleep 1000");
	host_start(host);
	(void)host_wait_running(host, "web");
	pings = client_greet(host, 0, &admitted);
	for (i = 0; i < 2; i++)
		clients[i] = client_greet(host, 0, &admitted);
	peer_stop(host->supervisor);
	for (i = 0; i < 2; i++) {
		assert_true(client_ask(clients[i], asked[i], "web"));
		assert_true(client_ask(pings, VERB_PING, "")); /* what was asked before is heard */
		assert_int_equal(client_answer(pings, &rows), RESULT_DONE);
	}
	/* whether the profile's files are still nobody says now: both are carried out without */
	carried_out = clock_now() + SETTLES_WITHIN;
	wait_until(clock_now() > carried_out);
	assert_true(client_ask(pings, VERB_PING, ""));
	assert_int_equal(client_answer(pings, &rows), RESULT_DONE);
	peer_continue(host->supervisor);
	for (i = 1; i >= 0; i--) {
		assert_int_equal(client_answer(clients[i], &rows), RESULT_DONE);
		assert_int_equal(close(clients[i]), 0);
	}
	assert_int_equal(close(pings), 0);
	host_settle(host);
}

/*
 * `enable` is kept by the parent, and `stop` comes before that has been done: the later one holds.
 * It was stopped, and started again.
 */
static void
a_stop_that_overtakes_an_enable_holds(void **state)
{
	struct host *host = *state;
	struct outcome outcome;

	ask_one_after_another(host, VERB_ENABLE, VERB_STOP);
	assert_int_equal(ctl(host, &outcome, "status", "web", NULL), CTL_STOPPED);
	assert_int_equal(host_count_log(host, " web starting$"), 1);
	host_stop_all(host);
}

/* Likewise `start` and `disable`, which does not wait for a stop that does not come. */
static void
a_start_that_overtakes_a_disable_holds(void **state)
{
	struct host *host = *state;
	struct outcome outcome;

	ask_one_after_another(host, VERB_DISABLE, VERB_START);
	assert_int_equal(ctl(host, &outcome, "status", "web", NULL), CTL_DONE);
	assert_int_equal(host_count_log(host, " web stopping$"), 0);
	host_stop_all(host);
}

/*
 * A start fails while what kill_mode spares of the last one still lives. It was taken neither for
 * failed nor for under way: first `starting` until start_timeout, then `stopping` for ever.
 */
static void
a_start_that_fails_beside_what_is_spared_has_failed(void **state)
{
	struct host *host = *state;

	host_profile(host, "web", "sleep 1000 &\nexec sleep 1000");
	host_write(host, "web/kill_mode", 0644, "process\n");
	host_write(host, "web/restart", 0644, "%s", "");
	host_start(host);
	(void)host_wait_running(host, "web");
	host_mark_log(host);
	host_replace(host, "web/run", 0755, "#!/nowhere/interpreter\n");
	host_wait_log(host, " web cannot start: execve: ");
	host_replace(host, "web/run", 0755, "#!/bin/sh\nexec sleep 1000\n");
	(void)host_wait_running(host, "web");
	host_stop_all(host);
}

/*
 * Nothing was executed, and what kill_mode spares of the last start lives: it is the profile's as
 * before. Nobody knew of it any more: the next supervisor ended it, and a profile that had gone was
 * forgotten over it.
 */
static void
a_start_that_is_taken_back_leaves_what_is_spared_to_its_profile(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	char path[PATH_MAX];
	pid_t left, spawner;

	host_profile(
	    host, "web", "[ -e ../left ] || { sleep 1000 & echo $! > ../left; }\nexec sleep 1000");
	host_write(host, "web/kill_mode", 0644, "process\n");
	host_start(host);
	(void)host_wait_running(host, "web");
	left = wait_for_pid_file(host_path(host, "left", path, sizeof(path)));
	assert_int_equal(ctl(host, &outcome, "stop", "web", NULL), CTL_DONE);
	spawner = host_spawner(host);
	peer_stop(spawner);
	assert_int_equal(ctl(host, &outcome, "start", "--no-wait", "web", NULL), CTL_DONE);
	assert_int_equal(ctl(host, &outcome, "stop", "web", NULL), CTL_DONE);
	peer_continue(spawner);
	host_crash(host);
	host_start(host);
	host_settle(host);
	assert_true(process_lives(left));
	host_remove(host, "web");
	host_wait_log(host, " web disappeared");
	host_settle(host);
	assert_int_equal(ctl(host, &outcome, "explain", "web", NULL), CTL_DONE);
	assert_true(process_lives(left));
	assert_int_equal(kill(left, SIGKILL), 0);
	wait_until(ctl(host, &outcome, "explain", "web", NULL) == CTL_NO_PROFILE);
	host_stop_all(host);
}

/*
 * `run` is told to stop, and leaves with success and a daemon behind that no pid file names. Nobody
 * told that one, and without stop_timeout it was waited for for ever.
 */
static void
a_daemon_that_run_leaves_behind_when_it_is_stopped_is_stopped(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	char path[PATH_MAX], text[32];

	host_profile(host, "daemon",
	    "trap 'exit 0' TERM\nsleep 1000 &\necho > ready\nwhile :; do sleep 0.1; done");
	host_write(host, "daemon/pid_file", 0644, "pid\n");
	host_start(host);
	wait_for_file(host_path(host, "daemon/ready", path, sizeof(path)), text, sizeof(text));
	assert_int_equal(ctl(host, &outcome, "stop", "--no-wait", "daemon", NULL), CTL_DONE);
	/* without cgroups one that has left the session may be there for the ten seconds of it */
	host_wait_log_within(host, 2 * SOON, " daemon stopped$");
	host_stop_all(host);
}

/*
 * What a stopped process has been told meanwhile comes before the deadlines that have passed: a
 * daemon that was proved in time was ended because its monitor had been stopped.
 */
static void
what_has_come_while_a_process_was_stopped_comes_before_its_deadlines(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX], value[32];
	struct deadline late;
	pid_t monitor;

	host_profile(host, "daemon", "sleep 1000 &\necho $! > last");
	host_write(host, "daemon/pid_file", 0644, "pid\n");
	host_write(host, "daemon/start_timeout", 0644, "2\n");
	host_start(host);
	(void)wait_for_pid_file(host_path(host, "daemon/last", path, sizeof(path)));
	late = deadline_in(2500);
	monitor = host_monitor(host);
	peer_stop(monitor);
	wait_for_file(path, value, sizeof(value));
	host_write(host, "daemon/pid", 0644, "%s", value);
	while (deadline_left(&late) > 0)
		deadline_breathe();
	peer_continue(monitor);
	(void)host_wait_running(host, "daemon");
	assert_int_equal(host_count_log(host, " daemon (stopping|stopped|died)"), 0);
	assert_int_equal(host_monitor(host), monitor);
	host_stop_all(host);
}

/* Traces the process and never waits for it, until it is killed itself. */
static pid_t
trace(pid_t pid)
{
	pid_t tracer = fork();
	char value[32];

	if (tracer == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) == -1)
			_exit(1);
		for (;;)
			(void)pause();
	}
	wait_until(
	    strtol(process_status(pid, "TracerPid", value, sizeof(value)), NULL, 10) == tracer);
	return tracer;
}

/*
 * Who traces a process hears first how it ended, and its parent when he has; any user may do so to
 * his own. The parent looked at a daemon that had ended thus again and again, and at nothing else,
 * and took neither for dead.
 */
static void
what_has_ended_has_ended_whoever_traces_it(void **state)
{
	struct host *host = *state;
	pid_t daemon, web, tracers[2];

	host_profile(host, "daemon", "sleep 1000 &\necho $! > pid");
	host_write(host, "daemon/pid_file", 0644, "pid\n");
	host_profile(host, "web", "exec sleep 1000");
	host_start(host);
	daemon = host_wait_running(host, "daemon");
	web = host_wait_running(host, "web");
	tracers[0] = trace(daemon);
	tracers[1] = trace(web);
	assert_int_equal(kill(daemon, SIGKILL) | kill(web, SIGKILL), 0);
	host_wait_log(host, " daemon died pid %d signal SIGKILL", daemon);
	host_wait_log(host, " web died pid %d signal SIGKILL", web);
	assert_int_equal(kill(tracers[0], SIGKILL) | kill(tracers[1], SIGKILL), 0);
	assert_int_equal(waitpid(tracers[0], NULL, 0), tracers[0]);
	assert_int_equal(waitpid(tracers[1], NULL, 0), tracers[1]);
	host_stop_all(host);
}

/* A service of two threads. */
#define THREADED "--two-threads"

static void *
pause_for_ever(void *nothing)
{
	for (;;)
		(void)pause();
	return nothing;
}

static int
be_two_threads(void)
{
	pthread_t other;

	if (pthread_create(&other, NULL, pause_for_ever, NULL) != 0)
		return 1;
	(void)pause_for_ever(NULL);
	return 0;
}

static pid_t
other_thread(pid_t pid)
{
	char path[64];
	const struct dirent *entry;
	pid_t thread = 0;
	DIR *threads;

	(void)snprintf(path, sizeof(path), "/proc/%d/task", pid);
	threads = opendir(path);
	assert_non_null(threads);
	while ((entry = readdir(threads)) != NULL)
		if (strtol(entry->d_name, NULL, 10) > 0 && strtol(entry->d_name, NULL, 10) != pid)
			thread = (pid_t)strtol(entry->d_name, NULL, 10);
	(void)closedir(threads);
	return thread;
}

/*
 * Who traces one thread of a process and never waits for it keeps the whole process from being
 * reaped, whatever it is sent: it was stopping for ever. Its cgroup says that nobody lives.
 */
static void
what_is_dead_has_ended_though_a_thread_of_it_is_traced(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	char self[PATH_MAX];
	pid_t service, tracer;
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

	assert_true(length > 0);
	self[length] = '\0';
	host_profile(host, "web", "exec %s " THREADED, self);
	host_write(host, "web/stop_timeout", 0644, "1\n");
	host_start(host);
	if (!host_has_cgroups(host))
		skip();
	service = host_wait_running(host, "web");
	wait_until(other_thread(service) != 0);
	tracer = trace(other_thread(service));
	assert_int_equal(ctl(host, &outcome, "--timeout=8", "stop", "web", NULL), CTL_DONE);
	host_wait_log(host, " web (died|stopped)");
	assert_int_equal(ctl(host, &outcome, "start", "web", NULL), CTL_DONE);
	assert_int_equal(kill(tracer, SIGKILL), 0);
	assert_int_equal(waitpid(tracer, NULL, 0), tracer);
	process_wait_gone(service);
	host_stop_all(host);
}

/*
 * The question comes in the same turn as the word that the profile has gone, and after it. Nobody
 * told the client, who waited for ever.
 */
static void
who_asks_for_a_profile_that_is_being_forgotten_is_told(void **state)
{
	static const struct ask asks[] = {
	    {.verb = VERB_WAIT, .number = STATE_RUNNING, .name = "web"},
	    {.verb = VERB_LOG, .flags = ASK_FOLLOW, .name = "web"},
	};
	struct message messages[2];
	struct host *host = *state;
	int clients[2];
	pid_t monitor;
	unsigned i, rows;
	bool admitted;

	host_profile(host, "marker", "exec sleep 1000");
	host_write(host, "marker/down", 0644, "%s", "");
	host_profile(host, "web", "exec sleep 1000");
	host_write(host, "web/down", 0644, "%s", "");
	host_start(host);
	for (i = 0; i < 2; i++)
		clients[i] = client_greet(host, 0, &admitted);
	monitor = host_monitor(host);
	peer_stop(monitor);
	host_remove(host, "web");
	host_wait_told(host, "marker");
	for (i = 0; i < 2; i++) {
		message_begin(&messages[i], MESSAGE_ASK);
		messages[i].ask = asks[i];
		assert_true(peer_send(clients[i], &messages[i], 0));
	}
	peer_continue(monitor);
	for (i = 0; i < 2; i++) {
		assert_int_equal(client_answer(clients[i], &rows), RESULT_NO_PROFILE);
		assert_int_equal(close(clients[i]), 0);
	}
	host_stop_all(host);
}

/*
 * A tenant's service goes on under the next supervisor, which cannot look at its profile, for the
 * tenant's file system does not answer. The monitor had not heard of it yet when all were to stop,
 * said goodbye, and was not let go: the supervisor stayed for ever, and so did the service.
 */
static void
what_nobody_has_looked_at_yet_is_stopped_with_all_others(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX];
	struct silence silence;
	pid_t slow;

	silence_begin(&silence, host->root);
	host_profile(host, "slow", "exec sleep 1000");
	host_write(host, "slow/restart", 0644, "%s", "");
	host_chown(host, "slow", TENANT);
	host_start(host);
	slow = host_wait_running(host, "slow");
	host_crash(host);
	host_path(host, "slow/restart", path, sizeof(path));
	assert_int_equal(mount(silence.path, path, NULL, MS_BIND, NULL), 0);
	host_start(host);
	assert_true(process_lives(slow));
	host_stop_all(host);
	assert_false(process_lives(slow));
	silence_end(&silence);
}

/*
 * Somebody who tidies up removes the cgroup of a service before we have seen that it is empty. What
 * stands in a file of a cgroup that there is no more could not be read, and that was taken for want
 * of memory: the service was never found to have ended, and root looked at nothing else.
 */
static void
a_cgroup_that_somebody_removes_is_empty(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	char path[PATH_MAX], cgroup[PATH_MAX];
	pid_t main_process, left;

	host_profile(host, "web", "sleep 1000 &\necho $! > left\nexec sleep 1000");
	host_write(host, "web/kill_mode", 0644, "process\n");
	host_start(host);
	if (!host_has_cgroups(host))
		skip();
	main_process = host_wait_running(host, "web");
	left = wait_for_pid_file(host_path(host, "web/left", path, sizeof(path)));
	host_remove(host, "web"); /* it is forgotten when nothing of it lives */
	process_wait_gone(main_process);
	host_wait_log(host, " web stopped$");
	peer_stop(host->supervisor);
	assert_int_equal(kill(left, SIGKILL), 0);
	wait_until(rmdir(host_cgroup(host, "web", cgroup, sizeof(cgroup))) == 0);
	peer_continue(host->supervisor);
	wait_until(ctl(host, &outcome, "explain", "web", NULL) == CTL_NO_PROFILE);
	host_stop_all(host);
}

/* kill_mode has spared it, and does so no longer: then it ends before the next start. */
static void
what_was_spared_and_is_no_longer_ends_before_the_next_start(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	char path[PATH_MAX];
	pid_t left;

	host_profile(host, "web", "sleep 1000 &\necho $! > left\nexec sleep 1000");
	host_write(host, "web/kill_mode", 0644, "process\n");
	host_start(host);
	(void)host_wait_running(host, "web");
	left = wait_for_pid_file(host_path(host, "web/left", path, sizeof(path)));
	assert_int_equal(ctl(host, &outcome, "stop", "web", NULL), CTL_DONE);
	assert_true(process_lives(left));
	host_write(host, "web/kill_mode", 0644, "group\n");
	host_settle(host);
	assert_true(process_lives(left));
	host_mark_log(host);
	assert_int_equal(ctl(host, &outcome, "start", "web", NULL), CTL_DONE);
	(void)host_wait_running(host, "web");
	assert_false(process_lives(left));
	host_stop_all(host);
}

/* By the hasty clock, in which they pass with each fork of the parent. */
static void
let_six_seconds_pass(struct host *host)
{
	host_mark_log(host);
	assert_int_equal(kill(host_monitor(host), SIGKILL), 0);
	host_wait_log(host, " monitor started pid ");
}

/* A tenant's profile appears as a whole. The parent has a survey of it forked by the spawner, which
 * is stopped, and whose end of the channel this is. */
static void
appear(struct host *host, int spawner, struct message *request)
{
	char hidden[PATH_MAX], shown[PATH_MAX];

	host_profile(host, ".new", "exec sleep 1000");
	host_chown(host, ".new", TENANT);
	host_path(host, ".new", hidden, sizeof(hidden));
	assert_int_equal(rename(hidden, host_path(host, "new", shown, sizeof(shown))), 0);
	wait_until(recv(spawner, request, sizeof(*request), MSG_PEEK | MSG_DONTWAIT) ==
		(ssize_t)sizeof(*request) &&
	    request->type == MESSAGE_FORK);
}

/* The spawner hangs, and is replaced after ten seconds. The survey that it was asked for was given
 * up a moment before, as if its tenant had let it hang, and a new profile not looked at again. */
static void
what_a_spawner_that_hangs_was_asked_for_is_asked_of_the_next_one(void **state)
{
	struct host *host = *state;
	struct message request;
	pid_t spawner;
	unsigned passed = 0;
	int channel;

	host_start_with(host, "--log-level=debug", NULL);
	host_wait_log(host, " monitor started pid ");
	spawner = host_spawner(host);
	channel = peer_take(spawner, FD_PARENT);
	peer_stop(spawner);
	appear(host, channel, &request);
	assert_int_equal(close(channel), 0);
	do /* it is asked for an answer in the first six, or was a second after its start */
		let_six_seconds_pass(host);
	while (++passed < 3 &&
	    host_count_log(host, " spawner pid %d has not answered ", spawner) == 0);
	host_wait_log(host, " spawner pid %d has not answered ", spawner);
	(void)host_wait_running(host, "new");
	assert_int_equal(host_count_log(host, " cannot read "), 0);
	host_stop_all(host);
}

/* The survey cannot be forked now. Of a profile that was not known yet there was nobody to remember
 * that it is to be looked at again. */
static void
a_profile_that_could_not_be_looked_at_is_looked_at_again(void **state)
{
	struct host *host = *state;
	static struct incoming incoming;
	struct message request, born;
	pid_t spawner;
	unsigned pauses;
	int channel;

	host_start_with(host, "--log-level=debug", NULL);
	host_wait_log(host, " monitor started pid ");
	spawner = host_spawner(host);
	channel = peer_take(spawner, FD_PARENT);
	peer_stop(spawner);
	appear(host, channel, &request);
	assert_true(peer_receive(channel, &incoming));
	channel_discard(&incoming);
	message_begin(&born, MESSAGE_BORN);
	born.index = request.index;
	born.generation = request.generation;
	born.number = request.number;
	born.born.task = TASK_SURVEY;
	born.born.pid = -1;
	born.born.error = EAGAIN;
	assert_true(peer_send(channel, &born, 0));
	peer_continue(spawner);
	assert_int_equal(close(channel), 0);
	host_wait_log(host, " WARN  new refused: the directory: cannot be read: ");
	for (pauses = 0; pauses < 10; pauses++)
		let_six_seconds_pass(host);
	(void)host_wait_running(host, "new");
	host_stop_all(host);
}

static void
permit_descriptors(pid_t pid, bool all)
{
	struct rlimit limit;

	assert_int_equal(prlimit(pid, RLIMIT_NOFILE, NULL, &limit), 0);
	limit.rlim_cur = all ? limit.rlim_max : 3;
	assert_int_equal(prlimit(pid, RLIMIT_NOFILE, &limit, NULL), 0);
}

/* The parent has no descriptor to spare when an account or a tenant comes. That it was to look at
 * all of them was forgotten once it could not. */
static void
a_scan_that_was_not_possible_is_made_again(void **state)
{
	struct host *host = *state;
	char from[PATH_MAX], to[PATH_MAX], option[PATH_MAX + 16];

	host_path(host, "../tenants", to, sizeof(to));
	assert_int_equal(mkdir(to, 0755), 0);
	(void)snprintf(option, sizeof(option), "--tenants=%s", to);
	accounts_begin(host);
	host_profile(host, "web", "exec sleep 1000");
	host_write(host, "web/user", 0644, "newcomer\n");
	assert_int_equal(mkdir(host_path(host, "../" TENANT, from, sizeof(from)), 0755), 0);
	host_profile(host, "../" TENANT "/mail", "exec sleep 1000");
	host_chown(host, "../" TENANT, TENANT);
	host_start_with(host, "--log-level=debug", option, NULL);
	host_wait_log(host, " monitor started pid ");
	host_wait_log(host, " web refused: user: ");
	permit_descriptors(host->supervisor, false);
	accounts_set("newcomer", 4242);
	host_wait_log(host, " cannot read the profiles directory: Too many open files");
	host_mark_log(host);
	assert_int_equal(rename(from, host_path(host, "../tenants/" TENANT, to, sizeof(to))), 0);
	host_wait_log(host, " cannot read the tenants directory: Too many open files");
	permit_descriptors(host->supervisor, true);
	let_six_seconds_pass(host);
	(void)host_wait_running(host, "web");
	(void)host_wait_running(host, TENANT "/mail");
	host_stop_all(host);
}

/* The process may open so many more files. */
static void
permit_descriptors_more(pid_t pid, rlim_t more)
{
	struct rlimit limit;
	char path[PATH_MAX];
	rlim_t number;

	assert_int_equal(prlimit(pid, RLIMIT_NOFILE, NULL, &limit), 0);
	for (number = 0; more > 0 && number < limit.rlim_max; number++) {
		(void)snprintf(path, sizeof(path), "/proc/%d/fd/%ju", pid, (uintmax_t)number);
		more -= access(path, F_OK) == -1 && errno == ENOENT;
	}
	limit.rlim_cur = number;
	assert_int_equal(prlimit(pid, RLIMIT_NOFILE, &limit, NULL), 0);
}

/* The one descriptor is enough to watch its directory, and none is left for its files. */
static void
what_is_watched_and_could_not_be_read_is_looked_at_again(void **state)
{
	struct host *host = *state;
	pid_t pid;

	host_profile(host, "web", "exec sleep 1000");
	host_start_with(host, "--log-level=debug", NULL);
	pid = host_wait_running(host, "web");
	host_settle(host);
	permit_descriptors_more(host->supervisor, 1);
	host_touch(host, "web/run");
	host_wait_log(host, " WARN  web refused: .* cannot be read: Too many open files");
	assert_int_equal(host_count_log(host, " cannot watch "), 0);
	permit_descriptors(host->supervisor, true);
	let_six_seconds_pass(host);
	process_wait_gone(pid); /* it has changed */
	host_stop_all(host);
}

/* The kernel has no watch for a profile any more, and enough for all else. */
static void
refuse_to_watch_profiles(void)
{
	static const struct fault fault = {"watch", SYS_inotify_add_watch, 2,
	    IN_ONESHOT | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_CLOSE_WRITE |
		IN_ATTRIB | IN_ONLYDIR,
	    ENOSPC};

	if (!fault_install(&fault))
		_exit(125);
}

static void
what_can_be_read_and_not_watched_is_looked_at_again(void **state)
{
	struct host *host = *state;
	pid_t pid;

	host_profile(host, "web", "exec sleep 1000");
	host->before_exec = refuse_to_watch_profiles;
	host_start_with(host, "--log-level=debug", NULL);
	host_wait_log(host, " WARN  ProcLaunch cannot watch web: No space left on device");
	pid = host_wait_running(host, "web");
	host_touch(host, "web/run");
	let_six_seconds_pass(host);
	process_wait_gone(pid); /* it has changed */
	host_stop_all(host);
}

#define ODD_NAMES    400
#define REPORTS_KEPT 64 /* by the parent */

/* The monitor does not listen, and there are more entries that are no profiles than the channel and
 * the parent hold: what they do not is counted, and said in the place where it is missing. */
static void
what_cannot_be_told_to_a_monitor_that_is_busy_is_counted(void **state)
{
	static const char lost[] = " events happened too fast to be logged";
	struct host *host = *state;
	char name[64], path[PATH_MAX], *text, *at;
	unsigned i, told;
	pid_t monitor;

	host_profile(host, "marker", "exec sleep 1000");
	host_write(host, "marker/down", 0644, "%s", "");
	host_start(host);
	host_settle(host);
	monitor = host_monitor(host);
	peer_stop(monitor);
	for (i = 0; i < ODD_NAMES; i++) {
		(void)snprintf(name, sizeof(name), "odd name %u", i);
		assert_int_equal(mkdir(host_path(host, name, path, sizeof(path)), 0755), 0);
	}
	host_wait_told(host, "marker"); /* by then they have been looked at */
	peer_continue(monitor);
	host_wait_log(host, " WARN  ProcLaunch [0-9]+%s", lost);
	host_settle(host);
	assert_int_equal(host_monitor(host), monitor);
	text = host_log_text(host);
	at = strstr(text, lost);
	assert_non_null(at);
	assert_null(strstr(at + 1, lost)); /* once */
	while (at[-1] != ' ')
		at--;
	told = host_count_log(host, " skipped odd name ");
	assert_int_equal(strtoul(at, NULL, 10) + told, ODD_NAMES);
	assert_true(told > REPORTS_KEPT); /* those that were told make room */
	free(text);
	/* and there is room again for what comes */
	assert_int_equal(mkdir(host_path(host, "one more", path, sizeof(path)), 0755), 0);
	host_wait_log(host, " WARN  ProcLaunch .*one more");
	host_stop_all(host);
}

int
main(int count, char **arguments)
{
	const struct CMUnitTest tests[] = {
	    ROOT_TEST(a_start_after_sighup_is_one_from_the_beginning_whoever_died),
	    ROOT_TEST(a_start_after_sighup_is_one_from_the_beginning_whatever_was_swept),
	    ROOT_TEST(who_prints_without_end_holds_up_neither_the_end_nor_oblivion),
	    ROOT_TEST(a_stop_that_overtakes_an_enable_holds),
	    ROOT_TEST(a_start_that_overtakes_a_disable_holds),
	    ROOT_TEST(a_start_that_fails_beside_what_is_spared_has_failed),
	    ROOT_TEST(a_start_that_is_taken_back_leaves_what_is_spared_to_its_profile),
	    SESSIONS_TEST(a_start_that_is_taken_back_leaves_what_is_spared_to_its_profile),
	    SESSIONS_TEST(a_start_that_fails_beside_what_is_spared_has_failed),
	    ROOT_TEST(a_daemon_that_run_leaves_behind_when_it_is_stopped_is_stopped),
	    ROOT_TEST(what_has_come_while_a_process_was_stopped_comes_before_its_deadlines),
	    ROOT_TEST(what_has_ended_has_ended_whoever_traces_it),
	    ROOT_TEST(what_is_dead_has_ended_though_a_thread_of_it_is_traced),
	    ROOT_TEST(who_asks_for_a_profile_that_is_being_forgotten_is_told),
	    ROOT_TEST(what_nobody_has_looked_at_yet_is_stopped_with_all_others),
	    ROOT_TEST(a_cgroup_that_somebody_removes_is_empty),
	    ROOT_TEST(what_cannot_be_told_to_a_monitor_that_is_busy_is_counted),
	    ROOT_TEST(what_was_spared_and_is_no_longer_ends_before_the_next_start),
	    SESSIONS_TEST(what_was_spared_and_is_no_longer_ends_before_the_next_start),
	    cmocka_unit_test_setup_teardown(
		what_a_spawner_that_hangs_was_asked_for_is_asked_of_the_next_one, host_set_up_hasty,
		host_tear_down),
	    cmocka_unit_test_setup_teardown(
		a_profile_that_could_not_be_looked_at_is_looked_at_again, host_set_up_hasty,
		host_tear_down),
	    cmocka_unit_test_setup_teardown(
		a_scan_that_was_not_possible_is_made_again, host_set_up_hasty, host_tear_down),
	    cmocka_unit_test_setup_teardown(
		what_is_watched_and_could_not_be_read_is_looked_at_again, host_set_up_hasty,
		host_tear_down),
	    cmocka_unit_test_setup_teardown(what_can_be_read_and_not_watched_is_looked_at_again,
		host_set_up_hasty, host_tear_down),
	};

	if (count == 2 && strcmp(arguments[1], THREADED) == 0)
		return be_two_threads();
	return cmocka_run_group_tests_name("order", tests, NULL, NULL);
}
