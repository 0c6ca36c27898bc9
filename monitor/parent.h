/*
 * What the monitor asks of the parent: by index and generation, with a signal's number, and nothing
 * else. What is to be asked is remembered with the profile, so that a full channel loses nothing
 * and nothing is asked twice.
 */
#ifndef PROCLAUNCH_MONITOR_PARENT_H
#define PROCLAUNCH_MONITOR_PARENT_H

#include "channel.h"
#include "table.h"

/* Start its process; what was still to be asked about the last one is dropped. */
void parent_ask_start(struct profile *profile);

/* Send its process the signal, one of the fixed set; asked for twice before there is room, it is
 * sent once. */
void parent_ask_signal(struct profile *profile, int number);

/* End what is left of it, with SIGTERM or SIGKILL. */
void parent_ask_sweep(struct profile *profile, int number);

/* Keep what the next monitor must know. */
void parent_ask_note(struct profile *profile);

/* Look at its files now, which may have been edited before somebody gave a command for it. The
 * number that SETTLED answers with, or a higher one, when they are still. */
uint32_t parent_ask_settle(struct profile *profile);

/* Keep over boots that it is enabled, disabled or neither; KEPT answers. */
void parent_ask_keep(struct profile *profile, enum wish wish);

/* Open the file that a stream goes into; when it is `rotating`, put that aside first, as many old
 * ones staying as its settings say. OUTPUT follows. */
void parent_ask_file(struct output_stream *stream);

/* OUTPUT has come, or will not: the profile is forgotten. It is `rotating` no more. */
void parent_has_file(struct output_stream *stream);

/* Open a file for a client to read: of the profile, or (NULL) our log. READABLE follows, of the
 * older file first; once for all who have asked for the same file until then. */
void parent_ask_read(struct profile *profile, enum stream stream, uint32_t age);

/* How many old files of our own log stay, --log-rotate. */
void parent_configure(uint32_t log_keep);

/* Put our own log aside and begin another; LOG follows. */
void parent_ask_rotate_log(void);

/* Open the supervisor's log anew; LOG follows. */
void parent_ask_reopen(void);

/* Free the index; the entry here is freed when the request is on its way. */
void parent_ask_forget(struct profile *profile);

/* What is to be in the log is to be announced. */
void parent_owe_mark(void);

/* The parent has reported or ordered something, which is or will be in the log: it need not tell
 * our successor of it when it has our next mark. */
void parent_heard_report(void);
void parent_heard_order(enum order order);

/*
 * The number of the mark behind everything that is to be asked until now; and whether what was
 * asked before it has been done. Before that nobody may be told of it.
 */
uint32_t parent_next_mark(void);
bool parent_has_done(uint32_t mark);

/* MARK has come from the parent. */
void parent_marked(void *subject, struct incoming *incoming);

/* The last line is written; with --check, `faults` were found. */
void parent_goodbye(uint32_t faults);

/* Answers a ping or a hello now; these are never many. */
void parent_answer(const struct message *message);

/* Sends what there is room for. Returns true when the channel is full: wait until it is not. */
bool parent_flush(void);

#endif
