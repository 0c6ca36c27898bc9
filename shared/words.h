/*
 * How people write signals and states. Read and written by the monitor and proclaunchctl(1) alone:
 * what runs as root has no use for words.
 */
#ifndef PROCLAUNCH_WORDS_H
#define PROCLAUNCH_WORDS_H

#include "names.h"

/* "stopped", "starting", "running", "stopping"; "unknown" for no state. */
const char *state_name(uint32_t state);

/* STATE_COUNT when there is none of that name. */
enum state state_from_text(const char *text);

/*
 * The number of the signal named by exactly `length` bytes of `text`: a name with or without SIG,
 * in either case, RTMIN+3, RTMAX-1, or a decimal number. 0 when it names none that is permitted.
 */
int signal_from_text(const char *text, size_t length);

/* Writes "SIGTERM" or "SIGRTMIN+3" or "signal 99" into `text` and returns it. */
const char *signal_to_text(int number, char *text, size_t size);
#define SIGNAL_TEXT_BYTES 24

#endif
