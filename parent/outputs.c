#include <sys/ioctl.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "files.h"
#include "inform.h"
#include "logfile.h"
#include "outputs.h"
#include "path.h"
#include "procfs.h"
#include "report.h"
#include "trust.h"

/* NAME, "%", ".err.log" */
#define FILE_NAME_BYTES (FULL_NAME_BYTES + 16)

/*
 * All FIFOs of a user share what pipe(7) calls pipe-user-pages-soft, which is 1,024 of the usual
 * size; where that is used up none can be made larger, and a long line would be split. So those
 * beyond the first ones begin small, and the monitor enlarges the few that need it.
 */
#define USUAL_FIFOS	 256
#define SMALL_FIFO_BYTES 16384

/* Descriptors that the monitor needs for other things than FIFOs: clients, log files. */
#define RESERVED 512

static uint32_t fifos_max, fifos_made;
static uint32_t held_max, fifos_held;
static unsigned fifos_stuck;
static int state = -1;
static int fifos = -1;
static const char *outputs_path; /* NULL: STATE_DIR/output */

void
outputs_limit(uint32_t descriptors)
{
	/* a host that permits few of them at all has some services nevertheless */
	fifos_max = descriptors > 8 * RESERVED / 7 ? descriptors - RESERVED : descriptors / 8;
	/* a pidfd for each service comes first, and births need some */
	held_max =
	    descriptors / 2 > 4 * RESERVED ? descriptors / 2 - 2 * RESERVED : descriptors / 4;
}

/* A directory of ours in that one, made where it is missing. The caller owns the descriptor; -1
 * with errno, also where somebody else may write to it, who could have us read out what is root's.
 */
static int
open_ours(int above, const char *name)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	struct stat status;
	int opened = openat(above, name, flags);

	if (opened == -1 && errno == ENOENT && mkdirat(above, name, 0750) == 0)
		opened = openat(above, name, flags);
	if (opened == -1 ||
	    (fstat(opened, &status) == 0 && trust_owner(&status, geteuid()) == REFUSAL_NONE))
		return opened;
	(void)close(opened);
	errno = EPERM;
	return -1;
}

/* Where the profile's files are: a tenant's in one of his own. By its path each time: it may have
 * been deleted, moved away or mounted over since. Likewise. */
static int
open_outputs(const char *profile)
{
	int outputs = outputs_path != NULL ? path_try(outputs_path) : open_ours(state, "output");
	const char *slash = strchr(profile, '/');
	char tenant[FULL_NAME_BYTES];
	int opened;

	if (outputs == -1 || slash == NULL)
		return outputs;
	(void)snprintf(tenant, sizeof(tenant), "%.*s", (int)(slash - profile), profile);
	opened = open_ours(outputs, tenant);
	descriptor_close(outputs);
	return opened;
}

void
outputs_open(int state_directory, const char *path)
{
	int outputs;

	state = state_directory;
	outputs_path = path;
	fifos = files_open_own("fifo", 0700);
	outputs = path != NULL ? path_open("output directory", path, 0) : open_outputs("");
	if (outputs == -1)
		files_refuse(errno, "output", "a directory", 0750);
	(void)close(outputs);
}

static const char *
fifo_name(const struct profile *profile, enum stream stream)
{
	return files_name("", profile->facts.name, stream == STREAM_ERROR ? ".err" : ".out");
}

/* Opens one that stands there. For reading and writing, so that nobody's death closes it, fifo(7),
 * and blocking, as a service expects it; the monitor never waits all the same. */
static int
open_fifo(const char *name)
{
	struct stat status;
	int fifo = openat(fifos, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);

	if (fifo != -1 && fstat(fifo, &status) == 0 && S_ISFIFO(status.st_mode))
		return fifo;
	if (fifo != -1) {
		(void)close(fifo);
		errno = EEXIST; /* something else stands there, which only root can have put */
	}
	return -1;
}

/* Makes one in the place of whatever stands there. Our own group may open it too, so that the next
 * parent can when it is no longer ours; nobody else can enter the directory. */
static int
make_fifo(const char *name)
{
	int fifo;

	if ((mkfifoat(fifos, name, 0660) == -1 &&
		(errno != EEXIST || unlinkat(fifos, name, 0) == -1 ||
		    mkfifoat(fifos, name, 0660) == -1)) ||
	    fchmodat(fifos, name, 0660, 0) == -1)
		return -1;
	fifo = open_fifo(name);
	if (fifo != -1 && fifos_made >= USUAL_FIFOS)
		(void)fcntl(fifo, F_SETPIPE_SZ, SMALL_FIFO_BYTES);
	return fifo;
}

static uid_t
owner_of(int fifo)
{
	struct stat status;

	return fstat(fifo, &status) == -1 ? (uid_t)-1 : status.st_uid;
}

static void
hold(struct profile *profile, enum stream stream, int fifo)
{
	profile->fifos[stream] = fifo;
	fifos_held++;
	if ((profile->streams & 1U << stream) == 0)
		fifos_made++;
	profile->streams |= 1U << stream;
}

static void
let_go(struct profile *profile, enum stream stream)
{
	if (profile->fifos[stream] == -1)
		return;
	(void)close(profile->fifos[stream]);
	profile->fifos[stream] = -1;
	fifos_held--;
}

/* There is no such FIFO any more. */
static void
lose(struct profile *profile, enum stream stream)
{
	let_go(profile, stream);
	if ((profile->streams & 1U << stream) != 0)
		fifos_made--;
	profile->streams &= ~(1U << stream);
	fifos_stuck -= profile->stuck[stream] != 0;
	profile->stuck[stream] = 0;
}

