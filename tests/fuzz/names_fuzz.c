/* Names of profiles, and numbers and names of signals to and fro. */
#include <signal.h>
#include <string.h>

#include "input.h"
#include "words.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const char grammar[] = "^[A-Za-z0-9_][A-Za-z0-9_.@:+-]{0,63}$";
	char text[256], again[SIGNAL_TEXT_BYTES];
	int number;

	if (size >= sizeof(text))
		return 0;
	memcpy(text, bytes, size);
	text[size] = '\0';
	PROPERTY(profile_name_valid(text) == input_matches(grammar, text, strlen(text)));
	number = signal_from_text(text, size);
	PROPERTY(number == 0 || (number > 0 && number < NSIG && signal_permitted(number)));
	if (number != 0) {
		(void)signal_to_text(number, again, sizeof(again));
		PROPERTY(signal_from_text(again, strlen(again)) == number);
	}
	return 0;
}
