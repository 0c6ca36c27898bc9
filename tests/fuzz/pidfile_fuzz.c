/* What a pid file names: a number if and only if it is decimal, with one newline or none, and fits
 * a pid. */
#include <stdlib.h>
#include <string.h>

#include "input.h"
#include "pidfile.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const char grammar[] = "^(0|[1-9][0-9]*)\n?$";
	struct message message;
	char text[PIDFILE_BYTES_MAX + 1];
	bool number;

	if (size > PIDFILE_BYTES_MAX)
		return 0; /* refused before it is parsed */
	memcpy(text, bytes, size);
	text[size] = '\0';
	message_begin(&message, MESSAGE_CLAIM);
	/* 32 digits may exceed what strtoull(3) holds: then it says ULLONG_MAX */
	number = input_matches(grammar, bytes, size) && strtoull(text, NULL, 10) <= INT32_MAX;
	pidfile_parse((const char *)bytes, size, &message.claim);
	PROPERTY(message_valid(&message)); /* the parent takes it for a message of its reader */
	PROPERTY((message.claim.verdict == CLAIM_NUMBER) == number);
	PROPERTY(number || message.claim.verdict == CLAIM_MALFORMED);
	if (number)
		PROPERTY((unsigned long long)message.claim.pid == strtoull(text, NULL, 10));
	else
		PROPERTY(memcmp(message.claim.text, text, size) == 0);
	return 0;
}
