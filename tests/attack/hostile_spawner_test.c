/*
 * A spawner that is not itself any more, and children of it that lie: the test speaks in its place,
 * while it is stopped, of births that were not asked for or never were, and says as a survey of a
 * tenant's files what no survey of that tenant's may say. Nothing is taken for a service that is
 * none, and no profile becomes another one.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "accounts.h"
#include "ctl.h"
#include "descriptors.h"
#include "host.h"
#include "peer.h"
#include "unprivileged.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The place of the spawner, and the jobs that it was asked for. */
struct seat {
	pid_t spawner; /* stopped */
	int channel;
	struct message request; /* the last FORK that was heard */
	int job;		/* its first descriptor */
};

static void
take_seat(struct host *host, struct seat *seat)
{
	seat->spawner = host_spawner(host);
	seat->channel = peer_take(seat->spawner, FD_PARENT);
	seat->job = -1;
	peer_stop(seat->spawner);
}

static void
leave_seat(struct seat *seat)
{
	assert_int_equal(close(seat->channel), 0);
	peer_continue(seat->spawner);
}

/* The next birth that is asked for. */
static void
hear_fork(struct seat *seat)
{
	static struct incoming incoming;

	for (;;) {
		assert_true(peer_receive(seat->channel, &incoming));
		if (incoming.message.type == MESSAGE_FORK)
			break;
		peer_answer_ping(seat->channel, &incoming.message);
	}
	seat->request = incoming.message;
	while (incoming.count > 1)
		assert_int_equal(close(channel_take(&incoming)), 0);
	seat->job = channel_take(&incoming);
}

/* A process of the test's that stands for the child, and its pidfd. */
static pid_t
make_child(int *pidfd)
{
	pid_t child = fork();

	assert_true(child != -1);
	if (child == 0)
		for (;;)
			(void)pause();
	*pidfd = pidfd_open(child, 0);
	assert_true(*pidfd != -1);
	return child;
}

static bool
has_ended(int pidfd)
{
	struct pollfd end = {.fd = pidfd, .events = POLLIN};

	return poll(&end, 1, 0) == 1;
}

static void
end_child(pid_t child, int pidfd)
{
	(void)kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(close(pidfd), 0);
}

/* Answers what was heard last; off by so much in what names the request. */
static void
answer(const struct seat *seat, pid_t pid, int pidfd, uint32_t generation, uint32_t number)
{
	struct message born;

	message_begin(&born, MESSAGE_BORN);
	born.index = seat->request.index;
	born.generation = seat->request.generation + generation;
	born.number = seat->request.number + number;
	born.born.task = seat->request.fork.task;
	born.born.pid = pid;
	born.born.error = pid == -1 ? EAGAIN : 0;
	assert_int_equal(
	    channel_send(seat->channel, &born, &pidfd, pidfd == -1 ? 0 : 1), CHANNEL_DONE);
}

static void
ask_for(struct host *host, const char *name)
{
	struct outcome outcome;

	assert_int_equal(ctl(host, &outcome, "start", "--no-wait", name, NULL), CTL_DONE);
}

/* In the spawner's place, which is asked for `web`. */
static void
hear_of_web(struct host *host, struct seat *seat)
{
	host_profile(host, "web", "exec sleep 1000");
	host_write(host, "web/down", 0644, "%s", "");
	host_start(host);
	host_settle(host);
	take_seat(host, seat);
	ask_for(host, "web");
	hear_fork(seat);
}

static void
assert_not_taken_for(struct host *host, const char *name)
{
	host_settle(host);
	assert_int_equal(host_count_log(host, " %s (running|died|stopping)", name), 0);
}

