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

/* EINTR does not come: no handler is installed anywhere in the spawner or its children. */
static bool
wait_for(short events)
{
	struct pollfd job = {.fd = channel, .events = events};

	return poll(&job, 1, -1) == 1;
}

void
job_send(const struct message *message)
{
	while (channel_send(channel, message, NULL, 0) == CHANNEL_AGAIN)
		if (!wait_for(POLLOUT))
			return;
}

bool
job_receive(struct incoming *incoming)
{
	enum channel_result result;

	while ((result = channel_receive(channel, incoming)) == CHANNEL_AGAIN)
		if (!wait_for(POLLIN))
			return false;
	return result == CHANNEL_DONE;
}
