/*
 * Bad input of every kind: on the command line, in the directories, in every file of a profile.
 * Each gets a clear answer, nothing is started on its account, and nothing else is harmed.
 */
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>

#include <errno.h>
#include <fcntl.h>
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

#include "build.h"
#include "host.h"

/* Stands in bad content and must not be found in the log. */
#define CANARY "s3cret"

static const char *
in_root(const struct host *host, const char *name, char *path)
{
	(void)snprintf(path, PATH_MAX, "%s/%s", host->root, name);
	return path;
}

static void
give_to(const char *path, const char *account)
{
	assert_int_equal(lchown(path, account_uid(account), account_gid(account)), 0);
}

/* A directory of the host's user, of exactly this mode. */
static void
make_directory(const struct host *host, const char *path, mode_t mode)
{
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(chmod(path, mode), 0);
	assert_int_equal(lchown(path, host->uid, (gid_t)-1), 0);
}

static void
make_file(const char *path, mode_t mode)
{
	int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_true(file != -1);
	assert_int_equal(fchmod(file, mode), 0);
	assert_int_equal(close(file), 0);
}

/* An ACL that lets OTHER_TENANT write: acl(5) in the form that the kernel takes on this machine.
 * False where the file system has none. */
static bool
let_another_write(const char *path)
{
	struct {
		uint32_t version;
		struct {
			uint16_t tag, permissions;
			uint32_t id;
		} entries[5];
	} acl = {2,
	    {{0x01, 7, UINT32_MAX}, {0x02, 7, account_uid(OTHER_TENANT)}, {0x04, 5, UINT32_MAX},
		{0x10, 7, UINT32_MAX}, {0x20, 5, UINT32_MAX}}};

	return setxattr(path, "system.posix_acl_access", &acl, sizeof(acl), 0) == 0;
}

/*
 * The command line. S and P stand for the directories.
 */
static const char *
argument_for(const struct host *host, const char *word)
{
	if (word == NULL)
		return NULL;
	if (strcmp(word, "S") == 0)
		return host->state;
	return strcmp(word, "P") == 0 ? host->profiles : word;
}

#define WORDS_MAX 5
static void
run_words(const struct host *host, struct outcome *outcome, const char *const words[WORDS_MAX])
{
	const char *arguments[WORDS_MAX];
	size_t i;

	for (i = 0; i < WORDS_MAX; i++)
		arguments[i] = argument_for(host, words[i]);
	host_run(host, outcome, arguments[0], arguments[1], arguments[2], arguments[3],
	    arguments[4], NULL);
}

static void
wrong_usage_is_told_on_standard_error_with_exit_status_2(void **state)
{
	static const char *const wrong[][WORDS_MAX] = {
	    {NULL},
	    {"S", NULL},
	    {"S", "P", "more", NULL},
	    {"--nonsense", "S", "P", NULL},
	    {"-x", "S", "P", NULL},
	    {"--foreground=yes", "S", "P", NULL},
	    {"--log-level=loud", "S", "P", NULL},
	    {"--log-level=", "S", "P", NULL},
	    {"--rescan=0", "S", "P", NULL},
	    {"--rescan=-1", "S", "P", NULL},
	    {"--rescan=1s", "S", "P", NULL},
	    {"--rescan= 1", "S", "P", NULL},
	    {"--rescan=86401", "S", "P", NULL},
	    {"--rescan=99999999999999999999", "S", "P", NULL},
	    {"--rescan=", "S", "P", NULL},
	    {"--log-path=", "S", "P", NULL},
	    {"--log-path", "", "S", "P", NULL},
	    {"--log-path=-", "S", "P", NULL}, /* nobody would ever read it */
	    {"--log-rotate=", "S", "P", NULL},
	    {"--output-dir=", "S", "P", NULL},
	    {"--tenants=", "S", "P", NULL},
	    {"--tenant-quota=", "S", "P", NULL},
	    {"--tenant-quota=clients=1,", "S", "P", NULL},
	    {"--tenant-quota=,clients=1", "S", "P", NULL},
	    {"--tenant-quota=clients=1,,profiles=1", "S", "P", NULL},
	    {"--monitor-user=", "S", "P", NULL},
	    {"", "P", NULL},
	    {"S", "", NULL},
	    {"--check", "", NULL},
	    {"S", "P", "--log-path", NULL},
	    {"S", "P", "--monitor-user", NULL},
	    {"--check", NULL},
	    {"--check", "S", "P", NULL},
	    {"--version", "S", NULL},
	    {"--version", "S", "P", NULL},
	    {"--version", "--nonsense", NULL},
	};
	struct host *host = *state;
	struct outcome outcome;
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		run_words(host, &outcome, wrong[i]);
		if (outcome.status != 2 || strstr(outcome.error, "usage: proclaunch ") == NULL)
			fail_msg("case %zu: exit status %d: %s", i, outcome.status, outcome.error);
		assert_string_equal(outcome.output, "");
	}
	assert_int_equal(access(host->state, F_OK), -1);
	host_wait_deserted(host);
}

/* What is accepted here does not start either, for want of a log. */
static void
no_directory_of_ours_is_taken_for_a_profile(void **state)
{
	static const struct {
		const char *tenants, *state, *profiles; /* in the host's directory */
		bool accepted;
	} cases[] = {
	    {"tenants", "profiles", "profiles", false},
	    {"tenants", "profiles/", "profiles", false},
	    {"tenants", "profiles", "profiles//", false},
	    {"tenants", "profiles/state", "profiles", false},
	    {"tenants", "profiles/state", "profiles/", false},
	    {"tenants", "profiles//web/state", "profiles", false},
	    {"tenants", "tenants", "profiles", false},
	    {"tenants", "tenants/state", "profiles", false},
	    {"profiles", "state", "profiles", false},
	    {"profiles/tenants", "state", "profiles", false},
	    {"tenants", "state", "tenants/profiles", false},
	    {"tenants", "profiles/.state", "profiles", true},
	    {"tenants", "tenants//.state", "profiles", true},
	    {"profiles/.tenants", "state", "profiles", true},
	    {"tenants", "profiles-state", "profiles", true},
	    {"state/tenants", "state", "state/profiles", true},
	};
	struct host *host = *state;
	char directory[PATH_MAX], profiles[PATH_MAX], option[PATH_MAX];
	struct outcome outcome;
	bool refused;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(directory, sizeof(directory), "%s/%s", host->root, cases[i].state);
		(void)snprintf(profiles, sizeof(profiles), "%s/%s", host->root, cases[i].profiles);
		(void)snprintf(
		    option, sizeof(option), "--tenants=%s/%s", host->root, cases[i].tenants);
		host_run(host, &outcome, option, directory, profiles, "--log-path=/", NULL);
		refused = strstr(outcome.error,
			      " stand in it, where it would be taken for a profile\n") != NULL;
		if (refused == cases[i].accepted || outcome.status != (cases[i].accepted ? 1 : 2))
			fail_msg("case %zu: exit status %d: %s", i, outcome.status, outcome.error);
	}
}

