/*
 * A supervisor that was started as badly as it can be: whatever the shell, the cron job or the
 * container before it has left behind, a service sees none of it. The service is this very program,
 * which says what it finds.
 */
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/ioprio.h>
#include <linux/keyctl.h>
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

#include "child.h"
#include "host.h"
#include "open_files.h"

#define SECRET	      "proclaunch-test-hostile"
#define REPORT	      "report"
#define NO_CAPABILITY "0000000000000000"
#define SPARE	      50

static void
say_descriptors(FILE *report)
{
	DIR *directory = opendir("/proc/self/fd");
	const struct dirent *entry;

	(void)fprintf(report, "descriptors");
	while (directory != NULL && (entry = readdir(directory)) != NULL)
		if (entry->d_name[0] != '.' && atoi(entry->d_name) != dirfd(directory) &&
		    atoi(entry->d_name) != fileno(report))
			(void)fprintf(report, " %s", entry->d_name);
	(void)fprintf(report, "\n");
	if (directory != NULL)
		(void)closedir(directory);
}

static void
say_groups(FILE *report)
{
	gid_t groups[64];
	int count = getgroups(64, groups), i;

	(void)fprintf(report, "groups");
	for (i = 0; i < count; i++)
		(void)fprintf(report, " %u", groups[i]);
	(void)fprintf(report, "\n");
}

static void
say_signals(FILE *report)
{
	struct sigaction action;
	sigset_t blocked;
	int number, odd = 0;

	(void)sigprocmask(SIG_BLOCK, NULL, &blocked);
	for (number = 1; number < NSIG; number++)
		odd += sigismember(&blocked, number) == 1 ||
		    (sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_DFL);
	(void)fprintf(report, "signals %d\n", odd);
}

/* What only the process itself can find out. */
static _Noreturn void
witness(void)
{
	FILE *report = fopen(REPORT ".new", "we");
	char **variable;
	int signal = -1;
	cpu_set_t cpus;

	if (report == NULL)
		_exit(1);
	say_descriptors(report);
	say_groups(report);
	say_signals(report);
	for (variable = environ; *variable != NULL; variable++)
		if (strncmp(*variable, "__LLVM_PROFILE_", 15) != 0) /* our own, of make coverage */
			(void)fprintf(
			    report, "variable %.*s\n", (int)strcspn(*variable, "="), *variable);
	(void)fprintf(report, "terminal %d\n", open("/dev/tty", O_RDWR | O_CLOEXEC));
	(void)fprintf(report, "key %ld\n",
	    syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user", SECRET, 0));
	(void)prctl(PR_GET_PDEATHSIG, &signal);
	(void)sched_getaffinity(0, sizeof(cpus), &cpus);
	(void)fprintf(report, "death signal %d\nnice %d\nscheduler %d\npersonality %d\n", signal,
	    getpriority(PRIO_PROCESS, 0), sched_getscheduler(0), personality(0xffffffff));
	(void)fprintf(
	    report, "I/O priority %ld\n", syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0) >> 13);
	(void)fprintf(report, "umask %03o\nprocessors %d\nsession %d\n", umask(0), CPU_COUNT(&cpus),
	    getsid(0) == getpid());
	(void)fprintf(report, "securebits %d\nsubreaper %d\n", prctl(PR_GET_SECUREBITS),
	    (signal = -1, (void)prctl(PR_GET_CHILD_SUBREAPER, &signal), signal));
	if (fclose(report) == EOF || rename(REPORT ".new", REPORT) == -1)
		_exit(1);
	for (;;)
		(void)pause();
}

static void
must(bool done)
{
	if (!done)
		_exit(125);
}

/* The other end is the test's: a supervisor that closed the last one would get SIGHUP. */
static int terminal = -1;

static void
take_a_terminal(void)
{
	int slave;

	must(grantpt(terminal) == 0 && unlockpt(terminal) == 0);
	must(setsid() != -1);
	slave = open(ptsname(terminal), O_RDWR);
	must(slave != -1 && ioctl(slave, TIOCSCTTY, 0) == 0);
}

static void
give_away_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	int capability;

	must(syscall(SYS_capget, &header, data) == 0);
	data[0].inheritable = data[0].permitted;
	data[1].inheritable = data[1].permitted;
	must(syscall(SYS_capset, &header, data) == 0);
	for (capability = 0; capability < 40; capability++)
		(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0); /* is there */
	must(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_SETUID, 0, 0) == 1);
}

static void
spoil_signals(void)
{
	sigset_t all;
	int number;

	for (number = 1; number < NSIG; number++)
		(void)signal(number, SIG_IGN); /* as far as it can be */
	must(sigfillset(&all) == 0 && sigprocmask(SIG_SETMASK, &all, NULL) == 0);
}

