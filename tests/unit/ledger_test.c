/*
 * The ledger: what was written is read back by the next process and nothing else is believed; and a
 * full disk stops a start, but no record of what was started.
 *
 * The room keeps its descriptor and its boot id for the life of its process, so each life here is a
 * child.
 */
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <linux/fs.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "child.h"
#include "folder.h"
#include "ledger.h"

/*
 * The record as it lies on the disk, written down a second time: members that are checked, and the
 * sum over all but itself, FNV-1a of 64 bits.
 */
#define RECORD_BYTES	512
#define MAGIC_AT	0
#define INDEX_AT	4
#define SUM_AT		8
#define BOOT_AT		16
#define NAME_AT		56
#define ACCOUNT_AT	160
#define PROCESS_AT	216
#define RECORDS_AT_ONCE 128 /* that space is reserved for */
#define BYTES_AT_ONCE	(RECORDS_AT_ONCE * RECORD_BYTES)

#define BOOT_ID "/proc/sys/kernel/random/boot_id"

static struct folder *folder;

static int
set_up(void **state)
{
	assert_int_equal(folder_set_up(state), 0);
	folder = *state;
	return 0;
}

static uint64_t
sum_of(const unsigned char *record)
{
	uint64_t sum = 14695981039346656037ULL;
	size_t i;

	for (i = 0; i < RECORD_BYTES; i++)
		if (i < SUM_AT || i >= BOOT_AT)
			sum = (sum ^ record[i]) * 1099511628211ULL;
	return sum;
}

/* The ledger's bytes, behind the room's back. */
static int
open_file(void)
{
	int file = openat(folder->descriptor, "ledger", O_RDWR | O_CLOEXEC);

	REQUIRE(file != -1);
	return file;
}

static void
read_record(int file, uint32_t index, unsigned char *record)
{
	REQUIRE(pread(file, record, RECORD_BYTES, (off_t)index * RECORD_BYTES) == RECORD_BYTES);
}

static void
write_record(int file, uint32_t index, const unsigned char *record)
{
	REQUIRE(pwrite(file, record, RECORD_BYTES, (off_t)index * RECORD_BYTES) == RECORD_BYTES);
}

static void
write_record_with_its_sum(int file, uint32_t index, unsigned char *record)
{
	uint64_t sum = sum_of(record);

	memcpy(record + SUM_AT, &sum, sizeof(sum));
	write_record(file, index, record);
}

/* An entry whose every recorded member differs from that of every other index. */
static struct profile *
add_profile(uint32_t index, const char *name)
{
	struct profile *profile = table_add_at(index, name);
	unsigned char *note = (unsigned char *)&profile->note;
	size_t i;

	REQUIRE(profile != NULL);
	(void)snprintf(profile->facts.account, sizeof(profile->facts.account), "account%u", index);
	profile->facts.uid = 1000 + index;
	profile->facts.present = index;
	profile->start_ticks = 0x123456789abcULL + index;
	profile->process.trigger = 77 + index;
	profile->process.started = 1000000007LL * (index + 1);
	profile->process.pid = 4000 + (int32_t)index;
	profile->process.phase = PHASE_PROVED;
	profile->process.end = END_SIGNAL;
	profile->process.end_value = 9;
	profile->process.attempt = index + 3;
	profile->sessions[0] = 5000 + (pid_t)index;
	profile->sessions[1] = 6000 + (pid_t)index;
	for (i = 0; i < sizeof(profile->note); i++)
		note[i] = (unsigned char)(i + index);
	return profile;
}

static void
require_profile(uint32_t index, const char *name)
{
	const struct profile *found = table_at(index);
	struct profile expected;

	REQUIRE(found != NULL);
	expected = *found;
	table_remove(table_at(index));
	REQUIRE(strcmp(expected.facts.name, name) == 0);
	found = add_profile(index, name); /* the same again, from the beginning */
	REQUIRE(strcmp(found->facts.account, expected.facts.account) == 0);
	REQUIRE(found->facts.uid == expected.facts.uid);
	REQUIRE(found->facts.present == expected.facts.present);
	REQUIRE(found->start_ticks == expected.start_ticks);
	REQUIRE(memcmp(&found->process, &expected.process, sizeof(found->process)) == 0);
	REQUIRE(memcmp(found->sessions, expected.sessions, sizeof(found->sessions)) == 0);
	REQUIRE(memcmp(&found->note, &expected.note, sizeof(found->note)) == 0);
	/* nothing is known yet of its directory, and no process is held */
	REQUIRE(expected.facts.gone == 1);
	REQUIRE(expected.pidfd == -1);
	REQUIRE(expected.contents[SETTING_RUN] == NULL);
}