static void
a_birth_that_answers_another_request_is_none(void **state)
{
	struct host *host = *state;
	struct seat seat;
	pid_t child;
	char gate;
	int pidfd;

	hear_of_web(host, &seat);
	child = make_child(&pidfd);
	answer(&seat, child, pidfd, 1, 0);
	answer(&seat, child, pidfd, UINT32_MAX, 0);
	answer(&seat, child, pidfd, 0, 1);
	answer(&seat, child, pidfd, 0, UINT32_MAX);
	assert_not_taken_for(host, "web");
	assert_int_equal(recv(seat.job, &gate, 1, MSG_DONTWAIT), -1); /* which stays shut */
	assert_int_equal(errno, EAGAIN);
	assert_false(has_ended(pidfd)); /* it is nobody's */
	/* the one that was meant, and that there is none */
	answer(&seat, -1, -1, 0, 0);
	host_wait_log(host, " WARN  web cannot start: .*: Resource temporarily unavailable$");
	end_child(child, pidfd);
	assert_int_equal(close(seat.job), 0);
	leave_seat(&seat);
	ask_for(host, "web"); /* and it is as startable as ever */
	(void)host_wait_running(host, "web");
	host_stop_all(host);
}

/* The gate was not opened to it: it has not become the service, whatever it is. */
static void
a_child_that_has_hung_up_before_its_birth_is_told_is_no_service(void **state)
{
	struct host *host = *state;
	struct seat seat;
	int pidfd;
	pid_t child;

	hear_of_web(host, &seat);
	assert_int_equal(close(seat.job), 0);
	host_settle(host); /* the parent has seen it */
	child = make_child(&pidfd);
	answer(&seat, child, pidfd, 0, 0);
	assert_not_taken_for(host, "web");
	host_crash(host); /* the child is not the supervisor's, who waits for its end */
	end_child(child, pidfd);
	assert_int_equal(close(seat.channel), 0);
	host_mark_log(host);
	host_start(host);
	host_settle(host);
	host_stop_all(host);
}

/* Whatever it says before it is known to be born, but for the step that has failed, keeps its gate
 * shut. */
static void
a_child_that_breaks_the_protocol_before_its_birth_is_told_is_no_service(void **state)
{
	struct host *host = *state;
	struct message ping;
	struct seat seat;
	int pidfd;
	pid_t child;

	hear_of_web(host, &seat);
	peer_fill(&ping, MESSAGE_PING, NO_PROFILE, 0);
	assert_true(peer_send(seat.job, &ping, 0));
	host_wait_log(host, " WARN  web cannot start: .*: Protocol error$");
	child = make_child(&pidfd);
	answer(&seat, child, pidfd, 0, 0);
	assert_not_taken_for(host, "web");
	end_child(child, pidfd);
	assert_int_equal(close(seat.job), 0);
	leave_seat(&seat);
	ask_for(host, "web");
	(void)host_wait_running(host, "web");
	host_stop_all(host);
}

/* What a survey of the tenant's profile `mine` may not say of a profile. */
static const struct lie {
	const char *name;
	const char *owner; /* NULL: root */
} lies[] = {
    {"mine", NULL},
    {"mine", OTHER_TENANT},
    {"web", TENANT},
    {"web", NULL},
    {"new", TENANT},
    {"../mine", TENANT},
    {"mine/", TENANT},
    {"", TENANT},
    {OTHER_TENANT "/theirs", TENANT},
};

static void
say_profile(int job, const char *name, const char *owner)
{
	struct message profile;

	peer_fill(&profile, MESSAGE_PROFILE, NO_PROFILE, 0);
	(void)snprintf(profile.profile.name, sizeof(profile.profile.name), "%s", name);
	profile.profile.owner = owner == NULL ? 0 : account_uid(owner);
	profile.profile.trigger = 4711; /* another than it has: it would be restarted */
	assert_true(peer_send(job, &profile, 0));
}

