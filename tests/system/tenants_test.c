/*
 * --tenants=DIR: what tenants own runs as them, comes and goes at once, stays within its quota, and
 * hurts nobody else, whatever stands there.
 */
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
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
#include "client.h"
#include "ctl.h"
#include "fault.h"
#include "host.h"
#include "silence.h"

#define SERVICE "exec sleep 1000"
/* As host_write() and its kin name what stands in the tenants' directory. */
#define TENANTS "../tenants/"
/* How long anything may take that is noticed at once: what could not be looked at is tried again
 * after five seconds, and who hangs is given up after ten. */
#define AT_ONCE 4000 /* milliseconds */

/* Makes the tenants' directory, with one for each of the two tenants. */
static void
make_tenants(struct host *host)
{
	static const char *const made[] = {"../tenants", TENANTS TENANT, TENANTS OTHER_TENANT};
	char path[PATH_MAX];
	size_t i;

	for (i = 0; i < 3; i++)
		assert_int_equal(mkdir(host_path(host, made[i], path, sizeof(path)), 0755), 0);
	host_chown(host, TENANTS TENANT, TENANT);
	host_chown(host, TENANTS OTHER_TENANT, OTHER_TENANT);
}

/* The same profile of a tenant's, who owns it. */
static void
make_profile(struct host *host, const char *tenant, const char *name, const char *script)
{
	char aside[PATH_MAX], path[PATH_MAX], from[PATH_MAX], to[PATH_MAX];

	/* it comes as a whole: a half of it would be refused first */
	(void)snprintf(aside, sizeof(aside), "../%s-%s", tenant, name);
	(void)snprintf(path, sizeof(path), TENANTS "%s/%s", tenant, name);
	host_profile(host, aside, "%s", script);
	host_chown(host, aside, tenant);
	assert_int_equal(rename(host_path(host, aside, from, sizeof(from)),
			     host_path(host, path, to, sizeof(to))),
	    0);
}

static void
start_with_tenants(struct host *host)
{
	char option[PATH_MAX];

	(void)snprintf(option, sizeof(option), "--tenants=%s/tenants", host->root);
	host_start_with(host, option, "--log-level=info", NULL);
}

/* The other tenant has a profile, which runs; it does so undisturbed at the end. */
static pid_t
begin_other(struct host *host)
{
	pid_t pid;

	make_profile(host, OTHER_TENANT, "mail", SERVICE);
	start_with_tenants(host);
	pid = host_wait_running(host, OTHER_TENANT "/mail");
	return pid;
}

static void
assert_unharmed(struct host *host, pid_t mail)
{
	struct outcome outcome;

	assert_true(process_lives(mail));
	assert_int_equal(
	    ctl_as(host, account_uid(OTHER_TENANT), &outcome, "status", OTHER_TENANT "/mail", NULL),
	    0);
	/* and what they change is noticed as quickly as ever */
	make_profile(host, OTHER_TENANT, "news", SERVICE);
	host_wait_log_within(host, AT_ONCE, " INFO  " OTHER_TENANT "/news running pid ");
}

static void
a_tenants_profile_starts_with_the_supervisor_and_runs_as_the_tenant(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	char value[128];
	pid_t pid;

	make_tenants(host);
	make_profile(host, TENANT, "web", SERVICE);
	make_profile(host, OTHER_TENANT, "web", SERVICE);
	host_profile(host, "web", SERVICE);
	start_with_tenants(host);
	pid = host_wait_running(host, TENANT "/web");
	assert_int_equal(process_uid(pid), account_uid(TENANT));
	process_status(pid, "CapEff", value, sizeof(value));
	assert_string_equal(value, "0000000000000000");
	process_status(pid, "NoNewPrivs", value, sizeof(value));
	assert_string_equal(value, "1");
	pid = host_wait_running(host, OTHER_TENANT "/web");
	assert_int_equal(process_uid(pid), account_uid(OTHER_TENANT));
	assert_int_equal(process_uid(host_wait_running(host, "web")), 0);
	assert_int_equal(
	    ctl_as(host, account_uid(TENANT), &outcome, "list", "--no-header", "-o", "name", NULL),
	    CTL_DONE);
	assert_string_equal(outcome.output, TENANT "/web\n");
	assert_int_equal(
	    ctl_as(host, account_uid(TENANT), &outcome, "restart", TENANT "/web", NULL), CTL_DONE);
	assert_int_equal(
	    ctl_as(host, account_uid(TENANT), &outcome, "restart", "web", NULL), CTL_NO_PROFILE);
	host_stop_all(host);
}

/* Neither root's file makes a profile root's, nor root's directory among a tenant's own: the tenant
 * can replace it with another. */
static void
allow_new_privs_is_for_root_to_grant(void **state)
{
	struct host *host = *state;

	make_tenants(host);
	make_profile(host, TENANT, "web", SERVICE);
	host_write(host, TENANTS TENANT "/web/allow_new_privs", 0644, "%s", "");
	make_profile(host, TENANT, "mine", SERVICE);
	host_write(host, TENANTS TENANT "/mine/allow_new_privs", 0644, "%s", "");
	host_chown(host, TENANTS TENANT "/mine/allow_new_privs", TENANT);
	make_profile(host, TENANT, "roots", SERVICE);
	host_write(host, TENANTS TENANT "/roots/allow_new_privs", 0644, "%s", "");
	host_chown(host, TENANTS TENANT "/roots/run", "root");
	host_chown(host, TENANTS TENANT "/roots", "root");
	start_with_tenants(host);
	host_wait_log(host, " WARN  " TENANT "/web refused: allow_new_privs: counts in a profile");
	host_wait_log(host, " WARN  " TENANT "/mine refused: allow_new_privs: counts in a profile");
	host_wait_log(
	    host, " WARN  " TENANT "/roots refused: allow_new_privs: counts in a profile");
	host_stop_all(host);
	assert_int_equal(host_count_log(host, " starting$"), 0);
}

static void
a_tenant_or_a_profile_that_comes_or_goes_is_noticed_at_once(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX];
	pid_t web, mail, more;

	assert_int_equal(mkdir(host_path(host, "../tenants", path, sizeof(path)), 0755), 0);
	start_with_tenants(host);
	/* an administrator gives a tenant a directory */
	host_mark_log(host);
	assert_int_equal(mkdir(host_path(host, TENANTS TENANT, path, sizeof(path)), 0755), 0);
	host_chown(host, TENANTS TENANT, TENANT);
	make_profile(host, TENANT, "web", SERVICE);
	host_wait_log_within(host, AT_ONCE, " INFO  " TENANT "/web running pid ");
	web = host_wait_running(host, TENANT "/web");
	/* the tenant adds a profile, and another */
	make_profile(host, TENANT, "mail", SERVICE);
	host_wait_log_within(host, AT_ONCE, " INFO  " TENANT "/mail running pid ");
	mail = host_wait_running(host, TENANT "/mail");
	make_profile(host, TENANT, "more", SERVICE);
	more = host_wait_running(host, TENANT "/more");
	/* and takes one away */
	host_remove(host, TENANTS TENANT "/mail");
	host_wait_log_within(host, AT_ONCE, " INFO  " TENANT "/mail stopped$");
	assert_false(process_lives(mail));
	assert_true(process_lives(web));
	/* the administrator takes all away */
	host_remove(host, TENANTS TENANT);
	host_wait_log_within(host, AT_ONCE, " INFO  " TENANT "/web stopped$");
	host_wait_log_within(host, AT_ONCE, " INFO  " TENANT "/more stopped$");
	assert_false(process_lives(web));
	assert_false(process_lives(more));
	assert_int_equal(host_count_log(host, " cannot read "), 0); /* it was looked at and gone */
	host_stop_all(host);
}

/* Nobody looks after them any more: they do not stay behind without anybody who does. */
static void
what_tenants_run_is_stopped_by_a_supervisor_that_has_no_tenants_any_more(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	pid_t web;

	make_tenants(host);
	make_profile(host, TENANT, "web", SERVICE);
	start_with_tenants(host);
	web = host_wait_running(host, TENANT "/web");
	host_crash(host);
	host_mark_log(host);
	host_start(host);
	host_wait_log_within(host, AT_ONCE, " INFO  " TENANT "/web stopped$");
	assert_false(process_lives(web));
	assert_int_equal(host_count_log(host, " WARN "), 0);
	wait_until(ctl(host, &outcome, "status", TENANT "/web", NULL) != CTL_DONE &&
	    strstr(outcome.error, ": no such profile") != NULL);
	host_stop_all(host);
}

#ifndef PROCLAUNCH_SANITIZE /* AddressSanitizer needs memory of its own, and gives up without */
#define LARGE 16	    /* profiles of so many bytes: more than the parent has in reserve */

/* What they say is as before, and as long as a file of a profile may be. */
static void
enlarge(struct host *host, const char *profile)
{
	static const struct {
		const char *name, *word;
	} files[] = {{"restart", "always"}, {"stop_signal", "TERM"}, {"start_timeout", "60"},
	    {"stop_timeout", "60"}, {"kill_mode", "group"}};
	char name[128];
	size_t i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		(void)snprintf(name, sizeof(name), TENANTS TENANT "/%s/%s", profile, files[i].name);
		host_write(host, name, 0644, "%-*s", SETTING_BYTES_MAX, files[i].word);
		host_chown(host, name, TENANT);
	}
}

