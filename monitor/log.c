#include <sys/stat.h>
#include <sys/syscall.h>

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "fifo.h"
#include "linefile.h"
#include "log.h"
#include "stamp.h"
#include "vocabulary.h"

#define MESSAGE_MAX    1024
#define OWN_LINE_BYTES (4 * (MESSAGE_MAX + 256))
/* Longer than any line. */
#define PIECE_BYTES 16384
#define TRY_AGAIN   (1 * SECOND)
/* A log that cannot be put aside grows for so long before it is tried again. */
#define GROW_FOR (60 * SECOND)

static const char *const level_names[] = {
    [LEVEL_FATAL] = "FATAL",
    [LEVEL_WARN] = "WARN ",
    [LEVEL_INFO] = "INFO ",
    [LEVEL_DEBUG] = "DEBUG",
};

static enum level highest = LEVEL_INFO;
static bool brief;
static struct line_file log_file = {.descriptor = -1};
static uint64_t rotate_size; /* 0: never */
static bool nameless;
static enum log_request asked = LOG_REOPEN; /* the parent hands it over without being asked */
static bool grown;
static int64_t grows_until;
static unsigned lost;
static int64_t try_again = NEVER;

/* Lines, from `first` to `end`; both are 0 again when all are written. */
static char pending[LOG_PENDING_BYTES];
static size_t first, end;
/* While lines are held, those from `permitted` on may not be written; the parent has been told
 * those below `marked`. */
static bool held;
static size_t permitted, marked;
/* What the parent has of lines that wait counts no more as soon as they are written. */
static bool outdated;

/* So many bytes at the beginning of `pending` the last monitor may have written. */
static size_t inherited;
static uint64_t inherited_inode, inherited_size;

void
log_set_level(enum level level)
{
	highest = level;
}

