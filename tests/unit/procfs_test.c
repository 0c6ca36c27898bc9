/*
 * What /proc says of a process, and what is made of it when /proc says nothing, or something else
 * than it should: then the process is nobody's.
 */
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <linux/fuse.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "child.h"
#include "folder.h"
#include "procfs.h"

/* A child that lives as long as its parent, and is called so by now. */
static pid_t
begin_life(const char *name)
{
	int ready[2];
	char byte;
	pid_t pid;

	REQUIRE(pipe(ready) == 0);
	pid = fork();
	REQUIRE(pid != -1);
	if (pid == 0) {
		REQUIRE(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && prctl(PR_SET_NAME, name) == 0);
		(void)!write(ready[1], "", 1);
		for (;;)
			(void)pause();
	}
	REQUIRE(close(ready[1]) == 0 && read(ready[0], &byte, 1) == 1 && close(ready[0]) == 0);
	return pid;
}

static void
require_nothing_is_known(pid_t pid)
{
	struct procfs_stat process;
	struct stat where;

	REQUIRE(!procfs_stat(pid, &process));
	REQUIRE(!procfs_has_uid(pid, getuid(), true));
	REQUIRE(!procfs_has_uid(pid, getuid(), false));
	REQUIRE(!procfs_descends_from_us(pid));
	REQUIRE(!procfs_waits_in(pid, &where));
}

static void
be_parent_of_one_that_has_gone(void *context)
{
	pid_t pid = begin_life("life");

	(void)context;
	REQUIRE(procfs_descends_from_us(pid));
	REQUIRE(!procfs_descends_from_us(getppid()) && !procfs_descends_from_us(getpid()));
	REQUIRE(procfs_has_uid(pid, getuid(), true));
	REQUIRE(kill(pid, SIGKILL) == 0);
	REQUIRE(waitpid(pid, NULL, 0) == pid);
	require_nothing_is_known(pid);
}

static void
a_process_that_has_gone_is_nobodys(void **state)
{
	(void)state;
	child_run(be_parent_of_one_that_has_gone, NULL);
}

/* Longer than any that a service has a use for, and than is looked at. */
#define CHAIN 40

static _Noreturn void
be_chain(int pids)
{
	unsigned left = CHAIN;
	pid_t own;

	while (left-- > 0 && fork() == 0) {
		own = getpid();
		REQUIRE(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
		REQUIRE(write(pids, &own, sizeof(own)) == sizeof(own));
	}
	for (;;)
		(void)pause();
}

static void
be_first_of_chain(void *context)
{
	pid_t pids[CHAIN], first;
	unsigned i;
	int ends[2];

	(void)context;
	REQUIRE(pipe(ends) == 0);
	first = fork();
	REQUIRE(first != -1);
	if (first == 0)
		be_chain(ends[1]);
	for (i = 0; i < CHAIN; i++)
		REQUIRE(read(ends[0], &pids[i], sizeof(pids[i])) == sizeof(pids[i]));
	REQUIRE(procfs_descends_from_us(pids[0]) && procfs_descends_from_us(pids[CHAIN / 2]));
	REQUIRE(!procfs_descends_from_us(pids[CHAIN - 1]));
	REQUIRE(kill(first, SIGKILL) == 0); /* and all others with it */
	REQUIRE(waitpid(first, NULL, 0) == first);
}

/* A tenant may have thousands, one the child of the other, and have each of them looked at. */
static void
of_ancestors_without_end_some_are_looked_at(void **state)
{
	(void)state;
	child_run(be_first_of_chain, NULL);
}

/* All files of the process say this instead. */
static void
say_instead(pid_t pid, const char *said)
{
	static const char *const names[] = {"stat", "status", "syscall"};
	char path[64];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, names[i]);
		child_replace_file(path, said);
	}
}

static void
be_parent_of_one_of_which_is_said(void *context)
{
	pid_t pid = begin_life("life");

	child_own_mounts();
	say_instead(pid, context);
	require_nothing_is_known(pid);
}

