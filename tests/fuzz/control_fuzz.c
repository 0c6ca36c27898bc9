/*
 * The control socket against clients that send anything: three profiles, of root, of alice and of
 * bob. Whoever is no administrator sees and moves only what runs as himself.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "channel.h"
#include "clock.h"
#include "monitor_world.h"
#include "reset.h"
#include "unprivileged.h"

#define PROFILES    3
#define CLIENTS	    6
#define ROOT	    0
#define ALICE	    1001
#define BOB	    1002
#define NOBODY_HERE 1003

int __wrap_getsockopt(int socket, int level, int option, void *value, socklen_t *size);

static const uint32_t uids[PROFILES] = {ROOT, ALICE, BOB};
static const char *const names[] = {
    "web", "alice/web", "bob/web", "", "nothing", "alice/web\033[31m"};

static struct client {
	int channel; /* -1: there is none */
	uint32_t uid;
} clients[CLIENTS];
static bool connected[PROFILES]; /* the profiles' users, at some time */
static uint32_t connecting_uid;
static struct sockaddr_un address;
static socklen_t address_size;

/* Who connects is the model's to say. */
int
__wrap_getsockopt(int socket, int level, int option, void *value, socklen_t *size)
{
	struct ucred *caller = value;

	(void)socket;
	PROPERTY(level == SOL_SOCKET && option == SO_PEERCRED && *size == sizeof(*caller));
	*caller = (struct ucred){.pid = 1, .uid = connecting_uid, .gid = connecting_uid};
	return 0;
}

/* Has somebody been connected who may do something to what runs as this uid? A wish outlives the
 * client. */
static bool
may_somebody(uint32_t uid)
{
	unsigned i;

	for (i = 0; i < PROFILES; i++)
		if (connected[i] && (uids[i] == ROOT || uids[i] == uid))
			return true;
	return false;
}

/* In this world nothing but a client's wish leads to one of these; REOPEN is also asked for because
 * the log here is a file that has no name. */
static void
check_wish(const struct message *message)
{
	switch (message->type) {
	case MESSAGE_SIGNAL:
		if (message->number == SIGTERM || message->number == SIGKILL)
			break; /* a start that took too long is ended too */
		__attribute__((fallthrough));
	case MESSAGE_KEEP:
	case MESSAGE_READ:
		PROPERTY(message->index == NO_PROFILE || message->index < PROFILES);
		PROPERTY(may_somebody(message->index == NO_PROFILE ? ROOT : uids[message->index]));
		break;
	default:
		break;
	}
}

static void
connect_client(struct client *client, uint32_t uid)
{
	unsigned i;

	if (client->channel != -1)
		return;
	connecting_uid = uid;
	client->uid = uid;
	for (i = 0; i < PROFILES; i++)
		connected[i] |= uids[i] == uid;
	client->channel = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	PROPERTY(client->channel != -1);
	if (connect(client->channel, (struct sockaddr *)&address, address_size) == -1) {
		(void)close(client->channel);
		client->channel = -1;
	}
}

static void
close_client(struct client *client)
{
	if (client->channel == -1)
		return;
	(void)close(client->channel);
	client->channel = -1;
}

static void
check_shown(const struct client *client, const char *name)
{
	uint32_t i, uid = NOBODY_HERE;

	for (i = 0; i < PROFILES; i++)
		if (strcmp(name, names[i]) == 0)
			uid = uids[i];
	PROPERTY(client->uid == ROOT || uid == client->uid);
}

static void
read_answers(struct client *client)
{
	static struct incoming incoming;
	enum channel_result result = CHANNEL_DONE;
	uint32_t i;

	while (client->channel != -1 && result == CHANNEL_DONE) {
		result =
		    channel_receive_descriptors(client->channel, &incoming, unprivileged_valid);
		PROPERTY(result != CHANNEL_BROKEN);
		if (result == CHANNEL_CLOSED)
			close_client(client);
		if (result != CHANNEL_DONE)
			return;
		PROPERTY(incoming.count == (incoming.message.type == MESSAGE_FILE));
		channel_discard(&incoming);
		switch (incoming.message.type) {
		case MESSAGE_ROWS:
			for (i = 0; i < incoming.message.rows.count; i++)
				check_shown(client, incoming.message.rows.rows[i].name);
			break;
		case MESSAGE_TRANSITION:
			check_shown(client, incoming.message.transition.name);
			break;
		default:
			PROPERTY(incoming.message.type == MESSAGE_HELLO ||
			    incoming.message.type == MESSAGE_ANSWER ||
			    incoming.message.type == MESSAGE_FILE ||
			    incoming.message.type == MESSAGE_MORE);
			break;
		}
	}
}

