#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profiles.h"
#include "report.h"
#include "stamp.h"
#include "words.h"

void
profiles_add(struct profiles *profiles, const struct row *row)
{
	if (profiles->count == profiles->room) {
		profiles->room = profiles->room == 0 ? 64 : profiles->room * 2;
		profiles->rows =
		    reallocarray(profiles->rows, profiles->room, sizeof(*profiles->rows));
		if (profiles->rows == NULL)
			fatal("memory");
	}
	profiles->rows[profiles->count++] = *row;
}

static int
compare(const void *one, const void *other)
{
	return strcmp(((const struct row *)one)->name, ((const struct row *)other)->name);
}

void
profiles_sort(struct profiles *profiles)
{
	size_t kept = 0, i;

	if (profiles->count > 0)
		qsort(profiles->rows, profiles->count, sizeof(*profiles->rows), compare);
	for (i = 0; i < profiles->count; i++)
		if (kept == 0 || compare(&profiles->rows[kept - 1], &profiles->rows[i]) != 0)
			profiles->rows[kept++] = profiles->rows[i];
	profiles->count = kept;
}

void
profiles_free(struct profiles *profiles)
{
	free(profiles->rows);
	memset(profiles, 0, sizeof(*profiles));
}

const char *
profiles_last_exit(const struct row *row, char *text, size_t size)
{
	switch (row->exit_end) {
	case END_EXIT:
		(void)snprintf(text, size, "exit %d", row->exit_value);
		return text;
	case END_SIGNAL:
		return signal_to_text(row->exit_value, text, size);
	case END_UNKNOWN:
		return "unknown";
	default:
		return "-";
	}
}

const char *
profiles_time(int64_t wall_ms, bool milliseconds, char *text)
{
	_Static_assert(TIME_TEXT_BYTES >= STAMP_MILLISECONDS_BYTES, "no room for a time");

	if (wall_ms == 0)
		return "-";
	stamp_milliseconds(wall_ms, text);
	if (!milliseconds)
		memcpy(text + strlen("2026-11-23T03:16:00"), "Z", 2);
	return text;
}

const char *
profiles_duration(int64_t milliseconds, char *text)
{
	long long seconds = milliseconds < 0 ? 0 : milliseconds / 1000;

	if (seconds >= 86400)
		(void)snprintf(
		    text, TIME_TEXT_BYTES, "%lldd %lldh", seconds / 86400, seconds % 86400 / 3600);
	else if (seconds >= 3600)
		(void)snprintf(
		    text, TIME_TEXT_BYTES, "%lldh %lldm", seconds / 3600, seconds % 3600 / 60);
	else if (seconds >= 60)
		(void)snprintf(text, TIME_TEXT_BYTES, "%lldm %llds", seconds / 60, seconds % 60);
	else
		(void)snprintf(text, TIME_TEXT_BYTES, "%llds", seconds);
	return text;
}