/* What there was no room to keep says nothing of whether it is there. */
static void
what_a_survey_finds_and_there_is_no_memory_for_has_not_gone(void **state)
{
	const struct rlimit no_more = {.rlim_cur = 4096, .rlim_max = RLIM_INFINITY};
	struct host *host = *state;
	char name[64], path[PATH_MAX];
	pid_t services[LARGE];
	struct rlimit before;
	unsigned i;

	make_tenants(host);
	for (i = 0; i < LARGE; i++) {
		(void)snprintf(name, sizeof(name), "large%u", i);
		make_profile(host, TENANT, name, SERVICE);
		(void)snprintf(name, sizeof(name), TENANTS TENANT "/large%u/restart", i);
		host_write(host, name, 0644, "%s", "");
		host_chown(host, name, TENANT);
	}
	start_with_tenants(host);
	for (i = 0; i < LARGE; i++) {
		(void)snprintf(name, sizeof(name), TENANT "/large%u", i);
		services[i] = host_wait_running(host, name);
	}
	host_settle(host);
	assert_int_equal(prlimit(host->supervisor, RLIMIT_DATA, &no_more, &before), 0);
	for (i = 0; i < LARGE; i++) {
		(void)snprintf(name, sizeof(name), "large%u", i);
		enlarge(host, name);
	}
	host_settle(host);
	host_mark_log(host);
	assert_int_equal(
	    mkdir(host_path(host, TENANTS TENANT "/.look", path, sizeof(path)), 0755), 0);
	host_wait_log(
	    host, " WARN  ProcLaunch cannot read " TENANT "/large.*: Cannot allocate memory");
	host_settle(host);
	assert_int_equal(prlimit(host->supervisor, RLIMIT_DATA, &before, NULL), 0);
	for (i = 0; i < LARGE; i++) {
		assert_true(process_lives(services[i]));
		assert_int_equal(kill(services[i], SIGKILL), 0);
		host_wait_log(host, " INFO  " TENANT "/large%u running pid ", i);
	}
	assert_int_equal(host_count_log(host, "large[0-9]* disappeared"), 0);
	host_stop_all(host);
}
#endif

/* The event that the watch on a tenant's directory was for may be one of those that were lost. */
static void
after_an_overflow_of_events_tenants_are_watched_again(void **state)
{
	struct host *host = *state;

	make_tenants(host);
	(void)begin_other(host);
	host_settle(host);
	host_mark_log(host);
	host_lose_events(host);
	make_profile(host, TENANT, "web", SERVICE);
	assert_int_equal(kill(host->supervisor, SIGCONT), 0);
	host_wait_log(host, " WARN  ProcLaunch too many changes at once");
	(void)host_wait_running(host, TENANT "/web");
	host_settle(host);
	make_profile(host, TENANT, "mail", SERVICE);
	host_wait_log_within(host, AT_ONCE, " INFO  " TENANT "/mail running pid ");
	host_stop_all(host);
}

static void
a_directory_that_is_no_tenants_is_named_once_and_nothing_in_it_starts(void **state)
{
	static const struct {
		const char *directory, *owner;
		mode_t mode;
		const char *said;
	} wrong[] = {
	    {"no-such-account", "root", 0755, "there is no account of that name"},
	    {"root", "root", 0755, "root is nobody's tenant"},
	    {"toor", "root", 0755, "root is nobody's tenant"},
	    {"daemon", "root", 0755, "its directory must belong to the account"},
	    {"bin", OTHER_TENANT, 0755, "its directory must belong to the account"},
	    {"sync", "sync", 0775, "its directory must belong to the account"},
	    {"man", "man", 0757, "its directory must belong to the account"},
	    {"4", "root", 0755, "there is no account of that name"},
	};
	struct host *host = *state;
	char path[PATH_MAX], name[PATH_MAX], link[PATH_MAX];
	size_t i;
	pid_t mail;

	make_tenants(host);
	accounts_begin(host);
	accounts_set("toor", 0);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		(void)snprintf(name, sizeof(name), TENANTS "%s", wrong[i].directory);
		assert_int_equal(mkdir(host_path(host, name, path, sizeof(path)), 0755), 0);
		(void)snprintf(name, sizeof(name), TENANTS "%s/web", wrong[i].directory);
		host_profile(host, name, SERVICE);
		(void)snprintf(name, sizeof(name), TENANTS "%s", wrong[i].directory);
		host_chown(host, name, wrong[i].owner);
		assert_int_equal(chmod(path, wrong[i].mode), 0);
	}
	/* what belongs to a tenant, under the name of another */
	host_path(host, TENANTS TENANT, path, sizeof(path));
	assert_int_equal(symlink(path, host_path(host, TENANTS "backup", link, sizeof(link))), 0);
	assert_int_equal(mkfifo(host_path(host, TENANTS "lp", link, sizeof(link)), 0666), 0);
	assert_int_equal(mkdir(host_path(host, TENANTS "no name", link, sizeof(link)), 0755), 0);
	host_write(host, TENANTS "README", 0644, "%s", "plain files are nobody's\n");
	make_profile(host, TENANT, "web", SERVICE);
	mail = begin_other(host);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		host_wait_log(host, " WARN  ProcLaunch skipped tenant %s: %s", wrong[i].directory,
		    wrong[i].said);
	host_wait_log(host, " WARN  ProcLaunch skipped backup: a symbolic link is never followed");
	host_wait_log(host, " WARN  ProcLaunch skipped lp: neither a directory nor a plain file");
	host_wait_log(host, " WARN  ProcLaunch skipped no name: not a name for a profile");
	(void)host_wait_running(host, TENANT "/web");
	/* the directory is looked at again: it is named no second time */
	assert_int_equal(mkdir(host_path(host, TENANTS "no-account", path, sizeof(path)), 0755), 0);
	host_wait_log(host, " WARN  ProcLaunch skipped tenant no-account: ");
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(
		    host_count_log(host, " skipped tenant %s: ", wrong[i].directory), 1);
		assert_int_equal(host_count_log(host, " %s/web ", wrong[i].directory), 0);
	}
	assert_int_equal(host_count_log(host, " backup/web |README"), 0);
	assert_unharmed(host, mail);
	host_stop_all(host);
}

#define NAME_38 "a2345678901234567890123456789012345678"
#define NAME_64 "p234567890123456789012345678901234567890123456789012345678901234"

/* One more character, and there would be no room for the longest name of a profile behind it. */
static void
the_longest_names_of_a_tenant_and_a_profile_are_whole_everywhere(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	char path[PATH_MAX];

	make_tenants(host);
	accounts_begin(host);
	accounts_set(NAME_38, 64001);
	accounts_set(NAME_38 "9", 64002);
	assert_int_equal(mkdir(host_path(host, TENANTS NAME_38, path, sizeof(path)), 0755), 0);
	host_profile(host, TENANTS NAME_38 "/" NAME_64, "echo said; echo err >&2; " SERVICE);
	host_write(host, TENANTS NAME_38 "/" NAME_64 "/output", 0644, "merge_stderr no\n");
	host_give(host, TENANTS NAME_38, 64001);
	assert_int_equal(mkdir(host_path(host, TENANTS NAME_38 "9", path, sizeof(path)), 0755), 0);
	host_profile(host, TENANTS NAME_38 "9/" NAME_64, SERVICE);
	host_give(host, TENANTS NAME_38 "9", 64002);
	start_with_tenants(host);
	host_wait_log(host,
	    " WARN  ProcLaunch skipped tenant " NAME_38 "9: there is no account of that name$");
	assert_int_equal(process_uid(host_wait_running(host, NAME_38 "/" NAME_64)), 64001);
	assert_int_equal(
	    ctl_as(host, 64001, &outcome, "restart", NAME_38 "/" NAME_64, NULL), CTL_DONE);
	wait_until(ctl_as(host, 64001, &outcome, "log", "--stderr", NAME_38 "/" NAME_64, NULL) ==
		CTL_DONE &&
	    strstr(outcome.output, " err\n") != NULL);
	assert_int_equal(
	    ctl_as(host, 64001, &outcome, "list", "--no-header", "-o", "name", NULL), CTL_DONE);
	assert_string_equal(outcome.output, NAME_38 "/" NAME_64 "\n");
	assert_int_equal(ctl(host, &outcome, "disable", NAME_38 "/" NAME_64, NULL), CTL_DONE);
	host_leave(host);
	host_mark_log(host);
	start_with_tenants(host);
	assert_int_equal(ctl(host, &outcome, "enable", NAME_38 "/" NAME_64, NULL), CTL_DONE);
	(void)host_wait_running(host, NAME_38 "/" NAME_64);
	host_stop_all(host);
}

static void
a_directory_that_is_a_tenants_no_more_takes_its_services_with_it(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX];
	pid_t web, mail;

	make_tenants(host);
	make_profile(host, TENANT, "web", SERVICE);
	mail = begin_other(host);
	web = host_wait_running(host, TENANT "/web");
	host_path(host, TENANTS TENANT, path, sizeof(path));
	assert_int_equal(chown(path, account_uid(OTHER_TENANT), (gid_t)-1), 0);
	host_wait_log_within(host, AT_ONCE, " WARN  ProcLaunch skipped tenant " TENANT ": ");
	host_wait_log_within(host, AT_ONCE, " INFO  " TENANT "/web stopped$");
	assert_false(process_lives(web));
	host_mark_log(host);
	assert_int_equal(chown(path, account_uid(TENANT), (gid_t)-1), 0);
	host_wait_log_within(host, AT_ONCE, " INFO  " TENANT "/web running pid ");
	assert_unharmed(host, mail);
	host_stop_all(host);
}

