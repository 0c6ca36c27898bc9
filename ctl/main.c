/*
 * proclaunchctl: asks the running supervisor, and shows what it says. It is nobody's authority:
 * what the caller may do is decided by the monitor, from what the kernel says about the caller.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "build.h"
#include "clock.h"
#include "follow.h"
#include "json.h"
#include "nagios.h"
#include "openmetrics.h"
#include "pidfile.h"
#include "profiles.h"
#include "report.h"
#include "request.h"
#include "screen.h"
#include "show.h"
#include "listing.h"

#define DEFAULT_EVENTS 20
#define DEFAULT_LINES  50
#define STATUS_LINES   10

/* A command of somebody who has given too many is asked again after as long as the supervisor takes
 * to permit another one. */
#define ITS_TURN (100 * MILLISECOND)

static struct request request;
static int64_t deadline;
static bool answered;	   /* the last request for rows */
static unsigned asked;	   /* questions that are on their way, and which converse() comes to next */
static uint32_t ask_flags; /* of the questions to come, enum ask_flag */

static enum exit_status
exit_status_of(enum result result)
{
	switch (result) {
	case RESULT_DONE:
		return EXIT_DONE;
	case RESULT_NO_PROFILE:
		return EXIT_NO_PROFILE;
	case RESULT_NOT_RUNNING:
		return EXIT_NOT_RUNNING;
	case RESULT_ROOT_ONLY:
		return EXIT_ROOT_ONLY;
	default:
		return EXIT_FAILED;
	}
}

/* What it means to a script that the question could not be asked, or its answer not be shown. */
static int
exit_unknown(void)
{
	if (request.verb == VERB_CHECK)
		return NAGIOS_UNKNOWN;
	return request.verb == VERB_STATUS ? EXIT_STATUS_UNKNOWN : EXIT_FAILED;
}

static int
exit_unreachable(enum ask_result why)
{
	if (request.verb == VERB_CHECK)
		return nagios_unknown(why == ASK_OTHER_BUILD ? "the supervisor is of another build"
							     : "the supervisor does not answer");
	return exit_unknown();
}

/* What an answer means to a script; of several the worst is what counts. */
static int
worse(int status, int other)
{
	return other > status ? other : status;
}

static void
say_broken(enum ask_result result, const char *name)
{
	const char *about = name == NULL ? "" : name, *colon = name == NULL ? "" : ": ";

	if (result == ASK_TIMED_OUT)
		warningx("%s%snot done in time (--timeout)", about, colon);
	else if (result == ASK_LOST)
		warningx("%s%sthe supervisor has hung up", about, colon);
}

/* The monitor whose transitions were shown last, and which was the last of them. */
static struct {
	uint64_t incarnation; /* 0: none was asked yet */
	bool shown;
	uint32_t number;
} events;

/* All that another monitor remembers has happened since the one that we followed has died. */
static uint32_t
how_many_events(void)
{
	uint64_t before = events.incarnation;

	events.incarnation = ask_greeting()->incarnation;
	if (request.follow && before != 0 && (before != events.incarnation || events.shown)) {
		events.shown = events.shown && before == events.incarnation;
		return UINT32_MAX;
	}
	if (request.lines >= 0)
		return (uint32_t)request.lines;
	return request.follow ? 0 : DEFAULT_EVENTS;
}

static void
take_transition(const struct transition_facts *transition)
{
	/* it is told again */
	if (events.shown && (int32_t)(transition->number - events.number) <= 0)
		return;
	events.shown = true;
	events.number = transition->number;
	show_transition(&request, transition);
}

static void
fill_ask(struct ask *ask, enum verb verb, const char *name)
{
	memset(ask, 0, sizeof(*ask));
	ask->verb = verb;
	ask->flags = ask_flags;
	if (request.no_wait)
		ask->flags |= ASK_NO_WAIT;
	if (request.follow)
		ask->flags |= ASK_FOLLOW;
	if (verb == VERB_SIGNAL)
		ask->number = (uint32_t)request.signal;
	if (verb == VERB_LOG)
		ask->number = request.error ? STREAM_ERROR : STREAM_OUTPUT;
	if (verb == VERB_WAIT)
		ask->number = request.state;
	if (verb == VERB_EVENTS)
		ask->number = how_many_events();
	if (name != NULL)
		(void)snprintf(ask->name, sizeof(ask->name), "%s", name);
}

