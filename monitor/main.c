/*
 * The monitor: the brain of ProcLaunch, without a privilege. It decides which profile runs, writes
 * the log, and can name nothing to anybody but an index, a generation and a signal.
 */
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <errno.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "build.h"
#include "clock.h"
#include "commands.h"
#include "confine.h"
#include "control.h"
#include "descriptors.h"
#include "intake.h"
#include "leave.h"
#include "output.h"
#include "log.h"
#include "parent.h"
#include "process.h"
#include "recall.h"
#include "remains.h"
#include "report.h"
#include "reports.h"
#include "rules.h"
#include "share.h"
#include "sources.h"
#include "supervise.h"
#include "unprivileged.h"

#define MESSAGES_AT_ONCE 256

static void
handle_hello(void *subject, struct incoming *incoming)
{
	struct message hello;

	(void)subject;
	if (!channel_same_build(&incoming->message))
		fatalx("the parent is of another build than this monitor: install all three");
	log_set_level((enum level)incoming->message.hello.log_level);
	if ((incoming->message.hello.options & HELLO_CHECK) != 0) {
		leave_only_check();
		log_briefly();
	}
	control_configure(&incoming->message.hello);
	log_rotate_at(incoming->message.hello.log_rotate_size);
	parent_configure(incoming->message.hello.log_rotate_keep);
	confine(&incoming->message.hello);
	log_inherit(FD_LINES); /* not before: an attacker may have written it */
	channel_hello(&hello);
	parent_answer(&hello);
}

static void
handle_ping(void *subject, struct incoming *incoming)
{
	struct message pong;

	(void)subject;
	message_begin(&pong, MESSAGE_PONG);
	pong.number = incoming->message.number;
	pong.pong.busy = supervise_busy();
	parent_answer(&pong);
}

static void
handle_log(void *subject, struct incoming *incoming)
{
	(void)subject;
	log_use(channel_take(incoming), incoming->message.file.size);
	log_set_nameless(incoming->message.file.nameless != 0);
	commands_log_rotated(NULL);
	commands_reopened(incoming->message.file.error);
}

/* All that the parent may say. The state is whether it has introduced itself: until then we are not
 * confined, and listen to nothing else. */
#define BEFORE_HELLO 1U
#define AFTER_HELLO  2U
static const struct rule rules[] = {
    {MESSAGE_HELLO, FROM_PARENT, BEFORE_HELLO, 0, 0, handle_hello},
    {MESSAGE_PING, FROM_PARENT, AFTER_HELLO, 0, 0, handle_ping},
    {MESSAGE_LOG, FROM_PARENT, AFTER_HELLO, 0, 1, handle_log},
    {MESSAGE_CONTROL, FROM_PARENT, AFTER_HELLO, 1, 1, control_listen},
    {MESSAGE_SETTLED, FROM_PARENT, AFTER_HELLO, 0, 0, commands_settled},
    {MESSAGE_KEPT, FROM_PARENT, AFTER_HELLO, 0, 0, commands_kept},
    {MESSAGE_FIFO, FROM_PARENT, AFTER_HELLO, 1, 1, output_take_fifo},
    {MESSAGE_OUTPUT, FROM_PARENT, AFTER_HELLO, 0, 1, output_take_file},
    {MESSAGE_REMAINS, FROM_PARENT, AFTER_HELLO, 1, 1, remains_take},
    {MESSAGE_READABLE, FROM_PARENT, AFTER_HELLO, 0, 1, commands_readable},
    {MESSAGE_MARK, FROM_PARENT, AFTER_HELLO, 0, 0, parent_marked},
    {MESSAGE_REPORT, FROM_PARENT, AFTER_HELLO, 0, 0, reports_log},
    {MESSAGE_ORDER, FROM_PARENT, AFTER_HELLO, 0, 0, leave_order},
    {MESSAGE_PROFILE, FROM_PARENT, AFTER_HELLO, 0, 0, intake_profile},
    {MESSAGE_SETTING, FROM_PARENT, AFTER_HELLO, 0, 0, intake_setting},
    {MESSAGE_RECALL, FROM_PARENT, AFTER_HELLO, 0, 0, recall_take},
    {MESSAGE_PROCESS, FROM_PARENT, AFTER_HELLO, 0, 0, process_hear},
    {MESSAGE_CLAIM, FROM_PARENT, AFTER_HELLO, 0, 0, process_hear_claim},
};

/* Takes in what the parent has said, as far as it goes at once. */
static void
listen_to_parent(uint32_t index, uint32_t events)
{
	static struct incoming incoming;
	static unsigned state = BEFORE_HELLO;
	enum channel_result result = CHANNEL_DONE;
	unsigned taken;

	(void)index;
	(void)events;
	for (taken = 0; taken < MESSAGES_AT_ONCE; taken++) {
		result = channel_receive_descriptors(FD_PARENT, &incoming, unprivileged_valid);
		if (result == CHANNEL_AGAIN)
			return;
		if (result == CHANNEL_CLOSED)
			_exit(0); /* the parent has gone; so do we, at once */
		if (result == CHANNEL_BROKEN ||
		    rules_apply(rules, sizeof(rules) / sizeof(rules[0]), FROM_PARENT, state, NULL,
			&incoming) != RULE_KEPT)
			fatalx("the parent sent %s, which is not in the table",
			    unprivileged_name(incoming.message.type));
		state = AFTER_HELLO;
	}
}

