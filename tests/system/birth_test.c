/*
 * What a service is born with, whatever the supervisor was started with: proclaunch-profile(5), THE
 * SERVICE. And what is said when the birth fails.
 *
 * The service is this very program: copied to a profile's `run` it is the witness, which reports
 * what only the process itself can find out. The kernel tells the rest.
 */
#include <sys/ioctl.h>
#include <sys/mount.h>
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
#include <linux/kcmp.h>
#include <linux/keyctl.h>
#include <pwd.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "descriptors.h"
#include "fault.h"
#include "host.h"

#define SECRET "proclaunch-test-secret"
#define REPORT "report/report"

/* Of the supervisor, so of its services; whoever runs the tests may not be allowed as much. */
#define FILES_SOFT 512
#define FILES_HARD 4096
static struct rlimit files;

static _Noreturn void
witness(void)
{
	char aside[] = REPORT ".new";
	long key, terminal;
	int signal = -1;
	FILE *report;

	terminal = open("/dev/tty", O_RDWR);
	terminal = terminal == -1 ? -errno : terminal;
	key = syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user", SECRET, 0);
	key = key == -1 ? -errno : key;
	(void)prctl(PR_GET_PDEATHSIG, &signal);
	report = fopen(aside, "w");
	if (report == NULL)
		_exit(1);
	(void)fprintf(report, "terminal %ld key %ld death signal %d\n", terminal, key, signal);
	if (fclose(report) == EOF || rename(aside, REPORT) == -1)
		_exit(1);
	for (;;)
		(void)pause();
}

/* A profile whose service is the witness. It reports into a directory that its user may write to.
 */
static void
make_witness(struct host *host, const char *name, const char *user)
{
	char path[PATH_MAX], run[PATH_MAX], report[PATH_MAX];
	int from, to;
	struct stat status;

	(void)snprintf(path, sizeof(path), "%s/run", name);
	host_write(host, path, 0755, "%s", "");
	host_path(host, path, run, sizeof(run));
	from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	to = open(run, O_WRONLY | O_CLOEXEC);
	assert_int_equal(fstat(from, &status), 0);
	assert_int_equal(sendfile(to, from, NULL, (size_t)status.st_size), status.st_size);
	assert_int_equal(close(from), 0);
	assert_int_equal(close(to), 0);
	(void)snprintf(path, sizeof(path), "%s/report", name);
	host_path(host, path, report, sizeof(report));
	assert_int_equal(mkdir(report, 0755), 0);
	if (user != NULL)
		host_chown(host, path, user);
}

static pid_t
wait_witness(struct host *host, const char *name)
{
	char path[PATH_MAX], report[PATH_MAX], text[128], expected[128];

	(void)snprintf(path, sizeof(path), "%s/" REPORT, name);
	host_path(host, path, report, sizeof(report));
	wait_for_file(report, text, sizeof(text));
	(void)snprintf(
	    expected, sizeof(expected), "terminal %d key %d death signal 0\n", -ENXIO, -ENOKEY);
	assert_string_equal(text, expected);
	return host_wait_running(host, name);
}

/* A mistake in here would make the tests below pass for nothing. */
static void
must(bool done)
{
	if (!done) {
		perror("before the start");
		_exit(125);
	}
}

/* The other end is the test's: a supervisor that closed the last one would get SIGHUP. */
static int master = -1;

static void
take_a_terminal(void)
{
	int slave;

	must(grantpt(master) == 0 && unlockpt(master) == 0);
	must(setsid() != -1);
	slave = open(ptsname(master), O_RDWR);
	must(slave != -1 && ioctl(slave, TIOCSCTTY, 0) == 0);
	must(dup2(slave, 77) == 77); /* and some descriptors too many */
}

