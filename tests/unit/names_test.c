/* Names of profiles and of signals: what is one, and what is not. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "names.h"
#include "words.h"

static void
names_of_the_permitted_characters_are_profile_names(void **state)
{
	static const char *const good[] = {"a", "_", "0", "web", "a.b-c_d@e:f+g",
	    "a234567890123456789012345678901234567890123456789012345678901234"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(profile_name_valid(good[i]));
}

static void
all_other_names_are_refused(void **state)
{
	static const char *const bad[] = {"", ".", "..", ".web", "-web", "+web", "@", ":", "a/b",
	    "a b", "a\nb", "a\x01", "caf\xc3\xa9", "a%b", "~a",
	    "a2345678901234567890123456789012345678901234567890123456789012345"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(profile_name_valid(bad[i]));
}

static int
signal_of(const char *text)
{
	return signal_from_text(text, strlen(text));
}

static void
signals_are_known_by_name_with_or_without_sig_and_by_number(void **state)
{
	(void)state;
	assert_int_equal(signal_of("TERM"), SIGTERM);
	assert_int_equal(signal_of("SIGTERM"), SIGTERM);
	assert_int_equal(signal_of("sigterm"), SIGTERM);
	assert_int_equal(signal_of("15"), SIGTERM);
	assert_int_equal(signal_of("9"), SIGKILL);
	assert_int_equal(signal_of("USR1"), SIGUSR1);
	assert_int_equal(signal_of("WINCH"), SIGWINCH);
	assert_int_equal(signal_of("IO"), SIGIO);
	assert_int_equal(signal_of("SIGPOLL"), SIGIO);
	assert_int_equal(signal_of("RTMIN"), SIGRTMIN);
	assert_int_equal(signal_of("SIGRTMIN+3"), SIGRTMIN + 3);
	assert_int_equal(signal_of("RTMAX-1"), SIGRTMAX - 1);
}

static void
what_is_no_permitted_signal_is_refused(void **state)
{
	static const char *const bad[] = {"", "0", "-1", "+15", "015", "15 ", " 15", "99", "999",
	    "TERMX", "SIG", "SIGSIGTERM", "FOO", "SEGV", "11", "BUS", "RTMIN+99", "RTMIN-1",
	    "RTMAX+1", "RTMAX-36", "RTMIN+31", "TERM\n", "9999999999999999999", "SIGRTMIN+"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (signal_of(bad[i]) != 0)
			fail_msg("taken for a signal: \"%s\"", bad[i]);
	assert_int_equal(signal_from_text("TERM\0X", 6), 0);
}

static void
a_signal_has_a_text(void **state)
{
	char text[SIGNAL_TEXT_BYTES];

	(void)state;
	assert_string_equal(signal_to_text(SIGKILL, text, sizeof(text)), "SIGKILL");
	assert_string_equal(signal_to_text(SIGRTMIN, text, sizeof(text)), "SIGRTMIN");
	assert_string_equal(signal_to_text(SIGRTMIN + 2, text, sizeof(text)), "SIGRTMIN+2");
	assert_string_equal(signal_to_text(200, text, sizeof(text)), "signal 200");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_of_the_permitted_characters_are_profile_names),
	    cmocka_unit_test(all_other_names_are_refused),
	    cmocka_unit_test(signals_are_known_by_name_with_or_without_sig_and_by_number),
	    cmocka_unit_test(what_is_no_permitted_signal_is_refused),
	    cmocka_unit_test(a_signal_has_a_text),
	};

	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
