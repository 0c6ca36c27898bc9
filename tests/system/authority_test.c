/*
 * Who may ask what: verb by verb and caller by caller. Who is not permitted learns nothing, and
 * what they have tried stands in the log.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "accounts.h"
#include "client.h"
#include "conversation.h"
#include "ctl.h"
#include "host.h"

/* A uid that a signed number has no room for. */
#define HUGE_UID 3000000000U
#define NOBODY	 65534U

/* Lives through the signals that the matrix sends. */
#define SERVICE "trap '' HUP; echo the secret of web; exec sleep 1000"

enum caller { ROOT, OWNER, OTHER, NOBODY_AT_ALL, HUGE, CALLERS };

/* What each verb answers to each caller: its exit status. Together they leave the service as they
 * have found it. */
static const struct row_of_matrix {
	const char *arguments[4];
	int status[CALLERS];
	bool audited;	  /* written to the log when it is permitted, and when it is not */
	const char *said; /* as what */
} matrix[] = {
    {{"list"}, {0, 0, 0, 0, 0}, false, NULL},
    {{"list", "web"}, {0, 0, 5, 5, 5}, false, NULL},
    {{"status", "web"}, {0, 0, 4, 4, 4}, false, NULL},
    {{"status"}, {0, 0, 0, 0, 0}, false, NULL},
    {{"start", "web"}, {0, 0, 5, 5, 5}, true, "start"},
    {{"restart", "web"}, {0, 0, 5, 5, 5}, true, "restart"},
    {{"reload", "web"}, {0, 0, 5, 5, 5}, true, "reload"},
    {{"signal", "HUP", "web"}, {0, 0, 5, 5, 5}, true, "signal SIGHUP"},
    {{"wait", "--for=running", "web"}, {0, 0, 5, 5, 5}, false, NULL},
    {{"stop", "web"}, {0, 0, 5, 5, 5}, true, "stop"},
    {{"start", "web"}, {0, 0, 5, 5, 5}, true, "start"},
    {{"disable", "web"}, {0, 0, 5, 5, 5}, true, "disable"},
    {{"enable", "web"}, {0, 0, 5, 5, 5}, true, "enable"},
    {{"reset", "web"}, {0, 0, 5, 5, 5}, true, "reset"},
    {{"log", "web"}, {0, 0, 5, 5, 5}, false, NULL},
    {{"log", "--stderr", "web"}, {0, 0, 5, 5, 5}, false, NULL},
    {{"log"}, {0, 4, 4, 4, 4}, false, NULL},
    {{"reopen"}, {0, 4, 4, 4, 4}, true, "reopen"},
    {{"events"}, {0, 0, 0, 0, 0}, false, NULL},
    {{"events", "web"}, {0, 0, 5, 5, 5}, false, NULL},
    {{"explain", "web"}, {0, 0, 5, 5, 5}, false, NULL},
    {{"check"}, {0, 0, 0, 3, 3}, false, NULL},
    {{"check", "web"}, {0, 0, 3, 3, 3}, false, NULL},
    {{"metrics"}, {0, 0, 0, 0, 0}, false, NULL},
    {{"ping"}, {0, 0, 0, 0, 0}, false, NULL},
    {{"version"}, {0, 0, 0, 0, 0}, false, NULL},
};
#define ROWS (sizeof(matrix) / sizeof(matrix[0]))

static uid_t
uid_of(enum caller caller)
{
	switch (caller) {
	case ROOT:
		return 0;
	case OWNER:
		return account_uid(TENANT);
	case OTHER:
		return account_uid(OTHER_TENANT);
	case NOBODY_AT_ALL:
		return NOBODY;
	default:
		return HUGE_UID;
	}
}

/* There are more of these than a user may give at once: each waits for its turn. */
static void
ask(struct host *host, struct outcome *outcome, uid_t uid, const char *const *arguments,
    const char *profile)
{
	const char *line[4] = {NULL};
	int i;

	for (i = 0; i < 4 && arguments[i] != NULL; i++)
		line[i] = strcmp(arguments[i], "web") == 0 ? profile : arguments[i];
	ctl_as(host, uid, outcome, line[0], line[1], line[2], NULL);
}

/* The profile of TENANT, the one of OTHER_TENANT, and one of root's. */
static void
begin(struct host *host)
{
	host_profile(host, "web", SERVICE);
	host_write(host, "web/user", 0644, TENANT "\n");
	host_profile(host, "mail", "exec sleep 1000");
	host_write(host, "mail/user", 0644, OTHER_TENANT "\n");
	host_profile(host, "backup", "exec sleep 1000");
	host_start(host);
	(void)host_wait_running(host, "web");
	(void)host_wait_running(host, "mail");
	(void)host_wait_running(host, "backup");
}

