/*
 * A clock for the parent in which six seconds pass whenever it has reaped a monitor or a spawner,
 * so that every death of its children has been forgiven when the next one comes: a thousand
 * restarts of a monitor take seconds, not hours. Nothing else differs from the program that is
 * installed.
 *
 * They pass before the next one is forked, which so has its ten seconds for the first answer; and
 * though the other one dies meanwhile, it still has four, enough where AddressSanitizer is slow to
 * begin.
 */
#include <sys/types.h>
#include <sys/wait.h>

#include <signal.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

#define FORGIVEN_AFTER 6 /* seconds; DEATHS_FORGET in parent/children.c */

int __real_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *time);
pid_t __real_fork(void);
pid_t __wrap_fork(void);
int __real_waitid(idtype_t type, id_t id, siginfo_t *how, int options);
int __wrap_waitid(idtype_t type, id_t id, siginfo_t *how, int options);

/* Services are children of the parent too; but those were forked by somebody else. */
static pid_t forked[16];
#define FORKED_MAX (sizeof(forked) / sizeof(forked[0]))
static time_t reaped;

int
__wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
	int result = __real_clock_gettime(clock, time);

	if (clock == CLOCK_MONOTONIC)
		time->tv_sec += reaped * FORGIVEN_AFTER;
	return result;
}

pid_t
__wrap_fork(void)
{
	pid_t pid = __real_fork();
	size_t i = 0;

	while (i < FORKED_MAX - 1 && forked[i] != 0)
		i++;
	if (pid > 0)
		forked[i] = pid;
	return pid;
}

int
__wrap_waitid(idtype_t type, id_t id, siginfo_t *how, int options)
{
	int result = __real_waitid(type, id, how, options);
	size_t i;

	for (i = 0; i < FORKED_MAX && result == 0 && (options & WNOWAIT) == 0; i++) {
		if (forked[i] == 0 || forked[i] != how->si_pid)
			continue;
		forked[i] = 0;
		/* who asks the name services leaves by itself, whenever it is reaped */
		if (how->si_code != CLD_EXITED || how->si_status != 0)
			reaped++;
	}
	return result;
}
