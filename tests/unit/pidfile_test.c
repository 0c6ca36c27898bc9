/*
 * What a pid file names: one strict decimal number, or why it is none. And the child that looks at
 * it: both the path and the file are a tenant's, who may put anything there.
 */
#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "channel.h"
#include "child.h"
#include "descriptors.h"
#include "folder.h"
#include "job.h"
#include "pidfile.h"
#include "unprivileged.h"

/* Of no account and no process. */
#define TENANT 64997
#define SOON   10000 /* milliseconds */
/* More than a reader needs, and few enough to run out when it loses one at each look. */
#define DESCRIPTORS_MAX 24
#define CHANGES_FOR	1000 /* milliseconds */
/* So many claims may come while a file changes without end for so long, and a few more before. */
#define CLAIMS_MAX(milliseconds) ((milliseconds) / 100 + 10)

/* A content that may hold NUL bytes, from a literal. */
struct text {
	const char *bytes;
	size_t length;
};
#define TEXT(literal)                                             \
	{                                                         \
		.bytes = (literal), .length = sizeof(literal) - 1 \
	}
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct claim claim;

static void
parse(struct text text)
{
	memset(&claim, 0, sizeof(claim));
	pidfile_parse(text.bytes, text.length, &claim);
}

static void
digits_with_at_most_one_newline_behind_them_are_a_number(void **state)
{
	static const struct {
		struct text text;
		int32_t pid;
	} good[] = {
	    {TEXT("1"), 1},
	    {TEXT("4242\n"), 4242},
	    {TEXT("4194304"), 4194304},
	    {TEXT("2147483647"), INT32_MAX},
	    {TEXT("2147483647\n"), INT32_MAX},
	    {TEXT("0"), 0}, /* a number, which the parent finds to be no process */
	    {TEXT("10"), 10},
	    {TEXT("7\n"), 7},
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(good); i++) {
		assert_true(good[i].text.length <= PIDFILE_BYTES_MAX);
		parse(good[i].text);
		assert_int_equal(claim.verdict, CLAIM_NUMBER);
		assert_int_equal(claim.pid, good[i].pid);
		assert_string_equal(claim.text, "");
	}
}

static void
everything_else_is_malformed_and_kept_for_the_log(void **state)
{
	static const struct text bad[] = {TEXT("-1"), TEXT("+1"), TEXT(" 1"), TEXT("\n1"),
	    TEXT("\t1"), TEXT("1 2"), TEXT("1\n2"), TEXT("1x"), TEXT("x1"), TEXT("1.0"),
	    TEXT("1,2"), TEXT("0x10"), TEXT("1e3"), TEXT("2147483648"), TEXT("4294967297"),
	    TEXT("9999999999"), TEXT("18446744073709551617"),
	    TEXT("340282366920938463463374607431"), TEXT("99999999999999999999999999999999"),
	    TEXT("pid 42"), TEXT("\xd9\xa1"), TEXT("1\v"), TEXT("1\f"), TEXT(" "), TEXT("\n"),
	    TEXT("self"), TEXT("010"), TEXT("010\n"), TEXT("00"),
	    TEXT("00000000000000000000000000000042"), TEXT("42 "), TEXT("42\t"), TEXT("42\r\n"),
	    TEXT("42\n\n"), TEXT("42 \n"), TEXT("42\n ")};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++) {
		parse(bad[i]);
		if (claim.verdict != CLAIM_MALFORMED)
			fail_msg("taken for %d: \"%s\"", claim.pid, bad[i].bytes);
		assert_int_equal(claim.pid, 0);
		assert_string_equal(claim.text, bad[i].bytes);
	}
}

static void
a_nul_ends_no_number(void **state)
{
	static const struct text bad[] = {TEXT("\0"), TEXT("1\0"), TEXT("1\0\n"), TEXT("1\n\0"),
	    TEXT("\0001"), TEXT("1\0002"), TEXT("\0\0\0\0")};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++) {
		parse(bad[i]);
		assert_int_equal(claim.verdict, CLAIM_MALFORMED);
		assert_int_equal(claim.pid, 0);
		assert_memory_equal(claim.text, bad[i].bytes, bad[i].length);
	}
	parse((struct text){"", 0});
	assert_int_equal(claim.verdict, CLAIM_MALFORMED);
}

