/*
 * What services print, into files: DESIGN.md section 9. Nothing that was accepted is lost, whoever
 * of us is killed, and nobody waits for somebody else.
 */
#include <sys/mount.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
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

/* How long an output that cannot be written is kept, and a little more. */
#define KEPT_FOR 30000
#define STAMP	 "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{6}Z "

static const char *
log_path(const struct host *host, const char *name)
{
	static char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/output/%s", host->state, name);
	return path;
}

/* The path of a file's older version, in a buffer that the next call overwrites. */
static const char *
old_path(const char *path, unsigned age)
{
	static char old[PATH_MAX + 16];

	(void)snprintf(old, sizeof(old), "%s.%u", path, age);
	return old;
}

/* The whole file, "" when there is none; the caller frees it. */
static char *
content_of(const char *path, size_t *length)
{
	FILE *file = fopen(path, "re");
	struct stat status = {.st_size = 0};
	char *text;

	if (file != NULL)
		assert_int_equal(fstat(fileno(file), &status), 0);
	text = calloc(1, (size_t)status.st_size + 1);
	assert_non_null(text);
	*length = file == NULL ? 0 : fread(text, 1, (size_t)status.st_size, file);
	if (file != NULL)
		(void)fclose(file);
	return text;
}

static bool
holds(const char *path, const char *expected)
{
	size_t length;
	char *text = content_of(path, &length);
	bool same = strcmp(text, expected) == 0;

	free(text);
	return same;
}

static bool
contains(const char *path, const char *expected)
{
	size_t length;
	char *text = content_of(path, &length);
	bool found = memmem(text, length, expected, strlen(expected)) != NULL;

	free(text);
	return found;
}

static long long
size_of(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 ? (long long)status.st_size : -1;
}

static long long
now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

static void
ctl(const struct host *host, struct outcome *outcome, const char *verb, const char *name)
{
	char program[PATH_MAX];

	host_program("proclaunchctl", program, sizeof(program));
	run_program(outcome, program, "-d", host->state, verb, name, NULL);
}

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

static void
what_is_discarded_is_written_nowhere_and_holds_nobody_up(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX], text[16];

	host_profile(host, "loud", "seq 1 1000000; echo > done; exec sleep 1000");
	host_write(host, "loud/output", 0644, "discard yes\n");
	host_start(host);
	wait_for_file(host_path(host, "loud/done", path, sizeof(path)), text, sizeof(text));
	assert_true(size_of(log_path(host, "loud.log")) <= 0);
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
		size = size_of(old_path(log_path(host, "web.log"), age));
		/* a piece is as large as what the FIFO held: one that is larger has a file alone */
		assert_true(size > 0);
	}
	assert_int_equal(access(old_path(log_path(host, "web.log"), 3), F_OK), -1);
	host_stop_all(host);
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