/* How many records were recalled. */
static unsigned
load(void)
{
	unsigned recalled = 0;

	ledger_load(false);
	PROFILES_FOREACH(profile)
		recalled++;
	return recalled;
}

static void
write_three(void *context)
{
	(void)context;
	ledger_open(folder->descriptor);
	REQUIRE(ledger_write(add_profile(0, "web")) == 0);
	REQUIRE(ledger_write(add_profile(3, "mail")) == 0);
	REQUIRE(ledger_write(add_profile(300, "far")) == 0);
}

static void
load_three(void *context)
{
	(void)context;
	ledger_open(folder->descriptor);
	REQUIRE(load() == 3);
	REQUIRE(table_at(300) != NULL && table_next(table_at(300)) == NULL);
	REQUIRE(table_at(1) == NULL && table_at(2) == NULL);
	require_profile(0, "web");
	require_profile(3, "mail");
	require_profile(300, "far");
}

static void
records_are_read_back_as_they_were_written(void **state)
{
	(void)state;
	child_run(write_three, NULL);
	child_run(load_three, NULL);
	child_run(load_three, NULL); /* reading changes nothing */
}

static void
write_what_is_open(void *context)
{
	struct profile *profile;

	(void)context;
	ledger_open(folder->descriptor);
	profile = add_profile(0, "web");
	profile->pidfd = 40;
	profile->fifos[STREAM_OUTPUT] = 41;
	profile->fifos[STREAM_ERROR] = 42;
	REQUIRE(ledger_write(profile) == 0);
}

static void
load_what_was_open(void *context)
{
	const bool *resumed = context;

	ledger_open(folder->descriptor);
	ledger_load(*resumed);
	REQUIRE(table_at(0)->pidfd == -1); /* who it was has to be proved */
	REQUIRE(table_at(0)->fifos[STREAM_OUTPUT] == (*resumed ? 41 : -1));
	REQUIRE(table_at(0)->fifos[STREAM_ERROR] == (*resumed ? 42 : -1));
}

/* After a crash these numbers are of other files. */
static void
what_was_open_is_so_after_an_exec_of_our_own_only(void **state)
{
	bool resumed = true, anew = false;

	(void)state;
	child_run(write_what_is_open, NULL);
	child_run(load_what_was_open, &resumed);
	child_run(load_what_was_open, &anew);
}

static void
rewrite_and_forget(void *context)
{
	struct profile *profile;

	(void)context;
	ledger_open(folder->descriptor);
	profile = add_profile(5, "web");
	REQUIRE(ledger_write(profile) == 0);
	profile->process.pid = 1;
	REQUIRE(ledger_write(profile) == 0);
	table_remove(profile);
	REQUIRE(ledger_write(add_profile(5, "web")) == 0);
	REQUIRE(ledger_write(add_profile(6, "gone")) == 0);
	ledger_forget(6);
	ledger_forget(7); /* of which there never was a record */
}

static void
load_only_the_last(void *context)
{
	(void)context;
	ledger_open(folder->descriptor);
	REQUIRE(load() == 1);
	require_profile(5, "web");
}

static void
the_last_record_of_an_index_counts_and_a_forgotten_one_does_not(void **state)
{
	(void)state;
	child_run(rewrite_and_forget, NULL);
	child_run(load_only_the_last, NULL);
}

static void
load_none(void *context)
{
	(void)context;
	ledger_open(folder->descriptor);
	REQUIRE(load() == 0);
	REQUIRE(table_next(NULL) == NULL);
}

static void
a_new_ledger_is_empty_and_roots_alone(void **state)
{
	struct stat status;

	(void)state;
	child_run(load_none, NULL);
	assert_int_equal(stat(folder_path(folder, "ledger"), &status), 0);
	assert_int_equal(status.st_mode, S_IFREG | 0600);
	assert_int_equal(status.st_uid, 0);
}

static void
write_one(void *context)
{
	(void)context;
	ledger_open(folder->descriptor);
	REQUIRE(ledger_write(add_profile(3, "web")) == 0);
}

