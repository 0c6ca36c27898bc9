/*
 * What a user can do to the control socket, short of reading its manual: it stays bounded, nobody
 * else is delayed, and nothing is left of it afterwards.
 */
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

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
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "build.h"
#include "client.h"
#include "ctl.h"
#include "host.h"
#include "open_files.h"
#include "peer.h"
#include "silence.h"
#include "unharmed.h"

#define SERVICE "exec sleep 1000"
/* Uids without an account, as a user of subuid(5) has them. */
#define STRANGER 700000U

#define CONNECTIONS 1000

static void
a_thousand_connections_take_no_place_from_others(void **state)
{
	struct host *host = *state;
	struct before before = unharmed_begin(host);
	unsigned admitted_count = 0, rows;
	int clients[CONNECTIONS], i;
	bool admitted;
	uid_t uid;

	for (i = 0; i < CONNECTIONS; i++) {
		/* the tenant's own, and those of as many strangers */
		uid = i % 2 == 0 ? account_uid(TENANT) : STRANGER + (uid_t)i;
		clients[i] =
		    i % 4 < 2 ? client_connect(host, uid) : client_greet(host, uid, &admitted);
		admitted_count += i % 4 >= 2 && admitted;
		if (i % 100 == 0)
			assert_others_are_served(host);
	}
	/* no more than 16 of the tenant's and 32 of all strangers, here half of them silent */
	assert_in_range(admitted_count, 1, 48);
	/* who has just hung up, or is being turned away, is gone in a moment */
	wait_until(open_files_of(before.monitor) <= before.monitor_descriptors + 48);
	assert_in_range(open_files_of(before.monitor), before.monitor_descriptors + 40,
	    before.monitor_descriptors + 48);
	assert_others_are_served(host);
	/* root always has a place */
	i = client_greet(host, 0, &admitted);
	assert_true(admitted);
	assert_true(client_ask(i, VERB_LIST, ""));
	assert_int_equal(client_answer(i, &rows), RESULT_DONE);
	assert_int_equal(rows, 2);
	assert_int_equal(close(i), 0);
	for (i = 0; i < CONNECTIONS; i++)
		if (clients[i] != -1)
			assert_int_equal(close(clients[i]), 0);
	assert_unharmed(host, &before);
}

/* By a script that leaks them, say. */
static void
connections_that_root_forgets_take_no_place_from_others_and_soon_none_from_root(void **state)
{
	struct host *host = *state;
	struct before before = unharmed_begin(host);
	struct outcome outcome;
	int clients[CONNECTIONS], i;

	for (i = 0; i < CONNECTIONS; i++)
		clients[i] = client_connect(host, 0);
	assert_others_are_served(host);
	wait_until(ctl(host, &outcome, "--timeout=0.1", "ping", NULL) == CTL_DONE);
	for (i = 0; i < CONNECTIONS; i++)
		if (clients[i] != -1)
			assert_int_equal(close(clients[i]), 0);
	assert_unharmed(host, &before);
}

#define HERD_COPIES    300
#define HERD_INSTANCES 1000

/* The kernel wakes each of them whenever the monitor reads what the client has asked, or answers.
 */
static void
gather_herd(int client, int *instances)
{
	struct epoll_event all = {.events = EPOLLIN | EPOLLOUT};
	int copies[HERD_COPIES];
	unsigned i, k;

	for (i = 0; i < HERD_COPIES; i++) {
		copies[i] = dup(client);
		assert_int_not_equal(copies[i], -1);
	}
	for (k = 0; k < HERD_INSTANCES; k++) {
		instances[k] = epoll_create1(EPOLL_CLOEXEC);
		for (i = 0; i < HERD_COPIES; i++)
			assert_int_equal(
			    epoll_ctl(instances[k], EPOLL_CTL_ADD, copies[i], &all), 0);
	}
	for (i = 0; i < HERD_COPIES; i++)
		assert_int_equal(close(copies[i]), 0);
}

