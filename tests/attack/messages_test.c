/*
 * The deny side of every channel: each type of message from each sender who may not say it, and
 * from those who may in the wrong state, size, number of descriptors, index and generation. Said on
 * the real channels, while the process that owns the end is stopped. Whoever says what it may not
 * is ended and replaced, or nothing happens; the services notice nothing.
 *
 * What is legal is taken from the catalogue in message.h: a new type is tried as soon as it is
 * there.
 */
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "ctl.h"
#include "descriptors.h"
#include "fault.h"
#include "host.h"
#include "peer.h"
#include "silence.h"
#include "unprivileged.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* From the fifth death in a short time the next start is delayed: then another supervisor takes
 * over. */
#define DEATHS_FREE 4

#ifndef SO_PASSRIGHTS /* Linux 6.16 */
#define SO_PASSRIGHTS 83
#endif

/* A profile as the parent knows it. */
struct known {
	const char *name;
	uint32_t index;
	uint32_t generation;
	pid_t pid;
};

static struct known web = {.name = "web"}, other = {.name = "other"}, idle = {.name = "idle"};
static unsigned deaths;

/* The place of the monitor or the spawner, and an end of its channel. */
struct seat {
	const char *name; /* "monitor" or "spawner" */
	bool parents_end; /* we speak for the parent, else to it */
	pid_t pid;
	int channel;
};

static pid_t
pid_of(struct host *host, const char *name)
{
	return strcmp(name, "monitor") == 0 ? host_monitor(host) : host_spawner(host);
}

static void
take_seat(struct host *host, struct seat *seat)
{
	seat->pid = pid_of(host, seat->name);
	host_wait_log(host, " %s started pid %d$", seat->name, seat->pid);
	if (seat->parents_end) {
		seat->channel = peer_take_parents_end(host->supervisor, seat->pid);
		return;
	}
	seat->channel = peer_take(seat->pid, FD_PARENT);
	peer_stop(seat->pid);
}

static void
begin_log(struct host *host)
{
	host->before_exec = fault_older_kernel;
	host_start_with(host, "--log-level=debug", NULL);
	deaths = 0;
}

static void
start(struct host *host)
{
	host_profile(host, "web", "exec sleep 1000");
	host_profile(host, "other", "exec sleep 1000");
	host_write(host, "other/user", 0644, "%s\n", OTHER_TENANT);
	host_profile(host, "idle", "exec sleep 1000");
	host_write(host, "idle/down", 0644, "%s", "");
	begin_log(host);
	web.pid = host_wait_running(host, "web");
	other.pid = host_wait_running(host, "other");
	idle.pid = 0;
}

/* Once so many deaths are together that the next start would wait: the services are taken over. */
static void
count_death(struct host *host)
{
	if (++deaths < DEATHS_FREE)
		return;
	host_crash(host);
	begin_log(host);
}

static void
assert_unharmed(struct host *host)
{
	assert_true(process_lives(web.pid) && process_lives(other.pid));
	assert_int_equal(host_count_log(host, " (web|other) starting$"), 2);
	assert_int_equal(host_count_log(host, " (web|other) (died|stopping|stopped|cannot)"), 0);
	assert_int_equal(host_count_log(host, " idle "), 0);
}

/* Changing a file that decides nothing about the process makes the parent say which index it is. */
static void
learn(struct host *host, const struct seat *seat, struct known *known)
{
	struct incoming incoming;
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/stop_timeout", known->name);
	host_write(host, path, 0644, "5\n");
	do {
		assert_true(peer_receive(seat->channel, &incoming));
		channel_discard(&incoming);
	} while (incoming.message.type != MESSAGE_PROFILE ||
	    strcmp(incoming.message.profile.name, known->name) != 0);
	known->index = incoming.message.index;
	known->generation = incoming.message.generation;
}

static void
end_child(struct host *host, struct seat *seat)
{
	assert_int_equal(close(seat->channel), 0);
	assert_int_equal(kill(seat->pid, SIGKILL), 0);
	host_wait_log(host, " %s died pid %d signal SIGKILL", seat->name, seat->pid);
	count_death(host);
}

static void
learn_all(struct host *host)
{
	struct seat seat = {.name = "monitor"};

	take_seat(host, &seat);
	learn(host, &seat, &web);
	learn(host, &seat, &other);
	learn(host, &seat, &idle);
	end_child(host, &seat);
}

/* One message that nobody has to accept. */
struct attempt {
	struct message message;
	size_t length;
	unsigned descriptors;
	const char *what;
};

static struct attempt
attempt_of(uint32_t type, const struct known *about, unsigned descriptors, const char *what)
{
	struct attempt attempt = {
	    .length = sizeof(struct message), .descriptors = descriptors, .what = what};

	peer_fill(&attempt.message, type, about == NULL ? NO_PROFILE : about->index,
	    about == NULL ? 0 : about->generation);
	return attempt;
}

static void
wait_closed(const struct seat *seat, const struct attempt *attempt)
{
	struct deadline deadline = deadline_in(SOON);
	char what[128];

	(void)snprintf(what, sizeof(what), "%s ends for %s, %s", seat->name,
	    unprivileged_name(attempt->message.type), attempt->what);
	while (process_lives(seat->pid))
		deadline_pause(&deadline, what, __FILE__, __LINE__);
}

/* The sender, or who received it from a false parent, is ended and replaced, and the log says so.
 */
static void
assert_breaks(struct host *host, const char *name, bool parents_end, const struct attempt *attempt)
{
	struct seat seat = {.name = name, .parents_end = parents_end};

	take_seat(host, &seat);
	assert_true(peer_send_bytes(
	    seat.channel, &attempt->message, attempt->length, attempt->descriptors));
	wait_closed(&seat, attempt);
	assert_int_equal(close(seat.channel), 0);
	if (parents_end)
		host_wait_log(host, " WARN  ProcLaunch %s died pid %d exit 1\\.", name, seat.pid);
	else
		host_wait_log(host,
		    " WARN  ProcLaunch %s pid %d broke the protocol with [A-Za-z]+\\. Killing "
		    "it\\.$",
		    name, seat.pid);
	count_death(host);
}

