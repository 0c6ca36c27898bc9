#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "children.h"
#include "clock.h"
#include "files.h"
#include "inform.h"
#include "outputs.h"
#include "watch.h"

#define REPORTS_MAX 64
/* A FIFO that could not be opened for want of descriptors or memory is handed over so much later.
 */
#define HAND_OVER_AGAIN (1 * SECOND)
/* The files that may be asked for, a bit each: of each stream the one to be written, and to be read
 * first the one before it, whose end comes before the other's, and then the same. */
enum { TO_WRITE, TO_READ_OLDER, TO_READ, FILE_KINDS };
#define LOG_TO_WRITE (1U << TO_WRITE * STREAM_COUNT)

static TAILQ_HEAD(, profile) queue = TAILQ_HEAD_INITIALIZER(queue);
static struct message reports[REPORTS_MAX]; /* a ring */
static unsigned reports_first, reports_count;
static unsigned reports_told; /* of these: sent, but they may yet die with the monitor */
static uint32_t reports_kept; /* those that this monitor has announced, see struct mark */
static int reports_lost;
static unsigned orders_given, orders_due; /* bits of enum order; what is not due has been sent */
static unsigned orders_said;		  /* announced by some monitor */
static unsigned log_files_due; /* of our own log, whose stream is of no meaning; as files_due */
static bool mark_due;
static struct message mark; /* the last one; of no type: there was none */
static bool control_due;
static bool quiet; /* what runs has been running under us before */

void
inform_streams(struct profile *profile)
{
	unsigned stream;

	for (stream = 0; stream < STREAM_COUNT; stream++)
		if ((profile->streams & 1U << stream) != 0 && profile->stuck[stream] == 0)
			profile->fifos_due |= 1U << stream;
	if (profile->fifos_due != 0)
		inform_tell(profile, TELL_FIFO);
}

void
inform_file(struct profile *profile, const struct file_facts *file, bool read)
{
	unsigned kind = !read ? TO_WRITE : file->age == 1 ? TO_READ_OLDER : TO_READ;
	unsigned bit = 1U << (kind * STREAM_COUNT + file->stream);

	if (profile == NULL) {
		log_files_due |= bit;
		return;
	}
	profile->files_due |= bit;
	inform_tell(profile, TELL_OUTPUT);
}

void
inform_tell(struct profile *profile, unsigned what)
{
	if (!profile->introduced && (what & TELL_PROFILE) == 0)
		return; /* it is told all of it when it is introduced */
	if (profile->tell == 0)
		TAILQ_INSERT_TAIL(&queue, profile, queue);
	profile->tell |= what;
	profile->settings_told = 0;
}

void
inform_introduce(struct profile *profile)
{
	profile->introduced = true;
	profile->settle = profile->settled = 0; /* a new monitor has not asked */
	inform_tell(profile,
	    TELL_PROFILE | TELL_PROCESS |
		(profile->note.since_wall_ms != 0 ? TELL_RECALL : 0)); /* has anybody noted any? */
	inform_streams(profile); /* a service that was taken over prints already */
}

void
inform_forget(struct profile *profile)
{
	if (profile->tell != 0)
		TAILQ_REMOVE(&queue, profile, queue);
	profile->tell = 0;
}

static void
drop_report(void)
{
	reports_first = (reports_first + 1) % REPORTS_MAX;
	reports_count--;
	reports_told--;
	reports_kept++;
}

void
inform_report(enum report report, int value, const char *text)
{
	inform_child(report, text, 0, END_NONE, value);
}

void
inform_skipped(const struct message *finding, const char *tenant)
{
	char text[sizeof(finding->report.text)];

	(void)snprintf(text, sizeof(text), "%s%s%.255s", tenant, tenant[0] == '\0' ? "" : "/",
	    finding->report.text);
	inform_report((enum report)finding->number, 0, text);
}

void
inform_child(enum report report, const char *which, pid_t pid, enum process_end end, int value)
{
	struct message *message;

	if (reports_count == REPORTS_MAX && reports_told > 0)
		drop_report(); /* it is as good as written */
	if (reports_count == REPORTS_MAX) {
		reports_lost++;
		return;
	}
	message = &reports[(reports_first + reports_count++) % REPORTS_MAX];
	message_begin(message, MESSAGE_REPORT);
	message->number = report;
	message->report.pid = pid;
	message->report.end = end;
	message->report.value = value;
	(void)snprintf(message->report.text, sizeof(message->report.text), "%s", which);
}