/* He could do so without end. */
static void
who_gives_others_a_hand_in_his_directory_has_nobody_else_looked_at(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX];
	struct pollfd opens = {.fd = inotify_init1(IN_CLOEXEC), .events = POLLIN};
	pid_t mail;

	assert_int_not_equal(opens.fd, -1);
	make_tenants(host);
	make_profile(host, TENANT, "web", SERVICE);
	mail = begin_other(host);
	(void)host_wait_running(host, TENANT "/web");
	host_settle(host);
	host_path(host, TENANTS OTHER_TENANT, path, sizeof(path));
	assert_int_not_equal(inotify_add_watch(opens.fd, path, IN_OPEN), -1);
	host_path(host, TENANTS TENANT, path, sizeof(path));
	assert_int_equal(chmod(path, 0777), 0);
	host_wait_log_within(host, AT_ONCE, " WARN  ProcLaunch skipped tenant " TENANT ": ");
	host_wait_log_within(host, AT_ONCE, " INFO  " TENANT "/web stopped$");
	host_mark_log(host);
	assert_int_equal(chmod(path, 0755), 0);
	host_wait_log_within(host, AT_ONCE, " INFO  " TENANT "/web running pid ");
	assert_int_equal(poll(&opens, 1, 0), 0);
	/* root says something new of him */
	host_write(host, TENANTS OTHER_TENANT ".quota", 0644, "clients 3\n");
	assert_int_equal(poll(&opens, 1, AT_ONCE), 1);
	assert_int_equal(close(opens.fd), 0);
	assert_unharmed(host, mail);
	host_stop_all(host);
}

static void
what_takes_the_place_of_a_tenants_directory_is_watched(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX], aside[PATH_MAX];

	make_tenants(host);
	make_profile(host, TENANT, "web", SERVICE);
	(void)begin_other(host);
	(void)host_wait_running(host, TENANT "/web");
	host_path(host, TENANTS TENANT, path, sizeof(path));
	assert_int_equal(rename(path, host_path(host, "../aside", aside, sizeof(aside))), 0);
	host_wait_log_within(host, AT_ONCE, " INFO  " TENANT "/web stopped$");
	assert_int_equal(rename(aside, path), 0);
	host_mark_log(host);
	host_wait_log_within(host, AT_ONCE, " INFO  " TENANT "/web running pid ");
	/* another one, in one moment */
	host_path(host, TENANTS "." TENANT, aside, sizeof(aside));
	assert_int_equal(mkdir(aside, 0755), 0);
	host_chown(host, TENANTS "." TENANT, TENANT);
	assert_int_equal(renameat2(AT_FDCWD, aside, AT_FDCWD, path, RENAME_EXCHANGE), 0);
	host_wait_log_within(host, AT_ONCE, " INFO  " TENANT "/web stopped$");
	make_profile(host, TENANT, "more", SERVICE);
	host_wait_log_within(host, AT_ONCE, " INFO  " TENANT "/more running pid ");
	host_stop_all(host);
}

static void
a_user_file_that_names_another_is_refused_and_ones_own_name_is_not(void **state)
{
	static const char *const others[] = {
	    OTHER_TENANT "\n", "root\n", "0\n", "no-such\n", TENANT "\n\n", TENANT " \n", ""};
	struct host *host = *state;
	char name[64], path[PATH_MAX];
	struct outcome outcome;
	size_t i;

	make_tenants(host);
	make_profile(host, TENANT, "mine", SERVICE);
	host_write(host, TENANTS TENANT "/mine/user", 0644, TENANT "\n");
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		(void)snprintf(name, sizeof(name), "web%zu", i);
		make_profile(host, TENANT, name, SERVICE);
		(void)snprintf(path, sizeof(path), TENANTS TENANT "/web%zu/user", i);
		host_write(host, path, 0644, "%s", others[i]);
	}
	host_chown(host, TENANTS TENANT, TENANT);
	start_with_tenants(host);
	assert_int_equal(process_uid(host_wait_running(host, TENANT "/mine")), account_uid(TENANT));
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		host_wait_log(host, " WARN  " TENANT "/web%zu refused: user: ", i);
		assert_int_equal(host_count_log(host, " " TENANT "/web%zu starting", i), 0);
	}
	assert_int_equal(
	    ctl_as(host, account_uid(TENANT), &outcome, "start", TENANT "/web0", NULL), CTL_FAILED);
	assert_non_null(strstr(outcome.error, "names somebody else than the profile's owner"));
	host_stop_all(host);
}

#define CHANGES 400

static void
a_directory_that_changes_without_end_loses_no_service(void **state)
{
	struct host *host = *state;
	char name[64], path[PATH_MAX];
	pid_t mail;
	int i;

	make_tenants(host);
	for (i = 0; i < 40; i++) { /* a look at all of them takes its time */
		(void)snprintf(name, sizeof(name), "web%d", i);
		make_profile(host, TENANT, name, SERVICE);
	}
	mail = begin_other(host);
	for (i = 0; i < 40; i++) {
		(void)snprintf(name, sizeof(name), TENANT "/web%d", i);
		(void)host_wait_running(host, name);
	}
	host_mark_log(host);
	for (i = 0; i < CHANGES; i++) {
		host_path(host, TENANTS TENANT "/busy", path, sizeof(path));
		assert_int_equal(mkdir(path, 0755), 0);
		(void)poll(NULL, 0, 3); /* the changes are to come one after another */
		assert_int_equal(rmdir(path), 0);
	}
	assert_unharmed(host, mail);
	assert_int_equal(host_count_log(host, " " TENANT "/web[0-9]+ "), 0);
	host_stop_all(host);
}

/* As the README shows it to a new user: nothing but files and proclaunchctl, no root, no log. */
static void
a_tenant_adds_breaks_mends_watches_and_restarts_a_service_without_root(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	struct running_ctl log;
	uid_t uid = account_uid(TENANT);

	make_tenants(host);
	start_with_tenants(host);
	make_profile(host, TENANT, "web", "echo serving; exec sleep 1000");
	wait_until(ctl_as(host, uid, &outcome, "list", "--no-header", "-o", "name,state", NULL) ==
		CTL_DONE &&
	    strstr(outcome.output, TENANT "/web running\n") != NULL);
	/* breaks it: it runs on, and who asks is told which file and why */
	host_write(host, TENANTS TENANT "/web/user", 0644, OTHER_TENANT "\n");
	wait_until(ctl_as(host, uid, &outcome, "explain", TENANT "/web", NULL) == CTL_DONE &&
	    strstr(outcome.output,
		" is running: running as before; refused: user: names somebody else than "
		"the profile's owner: remove it.\n  decided by  user\n") != NULL);
	assert_int_equal(ctl_as(host, uid, &outcome, "restart", TENANT "/web", NULL), CTL_FAILED);
	assert_non_null(strstr(outcome.error, "refused: user: names somebody else"));
	/* mends it */
	host_remove(host, TENANTS TENANT "/web/user");
	wait_until(ctl_as(host, uid, &outcome, "restart", TENANT "/web", NULL) == CTL_DONE);
	ctl_begin(host, uid, &log, "log", "-f", TENANT "/web", NULL);
	ctl_wait_said(&log, " serving\n");
	ctl_end(&log);
	assert_int_equal(ctl_as(host, uid, &outcome, "status", TENANT "/web", NULL), 0);
	host_stop_all(host);
}

/* What a tenant can put where a profile is expected. Each is refused or ignored, and named in the
 * log where `said` is not NULL. */
static void
put_links(struct host *host)
{
	char path[PATH_MAX];

	assert_int_equal(
	    symlink("/etc", host_path(host, TENANTS TENANT "/link", path, sizeof(path))), 0);
	host_wait_log(host, " WARN  ProcLaunch skipped " TENANT "/link: a symbolic link");
	make_profile(host, TENANT, "web", SERVICE);
	assert_int_equal(
	    symlink("/etc/shadow", host_path(host, TENANTS TENANT "/web/user", path, sizeof(path))),
	    0);
	host_wait_log(host, " WARN  " TENANT "/web refused: user: is a link");
}

static void
put_fifos(struct host *host)
{
	char path[PATH_MAX];

	make_profile(host, TENANT, "web", SERVICE);
	assert_int_equal(
	    mkfifo(host_path(host, TENANTS TENANT "/web/user", path, sizeof(path)), 0666), 0);
	host_wait_log(host, " WARN  " TENANT "/web refused: user: is no plain file");
	assert_int_equal(
	    mkfifo(host_path(host, TENANTS TENANT "/fifo", path, sizeof(path)), 0666), 0);
	host_wait_log(host, " WARN  ProcLaunch skipped " TENANT "/fifo: neither");
}

#define MANY 5000

static void
put_many(struct host *host)
{
	struct outcome outcome;
	char path[PATH_MAX];
	size_t length;
	int i;

	host_path(host, TENANTS TENANT "/", path, sizeof(path));
	length = strlen(path);
	for (i = 0; i < MANY; i++) {
		(void)snprintf(path + length, sizeof(path) - length, "web-%d", i);
		assert_int_equal(mkdir(path, 0755), 0);
	}
	for (i = 0; i < MANY; i++) {
		(void)snprintf(path + length, sizeof(path) - length, ".hidden-%d", i);
		assert_int_equal(mknod(path, S_IFREG | 0644, 0), 0);
	}
	/* no more than twice the quota is ever kept, and the log names a few of the rest */
	host_wait_log(host, " WARN  ProcLaunch skipped " TENANT "/web-[0-9]+: there are too many");
	wait_until(ctl_as(host, account_uid(TENANT), &outcome, "check", NULL) == 2 &&
	    strstr(outcome.output, " profiles=100;") != NULL);
}

