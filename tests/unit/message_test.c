/*
 * Which messages are valid. For each type: one that is, and for each member that the type uses the
 * last value in its range and the first one outside. What no range is written down for is the
 * receiver's matter and not looked at here.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "message.h"
#include "unprivileged.h"

static struct message message;

static void
begin(enum message_type type)
{
	memset(&message, 0xa5, sizeof(message));
	message_begin(&message, type);
}

/* The member may be as large as `last` and no larger. */
#define ASSERT_RANGE(member, last)                          \
	do {                                                \
		(member) = (last);                          \
		assert_true(unprivileged_valid(&message));  \
		(member) = (last) + 1;                      \
		assert_false(unprivileged_valid(&message)); \
		(member) = UINT32_MAX;                      \
		assert_false(unprivileged_valid(&message)); \
		(member) = 0x80000000U;                     \
		assert_false(unprivileged_valid(&message)); \
		(member) = (last);                          \
		assert_true(unprivileged_valid(&message));  \
	} while (0)

/* The string may fill its array but for the NUL. */
#define ASSERT_STRING(member)                               \
	do {                                                \
		memset((member), 'x', sizeof(member) - 1);  \
		(member)[sizeof(member) - 1] = '\0';        \
		assert_true(unprivileged_valid(&message));  \
		(member)[sizeof(member) - 1] = 'x';         \
		assert_false(unprivileged_valid(&message)); \
		memset((member), 0, sizeof(member));        \
		assert_true(unprivileged_valid(&message));  \
	} while (0)

static void
a_message_has_one_size(void **state)
{
	(void)state;
	assert_int_equal(sizeof(struct message), 4120);
	assert_int_equal(MESSAGE_BYTES, 4120);
	/* no member of the union is larger than the bytes of a file with what stands before it */
	assert_int_equal(
	    sizeof(struct message) - offsetof(struct message, hello), SETTING_BYTES_MAX + 8);
}

static void
a_message_begins_with_nothing_in_it(void **state)
{
	struct message expected;

	(void)state;
	memset(&expected, 0, sizeof(expected));
	expected.type = MESSAGE_FORK;
	expected.index = NO_PROFILE;
	begin(MESSAGE_FORK);
	assert_memory_equal(&message, &expected, sizeof(message));
}

static void
every_type_of_the_catalogue_has_a_name_of_its_own(void **state)
{
	uint32_t type, other;

	(void)state;
	for (type = MESSAGE_NONE + 1; type < MESSAGE_TYPE_COUNT; type++) {
		assert_string_not_equal(unprivileged_name(type), "unknown");
		for (other = MESSAGE_NONE + 1; other < type; other++)
			assert_string_not_equal(unprivileged_name(type), unprivileged_name(other));
	}
	assert_string_equal(unprivileged_name(MESSAGE_HELLO), "HELLO");
	assert_string_equal(unprivileged_name(MESSAGE_SKIPPED), "SKIPPED");
}

static void
what_is_no_type_is_called_unknown(void **state)
{
	(void)state;
	assert_string_equal(unprivileged_name(MESSAGE_NONE), "unknown");
	assert_string_equal(unprivileged_name(MESSAGE_TYPE_COUNT), "unknown");
	assert_string_equal(unprivileged_name(UINT32_MAX), "unknown");
}

static void
what_is_no_type_is_not_valid(void **state)
{
	(void)state;
	begin(MESSAGE_NONE);
	assert_false(unprivileged_valid(&message));
	message.type = MESSAGE_TYPE_COUNT;
	assert_false(unprivileged_valid(&message));
	message.type = MESSAGE_TYPE_COUNT + 1;
	assert_false(unprivileged_valid(&message));
	message.type = UINT32_MAX;
	assert_false(unprivileged_valid(&message));
	message.type = 0x80000000U | MESSAGE_PING;
	assert_false(unprivileged_valid(&message));
}

static void
types_without_members_of_their_own_are_valid(void **state)
{
	static const enum message_type types[] = {MESSAGE_PING, MESSAGE_PONG, MESSAGE_LOG,
	    MESSAGE_CONTROL, MESSAGE_FORGET, MESSAGE_GOODBYE};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		begin(types[i]);
		message.number = UINT32_MAX;
		assert_true(unprivileged_valid(&message));
	}
}

