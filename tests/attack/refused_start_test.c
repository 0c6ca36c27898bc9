/*
 * A start that is refused: something in the state directory is not what we made, the programs are
 * not of one build, or the kernel refuses a step of the start. Each time the reason is said, the
 * exit status is 1, nothing is executed, and what a link leads to stays as it was.
 */
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/close_range.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "build.h"
#include "descriptors.h"
#include "fault.h"
#include "host.h"
#include "peer.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A start: with which program and options, and which step of it fails. */
struct start {
	const char *program; /* NULL: the built one */
	const char *option;  /* NULL: --foreground */
	const struct fault *fault;
};

static void
execute(const struct host *host, const struct start *start, int said)
{
	char program[PATH_MAX];
	const char *arguments[] = {"proclaunch",
	    start->option == NULL ? "--foreground" : start->option, host->state, host->profiles,
	    NULL};

	(void)host_program("proclaunch", program, sizeof(program));
	if (dup2(said, STDERR_FILENO) == -1 ||
	    (start->fault != NULL && !fault_install(start->fault)))
		_exit(125);
	if (host->uid != 0 &&
	    (setgroups(0, NULL) == -1 || setgid(account_gid(TENANT)) == -1 ||
		setuid(host->uid) == -1))
		_exit(125);
	execv(start->program == NULL ? program : start->program, (char **)(uintptr_t)arguments);
	_exit(127);
}

