/*
 * What a tenant can write into a pid file, and what comes of it: a WARN line that names the claim,
 * and never a signal to anybody: proclaunch(8), IDENTITY. Where there are cgroups, and where there
 * are none.
 */
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "canary.h"
#include "child.h"
#include "ctl.h"
#include "host.h"

#define FOREIGN "which is not in this profile"

/* Whose pid a lie names; NOBODY: the text says it. */
enum whose {
	NOBODY,
	INIT,
	CANARY_OF_ROOT,
	CANARY_OF_ANOTHER,
	CANARY_OF_THE_USER,
	NEIGHBOUR,
	HELPER_OF_ANOTHER,
	PARENT,
	MONITOR,
	SPAWNER,
	THREAD,
	ZOMBIE,
	PEOPLE
};

static const struct lie {
	const char *name;
	enum whose whose;
	const char *text; /* of the file, where the lie is no pid */
	const char *said; /* in the log, after the pid if there is one */
} lies[] = {
    {"init", INIT, NULL, FOREIGN},
    {"root", CANARY_OF_ROOT, NULL, FOREIGN},
    {"another-tenant", CANARY_OF_ANOTHER, NULL, FOREIGN},
    {"outside-of-all-profiles", CANARY_OF_THE_USER, NULL, FOREIGN},
    {"neighbour", NEIGHBOUR, NULL, FOREIGN},
    {"helper", HELPER_OF_ANOTHER, NULL, FOREIGN},
    {"parent", PARENT, NULL, FOREIGN},
    {"monitor", MONITOR, NULL, FOREIGN},
    {"spawner", SPAWNER, NULL, FOREIGN},
    {"thread", THREAD, NULL, "which is no process but a thread"},
    {"zombie", ZOMBIE, NULL, "which has ended"},
    {"nought", NOBODY, "0\n", "pid 0, which does not exist"},
    {"nobody", NOBODY, "2147483647\n", "pid 2147483647, which does not exist"},
    {"negative", NOBODY, "-1\n", "\"-1\\\\x0a\", which is not a pid"},
    {"everybody", NOBODY, "-1", "\"-1\", which is not a pid"},
    {"overflow", NOBODY, "4294967297", "\"4294967297\", which is not a pid"},
    {"huge", NOBODY, "99999999999999999999999", "\"99999999999999999999999\", which is not a pid"},
    {"letters", NOBODY, "12ab", "\"12ab\", which is not a pid"},
    {"hexadecimal", NOBODY, "0x10", "\"0x10\", which is not a pid"},
    {"zeros", NOBODY, "01\n", "\"01\\\\x0a\", which is not a pid"},
    {"newlines", NOBODY, "1\n\n", "\"1\\\\x0a\\\\x0a\", which is not a pid"},
    {"space", NOBODY, " 1", "\" 1\", which is not a pid"},
    {"plus", NOBODY, "+1", "\"\\+1\", which is not a pid"},
    {"two", NOBODY, "1 1", "\"1 1\", which is not a pid"},
    {"lines", NOBODY, "1\n1\n", "\"1\\\\x0a1\\\\x0a\", which is not a pid"},
    {"escape", NOBODY, "\033[2J", "\"\\\\x1b\\[2J\", which is not a pid"},
    {"long", NOBODY, "1                                       ",
	"a file that is larger than 32 bytes"},
    {"link", NOBODY, NULL, "a file that is no plain file"},
    {"fifo", NOBODY, NULL, "a file that is no plain file"},
    {"device", NOBODY, NULL, "a file that is no plain file"},
    {"directory", NOBODY, NULL, "a file that is no plain file"},
    {"sparse", NOBODY, NULL, "a file that is larger than 32 bytes"},
    {"unreadable", NOBODY, NULL, "a file that cannot be read: Permission denied"},
};
#define LIES (sizeof(lies) / sizeof(lies[0]))

static void *
wait_for_end(void *context)
{
	int *numbers = context;
	char byte;

	numbers[2] = gettid();
	(void)!write(numbers[1], "", 1);
	(void)!read(numbers[0], &byte, 1);
	return NULL;
}

