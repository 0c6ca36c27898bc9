#include <sys/epoll.h>

#include <errno.h>
#include <unistd.h>

#include "clock.h"
#include "loop.h"
#include "report.h"

#define EVENTS_AT_ONCE 256

static int epoll = -1;

void
loop_open(void)
{
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll == -1)
		fatal("epoll_create1");
}

static struct epoll_event
describe(uint32_t events, unsigned source, uint32_t index)
{
	return (struct epoll_event){.events = events, .data.u64 = (uint64_t)source << 32 | index};
}

int
loop_add(int descriptor, uint32_t events, unsigned source, uint32_t index)
{
	struct epoll_event event = describe(events, source, index);

	return epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event);
}

void
loop_change(int descriptor, uint32_t events, unsigned source, uint32_t index)
{
	struct epoll_event event = describe(events, source, index);

	(void)epoll_ctl(
	    epoll, EPOLL_CTL_MOD, descriptor, &event); /* it is in the set: no failure */
}

void
loop_mute(int descriptor)
{
	(void)epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, NULL); /* it may never have been in it */
}

void
loop_close(int *descriptor)
{
	if (*descriptor == -1)
		return;
	loop_mute(*descriptor);
	(void)close(*descriptor);
	*descriptor = -1;
}

void
loop_wait(int64_t deadline, const loop_handler *handlers)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int ready, i;

	do /* by the name that every architecture has, for the monitor's filter */
		ready = epoll_pwait(epoll, events, EVENTS_AT_ONCE, clock_timeout(deadline), NULL);
	while (ready == -1 && errno == EINTR); /* stopped and continued: what has come is first */
	if (ready == -1)
		fatal("epoll_pwait");
	for (i = 0; i < ready; i++)
		handlers[events[i].data.u64 >> 32]((uint32_t)events[i].data.u64, events[i].events);
}
