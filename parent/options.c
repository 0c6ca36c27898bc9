#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "build.h"
#include "clock.h"
#include "message.h"
#include "options.h"
#include "quota.h"
#include "report.h"

#define EXIT_USAGE	   2
#define RESCAN_SECONDS_MAX 86400

static const char usage[] =
    "usage: proclaunch [-f|--foreground] [-D|--debug] [--log-level=fatal|warn|info|debug]\n"
    "                  [--log-path=FILE] [--log-rotate=SIZE,KEEP] [--output-dir=DIR]\n"
    "                  [--tenants=DIR] [--tenant-quota=KEY=NUMBER,...] [--monitor-user=USER]\n"
    "                  [--no-root] [--rescan=SECONDS]\n"
    "                  STATE_DIR PROFILES_DIR\n"
    "       proclaunch --check PROFILES_DIR\n"
    "       proclaunch --version | --help\n";

enum long_option {
	OPTION_LOG_LEVEL = 256,
	OPTION_LOG_PATH,
	OPTION_LOG_ROTATE,
	OPTION_OUTPUT_DIR,
	OPTION_TENANTS,
	OPTION_TENANT_QUOTA,
	OPTION_MONITOR_USER,
	OPTION_RESCAN,
	OPTION_HELP
};

static _Noreturn void
usage_error(void)
{
	(void)fputs(usage, stderr);
	exit(EXIT_USAGE);
}

/* Says what is wrong, as warningx() does, and how it is right. */
#define wrong_usage(...)               \
	do {                           \
		warningx(__VA_ARGS__); \
		usage_error();         \
	} while (0)

static _Noreturn void
print_and_exit(const char *text)
{
	if (fputs(text, stdout) == EOF || fflush(stdout) == EOF)
		fatal("standard output");
	exit(0);
}

static uint32_t
read_level(const char *text)
{
	static const char *const levels[] = {"fatal", "warn", "info", "debug"};
	uint32_t level;

	for (level = 0; level < sizeof(levels) / sizeof(levels[0]); level++)
		if (strcmp(text, levels[level]) == 0)
			return level;
	wrong_usage("--log-level=%s: must be fatal, warn, info or debug", text);
}

static int64_t
read_seconds(const char *text)
{
	char *end;
	unsigned long seconds;

	seconds = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || seconds == 0 ||
	    seconds > RESCAN_SECONDS_MAX)
		wrong_usage("--rescan=%s: must be a number of seconds from 1 to %d", text,
		    RESCAN_SECONDS_MAX);
	return (int64_t)seconds * SECOND;
}

/* "10M,5": a size with an optional K, M or G, and how many old files stay. */
static void
read_rotation(struct options *options, const char *text)
{
	size_t length = strcspn(text, ",");
	unsigned long keep = ROTATE_KEEP_MAX + 1;
	uint64_t size;
	char *end = NULL; /* who checks the code does not see that it is set with `keep` */

	if (text[length] == ',' && text[length + 1] >= '0' && text[length + 1] <= '9')
		keep = strtoul(text + length + 1, &end, 10);
	if (keep > ROTATE_KEEP_MAX || *end != '\0' || !quota_number(text, length, &size) ||
	    size > ROTATE_SIZE_MAX || size < ROTATE_SIZE_MIN)
		wrong_usage("--log-rotate=%s: must be a size from 4K to 1024G, and from 0 to 100"
			    " old files to keep, such as 10M,5",
		    text);
	options->log_rotate_size = size;
	options->log_rotate_keep = (uint32_t)keep;
}

/* A path that is looked up again later must not depend on where we are then. */
static const char *
absolute(struct options *options, const char *path)
{
	char here[PATH_MAX], *whole;

	if (path[0] == '/')
		return path;
	options->relative = true;
	if (getcwd(here, sizeof(here)) == NULL || asprintf(&whole, "%s/%s", here, path) == -1)
		fatal("%s", path);
	return whole; /* kept until the end */
}

/* A directory that is where profiles or tenants stand, or stands among them, would be taken for one
 * of them; not so one whose name begins with a dot. */
static void
keep_out(const char *directory, const char *of)
{
	size_t length = directory == NULL || of == NULL ? 0 : strlen(of);

	while (length > 0 && of[length - 1] == '/')
		length--;
	if (length == 0 || strncmp(directory, of, length) != 0 ||
	    (directory[length] != '\0' && directory[length] != '/') ||
	    directory[length + strspn(directory + length, "/")] == '.')
		return;
	wrong_usage("%s: must neither be %s nor stand in it, where it would be taken for a profile",
	    directory, of);
}

