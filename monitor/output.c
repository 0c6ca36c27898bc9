#include <sys/epoll.h>
#include <sys/resource.h>

#include <errno.h>
#include <string.h>

#include "bucket.h"
#include "clock.h"
#include "commands.h"
#include "control.h"
#include "fifo.h"
#include "log.h"
#include "output.h"
#include "parent.h"
#include "piece.h"
#include "remains.h"
#include "report.h"
#include "sources.h"
#include "share.h"
#include "stamp.h"
#include "vocabulary.h"

/* However high a rate is, it is looked so many times a second at what waits for it. */
#define LOOKS_AT_RATE 100
/* How often what could not be written is tried again, and how long it may wait until it is dropped.
 */
#define TRY_AGAIN (1 * SECOND)
#define KEEP_FOR  (30 * SECOND)
/* How long it may wait when we leave. */
#define HURRY_FOR (1500 * MILLISECOND)
/* An unfinished line is looked at again so much later for each of its bytes, however often it
 * grows: who prints byte by byte must not make us copy all of it for each. */
#define QUIET_FOR_A_BYTE 16 /* nanoseconds */
/* And it is looked at again by the clock: a write(2) that fills a FIFO in which something stands
 * already waits for room without telling any reader, see pipe_write() in Linux. At first after the
 * one, then after twice the time, up to the other. What stays unfinished for so long that a look is
 * a second away gets a larger FIFO, which no usual write(2) fills. */
#define UNFINISHED_FIRST (1 * MILLISECOND)
#define UNFINISHED_MOST	 (60 * SECOND)
/* A file that the parent opens for somebody just now is put aside so much later. */
#define OPENED_WITHIN (1 * MILLISECOND)
/* What a FIFO that was found full is made to hold, so that its writer seldom waits for us. One in
 * which short lines stand is full before the bytes say so, for a line that does not fit into what
 * is left of a page begins another: it is made roomy first, which halves how often its writer is
 * woken, and what we read and write still stays in the processor's cache. */
#define BUSY_FIFO_BYTES (1024 * 1024)
/* Who prints much in short pieces needs no more than this while the FIFO rests, and an ended one
 * gets it again. */
#define USUAL_FIFO_BYTES 65536
/* What FIFOs are enlarged to for the speed of it, all together. It is half of what pipe(7) grants a
 * user, pipe-user-pages-soft: of the rest other FIFOs are made, and enlarged for long lines, which
 * would be split else. */
#define ENLARGED_BYTES_MAX (32 * 1024 * 1024)
/*
 * Who prints line by line wakes us for each: that costs both of us more than the lines. After so
 * many looks that found little, each soon after the one before, the FIFO rests for a moment, in
 * which it takes in what its service prints; epoll tells us of it again when a look has found
 * nothing.
 */
#define HOT_LOOKS 32
#define LITTLE	  (16 * 1024)
#define SOON	  (4 * MILLISECOND)
#define REST	  (1 * MILLISECOND)
/*
 * Who prints without end keeps us on a processor, and a process that was just born is easily put
 * behind us there, to wait for the scheduler's next tick or two, though another processor is idle
 * at times. And who asks us something waits for us. So for some milliseconds after a start or a
 * question all FIFOs in which much is found rest as well, at once: the parent is asked for the
 * start behind all that is looked at before.
 */
#define GIVE_WAY (5 * MILLISECOND)
/* To write what a few print without end takes milliseconds, and whoever has something to tell us
 * meanwhile waits. So a turn is over after this, or after one look. */
#define TURN_FOR (MILLISECOND / 4)
/* A file that cannot be put aside grows for so long before it is tried again. */
#define GROW_FOR (60 * SECOND)
/* So many pieces that cannot be read are skipped in one go: it takes longer than to read them, and
 * others wait. */
#define PIECES_SKIPPED 16

/*
 * Who makes us sleep for long in the lock of a FIFO of his, or run for long in the kernel, which
 * wakes each of a million epoll instances of his that wait for the FIFO, has none of his FIFOs
 * looked at for so many times as long: all others wait meanwhile, and he may have a hundred.
 */
#define KEPT_AGAIN 20
/* Likewise in that of a file of his which he can keep. A slow disk may be the one that did it: then
 * he waits who prints so much. */
#define KEPT_IN_FILE (50 * MILLISECOND)

