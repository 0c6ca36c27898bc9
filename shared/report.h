/*
 * The four error verbs. There is no fifth. All write one line to standard error, which is the
 * terminal in ctl and in a starting parent, and a pipe to the parent in monitor and spawner.
 * None of them may be used between fork and exec: they format, and malloc's lock may be held.
 */
#ifndef PROCLAUNCH_REPORT_H
#define PROCLAUNCH_REPORT_H

/* Name the program in front of each line; the string is kept, not copied. */
void report_as(const char *program);

/* Say why, with the text of errno, and exit with status 1. */
void fatal(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
/* The same without errno: the reason is in the text. */
void fatalx(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
/* Say what went wrong, with the text of errno, and go on. */
void warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same without errno. */
void warningx(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
