/*
 * What the files of a profile say, proclaunch-profile(5). Parsed here, in the process that has no
 * privileges, from bytes that it was handed.
 */
#ifndef PROCLAUNCH_SETTINGS_H
#define PROCLAUNCH_SETTINGS_H

#include "message.h"

enum restart_policy { RESTART_NEVER, RESTART_ALWAYS, RESTART_ON_FAILURE };
enum kill_mode { KILL_GROUP, KILL_PROCESS };

/* The file `output`. */
struct output_settings {
	uint64_t rotate_size; /* bytes */
	uint32_t rotate_keep;
	uint32_t rate; /* lines a second; 0: as fast as it comes */
	bool raw;
	bool separate_error;
	bool discard;
	bool sized; /* rotate_size or rotate_keep was set, and is no default */
};

struct settings {
	enum restart_policy restart;
	enum kill_mode kill_mode;
	int stop_signal;
	int reload_signal;	/* 0: no `reload` file: a change restarts */
	uint32_t start_timeout; /* seconds */
	uint32_t stop_timeout;	/* seconds; NO_TIMEOUT: wait for ever */
	bool down;
	bool pid_file;
	struct output_settings output;
};

#define NO_TIMEOUT	      UINT32_MAX
#define DEFAULT_START_TIMEOUT 60
#define TIMEOUT_MAX	      86400
#define DEFAULT_ROTATE_SIZE   (10U << 20)
#define DEFAULT_ROTATE_KEEP   5
#define RATE_MAX	      1000000

/* What a profile without any file but `run` gets. */
void settings_default(struct settings *settings);

/*
 * Takes the content of one file into `settings`. NULL, or why it is refused: a sentence for an
 * administrator that does not repeat what the file says, which may be a tenant's secret.
 */
const char *
settings_parse(struct settings *settings, enum setting setting, const char *bytes, size_t length);

/*
 * A tenant's share of the disk: each profile has its part of the quota, for each of its streams.
 * What the tenant has not set is made to fit. NULL, or why the file `output` is refused.
 */
const char *settings_fit(struct settings *settings, const struct quota *quota);

#endif
