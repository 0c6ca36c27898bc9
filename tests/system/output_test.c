/*
 * What services print, into files: settings, lines, and the files: proclaunch(8), OUTPUT.
 */
#include <sys/stat.h>

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
#include <unistd.h>

#include <cmocka.h>

#include "ctl.h"
#include "printed.h"

#define STAMP "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{6}Z "

/* --- the settings --- */

static void
stamped_is_the_default_and_raw_is_what_was_printed(void **state)
{
	struct host *host = *state;
	regex_t expression;
	size_t length;
	char *text;

	host_profile(host, "stamped", "echo one; echo two; exec sleep 1000");
	host_profile(host, "raw", "echo one; echo two >&2; exec sleep 1000");
	host_write(host, "raw/output", 0644, "format raw\n");
	host_start(host);
	wait_until(holds(log_path(host, "raw.log"), "one\ntwo\n"));
	wait_until(contains(log_path(host, "stamped.log"), "two\n"));
	text = content_of(log_path(host, "stamped.log"), &length);
	assert_int_equal(
	    regcomp(&expression, STAMP "one\n[0-9]{4}-[0-9-]{5}T[0-9:]{8}\\.[0-9]{6}Z two\n$",
		REG_EXTENDED | REG_NOSUB),
	    0);
	assert_int_equal(regexec(&expression, text, 0, NULL, 0), 0);
	regfree(&expression);
	free(text);
	host_stop_all(host);
}

static void
stderr_has_a_file_of_its_own_where_it_is_not_merged(void **state)
{
	struct host *host = *state;

	host_profile(host, "web", "echo out; echo err >&2; exec sleep 1000");
	host_write(host, "web/output", 0644, "format raw\nmerge_stderr no\n");
	host_start(host);
	wait_until(holds(log_path(host, "web.log"), "out\n"));
	wait_until(holds(log_path(host, "web.err.log"), "err\n"));
	host_stop_all(host);
}

/* Else whoever runs as one of them could read what the other prints, and both would rotate it. */
static void
no_profiles_file_is_anothers_whatever_they_are_called(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	uid_t tenant = account_uid(TENANT);

	host_profile(host, "web", "echo out; echo err >&2; exec sleep 1000");
	host_write(host, "web/user", 0644, TENANT "\n");
	host_write(host, "web/output", 0644, "format raw\nmerge_stderr no\n");
	host_profile(host, "web.err", "echo secret; echo whisper >&2; exec sleep 1000");
	host_write(host, "web.err/user", 0644, OTHER_TENANT "\n");
	host_write(host, "web.err/output", 0644, "format raw\nmerge_stderr no\n");
	/* what it prints nobody else may read who has no such file */
	host_profile(host, "mail", "echo out; exec sleep 1000");
	host_write(host, "mail/user", 0644, TENANT "\n");
	host_profile(host, "mail.err", "echo secret; exec sleep 1000");
	host_write(host, "mail.err/output", 0644, "format raw\n");
	host_start(host);
	wait_until(holds(log_path(host, "web.err.log"), "err\n"));
	wait_until(holds(log_path(host, "web.err%.log"), "secret\n"));
	wait_until(holds(log_path(host, "web.err.err.log"), "whisper\n"));
	wait_until(holds(log_path(host, "mail.err%.log"), "secret\n"));
	assert_int_equal(ctl_as(host, tenant, &outcome, "log", "--stderr", "web", NULL), CTL_DONE);
	assert_string_equal(outcome.output, "err\n");
	assert_int_equal(ctl_as(host, tenant, &outcome, "log", "--stderr", "mail", NULL), CTL_DONE);
	assert_string_equal(outcome.output, "");
	assert_string_equal(outcome.error,
	    "proclaunchctl: mail: it does not keep standard error apart: leave out --stderr\n");
	assert_int_equal(ctl(host, &outcome, "log", "web.err", NULL), CTL_DONE);
	assert_string_equal(outcome.output, "secret\n");
	host_stop_all(host);
}

static void
what_is_discarded_is_written_nowhere_and_holds_nobody_up(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	char path[PATH_MAX], text[16];

	host_profile(host, "loud", "seq 1 1000000; echo > done; exec sleep 1000");
	host_write(host, "loud/output", 0644, "discard yes\n");
	host_start(host);
	wait_for_file(host_path(host, "loud/done", path, sizeof(path)), text, sizeof(text));
	assert_true(size_of(log_path(host, "loud.log")) <= 0);
	assert_int_equal(ctl(host, &outcome, "log", "loud", NULL), CTL_DONE);
	assert_string_equal(outcome.error,
	    "proclaunchctl: loud: what it prints is discarded: see its output file\n");
	host_stop_all(host);
	assert_true(size_of(log_path(host, "loud.log")) <= 0);
}