static void
put_unreadable(struct host *host)
{
	char path[PATH_MAX];

	make_profile(host, TENANT, "web", SERVICE);
	(void)host_wait_running(host, TENANT "/web");
	assert_int_equal(chmod(host_path(host, TENANTS TENANT, path, sizeof(path)), 0), 0);
	host_wait_log(host, " WARN  ProcLaunch cannot read " TENANT "/: Permission denied");
	assert_int_equal(host_count_log(host, " " TENANT "/web stopped"), 0);
	assert_int_equal(chmod(path, 0755), 0);
}

static void
put_huge_files(struct host *host)
{
	char path[PATH_MAX];

	make_profile(host, TENANT, "web", SERVICE);
	host_write(host, TENANTS TENANT "/web/restart", 0644, "%s", "");
	assert_int_equal(
	    truncate(
		host_path(host, TENANTS TENANT "/web/restart", path, sizeof(path)), (off_t)1 << 40),
	    0);
	host_wait_log(host, " WARN  " TENANT "/web refused: restart: is larger than 4096 bytes");
}

static void
what_a_tenant_puts_into_his_directory_hurts_him_alone(void **state)
{
	static void (*const put[])(struct host * host) = {
	    put_links, put_fifos, put_many, put_unreadable, put_huge_files};
	struct host *host = *state;
	size_t i;
	pid_t mail;

	make_tenants(host);
	for (i = 0; i < sizeof(put) / sizeof(put[0]); i++) {
		mail = begin_other(host);
		host_mark_log(host);
		put[i](host);
		assert_unharmed(host, mail);
		assert_int_equal(host_count_log(host, "ProcLaunch (monitor|spawner) "), 0);
		host_stop_all(host);
		host_remove(host, "../tenants");
		make_tenants(host);
		host_mark_log(host);
	}
}

/* A file system whose server never answers: whoever looks into it waits. */
static int
mount_silent(const struct host *host, const char *name, const char *mode)
{
	char path[PATH_MAX], options[128];
	int server = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	assert_int_not_equal(server, -1);
	(void)snprintf(options, sizeof(options),
	    "fd=%d,rootmode=%s,user_id=%u,group_id=%u,allow_other", server, mode,
	    account_uid(TENANT), account_gid(TENANT));
	assert_int_equal(mount("fuse", host_path(host, name, path, sizeof(path)), "fuse",
			     MS_NOSUID | MS_NODEV, options),
	    0);
	return server;
}

static int
mount_silence(const struct host *host, const char *name)
{
	return mount_silent(host, name, "40000");
}

static void
unmount_silence(const struct host *host, const char *name, int server)
{
	char path[PATH_MAX];

	assert_int_equal(umount2(host_path(host, name, path, sizeof(path)), MNT_DETACH), 0);
	assert_int_equal(close(server), 0);
}

/* Somebody has given him a file in root's profile, which is refused; and when root looks at it
 * again, he alone would answer whose it is and what stands in it. */
static void
what_a_user_has_mounted_on_his_file_in_roots_profile_is_not_opened(void **state)
{
	struct host *host = *state;
	int server;
	pid_t mail;

	make_tenants(host);
	host_profile(host, "web", SERVICE);
	host_write(host, "web/restart", 0644, "%s", "");
	host_chown(host, "web/restart", TENANT);
	mail = begin_other(host);
	host_wait_log(host, " WARN  web refused: restart: belongs to ");
	server = mount_silent(host, "web/restart", "100000");
	host_touch(host, "web/run");
	host_wait_log(host, " WARN  web refused: restart: .* a FUSE mount");
	assert_unharmed(host, mail);
	unmount_silence(host, "web/restart", server);
	host_stop_all(host);
}

#define SILENT_PROFILES 20

static void
a_file_system_that_never_answers_keeps_nobody_else_waiting(void **state)
{
	struct host *host = *state;
	int servers[SILENT_PROFILES], server, i;
	char name[64], path[128], full[PATH_MAX];
	pid_t mail;

	make_tenants(host);
	for (i = 0; i < SILENT_PROFILES; i++) {
		(void)snprintf(name, sizeof(name), "web%d", i);
		make_profile(host, TENANT, name, SERVICE);
		(void)snprintf(path, sizeof(path), TENANTS TENANT "/web%d/restart", i);
		assert_int_equal(mkdir(host_path(host, path, full, sizeof(full)), 0755), 0);
	}
	mail = begin_other(host);
	for (i = 0; i < SILENT_PROFILES; i++)
		host_wait_log(host, " WARN  " TENANT "/web%d refused: restart: ", i);
	/* whoever looks at them again waits: the survey, which is the tenant */
	for (i = 0; i < SILENT_PROFILES; i++) {
		(void)snprintf(path, sizeof(path), TENANTS TENANT "/web%d/restart", i);
		servers[i] = mount_silence(host, path);
		(void)snprintf(path, sizeof(path), TENANTS TENANT "/web%d/run", i);
		host_touch(host, path);
	}
	assert_unharmed(host, mail);
	host_mark_log(host);
	/* all of his directory: looked at by root, at every change of it */
	server = mount_silence(host, TENANTS TENANT);
	assert_int_equal(mkdir(host_path(host, TENANTS "no-account", full, sizeof(full)), 0755), 0);
	host_wait_log_within(host, AT_ONCE, " skipped tenant no-account: ");
	host_wait_log_within(host, AT_ONCE,
	    " WARN  ProcLaunch cannot read " TENANT ": a FUSE mount, which may keep root waiting");
	host_remove(host, TENANTS OTHER_TENANT "/news");
	host_wait_log_within(host, AT_ONCE, " INFO  " OTHER_TENANT "/news stopped$");
	assert_unharmed(host, mail);
	unmount_silence(host, TENANTS TENANT, server);
	for (i = 0; i < SILENT_PROFILES; i++) {
		(void)snprintf(path, sizeof(path), TENANTS TENANT "/web%d/restart", i);
		unmount_silence(host, path, servers[i]);
	}
	host_stop_all(host);
}

static void
an_account_that_goes_is_missed_where_the_file_of_accounts_is_a_mount(void **state)
{
	struct host *host = *state;
	pid_t web;

	make_tenants(host);
	accounts_begin_mounted(host);
	make_profile(host, TENANT, "web", SERVICE);
	(void)begin_other(host);
	web = host_wait_running(host, TENANT "/web");
	accounts_remove(TENANT);
	host_wait_log_within(host, AT_ONCE, " INFO  " TENANT "/web stopped$");
	process_wait_gone(web);
	host_stop_all(host);
}

static void
an_account_that_goes_or_changes_its_uid_takes_its_services_with_it(void **state)
{
	struct host *host = *state;
	pid_t web, mail, cron;

	make_tenants(host);
	accounts_begin(host);
	make_profile(host, TENANT, "web", SERVICE);
	/* the same holds for what root owns and gives to a user */
	host_profile(host, "cron", SERVICE);
	host_write(host, "cron/user", 0644, TENANT "\n");
	mail = begin_other(host);
	web = host_wait_running(host, TENANT "/web");
	cron = host_wait_running(host, "cron");
	accounts_remove(TENANT);
	host_wait_log_within(
	    host, AT_ONCE, " WARN  ProcLaunch skipped tenant " TENANT ": there is no account");
	host_wait_log(host, " INFO  " TENANT "/web stopped$");
	host_wait_log(host, " WARN  cron refused: user: must name an existing account");
	host_wait_log(host, " INFO  cron stopped$");
	process_wait_gone(web);
	process_wait_gone(cron);
	host_mark_log(host);
	accounts_set(TENANT, account_uid(TENANT));
	host_wait_log_within(host, AT_ONCE, " INFO  " TENANT "/web running pid ");
	web = host_wait_running(host, TENANT "/web");
	host_mark_log(host);
	/* the uid may be somebody else's now; the directory still belongs to it */
	accounts_set(TENANT, 4242);
	host_wait_log_within(host, AT_ONCE, " INFO  " TENANT "/web stopped$");
	process_wait_gone(web);
	host_mark_log(host);
	host_give(host, TENANTS TENANT, 4242);
	assert_int_equal(process_uid(host_wait_running(host, TENANT "/web")), 4242);
	/* nor does it go on as it was where the name means root now */
	host_write(host, "cron/user", 0644, TENANT "\n");
	cron = host_wait_running(host, "cron");
	accounts_set(TENANT, 0);
	host_wait_log(host, " WARN  cron refused: user: names an account with uid 0");
	host_wait_log(host, " INFO  cron stopped$");
	process_wait_gone(cron);
	assert_unharmed(host, mail);
	host_stop_all(host);
}

/* Who owns the profile has no account any more: nothing runs as that uid, as in a profile of root's
 * whose `user` has none. */
static void
a_service_whose_owner_has_no_account_any_more_is_ended(void **state)
{
	struct host *host = *state;
	pid_t web;

	accounts_begin(host);
	host_profile(host, "web", "exec sleep 1000");
	host_write(host, "web/restart", 0644, "%s", "");
	host_chown(host, "web", TENANT);
	host_start(host);
	web = host_wait_running(host, "web");
	accounts_remove(TENANT);
	host_wait_log(host, " web refused: the directory: belongs to a uid that has no account");
	process_wait_gone(web);
	host_wait_log(host, " web stopped$");
	host_mark_log(host);
	accounts_set(TENANT, account_uid(TENANT));
	(void)host_wait_running(host, "web");
	host_stop_all(host);
}

