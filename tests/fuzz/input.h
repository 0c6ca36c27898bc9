/* The fuzzer's bytes, taken one decision after the other. When they run out every decision is 0. */
#ifndef PROCLAUNCH_FUZZ_INPUT_H
#define PROCLAUNCH_FUZZ_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "message.h"

struct input {
	const uint8_t *at;
	size_t left;
};

/* libFuzzer calls this with each input. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerInitialize(int *count, char ***arguments);

/* One byte. */
uint8_t input_byte(struct input *input);

/* A number below `bound`, which is 256 at most; 0 when the input is at its end. */
unsigned input_below(struct input *input, unsigned bound);

/*
 * A message of that type about one of a few indices, of a few generations. The members behind them
 * begin with as many bytes of the input as its next byte says; the others are 0.
 */
void input_message(struct input *input, struct message *message, enum message_type type);

/* Ends the run when this does not hold, and says what: the fuzzer keeps the input. */
#define PROPERTY(condition) input_property((condition), #condition, __FILE__, __LINE__)
void input_property(bool holds, const char *what, const char *file, int line);

/* True when all of the bytes match the extended regular expression, which is compiled once. */
bool input_matches(const char *expression, const void *bytes, size_t size);

#endif
