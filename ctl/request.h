/* What the user has asked for on the command line of proclaunchctl(1). */
#ifndef PROCLAUNCH_CTL_REQUEST_H
#define PROCLAUNCH_CTL_REQUEST_H

#include "conversation.h"

enum colour { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER };

struct request {
	const char *state_directory;
	enum verb verb;
	char **names;
	int name_count;
	const char *fields;   /* -o; NULL: the usual columns */
	const char *textfile; /* --textfile; NULL: standard output */
	int64_t timeout;      /* nanoseconds; NEVER: wait for ever */
	enum colour colour;
	enum state state; /* wait: for which */
	int signal;
	long lines; /* log, events: how many; -1: the default */
	bool json;
	bool quiet;
	bool no_wait;
	bool no_header;
	bool follow;
	bool error;   /* log: what went to standard error */
	bool version; /* of this program, alone */
};

/* Exit statuses, which scripts rely on: proclaunchctl(1), EXIT STATUS. */
enum exit_status {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_ROOT_ONLY = 4,
	EXIT_NO_PROFILE = 5,
	EXIT_NOT_RUNNING = 7,
	/* of status, as the Linux Standard Base has them for init scripts */
	EXIT_STATUS_RUNNING = 0,
	EXIT_STATUS_STALE = 1,
	EXIT_STATUS_STOPPED = 3,
	EXIT_STATUS_UNKNOWN = 4
};

/*
 * Reads the command line, options before and after the verb. --help and --version (of the program
 * itself) print and exit 0; a usage error says what is wrong on standard error and exits 2.
 */
void request_read(struct request *request, int count, char **arguments);

/* True when the verb is answered only when what it asks for has been carried out. */
bool request_waits(const struct request *request);

/* True when standard output is to be coloured. */
bool request_coloured(const struct request *request);

#endif