static void
a_bad_output_file_is_refused_with_the_reason(void **state)
{
	static const struct {
		const char *name, *content, *reason;
	} bad[] = {
	    {"format", "format xml\n", "has a format that is neither stamped nor raw"},
	    {"size", "rotate_size 10\n", "has a rotate_size that is not a size such as 10M"},
	    {"unit", "rotate_size 10T\n", "has a rotate_size that is not a size such as 10M"},
	    {"keep", "rotate_keep 101\n", "has a rotate_keep that is not a number from 0 to 100"},
	    {"rate", "rate 0\n", "has a rate that is not a number of lines a second"},
	    {"rates", "rate -1\n", "has a rate that is not a number of lines a second"},
	    {"merge", "merge_stderr maybe\n", "has a line that must say yes or no"},
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
	pid_t pid;

	host_profile(host, "web",
	    "echo first; printf begin; until [ -e go ]; do sleep 0.01; done\n"
	    "echo end; printf unfinished; exec sleep 1000");
	host_write(host, "web/output", 0644, "format raw\n");
	host_start(host);
	pid = host_wait_running(host, "web");
	wait_until(holds(log_path(host, "web.log"), "first\n"));
	host_settle(host); /* it has been looked at again and again meanwhile */
	assert_true(holds(log_path(host, "web.log"), "first\n"));
	host_write(host, "web/go", 0644, "%s", "");
	wait_until(holds(log_path(host, "web.log"), "first\nbeginend\n"));
	assert_int_equal(kill(pid, SIGKILL), 0);
	wait_until(holds(log_path(host, "web.log"), "first\nbeginend\nunfinished\n"));
	host_stop_all(host);
}

/* The lengths at the border, and far beyond it. */
static void
a_line_longer_than_64_kib_is_split_with_a_mark(void **state)
{
	static const size_t lengths[] = {65535, 65536, 65537, 200000};
	struct host *host = *state;
	const char *line, *end;
	size_t length, i, marks, bytes;
	char *text;

	host_profile(host, "web",
	    "for n in 65535 65536 65537 200000; do\n"
	    "head -c $n /dev/zero | tr '\\0' x; echo; done; echo last; exec sleep 1000");
	host_write(host, "web/output", 0644, "format raw\n");
	host_start(host);
	wait_until(contains(log_path(host, "web.log"), "\nlast\n"));
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
		assert_true(lengths[i] <= 65536 ? marks == 0 : marks > 0);
	}
	assert_string_equal(line, "last\n");
	free(text);
	host_stop_all(host);
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
	host_start(host);
	(void)umask(before);
	wait_until(contains(log_path(host, "web.log"), "5000\n"));
	assert_int_equal(stat(log_path(host, "web.log"), &status), 0);
	assert_int_equal(status.st_uid, 0);
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
	char victim[PATH_MAX], hard[PATH_MAX];

	host_profile(host, "soft", "echo printed; exec sleep 1000");
	host_profile(host, "hard", "echo printed; exec sleep 1000");
	host_write(host, "victim", 0644, "untouched\n");
	host_path(host, "victim", victim, sizeof(victim));
	assert_int_equal(mkdir(host->state, 0711), 0);
	assert_int_equal(mkdir(log_path(host, ""), 0750), 0);
	assert_int_equal(symlink(victim, log_path(host, "soft.log")), 0);
	(void)snprintf(hard, sizeof(hard), "%s", log_path(host, "hard.log"));
	assert_int_equal(link(victim, hard), 0);
	host_start(host);
	host_wait_log(host, " WARN  soft its output cannot be written and waits: ");
	host_wait_log(host, " WARN  hard its output cannot be written and waits: ");
	assert_true(holds(victim, "untouched\n"));
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
	ctl(host, &outcome, "reopen", NULL);
	assert_int_equal(outcome.status, 0);
	host_write(host, "web/go", 0644, "%s", "");
	wait_until(holds(log_path(host, "web.log"), "after\n"));
	assert_true(holds(old, "before\n"));
	host_stop_all(host);
}

/* --- a storm of numbered lines --- */

/* One that writes line by line, and one whose blocks end within lines, as fast as they can, so that
 * a death finds the monitor at work; both until `stop` is there. The last line says how many there
 * were. */
static void
make_storm(struct host *host, const char *settings)
{
	host_profile(host, "lines",
	    "i=1000000; until [ -e stop ]; do\n"
	    "n=$((i + 200)); while [ $i -lt $n ]; do\n"
	    "echo $i the quick brown fox jumps over the lazy dog; i=$((i + 1)); done; done\n"
	    "echo end $i; exec sleep 1000");
	host_profile(host, "blocks",
	    "i=1000000; until [ -e stop ]; do\n"
	    "seq -f '%%.0f the quick brown fox jumps over the lazy dog' $i $((i + 49999))\n"
	    "i=$((i + 50000)); done; echo end $i; exec sleep 1000");
	host_write(host, "lines/output", 0644, "format raw\n%s", settings);
	host_write(host, "blocks/output", 0644, "format raw\n%s", settings);
}

/* Every line is whole, none is missing, and one that stands there twice stands there whole.
 * Returns how often numbers went back. */
static unsigned
check_storm(const char *text, unsigned long *next)
{
	static const char rest[] = " the quick brown fox jumps over the lazy dog\n";
	unsigned seams = 0;
	unsigned long number;
	char *end;

	for (; *text != '\0' && strncmp(text, "end ", 4) != 0; text = end + sizeof(rest) - 1) {
		number = strtoul(text, &end, 10);
		if (strncmp(end, rest, sizeof(rest) - 1) != 0)
			fail_msg("a torn line, where %lu is due: %.80s", *next, text);
		if (number > *next)
			fail_msg("lines %lu to %lu are missing", *next, number - 1);
		seams += number < *next;
		*next = number + 1;
	}
	if (*text != '\0' && strtoul(text + 4, NULL, 10) != *next)
		fail_msg("the last lines are missing, from %lu: %.40s", *next, text);
	return seams;
}

