/*
 * The ledger as it is found after a crash of everything: whatever the bytes are, what is recalled
 * is whole, of this boot, at its index, and has a state that exists. The input edits a ledger that
 * the program has written; where it says so the checksum is made right again.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "input.h"
#include "ledger.h"

#define RECORD	512
#define RECORDS 4
/* Where the checksum stands in a record: behind the magic number and the index. */
#define SUM_AT 8

static unsigned char written[RECORDS * RECORD];
static int file;

static uint64_t
sum_of(const unsigned char *record)
{
	uint64_t sum = 14695981039346656037ULL;
	size_t i;

	for (i = 0; i < RECORD; i++)
		if (i < SUM_AT || i >= SUM_AT + sizeof(sum))
			sum = (sum ^ record[i]) * 1099511628211ULL;
	return sum;
}

static void
remove_all(void)
{
	PROFILES_FOREACH(profile)
		table_remove(profile);
}

int
LLVMFuzzerInitialize(int *count, char ***arguments)
{
	char folder[] = "/tmp/ledger-fuzz-XXXXXX";
	struct profile *profile;
	int directory;
	unsigned i;

	(void)count;
	(void)arguments;
	(void)umask(077);
	PROPERTY(mkdtemp(folder) != NULL);
	directory = open(folder, O_RDONLY | O_DIRECTORY);
	ledger_open(directory);
	for (i = 0; i < RECORDS; i++) {
		profile = table_add_at(i,
		    i == 0	 ? "web"
			: i == 1 ? "alice/web"
			: i == 2 ? "a"
				 : "b");
		PROPERTY(profile != NULL);
		profile->process.phase = i + 1;
		profile->process.pid = (int32_t)(1000 + i);
		profile->facts.trigger = 1;
		PROPERTY(ledger_write(profile) == 0);
	}
	remove_all();
	file = openat(directory, "ledger", O_RDWR);
	PROPERTY(pread(file, written, sizeof(written), 0) == sizeof(written));
	/* nothing is left on the disk: the descriptors do */
	PROPERTY(unlinkat(directory, "ledger", 0) == 0 && unlinkat(directory, "lines", 0) == 0 &&
	    rmdir(folder) == 0);
	return 0;
}

static void
check_recalled(const unsigned char *ledger, size_t size)
{
	uint64_t sum;

	PROFILES_FOREACH(profile) {
		const uint32_t index = table_index(profile);
		const unsigned char *record = ledger + (size_t)index * RECORD;

		PROPERTY((size_t)(index + 1) * RECORD <= size);
		memcpy(&sum, record + SUM_AT, sizeof(sum));
		PROPERTY(sum == sum_of(record));
		/* magic number, boot: as they were written */
		PROPERTY(memcmp(record, written, 4) == 0 &&
		    memcmp(record + SUM_AT + sizeof(sum), written + SUM_AT + sizeof(sum), 40) == 0);
		PROPERTY(profile->process.phase < PHASE_COUNT && profile->process.end < END_COUNT);
		PROPERTY(memchr(profile->facts.name, '\0', sizeof(profile->facts.name)) != NULL);
		PROPERTY(profile->facts.gone == 1 && profile->pidfd == -1);
		PROPERTY(table_find(profile->facts.name) != NULL);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = {.at = bytes, .left = size};
	unsigned char ledger[sizeof(written)];
	size_t length = sizeof(ledger) - input_byte(&input) * 8, at;
	unsigned right = input_byte(&input), i;
	uint64_t sum;

	memcpy(ledger, written, sizeof(ledger));
	while (input.left > 0) {
		at = (size_t)input_byte(&input) << 8;
		at = (at | input_byte(&input)) % sizeof(ledger);
		ledger[at] = input_byte(&input);
	}
	for (i = 0; i < RECORDS; i++) {
		sum = sum_of(ledger + (size_t)i * RECORD);
		if ((right >> i & 1) != 0)
			memcpy(ledger + (size_t)i * RECORD + SUM_AT, &sum, sizeof(sum));
	}
	PROPERTY(ftruncate(file, 0) == 0 && pwrite(file, ledger, length, 0) == (ssize_t)length);
	ledger_load(false);
	check_recalled(ledger, length);
	remove_all();
	return 0;
}