/* While one runs, a second start says nothing and exits 0 when it has understood its options. */
static void
every_form_of_every_option_is_understood(void **state)
{
	static const char *const right[][WORDS_MAX] = {
	    {"S", "P", NULL},
	    {"-f", "S", "P", NULL},
	    {"--foreground", "S", "P", NULL},
	    {"-D", "S", "P", NULL},
	    {"--debug", "S", "P", NULL},
	    {"-fD", "S", "P", NULL},
	    {"S", "P", "-f", NULL},
	    {"--", "S", "P", NULL},
	    {"--log-level=fatal", "S", "P", NULL},
	    {"--log-level=warn", "S", "P", NULL},
	    {"--log-level=info", "S", "P", NULL},
	    {"--log-level=debug", "S", "P", NULL},
	    {"--log-level", "info", "S", "P", NULL},
	    {"--log-path=/tmp/log", "S", "P", NULL},
	    {"--log-path", "/tmp/log", "S", "P", NULL},
	    {"-f", "--log-path=-", "S", "P", NULL},
	    {"--monitor-user=" TENANT, "S", "P", NULL},
	    {"--monitor-user", TENANT, "S", "P", NULL},
	    {"--no-root", "S", "P", NULL},
	    {"--rescan=1", "S", "P", NULL},
	    {"--rescan=86400", "S", "P", NULL},
	    {"--rescan", "60", "S", "P", NULL},
	};
	struct host *host = *state;
	struct outcome outcome;
	size_t i;

	host_start(host);
	for (i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
		run_words(host, &outcome, right[i]);
		if (outcome.status != 0 || outcome.output[0] != '\0' || outcome.error[0] != '\0')
			fail_msg("case %zu: exit status %d: %s%s", i, outcome.status,
			    outcome.output, outcome.error);
	}
	host_stop_all(host);
}

static void
version_and_help_are_printed_and_nothing_is_started(void **state)
{
	struct host *host = *state;
	struct outcome outcome;

	host_run(host, &outcome, "--version", NULL);
	assert_int_equal(outcome.status, 0);
	assert_string_equal(outcome.output, BUILD_LINE);
	assert_string_equal(outcome.error, "");
	host_run(host, &outcome, "--help", NULL);
	assert_int_equal(outcome.status, 0);
	assert_memory_equal(outcome.output, "usage: proclaunch ", strlen("usage: proclaunch "));
	assert_string_equal(outcome.error, "");
}

static int captured_error = -1;

static void
capture_error(void)
{
	(void)dup2(captured_error, STDERR_FILENO);
}