static void
ask(struct input *input, const struct client *client)
{
	struct message message;

	message_begin(&message, MESSAGE_ASK);
	message.ask.verb = input_below(input, VERB_COUNT);
	message.ask.flags = input_below(input, 4);
	message.ask.number = input_byte(input);
	strcpy(message.ask.name, names[input_below(input, sizeof(names) / sizeof(names[0]))]);
	(void)channel_send(client->channel, &message, NULL, 0);
}

static void
client_acts(struct input *input)
{
	static const uint32_t who[] = {ROOT, ALICE, BOB, NOBODY_HERE};
	struct client *client = &clients[input_below(input, CLIENTS)];
	unsigned choice = input_below(input, 16);
	struct message message;

	if (client->channel == -1) {
		connect_client(client, who[choice % 4]);
		if (client->channel == -1 || choice >= 14)
			return;
		channel_hello(&message);
		(void)channel_send(client->channel, &message, NULL, 0);
		return;
	}
	switch (choice) {
	case 0:
		close_client(client);
		break;
	case 1:
		input_message(
		    input, &message, (enum message_type)input_below(input, MESSAGE_TYPE_COUNT));
		(void)channel_send(client->channel, &message, &client->channel, choice & 1);
		break;
	case 2:
		(void)send(client->channel, &message, input_byte(input), MSG_NOSIGNAL);
		break;
	case 3:
	case 4:
		read_answers(client);
		break;
	default:
		ask(input, client);
		break;
	}
}

/* What the parent answers, and how processes fare. */
static void
parent_tells(struct input *input)
{
	uint32_t index = input_below(input, PROFILES);
	struct message message;
	int file = -1;

	switch (input_below(input, 5)) {
	case 0:
		message_begin(&message, MESSAGE_KEPT);
		message.number = input_below(input, 3);
		break;
	case 1:
		message_begin(&message, MESSAGE_SETTLED);
		message.number = input_below(input, 16);
		break;
	case 2:
		message_begin(&message, MESSAGE_READABLE);
		message.file.stream = input_below(input, STREAM_COUNT);
		message.file.age = input_below(input, 2);
		message.file.error = 0;
		file = open("/dev/null", O_RDONLY | O_CLOEXEC);
		break;
	default:
		message_begin(&message, MESSAGE_PROCESS);
		message.process.phase = input_below(input, PHASE_COUNT);
		message.process.end = input_below(input, END_COUNT);
		message.process.attempt = input_below(input, 8);
		message.process.uid = uids[index];
		message.process.pid = 4242;
		message.process.trigger = 7;
		message.process.started = message.process.ended = reset_clock;
		break;
	}
	message.index = index;
	message.generation = 1;
	monitor_world_tell(&message, file);
	if (file != -1)
		(void)close(file);
}

static void
make_world(void)
{
	struct message message;
	uint32_t i;
	int listener;

	for (i = 0; i < CLIENTS; i++)
		clients[i].channel = -1;
	memset(connected, 0, sizeof(connected));
	listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	address = (struct sockaddr_un){.sun_family = AF_UNIX};
	address_size = sizeof(address);
	/* a name that the kernel chooses, unix(7) */
	PROPERTY(bind(listener, (struct sockaddr *)&address, sizeof(sa_family_t)) == 0 &&
	    listen(listener, 64) == 0 &&
	    getsockname(listener, (struct sockaddr *)&address, &address_size) == 0);
	message_begin(&message, MESSAGE_CONTROL);
	monitor_world_tell(&message, listener);
	for (i = 0; i < PROFILES; i++) {
		message_begin(&message, MESSAGE_PROFILE);
		message.index = i;
		message.generation = 1;
		strcpy(message.profile.name, names[i]);
		strcpy(message.profile.account, i == 0 ? "root" : i == 1 ? "alice" : "bob");
		message.profile.uid = message.profile.owner = uids[i];
		message.profile.trigger = 7;
		message.profile.present = SETTING_BIT(SETTING_RUN);
		monitor_world_tell(&message, -1);
		message.type = MESSAGE_PROCESS;
		memset(&message.process, 0, sizeof(message.process));
		monitor_world_tell(&message, -1);
	}
	monitor_world_turn();
}

static void
play(struct input *input)
{
	unsigned i;

	make_world();
	while (input->left > 0) {
		switch (input_below(input, 8)) {
		case 0:
			reset_clock += MILLISECOND << input_below(input, 16);
			break;
		case 1:
			parent_tells(input);
			break;
		default:
			client_acts(input);
			break;
		}
		monitor_world_turn();
	}
	for (i = 0; i < CLIENTS; i++)
		read_answers(&clients[i]);
}

int
LLVMFuzzerInitialize(int *count, char ***arguments)
{
	(void)count;
	(void)arguments;
	monitor_world_hears = check_wish;
	monitor_world_remember();
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	monitor_world_run(play, bytes, size);
	return 0;
}
