#include <string.h>

#include "clock.h"
#include "table.h"

static struct profile profiles[PROFILES_MAX];
static struct output_stream
    streams[STREAM_COUNT * PROFILES_MAX]; /* all first ones before all second */
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

	if (index >= PROFILES_MAX)
		return NULL;
	profile = &profiles[index];
	memset(profile, 0, sizeof(*profile));
	profile->used = true;
	profile->generation = generation;
	profile->timer_at = NEVER;
	profile->since_wall_ms = clock_wall_ms();
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

struct output_stream *
table_stream(const struct profile *profile, unsigned which)
{
	return &streams[which * PROFILES_MAX + table_index(profile)];
}

void
table_use_stream(struct profile *profile, enum stream which)
{
	for (; profile->stream_count <= which; profile->stream_count++)
		*table_stream(profile, profile->stream_count) = (struct output_stream){
		    .fifo = -1, .next_fifo = -1, .file.descriptor = -1, .look_at = NEVER};
}

uint32_t
table_stream_number(const struct output_stream *stream)
{
	return (uint32_t)(stream - streams);
}

struct output_stream *
table_stream_numbered(uint32_t number)
{
	const struct profile *profile = table_used(number % PROFILES_MAX);

	return profile != NULL && number / PROFILES_MAX < profile->stream_count ? &streams[number]
										: NULL;
}

struct profile *
table_holding(const struct output_stream *stream, enum stream *which)
{
	uint32_t number = table_stream_number(stream);

	*which = (enum stream)(number / PROFILES_MAX);
	return &profiles[number % PROFILES_MAX];
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
