/*
 * The four error verbs. There is no fifth. All write one line to standard error, which is the
 * terminal in ctl and in a starting parent, and a pipe to the parent in monitor and spawner.
 * None of them may be used between fork and exec: they format, and malloc's lock may be held.
 */
#ifndef PROCLAUNCH_REPORT_H
#define PROCLAUNCH_REPORT_H

#include <errno.h>
#include <unistd.h>

/* Name the program in front of each line; the string is kept, not copied. */
void report_as(const char *program);

/* Say why, with the text of errno, and exit with status 1. */
#define fatal(...) report_and_exit(errno, __VA_ARGS__)
/* The same without errno: the reason is in the text. */
#define fatalx(...) report_and_exit(0, __VA_ARGS__)
/* Say what went wrong, with the text of errno, and go on. */
#define warning(...) report_line(errno, __VA_ARGS__)
/* The same without errno. */
#define warningx(...) report_line(0, __VA_ARGS__)

#define report_and_exit(...)              \
	do {                              \
		report_line(__VA_ARGS__); \
		_exit(1);                 \
	} while (0)

/* What the four verbs are made of; with error 0 there is no errno to speak of. What does not fit
 * into a line is cut, but for the text of errno. errno stays as it was. */
void report_line(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