static void
block_and_ignore_signals(void)
{
	/* as GNU make leaves what sigaction(3) does not show: the kernel's structure, SIG_IGN first
	 */
	static const unsigned long ignored[8] = {1};
	sigset_t all;

	must(syscall(SYS_rt_sigaction, 32, ignored, NULL, 8) == 0);
	must(signal(SIGPIPE, SIG_IGN) != SIG_ERR && signal(SIGUSR2, SIG_IGN) != SIG_ERR);
	must(signal(SIGCHLD, SIG_IGN) != SIG_ERR && signal(SIGRTMAX, SIG_IGN) != SIG_ERR);
	must(sigfillset(&all) == 0 && sigprocmask(SIG_SETMASK, &all, NULL) == 0);
}

/* As an administrator's shell may have been who never thought of it. Anybody can do this. */
static void
be_careless(void)
{
	cpu_set_t first;

	take_a_terminal();
	block_and_ignore_signals();
	(void)umask(077);
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	must(sched_setaffinity(0, sizeof(first), &first) == 0);
	must(personality(ADDR_NO_RANDOMIZE) != -1);
	must(setenv("SECRET", "token", 1) == 0 && setenv("HOME", "/nonexistent", 1) == 0);
	must(setrlimit(RLIMIT_NOFILE, &files) == 0);
	must(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, "proclaunch-test") != -1);
	must(syscall(SYS_add_key, "user", SECRET, "x", 1, KEY_SPEC_SESSION_KEYRING) != -1);
}

static void
give_away_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	must(syscall(SYS_capget, &header, data) == 0);
	data[0].inheritable = data[0].permitted;
	must(syscall(SYS_capset, &header, data) == 0);
	must(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0) == 0);
}

/* ... and this only root. */
static void
be_careless_as_root(void)
{
	const struct sched_param none = {.sched_priority = 0};
	const gid_t groups[] = {1, 2, 3};
	int file;

	be_careless();
	must(setpriority(PRIO_PROCESS, 0, 5) == 0);
	must(sched_setscheduler(0, SCHED_BATCH, &none) == 0);
	must(setgroups(3, groups) == 0);
	file = open("/proc/self/oom_score_adj", O_WRONLY);
	must(file != -1 && write(file, "200", 3) == 3);
	give_away_capabilities();
}

static void
start_carelessly(struct host *host, void (*how)(void))
{
	if (master != -1)
		assert_int_equal(close(master), 0);
	master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_int_not_equal(master, -1);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	files.rlim_cur = FILES_SOFT;
	files.rlim_max = files.rlim_max < FILES_HARD ? files.rlim_max : FILES_HARD;
	host->before_exec = how;
}

