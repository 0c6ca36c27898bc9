/*
 * From a name to ids: exactly, or not at all. The name service of each case is a file of its own in
 * the place of /etc/passwd, which only a child sees.
 */
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "account.h"
#include "child.h"
#include "clock.h"
#include "folder.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define NAME_38 "a2345678901234567890123456789012345678"
#define NAME_39 NAME_38 "9"

static struct folder *folder;
static struct account account;

/* Who has asked for us leaves by itself, and nobody else is left. */
static void
see_asker_leave(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, 0)) > 0) {
		assert_int_equal(status, 0);
		account_reaped(pid);
	}
	assert_int_equal(errno, ECHILD);
}

static int
set_up(void **state)
{
	assert_int_equal(folder_set_up(state), 0);
	folder = *state;
	folder_write(folder, "passwd", 0644,
	    "root:x:0:0:root:/root:/bin/bash\n"
	    "toor:x:0:0:another root:/root:/bin/sh\n"
	    "web:x:64001:64002::/srv/web:/usr/sbin/nologin\n"
	    "also:x:64001:64002::/:\n"
	    "Web:x:64003:64003::/srv/Web:\n"
	    "64004:x:64004:64004::/:\n"
	    "4web:x:64005:64005::/:\n"
	    "we b:x:64006:64006::/:\n" NAME_38 ":x:64007:64007::/:\n" NAME_39 ":x:64008:64008::/:\n"
	    "groupie:x:64009:64009::/:\n"
	    "joiner:x:64011:64011::/:\n"
	    "rootgroup:x:64010:0::/:\n");
	folder_write(folder, "group", 0644,
	    "root:x:0:\n"
	    "web:x:64002:\n"
	    "one:x:64101:web,Web\n"
	    "two:x:64102:other,web\n"
	    "three:x:64103:webs\n");
	return 0;
}

static void
use_accounts(void)
{
	child_own_mounts();
	child_replace_file("/etc/passwd", folder_path(folder, "passwd"));
	child_replace_file("/etc/group", folder_path(folder, "group"));
}

static enum refusal
by_text(const char *text)
{
	memset(&account, 0xa5, sizeof(account));
	return account_by_text(text, strlen(text), &account);
}

static void
require_web(void)
{
	REQUIRE(strcmp(account.name, "web") == 0);
	REQUIRE(account.uid == 64001);
	REQUIRE(account.gid == 64002);
	REQUIRE(strcmp(account.home, "/srv/web") == 0);
	REQUIRE(strcmp(account.shell, "/usr/sbin/nologin") == 0);
	REQUIRE(account.group_count == 3);
	REQUIRE(account.groups[0] == 64002);
	REQUIRE(account.groups[1] == 64101);
	REQUIRE(account.groups[2] == 64102);
}

static void
look_up(void *context)
{
	(void)context;
	use_accounts();
	REQUIRE(by_text("web") == REFUSAL_NONE);
	require_web();
	REQUIRE(by_text("web\n") == REFUSAL_NONE);
	require_web();
	REQUIRE(account_by_text("website", 3, &account) == REFUSAL_NONE);
	require_web();
	memset(&account, 0xa5, sizeof(account));
	REQUIRE(account_by_uid(64001, &account) == REFUSAL_NONE);
	require_web();
	REQUIRE(by_text("Web") == REFUSAL_NONE);
	REQUIRE(account.uid == 64003);
	REQUIRE(strcmp(account.shell, "/bin/sh") == 0); /* none is named, passwd(5) */
	REQUIRE(by_text("4web") == REFUSAL_NONE);
	REQUIRE(account.uid == 64005);
	REQUIRE(by_text(NAME_38) == REFUSAL_NONE);
	REQUIRE(account.uid == 64007);
	REQUIRE(by_text("root") == REFUSAL_NONE);
	REQUIRE(account.uid == 0);
}

static void
an_account_is_found_by_its_exact_name_and_by_its_uid(void **state)
{
	(void)state;
	child_run(look_up, NULL);
}

static void
change_groups(void *context)
{
	int i;

	(void)context;
	use_accounts();
	for (i = 0; i < 3; i++) { /* asked at once, and told the same */
		REQUIRE(by_text("web") == REFUSAL_NONE);
		require_web();
		REQUIRE(by_text("Web") == REFUSAL_NONE); /* somebody else, with other groups */
		REQUIRE(account.group_count == 2);
		REQUIRE(account.groups[0] == 64003);
	}
	folder_write(folder, "group", 0644, "web:x:64002:\none:x:64101:Web\n");
	REQUIRE(by_text("web") == REFUSAL_NONE);
	REQUIRE(account.group_count == 1);
	REQUIRE(account.groups[0] == 64002);
}

