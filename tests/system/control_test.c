/*
 * proclaunchctl(1) to somebody who uses it: what each verb does and says, and the exit statuses
 * that scripts rely on. Who may use it is authority_test's matter.
 */
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <json-c/json.h>
#include <limits.h>
#include <regex.h>
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
#include "message.h"
#include "peer.h"

#define STATUS_RUNNING 0
#define STATUS_STALE   1
#define STATUS_STOPPED 3
#define STATUS_UNKNOWN 4
/* Of check, as Nagios has it. */
#define NAGIOS_UNKNOWN 3

#define SERVICE "exec sleep 1000"
/* Goes 300 ms after it was told to. */
#define SLOW_SERVICE "trap 'sleep 0.3; exit 0' TERM; : > ready; while :; do sleep 0.05; done"
#define TIME_PATTERN "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"

static bool
matches(const char *text, const char *pattern)
{
	regex_t expression;
	bool found;

	if (regcomp(&expression, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		fail_msg("no regular expression: %s", pattern);
	found = regexec(&expression, text, 0, NULL, 0) == 0;
	regfree(&expression);
	return found;
}

#define assert_matches(text, pattern)                                                \
	do {                                                                         \
		if (!matches((text), (pattern)))                                     \
			fail_msg("\"%s\" does not match \"%s\"", (text), (pattern)); \
	} while (0)

/* The answer of one `--json` command. */
static json_object *
ask_json(const struct host *host, const char *verb, const char *name)
{
	struct outcome outcome;
	json_object *object;

	(void)ctl(host, &outcome, verb, "--json", name, NULL);
	object = json_tokener_parse(outcome.output);
	if (object == NULL)
		fail_msg("no JSON: %s", outcome.output);
	/* one object, on one line */
	assert_ptr_equal(strchr(outcome.output, '\n'), strrchr(outcome.output, '\n'));
	return object;
}

static json_object *
member(json_object *object, const char *key)
{
	json_object *value;

	if (!json_object_object_get_ex(object, key, &value))
		fail_msg("no member %s", key);
	return value;
}

static const char *
text_member(json_object *object, const char *key)
{
	assert_true(json_object_is_type(member(object, key), json_type_string));
	return json_object_get_string(member(object, key));
}

/* The only profile in the answer. */
static json_object *
only_profile(json_object *answer)
{
	json_object *profiles = member(answer, "profiles");

	assert_int_equal(json_object_get_int(member(answer, "schema")), 1);
	assert_int_equal(json_object_array_length(profiles), 1);
	return json_object_array_get_idx(profiles, 0);
}

/* Whether `status NAME` says so, in its exit status and in JSON. */
static void
assert_state(const struct host *host, const char *name, const char *state, int status)
{
	struct outcome outcome;
	json_object *answer = ask_json(host, "status", name);

	assert_string_equal(text_member(only_profile(answer), "state"), state);
	assert_int_equal(json_object_put(answer), 1);
	assert_int_equal(ctl(host, &outcome, "status", name, NULL), status);
}

static void
start_stop_and_restart_return_when_that_is_done(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	pid_t first, second;

	host_profile(host, "web", SLOW_SERVICE);
	host_start(host);
	first = host_wait_running(host, "web");
	host_wait_ready(host, "web");
	assert_int_equal(ctl(host, &outcome, "stop", "web", NULL), CTL_DONE);
	assert_false(process_lives(first));
	assert_string_equal(outcome.output, "");
	assert_string_equal(outcome.error, "");
	assert_state(host, "web", "stopped", STATUS_STOPPED);
	host_mark_log(host);
	assert_int_equal(ctl(host, &outcome, "start", "web", NULL), CTL_DONE);
	assert_state(host, "web", "running", STATUS_RUNNING);
	first = host_wait_running(host, "web");
	host_wait_ready(host, "web");
	host_mark_log(host);
	assert_int_equal(ctl(host, &outcome, "restart", "web", NULL), CTL_DONE);
	assert_false(process_lives(first));
	second = host_wait_running(host, "web");
	assert_int_not_equal(first, second);
	assert_true(process_lives(second));
	host_stop_all(host);
}

static void
what_is_so_already_is_done(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	pid_t pid;

	host_profile(host, "web", SERVICE);
	host_start(host);
	pid = host_wait_running(host, "web");
	assert_int_equal(ctl(host, &outcome, "start", "web", NULL), CTL_DONE);
	assert_int_equal(ctl(host, &outcome, "enable", "web", NULL), CTL_DONE);
	assert_true(process_lives(pid));
	assert_int_equal(ctl(host, &outcome, "stop", "web", NULL), CTL_DONE);
	assert_int_equal(ctl(host, &outcome, "stop", "web", NULL), CTL_DONE);
	assert_int_equal(ctl(host, &outcome, "disable", "web", NULL), CTL_DONE);
	assert_int_equal(ctl(host, &outcome, "wait", "--for=stopped", "web", NULL), CTL_DONE);
	host_stop_all(host);
}

static void
start_says_why_a_service_does_not_come_up(void **state)
{
	struct host *host = *state;
	struct outcome outcome;

	host_profile(host, "broken", "exec sleep 1000");
	host_write(host, "broken/run", 0755, "%s", "#!/no/such/interpreter\n");
	host_profile(host, "refused", SERVICE);
	host_write(host, "refused/stop_signal", 0644, "%s", "SIGNONSENSE\n");
	host_start(host);
	host_wait_log(host, " WARN  broken cannot start: ");
	assert_int_equal(ctl(host, &outcome, "start", "broken", NULL), CTL_FAILED);
	assert_matches(outcome.error, "^proclaunchctl: broken: cannot start: execve: No such file");
	assert_int_equal(ctl(host, &outcome, "start", "refused", NULL), CTL_FAILED);
	assert_matches(outcome.error, "^proclaunchctl: refused: refused: stop_signal: ");
	host_stop_all(host);
}

/* It is executed, and so it runs; but who has asked for it wants to know whether it goes on. */
static void
start_of_a_service_that_dies_at_once_has_failed(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	int i;

	host_profile(host, "dies", "exit 3");
	host_write(host, "dies/down", 0644, "%s", "");
	host_profile(host, "again", "exit 4");
	host_write(host, "again/down", 0644, "%s", "");
	host_write(host, "again/restart", 0644, "%s", "");
	host_profile(host, "done", "exit 0");
	host_write(host, "done/down", 0644, "%s", "");
	host_start(host);
	for (i = 0; i < 5; i++) {
		assert_int_equal(ctl(host, &outcome, "start", "dies", NULL), CTL_FAILED);
		assert_string_equal(outcome.error,
		    "proclaunchctl: dies: ended with status 3, and is not to be started again\n");
		assert_int_equal(ctl(host, &outcome, "restart", "done", NULL), CTL_DONE);
	}
	assert_int_equal(ctl(host, &outcome, "start", "again", NULL), CTL_FAILED);
	assert_matches(outcome.error, "^proclaunchctl: again: ended with status 4, ");
	host_stop_all(host);
}

/* Asks for a start of `web`, and stops the parent before it can be said that it runs on. */
static pid_t
start_and_stop_the_parent(struct host *host, struct running_ctl *starts)
{
	struct deadline deadline;
	struct outcome outcome;
	char call[16] = "";
	pid_t web;

	for (;;) {
		host_mark_log(host);
		deadline = deadline_in(200);
		ctl_begin(host, 0, starts, "start", "web", NULL);
		web = host_wait_running(host, "web");
		peer_stop(host->supervisor);
		/* in the middle of a turn it would see to the monitor first */
		if (deadline_left(&deadline) > 0 &&
		    read_proc(host->supervisor, "syscall", call, sizeof(call)) > 0 &&
		    strtol(call, NULL, 10) == SYS_epoll_pwait)
			return web;
		peer_continue(host->supervisor); /* we were too late */
		(void)ctl_wait_end(starts);
		assert_int_equal(ctl(host, &outcome, "stop", "web", NULL), CTL_DONE);
	}
}

/* The monitor took it for running on, of whose death nobody had told it yet. */
static void
start_of_a_service_that_dies_has_failed_however_late_the_parent_is(void **state)
{
	struct host *host = *state;
	struct running_ctl starts;
	struct deadline later;
	siginfo_t end = {.si_pid = 0};

	host_profile(host, "web", SERVICE);
	host_write(host, "web/down", 0644, "%s", "");
	host_start(host);
	assert_int_equal(kill(start_and_stop_the_parent(host, &starts), SIGKILL), 0);
	later = deadline_in(500); /* than it would have been said that it runs on */
	wait_until((waitid(P_PID, (id_t)starts.pid, &end, WEXITED | WNOHANG | WNOWAIT) == 0 &&
		       end.si_pid != 0) ||
	    deadline_left(&later) <= 0);
	peer_continue(host->supervisor);
	assert_int_equal(ctl_wait_end(&starts), CTL_FAILED);
	host_stop_all(host);
}

/* That `run` has ended with status 0 says nothing of the daemon that it was to start. */
static void
a_daemon_that_pid_file_never_named_has_failed_whatever_run_says(void **state)
{
	struct host *host = *state;
	struct outcome outcome;

	host_profile(host, "gone", ":");
	host_write(host, "gone/pid_file", 0644, "daemon.pid");
	host_write(host, "gone/start_timeout", 0644, "1");
	host_profile(host, "late", "setsid sleep 1000 >/dev/null 2>&1 </dev/null &");
	host_write(host, "late/pid_file", 0644, "daemon.pid");
	host_write(host, "late/start_timeout", 0644, "1");
	host_profile(host, "again", ":");
	host_write(host, "again/pid_file", 0644, "daemon.pid");
	host_write(host, "again/start_timeout", 0644, "1");
	host_write(host, "again/restart", 0644, "on-failure");
	host_start(host);
	assert_int_equal(ctl(host, &outcome, "start", "gone", NULL), CTL_FAILED);
	if (host_has_cgroups(host))
		assert_string_equal(outcome.error,
		    "proclaunchctl: gone: ended before pid_file had named a process of it, and is "
		    "not to be started again\n");
	assert_int_equal(ctl(host, &outcome, "start", "late", NULL), CTL_FAILED);
	assert_matches(outcome.error, "^proclaunchctl: late: pid_file has named no process of it ");
	assert_int_equal(ctl(host, &outcome, "check", "gone", NULL), 2);
	assert_int_equal(ctl(host, &outcome, "check", "late", NULL), 2);
	host_wait_log(host, " INFO  again starting again in ");
	/* the next monitor knows it, too */
	assert_int_equal(kill(host_monitor(host), SIGKILL), 0);
	assert_int_equal(ctl(host, &outcome, "check", "gone", NULL), 2);
	assert_int_equal(ctl(host, &outcome, "check", "late", NULL), 2);
	host_stop_all(host);
}

static void
no_wait_returns_at_once_and_timeout_after_its_time(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	pid_t pid;

	host_profile(host, "deaf", "trap '' TERM; : > ready; exec sleep 1000");
	host_start(host);
	pid = host_wait_running(host, "deaf");
	host_wait_ready(host, "deaf");
	assert_int_equal(ctl(host, &outcome, "--no-wait", "stop", "deaf", NULL), CTL_DONE);
	assert_true(process_lives(pid));
	assert_state(host, "deaf", "stopping", STATUS_STOPPED);
	assert_int_equal(ctl(host, &outcome, "stop", "--timeout=1", "deaf", NULL), CTL_FAILED);
	assert_string_equal(outcome.error, "proclaunchctl: deaf: not done in time (--timeout)\n");
	assert_true(process_lives(pid));
	assert_int_equal(ctl(host, &outcome, "signal", "KILL", "deaf", NULL), CTL_DONE);
	assert_int_equal(ctl(host, &outcome, "stop", "deaf", NULL), CTL_DONE);
	assert_false(process_lives(pid));
	host_stop_all(host);
}

static void
wait_returns_when_the_state_is_reached(void **state)
{
	struct running_ctl waits;
	struct outcome outcome;
	struct host *host = *state;

	host_profile(host, "web", SERVICE);
	host_write(host, "web/down", 0644, "%s", "");
	host_start(host);
	ctl_begin(host, 0, &waits, "wait", "--for=running", "web", NULL);
	assert_int_equal(
	    ctl(host, &outcome, "wait", "--for=running", "--timeout=0", "web", NULL), CTL_FAILED);
	assert_int_equal(ctl(host, &outcome, "start", "web", NULL), CTL_DONE);
	assert_int_equal(ctl_wait_end(&waits), CTL_DONE);
	ctl_begin(host, 0, &waits, "wait", "web", "--for", "stopped", NULL);
	assert_int_equal(ctl(host, &outcome, "stop", "web", NULL), CTL_DONE);
	assert_int_equal(ctl_wait_end(&waits), CTL_DONE);
	host_stop_all(host);
}

static void
who_waits_for_a_profile_that_disappears_is_told(void **state)
{
	struct running_ctl waits, follows;
	struct outcome outcome;
	struct host *host = *state;

	host_profile(host, "web", "echo the last words; exec sleep 1000");
	host_start(host);
	(void)host_wait_running(host, "web");
	ctl_begin(host, 0, &waits, "wait", "--for=starting", "web", NULL);
	ctl_begin(host, 0, &follows, "log", "-f", "web", NULL);
	ctl_wait_said(&follows, "the last words");
	assert_int_equal(
	    ctl(host, &outcome, "wait", "--for=starting", "--timeout=0", "web", NULL), CTL_FAILED);
	host_remove(host, "web");
	assert_int_equal(ctl_wait_end(&waits), CTL_NO_PROFILE);
	assert_int_equal(ctl_wait_end(&follows), CTL_NO_PROFILE);
	assert_int_equal(ctl(host, &outcome, "reopen", NULL), CTL_DONE);
	host_stop_all(host);
}

static void
who_starts_what_has_disappeared_and_does_not_end_is_told_at_once(void **state)
{
	struct host *host = *state;
	struct outcome outcome;

	host_profile(host, "deaf", "trap '' TERM; : > ready; exec sleep 1000");
	host_start(host);
	(void)host_wait_running(host, "deaf");
	host_wait_ready(host, "deaf");
	host_remove(host, "deaf");
	host_wait_log(host, " INFO  deaf stopping$");
	assert_int_equal(ctl(host, &outcome, "start", "deaf", "--timeout=5", NULL), CTL_NO_PROFILE);
	assert_string_equal(outcome.error, "proclaunchctl: deaf: it has disappeared\n");
	assert_int_equal(ctl(host, &outcome, "explain", "deaf", NULL), CTL_DONE);
	assert_matches(outcome.output,
	    "^deaf is stopping: its directory has disappeared; waiting for pid [0-9]+ to end, ");
	assert_int_equal(ctl(host, &outcome, "signal", "KILL", "deaf", NULL), CTL_DONE);
	host_stop_all(host);
}

static void
status_exits_as_the_linux_standard_base_says(void **state)
{
	struct host *host = *state;
	struct outcome outcome;

	host_profile(host, "up", SERVICE);
	host_profile(host, "idle", SERVICE);
	host_write(host, "idle/down", 0644, "%s", "");
	host_profile(host, "stale", SERVICE);
	host_write(host, "stale/down", 0644, "%s", "");
	host_write(host, "stale/pid_file", 0644, "%s", "daemon.pid\n");
	host_write(host, "stale/daemon.pid", 0644, "%s", "4242\n");
	host_start(host);
	(void)host_wait_running(host, "up");
	assert_int_equal(ctl(host, &outcome, "status", "up", NULL), STATUS_RUNNING);
	assert_int_equal(ctl(host, &outcome, "status", "idle", NULL), STATUS_STOPPED);
	assert_int_equal(ctl(host, &outcome, "status", "stale", NULL), STATUS_STALE);
	host_remove(host, "stale/daemon.pid");
	assert_int_equal(ctl(host, &outcome, "status", "stale", NULL), STATUS_STOPPED);
	assert_int_equal(ctl(host, &outcome, "status", "nothing", NULL), STATUS_UNKNOWN);
	assert_int_equal(ctl(host, &outcome, "status", "up", "idle", NULL), STATUS_STOPPED);
	assert_int_equal(ctl(host, &outcome, "status", "nothing", "up", NULL), STATUS_UNKNOWN);
	assert_int_equal(ctl(host, &outcome, "-q", "status", "up", NULL), STATUS_RUNNING);
	assert_string_equal(outcome.output, "");
	host_stop_all(host);
	assert_int_equal(ctl(host, &outcome, "status", "up", NULL), STATUS_UNKNOWN);
}

/* What every other verb says when nobody answers. */
static void
without_a_supervisor_status_exits_4_check_3_and_the_others_1(void **state)
{
	static const char *const others[] = {
	    "list", "metrics", "events", "ping", "version", "reopen"};
	static const char *const about_one[] = {
	    "start", "stop", "restart", "reload", "enable", "disable", "reset", "explain", "log"};
	struct host *host = *state;
	struct outcome outcome;
	size_t i;

	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		assert_int_equal(ctl(host, &outcome, others[i], NULL), CTL_FAILED);
		assert_non_null(
		    strstr(outcome.error, "no proclaunch runs on this state directory"));
	}
	for (i = 0; i < sizeof(about_one) / sizeof(about_one[0]); i++)
		assert_int_equal(ctl(host, &outcome, about_one[i], "web", NULL), CTL_FAILED);
	assert_int_equal(ctl(host, &outcome, "signal", "HUP", "web", NULL), CTL_FAILED);
	assert_int_equal(ctl(host, &outcome, "wait", "--for=running", "web", NULL), CTL_FAILED);
	assert_int_equal(ctl(host, &outcome, "status", "web", NULL), STATUS_UNKNOWN);
	assert_int_equal(ctl(host, &outcome, "status", NULL), STATUS_UNKNOWN);
	assert_int_equal(ctl(host, &outcome, "check", NULL), 3);
	assert_string_equal(
	    outcome.output, "PROCLAUNCH UNKNOWN - the supervisor does not answer\n");
}

/* SIGSTOP: it is there, and says nothing. */
static void
a_supervisor_that_does_not_answer_is_given_up_after_timeout(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	pid_t monitor;

	host_start(host);
	monitor = host_monitor(host);
	assert_int_equal(kill(monitor, SIGSTOP), 0);
	assert_int_equal(ctl(host, &outcome, "--timeout=1", "list", NULL), CTL_FAILED);
	assert_string_equal(outcome.error, "proclaunchctl: not done in time (--timeout)\n");
	assert_int_equal(ctl(host, &outcome, "--timeout=1", "check", NULL), 3);
	assert_int_equal(kill(monitor, SIGCONT), 0);
	assert_int_equal(ctl(host, &outcome, "ping", NULL), CTL_DONE);
	host_stop_all(host);
}

/* The monitor knows how the service stands, and only the parent can open what it has printed. */
static void
status_says_that_the_last_lines_are_missing(void **state)
{
	struct host *host = *state;
	struct outcome outcome;

	host_profile(host, "web", SERVICE);
	host_start(host);
	(void)host_wait_running(host, "web");
	assert_int_equal(ctl(host, &outcome, "status", "web", NULL), STATUS_RUNNING);
	assert_string_equal(outcome.error, "");
	assert_int_equal(kill(host->supervisor, SIGSTOP), 0);
	assert_int_equal(
	    ctl(host, &outcome, "--timeout=0.5", "status", "web", NULL), STATUS_RUNNING);
	assert_int_equal(kill(host->supervisor, SIGCONT), 0);
	assert_matches(outcome.output, "^web running pid [0-9]+ ");
	assert_string_equal(outcome.error, "proclaunchctl: web: not done in time (--timeout)\n");
	host_stop_all(host);
}

/* Listens as a supervisor would, and answers nothing. */
static int
listen_in(const struct host *host)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	assert_int_not_equal(listener, -1);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%.80s/control", host->root);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 8), 0);
	return listener;
}

