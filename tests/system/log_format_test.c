/*
 * What the supervisor's log looks like: proclaunch(8), THE LOG. Other programs read it.
 */
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <regex.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "host.h"

#define TIMESTAMP "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z"
#define LEVEL	  "(FATAL|WARN |INFO |DEBUG)"
#define TAG	  "(ProcLaunch|[A-Za-z0-9_][A-Za-z0-9_.@:+-]{0,63})"
#define BAD_NAME                                                                                   \
	"not a name for a profile: up to 64 letters, digits and _ . @ : + -, the first a letter, " \
	"a digit or _"
#define LINE "^" TIMESTAMP " " LEVEL " " TAG " [^ ][ -~]*$"

/* Waits for the line that says exactly this, its timestamp aside. */
static void __attribute__((format(printf, 2, 3))) expect(struct host *host, const char *format, ...)
{
	char text[512], pattern[1024];
	va_list arguments;
	size_t used = 0, i;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	for (i = 0; text[i] != '\0' && used < sizeof(pattern) - 2; i++) {
		if (strchr(".[]()*+?{}|^$\\", text[i]) != NULL)
			pattern[used++] = '\\';
		pattern[used++] = text[i];
	}
	pattern[used] = '\0';
	host_wait_log(host, "^" TIMESTAMP " %s$", pattern);
}

static void
make_entry(struct host *host, const char *name, mode_t kind)
{
	char path[PATH_MAX];

	host_path(host, name, path, sizeof(path));
	if (S_ISDIR(kind))
		assert_int_equal(mkdir(path, 0755), 0);
	else if (S_ISFIFO(kind))
		assert_int_equal(mkfifo(path, 0600), 0);
	else
		assert_int_equal(symlink("/", path), 0);
}

static void
each_event_of_a_service_has_its_line(void **state)
{
	struct host *host = *state;
	pid_t web, exits;

	host_profile(host, "web", "exec sleep 1000");
	host_write(host, "web/restart", 0644, "%s", "");
	host_profile(host, "exits", "while ! [ -e end ]; do sleep 0.01; done; exit 3");
	host_profile(host, "reloads", "trap : HUP; sleep 1000 & : > ready; while :; do wait; done");
	host_write(host, "reloads/reload", 0644, "%s", "");
	host_start(host);
	expect(host, "INFO  ProcLaunch started pid %d", host->supervisor);
	expect(host, "INFO  web starting");
	web = host_wait_running(host, "web");
	expect(host, "INFO  web running pid %d", web);
	assert_int_equal(kill(web, SIGKILL), 0);
	expect(host, "INFO  web died pid %d signal SIGKILL", web);
	exits = host_wait_running(host, "exits");
	host_write(host, "exits/end", 0644, "%s", "");
	expect(host, "INFO  exits died pid %d exit 3", exits);
	expect(host, "INFO  exits stopped");
	(void)host_wait_running(host, "reloads");
	host_wait_ready(host, "reloads");
	host_touch(host, "reloads/run");
	expect(host, "INFO  reloads reloading");
	host_remove(host, "reloads");
	expect(host, "INFO  reloads disappeared. Stopping and not restarting.");
	expect(host, "INFO  reloads stopping");
	expect(host, "INFO  reloads stopped");
	host_stop_all(host);
	expect(host, "INFO  ProcLaunch received HUP. Stopping all profiles.");
	expect(host, "INFO  web stopping");
	expect(host, "INFO  web stopped");
	expect(host, "INFO  ProcLaunch all profiles stopped. Exiting.");
}

static void
leaving_and_leaving_at_once_have_their_lines(void **state)
{
	struct host *host = *state;

	host_profile(host, "deaf", "trap '' TERM; : > ready; exec sleep 1000");
	host_start(host);
	(void)host_wait_running(host, "deaf");
	host_wait_ready(host, "deaf");
	host_leave(host);
	expect(host, "INFO  ProcLaunch exiting");
	host_start(host);
	assert_int_equal(kill(host->supervisor, SIGHUP), 0);
	expect(host, "INFO  ProcLaunch received HUP. Stopping all profiles.");
	expect(host, "INFO  deaf stopping");
	assert_int_equal(host_signal_and_wait(host, SIGHUP), 111);
	expect(host, "INFO  ProcLaunch received HUP again. Exiting immediately.");
	assert_int_equal(host_count_log(host, "all profiles stopped"), 0);
}