static void
assert_descriptors(const struct host *host, pid_t pid)
{
	char path[64], link[96], target[PATH_MAX];
	const struct dirent *entry;
	unsigned count = 0;
	ssize_t length;
	DIR *descriptors;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	descriptors = opendir(path);
	assert_non_null(descriptors);
	while ((entry = readdir(descriptors)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		count++;
		(void)snprintf(link, sizeof(link), "%s/%.8s", path, entry->d_name);
		length = readlink(link, target, sizeof(target) - 1);
		assert_true(length > 0);
		target[length] = '\0';
		if (strcmp(entry->d_name, "0") == 0)
			assert_string_equal(target, "/dev/null");
		else if (strcmp(target, "/dev/null") != 0 &&
		    strncmp(target, host->state, strlen(host->state)) != 0)
			fail_msg("descriptor %s is %s", entry->d_name, target);
	}
	assert_int_equal(closedir(descriptors), 0);
	assert_int_equal(count, 3);
}

static void
assert_environment(pid_t pid, const char *name, const struct passwd *account)
{
	char environment[4096], expected[4096];
	ssize_t length = read_proc(pid, "environ", environment, sizeof(environment));
	int used = snprintf(expected, sizeof(expected),
	    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin%cHOME=%s%cUSER=%s%c"
	    "LOGNAME=%s%cSHELL=%s%cPROCLAUNCH_PROFILE=%s",
	    0, account->pw_dir, 0, account->pw_name, 0, account->pw_name, 0, account->pw_shell, 0,
	    name);

	assert_int_equal(length, used + 1);
	assert_memory_equal(environment, expected, (size_t)length);
}

/* prlimit(2) of another user's process takes a privilege that containers lack; the text does not.
 */
static void
assert_limits(pid_t pid)
{
	char of_service[4096], ours[4096], *service_rest = of_service, *our_rest = ours;
	char *service_line, *our_line;
	long soft = 0, hard = 0;

	assert_true(read_proc(pid, "limits", of_service, sizeof(of_service)) > 0);
	assert_true(read_proc(getpid(), "limits", ours, sizeof(ours)) > 0);
	while ((our_line = strsep(&our_rest, "\n")) != NULL) {
		service_line = strsep(&service_rest, "\n");
		assert_non_null(service_line);
		if (sscanf(service_line, "Max open files %ld %ld", &soft, &hard) == 0)
			assert_string_equal(service_line, our_line);
	}
	assert_int_equal(soft, files.rlim_cur);
	assert_int_equal(hard, files.rlim_max);
}

static void
assert_own_session(pid_t pid)
{
	char text[1024];
	int session = -1, terminal = -1;

	assert_true(read_proc(pid, "stat", text, sizeof(text)) > 0);
	assert_int_equal(sscanf(strrchr(text, ')'), ") %*c %*d %*d %d %d", &session, &terminal), 2);
	assert_int_equal(session, pid);
	assert_int_equal(getpgid(pid), pid);
	assert_int_equal(terminal, 0);
}

/* What every service has, whoever it runs as and whoever has started the supervisor. */
static void
assert_clean_birth(struct host *host, const char *name, pid_t pid, const char *user)
{
	char text[PATH_MAX], directory[PATH_MAX], link[64];
	cpu_set_t ours, of_service;
	ssize_t length;

	assert_descriptors(host, pid);
	assert_environment(pid, name, getpwnam(user));
	assert_limits(pid);
	assert_own_session(pid);
	assert_status(pid, "SigBlk", "0000000000000000");
	assert_status(pid, "SigIgn", "0000000000000000");
	assert_status(pid, "Umask", "0022");
	assert_status(pid, "Seccomp", "0");
	assert_true(read_proc(pid, "personality", text, sizeof(text)) > 0);
	assert_string_equal(text, "00000000\n");
	(void)snprintf(link, sizeof(link), "/proc/%d/cwd", pid);
	length = readlink(link, text, sizeof(text) - 1);
	text[length < 0 ? 0 : length] = '\0';
	assert_string_equal(text, host_path(host, name, directory, sizeof(directory)));
	/* all that there are, should whoever runs the tests keep to some of them */
	memset(&ours, 0xff, sizeof(ours));
	assert_int_equal(sched_setaffinity(0, sizeof(ours), &ours), 0);
	assert_int_equal(sched_getaffinity(0, sizeof(ours), &ours), 0);
	assert_int_equal(sched_getaffinity(pid, sizeof(of_service), &of_service), 0);
	assert_true(CPU_EQUAL(&ours, &of_service));
}

/* ... and what only root can set right. */
static void
assert_clean_birth_by_root(struct host *host, const char *name, pid_t pid, const char *user)
{
	char text[64];

	assert_clean_birth(host, name, pid, user);
	assert_int_equal(getpriority(PRIO_PROCESS, (id_t)pid), 0);
	assert_int_equal(sched_getscheduler(pid), SCHED_OTHER);
	assert_true(read_proc(pid, "oom_score_adj", text, sizeof(text)) > 0);
	assert_string_equal(text, "0\n");
}

/* All four ids of each kind, and exactly the groups that the account is in. */
static void
assert_ids(pid_t pid, const char *user)
{
	const struct passwd *account = getpwnam(user);
	char expected[1024];
	gid_t groups[64];
	int count = 64, i;
	size_t used = 0;

	assert_non_null(account);
	(void)snprintf(expected, sizeof(expected), "%u\t%u\t%u\t%u", account->pw_uid,
	    account->pw_uid, account->pw_uid, account->pw_uid);
	assert_status(pid, "Uid", expected);
	(void)snprintf(expected, sizeof(expected), "%u\t%u\t%u\t%u", account->pw_gid,
	    account->pw_gid, account->pw_gid, account->pw_gid);
	assert_status(pid, "Gid", expected);
	assert_true(getgrouplist(user, account->pw_gid, groups, &count) > 0);
	for (i = 0; i < count; i++)
		used +=
		    (size_t)snprintf(expected + used, sizeof(expected) - used, "%u ", groups[i]);
	assert_status(pid, "Groups", expected);
}

static void
assert_no_capabilities(pid_t pid)
{
	assert_status(pid, "CapInh", "0000000000000000");
	assert_status(pid, "CapPrm", "0000000000000000");
	assert_status(pid, "CapEff", "0000000000000000");
	assert_status(pid, "CapAmb", "0000000000000000");
}

static void
a_service_of_root_is_born_clean_and_with_all_that_root_may(void **state)
{
	struct host *host = *state;
	char own[64];
	pid_t pid;

	start_carelessly(host, be_careless_as_root);
	make_witness(host, "web", NULL);
	host_start(host);
	pid = wait_witness(host, "web");
	assert_clean_birth_by_root(host, "web", pid, "root");
	assert_ids(pid, "root");
	assert_status(pid, "CapEff", process_status(getpid(), "CapEff", own, sizeof(own)));
	assert_status(pid, "CapPrm", process_status(getpid(), "CapPrm", own, sizeof(own)));
	assert_status(pid, "NoNewPrivs", "0");
	host_stop_all(host);
}

/* Do the two have the same open file there, so that what one does to it (O_APPEND, with which
 * splice(2) fails) the other has? */
static bool
share_a_file(pid_t one, pid_t other, int ones, int others)
{
	long order = syscall(SYS_kcmp, one, other, KCMP_FILE, ones, others);

	assert_true(order >= 0);
	return order == 0;
}

static void
what_a_service_does_to_its_standard_input_reaches_nobody_of_ours(void **state)
{
	static const int monitors[] = {STDIN_FILENO, STDOUT_FILENO, FD_NULL};
	struct host *host = *state;
	pid_t service;
	size_t i;

	host_profile(host, "web", "exec sleep 1000");
	host_start(host);
	service = host_wait_running(host, "web");
	assert_true(share_a_file(service, service, STDIN_FILENO, STDIN_FILENO));
	for (i = 0; i < sizeof(monitors) / sizeof(monitors[0]); i++)
		assert_false(share_a_file(service, host_monitor(host), STDIN_FILENO, monitors[i]));
	assert_false(share_a_file(service, host->supervisor, STDIN_FILENO, STDIN_FILENO));
	host_stop_all(host);
}

static void
a_service_with_user_is_born_as_that_user_and_nothing_more(void **state)
{
	struct host *host = *state;
	pid_t pid;

	start_carelessly(host, be_careless_as_root);
	make_witness(host, "web", TENANT);
	host_write(host, "web/user", 0644, "%s\n", TENANT);
	host_start(host);
	pid = wait_witness(host, "web");
	assert_clean_birth_by_root(host, "web", pid, TENANT);
	assert_ids(pid, TENANT);
	assert_no_capabilities(pid);
	assert_status(pid, "NoNewPrivs", "1");
	host_stop_all(host);
}

static void
allow_new_privs_allows_them_and_gives_nothing(void **state)
{
	struct host *host = *state;
	pid_t pid;

	start_carelessly(host, be_careless_as_root);
	make_witness(host, "web", TENANT);
	host_write(host, "web/user", 0644, "%s\n", TENANT);
	host_write(host, "web/allow_new_privs", 0644, "%s", "");
	host_start(host);
	pid = wait_witness(host, "web");
	assert_ids(pid, TENANT);
	assert_no_capabilities(pid);
	assert_status(pid, "NoNewPrivs", "0");
	host_stop_all(host);
}

static void
a_service_of_a_tenants_profile_is_born_as_that_tenant(void **state)
{
	struct host *host = *state;
	pid_t pid;

	start_carelessly(host, be_careless_as_root);
	make_witness(host, "web", NULL);
	host_chown(host, "web", TENANT);
	host_start(host);
	pid = wait_witness(host, "web");
	assert_clean_birth_by_root(host, "web", pid, TENANT);
	assert_ids(pid, TENANT);
	assert_no_capabilities(pid);
	assert_status(pid, "NoNewPrivs", "1");
	host_stop_all(host);
}

static void
a_service_of_an_ordinary_users_supervisor_is_born_clean(void **state)
{
	struct host *host = *state;
	pid_t pid;

	start_carelessly(host, be_careless);
	make_witness(host, "web", TENANT);
	host_start(host);
	pid = wait_witness(host, "web");
	assert_clean_birth(host, "web", pid, TENANT);
	assert_ids(pid, TENANT);
	assert_no_capabilities(pid);
	assert_status(pid, "NoNewPrivs", "1");
	host_stop_all(host);
}

/* Waits for the second failure, which brings the first delay, and checks that each had one line. */
static void
assert_cannot_start(struct host *host, const char *name, const char *why)
{
	char pattern[512];
	unsigned warnings;

	(void)snprintf(pattern, sizeof(pattern), " WARN  %s cannot start: %s$", name, why);
	host_wait_log(host, "%s", pattern);
	host_wait_log(host, " INFO  %s starting again in [12]\\.[0-9]{3} s$", name);
	warnings = host_count_log(host, " WARN  %s ", name); /* the third may come meanwhile */
	assert_in_range(warnings, 2, 3);
	assert_in_range(host_count_log(host, "%s", pattern), warnings, 3);
	assert_int_equal(host_count_log(host, " %s (running|died|stopped)", name), 0);
}

static void
a_birth_that_fails_says_where_and_why_and_harms_nobody_else(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX];
	pid_t web;

	host_profile(host, "web", "exec sleep 1000");
	host_write(host, "noline/run", 0755, "echo hello\n");
	host_write(host, "interpreter/run", 0755, "#!/nonexistent/sh\n");
	host_start(host);
	assert_cannot_start(host, "noline",
	    "execve: Exec format error \\(run must be a program, or begin with a line such as "
	    "#!/bin/sh\\)");
	assert_cannot_start(host, "interpreter",
	    "execve: No such file or directory \\(run, or the interpreter in its first line, does "
	    "not exist: no line may end with CR LF\\)");
	web = host_wait_running(host, "web");
	host_path(host, "noline/run", path, sizeof(path));
	host_replace(host, "noline/run", 0755, "#!/bin/sh\nexec sleep 1000\n");
	(void)host_wait_running(host, "noline"); /* mended */
	assert_true(process_lives(web));
	assert_int_equal(host_count_log(host, " web "), 2); /* starting, running */
	host_stop_all(host);
}