static bool
fits(const char *name)
{
	return name == NULL || strlen(name) < FULL_NAME_BYTES;
}

static void
ask_at_once(enum verb verb, const char *name)
{
	struct ask ask;

	fill_ask(&ask, verb, name);
	if (ask_send(&ask) == ASK_OK)
		asked++;
}

/* What a verb asks about each name, or about none: a name is looked up as `status` does it,
 * whatever is made of the row. */
static enum verb
question(void)
{
	switch (request.verb) {
	case VERB_LIST:
	case VERB_STATUS:
	case VERB_EXPLAIN:
	case VERB_CHECK:
	case VERB_METRICS:
		return request.name_count > 0 ? VERB_STATUS : VERB_LIST;
	default:
		return request.verb;
	}
}

/* Is it one screen about one profile, which ends with the last lines of its log? */
static bool
on_one_screen(void)
{
	return request.verb == VERB_STATUS && request.name_count == 1 && !request.json &&
	    !request.quiet;
}

/* The first questions go out with our greeting, since to wait for an answer takes longer than to
 * give it; but none that changes anything before we know whose supervisor it is. What `events` asks
 * depends on that. */
static void
ask_first(void)
{
	const char *name = request.name_count > 0 ? request.names[0] : NULL;
	enum verb verb = question();

	if (verb_rules[verb].changes || verb == VERB_EVENTS || verb == VERB_VERSION || !fits(name))
		return;
	ask_at_once(verb, name);
	if (asked > 0 && on_one_screen())
		ask_at_once(VERB_LOG, name);
}

static enum ask_result
connect_once(bool again)
{
	enum ask_result result =
	    ask_connect(request.state_directory, deadline, again && request.follow);

	asked = 0;
	if (result == ASK_OK && !again)
		ask_first();
	if (result == ASK_OK)
		result = ask_greet(deadline, request.verb == VERB_VERSION);
	return result;
}

/* Connects; again when the monitor is being replaced just now. Who follows waits for a supervisor
 * that is started again, too. */
static enum ask_result
connect_until_deadline(bool again)
{
	enum ask_result result;

	while ((result = connect_once(again)) == ASK_LOST && clock_now() < deadline)
		(void)poll(NULL, 0, 20);
	say_broken(result, NULL);
	return result;
}

/* Asking twice does no harm, when the first answer was lost. */
static bool
repeatable(enum verb verb)
{
	return (ask_flags & ASK_ALREADY) != 0 ||
	    (verb != VERB_RESTART && verb != VERB_RELOAD && verb != VERB_SIGNAL &&
		verb != VERB_RESET);
}

/* The current file comes after the older one: then the end of both can be shown. */
static void
take_file(struct incoming *incoming)
{
	bool older = incoming->message.number != 0;

	if (incoming->count > 0)
		follow_file(channel_take(incoming), older);
	if (!older)
		follow_begin(request.lines < 0 ? DEFAULT_LINES : request.lines, request.follow);
}

/* Takes in everything up to the answer; rows are collected, transitions shown as they come. */
static enum ask_result
listen_for_answer(struct profiles *profiles, struct answer *answer)
{
	static struct incoming incoming;
	enum ask_result result;
	uint32_t i;

	while ((result = ask_receive(&incoming, request.follow ? NEVER : deadline)) == ASK_OK) {
		switch (incoming.message.type) {
		case MESSAGE_ROWS:
			for (i = 0; i < incoming.message.rows.count; i++)
				profiles_add(profiles, &incoming.message.rows.rows[i]);
			break;
		case MESSAGE_TRANSITION:
			take_transition(&incoming.message.transition);
			break;
		case MESSAGE_FILE:
			take_file(&incoming);
			break;
		case MESSAGE_MORE:
			follow_more();
			break;
		case MESSAGE_ANSWER:
			if (request.follow)
				follow_more(); /* what came before it disappeared */
			*answer = incoming.message.answer;
			return ASK_OK;
		default:
			channel_discard(&incoming);
			break;
		}
	}
	return result;
}

static enum ask_result
send_question(enum verb verb, const char *name)
{
	struct ask ask;

	if (asked > 0) {
		asked--;
		return ASK_OK;
	}
	fill_ask(&ask, verb, name);
	return ask_send(&ask);
}