/* A process that is all of them: it has a thread of another number. */
struct threaded {
	pthread_t thread;
	int ready[2], end[2], numbers[3];
};

static pid_t
begin_thread(struct threaded *threaded)
{
	char byte;

	assert_int_equal(pipe(threaded->ready), 0);
	assert_int_equal(pipe(threaded->end), 0);
	threaded->numbers[0] = threaded->end[0];
	threaded->numbers[1] = threaded->ready[1];
	assert_int_equal(
	    pthread_create(&threaded->thread, NULL, wait_for_end, threaded->numbers), 0);
	assert_int_equal(read(threaded->ready[0], &byte, 1), 1);
	return threaded->numbers[2];
}

static void
end_thread(struct threaded *threaded)
{
	int i;

	(void)close(threaded->end[1]);
	assert_int_equal(pthread_join(threaded->thread, NULL), 0);
	(void)close(threaded->end[0]);
	for (i = 0; i < 2; i++)
		(void)close(threaded->ready[i]);
}

static pid_t
make_zombie(void)
{
	siginfo_t how;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &how, WEXITED | WNOWAIT), 0);
	return pid;
}

static const char *
claim_path(const struct host *host, const char *name, char *path, size_t size)
{
	assert_true((size_t)snprintf(path, size, "%s/claims/%s", host->root, name) < size);
	return path;
}

/* Puts the text in the place of whatever stands there, in one step. */
static void
put_claim(struct host *host, const char *name, const char *text)
{
	char path[PATH_MAX], aside[PATH_MAX + 8];
	FILE *file;

	claim_path(host, name, path, sizeof(path));
	(void)snprintf(aside, sizeof(aside), "%s.new", path);
	file = fopen(aside, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(aside, 0644), 0);
	assert_int_equal(rename(aside, path), 0);
}

static void
put_pid(struct host *host, const char *name, pid_t pid)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%d\n", pid);
	put_claim(host, name, text);
}

/* What is no file, or no ordinary one. */
static void
put_oddity(struct host *host, const char *name, pid_t root)
{
	char path[PATH_MAX], text[32];
	int file;

	claim_path(host, name, path, sizeof(path));
	if (strcmp(name, "link") == 0) {
		put_pid(host, "behind-the-link", root);
		assert_int_equal(symlink("behind-the-link", path), 0);
	} else if (strcmp(name, "fifo") == 0) {
		assert_int_equal(mkfifo(path, 0666), 0);
	} else if (strcmp(name, "device") == 0) {
		assert_int_equal(mknod(path, S_IFCHR | 0666, makedev(1, 5)), 0);
	} else if (strcmp(name, "directory") == 0) {
		assert_int_equal(mkdir(path, 0755), 0);
	} else if (strcmp(name, "sparse") == 0) {
		(void)snprintf(text, sizeof(text), "%d\n", root);
		put_claim(host, name, text);
		assert_int_equal(truncate(path, 1 << 30), 0);
	} else { /* it belongs to root alone */
		file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		assert_true(file != -1);
		assert_int_equal(close(file), 0);
	}
}

/* A service that stays in the foreground and is itself what its pid file should name. */
static void
make_liar(struct host *host, const char *name)
{
	char path[PATH_MAX], file[128];

	host_profile(host, name, "echo $$ > %s/truth/%s; exec sleep 1000", host->root, name);
	(void)snprintf(file, sizeof(file), "%s/pid_file", name);
	host_write(host, file, 0644, "%s\n", claim_path(host, name, path, sizeof(path)));
	(void)snprintf(file, sizeof(file), "%s/user", name);
	if (host->uid == 0)
		host_write(host, file, 0644, TENANT "\n");
}

static void
make_folders(struct host *host)
{
	static const char *const names[] = {"claims", "truth"};
	char path[PATH_MAX];
	size_t i;

	for (i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", host->root, names[i]);
		assert_int_equal(mkdir(path, 0755), 0);
		assert_int_equal(chown(path, account_uid(TENANT), (gid_t)-1), 0);
	}
}