/* Its exit status; what it has said. One that is not refused is ended by host_end(). */
static int
try_start(struct host *host, const struct start *start, char *said, size_t size)
{
	struct deadline deadline = deadline_in(SOON);
	int ends[2], status;
	ssize_t length;

	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	host->supervisor = fork();
	assert_true(host->supervisor >= 0);
	if (host->supervisor == 0)
		execute(host, start, ends[1]);
	assert_int_equal(close(ends[1]), 0);
	while (waitpid(host->supervisor, &status, WNOHANG) != host->supervisor)
		deadline_pause(&deadline, "the start is refused", __FILE__, __LINE__);
	host->supervisor = 0;
	length = read(ends[0], said, size - 1);
	said[length < 0 ? 0 : length] = '\0';
	assert_int_equal(close(ends[0]), 0);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void
assert_refused(struct host *host, const struct start *start, const char *what, const char *reason)
{
	char said[4096], path[PATH_MAX];
	int status = try_start(host, start, said, sizeof(said));

	/* where the reason goes on, or comes after what a child had to say, the kernel's is there
	 */
	if (status != 1 || strstr(said, reason) == NULL ||
	    (start->fault != NULL && (reason[0] == ' ' || reason[strlen(reason) - 1] == ' ') &&
		strstr(said, strerror(start->fault->error)) == NULL))
		fail_msg("%s: exit %d, \"%s\" instead of \"%s\"", what, status, said, reason);
	wait_until(host_processes(host) == 0);
	if (access(host_path(host, "web/ran", path, sizeof(path)), F_OK) == 0)
		fail_msg("%s: a service was executed", what);
}

static void
make_service(struct host *host)
{
	host_profile(host, "web", "echo > ran; exec sleep 1000");
}

/* --- the state directory --------------------------------------------------------------------- */

#define OUTSIDE "outside" /* where links lead: outside/, and in it the file `file` */

enum kind {
	DIRECTORY,
	FULL_DIRECTORY,
	DIRECTORY_WITH_FILE,
	FILE_OF_OURS,
	FIFO,
	LINK,
	LINK_TO_FILE
};

#define OURS(kind, mode)  kind " of uid 0 alone, mode " mode ", or be moved away"
#define EMPTY_DIRECTORY	  OURS("an empty directory", "0555")
#define MODE_0555	  OURS("a directory", "0555")
#define PRIVATE_DIRECTORY OURS("a directory", "0700")
#define OUTPUT		  OURS("a directory", "0750")
#define PRIVATE_FILE	  OURS("a plain file", "0600")
#define PID_FILE	  OURS("a plain file", "0644")

static const struct entry {
	const char *name;
	enum kind kind;
	mode_t mode;
	bool tenants;	      /* it belongs to a tenant */
	const char *named;    /* which one is at fault; NULL: the name */
	const char *expected; /* what it must be */
	int error;	      /* what the kernel says; 0: nothing */
} entries[] = {
    {"empty", DIRECTORY, 0555, true, NULL, MODE_0555, 0},
    {"empty", FULL_DIRECTORY, 0555, false, NULL, EMPTY_DIRECTORY, 0},
    {"empty", DIRECTORY_WITH_FILE, 0555, false, NULL, EMPTY_DIRECTORY, 0},
    {"empty", DIRECTORY, 0575, false, NULL, MODE_0555, 0},
    {"empty", LINK, 0, false, NULL, MODE_0555, ENOTDIR},
    {"empty", FILE_OF_OURS, 0600, false, NULL, MODE_0555, ENOTDIR},
    {"fifo", DIRECTORY, 0700, true, NULL, PRIVATE_DIRECTORY, 0},
    {"fifo", DIRECTORY, 0750, false, NULL, PRIVATE_DIRECTORY, 0},
    {"fifo", DIRECTORY, 0701, false, NULL, PRIVATE_DIRECTORY, 0},
    {"fifo", LINK, 0, false, NULL, PRIVATE_DIRECTORY, ENOTDIR},
    {"output", DIRECTORY, 0750, true, NULL, OUTPUT, EPERM},
    {"output", DIRECTORY, 0770, false, NULL, OUTPUT, EPERM},
    {"output", FILE_OF_OURS, 0640, false, NULL, OUTPUT, ENOTDIR},
    {"output", LINK, 0, false, NULL, OUTPUT, ENOTDIR},
    {"enabled", DIRECTORY, 0700, true, NULL, PRIVATE_DIRECTORY, 0},
    {"enabled", DIRECTORY, 0722, false, NULL, PRIVATE_DIRECTORY, 0},
    {"enabled", LINK, 0, false, NULL, PRIVATE_DIRECTORY, ENOTDIR},
    {"disabled", DIRECTORY, 0700, true, NULL, PRIVATE_DIRECTORY, 0},
    {"disabled", FILE_OF_OURS, 0600, false, NULL, PRIVATE_DIRECTORY, ENOTDIR},
    {"ledger", FILE_OF_OURS, 0600, true, NULL, PRIVATE_FILE, 0},
    {"ledger", FILE_OF_OURS, 0640, false, NULL, PRIVATE_FILE, 0},
    {"ledger", LINK_TO_FILE, 0, false, NULL, PRIVATE_FILE, ELOOP},
    {"ledger", DIRECTORY, 0700, false, NULL, PRIVATE_FILE, EISDIR},
    {"ledger", FIFO, 0600, false, NULL, PRIVATE_FILE, 0},
    {"lines", FILE_OF_OURS, 0604, false, NULL, PRIVATE_FILE, 0},
    {"lines", LINK_TO_FILE, 0, false, NULL, PRIVATE_FILE, ELOOP},
    {"lock", LINK_TO_FILE, 0, false, NULL, PRIVATE_FILE, ELOOP},
    {"lock", DIRECTORY, 0700, false, NULL, PRIVATE_FILE, EISDIR},
    {"lock", FILE_OF_OURS, 0600, true, NULL, PRIVATE_FILE, 0}, /* who could keep it locked */
    {"lock", FILE_OF_OURS, 0660, false, NULL, PRIVATE_FILE, 0},
    {"lock", FIFO, 0600, false, NULL, PRIVATE_FILE, 0},
    {"control", DIRECTORY, 0700, false, NULL, OURS("a socket", "0666"), EADDRINUSE},
    /* it is found when it has got its other name */
    {"proclaunch.pid", DIRECTORY, 0700, false, "spare.pid", PID_FILE, EISDIR},
    {"proclaunch.pid", FILE_OF_OURS, 0644, true, "spare.pid", PID_FILE, 0},
    {"spare.pid", LINK_TO_FILE, 0, false, NULL, PID_FILE, ELOOP},
    {"spare.pid", FIFO, 0644, false, NULL, PID_FILE, 0},
};

static void
in_state(const struct host *host, const char *name, char *path, size_t size)
{
	assert_true((size_t)snprintf(path, size, "%s/%s", host->state, name) < size);
}

static void
make_entry(const struct host *host, const struct entry *entry)
{
	char path[PATH_MAX], below[PATH_MAX + 8], target[PATH_MAX];
	int file;

	in_state(host, entry->name, path, sizeof(path));
	(void)snprintf(target, sizeof(target), "%s/" OUTSIDE "%s", host->root,
	    entry->kind == LINK_TO_FILE ? "/file" : "");
	switch (entry->kind) {
	case LINK:
	case LINK_TO_FILE:
		assert_int_equal(symlink(target, path), 0);
		return;
	case FIFO:
		assert_int_equal(mkfifo(path, 0600), 0);
		break;
	case FILE_OF_OURS:
		file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		assert_true(file != -1);
		assert_int_equal(close(file), 0);
		break;
	default:
		assert_int_equal(mkdir(path, 0700), 0);
		(void)snprintf(below, sizeof(below), "%s/below", path);
		if (entry->kind == FULL_DIRECTORY)
			assert_int_equal(mkdir(below, 0755), 0);
		if (entry->kind == DIRECTORY_WITH_FILE)
			assert_int_equal(mknod(below, S_IFREG | 0600, 0), 0);
		break;
	}
	assert_int_equal(chmod(path, entry->mode), 0);
	if (entry->tenants)
		assert_int_equal(chown(path, account_uid(TENANT), account_gid(TENANT)), 0);
}

static void
make_state(const struct host *host)
{
	char path[PATH_MAX];
	int file;

	assert_int_equal(mkdir(host->state, 0711), 0);
	(void)snprintf(path, sizeof(path), "%s/" OUTSIDE, host->root);
	assert_int_equal(mkdir(path, 0751), 0);
	(void)snprintf(path, sizeof(path), "%s/" OUTSIDE "/file", host->root);
	file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	assert_int_equal(write(file, "kept", 4), 4);
	assert_int_equal(close(file), 0);
}

static void
assert_outside_is_untouched(const struct host *host)
{
	char path[PATH_MAX];
	struct stat status;

	(void)snprintf(path, sizeof(path), "%s/" OUTSIDE, host->root);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0751);
	assert_int_equal(status.st_nlink, 2);
	(void)snprintf(path, sizeof(path), "%s/" OUTSIDE "/file", host->root);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0640);
	assert_int_equal(status.st_size, 4);
}

