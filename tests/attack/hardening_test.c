/*
 * What the compiler and the linker have put into the four binaries, read from the files themselves;
 * and that anybody who builds them again gets the same, byte for byte.
 */
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "host.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const programs[] = {
    "proclaunch", "proclaunch-monitor", "proclaunch-spawner", "proclaunchctl"};

/* A binary in memory. */
struct binary {
	const char *name;
	const unsigned char *bytes;
	size_t size;
};

static void
map_binary(struct binary *binary, const char *path)
{
	struct stat status;
	int file = open(path, O_RDONLY | O_CLOEXEC);
	void *bytes;

	assert_true(file != -1);
	assert_int_equal(fstat(file, &status), 0);
	binary->size = (size_t)status.st_size;
	bytes = mmap(NULL, binary->size, PROT_READ, MAP_PRIVATE, file, 0);
	assert_ptr_not_equal(bytes, MAP_FAILED);
	assert_int_equal(close(file), 0);
	binary->bytes = bytes;
}

static void
map_program(struct binary *binary, const char *name)
{
	char path[PATH_MAX];

	binary->name = name;
	map_binary(binary, host_program(name, path, sizeof(path)));
	assert_memory_equal(binary->bytes, ELFMAG, SELFMAG);
	assert_int_equal(binary->bytes[EI_CLASS], ELFCLASS64);
}

static void
unmap(const struct binary *binary)
{
	assert_int_equal(munmap((void *)(uintptr_t)binary->bytes, binary->size), 0);
}

static const void *
at(const struct binary *binary, uint64_t offset, size_t size)
{
	assert_true(offset <= binary->size && size <= binary->size - offset);
	return binary->bytes + offset;
}

static const Elf64_Ehdr *
header_of(const struct binary *binary)
{
	return at(binary, 0, sizeof(Elf64_Ehdr));
}

/* The first segment of this type; NULL when there is none. */
static const Elf64_Phdr *
segment(const struct binary *binary, uint32_t type)
{
	const Elf64_Ehdr *header = header_of(binary);
	const Elf64_Phdr *segments =
	    at(binary, header->e_phoff, header->e_phnum * sizeof(Elf64_Phdr));
	unsigned i;

	for (i = 0; i < header->e_phnum; i++)
		if (segments[i].p_type == type)
			return &segments[i];
	return NULL;
}

/* The value of a dynamic entry; false when there is none. */
static bool
dynamic(const struct binary *binary, int64_t tag, uint64_t *value)
{
	const Elf64_Phdr *where = segment(binary, PT_DYNAMIC);
	const Elf64_Dyn *entry;

	assert_non_null(where);
	entry = at(binary, where->p_offset, where->p_filesz);
	for (; entry->d_tag != DT_NULL; entry++)
		if (entry->d_tag == tag) {
			*value = entry->d_un.d_val;
			return true;
		}
	return false;
}

#ifndef PROCLAUNCH_SANITIZE
static const Elf64_Shdr *
section(const struct binary *binary, uint32_t type)
{
	const Elf64_Ehdr *header = header_of(binary);
	const Elf64_Shdr *sections =
	    at(binary, header->e_shoff, header->e_shnum * sizeof(Elf64_Shdr));
	unsigned i;

	for (i = 0; i < header->e_shnum; i++)
		if (sections[i].sh_type == type)
			return &sections[i];
	return NULL;
}

static const Elf64_Shdr *
strings_of(const struct binary *binary, const Elf64_Shdr *table)
{
	const Elf64_Ehdr *header = header_of(binary);
	const Elf64_Shdr *sections =
	    at(binary, header->e_shoff, header->e_shnum * sizeof(Elf64_Shdr));

	return &sections[table->sh_link];
}

/* How many functions are taken from libraries whose names match. */
static unsigned
imports(const struct binary *binary, bool (*matches)(const char *name))
{
	const Elf64_Shdr *table = section(binary, SHT_DYNSYM), *strings;
	const Elf64_Sym *symbols;
	const char *names;
	unsigned found = 0;
	size_t i;

	assert_non_null(table);
	strings = strings_of(binary, table);
	symbols = at(binary, table->sh_offset, table->sh_size);
	names = at(binary, strings->sh_offset, strings->sh_size);
	for (i = 0; i < table->sh_size / sizeof(Elf64_Sym); i++)
		if (symbols[i].st_shndx == SHN_UNDEF && matches(names + symbols[i].st_name))
			found++;
	return found;
}
#endif

