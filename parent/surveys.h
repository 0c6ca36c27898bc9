/*
 * Surveys of what a tenant owns, each by a child that has dropped to that tenant: a link, a FUSE
 * mount or a hanging file server holds up that child and nobody else.
 */
#ifndef PROCLAUNCH_SURVEYS_H
#define PROCLAUNCH_SURVEYS_H

#include "message.h"

/* Has the profile `name` ("web" in the profiles directory, "alice/web" of a tenant), or all that a
 * tenant has ("alice/"), surveyed as `owner`, to whom its directory belongs. What is found comes to
 * profiles_take_from(). */
void surveys_request(const char *name, uint32_t owner);

/* It could not be surveyed now, which is reported; what is known of it stays as it is until the
 * next time. */
void surveys_give_up(const char *name, int error);

/* A survey's child is there, or (-1) cannot be; the pidfd becomes ours. */
void surveys_born(const struct message *born, int pidfd);

/* Asks the spawner for what is still to be surveyed, as far as there is room. */
void surveys_flush(void);

/* The spawner has died. */
void surveys_ask_again(void);

/* True while some survey is under way, or still to be made. */
bool surveys_pending(void);

/* Handler of the loop. */
void surveys_event(uint32_t index, uint32_t events);

/* When surveys_tend() has something to do; NEVER otherwise. */
int64_t surveys_deadline(void);
void surveys_tend(int64_t now);

#endif
