/*
 * SIGUSR2: the newly installed programs take over in place, and the services do not notice.
 * proclaunch(8), UPGRADE.
 *
 * Each test has programs of its own, in the host's directory: copies of the built ones, and then of
 * the same code that was built under another version.
 */
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

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
#include "guard.h"
#include "host.h"
#include "open_files.h"

static const char *const programs[] = {
    "proclaunch", "proclaunch-monitor", "proclaunch-spawner", "proclaunchctl"};
enum { PARENT, MONITOR, SPAWNER, PROGRAMS, CTL = PROGRAMS };

static char build[PATH_MAX / 2];
static const char next_version[] = PROCLAUNCH_VERSION "-next";

static char *
read_bytes(const char *path, size_t *size)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;
	char *bytes;

	assert_true(file != -1);
	assert_int_equal(fstat(file, &status), 0);
	*size = (size_t)status.st_size;
	bytes = malloc(*size);
	assert_non_null(bytes);
	assert_int_equal(read(file, bytes, *size), *size);
	assert_int_equal(close(file), 0);
	return bytes;
}

/* As `make install` does it: beside the old one first, then in its place. */
static void
install(const struct host *host, unsigned program, const char *bytes, size_t size, mode_t mode)
{
	char path[PATH_MAX], aside[PATH_MAX + 8];
	int file;

	(void)snprintf(path, sizeof(path), "%s/bin/%s", host->root, programs[program]);
	(void)snprintf(aside, sizeof(aside), "%s.new", path);
	file = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	assert_true(file != -1);
	assert_int_equal(write(file, bytes, size), size);
	assert_int_equal(close(file), 0);
	assert_int_equal(chmod(aside, mode), 0);
	assert_int_equal(rename(aside, path), 0);
}

/* Which programs: those that are installed first, or those of the next version. */
enum release { OLD, NEXT };

static void
install_as(const struct host *host, unsigned program, enum release release, unsigned place)
{
	char path[PATH_MAX], *bytes;
	size_t size;

	(void)snprintf(
	    path, sizeof(path), "%s%s/%s", build, release == OLD ? "" : "/next", programs[program]);
	bytes = read_bytes(path, &size);
	install(host, place, bytes, size, 0755);
	free(bytes);
}

static void
install_release(const struct host *host, unsigned program, enum release release)
{
	install_as(host, program, release, program);
}

static void
install_all(const struct host *host, enum release release)
{
	unsigned program;

	for (program = 0; program < PROGRAMS; program++)
		install_release(host, program, release);
}

static int
set_up(void **state, int (*set_up_host)(void **state), mode_t mode)
{
	char program[PATH_MAX], folder[PATH_MAX];
	struct host *host;

	/* once: later it is the last host's own folder */
	if (build[0] == '\0') {
		host_program("proclaunch", program, sizeof(program));
		*strrchr(program, '/') = '\0';
		assert_true((size_t)snprintf(build, sizeof(build), "%s", program) < sizeof(build));
	}
	if (set_up_host(state) != 0)
		return -1;
	host = *state;
	(void)snprintf(folder, sizeof(folder), "%s/bin", host->root);
	assert_int_equal(mkdir(folder, mode), 0);
	install_all(host, OLD);
	return setenv("PROCLAUNCH_BUILD", folder, 1);
}

static int
set_up_root(void **state)
{
	/* nobody else may enter it, as where root builds at home */
	return set_up(state, host_set_up, 0700);
}

static int
set_up_tenant(void **state)
{
	return set_up(state, host_set_up_as_tenant, 0755);
}

static int
set_up_without_cgroups(void **state)
{
	return set_up(state, host_set_up_without_cgroups, 0755);
}

/* A service, a daemon, one that waits for its pid file, one that has ended, one that must not be,
 * and one that prints without pause. */
