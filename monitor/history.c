#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "history.h"
#include "parent.h"

static struct entry {
	struct transition_facts facts;
	uint32_t uid;
	uint32_t mark;
} entries[HISTORY_MAX]; /* a ring */
static uint64_t next;

void
history_add(const struct profile *profile, enum state from, const char *reason)
{
	struct entry *entry = &entries[next % HISTORY_MAX];

	memset(entry, 0, sizeof(*entry));
	entry->facts.number = (uint32_t)next++;
	memcpy(entry->facts.name, profile->facts.name, sizeof(entry->facts.name));
	entry->facts.wall_ms = clock_wall_ms();
	entry->facts.from = from;
	entry->facts.to = profile->state;
	if (profile->state == STATE_RUNNING || profile->state == STATE_STOPPING)
		entry->facts.pid = profile->process.pid;
	(void)snprintf(entry->facts.reason, sizeof(entry->facts.reason), "%s", reason);
	entry->uid = profile->facts.uid;
	entry->mark = parent_next_mark();
}

uint32_t
history_mark(uint64_t number)
{
	return entries[number % HISTORY_MAX].mark;
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

const struct transition_facts *
history_at(uint64_t number, uint32_t *uid)
{
	const struct entry *entry = &entries[number % HISTORY_MAX];

	*uid = entry->uid;
	return &entry->facts;
}
