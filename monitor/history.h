/* The last transitions of all profiles, for those who ask what has happened. */
#ifndef PROCLAUNCH_HISTORY_H
#define PROCLAUNCH_HISTORY_H

#include "table.h"

/* How many are remembered; the next monitor begins with none. */
#define HISTORY_MAX 1024

struct history_entry {
	char name[FULL_NAME_BYTES]; /* of the profile */
	uint32_t uid;
	uint32_t number;
	int64_t wall_ms;
	const char *reason; /* a text that stays */
	int32_t pid;	    /* 0: none is known in the state that it went to */
	uint32_t mark;	  /* behind what we asked of the parent, who has to have seen to that before
			   * anybody hears of the transition */
	uint8_t from, to; /* enum state */
};

/* The profile has just gone from `from` to the state that it is in; the reason is not copied. */
void history_add(const struct profile *profile, enum state from, const char *reason);

/* The number of the next transition; transitions are numbered from 0. */
uint64_t history_next(void);

/* The number of the oldest that is remembered. */
uint64_t history_oldest(void);

/* The transition of that number, between oldest and next. */
const struct history_entry *history_at(uint64_t number);

#endif
