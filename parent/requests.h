/*
 * What monitor and spawner may ask of the parent. The tables in requests.c are all of it.
 */
#ifndef PROCLAUNCH_REQUESTS_H
#define PROCLAUNCH_REQUESTS_H

#include "rules.h"

/* How far a child is: nothing but its hello is accepted first, and no second one. */
enum acquaintance { CHILD_NEW = 1, CHILD_GREETED = 2 };

/* One message from the monitor or the spawner; `child` is theirs to identify them in HELLO and
 * PONG. RULE_BROKEN: end the sender. */
enum verdict requests_apply(
    enum sender sender, void *child, enum acquaintance acquaintance, struct incoming *incoming);

#endif
