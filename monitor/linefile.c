#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "linefile.h"

/* No line that we write is longer, with its time stamp. */
#define TAIL_BYTES (80 * 1024)

static void
cut(struct line_file *file, uint64_t size)
{
	file->size = size;
	(void)!ftruncate(file->descriptor, (off_t)size); /* shrinking needs no room */
}

static void
mend(struct line_file *file)
{
	static char tail[TAIL_BYTES];
	off_t from = file->size > TAIL_BYTES ? (off_t)(file->size - TAIL_BYTES) : 0;
	ssize_t length = pread(file->descriptor, tail, sizeof(tail), from);
	const char *newline;

	if (length <= 0 || tail[length - 1] == '\n')
		return;
	newline = memrchr(tail, '\n', (size_t)length);
	if (newline == NULL && from > 0)
		return; /* no line of ours */
	cut(file, (uint64_t)from + (newline == NULL ? 0 : (uint64_t)(newline - tail) + 1));
}

void
line_file_use(struct line_file *file, int descriptor, uint64_t size)
{
	line_file_close(file);
	file->descriptor = descriptor;
	file->size = size;
	/* for the log we had another descriptor when its size was looked at, and it may have been
	 * looked at in the middle of our write(2) */
	if (size > 0 && line_file_look(file))
		mend(file);
}

void
line_file_close(struct line_file *file)
{
	if (file->descriptor != -1)
		(void)close(
		    file->descriptor); /* what was written is written: nothing is buffered */
	file->descriptor = -1;
}

bool
line_file_look(struct line_file *file)
{
	struct stat status;

	/* by its own number: the C library's fstat() is another system call on some kernels */
	if (syscall(SYS_fstat, file->descriptor, &status) == -1)
		return true;
	file->size = (uint64_t)status.st_size;
	return status.st_nlink != 0;
}

bool
line_file_write(struct line_file *file, const char *lines, size_t length)
{
	ssize_t wrote = write(file->descriptor, lines, length);
	int error = errno;

	if (wrote == (ssize_t)length) {
		file->size += length;
		return true;
	}
	file->took = wrote > 0 ? (size_t)wrote : 0;
	/* from its end as it is now: who empties a log to make room must not get it back as a hole
	 */
	if (wrote > 0 && line_file_look(file) && file->size >= (uint64_t)wrote)
		cut(file, file->size - (uint64_t)wrote);
	errno = wrote >= 0 ? ENOSPC : error;
	return false;
}
