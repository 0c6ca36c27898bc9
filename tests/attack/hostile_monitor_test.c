/*
 * A monitor that an attacker owns. In its place stands this very program, which greets as the true
 * one would and then hands its channel to the test; the parent, the spawner and the services are
 * real. Whatever it asks, no process is doubled, nobody but a profile's own process gets a signal,
 * and the parent neither grows nor stops.
 */
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "descriptors.h"
#include "fault.h"
#include "host.h"
#include "open_files.h"
#include "peer.h"
#include "unprivileged.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What births.c promises: so many starts of a profile at once, then so many a second. */
#define STARTS_AT_ONCE	  100
#define STARTS_PER_SECOND 10

/* A file beside the program: present, the channel is handed over before anything was said. */
#define RUDE "rude"
/* ... the supervisor is up, and waits for no answer to its first ping. */
#define UP   "up"
#define SEAT "seat"

static void
beside(const char *program, const char *name, char *path, size_t size)
{
	const char *slash = strrchr(program, '/');

	(void)snprintf(path, size, "%.*s/%s", (int)(slash - program), program, name);
}

/* In the monitor's place. */
static bool
answer_politely(bool up)
{
	static struct incoming incoming;
	struct pollfd parent = {.fd = FD_PARENT, .events = POLLIN};
	enum channel_result result;
	struct message message;
	bool told = false;

	for (;;) {
		result = channel_receive_descriptors(FD_PARENT, &incoming, unprivileged_valid);
		if (result == CHANNEL_AGAIN && poll(&parent, 1, -1) == 1)
			continue;
		if (result != CHANNEL_DONE)
			return false;
		channel_discard(&incoming);
		message_begin(&message, MESSAGE_PONG);
		message.number = incoming.message.number;
		if (incoming.message.type == MESSAGE_HELLO)
			channel_hello(&message);
		else if (incoming.message.type != MESSAGE_PING) {
			told |= incoming.message.type == MESSAGE_ORDER;
			if (told && up)
				return true;
			continue;
		}
		if (channel_send(FD_PARENT, &message, NULL, 0) != CHANNEL_DONE)
			return false;
		if (told && incoming.message.type == MESSAGE_PING)
			return true;
	}
}

static _Noreturn void
be_the_monitor(const char *program)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct message message;
	char path[PATH_MAX];
	int seat, channel = FD_PARENT;
	bool up;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == -1)
		_exit(1);
	beside(program, UP, path, sizeof(path));
	up = access(path, F_OK) == 0;
	beside(program, RUDE, path, sizeof(path));
	if (access(path, F_OK) == -1 && !answer_politely(up))
		_exit(1);
	beside(program, SEAT, path, sizeof(path));
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%.100s", path);
	seat = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (seat == -1 || connect(seat, (struct sockaddr *)&address, sizeof(address)) == -1)
		_exit(2);
	message_begin(&message, MESSAGE_HELLO);
	message.number = (uint32_t)getpid();
	if (channel_send(seat, &message, &channel, 1) != CHANNEL_DONE)
		_exit(3);
	(void)close(FD_PARENT);
	(void)!read(seat, path, sizeof(path)); /* until the test has gone, or the parent ends us */
	_exit(0);
}

/* The test's side. */
struct scene {
	struct host host;
	char build[PATH_MAX]; /* with the false monitor in it */
	int listener;
	int seat;
	int channel; /* the monitor's end */
	pid_t monitor;
};

static void
copy_program(const char *from, const char *folder, const char *name)
{
	char path[PATH_MAX];
	struct stat status;
	int source = open(from, O_RDONLY | O_CLOEXEC), target;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	target = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	assert_true(source != -1 && target != -1);
	assert_int_equal(fstat(source, &status), 0);
	assert_int_equal(sendfile(target, source, NULL, (size_t)status.st_size), status.st_size);
	assert_int_equal(close(source) | close(target), 0);
}

static void
place(const struct scene *scene, const char *name)
{
	char path[PATH_MAX + 8];
	int file;

	(void)snprintf(path, sizeof(path), "%s/%s", scene->build, name);
	file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(file != -1);
	assert_int_equal(close(file), 0);
}

static void
remove_mark(const struct scene *scene, const char *name)
{
	char path[PATH_MAX + 8];

	(void)snprintf(path, sizeof(path), "%s/%s", scene->build, name);
	assert_int_equal(unlink(path), 0);
}

static char *true_build; /* $PROCLAUNCH_BUILD of this test */

