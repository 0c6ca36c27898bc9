/* The last transitions of all profiles, for those who ask what has happened. */
#ifndef PROCLAUNCH_HISTORY_H
#define PROCLAUNCH_HISTORY_H

#include "table.h"

/* So many are remembered, by this monitor. */
#define HISTORY_MAX 1024

/* The profile has just gone from `from` to the state that it is in. */
void history_add(const struct profile *profile, enum state from, const char *reason);

/* The number of the next transition; transitions are numbered from 0. */
uint64_t history_next(void);

/* The number of the oldest that is remembered. */
uint64_t history_oldest(void);

/* The transition of that number, and the uid of its profile; between oldest and next. */
const struct transition_facts *history_at(uint64_t number, uint32_t *uid);

/* The mark behind what it asked of the parent, who has to have seen to that before anybody hears of
 * the transition. */
uint32_t history_mark(uint64_t number);

#endif