static void
files_rotate_by_size_and_as_many_old_ones_stay_as_was_said(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX], text[16];
	long long size;
	unsigned age;

	host_profile(host, "web", "seq -w 1 20000; echo > done; exec sleep 1000");
	host_write(host, "web/output", 0644, "format raw\nrotate_size 8K\nrotate_keep 2\n");
	host_start(host);
	wait_for_file(host_path(host, "web/done", path, sizeof(path)), text, sizeof(text));
	wait_until(contains(log_path(host, "web.log"), "20000\n"));
	for (age = 1; age <= 2; age++) {
		/* full to the last line of six bytes that fits */
		size = size_of(old_path(log_path(host, "web.log"), age));
		assert_true(size <= 8192 && size > 8192 - 6);
	}
	assert_int_equal(access(old_path(log_path(host, "web.log"), 3), F_OK), -1);
	host_stop_all(host);
}

/* NAME.log.1, which stays while we have it, whatever becomes of its name. */
static int
pin_old(struct host *host, int flags, struct stat *status)
{
	int file = open(old_path(log_path(host, "web.log"), 1), flags | O_CLOEXEC);

	assert_true(file != -1);
	assert_int_equal(fstat(file, status), 0);
	return file;
}

/* It has filled one file; told to go on, it fills the second, and the first one is removed. */
static void
start_rotating(struct host *host)
{
	host_profile(host, "web",
	    "seq -w 1 850000; until [ -e go ]; do sleep 0.01; done\n"
	    "seq -w 1 450000; echo last; exec sleep 1000");
	host_write(host, "web/output", 0644, "format raw\nrotate_size 3M\nrotate_keep 1\n");
	host_start(host);
	wait_until(contains(log_path(host, "web.log"), "850000\n"));
}

static void
rotate_once(struct host *host)
{
	host_write(host, "web/go", 0644, "%s", "");
	wait_until(contains(log_path(host, "web.log"), "last\n"));
}

/* In one go that takes milliseconds in which no service would be started, so it is cut shorter. */
static void
what_an_old_file_holds_is_freed_bit_by_bit(void **state)
{
	struct host *host = *state;
	struct stat status;
	int file;

	start_rotating(host);
	file = pin_old(host, O_PATH, &status); /* it is open, and is not: open(2) */
	assert_true(status.st_size > 2 * 1024 * 1024);
	rotate_once(host);
	wait_until(fstat(file, &status) == 0 && status.st_size <= 1024 * 1024);
	assert_int_equal(status.st_nlink, 0);
	(void)close(file);
	host_stop_all(host);
}

static void
who_reads_an_old_file_that_is_removed_reads_all_of_it(void **state)
{
	struct host *host = *state;
	struct stat before, after;
	int file;

	start_rotating(host);
	file = pin_old(host, O_RDONLY, &before);
	rotate_once(host);
	host_stop_all(host);
	assert_int_equal(fstat(file, &after), 0);
	assert_int_equal(after.st_nlink, 0);
	assert_int_equal(after.st_size, before.st_size);
	(void)close(file);
}

static void
an_old_file_that_has_another_name_stays_whole_under_it(void **state)
{
	struct host *host = *state;
	struct stat before, after;
	char path[PATH_MAX];
	int file;

	start_rotating(host);
	file = pin_old(host, O_PATH, &before);
	(void)host_path(host, "backup", path, sizeof(path));
	assert_int_equal(link(old_path(log_path(host, "web.log"), 1), path), 0);
	rotate_once(host);
	host_stop_all(host);
	assert_int_equal(fstat(file, &after), 0);
	assert_int_equal(after.st_nlink, 1);
	assert_int_equal(after.st_size, before.st_size);
	(void)close(file);
}

static void
fewer_old_files_are_kept_from_the_next_rotation_on(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX], text[16];

	host_profile(host, "web",
	    "seq -w 1 5000; echo > done; until [ -e go ]; do sleep 0.01; done; seq -w 1 5000\n"
	    "echo last; exec sleep 1000");
	host_write(host, "web/output", 0644, "format raw\nrotate_size 4K\nrotate_keep 5\n");
	host_start(host);
	wait_for_file(host_path(host, "web/done", path, sizeof(path)), text, sizeof(text));
	wait_until(access(old_path(log_path(host, "web.log"), 5), F_OK) == 0);
	host_replace(host, "web/output", 0644, "format raw\nrotate_size 4K\nrotate_keep 1\n");
	host_settle(host);
	host_write(host, "web/go", 0644, "%s", "");
	wait_until(contains(log_path(host, "web.log"), "last\n"));
	assert_int_equal(access(old_path(log_path(host, "web.log"), 1), F_OK), 0);
	assert_int_equal(access(old_path(log_path(host, "web.log"), 2), F_OK), -1);
	assert_int_equal(access(old_path(log_path(host, "web.log"), 5), F_OK), -1);
	host_stop_all(host);
}

