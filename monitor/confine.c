#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "confine.h"
#include "descriptors.h"
#include "journal.h"
#include "privdrop.h"
#include "report.h"

/* Bits of later kernels, which Debian 12's headers lack: include/uapi/linux/landlock.h. */
#define LANDLOCK_FS_TRUNCATE  (1ULL << 14)
#define LANDLOCK_FS_IOCTL_DEV (1ULL << 15)
#define LANDLOCK_NET_ALL      3ULL
#define LANDLOCK_SCOPE_ALL    3ULL

struct landlock_attributes {
	uint64_t handled_fs;
	uint64_t handled_net;
	uint64_t scoped;
};

#define CONDITIONS_MAX 4

/*
 * All that the monitor may ask of the kernel. Everything else kills it, and so does a call of which
 * one argument is another than stands here: each as the one place that makes the call has it.
 */
static const struct allowed {
	int number;
	const char *name;
	const char *condition; /* in words */
	const char *reason;
	struct scmp_arg_cmp only[CONDITIONS_MAX]; /* without an operator: none */
} allowed[] = {
#define ALLOW(name, condition, reason, ...)               \
	{                                                 \
		SCMP_SYS(name), #name, condition, reason, \
		{                                         \
			__VA_ARGS__                       \
		}                                         \
	}
#define IS(argument, value)                     \
	{                                       \
		argument, SCMP_CMP_EQ, value, 0 \
	}
#define AT_MOST(argument, value)                \
	{                                       \
		argument, SCMP_CMP_LE, value, 0 \
	}
#define OF_BITS_ONLY(argument, mask, value)               \
	{                                                 \
		argument, SCMP_CMP_MASKED_EQ, mask, value \
	}
#define BEYOND(bits) (~(scmp_datum_t)(bits))
    ALLOW(epoll_pwait, "no signal mask", "the one wait of the loop", IS(4, 0)),
    ALLOW(epoll_ctl, "always", "what the loop waits for", {0}),
    ALLOW(recvmsg, "never waiting, close-on-exec", "messages from the parent and from clients",
	IS(2, MSG_DONTWAIT | MSG_CMSG_CLOEXEC)),
    ALLOW(sendmsg, "never waiting, no signal", "messages to them",
	IS(2, MSG_NOSIGNAL | MSG_DONTWAIT)),
    ALLOW(accept4, "no address, close-on-exec, non-blocking", "clients of the control socket",
	IS(1, 0), IS(2, 0), IS(3, SOCK_CLOEXEC | SOCK_NONBLOCK)),
    ALLOW(getsockopt, "SO_PEERCRED only", "who a client is", IS(1, SOL_SOCKET), IS(2, SO_PEERCRED)),
    ALLOW(write, "always", "log and output, on descriptors that were handed over", {0}),
    ALLOW(read, "from the pipe of tee only", "what tee has shown of a FIFO", IS(0, FD_LOOK_READ)),
    ALLOW(tee, "into that pipe only, never waiting",
	"look at a FIFO, and leave in it what is there", IS(1, FD_LOOK_WRITE),
	IS(3, SPLICE_F_NONBLOCK)),
    ALLOW(splice, "to /dev/null or into that pipe, never waiting",
	"take out of a FIFO what has been written or cannot be read", IS(1, 0),
	OF_BITS_ONLY(2, BEYOND(FD_NULL ^ FD_LOOK_WRITE), FD_NULL &FD_LOOK_WRITE), IS(3, 0),
	IS(5, SPLICE_F_NONBLOCK)),
    ALLOW(pipe2, "close-on-exec, non-blocking", "that pipe anew, when what it shows cannot be read",
	IS(1, O_CLOEXEC | O_NONBLOCK)),
    ALLOW(ppoll, "one descriptor, no signal mask", "whether a FIFO, or standard error, is full",
	IS(1, 1), IS(3, 0)),
    ALLOW(fcntl, "F_SETPIPE_SZ only, to 1 MiB", "a larger FIFO for a long line",
	IS(1, F_SETPIPE_SZ), AT_MOST(2, 1024 * 1024)),
    ALLOW(fcntl, "F_GETPIPE_SZ", "whether the monitor before has made it larger",
	IS(1, F_GETPIPE_SZ)),
    ALLOW(getrusage, "of ourselves", "whether a tenant has made us sleep, or run for long",
	IS(0, RUSAGE_SELF)),
    ALLOW(fstat, "always", "whether a log file was deleted", {0}),
    ALLOW(pread64, "always", "the last line of a log, when the monitor before was killed", {0}),
    ALLOW(pwrite64, "into STATE_DIR/lines only, which stays as small", "what is to be in the log",
	IS(0, FD_LINES), AT_MOST(2, JOURNAL_BYTES), AT_MOST(3, JOURNAL_HEAD_BYTES + JOURNAL_BYTES)),
    ALLOW(ftruncate, "always", "a piece of a line, of which a full disk took the rest", {0}),
    ALLOW(close, "always", "descriptors that are done with", {0}),
    ALLOW(clock_gettime, "real time or monotonic", "time, where the vdso cannot tell it",
	AT_MOST(0, CLOCK_MONOTONIC)),
    ALLOW(brk, "always", "memory for the tables", {0}),
    ALLOW(mmap, "anonymous, private, to read and write only", "memory for the tables",
	OF_BITS_ONLY(2, BEYOND(PROT_READ | PROT_WRITE), 0),
	OF_BITS_ONLY(3, MAP_SHARED | MAP_ANONYMOUS, MAP_ANONYMOUS)),
    ALLOW(munmap, "always", "memory given back", {0}),
    ALLOW(exit_group, "always", "the end", {0}),
};
#define ALLOWED (sizeof(allowed) / sizeof(allowed[0]))