#define BRIEF 40

/* Who reads the log, or what events prints, counts on one line for each state. */
static void
what_ends_at_once_was_running_all_the_same(void **state)
{
	struct host *host = *state;
	char name[32], running[64];
	char *text, *at;
	unsigned i;

	for (i = 0; i < BRIEF; i++) {
		(void)snprintf(name, sizeof(name), "brief-%u", i);
		host_profile(host, name, i % 2 == 0 ? "exit 3" : "kill -9 $$");
	}
	host_start(host);
	wait_until(host_count_log(host, " brief-[0-9]+ stopped$") == BRIEF);
	text = host_log_text(host);
	for (i = 0; i < BRIEF; i++) {
		(void)snprintf(running, sizeof(running), "INFO  brief-%u running pid ", i);
		at = strstr(text, running);
		assert_non_null(at);
		(void)snprintf(running, sizeof(running), "INFO  brief-%u died pid %ld %s\n", i,
		    strtol(at + strlen(running), NULL, 10),
		    i % 2 == 0 ? "exit 3" : "signal SIGKILL");
		assert_non_null(strstr(at, running));
	}
	free(text);
	host_stop_all(host);
}

/* What the kernel does for a call that is not permitted, and what a bug does. */
static void
a_crash_of_ours_is_logged_with_its_signal_and_a_sandbox_violation_as_such(void **state)
{
	static const struct {
		int number;
		const char *level, *said;
	} crashes[] = {
	    {SIGSYS, "FATAL", "SIGSYS: sandbox violation"},
#ifndef PROCLAUNCH_SANITIZE /* AddressSanitizer catches this one, and exits */
	    {SIGSEGV, "WARN ", "SIGSEGV"},
#endif
	    {SIGABRT, "WARN ", "SIGABRT"},
	};
	struct host *host = *state;
	pid_t web, monitor, spawner;
	size_t i;

	host_profile(host, "web", "exec sleep 1000");
	host_start(host);
	web = host_wait_running(host, "web");
	for (i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++) {
		monitor = host_monitor(host);
		assert_int_equal(kill(monitor, crashes[i].number), 0);
		expect(host, "%s ProcLaunch monitor died pid %d signal %s. Starting another.",
		    crashes[i].level, monitor, crashes[i].said);
		spawner = host_spawner(host);
		assert_int_equal(kill(spawner, crashes[i].number), 0);
		expect(host, "%s ProcLaunch spawner died pid %d signal %s. Starting another.",
		    crashes[i].level, spawner, crashes[i].said);
		wait_until(host_monitor(host) != monitor && host_spawner(host) != spawner);
	}
	assert_true(process_lives(web));
	host_stop_all(host);
}

static void
an_end_that_nobody_saw_is_logged_without_a_reason_and_counts_as_a_failure(void **state)
{
	struct host *host = *state;
	pid_t web;

	host_profile(host, "web", "exec sleep 1000");
	host_write(host, "web/restart", 0644, "on-failure\n");
	host_start(host);
	web = host_wait_running(host, "web");
	host_crash_and_inherit(host);
	assert_int_equal(kill(web, SIGKILL), 0);
	assert_int_equal(waitpid(web, NULL, 0), web); /* a zombie could still tell */
	host_mark_log(host);
	host_start(host);
	expect(host, "INFO  web died pid %d", web);
	(void)host_wait_running(host, "web");
	host_stop_all(host);
}

static void
what_a_pid_file_claims_wrongly_is_a_warning_once_for_each_claim(void **state)
{
	struct host *host = *state;

	host_profile(host, "mail", "echo 1 > mail.pid; exec sleep 1000");
	host_write(host, "mail/pid_file", 0644, "mail.pid\n");
	host_start(host);
	expect(host, "WARN  mail refused: pid_file names pid 1, which is not in this profile");
	host_write(host, "mail/mail.pid", 0644, "\033[31m12\n\\x\377");
	expect(host,
	    "WARN  mail refused: pid_file names \"\\x1b[31m12\\x0a\\x5cx\\xff\", which is "
	    "not a pid");
	host_write(host, "mail/mail.pid", 0644, "4194304\n"); /* one more than there can be */
	expect(host, "WARN  mail refused: pid_file names pid 4194304, which does not exist");
	assert_int_equal(host_count_log(host, " mail refused: "), 3);
	assert_int_equal(host_count_log(host, " mail running"), 0);
	host_stop_all(host);
}