/* Not even a malformed one: root does not look into what is not for it. */
static void
what_no_process_of_root_receives_is_no_message_to_it(void **state)
{
	static const enum message_type types[] = {MESSAGE_LOG, MESSAGE_CONTROL, MESSAGE_ORDER,
	    MESSAGE_REPORT, MESSAGE_PROCESS, MESSAGE_RECALL, MESSAGE_KEPT, MESSAGE_SETTLED,
	    MESSAGE_FIFO, MESSAGE_OUTPUT, MESSAGE_REMAINS, MESSAGE_READABLE, MESSAGE_MORE,
	    MESSAGE_ASK, MESSAGE_ROWS, MESSAGE_TRANSITION, MESSAGE_FILE, MESSAGE_ANSWER};
	unsigned type, refused = 0;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		begin(types[i]);
		assert_true(unprivileged_valid(&message));
		assert_false(message_valid(&message));
	}
	for (type = MESSAGE_NONE + 1; type < MESSAGE_TYPE_COUNT; type++) {
		begin((enum message_type)type);
		message.profile.trigger = type == MESSAGE_PROFILE;
		message.number = SIGTERM;
		if (type == MESSAGE_SKIPPED || type == MESSAGE_SETTING || type == MESSAGE_KEEP)
			message.number = type == MESSAGE_SKIPPED ? REPORT_SKIPPED_NAME : 0;
		refused += !message_valid(&message);
	}
	assert_int_equal(refused, sizeof(types) / sizeof(types[0]));
}

/* The parent keeps a note and gives it back without a look: it is the monitor's to judge. */
static void
a_note_is_opaque_to_all_but_the_monitor(void **state)
{
	static const enum message_type types[] = {MESSAGE_START, MESSAGE_NOTE, MESSAGE_RECALL};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		begin(types[i]);
		memset(&message.note, 0xff, sizeof(message.note));
		assert_true(unprivileged_valid(&message));
	}
}

static void
a_hello_has_four_strings(void **state)
{
	(void)state;
	begin(MESSAGE_HELLO);
	assert_true(unprivileged_valid(&message));
	ASSERT_STRING(message.hello.version);
	ASSERT_STRING(message.hello.build);
	ASSERT_STRING(message.hello.base);
	ASSERT_STRING(message.hello.tenants);
}

static void
an_order_is_one_of_four(void **state)
{
	(void)state;
	begin(MESSAGE_ORDER);
	ASSERT_RANGE(message.number, 3);
}

static void
a_report_has_a_kind_an_end_and_a_text(void **state)
{
	(void)state;
	begin(MESSAGE_REPORT);
	ASSERT_RANGE(message.number, REPORT_COUNT - 1);
	ASSERT_RANGE(message.report.end, END_COUNT - 1);
	ASSERT_STRING(message.report.text);
}

static void
a_skipped_entry_has_a_reason_and_a_name(void **state)
{
	(void)state;
	begin(MESSAGE_SKIPPED);
	ASSERT_RANGE(message.number, REPORT_SKIPPED_KIND);
	message.number = REPORT_SKIPPED_NAME - 1;
	assert_false(unprivileged_valid(&message));
	message.number = REPORT_SKIPPED_NAME;
	assert_true(unprivileged_valid(&message));
	ASSERT_STRING(message.report.text);
}

static void
a_profile_has_facts_in_their_ranges(void **state)
{
	(void)state;
	begin(MESSAGE_PROFILE);
	assert_false(unprivileged_valid(&message)); /* a trigger of 0 means that there is none */
	message.profile.trigger = 1;
	assert_true(unprivileged_valid(&message));
	ASSERT_STRING(message.profile.name);
	ASSERT_STRING(message.profile.account);
	ASSERT_RANGE(message.profile.present, SETTING_BIT(SETTING_COUNT) - 1);
	ASSERT_RANGE(message.profile.settings, SETTING_COUNT);
	ASSERT_RANGE(message.profile.refusal, REFUSAL_COUNT - 1);
	ASSERT_RANGE(message.profile.refused_setting, SETTING_DIRECTORY);
	ASSERT_RANGE(message.profile.gone, 1);
	message.profile.trigger = UINT64_MAX;
	assert_true(unprivileged_valid(&message));
}

