/*
 * What the files of a profile say: accepted if and only if it is in the grammar of
 * proclaunch-profile(5), which stands here once more, as regular expressions.
 */
#include <stdlib.h>
#include <string.h>

#include "input.h"
#include "settings.h"

#define SPACE "[ \t\r\n]*"
/* 1 to 86400, with zeros in front. */
#define TIMEOUT "^0*([1-9][0-9]{0,3}|[1-7][0-9]{4}|8[0-5][0-9]{3}|86[0-3][0-9]{2}|86400)" SPACE "$"
#define SIGNALS                                                                                 \
	"[Hh][Uu][Pp]|[Ii][Nn][Tt]|[Qq][Uu][Ii][Tt]|[Aa][Bb][Rr][Tt]|[Kk][Ii][Ll][Ll]|"         \
	"[Uu][Ss][Rr][12]|[Pp][Ii][Pp][Ee]|[Aa][Ll][Rr][Mm]|[Tt][Ee][Rr][Mm]|[Cc][Hh][Ll][Dd]|" \
	"[Cc][Oo][Nn][Tt]|[Ss][Tt][Oo][Pp]|[Tt][Ss][Tt][Pp]|[Tt][Tt][Ii][Nn]|[Tt][Tt][Oo][Uu]|" \
	"[Uu][Rr][Gg]|[Ww][Ii][Nn][Cc][Hh]|[Pp][Oo][Ll][Ll]|[Ii][Oo]|[Pp][Ww][Rr]|"             \
	"[Rr][Tt][Mm][Ii][Nn]([+]([0-9]|[0-2][0-9]|30))?|"                                      \
	"[Rr][Tt][Mm][Aa][Xx](-([0-9]|[0-2][0-9]|30))?"
/* HUP INT QUIT ABRT KILL USR1 USR2 PIPE ALRM TERM CHLD CONT STOP TSTP TTIN TTOU URG WINCH IO PWR,
 * and the real-time ones from 34 to 64. */
#define NUMBERS "0?[12369]|1[02-57-9]|2[0-389]|30|3[4-9]|[45][0-9]|6[0-4]"
#define SIGNAL	"^(([Ss][Ii][Gg])?(" SIGNALS ")|" NUMBERS ")" SPACE "$"

/* A size from 4096 to 2^40 bytes is checked by its value; this is its form. */
#define NUMBER "[0-9]{1,15}"

static const char *const grammars[SETTING_COUNT] = {
    [SETTING_RESTART] = "^(|1|always|on-failure)" SPACE "$",
    [SETTING_STOP_SIGNAL] = SIGNAL,
    [SETTING_RELOAD] = "^((([Ss][Ii][Gg])?(" SIGNALS ")|" NUMBERS ")|)" SPACE "$",
    [SETTING_START_TIMEOUT] = TIMEOUT,
    [SETTING_STOP_TIMEOUT] = TIMEOUT,
    [SETTING_KILL_MODE] = "^(group|process)" SPACE "$",
    [SETTING_PID_FILE] = "^[^\001-\037\177]*[^\001-\040\177]" SPACE "$",
};

static const char blank[] = "^" SPACE "$";
static const char word_line[] =
    "^(format (stamped|raw)|merge_stderr (yes|no)|discard (yes|no)|rate off)" SPACE "$";
static const char size_line[] = "^rotate_size " NUMBER "[KMG]?" SPACE "$";
static const char keep_line[] = "^rotate_keep " NUMBER SPACE "$";
static const char rate_line[] = "^rate " NUMBER SPACE "$";

/* The number behind the word, not above 2^64 whatever its suffix. */
static long double
value_of(const char *line, size_t length, size_t word)
{
	char text[64], *end;
	long double value;

	memcpy(text, line + word, length - word);
	text[length - word] = '\0';
	value = (long double)strtoull(text, &end, 10);
	switch (*end) {
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
output_line_in_grammar(const char *line, size_t length)
{
	char text[64];
	long double value;

	if (input_matches(blank, line, length) || input_matches(word_line, line, length))
		return true;
	while (length > 0 && memchr(" \t\r\n", line[length - 1], 4) != NULL)
		length--;
	if (length >= sizeof(text))
		return false;
	if (input_matches(size_line, line, length)) {
		value = value_of(line, length, strlen("rotate_size "));
		return value >= ROTATE_SIZE_MIN && value <= (long double)ROTATE_SIZE_MAX;
	}
	if (input_matches(keep_line, line, length))
		return value_of(line, length, strlen("rotate_keep ")) <= ROTATE_KEEP_MAX;
	if (input_matches(rate_line, line, length)) {
		value = value_of(line, length, strlen("rate "));
		return value >= 1 && value <= RATE_MAX;
	}
	return false;
}

/* Does a line between `bytes` and `line`, which is in the grammar, begin with the same word? */
static bool
said_above(const char *bytes, const char *line, size_t length)
{
	const char *space = memchr(line, ' ', length), *above;

	if (input_matches(blank, line, length))
		return false;
	for (above = bytes; above < line;
	     above = (const char *)memchr(above, '\n', (size_t)(line - above)) + 1)
		if (line - above > space - line &&
		    memcmp(above, line, (size_t)(space - line) + 1) == 0)
			return true;
	return false;
}

static bool
output_in_grammar(const char *bytes, size_t size)
{
	const char *line, *next;

	for (line = bytes; line < bytes + size; line = next) {
		next = memchr(line, '\n', (size_t)(bytes + size - line));
		next = next == NULL ? bytes + size : next + 1;
		if (!output_line_in_grammar(line, (size_t)(next - line)) ||
		    said_above(bytes, line, (size_t)(next - line)))
			return false;
	}
	return true;
}

static bool
has_nul_in_front(const char *bytes, size_t size)
{
	return memchr(bytes, '\0', size) != NULL;
}

static bool
in_grammar(enum setting setting, const char *bytes, size_t size)
{
	if (setting == SETTING_OUTPUT)
		return output_in_grammar(bytes, size);
	if (grammars[setting] == NULL)
		return true;
	return !has_nul_in_front(bytes, size) && size < SETTING_BYTES_MAX + 1 &&
	    input_matches(grammars[setting], bytes, size);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = {.at = bytes, .left = size};
	enum setting setting = (enum setting)input_below(&input, SETTING_COUNT);
	struct settings settings;
	bool accepted;

	if (input.left > SETTING_BYTES_MAX - 1)
		return 0; /* a path may be shorter by one than a file */
	settings_default(&settings);
	accepted = settings_parse(&settings, setting, (const char *)input.at, input.left) == NULL;
	PROPERTY(accepted == in_grammar(setting, (const char *)input.at, input.left));
	if (!accepted)
		return 0;
	PROPERTY(signal_permitted(settings.stop_signal));
	PROPERTY(settings.reload_signal == 0 || signal_permitted(settings.reload_signal));
	PROPERTY(settings.start_timeout >= 1 && settings.start_timeout <= TIMEOUT_MAX);
	PROPERTY(settings.stop_timeout == NO_TIMEOUT ||
	    (settings.stop_timeout >= 1 && settings.stop_timeout <= TIMEOUT_MAX));
	PROPERTY(settings.output.rotate_keep <= ROTATE_KEEP_MAX);
	PROPERTY(settings.output.rotate_size >= ROTATE_SIZE_MIN);
	return 0;
}
