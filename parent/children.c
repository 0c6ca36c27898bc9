#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "account.h"
#include "births.h"
#include "cgroup.h"
#include "build.h"
#include "children.h"
#include "clock.h"
#include "descriptors.h"
#include "files.h"
#include "inform.h"
#include "ledger.h"
#include "nofile.h"
#include "outputs.h"
#include "pidfd.h"
#include "sources.h"
#include "profiles.h"
#include "report.h"
#include "requests.h"
#include "upgrade.h"

#define ANSWER_WITHIN (10 * SECOND)
/* Who was killed and has not gone by then waits in the kernel for something that no signal ends. */
#define GONE_WITHIN (2 * SECOND)
/* A ping goes out with work, but not more often than this. */
#define PING_PAUSE (1 * SECOND)
/* While a profile is on its way somewhere, as it said last, the monitor is asked so often, work or
 * not. */
#define PING_BUSY (5 * SECOND)
/* So many deaths are forgiven, one more every six seconds; each further one delays the next start.
 */
#define DEATHS_FREE	 5
#define DEATHS_FORGET	 (6 * SECOND)
#define DELAY_STEP	 (100 * MILLISECOND)
#define DELAY_MAX	 (10 * SECOND)
#define MESSAGES_AT_ONCE 64

struct child {
	const char *name;
	enum sender sender;
	int binary;
	char path[PATH_MAX + 32];
	pid_t pid; /* 0: there is none */
	int channel;
	int words;     /* what it says before it dies */
	bool greeted;  /* its hello has come and is of our build */
	bool works;    /* one of its kind has greeted us */
	bool blocked;  /* its queue is full */
	bool ping_due; /* the last ping has found no room in its queue */
	uint32_t ping; /* number of the last ping */
	int64_t pinged;
	int64_t ping_at;   /* NEVER: it has had no work since, and nothing under way */
	int64_t answer_by; /* NEVER: nothing is asked */
	int64_t gone_by;   /* NEVER: it was not killed */
	int64_t start_at;  /* NEVER: it runs */
	unsigned deaths;
	int64_t died;
};

static struct child children[CHILDREN] = {
    [CHILD_SPAWNER] = {.name = "spawner", .sender = FROM_SPAWNER},
    [CHILD_MONITOR] = {.name = "monitor", .sender = FROM_MONITOR},
};
static struct child *const spawner = &children[CHILD_SPAWNER],
			   *const monitor = &children[CHILD_MONITOR];

static struct message greeting;
static int empty = -1;
static int null_device = -1;
static bool startup = true;
static bool ending;

void
children_configure(const struct message *hello, int empty_directory)
{
	size_t i;

	for (i = 0; i < CHILDREN; i++) {
		children[i].channel = children[i].words = -1;
		children[i].answer_by = children[i].gone_by = NEVER;
	}
	greeting = *hello;
	empty = empty_directory;
	null_device = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null_device == -1)
		fatal("/dev/null");
}

static void
open_binary(struct child *child)
{
	char own[PATH_MAX], *folder = dirname(strcpy(own, upgrade_own_path()));

	(void)snprintf(child->path, sizeof(child->path), "%s/proclaunch-%s", folder, child->name);
	child->binary = open(child->path, O_RDONLY | O_CLOEXEC);
	if (child->binary != -1)
		return;
	(void)snprintf(
	    child->path, sizeof(child->path), "%s/proclaunch-%s", LIBEXECDIR, child->name);
	child->binary = open(child->path, O_RDONLY | O_CLOEXEC);
	if (child->binary == -1)
		fatal("proclaunch-%s is neither in %s nor in %s", child->name, folder, LIBEXECDIR);
}

void
children_open_binaries(void)
{
	size_t i;

	for (i = 0; i < CHILDREN; i++)
		open_binary(&children[i]);
}