static pid_t
true_pid(struct host *host, const char *name)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/truth/%s", host->root, name);
	return wait_for_pid_file(path);
}

/* A process that a service of another user has started: it descends from us, and is nobody's main
 * one. As an ordinary user there is no such service. */
static void
make_helper(struct host *host)
{
	host_profile(host, "helper-of-another", "sleep 1000 & echo $!; wait");
	host_write(host, "helper-of-another/output", 0644, "format raw\n");
	host_write(host, "helper-of-another/user", 0644, OTHER_TENANT "\n");
}

static pid_t
find_helper(const struct host *host)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/output/helper-of-another.log", host->state);
	return wait_for_pid_file(path);
}

static void
every_lie_in_a_pid_file_is_refused_by_name_and_nobody_is_signalled(void **state)
{
	struct host *host = *state;
	struct threaded threaded;
	pid_t people[PEOPLE] = {[INIT] = 1};
	size_t i;

	people[CANARY_OF_ROOT] = canary_begin("root");
	people[CANARY_OF_ANOTHER] = canary_begin(OTHER_TENANT);
	people[CANARY_OF_THE_USER] = canary_begin(TENANT);
	people[THREAD] = begin_thread(&threaded);
	people[ZOMBIE] = make_zombie();
	make_folders(host);
	host_profile(host, "a-neighbour", "exec sleep 1000");
	if (host->uid == 0)
		host_write(host, "a-neighbour/user", 0644, TENANT "\n");
	if (host->uid == 0)
		make_helper(host);
	for (i = 0; i < LIES; i++)
		make_liar(host, lies[i].name);
	host_start(host);
	people[NEIGHBOUR] = host_wait_running(host, "a-neighbour");
	people[HELPER_OF_ANOTHER] = host->uid == 0 ? find_helper(host) : people[CANARY_OF_THE_USER];
	people[PARENT] = host->supervisor;
	people[MONITOR] = host_monitor(host);
	people[SPAWNER] = host_spawner(host);
	for (i = 0; i < LIES; i++) {
		if (lies[i].whose != NOBODY)
			put_pid(host, lies[i].name, people[lies[i].whose]);
		else if (lies[i].text != NULL)
			put_claim(host, lies[i].name, lies[i].text);
		else
			put_oddity(host, lies[i].name, people[CANARY_OF_ROOT]);
	}
	for (i = 0; i < LIES; i++) {
		if (lies[i].whose != NOBODY)
			host_wait_log(host, " WARN  %s refused: pid_file names pid %d, %s$",
			    lies[i].name, people[lies[i].whose], lies[i].said);
		else
			host_wait_log(host, " WARN  %s refused: pid_file names %s$", lies[i].name,
			    lies[i].said);
	}
	/* the neighbour, and the other user's service */
	assert_int_equal(host_count_log(host, " running pid "), host->uid == 0 ? 2 : 1);

	/* who tells the truth after all is believed; the others are stopped with their lies */
	for (i = 0; i < LIES; i += 2) {
		char path[PATH_MAX];

		(void)remove(claim_path(host, lies[i].name, path, sizeof(path)));
		put_pid(host, lies[i].name, true_pid(host, lies[i].name));
	}
	for (i = 0; i < LIES; i += 2)
		assert_int_equal(
		    host_wait_running(host, lies[i].name), true_pid(host, lies[i].name));
	host_stop_all(host);
	for (i = 0; i < LIES; i++)
		assert_false(process_lives(true_pid(host, lies[i].name)));
	/* who reads a pid file ends when the supervisor has gone, and not before */
	wait_until(host_processes(host) == 0);
	for (i = CANARY_OF_ROOT; i <= CANARY_OF_THE_USER; i++) {
		canary_assert_unharmed(people[i]);
		canary_end(people[i]);
	}
	assert_int_equal(waitpid(people[ZOMBIE], NULL, 0), people[ZOMBIE]);
	end_thread(&threaded);
}

/*
 * Without cgroups a process is a profile's by its session and by all four of its uids: one that has
 * become root by a set-uid program, and is the user's in its real uid alone, is not to be named and
 * so signalled.
 */
