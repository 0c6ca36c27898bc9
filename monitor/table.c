#include <string.h>

#include "clock.h"
#include "table.h"

static struct profile profiles[PROFILES_MAX];
static uint32_t end;

struct profile *
table_used(uint32_t index)
{
	return index < end && profiles[index].used ? &profiles[index] : NULL;
}

struct profile *
table_at(uint32_t index, uint32_t generation)
{
	struct profile *profile = table_used(index);

	return profile != NULL && profile->generation == generation ? profile : NULL;
}

struct profile *
table_make(uint32_t index, uint32_t generation)
{
	struct profile *profile;
	unsigned stream;

	if (index >= PROFILES_MAX)
		return NULL;
	profile = &profiles[index];
	memset(profile, 0, sizeof(*profile));
	profile->used = true;
	profile->generation = generation;
	profile->timer_at = NEVER;
	profile->since_wall_ms = clock_wall_ms();
	for (stream = 0; stream < STREAM_COUNT; stream++) {
		profile->streams[stream].fifo = profile->streams[stream].next_fifo = -1;
		profile->streams[stream].file.descriptor = -1;
		profile->streams[stream].look_at = NEVER;
	}
	if (index >= end)
		end = index + 1;
	return profile;
}

void
table_free(struct profile *profile)
{
	profile->used = false;
	while (end > 0 && !profiles[end - 1].used)
		end--;
}

struct profile *
table_holding(const struct output_stream *stream)
{
	return &profiles[(size_t)((const char *)stream - (const char *)profiles) /
	    sizeof(profiles[0])];
}

uint32_t
table_index(const struct profile *profile)
{
	return (uint32_t)(profile - profiles);
}

uint32_t
table_end(void)
{
	return end;
}
