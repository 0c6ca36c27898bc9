/*
 * The four error verbs. There is no fifth. All write one line to standard error, which is the
 * terminal in ctl and in a starting parent, and a pipe to the parent in monitor and spawner.
 * None of them may be used between fork and exec: they format, and malloc's lock may be held.
 */
#ifndef PROCLAUNCH_REPORT_H
#define PROCLAUNCH_REPORT_H

#include <errno.h>

/* Name the program in front of each line; the string is kept, not copied. */
void report_as(const char *program);

/* Say why, with the text of errno, and exit with status 1. */
#define fatal(...) report_fatal(errno, __VA_ARGS__)
/* The same without errno: the reason is in the text. */
#define fatalx(...) report_fatal(0, __VA_ARGS__)
/* Say what went wrong, with the text of errno, and go on. */
#define warning(...) report_warning(errno, __VA_ARGS__)
/* The same without errno. */
#define warningx(...) report_warning(0, __VA_ARGS__)

/* What the four verbs are made of; 0: there is no errno to speak of. */
void
report_fatal(int error, const char *format, ...) __attribute__((format(printf, 2, 3), noreturn));
void report_warning(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
