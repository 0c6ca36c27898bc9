/*
 * STATE_DIR/lines: what is to be in the log and is not yet, in a file that survives the monitor.
 * Every line is put there before anything is asked of the parent that it speaks of. The parent has
 * made room for it, hands it to each monitor, and reads none of it.
 */
#ifndef PROCLAUNCH_JOURNAL_H
#define PROCLAUNCH_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

/* What may wait: for a full disk, or because all profiles change their state at once. */
#define JOURNAL_BYTES (2 * 1024 * 1024)
/* In the file they stand behind a head, which is alone on its page: no death of ours tears it. */
#define JOURNAL_HEAD_BYTES 4096

/*
 * A line's place is counted in bytes, over all monitors since the file was made, so that what was
 * asked of the parent can name it. The line at `place` is found at `place % JOURNAL_BYTES`, in
 * memory as in the file, in one piece. Bytes of 0 fill the end, when the next line has no room
 * before it, and the place of a line that is not to be written.
 */
struct journal {
	uint64_t first;	    /* of those that are not written */
	uint64_t permitted; /* what these speak of, up to here, has been done */
	uint64_t end;
	uint64_t log_inode; /* the log that `first` is to be in; 0: not known */
	uint64_t log_size;  /* ... and its size before that */
};

/* From now on the journal is this file, which stays open; without, nothing is kept. */
void journal_use(int descriptor);

/* Reads what the last monitor has left into `lines`, of JOURNAL_BYTES. False when there is nothing
 * that one could have left; `journal` is as it was then. */
bool journal_load(struct journal *journal, char *lines);

/* Where to begin when there is none: behind all places of this boot. */
uint64_t journal_first_place(void);

/* The first place after this one that is at the beginning of `lines`. */
uint64_t journal_next_round(uint64_t place);

/* Writes this to the file; only the lines from `changed` on differ from what was written last.
 * Returns the place up to which the file has them: not the end when the disk has no room. */
uint64_t journal_save(const struct journal *journal, const char *lines, uint64_t changed);

#endif
