/*
 * What a monitor takes over from the one before it: a note that the parent has kept without
 * believing any of it, and that an attacker who owned the last monitor may have written.
 */
#include <sys/mman.h>

#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../monitor/leave.h" /* the parent has one as well */
#include "child.h"
#include "descriptors.h"
#include "intake.h"
#include "log.h"
#include "loop.h"
#include "parent.h"
#include "process.h"
#include "recall.h"
#include "reports.h"
#include "settings.h"
#include "supervise.h"
#include "unprivileged.h"

static int parent = -1;

/* Our end must not have the number of the monitor's: it would be closed, and the monitor leaves
 * with 0 when the parent has gone. */
static void
begin(void)
{
	int ends[2];

	REQUIRE(channel_pair(ends) == 0);
	parent = fcntl(ends[0], F_DUPFD_CLOEXEC, 16);
	REQUIRE(parent != -1 && dup2(ends[1], FD_PARENT) == FD_PARENT);
	loop_open();
}

static void
say(const struct message *about, void (*handle)(void *subject, struct incoming *incoming))
{
	struct incoming incoming = {.message = *about};

	incoming.message.index = 0;
	incoming.message.generation = 1;
	REQUIRE(unprivileged_valid(&incoming.message));
	handle(NULL, &incoming);
}

static struct note
good_note(void)
{
	return (struct note){.state = STATE_RUNNING,
	    .stop_signal = SIGINT,
	    .start_timeout = 60,
	    .stop_timeout = NO_TIMEOUT,
	    .settings_known = 1};
}

/* A profile that runs, whose files have been broken since or have gone, is stopped: with which
 * signal? */
static uint32_t
stop_signal_after(const struct note *note, bool gone)
{
	static struct incoming incoming;
	struct message message;
	uint32_t number = 0;

	begin();
	message_begin(&message, MESSAGE_PROFILE);
	strcpy(message.profile.name, "web");
	message.profile.trigger = 1;
	message.profile.gone = gone;
	message.profile.refusal = gone ? REFUSAL_NONE : REFUSAL_OWNER;
	say(&message, intake_profile);
	if (note != NULL) {
		message_begin(&message, MESSAGE_RECALL);
		message.note = *note;
		say(&message, recall_take);
	}
	message_begin(&message, MESSAGE_PROCESS);
	message.process.phase = PHASE_PROVED;
	message.process.pid = 4242;
	message.process.trigger = 1;
	say(&message, process_hear);
	supervise_stop(table_at(0, 1));
	(void)parent_flush();
	while (channel_receive_descriptors(parent, &incoming, unprivileged_valid) == CHANNEL_DONE)
		if (incoming.message.type == MESSAGE_SIGNAL && number == 0) /* SIGCONT follows */
			number = incoming.message.number;
	return number;
}

struct trial {
	const struct note *note;
	bool gone;
	uint32_t expected;
};

static void
try_note(void *context)
{
	const struct trial *trial = context;

	REQUIRE(stop_signal_after(trial->note, trial->gone) == trial->expected);
}

static void
a_running_profile_whose_files_were_never_read_is_stopped_with_sigterm(void **state)
{
	struct trial trial = {.note = NULL, .expected = SIGTERM};

	(void)state;
	child_run(try_note, &trial);
}

static void
the_settings_in_force_are_recalled_for_a_profile_that_is_broken(void **state)
{
	struct note note = good_note();
	struct trial trial = {.note = &note, .expected = SIGINT};

	(void)state;
	child_run(try_note, &trial);
}

/* Nobody can write a stop_timeout there any more. */
static void
the_settings_in_force_are_recalled_for_a_profile_that_has_gone(void **state)
{
	struct note note = good_note();
	struct trial trial = {.note = &note, .gone = true, .expected = SIGINT};

	(void)state;
	child_run(try_note, &trial);
}

static void
a_note_with_anything_out_of_its_range_is_not_recalled_at_all(void **state)
{
	struct note notes[16];
	struct trial trial = {.expected = SIGTERM};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(notes) / sizeof(notes[0]); i++)
		notes[i] = good_note();
	notes[0].stop_signal = 0;
	notes[1].stop_signal = SIGSEGV;
	notes[2].stop_signal = UINT32_MAX;
	notes[3].reload_signal = 200;
	notes[4].state = STATE_COUNT;
	notes[5].wish = WISH_COUNT;
	notes[6].cause = UINT32_MAX;
	notes[7].exit_end = END_COUNT;
	notes[8].restart = 3;
	notes[9].kill_mode = 2;
	notes[10].start_timeout = 0;
	notes[11].start_timeout = TIMEOUT_MAX + 1;
	notes[12].stop_timeout = 0;
	notes[13].stop_timeout = NO_TIMEOUT - 1;
	notes[14].next_start = -1;
	notes[15].next_start = INT64_MIN;
	for (i = 0; i < sizeof(notes) / sizeof(notes[0]); i++) {
		trial.note = &notes[i];
		child_run(try_note, &trial);
	}
}