static void
end_storm(struct host *host)
{
	host_write(host, "lines/stop", 0644, "%s", "");
	host_write(host, "blocks/stop", 0644, "%s", "");
	wait_until(contains(log_path(host, "lines.log"), "\nend "));
	wait_until(contains(log_path(host, "blocks.log"), "\nend "));
}

/* Of files that were not rotated; at most as many seams as there were deaths. */
static void
assert_storm_whole(struct host *host, unsigned deaths)
{
	static const char *const names[] = {"lines.log", "blocks.log"};
	unsigned long next;
	size_t length, i;
	char *text;

	for (i = 0; i < 2; i++) {
		text = content_of(log_path(host, names[i]), &length);
		next = 1000000;
		assert_true(check_storm(text, &next) <= deaths);
		assert_true(next > 1002000); /* it was a storm */
		free(text);
	}
}

/* Waits until both files have grown. */
static void
wait_storm_goes_on(struct host *host)
{
	long long lines = size_of(log_path(host, "lines.log"));
	long long blocks = size_of(log_path(host, "blocks.log"));

	wait_until(size_of(log_path(host, "lines.log")) > lines);
	wait_until(size_of(log_path(host, "blocks.log")) > blocks);
}

/* A monitor that dies often is started later and later, up to a parent's death: so there are five
 * of each ten deaths, and the services wait in between. */
static void
a_monitor_killed_50_times_in_a_storm_and_its_parent_too_lose_no_line(void **state)
{
	struct host *host = *state;
	unsigned life, death;
	pid_t lines, monitor;

	make_storm(host, "rotate_size 4G\n");
	host_start(host);
	lines = host_wait_running(host, "lines");
	for (life = 0; life < 5; life++) {
		for (death = 0; death < 10; death++) {
			wait_storm_goes_on(host);
			monitor = host_monitor(host);
			assert_int_equal(kill(monitor, SIGKILL), 0);
			process_wait_gone(monitor);
		}
		wait_storm_goes_on(host);
		host_crash(host);
		host_start(host);
	}
	wait_storm_goes_on(host);
	assert_true(process_lives(lines)); /* it has neither died of SIGPIPE nor been replaced */
	end_storm(host);
	assert_storm_whole(host, 60);
	host_stop_all(host);
}

static void
a_spawner_that_is_killed_and_upgrades_lose_no_line(void **state)
{
	struct host *host = *state;
	pid_t lines, spawner, monitor;
	unsigned i;

	make_storm(host, "rotate_size 4G\n");
	host_start(host);
	lines = host_wait_running(host, "lines");
	for (i = 0; i < 3; i++) {
		wait_storm_goes_on(host);
		spawner = host_spawner(host);
		assert_int_equal(kill(spawner, SIGKILL), 0);
		process_wait_gone(spawner);
		wait_storm_goes_on(host);
		monitor = host_monitor(host);
		host_mark_log(host);
		assert_int_equal(kill(host->supervisor, SIGUSR2), 0);
		host_wait_log(host, " ProcLaunch upgraded from ");
		process_wait_gone(monitor);
	}
	wait_storm_goes_on(host);
	assert_true(process_lives(lines));
	end_storm(host);
	assert_storm_whole(host, 3); /* the monitor leaves at an upgrade; it may be in its work */
	host_stop_all(host);
}

/* The files in the order of their age, as one text. */
static char *
all_files_of(struct host *host, const char *name)
{
	const char *path;
	char *text, *whole = calloc(1, 1);
	size_t length, total = 0;
	unsigned age;

	for (age = 101; age-- > 0;) {
		path = log_path(host, name);
		if (age > 0)
			path = old_path(path, age);
		text = content_of(path, &length);
		whole = realloc(whole, total + length + 1);
		assert_non_null(whole);
		memcpy(whole + total, text, length + 1);
		total += length;
		free(text);
	}
	return whole;
}