static void
make_services(struct host *host)
{
	host_profile(host, "service", GUARD "exec sleep 1000");
	host_profile(host, "daemon",
	    "setsid sh -c '" GUARD "echo $$ > pid; exec sleep 1000' > /dev/null 2>&1 &");
	host_write(host, "daemon/pid_file", 0644, "pid\n");
	host_profile(host, "waiting", GUARD UNTIL("../go") "echo $$ > pid\nexec sleep 1000");
	host_write(host, "waiting/pid_file", 0644, "pid\n");
	host_profile(host, "ended", GUARD "exit 0");
	host_profile(host, "down", GUARD "exec sleep 1000");
	host_write(host, "down/down", 0644, "%s", "");
	host_profile(host, "printer",
	    GUARD "i=0; while [ ! -e ../enough ]; do i=$((i + 1)); echo line $i; done\n"
		  "echo $i > ../printed; exec sleep 1000");
}

struct running {
	pid_t service, daemon, printer;
};

static struct running
start_services_with(struct host *host, const char *option)
{
	struct running running;

	make_services(host);
	host_start_with(host, option, NULL);
	running.service = host_wait_running(host, "service");
	running.daemon = host_wait_running(host, "daemon");
	running.printer = host_wait_running(host, "printer");
	host_wait_log(host, " ended stopped$");
	return running;
}

static struct running
start_services(struct host *host)
{
	return start_services_with(host, NULL);
}

static void
assert_nothing_has_happened(struct host *host, const struct running *running)
{
	char path[PATH_MAX];

	assert_true(process_lives(running->service));
	assert_true(process_lives(running->daemon));
	assert_true(process_lives(running->printer));
	assert_int_equal(host_count_log(host,
			     " (service|daemon|printer|waiting|ended|down) "
			     "(starting|running|died|stop|reload)"),
	    0);
	assert_int_equal(access(host_path(host, "second", path, sizeof(path)), F_OK), -1);
}

/* A line may stand there twice where one monitor took over from another, but none is missing. */
static void
assert_line_follows_line(const char *text, unsigned long printed)
{
	unsigned long expected = 1, number;
	const char *line = text, *at;

	while (*line != '\0') {
		at = strchr(line, ' ');
		number =
		    at == NULL || strncmp(at, " line ", 6) != 0 ? 0 : strtoul(at + 6, NULL, 10);
		if (number == 0 || number > expected)
			fail_msg("line %lu is not where it should be", expected);
		expected = number + 1;
		line = strchr(at, '\n');
		assert_non_null(line);
		line++;
	}
	assert_int_equal(expected, printed + 1);
}

/* All files of the printer's output, the oldest first. */
static char *
whole_output(struct host *host)
{
	char path[PATH_MAX], *text = calloc(1, 1), *bytes;
	size_t length = 0, size;
	int age;

	for (age = 9; age >= 0; age--) {
		(void)snprintf(path, sizeof(path), "%s/output/printer.log", host->state);
		if (age > 0)
			(void)snprintf(path + strlen(path), 8, ".%d", age);
		if (access(path, F_OK) != 0)
			continue;
		bytes = read_bytes(path, &size);
		text = realloc(text, length + size + 1);
		assert_non_null(text);
		memcpy(text + length, bytes, size);
		length += size;
		text[length] = '\0';
		free(bytes);
	}
	return text;
}

/* Nothing that the printer said is lost, over whatever happened meanwhile. */
static void
assert_output_is_whole(struct host *host)
{
	char path[PATH_MAX], number[64], last[96], *text;
	unsigned long printed;

	host_write(host, "enough", 0644, "%s", "");
	wait_for_file(host_path(host, "printed", path, sizeof(path)), number, sizeof(number));
	printed = strtoul(number, NULL, 10);
	assert_true(printed > 100);
	(void)snprintf(last, sizeof(last), " line %lu\n", printed);
	for (struct deadline deadline = deadline_in(SOON);; free(text)) {
		text = whole_output(host);
		if (strstr(text, last) != NULL)
			break;
		deadline_pause(&deadline, last, __FILE__, __LINE__);
	}
	assert_line_follows_line(text, printed);
	free(text);
}

/* What proclaunchctl of that release says. */
static int
ctl_of(const struct host *host, enum release release, struct outcome *outcome, const char *verb,
    const char *name)
{
	char path[PATH_MAX];

	(void)snprintf(
	    path, sizeof(path), "%s%s/proclaunchctl", build, release == OLD ? "" : "/next");
	run_program(outcome, path, "-d", host->state, verb, name, NULL);
	return outcome->status;
}

