/* What clients may ask, and what comes of it. The authority matrix is verb_rules, conversation.h.
 */
#ifndef PROCLAUNCH_COMMANDS_H
#define PROCLAUNCH_COMMANDS_H

#include "control.h"

/* True when a profile runs as that user. */
bool commands_owner(uint32_t uid);

/* A question has come. */
void commands_begin(struct client *client, const struct ask *ask);

/* There may be room for more of the answer. */
void commands_continue(struct client *client);

/* The profile has changed its state, or what is planned for it: somebody may wait for that. */
void commands_look(const struct profile *profile);

/* The parent has done what it was asked: clients may be told. */
void commands_done(void);

/* The profile is forgotten: clients that wait for it are told so. */
void commands_forget(const struct profile *profile);

/* The parent has said how the profile's process stands, so that clients may speak of it: somebody
 * may have asked for it a moment too soon. */
void commands_acquainted(const struct profile *profile);

/* SETTLED has come from the parent. */
void commands_settled(void *subject, struct incoming *incoming);

/* KEPT has come from the parent. */
void commands_kept(void *subject, struct incoming *incoming);

/* READABLE has come from the parent. */
void commands_readable(void *subject, struct incoming *incoming);

/* The log of the profile, or (NULL) our own, has grown; or it goes on in another file. Who follows
 * it is told. */
void commands_log_grew(const struct profile *profile);
void commands_log_rotated(const struct profile *profile);

/* The parent has opened our log anew, or why not (errno): who has asked for that is told now, and
 * may rely on it that nothing more is written to the old one. */
void commands_reopened(int error);

/* True while somebody is about to get a file of the profile's log, and would miss the next one were
 * this put aside now; for a second at most. */
bool commands_opening(const struct profile *profile);

/* When commands_changed() is to be asked again; NEVER when nothing is waited for. */
int64_t commands_deadline(void);

/* True when clients may have to be told something since the last time this was asked. */
bool commands_changed(int64_t now);

#endif
