/* What the files of a profile may say: proclaunch-profile(5). */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "settings.h"

/* A content that may hold NUL bytes, from a literal. */
struct text {
	const char *bytes;
	size_t length;
};
#define TEXT(literal)                                             \
	{                                                         \
		.bytes = (literal), .length = sizeof(literal) - 1 \
	}
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct settings settings;

static const char *
parse(enum setting setting, struct text text)
{
	settings_default(&settings);
	return settings_parse(&settings, setting, text.bytes, text.length);
}

static void
assert_accepted(enum setting setting, struct text text)
{
	const char *refusal = parse(setting, text);

	if (refusal != NULL)
		fail_msg("%s refuses \"%.*s\": %s", setting_name(setting), (int)text.length,
		    text.bytes, refusal);
}

static void
assert_refused(enum setting setting, struct text text)
{
	if (parse(setting, text) == NULL)
		fail_msg(
		    "%s accepts \"%.*s\"", setting_name(setting), (int)text.length, text.bytes);
}

static void
without_files_a_profile_gets_the_documented_defaults(void **state)
{
	(void)state;
	memset(&settings, 0xff, sizeof(settings));
	settings_default(&settings);
	assert_int_equal(settings.restart, RESTART_NEVER);
	assert_int_equal(settings.kill_mode, KILL_GROUP);
	assert_int_equal(settings.stop_signal, SIGTERM);
	assert_int_equal(settings.reload_signal, 0);
	assert_int_equal(settings.start_timeout, 60);
	assert_int_equal(settings.stop_timeout, NO_TIMEOUT);
	assert_false(settings.down);
	assert_false(settings.pid_file);
}

static void
restart_is_a_presence_or_one_of_three_words(void **state)
{
	static const struct text always[] = {TEXT(""), TEXT("1"), TEXT("always"), TEXT("1\n"),
	    TEXT("always\n"), TEXT("\n"), TEXT(" \t\r\n\n"), TEXT("always \r\n")};
	static const struct text on_failure[] = {
	    TEXT("on-failure"), TEXT("on-failure\n"), TEXT("on-failure\t\n")};
	static const struct text bad[] = {TEXT("0"), TEXT("11"), TEXT("yes"), TEXT("Always"),
	    TEXT("on-failur"), TEXT("on-failures"), TEXT("on_failure"), TEXT(" always"),
	    TEXT("\nalways"), TEXT("always\nalways"), TEXT("1 1"), TEXT("\0"), TEXT("1\0"),
	    TEXT("always\0\n"), TEXT("\v"), TEXT("1\f"), TEXT("never"), TEXT("no")};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(always); i++) {
		assert_accepted(SETTING_RESTART, always[i]);
		assert_int_equal(settings.restart, RESTART_ALWAYS);
	}
	for (i = 0; i < COUNT(on_failure); i++) {
		assert_accepted(SETTING_RESTART, on_failure[i]);
		assert_int_equal(settings.restart, RESTART_ON_FAILURE);
	}
	for (i = 0; i < COUNT(bad); i++)
		assert_refused(SETTING_RESTART, bad[i]);
}

static void
kill_mode_is_group_or_process_and_never_empty(void **state)
{
	static const struct text bad[] = {TEXT(""), TEXT("\n"), TEXT("Group"), TEXT("groups"),
	    TEXT("grou"), TEXT("proces"), TEXT("process\nprocess"), TEXT(" group"), TEXT("group\0"),
	    TEXT("1"), TEXT("both"), TEXT("mixed")};
	size_t i;

	(void)state;
	assert_accepted(SETTING_KILL_MODE, (struct text)TEXT("process\n"));
	assert_int_equal(settings.kill_mode, KILL_PROCESS);
	settings.kill_mode = KILL_PROCESS;
	assert_null(settings_parse(&settings, SETTING_KILL_MODE, "group \t", 7));
	assert_int_equal(settings.kill_mode, KILL_GROUP);
	for (i = 0; i < COUNT(bad); i++)
		assert_refused(SETTING_KILL_MODE, bad[i]);
}

static const struct text no_signals[] = {TEXT("0"), TEXT("-1"), TEXT("999"), TEXT("FOO"),
    TEXT("SIG"), TEXT(" TERM"), TEXT("\nTERM"), TEXT("TERM KILL"), TEXT("TERM\nKILL"),
    TEXT("TERM\0"), TEXT("\0TERM"), TEXT("15\0"), TEXT("0x0f"), TEXT("SEGV"), TEXT("11"),
    TEXT("\0"), TEXT("TERM\v"), TEXT("SIGSIGTERM")};