/* proclaunchctl of the same release is answered on the control socket. */
static bool
answers(struct host *host, enum release release)
{
	struct outcome outcome;

	return ctl_of(host, release, &outcome, "ping", NULL) == 0;
}

static ino_t
inode_of(struct host *host, const char *name)
{
	struct stat status;
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/%s", host->state, name);
	assert_int_equal(lstat(path, &status), 0);
	return status.st_ino;
}

/* Whatever it asks with its greeting or after it. */
static void
proclaunchctl_of_another_release_says_so_and_does_nothing(void **state)
{
	static const struct {
		const char *verb, *name;
		int status;
	} asked[] = {{"stop", "service", 1}, {"restart", "daemon", 1}, {"status", "service", 4},
	    {"check", NULL, 3}, {"list", NULL, 1}, {"log", "printer", 1}, {"ping", NULL, 1}};
	struct host *host = *state;
	struct running running = start_services(host);
	struct outcome outcome;
	char text[128];
	size_t i;

	host_settle(host);
	host_mark_log(host);
	for (i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		assert_int_equal(
		    ctl_of(host, NEXT, &outcome, asked[i].verb, asked[i].name), asked[i].status);
		(void)snprintf(text, sizeof(text),
		    "proclaunchctl: the supervisor is version %s, build ", PROCLAUNCH_VERSION);
		assert_int_equal(strncmp(outcome.error, text, strlen(text)), 0);
	}
	/* of a plugin only what it prints is read */
	assert_int_equal(ctl_of(host, NEXT, &outcome, "check", NULL), 3);
	assert_string_equal(
	    outcome.output, "PROCLAUNCH UNKNOWN - the supervisor is of another build\n");
	assert_int_equal(ctl_of(host, NEXT, &outcome, "version", NULL), 0);
	(void)snprintf(text, sizeof(text), "running: ProcLaunch %s (build ", PROCLAUNCH_VERSION);
	assert_non_null(strstr(outcome.output, text));
	assert_nothing_has_happened(host, &running);
	assert_true(answers(host, OLD));
	host_stop_all(host);
}

static void
the_new_programs_take_over_and_no_service_notices(void **state)
{
	struct host *host = *state;
	struct running running = start_services(host);
	pid_t monitor = host_monitor(host), spawner = host_spawner(host);
	ino_t control = inode_of(host, "control"), fifo = inode_of(host, "fifo/service.out");
	char path[PATH_MAX];

	install_all(host, NEXT);
	host_mark_log(host);
	assert_int_equal(kill(host->supervisor, SIGUSR2), 0);
	host_wait_log(
	    host, " INFO  ProcLaunch upgraded from %s to %s$", PROCLAUNCH_VERSION, next_version);
	process_wait_gone(monitor);
	process_wait_gone(spawner);
	assert_int_not_equal(host_monitor(host), monitor);
	assert_int_not_equal(host_spawner(host), spawner);
	assert_true(process_lives(host->supervisor));
	wait_until(answers(host, NEXT));
	host_settle(host);
	assert_nothing_has_happened(host, &running);
	assert_int_equal(host_count_log(host, " WARN  ProcLaunch [^n]"), 0);
	assert_int_equal(inode_of(host, "control"), control);
	assert_int_equal(inode_of(host, "fifo/service.out"), fifo);
	assert_output_is_whole(host);
	/* nor is it open to who comes next, unless that is one of us again */
	(void)open_files_all_close(host->supervisor);

	/* what waited for its pid file still does, and each is supervised as ever */
	host_write(host, "go", 0644, "%s", "");
	(void)host_wait_running(host, "waiting");
	host_write(host, "service/restart", 0644, "%s", "");
	host_settle(host);
	assert_int_equal(kill(running.service, SIGKILL), 0);
	host_wait_log(host, " service died pid %d signal SIGKILL$", running.service);
	assert_int_not_equal(host_wait_running(host, "service"), running.service);

	/* and back, with the same descriptors once more */
	install_all(host, OLD);
	assert_int_equal(kill(host->supervisor, SIGUSR2), 0);
	host_wait_log(
	    host, " INFO  ProcLaunch upgraded from %s to %s$", next_version, PROCLAUNCH_VERSION);
	wait_until(answers(host, OLD));
	assert_true(process_lives(running.daemon));
	assert_int_equal(access(host_path(host, "second", path, sizeof(path)), F_OK), -1);
	host_stop_all(host);
	host_wait_deserted(host);
}

