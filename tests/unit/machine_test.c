/*
 * The state machine, pair by pair: what a row says was written down from proclaunch(8) and from
 * what the events and actions are described to mean in machine.h; not from the table.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "machine.h"
#include "words.h"

#define STOPPED	 STATE_STOPPED
#define STARTING STATE_STARTING
#define RUNNING	 STATE_RUNNING
#define STOPPING STATE_STOPPING

#define AFRESH	    ACTION_AFRESH
#define CANCEL	    ACTION_CANCEL
#define DIED	    ACTION_DIED
#define FAILED	    ACTION_FAILED
#define KILL	    ACTION_KILL
#define LATE	    ACTION_LATE
#define OWE_RELOAD  ACTION_OWE_RELOAD
#define PLAN	    ACTION_PLAN
#define RELOAD	    ACTION_RELOAD
#define REPEAT_STOP ACTION_REPEAT_STOP
#define START	    ACTION_START
#define STOP	    ACTION_STOP
#define SWEEP	    ACTION_SWEEP
#define NOTHING	    0U

static const struct expectation {
	enum state state;
	enum event event;
	enum state next;
	unsigned actions;
} expectations[] = {
    /* nothing lives: only a wish, the time of the next start, or a service that is found alive */
    {STOPPED, EVENT_UP, STARTING, AFRESH | START},
    {STOPPED, EVENT_DOWN, STOPPED, CANCEL},
    {STOPPED, EVENT_CHANGED, STOPPED, AFRESH | PLAN},
    {STOPPED, EVENT_RELOAD, STOPPED, NOTHING},
    {STOPPED, EVENT_PROVED, RUNNING, CANCEL | ACTION_RUNNING},
    {STOPPED, EVENT_FAILED, STOPPED, NOTHING},
    {STOPPED, EVENT_DIED, STOPPED, NOTHING},
    {STOPPED, EVENT_EMPTY, STOPPED, NOTHING},
    {STOPPED, EVENT_DUE, STARTING, START},
    {STOPPED, EVENT_LATE, STOPPED, NOTHING},
    {STOPPED, EVENT_OVERDUE, STOPPED, NOTHING},

    /* asked for, and perhaps there already: no second start, and `stopping` when it is not to be */
    {STARTING, EVENT_UP, STARTING, NOTHING},
    {STARTING, EVENT_DOWN, STOPPING, STOP},
    {STARTING, EVENT_CHANGED, STOPPING, AFRESH | STOP},
    {STARTING, EVENT_RELOAD, STARTING, OWE_RELOAD},
    {STARTING, EVENT_PROVED, RUNNING, ACTION_RUNNING},
    {STARTING, EVENT_FAILED, STOPPED, FAILED | PLAN},
    {STARTING, EVENT_DIED, STOPPING, DIED | SWEEP},
    {STARTING, EVENT_EMPTY, STARTING, NOTHING},
    {STARTING, EVENT_DUE, STARTING, NOTHING},
    {STARTING, EVENT_LATE, STOPPING, LATE | STOP},
    {STARTING, EVENT_OVERDUE, STARTING, NOTHING},

    /* proved: a death goes through `stopping`, because others of the profile may be left */
    {RUNNING, EVENT_UP, RUNNING, NOTHING},
    {RUNNING, EVENT_DOWN, STOPPING, STOP},
    {RUNNING, EVENT_CHANGED, STOPPING, AFRESH | STOP},
    {RUNNING, EVENT_RELOAD, RUNNING, RELOAD},
    {RUNNING, EVENT_PROVED, RUNNING, NOTHING},
    {RUNNING, EVENT_FAILED, RUNNING, NOTHING},
    {RUNNING, EVENT_DIED, STOPPING, DIED | SWEEP},
    {RUNNING, EVENT_EMPTY, RUNNING, NOTHING},
    {RUNNING, EVENT_DUE, RUNNING, NOTHING},
    {RUNNING, EVENT_LATE, RUNNING, NOTHING},
    {RUNNING, EVENT_OVERDUE, RUNNING, NOTHING},

    /* it stays here until nothing lives any more, whatever is wished meanwhile */
    {STOPPING, EVENT_UP, STOPPING, AFRESH},
    {STOPPING, EVENT_DOWN, STOPPING, NOTHING},
    {STOPPING, EVENT_CHANGED, STOPPING, AFRESH},
    {STOPPING, EVENT_RELOAD, STOPPING, NOTHING},
    {STOPPING, EVENT_PROVED, STOPPING, REPEAT_STOP},
    {STOPPING, EVENT_FAILED, STOPPED, PLAN},
    {STOPPING, EVENT_DIED, STOPPING, SWEEP},
    {STOPPING, EVENT_EMPTY, STOPPED, PLAN},
    {STOPPING, EVENT_DUE, STOPPING, NOTHING},
    {STOPPING, EVENT_LATE, STOPPING, NOTHING},
    {STOPPING, EVENT_OVERDUE, STOPPING, KILL},
};
#define EXPECTATIONS (sizeof(expectations) / sizeof(expectations[0]))

static void
every_pair_does_what_the_design_says(void **state)
{
	bool seen[STATE_COUNT][EVENT_COUNT] = {{false}};
	const struct expectation *expected;
	struct transition found;

	(void)state;
	assert_int_equal(EXPECTATIONS, STATE_COUNT * EVENT_COUNT);
	for (expected = expectations; expected < expectations + EXPECTATIONS; expected++) {
		assert_false(seen[expected->state][expected->event]);
		seen[expected->state][expected->event] = true;
		found = machine_step(expected->state, expected->event);
		if (found.next != expected->next || found.actions != expected->actions)
			fail_msg("%s, event %d: %s with actions %u instead of %s with %u",
			    state_name(expected->state), expected->event, state_name(found.next),
			    found.actions, state_name(expected->next), expected->actions);
	}
}

static void
states_are_called_what_the_log_and_the_manual_call_them(void **state)
{
	(void)state;
	assert_string_equal(state_name(STATE_STOPPED), "stopped");
	assert_string_equal(state_name(STATE_STARTING), "starting");
	assert_string_equal(state_name(STATE_RUNNING), "running");
	assert_string_equal(state_name(STATE_STOPPING), "stopping");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_pair_does_what_the_design_says),
	    cmocka_unit_test(states_are_called_what_the_log_and_the_manual_call_them),
	};

	return cmocka_run_group_tests_name("machine", tests, NULL, NULL);
}