static void
who_has_a_herd_wait_for_his_connection_is_not_served_for_twenty_times_as_long(void **state)
{
	struct host *host = *state;
	struct before before = unharmed_begin(host);
	int instances[HERD_INSTANCES], client, another;
	uid_t uid = account_uid(TENANT);
	struct rlimit limit, raised;
	unsigned rows, i;
	bool admitted;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	raised = limit;
	raised.rlim_cur = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &raised), 0);
	client = client_greet(host, uid, &admitted);
	assert_true(admitted);
	gather_herd(client, instances);
	assert_true(client_ask(client, VERB_PING, ""));
	assert_int_equal(client_answer(client, &rows), RESULT_DONE);
	another = client_connect(host, uid);
	assert_true(client_hangs_up(another, SOON));
	(void)client_ask(client, VERB_PING, "");
	assert_true(client_hangs_up(client, SOON));
	assert_others_are_served(host);
	for (i = 0; i < HERD_INSTANCES; i++)
		assert_int_equal(close(instances[i]), 0);
	assert_int_equal(close(client) | close(another), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_unharmed(host, &before);
}

static bool
send_bytes(int client, const void *bytes, size_t size)
{
	return send(client, bytes, size, MSG_NOSIGNAL) == (ssize_t)size;
}

/* A message that is valid in all but what `spoil` does to it. */
static void
assert_refused(struct host *host, bool greeted, void (*spoil)(struct message *message))
{
	struct message message = {.type = MESSAGE_ASK, .index = NO_PROFILE};
	uid_t uid = account_uid(TENANT);
	bool admitted;
	int client = greeted ? client_greet(host, uid, &admitted) : client_connect(host, uid);

	strcpy(message.ask.name, "web");
	message.ask.verb = VERB_STATUS;
	spoil(&message);
	assert_true(send_bytes(client, &message, sizeof(message)));
	assert_true(client_hangs_up(client, SOON));
	assert_int_equal(close(client), 0);
}

static void
leave_as_it_is(struct message *message)
{
	(void)message;
}

static void
spoil_verb(struct message *message)
{
	message->ask.verb = VERB_COUNT;
}

static void
spoil_name(struct message *message)
{
	memset(message->ask.name, 'w', sizeof(message->ask.name));
}

static void
spoil_type(struct message *message)
{
	message->type = MESSAGE_START; /* what only the monitor may say, to the parent */
}

static void
spoil_all(struct message *message)
{
	memset(message, 0xff, sizeof(*message));
}

static void
become_hello(struct message *message)
{
	memset(message, 0, sizeof(*message));
	message->type = MESSAGE_HELLO;
}

/* Numbers may mean something else to it: only the client can tell that from our answer, and what it
 * has asked before it comes must not be done. */
static void
a_client_of_another_build_is_told_ours_and_nothing_is_done_for_it(void **state)
{
	static const enum verb verbs[] = {VERB_STOP, VERB_SIGNAL, VERB_STATUS, VERB_PING};
	struct host *host = *state;
	struct message hello = {.type = MESSAGE_HELLO, .index = NO_PROFILE}, answer;
	struct before before = unharmed_begin(host);
	size_t i;
	int client;

	strcpy(hello.hello.version, PROCLAUNCH_VERSION);
	strcpy(hello.hello.build, "another");
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		client = client_connect(host, account_uid(TENANT));
		assert_true(send_bytes(client, &hello, sizeof(hello)));
		(void)client_ask(client, verbs[i], "web"); /* it may have hung up by now */
		assert_true(client_receive(client, &answer, NULL));
		assert_int_equal(answer.type, MESSAGE_HELLO);
		assert_string_equal(answer.hello.build, PROCLAUNCH_BUILD);
		assert_true(client_hangs_up(client, SOON));
		assert_int_equal(close(client), 0);
	}
	client = client_connect(host, account_uid(TENANT));
	assert_true(send_bytes(client, &hello, sizeof(hello)));
	assert_true(client_receive(client, &answer, NULL));
	(void)send_bytes(client, &hello, sizeof(hello)); /* nor can it try another greeting */
	assert_true(client_hangs_up(client, SOON));
	assert_int_equal(close(client), 0);
	assert_int_equal(host_count_log(host, " by uid "), 0);
	assert_unharmed(host, &before);
}

