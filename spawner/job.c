#include <errno.h>
#include <poll.h>

#include "job.h"

static int channel = -1;

void
job_use(int number)
{
	channel = number;
}

int
job_channel(void)
{
	return channel;
}

/* Whatever poll(2) says, the channel is what is asked next. */
static void
wait_for(short events)
{
	struct pollfd job = {.fd = channel, .events = events};

	(void)poll(&job, 1, -1);
}

void
job_send(const struct message *message)
{
	while (channel_send(channel, message, NULL, 0) == CHANNEL_AGAIN)
		wait_for(POLLOUT);
}

bool
job_receive(struct incoming *incoming)
{
	enum channel_result result;

	while ((result = channel_receive(channel, incoming)) == CHANNEL_AGAIN)
		wait_for(POLLIN);
	return result == CHANNEL_DONE;
}