static void
spoil_scheduling(void)
{
	const struct sched_param none = {.sched_priority = 0};
	cpu_set_t first;
	int file;

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	must(sched_setaffinity(0, sizeof(first), &first) == 0);
	must(setpriority(PRIO_PROCESS, 0, 7) == 0);
	must(syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_CLASS_IDLE << 13) == 0);
	must(sched_setscheduler(0, SCHED_IDLE, &none) == 0);
	file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	must(file != -1 && write(file, "300", 3) == 3 && close(file) == 0);
	/* the kernel itself clears some where an exec gains capabilities; not this one */
	must(personality(ADDR_NO_RANDOMIZE | UNAME26) != -1);
}

static void
spoil_everything(void)
{
	static const gid_t groups[] = {0, 4, 27};
	int i, null;

	take_a_terminal();
	spoil_signals();
	spoil_scheduling();
	(void)umask(0);
	must(setgroups(3, groups) == 0);
	give_away_capabilities();
	must(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, "proclaunch-test") != -1);
	must(syscall(SYS_add_key, "user", SECRET, "x", 1, KEY_SPEC_SESSION_KEYRING) != -1);
	must(setenv("LD_PRELOAD", "/nonexistent/proclaunch-test.so", 1) == 0);
	must(setenv("BASH_ENV", "/etc/passwd", 1) == 0 && setenv("ENV", "/etc/passwd", 1) == 0);
	must(setenv("LD_LIBRARY_PATH", "/nonexistent", 1) == 0 && setenv("IFS", "/", 1) == 0);
	must(setenv("GLIBC_TUNABLES", "glibc.malloc.check=0", 1) == 0);
	null = open("/etc/shadow", O_RDONLY);
	must(null != -1);
	for (i = 0; i < SPARE; i++)
		must(dup(null) != -1);
	for (i = 0; i <= STDERR_FILENO; i++)
		(void)close(i);
}

static void
make_witness(struct host *host, const char *name, const char *user)
{
	char path[PATH_MAX], run[PATH_MAX];
	struct stat status;
	int from, to;

	(void)snprintf(path, sizeof(path), "%s/run", name);
	host_write(host, path, 0755, "%s", "");
	from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	to = open(host_path(host, path, run, sizeof(run)), O_WRONLY | O_CLOEXEC);
	assert_int_equal(fstat(from, &status), 0);
	assert_int_equal(sendfile(to, from, NULL, (size_t)status.st_size), status.st_size);
	assert_int_equal(close(from) | close(to), 0);
	if (user != NULL)
		host_chown(host, name, user);
}

/* A witness of AddressSanitizer's takes SIGSEGV, SIGBUS and SIGFPE itself. */
#ifdef PROCLAUNCH_SANITIZE
#define SIGNALS_TAKEN 3
#else
#define SIGNALS_TAKEN 0
#endif

/* `groups` are all that the account is in. */
static pid_t
assert_untouched(struct host *host, const char *name, const char *groups)
{
	char report[4096], expected[4096], path[PATH_MAX], text[PATH_MAX];
	cpu_set_t ours;
	pid_t pid = host_wait_running(host, name);

	(void)snprintf(path, sizeof(path), "%s/%s/" REPORT, host->profiles, name);
	wait_for_file(path, report, sizeof(report));
	/* all that there are, should whoever runs the tests keep to some of them */
	memset(&ours, 0xff, sizeof(ours));
	assert_int_equal(sched_setaffinity(0, sizeof(ours), &ours), 0);
	assert_int_equal(sched_getaffinity(0, sizeof(ours), &ours), 0);
	(void)snprintf(expected, sizeof(expected),
	    "descriptors 0 1 2\ngroups%s\nsignals %d\nvariable PATH\nvariable HOME\n"
	    "variable USER\nvariable LOGNAME\nvariable SHELL\nvariable PROCLAUNCH_PROFILE\n"
	    "terminal -1\nkey -1\ndeath signal 0\nnice 0\nscheduler %d\npersonality 0\n"
	    "I/O priority %d\n"
	    "umask 022\nprocessors %d\nsession 1\nsecurebits 0\nsubreaper 0\n",
	    groups, SIGNALS_TAKEN, SCHED_OTHER, IOPRIO_CLASS_NONE, CPU_COUNT(&ours));
	assert_string_equal(report, expected);
	assert_status(pid, "SigIgn", NO_CAPABILITY);
	assert_status(pid, "SigBlk", NO_CAPABILITY);
	assert_status(pid, "CapInh", NO_CAPABILITY);
	assert_status(pid, "CapAmb", NO_CAPABILITY);
	assert_status(pid, "Seccomp", "0");
	assert_true(read_proc(pid, "oom_score_adj", text, sizeof(text)) > 0);
	assert_string_equal(text, "0\n");
	return pid;
}

