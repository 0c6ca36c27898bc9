/* Whoever a pidfd stands for: signals to it, and whether it has ended. */
#ifndef PROCLAUNCH_PIDFD_H
#define PROCLAUNCH_PIDFD_H

#include <sys/pidfd.h>

#include <poll.h>
#include <signal.h>
#include <stdbool.h>

/* It may have ended. Who is suspended cannot end by SIGTERM before it goes on. */
static inline void
pidfd_signal(int pidfd, int number)
{
	(void)pidfd_send_signal(pidfd, number, NULL, 0);
	if (number == SIGTERM)
		(void)pidfd_send_signal(pidfd, SIGCONT, NULL, 0);
}

/* Does it end within so many milliseconds? 0: has it ended? */
static inline bool
pidfd_ends(int pidfd, int within)
{
	struct pollfd end = {.fd = pidfd, .events = POLLIN};

	return poll(&end, 1, within) == 1;
}

#endif
