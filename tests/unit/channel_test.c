/*
 * What crosses a channel: exactly one message of one size with at most five descriptors. All that a
 * broken or hostile peer can send instead is refused, and no descriptor that it attached stays
 * open.
 */
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "channel.h"
#include "child.h"
#include "fault.h"
#include "open_files.h"
#include "unprivileged.h"

/* SCM_MAX_FD of the kernel: as many as one message can carry. */
#define DESCRIPTORS_MANY 253
/* The kernel counts all descriptors of the uid, so that it must be one that nothing else has: no
 * monitor, nor another run of this test beside it. */
#define ORDINARY_UID (61000 + (uid_t)getpid() % 184)

struct pair {
	int ours, peers;
	unsigned open_before;
	struct incoming incoming;
};

static int
set_up(void **state)
{
	struct pair *pair = calloc(1, sizeof(*pair));
	int ends[2];

	assert_non_null(pair);
	pair->open_before = open_files_count();
	assert_int_equal(channel_pair(ends), 0);
	pair->ours = ends[0];
	pair->peers = ends[1];
	*state = pair;
	return 0;
}

/* Every test of this program is also one for lost descriptors. */
static int
tear_down(void **state)
{
	struct pair *pair = *state;

	channel_discard(&pair->incoming);
	(void)close(pair->ours);
	if (pair->peers != -1)
		(void)close(pair->peers);
	assert_int_equal(open_files_count(), pair->open_before);
	free(pair);
	return 0;
}

static struct message
some_message(uint32_t number)
{
	struct message message;

	message_begin(&message, MESSAGE_PING);
	message.number = number;
	return message;
}

/* What a peer that keeps to no rule sends. */
static void
send_raw(
    const struct pair *pair, const void *bytes, size_t length, const int *descriptors, size_t count)
{
	struct iovec vector = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = length};
	struct msghdr header = {.msg_iov = &vector, .msg_iovlen = 1};
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(DESCRIPTORS_MANY * sizeof(int))];
	struct cmsghdr *attached;

	if (count > 0) {
		memset(control, 0, sizeof(control));
		header.msg_control = control;
		header.msg_controllen = CMSG_SPACE(count * sizeof(int));
		attached = CMSG_FIRSTHDR(&header);
		attached->cmsg_level = SOL_SOCKET;
		attached->cmsg_type = SCM_RIGHTS;
		attached->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(attached), descriptors, count * sizeof(int));
	}
	assert_int_equal(sendmsg(pair->peers, &header, MSG_NOSIGNAL), (ssize_t)length);
}

static void
hang_up(struct pair *pair)
{
	assert_int_equal(close(pair->peers), 0);
	pair->peers = -1;
}

static void
both_ends_are_non_blocking_and_closed_by_an_exec(void **state)
{
	const struct pair *pair = *state;

	assert_true((fcntl(pair->ours, F_GETFL) & O_NONBLOCK) != 0);
	assert_true((fcntl(pair->peers, F_GETFL) & O_NONBLOCK) != 0);
	assert_int_equal(fcntl(pair->ours, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(pair->peers, F_GETFD), FD_CLOEXEC);
}

static void
a_message_arrives_as_it_was_sent(void **state)
{
	struct pair *pair = *state;
	struct message sent;
	size_t i;

	message_begin(&sent, MESSAGE_SETTING);
	sent.index = 7;
	sent.generation = 8;
	sent.number = SETTING_USER;
	sent.setting.length = SETTING_BYTES_MAX;
	for (i = 0; i < SETTING_BYTES_MAX; i++)
		sent.setting.bytes[i] = (char)(i * 31);
	assert_int_equal(channel_send(pair->peers, &sent, NULL, 0), CHANNEL_DONE);
	assert_int_equal(
	    channel_receive_descriptors(pair->ours, &pair->incoming, unprivileged_valid),
	    CHANNEL_DONE);
	assert_memory_equal(&pair->incoming.message, &sent, sizeof(sent));
	assert_int_equal(pair->incoming.count, 0);
	assert_int_equal(
	    channel_receive_descriptors(pair->ours, &pair->incoming, unprivileged_valid),
	    CHANNEL_AGAIN);
}

static void
messages_arrive_in_their_order(void **state)
{
	struct pair *pair = *state;
	struct message message;
	uint32_t number;

	for (number = 0; number < 10; number++) {
		message = some_message(number);
		assert_int_equal(channel_send(pair->peers, &message, NULL, 0), CHANNEL_DONE);
	}
	for (number = 0; number < 10; number++) {
		assert_int_equal(
		    channel_receive_descriptors(pair->ours, &pair->incoming, unprivileged_valid),
		    CHANNEL_DONE);
		assert_int_equal(pair->incoming.message.number, number);
	}
}

static void
any_other_size_is_a_broken_peer(void **state)
{
	static const size_t sizes[] = {
	    1, 4, MESSAGE_BYTES - 1, MESSAGE_BYTES + 1, 2 * MESSAGE_BYTES, 16 * MESSAGE_BYTES};
	static char bytes[16 * MESSAGE_BYTES];
	struct pair *pair = *state;
	struct message message = some_message(1);
	size_t i;

	memcpy(bytes, &message, sizeof(message));
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		send_raw(pair, bytes, sizes[i], NULL, 0);
		assert_int_equal(
		    channel_receive_descriptors(pair->ours, &pair->incoming, unprivileged_valid),
		    CHANNEL_BROKEN);
		assert_int_equal(pair->incoming.count, 0);
	}
	/* the control: with the right size the same bytes are a message */
	send_raw(pair, bytes, MESSAGE_BYTES, NULL, 0);
	assert_int_equal(
	    channel_receive_descriptors(pair->ours, &pair->incoming, unprivileged_valid),
	    CHANNEL_DONE);
}