/* The parent has acted on all that was said before, and has told all that came of it; all of that
 * is taken out, or with `nothing_else` is the last that is. */
static void
drain(const struct seat *seat, bool nothing_else, struct incoming *incoming)
{
	struct message reopen;
	unsigned round;

	/* the log comes first, what the first round has brought about is told before the second */
	for (round = 0; round < 2; round++) {
		peer_fill(&reopen, MESSAGE_REOPEN, NO_PROFILE, 0);
		assert_true(peer_send(seat->channel, &reopen, 0));
		do {
			assert_true(peer_receive(seat->channel, incoming));
			channel_discard(incoming);
			peer_answer_ping(seat->channel, &incoming->message);
			if (nothing_else && incoming->message.type != MESSAGE_LOG &&
			    incoming->message.type != MESSAGE_PING)
				return;
		} while (incoming->message.type != MESSAGE_LOG);
	}
}

/* The monitor's, when what it has asked itself has been answered. */
static void
take_quiet_seat(struct host *host, struct seat *seat)
{
	static struct incoming incoming;

	take_seat(host, seat);
	drain(seat, false, &incoming);
}

/* Nothing comes of it, and the sender, who may have been too late, lives. */
static void
assert_nothing_happens(const struct seat *seat, const struct attempt *attempt)
{
	static struct incoming incoming;

	assert_true(peer_send_bytes(
	    seat->channel, &attempt->message, attempt->length, attempt->descriptors));
	drain(seat, true, &incoming);
	if (incoming.message.type != MESSAGE_LOG || !process_lives(seat->pid))
		fail_msg("%s, %s: was answered with %s", unprivileged_name(attempt->message.type),
		    attempt->what, unprivileged_name(incoming.message.type));
}

/* What may be said to whom, beyond the catalogue: about a profile, about none, with how many
 * descriptors. */
static const struct manner {
	const char *sender;
	const char *receiver;
	enum message_type type;
	bool about_profile;
	bool about_none;
	unsigned descriptors_min;
	unsigned descriptors_max;
} manners[] = {
    {"monitor", "parent", MESSAGE_HELLO, false, true, 0, 0},
    {"monitor", "parent", MESSAGE_PONG, false, true, 0, 0},
    {"monitor", "parent", MESSAGE_START, true, false, 0, 0},
    {"monitor", "parent", MESSAGE_SIGNAL, true, false, 0, 0},
    {"monitor", "parent", MESSAGE_SWEEP, true, false, 0, 0},
    {"monitor", "parent", MESSAGE_NOTE, true, false, 0, 0},
    {"monitor", "parent", MESSAGE_FORGET, true, false, 0, 0},
    {"monitor", "parent", MESSAGE_MARK, false, true, 0, 0},
    {"monitor", "parent", MESSAGE_GOODBYE, false, true, 0, 0},
    {"monitor", "parent", MESSAGE_SETTLE, true, false, 0, 0},
    {"monitor", "parent", MESSAGE_KEEP, true, false, 0, 0},
    {"monitor", "parent", MESSAGE_REOPEN, false, true, 0, 0},
    {"monitor", "parent", MESSAGE_OPEN, true, false, 0, 0},
    {"monitor", "parent", MESSAGE_ROTATE, true, true, 0, 0},
    {"monitor", "parent", MESSAGE_READ, true, true, 0, 0},
    {"spawner", "parent", MESSAGE_HELLO, true, true, 0, 0},
    {"spawner", "parent", MESSAGE_PONG, true, true, 0, 0},
    {"spawner", "parent", MESSAGE_BORN, true, true, 0, 1},
    {"parent", "spawner", MESSAGE_PING, true, true, 0, 0},
    {"parent", "spawner", MESSAGE_FORK, true, true, 2, 5},
    {"parent", "monitor", MESSAGE_PING, true, true, 0, 0},
    {"parent", "monitor", MESSAGE_LOG, true, true, 0, 1},
    {"parent", "monitor", MESSAGE_CONTROL, true, true, 1, 1},
    {"parent", "monitor", MESSAGE_SETTLED, true, true, 0, 0},
    {"parent", "monitor", MESSAGE_KEPT, true, true, 0, 0},
    {"parent", "monitor", MESSAGE_FIFO, true, true, 1, 1},
    {"parent", "monitor", MESSAGE_OUTPUT, true, true, 0, 1},
    {"parent", "monitor", MESSAGE_REMAINS, true, true, 1, 1},
    {"parent", "monitor", MESSAGE_READABLE, true, true, 0, 1},
    {"parent", "monitor", MESSAGE_MARK, true, true, 0, 0},
    {"parent", "monitor", MESSAGE_REPORT, true, true, 0, 0},
    {"parent", "monitor", MESSAGE_ORDER, true, true, 0, 0},
    {"parent", "monitor", MESSAGE_PROFILE, true, true, 0, 0},
    {"parent", "monitor", MESSAGE_SETTING, true, true, 0, 0},
    {"parent", "monitor", MESSAGE_RECALL, true, true, 0, 0},
    {"parent", "monitor", MESSAGE_PROCESS, true, true, 0, 0},
    {"parent", "monitor", MESSAGE_CLAIM, true, true, 0, 0},
};

/* NULL: it may not be said. Fails the test when the catalogue knows better. */
static const struct manner *
manner_of(const char *sender, uint32_t type, const char *receiver)
{
	bool greeting = type == MESSAGE_HELLO && strcmp(sender, "parent") == 0; /* the second */
	bool permitted = !greeting && peer_may_say(sender, type, receiver);
	const struct manner *manner = NULL;
	size_t i;

	for (i = 0; i < COUNT(manners); i++)
		if (manners[i].type == type && strcmp(manners[i].sender, sender) == 0 &&
		    strcmp(manners[i].receiver, receiver) == 0)
			manner = &manners[i];
	if (permitted != (manner != NULL))
		fail_msg("%s from %s to %s: catalogue and test differ", unprivileged_name(type),
		    sender, receiver);
	return manner;
}