static void
who_is_the_users_in_one_uid_of_four_is_not_the_service(void **state)
{
	char program[PATH_MAX], path[PATH_MAX], uids[64];
	struct host *host = *state;
	int from, to;
	pid_t raised;
	struct stat status;

	host_path(host, "../raised", program, sizeof(program));
	from = open("/bin/sleep", O_RDONLY | O_CLOEXEC);
	to = open(program, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
	assert_true(from != -1 && to != -1 && fstat(from, &status) == 0);
	assert_int_equal(sendfile(to, from, NULL, (size_t)status.st_size), status.st_size);
	assert_int_equal(fchmod(to, 04755), 0);
	assert_int_equal(close(from) | close(to), 0);
	host_profile(host, "half", "%s 1000 &\necho $! > raised\nexec sleep 1000", program);
	host_write(host, "half/pid_file", 0644, "claim\n");
	host_write(host, "half/user", 0644, TENANT "\n");
	host_write(host, "half/allow_new_privs", 0644, "%s", "");
	host_write(host, "half/raised", 0666, "%s", "");
	host_start(host);
	raised = wait_for_pid_file(host_path(host, "half/raised", path, sizeof(path)));
	(void)snprintf(uids, sizeof(uids), "%u\t0\t0\t0", account_uid(TENANT));
	wait_until(strcmp(process_status(raised, "Uid", path, sizeof(path)), uids) == 0);
	host_write(host, "half/claim", 0644, "%d\n", raised);
	host_wait_log(host, " WARN  half refused: pid_file names pid %d, %s$", raised, FOREIGN);
	assert_int_equal(host_count_log(host, " half running "), 0);
	host_stop_all(host);
	assert_true(process_lives(raised)); /* nor did the end of the session reach it */
	assert_int_equal(kill(raised, SIGKILL), 0);
	process_wait_gone(raised);
}

/* In the supervisor's own view of the file system. */
static int
enter_mounts_of(pid_t pid)
{
	char path[64];
	int mounts;

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/mnt", pid);
	mounts = open(path, O_RDONLY | O_CLOEXEC);
	return mounts == -1 ? -1 : setns(mounts, CLONE_NEWNS);
}

struct hiding {
	const struct host *host;
	pid_t process;
	const char *empty; /* what is seen instead */
};

static void
hide(void *context)
{
	const struct hiding *hiding = context;
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d", hiding->process);
	REQUIRE(enter_mounts_of(hiding->host->supervisor) == 0);
	if (hiding->empty != NULL)
		REQUIRE(mount(hiding->empty, path, NULL, MS_BIND, NULL) == 0);
	else
		REQUIRE(umount(path) == 0);
}

/* And with no right to mount, as in a container: a /proc of its own nobody could cover. */
static void
have_own_mounts(void)
{
	if (unshare(CLONE_NEWNS) == -1 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN, 0, 0, 0) == -1)
		_exit(125);
}

/* Its cgroup would do, and its number is right: but nobody can say when it was started. */
static void
a_process_of_which_proc_tells_nothing_is_not_the_service(void **state)
{
	struct host *host = *state;
	char empty[PATH_MAX];
	struct hiding hiding = {.host = host, .empty = empty};

	make_folders(host);
	make_liar(host, "web");
	(void)snprintf(empty, sizeof(empty), "%s/empty", host->root);
	assert_int_equal(mkdir(empty, 0755), 0);
	host->before_exec = have_own_mounts;
	host_start(host);
	hiding.process = true_pid(host, "web");
	child_run(hide, &hiding);
	put_pid(host, "web", hiding.process);
	host_wait_log(host, " WARN  web refused: pid_file names pid %d, which does not exist$",
	    hiding.process);
	assert_int_equal(host_count_log(host, " web running"), 0);
	hiding.empty = NULL;
	child_run(hide, &hiding);
	put_pid(host, "web", hiding.process);
	assert_int_equal(host_wait_running(host, "web"), hiding.process);
	host_stop_all(host);
	assert_false(process_lives(hiding.process));
}

/* A daemon that takes long to come up, and whose pid file holds one wrong number after the other.
 */