static int
set_up(void **state)
{
	static const char *const programs[] = {"proclaunch", "proclaunch-spawner"};
	struct scene *scene = calloc(1, sizeof(*scene));
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char path[PATH_MAX];
	size_t i;

	assert_non_null(scene);
	*state = scene;
	host_begin(&scene->host);
	(void)snprintf(scene->build, sizeof(scene->build), "%s/build", scene->host.root);
	assert_int_equal(mkdir(scene->build, 0755), 0);
	for (i = 0; i < COUNT(programs); i++)
		copy_program(
		    host_program(programs[i], path, sizeof(path)), scene->build, programs[i]);
	copy_program("/proc/self/exe", scene->build, "proclaunch-monitor");
	assert_int_equal(setenv("PROCLAUNCH_BUILD", scene->build, 1), 0);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%.80s/" SEAT, scene->build);
	scene->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(scene->listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(scene->listener, 8), 0);
	scene->seat = scene->channel = -1;
	return 0;
}

static void
leave_seat(struct scene *scene)
{
	if (scene->channel != -1)
		(void)close(scene->channel); /* may have been closed by the parent: no matter */
	if (scene->seat != -1)
		(void)close(scene->seat);
	scene->seat = scene->channel = -1;
}

static int
tear_down(void **state)
{
	struct scene *scene = *state;

	leave_seat(scene);
	(void)close(scene->listener);
	host_end(&scene->host);
	(void)setenv("PROCLAUNCH_BUILD", true_build, 1);
	free(scene);
	return 0;
}