/* Every number that may stand for a type, and some that never will. */
static const uint32_t no_types[] = {MESSAGE_NONE, MESSAGE_TYPE_COUNT, 255, UINT32_MAX};
#define TYPES (MESSAGE_TYPE_COUNT - 1 + COUNT(no_types))

static uint32_t
type_at(size_t i)
{
	return i < MESSAGE_TYPE_COUNT - 1 ? (uint32_t)i + 1 : no_types[i - MESSAGE_TYPE_COUNT + 1];
}

/* All that `name` may not say to the parent, or the parent not to it. */
static void
try_every_type(struct host *host, const char *name, bool parents_end)
{
	const char *sender = parents_end ? "parent" : name;
	const char *receiver = parents_end ? name : "parent";
	const struct manner *manner;
	struct attempt attempt;
	size_t i;

	for (i = 0; i < TYPES; i++) {
		manner = manner_of(sender, type_at(i), receiver);
		if (manner == NULL || !manner->about_none) {
			attempt = attempt_of(type_at(i), NULL, 0, "about no profile");
			assert_breaks(host, name, parents_end, &attempt);
		}
		if (strcmp(name, "monitor") == 0 && (manner == NULL || !manner->about_profile)) {
			attempt = attempt_of(type_at(i), &web, 0, "about a profile");
			assert_breaks(host, name, parents_end, &attempt);
		}
	}
	assert_unharmed(host);
}

static void
try_descriptors(struct host *host, const char *name, bool parents_end)
{
	const char *sender = parents_end ? "parent" : name;
	const struct manner *manner;
	struct attempt attempt;
	size_t i;

	for (i = 0; i < COUNT(manners); i++) {
		manner = &manners[i];
		if (strcmp(manner->sender, sender) != 0 ||
		    (parents_end && strcmp(manner->receiver, name) != 0))
			continue;
		attempt = attempt_of(manner->type, manner->about_none ? NULL : &web,
		    manner->descriptors_max + 1, "with a descriptor too many");
		assert_breaks(host, name, parents_end, &attempt);
		if (manner->descriptors_min == 0)
			continue;
		attempt.descriptors = manner->descriptors_min - 1;
		attempt.what = "with a descriptor too few";
		assert_breaks(host, name, parents_end, &attempt);
	}
	assert_unharmed(host);
}

static void
try_sizes(struct host *host, const char *name, bool parents_end)
{
	static const size_t lengths[] = {1, 16, MESSAGE_BYTES - 1, MESSAGE_BYTES + 1, 65536};
	static union {
		struct message message;
		char bytes[65536];
	} large;
	struct seat seat = {.name = name, .parents_end = parents_end};
	size_t i;

	for (i = 0; i < COUNT(lengths); i++) {
		peer_fill(&large.message, parents_end ? MESSAGE_PING : MESSAGE_PONG, NO_PROFILE, 0);
		take_seat(host, &seat);
		assert_true(peer_send_bytes(seat.channel, &large, lengths[i], 0));
		process_wait_gone(seat.pid);
		assert_int_equal(close(seat.channel), 0);
		host_wait_log(host, " %s died pid %d ", name, seat.pid);
		count_death(host);
	}
	assert_unharmed(host);
}

static void
what_the_monitor_may_not_say_ends_it(void **state)
{
	start(*state);
	learn_all(*state);
	try_every_type(*state, "monitor", false);
	host_stop_all(*state);
}

static void
what_the_spawner_may_not_say_ends_it(void **state)
{
	start(*state);
	learn_all(*state);
	try_every_type(*state, "spawner", false);
	host_stop_all(*state);
}

static void
what_a_parent_may_not_say_ends_who_hears_it(void **state)
{
	start(*state);
	learn_all(*state);
	try_every_type(*state, "monitor", true);
	try_every_type(*state, "spawner", true);
	host_stop_all(*state);
}

static void
a_descriptor_too_many_or_too_few_ends_the_sender(void **state)
{
	start(*state);
	learn_all(*state);
	try_descriptors(*state, "monitor", false);
	try_descriptors(*state, "spawner", false);
	try_descriptors(*state, "monitor", true);
	try_descriptors(*state, "spawner", true);
	host_stop_all(*state);
}

static void
a_message_of_another_size_ends_the_sender(void **state)
{
	start(*state);
	try_sizes(*state, "monitor", false);
	try_sizes(*state, "spawner", false);
	try_sizes(*state, "monitor", true);
	try_sizes(*state, "spawner", true);
	host_stop_all(*state);
}

static void
hang_up(struct host *host, const char *name, pid_t pid)
{
	int channel = peer_take(pid, FD_PARENT);

	peer_stop(pid); /* it does not leave by itself */
	assert_int_equal(shutdown(channel, SHUT_RDWR), 0);
	process_wait_gone(pid);
	assert_int_equal(close(channel), 0);
	host_wait_log(host, " ProcLaunch %s died pid %d signal SIGKILL", name, pid);
}

/* At once, and not because it answers no more. */
static void
who_has_hung_up_is_ended(void **state)
{
	struct host *host = *state;

	start(host);
	hang_up(host, "monitor", host_monitor(host));
	host_settle(host);
	hang_up(host, "spawner", host_spawner(host));
	assert_int_equal(host_count_log(host, " has not answered for 10 s"), 0);
	assert_unharmed(host);
	host_stop_all(host);
}

