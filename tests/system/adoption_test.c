/*
 * No service is lost, started twice or forgotten when the supervisor dies: proclaunch(8), WHEN A
 * PROCESS DIES. Where there are cgroups, and where processes are known by their session alone.
 */
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <poll.h>
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

#include "ctl.h"
#include "host.h"
#include "peer.h"

/* Notes each start, and whether the one before it still lived then. */
#define COUNTED                                                                          \
	"[ -e pid ] && grep -q '^State:.[^ZX]' /proc/$(cat pid)/status 2> /dev/null && " \
	"echo two >> two\n"                                                              \
	"echo start >> starts\n"

#define DAEMON \
	COUNTED "setsid sh -c 'echo $$ > pid; exec sleep 1000' > /dev/null 2>&1 < /dev/null &\n"

#define SERVICE COUNTED "echo $$ > pid; exec sleep 1000"

static void
assert_starts(struct host *host, const char *name, unsigned expected)
{
	char path[PATH_MAX], file[128], text[256];

	(void)snprintf(file, sizeof(file), "%s/starts", name);
	host_path(host, file, path, sizeof(path));
	wait_until((
	    wait_for_file(path, text, sizeof(text)), strlen(text) >= expected * strlen("start\n")));
	assert_int_equal(strlen(text), expected * strlen("start\n"));
	(void)snprintf(file, sizeof(file), "%s/two", name);
	assert_int_equal(access(host_path(host, file, path, sizeof(path)), F_OK), -1);
}

/* The pid that the service itself has noted. */
static pid_t
noted_pid(struct host *host, const char *name)
{
	char path[PATH_MAX], file[128];

	(void)snprintf(file, sizeof(file), "%s/pid", name);
	return wait_for_pid_file(host_path(host, file, path, sizeof(path)));
}

static void
lose_the_ledger(struct host *host)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/ledger", host->state);
	assert_int_equal(unlink(path), 0);
}

static void
after_a_crash_services_and_daemons_are_taken_over(void **state)
{
	struct host *host = *state;
	pid_t service, daemon;

	host_profile(host, "service", SERVICE);
	host_write(host, "service/restart", 0644, "%s", "");
	host_profile(host, "daemon", DAEMON);
	host_write(host, "daemon/pid_file", 0644, "pid\n");
	host_write(host, "daemon/restart", 0644, "%s", "");
	host_start(host);
	service = host_wait_running(host, "service");
	daemon = host_wait_running(host, "daemon");
	assert_int_equal(noted_pid(host, "service"), service);
	host_crash(host);
	assert_true(process_lives(service));
	assert_true(process_lives(daemon));
	host_mark_log(host);
	host_start(host);
	assert_int_equal(host_wait_running(host, "service"), service);
	assert_int_equal(host_wait_running(host, "daemon"), daemon);
	host_settle(host);
	assert_int_equal(host_count_log(host, " (starting|stopping)$"), 0);
	assert_starts(host, "service", 1);
	assert_starts(host, "daemon", 1);

	/* and they are supervised as ever */
	assert_int_equal(kill(service, SIGKILL), 0);
	assert_int_equal(kill(daemon, SIGKILL), 0);
	host_wait_log(host, " INFO  service died pid %d( signal SIGKILL)?$", service);
	host_wait_log(host, " INFO  daemon died pid %d( signal SIGKILL)?$", daemon);
	host_wait_log(host, " INFO  service starting$");
	host_wait_log(host, " INFO  daemon starting$");
	wait_until(host_wait_running(host, "service") != service);
	wait_until(host_wait_running(host, "daemon") != daemon);
	service = host_wait_running(host, "service");
	daemon = host_wait_running(host, "daemon");
	wait_until(noted_pid(host, "service") == service); /* it has noted its start */
	host_crash(host);
	host_start(host);
	host_stop_all(host);
	assert_false(process_lives(service));
	assert_false(process_lives(daemon));
	assert_starts(host, "service", 2);
	assert_starts(host, "daemon", 2);
}

/* As in a container. */
static void
give_up_looking(void)
{
	if (prctl(PR_CAPBSET_DROP, CAP_SYS_PTRACE, 0, 0, 0) == -1)
		_exit(125);
}

