/*
 * Monitor and spawner: started by fork and exec on descriptors that were opened when the parent
 * started, watched, and replaced when they die, hang or break the protocol.
 */
#ifndef PROCLAUNCH_CHILDREN_H
#define PROCLAUNCH_CHILDREN_H

#include <sys/types.h>

#include <signal.h>

#include "channel.h"

enum child_kind { CHILD_SPAWNER, CHILD_MONITOR, CHILDREN };

/* The first message to every monitor and spawner, begun with channel_hello(), and the directory
 * that becomes the monitor's root. */
void children_configure(const struct message *hello, int empty_directory);

/* Opens the binaries: beside our own, else in LIBEXECDIR. Fatal when there is none. */
void children_open_binaries(void);

/* Starts what is due to be started. */
void children_start(void);

/* True when both have answered our hello, and each ping since. */
bool children_answered(void);

/* Until this is called a child that has never worked, or dies again and again, is fatal, with its
 * last words on standard error. */
void children_started(void);

/* Is this one of them? */
bool children_are(pid_t pid);

/* A child of ours that is no service has ended. */
void children_reaped(const siginfo_t *how);

/* True when the process is there, has answered our hello, and its queue was not full. */
bool children_ready(enum child_kind kind);

/* Sends one message; CHANNEL_AGAIN when the queue is full, or nobody is there. */
enum channel_result children_send(
    enum child_kind kind, const struct message *message, const int *descriptors, unsigned count);

/* The monitor is asked for an answer now, whatever it has been sent. */
void children_ping_monitor(void);

/* PONG and HELLO have come; `subject` is the child. */
void children_pong(void *subject, struct incoming *incoming);
void children_hello(void *subject, struct incoming *incoming);

/* Handler of the loop; CHILDREN: for the control socket, at which the monitor's clients knock. */
void children_event(uint32_t index, uint32_t events);

/* When children_tend() has something to do; NEVER otherwise. */
int64_t children_deadline(void);
void children_tend(int64_t now);

/* Ends both and waits until they are gone; with `heed`, what the monitor has still asked for is
 * done. children_go_on() starts others. */
void children_end(bool heed);
void children_go_on(void);

/* The path of its binary, as it was opened. */
const char *children_path(enum child_kind kind);

#endif
