#include <stdio.h>
#include <string.h>

#include "json.h"
#include "report.h"
#include "show.h"
#include "words.h"

const char *
show_colour(const struct row *row)
{
	switch (row->state) {
	case STATE_RUNNING:
		return "\033[32m"; /* green */
	case STATE_STOPPED:
		return row->wanted != 0 || row->accepted == 0 ? "\033[31m" : NULL; /* red */
	default:
		return "\033[33m"; /* yellow */
	}
}

const char *
show_timer(const struct row *row)
{
	static const char *const names[SHOWN_COUNT] = {
	    [SHOWN_NONE] = "none",
	    [SHOWN_START] = "start",
	    [SHOWN_START_TIMEOUT] = "start_timeout",
	    [SHOWN_STOP_TIMEOUT] = "stop_timeout",
	    [SHOWN_REMINDER] = "reminder",
	};

	return names[row->timer];
}

void
show_explanation(const struct row *row)
{
	char text[SIGNAL_TEXT_BYTES + TIME_TEXT_BYTES];

	(void)printf("%s is %s: %s.\n", row->name, state_name(row->state), row->reason);
	if (row->decided_by[0] != '\0')
		(void)printf("  decided by  %s\n", row->decided_by);
	(void)printf("  wanted      %s\n", row->wanted != 0 ? "up" : "down");
	(void)printf("  since       %s\n", profiles_time(row->since_wall_ms, false, text));
	if (row->exit_end != END_NONE)
		(void)printf("  last exit   %s, pid %d",
		    profiles_last_exit(row, text, sizeof(text)), row->exit_pid);
	if (row->exit_end != END_NONE)
		(void)printf(", %s\n", profiles_time(row->exit_wall_ms, false, text));
	if (row->timer == SHOWN_START)
		(void)printf("  next start  %s (after %u failed ones)\n",
		    profiles_time(row->timer_wall_ms, false, text), row->failures);
	else if (row->timer != SHOWN_NONE)
		(void)printf("  next timer  %s, %s\n", show_timer(row),
		    profiles_time(row->timer_wall_ms, false, text));
}

void
show_flush(void)
{
	if (fflush(stdout) == EOF)
		fatal("standard output");
}

void
show_transition(const struct request *request, const struct transition_facts *transition)
{
	char text[TIME_TEXT_BYTES];

	if (request->json) {
		json_show_transition(transition);
	} else {
		(void)printf("%s %s %s -> %s", profiles_time(transition->wall_ms, true, text),
		    transition->name, state_name(transition->from), state_name(transition->to));
		if (transition->pid != 0)
			(void)printf(" pid %d", transition->pid);
		(void)printf(" (%s)\n", transition->reason);
	}
	show_flush();
}

/* How many bytes the character has that begins with this byte, RFC 3629; 0: none does. */
static size_t
character_bytes(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* What no terminal is to be sent, in order: what it obeys, and what makes the reader see something
 * else than what stands there. Joiners are not among it, which scripts and emoji need. */
static const struct {
	uint32_t first;
	uint32_t last;
} unshown[] = {
    {0x0000, 0x0008},	    /* control characters, up to tab and newline */
    {0x000b, 0x001f},	    /* the others */
    {0x007f, 0x009f},	    /* the second set of them, which many terminals obey */
    {0x061c, 0x061c},	    /* direction of writing */
    {0x200b, 0x200b},	    /* invisible */
    {0x200e, 0x200f},	    /* direction of writing */
    {0x2028, 0x202e},	    /* new lines to some; direction of writing */
    {0x2060, 0x206f},	    /* invisible; direction of writing */
    {0xd800, 0xdfff},	    /* halves of characters */
    {0xfeff, 0xfeff},	    /* invisible */
    {0xe0000, 0xe007f},	    /* invisible */
    {0x110000, UINT32_MAX}, /* no characters */
};

/* Is this, of the right length, a character that shows, and neither commands anything nor changes
 * what others show? */
static bool
shows(const unsigned char *text, size_t bytes)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000}; /* else: overlong */
	uint32_t character = bytes == 1 ? text[0] : text[0] & (0x7fU >> bytes);
	size_t i;

	for (i = 1; i < bytes; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return false;
		character = character << 6 | (text[i] & 0x3f);
	}
	for (i = 0; character > unshown[i].last; i++)
		;
	return character >= smallest[bytes] && character < unshown[i].first;
}

size_t
show_escaped(const char *text, size_t length)
{
	const unsigned char *bytes = (const unsigned char *)text;
	size_t i, size;

	for (i = 0; i < length; i += size) {
		size = character_bytes(bytes[i]);
		if (size > length - i)
			return i;
		if (size > 0 && shows(bytes + i, size)) {
			(void)fwrite(text + i, 1, size, stdout); /* an error shows at the end */
			continue;
		}
		size = 1;
		(void)printf("\\x%02x", bytes[i]);
	}
	return length;
}