/* To whom may not see it the kernel says 0, which is how a service ends that has done its work. */
static void
whose_end_root_may_not_see_has_failed(void **state)
{
	struct host *host = *state;
	pid_t service;

	host->before_exec = give_up_looking;
	host_profile(host, "web", "exec sleep 1000");
	host_write(host, "web/user", 0644, TENANT "\n");
	host_write(host, "web/restart", 0644, "on-failure\n");
	host_start(host);
	service = host_wait_running(host, "web");
	host_crash_and_inherit(host);
	host_start(host);
	assert_int_equal(host_wait_running(host, "web"), service);
	host_mark_log(host);
	assert_int_equal(kill(service, SIGKILL), 0); /* it stays a zombie: we reap nobody */
	host_wait_log(host, " INFO  web died pid %d$", service);
	host_wait_log(host, " INFO  web starting");
	assert_int_equal(waitpid(service, NULL, 0), service);
	host_stop_all(host);
}

static void
a_service_that_ended_for_good_is_not_started_after_a_crash(void **state)
{
	struct host *host = *state;

	host_profile(host, "web", COUNTED "exit 0");
	host_start(host);
	host_wait_log(host, " web died pid [0-9]+ exit 0$");
	host_wait_log(host, " web stopped$");
	host_crash(host);
	host_mark_log(host);
	host_start(host);
	host_settle(host);
	assert_int_equal(host_count_log(host, " web "), 0);
	assert_starts(host, "web", 1);
	host_stop_all(host);
}

/* As its files said that stand there no more. */
static void
a_service_whose_profile_has_gone_meanwhile_is_stopped(void **state)
{
	struct host *host = *state;
	pid_t pid;

	host_profile(host, "web", "trap '' TERM\n" SERVICE);
	host_write(host, "web/stop_signal", 0644, "INT\n");
	host_start(host);
	pid = host_wait_running(host, "web");
	host_crash(host);
	host_remove(host, "web");
	host_mark_log(host);
	host_start(host);
	host_wait_log(host, " INFO  web stopping$");
	host_wait_log(host, " INFO  web stopped$");
	assert_false(process_lives(pid));
	host_settle(host);
	assert_int_equal(host_count_log(host, " web starting$"), 0);
	host_stop_all(host);
}

static void
a_service_that_was_being_stopped_is_stopped_on(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX];
	pid_t pid;

	host_profile(host, "web", "trap '' TERM; echo $$ > ../pid; exec sleep 1000");
	host_write(host, "web/stop_timeout", 0644, "60\n");
	host_write(host, "web/restart", 0644, "%s", "");
	host_start(host);
	pid = host_wait_running(host, "web");
	assert_int_equal(wait_for_pid_file(host_path(host, "pid", path, sizeof(path))), pid);
	host_touch(host, "web/run");
	host_wait_log(host, " web stopping$");
	host_crash(host);
	assert_true(process_lives(pid));
	host_mark_log(host);
	host_write(host, "web/stop_timeout", 0644, "1\n");
	host_start(host);
	host_wait_log(
	    host, " WARN  web still there [0-9]+ s after the stop signal: sending SIGKILL$");
	host_wait_log(host, " web stopped$");
	assert_false(process_lives(pid));
	assert_int_not_equal(host_wait_running(host, "web"), pid); /* it was a restart */
	host_stop_all(host);
}

/* The monitor is asked to stop the service while the parent can record nothing, and do nothing. */
static void
stop_without_parent(struct host *host)
{
	struct outcome outcome;

	assert_int_equal(kill(host->supervisor, SIGSTOP), 0);
	/* nobody is told that it will be so; for a second the files would have had time to settle
	 */
	assert_int_not_equal(
	    ctl(host, &outcome, "--timeout=3", "--no-wait", "stop", "web", NULL), CTL_DONE);
	assert_int_equal(ctl(host, &outcome, "ping", NULL), CTL_DONE);
	assert_int_equal(host_count_log(host, " web stop"), 0);
}

static void
the_log_says_nothing_before_it_is_in_the_ledger(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	pid_t pid;

	host_profile(host, "web", SERVICE);
	host_start(host);
	pid = host_wait_running(host, "web");
	stop_without_parent(host);
	host_crash(host);
	assert_true(process_lives(pid));
	host_mark_log(host);
	host_start(host);
	assert_int_equal(host_wait_running(host, "web"), pid);
	/* and when it can be recorded it is said */
	stop_without_parent(host);
	assert_int_equal(kill(host->supervisor, SIGCONT), 0);
	host_wait_log(host, " INFO  web stopping$");
	assert_int_equal(ctl(host, &outcome, "wait", "--for=stopped", "web", NULL), CTL_DONE);
	assert_int_equal(host_count_log(host, " INFO  web stopped$"), 1);
	assert_false(process_lives(pid));
	host_stop_all(host);
}