/* An answer serves for a second, but not over a change of the files. */
static void
change_accounts(void *context)
{
	(void)context;
	use_accounts();
	/* another name of a uid is no answer to whose it is, and the other way round */
	REQUIRE(by_text("also") == REFUSAL_NONE);
	REQUIRE(account.uid == 64001);
	REQUIRE(account_by_uid(64001, &account) == REFUSAL_NONE);
	require_web();
	REQUIRE(account_by_uid(64003, &account) == REFUSAL_NONE);
	REQUIRE(strcmp(account.name, "Web") == 0);
	REQUIRE(by_text("also") == REFUSAL_NONE);
	REQUIRE(strcmp(account.name, "also") == 0);
	REQUIRE(by_text("web") == REFUSAL_NONE);
	require_web();
	folder_write(folder, "passwd", 0644,
	    "root:x:0:0:root:/root:/bin/bash\nweb:x:64021:64002::/srv/web:/bin/sh\n");
	REQUIRE(by_text("web") == REFUSAL_NONE);
	REQUIRE(account.uid == 64021);
	REQUIRE(by_text("also") == REFUSAL_NO_ACCOUNT);
	REQUIRE(account_by_uid(64001, &account) == REFUSAL_NO_ACCOUNT);
	child_replace_file("/etc/passwd", "/dev/null");
	REQUIRE(by_text("web") == REFUSAL_NO_ACCOUNT);
}

static void
an_account_that_has_gone_or_changed_is_not_what_it_was(void **state)
{
	(void)state;
	child_run(change_accounts, NULL);
}

static void
a_change_of_groups_counts_from_the_next_look_on(void **state)
{
	(void)state;
	child_run(change_groups, NULL);
}

static void
look_up_what_is_none(void *context)
{
	static const char *const bad[] = {"", "\n", "\n\n", "nobody-of-this-name", "WEB", "wEb",
	    "web ", " web", "web\t", "web\r\n", "web\n\n", "\nweb", "web\nweb", "web:", "web,root",
	    "64001", "0", "00", "4294967296", "64004", "64004\n", "+64001", "-1", "0x0", "we",
	    "webx", "root\nweb", NAME_39, NAME_39 "x"};
	size_t i;

	(void)context;
	use_accounts();
	for (i = 0; i < COUNT(bad); i++) {
		if (by_text(bad[i]) != REFUSAL_NO_ACCOUNT)
			(void)dprintf(STDERR_FILENO, "accepted: \"%s\"\n", bad[i]);
		REQUIRE(by_text(bad[i]) == REFUSAL_NO_ACCOUNT);
	}
	REQUIRE(account_by_text("web\0", 4, &account) == REFUSAL_NO_ACCOUNT);
	REQUIRE(account_by_text("web\0\n", 5, &account) == REFUSAL_NO_ACCOUNT);
	REQUIRE(account_by_text("\0web", 4, &account) == REFUSAL_NO_ACCOUNT);
	REQUIRE(account_by_uid(64999, &account) == REFUSAL_NO_ACCOUNT);
	REQUIRE(account_by_uid((uid_t)-1, &account) == REFUSAL_NO_ACCOUNT);
	REQUIRE(account_by_uid(64008, &account) == REFUSAL_NO_ACCOUNT); /* its name is too long */
}

static void
a_number_an_unknown_name_and_anything_around_a_name_is_no_account(void **state)
{
	(void)state;
	child_run(look_up_what_is_none, NULL);
}

static void
look_up_false_root(void *context)
{
	(void)context;
	use_accounts();
	REQUIRE(by_text("toor") == REFUSAL_FALSE_ROOT);
	REQUIRE(by_text("toor\n") == REFUSAL_FALSE_ROOT);
	REQUIRE(account_by_uid(0, &account) == REFUSAL_NONE);
	REQUIRE(strcmp(account.name, "root") == 0);
}

static void
root_has_one_name(void **state)
{
	(void)state;
	child_run(look_up_false_root, NULL);
}

static void
look_up_root_by_uid(void *context)
{
	(void)context;
	use_accounts();
	REQUIRE(account_by_uid(0, &account) == REFUSAL_FALSE_ROOT);
}

static void
uid_0_without_the_name_root_is_refused_by_uid_too(void **state)
{
	(void)state;
	folder_write(folder, "passwd", 0644, "toor:x:0:0::/root:/bin/sh\n");
	child_run(look_up_root_by_uid, NULL);
}

/* In the place of the C library's: a name service that is not strict about names. */
static uid_t free_uids[2];
static bool name_service_is_lax, name_unknown, name_service_looks_around, name_service_dies;
static int asked_here;
static struct passwd lax_answer = {.pw_name = (char[]){"web"},
    .pw_dir = (char[]){"/"},
    .pw_shell = (char[]){"/bin/sh"},
    .pw_uid = 64001,
    .pw_gid = 64002};