/* Each byte in turn is another one: with one bit, and with all bits changed. */
static void
change_every_byte(void *context)
{
	static const unsigned char changes[] = {0x01, 0x80, 0xff};
	unsigned char record[RECORD_BYTES];
	size_t at, i;
	int file;

	(void)context;
	ledger_open(folder->descriptor);
	file = open_file();
	read_record(file, 3, record);
	for (at = 0; at < RECORD_BYTES; at++) {
		for (i = 0; i < sizeof(changes); i++) {
			record[at] ^= changes[i];
			write_record(file, 3, record);
			if (load() != 0)
				(void)dprintf(STDERR_FILENO, "byte %zu\n", at);
			REQUIRE(table_next(NULL) == NULL);
			record[at] ^= changes[i];
		}
	}
	write_record(file, 3, record);
	REQUIRE(load() == 1);
	require_profile(3, "web");
}

static void
no_record_with_a_wrong_byte_is_believed(void **state)
{
	(void)state;
	child_run(write_one, NULL);
	child_run(change_every_byte, NULL);
}

/* The first bytes of a new record, and the rest still of the old one. */
static void
tear(void *context)
{
	unsigned char old[RECORD_BYTES], new[RECORD_BYTES], torn[RECORD_BYTES];
	struct profile *profile;
	bool whole;
	size_t at;
	int file;

	(void)context;
	ledger_open(folder->descriptor);
	profile = add_profile(0, "web");
	REQUIRE(ledger_write(profile) == 0);
	file = open_file();
	read_record(file, 0, old);
	profile->process.pid = 9999;
	profile->process.phase = PHASE_REST;
	profile->start_ticks++;
	profile->note.failures++;
	profile->sessions[1]++;
	REQUIRE(ledger_write(profile) == 0);
	read_record(file, 0, new);
	table_remove(profile);
	for (at = 0; at <= RECORD_BYTES; at++) {
		memcpy(torn, old, sizeof(torn));
		memcpy(torn, new, at);
		whole =
		    memcmp(torn, old, sizeof(torn)) == 0 || memcmp(torn, new, sizeof(torn)) == 0;
		write_record(file, 0, torn);
		REQUIRE(load() == (whole ? 1U : 0U));
		if (whole)
			table_remove(table_at(0));
	}
}

static void
a_torn_record_is_not_believed(void **state)
{
	(void)state;
	child_run(tear, NULL);
}

static void
cut_the_file(void *context)
{
	int file;

	(void)context;
	ledger_open(folder->descriptor);
	file = open_file();
	REQUIRE(ftruncate(file, 4 * RECORD_BYTES - 1) == 0);
	REQUIRE(load() == 0);
}

static void
a_record_that_is_cut_off_is_not_believed(void **state)
{
	(void)state;
	child_run(write_one, NULL);
	child_run(cut_the_file, NULL);
}

/* The sum is right in all that follows: one other thing is wrong. */
static void
change_with_right_sum(void *context)
{
	static const struct {
		size_t at;
		unsigned char value;
		size_t count;
	} changes[] = {
	    {MAGIC_AT, 'x', 4},
	    {MAGIC_AT, 0, 4},
	    {INDEX_AT, 0, 4},
	    {INDEX_AT, 4, 1},
	    {BOOT_AT, 'x', 1},
	    {BOOT_AT, 0, 36},
	    {BOOT_AT + 35, 'x', 1},
	    {BOOT_AT + 39, 'x', 1},
	    {NAME_AT, 'x', FULL_NAME_BYTES},
	    {ACCOUNT_AT, 'x', ACCOUNT_NAME_BYTES},
	    {PROCESS_AT + offsetof(struct process_facts, phase), PHASE_COUNT, 1},
	    {PROCESS_AT + offsetof(struct process_facts, phase), 0xff, 4},
	    {PROCESS_AT + offsetof(struct process_facts, end), END_COUNT, 1},
	};
	unsigned char record[RECORD_BYTES], changed[RECORD_BYTES];
	size_t i;
	int file;

	(void)context;
	ledger_open(folder->descriptor);
	file = open_file();
	read_record(file, 3, record);
	for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		memcpy(changed, record, sizeof(changed));
		memset(changed + changes[i].at, changes[i].value, changes[i].count);
		write_record_with_its_sum(file, 3, changed);
		if (load() != 0)
			(void)dprintf(STDERR_FILENO, "change %zu\n", i);
		REQUIRE(table_next(NULL) == NULL);
	}
	/* the control: the sum is the one that the room takes */
	write_record_with_its_sum(file, 3, record);
	REQUIRE(load() == 1);
	require_profile(3, "web");
}