/* Waits for a monitor that takes its place. */
static void
take_seat(struct scene *scene)
{
	struct pollfd arrival = {.fd = scene->listener, .events = POLLIN};
	struct incoming incoming;

	leave_seat(scene);
	assert_int_equal(poll(&arrival, 1, 2 * SOON), 1);
	scene->seat = accept4(scene->listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(scene->seat != -1);
	assert_true(peer_receive(scene->seat, &incoming));
	scene->channel = channel_take(&incoming);
	assert_true(scene->channel != -1);
	scene->monitor = (pid_t)incoming.message.number;
}

/* The next message that is no ping, which is answered. False: we were ended. */
static bool
hear(struct scene *scene, struct incoming *incoming)
{
	struct deadline deadline = deadline_in(SOON);

	while (peer_receive(scene->channel, incoming)) {
		if (incoming->message.type != MESSAGE_PING)
			return true;
		if (deadline_left(&deadline) < 0)
			fail_msg("nothing but pings has come");
		peer_answer_ping(scene->channel, &incoming->message);
	}
	return false;
}

/* Waits until the parent tells of this profile; whose index it is. */
static void
learn(struct scene *scene, const char *name, struct message *about)
{
	static struct incoming incoming;
	static unsigned number = 5; /* another one each time: what stays the same is not told */
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/stop_timeout", name);
	host_write(&scene->host, path, 0644, "%u\n", number++);
	do {
		assert_true(hear(scene, &incoming));
		channel_discard(&incoming);
	} while (incoming.message.type != MESSAGE_PROFILE ||
	    strcmp(incoming.message.profile.name, name) != 0);
	memset(about, 0, sizeof(*about));
	about->index = incoming.message.index;
	about->generation = incoming.message.generation;
}

/* All that the parent might take for an order beyond index, generation and number. */
static void
say(struct scene *scene, enum message_type type, const struct message *about, uint32_t number)
{
	struct message message;

	peer_fill(&message, type, about->index, about->generation);
	message.number = number;
	assert_true(peer_send(scene->channel, &message, 0));
}

/* Until the process of the profile is in this phase; its pid. */
static pid_t
wait_phase(struct scene *scene, const struct message *about, enum process_phase phase)
{
	static struct incoming incoming;

	do {
		assert_true(hear(scene, &incoming));
		channel_discard(&incoming);
	} while (incoming.message.type != MESSAGE_PROCESS ||
	    incoming.message.index != about->index || incoming.message.process.phase != phase);
	return incoming.message.process.pid;
}

/* The parent has acted on all that was said, and has said all that came of it. */
static void
drain(struct scene *scene)
{
	static const struct message none = {.index = NO_PROFILE};
	static struct incoming incoming;
	unsigned round;

	for (round = 0; round < 2; round++) {
		say(scene, MESSAGE_REOPEN, &none, 0);
		do {
			assert_true(hear(scene, &incoming));
			channel_discard(&incoming);
		} while (incoming.message.type != MESSAGE_LOG);
	}
}

static unsigned
count_lines(const struct scene *scene, const char *path)
{
	char full[PATH_MAX];
	unsigned lines = 0;
	FILE *file = fopen(host_path(&scene->host, path, full, sizeof(full)), "re");
	int c;

	if (file == NULL)
		return 0;
	while ((c = getc(file)) != EOF)
		lines += c == '\n';
	(void)fclose(file);
	return lines;
}

/* Each service says that it was started, and whether another copy was there: for good, since the
 * flock(1) of one that was killed keeps the lock until it has ended, too. A canary also says which
 * signal it got. */
#define CANARY 2
static void
make_services(struct scene *scene)
{
	static const char once[] = "exec 9>lock\nflock -w 2 9 || echo twice >> doubled\n"
				   "echo $$ >> starts\n";
	static const char traps[] =
	    "for number in 1 2 3 10 12 15 28; do trap \"echo $number >> signals\" $number; done";
	static const char rest[] = "while :; do sleep 1000 & wait $!; done";
	static const char *const names[] = {"web", "other", [CANARY] = "canary"};
	size_t i;

	for (i = 0; i < COUNT(names); i++) {
		host_profile(&scene->host, names[i], "%s\n%s%s", i == CANARY ? traps : "", once,
		    i == CANARY ? rest : "exec sleep 1000");
	}
	host_chown(&scene->host, "web", TENANT);
	host_chown(&scene->host, "other", OTHER_TENANT);
}

static void
assert_never_doubled(const struct scene *scene)
{
	assert_int_equal(count_lines(scene, "web/doubled"), 0);
	assert_int_equal(count_lines(scene, "other/doubled"), 0);
	assert_int_equal(count_lines(scene, "canary/doubled"), 0);
}

/* The supervisor with the false monitor, which begins with three services down. */
static void
begin(struct scene *scene, struct message *web, struct message *other, struct message *canary)
{
	make_services(scene);
	scene->host.before_exec = fault_older_kernel;
	host_start(&scene->host);
	place(scene, UP);
	take_seat(scene);
	learn(scene, "web", web);
	learn(scene, "other", other);
	learn(scene, "canary", canary);
}

static pid_t
start_profile(struct scene *scene, const struct message *about)
{
	say(scene, MESSAGE_START, about, 1);
	return wait_phase(scene, about, PHASE_PROVED);
}

/* It hears from now on. */
static pid_t
start_canary(struct scene *scene, const struct message *canary)
{
	pid_t pid = start_profile(scene, canary);

	wait_until(count_lines(scene, "canary/starts") == 1);
	return pid;
}

/* Ended by the parent, which starts another. */
static void
wait_replaced(struct scene *scene)
{
	process_wait_gone(scene->monitor);
	take_seat(scene);
}

static void
a_second_start_while_a_process_lives_is_refused_however_often(void **state)
{
	static struct incoming incoming;
	const struct message *heard = &incoming.message;
	struct scene *scene = *state;
	struct message web, other, canary;
	pid_t pid;
	int i;

	begin(scene, &web, &other, &canary);
	for (i = 0; i < 3; i++) /* before there is any answer */
		say(scene, MESSAGE_START, &web, (uint32_t)i);
	pid = wait_phase(scene, &web, PHASE_PROVED);
	/* one more, which is not too many for the rate; what would come of it comes before what
	 * comes of the next */
	say(scene, MESSAGE_START, &web, (uint32_t)i);
	say(scene, MESSAGE_START, &other, 1);
	do {
		assert_true(hear(scene, &incoming));
		channel_discard(&incoming);
		if (heard->type == MESSAGE_PROCESS)
			assert_int_equal(heard->index, other.index);
	} while (heard->type != MESSAGE_PROCESS || heard->process.phase != PHASE_PROVED);
	for (i = 0; i < 500; i++)
		say(scene, MESSAGE_START, &web, (uint32_t)i);
	drain(scene);
	assert_true(process_lives(pid));
	wait_until(count_lines(scene, "web/starts") == 1);
	assert_never_doubled(scene);
	assert_true(process_lives(scene->monitor));
}

static long long
now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* How many processes of the profile the parent tells of until it has told all; of the last one is
 * told whether it was refused. */
static unsigned
count_births(struct scene *scene, const struct message *about, pid_t *last, bool *capped)
{
	static const struct message none = {.index = NO_PROFILE};
	static struct incoming incoming;
	const struct process_facts *process = &incoming.message.process;
	unsigned births = 0;

	say(scene, MESSAGE_REOPEN, &none, 0);
	do {
		assert_true(hear(scene, &incoming));
		channel_discard(&incoming);
		if (incoming.message.type != MESSAGE_PROCESS ||
		    incoming.message.index != about->index)
			continue;
		*capped |= process->stage == STAGE_RATE;
		births += process->pid > 0 && process->pid != *last;
		if (process->pid > 0)
			*last = process->pid;
	} while (incoming.message.type != MESSAGE_LOG);
	return births;
}

static void
a_storm_of_starts_is_capped_and_never_doubles_a_process(void **state)
{
	struct scene *scene = *state;
	struct message web, other, canary;
	bool capped = false, was_capped = false;
	unsigned births = 0, i;
	long long from, until;
	pid_t last = 0;

	begin(scene, &web, &other, &canary);
	from = now_ms();
	until = from + SOON;
	for (i = 0; now_ms() < until; i++) {
		say(scene, MESSAGE_START, &web, 1);
		(void)poll(
		    NULL, 0, (int)(i % 4) * 10); /* at the gate, executed, running: all are met */
		births += count_births(scene, &web, &last, &capped);
		say(scene, MESSAGE_SIGNAL, &web, SIGKILL);
		say(scene, MESSAGE_START, &web, 1);
		births += count_births(scene, &web, &last, &capped);
		if (capped && !was_capped)
			until = now_ms() + 3000;
		was_capped = capped;
	}
	assert_in_range(
	    births, 5, STARTS_AT_ONCE + STARTS_PER_SECOND * ((now_ms() - from) / 1000 + 1));
	assert_never_doubled(scene);
	/* and another tenant's profile is started all the same */
	assert_true(process_lives(start_profile(scene, &other)));
	if (!capped)
		skip(); /* this machine has no time for more starts than are permitted */
}

static void
what_else_stands_in_a_request_names_nobody(void **state)
{
	struct scene *scene = *state;
	struct message web, other, canary, request;
	pid_t pid, bird, neighbour;

	begin(scene, &web, &other, &canary);
	bird = start_canary(scene, &canary);
	neighbour = start_profile(scene, &other);
	/* a body full of the canary's pid, which is also a uid, a gid and a flag to whom believes
	 * it
	 */
	peer_fill(&request, MESSAGE_START, web.index, web.generation);
	for (size_t i = 0; i < sizeof(request.fork.groups) / sizeof(request.fork.groups[0]); i++)
		request.fork.groups[i] = (uint32_t)bird;
	request.fork.uid = request.fork.gid = 0;
	request.fork.new_privs = 1;
	assert_true(peer_send(scene->channel, &request, 0));
	pid = wait_phase(scene, &web, PHASE_PROVED);
	assert_int_equal(process_uid(pid), account_uid(TENANT));
	peer_fill(&request, MESSAGE_SIGNAL, web.index, web.generation);
	memset(&request.fork, 0, sizeof(request.fork));
	request.born.pid = bird;
	request.process.pid = bird;
	request.number = SIGTERM;
	assert_true(peer_send(scene->channel, &request, 0));
	(void)wait_phase(scene, &web, PHASE_NONE);
	assert_false(process_lives(pid));
	assert_true(process_lives(bird) && process_lives(neighbour));
	assert_int_equal(count_lines(scene, "canary/signals"), 0);
	assert_never_doubled(scene);
}

static void
a_signal_that_is_not_in_the_fixed_set_ends_the_monitor_and_reaches_nobody(void **state)
{
	static const uint32_t numbers[] = {0, SIGSEGV, 32, 65, UINT32_MAX};
	struct scene *scene = *state;
	struct message web, other, canary;
	pid_t bird;
	size_t i;

	begin(scene, &web, &other, &canary);
	bird = start_canary(scene, &canary);
	for (i = 0; i < COUNT(numbers); i++) {
		say(scene, MESSAGE_SIGNAL, &canary, numbers[i]);
		wait_replaced(scene);
		assert_true(process_lives(bird));
	}
	assert_int_equal(count_lines(scene, "canary/signals"), 0);
	/* one that is in it does arrive: the canary would have told */
	say(scene, MESSAGE_SIGNAL, &canary, SIGHUP);
	wait_until(count_lines(scene, "canary/signals") == 1);
}

static long
memory_of(pid_t pid)
{
	char value[64];

	return strtol(process_status(pid, "VmRSS", value, sizeof(value)), NULL, 10);
}

#define MEMORY_GROWTH_MAX 1024 /* KiB */

/* As fast as it goes, reading what keeps its own queue from being full. */
static void
flood(struct scene *scene, enum message_type type, const struct message *about, unsigned times)
{
	static struct incoming incoming;
	struct message message;
	unsigned i;

	peer_fill(&message, type, about->index, about->generation);
	for (i = 0; i < times; i++) {
		message.file.stream = i % STREAM_COUNT;
		if (type == MESSAGE_KEEP)
			message.number = i % WISH_COUNT;
		assert_true(peer_send(scene->channel, &message, 0));
		while (channel_receive_descriptors(scene->channel, &incoming, unprivileged_valid) ==
		    CHANNEL_DONE) {
			channel_discard(&incoming);
			peer_answer_ping(scene->channel, &incoming.message);
		}
	}
}

static void
a_flood_of_whatever_is_permitted_makes_the_parent_neither_grow_nor_stop(void **state)
{
	static const enum message_type kinds[] = {MESSAGE_NOTE, MESSAGE_OPEN, MESSAGE_ROTATE,
	    MESSAGE_READ, MESSAGE_KEEP, MESSAGE_SETTLE, MESSAGE_FORGET, MESSAGE_START,
	    MESSAGE_SIGNAL};
	const struct message none = {.index = NO_PROFILE};
	struct scene *scene = *state;
	struct message web, other, canary;
	unsigned files;
	long memory;
	pid_t bird;
	size_t i;

	begin(scene, &web, &other, &canary);
	bird = start_canary(scene, &canary);
	(void)start_profile(scene, &web);
	for (i = 0; i < COUNT(kinds); i++) /* once, for what is allocated once */
		flood(scene, kinds[i], &web, 100);
	drain(scene);
	memory = memory_of(scene->host.supervisor);
	files = open_files_of(scene->host.supervisor);
	for (i = 0; i < COUNT(kinds); i++)
		flood(scene, kinds[i], &web,
		    kinds[i] == MESSAGE_KEEP ? 200 : 2000); /* each on the disk */
	flood(scene, MESSAGE_ROTATE, &none, 2000);
	flood(scene, MESSAGE_READ, &none, 2000);
	flood(scene, MESSAGE_PONG, &none, 20000);
	flood(scene, MESSAGE_MARK, &none, 20000);
	flood(scene, MESSAGE_GOODBYE, &none, 2000);
	drain(scene);
	assert_in_range(memory_of(scene->host.supervisor), 1, memory + MEMORY_GROWTH_MAX);
	wait_until(open_files_of(scene->host.supervisor) <= files + 2); /* web may be on its way */
	assert_true(process_lives(scene->monitor) && process_lives(bird));
	assert_int_equal(count_lines(scene, "canary/signals"), 0);
	assert_never_doubled(scene);
	host_leave(&scene->host); /* the parent does what it is told */
	assert_true(process_lives(bird));
}

#define ODD_NAMES 100

/* More reports and orders than it was told of: none is lost by that. */
static void
what_it_says_that_it_was_told_is_no_more_than_it_was(void **state)
{
	static struct incoming incoming;
	const struct message *heard = &incoming.message;
	struct scene *scene = *state;
	struct message web, other, canary, mark;
	char name[64], path[PATH_MAX];
	unsigned i;

	begin(scene, &web, &other, &canary);
	peer_fill(&mark, MESSAGE_MARK, NO_PROFILE, 0);
	mark.mark.reports = ODD_NAMES;
	mark.mark.orders = UINT32_MAX;
	assert_true(peer_send(scene->channel, &mark, 0));
	drain(scene);
	for (i = 0; i < ODD_NAMES; i++) {
		(void)snprintf(name, sizeof(name), "odd name %u", i);
		assert_int_equal(mkdir(host_path(&scene->host, name, path, sizeof(path)), 0755), 0);
		do {
			assert_true(hear(scene, &incoming));
			channel_discard(&incoming);
		} while (heard->type != MESSAGE_REPORT || heard->number != REPORT_SKIPPED_NAME);
		assert_string_equal(heard->report.text, name);
	}
	assert_int_equal(kill(scene->host.supervisor, SIGHUP), 0);
	do {
		assert_true(hear(scene, &incoming));
		channel_discard(&incoming);
	} while (heard->type != MESSAGE_ORDER);
	assert_int_equal(heard->number, ORDER_STOP_ALL);
	assert_int_equal(heard->order.repeated, 0);
}

static void
what_it_is_handed_to_read_is_a_log_and_cannot_be_written_to(void **state)
{
	struct scene *scene = *state;
	struct message web, other, canary;
	static struct incoming incoming;
	char path[256], target[PATH_MAX];
	ssize_t length;
	int file;

	begin(scene, &web, &other, &canary);
	say(scene, MESSAGE_OPEN, &web, 0); /* makes it */
	say(scene, MESSAGE_READ, &web, 0);
	do {
		assert_true(hear(scene, &incoming));
		file = channel_take(&incoming);
		channel_discard(&incoming);
		if (incoming.message.type != MESSAGE_READABLE && file != -1)
			assert_int_equal(close(file), 0);
	} while (incoming.message.type != MESSAGE_READABLE);
	assert_true(file != -1);
	assert_int_equal(fcntl(file, F_GETFL) & O_ACCMODE, O_RDONLY);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	length = readlink(path, target, sizeof(target) - 1);
	assert_true(length > 0);
	target[length] = '\0';
	(void)snprintf(path, sizeof(path), "%s/output/web.log", scene->host.state);
	assert_string_equal(target, path);
	assert_int_equal(close(file), 0);
}

static void
a_monitor_that_never_answers_is_replaced_and_services_stay(void **state)
{
	struct scene *scene = *state;
	struct message web, other, canary;
	long long from;
	pid_t bird;

	begin(scene, &web, &other, &canary);
	bird = start_canary(scene, &canary);
	drain(scene);
	host_write(&scene->host, "web/stop_timeout", 0644, "6\n"); /* work, so a ping */
	from = now_ms();
	while (process_lives(scene->monitor)) {
		assert_true(now_ms() < from + 2 * SOON);
		(void)poll(NULL, 0, 20);
	}
	assert_in_range(now_ms() - from, 9000, 2 * SOON);
	take_seat(scene);
	assert_true(process_lives(bird));
	assert_int_equal(count_lines(scene, "canary/starts"), 1);
}

static void
a_monitor_that_sends_descriptors_is_ended_and_none_is_kept(void **state)
{
	struct scene *scene = *state;
	struct message web, other, canary, note;
	unsigned files, i;
	pid_t bird;

	begin(scene, &web, &other, &canary);
	bird = start_canary(scene, &canary);
	drain(scene);
	files = open_files_of(scene->host.supervisor);
	for (i = 1; i <= 13; i += 6) {
		peer_fill(&note, MESSAGE_NOTE, web.index, web.generation);
		assert_true(peer_send(scene->channel, &note, i));
		wait_replaced(scene);
	}
	drain(scene);
	wait_until(open_files_of(scene->host.supervisor) <= files);
	assert_true(process_lives(bird));
}

/* Before it has greeted, and with a greeting of another build. */
static void
a_monitor_that_asks_before_it_greets_or_is_of_another_build_is_ended(void **state)
{
	static const enum message_type early[] = {
	    MESSAGE_START, MESSAGE_SIGNAL, MESSAGE_NOTE, MESSAGE_FORGET};
	struct scene *scene = *state;
	struct message web, other, canary, message;
	unsigned starts;
	pid_t bird;
	size_t i;

	begin(scene, &web, &other, &canary);
	bird = start_canary(scene, &canary);
	starts = count_lines(scene, "web/starts");
	place(scene, RUDE);
	assert_int_equal(kill(scene->monitor, SIGKILL), 0);
	wait_replaced(scene);
	for (i = 0; i < COUNT(early); i++) {
		peer_fill(&message, early[i], web.index, web.generation);
		assert_true(peer_send(scene->channel, &message, 0));
		wait_replaced(scene);
	}
	peer_fill(&message, MESSAGE_HELLO, NO_PROFILE, 0);
	message.hello.build[0] ^= 1;
	assert_true(peer_send(scene->channel, &message, 0));
	wait_replaced(scene);
	peer_fill(&message, MESSAGE_HELLO, NO_PROFILE, 0);
	message.hello.version[0] ^= 1;
	assert_true(peer_send(scene->channel, &message, 0));
	wait_replaced(scene);
	assert_true(process_lives(bird));
	assert_int_equal(count_lines(scene, "web/starts"), starts);
	assert_int_equal(count_lines(scene, "canary/signals"), 0);
}

/* What it is told to remember, it may lie about: the parent gives it back, and acts on none of it.
 */
static void
what_it_notes_is_given_back_and_decides_nothing(void **state)
{
	static struct incoming incoming;
	struct scene *scene = *state;
	struct message web, other, canary, note, hello;
	pid_t bird;

	begin(scene, &web, &other, &canary);
	bird = start_canary(scene, &canary);
	peer_fill(&note, MESSAGE_NOTE, canary.index, canary.generation);
	memset(&note.note, 0xff, sizeof(note.note));
	note.note.exit_pid = 1;
	assert_true(peer_send(scene->channel, &note, 0));
	drain(scene);
	host_crash(&scene->host); /* what a new parent finds in the ledger */
	leave_seat(scene);
	remove_mark(scene, UP);
	host_start(&scene->host);
	take_seat(scene);
	place(scene, RUDE); /* the next one hears all of it */
	assert_int_equal(kill(scene->monitor, SIGKILL), 0);
	wait_replaced(scene);
	peer_fill(&hello, MESSAGE_HELLO, NO_PROFILE, 0);
	assert_true(peer_send(scene->channel, &hello, 0));
	do {
		assert_true(hear(scene, &incoming));
		channel_discard(&incoming);
	} while (incoming.message.type != MESSAGE_RECALL || incoming.message.index != canary.index);
	assert_memory_equal(&incoming.message.note, &note.note, sizeof(note.note));
	assert_true(process_lives(bird));
	assert_int_equal(count_lines(scene, "canary/signals"), 0);
	learn(scene, "canary", &canary);
	say(scene, MESSAGE_START, &canary, 1); /* it lives: refused */
	drain(scene);
	assert_int_equal(count_lines(scene, "canary/starts"), 1);
}

/* Of the next start of the profile: the phase in which it ended, and at which step. */
static enum stage
try_to_start(struct scene *scene, const struct message *about)
{
	static struct incoming incoming;

	say(scene, MESSAGE_START, about, 1);
	do {
		assert_true(hear(scene, &incoming));
		channel_discard(&incoming);
		if (incoming.message.type == MESSAGE_PROCESS &&
		    incoming.message.index == about->index)
			assert_int_equal(incoming.message.process.phase, PHASE_NONE);
	} while (incoming.message.type != MESSAGE_PROCESS ||
	    incoming.message.index != about->index || incoming.message.process.end == END_NONE);
	assert_int_equal(incoming.message.process.end, END_UNBORN);
	return (enum stage)incoming.message.process.stage;
}

/* Until the parent tells that the profile is refused, or that it has gone. */
static void
wait_refused(struct scene *scene, const struct message *about)
{
	static struct incoming incoming;

	do {
		assert_true(hear(scene, &incoming));
		channel_discard(&incoming);
	} while (incoming.message.type != MESSAGE_PROFILE ||
	    incoming.message.index != about->index ||
	    (incoming.message.profile.refusal == REFUSAL_NONE &&
		incoming.message.profile.gone == 0));
}

/* The true one would not ask. What has gone may stand elsewhere: it is not ours to execute. */
static void
a_start_of_what_is_refused_or_has_gone_executes_nothing(void **state)
{
	struct scene *scene = *state;
	struct message web, other, canary;
	char from[PATH_MAX], to[PATH_MAX];

	begin(scene, &web, &other, &canary);
	host_path(&scene->host, "canary/run", from, sizeof(from));
	assert_int_equal(chmod(from, 0777), 0);
	wait_refused(scene, &canary);
	assert_int_equal(try_to_start(scene, &canary), STAGE_ACCOUNT);
	host_path(&scene->host, "web", from, sizeof(from));
	host_path(&scene->host, ".web", to, sizeof(to));
	assert_int_equal(rename(from, to), 0);
	wait_refused(scene, &web);
	assert_int_equal(try_to_start(scene, &web), STAGE_ACCOUNT);
	drain(scene);
	assert_int_equal(count_lines(scene, "canary/starts"), 0);
	assert_int_equal(count_lines(scene, ".web/starts"), 0);
	/* and the parent is as ready as ever */
	assert_true(process_lives(start_profile(scene, &other)));
}

/* What it asks about a profile and that the profile is to be forgotten come at once: another one
 * has that place before anything is sent. */
static void
the_log_of_a_profile_that_was_forgotten_is_not_that_of_the_next_one(void **state)
{
	static struct incoming incoming;
	const struct message *heard = &incoming.message;
	struct scene *scene = *state;
	struct message web, other, canary, read;
	char from[PATH_MAX], to[PATH_MAX];
	unsigned answers = 0, files = 0;

	begin(scene, &web, &other, &canary);
	(void)snprintf(to, sizeof(to), "%s/output/next.log", scene->host.state);
	assert_int_equal(mknod(to, S_IFREG | 0640, 0), 0);
	assert_int_equal(rename(host_path(&scene->host, "web", from, sizeof(from)),
			     host_path(&scene->host, ".web", to, sizeof(to))),
	    0);
	wait_refused(scene, &web);
	peer_stop(scene->host.supervisor);
	peer_fill(&read, MESSAGE_READ, web.index, web.generation);
	assert_true(peer_send(scene->channel, &read, 0));
	say(scene, MESSAGE_FORGET, &web, 0);
	peer_continue(scene->host.supervisor);
	host_profile(&scene->host, "next", "exec sleep 1000");
	do {
		assert_true(hear(scene, &incoming));
		channel_discard(&incoming);
		assert_int_not_equal(heard->type, MESSAGE_READABLE);
	} while (heard->type != MESSAGE_PROFILE || strcmp(heard->profile.name, "next") != 0);
	assert_int_equal(heard->index, web.index);
	/* its own is handed over, once, though it is asked for twice */
	peer_stop(scene->host.supervisor);
	peer_fill(&read, MESSAGE_READ, heard->index, heard->generation);
	assert_true(peer_send(scene->channel, &read, 0) && peer_send(scene->channel, &read, 0));
	peer_continue(scene->host.supervisor);
	host_write(&scene->host, "next/stop_timeout", 0644, "5\n");
	do {
		assert_true(hear(scene, &incoming));
		answers += heard->type == MESSAGE_READABLE;
		files += heard->type == MESSAGE_READABLE ? incoming.count : 0;
		channel_discard(&incoming);
	} while (heard->type != MESSAGE_PROFILE);
	assert_int_equal(answers, 1);
	assert_int_equal(files, 1);
}

/* SIGHUP: the parent leaves when its own table says that nothing runs, whatever it is told. */
static void
a_goodbye_while_a_service_lives_does_not_make_the_parent_leave(void **state)
{
	static const struct message none = {.index = NO_PROFILE};
	struct scene *scene = *state;
	struct message web, other, canary;
	static struct incoming incoming;
	pid_t bird;
	int status = 0;

	begin(scene, &web, &other, &canary);
	bird = start_canary(scene, &canary);
	assert_int_equal(kill(scene->host.supervisor, SIGHUP), 0);
	do {
		assert_true(hear(scene, &incoming));
		channel_discard(&incoming);
	} while (
	    incoming.message.type != MESSAGE_ORDER || incoming.message.number != ORDER_STOP_ALL);
	say(scene, MESSAGE_GOODBYE, &none, 0);
	drain(scene);
	assert_true(process_lives(bird) && process_lives(scene->monitor));
	say(scene, MESSAGE_SWEEP, &canary, SIGKILL); /* with what it has forked */
	(void)wait_phase(scene, &canary, PHASE_NONE);
	say(scene, MESSAGE_GOODBYE, &none, 0);
	wait_until(waitpid(scene->host.supervisor, &status, WNOHANG) == scene->host.supervisor);
	scene->host.supervisor = 0;
	assert_int_equal(WEXITSTATUS(status), 111);
	assert_false(process_lives(bird));
}

/* The entry is another profile's soon: what was still to be told of the old one must go with it. */
static void
a_profile_that_is_forgotten_while_it_is_told_of_is_told_of_no_more(void **state)
{
	struct scene *scene = *state;
	struct message web, other, canary, fresh;
	unsigned round;

	begin(scene, &web, &other, &canary);
	for (round = 0; round < 5; round++) {
		host_remove(&scene->host, round == 0 ? "web" : "fresh");
		wait_refused(scene, round == 0 ? &web : &fresh);
		/* all of it is heard before anything is told */
		peer_stop(scene->host.supervisor);
		say(scene, MESSAGE_KEEP, round == 0 ? &web : &fresh, WISH_UP);
		say(scene, MESSAGE_OPEN, round == 0 ? &web : &fresh, 0);
		say(scene, MESSAGE_KEEP, &other, WISH_DEFAULT);
		say(scene, MESSAGE_FORGET, round == 0 ? &web : &fresh, 0);
		peer_continue(scene->host.supervisor);
		drain(scene);
		host_profile(&scene->host, "fresh", "exec sleep 1000");
		learn(scene, "fresh", &fresh);
		assert_int_equal(fresh.index, web.index);
		assert_int_equal(fresh.generation, web.generation + round + 1);
	}
	assert_true(process_lives(start_profile(scene, &fresh)));
	assert_true(process_lives(start_profile(scene, &other)));
}

/* Else the next one had two descriptors of a log, and took the size that the file had in the middle
 * of its own write(2) for its end. */
static void
what_a_monitor_that_died_has_asked_for_the_next_is_not_handed(void **state)
{
	struct scene *scene = *state;
	struct message web, other, canary, message;
	static struct incoming incoming;

	begin(scene, &web, &other, &canary);
	place(scene, RUDE);
	peer_stop(scene->host.supervisor);
	say(scene, MESSAGE_OPEN, &web, 0);
	assert_int_equal(kill(scene->monitor, SIGKILL), 0);
	leave_seat(scene); /* nothing can be told any more on the channel that it had */
	peer_continue(scene->host.supervisor);
	wait_replaced(scene);
	peer_fill(&message, MESSAGE_HELLO, NO_PROFILE, 0);
	assert_true(peer_send(scene->channel, &message, 0));
	do {
		assert_true(hear(scene, &incoming));
		channel_discard(&incoming);
		assert_int_not_equal(incoming.message.type, MESSAGE_OUTPUT);
	} while (incoming.message.type != MESSAGE_ORDER);
}

#define HOSTILE_TEST(function)                                                    \
	{                                                                         \
		.name = #function, .test_func = (function), .setup_func = set_up, \
		.teardown_func = tear_down                                        \
	}

int
main(int count, char **arguments)
{
	const struct CMUnitTest tests[] = {
	    HOSTILE_TEST(a_second_start_while_a_process_lives_is_refused_however_often),
	    HOSTILE_TEST(a_storm_of_starts_is_capped_and_never_doubles_a_process),
	    HOSTILE_TEST(what_else_stands_in_a_request_names_nobody),
	    HOSTILE_TEST(a_signal_that_is_not_in_the_fixed_set_ends_the_monitor_and_reaches_nobody),
	    HOSTILE_TEST(a_flood_of_whatever_is_permitted_makes_the_parent_neither_grow_nor_stop),
	    HOSTILE_TEST(what_it_says_that_it_was_told_is_no_more_than_it_was),
	    HOSTILE_TEST(what_it_is_handed_to_read_is_a_log_and_cannot_be_written_to),
	    HOSTILE_TEST(a_monitor_that_never_answers_is_replaced_and_services_stay),
	    HOSTILE_TEST(a_monitor_that_sends_descriptors_is_ended_and_none_is_kept),
	    HOSTILE_TEST(a_monitor_that_asks_before_it_greets_or_is_of_another_build_is_ended),
	    HOSTILE_TEST(what_it_notes_is_given_back_and_decides_nothing),
	    HOSTILE_TEST(a_start_of_what_is_refused_or_has_gone_executes_nothing),
	    HOSTILE_TEST(a_profile_that_is_forgotten_while_it_is_told_of_is_told_of_no_more),
	    HOSTILE_TEST(the_log_of_a_profile_that_was_forgotten_is_not_that_of_the_next_one),
	    HOSTILE_TEST(what_a_monitor_that_died_has_asked_for_the_next_is_not_handed),
	    HOSTILE_TEST(a_goodbye_while_a_service_lives_does_not_make_the_parent_leave),
	};
	const char *name = strrchr(arguments[0], '/');

	if (name != NULL && strcmp(name, "/proclaunch-monitor") == 0)
		be_the_monitor(arguments[0]);
	(void)count;
	true_build = getenv("PROCLAUNCH_BUILD");
	true_build = strdup(true_build == NULL ? "build" : true_build);
	return cmocka_run_group_tests_name("hostile monitor", tests, NULL, NULL);
}
