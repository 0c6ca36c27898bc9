/*
 * The parent: the only process of ProcLaunch that is root for long. It opens, checks and hands
 * over; it knows every process by pidfd; it keeps the ledger. It parses nothing that a tenant
 * wrote, writes no log line and executes no service.
 */
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "account.h"
#include "births.h"
#include "cgroup.h"
#include "children.h"
#include "clock.h"
#include "files.h"
#include "inform.h"
#include "leave.h"
#include "ledger.h"
#include "nofile.h"
#include "sources.h"
#include "options.h"
#include "outputs.h"
#include "privdrop.h"
#include "processes.h"
#include "procfs.h"
#include "profiles.h"
#include "report.h"
#include "surveys.h"
#include "tenants.h"
#include "upgrade.h"
#include "watch.h"
#include "wishes.h"

/* That a service has ended its pidfd tells. Who else has is asked a little later, for the kernel
 * looks at each child that we have, and the service's successor is waited for. */
#define REAP_PAUSE (2 * MILLISECOND)
/* The first scan does not wait longer than this for what tenants own. */
#define TENANTS_WITHIN (1 * SECOND)
#define CHECK_WITHIN   (60 * SECOND)

static int signals = -1;
static int64_t
    reap_at; /* NEVER: no child has ended. At first an upgrade may have left us zombies */

static void
signal_event(uint32_t index, uint32_t events)
{
	struct signalfd_siginfo information;

	(void)index;
	(void)events;
	while (read(signals, &information, sizeof(information)) == (ssize_t)sizeof(information)) {
		if (information.ssi_signo == SIGCHLD)
			reap_at = clock_earlier(reap_at, clock_now() + REAP_PAUSE);
		else if (information.ssi_signo == SIGUSR2)
			upgrade_begin();
		else
			leave_on_signal((int)information.ssi_signo);
	}
}

static const loop_handler handlers[SOURCE_COUNT] = {
    [SOURCE_SIGNALS] = signal_event,
    [SOURCE_CHILD] = children_event,
    [SOURCE_INOTIFY] = watch_event,
    [SOURCE_BIRTH] = births_birth_event,
    [SOURCE_READER] = births_reader_event,
    [SOURCE_SURVEY] = surveys_event,
    [SOURCE_PIDFD] = processes_pidfd_event,
    [SOURCE_REST] = processes_rest_event,
    [SOURCE_PIN] = processes_rest_event,
};

/* Every signal that a terminal, an administrator or a limit of the shell that started us may send
 * is taken in or ignored on purpose. What is ignored of the latter is an error of the call. */