static void
log_path_minus_writes_the_log_to_standard_error(void **state)
{
	struct host *host = *state;
	char default_log[PATH_MAX];

	(void)snprintf(default_log, sizeof(default_log), "%s", host->log);
	(void)snprintf(host->log, sizeof(host->log), "%s/captured", host->root);
	captured_error = open(host->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	assert_true(captured_error != -1);
	host->before_exec = capture_error;
	host_profile(host, "web", "exec sleep 1000");
	host_start_with(host, "--log-path=-", NULL);
	(void)host_wait_running(host, "web");
	host_stop_all(host);
	assert_int_equal(close(captured_error), 0);
	assert_int_equal(host_count_log(host, " all profiles stopped\\. Exiting\\.$"), 1);
	assert_int_equal(access(default_log, F_OK), -1);
}

static void
standard_error_that_was_deleted_is_written_on(void **state)
{
	struct host *host = *state;

	(void)snprintf(host->log, sizeof(host->log), "%s/captured", host->root);
	captured_error = open(host->log, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	assert_true(captured_error != -1);
	host->before_exec = capture_error;
	host_profile(host, "web", "exec sleep 1000");
	host_start_with(host, "--log-path=-", NULL);
	(void)host_wait_running(host, "web");
	assert_int_equal(unlink(host->log), 0);
	(void)snprintf(host->log, sizeof(host->log), "/proc/self/fd/%d", captured_error);
	host_mark_log(host);
	host_touch(host, "web/run");
	(void)host_wait_running(host, "web");
	host_stop_all(host);
	assert_int_equal(close(captured_error), 0);
}

/* Nothing can be written to it any more: nobody waits for that, and nobody tries without end. */
static void
a_terminal_that_has_gone_holds_up_nothing(void **state)
{
	struct host *host = *state;
	struct deadline deadline;
	char path[64];
	int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	pid_t pid;

	assert_true(terminal != -1 && grantpt(terminal) == 0 && unlockpt(terminal) == 0);
	assert_int_equal(ptsname_r(terminal, path, sizeof(path)), 0);
	captured_error = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(captured_error != -1);
	host->before_exec = capture_error;
	host_profile(host, "web", "echo $$ > pid; exec sleep 1000");
	host_start_with(host, "--log-path=-", NULL);
	pid = wait_for_pid_file(host_path(host, "web/pid", (char[PATH_MAX]){""}, PATH_MAX));
	assert_int_equal(close(captured_error) | close(terminal), 0);
	host_touch(host, "web/run");
	process_wait_gone(pid);
	deadline = deadline_in(SOON / 2); /* a monitor that does not answer is killed after SOON */
	assert_int_equal(host_signal_and_wait(host, SIGHUP), 111);
	assert_true(deadline_left(&deadline) > 0);
}

/* Such as tee(1) that was stopped: supervision goes on, and so does the log when it is read again.
 */
static void
stop_reading(struct host *host, const int *ends)
{
	char path[PATH_MAX], text[65536];
	struct deadline deadline;
	FILE *captured;
	pid_t pid;

	captured_error = ends[1];
	memset(text, '\n', sizeof(text));
	assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
	while (write(ends[1], text, 4096) > 0)
		;
	assert_int_equal(errno, EAGAIN); /* it is full */
	assert_int_equal(fcntl(ends[1], F_SETFL, 0), 0);
	host->before_exec = capture_error;
	host_profile(host, "web", "echo $$ > pid; exec sleep 1000");
	host_write(host, "web/restart", 0644, "%s", "");
	host_start_with(host, "--log-path=-", NULL);
	pid = wait_for_pid_file(host_path(host, "web/pid", path, sizeof(path)));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
	pid = wait_for_pid_file(path);
	deadline = deadline_in(SOON);
	(void)snprintf(host->log, sizeof(host->log), "%s/captured", host->root);
	captured = fopen(host->log, "we");
	assert_non_null(captured);
	assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	while (host_count_log(host, " web running pid %d$", pid) == 0) {
		ssize_t length = read(ends[0], text, sizeof(text));

		if (length > 0)
			assert_int_equal(fwrite(text, 1, (size_t)length, captured), length);
		assert_int_equal(fflush(captured), 0);
		deadline_pause(&deadline, "the log", __FILE__, __LINE__);
	}
	/* one that does not answer is killed */
	assert_int_equal(host_count_log(host, " (monitor|spawner) "), 0);
	assert_int_equal(host_count_log(host, " web died pid [0-9]+ signal SIGKILL$"), 1);
	host_stop_all(host);
	assert_int_equal(fclose(captured) | close(ends[0]) | close(ends[1]), 0);
}

static void
a_reader_of_the_log_who_stops_reading_holds_up_nothing(void **state)
{
	struct host *host = *state;
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	stop_reading(host, ends);
}

/* Nobody can open it anew, as little as a pipe of somebody else. */
static void
a_reader_of_the_log_who_stops_reading_a_socket_holds_up_nothing(void **state)
{
	struct host *host = *state;
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	stop_reading(host, ends);
}

static void
a_reader_of_the_log_who_stops_reading_somebody_elses_pipe_holds_up_nothing(void **state)
{
	struct host *host = *state;
	int ends[2];

	assert_int_equal(setfsuid(account_uid(OTHER_TENANT)), 0);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	(void)setfsuid(0);
	stop_reading(host, ends);
}

static void
the_monitor_runs_as_the_user_that_is_named_and_never_as_root(void **state)
{
	struct host *host = *state;
	struct outcome outcome;

	host_start_with(host, "--monitor-user=" OTHER_TENANT, NULL);
	assert_int_equal(process_uid(host_monitor(host)), account_uid(OTHER_TENANT));
	host_stop_all(host);
	host_run(host, &outcome, "--monitor-user=root", host->state, host->profiles, NULL);
	assert_int_equal(outcome.status, 1);
	assert_non_null(strstr(outcome.error, "the monitor may not run as root"));
	host_run(host, &outcome, "--monitor-user=no.such", host->state, host->profiles, NULL);
	assert_int_equal(outcome.status, 1);
	assert_non_null(strstr(outcome.error, "--monitor-user=no.such: no such account"));
	host_wait_deserted(host);
}

/*
 * Directories. What is refused is named in one line, and nothing stays.
 */
static void
assert_refused(
    const struct host *host, const struct outcome *outcome, const char *path, const char *reason)
{
	const char *newline = strchr(outcome->error, '\n');

	if (outcome->status != 1 || strstr(outcome->error, path) == NULL ||
	    strstr(outcome->error, reason) == NULL || newline == NULL || newline[1] != '\0')
		fail_msg("%s was not refused because it \"%s\", but the exit status was %d and the "
			 "message \"%s\"",
		    path, reason, outcome->status, outcome->error);
	assert_string_equal(outcome->output, "");
	host_wait_deserted(host);
}

static void
assert_state_refused(const struct host *host, const char *path, const char *reason)
{
	struct outcome outcome;
	char lock[PATH_MAX + 8];

	host_run(host, &outcome, path, host->profiles, NULL);
	assert_refused(host, &outcome, path, reason);
	(void)snprintf(lock, sizeof(lock), "%s/lock", path);
	assert_int_equal(access(lock, F_OK), -1);
}

/* STATE below `above`, which is refused, would be `made`. */
static void
assert_state_not_made(
    const struct host *host, const char *above, const char *made, const char *reason)
{
	struct outcome outcome;
	char culprit[PATH_MAX], path[PATH_MAX + 8];

	(void)snprintf(path, sizeof(path), "%s/state/", in_root(host, above, culprit));
	host_run(host, &outcome, path, host->profiles, NULL);
	assert_refused(host, &outcome, culprit, reason);
	assert_int_equal(access(in_root(host, made, culprit), F_OK), -1);
}

static void
assert_profiles_refused(const struct host *host, const char *path, const char *reason)
{
	struct outcome outcome;

	host_run(host, &outcome, host->state, path, NULL);
	assert_refused(host, &outcome, path, reason);
}

static void
a_state_directory_that_others_have_a_hand_in_is_refused(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX], below[PATH_MAX], target[PATH_MAX];

	make_directory(host, in_root(host, "world", path), 0777);
	assert_state_refused(host, path, "may be written to by others");
	make_directory(host, in_root(host, "group", path), 0775);
	assert_state_refused(host, path, "may be written to by others");
	make_directory(host, in_root(host, "sticky", path), 01777);
	assert_state_refused(host, path, "may be written to by others");
	make_directory(host, in_root(host, "foreign", path), 0755);
	give_to(path, OTHER_TENANT);
	assert_state_refused(host, path, "belongs to somebody else");
	make_directory(host, in_root(host, "target", target), 0755);
	assert_int_equal(symlink(target, in_root(host, "link", path)), 0);
	assert_state_refused(host, path, "is a symbolic link");
	make_file(in_root(host, "file", path), 0644);
	assert_state_refused(host, path, "Not a directory");

	/* nor is it made before what is above has been looked at */
	assert_state_not_made(host, "missing", "missing", "No such file");
	assert_state_not_made(host, "link", "target/state", "is a symbolic link");
	assert_state_not_made(host, "foreign", "foreign/state", "belongs to somebody else");
	assert_state_not_made(host, "world", "world/state", "may be written to by others");

	/* whoever may write to what is above may put another in its place */
	make_directory(host, in_root(host, "open", path), 0777);
	make_directory(host, in_root(host, "open/state", below), 0711);
	assert_state_refused(host, path, "may be written to by others");
	make_directory(host, in_root(host, "theirs", path), 0755);
	make_directory(host, in_root(host, "theirs/state", below), 0711);
	give_to(path, OTHER_TENANT);
	assert_state_refused(host, path, "belongs to somebody else");
	make_directory(host, in_root(host, "acl", path), 0755);
	if (let_another_write(path))
		assert_state_refused(host, path, "may be written to by others");
}

static void
an_ordinary_user_needs_a_state_directory_of_their_own(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX];

	make_directory(host, in_root(host, "roots", path), 0755);
	give_to(path, "root");
	assert_state_refused(host, path, "belongs to uid 0");
}