/* What can whoever has loaded it do, and what has it open? That is told as the account's home. */
static struct passwd *
look_around(void)
{
	static char seen[256], name[] = "onlooker";
	static struct passwd answer;
	char line[128];
	FILE *status = fopen("/proc/self/status", "re");
	unsigned long long effective = 1;
	int number, open_files = 0, death = 0, accounts = open("/etc/passwd", O_WRONLY | O_CLOEXEC);

	(void)prctl(PR_GET_PDEATHSIG, &death, 0, 0, 0);
	while (status != NULL && fgets(line, sizeof(line), status) != NULL)
		(void)sscanf(line, "CapEff: %llx", &effective);
	if (status != NULL)
		(void)fclose(status);
	if (accounts != -1)
		(void)close(accounts);
	for (number = STDERR_FILENO + 2; number < 1000; number++)
		open_files += fcntl(number, F_GETFD) != -1;
	(void)snprintf(seen, sizeof(seen),
	    "uid %u, gid %u, groups %d, capabilities %llx, for good %d, dumpable %d, "
	    "with a terminal %d, writes accounts %d, files %d, ends with %d",
	    getuid(), getgid(), getgroups(0, NULL), effective,
	    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), prctl(PR_GET_DUMPABLE, 0, 0, 0, 0),
	    getsid(0) != getpid(), accounts != -1, open_files, death);
	answer = lax_answer;
	answer.pw_name = name;
	answer.pw_dir = seen;
	return &answer;
}

static unsigned overrun; /* what is too long, or wrong */
#define OF_NO_ACCOUNT 9
static _Noreturn void answer_too_much(void);

struct passwd *
getpwnam(const char *name)
{
	static char buffer[4096];
	static struct passwd entry;
	struct passwd *found;

	asked_here++;
	if (overrun > 0 && overrun < OF_NO_ACCOUNT)
		answer_too_much();
	if (name_service_dies)
		(void)raise(SIGKILL);
	if (name_service_looks_around)
		return look_around();
	if (name_service_is_lax)
		return name_unknown ? NULL : &lax_answer;
	return getpwnam_r(name, &entry, buffer, sizeof(buffer), &found) == 0 ? found : NULL;
}

struct passwd *
getpwuid(uid_t uid)
{
	static char buffer[4096];
	static struct passwd entry;
	struct passwd *found;

	if (overrun > 0)
		answer_too_much();
	if (name_service_is_lax)
		return uid == free_uids[0] || uid == free_uids[1] ? NULL : &lax_answer;
	return getpwuid_r(uid, &entry, buffer, sizeof(buffer), &found) == 0 ? found : NULL;
}

static void
a_name_service_that_answers_for_another_account_is_not_believed(void **state)
{
	(void)state;
	name_service_is_lax = true;
	assert_int_equal(by_text("WEB"), REFUSAL_NO_ACCOUNT);
	assert_int_equal(by_text("web.example"), REFUSAL_NO_ACCOUNT);
	assert_int_equal(by_text("we"), REFUSAL_NO_ACCOUNT);
	assert_int_equal(by_text("web"), REFUSAL_NONE);
	assert_int_equal(account_by_uid(64002, &account), REFUSAL_NO_ACCOUNT);
	assert_int_equal(account_by_uid(64001, &account), REFUSAL_NONE);
	name_service_is_lax = false;
	see_asker_leave();
}

/* Also whoever was sent away, because the files have changed. */
static void
wait_until_all_have_left(void)
{
	siginfo_t how;

	while (waitid(P_ALL, 0, &how, WEXITED) == 0) {
		REQUIRE(how.si_code == CLD_EXITED);
		account_reaped(how.si_pid);
	}
}

#define NOTHING_ELSE ", files 0, ends with 9"

static void
require_onlooker(const char *expected)
{
	name_service_looks_around = true;
	asked_here = 0;
	REQUIRE(by_text("onlooker") == REFUSAL_NONE);
	name_service_looks_around = false;
	wait_until_all_have_left();
	if (strcmp(account.home, expected) != 0)
		(void)dprintf(STDERR_FILENO, "%s\n", account.home);
	REQUIRE(strcmp(account.home, expected) == 0);
	REQUIRE(asked_here == 0);
}

static void
look_around_as_each(void *context)
{
	const gid_t group = 4;
	uid_t uid;
	gid_t gid;

	(void)context;
	use_accounts();
	REQUIRE(setgroups(1, &group) == 0);
	REQUIRE(open("/", O_PATH | O_CLOEXEC) >= 0);
	REQUIRE(fcntl(STDERR_FILENO, F_DUPFD, 700) == 700);
	require_onlooker("uid 65519, gid 65519, groups 0, capabilities 0, for good 1, dumpable 0, "
			 "with a terminal 0, writes accounts 0" NOTHING_ELSE);
	account_for_monitor("web", &uid, &gid);
	folder_write(folder, "nsswitch", 0644, ""); /* nobody remembers what was seen */
	child_replace_file("/etc/nsswitch.conf", folder_path(folder, "nsswitch"));
	require_onlooker("uid 64001, gid 64002, groups 0, capabilities 0, for good 1, dumpable 0, "
			 "with a terminal 0, writes accounts 0" NOTHING_ELSE);
}

