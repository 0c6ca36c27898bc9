/*
 * Who belongs to a profile where there are no cgroups: the processes of its session, of its user,
 * that descend from us. They are pinned one by one; one that cannot be costs none of the others.
 */
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "child.h"
#include "loop.h"
#include "open_files.h"
#include "procfs.h"
#include "session.h"

#define MEMBERS 5
#define UID	64997 /* of no account and no process, as the next one */
#define OTHER	64996

/* What of the parent the object calls. */
static unsigned refused; /* the loop_add() that fails, counted from 1; 0: none */
static unsigned added;

int
loop_add(int descriptor, uint32_t events, unsigned source, uint32_t index)
{
	(void)descriptor;
	(void)events;
	(void)source;
	(void)index;
	if (++added != refused)
		return 0;
	errno = ENOSPC;
	return -1;
}

void
loop_close(int *descriptor)
{
	(void)close(*descriptor);
	*descriptor = -1;
}

uint32_t
table_index(const struct profile *profile)
{
	(void)profile;
	return 0;
}

/* Never where it was, and what was there is spoilt: whoever still looks there is found out. */
void *
reallocarray(void *old, size_t count, size_t size)
{
	char *new = malloc(count * size);

	if (new != NULL && old != NULL) {
		memcpy(new, old, (count - 1) * size);
		memset(old, 0xff, (count - 1) * size);
		free(old);
	}
	return new;
}

static pid_t ending; /* reaped in the middle of a look at it; 0: nobody */

/* As older kernels say it; others ESRCH. */
int
pidfd_open(pid_t pid, unsigned flags)
{
	if (pid != ending)
		return (int)syscall(SYS_pidfd_open, pid, flags);
	errno = EINVAL;
	return -1;
}

static int ready[2];

/* As long as its parent lives. */
static _Noreturn void
pause_for_ever(void)
{
	REQUIRE(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0);
	(void)!write(ready[1], "", 1);
	for (;;)
		(void)pause();
}

static void *
go_on_alone(void *nothing)
{
	struct procfs_stat stat = {.state = '?'};

	while (stat.state != 'Z') {
		(void)poll(NULL, 0, 1);
		REQUIRE(procfs_stat(getpid(), &stat));
	}
	pause_for_ever();
	return nothing;
}

/* What is said of the process is that it is a zombie, and it lives. */
static _Noreturn void
end_main_thread(void)
{
	pthread_t other;

	REQUIRE(pthread_create(&other, NULL, go_on_alone, NULL) == 0);
	pthread_exit(NULL);
}

/* The leader of a session of so many members, and of one more that runs as somebody else. */
static void
lead(void *context)
{
	int i;

	(void)context;
	REQUIRE(setsid() != -1);
	for (i = 1; i < MEMBERS; i++)
		if (fork() == 0) {
			REQUIRE(setresuid(UID, UID, UID) == 0);
			pause_for_ever();
		}
	if (fork() == 0) {
		REQUIRE(setresuid(UID, UID, UID) == 0);
		end_main_thread();
	}
	if (fork() == 0) {
		REQUIRE(setresuid(OTHER, OTHER, OTHER) == 0);
		pause_for_ever();
	}
	if (fork() == 0) { /* in a session of its own */
		REQUIRE(setsid() != -1);
		pause_for_ever();
	}
	pause_for_ever();
}

struct family {
	struct profile profile;
	unsigned open_before;
};

static int
set_up(void **state)
{
	struct family *family = calloc(1, sizeof(*family));
	struct procfs_stat leader;
	char bytes[MEMBERS + 3];
	size_t all;

	assert_non_null(family);
	assert_int_equal(pipe(ready), 0);
	family->open_before = open_files_count();
	family->profile.process.pid = child_begin(lead, NULL);
	family->profile.process.uid = UID;
	family->profile.sessions[0] = family->profile.process.pid;
	for (all = 0; all < sizeof(bytes);)
		all += (size_t)read(ready[0], bytes, sizeof(bytes) - all);
	assert_true(procfs_stat(family->profile.process.pid, &leader));
	family->profile.start_ticks = leader.start_ticks;
	refused = added = 0;
	ending = 0;
	*state = family;
	return 0;
}

