/*
 * The supervisor's own log: one format, one descriptor, no path. Lines are collected, and written
 * at the end of a turn of the loop, or when the parent has done what they speak of: who has read
 * that a service is stopping will find it stopping, whatever dies next.
 */
#ifndef PROCLAUNCH_LOG_H
#define PROCLAUNCH_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "message.h"

enum level { LEVEL_FATAL, LEVEL_WARN, LEVEL_INFO, LEVEL_DEBUG };

/* The tag of lines that are about no profile. */
#define TAG_PROCLAUNCH "ProcLaunch"

/* What may wait: for a full disk, or because all profiles change their state at once. */
#define LOG_PENDING_BYTES (2 * 1024 * 1024)

/* Lines above this level are not written. */
void log_set_level(enum level level);

/* Would a line of this level be written? */
bool log_says(enum level level);

/* From now on lines are tag and message alone: for --check, whose reader sits at a terminal. */
void log_briefly(void);

/* The log is now this descriptor of `size` bytes, which becomes the room's; -1: it cannot be had
 * now. */
void log_use(int descriptor, uint64_t size);

/* What is used is standard error: it is neither rotated nor opened anew, though it was deleted. */
void log_set_nameless(bool is_nameless);

/* What the last monitor had announced, and may not have come to write: before log_use(). */
void log_inherit(const struct lines *lines);

/* Something is to be asked of the parent that lines speak of, those of this turn or later ones:
 * they are not written before it has been. */
void log_hold(void);

/*
 * All has been asked: the lines, or the first of them, are put into `lines`, which is zeroed, and
 * which the parent keeps for our successor. Not yet, when those before are still to be written;
 * when they cannot be, they are in `lines` too, as many as fit.
 */
enum announcement { ANNOUNCED_NOTHING, ANNOUNCED_SOME, ANNOUNCED_ALL };
enum announcement log_announce(struct lines *lines);

/* Are there lines that cannot be written now and that only we have, or has the parent such that are
 * written meanwhile? Something is to be announced then. */
bool log_unannounced(void);

/* The parent has done what it was asked: they may be written. With `all` nothing else has been
 * asked meanwhile. Returns whether lines are still held, and are to be announced. */
bool log_permit(bool all);

/* Are there lines that are held, or that nobody has tried to write? */
bool log_owes(void);

/* Another file is wanted when the log has so many bytes; 0: never. */
void log_rotate_at(uint64_t size);

/*
 * One line: `<timestamp> <level> <tag> <message>`. Every byte of tag and message that is not a
 * printable ASCII character, and the backslash, is written as \xNN. Use it with the words of
 * vocabulary.h alone.
 */
void log_line(const char *tag, enum level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void log_vline(const char *tag, enum level level, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

/* Writes what is collected and not held. What cannot be written now stays; when there is too much
 * of it, later lines are dropped and counted. */
void log_flush(void);

/* What is wanted of the parent; each wish is told once, until log_use(). */
enum log_request { LOG_NOTHING, LOG_REOPEN, LOG_ROTATE };
enum log_request log_wants(void);

/* True when something was written since the last time this was asked. */
bool log_has_grown(void);

/* When to try again what could not be written (clock_now() scale); NEVER when all is written. */
int64_t log_deadline(void);

#endif
