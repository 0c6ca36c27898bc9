/* What the supervisor has said, in words to a person. */
#ifndef PROCLAUNCH_CTL_SHOW_H
#define PROCLAUNCH_CTL_SHOW_H

#include "profiles.h"
#include "request.h"

/* How a terminal shows the state: what should run and does not, or is refused, in red; what is on
 * its way in yellow; NULL: as everything else. */
const char *show_colour(const struct row *row);

/* What the profile waits for, in a word. */
const char *show_timer(const struct row *row);

/* The answer of `explain` to a person. */
void show_explanation(const struct row *row);

/* What was printed reaches whoever reads it now. Who cannot be told anything is not served on: ends
 * the program, before anything else can fail and be taken for the reason. */
void show_flush(void);

/* One transition, by show_flush(): a line for a person, or a JSON object on a line. */
void show_transition(const struct request *request, const struct transition_facts *transition);

/*
 * Prints text with every byte that a terminal could obey, or that is not UTF-8, as \xNN; newlines
 * and tabs stay. Returns how many bytes it has printed: a character at the end of which a part is
 * missing is left.
 */
size_t show_escaped(const char *text, size_t length);

#endif