static void
the_state_directory_is_made_when_it_is_missing_and_gives_nothing_away(void **state)
{
	static const struct {
		const char *name;
		mode_t mode;
	} made[] = {{"", 0711}, {"/lock", 0600}, {"/ledger", 0600}, {"/lines", 0600},
	    {"/proclaunch.pid", 0644}, {"/control", 0666}, {"/empty", 0555}, {"/fifo", 0700},
	    {"/output", 0750}, {"/enabled", 0700}, {"/disabled", 0700}};
	struct host *host = *state;
	struct stat status;
	char path[PATH_MAX];
	size_t i;

	host_start(host);
	for (i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", host->state, made[i].name);
		assert_int_equal(lstat(path, &status), 0);
		assert_int_equal(status.st_mode & 07777, made[i].mode);
		assert_int_equal(status.st_uid, host->uid);
	}
	host_stop_all(host);
}

static void
a_profiles_directory_that_others_have_a_hand_in_is_refused(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX], below[PATH_MAX];

	assert_profiles_refused(host, in_root(host, "missing", path), "No such file");
	make_directory(host, in_root(host, "world", path), 0777);
	assert_profiles_refused(host, path, "may be written to by others");
	make_directory(host, in_root(host, "group", path), 0775);
	assert_profiles_refused(host, path, "may be written to by others");
	make_directory(host, in_root(host, "foreign", path), 0755);
	give_to(path, OTHER_TENANT);
	assert_profiles_refused(host, path, "belongs to somebody else");
	assert_int_equal(symlink(host->profiles, in_root(host, "link", path)), 0);
	assert_profiles_refused(host, path, "is a symbolic link");
	make_file(in_root(host, "file", path), 0644);
	assert_profiles_refused(host, path, "Not a directory");
	make_directory(host, in_root(host, "open", path), 0777);
	make_directory(host, in_root(host, "open/profiles", below), 0755);
	assert_profiles_refused(host, path, "may be written to by others");
	make_directory(host, in_root(host, "acl", path), 0755);
	if (let_another_write(path))
		assert_profiles_refused(host, path, "may be written to by others");
}

static void
a_profiles_directory_that_cannot_be_read_is_refused(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX];

	make_directory(host, in_root(host, "closed", path), 0700);
	give_to(path, "root");
	assert_profiles_refused(host, path, "Permission denied");
}

static void
assert_log_refused(const struct host *host, const char *path, const char *reason)
{
	struct outcome outcome;
	char option[PATH_MAX + 16];

	(void)snprintf(option, sizeof(option), "--log-path=%s", path);
	host_run(host, &outcome, option, host->state, host->profiles, NULL);
	assert_refused(host, &outcome, host->root, reason);
}

static void
a_log_in_a_bad_place_is_refused(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX], other[PATH_MAX];

	assert_log_refused(host, in_root(host, "missing/log", path), "No such file");
	make_directory(host, in_root(host, "directory", path), 0755);
	assert_log_refused(host, path, "Is a directory");
	make_file(in_root(host, "target", other), 0644);
	assert_int_equal(symlink(other, in_root(host, "link", path)), 0);
	assert_log_refused(host, path, "symbolic link");
	assert_int_equal(lchown(other, host->uid, (gid_t)-1), 0);
	assert_int_equal(link(other, in_root(host, "second", path)), 0);
	assert_log_refused(
	    host, path, ", mode 0640, with no other name: Operation not permitted\n");
	assert_int_equal(mkfifo(in_root(host, "fifo", path), 0600), 0);
	assert_int_equal(lchown(path, host->uid, (gid_t)-1), 0);
	assert_log_refused(host, path, "");
	make_directory(host, in_root(host, "open", other), 0777);
	assert_log_refused(host, in_root(host, "open/log", path), "may be written to by others");
	assert_int_equal(access(path, F_OK), -1);
	if (host->uid != 0)
		return;
	make_file(in_root(host, "foreign", path), 0644);
	give_to(path, OTHER_TENANT);
	assert_log_refused(host, path, "Operation not permitted");
}

/*
 * The files of a profile.
 */
