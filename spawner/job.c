#include <unistd.h>

#include "descriptors.h"
#include "job.h"

static int channel = FD_PARENT;

void
job_use(int number)
{
	channel = number;
}

/* Whatever poll(2) says, the channel is what is asked next. */
void
job_wait(short events)
{
	struct pollfd parent = {.fd = channel, .events = events};

	(void)poll(&parent, 1, -1);
}

void
job_send(const struct message *message, const int *descriptors, unsigned count)
{
	enum channel_result result;

	while ((result = channel_send(channel, message, descriptors, count)) == CHANNEL_AGAIN)
		job_wait(POLLOUT);
	if (result == CHANNEL_CLOSED)
		_exit(0);
}

struct message *
job_expect(enum message_type type)
{
	static struct incoming incoming;
	enum channel_result result;

	do /* it is rarely there before we are */
		job_wait(POLLIN);
	while ((result = channel_receive(channel, &incoming, message_valid)) == CHANNEL_AGAIN);
	if (result != CHANNEL_DONE || incoming.message.type != type)
		_exit(0);
	return &incoming.message;
}
