/*
 * Sending and receiving struct message over SOCK_SEQPACKET, with descriptors. Nothing here blocks:
 * every channel is non-blocking, and a full one says so.
 */
#ifndef PROCLAUNCH_CHANNEL_H
#define PROCLAUNCH_CHANNEL_H

#include "descriptors.h"
#include "message.h"

#define CHANNEL_DESCRIPTORS_MAX 5

enum channel_result {
	CHANNEL_DONE,
	CHANNEL_AGAIN,	/* nothing there, or no room: wait for epoll */
	CHANNEL_CLOSED, /* the peer has hung up */
	CHANNEL_BROKEN /* it has sent what is no message of ours; sending: errno says what failed */
};

/* A message that has come in, with what came along. */
struct incoming {
	struct message message;
	/* the kernel may find room for one more than we ask for, in the padding, cmsg(3): refused
	 */
	int descriptors[CHANNEL_DESCRIPTORS_MAX + 1];
	unsigned count;
};

/*
 * Makes a pair of connected channels, non-blocking and close-on-exec; the caller owns both.
 * Returns 0, or -1 with errno.
 */
int channel_pair(int ends[2]);

/*
 * From now on the kernel refuses messages with descriptors: the peer's sendmsg(2) fails with EPERM.
 * Connections that are accepted on a listening socket inherit this. To close a descriptor may take
 * as long as its sender likes: a socket that lingers, socket(7), a file whose server does not
 * answer. A kernel before Linux 6.16 cannot do it; then nothing changes.
 */
void channel_refuse_descriptors(int channel);

/*
 * Sends one message and `count` descriptors, which stay the caller's. A peer that hung up
 * raises no signal.
 */
enum channel_result
channel_send(int channel, const struct message *message, const int *descriptors, unsigned count);

/*
 * Receives one message. It must have exactly sizeof(struct message) bytes and be valid by
 * `valid`; anything else, a truncated message or any control data is CHANNEL_BROKEN. A
 * descriptor that comes along is never opened in this process: to close one can take for ever, when
 * it leads to a file system of the sender's, close(2) and fuse_flush() in Linux.
 */
enum channel_result channel_receive(int channel, struct incoming *incoming, message_check *valid);

/*
 * The same from a peer that may send descriptors. On CHANNEL_DONE they (close-on-exec) are the
 * caller's: take them out of `incoming` or call channel_discard(). unix(7), recvmsg(2).
 */
enum channel_result
channel_receive_descriptors(int channel, struct incoming *incoming, message_check *valid);

/* Takes the descriptor out of `incoming`, of several the last; -1 when there is none. The caller
 * owns it. */
int channel_take(struct incoming *incoming);

/* Closes the descriptors that nobody took. */
void channel_discard(struct incoming *incoming);

/*
 * Begins the first message, with our version and build id. Both sides send one and check the
 * other's with channel_same_build().
 */
void channel_hello(struct message *message);
bool channel_same_build(const struct message *message);

#endif
