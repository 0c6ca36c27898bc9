/*
 * What the monitor would not hear of, because the kernel has no room to watch one more descriptor:
 * epoll_ctl(2), ENOMEM, and ENOSPC where max_user_watches is reached. It looks by the clock until
 * there is room again. And whose turn it is, when it hears of several, or when a service is being
 * started, and what the parent is asked first. The loop and the clock are the test's.
 */
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "child.h"
#include "clock.h"
#include "commands.h"
#include "control.h"
#include "descriptors.h"
#include "fifo.h"
#include "folder.h"
#include "intake.h"
#include "loop.h"
#include "output.h"
#include "parent.h"
#include "remains.h"

static int64_t hour = 1000 * SECOND;
static int64_t passes;				 /* whenever it is asked */
static bool room;				 /* for one more descriptor in the set */
static unsigned watched;			 /* how often one came in */
static bool heard;				 /* what is printed raises an event */
static const char *output_file = "format raw\n"; /* of each profile */

int
clock_gettime(clockid_t clock, struct timespec *time)
{
	(void)clock;
	hour += passes;
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
	heard = room;
	return room ? 0 : -1;
}

void
loop_change(int descriptor, uint32_t events, unsigned source, uint32_t index)
{
	(void)descriptor;
	(void)source;
	(void)index;
	heard = events != 0;
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
say_of(uint32_t index, struct incoming *incoming, enum message_type type, int descriptor,
    void (*handle)(void *subject, struct incoming *incoming))
{
	incoming->message.type = type;
	incoming->message.index = index;
	incoming->message.generation = 1;
	incoming->count = descriptor == -1 ? 0 : 1;
	incoming->descriptors[0] = descriptor;
	handle(NULL, incoming);
}

static void
say(struct incoming *incoming, enum message_type type, int descriptor,
    void (*handle)(void *subject, struct incoming *incoming))
{
	say_of(0, incoming, type, descriptor, handle);
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

/* A profile whose service prints without stamps: its end of the FIFO, and its log. */
struct printer {
	uint32_t index;
	int service;
	int file;
};

static void
prepare(void)
{
	/* the monitor's descriptors have fixed numbers, at which whoever started us may have left
	 * one */
	REQUIRE(close_range(STDERR_FILENO + 1, ~0U, 0) == 0);
	REQUIRE(dup2(open("/dev/null", O_RDWR), FD_NULL) == FD_NULL);
	output_prepare();
}

static void
set_output(uint32_t index, const char *name, const char *settings)
{
	static struct incoming announcement, content;

	(void)snprintf(announcement.message.profile.name, sizeof(announcement.message.profile.name),
	    "%s", name);
	announcement.message.profile.trigger = 1;
	announcement.message.profile.settings = 1;
	say_of(index, &announcement, MESSAGE_PROFILE, -1, intake_profile);
	content.message.number = SETTING_OUTPUT;
	content.message.setting.length = (uint32_t)strlen(settings);
	memcpy(content.message.setting.bytes, settings, strlen(settings));
	say_of(index, &content, MESSAGE_SETTING, -1, intake_setting);
}

static struct printer
begin_printer(const struct folder *folder, uint32_t index)
{
	static struct incoming fifo, output;
	struct printer printer = {.index = index};
	char name[16];

	(void)snprintf(name, sizeof(name), "fifo-%u", index);
	REQUIRE(mkfifo(folder_path(folder, name), 0600) == 0);
	printer.service = open(folder_path(folder, name), O_RDWR | O_NONBLOCK | O_CLOEXEC);
	REQUIRE(printer.service != -1);
	set_output(index, "web", output_file);
	(void)snprintf(name, sizeof(name), "fifo-%u", index);
	say_of(index, &fifo, MESSAGE_FIFO, open(folder_path(folder, name), O_RDWR | O_CLOEXEC),
	    output_take_fifo);
	(void)snprintf(name, sizeof(name), "log-%u", index);
	printer.file =
	    open(folder_path(folder, name), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	REQUIRE(printer.file != -1);
	pass(0);
	say_of(index, &output, MESSAGE_OUTPUT, fcntl(printer.file, F_DUPFD_CLOEXEC, 0),
	    output_take_file);
	pass(0);
	return printer;
}

/* A service prints into a FIFO that cannot be watched, and later can. */
static void
print_unwatched(void *context)
{
	struct printer printer;
	int service, file;

	prepare();
	printer = begin_printer(context, 0);
	service = printer.service;
	file = printer.file;
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

/* It prints faster than it can be written: there is more whenever we look. */
static void
flood(const struct printer *printer)
{
	static char block[4096];

	memset(block, 'x', sizeof(block));
	block[sizeof(block) / 2] = '\n';
	while (write(printer->service, block, sizeof(block)) == (ssize_t)sizeof(block))
		;
	REQUIRE(errno == EAGAIN);
	output_event(printer->index, 0);
}

static void
print_line(const struct printer *printer)
{
	REQUIRE(write(printer->service, "one\n", 4) == 4);
	output_event(printer->index, 0);
}

static off_t
size_of(const struct printer *printer)
{
	struct stat status;

	REQUIRE(fstat(printer->file, &status) == 0);
	return status.st_size;
}

/* In one turn of the loop, which has clients to see to as well. */
static void
take_turns(void *context)
{
	struct printer flooding, quiet;
	unsigned turn;
	off_t before;

	room = true;
	prepare();
	flooding = begin_printer(context, 0);
	quiet = begin_printer(context, 1);
	for (turn = 1; turn <= 4; turn++) {
		before = size_of(&flooding);
		if (turn % 2 == 0)
			print_line(&quiet);
		flood(&flooding);
		if (turn % 2 != 0)
			print_line(&quiet);
		output_tend(hour);
		REQUIRE(size_of(&quiet) == 4 * (off_t)turn);
		REQUIRE(size_of(&flooding) > before && size_of(&flooding) - before <= LOOK_BYTES);
		REQUIRE(output_deadline() == 0); /* its next turn is due, after all others */
		pass(1 * SECOND);
		hour += 1 * SECOND;
	}
}

static void
who_prints_without_end_gets_one_turn_like_everybody_else(void **state)
{
	child_run(take_turns, *state);
}

/* There are more who print than can be seen to in no time. */
static void
print_together(void *context)
{
	struct printer printers[3];
	unsigned i;

	room = true;
	prepare();
	for (i = 0; i < 3; i++)
		printers[i] = begin_printer(context, i);
	for (i = 0; i < 3; i++)
		print_line(&printers[i]);
	passes = 1 * MILLISECOND;
	output_tend(hour);
	passes = 0;
	REQUIRE(size_of(&printers[0]) == 4 && size_of(&printers[1]) == 0);
	REQUIRE(output_deadline() == 0);
	output_tend(hour);
	REQUIRE(size_of(&printers[1]) == 4 && size_of(&printers[2]) == 4);
}

static void
a_turn_is_over_soon_however_many_print(void **state)
{
	child_run(print_together, *state);
}

/* A line now and then: whenever it is looked whether there is room, none stands there. */
static void
print_now_and_then(const struct printer *printer, int64_t time)
{
	for (; time > 0; time -= 10 * MILLISECOND) {
		print_line(printer);
		pass(0);
		pass(10 * MILLISECOND);
	}
}

static void
print_without_room(void *context)
{
	struct rlimit room_for_files = {.rlim_cur = 0, .rlim_max = RLIM_INFINITY};
	struct printer printer;
	off_t before;

	room = true;
	prepare();
	printer = begin_printer(context, 0);
	REQUIRE(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	REQUIRE(setrlimit(RLIMIT_FSIZE, &room_for_files) == 0);
	print_line(&printer);
	pass(0);
	pass(31 * SECOND);
	print_now_and_then(&printer, 2 * SECOND);
	REQUIRE(size_of(&printer) == 0);
	room_for_files.rlim_cur = RLIM_INFINITY;
	REQUIRE(setrlimit(RLIMIT_FSIZE, &room_for_files) == 0);
	print_now_and_then(&printer, 2 * SECOND);
	before = size_of(&printer);
	REQUIRE(before > 0);
	print_now_and_then(&printer, 1 * SECOND);
	REQUIRE(size_of(&printer) == before + 100 * 4); /* each one */
}

static void
who_prints_now_and_then_is_written_again_within_a_second(void **state)
{
	child_run(print_without_room, *state);
}

/* The first disk is full and its output discarded meanwhile; when the other is, it waits anew. */
static void
discard_without_room(void *context)
{
	struct rlimit room_for_files = {.rlim_cur = 0, .rlim_max = RLIM_INFINITY};
	struct printer printer;

	room = true;
	prepare();
	printer = begin_printer(context, 0);
	REQUIRE(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	REQUIRE(setrlimit(RLIMIT_FSIZE, &room_for_files) == 0);
	print_line(&printer);
	pass(0);
	set_output(0, "web", "discard yes\n");
	pass(1 * SECOND);
	set_output(0, "web", output_file);
	pass(3600 * SECOND);
	print_line(&printer);
	pass(0);
	pass(2 * SECOND);
	room_for_files.rlim_cur = RLIM_INFINITY;
	REQUIRE(setrlimit(RLIMIT_FSIZE, &room_for_files) == 0);
	pass(2 * SECOND);
	REQUIRE(holds(printer.file, "one\n"));
}

static void
what_was_discarded_while_the_disk_was_full_does_not_count_later(void **state)
{
	child_run(discard_without_room, *state);
}

#define RATE 1000
#define DAY  (24 * 3600 * SECOND)

/* All the lines that `rate` permits, and one that has to wait. */
static void
print_all_permitted(const struct printer *printer, off_t before)
{
	unsigned line;

	for (line = 0; line <= RATE; line++)
		REQUIRE(write(printer->service, "\n", 1) == 1);
	output_event(printer->index, 0);
	output_tend(hour);
	REQUIRE(size_of(printer) == before + RATE);
	pass(10 * MILLISECOND);
	REQUIRE(size_of(printer) == before + RATE + 1);
}

static void
print_after_months(void *context)
{
	struct printer printer;

	room = true;
	prepare();
	output_file = "format raw\nrate 1000\n";
	printer = begin_printer(context, 0);
	print_all_permitted(&printer, 0);
	pass(160 * DAY);
	print_all_permitted(&printer, RATE + 1);
}

static void
who_has_printed_nothing_for_months_may_print_as_much_as_ever(void **state)
{
	child_run(print_after_months, *state);
}

#define MUCH 40000

/* As much as counts as a flood; an event comes of it where one is waited for. */
static void
print_much(const struct printer *printer)
{
	static char lines[MUCH];

	memset(lines, 'x', sizeof(lines));
	lines[sizeof(lines) - 1] = '\n';
	REQUIRE(write(printer->service, lines, sizeof(lines)) == (ssize_t)sizeof(lines));
	if (heard)
		output_event(printer->index, 0);
	pass(0);
}

static void
print_during_start(void *context)
{
	struct client stranger = {.stranger = true}, admin = {.admin = true};
	const struct ask question = {.verb = VERB_PING};
	struct printer printer;

	room = true;
	prepare();
	printer = begin_printer(context, 0);
	print_much(&printer);
	print_much(&printer);
	REQUIRE(size_of(&printer) == 2 * MUCH && output_deadline() == NEVER);
	/* at once: a start is asked for behind what is written in the same turn */
	output_give_way();
	print_much(&printer);
	REQUIRE(size_of(&printer) == 2 * MUCH && output_deadline() == hour + 1 * MILLISECOND);
	pass(1 * MILLISECOND);
	REQUIRE(size_of(&printer) == 3 * MUCH && output_deadline() == hour + 1 * MILLISECOND);
	print_much(&printer);
	REQUIRE(size_of(&printer) == 3 * MUCH);
	pass(1 * MILLISECOND);
	REQUIRE(size_of(&printer) == 4 * MUCH);
	pass(1 * MILLISECOND);
	/* what is little does not wait */
	REQUIRE(heard && output_deadline() == NEVER);
	print_line(&printer);
	pass(0);
	REQUIRE(size_of(&printer) == 4 * MUCH + 4 && heard && output_deadline() == NEVER);
	/* and nothing does when the start is over */
	pass(5 * MILLISECOND);
	print_much(&printer);
	print_much(&printer);
	REQUIRE(size_of(&printer) == 6 * MUCH + 4 && output_deadline() == NEVER);
	/* a question is given way to like a start, */
	commands_begin(&admin, &question);
	print_much(&printer);
	print_much(&printer);
	REQUIRE(size_of(&printer) == 6 * MUCH + 4 && output_deadline() == hour + 1 * MILLISECOND);
	pass(5 * MILLISECOND);
	/* but not the next one: who asked without pause would slow them down for good; */
	commands_begin(&admin, &question);
	print_much(&printer);
	print_much(&printer);
	REQUIRE(size_of(&printer) == 10 * MUCH + 4 && output_deadline() == NEVER);
	/* the next start is, */
	output_give_way();
	print_much(&printer);
	print_much(&printer);
	REQUIRE(size_of(&printer) == 10 * MUCH + 4 && output_deadline() == hour + 1 * MILLISECOND);
	/* and a later question, if it is not a stranger's */
	pass(50 * MILLISECOND);
	commands_begin(&stranger, &question);
	print_much(&printer);
	print_much(&printer);
	REQUIRE(size_of(&printer) == 14 * MUCH + 4 && output_deadline() == NEVER);
	commands_begin(&admin, &question);
	print_much(&printer);
	print_much(&printer);
	REQUIRE(size_of(&printer) == 14 * MUCH + 4 && output_deadline() == hour + 1 * MILLISECOND);
}

static void
who_prints_without_end_gives_way_to_starts_and_questions(void **state)
{
	child_run(print_during_start, *state);
}

static struct stat slow; /* to cut this file shorter takes a second */
static unsigned cuts;	 /* of it */

int
ftruncate(int file, off_t size)
{
	struct stat status;

	if (slow.st_ino != 0 && fstat(file, &status) == 0 && status.st_ino == slow.st_ino) {
		hour += SECOND;
		cuts++;
	}
	return (int)syscall(SYS_ftruncate, file, size);
}

static off_t
size_at(int file)
{
	struct stat status;

	REQUIRE(fstat(file, &status) == 0);
	return status.st_size;
}

static void
free_for(int64_t time)
{
	int64_t end = hour + time;

	while (remains_deadline() <= end && hour <= end) {
		if (hour < remains_deadline())
			hour = remains_deadline();
		remains_tend(hour);
	}
	if (hour < end)
		hour = end;
}

/* What fills the disk has no name any more, and the monitor alone has it. */
static void
print_on_full_disk(void *context)
{
	static const char block[4096];
	static struct incoming remains;
	const struct folder *folder = context;
	struct printer printer;
	int old;

	room = true;
	prepare();
	child_own_mounts();
	child_mount_small(folder->path, 256 * 1024);
	printer = begin_printer(folder, 0);
	old = open(folder_path(folder, "old"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	REQUIRE(old != -1);
	while (write(old, block, sizeof(block)) > 0)
		;
	REQUIRE(errno == ENOSPC && unlink(folder_path(folder, "old")) == 0);
	say(&remains, MESSAGE_REMAINS, old, remains_take);
	REQUIRE(remains_deadline() != NEVER);
	print_line(&printer);
	pass(0);
	REQUIRE(holds(printer.file, "one\n"));
	REQUIRE(remains_deadline() == NEVER && output_deadline() == NEVER);
}

static void
what_is_cut_shorter_bit_by_bit_makes_room_at_once_on_a_full_disk(void **state)
{
	child_run(print_on_full_disk, *state);
}

/* The lock of the first one somebody keeps: he was handed it as his log. */
static void
free_what_is_kept(void *context)
{
	static struct incoming remains;
	const off_t large = 64 * 1024 * 1024;
	int kept, other;

	prepare();
	kept = open(folder_path(context, "kept"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	other = open(folder_path(context, "other"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	REQUIRE(ftruncate(kept, large) == 0 && ftruncate(other, large) == 0);
	say(&remains, MESSAGE_REMAINS, dup(kept), remains_take);
	say(&remains, MESSAGE_REMAINS, dup(other), remains_take);
	REQUIRE(fstat(kept, &slow) == 0);
	free_for(2 * SECOND);
	REQUIRE(size_at(other) <= large / 64); /* the rest goes with the last descriptor */
	REQUIRE(cuts == 1);
	free_for(17 * SECOND);
	REQUIRE(cuts == 1);
	free_for(3 * SECOND);
	REQUIRE(cuts == 2);
	/* he has let go of it */
	slow.st_ino = 0;
	free_for(21 * SECOND);
	REQUIRE(size_at(kept) <= large / 64 && remains_deadline() == NEVER);
}

static void
whoever_keeps_the_lock_of_what_is_cut_shorter_keeps_the_monitor_for_a_twentieth(void **state)
{
	child_run(free_what_is_kept, *state);
}

/* What the parent was asked, in this order; how many rotations of log files. `marked`: a mark came
 * before them. */
static unsigned
hear_rotations(int parent, bool marked)
{
	static struct incoming incoming;
	unsigned rotations = 0;

	while (channel_receive(parent, &incoming, message_valid) == CHANNEL_DONE) {
		marked |= incoming.message.type == MESSAGE_MARK;
		rotations += incoming.message.type == MESSAGE_ROTATE;
		REQUIRE(marked || rotations == 0);
	}
	return rotations;
}

#define PRINTERS 7

static void
fill_many_files(void *context)
{
	struct printer printers[PRINTERS];
	static struct incoming output;
	int ends[2];
	uint32_t i;

	room = true;
	output_file = "format raw\nrotate_size 64K\n";
	prepare();
	REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
	REQUIRE(dup2(ends[0], FD_PARENT) == FD_PARENT);
	for (i = 0; i < PRINTERS; i++) {
		printers[i] = begin_printer(context, i);
		print_much(&printers[i]);
		print_much(&printers[i]);
		REQUIRE(size_of(&printers[i]) == MUCH);
	}
	parent_owe_mark();
	REQUIRE(!parent_flush() && hear_rotations(ends[1], false) == 1);
	REQUIRE(!parent_flush() && hear_rotations(ends[1], true) == 0);
	/* the next one's turn comes when there is another file in the place of one, or none: */
	REQUIRE(ftruncate(printers[0].file, 0) == 0);
	say_of(0, &output, MESSAGE_OUTPUT, fcntl(printers[0].file, F_DUPFD_CLOEXEC, 0),
	    output_take_file);
	REQUIRE(!parent_flush() && hear_rotations(ends[1], true) == 1);
	/* who has no file at all does not wait behind those */
	parent_ask_file(table_stream(table_used(0), STREAM_OUTPUT));
	REQUIRE(!parent_flush() &&
	    channel_receive(ends[1], &output, message_valid) == CHANNEL_DONE &&
	    output.message.type == MESSAGE_OPEN);
	output.message.file.error = ENOENT;
	say_of(1, &output, MESSAGE_OUTPUT, -1, output_take_file);
	REQUIRE(!parent_flush() && hear_rotations(ends[1], true) == 1);
	output_forget(table_used(2));
	REQUIRE(!parent_flush() && hear_rotations(ends[1], true) == 1);
	for (i = 3; i < PRINTERS; i++) {
		say_of(i, &output, MESSAGE_OUTPUT, -1, output_take_file);
		REQUIRE(!parent_flush() && hear_rotations(ends[1], true) == (i + 1 < PRINTERS));
	}
	pass(0);
	REQUIRE(size_of(&printers[0]) == MUCH && size_of(&printers[1]) == MUCH);
	/* one that could not be opened may be full still: it is put aside then, and does not grow
	 */
	pass(1 * SECOND);
	output.message.file = (struct file_facts){.size = MUCH};
	say_of(1, &output, MESSAGE_OUTPUT, fcntl(printers[1].file, F_DUPFD_CLOEXEC, 0),
	    output_take_file);
	pass(0);
	REQUIRE(!parent_flush() && hear_rotations(ends[1], true) == 1);
	REQUIRE(size_of(&printers[1]) == MUCH);
}

static void
the_parent_is_asked_for_other_files_last_and_for_one_at_a_time(void **state)
{
	child_run(fill_many_files, *state);
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
	    cmocka_unit_test_setup_teardown(
		who_prints_without_end_gets_one_turn_like_everybody_else, folder_set_up,
		folder_tear_down),
	    cmocka_unit_test_setup_teardown(
		a_turn_is_over_soon_however_many_print, folder_set_up, folder_tear_down),
	    cmocka_unit_test_setup_teardown(
		who_prints_without_end_gives_way_to_starts_and_questions, folder_set_up,
		folder_tear_down),
	    cmocka_unit_test_setup_teardown(
		whoever_keeps_the_lock_of_what_is_cut_shorter_keeps_the_monitor_for_a_twentieth,
		folder_set_up, folder_tear_down),
	    cmocka_unit_test_setup_teardown(
		what_is_cut_shorter_bit_by_bit_makes_room_at_once_on_a_full_disk, folder_set_up,
		folder_tear_down),
	    cmocka_unit_test_setup_teardown(
		who_prints_now_and_then_is_written_again_within_a_second, folder_set_up,
		folder_tear_down),
	    cmocka_unit_test_setup_teardown(
		what_was_discarded_while_the_disk_was_full_does_not_count_later, folder_set_up,
		folder_tear_down),
	    cmocka_unit_test_setup_teardown(
		who_has_printed_nothing_for_months_may_print_as_much_as_ever, folder_set_up,
		folder_tear_down),
	    cmocka_unit_test_setup_teardown(
		the_parent_is_asked_for_other_files_last_and_for_one_at_a_time, folder_set_up,
		folder_tear_down),
	    cmocka_unit_test(a_control_socket_that_cannot_be_watched_is_tried_again),
	};

	return cmocka_run_group_tests_name("listening", tests, NULL, NULL);
}