/* Something stands in the way of NAME.log.1: better a file that is too large than no output. */
static void
a_file_that_cannot_be_put_aside_grows(void **state)
{
	struct host *host = *state;

	assert_int_equal(mkdir(host->state, 0711), 0);
	assert_int_equal(mkdir(log_path(host, ""), 0750), 0);
	assert_int_equal(mkdir(old_path(log_path(host, "web.log"), 1), 0750), 0);
	host_profile(host, "web", "seq -w 1 5000; exec sleep 1000");
	host_write(host, "web/output", 0644, "format raw\nrotate_size 4K\nrotate_keep 1\n");
	host_start(host);
	wait_until(size_of(log_path(host, "web.log")) == 25000);
	host_wait_log(host, " WARN  web its output file cannot be put aside, and grows$");
	host_stop_all(host);
	assert_int_equal(host_count_log(host, " web its output file cannot be put aside"), 1);
}

/* Ten lines at once are permitted, then ten a second. */
static void
rate_holds_a_service_to_its_lines_a_second(void **state)
{
	struct host *host = *state;
	long long begun = now_us(), took;

	host_profile(host, "web", "seq -w 1 30; exec sleep 1000");
	host_write(host, "web/output", 0644, "format raw\nrate 10\n");
	host_start(host);
	wait_until(contains(log_path(host, "web.log"), "30\n"));
	took = now_us() - begun;
	assert_true(took >= 1900000);
	host_stop_all(host);
}

/* The lines of these stand in the FIFO, for five seconds and more at this rate. Those of the second
 * take several files, each of which the parent has to open. */
static void
what_has_been_printed_is_written_before_all_is_stopped(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX], text[16];
	int fifo;

	host_profile(host, "web", "seq -w 1 60; exec sleep 1000");
	host_write(host, "web/output", 0644, "format raw\nrate 10\n");
	host_profile(host, "mail",
	    "until [ -e go ]; do sleep 0.01; done\n"
	    "seq -w 1 8000; echo all > printed; exec sleep 1000");
	host_write(
	    host, "mail/output", 0644, "format raw\nrate 10\nrotate_size 4K\nrotate_keep 100\n");
	host_start(host);
	(void)host_wait_running(host, "mail");
	/* whatever else root has in pipes on this machine */
	(void)snprintf(path, sizeof(path), "%s/fifo/mail.out", host->state);
	fifo = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	assert_true(fifo != -1);
	if (fcntl(fifo, F_SETPIPE_SZ, 65536) == -1)
		skip(); /* nobody may have more */
	assert_int_equal(close(fifo), 0);
	host_write(host, "mail/go", 0644, "%s", "");
	wait_until(contains(log_path(host, "web.log"), "10\n"));
	wait_until(contains(log_path(host, "mail.log"), "0010\n"));
	wait_for_file(host_path(host, "mail/printed", path, sizeof(path)), text, sizeof(text));
	host_stop_all(host);
	assert_true(contains(log_path(host, "web.log"), "\n60\n"));
	assert_true(contains(log_path(host, "mail.log"), "\n8000\n"));
	assert_true(contains(old_path(log_path(host, "mail.log"), 9), "0001\n"));
}

static void
a_bad_output_file_is_refused_with_the_reason(void **state)
{
	static const struct {
		const char *name, *content, *reason;
	} bad[] = {
	    {"format", "format xml\n", "has a format that is neither stamped nor raw"},
	    {"size", "rotate_size 10\n",
		"has a rotate_size that is not a size from 4K to 1024G, such as 10M"},
	    {"unit", "rotate_size 10T\n",
		"has a rotate_size that is not a size from 4K to 1024G, such as 10M"},
	    {"keep", "rotate_keep 101\n", "has a rotate_keep that is not a number from 0 to 100"},
	    {"rate", "rate 0\n",
		"has a rate that is neither off nor from 1 to 1000000 lines a second"},
	    {"rates", "rate -1\n",
		"has a rate that is neither off nor from 1 to 1000000 lines a second"},
	    {"merge", "merge_stderr maybe\n",
		"has a merge_stderr or discard that is neither yes nor no"},
	    {"discard", "discard\n", "has a line that is not a word, a space and a value"},
	    {"word", "colour blue\n", "has a line with a word that is none of format"},
	    {"later", "format raw\n\nrotate_keep many\n", "has a rotate_keep that is not a number"},
	};
	struct host *host = *state;
	char path[64];
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		host_profile(host, bad[i].name, "exec sleep 1000");
		(void)snprintf(path, sizeof(path), "%s/output", bad[i].name);
		host_write(host, path, 0644, "%s", bad[i].content);
	}
	host_start(host);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		host_wait_log(host, " WARN  %s refused: output: %s", bad[i].name, bad[i].reason);
	assert_int_equal(host_count_log(host, " starting$"), 0);
	host_stop_all(host);
}