static void
a_birth_that_its_user_or_the_mount_forbids_says_so(void **state)
{
	static const char exec_forbidden[] =
	    "execve: Permission denied \\(run must be executable by its user, on a file system "
	    "without noexec\\)";
	struct host *host = *state;
	char path[PATH_MAX];
	pid_t web;

	host_profile(host, "web", "exec sleep 1000");
	assert_int_equal(mkdir(host_path(host, "mount", path, sizeof(path)), 0755), 0);
	assert_int_equal(mount("tmpfs", path, "tmpfs", MS_NOEXEC, "mode=0755"), 0);
	host_profile(host, "mount", "exec sleep 1000");
	host_profile(host, "mode", "exec sleep 1000");
	host_write(host, "mode/user", 0644, "%s\n", TENANT);
	assert_int_equal(chmod(host_path(host, "mode/run", path, sizeof(path)), 0700), 0);
	host_profile(host, "closed", "exec sleep 1000");
	host_write(host, "closed/user", 0644, "%s\n", TENANT);
	assert_int_equal(chmod(host_path(host, "closed", path, sizeof(path)), 0700), 0);
	host_start(host);
	assert_cannot_start(host, "mount", exec_forbidden);
	assert_cannot_start(host, "mode", exec_forbidden);
	assert_cannot_start(host, "closed",
	    "chdir: Permission denied \\(its user must be able to enter the directory and all "
	    "above it\\)");
	web = host_wait_running(host, "web");
	assert_true(process_lives(web));
	assert_int_equal(host_count_log(host, " web "), 2);
	host_stop_all(host);
}

