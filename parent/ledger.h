/*
 * STATE_DIR/ledger: what must not be forgotten when all of us die. One record of one size for each
 * index of the table, checksummed, good for this boot only.
 */
#ifndef PROCLAUNCH_LEDGER_H
#define PROCLAUNCH_LEDGER_H

#include "table.h"

/* Opens or makes the ledger in the state directory, and locks it: fcntl(2), so nothing else may
 * open it in this process. Fatal when it cannot be ours alone. */
void ledger_open(int state_directory);

/* STATE_DIR/lines, of which nothing is read here: what is to be in the log, and survives the
 * monitor. -1: there is none, for --check. */
int ledger_lines(void);

/*
 * Writes the profile's record. The space of it, and of many more, is made sure of first, so that no
 * later write can fail for want of room. 0, or -1 with errno: then the profile must not be started.
 */
int ledger_write(const struct profile *profile);

/* Forgets the record of a profile that is removed from the table. */
void ledger_forget(uint32_t index);

/*
 * Reads all records, and makes an entry in the table for each that is whole and of this boot: its
 * name, ids, process and note are as they were recorded, facts.gone is set, and nothing has been
 * verified. With `resumed`, after an upgrade, the FIFOs that were recorded are open, and the
 * entries'.
 */
void ledger_load(bool resumed);

#endif
