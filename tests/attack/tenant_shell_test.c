/*
 * A tenant with an account, a shell and profiles of his own: what he does to his own processes, and
 * to those of ours that have dropped to him, holds up nobody else.
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

#include "child.h"
#include "host.h"

/* More than are surveyed at the same time. */
#define PROFILES 24

static void
make_tenant(struct host *host, const char *account)
{
	char name[64], path[PATH_MAX];

	(void)snprintf(name, sizeof(name), "../tenants/%s", account);
	host_path(host, "../tenants", path, sizeof(path));
	(void)mkdir(path, 0755); /* the second one finds it */
	assert_int_equal(mkdir(host_path(host, name, path, sizeof(path)), 0755), 0);
	host_chown(host, name, account);
}

static void
make_profile(struct host *host, const char *account, const char *profile)
{
	char name[128];

	(void)snprintf(name, sizeof(name), "../tenants/%s/%s", account, profile);
	host_profile(host, name, "exec sleep 1000");
	host_chown(host, name, account);
}

/* A change that asks for a survey and restarts nothing. */
static void
change_profiles(struct host *host)
{
	char name[128];
	unsigned i;

	for (i = 0; i < PROFILES; i++) {
		(void)snprintf(name, sizeof(name), "../tenants/" TENANT "/p%u/restart", i);
		host_write(host, name, 0644, "%s", "");
	}
}

/* The supervisor's children that have not executed anything, each given to `take`. How many took.
 */
static unsigned
each_newborn(pid_t supervisor, bool (*take)(pid_t pid))
{
	char name[64], children[16384], value[64], *rest;
	unsigned taken = 0;
	pid_t pid;

	(void)snprintf(name, sizeof(name), "task/%d/children", supervisor);
	(void)read_proc(supervisor, name, children, sizeof(children));
	for (rest = children; (pid = (pid_t)strtol(rest, &rest, 10)) > 0;)
		if (strncmp(process_status(pid, "Name", value, sizeof(value)), "proclaunch-spaw",
			15) == 0)
			taken += take(pid);
	return taken;
}

static bool
is_stopped(pid_t pid)
{
	char state[32];

	return process_status(pid, "State", state, sizeof(state))[0] == 'T';
}

static bool
stop(pid_t pid)
{
	return kill(pid, SIGSTOP) == 0; /* the kernel refuses all but the tenant's own */
}

static bool
go_on(pid_t pid)
{
	return kill(pid, SIGCONT) == 0;
}

/* The tenant, at his shell. */
static void
stop_all_that_can_be(void *context)
{
	const pid_t *supervisor = context;

	REQUIRE(setgroups(0, NULL) == 0 && setgid(account_gid(TENANT)) == 0);
	REQUIRE(setuid(account_uid(TENANT)) == 0);
	for (;;)
		(void)each_newborn(*supervisor, stop);
}

static void
a_tenant_who_stops_what_looks_at_his_files_holds_up_nobody_else(void **state)
{
	struct host *host = *state;
	char option[PATH_MAX], name[32];
	pid_t shell;
	unsigned i;

	make_tenant(host, TENANT);
	make_tenant(host, OTHER_TENANT);
	for (i = 0; i < PROFILES; i++) {
		(void)snprintf(name, sizeof(name), "p%u", i);
		make_profile(host, TENANT, name);
	}
	(void)snprintf(option, sizeof(option), "--tenants=%s/tenants", host->root);
	host_start_with(host, "--log-level=info", option, NULL);
	for (i = 0; i < PROFILES; i++)
		host_wait_log(host, " " TENANT "/p%u running", i);
	shell = child_begin(stop_all_that_can_be, &host->supervisor);
	change_profiles(host);
	wait_until(each_newborn(host->supervisor, is_stopped) >= 4);
	make_profile(host, OTHER_TENANT, "web");
	/* half of what a survey may take before it is given up */
	host_wait_log_within(host, SOON / 2, " " OTHER_TENANT "/web running");
	assert_in_range(each_newborn(host->supervisor, is_stopped), 1, 8);
	assert_int_equal(kill(shell, SIGKILL), 0);
	assert_int_equal(waitpid(shell, NULL, 0), shell);
	(void)each_newborn(host->supervisor, go_on);
	host_stop_all(host);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROOT_TEST(a_tenant_who_stops_what_looks_at_his_files_holds_up_nobody_else),
	};

	return cmocka_run_group_tests_name("tenant with a shell", tests, NULL, NULL);
}