/* All others end with the leader. */
static int
tear_down(void **state)
{
	struct family *family = *state;
	pid_t leader = family->profile.sessions[0];

	if (leader == 0)
		leader = family->profile.process.pid;
	session_release(&family->profile);
	assert_int_equal(open_files_count(), family->open_before);
	assert_int_equal(kill(leader, SIGKILL), 0);
	assert_int_equal(waitpid(leader, NULL, 0), leader);
	assert_int_equal(close(ready[0]) | close(ready[1]), 0);
	free(family);
	return 0;
}

static bool
is_pinned(const struct profile *profile, pid_t pid)
{
	unsigned i;

	for (i = 0; i < profile->pin_count; i++)
		if (profile->pins[i].pid == pid)
			return true;
	return false;
}

static void
assert_pins_hold_what_they_name(const struct profile *profile)
{
	unsigned i;

	for (i = 0; i < profile->pin_count; i++) {
		assert_int_equal(getsid(profile->pins[i].pid), profile->sessions[0]);
		assert_int_equal(pidfd_send_signal(profile->pins[i].pidfd, 0, NULL, 0), 0);
	}
}

static void
members_of_the_session_and_of_the_user_are_pinned_and_nobody_else(void **state)
{
	struct profile *profile = &((struct family *)*state)->profile;

	assert_int_equal(session_pin(profile), MEMBERS);
	assert_int_equal(profile->pin_count, MEMBERS);
	assert_pins_hold_what_they_name(profile);
	assert_false(is_pinned(profile, profile->process.pid)); /* it is held otherwise */
	assert_int_equal(session_pin(profile), MEMBERS);	/* none of them twice */
	assert_int_equal(added, MEMBERS);
	assert_true(session_lives(profile));
}

/* As nginx's workers, beside which it could not be started again. */
static void
all_of_the_session_is_roots_when_the_service_is(void **state)
{
	struct profile *profile = &((struct family *)*state)->profile;

	profile->process.uid = 0;
	assert_int_equal(session_pin(profile), MEMBERS + 1);
	assert_pins_hold_what_they_name(profile);
}

static void
lead_as_somebody_else(void *context)
{
	(void)context;
	REQUIRE(setsid() != -1);
	REQUIRE(setresuid(OTHER, OTHER, OTHER) == 0);
	pause_for_ever();
}

/* Our own session will not do for the other one: its leader may be in no PID namespace of ours, as
 * where a container is entered, and it is 0 then. */
static void
members_of_the_session_of_the_daemon_are_pinned_too(void **state)
{
	struct profile *profile = &((struct family *)*state)->profile;
	char byte;

	profile->sessions[0] = child_begin(lead_as_somebody_else, NULL);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	profile->sessions[1] = profile->process.pid;
	assert_int_equal(session_pin(profile), MEMBERS);
	assert_int_equal(kill(profile->sessions[0], SIGKILL), 0);
	assert_int_equal(waitpid(profile->sessions[0], NULL, 0), profile->sessions[0]);
	profile->sessions[0] = profile->process.pid;
	profile->sessions[1] = 0;
	assert_pins_hold_what_they_name(profile);
}

/* In a child, from which they do not descend. */
static void
look_from_aside(void *context)
{
	struct profile *profile = context;

	REQUIRE(session_pin(profile) == 0);
	session_signal(profile, SIGKILL);
	REQUIRE(!session_lives(profile));
	profile->process.adopted = 1;
	REQUIRE(session_pin(profile) == MEMBERS);
}

/* The number of a session may be another's by now; after our own death nobody descends from us. */
static void
who_does_not_descend_from_us_is_no_member_unless_it_was_adopted(void **state)
{
	struct profile *profile = &((struct family *)*state)->profile;

	child_run(look_from_aside, profile);
	assert_int_equal(session_pin(profile), MEMBERS); /* and nobody was ended */
}