/*
 * What starts a service was not answered. One that ends as soon as this would run twice if it were
 * asked for again: what is to run already is waited for only, and of what has ended for good nobody
 * knows whether that was before. False when it is not to be asked for again.
 */
static bool
may_ask_again(enum verb verb, const char *name)
{
	struct profiles rows = {.count = 0};
	struct answer answer;
	bool may = true;

	if ((verb != VERB_START && verb != VERB_ENABLE) || (ask_flags & ASK_ALREADY) != 0)
		return true;
	if (send_question(VERB_STATUS, name) == ASK_OK &&
	    listen_for_answer(&rows, &answer) == ASK_OK && rows.count == 1 &&
	    rows.rows[0].wanted != 0 && rows.rows[0].accepted != 0) {
		if (rows.rows[0].state != STATE_STOPPED)
			ask_flags |= verb == VERB_START ? (uint32_t)ASK_ALREADY : 0;
		else
			may = rows.rows[0].timer == SHOWN_START;
	}
	profiles_free(&rows);
	return may;
}

/* One request about one name (NULL: about none). */
static enum ask_result
converse(enum verb verb, const char *name, struct profiles *profiles, struct answer *answer)
{
	size_t had = profiles->count;
	uint32_t flags = ask_flags;
	enum ask_result result;

	if (!fits(name)) {
		memset(answer, 0, sizeof(*answer));
		answer->result = RESULT_NO_PROFILE;
		(void)snprintf(answer->text, sizeof(answer->text), "no such profile");
		return ASK_OK;
	}
	for (;;) {
		result = send_question(verb, name);
		if (result == ASK_OK)
			result = listen_for_answer(profiles, answer);
		ask_flags = flags;
		if (request.follow)
			deadline = clock_now() + request.timeout; /* to find it again */
		if (result == ASK_OK && answer->result == RESULT_BUSY &&
		    clock_now() + ITS_TURN < deadline) {
			(void)poll(NULL, 0, ITS_TURN / MILLISECOND);
			continue;
		}
		if (result != ASK_LOST || !repeatable(verb) || clock_now() >= deadline)
			return result;
		profiles->count = had; /* all are told again */
		result = connect_until_deadline(true);
		if (result != ASK_OK)
			return result;
		if (!may_ask_again(verb, name))
			return ASK_LOST;
	}
}

static void
say_answer(const char *name, const struct answer *answer)
{
	if (answer->result != RESULT_DONE && name != NULL)
		warningx("%s: %s", name,
		    answer->result == RESULT_NOT_RUNNING ? "not running" : answer->text);
	else if (answer->result != RESULT_DONE)
		warningx("%s: %s", verb_rules[request.verb].name, answer->text);
	else if (answer->text[0] != '\0' && name != NULL && !request.quiet)
		warningx("%s: %s", name, answer->text); /* a remark */
}

/* Asks about each name that is still of interest, and says what went wrong. False when the
 * conversation broke down. */
static bool
ask_each(bool *interesting, int *status)
{
	struct profiles none = {.count = 0};
	struct answer answer;
	enum ask_result result;
	int i;

	for (i = 0; i < request.name_count; i++) {
		if (!interesting[i])
			continue;
		result = converse(request.verb, request.names[i], &none, &answer);
		if (result != ASK_OK) {
			say_broken(result, request.names[i]);
			*status = EXIT_FAILED;
			return false;
		}
		say_answer(request.names[i], &answer);
		*status = worse(*status, (int)exit_status_of((enum result)answer.result));
		interesting[i] = answer.result == RESULT_DONE;
	}
	return true;
}

/* Start, stop and their kin. All names are asked for before the first is waited for: to stop ten
 * services takes as long as the slowest of them. */
static int
command(void)
{
	bool *interesting = malloc((size_t)request.name_count * sizeof(*interesting));
	int status = EXIT_DONE;

	if (interesting == NULL)
		fatal("%s", verb_rules[request.verb].name);
	memset(interesting, true, (size_t)request.name_count * sizeof(*interesting));
	if (request.name_count > 1 && request_waits(&request)) {
		ask_flags = ASK_NO_WAIT;
		if (!ask_each(interesting, &status))
			goto done;
		ask_flags = ASK_ALREADY;
	}
	(void)ask_each(interesting, &status);
done:
	free(interesting);
	return status;
}