static const struct bad_content {
	const char *setting;
	const char *content;
} bad_contents[] = {
    {"restart", CANARY},
    {"restart", "0"},
    {"restart", "Always"},
    {"restart", "always\nalways\n"},
    {"restart", "on-failure " CANARY},
    {"stop_signal", ""},
    {"stop_signal", "\n"},
    {"stop_signal", CANARY},
    {"stop_signal", "0"},
    {"stop_signal", "-9"},
    {"stop_signal", "65"},
    {"stop_signal", "SEGV"},
    {"stop_signal", "TERM KILL"},
    {"stop_signal", "RTMAX+1"},
    {"reload", CANARY},
    {"reload", "0"},
    {"reload", "SIGSIGHUP"},
    {"pid_file", ""},
    {"pid_file", " \n"},
    {"pid_file", CANARY "\nother.pid\n"},
    {"pid_file", CANARY "\033.pid"},
    {"start_timeout", ""},
    {"start_timeout", "0"},
    {"start_timeout", "-1"},
    {"start_timeout", "+1"},
    {"start_timeout", "1.5"},
    {"start_timeout", "0x10"},
    {"start_timeout", "86401"},
    {"start_timeout", "4294967297"},
    {"start_timeout", "99999999999999999999999"},
    {"start_timeout", CANARY},
    {"stop_timeout", ""},
    {"stop_timeout", "0"},
    {"stop_timeout", "10 " CANARY},
    {"stop_timeout", "4294967297"},
    {"kill_mode", ""},
    {"kill_mode", "Group"},
    {"kill_mode", CANARY},
    {"user", ""},
    {"user", "\n"},
    {"user", "0"},
    {"user", "5"},
    {"user", CANARY},
    {"user", TENANT " "},
    {"user", TENANT "\n\n"},
    {"user", TENANT "\n" CANARY},
    {"user", " " TENANT},
    {"user", "GAMES"},
};
#define BAD_CONTENTS (sizeof(bad_contents) / sizeof(bad_contents[0]))

static void
each_bad_content_refuses_its_profile_whole_and_no_other(void **state)
{
	struct host *host = *state;
	char name[64], path[128], *log;
	size_t i;
	pid_t web;

	host_profile(host, "web", "exec sleep 1000");
	for (i = 0; i < BAD_CONTENTS; i++) {
		(void)snprintf(name, sizeof(name), "bad-%zu", i);
		host_profile(host, name, "exec sleep 1000");
		(void)snprintf(path, sizeof(path), "%s/%s", name, bad_contents[i].setting);
		host_write(host, path, 0644, "%s", bad_contents[i].content);
	}
	host_start(host);
	web = host_wait_running(host, "web");
	for (i = 0; i < BAD_CONTENTS; i++)
		host_wait_log(host, " WARN  bad-%zu refused: %s: ", i, bad_contents[i].setting);
	assert_true(process_lives(web));
	host_stop_all(host);
	for (i = 0; i < BAD_CONTENTS; i++) /* that line and no other */
		assert_int_equal(host_count_log(host, " bad-%zu ", i), 1);
	log = host_log_text(host);
	assert_null(strstr(log, CANARY));
	free(log);
}

static void
write_bytes(struct host *host, const char *path, const char *bytes, size_t length)
{
	char full[PATH_MAX];
	int file;

	host_write(host, path, 0644, "%s", "");
	file = open(host_path(host, path, full, sizeof(full)), O_WRONLY | O_CLOEXEC);
	assert_true(file != -1);
	assert_int_equal(write(file, bytes, length), length);
	assert_int_equal(close(file), 0);
}

static void
files_are_bounded_and_a_byte_0_ends_nothing(void **state)
{
	static const char zero[] = "always\0" CANARY;
	struct host *host = *state;
	char large[4097], *log;

	memset(large, ' ', sizeof(large));
	memcpy(large, "always", 6);
	host_profile(host, "zero", "exec sleep 1000");
	write_bytes(host, "zero/restart", zero, sizeof(zero) - 1);
	host_profile(host, "zero-user", "exec sleep 1000");
	write_bytes(host, "zero-user/user", TENANT "\0" CANARY, sizeof(TENANT CANARY));
	host_profile(host, "large", "exec sleep 1000");
	write_bytes(host, "large/restart", large, 4097);
	host_profile(host, "just-right", "exec sleep 1000");
	write_bytes(host, "just-right/restart", large, 4096);
	host_start(host);
	host_wait_log(host, " WARN  zero refused: restart: ");
	host_wait_log(host, " WARN  zero-user refused: user: ");
	host_wait_log(
	    host, " WARN  large refused: restart: is larger than 4096 bytes: shorten it$");
	(void)host_wait_running(host, "just-right");
	host_stop_all(host);
	assert_int_equal(host_count_log(host, " (large|zero|zero-user) "), 3);
	log = host_log_text(host);
	assert_null(strstr(log, CANARY));
	free(log);
}

static void
make_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_not_equal(listener, -1);
	assert_true((size_t)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path) <
	    sizeof(address.sun_path));
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(close(listener), 0);
	assert_int_equal(chmod(path, 0755), 0);
}

/* Every file that means something, as something that is no plain file. */
static void
what_is_no_plain_file_is_not_opened_as_one(void **state)
{
	static const char *const settings[] = {"run", "user", "pid_file", "allow_new_privs",
	    "restart", "stop_signal", "reload", "down", "start_timeout", "stop_timeout",
	    "kill_mode"};
	static const char *const kinds[] = {"fifo", "link", "dangling", "directory", "socket"};
	static const size_t count =
	    sizeof(kinds) / sizeof(kinds[0]) * sizeof(settings) / sizeof(settings[0]);
	struct host *host = *state;
	char name[64], path[128], full[PATH_MAX];
	size_t i, kind;

	host_profile(host, "web", "exec sleep 1000");
	for (i = 0; i < count; i++) {
		kind = i % 5;
		(void)snprintf(name, sizeof(name), "%s-%s", settings[i / 5], kinds[kind]);
		host_profile(host, name, "exec sleep 1000");
		(void)snprintf(path, sizeof(path), "%s/%s", name, settings[i / 5]);
		host_path(host, path, full, sizeof(full));
		if (i / 5 == 0)
			assert_int_equal(unlink(full), 0);
		if (kind == 0)
			assert_int_equal(mkfifo(full, 0600), 0);
		else if (kind == 3)
			assert_int_equal(mkdir(full, 0755), 0);
		else if (kind == 4)
			make_socket(full);
		else
			assert_int_equal(symlink(kind == 1 ? "/bin/true" : "/nowhere", full), 0);
		assert_int_equal(lchown(full, host->uid, (gid_t)-1), 0);
	}
	host_start(host);
	(void)host_wait_running(host, "web");
	for (i = 0; i < count; i++)
		host_wait_log(host, " WARN  %s-%s refused: %s: is (a link|no plain file)",
		    settings[i / 5], kinds[i % 5], settings[i / 5]);
	host_stop_all(host);
	assert_int_equal(host_count_log(host, " (starting|running)"), 2); /* web's */
	assert_int_equal(host_count_log(host, " WARN  [^P]"), count); /* ProcLaunch: no cgroups */
}

