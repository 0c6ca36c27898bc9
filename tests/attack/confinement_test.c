/*
 * The monitor's cage as the kernel sees it, what the other two processes keep, and that none of it
 * is a matter of luck: every forbidden call is tried, and every step of the setting up is made to
 * fail.
 */
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <seccomp.h>
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

#include "channel.h"
#include "child.h"
#include "confine.h"
#include "descriptors.h"
#include "fault.h"
#include "host.h"
#include "peer.h"

#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))
#define ALLOWED_MAX   25
#define NO_CAPABILITY "0000000000000000"

/* Of no account and no process. */
#define UID 64997
#define GID 64998

static void
assert_capabilities(pid_t pid, const char *field, uint64_t expected)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%016llx", (unsigned long long)expected);
	assert_status(pid, field, text);
}

/* Real, effective, saved and file system id are all the same; which it is. */
static unsigned
the_one_id(pid_t pid, const char *field)
{
	char value[128];
	unsigned ids[4];

	process_status(pid, field, value, sizeof(value));
	assert_int_equal(sscanf(value, "%u %u %u %u", ids, ids + 1, ids + 2, ids + 3), 4);
	assert_true(ids[0] == ids[1] && ids[0] == ids[2] && ids[0] == ids[3]);
	return ids[0];
}

/* "unlimited" is the largest number. The soft limit is never above it. */
static unsigned long
hard_limit(pid_t pid, const char *name)
{
	char text[4096], *line, soft[32], hard[32];

	assert_true(read_proc(pid, "limits", text, sizeof(text)) > 0);
	line = strstr(text, name);
	assert_non_null(line);
	assert_int_equal(sscanf(line + strlen(name), "%31s %31s", soft, hard), 2);
	return strcmp(hard, "unlimited") == 0 ? ULONG_MAX : strtoul(hard, NULL, 10);
}

static void
assert_confined_limits(pid_t monitor)
{
	assert_int_equal(hard_limit(monitor, "Max processes"), 0);
	assert_int_equal(hard_limit(monitor, "Max core file size"), 0);
	assert_in_range(hard_limit(monitor, "Max open files"), 1, 4 * PROFILES_MAX);
	assert_in_range(hard_limit(monitor, "Max file size"), 1, 1UL << 40);
}

static void
assert_same_directory(pid_t pid, const char *link, const struct stat *expected)
{
	char path[64];
	struct stat status;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, link);
	assert_int_equal(stat(path, &status), 0);
	assert_true(status.st_dev == expected->st_dev && status.st_ino == expected->st_ino);
}

static void
assert_empty_root(const struct host *host, pid_t monitor)
{
	char path[PATH_MAX];
	const struct dirent *entry;
	struct stat status;
	DIR *directory;

	(void)snprintf(path, sizeof(path), "%s/empty", host->state);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_uid, 0);
	assert_int_equal(status.st_mode, S_IFDIR | 0555);
	assert_same_directory(monitor, "root", &status);
	assert_same_directory(monitor, "cwd", &status);
	directory = opendir(path);
	assert_non_null(directory);
	while ((entry = readdir(directory)) != NULL)
		assert_int_equal(entry->d_name[0], '.');
	assert_int_equal(closedir(directory), 0);
}

