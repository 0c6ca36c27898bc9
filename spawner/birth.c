#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/ioprio.h>
#include <linux/keyctl.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "birth.h"
#include "descriptors.h"
#include "job.h"
#include "pidfile.h"
#include "privdrop.h"
#include "survey.h"

/* Ends the child: it has executed nothing, and the parent knows which step failed. */
static _Noreturn void
give_up(enum stage stage)
{
	struct message message;

	message_begin(&message, MESSAGE_STAGE);
	message.stage.stage = stage;
	message.stage.error = errno;
	job_send(&message, NULL, 0);
	_exit(111);
}

/* For an ordinary user some resets need a privilege; what it inherits then is its own anyway. */
static bool
tolerable(void)
{
	return geteuid() != 0 && (errno == EPERM || errno == EACCES);
}

/*
 * Has anybody given the spawner a score that we have inherited? To look it up by a descriptor of
 * the spawner's costs a tenth of what it costs each child to open its own. The kernel refuses a
 * lower score without CAP_SYS_RESOURCE, which containers often lack; then the service keeps the
 * score that the administrator gave to the supervisor, proc_pid_oom_score_adj(5).
 */
static bool
reset_oom_score(int spawners)
{
	char score[2] = "";
	bool done;
	int file;

	if (pread(spawners, score, sizeof(score), 0) == 2 && memcmp(score, "0\n", 2) == 0)
		return true;
	file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	done = (file != -1 && write(file, "0", 1) == 1) || errno == EACCES;
	descriptor_close(file);
	return done;
}

/* A tenant's quota; it counts all processes of the user, setrlimit(2). */
static bool
limit_processes(uint32_t processes)
{
	struct rlimit limit;

	if (processes == 0)
		return true;
	if (getrlimit(RLIMIT_NPROC, &limit) == -1)
		return false;
	if (limit.rlim_max > processes)
		limit.rlim_max = processes;
	limit.rlim_cur = limit.rlim_max;
	return setrlimit(RLIMIT_NPROC, &limit) == 0;
}

/* As if nobody had started us: nothing that the administrator's shell had set reaches a service. */
static enum stage
reset_attributes(const struct birth *birth)
{
	static const struct sched_param no_priority = {.sched_priority = 0};
	static const unsigned char every_cpu[2048] = {[0 ... 2047] = 0xff};

	if (!limit_processes(birth->request->processes))
		return STAGE_RLIMIT;
	if (syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &no_priority) == -1 && !tolerable())
		return STAGE_SCHEDULER;
	if (setpriority(PRIO_PROCESS, 0, 0) == -1 && !tolerable())
		return STAGE_NICE;
	if (syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, 0) == -1 && errno != ENOSYS)
		return STAGE_IO_PRIORITY;
	if (syscall(SYS_sched_setaffinity, 0, sizeof(every_cpu), every_cpu) == -1)
		return STAGE_AFFINITY;
	if (syscall(SYS_personality, PER_LINUX) == -1)
		return STAGE_PERSONALITY;
	if (!reset_oom_score(birth->oom_score))
		return STAGE_OOM_SCORE;
	return STAGE_NONE;
}

/*
 * A session of its own has no controlling terminal, so that TIOCSTI cannot reach ours. A fresh
 * session keyring, or the service could read the keys of the administrator who started us,
 * keyctl_join_session_keyring(3). An ordinary user's quota of keyrings may run out: those keys are
 * the service's own user's. EPERM comes from the filter of a container, which lets no service use
 * keyrings either. The spawner blocks every signal, all of which are at their default; a
 * service starts with none blocked.
 */
static enum stage
leave_spawner(const struct birth *birth)
{
	static const unsigned long none[8];

	(void)birth;
	if (syscall(SYS_setsid) == -1)
		return STAGE_SETSID;
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) == -1 && errno != ENOSYS &&
	    errno != EPERM && geteuid() == 0)
		return STAGE_KEYRING;
	return syscall(SYS_rt_sigprocmask, SIG_SETMASK, none, NULL, NSIG / 8) == -1 ? STAGE_SIGNALS
										    : STAGE_NONE;
}

/* 0, 1 and 2 are the service's, the first as the spawner has it; the job closes itself at the exec,
 * and nothing else is left. What came from the parent stands above all of these numbers. */
static enum stage
arrange_descriptors(const struct birth *birth)
{
	if (fchdir(birth->directory) == -1)
		return STAGE_DIRECTORY;
	if (dup2(birth->output, STDOUT_FILENO) == -1 || dup2(birth->error, STDERR_FILENO) == -1 ||
	    dup3(birth->job, FD_JOB, O_CLOEXEC) == -1 ||
	    syscall(SYS_close_range, FD_JOB_FIRST_FREE, ~0U, 0) == -1)
		return STAGE_DESCRIPTORS;
	job_use(FD_JOB);
	return STAGE_NONE;
}

