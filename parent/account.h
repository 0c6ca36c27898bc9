/*
 * From a name to ids. The only place that asks the name services (passwd, LDAP, ...): by a child of
 * the parent without privileges, which is there for a moment and is no service's.
 */
#ifndef PROCLAUNCH_ACCOUNT_H
#define PROCLAUNCH_ACCOUNT_H

#include <sys/types.h>

#include "message.h"

struct account {
	char name[ACCOUNT_NAME_BYTES];
	char home[512];
	char shell[256];
	uid_t uid;
	gid_t gid;
	uint32_t group_count;
	gid_t groups[FORK_GROUPS_MAX];
};

/*
 * Looks up the account that the first `length` bytes of `text` name: exactly, but for one newline
 * at the end. REFUSAL_NONE, or why it is refused: NO_ACCOUNT for a number, an unknown name or
 * anything around the name, FALSE_ROOT for a uid 0 by another name than root, GROUPS for too many
 * groups, UNREADABLE with errno when the name services do not answer. Waits for seconds at most.
 */
enum refusal account_by_text(const char *text, size_t length, struct account *account);

/* The same for a uid. */
enum refusal account_by_uid(uid_t uid, struct account *account);

/*
 * What is looked up from now on is not answered from before: the loop waits, or has waited. Then
 * the files are looked at once until the next call, for a crowd of births as for one; who has asked
 * for one of them did so before. Without these calls they are looked at each time.
 */
void account_turn(void);

/* The parent has reaped this child: was it the one that asks? */
void account_reaped(pid_t pid);

/*
 * Whom the monitor becomes: `name` if given; else the account _proclaunch; else a uid in
 * 61184-65519 (which systemd's documentation sets aside for such use) that no account and no
 * process has. From then on name services are asked as that user, too. Fatal when there is none.
 */
void account_for_monitor(const char *name, uid_t *uid, gid_t *gid);

#endif