/* How much the one who was there has asked behind its greeting. */
static unsigned
questions_before_an_answer(int listener)
{
	struct message message;
	unsigned questions = 0;
	int client = accept(listener, NULL, NULL);

	assert_int_not_equal(client, -1);
	assert_int_equal(recv(client, &message, sizeof(message), 0), sizeof(message));
	assert_int_equal(message.type, MESSAGE_HELLO);
	while (recv(client, &message, sizeof(message), 0) > 0) {
		assert_int_equal(message.type, MESSAGE_ASK);
		questions++;
	}
	assert_int_equal(close(client), 0);
	return questions;
}

static void
nothing_that_changes_anything_is_asked_before_it_is_known_whose_supervisor_it_is(void **state)
{
	static const struct {
		const char *command;
		unsigned questions;
	} verbs[] = {{"start web", 0}, {"stop web", 0}, {"restart web", 0}, {"reload web", 0},
	    {"signal HUP web", 0}, {"enable web", 0}, {"disable web", 0}, {"reset web", 0},
	    {"reopen", 0}, {"version", 0}, {"events web", 0}, {"list", 1}, {"list web mail", 1},
	    {"status", 1}, {"status web", 2}, {"status web mail", 1}, {"status --json web", 1},
	    {"explain web", 1}, {"wait --for=running web", 1}, {"log web", 1}, {"check", 1},
	    {"check web", 1}, {"metrics", 1}, {"ping", 1}};
	struct host *host = *state;
	char program[PATH_MAX], command[2 * PATH_MAX];
	struct outcome outcome;
	int listener = listen_in(host);
	size_t i;

	host_program("proclaunchctl", program, sizeof(program));
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		(void)snprintf(command, sizeof(command), "exec %s -d %s --timeout=0.02 %s", program,
		    host->root, verbs[i].command);
		run_program(&outcome, "/bin/sh", "-c", command, NULL);
		assert_int_not_equal(outcome.status, CTL_DONE);
		assert_non_null(strstr(outcome.error, "not done in time"));
		if (questions_before_an_answer(listener) != verbs[i].questions)
			fail_msg("%s", verbs[i].command);
	}
	assert_int_equal(close(listener), 0);
}

