/*
 * Nothing that a service has printed is lost, whoever of us is killed, and a log that takes nothing
 * delays no other: proclaunch(8), OUTPUT.
 */
#include <sys/stat.h>
#include <sys/syscall.h>

#include <dirent.h>
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

#include "fault.h"
#include "printed.h"

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

static void
end_storm(struct host *host)
{
	host_write(host, "lines/stop", 0644, "%s", "");
	host_write(host, "blocks/stop", 0644, "%s", "");
	wait_until(last_line_begins(log_path(host, "lines.log"), "end "));
	wait_until(last_line_begins(log_path(host, "blocks.log"), "end "));
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
		assert_true(printed_in_order(text, &next) <= deaths);
		assert_true(next > 1002000); /* it was a storm */
		free(text);
	}
}

/* Waits until both files have been written to: one that was put aside is smaller then. */
static void
wait_storm_goes_on(struct host *host)
{
	long long lines = size_of(log_path(host, "lines.log"));
	long long blocks = size_of(log_path(host, "blocks.log"));

	wait_until(size_of(log_path(host, "lines.log")) != lines);
	wait_until(size_of(log_path(host, "blocks.log")) != blocks);
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
		assert_true(printed_in_order(text, &next) <= death);
		free(text);
	}
	host_stop_all(host);
}

/* As where the FIFOs of others have used up what pipe(7) grants to all of them together. */
static void
let_no_fifo_grow(void)
{
	static const struct fault refused = {
	    .number = SYS_fcntl, .argument = 1, .value = F_SETPIPE_SZ, .error = EPERM};

	if (!fault_install(&refused))
		_exit(125);
}

/* What fills up while the monitor looks at the beginning of a line was once taken for a line that
 * can grow no more. There are more writers than processors, so that it happens often. */
static void
a_fifo_that_is_full_and_cannot_grow_tears_no_line(void **state)
{
	static const char *const names[] = {"one", "two", "three"};
	struct deadline printed = deadline_in(6 * SOON); /* in small pieces */
	struct host *host = *state;
	unsigned long next;
	char path[PATH_MAX], *text;
	size_t length, i;
	int fifo;

	host->before_exec = let_no_fifo_grow;
	for (i = 0; i < 3; i++) {
		host_profile(host, names[i],
		    "until [ -e ../go ]; do sleep 0.01; done\n"
		    "seq -f '%%.0f the quick brown fox jumps over the lazy dog' 1000000 1199999\n"
		    "echo end 1200000; exec sleep 1000");
		(void)snprintf(path, sizeof(path), "%s/output", names[i]);
		host_write(host, path, 0644, "format raw\nrotate_size 1G\n");
	}
	host_start(host);
	for (i = 0; i < 3; i++) {
		(void)host_wait_running(host, names[i]);
		(void)snprintf(path, sizeof(path), "%s/fifo/%s.out", host->state, names[i]);
		fifo = open(path, O_RDWR | O_CLOEXEC);
		assert_int_equal(fcntl(fifo, F_SETPIPE_SZ, 8192), 8192);
		assert_int_equal(close(fifo), 0);
	}
	host_write(host, "go", 0644, "%s", "");
	for (i = 0; i < 3; i++) {
		(void)snprintf(path, sizeof(path), "%s.log", names[i]);
		while (!last_line_begins(log_path(host, path), "end "))
			deadline_pause(&printed, path, __FILE__, __LINE__);
		text = content_of(log_path(host, path), &length);
		next = 1000000;
		(void)printed_in_order(text, &next);
		assert_int_equal(next, 1200000);
		free(text);
	}
	host_stop_all(host);
}

/* --- what a service printed last, and nobody has read when it ends --- */

/* How many descriptors of the process are FIFOs of services. */
static unsigned
fifos_of(pid_t pid)
{
	char path[64], target[PATH_MAX];
	unsigned found = 0;
	struct dirent *entry;
	ssize_t length;
	DIR *folder;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	folder = opendir(path);
	assert_non_null(folder);
	while ((entry = readdir(folder)) != NULL) {
		length = readlinkat(dirfd(folder), entry->d_name, target, sizeof(target) - 1);
		if (length <= 0)
			continue;
		target[length] = '\0';
		found += strstr(target, "/fifo/web.") != NULL;
	}
	(void)closedir(folder);
	return found;
}

