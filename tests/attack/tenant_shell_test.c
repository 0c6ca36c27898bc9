/*
 * A tenant with an account, a shell and profiles of his own: what he does to his own processes, and
 * to those of ours that have dropped to him, holds up nobody else.
 */
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
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

#include "accounts.h"
#include "child.h"
#include "ctl.h"
#include "host.h"
#include "silence.h"

/* More than are surveyed at the same time. */
#define PROFILES 24
/* So many of one owner at the same time, while there is room: surveys.c. */
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

static void
become_tenant(void)
{
	uid_t uid = account_uid(TENANT);
	gid_t gid = account_gid(TENANT);

	REQUIRE(setgroups(0, NULL) == 0 && setgid(gid) == 0 && setuid(uid) == 0);
}

/* The tenant, at his shell. */
static void
stop_all_that_can_be(void *context)
{
	const pid_t *supervisor = context;

	become_tenant();
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

/* What a survey may take. */
#define GIVEN_UP_WITHIN 10000

static void
a_tenant_who_stops_what_looks_at_his_files_holds_up_nobody_else(void **state)
{
	struct host *host = *state;
	struct deadline given_up;
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
	/* they are given up then, or he could keep those places for ever */
	given_up = deadline_in(GIVEN_UP_WITHIN + SOON);
	while (each_child(host->supervisor, is_held) > 0)
		deadline_pause(&given_up, "surveys are given up", __FILE__, __LINE__);
	(void)each_child(host->supervisor, go_on); /* his services */
	host_stop_all(host);
}

/* Half as many tenants as there are places for surveys, each with more to be surveyed. */
#define GANG		 8
#define PROFILES_OF_EACH 4
#define GANG_UID	 64980U

static void
name_in_gang(char *name, size_t size, unsigned member, unsigned profile, const char *file)
{
	(void)snprintf(name, size, "../tenants/gang%u/p%u/%s", member, profile, file);
}

static void
make_gang(struct host *host)
{
	char account[16], name[64], path[PATH_MAX];
	unsigned i, k;

	for (i = 0; i < GANG; i++) {
		(void)snprintf(account, sizeof(account), "gang%u", i);
		accounts_set(account, GANG_UID + i);
		(void)snprintf(name, sizeof(name), "../tenants/%s", account);
		assert_int_equal(mkdir(host_path(host, name, path, sizeof(path)), 0755), 0);
		for (k = 0; k < PROFILES_OF_EACH; k++) {
			(void)snprintf(name, sizeof(name), "../tenants/%s/p%u", account, k);
			host_profile(host, name, "exec sleep 1000");
			name_in_gang(name, sizeof(name), i, k, "restart");
			host_write(host, name, 0644, "%s", "");
		}
		(void)snprintf(name, sizeof(name), "../tenants/%s", account);
		host_give(host, name, GANG_UID + i);
	}
}

struct silenced {
	const struct host *host;
	const struct silence *silence;
};

/* In the supervisor's mount namespace: who reads these files waits from now on. */
static void
cover_files(void *context)
{
	const struct silenced *silenced = context;
	char name[64], path[PATH_MAX];
	unsigned i, k;
	int namespace;

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/mnt", silenced->host->supervisor);
	namespace = open(path, O_RDONLY | O_CLOEXEC);
	REQUIRE(namespace != -1 && setns(namespace, CLONE_NEWNS) == 0);
	for (i = 0; i < GANG; i++)
		for (k = 0; k < PROFILES_OF_EACH; k++) {
			name_in_gang(name, sizeof(name), i, k, "restart");
			host_path(silenced->host, name, path, sizeof(path));
			REQUIRE(mount(silenced->silence->path, path, NULL, MS_BIND, NULL) == 0);
		}
}

static void
silence_gang(struct host *host, const struct silence *silence)
{
	struct silenced silenced = {host, silence};
	char name[64];
	unsigned i, k;

	child_run(cover_files, &silenced);
	for (i = 0; i < GANG; i++)
		for (k = 0; k < PROFILES_OF_EACH; k++) {
			name_in_gang(name, sizeof(name), i, k, "README"); /* a change */
			host_write(host, name, 0644, "%s", "");
		}
}

static bool
is_of_gang(pid_t pid)
{
	char value[64];
	uid_t uid = process_uid(pid);

	return uid >= GANG_UID && uid < GANG_UID + GANG &&
	    read_proc(pid, "comm", value, sizeof(value)) > 0 &&
	    strcmp(value, "proclaunch-spaw\n") == 0;
}

static void
eight_tenants_whose_files_never_answer_leave_places_to_others(void **state)
{
	struct host *host = *state;
	char option[PATH_MAX];
	struct deadline stopped;
	struct outcome outcome;
	struct silence silence;
	unsigned i, k;

	accounts_begin(host);
	make_tenant(host, OTHER_TENANT);
	make_gang(host);
	silence_begin(&silence, host->root);
	(void)snprintf(option, sizeof(option), "--tenants=%s/tenants", host->root);
	host_start_with(host, "--log-level=info", option, NULL);
	for (i = 0; i < GANG; i++)
		for (k = 0; k < PROFILES_OF_EACH; k++)
			host_wait_log(host, " gang%u/p%u running", i, k);
	silence_gang(host, &silence);
	wait_until(each_child(host->supervisor, is_of_gang) >= GANG);
	host_settle(host);
	make_profile(host, OTHER_TENANT, "web");
	/* half of what a survey may take before it is given up */
	host_wait_log_within(host, SOON / 2, " " OTHER_TENANT "/web running");
	/* nor do they keep anybody from stopping their services */
	stopped = deadline_in(SOON / 2);
	assert_int_equal(ctl(host, &outcome, "stop", "gang0/p0", NULL), CTL_DONE);
	assert_true(deadline_left(&stopped) > 0);
	silence_end(&silence);
	host_stop_all(host);
}

/* In the shell: lists a directory, where he may, into a page that never comes, under the
 * directory's lock. */
static void
list(const struct silence *silence, const char *path)
{
	int file = open(silence->path, O_RDWR | O_CLOEXEC), directory;
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);

	become_tenant();
	directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	REQUIRE(page != MAP_FAILED && (directory != -1 || errno == EACCES));
	(void)getdents64(directory, page, 4096);
}