static void
garbage_oversized_and_truncated_requests_are_hung_up_on(void **state)
{
	static const size_t sizes[] = {1, 4, 100, MESSAGE_BYTES - 1, MESSAGE_BYTES + 1, 65536};
	struct host *host = *state;
	struct before before = unharmed_begin(host);
	static char bytes[65536];
	unsigned seed = 20261123, round;
	bool admitted;
	size_t i, j;
	int client;

	assert_refused(host, false, leave_as_it_is); /* no greeting */
	assert_refused(host, true, spoil_verb);
	assert_refused(host, true, spoil_name);
	assert_refused(host, true, spoil_type);
	assert_refused(host, true, spoil_all);
	assert_refused(host, true, become_hello); /* a second greeting */
	for (round = 0; round < 20; round++) {
		for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			for (j = 0; j < sizes[i]; j++)
				bytes[j] = (char)rand_r(&seed);
			client = client_greet(host, account_uid(TENANT), &admitted);
			assert_true(admitted);
			assert_true(send_bytes(client, bytes, sizes[i]));
			assert_true(client_hangs_up(client, SOON));
			assert_int_equal(close(client), 0);
		}
		assert_others_are_served(host);
	}
	assert_unharmed(host, &before);
}

#define FLOOD 100

/* The message with so many descriptors, more than anybody expects. */
static bool
send_descriptors(int client, const struct message *message, int descriptor, unsigned count)
{
	struct iovec vector = {.iov_base = (void *)(uintptr_t)message, .iov_len = sizeof(*message)};
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(FLOOD * sizeof(int))];
	struct msghdr header = {.msg_iov = &vector,
	    .msg_iovlen = 1,
	    .msg_control = control,
	    .msg_controllen = CMSG_SPACE(count * sizeof(int))};
	struct cmsghdr *attached = CMSG_FIRSTHDR(&header);
	unsigned i;

	memset(control, 0, sizeof(control));
	attached->cmsg_level = SOL_SOCKET;
	attached->cmsg_type = SCM_RIGHTS;
	attached->cmsg_len = CMSG_LEN(count * sizeof(int));
	for (i = 0; i < count; i++)
		memcpy(CMSG_DATA(attached) + i * sizeof(int), &descriptor, sizeof(int));
	return sendmsg(client, &header, MSG_NOSIGNAL) == (ssize_t)sizeof(*message);
}

#ifndef SO_PASSRIGHTS /* Linux 6.16 */
#define SO_PASSRIGHTS 83
#endif

/* Whether this kernel can keep clients from attaching anything. */
static bool
kernel_can_refuse(void)
{
	int one = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), value;
	socklen_t size = sizeof(value);
	bool can = getsockopt(one, SOL_SOCKET, SO_PASSRIGHTS, &value, &size) == 0;

	assert_int_equal(close(one), 0);
	return can;
}

/* From now on as with an older kernel: whoever connects may attach descriptors. */
static void
let_clients_attach(const struct host *host)
{
	static const int yes = 1;
	int descriptor, copy, listens;
	socklen_t size;

	for (descriptor = 3; descriptor < 64; descriptor++) {
		copy = peer_copy(host->supervisor, descriptor);
		size = sizeof(listens);
		if (copy != -1 &&
		    getsockopt(copy, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens)
			assert_int_equal(
			    setsockopt(copy, SOL_SOCKET, SO_PASSRIGHTS, &yes, sizeof(yes)), 0);
		if (copy != -1)
			assert_int_equal(close(copy), 0);
	}
}

/* What is attached, and the client itself: one that is never taken in, and a cycle. */
static void
flood_with_descriptors(struct host *host, bool refused)
{
	static const unsigned counts[] = {1, 5, 6, FLOOD};
	struct message message = {.type = MESSAGE_ASK, .index = NO_PROFILE};
	unsigned round;
	bool admitted;
	size_t i;
	int client;

	message.ask.verb = VERB_STATUS;
	strcpy(message.ask.name, "web");
	for (round = 0; round < 50; round++) {
		for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
			client = client_greet(host, account_uid(TENANT), &admitted);
			assert_true(admitted);
			if (refused) {
				assert_false(send_descriptors(client, &message, client, counts[i]));
				assert_int_equal(errno, EPERM);
			} else {
				(void)send_descriptors(client, &message, client, counts[i]);
				(void)send_descriptors(client, &message, STDIN_FILENO, counts[i]);
				assert_true(client_hangs_up(client, SOON));
			}
			assert_int_equal(close(client), 0);
		}
	}
}