void
inform_order(enum order order)
{
	orders_given |= 1U << order;
	orders_due |= 1U << order;
}

bool
inform_complete(void)
{
	return (orders_given & 1U << ORDER_TOLD) != 0;
}

void
inform_log(void)
{
	log_files_due |= LOG_TO_WRITE;
}

void
inform_mark(void *subject, struct incoming *incoming)
{
	(void)subject;
	mark = incoming->message;
	mark_due = true;
	while (reports_told > 0 && (int32_t)(mark.mark.reports - reports_kept) > 0)
		drop_report();
	orders_said |= mark.mark.orders & orders_given & ~orders_due;
}

void
inform_quietly(void)
{
	quiet = true;
}

void
inform_everything(void)
{
	control_due = true;
	mark_due = mark.type == MESSAGE_MARK;
	reports_told = reports_kept = 0;
	log_files_due = LOG_TO_WRITE; /* the clients have gone with the monitor */
	orders_due = orders_given;
	PROFILES_FOREACH(profile) {
		profile->files_due = 0; /* it would have two descriptors of one file */
		if (profile->introduced)
			inform_introduce(profile);
	}
}

static bool
send_message(const struct message *message)
{
	return children_send(CHILD_MONITOR, message, NULL, 0) == CHANNEL_DONE;
}

/* With the descriptor, which is closed; -1: without one, and the message says why. */
static bool
send_file(const struct message *message, int descriptor)
{
	bool sent;

	sent = children_send(CHILD_MONITOR, message, &descriptor, descriptor == -1 ? 0 : 1) ==
	    CHANNEL_DONE;
	descriptor_close(descriptor);
	return sent;
}

/* Where there is no room for the message it is freed here and now. */
void
inform_remains(int file)
{
	struct message message;

	message_begin(&message, MESSAGE_REMAINS);
	if (file != -1 && children_ready(CHILD_MONITOR))
		(void)send_file(&message, file);
	else
		descriptor_close(file);
}

static bool
send_control(void)
{
	struct message message;
	int descriptor = files_control();

	message_begin(&message, MESSAGE_CONTROL);
	return descriptor == -1 ||
	    children_send(CHILD_MONITOR, &message, &descriptor, 1) == CHANNEL_DONE;
}

static bool
send_reports(void)
{
	for (; reports_told < reports_count; reports_told++)
		if (!send_message(&reports[(reports_first + reports_told) % REPORTS_MAX]))
			return false;
	if (reports_lost > 0) {
		inform_report(REPORT_LOST, reports_lost, "");
		reports_lost = 0;
		return send_reports();
	}
	return true;
}

/* About the profile; NULL: about none. */
static void
address(struct message *message, enum message_type type, const struct profile *profile)
{
	message_begin(message, type);
	if (profile == NULL)
		return;
	message->index = table_index(profile);
	message->generation = profile->generation;
}

/* The announcement, then each file; where there is no more room, it goes on from there. */
static bool
send_profile(struct profile *profile)
{
	struct message message;
	const struct content *content;

	if (profile->settings_told == 0) {
		address(&message, MESSAGE_PROFILE, profile);
		message.profile = profile->facts;
		if (!send_message(&message))
			return false;
		profile->settings_told = 1;
	}
	for (; profile->settings_told <= SETTING_COUNT; profile->settings_told++) {
		content = profile->contents[profile->settings_told - 1];
		if (content == NULL)
			continue;
		address(&message, MESSAGE_SETTING, profile);
		message.number = profile->settings_told - 1;
		message.setting.length = content->length;
		memcpy(message.setting.bytes, content->bytes, content->length);
		if (!send_message(&message))
			return false;
	}
	profile->settings_told = 0;
	return true;
}

static bool
send_fifos(struct profile *profile)
{
	struct message message;
	unsigned stream;
	int fifo;

	for (stream = 0; stream < STREAM_COUNT; stream++) {
		if ((profile->fifos_due & 1U << stream) == 0)
			continue;
		fifo = outputs_hold(profile, (enum stream)stream);
		if (fifo == -1 && (profile->streams & 1U << stream) != 0) {
			watch_look_at(profile, clock_now() + HAND_OVER_AGAIN); /* it is still due */
			continue;
		}
		address(&message, MESSAGE_FIFO, profile);
		message.file.stream = stream;
		if (fifo != -1 && children_send(CHILD_MONITOR, &message, &fifo, 1) != CHANNEL_DONE)
			return false;
		profile->fifos_due &= ~(1U << stream);
	}
	outputs_release(profile);
	return true;
}

