/*
 * What does the pid file name? Read by a child that has dropped to the profile's user, because both
 * the path and the file are the tenant's: whatever they lead to can hurt nobody else.
 */
#ifndef PROCLAUNCH_PIDFILE_H
#define PROCLAUNCH_PIDFILE_H

#include "message.h"

/* Longer is no pid file: one decimal number, and at most a newline after it. */
#define PIDFILE_BYTES_MAX 32

/*
 * Reads the strict decimal number in `length` bytes of `text` into `claim`: digits without a
 * leading zero, then at most one newline. The verdict becomes CLAIM_NUMBER, or CLAIM_MALFORMED with
 * the text.
 */
void pidfile_parse(const char *text, size_t length, struct claim *claim);

/*
 * The life of a reader: enters the directory, takes the path (SETTING) from the parent, then sends
 * a CLAIM for what is there now and for each change of it, until the parent hangs up.
 */
_Noreturn void pidfile_report(const struct fork_request *request);

#endif
