/*
 * What the monitor and the spawner may ask of root's parent, and when: each type of message in each
 * phase of a profile's process, and before and after the greeting. What is not permitted reaches
 * none of those who would do it, which are the test's. How it looks from outside stands in
 * tests/attack/messages_test.c; not all of it can be seen there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "births.h"
#include "children.h"
#include "files.h"
#include "inform.h"
#include "leave.h"
#include "ledger.h"
#include "outputs.h"
#include "processes.h"
#include "profiles.h"
#include "requests.h"
#include "unprivileged.h"
#include "watch.h"
#include "wishes.h"

#define INDEX	   7
#define GENERATION 3

static struct profile profile;
static unsigned done; /* how often one of those below was called */

struct profile *
table_at(uint32_t index)
{
	return index == INDEX ? &profile : NULL;
}

void
births_start(struct profile *of, uint32_t attempt)
{
	(void)attempt;
	done += of == &profile;
}

void
births_cancel(struct profile *of)
{
	done += of == &profile;
}

void
births_born(void *subject, struct incoming *incoming)
{
	(void)subject;
	(void)incoming;
	done++;
}

void
processes_signal(struct profile *of, int number)
{
	(void)number;
	done += of == &profile;
}

void
processes_sweep(struct profile *of, int number)
{
	(void)number;
	done += of == &profile;
}

void
profiles_forget(struct profile *of)
{
	done += of == &profile;
}

int
wishes_keep(const char *name, enum wish wish)
{
	(void)name;
	(void)wish;
	done++;
	return 0;
}

int
ledger_write(const struct profile *of)
{
	done += of == &profile;
	return 0;
}

void
outputs_rotate(struct profile *of, const struct file_facts *facts)
{
	(void)facts;
	done += of == &profile;
}

void
files_rotate_log(unsigned keep)
{
	(void)keep;
	done++;
}

void
leave_when_done(void *subject, struct incoming *incoming)
{
	(void)subject;
	(void)incoming;
	done++;
}

void
children_hello(void *subject, struct incoming *incoming)
{
	(void)subject;
	(void)incoming;
	done++;
}

void
children_pong(void *subject, struct incoming *incoming)
{
	(void)subject;
	(void)incoming;
	done++;
}

void
inform_tell(struct profile *of, unsigned what)
{
	(void)what;
	done += of == &profile;
}

void
watch_await(void *subject, struct incoming *incoming)
{
	(void)incoming;
	done += subject == &profile;
}

void
inform_introduce(struct profile *of)
{
	(void)of;
	done++;
}

void
inform_file(struct profile *of, const struct file_facts *file, bool read)
{
	(void)of;
	(void)file;
	(void)read;
	done++;
}

void
inform_report(enum report report, int value, const char *text)
{
	(void)report;
	(void)value;
	(void)text;
	done++;
}

void
inform_log(void)
{
	done++;
}

void
inform_mark(void *subject, struct incoming *incoming)
{
	(void)subject;
	(void)incoming;
	done++;
}

#define NONE   PHASE_BIT(PHASE_NONE)
#define ASKED  PHASE_BIT(PHASE_ASKED)
#define BORN   PHASE_BIT(PHASE_BORN)
#define UP     PHASE_BIT(PHASE_UP)
#define PROVED PHASE_BIT(PHASE_PROVED)
#define REST   PHASE_BIT(PHASE_REST)
#define ALWAYS (NONE | ASKED | BORN | UP | PROVED | REST)

/* In which phases the monitor may say what about a profile; 0: never. */
static const unsigned of_profile[MESSAGE_TYPE_COUNT] = {
    [MESSAGE_START] = NONE | REST,
    [MESSAGE_SIGNAL] = ASKED | BORN | UP | PROVED,
    [MESSAGE_SWEEP] = BORN | UP | PROVED | REST,
    [MESSAGE_NOTE] = ALWAYS,
    [MESSAGE_OPEN] = ALWAYS,
    [MESSAGE_ROTATE] = ALWAYS,
    [MESSAGE_READ] = ALWAYS,
    [MESSAGE_SETTLE] = ALWAYS,
    [MESSAGE_KEEP] = ALWAYS,
    [MESSAGE_FORGET] = NONE,
};