static void
what_a_wrong_size_carries_is_closed(void **state)
{
	static char bytes[MESSAGE_BYTES + 1];
	static const size_t sizes[] = {0, 1, MESSAGE_BYTES - 1, MESSAGE_BYTES + 1};
	struct pair *pair = *state;
	const int two[] = {STDIN_FILENO, STDOUT_FILENO};
	unsigned before = open_files_count();
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		send_raw(pair, bytes, sizes[i], two, 2);
		assert_int_equal(
		    channel_receive_descriptors(pair->ours, &pair->incoming, unprivileged_valid),
		    CHANNEL_BROKEN);
		assert_int_equal(pair->incoming.count, 0);
		assert_int_equal(open_files_count(), before);
	}
}

static void
what_is_no_valid_message_is_refused_and_what_it_carries_is_closed(void **state)
{
	struct pair *pair = *state;
	const int one[] = {STDIN_FILENO};
	unsigned before = open_files_count();
	struct message message = some_message(1);

	message.type = MESSAGE_TYPE_COUNT;
	send_raw(pair, &message, sizeof(message), one, 1);
	assert_int_equal(
	    channel_receive_descriptors(pair->ours, &pair->incoming, unprivileged_valid),
	    CHANNEL_BROKEN);
	memset(&message, 0, sizeof(message));
	send_raw(pair, &message, sizeof(message), one, 1);
	assert_int_equal(
	    channel_receive_descriptors(pair->ours, &pair->incoming, unprivileged_valid),
	    CHANNEL_BROKEN);
	assert_int_equal(open_files_count(), before);
}

static void
up_to_five_descriptors_arrive_in_order_and_stay_the_senders_too(void **state)
{
	struct pair *pair = *state;
	struct message message = some_message(1);
	int ends[2], sent[CHANNEL_DESCRIPTORS_MAX], taken;
	unsigned count, i;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	sent[0] = ends[0];
	sent[1] = pair->ours;
	sent[2] = pair->peers;
	sent[3] = ends[1];
	sent[4] = STDIN_FILENO;
	_Static_assert(CHANNEL_DESCRIPTORS_MAX == 5, "all of them are filled in");
	for (count = 0; count <= CHANNEL_DESCRIPTORS_MAX; count++) {
		assert_int_equal(channel_send(pair->peers, &message, sent, count), CHANNEL_DONE);
		assert_int_equal(
		    channel_receive_descriptors(pair->ours, &pair->incoming, unprivileged_valid),
		    CHANNEL_DONE);
		assert_int_equal(pair->incoming.count, count);
		for (i = count; i-- > 0;) {
			taken = channel_take(&pair->incoming);
			assert_int_equal(taken, pair->incoming.descriptors[i]);
			assert_int_not_equal(taken, sent[i]);
			assert_true(open_files_same(taken, sent[i]));
			assert_int_equal(fcntl(taken, F_GETFD), FD_CLOEXEC);
			assert_int_equal(close(taken), 0);
		}
		assert_int_equal(channel_take(&pair->incoming), -1);
	}
	assert_int_equal(close(ends[0]), 0);
	assert_int_equal(close(ends[1]), 0);
}

