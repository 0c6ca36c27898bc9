/*
 * Who else could have put this here? The rule about owners, modes and links, for directories and
 * for files: proclaunch-profile(5), OWNERSHIP. It is applied to descriptors: what is opened is
 * checked, not what was named.
 */
#ifndef PROCLAUNCH_TRUST_H
#define PROCLAUNCH_TRUST_H

#include <sys/stat.h>

#include "descriptors.h"
#include "message.h"

/*
 * REFUSAL_NONE when the file or directory belongs to root or `owner` and nobody else may write to
 * it; REFUSAL_OWNER or REFUSAL_WRITABLE otherwise. No look at the ACL is needed: its mask is what
 * the mode shows as the group's bits, so that an ACL cannot let anybody write to a file whose mode
 * has no group write bit, acl(5).
 */
enum refusal trust_owner(const struct stat *status, uid_t owner);

/*
 * Opens an entry of the directory (O_PATH, not through a link) without making a file system do
 * anything that a tenant may have mounted there: a FUSE server can let whoever asks it wait for
 * ever. The caller owns the descriptor; -1 with errno, EREMOTE for such a mount.
 */
int trust_open_entry(int directory, const char *name);

/* The same for "web" or, in the tenants' directory, "alice/web" and "alice/": root may have mounted
 * a file system for the tenant, or for the profile. EAGAIN where the kernel does not remember the
 * name, as it does when somebody has just looked: a tenant could keep whoever looks it up. */
int trust_open_profile(int directory, const char *name);

#endif
