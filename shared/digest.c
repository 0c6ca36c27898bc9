#include "digest.h"

uint64_t
digest(uint64_t sum, const void *bytes, size_t size)
{
	const unsigned char *byte = bytes;

	while (size-- > 0)
		sum = (sum ^ *byte++) * 1099511628211ULL;
	return sum;
}
