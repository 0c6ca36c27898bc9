/*
 * A file of lines that no death of ours leaves torn: what is written ends with a newline, all of it
 * or nothing. The descriptor was opened by the parent, for appending.
 */
#ifndef PROCLAUNCH_LINEFILE_H
#define PROCLAUNCH_LINEFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct line_file {
	int descriptor; /* -1: not open */
	uint64_t size;
};

/*
 * The file is now this descriptor, which becomes the room's; the one before is closed. A monitor
 * that was killed in the middle of write(2) has left a piece of a line, and the line itself is
 * still to be written: the piece is taken away.
 */
void line_file_use(struct line_file *file, int descriptor, uint64_t size);

void line_file_close(struct line_file *file);

/* Writes all of it. False with errno, and the file is as it was: a full disk leaves no half line.
 */
bool line_file_write(struct line_file *file, const char *lines, size_t length);

/* Takes away what stands behind the first `size` bytes. */
void line_file_cut(struct line_file *file, uint64_t size);

/* True when nobody can find the file any more: it, or its directory, was deleted. */
bool line_file_deleted(const struct line_file *file);

#endif
