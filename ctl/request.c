#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "build.h"
#include "clock.h"
#include "report.h"
#include "request.h"
#include "words.h"

#define DEFAULT_STATE_DIRECTORY "/var/lib/proclaunch"
#define DEFAULT_TIMEOUT		(90 * SECOND)
#define TIMEOUT_MOST		(86400 * 365) /* seconds */

static const char usage[] =
    "usage: proclaunchctl [-d STATE_DIR] [-j|--json] [-q|--quiet] [--color=auto|always|never]\n"
    "                     [--timeout=SECONDS] VERB [NAME]...\n"
    "       proclaunchctl --version | --help\n"
    "\n"
    "  list [--no-header] [-o COLUMN,...] [NAME]...   what there is, one line a profile\n"
    "  status [NAME]...            one screen a profile\n"
    "  explain NAME...             why a profile is in its state, and what comes next\n"
    "  start | stop | restart [--no-wait] NAME...\n"
    "  enable | disable [--no-wait] NAME...   start or stop it, and at every boot\n"
    "  reload NAME...              send the signal of its reload file, or HUP\n"
    "  signal SIGNAL NAME...       send a signal to the service\n"
    "  reset NAME...               forget failed starts, try again now\n"
    "  wait --for=STATE NAME...    until it is stopped, starting, running or stopping\n"
    "  log [-f] [-n LINES] [--stderr] [NAME]   what a service has printed;\n"
    "                              without a name: the supervisor's own log\n"
    "  events [-f] [-n COUNT] [NAME]   changes of state\n"
    "  check [NAME]...             for Nagios\n"
    "  metrics [--textfile=FILE]   for OpenMetrics\n"
    "  reopen                      open all log files anew, after logrotate\n"
    "  ping | version\n";

enum long_option {
	OPTION_COLOUR = 256,
	OPTION_TIMEOUT,
	OPTION_NO_WAIT,
	OPTION_NO_HEADER,
	OPTION_FOR,
	OPTION_TEXTFILE,
	OPTION_STDERR,
	OPTION_HELP,
	OPTION_VERSION
};

static const struct option long_options[] = {
    {"state-dir", required_argument, NULL, 'd'},
    {"json", no_argument, NULL, 'j'},
    {"quiet", no_argument, NULL, 'q'},
    {"color", required_argument, NULL, OPTION_COLOUR},
    {"timeout", required_argument, NULL, OPTION_TIMEOUT},
    {"no-wait", no_argument, NULL, OPTION_NO_WAIT},
    {"no-header", no_argument, NULL, OPTION_NO_HEADER},
    {"output", required_argument, NULL, 'o'},
    {"follow", no_argument, NULL, 'f'},
    {"lines", required_argument, NULL, 'n'},
    {"for", required_argument, NULL, OPTION_FOR},
    {"textfile", required_argument, NULL, OPTION_TEXTFILE},
    {"stderr", no_argument, NULL, OPTION_STDERR},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL, 0, NULL, 0},
};

#define VERB(verb) (1U << (verb))
#define WAITING_VERBS                                                                  \
	(VERB(VERB_START) | VERB(VERB_STOP) | VERB(VERB_RESTART) | VERB(VERB_ENABLE) | \
	    VERB(VERB_DISABLE))

/* Options that are for some verbs only: somebody who gives them to another verb expects something
 * that would not happen. The others are for all. */
static const struct {
	int letter;
	const char *name;
	uint32_t verbs;
} uses[] = {
    {'o', "-o", VERB(VERB_LIST) | VERB(VERB_STATUS)},
    {OPTION_NO_HEADER, "--no-header", VERB(VERB_LIST) | VERB(VERB_STATUS)},
    {OPTION_NO_WAIT, "--no-wait", WAITING_VERBS},
    {'f', "-f", VERB(VERB_LOG) | VERB(VERB_EVENTS)},
    {'n', "-n", VERB(VERB_LOG) | VERB(VERB_EVENTS)},
    {OPTION_STDERR, "--stderr", VERB(VERB_LOG)},
    {OPTION_FOR, "--for", VERB(VERB_WAIT)},
    {OPTION_TEXTFILE, "--textfile", VERB(VERB_METRICS)},
};
#define USES (sizeof(uses) / sizeof(uses[0]))
static bool given[USES];

