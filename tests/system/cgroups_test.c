/*
 * What a service does with its cgroup, and what becomes of a cgroup that nobody explains: a service
 * of root may make cgroups below its own, and is found, signalled and ended there too.
 * proclaunch(8), IDENTITY.
 */
#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fault.h"
#include "host.h"

/* A process besides the main one, which says which signal ended it. */
#define LEFT                                                                                   \
	"sh -c 'trap \": > termed; exit\" TERM; echo $$ > left; while :; do sleep 0.1; done' " \
	"> /dev/null 2>&1 < /dev/null &\n"

static void
write_to(const char *directory, const char *name, const char *text)
{
	char path[PATH_MAX];
	int file;

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(file != -1);
	assert_int_equal(write(file, text, strlen(text)), strlen(text));
	assert_int_equal(close(file), 0);
}

/* Moves the process two cgroups below that of its profile, as it might do itself. */
static void
move_below(const struct host *host, const char *profile, pid_t pid)
{
	char cgroup[PATH_MAX / 2], path[PATH_MAX - 64], text[32];
	unsigned depth;

	(void)snprintf(
	    path, sizeof(path), "%s", host_cgroup(host, profile, cgroup, sizeof(cgroup)));
	for (depth = 0; depth < 2; depth++) {
		(void)strncat(path, "/below", sizeof(path) - strlen(path) - 1);
		assert_int_equal(mkdir(path, 0755), 0);
	}
	(void)snprintf(text, sizeof(text), "%d\n", pid);
	write_to(path, "cgroup.procs", text);
}

static bool
has_cgroup(const struct host *host, const char *profile)
{
	char cgroup[PATH_MAX / 2];

	return access(host_cgroup(host, profile, cgroup, sizeof(cgroup)), F_OK) == 0;
}

/* A service that leaves one behind, and another beside it, so that there is always one. */
static pid_t
begin(struct host *host, pid_t *left)
{
	char path[PATH_MAX];
	pid_t web;

	host_profile(host, "stays", "exec sleep 1000");
	host_profile(host, "web", LEFT "exec sleep 1000");
	host_start(host);
	if (!host_has_cgroups(host))
		skip();
	(void)host_wait_running(host, "stays");
	web = host_wait_running(host, "web");
	*left = wait_for_pid_file(host_path(host, "web/left", path, sizeof(path)));
	return web;
}

static void
what_a_service_has_moved_below_its_cgroup_is_ended_with_it(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX];
	pid_t main_process, left;

	main_process = begin(host, &left);
	move_below(host, "web", left);
	host_remove(host, "web/run");
	host_profile(host, "web", "exec sleep 1000");
	/* restarted, because it has changed: not before the last of the old ones is gone */
	wait_until(host_wait_running(host, "web") != main_process);
	assert_false(process_lives(left));
	assert_int_equal(access(host_path(host, "web/termed", path, sizeof(path)), F_OK), 0);
	host_remove(host, "web");
	host_wait_log(host, " web stopped$");
	wait_until(!has_cgroup(host, "web")); /* nor what was made below it */
	host_stop_all(host);
}

/* It heeds nothing but SIGKILL, which the kernel sends to whoever comes into that cgroup later,
 * too; and the cgroups below it, in which nobody is left, keep it from being removed at once. */
static void
what_is_killed_with_cgroups_of_its_own_is_started_again_and_lives(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX];
	pid_t left, web;

	host_profile(host, "stays", "exec sleep 1000");
	host_profile(host, "web",
	    "sh -c 'trap : TERM; echo $$ > left; while :; do sleep 0.1; done' > /dev/null 2>&1 &\n"
	    "exec sleep 1000");
	host_write(host, "web/stop_timeout", 0644, "1\n");
	host_write(host, "web/restart", 0644, "%s", "");
	host_start(host);
	if (!host_has_cgroups(host))
		skip();
	(void)host_wait_running(host, "stays");
	web = host_wait_running(host, "web");
	left = wait_for_pid_file(host_path(host, "web/left", path, sizeof(path)));
	move_below(host, "web", left);
	host_mark_log(host);
	assert_int_equal(kill(web, SIGKILL), 0);
	process_wait_gone(left);
	web = host_wait_running(host, "web");
	host_settle(host);
	assert_true(process_lives(web));
	assert_int_equal(host_count_log(host, " web (cannot start|died)"), 1); /* the first */
	host_stop_all(host);
}

