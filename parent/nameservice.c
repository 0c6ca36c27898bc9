#include <sys/prctl.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "descriptors.h"
#include "nameservice.h"
#include "privdrop.h"
#include "report.h"

/* Questions come in crowds, and half a millisecond for a fork each would be felt where a thousand
 * tenants start. */
#define STAYS (50 * MILLISECOND)

static enum refusal
fill(const struct passwd *entry, struct account *account)
{
	int count = FORK_GROUPS_MAX;

	memset(account, 0, sizeof(*account));
	if (strlen(entry->pw_name) > ACCOUNT_NAME_MAX ||
	    strlen(entry->pw_dir) >= sizeof(account->home) ||
	    strlen(entry->pw_shell) >= sizeof(account->shell))
		return REFUSAL_NO_ACCOUNT;
	strcpy(account->name, entry->pw_name);
	strcpy(account->home, entry->pw_dir);
	strcpy(account->shell, entry->pw_shell[0] == '\0' ? "/bin/sh" : entry->pw_shell);
	account->uid = entry->pw_uid;
	account->gid = entry->pw_gid;
	if (getgrouplist(account->name, account->gid, account->groups, &count) == -1)
		return REFUSAL_GROUPS;
	account->group_count = (uint32_t)count;
	return REFUSAL_NONE;
}

/* Was it looked for? A name service that cannot open its file, for want of descriptors, is passed
 * over, and the next one says that there is no such account. */
static enum refusal
not_found(void)
{
	int file = open(PASSWD_FILE, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (file == -1 && errno != ENOENT)
		return REFUSAL_UNREADABLE;
	descriptor_close(file);
	return REFUSAL_NO_ACCOUNT;
}

static enum refusal
ask_services(const struct question *question, struct account *account)
{
	const struct passwd *entry;
	bool by_name = question->about == ACCOUNT_OF_NAME;

	if (question->about == FREE_UID) { /* no user's and no group's */
		account->uid = question->uid;
		return getpwuid(question->uid) == NULL && getgrgid(question->uid) == NULL
		    ? REFUSAL_NONE
		    : REFUSAL_NO_ACCOUNT;
	}
	entry = by_name ? getpwnam(question->name) : getpwuid(question->uid);
	if (entry == NULL)
		return not_found();
	/* some name services ignore case or accept numbers: it must be the very same */
	if (by_name ? strcmp(entry->pw_name, question->name) != 0 : entry->pw_uid != question->uid)
		return REFUSAL_NO_ACCOUNT;
	return fill(entry, account);
}

/* Do the files say the same of the account, and of all its groups? */
static bool
stands_in_files(const struct account *account)
{
	FILE *passwd = fopen(PASSWD_FILE, "re"), *group = fopen(GROUP_FILE, "re");
	const struct passwd *entry = NULL;
	const struct group *joined;
	uint32_t count = 1;
	char **member;

	while (passwd != NULL && (entry = fgetpwent(passwd)) != NULL &&
	    strcmp(entry->pw_name, account->name) != 0)
		;
	while (group != NULL && (joined = fgetgrent(group)) != NULL) {
		for (member = joined->gr_mem; *member != NULL; member++)
			count +=
			    joined->gr_gid != account->gid && strcmp(*member, account->name) == 0;
	}
	if (passwd != NULL)
		(void)fclose(passwd);
	if (group != NULL)
		(void)fclose(group);
	return entry != NULL && entry->pw_uid == account->uid && entry->pw_gid == account->gid &&
	    strcmp(entry->pw_dir, account->home) == 0 &&
	    (entry->pw_shell[0] == '\0' || strcmp(entry->pw_shell, account->shell) == 0) &&
	    count == account->group_count;
}

bool
nameservice_speaks(int channel, int64_t within)
{
	struct pollfd source = {.fd = channel, .events = POLLIN};

	return poll(&source, 1, (int)(within / MILLISECOND)) == 1;
}

/* It never becomes more than it is now, whatever it executes; nor can it type into root's terminal,
 * TIOCSTI in ioctl_tty(2). */
static bool
give_up_privileges(bool become, uid_t uid, gid_t gid)
{
	bool given_up =
	    geteuid() == 0 && become ? privdrop(uid, gid, NULL, 0) == STAGE_NONE : privdrop_keep(0);

	/* after the change of ids, which resets the first two: prctl(2), and fs.suid_dumpable in
	 * proc(5). Somebody else may have that uid, and what we knew at the fork is in its memory
	 */
	return given_up && prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 &&
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 &&
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && setsid() != -1;
}

_Noreturn void
nameservice_answer(int channel, bool become, uid_t uid, gid_t gid)
{
	static struct question question;
	static struct reply reply;
	/* the first comes, however long whoever has forked is held up: or it hangs up */
	int64_t within = -MILLISECOND;

	if (dup2(channel, STDERR_FILENO + 1) == -1 || close_range(STDERR_FILENO + 2, ~0U, 0) == -1)
		_exit(1);
	if (!give_up_privileges(become, uid, gid)) {
		warning("name services: becoming uid %u without privileges", uid);
		_exit(1);
	}
	channel = STDERR_FILENO + 1;
	while (nameservice_speaks(channel, within) &&
	    recv(channel, &question, sizeof(question), 0) == sizeof(question)) {
		within = STAYS;
		reply.refusal = ask_services(&question, &reply.account);
		reply.error = errno;
		reply.serves_long =
		    reply.refusal == REFUSAL_NONE && stands_in_files(&reply.account);
		if (send(channel, &reply, sizeof(reply), MSG_NOSIGNAL) != sizeof(reply))
			break;
	}
	_exit(0);
}