static TAILQ_HEAD(stream_queue, output_stream) ready = TAILQ_HEAD_INITIALIZER(ready);
static struct stream_queue resting = TAILQ_HEAD_INITIALIZER(resting); /* the first ones first */
static struct stream_queue waiting = TAILQ_HEAD_INITIALIZER(waiting); /* look_at says for when */
static uint64_t uses;
static unsigned open_files, open_files_max, open_fifos;
/* FIFOs of profiles that the parent was asked to forget, until it has done what is marked so. */
static int partings[STREAM_COUNT * PROFILES_MAX];
static unsigned parting_count;
static uint32_t parting_mark;
static size_t enlarged_bytes; /* in FIFOs that hold ROOMY_FIFO_BYTES or more */
static int64_t next_look = NEVER;
static int64_t give_way_until;
static struct bucket keepers[BUCKETS]; /* whose FIFOs are left alone, until they are full */
static int64_t kept_until;	       /* ... the last of them */
static int64_t kept_in_file;	       /* since this look began */
static struct fifo_effort effort;      /* before this look */
static int64_t much_at;		       /* when much was last found anywhere */
static int64_t hurried_at; /* we leave, and no rate holds up what is printed; 0: we stay */

void
output_prepare(void)
{
	struct rlimit limit;

	fifo_prepare();
	open_files_max = getrlimit(RLIMIT_NOFILE, &limit) == 0 ? (unsigned)limit.rlim_cur : 1024;
}

static void
dequeue(struct output_stream *stream)
{
	if (stream->ready)
		TAILQ_REMOVE(&ready, stream, queue);
	if (stream->resting)
		TAILQ_REMOVE(&resting, stream, queue);
	stream->ready = stream->resting = false;
}

static void
enqueue(struct output_stream *stream)
{
	if (stream->ready || stream->fifo == -1)
		return;
	dequeue(stream);
	stream->ready = true;
	TAILQ_INSERT_TAIL(&ready, stream, queue);
}

static void
look_later(struct output_stream *stream, int64_t when)
{
	stream->look_at = when;
	next_look = clock_earlier(next_look, when);
	if (!stream->waiting)
		TAILQ_INSERT_TAIL(&waiting, stream, wait);
	stream->waiting = true;
}

static void
stop_waiting(struct output_stream *stream)
{
	if (stream->waiting)
		TAILQ_REMOVE(&waiting, stream, wait);
	stream->waiting = false;
}

/* An unfinished line will not be finished any more. No more is waited for than a FIFO holds:
 * somebody may go on printing who was handed the service's standard output, and is not ours. */
static void
flush(struct output_stream *stream)
{
	stream->flush = BUSY_FIFO_BYTES;
	if (stream->unfinished > 0)
		stream->look_at = NEVER;
	enqueue(stream);
}

/* EPOLLET: a line that is not finished does not wake us again until it grows. */
static int
watch(const struct output_stream *stream)
{
	return loop_add(stream->fifo, EPOLLIN | EPOLLET, SOURCE_FIFO, table_stream_number(stream));
}

/* So much the stream's FIFO holds from now on. */
static void
has_room(struct output_stream *stream, size_t bytes)
{
	enlarged_bytes -= stream->room >= ROOMY_FIFO_BYTES ? stream->room : 0;
	stream->room = bytes;
	enlarged_bytes += stream->room >= ROOMY_FIFO_BYTES ? stream->room : 0;
}

static void
listen_to_fifo(struct profile *profile, enum stream which, int fifo)
{
	struct output_stream *stream = table_stream(profile, which);

	stream->fifo = fifo;
	has_room(stream, 0); /* it is asked at the first look */
	stream->muted = stream->unwatched = watch(stream) == -1;
	if (stream->unwatched)
		share_line(profile, SAY_OUTPUT_LOST, strerror(errno));
	enqueue(stream); /* what stood in it before us raises no event */
}

static void
close_fifo(int *fifo)
{
	if (*fifo != -1)
		open_fifos--;
	loop_close(fifo);
}

void
output_take_fifo(void *subject, struct incoming *incoming)
{
	const struct message *message = &incoming->message;
	struct profile *profile = table_at(message->index, message->generation);
	enum stream which = (enum stream)message->file.stream;
	struct output_stream *stream;

	(void)subject;
	if (profile == NULL)
		return;
	table_use_stream(profile, which);
	stream = table_stream(profile, which);
	open_fifos++;
	if (stream->fifo == -1) {
		listen_to_fifo(profile, which, channel_take(incoming));
		return;
	}
	/* it is another user's from now on: what the one before has printed is written first */
	close_fifo(&stream->next_fifo);
	stream->next_fifo = channel_take(incoming);
	flush(stream);
}

