/* The profiles that the supervisor has shown us, sorted by name. */
#ifndef PROCLAUNCH_CTL_PROFILES_H
#define PROCLAUNCH_CTL_PROFILES_H

#include "message.h"

struct profiles {
	struct row *rows;
	size_t count;
	size_t room;
};

/* Appends; exits when there is no memory. */
void profiles_add(struct profiles *profiles, const struct row *row);

/* By name; one that was asked for twice stays once. */
void profiles_sort(struct profiles *profiles);

/* Frees the rows; the list is empty then, and may be used again. */
void profiles_free(struct profiles *profiles);

/* "exit 3", "SIGKILL", "unknown", or "-" when it has not ended yet; written into `text`. */
const char *profiles_last_exit(const struct row *row, char *text, size_t size);

/* A wall time in milliseconds as RFC 3339 in UTC, with or without milliseconds; "-" for 0. `text`
 * has room for TIME_TEXT_BYTES, here and below. */
#define TIME_TEXT_BYTES 32
const char *profiles_time(int64_t wall_ms, bool milliseconds, char *text);

/* "3d 4h", "12m 5s", "7s". */
const char *profiles_duration(int64_t milliseconds, char *text);

#endif