static void
what_we_have_not_made_in_the_state_directory_is_not_used(void **state)
{
	static const struct start start = {NULL, NULL, NULL};
	struct host *host = *state;
	const struct entry *entry;
	char what[64], path[PATH_MAX], reason[2 * PATH_MAX];

	make_service(host);
	for (entry = entries; entry < entries + COUNT(entries); entry++) {
		make_state(host);
		make_entry(host, entry);
		(void)snprintf(what, sizeof(what), "%s (row %td)", entry->name, entry - entries);
		in_state(
		    host, entry->named == NULL ? entry->name : entry->named, path, sizeof(path));
		(void)snprintf(reason, sizeof(reason),
		    "proclaunch: state directory: %s must be %s%s%s\n", path, entry->expected,
		    entry->error == 0 ? "" : ": ", entry->error == 0 ? "" : strerror(entry->error));
		assert_refused(host, &start, what, reason);
		assert_outside_is_untouched(host);
		host_remove(host, "../state");
		host_remove(host, "../" OUTSIDE);
	}
	/* ... and what cannot get its other name is not found when all is up already */
	assert_int_equal(mkdir(host->state, 0711), 0);
	make_entry(host, &(struct entry){"spare.pid", FILE_OF_OURS, 0644, false, NULL, NULL, 0});
	make_entry(host, &(struct entry){"proclaunch.pid", DIRECTORY, 0700, false, NULL, NULL, 0});
	assert_refused(host, &start, "both pid files",
	    "/proclaunch.pid must be " PID_FILE ": Not a directory");
	host_remove(host, "../state");
	/* or the table would pass for a program that can do nothing */
	host_start(host);
	(void)host_wait_running(host, "web");
	host_stop_all(host);
}

