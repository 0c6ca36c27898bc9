/*
 * Who holds a connection to the control socket and says nothing, or reads nothing, loses it. Nearly
 * all of the time of this test is waiting: it runs beside others, which those of control_abuse must
 * not.
 */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "client.h"
#include "ctl.h"
#include "host.h"
#include "unharmed.h"

#define IDLE_FOR 30000 /* milliseconds */

static void
who_is_idle_or_does_not_read_is_closed_after_30_s_and_who_follows_is_not(void **state)
{
	struct host *host = *state;
	struct before before = unharmed_begin(host);
	struct pollfd hang_up = {.events = POLLRDHUP};
	struct running_ctl log, events;
	int silent, greeted, deaf;
	uid_t uid = account_uid(TENANT);
	bool admitted;
	struct deadline idle;

	ctl_begin(host, uid, &log, "log", "-f", "web", NULL);
	ctl_begin(host, uid, &events, "events", "-f", "-n", "1", "web", NULL);
	ctl_wait_said(&events, "\"name\":\"web\",\"from\":\"starting\",\"to\":\"running\"");
	idle = deadline_in(IDLE_FOR);
	silent = client_connect(host, uid);
	greeted = client_greet(host, uid, &admitted);
	deaf = client_greet(host, uid, &admitted);
	while (client_ask(deaf, VERB_STATUS, "web"))
		; /* until there is no room for more questions, for it has none for answers */
	hang_up.fd = deaf;
	assert_false(client_hangs_up(silent, (int)deadline_left(&idle) - 2000));
	assert_true(client_hangs_up(silent, SOON));
	assert_true(client_hangs_up(greeted, SOON));
	/* to read what was sent to it would make room, and it would not be deaf any more */
	assert_int_equal(poll(&hang_up, 1, SOON), 1);
	assert_in_range(IDLE_FOR - deadline_left(&idle), IDLE_FOR - 100, IDLE_FOR + SOON);
	assert_int_equal(close(silent), 0);
	assert_int_equal(close(greeted), 0);
	assert_int_equal(close(deaf), 0);
	ctl_end(&log); /* these two had not ended */
	ctl_end(&events);
	assert_unharmed(host, &before);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROOT_TEST(who_is_idle_or_does_not_read_is_closed_after_30_s_and_who_follows_is_not),
	};

	return cmocka_run_group_tests_name("control idle", tests, NULL, NULL);
}
