/* The conversation with the running supervisor. */
#ifndef PROCLAUNCH_CTL_ASK_H
#define PROCLAUNCH_CTL_ASK_H

#include "channel.h"

enum ask_result {
	ASK_OK,
	ASK_UNREACHABLE, /* nobody listens there, or not to us; said on standard error */
	ASK_OTHER_BUILD, /* the supervisor is of another build than this; likewise */
	ASK_LOST,	 /* the supervisor has hung up: its monitor was replaced */
	ASK_TIMED_OUT	 /* the deadline has passed */
};

/*
 * Connects to STATE_DIR/control, until `deadline` (clock_now() scale), and sends our greeting;
 * `patient` waits for somebody to listen there. Then ask_greet() takes the supervisor's. With
 * `any_build` another build than ours is put up with, as long as nothing but its greeting is asked.
 * What changes nothing may be asked before ask_greet(), too: it is answered only to its own build.
 */
enum ask_result ask_connect(const char *state_directory, int64_t deadline, bool patient);
enum ask_result ask_greet(int64_t deadline, bool any_build);

/* The supervisor's greeting: its version, and where its profiles are. */
const struct hello *ask_greeting(void);

/* Sends a request. */
enum ask_result ask_send(const struct ask *ask);

/* Waits for the next message; the descriptors that it carries are the caller's. */
enum ask_result ask_receive(struct incoming *incoming, int64_t deadline);

/* In every text of the message, what is not printable ASCII becomes '?': a monitor that somebody
 * owns must not write to root's terminal what the terminal obeys. In names of profiles, what stands
 * in none too, as a shell might obey it to which root gives them; in accounts, quotes and
 * backslashes, which OpenMetrics would have escaped. ask_receive() has done it. */
void ask_make_printable(struct message *message);

#endif
