/* Signals to whoever a pidfd stands for. */
#ifndef PROCLAUNCH_PIDFD_H
#define PROCLAUNCH_PIDFD_H

#include <sys/pidfd.h>

#include <signal.h>

/* It may have ended. Who is suspended cannot end by SIGTERM before it goes on. */
static inline void
pidfd_signal(int pidfd, int number)
{
	(void)pidfd_send_signal(pidfd, number, NULL, 0);
	if (number == SIGTERM)
		(void)pidfd_send_signal(pidfd, SIGCONT, NULL, 0);
}

#endif