/* A module of a name service is foreign code, which must not stay in the parent, nor reach what the
 * parent has: neither what it has open, nor files of root's. */
static void
name_services_are_asked_by_a_child_that_has_no_capabilities_and_nothing_open(void **state)
{
	(void)state;
	child_run(look_around_as_each, NULL);
}

static void
look_up_what_is_roots(void *context)
{
	(void)context;
	use_accounts();
	REQUIRE(setgroups(0, NULL) == 0);
	require_onlooker("uid 65519, gid 65519, groups 0, capabilities 0, for good 1, dumpable 0, "
			 "with a terminal 0, writes accounts 0" NOTHING_ELSE);
	REQUIRE(chmod("/etc/group", 0640) == 0);
	require_onlooker("uid 0, gid 0, groups 0, capabilities 0, for good 1, dumpable 0, "
			 "with a terminal 0, writes accounts 1" NOTHING_ELSE);
	REQUIRE(by_text("web") == REFUSAL_NONE);
	require_web();
	REQUIRE(chmod("/etc/group", 0644) == 0);
	REQUIRE(chmod("/etc/passwd", 0600) == 0);
	REQUIRE(by_text("Web") == REFUSAL_NONE);
	REQUIRE(chmod("/etc/passwd", 0644) == 0);
	REQUIRE(mount(folder->path, "/etc", "none", MS_BIND, NULL) == 0);
	REQUIRE(chmod("/etc", 0700) == 0);
	REQUIRE(by_text("also") == REFUSAL_NONE);
	REQUIRE(chmod("/etc", 0755) == 0);
	require_onlooker("uid 65519, gid 65519, groups 0, capabilities 0, for good 1, dumpable 0, "
			 "with a terminal 0, writes accounts 0" NOTHING_ELSE);
}

/* Or it would say that there is no such account, and what runs would be stopped. */
static void
where_the_files_are_roots_to_read_root_asks_without_capabilities(void **state)
{
	(void)state;
	child_run(look_up_what_is_roots, NULL);
}

static int64_t later;
/* Whoever waits for an answer waits a sixteenth of the time; else as long as it takes, which on a
 * busy machine, and under valgrind, can be any time. */
static bool hurried;

int
clock_gettime(clockid_t clock, struct timespec *time)
{
	int result = (int)syscall(SYS_clock_gettime, clock, time);

	time->tv_sec += (time_t)later;
	return result;
}

int
poll(struct pollfd *sources, nfds_t count, int timeout)
{
	struct timespec left;

	if (hurried && timeout > 0)
		timeout /= 16;
	else if (timeout > 1000)
		timeout = -1;
	left = (struct timespec){.tv_sec = timeout / 1000, .tv_nsec = timeout % 1000 * MILLISECOND};
	return ppoll(sources, count, timeout < 0 ? NULL : &left, NULL);
}

static bool no_room;
static pid_t held_up; /* before it sends anything */

/* Longer than whoever asks stays when nobody asks him; true when nobody has left. */
static bool
nobody_leaves(void)
{
	const struct timespec moment = {.tv_nsec = MILLISECOND};
	int64_t until = clock_now() + 60 * MILLISECOND;
	siginfo_t how = {.si_pid = 0};

	while (clock_now() < until && how.si_pid == 0) {
		(void)ppoll(NULL, 0, &moment, NULL);
		REQUIRE(waitid(P_ALL, 0, &how, WEXITED | WNOWAIT | WNOHANG) == 0);
	}
	return how.si_pid == 0;
}

ssize_t
send(int channel, const void *bytes, size_t length, int flags)
{
	if (held_up == getpid()) {
		held_up = 0;
		REQUIRE(nobody_leaves());
	}
	if (!no_room)
		return sendto(channel, bytes, length, flags, NULL, 0);
	errno = ENOBUFS;
	return -1;
}

static void
send_in_vain(void *context)
{
	(void)context;
	use_accounts();
	no_room = true;
	REQUIRE(by_text("web") == REFUSAL_UNREADABLE);
	REQUIRE(errno == ECONNRESET);
	no_room = false;
	REQUIRE(by_text("web") == REFUSAL_NONE);
}

static void
ask_late(void *context)
{
	(void)context;
	use_accounts();
	hurried = true;
	held_up = getpid();
	(void)by_text("web");
	REQUIRE(held_up == 0);
}