static void
a_setting_has_a_file_and_no_more_bytes_than_a_file_may_have(void **state)
{
	(void)state;
	begin(MESSAGE_SETTING);
	ASSERT_RANGE(message.number, SETTING_COUNT - 1);
	ASSERT_RANGE(message.setting.length, SETTING_BYTES_MAX);
	assert_true(sizeof(message.setting.bytes) >= SETTING_BYTES_MAX);
}

static void
a_process_has_a_phase_an_end_and_a_stage(void **state)
{
	(void)state;
	begin(MESSAGE_PROCESS);
	ASSERT_RANGE(message.process.phase, PHASE_COUNT - 1);
	ASSERT_RANGE(message.process.end, END_COUNT - 1);
	ASSERT_RANGE(message.process.stage, STAGE_COUNT - 1);
	ASSERT_RANGE(message.process.adopted, 1);
	ASSERT_RANGE(message.process.proved, 1);
}

static void
a_claim_has_a_verdict_and_a_text(void **state)
{
	(void)state;
	begin(MESSAGE_CLAIM);
	ASSERT_RANGE(message.claim.verdict, CLAIM_VERDICT_COUNT - 1);
	ASSERT_STRING(message.claim.text);
}

static void
only_signals_of_the_fixed_set_are_valid(void **state)
{
	static const int permitted[] = {SIGHUP, SIGINT, SIGQUIT, SIGABRT, SIGKILL, SIGUSR1, SIGUSR2,
	    SIGPIPE, SIGALRM, SIGTERM, SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG,
	    SIGWINCH, SIGIO, SIGPWR};
	uint32_t number;
	size_t i;
	bool expected;

	(void)state;
	begin(MESSAGE_SIGNAL);
	for (number = 0; number < 300; number++) {
		expected = number >= (uint32_t)SIGRTMIN && number <= (uint32_t)SIGRTMAX;
		for (i = 0; i < sizeof(permitted) / sizeof(permitted[0]); i++)
			expected |= number == (uint32_t)permitted[i];
		message.number = number;
		if (unprivileged_valid(&message) != expected)
			fail_msg("signal %u", number);
	}
	message.number = UINT32_MAX;
	assert_false(unprivileged_valid(&message));
	message.number = 0x80000000U | SIGTERM;
	assert_false(unprivileged_valid(&message));
}

static void
a_sweep_is_by_term_or_kill(void **state)
{
	uint32_t number;

	(void)state;
	begin(MESSAGE_SWEEP);
	for (number = 0; number < 300; number++) {
		message.number = number;
		assert_int_equal(
		    unprivileged_valid(&message), number == SIGTERM || number == SIGKILL);
	}
}

static void
a_fork_has_a_task_a_place_an_environment_that_ends_and_no_more_groups_than_it_holds(void **state)
{
	const uint32_t room = sizeof(message.fork.environment);

	(void)state;
	begin(MESSAGE_FORK);
	ASSERT_RANGE(message.fork.task, TASK_COUNT - 1);
	ASSERT_RANGE(message.fork.group_count, FORK_GROUPS_MAX);
	assert_int_equal(
	    sizeof(message.fork.groups) / sizeof(message.fork.groups[0]), FORK_GROUPS_MAX);
	ASSERT_STRING(message.fork.where);
	ASSERT_STRING(message.fork.name);
	memset(message.fork.environment, 'x', room);
	message.fork.environment_bytes = room; /* no NUL at its end */
	assert_false(unprivileged_valid(&message));
	message.fork.environment_bytes = 1;
	assert_false(unprivileged_valid(&message));
	message.fork.environment[0] = '\0';
	assert_true(unprivileged_valid(&message));
	message.fork.environment[room - 1] = '\0';
	ASSERT_RANGE(message.fork.environment_bytes, room);
}

static void
a_birth_has_a_task(void **state)
{
	(void)state;
	begin(MESSAGE_BORN);
	ASSERT_RANGE(message.born.task, TASK_COUNT - 1);
}

static void
a_stage_is_one_of_the_steps(void **state)
{
	(void)state;
	begin(MESSAGE_STAGE);
	ASSERT_RANGE(message.stage.stage, STAGE_COUNT - 1);
}

