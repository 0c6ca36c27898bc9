/*
 * Permission as data: what is not in the table is refused, whoever asks. The deny side first; and
 * of what is denied no descriptor stays open.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "open_files.h"
#include "rules.h"

/* What the handlers have seen. */
static unsigned handled;
static void *subject_seen;
static const char *handler_seen;
static unsigned count_seen;
static int taken = -1;

static void
note_call(const char *handler, void *subject, const struct incoming *incoming)
{
	handled++;
	handler_seen = handler;
	subject_seen = subject;
	count_seen = incoming->count;
}

static void
leave(void *subject, struct incoming *incoming)
{
	note_call("leave", subject, incoming);
}

static void
take(void *subject, struct incoming *incoming)
{
	note_call("take", subject, incoming);
	taken = channel_take(incoming);
}

static void
other(void *subject, struct incoming *incoming)
{
	note_call("other", subject, incoming);
}

#define IDLE 1U
#define BUSY 2U
#define DONE 4U

static const struct rule table[] = {
    {MESSAGE_PING, FROM_PARENT, 0, 0, 0, leave},
    {MESSAGE_HELLO, FROM_PARENT | FROM_MONITOR, IDLE, 0, 0, leave},
    {MESSAGE_HELLO, FROM_SPAWNER, BUSY, 0, 0, other},
    {MESSAGE_LOG, FROM_PARENT, 0, 1, 1, take},
    {MESSAGE_FORK, FROM_PARENT, IDLE | BUSY, 2, 3, take},
};
#define RULES (sizeof(table) / sizeof(table[0]))

static struct incoming
letter(enum message_type type, unsigned descriptors)
{
	struct incoming incoming;

	memset(&incoming, 0, sizeof(incoming));
	message_begin(&incoming.message, type);
	while (incoming.count < descriptors) {
		incoming.descriptors[incoming.count] = open("/dev/null", O_RDWR | O_CLOEXEC);
		assert_int_not_equal(incoming.descriptors[incoming.count], -1);
		incoming.count++;
	}
	return incoming;
}

static enum verdict
apply(enum message_type type, enum sender sender, unsigned state, unsigned descriptors)
{
	struct incoming incoming = letter(type, descriptors);
	enum verdict verdict;
	static int subject;

	handled = 0;
	verdict = rules_apply(table, RULES, sender, state, &subject, &incoming);
	assert_int_equal(incoming.count, 0);
	if (handled > 0)
		assert_ptr_equal(subject_seen, &subject);
	return verdict;
}

static unsigned open_before;

static int
set_up(void **state)
{
	(void)state;
	open_before = open_files_count();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	assert_int_equal(open_files_count(), open_before);
	return 0;
}

static void
a_type_that_is_not_in_the_table_breaks_the_protocol(void **state)
{
	(void)state;
	assert_int_equal(apply(MESSAGE_PONG, FROM_PARENT, IDLE, 0), RULE_BROKEN);
	assert_int_equal(apply(MESSAGE_PONG, FROM_PARENT, IDLE, 2), RULE_BROKEN);
	assert_int_equal(apply(MESSAGE_NONE, FROM_PARENT, IDLE, 0), RULE_BROKEN);
	assert_int_equal(apply(MESSAGE_TYPE_COUNT, FROM_PARENT, IDLE, 4), RULE_BROKEN);
	assert_int_equal(handled, 0);
}

static void
a_sender_that_is_not_in_the_rule_breaks_the_protocol(void **state)
{
	static const enum sender others[] = {FROM_MONITOR, FROM_SPAWNER, FROM_JOB, FROM_CLIENT};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		assert_int_equal(apply(MESSAGE_PING, others[i], IDLE, 0), RULE_BROKEN);
		assert_int_equal(apply(MESSAGE_LOG, others[i], IDLE, 1), RULE_BROKEN);
		assert_int_equal(handled, 0);
	}
	assert_int_equal(apply(MESSAGE_HELLO, FROM_CLIENT, IDLE, 0), RULE_BROKEN);
	assert_int_equal(apply(MESSAGE_HELLO, FROM_JOB, BUSY, 0), RULE_BROKEN);
}