static const char *
groups_of(const char *account, char *text, size_t size)
{
	gid_t groups[64];
	int count = 64, i;
	size_t used = 0;

	text[0] = '\0';
	assert_true(getgrouplist(account, account_gid(account), groups, &count) > 0);
	for (i = 0; i < count; i++)
		used += (size_t)snprintf(text + used, size - used, " %u", groups[i]);
	return text;
}

static void
nothing_that_the_supervisor_was_started_with_reaches_a_service(void **state)
{
	struct host *host = *state;
	char groups[512];
	pid_t pid;

	terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_int_not_equal(terminal, -1);
	host->before_exec = spoil_everything;
	make_witness(host, "web", TENANT);
	make_witness(host, "of-root", NULL);
	host_start(host);
	pid = assert_untouched(host, "web", groups_of(TENANT, groups, sizeof(groups)));
	assert_status(pid, "CapPrm", NO_CAPABILITY);
	assert_status(pid, "CapEff", NO_CAPABILITY);
	assert_status(pid, "NoNewPrivs", "1");
	assert_int_equal(process_uid(pid), account_uid(TENANT));
	(void)assert_untouched(host, "of-root", groups_of("root", groups, sizeof(groups)));
	host_stop_all(host);
	assert_int_equal(close(terminal), 0);
}

static void
assert_no_environment(pid_t pid)
{
	char text[256];

	assert_int_equal(read_proc(pid, "environ", text, sizeof(text)), 0);
}

static void
assert_nothing_open(pid_t pid, const char *what)
{
	char path[64], link[96], target[PATH_MAX];
	const struct dirent *entry;
	unsigned seen = 0;
	ssize_t length;
	DIR *directory;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	directory = opendir(path);
	assert_non_null(directory);
	while ((entry = readdir(directory)) != NULL) {
		(void)snprintf(link, sizeof(link), "%s/%.8s", path, entry->d_name);
		length = readlink(link, target, sizeof(target) - 1);
		if (length <= 0)
			continue;
		target[length] = '\0';
		seen++;
		if (strcmp(target, what) == 0)
			fail_msg("descriptor %s of pid %d is %s", entry->d_name, pid, target);
	}
	assert_int_equal(closedir(directory), 0);
	assert_in_range(seen, 3, 1000);
}

static void
nothing_that_the_supervisor_was_started_with_reaches_monitor_and_spawner(void **state)
{
	struct host *host = *state;
	pid_t children[2];
	int i;

	terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_int_not_equal(terminal, -1);
	host->before_exec = spoil_everything;
	host_profile(host, "web", "exec sleep 1000");
	host_start(host);
	(void)host_wait_running(host, "web");
	children[0] = host_monitor(host);
	children[1] = host_spawner(host);
	for (i = 0; i < 2; i++) {
		assert_no_environment(children[i]);
		assert_nothing_open(children[i], "/etc/shadow");
		assert_status(children[i], "CapAmb", NO_CAPABILITY);
		assert_status(children[i], "CapInh", NO_CAPABILITY);
		assert_status(children[i], "Groups", "");
	}
	assert_nothing_open(host->supervisor, "/etc/shadow");
	assert_status(host->supervisor, "Groups", "");
	assert_status(children[0], "CapPrm", NO_CAPABILITY);
	host_stop_all(host);
	assert_int_equal(close(terminal), 0);
}

/* Monitor and spawner close all others once more; a new binary that an upgrade tries, and that is
 * not known to be ours, gets whatever does not close itself. */
static void
all_that_the_parent_has_open_closes_itself_at_an_exec(void **state)
{
	struct host *host = *state;
	char option[PATH_MAX], path[PATH_MAX];

	host_profile(host, "web", "exec sleep 1000");
	host_profile(host, "daemon", "exec sleep 1000");
	host_write(host, "daemon/pid_file", 0644, "pid\n"); /* it is waited for, and watched */
	assert_int_equal(mkdir(host_path(host, "../tenants", path, sizeof(path)), 0755), 0);
	(void)snprintf(option, sizeof(option), "--tenants=%s/tenants", host->root);
	host_start_with(host, option, NULL);
	(void)host_wait_running(host, "web");
	host_settle(host);
	assert_in_range(open_files_all_close(host->supervisor), 16, 255);
	host_stop_all(host);
}

/* No arguments, not even a name, and nothing but the standard descriptors. */
static void
execute_bare(void *context)
{
	char *none[] = {NULL};

	REQUIRE(syscall(SYS_close_range, 3, ~0U, 0) == 0);
	(void)execve(context, none, none);
	REQUIRE(!"executed");
}

