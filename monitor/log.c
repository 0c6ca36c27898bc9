#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "vocabulary.h"

/* What a full disk may make us keep. */
#define PENDING_BYTES 65536
#define MESSAGE_MAX   1024
#define TRY_AGAIN     (1 * SECOND)

static const char *const level_names[] = {
    [LEVEL_FATAL] = "FATAL",
    [LEVEL_WARN] = "WARN ",
    [LEVEL_INFO] = "INFO ",
    [LEVEL_DEBUG] = "DEBUG",
};

static enum level highest = LEVEL_INFO;
static bool brief;
static int log_descriptor = -1;
static char pending[PENDING_BYTES];
static size_t pending_bytes;
static unsigned lost;
static int64_t try_again = NEVER;

void
log_set_level(enum level level)
{
	highest = level;
}

void
log_briefly(void)
{
	brief = true;
}

void
log_use(int descriptor)
{
	if (log_descriptor != -1)
		(void)close(log_descriptor); /* what was written is written; nothing is buffered */
	log_descriptor = descriptor;
	try_again = NEVER;
}

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

void
log_timestamp(int64_t wall_ms, char *text)
{
	int64_t year, month, day, seconds = wall_ms / 1000, in_day;

	if (wall_ms < 0)
		wall_ms = seconds = 0; /* a clock before 1970: nothing better to say */
	in_day = seconds % 86400;
	date_of(seconds / 86400, &year, &month, &day);
	memcpy(text, "0000-00-00T00:00:00.000Z", LOG_TIMESTAMP_BYTES);
	put_digits(text, year, 4);
	put_digits(text + 5, month, 2);
	put_digits(text + 8, day, 2);
	put_digits(text + 11, in_day / 3600, 2);
	put_digits(text + 14, in_day / 60 % 60, 2);
	put_digits(text + 17, in_day % 60, 2);
	put_digits(text + 20, wall_ms % 1000, 3);
}

/* Appends `text` with \xNN for what a terminal or a parser could take for something else. */
static size_t
escape(char *line, size_t used, size_t size, const char *text)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char byte;

	for (; *text != '\0' && used + 5 < size; text++) {
		byte = (unsigned char)*text;
		if (byte >= ' ' && byte <= '~' && byte != '\\') {
			line[used++] = (char)byte;
			continue;
		}
		line[used++] = '\\';
		line[used++] = 'x';
		line[used++] = digits[byte >> 4];
		line[used++] = digits[byte & 15];
	}
	return used;
}

static bool
append_line(const char *tag, enum level level, const char *message)
{
	char line[4 * (MESSAGE_MAX + 256)];
	size_t used = 0;

	if (!brief) {
		log_timestamp(clock_wall_ms(), line);
		used = LOG_TIMESTAMP_BYTES - 1;
		line[used++] = ' ';
		memcpy(line + used, level_names[level], 5);
		used += 5;
		line[used++] = ' ';
	}
	used = escape(line, used, sizeof(line) - 2, tag);
	line[used++] = ' ';
	used = escape(line, used, sizeof(line) - 1, message);
	line[used++] = '\n';
	if (used > sizeof(pending) - pending_bytes)
		return false;
	memcpy(pending + pending_bytes, line, used);
	pending_bytes += used;
	return true;
}

static bool __attribute__((format(printf, 2, 3)))
append_own(enum level level, const char *format, ...)
{
	char message[MESSAGE_MAX];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	return append_line(TAG_PROCLAUNCH, level, message);
}

/* Says how much is missing, in the place where it is missing. */
static bool
confess(void)
{
	if (lost > 0 && append_own(SAY_LINES_LOST, lost))
		lost = 0;
	return lost == 0;
}

void
log_line(const char *tag, enum level level, const char *format, ...)
{
	char message[MESSAGE_MAX];
	va_list arguments;

	if (level > highest)
		return;
	va_start(arguments, format);
	(void)vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	if (pending_bytes > PENDING_BYTES / 2)
		log_flush();
	if (!confess() || !append_line(tag, level, message))
		lost++;
}

void
log_flush(void)
{
	ssize_t wrote;

	try_again = NEVER;
	while (pending_bytes > 0 && log_descriptor != -1) {
		wrote = write(log_descriptor, pending, pending_bytes);
		if (wrote <= 0) {
			try_again = clock_now() + TRY_AGAIN; /* ENOSPC: there may be room later */
			return;
		}
		pending_bytes -= (size_t)wrote;
		memmove(pending, pending + wrote, pending_bytes);
	}
	if (lost > 0 && confess())
		log_flush();
}

int64_t
log_deadline(void)
{
	return try_again;
}
