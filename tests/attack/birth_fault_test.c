/*
 * From fork to exec with one step made to fail: the built spawner is asked by the test, as the
 * parent does it, and the kernel refuses one call of the child's, or says that it was done and has
 * done nothing. What was to be executed never is; which step failed, and why, is said.
 */
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "child.h"
#include "descriptors.h"
#include "fault.h"
#include "host.h"
#include "peer.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Of no account and no process. */
#define UID   64997
#define GID   64998
#define GROUP 64995

static const struct step {
	struct fault fault;
	enum stage stage;
	int error; /* that is reported */
} steps[] = {
    {{"standard descriptors", SYS_dup2, FAULT_ANY, 0, EBADF}, STAGE_DESCRIPTORS, EBADF},
    {{"the job's descriptor", SYS_dup3, FAULT_ANY, 0, EBADF}, STAGE_DESCRIPTORS, EBADF},
    {{"all others closed", SYS_close_range, 0, FD_JOB_FIRST_FREE, EINVAL}, STAGE_DESCRIPTORS,
	EINVAL},
    {{"session", SYS_setsid, FAULT_ANY, 0, EPERM}, STAGE_SETSID, EPERM},
    {{"keyring", SYS_keyctl, 0, KEYCTL_JOIN_SESSION_KEYRING, EDQUOT}, STAGE_KEYRING, EDQUOT},
    {{"limit of processes", SYS_prlimit64, 1, RLIMIT_NPROC, EPERM}, STAGE_RLIMIT, EPERM},
    {{"scheduler", SYS_sched_setscheduler, FAULT_ANY, 0, EPERM}, STAGE_SCHEDULER, EPERM},
    {{"nice", SYS_setpriority, FAULT_ANY, 0, EACCES}, STAGE_NICE, EACCES},
    {{"I/O priority", SYS_ioprio_set, FAULT_ANY, 0, EPERM}, STAGE_IO_PRIORITY, EPERM},
    {{"signal mask", SYS_rt_sigprocmask, 0, SIG_SETMASK, EINVAL}, STAGE_SIGNALS, EINVAL},
    {{"affinity", SYS_sched_setaffinity, FAULT_ANY, 0, EINVAL}, STAGE_AFFINITY, EINVAL},
    {{"personality", SYS_personality, FAULT_ANY, 0, EINVAL}, STAGE_PERSONALITY, EINVAL},
    {{"OOM score", SYS_write, 2, 1, EIO}, STAGE_OOM_SCORE, EIO},
    {{"groups", SYS_setgroups, FAULT_ANY, 0, EPERM}, STAGE_SETGROUPS, EPERM},
    {{"groups, a lie", SYS_setgroups, FAULT_ANY, 0, FAULT_LIE}, STAGE_VERIFY, EPERM},
    {{"gid", SYS_setresgid, FAULT_ANY, 0, EPERM}, STAGE_SETRESGID, EPERM},
    {{"gid, a lie", SYS_setresgid, FAULT_ANY, 0, FAULT_LIE}, STAGE_VERIFY, EPERM},
    {{"uid", SYS_setresuid, FAULT_ANY, 0, EAGAIN}, STAGE_SETRESUID, EAGAIN},
    {{"uid, a lie", SYS_setresuid, FAULT_ANY, 0, FAULT_LIE}, STAGE_VERIFY, EPERM},
    {{"uid verified", SYS_getresuid, FAULT_ANY, 0, EFAULT}, STAGE_VERIFY, EFAULT},
    {{"gid verified", SYS_getresgid, FAULT_ANY, 0, EFAULT}, STAGE_VERIFY, EFAULT},
    {{"groups verified", SYS_getgroups, FAULT_ANY, 0, EFAULT}, STAGE_VERIFY, EFAULT},
    {{"capabilities", SYS_capset, FAULT_ANY, 0, EPERM}, STAGE_CAPABILITIES, EPERM},
    {{"capabilities verified", SYS_capget, FAULT_ANY, 0, EPERM}, STAGE_CAPABILITIES, EPERM},
    {{"a way back by setuid", SYS_setuid, FAULT_ANY, 0, FAULT_LIE}, STAGE_REGAIN, ENOTRECOVERABLE},
    {{"the directory above", SYS_fchdir, FAULT_ANY, 0, EACCES}, STAGE_DIRECTORY, EACCES},
    {{"the directory", SYS_openat2, FAULT_ANY, 0, EACCES}, STAGE_DIRECTORY, EACCES},
    {{"no_new_privs", SYS_prctl, 0, PR_SET_NO_NEW_PRIVS, EINVAL}, STAGE_NO_NEW_PRIVS, EINVAL},
    {{"exec", SYS_execveat, FAULT_ANY, 0, ENOEXEC}, STAGE_EXEC, ENOEXEC},
};