static void
a_rotation_in_a_storm_loses_no_line_and_neither_does_a_death_in_it(void **state)
{
	static const char *const names[] = {"lines.log", "blocks.log"};
	struct host *host = *state;
	unsigned long next;
	char *text;
	unsigned death;
	pid_t monitor;
	size_t i;

	make_storm(host, "rotate_size 16M\nrotate_keep 100\n");
	host_write(host, "lines/output", 0644, "format raw\nrotate_size 1M\nrotate_keep 100\n");
	host_start(host);
	for (death = 0; death < 8; death++) {
		wait_storm_goes_on(host);
		monitor = host_monitor(host);
		assert_int_equal(kill(monitor, SIGKILL), 0);
		process_wait_gone(monitor);
	}
	for (i = 0; i < 2; i++) {
		wait_until(access(old_path(log_path(host, names[i]), 1), F_OK) == 0);
	}
	end_storm(host);
	for (i = 0; i < 2; i++) {
		assert_int_equal(access(old_path(log_path(host, names[i]), 100), F_OK),
		    -1); /* else some are gone as they should be */
		text = all_files_of(host, names[i]);
		next = 1000000;
		assert_true(check_storm(text, &next) <= death);
		free(text);
	}
	host_stop_all(host);
}

/* --- a disk that takes nothing --- */

/* A small file system for the output, in the place of STATE_DIR/output. */
static void
mount_small(struct host *host)
{
	assert_int_equal(mkdir(host->state, 0711), 0);
	assert_int_equal(mkdir(log_path(host, ""), 0750), 0);
	assert_int_equal(mount("tmpfs", log_path(host, ""), "tmpfs", MS_NOSUID | MS_NODEV,
			     "size=256k,mode=0750"),
	    0);
}

/* As many bytes as there is room for. */
static void
fill(const char *path)
{
	static char bytes[4096];
	int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(file != -1);
	while (write(file, bytes, sizeof(bytes)) > 0)
		;
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(close(file), 0);
}

/* A service that says how many lines it could print, without end. */
static void
make_counter(struct host *host)
{
	host_profile(host, "web",
	    "i=1000000; while :; do echo $i the quick brown fox jumps over the lazy dog\n"
	    "i=$((i + 1)); [ $((i %% 100)) != 0 ] || echo $i > count; done");
	host_write(host, "web/output", 0644, "format raw\nrotate_size 4G\n");
}

static unsigned long
count_of(struct host *host)
{
	char path[PATH_MAX], text[32];

	wait_for_file(host_path(host, "web/count", path, sizeof(path)), text, sizeof(text));
	return strtoul(text, NULL, 10);
}

static void
a_full_disk_makes_output_wait_then_drops_and_counts_it_and_logging_resumes(void **state)
{
	struct host *host = *state;
	struct deadline deadline = deadline_in(KEPT_FOR + 2 * SOON);
	unsigned long stuck, dropped;
	long long times[2];
	char *log, *said, *text;
	size_t length;
	pid_t web;

	mount_small(host);
	make_counter(host);
	host_start(host);
	web = host_wait_running(host, "web");
	host_wait_log(host, " WARN  web its output cannot be written and waits: No space left");
	assert_int_equal(host_log_times(host, times, 1, " web its output cannot be written"), 1);
	/* it waits in the FIFO, and the service with it */
	do
		stuck = count_of(host);
	while (poll(NULL, 0, 300) == 0 && count_of(host) != stuck);
	/* and then the service goes on */
	while (count_of(host) == stuck)
		deadline_pause(&deadline, "the service goes on", __FILE__, __LINE__);
	(void)time((time_t *)&times[1]);
	assert_true(times[1] - times[0] / 1000 >= KEPT_FOR / 1000 - 1);
	assert_true(process_lives(web));
	assert_int_equal(host_count_log(host, " web its output cannot be written"), 1);
	/* room for what is to come: the file that filled the disk is taken away, as one does */
	assert_int_equal(unlink(log_path(host, "web.log")), 0);
	host_wait_log(host, " WARN  web its output is written again, [0-9]+ bytes were dropped$");
	wait_until(size_of(log_path(host, "web.log")) > 4096);
	log = host_log_text(host);
	said = strstr(log, "written again, ");
	assert_non_null(said);
	dropped = strtoul(said + strlen("written again, "), NULL, 10);
	assert_true(dropped >= 65536);
	text = content_of(log_path(host, "web.log"), &length);
	assert_non_null(strstr(text, " bytes were dropped here --\n"));
	assert_true(strtoul(strstr(text, "-- ") + 3, NULL, 10) == dropped);
	free(text);
	free(log);
	host_stop_all(host);
}