static void
assert_row(struct host *host, const struct row_of_matrix *row, enum caller caller)
{
	uid_t uid = uid_of(caller);
	struct outcome outcome;

	host_mark_log(host);
	ask(host, &outcome, uid, row->arguments, "web");
	if (outcome.status != row->status[caller])
		fail_msg("%s %s by uid %u: exit %d, not %d: %s", row->arguments[0],
		    row->arguments[1], uid, outcome.status, row->status[caller], outcome.error);
	if (row->audited && row->status[caller] == 0 && row->arguments[1] != NULL)
		host_wait_log(host, " INFO  web %s by uid %u$", row->said, uid);
	else if (row->audited && row->status[caller] == 0)
		host_wait_log(host, " INFO  ProcLaunch %s by uid %u$", row->said, uid);
	else if (row->audited && row->arguments[1] != NULL)
		host_wait_log(
		    host, " WARN  ProcLaunch refused %s by uid %u: web$", row->arguments[0], uid);
	else if (row->audited)
		host_wait_log(host, " WARN  ProcLaunch refused %s by uid %u$", row->said, uid);
	else
		assert_int_equal(host_count_log(host, "by uid"), 0);
	/* what is not permitted says nothing of it, whatever is asked */
	if (caller >= OTHER &&
	    (strstr(outcome.output, "web") != NULL || strstr(outcome.output, "secret") != NULL))
		fail_msg("%s shows uid %u: %s", row->arguments[0], uid, outcome.output);
}

static void
each_verb_is_permitted_to_those_in_the_matrix_and_logged(void **state)
{
	struct host *host = *state;
	enum caller caller;
	size_t i;

	begin(host);
	for (caller = ROOT; caller < CALLERS; caller++)
		for (i = 0; i < ROWS; i++)
			assert_row(host, &matrix[i], caller);
	host_stop_all(host);
}

static void
the_matrix_has_a_row_for_each_verb_that_there_is(void **state)
{
	unsigned verb;
	size_t i;

	(void)state;
	for (verb = 0; verb < VERB_COUNT; verb++) {
		for (i = 0; i < ROWS; i++)
			if (strcmp(matrix[i].arguments[0], verb_rules[verb].name) == 0 &&
			    matrix[i].audited == verb_rules[verb].changes)
				break;
		if (i == ROWS)
			fail_msg("%s is not tested", verb_rules[verb].name);
	}
}

static void
replace_name(char *text, const char *from, const char *to)
{
	char *found;

	assert_int_equal(strlen(from), strlen(to));
	while ((found = strstr(text, from)) != NULL)
		memcpy(found, to, strlen(to));
}

static bool
names_web(const struct row_of_matrix *row)
{
	int i = 0;

	while (row->arguments[i] != NULL && strcmp(row->arguments[i], "web") != 0)
		i++;
	return row->arguments[i] != NULL;
}

static void
what_others_own_answers_as_what_does_not_exist(void **state)
{
	struct host *host = *state;
	struct outcome foreign, missing;
	enum caller caller;
	size_t i;

	begin(host);
	for (caller = OTHER; caller < CALLERS; caller++) {
		for (i = 0; i < ROWS; i++) {
			if (!names_web(&matrix[i]))
				continue;
			ask(host, &foreign, uid_of(caller), matrix[i].arguments, "web");
			ask(host, &missing, uid_of(caller), matrix[i].arguments, "wob");
			replace_name(missing.error, "wob", "web");
			replace_name(missing.output, "wob", "web");
			assert_int_equal(foreign.status, missing.status);
			assert_string_equal(foreign.error, missing.error);
			assert_string_equal(foreign.output, missing.output);
		}
	}
	host_stop_all(host);
}

#define SAMPLES 201

static int
compare(const void *one, const void *other)
{
	long first = *(const long *)one, second = *(const long *)other;

	return (first > second) - (first < second);
}

/* Of a hundred samples the tenth: whatever disturbs the machine meanwhile disturbs the slower ones.
 */
static void
what_others_own_takes_as_long_as_what_does_not_exist(void **state)
{
	struct host *host = *state;
	uid_t other = account_uid(OTHER_TENANT);
	long foreign[SAMPLES], missing[SAMPLES];
	static const char *const names[] = {"web", "wob"};
	struct deadline begun;
	struct outcome outcome;
	int i;

	begin(host);
	for (i = 0; i < SAMPLES; i++) {
		foreign[i] = client_time_status(host, other, "web", RESULT_NO_PROFILE);
		missing[i] = client_time_status(host, other, "wob", RESULT_NO_PROFILE);
	}
	qsort(foreign, SAMPLES, sizeof(long), compare);
	qsort(missing, SAMPLES, sizeof(long), compare);
	if (foreign[SAMPLES / 10] > 2 * missing[SAMPLES / 10] ||
	    missing[SAMPLES / 10] > 2 * foreign[SAMPLES / 10])
		fail_msg("%ld and %ld microseconds", foreign[SAMPLES / 10], missing[SAMPLES / 10]);
	/* who wants something done waits whether there may come to be one */
	for (i = 0; i < 2; i++) {
		begun = deadline_in(SOON);
		assert_int_equal(
		    ctl_as(host, other, &outcome, "stop", names[i], NULL), CTL_NO_PROFILE);
		assert_true(deadline_left(&begun) <= SOON - 200);
	}
	host_stop_all(host);
}