static void
a_daemon_below_the_cgroup_of_its_profile_is_in_it(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX];
	pid_t child;

	host_profile(host, "stays", "exec sleep 1000");
	host_profile(host, "daemon",
	    "(exec sleep 1000) > /dev/null 2>&1 < /dev/null &\n"
	    "echo $! > child; until [ -e go ]; do sleep 0.01; done; echo $! > pid");
	host_write(host, "daemon/pid_file", 0644, "pid\n");
	host_start(host);
	if (!host_has_cgroups(host))
		skip();
	(void)host_wait_running(host, "stays");
	child = wait_for_pid_file(host_path(host, "daemon/child", path, sizeof(path)));
	move_below(host, "daemon", child);
	host_write(host, "daemon/go", 0644, "%s", "");
	assert_int_equal(host_wait_running(host, "daemon"), child);
	assert_int_equal(host_count_log(host, " daemon refused"), 0);
	host_stop_all(host);
	assert_false(process_lives(child));
}

/* Its profile was removed while nobody looked, and the ledger is lost. */
static void
the_processes_of_a_cgroup_that_no_profile_explains_are_ended(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX];
	pid_t web, left;

	web = begin(host, &left);
	host_crash(host);
	host_remove(host, "web");
	(void)snprintf(path, sizeof(path), "%s/ledger", host->state);
	assert_int_equal(unlink(path), 0);
	assert_true(process_lives(web) && process_lives(left));
	host_start(host);
	process_wait_gone(web);
	process_wait_gone(left);
	wait_until(!has_cgroup(host, "web"));
	host_stop_all(host);
}

/* Where the kernel gives it no cgroup, nothing could find what it forks: it is not executed. */
static void
a_service_for_which_no_cgroup_can_be_made_is_not_executed(void **state)
{
	struct host *host = *state;
	char cgroup[PATH_MAX / 2], path[PATH_MAX];

	host_profile(host, "stays", "exec sleep 1000");
	host_start(host);
	if (!host_has_cgroups(host))
		skip();
	(void)host_wait_running(host, "stays");
	host_cgroup(host, "stays", cgroup, sizeof(cgroup));
	*strrchr(cgroup, '/') = '\0';
	write_to(cgroup, "cgroup.max.descendants", "1\n");
	host_profile(host, "web", "echo > ran; exec sleep 1000");
	host_write(host, "web/restart", 0644, "%s", "");
	host_wait_log(host, " WARN  web cannot start: .*: Resource temporarily unavailable$");
	assert_int_equal(access(host_path(host, "web/ran", path, sizeof(path)), F_OK), -1);
	write_to(cgroup, "cgroup.max.descendants", "max\n");
	(void)host_wait_running(host, "web"); /* it is tried again */
	host_stop_all(host);
}

/* While nothing runs all of them are empty, and somebody who tidies up removes ours too. */
static void
a_supervisor_whose_own_cgroup_is_removed_makes_it_again(void **state)
{
	struct host *host = *state;
	char cgroup[PATH_MAX / 2], path[PATH_MAX];
	pid_t left;

	host_profile(host, "web", LEFT "exec sleep 1000");
	host_write(host, "web/down", 0644, "%s", "");
	host_start(host);
	if (!host_has_cgroups(host))
		skip();
	host_cgroup(host, "web", cgroup, sizeof(cgroup));
	(void)rmdir(cgroup);
	*strrchr(cgroup, '/') = '\0';
	assert_int_equal(rmdir(cgroup), 0);
	host_remove(host, "web/down");
	(void)host_wait_running(host, "web");
	assert_true(has_cgroup(host, "web"));
	left = wait_for_pid_file(host_path(host, "web/left", path, sizeof(path)));
	host_stop_all(host);
	assert_false(process_lives(left));
	assert_int_equal(host_count_log(host, "cannot start"), 0);
	assert_int_equal(access(cgroup, F_OK), -1);
}

/* Root has moved it elsewhere, and taken the cgroup away: nobody is in it then. */
static mode_t
mode_of_all(const struct host *host)
{
	char path[PATH_MAX];
	struct stat status;

	host_cgroup(host, "web", path, sizeof(path));
	*strrchr(path, '/') = '\0';
	assert_int_equal(stat(path, &status), 0);
	return status.st_mode & ALLPERMS;
}

/* It holds what the profiles of all tenants are called. Nor may one of an older version be. */
static void
our_cgroup_is_listed_by_nobody_else(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX];

	host_profile(host, "web", "exec sleep 1000");
	host_start(host);
	if (!host_has_cgroups(host))
		skip();
	host_wait_running(host, "web");
	assert_int_equal(mode_of_all(host), 0711);
	host_leave(host);
	host_cgroup(host, "web", path, sizeof(path));
	*strrchr(path, '/') = '\0';
	assert_int_equal(chmod(path, 0755), 0);
	host_start(host);
	assert_int_equal(mode_of_all(host), 0711);
	host_stop_all(host);
}

