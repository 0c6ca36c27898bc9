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

#define ENVIRONMENT_MAX 16

/* Ends the child: it has executed nothing, and the parent knows which step failed. */
static _Noreturn void
give_up(enum stage stage)
{
	struct message message;

	message_begin(&message, MESSAGE_STAGE);
	message.stage.stage = stage;
	message.stage.error = errno;
	job_send(&message);
	_exit(111);
}

static bool
is_root(const struct fork_request *request)
{
	return (request->flags & FORK_ROOT) != 0;
}

/* For an ordinary user some resets need a privilege; what it inherits then is its own anyway. */
static bool
tolerable(const struct fork_request *request)
{
	return !is_root(request) && (errno == EPERM || errno == EACCES);
}

/*
 * The kernel refuses a lower score without CAP_SYS_RESOURCE, which containers often lack; then the
 * service keeps the score that the administrator gave to the supervisor, proc_pid_oom_score_adj(5).
 */
static bool
reset_oom_score(void)
{
	int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	bool done;

	if (file == -1)
		return errno == EACCES;
	done = write(file, "0", 1) == 1 || errno == EACCES;
	(void)close(file);
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
reset_attributes(const struct fork_request *request, bool has_oom_score)
{
	static const struct sched_param no_priority = {.sched_priority = 0};
	cpu_set_t every_cpu[16];

	if (!limit_processes(request->processes))
		return STAGE_RLIMIT;
	if (sched_setscheduler(0, SCHED_OTHER, &no_priority) == -1 && !tolerable(request))
		return STAGE_SCHEDULER;
	if (setpriority(PRIO_PROCESS, 0, 0) == -1 && !tolerable(request))
		return STAGE_NICE;
	if (syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, 0) == -1 && errno != ENOSYS)
		return STAGE_IO_PRIORITY;
	memset(every_cpu, 0xff, sizeof(every_cpu));
	if (sched_setaffinity(0, sizeof(every_cpu), every_cpu) == -1)
		return STAGE_AFFINITY;
	if (personality(PER_LINUX) == -1)
		return STAGE_PERSONALITY;
	if (has_oom_score && !reset_oom_score())
		return STAGE_OOM_SCORE;
	return STAGE_NONE;
}

/*
 * A session of its own has no controlling terminal, so that TIOCSTI cannot reach ours. A fresh
 * session keyring, or the service could read the keys of the administrator who started us,
 * keyctl_join_session_keyring(3). An ordinary user's quota of keyrings may run out: those keys are
 * the service's own user's.
 */
static enum stage
leave_session(const struct fork_request *request)
{
	if (setsid() == -1)
		return STAGE_SETSID;
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) == -1 && errno != ENOSYS &&
	    is_root(request))
		return STAGE_KEYRING;
	return STAGE_NONE;
}

/* The spawner blocks every signal, all of which are at their default; a service starts with none
 * blocked. */
static enum stage
unblock_signals(void)
{
	sigset_t none;

	(void)sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL) == -1 ? STAGE_SIGNALS : STAGE_NONE;
}

/* 0, 1 and 2 are the service's; the job's two close themselves at the exec; nothing else is left.
 */
static enum stage
arrange_descriptors(const struct birth *birth)
{
	const int wanted[5] = {
	    birth->null, birth->output, birth->error, birth->job, birth->directory};
	int high[5], i;

	/* out of the way first, so that no dup2() closes what is still needed */
	for (i = 0; i < 5; i++)
		if ((high[i] = fcntl(wanted[i], F_DUPFD_CLOEXEC, FD_JOB_FIRST_FREE)) == -1)
			return STAGE_DESCRIPTORS;
	if (dup2(high[0], STDIN_FILENO) == -1 || dup2(high[1], STDOUT_FILENO) == -1 ||
	    dup2(high[2], STDERR_FILENO) == -1 || dup3(high[3], FD_JOB, O_CLOEXEC) == -1 ||
	    dup3(high[4], FD_JOB_DIRECTORY, O_CLOEXEC) == -1 ||
	    syscall(SYS_close_range, FD_JOB_FIRST_FREE, ~0U, 0) == -1)
		return STAGE_DESCRIPTORS;
	job_use(FD_JOB);
	return STAGE_NONE;
}

static enum stage
become_user(const struct fork_request *request)
{
	if (!is_root(request)) /* whose group need not be the account's: newgrp(1) */
		return privdrop_verify(request->uid, getgid());
	return privdrop(request->uid, request->gid, request->groups, request->group_count);
}

static void
send_finding(void *context, const struct message *finding)
{
	(void)context;
	job_send(finding);
}