/* When each of the two may say what about none. */
static const unsigned monitors[MESSAGE_TYPE_COUNT] = {
    [MESSAGE_HELLO] = CHILD_NEW,
    [MESSAGE_PONG] = CHILD_GREETED,
    [MESSAGE_ROTATE] = CHILD_GREETED,
    [MESSAGE_READ] = CHILD_GREETED,
    [MESSAGE_REOPEN] = CHILD_GREETED,
    [MESSAGE_MARK] = CHILD_GREETED,
    [MESSAGE_GOODBYE] = CHILD_GREETED,
};
static const unsigned spawners[MESSAGE_TYPE_COUNT] = {
    [MESSAGE_HELLO] = CHILD_NEW,
    [MESSAGE_PONG] = CHILD_GREETED,
    [MESSAGE_BORN] = CHILD_GREETED,
};

static enum verdict
say(enum sender sender, enum acquaintance acquaintance, uint32_t type, uint32_t index,
    uint32_t generation)
{
	static struct incoming incoming;

	memset(&incoming, 0, sizeof(incoming));
	incoming.message.type = type;
	incoming.message.index = index;
	incoming.message.generation = generation;
	done = 0;
	return requests_apply(sender, NULL, acquaintance, &incoming);
}

static void
assert_verdict(enum verdict verdict, unsigned permitted, unsigned state, uint32_t type)
{
	enum verdict expected = permitted == 0 ? RULE_BROKEN
	    : (permitted & state) == 0	       ? RULE_REFUSED
					       : RULE_KEPT;

	if (verdict != expected || (done > 0) != (expected == RULE_KEPT))
		fail_msg("%s in state %u: %u instead of %u, and %u was done",
		    unprivileged_name(type), state, verdict, expected, done);
}

static void
what_the_monitor_asks_of_a_profile_is_done_in_these_phases_of_its_process_only(void **state)
{
	uint32_t type, phase;

	(void)state;
	for (type = 0; type < MESSAGE_TYPE_COUNT; type++) {
		for (phase = 0; phase < PHASE_COUNT; phase++) {
			profile = (struct profile){.generation = GENERATION};
			profile.facts.gone = 1;
			profile.process.phase = phase;
			assert_verdict(say(FROM_MONITOR, CHILD_GREETED, type, INDEX, GENERATION),
			    of_profile[type], PHASE_BIT(phase), type);
		}
	}
}

/* Of one that is there no more, or is there again, nothing is asked: the question comes too late.
 */
static void
what_is_asked_of_another_profile_than_there_is_is_refused(void **state)
{
	static const struct {
		uint32_t index, generation;
	} strangers[] = {{INDEX, GENERATION - 1}, {INDEX, GENERATION + 1}, {INDEX + 1, GENERATION},
	    {NO_PROFILE - 1, GENERATION}};
	uint32_t type;
	size_t i;

	(void)state;
	profile = (struct profile){.generation = GENERATION};
	for (type = 0; type < MESSAGE_TYPE_COUNT; type++) {
		for (i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
			assert_int_equal(say(FROM_MONITOR, CHILD_GREETED, type, strangers[i].index,
					     strangers[i].generation),
			    RULE_REFUSED);
			assert_int_equal(done, 0);
		}
	}
}

static void
what_is_asked_of_no_profile_is_done_after_the_greeting_only(void **state)
{
	uint32_t type;

	(void)state;
	for (type = 0; type < MESSAGE_TYPE_COUNT; type++) {
		assert_verdict(say(FROM_MONITOR, CHILD_NEW, type, NO_PROFILE, 0), monitors[type],
		    CHILD_NEW, type);
		assert_verdict(say(FROM_MONITOR, CHILD_GREETED, type, NO_PROFILE, 0),
		    monitors[type], CHILD_GREETED, type);
		assert_verdict(say(FROM_SPAWNER, CHILD_NEW, type, INDEX, GENERATION),
		    spawners[type], CHILD_NEW, type);
		assert_verdict(say(FROM_SPAWNER, CHILD_GREETED, type, INDEX, GENERATION),
		    spawners[type], CHILD_GREETED, type);
		/* who has not greeted is not heard about profiles either */
		assert_verdict(say(FROM_MONITOR, CHILD_NEW, type, INDEX, GENERATION),
		    monitors[type], CHILD_NEW, type);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		what_the_monitor_asks_of_a_profile_is_done_in_these_phases_of_its_process_only),
	    cmocka_unit_test(what_is_asked_of_another_profile_than_there_is_is_refused),
	    cmocka_unit_test(what_is_asked_of_no_profile_is_done_after_the_greeting_only),
	};

	return cmocka_run_group_tests_name("requests", tests, NULL, NULL);
}
