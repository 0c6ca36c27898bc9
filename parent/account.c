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
 * To ask all name services takes as long as half a birth, and a host that starts asks thousands of
 * times for a few accounts. So an answer serves for a second, unless one of the files was changed
 * meanwhile. Of whom there is none is asked each time.
 */
#define ANSWER_SERVES (1 * SECOND)
#define ANSWERS	      16

static const char *const files[] = {"/etc/passwd", "/etc/group"};
#define FILES (sizeof(files) / sizeof(files[0]))

static struct known {
	char asked[ACCOUNT_NAME_BYTES]; /* "": for the uid */
	struct account account;
	int64_t until;
} answers[ANSWERS];

/* A file that there is not has the state of all zero: another name service answers then. */
static bool
files_changed(void)
{
	static struct stat before[FILES];
	struct stat now;
	bool changed = false;
	size_t i;

	for (i = 0; i < FILES; i++) {
		memset(&now, 0, sizeof(now));
		(void)stat(files[i], &now);
		changed |= now.st_ino != before[i].st_ino ||
		    memcmp(&now.st_ctim, &before[i].st_ctim, sizeof(now.st_ctim)) != 0;
		before[i] = now;
	}
	return changed;
}

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

/* By the name, or, where that is "", by the uid. */
static enum refusal
look_up(const char *name, uid_t uid, struct account *account)
{
	static unsigned next;
	struct known *answer;
	const struct passwd *entry;
	enum refusal refusal;

	if (files_changed())
		memset(answers, 0, sizeof(answers));
	for (answer = answers; answer < answers + ANSWERS; answer++) {
		if (clock_now() < answer->until && strcmp(answer->asked, name) == 0 &&
		    (name[0] != '\0' || answer->account.uid == uid)) {
			*account = answer->account;
			return REFUSAL_NONE;
		}
	}
	entry = name[0] != '\0' ? getpwnam(name) : getpwuid(uid);
	if (entry == NULL)
		return not_found();
	/* some name services ignore case or accept numbers: it must be the very same */
	if (name[0] != '\0' ? strcmp(entry->pw_name, name) != 0 : entry->pw_uid != uid)
		return REFUSAL_NO_ACCOUNT;
	refusal = fill(entry, account);
	if (refusal != REFUSAL_NONE)
		return refusal;
	answer = &answers[next++ % ANSWERS];
	strcpy(answer->asked, name);
	answer->account = *account;
	answer->until = clock_now() + ANSWER_SERVES;
	return REFUSAL_NONE;
}

enum refusal
account_by_text(const char *text, size_t length, struct account *account)
{
	char name[ACCOUNT_NAME_BYTES];

	if (length > 0 && text[length - 1] == '\n')
		length--;
	if (length == 0 || length >= sizeof(name) || memchr(text, '\0', length) != NULL)
		return REFUSAL_NO_ACCOUNT;
	memcpy(name, text, length);
	name[length] = '\0';
	if (strspn(name, "0123456789") == length)
		return REFUSAL_NO_ACCOUNT;
	return look_up(name, 0, account);
}

enum refusal
account_by_uid(uid_t uid, struct account *account)
{
	return look_up("", uid, account);
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