static void
what_cannot_be_run_is_refused_before_anything_is_started(void **state)
{
	struct host *host = *state;

	host_profile(host, "web", "exec sleep 1000");
	host_write(host, "missing/README", 0644, "%s", "");
	host_write(host, "plain/run", 0644, "#!/bin/sh\nexec sleep 1000\n");
	host_start(host);
	host_wait_log(host,
	    " WARN  missing refused: run: is missing: a profile needs an "
	    "executable file of that name$");
	host_wait_log(host, " WARN  plain refused: run: is not executable: chmod \\+x$");
	(void)host_wait_running(host, "web");
	host_stop_all(host);
	assert_int_equal(host_count_log(host, " (missing|plain) "), 2);
}

static void
forbid_affinity(void)
{
	static const struct fault fault = {"affinity", SYS_sched_setaffinity, FAULT_ANY, 0, EPERM};

	if (!fault_install(&fault))
		_exit(125);
}

/* Or one looks for what the service lacks, and it is the unit or the container. */
static void
what_the_supervisor_itself_may_not_do_is_said_to_be_so(void **state)
{
	struct host *host = *state;

	host_profile(host, "web", "exec sleep 1000");
	host->before_exec = forbid_affinity;
	host_start(host);
	host_wait_log(host,
	    " WARN  web cannot start: sched_setaffinity: Operation not permitted \\(forbidden to "
	    "the supervisor itself, as by a container or SystemCallFilter=\\)$");
	host_stop_all(host);
}

