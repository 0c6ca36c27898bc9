#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "digest.h"
#include "files.h"
#include "ledger.h"
#include "procfs.h"
#include "report.h"

#define RECORD_MAGIC 0x50724c34U /* changes with the record's layout */
#define RECORD_BYTES 512
/* Space is reserved for so many records at once. */
#define RESERVE_RECORDS 128
/* ... and for what waits to be written into the log: monitor/journal.h. */
#define LINES_BYTES (2 * 1024 * 1024 + 4096)

struct record {
	uint32_t magic;
	uint32_t index;
	uint64_t checksum; /* over the whole record without this member */
	char boot[40];
	char name[FULL_NAME_BYTES];
	char account[ACCOUNT_NAME_BYTES];
	uint32_t uid;
	uint32_t present;
	uint64_t start_ticks;
	struct process_facts process;
	struct note note;
	pid_t sessions[2];
	int32_t fifos[STREAM_COUNT]; /* kept open over an exec of our own; else of no meaning */
	unsigned char unused[84];
};
_Static_assert(sizeof(struct record) == RECORD_BYTES, "a record never straddles two pages");

static int ledger = -1;
static int lines_file = -1;
static char boot[40];
static uint32_t reserved; /* records whose space is certain */

/* It has to tell a torn record from a whole one, and root alone can write the file. */
static uint64_t
sum_up(const struct record *record)
{
	uint64_t sum = digest(DIGEST_BEGIN, record, offsetof(struct record, checksum));

	return digest(sum, record->boot, sizeof(*record) - offsetof(struct record, boot));
}

void
ledger_open(int state_directory)
{
	if (!procfs_read("/proc/sys/kernel/random/boot_id", boot, sizeof(boot)))
		fatal("/proc/sys/kernel/random/boot_id");
	ledger = files_open_plain(state_directory, "ledger", 0600);
	/* somebody may have tidied up the file `lock`, or all that is in there: two of us would end
	 * each other's services */
	if (!files_take_locks(ledger, state_directory))
		fatalx("state directory: another proclaunch runs on it, though its lock was"
		       " removed: end that one first");
	lines_file = files_open_plain(state_directory, "lines", 0600);
	(void)posix_fallocate(lines_file, 0, LINES_BYTES); /* no service depends on it */
}

int
ledger_lines(void)
{
	return lines_file;
}

static int
reserve(uint32_t index)
{
	uint32_t records = (index / RESERVE_RECORDS + 1) * RESERVE_RECORDS;

	if (index < reserved)
		return 0;
	/* posix_fallocate(3): writes the blocks itself where the file system cannot reserve them */
	errno = posix_fallocate(ledger, 0, (off_t)records * RECORD_BYTES);
	if (errno != 0)
		return -1;
	reserved = records;
	return 0;
}

static int
put(const struct record *record)
{
	ssize_t wrote =
	    pwrite(ledger, record, sizeof(*record), (off_t)record->index * RECORD_BYTES);

	if (wrote == (ssize_t)sizeof(*record))
		return 0;
	if (wrote >= 0)
		errno = EIO;
	return -1;
}

int
ledger_write(const struct profile *profile)
{
	struct record record;

	if (ledger == -1)
		return 0; /* --check: nothing starts that could be forgotten */
	memset(&record, 0, sizeof(record));
	record.magic = RECORD_MAGIC;
	record.index = table_index(profile);
	memcpy(record.boot, boot, sizeof(record.boot));
	memcpy(record.name, profile->facts.name, sizeof(record.name));
	memcpy(record.account, profile->facts.account, sizeof(record.account));
	record.uid = profile->facts.uid;
	record.present = profile->facts.present;
	record.start_ticks = profile->start_ticks;
	record.process = profile->process;
	memcpy(record.fifos, profile->fifos, sizeof(record.fifos));
	memcpy(record.sessions, profile->sessions, sizeof(record.sessions));
	record.note = profile->note;
	record.checksum = sum_up(&record);
	if (reserve(record.index) == -1)
		return -1;
	return put(&record);
}

void
ledger_forget(uint32_t index)
{
	struct record record = {.index = index};

	if (index < reserved)
		(void)put(&record); /* the space is there; what stays is a profile that is gone */
}

static bool
believable(const struct record *record, uint32_t index)
{
	return record->magic == RECORD_MAGIC && record->index == index &&
	    record->checksum == sum_up(record) && memcmp(record->boot, boot, sizeof(boot)) == 0 &&
	    record->process.phase < PHASE_COUNT && record->process.end < END_COUNT &&
	    memchr(record->name, '\0', sizeof(record->name)) != NULL &&
	    memchr(record->account, '\0', sizeof(record->account)) != NULL;
}

static void
recall(const struct record *record, bool resumed)
{
	struct profile *profile = table_add_at(record->index, record->name);

	if (profile == NULL)
		return;
	memcpy(profile->facts.account, record->account, sizeof(record->account));
	profile->facts.uid = record->uid;
	profile->facts.present = record->present;
	profile->facts.gone = 1; /* until the scan finds its directory */
	profile->start_ticks = record->start_ticks;
	profile->process = record->process;
	memcpy(profile->sessions, record->sessions, sizeof(profile->sessions));
	profile->note = record->note;
	if (resumed)
		memcpy(profile->fifos, record->fifos, sizeof(profile->fifos));
}

void
ledger_load(bool resumed)
{
	struct record record;
	uint32_t index;

	for (index = 0; index < PROFILES_MAX; index++) {
		if (pread(ledger, &record, sizeof(record), (off_t)index * RECORD_BYTES) !=
		    (ssize_t)sizeof(record))
			break;
		if (believable(&record, index))
			recall(&record, resumed);
	}
}