/* The spawner, its channel, and a profile `web` that says when it is executed. */
struct asked {
	char root[64];
	int directory;
	int channel;
	pid_t spawner;
};

struct launch {
	const struct fault *fault;
	int channel;
};

static void
execute_spawner(void *context)
{
	const struct launch *launch = context;
	char program[PATH_MAX];
	int score, other;

	(void)host_program("proclaunch-spawner", program, sizeof(program));
	score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	REQUIRE(write(score, "200", 3) == 3); /* so that there is something to reset */
	REQUIRE(dup2(launch->channel, FD_PARENT) == FD_PARENT);
	REQUIRE(fcntl(FD_PARENT, F_SETFD, 0) == 0);
	for (other = FD_PARENT + 1; other <= FD_CHILD_FIRST_FREE; other++)
		REQUIRE(
		    dup2(STDERR_FILENO, other) == other); /* stays open, and is none of its own */
	REQUIRE(launch->fault == NULL || fault_install(launch->fault));
	(void)execl(program, program, (char *)NULL);
	REQUIRE(!"executed");
}

static void
make_profile(struct asked *asked)
{
	static const char script[] = "#!/bin/sh\necho executed > ran\n";
	char path[128];
	int file;

	(void)snprintf(asked->root, sizeof(asked->root), "/tmp/proclaunch-test-XXXXXX");
	assert_non_null(mkdtemp(asked->root));
	assert_int_equal(chmod(asked->root, 0755), 0);
	(void)snprintf(path, sizeof(path), "%s/web", asked->root);
	assert_int_equal(mkdir(path, 0777), 0);
	assert_int_equal(chmod(path, 0777), 0);
	(void)snprintf(path, sizeof(path), "%s/web/run", asked->root);
	file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	assert_int_equal(write(file, script, sizeof(script) - 1), sizeof(script) - 1);
	assert_int_equal(fchmod(file, 0755) | close(file), 0);
	asked->directory = open(asked->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(asked->directory != -1);
}

static void
begin(struct asked *asked, const struct fault *fault)
{
	struct launch launch = {.fault = fault};
	struct incoming incoming;
	struct message hello;
	int ends[2];

	make_profile(asked);
	assert_int_equal(channel_pair(ends), 0);
	launch.channel = ends[1];
	asked->channel = ends[0];
	asked->spawner = child_begin(execute_spawner, &launch);
	assert_int_equal(close(ends[1]), 0);
	channel_hello(&hello); /* without HELLO_ROOT: the spawner itself gives up nothing */
	assert_true(peer_send(asked->channel, &hello, 0));
	assert_true(peer_receive(asked->channel, &incoming));
	assert_int_equal(incoming.message.type, MESSAGE_HELLO);
}

static bool
has_run(const struct asked *asked)
{
	return faccessat(asked->directory, "web/ran", F_OK, 0) == 0;
}

static void
end(struct asked *asked)
{
	assert_int_equal(close(asked->channel), 0);
	child_end(asked->spawner); /* its parent has hung up: it leaves in good order */
	(void)unlinkat(asked->directory, "web/ran", 0);
	assert_int_equal(unlinkat(asked->directory, "web/run", 0), 0);
	assert_int_equal(unlinkat(asked->directory, "web", AT_REMOVEDIR), 0);
	assert_int_equal(close(asked->directory), 0);
	assert_int_equal(rmdir(asked->root), 0);
}

/* Asks for a child that runs `web`. The test's end of its job; the answer is in `born`. */
static int
request(const struct asked *asked, ino_t off_by, struct incoming *born)
{
	struct message fork_it;
	struct stat status;
	int ends[2], sent[2];

	assert_int_equal(channel_pair(ends), 0);
	assert_int_equal(fstatat(asked->directory, "web", &status, 0), 0);
	peer_fill(&fork_it, MESSAGE_FORK, 0, 0);
	strcpy(fork_it.fork.where, "web");
	fork_it.fork.device = status.st_dev;
	fork_it.fork.inode = status.st_ino + off_by;
	fork_it.fork.uid = UID;
	fork_it.fork.gid = GID;
	fork_it.fork.processes = 100;
	fork_it.fork.group_count = 1;
	fork_it.fork.groups[0] = GROUP;
	sent[0] = ends[1];
	sent[1] = asked->directory;
	assert_int_equal(channel_send(asked->channel, &fork_it, sent, 2), CHANNEL_DONE);
	assert_int_equal(close(ends[1]), 0);
	assert_true(peer_receive(asked->channel, born));
	assert_int_equal(born->message.type, MESSAGE_BORN);
	return ends[0];
}

static void
open_gate(int job)
{
	struct message go;

	peer_fill(&go, MESSAGE_GO, NO_PROFILE, 0);
	(void)channel_send(job, &go, NULL, 0); /* it may have given up by now */
}

/* It is our child, as it is the parent's. */
static int
status_of(struct incoming *born)
{
	siginfo_t how = {.si_pid = 0};
	int pidfd = channel_take(born);

	assert_true(pidfd != -1);
	assert_int_equal(waitid(P_PIDFD, (id_t)pidfd, &how, WEXITED), 0);
	assert_int_equal(how.si_pid, born->message.born.pid);
	assert_int_equal(close(pidfd), 0);
	return how.si_code == CLD_EXITED ? how.si_status : -how.si_status;
}

static void
assert_gives_up(const struct fault *fault, enum stage stage, int error, ino_t off_by)
{
	struct incoming born, said;
	struct asked asked;
	int job;

	begin(&asked, fault);
	job = request(&asked, off_by, &born);
	open_gate(job);
	if (!peer_receive(job, &said))
		fail_msg("%s: no step is said to have failed", fault == NULL ? "" : fault->name);
	assert_int_equal(said.message.type, MESSAGE_STAGE);
	if (said.message.stage.stage != stage || said.message.stage.error != error)
		fail_msg("%s: stage %u, %s", fault == NULL ? "" : fault->name,
		    said.message.stage.stage, strerror(said.message.stage.error));
	assert_int_equal(status_of(&born), 111);
	assert_false(has_run(&asked));
	assert_int_equal(close(job), 0);
	end(&asked);
}

static void
a_birth_of_which_any_step_fails_says_which_and_executes_nothing(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(steps); i++)
		assert_gives_up(&steps[i].fault, steps[i].stage, steps[i].error, 0);
}

