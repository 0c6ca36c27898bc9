#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <linux/fs.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "channel.h"
#include "files.h"
#include "logfile.h"
#include "path.h"
#include "report.h"
#include "survey.h"

#define PID_FILE       "proclaunch.pid"
#define SPARE_PID_FILE "spare.pid"
/* How often another one's lock is looked at, and the milliseconds in between. */
#define LOCK_LOOKS 25
#define LOCK_PAUSE 20

static int state = -1;
static const char *state_path = ""; /* as it was named */
static int lock_file = -1;
static int control_socket = -1;
static char log_folder[PATH_MAX];
static char log_name[NAME_MAX + 2]; /* one that is too long is refused, not cut */
static bool log_to_terminal, log_waits;

int
files_open_state(const char *path)
{
	struct stat status = {.st_uid = (uid_t)-1};

	state_path = path;
	state = path_open("state directory", path, 0711);
	if (fstat(state, &status) == -1 || status.st_uid != geteuid())
		fatalx(
		    "state directory: %s belongs to uid %u and not to uid %u, who runs this: chown"
		    " it, or name another",
		    path, status.st_uid, geteuid());
	return state;
}

_Noreturn void
files_refuse(int error, const char *name, const char *kind, mode_t mode)
{
	report_and_exit(error,
	    "state directory: %s/%s must be %s of uid %u alone, mode %04o, or be moved away",
	    state_path, name, kind, geteuid(), mode);
}

/* Others may do no more with it than the mode says. Returns its size. */
static off_t
check_own(int opened, const char *name, mode_t type, mode_t mode)
{
	const char *kind = type == S_IFDIR ? "a directory" : "a plain file";
	struct stat status;

	if (opened == -1 || fstat(opened, &status) == -1)
		files_refuse(errno, name, kind, mode);
	if ((status.st_mode & S_IFMT) != type || status.st_uid != geteuid() ||
	    (type == S_IFREG && status.st_nlink != 1) || (status.st_mode & 077 & ~mode) != 0)
		files_refuse(0, name, kind, mode);
	return status.st_size;
}

int
files_open_plain(int directory, const char *name, mode_t mode)
{
	int file =
	    openat(directory, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, mode);

	/* btrfs would write elsewhere than where room has been made; no other one knows the flag */
	if (check_own(file, name, S_IFREG, mode) == 0)
		(void)ioctl(file, FS_IOC_SETFLAGS, &(int){FS_NOCOW_FL});
	return file;
}

/* Whoever may read a directory can keep such a lock of it, flock(2), and us from starting; nobody
 * else may read the one that we have made. */
static bool
is_locked(int directory)
{
	struct stat status;

	return fstat(directory, &status) == 0 && (status.st_mode & (S_IRGRP | S_IROTH)) == 0 &&
	    flock(directory, LOCK_EX | LOCK_NB) == -1 && errno == EWOULDBLOCK;
}

bool
files_take_locks(int file, int directory)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int looks = 0;

	while (fcntl(file, F_SETLK, &lock) == -1 || is_locked(directory)) {
		if (errno != EAGAIN && errno != EACCES)
			fatal("state directory: lock");
		if (looks++ == LOCK_LOOKS)
			return false;
		(void)poll(NULL, 0, LOCK_PAUSE);
	}
	return true;
}

/*
 * A record lock, fcntl(2): to take it one must be able to write to the file, which is ours alone;
 * flock(2) would let everybody who can read it keep us from starting. It goes with the process, and
 * no child inherits it. Who was killed lets go of it any moment: whoever starts us again at once is
 * not told that all is up when nothing is.
 */
bool
files_lock(void)
{
	/* stays open: closing it would give up the lock */
	lock_file = files_open_plain(state, "lock", 0600);
	return files_take_locks(lock_file, -1);
}

void
files_inherit_lock(int descriptor)
{
	lock_file = descriptor;
	if (fcntl(descriptor, F_GETFD) == -1)
		fatal("the lock was not kept");
}

void
files_keep(int *lock, int *control)
{
	/* cannot fail on open files */
	(void)fcntl(lock_file, F_SETFD, 0);
	(void)fcntl(control_socket, F_SETFD, 0);
	*lock = lock_file;
	*control = control_socket;
}

void
files_open_control(int inherited)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	control_socket = inherited;
	if (inherited != -1)
		return;
	/* by way of the descriptor: the path may be longer than an address, unix(7) */
	(void)snprintf(
	    address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/control", state);
	control_socket = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	(void)unlinkat(state, "control", 0); /* of one that was killed */
	if (control_socket == -1 ||
	    bind(control_socket, (struct sockaddr *)&address, sizeof(address)) == -1 ||
	    fchmodat(state, "control", 0666, 0) == -1 || listen(control_socket, SOMAXCONN) == -1)
		files_refuse(errno, "control", "a socket", 0666);
	channel_refuse_descriptors(control_socket); /* and those that are accepted on it */
}