/* The monitor's answer to a ping of ours, in the parent's place. */
static bool
says_that_it_is_busy(struct host *host)
{
	struct seat seat = {.name = "monitor", .parents_end = true};
	struct incoming incoming;
	struct message ping;

	take_seat(host, &seat);
	peer_stop(host->supervisor);
	peer_fill(&ping, MESSAGE_PING, NO_PROFILE, 0);
	ping.number = UINT32_MAX; /* the parent has not come to that one yet */
	assert_true(peer_send(seat.channel, &ping, 0));
	do
		assert_true(peer_receive(seat.channel, &incoming));
	while (incoming.message.type != MESSAGE_PONG || incoming.message.number != UINT32_MAX);
	assert_int_equal(close(seat.channel), 0);
	peer_continue(host->supervisor);
	return incoming.message.pong.busy != 0;
}

static void
a_monitor_knows_whether_a_profile_is_on_its_way(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	char path[PATH_MAX];

	host_profile(host, "slow", "trap '' TERM; echo $$ > ready; exec sleep 1000");
	host_profile(host, "late", "exec sleep 1000");
	host_write(host, "late/pid_file", 0644, "never.pid\n");
	host_write(host, "late/down", 0644, "%s", "");
	host_profile(host, "failing", "exit 1");
	host_write(host, "failing/restart", 0644, "%s", "");
	host_write(host, "failing/down", 0644, "%s", "");
	start(host);
	(void)host_wait_running(host, "slow");
	(void)wait_for_pid_file(host_path(host, "slow/ready", path, sizeof(path)));
	host_settle(host);
	assert_false(says_that_it_is_busy(host));
	assert_int_equal(ctl(host, &outcome, "--no-wait", "stop", "slow", NULL), CTL_DONE);
	host_wait_log(host, " slow stopping$");
	assert_true(says_that_it_is_busy(host));
	assert_int_equal(ctl(host, &outcome, "signal", "KILL", "slow", NULL), CTL_DONE);
	host_wait_log(host, " slow stopped$");
	assert_false(says_that_it_is_busy(host));
	assert_int_equal(ctl(host, &outcome, "--no-wait", "start", "late", NULL), CTL_DONE);
	host_wait_log(host, " late starting$");
	assert_true(says_that_it_is_busy(host));
	assert_int_equal(ctl(host, &outcome, "stop", "late", NULL), CTL_DONE);
	assert_int_equal(ctl(host, &outcome, "--no-wait", "start", "failing", NULL), CTL_DONE);
	host_wait_log(host, " failing starting again in 2\\.");
	assert_true(says_that_it_is_busy(host));
	assert_int_equal(ctl(host, &outcome, "stop", "failing", NULL), CTL_DONE);
	assert_false(says_that_it_is_busy(host));
	assert_unharmed(host);
	host_stop_all(host);
}

/* How often it is asked when there is work for it, and when there is none. */
#define AT_WORK	   2 /* seconds */
#define ON_ITS_WAY 5

/* It hangs, maybe, and nothing is sent to it any more. */
static void
whoever_has_something_under_way_is_asked_again_though_there_is_no_work(void **state)
{
	struct seat seat = {.name = "monitor"};
	struct host *host = *state;
	struct incoming incoming;
	struct message pong;
	int64_t answered;

	peer_fill(&pong, MESSAGE_PONG, NO_PROFILE, 0);
	pong.pong.busy = 1;
	start(host);
	take_seat(host, &seat);
	learn(host, &seat, &web); /* which is work */
	do {
		answered = clock_now();
		assert_true(peer_receive(seat.channel, &incoming));
		channel_discard(&incoming);
		pong.number = incoming.message.number;
		if (incoming.message.type == MESSAGE_PING)
			assert_true(peer_send(seat.channel, &pong, 0));
	} while (
	    incoming.message.type != MESSAGE_PING || clock_now() - answered < AT_WORK * SECOND);
	assert_in_range(clock_now() - answered, 0, (ON_ITS_WAY + 3) * SECOND);
	end_child(host, &seat);
	assert_unharmed(host);
	host_stop_all(host);
}

static void
what_is_said_about_a_profile_that_is_not_there_changes_nothing(void **state)
{
	struct seat seat = {.name = "monitor"};
	struct host *host = *state;
	struct attempt attempt;
	size_t i, k;

	start(host);
	learn_all(host);
	{
		const struct known strangers[] = {
		    {.index = web.index, .generation = web.generation + 1},
		    {.index = web.index, .generation = web.generation - 1},
		    {.index = web.index, .generation = UINT32_MAX},
		    {.index = 99, .generation = 0},
		    {.index = 99, .generation = 1},
		    {.index = PROFILES_MAX, .generation = web.generation},
		    {.index = NO_PROFILE - 1, .generation = web.generation},
		    {.index = 1U << 31, .generation = web.generation},
		};

		take_quiet_seat(host, &seat);
		for (i = 1; i < MESSAGE_TYPE_COUNT; i++)
			for (k = 0; k < COUNT(strangers); k++) {
				attempt = attempt_of((uint32_t)i, &strangers[k], 0, "a stranger");
				if (message_valid(&attempt.message)) /* else it ends the sender */
					assert_nothing_happens(&seat, &attempt);
			}
	}
	end_child(host, &seat);
	assert_unharmed(host);
	host_stop_all(host);
}

static void
what_does_not_fit_the_state_of_the_process_changes_nothing(void **state)
{
	static const struct {
		enum message_type type;
		struct known *about;
	} untimely[] = {
	    {MESSAGE_START, &web},   /* it lives */
	    {MESSAGE_START, &other}, /* it lives */
	    {MESSAGE_FORGET, &web},  /* it lives */
	    {MESSAGE_SIGNAL, &idle}, /* nothing lives */
	    {MESSAGE_SWEEP, &idle},  /* nothing lives */
	    {MESSAGE_HELLO, NULL},   /* a second time */
	    {MESSAGE_GOODBYE, NULL}, /* nobody has asked us to leave */
	};
	struct seat seat = {.name = "monitor"};
	struct host *host = *state;
	struct attempt attempt;
	size_t i;

	start(host);
	learn_all(host);
	take_quiet_seat(host, &seat);
	for (i = 0; i < COUNT(untimely); i++) {
		attempt = attempt_of(untimely[i].type, untimely[i].about, 0, "untimely");
		assert_nothing_happens(&seat, &attempt);
	}
	end_child(host, &seat);
	assert_unharmed(host);
	host_stop_all(host);
}