/* In a child, of which nobody descends: after our own death that says nothing. */
static void
look_from_aside_as_an_older_service(void *context)
{
	struct profile *profile = context;

	profile->process.adopted = 1;
	profile->start_ticks--; /* of a service that the leader cannot have started */
	REQUIRE(session_pin(profile) == 0);
	session_signal(profile, SIGKILL);
	REQUIRE(!session_lives(profile));
}

/* A number is used again: any other session of that user, of root's too, was ended with a service
 * that had been taken over; and one that descends from us, of another service, with any daemon that
 * had left the session of its `run` empty. */
static void
a_session_that_is_younger_than_the_service_is_not_its_own(void **state)
{
	struct profile *profile = &((struct family *)*state)->profile;

	child_run(look_from_aside_as_an_older_service, profile);
	profile->start_ticks--;
	assert_int_equal(session_pin(profile), 0);
	session_signal(profile, SIGKILL);
	profile->start_ticks++;
	assert_int_equal(session_pin(profile), MEMBERS); /* and nobody was ended */
}

/* Once the pins that were there were lost, and read and closed all the same. */
static void
one_that_cannot_be_watched_costs_none_of_the_others(void **state)
{
	struct profile *profile = &((struct family *)*state)->profile;

	for (refused = 1; refused <= MEMBERS; refused++) {
		added = 0;
		assert_int_equal(
		    session_pin(profile), refused); /* those before it, and some more */
		assert_int_equal(profile->pin_count, refused - 1);
		assert_pins_hold_what_they_name(profile);
		session_release(profile);
		assert_int_equal(profile->pin_count, 0);
		profile->sessions[0] = profile->process.pid;
	}
	refused = 0;
	assert_int_equal(session_pin(profile), MEMBERS);
}

/* It counted as one that could not be pinned for want of descriptors, and nobody told of its end.
 */
static void
one_that_ends_in_the_middle_of_a_look_is_none_and_costs_none_of_the_others(void **state)
{
	struct profile *profile = &((struct family *)*state)->profile;

	assert_int_equal(session_pin(profile), MEMBERS);
	ending = profile->pins[0].pid; /* the first that is met */
	loop_close(&profile->pins[0].pidfd);
	profile->pins[0] = profile->pins[--profile->pin_count];
	assert_int_equal(session_pin(profile), MEMBERS - 1);
	session_release(profile);
	profile->sessions[0] = profile->process.pid;
	assert_int_equal(session_pin(profile), MEMBERS - 1);
	assert_int_equal(profile->pin_count, MEMBERS - 1);
}

static void
a_signal_ends_the_members_and_nobody_else(void **state)
{
	struct profile *profile = &((struct family *)*state)->profile;
	struct pollfd end = {.events = POLLIN};
	unsigned i;

	assert_int_equal(session_pin(profile), MEMBERS);
	session_signal(profile, SIGKILL);
	for (i = 0; i < profile->pin_count; i++) {
		end.fd = profile->pins[i].pidfd;
		assert_int_equal(poll(&end, 1, 10000), 1);
	}
	assert_false(session_lives(profile));
	assert_int_equal(waitpid(profile->process.pid, NULL, WNOHANG), 0); /* the leader lives */
}

#define SESSION_UNIT_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    SESSION_UNIT_TEST(members_of_the_session_and_of_the_user_are_pinned_and_nobody_else),
	    SESSION_UNIT_TEST(all_of_the_session_is_roots_when_the_service_is),
	    SESSION_UNIT_TEST(members_of_the_session_of_the_daemon_are_pinned_too),
	    SESSION_UNIT_TEST(who_does_not_descend_from_us_is_no_member_unless_it_was_adopted),
	    SESSION_UNIT_TEST(a_session_that_is_younger_than_the_service_is_not_its_own),
	    SESSION_UNIT_TEST(one_that_cannot_be_watched_costs_none_of_the_others),
	    SESSION_UNIT_TEST(
		one_that_ends_in_the_middle_of_a_look_is_none_and_costs_none_of_the_others),
	    SESSION_UNIT_TEST(a_signal_ends_the_members_and_nobody_else),
	};

	return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