/* Between fork and exec: system calls only. Returns when the exec fails. */
static void
become(const struct child *child, int channel, int words)
{
	char *arguments[] = {(char *)(uintptr_t)child->path, NULL};
	char *environment[] = {NULL};
	int high[5], i;
	/* out of the way of the fixed numbers first */
	const int wanted[5] = {child->binary, channel, words, empty,
	    ledger_lines() != -1 ? ledger_lines() : null_device};

	for (i = 0; i < 5; i++)
		high[i] = fcntl(wanted[i], F_DUPFD_CLOEXEC, FD_CHILD_FIRST_FREE);
	if (dup2(null_device, 0) == -1 || dup2(null_device, 1) == -1 ||
	    dup2(high[2], FD_LAST_WORDS) == -1 || dup2(high[1], FD_PARENT) == -1 ||
	    (child == monitor && (dup2(high[3], FD_EMPTY) == -1 || dup2(high[4], FD_LINES) == -1)))
		return;
	/* everything else closes itself at the exec */
	if (syscall(SYS_close_range, FD_CHILD_FIRST_FREE, ~0U, CLOSE_RANGE_CLOEXEC) == -1)
		return;
	if (child == spawner) /* services have what was in force when we started */
		(void)nofile_restore();
	(void)syscall(SYS_execveat, high[0], "", arguments, environment, AT_EMPTY_PATH);
}

static uint32_t
index_of(const struct child *child)
{
	return (uint32_t)(child - children);
}

static void
forget_child(struct child *child)
{
	loop_close(&child->channel);
	(void)close(child->words);
	child->words = -1;
	child->pid = 0;
	child->answer_by = child->gone_by = NEVER;
	child->greeted = false;
	child->start_at = 0;
}

/* It has never worked, or dies again and again before we are up: whoever starts us should hear of
 * it. Else services may run already, and somebody has to look after them. */
static bool
hopeless(const struct child *child)
{
	return startup && !ending &&
	    (!child->works || child->deaths >= DEATHS_FREE ||
		(greeting.hello.options & HELLO_CHECK) != 0);
}

static bool
launch(struct child *child)
{
	int ends[2], words[2], error;

	if (channel_pair(ends) == -1)
		return false;
	if (pipe2(words, O_CLOEXEC | O_NONBLOCK) == -1) {
		(void)close(ends[0]);
		(void)close(ends[1]);
		return false;
	}
	if (child == monitor)
		channel_refuse_descriptors(ends[0]);
	child->pid = fork();
	if (child->pid == 0) {
		become(child, ends[1], words[1]);
		fatal("%s", child->path);
	}
	(void)close(ends[1]);
	(void)close(words[1]);
	child->channel = ends[0];
	child->words = words[0];
	if (child->pid != -1 && loop_add(ends[0], EPOLLIN, SOURCE_CHILD, index_of(child)) == 0)
		return true;
	error = errno;
	forget_child(child); /* one that was made sees its channel go, and ends */
	errno = error;
	return false;
}

static enum channel_result
send_to(struct child *child, const struct message *message, const int *descriptors, unsigned count)
{
	enum channel_result result;

	if (child->channel == -1 || child->blocked)
		return CHANNEL_AGAIN;
	result = channel_send(child->channel, message, descriptors, count);
	if (result == CHANNEL_AGAIN) {
		child->blocked = true;
		loop_change(child->channel, EPOLLIN | EPOLLOUT, SOURCE_CHILD, index_of(child));
	}
	if (result == CHANNEL_CLOSED)
		result = CHANNEL_AGAIN; /* it has died; SIGCHLD follows */
	if (message->type != MESSAGE_PING)
		child->ping_at = clock_earlier(child->ping_at, child->pinged + PING_PAUSE);
	return result;
}

static void
start(struct child *child)
{
	int64_t now = clock_now();

	child->start_at = NEVER;
	if (!launch(child)) {
		if (hopeless(child))
			fatal("cannot start %s", child->path);
		inform_report(REPORT_CHILD_UNSTARTED, errno, child->name);
		child->start_at = now + SECOND;
		return;
	}
	child->greeted = child->blocked = child->ping_due = false;
	child->pinged = now;
	child->ping_at = NEVER;
	(void)send_to(child, &greeting, NULL, 0);
	child->answer_by = now + ANSWER_WITHIN;
}

void
children_start(void)
{
	int64_t now = clock_now();
	size_t i;

	for (i = 0; i < CHILDREN && !ending; i++)
		if (children[i].pid == 0 && children[i].start_at <= now)
			start(&children[i]);
}

bool
children_answered(void)
{
	return monitor->greeted && spawner->greeted && monitor->answer_by == NEVER &&
	    spawner->answer_by == NEVER;
}

void
children_started(void)
{
	startup = false;
}

bool
children_are(pid_t pid)
{
	return pid == monitor->pid || pid == spawner->pid;
}