/* On a loaded host the parent may come to its first question long after the fork. */
static void
whoever_asks_waits_for_the_first_question(void **state)
{
	(void)state;
	child_run(ask_late, NULL);
}

/* Nobody waits for the answer to a question that was never put. */
static void
a_question_that_cannot_be_put_holds_nobody_up(void **state)
{
	(void)state;
	child_run(send_in_vain, NULL);
}

static void
look_up_in_vain(void *context)
{
	siginfo_t how;

	(void)context;
	child_own_mounts();
	child_replace_file("/etc/passwd", folder_path(folder, "hangs"));
	hurried = true;
	REQUIRE(by_text("web") == REFUSAL_UNREADABLE);
	REQUIRE(errno == ETIMEDOUT);
	hurried = false;
	while (waitid(P_ALL, 0, &how, WEXITED) == 0) /* who has asked does not stay */
		REQUIRE(how.si_code == CLD_KILLED);
	REQUIRE(errno == ECHILD);
	child_replace_file("/etc/passwd", folder_path(folder, "passwd"));
	REQUIRE(by_text("web") == REFUSAL_UNREADABLE); /* nobody was asked */
	REQUIRE(errno == ETIMEDOUT);
	REQUIRE(waitid(P_ALL, 0, &how, WEXITED) == -1 && errno == ECHILD);
	later = 9;
	REQUIRE(by_text("web") == REFUSAL_UNREADABLE);
	later = 11;
	REQUIRE(by_text("web") == REFUSAL_NONE);
	REQUIRE(account.uid == 64001);
}

static void
a_name_service_that_hangs_is_given_up_and_not_asked_again_for_a_while(void **state)
{
	(void)state;
	assert_int_equal(mkfifo(folder_path(folder, "hangs"), 0644), 0);
	child_run(look_up_in_vain, NULL);
}

static void
die_while_asked(void *context)
{
	(void)context;
	use_accounts();
	name_service_dies = true;
	REQUIRE(by_text("web") == REFUSAL_UNREADABLE);
	REQUIRE(errno == ECONNRESET);
	name_service_dies = false;
	REQUIRE(by_text("web") == REFUSAL_NONE);
}

static void
wait_until_nobody_asks(void)
{
	siginfo_t how;

	REQUIRE(waitid(P_ALL, 0, &how, WEXITED | WNOWAIT) == 0);
	REQUIRE(how.si_code == CLD_EXITED);
}

/* In the place of whoever asks: the reply of parent/nameservice.c, in which something is too long
 * or of another account than was asked for. */
static _Noreturn void
answer_too_much(void)
{
	struct {
		enum refusal refusal;
		int error;
		uint32_t serves_long;
		struct account account;
	} reply = {.refusal = REFUSAL_NONE, .account = {.name = "web", .uid = 64001, .gid = 64002}};

	if (overrun == 1)
		reply.account.group_count = FORK_GROUPS_MAX + 1;
	if (overrun == 2)
		memset(reply.account.name, 'n', sizeof(reply.account.name));
	if (overrun == 3)
		memset(reply.account.home, 'h', sizeof(reply.account.home));
	if (overrun == 4)
		memset(reply.account.shell, 's', sizeof(reply.account.shell));
	if (overrun == 5)
		reply.refusal = REFUSAL_COUNT;
	if (overrun == 6)
		strcpy(reply.account.name, "Web");
	if (overrun == 7)
		reply.account.uid = 64003;
	if (overrun == 8)
		reply.account.uid = 0;
	if (overrun == OF_NO_ACCOUNT) {
		reply.account.uid = 1000;
		reply.account.name[0] = '\0';
	}
	(void)!write(STDERR_FILENO + 1, &reply, sizeof(reply));
	_exit(0);
}

static void
ask_who_lost_his_mind(void *context)
{
	(void)context;
	use_accounts();
	for (overrun = 1; overrun <= 6; overrun++)
		REQUIRE(by_text("web") == REFUSAL_UNREADABLE);
	overrun = 7;
	REQUIRE(account_by_uid(64001, &account) == REFUSAL_UNREADABLE);
	REQUIRE(account_by_uid(64003, &account) == REFUSAL_NONE); /* the reply is the right one */
	overrun = 8;
	REQUIRE(by_text("web") == REFUSAL_FALSE_ROOT);
	overrun = 0;
	REQUIRE(by_text("web") == REFUSAL_NONE);
}

static void
choose_by_who_lost_his_mind(void *context)
{
	uid_t uid;
	gid_t gid;

	(void)context;
	use_accounts();
	overrun = OF_NO_ACCOUNT;
	account_for_monitor(NULL, &uid, &gid);
}

static void
a_reply_that_would_overrun_the_parent_or_is_about_another_is_refused(void **state)
{
	char said[512];

	(void)state;
	child_run(ask_who_lost_his_mind, NULL);
	assert_int_equal(child_status(choose_by_who_lost_his_mind, NULL, said, sizeof(said)), 1);
	assert_non_null(strstr(said, "do not tell who _proclaunch is: Connection reset by peer"));
}

