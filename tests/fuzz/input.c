#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "input.h"

#define GRAMMARS_MAX 32

uint8_t
input_byte(struct input *input)
{
	if (input->left == 0)
		return 0;
	input->left--;
	return *input->at++;
}

unsigned
input_below(struct input *input, unsigned bound)
{
	return input_byte(input) % bound;
}

void
input_message(struct input *input, struct message *message, enum message_type type)
{
	static const uint32_t indices[] = {0, 1, 2, 3, NO_PROFILE, PROFILES_MAX - 1, PROFILES_MAX};
	size_t length;

	message_begin(message, type);
	message->index = indices[input_below(input, sizeof(indices) / sizeof(indices[0]))];
	message->generation = input_below(input, 4);
	message->number = input_byte(input);
	length = input_byte(input);
	if (length > input->left)
		length = input->left;
	memcpy((char *)message + offsetof(struct message, hello), input->at, length);
	input->at += length;
	input->left -= length;
}

void
input_property(bool holds, const char *what, const char *file, int line)
{
	if (holds)
		return;
	(void)fprintf(stderr, "%s:%d: this does not hold: %s\n", file, line, what);
	abort();
}

bool
input_matches(const char *expression, const void *bytes, size_t size)
{
	static struct {
		const char *expression;
		regex_t compiled;
	} grammars[GRAMMARS_MAX];
	static char text[SETTING_BYTES_MAX + 1];
	regmatch_t range = {.rm_so = 0, .rm_eo = (regoff_t)size};
	size_t i = 0;

	while (i < GRAMMARS_MAX && grammars[i].expression != NULL &&
	    grammars[i].expression != expression)
		i++;
	input_property(i < GRAMMARS_MAX, "there is room for the grammar", __FILE__, __LINE__);
	if (grammars[i].expression == NULL) {
		input_property(regcomp(&grammars[i].compiled, expression, REG_EXTENDED) == 0,
		    expression, __FILE__, __LINE__);
		grammars[i].expression = expression;
	}
	input_property(size < sizeof(text), "the text is short", __FILE__, __LINE__);
	memcpy(text, bytes, size);
	text[size] = '\0'; /* AddressSanitizer looks for it */
	/* REG_STARTEND: a NUL within is a byte like others */
	return regexec(&grammars[i].compiled, text, 1, &range, REG_STARTEND) == 0 &&
	    range.rm_so == 0 && range.rm_eo == (regoff_t)size;
}