static void
only_the_bytes_that_were_read_count(void **state)
{
	(void)state;
	parse((struct text){"4242", 2});
	assert_int_equal(claim.verdict, CLAIM_NUMBER);
	assert_int_equal(claim.pid, 42);
	parse((struct text){"42x", 2});
	assert_int_equal(claim.verdict, CLAIM_NUMBER);
}

static void
what_is_kept_for_the_log_ends_inside_its_array(void **state)
{
	char text[200];
	size_t length;

	(void)state;
	memset(text, 'x', sizeof(text));
	for (length = 1; length <= sizeof(text); length++) {
		parse((struct text){text, length});
		assert_int_equal(claim.verdict, CLAIM_MALFORMED);
		assert_int_equal(strnlen(claim.text, sizeof(claim.text)),
		    length < sizeof(claim.text) ? length : sizeof(claim.text) - 1);
	}
}

/* A child that looks at a pid file, and the parent's end of its channel. */
struct reader {
	struct folder *folder;
	struct fork_request request;
	int parents, childs;
	pid_t child;
};

static void
look_at_pid_file(void *context)
{
	static const struct rlimit few = {.rlim_cur = DESCRIPTORS_MAX, .rlim_max = DESCRIPTORS_MAX};
	const struct reader *reader = context;
	int job = fcntl(reader->childs, F_DUPFD_CLOEXEC, 20);

	REQUIRE(job != -1 && fchdir(reader->folder->descriptor) == 0);
	(void)close(reader->parents);
	(void)close(reader->childs);
	REQUIRE(dup2(job, FD_JOB) == FD_JOB && close(job) == 0);
	REQUIRE(setrlimit(RLIMIT_NOFILE, &few) == 0);
	REQUIRE(setresuid(TENANT, TENANT, TENANT) == 0);
	pidfile_report(&reader->request);
}

static int
set_up(void **state)
{
	struct reader *reader = calloc(1, sizeof(*reader));
	void *folder;
	int ends[2];

	assert_non_null(reader);
	assert_int_equal(folder_set_up(&folder), 0);
	reader->folder = folder;
	memset(&claim, 0, sizeof(claim));
	folder_make(reader->folder, "web", 0755);
	assert_int_equal(channel_pair(ends), 0);
	reader->parents = ends[0];
	reader->childs = ends[1];
	*state = reader;
	return 0;
}

static int
tear_down(void **state)
{
	struct reader *reader = *state;
	pid_t child = reader->child;
	void *folder = reader->folder;

	if (reader->parents != -1)
		assert_int_equal(close(reader->parents), 0);
	free(reader);
	assert_int_equal(folder_tear_down(&folder), 0);
	if (child != 0)
		child_end(child); /* its parent has hung up: it goes */
	return 0;
}

/* Starts a reader in the profile `where`, and tells it this in the place of the path. */
static void
begin_with(
    struct reader *reader, const char *where, uint64_t inode_offset, const struct message *path)
{
	struct stat status;

	assert_int_equal(fstatat(reader->folder->descriptor, where, &status, 0), 0);
	reader->request.device += status.st_dev;
	reader->request.inode = status.st_ino + inode_offset;
	(void)snprintf(reader->request.where, sizeof(reader->request.where), "%s", where);
	reader->child = child_begin(look_at_pid_file, reader);
	assert_int_equal(close(reader->childs), 0);
	(void)channel_send(reader->parents, path, NULL, 0); /* it may have gone by now */
}

/* The same with the content of a `pid_file` file. */
static void
begin_at(struct reader *reader, const char *where, uint64_t inode_offset, struct text path)
{
	struct message message;

	message_begin(&message, MESSAGE_SETTING);
	message.number = SETTING_PID_FILE;
	message.setting.length = (uint32_t)path.length;
	memcpy(message.setting.bytes, path.bytes, path.length);
	begin_with(reader, where, inode_offset, &message);
}

static void
begin(struct reader *reader, const char *path)
{
	begin_at(reader, "web", 0, (struct text){path, strlen(path)});
}

