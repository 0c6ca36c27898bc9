#include <json-c/json.h>
#include <libsmartcols/libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "build.h"
#include "clock.h"
#include "report.h"
#include "show.h"
#include "words.h"

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
show_check_fields(const struct request *request)
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

const char *
show_colour(const struct row *row)
{
	switch (row->state) {
	case STATE_RUNNING:
		return "\033[32m"; /* green */
	case STATE_STOPPED:
		return row->wanted != 0 || row->accepted == 0 ? "\033[31m" : NULL; /* red */
	default:
		return "\033[33m"; /* yellow */
	}
}

static void
add_line(
    struct libscols_table *table, const struct row *row, const enum field *chosen, size_t count)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	char text[CELL_BYTES];
	size_t i;

	if (line == NULL)
		fatal("memory");
	for (i = 0; i < count; i++) {
		if (scols_line_set_data(line, i, cell(row, chosen[i], text)) != 0)
			fatal("memory");
		if (chosen[i] == FIELD_STATE && show_colour(row) != NULL)
			(void)scols_cell_set_color(scols_line_get_cell(line, i), show_colour(row));
	}
}

void
show_table(const struct request *request, const struct profiles *profiles)
{
	struct libscols_table *table = scols_new_table();
	enum field chosen[FIELD_COUNT];
	size_t count, i;

	if (table == NULL)
		fatal("memory");
	count = chosen_fields(request->fields == NULL ? usual_fields : request->fields, chosen);
	(void)scols_table_enable_noheadings(table, request->no_header);
	(void)scols_table_enable_colors(table, request_coloured(request));
	(void)scols_table_enable_nowrap(table, 1);
	(void)scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
	for (i = 0; i < count; i++)
		if (scols_table_new_column(
			table, fields[chosen[i]].header, 0, fields[chosen[i]].flags) == NULL)
			fatal("memory");
	for (i = 0; i < profiles->count; i++)
		add_line(table, &profiles->rows[i], chosen, count);
	/* whether standard output has taken it is for main() to see */
	if (scols_print_table(table) != 0 && ferror(stdout) == 0)
		fatal("memory");
	scols_unref_table(table);
}

static json_object *
json_time(int64_t wall_ms)
{
	char text[TIME_TEXT_BYTES];

	return wall_ms == 0 ? NULL : json_object_new_string(profiles_time(wall_ms, true, text));
}

static const char *const timer_names[SHOWN_COUNT] = {
    [SHOWN_NONE] = "none",
    [SHOWN_START] = "start",
    [SHOWN_START_TIMEOUT] = "start_timeout",
    [SHOWN_STOP_TIMEOUT] = "stop_timeout",
    [SHOWN_REMINDER] = "reminder",
};

static json_object *
json_last_exit(const struct row *row)
{
	json_object *object;
	char text[SIGNAL_TEXT_BYTES];

	if (row->exit_end == END_NONE || row->exit_end == END_UNBORN)
		return NULL;
	object = json_object_new_object();
	json_object_object_add(object, "pid", json_object_new_int(row->exit_pid));
	json_object_object_add(object, "time", json_time(row->exit_wall_ms));
	if (row->exit_end != END_SIGNAL) /* null: the kernel could not say */
		json_object_object_add(object, "exit",
		    row->exit_end == END_EXIT ? json_object_new_int(row->exit_value) : NULL);
	else
		json_object_object_add(object, "signal",
		    json_object_new_string(signal_to_text(row->exit_value, text, sizeof(text))));
	return object;
}

static json_object *
json_timer(const struct row *row)
{
	json_object *object;

	if (row->timer == SHOWN_NONE)
		return NULL;
	object = json_object_new_object();
	json_object_object_add(object, "timer", json_object_new_string(timer_names[row->timer]));
	json_object_object_add(object, "time", json_time(row->timer_wall_ms));
	return object;
}

static json_object *
json_text(const char *text)
{
	return text[0] == '\0' ? NULL : json_object_new_string(text);
}

static json_object *
json_profile(const struct row *row)
{
	json_object *object = json_object_new_object();
	bool running = row->state == STATE_RUNNING;

	json_object_object_add(object, "name", json_object_new_string(row->name));
	json_object_object_add(object, "user", json_text(row->account));
	json_object_object_add(
	    object, "uid", row->account[0] == '\0' ? NULL : json_object_new_int64(row->uid));
	json_object_object_add(object, "state", json_object_new_string(state_name(row->state)));
	json_object_object_add(
	    object, "wanted", json_object_new_string(row->wanted != 0 ? "up" : "down"));
	json_object_object_add(object, "pid", row->pid == 0 ? NULL : json_object_new_int(row->pid));
	json_object_object_add(object, "since", json_time(row->since_wall_ms));
	json_object_object_add(
	    object, "uptime_ms", running ? json_object_new_int64(row->uptime_ms) : NULL);
	json_object_object_add(object, "restarts", json_object_new_int64(row->restarts));
	json_object_object_add(object, "failures", json_object_new_int64(row->failures));
	json_object_object_add(object, "last_exit", json_last_exit(row));
	json_object_object_add(object, "ready", json_object_new_boolean(running));
	json_object_object_add(object, "refused", json_object_new_boolean(row->accepted == 0));
	json_object_object_add(object, "reason", json_object_new_string(row->reason));
	json_object_object_add(object, "decided_by", json_text(row->decided_by));
	json_object_object_add(
	    object, "next_start", row->timer == SHOWN_START ? json_time(row->timer_wall_ms) : NULL);
	json_object_object_add(object, "next_timer", json_timer(row));
	return object;
}