static void
another_magic_index_or_boot_is_not_believed_though_the_sum_is_right(void **state)
{
	(void)state;
	child_run(write_one, NULL);
	child_run(change_with_right_sum, NULL);
}

static void
copy_to_another_index(void *context)
{
	unsigned char record[RECORD_BYTES];
	int file;

	(void)context;
	ledger_open(folder->descriptor);
	file = open_file();
	read_record(file, 3, record);
	write_record(file, 4, record);
	REQUIRE(load() == 1);
	REQUIRE(table_at(4) == NULL);
	require_profile(3, "web");
}

static void
a_record_in_the_place_of_another_is_not_believed(void **state)
{
	(void)state;
	child_run(write_one, NULL);
	child_run(copy_to_another_index, NULL);
}

static void
copy_with_index_and_sum(void *context)
{
	unsigned char record[RECORD_BYTES];
	int file;

	(void)context;
	ledger_open(folder->descriptor);
	file = open_file();
	read_record(file, 3, record);
	record[INDEX_AT] = 4;
	write_record_with_its_sum(file, 4, record);
	REQUIRE(load() == 1);
	require_profile(3, "web");
}

static void
of_two_records_with_one_name_the_first_is_believed(void **state)
{
	(void)state;
	child_run(write_one, NULL);
	child_run(copy_with_index_and_sum, NULL);
}

static void
write_one_in_another_boot(void *context)
{
	(void)context;
	child_own_mounts();
	child_replace_file(BOOT_ID, folder_path(folder, "boot"));
	write_one(NULL);
}

static void
records_of_another_boot_are_ignored(void **state)
{
	(void)state;
	folder_write(folder, "boot", 0644, "11111111-2222-3333-4444-555555555555\n");
	child_run(write_one_in_another_boot, NULL);
	child_run(load_none, NULL);
	/* and the next record takes the place of the old one */
	child_run(write_one, NULL);
	child_run(change_with_right_sum, NULL);
}

static void
open_without_boot_id(void *context)
{
	(void)context;
	child_own_mounts();
	child_replace_file(BOOT_ID, folder_path(folder, "boot"));
	ledger_open(folder->descriptor);
}

static void
without_a_boot_id_there_is_no_ledger(void **state)
{
	char said[256];

	(void)state;
	folder_write(folder, "boot", 0644, "");
	assert_int_equal(child_status(open_without_boot_id, NULL, said, sizeof(said)), 1);
	assert_non_null(strstr(said, "boot_id"));
}

static void
open_ledger(void *context)
{
	(void)context;
	ledger_open(folder->descriptor);
}

static void
assert_unopened(const char *why)
{
	char said[512];

	assert_int_equal(child_status(open_ledger, NULL, said, sizeof(said)), 1);
	assert_non_null(strstr(
	    said, "/ledger must be a plain file of uid 0 alone, mode 0600, or be moved away"));
	if (strstr(said, why) == NULL)
		fail_msg("\"%s\" does not say %s", said, why);
}

static void
a_ledger_that_is_not_ours_alone_is_refused(void **state)
{
	static const mode_t modes[] = {0601, 0602, 0604, 0610, 0620, 0640, 0660};
	size_t i;

	(void)state;
	folder_write(folder, "ledger", 0600, "");
	child_run(open_ledger, NULL);
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		folder_chmod(folder, "ledger", modes[i]);
		assert_unopened("moved away\n");
	}
	folder_chmod(folder, "ledger", 0600);
	assert_int_equal(linkat(folder->descriptor, "ledger", folder->descriptor, "other", 0), 0);
	assert_unopened("moved away\n");
	assert_int_equal(unlinkat(folder->descriptor, "other", 0), 0);
	folder_chown(folder, "ledger", 64997);
	assert_unopened("moved away\n");
	assert_int_equal(unlinkat(folder->descriptor, "ledger", 0), 0);
	assert_int_equal(mkfifoat(folder->descriptor, "ledger", 0600), 0);
	assert_unopened("moved away\n");
	assert_int_equal(unlinkat(folder->descriptor, "ledger", 0), 0);
	folder_make(folder, "ledger", 0700);
	assert_unopened("directory");
	assert_int_equal(unlinkat(folder->descriptor, "ledger", AT_REMOVEDIR), 0);
}