static void assert_goes_on(struct host *host, const struct running *running, const char *why, ...)
    __attribute__((format(printf, 3, 4)));

static void
assert_goes_on(struct host *host, const struct running *running, const char *why, ...)
{
	pid_t monitor = host_monitor(host), spawner = host_spawner(host);
	va_list arguments;
	char text[512];

	va_start(arguments, why);
	(void)vsnprintf(text, sizeof(text), why, arguments);
	va_end(arguments);
	host_mark_log(host);
	assert_int_equal(kill(host->supervisor, SIGUSR2), 0);
	host_wait_log(
	    host, " WARN  ProcLaunch not upgraded: .*%s.* The old binaries carry on\\.$", text);
	assert_int_equal(host_monitor(host), monitor);
	assert_int_equal(host_spawner(host), spawner);
	assert_true(answers(host, OLD));
	host_settle(host);
	assert_nothing_has_happened(host, running);
	assert_int_equal(host_count_log(host, " upgraded from "), 0);
	install_all(host, OLD);
}

static void
when_a_new_program_is_broken_the_old_ones_carry_on_and_say_why(void **state)
{
	static const char garbage[] = "no program", late[] = "#!/bin/sh\nexec sleep 1000\n",
			  fails[] = "#!/bin/sh\necho ProcLaunch 9.9.9; exit 1\n",
			  silent[] = "#!/bin/sh\nexit 0\n";
	struct host *host = *state;
	struct running running = start_services(host);
	unsigned program;

	for (program = 0; program < PROGRAMS; program++) {
		install_all(host, NEXT);
		install(host, program, garbage, strlen(garbage), 0755);
		assert_goes_on(host, &running, "bin/%s: it does not run", programs[program]);
	}
	install(host, MONITOR, fails, strlen(fails), 0755);
	assert_goes_on(host, &running, "bin/proclaunch-monitor: it does not run");
	install(host, SPAWNER, silent, strlen(silent), 0755);
	assert_goes_on(host, &running, "bin/proclaunch-spawner: it does not run");
	install(host, PARENT, garbage, 0, 0755);
	assert_goes_on(host, &running, "bin/proclaunch: it does not run");
	install(host, SPAWNER, late, strlen(late), 0755);
	assert_goes_on(
	    host, &running, "bin/proclaunch-spawner: it has not named its version in time");
	install_release(host, SPAWNER, NEXT);
	assert_goes_on(host, &running, "bin/proclaunch-spawner: it is of another build");
	/* it is of the right build, and would be started again and again */
	for (program = 0; program <= CTL; program++) {
		install_as(host, program, OLD, MONITOR);
		if (program != MONITOR)
			assert_goes_on(host, &running, "bin/proclaunch-monitor: it does not run");
		install_as(host, program, OLD, SPAWNER);
		if (program != SPAWNER)
			assert_goes_on(host, &running, "bin/proclaunch-spawner: it does not run");
	}

	/* and an upgrade is possible as ever */
	install_all(host, NEXT);
	assert_int_equal(kill(host->supervisor, SIGUSR2), 0);
	host_wait_log(host, " upgraded from %s to %s$", PROCLAUNCH_VERSION, next_version);
	assert_nothing_has_happened(host, &running);
	host_stop_all(host);
}

