#include <grp.h>
#include <pwd.h>
#include <string.h>

#include "account.h"
#include "procfs.h"
#include "report.h"

#define MONITOR_ACCOUNT "_proclaunch"
#define FREE_UID_FIRST	61184
#define FREE_UID_LAST	65519

static enum refusal
fill(const struct passwd *entry, struct account *account)
{
	int count = FORK_GROUPS_MAX;

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
	if (getgrouplist(account->name, account->gid, account->groups, &count) == -1)
		return REFUSAL_GROUPS;
	account->group_count = (uint32_t)count;
	return REFUSAL_NONE;
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
	/* some name services ignore case or accept numbers: the name must be the very same */
	if (entry == NULL || strcmp(entry->pw_name, name) != 0)
		return REFUSAL_NO_ACCOUNT;
	return fill(entry, account);
}

enum refusal
account_by_uid(uid_t uid, struct account *account)
{
	const struct passwd *entry = getpwuid(uid);

	if (entry == NULL || entry->pw_uid != uid)
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
	procfs_each(other_uid, &uid);
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
