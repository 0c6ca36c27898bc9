/*
 * The one clock of the program: CLOCK_MONOTONIC in nanoseconds, which no administrator and no NTP
 * server can turn back. Wall time is for display only, and processor time for what something costs.
 */
#ifndef PROCLAUNCH_CLOCK_H
#define PROCLAUNCH_CLOCK_H

#include <stdint.h>
#include <time.h>

#define MILLISECOND ((int64_t)1000000)
#define SECOND	    ((int64_t)1000000000)
#define NEVER	    INT64_MAX

/* Nanoseconds since an arbitrary point before this boot's first process; never goes back. */
static inline int64_t
clock_now(void)
{
	struct timespec now;

	(void)clock_gettime(
	    CLOCK_MONOTONIC, &now); /* cannot fail with this clock, clock_gettime(2) */
	return now.tv_sec * SECOND + now.tv_nsec;
}

/* Nanoseconds that this process has run, on behalf of itself or in the kernel. Unlike clock_now()
 * not the time in which others had the processor, which on a busy host is no fault of ours. */
static inline int64_t
clock_spent(void)
{
	struct timespec spent;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
	return spent.tv_sec * SECOND + spent.tv_nsec;
}

/* Wall time in milliseconds since 1970-01-01T00:00:00Z. For display, never for a decision. */
static inline int64_t
clock_wall_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000 + now.tv_nsec / MILLISECOND;
}

/*
 * The timeout for epoll_wait(2) that ends at `deadline`: -1 for NEVER, 0 when it has passed, else
 * milliseconds, rounded up so that we do not wake a moment early and spin.
 */
static inline int
clock_timeout(int64_t deadline)
{
	int64_t left;

	if (deadline == NEVER)
		return -1;
	left = deadline - clock_now();
	if (left <= 0)
		return 0;
	left = (left + MILLISECOND - 1) / MILLISECOND;
	return left > INT32_MAX ? INT32_MAX : (int)left;
}

static inline int64_t
clock_earlier(int64_t one, int64_t other)
{
	return one < other ? one : other;
}

#endif
