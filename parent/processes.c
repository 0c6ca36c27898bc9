#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "births.h"
#include "cgroup.h"
#include "children.h"
#include "clock.h"
#include "inform.h"
#include "ledger.h"
#include "outputs.h"
#include "sources.h"
#include "processes.h"
#include "pidfd.h"
#include "procfs.h"
#include "report.h"
#include "session.h"

#define REAP_AT_ONCE 256
/* Milliseconds that a newborn needs to see that nobody is behind its gate any more. */
#define GATE_WITHIN 100

/* PIDFD_GET_INFO, Linux 6.13; PIDFD_INFO_EXIT, Linux 6.15: include/uapi/linux/pidfd.h. */
struct pidfd_information {
	uint64_t mask;
	uint64_t cgroup;
	uint32_t pid, tgid, ppid;
	uint32_t ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
	int32_t exit_code;
};
#define PIDFD_INFORMATION      _IOWR(0xff, 11, struct pidfd_information)
#define PIDFD_INFORMATION_EXIT (1U << 3)

#define BUCKETS 4096
static struct profile *by_pid[BUCKETS];

static struct profile *
find_by_pid(pid_t pid)
{
	struct profile *profile = by_pid[(uint32_t)pid % BUCKETS];

	while (profile != NULL && profile->process.pid != pid)
		profile = profile->next_pid;
	return profile;
}

void
processes_changed(struct profile *profile)
{
	struct procfs_stat stat;

	/* could not be read when it was born; without it nobody could take it over */
	if (profile->pidfd != -1 && profile->start_ticks == 0 &&
	    procfs_stat(profile->process.pid, &stat))
		profile->start_ticks = stat.start_ticks;
	if (ledger_write(profile) == -1)
		inform_report(REPORT_LEDGER, errno, profile->facts.name);
	inform_tell(profile, TELL_PROCESS);
}

void
processes_hold(struct profile *profile, pid_t pid, int pidfd)
{
	struct procfs_stat stat = {.start_ticks = 0};
	struct profile **bucket = &by_pid[(uint32_t)pid % BUCKETS];

	processes_release(profile);
	(void)procfs_stat(pid, &stat); /* has it ended already, its zombie still answers */
	profile->process.pid = pid;
	profile->start_ticks = stat.start_ticks;
	profile->pidfd = pidfd;
	profile->next_pid = *bucket;
	*bucket = profile;
	if (loop_add(pidfd, EPOLLIN, SOURCE_PIDFD, table_index(profile)) == -1)
		inform_report(REPORT_UNWATCHED_END, errno, profile->facts.name);
}

void
processes_release(struct profile *profile)
{
	struct profile **link = &by_pid[(uint32_t)profile->process.pid % BUCKETS];

	if (profile->pidfd == -1)
		return;
	while (*link != profile)
		link = &(*link)->next_pid;
	*link = profile->next_pid;
	loop_close(&profile->pidfd);
}

/* Is what the pidfd holds a member of the profile? The pid cannot change hands while it lives. */
static enum claim_verdict
judge(const struct profile *profile, pid_t pid, int pidfd)
{
	struct procfs_stat stat;
	const struct profile *holder = find_by_pid(pid);
	bool member;

	if (!procfs_stat(pid, &stat))
		return CLAIM_NO_PROCESS;
	if (pidfd_ends(pidfd, 0)) /* a zombie may have threads that live: then it does not */
		return CLAIM_ENDED;
	if (pid == getpid() || children_are(pid) || (holder != NULL && holder != profile))
		return CLAIM_FOREIGN;
	if (cgroup_available())
		member = cgroup_contains(profile->facts.name, pid);
	else /* after our death nothing descends from us, but it is no older than the record */
		member = procfs_has_uid(pid, profile->process.uid, true) &&
		    (procfs_descends_from_us(pid) ||
			(profile->process.adopted != 0 &&
			    stat.start_ticks >= profile->start_ticks));
	if (!member)
		return CLAIM_FOREIGN;
	return pidfd_ends(pidfd, 0) ? CLAIM_ENDED : CLAIM_NUMBER;
}