/* --- lines --- */

static void
an_unfinished_line_stays_whole_and_goes_out_when_the_service_dies(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX];
	pid_t pid;

	host_profile(host, "web",
	    "echo first; printf begin; until [ -e go ]; do sleep 0.01; done\n"
	    "echo end; printf unfinished; : > printed; exec sleep 1000");
	host_write(host, "web/output", 0644, "format raw\n");
	host_start(host);
	pid = host_wait_running(host, "web");
	wait_until(holds(log_path(host, "web.log"), "first\n"));
	host_settle(host); /* it has been looked at again and again meanwhile */
	assert_true(holds(log_path(host, "web.log"), "first\n"));
	host_write(host, "web/go", 0644, "%s", "");
	wait_until(holds(log_path(host, "web.log"), "first\nbeginend\n"));
	host_path(host, "web/printed", path, sizeof(path));
	wait_until(access(path, F_OK) == 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
	wait_until(holds(log_path(host, "web.log"), "first\nbeginend\nunfinished\n"));
	host_stop_all(host);
}

/* The lengths at the border, and far beyond it. */
static void
the_last_words_of_what_a_service_left_behind_go_out_when_that_dies(void **state)
{
	struct host *host = *state;

	host_profile(host, "web",
	    "(trap 'printf last; exit' TERM; echo > ready; while :; do sleep 0.01; done) &\n"
	    "until [ -e ready ]; do sleep 0.01; done; echo first; exec sleep 1000");
	host_write(host, "web/output", 0644, "format raw\n");
	host_start(host);
	wait_until(holds(log_path(host, "web.log"), "first\n"));
	(void)kill(host_wait_running(host, "web"), SIGKILL);
	wait_until(contains(log_path(host, "web.log"), "last\n"));
	host_stop_all(host);
}

static void
a_line_longer_than_64_kib_is_split_with_a_mark(void **state)
{
	static const size_t lengths[] = {65535, 65536, 65537, 200000};
	struct host *host = *state;
	const char *line, *end;
	size_t length, i, marks, bytes;
	char path[PATH_MAX], *text;
	bool could_grow;
	int fifo;

	host_profile(host, "web",
	    "for n in 65535 65536 65537 200000; do\n"
	    "head -c $n /dev/zero | tr '\\0' x; echo; done; echo last; exec sleep 1000");
	host_write(host, "web/output", 0644, "format raw\n");
	host_start(host);
	wait_until(contains(log_path(host, "web.log"), "\nlast\n"));
	(void)snprintf(path, sizeof(path), "%s/fifo/web.out", host->state);
	fifo = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	assert_true(fifo != -1);
	could_grow = fcntl(fifo, F_GETPIPE_SZ) > 65536 || fifo_may_grow(fifo);
	assert_int_equal(close(fifo), 0);
	text = content_of(log_path(host, "web.log"), &length);
	line = text;
	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		for (marks = bytes = 0;; marks++, line = end + 1) {
			end = strchr(line, '\n');
			assert_non_null(end);
			assert_true(end - line <= 65536 + 1);
			bytes += (size_t)(end - line);
			if (end[-1] != '\\')
				break;
			bytes--;
		}
		line = end + 1;
		assert_int_equal(bytes, lengths[i]);
		if (could_grow || lengths[i] > 65536)
			assert_true(lengths[i] <= 65536 ? marks == 0 : marks > 0);
	}
	assert_string_equal(line, "last\n");
	free(text);
	host_stop_all(host);
	if (!could_grow)
		skip(); /* others have used up what root may have in pipes */
}

/* More than a FIFO holds, in blocks that end within a line: Linux wakes no reader when a write(2)
 * fills a pipe in which something stands already. */
