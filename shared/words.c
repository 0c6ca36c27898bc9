#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "words.h"

static const char *const state_names[STATE_COUNT] = {
    [STATE_STOPPED] = "stopped",
    [STATE_STARTING] = "starting",
    [STATE_RUNNING] = "running",
    [STATE_STOPPING] = "stopping",
};

const char *
state_name(uint32_t state)
{
	return state < STATE_COUNT ? state_names[state] : "unknown";
}

enum state
state_from_text(const char *text)
{
	unsigned state;

	for (state = 0; state < STATE_COUNT; state++)
		if (strcmp(text, state_names[state]) == 0)
			break;
	return (enum state)state;
}

/* One or two decimal digits, nothing else; -1 when it is not that. */
static int
small_number(const char *text)
{
	if (!isdigit((unsigned char)text[0]))
		return -1;
	if (text[1] == '\0')
		return text[0] - '0';
	if (!isdigit((unsigned char)text[1]) || text[2] != '\0')
		return -1;
	return (text[0] - '0') * 10 + (text[1] - '0');
}

static int
realtime_number(const char *name)
{
	int offset = 0;

	if (strncmp(name, "RTMIN", 5) != 0 && strncmp(name, "RTMAX", 5) != 0)
		return 0;
	if (name[5] != '\0') {
		if (name[5] != (name[4] == 'N' ? '+' : '-'))
			return 0;
		offset = small_number(name + 6);
		if (offset < 0 || offset > SIGRTMAX - SIGRTMIN)
			return 0;
	}
	return name[4] == 'N' ? SIGRTMIN + offset : SIGRTMAX - offset;
}

int
signal_from_text(const char *text, size_t length)
{
	char name[16] = "";
	const char *stem, *abbreviation;
	int number, found;
	size_t i;

	if (length == 0 || length >= sizeof(name))
		return 0;
	for (i = 0; i < length; i++) {
		if (text[i] == '\0')
			return 0;
		name[i] = (char)toupper((unsigned char)text[i]);
	}
	name[length] = '\0';
	found = small_number(name);
	if (found < 0) {
		stem = strncmp(name, "SIG", 3) == 0 ? name + 3 : name;
		found = realtime_number(stem);
		if (strcmp(stem, "IO") == 0) /* as kill(1) lists SIGPOLL */
			found = SIGIO;
		for (number = 1; number < SIGRTMIN && found == 0; number++) {
			abbreviation = sigabbrev_np(number);
			if (abbreviation != NULL && strcmp(abbreviation, stem) == 0)
				found = number;
		}
	}
	return signal_permitted(found) ? found : 0;
}

const char *
signal_to_text(int number, char *text, size_t size)
{
	const char *abbreviation = sigabbrev_np(number);

	if (abbreviation != NULL)
		(void)snprintf(text, size, "SIG%s", abbreviation);
	else if (number == SIGRTMIN)
		(void)snprintf(text, size, "SIGRTMIN");
	else if (number > SIGRTMIN && number <= SIGRTMAX)
		(void)snprintf(text, size, "SIGRTMIN+%d", number - SIGRTMIN);
	else
		(void)snprintf(text, size, "signal %d", number);
	return text;
}