static void
more_descriptors_than_a_message_may_carry_are_not_sent(void **state)
{
	struct pair *pair = *state;
	struct message message = some_message(1);
	const int many[CHANNEL_DESCRIPTORS_MAX + 1] = {0};

	errno = 0;
	assert_int_equal(
	    channel_send(pair->peers, &message, many, CHANNEL_DESCRIPTORS_MAX + 1), CHANNEL_BROKEN);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(
	    channel_receive_descriptors(pair->ours, &pair->incoming, unprivileged_valid),
	    CHANNEL_AGAIN);
}

static void
more_descriptors_than_a_message_may_carry_are_a_broken_peer_and_none_stays_open(void **state)
{
	static int many[DESCRIPTORS_MANY]; /* all are standard input */
	struct pair *pair = *state;
	unsigned before = open_files_count();
	struct message message = some_message(1);
	size_t count;

	for (count = CHANNEL_DESCRIPTORS_MAX + 1; count <= DESCRIPTORS_MANY; count += 31) {
		send_raw(pair, &message, sizeof(message), many, count);
		assert_int_equal(
		    channel_receive_descriptors(pair->ours, &pair->incoming, unprivileged_valid),
		    CHANNEL_BROKEN);
		assert_int_equal(pair->incoming.count, 0);
		assert_int_equal(open_files_count(), before);
	}
}

static void
control_data_that_is_no_descriptor_is_a_broken_peer(void **state)
{
	static const int on = 1;
	struct pair *pair = *state;
	unsigned before = open_files_count();
	struct message message = some_message(1);
	const int two[] = {STDIN_FILENO, STDOUT_FILENO};

	/* the kernel attaches SCM_CREDENTIALS of itself */
	assert_int_equal(setsockopt(pair->ours, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
	send_raw(pair, &message, sizeof(message), NULL, 0);
	assert_int_equal(
	    channel_receive_descriptors(pair->ours, &pair->incoming, unprivileged_valid),
	    CHANNEL_BROKEN);
	send_raw(pair, &message, sizeof(message), two, 2);
	assert_int_equal(
	    channel_receive_descriptors(pair->ours, &pair->incoming, unprivileged_valid),
	    CHANNEL_BROKEN);
	assert_int_equal(pair->incoming.count, 0);
	assert_int_equal(open_files_count(), before);
}

/* A lock of fcntl(2) is given up by whoever closes any descriptor of the file: so it tells whether
 * one was opened here, however briefly. */
struct locked {
	const struct pair *pair;
	char path[64];
	size_t length;
	pid_t holder;
};

static bool
lock_file(int file, int command, struct flock *lock)
{
	*lock = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
	return fcntl(file, command, lock) == 0;
}

static void
send_locked_file(void *context)
{
	const struct locked *locked = context;
	struct message message = some_message(1);
	int file = open(locked->path, O_RDWR | O_CLOEXEC);

	REQUIRE(file != -1);
	send_raw(locked->pair, &message, locked->length, &file, 1);
}

static void
look_for_lock(void *context)
{
	const struct locked *locked = context;
	int file = open(locked->path, O_RDWR | O_CLOEXEC);
	struct flock lock;

	REQUIRE(lock_file(file, F_GETLK, &lock));
	REQUIRE(lock.l_type == F_WRLCK && lock.l_pid == locked->holder);
}

static void
a_descriptor_that_nobody_expects_is_a_broken_peer_and_is_never_opened(void **state)
{
	struct pair *pair = *state;
	struct locked locked = {
	    .pair = pair, .path = "/tmp/proclaunch-test-XXXXXX", .holder = getpid()};
	static const size_t lengths[] = {sizeof(struct message), 0, 1};
	int file = mkostemp(locked.path, O_CLOEXEC);
	struct flock lock;
	size_t i;

	assert_true(file != -1 && lock_file(file, F_SETLK, &lock));
	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		locked.length = lengths[i];
		child_run(send_locked_file, &locked);
		assert_int_equal(channel_receive(pair->ours, &pair->incoming, unprivileged_valid),
		    CHANNEL_BROKEN);
		assert_int_equal(pair->incoming.count, 0);
		child_run(look_for_lock, &locked);
	}
	assert_int_equal(unlink(locked.path) | close(file), 0);
}

static void
discarding_closes_what_nobody_took(void **state)
{
	struct pair *pair = *state;
	struct message message = some_message(1);
	const int three[] = {0, 1, 2};
	unsigned before = open_files_count();
	int taken;

	assert_int_equal(channel_send(pair->peers, &message, three, 3), CHANNEL_DONE);
	assert_int_equal(
	    channel_receive_descriptors(pair->ours, &pair->incoming, unprivileged_valid),
	    CHANNEL_DONE);
	taken = channel_take(&pair->incoming);
	assert_int_equal(open_files_count(), before + 3);
	channel_discard(&pair->incoming);
	assert_int_equal(open_files_count(), before + 1);
	assert_int_equal(fcntl(taken, F_GETFD), FD_CLOEXEC);
	assert_int_equal(close(taken), 0);
}

static void
the_end_of_file_is_a_peer_that_has_hung_up(void **state)
{
	struct pair *pair = *state;

	hang_up(pair);
	assert_int_equal(
	    channel_receive_descriptors(pair->ours, &pair->incoming, unprivileged_valid),
	    CHANNEL_CLOSED);
	assert_int_equal(
	    channel_receive_descriptors(pair->ours, &pair->incoming, unprivileged_valid),
	    CHANNEL_CLOSED);
}

static void
sending_to_a_peer_that_has_hung_up_raises_no_signal(void **state)
{
	struct pair *pair = *state;
	struct message message = some_message(1);

	hang_up(pair);
	assert_int_equal(channel_send(pair->ours, &message, NULL, 0), CHANNEL_CLOSED);
}

static void
sending_to_what_is_no_channel_says_what_failed(void **state)
{
	struct pair *pair = *state;
	struct message message = some_message(1);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)pair;
	assert_int_not_equal(null, -1);
	assert_int_equal(channel_send(null, &message, NULL, 0), CHANNEL_BROKEN);
	assert_int_equal(errno, ENOTSOCK);
	assert_int_equal(close(null), 0);
}