static void
descriptors_that_nobody_has_asked_for_are_refused_and_never_opened(void **state)
{
	struct host *host = *state;
	struct before before = unharmed_begin(host);

	if (kernel_can_refuse()) {
		flood_with_descriptors(host, true);
		let_clients_attach(host);
	}
	flood_with_descriptors(host, false);
	assert_unharmed(host, &before);
}

/* To close it takes as long as its server likes. */
static void
a_descriptor_that_never_closes_holds_nobody_up(void **state)
{
	struct host *host = *state;
	struct before before = unharmed_begin(host);
	struct message message = {.type = MESSAGE_ASK, .index = NO_PROFILE};
	struct silence silence;
	bool admitted;
	int file, client;

	silence_begin(&silence, host->root);
	file = open(silence.path, O_RDONLY | O_CLOEXEC);
	assert_true(file != -1);
	if (kernel_can_refuse())
		let_clients_attach(host);
	client = client_greet(host, account_uid(TENANT), &admitted);
	assert_true(admitted);
	assert_true(send_descriptors(client, &message, file, 1));
	assert_true(client_hangs_up(client, SOON));
	assert_others_are_served(host);
	silence_end(&silence);
	(void)close(file); /* now it fails at once */
	assert_int_equal(close(client), 0);
	assert_unharmed(host, &before);
}

static void
clients_that_never_read_delay_nobody(void **state)
{
	static const enum verb verbs[] = {VERB_LIST, VERB_STATUS, VERB_EVENTS, VERB_LOG};
	struct host *host = *state;
	struct before before = unharmed_begin(host);
	int clients[16];
	bool admitted;
	size_t i;

	for (i = 0; i < 16; i++) {
		clients[i] = client_greet(host, account_uid(TENANT), &admitted);
		assert_true(admitted);
		while (client_ask(clients[i], verbs[i % 4], i % 4 == 0 ? "" : "web"))
			; /* until there is no room */
	}
	for (i = 0; i < 5; i++)
		assert_others_are_served(host);
	for (i = 0; i < 16; i++)
		assert_int_equal(close(clients[i]), 0);
	assert_unharmed(host, &before);
}

static void
wait_printed(const struct host *host, off_t bytes)
{
	char path[PATH_MAX];
	struct stat status;

	(void)snprintf(path, sizeof(path), "%s/output/talker.log", host->state);
	wait_until(stat(path, &status) == 0 && status.st_size >= bytes);
}

/* It is to be told of each line, and has no room for that: who has to be told must not be asked for
 * over and over. */
static void
who_follows_a_log_and_does_not_read_costs_no_time(void **state)
{
	struct host *host = *state;
	struct message message = {.type = MESSAGE_ASK, .index = NO_PROFILE};
	unsigned long ticks;
	struct before before;
	bool admitted;
	int client;

	host_profile(host, "talker", "while :; do echo 0123456789; sleep 0.01; done");
	host_write(host, "talker/user", 0644, TENANT "\n");
	before = unharmed_begin(host);
	client = client_greet(host, account_uid(TENANT), &admitted);
	assert_true(admitted);
	message.ask.verb = VERB_LOG;
	message.ask.flags = ASK_FOLLOW;
	strcpy(message.ask.name, "talker");
	assert_true(send_bytes(client, &message, sizeof(message)));
	wait_printed(host, 5000); /* two seconds, by which there is no room any more */
	ticks = process_ticks(before.monitor);
	wait_printed(host, 7500);
	assert_in_range(process_ticks(before.monitor) - ticks, 0, 15);
	assert_int_equal(close(client), 0);
	host_stop_all(host);
}

