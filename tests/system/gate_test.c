/*
 * Between its birth and its exec a service waits at a gate, until the ledger says who it is:
 * whoever is killed just then, it is neither lost nor started twice. The processes are held at the
 * system call at which somebody dies. proclaunch(8), WHEN A PROCESS DIES.
 */
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <limits.h>
#include <linux/ptrace.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "guard.h"
#include "host.h"
#include "message.h"

#define SERVICE GUARD "exec sleep 1000"
#define DAEMON	"setsid sh -c '" GUARD "echo $$ > pid\nexec sleep 1000' > /dev/null 2>&1 &"
#define ONCE	GUARD "exit 0"

/* From now on it stops at each system call, and so do its children, where the options say so. */
static void
hold(pid_t pid, long options)
{
	assert_int_equal(
	    ptrace(PTRACE_SEIZE, pid, NULL, (void *)(options | PTRACE_O_TRACESYSGOOD)), 0);
	assert_int_equal(ptrace(PTRACE_INTERRUPT, pid, NULL, NULL), 0);
	assert_int_equal(waitpid(pid, NULL, __WALL), pid);
}

/* Lets it go on until it, or a child of it, stands at the entry of a system call; which of them. */
static pid_t
next_call(pid_t pid, struct ptrace_syscall_info *call)
{
	int status, number = 0;
	bool entered = false;

	while (!entered) {
		/* one that has been killed does not go on */
		(void)ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(intptr_t)number);
		pid = waitpid(-1, &status, __WALL);
		assert_true(pid > 0);
		number = 0;
		if (WIFSTOPPED(status) && WSTOPSIG(status) == (SIGTRAP | 0x80))
			entered =
			    ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(*call), call) > 0 &&
			    call->op == PTRACE_SYSCALL_INFO_ENTRY;
		else if (WIFSTOPPED(status) && status >> 16 == 0)
			number = WSTOPSIG(status);
	}
	return pid;
}

static void
look_into(pid_t pid, uint64_t address, void *found, size_t size)
{
	struct iovec here = {.iov_base = found, .iov_len = size};
	struct iovec there = {.iov_base = (void *)(uintptr_t)address, .iov_len = size};

	assert_int_equal(process_vm_readv(pid, &here, 1, &there, 1, 0), size);
}

/* Is it about to send a message of that type? */
static bool
sends(pid_t pid, const struct ptrace_syscall_info *call, enum message_type type)
{
	struct msghdr header;
	struct message message;
	struct iovec bytes;

	if (call->entry.nr != SYS_sendmsg)
		return false;
	look_into(pid, call->entry.args[1], &header, sizeof(header));
	look_into(pid, (uintptr_t)header.msg_iov, &bytes, sizeof(bytes));
	look_into(pid, (uintptr_t)bytes.iov_base, &message, sizeof(message));
	return message.type == type;
}

/* The parent, as it is about to say such a thing about a new service. */
static void
hold_parent_before(
    enum message_type type, struct host *host, const char *script, const char *pid_file)
{
	struct ptrace_syscall_info call;

	host_start(host);
	hold(host->supervisor, 0);
	if (pid_file != NULL)
		host_write(host, "web/pid_file", 0644, "%s\n", pid_file);
	host_profile(host, "web", "%s", script);
	do
		(void)next_call(host->supervisor, &call);
	while (!sends(host->supervisor, &call, type));
}

/* As it has let the service through, and waits for what comes of it, which it will never hear. */
static void
hold_parent_behind_the_gate(struct host *host, const char *script, const char *pid_file)
{
	struct ptrace_syscall_info call;

	hold_parent_before(MESSAGE_GO, host, script, pid_file);
	do
		(void)next_call(host->supervisor, &call);
	while (call.entry.nr != SYS_epoll_wait && call.entry.nr != SYS_epoll_pwait);
}

static pid_t
only_start(struct host *host)
{
	char path[PATH_MAX], text[64];

	wait_for_file(host_path(host, "web/starts", path, sizeof(path)), text, sizeof(text));
	assert_ptr_equal(strchr(text, '\n'), strrchr(text, '\n'));
	assert_int_equal(access(host_path(host, "second", path, sizeof(path)), F_OK), -1);
	return (pid_t)strtol(text, NULL, 10);
}

/* A daemon has left its `run`: the parent dies, and `run` is nobody's zombie, who could tell. */
static void
a_daemon_that_is_up_is_taken_over(struct host *host)
{
	char path[PATH_MAX];
	pid_t daemon = wait_for_pid_file(host_path(host, "web/pid", path, sizeof(path)));

	host_crash_and_inherit(host);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	host_start(host);
	assert_int_equal(host_wait_running(host, "web"), daemon);
	assert_int_equal(only_start(host), daemon);
	assert_int_equal(host_count_log(host, " web (died|stopping)"), 0);
	host_stop_all(host);
}

