/*
 * The state machine in every world that it can get into. A model of the world around it (the
 * process, what it leaves behind, what is wished, the directory, the clocks) carries out the
 * actions as monitor/supervise.c does; everything else that can happen at any moment is tried in
 * every state, breadth first, until no new state is found.
 *
 * What is told happens at once here. That messages are under way is for supervise_test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "exploration.h"
#include "machine.h"
#include "words.h"

enum main_process { NOTHING, ASKED, EXECUTED, PROVED };
enum policy { NEVER_AGAIN, ALWAYS_AGAIN, AGAIN_ON_FAILURE, POLICIES };
enum cause { NONE, AFRESH, DIED, LATE };
enum clock { NO_CLOCK, CLOCK_START, CLOCK_LATE, CLOCK_OVERDUE };

/* Every member has few values, so that all combinations can be seen. */
struct world {
	/* what does not change: the profile's policy files */
	uint8_t policy, has_reload, ends_group;
	/* what the monitor knows */
	uint8_t state, cause, clock, finished, failures, reload_owed, answered;
	/* what is wished, and the directory */
	uint8_t wanted, gone, forgotten;
	/* the kernel's truth */
	uint8_t process, left_behind, stale;
	uint8_t ended_badly, unborn, lived_shortly; /* the last one that ended */
	uint8_t ended_by_itself; /* ... and nobody has asked for another one since */
	uint8_t late;		 /* it was not proved in time, however it ended then */
	uint8_t bad_starts;	 /* in a row, as it really was */
	/* what it was told to do */
	uint8_t told_to_stop, told_to_sweep;
};

/* The kinds of what can happen. */
#define FAIR  1U /* happens by itself if one waits: obedience, progress, clocks */
#define FATE  2U /* may happen or not: failures, deaths, leftovers */
#define HUMAN 4U /* wishes and edits */

static struct exploration *worlds;
static struct world world; /* the one that is being changed */
static const char *wrong;  /* the first rule that was broken in it */
static bool clock_rang;	   /* this is about a start whose time has come */

static void step(enum event event);

static void
rule(bool kept, const char *text)
{
	if (!kept && wrong == NULL)
		wrong = text;
}

static bool
is_wanted(void)
{
	return world.wanted && !world.gone;
}

static bool
something_lives(void)
{
	return world.process != NOTHING || (world.left_behind && world.ends_group);
}

static bool
may_start_again(void)
{
	return world.unborn || world.policy == ALWAYS_AGAIN ||
	    (world.policy == AGAIN_ON_FAILURE && world.ended_badly);
}

static void
carry_out_start(void)
{
	rule(!something_lives(), "no start while something lives");
	rule(is_wanted(), "no start of what is not wanted");
	rule(!world.ended_by_itself || may_start_again(), "what has finished is left alone");
	rule(!world.ended_by_itself || world.bad_starts < 2 || clock_rang,
	    "what fails again and again has to wait");
	world.process = ASKED;
	world.stale = world.answered = world.finished = world.reload_owed = false;
	world.told_to_stop = world.told_to_sweep = false;
	world.unborn = world.late = world.ended_by_itself = false;
	world.cause = NONE;
	world.clock = CLOCK_LATE;
}

static void
carry_out_plan(void)
{
	bool after_death = world.cause == DIED || world.cause == LATE;

	rule(!something_lives(), "nothing is planned while something lives");
	world.clock = NO_CLOCK;
	if (after_death)
		world.finished = !may_start_again();
	world.cause = NONE;
	if (world.finished || !is_wanted())
		return;
	if (after_death && world.failures == 2)
		world.clock = CLOCK_START;
	else
		step(EVENT_DUE);
}

static void
carry_out_stop(void)
{
	world.told_to_stop = true;
	world.clock = CLOCK_OVERDUE;
}

static void
carry_out_sweep(void)
{
	if (!world.left_behind || !world.ends_group)
		return;
	world.told_to_sweep = true;
	world.clock = CLOCK_OVERDUE;
}