static enum channel_result
await(struct reader *reader)
{
	struct pollfd source = {.fd = reader->parents, .events = POLLIN};
	static struct incoming incoming;
	enum channel_result result;

	assert_int_equal(poll(&source, 1, SOON), 1);
	result = channel_receive_descriptors(reader->parents, &incoming, unprivileged_valid);
	claim = incoming.message.claim;
	if (result == CHANNEL_DONE)
		assert_int_equal(incoming.message.type, MESSAGE_CLAIM);
	return result;
}

/* The next claim that is new: of a number the reader reminds us now and then. */
static void
assert_claim(struct reader *reader, enum claim_verdict verdict, int32_t pid)
{
	struct claim last = claim;

	do {
		assert_int_equal(await(reader), CHANNEL_DONE);
	} while (claim.verdict == CLAIM_NUMBER && memcmp(&claim, &last, sizeof(claim)) == 0);
	assert_int_equal(claim.verdict, verdict);
	if (verdict != CLAIM_ABSENT)
		assert_int_equal(claim.pid, pid);
}

static void
assert_no_reader(struct reader *reader)
{
	assert_int_equal(await(reader), CHANNEL_CLOSED);
}

static void
put(const struct reader *reader, const char *content)
{
	/* at once, as no daemon can be relied on to */
	folder_write(reader->folder, "new", 0644, content);
	assert_int_equal(renameat(reader->folder->descriptor, "new", reader->folder->descriptor,
			     "web/daemon.pid"),
	    0);
}

static void
a_file_that_appears_and_changes_is_claimed_each_time(void **state)
{
	struct reader *reader = *state;

	begin(reader, "daemon.pid\n");
	assert_claim(reader, CLAIM_ABSENT, 0);
	put(reader, "4242\n");
	assert_claim(reader, CLAIM_NUMBER, 4242);
	put(reader, "no number");
	assert_claim(reader, CLAIM_MALFORMED, 0);
	assert_string_equal(claim.text, "no number");
	put(reader, "no number"); /* which is no news */
	put(reader, "77");
	assert_claim(reader, CLAIM_NUMBER, 77);
	assert_string_equal(claim.text, ""); /* nothing of the claim before */
}

static void
however_often_it_changes_no_descriptor_is_lost(void **state)
{
	struct reader *reader = *state;
	char content[16];
	int32_t pid;

	begin(reader, "daemon.pid");
	assert_claim(reader, CLAIM_ABSENT, 0);
	for (pid = 1; pid < 2 * DESCRIPTORS_MAX; pid++) {
		(void)snprintf(content, sizeof(content), "%d", pid);
		put(reader, content);
		assert_claim(reader, CLAIM_NUMBER, pid);
	}
}

static long long
now(void)
{
	struct timespec time;

	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &time), 0);
	return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

/* Whoever is not its service costs root as much each time. */
static void
what_changes_without_end_is_claimed_ten_times_a_second(void **state)
{
	struct reader *reader = *state;
	struct pollfd source = {.fd = reader->parents, .events = POLLIN};
	long long begun, changed_for;
	unsigned claims = 0;
	char content[16];
	int32_t pid = 0;

	begin(reader, "daemon.pid");
	assert_claim(reader, CLAIM_ABSENT, 0);
	for (begun = now(); (changed_for = now() - begun) < CHANGES_FOR;) {
		(void)snprintf(content, sizeof(content), "%d", ++pid);
		put(reader, content);
		for (; poll(&source, 1, 0) == 1; claims++)
			assert_int_equal(await(reader), CHANNEL_DONE);
	}
	assert_in_range(claims, 1, CLAIMS_MAX(changed_for)); /* it may have had to wait itself */
	/* and the last one is not missed */
	while (claim.pid != pid)
		assert_int_equal(await(reader), CHANNEL_DONE);
}

/* Of a type that it does not expect, with the bytes of one that it would. */
static void
a_message_of_another_type_ends_the_reader(void **state)
{
	struct reader *reader = *state;
	struct message message, disguised;

	put(reader, "4242");
	message_begin(&message, MESSAGE_SETTING);
	message.setting.length = 10;
	memcpy(message.setting.bytes, "daemon.pid", 10);
	message_begin(&disguised, MESSAGE_PROFILE);
	disguised.setting = message.setting;
	disguised.profile.trigger = 1;
	assert_true(message_valid(&disguised));
	begin_with(reader, "web", 0, &disguised);
	assert_no_reader(reader);
}