static void
usage_errors_exit_2_and_ask_nobody(void **state)
{
	static const char *const lines[][4] = {
	    {NULL},
	    {"nonsense"},
	    {"start"},
	    {"stop"},
	    {"restart"},
	    {"reload"},
	    {"enable"},
	    {"disable"},
	    {"reset"},
	    {"explain"},
	    {"wait", "web"},
	    {"wait", "--for=sleeping", "web"},
	    {"wait", "--for=running"},
	    {"signal"},
	    {"signal", "web"},
	    {"signal", "SEGV", "web"},
	    {"signal", "HUP"},
	    {"signal", "0", "web"},
	    {"ping", "web"},
	    {"version", "web"},
	    {"reopen", "web"},
	    {"metrics", "web"},
	    {"log", "web", "mail"},
	    {"log", "-n", "many"},
	    {"log", "-n", "-1"},
	    {"events", "web", "mail"},
	    {"list", "--nonsense"},
	    {"list", "--color=pink"},
	    {"list", "-o", "name,colour"},
	    {"list", "-o", ""},
	    {"list", "-o", "name,"},
	    {"list", "-o", ",name"},
	    {"list", "--timeout=soon"},
	    {"list", "--timeout=1."},
	    {"list", "--timeout=.5"},
	    {"list", "--timeout=1e3"},
	    {"list", "--timeout=1.5.5"},
	    {"list", "--timeout=-1"},
	    {"list", "--timeout="},
	    {"list", "--color="},
	    {"list", "-f"},
	    {"start", "web", "-f"},
	    {"list", "-n", "5"},
	    {"list", "--for=running"},
	    {"list", "--no-wait"},
	    {"list", "--stderr"},
	    {"list", "--textfile=f"},
	    {"start", "web", "-o", "name"},
	    {"status", "web", "-o", "name"},
	    {"status", "web", "--no-header"},
	    {"start", "web", "--no-header"},
	    {"start", "web", "--for=running"},
	    {"reload", "web", "--no-wait"},
	    {"status", "web", "-n", "5"},
	    {"events", "--stderr"},
	    {"check", "--textfile=f"},
	    {"log", "--for=running"},
	    {"log", "--stderr"},
	    {"metrics", "-o", "name"},
	    {"ping", "--no-wait"},
	    {"list", "-d"},
	    {"list", "-d", ""},
	    {"list", "--state-dir="},
	    {"metrics", "--textfile="},
	    {"start", ""},
	    {"status", ""},
	    {"log", ""},
	    {"events", "web", ""},
	    {"--version", "web"},
	    {"--version", "--nonsense"},
	    {"list", "--version"},
	};
	struct host *host = *state;
	struct outcome outcome;
	size_t i;

	/* no supervisor runs: whatever had asked for it would exit 1 */
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		(void)ctl(host, &outcome, lines[i][0], lines[i][1], lines[i][2], lines[i][3], NULL);
		if (outcome.status != CTL_USAGE || outcome.output[0] != '\0' ||
		    outcome.error[0] == '\0')
			fail_msg("%s %s: exit %d", lines[i][0], lines[i][1], outcome.status);
		/* a screenful of verbs would push what is wrong off a terminal */
		assert_null(strstr(outcome.error, "for Nagios"));
	}
	assert_int_equal(ctl(host, &outcome, "--help", NULL), CTL_DONE);
	assert_non_null(strstr(outcome.output, "usage: proclaunchctl "));
	assert_non_null(strstr(outcome.output, "for Nagios"));
	assert_int_equal(ctl(host, &outcome, "--version", NULL), CTL_DONE);
	assert_matches(outcome.output, "^ProcLaunch [0-9.]+ \\(build [0-9a-f]+\\)\n$");
}

static void
options_are_taken_before_and_after_the_verb(void **state)
{
	struct outcome before, between, after;
	struct host *host = *state;

	host_profile(host, "web", SERVICE);
	host_start(host);
	(void)host_wait_running(host, "web");
	assert_int_equal(
	    ctl(host, &before, "-o", "name,state", "--no-header", "list", "web", NULL), CTL_DONE);
	assert_int_equal(
	    ctl(host, &between, "list", "--no-header", "-o", "name,state", "web", NULL), CTL_DONE);
	assert_int_equal(
	    ctl(host, &after, "list", "web", "-o", "name,state", "--no-header", NULL), CTL_DONE);
	assert_matches(before.output, "^web +running\n$");
	assert_string_equal(between.output, before.output);
	assert_string_equal(after.output, before.output);
	assert_int_equal(
	    ctl(host, &after, "--no-header", "-oname,state", "--", "list", "web", NULL), CTL_DONE);
	assert_string_equal(after.output, before.output);
	assert_int_equal(setenv("POSIXLY_CORRECT", "1", 1), 0);
	assert_int_equal(
	    ctl(host, &after, "list", "web", "-o", "name,state", "--no-header", NULL), CTL_DONE);
	assert_int_equal(unsetenv("POSIXLY_CORRECT"), 0);
	assert_string_equal(after.output, before.output);
	/* behind it nothing is an option */
	assert_int_equal(ctl(host, &after, "list", "--", "--no-header", NULL), CTL_NO_PROFILE);
	assert_string_equal(after.error, "proclaunchctl: --no-header: no such profile\n");
	/* short ones in one word */
	assert_int_equal(ctl(host, &after, "events", "-jn1", "web", NULL), CTL_DONE);
	assert_matches(after.output, "^\\{[^\n]*\\}\n$");
	host_stop_all(host);
}

/* A script that asks for nothing but the exit status, and one that must not take silence for an
 * answer. */
static void
quiet_prints_nothing_and_output_that_cannot_be_written_is_a_failure(void **state)
{
	static const char *const verbs[] = {"list", "status", "version", "ping", "metrics"};
	char program[PATH_MAX], line[3 * PATH_MAX];
	struct host *host = *state;
	struct outcome outcome;
	size_t i;

	host_profile(host, "web", SERVICE);
	host_start(host);
	(void)host_wait_running(host, "web");
	host_program("proclaunchctl", program, sizeof(program));
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		assert_int_equal(ctl(host, &outcome, "-q", verbs[i], NULL), CTL_DONE);
		assert_string_equal(outcome.output, "");
		/* the first descriptor that is free would be the connection */
		(void)snprintf(
		    line, sizeof(line), "exec %s -d %s %s >&-", program, host->state, verbs[i]);
		run_program(&outcome, "/bin/sh", "-c", line, NULL);
		assert_int_equal(
		    outcome.status, strcmp(verbs[i], "status") == 0 ? STATUS_UNKNOWN : CTL_FAILED);
		assert_string_equal(
		    outcome.error, "proclaunchctl: standard output: Bad file descriptor\n");
	}
	assert_int_equal(ctl(host, &outcome, "-jq", "explain", "web", NULL), CTL_DONE);
	assert_string_equal(outcome.output, "");
	host_stop_all(host);
}

static void
list_has_a_line_a_profile_sorted_by_name(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	char expected[512];
	pid_t pid;

	host_profile(host, "web", SERVICE);
	host_profile(host, "mail", "exit 3");
	host_profile(host, "cron", "kill -KILL $$");
	host_profile(host, "bad", SERVICE);
	host_write(host, "bad/user", 0644, "%s", "no-such-account\n");
	host_start(host);
	pid = host_wait_running(host, "web");
	host_wait_log(host, " INFO  mail stopped$");
	host_wait_log(host, " INFO  cron stopped$");
	assert_int_equal(ctl(host, &outcome, "list", NULL), CTL_DONE);
	(void)snprintf(expected, sizeof(expected),
	    "^NAME +USER +STATE +PID +SINCE +RESTARTS +LAST-EXIT *\n"
	    "bad +- +stopped +- " TIME_PATTERN "Z +0 - *\n"
	    "cron +root +stopped +- " TIME_PATTERN "Z +0 SIGKILL *\n"
	    "mail +root +stopped +- " TIME_PATTERN "Z +0 exit 3 *\n"
	    "web +root +running +%d " TIME_PATTERN "Z +0 - *\n$",
	    pid);
	assert_matches(outcome.output, expected);
	assert_int_equal(ctl(host, &outcome, "list", "--no-header", "web", "mail", NULL), CTL_DONE);
	assert_matches(outcome.output, "^mail .*\nweb [^\n]*\n$");
	assert_int_equal(ctl(host, &outcome, "list", "-o",
			     "wanted,uptime,failures,uid,reason,LAST-EXIT,name", "mail", NULL),
	    CTL_DONE);
	assert_matches(outcome.output,
	    "^WANTED UPTIME FAILURES UID REASON +LAST-EXIT NAME\n"
	    "up +- +1 +0 ended with status 3, and is not to be started again exit 3 +mail\n$");
	assert_int_equal(ctl(host, &outcome, "list", "web", "nothing", NULL), CTL_NO_PROFILE);
	assert_matches(outcome.output, "\nweb ");
	assert_string_equal(outcome.error, "proclaunchctl: nothing: no such profile\n");
	/* named twice it is there once */
	assert_int_equal(ctl(host, &outcome, "list", "--no-header", "web", "web", NULL), CTL_DONE);
	assert_matches(outcome.output, "^web [^\n]*\n$");
	assert_int_equal(ctl(host, &outcome, "log", "nothing", NULL), CTL_NO_PROFILE);
	assert_string_equal(outcome.error, "proclaunchctl: nothing: no such profile\n");
	host_stop_all(host);
}

#define GREEN "\033[32m"
#define RED   "\033[31m"

static void
colours_are_for_terminals_and_for_those_who_want_them(void **state)
{
	static const char *const verbs[] = {"list", "status"};
	struct host *host = *state;
	struct outcome outcome;
	int i;

	host_profile(host, "web", SERVICE);
	host_profile(host, "idle", SERVICE);
	host_write(host, "idle/down", 0644, "%s", "");
	host_profile(host, "bad", SERVICE);
	host_write(host, "bad/restart", 0644, "%s", "perhaps\n");
	host_start(host);
	(void)host_wait_running(host, "web");
	assert_int_equal(setenv("TERM", "xterm", 1), 0);
	assert_int_equal(ctl(host, &outcome, "list", NULL), CTL_DONE);
	assert_null(strchr(outcome.output, '\033'));
	for (i = 0; i < 2; i++) {
		/* nobody wants it: it is as it should be */
		(void)ctl_on_terminal(host, 0, &outcome, verbs[i], "idle", NULL);
		assert_null(strchr(outcome.output, '\033'));
		(void)ctl_on_terminal(host, 0, &outcome, verbs[i], "bad", NULL);
		assert_non_null(strstr(outcome.output, RED "stopped"));
	}
	assert_int_equal(ctl(host, &outcome, "list", "--color=always", NULL), CTL_DONE);
	assert_non_null(strstr(outcome.output, GREEN "running"));
	assert_int_equal(ctl_on_terminal(host, 0, &outcome, "list", NULL), CTL_DONE);
	assert_non_null(strstr(outcome.output, GREEN "running"));
	assert_int_equal(ctl_on_terminal(host, 0, &outcome, "status", "web", NULL), CTL_DONE);
	assert_non_null(strstr(outcome.output, GREEN "running"));
	assert_int_equal(
	    ctl_on_terminal(host, 0, &outcome, "--color=never", "list", NULL), CTL_DONE);
	assert_null(strchr(outcome.output, '\033'));
	assert_int_equal(setenv("NO_COLOR", "1", 1), 0);
	assert_int_equal(ctl_on_terminal(host, 0, &outcome, "list", NULL), CTL_DONE);
	assert_null(strchr(outcome.output, '\033'));
	assert_int_equal(ctl_on_terminal(host, 0, &outcome, "list", "--color=always", NULL), 0);
	assert_non_null(strstr(outcome.output, GREEN "running"));
	assert_int_equal(setenv("NO_COLOR", "", 1), 0); /* empty counts as not set */
	assert_int_equal(ctl_on_terminal(host, 0, &outcome, "list", NULL), CTL_DONE);
	assert_non_null(strstr(outcome.output, GREEN "running"));
	assert_int_equal(unsetenv("NO_COLOR"), 0);
	assert_int_equal(setenv("TERM", "dumb", 1), 0);
	assert_int_equal(ctl_on_terminal(host, 0, &outcome, "list", NULL), CTL_DONE);
	assert_null(strchr(outcome.output, '\033'));
	assert_int_equal(ctl_on_terminal(host, 0, &outcome, "list", "--color=always", NULL), 0);
	assert_non_null(strstr(outcome.output, GREEN "running"));
	assert_int_equal(unsetenv("TERM"), 0);
	host_stop_all(host);
}