/* Those that are due, of the profile or (NULL) of our own log. */
static bool
send_files(const struct profile *profile, unsigned *due)
{
	struct message message;
	unsigned file;
	bool read;

	for (file = 0; file < FILE_KINDS * STREAM_COUNT; file++) {
		if ((*due & 1U << file) == 0)
			continue;
		read = file >= STREAM_COUNT;
		address(&message,
		    read		  ? MESSAGE_READABLE
			: profile == NULL ? MESSAGE_LOG
					  : MESSAGE_OUTPUT,
		    profile);
		message.file.stream = file % STREAM_COUNT;
		message.file.took_ms = profile == NULL ? 0 : profile->put_aside_ms;
		message.file.age = file / STREAM_COUNT == TO_READ_OLDER;
		if (!send_file(&message,
			profile == NULL ? files_open_log(&message.file, read)
					: outputs_open_file(profile, &message.file, read)))
			return false;
		*due &= ~(1U << file);
	}
	return true;
}

static bool
send_one(struct profile *profile, enum tell what)
{
	struct message message;

	switch (what) {
	case TELL_FIFO:
		return send_fifos(profile);
	case TELL_OUTPUT:
		return send_files(profile, &profile->files_due);
	case TELL_RECALL:
		address(&message, MESSAGE_RECALL, profile);
		message.note = profile->note;
		message.number = !profile->noted && !quiet; /* say what was found */
		break;
	case TELL_PROCESS:
		address(&message, MESSAGE_PROCESS, profile);
		message.process = profile->process;
		break;
	case TELL_SETTLED:
		address(&message, MESSAGE_SETTLED, profile);
		message.number = profile->settled;
		break;
	case TELL_KEPT:
		address(&message, MESSAGE_KEPT, profile);
		message.number = (uint32_t)profile->kept_error;
		break;
	default:
		address(&message, MESSAGE_CLAIM, profile);
		message.claim = profile->claim;
		break;
	}
	return send_message(&message);
}

static bool
send_facts(struct profile *profile)
{
	static const enum tell others[] = {
	    TELL_RECALL, TELL_FIFO, TELL_PROCESS, TELL_CLAIM, TELL_KEPT, TELL_OUTPUT, TELL_SETTLED};
	size_t i;

	if ((profile->tell & TELL_PROFILE) != 0) {
		if (!send_profile(profile))
			return false;
		profile->tell &= ~(unsigned)TELL_PROFILE;
	}
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if ((profile->tell & others[i]) == 0)
			continue;
		if (!send_one(profile, others[i]))
			return false;
		profile->tell &= ~(unsigned)others[i];
	}
	return true;
}

static bool
send_order(enum order order)
{
	unsigned bit = 1U << order;
	struct message message;

	if ((orders_due & bit) == 0)
		return true;
	message_begin(&message, MESSAGE_ORDER);
	message.number = order;
	message.order.repeated = (orders_said & bit) != 0;
	if (!send_message(&message))
		return false;
	orders_due &= ~bit;
	return true;
}

void
inform_flush(void)
{
	/* who has been told of every profile hears of those that are new first, to stop them too;
	 * who has not would start some */
	bool knows_all = inform_complete() && (orders_due & 1U << ORDER_TOLD) == 0;
	struct profile *profile;

	if (!children_ready(CHILD_MONITOR))
		return;
	/* a new one asks what of its log came true before anything else; who knows all hears that
	 * we have done what it asked for when it has heard what came of it */
	mark_due = mark_due && (knows_all || !send_message(&mark));
	if (!send_files(NULL, &log_files_due) || !send_reports() ||
	    (!knows_all && !send_order(ORDER_STOP_ALL)) || !send_order(ORDER_LEAVE) ||
	    !send_order(ORDER_LEAVE_NOW))
		return;
	while ((profile = TAILQ_FIRST(&queue)) != NULL) {
		if (!send_facts(profile))
			return;
		TAILQ_REMOVE(&queue, profile, queue);
	}
	mark_due = mark_due && !send_message(&mark);
	if (!send_order(ORDER_STOP_ALL) || !send_order(ORDER_TOLD))
		return;
	/* a monitor that does not know every profile yet would answer that there is none */
	if (control_due && inform_complete() && send_control())
		control_due = false;
}

bool
inform_done(void)
{
	return log_files_due == 0 && !control_due && reports_told == reports_count &&
	    TAILQ_EMPTY(&queue) && orders_due == 0;
}

bool
inform_written(void)
{
	return inform_done() && reports_count == 0;
}
