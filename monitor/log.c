#include <sys/stat.h>
#include <sys/syscall.h>

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "fifo.h"
#include "journal.h"
#include "linefile.h"
#include "log.h"
#include "stamp.h"
#include "vocabulary.h"

#define MESSAGE_MAX    1024
#define OWN_LINE_BYTES (4 * (MESSAGE_MAX + 256))
/* Behind the time stamp and the level. */
#define LINE_TAG_AT (STAMP_MILLISECONDS_BYTES + 6)
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

static char pending[JOURNAL_BYTES];
/* Those that are not written; while lines are held, those from journal.permitted on may not be. */
static struct journal journal;
static uint64_t saved; /* so far the file of the journal has them */
static bool held;
/* The parent has been asked for all that those before `marked` speak of, and has done all that
 * those before `granted` do. */
static uint64_t marked, granted;
/* Lines before this place are the last monitor's, and which of those from journal.permitted on have
 * come true is not known yet; 0: it is. */
static uint64_t undecided;
static bool taken_over; /* some of what waits the last monitor may have written */
static bool upgraded;	/* the parent has forgotten what it had told the last monitor */

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
	if (highest < LEVEL_WARN)
		highest = LEVEL_WARN;
}

void
log_rotate_at(uint64_t size)
{
	rotate_size = size;
}

static char *
line_at(uint64_t place)
{
	return pending + place % JOURNAL_BYTES;
}

/* All lines are written: the room is used from its beginning again. */
static void
begin_anew(void)
{
	journal.first = journal.permitted = journal.end = journal_next_round(journal.end);
	saved = journal.end;
}

/* The log, if it is a file whose size tells what stands in it. */
static bool
look_at_log(struct stat *status)
{
	/* by its own number: the C library's fstat() is another system call on some kernels */
	return log_file.descriptor != -1 && syscall(SYS_fstat, log_file.descriptor, status) == 0 &&
	    S_ISREG(status->st_mode);
}

void
log_inherit(int descriptor)
{
	journal_use(descriptor);
	if (!journal_load(&journal, pending))
		journal.first = journal.permitted = journal.end = journal_first_place();
	saved = marked = granted = journal.end;
	taken_over = journal.first < journal.end;
	undecided = journal.permitted < journal.end ? journal.end : 0;
}

void
log_confirm(uint64_t place)
{
	if (undecided == 0 || place <= journal.permitted)
		return;
	journal.permitted = place < undecided ? place : undecided;
	if (journal.permitted == undecided)
		undecided = 0;
}

void
log_upgraded(void)
{
	upgraded = true;
}

/* Has what the line is about come true, or was it true when it was said, and nobody says it again?
 */
static bool
is_true(const char *line, size_t length, uint64_t place,
    bool (*came_true)(const char *tag, uint64_t place))
{
	char tag[FULL_NAME_BYTES];

	if (length <= LINE_TAG_AT)
		return false; /* no line of ours */
	(void)snprintf(
	    tag, sizeof(tag), "%.*s", (int)strcspn(line + LINE_TAG_AT, " \n"), line + LINE_TAG_AT);
	return strcmp(tag, TAG_PROCLAUNCH) == 0 ? upgraded : came_true(tag, place);
}

void
log_decide(bool (*came_true)(const char *tag, uint64_t place))
{
	uint64_t place = journal.permitted, length;
	char *line, *newline;

	if (undecided == 0)
		return;
	saved = place; /* what follows is put there again, as far as it is true */
	for (; place < undecided; place += length) {
		line = line_at(place);
		length = JOURNAL_BYTES - place % JOURNAL_BYTES;
		if (length > undecided - place)
			length = undecided - place;
		newline = memchr(line, '\n', length);
		if (*line == '\0')
			length = 1;
		else if (newline != NULL)
			length = (uint64_t)(newline - line) + 1;
		if (newline == NULL || !is_true(line, length, place, came_true))
			memset(line, 0, length);
	}
	journal.permitted = granted;
	undecided = 0;
	log_save(); /* before any of it is written, which the next of us counts */
}

uint64_t
log_reached(uint64_t before)
{
	return undecided == 0 ? journal.end : before;
}

/* Some of what the last monitor has left may stand in the log. Where nobody can tell, it is written
 * rather twice than never. */