static void
each_sees_his_own_and_root_sees_all(void **state)
{
	static const char *const seen[CALLERS] = {
	    [ROOT] = "backup mail web ",
	    [OWNER] = "web ",
	    [OTHER] = "mail ",
	    [NOBODY_AT_ALL] = "",
	    [HUGE] = "",
	};
	struct host *host = *state;
	struct outcome outcome;
	enum caller caller;
	char *newline;

	begin(host);
	for (caller = ROOT; caller < CALLERS; caller++) {
		(void)ctl_as(
		    host, uid_of(caller), &outcome, "list", "--no-header", "-o", "name", NULL);
		while ((newline = strchr(outcome.output, '\n')) != NULL)
			*newline = ' ';
		assert_string_equal(outcome.output, seen[caller]);
		(void)ctl_as(host, uid_of(caller), &outcome, "events", "-n", "100", NULL);
		assert_int_equal(strstr(outcome.output, "web") != NULL, caller <= OWNER);
		assert_int_equal(strstr(outcome.output, "backup") != NULL, caller == ROOT);
	}
	host_stop_all(host);
}

static void
the_name_that_was_asked_for_is_escaped_in_the_audit_trail(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	uid_t other = account_uid(OTHER_TENANT);
	unsigned rows;
	bool admitted;
	int client;

	begin(host);
	assert_int_equal(ctl_as(host, other, &outcome, "stop",
			     "x\n2026-11-23T03:16:00.123Z INFO  web stop by uid 0\033[31m", NULL),
	    CTL_NO_PROFILE);
	host_wait_log(host,
	    " WARN  ProcLaunch refused stop by uid %u: "
	    "x\\\\x0a2026-11-23T03:16:00\\.123Z INFO  web stop by uid 0\\\\x1b\\[31m$",
	    other);
	assert_int_equal(host_count_log(host, "^[^ ]+ INFO  web stop by uid 0"), 0);
	/* proclaunchctl asks for none without a name; somebody else's program may */
	client = client_greet(host, other, &admitted);
	assert_true(client_ask(client, VERB_STOP, ""));
	assert_int_equal(client_answer(client, &rows), RESULT_NO_PROFILE);
	assert_int_equal(close(client), 0);
	host_wait_log(host, " WARN  ProcLaunch refused stop by uid %u$", other);
	host_stop_all(host);
}

static void
the_caller_is_whoever_has_connected_whoever_speaks(void **state)
{
	struct host *host = *state;
	unsigned rows;
	bool admitted;
	int client;

	begin(host);
	/* connected as another tenant, spoken as root */
	client = client_greet(host, account_uid(OTHER_TENANT), &admitted);
	assert_true(admitted);
	assert_int_equal(geteuid(), 0);
	assert_true(client_ask(client, VERB_STOP, "web"));
	assert_int_equal(client_answer(client, &rows), RESULT_NO_PROFILE);
	assert_true(client_ask(client, VERB_LIST, ""));
	assert_int_equal(client_answer(client, &rows), RESULT_DONE);
	assert_int_equal(rows, 1);
	assert_int_equal(close(client), 0);
	host_wait_log(
	    host, " WARN  ProcLaunch refused stop by uid %u: web$", account_uid(OTHER_TENANT));
	host_stop_all(host);
}

/* proclaunchctl does not let it through; somebody else's program may. */
static void
a_signal_beyond_the_fixed_set_is_refused_and_logged(void **state)
{
	static const uint32_t numbers[] = {0, 4, 11, 65, 4096, UINT32_MAX};
	struct host *host = *state;
	struct message message;
	unsigned rows;
	bool admitted;
	size_t i;
	int client;

	begin(host);
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		client = client_greet(host, account_uid(TENANT), &admitted);
		memset(&message, 0, sizeof(message));
		message.type = MESSAGE_ASK;
		message.ask.verb = VERB_SIGNAL;
		message.ask.number = numbers[i];
		strcpy(message.ask.name, "web");
		assert_int_equal(write(client, &message, sizeof(message)), sizeof(message));
		assert_int_equal(client_answer(client, &rows), RESULT_REFUSED);
		assert_int_equal(close(client), 0);
	}
	wait_until(host_count_log(host, " WARN  ProcLaunch refused signal by uid %u: web$",
		       account_uid(TENANT)) == 6);
	host_stop_all(host);
}