static bool
begins(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* Each descriptor leads to something that the monitor was handed; by kind, what there may be. */
static void
assert_descriptors_of_monitor(const struct host *host, pid_t monitor)
{
	char path[64], link[96], target[PATH_MAX], fifo[PATH_MAX], output[PATH_MAX],
	    lines[PATH_MAX];
	const struct dirent *entry;
	unsigned sockets = 0;
	ssize_t length;
	DIR *open_files;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", monitor);
	(void)snprintf(fifo, sizeof(fifo), "%s/fifo/", host->state);
	(void)snprintf(output, sizeof(output), "%s/output/", host->state);
	(void)snprintf(lines, sizeof(lines), "%s/lines", host->state);
	open_files = opendir(path);
	assert_non_null(open_files);
	while ((entry = readdir(open_files)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(link, sizeof(link), "%s/%.8s", path, entry->d_name);
		length = readlink(link, target, sizeof(target) - 1);
		assert_true(length > 0);
		target[length] = '\0';
		if (begins(target, "socket:"))
			sockets++;
		else if (strcmp(target, "/dev/null") != 0 && strcmp(target, host->log) != 0 &&
		    strcmp(target, "anon_inode:[eventpoll]") != 0 && !begins(target, "pipe:") &&
		    !begins(target, fifo) && !begins(target, output) && strcmp(target, lines) != 0)
			fail_msg("descriptor %s is %s", entry->d_name, target);
	}
	assert_int_equal(closedir(open_files), 0);
	assert_int_equal(sockets, 2); /* the channel to the parent, and the control socket */
}

static void
permit_many_descriptors(void)
{
	const struct rlimit limit = {
	    .rlim_cur = 8 * PROFILES_MAX, .rlim_max = (rlim_t)8 * PROFILES_MAX};

	/* in a container without CAP_SYS_RESOURCE there may be no more than the monitor may have */
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static void
the_monitor_has_no_privilege_no_path_and_a_filter(void **state)
{
	static const char *const sets[] = {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"};
	struct host *host = *state;
	pid_t monitor;
	size_t i;

	host->before_exec = permit_many_descriptors;
	host_profile(host, "web", "echo hello; exec sleep 1000");
	host_start(host);
	(void)host_wait_running(host, "web");
	monitor = host_monitor(host);
	for (i = 0; i < COUNT(sets); i++)
		assert_status(monitor, sets[i], NO_CAPABILITY);
	assert_status(monitor, "Seccomp", "2");
	assert_status(monitor, "NoNewPrivs", "1");
	assert_status(monitor, "Groups", "");
	assert_in_range(the_one_id(monitor, "Uid"), 1, UINT_MAX - 1);
	assert_in_range(the_one_id(monitor, "Gid"), 1, UINT_MAX - 1);
	assert_confined_limits(monitor);
	assert_empty_root(host, monitor);
	assert_descriptors_of_monitor(host, monitor);
	host_stop_all(host);
}

static void
the_monitor_of_an_ordinary_user_has_the_filter_all_the_same(void **state)
{
	struct host *host = *state;
	pid_t monitor;

	host_profile(host, "web", "exec sleep 1000");
	host_start(host);
	(void)host_wait_running(host, "web");
	monitor = host_monitor(host);
	assert_status(monitor, "CapPrm", NO_CAPABILITY);
	assert_status(monitor, "CapEff", NO_CAPABILITY);
	assert_status(monitor, "Seccomp", "2");
	assert_status(monitor, "NoNewPrivs", "1");
	assert_int_equal(the_one_id(monitor, "Uid"), account_uid(TENANT));
	assert_confined_limits(monitor);
	host_stop_all(host);
}

#define BIT(capability) (1ULL << (capability))

/* Those of a list that whoever runs this has at all: containers lack some. */
static uint64_t
as_far_as_there(uint64_t capabilities)
{
	char value[32];

	process_status(getpid(), "CapEff", value, sizeof(value));
	return capabilities & strtoull(value, NULL, 16);
}

static const uint64_t kept_by_parent = BIT(CAP_CHOWN) | BIT(CAP_DAC_READ_SEARCH) | BIT(CAP_KILL) |
    BIT(CAP_SETGID) | BIT(CAP_SETUID) | BIT(CAP_SYS_PTRACE) | BIT(CAP_SYS_RESOURCE);
static const uint64_t kept_by_spawner =
    BIT(CAP_SETUID) | BIT(CAP_SETGID) | BIT(CAP_SYS_NICE) | BIT(CAP_SYS_RESOURCE);

static void
assert_kept(pid_t pid, uint64_t capabilities)
{
	assert_capabilities(pid, "CapPrm", as_far_as_there(capabilities));
	assert_capabilities(pid, "CapEff", as_far_as_there(capabilities));
	assert_status(pid, "CapInh", NO_CAPABILITY);
	assert_status(pid, "CapAmb", NO_CAPABILITY);
}

static void
parent_and_spawner_keep_only_the_capabilities_that_they_need(void **state)
{
	struct host *host = *state;
	pid_t service;

	host_profile(host, "web", "exec sleep 1000");
	host_start(host);
	service = host_wait_running(host, "web");
	assert_kept(host->supervisor, kept_by_parent);
	assert_kept(host_spawner(host), kept_by_spawner);
	/* without --no-root a service of root is root */
	assert_capabilities(service, "CapEff", as_far_as_there(~0ULL));
	assert_status(service, "Seccomp", "0");
	host_stop_all(host);
}

static void
under_no_root_nothing_below_the_spawner_can_be_root(void **state)
{
	const uint64_t bound = BIT(CAP_SETUID) | BIT(CAP_SETGID) | BIT(CAP_KILL);
	struct host *host = *state;
	pid_t service;

	host_profile(host, "web", "exec sleep 1000");
	host_write(host, "web/user", 0644, "%s\n", TENANT);
	host_write(host, "web/allow_new_privs", 0644, "%s", "");
	host_profile(host, "of-root", "exec sleep 1000");
	host_start_with(host, "--no-root", "--log-level=info", NULL);
	service = host_wait_running(host, "web");
	host_wait_log(host, " WARN  of-root refused: ");
	assert_capabilities(host_spawner(host), "CapBnd", as_far_as_there(bound));
	assert_capabilities(service, "CapBnd", as_far_as_there(bound));
	assert_status(service, "CapEff", NO_CAPABILITY);
	assert_int_equal(the_one_id(service, "Uid"), account_uid(TENANT));
	host_settle(host);
	assert_int_equal(host_count_log(host, " of-root (starting|running)"), 0);
	host_stop_all(host);
}

/* The spawner decides for itself: what the parent asks of it is refused, whatever went wrong there.
 */
static void
under_no_root_the_spawner_makes_no_child_of_root(void **state)
{
	struct host *host = *state;
	struct incoming incoming;
	struct message request;
	int channel;

	host_profile(host, "web", "exec sleep 1000");
	host_write(host, "web/user", 0644, "%s\n", TENANT);
	host_start_with(host, "--no-root", NULL);
	(void)host_wait_running(host, "web");
	channel = peer_take_parents_end(host->supervisor, host_spawner(host));
	peer_stop(host->supervisor);
	peer_fill(&request, MESSAGE_FORK, 0, 0);
	assert_true(peer_send(channel, &request, 2));
	do
		assert_true(peer_receive(channel, &incoming));
	while (incoming.message.type != MESSAGE_BORN);
	assert_int_equal(incoming.count, 0);
	assert_int_equal(incoming.message.born.pid, -1);
	assert_int_equal(incoming.message.born.error, EPERM);
	peer_continue(host->supervisor);
	assert_int_equal(close(channel), 0);
	host_stop_all(host);
}

/* Whose memory and descriptors nobody may see, and the uid of who tries. */
struct secret {
	pid_t pid;
	uid_t uid;
};

static void
try_to_look_into(void *context)
{
	static const char *const files[] = {"mem", "maps", "environ", "auxv", "fd", "cwd", "root"};
	const struct secret *secret = context;
	char path[64];
	size_t i;
	int process;

	REQUIRE(setgroups(0, NULL) == 0);
	REQUIRE(setresgid(secret->uid, secret->uid, secret->uid) == 0);
	REQUIRE(setresuid(secret->uid, secret->uid, secret->uid) == 0);
	for (i = 0; i < COUNT(files); i++) {
		(void)snprintf(path, sizeof(path), "/proc/%d/%s", secret->pid, files[i]);
		REQUIRE(open(path, O_RDONLY | O_CLOEXEC) == -1 && errno == EACCES);
	}
	REQUIRE(ptrace(PTRACE_ATTACH, secret->pid, NULL, NULL) == -1 && errno == EPERM);
	process = (int)syscall(SYS_pidfd_open, secret->pid, 0);
	REQUIRE(process != -1);
	REQUIRE(syscall(SYS_pidfd_getfd, process, FD_PARENT, 0) == -1 && errno == EPERM);
}

/* Not even with their own uid, which is what a service of an ordinary user has. */
static void
nobody_with_the_same_uid_can_look_into_our_processes(void **state)
{
	struct host *host = *state;
	struct secret secret;

	host_profile(host, "web", "exec sleep 1000");
	host_start(host);
	(void)host_wait_running(host, "web");
	secret.pid = host_monitor(host);
	secret.uid = process_uid(secret.pid);
	child_run(try_to_look_into, &secret);
	secret.uid = account_uid(TENANT);
	child_run(try_to_look_into, &secret);
	secret.pid = host_spawner(host);
	child_run(try_to_look_into, &secret);
	secret.pid = host->supervisor;
	child_run(try_to_look_into, &secret);
	host_stop_all(host);
}

/* Their channel has gone, of which they cannot hear. */
static void
who_is_stopped_ends_with_the_parent(void **state)
{
	struct host *host = *state;

	host_start(host);
	peer_stop(host_monitor(host));
	peer_stop(host_spawner(host));
	host_crash(host);
}

static void
unlimit_cores(void)
{
	const struct rlimit limit = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};

	/* in a container without CAP_SYS_RESOURCE the hard limit may be lower: then there is no
	 * core at all */
	(void)setrlimit(RLIMIT_CORE, &limit);
}

static void
a_parent_that_crashes_leaves_no_core(void **state)
{
	struct host *host = *state;
	int status;

	host->before_exec = unlimit_cores;
	host_start(host);
	/* dumps core as SIGSEGV does, which AddressSanitizer would take */
	assert_int_equal(kill(host->supervisor, SIGTRAP), 0);
	assert_int_equal(waitpid(host->supervisor, &status, 0), host->supervisor);
	host->supervisor = 0;
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTRAP);
	assert_false(WCOREDUMP(status));
}

/* The numbers of the table's calls, as the monitor itself prints them: name: when: why. */
static size_t
printed_filter(int *numbers, size_t max)
{
	static struct outcome outcome;
	char program[PATH_MAX], *rest = outcome.output, *line, *name;
	size_t count = 0;

	run_program(&outcome, host_program("proclaunch-monitor", program, sizeof(program)),
	    "--print-filter", NULL);
	assert_int_equal(outcome.status, 0);
	assert_string_equal(outcome.error, "");
	while ((line = strsep(&rest, "\n")) != NULL && line[0] != '\0') {
		name = strsep(&line, ":");
		assert_true(line != NULL && strchr(line, ':') != NULL);
		assert_true(strlen(strchr(line, ':')) > 4); /* the reason */
		assert_true(count < max);
		numbers[count] = seccomp_syscall_resolve_name(name);
		assert_in_range(numbers[count], 0, 1000);
		count++;
	}
	return count;
}

static void
the_filter_prints_a_line_a_call_and_no_more_than_25(void **state)
{
	int numbers[64];

	(void)state;
	assert_in_range(printed_filter(numbers, 64), 10, ALLOWED_MAX);
}

/*
 * From here on in a process of our own, which confines itself by the very function and then does
 * what the monitor never would. Filter or Landlock can be left away, to see the other alone.
 */
static bool without_filter, without_landlock;
static const struct fault no_landlock = {
    .number = SYS_landlock_restrict_self, .argument = FAULT_ANY, .error = FAULT_LIE};
static const struct fault no_filter = {
    .number = SYS_seccomp, .argument = 0, .value = SECCOMP_SET_MODE_FILTER, .error = FAULT_LIE};

static void
confine_as_root(void)
{
	struct hello hello = {.options = HELLO_ROOT, .uid = UID, .gid = GID};
	char path[] = "/tmp/proclaunch-test-XXXXXX";
	int empty;

	REQUIRE(mkdtemp(path) != NULL);
	empty = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	REQUIRE(rmdir(path) == 0 && empty != -1);
	if (empty != FD_EMPTY)
		REQUIRE(dup2(empty, FD_EMPTY) == FD_EMPTY && close(empty) == 0);
	if (without_landlock)
		REQUIRE(fault_install(&no_landlock));
	if (without_filter)
		REQUIRE(fault_install(&no_filter));
	confine(&hello);
}

struct call {
	const char *name;
	long number;
	unsigned long arguments[6];
};

/* Ends with this when the call has come back, whatever it said. */
#define CAME_BACK 77

static void
make_call(void *context)
{
	const struct call *call = context;
	const unsigned long *with = call->arguments;

	confine_as_root();
	(void)syscall(call->number, with[0], with[1], with[2], with[3], with[4], with[5]);
	(void)syscall(SYS_exit_group, CAME_BACK);
}

static int
outcome_of(const struct call *call)
{
	char said[512];

	return child_status(make_call, (void *)(uintptr_t)call, said, sizeof(said));
}

static bool
is_among(const int *numbers, size_t count, int number)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (numbers[i] == number)
			return true;
	return false;
}

/* All that there are, and some that there are not yet. */
#define CALLS_MAX 512

/*
 * uretprobe(2) and uprobe(2): since Linux 6.14 no filter sees them, for they are how the kernel
 * itself comes back from a probe that root has set. From anywhere else they do nothing.
 */
static bool
is_beyond_filters(long number)
{
	return number == 335 || number == 336;
}

static void
every_call_that_is_not_in_the_table_ends_the_monitor(void **state)
{
	struct call call = {.name = "by number"};
	int numbers[64], status;
	size_t count = printed_filter(numbers, 64);

	(void)state;
	for (call.number = 0; call.number < CALLS_MAX; call.number++) {
		if (is_among(numbers, count, (int)call.number) || is_beyond_filters(call.number))
			continue;
		status = outcome_of(&call);
		if (status != -SIGSYS)
			fail_msg("call %ld: the process ended with %d", call.number, status);
	}
}

#define X32 0x40000000L

static void
what_the_table_permits_in_part_is_forbidden_in_the_rest(void **state)
{
	static const struct call forbidden[] = {
	    {"mmap: executable", SYS_mmap,
		{0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1UL, 0}},
	    {"mmap: writable and executable", SYS_mmap,
		{0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1UL,
		    0}},
	    {"mmap: with a bit that is none yet", SYS_mmap,
		{0, 4096, PROT_READ | 8, MAP_PRIVATE | MAP_ANONYMOUS, -1UL, 0}},
	    {"mmap: shared", SYS_mmap,
		{0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1UL, 0}},
	    {"mmap: of a file", SYS_mmap, {0, 4096, PROT_READ, MAP_PRIVATE, 0, 0}},
	    {"epoll_pwait: with a signal mask", SYS_epoll_pwait, {-1UL, 0, 1, 0, 1, NSIG / 8}},
	    {"recvmsg: waiting", SYS_recvmsg, {-1UL, 0, MSG_CMSG_CLOEXEC, 0, 0, 0}},
	    {"recvmsg: kept over an exec", SYS_recvmsg, {-1UL, 0, MSG_DONTWAIT, 0, 0, 0}},
	    {"recvmsg: to look only", SYS_recvmsg,
		{-1UL, 0, MSG_DONTWAIT | MSG_CMSG_CLOEXEC | MSG_PEEK, 0, 0, 0}},
	    {"sendmsg: waiting", SYS_sendmsg, {-1UL, 0, MSG_NOSIGNAL, 0, 0, 0}},
	    {"sendmsg: connecting", SYS_sendmsg,
		{-1UL, 0, MSG_NOSIGNAL | MSG_DONTWAIT | MSG_FASTOPEN, 0, 0, 0}},
	    {"accept4: kept over an exec", SYS_accept4, {-1UL, 0, 0, SOCK_NONBLOCK, 0, 0}},
	    {"accept4: waiting", SYS_accept4, {-1UL, 0, 0, SOCK_CLOEXEC, 0, 0}},
	    {"accept4: an address", SYS_accept4, {-1UL, 1, 0, SOCK_CLOEXEC | SOCK_NONBLOCK, 0, 0}},
	    {"accept4: its length", SYS_accept4, {-1UL, 0, 1, SOCK_CLOEXEC | SOCK_NONBLOCK, 0, 0}},
	    {"pwrite64: into the log", SYS_pwrite64, {FD_LINES + 3, 0, 0, 0, 0, 0}},
	    {"pwrite64: far away", SYS_pwrite64, {FD_LINES, 0, 0, 1 << 23, 0, 0}},
	    {"pwrite64: much", SYS_pwrite64, {FD_LINES, 0, 1 << 23, 0, 0, 0}},
	    {"read: from the parent", SYS_read, {FD_PARENT, 0, 0, 0, 0, 0}},
	    {"read: from the other end", SYS_read, {FD_LOOK_WRITE, 0, 0, 0, 0, 0}},
	    {"tee: into another pipe", SYS_tee, {0, FD_LOOK_WRITE + 1, 1, SPLICE_F_NONBLOCK, 0, 0}},
	    {"tee: waiting", SYS_tee, {0, FD_LOOK_WRITE, 1, 0, 0, 0}},
	    {"splice: into a file", SYS_splice, {0, 0, FD_LOOK_WRITE + 1, 0, 1, SPLICE_F_NONBLOCK}},
	    {"splice: to the parent", SYS_splice, {0, 0, FD_PARENT, 0, 1, SPLICE_F_NONBLOCK}},
	    {"splice: into the last words", SYS_splice,
		{0, 0, FD_LAST_WORDS, 0, 1, SPLICE_F_NONBLOCK}},
	    {"pipe2: waiting", SYS_pipe2, {0, O_CLOEXEC, 0, 0, 0, 0}},
	    {"pipe2: kept over an exec", SYS_pipe2, {0, O_NONBLOCK, 0, 0, 0, 0}},
	    {"pipe2: for notifications", SYS_pipe2,
		{0, O_CLOEXEC | O_NONBLOCK | O_EXCL, 0, 0, 0, 0}},
	    {"splice: from a place in a file", SYS_splice,
		{0, 1, FD_NULL, 0, 1, SPLICE_F_NONBLOCK}},
	    {"splice: to a place in a file", SYS_splice, {0, 0, FD_NULL, 1, 1, SPLICE_F_NONBLOCK}},
	    {"splice: waiting", SYS_splice, {0, 0, FD_NULL, 0, 1, 0}},
	    {"ppoll: two", SYS_ppoll, {0, 2, 0, 0, NSIG / 8, 0}},
	    {"ppoll: with a signal mask", SYS_ppoll, {0, 1, 0, 1, NSIG / 8, 0}},
	    {"fcntl: a pipe of 2 MiB", SYS_fcntl, {-1UL, F_SETPIPE_SZ, 2 * 1024 * 1024, 0, 0, 0}},
	    {"getsockopt: of a protocol", SYS_getsockopt, {FD_PARENT, 6, SO_PEERCRED, 0, 0, 0}},
	    {"getsockopt: SO_TYPE", SYS_getsockopt, {FD_PARENT, SOL_SOCKET, SO_TYPE, 0, 0, 0}},
	    {"getsockopt: SO_PEERPIDFD", SYS_getsockopt, {FD_PARENT, SOL_SOCKET, 77, 0, 0, 0}},
	    {"fcntl: F_DUPFD", SYS_fcntl, {0, F_DUPFD, 0, 0, 0, 0}},
	    {"fcntl: F_SETFD", SYS_fcntl, {0, F_SETFD, 0, 0, 0, 0}},
	    {"fcntl: F_SETFL", SYS_fcntl, {0, F_SETFL, 0, 0, 0, 0}},
	    {"fcntl: F_SETOWN", SYS_fcntl, {0, F_SETOWN, 1, 0, 0, 0}},
	    {"fcntl: F_SETSIG", SYS_fcntl, {0, F_SETSIG, SIGKILL, 0, 0, 0}},
	    {"fcntl: F_SETLK", SYS_fcntl, {0, F_SETLK, 0, 0, 0, 0}},
	    {"fcntl: F_NOTIFY", SYS_fcntl, {0, F_NOTIFY, 0, 0, 0, 0}},
	    {"getrusage: of children", SYS_getrusage, {-1UL, 0, 0, 0, 0, 0}},
	    {"clock_gettime: CPU time", SYS_clock_gettime, {2, 0, 0, 0, 0, 0}},
	    {"clock_gettime: of a process", SYS_clock_gettime, {-14UL, 0, 0, 0, 0, 0}},
	    {"x32: write", X32 | SYS_write, {0, 0, 0, 0, 0, 0}},
	    {"x32: open", X32 | SYS_open, {0, 0, 0, 0, 0, 0}},
	    {"x32: execve", X32 | 520, {0, 0, 0, 0, 0, 0}},
	};
	size_t i;
	int status;

	(void)state;
	for (i = 0; i < COUNT(forbidden); i++) {
		status = outcome_of(&forbidden[i]);
		if (status != -SIGSYS)
			fail_msg("%s: the process ended with %d", forbidden[i].name, status);
	}
}

/* Or the two tests above would pass for a process that cannot do anything. */
static void
what_the_table_permits_is_permitted(void **state)
{
	static const struct call permitted[] = {
	    {"epoll_pwait", SYS_epoll_pwait, {-1UL, 0, 1, 0, 0, NSIG / 8}},
	    {"epoll_ctl", SYS_epoll_ctl, {-1UL, 0, 0, 0, 0, 0}},
	    {"recvmsg", SYS_recvmsg, {-1UL, 0, MSG_DONTWAIT | MSG_CMSG_CLOEXEC, 0, 0, 0}},
	    {"sendmsg", SYS_sendmsg, {-1UL, 0, MSG_NOSIGNAL | MSG_DONTWAIT, 0, 0, 0}},
	    {"accept4", SYS_accept4, {-1UL, 0, 0, SOCK_CLOEXEC | SOCK_NONBLOCK, 0, 0}},
	    {"getsockopt", SYS_getsockopt, {FD_PARENT, SOL_SOCKET, SO_PEERCRED, 0, 0, 0}},
	    {"write", SYS_write, {-1UL, 0, 0, 0, 0, 0}},
	    {"read", SYS_read, {FD_LOOK_READ, 0, 0, 0, 0, 0}},
	    {"tee", SYS_tee, {-1UL, FD_LOOK_WRITE, 1, SPLICE_F_NONBLOCK, 0, 0}},
	    {"splice", SYS_splice, {-1UL, 0, FD_NULL, 0, 1, SPLICE_F_NONBLOCK}},
	    {"pipe2", SYS_pipe2, {0, O_CLOEXEC | O_NONBLOCK, 0, 0, 0, 0}},
	    {"ppoll", SYS_ppoll, {1, 1, 0, 0, NSIG / 8, 0}},
	    {"fcntl", SYS_fcntl, {-1UL, F_SETPIPE_SZ, 1024 * 1024, 0, 0, 0}},
	    {"fcntl", SYS_fcntl, {-1UL, F_GETPIPE_SZ, 0, 0, 0, 0}},
	    {"getrusage", SYS_getrusage, {RUSAGE_SELF, 0, 0, 0, 0, 0}},
	    {"fstat", SYS_fstat, {-1UL, 0, 0, 0, 0, 0}},
	    {"pread64", SYS_pread64, {-1UL, 0, 0, 0, 0, 0}},
	    {"pwrite64", SYS_pwrite64, {FD_LINES, 0, 0, 0, 0, 0}},
	    {"ftruncate", SYS_ftruncate, {-1UL, 0, 0, 0, 0, 0}},
	    {"close", SYS_close, {-1UL, 0, 0, 0, 0, 0}},
	    {"clock_gettime", SYS_clock_gettime, {CLOCK_MONOTONIC, 0, 0, 0, 0, 0}},
	    {"brk", SYS_brk, {0, 0, 0, 0, 0, 0}},
	    {"mmap", SYS_mmap,
		{0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1UL, 0}},
	    {"munmap", SYS_munmap, {0, 0, 0, 0, 0, 0}},
	    {"exit_group", SYS_exit_group, {CAME_BACK, 0, 0, 0, 0, 0}},
	};
	int numbers[64];
	size_t i;

	(void)state;
	assert_int_equal(printed_filter(numbers, 64), COUNT(permitted));
	for (i = 0; i < COUNT(permitted); i++)
		if (outcome_of(&permitted[i]) != CAME_BACK)
			fail_msg("%s: the process has not come back", permitted[i].name);
}

#ifdef __x86_64__
/* getpid(2), which would harm nobody: by the gate of 32-bit programs, where numbers differ. */
static void
enter_as_i386(void *context)
{
	long result = 20;

	(void)context;
	confine_as_root();
	__asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
	(void)syscall(SYS_exit_group, CAME_BACK);
}

static void
the_gate_of_32_bit_programs_is_shut(void **state)
{
	char said[512];
	int status = child_status(enter_as_i386, NULL, said, sizeof(said));

	(void)state;
	/* a kernel without that gate raises SIGSEGV */
	assert_true(status == -SIGSYS || status == -SIGSEGV);
}
#endif

static int
outlive(void *nothing)
{
	(void)nothing;
	(void)poll(NULL, 0, 1000); /* by then the process has ended, or never does */
	_exit(CAME_BACK);
}

static void
call_beside_a_thread(void *context)
{
	static _Alignas(16) char stack[65536];

	(void)context;
	/* the C library does not know of it, or would change its ids as well */
	REQUIRE(
	    clone(outlive, stack + sizeof(stack),
		CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM,
		NULL) != -1);
	confine_as_root();
	(void)syscall(SYS_getpid);
	(void)syscall(SYS_exit_group, CAME_BACK);
}

/* Not one thread of it. */
static void
a_call_that_is_not_in_the_table_ends_all_of_the_process(void **state)
{
	char said[512];

	(void)state;
	assert_int_equal(child_status(call_beside_a_thread, NULL, said, sizeof(said)), -SIGSYS);
}

/* The monitor of an ordinary user, of whom others with his uid may not see anything. */
static void
confine_somebody_dumpable(void *context)
{
	const struct hello hello = {.options = 0};

	(void)context;
	REQUIRE(setgroups(0, NULL) == 0 && setresgid(GID, GID, GID) == 0);
	REQUIRE(setresuid(UID, UID, UID) == 0 && prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
	REQUIRE(dup2(0, FD_EMPTY) == FD_EMPTY && fault_install(&no_filter));
	confine(&hello);
	REQUIRE(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
}

static void
who_is_confined_cannot_be_looked_into(void **state)
{
	(void)state;
	child_run(confine_somebody_dumpable, NULL);
}

static bool
refused(long result)
{
	return result == -1 && errno == EPERM;
}

/* Each is refused by the ids and capabilities alone: there is no filter. */
static void
try_to_regain(void *context)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct all[_LINUX_CAPABILITY_U32S_3];
	const gid_t root = 0;

	(void)context;
	without_filter = true;
	confine_as_root();
	memset(all, 0xff, sizeof(all));
	REQUIRE(refused(syscall(SYS_setuid, 0)));
	REQUIRE(refused(syscall(SYS_setresuid, 0, 0, 0)));
	REQUIRE(refused(syscall(SYS_setresuid, -1, -1, 0)));
	REQUIRE(refused(syscall(SYS_setreuid, 0, 0)));
	REQUIRE(refused(syscall(SYS_setgid, 0)));
	REQUIRE(refused(syscall(SYS_setresgid, 0, 0, 0)));
	REQUIRE(refused(syscall(SYS_setregid, 0, 0)));
	REQUIRE(refused(syscall(SYS_setgroups, 1, &root)));
	REQUIRE(refused(syscall(SYS_setgroups, 0, NULL)));
	REQUIRE(refused(syscall(SYS_capset, &header, all)));
	REQUIRE(refused(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SETUID, 0, 0)));
	REQUIRE(prctl(PR_CAPBSET_READ, CAP_SETUID, 0, 0, 0) == 0);
	REQUIRE(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0) == -1);
	REQUIRE(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	REQUIRE(syscall(SYS_chroot, "/") == -1);
	REQUIRE(syscall(SYS_fork) == -1 && errno == EAGAIN);
	REQUIRE(syscall(SYS_setfsuid, 0) == UID && syscall(SYS_setfsuid, -1) == UID);
}

static void
with_the_filter_off_no_id_group_or_capability_can_be_regained(void **state)
{
	(void)state;
	child_run(try_to_regain, NULL);
}

/* A descriptor of a directory that somebody forgot to close: the way out of every chroot. */
static int
open_outside(void)
{
	int outside = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC), high;

	high = fcntl(outside, F_DUPFD_CLOEXEC, 50);
	REQUIRE(high != -1 && close(outside) == 0);
	return high;
}