static void
the_log_says_once_what_a_monitor_decided_that_died(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	pid_t monitor;

	host_profile(host, "web", SERVICE);
	host_start(host);
	(void)host_wait_running(host, "web");
	stop_without_parent(host);
	monitor = host_monitor(host);
	assert_int_equal(kill(monitor, SIGKILL), 0);
	assert_int_equal(kill(host->supervisor, SIGCONT), 0);
	host_wait_log(host, " WARN  ProcLaunch monitor died pid %d signal SIGKILL", monitor);
	assert_int_equal(ctl(host, &outcome, "wait", "--for=stopped", "web", NULL), CTL_DONE);
	assert_int_equal(host_count_log(host, " INFO  web stop by uid 0$"), 1);
	assert_int_equal(host_count_log(host, " INFO  web stopping$"), 1);
	assert_int_equal(host_count_log(host, " INFO  web stopped$"), 1);
	host_stop_all(host);
}

static void
a_service_that_was_being_stopped_and_ended_unseen_has_stopped(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX];
	pid_t pid;

	host_profile(host, "web", "trap '' TERM; echo $$ > ../pid; exec sleep 1000");
	host_start(host);
	pid = host_wait_running(host, "web");
	assert_int_equal(wait_for_pid_file(host_path(host, "pid", path, sizeof(path))), pid);
	host_remove(host, "web");
	host_wait_log(host, " web stopping$");
	host_crash(host);
	assert_int_equal(kill(pid, SIGKILL), 0);
	process_wait_gone(pid);
	host_mark_log(host);
	host_start(host);
	host_wait_log(host, " INFO  web stopped$");
	host_settle(host);
	assert_int_equal(host_count_log(host, " web (died|starting)"), 0);
	host_stop_all(host);
}

static void
a_daemon_without_a_record_is_adopted_when_its_pid_file_is_proved(void **state)
{
	struct host *host = *state;
	pid_t daemon;

	host_profile(host, "daemon", DAEMON);
	host_write(host, "daemon/pid_file", 0644, "pid\n");
	host_start(host);
	if (!host_has_cgroups(host))
		skip(); /* nothing but the ledger could tell whose it is */
	daemon = host_wait_running(host, "daemon");
	host_crash(host);
	lose_the_ledger(host);
	host_mark_log(host);
	host_start(host);
	assert_int_equal(host_wait_running(host, "daemon"), daemon);
	host_settle(host);
	assert_int_equal(host_count_log(host, " daemon (starting|stopping|died)"), 0);
	assert_starts(host, "daemon", 1);
	host_stop_all(host);
	assert_false(process_lives(daemon));
}

/* The argument of this program by which it is the daemon of the test below. */
#define MAIN_THREAD_ENDS "--main-thread-ends"

/* The process is called a zombie from now on, and it lives. */
static void *
go_on_alone(void *nothing)
{
	char stat[1024];
	FILE *file;

	do {
		(void)poll(NULL, 0, 1);
		if (read_proc(getpid(), "stat", stat, sizeof(stat)) <= 0)
			exit(1);
	} while (strstr(stat, ") Z ") == NULL);
	file = fopen("pid", "w");
	if (file == NULL || fprintf(file, "%d\n", getpid()) < 0 || fclose(file) == EOF)
		exit(1);
	for (;;)
		(void)pause();
	return nothing;
}

static int
end_main_thread(void)
{
	pthread_t other;

	if (pthread_create(&other, NULL, go_on_alone, NULL) != 0)
		return 1;
	pthread_exit(NULL);
}