static void
an_account_that_has_gone_unnoticed_is_missed_at_the_next_start(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	pid_t web, mail;

	make_tenants(host);
	accounts_begin(host);
	make_profile(host, TENANT, "web", SERVICE);
	host_write(host, TENANTS TENANT "/web/restart", 0644, "%s", "");
	host_chown(host, TENANTS TENANT, TENANT);
	mail = begin_other(host);
	web = host_wait_running(host, TENANT "/web");
	host_mark_log(host);
	accounts_remove_silently(host, TENANT);
	assert_int_equal(kill(web, SIGKILL), 0);
	host_wait_log(host, " WARN  " TENANT "/web refused: user: must name an existing account");
	assert_int_equal(ctl(host, &outcome, "start", TENANT "/web", NULL), CTL_FAILED);
	assert_int_equal(host_count_log(host, " " TENANT "/web running"), 0);
	assert_unharmed(host, mail);
	host_stop_all(host);
}

static void
an_account_that_has_gone_unnoticed_is_missed_at_a_rescan(void **state)
{
	struct host *host = *state;
	char option[PATH_MAX];
	pid_t web;

	make_tenants(host);
	accounts_begin(host);
	make_profile(host, TENANT, "web", SERVICE);
	(void)snprintf(option, sizeof(option), "--tenants=%s/tenants", host->root);
	host_start_with(host, option, "--rescan=1", NULL);
	web = host_wait_running(host, TENANT "/web");
	accounts_remove_silently(host, TENANT);
	host_wait_log(host, " WARN  ProcLaunch skipped tenant " TENANT ": there is no account");
	host_wait_log(host, " INFO  " TENANT "/web stopped$");
	process_wait_gone(web);
	host_stop_all(host);
}

