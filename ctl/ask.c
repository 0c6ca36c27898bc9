#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "clock.h"
#include "report.h"
#include "unprivileged.h"

/* How long until the next try when nobody listens just now. */
#define TRY_AGAIN 20

static int connection = -1;
static struct hello greeting;

static bool
wait_for(short events, int64_t deadline)
{
	struct pollfd supervisor = {.fd = connection, .events = events};

	while (poll(&supervisor, 1, clock_timeout(deadline)) != 1)
		if (deadline != NEVER && clock_now() >= deadline)
			return false;
	return true;
}

/* A path may be longer than an address, unix(7); then it is the directory's descriptor that is
 * named. */
static int
try_connect(const char *state_directory)
{
	static int directory = -1;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int length;

	length =
	    snprintf(address.sun_path, sizeof(address.sun_path), "%s/control", state_directory);
	if (length < 0 || (size_t)length >= sizeof(address.sun_path)) {
		if (directory == -1)
			directory = open(state_directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (directory == -1)
			return -1;
		(void)snprintf(address.sun_path, sizeof(address.sun_path),
		    "/proc/self/fd/%d/control", directory);
	}
	if (connection == -1)
		connection = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (connection == -1)
		return -1;
	return connect(connection, (struct sockaddr *)&address, sizeof(address));
}

/* Does nobody listen? */
static bool
absent(int error)
{
	return error == ENOENT || error == ECONNREFUSED || error == ENOTDIR;
}

/* EAGAIN: more clients wait than the socket's backlog holds, unix(7). */
static bool
connect_until(const char *state_directory, int64_t deadline, bool patient)
{
	while (try_connect(state_directory) == -1) {
		if ((errno != EAGAIN && !(patient && absent(errno))) || clock_now() >= deadline)
			return false;
		(void)poll(NULL, 0, TRY_AGAIN);
	}
	return true;
}

static enum ask_result
unreachable(const char *state_directory)
{
	if (absent(errno))
		warningx(
		    "%s: no proclaunch runs on this state directory (see -d)", state_directory);
	else
		warning("%s/control", state_directory);
	return ASK_UNREACHABLE;
}

enum ask_result
ask_connect(const char *state_directory, int64_t deadline, bool patient)
{
	enum channel_result said;
	struct message hello;

	if (connection != -1)
		(void)close(connection);
	connection = -1;
	if (!connect_until(state_directory, deadline, patient))
		return unreachable(state_directory);
	channel_hello(&hello);
	said = channel_send(connection, &hello, NULL, 0);
	/* whoever has hung up already may have said why; whom no greeting reaches would not answer
	 */
	return said == CHANNEL_DONE || said == CHANNEL_CLOSED ? ASK_OK : ASK_LOST;
}

enum ask_result
ask_greet(int64_t deadline, bool any_build)
{
	static struct incoming incoming;
	enum ask_result result = ask_receive(&incoming, deadline);

	if (result != ASK_OK)
		return result;
	if (incoming.message.type == MESSAGE_ANSWER) {
		warningx("%s", incoming.message.answer.text);
		return ASK_UNREACHABLE;
	}
	if (incoming.message.type != MESSAGE_HELLO)
		return ASK_LOST;
	greeting = incoming.message.hello;
	if (!channel_same_build(&incoming.message) && !any_build) {
		warningx("the supervisor is version %.31s, build %.39s, and this is another one: "
			 "upgrade it with SIGUSR2, or use its own proclaunchctl",
		    greeting.version, greeting.build);
		return ASK_OTHER_BUILD;
	}
	return ASK_OK;
}

const struct hello *
ask_greeting(void)
{
	return &greeting;
}

enum ask_result
ask_send(const struct ask *ask)
{
	struct message message;

	message_begin(&message, MESSAGE_ASK);
	message.ask = *ask;
	return channel_send(connection, &message, NULL, 0) == CHANNEL_DONE ? ASK_OK : ASK_LOST;
}

/* What is not printable, and what stands in `others`, becomes '?'. */
static void
make_printable(char *text, const char *others)
{
	for (; *text != '\0'; text++)
		if (*text < ' ' || *text > '~' || strchr(others, *text) != NULL)
			*text = '?';
}

void
ask_make_printable(struct message *message)
{
	static const char quotes[] = "\"\\", in_no_name[] = " !\"#$%&'()*,;<=>?[\\]^`{|}~";
	struct row *row;

	switch (message->type) {
	case MESSAGE_HELLO:
		make_printable(message->hello.version, quotes);
		make_printable(message->hello.build, quotes);
		make_printable(message->hello.base, "");
		break;
	case MESSAGE_ROWS:
		for (row = message->rows.rows; row < message->rows.rows + message->rows.count;
		     row++) {
			make_printable(row->name, in_no_name);
			make_printable(row->account, quotes);
			make_printable(row->reason, "");
			make_printable(row->decided_by, "");
		}
		break;
	case MESSAGE_TRANSITION:
		make_printable(message->transition.name, in_no_name);
		make_printable(message->transition.reason, "");
		break;
	case MESSAGE_ANSWER:
		make_printable(message->answer.text, "");
		break;
	default:
		break;
	}
}

enum ask_result
ask_receive(struct incoming *incoming, int64_t deadline)
{
	enum channel_result result;

	while ((result = channel_receive_descriptors(connection, incoming, unprivileged_valid)) ==
	    CHANNEL_AGAIN)
		if (!wait_for(POLLIN, deadline))
			return ASK_TIMED_OUT;
	if (result == CHANNEL_DONE)
		ask_make_printable(&incoming->message);
	return result == CHANNEL_DONE ? ASK_OK : ASK_LOST;
}