/* A daemon may begin its session only after its pid file has named it, as Debian's nginx does. What
 * getsid(2) says is about our process when that has not been reaped even afterwards. */
static void
note_session(struct profile *profile)
{
	pid_t session;

	if (profile->pidfd == -1)
		return;
	session = getsid(profile->process.pid);
	if (session > 0 && pidfd_send_signal(profile->pidfd, 0, NULL, 0) == 0)
		profile->sessions[1] = session;
}

enum claim_verdict
processes_prove(struct profile *profile, pid_t pid)
{
	enum claim_verdict verdict;
	int pidfd;

	if (pid <= 0)
		return CLAIM_NO_PROCESS;
	pidfd = pidfd_open(pid, 0);
	if (pidfd == -1 && errno == ESRCH)
		return CLAIM_NO_PROCESS;
	if (pidfd ==
	    -1) /* a thread's number is no process either; else the next look may succeed */
		return errno == EINVAL || errno == ENOENT ? CLAIM_THREAD : CLAIM_ABSENT;
	verdict = judge(profile, pid, pidfd);
	if (verdict != CLAIM_NUMBER) {
		(void)close(pidfd);
		return verdict;
	}
	processes_hold(profile, pid, pidfd);
	loop_close(&profile->rest);
	note_session(profile);
	profile->process.phase = PHASE_PROVED;
	profile->process.proved = 1;
	profile->process.end = END_NONE; /* of `run` */
	profile->process.adopted |= profile->stray;
	profile->stray = false;
	processes_changed(profile);
	return CLAIM_NUMBER;
}

static void
signal_members(struct profile *profile, int number)
{
	if (cgroup_available())
		cgroup_signal(profile->facts.name, number);
	else
		session_signal(profile, number);
}

/* Are there processes of the profile besides the main one? Then their end will be noticed. */
static bool
rest_lives(struct profile *profile)
{
	bool watched = profile->rest != -1;

	if (!cgroup_available())
		return session_lives(profile);
	if (!cgroup_populated(profile->facts.name, &profile->rest)) {
		loop_close(&profile->rest);
		return false;
	}
	if (!watched &&
	    (profile->rest == -1 ||
		loop_add(profile->rest, EPOLLPRI, SOURCE_REST, table_index(profile)) == -1))
		inform_report(REPORT_UNWATCHED_END, errno, profile->facts.name);
	return true;
}

/* Nothing of the profile lives any more. */
static void
settle(struct profile *profile)
{
	loop_close(&profile->rest);
	session_release(profile);
	profile->process.phase = PHASE_NONE;
}

void
processes_rest(struct profile *profile)
{
	profile->process.phase = PHASE_REST;
	if (!rest_lives(profile))
		settle(profile);
}

/* `run` has left and has not told us, or not yet, which process is the daemon. Without cgroups
 * nobody knows whether there is one. */
static bool
daemon_may_follow(struct profile *profile)
{
	return profile->process.phase == PHASE_UP &&
	    (profile->facts.present & SETTING_BIT(SETTING_PID_FILE)) != 0 &&
	    (!cgroup_available() || rest_lives(profile));
}

/* Its main process has ended, and whatever follows is a rest. */
static void
end_now(struct profile *profile, enum process_end end, int value)
{
	bool unborn = profile->process.end == END_UNBORN;

	note_session(profile);
	if (!cgroup_available())
		(void)session_pin(profile); /* before the leader's number can be used again */
	processes_release(profile);
	births_stop(profile);
	if (!unborn) {
		profile->process.end = end;
		profile->process.end_value = value;
	}
	profile->process.ended = clock_now();
	processes_rest(profile);
	processes_changed(profile);
}

void
processes_ended(struct profile *profile, enum process_end how, int value)
{
	births_drain(profile); /* the failing step was sent before the child ended */
	if (profile->process.end == END_UNBORN || how != END_EXIT || value != 0 ||
	    !daemon_may_follow(profile)) {
		end_now(profile, how, value);
		return;
	}
	processes_release(profile);
	profile->process.end = END_EXIT; /* that of `run`: the daemon is to follow */
	processes_changed(profile);
}

