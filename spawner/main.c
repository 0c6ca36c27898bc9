/*
 * The spawner: forks, drops to the user that the parent names by number, and execs. It knows no
 * names, no policy and no configuration file, and keeps no table: one request, one child.
 */
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "birth.h"
#include "build.h"
#include "descriptors.h"
#include "nofile.h"
#include "report.h"
#include "rules.h"

static uint32_t options;
static int null_device;

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

static void
handle_hello(void *subject, struct incoming *incoming)
{
	struct message hello;

	(void)subject;
	if (!channel_same_build(&incoming->message))
		fatalx("the parent is of another build than this spawner: install all three");
	options = incoming->message.hello.options;
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

static void
handle_fork(void *subject, struct incoming *incoming)
{
	const struct message *request = &incoming->message;
	struct birth birth = {.request = &request->fork, .null = null_device};
	struct message born;
	int pidfd = -1;

	(void)subject;
	birth.job = incoming->descriptors[0];
	birth.directory = incoming->descriptors[1];
	birth.cgroup = incoming->count > 2 ? incoming->descriptors[2] : -1;
	message_begin(&born, MESSAGE_BORN);
	born.index = request->index;
	born.generation = request->generation;
	born.number = request->number;
	born.born.task = request->fork.task;
	errno = EPERM;
	if ((options & HELLO_NO_ROOT) != 0 && request->fork.uid == 0)
		born.born.pid = -1;
	else
		born.born.pid = birth_fork(&birth, &pidfd);
	if (born.born.pid == -1)
		born.born.error = errno;
	answer(&born, &pidfd, pidfd == -1 ? 0 : 1);
	if (pidfd != -1)
		(void)close(pidfd);
}

/* All that the parent may ask. `states` is unused: the spawner has none but before the handshake.
 */
#define BEFORE_HELLO 1U
#define AFTER_HELLO  2U
static const struct rule rules[] = {
    {MESSAGE_HELLO, FROM_PARENT, BEFORE_HELLO, 0, 0, handle_hello},
    {MESSAGE_PING, FROM_PARENT, AFTER_HELLO, 0, 0, handle_ping},
    {MESSAGE_FORK, FROM_PARENT, AFTER_HELLO, 2, 3, handle_fork},
};

/* The parent alone steers us. The death of the parent is our death, even when we are stopped. */
static void
prepare(void)
{
	sigset_t all;

	nofile_raise();
	(void)sigfillset(&all);
	if (syscall(SYS_close_range, FD_CHILD_FIRST_FREE - 1, ~0U, 0) == -1 ||
	    sigprocmask(SIG_SETMASK, &all, NULL) == -1 ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == -1 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1 ||
	    prctl(PR_SET_NAME, "proclaunch-spawner", 0, 0, 0) == -1)
		fatal("cannot prepare");
	null_device = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null_device == -1)
		fatal("/dev/null");
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
		result = channel_receive(FD_PARENT, &incoming);
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