static void
what_a_survey_says_of_other_profiles_or_owners_is_not_believed(void **state)
{
	struct host *host = *state;
	struct incoming incoming;
	struct outcome outcome;
	struct message end;
	struct seat seat;
	pid_t child, web, mine;
	int pidfd;
	size_t i;

	host_profile(host, "web", "exec sleep 1000");
	host_profile(host, "mine", "exec sleep 1000");
	host_write(host, "mine/README", 0644, "%s", "");
	host_chown(host, "mine", TENANT);
	host_start(host);
	web = host_wait_running(host, "web");
	mine = host_wait_running(host, "mine");
	host_settle(host);
	host_mark_log(host);
	take_seat(host, &seat);
	host_remove(host, "mine/README"); /* one event, and so one look */
	hear_fork(&seat);
	assert_int_equal(seat.request.fork.task, TASK_SURVEY);
	assert_int_equal(seat.request.fork.uid, account_uid(TENANT));
	assert_string_equal(seat.request.fork.name, "mine");
	child = make_child(&pidfd);
	answer(&seat, child, pidfd, 0, 0);
	for (i = 0; i < COUNT(lies); i++)
		say_profile(seat.job, lies[i].name, lies[i].owner);
	peer_fill(&end, MESSAGE_SURVEYED, NO_PROFILE, 0);
	assert_true(peer_send(seat.job, &end, 0));
	wait_until(has_ended(pidfd)); /* the survey is over: who made it is not needed any more */
	end_child(child, pidfd);
	assert_int_equal(close(seat.job), 0);
	host_settle(host);
	/* what it had taken for news it would look at a second time */
	while (channel_receive_descriptors(seat.channel, &incoming, unprivileged_valid) ==
	    CHANNEL_DONE) {
		assert_int_not_equal(incoming.message.type, MESSAGE_FORK);
		channel_discard(&incoming);
	}
	assert_int_equal(host_count_log(host, " (mine|web|new|%s/.*) ", OTHER_TENANT), 0);
	assert_true(process_lives(web) && process_lives(mine));
	assert_int_equal(process_uid(web), 0);
	assert_int_equal(process_uid(mine), account_uid(TENANT));
	leave_seat(&seat);
	assert_int_equal(ctl(host, &outcome, "list", "--no-header", "-o", "name", NULL), CTL_DONE);
	assert_string_equal(outcome.output, "mine\nweb\n");
	/* what a true one says is heard */
	host_touch(host, "mine/run");
	host_wait_log(host, " INFO  mine changed. Restarting.$");
	host_stop_all(host);
}

/* It has said all, and whoever has made it is seen to end. */
static void
finish_survey(struct seat *seat, pid_t child, int pidfd)
{
	struct message end;

	peer_fill(&end, MESSAGE_SURVEYED, NO_PROFILE, 0);
	assert_true(peer_send(seat->job, &end, 0));
	wait_until(has_ended(pidfd));
	end_child(child, pidfd);
	assert_int_equal(close(seat->job), 0);
}

/* A survey of `mine` in the spawner's place, by which it has a quota. */
static void
survey_with_quota(struct seat *seat, const struct quota *quota)
{
	struct message finding;
	pid_t child;
	int pidfd;

	hear_fork(seat);
	assert_int_equal(seat->request.fork.task, TASK_SURVEY);
	assert_string_equal(seat->request.fork.name, "mine");
	child = make_child(&pidfd);
	answer(seat, child, pidfd, 0, 0);
	peer_fill(&finding, MESSAGE_PROFILE, NO_PROFILE, 0);
	(void)strcpy(finding.profile.name, "mine");
	finding.profile.owner = account_uid(TENANT);
	finding.profile.trigger = 4711;
	finding.profile.present = SETTING_BIT(SETTING_RUN);
	finding.profile.quota = *quota;
	assert_true(peer_send(seat->job, &finding, 0));
	finish_survey(seat, child, pidfd);
}

/* That is root's to say: by his own word he would have as many connections as he likes, and a share
 * of no profiles is what the monitor cannot compute. */
