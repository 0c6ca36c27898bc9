/* `metrics`: the text format of OpenMetrics 1.0,
 * https://prometheus.io/docs/specs/om/open_metrics_spec */
#ifndef PROCLAUNCH_CTL_OPENMETRICS_H
#define PROCLAUNCH_CTL_OPENMETRICS_H

#include <stdio.h>

#include "profiles.h"

/* Writes the exposition, `version` being the supervisor's. */
void openmetrics_write(FILE *out, const struct profiles *profiles, const char *version);

/*
 * Writes it to `path` for node_exporter's textfile collector: into a new file beside it, which then
 * takes its place in one step. False with errno; the old file is then as it was.
 */
bool openmetrics_write_file(const char *path, const struct profiles *profiles, const char *version);

#endif
