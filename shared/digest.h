/*
 * A sum by which what has changed, or was torn, is told from what is as it was. Nobody is kept out
 * by it: whoever looks for two that have the same sum finds them.
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
