/*
 * What happens to a profile from its start to its end: DESIGN.md section 4, from the outside.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "host.h"

static int
set_up(void **state)
{
	struct host *host = calloc(1, sizeof(*host));

	assert_non_null(host);
	host_begin(host);
	*state = host;
	return 0;
}

static int
tear_down(void **state)
{
	host_end(*state);
	free(*state);
	return 0;
}

static void
every_profile_without_down_is_started(void **state)
{
	struct host *host = *state;
	pid_t pid;

	host_profile(host, "web", "exec sleep 1000");
	host_profile(host, "later", "exec sleep 1000");
	host_write(host, "later/down", 0644, "%s", "");
	host_start(host);
	pid = host_wait_running(host, "web");
	assert_true(process_lives(pid));
	assert_int_equal(host_count_log(host, " later "), 0);
	host_stop_all(host);
	assert_false(process_lives(pid));
}

static void
a_service_with_restart_that_dies_is_started_again(void **state)
{
	struct host *host = *state;
	pid_t first, second;

	host_profile(host, "web", "exec sleep 1000");
	host_write(host, "web/restart", 0644, "%s", "");
	host_start(host);
	first = host_wait_running(host, "web");
	host_mark_log(host);
	assert_int_equal(kill(first, SIGKILL), 0);
	host_wait_log(host, " INFO  web died pid %d signal SIGKILL$", first);
	second = host_wait_running(host, "web");
	assert_int_not_equal(first, second);
	host_stop_all(host);
}

static void
sigterm_leaves_services_up_and_the_next_start_adopts_them(void **state)
{
	struct host *host = *state;
	pid_t pid;

	host_profile(host, "web", "exec sleep 1000");
	host_start(host);
	pid = host_wait_running(host, "web");
	host_leave(host);
	assert_true(process_lives(pid));
	host_wait_log(host, " INFO  ProcLaunch exiting$");
	host_mark_log(host);
	host_start(host);
	assert_int_equal(host_wait_running(host, "web"), pid);
	assert_int_equal(host_count_log(host, " web starting"), 0);
	host_stop_all(host);
	process_wait_gone(pid);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		every_profile_without_down_is_started, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		a_service_with_restart_that_dies_is_started_again, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		sigterm_leaves_services_up_and_the_next_start_adopts_them, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("lifecycle", tests, NULL, NULL);
}
