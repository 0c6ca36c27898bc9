#include <sys/mman.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "births.h"
#include "build.h"
#include "children.h"
#include "clock.h"
#include "files.h"
#include "inform.h"
#include "leave.h"
#include "nofile.h"
#include "path.h"
#include "privdrop.h"
#include "processes.h"
#include "report.h"
#include "upgrade.h"

/* Where the old parent tells the new one its version, the descriptor of the lock and its directory.
 */
#define VARIABLE "PROCLAUNCH_UPGRADE"
/* How long a new binary may take to name its version, and a service to come through its exec. */
#define PROVED_WITHIN (5 * SECOND)

/* All were tried: the new ones may take over as soon as no birth is under way. */
enum { PARENT, MONITOR, SPAWNER, ALL };

static unsigned tried;	  /* which of them is tried, one after the other */
static pid_t probe;	  /* who tries it; 0: it has ended */
static int said = -1;	  /* where it says its version */
static char version[128]; /* what the new parent has said: the others must say the same */

static char own_path[PATH_MAX];
static char directory[PATH_MAX];
static char **own_arguments;
static char old_version[32];
static int inherited_control = -1;
static uid_t probe_uid;
static gid_t probe_gid;
static int64_t give_up_at = NEVER;

const char *
upgrade_remember(char **arguments)
{
	const char *told = getenv(VARIABLE);
	ssize_t length = readlink("/proc/self/exe", own_path, sizeof(own_path) - 1);
	int lock = -1, control = -1, read_until = 0;

	if (length <= 0)
		fatal("/proc/self/exe");
	own_path[length] = '\0';
	own_arguments = arguments;
	if (told != NULL &&
	    sscanf(told, "%31s %d %d %n", old_version, &lock, &control, &read_until) != 3)
		fatalx(VARIABLE " is set: it is for the parent's own use");
	/* relative paths on the command line mean the directory that we were first started in */
	if (told != NULL && chdir(told + read_until) == -1)
		fatal("%s", told + read_until);
	(void)unsetenv(VARIABLE);
	if (told != NULL)
		files_inherit_lock(lock);
	inherited_control = control;
	return told == NULL ? NULL : old_version;
}

const char *
upgrade_own_path(void)
{
	return own_path;
}

int
upgrade_control(void)
{
	return inherited_control;
}

void
upgrade_configure(uid_t uid, gid_t gid)
{
	if (getcwd(directory, sizeof(directory)) == NULL)
		fatal("getcwd");
	probe_uid = uid;
	probe_gid = gid;
}

/* The one that is tried; ours when all were. */
static const char *
path_tried(void)
{
	if (tried == MONITOR || tried == SPAWNER)
		return children_path(tried == MONITOR ? CHILD_MONITOR : CHILD_SPAWNER);
	return own_path;
}

/* Between fork and exec: system calls only. */
static void
run_probe(const char *path, int output)
{
	static char option[] = "--version";
	char *arguments[] = {(char *)(uintptr_t)path, option, NULL};
	char *environment[] = {NULL};
	int binary =
	    open(path, O_PATH); /* as root, who may enter its folder; a script needs it too */

	if (dup2(output, STDOUT_FILENO) == -1 || nofile_restore() == -1)
		return;
	if (geteuid() == 0 && privdrop(probe_uid, probe_gid, NULL, 0) != STAGE_NONE)
		return;
	(void)execveat(binary, "", arguments, environment, AT_EMPTY_PATH);
}

static void
end_probe(void)
{
	descriptor_close(said);
	said = -1;
	probe = 0;
}

static void
abandon(int error)
{
	if (probe > 0)
		(void)kill(probe, SIGKILL); /* our child, not reaped yet */
	end_probe();
	give_up_at = NEVER;
	births_hold(false);
	inform_report(REPORT_NOT_UPGRADED, error, path_tried());
}

static void
start_probe(void)
{
	/* a file without a name, which has room for the line and does not grow */
	said = memfd_create("version", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (said != -1 && ftruncate(said, sizeof(version) - 1) == 0 &&
	    fcntl(said, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) == 0)
		probe = fork();
	else
		probe = -1;
	if (probe == 0) {
		run_probe(path_tried(), said);
		_exit(127);
	}
	if (probe == -1)
		abandon(errno);
}

/* Who has taken over can only end when it cannot begin: so what it needs is looked at before. */
static bool
is_spoilt(void)
{
	struct file_facts facts = {.age = 0};
	const char *path = path_spoilt();
	int log;

	if (path == NULL) {
		log = files_open_log(&facts, false);
		if (log != -1) {
			(void)close(log);
			return false;
		}
		path = "the log";
		errno = (int)facts.error;
	}
	inform_report(REPORT_NOT_UPGRADED, errno, path);
	return true;
}

void
upgrade_begin(void)
{
	if (give_up_at != NEVER || is_spoilt())
		return; /* one is under way, or would be in vain */
	give_up_at = clock_now() + PROVED_WITHIN;
	tried = PARENT;
	start_probe();
}

void
upgrade_reaped(const siginfo_t *how)
{
	char line[sizeof(version)] = "";
	bool failed = how->si_code != CLD_EXITED || how->si_status != 0;

	if (probe == 0 || how->si_pid != probe)
		return;
	failed = failed || pread(said, line, sizeof(line) - 1, 0) <= 0 || line[0] == '\0';
	end_probe();
	if (tried == PARENT)
		memcpy(version, line, sizeof(version));
	if (failed)
		abandon(ENOEXEC);
	else if (strcmp(line, version) != 0)
		abandon(EXDEV);
	else if (++tried < ALL)
		start_probe();
	else
		births_hold(true);
}

static bool
tell_successor(void)
{
	char text[PATH_MAX + 64];
	int lock, control;

	files_keep(&lock, &control);
	(void)snprintf(
	    text, sizeof(text), "%s %d %d %s", PROCLAUNCH_VERSION, lock, control, directory);
	return setenv(VARIABLE, text, 1) == 0;
}

/* The point of no return, or nearly: when the exec fails the old binaries go on. */
static void
take_over(void)
{
	int error;

	children_end(true);
	processes_keep();
	if (tell_successor() && chdir(directory) == 0 && nofile_restore() == 0)
		(void)execv(own_path, own_arguments);
	error = errno;
	(void)nofile_raise();
	(void)close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC); /* nothing is kept */
	abandon(error);
	children_go_on();
}

int64_t
upgrade_deadline(void)
{
	return give_up_at;
}

void
upgrade_tend(int64_t now)
{
	if (give_up_at == NEVER)
		return;
	if (leave_intended()) {
		tried = ALL; /* no binary is at fault: the new ones would not know */
		abandon(ECANCELED);
	} else if (tried == ALL &&
	    ((!births_under_way() && inform_written()) || now >= give_up_at)) {
		take_over();
	} else if (now >= give_up_at) {
		abandon(ETIMEDOUT);
	}
}