/* Its last words, cut to what a report holds. */
static void
relay_words(struct child *child)
{
	char text[400];
	ssize_t length = read(child->words, text, sizeof(text) - 1);

	if (length <= 0)
		return;
	if (text[length - 1] == '\n')
		length--;
	text[length] = '\0';
	if (hopeless(child))
		(void)dprintf(STDERR_FILENO, "%s\n", text);
	else
		inform_report(REPORT_CHILD_SAYS, 0, text);
}

static void
plan_next(struct child *child)
{
	int64_t now = clock_now(), forgotten = (now - child->died) / DEATHS_FORGET;
	int64_t delay = 0;

	child->deaths = forgotten >= child->deaths ? 0 : child->deaths - (unsigned)forgotten;
	child->deaths++;
	child->died = now;
	if (child->deaths > DEATHS_FREE)
		delay = (child->deaths - DEATHS_FREE) * DELAY_STEP;
	child->start_at = now + (delay > DELAY_MAX ? DELAY_MAX : delay);
}

/* It has ended, or is not waited for any longer. */
static void
replace(struct child *child)
{
	if (child == spawner)
		births_ask_again();
	forget_child(child);
	if (child == monitor)
		inform_everything();
	plan_next(child);
}

void
children_reaped(const siginfo_t *how)
{
	struct child *child = how->si_pid == monitor->pid ? monitor : spawner;
	enum process_end end = how->si_code == CLD_EXITED ? END_EXIT : END_SIGNAL;

	if (!children_are(how->si_pid)) {
		outputs_let_go(how->si_pid);
		account_reaped(how->si_pid);
		upgrade_reaped(how); /* else an orphan that a service has left to us */
		return;
	}
	relay_words(child);
	if (hopeless(child)) {
		cgroup_end(); /* unless something runs in it */
		fatalx("%s ended at once, with %s %d", child->path,
		    end == END_EXIT ? "status" : "signal", how->si_status);
	}
	if (!ending)
		inform_child(REPORT_CHILD_DIED, child->name, child->pid, end, how->si_status);
	/* a birth that the spawner had still told us of; what somebody was told is done */
	children_event(index_of(child), EPOLLIN);
	replace(child);
}

/* It has broken a rule or hangs: it ends now, and is replaced when it has been reaped. */
static void
end_child(struct child *child)
{
	if (child->pid != 0) {
		(void)kill(child->pid, SIGKILL); /* our child, not reaped: the pid is its own */
		child->gone_by = clock_now() + GONE_WITHIN;
	}
	child->answer_by = NEVER;
	child->greeted = false;
	loop_close(&child->channel);
}

bool
children_ready(enum child_kind kind)
{
	return children[kind].greeted && !children[kind].blocked;
}

enum channel_result
children_send(
    enum child_kind kind, const struct message *message, const int *descriptors, unsigned count)
{
	return send_to(&children[kind], message, descriptors, count);
}

static void
send_ping(struct child *child)
{
	struct message message;

	message_begin(&message, MESSAGE_PING);
	message.number = child->ping;
	child->ping_due = send_to(child, &message, NULL, 0) != CHANNEL_DONE;
}

static void
ping(struct child *child, int64_t now)
{
	child->ping++;
	child->pinged = now;
	child->ping_at = NEVER;
	child->answer_by = now + ANSWER_WITHIN; /* whether or not its queue takes the ping now */
	loop_change(files_control(), EPOLLIN | EPOLLONESHOT, SOURCE_CHILD, CHILDREN);
	send_ping(child);
}

void
children_ping_monitor(void)
{
	if (monitor->greeted && monitor->answer_by == NEVER)
		ping(monitor, clock_now());
}

void
children_pong(void *subject, struct incoming *incoming)
{
	struct child *child = subject;

	if (incoming->message.number != child->ping)
		return;
	child->answer_by = NEVER;
	if (incoming->message.pong.busy != 0)
		child->ping_at = clock_earlier(child->ping_at, clock_now() + PING_BUSY);
}

void
children_hello(void *subject, struct incoming *incoming)
{
	struct child *child = subject;

	if (!channel_same_build(&incoming->message)) {
		inform_child(REPORT_CHILD_BROKEN, child->name, child->pid, END_NONE, MESSAGE_HELLO);
		end_child(child);
		return;
	}
	child->greeted = child->works = true;
	child->answer_by = NEVER;
	inform_child(REPORT_CHILD_STARTED, child->name, child->pid, END_NONE, 0);
	if (child == monitor)
		inform_everything();
}

