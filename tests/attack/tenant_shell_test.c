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
/* So many of one owner at the same time: surveys.c. */
#define HELD 2
/* Longer than a burst of edits is waited for: watch.c. */
#define STILL 300 /* milliseconds */

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

/* Each child of the supervisor is given to `take`; how many took. */
static unsigned
each_child(pid_t supervisor, bool (*take)(pid_t pid))
{
	char name[64], children[16384], *rest;
	unsigned taken = 0;
	pid_t pid;

	(void)snprintf(name, sizeof(name), "task/%d/children", supervisor);
	(void)read_proc(supervisor, name, children, sizeof(children));
	for (rest = children; (pid = (pid_t)strtol(rest, &rest, 10)) > 0;)
		taken += take(pid);
	return taken;
}

/* It was stopped before it has executed anything: it still has the spawner's name. */
static bool
is_held(pid_t pid)
{
	char value[64];

	return process_status(pid, "State", value, sizeof(value))[0] == 'T' &&
	    read_proc(pid, "comm", value, sizeof(value)) > 0 &&
	    strcmp(value, "proclaunch-spaw\n") == 0; /* as much as the kernel keeps */
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

static pid_t shell; /* 0: he has left it */

static void
end_shell(void)
{
	if (shell == 0)
		return;
	(void)kill(shell, SIGKILL); /* our child, not reaped */
	(void)waitpid(shell, NULL, 0);
	shell = 0;
}

/* The tenant, at his shell. */
static void
stop_all_that_can_be(void *context)
{
	const pid_t *supervisor = context;
	uid_t uid = account_uid(TENANT);
	gid_t gid = account_gid(TENANT);

	REQUIRE(setgroups(0, NULL) == 0 && setgid(gid) == 0 && setuid(uid) == 0);
	for (;;)
		(void)each_child(*supervisor, stop);
}

/* Changes his files until as many looks at them as may be under way are held. They are looked at
 * when they have been still for a moment. */
static void
hold_surveys(struct host *host)
{
	struct deadline deadline = deadline_in(SOON), still = deadline_in(0);

	while (each_child(host->supervisor, is_held) < HELD) {
		if (deadline_left(&still) <= 0) {
			change_profiles(host);
			still = deadline_in(STILL);
		}
		deadline_pause(&deadline, "surveys are held", __FILE__, __LINE__);
	}
}

static void
a_tenant_who_stops_what_looks_at_his_files_holds_up_nobody_else(void **state)
{
	struct host *host = *state;
	char option[PATH_MAX], name[32];
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
	hold_surveys(host);
	make_profile(host, OTHER_TENANT, "web");
	/* half of what a survey may take before it is given up */
	host_wait_log_within(host, SOON / 2, " " OTHER_TENANT "/web running");
	assert_int_equal(each_child(host->supervisor, is_held), HELD);
	end_shell();
	(void)each_child(host->supervisor, go_on);
	host_stop_all(host);
}

/* Who is stopped cannot notice that the supervisor has gone. */
static int
tear_down(void **state)
{
	const struct host *host = *state;

	end_shell();
	if (host->supervisor > 0)
		(void)each_child(host->supervisor, go_on);
	return host_tear_down(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		a_tenant_who_stops_what_looks_at_his_files_holds_up_nobody_else, host_set_up,
		tear_down),
	};

	return cmocka_run_group_tests_name("tenant with a shell", tests, NULL, NULL);
}