static void
what_a_survey_says_of_a_quota_is_not_believed(void **state)
{
	const struct quota quota = {.output_bytes = 1};
	struct host *host = *state;
	struct seat seat;
	pid_t monitor;

	host_profile(host, "mine", "exec sleep 1000");
	host_write(host, "mine/README", 0644, "%s", "");
	host_chown(host, "mine", TENANT);
	host_start(host);
	(void)host_wait_running(host, "mine");
	host_settle(host);
	host_mark_log(host);
	monitor = host_monitor(host);
	take_seat(host, &seat);
	host_remove(host, "mine/README"); /* one event: another would void the look */
	survey_with_quota(&seat, &quota);
	survey_with_quota(&seat, &quota); /* twice the same: it is told */
	leave_seat(&seat);
	host_wait_log(host, " INFO  mine changed. Restarting.$");
	assert_int_equal(host_count_log(host, " ProcLaunch monitor "), 0);
	assert_int_equal(host_monitor(host), monitor);
	host_stop_all(host);
}

/* The next survey of `mine` is asked for, and begins. */
static pid_t
begin_survey(struct seat *seat, int *pidfd)
{
	pid_t child;

	hear_fork(seat);
	assert_int_equal(seat->request.fork.task, TASK_SURVEY);
	child = make_child(pidfd);
	answer(seat, child, *pidfd, 0, 0);
	return child;
}

static void
end_survey(struct seat *seat, pid_t child, int pidfd)
{
	say_profile(seat->job, "mine", TENANT);
	finish_survey(seat, child, pidfd);
}

/* The next message of this type that the monitor is told. */
static void
hear_as_monitor(int channel, enum message_type type, struct incoming *incoming)
{
	do {
		assert_true(peer_receive(channel, incoming));
		peer_answer_ping(channel, &incoming->message);
		channel_discard(incoming);
	} while (incoming->message.type != type);
}

/* What had been edited after the survey looked, and before the command, did not count for it. */
static void
a_command_waits_for_a_survey_that_begins_after_it(void **state)
{
	struct host *host = *state;
	static struct incoming incoming;
	struct message message;
	struct seat seat;
	pid_t child, monitor;
	int pidfd, channel;

	host_profile(host, "mine", "exec sleep 1000");
	host_write(host, "mine/README", 0644, "%s", "");
	host_chown(host, "mine", TENANT);
	host_start(host);
	(void)host_wait_running(host, "mine");
	host_settle(host);
	take_seat(host, &seat);
	monitor = host_monitor(host);
	channel = peer_take(monitor, FD_PARENT);
	peer_stop(monitor);
	host_remove(host, "mine/README"); /* one event, and so one look */
	child = begin_survey(&seat, &pidfd);
	end_survey(&seat, child, pidfd);
	child = begin_survey(&seat, &pidfd); /* twice the same: it is still */
	peer_fill(&message, MESSAGE_SETTLE, 0, 1);
	message.number = 7;
	assert_true(peer_send(channel, &message, 0));
	peer_fill(&message, MESSAGE_MARK, NO_PROFILE, 0);
	assert_true(peer_send(channel, &message, 0));
	hear_as_monitor(channel, MESSAGE_MARK, &incoming); /* it has been heard */
	end_survey(&seat, child, pidfd);
	child = begin_survey(&seat, &pidfd); /* another one */
	end_survey(&seat, child, pidfd);
	hear_as_monitor(channel, MESSAGE_SETTLED, &incoming);
	assert_int_equal(incoming.message.number, 7);
	leave_seat(&seat);
	assert_int_equal(kill(monitor, SIGKILL), 0); /* what it was told is lost */
	assert_int_equal(close(channel), 0);
	host_stop_all(host);
}

/* A survey of all that a tenant has may name any profile of his; but from the names the parent
 * makes those of files of root's. */