/* To a script an empty list is an empty list. */
static void
who_has_no_profile_is_told_so_on_a_terminal(void **state)
{
	static const char *const verbs[] = {"list", "status"};
	struct host *host = *state;
	struct outcome outcome;
	int i;

	host_start(host);
	for (i = 0; i < 2; i++) {
		assert_int_equal(ctl_on_terminal(host, 0, &outcome, verbs[i], NULL), CTL_DONE);
		assert_string_equal(outcome.output, "there is no profile\r\n");
		(void)ctl_on_terminal(
		    host, account_uid(TENANT), &outcome, "--no-header", verbs[i], NULL);
		assert_string_equal(outcome.output, "no profile runs as you\r\n");
		(void)ctl_on_terminal(host, 0, &outcome, "-q", verbs[i], NULL);
		assert_string_equal(outcome.output, "");
		assert_int_equal(ctl(host, &outcome, verbs[i], NULL), CTL_DONE);
		assert_string_equal(outcome.output, "");
		assert_string_equal(outcome.error, "");
	}
	host_stop_all(host);
}

/* The keys that the manual promises, each with the type that it has where it is not null. */
static const struct {
	const char *key;
	json_type type;
	bool may_be_null;
} keys[] = {
    {"name", json_type_string, false},
    {"user", json_type_string, true},
    {"uid", json_type_int, true},
    {"state", json_type_string, false},
    {"wanted", json_type_string, false},
    {"pid", json_type_int, true},
    {"since", json_type_string, true},
    {"uptime_ms", json_type_int, true},
    {"restarts", json_type_int, false},
    {"failures", json_type_int, false},
    {"last_exit", json_type_object, true},
    {"ready", json_type_boolean, false},
    {"refused", json_type_boolean, false},
    {"reason", json_type_string, false},
    {"decided_by", json_type_string, true},
    {"next_start", json_type_string, true},
    {"next_timer", json_type_object, true},
};
#define KEYS (sizeof(keys) / sizeof(keys[0]))

static void
assert_well_formed(json_object *profile)
{
	json_object *value;
	size_t i;

	assert_int_equal(json_object_object_length(profile), KEYS);
	for (i = 0; i < KEYS; i++) {
		value = member(profile, keys[i].key);
		if (value == NULL ? !keys[i].may_be_null
				  : !json_object_is_type(value, keys[i].type))
			fail_msg("%s: %s", keys[i].key, json_object_to_json_string(profile));
	}
	assert_matches(text_member(profile, "since"), "^" TIME_PATTERN "\\.[0-9]{3}Z$");
}

static void
assert_last_exit(json_object *profile, const char *key, const char *value)
{
	json_object *exit = member(profile, "last_exit");

	assert_non_null(exit);
	assert_int_equal(json_object_object_length(exit), 3);
	assert_true(json_object_get_int(member(exit, "pid")) > 1);
	assert_matches(text_member(exit, "time"), "^" TIME_PATTERN "\\.[0-9]{3}Z$");
	assert_string_equal(json_object_get_string(member(exit, key)), value);
}

static void
json_is_one_object_with_the_promised_keys(void **state)
{
	static const char *const names[] = {"again", "cron", "mail", "web"};
	static const char *const verbs[] = {"list", "status", "explain"};
	struct host *host = *state;
	json_object *answer, *profiles, *profile;
	pid_t pid;
	size_t i;

	host_profile(host, "web", SERVICE);
	host_profile(host, "mail", "exit 3");
	host_profile(host, "cron", "kill -KILL $$");
	host_profile(host, "again", "exit 4");
	host_write(host, "again/restart", 0644, "%s", "");
	host_start(host);
	pid = host_wait_running(host, "web");
	host_wait_log(host, " INFO  mail stopped$");
	host_wait_log(host, " INFO  cron stopped$");
	host_wait_log(host, " INFO  again starting again in [2-9]\\.[0-9]+ s$");
	answer = ask_json(host, "list", NULL);
	assert_int_equal(json_object_object_length(answer), 2);
	assert_int_equal(json_object_get_int(member(answer, "schema")), 1);
	profiles = member(answer, "profiles");
	assert_int_equal(json_object_array_length(profiles), 4);
	for (i = 0; i < 4; i++) {
		profile = json_object_array_get_idx(profiles, i);
		assert_well_formed(profile);
		assert_string_equal(text_member(profile, "name"), names[i]);
	}
	profile = json_object_array_get_idx(profiles, 0);
	assert_last_exit(profile, "exit", "4");
	assert_true(json_object_get_int(member(profile, "restarts")) >= 2);
	/* the next start is planned and has not come yet */
	assert_int_equal(json_object_get_int(member(profile, "failures")),
	    json_object_get_int(member(profile, "restarts")) + 1);
	assert_string_equal(text_member(profile, "decided_by"), "backoff");
	assert_matches(text_member(profile, "next_start"), "^" TIME_PATTERN "\\.[0-9]{3}Z$");
	assert_string_equal(text_member(profile, "wanted"), "up");
	assert_last_exit(json_object_array_get_idx(profiles, 1), "signal", "SIGKILL");
	assert_last_exit(json_object_array_get_idx(profiles, 2), "exit", "3");
	profile = json_object_array_get_idx(profiles, 3);
	assert_null(member(profile, "last_exit"));
	assert_int_equal(json_object_get_int(member(profile, "pid")), pid);
	assert_true(json_object_get_int64(member(profile, "uptime_ms")) >= 0);
	assert_true(json_object_get_boolean(member(profile, "ready")));
	assert_string_equal(text_member(profile, "user"), "root");
	assert_int_equal(json_object_put(answer), 1);
	/* what reads it need not look at the exit status first */
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		answer = ask_json(host, verbs[i], "nothing");
		assert_int_equal(json_object_array_length(member(answer, "profiles")), 0);
		assert_int_equal(json_object_put(answer), 1);
	}
	answer = ask_json(host, "version", NULL);
	assert_int_equal(json_object_get_int(member(answer, "schema")), 1);
	assert_string_equal(text_member(member(answer, "proclaunch"), "build"),
	    text_member(member(answer, "proclaunchctl"), "build"));
	assert_string_equal(text_member(member(answer, "proclaunch"), "version"),
	    text_member(member(answer, "proclaunchctl"), "version"));
	assert_int_equal(json_object_put(answer), 1);
	host_stop_all(host);
}

/* Nobody was there to see it end, and to be told how. */
static void
an_end_that_the_kernel_could_not_tell_has_exit_null(void **state)
{
	struct host *host = *state;
	json_object *answer, *exit;
	pid_t pid;

	host_profile(host, "web", SERVICE);
	host_start(host);
	pid = host_wait_running(host, "web");
	/* who has taken over the service learns how it ended, and nobody else */
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	host_crash(host);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
	host_start(host);
	host_wait_log(host, " INFO  web died pid %d$", pid);
	answer = ask_json(host, "status", "web");
	exit = member(only_profile(answer), "last_exit");
	assert_int_equal(json_object_object_length(exit), 3);
	assert_int_equal(json_object_get_int(member(exit, "pid")), pid);
	assert_null(member(exit, "exit"));
	assert_int_equal(json_object_put(answer), 1);
	host_stop_all(host);
}

static void
status_is_one_screen_with_processes_memory_processor_and_last_lines(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	int number;

	host_profile(host, "web",
	    "i=0; while [ $i -lt 30 ]; do i=$((i + 1)); echo line-$i; done\n"
	    "sleep 1001 & exec sleep 1000");
	host_start(host);
	(void)host_wait_running(host, "web");
	do {
		assert_int_equal(ctl(host, &outcome, "status", "web", NULL), STATUS_RUNNING);
		/* both have become what they are to be */
	} while (strstr(outcome.output, "line-30") == NULL ||
	    strstr(outcome.output, " sleep 1000\n") == NULL ||
	    strstr(outcome.output, "-sleep 1001\n") == NULL);
	assert_matches(outcome.output,
	    "^web running pid [0-9]+ since " TIME_PATTERN "Z \\([0-9]+s\\)\n"
	    "  run has been executed\n"
	    "  user root, wanted up, 0 restarts, last exit -\n");
	assert_matches(
	    outcome.output, "  2 processes, [1-9][0-9]* K memory, [0-9.]+ s processor time\n");
	assert_matches(outcome.output, "[0-9]+ K +[0-9.]+ s sleep 1000\n");
	assert_matches(outcome.output, "[0-9]+ K +[0-9.]+ s `-sleep 1001\n");
	assert_null(strstr(outcome.output, " line-20\n"));
	for (number = 21; number <= 30; number++) {
		char line[32];

		(void)snprintf(line, sizeof(line), "Z line-%d\n", number);
		assert_non_null(strstr(outcome.output, line));
	}
	assert_true(strstr(outcome.output, "line-21") > strstr(outcome.output, "sleep 1000"));
	host_stop_all(host);
}

static void
assert_columns_end_where_their_heads_do(const char *heads, unsigned lines)
{
	size_t pid = (size_t)(strstr(heads, "PID") - heads) + 2,
	       memory = (size_t)(strstr(heads, "MEMORY") - heads) + 5,
	       processor = (size_t)(strstr(heads, "CPU") - heads) + 2;
	const char *line = heads;

	while (lines-- > 0) {
		line = strchr(line, '\n') + 1;
		assert_in_range(line[pid], '0', '9');
		assert_int_equal(line[memory], 'K');
		assert_int_equal(line[processor], 's');
	}
}

static void
status_draws_the_processes_as_a_tree_and_their_names_command_no_terminal(void **state)
{
	struct host *host = *state;
	struct outcome outcome;

	host_profile(host, "web",
	    "sh -c 'sleep 1003 & exec sleep 1002' &\n"
	    "sleep 1001 &\n"
	    "exec sh -c 'sleep 1000; :' \"$(printf 'caf\\303\\251 \\177 \\033[31m \\\\x41 "
	    "\\\\y')\"");
	host_start(host);
	(void)host_wait_running(host, "web");
	do
		assert_int_equal(ctl(host, &outcome, "status", "web", NULL), STATUS_RUNNING);
	while (strstr(outcome.output, "-sleep 1000\n") == NULL ||
	    strstr(outcome.output, "-sleep 1001\n") == NULL ||
	    strstr(outcome.output, "-sleep 1002\n") == NULL ||
	    strstr(outcome.output, "-sleep 1003\n") == NULL);
	assert_matches(outcome.output,
	    "\n *PID +MEMORY +CPU COMMAND\n"
	    " *[0-9]+ +[0-9]+ K +[0-9.]+ s sh -c sleep 1000; : "
	    "caf\\\\xc3\\\\xa9 \\\\x7f  \\[31m \\\\x5cx41 \\\\y\n");
	assert_matches(
	    outcome.output, " s [|]-sleep 1002\n *[0-9]+ +[0-9]+ K +[0-9.]+ s [|] `-sleep 1003\n");
	assert_matches(outcome.output, " s [|]-sleep 1001\n");
	assert_matches(outcome.output, " s `-sleep 1000\n\n");
	assert_columns_end_where_their_heads_do(strstr(outcome.output, "\n\n") + 2, 4);
	host_stop_all(host);
}

