/*
 * The spawner against any sequence of messages and descriptors on its channel: it forks only for
 * what its table permits, with the descriptors that came with the request and no others, never as
 * root under --no-root, and keeps no descriptor.
 */
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "birth.h"
#include "descriptors.h"
#include "input.h"
#include "reset.h"

/* The table of rules and the handlers are static in there. */
int spawner_main(int count, char **arguments);
#define main spawner_main
#include "../../spawner/main.c"
#include "unprivileged.h"
#undef main

static int parent = -1; /* its end of the channel */
static bool greeted, no_root, shed;
static unsigned births_expected, births_made, attached_count;
static int null_device;
static struct fork_request expected;

pid_t
birth_fork(struct birth *birth, int *pidfd)
{
	const struct fork_request *request = birth->request;

	PROPERTY(greeted && births_made < births_expected);
	PROPERTY(memcmp(request, &expected, sizeof(expected)) == 0);
	PROPERTY(!no_root || request->uid != 0);
	PROPERTY(shed || (options & HELLO_ROOT) == 0); /* before the first child */
	PROPERTY(fcntl(birth->job, F_GETFD) != -1 && fcntl(birth->directory, F_GETFD) != -1);
	PROPERTY(fcntl(birth->output, F_GETFD) != -1 && fcntl(birth->error, F_GETFD) != -1);
	PROPERTY(birth->job != birth->directory && birth->job != FD_PARENT);
	PROPERTY((birth->output == STDIN_FILENO) == (attached_count == 2));
	PROPERTY((birth->cgroup != -1) == (attached_count == 5));
	births_made++;
	*pidfd = fcntl(null_device, F_DUPFD_CLOEXEC, 3);
	return 1000;
}

bool
privdrop_bound(uint64_t kept)
{
	PROPERTY(no_root && kept != 0);
	return true;
}

bool
privdrop_keep(uint64_t kept)
{
	PROPERTY(kept != 0);
	shed = true;
	return true;
}

/* One message with some descriptors; now and then one that is too short. */
static void
parent_says(struct input *input)
{
	static const enum message_type types[] = {
	    MESSAGE_FORK, MESSAGE_FORK, MESSAGE_FORK, MESSAGE_PING, MESSAGE_HELLO};
	struct message message, ours;
	unsigned choice = input_below(input, 32), i;
	int attached[CHANNEL_DESCRIPTORS_MAX];

	input_message(input, &message,
	    choice < 25 ? types[choice % 5]
			: (enum message_type)input_below(input, MESSAGE_TYPE_COUNT));
	if (message.type == MESSAGE_HELLO && choice < 25) {
		channel_hello(&ours);
		memcpy(message.hello.version, ours.hello.version, sizeof(ours.hello.version));
		memcpy(message.hello.build, ours.hello.build, sizeof(ours.hello.build));
	}
	attached_count = input_below(input, CHANNEL_DESCRIPTORS_MAX + 1);
	for (i = 0; i < attached_count; i++)
		attached[i] = null_device;
	if (message.type == MESSAGE_FORK) {
		expected = message.fork;
		births_expected = births_made + 1;
	} else {
		births_expected = births_made;
	}
	if (choice == 31)
		(void)send(parent, &message, input_byte(input), MSG_DONTWAIT | MSG_NOSIGNAL);
	else
		(void)channel_send(parent, &message, attached, attached_count);
}

/* What it answers is a message, and nothing but BORN carries a descriptor. */
static void
parent_hears(void)
{
	static struct incoming incoming;
	enum channel_result result;

	while ((result = channel_receive_descriptors(parent, &incoming, unprivileged_valid)) ==
	    CHANNEL_DONE) {
		PROPERTY(incoming.message.type == MESSAGE_HELLO ||
		    incoming.message.type == MESSAGE_PONG || incoming.message.type == MESSAGE_BORN);
		PROPERTY(incoming.count == 0 || incoming.message.type == MESSAGE_BORN);
		channel_discard(&incoming);
	}
	PROPERTY(result == CHANNEL_AGAIN);
}

static void
take_message(unsigned *state)
{
	static struct incoming incoming;
	enum channel_result result =
	    channel_receive_descriptors(FD_PARENT, &incoming, message_valid);

	/* as its main() does */
	if (result == CHANNEL_BROKEN ||
	    rules_apply(rules, sizeof(rules) / sizeof(rules[0]), FROM_PARENT, *state, NULL,
		&incoming) != RULE_KEPT)
		fatalx("broken");
	*state = AFTER_HELLO;
	greeted = true;
	no_root = (options & HELLO_NO_ROOT) != 0;
}

static int
first_free(void)
{
	int free_one = fcntl(null_device, F_DUPFD_CLOEXEC, 3);

	PROPERTY(free_one != -1 && close(free_one) == 0);
	return free_one;
}

static void
play(void *context)
{
	struct input *input = context;
	unsigned state = BEFORE_HELLO;
	int ends[2], before;

	PROPERTY(channel_pair(ends) == 0);
	parent = fcntl(ends[0], F_DUPFD_CLOEXEC, 64);
	PROPERTY(parent != -1 && dup2(ends[1], FD_PARENT) == FD_PARENT);
	if (ends[0] != FD_PARENT)
		(void)close(ends[0]);
	if (ends[1] != FD_PARENT)
		(void)close(ends[1]);
	before = first_free();
	while (input->left > 0) {
		parent_says(input);
		if (state == BEFORE_HELLO)
			no_root = true; /* not known yet: whatever it sheds is fine */
		take_message(&state);
		parent_hears();
		PROPERTY(first_free() == before);
	}
}

int
LLVMFuzzerInitialize(int *count, char ***arguments)
{
	(void)count;
	(void)arguments;
	null_device = open("/dev/null", O_RDWR | O_CLOEXEC);
	PROPERTY(null_device != -1);
	reset_remember(false);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = {.at = bytes, .left = size};

	greeted = no_root = shed = false;
	births_expected = births_made = 0;
	options = 0;
	/* a protocol error ends it: that is the rule, not a fault */
	(void)reset_after(play, &input);
	return 0;
}