static void
what_a_survey_calls_a_profile_by_no_name_is_not_believed(void **state)
{
	static const char *const names[] = {
	    "", ".", "..", ".mine", "-mine", "mi ne", "mine/", "/mine", "../mine", "mine/../../x"};
	struct host *host = *state;
	char option[PATH_MAX], path[PATH_MAX];
	struct outcome outcome;
	struct message end;
	struct seat seat;
	pid_t child;
	int pidfd;
	size_t i;

	assert_int_equal(mkdir(host_path(host, "../tenants", path, sizeof(path)), 0755), 0);
	assert_int_equal(mkdir(host_path(host, "../tenants/" TENANT, path, sizeof(path)), 0755), 0);
	host_chown(host, "../tenants/" TENANT, TENANT);
	(void)snprintf(option, sizeof(option), "--tenants=%s/tenants", host->root);
	host_start_with(host, option, NULL);
	take_seat(host, &seat);
	/* one event: with two it would be looked at twice */
	assert_int_equal(mknod(host_path(host, "../tenants/" TENANT "/README", path, sizeof(path)),
			     S_IFREG | 0644, 0),
	    0);
	hear_fork(&seat);
	assert_int_equal(seat.request.fork.task, TASK_SURVEY);
	assert_string_equal(seat.request.fork.where, TENANT);
	assert_string_equal(seat.request.fork.name, "");
	child = make_child(&pidfd);
	answer(&seat, child, pidfd, 0, 0);
	for (i = 0; i < COUNT(names); i++)
		say_profile(seat.job, names[i], TENANT);
	say_profile(seat.job, "mine", TENANT);
	peer_fill(&end, MESSAGE_SURVEYED, NO_PROFILE, 0);
	assert_true(peer_send(seat.job, &end, 0));
	wait_until(has_ended(pidfd));
	end_child(child, pidfd);
	assert_int_equal(close(seat.job), 0);
	/* what it takes for news it looks at a second time */
	hear_fork(&seat);
	assert_string_equal(seat.request.fork.name, "mine");
	assert_int_equal(close(seat.job), 0);
	leave_seat(&seat);
	host_settle(host);
	assert_int_equal(ctl(host, &outcome, "list", "--no-header", "-o", "name", NULL), CTL_DONE);
	assert_string_equal(outcome.output, "");
	host_stop_all(host);
}

/* It hangs in a file of its tenant's, or its tenant, as whom it runs, has stopped it. */
static void
a_survey_that_takes_ten_seconds_is_given_up_and_others_have_their_turn(void **state)
{
	struct host *host = *state;
	struct seat seat;
	pid_t child, mine;
	int pidfd;

	host_profile(host, "mine", "exec sleep 1000");
	host_chown(host, "mine", TENANT);
	host_profile(host, "second", "exec sleep 1000");
	host_chown(host, "second", TENANT);
	host_profile(host, "theirs", "exec sleep 1000");
	host_chown(host, "theirs", OTHER_TENANT);
	host_start(host);
	mine = host_wait_running(host, "mine");
	(void)host_wait_running(host, "second");
	(void)host_wait_running(host, "theirs");
	host_settle(host);
	host_mark_log(host);
	take_seat(host, &seat);
	host_write(host, "mine/README", 0644, "%s", "");
	hear_fork(&seat);
	child = make_child(&pidfd);
	answer(&seat, child, pidfd, 0, 0);
	leave_seat(&seat); /* the spawner itself is well */
	host_touch(host, "theirs/run");
	host_wait_log(host, " INFO  theirs changed. Restarting.$");
	assert_false(has_ended(pidfd));
	host_wait_log_within(host, 2 * SOON, " WARN  ProcLaunch cannot read mine: ");
	wait_until(has_ended(pidfd));
	end_child(child, pidfd);
	assert_int_equal(close(seat.job), 0);
	assert_true(process_lives(mine));
	host_touch(host, "second/run");
	host_wait_log(host, " INFO  second changed. Restarting.$");
	assert_int_equal(host_count_log(host, " mine "), 0);
	host_stop_all(host);
}