static void
open_signals(void)
{
	static const int taken[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR2, SIGCHLD};
	static const int ignored[] = {SIGPIPE, SIGQUIT, SIGUSR1, SIGALRM, SIGTSTP, SIGTTIN, SIGTTOU,
	    SIGIO, SIGPROF, SIGPWR, SIGSTKFLT, SIGVTALRM, SIGXCPU, SIGXFSZ};
	sigset_t set;
	size_t i;

	(void)sigemptyset(&set);
	for (i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		(void)sigaddset(&set, taken[i]);
	/* what came during an upgrade is still blocked, and must not meet its default action */
	if (sigprocmask(SIG_BLOCK, &set, NULL) == -1)
		fatal("sigprocmask");
	for (i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		(void)signal(taken[i], SIG_DFL); /* an ignored SIGCHLD would reap without us */
	for (i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		(void)signal(ignored[i], SIG_IGN);
	/* whoever started us may have blocked others */
	if (sigprocmask(SIG_SETMASK, &set, NULL) == -1)
		fatal("sigprocmask");
	signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (signals == -1 || loop_add(signals, EPOLLIN, SOURCE_SIGNALS, 0) == -1)
		fatal("signalfd");
}

/* 0, 1 and 2 must be something: a log opened as descriptor 2 would take what is meant for a
 * terminal. */
static void
open_standard_descriptors(void)
{
	int null = open("/dev/null", O_RDWR);

	while (null != -1 && null <= STDERR_FILENO)
		null = open("/dev/null", O_RDWR);
	if (null == -1)
		fatal("/dev/null");
	(void)close(null);
}

/*
 * In the background: the first process waits until the second says that all is well, or ends. What
 * is said meanwhile goes to the standard error of the first. Returns in the second, with the
 * descriptor to say it on.
 */
static int
go_to_background(void)
{
	char well;
	int ready[2], status;
	pid_t second;

	if (pipe2(ready, O_CLOEXEC) == -1)
		fatal("pipe2");
	second = fork();
	switch (second) {
	case -1:
		fatal("fork");
	case 0:
		(void)close(ready[0]);
		if (setsid() == -1)
			fatal("setsid");
		return ready[1];
	default:
		(void)close(ready[1]);
		if (read(ready[0], &well, 1) == 1)
			_exit(0);
		/* it has said why, unless it was killed, or the shell's limits leave it no stack */
		if (waitpid(second, &status, 0) == second && WIFSIGNALED(status))
			fatalx("proclaunch ended at once, with signal %d", WTERMSIG(status));
		_exit(1);
	}
}

/* From now on nothing holds the terminal, or the pipe of whoever waits for our standard error. */
static void
let_go_of_terminal(int ready)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null == -1 || dup2(null, STDIN_FILENO) == -1 || dup2(null, STDOUT_FILENO) == -1 ||
	    dup2(null, STDERR_FILENO) == -1)
		fatal("/dev/null");
	(void)close(null);
	(void)!write(ready, "", 1); /* nobody waits any more: then nobody needs to know */
	(void)close(ready);
}

/* For people to read; a path that is longer is shown to nobody. */
static void
show_path(char *shown, size_t size, const char *path)
{
	char whole[PATH_MAX];

	if (path != NULL && realpath(path, whole) != NULL && strlen(whole) < size)
		strcpy(shown, whole);
}

static void
configure_children(const struct options *options)
{
	struct message greeting;
	struct hello *hello = &greeting.hello;
	uid_t uid = geteuid();
	gid_t gid = getegid();

	channel_hello(&greeting);
	if (uid == 0) {
		account_for_monitor(options->monitor_user, &uid, &gid);
		hello->options |= HELLO_ROOT;
	}
	if (options->no_root)
		hello->options |= HELLO_NO_ROOT;
	if (options->check)
		hello->options |= HELLO_CHECK;
	hello->uid = uid;
	hello->gid = gid;
	hello->admin = geteuid();
	hello->log_level = options->log_level;
	hello->log_rotate_keep = options->log_rotate_keep;
	hello->log_rotate_size = options->log_rotate_size;
	show_path(hello->base, sizeof(hello->base), options->profiles_directory);
	show_path(hello->tenants, sizeof(hello->tenants), options->tenants_directory);
	upgrade_configure(uid, gid);
	children_configure(&greeting, options->check ? files_make_empty() : files_open_empty());
}

/* What root still needs when everything is open, and no group of whoever started us; the children
 * start from the bounding set again. */
static void
shed_capabilities(void)
{
	const uint64_t needed = PRIVDROP_BIT(CAP_CHOWN) | /* a FIFO belongs to the profile's user */
	    PRIVDROP_BIT(CAP_DAC_READ_SEARCH) | /* watch a tenant's directory of mode 0700 */
	    PRIVDROP_BIT(CAP_KILL) |		/* signal services of every user */
	    PRIVDROP_BIT(CAP_SETGID) |		/* try out a new binary without privileges ... */
	    PRIVDROP_BIT(CAP_SETUID) |		/* ... before an upgrade */
	    PRIVDROP_BIT(CAP_SYS_PTRACE) |  /* how an adopted service ended: its zombie, proc(5) */
	    PRIVDROP_BIT(CAP_SYS_RESOURCE); /* more than a thousand FIFOs of full size, pipe(7) */

	if (geteuid() == 0 && (setgroups(0, NULL) == -1 || !privdrop_keep(needed)))
		fatal("capabilities");
}

/* One turn of the loop: wait, take in what came, act on it, tell the monitor, ask the spawner. */
static void
turn(void)
{
	int64_t deadline = clock_earlier(clock_earlier(children_deadline(), watch_deadline()),
	    clock_earlier(surveys_deadline(), clock_earlier(leave_deadline(), upgrade_deadline())));
	int64_t now;

	account_turn();
	loop_wait(clock_earlier(deadline, reap_at), handlers);
	account_turn(); /* a request may have been read after an answer */
	now = clock_now();
	if (now >= reap_at)
		reap_at = processes_reap() ? now : NEVER;
	watch_tend(now);
	surveys_tend(now);
	children_tend(now);
	surveys_flush();
	births_flush();
	inform_flush();
	leave_tend(now);
	upgrade_tend(now);
}

/* Until the three processes are up, the first scan is done and the monitor has heard of it. */
static void
come_up(int64_t patience)
{
	int64_t tenants_by = clock_now() + patience;

	(void)loop_add(files_control(), EPOLLIN | EPOLLONESHOT, SOURCE_CHILD, CHILDREN);
	children_start();
	while (!inform_complete() || !inform_done()) {
		turn();
		if (!inform_complete() && !profiles_scanning() &&
		    (!surveys_pending() || clock_now() >= tenants_by))
			inform_order(ORDER_TOLD);
	}
	children_ping_monitor();
	while (!children_answered())
		turn();
	children_started();
}

static void
adopt_all(bool resumed)
{
	ledger_load(resumed);
	PROFILES_FOREACH(profile)
		processes_adopt(profile); /* these need descriptors more than FIFOs do */
	PROFILES_FOREACH(profile)
		outputs_find(profile);
}

/* --check: monitor and spawner as ever, so that what is said is what would be said; nothing starts.
 */
static _Noreturn void
check(const struct options *options)
{
	profiles_open(options->profiles_directory, options->no_root);
	loop_open();
	open_signals();
	files_configure_log("-", NULL);
	if (dup2(STDOUT_FILENO, STDERR_FILENO) == -1)
		fatal("dup2");
	configure_children(options);
	children_open_binaries();
	leave_after_check();
	come_up(CHECK_WITHIN);
	for (;;)
		turn();
}

/* The background if need be, and then the lock, which is no child's. Returns what
 * let_go_of_terminal() needs; does not return when we run already. */
static int
begin(const struct options *options)
{
	int ready = -1;

	if (!options->foreground)
		ready = go_to_background();
	if (!files_lock())
		_exit(ready != -1 && write(ready, "", 1) != 1 ? 1 : 0);
	return ready;
}

static void
say_start(const char *before)
{
	if (before == NULL) {
		inform_child(REPORT_STARTED, "", getpid(), END_NONE, 0);
		return;
	}
	inform_quietly();
	inform_report(REPORT_UPGRADED, 0, before);
}

/* Root that lacks one of these would find out only when something is to be started, or stopped, or
 * when the monitor cannot confine itself, which says no more than "Operation not permitted". */
static void
look_at_privileges(void)
{
	static const int needed[] = {CAP_KILL, CAP_SETGID, CAP_SETUID, CAP_SETPCAP, CAP_SYS_CHROOT};
	size_t i;

	if (geteuid() != 0)
		return;
	/* then an exec gives nothing back, and monitor and spawner could not drop what they have */
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		fatalx("started with no_new_privs, under which nothing can be confined or become"
		       " another user: remove NoNewPrivileges= from the unit, or no-new-privileges"
		       " from the container");
	for (i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (prctl(PR_CAPBSET_READ, needed[i], 0, 0, 0) == 0)
			fatalx("started without one of CAP_KILL, CAP_SETGID, CAP_SETUID,"
			       " CAP_SETPCAP and CAP_SYS_CHROOT, all of which it takes to stop,"
			       " start and confine: add it to the unit, or to the container");
}

int
main(int count, char **arguments)
{
	struct options options;
	const char *before;
	int state, ready = -1;

	report_as("proclaunch");
	if (strcmp(program_invocation_short_name, "proclaunch-monitor") == 0 ||
	    strcmp(program_invocation_short_name, "proclaunch-spawner") == 0)
		fatalx("this is neither the monitor nor the spawner: see %s", arguments[0]);
	open_standard_descriptors();
	before = upgrade_remember(arguments);
	/* somebody may wait for the end of a pipe, or for a lock; what an upgrade has kept is ours
	 */
	(void)close_range(STDERR_FILENO + 1, ~0U, before == NULL ? 0 : CLOSE_RANGE_CLOEXEC);
	options_read(&options, count, arguments, before == NULL);
	look_at_privileges();
	/* or we could not be upgraded when the directory that we were started in is removed */
	if (!options.relative && chdir("/") == -1)
		fatal("/");
	(void)umask(022);
	outputs_limit(nofile_raise());
	if (options.check)
		check(&options);
	state = files_open_state(options.state_directory);
	if (before == NULL)
		ready = begin(&options);
	profiles_open(options.profiles_directory, options.no_root);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		fatal("prctl");
	procfs_open();
	loop_open();
	open_signals();
	files_configure_log(options.log_path, options.profiles_directory);
	configure_children(&options);
	children_open_binaries();
	if (before != NULL)
		children_started(); /* services are up: no child's death may end us now */
	ledger_open(state);
	wishes_open();
	outputs_open(state, options.output_directory);
	files_open_control(upgrade_control());
	if (before == NULL)
		files_write_pid(); /* an upgrade keeps the pid */
	say_start(before);
	tenants_open(options.tenants_directory, &options.quota);
	watch_open(options.rescan);
	if (!options.foreground && chdir("/") == -1)
		fatal("/");
	if (!cgroup_begin(state) && geteuid() == 0)
		inform_report(REPORT_NO_CGROUPS, 0, "");
	shed_capabilities();
	adopt_all(before != NULL);
	come_up(TENANTS_WITHIN);
	if (before == NULL)
		files_show_pid();
	if (ready != -1)
		let_go_of_terminal(ready);
	for (;;)
		turn();
}