/* `run` has left with success, and the daemon is not proved. */
static bool
unproved(const struct profile *profile)
{
	return profile->process.phase == PHASE_UP && profile->pidfd == -1;
}

/* How a process ended that somebody else reaps: the kernel's record once that has happened, and
 * what /proc says of the zombie until then. False when it is too late for one and too early for the
 * other. */
static bool
wait_status_of(const struct profile *profile, int *status)
{
	struct pidfd_information information = {.mask = PIDFD_INFORMATION_EXIT};
	struct procfs_stat stat;

	if (procfs_stat(profile->process.pid, &stat) && stat.state == 'Z' &&
	    stat.start_ticks == profile->start_ticks) {
		*status = stat.wait_status;
		return true;
	}
	if (ioctl(profile->pidfd, PIDFD_INFORMATION, &information) == -1 ||
	    (information.mask & PIDFD_INFORMATION_EXIT) == 0)
		return false;
	*status = information.exit_code;
	return true;
}

static void
ended_elsewhere(struct profile *profile)
{
	int status;

	if (!wait_status_of(profile, &status) || status == -1)
		processes_ended(profile, END_UNKNOWN, 0);
	else if (WIFSIGNALED(status))
		processes_ended(profile, END_SIGNAL, WTERMSIG(status));
	else
		processes_ended(profile, END_EXIT, WEXITSTATUS(status));
}

/* Whoever finds that out must say so: rest_lives() has ended the watch that would tell. */
static void
nobody_is_left(struct profile *profile)
{
	int status;

	if (profile->process.phase == PHASE_REST) {
		settle(profile);
		processes_changed(profile);
	} else if (unproved(profile)) {
		processes_ended(profile, END_EXIT, 0); /* who could write the pid file? */
	} else if (profile->pidfd != -1 && cgroup_available() && wait_status_of(profile, &status)) {
		ended_elsewhere(profile); /* somebody traces a thread of it, and keeps the dead */
	}
}

void
processes_signal(struct profile *profile, int number)
{
	if (profile->pidfd != -1)
		pidfd_signal(profile->pidfd, number);
	else if (unproved(profile))
		processes_sweep(profile, number);
}

void
processes_sweep(struct profile *profile, int number)
{
	if (profile->pidfd != -1)
		processes_signal(profile, number);
	signal_members(profile, number);
	if (rest_lives(profile))
		return;
	/* the look for whom to signal has been the one that saw the last of them gone */
	if (number == SIGKILL && unproved(profile))
		end_now(profile, END_EXIT, 0); /* whoever is to follow has had the time */
	else
		nobody_is_left(profile);
}

static void
ended_with(struct profile *profile, const siginfo_t *how)
{
	processes_ended(
	    profile, how->si_code == CLD_EXITED ? END_EXIT : END_SIGNAL, how->si_status);
}

/* A child of ours has ended. It is a zombie until we have let go of it, so that its number is its
 * own. */
static void
reap(const siginfo_t *how)
{
	struct profile *profile = find_by_pid(how->si_pid);
	siginfo_t ignored;

	if (profile != NULL)
		ended_with(profile, how);
	else
		children_reaped(how);
	(void)waitid(P_PID, (id_t)how->si_pid, &ignored, WEXITED | WNOHANG);
}

bool
processes_reap(void)
{
	siginfo_t how;
	unsigned reaped;

	for (reaped = 0; reaped < REAP_AT_ONCE; reaped++) {
		how.si_pid = 0;
		if (waitid(P_ALL, 0, &how, WEXITED | WNOHANG | WNOWAIT) == -1 || how.si_pid == 0)
			return false;
		reap(&how);
	}
	return true;
}

void
processes_pidfd_event(uint32_t index, uint32_t events)
{
	struct profile *profile = table_at(index);
	siginfo_t how = {.si_pid = 0};

	(void)events;
	if (profile == NULL || profile->pidfd == -1 || !pidfd_ends(profile->pidfd, 0))
		return;
	/* no child of ours; or one that somebody traces, who may never let us hear of its end */
	if (waitid(P_PIDFD, (id_t)profile->pidfd, &how, WEXITED | WNOHANG | WNOWAIT) == -1 ||
	    how.si_pid == 0)
		ended_elsewhere(profile);
	else
		ended_with(profile, &how); /* it stays a zombie until processes_reap() */
}

