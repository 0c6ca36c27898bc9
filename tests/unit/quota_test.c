/* A tenant's quota: DIR/NAME.quota, which root owns, and the same words in an option. */
#include <errno.h>
#include <sys/stat.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "folder.h"
#include "quota.h"

static bool
set(struct quota *quota, const char *text)
{
	return quota_set(quota, text, strlen(text), '=');
}

static void
each_word_sets_its_own_number_and_no_other(void **state)
{
	struct quota quota, expected;

	(void)state;
	quota_default(&quota);
	expected = quota;
	assert_true(set(&quota, "profiles=7"));
	expected.profiles = 7;
	assert_true(set(&quota, "processes=3K"));
	expected.processes = 3 << 10;
	assert_true(set(&quota, "restarts_per_minute=4294967295"));
	expected.restarts_per_minute = UINT32_MAX;
	assert_true(set(&quota, "clients=1"));
	expected.clients = 1;
	assert_true(set(&quota, "output_bytes=999G"));
	expected.output_bytes = 999ULL << 30;
	assert_memory_equal(&quota, &expected, sizeof(quota));
}

static void
what_is_no_number_of_something_is_refused_and_changes_nothing(void **state)
{
	static const char *const bad[] = {"", "=", "profiles", "profiles=", "profiles=0",
	    "profiles=-1", "profiles=+1", "profiles= 1", "profiles=1 ", "profiles=1T", "profiles=K",
	    "profiles=1KK", "profiles=4294967296", "clients=4G", "Profiles=1", "profile=1",
	    "profiless=1", "output_bytes=0", "output_bytes=1234567890123",
	    "output_bytes=99999999999G", "output_bytes=17179869184G", "output_byte=1", "=1"};
	struct quota quota, expected;
	size_t i;

	(void)state;
	quota_default(&quota);
	expected = quota;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (set(&quota, bad[i]))
			fail_msg("taken for a quota: \"%s\"", bad[i]);
		assert_memory_equal(&quota, &expected, sizeof(quota));
	}
}

static void
a_file_may_hold_comments_and_blank_lines_and_names_its_first_bad_line(void **state)
{
	struct folder *folder = *state;
	struct quota quota;

	quota_default(&quota);
	assert_int_equal(quota_read(folder->descriptor, "alice", &quota), 0);
	folder_write(folder, "alice.quota", 0644, "# of alice\n\nprofiles 3\nclients 2");
	assert_int_equal(quota_read(folder->descriptor, "alice", &quota), 0);
	assert_int_equal(quota.profiles, 3);
	assert_int_equal(quota.clients, 2);
	folder_write(folder, "alice.quota", 0644, "profiles 4\n\nclients many\nnonsense\n");
	assert_int_equal(quota_read(folder->descriptor, "alice", &quota), 3);
}

static void
a_file_that_is_not_roots_alone_or_no_plain_file_or_too_large_is_refused(void **state)
{
	static char large[SETTING_BYTES_MAX + 1];
	struct folder *folder = *state;
	struct quota quota;

	quota_default(&quota);
	folder_write(folder, "writable.quota", 0666, "profiles 3\n");
	assert_int_equal(quota_read(folder->descriptor, "writable", &quota), -1);
	folder_write(folder, "foreign.quota", 0644, "profiles 3\n");
	folder_chown(folder, "foreign.quota", 5);
	assert_int_equal(quota_read(folder->descriptor, "foreign", &quota), -1);
	folder_make(folder, "directory.quota", 0755);
	assert_int_equal(quota_read(folder->descriptor, "directory", &quota), -1);
	assert_int_equal(mkfifoat(folder->descriptor, "fifo.quota", 0600), 0);
	assert_int_equal(quota_read(folder->descriptor, "fifo", &quota), -1);
	folder_write(folder, "good.quota", 0644, "profiles 3\n");
	assert_int_equal(symlinkat("good.quota", folder->descriptor, "link.quota"), 0);
	assert_int_equal(quota_read(folder->descriptor, "link", &quota), -1);
	memset(large, '\n', sizeof(large));
	folder_write_bytes(folder, "large.quota", 0644, large, sizeof(large));
	assert_int_equal(quota_read(folder->descriptor, "large", &quota), -1);
	folder_write_bytes(folder, "full.quota", 0644, large, sizeof(large) - 1);
	assert_int_equal(quota_read(folder->descriptor, "full", &quota), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_word_sets_its_own_number_and_no_other),
	    cmocka_unit_test(what_is_no_number_of_something_is_refused_and_changes_nothing),
	    cmocka_unit_test_setup_teardown(
		a_file_may_hold_comments_and_blank_lines_and_names_its_first_bad_line,
		folder_set_up, folder_tear_down),
	    cmocka_unit_test_setup_teardown(
		a_file_that_is_not_roots_alone_or_no_plain_file_or_too_large_is_refused,
		folder_set_up, folder_tear_down),
	};

	return cmocka_run_group_tests_name("quota", tests, NULL, NULL);
}
