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

/* Lines above this level are not written. */
void log_set_level(enum level level);

/* Would a line of this level be written? */
bool log_says(enum level level);

/* From now on lines are tag and message alone, and what is wrong is said at any level: for --check,
 * whose reader sits at a terminal and has asked for nothing else. */
void log_briefly(void);

/* The log is now this descriptor of `size` bytes, which becomes the room's; -1: it cannot be had
 * now. */
void log_use(int descriptor, uint64_t size);

/* What is used is standard error: it is neither rotated nor opened anew, though it was deleted. */
void log_set_nameless(bool is_nameless);

/*
 * What the last monitor has left in the journal, which this descriptor is and stays: before the
 * first line, and before log_use(). What its lines speak of the parent may have been asked for, or
 * not; nothing is written of which that is not known.
 */
void log_inherit(int descriptor);

/* The parent has done what lines before this place speak of, as the last monitor has asked. */
void log_confirm(uint64_t place);

/* The parent has been upgraded: what it had told the last monitor it does not say again. */
void log_upgraded(void);

/* It is known what the last monitor has asked for: `came_true` says, for the tag and the place of a
 * line, whether what that speaks of has been done. A line about no profile is written only when it
 * is confirmed: the parent says the same again, unless it was upgraded. */
void log_decide(bool (*came_true)(const char *tag, uint64_t place));

/* Is it known? */
bool log_decided(void);

/* The place of the next line: whoever is asked now to do what a profile's lines have said knows of
 * all lines before it. While something is undecided it stays as it was `before`. */
uint64_t log_reached(uint64_t before);

/* Puts all lines into the journal: before anything is asked of the parent. */
void log_save(void);

/* Something is to be asked of the parent that lines speak of, those of this turn or later ones:
 * they are not written before it has been. */
void log_hold(void);

/* All has been asked that lines before the place speak of, which the parent keeps for our
 * successor. False: of later lines, too, but they are not to be taken for true yet. */
bool log_announce(uint64_t *place);

/* The parent has done what it was asked: they may be written. With `all` nothing else has been
 * asked meanwhile. Returns whether lines are still held, and are to be announced. */
bool log_permit(bool all);

/* Are there lines that are held, or that nobody has tried to write? */
bool log_owes(void);

/* The log is to be put aside when it has so many bytes; 0: never. */
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
