/* Profiles as a table, by libsmartcols. */
#ifndef PROCLAUNCH_CTL_LISTING_H
#define PROCLAUNCH_CTL_LISTING_H

#include "profiles.h"
#include "request.h"

/* Exits with EXIT_USAGE where -o names a column that there is not. */
void listing_check_fields(const struct request *request);

/* Loads the library, once before the first table; false: said on standard error. */
bool listing_load(void);

/* The table of `list`, with the columns of -o. */
void listing_show(const struct request *request, const struct profiles *profiles);

#endif