/* Not born, or dead before it was told what to look at: neither says anything of the profile. */
static void
a_survey_that_never_looked_changes_nothing(void **state)
{
	struct host *host = *state;
	struct deadline deadline;
	struct seat seat;
	pid_t child, mine;
	int pidfd;

	host_profile(host, "mine", "exec sleep 1000");
	host_chown(host, "mine", TENANT);
	host_start(host);
	mine = host_wait_running(host, "mine");
	host_settle(host);
	host_mark_log(host);
	take_seat(host, &seat);
	deadline = deadline_in(SOON / 2); /* long before it would be given up */
	host_write(host, "mine/README", 0644, "%s", "");
	hear_fork(&seat);
	answer(&seat, -1, -1, 0, 0);
	host_wait_log(
	    host, " WARN  ProcLaunch cannot read mine: Resource temporarily unavailable$");
	assert_int_equal(close(seat.job), 0);
	host_touch(host, "mine/README");
	hear_fork(&seat);
	assert_int_equal(close(seat.job), 0);
	host_settle(host); /* the parent has seen it */
	child = make_child(&pidfd);
	answer(&seat, child, pidfd, 0, 0);
	wait_until(has_ended(pidfd));
	end_child(child, pidfd);
	assert_true(deadline_left(&deadline) > 0);
	/* the one that a spawner takes with it is made by the next */
	host_touch(host, "mine/run");
	hear_fork(&seat);
	assert_int_equal(host_count_log(host, " mine (refused|changed|died|disappeared)"), 0);
	assert_true(process_lives(mine));
	assert_int_equal(kill(seat.spawner, SIGKILL), 0);
	assert_int_equal(close(seat.channel) | close(seat.job), 0);
	host_wait_log(host, " INFO  mine changed. Restarting.$");
	host_stop_all(host);
}

/* The child that reads a pid file: not the spawner, and not executed anything. 0: there is none. */
static pid_t
find_reader(struct host *host)
{
	char name[64], list[4096], called[32], *rest;
	pid_t spawner = host_spawner(host), pid;

	(void)snprintf(name, sizeof(name), "task/%d/children", host->supervisor);
	(void)read_proc(host->supervisor, name, list, sizeof(list));
	for (rest = list; (pid = (pid_t)strtol(rest, &rest, 10)) > 0;)
		if (pid != spawner && read_proc(pid, "comm", called, sizeof(called)) > 0 &&
		    strcmp(called, "proclaunch-spaw\n") == 0) /* as much as the kernel keeps */
			return pid;
	return 0;
}

/* A daemon that somebody else names in the pid file, which is read meanwhile. */
static pid_t
start_daemon(struct host *host, const char *pid_file, pid_t *reader)
{
	char path[PATH_MAX];
	pid_t daemon;

	host_profile(host, "daemon",
	    "(exec sleep 1000) > /dev/null 2>&1 < /dev/null &\n"
	    "echo $! > child; exit 0");
	host_write(host, "daemon/pid_file", 0644, "%s\n", pid_file);
	host_start(host);
	daemon = wait_for_pid_file(host_path(host, "daemon/child", path, sizeof(path)));
	host_settle(host);
	wait_until((*reader = find_reader(host)) != 0);
	return daemon;
}

/* By the kernel for want of memory, or because somebody took it for the spawner. */
static void
a_reader_that_is_killed_is_replaced(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX];
	pid_t daemon, reader;

	(void)snprintf(path, sizeof(path), "%s/pid", host->root); /* nobody else looks there */
	daemon = start_daemon(host, path, &reader);
	assert_int_equal(kill(reader, SIGKILL), 0);
	process_wait_gone(reader);
	host_write(host, "../pid", 0644, "%d\n", daemon);
	assert_int_equal(host_wait_running(host, "daemon"), daemon);
	host_stop_all(host);
}