int
files_control(void)
{
	return control_socket;
}

void
files_write_pid(void)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%d\n", getpid()), file;

	/* of one that was killed */
	if (renameat(state, PID_FILE, state, SPARE_PID_FILE) == -1 && errno != ENOENT)
		files_refuse(errno, PID_FILE, "a plain file", 0644);
	file = files_open_plain(state, SPARE_PID_FILE, 0644);
	if (fchmod(file, 0644) == -1 || write(file, text, (size_t)length) != length ||
	    ftruncate(file, length) == -1 || close(file) == -1)
		fatal("state directory: " PID_FILE);
}

void
files_show_pid(void)
{
	if (renameat(state, SPARE_PID_FILE, state, PID_FILE) == -1)
		fatal("state directory: " PID_FILE);
}

void
files_hide_pid(void)
{
	/* it may not be there; and when we leave, whatever holds it back, there it stays */
	(void)renameat(state, PID_FILE, state, SPARE_PID_FILE);
}

const char *
files_name(const char *prefix, const char *profile, const char *suffix)
{
	static char name[FULL_NAME_BYTES + 32];
	size_t slash = strlen(prefix) + strcspn(profile, "/");

	(void)snprintf(name, sizeof(name), "%s%s%s", prefix, profile, suffix);
	if (strchr(profile, '/') != NULL)
		name[slash] = '%';
	return name;
}

int
files_open_own(const char *name, mode_t mode)
{
	int opened = -1;

	if (mkdirat(state, name, mode) == 0 || errno == EEXIST)
		opened = openat(state, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	(void)check_own(opened, name, S_IFDIR, mode);
	return opened;
}

/* Yes when it cannot be read. */
static bool
anything_stands_in(int directory)
{
	DIR *stream = survey_open(directory);
	const struct dirent *entry = NULL;

	while (stream != NULL && (entry = readdir(stream)) != NULL &&
	    entry->d_name[strspn(entry->d_name, ".")] == '\0')
		; /* itself, and the one above it */
	if (stream != NULL)
		(void)closedir(stream);
	return stream == NULL || entry != NULL;
}

int
files_open_empty(void)
{
	int empty = files_open_own("empty", 0555);

	if (fchmod(empty, 0555) == -1)
		fatal("state directory: empty");
	/* not by its links, which btrfs does not count for directories and nobody for files */
	if (anything_stands_in(empty))
		files_refuse(0, "empty", "an empty directory", 0555);
	return empty;
}

int
files_make_empty(void)
{
	char path[] = "/tmp/proclaunch-check-XXXXXX";
	int empty;

	if (mkdtemp(path) == NULL)
		fatal("%s", path);
	empty = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (rmdir(path) == -1 || empty == -1)
		fatal("%s", path);
	return empty;
}

void
files_configure_log(const char *path, const char *profiles_directory)
{
	struct file_facts facts = {.age = 0};
	const char *slash = path == NULL ? NULL : strrchr(path, '/');
	int opened;

	log_to_terminal = path != NULL && strcmp(path, "-") == 0;
	log_waits = profiles_directory == NULL; /* --check: all that it says is to come out */
	if (log_to_terminal)
		return;
	if (path == NULL)
		(void)snprintf(log_folder, sizeof(log_folder), "%s", profiles_directory);
	else if (slash != NULL) /* it is absolute, or else "", and refused */
		(void)snprintf(log_folder, sizeof(log_folder), "%.*s",
		    (int)(slash == path ? 1 : slash - path), path);
	(void)snprintf(log_name, sizeof(log_name), "%s", slash == NULL ? "error.log" : slash + 1);
	(void)close(path_open("log directory", log_folder, 0));
	opened = files_open_log(&facts, false);
	if (opened == -1) {
		errno = facts.error;
		fatal("log: %s/%s must be a plain file of uid %u, mode 0640, with no other name",
		    log_folder[1] == '\0' ? "" : log_folder, log_name, geteuid());
	}
	(void)close(opened);
}

/* An open file of its own, if it can be had: whoever stops reading it holds up nobody, and whoever
 * shares ours is not made not to wait. */
static int
open_standard_error(void)
{
	int file = -1;

	if (!log_waits)
		file = open(
		    "/proc/self/fd/2", O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return file != -1 ? file : fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
}

int
files_open_log(struct file_facts *facts, bool read)
{
	int file;

	if (log_to_terminal) {
		file = read ? -1 : open_standard_error();
		facts->error = file == -1 ? ENOENT : 0;
		facts->nameless = 1;
		return file;
	}
	/* by its path each time: it may have been deleted or moved away since */
	return logfile_open(path_try(log_folder), log_name, facts, read);
}

void
files_rotate_log(unsigned keep)
{
	int oldest = log_to_terminal ? -1 : logfile_rotate(path_try(log_folder), log_name, keep);

	descriptor_close(oldest);
}