/* A fork bomb is not to look as if it had stopped at what a screen takes. */
static void
status_does_not_say_of_more_processes_than_it_shows_that_these_are_all(void **state)
{
	struct host *host = *state;
	struct outcome outcome;

	host_profile(host, "web",
	    "i=0; while [ $i -lt 520 ]; do sleep 1000 & i=$((i + 1)); done; : > ready\n"
	    "wait");
	host_start(host);
	(void)host_wait_running(host, "web");
	host_wait_ready(host, "web");
	assert_int_equal(ctl(host, &outcome, "status", "web", NULL), STATUS_RUNNING);
	assert_matches(outcome.output,
	    "\n  at least 512 processes, [1-9][0-9]* K memory, [0-9.]+ s processor time\n");
	host_stop_all(host);
}

/* By the cgroup, wherever its hierarchy is mounted; its session and its parents do not tell. */
static void
status_counts_a_process_that_only_its_cgroup_keeps_in_the_profile(void **state)
{
	struct host *host = *state;
	char program[PATH_MAX], command[2 * PATH_MAX];
	struct outcome outcome;

	host_profile(host, "web", "sh -c 'setsid sleep 1001 &'\nexec sleep 1000");
	host_start(host);
	(void)host_wait_running(host, "web");
	if (!host_has_cgroups(host)) {
		host_stop_all(host);
		skip();
	}
	do
		assert_int_equal(ctl(host, &outcome, "status", "web", NULL), STATUS_RUNNING);
	while (strstr(outcome.output, " s sleep 1000\n") == NULL ||
	    strstr(outcome.output, " s sleep 1001\n") == NULL);
	assert_non_null(strstr(outcome.output, "\n  2 processes, "));
	host_program("proclaunchctl", program, sizeof(program));
	(void)snprintf(command, sizeof(command),
	    "umount -l /sys/fs/cgroup && mkdir %s/v2 && mount -t cgroup2 none %s/v2 && "
	    "exec %s -d %s status web",
	    host->root, host->root, program, host->state);
	run_program(&outcome, "/usr/bin/unshare", "--mount", "/bin/sh", "-c", command, NULL);
	assert_int_equal(outcome.status, STATUS_RUNNING);
	assert_non_null(strstr(outcome.output, "\n  2 processes, "));
	assert_non_null(strstr(outcome.output, " s sleep 1001\n"));
	host_stop_all(host);
}

/* Who waits for a stop wants to know for whom. */
static void
status_lists_what_the_main_process_has_left_behind(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	char path[PATH_MAX];

	host_profile(
	    host, "web", "sh -c 'trap \"\" TERM; : > deaf; exec sleep 1001' & exec sleep 1000");
	host_write(host, "web/stop_timeout", 0644, "1000\n");
	host_start(host);
	(void)host_wait_running(host, "web");
	wait_until(access(host_path(host, "web/deaf", path, sizeof(path)), F_OK) == 0);
	assert_int_equal(ctl(host, &outcome, "stop", "--no-wait", "web", NULL), CTL_DONE);
	wait_until((ctl(host, &outcome, "status", "web", NULL),
	    strstr(outcome.output, "\n  waiting for what pid ") != NULL &&
		strstr(outcome.output, "\n  1 process, ") != NULL &&
		strstr(outcome.output, " s sleep 1001\n") != NULL));
	host_write(host, "web/stop_timeout", 0644, "1\n"); /* which has passed */
	host_wait_log(host, " INFO  web stopped$");
	host_stop_all(host);
}

static void
status_of_two_shows_the_last_lines_of_each(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	const char *mail, *web;

	host_profile(host, "web", "echo from web; exec sleep 1000");
	host_profile(host, "mail", "echo from mail; exec sleep 1000");
	host_profile(host, "mute", SERVICE);
	host_start(host);
	(void)host_wait_running(host, "web");
	(void)host_wait_running(host, "mail");
	(void)host_wait_running(host, "mute");
	do {
		assert_int_equal(
		    ctl(host, &outcome, "status", "mail", "mute", "web", NULL), STATUS_RUNNING);
		mail = strstr(outcome.output, "from mail\n");
		web = strstr(outcome.output, "from web\n");
	} while (mail == NULL || web == NULL);
	assert_true(mail < web);
	assert_null(strstr(mail + 1, "from mail"));
	assert_null(strstr(web + 1, "from web"));
	host_stop_all(host);
}

static const struct {
	const char *name;
	const char *script;
	const char *file; /* ... of the profile, with this content */
	const char *content;
	const char *until; /* the line of the log to wait for */
	const char *state;
	const char *reason; /* a pattern */
	const char *decided_by;
} explained[] = {
    /* first, for it stays so for two seconds */
    {"again", "exit 4", "restart", "", "starting again in [2-9]", "stopped",
	"^ended with status 4, [0-9]+ starts in a row have failed$", "backoff"},
    {"daemon", "sleep 1000 &", "restart", "", "starting again in [2-9]", "stopped",
	"^ended with status 0, [0-9]+ starts in a row have failed: a daemon .* needs a pid_file$",
	"backoff"},
    {"runs", SERVICE, NULL, NULL, "running pid", "running", "^run has been executed$", "run"},
    {"proved", "(trap '' HUP; exec sleep 1000) & echo $! > new; mv new daemon.pid", "pid_file",
	"daemon.pid", "running pid", "running", "^pid_file has named its process$", "pid_file"},
    {"waits", "exec sleep 1000", "pid_file", "daemon.pid", "starting", "starting",
	"^waiting for pid_file to name a process of it$", "pid_file"},
    {"lies", "echo 1 > daemon.pid; exec sleep 1000", "pid_file", "daemon.pid",
	"refused: pid_file names pid 1,", "starting",
	"^waiting for pid_file to name a process of it; it names pid 1, which is not in this "
	"profile$",
	"pid_file"},
    {"talks", "echo one > daemon.pid; exec sleep 1000", "pid_file", "daemon.pid",
	"refused: pid_file names \"one", "starting", "; it names what is not a pid$", "pid_file"},
    {"points", "ln -s run daemon.pid; exec sleep 1000", "pid_file", "daemon.pid",
	"refused: pid_file names a file", "starting", "; it names a file that is no plain file$",
	"pid_file"},
    {"ended", "exit 3", NULL, NULL, "stopped", "stopped",
	"^ended with status 3, and is not to be started again$", "restart"},
    {"killed", "kill -9 $$", NULL, NULL, "stopped", "stopped",
	"^was ended by SIGKILL, and is not to be started again$", "restart"},
    {"idle", SERVICE, "down", "", NULL, "stopped", "^not started until asked for$", "down"},
    {"refused", SERVICE, "restart", "perhaps", "refused", "stopped",
	"^refused: restart: ", "restart"},
};
#define EXPLAINED (sizeof(explained) / sizeof(explained[0]))

static void
explain_says_state_why_the_last_exit_what_comes_next_and_what_decided_it(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	char path[PATH_MAX], expected[256];
	json_object *answer, *profile;
	size_t i;

	for (i = 0; i < EXPLAINED; i++) {
		host_profile(host, explained[i].name, "%s", explained[i].script);
		(void)snprintf(path, sizeof(path), "%s/%s", explained[i].name, explained[i].file);
		if (explained[i].file != NULL)
			host_write(host, path, 0644, "%s", explained[i].content);
	}
	host_start(host);
	for (i = 0; i < EXPLAINED; i++) {
		if (explained[i].until != NULL)
			host_wait_log(host, " %s %s", explained[i].name, explained[i].until);
		answer = ask_json(host, "explain", explained[i].name);
		profile = only_profile(answer);
		assert_well_formed(profile);
		assert_string_equal(text_member(profile, "state"), explained[i].state);
		assert_matches(text_member(profile, "reason"), explained[i].reason);
		assert_string_equal(text_member(profile, "decided_by"), explained[i].decided_by);
		assert_int_equal(json_object_put(answer), 1);
		assert_int_equal(ctl(host, &outcome, "explain", explained[i].name, NULL), CTL_DONE);
		(void)snprintf(expected, sizeof(expected),
		    "^%s is %s: .*\\.\n  decided by  %s\n  wanted      (up|down)\n  since      "
		    " " TIME_PATTERN "Z\n",
		    explained[i].name, explained[i].state, explained[i].decided_by);
		assert_matches(outcome.output, expected);
		if (strcmp(explained[i].name, "again") == 0)
			assert_matches(outcome.output,
			    "\n  last exit   exit 4, pid [0-9]+, " TIME_PATTERN "Z\n"
			    "  next start  " TIME_PATTERN "Z \\(after [0-9]+ failed ones\\)\n$");
	}
	assert_int_equal(ctl(host, &outcome, "stop", "runs", NULL), CTL_DONE);
	assert_int_equal(ctl(host, &outcome, "explain", "runs", NULL), CTL_DONE);
	assert_matches(outcome.output, "stopped on request, until start or the next boot");
	assert_int_equal(ctl(host, &outcome, "disable", "runs", NULL), CTL_DONE);
	assert_int_equal(ctl(host, &outcome, "explain", "runs", NULL), CTL_DONE);
	assert_matches(outcome.output, "disabled, until enable");
	assert_int_equal(ctl(host, &outcome, "explain", "nothing", NULL), CTL_NO_PROFILE);
	host_stop_all(host);
}

/* What the profile waits for, and when, in JSON and to a person. */
static void
assert_timer(struct host *host, const char *name, const char *timer)
{
	json_object *answer = ask_json(host, "explain", name);
	json_object *next = member(only_profile(answer), "next_timer");
	struct outcome outcome;
	char expected[128];

	if (timer == NULL) {
		assert_null(next);
	} else {
		assert_string_equal(text_member(next, "timer"), timer);
		assert_matches(text_member(next, "time"), "^" TIME_PATTERN "\\.[0-9]{3}Z$");
	}
	assert_int_equal(json_object_put(answer), 1);
	assert_int_equal(ctl(host, &outcome, "explain", name, NULL), CTL_DONE);
	(void)snprintf(
	    expected, sizeof(expected), "\n  next timer  %s, " TIME_PATTERN "Z\n", timer);
	assert_int_equal(matches(outcome.output, expected), timer != NULL);
}

static bool
explains(struct host *host, const char *name, const char *expected)
{
	struct outcome outcome;

	assert_int_equal(ctl(host, &outcome, "explain", name, NULL), CTL_DONE);
	return strstr(outcome.output, expected) != NULL;
}

