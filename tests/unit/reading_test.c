/*
 * How a client comes by the files of a log: what the monitor asks of the parent for it, and what it
 * hands on. The parent and the client are the test's.
 */
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "child.h"
#include "clock.h"
#include "commands.h"
#include "control.h"
#include "descriptors.h"
#include "loop.h"
#include "parent.h"
#include "unprivileged.h"

#define UID 64997 /* of no account and no process */

static int parent, client; /* the one that speaks and hears */
static uint32_t place;	   /* ... and which place it has */
static struct sockaddr_un address;
static socklen_t address_size = sizeof(address);
static struct incoming heard;

static void
begin_parent(void)
{
	int ends[2];

	REQUIRE(close_range(STDERR_FILENO + 1, ~0U, 0) == 0);
	REQUIRE(channel_pair(ends) == 0 && ends[0] == FD_PARENT);
	parent = ends[1];
	loop_open();
}

static void
connect_client(void)
{
	client = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	REQUIRE(connect(client, (struct sockaddr *)&address, address_size) == 0);
	control_listener_event(0, EPOLLIN);
}

static void
listen_and_connect(uid_t admin)
{
	static struct incoming control;
	const struct hello own = {.admin = admin};
	int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	/* a name that the kernel chooses, unix(7) */
	address.sun_family = AF_UNIX;
	REQUIRE(bind(listener, (struct sockaddr *)&address, sizeof(sa_family_t)) == 0 &&
	    listen(listener, 1) == 0 &&
	    getsockname(listener, (struct sockaddr *)&address, &address_size) == 0);
	control_configure(&own);
	control.count = 1;
	control.descriptors[0] = listener;
	control_listen(NULL, &control);
	connect_client();
}

static struct client *found;

static void
find(struct client *any, void *context)
{
	(void)context;
	found = any;
}

/* The only client, as the monitor knows it. */
static struct client *
known_client(void)
{
	control_each(find, NULL);
	return found;
}

static void
client_says(const struct message *message)
{
	REQUIRE(channel_send(client, message, NULL, 0) == CHANNEL_DONE);
	control_client_event(place, EPOLLIN);
}

static void
client_asks(enum verb verb)
{
	struct message message;

	message_begin(&message, MESSAGE_ASK);
	message.ask.verb = verb;
	client_says(&message);
	(void)parent_flush();
}

static bool
client_hears(enum message_type type)
{
	return channel_receive_descriptors(client, &heard, unprivileged_valid) == CHANNEL_DONE &&
	    heard.message.type == type;
}

static bool
client_gets(uint32_t age, unsigned files)
{
	bool gets =
	    client_hears(MESSAGE_FILE) && heard.message.number == age && heard.count == files;

	channel_discard(&heard);
	return gets;
}

static bool
nothing_is_heard(int channel)
{
	return channel_receive(channel, &heard, unprivileged_valid) == CHANNEL_AGAIN;
}

/* The next thing that the parent is asked is to open that file. */
static bool
is_asked_for(uint32_t age)
{
	return channel_receive(parent, &heard, unprivileged_valid) == CHANNEL_DONE &&
	    heard.message.type == MESSAGE_READ && heard.message.file.age == age;
}

/* The parent answers what it was asked, and what it sends is not kept where it is not taken. */
static void
answer(struct message question, bool with_file)
{
	static struct incoming readable;

	readable.message = question;
	readable.message.type = MESSAGE_READABLE;
	readable.count = with_file ? 1 : 0;
	readable.descriptors[0] = with_file ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -1;
	commands_readable(NULL, &readable);
	channel_discard(&readable);
	(void)parent_flush();
}

static void
introduce(void)
{
	struct message hello;

	channel_hello(&hello);
	client_says(&hello);
	REQUIRE(client_hears(MESSAGE_HELLO));
}

static void
greet(uid_t admin)
{
	begin_parent();
	listen_and_connect(admin);
	introduce();
}

static void
read_both(void *context)
{
	struct message older, newer;

	(void)context;
	greet(geteuid());
	client_asks(VERB_LOG);
	REQUIRE(is_asked_for(1));
	older = heard.message;
	REQUIRE(is_asked_for(0));
	newer = heard.message;
	REQUIRE(nothing_is_heard(parent));
	answer(older, false);
	answer(newer, true);
	REQUIRE(client_gets(1, 0) && client_gets(0, 1) && client_hears(MESSAGE_ANSWER));
	REQUIRE(nothing_is_heard(client) && nothing_is_heard(parent));
}

static void
both_files_are_asked_for_at_once(void **state)
{
	(void)state;
	child_run(read_both, NULL);
}