static void
a_file_that_cannot_be_read_refuses_its_profile(void **state)
{
	struct host *host = *state;

	host_profile(host, "web", "exec sleep 1000");
	host_profile(host, "closed", "exec sleep 1000");
	host_write(host, "closed/restart", 0000, "%s", "");
	host_start(host);
	host_wait_log(host, " WARN  closed refused: restart: cannot be read: Permission denied$");
	(void)host_wait_running(host, "web");
	host_stop_all(host);
	assert_int_equal(host_count_log(host, " closed "), 1);
}

static void
what_an_editor_adds_to_good_content_does_no_harm(void **state)
{
	static const struct bad_content good[] = {
	    {"restart", "always \r\n"},
	    {"restart", "\n"},
	    {"stop_signal", "sigusr1\n"},
	    {"stop_signal", "Term"},
	    {"stop_signal", "RTMIN+3\n"},
	    {"stop_signal", "10\t\n"},
	    {"reload", "\n\n"},
	    {"start_timeout", "86400\n"},
	    {"stop_timeout", "007\n"},
	    {"kill_mode", "process\r\n"},
	    {"user", TENANT},
	    {"user", TENANT "\n"},
	    {"down.orig", CANARY},
	    {"README", CANARY},
	};
	struct host *host = *state;
	char name[64], path[128];
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		(void)snprintf(name, sizeof(name), "good-%zu", i);
		host_profile(host, name, "exec sleep 1000");
		(void)snprintf(path, sizeof(path), "%s/%s", name, good[i].setting);
		host_write(host, path, 0644, "%s", good[i].content);
	}
	host_start(host);
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		(void)snprintf(name, sizeof(name), "good-%zu", i);
		(void)host_wait_running(host, name);
	}
	assert_int_equal(host_count_log(host, " WARN  good-"), 0);
	host_stop_all(host);
}

/*
 * Entries of the profiles directory.
 */
static void
entries_that_are_no_profiles_have_one_line_each_or_none(void **state)
{
	static const char *const skipped[] = {"bad name", "-dash", "%percent", "~tilde", "a/..b",
	    "newline\n", "with\033escape",
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	static const char *const silent[] = {".hidden", "..twice", ".\n"};
	static const char longest[] =
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	struct host *host = *state;
	char path[PATH_MAX];
	unsigned lines = 0;
	size_t i;

	for (i = 0; i < sizeof(skipped) / sizeof(skipped[0]); i++) {
		if (strchr(skipped[i], '/') != NULL)
			continue;
		make_directory(host, host_path(host, skipped[i], path, sizeof(path)), 0755);
		lines++;
	}
	for (i = 0; i < sizeof(silent) / sizeof(silent[0]); i++)
		make_directory(host, host_path(host, silent[i], path, sizeof(path)), 0755);
	host_profile(host, longest, "exec sleep 1000");
	assert_int_equal(symlink(host_path(host, longest, path, sizeof(path)),
			     host_path(host, "link", (char[PATH_MAX]){""}, PATH_MAX)),
	    0);
	assert_int_equal(mkfifo(host_path(host, "fifo", path, sizeof(path)), 0600), 0);
	lines += 2;
	assert_int_equal(symlink("/", host_path(host, ".link", path, sizeof(path))), 0);
	make_file(host_path(host, "plain file\n", path, sizeof(path)), 0644);
	make_file(host_path(host, "notes", path, sizeof(path)), 0600);
	host_start_with(host, "--rescan=1", NULL);
	(void)host_wait_running(host, longest);
	host_wait_log(host, " WARN  ProcLaunch skipped link: a symbolic link is never followed: ");
	host_wait_log(host, " skipped fifo: neither a directory nor a plain file: ");
	make_directory(host, host_path(host, "late comer", path, sizeof(path)), 0755);
	host_wait_log(host, " skipped late comer: ");
	host_settle(host);
	host_stop_all(host);
	assert_int_equal(host_count_log(host, " WARN  ProcLaunch skipped "), lines + 1);
	assert_int_equal(host_count_log(host, " starting$"), 1);
}

/*
 * Who may own a profile.
 */
static void
assert_one_refusal(struct host *host, const char *name, const char *reason)
{
	host_wait_log(host, " WARN  %s refused: %s", name, reason);
	assert_int_equal(host_count_log(host, " (INFO|WARN)  %s ", name), 1);
}

static void
a_profile_of_root_is_roots_alone(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX];
	bool with_acl;

	host_profile(host, "web", "exec sleep 1000");
	host_write(host, "web/README", 0666, "anybody's: it means nothing\n");
	host_chown(host, "web/README", TENANT);
	host_profile(host, "foreign-run", "exec sleep 1000");
	host_chown(host, "foreign-run/run", TENANT);
	host_profile(host, "foreign-down", "exec sleep 1000");
	host_write(host, "foreign-down/restart", 0644, "%s", "");
	host_chown(host, "foreign-down/restart", TENANT);
	host_profile(host, "writable-run", "exec sleep 1000");
	assert_int_equal(chmod(host_path(host, "writable-run/run", path, PATH_MAX), 0775), 0);
	host_profile(host, "writable-user", "exec sleep 1000");
	host_write(host, "writable-user/user", 0664, "%s\n", TENANT);
	host_profile(host, "writable", "exec sleep 1000");
	assert_int_equal(chmod(host_path(host, "writable", path, PATH_MAX), 0775), 0);
	host_profile(host, "sticky", "exec sleep 1000");
	assert_int_equal(chmod(host_path(host, "sticky", path, PATH_MAX), 01777), 0);
	host_profile(host, "acl", "exec sleep 1000");
	with_acl = let_another_write(host_path(host, "acl/run", path, PATH_MAX));
	host_start(host);
	(void)host_wait_running(host, "web");
	assert_one_refusal(host, "foreign-run", "run: belongs to somebody else");
	assert_one_refusal(host, "foreign-down", "restart: belongs to somebody else");
	assert_one_refusal(host, "writable-run", "run: may be written to by others");
	assert_one_refusal(host, "writable-user", "user: may be written to by others");
	assert_one_refusal(host, "writable", "the directory: may be written to by others");
	assert_one_refusal(host, "sticky", "the directory: may be written to by others");
	if (with_acl)
		assert_one_refusal(host, "acl", "run: may be written to by others");
	host_stop_all(host);
	assert_int_equal(host_count_log(host, " starting$"), with_acl ? 1 : 2);
}

