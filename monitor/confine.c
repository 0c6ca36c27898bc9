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
#include <unistd.h>

#include "confine.h"
#include "descriptors.h"
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

/* How one argument is limited. */
struct condition {
	unsigned argument;
	enum scmp_compare compare;
	scmp_datum_t mask; /* for SCMP_CMP_MASKED_EQ */
	scmp_datum_t value;
	const char *text;
};

static const struct condition no_exec = {2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0, "without PROT_EXEC"};
static const struct condition peer_only = {2, SCMP_CMP_EQ, 0, SO_PEERCRED, "SO_PEERCRED only"};
static const struct condition pipe_size = {1, SCMP_CMP_EQ, 0, F_SETPIPE_SZ, "F_SETPIPE_SZ only"};
static const struct condition monotonic = {0, SCMP_CMP_LE, 0, 1, "real time or monotonic"};

/* All that the monitor may ask of the kernel. Everything else kills it. */
static const struct allowed {
	int number;
	const char *name;
	const struct condition *condition;
	const char *reason;
} allowed[] = {
#define ALLOW(name, condition, reason)                   \
	{                                                \
		SCMP_SYS(name), #name, condition, reason \
	}
    ALLOW(epoll_pwait, NULL, "the one wait of the loop"),
    ALLOW(epoll_ctl, NULL, "what the loop waits for"),
    ALLOW(recvmsg, NULL, "messages from the parent and from clients"),
    ALLOW(sendmsg, NULL, "messages to them"),
    ALLOW(accept4, NULL, "clients of the control socket"),
    ALLOW(getsockopt, &peer_only, "who a client is"),
    ALLOW(write, NULL, "log and output, on descriptors that were handed over"),
    ALLOW(read, NULL, "what tee has shown of a FIFO"),
    ALLOW(tee, NULL, "look at a FIFO, and leave in it what is there"),
    ALLOW(splice, NULL, "take out of a FIFO what has been written"),
    ALLOW(ppoll, NULL, "whether a FIFO is full"),
    ALLOW(fcntl, &pipe_size, "a larger FIFO for a long line"),
    ALLOW(fstat, NULL, "whether a log file was deleted"),
    ALLOW(pread64, NULL, "the last line of a log, when the monitor before was killed"),
    ALLOW(ftruncate, NULL, "a piece of a line, of which a full disk took the rest"),
    ALLOW(close, NULL, "descriptors that are done with"),
    ALLOW(clock_gettime, &monotonic, "time, where the vdso cannot tell it"),
    ALLOW(brk, NULL, "memory for the tables"),
    ALLOW(mmap, &no_exec, "memory for the tables"),
    ALLOW(munmap, NULL, "memory given back"),
    ALLOW(exit_group, NULL, "the end"),
    ALLOW(rt_sigreturn, NULL, "return from a handler of the C library or a sanitizer"),
    ALLOW(restart_syscall, NULL, "a wait that was interrupted by SIGSTOP and SIGCONT"),
};
#define ALLOWED (sizeof(allowed) / sizeof(allowed[0]))

void
confine_print_filter(void)
{
	size_t i;

	for (i = 0; i < ALLOWED; i++)
		(void)printf("%s: %s: %s\n", allowed[i].name,
		    allowed[i].condition == NULL ? "always" : allowed[i].condition->text,
		    allowed[i].reason);
}

static void
filter_calls(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	const struct condition *condition;
	struct scmp_arg_cmp compare;
	int result;
	size_t i;

	if (filter == NULL)
		fatalx("seccomp: no memory");
	result = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	for (i = 0; i < ALLOWED && result == 0; i++) {
		condition = allowed[i].condition;
		if (condition == NULL) {
			result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i].number, 0);
			continue;
		}
		compare = (struct scmp_arg_cmp){.arg = condition->argument,
		    .op = condition->compare,
		    .datum_a = condition->compare == SCMP_CMP_MASKED_EQ ? condition->mask
									: condition->value,
		    .datum_b = condition->value};
		result =
		    seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, allowed[i].number, 1, &compare);
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
		if (!privdrop_bound(NULL, 0))
			fatal("capability bounding set");
		failed = privdrop(hello->uid, hello->gid, NULL, 0);
	}
	if (failed != STAGE_NONE)
		fatal("privileges: step %u", failed);
	(void)close(FD_EMPTY);
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