static void
use_another_time_zone(void)
{
	(void)setenv("TZ", "Asia/Kathmandu", 1);
	(void)setenv("LC_ALL", "de_DE.UTF-8", 1);
}

/* Each line is in the format; times are in UTC, between these two, and never go back. */
static unsigned
check_lines(struct host *host, time_t began, time_t ended)
{
	char *text = host_log_text(host), *line, *rest = text, last[25] = "", limits[2][25];
	regex_t format;
	unsigned lines = 0;
	struct tm utc;

	(void)strftime(limits[0], 25, "%Y-%m-%dT%H:%M:%S.000Z", gmtime_r(&began, &utc));
	(void)strftime(limits[1], 25, "%Y-%m-%dT%H:%M:%S.999Z", gmtime_r(&ended, &utc));
	assert_int_equal(regcomp(&format, LINE, REG_EXTENDED | REG_NOSUB), 0);
	while ((line = strsep(&rest, "\n")) != NULL && rest != NULL) {
		if (regexec(&format, line, 0, NULL, 0) != 0)
			fail_msg("not in the format: %s", line);
		line[24] = '\0';
		if (strcmp(line, limits[0]) < 0 || strcmp(line, limits[1]) > 0 ||
		    strcmp(line, last) < 0)
			fail_msg("not its time: %s after %s", line, last);
		memcpy(last, line, sizeof(last));
		lines++;
	}
	assert_string_equal(line, ""); /* the last line is whole too */
	regfree(&format);
	free(text);
	return lines;
}

static void
every_line_of_a_varied_run_is_in_the_format_and_in_utc(void **state)
{
	struct host *host = *state;
	time_t began = time(NULL);
	pid_t web, monitor;

	host->before_exec = use_another_time_zone;
	host_profile(host, "web", "exec sleep 1000");
	host_write(host, "web/restart", 0644, "%s", "");
	host_profile(host, "a_name.with-all@that:may+stand0in", "sleep 1000 & exit 7");
	host_profile(host, "daemon", "exec sleep 1000");
	host_write(host, "daemon/pid_file", 0644, "daemon.pid\n");
	host_write(host, "daemon/start_timeout", 0644, "1\n");
	host_profile(host, "broken", "exit 1");
	host_write(host, "broken/restart", 0644, "\033[2Jnever\n");
	host_write(host, "noexec/run", 0755, "no interpreter\n");
	make_entry(host, "link", S_IFLNK);
	make_entry(host, "fifo", S_IFIFO);
	make_entry(host, "bad name", S_IFDIR);
	host_start_with(host, "--debug", NULL);
	web = host_wait_running(host, "web");
	assert_int_equal(kill(web, SIGKILL), 0);
	monitor = host_monitor(host);
	assert_int_equal(kill(monitor, SIGKILL), 0);
	expect(host, "WARN  ProcLaunch monitor died pid %d signal SIGKILL. Starting another.",
	    monitor);
	host_wait_log(host, " WARN  daemon pid_file has named no process");
	host_wait_log(host, " WARN  noexec cannot start: ");
	host_wait_log(host, " WARN  broken refused: ");
	host_remove(host, "web");
	host_wait_log(host, " INFO  web disappeared\\.");
	host_stop_all(host);
	assert_true(check_lines(host, began, time(NULL)) > 25);
	assert_true(host_count_log(host, " DEBUG ") > 0);
}

static void
control_bytes_in_names_are_escaped_and_each_entry_has_one_line(void **state)
{
	struct host *host = *state;
	time_t began = time(NULL);

	make_entry(host, "a\nb\033[31m\177", S_IFDIR);
	make_entry(host, "2026-11-23T03:16:00.131Z INFO  web starting\n", S_IFDIR);
	make_entry(host, "back\\x0aslash", S_IFLNK);
	make_entry(host, "gr\xc3\xbc\xc3\x9f", S_IFIFO);
	host_profile(host, "web", "exec sleep 1000");
	host_start(host);
	(void)host_wait_running(host, "web");
	make_entry(host, "later\r", S_IFDIR);
	expect(host, "WARN  ProcLaunch skipped later\\x0d: " BAD_NAME);
	expect(host, "WARN  ProcLaunch skipped a\\x0ab\\x1b[31m\\x7f: " BAD_NAME);
	expect(host,
	    "WARN  ProcLaunch skipped 2026-11-23T03:16:00.131Z INFO  web starting\\x0a: " BAD_NAME);
	expect(host,
	    "WARN  ProcLaunch skipped back\\x5cx0aslash: a symbolic link is never followed: put "
	    "the directory itself there");
	expect(host,
	    "WARN  ProcLaunch skipped gr\\xc3\\xbc\\xc3\\x9f: neither a directory nor a "
	    "plain file: remove it");
	host_stop_all(host);
	assert_int_equal(host_count_log(host, " skipped "), 5);
	(void)check_lines(host, began, time(NULL));
}