/* btrfs counts one link of each directory, and so does overlayfs where two of its layers have it.
 */
static void
the_state_directory_may_be_where_links_of_directories_are_not_counted(void **state)
{
	static const char *const made[] = {
	    "upper", "upper/empty", "lower", "lower/empty", "work", "../state"};
	struct host *host = *state;
	char layers[PATH_MAX - 64], path[PATH_MAX], options[3 * PATH_MAX];
	struct stat status;
	size_t i;

	make_service(host);
	(void)snprintf(layers, sizeof(layers), "%s/layers", host->root);
	assert_int_equal(mkdir(layers, 0755), 0);
	assert_int_equal(mount("layers", layers, "tmpfs", 0, "mode=755"), 0);
	for (i = 0; i < COUNT(made); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", layers, made[i]);
		assert_int_equal(mkdir(path, 0755), 0);
	}
	(void)snprintf(options, sizeof(options),
	    "lowerdir=%s/lower,upperdir=%s/upper,workdir=%s/work", layers, layers, layers);
	assert_int_equal(mount("layers", host->state, "overlay", 0, options), 0);
	in_state(host, "empty", path, sizeof(path));
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_nlink, 1);
	host_start(host);
	(void)host_wait_running(host, "web");
	host_stop_all(host);
}

/* --- the programs ---------------------------------------------------------------------------- */

static void
copy(const char *from, const char *folder, const char *name)
{
	char path[PATH_MAX + 32];
	struct stat status;
	int source = open(from, O_RDONLY | O_CLOEXEC), target;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	(void)unlink(path);
	target = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	assert_true(source != -1 && target != -1);
	assert_int_equal(fstat(source, &status), 0);
	assert_int_equal(sendfile(target, source, NULL, (size_t)status.st_size), status.st_size);
	assert_int_equal(close(source) | close(target), 0);
}

/* The built program, or that of the next version, into the folder. */
static void
copy_built(const char *release, const char *folder, const char *name)
{
	char parent[PATH_MAX - 64], path[PATH_MAX];

	(void)host_program("proclaunch", parent, sizeof(parent));
	*strrchr(parent, '/') = '\0';
	(void)snprintf(path, sizeof(path), "%s%s/%s", parent, release, name);
	copy(path, folder, name);
}

/* A program of ours in the place of another one. */
static void
copy_as(const char *program, const char *folder, const char *name)
{
	char path[PATH_MAX];

	copy(host_program(program, path, sizeof(path)), folder, name);
}

