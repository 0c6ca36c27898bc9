/*
 * What services print: from their FIFOs into files, in whole lines. A line leaves the FIFO only
 * after it has been written, so that killing us loses none; the next monitor finds it there.
 */
#ifndef PROCLAUNCH_OUTPUT_H
#define PROCLAUNCH_OUTPUT_H

#include "channel.h"
#include "table.h"

/* Makes the pipe that lines are looked at through; before the cage is shut. Fatal. */
void output_prepare(void);

/* FIFO and OUTPUT have come from the parent; their descriptors become the room's. */
void output_take_fifo(void *subject, struct incoming *incoming);
void output_take_file(void *subject, struct incoming *incoming);

/* The service has ended, or what it had left behind: what stands in its FIFOs goes out, the
 * unfinished last line too. */
void output_flush(struct profile *profile);

/* We leave: what services that have ended had printed goes out at once, whatever `rate` says. */
void output_hurry(void);

/* A service is being started, or a client waits: for a moment we take less of the processor. */
void output_give_way(void);

/* True when nothing is left in the profile's FIFOs of what its last service had printed. */
bool output_idle(const struct profile *profile);

/* Why what the profile prints cannot be written to a file of it, and waits or is dropped: an errno;
 * 0 when it can. */
int output_error(const struct profile *profile);

/* Says in the log how much was dropped, where it could not be said when writing went on. */
void output_confess(const struct profile *profile);

/* Bytes that were dropped of each stream of the profile and that no file says yet to be missing:
 * what the next monitor must know, and what the last one has left to us. */
void output_note(const struct profile *profile, uint64_t *dropped);
void output_recall(struct profile *profile, const uint64_t *dropped);

/* Closes the files of a profile that is forgotten, which the parent has just been asked for; its
 * FIFOs when the parent has closed its own: output_part(), for when it has done something. */
void output_forget(struct profile *profile);
void output_part(void);

/* Its user has been handed a file of the profile's: he can keep the lock of that, too. */
void output_lend(const struct profile *profile);

/* Every output file is to be opened anew. */
void output_reopen(void);

/* Handler of the loop; the number is the stream's. */
void output_event(uint32_t number, uint32_t events);

/* When output_tend() has something to do; NEVER otherwise. */
int64_t output_deadline(void);
void output_tend(int64_t now);

#endif
