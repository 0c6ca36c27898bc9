/* A quota file, which root owns: a line is taken if and only if it is in the grammar. */
#include <stdlib.h>
#include <string.h>

#include "input.h"
#include "quota.h"

/* The value of a number that the grammar permits, whatever its size. */
static long double
value_of(const char *text, size_t length)
{
	char digits[16];
	long double value;

	memcpy(digits, text, length);
	digits[length] = '\0';
	value = strtold(digits, NULL);
	switch (text[length - 1]) {
	case 'K':
		return value * 1024;
	case 'M':
		return value * 1024 * 1024;
	case 'G':
		return value * 1024 * 1024 * 1024;
	default:
		return value;
	}
}

static bool
in_grammar(const char *line, size_t length)
{
	static const char grammar[] =
	    "^(output_bytes|profiles|processes|restarts_per_minute|clients) "
	    "[0-9]{1,12}[KMG]?$";
	const char *number;
	long double value;

	if (!input_matches(grammar, line, length))
		return false;
	number = (const char *)memchr(line, ' ', length) + 1;
	value = value_of(number, length - (size_t)(number - line));
	return value >= 1 && value <= (line[0] == 'o' ? (long double)UINT64_MAX : UINT32_MAX);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct quota quota, before;

	if (size > 128)
		return 0;
	quota_default(&quota);
	before = quota;
	PROPERTY(quota_set(&quota, (const char *)bytes, size, ' ') ==
	    in_grammar((const char *)bytes, size));
	PROPERTY(
	    in_grammar((const char *)bytes, size) || memcmp(&quota, &before, sizeof(quota)) == 0);
	PROPERTY(quota.output_bytes > 0 && quota.profiles > 0 && quota.processes > 0 &&
	    quota.restarts_per_minute > 0 && quota.clients > 0);
	return 0;
}