static void
a_writer_of_blocks_that_end_within_a_line_is_not_forgotten(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX], text[16];

	host_profile(host, "web",
	    "printf begin; until [ -e go ]; do sleep 0.01; done\n"
	    "seq -w 1 1000000 | dd bs=300000 iflag=fullblock status=none\n"
	    "echo > done; exec sleep 1000");
	host_write(host, "web/output", 0644, "format raw\nrotate_size 1G\n");
	host_start(host);
	(void)host_wait_running(host, "web");
	host_settle(host); /* it stands in the FIFO, and has been looked at */
	host_write(host, "web/go", 0644, "%s", "");
	wait_for_file(host_path(host, "web/done", path, sizeof(path)), text, sizeof(text));
	wait_until(contains(log_path(host, "web.log"), "\n1000000\n"));
	assert_int_equal(size_of(log_path(host, "web.log")), 5 + 8 * 1000000);
	host_stop_all(host);
}

/* --- files --- */

static void
a_service_can_open_dev_stdout_as_its_own_user(void **state)
{
	struct host *host = *state;

	host_profile(
	    host, "web", "echo out > /dev/stdout; echo err > /dev/stderr; id -un; exec sleep 1000");
	host_write(host, "web/user", 0644, TENANT "\n");
	host_write(host, "web/output", 0644, "format raw\n");
	host_start(host);
	wait_until(holds(log_path(host, "web.log"), "out\nerr\n" TENANT "\n"));
	host_stop_all(host);
}

static void
log_files_are_roots_and_nobody_elses(void **state)
{
	struct host *host = *state;
	struct stat status;
	struct outcome outcome;
	mode_t before = umask(0);

	host_profile(host, "web", "seq -w 1 5000; exec sleep 1000");
	host_write(host, "web/user", 0644, TENANT "\n");
	host_write(host, "web/output", 0644, "format raw\nrotate_size 4K\n");
	/* one that was there already is not left open to others either */
	assert_int_equal(mkdir(host->state, 0711) | mkdir(log_path(host, ""), 0750), 0);
	assert_int_equal(close(creat(log_path(host, "idle.log"), 0666)), 0);
	host_profile(host, "idle", "echo printed; exec sleep 1000");
	host_start(host);
	(void)umask(before);
	wait_until(contains(log_path(host, "web.log"), "5000\n"));
	assert_int_equal(stat(log_path(host, "web.log"), &status), 0);
	assert_int_equal(status.st_uid, 0);
	assert_int_equal(status.st_mode, S_IFREG | 0640);
	wait_until(contains(log_path(host, "idle.log"), "printed\n"));
	assert_int_equal(stat(log_path(host, "idle.log"), &status), 0);
	assert_int_equal(status.st_mode, S_IFREG | 0640);
	assert_int_equal(stat(log_path(host, ""), &status), 0);
	assert_int_equal(status.st_uid, 0);
	assert_int_equal(status.st_mode, S_IFDIR | 0750);
	run_program(&outcome, "setpriv", "--reuid", TENANT, "--regid", TENANT, "--clear-groups",
	    "cat", log_path(host, "web.log"), NULL);
	assert_int_not_equal(outcome.status, 0);
	host_stop_all(host);
}

static void
a_link_in_the_place_of_a_log_file_is_not_followed(void **state)
{
	struct host *host = *state;
	char victim[PATH_MAX], only[PATH_MAX], hard[PATH_MAX];

	host_profile(host, "soft", "echo printed; exec sleep 1000");
	host_profile(host, "hard", "echo printed; exec sleep 1000");
	host_write(host, "victim", 0644, "untouched\n");
	host_path(host, "victim", victim, sizeof(victim));
	/* root's own, and of no other name: such as /etc/passwd */
	host_write(host, "only", 0640, "untouched\n");
	host_path(host, "only", only, sizeof(only));
	assert_int_equal(mkdir(host->state, 0711), 0);
	assert_int_equal(mkdir(log_path(host, ""), 0750), 0);
	assert_int_equal(symlink(only, log_path(host, "soft.log")), 0);
	(void)snprintf(hard, sizeof(hard), "%s", log_path(host, "hard.log"));
	assert_int_equal(link(victim, hard), 0);
	host_start(host);
	host_wait_log(host, " WARN  soft its output cannot be written and waits: ");
	host_wait_log(host, " WARN  hard its output cannot be written and waits: ");
	assert_true(holds(victim, "untouched\n") && holds(only, "untouched\n"));
	assert_int_equal(unlink(log_path(host, "soft.log")), 0);
	wait_until(contains(log_path(host, "soft.log"), " printed\n"));
	host_wait_log(host, " INFO  soft its output is written again$");
	host_stop_all(host);
}