static void
count_failure(void)
{
	world.failures = (uint8_t)(world.failures + (world.failures < 2));
}

static void
count_bad_start(void)
{
	world.bad_starts = (uint8_t)(world.bad_starts + (world.bad_starts < 2));
}

static void
carry_out(unsigned actions)
{
	if ((actions & ACTION_CANCEL) != 0) {
		world.clock = NO_CLOCK;
		world.cause = NONE;
	}
	if ((actions & ACTION_AFRESH) != 0) {
		world.failures = world.finished = 0;
		world.cause = AFRESH;
	}
	if ((actions & ACTION_FAILED) != 0 || (actions & ACTION_DIED) != 0)
		world.cause = DIED;
	if ((actions & ACTION_LATE) != 0)
		world.cause = LATE;
	if ((actions & (ACTION_FAILED | ACTION_LATE)) != 0 ||
	    ((actions & ACTION_DIED) != 0 && world.lived_shortly))
		count_failure();
	else if ((actions & ACTION_DIED) != 0)
		world.failures = 0;
	if ((actions & ACTION_RUNNING) != 0) {
		rule(world.process == PROVED, "running needs proof");
		world.clock = NO_CLOCK;
		if (world.reload_owed)
			world.answered = true;
		world.reload_owed = false;
	}
	if ((actions & ACTION_RELOAD) != 0) {
		rule(world.process == PROVED, "only what runs is told to reload");
		world.answered = true;
	}
	if ((actions & ACTION_OWE_RELOAD) != 0)
		world.reload_owed = true;
	if ((actions & ACTION_STOP) != 0)
		carry_out_stop();
	if ((actions & ACTION_REPEAT_STOP) != 0)
		world.told_to_stop = true;
	if ((actions & ACTION_SWEEP) != 0)
		carry_out_sweep();
	if ((actions & ACTION_KILL) != 0) {
		world.told_to_stop = world.told_to_sweep = true;
		world.clock = CLOCK_OVERDUE;
	}
	if ((actions & ACTION_START) != 0)
		carry_out_start();
	if ((actions & ACTION_PLAN) != 0)
		carry_out_plan();
}

static void
step(enum event event)
{
	struct transition transition = machine_step((enum state)world.state, event);

	if (world.state == STATE_STOPPING && transition.next != STATE_STOPPING)
		rule(!something_lives(), "stopping ends only when nothing lives");
	world.state = transition.next;
	carry_out(transition.actions);
}

/* What must be true whenever nothing is going on. */
static void
look_at_world(void)
{
	enum state state = (enum state)world.state;

	rule(state != STATE_STOPPED || !something_lives(), "what is stopped does not live");
	rule(state != STATE_RUNNING || world.process == PROVED, "what is running lives");
	rule(state != STATE_STARTING || world.process == ASKED || world.process == EXECUTED,
	    "what is starting was asked for and is not proved");
	rule(state != STATE_STOPPING || something_lives(), "what is stopping still lives");
	rule(state != STATE_STOPPING || world.process == NOTHING || world.told_to_stop,
	    "what is stopping was told to");
	rule(state != STATE_STOPPING || world.process != NOTHING || world.told_to_sweep,
	    "what was left behind was told to end");
	rule(state != STATE_STARTING || world.clock == CLOCK_LATE,
	    "a start that takes too long is noticed");
	rule(world.clock != CLOCK_LATE || state == STATE_STARTING, "only a start can be late");
	rule(world.clock != CLOCK_START || (state == STATE_STOPPED && is_wanted()),
	    "a start is planned for what is wanted and stopped only");
	rule(world.clock != CLOCK_OVERDUE || state == STATE_STOPPING, "only a stop can be overdue");
	rule(!is_wanted() || state != STATE_STOPPED || world.finished || world.clock == CLOCK_START,
	    "what is wanted and stopped has a start planned, or has finished");
	rule(!world.finished || world.policy != ALWAYS_AGAIN,
	    "what is always to be started again never finishes");
	rule(!world.finished || world.policy != AGAIN_ON_FAILURE || !world.ended_badly,
	    "what failed has not finished");
	rule(!world.finished || world.ended_by_itself,
	    "what was asked for since its end has not finished");
	rule(world.clock != CLOCK_START || world.ended_by_itself,
	    "what was asked for does not wait");
	rule(world.failures == world.bad_starts,
	    "failures are counted, and no longer than they are");
	rule(is_wanted() || state == STATE_STOPPED || state == STATE_STOPPING,
	    "what is not wanted is stopped or about to be");
}