static void
stop_signal_is_a_permitted_signal_and_never_empty(void **state)
{
	size_t i;

	(void)state;
	assert_accepted(SETTING_STOP_SIGNAL, (struct text)TEXT("INT"));
	assert_int_equal(settings.stop_signal, SIGINT);
	assert_accepted(SETTING_STOP_SIGNAL, (struct text)TEXT("sigquit\r\n"));
	assert_int_equal(settings.stop_signal, SIGQUIT);
	assert_accepted(SETTING_STOP_SIGNAL, (struct text)TEXT("9 \n"));
	assert_int_equal(settings.stop_signal, SIGKILL);
	for (i = 0; i < COUNT(no_signals); i++)
		assert_refused(SETTING_STOP_SIGNAL, no_signals[i]);
	assert_refused(SETTING_STOP_SIGNAL, (struct text)TEXT(""));
	assert_refused(SETTING_STOP_SIGNAL, (struct text)TEXT(" \r\n\t"));
}

static void
reload_is_hup_when_it_is_empty_and_else_a_permitted_signal(void **state)
{
	size_t i;

	(void)state;
	assert_accepted(SETTING_RELOAD, (struct text)TEXT(""));
	assert_int_equal(settings.reload_signal, SIGHUP);
	assert_accepted(SETTING_RELOAD, (struct text)TEXT(" \n"));
	assert_int_equal(settings.reload_signal, SIGHUP);
	assert_accepted(SETTING_RELOAD, (struct text)TEXT("USR1\n"));
	assert_int_equal(settings.reload_signal, SIGUSR1);
	assert_accepted(SETTING_RELOAD, (struct text)TEXT("RTMIN+1"));
	assert_int_equal(settings.reload_signal, SIGRTMIN + 1);
	for (i = 0; i < COUNT(no_signals); i++)
		assert_refused(SETTING_RELOAD, no_signals[i]);
	/* whoever took TERM from there would have each edit end the service */
	assert_string_equal(settings_parse(&settings, SETTING_RELOAD, "HPU", 3),
	    "must be empty, for HUP, or name a signal that may be sent, such as USR1 or 10");
	/* and the stop signal is another setting */
	assert_int_equal(settings.stop_signal, SIGTERM);
}

static void
timeouts_are_whole_seconds_from_1_to_a_day(void **state)
{
	static const struct text bad[] = {TEXT(""), TEXT("\n"), TEXT("0"), TEXT("00"), TEXT("-1"),
	    TEXT("+1"), TEXT("1.5"), TEXT("1s"), TEXT(" 1"), TEXT("1 1"), TEXT("1\n2"),
	    TEXT("86401"), TEXT("4294967297"), TEXT("18446744073709551617"), TEXT("0x10"),
	    TEXT("1e3"), TEXT("infinity"), TEXT("1\0"), TEXT("\0"), TEXT("\xb2"),
	    TEXT("99999999999999999999999999999999999999")};
	size_t i;

	(void)state;
	assert_accepted(SETTING_START_TIMEOUT, (struct text)TEXT("1"));
	assert_int_equal(settings.start_timeout, 1);
	assert_int_equal(settings.stop_timeout, NO_TIMEOUT);
	assert_accepted(SETTING_START_TIMEOUT, (struct text)TEXT("86400\r\n"));
	assert_int_equal(settings.start_timeout, 86400);
	assert_accepted(SETTING_STOP_TIMEOUT, (struct text)TEXT("30\n"));
	assert_int_equal(settings.stop_timeout, 30);
	assert_int_equal(settings.start_timeout, 60);
	for (i = 0; i < COUNT(bad); i++) {
		assert_refused(SETTING_START_TIMEOUT, bad[i]);
		assert_int_equal(settings.start_timeout, 60);
		assert_refused(SETTING_STOP_TIMEOUT, bad[i]);
		assert_int_equal(settings.stop_timeout, NO_TIMEOUT);
	}
}

static void
pid_file_is_one_path_on_one_line(void **state)
{
	static const struct text good[] = {TEXT("daemon.pid"), TEXT("/run/daemon.pid\n"),
	    TEXT("./a/../b"), TEXT("with a space"), TEXT("caf\xc3\xa9.pid"), TEXT("x\r\n")};
	static const struct text bad[] = {TEXT(""), TEXT("\n"), TEXT(" \t\n"), TEXT("a\nb"),
	    TEXT("\na"), TEXT("a\0b"), TEXT("a\0"), TEXT("\0"), TEXT("a\x01"), TEXT("a\x1b[2J"),
	    TEXT("a\x7f"), TEXT("a\tb"), TEXT("a\v")};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(good); i++) {
		assert_accepted(SETTING_PID_FILE, good[i]);
		assert_true(settings.pid_file);
	}
	for (i = 0; i < COUNT(bad); i++)
		assert_refused(SETTING_PID_FILE, bad[i]);
}