static void
list_for_ever(void *context)
{
	const struct silenced *silenced = context;
	char path[PATH_MAX];

	list(
	    silenced->silence, host_path(silenced->host, "../tenants/" TENANT, path, sizeof(path)));
}

/* Whoever looks for a name has to wait behind whoever adds one, and he behind whoever lists. */
static void
add_a_name(void *context)
{
	const struct silenced *silenced = context;
	char path[PATH_MAX];

	become_tenant();
	(void)mkdir(
	    host_path(silenced->host, "../tenants/" TENANT "/new", path, sizeof(path)), 0755);
}

static bool
is_in_call(pid_t pid, const char *number)
{
	char call[16] = "";

	return read_proc(pid, "syscall", call, sizeof(call)) > 0 &&
	    strncmp(call, number, strlen(number)) == 0;
}

static void
a_tenant_who_keeps_the_lock_of_his_directory_keeps_nobody_else(void **state)
{
	struct host *host = *state;
	char option[PATH_MAX], ready[PATH_MAX], tenants[PATH_MAX];
	struct silence silence;
	struct silenced silenced = {host, &silence};
	struct deadline restarted;
	struct outcome outcome;
	pid_t service, lists, adds;

	/* where the kernel remembers nothing of names that there are not */
	host_path(host, "../tenants", tenants, sizeof(tenants));
	assert_int_equal(mkdir(tenants, 0755), 0);
	assert_int_equal(mount("tenants", tenants, "tmpfs", 0, "mode=755,size=1m"), 0);
	make_tenant(host, TENANT);
	make_tenant(host, OTHER_TENANT);
	make_profile(host, OTHER_TENANT, "web");
	host_profile(host, "../tenants/" TENANT "/web",
	    "trap : TERM; : > ready; while :; do sleep 1000; done");
	host_chown(host, "../tenants/" TENANT "/web", TENANT);
	silence_begin(&silence, host->root);
	(void)snprintf(option, sizeof(option), "--tenants=%s/tenants", host->root);
	host_start_with(host, "--log-level=info", option, NULL);
	service = host_wait_running(host, TENANT "/web");
	(void)host_wait_running(host, OTHER_TENANT "/web");
	wait_until(access(host_path(host, "../tenants/" TENANT "/web/ready", ready, sizeof(ready)),
		       F_OK) == 0);
	host_remove(host, "../tenants/" TENANT "/web");
	host_wait_log(host, " " TENANT "/web stopping");
	lists = child_begin(list_for_ever, &silenced);
	wait_until(is_in_call(lists, "217 ")); /* getdents64(2) */
	adds = child_begin(add_a_name, &silenced);
	wait_until(is_in_call(adds, "83 ")); /* mkdir(2) */
	assert_int_equal(
	    ctl(host, &outcome, "restart", "--no-wait", TENANT "/web", NULL), CTL_DONE);
	restarted = deadline_in(SOON / 2);
	assert_int_equal(ctl(host, &outcome, "restart", OTHER_TENANT "/web", NULL), CTL_DONE);
	assert_true(deadline_left(&restarted) > 0);
	silence_end(&silence);
	child_end(lists);
	child_end(adds);
	assert_int_equal(kill(service, SIGKILL), 0);
	host_stop_all(host);
}