/* The channel was full after the profile had been announced, and SIGHUP comes before the rest. */
static void
stop_all_before_the_note_has_come(void *context)
{
	static struct incoming incoming;
	struct message message;

	(void)context;
	begin();
	message_begin(&message, MESSAGE_PROFILE);
	strcpy(message.profile.name, "web");
	message.profile.trigger = 1;
	say(&message, intake_profile);
	incoming = (struct incoming){.message = {.type = MESSAGE_ORDER, .number = ORDER_STOP_ALL}};
	leave_order(NULL, &incoming);
	(void)parent_flush();
	while (channel_receive_descriptors(parent, &incoming, unprivileged_valid) == CHANNEL_DONE)
		REQUIRE(incoming.message.type != MESSAGE_NOTE);
}

static void
a_note_that_is_still_to_come_is_not_overwritten_when_all_are_to_stop(void **state)
{
	(void)state;
	child_run(stop_all_before_the_note_has_come, NULL);
}

/* A line that the monitor before has put into the journal. We take over; the log is `log`. */
static uint64_t
take_over_line(const char *tag, int *log)
{
	uint64_t place;
	int journal;

	begin();
	journal = memfd_create("journal", MFD_CLOEXEC);
	REQUIRE(journal != -1);
	log_inherit(journal);
	log_hold();
	log_line(tag, LEVEL_INFO, "left behind");
	log_save();
	REQUIRE(log_announce(&place));
	log_inherit(journal);
	REQUIRE(!log_decided());
	*log = memfd_create("log", MFD_CLOEXEC);
	REQUIRE(*log != -1);
	log_set_nameless(true); /* else it is taken for one that was deleted */
	log_use(*log, 0);
	return place;
}

static bool
stands_in(int log, const char *text)
{
	char bytes[4096] = "";

	log_flush();
	return pread(log, bytes, sizeof(bytes) - 1, 0) >= 0 && strstr(bytes, text) != NULL;
}

static void
hear_of_a_profile_late(void *context)
{
	const struct note note = good_note();
	struct message message;
	int64_t deadline;
	int log;

	(void)context;
	(void)take_over_line("web", &log);
	deadline = recall_deadline();
	message_begin(&message, MESSAGE_PROFILE);
	strcpy(message.profile.name, "web");
	message.profile.trigger = 1;
	say(&message, intake_profile);
	REQUIRE(recall_deadline() == deadline);
	message_begin(&message, MESSAGE_RECALL);
	message.note = note;
	say(&message, recall_take);
	REQUIRE(recall_deadline() > deadline);
	REQUIRE(!log_decided());
}

/* Of whom the parent has not told yet nobody knows whether what was to be said came true. */
static void
while_the_parent_tells_of_profiles_nothing_is_decided(void **state)
{
	(void)state;
	child_run(hear_of_a_profile_late, NULL);
}

static void
hear(const struct message *message, void (*handle)(void *subject, struct incoming *incoming))
{
	struct incoming incoming = {.message = *message};

	REQUIRE(unprivileged_valid(message));
	handle(NULL, &incoming);
}

static void
take_over_from_another_version(void *context)
{
	const bool *upgraded = context;
	struct message message;
	int log;

	(void)take_over_line("ProcLaunch", &log);
	message_begin(&message, MESSAGE_REPORT);
	message.number = *upgraded ? REPORT_UPGRADED : REPORT_OVERFLOW;
	strcpy(message.report.text, "1.0");
	hear(&message, reports_log);
	message_begin(&message, MESSAGE_ORDER);
	message.number = ORDER_TOLD;
	hear(&message, leave_order);
	REQUIRE(log_decided() && log_permit(true) == log_owes());
	REQUIRE(stands_in(log, "left behind") == *upgraded);
}

/* A parent that is another one says nothing again that it had said; the same one does. */
static void
after_an_upgrade_what_we_had_logged_ourselves_is_written(void **state)
{
	bool upgraded[] = {false, true};

	(void)state;
	child_run(take_over_from_another_version, &upgraded[0]);
	child_run(take_over_from_another_version, &upgraded[1]);
}

static void
hear_how_far_the_one_before_came(void *context)
{
	struct message message;
	uint64_t place;
	int log;

	(void)context;
	place = take_over_line("web", &log);
	REQUIRE(!stands_in(log, "left behind"));
	message_begin(&message, MESSAGE_MARK);
	message.number = 4711;
	message.mark.logged = place;
	hear(&message, parent_marked);
	REQUIRE(log_decided());
	REQUIRE(stands_in(log, "left behind"));
}

/* The parent has done what the one before had asked for up to its last mark. */
static void
what_the_parent_had_done_for_the_one_before_is_written(void **state)
{
	(void)state;
	child_run(hear_how_far_the_one_before_came, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_running_profile_whose_files_were_never_read_is_stopped_with_sigterm),
	    cmocka_unit_test(the_settings_in_force_are_recalled_for_a_profile_that_is_broken),
	    cmocka_unit_test(the_settings_in_force_are_recalled_for_a_profile_that_has_gone),
	    cmocka_unit_test(a_note_with_anything_out_of_its_range_is_not_recalled_at_all),
	    cmocka_unit_test(a_note_that_is_still_to_come_is_not_overwritten_when_all_are_to_stop),
	    cmocka_unit_test(while_the_parent_tells_of_profiles_nothing_is_decided),
	    cmocka_unit_test(after_an_upgrade_what_we_had_logged_ourselves_is_written),
	    cmocka_unit_test(what_the_parent_had_done_for_the_one_before_is_written),
	};

	return cmocka_run_group_tests_name("recall", tests, NULL, NULL);
}