static void
a_directory_that_is_another_than_was_checked_is_not_entered(void **state)
{
	(void)state;
	assert_gives_up(NULL, STAGE_CHANGED, ESTALE, 1);
}

/* It has come after the survey, which refuses one. */
static void
a_link_in_the_place_of_run_is_not_executed(void **state)
{
	struct incoming born, said;
	struct asked asked;
	int job;

	(void)state;
	begin(&asked, NULL);
	assert_int_equal(renameat(asked.directory, "web/run", asked.directory, "web/other"), 0);
	assert_int_equal(symlinkat("other", asked.directory, "web/run"), 0);
	job = request(&asked, 0, &born);
	open_gate(job);
	assert_true(peer_receive(job, &said));
	assert_int_equal(said.message.stage.stage, STAGE_EXEC);
	assert_int_equal(said.message.stage.error, ELOOP);
	assert_int_equal(status_of(&born), 111);
	assert_false(has_run(&asked));
	assert_int_equal(close(job) | unlinkat(asked.directory, "web/other", 0), 0);
	end(&asked);
}

static void
assert_executes(const struct fault *fault)
{
	struct incoming born, said;
	struct asked asked;
	int job;

	begin(&asked, fault);
	job = request(&asked, 0, &born);
	assert_int_equal(born.message.born.error, 0);
	open_gate(job);
	assert_false(peer_receive(job, &said)); /* the exec closes it */
	assert_int_equal(status_of(&born), 0);
	assert_true(has_run(&asked));
	assert_int_equal(close(job), 0);
	end(&asked);
}

/* Or the three above would pass for a spawner that can do nothing. */
static void
a_birth_of_which_no_step_fails_executes(void **state)
{
	(void)state;
	assert_executes(NULL);
}

/* Those of Docker and others forbid clone3(2), whose flags they cannot see, and keyrings, which
 * are no container's own. */
static void
what_the_filter_of_a_container_forbids_a_birth_does_without(void **state)
{
	static const struct fault faults[] = {
	    {"clone3", SYS_clone3, FAULT_ANY, 0, ENOSYS},
	    {"keyctl", SYS_keyctl, FAULT_ANY, 0, EPERM},
	    {"keyctl of others", SYS_keyctl, FAULT_ANY, 0, ENOSYS},
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(faults); i++)
		assert_executes(&faults[i]);
}

static void
a_fork_that_fails_says_why(void **state)
{
	static const struct fault fault = {
	    "clone", SYS_clone, 0, CLONE_PARENT | CLONE_PIDFD, EAGAIN};
	struct incoming born;
	struct asked asked;

	(void)state;
	begin(&asked, &fault);
	assert_int_equal(close(request(&asked, 0, &born)), 0);
	assert_int_equal(born.message.born.pid, -1);
	assert_int_equal(born.message.born.error, EAGAIN);
	assert_int_equal(born.count, 0);
	end(&asked);
}