static void
without_arguments_and_channel_each_program_says_so_and_ends(void **state)
{
	static const struct {
		const char *program;
		int status;
		const char *words;
	} ends[] = {
	    {"proclaunch", 2, "usage: "},
	    {"proclaunchctl", 2, "usage: "},
	    {"proclaunch-monitor", 1, "this is started by proclaunch(8)"},
	    {"proclaunch-spawner", 1, "this is started by proclaunch(8)"},
	};
	char program[PATH_MAX], said[8192];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		(void)host_program(ends[i].program, program, sizeof(program));
		assert_int_equal(
		    child_status(execute_bare, program, said, sizeof(said)), ends[i].status);
		if (strstr(said, ends[i].words) == NULL)
			fail_msg("%s says: %s", ends[i].program, said);
	}
}

static void
limit_file_size(void)
{
	static const struct rlimit limit = {.rlim_cur = 8192, .rlim_max = 8192};

	if (setrlimit(RLIMIT_FSIZE, &limit) == -1)
		_exit(125);
}

/* The kernel says so by a signal, too, which would end a parent that had not thought of it. */
static void
what_is_larger_than_a_limit_permits_is_an_error_and_no_end(void **state)
{
	struct host *host = *state;

	host->before_exec = limit_file_size;
	host_profile(host, "web", ": > executed; exec sleep 1000");
	host_start(host);
	host_wait_log(host, " WARN  web cannot start: ledger: File too large$");
	assert_int_equal(host_count_log(host, " web running "), 0);
	host_stop_all(host);
}

static void
no_signal_of_a_timer_a_limit_or_a_descriptor_ends_the_parent(void **state)
{
	static const int numbers[] = {
	    SIGIO, SIGPROF, SIGPWR, SIGSTKFLT, SIGVTALRM, SIGXCPU, SIGXFSZ};
	struct host *host = *state;
	size_t i;

	host_start(host);
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		assert_int_equal(kill(host->supervisor, numbers[i]), 0);
	host_profile(host, "web", "exec sleep 1000");
	host_wait_running(host, "web");
	host_stop_all(host);
}

/* Runs it as root with this option of setpriv(1); it is refused, and the reason begins and ends so.
 */
static void
assert_refused_under(struct host *host, const char *option, const char *reason, const char *remedy)
{
	struct outcome outcome;
	char program[PATH_MAX];

	(void)host_program("proclaunch", program, sizeof(program));
	run_program(
	    &outcome, "/usr/bin/setpriv", option, program, host->state, host->profiles, NULL);
	assert_int_equal(outcome.status, 1);
	assert_string_equal(outcome.output, "");
	assert_ptr_equal(strstr(outcome.error, reason), outcome.error);
	assert_non_null(strstr(outcome.error, remedy));
	assert_int_equal(host_processes(host), 0);
}

static void
under_no_new_privs_root_is_told_how_to_mend_it(void **state)
{
	assert_refused_under(*state, "--no-new-privs", "proclaunch: started with no_new_privs, ",
	    "remove NoNewPrivileges= from the unit, ");
}

/* Without the first it came up, and then no stop, not even SIGHUP, ever came to an end; without
 * another something of ours said "Operation not permitted", and no more. */
static void
without_a_capability_that_all_depends_on_root_is_told_how_to_mend_it(void **state)
{
	static const char *const options[] = {"--bounding-set=-kill", "--bounding-set=-setgid",
	    "--bounding-set=-setuid", "--bounding-set=-setpcap", "--bounding-set=-sys_chroot"};
	size_t i;

	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		assert_refused_under(*state, options[i],
		    "proclaunch: started without one of CAP_KILL, ", "add it to the unit, ");
}

int
main(int count, char **arguments)
{
	const struct CMUnitTest tests[] = {
	    ROOT_TEST(nothing_that_the_supervisor_was_started_with_reaches_a_service),
	    ROOT_TEST(nothing_that_the_supervisor_was_started_with_reaches_monitor_and_spawner),
	    ROOT_TEST(all_that_the_parent_has_open_closes_itself_at_an_exec),
	    cmocka_unit_test(without_arguments_and_channel_each_program_says_so_and_ends),
	    ROOT_TEST(what_is_larger_than_a_limit_permits_is_an_error_and_no_end),
	    ROOT_TEST(no_signal_of_a_timer_a_limit_or_a_descriptor_ends_the_parent),
	    ROOT_TEST(under_no_new_privs_root_is_told_how_to_mend_it),
	    ROOT_TEST(without_a_capability_that_all_depends_on_root_is_told_how_to_mend_it),
	};

	if (count == 1 && strcmp(arguments[0], "./run") == 0)
		witness();
	return cmocka_run_group_tests_name("hostile environment", tests, NULL, NULL);
}
