#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "account.h"
#include "clock.h"
#include "descriptors.h"
#include "nameservice.h"
#include "procfs.h"
#include "report.h"

#define MONITOR_ACCOUNT "_proclaunch"

/* Who does not answer in time is not asked for a while, or each of a hundred profiles would wait
 * for the same server anew. */
#define ANSWERED_WITHIN (5 * SECOND)
#define ASKED_AGAIN	(10 * SECOND)

/* Who asks, if there is anybody. */
static pid_t asker;
static int to_asker = -1;
/* As whom: until the monitor's user is known as one who is like that. */
static uid_t asks_as = FREE_UID_LAST;
static gid_t asks_in = FREE_UID_LAST;
/* The files are not for everybody to read: then root asks. */
static bool files_are_roots;

/*
 * To ask all name services takes longer than a birth, and a host that starts asks thousands of
 * times for a few accounts. So an answer serves for a second, unless one of the files was changed
 * meanwhile; where they say the same, for longer, and what another service says otherwise later
 * comes late. Of whom there is none is asked each time.
 */
#define ANSWER_SERVES	       (1 * SECOND)
#define ANSWER_OF_FILES_SERVES (300 * SECOND)
#define ANSWERS		       64

static const char *const files[] = {PASSWD_FILE, GROUP_FILE, "/etc/nsswitch.conf", "/etc"};
#define FILES (sizeof(files) / sizeof(files[0]))

static struct known {
	char asked[ACCOUNT_NAME_BYTES]; /* "": for the uid */
	struct account account;
	int64_t until;
} answers[ANSWERS];

/* Were they looked at in this turn of the loop, if there is one? */
static bool looked, turns;

void
account_turn(void)
{
	turns = true;
	looked = false;
}

/* A file that there is not has the state of all zero: another name service answers then. */
static bool
files_changed(void)
{
	static struct stat before[FILES];
	struct stat now;
	bool changed = false;
	size_t i;

	if (looked)
		return false;
	looked = turns;
	files_are_roots = false;
	for (i = 0; i < FILES; i++) {
		memset(&now, 0, sizeof(now));
		if (stat(files[i], &now) == 0)
			files_are_roots |= (now.st_mode & S_IROTH) == 0;
		changed |= now.st_ino != before[i].st_ino ||
		    memcmp(&now.st_ctim, &before[i].st_ctim, sizeof(now.st_ctim)) != 0;
		before[i] = now;
	}
	return changed;
}

static void
forget_asker(void)
{
	descriptor_close(to_asker);
	to_asker = -1;
	asker = 0;
}

void
account_reaped(pid_t pid)
{
	if (pid == asker)
		forget_asker();
}

/* It has not been reaped, so that its number is its own. What a dead file server holds is reaped
 * with all others when that lets go. */
static void
end_asker(void)
{
	siginfo_t how;

	if (asker == 0)
		return;
	(void)kill(asker, SIGKILL);
	(void)waitid(P_PID, (id_t)asker, &how, WEXITED | WNOHANG);
	forget_asker();
}

static bool
start_asker(void)
{
	int ends[2];
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == -1)
		return false;
	child = fork();
	if (child == 0)
		nameservice_answer(ends[1], !files_are_roots, asks_as, asks_in);
	descriptor_close(ends[1]);
	if (child == -1) {
		descriptor_close(ends[0]);
		return false;
	}
	to_asker = ends[0];
	asker = child; /* never -1, which kill(2) takes for everybody */
	return true;
}

/* What foreign code has had in its hands may say anything, but not overrun us, nor speak of another
 * account than it was asked for. */
static bool
fits(const struct question *question, const struct reply *reply)
{
	const struct account *account = &reply->account;

	if (reply->refusal != REFUSAL_NONE)
		return reply->refusal < REFUSAL_COUNT;
	return account->group_count <= FORK_GROUPS_MAX && ENDS(account->name) &&
	    ENDS(account->home) && ENDS(account->shell) &&
	    (question->about == ACCOUNT_OF_NAME ? strcmp(account->name, question->name) == 0
						: account->uid == question->uid);
}

/* 0, or the error: ETIMEDOUT when it hangs, ECONNRESET when it has ended or lost its mind. */
static int
exchange(const struct question *question, struct reply *reply)
{
	if (asker == 0 && !start_asker())
		return errno;
	if (send(to_asker, question, sizeof(*question), MSG_NOSIGNAL) != sizeof(*question))
		return ECONNRESET;
	if (!nameservice_speaks(to_asker, ANSWERED_WITHIN))
		return ETIMEDOUT;
	return recv(to_asker, reply, sizeof(*reply), 0) == sizeof(*reply) && fits(question, reply)
	    ? 0
	    : ECONNRESET;
}