static void
each_of_64_wrong_pids_in_turn_has_its_line_and_none_after_them(void **state)
{
	struct host *host = *state;
	char claim[16];
	pid_t service;
	int i;

	make_folders(host);
	make_liar(host, "web");
	host_start(host);
	service = true_pid(host, "web");
	for (i = 1; i <= 64; i++) {
		(void)snprintf(claim, sizeof(claim), "-%d", i);
		put_claim(host, "web", claim);
		host_wait_log(host, " WARN  web refused: pid_file names \"-%d\", which", i);
	}
	put_claim(host, "web", "-65");
	host_wait_log(host, " WARN  web refused: pid_file has named 64 wrong pids");
	put_pid(host, "web", service);
	assert_int_equal(host_wait_running(host, "web"), service);
	assert_int_equal(host_count_log(host, "refused: pid_file names \"-65\""), 0);
	host_stop_all(host);
}

/* What is said of a claim is said once, though the file names something else in between. */
static void
two_wrong_pids_that_take_turns_have_a_line_each(void **state)
{
	/* above any pid_max */
	static const char *const claims[] = {"4194305", "4194306", "4194305", "4194306", "4194307"};
	struct host *host = *state;
	struct outcome outcome;
	char named[32];
	pid_t service;
	size_t i;

	make_folders(host);
	make_liar(host, "web");
	host_start(host);
	service = true_pid(host, "web");
	for (i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
		put_claim(host, "web", claims[i]);
		(void)snprintf(named, sizeof(named), "it names pid %s,", claims[i]);
		wait_until((ctl(host, &outcome, "explain", "web", NULL),
		    strstr(outcome.output, named) != NULL));
	}
	put_pid(host, "web", service);
	assert_int_equal(host_wait_running(host, "web"), service);
	for (i = 2; i < sizeof(claims) / sizeof(claims[0]); i++)
		assert_int_equal(
		    host_count_log(host, "refused: pid_file names pid %s,", claims[i]), 1);
	host_stop_all(host);
}

/* The file is another one at every look, and never the true one. A child of the test: it asserts
 * nothing, and ends when anything fails. */
static _Noreturn void
flicker(const char *path, const char *aside, pid_t root)
{
	int i, wrong, file;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (i = 0;; i++) {
		/* what has been refused before is not logged again */
		wrong = i % 4 == 0 ? root : i % 4 == 1 ? 1 : -i;
		file = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		if (file == -1 || dprintf(file, "%d\n", wrong) < 2 || close(file) == -1 ||
		    rename(aside, path) == -1)
			_exit(1);
		if (i % 3 == 0 ? mkfifo(aside, 0666) == -1 : symlink("/proc/1/stat", aside) == -1)
			_exit(1);
		if (rename(aside, path) == -1)
			_exit(1);
	}
}

static void
a_pid_file_that_is_replaced_while_it_is_read_is_never_believed(void **state)
{
	pid_t root = canary_begin("root"), flickering, service;
	char path[PATH_MAX], aside[PATH_MAX + 8];
	struct host *host = *state;
	int status;

	make_folders(host);
	make_liar(host, "flickering");
	host_write(host, "flickering/stop_timeout", 0644, "5\n");
	host_start(host);
	service = true_pid(host, "flickering");
	claim_path(host, "flickering", path, sizeof(path));
	(void)snprintf(aside, sizeof(aside), "%s.aside", path);
	flickering = fork();
	assert_true(flickering >= 0);
	if (flickering == 0)
		flicker(path, aside, root);
	wait_until(host_count_log(host, " WARN  flickering refused: ") >= 8);
	assert_int_equal(waitpid(flickering, &status, WNOHANG), 0);
	assert_int_equal(kill(flickering, SIGKILL), 0);
	assert_int_equal(waitpid(flickering, &status, 0), flickering);
	assert_int_equal(host_count_log(host, " flickering running"), 0);
	canary_assert_unharmed(root);
	put_pid(host, "flickering", service);
	assert_int_equal(host_wait_running(host, "flickering"), service);

	/* proved once, it stays what it is, whatever is written now */
	put_pid(host, "flickering", root);
	host_settle(host);
	host_stop_all(host);
	assert_false(process_lives(service));
	canary_assert_unharmed(root);
	canary_end(root);
}

