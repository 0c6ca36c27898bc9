/* What the parent has done or met, in the words of the log. */
#ifndef PROCLAUNCH_REPORTS_H
#define PROCLAUNCH_REPORTS_H

#include "channel.h"

/* REPORT has come from the parent. */
void reports_log(void *subject, struct incoming *incoming);

/* How many different entries were met that are no profiles. */
unsigned reports_skipped(void);

#endif
