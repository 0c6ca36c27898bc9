/*
 * Old output files that nobody can find any more. The kernel frees a file in one go when the last
 * descriptor of it is closed: of 16 MB that takes two milliseconds, of a gigabyte a hundred, and
 * whoever closes it does nothing else meanwhile. No service would be started by the parent, no line
 * be written by us. So they are cut shorter bit by bit.
 */
#ifndef PROCLAUNCH_REMAINS_H
#define PROCLAUNCH_REMAINS_H

#include <stdbool.h>
#include <stdint.h>

#include "rules.h"

/* Handler of MESSAGE_REMAINS. */
void remains_take(void *subject, struct incoming *incoming);

/* All at once, since a disk is full. False when there was nothing to be freed. */
bool remains_free(void);

/* When remains_tend() has something to do; NEVER otherwise. */
int64_t remains_deadline(void);
void remains_tend(int64_t now);

#endif