static void
of_files_whose_presence_counts_the_content_does_not(void **state)
{
	static const enum setting others[] = {SETTING_RUN, SETTING_DOWN, SETTING_ALLOW_NEW_PRIVS,
	    SETTING_USER /* the parent's to look up */};
	struct settings expected;
	size_t i;

	(void)state;
	settings_default(&expected);
	for (i = 0; i < COUNT(others); i++) {
		assert_accepted(others[i], (struct text)TEXT("\0 any\n thing"));
		assert_memory_equal(&settings, &expected, sizeof(settings));
	}
}

static void
contents_of_the_largest_size_are_read_to_their_end_and_no_further(void **state)
{
	/* the byte behind the content would make another of it */
	char content[SETTING_BYTES_MAX + 1];

	(void)state;
	memset(content, '\n', sizeof(content));
	content[0] = '7';
	content[SETTING_BYTES_MAX] = '7';
	assert_accepted(SETTING_STOP_TIMEOUT, (struct text){content, SETTING_BYTES_MAX});
	assert_int_equal(settings.stop_timeout, 7);
	content[SETTING_BYTES_MAX - 1] = '7';
	assert_refused(SETTING_STOP_TIMEOUT, (struct text){content, SETTING_BYTES_MAX});

	memset(content, '1', sizeof(content));
	assert_refused(SETTING_RESTART, (struct text){content, SETTING_BYTES_MAX});
	assert_refused(SETTING_STOP_SIGNAL, (struct text){content, SETTING_BYTES_MAX});
	assert_refused(SETTING_RELOAD, (struct text){content, SETTING_BYTES_MAX});
	assert_refused(SETTING_KILL_MODE, (struct text){content, SETTING_BYTES_MAX});
	assert_refused(SETTING_START_TIMEOUT, (struct text){content, SETTING_BYTES_MAX});

	/* the reader of the pid file has room for a path and its NUL within the largest size */
	assert_refused(SETTING_PID_FILE, (struct text){content, SETTING_BYTES_MAX});
	assert_accepted(SETTING_PID_FILE, (struct text){content, SETTING_BYTES_MAX - 1});
	content[SETTING_BYTES_MAX - 1] = '\n';
	assert_accepted(SETTING_PID_FILE, (struct text){content, SETTING_BYTES_MAX});
}

static void
nothing_of_a_content_is_in_its_refusal(void **state)
{
	/* no word of an administrator's sentence, and a text that a second sentence cannot share */
	static const struct text secrets[] = {TEXT("Xq7zWv\nXq7zWv"), TEXT("Kj4%s%n%x\n\x01")};
	enum setting setting;
	const char *refusals[2];
	size_t i, at;
	char piece[4] = "";

	(void)state;
	for (setting = 0; setting < SETTING_COUNT; setting++) {
		for (i = 0; i < COUNT(secrets); i++) {
			refusals[i] = parse(setting, secrets[i]);
			if (refusals[i] == NULL)
				continue;
			for (at = 0; at + 3 <= secrets[i].length; at++) {
				memcpy(piece, secrets[i].bytes + at, 3);
				assert_null(strstr(refusals[i], piece));
			}
			assert_null(strchr(refusals[i], '%'));
		}
		assert_ptr_equal(refusals[0], refusals[1]); /* one constant sentence */
	}
}

static void
every_file_that_is_parsed_can_be_refused(void **state)
{
	static const enum setting parsed[] = {SETTING_RESTART, SETTING_STOP_SIGNAL, SETTING_RELOAD,
	    SETTING_START_TIMEOUT, SETTING_STOP_TIMEOUT, SETTING_KILL_MODE, SETTING_PID_FILE};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(parsed); i++)
		assert_refused(parsed[i], (struct text)TEXT("no\nsuch\nvalue"));
}