static void
a_storm_of_signals_during_an_upgrade_does_no_harm(void **state)
{
	struct host *host = *state;
	struct running running = start_services(host);
	unsigned i;

	install_all(host, NEXT);
	host_mark_log(host);
	for (i = 0; i < 300; i++) {
		assert_int_equal(kill(host->supervisor, i % 3 == 1 ? SIGUSR1 : SIGUSR2), 0);
		deadline_breathe();
	}
	host_wait_log(host, " upgraded from %s to %s$", PROCLAUNCH_VERSION, next_version);
	wait_until(answers(host, NEXT));
	host_settle(host);
	assert_true(process_lives(host->supervisor));
	assert_nothing_has_happened(host, &running);
	assert_output_is_whole(host);
	host_stop_all(host);
	wait_until(host_processes(host) == 0); /* the last signals had a binary tried, which ends */
}

static void
a_signal_to_leave_that_comes_during_an_upgrade_is_not_lost(void **state)
{
	struct host *host = *state;
	struct running running;

	/* it keeps the supervisor until the new programs have been tried */
	host_profile(
	    host, "slow", "trap : TERM; echo > ready; until [ -e go ]; do sleep 0.01; done");
	running = start_services(host);
	host_wait_ready(host, "slow");
	install_all(host, NEXT);
	assert_int_equal(kill(host->supervisor, SIGUSR2), 0);
	assert_int_equal(kill(host->supervisor, SIGHUP), 0);
	host_wait_log(host, " WARN  ProcLaunch not upgraded: .*: Operation canceled");
	host_write(host, "slow/go", 0644, "%s", "");
	assert_int_equal(host_signal_and_wait(host, SIGCONT), 111);
	assert_false(process_lives(running.service));
	assert_false(process_lives(running.daemon));
	wait_until(host_processes(host) == 0); /* what was tried was killed a moment ago */
}

/* Or the probes of the first would be forgotten, and stay for ever. */
static void
a_second_signal_during_an_upgrade_begins_no_second_one(void **state)
{
	struct host *host = *state;
	struct running running = start_services(host);
	char late[PATH_MAX + 64], probes[PATH_MAX], pids[64];
	pid_t probe;

	/* whoever asks it for its version, without privileges, is noted */
	host_write(host, "probes", 0666, "%s", "");
	host_path(host, "probes", probes, sizeof(probes));
	(void)snprintf(late, sizeof(late), "#!/bin/sh\necho $$ >> %s\nexec sleep 1000\n", probes);
	install(host, SPAWNER, late, strlen(late), 0755);
	host_mark_log(host);
	assert_int_equal(kill(host->supervisor, SIGUSR2), 0);
	probe = wait_for_pid_file(probes);
	assert_int_equal(kill(host->supervisor, SIGUSR2), 0);
	host_wait_log(host, " WARN  ProcLaunch not upgraded: .*it has not named its version");
	host_settle(host);
	wait_for_file(probes, pids, sizeof(pids));
	assert_ptr_equal(strchr(pids, '\n'), pids + strlen(pids) - 1); /* one */
	process_wait_gone(probe);
	assert_int_equal(host_count_log(host, " not upgraded: "), 1);
	assert_nothing_has_happened(host, &running);
	host_stop_all(host);
}

/* The interpreter of a program that is tried, and is gone when the program is to take over. */
static void
install_interpreter(const struct host *host, char *path, size_t size)
{
	char folder[PATH_MAX], *bytes;
	size_t length;
	int file;

	(void)snprintf(folder, sizeof(folder), "%s/interpreter", host->root);
	assert_int_equal(mkdir(folder, 0755), 0);
	assert_int_equal(chmod(folder, 0777), 0); /* whoever tries it takes it away */
	(void)snprintf(path, size, "%.90s/interpreter/sh", host->root);
	bytes = read_bytes("/bin/sh", &length);
	file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	assert_true(file != -1);
	assert_int_equal(write(file, bytes, length), length);
	assert_int_equal(close(file), 0);
	free(bytes);
}

/* A parent that is tried with success, and cannot be executed when it is to take over. */
static void
install_fleeting_parent(const struct host *host)
{
	char interpreter[128], script[512];

	install_interpreter(host, interpreter, sizeof(interpreter));
	(void)snprintf(script, sizeof(script),
	    "#!%s\nrm %s\necho 'ProcLaunch " PROCLAUNCH_VERSION " (build " PROCLAUNCH_BUILD ")'\n",
	    interpreter, interpreter);
	install(host, PARENT, script, strlen(script), 0755);
}