static enum stage
become_user(const struct birth *birth)
{
	const struct fork_request *request = birth->request;

	if (syscall(SYS_geteuid) != 0) /* whose group need not be the account's: newgrp(1) */
		return privdrop_verify(request->uid, getgid());
	return privdrop(request->uid, request->gid, request->groups, request->group_count);
}

static void
send_finding(const struct message *finding)
{
	job_send(finding, NULL, 0);
}

/* What the tenant's directory or profile holds, read as the tenant. */
static _Noreturn void
survey_as_owner(const struct fork_request *request)
{
	struct survey survey = {.directory = AT_FDCWD, .owner = geteuid(), .sink = send_finding};
	struct message done;

	message_begin(&done, MESSAGE_SURVEYED);
	if (request->where[0] != '\0')
		survey.directory =
		    open(request->where, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (survey.directory != -1 && request->name[0] != '\0')
		survey_profile(&survey, request->name);
	else if (survey.directory == -1 || survey_directory(&survey) == -1)
		done.number = (uint32_t)errno;
	job_send(&done, NULL, 0);
	_exit(0);
}

enum stage
birth_enter_directory(const struct fork_request *request)
{
	struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
	    .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
	long directory = syscall(SYS_openat2, AT_FDCWD, request->where, &how, sizeof(how));
	struct stat status;

	if (directory == -1 || fstatat((int)directory, "", &status, AT_EMPTY_PATH) == -1 ||
	    fchdir((int)directory) == -1)
		return STAGE_DIRECTORY;
	if (status.st_dev != request->device || status.st_ino != request->inode) {
		errno = ESTALE;
		return STAGE_CHANGED;
	}
	return STAGE_NONE;
}

static enum stage
execute(const struct birth *birth)
{
	static char run[] = "./run";
	char *arguments[] = {run, NULL};

	if (birth->request->uid != 0 && birth->request->new_privs == 0 &&
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return STAGE_NO_NEW_PRIVS;
	/* not through a link: what was checked is what stands there under this very name */
	(void)execveat(AT_FDCWD, run, arguments, birth->environment, AT_SYMLINK_NOFOLLOW);
	return STAGE_EXEC;
}

/* At the gate it waits until the parent has written it into the ledger. */
static _Noreturn void
run(const struct birth *birth)
{
	enum stage failed;

	(void)job_expect(MESSAGE_GO);
	failed = birth_enter_directory(birth->request);
	if (failed == STAGE_NONE)
		failed = execute(birth);
	give_up(failed);
}

/* What makes a child a user's, in this order. */
static enum stage (*const steps[])(const struct birth *birth) = {
    reset_attributes, arrange_descriptors, leave_spawner, become_user};

/* The request lies in the spawner's buffer, of which the fork gave us a copy. */
static _Noreturn void
child(const struct birth *birth)
{
	enum stage failed;
	size_t i;

	job_use(birth->job);
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if ((failed = steps[i](birth)) != STAGE_NONE)
			give_up(failed);
	switch (birth->request->task) {
	case TASK_PID_FILE:
		pidfile_report(birth->request);
	case TASK_SURVEY:
		survey_as_owner(birth->request);
	default:
		run(birth);
	}
}

static void
list_environment(struct birth *birth)
{
	const struct fork_request *request = birth->request;
	size_t count = 0, offset;

	for (offset = 0; offset < request->environment_bytes && count < ENVIRONMENT_MAX;
	     offset += strlen(request->environment + offset) + 1)
		birth->environment[count++] = (char *)(uintptr_t)(request->environment + offset);
	birth->environment[count] = NULL;
}

pid_t
birth_fork(struct birth *birth, int *pidfd)
{
	/*
	 * CLONE_PARENT: the service is the root parent's child from its first moment, so that the
	 * parent reaps it whether or not this spawner still lives. The exit signal is then ours,
	 * SIGCHLD, clone(2). Filters of containers forbid clone3(2), whose flags they cannot see.
	 */
	struct clone_args arguments = {.flags = CLONE_INTO_CGROUP | CLONE_PARENT | CLONE_PIDFD,
	    .pidfd = (uint64_t)(uintptr_t)pidfd,
	    .cgroup = (uint32_t)birth->cgroup};
	long pid;

	list_environment(birth);
	pid = birth->cgroup == -1
	    ? syscall(SYS_clone, CLONE_PARENT | CLONE_PIDFD, NULL, pidfd, NULL, NULL)
	    : syscall(SYS_clone3, &arguments, sizeof(arguments));
	if (pid == 0)
		child(birth);
	return (pid_t)pid;
}