static void
what_the_parent_has_not_let_through_when_it_dies_is_started(void **state)
{
	struct host *host = *state;

	hold_parent_before(MESSAGE_GO, host, SERVICE, NULL);
	host_crash(host);
	host_start(host);
	assert_int_equal(host_wait_running(host, "web"), only_start(host));
	assert_int_equal(host_count_log(host, " web died "), 0); /* nothing was executed */
	host_stop_all(host);
}

static void
a_daemon_that_the_dead_parent_has_let_through_is_taken_over(void **state)
{
	hold_parent_behind_the_gate(*state, DAEMON, "pid");
	a_daemon_that_is_up_is_taken_over(*state);
}

/* Nobody was born: there is nothing to be waited for. */
static void
a_daemon_that_the_dead_parent_had_not_asked_for_yet_is_started_at_once(void **state)
{
	struct host *host = *state;

	hold_parent_before(MESSAGE_FORK, host, DAEMON, "pid");
	host_crash(host);
	host_start(host);
	assert_int_equal(host_wait_running(host, "web"), only_start(host));
	host_stop_all(host);
}

/* What comes next would have said in the ledger that it has been let through. */
static void
a_daemon_is_taken_over_though_the_parent_has_died_as_it_let_it_through(void **state)
{
	struct ptrace_syscall_info call;
	struct host *host = *state;

	hold_parent_before(MESSAGE_GO, host, DAEMON, "pid");
	(void)next_call(host->supervisor, &call);
	a_daemon_that_is_up_is_taken_over(host);
}

static void
what_the_dead_parent_has_let_through_and_has_ended_is_not_started_again(void **state)
{
	struct host *host = *state;
	pid_t pid;

	hold_parent_behind_the_gate(host, ONCE, NULL);
	pid = only_start(host);
	wait_until(!process_lives(pid));
	host_crash_and_inherit(host);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	host_start(host);
	host_wait_log(host, " web died pid %d$", pid);
	host_wait_log(host, " web stopped$");
	host_settle(host);
	assert_int_equal(only_start(host), pid);
	host_stop_all(host);
}

/* It has been let through, and somebody kills it before it has executed anything. */
static void
who_is_killed_before_the_exec_is_started_again(void **state)
{
	struct ptrace_syscall_info call;
	struct host *host = *state;
	pid_t spawner, newborn;

	host_start(host);
	spawner = host_spawner(host);
	hold(spawner, PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK);
	host_profile(host, "web", "%s", SERVICE);
	newborn = next_call(spawner, &call);
	while (call.entry.nr != SYS_execveat)
		newborn = next_call(newborn, &call);
	assert_int_not_equal(newborn, spawner);
	assert_int_equal(kill(newborn, SIGKILL), 0);
	assert_int_equal(waitpid(newborn, NULL, __WALL), newborn);
	(void)ptrace(PTRACE_INTERRUPT, spawner, NULL, NULL);
	assert_int_equal(waitpid(spawner, NULL, __WALL), spawner);
	assert_int_equal(ptrace(PTRACE_DETACH, spawner, NULL, NULL), 0);
	host_wait_log(host, " WARN  web cannot start: gate: Operation canceled$");
	assert_int_equal(host_wait_running(host, "web"), only_start(host));
	assert_int_equal(host_count_log(host, " web died "), 0);
	host_stop_all(host);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROOT_TEST(what_the_parent_has_not_let_through_when_it_dies_is_started),
	    SESSIONS_TEST(what_the_parent_has_not_let_through_when_it_dies_is_started),
	    TENANT_TEST(what_the_parent_has_not_let_through_when_it_dies_is_started),
	    ROOT_TEST(a_daemon_that_the_dead_parent_has_let_through_is_taken_over),
	    SESSIONS_TEST(a_daemon_that_the_dead_parent_has_let_through_is_taken_over),
	    ROOT_TEST(a_daemon_that_the_dead_parent_had_not_asked_for_yet_is_started_at_once),
	    SESSIONS_TEST(a_daemon_that_the_dead_parent_had_not_asked_for_yet_is_started_at_once),
	    ROOT_TEST(a_daemon_is_taken_over_though_the_parent_has_died_as_it_let_it_through),
	    SESSIONS_TEST(a_daemon_is_taken_over_though_the_parent_has_died_as_it_let_it_through),
	    ROOT_TEST(what_the_dead_parent_has_let_through_and_has_ended_is_not_started_again),
	    SESSIONS_TEST(what_the_dead_parent_has_let_through_and_has_ended_is_not_started_again),
	    ROOT_TEST(who_is_killed_before_the_exec_is_started_again),
	    SESSIONS_TEST(who_is_killed_before_the_exec_is_started_again),
	};

	return cmocka_run_group_tests_name("gate", tests, NULL, NULL);
}