/* What the tenant's directory or profile holds, read as the tenant. */
static _Noreturn void
survey_as_owner(void)
{
	static struct incoming incoming;
	const struct look *look = &incoming.message.look;
	struct survey survey = {.directory = FD_JOB_DIRECTORY,
	    .owner = geteuid(),
	    .for_tenants = true,
	    .sink = send_finding};
	struct message done;

	if (!job_receive(&incoming) || incoming.message.type != MESSAGE_LOOK)
		_exit(0);
	message_begin(&done, MESSAGE_SURVEYED);
	if (look->where[0] != '\0')
		survey.directory = openat(
		    FD_JOB_DIRECTORY, look->where, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (survey.directory == -1)
		done.number = (uint32_t)errno;
	else if (look->name[0] != '\0')
		survey_profile(&survey, look->name);
	else if (survey_directory(&survey) == -1)
		done.number = (uint32_t)errno;
	job_send(&done);
	_exit(0);
}

/* Waits until the parent has written us into the ledger. No word from it: it died, and so do we. */
static enum stage
wait_at_gate(struct incoming *incoming)
{
	if (!job_receive(incoming) || incoming->message.type != MESSAGE_GO)
		_exit(0);
	return STAGE_NONE;
}

enum stage
birth_enter_directory(const struct go *go)
{
	struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
	    .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
	struct stat status;
	long directory;

	directory = syscall(SYS_openat2, FD_JOB_DIRECTORY, go->where, &how, sizeof(how));
	if (directory == -1 || fstat((int)directory, &status) == -1 || fchdir((int)directory) == -1)
		return STAGE_DIRECTORY;
	if (status.st_dev != go->device || status.st_ino != go->inode) {
		errno = ESTALE;
		return STAGE_CHANGED;
	}
	return STAGE_NONE;
}

static enum stage
execute(const struct fork_request *request, struct go *go)
{
	static char run[] = "./run";
	char *arguments[] = {run, NULL};
	char *environment[ENVIRONMENT_MAX + 1];
	size_t count = 0, offset;

	for (offset = 0; offset < go->environment_bytes && count < ENVIRONMENT_MAX;
	     offset += strlen(go->environment + offset) + 1)
		environment[count++] = go->environment + offset;
	environment[count] = NULL;
	if (request->uid != 0 && (request->flags & FORK_NEW_PRIVS) == 0 &&
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return STAGE_NO_NEW_PRIVS;
	/* not through a link: what was checked is what stands there under this very name */
	(void)execveat(AT_FDCWD, run, arguments, environment, AT_SYMLINK_NOFOLLOW);
	return STAGE_EXEC;
}

static _Noreturn void
child(const struct birth *birth)
{
	/* the request lies in the spawner's buffer, of which the fork gave us a copy */
	const struct fork_request *request = birth->request;
	static struct incoming incoming;
	enum stage failed;

	job_use(birth->job);
	failed = arrange_descriptors(birth);
	if (failed == STAGE_NONE)
		failed = leave_session(request);
	if (failed == STAGE_NONE)
		failed = reset_attributes(request, birth->has_oom_score);
	if (failed == STAGE_NONE)
		failed = unblock_signals();
	if (failed == STAGE_NONE)
		failed = become_user(request);
	if (failed == STAGE_NONE && request->task == TASK_PID_FILE)
		pidfile_report();
	if (failed == STAGE_NONE && request->task == TASK_SURVEY)
		survey_as_owner();
	if (failed == STAGE_NONE)
		failed = wait_at_gate(&incoming);
	if (failed == STAGE_NONE)
		failed = birth_enter_directory(&incoming.message.go);
	if (failed == STAGE_NONE)
		failed = execute(request, &incoming.message.go);
	give_up(failed);
}

pid_t
birth_fork(const struct birth *birth, int *pidfd)
{
	/*
	 * CLONE_PARENT: the service is the root parent's child from its first moment, so that the
	 * parent reaps it whether or not this spawner still lives. The exit signal is then ours,
	 * SIGCHLD, clone(2).
	 */
	struct clone_args arguments = {
	    .flags = (uint64_t)CLONE_PARENT | CLONE_PIDFD, .pidfd = (uint64_t)(uintptr_t)pidfd};
	long pid;

	if (birth->cgroup >= 0) {
		arguments.flags |= CLONE_INTO_CGROUP;
		arguments.cgroup = (uint32_t)birth->cgroup;
	}
	pid = syscall(SYS_clone3, &arguments, sizeof(arguments));
	if (pid == 0)
		child(birth);
	return (pid_t)pid;
}
