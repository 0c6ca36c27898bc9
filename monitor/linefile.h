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
	uint64_t size;	/* as it was when we last wrote to it or looked at it */
	size_t took;	/* of the last write that failed: so many bytes found room */
};

/*
 * The file is now this descriptor, which becomes the room's; the one before is closed. It was
 * `size` bytes long when it was opened, and 0 says that none of them is ours to change. A monitor
 * that was killed in the middle of write(2) has left a piece of a line, and the line itself is
 * still to be written: the piece is taken away.
 */
void line_file_use(struct line_file *file, int descriptor, uint64_t size);

void line_file_close(struct line_file *file);

/*
 * Looks at the file anew, whose size somebody may have changed. False when nobody can find it any
 * more: it, or its directory, was deleted.
 */
bool line_file_look(struct line_file *file);

/* Writes all of it. False with errno, and the file is as it was: a full disk leaves no half line.
 */
bool line_file_write(struct line_file *file, const char *lines, size_t length);

#endif