static void
programs_that_are_not_all_there_or_not_of_one_build_start_nothing(void **state)
{
	static const char other_build[] = "of another build than";
	static const char *const names[] = {"proclaunch-monitor", "proclaunch-spawner"};
	struct host *host = *state;
	char folder[PATH_MAX - 64], program[PATH_MAX], what[64];
	const struct start start = {program, NULL, NULL};
	size_t i;

	make_service(host);
	(void)snprintf(folder, sizeof(folder), "%s/bin", host->root);
	(void)snprintf(program, sizeof(program), "%s/proclaunch", folder);
	for (i = 0; i < COUNT(names); i++) {
		assert_int_equal(mkdir(folder, 0755), 0);
		copy_built("", folder, "proclaunch");
		copy_built("", folder, names[1 - i]);
		if (access(LIBEXECDIR, F_OK) == -1) /* where it would be looked for next */
			assert_refused(host, &start, names[i], " is neither in ");
		copy_built("/next", folder, names[i]);
		(void)snprintf(what, sizeof(what), "%s of another build", names[i]);
		assert_refused(host, &start, what, other_build);
		copy_as(names[1 - i], folder, names[i]);
		(void)snprintf(what, sizeof(what), "%s that is %s", names[i], names[1 - i]);
		assert_refused(host, &start, what, " ended at once, with status 1");
		copy("/bin/false", folder, names[i]);
		(void)snprintf(what, sizeof(what), "%s that ends", names[i]);
		assert_refused(host, &start, what, " ended at once, with status 1");
		assert_false(host_has_cgroups(host));
		host_remove(host, "../bin");
	}
}

/* --- the kernel ------------------------------------------------------------------------------ */

/* What of a start the kernel may refuse, in the order in which it comes. */
static const struct step {
	struct fault fault;
	const char *option;
	const char *reason;
} steps[] = {
    {{"background", SYS_pipe2, FAULT_ANY, 0, EMFILE}, "--log-level=info", "pipe2: "},
    {{"child in it", SYS_clone, FAULT_ANY, 0, EAGAIN}, "--log-level=info", "fork: "},
    {{"own session", SYS_setsid, FAULT_ANY, 0, EPERM}, "--log-level=info", "setsid: "},
    {{"life", SYS_setsid, FAULT_ANY, 0, FAULT_END}, "--log-level=info",
	"proclaunch: proclaunch ended at once, with signal 31"},
    {{"lock", SYS_fcntl, 1, F_SETLK, ENOLCK}, NULL, "state directory: lock: "},
    {{"subreaper", SYS_prctl, 0, PR_SET_CHILD_SUBREAPER, EINVAL}, NULL, "prctl: "},
    {{"non-dumpable", SYS_prctl, 0, PR_SET_DUMPABLE, EINVAL}, NULL, "prctl: "},
    {{"epoll", SYS_epoll_create1, FAULT_ANY, 0, EMFILE}, NULL, "epoll_create1: "},
    {{"signals blocked", SYS_rt_sigprocmask, 0, SIG_BLOCK, EINVAL}, NULL, "sigprocmask: "},
    {{"signals unblocked", SYS_rt_sigprocmask, 0, SIG_SETMASK, EINVAL}, NULL, "sigprocmask: "},
    {{"signalfd", SYS_signalfd4, FAULT_ANY, 0, EMFILE}, NULL, "signalfd: "},
    {{"events", SYS_epoll_ctl, FAULT_ANY, 0, ENOSPC}, NULL, "signalfd: "},
    {{"own directory", SYS_mkdirat, FAULT_ANY, 0, ENOSPC}, NULL, "state directory: "},
    {{"directory for output", SYS_mkdirat, 2, 0750, ENOSPC}, NULL, "/output must be "},
    {{"mode of the empty root", SYS_fchmod, 1, 0555, EPERM}, NULL, "state directory: empty: "},
    {{"mode", SYS_fchmod, FAULT_ANY, 0, EPERM}, NULL, ": Operation not permitted"},
    {{"socket", SYS_bind, FAULT_ANY, 0, ENOSPC}, NULL, "/control must be "},
    {{"socket's queue", SYS_listen, FAULT_ANY, 0, EADDRINUSE}, NULL, "/control must be "},
    {{"socket's mode", SYS_fchmodat, FAULT_ANY, 0, EPERM}, NULL, "/control must be "},
    {{"pid file", SYS_ftruncate, FAULT_ANY, 0, EIO}, NULL, "state directory: proclaunch.pid: "},
    {{"groups of who asks", SYS_setgroups, FAULT_ANY, 0, EPERM}, NULL, " without privileges: "},
    {{"its uid", SYS_setresuid, FAULT_ANY, 0, EPERM}, NULL, " without privileges: "},
    {{"its capabilities read", SYS_capget, FAULT_ANY, 0, EPERM}, NULL, " without privileges: "},
    {{"its capabilities", SYS_capset, FAULT_ANY, 0, EPERM}, NULL, " without privileges: "},
    {{"its end", SYS_prctl, 0, PR_SET_PDEATHSIG, EINVAL}, NULL, " without privileges: "},
    {{"its way back", SYS_prctl, 0, PR_SET_NO_NEW_PRIVS, EINVAL}, NULL, " without privileges: "},
    {{"channel to who asks", SYS_socketpair, FAULT_ANY, 0, EMFILE}, NULL,
	"the name services do not tell who _proclaunch is: Too many open files"},
    {{"who asks", SYS_clone, FAULT_ANY, 0, EAGAIN}, NULL,
	"the name services do not tell who _proclaunch is: Resource temporarily unavailable"},
    {{"its channel", SYS_dup2, FAULT_ANY, 0, EBADF}, NULL,
	"the name services do not tell who _proclaunch is: Connection reset by peer"},
    {{"last words", SYS_pipe2, FAULT_ANY, 0, EMFILE}, NULL, "cannot start "},
    {{"all others closed", SYS_close_range, 2, CLOSE_RANGE_CLOEXEC, EINVAL}, NULL,
	" ended at once, with status 1"},
    {{"exec", SYS_execveat, FAULT_ANY, 0, ENOEXEC}, NULL, " ended at once, with status 1"},
};

