#include <ctype.h>
#include <signal.h>
#include <string.h>

#include "settings.h"

void
settings_default(struct settings *settings)
{
	memset(settings, 0, sizeof(*settings));
	settings->stop_signal = SIGTERM;
	settings->start_timeout = DEFAULT_START_TIMEOUT;
	settings->stop_timeout = NO_TIMEOUT;
}

/* Without the white space that editors and echo leave at the end. */
static size_t
trimmed(const char *bytes, size_t length)
{
	while (length > 0 && memchr(" \t\r\n", bytes[length - 1], 4) != NULL)
		length--;
	return length;
}

static bool
is(const char *bytes, size_t length, const char *word)
{
	return length == strlen(word) && memcmp(bytes, word, length) == 0;
}

static const char *
parse_restart(struct settings *settings, const char *bytes, size_t length)
{
	if (length == 0 || is(bytes, length, "1") || is(bytes, length, "always"))
		settings->restart = RESTART_ALWAYS;
	else if (is(bytes, length, "on-failure"))
		settings->restart = RESTART_ON_FAILURE;
	else
		return "must be empty, \"1\", \"always\" or \"on-failure\"";
	return NULL;
}

static const char *
parse_signal(int *number, const char *bytes, size_t length)
{
	*number = signal_from_text(bytes, length);
	return *number != 0 ? NULL : "must be the name or number of a signal, such as TERM or 15";
}

static const char *
parse_timeout(uint32_t *seconds, const char *bytes, size_t length)
{
	static const char *const refusal = "must be a number of seconds from 1 to 86400";
	uint32_t value = 0;
	size_t i;

	for (i = 0; i < length; i++) {
		if (!isdigit((unsigned char)bytes[i]))
			return refusal;
		value = value * 10 + (uint32_t)(bytes[i] - '0');
		if (value > TIMEOUT_MAX)
			return refusal;
	}
	if (value == 0)
		return refusal;
	*seconds = value;
	return NULL;
}

static const char *
parse_kill_mode(struct settings *settings, const char *bytes, size_t length)
{
	if (is(bytes, length, "group"))
		settings->kill_mode = KILL_GROUP;
	else if (is(bytes, length, "process"))
		settings->kill_mode = KILL_PROCESS;
	else
		return "must be \"group\" or \"process\"";
	return NULL;
}

/* Where the path leads is for the user's own process to find out; here it only has to be one. */
static const char *
parse_path(const char *bytes, size_t length)
{
	size_t i;

	if (length == 0)
		return "is empty: it must hold the path where the daemon writes its pid";
	for (i = 0; i < length; i++)
		if (iscntrl((unsigned char)bytes[i]))
			return "must hold one path on one line, without control characters";
	if (length >= SETTING_BYTES_MAX)
		return "holds a path that is too long";
	return NULL;
}

const char *
settings_parse(struct settings *settings, enum setting setting, const char *bytes, size_t length)
{
	length = trimmed(bytes, length);
	switch (setting) {
	case SETTING_RESTART:
		return parse_restart(settings, bytes, length);
	case SETTING_STOP_SIGNAL:
		return parse_signal(&settings->stop_signal, bytes, length);
	case SETTING_RELOAD:
		settings->reload_signal = SIGHUP;
		return length == 0 ? NULL : parse_signal(&settings->reload_signal, bytes, length);
	case SETTING_START_TIMEOUT:
		return parse_timeout(&settings->start_timeout, bytes, length);
	case SETTING_STOP_TIMEOUT:
		return parse_timeout(&settings->stop_timeout, bytes, length);
	case SETTING_KILL_MODE:
		return parse_kill_mode(settings, bytes, length);
	case SETTING_PID_FILE:
		settings->pid_file = true;
		return parse_path(bytes, length);
	default:
		return NULL; /* whether it is there is all that counts, or the parent looked it up
			      */
	}
}