static void
assert_position_independent(const struct binary *binary)
{
	uint64_t flags = 0;

	assert_int_equal(header_of(binary)->e_type, ET_DYN);
	assert_true(dynamic(binary, DT_FLAGS_1, &flags) && (flags & DF_1_PIE) != 0);
	assert_non_null(segment(binary, PT_INTERP)); /* a program, not a library */
}

static void
assert_bound_now_and_read_only(const struct binary *binary)
{
	uint64_t flags = 0;

	assert_non_null(segment(binary, PT_GNU_RELRO));
	assert_true(dynamic(binary, DT_FLAGS, &flags) && (flags & DF_BIND_NOW) != 0);
	assert_true(dynamic(binary, DT_FLAGS_1, &flags) && (flags & DF_1_NOW) != 0);
}

static void
assert_nothing_is_writable_and_executable(const struct binary *binary)
{
	const Elf64_Ehdr *header = header_of(binary);
	const Elf64_Phdr *segments =
	    at(binary, header->e_phoff, header->e_phnum * sizeof(Elf64_Phdr));
	const Elf64_Phdr *stack = segment(binary, PT_GNU_STACK);
	unsigned i;

	assert_non_null(stack); /* without it the stack is executable */
	assert_int_equal(stack->p_flags & PF_X, 0);
	for (i = 0; i < header->e_phnum; i++)
		if (segments[i].p_type == PT_LOAD)
			assert_int_not_equal(segments[i].p_flags & (PF_W | PF_X), PF_W | PF_X);
}

static void
assert_no_text_relocation_and_no_path(const struct binary *binary)
{
	uint64_t value = 0;

	assert_false(dynamic(binary, DT_TEXTREL, &value));
	assert_false(dynamic(binary, DT_FLAGS, &value) && (value & DF_TEXTREL) != 0);
	assert_false(dynamic(binary, DT_RPATH, &value));
	assert_false(dynamic(binary, DT_RUNPATH, &value));
}

#ifdef __x86_64__
/* The linker leaves the note out, or clears a bit, when a single object lacks it. */
static void
assert_control_flow_is_guarded(const struct binary *binary)
{
	const uint32_t both = GNU_PROPERTY_X86_FEATURE_1_IBT | GNU_PROPERTY_X86_FEATURE_1_SHSTK;
	const Elf64_Phdr *where = segment(binary, PT_GNU_PROPERTY);
	const uint32_t *words;
	uint32_t features = 0;
	size_t i;

	assert_non_null(where);
	words = at(binary, where->p_offset, where->p_filesz);
	/* type, size of the data, data: elf(5), "GNU_PROPERTY" */
	for (i = 0; i + 2 < where->p_filesz / sizeof(uint32_t); i++)
		if (words[i] == GNU_PROPERTY_X86_FEATURE_1_AND && words[i + 1] == 4)
			features = words[i + 2];
	assert_int_equal(features & both, both);
}
#endif

#ifndef PROCLAUNCH_SANITIZE
/* The libraries that the dynamic linker loads with it, each with a space behind it. */
static void
needed(const struct binary *binary, char *list, size_t size)
{
	const Elf64_Shdr *table = section(binary, SHT_DYNAMIC), *strings;
	const Elf64_Dyn *entry;
	const char *names;

	assert_non_null(table);
	strings = strings_of(binary, table);
	names = at(binary, strings->sh_offset, strings->sh_size);
	list[0] = '\0';
	for (entry = at(binary, table->sh_offset, table->sh_size); entry->d_tag != DT_NULL; entry++)
		if (entry->d_tag == DT_NEEDED)
			(void)snprintf(list + strlen(list), size - strlen(list), "%s ",
			    names + entry->d_un.d_val);
}

/* Root's two have none but the C library. What proclaunchctl loads when it needs it stands in
 * notes, where who makes packages looks for it. */
static void
each_binary_needs_no_library_but_those_that_are_told(void **state)
{
	static const char *const libraries[COUNT(programs)] = {
	    "libc.so.6 ", "libseccomp.so.2 libc.so.6 ", "libc.so.6 ", "libc.so.6 "};
	static const char *const loaded[] = {
	    "\"soname\":[\"libjson-c.so.5\"]", "\"soname\":[\"libsmartcols.so.1\"]"};
	struct binary binary;
	char list[256];
	size_t i, j;
	bool told;

	(void)state;
	for (i = 0; i < COUNT(programs); i++) {
		map_program(&binary, programs[i]);
		print_message("%s\n", binary.name);
		needed(&binary, list, sizeof(list));
		assert_string_equal(list, libraries[i]);
		for (j = 0; j < COUNT(loaded); j++) {
			told =
			    memmem(binary.bytes, binary.size, loaded[j], strlen(loaded[j])) != NULL;
			assert_int_equal(told, strcmp(programs[i], "proclaunchctl") == 0);
		}
		unmap(&binary);
	}
}
#endif