/* REFUSAL_UNREADABLE with errno when nobody could be asked, or nobody has answered. */
static enum refusal
ask(const struct question *question, struct account *account, int64_t *serves)
{
	static int64_t ask_again;
	static struct reply reply;
	int error = ETIMEDOUT;
	bool fresh;

	if (clock_now() >= ask_again) {
		do {
			fresh = asker == 0;
			error = exchange(question, &reply);
			if (error != 0)
				end_asker();
		} while (error == ECONNRESET && !fresh); /* who was there was about to leave */
		if (error == ETIMEDOUT)
			ask_again = clock_now() + ASKED_AGAIN;
	}
	errno = error != 0 ? error : reply.error;
	if (error != 0)
		return REFUSAL_UNREADABLE;
	*account = reply.account;
	*serves = reply.serves_long != 0 ? ANSWER_OF_FILES_SERVES : ANSWER_SERVES;
	/* ours to say: whoever asks could make root of anybody */
	return reply.refusal == REFUSAL_NONE && account->uid == 0 &&
		strcmp(account->name, "root") != 0
	    ? REFUSAL_FALSE_ROOT
	    : reply.refusal;
}

/* By the name, or, where that is "", by the uid. */
static enum refusal
look_up(const char *name, uid_t uid, struct account *account)
{
	static unsigned next;
	struct question question = {
	    .about = name[0] != '\0' ? ACCOUNT_OF_NAME : ACCOUNT_OF_UID, .uid = uid};
	struct known *known;
	enum refusal refusal;
	bool changed = files_changed();
	int64_t serves;

	for (known = answers; known < answers + ANSWERS; known++) {
		if (changed && known->until != 0) /* what was never used takes no memory */
			known->until = 0;
		if (clock_now() < known->until && strcmp(known->asked, name) == 0 &&
		    (name[0] != '\0' || known->account.uid == uid)) {
			*account = known->account;
			return REFUSAL_NONE;
		}
	}
	if (changed)
		forget_asker(); /* the next one may read them, or need not be root for it */
	strcpy(question.name, name);
	refusal = ask(&question, account, &serves);
	if (refusal != REFUSAL_NONE)
		return refusal;
	known = &answers[next++ % ANSWERS];
	strcpy(known->asked, name);
	known->account = *account;
	known->until = clock_now() + serves;
	return REFUSAL_NONE;
}

enum refusal
account_by_text(const char *text, size_t length, struct account *account)
{
	char name[ACCOUNT_NAME_BYTES];

	if (length > 0 && text[length - 1] == '\n')
		length--;
	if (length == 0 || length > ACCOUNT_NAME_MAX || memchr(text, '\0', length) != NULL)
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

/* Marks which of the uids that could be the monitor's the process has. */
static bool
mark_uids(pid_t pid, void *context)
{
	bool *used = context;
	uid_t ids[4];
	unsigned i;

	for (i = procfs_uids(pid, ids) ? 0 : 4; i < 4; i++)
		if (ids[i] >= FREE_UID_FIRST && ids[i] <= FREE_UID_LAST)
			used[ids[i] - FREE_UID_FIRST] = true;
	return true;
}

/* No user's, no group's and no process's; and not the first such, for of two that are started at
 * once neither sees the other's. */
static enum refusal
free_uid(uid_t *uid)
{
	struct question question = {.about = FREE_UID};
	enum refusal refusal = REFUSAL_NO_ACCOUNT;
	bool used[FREE_UIDS] = {false};
	struct account account;
	int64_t serves;
	unsigned looks;

	(void)procfs_each(mark_uids, used); /* once: there may be thousands, and many uids used */
	for (looks = 0; looks < FREE_UIDS && refusal == REFUSAL_NO_ACCOUNT; looks++) {
		*uid = question.uid = FREE_UID_FIRST + ((uid_t)getpid() + looks) % FREE_UIDS;
		if (!used[*uid - FREE_UID_FIRST])
			refusal = ask(&question, &account, &serves);
	}
	return refusal;
}

void
account_for_monitor(const char *name, uid_t *uid, gid_t *gid)
{
	const char *wanted = name != NULL ? name : MONITOR_ACCOUNT;
	struct account account;
	enum refusal refusal = account_by_text(wanted, strlen(wanted), &account);

	if (refusal == REFUSAL_NO_ACCOUNT && name == NULL) {
		refusal = free_uid(&account.uid);
		account.gid = account.uid;
	}
	if (refusal == REFUSAL_UNREADABLE)
		fatal("the name services do not tell who %s is", wanted);
	if (refusal == REFUSAL_NO_ACCOUNT && name != NULL)
		fatalx("--monitor-user=%s: no such account", name);
	if (refusal == REFUSAL_NO_ACCOUNT)
		fatalx("no uid from %d to %d is free for the monitor: make an account for it and"
		       " name it with --monitor-user",
		    FREE_UID_FIRST, FREE_UID_LAST);
	if (account.uid == 0 || account.gid == 0)
		fatalx("the monitor may not run as %s, whose uid or gid is 0", wanted);
	*uid = asks_as = account.uid;
	*gid = asks_in = account.gid;
	forget_asker(); /* who leaves then */
}
