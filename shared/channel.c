#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <stdalign.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "build.h"
#include "channel.h"

#ifndef SO_PASSRIGHTS /* Linux 6.16: include/uapi/asm-generic/socket.h */
#define SO_PASSRIGHTS 83
#endif

/* Room for the descriptors that a message may carry. */
union control {
	alignas(struct cmsghdr) char bytes[CMSG_SPACE(CHANNEL_DESCRIPTORS_MAX * sizeof(int))];
};
_Static_assert(sizeof(union control) - CMSG_LEN(0) <= sizeof(((struct incoming *)0)->descriptors),
    "what has room in the one has room in the other");

int
channel_pair(int ends[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends);
}

void
channel_refuse_descriptors(int channel)
{
	const int no = 0;

	(void)setsockopt(channel, SOL_SOCKET, SO_PASSRIGHTS, &no, sizeof(no));
}

enum channel_result
channel_send(int channel, const struct message *message, const int *descriptors, unsigned count)
{
	struct iovec vector = {.iov_base = (void *)(uintptr_t)message, .iov_len = sizeof(*message)};
	struct msghdr header = {.msg_iov = &vector, .msg_iovlen = 1};
	union control control;
	struct cmsghdr *attached;
	ssize_t sent;

	if (count > CHANNEL_DESCRIPTORS_MAX) {
		errno = EINVAL;
		return CHANNEL_BROKEN;
	}
	if (count > 0) {
		memset(&control, 0, sizeof(control));
		header.msg_control = control.bytes;
		header.msg_controllen = CMSG_SPACE(count * sizeof(int));
		attached = CMSG_FIRSTHDR(&header);
		attached->cmsg_level = SOL_SOCKET;
		attached->cmsg_type = SCM_RIGHTS;
		attached->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(attached), descriptors, count * sizeof(int));
	}
	do {
		sent = sendmsg(channel, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (sent == -1 && errno == EINTR);
	if (sent != -1) /* SOCK_SEQPACKET: the whole message */
		return CHANNEL_DONE;
	/* ETOOMANYREFS: descriptors in flight exceed our limit; they drain, unix(7) */
	if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM || errno == ETOOMANYREFS)
		return CHANNEL_AGAIN;
	if (errno == EPIPE || errno == ECONNRESET)
		return CHANNEL_CLOSED;
	return CHANNEL_BROKEN;
}

/* Collects what was attached. False when something came along that may not. The kernel joins all
 * descriptors to one piece of control data, unix(7). */
static bool
collect_descriptors(struct msghdr *header, struct incoming *incoming)
{
	struct cmsghdr *attached;
	bool permitted = true;

	for (attached = CMSG_FIRSTHDR(header); attached != NULL;
	     attached = CMSG_NXTHDR(header, attached)) {
		if (attached->cmsg_level != SOL_SOCKET || attached->cmsg_type != SCM_RIGHTS) {
			permitted = false;
			continue;
		}
		incoming->count = (unsigned)((attached->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(incoming->descriptors, CMSG_DATA(attached), incoming->count * sizeof(int));
	}
	return permitted && incoming->count <= CHANNEL_DESCRIPTORS_MAX;
}

/* With room for `size` bytes of control data; without any the kernel drops what was attached. */
static enum channel_result
receive(int channel, struct incoming *incoming, message_check *valid, union control *control,
    size_t size)
{
	struct iovec vector = {
	    .iov_base = &incoming->message, .iov_len = sizeof(incoming->message)};
	struct msghdr header = {
	    .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = size};
	ssize_t received;
	bool permitted;

	incoming->count = 0;
	do {
		received = recvmsg(channel, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		/* ECONNRESET comes once, when the peer left with mail unread; its own mail follows
		 */
	} while (received == -1 && (errno == EINTR || errno == ECONNRESET));
	if (received == -1)
		return errno == EAGAIN ? CHANNEL_AGAIN : CHANNEL_CLOSED;
	if (received == 0 && header.msg_controllen == 0 && (header.msg_flags & MSG_CTRUNC) == 0)
		return CHANNEL_CLOSED;
	permitted = collect_descriptors(&header, incoming);
	if (!permitted || received != (ssize_t)sizeof(incoming->message) ||
	    (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || !valid(&incoming->message)) {
		channel_discard(incoming);
		return CHANNEL_BROKEN;
	}
	return CHANNEL_DONE;
}

enum channel_result
channel_receive(int channel, struct incoming *incoming, message_check *valid)
{
	return receive(channel, incoming, valid, NULL, 0);
}

enum channel_result
channel_receive_descriptors(int channel, struct incoming *incoming, message_check *valid)
{
	union control control;

	return receive(channel, incoming, valid, &control, sizeof(control));
}

int
channel_take(struct incoming *incoming)
{
	return incoming->count == 0 ? -1 : incoming->descriptors[--incoming->count];
}

void
channel_discard(struct incoming *incoming)
{
	while (incoming->count > 0)
		(void)close(
		    incoming->descriptors[--incoming->count]); /* not ours: no data at stake */
}

void
channel_hello(struct message *message)
{
	_Static_assert(sizeof(PROCLAUNCH_VERSION) <= sizeof(message->hello.version), "too long");
	_Static_assert(sizeof(PROCLAUNCH_BUILD) <= sizeof(message->hello.build), "too long");

	message_begin(message, MESSAGE_HELLO);
	memcpy(message->hello.version, PROCLAUNCH_VERSION, sizeof(PROCLAUNCH_VERSION));
	memcpy(message->hello.build, PROCLAUNCH_BUILD, sizeof(PROCLAUNCH_BUILD));
}

bool
channel_same_build(const struct message *message)
{
	return message->type == MESSAGE_HELLO &&
	    strcmp(message->hello.version, PROCLAUNCH_VERSION) == 0 &&
	    strcmp(message->hello.build, PROCLAUNCH_BUILD) == 0;
}