/* Everything that can happen, each as a change of `world`. False: it cannot happen now. */

static bool
it_is_executed(void)
{
	/* a stop that comes in time is a cancelled birth */
	if (world.process != ASKED || world.told_to_stop)
		return false;
	world.process = EXECUTED;
	return true;
}

static bool
it_is_proved(void)
{
	if (world.process != EXECUTED)
		return false;
	world.process = PROVED;
	world.told_to_stop = false; /* what it was told then did not reach it */
	step(EVENT_PROVED);
	return true;
}

static bool
it_cannot_be_executed(void)
{
	if (world.process != ASKED)
		return false;
	world.process = NOTHING;
	world.ended_badly = world.unborn = true;
	if (world.state == STATE_STARTING) {
		world.ended_by_itself = true;
		count_bad_start();
	}
	step(EVENT_FAILED);
	return true;
}

static void
end_process(bool badly, bool leaves, bool at_once)
{
	world.process = NOTHING;
	world.ended_badly = badly || world.late;
	world.left_behind = leaves;
	world.lived_shortly = at_once;
	if (world.state != STATE_STOPPING) {
		world.ended_by_itself = true;
		if (at_once)
			count_bad_start();
		else
			world.bad_starts = 0;
	}
	step(EVENT_DIED);
	if (!leaves || !world.ends_group)
		step(EVENT_EMPTY);
}

static bool
it_obeys(void)
{
	if (!world.told_to_stop || world.process == NOTHING)
		return false;
	if (world.process == ASKED)
		return it_cannot_be_executed();
	end_process(true, false, false);
	return true;
}

static bool
dies(bool badly, bool leaves, bool at_once)
{
	if (world.process != EXECUTED && world.process != PROVED)
		return false;
	end_process(badly, leaves, at_once);
	return true;
}

static bool
it_dies_badly_at_once(void)
{
	return dies(true, false, true);
}

static bool
it_dies_badly_and_leaves_others(void)
{
	return dies(true, true, false);
}

static bool
it_ends_well(void)
{
	return dies(false, false, false);
}

static bool
it_ends_well_and_leaves_others(void)
{
	return dies(false, true, false);
}

static void
end_leftovers(void)
{
	world.left_behind = world.told_to_sweep = false;
	if (world.process == NOTHING && world.ends_group)
		step(EVENT_EMPTY);
}

static bool
leftovers_obey(void)
{
	if (!world.left_behind || !world.told_to_sweep)
		return false;
	end_leftovers();
	return true;
}

static bool
leftovers_end_by_themselves(void)
{
	if (!world.left_behind)
		return false;
	end_leftovers();
	return true;
}

static bool
rings(enum clock clock, enum event event)
{
	if (world.clock != clock)
		return false;
	world.clock = NO_CLOCK;
	step(event);
	return true;
}

static bool
the_time_of_the_start_comes(void)
{
	bool rang;

	clock_rang = true;
	rang = rings(CLOCK_START, EVENT_DUE);
	clock_rang = false;
	return rang;
}

static bool
start_timeout_runs_out(void)
{
	if (world.clock == CLOCK_LATE) {
		world.ended_by_itself = world.late = true;
		count_bad_start();
	}
	return rings(CLOCK_LATE, EVENT_LATE);
}

