/*
 * The parent's table: whom the monitor may name by an index, and whom it may not.
 */
#include <search.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "table.h"

static void
a_tenants_own_entry_is_none_that_the_monitor_can_name(void **state)
{
	struct profile *web = table_add("web"), *alice = table_add("alice/"),
		       *hers = table_add("alice/web"), *mail;
	uint32_t index = table_index(alice);
	unsigned entries = 0, profiles = 0;

	(void)state;
	alice->tenant = true;
	assert_ptr_equal(table_at(table_index(web)), web);
	assert_ptr_equal(table_at(table_index(hers)), hers);
	assert_null(table_at(index));
	assert_ptr_equal(table_find("alice/"), alice);
	ENTRIES_FOREACH(entry)
		entries++;
	PROFILES_FOREACH(profile) {
		assert_ptr_not_equal(profile, alice);
		profiles++;
	}
	assert_int_equal(entries, 3);
	assert_int_equal(profiles, 2);
	/* who has the index next is a profile like any other */
	table_remove(alice);
	mail = table_add("mail");
	assert_int_equal(table_index(mail), index);
	assert_ptr_equal(table_at(index), mail);
}

static unsigned
count_of(const char *name)
{
	unsigned count = 0;

	TENANTS_FOREACH(profile, name) {
		assert_int_equal(strncmp(profile->facts.name, "bob/", 4), 0);
		count++;
	}
	return count;
}

static void
a_tenants_profiles_are_found_by_his_name_and_by_that_of_each_of_them(void **state)
{
	struct profile *early = table_add("bob/early"), *bob = table_add("bob/"),
		       *late = table_add("bob/late");

	(void)state;
	bob->tenant = true;
	(void)table_add("bob");
	(void)table_add("bobby/web");
	assert_int_equal(count_of("bob/"), 2);
	assert_int_equal(count_of("bob/late"), 2);
	assert_int_equal(count_of("bob/none"), 2);
	assert_int_equal(count_of("bo/"), 0);
	table_remove(early);
	assert_int_equal(count_of("bob/"), 1);
	table_remove(late);
	assert_int_equal(count_of("bob/"), 0);
}

/* In the place of the C library's, which may have no memory. */
static bool no_memory;
void *__real_tsearch(const void *key, void **root, __compar_fn_t compare);
void *__wrap_tsearch(const void *key, void **root, __compar_fn_t compare);
void *
__wrap_tsearch(const void *key, void **root, __compar_fn_t compare)
{
	return no_memory ? NULL : __real_tsearch(key, root, compare);
}

/* A request about who had an index before must not be taken for one about who has it now. */
static void
no_generation_of_an_index_comes_twice_whatever_fails(void **state)
{
	struct profile *first = table_add("first"), *second;
	uint32_t index = table_index(first), generation = first->generation;

	(void)state;
	table_remove(first);
	no_memory = true;
	assert_null(table_add_at(index, "second"));
	no_memory = false;
	assert_null(table_at(index));
	assert_null(table_find("second"));
	second = table_add_at(index, "second");
	assert_non_null(second);
	assert_true(second->generation > generation);
	table_remove(second);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_tenants_own_entry_is_none_that_the_monitor_can_name),
	    cmocka_unit_test(a_tenants_profiles_are_found_by_his_name_and_by_that_of_each_of_them),
	    cmocka_unit_test(no_generation_of_an_index_comes_twice_whatever_fails),
	};

	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