void
children_event(uint32_t index, uint32_t events)
{
	struct child *child = &children[index];
	static struct incoming incoming;
	enum channel_result result;
	enum verdict verdict;
	unsigned handled;

	if (index == CHILDREN) { /* a client has work for the monitor; once from ping to ping */
		monitor->ping_at = clock_earlier(monitor->ping_at, monitor->pinged + PING_PAUSE);
		return;
	}
	if ((events & EPOLLOUT) != 0 && child->channel != -1) {
		child->blocked = false;
		loop_change(child->channel, EPOLLIN, SOURCE_CHILD, index_of(child));
		if (child->ping_due) /* or it could not answer, however well it is */
			send_ping(child);
	}
	for (handled = 0; handled < MESSAGES_AT_ONCE && child->channel != -1; handled++) {
		/* the monitor has none to send: what it got from a client could hold us up */
		result = child == spawner
		    ? channel_receive_descriptors(child->channel, &incoming, message_valid)
		    : channel_receive(child->channel, &incoming, message_valid);
		if (result == CHANNEL_AGAIN)
			return;
		if (result == CHANNEL_CLOSED) {
			end_child(child); /* it has died, or is as good as dead */
			return;
		}
		verdict = RULE_BROKEN;
		if (result == CHANNEL_DONE)
			verdict = requests_apply(child->sender, child,
			    child->greeted ? CHILD_GREETED : CHILD_NEW, &incoming);
		if (verdict == RULE_BROKEN) {
			inform_child(REPORT_CHILD_BROKEN, child->name, child->pid, END_NONE,
			    (int)incoming.message.type);
			end_child(child);
		}
	}
}

static int64_t
deadline_of(const struct child *child)
{
	int64_t deadline =
	    child->pid == 0 ? child->start_at : clock_earlier(child->answer_by, child->gone_by);

	if (child->greeted && child->answer_by == NEVER)
		deadline = clock_earlier(deadline, child->ping_at);
	return deadline;
}

int64_t
children_deadline(void)
{
	return clock_earlier(deadline_of(monitor), deadline_of(spawner));
}

/*
 * The kernel keeps it: a tenant whose service writes from a file that never answers, such as one of
 * his own FUSE server, holds the lock of his FIFO for as long as he likes, and who looks at the
 * FIFO waits for it. It ends when it may; another one leaves that FIFO alone until then.
 */
static void
abandon(struct child *child)
{
	inform_child(REPORT_CHILD_KEPT, child->name, child->pid, END_NONE, 0);
	if (child == monitor)
		outputs_find_stuck(child->pid);
	replace(child);
}

static void
tend(struct child *child, int64_t now)
{
	if (child->gone_by <= now) {
		abandon(child);
	} else if (child->answer_by <= now) {
		inform_child(REPORT_CHILD_HUNG, child->name, child->pid, END_NONE, 0);
		end_child(child);
	} else if (child->greeted && child->answer_by == NEVER && child->ping_at <= now) {
		ping(child, now);
	}
}

void
children_tend(int64_t now)
{
	size_t i;

	for (i = 0; i < CHILDREN; i++) {
		/* should we have been stopped since we listened last, it has answered meanwhile */
		if (children[i].answer_by <= now)
			children_event((uint32_t)i, EPOLLIN);
		tend(&children[i], now);
	}
	children_start();
}

static bool
ends_soon(pid_t pid)
{
	int pidfd = pidfd_open(pid, 0);
	bool ended = pidfd_ends(pidfd, GONE_WITHIN / MILLISECOND);

	descriptor_close(pidfd);
	return ended;
}

void
children_end(bool heed)
{
	siginfo_t how;
	size_t i;

	ending = true;
	for (i = 0; i < CHILDREN; i++)
		if (children[i].pid != 0)
			(void)kill(children[i].pid, SIGKILL); /* our child, not reaped */
	for (i = 0; i < CHILDREN; i++) {
		if (children[i].pid == 0)
			continue;
		/* a zombie until we reap it, so that nobody else has its pid */
		if (ends_soon(children[i].pid) && heed && i == CHILD_MONITOR)
			children_event(CHILD_MONITOR, EPOLLIN);
		(void)waitid(P_PID, (id_t)children[i].pid, &how, WEXITED | WNOHANG);
		forget_child(&children[i]);
	}
}

void
children_go_on(void)
{
	ending = false;
	births_ask_again();
	inform_everything();
}

const char *
children_path(enum child_kind kind)
{
	return children[kind].path;
}
