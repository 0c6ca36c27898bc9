#include <sys/stat.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "openmetrics.h"
#include "words.h"

/* Names and accounts hold nothing that would have to be escaped in a label, names.h. */
static void
sample(FILE *out, const char *metric, const struct row *row, double value)
{
	(void)fprintf(
	    out, "%s{name=\"%s\",user=\"%s\"} %.15g\n", metric, row->name, row->account, value);
}

static void
family(FILE *out, const char *name, const char *type, const char *unit, const char *help)
{
	(void)fprintf(out, "# TYPE %s %s\n", name, type);
	if (unit != NULL)
		(void)fprintf(out, "# UNIT %s %s\n", name, unit);
	(void)fprintf(out, "# HELP %s %s\n", name, help);
}

static double
value_running(const struct row *row)
{
	return row->state == STATE_RUNNING;
}

static double
value_wanted(const struct row *row)
{
	return row->wanted;
}

static double
value_refused(const struct row *row)
{
	return row->accepted == 0;
}

static double
value_restarts(const struct row *row)
{
	return row->restarts;
}

static double
value_failures(const struct row *row)
{
	return row->failures;
}

static double
value_since(const struct row *row)
{
	return (double)row->since_wall_ms / 1000.0;
}

static double
value_uptime(const struct row *row)
{
	return row->state == STATE_RUNNING ? (double)row->uptime_ms / 1000.0 : 0.0;
}

static const struct {
	const char *name;
	const char *type;
	const char *unit;
	const char *suffix; /* of a counter's samples */
	const char *help;
	double (*value)(const struct row *row);
} families[] = {
    {"proclaunch_profile_running", "gauge", NULL, "", "1 while the service runs and is proved.",
	value_running},
    {"proclaunch_profile_wanted", "gauge", NULL, "", "1 when the profile is to run.", value_wanted},
    {"proclaunch_profile_refused", "gauge", NULL, "", "1 when a file of the profile is refused.",
	value_refused},
    {"proclaunch_profile_restarts", "counter", NULL, "_total",
	"Starts after the service had died or could not be started.", value_restarts},
    {"proclaunch_profile_failures", "gauge", NULL, "",
	"Starts in a row that failed or died within a second.", value_failures},
    {"proclaunch_profile_since_seconds", "gauge", "seconds", "",
	"Unix time of the last change of state.", value_since},
    {"proclaunch_profile_uptime_seconds", "gauge", "seconds", "",
	"How long the service has been running; 0 when it is not.", value_uptime},
};

static void
write_states(FILE *out, const struct profiles *profiles, const char *type)
{
	unsigned state;
	size_t i;

	family(out, "proclaunch_profile_state", type, NULL, "The state of the profile.");
	for (i = 0; i < profiles->count; i++)
		for (state = 0; state < STATE_COUNT; state++)
			(void)fprintf(out,
			    "proclaunch_profile_state{name=\"%s\",user=\"%s\","
			    "proclaunch_profile_state=\"%s\"} %d\n",
			    profiles->rows[i].name, profiles->rows[i].account, state_name(state),
			    profiles->rows[i].state == state);
}

void
openmetrics_write(
    FILE *out, const struct profiles *profiles, const char *version, enum reader reader)
{
	char metric[128];
	size_t i, j;

	if (reader == READER_NODE_EXPORTER)
		family(out, "proclaunch_info", "gauge", NULL, "The supervisor.");
	else
		family(out, "proclaunch", "info", NULL, "The supervisor.");
	(void)fprintf(out, "proclaunch_info{version=\"%s\"} 1\n", version);
	for (j = 0; j < sizeof(families) / sizeof(families[0]); j++) {
		(void)snprintf(
		    metric, sizeof(metric), "%s%s", families[j].name, families[j].suffix);
		family(out, reader == READER_NODE_EXPORTER ? metric : families[j].name,
		    families[j].type, families[j].unit, families[j].help);
		for (i = 0; i < profiles->count; i++)
			sample(
			    out, metric, &profiles->rows[i], families[j].value(&profiles->rows[i]));
	}
	write_states(out, profiles, reader == READER_NODE_EXPORTER ? "gauge" : "stateset");
	(void)fputs("# EOF\n", out);
}

bool
openmetrics_write_file(const char *path, const struct profiles *profiles, const char *version)
{
	char temporary[PATH_MAX];
	FILE *out;
	int file, error;
	bool written;

	if (snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= (int)sizeof(temporary)) {
		errno = ENAMETOOLONG;
		return false;
	}
	file = mkstemp(temporary);
	if (file == -1)
		return false;
	out = fdopen(file, "w");
	if (out == NULL) {
		error = errno;
		(void)close(file);
		(void)unlink(temporary);
		errno = error;
		return false;
	}
	openmetrics_write(out, profiles, version, READER_NODE_EXPORTER);
	written = fflush(out) == 0 && ferror(out) == 0 && fchmod(file, 0644) == 0;
	written = fclose(out) == 0 && written;
	if (written && rename(temporary, path) == 0)
		return true;
	error = errno;
	(void)unlink(temporary);
	errno = error;
	return false;
}