/* A birth that nobody has asked for: its pidfd is let go of, and no profile becomes anything. */
static void
a_birth_that_was_not_asked_for_changes_nothing(void **state)
{
	struct seat seat = {.name = "spawner"};
	struct host *host = *state;
	struct message message;
	uint32_t task;

	start(host);
	learn_all(host);
	take_seat(host, &seat);
	for (task = 0; task < TASK_COUNT; task++) {
		peer_fill(&message, MESSAGE_BORN, idle.index, idle.generation);
		message.born.task = task;
		message.born.pid = 1;
		assert_true(peer_send(seat.channel, &message, 1));
		message.index = web.index;
		assert_true(peer_send(seat.channel, &message, 1));
		assert_true(peer_send(seat.channel, &message, 0));
		message.index = PROFILES_MAX;
		assert_true(peer_send(seat.channel, &message, 1));
	}
	peer_continue(seat.pid);
	assert_int_equal(close(seat.channel), 0);
	/* it still serves: a profile that is new is started by it */
	host_profile(host, "new", "exec sleep 1000");
	(void)host_wait_running(host, "new");
	assert_true(process_lives(seat.pid));
	assert_unharmed(host);
	host_stop_all(host);
}

/* Joins the profile's cgroup, leaves a process behind and ends with success: a daemon's `run`. */
static _Noreturn void
be_run(const char *members)
{
	int file = open(members, O_WRONLY | O_CLOEXEC);

	if (file == -1 || write(file, "0", 1) != 1)
		_exit(1);
	if (fork() == 0) {
		(void)execl("/bin/sh", "sh", "-c", "exec sleep 1000", (char *)NULL);
		_exit(1);
	}
	_exit(0);
}

/* FORK as the spawner hears it; its first descriptor, the job, is the caller's. */
static int
hear_fork(int channel, struct message *request)
{
	static struct incoming incoming;
	int job;

	do
		assert_true(peer_receive(channel, &incoming));
	while (incoming.message.type != MESSAGE_FORK);
	*request = incoming.message;
	while (incoming.count > 1)
		assert_int_equal(close(channel_take(&incoming)), 0);
	job = channel_take(&incoming);
	return job;
}

/*
 * The spawner's copy of a job may outlive `run` itself, where the spawner has to wait for a
 * processor. The parent's word that it has been executed was once that all copies are closed: a
 * daemon whose `run` had left by then counted as dead, and was ended.
 */
static void
a_run_that_has_left_before_the_spawner_lets_go_of_it_was_executed(void **state)
{
	char cgroup[PATH_MAX / 2], members[PATH_MAX];
	struct seat seat = {.name = "spawner"};
	struct message request, born;
	struct host *host = *state;
	struct outcome outcome;
	siginfo_t how;
	int job, pidfd;
	pid_t run;

	host_profile(host, "daemon", "exit 1");
	host_write(host, "daemon/pid_file", 0644, "pid\n");
	host_write(host, "daemon/down", 0644, "%s", "");
	start(host);
	if (!host_has_cgroups(host))
		skip(); /* what is left behind is looked for there */
	take_seat(host, &seat);
	assert_int_equal(ctl(host, &outcome, "start", "--no-wait", "daemon", NULL), CTL_DONE);
	job = hear_fork(seat.channel, &request);
	(void)snprintf(members, sizeof(members), "%s/cgroup.procs",
	    host_cgroup(host, "daemon", cgroup, sizeof(cgroup)));
	run = fork();
	if (run == 0)
		be_run(members);
	assert_int_equal(waitid(P_PID, (id_t)run, &how, WEXITED | WNOWAIT), 0);
	assert_int_equal(how.si_status, 0);
	pidfd = pidfd_open(run, 0);
	message_begin(&born, MESSAGE_BORN);
	born.index = request.index;
	born.generation = request.generation;
	born.number = request.number;
	born.born.pid = run;
	assert_int_equal(channel_send(seat.channel, &born, &pidfd, 1), CHANNEL_DONE);
	host_settle(host);
	assert_int_equal(host_count_log(host, " daemon died"), 0);
	assert_int_equal(close(job) | close(pidfd) | close(seat.channel), 0);
	assert_int_equal(waitpid(run, NULL, 0), run);
	peer_continue(seat.pid);
	host_stop_all(host);
}

/*
 * The last process of a daemon that is not proved yet ends between the parent's look for whom to
 * signal and its look for whether anybody is left. That look ended the watch that would have told,
 * and nobody was told: the stop took until SIGKILL.
 */
static void
what_ends_while_it_is_signalled_has_ended(void **state)
{
	struct known daemon = {.name = "daemon"};
	struct seat seat = {.name = "monitor"};
	struct host *host = *state;
	struct incoming incoming;
	struct message message;
	char path[PATH_MAX];

	host_profile(host, "daemon", "sleep 1000 &\necho $! > last");
	host_write(host, "daemon/pid_file", 0644, "pid\n");
	host_write(host, "daemon/down", 0644, "%s", "");
	start(host);
	if (!host_has_cgroups(host))
		skip(); /* what is left behind is looked for there */
	take_seat(host, &seat);
	learn(host, &seat, &daemon);
	peer_fill(&message, MESSAGE_START, daemon.index, daemon.generation);
	assert_true(peer_send(seat.channel, &message, 0));
	do {
		assert_true(peer_receive(seat.channel, &incoming));
		channel_discard(&incoming);
	} while (incoming.message.type != MESSAGE_PROCESS ||
	    incoming.message.process.phase != PHASE_UP ||
	    incoming.message.process.end != END_EXIT); /* `run` has left */
	daemon.pid = wait_for_pid_file(host_path(host, "daemon/last", path, sizeof(path)));

	peer_stop(host->supervisor);
	peer_fill(&message, MESSAGE_SIGNAL, daemon.index, daemon.generation);
	message.number = SIGTERM;
	assert_true(peer_send(seat.channel, &message, 0));
	assert_int_equal(kill(daemon.pid, SIGKILL), 0);
	wait_until(!process_lives(daemon.pid));
	peer_continue(host->supervisor);
	do {
		assert_true(peer_receive(seat.channel, &incoming));
		channel_discard(&incoming);
	} while (incoming.message.type != MESSAGE_PROCESS ||
	    incoming.message.index != daemon.index || incoming.message.process.phase != PHASE_NONE);
	end_child(host, &seat);
	assert_unharmed(host);
	host_stop_all(host);
}