/*
 * Who prints without end keeps us on a processor. Whoever wakes up there, one that was killed, its
 * successor, the parent, is let first by Linux (since 6.12) only when the slice that he asks for is
 * shorter than ours, which usually is the same; else he waits for the next tick, for up to four
 * milliseconds at 250 a second, although another processor has become idle. An older kernel takes
 * no notice. With a slice that is much longer lines would wait where many services compute.
 */
#define SLICE (3 * MILLISECOND)
static void
ask_for_long_slices(void)
{
	struct sched_attr attributes;

	if (syscall(SYS_sched_getattr, 0, &attributes, sizeof(attributes), 0) == -1 ||
	    (attributes.sched_policy != SCHED_NORMAL && attributes.sched_policy != SCHED_BATCH))
		return;
	attributes.sched_runtime = SLICE;
	(void)syscall(SYS_sched_setattr, 0, &attributes, 0); /* it is for the speed of others */
}

static void
prepare(void)
{
	socklen_t size = sizeof(int);
	int type;
	sigset_t all;

	/* or some pipe of ours would take the channel's place, and nobody could end us by ^C */
	if (getsockopt(FD_PARENT, SOL_SOCKET, SO_TYPE, &type, &size) == -1)
		fatalx("this is started by proclaunch(8)");
	(void)sigfillset(&all);
	(void)sigdelset(&all, SIGSYS); /* whoever sends these wants to see us crash */
	(void)sigdelset(&all, SIGSEGV);
	(void)sigdelset(&all, SIGABRT);
	if (syscall(SYS_close_range, FD_LINES + 1, ~0U, 0) == -1 ||
	    sigprocmask(SIG_SETMASK, &all, NULL) == -1 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1 ||
	    prctl(PR_SET_NAME, "proclaunch-monitor", 0, 0, 0) == -1)
		fatal("cannot prepare");
	ask_for_long_slices();
	output_prepare();
	loop_open();
	if (loop_add(FD_PARENT, EPOLLIN, SOURCE_PARENT, 0) == -1)
		fatal("epoll_ctl");
}

static const loop_handler handlers[SOURCE_COUNT] = {
    [SOURCE_PARENT] = listen_to_parent,
    [SOURCE_LISTENER] = control_listener_event,
    [SOURCE_CLIENT] = control_client_event,
    [SOURCE_FIFO] = output_event,
};

static void
tend_log(void)
{
	log_flush();
	if (log_has_grown())
		commands_log_grew(NULL);
	switch (log_wants()) {
	case LOG_REOPEN:
		parent_ask_reopen();
		break;
	case LOG_ROTATE:
		parent_ask_rotate_log();
		break;
	default:
		break;
	}
}

static int64_t
next_deadline(void)
{
	int64_t profiles = clock_earlier(supervise_deadline(), output_deadline());
	int64_t files =
	    clock_earlier(clock_earlier(log_deadline(), recall_deadline()), remains_deadline());

	return clock_earlier(
	    clock_earlier(clock_earlier(profiles, leave_deadline()), share_deadline()),
	    clock_earlier(files, control_deadline()));
}

/*
 * One wait a turn. What was decided is asked of the parent; when it is done, in a later turn, the
 * log and the clients are told. Output comes before what is asked: a FIFO that its user keeps
 * locked shall keep us, who are replaced then, and not the parent, who may have to open it for the
 * next service.
 */
static _Noreturn void
loop(void)
{
	bool full = false, was_full;
	int64_t now;

	for (;;) {
		loop_wait(next_deadline(), handlers);
		now = clock_now();
		output_tend(now);
		supervise_tend(now);
		leave_tend();
		share_tend(now);
		recall_tend(now);
		tend_log();
		control_tend(now);
		was_full = full;
		full = parent_flush();
		if (full != was_full)
			loop_change(
			    FD_PARENT, full ? EPOLLIN | EPOLLOUT : EPOLLIN, SOURCE_PARENT, 0);
		remains_tend(now); /* nobody waits for it */
	}
}

#define PRINT_MESSAGE(name, who, what) (void)printf("%s: %s: %s\n", #name, who, what);
static void
print_messages(void)
{
	MESSAGE_CATALOGUE(PRINT_MESSAGE)
}

int
main(int count, char **arguments)
{
	report_as("proclaunch-monitor");
	if (strcmp(program_invocation_short_name, "proclaunch-spawner") == 0)
		fatalx("this is not the spawner, which %s must be", arguments[0]);
	if (count == 2) {
		if (strcmp(arguments[1], "--version") == 0)
			(void)fputs(BUILD_LINE, stdout);
		else if (strcmp(arguments[1], "--print-filter") == 0)
			confine_print_filter();
		else if (strcmp(arguments[1], "--print-messages") == 0)
			print_messages();
		else
			fatalx("%s: this is started by proclaunch(8)", arguments[1]);
		return fflush(stdout) == EOF ? 1 : 0;
	}
	prepare();
	loop();
}