/* A service whose monitor is stopped prints its last line and dies: it stands in the FIFO alone. */
static void
print_last_line(struct host *host, pid_t web, pid_t monitor)
{
	char path[PATH_MAX], text[16];

	assert_int_equal(kill(monitor, SIGSTOP), 0);
	host_write(host, "web/go", 0644, "%s", "");
	wait_for_file(host_path(host, "web/printed", path, sizeof(path)), text, sizeof(text));
	assert_int_equal(kill(web, SIGKILL), 0);
	process_wait_gone(web);
}

static pid_t
start_one_that_has_last_words(struct host *host)
{
	pid_t web;

	host_profile(host, "web",
	    "echo first; until [ -e go ]; do sleep 0.01; done; echo last; printf word\n"
	    "echo > printed; exec sleep 1000");
	host_write(host, "web/output", 0644, "format raw\n");
	host_start(host);
	web = host_wait_running(host, "web");
	wait_until(holds(log_path(host, "web.log"), "first\n"));
	return web;
}

static void
its_last_words_are_not_lost_with_a_monitor_that_is_killed(void **state)
{
	struct host *host = *state;
	pid_t web = start_one_that_has_last_words(host), monitor = host_monitor(host);

	/* nor when the spawner that saw its birth has been replaced */
	assert_int_equal(kill(host_spawner(host), SIGKILL), 0);
	print_last_line(host, web, monitor);
	/* it is the parent that has it, whatever it does */
	assert_int_equal(kill(host->supervisor, SIGSTOP), 0);
	assert_int_equal(kill(monitor, SIGKILL), 0);
	wait_until(!process_lives(monitor));
	assert_int_equal(fifos_of(host->supervisor), 1);
	assert_int_equal(kill(host->supervisor, SIGCONT), 0);
	wait_until(holds(log_path(host, "web.log"), "first\nlast\nword\n"));
	host_stop_all(host);
}

/* Both have died: it is the parent that holds it. */
static void
its_last_words_are_not_lost_while_there_is_no_monitor_and_no_spawner(void **state)
{
	struct host *host = *state;
	pid_t web = start_one_that_has_last_words(host), spawner, monitor;
	char path[PATH_MAX], text[16];
	unsigned death;

	/* one that has died often is started late */
	for (death = 0; death < 12; death++) {
		monitor = host_monitor(host);
		assert_int_equal(kill(monitor, SIGKILL), 0);
		process_wait_gone(monitor);
	}
	spawner = host_spawner(host);
	assert_int_equal(kill(spawner, SIGKILL), 0);
	process_wait_gone(spawner);
	host_write(host, "web/go", 0644, "%s", "");
	wait_for_file(host_path(host, "web/printed", path, sizeof(path)), text, sizeof(text));
	assert_int_equal(kill(web, SIGKILL), 0);
	wait_until(holds(log_path(host, "web.log"), "first\nlast\nword\n"));
	assert_int_equal(fifos_of(host->supervisor), 1);
	host_stop_all(host);
}

/* The monitor, which is stopped, ends with the spawner after the five seconds that an upgrade waits
 * for a log line. */
static void
its_last_words_are_not_lost_in_an_upgrade(void **state)
{
	struct host *host = *state;
	pid_t web = start_one_that_has_last_words(host), monitor = host_monitor(host);

	print_last_line(host, web, monitor);
	assert_int_equal(kill(host->supervisor, SIGUSR2), 0);
	host_wait_log(host, " ProcLaunch upgraded from ");
	wait_until(holds(log_path(host, "web.log"), "first\nlast\nword\n"));
	assert_int_equal(fifos_of(host->supervisor), 1);
	host_stop_all(host);
}

/* --- a log that takes nothing --- */

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROOT_TEST(a_monitor_killed_50_times_in_a_storm_and_its_parent_too_lose_no_line),
	    ROOT_TEST(a_spawner_that_is_killed_and_upgrades_lose_no_line),
	    ROOT_TEST(a_rotation_in_a_storm_loses_no_line_and_neither_does_a_death_in_it),
	    ROOT_TEST(a_fifo_that_is_full_and_cannot_grow_tears_no_line),
	    ROOT_TEST(its_last_words_are_not_lost_with_a_monitor_that_is_killed),
	    ROOT_TEST(its_last_words_are_not_lost_while_there_is_no_monitor_and_no_spawner),
	    ROOT_TEST(its_last_words_are_not_lost_in_an_upgrade),
	    ROOT_TEST(a_log_that_cannot_be_written_delays_no_other),
	};

	return cmocka_run_group_tests_name("output_loss", tests, NULL, NULL);
}