/* One of our children that has not executed anything of a service's and runs as the tenant, but
 * none of these; 0: there is none. */
static pid_t
find_another_child(struct host *host, const pid_t *known, size_t count)
{
	char name[64], children[16384], value[64], *rest;
	pid_t spawner = host_spawner(host), pid;
	size_t i;

	(void)snprintf(name, sizeof(name), "task/%d/children", host->supervisor);
	(void)read_proc(host->supervisor, name, children, sizeof(children));
	for (rest = children; (pid = (pid_t)strtol(rest, &rest, 10)) > 0;) {
		for (i = 0; i < count && known[i] != pid;)
			i++;
		if (i == count && pid != spawner && process_uid(pid) == account_uid(TENANT) &&
		    process_lives(pid) && read_proc(pid, "comm", value, sizeof(value)) > 0 &&
		    strcmp(value, "proclaunch-spaw\n") == 0) /* as much as the kernel keeps */
			return pid;
	}
	return 0;
}

static pid_t
find_child(struct host *host)
{
	return find_another_child(host, NULL, 0);
}

/* What a child says of all that it may not. The one thing that it may is left out. */
static struct attempt
attempt_at(size_t i, uint32_t permitted)
{
	struct attempt attempt = attempt_of(type_at(i), &web, 0, "from a child");

	if (type_at(i) != permitted)
		return attempt;
	switch (i % 2) {
	case 0:
		attempt.length--;
		attempt.what = "from a child, too short";
		break;
	default:
		attempt.descriptors = 1;
		attempt.what = "from a child, with a descriptor";
		break;
	}
	return attempt;
}

#define CHILD_NAME_BYTES 32
static void
make_profiles(struct host *host, const char *stem, const char *file, const char *content)
{
	char name[CHILD_NAME_BYTES], path[64], full[PATH_MAX];
	size_t i;

	for (i = 0; i < TYPES; i++) {
		(void)snprintf(name, sizeof(name), "%s-%zu", stem, i);
		host_profile(
		    host, name, "echo $$ > out/ran.new; mv out/ran.new out/ran; exec sleep 1000");
		(void)snprintf(path, sizeof(path), "%s/%s", name, file);
		host_write(host, path, 0644, "%s", content);
		(void)snprintf(path, sizeof(path), "%s/user", name);
		host_write(host, path, 0644, "%s\n", TENANT);
		(void)snprintf(path, sizeof(path), "%s/out", name);
		assert_int_equal(mkdir(host_path(host, path, full, sizeof(full)), 0755), 0);
		host_chown(host, path, TENANT);
	}
}

/* It reads a pid file as the tenant, until its profile runs. */
static void
what_the_reader_of_a_pid_file_may_not_say_ends_it_and_nobody_else(void **state)
{
	struct host *host = *state;
	char path[64], full[PATH_MAX];
	struct attempt attempt;
	pid_t reader;
	int channel;
	size_t i;

	make_profiles(host, "daemon", "pid_file", "never.pid\n");
	start(host);
	for (i = 0; i < TYPES; i++) { /* or a newborn would be taken for a reader */
		(void)snprintf(path, sizeof(path), "daemon-%zu/out/ran", i);
		(void)wait_for_pid_file(host_path(host, path, full, sizeof(full)));
	}
	learn_all(host);
	for (i = 0; i < TYPES; i++) {
		wait_until((reader = find_child(host)) != 0);
		peer_stop(reader);
		channel = peer_take(reader, FD_JOB);
		attempt = attempt_at(i, MESSAGE_CLAIM);
		assert_true(peer_send_bytes(
		    channel, &attempt.message, attempt.length, attempt.descriptors));
		process_wait_gone(reader);
		assert_int_equal(close(channel), 0);
	}
	assert_int_equal(find_child(host), 0); /* each had one, and none a second one */
	/* two monitors were ended by learn_all() and by nobody else */
	assert_int_equal(host_count_log(host, " (monitor|spawner) .*protocol"), 0);
	assert_int_equal(host_count_log(host, " daemon-[0-9]+ (running|died|stopping)"), 0);
	assert_unharmed(host);
	host_stop_all(host);
}

/* Not one whose start was given up before the spawner came to it: that one finds nobody behind its
 * gate, and ends. */
static bool
waits_at_gate(pid_t newborn)
{
	int process = newborn == 0 ? -1 : pidfd_open(newborn, 0);
	struct pollfd gate = {.fd = -1, .events = POLLIN};
	bool waits;

	if (process == -1)
		return false;
	gate.fd = pidfd_getfd(process, FD_JOB, 0);
	waits = gate.fd != -1 && poll(&gate, 1, 0) == 0;
	assert_int_equal(close(process), 0);
	assert_true(gate.fd == -1 || close(gate.fd) == 0);
	return waits;
}

