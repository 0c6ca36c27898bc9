/*
 * What enable and disable leave: it is on the disk when the administrator is answered, and a crash
 * at any moment before leaves what was kept before or what was asked for, never a third thing.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "child.h"
#include "files.h"
#include "folder.h"
#include "wishes.h"

#define PROFILE	      "web"
#define TENANTS	      "alice/web"
#define TENANTS_NAMED "alice%web"

static struct folder *folder;

/* What of the parent the object calls. */
int
files_open_own(const char *name, mode_t mode)
{
	folder_make(folder, name, mode);
	return openat(folder->descriptor, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

const char *
files_name(const char *prefix, const char *profile, const char *suffix)
{
	REQUIRE(*prefix == '\0' && *suffix == '\0');
	return strcmp(profile, TENANTS) == 0 ? TENANTS_NAMED : profile;
}

/*
 * A disk that has of a directory what stood in it at its last fsync(2). `holds` is what a crash
 * would leave of PROFILE, and may be nothing but `before` and `after`.
 */
static const char *const names[] = {"enabled", "disabled"};
static bool on_disk[2];
static enum wish before, after;
static unsigned fails; /* the fsync() that does, counted from 1; 0: none */
static unsigned asked;

static bool
stands_in(unsigned which, const char *name)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "%s/%s", names[which], name);
	return faccessat(folder->descriptor, path, F_OK, 0) == 0;
}

static enum wish
left_by_a_crash(void)
{
	return on_disk[1] ? WISH_DOWN : on_disk[0] ? WISH_UP : WISH_DEFAULT;
}

int __wrap_fsync(int descriptor);

int
__wrap_fsync(int descriptor)
{
	struct stat synced, status;
	unsigned which;

	REQUIRE(fstat(descriptor, &synced) == 0);
	if (++asked == fails) {
		errno = EIO;
		return -1;
	}
	for (which = 0; which < 2; which++) {
		REQUIRE(fstatat(folder->descriptor, names[which], &status, 0) == 0);
		if (status.st_ino == synced.st_ino)
			on_disk[which] = stands_in(which, PROFILE);
	}
	REQUIRE(left_by_a_crash() == before || left_by_a_crash() == after);
	return 0;
}

static int
set_up(void **state)
{
	assert_int_equal(folder_set_up(state), 0);
	folder = *state;
	return 0;
}

static void
keep(enum wish wish)
{
	after = wish;
	REQUIRE(wishes_keep(PROFILE, wish) == 0);
	REQUIRE(wishes_of(PROFILE) == wish);
	REQUIRE(left_by_a_crash() == wish);
	before = wish;
}

static void
keep_each_after_each(void *context)
{
	/* each of the nine steps once */
	static const enum wish wishes[] = {WISH_DEFAULT, WISH_UP, WISH_UP, WISH_DOWN, WISH_DOWN,
	    WISH_UP, WISH_DEFAULT, WISH_DOWN, WISH_DEFAULT};
	size_t i;

	(void)context;
	wishes_open();
	for (i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++)
		keep(wishes[i]);
	REQUIRE(!stands_in(0, PROFILE) && !stands_in(1, PROFILE));
}

static void
what_is_kept_is_on_the_disk_and_a_crash_leaves_the_old_or_the_new(void **state)
{
	(void)state;
	child_run(keep_each_after_each, NULL);
}

/* Nobody is told that it is kept, and it is asked for again. */
static void
keep_on_a_failing_disk(void *context)
{
	(void)context;
	wishes_open();
	keep(WISH_UP);
	after = WISH_DOWN;
	asked = 0;
	for (fails = 1; fails <= 2; fails++, asked = 0)
		REQUIRE(wishes_keep(PROFILE, WISH_DOWN) == -1 && errno == EIO);
	fails = 0;
	keep(WISH_DOWN);
}

static void
what_could_not_be_brought_to_the_disk_is_not_said_to_be_kept(void **state)
{
	(void)state;
	child_run(keep_on_a_failing_disk, NULL);
}

static void
keep_for_two(void *context)
{
	(void)context;
	wishes_open();
	keep(WISH_UP);
	REQUIRE(wishes_of(TENANTS) == WISH_DEFAULT);
	REQUIRE(wishes_keep(TENANTS, WISH_DOWN) == 0);
	REQUIRE(stands_in(1, TENANTS_NAMED));
	REQUIRE(wishes_of(TENANTS) == WISH_DOWN && wishes_of(PROFILE) == WISH_UP);
	REQUIRE(wishes_keep(TENANTS, WISH_DEFAULT) == 0);
	REQUIRE(wishes_of(TENANTS) == WISH_DEFAULT && wishes_of(PROFILE) == WISH_UP);
}

static void
what_is_kept_of_one_is_nothing_to_another(void **state)
{
	(void)state;
	child_run(keep_for_two, NULL);
}

/* The name is one that only root could have put there; a link is not followed all the same. */
static void
keep_where_a_link_stands(void *context)
{
	struct stat status;

	(void)context;
	wishes_open();
	REQUIRE(symlinkat("../outside", folder->descriptor, "enabled/" PROFILE) == 0);
	REQUIRE(wishes_of(PROFILE) == WISH_UP); /* the name alone counts */
	REQUIRE(wishes_keep(PROFILE, WISH_UP) == -1 && errno == ELOOP);
	REQUIRE(fstatat(folder->descriptor, "outside", &status, 0) == -1);
	before = after = WISH_DEFAULT;
	keep(WISH_DEFAULT);
}

static void
a_link_in_the_place_of_a_wish_is_not_followed(void **state)
{
	(void)state;
	child_run(keep_where_a_link_stands, NULL);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, folder_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_is_kept_is_on_the_disk_and_a_crash_leaves_the_old_or_the_new),
	    TEST(what_could_not_be_brought_to_the_disk_is_not_said_to_be_kept),
	    TEST(what_is_kept_of_one_is_nothing_to_another),
	    TEST(a_link_in_the_place_of_a_wish_is_not_followed),
	};

	return cmocka_run_group_tests_name("wishes that are kept", tests, NULL, NULL);
}