static bool
stop_timeout_runs_out(void)
{
	if (world.clock == CLOCK_OVERDUE) /* what it was told has not helped */
		world.told_to_stop = world.told_to_sweep = false;
	return rings(CLOCK_OVERDUE, EVENT_OVERDUE);
}

/* A person has decided, and what was before does not count any more. */
static void
begin_afresh(void)
{
	world.ended_by_itself = false;
	world.bad_starts = 0;
}

static bool
it_is_asked_for(void)
{
	if (world.gone)
		return false;
	world.wanted = true;
	if (world.state == STATE_STOPPED || world.state == STATE_STOPPING)
		begin_afresh();
	step(EVENT_UP);
	return true;
}

static bool
it_is_not_to_run(void)
{
	world.wanted = false;
	step(EVENT_DOWN);
	return true;
}

static bool
a_restart_is_asked_for(void)
{
	if (!is_wanted())
		return false;
	begin_afresh();
	step(EVENT_CHANGED);
	return true;
}

static bool
a_reload_is_asked_for(void)
{
	if (!is_wanted())
		return false;
	step(EVENT_RELOAD);
	return true;
}

static bool
its_files_change(void)
{
	if (world.gone)
		return false;
	world.stale = world.process != NOTHING;
	world.answered = false;
	if (world.state == STATE_STOPPING)
		return true; /* they count from the next start on */
	if (world.state == STATE_STOPPED || (is_wanted() && !world.has_reload)) {
		begin_afresh();
		step(EVENT_CHANGED);
	} else if (is_wanted()) {
		step(EVENT_RELOAD);
	}
	return true;
}

static void
forget_if_stopped(void)
{
	if (!world.gone || world.state != STATE_STOPPED)
		return;
	memset(&world, 0, sizeof(world));
	world.forgotten = true;
}

static bool
its_directory_disappears(void)
{
	if (world.gone)
		return false;
	world.gone = true;
	step(EVENT_DOWN);
	return true;
}

static bool
its_directory_comes_back(void)
{
	if (!world.gone)
		return false;
	world.gone = false;
	world.stale = world.process != NOTHING;
	world.answered = false;
	return true;
}

static const struct {
	bool (*happens)(void);
	const char *text;
	unsigned kind;
} incidents[] = {
#define INCIDENT(name, kind)      \
	{                         \
		name, #name, kind \
	}
    INCIDENT(it_is_executed, FAIR),
    INCIDENT(it_is_proved, FAIR),
    INCIDENT(it_obeys, FAIR),
    INCIDENT(leftovers_obey, FAIR),
    INCIDENT(the_time_of_the_start_comes, FAIR),
    INCIDENT(start_timeout_runs_out, FAIR),
    INCIDENT(stop_timeout_runs_out, FAIR),
    INCIDENT(it_cannot_be_executed, FATE),
    INCIDENT(it_dies_badly_at_once, FATE),
    INCIDENT(it_dies_badly_and_leaves_others, FATE),
    INCIDENT(it_ends_well, FATE),
    INCIDENT(it_ends_well_and_leaves_others, FATE),
    INCIDENT(leftovers_end_by_themselves, FATE),
    INCIDENT(it_is_asked_for, HUMAN),
    INCIDENT(it_is_not_to_run, HUMAN),
    INCIDENT(a_restart_is_asked_for, HUMAN),
    INCIDENT(a_reload_is_asked_for, HUMAN),
    INCIDENT(its_files_change, HUMAN),
    INCIDENT(its_directory_disappears, HUMAN),
    INCIDENT(its_directory_comes_back, HUMAN),
};
#define INCIDENTS (sizeof(incidents) / sizeof(incidents[0]))

/* The number of the incident stands above the kind. */
#define KIND(incident) (incidents[incident].kind | (unsigned)(incident) << 8)

static void
print_step(const void *state, unsigned kind)
{
	const struct world *after = state;

	print_error("  %s: %s, process %d, left behind %d, clock %d, cause %d, wanted %d, gone %d, "
		    "finished %d, policy %d\n",
	    kind == 0 ? "at the beginning" : incidents[kind >> 8].text,
	    state_name((enum state)after->state), after->process, after->left_behind, after->clock,
	    after->cause, after->wanted, after->gone, after->finished, after->policy);
}

