#include <sys/stat.h>
#include <sys/syscall.h>

#include <unistd.h>

#include "clock.h"
#include "remains.h"

/* So much takes a tenth of a millisecond or two. Nobody writes more between two cuts: a file is
 * gone before the next one is. */
#define CUT_BYTES (1024 * 1024)
#define CUT_EVERY (MILLISECOND / 2)
/* When there are more the first is freed in one go. */
#define FILES_MAX 16

static struct {
	int descriptor;
	off_t size;
} files[FILES_MAX];
static unsigned file_count;
static int64_t next_cut;

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
	return file_count > 0 ? next_cut : NEVER;
}

void
remains_tend(int64_t now)
{
	unsigned i;

	if (file_count == 0 || now < next_cut)
		return;
	for (i = file_count; i-- > 0;) {
		files[i].size -= CUT_BYTES;
		if (files[i].size <= 0 || ftruncate(files[i].descriptor, files[i].size) == -1)
			let_go(i);
	}
	next_cut = clock_now() + CUT_EVERY;
}