/* The parent has died, or has thought better of it; or it says what opens no gate. */
static void
a_gate_that_is_never_opened_is_never_passed(void **state)
{
	struct message no_gate;
	struct incoming born;
	struct asked asked;
	int job;

	(void)state;
	begin(&asked, NULL);
	assert_int_equal(close(request(&asked, 0, &born)), 0);
	assert_int_equal(status_of(&born), 0);
	assert_false(has_run(&asked));
	job = request(&asked, 0, &born);
	peer_fill(&no_gate, MESSAGE_PING, NO_PROFILE, 0);
	assert_true(peer_send(job, &no_gate, 0));
	assert_int_equal(status_of(&born), 0);
	assert_false(has_run(&asked));
	assert_int_equal(close(job), 0);
	end(&asked);
}

/* Its channel and its OOM score are all that stands above the first three. */
static void
a_spawner_closes_what_is_not_its_own(void **state)
{
	char path[64], leads_to[64] = "";
	struct asked asked;
	int number;

	(void)state;
	begin(&asked, NULL);
	(void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", asked.spawner, FD_PARENT + 1);
	assert_true(readlink(path, leads_to, sizeof(leads_to) - 1) > 0);
	assert_non_null(strstr(leads_to, "/oom_score_adj"));
	for (number = FD_PARENT + 2; number <= FD_CHILD_FIRST_FREE + 1; number++) {
		(void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", asked.spawner, number);
		assert_int_equal(readlink(path, leads_to, sizeof(leads_to)), -1);
		assert_int_equal(errno, ENOENT);
	}
	end(&asked);
}

/* Before it has any child. It serves nobody then. */
static void
a_spawner_of_which_any_step_of_the_start_fails_does_not_serve(void **state)
{
	static const struct fault faults[] = {
	    {"close_range", SYS_close_range, 0, FD_CHILD_FIRST_FREE, EINVAL},
	    {"signals blocked", SYS_rt_sigprocmask, 0, SIG_BLOCK, EINVAL},
	    {"ends with its parent", SYS_prctl, 0, PR_SET_PDEATHSIG, EINVAL},
	    {"non-dumpable", SYS_prctl, 0, PR_SET_DUMPABLE, EINVAL},
	    {"name", SYS_prctl, 0, PR_SET_NAME, EINVAL},
	    {"bounding set", SYS_prctl, 0, PR_CAPBSET_DROP, EPERM},
	    {"capabilities read", SYS_capget, FAULT_ANY, 0, EPERM},
	    {"capabilities", SYS_capset, FAULT_ANY, 0, EPERM},
	};
	struct incoming incoming;
	struct launch launch;
	struct message hello;
	int ends[2], status;
	pid_t spawner;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(faults); i++) {
		assert_int_equal(channel_pair(ends), 0);
		launch = (struct launch){.fault = &faults[i], .channel = ends[1]};
		spawner = child_begin(execute_spawner, &launch);
		assert_int_equal(close(ends[1]), 0);
		channel_hello(&hello);
		hello.hello.options = HELLO_ROOT | HELLO_NO_ROOT;
		(void)channel_send(ends[0], &hello, NULL, 0); /* it may have ended by now */
		if (peer_receive(ends[0], &incoming))
			fail_msg("%s: it serves", faults[i].name);
		assert_int_equal(waitpid(spawner, &status, 0), spawner);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 1)
			fail_msg("%s: status %d", faults[i].name, status);
		assert_int_equal(close(ends[0]), 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_spawner_of_which_any_step_of_the_start_fails_does_not_serve),
	    cmocka_unit_test(a_spawner_closes_what_is_not_its_own),
	    cmocka_unit_test(a_birth_of_which_any_step_fails_says_which_and_executes_nothing),
	    cmocka_unit_test(a_directory_that_is_another_than_was_checked_is_not_entered),
	    cmocka_unit_test(a_link_in_the_place_of_run_is_not_executed),
	    cmocka_unit_test(a_birth_of_which_no_step_fails_executes),
	    cmocka_unit_test(what_the_filter_of_a_container_forbids_a_birth_does_without),
	    cmocka_unit_test(a_fork_that_fails_says_why),
	    cmocka_unit_test(a_gate_that_is_never_opened_is_never_passed),
	};

	return cmocka_run_group_tests_name("birth faults", tests, NULL, NULL);
}