/* The cgroup of the other tenant's service. */
static void
list_cgroup(void *context)
{
	struct silenced *silenced = context;
	char path[PATH_MAX];

	list(silenced->silence,
	    host_cgroup(silenced->host, OTHER_TENANT "%web", path, sizeof(path)));
}

static void
who_lists_the_cgroup_of_somebodys_service_keeps_nobody(void **state)
{
	struct host *host = *state;
	char option[PATH_MAX];
	struct silence silence;
	struct silenced silenced = {host, &silence};
	struct deadline restarted;
	struct outcome outcome;
	pid_t lists;

	make_tenant(host, OTHER_TENANT);
	make_profile(host, OTHER_TENANT, "web");
	silence_begin(&silence, host->root);
	(void)snprintf(option, sizeof(option), "--tenants=%s/tenants", host->root);
	host_start_with(host, "--log-level=info", option, NULL);
	(void)host_wait_running(host, OTHER_TENANT "/web");
	if (!host_has_cgroups(host))
		skip();
	lists = child_begin(list_cgroup, &silenced);
	/* getdents64(2); who may not is in exit_group(2), where the file is closed */
	wait_until(is_in_call(lists, "217 ") || is_in_call(lists, "231 "));
	restarted = deadline_in(SOON / 2);
	assert_int_equal(
	    ctl(host, &outcome, "restart", "--no-wait", OTHER_TENANT "/web", NULL), CTL_DONE);
	assert_int_equal(ctl(host, &outcome, "restart", OTHER_TENANT "/web", NULL), CTL_DONE);
	assert_true(deadline_left(&restarted) > 0);
	silence_end(&silence);
	child_end(lists);
	host_stop_all(host);
}

/* So many that it takes longer to go through them than a burst of edits is waited for. In memory:
 * on a disk that others use they took minutes, and the program came near its limit. */
#define NAMES	      300000
#define EDITS_FOR     3000 /* milliseconds */
#define PARTS_AT_MOST 4