static void
a_link_in_the_place_of_the_ledger_is_not_followed(void **state)
{
	struct stat status;

	(void)state;
	folder_write(folder, "target", 0600, "");
	assert_int_equal(symlinkat("target", folder->descriptor, "ledger"), 0);
	assert_unopened(strerror(ELOOP));
	assert_int_equal(unlinkat(folder->descriptor, "ledger", 0), 0);
	assert_int_equal(symlinkat("new", folder->descriptor, "ledger"), 0);
	assert_unopened(strerror(ELOOP));
	assert_int_equal(fstatat(folder->descriptor, "new", &status, 0), -1);
}

/* A file system of its own for the ledger, which the child alone sees. */
static int
mount_small(unsigned bytes)
{
	int directory;

	child_own_mounts();
	child_mount_small(folder->path, bytes);
	directory = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	REQUIRE(directory != -1);
	return directory;
}

static void
fill(int directory)
{
	static const char bytes[4096];
	int file = openat(directory, "filler", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ssize_t wrote;

	REQUIRE(file != -1);
	while ((wrote = write(file, bytes, sizeof(bytes))) > 0)
		;
	REQUIRE(wrote == -1 && errno == ENOSPC);
	(void)close(file);
}

static void
reserve_on_a_full_disk(void *context)
{
	int directory = mount_small(2 * BYTES_AT_ONCE);
	struct profile *profile;

	(void)context;
	ledger_open(directory);
	fill(directory);
	profile = add_profile(0, "web");
	errno = 0;
	REQUIRE(ledger_write(profile) == -1);
	REQUIRE(errno == ENOSPC);
	/* with room again it is as if nothing had been */
	REQUIRE(unlinkat(directory, "filler", 0) == 0);
	REQUIRE(ledger_write(profile) == 0);
}

static void
on_a_full_disk_nothing_is_reserved(void **state)
{
	(void)state;
	child_run(reserve_on_a_full_disk, NULL);
}

static void
write_on_a_full_disk(void *context)
{
	int directory = mount_small(2 * BYTES_AT_ONCE);
	struct profile *profile;
	char name[16];
	uint32_t index;

	(void)context;
	ledger_open(directory);
	profile = add_profile(0, "first");
	REQUIRE(ledger_write(profile) == 0);
	table_remove(profile);
	fill(directory);
	/* what was reserved at once is enough for all of them, and for every further record */
	for (index = 0; index < RECORDS_AT_ONCE; index++) {
		(void)snprintf(name, sizeof(name), "p%u", index);
		profile = add_profile(index, name);
		REQUIRE(ledger_write(profile) == 0);
		REQUIRE(ledger_write(profile) == 0);
		table_remove(profile);
	}
	errno = 0;
	profile = add_profile(RECORDS_AT_ONCE, "more");
	REQUIRE(ledger_write(profile) == -1);
	REQUIRE(errno == ENOSPC);
	table_remove(profile);
	REQUIRE(load() == RECORDS_AT_ONCE);
	require_profile(127, "p127");
}

static void
what_was_reserved_can_be_written_when_the_disk_is_full(void **state)
{
	(void)state;
	child_run(write_on_a_full_disk, NULL);
}

/* A start after a crash has records, and a disk that is full since then. */
static void
rewrite_after_a_restart_on_a_full_disk(void *context)
{
	int directory = mount_small(2 * BYTES_AT_ONCE);
	int file;

	(void)context;
	file = openat(directory, "ledger", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	REQUIRE(file != -1);
	REQUIRE(posix_fallocate(file, 0, BYTES_AT_ONCE) == 0);
	fill(directory);
	ledger_open(directory);
	REQUIRE(load() == 0);
	REQUIRE(ledger_write(add_profile(5, "web")) == 0);
	REQUIRE(ledger_write(add_profile(RECORDS_AT_ONCE, "more")) == -1);
}

static void
what_an_earlier_process_reserved_still_is(void **state)
{
	(void)state;
	child_run(rewrite_after_a_restart_on_a_full_disk, NULL);
}

/* Takes the place of libc's: which files were asked to be written in place, while still empty. */
static ino_t in_place[4];
static size_t in_place_count;

int
ioctl(int descriptor, unsigned long request, ...)
{
	struct stat status;
	va_list arguments;
	const int *flags;

	va_start(arguments, request);
	flags = va_arg(arguments, const int *);
	va_end(arguments);
	REQUIRE(request == FS_IOC_SETFLAGS && *flags == FS_NOCOW_FL);
	REQUIRE(fstat(descriptor, &status) == 0 && status.st_size == 0);
	REQUIRE(in_place_count < sizeof(in_place) / sizeof(in_place[0]));
	in_place[in_place_count++] = status.st_ino;
	errno = EOPNOTSUPP; /* as all file systems say but one */
	return -1;
}

/* btrfs writes to another place each time, and then what was reserved is of no use. */
static void
open_for_writing_in_place(void *context)
{
	static const char *const names[] = {"ledger", "lines"};
	struct stat status;
	size_t i;

	(void)context;
	ledger_open(folder->descriptor);
	REQUIRE(in_place_count == 2);
	for (i = 0; i < 2; i++) {
		REQUIRE(fstatat(folder->descriptor, names[i], &status, 0) == 0);
		REQUIRE(status.st_ino == in_place[i]);
	}
	REQUIRE(ledger_write(add_profile(0, "web")) == 0);
	/* what holds something would lose its other flags, and not become one of that kind */
	ledger_open(folder->descriptor);
	REQUIRE(in_place_count == 2);
}

static void
what_is_reserved_is_where_records_will_be_written(void **state)
{
	(void)state;
	child_run(open_for_writing_in_place, NULL);
}

/* An error of the disk, and a record that was written in part. */
static void
write_where_writing_fails(void *context)
{
	struct profile *profile;
	struct rlimit limit;
	struct stat status;

	(void)context;
	(void)signal(SIGXFSZ, SIG_IGN); /* EFBIG instead, setrlimit(2) */
	ledger_open(folder->descriptor);
	profile = add_profile(0, "web");
	REQUIRE(ledger_write(profile) == 0);
	REQUIRE(getrlimit(RLIMIT_FSIZE, &limit) == 0);
	limit.rlim_cur = 0;
	REQUIRE(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	REQUIRE(ledger_write(profile) == -1);
	REQUIRE(errno == EFBIG);
	limit.rlim_cur = RECORD_BYTES - 1;
	REQUIRE(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	REQUIRE(ledger_write(profile) == -1);
	REQUIRE(errno == EIO);
	limit.rlim_cur = RLIM_INFINITY;
	REQUIRE(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	/* what was never reserved is not made longer in order to forget it */
	ledger_forget(PROFILES_MAX - 1);
	REQUIRE(fstatat(folder->descriptor, "ledger", &status, 0) == 0);
	REQUIRE(status.st_size == BYTES_AT_ONCE);
}

static void
a_record_that_could_not_be_written_whole_is_reported(void **state)
{
	(void)state;
	child_run(write_where_writing_fails, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, folder_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(records_are_read_back_as_they_were_written),
	    TEST(what_was_open_is_so_after_an_exec_of_our_own_only),
	    TEST(the_last_record_of_an_index_counts_and_a_forgotten_one_does_not),
	    TEST(a_new_ledger_is_empty_and_roots_alone),
	    TEST(no_record_with_a_wrong_byte_is_believed),
	    TEST(a_torn_record_is_not_believed),
	    TEST(a_record_that_is_cut_off_is_not_believed),
	    TEST(another_magic_index_or_boot_is_not_believed_though_the_sum_is_right),
	    TEST(a_record_in_the_place_of_another_is_not_believed),
	    TEST(of_two_records_with_one_name_the_first_is_believed),
	    TEST(records_of_another_boot_are_ignored),
	    TEST(without_a_boot_id_there_is_no_ledger),
	    TEST(a_ledger_that_is_not_ours_alone_is_refused),
	    TEST(a_link_in_the_place_of_the_ledger_is_not_followed),
	    TEST(on_a_full_disk_nothing_is_reserved),
	    TEST(what_was_reserved_can_be_written_when_the_disk_is_full),
	    TEST(what_an_earlier_process_reserved_still_is),
	    TEST(what_is_reserved_is_where_records_will_be_written),
	    TEST(a_record_that_could_not_be_written_whole_is_reported),
	};

	return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