/* As administrators bound what each may store; and a profile that is mounted, too. */
static void
what_is_mounted_for_a_tenant_is_watched_like_everything_else(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX], to[PATH_MAX];
	struct outcome outcome;
	pid_t mail;

	make_tenants(host);
	assert_int_equal(mount("none", host_path(host, TENANTS TENANT, path, sizeof(path)), "tmpfs",
			     MS_NOSUID | MS_NODEV, "mode=755"),
	    0);
	host_chown(host, TENANTS TENANT, TENANT);
	assert_int_equal(
	    mkdir(host_path(host, TENANTS TENANT "/web", path, sizeof(path)), 0755), 0);
	assert_int_equal(mount("none", path, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755"), 0);
	host_profile(host, TENANTS TENANT "/web", SERVICE);
	host_chown(host, TENANTS TENANT, TENANT);
	mail = begin_other(host);
	(void)host_wait_running(host, TENANT "/web");
	host_profile(host, TENANTS TENANT "/.new", SERVICE);
	host_chown(host, TENANTS TENANT "/.new", TENANT);
	assert_int_equal(rename(host_path(host, TENANTS TENANT "/.new", path, sizeof(path)),
			     host_path(host, TENANTS TENANT "/new", to, sizeof(to))),
	    0);
	host_wait_log_within(host, AT_ONCE, " INFO  " TENANT "/new running pid ");
	host_touch(host, TENANTS TENANT "/web/run");
	host_wait_log_within(host, AT_ONCE, " INFO  " TENANT "/web changed. Restarting.");
	/* and its pid file is seen */
	host_write(host, TENANTS TENANT "/web/pid_file", 0644, "%s", "daemon.pid\n");
	host_write(host, TENANTS TENANT "/web/daemon.pid", 0644, "%s", "4242\n");
	host_chown(host, TENANTS TENANT "/web", TENANT);
	assert_int_equal(ctl(host, &outcome, "stop", TENANT "/web", NULL), CTL_DONE);
	assert_int_equal(ctl(host, &outcome, "status", TENANT "/web", NULL), 1);
	assert_int_equal(host_count_log(host, " cannot (watch|read) "), 0);
	assert_unharmed(host, mail);
	host_stop_all(host);
}

/* Its server has gone while nobody looked, and only the ledger knows that there is a service. */
static void
whose_directory_does_not_answer_at_the_start_keeps_his_service(void **state)
{
	struct host *host = *state;
	struct silence silence;
	char path[PATH_MAX];
	pid_t web, mail;

	make_tenants(host);
	make_profile(host, TENANT, "web", SERVICE);
	mail = begin_other(host);
	web = host_wait_running(host, TENANT "/web");
	host_crash(host);
	silence_begin(&silence, host->root);
	assert_int_equal(
	    mount(silence.directory, host_path(host, TENANTS TENANT, path, sizeof(path)), NULL,
		MS_BIND, NULL),
	    0);
	silence_end(&silence);
	host_mark_log(host);
	start_with_tenants(host);
	host_wait_log(host, " WARN  ProcLaunch cannot read " TENANT ": ");
	host_settle(host);
	assert_int_equal(host_count_log(host, " " TENANT "/web (disappeared|stopping|died)"), 0);
	assert_true(process_lives(web));
	assert_int_equal(umount2(path, MNT_DETACH), 0);
	host_write(host, TENANTS "mended", 0644, "%s", "");
	make_profile(host, TENANT, "new", SERVICE);
	(void)host_wait_running(host, TENANT "/new");
	assert_true(process_lives(web));
	assert_unharmed(host, mail);
	host_stop_all(host);
}

/* The disk gives back no directory any more. */
static void
refuse_to_list(void)
{
	static const struct fault broken = {"list", SYS_getdents64, FAULT_ANY, 0, EIO};

	if (!fault_install(&broken))
		_exit(125);
}

static void
who_stands_in_a_directory_that_cannot_be_listed_has_not_left(void **state)
{
	struct host *host = *state;
	pid_t web;

	make_tenants(host);
	make_profile(host, TENANT, "web", SERVICE);
	start_with_tenants(host);
	web = host_wait_running(host, TENANT "/web");
	host_crash(host);
	host_mark_log(host);
	host->before_exec = refuse_to_list;
	start_with_tenants(host);
	host_wait_log(host, " WARN  ProcLaunch cannot read the tenants directory: Input/output");
	host_settle(host);
	assert_int_equal(host_count_log(host, " " TENANT "/web (disappeared|stopping|died)"), 0);
	assert_true(process_lives(web));
	host_crash(host);
	host->before_exec = NULL;
	start_with_tenants(host);
	assert_int_equal(host_wait_running(host, TENANT "/web"), web);
	host_stop_all(host);
}

static void
permit_descriptors(pid_t pid, rlim_t count)
{
	struct rlimit limit;

	assert_int_equal(prlimit(pid, RLIMIT_NOFILE, NULL, &limit), 0);
	limit.rlim_cur = count == 0 ? limit.rlim_max : count;
	assert_int_equal(prlimit(pid, RLIMIT_NOFILE, &limit, NULL), 0);
}

/* For a second: not, where there were enough, or where the spawner's answer has found no room. */
static bool
looks_in_vain(struct host *host)
{
	struct deadline second = deadline_in(1000);
	bool found;

	do {
		deadline_breathe();
		found = host_count_log(host,
			    " cannot read [^:]*" TENANT "/?: |cannot read the [a-z]* dir") > 0;
	} while (!found && deadline_left(&second) > 0);
	return found;
}

/* One descriptor more each time: the scan fails at the directory, at a tenant's, at the account, at
 * the survey. Where what takes one for a moment is late, the last of these is passed over: then
 * once more from the beginning. */
static void
who_cannot_be_looked_at_for_want_of_descriptors_has_not_left(void **state)
{
	struct deadline deadline = deadline_in(6 * SOON);
	struct host *host = *state;
	pid_t web, mail, cron;
	rlim_t first, permitted;

	make_tenants(host);
	accounts_begin(host);
	make_profile(host, TENANT, "web", SERVICE);
	host_profile(host, "cron", SERVICE);
	host_write(host, "cron/user", 0644, TENANT "\n");
	mail = begin_other(host);
	web = host_wait_running(host, TENANT "/web");
	cron = host_wait_running(host, "cron");
	host_wait_nobody_asks(host);
	permitted = first = process_next_descriptor(host->supervisor);
	do {
		deadline_pause(&deadline, "a survey for which there is none", __FILE__, __LINE__);
		host_mark_log(host);
		permit_descriptors(host->supervisor, permitted++);
		accounts_set("newcomer", 4242); /* all are looked up again */
		if (!looks_in_vain(host)) {
			permit_descriptors(host->supervisor, 0);
			host_profile(host, "spawned", SERVICE); /* the spawner is there again */
			(void)host_wait_running(host, "spawned");
			host_remove(host, "spawned");
			permitted = first;
		}
	} while (host_count_log(host, " cannot read " TENANT "/: Too many open files") == 0);
	permit_descriptors(host->supervisor, 0);
	accounts_remove("newcomer");
	host_settle(host);
	assert_true(process_lives(web));
	assert_true(process_lives(cron));
	assert_unharmed(host, mail);
	host_stop_all(host);
}

/* So many in the tenant's directory, with nothing in them. */
static void
make_directories(struct host *host, const char *name, unsigned count)
{
	char numbered[64], path[PATH_MAX];
	unsigned i;

	for (i = 0; i < count; i++) {
		(void)snprintf(numbered, sizeof(numbered), TENANTS TENANT "/%s%u", name, i);
		assert_int_equal(mkdir(host_path(host, numbered, path, sizeof(path)), 0755), 0);
	}
}

#define FAR_TOO_MANY 400

/* Or he would wash out of our own log what there is to say of others meanwhile. */
static void
who_makes_hundreds_of_profiles_more_is_told_once(void **state)
{
	struct host *host = *state;
	pid_t mail;

	make_tenants(host);
	make_directories(host, "web", FAR_TOO_MANY);
	host_chown(host, TENANTS TENANT, TENANT);
	mail = begin_other(host);
	host_wait_log(host, " WARN  ProcLaunch skipped " TENANT "/web.*: there are too many ");
	assert_unharmed(host, mail);
	assert_int_equal(host_count_log(host, " skipped " TENANT "/"), 1);
	assert_int_equal(host_count_log(host, " happened too fast to be logged"), 0);
	host_stop_all(host);
}

/* Writes the tenant's quota, and waits until it is in force. */
static void
set_quota(struct host *host, const char *content)
{
	host_replace(host, TENANTS TENANT ".quota", 0644, content);
}

static void
assert_tenant_is_told(struct host *host, const char *name, const char *text)
{
	struct outcome outcome;

	assert_int_equal(
	    ctl_as(host, account_uid(TENANT), &outcome, "explain", name, NULL), CTL_DONE);
	if (strstr(outcome.output, text) == NULL)
		fail_msg("\"%s\" is not in: %s", text, outcome.output);
}

static void
profiles_over_the_quota_are_refused_until_it_is_raised(void **state)
{
	struct host *host = *state;
	pid_t first, mail;

	make_tenants(host);
	set_quota(host, "profiles 1\n");
	make_profile(host, TENANT, "first", SERVICE);
	mail = begin_other(host);
	first = host_wait_running(host, TENANT "/first");
	make_profile(host, TENANT, "second", SERVICE);
	host_wait_log(host,
	    " WARN  " TENANT "/second refused: the directory: is one profile more "
	    "than the tenant's quota allows");
	assert_tenant_is_told(
	    host, TENANT "/second", "is one profile more than the tenant's quota allows");
	assert_tenant_is_told(host, TENANT "/second", "\n  decided by  quota\n");
	assert_true(process_lives(first));
	set_quota(host, "# two, as agreed\nprofiles 2\n");
	host_wait_log_within(host, AT_ONCE, " INFO  " TENANT "/second running pid ");
	assert_true(process_lives(first));
	assert_unharmed(host, mail);
	host_stop_all(host);
}

#define ODD_NAMES    40
#define ODD_REPORTED 16 /* of each look */

/* Who has thousands would leave no room for what is to be said of others. */
static void
of_a_tenants_odd_names_some_are_reported_at_each_look(void **state)
{
	struct host *host = *state;
	pid_t mail;

	make_tenants(host);
	make_directories(host, "odd name ", ODD_NAMES);
	mail = begin_other(host);
	make_profile(host, TENANT, "web", SERVICE);
	(void)host_wait_running(host, TENANT "/web");
	host_settle(host);
	assert_in_range(host_count_log(host, " skipped " TENANT "/odd name "), 1, 2 * ODD_REPORTED);
	assert_unharmed(host, mail);
	host_stop_all(host);
}

/* Nobody could look at it when it was disabled. */
static void
what_is_disabled_stays_so_when_it_can_be_looked_at_again(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	char path[PATH_MAX];
	pid_t web;

	make_tenants(host);
	make_profile(host, TENANT, "web", SERVICE);
	start_with_tenants(host);
	web = host_wait_running(host, TENANT "/web");
	host_crash(host);
	assert_int_equal(chmod(host_path(host, TENANTS TENANT, path, sizeof(path)), 0), 0);
	start_with_tenants(host);
	assert_int_equal(ctl(host, &outcome, "disable", TENANT "/web", NULL), CTL_DONE);
	process_wait_gone(web);
	host_mark_log(host);
	assert_int_equal(chmod(path, 0755), 0);
	make_profile(host, TENANT, "mail", SERVICE);
	(void)host_wait_running(host, TENANT "/mail");
	host_settle(host);
	assert_int_equal(host_count_log(host, " " TENANT "/web starting"), 0);
	host_stop_all(host);
}

/* Its record tells of it until its directory is looked for. */
static void
what_has_gone_while_nobody_looked_takes_no_place_of_the_quota(void **state)
{
	struct host *host = *state;
	pid_t first;

	make_tenants(host);
	set_quota(host, "profiles 1\n");
	make_profile(host, TENANT, "first", SERVICE);
	start_with_tenants(host);
	first = host_wait_running(host, TENANT "/first");
	host_crash(host);
	host_remove(host, TENANTS TENANT "/first");
	make_profile(host, TENANT, "second", SERVICE);
	host_mark_log(host);
	start_with_tenants(host);
	(void)host_wait_running(host, TENANT "/second");
	process_wait_gone(first);
	assert_int_equal(host_count_log(host, " refused: "), 0);
	host_stop_all(host);
}

#define STUBBORN "trap '' TERM; : > ready; exec sleep 1000"

/* A tenant removes profiles whose services do not end, and makes others: no more than twice as many
 * are there as he may have. */
static void
what_has_gone_and_does_not_end_takes_a_place(void **state)
{
	struct host *host = *state;
	pid_t first, second, mail;

	make_tenants(host);
	set_quota(host, "profiles 1\n");
	make_profile(host, TENANT, "first", STUBBORN);
	mail = begin_other(host);
	first = host_wait_running(host, TENANT "/first");
	host_wait_ready(host, TENANTS TENANT "/first");
	host_remove(host, TENANTS TENANT "/first");
	host_wait_log(host, " " TENANT "/first stopping");
	make_profile(host, TENANT, "second", STUBBORN);
	second = host_wait_running(host, TENANT "/second");
	host_wait_ready(host, TENANTS TENANT "/second");
	host_remove(host, TENANTS TENANT "/second");
	host_wait_log(host, " " TENANT "/second stopping");
	make_profile(host, TENANT, "third", SERVICE);
	host_wait_log(
	    host, " WARN  ProcLaunch skipped " TENANT "/third: there are too many profiles$");
	host_settle(host);
	assert_int_equal(host_count_log(host, TENANT "/third running"), 0);
	assert_true(process_lives(first) && process_lives(second));
	/* until one of them has ended */
	assert_int_equal(kill(first, SIGKILL), 0);
	host_wait_log_within(host, AT_ONCE, " INFO  " TENANT "/third running pid ");
	assert_int_equal(kill(second, SIGKILL), 0);
	assert_unharmed(host, mail);
	host_stop_all(host);
}

/* The kernel counts all processes of the uid, so that it must be one that nothing else has, nor
 * another run of this test beside it. */
#define LONELY_UID (200000 + (uid_t)getpid())

static void
processes_over_the_quota_are_not_made(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	char text[4096];
	pid_t first, mail;

	make_tenants(host);
	accounts_begin(host);
	accounts_set(TENANT, LONELY_UID);
	set_quota(host, "processes 3\n");
	make_profile(host, TENANT, "first", "sleep 1001 & sleep 1002 & exec sleep 1000");
	/* it cannot fork while its profiles are looked at: that takes processes of its user, too */
	host_write(host, TENANTS TENANT "/first/restart", 0644, "%s", "");
	make_profile(host, TENANT, "second", SERVICE);
	host_write(host, TENANTS TENANT "/second/down", 0644, "%s", "");
	make_profile(host, TENANT, "third", SERVICE);
	host_write(host, TENANTS TENANT "/third/down", 0644, "%s", "");
	host_give(host, TENANTS TENANT, LONELY_UID);
	mail = begin_other(host);
	/* the first that has made both: one that could not while we looked has ended */
	wait_until((first = host_wait_running(host, TENANT "/first")) != 0 &&
	    read_proc(first, "cmdline", text, sizeof(text)) > 0 && strcmp(text, "sleep") == 0);
	assert_true(read_proc(first, "limits", text, sizeof(text)) > 0);
	assert_non_null(strstr(text, "Max processes             3                    3          "));
	/* the kernel compares before it counts the new one: one more than the quota may start */
	(void)ctl_as(host, LONELY_UID, &outcome, "start", TENANT "/second", NULL);
	assert_int_equal(ctl_as(host, LONELY_UID, &outcome, "start", TENANT "/third", NULL), 1);
	assert_string_equal(outcome.error,
	    "proclaunchctl: " TENANT "/third: cannot start: execve: Resource temporarily "
	    "unavailable (its user has as many processes as its limit or quota allows)\n");
	assert_unharmed(host, mail);
	host_stop_all(host);
}

static off_t
size_of(const struct host *host, const char *name)
{
	char path[PATH_MAX];
	struct stat status;

	(void)snprintf(path, sizeof(path), "%s/output/" TENANT "/%s", host->state, name);
	return stat(path, &status) == 0 ? status.st_size : 0;
}

static const char *
output_of(const struct host *host, const char *name, char *path, size_t size)
{
	(void)snprintf(path, size, "%s/output/" TENANT "%s", host->state, name);
	return path;
}

/* Somebody has given the directory to him: then he can put into it, by a hard link or a rename,
 * what is root's and nobody's to read; and nobody knows whose files those are that stand there. */
static void
from_a_directory_that_is_his_a_tenant_is_handed_no_log(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX], old[PATH_MAX], secret[PATH_MAX];
	struct outcome outcome;
	pid_t mail;

	make_tenants(host);
	make_profile(host, TENANT, "web", "echo printed; exec sleep 1000");
	mail = begin_other(host);
	wait_until(size_of(host, "web.log") > 0);
	host_write(host, "secret", 0600, "nobody is to know\n");
	(void)output_of(host, "/web.log.1", old, sizeof(old));
	assert_int_equal(link(host_path(host, "secret", secret, sizeof(secret)), old), 0);
	assert_int_equal(chown(output_of(host, "", path, sizeof(path)), account_uid(TENANT), 0), 0);
	(void)ctl_as(host, account_uid(TENANT), &outcome, "log", "-n", "1000", TENANT "/web", NULL);
	assert_null(strstr(outcome.output, "nobody is to know"));
	assert_null(strstr(outcome.output, "printed"));
	assert_int_equal(unlink(old), 0);
	assert_int_equal(chown(path, 0, 0), 0);
	assert_int_equal(
	    ctl_as(host, account_uid(TENANT), &outcome, "log", TENANT "/web", NULL), CTL_DONE);
	assert_non_null(strstr(outcome.output, "printed"));
	/* nor is a link in its place followed */
	assert_int_equal(rename(path, host_path(host, "aside", old, sizeof(old))), 0);
	assert_int_equal(symlink(old, path), 0);
	(void)ctl_as(host, account_uid(TENANT), &outcome, "log", TENANT "/web", NULL);
	assert_null(strstr(outcome.output, "printed"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rename(old, path), 0);
	assert_unharmed(host, mail);
	host_stop_all(host);
}

static off_t
size_of_all(const struct host *host)
{
	static const char *const names[] = {"web.log", "web.log.1", "web.log.2", "web.log.3",
	    "web.log.4", "web.log.5", "web.log.6"};
	off_t total = 0;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		total += size_of(host, names[i]);
	return total;
}

static void
output_stays_within_the_quota(void **state)
{
	struct host *host = *state;
	char done[PATH_MAX], text[16];
	pid_t mail;

	make_tenants(host);
	set_quota(host, "output_bytes 128K\nprofiles 2\n");
	/* 64 KiB for each of the two; prints 400 KiB */
	make_profile(host, TENANT, "web",
	    "i=0; while [ $i -lt 4000 ]; do i=$((i + 1))\n"
	    "echo 0123456789012345678901234567890123456789012345678901234567890123456789; done\n"
	    "echo yes > done; exec sleep 1000");
	make_profile(host, TENANT, "greedy", SERVICE);
	host_write(host, TENANTS TENANT "/greedy/output", 0644, "rotate_size 1G\n");
	host_chown(host, TENANTS TENANT, TENANT);
	mail = begin_other(host);
	wait_for_file(
	    host_path(host, TENANTS TENANT "/web/done", done, sizeof(done)), text, sizeof(text));
	wait_until(size_of_all(host) >= 30000); /* all that it has printed may stand in its FIFO */
	assert_in_range(size_of_all(host), 0, 65536);
	host_wait_log(host,
	    " WARN  " TENANT "/greedy refused: output: asks for more bytes, .* "
	    "than this profile's share of the tenant's quota");
	assert_tenant_is_told(
	    host, TENANT "/greedy", "than this profile's share of the tenant's quota");
	assert_unharmed(host, mail);
	host_stop_all(host);
}

/* Or each of the files could hold a line of 64 KiB. */
static void
a_line_that_is_longer_than_a_tenants_file_may_be_is_split(void **state)
{
	struct host *host = *state;
	char done[PATH_MAX], text[16];
	pid_t mail;

	make_tenants(host);
	set_quota(host, "output_bytes 128K\nprofiles 2\n");
	make_profile(host, TENANT, "web",
	    "i=0; while [ $i -lt 20 ]; do i=$((i + 1))\n"
	    "printf '%060000d\\n' $i; done\n"
	    "echo yes > done; exec sleep 1000");
	host_chown(host, TENANTS TENANT, TENANT);
	mail = begin_other(host);
	wait_for_file(
	    host_path(host, TENANTS TENANT "/web/done", done, sizeof(done)), text, sizeof(text));
	wait_until(size_of_all(host) >= 30000);
	assert_in_range(size_of_all(host), 0, 65536);
	assert_unharmed(host, mail);
	host_stop_all(host);
	assert_in_range(size_of_all(host), 30000, 65536);
}

static void
restarts_over_the_quota_wait(void **state)
{
	struct host *host = *state;
	pid_t mail;

	make_tenants(host);
	set_quota(host, "restarts_per_minute 2\n");
	make_profile(host, TENANT, "web", "exit 3");
	host_write(host, TENANTS TENANT "/web/restart", 0644, "%s", "");
	host_chown(host, TENANTS TENANT, TENANT);
	make_profile(host, OTHER_TENANT, "mail", SERVICE);
	host_write(host, TENANTS OTHER_TENANT "/mail/restart", 0644, "%s", "");
	host_chown(host, TENANTS OTHER_TENANT, OTHER_TENANT);
	start_with_tenants(host);
	mail = host_wait_running(host, OTHER_TENANT "/mail");
	host_wait_log(host, " WARN  " TENANT "/web over the tenant's quota of 2 restarts a minute");
	assert_tenant_is_told(host, TENANT "/web",
	    "ended with status 3, over the tenant's quota of 2 restarts a minute");
	assert_int_equal(host_count_log(host, " " TENANT "/web starting$"), 3);
	assert_unharmed(host, mail);
	/* the other tenant's restarts are counted apart */
	host_mark_log(host);
	assert_int_equal(kill(mail, SIGKILL), 0);
	host_wait_log_within(host, AT_ONCE, " INFO  " OTHER_TENANT "/mail running pid ");
	host_stop_all(host);
}

static void
connections_over_the_quota_are_turned_away(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	uid_t uid = account_uid(TENANT);
	bool admitted;
	int clients[3], i;
	pid_t mail;

	make_tenants(host);
	set_quota(host, "clients 3\n");
	make_profile(host, TENANT, "web", SERVICE);
	mail = begin_other(host);
	(void)host_wait_running(host, TENANT "/web");
	for (i = 0; i < 3; i++) {
		clients[i] = client_greet(host, uid, &admitted);
		assert_true(admitted);
	}
	assert_int_equal(ctl_as(host, uid, &outcome, "stop", TENANT "/web", NULL), CTL_FAILED);
	assert_string_equal(outcome.error, "proclaunchctl: too many connections: close some\n");
	assert_int_equal(ctl(host, &outcome, "ping", NULL), CTL_DONE);
	assert_unharmed(host, mail);
	assert_int_equal(close(clients[0]), 0);
	wait_until(ctl_as(host, uid, &outcome, "ping", NULL) == CTL_DONE);
	assert_int_equal(close(clients[1]), 0);
	assert_int_equal(close(clients[2]), 0);
	host_stop_all(host);
}

/* However many connections root has permitted to somebody. */
static void
a_quota_of_all_connections_leaves_places_to_root(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	int clients[300];
	bool admitted = true;
	unsigned count = 0, i;

	make_tenants(host);
	set_quota(host, "clients 300\n");
	make_profile(host, TENANT, "web", SERVICE);
	(void)begin_other(host);
	(void)host_wait_running(host, TENANT "/web");
	while (count < 300 && admitted)
		clients[count++] = client_greet(host, account_uid(TENANT), &admitted);
	assert_false(admitted);
	assert_in_range(count, 100, 299);
	assert_int_equal(ctl(host, &outcome, "ping", NULL), CTL_DONE);
	for (i = 0; i < count; i++)
		assert_int_equal(close(clients[i]), 0);
	host_stop_all(host);
}

static void
a_quota_that_cannot_be_used_is_named_and_the_default_holds(void **state)
{
	static const struct {
		const char *content;
		mode_t mode;
		const char *said;
	} wrong[] = {
	    {"profiles many\n", 0644, "cannot use " TENANT ".quota, line 1: "},
	    {"profiles 5\n\nnonsense 3\n", 0644, "cannot use " TENANT ".quota, line 3: "},
	    {"profiles 0\n", 0644, "cannot use " TENANT ".quota, line 1: "},
	    {"profiles=3\n", 0644, "cannot use " TENANT ".quota, line 1: "},
	    {"profiles 5\n", 0666, "cannot use " TENANT ".quota: it must be a plain file"},
	};
	struct host *host = *state;
	char option[PATH_MAX + 16], path[PATH_MAX];
	size_t i;

	make_tenants(host);
	make_profile(host, TENANT, "one", SERVICE);
	make_profile(host, TENANT, "two", SERVICE);
	(void)snprintf(option, sizeof(option), "--tenants=%s/tenants", host->root);
	host_start_with(host, option, "--tenant-quota=profiles=1,clients=5", NULL);
	host_wait_log(host, " WARN  " TENANT "/(one|two) refused: the directory: is one profile");
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		host_mark_log(host);
		host_replace(host, TENANTS TENANT ".quota", wrong[i].mode, wrong[i].content);
		host_wait_log(host, " WARN  ProcLaunch %s", wrong[i].said);
	}
	/* a tenant's own file is none, and neither is a link */
	host_mark_log(host);
	host_path(host, TENANTS TENANT ".quota", path, sizeof(path));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink(TENANT "/quota", path), 0);
	host_wait_log(host, " WARN  ProcLaunch cannot use " TENANT ".quota: it must be");
	host_stop_all(host);
}

