/*
 * What proclaunchctl prints of the rows that a monitor sends, whatever stands in them: nothing that
 * a terminal obeys, JSON that parses, OpenMetrics that ends as it must and whose lines are samples.
 */
#include <json-c/json.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "input.h"
#include "json.h"
#include "nagios.h"
#include "openmetrics.h"
#include "show.h"
#include "listing.h"
#include "unprivileged.h"

#define TEXT_MAX (1 << 18)

static char text[TEXT_MAX];
static FILE *terminal;

/* What was printed since the last call, without control bytes. */
static size_t
printed(void)
{
	size_t length, i;

	PROPERTY(fflush(stdout) == 0);
	length = (size_t)ftell(stdout);
	PROPERTY(length < sizeof(text));
	text[length] = '\0';
	for (i = 0; i < length; i++)
		PROPERTY(text[i] == '\n' || ((unsigned char)text[i] >= ' ' && text[i] != 0x7f));
	rewind(stdout);
	return length;
}

static void
check_json(void)
{
	enum json_tokener_error error;
	struct json_object *object;

	(void)printed();
	object = json_tokener_parse_verbose(text, &error);
	PROPERTY(object != NULL && error == json_tokener_success);
	(void)json_object_put(object);
}

static void
check_metrics(void)
{
	static const char sample[] =
	    "^[a-z_]+([{][a-z_]+=\"[^\"\\]*\"(,[a-z_]+=\"[^\"\\]*\")*[}])? "
	    "-?[0-9.]+(e[+-][0-9]+)?$";
	char *line, *rest = text;
	size_t length = printed();

	PROPERTY(length > 6 && strcmp(text + length - 6, "# EOF\n") == 0);
	while ((line = strsep(&rest, "\n")) != NULL)
		PROPERTY(
		    line[0] == '#' || line[0] == '\0' || input_matches(sample, line, strlen(line)));
}

int
LLVMFuzzerInitialize(int *count, char ***arguments)
{
	(void)count;
	(void)arguments;
	terminal = fmemopen(text, sizeof(text), "w");
	PROPERTY(terminal != NULL && json_load() && listing_load());
	stdout = terminal;
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct message message;
	static const struct request request = {.colour = COLOUR_NEVER};
	struct profiles profiles = {.count = 0};
	uint32_t i;

	message_begin(&message, size % 2 == 0 ? MESSAGE_ROWS : MESSAGE_TRANSITION);
	memcpy((char *)&message + offsetof(struct message, hello), bytes,
	    size > sizeof(struct rows) ? sizeof(struct rows) : size);
	if (!unprivileged_valid(&message))
		return 0; /* the channel takes no such message */
	ask_make_printable(&message);
	if (message.type == MESSAGE_TRANSITION) {
		show_transition(&request, &message.transition);
		(void)printed();
		return 0;
	}
	for (i = 0; i < message.rows.count; i++)
		profiles_add(&profiles, &message.rows.rows[i]);
	profiles_sort(&profiles);
	json_show_profiles(&profiles);
	check_json();
	listing_show(&request, &profiles);
	(void)printed();
	(void)nagios_report(&profiles);
	(void)printed();
	openmetrics_write(stdout, &profiles, "2.0", READER_OPENMETRICS);
	check_metrics();
	for (i = 0; i < profiles.count; i++)
		show_explanation(&profiles.rows[i]);
	(void)printed();
	profiles_free(&profiles);
	return 0;
}