/* An ordinary user's, who needs nobody to be asked who the monitor is. */
static const struct step users_steps[] = {
    {{"channels", SYS_socketpair, FAULT_ANY, 0, EMFILE}, NULL, "cannot start "},
    {{"fork", SYS_clone, FAULT_ANY, 0, EAGAIN}, NULL, "cannot start "},
    {{"their descriptors", SYS_dup2, FAULT_ANY, 0, EBADF}, NULL, " ended at once, with status 1"},
};

static void
assert_each_refused(struct host *host, const struct step *tried, size_t count)
{
	size_t i;

	make_service(host);
	for (i = 0; i < count; i++) {
		const struct start start = {NULL, tried[i].option, &tried[i].fault};

		assert_refused(host, &start, tried[i].fault.name, tried[i].reason);
	}
}

static void
a_start_of_which_any_step_fails_says_which_and_executes_nothing(void **state)
{
	assert_each_refused(*state, steps, COUNT(steps));
}

/* What the parent gives up for itself, after all who have asked for it have done the same. */
static const struct fault kept[] = {
    {"its groups", SYS_setgroups, FAULT_ANY, 0, EPERM},
    {"its capabilities read", SYS_capget, FAULT_ANY, 0, EPERM},
    {"its capabilities", SYS_capset, FAULT_ANY, 0, EPERM},
};
#define LISTENER 100

/* As try_start(), with a fault that the parent alone meets. */
static bool
try_start_asked(struct host *host, const struct fault *fault, int *status, int said)
{
	const struct start start = {NULL, NULL, NULL};
	struct deadline deadline = deadline_in(SOON);
	bool met = false;
	int listener;

	host->supervisor = fork();
	assert_true(host->supervisor >= 0);
	if (host->supervisor == 0) {
		if (!fault_ask(fault, LISTENER) || raise(SIGSTOP) != 0)
			_exit(125);
		execute(host, &start, said);
	}
	assert_int_equal(waitpid(host->supervisor, status, WUNTRACED), host->supervisor);
	assert_true(WIFSTOPPED(*status));
	listener = peer_take(host->supervisor, LISTENER);
	assert_int_equal(kill(host->supervisor, SIGCONT), 0);
	while (waitpid(host->supervisor, status, WNOHANG) != host->supervisor) {
		met |= fault_answer(listener, host->supervisor, fault->error);
		deadline_pause(&deadline, "the start is refused", __FILE__, __LINE__);
	}
	host->supervisor = 0;
	assert_int_equal(close(listener), 0);
	return met;
}

