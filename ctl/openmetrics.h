/* `metrics`: the text format of OpenMetrics 1.0,
 * https://prometheus.io/docs/specs/om/open_metrics_spec */
#ifndef PROCLAUNCH_CTL_OPENMETRICS_H
#define PROCLAUNCH_CTL_OPENMETRICS_H

#include <stdio.h>

#include "profiles.h"

/*
 * node_exporter's textfile collector reads the older format of Prometheus, where an unknown type of
 * a family is an error and the whole file is thrown away: for it, what is an info or a stateset is
 * a gauge. That is OpenMetrics too.
 */
enum reader {
	READER_OPENMETRICS,
	READER_NODE_EXPORTER,
};

/* Writes the exposition, `version` being the supervisor's. */
void openmetrics_write(
    FILE *out, const struct profiles *profiles, const char *version, enum reader reader);

/*
 * Writes it to `path` for node_exporter's textfile collector: into a new file beside it, which then
 * takes its place in one step. False with errno; the old file is then as it was.
 */
bool openmetrics_write_file(const char *path, const struct profiles *profiles, const char *version);

#endif