/* From the monitor, which an attacker may own, to whoever asks. */
static void
rows_have_no_more_than_there_is_room_for_and_strings_that_end(void **state)
{
	struct row *last = &message.rows.rows[ROWS_MAX - 1];

	(void)state;
	begin(MESSAGE_ROWS);
	ASSERT_RANGE(message.rows.count, ROWS_MAX);
	ASSERT_STRING(last->name);
	ASSERT_STRING(last->account);
	ASSERT_STRING(last->reason);
	ASSERT_STRING(last->decided_by);
	ASSERT_RANGE(last->exit_end, END_COUNT - 1);
	ASSERT_RANGE(last->timer, SHOWN_COUNT - 1);
}

static void
what_is_asked_and_answered_has_strings_that_end(void **state)
{
	(void)state;
	begin(MESSAGE_ASK);
	ASSERT_RANGE(message.ask.verb, VERB_COUNT - 1);
	ASSERT_STRING(message.ask.name);
	begin(MESSAGE_ANSWER);
	ASSERT_RANGE(message.answer.result, RESULT_COUNT - 1);
	ASSERT_STRING(message.answer.text);
	begin(MESSAGE_TRANSITION);
	ASSERT_STRING(message.transition.name);
	ASSERT_STRING(message.transition.reason);
}

/* Whoever could name another stream or age would name another file. */
static void
a_file_is_of_a_stream_and_one_of_two_ages(void **state)
{
	static const enum message_type types[] = {MESSAGE_FIFO, MESSAGE_OPEN, MESSAGE_ROTATE,
	    MESSAGE_OUTPUT, MESSAGE_READ, MESSAGE_READABLE};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		begin(types[i]);
		ASSERT_RANGE(message.file.stream, STREAM_COUNT - 1);
		ASSERT_RANGE(message.file.age, 1);
		ASSERT_RANGE(message.file.keep, ROTATE_KEEP_MAX);
	}
}

static void
a_wish_is_one_of_three(void **state)
{
	(void)state;
	begin(MESSAGE_KEEP);
	ASSERT_RANGE(message.number, WISH_COUNT - 1);
	begin(MESSAGE_PROFILE);
	message.profile.trigger = 1;
	ASSERT_RANGE(message.profile.kept, WISH_COUNT - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_message_has_one_size),
	    cmocka_unit_test(a_message_begins_with_nothing_in_it),
	    cmocka_unit_test(every_type_of_the_catalogue_has_a_name_of_its_own),
	    cmocka_unit_test(what_is_no_type_is_called_unknown),
	    cmocka_unit_test(what_is_no_type_is_not_valid),
	    cmocka_unit_test(types_without_members_of_their_own_are_valid),
	    cmocka_unit_test(what_no_process_of_root_receives_is_no_message_to_it),
	    cmocka_unit_test(a_note_is_opaque_to_all_but_the_monitor),
	    cmocka_unit_test(a_hello_has_four_strings),
	    cmocka_unit_test(an_order_is_one_of_four),
	    cmocka_unit_test(a_report_has_a_kind_an_end_and_a_text),
	    cmocka_unit_test(a_skipped_entry_has_a_reason_and_a_name),
	    cmocka_unit_test(a_profile_has_facts_in_their_ranges),
	    cmocka_unit_test(a_setting_has_a_file_and_no_more_bytes_than_a_file_may_have),
	    cmocka_unit_test(a_process_has_a_phase_an_end_and_a_stage),
	    cmocka_unit_test(a_claim_has_a_verdict_and_a_text),
	    cmocka_unit_test(only_signals_of_the_fixed_set_are_valid),
	    cmocka_unit_test(a_sweep_is_by_term_or_kill),
	    cmocka_unit_test(
		a_fork_has_a_task_a_place_an_environment_that_ends_and_no_more_groups_than_it_holds),
	    cmocka_unit_test(a_birth_has_a_task),
	    cmocka_unit_test(a_stage_is_one_of_the_steps),
	    cmocka_unit_test(rows_have_no_more_than_there_is_room_for_and_strings_that_end),
	    cmocka_unit_test(what_is_asked_and_answered_has_strings_that_end),
	    cmocka_unit_test(a_file_is_of_a_stream_and_one_of_two_ages),
	    cmocka_unit_test(a_wish_is_one_of_three),
	};

	return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
