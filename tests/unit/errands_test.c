/*
 * Who has the next look at his files, where all places are taken: those who let theirs hang have
 * another one after all others who wait.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "account.h"
#include "children.h"
#include "clock.h"
#include "inform.h"
#include "jobs.h"
#include "loop.h"
#include "profiles.h"
#include "surveys.h"
#include "tenants.h"
#include "watch.h"

/* As many as there are at the same time: one of each owner fills them. */
#define PLACES 16
#define LATE   (11 * SECOND) /* a survey is given up by then */

/* --- what of the parent the object calls --- */

static uint32_t launched[64]; /* owners, in the order in which they were looked at */
static uint32_t places[64];   /* where */
static unsigned launches;

enum refusal
account_by_uid(uid_t uid, struct account *account)
{
	account->uid = uid;
	return REFUSAL_NONE;
}

enum channel_result
channel_receive(int channel, struct incoming *incoming, message_check *valid)
{
	(void)channel;
	(void)incoming;
	(void)valid;
	return CHANNEL_AGAIN;
}

enum channel_result
channel_send(int channel, const struct message *message, const int *descriptors, unsigned count)
{
	(void)channel;
	(void)message;
	(void)descriptors;
	(void)count;
	return CHANNEL_DONE;
}

void
channel_discard(struct incoming *incoming)
{
	(void)incoming;
}

static unsigned tried; /* places for which somebody was looked for */

bool
children_ready(enum child_kind kind)
{
	(void)kind;
	tried++;
	return true;
}

void
inform_report(enum report report, int value, const char *text)
{
	(void)report;
	(void)value;
	(void)text;
}

void
inform_skipped(const struct message *finding, const char *tenant)
{
	(void)finding;
	(void)tenant;
}

void
jobs_describe(struct job_request *request, enum fork_task task, uint32_t index,
    const struct account *account, int directory)
{
	(void)task;
	(void)directory;
	request->message.index = index;
	request->message.fork.uid = account->uid;
}

enum channel_result
jobs_request(struct job *job, struct job_request *request, unsigned source)
{
	(void)source;
	*job = JOB_NONE;
	places[launches] = request->message.index;
	launched[launches++] = request->message.fork.uid;
	return CHANNEL_DONE;
}

bool
jobs_match(const struct job *job, const struct message *born)
{
	(void)job;
	(void)born;
	return true;
}

void
jobs_end(struct job *job)
{
	*job = JOB_NONE;
}

void
loop_mute(int descriptor)
{
	(void)descriptor;
}

int
profiles_base(const char *name)
{
	(void)name;
	return -1;
}

void
profiles_discard(struct draft *draft)
{
	(void)draft;
}

void
profiles_ownerless(const char *name)
{
	(void)name;
}

void
profiles_take_from(struct draft *draft, const char *tenant, const char *name, uid_t owner,
    const struct message *finding)
{
	(void)draft;
	(void)tenant;
	(void)name;
	(void)owner;
	(void)finding;
}

static int unread; /* why what was asked for last was not looked at */

void
profiles_unread(const char *name, int error)
{
	(void)name;
	unread = error;
}

static struct profile known; /* whatever it is called */

struct profile *
table_find(const char *name)
{
	(void)name;
	return &known;
}

void
tenants_begin_survey(const char *tenant)
{
	(void)tenant;
}

void
tenants_surveyed(const char *tenant)
{
	(void)tenant;
}

void
tenants_unsurveyed(const char *tenant, int error)
{
	(void)tenant;
	(void)error;
}

void
watch_look_at(struct profile *profile, int64_t when)
{
	profile->look_at = when;
}

static bool no_memory;

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *
__wrap_calloc(size_t count, size_t size)
{
	return no_memory ? NULL : __real_calloc(count, size);
}

/* --- the test --- */

static void
request(uint32_t owner, const char *profile)
{
	char name[FULL_NAME_BYTES];

	(void)snprintf(name, sizeof(name), "tenant%u/%s", owner, profile);
	surveys_request(name, owner);
}

/* The child of the survey that was launched as such is born: its time begins. */
static void
bear(unsigned launch)
{
	struct message born;

	message_begin(&born, MESSAGE_BORN);
	born.index = places[launch];
	surveys_born(&born, 1000); /* never used: jobs_end() is ours */
}

/* The time of whoever was born is over. The owner who has the place. */
static uint32_t
next_after_time(void)
{
	unsigned before = launches;

	surveys_tend(clock_now() + LATE);
	surveys_flush();
	assert_int_equal(launches, before + 1);
	return launched[before];
}

/* Who owns thousands of profiles has two looked at at a time. To find that nobody is to be looked
 * at takes a walk through all who wait: for each of fourteen free places, in each turn, it took
 * most of the parent's time. */
static void
where_nobody_may_be_looked_at_that_is_found_once(void **state)
{
	enum { OWNER = 1, PROFILES = 5 };
	unsigned i, born = 0;
	char name[16];

	(void)state;
	for (i = 0; i < PROFILES; i++) {
		(void)snprintf(name, sizeof(name), "web%u", i);
		request(OWNER, name);
	}
	surveys_flush();
	assert_int_equal(launches, 2);
	tried = 0;
	surveys_flush();
	assert_int_equal(launches, 2);
	assert_int_equal(tried, 3); /* two are taken, and one is free */
	while (surveys_pending()) {
		for (; born < launches; born++)
			bear(born);
		surveys_tend(clock_now() + LATE);
		surveys_flush();
	}
	assert_int_equal(launches, PROFILES);
	launches = 0;
}

static void
who_lets_a_look_hang_has_the_next_one_after_all_others(void **state)
{
	enum { HANGS = 1, OTHER = 100, LAST };
	uint32_t owner;

	(void)state;
	for (owner = HANGS; owner < HANGS + PLACES; owner++)
		request(owner, "web");
	surveys_flush();
	assert_int_equal(launches, PLACES);
	request(HANGS, "second");
	request(HANGS, "third");
	request(OTHER, "web");
	request(LAST, "web");
	surveys_flush();
	assert_int_equal(launches, PLACES); /* there is no place */
	bear(0);
	assert_int_equal(next_after_time(), OTHER);
	bear(PLACES);
	assert_int_equal(next_after_time(), LAST);
	bear(PLACES + 1);
	assert_int_equal(next_after_time(), HANGS);
	bear(PLACES + 2);
	assert_int_equal(next_after_time(), HANGS); /* nobody else waits: his turn comes */
	bear(PLACES + 3);
	surveys_tend(clock_now() + LATE);
	surveys_flush();
	assert_int_equal(launches, PLACES + 4);
	assert_true(surveys_pending()); /* those of the others go on */
}

/* Nobody else may change anything in it for a year. */
static void
what_cannot_be_looked_at_for_want_of_memory_is_looked_at_later(void **state)
{
	(void)state;
	known.look_at = NEVER;
	no_memory = true;
	request(200, "web");
	no_memory = false;
	assert_int_equal(unread, ENOMEM);
	assert_true(known.look_at <= clock_now() + LOOK_AGAIN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(where_nobody_may_be_looked_at_that_is_found_once),
	    cmocka_unit_test(who_lets_a_look_hang_has_the_next_one_after_all_others),
	    cmocka_unit_test(what_cannot_be_looked_at_for_want_of_memory_is_looked_at_later),
	};

	return cmocka_run_group_tests_name("errands", tests, NULL, NULL);
}