/* A newborn that waits at the gate: the parent has not yet heard of its birth. */
static pid_t
hold_newborn(struct host *host, const char *name)
{
	pid_t spawner = host_spawner(host), newborn;
	struct outcome outcome;

	host_settle(host);  /* nothing else is to be forked */
	peer_stop(spawner); /* for a moment: it counts as hung after ten seconds */
	assert_int_equal(ctl(host, &outcome, "start", "--no-wait", name, NULL), CTL_DONE);
	peer_wait_asked_to_fork(spawner);
	peer_stop(host->supervisor);
	peer_continue(spawner);
	wait_until(waits_at_gate(newborn = find_child(host)));
	return newborn;
}

static void
what_a_newborn_may_not_say_ends_it_before_it_executes_anything(void **state)
{
	struct host *host = *state;
	char name[CHILD_NAME_BYTES], path[PATH_MAX], file[64];
	struct attempt attempt;
	pid_t newborn;
	int channel;
	size_t i;

	make_profiles(host, "child", "down", "");
	start(host);
	learn_all(host);
	for (i = 0; i < TYPES; i++) {
		(void)snprintf(name, sizeof(name), "child-%zu", i);
		newborn = hold_newborn(host, name);
		channel = peer_take(newborn, FD_JOB);
		attempt = attempt_at(i, MESSAGE_STAGE);
		assert_true(peer_send_bytes(
		    channel, &attempt.message, attempt.length, attempt.descriptors));
		peer_continue(host->supervisor);
		process_wait_gone(newborn);
		assert_int_equal(close(channel), 0);
		/* another may have been born in its place by now */
		(void)snprintf(file, sizeof(file), "%s/out/ran", name);
		if (access(host_path(host, file, path, sizeof(path)), F_OK) == 0)
			assert_int_not_equal(wait_for_pid_file(path), newborn);
		host_remove(host, name);
	}
	assert_int_equal(host_count_log(host, " (monitor|spawner) .*protocol"), 0);
	assert_unharmed(host);
	host_stop_all(host);
}

/* Of a service that has nothing but its user. */
static pid_t
hold_tenants_newborn(struct host *host)
{
	host_profile(host, "web", "exec sleep 1000");
	host_write(host, "web/user", 0644, "%s\n", TENANT);
	host_write(host, "web/down", 0644, "%s", "");
	host_start(host);
	return hold_newborn(host, "web");
}

/* On its way through the exec it would hardly notice that its channel has gone. */
static void
what_a_newborn_may_not_say_ends_it_though_its_gate_is_open(void **state)
{
	struct host *host = *state;
	struct pollfd gate = {.events = POLLIN};
	struct message ping;
	pid_t newborn;

	newborn = hold_tenants_newborn(host);
	gate.fd = peer_take(newborn, FD_JOB);
	peer_stop(newborn);
	peer_continue(host->supervisor);
	assert_int_equal(poll(&gate, 1, SOON), 1);
	peer_fill(&ping, MESSAGE_PING, NO_PROFILE, 0);
	assert_true(peer_send(gate.fd, &ping, 0));
	process_wait_gone(newborn);
	host_wait_log(host, " WARN  web cannot start: gate: "); /* it has executed nothing */
	assert_int_equal(close(gate.fd), 0);
	host_stop_all(host);
}

/* Whoever kills it, as the kernel does when memory is short: nothing was executed, so that
 * `restart` has no say in whether it is tried again. */
static void
a_newborn_that_is_killed_before_it_executes_anything_is_made_again(void **state)
{
	struct host *host = *state;
	pid_t newborn;

	newborn = hold_tenants_newborn(host);
	assert_int_equal(kill(newborn, SIGKILL), 0);
	process_wait_gone(newborn); /* or it could be let go of before it dies */
	peer_continue(host->supervisor);
	(void)host_wait_running(host, "web");
	assert_int_equal(
	    host_count_log(host, " WARN  web cannot start: gate: Operation canceled$"), 1);
	assert_int_equal(host_count_log(host, " web died"), 0);
	host_stop_all(host);
}

/* In what has no descriptor to say. */
static void
assert_keeps_descriptors_out(pid_t sender, int number)
{
	int channel = peer_take(sender, number);
	struct message message;

	peer_fill(&message, MESSAGE_HELLO, NO_PROFILE, 0);
	assert_false(peer_send(channel, &message, 1));
	assert_int_equal(errno, EPERM);
	assert_int_equal(close(channel), 0);
}

/* To let go of a descriptor that a less trusted process has sent could keep the parent for ever. */
static void
no_descriptor_comes_to_the_parent_but_from_the_spawner(void **state)
{
	int one = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), value;
	struct host *host = *state;
	socklen_t size = sizeof(value);
	bool kernel_can = getsockopt(one, SOL_SOCKET, SO_PASSRIGHTS, &value, &size) == 0;

	assert_int_equal(close(one), 0);
	if (!kernel_can)
		skip();
	host_profile(host, "web", "exec sleep 1000");
	host_write(host, "web/user", 0644, "%s\n", TENANT);
	host_write(host, "web/down", 0644, "%s", "");
	host_start_with(host, "--log-level=debug", NULL);
	assert_keeps_descriptors_out(host_monitor(host), FD_PARENT);
	assert_keeps_descriptors_out(hold_newborn(host, "web"), FD_JOB);
	peer_continue(host->supervisor);
	(void)host_wait_running(host, "web");
	assert_int_equal(host_count_log(host, " (monitor|spawner) .*(protocol|died)"), 0);
	host_stop_all(host);
}

static bool
has_hung_up(int channel)
{
	char byte;

	return recv(channel, &byte, 1, MSG_DONTWAIT) == 0;
}

/* It looks at a tenant's files, one of which never answers; each one that is ended stays until that
 * has. */