/* A command about no profile. */
static int
general(void)
{
	const char *name = request.name_count > 0 ? request.names[0] : NULL;
	struct profiles none = {.count = 0};
	struct answer answer;
	enum ask_result result = converse(request.verb, name, &none, &answer);

	if (result != ASK_OK) {
		say_broken(result, NULL);
		return EXIT_FAILED;
	}
	say_answer(name, &answer);
	return exit_status_of((enum result)answer.result);
}

/* The rows that were asked for: those of all names, or all. False when the conversation broke down
 * or a name was not found; then *status is what to exit with. */
static bool
collect(struct profiles *profiles, int *status)
{
	struct answer answer;
	enum ask_result result;
	int i = 0;

	*status = EXIT_DONE;
	do {
		result = converse(question(), request.name_count > 0 ? request.names[i] : NULL,
		    profiles, &answer);
		answered = result == ASK_OK;
		if (!answered) {
			say_broken(result, NULL);
			*status = exit_unreachable(result);
			return false;
		}
		if (answer.result != RESULT_DONE) {
			say_answer(request.names[i], &answer);
			*status = worse(*status,
			    request.verb == VERB_STATUS ? (int)EXIT_STATUS_UNKNOWN
							: (int)exit_status_of(answer.result));
		}
	} while (++i < request.name_count);
	profiles_sort(profiles);
	return *status == EXIT_DONE;
}

/* True where the supervisor has answered and JSON is asked for: it is printed even when there is no
 * profile in it. */
static bool
answers_in_json(void)
{
	return request.json && answered;
}

static bool
in_a_table(void)
{
	return !request.json && !request.quiet &&
	    (request.verb == VERB_LIST || (request.verb == VERB_STATUS && request.name_count == 0));
}

/* One that is empty has no line, which whoever sits at a terminal might take for a failure. */
static void
show_table(const struct profiles *profiles)
{
	if (profiles->count == 0 && isatty(STDOUT_FILENO) == 1)
		(void)puts(geteuid() == 0 ? "there is no profile" : "no profile runs as you");
	else
		listing_show(&request, profiles);
}

static int
list(void)
{
	struct profiles profiles = {.count = 0};
	int status;

	if (!collect(&profiles, &status) && profiles.count == 0 && !answers_in_json())
		return status;
	if (request.json)
		json_show_profiles(&profiles);
	else if (in_a_table())
		show_table(&profiles);
	profiles_free(&profiles);
	return status;
}

static int
status_of(const struct row *row)
{
	if (row->state == STATE_RUNNING)
		return EXIT_STATUS_RUNNING;
	return pidfile_is_stale(row) ? EXIT_STATUS_STALE : EXIT_STATUS_STOPPED;
}

/* The last lines of what the service has printed. */
static void
show_last_lines(const char *name)
{
	struct profiles none = {.count = 0};
	struct answer answer;
	enum ask_result result;

	request.lines = STATUS_LINES;
	(void)putchar('\n');
	result = converse(VERB_LOG, name, &none, &answer);
	if (result == ASK_OK)
		say_answer(name, &answer);
	else
		say_broken(result, name);
	follow_end();
}

static void
show_screens(const struct profiles *profiles)
{
	size_t i;

	for (i = 0; i < profiles->count; i++) {
		if (i > 0)
			(void)putchar('\n');
		screen_show(&request, &profiles->rows[i]);
		if (fflush(stdout) == EOF || ferror(stdout) != 0)
			return; /* nobody sees it */
		show_last_lines(profiles->rows[i].name);
	}
}

static int
show_status(void)
{
	struct profiles profiles = {.count = 0};
	int status;
	size_t i;

	if (!collect(&profiles, &status) && profiles.count == 0 && !answers_in_json())
		return status;
	for (i = 0; i < profiles.count; i++)
		status = worse(status, status_of(&profiles.rows[i]));
	if (request.json)
		json_show_profiles(&profiles);
	else if (in_a_table())
		show_table(&profiles);
	else if (!request.quiet)
		show_screens(&profiles);
	profiles_free(&profiles);
	return status;
}

static int
explain(void)
{
	struct profiles profiles = {.count = 0};
	int status;
	size_t i;

	(void)collect(&profiles, &status);
	if (answers_in_json())
		json_show_profiles(&profiles);
	for (i = 0; i < profiles.count && !request.json; i++)
		show_explanation(&profiles.rows[i]);
	profiles_free(&profiles);
	return status;
}