static void
a_parent_that_cannot_give_up_its_capabilities_executes_nothing(void **state)
{
	struct host *host = *state;
	char said[4096], path[PATH_MAX];
	ssize_t length;
	int ends[2], status;
	size_t i;

	make_service(host);
	for (i = 0; i < COUNT(kept); i++) {
		assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
		if (!try_start_asked(host, &kept[i], &status, ends[1]))
			fail_msg("%s: the parent has not done it", kept[i].name);
		length = read(ends[0], said, sizeof(said) - 1);
		said[length < 0 ? 0 : length] = '\0';
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 1 ||
		    strstr(said, "capabilities: ") == NULL)
			fail_msg("%s: status %d, \"%s\"", kept[i].name, status, said);
		assert_int_equal(close(ends[0]) | close(ends[1]), 0);
		wait_until(host_processes(host) == 0);
		assert_int_equal(access(host_path(host, "web/ran", path, sizeof(path)), F_OK), -1);
	}
}

static void
an_ordinary_users_start_of_which_any_step_fails_says_which_and_executes_nothing(void **state)
{
	assert_each_refused(*state, users_steps, COUNT(users_steps));
}

/* What of a birth the kernel may refuse the parent. */
static const struct fault unborn[] = {
    {"records", SYS_pwrite64, 2, 512, ENOSPC}, /* though its space was reserved */
    {"FIFO's owner", SYS_fchown, FAULT_ANY, 0, EPERM},
};
static const struct fault *no_birth; /* before_exec has no argument */
static const struct fault no_watches[] = {
    {"watches", SYS_inotify_init1, FAULT_ANY, 0, EMFILE},
    {"a watch", SYS_inotify_add_watch, FAULT_ANY, 0, ENOSPC},
};
static const struct fault *no_watch;

static void
refuse_births(void)
{
	if (!fault_install(no_birth))
		_exit(125);
}

static void
refuse_watches(void)
{
	if (!fault_install(no_watch))
		_exit(125);
}

/* Nobody would remember it, or it would print into what is not its own. */
static void
a_service_whose_record_or_output_cannot_be_made_is_not_executed(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX];
	size_t i;

	make_service(host);
	host_chown(host, "web", TENANT); /* root's own would find the FIFO its own */
	for (i = 0; i < COUNT(unborn); i++) {
		no_birth = &unborn[i];
		host->before_exec = refuse_births;
		host_start(host);
		host_wait_log(host, " WARN  web cannot start: .*: %s$", strerror(no_birth->error));
		host_settle(host);
		assert_int_equal(access(host_path(host, "web/ran", path, sizeof(path)), F_OK), -1);
		assert_int_equal(host_count_log(host, " web (running|died)"), 0);
		host_stop_all(host);
		host_mark_log(host);
	}
}

static void
without_inotify_it_says_so_and_looks_every_rescan_seconds(void **state)
{
	struct host *host = *state;
	size_t i;

	host->before_exec = refuse_watches;
	for (i = 0; i < COUNT(no_watches); i++) {
		no_watch = &no_watches[i];
		host_mark_log(host);
		host_start_with(host, "--rescan=1", NULL);
		host_wait_log(host,
		    " WARN  ProcLaunch cannot watch (anything|the profiles directory): %s\\. "
		    "Changes are",
		    strerror(no_watch->error));
		make_service(host);
		(void)host_wait_running(host, "web");
		host_remove(host, "web");
		host_wait_log(host, " web stopped$");
		host_stop_all(host);
	}
}