/* Twice the quota, so many entries a tenant may have, was none. */
static void
a_quota_of_more_profiles_than_there_can_be_permits_some(void **state)
{
	struct host *host = *state;
	char option[PATH_MAX + 16];

	make_tenants(host);
	make_profile(host, TENANT, "web", SERVICE);
	(void)snprintf(option, sizeof(option), "--tenants=%s/tenants", host->root);
	host_start_with(host, option, "--tenant-quota=profiles=2G,output_bytes=999999G", NULL);
	(void)host_wait_running(host, TENANT "/web");
	host_stop_all(host);
}

/* Who may not read his own directory has not removed what is in it. */
static void
a_tenants_directory_that_cannot_be_read_keeps_its_services(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX];
	pid_t web, mail;

	make_tenants(host);
	make_profile(host, TENANT, "web", SERVICE);
	mail = begin_other(host);
	web = host_wait_running(host, TENANT "/web");
	host_path(host, TENANTS TENANT, path, sizeof(path));
	assert_int_equal(chmod(path, 0300), 0);
	make_profile(host, TENANT, "new", SERVICE);
	host_wait_log(host, " WARN  ProcLaunch cannot read " TENANT "/: Permission denied$");
	assert_true(process_lives(web));
	assert_int_equal(host_count_log(host, " " TENANT "/web (disappeared|stopping|died)"), 0);
	assert_int_equal(chmod(path, 0700), 0);
	(void)host_wait_running(host, TENANT "/new");
	assert_true(process_lives(web));
	assert_unharmed(host, mail);
	host_stop_all(host);
}