static void
drop_written(void)
{
	uint64_t written, place = journal.first;
	struct stat status;

	if (!look_at_log(&status) || status.st_ino != journal.log_inode ||
	    (uint64_t)status.st_size <= journal.log_size)
		return;
	written = (uint64_t)status.st_size - journal.log_size;
	for (; written > 0 && place < journal.end; place++)
		written -= *line_at(place) != '\0';
	if (written > 0 || *line_at(place - 1) != '\n')
		return; /* it is not they that it has grown by */
	journal.first = place;
	if (journal.permitted < place)
		journal.permitted = place;
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
	if (descriptor != -1 && taken_over)
		drop_written();
	taken_over = taken_over && descriptor == -1;
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

bool
log_announce(uint64_t *place)
{
	marked = journal.end;
	*place = undecided == 0 ? marked : journal.permitted;
	return undecided == 0;
}

bool
log_permit(bool all)
{
	granted = marked;
	if (undecided == 0 && journal.permitted < granted)
		journal.permitted = granted;
	held = !all || (journal.first < journal.end && granted < journal.end);
	return held;
}

bool
log_decided(void)
{
	return undecided == 0;
}

bool
log_owes(void)
{
	return journal.first < journal.end &&
	    (held || (log_file.descriptor != -1 && try_again == NEVER));
}

void
log_save(void)
{
	struct stat status;

	/* until it is known how much of it the last monitor has written, that one's word stands;
	 * where another file is to come, or it was deleted to make room, nothing of what waits is
	 * written */
	if (!taken_over)
		journal.log_inode = journal.log_size = 0;
	if (!taken_over && journal.first < journal.end && asked != LOG_ROTATE &&
	    look_at_log(&status)) {
		journal.log_inode = status.st_ino;
		journal.log_size = (uint64_t)status.st_size;
	}
	saved = journal_save(&journal, pending, saved);
}

/* In one piece, at the beginning of the room where there is none for it at the end. */
static bool
append(const char *line, size_t length)
{
	size_t at_end = JOURNAL_BYTES - journal.end % JOURNAL_BYTES;
	size_t blank = length > at_end ? at_end : 0;

	if (journal.end - journal.first + blank + length > JOURNAL_BYTES)
		return false;
	memset(line_at(journal.end), 0, blank);
	journal.end += blank;
	memcpy(line_at(journal.end), line, length);
	journal.end += length;
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
	if (journal.end - journal.first > JOURNAL_BYTES / 2)
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
first_lines(void)
{
	const char *line = line_at(journal.first), *blank, *newline;
	size_t length = JOURNAL_BYTES - journal.first % JOURNAL_BYTES;

	if (length > journal.permitted - journal.first)
		length = journal.permitted - journal.first;
	if (length > PIECE_BYTES)
		length = PIECE_BYTES;
	blank = memchr(line, '\0', length);
	if (blank != NULL)
		length = (size_t)(blank - line);
	newline = memrchr(line, '\n', length);
	return newline == NULL ? length : (size_t)(newline - line) + 1;
}

/* True when there are any. */
static bool
find_first_line(void)
{
	while (journal.first < journal.permitted && *line_at(journal.first) == '\0')
		journal.first++;
	return journal.first < journal.permitted;
}

/* A pipe or a terminal takes some of it: so much is taken that a pipe takes it whole or not at all,
 * pipe(7). A socket, or a pipe that is somebody else's, could not be opened anew, so as not to
 * wait: whoever does not read it must not hold us up. A check waits, and loses nothing. */
static bool
write_some(size_t *length)
{
	ssize_t wrote = -1;

	if (brief || !fifo_is_full(log_file.descriptor))
		wrote = write(log_file.descriptor, line_at(journal.first),
		    *length < PIPE_BUF ? *length : PIPE_BUF);
	*length = wrote < 0 ? 0 : (size_t)wrote;
	return wrote > 0;
}

/* Is it to be put aside before anything else is written to it? */
static bool
is_large(void)
{
	return !nameless && rotate_size > 0 && log_file.size >= rotate_size &&
	    clock_now() >= grows_until;
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
	if (!held && undecided == 0)
		journal.permitted = journal.end;
	while (find_first_line()) {
		if (is_large())
			return false;
		length = first_lines();
		if (!(nameless ? write_some(&length)
			       : line_file_write(&log_file, line_at(journal.first), length))) {
			try_again = clock_now() + TRY_AGAIN; /* ENOSPC: there may be room later */
			return false;
		}
		journal.first += length;
		grown = true;
	}
	if (journal.first == journal.end)
		begin_anew();
	return true;
}

void
log_flush(void)
{
	if (log_file.descriptor != -1)
		try_again = NEVER;
	/* or the log would grow by more than the next of us knows of, who could not tell what */
	if (journal.first < saved && saved < journal.end)
		log_save();
	if (journal.first < journal.end && write_pending() && lost > 0 && confess())
		(void)write_pending();
}

enum log_request
log_wants(void)
{
	enum log_request wanted = LOG_NOTHING;

	if (asked != LOG_NOTHING)
		return LOG_NOTHING;
	if (log_file.descriptor == -1 && journal.first < journal.end &&
	    (try_again == NEVER || try_again <= clock_now()))
		wanted = LOG_REOPEN;
	else if (log_file.descriptor != -1 && is_large())
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
