#include "bucket.h"
#include "clock.h"
#include "share.h"
#include "vocabulary.h"

static struct bucket buckets[BUCKETS];
static struct left_out {
	uint32_t owner;
	unsigned lines;
} left_out[BUCKETS]; /* by the bucket's place */
static int64_t next_notice = NEVER;

/* How long until there are so many lines to be had. */
static int64_t
wait_for(struct bucket *bucket, int64_t now, unsigned lines)
{
	return bucket_wait(bucket, now, SHARE_LINES - (lines - 1), SHARE_LINE_EVERY);
}

bool
share_permits(uint32_t owner)
{
	int64_t now = clock_now();
	struct bucket *bucket;
	struct left_out *missing;

	if (owner == 0)
		return true;
	bucket = bucket_of(buckets, owner);
	missing = &left_out[bucket - buckets];
	if (missing->owner != owner)
		*missing = (struct left_out){.owner = owner};
	if (missing->lines == 0 && wait_for(bucket, now, 1) == 0) {
		bucket->full += SHARE_LINE_EVERY;
		return true;
	}
	missing->lines++;
	next_notice = clock_earlier(next_notice, now + wait_for(bucket, now, SHARE_NEXT));
	return false;
}

void
share_line(const struct profile *profile, enum level level, const char *format, ...)
{
	va_list arguments;

	if (!log_says(level) || !share_permits(profile->facts.owner))
		return;
	va_start(arguments, format);
	log_vline(profile->facts.name, level, format, arguments);
	va_end(arguments);
}

int64_t
share_deadline(void)
{
	return next_notice;
}

void
share_tend(int64_t now)
{
	int64_t wait;
	size_t i;

	if (now < next_notice)
		return;
	next_notice = NEVER;
	for (i = 0; i < BUCKETS; i++) {
		if (left_out[i].lines == 0)
			continue;
		wait = wait_for(&buckets[i], now, SHARE_NEXT);
		if (wait > 0) {
			next_notice = clock_earlier(next_notice, now + wait);
			continue;
		}
		log_line(
		    TAG_PROCLAUNCH, SAY_LEFT_OUT, left_out[i].lines, (unsigned)left_out[i].owner);
		left_out[i].lines = 0;
	}
}