static void
a_full_disk_leaves_no_torn_line_and_nothing_is_lost_within_the_time(void **state)
{
	struct host *host = *state;
	unsigned long next = 1000000;
	char ballast[PATH_MAX], *text;
	size_t length;

	mount_small(host);
	(void)snprintf(ballast, sizeof(ballast), "%s", log_path(host, "ballast"));
	make_storm(host, "rotate_size 4G\n");
	host_remove(host, "blocks");
	host_write(host, "lines/run", 0755,
	    "#!/bin/sh\ni=1000000; while [ $i -lt 1003000 ]; do\n"
	    "echo $i the quick brown fox jumps over the lazy dog; i=$((i + 1)); done\n"
	    "echo end $i; exec sleep 1000\n");
	fill(ballast);
	host_start(host);
	host_wait_log(host, " WARN  lines its output cannot be written and waits: No space left");
	/* 150 KB of lines: some fit at first, the others when there is room for all */
	assert_int_equal(truncate(ballast, 120 * 1024), 0);
	host_wait_log(host, " INFO  lines its output is written again$");
	assert_int_equal(unlink(ballast), 0);
	wait_until(contains(log_path(host, "lines.log"), "\nend "));
	text = content_of(log_path(host, "lines.log"), &length);
	assert_int_equal(check_storm(text, &next), 0);
	assert_int_equal(next, 1003000);
	free(text);
	host_stop_all(host);
}

static void
a_log_directory_that_is_read_only_is_used_again_when_it_is_not(void **state)
{
	struct host *host = *state;
	char mount_point[PATH_MAX];

	mount_small(host);
	(void)snprintf(mount_point, sizeof(mount_point), "%s", log_path(host, ""));
	host_profile(
	    host, "web", "until [ -e go1 ]; do sleep 0.01; done; echo line 1; exec sleep 1000");
	host_write(host, "web/output", 0644, "format raw\n");
	assert_int_equal(mount(NULL, mount_point, NULL, MS_REMOUNT | MS_RDONLY, "size=256k"), 0);
	host_start(host);
	host_write(host, "web/go1", 0644, "%s", "");
	host_wait_log(host, " WARN  web its output cannot be written and waits: Read-only");
	assert_int_equal(mount(NULL, mount_point, NULL, MS_REMOUNT, "size=256k"), 0);
	host_wait_log(host, " INFO  web its output is written again$");
	wait_until(holds(log_path(host, "web.log"), "line 1\n"));
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

/* What keeps one file from being written is no matter of the others. */
static void
a_log_that_cannot_be_written_delays_no_other(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX], line[32];
	long long begun;
	unsigned i;
	int ask;

	assert_int_equal(mkdir(host->state, 0711), 0);
	assert_int_equal(mkdir(log_path(host, ""), 0750), 0);
	assert_int_equal(mkdir(log_path(host, "stuck.log"), 0755), 0);
	host_profile(host, "stuck", "exec yes");
	host_profile(host, "web", "while read line; do echo $line; done <> ask");
	host_write(host, "web/output", 0644, "format raw\n");
	assert_int_equal(mkfifo(host_path(host, "web/ask", path, sizeof(path)), 0600), 0);
	ask = open(path, O_RDWR | O_CLOEXEC);
	assert_true(ask != -1);
	host_start(host);
	host_wait_log(host, " WARN  stuck its output cannot be written and waits: Is a directory");
	for (i = 0; i < 20; i++) {
		begun = now_us();
		(void)snprintf(line, sizeof(line), "line-%u-\n", i);
		assert_int_equal(write(ask, line, strlen(line)), strlen(line));
		wait_until(contains(log_path(host, "web.log"), line));
		assert_true(now_us() - begun < 1000000); /* the stuck one is tried once a second */
	}
	assert_int_equal(close(ask), 0);
	host_stop_all(host);
}

/* --- fairness and memory --- */

static int
compare(const void *one, const void *other)
{
	const long long *a = one, *b = other;

	return (*a > *b) - (*a < *b);
}