static void
what_a_peer_sent_before_it_left_is_delivered_although_it_left_mail_unread(void **state)
{
	struct pair *pair = *state;
	struct message message = some_message(1);
	const int one[] = {STDIN_FILENO};

	assert_int_equal(channel_send(pair->ours, &message, one, 1), CHANNEL_DONE);
	for (message.number = 10; message.number < 13; message.number++)
		assert_int_equal(channel_send(pair->peers, &message, NULL, 0), CHANNEL_DONE);
	hang_up(pair); /* recv(2) of ours fails once with ECONNRESET now, unix(7) */
	for (message.number = 10; message.number < 13; message.number++) {
		assert_int_equal(
		    channel_receive_descriptors(pair->ours, &pair->incoming, unprivileged_valid),
		    CHANNEL_DONE);
		assert_int_equal(pair->incoming.message.number, message.number);
	}
	assert_int_equal(
	    channel_receive_descriptors(pair->ours, &pair->incoming, unprivileged_valid),
	    CHANNEL_CLOSED);
}

static void
a_reset_is_no_lasting_state_for_the_sender_either(void **state)
{
	struct pair *pair = *state;
	struct message message = some_message(1);

	assert_int_equal(channel_send(pair->ours, &message, NULL, 0), CHANNEL_DONE);
	hang_up(pair);
	assert_int_equal(channel_send(pair->ours, &message, NULL, 0), CHANNEL_CLOSED);
	assert_int_equal(channel_send(pair->ours, &message, NULL, 0), CHANNEL_CLOSED);
}

static void
a_full_queue_says_so_and_takes_more_when_it_was_read(void **state)
{
	struct pair *pair = *state;
	struct message message = some_message(0);
	enum channel_result result;
	const int one[] = {STDIN_FILENO};
	unsigned sent, read, before;

	for (sent = 0; sent < 100000; sent++) {
		message.number = sent;
		result = channel_send(pair->peers, &message, NULL, 0);
		if (result != CHANNEL_DONE)
			break;
	}
	assert_int_equal(result, CHANNEL_AGAIN);
	assert_true(sent > 1);
	before = open_files_count();
	assert_int_equal(channel_send(pair->peers, &message, one, 1), CHANNEL_AGAIN);
	assert_int_equal(open_files_count(), before);
	for (read = 0; read < sent; read++) {
		assert_int_equal(
		    channel_receive_descriptors(pair->ours, &pair->incoming, unprivileged_valid),
		    CHANNEL_DONE);
		assert_int_equal(pair->incoming.message.number, read);
	}
	assert_int_equal(
	    channel_receive_descriptors(pair->ours, &pair->incoming, unprivileged_valid),
	    CHANNEL_AGAIN);
	assert_int_equal(channel_send(pair->peers, &message, one, 1), CHANNEL_DONE);
}

