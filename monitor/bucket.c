#include "bucket.h"

struct bucket *
bucket_of(struct bucket *buckets, uint32_t uid)
{
	struct bucket *bucket, *fullest = buckets;

	for (bucket = buckets; bucket < buckets + BUCKETS; bucket++) {
		if (bucket->uid == uid && bucket->full != 0)
			return bucket;
		if (bucket->full < fullest->full)
			fullest = bucket;
	}
	*fullest = (struct bucket){.uid = uid};
	return fullest;
}

int64_t
bucket_wait(struct bucket *bucket, int64_t now, unsigned size, int64_t each)
{
	int64_t last_token;

	if (bucket->full < now)
		bucket->full = now;
	last_token = bucket->full - (int64_t)(size - 1) * each;
	return last_token > now ? last_token - now : 0;
}

unsigned
bucket_tokens(struct bucket *bucket, int64_t now, unsigned size, int64_t each)
{
	int64_t taken;

	if (bucket->full < now)
		bucket->full = now;
	taken = (bucket->full - now + each - 1) / each;
	return taken < size ? size - (unsigned)taken : 0;
}