static bool
denied(long result)
{
	return result == -1 && errno == EACCES;
}

static int landlock_version;
/* In the directory that open_outside() opens. */
static char victims_path[] = "/tmp/proclaunch-test-XXXXXX";

static void
try_paths_under_landlock(void *context)
{
	static char *const none[] = {NULL};
	int outside = open_outside();

	(void)context;
	without_filter = true;
	confine_as_root();
	REQUIRE(denied(openat(outside, "../etc/passwd", O_RDONLY | O_CLOEXEC)));
	REQUIRE(denied(openat(outside, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC)));
	REQUIRE(denied(openat(outside, "proclaunch-test-no", O_CREAT | O_WRONLY, 0600)));
	REQUIRE(denied(mkdirat(outside, "proclaunch-test-no", 0700)));
	REQUIRE(denied(mknodat(outside, "proclaunch-test-no", S_IFIFO | 0600, 0)));
	REQUIRE(denied(symlinkat("x", outside, "proclaunch-test-no")));
	REQUIRE(denied(execveat(outside, "../bin/true", none, none, 0)));
	REQUIRE(denied(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC))); /* its own empty root */
	REQUIRE(fchdir(outside) == 0 && denied(open("../etc/passwd", O_RDONLY | O_CLOEXEC)));
	REQUIRE(landlock_version < 3 || denied(truncate(victims_path + strlen("/tmp/"), 0)));
}