static void
read_without_room(void *context)
{
	const int least = 1;
	struct message older, newer;

	(void)context;
	greet(geteuid());
	/* room for one message that was not read */
	REQUIRE(
	    setsockopt(known_client()->channel, SOL_SOCKET, SO_SNDBUF, &least, sizeof(least)) == 0);
	client_asks(VERB_PING);
	client_asks(VERB_LOG);
	REQUIRE(is_asked_for(1));
	older = heard.message;
	REQUIRE(is_asked_for(0));
	newer = heard.message;
	answer(older, true);
	REQUIRE(known_client()->blocked);
	answer(newer, true);
	REQUIRE(nothing_is_heard(parent));
	REQUIRE(client_hears(MESSAGE_ANSWER) && nothing_is_heard(client));
	control_client_event(0, EPOLLOUT);
	(void)parent_flush();
	REQUIRE(client_gets(1, 1) && nothing_is_heard(client));
	REQUIRE(is_asked_for(0));
	answer(heard.message, true);
	REQUIRE(client_gets(0, 1));
	control_client_event(0, EPOLLOUT);
	REQUIRE(client_hears(MESSAGE_ANSWER) && nothing_is_heard(client));
	REQUIRE(nothing_is_heard(parent));
}

/* A client costs no more than one descriptor beside its own, however slowly it reads. */
static void
the_second_file_is_asked_for_again_when_there_was_no_room_for_the_first(void **state)
{
	(void)state;
	child_run(read_without_room, NULL);
}

/* The next thing is a file of that age for this one, and then nothing for now. */
static bool
one_gets(int one, uint32_t age)
{
	client = one;
	return client_gets(age, 1) && (age == 0 || nothing_is_heard(client));
}

/* What the parent was asked twice, before it had seen to it, it answers once. */
static void
read_by_two(void *context)
{
	struct message older, newer;
	int first, second;

	(void)context;
	greet(geteuid());
	client_asks(VERB_LOG);
	first = client;
	REQUIRE(is_asked_for(1));
	older = heard.message;
	REQUIRE(is_asked_for(0));
	newer = heard.message;
	connect_client();
	second = client;
	place = 1;
	introduce();
	client_asks(VERB_LOG);
	REQUIRE(is_asked_for(1) && is_asked_for(0));
	answer(older, true);
	REQUIRE(one_gets(first, 1) && nothing_is_heard(second));
	REQUIRE(is_asked_for(1) && nothing_is_heard(parent));
	answer(newer, true);
	REQUIRE(one_gets(first, 0) && client_hears(MESSAGE_ANSWER) && nothing_is_heard(second));
	/* who asks again has no right to be first */
	place = 0;
	client_asks(VERB_LOG);
	REQUIRE(is_asked_for(1) && is_asked_for(0));
	answer(older, true);
	REQUIRE(nothing_is_heard(first) && one_gets(second, 1));
	REQUIRE(is_asked_for(1) && is_asked_for(0));
	answer(newer, true);
	REQUIRE(nothing_is_heard(first) && one_gets(second, 0) && client_hears(MESSAGE_ANSWER));
	answer(older, true);
	REQUIRE(one_gets(first, 1) && is_asked_for(0));
	answer(newer, true);
	REQUIRE(one_gets(first, 0) && client_hears(MESSAGE_ANSWER));
	REQUIRE(nothing_is_heard(second) && nothing_is_heard(parent));
}

/* A file of his own: who reads moves the place from where the next one would. */
static void
two_who_read_the_same_log_are_handed_a_file_each_in_turn(void **state)
{
	(void)state;
	child_run(read_by_two, NULL);
}

static void
follow_until_it_is_given_away(void *context)
{
	struct profile *profile = table_make(0, 1);
	struct message follow, older;

	(void)context;
	REQUIRE(setresuid(UID, UID, UID) == 0);
	strcpy(profile->facts.name, "web");
	strcpy(profile->facts.account, "somebody");
	profile->facts.uid = UID;
	profile->acquainted = true;
	greet(0);
	message_begin(&follow, MESSAGE_ASK);
	follow.ask.verb = VERB_LOG;
	follow.ask.flags = ASK_FOLLOW;
	strcpy(follow.ask.name, "web");
	client_says(&follow);
	(void)parent_flush();
	REQUIRE(is_asked_for(1));
	older = heard.message;
	REQUIRE(is_asked_for(0));
	follow = heard.message;
	answer(older, false);
	answer(follow, true);
	REQUIRE(client_gets(1, 0) && client_gets(0, 1) && nothing_is_heard(client));
	control_tend(clock_now());
	profile->facts.uid = UID + 1;
	commands_log_rotated(profile);
	control_tend(clock_now());
	REQUIRE(client_hears(MESSAGE_ANSWER) && heard.message.answer.result == RESULT_NO_PROFILE);
}

/* It was told only when something else happened, whatever that was. */
static void
who_follows_what_is_his_no_longer_is_told_at_once(void **state)
{
	(void)state;
	child_run(follow_until_it_is_given_away, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(both_files_are_asked_for_at_once),
	    cmocka_unit_test(
		the_second_file_is_asked_for_again_when_there_was_no_room_for_the_first),
	    cmocka_unit_test(two_who_read_the_same_log_are_handed_a_file_each_in_turn),
	    cmocka_unit_test(who_follows_what_is_his_no_longer_is_told_at_once),
	};

	return cmocka_run_group_tests_name("reading", tests, NULL, NULL);
}