static void
explain_says_what_is_waited_for_and_until_when(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	pid_t pid;

	host_profile(host, "web", SERVICE);
	host_profile(host, "waits", SERVICE);
	host_write(host, "waits/pid_file", 0644, "%s", "daemon.pid\n");
	host_profile(host, "deaf", "trap '' TERM; : > ready; exec sleep 1000");
	host_profile(host, "killed", "trap '' TERM; : > ready; exec sleep 1000");
	host_write(host, "killed/stop_timeout", 0644, "%s", "60\n");
	host_profile(host, "dies", "exit 1");
	host_write(host, "dies/restart", 0644, "%s", "");
	host_start(host);
	(void)host_wait_running(host, "web");
	/* for no start, when it is not to run by then */
	host_wait_log(host, " dies starting again in [2-9]");
	host_write(host, "dies/down", 0644, "%s", "");
	wait_until(explains(host, "dies", "\n  decided by  down\n"));
	assert_timer(host, "dies", NULL);
	host_wait_ready(host, "deaf");
	host_wait_ready(host, "killed");
	assert_timer(host, "web", NULL);
	assert_timer(host, "waits", "start_timeout");
	pid = host_wait_running(host, "deaf");
	assert_int_equal(
	    ctl(host, &outcome, "--no-wait", "stop", "deaf", "killed", NULL), CTL_DONE);
	assert_timer(host, "deaf", "reminder");
	assert_timer(host, "killed", "stop_timeout");
	assert_int_equal(ctl(host, &outcome, "explain", "deaf", NULL), CTL_DONE);
	assert_non_null(strstr(outcome.output, "however long it takes: there is no stop_timeout"));
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(kill(host_wait_running(host, "killed"), SIGKILL), 0);
	host_stop_all(host);
}

static void
events_are_json_lines_one_a_transition(void **state)
{
	static const char *const transitions[][2] = {{"stopped", "starting"},
	    {"starting", "running"}, {"running", "stopping"}, {"stopping", "stopped"}};
	struct running_ctl follows;
	struct host *host = *state;
	struct outcome outcome;
	char *line, *rest;
	json_object *event;
	size_t i;

	host_profile(host, "web", SERVICE);
	host_profile(host, "other", SERVICE);
	host_write(host, "web/down", 0644, "%s", "");
	host_write(host, "other/down", 0644, "%s", "");
	host_start(host);
	ctl_begin(host, 0, &follows, "events", "-f", "-n", "1", "web", NULL);
	assert_int_equal(ctl(host, &outcome, "start", "other", NULL), CTL_DONE);
	assert_int_equal(ctl(host, &outcome, "start", "web", NULL), CTL_DONE);
	ctl_wait_said(&follows, "\"running\"");
	assert_int_equal(ctl(host, &outcome, "stop", "web", NULL), CTL_DONE);
	ctl_wait_said(&follows, "\"to\":\"stopped\"");
	ctl_end(&follows);
	line = strtok_r(follows.said, "\n", &rest);
	for (i = 0; i < 4; i++, line = strtok_r(NULL, "\n", &rest)) {
		assert_non_null(line);
		event = json_tokener_parse(line);
		assert_non_null(event);
		assert_int_equal(json_object_object_length(event), 6);
		assert_matches(text_member(event, "time"), "^" TIME_PATTERN "\\.[0-9]{3}Z$");
		assert_string_equal(text_member(event, "name"), "web");
		assert_string_equal(text_member(event, "from"), transitions[i][0]);
		assert_string_equal(text_member(event, "to"), transitions[i][1]);
		assert_true(text_member(event, "reason")[0] != '\0');
		(void)member(event, "pid");
		assert_int_equal(json_object_put(event), 1);
	}
	assert_null(line);
	/* to a person at a terminal it is told in words */
	ctl_begin_on_terminal(host, 0, &follows, "events", "-f", "-n", "1", "web", NULL);
	ctl_wait_said(&follows, " web stopping -> stopped (");
	ctl_end(&follows);
	/* without -f: what has happened, and then the end */
	assert_int_equal(ctl(host, &outcome, "events", "-n", "2", "web", NULL), CTL_DONE);
	assert_matches(outcome.output,
	    "^" TIME_PATTERN
	    "\\.[0-9]{3}Z web running -> stopping pid [0-9]+ \\(unwanted\\)\n" TIME_PATTERN
	    "\\.[0-9]{3}Z web stopping -> stopped \\([a-z ]+\\)\n$");
	assert_int_equal(ctl(host, &outcome, "events", NULL), CTL_DONE);
	assert_non_null(strstr(outcome.output, " other starting -> running pid "));
	assert_int_equal(ctl(host, &outcome, "events", "nothing", NULL), CTL_NO_PROFILE);
	host_stop_all(host);
}

static void
check_is_a_nagios_plugin(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	pid_t pid;

	host_profile(host, "web", SERVICE);
	host_profile(host, "idle", SERVICE);
	host_write(host, "idle/down", 0644, "%s", "");
	host_start(host);
	pid = host_wait_running(host, "web");
	assert_int_equal(ctl(host, &outcome, "check", NULL), 0);
	assert_matches(outcome.output,
	    "^PROCLAUNCH OK - 2 profiles, 1 running \\| profiles=2;;;0 running=1;;;0 "
	    "starting=0;;;0 stopping=0;;;0 stopped=1;;;0 warning=0;;;0 critical=0;;;0 "
	    "restarts=0c;;;0\n$");
	/* an edit has broken it, and it runs on: somebody should look */
	host_write(host, "web/restart", 0644, "%s", "perhaps\n");
	host_wait_log(host, " WARN  web refused: restart");
	assert_int_equal(ctl(host, &outcome, "check", NULL), 1);
	assert_matches(outcome.output,
	    "^PROCLAUNCH WARNING - 2 profiles, 1 running: web is refused \\| [^\n]*\n$");
	host_remove(host, "web/restart");
	host_wait_log(host, " INFO  web accepted");
	assert_int_equal(kill(pid, SIGKILL), 0);
	host_wait_log(host, " INFO  web stopped$");
	assert_int_equal(ctl(host, &outcome, "check", NULL), 2);
	assert_matches(outcome.output,
	    "^PROCLAUNCH CRITICAL - 2 profiles, 0 running: web is stopped \\| [^\n]*\n$");
	assert_int_equal(ctl(host, &outcome, "check", "idle", NULL), 0);
	assert_matches(outcome.output, "^PROCLAUNCH OK - 1 profile, 0 running \\| ");
	assert_int_equal(ctl(host, &outcome, "check", "idle", "web", NULL), 2);
	assert_int_equal(ctl(host, &outcome, "check", "nothing", NULL), 3);
	assert_matches(outcome.output, "^PROCLAUNCH UNKNOWN - no such profile\n$");
	host_stop_all(host);
}

/* The form of one line of OpenMetrics 1.0. */
#define LABELS "\\{([a-z_]+=\"[^\"\\\n]*\",?)+\\}"
#define METRICS_LINE                                                                            \
	"^(# (TYPE [a-z_]+ (info|gauge|counter|stateset)|UNIT [a-z_]+ seconds|HELP [a-z_]+ .+)" \
	"|[a-z_]+" LABELS " [0-9.e+]+)$"