static void
what_a_survey_may_not_say_ends_it_and_the_profile_stays_as_it_was(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX];
	struct attempt attempt;
	struct silence silence;
	pid_t surveys[TYPES + 2], survey, slow;
	struct message *message = &attempt.message;
	enum message_type type;
	int channel;
	size_t i, tried = 0;

	silence_begin(&silence, host->root);
	host_profile(host, "slow", "exec sleep 1000");
	host_write(host, "slow/restart", 0644, "%s", "");
	host_chown(host, "slow", TENANT);
	start(host);
	slow = host_wait_running(host, "slow");
	learn_all(host);
	host_path(host, "slow/restart", path, sizeof(path));
	assert_int_equal(mount(silence.path, path, NULL, MS_BIND, NULL), 0);
	/* what it may say is to be valid: a name ends, and a file is no longer than a message */
	for (i = 0; i < TYPES + 2; i++) {
		type = i < TYPES ? (enum message_type)type_at(i)
		    : i == TYPES ? MESSAGE_PROFILE
				 : MESSAGE_SETTING;
		if (i < TYPES && peer_may_say("survey", type, "parent") && type != MESSAGE_HELLO)
			continue;
		host_write(host, "slow/README", 0644, "%s", "");
		wait_until((survey = find_another_child(host, surveys, tried)) != 0);
		wait_until((channel = peer_copy(survey, FD_JOB)) != -1);
		attempt = attempt_of(type, NULL, i < TYPES && i % 3 == 2, "from a survey");
		attempt.length -= i < TYPES && i % 3 == 1;
		if (i == TYPES)
			memset(message->profile.name, 'x', sizeof(message->profile.name));
		else if (i > TYPES)
			message->setting.length = SETTING_BYTES_MAX + 1;
		assert_true(peer_send_bytes(
		    channel, &attempt.message, attempt.length, attempt.descriptors));
		wait_until(has_hung_up(channel));
		assert_int_equal(close(channel), 0);
		surveys[tried++] = survey;
	}
	silence_end(&silence);
	assert_true(process_lives(slow));
	assert_int_equal(host_count_log(host, " slow (refused|died|stopping|reloading)"), 0);
	assert_unharmed(host);
	host_stop_all(host);
}

static int
connect_client(const struct host *host)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int client = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%.90s/control", host->state);
	assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof(address)), 0);
	return client;
}

static void
greet(int client)
{
	struct incoming incoming;
	struct message hello;

	channel_hello(&hello);
	assert_true(peer_send(client, &hello, 0));
	assert_true(peer_receive(client, &incoming));
	assert_int_equal(incoming.message.type, MESSAGE_HELLO);
}

static void
assert_client_is_closed(const struct host *host, bool greeted, const struct attempt *attempt)
{
	int client = connect_client(host);
	struct incoming incoming;

	if (greeted)
		greet(client);
	assert_true(
	    peer_send_bytes(client, &attempt->message, attempt->length, attempt->descriptors));
	if (peer_receive(client, &incoming))
		fail_msg("%s, %s: was answered with %s", unprivileged_name(attempt->message.type),
		    attempt->what, unprivileged_name(incoming.message.type));
	assert_int_equal(close(client), 0);
}

static void
a_client_that_says_what_it_may_not_is_closed_and_nothing_else_happens(void **state)
{
	struct host *host = *state;
	struct attempt attempt;
	pid_t monitor;
	size_t i;

	start(host);
	learn_all(host);
	monitor = host_monitor(host);
	for (i = 0; i < TYPES; i++) {
		attempt = attempt_of(type_at(i), NULL, 0, "from a client");
		if (!peer_may_say("client", type_at(i), "monitor"))
			assert_client_is_closed(host, true, &attempt);
		if (type_at(i) != MESSAGE_HELLO)
			assert_client_is_closed(host, false, &attempt);
		attempt.descriptors = 1;
		attempt.what = "from a client with a descriptor";
		assert_client_is_closed(host, true, &attempt);
	}
	attempt = attempt_of(MESSAGE_HELLO, NULL, 0, "a second time");
	assert_client_is_closed(host, true, &attempt);
	attempt = attempt_of(MESSAGE_ASK, NULL, 0, "too short");
	attempt.length--;
	assert_client_is_closed(host, true, &attempt);
	assert_int_equal(host_monitor(host), monitor);
	assert_unharmed(host);
	host_stop_all(host);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROOT_TEST(what_the_monitor_may_not_say_ends_it),
	    ROOT_TEST(what_the_spawner_may_not_say_ends_it),
	    ROOT_TEST(what_a_parent_may_not_say_ends_who_hears_it),
	    ROOT_TEST(a_descriptor_too_many_or_too_few_ends_the_sender),
	    ROOT_TEST(a_message_of_another_size_ends_the_sender),
	    ROOT_TEST(who_has_hung_up_is_ended),
	    ROOT_TEST(a_monitor_knows_whether_a_profile_is_on_its_way),
	    ROOT_TEST(whoever_has_something_under_way_is_asked_again_though_there_is_no_work),
	    ROOT_TEST(what_is_said_about_a_profile_that_is_not_there_changes_nothing),
	    ROOT_TEST(what_does_not_fit_the_state_of_the_process_changes_nothing),
	    ROOT_TEST(a_birth_that_was_not_asked_for_changes_nothing),
	    ROOT_TEST(a_run_that_has_left_before_the_spawner_lets_go_of_it_was_executed),
	    ROOT_TEST(what_ends_while_it_is_signalled_has_ended),
	    ROOT_TEST(what_the_reader_of_a_pid_file_may_not_say_ends_it_and_nobody_else),
	    ROOT_TEST(what_a_newborn_may_not_say_ends_it_before_it_executes_anything),
	    ROOT_TEST(what_a_newborn_may_not_say_ends_it_though_its_gate_is_open),
	    ROOT_TEST(a_newborn_that_is_killed_before_it_executes_anything_is_made_again),
	    ROOT_TEST(no_descriptor_comes_to_the_parent_but_from_the_spawner),
	    ROOT_TEST(what_a_survey_may_not_say_ends_it_and_the_profile_stays_as_it_was),
	    ROOT_TEST(a_client_that_says_what_it_may_not_is_closed_and_nothing_else_happens),
	};

	return cmocka_run_group_tests_name("messages", tests, NULL, NULL);
}