/* It was taken for dead: a second one was started beside it, and nobody stopped either. */
static void
a_daemon_lives_though_its_main_thread_has_ended(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	char self[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	pid_t daemon;

	assert_true(length > 0);
	self[length] = '\0';
	host_profile(host, "daemon",
	    "echo start >> starts; %s " MAIN_THREAD_ENDS " > /dev/null 2>&1 < /dev/null &", self);
	host_write(host, "daemon/pid_file", 0644, "pid\n");
	host_start(host);
	daemon = host_wait_running(host, "daemon");
	host_crash(host);
	host_start(host);
	assert_int_equal(host_wait_running(host, "daemon"), daemon);
	assert_starts(host, "daemon", 1);
	assert_int_equal(ctl(host, &outcome, "stop", "daemon", NULL), CTL_DONE);
	process_wait_gone(daemon);
	host_stop_all(host);
}

/* The stray is ended before the profile is started; `two` would tell if it still lived then. */
static void
assert_stray_is_ended_first(struct host *host, pid_t stray)
{
	pid_t pid;

	host_crash(host);
	lose_the_ledger(host);
	host_mark_log(host);
	host_start(host);
	pid = host_wait_running(host, "web");
	assert_int_not_equal(pid, stray);
	assert_false(process_lives(stray));
	assert_starts(host, "web", 2);
	assert_int_equal(host_count_log(host, " web (died|ended) pid 0"), 0);
	assert_int_equal(host_count_log(host, " web starting$"), 1);
	host_stop_all(host);
	assert_false(process_lives(pid));
}

static void
a_stray_without_record_and_pid_file_is_ended_before_the_start(void **state)
{
	struct host *host = *state;
	pid_t stray;

	host_profile(host, "web", SERVICE);
	host_start(host);
	if (!host_has_cgroups(host))
		skip(); /* nothing but the ledger could tell whose it is */
	stray = host_wait_running(host, "web");
	assert_int_equal(noted_pid(host, "web"), stray);
	assert_stray_is_ended_first(host, stray);
}

static void
a_stray_that_does_not_want_to_go_is_killed_before_the_start(void **state)
{
	struct host *host = *state;
	pid_t stray;

	host_profile(host, "web", "trap '' TERM\n" SERVICE);
	host_write(host, "web/stop_timeout", 0644, "1\n");
	host_start(host);
	if (!host_has_cgroups(host))
		skip(); /* nothing but the ledger could tell whose it is */
	stray = host_wait_running(host, "web");
	assert_int_equal(noted_pid(host, "web"), stray);
	assert_stray_is_ended_first(host, stray);
}

static void
a_stray_is_ended_before_the_start_though_kill_mode_is_process(void **state)
{
	struct host *host = *state;
	pid_t stray;

	host_profile(host, "web", SERVICE);
	host_write(host, "web/kill_mode", 0644, "process\n");
	host_start(host);
	if (!host_has_cgroups(host))
		skip(); /* nothing but the ledger could tell whose it is */
	stray = host_wait_running(host, "web");
	assert_int_equal(noted_pid(host, "web"), stray);
	assert_stray_is_ended_first(host, stray);
}

static void
a_stray_that_its_pid_file_does_not_name_is_ended_before_the_start(void **state)
{
	struct host *host = *state;
	pid_t stray;

	host_profile(host, "web", COUNTED "echo $$ > pid; echo $$ > claim; exec sleep 1000");
	host_write(host, "web/pid_file", 0644, "claim\n");
	host_start(host);
	if (!host_has_cgroups(host))
		skip(); /* nothing but the ledger could tell whose it is */
	stray = host_wait_running(host, "web");
	host_write(host, "web/claim", 0644, "1\n");
	assert_stray_is_ended_first(host, stray);
}

static void
what_kill_mode_spares_does_not_keep_the_next_supervisor_from_starting(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX];
	pid_t left;

	host_profile(
	    host, "web", "[ -e ../left ] || { sleep 1000 & echo $! > ../left; }\n" SERVICE);
	host_write(host, "web/kill_mode", 0644, "process\n");
	host_start(host);
	left = wait_for_pid_file(host_path(host, "left", path, sizeof(path)));
	assert_int_equal(noted_pid(host, "web"), host_wait_running(host, "web"));
	host_stop_all(host);
	host_mark_log(host);
	host_start(host);
	(void)host_wait_running(host, "web");
	assert_starts(host, "web", 2);
	assert_true(process_lives(left));
	host_stop_all(host);
}

static void
a_ledger_that_makes_no_sense_is_ignored(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX], garbage[4096];
	pid_t bystander, pid;
	size_t i;
	int file;

	host_profile(host, "web", SERVICE);
	host_start(host);
	pid = host_wait_running(host, "web");
	bystander = pid;
	host_stop_all(host);
	assert_false(process_lives(bystander));
	(void)snprintf(path, sizeof(path), "%s/ledger", host->state);
	file = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(file != -1);
	for (i = 0; i < sizeof(garbage); i++)
		garbage[i] = (char)(i * 31 + i / 7);
	assert_int_equal(write(file, garbage, sizeof(garbage)), sizeof(garbage));
	assert_int_equal(close(file), 0);
	host_mark_log(host);
	host_start(host);
	(void)host_wait_running(host, "web");
	assert_int_equal(host_count_log(host, " WARN  web "), 0);
	host_stop_all(host);
}

