/* What a tenant may use: from a root-owned file beside the tenant's directory, or the defaults. */
#ifndef PROCLAUNCH_QUOTA_H
#define PROCLAUNCH_QUOTA_H

#include <stdbool.h>
#include <stddef.h>

#include "message.h"

/* What a tenant without a file gets, unless --tenant-quota says otherwise. */
void quota_default(struct quota *quota);

/* Reads `length` bytes of `text`: a decimal number of at most twelve digits, with an optional K, M
 * or G. False when they are not that, or 0. */
bool quota_number(const char *text, size_t length, uint64_t *number);

/*
 * Sets what `length` bytes of `text` say: "KEY SEPARATOR NUMBER", as `profiles 20` or
 * `profiles=20`. False when they say nothing that is understood.
 */
bool quota_set(struct quota *quota, const char *text, size_t length, char separator);

/*
 * Reads NAME.quota in the directory into `quota`, over the defaults that are in it. 0 when it is in
 * order or there is none; else the number of the line at fault, or -1 when the file cannot be
 * trusted or read. Lines before the one at fault count.
 */
int quota_read(int directory, const char *name, struct quota *quota);

#endif