/* The synopsis alone: a screenful of verbs would push what is wrong, in the line above, off it. */
static _Noreturn void
usage_error(void)
{
	(void)fprintf(stderr, "%.*sproclaunchctl --help lists the verbs and what each takes\n",
	    (int)(strstr(usage, "\n\n") + 1 - usage), usage);
	exit(EXIT_USAGE);
}

/* Say what is wrong with the command line, as warningx() does, and exit. */
#define mistake(...)                   \
	do {                           \
		warningx(__VA_ARGS__); \
		usage_error();         \
	} while (0)

static _Noreturn void
print_and_exit(const char *text)
{
	if (fputs(text, stdout) == EOF || fflush(stdout) == EOF)
		fatal("standard output");
	exit(EXIT_DONE);
}

static enum colour
read_colour(const char *text)
{
	if (strcmp(text, "auto") == 0)
		return COLOUR_AUTO;
	if (strcmp(text, "always") == 0)
		return COLOUR_ALWAYS;
	if (strcmp(text, "never") == 0)
		return COLOUR_NEVER;
	mistake("--color=%s: must be auto, always or never", text);
}

static long
read_number(const char *option, const char *text, long most)
{
	char *end;
	long number = strtol(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end != '\0' || number > most)
		mistake("%s %s: must be a number from 0 to %ld", option, text, most);
	return number;
}

/* Seconds with or without a fraction, in nanoseconds. */
static int64_t
read_seconds(const char *text)
{
	size_t digits = strspn(text, "0123456789"), decimals = 0;
	double seconds = strtod(text, NULL);

	if (digits > 0 && text[digits] == '.')
		decimals = strspn(text + digits + 1, "0123456789");
	if (digits == 0 || text[digits + (decimals > 0 ? decimals + 1 : 0)] != '\0' ||
	    seconds > TIMEOUT_MOST)
		mistake("--timeout=%s: must be a number from 0 to %d", text, TIMEOUT_MOST);
	return (int64_t)(seconds * SECOND);
}

static enum state
read_state(const char *text)
{
	enum state state = state_from_text(text);

	if (state == STATE_COUNT)
		mistake("--for=%s: must be stopped, starting, running or stopping", text);
	return state;
}

/* No option means anything without its value: a script's variable was not set. */
static void
check_value(int letter)
{
	const struct option *option = long_options;

	if (optarg == NULL || optarg[0] != '\0')
		return;
	while (option->val != letter)
		option++;
	mistake("--%s: must not be empty", option->name);
}

static void
note_use(int letter)
{
	size_t i;

	for (i = 0; i < USES; i++)
		given[i] = given[i] || uses[i].letter == letter;
}

static void
read_option(struct request *request, int letter)
{
	check_value(letter);
	note_use(letter);
	switch (letter) {
	case 'd':
		request->state_directory = optarg;
		break;
	case 'j':
		request->json = true;
		break;
	case 'q':
		request->quiet = true;
		break;
	case 'o':
		request->fields = optarg;
		break;
	case 'f':
		request->follow = true;
		break;
	case 'n':
		request->lines = read_number("-n", optarg, 1000000);
		break;
	case OPTION_COLOUR:
		request->colour = read_colour(optarg);
		break;
	case OPTION_TIMEOUT:
		request->timeout = read_seconds(optarg);
		break;
	case OPTION_NO_WAIT:
		request->no_wait = true;
		break;
	case OPTION_NO_HEADER:
		request->no_header = true;
		break;
	case OPTION_FOR:
		request->state = read_state(optarg);
		break;
	case OPTION_TEXTFILE:
		request->textfile = optarg;
		break;
	case OPTION_STDERR:
		request->error = true;
		break;
	case OPTION_HELP:
		print_and_exit(usage);
	case OPTION_VERSION:
		request->version = true;
		break;
	default:
		usage_error();
	}
}