/* Nothing is left of what the user before has printed. Another file is begun, too: he may have this
 * one open for reading. */
static void
turn_to_next_fifo(struct output_stream *stream)
{
	enum stream which;
	struct profile *profile = table_holding(stream, &which);
	int next = stream->next_fifo;

	close_fifo(&stream->fifo);
	stream->next_fifo = -1;
	stream->handed_on = true;
	listen_to_fifo(profile, which, next);
}

static void
close_file(struct output_stream *stream)
{
	if (stream->file.descriptor != -1)
		open_files--;
	line_file_close(&stream->file);
}

/* Keeps room for descriptors: closes the file that was not used for the longest time. */
static void
make_room(void)
{
	struct output_stream *oldest = NULL, *stream;
	struct profile *profile;
	uint32_t index;
	unsigned which;

	if (open_files + open_fifos + CLIENTS_MAX + 64 < open_files_max)
		return;
	PROFILES_FOREACH(profile, index) {
		for (which = 0; which < profile->stream_count; which++) {
			stream = table_stream(profile, which);
			if (stream->file.descriptor != -1 &&
			    (oldest == NULL || stream->last_use < oldest->last_use))
				oldest = stream;
		}
	}
	if (oldest != NULL)
		close_file(oldest);
}

/* It has waited for too long. */
static bool
too_long(const struct output_stream *stream, int64_t now)
{
	return stream->stuck_since != 0 &&
	    (now - stream->stuck_since > KEEP_FOR ||
		(hurried_at != 0 && now - hurried_at > HURRY_FOR));
}

/* Should we be killed, the next monitor is to say how much it was. */
static void
note_dropped(struct output_stream *stream)
{
	enum stream which;
	struct profile *profile = table_holding(stream, &which);

	if (profile->acquainted)
		parent_ask_note(profile);
}

/* It cannot be written now. Waits in the FIFO, where the service waits in turn; too long, and it is
 * dropped and counted, so that the service goes on. */
static void
stuck(struct output_stream *stream, const char *name, int error)
{
	int64_t now = clock_now();

	if (stream->stuck_since == 0) {
		stream->stuck_since = now;
		log_line(name, SAY_OUTPUT_STUCK, strerror(error));
	}
	stream->stuck_error = error;
	stream->unfinished = 0;
	look_later(stream, now + TRY_AGAIN);
	if (stream->dropped > 0)
		note_dropped(stream);
	if (too_long(stream, now))
		enqueue(stream);
}

static void
no_longer_stuck(struct output_stream *stream)
{
	stream->stuck_since = stream->stuck_error = 0;
	if (stream->dropped == 0)
		return;
	stream->dropped = 0;
	note_dropped(stream);
}

/* He has kept us, or the parent, for so long. */
static void
blame(uint32_t uid, int64_t kept)
{
	struct bucket *keeper = bucket_of(keepers, uid);
	int64_t until = clock_now() + kept * KEPT_AGAIN;

	if (keeper->full < until)
		keeper->full = until;
	if (kept_until < until)
		kept_until = until;
}

void
output_take_file(void *subject, struct incoming *incoming)
{
	const struct message *message = &incoming->message;
	struct profile *profile = table_at(message->index, message->generation);
	int64_t took = message->file.took_ms * MILLISECOND;
	struct output_stream *stream;
	bool rotated;

	(void)subject;
	if (profile == NULL || message->file.stream >= profile->stream_count)
		return;
	stream = table_stream(profile, message->file.stream);
	rotated = stream->rotating;
	if (rotated && stream->lent && took >= KEPT_IN_FILE)
		blame(profile->facts.uid, took);
	stream->asked = false;
	parent_has_file(stream);
	close_file(stream);
	if (incoming->count == 0) {
		stuck(stream, profile->facts.name, message->file.error);
		return;
	}
	if (rotated && message->file.size > 0) { /* it is the one that was to be put aside */
		stream->grows_until = clock_now() + GROW_FOR;
		log_line(profile->facts.name, SAY_OUTPUT_UNROTATED);
	}
	make_room();
	line_file_use(&stream->file, channel_take(incoming), message->file.size);
	stream->last_use = ++uses;
	open_files++;
	commands_log_rotated(profile); /* or opened anew, after logrotate(8) */
	enqueue(stream);
}

static void
ask_for_file(struct output_stream *stream)
{
	if (stream->asked)
		return;
	stream->asked = true;
	parent_ask_file(stream);
}

static void
rotate(struct output_stream *stream)
{
	close_file(stream);
	stream->asked = stream->rotating = true;
	parent_ask_file(stream);
}