/* In the spawner's place, until another reader of the daemon's pid file is asked for. */
static void
hear_for_next_reader(struct host *host, struct seat *seat, pid_t reader)
{
	take_seat(host, seat);
	assert_int_equal(kill(reader, SIGKILL), 0);
	process_wait_gone(reader);
	host_write(host, "daemon/stop_timeout", 0644, "5\n"); /* leaves the process alone */
	hear_fork(seat);
	assert_int_equal(seat->request.fork.task, TASK_PID_FILE);
}

/* The pid file is read by somebody all the same. */
static void
a_reader_that_is_not_born_is_asked_for_again(void **state)
{
	struct host *host = *state;
	struct seat seat;
	pid_t daemon, child, reader;
	int pidfd;

	daemon = start_daemon(host, "pid", &reader);
	hear_for_next_reader(host, &seat, reader);
	host_settle(host); /* or the next look at the profile would ask */
	answer(&seat, -1, -1, 0, 0);
	assert_int_equal(close(seat.job), 0);
	/* one that is dead before it is told of */
	hear_fork(&seat); /* by itself */
	assert_int_equal(seat.request.fork.task, TASK_PID_FILE);
	assert_int_equal(close(seat.job), 0);
	host_settle(host); /* the parent has seen it */
	child = make_child(&pidfd);
	answer(&seat, child, pidfd, 0, 0);
	wait_until(has_ended(pidfd));
	end_child(child, pidfd);
	/* and one that the spawner had not come to when it died: its end of the job went with it */
	host_write(host, "daemon/stop_timeout", 0644, "7\n");
	host_settle(host);
	assert_int_equal(close(seat.channel), 0);
	assert_int_equal(kill(seat.spawner, SIGKILL), 0);
	host_write(host, "daemon/pid", 0644, "%d\n", daemon);
	assert_int_equal(host_wait_running(host, "daemon"), daemon);
	host_stop_all(host);
}

/* Kills the spawner whose seat it is, and waits until another one serves. */
static void
replace_spawner(struct host *host, const struct seat *seat)
{
	char value[64], all[64];
	pid_t spawner;

	(void)process_status(getpid(), "CapEff", all, sizeof(all));
	assert_int_equal(close(seat->job) | close(seat->channel), 0);
	assert_int_equal(kill(seat->spawner, SIGKILL), 0);
	wait_until((spawner = host_spawner(host)) > 0 && spawner != seat->spawner &&
	    strcmp(process_status(spawner, "CapEff", value, sizeof(value)), all) != 0);
	host_wait_told(host, "marker"); /* who was asked for is there by now */
}

static void
make_marker(struct host *host)
{
	host_profile(host, "marker", "exec sleep 1000");
	host_write(host, "marker/down", 0644, "%s", "");
}

/* The spawner has died before it came to the start, and others may write to `run` by the time that
 * it is asked for again; the monitor does not know yet. */
static void
a_start_that_is_asked_for_again_is_none_when_the_profile_is_refused_by_then(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX];
	struct seat seat;
	pid_t monitor;

	make_marker(host);
	hear_of_web(host, &seat);
	monitor = host_monitor(host);
	peer_stop(monitor);
	assert_int_equal(chmod(host_path(host, "web/run", path, sizeof(path)), 0777), 0);
	host_wait_told(host, "marker");
	replace_spawner(host, &seat);
	peer_continue(monitor);
	host_wait_log(host, " WARN  web refused: run: ");
	host_settle(host);
	assert_int_equal(host_count_log(host, " web running "), 0);
	host_stop_all(host);
}

