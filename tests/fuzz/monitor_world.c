#include <sys/mman.h>
#include <sys/socket.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "descriptors.h"
#include "monitor_world.h"
#include "reset.h"

/* The table of rules and the loop's handlers are static in there. */
int monitor_main(int count, char **arguments);
#define main monitor_main
#include "../../monitor/main.c"
#include "unprivileged.h"
#undef main

#define LOG_MAX (1 << 20)

struct told told[TOLD_MAX];
void (*monitor_world_hears)(const struct message *message);

static int parent = -1, log_file = -1;
static bool confined;
static void (*play_input)(struct input *input);

void
confine(const struct hello *hello)
{
	PROPERTY(!confined && hello->version[0] != '\0');
	confined = true;
}

void
confine_print_filter(void)
{
}

/* It names nothing but what it was told of, and asks for no second process. */
static void
check_ask(const struct message *message)
{
	struct told *about;

	switch (message->type) {
	case MESSAGE_HELLO:
	case MESSAGE_PONG:
	case MESSAGE_MARK:
	case MESSAGE_GOODBYE:
	case MESSAGE_REOPEN:
		PROPERTY(message->index == NO_PROFILE);
		return;
	case MESSAGE_ROTATE:
	case MESSAGE_READ:
		if (message->index == NO_PROFILE)
			return;
		break;
	case MESSAGE_START:
	case MESSAGE_SIGNAL:
	case MESSAGE_SWEEP:
	case MESSAGE_NOTE:
	case MESSAGE_KEEP:
	case MESSAGE_SETTLE:
	case MESSAGE_OPEN:
	case MESSAGE_FORGET:
		break;
	default:
		PROPERTY(!"the monitor sends what is the monitor's to send");
	}
	if (message->index >= TOLD_MAX)
		return; /* the model follows the first few only */
	about = &told[message->index];
	PROPERTY(about->known && about->generation == message->generation);
	if (message->type == MESSAGE_START) {
		PROPERTY(about->phase == PHASE_NONE || about->phase == PHASE_REST);
		about->attempt = message->number;
		about->ended = false;
	}
	if (message->type == MESSAGE_FORGET)
		told[message->index].known = false;
}

static void
hear(void)
{
	static struct incoming incoming;
	enum channel_result result;

	while ((result = channel_receive_descriptors(parent, &incoming, unprivileged_valid)) ==
	    CHANNEL_DONE) {
		PROPERTY(incoming.count == 0 && confined);
		check_ask(&incoming.message);
		if (incoming.message.type == MESSAGE_MARK)
			monitor_world_tell(&incoming.message, -1);
		if (monitor_world_hears != NULL)
			monitor_world_hears(&incoming.message);
	}
	PROPERTY(result == CHANNEL_AGAIN);
}

/* What has ended lives no more without a START, and what is about a process before the one that was
 * asked for is no news: a parent says neither, but input does. */
static void
hear_of_process(struct told *about, const struct process_facts *process)
{
	bool same = about->attempt == 0 || about->attempt == process->attempt;

	if (process->phase == PHASE_NONE || process->phase == PHASE_REST) {
		about->phase = process->phase;
		about->ended |= same;
	} else if (same && !about->ended) {
		about->phase = process->phase;
	}
}

void
monitor_world_tell(const struct message *message, int descriptor)
{
	struct told *about = message->index < TOLD_MAX ? &told[message->index] : NULL;

	if (!unprivileged_valid(message) ||
	    channel_send(parent, message, &descriptor, descriptor == -1 ? 0 : 1) != CHANNEL_DONE)
		return;
	if (about != NULL && message->type == MESSAGE_PROFILE) {
		if (!about->known || about->generation != message->generation) {
			about->phase = PHASE_NONE;
			about->attempt = 0;
			about->ended = false;
		}
		about->known = true;
		about->generation = message->generation;
		about->uid = message->profile.uid;
	} else if (about != NULL && message->type == MESSAGE_PROCESS && about->known &&
	    about->generation == message->generation) {
		hear_of_process(about, &message->process);
	}
}

/* As its loop() does, without the wait. */
void
monitor_world_turn(void)
{
	int64_t now;

	loop_wait(0, handlers);
	now = clock_now();
	output_tend(now);
	supervise_tend(now);
	leave_tend();
	tend_log();
	control_tend(now);
	(void)parent_flush();
	hear();
}

static void
check_log(void)
{
	static char text[LOG_MAX];
	ssize_t length = pread(log_file, text, sizeof(text), 0), i;

	PROPERTY(length >= 0);
	for (i = 0; i < length; i++)
		PROPERTY(text[i] == '\n' || (text[i] >= ' ' && text[i] <= '~'));
}

static void
begin(void)
{
	struct message message;
	int ends[2];

	confined = false;
	memset(told, 0, sizeof(told));
	reset_clock = 1000 * SECOND;
	PROPERTY(channel_pair(ends) == 0);
	parent = fcntl(ends[0], F_DUPFD_CLOEXEC, 16);
	PROPERTY(parent != -1 && dup2(ends[1], FD_PARENT) == FD_PARENT);
	output_prepare();
	loop_open();
	PROPERTY(loop_add(FD_PARENT, EPOLLIN, SOURCE_PARENT, 0) == 0);
	channel_hello(&message);
	message.hello.log_level = LEVEL_DEBUG;
	monitor_world_tell(&message, -1);
	monitor_world_turn();
	log_file = memfd_create("log", MFD_CLOEXEC);
	message_begin(&message, MESSAGE_LOG);
	monitor_world_tell(&message, log_file);
	monitor_world_turn();
}

static void
play(void *context)
{
	begin();
	play_input(context);
	check_log();
}

void
monitor_world_remember(void)
{
	PROPERTY(fcntl(STDIN_FILENO, F_GETFD) != -1 && open("/dev/null", O_RDWR) != -1);
	PROPERTY(dup2(open("/dev/null", O_RDWR), STDOUT_FILENO) == STDOUT_FILENO);
	reset_remember(false);
}

void
monitor_world_run(void (*play_it)(struct input *input), const uint8_t *bytes, size_t size)
{
	struct input input = {.at = bytes, .left = size};

	play_input = play_it;
	(void)reset_after(play, &input); /* a broken rule of the parent's ends it, as it must */
}