int
main(int count, char **arguments)
{
	const struct CMUnitTest tests[] = {
	    ROOT_TEST(a_service_of_root_is_born_clean_and_with_all_that_root_may),
	    ROOT_TEST(what_a_service_does_to_its_standard_input_reaches_nobody_of_ours),
	    ROOT_TEST(a_service_with_user_is_born_as_that_user_and_nothing_more),
	    ROOT_TEST(allow_new_privs_allows_them_and_gives_nothing),
	    ROOT_TEST(a_service_of_a_tenants_profile_is_born_as_that_tenant),
	    TENANT_TEST(a_service_of_an_ordinary_users_supervisor_is_born_clean),
	    ROOT_TEST(a_birth_that_fails_says_where_and_why_and_harms_nobody_else),
	    TENANT_TEST(a_birth_that_fails_says_where_and_why_and_harms_nobody_else),
	    ROOT_TEST(a_birth_that_its_user_or_the_mount_forbids_says_so),
	    ROOT_TEST(what_cannot_be_run_is_refused_before_anything_is_started),
	    TENANT_TEST(what_cannot_be_run_is_refused_before_anything_is_started),
	    ROOT_TEST(what_the_supervisor_itself_may_not_do_is_said_to_be_so),
	};

	if (count == 1 && strcmp(arguments[0], "./run") == 0)
		witness();
	return cmocka_run_group_tests_name("birth", tests, NULL, NULL);
}