/* In the place of the C library's: valgrind heeds no limit, and knows no filter. */
static bool no_channels;

int
socketpair(int domain, int type, int protocol, int ends[2])
{
	errno = EMFILE;
	return no_channels ? -1 : (int)syscall(SYS_socketpair, domain, type, protocol, ends);
}

/* Then there is nobody to be ended: by the number 0 it would be we. */
static void
ask_without_descriptors(void *context)
{
	(void)context;
	REQUIRE(setpgid(0, 0) == 0);
	use_accounts();
	no_channels = true;
	REQUIRE(by_text("web") == REFUSAL_UNREADABLE);
	REQUIRE(errno == EMFILE);
}

static void
where_nobody_can_be_asked_for_want_of_descriptors_that_is_said(void **state)
{
	(void)state;
	child_run(ask_without_descriptors, NULL);
}

/* It has ended when the next question comes, and nobody has noticed. */
static void
ask_who_has_left(void *context)
{
	(void)context;
	use_accounts();
	REQUIRE(by_text("web") == REFUSAL_NONE);
	wait_until_nobody_asks();
	REQUIRE(by_text("Web") == REFUSAL_NONE);
	REQUIRE(account.uid == 64003);
}

static void
who_asks_leaves_and_another_one_asks(void **state)
{
	(void)state;
	child_run(ask_who_has_left, NULL);
}

static void
a_name_service_that_crashes_takes_nobody_along(void **state)
{
	(void)state;
	child_run(die_while_asked, NULL);
}

static void
look_up_later(void *context)
{
	(void)context;
	use_accounts();
	name_service_is_lax = true; /* it knows a "web" that is not the one in the files */
	REQUIRE(by_text("web") == REFUSAL_NONE);
	wait_until_nobody_asks();
	name_service_is_lax = false;
	later = 2;
	REQUIRE(by_text("web") == REFUSAL_NONE);
	require_web();
	later = 4;
	folder_write(folder, "group", 0644, "web:x:64002:\none:x:64101:web\n");
	REQUIRE(by_text("web") == REFUSAL_NONE);
	REQUIRE(account.group_count == 2);
	wait_until_all_have_left();
	name_service_dies = true;
	later = 200;
	REQUIRE(by_text("web") == REFUSAL_NONE); /* nobody was asked */
	REQUIRE(account.group_count == 2);
	later = 400;
	REQUIRE(by_text("web") == REFUSAL_UNREADABLE);
}

/* Who can come to stand elsewhere without the files' telling is asked for again after a second. */
static void
what_the_files_say_serves_until_they_say_something_else(void **state)
{
	(void)state;
	child_run(look_up_later, NULL);
}

static void
look_up_in_turns(void *context)
{
	(void)context;
	use_accounts();
	account_turn();
	REQUIRE(by_text("web") == REFUSAL_NONE && account.group_count == 3);
	folder_write(folder, "group", 0644, "web:x:64002:\none:x:64101:web\n");
	REQUIRE(by_text("web") == REFUSAL_NONE && account.group_count == 3);
	account_turn();
	REQUIRE(by_text("web") == REFUSAL_NONE && account.group_count == 2);
}

/* Thousands may be asked for in one turn of the loop. */
static void
the_files_are_looked_at_once_in_a_turn_and_in_each(void **state)
{
	(void)state;
	child_run(look_up_in_turns, NULL);
}

/* Writes "groupie" and "joiner" into so many groups besides their own. */
static void
write_groups(unsigned count)
{
	static char text[64 * 1024];
	size_t length = 0;
	unsigned i;

	for (i = 0; i < count; i++)
		length += (size_t)snprintf(text + length, sizeof(text) - length,
		    "g%u:x:%u:groupie%s\n", i, 64500 + i, i == 0 ? "" : ",joiner");
	folder_write_bytes(folder, "group", 0644, text, length);
}

static void
look_up_many_groups(void *context)
{
	unsigned i;

	(void)context;
	use_accounts();
	REQUIRE(by_text("groupie") == REFUSAL_GROUPS);
	REQUIRE(by_text("joiner") == REFUSAL_NONE);
	REQUIRE(account.group_count == FORK_GROUPS_MAX);
	for (i = 1; i < FORK_GROUPS_MAX; i++)
		REQUIRE(account.groups[i] == 64500 + i);
}

static void
an_account_in_more_groups_than_a_message_holds_is_refused_and_not_cut(void **state)
{
	(void)state;
	write_groups(FORK_GROUPS_MAX);
	child_run(look_up_many_groups, NULL);
}