static void
assert_metrics(char *text)
{
	char *line, *rest, *end = strstr(text, "# EOF\n");

	assert_non_null(end);
	assert_string_equal(end, "# EOF\n"); /* the last line */
	*end = '\0';
	for (line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
		assert_matches(line, METRICS_LINE);
}

static void
metrics_are_openmetrics_and_a_textfile_is_replaced_by_rename(void **state)
{
	struct host *host = *state;
	struct outcome outcome, file;
	char path[PATH_MAX], text[8192], *type;
	struct stat before, after;

	host_profile(host, "web", SERVICE);
	host_profile(host, "mail", "exit 3");
	host_start(host);
	(void)host_wait_running(host, "web");
	host_wait_log(host, " INFO  mail stopped$");
	assert_int_equal(ctl(host, &outcome, "metrics", NULL), CTL_DONE);
	assert_matches(outcome.output, "\nproclaunch_info\\{version=\"[0-9.]+\"\\} 1\n");
	assert_non_null(
	    strstr(outcome.output, "\nproclaunch_profile_running{name=\"web\",user=\"root\"} 1\n"));
	assert_non_null(strstr(
	    outcome.output, "\nproclaunch_profile_running{name=\"mail\",user=\"root\"} 0\n"));
	assert_non_null(strstr(outcome.output, "\n# TYPE proclaunch_profile_restarts counter\n"));
	assert_non_null(strstr(
	    outcome.output, "\nproclaunch_profile_restarts_total{name=\"web\",user=\"root\"} 0\n"));
	assert_non_null(strstr(outcome.output,
	    "\nproclaunch_profile_state{name=\"mail\",user=\"root\","
	    "proclaunch_profile_state=\"stopped\"} 1\n"));
	assert_metrics(outcome.output);

	(void)snprintf(path, sizeof(path), "%s/proclaunch.prom", host->root);
	assert_int_equal(ctl(host, &file, "metrics", "--textfile", path, NULL), CTL_DONE);
	assert_string_equal(file.output, "");
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(before.st_mode & 07777, 0644);
	wait_for_file(path, text, sizeof(text));
	/* node_exporter throws a file away in which there is a type that it does not know */
	assert_non_null(strstr(text, "\nproclaunch_info{version=\""));
	assert_non_null(strstr(text, "# TYPE proclaunch_profile_state gauge\n"));
	/* it takes samples whose name differs from that of the type for samples without a type */
	assert_non_null(strstr(text, "# TYPE proclaunch_profile_restarts_total counter\n"));
	assert_non_null(strstr(text, "# HELP proclaunch_profile_restarts_total "));
	for (type = text; (type = strstr(type, "# TYPE ")) != NULL; type++)
		assert_matches(type, "^# TYPE [a-z_]+ (gauge|counter)\n");
	assert_metrics(text);
	assert_int_equal(ctl(host, &file, "metrics", "--textfile", path, NULL), CTL_DONE);
	assert_int_equal(stat(path, &after), 0);
	assert_int_not_equal(before.st_ino, after.st_ino); /* nobody reads a half of it */
	assert_int_equal(
	    ctl(host, &file, "metrics", "--textfile", "/no/such/folder/file", NULL), CTL_FAILED);
	assert_matches(file.error, "^proclaunchctl: /no/such/folder/file: No such file");
	/* root's mistake must not cost the host its /dev/null */
	assert_int_equal(unlink(path) | mkfifo(path, 0600), 0);
	assert_int_equal(ctl(host, &file, "metrics", "--textfile", path, NULL), CTL_FAILED);
	assert_matches(file.error, "/proclaunch\\.prom: is no plain file");
	assert_int_equal(stat(path, &after), 0);
	assert_true(S_ISFIFO(after.st_mode));
	host_stop_all(host);
}

static void
reload_and_signal_reach_the_service_and_exit_7_when_it_does_not_run(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	char path[PATH_MAX], text[64];

	host_profile(host, "web",
	    "trap 'echo hup > got' HUP; trap 'echo usr1 > got' USR1; : > ready\n"
	    "while :; do sleep 0.05; done");
	host_start(host);
	(void)host_wait_running(host, "web");
	host_wait_ready(host, "web");
	host_path(host, "web/got", path, sizeof(path));
	assert_int_equal(ctl(host, &outcome, "reload", "web", NULL), CTL_DONE);
	wait_for_file(path, text, sizeof(text));
	assert_string_equal(text, "hup\n");
	host_wait_log(host, " INFO  web reload by uid 0$");
	host_wait_log(host, " INFO  web reloading$");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(ctl(host, &outcome, "signal", "usr1", "web", NULL), CTL_DONE);
	wait_for_file(path, text, sizeof(text));
	assert_string_equal(text, "usr1\n");
	host_wait_log(host, " INFO  web signal SIGUSR1 by uid 0$");
	assert_int_equal(ctl(host, &outcome, "stop", "web", NULL), CTL_DONE);
	assert_int_equal(ctl(host, &outcome, "reload", "web", NULL), CTL_NOT_RUNNING);
	assert_string_equal(outcome.error, "proclaunchctl: web: not running\n");
	assert_int_equal(ctl(host, &outcome, "signal", "HUP", "web", NULL), CTL_NOT_RUNNING);
	assert_int_equal(ctl(host, &outcome, "reload", "nothing", NULL), CTL_NO_PROFILE);
	host_stop_all(host);
}

static void
reset_clears_the_backoff_and_starts_at_once(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	json_object *answer;

	host_profile(host, "web", "[ -e mended ] && exec sleep 1000; exit 1");
	host_write(host, "web/restart", 0644, "%s", "");
	host_start(host);
	host_wait_log(host, " INFO  web starting again in [248]\\.[0-9]+ s$");
	host_write(host, "web/mended", 0644, "%s", ""); /* no trigger file */
	host_mark_log(host);
	assert_int_equal(ctl(host, &outcome, "reset", "web", NULL), CTL_DONE);
	host_wait_log_within(host, 2000, " INFO  web running pid ");
	answer = ask_json(host, "status", "web");
	assert_int_equal(json_object_get_int(member(only_profile(answer), "failures")), 0);
	assert_int_equal(json_object_put(answer), 1);
	host_stop_all(host);
}

static void
reopen_opens_the_log_and_all_output_anew(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	char log[PATH_MAX], log_aside[PATH_MAX + 8], aside[PATH_MAX + 8], text[256];

	host_profile(host, "web",
	    "trap 'echo again' USR1; echo once; : > ready\n"
	    "while :; do sleep 0.05; done");
	host_start(host);
	(void)host_wait_running(host, "web");
	host_wait_ready(host, "web");
	(void)snprintf(log, sizeof(log), "%s/output/web.log", host->state);
	wait_for_file(log, text, sizeof(text));
	/* as logrotate does it */
	(void)snprintf(aside, sizeof(aside), "%s.old", log);
	(void)snprintf(log_aside, sizeof(log_aside), "%s.old", host->log);
	assert_int_equal(rename(log, aside), 0);
	assert_int_equal(rename(host->log, log_aside), 0);
	assert_int_equal(ctl(host, &outcome, "reopen", NULL), CTL_DONE);
	assert_int_equal(access(host->log, F_OK), 0);
	host_mark_log(host);
	assert_int_equal(ctl(host, &outcome, "signal", "USR1", "web", NULL), CTL_DONE);
	host_wait_log(host, " INFO  web signal SIGUSR1 by uid 0$");
	wait_for_file(log, text, sizeof(text));
	assert_matches(text, "^[^\n]* again\n$");
	host_stop_all(host);
}

static void
ping_and_version_answer(void **state)
{
	struct host *host = *state;
	struct outcome outcome;

	host_start(host);
	assert_int_equal(ctl(host, &outcome, "ping", NULL), CTL_DONE);
	assert_string_equal(outcome.output, "the supervisor answers\n");
	assert_int_equal(ctl(host, &outcome, "-q", "ping", NULL), CTL_DONE);
	assert_string_equal(outcome.output, "");
	assert_int_equal(ctl(host, &outcome, "version", NULL), CTL_DONE);
	assert_matches(outcome.output,
	    "^ProcLaunch ([0-9.]+ \\(build [0-9a-f]+\\))\nrunning: "
	    "ProcLaunch [0-9.]+ \\(build [0-9a-f]+\\)\n$");
	host_stop_all(host);
}

/* Several names: each is tried, and the worst outcome is what counts. */
static void
several_names_are_each_tried_and_the_worst_outcome_counts(void **state)
{
	struct host *host = *state;
	struct outcome outcome;

	host_profile(host, "one", SERVICE);
	host_profile(host, "two", SERVICE);
	host_start(host);
	(void)host_wait_running(host, "one");
	(void)host_wait_running(host, "two");
	assert_int_equal(
	    ctl(host, &outcome, "stop", "one", "nothing", "two", NULL), CTL_NO_PROFILE);
	assert_state(host, "one", "stopped", STATUS_STOPPED);
	assert_state(host, "two", "stopped", STATUS_STOPPED);
	assert_int_equal(ctl(host, &outcome, "reload", "one", "nothing", NULL), CTL_NOT_RUNNING);
	assert_int_equal(ctl(host, &outcome, "start", "one", "two", NULL), CTL_DONE);
	host_stop_all(host);
}

/* Each of them ends only when all have been told to. */
static void
several_names_are_all_asked_for_before_one_is_waited_for(void **state)
{
	static const char *const names[] = {"one", "two", "three"};
	struct host *host = *state;
	struct outcome outcome;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		host_profile(host, names[i],
		    "trap '> ../%s.told' TERM\n> ready\n"
		    "until [ -e ../one.told -a -e ../two.told -a -e ../three.told ]; do sleep "
		    "0.05; "
		    "done",
		    names[i]);
	host_start(host);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		host_wait_ready(host, names[i]);
	assert_int_equal(
	    ctl(host, &outcome, "--timeout=5", "stop", "one", "two", "nothing", "three", NULL),
	    CTL_NO_PROFILE);
	assert_string_equal(outcome.error, "proclaunchctl: nothing: no such profile\n");
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_state(host, names[i], "stopped", STATUS_STOPPED);
	/* each was asked for once, and each is waited for */
	assert_int_equal(host_count_log(host, " (one|two|three) stop by uid 0$"), 3);
	host_replace(host, "two/run", 0755, "#!/bin/sh\nexit 3\n");
	host_settle(host);
	assert_int_equal(ctl(host, &outcome, "start", "one", "two", "three", NULL), CTL_FAILED);
	assert_non_null(strstr(outcome.error, "proclaunchctl: two: "));
	assert_int_equal(host_count_log(host, " (one|two|three) start by uid 0$"), 3);
	host_stop_all(host);
}

/* A plugin that says WARNING, or a status that says dead, because a disk is full would be a lie. */
/* What is neither a table nor JSON is had without them, and sooner. */
static void
a_library_that_is_broken_is_named_and_what_needs_none_does_without(void **state)
{
	static const struct {
		const char *command;
		int status;
		const char *library;
	} asked[] = {{"list", CTL_FAILED, "libsmartcols.so.1"},
	    {"status", STATUS_UNKNOWN, "libsmartcols.so.1"},
	    {"list --json", CTL_FAILED, "libjson-c.so.5"},
	    {"status --json web", STATUS_UNKNOWN, "libjson-c.so.5"},
	    {"explain --json web", CTL_FAILED, "libjson-c.so.5"},
	    {"events --json", CTL_FAILED, "libjson-c.so.5"},
	    {"version --json", CTL_FAILED, "libjson-c.so.5"}, {"status web", STATUS_RUNNING, NULL},
	    {"--quiet list", CTL_DONE, NULL}, {"--quiet status", STATUS_RUNNING, NULL},
	    {"explain web", CTL_DONE, NULL}, {"events", CTL_DONE, NULL},
	    {"log web", CTL_DONE, NULL}, {"check", CTL_DONE, NULL}, {"metrics", CTL_DONE, NULL},
	    {"ping", CTL_DONE, NULL}};
	struct host *host = *state;
	char program[PATH_MAX], command[2 * PATH_MAX];
	struct outcome outcome;
	size_t i;

	host_profile(host, "web", SERVICE);
	host_start(host);
	(void)host_wait_running(host, "web");
	host_program("proclaunchctl", program, sizeof(program));
	(void)snprintf(command, sizeof(command),
	    "mkdir %s/lib && cd %s/lib && : > libsmartcols.so.1 && : > libjson-c.so.5", host->root,
	    host->root);
	run_program(&outcome, "/bin/sh", "-c", command, NULL);
	assert_int_equal(outcome.status, 0);
	for (i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		(void)snprintf(command, sizeof(command), "LD_LIBRARY_PATH=%s/lib %s -d %s %s",
		    host->root, program, host->state, asked[i].command);
		run_program(&outcome, "/bin/sh", "-c", command, NULL);
		if (outcome.status != asked[i].status)
			fail_msg("%s: %d %s", asked[i].command, outcome.status, outcome.error);
		if (asked[i].library == NULL)
			assert_string_equal(outcome.error, "");
		else
			assert_non_null(strstr(outcome.error, asked[i].library));
	}
	host_stop_all(host);
}

static void
an_answer_that_cannot_be_printed_is_no_answer(void **state)
{
	static const struct {
		const char *command;
		int status;
	} lost[] = {{"list", CTL_FAILED}, {"list --json", CTL_FAILED}, {"metrics", CTL_FAILED},
	    {"explain web", CTL_FAILED}, {"events", CTL_FAILED}, {"events -f -n 1", CTL_FAILED},
	    {"events --json", CTL_FAILED}, {"log web", CTL_FAILED}, {"log -f web", CTL_FAILED},
	    {"status", STATUS_UNKNOWN}, {"status web", STATUS_UNKNOWN},
	    {"status --json", STATUS_UNKNOWN}, {"check", NAGIOS_UNKNOWN}, {"--help", CTL_FAILED},
	    {"--version", CTL_FAILED}};
	struct host *host = *state;
	char program[PATH_MAX], command[2 * PATH_MAX];
	struct outcome outcome;
	size_t i;

	host_profile(host, "web", "echo served; " SERVICE);
	host_start(host);
	(void)host_wait_running(host, "web");
	wait_until(
	    ctl(host, &outcome, "log", "web", NULL) == CTL_DONE && outcome.output[0] != '\0');
	host_program("proclaunchctl", program, sizeof(program));
	for (i = 0; i < sizeof(lost) / sizeof(lost[0]); i++) {
		(void)snprintf(command, sizeof(command), "%s -d %s %s > /dev/full", program,
		    host->state, lost[i].command);
		run_program(&outcome, "/bin/sh", "-c", command, NULL);
		if (outcome.status != lost[i].status ||
		    strstr(outcome.error, "standard output: No space left on device") == NULL)
			fail_msg("%s: %d, %s", lost[i].command, outcome.status, outcome.error);
	}
	host_stop_all(host);
}

static void
a_profile_that_there_is_not_is_named(void **state)
{
	static const char *const verbs[] = {"list", "status", "start", "log", "events"};
	struct host *host = *state;
	struct outcome outcome;
	size_t i;

	host_start(host);
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		assert_int_not_equal(ctl(host, &outcome, verbs[i], "nothing", NULL), CTL_DONE);
		assert_string_equal(outcome.error, "proclaunchctl: nothing: no such profile\n");
	}
	host_stop_all(host);
}

/* A question is asked again when its answer was lost; who follows finds the next monitor. */
static void
a_monitor_that_is_replaced_is_not_noticed_by_those_who_ask(void **state)
{
	struct running_ctl waits, follows, log;
	struct host *host = *state;
	struct outcome outcome;

	host_profile(host, "web",
	    "trap 'echo again' USR1; echo once\n"
	    "while :; do sleep 0.05; done");
	host_profile(host, "idle", SERVICE);
	host_write(host, "idle/down", 0644, "%s", "");
	host_start(host);
	(void)host_wait_running(host, "web");
	ctl_begin(host, 0, &waits, "wait", "--for=running", "idle", NULL);
	ctl_begin(host, 0, &follows, "events", "-f", "idle", NULL);
	ctl_begin(host, 0, &log, "log", "-f", "web", NULL);
	ctl_wait_said(&log, " once\n");
	host_mark_log(host);
	assert_int_equal(kill(host_monitor(host), SIGKILL), 0);
	host_wait_log(host, " WARN  ProcLaunch monitor died ");
	assert_int_equal(ctl(host, &outcome, "list", "--no-header", NULL), CTL_DONE);
	assert_matches(outcome.output, "^idle [^\n]*\nweb [^\n]*\n$");
	assert_int_equal(ctl(host, &outcome, "signal", "USR1", "web", NULL), CTL_DONE);
	ctl_wait_said(&log, " again\n");
	assert_null(strstr(strstr(log.said, " once\n") + 1, " once\n"));
	ctl_end(&log);
	assert_int_equal(ctl(host, &outcome, "start", "idle", NULL), CTL_DONE);
	assert_int_equal(ctl_wait_end(&waits), CTL_DONE);
	ctl_wait_said(&follows, "\"name\":\"idle\",\"from\":\"starting\",\"to\":\"running\"");
	ctl_end(&follows);
	host_stop_all(host);
}