static void
fail_at(uint32_t number, const char *why)
{
	print_error("broken: %s\n", why);
	exploration_print_way(worlds, number, print_step);
	fail();
}

/* A profile is new, or its service is found alive, under all settings that there are. */
static void
add_beginnings(void)
{
	unsigned policy, settings, found;

	for (policy = 0; policy < POLICIES; policy++) {
		for (settings = 0; settings < 4; settings++) {
			for (found = 0; found < 2; found++) {
				memset(&world, 0, sizeof(world));
				world.policy = (uint8_t)policy;
				world.has_reload = (uint8_t)(settings & 1);
				world.ends_group = (uint8_t)(settings >> 1);
				world.wanted = true;
				world.process = found ? PROVED : NOTHING;
				step(found ? EVENT_PROVED : EVENT_UP);
				look_at_world();
				exploration_add(worlds, &world, EXPLORATION_BEGINNING, 0);
			}
		}
	}
	assert_null(wrong);
}

static void
explore_from(uint32_t number)
{
	struct world before = *(const struct world *)exploration_state(worlds, number);
	size_t i;

	if (before.forgotten)
		return;
	for (i = 0; i < INCIDENTS; i++) {
		world = before;
		if (!incidents[i].happens())
			continue;
		forget_if_stopped();
		if (!world.forgotten)
			look_at_world();
		exploration_add(worlds, &world, number, KIND(i));
		if (wrong != NULL) {
			print_error("after %s\n", incidents[i].text);
			fail_at(number, wrong);
		}
	}
}

static int
explore(void **state)
{
	uint32_t number;

	(void)state;
	_Static_assert(_Alignof(struct world) == 1, "no padding");
	worlds = exploration_begin(sizeof(struct world));
	add_beginnings();
	for (number = 0; number < exploration_count(worlds); number++)
		explore_from(number);
	print_message(
	    "%u states, %u steps\n", exploration_count(worlds), exploration_steps(worlds));
	return 0;
}

static int
end_exploration(void **state)
{
	(void)state;
	exploration_end(worlds);
	return 0;
}

/* The rules of carry_out() and look_at_world() have held in every step, or explore() had failed. */
static void
the_world_is_as_large_as_it_should_be(void **state)
{
	bool seen[STATE_COUNT][4][2] = {{{false}}};
	const struct world *at;
	uint32_t number;

	(void)state;
	assert_true(exploration_count(worlds) > 1000);
	for (number = 0; number < exploration_count(worlds); number++) {
		at = exploration_state(worlds, number);
		seen[at->state][at->process][at->left_behind && at->ends_group] = true;
	}
	assert_true(seen[STATE_STOPPED][NOTHING][false]);
	assert_true(seen[STATE_STARTING][ASKED][false]);
	assert_true(seen[STATE_STARTING][EXECUTED][false]);
	assert_true(seen[STATE_RUNNING][PROVED][false]);
	assert_true(seen[STATE_STOPPING][ASKED][false]);
	assert_true(seen[STATE_STOPPING][EXECUTED][false]);
	assert_true(seen[STATE_STOPPING][PROVED][false]);
	assert_true(seen[STATE_STOPPING][NOTHING][true]);
	assert_false(seen[STATE_STOPPED][NOTHING][true]);
}

static bool
runs(const void *state)
{
	const struct world *at = state;

	return at->state == STATE_RUNNING && at->process == PROVED;
}

static bool
runs_with_its_files(const void *state)
{
	const struct world *at = state;

	return runs(at) && (!at->stale || at->answered);
}

static bool
is_stopped(const void *state)
{
	const struct world *at = state;

	return at->forgotten ||
	    (at->state == STATE_STOPPED && at->process == NOTHING &&
		!(at->left_behind && at->ends_group));
}