static void
clients_that_die_in_the_middle_leave_nothing(void **state)
{
	static const enum verb verbs[] = {VERB_LIST, VERB_STATUS, VERB_WAIT, VERB_LOG, VERB_EVENTS,
	    VERB_DISABLE, VERB_ENABLE, VERB_RESTART};
	struct host *host = *state;
	struct before before = unharmed_begin(host);
	struct outcome outcome;
	bool admitted;
	int client, i;

	for (i = 0; i < 800; i++) {
		client = client_greet(host, account_uid(TENANT), &admitted);
		if (admitted)
			(void)client_ask(client, verbs[i % 8], "web");
		assert_int_equal(close(client), 0);
		if (i % 200 == 0)
			assert_others_are_served(host);
	}
	/* what was asked for last holds, whoever has gone meanwhile */
	assert_int_equal(ctl(host, &outcome, "enable", "web", NULL), CTL_DONE);
	assert_int_equal(ctl(host, &outcome, "status", "web", NULL), 0);
	assert_unharmed(host, &before);
}

static long
now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000L + now.tv_nsec / 1000000;
}

#define STORM_MS 3000

static void
a_storm_of_starts_and_stops_is_bounded_and_delays_nobody(void **state)
{
	static const enum verb verbs[] = {
	    VERB_START, VERB_STOP, VERB_RESTART, VERB_ENABLE, VERB_DISABLE, VERB_RESET};
	struct host *host = *state;
	struct before before = unharmed_begin(host);
	struct message message = {.type = MESSAGE_ASK, .index = NO_PROFILE};
	unsigned asked = 0, refused = 0, rows, logged;
	struct outcome outcome;
	long until = now_ms() + STORM_MS;
	enum result result;
	bool admitted;
	int client;

	host_mark_log(host);
	client = client_greet(host, account_uid(TENANT), &admitted);
	assert_true(admitted);
	strcpy(message.ask.name, "web");
	message.ask.flags = ASK_NO_WAIT;
	while (now_ms() < until) {
		message.ask.verb = verbs[asked++ % 6];
		assert_true(send_bytes(client, &message, sizeof(message)));
		result = client_answer(client, &rows);
		assert_true(result == RESULT_DONE || result == RESULT_BUSY);
		refused += result == RESULT_BUSY;
		if (asked % 1000 == 0)
			assert_others_are_served(host);
	}
	assert_int_equal(close(client), 0);
	/* 20 at once and 10 a second are permitted, and no more than these stand in the log */
	assert_true(asked - refused <= 20 + 10 * (STORM_MS / 1000 + 2));
	logged = host_count_log(host, " web [a-z]+ by uid %u$", account_uid(TENANT));
	assert_int_equal(logged, asked - refused);
	assert_int_equal(ctl(host, &outcome, "enable", "web", NULL), CTL_DONE);
	assert_int_equal(ctl(host, &outcome, "restart", "web", NULL), CTL_DONE);
	assert_int_equal(ctl(host, &outcome, "status", "web", NULL), 0);
	assert_unharmed(host, &before);
}