static void
reopen_after_logrotate_has_renamed_the_file_loses_nothing(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	char old[PATH_MAX + 16];

	host_profile(host, "web",
	    "echo before; until [ -e go ]; do sleep 0.01; done; echo after; exec sleep 1000");
	host_write(host, "web/output", 0644, "format raw\n");
	host_start(host);
	wait_until(holds(log_path(host, "web.log"), "before\n"));
	(void)snprintf(old, sizeof(old), "%s-20261123", log_path(host, "web.log"));
	assert_int_equal(rename(log_path(host, "web.log"), old), 0);
	assert_int_equal(ctl(host, &outcome, "reopen", NULL), CTL_DONE);
	host_write(host, "web/go", 0644, "%s", "");
	wait_until(holds(log_path(host, "web.log"), "after\n"));
	assert_true(holds(old, "before\n"));
	host_stop_all(host);
}

static void
deleted_files_and_directories_are_made_again_without_being_asked(void **state)
{
	struct host *host = *state;

	host_profile(host, "web",
	    "for n in 1 2 3; do until [ -e go$n ]; do sleep 0.01; done; echo line $n; done\n"
	    "exec sleep 1000");
	host_write(host, "web/output", 0644, "format raw\n");
	host_start(host);
	host_write(host, "web/go1", 0644, "%s", "");
	wait_until(holds(log_path(host, "web.log"), "line 1\n"));
	assert_int_equal(unlink(log_path(host, "web.log")), 0);
	host_write(host, "web/go2", 0644, "%s", "");
	wait_until(holds(log_path(host, "web.log"), "line 2\n"));
	assert_int_equal(unlink(log_path(host, "web.log")), 0);
	assert_int_equal(rmdir(log_path(host, "")), 0);
	host_write(host, "web/go3", 0644, "%s", "");
	wait_until(holds(log_path(host, "web.log"), "line 3\n"));
	host_stop_all(host);
}

/* As a directory is archived: moved away, another made in its place, and the supervisor told. */
static void
a_directory_that_takes_the_place_of_another_is_used_after_reopen(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	char old[PATH_MAX];

	host_profile(host, "web",
	    "for n in 1 2; do until [ -e go$n ]; do sleep 0.01; done; echo line $n; done\n"
	    "exec sleep 1000");
	host_write(host, "web/output", 0644, "format raw\n");
	host_start(host);
	host_write(host, "web/go1", 0644, "%s", "");
	wait_until(holds(log_path(host, "web.log"), "line 1\n"));
	(void)snprintf(old, sizeof(old), "%s/output.old", host->state);
	assert_int_equal(rename(log_path(host, ""), old), 0);
	assert_int_equal(mkdir(log_path(host, ""), 0750), 0);
	assert_int_equal(ctl(host, &outcome, "reopen", NULL), CTL_DONE);
	host_write(host, "web/go2", 0644, "%s", "");
	wait_until(holds(log_path(host, "web.log"), "line 2\n"));
	host_stop_all(host);
}

/* --- directories --- */

/* ROOT/NAME */
static const char *
in_root(const struct host *host, const char *name)
{
	static char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/%s", host->root, name);
	return path;
}

/* Of somebody else, open to others, by way of a link, or not there: nothing is started. */
static void
an_output_directory_that_others_may_write_to_is_refused(void **state)
{
	struct host *host = *state;
	char option[PATH_MAX + 32], path[PATH_MAX];
	struct outcome outcome;
	unsigned i;

	host_profile(host, "web", "echo > ran; exec sleep 1000");
	(void)snprintf(option, sizeof(option), "--output-dir=%s", in_root(host, "elsewhere"));
	for (i = 0; i < 4; i++) {
		if (i == 2)
			assert_int_equal(symlink(host->profiles, in_root(host, "elsewhere")), 0);
		else if (i != 3)
			assert_int_equal(mkdir(in_root(host, "elsewhere"), 0750), 0);
		if (i == 0)
			assert_int_equal(chmod(in_root(host, "elsewhere"), 0777), 0);
		if (i == 1)
			assert_int_equal(
			    chown(in_root(host, "elsewhere"), account_uid(TENANT), 0), 0);
		host_run(host, &outcome, "--foreground", option, host->state, host->profiles, NULL);
		assert_int_equal(outcome.status, 1);
		assert_non_null(strstr(outcome.error, "proclaunch: output directory: "));
		assert_int_equal(access(host_path(host, "web/ran", path, sizeof(path)), F_OK), -1);
		if (i == 2)
			assert_int_equal(unlink(in_root(host, "elsewhere")), 0);
		else if (i != 3)
			assert_int_equal(rmdir(in_root(host, "elsewhere")), 0);
	}
}

/* Named by a relative path, which is that of whoever starts us, not that of who goes on in the
 * background; it is looked at again each time. */
