/*
 * The spawner: forks, drops to the user that the parent names by number, and execs. It knows no
 * names, no policy and no configuration file, and keeps no table: one request, one child.
 */
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "birth.h"
#include "build.h"
#include "descriptors.h"
#include "privdrop.h"
#include "report.h"
#include "rules.h"

static uint32_t options;
static int null_device, oom_score;

/* The parent reads without pause; when its queue is full we have nothing better to do than wait. */
static void
answer(const struct message *message, const int *descriptors, unsigned count)
{
	struct pollfd parent = {.fd = FD_PARENT, .events = POLLOUT};
	enum channel_result result;

	while ((result = channel_send(FD_PARENT, message, descriptors, count)) == CHANNEL_AGAIN)
		(void)poll(&parent, 1, -1);
	if (result == CHANNEL_CLOSED)
		_exit(0); /* the parent has gone; so do we, at once */
}

/*
 * What it takes to become anybody: setgroups(2), setresgid(2), setresuid(2); and to undo what the
 * administrator's shell had set: setpriority(2), the OOM score. Under --no-root no descendant can
 * get anything else, not even by a set-user-ID program.
 */
static void
shed_capabilities(void)
{
	static const int needed[] = {CAP_SETUID, CAP_SETGID, CAP_SYS_NICE, CAP_SYS_RESOURCE};
	static const int bound[] = {CAP_SETUID, CAP_SETGID, CAP_KILL};

	if (((options & HELLO_NO_ROOT) != 0 &&
		!privdrop_bound(bound, sizeof(bound) / sizeof(bound[0]))) ||
	    !privdrop_keep(needed, sizeof(needed) / sizeof(needed[0])))
		fatal("capabilities");
}

static void
handle_hello(void *subject, struct incoming *incoming)
{
	struct message hello;

	(void)subject;
	if (!channel_same_build(&incoming->message))
		fatalx("the parent is of another build than this spawner: install all three");
	options = incoming->message.hello.options;
	if ((options & HELLO_ROOT) != 0)
		shed_capabilities();
	channel_hello(&hello);
	answer(&hello, NULL, 0);
}

static void
handle_ping(void *subject, struct incoming *incoming)
{
	struct message pong;

	(void)subject;
	message_begin(&pong, MESSAGE_PONG);
	pong.number = incoming->message.number;
	answer(&pong, NULL, 0);
}

/* The next descriptor that came with the request, if it is flagged; -1: there is none. */
static int
next_flagged(const struct incoming *incoming, enum fork_flag flag, unsigned *next)
{
	if ((incoming->message.fork.flags & flag) == 0 || *next == incoming->count)
		return -1;
	return incoming->descriptors[(*next)++];
}

static void
report_birth(const struct message *request, pid_t pid, int pidfd)
{
	struct message born;
	int error = errno;

	message_begin(&born, MESSAGE_BORN);
	born.index = request->index;
	born.generation = request->generation;
	born.number = request->number;
	born.born.task = request->fork.task;
	born.born.pid = pid;
	born.born.error = pid == -1 ? error : 0;
	answer(&born, &pidfd, pid == -1 ? 0 : 1);
	if (pid != -1)
		(void)close(pidfd);
}

/* Has anybody given us a score that a child would inherit? To look it up by a descriptor of our own
 * costs a tenth of what it costs each child. */
static bool
has_oom_score(void)
{
	char score[2];

	return pread(oom_score, score, sizeof(score), 0) != sizeof(score) || score[0] != '0' ||
	    score[1] != '\n';
}

/* What came along is closed behind us: the child has its copies. */
static void
handle_fork(void *subject, struct incoming *incoming)
{
	const struct message *request = &incoming->message;
	struct birth birth = {.request = &request->fork,
	    .job = incoming->descriptors[0],
	    .directory = incoming->descriptors[1],
	    .null = null_device};
	unsigned next = 2;
	int pidfd = -1;
	pid_t pid = -1;

	(void)subject;
	birth.output = next_flagged(incoming, FORK_OUTPUT, &next);
	birth.error = next_flagged(incoming, FORK_ERROR, &next);
	birth.cgroup = next_flagged(incoming, FORK_CGROUP, &next);
	if (birth.output == -1)
		birth.output = null_device;
	if (birth.error == -1)
		birth.error = birth.output;
	birth.has_oom_score = has_oom_score();
	errno = EPERM;
	if ((options & HELLO_NO_ROOT) == 0 || request->fork.uid != 0)
		pid = birth_fork(&birth, &pidfd);
	report_birth(request, pid, pidfd);
}

