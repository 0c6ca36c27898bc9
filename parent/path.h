/*
 * From a path that an administrator has named to a directory in which nobody else has a hand.
 */
#ifndef PROCLAUNCH_PATH_H
#define PROCLAUNCH_PATH_H

#include <sys/types.h>

#include <stdbool.h>

#include "message.h"

/*
 * Opens the directory at `path`, which is absolute, component by component from the root, never
 * through a symbolic link. Every component must satisfy trust_owner(); a sticky directory that
 * others may write to may stand in front of a component that root or `owner` owns. One that is
 * missing at the end is made with the mode `make`, unless that is 0, where all above it is in
 * order.
 *
 * Returns a descriptor (O_RDONLY, close-on-exec) that the caller owns, or -1; then errno is set,
 * `*refusal` is the rule that was broken or REFUSAL_UNREADABLE for a failing system call, and
 * `culprit`, PATH_MAX bytes, holds the component's path.
 */
int path_walk(const char *path, uid_t owner, mode_t make, enum refusal *refusal, char *culprit);

/* The same for whoever runs this: fatal, with how to mend it. The second returns -1 instead. */
int path_open(const char *what, const char *path, mode_t make);
int path_try(const char *path);

/* Do both descriptors lead to the same directory? */
bool path_same(int one, int other);

/* Who takes over from us by the same command line could not open this directory again, or would
 * find another state directory there: its path, with errno. NULL when all are in order. */
const char *path_spoilt(void);

/* The refusal in words, for a message to an administrator; never NULL. */
const char *path_explain(enum refusal refusal);

#endif