/* How many of the `length` bytes of lines may go out now. */
static size_t
limit_lines(const struct output_settings *settings, struct output_stream *stream, size_t length)
{
	uint32_t rate = settings->rate;
	int64_t now;
	size_t taken;

	if (rate == 0 || hurried_at != 0)
		return length;
	now = clock_now();
	taken = piece_first_lines(length, bucket_tokens(&stream->lines, now, rate, SECOND / rate));
	if (taken < length)
		look_later(
		    stream, now + (rate < LOOKS_AT_RATE ? SECOND / rate : SECOND / LOOKS_AT_RATE));
	return taken;
}

/* These lines have gone out. */
static void
spend(const struct output_settings *settings, struct output_stream *stream, size_t length)
{
	if (settings->rate > 0)
		stream->lines.full +=
		    piece_count_lines(length, settings->rate) * (SECOND / settings->rate);
}

/* Unless all together would hold more than `most`, or the system's limits do not allow it. */
static bool
enlarge(struct output_stream *stream, size_t bytes, size_t most)
{
	if (stream->room >= bytes || enlarged_bytes + bytes > most ||
	    !fifo_resize(stream->fifo, bytes))
		return false;
	has_room(stream, bytes);
	return true;
}

/* It is worth the memory where many bytes come. */
static bool
enlarge_if_busy(struct output_stream *stream)
{
	return enlarge(stream, BUSY_FIFO_BYTES, ENLARGED_BYTES_MAX / 2) ||
	    enlarge(stream, ROOMY_FIFO_BYTES, ENLARGED_BYTES_MAX);
}

/* A line of 64 KiB needs more room than a new FIFO has to stay whole. */
static bool
enlarge_for_line(struct output_stream *stream)
{
	return enlarge_if_busy(stream) || enlarge(stream, ROOMY_FIFO_BYTES, SIZE_MAX);
}

/* The next life of the service may print less, and others more. */
static void
give_room_back(struct output_stream *stream)
{
	if (stream->room >= ROOMY_FIFO_BYTES && fifo_resize(stream->fifo, USUAL_FIFO_BYTES))
		has_room(stream, USUAL_FIFO_BYTES);
}

/* What of a piece of `length` bytes can be written: whole lines; an unfinished one when it must go
 * out, and then *behind is what has to stand behind it. 0: nothing yet. */
static size_t
choose(struct output_stream *stream, size_t length, const char **behind)
{
	size_t whole = piece_whole_lines(length);
	bool full;

	*behind = "";
	if (whole > 0)
		return whole;
	full = fifo_is_full(stream->fifo);
	if ((full || length >= LINE_MAX_BYTES) && enlarge_for_line(stream))
		return 0; /* there is room for the rest of it now */
	/* when it was filled only after we had looked at it, the rest of the line has come too */
	full = full && piece_look(stream->fifo) == (ssize_t)length;
	if (full || length > LINE_MAX_BYTES) {
		*behind = SPLIT_MARK;
		return length > LINE_MAX_BYTES ? LINE_MAX_BYTES : length;
	}
	*behind = "\n";
	return stream->flush > 0 ? length : 0;
}

/* FIEMAP on ext4 takes the file's lock, and waits for a page of whoever asks. */
static bool
write_to_file(struct output_stream *stream, struct text text)
{
	int64_t begun = clock_now();
	bool written = line_file_write(&stream->file, text.bytes, text.length);
	int error = errno;

	if (stream->lent)
		kept_in_file += clock_now() - begun;
	errno = error;
	return written;
}

/* Writes these lines, behind a notice of what was dropped before them; false with errno. */
static bool
put(const struct profile *profile, struct output_stream *stream, struct text text)
{
	if (stream->dropped > 0)
		text = piece_confess(text, stream->dropped);
	if (!write_to_file(stream, text) && !(remains_free() && write_to_file(stream, text)))
		return false;
	if (stream->stuck_since == 0)
		return true;
	if (stream->dropped > 0)
		share_line(profile, SAY_OUTPUT_DROPPED, (unsigned long long)stream->dropped);
	else
		share_line(profile, SAY_OUTPUT_RESUMED);
	no_longer_stuck(stream);
	return true;
}

static void
confess(const struct profile *profile, const struct output_stream *stream)
{
	if (stream->dropped > 0)
		share_line(profile, SAY_OUTPUT_GONE, (unsigned long long)stream->dropped);
}

/* Nobody wants what waits. Should output be wanted again, it waits anew. */
static void
throw_away(const struct profile *profile, struct output_stream *stream)
{
	stream->flush = 0;
	if (stream->stuck_since == 0)
		return;
	confess(profile, stream);
	no_longer_stuck(stream);
}