static void
read_quota(struct options *options, const char *text)
{
	size_t length;

	do {
		length = strcspn(text, ",");
		if (!quota_set(&options->quota, text, length, '='))
			wrong_usage("--tenant-quota: %.*s: there are profiles, processes,"
				    " output_bytes, restarts_per_minute and clients, each with ="
				    " and a number above 0",
			    (int)length, text);
		text += length;
	} while (*text++ == ',');
}

/* `value` is of no meaning for an option that takes none. */
static void
read_option(struct options *options, int letter, const char *value)
{
	switch (letter) {
	case 0: /* getopt_long(3) has set a flag */
		break;
	case 'f':
		options->foreground = true;
		break;
	case 'D':
		options->log_level = 3;
		break;
	case OPTION_LOG_LEVEL:
		options->log_level = read_level(value);
		break;
	case OPTION_LOG_PATH:
		options->log_path = strcmp(value, "-") == 0 ? value : absolute(options, value);
		break;
	case OPTION_LOG_ROTATE:
		read_rotation(options, value);
		break;
	case OPTION_OUTPUT_DIR:
		options->output_directory = absolute(options, value);
		break;
	case OPTION_TENANTS:
		options->tenants_directory = absolute(options, value);
		break;
	case OPTION_TENANT_QUOTA:
		read_quota(options, value);
		break;
	case OPTION_MONITOR_USER:
		options->monitor_user = value;
		break;
	case OPTION_RESCAN:
		options->rescan = read_seconds(value);
		break;
	case OPTION_HELP:
		print_and_exit(usage);
	default:
		usage_error();
	}
}

void
options_read(struct options *options, int count, char **arguments, bool begins)
{
	const struct option long_options[] = {
	    {"foreground", no_argument, NULL, 'f'},
	    {"debug", no_argument, NULL, 'D'},
	    {"log-level", required_argument, NULL, OPTION_LOG_LEVEL},
	    {"log-path", required_argument, NULL, OPTION_LOG_PATH},
	    {"log-rotate", required_argument, NULL, OPTION_LOG_ROTATE},
	    {"output-dir", required_argument, NULL, OPTION_OUTPUT_DIR},
	    {"tenants", required_argument, NULL, OPTION_TENANTS},
	    {"tenant-quota", required_argument, NULL, OPTION_TENANT_QUOTA},
	    {"monitor-user", required_argument, NULL, OPTION_MONITOR_USER},
	    {"no-root", no_argument, &options->no_root, 1},
	    {"rescan", required_argument, NULL, OPTION_RESCAN},
	    {"check", no_argument, &options->check, 1},
	    {"version", no_argument, &options->version, 1},
	    {"help", no_argument, NULL, OPTION_HELP},
	    {NULL, 0, NULL, 0},
	};
	int letter, operands, which = 0;
	const char *value;

	memset(options, 0, sizeof(*options));
	options->foreground = getpid() == 1; /* with process 1 all others end */
	options->log_level = 2;
	quota_default(&options->quota);
	options->log_rotate_size = 10 << 20;
	options->log_rotate_keep = 5;
	while ((letter = getopt_long(count, arguments, "fD", long_options, &which)) != -1) {
		value = optarg == NULL ? "none" : optarg;
		if (value[0] == '\0')
			wrong_usage("--%s: must not be empty", long_options[which].name);
		read_option(options, letter, value);
	}
	operands = count - optind;
	if (options->version && operands == 0)
		print_and_exit(BUILD_LINE);
	if (options->version || operands != (options->check ? 1 : 2) ||
	    arguments[optind][0] == '\0' || arguments[count - 1][0] == '\0')
		wrong_usage("%s",
		    options->version	 ? "--version takes nothing else"
			: options->check ? "--check takes one directory"
					 : "a state directory and a profiles directory are needed");
	if (!options->check)
		options->state_directory = absolute(options, arguments[optind++]);
	options->profiles_directory = absolute(options, arguments[optind]);
	if (options->check)
		return; /* it may be a tenant's directory that is looked at */
	/* who upgrades us after years is not to lose his supervisor for it */
	if (begins && !options->foreground && options->log_path != NULL &&
	    options->log_path[0] != '/')
		wrong_usage(
		    "--log-path=-: is for -f: in the background there is no standard error");
	keep_out(options->state_directory, options->profiles_directory);
	keep_out(options->state_directory, options->tenants_directory);
	keep_out(options->tenants_directory, options->profiles_directory);
	keep_out(options->profiles_directory, options->tenants_directory);
}