/* Microseconds from a service's being asked for a line until the line stands in its file. */
static void
ask_for_lines(struct host *host, long long *times, unsigned count)
{
	struct timespec moment = {.tv_nsec = 500000};
	struct deadline deadline = deadline_in(3 * SOON);
	char path[PATH_MAX];
	long long size, begun;
	unsigned i;
	int ask = open(host_path(host, "quiet/ask", path, sizeof(path)), O_RDWR | O_CLOEXEC);

	assert_true(ask != -1);
	for (i = 0; i < count; i++) {
		size = size_of(log_path(host, "quiet.log"));
		begun = now_us();
		assert_int_equal(write(ask, "x\n", 2), 2);
		while (size_of(log_path(host, "quiet.log")) <= size) {
			(void)nanosleep(&moment, NULL);
			if (deadline_left(&deadline) < 0)
				deadline_pause(&deadline, "a line", __FILE__, __LINE__);
		}
		times[i] = now_us() - begun;
	}
	assert_int_equal(close(ask), 0);
	qsort(times, count, sizeof(*times), compare);
}

/* Microseconds of the whole command. */
static long long
median_status(struct host *host)
{
	long long times[21], begun;
	struct outcome outcome;
	unsigned i;

	for (i = 0; i < 21; i++) {
		begun = now_us();
		ctl(host, &outcome, "status", "quiet");
		times[i] = now_us() - begun;
		assert_int_equal(outcome.status, 0);
	}
	qsort(times, 21, sizeof(times[0]), compare);
	return times[10];
}

/*
 * The promise is 50 ms for 99 of 100, and twice the idle time for a command. Here another one may
 * have the processors: half of the lines have to keep the promise as it stands, 99 of 100 four
 * times the time, and a command gets a part of a second. `make bench` measures it on a quiet
 * machine.
 */
static void
a_flood_from_one_delays_no_line_and_no_command_of_another(void **state)
{
	struct host *host = *state;
	long long times[100], idle;
	char path[PATH_MAX];

	host_profile(host, "quiet", "while read line; do echo $line; done <> ask");
	host_write(host, "quiet/output", 0644, "format raw\n");
	assert_int_equal(mkfifo(host_path(host, "quiet/ask", path, sizeof(path)), 0600), 0);
	host_profile(
	    host, "flood", "until [ -e go ]; do sleep 0.01; done; exec yes all work and no play");
	host_write(host, "flood/output", 0644, "rotate_size 1M\nrotate_keep 1\n");
	host_start(host);
	(void)host_wait_running(host, "quiet");
	ask_for_lines(host, times, 5);
	idle = median_status(host);
	host_write(host, "flood/go", 0644, "%s", "");
	wait_until(access(old_path(log_path(host, "flood.log"), 1), F_OK) == 0);
	ask_for_lines(host, times, 100);
	assert_true(times[50] < 50000);
	assert_true(times[98] < 200000);
	assert_true(median_status(host) < 2 * idle + 100000);
	host_stop_all(host);
}

static unsigned long
waits_of(pid_t pid)
{
	char value[64];

	return strtoul(process_status(pid, "voluntary_ctxt_switches", value, sizeof(value)), NULL, 10);
}

/* The FIFO rests while it fills: the monitor would otherwise wait once for each line or two. */
static void
who_prints_line_by_line_does_not_wake_the_monitor_for_each(void **state)
{
	struct host *host = *state;
	unsigned long before;
	pid_t monitor;

	host_profile(host, "web",
	    "until [ -e go ]; do sleep 0.01; done\n"
	    "i=0; while [ $i -lt 50000 ]; do i=$((i + 1)); echo $i; done; exec sleep 1000");
	host_write(host, "web/output", 0644, "format raw\n");
	host_start(host);
	(void)host_wait_running(host, "web");
	monitor = host_monitor(host);
	before = waits_of(monitor);
	host_write(host, "web/go", 0644, "%s", "");
	wait_until(size_of(log_path(host, "web.log")) == 288894); /* all of them */
	assert_true(contains(log_path(host, "web.log"), "\n49999\n50000\n"));
	assert_int_equal(host_monitor(host), monitor);
	assert_true(waits_of(monitor) - before < 50000 / 8);
	host_stop_all(host);
}

/* KiB that the process holds itself. */
static unsigned long
memory_of(pid_t pid)
{
	char value[64];

	return strtoul(process_status(pid, "RssAnon", value, sizeof(value)), NULL, 10);
}

