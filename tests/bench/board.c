#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <time.h>
#include <unistd.h>

#include "board.h"

int64_t
board_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail */
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

struct board *
board_open(const char *path)
{
	int file = open(path, O_RDWR | O_CLOEXEC);
	struct stat status;
	void *mapped;

	if (file == -1 || fstat(file, &status) == -1)
		err(1, "%s", path);
	mapped = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (mapped == MAP_FAILED)
		err(1, "%s", path);
	(void)close(file);
	return mapped;
}

void
board_make(const char *path, uint32_t count)
{
	off_t size = (off_t)(sizeof(struct board) + count * sizeof(struct place));
	int file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	if (file == -1 || ftruncate(file, size) == -1 || close(file) == -1)
		err(1, "%s", path);
	board_open(path)->count = count;
}

void
board_wait(_Atomic uint32_t *word, uint32_t value)
{
	static const struct timespec second = {.tv_sec = 1};

	/* whoever calls looks again */
	(void)syscall(SYS_futex, word, FUTEX_WAIT, value, &second, NULL, 0);
}

void
board_wake(_Atomic uint32_t *word)
{
	(void)syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}