static void
read_signal(struct request *request, const char *text)
{
	request->signal = signal_from_text(text, strlen(text));
	if (request->signal != 0)
		return;
	if (text[0] == '\0')
		mistake("signal needs a signal, such as HUP, and the name of a profile");
	mistake("signal: %s: not a signal that may be sent; proclaunchctl(1) lists them", text);
}

/* The first operand is the verb; of `signal` the second is the signal. */
static void
read_operands(struct request *request, int count, char **operands)
{
	if (count == 0)
		mistake("a verb is needed");
	request->verb = verb_from_text(operands[0]);
	if (request->verb == VERB_COUNT)
		mistake("%s: no such verb", operands[0]);
	count--;
	operands++;
	if (request->verb == VERB_SIGNAL) {
		read_signal(request, count == 0 ? "" : operands[0]);
		count--;
		operands++;
	}
	request->names = operands;
	request->name_count = count;
}

/* Does the verb get what it needs, and nothing that it cannot use? */
static void
check_use(const struct request *request)
{
	const struct verb_rule *rule = &verb_rules[request->verb];
	bool alone = request->verb == VERB_STATUS || request->verb == VERB_LOG;
	/* `status` of a profile is no table */
	uint32_t verb =
	    request->verb == VERB_STATUS && request->name_count > 0 ? 0 : VERB(request->verb);
	size_t i;

	if (request->name_count > 0 && !rule->names)
		mistake("%s takes no name", rule->name);
	if (request->name_count == 0 && rule->authority == AUTHORITY_OWNER && !alone)
		mistake("%s needs the name of a profile", rule->name);
	for (i = 0; i < (size_t)request->name_count; i++) {
		if (request->names[i][0] != '\0')
			continue;
		mistake("the name of a profile must not be empty"); /* nor mean all of them */
	}
	if (request->name_count > 1 && (request->verb == VERB_LOG || request->verb == VERB_EVENTS))
		mistake("%s takes one name", rule->name);
	if (request->error && request->name_count == 0)
		mistake("--stderr needs the name of a profile");
	if (request->verb == VERB_WAIT && request->state == STATE_COUNT)
		mistake("wait needs --for=STATE");
	for (i = 0; i < USES; i++) {
		if (!given[i] || (uses[i].verbs & verb) != 0)
			continue;
		mistake(
		    "%s%s takes no %s", rule->name, verb == 0 ? " of a profile" : "", uses[i].name);
	}
}

void
request_read(struct request *request, int count, char **arguments)
{
	const char *directory = getenv("PROCLAUNCH_STATE_DIR");
	int letter;

	memset(request, 0, sizeof(*request));
	request->state_directory =
	    directory != NULL && directory[0] != '\0' ? directory : DEFAULT_STATE_DIRECTORY;
	request->timeout = DEFAULT_TIMEOUT;
	request->state = STATE_COUNT;
	request->lines = -1;
	(void)unsetenv("POSIXLY_CORRECT"); /* options stand behind the verb, too */
	while ((letter = getopt_long(count, arguments, "d:jqo:fn:", long_options, NULL)) != -1)
		read_option(request, letter);
	if (request->version && optind == count)
		print_and_exit(BUILD_LINE);
	if (request->version)
		mistake("--version takes no verb; there is a verb of that name");
	read_operands(request, count - optind, arguments + optind);
	check_use(request);
	/* who has them told to anything but a terminal takes them apart, line by line */
	if (request->verb == VERB_EVENTS && request->follow && isatty(STDOUT_FILENO) != 1)
		request->json = true;
}

bool
request_waits(const struct request *request)
{
	return (WAITING_VERBS & VERB(request->verb)) != 0 && !request->no_wait;
}

bool
request_coloured(const struct request *request)
{
	const char *no_color = getenv("NO_COLOR"); /* https://no-color.org */
	const char *terminal = getenv("TERM");

	if (request->colour != COLOUR_AUTO)
		return request->colour == COLOUR_ALWAYS;
	if (terminal != NULL && strcmp(terminal, "dumb") == 0)
		return false; /* as that of an editor, which would show the codes */
	return isatty(STDOUT_FILENO) == 1 && (no_color == NULL || no_color[0] == '\0');
}