static void
output_goes_to_the_directory_that_was_named_and_to_no_other(void **state)
{
	struct host *host = *state;
	char file[PATH_MAX], program[PATH_MAX], command[2 * PATH_MAX];
	struct outcome outcome;
	pid_t supervisor;

	host_profile(host, "web",
	    "echo one; until [ -e go ]; do sleep 0.01; done; echo two; exec sleep 1000");
	host_write(host, "web/output", 0644, "format raw\n");
	(void)snprintf(file, sizeof(file), "%s", in_root(host, "elsewhere/web.log"));
	assert_int_equal(mkdir(in_root(host, "elsewhere"), 0750), 0);
	(void)snprintf(command, sizeof(command),
	    "cd %s && exec %s --output-dir=elsewhere --log-path=profiles/error.log state profiles",
	    host->root, host_program("proclaunch", program, sizeof(program)));
	run_program(&outcome, "sh", "-c", command, NULL);
	assert_string_equal(outcome.error, "");
	assert_int_equal(outcome.status, 0);
	supervisor = wait_for_pid_file(in_root(host, "state/proclaunch.pid"));
	wait_until(holds(file, "one\n"));
	assert_int_equal(access(log_path(host, ""), F_OK), -1);
	/* others may write to it now: they could have put anything there */
	assert_int_equal(unlink(file), 0);
	assert_int_equal(chmod(in_root(host, "elsewhere"), 0777), 0);
	host_write(host, "web/go", 0644, "%s", "");
	host_wait_log(host, " WARN  web its output cannot be written and waits: ");
	assert_int_equal(access(file, F_OK), -1);
	assert_int_equal(chmod(in_root(host, "elsewhere"), 0750), 0);
	wait_until(holds(file, "two\n"));
	assert_int_equal(kill(supervisor, SIGHUP), 0);
	process_wait_gone(supervisor);
}

/* The same of the directory that is ours. */
/* `option` names the directory; NULL: it is that of the state directory. */
static void
assert_waits_while_open(struct host *host, const char *directory, const char *option)
{
	char file[PATH_MAX];

	host_profile(host, "web",
	    "echo one; until [ -e go ]; do sleep 0.01; done; echo two; exec sleep 1000");
	host_write(host, "web/output", 0644, "format raw\n");
	assert_true((size_t)snprintf(file, sizeof(file), "%s/web.log", directory) < sizeof(file));
	host_mark_log(host);
	host_start_with(host, option, NULL);
	wait_until(holds(file, "one\n"));
	assert_int_equal(unlink(file), 0);
	assert_int_equal(chmod(directory, 0777), 0);
	host_write(host, "web/go", 0644, "%s", "");
	host_wait_log(host, " WARN  web its output cannot be written and waits: ");
	assert_int_equal(access(file, F_OK), -1);
	assert_int_equal(chmod(directory, 0750), 0);
	wait_until(holds(file, "two\n"));
	host_stop_all(host);
	host_remove(host, "web");
}

/* They could put a link there, or a file of their own. */
static void
while_others_may_write_to_the_output_directory_nothing_is_written(void **state)
{
	struct host *host = *state;
	char directory[PATH_MAX], option[PATH_MAX + 32];

	(void)snprintf(directory, sizeof(directory), "%s", log_path(host, ""));
	assert_waits_while_open(host, directory, NULL);
	(void)snprintf(directory, sizeof(directory), "%s", in_root(host, "elsewhere"));
	assert_int_equal(mkdir(directory, 0750), 0);
	(void)snprintf(option, sizeof(option), "--output-dir=%s", directory);
	assert_waits_while_open(host, directory, option);
}

static void
put_into_fifos(const struct host *host, const char *name, const char *link_to)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/fifo/%s", host->state, name);
	(void)unlink(path);
	if (link_to != NULL)
		assert_int_equal(symlink(link_to, path), 0);
	else
		assert_int_equal(mknod(path, S_IFREG | 0600, 0), 0);
}