static void
a_quota_that_cannot_be_meant_is_a_usage_error(void **state)
{
	static const char *const wrong[] = {"nonsense=1", "profiles", "profiles=", "profiles=x",
	    "profiles=1,nonsense=2", "profiles=-1", "profiles=1 2", ",profiles=1",
	    "profiles=4294967297"};
	struct host *host = *state;
	struct outcome outcome;
	char option[64];
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		(void)snprintf(option, sizeof(option), "--tenant-quota=%s", wrong[i]);
		host_run(host, &outcome, "-f", option, host->state, host->profiles, NULL);
		if (outcome.status != 2 || strstr(outcome.error, "--tenant-quota: ") == NULL)
			fail_msg("%s: exit %d, %s", wrong[i], outcome.status, outcome.error);
	}
}

static void
a_tenants_directory_that_others_may_write_to_is_refused_at_the_start(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	char path[PATH_MAX], option[PATH_MAX + 16];

	make_tenants(host);
	host_path(host, "../tenants", path, sizeof(path));
	(void)snprintf(option, sizeof(option), "--tenants=%s", path);
	assert_int_equal(chmod(path, 0777), 0);
	host_run(host, &outcome, "--foreground", option, host->state, host->profiles, NULL);
	assert_int_equal(outcome.status, 1);
	assert_non_null(strstr(outcome.error, "tenants directory: "));
	assert_int_equal(chmod(path, 0755), 0);
	assert_int_equal(chown(path, account_uid(TENANT), (gid_t)-1), 0);
	host_run(host, &outcome, "--foreground", option, host->state, host->profiles, NULL);
	assert_int_equal(outcome.status, 1);
	host_run(host, &outcome, "--foreground", "--tenants=/no/such/folder", host->state,
	    host->profiles, NULL);
	assert_int_equal(outcome.status, 1);
}

static void
status_finds_a_tenants_stale_pid_file(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	uid_t uid = account_uid(TENANT);

	make_tenants(host);
	make_profile(host, TENANT, "web", SERVICE);
	host_write(host, TENANTS TENANT "/web/down", 0644, "%s", "");
	host_write(host, TENANTS TENANT "/web/pid_file", 0644, "%s", "daemon.pid\n");
	host_write(host, TENANTS TENANT "/web/daemon.pid", 0644, "%s", "4242\n");
	host_chown(host, TENANTS TENANT, TENANT);
	start_with_tenants(host);
	wait_until(ctl_as(host, uid, &outcome, "status", TENANT "/web", NULL) == 1);
	host_remove(host, TENANTS TENANT "/web/daemon.pid");
	assert_int_equal(ctl_as(host, uid, &outcome, "status", TENANT "/web", NULL), 3);
	host_stop_all(host);
}

/* Root asks about all profiles at once; what a tenant puts where a pid file may be named must not
 * make that wait. */
static void
status_of_root_is_held_up_by_nothing_that_a_tenant_owns(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	char fifo[PATH_MAX], path[PATH_MAX];
	int server;

	make_tenants(host);
	make_profile(host, TENANT, "web", SERVICE);
	host_write(host, TENANTS TENANT "/web/down", 0644, "%s", "");
	host_path(host, TENANTS TENANT "/web/pid_file", fifo, sizeof(fifo));
	assert_int_equal(mkfifo(fifo, 0644), 0);
	host_chown(host, TENANTS TENANT, TENANT);
	start_with_tenants(host);
	host_wait_log(host, " WARN  " TENANT "/web refused: pid_file: is no plain file");
	assert_int_equal(ctl(host, &outcome, "status", TENANT "/web", NULL), 3);
	/* where his path leads outside of his profile root does not go, but sees what is in it */
	assert_int_equal(unlink(fifo), 0);
	assert_int_equal(mkdir(host_path(host, "../elsewhere", path, sizeof(path)), 0755), 0);
	server = mount_silence(host, "../elsewhere");
	host_write(host, TENANTS TENANT "/web/pid_file", 0644, "%s/daemon.pid\n", path);
	host_chown(host, TENANTS TENANT, TENANT);
	assert_int_equal(ctl(host, &outcome, "status", TENANT "/web", NULL), 3);
	unmount_silence(host, "../elsewhere", server);
	host_write(host, TENANTS TENANT "/web/pid_file", 0644, "daemon.pid\n");
	host_write(host, TENANTS TENANT "/web/daemon.pid", 0644, "4242\n");
	host_chown(host, TENANTS TENANT, TENANT);
	assert_int_equal(ctl(host, &outcome, "status", TENANT "/web", NULL), 1);
	server = mount_silence(host, TENANTS TENANT "/web");
	assert_int_equal(ctl(host, &outcome, "status", TENANT "/web", NULL), 3);
	unmount_silence(host, TENANTS TENANT "/web", server);
	host_stop_all(host);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROOT_TEST(a_tenants_profile_starts_with_the_supervisor_and_runs_as_the_tenant),
	    ROOT_TEST(allow_new_privs_is_for_root_to_grant),
	    ROOT_TEST(a_tenant_or_a_profile_that_comes_or_goes_is_noticed_at_once),
	    ROOT_TEST(what_tenants_run_is_stopped_by_a_supervisor_that_has_no_tenants_any_more),
#ifndef PROCLAUNCH_SANITIZE
	    ROOT_TEST(what_a_survey_finds_and_there_is_no_memory_for_has_not_gone),
#endif
	    ROOT_TEST(after_an_overflow_of_events_tenants_are_watched_again),
	    ROOT_TEST(a_directory_that_is_no_tenants_is_named_once_and_nothing_in_it_starts),
	    ROOT_TEST(the_longest_names_of_a_tenant_and_a_profile_are_whole_everywhere),
	    ROOT_TEST(a_directory_that_is_a_tenants_no_more_takes_its_services_with_it),
	    ROOT_TEST(who_gives_others_a_hand_in_his_directory_has_nobody_else_looked_at),
	    ROOT_TEST(what_takes_the_place_of_a_tenants_directory_is_watched),
	    ROOT_TEST(a_user_file_that_names_another_is_refused_and_ones_own_name_is_not),
	    ROOT_TEST(a_tenant_adds_breaks_mends_watches_and_restarts_a_service_without_root),
	    ROOT_TEST(a_directory_that_changes_without_end_loses_no_service),
	    ROOT_TEST(what_a_tenant_puts_into_his_directory_hurts_him_alone),
	    ROOT_TEST(a_file_system_that_never_answers_keeps_nobody_else_waiting),
	    ROOT_TEST(what_a_user_has_mounted_on_his_file_in_roots_profile_is_not_opened),
	    ROOT_TEST(an_account_that_goes_is_missed_where_the_file_of_accounts_is_a_mount),
	    ROOT_TEST(an_account_that_goes_or_changes_its_uid_takes_its_services_with_it),
	    ROOT_TEST(a_service_whose_owner_has_no_account_any_more_is_ended),
	    ROOT_TEST(an_account_that_has_gone_unnoticed_is_missed_at_the_next_start),
	    ROOT_TEST(an_account_that_has_gone_unnoticed_is_missed_at_a_rescan),
	    ROOT_TEST(what_is_mounted_for_a_tenant_is_watched_like_everything_else),
	    ROOT_TEST(whose_directory_does_not_answer_at_the_start_keeps_his_service),
	    ROOT_TEST(who_stands_in_a_directory_that_cannot_be_listed_has_not_left),
	    ROOT_TEST(who_cannot_be_looked_at_for_want_of_descriptors_has_not_left),
	    ROOT_TEST(profiles_over_the_quota_are_refused_until_it_is_raised),
	    ROOT_TEST(of_a_tenants_odd_names_some_are_reported_at_each_look),
	    ROOT_TEST(what_is_disabled_stays_so_when_it_can_be_looked_at_again),
	    ROOT_TEST(what_has_gone_while_nobody_looked_takes_no_place_of_the_quota),
	    ROOT_TEST(what_has_gone_and_does_not_end_takes_a_place),
	    ROOT_TEST(who_makes_hundreds_of_profiles_more_is_told_once),
	    ROOT_TEST(processes_over_the_quota_are_not_made),
	    ROOT_TEST(from_a_directory_that_is_his_a_tenant_is_handed_no_log),
	    ROOT_TEST(output_stays_within_the_quota),
	    ROOT_TEST(a_line_that_is_longer_than_a_tenants_file_may_be_is_split),
	    ROOT_TEST(restarts_over_the_quota_wait),
	    ROOT_TEST(connections_over_the_quota_are_turned_away),
	    ROOT_TEST(a_quota_of_all_connections_leaves_places_to_root),
	    ROOT_TEST(a_quota_that_cannot_be_used_is_named_and_the_default_holds),
	    ROOT_TEST(a_quota_of_more_profiles_than_there_can_be_permits_some),
	    ROOT_TEST(a_tenants_directory_that_cannot_be_read_keeps_its_services),
	    ROOT_TEST(a_quota_that_cannot_be_meant_is_a_usage_error),
	    ROOT_TEST(a_tenants_directory_that_others_may_write_to_is_refused_at_the_start),
	    ROOT_TEST(status_finds_a_tenants_stale_pid_file),
	    ROOT_TEST(status_of_root_is_held_up_by_nothing_that_a_tenant_owns),
	};

	return cmocka_run_group_tests_name("tenants", tests, NULL, NULL);
}