static void
who_lies_until_start_timeout_is_ended_and_not_who_was_named(void **state)
{
	struct host *host = *state;
	pid_t root = canary_begin("root"), same = canary_begin(TENANT), services[2];

	make_folders(host);
	make_liar(host, "names-root");
	make_liar(host, "names-a-user");
	host_write(host, "names-root/start_timeout", 0644, "2\n");
	host_write(host, "names-a-user/start_timeout", 0644, "2\n");
	put_pid(host, "names-root", root);
	put_pid(host, "names-a-user", same);
	host_start(host);
	services[0] = true_pid(host, "names-root");
	services[1] = true_pid(host, "names-a-user");
	host_wait_log(host, " WARN  names-root refused: pid_file names pid %d, " FOREIGN "$", root);
	host_wait_log(
	    host, " WARN  names-a-user refused: pid_file names pid %d, " FOREIGN "$", same);
	host_wait_log(host, " WARN  names-root pid_file has named no process .* within 2 s");
	host_wait_log(host, " WARN  names-a-user pid_file has named no process .* within 2 s");
	host_wait_log(host, " names-root stopped$");
	host_wait_log(host, " names-a-user stopped$");
	assert_false(process_lives(services[0]));
	assert_false(process_lives(services[1]));
	canary_assert_unharmed(root);
	canary_assert_unharmed(same);
	host_stop_all(host);
	canary_end(root);
	canary_end(same);
}

/* systemd#8085 is the warning: real daemons do all of this. */
static void
daemons_that_write_their_pid_file_late_or_from_a_parent_that_has_gone_work(void **state)
{
	static const struct {
		const char *name, *script;
	} daemons[] = {
	    {"late", "setsid sh -c 'sleep 1.5; echo $$ > pid; exec sleep 1000' > /dev/null 2>&1 &"},
	    {"empty-first",
		"setsid sh -c ': > pid; sleep 0.5; echo $$ > pid; exec sleep 1000' > /dev/null "
		"2>&1 &"},
	    {"orphan", "setsid sh -c 'sleep 1000 & echo $! > pid' > /dev/null 2>&1 &"},
	    {"orphan-late",
		"setsid sh -c 'sleep 1000 & pid=$!; sleep 0.5; echo $pid > pid' > /dev/null 2>&1 "
		"&"},
	    {"stale",
		"[ -s pid ] || echo 1 > pid\n"
		"setsid sh -c 'sleep 0.5; echo $$ > pid; exec sleep 1000' > /dev/null 2>&1 &"},
	};
	enum { DAEMONS = sizeof(daemons) / sizeof(daemons[0]) };
	struct host *host = *state;
	char file[PATH_MAX];
	pid_t pids[DAEMONS];
	size_t i;

	for (i = 0; i < DAEMONS; i++) {
		host_profile(host, daemons[i].name, "%s", daemons[i].script);
		(void)snprintf(file, sizeof(file), "%s/pid_file", daemons[i].name);
		host_write(host, file, 0644, "pid\n");
	}
	host_start(host);
	for (i = 0; i < DAEMONS; i++) {
		char path[PATH_MAX];

		pids[i] = host_wait_running(host, daemons[i].name);
		(void)snprintf(file, sizeof(file), "%s/pid", daemons[i].name);
		assert_int_equal(
		    pids[i], wait_for_pid_file(host_path(host, file, path, sizeof(path))));
	}
	assert_int_equal(host_count_log(host, " starting$"), DAEMONS);
	host_wait_log(host, " WARN  stale refused: pid_file names pid 1, " FOREIGN "$");
	host_stop_all(host);
	for (i = 0; i < DAEMONS; i++)
		assert_false(process_lives(pids[i]));
}

