#include <sys/epoll.h>
#include <sys/socket.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "bucket.h"
#include "clock.h"
#include "commands.h"
#include "control.h"
#include "fifo.h"
#include "rules.h"
#include "sources.h"
#include "unprivileged.h"

/* So many connections of one user who is not root; of all those together as whom no profile runs,
 * since one person may have thousands of uids, subuid(5); so many places for root alone; and of
 * root, whose scripts may forget theirs. */
#define CLIENTS_PER_USER     16
#define CLIENTS_OF_STRANGERS 32
#define CLIENTS_FOR_ROOT     16
#define CLIENTS_OF_ROOT	     (CLIENTS_MAX / 2)
/* A client that neither asks nor reads for so long is closed; sooner while root has no place left,
 * one of root's that asks nothing. */
#define IDLE_MAX	(30 * SECOND)
#define IDLE_MAX_FULL	SECOND
#define ACCEPTS_AT_ONCE 64
/* Whoever has a million epoll instances wait for his connection has the kernel wake each of them
 * when we read from it, write to it or close it: who costs us so much of a processor is not served
 * for so many times as long. */
#define COSTLY	    (20 * MILLISECOND)
#define COSTS_AGAIN 20

/* What a client may say depends on what it has said. */
#define BEFORE_HELLO 1U
#define AFTER_HELLO  2U
#define OTHER_BUILD  4U

static int listener = -1;
static int64_t listen_again = NEVER;
static struct client clients[CLIENTS_MAX];
static unsigned client_count, admin_count;
static unsigned clients_end; /* no place from here on has ever been taken, or costs any memory */
static uint32_t admin_uid;
static struct message greeting;
static struct bucket costly[BUCKETS]; /* who is not served, until they are full */

void
control_configure(const struct hello *hello)
{
	admin_uid = hello->admin;
	channel_hello(&greeting);
	memcpy(greeting.hello.base, hello->base, sizeof(hello->base));
	memcpy(greeting.hello.tenants, hello->tenants, sizeof(hello->tenants));
	greeting.hello.incarnation = (uint64_t)clock_now();
}

void
control_listen(void *subject, struct incoming *incoming)
{
	(void)subject;
	loop_close(&listener);
	listener = channel_take(incoming);
	listen_again = 0;
}

static bool
is_served(const struct client *client)
{
	return client->admin || clock_now() >= bucket_of(costly, client->uid)->full;
}

/* What has been done for it since we had run for so long. */
static void
charge(const struct client *client, int64_t before)
{
	int64_t cost = fifo_effort().ran - before;

	if (cost >= COSTLY && !client->admin)
		bucket_of(costly, client->uid)->full = clock_now() + cost * COSTS_AGAIN;
}

static void
close_client(struct client *client)
{
	if (client->file != -1)
		(void)close(client->file); /* opened for reading */
	client->file = -1;
	loop_close(&client->channel);
	client_count--;
	admin_count -= client->admin;
}

/* What is waited for: a question, or room for the answer; always that it hangs up. */
static void
wait_for(struct client *client)
{
	uint32_t events = EPOLLRDHUP;

	if (client->task == CLIENT_READS)
		events |= EPOLLIN;
	if (client->blocked)
		events |= EPOLLOUT;
	loop_change(client->channel, events, SOURCE_CLIENT, (uint32_t)(client - clients));
	if (client->task == CLIENT_READS || client->blocked)
		client->close_at = clock_now() + IDLE_MAX;
	else
		client->close_at = NEVER;
}

/* A tenant's quota is told with each of his profiles. */
static unsigned
permitted_clients(const struct client *newcomer)
{
	const struct profile *profile;
	uint32_t index;

	if (newcomer->stranger)
		return CLIENTS_OF_STRANGERS;
	PROFILES_FOREACH(profile, index) {
		if (profile->facts.uid == newcomer->uid && profile->facts.quota.clients != 0)
			return profile->facts.quota.clients;
	}
	return CLIENTS_PER_USER;
}

static bool
too_many(const struct client *newcomer)
{
	unsigned i, same = 0;

	if (newcomer->admin)
		return admin_count >= CLIENTS_OF_ROOT || client_count >= CLIENTS_MAX;
	for (i = 0; i < clients_end; i++)
		if (clients[i].channel != -1 && clients[i].stranger == newcomer->stranger &&
		    (newcomer->stranger || clients[i].uid == newcomer->uid))
			same++;
	return same >= permitted_clients(newcomer) ||
	    client_count >= CLIENTS_MAX - CLIENTS_FOR_ROOT;
}

/* The answer to a client that there is no place for; whether it reads it is its own affair. */
static void
turn_away(int channel)
{
	struct message message;

	message_begin(&message, MESSAGE_ANSWER);
	message.answer.result = RESULT_REFUSED;
	strcpy(message.answer.text, "too many connections: close some");
	(void)channel_send(channel, &message, NULL, 0);
	(void)close(channel);
}

static void
admit(const struct client *newcomer)
{
	unsigned place = 0;

	while (place < clients_end && clients[place].channel != -1)
		place++;
	if (place == clients_end)
		clients_end++;
	clients[place] = *newcomer;
	client_count++;
	admin_count += newcomer->admin;
	if (loop_add(newcomer->channel, EPOLLIN | EPOLLRDHUP, SOURCE_CLIENT, place) == -1)
		close_client(&clients[place]);
}

/* Who it was when it connected, unix(7): handing on the socket hands on no authority beyond that.
 */
