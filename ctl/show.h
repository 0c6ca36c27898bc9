/* Profiles and transitions as tables and as JSON. */
#ifndef PROCLAUNCH_CTL_SHOW_H
#define PROCLAUNCH_CTL_SHOW_H

#include "profiles.h"
#include "request.h"

/* Exits with EXIT_USAGE where -o names a column that there is not. */
void show_check_fields(const struct request *request);

/* How a terminal shows the state: what should run and does not, or is refused, in red; what is on
 * its way in yellow; NULL: as everything else. */
const char *show_colour(const struct row *row);

/* The table of `list`, with the columns of -o. */
void show_table(const struct request *request, const struct profiles *profiles);

/* {"schema":1,"profiles":[...]} on one line. */
void show_json(const struct profiles *profiles);

/* {"schema":1,"proclaunchctl":{...},"proclaunch":{...}}: the versions of this program and of the
 * supervisor. */
void show_versions(const struct hello *running);

/* The answer of `explain` to a person. */
void show_explanation(const struct row *row);

/* One transition: a line for a person, or a JSON object on a line. */
void show_transition(const struct request *request, const struct transition_facts *transition);

/*
 * Prints text with every byte that a terminal could obey, or that is not UTF-8, as \xNN; newlines
 * and tabs stay. Returns how many bytes it has printed: a character at the end of which a part is
 * missing is left.
 */
size_t show_escaped(const char *text, size_t length);

#endif
