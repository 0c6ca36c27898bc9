#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "quota.h"
#include "trust.h"

#define SUFFIX ".quota"

void
quota_default(struct quota *quota)
{
	*quota = (struct quota){.output_bytes = 1ULL << 30,
	    .profiles = 50,
	    .processes = 500,
	    .restarts_per_minute = 60,
	    .clients = 16};
}

bool
quota_number(const char *text, size_t length, uint64_t *number)
{
	static const char suffixes[] = "KMG";
	const char *suffix = length == 0 ? NULL : memchr(suffixes, text[length - 1], 3);
	uint64_t value = 0;
	unsigned shift;
	size_t i;

	if (suffix != NULL)
		length--;
	if (length == 0 || length > 12)
		return false;
	for (i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(text[i] - '0');
	}
	shift = suffix == NULL ? 0 : 10 * (unsigned)(suffix - suffixes + 1);
	*number = value << shift;
	return value > 0 && value <= UINT64_MAX >> shift;
}

bool
quota_set(struct quota *quota, const char *text, size_t length, char separator)
{
	const struct {
		const char *key;
		uint32_t *value;
	} keys[] = {{"profiles", &quota->profiles}, {"processes", &quota->processes},
	    {"restarts_per_minute", &quota->restarts_per_minute}, {"clients", &quota->clients}};
	const char *end = memchr(text, separator, length);
	size_t key_length = end == NULL ? 0 : (size_t)(end - text), i;
	uint64_t number;

	if (end == NULL || !quota_number(end + 1, length - key_length - 1, &number))
		return false;
	if (key_length == strlen("output_bytes") && memcmp(text, "output_bytes", key_length) == 0) {
		quota->output_bytes = number;
		return true;
	}
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (key_length != strlen(keys[i].key) ||
		    memcmp(text, keys[i].key, key_length) != 0 || number > UINT32_MAX)
			continue;
		*keys[i].value = (uint32_t)number;
		return true;
	}
	return false;
}

static int
read_lines(struct quota *quota, const char *text, size_t length)
{
	const char *line = text, *end = text + length, *next;
	size_t line_length;
	int number = 0;

	for (; line < end; line = next + 1) {
		number++;
		next = memchr(line, '\n', (size_t)(end - line));
		if (next == NULL)
			next = end;
		line_length = (size_t)(next - line);
		if (line_length > 0 && line[0] != '#' && !quota_set(quota, line, line_length, ' '))
			return number;
	}
	return 0;
}

int
quota_read(int directory, const char *name, struct quota *quota)
{
	char path[FULL_NAME_BYTES + sizeof(SUFFIX)], text[SETTING_BYTES_MAX];
	struct stat status;
	ssize_t length;
	int file;

	(void)snprintf(path, sizeof(path), "%s" SUFFIX, name);
	file = openat(directory, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (file == -1)
		return errno == ENOENT ? 0 : -1;
	length = fstat(file, &status) == 0 && S_ISREG(status.st_mode) &&
		status.st_size <= (off_t)sizeof(text) && trust_owner(&status, 0) == REFUSAL_NONE
	    ? read(file, text, sizeof(text))
	    : -1;
	(void)close(file);
	return length == -1 ? -1 : read_lines(quota, text, (size_t)length);
}