static void
a_wrong_number_of_descriptors_breaks_the_protocol(void **state)
{
	unsigned count;

	(void)state;
	for (count = 0; count <= CHANNEL_DESCRIPTORS_MAX; count++) {
		if (count != 0)
			assert_int_equal(
			    apply(MESSAGE_PING, FROM_PARENT, IDLE, count), RULE_BROKEN);
		if (count != 1)
			assert_int_equal(apply(MESSAGE_LOG, FROM_PARENT, IDLE, count), RULE_BROKEN);
		if (count != 2 && count != 3)
			assert_int_equal(
			    apply(MESSAGE_FORK, FROM_PARENT, IDLE, count), RULE_BROKEN);
		assert_int_equal(handled, 0);
	}
}

static void
a_wrong_state_is_refused_and_nothing_happens(void **state)
{
	(void)state;
	assert_int_equal(apply(MESSAGE_HELLO, FROM_PARENT, BUSY, 0), RULE_REFUSED);
	assert_int_equal(apply(MESSAGE_HELLO, FROM_MONITOR, DONE, 0), RULE_REFUSED);
	assert_int_equal(apply(MESSAGE_HELLO, FROM_SPAWNER, IDLE, 0), RULE_REFUSED);
	assert_int_equal(apply(MESSAGE_FORK, FROM_PARENT, DONE, 2), RULE_REFUSED);
	assert_int_equal(apply(MESSAGE_FORK, FROM_PARENT, 0, 2), RULE_REFUSED);
	assert_int_equal(handled, 0);
	/* a peer that breaks the protocol as well is not let off */
	assert_int_equal(apply(MESSAGE_FORK, FROM_PARENT, DONE, 4), RULE_BROKEN);
	assert_int_equal(apply(MESSAGE_FORK, FROM_CLIENT, DONE, 2), RULE_BROKEN);
}

static void
an_empty_table_permits_nothing(void **state)
{
	struct incoming incoming;
	uint32_t type;

	(void)state;
	for (type = 0; type <= MESSAGE_TYPE_COUNT; type++) {
		incoming = letter((enum message_type)type, 0);
		assert_int_equal(
		    rules_apply(table, 0, FROM_PARENT, IDLE, NULL, &incoming), RULE_BROKEN);
		assert_int_equal(
		    rules_apply(table, 1, FROM_MONITOR, IDLE, NULL, &incoming), RULE_BROKEN);
	}
}

static void
what_is_permitted_runs_its_handler_once(void **state)
{
	(void)state;
	assert_int_equal(apply(MESSAGE_PING, FROM_PARENT, 0, 0), RULE_KEPT);
	assert_int_equal(handled, 1);
	assert_int_equal(apply(MESSAGE_PING, FROM_PARENT, DONE, 0), RULE_KEPT);
	assert_int_equal(apply(MESSAGE_HELLO, FROM_MONITOR, IDLE, 0), RULE_KEPT);
	assert_string_equal(handler_seen, "leave");
	assert_int_equal(handled, 1);
}

static void
the_same_type_from_another_sender_has_a_rule_of_its_own(void **state)
{
	(void)state;
	assert_int_equal(apply(MESSAGE_HELLO, FROM_SPAWNER, BUSY, 0), RULE_KEPT);
	assert_string_equal(handler_seen, "other");
	assert_int_equal(handled, 1);
}

static void
what_a_handler_took_stays_open_and_the_rest_is_closed(void **state)
{
	unsigned count;

	(void)state;
	for (count = 2; count <= 3; count++) {
		assert_int_equal(apply(MESSAGE_FORK, FROM_PARENT, BUSY, count), RULE_KEPT);
		assert_int_equal(count_seen, count);
		assert_int_equal(open_files_count(), open_before + 1);
		assert_int_equal(close(taken), 0);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_type_that_is_not_in_the_table_breaks_the_protocol),
	    TEST(a_sender_that_is_not_in_the_rule_breaks_the_protocol),
	    TEST(a_wrong_number_of_descriptors_breaks_the_protocol),
	    TEST(a_wrong_state_is_refused_and_nothing_happens),
	    TEST(an_empty_table_permits_nothing),
	    TEST(what_is_permitted_runs_its_handler_once),
	    TEST(the_same_type_from_another_sender_has_a_rule_of_its_own),
	    TEST(what_a_handler_took_stays_open_and_the_rest_is_closed),
	};

	return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}