static void
welcome(int channel)
{
	struct client newcomer = {.channel = channel,
	    .state = BEFORE_HELLO,
	    .file = -1,
	    .more_at = NEVER,
	    .close_at = clock_now() + IDLE_MAX};
	int64_t before = fifo_effort().ran;
	struct ucred caller;
	socklen_t size = sizeof(caller);

	if (getsockopt(channel, SOL_SOCKET, SO_PEERCRED, &caller, &size) == -1) {
		(void)close(channel);
		return;
	}
	newcomer.uid = caller.uid;
	newcomer.admin = caller.uid == 0 || caller.uid == admin_uid;
	newcomer.stranger = !newcomer.admin && !commands_owner(caller.uid);
	if (!is_served(&newcomer))
		(void)close(channel);
	else if (too_many(&newcomer))
		turn_away(channel);
	else
		admit(&newcomer);
	charge(&newcomer, before);
}

static void
rest_a_while(void)
{
	loop_mute(listener);
	listen_again = clock_now() + SECOND;
}

void
control_listener_event(uint32_t index, uint32_t events)
{
	unsigned accepted;
	int channel;

	(void)index;
	(void)events;
	for (accepted = 0; accepted < ACCEPTS_AT_ONCE; accepted++) {
		channel = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (channel == -1) {
			if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
				rest_a_while(); /* no descriptor is left: it would wake us for ever
						 */
			return;
		}
		welcome(channel);
	}
}

/* True when it went; a client that has gone is noticed by the loop. */
static bool
went(struct client *client, enum channel_result result)
{
	if (result == CHANNEL_AGAIN && !client->blocked)
		client->blocked_at = clock_now();
	client->blocked = result == CHANNEL_AGAIN;
	return !client->blocked;
}

bool
control_send(struct client *client, const struct message *message)
{
	return went(client, channel_send(client->channel, message, NULL, 0));
}

bool
control_send_file(struct client *client, const struct message *message)
{
	unsigned count = client->file == -1 ? 0 : 1;

	if (!went(client, channel_send(client->channel, message, &client->file, count)))
		return false;
	if (client->file != -1)
		(void)close(client->file);
	client->file = -1;
	return true;
}

void
control_each(void (*look)(struct client *client, void *context), void *context)
{
	unsigned i;

	for (i = 0; i < clients_end && client_count > 0; i++)
		if (clients[i].channel != -1)
			look(&clients[i], context);
}

static void
handle_hello(void *subject, struct incoming *incoming)
{
	struct client *client = subject;

	(void)control_send(client, &greeting);
	/* another build may know our version and no more: its number for `status` may be ours for
	 * `stop` */
	client->state = channel_same_build(&incoming->message) ? AFTER_HELLO : OTHER_BUILD;
}

static void
handle_ask(void *subject, struct incoming *incoming)
{
	commands_begin(subject, &incoming->message.ask);
}

/* All that a client may say. */
static const struct rule rules[] = {
    {MESSAGE_HELLO, FROM_CLIENT, BEFORE_HELLO, 0, 0, handle_hello},
    {MESSAGE_ASK, FROM_CLIENT, AFTER_HELLO, 0, 0, handle_ask},
};

/* One message. False: the client has gone, or must go. */
static bool
listen_to(struct client *client)
{
	static struct incoming incoming;
	enum channel_result result =
	    channel_receive(client->channel, &incoming, unprivileged_valid);

	if (result == CHANNEL_AGAIN)
		return true;
	return result == CHANNEL_DONE &&
	    rules_apply(rules, sizeof(rules) / sizeof(rules[0]), FROM_CLIENT, client->state, client,
		&incoming) == RULE_KEPT;
}

void
control_client_event(uint32_t index, uint32_t events)
{
	struct client *client = &clients[index];
	int64_t before = fifo_effort().ran;

	if (client->channel == -1)
		return;
	/* what it has still asked is not worth an answer that nobody reads */
	if ((events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) != 0 || !is_served(client) ||
	    (client->task == CLIENT_READS && (events & EPOLLIN) != 0 && !listen_to(client))) {
		close_client(client);
	} else {
		commands_continue(client);
		wait_for(client);
	}
	charge(client, before);
}

static int64_t
closes_at(const struct client *client)
{
	bool spare = client->admin && client->task == CLIENT_READS && !client->blocked &&
	    admin_count >= CLIENTS_OF_ROOT;

	return spare ? client->close_at - (IDLE_MAX - IDLE_MAX_FULL) : client->close_at;
}

int64_t
control_deadline(void)
{
	int64_t deadline = clock_earlier(listen_again, commands_deadline());
	unsigned i;

	for (i = 0; i < clients_end && client_count > 0; i++)
		if (clients[i].channel != -1)
			deadline = clock_earlier(deadline, closes_at(&clients[i]));
	return deadline;
}

void
control_continue(struct client *client)
{
	int64_t before = fifo_effort().ran;

	if (client->blocked || client->task == CLIENT_READS)
		return;
	commands_continue(client);
	wait_for(client);
	charge(client, before);
}

static void
continue_client(struct client *client, void *context)
{
	(void)context;
	control_continue(client);
}

void
control_tend(int64_t now)
{
	unsigned i;

	for (i = 0; i < clients_end && client_count > 0; i++)
		if (clients[i].channel != -1 && closes_at(&clients[i]) <= now)
			close_client(&clients[i]);
	if (listen_again <= now) {
		listen_again = NEVER;
		if (loop_add(listener, EPOLLIN, SOURCE_LISTENER, 0) == -1)
			rest_a_while(); /* without it we supervise all the same */
	}
	if (commands_changed(now))
		control_each(continue_client, NULL);
}
