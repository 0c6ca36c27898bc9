#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "logfile.h"

/* A plain file of ours with no other link: anything else is somebody's attempt to have us write to
 * it. */
static bool
is_own(int file, const struct stat *status)
{
	errno = EPERM;
	return S_ISREG(status->st_mode) && status->st_uid == geteuid() && status->st_nlink == 1 &&
	    ((status->st_mode & ALLPERMS) == 0640 || fchmod(file, 0640) == 0);
}

/* NAME, NAME.1 and so on; good until the next call but one. */
static const char *
aged(const char *name, unsigned age)
{
	static char names[2][NAME_MAX + FULL_NAME_BYTES];
	static unsigned turn;
	char *old = names[turn++ % 2]; /* a rename needs two */

	(void)snprintf(old, sizeof(names[0]), age == 0 ? "%s" : "%s.%u", name, age);
	return old;
}

int
logfile_open(int directory, const char *name, struct file_facts *facts, bool read)
{
	/* to be written it is opened for reading too: a new monitor looks whether the last one was
	 * killed in the middle of a line */
	int flags = read ? O_RDONLY : O_RDWR | O_APPEND | O_CREAT | O_NOCTTY, file = -1;
	struct stat status = {.st_size = 0};

	if (directory != -1)
		file = openat(directory, aged(name, facts->age),
		    flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0640);
	facts->error = file == -1 || fstat(file, &status) == -1 || (!read && !is_own(file, &status))
	    ? errno
	    : 0;
	facts->size = (uint64_t)status.st_size;
	descriptor_close(directory);
	if (facts->error == 0)
		return file;
	descriptor_close(file);
	return -1;
}

/* A write lease is for one whom nobody else has open, fcntl(2): who reads it shall read all of it.
 * It is given back, or SIGIO would end us should root open it by /proc. */
static int
remove_name(int directory, const char *name)
{
	int file = openat(directory, name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat status;

	(void)unlinkat(directory, name, 0);
	if (file != -1 && fstat(file, &status) == 0 && status.st_nlink == 0 &&
	    fcntl(file, F_SETLEASE, F_WRLCK) == 0 && fcntl(file, F_SETLEASE, F_UNLCK) == 0)
		return file;
	descriptor_close(file);
	return -1;
}

int
logfile_rotate(int directory, const char *name, unsigned keep)
{
	unsigned age;
	int oldest;

	if (directory == -1)
		return -1; /* who opens the file hears why */
	/* The oldest is not replaced by a rename: ext4 would write to the disk at once what takes
	 * its place, auto_da_alloc in ext4(5). Nor stays one of those that were kept while more
	 * were to be: a quota counts on it. */
	oldest = remove_name(directory, aged(name, keep));
	for (age = keep + 1; unlinkat(directory, aged(name, age), 0) == 0; age++)
		;
	/* one that is missing in between leaves a gap, and nothing is lost */
	for (age = keep; age > 0; age--)
		if (renameat(directory, aged(name, age - 1), directory, aged(name, age)) == -1 &&
		    errno != ENOENT)
			break;
	(void)close(directory);
	return oldest;
}
