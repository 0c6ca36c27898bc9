#include <json-c/json.h>
#include <stdio.h>

#include "build.h"
#include "json.h"
#include "library.h"
#include "show.h"
#include "words.h"

#define LIBRARY "libjson-c.so.5"
_Static_assert(JSON_C_VERSION_NUM >= 15 << 8, "json-c 0.15 is the first of this name");
LIBRARY_NOTE(LIBRARY, "JSON");
#define FUNCTIONS(DO)               \
	DO(json_object_array_add)   \
	DO(json_object_new_array)   \
	DO(json_object_new_boolean) \
	DO(json_object_new_int)     \
	DO(json_object_new_int64)   \
	DO(json_object_new_object)  \
	DO(json_object_new_string)  \
	DO(json_object_object_add)  \
	DO(json_object_put)         \
	DO(json_object_to_json_string_ext)

static struct {
	FUNCTIONS(LIBRARY_POINTER)
} library;

bool
json_load(void)
{
	void *loaded = library_load(LIBRARY);

#define FOUND(function) &&LIBRARY_FIND(library, loaded, function)
	return loaded != NULL FUNCTIONS(FOUND);
}

static json_object *
json_time(int64_t wall_ms)
{
	char text[TIME_TEXT_BYTES];

	return wall_ms == 0 ? NULL
			    : library.json_object_new_string(profiles_time(wall_ms, true, text));
}

static json_object *
json_last_exit(const struct row *row)
{
	json_object *object;
	char text[SIGNAL_TEXT_BYTES];

	if (row->exit_end == END_NONE || row->exit_end == END_UNBORN)
		return NULL;
	object = library.json_object_new_object();
	library.json_object_object_add(object, "pid", library.json_object_new_int(row->exit_pid));
	library.json_object_object_add(object, "time", json_time(row->exit_wall_ms));
	if (row->exit_end != END_SIGNAL) /* null: the kernel could not say */
		library.json_object_object_add(object, "exit",
		    row->exit_end == END_EXIT ? library.json_object_new_int(row->exit_value)
					      : NULL);
	else
		library.json_object_object_add(object, "signal",
		    library.json_object_new_string(
			signal_to_text(row->exit_value, text, sizeof(text))));
	return object;
}

static json_object *
json_timer(const struct row *row)
{
	json_object *object;

	if (row->timer == SHOWN_NONE)
		return NULL;
	object = library.json_object_new_object();
	library.json_object_object_add(
	    object, "timer", library.json_object_new_string(show_timer(row)));
	library.json_object_object_add(object, "time", json_time(row->timer_wall_ms));
	return object;
}

static json_object *
json_text(const char *text)
{
	return text[0] == '\0' ? NULL : library.json_object_new_string(text);
}

static json_object *
json_profile(const struct row *row)
{
	json_object *object = library.json_object_new_object();
	bool running = row->state == STATE_RUNNING;

	library.json_object_object_add(object, "name", library.json_object_new_string(row->name));
	library.json_object_object_add(object, "user", json_text(row->account));
	library.json_object_object_add(object, "uid",
	    row->account[0] == '\0' ? NULL : library.json_object_new_int64(row->uid));
	library.json_object_object_add(
	    object, "state", library.json_object_new_string(state_name(row->state)));
	library.json_object_object_add(
	    object, "wanted", library.json_object_new_string(row->wanted != 0 ? "up" : "down"));
	library.json_object_object_add(
	    object, "pid", row->pid == 0 ? NULL : library.json_object_new_int(row->pid));
	library.json_object_object_add(object, "since", json_time(row->since_wall_ms));
	library.json_object_object_add(
	    object, "uptime_ms", running ? library.json_object_new_int64(row->uptime_ms) : NULL);
	library.json_object_object_add(
	    object, "restarts", library.json_object_new_int64(row->restarts));
	library.json_object_object_add(
	    object, "failures", library.json_object_new_int64(row->failures));
	library.json_object_object_add(object, "last_exit", json_last_exit(row));
	library.json_object_object_add(object, "ready", library.json_object_new_boolean(running));
	library.json_object_object_add(
	    object, "refused", library.json_object_new_boolean(row->accepted == 0));
	library.json_object_object_add(
	    object, "reason", library.json_object_new_string(row->reason));
	library.json_object_object_add(object, "decided_by", json_text(row->decided_by));
	library.json_object_object_add(
	    object, "next_start", row->timer == SHOWN_START ? json_time(row->timer_wall_ms) : NULL);
	library.json_object_object_add(object, "next_timer", json_timer(row));
	return object;
}

static void
print_json(json_object *object)
{
	(void)puts(library.json_object_to_json_string_ext(
	    object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	(void)library.json_object_put(object);
}

void
json_show_profiles(const struct profiles *profiles)
{
	json_object *object = library.json_object_new_object(),
		    *array = library.json_object_new_array();
	size_t i;

	library.json_object_object_add(object, "schema", library.json_object_new_int(1));
	for (i = 0; i < profiles->count; i++)
		(void)library.json_object_array_add(array, json_profile(&profiles->rows[i]));
	library.json_object_object_add(object, "profiles", array);
	print_json(object);
}

static json_object *
json_version(const char *version, const char *build)
{
	json_object *object = library.json_object_new_object();

	library.json_object_object_add(object, "version", library.json_object_new_string(version));
	library.json_object_object_add(object, "build", library.json_object_new_string(build));
	return object;
}

void
json_show_versions(const struct hello *running)
{
	json_object *object = library.json_object_new_object();

	library.json_object_object_add(object, "schema", library.json_object_new_int(1));
	library.json_object_object_add(
	    object, "proclaunchctl", json_version(PROCLAUNCH_VERSION, PROCLAUNCH_BUILD));
	library.json_object_object_add(
	    object, "proclaunch", json_version(running->version, running->build));
	print_json(object);
}

void
json_show_transition(const struct transition_facts *transition)
{
	json_object *object = library.json_object_new_object();

	library.json_object_object_add(object, "time", json_time(transition->wall_ms));
	library.json_object_object_add(
	    object, "name", library.json_object_new_string(transition->name));
	library.json_object_object_add(
	    object, "from", library.json_object_new_string(state_name(transition->from)));
	library.json_object_object_add(
	    object, "to", library.json_object_new_string(state_name(transition->to)));
	library.json_object_object_add(object, "pid",
	    transition->pid == 0 ? NULL : library.json_object_new_int(transition->pid));
	library.json_object_object_add(
	    object, "reason", library.json_object_new_string(transition->reason));
	print_json(object);
}