/* What has gone is nobody's, which is not to say that it is root's. */
static void
a_start_that_is_asked_for_again_is_none_when_the_profile_has_gone_by_then(void **state)
{
	struct host *host = *state;
	char from[PATH_MAX], to[PATH_MAX], fifo[PATH_MAX];
	struct stat status;
	struct seat seat;
	pid_t monitor;

	make_marker(host);
	host_profile(host, "web", "exec sleep 1000");
	host_write(host, "web/down", 0644, "%s", "");
	host_chown(host, "web", TENANT);
	host_start(host);
	host_settle(host);
	take_seat(host, &seat);
	ask_for(host, "web");
	do /* its files are looked at first, for a second at most */
		hear_fork(&seat);
	while (seat.request.fork.task != TASK_RUN);
	monitor = host_monitor(host);
	peer_stop(monitor);
	assert_int_equal(rename(host_path(host, "web", from, sizeof(from)),
			     host_path(host, ".web", to, sizeof(to))),
	    0);
	host_wait_told(host, "marker");
	replace_spawner(host, &seat);
	(void)snprintf(fifo, sizeof(fifo), "%s/fifo/web.out", host->state);
	assert_int_equal(stat(fifo, &status), 0);
	assert_int_equal(status.st_uid, account_uid(TENANT));
	peer_continue(monitor);
	host_wait_log(host, " web disappeared");
	host_settle(host);
	assert_int_equal(host_count_log(host, " web (running|cannot start: directory)"), 0);
	host_stop_all(host);
}

/* The spawner has died before it came to the reader, and the account has gone by the time that it
 * is asked for again: nobody reads as whoever has that uid now. */
static void
no_reader_is_born_as_an_account_that_has_gone(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX];
	struct seat seat;
	pid_t reader, monitor;

	accounts_begin(host);
	make_marker(host);
	accounts_set("newcomer", 4242);
	host_profile(host, "daemon",
	    "(exec sleep 1000) > /dev/null 2>&1 < /dev/null &\n"
	    "echo $! > out/child");
	assert_int_equal(mkdir(host_path(host, "daemon/out", path, sizeof(path)), 0755), 0);
	host_give(host, "daemon/out", 4242);
	host_write(host, "daemon/pid_file", 0644, "pid\n");
	host_write(host, "daemon/user", 0644, "newcomer\n");
	host_start(host);
	(void)wait_for_pid_file(host_path(host, "daemon/out/child", path, sizeof(path)));
	wait_until((reader = find_reader(host)) != 0);
	hear_for_next_reader(host, &seat, reader);
	host_settle(host);
	accounts_remove_silently(host, "newcomer");
	monitor = host_monitor(host);
	peer_stop(monitor); /* or it would have the service ended, and a reader with it */
	replace_spawner(host, &seat);
	assert_int_equal(find_reader(host), 0);
	peer_continue(monitor);
	host_wait_log(host, " WARN  daemon refused: user: must name an existing account");
	host_stop_all(host);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROOT_TEST(a_birth_that_answers_another_request_is_none),
	    ROOT_TEST(a_child_that_has_hung_up_before_its_birth_is_told_is_no_service),
	    ROOT_TEST(a_child_that_breaks_the_protocol_before_its_birth_is_told_is_no_service),
	    ROOT_TEST(what_a_survey_says_of_other_profiles_or_owners_is_not_believed),
	    ROOT_TEST(what_a_survey_says_of_a_quota_is_not_believed),
	    ROOT_TEST(what_a_survey_calls_a_profile_by_no_name_is_not_believed),
	    ROOT_TEST(a_command_waits_for_a_survey_that_begins_after_it),
	    ROOT_TEST(a_survey_that_never_looked_changes_nothing),
	    ROOT_TEST(a_reader_that_is_killed_is_replaced),
	    ROOT_TEST(a_reader_that_is_not_born_is_asked_for_again),
	    ROOT_TEST(no_reader_is_born_as_an_account_that_has_gone),
	    ROOT_TEST(a_start_that_is_asked_for_again_is_none_when_the_profile_is_refused_by_then),
	    ROOT_TEST(a_start_that_is_asked_for_again_is_none_when_the_profile_has_gone_by_then),
	    ROOT_TEST(a_survey_that_takes_ten_seconds_is_given_up_and_others_have_their_turn),
	};

	return cmocka_run_group_tests_name("hostile spawner", tests, NULL, NULL);
}
