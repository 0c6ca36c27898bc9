/*
 * The parent's table: whom the monitor may name by an index, and whom it may not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "table.h"

static void
a_tenants_own_entry_is_none_that_the_monitor_can_name(void **state)
{
	struct profile *web = table_add("web"), *alice = table_add("alice/"),
		       *hers = table_add("alice/web"), *found;
	uint32_t index;
	unsigned entries = 0, profiles = 0;

	(void)state;
	alice->tenant = true;
	assert_ptr_equal(table_at(table_index(web)), web);
	assert_ptr_equal(table_at(table_index(hers)), hers);
	assert_null(table_at(table_index(alice)));
	assert_ptr_equal(table_entry(table_index(alice)), alice);
	assert_ptr_equal(table_find("alice/"), alice);
	ENTRIES_FOREACH(found, index)
		entries++;
	PROFILES_FOREACH(found, index) {
		assert_ptr_not_equal(found, alice);
		profiles++;
	}
	assert_int_equal(entries, 3);
	assert_int_equal(profiles, 2);
	/* who has the index next is a profile like any other */
	index = table_index(alice);
	table_remove(alice);
	found = table_add("mail");
	assert_int_equal(table_index(found), index);
	assert_ptr_equal(table_at(index), found);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_tenants_own_entry_is_none_that_the_monitor_can_name),
	};

	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
