/*
 * The spawner: forks, drops to the user that the parent names by number, and execs. It looks up no
 * account, knows no policy and no configuration file, and keeps no table: one request, one child.
 */
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "birth.h"
#include "build.h"
#include "descriptors.h"
#include "job.h"
#include "privdrop.h"
#include "report.h"
#include "rules.h"

static uint32_t options;
static int oom_score;

/*
 * What it takes to become anybody: setgroups(2), setresgid(2), setresuid(2); and to undo what the
 * administrator's shell had set: setpriority(2), the OOM score. Under --no-root no descendant can
 * get anything else, not even by a set-user-ID program.
 */
static void
shed_capabilities(void)
{
	const uint64_t needed = PRIVDROP_BIT(CAP_SETUID) | PRIVDROP_BIT(CAP_SETGID) |
	    PRIVDROP_BIT(CAP_SYS_NICE) | PRIVDROP_BIT(CAP_SYS_RESOURCE);
	const uint64_t bound =
	    PRIVDROP_BIT(CAP_SETUID) | PRIVDROP_BIT(CAP_SETGID) | PRIVDROP_BIT(CAP_KILL);

	if (((options & HELLO_NO_ROOT) != 0 && !privdrop_bound(bound)) || !privdrop_keep(needed))
		fatal("capabilities");
}

static void
handle_hello(void *subject, struct incoming *incoming)
{
	(void)subject;
	if (!channel_same_build(&incoming->message))
		fatalx("the parent is of another build than this spawner: install all three");
	options = incoming->message.hello.options;
	if ((options & HELLO_ROOT) != 0)
		shed_capabilities();
	channel_hello(&incoming->message);
	job_send(&incoming->message, NULL, 0);
}

static void
handle_ping(void *subject, struct incoming *incoming)
{
	(void)subject;
	incoming->message.type = MESSAGE_PONG; /* of the same number */
	job_send(&incoming->message, NULL, 0);
}

/* The descriptors stand in the order of struct fork_request. Who is given no output has nothing to
 * say there: 0 is /dev/null. What came along is closed behind us; the child has its copies. The
 * answer takes the request's place: each page that is written after a fork has to be copied. */
static void
handle_fork(void *subject, struct incoming *incoming)
{
	struct message *message = &incoming->message;
	const uint32_t task = message->fork.task;
	struct birth birth = {.request = &message->fork,
	    .job = incoming->descriptors[0],
	    .directory = incoming->descriptors[1],
	    .output = incoming->count > 2 ? incoming->descriptors[2] : STDIN_FILENO,
	    .cgroup = incoming->count > 4 ? incoming->descriptors[4] : -1,
	    .oom_score = oom_score};
	int pidfd = -1;
	pid_t pid = -1;

	(void)subject;
	birth.error = incoming->count > 3 ? incoming->descriptors[3] : birth.output;
	errno = EPERM;
	if ((options & HELLO_NO_ROOT) == 0 || message->fork.uid != 0)
		pid = birth_fork(&birth, &pidfd);
	message->type = MESSAGE_BORN; /* of the same index, generation and number */
	memset(&message->fork, 0, sizeof(*message) - offsetof(struct message, fork));
	message->born.task = task;
	message->born.pid = pid;
	message->born.error = pid == -1 ? errno : 0;
	job_send(message, &pidfd, pid == -1 ? 0 : 1);
	if (pid != -1)
		(void)close(pidfd);
}

/* All that the parent may ask: nothing but its hello is accepted first, and no second one. */
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
	sigset_t blocked;

	reset_signals();
	(void)sigfillset(&blocked);
	(void)sigdelset(&blocked, SIGSYS); /* whoever sends these wants to see us crash */
	(void)sigdelset(&blocked, SIGSEGV);
	(void)sigdelset(&blocked, SIGABRT);
	(void)syscall(SYS_close_range, FD_EMPTY, FD_LINES, 0); /* the monitor's */
	(void)close(STDIN_FILENO); /* likewise: what services do to theirs it must not see */
	if (syscall(SYS_close_range, FD_CHILD_FIRST_FREE, ~0U, 0) == -1 ||
	    sigprocmask(SIG_BLOCK, &blocked, NULL) == -1 ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == -1 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1 ||
	    prctl(PR_SET_NAME, "proclaunch-spawner", 0, 0, 0) == -1 ||
	    open("/dev/null", O_RDWR) != STDIN_FILENO)
		fatal("cannot prepare");
	/* without /proc every birth fails at its own look, and says so */
	oom_score = open("/proc/self/oom_score_adj", O_RDONLY | O_CLOEXEC);
}

int
main(int count, char **arguments)
{
	static struct incoming incoming;
	unsigned state = BEFORE_HELLO;
	enum channel_result result;

	report_as("proclaunch-spawner");
	if (strcmp(program_invocation_short_name, "proclaunch-monitor") == 0)
		fatalx("this is not the monitor, which %s must be", arguments[0]);
	if (count == 2 && strcmp(arguments[1], "--version") == 0)
		return fputs(BUILD_LINE, stdout) == EOF || fflush(stdout) == EOF ? 1 : 0;
	prepare();
	for (;;) {
		result = channel_receive_descriptors(FD_PARENT, &incoming, message_valid);
		if (result == CHANNEL_CLOSED && state == BEFORE_HELLO)
			fatalx("this is started by proclaunch(8)");
		if (result == CHANNEL_CLOSED)
			return 0; /* the parent has gone, or wants us to */
		if (result == CHANNEL_AGAIN)
			job_wait(POLLIN);
		else if (result == CHANNEL_BROKEN ||
		    rules_apply(rules, sizeof(rules) / sizeof(rules[0]), FROM_PARENT, state, NULL,
			&incoming) != RULE_KEPT)
			fatalx("the parent sent message %u, which is not in the table",
			    incoming.message.type);
		else
			state = AFTER_HELLO;
	}
}
