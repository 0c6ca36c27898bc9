/* What the supervisor has said as JSON, one object a line, by json-c. */
#ifndef PROCLAUNCH_CTL_JSON_H
#define PROCLAUNCH_CTL_JSON_H

#include "profiles.h"

/* Loads the library, once before anything is shown; false: said on standard error. */
bool json_load(void);

/* {"schema":1,"profiles":[...]} */
void json_show_profiles(const struct profiles *profiles);

/* {"schema":1,"proclaunchctl":{...},"proclaunch":{...}}: the versions of this program and of the
 * supervisor. */
void json_show_versions(const struct hello *running);

/* One transition. */
void json_show_transition(const struct transition_facts *transition);

#endif