static int
check(void)
{
	struct profiles profiles = {.count = 0};
	int status;

	if (!collect(&profiles, &status))
		return status == NAGIOS_UNKNOWN ? status : (int)nagios_unknown("no such profile");
	/* to a plugin that runs as somebody else all would be well, whatever happens */
	if (profiles.count == 0 && geteuid() != 0)
		return nagios_unknown("no profile runs as the caller");
	status = nagios_report(&profiles);
	profiles_free(&profiles);
	return status;
}

/* Is there something that is no plain file, such as /dev/null, whose place the new one would take?
 */
static bool
is_in_the_way(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0 && !S_ISREG(status.st_mode);
}

static int
metrics(void)
{
	struct profiles profiles = {.count = 0};
	int status;

	if (!collect(&profiles, &status))
		return status;
	if (request.textfile == NULL) {
		openmetrics_write(stdout, &profiles, ask_greeting()->version, READER_OPENMETRICS);
	} else if (is_in_the_way(request.textfile)) {
		warningx("%s: is no plain file, and is not replaced by one", request.textfile);
		status = EXIT_FAILED;
	} else if (!openmetrics_write_file(request.textfile, &profiles, ask_greeting()->version)) {
		warning("%s", request.textfile);
		status = EXIT_FAILED;
	}
	profiles_free(&profiles);
	return status;
}

static int
version(void)
{
	const struct hello *running = ask_greeting();

	if (request.json) {
		json_show_versions(running);
		return EXIT_DONE;
	}
	(void)fputs(BUILD_LINE, stdout);
	(void)printf("running: ProcLaunch %.31s (build %.39s)\n", running->version, running->build);
	return EXIT_DONE;
}

static int
ping(void)
{
	int status = general();

	if (status == EXIT_DONE)
		(void)puts("the supervisor answers");
	return status;
}

/* Loads what the answer is to be shown with, while it is on its way. */
static bool
load_library(void)
{
	return request.json ? json_load() : !in_a_table() || listing_load();
}

/* What each verb does here. */
static int (*const carry_out[VERB_COUNT])(void) = {
    [VERB_LIST] = list,
    [VERB_STATUS] = show_status,
    [VERB_START] = command,
    [VERB_STOP] = command,
    [VERB_RESTART] = command,
    [VERB_RELOAD] = command,
    [VERB_SIGNAL] = command,
    [VERB_WAIT] = command,
    [VERB_ENABLE] = command,
    [VERB_DISABLE] = command,
    [VERB_RESET] = command,
    [VERB_LOG] = general,
    [VERB_REOPEN] = general,
    [VERB_EVENTS] = general,
    [VERB_EXPLAIN] = explain,
    [VERB_CHECK] = check,
    [VERB_METRICS] = metrics,
    [VERB_PING] = ping,
    [VERB_VERSION] = version,
};

/* What is closed must not become our connection: what is printed would be sent. Opened for reading:
 * whoever expects output is told that it could not be written. */
static void
open_standard_descriptors(void)
{
	int null;

	do
		null = open("/dev/null", O_RDONLY);
	while (null != -1 && null <= STDERR_FILENO);
	if (null != -1)
		(void)close(null);
}

static void
be_quiet(void)
{
	if (freopen("/dev/null", "w", stdout) == NULL)
		fatal("/dev/null");
}

int
main(int count, char **arguments)
{
	enum ask_result result;
	int status;

	open_standard_descriptors();
	report_as("proclaunchctl");
	/* an upgrade would be told the right version by it */
	if (strcmp(program_invocation_short_name, "proclaunch-monitor") == 0 ||
	    strcmp(program_invocation_short_name, "proclaunch-spawner") == 0)
		fatalx("this is neither the monitor nor the spawner: see %s", arguments[0]);
	request_read(&request, count, arguments);
	if (request.quiet)
		be_quiet();
	listing_check_fields(&request);
	deadline = clock_now() + request.timeout;
	result = connect_until_deadline(false);
	if (result != ASK_OK)
		return exit_unreachable(result);
	if (!load_library())
		return exit_unknown();
	status = carry_out[request.verb]();
	if (fflush(stdout) == EOF || ferror(stdout) != 0) {
		warning("standard output");
		return exit_unknown();
	}
	return status;
}
