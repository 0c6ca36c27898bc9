#include <sys/mman.h>
#include <sys/syscall.h>

#include <fcntl.h>
#include <sanitizer/allocator_interface.h>
#include <setjmp.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "descriptors.h"
#include "input.h"
#include "report.h"
#include "reset.h"
#include "reset_marks.h"

#define ALLOCATIONS_MAX 65536
/* No input opens as many. */
#define DESCRIPTORS 512

_Noreturn void __real__exit(int status);
_Noreturn void __wrap__exit(int status);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);

int64_t reset_clock;

static jmp_buf out;
static volatile bool running;
static bool open_before[DESCRIPTORS]; /* what libFuzzer holds, and we */
static const volatile void *allocations[ALLOCATIONS_MAX];
static size_t allocated;

static void
note_malloc(const volatile void *pointer, size_t size)
{
	(void)size;
	if (running && allocated < ALLOCATIONS_MAX)
		allocations[allocated++] = pointer;
}

static void
note_free(const volatile void *pointer)
{
	size_t i;

	for (i = allocated; running && i > 0; i--) {
		if (allocations[i - 1] != pointer)
			continue;
		allocations[i - 1] = allocations[--allocated];
		return;
	}
}

/* The pages become a private view of a copy: what is written to them is dropped by madvise(2). */
static void
remember_pages(const char *begin, const char *end)
{
	/* AddressSanitizer would keep us from reading between the variables: the kernel reads */
	size_t size = (size_t)(end - begin), done = 0;
	int copy = memfd_create("variables", MFD_CLOEXEC);
	ssize_t wrote;

	PROPERTY(copy != -1 && begin < end);
	for (; done < size; done += (size_t)wrote) {
		wrote = syscall(SYS_write, copy, begin + done, size - done);
		PROPERTY(wrote > 0);
	}
	PROPERTY(mmap((void *)(uintptr_t)begin, size, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_FIXED, copy, 0) == begin);
	(void)close(copy);
}

static void
forget_pages(const char *begin, const char *end)
{
	PROPERTY(madvise((void *)(uintptr_t)begin, (size_t)(end - begin), MADV_DONTNEED) == 0);
}

void
reset_remember(bool allocates)
{
	remember_pages(reset_data_begin, reset_data_end);
	remember_pages(reset_bss_begin, reset_bss_end);
	PROPERTY(
	    !allocates || __sanitizer_install_malloc_and_free_hooks(note_malloc, note_free) != 0);
	/* FD_PARENT is the program's, not libFuzzer's */
	PROPERTY(dup2(STDERR_FILENO, FD_PARENT) == FD_PARENT);
}

static void
note_descriptors(void)
{
	int i;

	for (i = 0; i < DESCRIPTORS; i++)
		open_before[i] = fcntl(i, F_GETFD) != -1;
}

static void
close_descriptors(void)
{
	int i;

	for (i = 0; i < DESCRIPTORS; i++)
		if (!open_before[i])
			(void)close(i);
}

bool
reset_after(void (*body)(void *context), void *context)
{
	bool ended = true;
	int64_t clock = reset_clock;

	note_descriptors();
	allocated = 0;
	if (setjmp(out) == 0) {
		running = true;
		body(context);
		ended = false;
	}
	running = false;
	while (allocated > 0)
		free((void *)(uintptr_t)allocations[--allocated]);
	forget_pages(reset_data_begin, reset_data_end);
	forget_pages(reset_bss_begin, reset_bss_end);
	close_descriptors();
	reset_clock = clock;
	return ended;
}

static _Noreturn void
leave(void)
{
	PROPERTY(running);
	longjmp(out, 1);
}

void
report_line(int error, const char *format, ...)
{
	(void)error;
	(void)format;
}

/* The linker lets the program's _exit() end here; libFuzzer and the sanitizers keep theirs. */
void
__wrap__exit(int status)
{
	if (running)
		leave();
	__real__exit(status);
}

int
__wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
	(void)clock;
	now->tv_sec = reset_clock / 1000000000;
	now->tv_nsec = reset_clock % 1000000000;
	return 0;
}

void
report_as(const char *program)
{
	(void)program;
}
