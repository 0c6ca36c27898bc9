/* The files that the monitor writes, our log and what services print: opened and put aside here. */
#ifndef PROCLAUNCH_LOGFILE_H
#define PROCLAUNCH_LOGFILE_H

#include <stdbool.h>

#include "descriptors.h"
#include "message.h"

/*
 * The directory is closed by both; -1: it could not be opened, and errno says why.
 *
 * Opens NAME for appending, made (0640) if need be: a plain file of ours with no other link. Or,
 * with `read`, for reading, and with facts->age 1 NAME.1. The caller owns the descriptor, and
 * facts->size is its size; -1 with facts->error.
 */
int logfile_open(int directory, const char *name, struct file_facts *facts, bool read);

/*
 * NAME becomes NAME.1, that NAME.2 and so on; `keep` old ones stay, and those beyond are removed.
 * Where that cannot be NAME stays, and grows on. Returns a descriptor of the oldest, which has no
 * name any more and which nobody else has open, for the caller to own: what stands in it is freed
 * when it is closed. -1: that is done, or will be when somebody has read it.
 */
int logfile_rotate(int directory, const char *name, unsigned keep);

#endif