static void
make_tenants_profile(struct host *host, const char *name)
{
	host_profile(host, name, "exec sleep 1000");
	host_chown(host, name, TENANT);
}

static void
a_profile_of_a_tenant_is_theirs_and_roots_and_runs_as_nobody_else(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX], other[PATH_MAX];
	pid_t pid;

	make_tenants_profile(host, "mine");
	host_write(host, "mine/user", 0644, "%s\n", TENANT);
	host_write(host, "mine/restart", 0644, "%s", ""); /* root's, with one link */
	make_tenants_profile(host, "as-root");
	host_write(host, "as-root/user", 0644, "root\n");
	make_tenants_profile(host, "as-other");
	host_write(host, "as-other/user", 0644, OTHER_TENANT "\n");
	host_chown(host, "as-other/user", TENANT);
	make_tenants_profile(host, "new-privs");
	host_write(host, "new-privs/allow_new_privs", 0644, "%s", "");
	make_tenants_profile(host, "foreign");
	host_write(host, "foreign/restart", 0644, "%s", "");
	host_chown(host, "foreign/restart", OTHER_TENANT);
	make_tenants_profile(host, "writable");
	assert_int_equal(chmod(host_path(host, "writable", path, PATH_MAX), 0775), 0);
	/* what root alone may read, linked to by whom /proc/sys/fs/protected_hardlinks lets */
	make_tenants_profile(host, "linked");
	make_file(in_root(host, "roots", other), 0600);
	assert_int_equal(link(other, host_path(host, "linked/pid_file", path, PATH_MAX)), 0);
	make_tenants_profile(host, "linked-open");
	make_file(in_root(host, "roots-open", other), 0644);
	assert_int_equal(link(other, host_path(host, "linked-open/restart", path, PATH_MAX)), 0);
	make_tenants_profile(host, "linked-run");
	assert_int_equal(unlink(host_path(host, "linked-run/run", path, PATH_MAX)), 0);
	make_file(in_root(host, "roots-program", other), 0755);
	assert_int_equal(link(other, path), 0);
	host_start(host);
	pid = host_wait_running(host, "mine");
	assert_int_equal(process_uid(pid), account_uid(TENANT));
	assert_one_refusal(host, "as-root", "user: names somebody else");
	assert_one_refusal(host, "as-other", "user: names somebody else");
	assert_one_refusal(
	    host, "new-privs", "allow_new_privs: counts in a profile that root owns");
	assert_one_refusal(host, "foreign", "restart: belongs to somebody else");
	assert_one_refusal(host, "writable", "the directory: may be written to by others");
	assert_one_refusal(host, "linked", "pid_file: cannot be read: Permission denied");
	assert_one_refusal(host, "linked-open", "restart: is a link");
	assert_one_refusal(host, "linked-run", "run: is a link");
	host_stop_all(host);
	assert_int_equal(host_count_log(host, " starting$"), 1);
}

static void
a_profile_of_a_uid_without_account_is_refused(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX];

	host_profile(host, "web", "exec sleep 1000");
	host_profile(host, "nobodys", "exec sleep 1000");
	assert_int_equal(lchown(host_path(host, "nobodys", path, PATH_MAX), 54321, 54321), 0);
	host_start(host);
	(void)host_wait_running(host, "web");
	assert_one_refusal(host, "nobodys", "the directory: belongs to a uid that has no account");
	host_stop_all(host);
}

static void
no_root_refuses_what_would_run_as_root(void **state)
{
	struct host *host = *state;

	host_profile(host, "roots", "exec sleep 1000");
	host_profile(host, "named", "exec sleep 1000");
	host_write(host, "named/user", 0644, "root\n");
	host_profile(host, "other", "exec sleep 1000");
	host_write(host, "other/user", 0644, "%s\n", TENANT);
	make_tenants_profile(host, "tenants");
	host_start_with(host, "--no-root", NULL);
	assert_int_equal(process_uid(host_wait_running(host, "other")), account_uid(TENANT));
	assert_int_equal(process_uid(host_wait_running(host, "tenants")), account_uid(TENANT));
	assert_one_refusal(
	    host, "roots", "user: would make it run as root, which --no-root forbids");
	assert_one_refusal(
	    host, "named", "user: would make it run as root, which --no-root forbids");
	host_replace(host, "other/user", 0644, "root\n");
	host_wait_log(host, " WARN  other refused: user: would make it run as root");
	host_stop_all(host);
	assert_int_equal(host_count_log(host, " starting$"), 2);
}