static void
every_line_of_output_is_a_known_word_a_space_and_a_value(void **state)
{
	static const struct text refused[] = {TEXT("colour blue"), TEXT("Format raw"),
	    TEXT(" format raw"), TEXT("format"), TEXT("format "), TEXT("format  raw"),
	    TEXT("format\traw"), TEXT("format=raw"), TEXT("format xml"), TEXT("format rawer"),
	    TEXT("format raw\0"), TEXT("format raw\n\0"), TEXT("# format\nformat raw"),
	    TEXT("format raw\r\n\rrate 5"), TEXT("rotate_size 0"), TEXT("rotate_size 4095"),
	    TEXT("rotate_size 3K"), TEXT("rotate_size -1"), TEXT("rotate_size +10M"),
	    TEXT("rotate_size 1.5M"), TEXT("rotate_size 10m"), TEXT("rotate_size 10MB"),
	    TEXT("rotate_size 1T"), TEXT("rotate_size M"), TEXT("rotate_size 0x1000"),
	    TEXT("rotate_size 1025G"), TEXT("rotate_size 10M 10M"), TEXT("rotate_keep -1"),
	    TEXT("rotate_keep 101"), TEXT("rotate_keep 1K"), TEXT("rotate_keep 4294967296"),
	    TEXT("rate 0"), TEXT("rate offf"), TEXT("rate -5"), TEXT("rate 1.5"),
	    TEXT("rate 1000001"), TEXT("merge_stderr 1"), TEXT("merge_stderr YES"),
	    TEXT("discard true"), TEXT("discard")};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(refused); i++)
		assert_refused(SETTING_OUTPUT, refused[i]);
	assert_accepted(SETTING_OUTPUT, (struct text)TEXT(""));
	assert_accepted(SETTING_OUTPUT,
	    (struct text)TEXT("format raw \r\n\nrotate_size 4K\nrotate_keep 0\nrate 1000000\n"
			      "merge_stderr no\ndiscard yes"));
	assert_true(settings.output.raw);
	assert_true(settings.output.rotate_size == 4096);
	assert_int_equal(settings.output.rotate_keep, 0);
	assert_int_equal(settings.output.rate, 1000000);
	assert_true(settings.output.separate_error);
	assert_true(settings.output.discard);
	assert_accepted(
	    SETTING_OUTPUT, (struct text)TEXT("discard no\nmerge_stderr yes\nrate off"));
	assert_false(settings.output.separate_error);
	assert_false(settings.output.discard);
	assert_int_equal(settings.output.rate, 0);
}

/* Which of the two would count? */
static void
what_output_says_twice_is_refused_even_where_it_is_the_same(void **state)
{
	(void)state;
	assert_refused(SETTING_OUTPUT, (struct text)TEXT("format raw\nrate 5\nformat stamped"));
	assert_refused(SETTING_OUTPUT, (struct text)TEXT("discard yes\ndiscard yes"));
}

/* 17179869185G is 2^64 + 2^30 bytes, and was once taken for 1G. */
static void
a_size_that_no_64_bits_hold_is_refused(void **state)
{
	(void)state;
	assert_refused(SETTING_OUTPUT, (struct text)TEXT("rotate_size 17179869185G"));
	assert_refused(SETTING_OUTPUT, (struct text)TEXT("rotate_size 999999999999999G"));
	assert_accepted(SETTING_OUTPUT, (struct text)TEXT("rotate_size 1024G"));
	assert_true(settings.output.rotate_size == ROTATE_SIZE_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(without_files_a_profile_gets_the_documented_defaults),
	    cmocka_unit_test(restart_is_a_presence_or_one_of_three_words),
	    cmocka_unit_test(kill_mode_is_group_or_process_and_never_empty),
	    cmocka_unit_test(stop_signal_is_a_permitted_signal_and_never_empty),
	    cmocka_unit_test(reload_is_hup_when_it_is_empty_and_else_a_permitted_signal),
	    cmocka_unit_test(timeouts_are_whole_seconds_from_1_to_a_day),
	    cmocka_unit_test(pid_file_is_one_path_on_one_line),
	    cmocka_unit_test(of_files_whose_presence_counts_the_content_does_not),
	    cmocka_unit_test(contents_of_the_largest_size_are_read_to_their_end_and_no_further),
	    cmocka_unit_test(nothing_of_a_content_is_in_its_refusal),
	    cmocka_unit_test(every_file_that_is_parsed_can_be_refused),
	    cmocka_unit_test(every_line_of_output_is_a_known_word_a_space_and_a_value),
	    cmocka_unit_test(what_output_says_twice_is_refused_even_where_it_is_the_same),
	    cmocka_unit_test(a_size_that_no_64_bits_hold_is_refused),
	};

	return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