void
processes_rest_event(uint32_t index, uint32_t events)
{
	struct profile *profile = table_at(index);

	(void)events;
	if (profile == NULL || (profile->rest == -1 && profile->pin_count == 0) ||
	    rest_lives(profile))
		return;
	nobody_is_left(profile);
}

/* Is what has the recorded pid the recorded process, alive or a zombie? Where that cannot be told
 * we end, or there would be a second copy; who starts us again has more descriptors. */
static bool
recorded_process_is(const struct profile *profile, pid_t pid, int pidfd)
{
	struct procfs_stat stat;
	bool read = pidfd != -1 && procfs_stat(pid, &stat);

	if (!read && pid > 0 && errno != ESRCH && errno != ENOENT && errno != EINVAL)
		fatal("cannot take over %s", profile->facts.name);
	if (!read || stat.start_ticks != profile->start_ticks)
		return false;
	if (profile->process.phase == PHASE_ASKED && stat.unexecuted)
		return !pidfd_ends(pidfd, GATE_WITHIN); /* whoever is still at the gate ends */
	return cgroup_available() || procfs_has_uid(pid, profile->process.uid, false);
}

/* A process was recorded: it is taken over, or it has ended while nobody looked. */
static void
adopt_recorded(struct profile *profile)
{
	bool daemon = (profile->facts.present & SETTING_BIT(SETTING_PID_FILE)) != 0;
	pid_t pid = profile->process.pid;
	int pidfd = pid > 0 ? pidfd_open(pid, 0) : -1;
	bool found = recorded_process_is(profile, pid, pidfd);
	bool shut = profile->process.phase == PHASE_ASKED && !found;

	profile->process.adopted = 1;
	if (profile->process.phase <= PHASE_BORN)
		profile->process.phase = daemon ? PHASE_UP : PHASE_PROVED;
	if (found) {
		processes_hold(profile, pid, pidfd);
		note_session(profile);
		processes_pidfd_event(table_index(profile), 0); /* a zombie tells how it ended */
		return;
	}
	descriptor_close(pidfd);
	/* also should we have died as we let it through, but not before there was anybody */
	if ((pid != 0 || !shut) && daemon_may_follow(profile))
		profile->process.end = END_UNKNOWN; /* of `run` */
	else if (shut)
		profile->process.phase = PHASE_NONE; /* nothing was executed */
	else
		processes_ended(profile, END_UNKNOWN, 0);
}

void
processes_keep(void)
{
	PROFILES_FOREACH(profile) {
		outputs_keep(profile);
		processes_changed(profile);
	}
}

void
processes_adopt(struct profile *profile)
{
	switch (profile->process.phase) {
	case PHASE_ASKED:
	case PHASE_BORN:
	case PHASE_UP:
	case PHASE_PROVED:
		adopt_recorded(profile);
		break;
	case PHASE_REST:
		profile->process.adopted = 1;
		processes_rest(profile);
		break;
	default:
		break;
	}
}

void
processes_find_strays(struct profile *profile)
{
	if (profile->process.phase != PHASE_NONE || !cgroup_available() || !rest_lives(profile))
		return;
	profile->process.phase = PHASE_REST;
	profile->process.end = END_UNKNOWN;
	profile->process.uid = profile->facts.uid; /* nobody knows better */
	profile->process.started = clock_now();	   /* start_timeout begins now */
	if ((profile->facts.present & SETTING_BIT(SETTING_PID_FILE)) != 0) {
		/* its pid file may name the service: one look, before anything is ended */
		profile->stray = true;
		profile->process.phase = PHASE_UP;
	}
}

bool
processes_none(void)
{
	PROFILES_FOREACH(profile) {
		if (profile->process.phase != PHASE_NONE && profile->process.phase != PHASE_REST)
			return false;
	}
	return true;
}