/* A line that is not finished stays in the FIFO until it is, or can grow no more. */
static void
look_at_unfinished(struct output_stream *stream, size_t length)
{
	int64_t now = clock_now();

	if (stream->unfinished != length || stream->pause == 0)
		stream->pause = UNFINISHED_FIRST;
	else if (stream->pause < UNFINISHED_MOST)
		stream->pause *= 2;
	if (stream->pause > SECOND)
		(void)enlarge(stream, ROOMY_FIFO_BYTES, ENLARGED_BYTES_MAX);
	stream->unfinished = length;
	stream->quiet_until = now + (int64_t)length * QUIET_FOR_A_BYTE;
	look_later(stream, now + stream->pause);
}

/* Does epoll tell us when something is printed? EPOLLET: a line that is not finished does not wake
 * us again until it grows. What was printed before it does raises an event, epoll_ctl(2). */
static void
hear(struct output_stream *stream, bool heard)
{
	int64_t now = clock_now();

	if (stream->unwatched && watch(stream) == -1) {
		/* until then it is looked at by the clock */
		look_later(stream,
		    clock_earlier(
			stream->look_at > now ? stream->look_at : NEVER, now + TRY_AGAIN));
		return;
	}
	stream->unwatched = false;
	stream->muted = !heard;
	loop_change(
	    stream->fifo, heard ? EPOLLIN | EPOLLET : 0, SOURCE_FIFO, table_stream_number(stream));
}

static void
rest(struct output_stream *stream, int64_t now)
{
	if (!stream->muted)
		hear(stream, false);
	stream->resting = true;
	stream->rest_until = now + REST;
	TAILQ_INSERT_TAIL(&resting, stream, queue);
}

/* Lines have been written, and so many bytes of them were all that stood in the FIFO. */
static void
rest_if_hot(struct output_stream *stream, size_t bytes)
{
	int64_t now = clock_now(), before = stream->moved_at;

	stream->moved_at = now;
	stream->since_little += bytes;
	if (bytes > LITTLE)
		return;
	/* who prints more than fits in while it rests would have to wait */
	if (now - before > SOON ||
	    (stream->since_little > stream->room / 2 && !enlarge_if_busy(stream)))
		stream->heat = 0;
	stream->since_little = 0;
	if (++stream->heat < HOT_LOOKS)
		return;
	rest(stream, now);
}

/* How much may still go into the file. */
static uint64_t
room_left(const struct output_settings *settings, const struct output_stream *stream)
{
	uint64_t used = stream->file.size + (stream->dropped > 0 ? NOTICE_BYTES : 0);

	if (stream->grows_until != 0 && clock_now() < stream->grows_until)
		return UINT64_MAX;
	return settings->rotate_size > used ? settings->rotate_size - used : 0;
}

/* Nothing stands in the FIFO. What was dropped last, and nothing after it, is confessed when it has
 * been quiet for a while: the disk may have room for a notice and for no line. A line that comes
 * before is not dropped without having been tried: of who prints a little now and then, nothing
 * would stand there whenever we look. */
static void
find_nothing(const struct profile *profile, struct output_stream *stream)
{
	int64_t quiet_at = stream->dropped_at + TRY_AGAIN;
	size_t nothing = 0;

	if (stream->flush > 0)
		give_room_back(stream);
	stream->flush = 0;
	stream->unfinished = 0;
	if (stream->stuck_since == 0)
		return;
	stream->idle = stream->dropped > 0 && clock_now() < quiet_at;
	if (stream->idle)
		look_later(stream, quiet_at);
	else if (!put(profile, stream, piece_format(&nothing, "", true, 0)))
		stuck(stream, profile->facts.name, errno);
}

/* The first of these lines, as many as a disk that is nearly full has just had room for: it is full
 * then, and does not take a few lines now and then for which all others wait anew. */
static bool
put_what_fits(
    const struct profile *profile, struct output_stream *stream, size_t *length, const char *behind)
{
	bool raw = profile->settings.output.raw;
	size_t notice = stream->dropped > 0 ? NOTICE_BYTES : 0, fits = 0;

	if (stream->file.took > notice)
		fits = piece_fitting_lines(*length, raw, stream->file.took - notice);
	if (fits == 0 || fits == *length)
		return false;
	*length = fits;
	return put(profile, stream, piece_format(length, behind, raw, stream->file.size));
}

