/*
 * Token buckets, one a user: so much at once, and then so much a time. What a user has used up is
 * nobody else's loss.
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
 * The user's bucket, of a table of BUCKETS that was zeroed before its first use. A new one takes
 * the place of the one that is full, or will be, before all others.
 */
struct bucket *bucket_of(struct bucket *buckets, uint32_t uid);

/* How long until the bucket, of `size` tokens that come back one every `each`, has one; 0: now. */
int64_t bucket_wait(struct bucket *bucket, int64_t now, unsigned size, int64_t each);

#endif
