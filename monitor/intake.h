/*
 * The intake of what the parent tells of a profile: first what its directory says, then, one by
 * one, the contents that were announced. They are parsed here, and take effect when the last has
 * come.
 */
#ifndef PROCLAUNCH_INTAKE_H
#define PROCLAUNCH_INTAKE_H

#include "channel.h"

/* PROFILE has come from the parent: a profile that is new, has changed, or has gone. An index out
 * of range is passed over. */
void intake_profile(void *subject, struct incoming *incoming);

/* SETTING has come: one of the contents. One that nobody waits for is passed over, its profile has
 * been announced anew since. */
void intake_setting(void *subject, struct incoming *incoming);

#endif