static void
a_service_that_never_ends_its_line_costs_no_memory_and_gets_split(void **state)
{
	struct host *host = *state;
	unsigned long before;
	pid_t monitor;

	host_profile(
	    host, "web", "until [ -e go ]; do sleep 0.01; done; exec tr '\\0' x < /dev/zero");
	host_write(host, "web/output", 0644, "format raw\nrotate_size 1M\nrotate_keep 3\n");
	host_start(host);
	(void)host_wait_running(host, "web");
	monitor = host_monitor(host);
	before = memory_of(monitor);
	assert_true(before > 0);
	host_write(host, "web/go", 0644, "%s", "");
	wait_until(access(old_path(log_path(host, "web.log"), 3), F_OK) == 0);
	assert_true(contains(old_path(log_path(host, "web.log"), 3), "x\\\nx"));
	assert_int_equal(host_monitor(host), monitor);
	assert_true(memory_of(monitor) < before + 1024);
	host_stop_all(host);
}

static void
a_thousand_services_that_print_at_once_are_written_within_bounds(void **state)
{
	struct host *host = *state;
	struct deadline deadline = deadline_in(6 * SOON);
	char name[64], last[64];
	unsigned i;

	for (i = 0; i < 1000; i++) {
		(void)snprintf(name, sizeof(name), "s%u", i);
		host_profile(host, name, "seq -s ' ' 1 20; exec sleep 1000");
		(void)snprintf(name, sizeof(name), "s%u/output", i);
		host_write(host, name, 0644, "format raw\n");
	}
	host_start(host);
	for (i = 0; i < 1000; i++) {
		(void)snprintf(last, sizeof(last), "s%u.log", i);
		while (!holds(
		    log_path(host, last), "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20\n"))
			deadline_pause(&deadline, last, __FILE__, __LINE__);
	}
	assert_true(memory_of(host_monitor(host)) < 8192);
	host_stop_all(host);
}

/* --- the supervisor's own log --- */

/* Each of these commands is in the log with who gave it. */
static void
make_log_lines(struct host *host, unsigned count)
{
	struct outcome outcome;
	char program[PATH_MAX];

	host_program("proclaunchctl", program, sizeof(program));
	while (count-- > 0) {
		run_program(&outcome, program, "-d", host->state, "signal", "CONT", "web", NULL);
		assert_int_equal(outcome.status, 0);
	}
}

static void
our_own_log_rotates_at_its_size_and_keeps_as_many_as_was_said(void **state)
{
	struct host *host = *state;
	unsigned i;

	host_profile(host, "web", "exec sleep 1000");
	host_start_with(host, "--log-rotate=4K,2", NULL);
	(void)host_wait_running(host, "web");
	for (i = 0; i < 300 && access(old_path(host->log, 2), F_OK) == -1; i++)
		make_log_lines(host, 1);
	assert_true(size_of(old_path(host->log, 2)) >= 4096 &&
	    size_of(old_path(host->log, 2)) < 4096 + 1024);
	make_log_lines(host, 100); /* at least once more */
	assert_int_equal(access(old_path(host->log, 3), F_OK), -1);
	host_stop_all(host);
}

static void
our_own_log_is_opened_anew_when_asked_and_when_deleted(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	char old[PATH_MAX];

	host_profile(host, "web", "exec sleep 1000");
	host_start(host);
	(void)host_wait_running(host, "web");
	(void)snprintf(old, sizeof(old), "%s.old", host->log);
	assert_int_equal(rename(host->log, old), 0);
	ctl(host, &outcome, "reopen", NULL);
	assert_int_equal(outcome.status, 0);
	host_mark_log(host);
	ctl(host, &outcome, "stop", "web");
	host_wait_log(host, " INFO  web stopped$");
	assert_true(contains(old, " web running pid "));
	assert_false(contains(old, " web stopped\n"));
	assert_int_equal(unlink(host->log), 0);
	host_mark_log(host);
	ctl(host, &outcome, "start", "web");
	host_wait_log(host, " INFO  web running pid ");
	host_stop_all(host);
}

