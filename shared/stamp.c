#include <string.h>

#include "stamp.h"

/* Days since 1970-01-01 to a date of the Gregorian calendar,
 * https://howardhinnant.github.io/date_algorithms.html (civil_from_days). gmtime_r(3) would do, but
 * looks for /etc/localtime, which the sandbox forbids. */
static void
date_of(int64_t days, int64_t *year, int64_t *month, int64_t *day)
{
	int64_t era, of_era, year_of_era, of_year, shifted;

	days += 719468;
	era = (days >= 0 ? days : days - 146096) / 146097;
	of_era = days - era * 146097;
	year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	shifted = (5 * of_year + 2) / 153;
	*day = of_year - (153 * shifted + 2) / 5 + 1;
	*month = shifted < 10 ? shifted + 3 : shifted - 9;
	*year = year_of_era + era * 400 + (*month <= 2);
}

static void
put_digits(char *text, int64_t value, int digits)
{
	while (digits-- > 0) {
		text[digits] = (char)('0' + value % 10);
		value /= 10;
	}
}

/* "2026-11-23T03:16:00" */
static void
put_seconds(int64_t seconds, char *text)
{
	int64_t year, month, day, in_day = seconds % 86400;

	date_of(seconds / 86400, &year, &month, &day);
	memcpy(text, "0000-00-00T00:00:00", 19);
	put_digits(text, year, 4);
	put_digits(text + 5, month, 2);
	put_digits(text + 8, day, 2);
	put_digits(text + 11, in_day / 3600, 2);
	put_digits(text + 14, in_day / 60 % 60, 2);
	put_digits(text + 17, in_day % 60, 2);
}

void
stamp_milliseconds(int64_t wall_ms, char *text)
{
	if (wall_ms < 0)
		wall_ms = 0; /* a clock before 1970: nothing better to say */
	put_seconds(wall_ms / 1000, text);
	memcpy(text + 19, ".000Z", 6);
	put_digits(text + 20, wall_ms % 1000, 3);
}

void
stamp_microseconds(int64_t wall_us, char *text)
{
	if (wall_us < 0)
		wall_us = 0;
	put_seconds(wall_us / 1000000, text);
	memcpy(text + 19, ".000000Z ", 10);
	put_digits(text + 20, wall_us % 1000000, 6);
}

size_t
stamp_lines(const char *lines, size_t length, const char *stamp, char *stamped, size_t room,
    size_t *written)
{
	const char *line = lines, *end = lines + length, *newline;
	char *out = stamped;
	size_t bytes;

	for (; line < end; line += bytes) {
		newline = memchr(line, '\n', (size_t)(end - line));
		bytes = newline == NULL ? (size_t)(end - line) : (size_t)(newline - line) + 1;
		if (STAMP_BYTES + bytes > room - (size_t)(out - stamped))
			break;
		memcpy(out, stamp, STAMP_BYTES);
		memcpy(out + STAMP_BYTES, line, bytes);
		out += STAMP_BYTES + bytes;
	}
	*written = (size_t)(out - stamped);
	return (size_t)(line - lines);
}
