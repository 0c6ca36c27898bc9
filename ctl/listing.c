#include <libsmartcols/libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "library.h"
#include "report.h"
#include "show.h"
#include "listing.h"
#include "words.h"

#define LIBRARY "libsmartcols.so.1"
LIBRARY_NOTE(LIBRARY, "tables");
#define FUNCTIONS(DO)                     \
	DO(scols_cell_set_color)          \
	DO(scols_line_get_cell)           \
	DO(scols_line_set_data)           \
	DO(scols_new_table)               \
	DO(scols_print_table)             \
	DO(scols_table_enable_colors)     \
	DO(scols_table_enable_noheadings) \
	DO(scols_table_enable_nowrap)     \
	DO(scols_table_new_column)        \
	DO(scols_table_new_line)          \
	DO(scols_table_set_termforce)     \
	DO(scols_unref_table)

static struct {
	FUNCTIONS(LIBRARY_POINTER)
} library;

bool
listing_load(void)
{
	void *loaded = library_load(LIBRARY);

#define FOUND(function) &&LIBRARY_FIND(library, loaded, function)
	return loaded != NULL FUNCTIONS(FOUND);
}

#define CELL_BYTES 512

enum field {
	FIELD_NAME,
	FIELD_USER,
	FIELD_STATE,
	FIELD_PID,
	FIELD_SINCE,
	FIELD_RESTARTS,
	FIELD_LAST_EXIT,
	FIELD_WANTED,
	FIELD_UPTIME,
	FIELD_FAILURES,
	FIELD_UID,
	FIELD_REASON,
	FIELD_COUNT
};

static const struct {
	const char *option; /* as -o has it */
	const char *header;
	int flags;
} fields[FIELD_COUNT] = {
    [FIELD_NAME] = {"name", "NAME", 0},
    [FIELD_USER] = {"user", "USER", 0},
    [FIELD_STATE] = {"state", "STATE", 0},
    [FIELD_PID] = {"pid", "PID", SCOLS_FL_RIGHT},
    [FIELD_SINCE] = {"since", "SINCE", 0},
    [FIELD_RESTARTS] = {"restarts", "RESTARTS", SCOLS_FL_RIGHT},
    [FIELD_LAST_EXIT] = {"last_exit", "LAST-EXIT", 0},
    [FIELD_WANTED] = {"wanted", "WANTED", 0},
    [FIELD_UPTIME] = {"uptime", "UPTIME", SCOLS_FL_RIGHT},
    [FIELD_FAILURES] = {"failures", "FAILURES", SCOLS_FL_RIGHT},
    [FIELD_UID] = {"uid", "UID", SCOLS_FL_RIGHT},
    [FIELD_REASON] = {"reason", "REASON", 0},
};

static const char usual_fields[] = "name,user,state,pid,since,restarts,last_exit";

static enum field
field_from_text(const char *text, size_t length)
{
	unsigned field, i;
	char name[32] = "";

	if (length < sizeof(name))
		memcpy(name, text, length);
	for (i = 0; i < length && i < sizeof(name); i++)
		if (name[i] == '-')
			name[i] = '_'; /* LAST-EXIT may be asked for as it is headed */
	for (field = 0; field < FIELD_COUNT; field++)
		if (strcasecmp(name, fields[field].option) == 0)
			return (enum field)field;
	warningx("-o: \"%.*s\" is no column; there are name, user, state, pid, since, restarts, "
		 "last_exit, "
		 "wanted, uptime, failures, uid and reason",
	    (int)length, text);
	exit(EXIT_USAGE);
}

static size_t
chosen_fields(const char *text, enum field *chosen)
{
	size_t count = 0, length;

	do {
		length = strcspn(text, ",");
		if (count == FIELD_COUNT) {
			warningx("-o: too many columns");
			exit(EXIT_USAGE);
		}
		chosen[count++] = field_from_text(text, length);
		text += length;
	} while (*text++ == ',');
	return count;
}

void
listing_check_fields(const struct request *request)
{
	enum field chosen[FIELD_COUNT];

	if (request->fields != NULL)
		(void)chosen_fields(request->fields, chosen);
}

static const char *
cell(const struct row *row, enum field field, char *text)
{
	switch (field) {
	case FIELD_NAME:
		return row->name;
	case FIELD_USER:
		return row->account[0] == '\0' ? "-" : row->account;
	case FIELD_STATE:
		return state_name(row->state);
	case FIELD_SINCE:
		return profiles_time(row->since_wall_ms, false, text);
	case FIELD_LAST_EXIT:
		return profiles_last_exit(row, text, CELL_BYTES);
	case FIELD_WANTED:
		return row->wanted != 0 ? "up" : "down";
	case FIELD_REASON:
		return row->reason;
	case FIELD_UPTIME:
		return row->state == STATE_RUNNING ? profiles_duration(row->uptime_ms, text) : "-";
	case FIELD_PID:
		if (row->pid == 0)
			return "-";
		(void)snprintf(text, CELL_BYTES, "%d", row->pid);
		return text;
	case FIELD_RESTARTS:
		(void)snprintf(text, CELL_BYTES, "%u", row->restarts);
		return text;
	case FIELD_FAILURES:
		(void)snprintf(text, CELL_BYTES, "%u", row->failures);
		return text;
	default:
		if (row->account[0] == '\0')
			return "-";
		(void)snprintf(text, CELL_BYTES, "%u", row->uid);
		return text;
	}
}

static void
add_line(
    struct libscols_table *table, const struct row *row, const enum field *chosen, size_t count)
{
	struct libscols_line *line = library.scols_table_new_line(table, NULL);
	char text[CELL_BYTES];
	size_t i;

	if (line == NULL)
		fatal("memory");
	for (i = 0; i < count; i++) {
		if (library.scols_line_set_data(line, i, cell(row, chosen[i], text)) != 0)
			fatal("memory");
		if (chosen[i] == FIELD_STATE && show_colour(row) != NULL)
			(void)library.scols_cell_set_color(
			    library.scols_line_get_cell(line, i), show_colour(row));
	}
}

void
listing_show(const struct request *request, const struct profiles *profiles)
{
	struct libscols_table *table = library.scols_new_table();
	enum field chosen[FIELD_COUNT];
	size_t count, i;

	if (table == NULL)
		fatal("memory");
	count = chosen_fields(request->fields == NULL ? usual_fields : request->fields, chosen);
	(void)library.scols_table_enable_noheadings(table, request->no_header);
	(void)library.scols_table_enable_colors(table, request_coloured(request));
	(void)library.scols_table_enable_nowrap(table, 1);
	(void)library.scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
	for (i = 0; i < count; i++)
		if (library.scols_table_new_column(
			table, fields[chosen[i]].header, 0, fields[chosen[i]].flags) == NULL)
			fatal("memory");
	for (i = 0; i < profiles->count; i++)
		add_line(table, &profiles->rows[i], chosen, count);
	/* whether standard output has taken it is for main() to see */
	if (library.scols_print_table(table) != 0 && ferror(stdout) == 0)
		fatal("memory");
	library.scols_unref_table(table);
}
