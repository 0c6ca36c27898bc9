#include <string.h>

#include "conversation.h"

const struct verb_rule verb_rules[VERB_COUNT] = {
    [VERB_LIST] = {"list", AUTHORITY_ANYBODY, true, false},
    [VERB_STATUS] = {"status", AUTHORITY_OWNER, true, false},
    [VERB_START] = {"start", AUTHORITY_OWNER, true, true},
    [VERB_STOP] = {"stop", AUTHORITY_OWNER, true, true},
    [VERB_RESTART] = {"restart", AUTHORITY_OWNER, true, true},
    [VERB_RELOAD] = {"reload", AUTHORITY_OWNER, true, true},
    [VERB_SIGNAL] = {"signal", AUTHORITY_OWNER, true, true},
    [VERB_WAIT] = {"wait", AUTHORITY_OWNER, true, false},
    [VERB_ENABLE] = {"enable", AUTHORITY_OWNER, true, true},
    [VERB_DISABLE] = {"disable", AUTHORITY_OWNER, true, true},
    [VERB_RESET] = {"reset", AUTHORITY_OWNER, true, true},
    [VERB_LOG] = {"log", AUTHORITY_OWNER, true, false},
    [VERB_REOPEN] = {"reopen", AUTHORITY_ROOT, false, true},
    [VERB_EVENTS] = {"events", AUTHORITY_ANYBODY, true, false},
    [VERB_EXPLAIN] = {"explain", AUTHORITY_OWNER, true, false},
    [VERB_CHECK] = {"check", AUTHORITY_ANYBODY, true, false},
    [VERB_METRICS] = {"metrics", AUTHORITY_ANYBODY, false, false},
    [VERB_PING] = {"ping", AUTHORITY_ANYBODY, false, false},
    [VERB_VERSION] = {"version", AUTHORITY_ANYBODY, false, false},
};

enum verb
verb_from_text(const char *text)
{
	unsigned verb;

	for (verb = 0; verb < VERB_COUNT; verb++)
		if (strcmp(text, verb_rules[verb].name) == 0)
			break;
	return (enum verb)verb;
}
