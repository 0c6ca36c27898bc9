/*
 * What is different when an ordinary user runs the supervisor for their own services. What is the
 * same is tested where it belongs, as root and as an ordinary user.
 */
#include <sys/stat.h>
#include <sys/wait.h>

#include <grp.h>
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

#include "host.h"

static void
assert_all_ids(pid_t pid)
{
	char expected[128];
	uid_t uid = account_uid(TENANT);
	gid_t gid = account_gid(TENANT);

	(void)snprintf(expected, sizeof(expected), "%u\t%u\t%u\t%u", uid, uid, uid, uid);
	assert_status(pid, "Uid", expected);
	(void)snprintf(expected, sizeof(expected), "%u\t%u\t%u\t%u", gid, gid, gid, gid);
	assert_status(pid, "Gid", expected);
	assert_status(pid, "CapPrm", "0000000000000000");
	assert_status(pid, "CapEff", "0000000000000000");
}

static void
all_processes_run_as_that_user_and_the_monitor_is_confined_all_the_same(void **state)
{
	struct host *host = *state;
	pid_t web, mine;

	host_profile(host, "web", "exec sleep 1000");
	host_profile(host, "mine", "exec sleep 1000");
	host_write(host, "mine/allow_new_privs", 0644, "%s", ""); /* nothing but one's own */
	host_start(host);
	web = host_wait_running(host, "web");
	mine = host_wait_running(host, "mine");
	assert_all_ids(host->supervisor);
	assert_all_ids(host_monitor(host));
	assert_all_ids(host_spawner(host));
	assert_all_ids(web);
	assert_status(host_monitor(host), "Seccomp", "2");
	assert_status(host_monitor(host), "NoNewPrivs", "1");
	assert_status(host_spawner(host), "Seccomp", "0");
	assert_status(web, "Seccomp", "0");
	assert_status(web, "NoNewPrivs", "1");
	assert_status(mine, "NoNewPrivs", "0");
	host_stop_all(host);
}

static void
change_group_before_that(void)
{
	gid_t group = account_gid(OTHER_TENANT);
	uid_t uid = account_uid(TENANT);

	if (setgroups(0, NULL) == -1 || setresgid(group, group, group) == -1 ||
	    setresuid(uid, uid, uid) == -1)
		_exit(126);
}

/* newgrp(1), sg(1) */
static void
services_have_the_group_that_the_user_is_in(void **state)
{
	struct host *host = *state;
	char expected[128];
	gid_t group = account_gid(OTHER_TENANT);

	host_profile(host, "web", "exec sleep 1000");
	host->before_exec = change_group_before_that;
	host_start(host);
	(void)snprintf(expected, sizeof(expected), "%u\t%u\t%u\t%u", group, group, group, group);
	assert_status(host_wait_running(host, "web"), "Gid", expected);
	host_stop_all(host);
}

static void
a_user_file_may_name_nobody_else(void **state)
{
	struct host *host = *state;

	host_profile(host, "mine", "exec sleep 1000");
	host_write(host, "mine/user", 0644, "%s\n", TENANT);
	host_profile(host, "other", "exec sleep 1000");
	host_write(host, "other/user", 0644, "%s\n", OTHER_TENANT);
	host_profile(host, "root", "exec sleep 1000");
	host_write(host, "root/user", 0644, "root\n");
	host_profile(host, "nobody", "exec sleep 1000");
	host_write(host, "nobody/user", 0644, "no.such\n");
	host_start(host);
	assert_all_ids(host_wait_running(host, "mine"));
	host_wait_log(host, " WARN  other refused: user: names somebody else, which only root can");
	host_wait_log(host, " WARN  root refused: user: names somebody else, which only root can");
	host_wait_log(host, " WARN  nobody refused: user: must name an existing account");
	host_stop_all(host);
	assert_int_equal(host_count_log(host, " starting$"), 1);
}

static void
profiles_of_others_are_refused(void **state)
{
	struct host *host = *state;

	host_profile(host, "web", "exec sleep 1000");
	host_profile(host, "theirs", "exec sleep 1000");
	host_chown(host, "theirs", OTHER_TENANT);
	host_profile(host, "roots", "exec sleep 1000");
	host_write(host, "roots/user", 0644, "root\n");
	host_chown(host, "roots", "root");
	host_profile(host, "installed", "exec sleep 1000");
	host_chown(host, "installed", "root"); /* names nobody: runs as whoever started us */
	host_start(host);
	(void)host_wait_running(host, "web");
	assert_int_equal(process_uid(host_wait_running(host, "installed")), account_uid(TENANT));
	host_wait_log(host, " WARN  theirs refused: the directory: belongs to somebody else");
	host_wait_log(host, " WARN  roots refused: user: names somebody else");
	host_stop_all(host);
	assert_int_equal(host_count_log(host, " starting$"), 2);
}

/* A process of the tenant's that no supervisor has started. */
static pid_t
start_bystander(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (setuid(account_uid(TENANT)) == 0)
			(void)execl("/bin/sleep", "sleep", "1000", (char *)NULL);
		_exit(126);
	}
	wait_until(process_uid(pid) == account_uid(TENANT));
	return pid;
}

static void
a_pid_file_may_not_name_another_process_of_the_same_user(void **state)
{
	struct host *host = *state;
	pid_t web, bystander = start_bystander();
	bool alive;

	host_profile(host, "web", "exec sleep 1000");
	host_profile(host, "thief", "exec sleep 1000");
	host_write(host, "thief/pid_file", 0644, "thief.pid\n");
	host_start(host);
	web = host_wait_running(host, "web");
	host_replace(host, "thief/thief.pid", 0644, "");
	host_write(host, "thief/thief.pid", 0644, "%d\n", bystander);
	host_wait_log(host,
	    " WARN  thief refused: pid_file names pid %d, which is not in this profile$",
	    bystander);
	host_write(host, "thief/thief.pid", 0644, "%d\n", web);
	host_wait_log(host,
	    " WARN  thief refused: pid_file names pid %d, which is not in this profile$", web);
	host_write(host, "thief/thief.pid", 0644, "%d\n", host->supervisor);
	host_wait_log(host,
	    " WARN  thief refused: pid_file names pid %d, which is not in this profile$",
	    host->supervisor);
	assert_int_equal(host_count_log(host, " thief running"), 0);
	host_stop_all(host);
	alive = process_lives(bystander);
	assert_int_equal(kill(bystander, SIGKILL), 0);
	assert_int_equal(waitpid(bystander, NULL, 0), bystander);
	assert_true(alive); /* nothing was sent on the pid file's word */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TENANT_TEST(all_processes_run_as_that_user_and_the_monitor_is_confined_all_the_same),
	    TENANT_TEST(services_have_the_group_that_the_user_is_in),
	    TENANT_TEST(a_user_file_may_name_nobody_else),
	    TENANT_TEST(profiles_of_others_are_refused),
	    TENANT_TEST(a_pid_file_may_not_name_another_process_of_the_same_user),
	};

	return cmocka_run_group_tests_name("ordinary user", tests, NULL, NULL);
}