/* All that the parent may ask. `states` is unused: the spawner has none but before the handshake.
 */
#define BEFORE_HELLO 1U
#define AFTER_HELLO  2U
static const struct rule rules[] = {
    {MESSAGE_HELLO, FROM_PARENT, BEFORE_HELLO, 0, 0, handle_hello},
    {MESSAGE_PING, FROM_PARENT, AFTER_HELLO, 0, 0, handle_ping},
    {MESSAGE_FORK, FROM_PARENT, AFTER_HELLO, 2, 5, handle_fork},
};

/*
 * All signals are at their default, for us and for every service. The C library hides two signals
 * of its own from sigaction(3), which GNU make hands on ignored: so the system call is used, with
 * the kernel's structure, in which all zero is SIG_DFL.
 */
static void
reset_signals(void)
{
	static const unsigned long by_default[8];
	int number;

	for (number = 1; number < NSIG; number++) /* SIGKILL, SIGSTOP: EINVAL, and fine */
		(void)syscall(SYS_rt_sigaction, number, by_default, NULL, NSIG / 8);
}

/* The parent alone steers us. The death of the parent is our death, even when we are stopped. */
static void
prepare(void)
{
	sigset_t all, crashes;

	reset_signals();
	(void)sigfillset(&all);
	(void)sigemptyset(&crashes); /* whoever sends these wants to see us crash */
	(void)sigaddset(&crashes, SIGSYS);
	(void)sigaddset(&crashes, SIGSEGV);
	(void)sigaddset(&crashes, SIGABRT);
	if (syscall(SYS_close_range, FD_CHILD_FIRST_FREE - 1, ~0U, 0) == -1 ||
	    sigprocmask(SIG_BLOCK, &all, NULL) == -1 ||
	    sigprocmask(SIG_UNBLOCK, &crashes, NULL) == -1 ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == -1 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1 ||
	    prctl(PR_SET_NAME, "proclaunch-spawner", 0, 0, 0) == -1)
		fatal("cannot prepare");
	null_device = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null_device == -1)
		fatal("/dev/null");
	/* without /proc every birth fails at its own look, and says so */
	oom_score = open("/proc/self/oom_score_adj", O_RDONLY | O_CLOEXEC);
}

int
main(int count, char **arguments)
{
	static struct incoming incoming;
	struct pollfd parent = {.fd = FD_PARENT, .events = POLLIN};
	unsigned state = BEFORE_HELLO;
	enum channel_result result;

	report_as("proclaunch-spawner");
	if (count == 2 && strcmp(arguments[1], "--version") == 0)
		return write(STDOUT_FILENO, BUILD_LINE, sizeof(BUILD_LINE) - 1) ==
			(ssize_t)sizeof(BUILD_LINE) - 1
		    ? 0
		    : 1;
	prepare();
	for (;;) {
		result = channel_receive_descriptors(FD_PARENT, &incoming);
		if (result == CHANNEL_CLOSED && state == BEFORE_HELLO)
			fatalx("this is started by proclaunch(8)");
		if (result == CHANNEL_CLOSED)
			return 0; /* the parent has gone, or wants us to */
		if (result == CHANNEL_AGAIN)
			(void)poll(&parent, 1, -1);
		else if (result == CHANNEL_BROKEN ||
		    rules_apply(rules, sizeof(rules) / sizeof(rules[0]), FROM_PARENT, state, NULL,
			&incoming) != RULE_KEPT)
			fatalx("the parent sent %s, which is not in the table",
			    message_name(incoming.message.type));
		else
			state = AFTER_HELLO;
	}
}