/* Only root can put it there, by mistake: it is written to in no case. */
static void
what_stands_in_the_place_of_a_fifo_is_replaced_or_the_service_does_not_start(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX], victim[PATH_MAX];
	pid_t soft, plain;

	host_profile(host, "soft", "echo printed; exec sleep 1000");
	host_write(host, "soft/restart", 0644, "%s", "");
	host_profile(host, "plain", "echo printed; exec sleep 1000");
	host_write(host, "plain/restart", 0644, "%s", "");
	host_profile(host, "stuck", "echo > ran; exec sleep 1000");
	host_profile(host, "half", "echo > ran; exec sleep 1000");
	host_write(host, "half/output", 0644, "merge_stderr no\n");
	host_write(host, "victim", 0644, "untouched\n");
	host_path(host, "victim", victim, sizeof(victim));
	(void)snprintf(path, sizeof(path), "%s/fifo", host->state);
	assert_int_equal(mkdir(host->state, 0711) | mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/fifo/stuck.out", host->state);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/fifo/half.err", host->state);
	assert_int_equal(mkdir(path, 0700), 0);
	put_into_fifos(host, "soft.out", victim);
	put_into_fifos(host, "plain.out", NULL);
	host_start(host);
	wait_until(contains(log_path(host, "soft.log"), " printed\n"));
	wait_until(contains(log_path(host, "plain.log"), " printed\n"));
	host_wait_log(host, " WARN  stuck cannot start: .*: Is a directory$");
	host_wait_log(host, " WARN  half cannot start: .*: Is a directory$");
	assert_int_equal(access(host_path(host, "stuck/ran", path, sizeof(path)), F_OK), -1);
	assert_int_equal(access(host_path(host, "half/ran", path, sizeof(path)), F_OK), -1);
	/* and in the place of those that a service has */
	soft = host_wait_running(host, "soft");
	plain = host_wait_running(host, "plain");
	host_crash(host);
	put_into_fifos(host, "soft.out", victim);
	put_into_fifos(host, "plain.out", NULL);
	assert_int_equal(unlink(log_path(host, "soft.log")), 0);
	assert_int_equal(unlink(log_path(host, "plain.log")), 0);
	host_start(host);
	assert_int_equal(kill(soft, SIGKILL) | kill(plain, SIGKILL), 0);
	wait_until(contains(log_path(host, "soft.log"), " printed\n"));
	wait_until(contains(log_path(host, "plain.log"), " printed\n"));
	assert_true(holds(victim, "untouched\n"));
	host_stop_all(host);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROOT_TEST(stamped_is_the_default_and_raw_is_what_was_printed),
	    TENANT_TEST(stamped_is_the_default_and_raw_is_what_was_printed),
	    ROOT_TEST(stderr_has_a_file_of_its_own_where_it_is_not_merged),
	    ROOT_TEST(no_profiles_file_is_anothers_whatever_they_are_called),
	    ROOT_TEST(what_is_discarded_is_written_nowhere_and_holds_nobody_up),
	    ROOT_TEST(files_rotate_by_size_and_as_many_old_ones_stay_as_was_said),
	    ROOT_TEST(what_an_old_file_holds_is_freed_bit_by_bit),
	    ROOT_TEST(who_reads_an_old_file_that_is_removed_reads_all_of_it),
	    ROOT_TEST(an_old_file_that_has_another_name_stays_whole_under_it),
	    ROOT_TEST(fewer_old_files_are_kept_from_the_next_rotation_on),
	    ROOT_TEST(a_file_that_cannot_be_put_aside_grows),
	    ROOT_TEST(rate_holds_a_service_to_its_lines_a_second),
	    ROOT_TEST(what_has_been_printed_is_written_before_all_is_stopped),
	    ROOT_TEST(a_bad_output_file_is_refused_with_the_reason),
	    ROOT_TEST(an_unfinished_line_stays_whole_and_goes_out_when_the_service_dies),
	    ROOT_TEST(the_last_words_of_what_a_service_left_behind_go_out_when_that_dies),
	    ROOT_TEST(a_line_longer_than_64_kib_is_split_with_a_mark),
	    ROOT_TEST(a_writer_of_blocks_that_end_within_a_line_is_not_forgotten),
	    ROOT_TEST(a_service_can_open_dev_stdout_as_its_own_user),
	    ROOT_TEST(log_files_are_roots_and_nobody_elses),
	    ROOT_TEST(a_link_in_the_place_of_a_log_file_is_not_followed),
	    ROOT_TEST(reopen_after_logrotate_has_renamed_the_file_loses_nothing),
	    ROOT_TEST(deleted_files_and_directories_are_made_again_without_being_asked),
	    ROOT_TEST(a_directory_that_takes_the_place_of_another_is_used_after_reopen),
	    ROOT_TEST(an_output_directory_that_others_may_write_to_is_refused),
	    ROOT_TEST(output_goes_to_the_directory_that_was_named_and_to_no_other),
	    ROOT_TEST(while_others_may_write_to_the_output_directory_nothing_is_written),
	    ROOT_TEST(what_stands_in_the_place_of_a_fifo_is_replaced_or_the_service_does_not_start),
	};

	return cmocka_run_group_tests_name("output", tests, NULL, NULL);
}