/* To wait for what was asked for costs no token and leaves no line, and so must do nothing else. */
static void
who_says_that_it_was_asked_for_before_changes_nothing(void **state)
{
	static const enum verb verbs[] = {VERB_START, VERB_STOP, VERB_RESTART, VERB_RELOAD,
	    VERB_SIGNAL, VERB_ENABLE, VERB_DISABLE, VERB_RESET};
	struct host *host = *state;
	struct before before = unharmed_begin(host);
	struct message message = {.type = MESSAGE_ASK, .index = NO_PROFILE};
	unsigned rows, i;
	bool admitted, own;
	int client;

	host_mark_log(host);
	client = client_greet(host, account_uid(TENANT), &admitted);
	assert_true(admitted);
	message.ask.flags = ASK_ALREADY | ASK_NO_WAIT;
	message.ask.number = SIGKILL;
	for (i = 0; i < 10 * sizeof(verbs) / sizeof(verbs[0]); i++) {
		message.ask.verb = verbs[i / 10];
		own = i % 10 != 9;
		strcpy(message.ask.name, own ? "web" : "mail");
		assert_true(send_bytes(client, &message, sizeof(message)));
		assert_int_equal(
		    client_answer(client, &rows), own ? RESULT_DONE : RESULT_NO_PROFILE);
	}
	assert_int_equal(close(client), 0);
	assert_int_equal(host_count_log(host, " by uid [0-9]+"), 0);
	assert_int_equal(host_count_log(host, " web "), 0);
	assert_unharmed(host, &before);
}

#define STRANGERS_AT_ONCE 25

/* Many hands: each with its own uid, none of which owns a profile. */
static void
a_storm_of_strangers_fills_no_log_and_takes_no_tokens(void **state)
{
	struct host *host = *state;
	struct before before = unharmed_begin(host);
	struct outcome outcome;
	unsigned rows, i, j;
	bool asked[STRANGERS_AT_ONCE];
	long begun;
	int clients[STRANGERS_AT_ONCE];

	host_mark_log(host);
	begun = now_ms();
	for (i = 0; i < 500; i += STRANGERS_AT_ONCE) {
		for (j = 0; j < STRANGERS_AT_ONCE; j++) {
			clients[j] = client_greet(host, STRANGER + i + j, &asked[j]);
			asked[j] = asked[j] && client_ask(clients[j], VERB_STOP, "mail");
		}
		for (j = 0; j < STRANGERS_AT_ONCE; j++) {
			if (asked[j])
				assert_int_not_equal(client_answer(clients[j], &rows), RESULT_DONE);
			assert_int_equal(close(clients[j]), 0);
		}
	}
	/* 20 at once and 10 a second, of all of them together */
	assert_in_range(host_count_log(host, " refused stop by uid 700[0-9]+: mail$"), 1,
	    20 + 10 * ((now_ms() - begun) / 1000 + 2));
	assert_int_equal(
	    ctl_as(host, account_uid(OTHER_TENANT), &outcome, "restart", "mail", NULL), CTL_DONE);
	assert_unharmed(host, &before);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROOT_TEST(a_thousand_connections_take_no_place_from_others),
	    ROOT_TEST(
		connections_that_root_forgets_take_no_place_from_others_and_soon_none_from_root),
	    ROOT_TEST(
		who_has_a_herd_wait_for_his_connection_is_not_served_for_twenty_times_as_long),
	    ROOT_TEST(a_client_of_another_build_is_told_ours_and_nothing_is_done_for_it),
	    ROOT_TEST(garbage_oversized_and_truncated_requests_are_hung_up_on),
	    ROOT_TEST(descriptors_that_nobody_has_asked_for_are_refused_and_never_opened),
	    ROOT_TEST(a_descriptor_that_never_closes_holds_nobody_up),
	    ROOT_TEST(clients_that_never_read_delay_nobody),
	    ROOT_TEST(who_follows_a_log_and_does_not_read_costs_no_time),
	    ROOT_TEST(clients_that_die_in_the_middle_leave_nothing),
	    ROOT_TEST(a_storm_of_starts_and_stops_is_bounded_and_delays_nobody),
	    ROOT_TEST(who_says_that_it_was_asked_for_before_changes_nothing),
	    ROOT_TEST(a_storm_of_strangers_fills_no_log_and_takes_no_tokens),
	};

	return cmocka_run_group_tests_name("control abuse", tests, NULL, NULL);
}