/* ETOOMANYREFS, unix(7): of one user no more descriptors are under way than one process may open.
 */
static void
send_more_descriptors_than_may_be_under_way(void *context)
{
	static const struct rlimit few = {.rlim_cur = 20, .rlim_max = 20};
	const struct pair *pair = context;
	const int four[] = {0, 0, 0, 0};
	struct message message = some_message(1);
	enum channel_result result = CHANNEL_DONE;
	unsigned sent;

	REQUIRE(setrlimit(RLIMIT_NOFILE, &few) == 0);
	REQUIRE(setresuid(ORDINARY_UID, ORDINARY_UID, ORDINARY_UID) == 0);
	for (sent = 0; result == CHANNEL_DONE; sent += 4)
		result = channel_send(pair->peers, &message, four, 4);
	REQUIRE(errno == ETOOMANYREFS);
	REQUIRE(sent > 4);
	REQUIRE(result == CHANNEL_AGAIN);
}

static void
too_many_descriptors_under_way_are_a_reason_to_wait(void **state)
{
	struct pair *pair = *state;

	child_run(send_more_descriptors_than_may_be_under_way, pair);
}

static void
a_hello_names_this_build_and_every_other_is_told_apart(void **state)
{
	struct message hello, other;

	(void)state;
	memset(&hello, 0xff, sizeof(hello));
	channel_hello(&hello);
	assert_true(message_valid(&hello));
	assert_true(channel_same_build(&hello));
	other = hello;
	other.hello.version[0] ^= 1;
	assert_false(channel_same_build(&other));
	other = hello;
	other.hello.build[0] ^= 1;
	assert_false(channel_same_build(&other));
	other = hello;
	other.hello.build[strlen(other.hello.build) - 1] = '\0';
	assert_false(channel_same_build(&other));
	other = hello;
	other.type = MESSAGE_PING;
	assert_false(channel_same_build(&other));
}

static void
send_without_memory(void *context)
{
	static const struct fault no_memory = {
	    .number = SYS_sendmsg, .argument = FAULT_ANY, .error = ENOMEM};
	struct message message;
	int ends[2];

	(void)context;
	REQUIRE(channel_pair(ends) == 0);
	message_begin(&message, MESSAGE_PING);
	REQUIRE(channel_send(ends[0], &message, ends, 1) == CHANNEL_DONE);
	REQUIRE(fault_install(&no_memory));
	REQUIRE(channel_send(ends[0], &message, ends, 1) == CHANNEL_AGAIN);
}

/* As a limit of the cgroup's has it: for what is attached, unix(7), memory is needed. */
static void
no_memory_is_a_reason_to_wait(void **state)
{
	child_run(send_without_memory, *state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(both_ends_are_non_blocking_and_closed_by_an_exec),
	    TEST(a_message_arrives_as_it_was_sent),
	    TEST(messages_arrive_in_their_order),
	    TEST(any_other_size_is_a_broken_peer),
	    TEST(what_a_wrong_size_carries_is_closed),
	    TEST(what_is_no_valid_message_is_refused_and_what_it_carries_is_closed),
	    TEST(up_to_five_descriptors_arrive_in_order_and_stay_the_senders_too),
	    TEST(more_descriptors_than_a_message_may_carry_are_not_sent),
	    TEST(more_descriptors_than_a_message_may_carry_are_a_broken_peer_and_none_stays_open),
	    TEST(control_data_that_is_no_descriptor_is_a_broken_peer),
	    TEST(a_descriptor_that_nobody_expects_is_a_broken_peer_and_is_never_opened),
	    TEST(discarding_closes_what_nobody_took),
	    TEST(the_end_of_file_is_a_peer_that_has_hung_up),
	    TEST(sending_to_a_peer_that_has_hung_up_raises_no_signal),
	    TEST(sending_to_what_is_no_channel_says_what_failed),
	    TEST(what_a_peer_sent_before_it_left_is_delivered_although_it_left_mail_unread),
	    TEST(a_reset_is_no_lasting_state_for_the_sender_either),
	    TEST(a_full_queue_says_so_and_takes_more_when_it_was_read),
	    TEST(too_many_descriptors_under_way_are_a_reason_to_wait),
	    TEST(no_memory_is_a_reason_to_wait),
	    cmocka_unit_test(a_hello_names_this_build_and_every_other_is_told_apart),
	};

	return cmocka_run_group_tests_name("channel", tests, NULL, NULL);
}