static void
check_prints_what_is_wrong_starts_nothing_and_exits_1(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	char path[PATH_MAX];

	host_profile(host, "web", ": > ../started; exec sleep 1000");
	host_profile(host, "mail", ": > ../started; exec sleep 1000");
	host_run(host, &outcome, "--check", host->profiles, NULL);
	assert_int_equal(outcome.status, 0);
	assert_string_equal(outcome.error, "");
	assert_string_equal(
	    outcome.output, "ProcLaunch 2 profiles checked, 0 at fault, 0 other entries skipped\n");
	/* a profile in the place of their directory is not good news */
	host_run(host, &outcome, "--check", host_path(host, "web", path, sizeof(path)), NULL);
	assert_string_equal(outcome.output,
	    "ProcLaunch no profile is in this directory: name the one that profiles stand in\n"
	    "ProcLaunch 0 profiles checked, 0 at fault, 0 other entries skipped\n");

	host_write(host, "mail/stop_timeout", 0644, CANARY);
	host_write(host, "empty/README", 0644, "%s", "");
	assert_int_equal(symlink("/", host_path(host, "link", path, sizeof(path))), 0);
	host_run(host, &outcome, "--check", host->profiles, NULL);
	assert_int_equal(outcome.status, 1);
	assert_string_equal(outcome.error, "");
	assert_non_null(strstr(outcome.output, "mail refused: stop_timeout: must be a number"));
	assert_non_null(strstr(outcome.output, "empty refused: run: is missing"));
	assert_non_null(strstr(outcome.output, "skipped link: "));
	assert_null(strstr(outcome.output, "web refused"));
	assert_null(strstr(outcome.output, CANARY));
	/* a level is for the log: whoever has it in a script does not mean to be told nothing */
	host_run(host, &outcome, "--check", "--log-level=fatal", host->profiles, NULL);
	assert_int_equal(outcome.status, 1);
	assert_non_null(strstr(outcome.output, "mail refused: stop_timeout: must be a number"));
	assert_null(strstr(outcome.output, " checked, "));
	host_run(host, &outcome, "--check", in_root(host, "missing", path), NULL);
	assert_refused(host, &outcome, path, "No such file");

	assert_int_equal(access(host->log, F_OK), -1);
	assert_int_equal(access(host_path(host, "started", path, PATH_MAX), F_OK), -1);
	host_wait_deserted(host);
}

static void
check_looks_at_tenants_profiles_too(void **state)
{
	struct host *host = *state;
	struct outcome outcome;

	make_tenants_profile(host, "good");
	make_tenants_profile(host, "bad");
	host_write(host, "bad/user", 0644, "root\n");
	host_run(host, &outcome, "--check", host->profiles, NULL);
	assert_int_equal(outcome.status, 1);
	assert_non_null(strstr(outcome.output, "bad refused: user: names somebody else"));
	assert_null(strstr(outcome.output, "good refused"));
	host_remove(host, "bad");
	host_run(host, &outcome, "--check", host->profiles, NULL);
	assert_int_equal(outcome.status, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROOT_TEST(wrong_usage_is_told_on_standard_error_with_exit_status_2),
	    ROOT_TEST(no_directory_of_ours_is_taken_for_a_profile),
	    ROOT_TEST(every_form_of_every_option_is_understood),
	    TENANT_TEST(every_form_of_every_option_is_understood),
	    ROOT_TEST(version_and_help_are_printed_and_nothing_is_started),
	    ROOT_TEST(log_path_minus_writes_the_log_to_standard_error),
	    TENANT_TEST(log_path_minus_writes_the_log_to_standard_error),
	    ROOT_TEST(standard_error_that_was_deleted_is_written_on),
	    ROOT_TEST(a_terminal_that_has_gone_holds_up_nothing),
	    ROOT_TEST(a_reader_of_the_log_who_stops_reading_holds_up_nothing),
	    ROOT_TEST(a_reader_of_the_log_who_stops_reading_a_socket_holds_up_nothing),
	    ROOT_TEST(a_reader_of_the_log_who_stops_reading_somebody_elses_pipe_holds_up_nothing),
	    ROOT_TEST(the_monitor_runs_as_the_user_that_is_named_and_never_as_root),
	    ROOT_TEST(a_state_directory_that_others_have_a_hand_in_is_refused),
	    TENANT_TEST(a_state_directory_that_others_have_a_hand_in_is_refused),
	    TENANT_TEST(an_ordinary_user_needs_a_state_directory_of_their_own),
	    ROOT_TEST(the_state_directory_is_made_when_it_is_missing_and_gives_nothing_away),
	    TENANT_TEST(the_state_directory_is_made_when_it_is_missing_and_gives_nothing_away),
	    ROOT_TEST(a_profiles_directory_that_others_have_a_hand_in_is_refused),
	    TENANT_TEST(a_profiles_directory_that_others_have_a_hand_in_is_refused),
	    TENANT_TEST(a_profiles_directory_that_cannot_be_read_is_refused),
	    ROOT_TEST(a_log_in_a_bad_place_is_refused),
	    TENANT_TEST(a_log_in_a_bad_place_is_refused),
	    ROOT_TEST(each_bad_content_refuses_its_profile_whole_and_no_other),
	    TENANT_TEST(each_bad_content_refuses_its_profile_whole_and_no_other),
	    ROOT_TEST(files_are_bounded_and_a_byte_0_ends_nothing),
	    TENANT_TEST(files_are_bounded_and_a_byte_0_ends_nothing),
	    ROOT_TEST(what_is_no_plain_file_is_not_opened_as_one),
	    TENANT_TEST(what_is_no_plain_file_is_not_opened_as_one),
	    TENANT_TEST(a_file_that_cannot_be_read_refuses_its_profile),
	    ROOT_TEST(what_an_editor_adds_to_good_content_does_no_harm),
	    TENANT_TEST(what_an_editor_adds_to_good_content_does_no_harm),
	    ROOT_TEST(entries_that_are_no_profiles_have_one_line_each_or_none),
	    TENANT_TEST(entries_that_are_no_profiles_have_one_line_each_or_none),
	    ROOT_TEST(a_profile_of_root_is_roots_alone),
	    ROOT_TEST(a_profile_of_a_tenant_is_theirs_and_roots_and_runs_as_nobody_else),
	    ROOT_TEST(a_profile_of_a_uid_without_account_is_refused),
	    ROOT_TEST(no_root_refuses_what_would_run_as_root),
	    ROOT_TEST(check_prints_what_is_wrong_starts_nothing_and_exits_1),
	    TENANT_TEST(check_prints_what_is_wrong_starts_nothing_and_exits_1),
	    ROOT_TEST(check_looks_at_tenants_profiles_too),
	};

	return cmocka_run_group_tests_name("input", tests, NULL, NULL);
}