/* How much of a line that is longer than the file may be goes into it: all of it, unless a tenant's
 * quota counts on the size; then *behind says that more follows. */
static size_t
fit_line(const struct profile *profile, size_t length, uint64_t room, const char **behind)
{
	if (profile->facts.quota.output_bytes == 0)
		return length;
	*behind = SPLIT_MARK;
	return room - STAMP_BYTES - strlen(SPLIT_MARK);
}

/* The lines that are to go out now, the piece's first `length` bytes; false when they have to wait.
 */
static bool
write_lines(struct profile *profile, enum stream which, size_t *length, const char *behind)
{
	struct output_stream *stream = table_stream(profile, which);
	const struct output_settings *settings = &profile->settings.output;
	uint64_t room = room_left(settings, stream);
	size_t all = *length;
	struct text text = piece_format(length, behind, settings->raw, stream->file.size);

	if (text.length > room) {
		*length = piece_fitting_lines(all, settings->raw, room);
		if (*length == 0 && stream->file.size > 0) {
			if (commands_opening(profile))
				look_later(stream, clock_now() + OPENED_WITHIN);
			else
				rotate(stream);
			return false;
		}
		if (*length == 0)
			*length = fit_line(profile, piece_first_lines(all, 1), room, &behind);
		text = piece_format(length, behind, settings->raw, stream->file.size);
	}
	if (!put(profile, stream, text) && !put_what_fits(profile, stream, length, behind)) {
		stuck(stream, profile->facts.name, errno);
		return false;
	}
	spend(settings, stream, *length);
	return true;
}

/* So many bytes have left the FIFO, those of a service that has ended before all others. */
static size_t
have_left(struct output_stream *stream, size_t bytes)
{
	stream->flush -= bytes < stream->flush ? bytes : stream->flush;
	return bytes;
}

/* What stands first in the FIFO cannot be read, for its user has put it there in a way that it
 * cannot be: it is dropped and counted. The next look is later, or he could fill the log. */
static void
skip_unreadable(const struct profile *profile, struct output_stream *stream, int error)
{
	int64_t now = clock_now();
	unsigned pieces = 0;

	if (stream->stuck_since == 0) {
		stream->stuck_since = now;
		share_line(profile, SAY_OUTPUT_UNREADABLE, strerror(error));
	}
	do
		stream->dropped += have_left(stream, fifo_skip(stream->fifo));
	while (piece_look(stream->fifo) == -1 && ++pieces < PIECES_SKIPPED &&
	    clock_now() - now < FIFO_KEPT_LONG);
	stream->dropped_at = now;
	stream->unfinished = 0;
	look_later(stream, now + TRY_AGAIN);
}

/* True when there may be more to do for the stream at once. */
static bool
move_lines(struct profile *profile, enum stream which)
{
	struct output_stream *stream = table_stream(profile, which);
	const char *behind;
	ssize_t shown = piece_look(stream->fifo);
	size_t length = (size_t)shown, take;

	if (shown == 0)
		find_nothing(profile, stream);
	else if (shown == -1)
		skip_unreadable(profile, stream, errno);
	if (shown <= 0)
		return false;
	if (length >= LINE_MAX_BYTES)
		(void)enlarge_if_busy(stream);
	else if (length > stream->room / 4 * 3 && stream->stuck_since == 0)
		(void)enlarge(stream, ROOMY_FIFO_BYTES, ENLARGED_BYTES_MAX);
	take = choose(stream, length, &behind);
	if (take == 0) {
		look_at_unfinished(stream, length);
		return false;
	}
	stream->unfinished = 0;
	take = limit_lines(&profile->settings.output, stream, take);
	if (take == 0 || !write_lines(profile, which, &take, behind))
		return false;
	(void)have_left(stream, fifo_consume(stream->fifo, take));
	stream->last_use = ++uses;
	commands_log_grew(profile);
	stream->much = length > LITTLE;
	if (stream->much)
		much_at = clock_now();
	if (take < length || stream->flush > 0)
		return true;
	rest_if_hot(stream, length);
	return false;
}

/* Whole lines, as they would have been written, so that what is written next begins with one. */
static bool
drop_lines(const struct profile *profile, struct output_stream *stream)
{
	ssize_t length = piece_look(stream->fifo);
	const char *behind;
	size_t take = 0;

	if (length == 0)
		stream->flush = 0;
	else if (length > 0)
		take = choose(stream, (size_t)length, &behind);
	if (take == 0 && length >= 0)
		return false; /* it is looked at again */
	if (stream->dropped == 0)
		share_line(profile, SAY_OUTPUT_DROPPING,
		    (unsigned)((clock_now() - stream->stuck_since) / SECOND));
	stream->dropped += have_left(
	    stream, length == -1 ? fifo_skip(stream->fifo) : fifo_consume(stream->fifo, take));
	stream->dropped_at = clock_now();
	return true;
}

