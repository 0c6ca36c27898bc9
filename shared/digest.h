/*
 * A sum that tells whether something has changed, or was torn. It is no defence against an
 * attacker: whoever looks for two contents with the same sum finds them.
 */
#ifndef PROCLAUNCH_DIGEST_H
#define PROCLAUNCH_DIGEST_H

#include <stddef.h>
#include <stdint.h>

/* The sum of nothing. */
#define DIGEST_BEGIN 14695981039346656037ULL

/* The sum so far, and of `size` bytes more: FNV-1a of 64 bits. */
uint64_t digest(uint64_t sum, const void *bytes, size_t size);

#endif
