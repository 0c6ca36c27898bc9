/*
 * What a monitor says that somebody owns is shown to whoever asks, and root may give it to a shell.
 */
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ask.h"
#include "child.h"
#include "clock.h"
#include "folder.h"
#include "names.h"

/* Every byte but the last. */
static void
fill(char *text, size_t size, unsigned first)
{
	size_t i;

	for (i = 0; i < size - 1; i++)
		text[i] = (char)(first + i);
	text[i] = '\0';
}

/* In pieces, as many as there are bytes: each is what it was, or '?'. */
static void
nothing_stays_in_a_name_that_stands_in_none(void **state)
{
	struct message message;
	unsigned byte;
	char name[8];

	(void)state;
	for (byte = 1; byte <= UINT8_MAX; byte++) {
		(void)snprintf(name, sizeof(name), "a%c", (char)byte);
		message_begin(&message, MESSAGE_ROWS);
		message.rows.count = 1;
		strcpy(message.rows.rows[0].name, name);
		ask_make_printable(&message);
		if (!profile_name_valid(name) && byte != '/')
			strcpy(name, "a?");
		assert_string_equal(message.rows.rows[0].name, name);
		message_begin(&message, MESSAGE_TRANSITION);
		(void)snprintf(message.transition.name, sizeof(name), "a%c", (char)byte);
		ask_make_printable(&message);
		assert_string_equal(message.transition.name, name);
	}
}

static void
nothing_stays_that_a_terminal_obeys(void **state)
{
	struct message message;
	struct row *row = &message.rows.rows[0];
	const char *text;
	unsigned first;

	(void)state;
	for (first = 1; first <= UINT8_MAX; first += sizeof(row->account) - 1) {
		message_begin(&message, MESSAGE_ROWS);
		message.rows.count = 1;
		fill(row->account, sizeof(row->account), first);
		fill(row->reason, sizeof(row->reason), first);
		fill(row->decided_by, sizeof(row->decided_by), first);
		ask_make_printable(&message);
		for (text = row->account; *text != '\0'; text++)
			assert_true(*text >= ' ' && *text <= '~' && strchr("\"\\", *text) == NULL);
		for (text = row->reason; *text != '\0'; text++)
			assert_true(*text >= ' ' && *text <= '~');
		for (text = row->decided_by; *text != '\0'; text++)
			assert_true(*text >= ' ' && *text <= '~');
	}
}

/* In the place of the C library's: valgrind knows no filter. */
static bool no_memory;

ssize_t
sendmsg(int channel, const struct msghdr *message, int flags)
{
	errno = ENOBUFS;
	return no_memory ? -1 : syscall(SYS_sendmsg, channel, message, flags);
}

/* Whoever is greeted has no memory left for it, once. Then we ask again at once. */
static void
greet_without_memory(void *context)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	const struct folder *folder = context;

	strcpy(address.sun_path, folder_path(folder, "control"));
	REQUIRE(bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0);
	REQUIRE(listen(listener, 1) == 0);
	REQUIRE(ask_connect(folder->path, clock_now() + SECOND, false) == ASK_OK);
	no_memory = true;
	REQUIRE(ask_connect(folder->path, clock_now() + SECOND, false) == ASK_LOST);
}

static void
who_could_not_be_greeted_is_not_waited_for(void **state)
{
	child_run(greet_without_memory, *state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_stays_in_a_name_that_stands_in_none),
	    cmocka_unit_test(nothing_stays_that_a_terminal_obeys),
	    cmocka_unit_test_setup_teardown(
		who_could_not_be_greeted_is_not_waited_for, folder_set_up, folder_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