static void
log_level_decides_which_lines_are_written(void **state)
{
	static const struct {
		const char *option;
		bool warn, info, debug;
	} levels[] = {
	    {"--log-level=fatal", false, false, false},
	    {"--log-level=warn", true, false, false},
	    {"--log-level=info", true, true, false},
	    {"--log-level=debug", true, true, true},
	    {"--debug", true, true, true},
	};
	struct host *host = *state;
	size_t i;

	host_profile(host, "web", ": > ready; exec sleep 1000");
	make_entry(host, "link", S_IFLNK);
	for (i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		host_mark_log(host);
		host_start_with(host, levels[i].option, NULL);
		host_stop_all(host);
		assert_int_equal(
		    host_count_log(host, " WARN  ProcLaunch skipped link: ") > 0, levels[i].warn);
		assert_int_equal(host_count_log(host, " INFO  ") > 0, levels[i].info);
		assert_int_equal(host_count_log(host, " DEBUG ") > 0, levels[i].debug);
	}
}

static void
the_log_is_appended_to_and_none_of_others_business(void **state)
{
	struct host *host = *state;
	char option[PATH_MAX];
	struct stat status;

	host_profile(host, "web", "exec sleep 1000");
	host_write(host, "error.log", 0666, "what stood there before\n");
	host_start(host);
	(void)host_wait_running(host, "web");
	host_stop_all(host);
	assert_int_equal(stat(host->log, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0640);
	assert_int_equal(status.st_uid, host->uid);
	assert_int_equal(host_count_log(host, "^what stood there before$"), 1);

	host_mark_log(host);
	(void)snprintf(host->log, sizeof(host->log), "%s/elsewhere.log", host->root);
	(void)snprintf(option, sizeof(option), "--log-path=%s", host->log);
	host_mark_log(host);
	host_start_with(host, option, NULL);
	(void)host_wait_running(host, "web");
	host_stop_all(host);
	assert_int_equal(stat(host->log, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0640);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROOT_TEST(each_event_of_a_service_has_its_line),
	    ROOT_TEST(leaving_and_leaving_at_once_have_their_lines),
	    ROOT_TEST(what_ends_at_once_was_running_all_the_same),
	    SESSIONS_TEST(what_ends_at_once_was_running_all_the_same),
	    ROOT_TEST(a_crash_of_ours_is_logged_with_its_signal_and_a_sandbox_violation_as_such),
	    TENANT_TEST(a_crash_of_ours_is_logged_with_its_signal_and_a_sandbox_violation_as_such),
	    ROOT_TEST(an_end_that_nobody_saw_is_logged_without_a_reason_and_counts_as_a_failure),
	    TENANT_TEST(an_end_that_nobody_saw_is_logged_without_a_reason_and_counts_as_a_failure),
	    ROOT_TEST(what_a_pid_file_claims_wrongly_is_a_warning_once_for_each_claim),
	    TENANT_TEST(what_a_pid_file_claims_wrongly_is_a_warning_once_for_each_claim),
	    ROOT_TEST(every_line_of_a_varied_run_is_in_the_format_and_in_utc),
	    TENANT_TEST(every_line_of_a_varied_run_is_in_the_format_and_in_utc),
	    ROOT_TEST(control_bytes_in_names_are_escaped_and_each_entry_has_one_line),
	    ROOT_TEST(log_level_decides_which_lines_are_written),
	    ROOT_TEST(the_log_is_appended_to_and_none_of_others_business),
	    TENANT_TEST(the_log_is_appended_to_and_none_of_others_business),
	};

	return cmocka_run_group_tests_name("log format", tests, NULL, NULL);
}
