#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "linefile.h"
#include "log.h"
#include "stamp.h"
#include "vocabulary.h"

/* What a full disk may make us keep. */
#define PENDING_BYTES 65536
#define MESSAGE_MAX   1024
/* Longer than any line. */
#define PIECE_BYTES 16384
#define TRY_AGAIN   (1 * SECOND)

static const char *const level_names[] = {
    [LEVEL_FATAL] = "FATAL",
    [LEVEL_WARN] = "WARN ",
    [LEVEL_INFO] = "INFO ",
    [LEVEL_DEBUG] = "DEBUG",
};

static enum level highest = LEVEL_INFO;
static bool brief;
static struct line_file log_file = {.descriptor = -1};
static uint64_t rotate_size;		    /* 0: never */
static enum log_request asked = LOG_REOPEN; /* the parent hands it over without being asked */
static bool grown;
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
log_rotate_at(uint64_t size)
{
	rotate_size = size;
}

void
log_use(int descriptor, uint64_t size)
{
	asked = LOG_NOTHING;
	if (descriptor != -1)
		line_file_use(&log_file, descriptor, size);
	/* it could not be opened: what is to be said waits, and the parent is asked again */
	try_again = descriptor != -1 ? NEVER : clock_now() + TRY_AGAIN;
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
		stamp_milliseconds(clock_wall_ms(), line);
		used = STAMP_MILLISECONDS_BYTES - 1;
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

/* Lines up to PIECE_BYTES, and at least one: a disk with little room takes some of them. */
static size_t
first_lines(void)
{
	const char *newline;

	if (pending_bytes <= PIECE_BYTES)
		return pending_bytes;
	newline = memrchr(pending, '\n', PIECE_BYTES);
	return (size_t)(newline - pending) + 1;
}

/* False: what is pending has to wait. */
static bool
write_pending(void)
{
	size_t length;

	if (log_file.descriptor != -1 && line_file_deleted(&log_file))
		line_file_close(&log_file);
	if (log_file.descriptor == -1 || asked == LOG_ROTATE)
		return false;
	while (pending_bytes > 0) {
		length = first_lines();
		if (!line_file_write(&log_file, pending, length)) {
			try_again = clock_now() + TRY_AGAIN; /* ENOSPC: there may be room later */
			return false;
		}
		pending_bytes -= length;
		memmove(pending, pending + length, pending_bytes);
		grown = true;
	}
	return true;
}

void
log_flush(void)
{
	if (log_file.descriptor != -1)
		try_again = NEVER;
	if (pending_bytes > 0 && write_pending() && lost > 0 && confess())
		(void)write_pending();
}

enum log_request
log_wants(void)
{
	enum log_request wanted = LOG_NOTHING;

	if (asked != LOG_NOTHING)
		return LOG_NOTHING;
	if (log_file.descriptor == -1 && pending_bytes > 0 &&
	    (try_again == NEVER || try_again <= clock_now()))
		wanted = LOG_REOPEN;
	else if (log_file.descriptor != -1 && rotate_size > 0 && log_file.size >= rotate_size)
		wanted = LOG_ROTATE;
	asked = wanted;
	return wanted;
}

bool
log_has_grown(void)
{
	bool has_grown = grown;

	grown = false;
	return has_grown;
}

int64_t
log_deadline(void)
{
	return try_again;
}