/* The monitor and the spawner have been ended by then: the old parent starts its own again. */
static void
when_the_exec_of_the_new_parent_is_not_to_be_had_the_old_one_carries_on(void **state)
{
	struct host *host = *state;
	struct running running = start_services(host);
	pid_t monitor = host_monitor(host), spawner = host_spawner(host);

	install_fleeting_parent(host);
	host_mark_log(host);
	assert_int_equal(kill(host->supervisor, SIGUSR2), 0);
	host_wait_log(host,
	    " WARN  ProcLaunch not upgraded: .*/bin/proclaunch: No such file or directory\\. "
	    "The old binaries carry on\\.$");
	wait_until(answers(host, OLD));
	assert_int_not_equal(host_monitor(host), monitor);
	assert_int_not_equal(host_spawner(host), spawner);
	host_settle(host);
	assert_nothing_has_happened(host, &running);
	/* each is supervised as ever */
	host_write(host, "service/restart", 0644, "%s", "");
	host_settle(host);
	assert_int_equal(kill(running.service, SIGKILL), 0);
	host_wait_log(host, " service died pid %d signal SIGKILL$", running.service);
	assert_int_not_equal(host_wait_running(host, "service"), running.service);
	assert_output_is_whole(host);
	host_stop_all(host);
	host_wait_deserted(host);
}

static char started_in[PATH_MAX]; /* before_exec has no argument */

static void
enter_directory(void)
{
	if (chdir(started_in) == -1)
		_exit(125);
}

/* The folder that the program was built in, say; all paths on the command line are absolute. */
static void
the_directory_that_the_parent_was_started_in_may_be_removed(void **state)
{
	struct host *host = *state;
	struct running running;

	(void)snprintf(started_in, sizeof(started_in), "%s/here", host->root);
	assert_int_equal(mkdir(started_in, 0755), 0);
	host->before_exec = enter_directory;
	running = start_services(host);
	assert_int_equal(rmdir(started_in), 0);
	install_all(host, NEXT);
	host_mark_log(host);
	assert_int_equal(kill(host->supervisor, SIGUSR2), 0);
	host_wait_log(host, " ProcLaunch upgraded from ");
	host_settle(host);
	assert_nothing_has_happened(host, &running);
	host_stop_all(host);
}

static void
permit_few_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		_exit(125);
	limit.rlim_cur = limit.rlim_max / 2;
	if (setrlimit(RLIMIT_NOFILE, &limit) == -1)
		_exit(125);
}

/* The limit on open files was given back for the exec: the parent needs it raised again. */
static void
when_the_exec_itself_fails_the_old_parent_has_as_many_descriptors_as_before(void **state)
{
	struct host *host = *state;
	struct rlimit before, after;
	pid_t monitor;

	host->before_exec = permit_few_descriptors;
	host_start(host);
	monitor = host_monitor(host);
	assert_int_equal(prlimit(host->supervisor, RLIMIT_NOFILE, NULL, &before), 0);
	assert_true(before.rlim_cur == before.rlim_max);
	install_fleeting_parent(host);
	assert_int_equal(kill(host->supervisor, SIGUSR2), 0);
	host_wait_log(host,
	    " WARN  ProcLaunch not upgraded: .*/bin/proclaunch: No such file or directory\\.");
	wait_until(answers(host, OLD));
	assert_int_not_equal(host_monitor(host), monitor); /* it was as late as that */
	assert_int_equal(prlimit(host->supervisor, RLIMIT_NOFILE, NULL, &after), 0);
	assert_true(after.rlim_cur == before.rlim_cur && after.rlim_max == before.rlim_max);
	(void)open_files_all_close(host->supervisor); /* what the next one was to have */
	host_stop_all(host);
}

static void
assert_not_upgraded(struct host *host, const struct running *running, const char *why)
{
	host_mark_log(host);
	assert_int_equal(kill(host->supervisor, SIGUSR2), 0);
	host_wait_log(
	    host, " WARN  ProcLaunch not upgraded: %s\\. The old binaries carry on\\.$", why);
	assert_true(answers(host, OLD));
	assert_nothing_has_happened(host, running);
}

