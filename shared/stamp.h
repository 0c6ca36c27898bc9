/* Times as the log and the output files have them: RFC 3339, in UTC. */
#ifndef PROCLAUNCH_STAMP_H
#define PROCLAUNCH_STAMP_H

#include <stddef.h>
#include <stdint.h>

/* "2026-11-23T03:16:00.123Z" for a wall time in milliseconds, and the NUL. */
#define STAMP_MILLISECONDS_BYTES 25
void stamp_milliseconds(int64_t wall_ms, char *text);

/* "2026-11-23T03:16:00.123456Z " for a wall time in microseconds: 28 bytes, and the NUL. */
#define STAMP_BYTES 28
void stamp_microseconds(int64_t wall_us, char *text);

/*
 * Copies whole lines (each with its newline; the last may lack it) into `room` bytes at `stamped`,
 * a stamp of STAMP_BYTES in front of each, as many as fit. Returns how many bytes of `lines` were
 * copied, and in *written how many were written.
 */
size_t stamp_lines(const char *lines, size_t length, const char *stamp, char *stamped, size_t room,
    size_t *written);

#endif