/* The spawner had not answered yet: nothing was executed, and nothing may be taken for it. */
static void
a_start_that_was_asked_for_and_not_carried_out_is_made_up_for(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	char path[PATH_MAX];
	pid_t spawner;

	host_profile(host, "web", SERVICE);
	host_write(host, "web/down", 0644, "%s", "");
	host_start(host);
	spawner = host_spawner(host);
	peer_stop(spawner); /* for a moment: it counts as hung after ten seconds */
	assert_int_equal(ctl(host, &outcome, "start", "--no-wait", "web", NULL), CTL_DONE);
	host_wait_log(host, " web starting$");
	peer_wait_asked_to_fork(spawner);
	host_crash(host);
	assert_int_equal(access(host_path(host, "web/starts", path, sizeof(path)), F_OK), -1);
	host_mark_log(host);
	host_start(host);
	assert_int_equal(noted_pid(host, "web"), host_wait_running(host, "web"));
	assert_int_equal(host_count_log(host, " web died"), 0);
	assert_starts(host, "web", 1);
	host_stop_all(host);
}

int
main(int count, char **arguments)
{
	const struct CMUnitTest tests[] = {
	    ROOT_TEST(a_start_that_was_asked_for_and_not_carried_out_is_made_up_for),
	    SESSIONS_TEST(a_start_that_was_asked_for_and_not_carried_out_is_made_up_for),
	    ROOT_TEST(after_a_crash_services_and_daemons_are_taken_over),
	    ROOT_TEST(whose_end_root_may_not_see_has_failed),
	    TENANT_TEST(after_a_crash_services_and_daemons_are_taken_over),
	    SESSIONS_TEST(after_a_crash_services_and_daemons_are_taken_over),
	    ROOT_TEST(a_service_that_ended_for_good_is_not_started_after_a_crash),
	    TENANT_TEST(a_service_that_ended_for_good_is_not_started_after_a_crash),
	    ROOT_TEST(a_service_whose_profile_has_gone_meanwhile_is_stopped),
	    TENANT_TEST(a_service_whose_profile_has_gone_meanwhile_is_stopped),
	    SESSIONS_TEST(a_service_whose_profile_has_gone_meanwhile_is_stopped),
	    ROOT_TEST(a_service_that_was_being_stopped_is_stopped_on),
	    TENANT_TEST(a_service_that_was_being_stopped_is_stopped_on),
	    ROOT_TEST(the_log_says_nothing_before_it_is_in_the_ledger),
	    TENANT_TEST(the_log_says_nothing_before_it_is_in_the_ledger),
	    ROOT_TEST(the_log_says_once_what_a_monitor_decided_that_died),
	    ROOT_TEST(a_service_that_was_being_stopped_and_ended_unseen_has_stopped),
	    ROOT_TEST(a_daemon_without_a_record_is_adopted_when_its_pid_file_is_proved),
	    ROOT_TEST(a_daemon_lives_though_its_main_thread_has_ended),
	    SESSIONS_TEST(a_daemon_lives_though_its_main_thread_has_ended),
	    ROOT_TEST(a_stray_without_record_and_pid_file_is_ended_before_the_start),
	    ROOT_TEST(a_stray_that_does_not_want_to_go_is_killed_before_the_start),
	    ROOT_TEST(a_stray_is_ended_before_the_start_though_kill_mode_is_process),
	    ROOT_TEST(a_stray_that_its_pid_file_does_not_name_is_ended_before_the_start),
	    ROOT_TEST(what_kill_mode_spares_does_not_keep_the_next_supervisor_from_starting),
	    TENANT_TEST(what_kill_mode_spares_does_not_keep_the_next_supervisor_from_starting),
	    SESSIONS_TEST(what_kill_mode_spares_does_not_keep_the_next_supervisor_from_starting),
	    ROOT_TEST(a_ledger_that_makes_no_sense_is_ignored),
	};

	if (count == 2 && strcmp(arguments[1], MAIN_THREAD_ENDS) == 0)
		return end_main_thread();
	return cmocka_run_group_tests_name("adoption", tests, NULL, NULL);
}
