#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "journal.h"

#define MAGIC 0x70724c6a31ULL /* changes with the layout */

static struct head {
	uint64_t magic;
	struct journal journal;
} head;
static int file = -1;

void
journal_use(int descriptor)
{
	file = descriptor;
	/* who owned the last monitor may have made it as large as the disk */
	(void)!ftruncate(file, JOURNAL_HEAD_BYTES + JOURNAL_BYTES);
}

uint64_t
journal_next_round(uint64_t place)
{
	return (place + JOURNAL_BYTES - 1) / JOURNAL_BYTES * JOURNAL_BYTES;
}

uint64_t
journal_first_place(void)
{
	return journal_next_round((uint64_t)clock_now());
}

/* Carries out `transfer` for the lines from one place to another, in one piece or in two. Returns
 * how far it came. */
static uint64_t
for_pieces(uint64_t from, uint64_t to, char *lines,
    ssize_t (*transfer)(int descriptor, void *bytes, size_t length, off_t at))
{
	uint64_t length, at;

	for (; from < to; from += length) {
		at = from % JOURNAL_BYTES;
		length = to - from < JOURNAL_BYTES - at ? to - from : JOURNAL_BYTES - at;
		if (transfer(file, lines + at, length, (off_t)(JOURNAL_HEAD_BYTES + at)) !=
		    (ssize_t)length)
			break;
	}
	return from;
}

/* An attacker who owned the last monitor may have written anything there, and a loss of power
 * leaves bytes of 0 in the middle of a line. */
static bool
is_ours(const struct journal *journal, const char *lines)
{
	uint64_t place;
	char byte, before = '\n';

	for (place = journal->first; place < journal->end; place++, before = byte) {
		byte = lines[place % JOURNAL_BYTES];
		if (byte == '\0' ? before >= ' ' : byte != '\n' && (byte < ' ' || byte > '~'))
			return false;
	}
	return before < ' ';
}

bool
journal_load(struct journal *journal, char *lines)
{
	struct head found;

	if (file == -1 || pread(file, &found, sizeof(found), 0) != (ssize_t)sizeof(found) ||
	    found.magic != MAGIC || found.journal.first > found.journal.permitted ||
	    found.journal.permitted > found.journal.end ||
	    found.journal.end - found.journal.first > JOURNAL_BYTES ||
	    found.journal.end > INT64_MAX ||
	    for_pieces(found.journal.first, found.journal.end, lines, pread) != found.journal.end ||
	    !is_ours(&found.journal, lines))
		return false;
	head = found;
	*journal = found.journal;
	return true;
}

static ssize_t
put(int descriptor, void *bytes, size_t length, off_t at)
{
	return pwrite(descriptor, bytes, length, at);
}

/* The lines are there up to `end`. */
static void
put_head(const struct journal *journal, uint64_t end)
{
	head = (struct head){.magic = MAGIC, .journal = *journal};
	head.journal.end = end;
	if (end < journal->permitted)
		head.journal.permitted = end;
	/* or it says less than it could, until it is put there again */
	if (pwrite(file, &head, sizeof(head), 0) != (ssize_t)sizeof(head))
		memset(&head, 0, sizeof(head));
}

uint64_t
journal_save(const struct journal *journal, const char *lines, uint64_t changed)
{
	if (file == -1 ||
	    (changed == journal->end && memcmp(journal, &head.journal, sizeof(*journal)) == 0))
		return journal->end;
	if (changed < journal->first)
		changed = journal->first; /* these are written already */
	if (journal->end - head.journal.first > JOURNAL_BYTES)
		put_head(journal, changed); /* or they take the place of some that are there */
	changed = for_pieces(changed, journal->end, (char *)(uintptr_t)lines, put);
	put_head(journal, changed);
	return changed;
}
