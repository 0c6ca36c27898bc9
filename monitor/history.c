#include <string.h>

#include "clock.h"
#include "history.h"
#include "parent.h"

static struct history_entry transitions[HISTORY_MAX]; /* a ring */
static uint64_t next;

void
history_add(const struct profile *profile, enum state from, const char *reason)
{
	struct history_entry *transition = &transitions[next % HISTORY_MAX];

	*transition = (struct history_entry){.uid = profile->facts.uid,
	    .number = (uint32_t)next++,
	    .wall_ms = clock_wall_ms(),
	    .reason = reason,
	    .mark = parent_next_mark(),
	    .from = (uint8_t)from,
	    .to = (uint8_t)profile->state};
	memcpy(transition->name, profile->facts.name, sizeof(transition->name));
	if (profile->state == STATE_RUNNING || profile->state == STATE_STOPPING)
		transition->pid = profile->process.pid;
}

uint64_t
history_next(void)
{
	return next;
}

uint64_t
history_oldest(void)
{
	return next > HISTORY_MAX ? next - HISTORY_MAX : 0;
}

const struct history_entry *
history_at(uint64_t number)
{
	return &transitions[number % HISTORY_MAX];
}