/* Somebody of the same uid, outside. */
static void
be_a_neighbour(void *nothing)
{
	(void)nothing;
	REQUIRE(setresuid(UID, UID, UID) == 0);
	for (;;)
		(void)pause();
}

/* Who is outside. */
struct others {
	struct sockaddr_un listener;
	pid_t neighbour;
};

/* What later kernels can deny: TCP, abstract sockets and signals to whoever is outside. */
static void
try_others_under_landlock(void *context)
{
	const struct sockaddr_in anywhere = {.sin_family = AF_INET};
	const struct sockaddr_in near = {
	    .sin_family = AF_INET, .sin_port = 1, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const struct others *others = context;
	int tcp, local;

	without_filter = true;
	confine_as_root();
	tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	local = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	REQUIRE(tcp != -1 && local != -1);
	if (landlock_version >= 4) {
		REQUIRE(denied(bind(tcp, (const struct sockaddr *)&anywhere, sizeof(anywhere))));
		REQUIRE(denied(connect(tcp, (const struct sockaddr *)&near, sizeof(near))));
	}
	if (landlock_version >= 6) {
		REQUIRE(refused(connect(
		    local, (const struct sockaddr *)&others->listener, sizeof(others->listener))));
		REQUIRE(refused(kill(others->neighbour, 0)));
	}
}

static void
landlock_alone_denies_whoever_is_outside(void **state)
{
	struct others others = {.listener.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	landlock_version =
	    (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	(void)snprintf(others.listener.sun_path + 1, sizeof(others.listener.sun_path) - 1,
	    "proclaunch-test-%d", getpid());
	assert_int_equal(
	    bind(listener, (struct sockaddr *)&others.listener, sizeof(others.listener)), 0);
	assert_int_equal(listen(listener, 1), 0);
	others.neighbour = child_begin(be_a_neighbour, NULL);
	wait_until(process_uid(others.neighbour) == UID);
	child_run(try_others_under_landlock, &others);
	assert_int_equal(kill(others.neighbour, SIGKILL), 0);
	assert_int_equal(waitpid(others.neighbour, NULL, 0), others.neighbour);
	assert_int_equal(close(listener), 0);
}

static void
landlock_alone_denies_every_path_even_by_a_descriptor_from_outside(void **state)
{
	int victim = mkstemp(victims_path);

	(void)state;
	landlock_version =
	    (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	assert_int_equal(fchown(victim, UID, GID) | close(victim), 0);
	child_run(try_paths_under_landlock, NULL);
	assert_int_equal(unlink(victims_path), 0);
}

/* With both left away the same call succeeds, or the tests beside this one would show nothing. */
static void
open_without_both(void *context)
{
	int outside = open_outside();

	(void)context;
	without_filter = without_landlock = true;
	confine_as_root();
	REQUIRE(openat(outside, "../etc/passwd", O_RDONLY | O_CLOEXEC) != -1);
}

static void
open_under_the_filter(void *context)
{
	int outside = open_outside();

	(void)context;
	without_landlock = true;
	confine_as_root();
	(void)openat(outside, "../etc/passwd", O_RDONLY | O_CLOEXEC);
	(void)syscall(SYS_exit_group, CAME_BACK);
}

static void
the_filter_alone_denies_every_path(void **state)
{
	char said[512];

	(void)state;
	child_run(open_without_both, NULL);
	assert_int_equal(child_status(open_under_the_filter, NULL, said, sizeof(said)), -SIGSYS);
}

/*
 * The built monitor with one step made to fail. It is greeted as by the parent, and must neither
 * answer nor live.
 */
static const struct fault faults[] = {
    {"close_range", SYS_close_range, FAULT_ANY, 0, EPERM},
    {"signal mask", SYS_rt_sigprocmask, FAULT_ANY, 0, EPERM},
    {"non-dumpable", SYS_prctl, 0, PR_SET_DUMPABLE, EPERM},
    {"epoll_create1", SYS_epoll_create1, FAULT_ANY, 0, EMFILE},
    {"fchdir", SYS_fchdir, FAULT_ANY, 0, EACCES},
    {"chroot", SYS_chroot, FAULT_ANY, 0, EPERM},
    {"chdir", SYS_chdir, FAULT_ANY, 0, EACCES},
    {"bounding set", SYS_prctl, 0, PR_CAPBSET_DROP, EPERM},
    {"setgroups", SYS_setgroups, FAULT_ANY, 0, EPERM},
    {"setresgid", SYS_setresgid, FAULT_ANY, 0, EPERM},
    {"setresuid", SYS_setresuid, FAULT_ANY, 0, EAGAIN},
    {"setgroups lies", SYS_setgroups, FAULT_ANY, 0, FAULT_LIE},
    {"setresgid lies", SYS_setresgid, FAULT_ANY, 0, FAULT_LIE},
    {"setresuid lies", SYS_setresuid, FAULT_ANY, 0, FAULT_LIE},
    {"getresuid", SYS_getresuid, FAULT_ANY, 0, EPERM},
    {"getresgid", SYS_getresgid, FAULT_ANY, 0, EPERM},
    {"getgroups", SYS_getgroups, FAULT_ANY, 0, EPERM},
    {"capset", SYS_capset, FAULT_ANY, 0, EPERM},
    {"capget", SYS_capget, FAULT_ANY, 0, EPERM},
    {"limit of processes", SYS_prlimit64, 1, RLIMIT_NPROC, EPERM},
#ifndef PROCLAUNCH_SANITIZE /* AddressSanitizer asks for it before we do, and gives up */
    {"limit of cores", SYS_prlimit64, 1, RLIMIT_CORE, EPERM},
#endif
    {"limit of descriptors", SYS_prlimit64, 1, RLIMIT_NOFILE, EPERM},
    {"limit of file size", SYS_prlimit64, 1, RLIMIT_FSIZE, EPERM},
    {"death signal", SYS_prctl, 0, PR_SET_PDEATHSIG, EPERM},
    {"no_new_privs", SYS_prctl, 0, PR_SET_NO_NEW_PRIVS, EPERM},
    {"no Landlock in the kernel", SYS_landlock_create_ruleset, FAULT_ANY, 0, ENOSYS},
    {"Landlock not booted", SYS_landlock_create_ruleset, FAULT_ANY, 0, EOPNOTSUPP},
    {"ruleset", SYS_landlock_create_ruleset, 2, 0, EMFILE},
    {"restrict_self", SYS_landlock_restrict_self, FAULT_ANY, 0, EPERM},
    {"filter", SYS_seccomp, 0, SECCOMP_SET_MODE_FILTER, EPERM},
    {"no seccomp in the kernel", SYS_seccomp, FAULT_ANY, 0, ENOSYS},
};

struct launch {
	const struct fault *fault; /* NULL: none */
	uid_t uid;		   /* of an ordinary user; 0: root */
	int channel;
	int words;
	int empty;
};

/* As the parent does it: the descriptors at their numbers, and nothing else. */
static void
execute_monitor(void *context)
{
	const struct launch *launch = context;
	const int wanted[3] = {launch->words, launch->channel, launch->empty};
	char program[PATH_MAX];
	int high[3], i;

	(void)host_program("proclaunch-monitor", program, sizeof(program));
	for (i = 0; i < 3; i++)
		REQUIRE((high[i] = fcntl(wanted[i], F_DUPFD_CLOEXEC, 50)) != -1);
	REQUIRE(dup2(high[1], FD_PARENT) != -1 && dup2(high[2], FD_EMPTY) != -1 &&
	    dup2(high[2], FD_LINES) != -1);
	REQUIRE(launch->fault == NULL || fault_install(launch->fault));
	REQUIRE(dup2(high[0], FD_LAST_WORDS) != -1);
	REQUIRE(launch->uid == 0 || setresuid(launch->uid, launch->uid, launch->uid) == 0);
	(void)execl(program, program, (char *)NULL);
	REQUIRE(!"executed");
}

static int
open_empty(void)
{
	char path[] = "/tmp/proclaunch-test-XXXXXX";
	int empty;

	assert_non_null(mkdtemp(path));
	empty = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(rmdir(path), 0);
	return empty;
}

/* Our end of its channel, and of the pipe with its last words. */
static pid_t
begin_monitor(struct launch *launch)
{
	int ends[2], pipes[2];
	pid_t pid;

	launch->empty = open_empty();
	assert_int_equal(channel_pair(ends), 0);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	launch->channel = ends[1];
	launch->words = pipes[1];
	pid = child_begin(execute_monitor, launch);
	assert_int_equal(close(ends[1]) | close(pipes[1]) | close(launch->empty), 0);
	launch->channel = ends[0];
	launch->words = pipes[0];
	return pid;
}

/* Whether it has answered; then it ends, for its parent has hung up. `words` is what it said. */
static bool
monitor_serves(const struct fault *fault, char *words, size_t size)
{
	struct launch launch = {.fault = fault};
	struct incoming incoming;
	struct message hello;
	ssize_t length;
	bool serves;
	int status;
	pid_t pid;

	pid = begin_monitor(&launch);
	channel_hello(&hello);
	hello.hello.options = HELLO_ROOT;
	hello.hello.uid = UID;
	hello.hello.gid = GID;
	(void)peer_send(launch.channel, &hello, 0); /* it may have gone by now */
	serves = peer_receive(launch.channel, &incoming);
	assert_int_equal(close(launch.channel), 0);
	length = read(launch.words, words, size - 1); /* until it has gone */
	words[length < 0 ? 0 : length] = '\0';
	assert_int_equal(close(launch.words), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), serves ? 0 : 1); /* by its own will */
	return serves;
}

static void
a_monitor_of_which_any_step_of_the_confinement_fails_does_not_serve(void **state)
{
	char words[512];
	size_t i;

	(void)state;
	assert_true(monitor_serves(NULL, words, sizeof(words))); /* or this would prove nothing */
	assert_string_equal(words, "");
	for (i = 0; i < COUNT(faults); i++) {
		if (monitor_serves(&faults[i], words, sizeof(words)))
			fail_msg("%s failed, and the monitor serves", faults[i].name);
		if (!begins(words, "proclaunch-monitor: "))
			fail_msg("%s failed, and the monitor says: %s", faults[i].name, words);
	}
}

static bool
waits_for_events(pid_t pid)
{
	char text[256];

	return read_proc(pid, "syscall", text, sizeof(text)) > 0 &&
	    strtol(text, NULL, 10) == SYS_epoll_pwait;
}

/* It holds its channel before it has heard what it is to be, and no change of ids protects the
 * monitor of an ordinary user. */
static void
who_is_not_confined_yet_cannot_be_looked_into_either(void **state)
{
	struct launch launch = {.uid = account_uid(TENANT)};
	struct secret secret = {.uid = launch.uid};
	int status;

	(void)state;
	secret.pid = begin_monitor(&launch);
	wait_until(waits_for_events(secret.pid));
	child_run(try_to_look_into, &secret);
	assert_int_equal(close(launch.channel) | close(launch.words), 0);
	assert_int_equal(waitpid(secret.pid, &status, 0), secret.pid);
	assert_int_equal(status, 0);
}

static void
confine_as_told(void *context)
{
	const struct hello *hello = context;

	REQUIRE(dup2(0, FD_EMPTY) != -1);
	confine(hello);
}

static void
a_monitor_that_is_told_to_be_root_does_not_serve(void **state)
{
	struct hello hello = {.options = HELLO_ROOT, .uid = 0, .gid = GID};
	char said[512];

	(void)state;
	assert_int_equal(child_status(confine_as_told, &hello, said, sizeof(said)), 1);
	assert_non_null(strstr(said, "the monitor never runs as root"));
	hello.uid = UID;
	hello.gid = 0;
	assert_int_equal(child_status(confine_as_told, &hello, said, sizeof(said)), 1);
	assert_non_null(strstr(said, "the monitor never runs as root"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROOT_TEST(the_monitor_has_no_privilege_no_path_and_a_filter),
	    TENANT_TEST(the_monitor_of_an_ordinary_user_has_the_filter_all_the_same),
	    ROOT_TEST(parent_and_spawner_keep_only_the_capabilities_that_they_need),
	    ROOT_TEST(under_no_root_nothing_below_the_spawner_can_be_root),
	    ROOT_TEST(under_no_root_the_spawner_makes_no_child_of_root),
	    ROOT_TEST(nobody_with_the_same_uid_can_look_into_our_processes),
	    TENANT_TEST(nobody_with_the_same_uid_can_look_into_our_processes),
	    ROOT_TEST(who_is_stopped_ends_with_the_parent),
	    ROOT_TEST(a_parent_that_crashes_leaves_no_core),
	    cmocka_unit_test(the_filter_prints_a_line_a_call_and_no_more_than_25),
	    cmocka_unit_test(every_call_that_is_not_in_the_table_ends_the_monitor),
	    cmocka_unit_test(what_the_table_permits_in_part_is_forbidden_in_the_rest),
	    cmocka_unit_test(what_the_table_permits_is_permitted),
	    cmocka_unit_test(a_call_that_is_not_in_the_table_ends_all_of_the_process),
	    cmocka_unit_test(who_is_confined_cannot_be_looked_into),
#ifdef __x86_64__
	    cmocka_unit_test(the_gate_of_32_bit_programs_is_shut),
#endif
	    cmocka_unit_test(with_the_filter_off_no_id_group_or_capability_can_be_regained),
	    cmocka_unit_test(landlock_alone_denies_every_path_even_by_a_descriptor_from_outside),
	    cmocka_unit_test(landlock_alone_denies_whoever_is_outside),
	    cmocka_unit_test(the_filter_alone_denies_every_path),
	    cmocka_unit_test(a_monitor_of_which_any_step_of_the_confinement_fails_does_not_serve),
	    cmocka_unit_test(who_is_not_confined_yet_cannot_be_looked_into_either),
	    cmocka_unit_test(a_monitor_that_is_told_to_be_root_does_not_serve),
	};

	return cmocka_run_group_tests_name("confinement", tests, NULL, NULL);
}