static void
print_json(json_object *object)
{
	(void)puts(json_object_to_json_string_ext(
	    object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	(void)json_object_put(object);
}

void
show_json(const struct profiles *profiles)
{
	json_object *object = json_object_new_object(), *array = json_object_new_array();
	size_t i;

	json_object_object_add(object, "schema", json_object_new_int(1));
	for (i = 0; i < profiles->count; i++)
		(void)json_object_array_add(array, json_profile(&profiles->rows[i]));
	json_object_object_add(object, "profiles", array);
	print_json(object);
}

static json_object *
json_version(const char *version, const char *build)
{
	json_object *object = json_object_new_object();

	json_object_object_add(object, "version", json_object_new_string(version));
	json_object_object_add(object, "build", json_object_new_string(build));
	return object;
}

void
show_versions(const struct hello *running)
{
	json_object *object = json_object_new_object();

	json_object_object_add(object, "schema", json_object_new_int(1));
	json_object_object_add(
	    object, "proclaunchctl", json_version(PROCLAUNCH_VERSION, PROCLAUNCH_BUILD));
	json_object_object_add(
	    object, "proclaunch", json_version(running->version, running->build));
	print_json(object);
}

void
show_explanation(const struct row *row)
{
	char text[CELL_BYTES];

	(void)printf("%s is %s: %s.\n", row->name, state_name(row->state), row->reason);
	if (row->decided_by[0] != '\0')
		(void)printf("  decided by  %s\n", row->decided_by);
	(void)printf("  wanted      %s\n", row->wanted != 0 ? "up" : "down");
	(void)printf("  since       %s\n", profiles_time(row->since_wall_ms, false, text));
	if (row->exit_end != END_NONE)
		(void)printf("  last exit   %s, pid %d",
		    profiles_last_exit(row, text, sizeof(text)), row->exit_pid);
	if (row->exit_end != END_NONE)
		(void)printf(", %s\n", profiles_time(row->exit_wall_ms, false, text));
	if (row->timer == SHOWN_START)
		(void)printf("  next start  %s (after %u failed ones)\n",
		    profiles_time(row->timer_wall_ms, false, text), row->failures);
	else if (row->timer != SHOWN_NONE)
		(void)printf("  next timer  %s, %s\n", timer_names[row->timer],
		    profiles_time(row->timer_wall_ms, false, text));
}

void
show_transition(const struct request *request, const struct transition_facts *transition)
{
	char text[TIME_TEXT_BYTES];
	json_object *object;

	if (request->json) {
		object = json_object_new_object();
		json_object_object_add(object, "time", json_time(transition->wall_ms));
		json_object_object_add(object, "name", json_object_new_string(transition->name));
		json_object_object_add(
		    object, "from", json_object_new_string(state_name(transition->from)));
		json_object_object_add(
		    object, "to", json_object_new_string(state_name(transition->to)));
		json_object_object_add(object, "pid",
		    transition->pid == 0 ? NULL : json_object_new_int(transition->pid));
		json_object_object_add(
		    object, "reason", json_object_new_string(transition->reason));
		print_json(object);
	} else {
		(void)printf("%s %s %s -> %s", profiles_time(transition->wall_ms, true, text),
		    transition->name, state_name(transition->from), state_name(transition->to));
		if (transition->pid != 0)
			(void)printf(" pid %d", transition->pid);
		(void)printf(" (%s)\n", transition->reason);
	}
	(void)fflush(stdout);
}

/* How many bytes the character has that begins with this byte, RFC 3629; 0: none does. */
static size_t
character_bytes(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* Is this, of the right length, a character that shows and commands nothing? U+0080 to U+009F are
 * control characters, which many terminals obey. */
static bool
shows(const unsigned char *text, size_t bytes)
{
	size_t i;

	if (bytes == 1)
		return text[0] == '\n' || text[0] == '\t' || (text[0] >= ' ' && text[0] != 0x7f);
	for (i = 1; i < bytes; i++)
		if ((text[i] & 0xc0) != 0x80)
			return false;
	switch (text[0]) {
	case 0xc2:
	case 0xe0: /* the latter shorter: it would be an overlong form */
		return text[1] >= 0xa0;
	case 0xed:
		return text[1] < 0xa0; /* no surrogates */
	case 0xf0:
		return text[1] >= 0x90;
	case 0xf4:
		return text[1] < 0x90;
	default:
		return true;
	}
}

size_t
show_escaped(const char *text, size_t length)
{
	const unsigned char *bytes = (const unsigned char *)text;
	size_t i, size;

	for (i = 0; i < length; i += size) {
		size = character_bytes(bytes[i]);
		if (size > length - i)
			return i;
		if (size > 0 && shows(bytes + i, size)) {
			(void)fwrite(text + i, 1, size, stdout); /* an error shows at the end */
			continue;
		}
		size = 1;
		(void)printf("\\x%02x", bytes[i]);
	}
	return length;
}