/* One look at one stream; true when it should soon be looked at again. */
static bool
look_at_stream(struct output_stream *stream)
{
	enum stream which;
	struct profile *profile = table_holding(stream, &which);
	int64_t now = clock_now();

	if (profile->settings.output.discard) {
		throw_away(profile, stream);
		return fifo_throw_away(stream->fifo);
	}
	if (stream->look_at != NEVER && stream->look_at > now && !stream->idle)
		return too_long(stream, now) && drop_lines(profile, stream);
	stream->look_at = NEVER;
	stream->idle = false;
	if (stream->room == 0)
		has_room(
		    stream, fifo_size(stream->fifo)); /* the monitor before may have enlarged it */
	if (stream->file.descriptor != -1 && !line_file_look(&stream->file))
		close_file(stream);
	if (stream->file.descriptor == -1) {
		ask_for_file(stream);
		return false;
	}
	if (stream->handed_on) {
		stream->handed_on = false;
		rotate(stream);
		return false;
	}
	return move_lines(profile, which);
}

void
output_give_way(void)
{
	give_way_until = clock_now() + GIVE_WAY;
}

/* Of all in which much was found one is looked at in each rest. What a service has left that has
 * ended does not wait: should its FIFO be locked, that is to keep us before its successor is asked
 * for, and not the parent. */
static bool
gives_way(const struct output_stream *stream)
{
	int64_t now = clock_now();

	return stream->much && now < give_way_until && now - much_at < REST && stream->flush == 0 &&
	    hurried_at == 0;
}

/* A look may have taken long because many want the processor: then nobody is to blame. */
static void
blame_keeper(uint32_t uid)
{
	int64_t kept = fifo_kept();
	struct fifo_effort after;

	if (kept_in_file >= KEPT_IN_FILE)
		kept += kept_in_file;
	if (kept < FIFO_KEPT_LONG)
		return;
	after = fifo_effort();
	if (after.sleeps == effort.sleeps && after.ran - effort.ran < FIFO_KEPT_LONG)
		return;
	blame(uid, kept);
}

/* Is it left alone? When we leave, nobody else is waiting. */
static bool
leave_alone(struct output_stream *stream, uint32_t uid)
{
	int64_t now = clock_now(), until;

	if (now >= kept_until || hurried_at != 0)
		return false;
	until = bucket_of(keepers, uid)->full;
	if (now >= until)
		return false;
	if (!stream->muted)
		hear(stream, false);
	look_later(stream, until);
	return true;
}

/* Looks at it, and sees to it that it has its next look. */
static void
attend(struct output_stream *stream)
{
	bool more = !gives_way(stream) && look_at_stream(stream);

	if (stream->resting)
		return;
	if (gives_way(stream)) {
		rest(stream, clock_now());
	} else if (more) {
		enqueue(stream);
	} else if (stream->next_fifo != -1 && piece_look(stream->fifo) == 0) {
		turn_to_next_fifo(stream);
	} else if (stream->muted) {
		stream->heat = 0;
		hear(stream, true);
	}
}

/* Its user is blamed for what this has taken, and for nothing that others have done before. */
static void
pump(struct output_stream *stream)
{
	enum stream which;
	uint32_t uid = table_holding(stream, &which)->facts.uid;

	if (leave_alone(stream, uid))
		return;
	(void)fifo_kept();
	kept_in_file = 0;
	effort = fifo_effort();
	attend(stream);
	blame_keeper(uid);
}

void
output_flush(struct profile *profile)
{
	unsigned which;

	for (which = 0; which < profile->stream_count; which++)
		if (table_stream(profile, which)->fifo != -1)
			flush(table_stream(profile, which));
}

void
output_hurry(void)
{
	struct profile *profile;
	uint32_t index;
	unsigned which;

	hurried_at = clock_now();
	PROFILES_FOREACH(profile, index) {
		for (which = 0; which < profile->stream_count; which++) {
			table_stream(profile, which)->look_at = NEVER;
			enqueue(table_stream(profile, which));
		}
	}
}

bool
output_idle(const struct profile *profile)
{
	const struct output_stream *stream;
	unsigned which;

	for (which = 0; which < profile->stream_count; which++) {
		stream = table_stream(profile, which);
		if (stream->fifo != -1 && stream->flush > 0)
			return false;
	}
	return true;
}