void
confine_print_filter(void)
{
	size_t i;

	for (i = 0; i < ALLOWED; i++)
		(void)printf(
		    "%s: %s: %s\n", allowed[i].name, allowed[i].condition, allowed[i].reason);
}

static void
filter_calls(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	unsigned conditions;
	int result;
	size_t i;

	if (filter == NULL)
		fatalx("seccomp: no memory");
	result = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	for (i = 0; i < ALLOWED && result == 0; i++) {
		for (conditions = 0; conditions < CONDITIONS_MAX &&
		     allowed[i].only[conditions].op != _SCMP_CMP_MIN;)
			conditions++;
		result = seccomp_rule_add_array(
		    filter, SCMP_ACT_ALLOW, allowed[i].number, conditions, allowed[i].only);
	}
	if (result == 0)
		result = seccomp_load(filter);
	if (result != 0) {
		errno = -result;
		fatal("seccomp");
	}
	seccomp_release(filter);
}

/* Everything that this kernel's Landlock can deny is handled, and no rule allows any of it. */
static void
deny_paths(void)
{
	struct landlock_attributes attributes = {
	    .handled_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1};
	size_t size = sizeof(attributes.handled_fs);
	long version, ruleset;

	version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (version < 1)
		fatal("this kernel has no Landlock: boot it with landlock in the lsm= list");
	if (version >= 2)
		attributes.handled_fs |= LANDLOCK_ACCESS_FS_REFER;
	if (version >= 3)
		attributes.handled_fs |= LANDLOCK_FS_TRUNCATE;
	if (version >= 4) {
		attributes.handled_net = LANDLOCK_NET_ALL;
		size = sizeof(attributes.handled_fs) + sizeof(attributes.handled_net);
	}
	if (version >= 5)
		attributes.handled_fs |= LANDLOCK_FS_IOCTL_DEV;
	if (version >= 6) {
		attributes.scoped = LANDLOCK_SCOPE_ALL;
		size = sizeof(attributes);
	}
	ruleset = syscall(SYS_landlock_create_ruleset, &attributes, size, 0);
	if (ruleset == -1 || syscall(SYS_landlock_restrict_self, ruleset, 0) == -1)
		fatal("landlock");
	(void)close((int)ruleset);
}

static void
limit(__rlimit_resource_t resource, rlim_t most)
{
	struct rlimit limits;

	if (getrlimit(resource, &limits) == -1)
		fatal("getrlimit");
	if (limits.rlim_max > most)
		limits.rlim_max = most;
	limits.rlim_cur = limits.rlim_max;
	if (setrlimit(resource, &limits) == -1)
		fatal("setrlimit");
}

static void
become_nobody_else(const struct hello *hello)
{
	enum stage failed;

	if ((hello->options & HELLO_ROOT) == 0) {
		failed = privdrop_verify(geteuid(), getegid());
	} else {
		if (hello->uid == 0 || hello->gid == 0)
			fatalx("the monitor never runs as root");
		if (fchdir(FD_EMPTY) == -1 || chroot(".") == -1 || chdir("/") == -1)
			fatal("chroot");
		if (!privdrop_bound(0))
			fatal("capability bounding set");
		failed = privdrop(hello->uid, hello->gid, NULL, 0);
	}
	if (failed != STAGE_NONE)
		fatal("privileges: step %u", failed);
	if (dup3(STDIN_FILENO, FD_NULL, O_CLOEXEC) == -1) /* FD_EMPTY is closed by this */
		fatal("/dev/null");
}

void
confine(const struct hello *hello)
{
	become_nobody_else(hello);
	limit(RLIMIT_NPROC, 0);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_NOFILE, 4 * PROFILES_MAX);
	limit(RLIMIT_FSIZE, (rlim_t)1 << 40);
	/* after the change of ids, which resets both: prctl(2) */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1 ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == -1 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		fatal("prctl");
	deny_paths();
	filter_calls();
}