static void
a_path_ends_where_its_line_ends_and_white_space_behind_it_is_none_of_it(void **state)
{
	struct reader *reader = *state;

	put(reader, "4242");
	begin(reader, "daemon.pid \t\r\nsecond line");
	assert_claim(reader, CLAIM_NUMBER, 4242);
}

static void
an_absolute_path_is_one(void **state)
{
	struct reader *reader = *state;
	char path[FOLDER_PATH_BYTES * 2];

	put(reader, "4242");
	(void)snprintf(path, sizeof(path), "%s", folder_path(reader->folder, "web/daemon.pid"));
	begin(reader, path);
	assert_claim(reader, CLAIM_NUMBER, 4242);
}

/* Whose directory is the root. */
static void
a_path_with_no_slash_but_the_first_is_one(void **state)
{
	struct reader *reader = *state;
	enum channel_result result;
	char path[64], aside[80];
	int file;

	(void)snprintf(path, sizeof(path), "/proclaunch-test-%d.pid", getpid());
	(void)snprintf(aside, sizeof(aside), "%s.new", path);
	begin(reader, path);
	assert_claim(reader, CLAIM_ABSENT, 0);
	file = open(aside, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (file == -1)
		skip(); /* only root may */
	assert_int_equal(write(file, "4242", 4), 4);
	assert_int_equal(close(file), 0);
	assert_int_equal(rename(aside, path), 0); /* whole at once */
	result = await(reader);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(result, CHANNEL_DONE);
	assert_int_equal(claim.verdict, CLAIM_NUMBER);
	assert_int_equal(claim.pid, 4242);
}

static void
a_directory_that_comes_later_is_found(void **state)
{
	struct reader *reader = *state;

	begin(reader, "run/daemon.pid");
	assert_claim(reader, CLAIM_ABSENT, 0);
	folder_make(reader->folder, "run", 0755);
	folder_write(reader->folder, "run/daemon.pid", 0644, "4242");
	assert_int_equal(
	    renameat(reader->folder->descriptor, "run", reader->folder->descriptor, "web/run"), 0);
	assert_claim(reader, CLAIM_NUMBER, 4242);
}

static void
a_link_is_not_followed(void **state)
{
	struct reader *reader = *state;

	folder_write(reader->folder, "secret", 0644, "4242");
	assert_int_equal(symlinkat("../secret", reader->folder->descriptor, "web/daemon.pid"), 0);
	begin(reader, "daemon.pid");
	assert_claim(reader, CLAIM_NOT_REGULAR, 0);
}

static void
a_fifo_is_not_waited_for(void **state)
{
	struct reader *reader = *state;

	assert_int_equal(mkfifoat(reader->folder->descriptor, "web/daemon.pid", 0644), 0);
	folder_chmod(reader->folder, "web/daemon.pid", 0644);
	begin(reader, "daemon.pid");
	assert_claim(reader, CLAIM_NOT_REGULAR, 0);
}

static void
a_directory_is_no_file(void **state)
{
	struct reader *reader = *state;

	begin(reader, ".");
	assert_claim(reader, CLAIM_NOT_REGULAR, 0);
}

static void
it_is_read_as_the_user_who_may_not_read_everything(void **state)
{
	struct reader *reader = *state;

	folder_write(reader->folder, "web/daemon.pid", 0600, "4242");
	begin(reader, "daemon.pid");
	assert_claim(reader, CLAIM_UNREADABLE, EACCES);
	put(reader, "4242");
	assert_claim(reader, CLAIM_NUMBER, 4242);
}

static void
more_than_32_bytes_are_too_many(void **state)
{
	struct reader *reader = *state;

	put(reader, "42                               ");
	begin(reader, "daemon.pid");
	assert_claim(reader, CLAIM_TOO_LARGE, 0);
	put(reader, "42                              ");
	assert_claim(reader, CLAIM_MALFORMED, 0); /* all of them, and no number */
	put(reader, "42");
	assert_claim(reader, CLAIM_NUMBER, 42);
}

static void
an_empty_file_is_one_that_is_not_yet_written(void **state)
{
	struct reader *reader = *state;

	put(reader, "");
	begin(reader, "daemon.pid");
	assert_claim(reader, CLAIM_ABSENT, 0);
	put(reader, "4242");
	assert_claim(reader, CLAIM_NUMBER, 4242);
}

static void
a_directory_that_is_not_the_one_that_was_checked_is_left_alone(void **state)
{
	struct reader *reader = *state;

	put(reader, "4242");
	begin_at(reader, "web", 1, (struct text)TEXT("daemon.pid"));
	assert_no_reader(reader);
}

static void
a_profile_is_not_entered_through_a_link(void **state)
{
	struct reader *reader = *state;

	put(reader, "4242");
	assert_int_equal(symlinkat("web", reader->folder->descriptor, "link"), 0);
	/* the directory that the link leads to is the very one that was checked */
	begin_at(reader, "link", 0, (struct text)TEXT("daemon.pid"));
	assert_no_reader(reader);
}

/* Who mounts a file system of his own there chooses what number a file has in it. */
static void
a_directory_of_another_file_system_is_left_alone(void **state)
{
	struct reader *reader = *state;

	put(reader, "4242");
	reader->request.device = 1;
	begin(reader, "daemon.pid");
	assert_no_reader(reader);
}

static void
a_profile_is_entered_below_its_directory_only(void **state)
{
	struct reader *reader = *state;

	put(reader, "4242");
	begin_at(reader, folder_path(reader->folder, "web"), 0, (struct text)TEXT("daemon.pid"));
	assert_no_reader(reader);
}

static void
a_path_that_leads_nowhere_ends_the_reader(void **state)
{
	struct reader *reader = *state;

	begin_at(reader, "web", 0, (struct text)TEXT(" \t\r\n"));
	assert_no_reader(reader);
}

static void
without_a_parent_there_is_nothing_to_do(void **state)
{
	struct reader *reader = *state;

	begin(reader, "daemon.pid");
	assert_claim(reader, CLAIM_ABSENT, 0);
	assert_int_equal(close(reader->parents), 0);
	reader->parents = -1;
	child_end(reader->child); /* which would be ended by its alarm otherwise, and fail */
	reader->child = 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(digits_with_at_most_one_newline_behind_them_are_a_number),
	    cmocka_unit_test(everything_else_is_malformed_and_kept_for_the_log),
	    cmocka_unit_test(a_nul_ends_no_number),
	    cmocka_unit_test(only_the_bytes_that_were_read_count),
	    cmocka_unit_test(what_is_kept_for_the_log_ends_inside_its_array),
	    TEST(a_file_that_appears_and_changes_is_claimed_each_time),
	    TEST(however_often_it_changes_no_descriptor_is_lost),
	    TEST(what_changes_without_end_is_claimed_ten_times_a_second),
	    TEST(a_message_of_another_type_ends_the_reader),
	    TEST(a_path_ends_where_its_line_ends_and_white_space_behind_it_is_none_of_it),
	    TEST(an_absolute_path_is_one),
	    TEST(a_path_with_no_slash_but_the_first_is_one),
	    TEST(a_directory_that_comes_later_is_found),
	    TEST(a_link_is_not_followed),
	    TEST(a_fifo_is_not_waited_for),
	    TEST(a_directory_is_no_file),
	    TEST(it_is_read_as_the_user_who_may_not_read_everything),
	    TEST(more_than_32_bytes_are_too_many),
	    TEST(an_empty_file_is_one_that_is_not_yet_written),
	    TEST(a_directory_that_is_not_the_one_that_was_checked_is_left_alone),
	    TEST(a_directory_of_another_file_system_is_left_alone),
	    TEST(a_profile_is_not_entered_through_a_link),
	    TEST(a_profile_is_entered_below_its_directory_only),
	    TEST(a_path_that_leads_nowhere_ends_the_reader),
	    TEST(without_a_parent_there_is_nothing_to_do),
	};

	return cmocka_run_group_tests_name("pidfile", tests, NULL, NULL);
}