/* In every state in which `condition` holds, waiting alone leads to the goal. */
static void
assert_leads(
    bool (*condition)(const struct world *at), bool (*goal)(const void *state), const char *why)
{
	bool *leading = exploration_leading_to(worlds, FAIR, goal);
	uint32_t number, looked_at = 0;

	for (number = 0; number < exploration_count(worlds); number++) {
		if (!condition(exploration_state(worlds, number)))
			continue;
		looked_at++;
		if (!leading[number])
			fail_at(number, why);
	}
	free(leading);
	assert_true(looked_at > 0);
}

static bool
wanted_for_ever(const struct world *at)
{
	return at->wanted && !at->gone && !at->forgotten && at->policy == ALWAYS_AGAIN;
}

static void
what_is_wanted_comes_to_run_by_waiting(void **state)
{
	(void)state;
	assert_leads(wanted_for_ever, runs, "what is wanted comes to run");
}

static void
what_has_changed_comes_to_run_with_its_files(void **state)
{
	(void)state;
	assert_leads(wanted_for_ever, runs_with_its_files, "an edit takes effect");
}

static bool
died(const struct world *at)
{
	return wanted_for_ever(at) && at->process == NOTHING;
}

static void
what_died_and_is_to_be_started_again_is(void **state)
{
	(void)state;
	assert_leads(died, runs, "what died is started again");
}

static bool
wanted_once(const struct world *at)
{
	return at->wanted && !at->gone && !at->forgotten && at->policy != ALWAYS_AGAIN;
}

static bool
runs_or_has_finished(const void *state)
{
	return runs(state) || (((const struct world *)state)->finished && is_stopped(state));
}

static void
what_is_not_to_be_started_again_runs_or_has_finished(void **state)
{
	(void)state;
	assert_leads(wanted_once, runs_or_has_finished, "it runs or has finished");
}

static bool
should_stop(const struct world *at)
{
	return !at->wanted || at->gone || at->finished;
}

static void
what_is_not_wanted_comes_to_stop_by_waiting(void **state)
{
	(void)state;
	assert_leads(should_stop, is_stopped, "what is not wanted is stopped");
}

static bool
is_under_way(const struct world *at)
{
	return at->state == STATE_STARTING || at->state == STATE_STOPPING;
}

static bool
is_settled(const void *state)
{
	const struct world *at = state;

	return at->forgotten || !is_under_way(at);
}

static void
no_profile_stays_under_way_for_ever(void **state)
{
	(void)state;
	assert_leads(is_under_way, is_settled, "starting and stopping end");
}

static void
no_state_is_without_a_way_out(void **state)
{
	bool *leading = exploration_leading_to(worlds, FAIR | FATE | HUMAN, runs);
	const struct world *at;
	uint32_t number;

	(void)state;
	for (number = 0; number < exploration_count(worlds); number++) {
		at = exploration_state(worlds, number);
		if (!leading[number] && !at->forgotten)
			fail_at(number, "there is a way from everywhere to running");
	}
	free(leading);
	leading = exploration_leading_to(worlds, FAIR | FATE | HUMAN, is_stopped);
	for (number = 0; number < exploration_count(worlds); number++)
		if (!leading[number])
			fail_at(number, "there is a way from everywhere to stopped");
	free(leading);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_world_is_as_large_as_it_should_be),
	    cmocka_unit_test(what_is_wanted_comes_to_run_by_waiting),
	    cmocka_unit_test(what_has_changed_comes_to_run_with_its_files),
	    cmocka_unit_test(what_died_and_is_to_be_started_again_is),
	    cmocka_unit_test(what_is_not_to_be_started_again_runs_or_has_finished),
	    cmocka_unit_test(what_is_not_wanted_comes_to_stop_by_waiting),
	    cmocka_unit_test(no_profile_stays_under_way_for_ever),
	    cmocka_unit_test(no_state_is_without_a_way_out),
	};

	return cmocka_run_group_tests_name("world", tests, explore, end_exploration);
}