int
outputs_hold(struct profile *profile, enum stream stream)
{
	int fifo;

	if (profile->fifos[stream] != -1 || (profile->streams & 1U << stream) == 0)
		return profile->fifos[stream];
	errno = EBUSY; /* to open it would keep us as well */
	if (profile->stuck[stream] != 0)
		return -1;
	fifo = open_fifo(fifo_name(profile, stream));
	if (fifo != -1)
		hold(profile, stream, fifo);
	else if (errno != EMFILE && errno != ENFILE && errno != ENOMEM)
		lose(profile, stream); /* its user may have shut it: the next service has another */
	return fifo;
}

void
outputs_release(struct profile *profile)
{
	unsigned stream;

	for (stream = 0; stream < STREAM_COUNT && fifos_held > held_max; stream++)
		if ((profile->fifos_due & 1U << stream) == 0)
			let_go(profile, (enum stream)stream);
}

int
outputs_for_service(struct profile *profile, enum stream stream, uid_t uid)
{
	int fifo = outputs_hold(profile, stream), off = 0;

	/* It has been another user's, who may still have it open. The monitor has it, until it has
	 * read what stands there. */
	if (fifo != -1 && owner_of(fifo) != uid)
		lose(profile, stream);
	fifo = profile->fifos[stream];
	if (fifo == -1 && (profile->streams & 1U << stream) != 0)
		return -1; /* it could not be opened now */
	if (fifo == -1) {
		errno = EMFILE;
		if (fifos_made < fifos_max)
			fifo = make_fifo(fifo_name(profile, stream));
		if (fifo == -1)
			return -1;
		hold(profile, stream, fifo);
		profile->fifos_due |= 1U << stream;
		if (uid == geteuid())
			return fifo; /* as it was made */
	}
	/* a service before may have made it non-blocking; F_SETFL would set O_ASYNC too, as it was
	 * a moment ago, and to change that takes a lock that the service may hold; nor may we give
	 * away again what is the service's already, and was made set-user-ID by it */
	if (ioctl(fifo, FIONBIO, &off) == -1 ||
	    (owner_of(fifo) != uid && fchown(fifo, uid, getegid()) == -1))
		return -1;
	return fifo;
}

void
outputs_find_stuck(pid_t monitor)
{
	struct stat where, own;
	unsigned stream;

	if (!procfs_waits_in(monitor, &where))
		return;
	PROFILES_FOREACH(profile) {
		for (stream = 0; stream < STREAM_COUNT; stream++) {
			if ((profile->streams & 1U << stream) == 0 ||
			    fstatat(fifos, fifo_name(profile, (enum stream)stream), &own,
				AT_SYMLINK_NOFOLLOW) == -1 ||
			    own.st_ino != where.st_ino || own.st_dev != where.st_dev)
				continue;
			profile->stuck[stream] = monitor;
			fifos_stuck++;
			profile->fifos_due &= ~(1U << stream);
			inform_report(REPORT_FIFO_STUCK, 0, profile->facts.name);
		}
	}
}

void
outputs_let_go(pid_t monitor)
{
	unsigned stream;

	if (fifos_stuck == 0)
		return; /* as for every orphan that a service has left to us */
	PROFILES_FOREACH(profile) {
		for (stream = 0; stream < STREAM_COUNT; stream++) {
			if (profile->stuck[stream] != monitor)
				continue;
			profile->stuck[stream] = 0;
			fifos_stuck--;
			inform_streams(profile);
		}
	}
}

void
outputs_keep(const struct profile *profile)
{
	unsigned stream;

	for (stream = 0; stream < STREAM_COUNT; stream++)
		if (profile->fifos[stream] != -1)
			(void)fcntl(profile->fifos[stream], F_SETFD, 0);
}

void
outputs_find(struct profile *profile)
{
	unsigned stream;

	for (stream = 0; stream < STREAM_COUNT; stream++) {
		if (profile->fifos[stream] == -1 &&
		    faccessat(fifos, fifo_name(profile, (enum stream)stream), F_OK,
			AT_SYMLINK_NOFOLLOW) == -1)
			continue;
		profile->streams |= 1U << stream;
		fifos_made++;
		if (profile->fifos[stream] != -1) /* an upgrade has kept it */
			fifos_held++;
		else if (fifos_held < held_max)
			(void)outputs_hold(profile, (enum stream)stream);
	}
}

void
outputs_forget(struct profile *profile)
{
	unsigned stream;

	for (stream = 0; stream < STREAM_COUNT; stream++) {
		(void)unlinkat(fifos, fifo_name(profile, (enum stream)stream), 0);
		lose(profile, (enum stream)stream);
	}
}

/* "web.log", "web.err.log". No file is two profiles': or who runs as one of them could read what
 * the other prints. So for a profile called web.err it is "web.err%.log". */
static const char *
file_name(const struct profile *profile, enum stream stream)
{
	static char name[FILE_NAME_BYTES];
	const char *slash = strchr(profile->facts.name, '/');
	const char *own = slash == NULL ? profile->facts.name : slash + 1;
	const char *last = strrchr(own, '.');

	(void)snprintf(name, sizeof(name), "%s%s.log", own,
	    stream == STREAM_ERROR			    ? ".err"
		: last != NULL && strcmp(last, ".err") == 0 ? "%"
							    : "");
	return name;
}

int
outputs_open_file(const struct profile *profile, struct file_facts *facts, bool read)
{
	return logfile_open(open_outputs(profile->facts.name),
	    file_name(profile, (enum stream)facts->stream), facts, read);
}

void
outputs_rotate(struct profile *profile, const struct file_facts *facts)
{
	int64_t begun = clock_now();

	inform_remains(logfile_rotate(open_outputs(profile->facts.name),
	    file_name(profile, (enum stream)facts->stream), facts->keep));
	profile->put_aside_ms = (uint32_t)((clock_now() - begun) / MILLISECOND);
}
