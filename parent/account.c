#include <sys/stat.h>

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "account.h"
#include "clock.h"
#include "procfs.h"
#include "report.h"

#define MONITOR_ACCOUNT "_proclaunch"
#define FREE_UID_FIRST	61184
#define FREE_UID_LAST	65519

/*
 * To ask all name services for an account's groups takes as long as half a birth, and a host that
 * starts asks a thousand times for a few accounts. So an answer serves for a second, unless
 * /etc/group was changed meanwhile.
 */
#define MEMBERSHIP_SERVES (1 * SECOND)
#define MEMBERSHIPS	  16

struct membership {
	char name[ACCOUNT_NAME_BYTES];
	gid_t gid;
	int64_t until;
	ino_t inode; /* of /etc/group, and its last change */
	struct timespec changed;
	int count;
	gid_t groups[FORK_GROUPS_MAX];
};

static bool
still_holds(
    const struct membership *membership, const struct account *account, const struct stat *file)
{
	return clock_now() < membership->until && strcmp(membership->name, account->name) == 0 &&
	    membership->gid == account->gid && membership->inode == file->st_ino &&
	    membership->changed.tv_sec == file->st_ctim.tv_sec &&
	    membership->changed.tv_nsec == file->st_ctim.tv_nsec;
}

/* The groups of the account, its own among them; NULL when there are more than a message holds. */
static const struct membership *
groups_of(const struct account *account)
{
	static struct membership memberships[MEMBERSHIPS];
	struct membership *membership = &memberships[account->uid % MEMBERSHIPS];
	struct stat file = {.st_ino = 0}; /* without such a file another service answers */

	(void)stat("/etc/group", &file);
	if (still_holds(membership, account, &file))
		return membership;
	membership->until = 0;
	membership->count = FORK_GROUPS_MAX;
	if (getgrouplist(account->name, account->gid, membership->groups, &membership->count) == -1)
		return NULL;
	memcpy(membership->name, account->name, sizeof(membership->name));
	membership->gid = account->gid;
	membership->inode = file.st_ino;
	membership->changed = file.st_ctim;
	membership->until = clock_now() + MEMBERSHIP_SERVES;
	return membership;
}

static enum refusal
fill(const struct passwd *entry, struct account *account)
{
	const struct membership *membership;

	memset(account, 0, sizeof(*account));
	if (strlen(entry->pw_name) >= sizeof(account->name) ||
	    strlen(entry->pw_dir) >= sizeof(account->home) ||
	    strlen(entry->pw_shell) >= sizeof(account->shell))
		return REFUSAL_NO_ACCOUNT;
	strcpy(account->name, entry->pw_name);
	strcpy(account->home, entry->pw_dir);
	strcpy(account->shell, entry->pw_shell[0] == '\0' ? "/bin/sh" : entry->pw_shell);
	account->uid = entry->pw_uid;
	account->gid = entry->pw_gid;
	if (account->uid == 0 && strcmp(account->name, "root") != 0)
		return REFUSAL_FALSE_ROOT;
	membership = groups_of(account);
	if (membership == NULL)
		return REFUSAL_GROUPS;
	account->group_count = (uint32_t)membership->count;
	memcpy(account->groups, membership->groups, (size_t)membership->count * sizeof(gid_t));
	return REFUSAL_NONE;
}

/* Was it looked for? A name service that cannot open its file for want of descriptors is passed
 * over, and the next one says that there is no such account. */
static enum refusal
not_found(void)
{
	int file = open("/", O_PATH | O_CLOEXEC);

	if (file == -1)
		return REFUSAL_UNREADABLE;
	(void)close(file);
	return REFUSAL_NO_ACCOUNT;
}

enum refusal
account_by_text(const char *text, size_t length, struct account *account)
{
	char name[ACCOUNT_NAME_BYTES];
	const struct passwd *entry;

	if (length > 0 && text[length - 1] == '\n')
		length--;
	if (length == 0 || length >= sizeof(name) || memchr(text, '\0', length) != NULL)
		return REFUSAL_NO_ACCOUNT;
	memcpy(name, text, length);
	name[length] = '\0';
	if (strspn(name, "0123456789") == length)
		return REFUSAL_NO_ACCOUNT;
	entry = getpwnam(name);
	if (entry == NULL)
		return not_found();
	/* some name services ignore case or accept numbers: the name must be the very same */
	if (strcmp(entry->pw_name, name) != 0)
		return REFUSAL_NO_ACCOUNT;
	return fill(entry, account);
}

enum refusal
account_by_uid(uid_t uid, struct account *account)
{
	const struct passwd *entry = getpwuid(uid);

	if (entry == NULL)
		return not_found();
	if (entry->pw_uid != uid)
		return REFUSAL_NO_ACCOUNT;
	return fill(entry, account);
}

/* Stops the walk at the first process that has the uid, and clears it to say so. */
static bool
other_uid(pid_t pid, void *context)
{
	uid_t *uid = context;

	if (procfs_has_uid(pid, *uid, false))
		*uid = 0;
	return *uid != 0;
}

static bool
uid_in_use(uid_t uid)
{
	if (getpwuid(uid) != NULL || getgrgid(uid) != NULL)
		return true;
	(void)procfs_each(other_uid, &uid);
	return uid == 0;
}

bool
account_for_monitor(const char *name, uid_t *uid, gid_t *gid)
{
	const struct passwd *entry = getpwnam(name != NULL ? name : MONITOR_ACCOUNT);

	if (entry != NULL) {
		*uid = entry->pw_uid;
		*gid = entry->pw_gid;
		if (*uid != 0 && *gid != 0)
			return true;
		warningx("the monitor may not run as %s, whose uid or gid is 0", entry->pw_name);
		return false;
	}
	if (name != NULL) {
		warningx("--monitor-user=%s: no such account", name);
		return false;
	}
	for (*uid = FREE_UID_FIRST; *uid <= FREE_UID_LAST; (*uid)++) {
		*gid = *uid;
		if (!uid_in_use(*uid))
			return true;
	}
	warningx("no uid from %d to %d is free for the monitor: make an account for it and name it"
		 " with --monitor-user",
	    FREE_UID_FIRST, FREE_UID_LAST);
	return false;
}
