#include <ctype.h>
#include <signal.h>
#include <string.h>

#include "settings.h"
#include "words.h"

void
settings_default(struct settings *settings)
{
	memset(settings, 0, sizeof(*settings));
	settings->stop_signal = SIGTERM;
	settings->start_timeout = DEFAULT_START_TIMEOUT;
	settings->stop_timeout = NO_TIMEOUT;
	settings->output.rotate_size = DEFAULT_ROTATE_SIZE;
	settings->output.rotate_keep = DEFAULT_ROTATE_KEEP;
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
	return *number != 0
	    ? NULL
	    : "must be the name or number of a signal that may be sent, such as TERM or 15";
}

static const char *
parse_reload(struct settings *settings, const char *bytes, size_t length)
{
	settings->reload_signal = SIGHUP;
	return length == 0 || parse_signal(&settings->reload_signal, bytes, length) == NULL
	    ? NULL
	    : "must be empty, for HUP, or name a signal that may be sent, such as USR1 or 10";
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

/* A decimal number up to `most`, with an optional K, M or G where `suffixes` is true. */
static bool
parse_number(const char *text, size_t length, bool suffixes, uint64_t most, uint64_t *number)
{
	static const char letters[] = "KMG";
	const char *letter = NULL;
	uint64_t value = 0;
	unsigned shift = 0;
	size_t i;

	if (suffixes && length > 1 && (letter = memchr(letters, text[length - 1], 3)) != NULL)
		length--;
	if (length == 0 || length > 15)
		return false;
	for (i = 0; i < length; i++) {
		if (!isdigit((unsigned char)text[i]))
			return false;
		value = value * 10 + (uint64_t)(text[i] - '0');
	}
	if (letter != NULL)
		shift = 10 * (unsigned)(letter - letters + 1);
	*number = value << shift;
	return value <= most >> shift;
}

static const char *
parse_yes_no(bool *answer, bool yes, const char *value, size_t length)
{
	if (!is(value, length, "yes") && !is(value, length, "no"))
		return "has a merge_stderr or discard that is neither yes nor no";
	*answer = is(value, length, "yes") == yes;
	return NULL;
}

static const char *
parse_format(struct output_settings *output, const char *value, size_t length)
{
	output->raw = is(value, length, "raw");
	return output->raw || is(value, length, "stamped")
	    ? NULL
	    : "has a format that is neither stamped nor raw";
}

static const char *
parse_rotate_size(struct output_settings *output, const char *value, size_t length)
{
	output->sized = true;
	return parse_number(value, length, true, ROTATE_SIZE_MAX, &output->rotate_size) &&
		output->rotate_size >= ROTATE_SIZE_MIN
	    ? NULL
	    : "has a rotate_size that is not a size from 4K to 1024G, such as 10M";
}

static const char *
parse_rotate_keep(struct output_settings *output, const char *value, size_t length)
{
	uint64_t number;

	if (!parse_number(value, length, false, ROTATE_KEEP_MAX, &number))
		return "has a rotate_keep that is not a number from 0 to 100";
	output->rotate_keep = (uint32_t)number;
	output->sized = true;
	return NULL;
}

static const char *
parse_rate(struct output_settings *output, const char *value, size_t length)
{
	uint64_t number = 0;
	bool off = is(value, length, "off");

	if (!off && (!parse_number(value, length, false, RATE_MAX, &number) || number == 0))
		return "has a rate that is neither off nor from 1 to 1000000 lines a second";
	output->rate = (uint32_t)number;
	return NULL;
}

static const char *
parse_merge_stderr(struct output_settings *output, const char *value, size_t length)
{
	return parse_yes_no(&output->separate_error, false, value, length);
}

static const char *
parse_discard(struct output_settings *output, const char *value, size_t length)
{
	return parse_yes_no(&output->discard, true, value, length);
}

static const struct {
	const char *key;
	const char *(*parse)(struct output_settings *output, const char *value, size_t length);
} output_keys[] = {
    {"format", parse_format},
    {"rotate_size", parse_rotate_size},
    {"rotate_keep", parse_rotate_keep},
    {"rate", parse_rate},
    {"merge_stderr", parse_merge_stderr},
    {"discard", parse_discard},
};
#define OUTPUT_KEYS (sizeof(output_keys) / sizeof(output_keys[0]))

/* One line, `key value`; *said are the keys of the lines before, one bit each. */
static const char *
parse_output_line(struct output_settings *output, const char *line, size_t length, unsigned *said)
{
	const char *space = memchr(line, ' ', length);
	size_t key_length, i;

	if (space == NULL)
		return "has a line that is not a word, a space and a value";
	key_length = (size_t)(space - line);
	for (i = 0; i < OUTPUT_KEYS; i++) {
		if (!is(line, key_length, output_keys[i].key))
			continue;
		if ((*said & 1U << i) != 0)
			return "says one thing twice";
		*said |= 1U << i;
		return output_keys[i].parse(output, space + 1, length - key_length - 1);
	}
	return "has a line with a word that is none of format, rotate_size, rotate_keep, rate, "
	       "merge_stderr and discard";
}

/* Blank lines do not count. */
static const char *
parse_output(struct output_settings *output, const char *bytes, size_t length)
{
	const char *line = bytes, *end = bytes + length, *next, *refusal = NULL;
	size_t line_length;
	unsigned said = 0;

	for (; line < end && refusal == NULL; line = next) {
		next = memchr(line, '\n', (size_t)(end - line));
		next = next == NULL ? end : next + 1;
		line_length = trimmed(line, (size_t)(next - line));
		if (line_length > 0)
			refusal = parse_output_line(output, line, line_length, &said);
	}
	return refusal;
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
		return parse_reload(settings, bytes, length);
	case SETTING_START_TIMEOUT:
		return parse_timeout(&settings->start_timeout, bytes, length);
	case SETTING_STOP_TIMEOUT:
		return parse_timeout(&settings->stop_timeout, bytes, length);
	case SETTING_KILL_MODE:
		return parse_kill_mode(settings, bytes, length);
	case SETTING_OUTPUT:
		return parse_output(&settings->output, bytes, length);
	case SETTING_PID_FILE:
		settings->pid_file = true;
		return parse_path(bytes, length);
	default:
		return NULL; /* whether it is there is all that counts, or the parent looked it up
			      */
	}
}

const char *
settings_fit(struct settings *settings, const struct quota *quota)
{
	struct output_settings *output = &settings->output;
	uint64_t share;

	if (quota->output_bytes == 0)
		return NULL;
	share = quota->output_bytes / quota->profiles / (output->separate_error ? 2 : 1);
	if (output->rotate_size * (output->rotate_keep + 1) <= share)
		return NULL;
	if (output->sized)
		return "asks for more bytes, rotate_size for each of rotate_keep + 1 files, than "
		       "this profile's share of the tenant's quota";
	output->rotate_size = share / (output->rotate_keep + 1);
	return output->rotate_size >= ROTATE_SIZE_MIN
	    ? NULL
	    : "cannot be written: the tenant's quota leaves this profile less than 4096 bytes a "
	      "file";
}
