#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "digest.h"
#include "table.h"

/* Static, so that no entry ever moves and none can fail to be allocated; untouched pages cost
 * nothing. */
static struct profile profiles[PROFILES_MAX];
static uint32_t end;	     /* every used index is below */
static uint32_t lowest_free; /* no free index is below */
static void *names;	     /* tsearch(3): the entries by name */

/* The entries by the first part of their names: what one tenant has is looked at as often as he
 * edits it, and that is not to cost more where there are many tenants. */
#define BUCKETS 1024
static LIST_HEAD(bucket, profile) by_tenant[BUCKETS];

static struct bucket *
bucket_of(const char *name)
{
	return &by_tenant[digest(DIGEST_BEGIN, name, strcspn(name, "/")) % BUCKETS];
}

static int
compare_names(const void *one, const void *other)
{
	return strcmp(one, other);
}

struct profile *
table_at(uint32_t index)
{
	return index < end && profiles[index].used && !profiles[index].tenant ? &profiles[index]
									      : NULL;
}

uint32_t
table_index(const struct profile *profile)
{
	return (uint32_t)(profile - profiles);
}

struct profile *
table_next_entry(const struct profile *entry)
{
	uint32_t index = entry == NULL ? 0 : table_index(entry) + 1;

	while (index < end && !profiles[index].used)
		index++;
	return index < end ? &profiles[index] : NULL;
}

struct profile *
table_next(const struct profile *profile)
{
	struct profile *next = table_next_entry(profile);

	while (next != NULL && next->tenant)
		next = table_next_entry(next);
	return next;
}

struct profile *
table_next_of(const char *name, const struct profile *profile)
{
	struct profile *next =
	    profile == NULL ? LIST_FIRST(bucket_of(name)) : LIST_NEXT(profile, bucket);
	size_t length = strcspn(name, "/") + 1;

	while (next != NULL && (next->tenant || strncmp(next->facts.name, name, length) != 0))
		next = LIST_NEXT(next, bucket);
	return next;
}

/* The tree holds pointers to the names, which stand first in an entry's facts. */
struct profile *
table_find(const char *name)
{
	void *node = tfind(name, &names, compare_names);
	char *found;

	if (node == NULL)
		return NULL;
	found = *(char **)node;
	return (struct profile *)(void *)(found - offsetof(struct profile, facts.name));
}

struct profile *
table_add_at(uint32_t index, const char *name)
{
	struct profile *profile;
	uint32_t generation;

	if (index >= PROFILES_MAX || profiles[index].used || table_find(name) != NULL)
		return NULL;
	profile = &profiles[index];
	generation = profile->generation + 1;
	memset(profile, 0, sizeof(*profile));
	profile->generation = generation; /* whatever fails: none comes twice */
	strncpy(profile->facts.name, name, sizeof(profile->facts.name) - 1);
	if (tsearch(profile->facts.name, &names, compare_names) == NULL)
		return NULL;
	LIST_INSERT_HEAD(bucket_of(name), profile, bucket);
	profile->used = true;
	profile->facts.trigger = TRIGGER_UNKNOWN;
	profile->look_at = NEVER;
	profile->watch = profile->pidfd = profile->rest = -1;
	profile->fifos[STREAM_OUTPUT] = profile->fifos[STREAM_ERROR] = -1;
	profile->birth = profile->reader = JOB_NONE;
	if (index >= end)
		end = index + 1;
	return profile;
}

struct profile *
table_add(const char *name)
{
	while (lowest_free < PROFILES_MAX && profiles[lowest_free].used)
		lowest_free++;
	return table_add_at(lowest_free, name);
}

void
table_remove(struct profile *profile)
{
	unsigned setting;

	(void)tdelete(profile->facts.name, &names, compare_names);
	LIST_REMOVE(profile, bucket);
	for (setting = 0; setting < SETTING_COUNT; setting++)
		free(profile->contents[setting]);
	free(profile->pins);
	profile->used = false;
	if (table_index(profile) < lowest_free)
		lowest_free = table_index(profile);
	while (end > 0 && !profiles[end - 1].used)
		end--;
}
