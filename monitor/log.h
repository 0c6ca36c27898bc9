/*
 * The supervisor's own log: one format, one descriptor, no path. Lines are collected and written at
 * the end of each turn of the loop, before anything that they speak of is asked of the parent.
 */
#ifndef PROCLAUNCH_LOG_H
#define PROCLAUNCH_LOG_H

#include <stddef.h>
#include <stdint.h>

enum level { LEVEL_FATAL, LEVEL_WARN, LEVEL_INFO, LEVEL_DEBUG };

/* The tag of lines that are about no profile. */
#define TAG_PROCLAUNCH "ProcLaunch"

/* Lines above this level are not written. */
void log_set_level(enum level level);

/* From now on lines are tag and message alone: for --check, whose reader sits at a terminal. */
void log_briefly(void);

/* The log is now this descriptor, which becomes the room's. */
void log_use(int descriptor);

/*
 * One line: `<timestamp> <level> <tag> <message>`. Every byte of tag and message that is not a
 * printable ASCII character, and the backslash, is written as \xNN. Use it with the words of
 * vocabulary.h alone.
 */
void log_line(const char *tag, enum level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Writes what is collected. What cannot be written now stays; when there is too much of it, later
 * lines are dropped and counted. */
void log_flush(void);

/* When to try again what could not be written (clock_now() scale); NEVER when all is written. */
int64_t log_deadline(void);

/* "2026-11-23T03:16:00.123Z" for a wall time in milliseconds: 24 characters and the NUL. */
#define LOG_TIMESTAMP_BYTES 25
void log_timestamp(int64_t wall_ms, char *text);

#endif