/* That which is killed before it can answer has been asked by one whose service does it. */
static void
a_start_that_was_not_answered_makes_no_service_run_twice(void **state)
{
	static const char *const verbs[] = {"start", "enable", "reset"};
	struct host *host = *state;
	struct outcome outcome;
	char path[PATH_MAX];
	struct stat ran;
	size_t i;

	host_profile(host, "once", "printf x >> ran; kill -9 $(cat victim)");
	host_write(host, "once/down", 0644, "%s", "");
	host_start(host);
	(void)host_path(host, "once/ran", path, sizeof(path));
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		host_mark_log(host);
		host_write(host, "once/victim", 0644, "%d\n", host_monitor(host));
		(void)ctl(host, &outcome, verbs[i], "once", NULL);
		host_wait_log(host, " WARN  ProcLaunch monitor died ");
		assert_int_equal(
		    ctl(host, &outcome, "wait", "--for=stopped", "once", NULL), CTL_DONE);
		assert_int_equal(stat(path, &ran), 0);
		assert_int_equal(ran.st_size, i + 1);
	}
	host_stop_all(host);
}

static void
as_many_lines_are_shown_as_were_asked_for_also_of_one_that_prints_without_end(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	int i;

	host_profile(host, "web", "while :; do echo line; done");
	host_start(host);
	(void)host_wait_running(host, "web");
	wait_until(ctl(host, &outcome, "log", "-n", "3", "web", NULL) == CTL_DONE &&
	    outcome.output[0] != '\0');
	for (i = 0; i < 40; i++) {
		assert_int_equal(ctl(host, &outcome, "log", "-n", "3", "web", NULL), CTL_DONE);
		assert_matches(outcome.output, "^([^\n]* line\n){3}$");
	}
	host_stop_all(host);
}

/* What happens while no monitor lives is told by the next one, and what was told before is not told
 * again. */
static void
events_go_on_without_a_gap_when_the_monitor_is_killed(void **state)
{
	struct running_ctl follows;
	struct host *host = *state;
	char died[128];
	pid_t pid;
	int i;

	host_profile(host, "web", SERVICE);
	host_write(host, "web/restart", 0644, "%s", "");
	host_start(host);
	pid = host_wait_running(host, "web");
	ctl_begin(host, 0, &follows, "events", "-f", "-n", "1", "web", NULL);
	ctl_wait_said(&follows, "\"name\":\"web\",\"from\":\"starting\",\"to\":\"running\"");
	for (i = 0; i < 3; i++) {
		host_mark_log(host);
		assert_int_equal(kill(host_monitor(host), SIGKILL), 0);
		assert_int_equal(kill(pid, SIGKILL), 0);
		(void)snprintf(died, sizeof(died),
		    "\"to\":\"stopping\",\"pid\":%d,\"reason\":\"died\"}\n", pid);
		pid = host_wait_running(host, "web");
		ctl_wait_said(&follows, died);
		(void)snprintf(died, sizeof(died),
		    "\"to\":\"running\",\"pid\":%d,\"reason\":\"proved\"}\n", pid);
		ctl_wait_said(&follows, died);
		assert_null(strstr(strstr(follows.said, died) + 1, died));
	}
	ctl_end(&follows);
	host_stop_all(host);
}

static void
who_follows_waits_for_a_supervisor_that_is_started_again(void **state)
{
	struct running_ctl events, log;
	struct host *host = *state;
	struct outcome outcome;

	host_profile(host, "web",
	    "trap 'echo again' USR1; echo once\n"
	    "while :; do sleep 0.05; done");
	host_start(host);
	(void)host_wait_running(host, "web");
	ctl_begin(host, 0, &events, "events", "-f", "-n", "1", "web", NULL);
	ctl_begin(host, 0, &log, "log", "-f", "web", NULL);
	ctl_wait_said(&events, "\"name\":\"web\",\"from\":\"starting\",\"to\":\"running\"");
	ctl_wait_said(&log, " once\n");
	host_crash(host);
	host_start(host);
	assert_int_equal(ctl(host, &outcome, "signal", "USR1", "web", NULL), CTL_DONE);
	ctl_wait_said(&log, " again\n");
	assert_null(strstr(strstr(log.said, " once\n") + 1, " once\n"));
	assert_int_equal(ctl(host, &outcome, "stop", "web", NULL), CTL_DONE);
	ctl_wait_said(&events, "\"name\":\"web\",\"from\":\"stopping\",\"to\":\"stopped\"");
	ctl_end(&events);
	ctl_end(&log);
	host_stop_all(host);
}

static void
the_state_directory_is_an_option_or_stands_in_the_environment(void **state)
{
	struct host *host = *state;
	char program[PATH_MAX], path[256];
	struct outcome outcome;
	size_t length;

	host_start(host);
	host_program("proclaunchctl", program, sizeof(program));
	assert_int_equal(setenv("PROCLAUNCH_STATE_DIR", host->state, 1), 0);
	run_program(&outcome, program, "-q", "ping", NULL);
	assert_int_equal(unsetenv("PROCLAUNCH_STATE_DIR"), 0);
	assert_int_equal(outcome.status, CTL_DONE);
	run_program(&outcome, program, "-d", "/no/such/folder", "ping", NULL);
	assert_int_equal(outcome.status, CTL_FAILED);
	/* longer than the address of a socket may be */
	length = strlen(strcpy(path, host->state));
	while (length < 200)
		length = strlen(strcat(path, "/."));
	run_program(&outcome, program, "-q", "-d", path, "ping", NULL);
	assert_int_equal(outcome.status, CTL_DONE);
	run_program(&outcome, program, "-d", strcat(path, "/none"), "ping", NULL);
	assert_int_equal(outcome.status, CTL_FAILED);
	assert_non_null(strstr(outcome.error, "no proclaunch runs on this state directory"));
	host_stop_all(host);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROOT_TEST(start_stop_and_restart_return_when_that_is_done),
	    TENANT_TEST(start_stop_and_restart_return_when_that_is_done),
	    ROOT_TEST(what_is_so_already_is_done),
	    ROOT_TEST(start_says_why_a_service_does_not_come_up),
	    ROOT_TEST(start_of_a_service_that_dies_at_once_has_failed),
	    ROOT_TEST(start_of_a_service_that_dies_has_failed_however_late_the_parent_is),
	    ROOT_TEST(a_daemon_that_pid_file_never_named_has_failed_whatever_run_says),
	    ROOT_TEST(no_wait_returns_at_once_and_timeout_after_its_time),
	    ROOT_TEST(wait_returns_when_the_state_is_reached),
	    ROOT_TEST(who_waits_for_a_profile_that_disappears_is_told),
	    ROOT_TEST(who_starts_what_has_disappeared_and_does_not_end_is_told_at_once),
	    ROOT_TEST(status_exits_as_the_linux_standard_base_says),
	    ROOT_TEST(without_a_supervisor_status_exits_4_check_3_and_the_others_1),
	    ROOT_TEST(a_supervisor_that_does_not_answer_is_given_up_after_timeout),
	    ROOT_TEST(status_says_that_the_last_lines_are_missing),
	    ROOT_TEST(
		nothing_that_changes_anything_is_asked_before_it_is_known_whose_supervisor_it_is),
	    ROOT_TEST(usage_errors_exit_2_and_ask_nobody),
	    ROOT_TEST(options_are_taken_before_and_after_the_verb),
	    ROOT_TEST(quiet_prints_nothing_and_output_that_cannot_be_written_is_a_failure),
	    ROOT_TEST(list_has_a_line_a_profile_sorted_by_name),
	    ROOT_TEST(colours_are_for_terminals_and_for_those_who_want_them),
	    ROOT_TEST(who_has_no_profile_is_told_so_on_a_terminal),
	    ROOT_TEST(json_is_one_object_with_the_promised_keys),
	    ROOT_TEST(an_end_that_the_kernel_could_not_tell_has_exit_null),
	    ROOT_TEST(status_is_one_screen_with_processes_memory_processor_and_last_lines),
	    SESSIONS_TEST(status_is_one_screen_with_processes_memory_processor_and_last_lines),
	    ROOT_TEST(status_draws_the_processes_as_a_tree_and_their_names_command_no_terminal),
	    SESSIONS_TEST(status_draws_the_processes_as_a_tree_and_their_names_command_no_terminal),
	    ROOT_TEST(status_does_not_say_of_more_processes_than_it_shows_that_these_are_all),
	    ROOT_TEST(status_counts_a_process_that_only_its_cgroup_keeps_in_the_profile),
	    ROOT_TEST(status_lists_what_the_main_process_has_left_behind),
	    SESSIONS_TEST(status_lists_what_the_main_process_has_left_behind),
	    ROOT_TEST(status_of_two_shows_the_last_lines_of_each),
	    ROOT_TEST(explain_says_state_why_the_last_exit_what_comes_next_and_what_decided_it),
	    ROOT_TEST(explain_says_what_is_waited_for_and_until_when),
	    ROOT_TEST(events_are_json_lines_one_a_transition),
	    ROOT_TEST(check_is_a_nagios_plugin),
	    ROOT_TEST(metrics_are_openmetrics_and_a_textfile_is_replaced_by_rename),
	    ROOT_TEST(reload_and_signal_reach_the_service_and_exit_7_when_it_does_not_run),
	    ROOT_TEST(reset_clears_the_backoff_and_starts_at_once),
	    ROOT_TEST(reopen_opens_the_log_and_all_output_anew),
	    ROOT_TEST(ping_and_version_answer),
	    ROOT_TEST(several_names_are_each_tried_and_the_worst_outcome_counts),
	    ROOT_TEST(several_names_are_all_asked_for_before_one_is_waited_for),
	    ROOT_TEST(a_profile_that_there_is_not_is_named),
	    ROOT_TEST(a_library_that_is_broken_is_named_and_what_needs_none_does_without),
	    ROOT_TEST(an_answer_that_cannot_be_printed_is_no_answer),
	    ROOT_TEST(a_monitor_that_is_replaced_is_not_noticed_by_those_who_ask),
	    ROOT_TEST(a_start_that_was_not_answered_makes_no_service_run_twice),
	    ROOT_TEST(
		as_many_lines_are_shown_as_were_asked_for_also_of_one_that_prints_without_end),
	    ROOT_TEST(events_go_on_without_a_gap_when_the_monitor_is_killed),
	    ROOT_TEST(who_follows_waits_for_a_supervisor_that_is_started_again),
	    ROOT_TEST(the_state_directory_is_an_option_or_stands_in_the_environment),
	};

	return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
