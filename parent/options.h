/* The command line of proclaunch(8). */
#ifndef PROCLAUNCH_OPTIONS_H
#define PROCLAUNCH_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "message.h"

struct options {
	const char *state_directory;
	const char *profiles_directory;
	const char *log_path; /* NULL: error.log in the profiles directory; "-": standard error */
	const char *tenants_directory; /* NULL: there are no tenants */
	const char *output_directory;  /* NULL: STATE_DIR/output */
	const char *monitor_user;      /* NULL: choose one */
	int64_t rescan;		       /* nanoseconds between two scans; 0: none */
	uint64_t log_rotate_size;      /* bytes; 0: never */
	uint32_t log_rotate_keep;
	uint32_t log_level; /* 0 fatal, 1 warn, 2 info, 3 debug */
	struct quota quota; /* of a tenant without a quota file */
	bool foreground;
	int check; /* these are flags of getopt_long(3): 0 or 1 */
	int version;
	int no_root;
	bool relative; /* a path was given that depends on where we were started */
};

/*
 * Reads the command line into `options`; the strings stay main()'s. --version and --help print to
 * standard output and exit 0; a usage error prints why and how to standard error and exits 2. After
 * an upgrade nothing `begins`: the log may go to a standard error that there is no more.
 */
void options_read(struct options *options, int count, char **arguments, bool begins);

#endif
