/*
 * What the monitor would not hear of, because the kernel has no room to watch one more descriptor:
 * epoll_ctl(2), ENOMEM, and ENOSPC where max_user_watches is reached. It looks by the clock until
 * there is room again. The loop and the clock are the test's.
 */
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "child.h"
#include "clock.h"
#include "control.h"
#include "descriptors.h"
#include "folder.h"
#include "intake.h"
#include "loop.h"
#include "output.h"

static int64_t hour = 1000 * SECOND;
static bool room;	 /* for one more descriptor in the set */
static unsigned watched; /* how often one came in */

int
clock_gettime(clockid_t clock, struct timespec *time)
{
	(void)clock;
	time->tv_sec = hour / SECOND;
	time->tv_nsec = hour % SECOND;
	return 0;
}

void
loop_open(void)
{
}

int
loop_add(int descriptor, uint32_t events, unsigned source, uint32_t index)
{
	(void)descriptor;
	(void)events;
	(void)source;
	(void)index;
	errno = ENOSPC;
	watched += room;
	return room ? 0 : -1;
}

void
loop_change(int descriptor, uint32_t events, unsigned source, uint32_t index)
{
	(void)descriptor;
	(void)events;
	(void)source;
	(void)index;
}

void
loop_mute(int descriptor)
{
	(void)descriptor;
}

void
loop_close(int *descriptor)
{
	if (*descriptor != -1)
		(void)close(*descriptor);
	*descriptor = -1;
}

void
loop_wait(int64_t deadline, const loop_handler *handlers)
{
	(void)deadline;
	(void)handlers;
}

static void
say(struct incoming *incoming, enum message_type type, int descriptor,
    void (*handle)(void *subject, struct incoming *incoming))
{
	incoming->message.type = type;
	incoming->message.index = 0;
	incoming->message.generation = 1;
	incoming->count = descriptor == -1 ? 0 : 1;
	incoming->descriptors[0] = descriptor;
	handle(NULL, incoming);
}

/* As far as it goes without anything that is heard. */
static void
pass(int64_t time)
{
	hour += time;
	do
		output_tend(hour);
	while (output_deadline() <= hour);
}

static bool
holds(int file, const char *expected)
{
	char text[64];
	ssize_t length = pread(file, text, sizeof(text), 0);

	return length == (ssize_t)strlen(expected) && memcmp(text, expected, strlen(expected)) == 0;
}

/* A service prints into a FIFO that cannot be watched, and later can. */
static void
print_unwatched(void *context)
{
	const struct folder *folder = context;
	static struct incoming announcement, content, fifo, output;
	const char *path = folder_path(folder, "fifo");
	int service, file;

	/* the monitor's descriptors have fixed numbers, at which whoever started us may have left one */
	REQUIRE(close_range(STDERR_FILENO + 1, ~0U, 0) == 0);
	REQUIRE(dup2(open("/dev/null", O_RDWR), FD_NULL) == FD_NULL);
	output_prepare();
	REQUIRE(mkfifo(path, 0600) == 0);
	service = open(path, O_RDWR | O_CLOEXEC);
	REQUIRE(service != -1);
	strcpy(announcement.message.profile.name, "web");
	announcement.message.profile.trigger = 1;
	announcement.message.profile.settings = 1;
	say(&announcement, MESSAGE_PROFILE, -1, intake_profile);
	content.message.number = SETTING_OUTPUT;
	content.message.setting.length = (uint32_t)strlen("format raw\n");
	memcpy(content.message.setting.bytes, "format raw\n", strlen("format raw\n"));
	say(&content, MESSAGE_SETTING, -1, intake_setting);
	say(&fifo, MESSAGE_FIFO, open(path, O_RDWR | O_CLOEXEC), output_take_fifo);
	file = open(folder_path(folder, "log"), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	REQUIRE(file != -1);
	pass(0);
	say(&output, MESSAGE_OUTPUT, fcntl(file, F_DUPFD_CLOEXEC, 0), output_take_file);
	pass(0);
	REQUIRE(write(service, "one\n", 4) == 4);
	REQUIRE(output_deadline() <= hour + 1 * SECOND);
	pass(1 * SECOND);
	REQUIRE(holds(file, "one\n") && watched == 0);
	/* once it is watched, it is no longer looked at by the clock */
	room = true;
	pass(1 * SECOND);
	REQUIRE(watched == 1 && output_deadline() == NEVER);
	REQUIRE(write(service, "two\n", 4) == 4);
	output_event(0, 0);
	pass(0);
	REQUIRE(holds(file, "one\ntwo\n") && watched == 1);
}

static void
a_fifo_that_cannot_be_watched_is_looked_at_by_the_clock(void **state)
{
	child_run(print_unwatched, *state);
}

static void
listen_unwatched(void *context)
{
	static struct incoming control;
	struct hello hello = {.admin = 0};

	(void)context;
	control_configure(&hello);
	say(&control, MESSAGE_CONTROL, socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0),
	    control_listen);
	control_tend(hour);
	REQUIRE(control_deadline() == hour + 1 * SECOND);
	hour += 1 * SECOND;
	control_tend(hour);
	REQUIRE(watched == 0 && control_deadline() == hour + 1 * SECOND);
	room = true;
	hour += 1 * SECOND;
	control_tend(hour);
	REQUIRE(watched == 1 && control_deadline() == NEVER);
}

static void
a_control_socket_that_cannot_be_watched_is_tried_again(void **state)
{
	(void)state;
	child_run(listen_unwatched, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_fifo_that_cannot_be_watched_is_looked_at_by_the_clock,
		folder_set_up, folder_tear_down),
	    cmocka_unit_test(a_control_socket_that_cannot_be_watched_is_tried_again),
	};

	return cmocka_run_group_tests_name("listening", tests, NULL, NULL);
}