static void
a_pid_file_that_root_has_written_for_a_users_daemon_works(void **state)
{
	struct host *host = *state;
	pid_t service;

	make_folders(host);
	make_liar(host, "web");
	host_start(host);
	service = true_pid(host, "web");
	put_pid(host, "web", service);
	assert_int_equal(host_wait_running(host, "web"), service);
	assert_int_equal(process_uid(service), account_uid(TENANT));
	host_stop_all(host);
	assert_false(process_lives(service));
}

/* Without cgroups nothing descends from the next supervisor: user and start time decide. */
/* The kernel tells the start of a process in such ticks since the boot, proc_pid_stat(5). */
static long long
ticks(void)
{
	struct timespec now;

	assert_int_equal(clock_gettime(CLOCK_BOOTTIME, &now), 0);
	return now.tv_sec * 100LL + now.tv_nsec / 10000000;
}

static void
after_a_crash_a_daemon_may_name_itself_and_nobody_older_or_of_another_user(void **state)
{
	struct host *host = *state;
	long long begun;
	pid_t canaries[3];
	size_t i;

	canaries[0] = canary_begin("root");
	canaries[1] = canary_begin(OTHER_TENANT);
	canaries[2] = canary_begin(TENANT);
	begun = ticks();
	wait_until(ticks() > begun + 1); /* or they would be as old as the service */
	make_folders(host);
	make_liar(host, "web");
	host_start(host);
	(void)true_pid(host, "web");
	host_crash(host);
	host_mark_log(host);
	host_start(host);
	for (i = 0; i < 3; i++) {
		put_pid(host, "web", canaries[i]);
		host_wait_log(
		    host, " WARN  web refused: pid_file names pid %d, " FOREIGN "$", canaries[i]);
	}
	put_pid(host, "web", true_pid(host, "web"));
	assert_int_equal(host_wait_running(host, "web"), true_pid(host, "web"));
	assert_int_equal(host_count_log(host, " web starting$"), 0);
	host_stop_all(host);
	assert_false(process_lives(true_pid(host, "web")));
	for (i = 0; i < 3; i++) {
		canary_assert_unharmed(canaries[i]);
		canary_end(canaries[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROOT_TEST(every_lie_in_a_pid_file_is_refused_by_name_and_nobody_is_signalled),
	    SESSIONS_TEST(every_lie_in_a_pid_file_is_refused_by_name_and_nobody_is_signalled),
	    TENANT_TEST(every_lie_in_a_pid_file_is_refused_by_name_and_nobody_is_signalled),
	    SESSIONS_TEST(who_is_the_users_in_one_uid_of_four_is_not_the_service),
	    ROOT_TEST(a_process_of_which_proc_tells_nothing_is_not_the_service),
	    ROOT_TEST(each_of_64_wrong_pids_in_turn_has_its_line_and_none_after_them),
	    ROOT_TEST(two_wrong_pids_that_take_turns_have_a_line_each),
	    ROOT_TEST(a_pid_file_that_is_replaced_while_it_is_read_is_never_believed),
	    SESSIONS_TEST(a_pid_file_that_is_replaced_while_it_is_read_is_never_believed),
	    ROOT_TEST(who_lies_until_start_timeout_is_ended_and_not_who_was_named),
	    SESSIONS_TEST(who_lies_until_start_timeout_is_ended_and_not_who_was_named),
	    ROOT_TEST(daemons_that_write_their_pid_file_late_or_from_a_parent_that_has_gone_work),
	    SESSIONS_TEST(
		daemons_that_write_their_pid_file_late_or_from_a_parent_that_has_gone_work),
	    TENANT_TEST(daemons_that_write_their_pid_file_late_or_from_a_parent_that_has_gone_work),
	    ROOT_TEST(after_a_crash_a_daemon_may_name_itself_and_nobody_older_or_of_another_user),
	    SESSIONS_TEST(
		after_a_crash_a_daemon_may_name_itself_and_nobody_older_or_of_another_user),
	    ROOT_TEST(a_pid_file_that_root_has_written_for_a_users_daemon_works),
	    SESSIONS_TEST(a_pid_file_that_root_has_written_for_a_users_daemon_works),
	};

	return cmocka_run_group_tests_name("pid file lies", tests, NULL, NULL);
}