static void
each_binary_is_linked_against_exploitation(void **state)
{
	struct binary binary;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(programs); i++) {
		map_program(&binary, programs[i]);
		print_message("%s\n", binary.name);
		assert_position_independent(&binary);
		assert_bound_now_and_read_only(&binary);
		assert_nothing_is_writable_and_executable(&binary);
		assert_no_text_relocation_and_no_path(&binary);
#ifdef __x86_64__
		assert_control_flow_is_guarded(&binary);
#endif
		unmap(&binary);
	}
}

#ifndef PROCLAUNCH_SANITIZE
static bool
is_stack_guard(const char *name)
{
	return strcmp(name, "__stack_chk_fail") == 0;
}

static bool
is_fortified(const char *name)
{
	size_t length = strlen(name);

	return length > 6 && strncmp(name, "__", 2) == 0 && strcmp(name + length - 4, "_chk") == 0;
}

/* What FORTIFY replaces everywhere, whether or not it knows how large a buffer is. */
static bool
is_left_bare(const char *name)
{
	return strcmp(name, "printf") == 0 || strcmp(name, "fprintf") == 0 ||
	    strcmp(name, "dprintf") == 0 || strcmp(name, "vfprintf") == 0;
}

static void
each_binary_is_compiled_against_exploitation(void **state)
{
	struct binary binary;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(programs); i++) {
		map_program(&binary, programs[i]);
		print_message("%s\n", binary.name);
		assert_int_equal(imports(&binary, is_stack_guard), 1);
		assert_in_range(imports(&binary, is_fortified), 1, 1000);
		assert_int_equal(imports(&binary, is_left_bare), 0);
		unmap(&binary);
	}
}

static void
assert_same(const char *program, const char *second)
{
	struct binary one, other;

	map_program(&one, program);
	map_binary(&other, second);
	assert_int_equal(one.size, other.size);
	assert_memory_equal(one.bytes, other.bytes, one.size);
	unmap(&one);
	unmap(&other);
}

static void
run_shell(const char *script, const char *argument)
{
	pid_t pid = fork();
	struct deadline deadline = deadline_in(18 * SOON); /* it compiles everything */
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)unsetenv("MAKEFLAGS");
		(void)unsetenv("MAKELEVEL");
		(void)unsetenv("MFLAGS");
		(void)execl("/bin/sh", "sh", "-c", script, "sh", argument, (char *)NULL);
		_exit(127);
	}
	while (waitpid(pid, &status, WNOHANG) != pid)
		deadline_pause(&deadline, script, __FILE__, __LINE__);
	assert_int_equal(status, 0);
}

static int
remove_second(void **state)
{
	run_shell("rm -rf \"$1\"", *state);
	return 0;
}

static char second_build[64];

static int
make_second(void **state)
{
	(void)snprintf(second_build, sizeof(second_build), "/tmp/proclaunch-test-XXXXXX");
	assert_non_null(mkdtemp(second_build));
	*state = second_build;
	return 0;
}

/* In another directory, of which nothing may stand in the result. */
static void
a_second_build_in_another_directory_is_the_same_byte_for_byte(void **state)
{
	char path[PATH_MAX];
	size_t i;

	run_shell("cp -R GNUmakefile parent monitor spawner ctl shared \"$1\" && "
		  "make -s -C \"$1\" -j2 BUILD=build all >/dev/null",
	    *state);
	for (i = 0; i < COUNT(programs); i++) {
		(void)snprintf(
		    path, sizeof(path), "%s/build/%s", (const char *)*state, programs[i]);
		print_message("%s\n", programs[i]);
		assert_same(programs[i], path);
	}
}
#endif

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_binary_is_linked_against_exploitation),
#ifndef PROCLAUNCH_SANITIZE /* which is built otherwise on purpose */
	    cmocka_unit_test(each_binary_needs_no_library_but_those_that_are_told),
	    cmocka_unit_test(each_binary_is_compiled_against_exploitation),
	    cmocka_unit_test_setup_teardown(
		a_second_build_in_another_directory_is_the_same_byte_for_byte, make_second,
		remove_second),
#endif
	};

	return cmocka_run_group_tests_name("hardening", tests, NULL, NULL);
}