bool
log_says(enum level level)
{
	return level <= highest;
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

/* All lines are written: the room is used from its beginning again. */
static void
begin_anew(void)
{
	first = end = permitted = marked = 0;
}

/* The log, if it is a file whose size tells what stands in it. */
static bool
look_at_log(struct stat *status)
{
	/* by its own number: the C library's fstat() is another system call on some kernels */
	return log_file.descriptor != -1 && syscall(SYS_fstat, log_file.descriptor, status) == 0 &&
	    S_ISREG(status->st_mode);
}

static bool
lines_are_ours(const struct lines *lines)
{
	size_t i;

	for (i = 0; i < lines->length; i++)
		if (lines->bytes[i] != '\n' && (lines->bytes[i] < ' ' || lines->bytes[i] > '~'))
			return false;
	return lines->length > 0 && lines->bytes[lines->length - 1] == '\n';
}

void
log_inherit(const struct lines *lines)
{
	if (end > 0 || log_file.descriptor != -1 || !lines_are_ours(lines))
		return;
	memcpy(pending, lines->bytes, lines->length);
	end = inherited = lines->length;
	inherited_inode = lines->log_inode;
	inherited_size = lines->log_size;
}

/* Some of what we have inherited may stand in the log. Where it goes on in another file since, all
 * of it is in the first one; where nobody can tell, it is written rather twice than never. */
static void
drop_written(void)
{
	struct stat status;
	size_t written = 0;

	if (look_at_log(&status) && inherited_inode != 0) {
		if ((uint64_t)status.st_ino != inherited_inode)
			written = inherited;
		else if ((uint64_t)status.st_size > inherited_size)
			written = (uint64_t)status.st_size - inherited_size < inherited
			    ? (size_t)((uint64_t)status.st_size - inherited_size)
			    : inherited;
	}
	if (written > 0 && pending[written - 1] == '\n')
		first = written;
	if (first == end)
		begin_anew();
	permitted = permitted > first ? permitted : first;
	inherited = 0;
}

void
log_set_nameless(bool is_nameless)
{
	nameless = is_nameless;
}

void
log_use(int descriptor, uint64_t size)
{
	bool rotated = asked == LOG_ROTATE;

	asked = LOG_NOTHING;
	if (descriptor != -1)
		line_file_use(&log_file, descriptor, size);
	else if (rotated) /* what we have is an old one by now */
		line_file_close(&log_file);
	if (descriptor != -1 && inherited > 0)
		drop_written();
	/* it could not be opened: what is to be said waits, and the parent is asked again */
	try_again = descriptor != -1 ? NEVER : clock_now() + TRY_AGAIN;
	if (!rotated || descriptor == -1 || size < rotate_size)
		return;
	grows_until = clock_now() + GROW_FOR;
	log_line(TAG_PROCLAUNCH, SAY_UNROTATED);
}

void
log_hold(void)
{
	held = true;
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

/* How long the line is that `size` bytes were enough for. */
static size_t
format_line(char *line, size_t size, const char *tag, enum level level, const char *message)
{
	size_t used = 0;

	if (!brief) {
		stamp_milliseconds(clock_wall_ms(), line);
		used = STAMP_MILLISECONDS_BYTES - 1;
		line[used++] = ' ';
		memcpy(line + used, level_names[level], 5);
		used += 5;
		line[used++] = ' ';
	}
	used = escape(line, used, size - 2, tag);
	line[used++] = ' ';
	used = escape(line, used, size - 1, message);
	line[used++] = '\n';
	return used;
}

/* Room for what says how many are missing, in our own words, of which none needs an escape. */
#define NOTICE_BYTES 128

static size_t __attribute__((format(printf, 3, 4)))
format_own(char *line, enum level level, const char *format, ...)
{
	char message[NOTICE_BYTES / 2];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	return format_line(line, NOTICE_BYTES, TAG_PROCLAUNCH, level, message);
}

/* How much of what is announced fits beside the lines that wait to be written. */
static size_t
page_bytes(void)
{
	return first < permitted ? LINES_BYTES - NOTICE_BYTES : LINES_BYTES;
}

/* As many lines as fit. */
static size_t
announced(void)
{
	const char *newline;

	if (end - permitted <= page_bytes())
		return end - permitted;
	newline = memrchr(pending + permitted, '\n', page_bytes());
	if (newline == NULL) /* a line that is too long to be kept by anybody but us */
		newline = memchr(pending + permitted, '\n', end - permitted);
	return (size_t)(newline - (pending + permitted)) + 1;
}

/*
 * While the log cannot be written, nobody but us would have those that were announced before: they
 * are announced again, the newest of them, behind a line that says how many are missing. Returns
 * where in `pending` they begin.
 */
static size_t
begin_page(struct lines *lines)
{
	size_t from, i;
	unsigned missing = 0;

	if (marked - first <= LINES_BYTES)
		return first;
	from = marked - page_bytes();
	for (i = first; i < from || pending[i - 1] != '\n'; i++)
		missing += pending[i] == '\n';
	lines->length = (uint32_t)format_own(lines->bytes, SAY_LINES_LOST, missing);
	return i;
}

enum announcement
log_announce(struct lines *lines)
{
	struct stat status;
	size_t from;

	/* or nobody but us would have those that were announced before */
	if (first < permitted && try_again == NEVER)
		return ANNOUNCED_NOTHING;
	marked = permitted + announced();
	if (marked - permitted > page_bytes())
		return ANNOUNCED_SOME;
	/* and what is announced while another file is to come stands in that */
	outdated = first < permitted || (asked == LOG_ROTATE && marked > permitted);
	from = begin_page(lines);
	/* of what waits nothing is written, also where the log is deleted to make room */
	if (!outdated && look_at_log(&status)) {
		lines->log_inode = status.st_ino;
		lines->log_size = (uint64_t)status.st_size;
	}
	memcpy(lines->bytes + lines->length, pending + from, marked - from);
	lines->length += (uint32_t)(marked - from);
	return marked < end ? ANNOUNCED_SOME : ANNOUNCED_ALL;
}

bool
log_unannounced(void)
{
	return !held && (try_again == NEVER ? outdated && first == end : marked < end);
}

bool
log_permit(bool all)
{
	permitted = marked;
	held = !all || permitted < end;
	return held;
}

bool
log_owes(void)
{
	return first < end && (held || (log_file.descriptor != -1 && try_again == NEVER));
}

/* Makes room where lines stood that are written. */
static void
move_up(void)
{
	if (inherited > 0)
		return;
	memmove(pending, pending + first, end - first);
	permitted = permitted > first ? permitted - first : 0;
	marked = marked > first ? marked - first : 0;
	end -= first;
	first = 0;
}

static bool
append(const char *line, size_t length)
{
	if (length > sizeof(pending) - end)
		move_up();
	if (length > sizeof(pending) - end)
		return false;
	memcpy(pending + end, line, length);
	end += length;
	return true;
}

/* Says how much is missing, in the place where it is missing. */
static bool
confess(void)
{
	char line[NOTICE_BYTES];
	size_t length;

	if (lost == 0)
		return true;
	length = format_own(line, SAY_LINES_LOST, lost);
	if (append(line, length))
		lost = 0;
	return lost == 0;
}

void
log_vline(const char *tag, enum level level, const char *format, va_list arguments)
{
	char message[MESSAGE_MAX], line[OWN_LINE_BYTES];
	size_t length;

	if (!log_says(level))
		return;
	(void)vsnprintf(message, sizeof(message), format, arguments);
	if (end - first > LOG_PENDING_BYTES / 2)
		log_flush();
	length = format_line(line, sizeof(line), tag, level, message);
	if (!confess() || !append(line, length))
		lost++;
}

void
log_line(const char *tag, enum level level, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_vline(tag, level, format, arguments);
	va_end(arguments);
}

/* Lines up to PIECE_BYTES, and at least one: a disk with little room takes some of them. */
static size_t
first_lines(size_t last)
{
	const char *newline;

	if (last - first <= PIECE_BYTES)
		return last - first;
	newline = memrchr(pending + first, '\n', PIECE_BYTES);
	return (size_t)(newline - (pending + first)) + 1;
}

/* A pipe or a terminal takes some of it: so much is taken that a pipe takes it whole or not at all,
 * pipe(7). A socket, or a pipe that is somebody else's, could not be opened anew, so as not to
 * wait: whoever does not read it must not hold us up. A check waits, and loses nothing. */
static bool
write_some(size_t *length)
{
	ssize_t wrote = -1;

	if (brief || !fifo_is_full(log_file.descriptor))
		wrote = write(
		    log_file.descriptor, pending + first, *length < PIPE_BUF ? *length : PIPE_BUF);
	*length = wrote < 0 ? 0 : (size_t)wrote;
	return wrote > 0;
}

/* False: what is pending has to wait. */
static bool
write_pending(void)
{
	size_t length;

	/* standard error that was deleted, or a terminal that has gone, would be handed over again
	 */
	if (log_file.descriptor != -1 && !nameless && !line_file_look(&log_file))
		line_file_close(&log_file);
	if (log_file.descriptor == -1 || asked == LOG_ROTATE)
		return false;
	if (!held)
		permitted = end;
	while (first < permitted) {
		length = first_lines(permitted);
		if (!(nameless ? write_some(&length)
			       : line_file_write(&log_file, pending + first, length))) {
			try_again = clock_now() + TRY_AGAIN; /* ENOSPC: there may be room later */
			return false;
		}
		first += length;
		grown = true;
	}
	if (first == end)
		begin_anew();
	return true;
}

void
log_flush(void)
{
	if (log_file.descriptor != -1)
		try_again = NEVER;
	if (first < end && write_pending() && lost > 0 && confess())
		(void)write_pending();
}

enum log_request
log_wants(void)
{
	enum log_request wanted = LOG_NOTHING;

	if (asked != LOG_NOTHING)
		return LOG_NOTHING;
	if (log_file.descriptor == -1 && first < end &&
	    (try_again == NEVER || try_again <= clock_now()))
		wanted = LOG_REOPEN;
	else if (log_file.descriptor != -1 && !nameless && rotate_size > 0 &&
	    marked <= permitted && /* what is announced is for the file that is there */
	    log_file.size >= rotate_size && clock_now() >= grows_until)
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
