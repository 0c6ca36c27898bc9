/*
 * A clock for the parent in which six seconds pass with each of its forks, so that every death of
 * its children has been forgiven when the next one comes: a thousand restarts of a monitor take
 * seconds, not hours. Nothing else differs from the program that is installed.
 *
 * A child has ten seconds for its first answer, so that the two forks of the start do not count.
 */
#include <sys/types.h>

#include <time.h>
#include <unistd.h>

#define FORGIVEN_AFTER 6 /* seconds; DEATHS_FORGET in parent/children.c */

int __real_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *time);
pid_t __real_fork(void);
pid_t __wrap_fork(void);

static time_t forks;

int
__wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
	int result = __real_clock_gettime(clock, time);

	if (clock == CLOCK_MONOTONIC)
		time->tv_sec += forks > 2 ? (forks - 2) * FORGIVEN_AFTER : 0;
	return result;
}

pid_t
__wrap_fork(void)
{
	forks++;
	return __real_fork();
}