static void
look_up_long_entries(void *context)
{
	(void)context;
	use_accounts();
	REQUIRE(by_text("fits") == REFUSAL_NONE);
	REQUIRE(strlen(account.home) == sizeof(account.home) - 1);
	REQUIRE(strlen(account.shell) == sizeof(account.shell) - 1);
	REQUIRE(by_text("home") == REFUSAL_NO_ACCOUNT);
	REQUIRE(by_text("shell") == REFUSAL_NO_ACCOUNT);
}

static void
an_entry_that_is_too_long_is_refused_and_not_cut(void **state)
{
	char text[4096], home[sizeof(account.home) + 1], shell[sizeof(account.shell) + 1];

	(void)state;
	memset(home, 'h', sizeof(home));
	memset(shell, 's', sizeof(shell));
	home[sizeof(home) - 1] = shell[sizeof(shell) - 1] = '\0';
	(void)snprintf(text, sizeof(text),
	    "fits:x:64001:64001::%s:%s\n"
	    "home:x:64002:64002::%s:/bin/sh\n"
	    "shell:x:64003:64003::/:%s\n",
	    home + 1, shell + 1, home, shell);
	folder_write(folder, "passwd", 0644, text);
	child_run(look_up_long_entries, NULL);
}

static void
choose_named_monitor(void *context)
{
	uid_t uid = 1;
	gid_t gid = 1;

	(void)context;
	use_accounts();
	account_for_monitor("web", &uid, &gid);
	REQUIRE(uid == 64001);
	REQUIRE(gid == 64002);
}

/* The name that is to be refused for the monitor. */
static void
choose_monitor(void *context)
{
	const char *name = context;
	uid_t uid;
	gid_t gid;

	use_accounts();
	account_for_monitor(name, &uid, &gid);
}

static void
the_monitor_runs_as_who_is_named_unless_that_is_root_in_any_way(void **state)
{
	static char root[] = "root", toor[] = "toor", group[] = "rootgroup", none[] = "none";
	char said[256];

	(void)state;
	child_run(choose_named_monitor, NULL);
	assert_int_equal(child_status(choose_monitor, root, said, sizeof(said)), 1);
	assert_non_null(strstr(said, "may not run as root"));
	assert_int_equal(child_status(choose_monitor, toor, said, sizeof(said)), 1);
	assert_non_null(strstr(said, "may not run as toor"));
	assert_int_equal(child_status(choose_monitor, group, said, sizeof(said)), 1);
	assert_non_null(strstr(said, "may not run as rootgroup"));
	assert_int_equal(child_status(choose_monitor, none, said, sizeof(said)), 1);
	assert_non_null(strstr(said, "no such account"));
}

static void
choose_account_of_its_own(void *context)
{
	uid_t uid;
	gid_t gid;

	(void)context;
	use_accounts();
	account_for_monitor(NULL, &uid, &gid);
	REQUIRE(uid == 61000);
	REQUIRE(gid == 61001);
}

static void
the_monitor_has_an_account_of_its_own_where_there_is_one(void **state)
{
	(void)state;
	folder_write(folder, "passwd", 0644, "_proclaunch:x:61000:61001::/:/bin/false\n");
	child_run(choose_account_of_its_own, NULL);
}

static unsigned walks; /* over all processes */

/* In the place of the C library's, to count. */
DIR *
opendir(const char *path)
{
	int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	walks += strcmp(path, "/proc") == 0;
	return directory == -1 ? NULL : fdopendir(directory);
}

/* The uid that we look at `after` others. */
static uid_t
candidate(unsigned after)
{
	return 61184 + ((unsigned)getpid() + after) % 4336;
}

static void
begin_unseen(void *context)
{
	void (*const *choose)(void *context) = context;
	pid_t first = child_fork_first();
	int status;

	if (first == 0) {
		(*choose)(NULL);
		_exit(0);
	}
	REQUIRE(waitpid(first, &status, 0) == first);
	REQUIRE(status == 0);
}

/* The monitors of what is tested meanwhile have such uids, too: whoever chooses does not see them.
 */
static void
run_unseen(void (*choose)(void *context))
{
	child_run(begin_unseen, &choose);
}

/* Of the first four, one belongs to an account, one to a group and two to a process. */
static void
choose_free_uid(void *context)
{
	char text[64];
	uid_t uid;
	gid_t gid;
	unsigned i;

	(void)context;
	(void)snprintf(text, sizeof(text), "taken:x:%u:1::/:\n", candidate(0));
	folder_write(folder, "passwd", 0644, text);
	(void)snprintf(text, sizeof(text), "taken:x:%u:\n", candidate(1));
	folder_write(folder, "group", 0644, text);
	use_accounts();
	REQUIRE(setresuid(candidate(2), (uid_t)-1, candidate(3)) == 0);
	walks = 0;
	account_for_monitor(NULL, &uid, &gid);
	REQUIRE(uid == gid);
	for (i = 0; i < 4; i++)
		REQUIRE(uid != candidate(i));
	REQUIRE(uid >= 61184);
	REQUIRE(uid <= 65519);
	REQUIRE(walks == 1); /* however many are used: one for each took seconds */
}