/* The new parent would refuse to start, as it should, and nobody would supervise any more. */
static void
when_the_new_parent_could_not_open_what_the_old_one_has_that_one_carries_on(void **state)
{
	struct host *host = *state;
	char tenants[PATH_MAX], option[PATH_MAX], moved[PATH_MAX];
	struct running running;

	(void)snprintf(tenants, sizeof(tenants), "%s/tenants", host->root);
	(void)snprintf(option, sizeof(option), "--tenants=%.100s/tenants", host->root);
	(void)snprintf(moved, sizeof(moved), "%s/moved", host->root);
	assert_int_equal(mkdir(tenants, 0755), 0);
	running = start_services_with(host, option);
	install_all(host, NEXT);
	assert_int_equal(rename(tenants, moved), 0);
	assert_not_upgraded(host, &running, ".*/tenants: No such file or directory");
	assert_int_equal(rename(moved, tenants), 0);
	assert_int_equal(chmod(host->profiles, 0777), 0);
	assert_not_upgraded(
	    host, &running, ".*/profiles: somebody else owns it, may write to it, .*");
	assert_int_equal(chmod(host->profiles, 0755), 0);
	assert_int_equal(link(host->log, moved), 0);
	assert_not_upgraded(host, &running, "the log: somebody else .* or has a link to it");
	assert_int_equal(unlink(moved), 0);
	/* in another state directory it would find no ledger, and start all a second time */
	assert_int_equal(rename(host->state, moved), 0);
	assert_int_equal(mkdir(host->state, 0711), 0);
	host_mark_log(host);
	assert_int_equal(kill(host->supervisor, SIGUSR2), 0);
	host_wait_log(
	    host, " not upgraded: %s: another directory has taken its place\\. ", host->state);
	assert_int_equal(rmdir(host->state), 0);
	assert_int_equal(rename(moved, host->state), 0);
	host_mark_log(host);
	assert_int_equal(kill(host->supervisor, SIGUSR2), 0);
	host_wait_log(host, " ProcLaunch upgraded from ");
	assert_nothing_has_happened(host, &running);
	host_stop_all(host);
}

#define UPGRADE_TEST(function, how, set_up_function)                                             \
	{                                                                                        \
		.name = #function how, .test_func = (function), .setup_func = (set_up_function), \
		.teardown_func = host_tear_down                                                  \
	}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    UPGRADE_TEST(the_new_programs_take_over_and_no_service_notices, "", set_up_root),
	    UPGRADE_TEST(the_new_programs_take_over_and_no_service_notices, " (without cgroups)",
		set_up_without_cgroups),
	    UPGRADE_TEST(the_new_programs_take_over_and_no_service_notices,
		" (as an ordinary user)", set_up_tenant),
	    UPGRADE_TEST(
		proclaunchctl_of_another_release_says_so_and_does_nothing, "", set_up_root),
	    UPGRADE_TEST(
		when_a_new_program_is_broken_the_old_ones_carry_on_and_say_why, "", set_up_root),
	    UPGRADE_TEST(a_storm_of_signals_during_an_upgrade_does_no_harm, "", set_up_root),
	    UPGRADE_TEST(
		a_signal_to_leave_that_comes_during_an_upgrade_is_not_lost, "", set_up_root),
	    UPGRADE_TEST(a_second_signal_during_an_upgrade_begins_no_second_one, "", set_up_root),
	    UPGRADE_TEST(when_the_exec_of_the_new_parent_is_not_to_be_had_the_old_one_carries_on,
		"", set_up_root),
	    UPGRADE_TEST(
		when_the_new_parent_could_not_open_what_the_old_one_has_that_one_carries_on, "",
		set_up_root),
	    UPGRADE_TEST(
		the_directory_that_the_parent_was_started_in_may_be_removed, "", set_up_root),
	    UPGRADE_TEST(
		when_the_exec_itself_fails_the_old_parent_has_as_many_descriptors_as_before, "",
		set_up_root),
	};

	return cmocka_run_group_tests_name("upgrade", tests, NULL, NULL);
}
