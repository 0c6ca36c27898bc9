#include <sys/stat.h>
#include <sys/syscall.h>

#include <unistd.h>

#include "clock.h"
#include "remains.h"

/* So much takes a tenth of a millisecond or two. Nobody writes more between two cuts: a file is
 * gone before the next one is. */
#define CUT_BYTES (1024 * 1024)
#define CUT_EVERY (MILLISECOND / 2)
/* Whoever was handed the file as his log can keep its lock, or have it mapped a million times: what
 * took so long to cut is left alone for so many times as long. */
#define KEPT	   (50 * MILLISECOND)
#define KEPT_AGAIN 20
/* When there are more the first is freed in one go. */
#define FILES_MAX 16

static struct {
	int descriptor;
	off_t size;
	int64_t next_cut;
} files[FILES_MAX];
static unsigned file_count;

static void
let_go(unsigned which)
{
	(void)close(files[which].descriptor);
	files[which] = files[--file_count];
}

void
remains_take(void *subject, struct incoming *incoming)
{
	int descriptor = channel_take(incoming);
	struct stat status;

	(void)subject;
	if (file_count == FILES_MAX)
		let_go(0);
	/* by its own number: the C library's fstat() is another system call on some kernels */
	if (syscall(SYS_fstat, descriptor, &status) == -1)
		status.st_size = 0;
	files[file_count].descriptor = descriptor;
	files[file_count].next_cut = 0;
	files[file_count++].size = status.st_size;
}

bool
remains_free(void)
{
	bool any = file_count > 0;

	while (file_count > 0)
		let_go(0);
	return any;
}

int64_t
remains_deadline(void)
{
	int64_t deadline = NEVER;
	unsigned i;

	for (i = 0; i < file_count; i++)
		deadline = clock_earlier(deadline, files[i].next_cut);
	return deadline;
}

/* False when there is nothing left to cut off. */
static bool
cut(unsigned which)
{
	int64_t begun = clock_now(), took;

	files[which].size -= CUT_BYTES;
	if (files[which].size <= 0 || ftruncate(files[which].descriptor, files[which].size) == -1)
		return false;
	took = clock_now() - begun;
	files[which].next_cut = begun + took + (took >= KEPT ? took * KEPT_AGAIN : CUT_EVERY);
	return true;
}

void
remains_tend(int64_t now)
{
	unsigned i;

	for (i = file_count; i-- > 0;)
		if (files[i].next_cut <= now && !cut(i))
			let_go(i);
}