static void
make_names(const struct host *host, const char *directory, unsigned count)
{
	char path[PATH_MAX], name[16];
	unsigned i;
	int opened = open(
	    host_path(host, directory, path, sizeof(path)), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_not_equal(opened, -1);
	for (i = 0; i < count; i++) {
		(void)snprintf(name, sizeof(name), "%u", i);
		assert_int_equal(mknodat(opened, name, S_IFREG | 0644, 0), 0);
	}
	assert_int_equal(close(opened), 0);
}

/* What it has used, in ticks of the clock, proc_pid_stat(5). */
static unsigned long
processor_time(pid_t pid)
{
	unsigned long user, system;
	char text[1024], *after;

	assert_true(read_proc(pid, "stat", text, sizeof(text)) > 0);
	after = strrchr(text, ')');
	assert_non_null(after);
	assert_int_equal(
	    sscanf(after, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system),
	    2);
	return user + system;
}

static void
a_tenant_who_edits_among_many_names_does_not_wear_out_the_parent(void **state)
{
	struct host *host = *state;
	char option[PATH_MAX], path[PATH_MAX];
	struct deadline deadline;
	unsigned long before;

	assert_int_equal(mkdir(host_path(host, "../tenants", path, sizeof(path)), 0755), 0);
	assert_int_equal(mount("tmpfs", path, "tmpfs", 0, "mode=755,nr_inodes=0"), 0);
	make_tenant(host, TENANT);
	make_profile(host, TENANT, "web");
	make_names(host, "../tenants/" TENANT "/web", NAMES);
	(void)snprintf(option, sizeof(option), "--tenants=%s/tenants", host->root);
	host_start_with(host, "--log-level=info", option, NULL);
	host_wait_log(host, " " TENANT "/web running");
	before = processor_time(host->supervisor);
	deadline = deadline_in(EDITS_FOR);
	while (deadline_left(&deadline) > 0) {
		host_write(host, "../tenants/" TENANT "/web/restart", 0644, "%s", "");
		deadline_breathe();
	}
	assert_true(processor_time(host->supervisor) - before <
	    EDITS_FOR / PARTS_AT_MOST * (unsigned long)sysconf(_SC_CLK_TCK) / 1000);
	host_stop_all(host);
}

/* The kernel remembers of each that there is none. */
#define SOUGHT 1500000
/* What is not watched is looked at every second, and then once more, to see whether it is still. */
#define NOTICED_WITHIN 4000 /* milliseconds */

static void
seek_names(void *context)
{
	char path[PATH_MAX], name[16];
	struct stat status;
	unsigned i;
	int directory =
	    open(host_path(context, "../tenants/" OTHER_TENANT "/web", path, sizeof(path)),
		O_PATH | O_DIRECTORY | O_CLOEXEC);

	become_tenant();
	for (i = 0; i < SOUGHT; i++) {
		(void)snprintf(name, sizeof(name), "%u", i);
		REQUIRE(fstatat(directory, name, &status, 0) == -1 && errno == ENOENT);
	}
}

static void
who_seeks_many_names_in_somebodys_directory_delays_no_edit_of_his(void **state)
{
	struct host *host = *state;
	char option[PATH_MAX];
	unsigned i;

	make_tenant(host, OTHER_TENANT);
	make_profile(host, OTHER_TENANT, "web");
	(void)snprintf(option, sizeof(option), "--tenants=%s/tenants", host->root);
	host_start_with(host, "--log-level=info", option, NULL);
	(void)host_wait_running(host, OTHER_TENANT "/web");
	child_run(seek_names, host);
	for (i = 0; i < 3; i++) {
		host_mark_log(host);
		host_touch(host, "../tenants/" OTHER_TENANT "/web/run");
		host_wait_log_within(host, NOTICED_WITHIN, " " OTHER_TENANT "/web running");
	}
	host_stop_all(host);
}

/* Below PROFILES_DIR. */
struct kept_place {
	const struct host *host;
	struct silence *silence;
	const char *place;
	pid_t lists, adds;
};

static void
list_place(void *context)
{
	const struct kept_place *kept = context;
	char path[PATH_MAX];

	list(kept->silence, host_path(kept->host, kept->place, path, sizeof(path)));
}

static void
add_to_place(void *context)
{
	const struct kept_place *kept = context;
	char path[PATH_MAX], name[PATH_MAX];

	become_tenant();
	(void)snprintf(name, sizeof(name), "%s/new", kept->place);
	(void)mkdir(host_path(kept->host, name, path, sizeof(path)), 0755);
}

/* Whereupon root goes through all tenants. */
static void
open_to_others(void *context)
{
	char path[PATH_MAX];

	become_tenant();
	REQUIRE(chmod(host_path(context, "../tenants/" TENANT, path, sizeof(path)), 0777) == 0);
}

static void
begin_to_keep(struct kept_place *kept)
{
	kept->lists = child_begin(list_place, kept);
	wait_until(is_in_call(kept->lists, "217 ")); /* getdents64(2) */
	kept->adds = child_begin(add_to_place, kept);
	wait_until(is_in_call(kept->adds, "83 ")); /* mkdir(2) */
}

static void
end_keeping(struct kept_place *kept)
{
	silence_end(kept->silence);
	child_end(kept->lists);
	child_end(kept->adds);
}

/* At once, for nobody keeps the parent. */
static void
assert_restarts(struct host *host, const char *name)
{
	struct deadline soon = deadline_in(SOON / 2);
	struct outcome outcome;

	assert_int_equal(ctl(host, &outcome, "restart", name, NULL), CTL_DONE);
	assert_true(deadline_left(&soon) > 0);
}

/* The tenant keeps the lock of that directory, should he be able to list it, and has root look into
 * it: then others wait. */
static void
keep(struct host *host, const char *place)
{
	char path[PATH_MAX];
	struct silence silence;
	struct kept_place kept = {.host = host, .silence = &silence, .place = place};
	struct outcome outcome;

	assert_int_equal(chmod(host_path(host, place, path, sizeof(path)), 0711), 0);
	silence_begin(&silence, host->root);
	kept.lists = child_begin(list_place, &kept);
	/* getdents64(2); who may not is in exit_group(2), where the file is closed */
	wait_until(is_in_call(kept.lists, "217 ") || is_in_call(kept.lists, "231 "));
	kept.adds = child_begin(add_to_place, &kept);
	wait_until(is_in_call(kept.adds, "83 ") || !process_lives(kept.adds)); /* mkdir(2) */
	child_run(open_to_others, host);
	assert_int_equal(
	    ctl_as(host, account_uid(TENANT), &outcome, "restart", "--no-wait", "web", NULL),
	    CTL_DONE);
	assert_restarts(host, OTHER_TENANT "/mail");
	end_keeping(&kept);
	assert_int_equal(rmdir(silence.directory), 0);
}

static void
who_may_not_list_what_is_roots_keeps_nobody(void **state)
{
	struct host *host = *state;
	char option[PATH_MAX];

	make_tenant(host, TENANT);
	make_tenant(host, OTHER_TENANT);
	make_profile(host, OTHER_TENANT, "mail");
	host_profile(host, "web", "exec sleep 1000");
	host_write(host, "web/user", 0644, TENANT);
	(void)snprintf(option, sizeof(option), "--tenants=%s/tenants", host->root);
	host_start_with(host, "--log-level=info", option, NULL);
	(void)host_wait_running(host, "web");
	(void)host_wait_running(host, OTHER_TENANT "/mail");
	keep(host, "../tenants");
	keep(host, "web");
	host_stop_all(host);
}

/* It runs as him, but he cannot have edited anything in it. */
static void
by_a_command_for_roots_profile_root_is_kept_by_nobody(void **state)
{
	struct host *host = *state;
	struct silence silence;
	struct kept_place kept = {.host = host, .silence = &silence, .place = "web"};
	struct outcome outcome;

	host_profile(host, "web", "exec sleep 1000");
	host_write(host, "web/user", 0644, TENANT);
	host_profile(host, "other", "exec sleep 1000");
	silence_begin(&silence, host->root);
	host_start_with(host, "--log-level=info", NULL);
	(void)host_wait_running(host, "web");
	(void)host_wait_running(host, "other");
	begin_to_keep(&kept);
	assert_int_equal(
	    ctl_as(host, account_uid(TENANT), &outcome, "restart", "--no-wait", "web", NULL),
	    CTL_DONE);
	assert_restarts(host, "other");
	end_keeping(&kept);
	host_stop_all(host);
}

/* What /proc has of a process of his is his to list, and to try to make something in. */
static void
who_lists_what_proc_has_of_his_daemon_keeps_nobody(void **state)
{
	struct host *host = *state;
	char option[PATH_MAX], path[PATH_MAX], place[64];
	struct silence silence;
	struct kept_place kept = {.host = host, .silence = &silence, .place = place};

	make_tenant(host, TENANT);
	make_tenant(host, OTHER_TENANT);
	make_profile(host, OTHER_TENANT, "mail");
	host_profile(host, "../tenants/" TENANT "/web",
	    "sleep 1000 & echo $! > new; mv new waiting\n"
	    "while [ ! -e go ]; do sleep .01; done; mv waiting daemon");
	host_write(host, "../tenants/" TENANT "/web/pid_file", 0644, "daemon");
	host_chown(host, "../tenants/" TENANT "/web", TENANT);
	silence_begin(&silence, host->root);
	(void)snprintf(option, sizeof(option), "--tenants=%s/tenants", host->root);
	host_start_with(host, "--log-level=info", option, NULL);
	(void)host_wait_running(host, OTHER_TENANT "/mail");
	/* as many as there may be above the host, and more */
	(void)snprintf(place, sizeof(place), "../../../../../../../../proc/%d",
	    wait_for_pid_file(
		host_path(host, "../tenants/" TENANT "/web/waiting", path, sizeof(path))));
	begin_to_keep(&kept);
	host_write(host, "../tenants/" TENANT "/web/go", 0644, "%s", "");
	host_wait_log(host, " " TENANT "/web running");
	assert_restarts(host, OTHER_TENANT "/mail");
	end_keeping(&kept);
	host_stop_all(host);
}

/* So many that root goes through all of them for a tenth of a second. */
#define FILES 20000

struct toggling {
	const struct host *host;
	mode_t mode; /* and the same with its last bit the other way */
};

static void
toggle_mode(void *context)
{
	const struct toggling *toggling = context;
	char path[PATH_MAX];
	mode_t mode = toggling->mode;

	become_tenant();
	host_path(toggling->host, "../tenants/" TENANT, path, sizeof(path));
	for (;; mode ^= 1)
		REQUIRE(chmod(path, mode) == 0);
}

static void
who_changes_the_mode_of_his_directory_without_end_does_not_wear_out_the_parent(void **state)
{
	struct host *host = *state;
	struct toggling toggling = {host, 0777};
	char option[PATH_MAX];
	unsigned long before;

	make_tenant(host, TENANT);
	make_tenant(host, OTHER_TENANT);
	make_profile(host, OTHER_TENANT, "web");
	make_names(host, "../tenants", FILES);
	(void)snprintf(option, sizeof(option), "--tenants=%s/tenants", host->root);
	host_start_with(host, "--log-level=info", option, NULL);
	(void)host_wait_running(host, OTHER_TENANT "/web");
	shell = child_begin(toggle_mode, &toggling);
	host_wait_log(host, " WARN  ProcLaunch skipped tenant " TENANT ": ");
	before = processor_time(host->supervisor);
	(void)poll(NULL, 0, EDITS_FOR);
	assert_true(processor_time(host->supervisor) - before <
	    EDITS_FOR / PARTS_AT_MOST * (unsigned long)sysconf(_SC_CLK_TCK) / 1000);
	end_shell();
	host_stop_all(host);
}

/* So many that the next look at all of them has to wait for a second. */
#define MANY  8000
#define QUIET 4000 /* milliseconds in which it has waited */
#define LATE  700  /* as long after that nobody waits who comes when nothing else happens */

static void
a_tenant_who_comes_when_it_is_quiet_is_noticed_at_once_among_many(void **state)
{
	struct host *host = *state;
	char option[PATH_MAX];

	make_tenant(host, TENANT);
	make_profile(host, TENANT, "web");
	make_names(host, "../tenants", MANY);
	(void)snprintf(option, sizeof(option), "--tenants=%s/tenants", host->root);
	host_start_with(host, "--log-level=info", option, NULL);
	(void)host_wait_running(host, TENANT "/web");
	make_tenant(host, OTHER_TENANT);
	make_profile(host, OTHER_TENANT, "web");
	(void)host_wait_running(host, OTHER_TENANT "/web");
	(void)poll(NULL, 0, QUIET);
	host_mark_log(host);
	host_write(host, "../tenants/" TENANT ".quota", 0644, "nonsense\n");
	host_wait_log_within(host, LATE, " WARN  ProcLaunch cannot use " TENANT ".quota");
	host_stop_all(host);
}

/* Root has made a mistake in a quota file, and each change of a mode has all of them read. */
static void
who_changes_the_mode_of_his_directory_does_not_fill_the_log_with_roots_mistakes(void **state)
{
	struct host *host = *state;
	struct toggling toggling = {host, 0700};
	char option[PATH_MAX];

	make_tenant(host, TENANT);
	make_tenant(host, OTHER_TENANT);
	make_profile(host, OTHER_TENANT, "web");
	host_write(host, "../tenants/" OTHER_TENANT ".quota", 0644, "nonsense\n");
	(void)snprintf(option, sizeof(option), "--tenants=%s/tenants", host->root);
	host_start_with(host, "--log-level=info", option, NULL);
	host_wait_log(host, " WARN  ProcLaunch cannot use " OTHER_TENANT ".quota, line 1: ");
	shell = child_begin(toggle_mode, &toggling);
	(void)poll(NULL, 0, EDITS_FOR);
	end_shell();
	assert_true(
	    host_count_log(host, " WARN  ProcLaunch cannot use " OTHER_TENANT ".quota") < 30);
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
	    cmocka_unit_test_setup_teardown(
		who_changes_the_mode_of_his_directory_without_end_does_not_wear_out_the_parent,
		host_set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		who_changes_the_mode_of_his_directory_does_not_fill_the_log_with_roots_mistakes,
		host_set_up, tear_down),
	    ROOT_TEST(a_tenant_who_comes_when_it_is_quiet_is_noticed_at_once_among_many),
	    ROOT_TEST(a_tenant_who_keeps_the_lock_of_his_directory_keeps_nobody_else),
	    ROOT_TEST(who_lists_the_cgroup_of_somebodys_service_keeps_nobody),
	    ROOT_TEST(who_may_not_list_what_is_roots_keeps_nobody),
	    ROOT_TEST(by_a_command_for_roots_profile_root_is_kept_by_nobody),
	    ROOT_TEST(who_lists_what_proc_has_of_his_daemon_keeps_nobody),
	    ROOT_TEST(a_tenant_who_edits_among_many_names_does_not_wear_out_the_parent),
	    ROOT_TEST(who_seeks_many_names_in_somebodys_directory_delays_no_edit_of_his),
	    ROOT_TEST(eight_tenants_whose_files_never_answer_leave_places_to_others),
	};

	return cmocka_run_group_tests_name("tenant with a shell", tests, NULL, NULL);
}