/* The log on a file system without room: nothing stops, and what was to be said comes later. */
static void
our_own_log_waits_while_the_disk_is_full_and_loses_nothing(void **state)
{
	struct host *host = *state;
	char folder[PATH_MAX], option[PATH_MAX + 32], ballast[PATH_MAX + 16];
	pid_t pid;

	(void)snprintf(folder, sizeof(folder), "%s/log", host->root);
	assert_int_equal(mkdir(folder, 0755), 0);
	assert_int_equal(
	    mount("tmpfs", folder, "tmpfs", MS_NOSUID | MS_NODEV, "size=64k,mode=0755"), 0);
	(void)snprintf(host->log, sizeof(host->log), "%.100s/log/error.log", host->root);
	(void)snprintf(option, sizeof(option), "--log-path=%s", host->log);
	(void)snprintf(ballast, sizeof(ballast), "%s/ballast", folder);
	host_profile(host, "web", "exec sleep 1000");
	host_start_with(host, option, NULL);
	pid = host_wait_running(host, "web");
	fill(ballast);
	make_log_lines(host, 100); /* the last page of the file had room for some */
	assert_int_equal(kill(pid, SIGKILL), 0);
	process_wait_gone(pid);
	assert_int_equal(host_count_log(host, " web died pid "), 0);
	assert_int_equal(unlink(ballast), 0);
	wait_until(host_count_log(host, " INFO  web died pid %d signal SIGKILL$", pid) == 1);
	assert_int_equal(host_count_log(host, " web signal SIGCONT by uid 0$"), 100);
	host_stop_all(host);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROOT_TEST(stamped_is_the_default_and_raw_is_what_was_printed),
	    TENANT_TEST(stamped_is_the_default_and_raw_is_what_was_printed),
	    ROOT_TEST(stderr_has_a_file_of_its_own_where_it_is_not_merged),
	    ROOT_TEST(what_is_discarded_is_written_nowhere_and_holds_nobody_up),
	    ROOT_TEST(files_rotate_by_size_and_as_many_old_ones_stay_as_was_said),
	    ROOT_TEST(rate_holds_a_service_to_its_lines_a_second),
	    ROOT_TEST(a_bad_output_file_is_refused_with_the_reason),
	    ROOT_TEST(an_unfinished_line_stays_whole_and_goes_out_when_the_service_dies),
	    ROOT_TEST(a_line_longer_than_64_kib_is_split_with_a_mark),
	    ROOT_TEST(a_writer_of_blocks_that_end_within_a_line_is_not_forgotten),
	    ROOT_TEST(a_service_can_open_dev_stdout_as_its_own_user),
	    ROOT_TEST(log_files_are_roots_and_nobody_elses),
	    ROOT_TEST(a_link_in_the_place_of_a_log_file_is_not_followed),
	    ROOT_TEST(reopen_after_logrotate_has_renamed_the_file_loses_nothing),
	    ROOT_TEST(a_monitor_killed_50_times_in_a_storm_and_its_parent_too_lose_no_line),
	    ROOT_TEST(a_spawner_that_is_killed_and_upgrades_lose_no_line),
	    ROOT_TEST(a_rotation_in_a_storm_loses_no_line_and_neither_does_a_death_in_it),
	    ROOT_TEST(a_full_disk_makes_output_wait_then_drops_and_counts_it_and_logging_resumes),
	    ROOT_TEST(a_full_disk_leaves_no_torn_line_and_nothing_is_lost_within_the_time),
	    ROOT_TEST(a_log_directory_that_is_read_only_is_used_again_when_it_is_not),
	    ROOT_TEST(deleted_files_and_directories_are_made_again_without_being_asked),
	    ROOT_TEST(a_log_that_cannot_be_written_delays_no_other),
	    ROOT_TEST(a_flood_from_one_delays_no_line_and_no_command_of_another),
	    ROOT_TEST(who_prints_line_by_line_does_not_wake_the_monitor_for_each),
	    ROOT_TEST(a_service_that_never_ends_its_line_costs_no_memory_and_gets_split),
	    ROOT_TEST(a_thousand_services_that_print_at_once_are_written_within_bounds),
	    ROOT_TEST(our_own_log_rotates_at_its_size_and_keeps_as_many_as_was_said),
	    ROOT_TEST(our_own_log_is_opened_anew_when_asked_and_when_deleted),
	    ROOT_TEST(our_own_log_waits_while_the_disk_is_full_and_loses_nothing),
	};

	return cmocka_run_group_tests_name("output", tests, NULL, NULL);
}
