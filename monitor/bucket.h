/*
 * Token buckets, one for each user, or whoever else: so many tokens at once, and from then on one
 * in each interval. What one has used up is nobody else's loss.
 */
#ifndef PROCLAUNCH_BUCKET_H
#define PROCLAUNCH_BUCKET_H

#include <stdint.h>

#define BUCKETS 1024

struct bucket {
	uint32_t uid;
	int64_t full; /* when it is full again, clock_now() scale, if nothing more is taken */
};

/*
 * The user's bucket, in a table of BUCKETS that was zeroed before its first use. A user who has
 * none yet takes over the one that is full, or will be, before all others.
 */
struct bucket *bucket_of(struct bucket *buckets, uint32_t uid);

/* How long until there is a token in the bucket, which has room for `size` of them and gets one
 * back every `each` nanoseconds; 0: there is one now. */
int64_t bucket_wait(struct bucket *bucket, int64_t now, unsigned size, int64_t each);

/* How many tokens such a bucket has now. Whoever takes some adds `each` to `full` for each. */
unsigned bucket_tokens(struct bucket *bucket, int64_t now, unsigned size, int64_t each);

#endif