static void
what_has_left_a_cgroup_that_is_gone_is_not_the_service(void **state)
{
	char cgroup[PATH_MAX], above[PATH_MAX], path[PATH_MAX], text[32];
	struct host *host = *state;
	int ask;
	pid_t pid;

	host_profile(host, "web",
	    "echo $$ > own; read line < ask; echo $$ > pid; read line < ask; exec sleep 1000");
	host_write(host, "web/pid_file", 0644, "pid\n");
	assert_int_equal(mkfifo(host_path(host, "web/ask", path, sizeof(path)), 0600), 0);
	ask = open(path, O_RDWR | O_CLOEXEC);
	assert_true(ask != -1);
	host_start(host);
	if (!host_has_cgroups(host))
		skip();
	pid = wait_for_pid_file(host_path(host, "web/own", path, sizeof(path)));
	(void)snprintf(
	    above, sizeof(above), "%s", host_cgroup(host, "web", cgroup, sizeof(cgroup)));
	*strrchr(above, '/') = '\0';
	(void)snprintf(text, sizeof(text), "%d\n", pid);
	write_to(above, "cgroup.procs", text);
	assert_int_equal(rmdir(cgroup), 0);
	assert_int_equal(write(ask, "x\n", 2), 2);
	host_wait_log(
	    host, " WARN  web refused: pid_file names pid %d, which is not in this profile$", pid);
	assert_true(process_lives(pid));
	assert_int_equal(close(ask), 0);
	host_stop_all(host);
}

static char container[PATH_MAX];

/* What is mounted begins above our cgroup namespace, as in a container that was given the host's.
 */
static void
enter_container(void)
{
	write_to(container, "cgroup.procs", "0\n");
	if (unshare(CLONE_NEWCGROUP) == -1)
		_exit(125);
}

static void
a_service_is_known_from_a_cgroup_namespace_below_what_is_mounted(void **state)
{
	struct host *host = *state;
	char cgroup[PATH_MAX / 2], path[PATH_MAX];
	pid_t pid;

	host_profile(host, "web",
	    LEFT "(exec sleep 1000) > /dev/null 2>&1 < /dev/null &\n"
		 "echo $! > pid");
	host_write(host, "web/pid_file", 0644, "pid\n");
	host_write(host, "web/down", 0644, "%s", "");
	host_start(host);
	if (!host_has_cgroups(host))
		skip();
	host_cgroup(host, "web", cgroup, sizeof(cgroup));
	host_stop_all(host);
	*strrchr(cgroup, '/') = '\0';
	*strrchr(cgroup, '/') = '\0';
	(void)snprintf(container, sizeof(container), "%s/proclaunch-test-%d", cgroup, getpid());
	assert_int_equal(mkdir(container, 0755), 0);
	host->before_exec = enter_container;
	host_remove(host, "web/down");
	host_start(host);
	pid = host_wait_running(host, "web");
	assert_int_equal(wait_for_pid_file(host_path(host, "web/pid", path, sizeof(path))), pid);
	(void)wait_for_pid_file(host_path(host, "web/left", path, sizeof(path)));
	host_stop_all(host);
	assert_int_equal(access(host_path(host, "web/termed", path, sizeof(path)), F_OK), 0);
	wait_until(rmdir(container) == 0);
}

static void
forbid_clone3(void)
{
	static const struct fault fault = {"clone3", SYS_clone3, FAULT_ANY, 0, ENOSYS};

	if (!fault_install(&fault))
		_exit(125);
}

/* Only clone3(2) can do so, and the filters of containers forbid it. */
static void
where_nobody_can_be_born_into_a_cgroup_services_run_without(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX];
	pid_t left;

	host_profile(host, "web", LEFT "exec sleep 1000");
	host->before_exec = forbid_clone3;
	host_start(host);
	(void)host_wait_running(host, "web");
	left = wait_for_pid_file(host_path(host, "web/left", path, sizeof(path)));
	assert_int_equal(host_count_log(host, " ProcLaunch no writable cgroup v2 hierarchy: "), 1);
	host_stop_all(host);
	assert_false(process_lives(left));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROOT_TEST(what_a_service_has_moved_below_its_cgroup_is_ended_with_it),
	    ROOT_TEST(what_is_killed_with_cgroups_of_its_own_is_started_again_and_lives),
	    ROOT_TEST(a_daemon_below_the_cgroup_of_its_profile_is_in_it),
	    ROOT_TEST(the_processes_of_a_cgroup_that_no_profile_explains_are_ended),
	    ROOT_TEST(our_cgroup_is_listed_by_nobody_else),
	    ROOT_TEST(what_has_left_a_cgroup_that_is_gone_is_not_the_service),
	    ROOT_TEST(a_service_for_which_no_cgroup_can_be_made_is_not_executed),
	    ROOT_TEST(a_supervisor_whose_own_cgroup_is_removed_makes_it_again),
	    ROOT_TEST(a_service_is_known_from_a_cgroup_namespace_below_what_is_mounted),
	    ROOT_TEST(where_nobody_can_be_born_into_a_cgroup_services_run_without),
	};

	return cmocka_run_group_tests_name("cgroups", tests, NULL, NULL);
}
