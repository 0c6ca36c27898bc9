/*
 * A wall clock that jumps by ten years, forth and back, ten times a second. CLOCK_MONOTONIC is as
 * ever: nothing that the program decides may depend on the other.
 */
#include <time.h>

#define TEN_YEARS	  (10L * 365 * 24 * 3600)
#define JUMP_EVERY	  100000000L /* nanoseconds */
#define JUMPS_IN_A_SECOND 10

int __real_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *time);

int
__wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
	struct timespec steady;
	int result = __real_clock_gettime(clock, time);
	long jump;

	if (clock != CLOCK_REALTIME || __real_clock_gettime(CLOCK_MONOTONIC, &steady) == -1)
		return result;
	jump = steady.tv_sec * JUMPS_IN_A_SECOND + steady.tv_nsec / JUMP_EVERY;
	time->tv_sec += (jump % 3 - 1) * TEN_YEARS; /* back, now, ahead */
	return result;
}