int
output_error(const struct profile *profile)
{
	unsigned which;
	int error = 0;

	for (which = 0; which < profile->stream_count && error == 0; which++)
		error = table_stream(profile, which)->stuck_error;
	return error;
}

void
output_confess(const struct profile *profile)
{
	unsigned which;

	for (which = 0; which < profile->stream_count; which++)
		confess(profile, table_stream(profile, which));
}

void
output_note(const struct profile *profile, uint64_t *dropped)
{
	unsigned which;

	for (which = 0; which < profile->stream_count; which++)
		dropped[which] = table_stream(profile, which)->dropped;
}

void
output_recall(struct profile *profile, const uint64_t *dropped)
{
	struct output_stream *stream;
	unsigned which;

	for (which = 0; which < STREAM_COUNT; which++) {
		if (dropped[which] == 0)
			continue;
		table_use_stream(profile, which);
		stream = table_stream(profile, which);
		stream->dropped += dropped[which];
		stream->stuck_since = clock_now() - KEEP_FOR - 1; /* it has waited already */
	}
}

/*
 * The parent is to close it first. Who closes a FIFO last waits for its lock, which its user may
 * keep for as long as he likes, if he has opened it for himself: we can be replaced then.
 */
static void
part_with(int *fifo)
{
	if (*fifo == -1)
		return;
	loop_mute(*fifo);
	if (parting_count < sizeof(partings) / sizeof(partings[0]))
		partings[parting_count++] = *fifo;
	else
		close_fifo(fifo);
	*fifo = -1;
	parting_mark = parent_next_mark();
}

void
output_part(void)
{
	if (!parent_has_done(parting_mark))
		return;
	while (parting_count > 0)
		close_fifo(&partings[--parting_count]);
}

void
output_forget(struct profile *profile)
{
	struct output_stream *stream;
	unsigned which;

	output_confess(profile);
	for (which = 0; which < profile->stream_count; which++) {
		stream = table_stream(profile, which);
		dequeue(stream);
		close_file(stream);
		part_with(&stream->fifo);
		has_room(stream, 0);
		part_with(&stream->next_fifo);
		parent_has_file(stream);
		stop_waiting(stream);
		stream->look_at = NEVER;
	}
}

void
output_lend(const struct profile *profile)
{
	unsigned which;

	for (which = 0; which < profile->stream_count; which++)
		table_stream(profile, which)->lent = true;
}

void
output_reopen(void)
{
	struct profile *profile;
	uint32_t index;
	unsigned which;

	PROFILES_FOREACH(profile, index) {
		for (which = 0; which < profile->stream_count; which++)
			close_file(table_stream(profile, which));
	}
}

void
output_event(uint32_t number, uint32_t events)
{
	struct output_stream *stream = table_stream_numbered(number);

	(void)events;
	if (stream == NULL)
		return;
	if (stream->unfinished > 0 && stream->quiet_until > clock_now()) {
		look_later(stream, stream->quiet_until);
		return;
	}
	if (stream->unfinished > 0)
		stream->look_at = NEVER; /* it has grown: no need to wait */
	enqueue(stream);
}

int64_t
output_deadline(void)
{
	if (!TAILQ_EMPTY(&ready))
		return 0;
	return TAILQ_EMPTY(&resting) ? next_look
				     : clock_earlier(next_look, TAILQ_FIRST(&resting)->rest_until);
}

static void
look_at_due(int64_t now)
{
	struct output_stream *stream, *next;

	next_look = NEVER;
	for (stream = TAILQ_FIRST(&waiting); stream != NULL; stream = next) {
		next = TAILQ_NEXT(stream, wait);
		if (stream->look_at <= now)
			enqueue(stream);
		if (stream->look_at <= now || stream->look_at == NEVER)
			stop_waiting(stream);
		else
			next_look = clock_earlier(next_look, stream->look_at);
	}
}

void
output_tend(int64_t now)
{
	struct output_stream *last, *stream;

	if (now >= next_look)
		look_at_due(now);
	while ((stream = TAILQ_FIRST(&resting)) != NULL && stream->rest_until <= now)
		enqueue(stream);
	/* each that is ready now gets one look: nobody waits for somebody who prints without end */
	last = TAILQ_LAST(&ready, stream_queue);
	while ((stream = TAILQ_FIRST(&ready)) != NULL) {
		dequeue(stream);
		pump(stream);
		if (stream == last || clock_now() - now > TURN_FOR)
			break;
	}
}