static void
else_it_gets_a_uid_that_no_account_no_group_and_no_process_has(void **state)
{
	(void)state;
	run_unseen(choose_free_uid);
}

/* Neither has started its monitor when the other looks. */
static void
choose_two(void *context)
{
	uid_t *uids = mmap(
	    NULL, 2 * sizeof(*uids), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	gid_t gid;
	pid_t child;
	int i, status;

	(void)context;
	REQUIRE(uids != MAP_FAILED);
	for (i = 0; i < 2; i++) {
		child = fork();
		REQUIRE(child != -1);
		if (child == 0) {
			account_for_monitor(NULL, &uids[i], &gid);
			_exit(0);
		}
		REQUIRE(waitpid(child, &status, 0) == child);
		REQUIRE(status == 0);
	}
	REQUIRE(uids[0] != uids[1]);
}

static void
two_that_are_started_at_once_have_monitors_of_different_users(void **state)
{
	(void)state;
	run_unseen(choose_two);
}

/* Every other uid has an account, and none is called _proclaunch. */
static uid_t
choose_among(uid_t one, uid_t other)
{
	uid_t uid;
	gid_t gid;

	use_accounts();
	name_service_is_lax = true;
	name_unknown = true;
	free_uids[0] = one;
	free_uids[1] = other;
	account_for_monitor(NULL, &uid, &gid);
	return uid;
}

static void
choose_the_only_free_one(void *context)
{
	uid_t last = candidate(4335); /* that is looked at */

	(void)context;
	REQUIRE(choose_among(last, last) == last);
}

static void
choose_beside_the_highest(void *context)
{
	(void)context;
	REQUIRE(setresuid(65519, (uid_t)-1, (uid_t)-1) == 0); /* a process has it */
	REQUIRE(choose_among(61184, 65519) == 61184);
}

static void
the_only_uid_that_is_free_is_found(void **state)
{
	(void)state;
	run_unseen(choose_the_only_free_one);
	run_unseen(choose_beside_the_highest);
}

static void
choose_when_none_is_free(void *context)
{
	(void)context;
	(void)choose_among(0, 0);
}

static void
where_no_uid_is_free_the_reason_is_said(void **state)
{
	char said[512];

	(void)state;
	assert_int_equal(child_status(choose_when_none_is_free, NULL, said, sizeof(said)), 1);
	assert_non_null(strstr(said, "--monitor-user"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, folder_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(an_account_is_found_by_its_exact_name_and_by_its_uid),
	    TEST(a_change_of_groups_counts_from_the_next_look_on),
	    TEST(an_account_that_has_gone_or_changed_is_not_what_it_was),
	    TEST(a_number_an_unknown_name_and_anything_around_a_name_is_no_account),
	    TEST(root_has_one_name),
	    TEST(uid_0_without_the_name_root_is_refused_by_uid_too),
	    cmocka_unit_test(a_name_service_that_answers_for_another_account_is_not_believed),
	    TEST(name_services_are_asked_by_a_child_that_has_no_capabilities_and_nothing_open),
	    TEST(where_the_files_are_roots_to_read_root_asks_without_capabilities),
	    TEST(a_question_that_cannot_be_put_holds_nobody_up),
	    TEST(whoever_asks_waits_for_the_first_question),
	    TEST(a_name_service_that_hangs_is_given_up_and_not_asked_again_for_a_while),
	    TEST(a_name_service_that_crashes_takes_nobody_along),
	    TEST(a_reply_that_would_overrun_the_parent_or_is_about_another_is_refused),
	    TEST(where_nobody_can_be_asked_for_want_of_descriptors_that_is_said),
	    TEST(who_asks_leaves_and_another_one_asks),
	    TEST(what_the_files_say_serves_until_they_say_something_else),
	    TEST(the_files_are_looked_at_once_in_a_turn_and_in_each),
	    TEST(an_account_in_more_groups_than_a_message_holds_is_refused_and_not_cut),
	    TEST(an_entry_that_is_too_long_is_refused_and_not_cut),
	    TEST(the_monitor_runs_as_who_is_named_unless_that_is_root_in_any_way),
	    TEST(the_monitor_has_an_account_of_its_own_where_there_is_one),
	    TEST(else_it_gets_a_uid_that_no_account_no_group_and_no_process_has),
	    TEST(two_that_are_started_at_once_have_monitors_of_different_users),
	    TEST(the_only_uid_that_is_free_is_found),
	    TEST(where_no_uid_is_free_the_reason_is_said),
	};

	return cmocka_run_group_tests_name("account", tests, NULL, NULL);
}