static void
an_owner_with_a_huge_uid_controls_his_profile_and_nobody_none(void **state)
{
	struct host *host = *state;
	struct outcome outcome;

	accounts_begin(host);
	accounts_set("huge", HUGE_UID);
	host_profile(host, "web", "exec sleep 1000");
	host_write(host, "web/user", 0644, "huge\n");
	host_profile(host, "mail", "exec sleep 1000");
	host_write(host, "mail/user", 0644, "nobody\n");
	host_start(host);
	assert_int_equal(process_uid(host_wait_running(host, "web")), HUGE_UID);
	(void)host_wait_running(host, "mail");
	assert_int_equal(ctl_as(host, HUGE_UID, &outcome, "stop", "web", NULL), CTL_DONE);
	host_wait_log(host, " INFO  web stop by uid 3000000000$");
	assert_int_equal(ctl_as(host, HUGE_UID, &outcome, "stop", "mail", NULL), CTL_NO_PROFILE);
	/* every user of another user namespace looks like nobody */
	assert_int_equal(ctl_as(host, NOBODY, &outcome, "stop", "mail", NULL), CTL_NO_PROFILE);
	assert_int_equal(ctl_as(host, NOBODY, &outcome, "list", "--no-header", NULL), CTL_DONE);
	assert_string_equal(outcome.output, "");
	assert_int_equal(ctl(host, &outcome, "stop", "mail", NULL), CTL_DONE);
	host_stop_all(host);
}

static void
where_an_ordinary_user_runs_it_that_user_may_what_root_may(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	uid_t uid = account_uid(TENANT), other = account_uid(OTHER_TENANT);

	host_profile(host, "web", "exec sleep 1000");
	host_start(host);
	(void)host_wait_running(host, "web");
	assert_int_equal(ctl_as(host, uid, &outcome, "stop", "web", NULL), CTL_DONE);
	assert_int_equal(ctl_as(host, uid, &outcome, "reopen", NULL), CTL_DONE);
	assert_int_equal(ctl_as(host, uid, &outcome, "log", NULL), CTL_DONE);
	assert_int_equal(ctl(host, &outcome, "start", "web", NULL), CTL_DONE);
	assert_int_equal(ctl_as(host, other, &outcome, "stop", "web", NULL), CTL_NO_PROFILE);
	assert_int_equal(ctl_as(host, other, &outcome, "reopen", NULL), CTL_ROOT_ONLY);
	host_stop_all(host);
}

/* Of 24 commands 20 may be given at once; one who will not wait is told why. */
static void
who_gives_many_commands_waits_for_their_turn(void **state)
{
	struct host *host = *state;
	struct outcome outcome;
	uid_t uid = account_uid(TENANT);

	begin(host);
	assert_int_equal(ctl_as(host, uid, &outcome, "reset", "web", "web", "web", "web", "web",
			     "web", "web", "web", "web", "web", "web", "web", "web", "web", "web",
			     "web", "web", "web", "web", "web", "web", "web", "web", "web", NULL),
	    CTL_DONE);
	assert_string_equal(outcome.error, "");
	assert_int_equal(host_count_log(host, " web reset by uid %u$", uid), 24);
	/* on a busy machine he may not be told within that time, or his turn may have come */
	wait_until(ctl_as(host, uid, &outcome, "--timeout=0.3", "reset", "web", "web", "web", "web",
		       "web", "web", NULL) == CTL_FAILED &&
	    strstr(outcome.error, "proclaunchctl: web: too many commands at once") != NULL);
	host_stop_all(host);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROOT_TEST(each_verb_is_permitted_to_those_in_the_matrix_and_logged),
	    cmocka_unit_test(the_matrix_has_a_row_for_each_verb_that_there_is),
	    ROOT_TEST(what_others_own_answers_as_what_does_not_exist),
	    ROOT_TEST(what_others_own_takes_as_long_as_what_does_not_exist),
	    ROOT_TEST(each_sees_his_own_and_root_sees_all),
	    ROOT_TEST(the_name_that_was_asked_for_is_escaped_in_the_audit_trail),
	    ROOT_TEST(the_caller_is_whoever_has_connected_whoever_speaks),
	    ROOT_TEST(a_signal_beyond_the_fixed_set_is_refused_and_logged),
	    ROOT_TEST(an_owner_with_a_huge_uid_controls_his_profile_and_nobody_none),
	    TENANT_TEST(where_an_ordinary_user_runs_it_that_user_may_what_root_may),
	    ROOT_TEST(who_gives_many_commands_waits_for_their_turn),
	};

	return cmocka_run_group_tests_name("authority", tests, NULL, NULL);
}