static void
a_process_of_which_proc_tells_nothing_is_nobodys(void **state)
{
	static const char *const texts[] = {"", "\n", "1", "1 (life", "1 (life) S",
	    "1 (life) S one", "Name:\tlife\nUid:\t0\t0\t0\n",
	    "Uid:\t0\t0\t0\t0\n" /* in the first line: a name */};
	const struct folder *folder = *state;
	char name[16];
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		(void)snprintf(name, sizeof(name), "said-%zu", i);
		folder_write(folder, name, 0644, texts[i]);
		child_run(be_parent_of_one_of_which_is_said,
		    (void *)(uintptr_t)folder_path(folder, name));
	}
}

/* It chooses its own name, with which it cannot say anything about itself. */
static void
be_parent_of_one_that_is_called(void *context)
{
	pid_t pid = begin_life(context);
	struct procfs_stat process;

	REQUIRE(procfs_stat(pid, &process));
	REQUIRE(process.parent == getpid() && process.state != 'Z' && process.unexecuted);
	REQUIRE(procfs_stat(getppid(), &process) && !process.unexecuted);
	REQUIRE(procfs_has_uid(pid, getuid(), true));
	REQUIRE(!procfs_has_uid(pid, 7, false));
}

static void
a_name_says_nothing_of_its_process(void **state)
{
	static const char *const names[] = {") Z 1 2 3", "a\nUid: 7 7 7 7", "Uid:\t7\t7\t7\t7"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		child_run(be_parent_of_one_that_is_called, (void *)(uintptr_t)names[i]);
}

/* A file system of which nobody answers: whoever asks it for anything waits for ever. */
static int
open_silence(const char *directory, int *server)
{
	char options[128];
	int opened;

	child_own_mounts();
	*server = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	(void)snprintf(options, sizeof(options),
	    "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", *server);
	REQUIRE(mount("fuse", directory, "fuse", MS_NOSUID | MS_NODEV, options) == 0);
	opened = open(directory, O_PATH | O_CLOEXEC);
	REQUIRE(opened != -1);
	return opened;
}

static void
be_parent_of_one_that_waits(void *context)
{
	int server, silence = open_silence(context, &server), pipe_ends[2];
	struct stat where;
	char byte;
	pid_t pid;

	REQUIRE(pipe(pipe_ends) == 0);
	pid = fork();
	REQUIRE(pid != -1);
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)syscall(SYS_read, pipe_ends[0], &byte, 1, silence);
		_exit(0);
	}
	while (!procfs_waits_in(pid, &where) || where.st_ino != FUSE_ROOT_ID)
		(void)sched_yield();
	REQUIRE(kill(pid, SIGKILL) == 0);
	REQUIRE(waitpid(pid, NULL, 0) == pid);
	REQUIRE(umount2(context, MNT_DETACH) == 0 && close(silence) == 0 && close(server) == 0);
}

/* An owned monitor may wait in a file of which a tenant is the server. */
static void
where_a_process_waits_is_told_without_asking_who_keeps_it(void **state)
{
	const struct folder *folder = *state;

	folder_make(folder, "silence", 0755);
	child_run(be_parent_of_one_that_waits, (void *)(uintptr_t)folder_path(folder, "silence"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_process_that_has_gone_is_nobodys),
	    cmocka_unit_test(of_ancestors_without_end_some_are_looked_at),
	    cmocka_unit_test_setup_teardown(
		a_process_of_which_proc_tells_nothing_is_nobodys, folder_set_up, folder_tear_down),
	    cmocka_unit_test(a_name_says_nothing_of_its_process),
	    cmocka_unit_test_setup_teardown(
		where_a_process_waits_is_told_without_asking_who_keeps_it, folder_set_up,
		folder_tear_down),
	};

	return cmocka_run_group_tests_name("procfs", tests, NULL, NULL);
}
