/*
 * Giving up privileges, for good. The one function of its kind: the monitor and every service's
 * birth go through it.
 */
#ifndef PROCLAUNCH_PRIVDROP_H
#define PROCLAUNCH_PRIVDROP_H

#include <sys/types.h>

#include "message.h"

/*
 * Sets the supplementary groups to exactly the `count` given (FORK_GROUPS_MAX at most), then real,
 * effective and saved gid, then real, effective and saved uid; verifies that all six ids and the
 * groups are what was asked for. Unless uid is 0, whose services keep theirs, it then empties the
 * effective, permitted, inheritable and ambient capability sets and verifies that they are, and
 * tries to get root back, which must fail. The order matters: each step needs a privilege that the
 * next one gives up, setresuid(2), capabilities(7); and the way back is tried last, when nothing is
 * left that could open it by right.
 *
 * Returns STAGE_NONE, or the step that failed with errno. The caller has then to end the process:
 * it may be half dropped. Async-signal-safe.
 */
enum stage privdrop(uid_t uid, gid_t gid, const gid_t *groups, size_t count);

/* Capabilities are handed over as a set of these, of which Linux has room for 64. */
#define PRIVDROP_BIT(capability) (UINT64_C(1) << (capability))

/*
 * For a process that stays root: keeps those of the capabilities in `kept` that it has, as
 * permitted and effective, and gives up all others; inheritable and ambient become empty. What it
 * execs as root starts from the bounding set again, capabilities(7). False with errno.
 */
bool privdrop_keep(uint64_t kept);

/*
 * Shrinks the bounding set to the capabilities in `kept`: no descendant can ever have another one.
 * Takes CAP_SETPCAP. False with errno.
 */
bool privdrop_bound(uint64_t kept);

/*
 * For processes that were never privileged: verifies that all ids are already `uid` and `gid`.
 * Returns STAGE_NONE or STAGE_VERIFY.
 */
enum stage privdrop_verify(uid_t uid, gid_t gid);

#endif