/* It is for the parent's own use: a lock that was not kept must not be done without. */
static void
a_false_word_of_an_upgrade_starts_nothing(void **state)
{
	static const struct {
		const char *told;
		const char *reason;
	} words[] = {
	    {"", "PROCLAUNCH_UPGRADE is set: it is for the parent's own use"},
	    {"2.0.0 3", "PROCLAUNCH_UPGRADE is set: it is for the parent's own use"},
	    {"2.0.0 900 901 /nowhere", "/nowhere: No such file or directory"},
	    {"2.0.0 900 901 /", "the lock was not kept: Bad file descriptor"},
	    {"2.0.0 -1 -1 /", "the lock was not kept: Bad file descriptor"},
	};
	static const struct start start = {NULL, NULL, NULL};
	struct host *host = *state;
	size_t i;

	make_service(host);
	for (i = 0; i < COUNT(words); i++) {
		assert_int_equal(setenv("PROCLAUNCH_UPGRADE", words[i].told, 1), 0);
		assert_refused(host, &start, words[i].told, words[i].reason);
	}
	assert_int_equal(unsetenv("PROCLAUNCH_UPGRADE"), 0);
}

/* Two that start at the same moment find no lock; one of them gets it. */
static void
who_is_a_moment_too_late_for_the_lock_leaves_as_who_comes_later(void **state)
{
	static const struct fault taken = {"lock", SYS_fcntl, 1, F_SETLK, EAGAIN};
	const struct start starts[] = {{NULL, NULL, &taken}, {NULL, "--log-level=info", &taken}};
	struct host *host = *state;
	char said[256], path[PATH_MAX];
	size_t i;

	make_service(host);
	for (i = 0; i < COUNT(starts); i++) { /* in the foreground, in the background */
		assert_int_equal(try_start(host, &starts[i], said, sizeof(said)), 0);
		assert_string_equal(said, "");
		wait_until(host_processes(host) == 0);
		assert_int_equal(access(host_path(host, "web/ran", path, sizeof(path)), F_OK), -1);
	}
}

static const struct fault no_kind = {"kind of file system", SYS_fstatfs, FAULT_ANY, 0, EIO};

static void
hide_kinds(void)
{
	if (!fault_install(&no_kind))
		_exit(125);
}

/* What is mounted there may be said to be a hierarchy and be none. */
static void
what_is_not_known_to_be_a_hierarchy_of_cgroups_is_not_used_as_one(void **state)
{
	struct host *host = *state;

	make_service(host);
	host->before_exec = hide_kinds;
	host_start(host);
	host_wait_log(host, " WARN  ProcLaunch no writable cgroup v2 hierarchy");
	(void)host_wait_running(host, "web");
	host_stop_all(host);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROOT_TEST(what_we_have_not_made_in_the_state_directory_is_not_used),
	    ROOT_TEST(the_state_directory_may_be_where_links_of_directories_are_not_counted),
	    ROOT_TEST(programs_that_are_not_all_there_or_not_of_one_build_start_nothing),
	    ROOT_TEST(a_start_of_which_any_step_fails_says_which_and_executes_nothing),
	    ROOT_TEST(a_parent_that_cannot_give_up_its_capabilities_executes_nothing),
	    TENANT_TEST(
		an_ordinary_users_start_of_which_any_step_fails_says_which_and_executes_nothing),
	    ROOT_TEST(a_service_whose_record_or_output_cannot_be_made_is_not_executed),
	    ROOT_TEST(who_is_a_moment_too_late_for_the_lock_leaves_as_who_comes_later),
	    ROOT_TEST(what_is_not_known_to_be_a_hierarchy_of_cgroups_is_not_used_as_one),
	    ROOT_TEST(a_false_word_of_an_upgrade_starts_nothing),
	    ROOT_TEST(without_inotify_it_says_so_and_looks_every_rescan_seconds),
	};

	return cmocka_run_group_tests_name("refused starts", tests, NULL, NULL);
}
