/* The monitor against a parent that sends anything, in any order. */
#include <sys/mman.h>

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "monitor_world.h"
#include "reset.h"

static const char *const names[] = {"web", "mail", "alice/web", "b\033[31m", ""};

static void
tell(struct input *input)
{
	static const enum message_type types[] = {MESSAGE_PROFILE, MESSAGE_PROFILE, MESSAGE_SETTING,
	    MESSAGE_PROCESS, MESSAGE_PROCESS, MESSAGE_PROCESS, MESSAGE_RECALL, MESSAGE_CLAIM,
	    MESSAGE_ORDER, MESSAGE_REPORT, MESSAGE_KEPT, MESSAGE_SETTLED, MESSAGE_FIFO,
	    MESSAGE_OUTPUT, MESSAGE_READABLE, MESSAGE_LOG, MESSAGE_PING};
	unsigned choice = input_below(input, 40);
	int descriptor = -1, ends[2] = {-1, -1};
	struct message message;

	input_message(input, &message,
	    choice < 32 ? types[choice % 16]
			: (enum message_type)input_below(input, MESSAGE_TYPE_COUNT));
	if (message.type == MESSAGE_PROFILE && choice < 32) {
		message.profile.trigger |= 1;
		memset(message.profile.name, 0, sizeof(message.profile.name));
		strcpy(message.profile.name, names[input_below(input, 5)]);
		message.profile.account[sizeof(message.profile.account) - 1] = '\0';
		message.profile.refusal = choice < 16 ? 0 : input_below(input, REFUSAL_COUNT);
		message.profile.gone = input_below(input, 4) == 3;
		message.profile.kept = input_below(input, WISH_COUNT);
		message.profile.present = 1U << input_below(input, SETTING_COUNT) | 1;
		message.profile.settings = input_below(input, 3);
		message.profile.refused_setting = input_below(input, SETTING_COUNT + 1);
	} else if (message.type == MESSAGE_PROCESS && choice < 32) {
		message.process.phase = input_below(input, PHASE_COUNT);
		message.process.end = input_below(input, END_COUNT);
		message.process.stage = input_below(input, STAGE_COUNT);
		message.process.adopted = input_below(input, 2);
		message.process.attempt = input_below(input, 4);
		message.process.started = message.process.ended = reset_clock;
	}
	if (input_below(input, 4) == 3 || message.type == MESSAGE_FIFO) {
		if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0) {
			(void)!write(ends[1], input->at, input->left > 64 ? 64 : input->left);
			descriptor = ends[0];
		}
	} else if (message.type == MESSAGE_OUTPUT || message.type == MESSAGE_LOG ||
	    message.type == MESSAGE_REMAINS) {
		descriptor = memfd_create("file", MFD_CLOEXEC);
	}
	monitor_world_tell(&message, descriptor);
	if (descriptor != -1)
		(void)close(descriptor);
}

static void
play(struct input *input)
{
	while (input->left > 0) {
		if (input_below(input, 8) == 7)
			reset_clock += SECOND << input_below(input, 12);
		else
			tell(input);
		monitor_world_turn();
	}
}

int
LLVMFuzzerInitialize(int *count, char ***arguments)
{
	(void)count;
	(void)arguments;
	monitor_world_remember();
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	monitor_world_run(play, bytes, size);
	return 0;
}
