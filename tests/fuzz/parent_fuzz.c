/*
 * The parent against a monitor, a spawner, children and tenants that do whatever they like. Its
 * table of rules, births, processes, jobs, surveys and the table of profiles are the program's;
 * around them stands a model of the world: who lives, who belongs to which profile, what the ledger
 * says. Whatever comes in, the parent never does to the model what it must not do to a host.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "account.h"
#include "births.h"
#include "cgroup.h"
#include "children.h"
#include "clock.h"
#include "files.h"
#include "inform.h"
#include "input.h"
#include "leave.h"
#include "ledger.h"
#include "outputs.h"
#include "processes.h"
#include "procfs.h"
#include "profiles.h"
#include "requests.h"
#include "reset.h"
#include "rules.h"
#include "session.h"
#include "surveys.h"
#include "tenants.h"
#include "watch.h"
#include "wishes.h"
#include "unprivileged.h"

#define PROFILES    4
#define BEINGS_MAX  32
#define WAITING_MAX 64
#define FIRST_PID   1000
#define FIRST_UID   5000
#define NOBODY	    UINT32_MAX /* of no profile: root's, or another tenant's */

int __wrap_pidfd_open(pid_t pid, unsigned flags);
int __wrap_pidfd_send_signal(int pidfd, int number, siginfo_t *information, unsigned flags);
int __wrap_waitid(idtype_t type, id_t id, siginfo_t *how, int options);
int __wrap_kill(pid_t pid, int number);
pid_t __wrap_getsid(pid_t pid);

/* A process of the model. Its pidfd is the reading end of a pipe, which is known by its inode; the
 * being ends when the writing end is closed. */
struct being {
	uint32_t profile;
	bool serves; /* the profile, and does not just read or survey for us */
	bool gated;  /* it has executed nothing yet */
	bool ended;
	bool reaped;
	ino_t inode;
	int reading;
	int writing;
};

/* What the spawner was asked for, and the child's end of the job. */
struct asked {
	struct message request;
	struct being *being; /* NULL: not born yet */
	int job;	     /* -1: over */
};

static struct being beings[BEINGS_MAX];
static unsigned being_count;
static struct asked waiting[WAITING_MAX];
static unsigned waiting_count;
static int32_t recorded[PROFILES_MAX]; /* the pid in the ledger's record of that index */
static bool cgroups, ledger_fails, account_gone, spawner_full, monitor_full;
/* what the monitor has asked for at this moment, and of whom */
static uint32_t asked_profile;
static int asked_signal;

static pid_t
pid_of(const struct being *being)
{
	return FIRST_PID + (pid_t)(being - beings);
}

static struct being *
being_of(pid_t pid)
{
	return pid >= FIRST_PID && pid < FIRST_PID + (pid_t)being_count ? &beings[pid - FIRST_PID]
									: NULL;
}

static struct being *
being_behind(int pidfd)
{
	struct stat status;
	unsigned i;

	PROPERTY(fstat(pidfd, &status) == 0);
	for (i = 0; i < being_count; i++)
		if (beings[i].inode == status.st_ino)
			return &beings[i];
	return NULL;
}

static struct being *
make_being(uint32_t profile, bool serves, bool gated)
{
	struct being *being;
	struct stat status;
	int ends[2];

	if (being_count == BEINGS_MAX)
		return NULL;
	PROPERTY(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0 && fstat(ends[0], &status) == 0);
	being = &beings[being_count++];
	*being = (struct being){.profile = profile,
	    .serves = serves,
	    .gated = gated,
	    .inode = status.st_ino,
	    .reading = ends[0],
	    .writing = ends[1]};
	return being;
}

static void
end_being(struct being *being)
{
	if (!being->ended)
		(void)close(being->writing);
	being->ended = true;
}

/* What may be in the profile's cgroup, or its session. */
static bool
is_member(const struct being *being, uint32_t profile)
{
	return being->profile == profile && being->serves && !being->ended;
}

static unsigned
members(uint32_t profile)
{
	unsigned i, count = 0;

	for (i = 0; i < being_count; i++)
		count += is_member(&beings[i], profile);
	return count;
}

/* Of the kernel. */

int
__wrap_pidfd_open(pid_t pid, unsigned flags)
{
	struct being *being = being_of(pid);

	PROPERTY(flags == 0);
	errno = ESRCH;
	return being == NULL || being->reaped ? -1 : fcntl(being->reading, F_DUPFD_CLOEXEC, 3);
}

int
__wrap_pidfd_send_signal(int pidfd, int number, siginfo_t *information, unsigned flags)
{
	struct being *being = being_behind(pidfd);

	PROPERTY(being != NULL && information == NULL && flags == 0);
	errno = ESRCH;
	if (number == 0 || being->ended)
		return being->reaped ? -1 : 0;
	PROPERTY(being->profile != NOBODY);
	if (being->serves) /* only what the monitor has just asked for, of whom it was asked */
		PROPERTY(being->profile == asked_profile && number == asked_signal);
	else
		PROPERTY(number == SIGKILL);
	PROPERTY(signal_permitted(number));
	if (number == SIGKILL)
		end_being(being);
	return 0;
}

static void
tell_end(const struct being *being, siginfo_t *how)
{
	how->si_pid = pid_of(being);
	how->si_code = (being->inode & 1) != 0 ? CLD_EXITED : CLD_KILLED;
	how->si_status = (being->inode & 1) != 0 ? 0 : SIGKILL;
}

int
__wrap_waitid(idtype_t type, id_t id, siginfo_t *how, int options)
{
	struct being *being = type == P_PIDFD ? being_behind((int)id)
	    : type == P_PID		      ? being_of((pid_t)id)
					      : NULL;
	unsigned i;

	how->si_pid = 0;
	PROPERTY((options & WNOHANG) != 0);
	for (i = 0; type == P_ALL && being == NULL && i < being_count; i++)
		if (beings[i].ended && !beings[i].reaped && beings[i].profile != NOBODY)
			being = &beings[i];
	if (being == NULL || being->profile == NOBODY || being->reaped) {
		errno = ECHILD;
		return -1;
	}
	if (!being->ended)
		return 0;
	tell_end(being, how);
	if ((options & WNOWAIT) == 0)
		being->reaped = true;
	return 0;
}

int
__wrap_kill(pid_t pid, int number)
{
	(void)pid;
	(void)number;
	PROPERTY(!"a signal is sent by number");
	return -1;
}

pid_t
__wrap_getsid(pid_t pid)
{
	return pid;
}

bool
procfs_stat(pid_t pid, struct procfs_stat *stat)
{
	struct being *being = being_of(pid);

	if (being == NULL || being->reaped)
		return false;
	*stat = (struct procfs_stat){
	    .state = being->ended ? 'Z' : 'S', .parent = 1, .start_ticks = (uint64_t)pid};
	return true;
}

bool
procfs_has_uid(pid_t pid, uid_t uid, bool all)
{
	struct being *being = being_of(pid);

	(void)all;
	return being != NULL && being->profile != NOBODY && being->profile + FIRST_UID == uid;
}

bool
procfs_descends_from_us(pid_t pid)
{
	struct being *being = being_of(pid);

	return being != NULL && being->profile != NOBODY;
}

static uint32_t
index_of(const char *name)
{
	struct profile *profile = table_find(name);

	PROPERTY(profile != NULL);
	return table_index(profile);
}

bool
cgroup_available(void)
{
	return cgroups;
}

int
cgroup_make(const char *profile)
{
	(void)index_of(profile);
	return open("/dev/null", O_RDWR | O_CLOEXEC);
}

bool
cgroup_contains(const char *profile, pid_t pid)
{
	struct being *being = being_of(pid);

	return being != NULL && is_member(being, index_of(profile));
}

bool
cgroup_populated(const char *profile, int *events)
{
	int ends[2];

	if (*events == -1) {
		PROPERTY(pipe2(ends, O_CLOEXEC) == 0);
		(void)close(ends[1]);
		*events = ends[0];
	}
	return members(index_of(profile)) > 0;
}

/* To all of a profile: what the monitor has asked for, about that profile. */
static void
signal_all(uint32_t profile, int number)
{
	unsigned i;

	PROPERTY(profile == asked_profile && number == asked_signal && signal_permitted(number));
	for (i = 0; i < being_count; i++)
		if (is_member(&beings[i], profile) && number == SIGKILL)
			end_being(&beings[i]);
}

void
cgroup_signal(const char *profile, int number)
{
	signal_all(index_of(profile), number);
}

unsigned
session_pin(struct profile *profile)
{
	profile->pin_count = members(table_index(profile));
	return profile->pin_count;
}

bool
session_lives(struct profile *profile)
{
	return session_pin(profile) > 0;
}

void
session_signal(struct profile *profile, int number)
{
	signal_all(table_index(profile), number);
}

void
session_release(struct profile *profile)
{
	profile->pin_count = 0;
}

/* Of the parent: what has effects on files, and what knows the profiles directory. */

int
ledger_write(const struct profile *profile)
{
	errno = ENOSPC;
	if (ledger_fails)
		return -1;
	recorded[table_index(profile)] = profile->pidfd == -1 ? 0 : profile->process.pid;
	return 0;
}

int
wishes_keep(const char *profile, enum wish wish)
{
	(void)index_of(profile);
	PROPERTY(wish < WISH_COUNT);
	errno = EROFS;
	return ledger_fails ? -1 : 0;
}

int
outputs_for_service(struct profile *profile, enum stream stream, uid_t uid)
{
	int *fifo = &profile->fifos[stream];

	PROPERTY(stream < STREAM_COUNT && uid == profile->process.uid);
	if (*fifo == -1) {
		*fifo = open("/dev/null", O_RDWR | O_CLOEXEC);
		profile->streams |= 1U << stream;
		profile->fifos_due |= 1U << stream;
	}
	return *fifo;
}

int
outputs_hold(struct profile *profile, enum stream stream)
{
	return profile->fifos[stream];
}

void
outputs_release(struct profile *profile)
{
	(void)index_of(profile->facts.name);
}

void
outputs_keep(const struct profile *profile)
{
	(void)profile;
}

int
outputs_open_file(const struct profile *profile, struct file_facts *facts, bool read)
{
	(void)read;
	(void)index_of(profile->facts.name);
	PROPERTY(facts->stream < STREAM_COUNT && facts->age <= 1);
	facts->error = ENOENT;
	return -1;
}

void
outputs_rotate(struct profile *profile, const struct file_facts *facts)
{
	(void)index_of(profile->facts.name);
	PROPERTY(facts->stream < STREAM_COUNT && facts->keep <= ROTATE_KEEP_MAX);
}

int
files_control(void)
{
	return -1;
}

int
files_open_log(struct file_facts *facts, bool read)
{
	(void)read;
	PROPERTY(facts->age <= 1);
	facts->error = ENOENT;
	return -1;
}

void
files_rotate_log(unsigned keep)
{
	PROPERTY(keep <= ROTATE_KEEP_MAX);
}

void
leave_when_done(void *subject, struct incoming *incoming)
{
	(void)subject;
	(void)incoming;
}

int
profiles_base(const char *name)
{
	(void)name;
	return STDIN_FILENO;
}

enum refusal
profiles_account(
    const struct profile_facts *facts, const struct content *user, struct account *account)
{
	(void)user;
	memset(account, 0, sizeof(*account));
	strcpy(account->name, "somebody");
	account->uid = account->gid = FIRST_UID + table_index(table_find(facts->name));
	return account_gone ? REFUSAL_NO_ACCOUNT : REFUSAL_NONE;
}

enum refusal
account_by_uid(uid_t uid, struct account *account)
{
	memset(account, 0, sizeof(*account));
	account->uid = account->gid = uid;
	return account_gone ? REFUSAL_NO_ACCOUNT : REFUSAL_NONE;
}

void
profiles_refuse(struct profile *profile, enum setting setting, enum refusal refusal)
{
	profile->facts.refused_setting = setting;
	profile->facts.refusal = refusal;
	inform_tell(profile, TELL_PROFILE);
}

/* Its index is free afterwards: nobody may live who belongs to it. */
void
profiles_forget(struct profile *profile)
{
	unsigned i;

	PROPERTY(profile->process.phase == PHASE_NONE && profile->facts.gone != 0);
	PROPERTY(profile->pidfd == -1);
	for (i = 0; i < being_count; i++)
		PROPERTY(!is_member(&beings[i], table_index(profile)) || beings[i].gated);
	births_stop(profile);
	session_release(profile);
	inform_forget(profile);
	for (i = 0; i < STREAM_COUNT; i++)
		if (profile->fifos[i] != -1)
			PROPERTY(close(profile->fifos[i]) == 0);
	table_remove(profile);
}

void
profiles_take_from(struct draft *draft, const char *tenant, const char *name, uid_t owner,
    const struct message *finding)
{
	(void)draft;
	PROPERTY(strcmp(tenant, "alice") == 0 || tenant[0] == '\0');
	PROPERTY(strlen(name) < PROFILE_NAME_BYTES && owner >= FIRST_UID);
	PROPERTY(message_valid(finding));
}

void
profiles_discard(struct draft *draft)
{
	(void)draft;
}

void
profiles_ownerless(const char *name)
{
	(void)name;
}

void
tenants_begin_survey(const char *tenant)
{
	PROPERTY(strcmp(tenant, "alice/") == 0);
}

void
tenants_surveyed(const char *tenant)
{
	PROPERTY(strcmp(tenant, "alice/") == 0);
}

void
profiles_unread(const char *name, int error)
{
	(void)name;
	(void)error;
}

void
tenants_unsurveyed(const char *tenant, int error)
{
	(void)error;
	PROPERTY(strcmp(tenant, "alice/") == 0);
}

void
watch_look_at(struct profile *profile, int64_t when)
{
	profile->look_at = when;
}

void
watch_await(void *subject, struct incoming *incoming)
{
	struct profile *profile = subject;

	profile->settle = incoming->message.number;
	PROPERTY(table_at(table_index(profile)) == profile);
}

bool
children_are(pid_t pid)
{
	(void)pid;
	return false;
}

void
children_reaped(const siginfo_t *how)
{
	PROPERTY(being_of(how->si_pid) != NULL);
}

void
children_ping_monitor(void)
{
}

bool
children_ready(enum child_kind kind)
{
	return kind == CHILD_MONITOR ? !monitor_full : !spawner_full;
}

void
children_pong(void *subject, struct incoming *incoming)
{
	(void)subject;
	PROPERTY(incoming->message.type == MESSAGE_PONG);
}

void
children_hello(void *subject, struct incoming *incoming)
{
	(void)subject;
	PROPERTY(incoming->message.type == MESSAGE_HELLO);
}

/* The monitor is told what is true of the table, and what its own checks let through. */
static enum channel_result
tell_monitor(const struct message *message, unsigned count)
{
	struct profile *profile = table_at(message->index);

	PROPERTY(unprivileged_valid(message) && count <= 1);
	PROPERTY(message->index == NO_PROFILE ||
	    (profile != NULL && profile->generation == message->generation));
	return monitor_full ? CHANNEL_AGAIN : CHANNEL_DONE;
}

/* A service is asked for only while none of the profile's lives, as the profile's user. */
static void
check_fork(const struct message *request)
{
	const struct profile *profile = table_at(request->index);
	unsigned i;

	if (request->fork.task == TASK_SURVEY) {
		PROPERTY(request->fork.uid >= FIRST_UID);
		return;
	}
	PROPERTY(profile != NULL && profile->generation == request->generation);
	PROPERTY(request->fork.uid == FIRST_UID + request->index);
	PROPERTY(request->fork.gid == FIRST_UID + request->index);
	PROPERTY(request->fork.new_privs == 0);
	if (request->fork.task == TASK_PID_FILE)
		return;
	PROPERTY(profile->process.phase == PHASE_ASKED && profile->pidfd == -1);
	PROPERTY(profile->facts.refusal == REFUSAL_NONE);
	for (i = 0; i < being_count; i++)
		PROPERTY(pid_of(&beings[i]) != profile->process.pid || beings[i].ended);
}

static enum channel_result
ask_spawner(const struct message *message, const int *descriptors, unsigned count)
{
	struct asked *asked = &waiting[waiting_count];

	PROPERTY(message_valid(message) && message->type == MESSAGE_FORK);
	PROPERTY(count == 2 || count == 4 || count == 5);
	if (spawner_full || waiting_count == WAITING_MAX)
		return CHANNEL_AGAIN;
	check_fork(message);
	waiting_count++;
	asked->request = *message;
	asked->being = NULL;
	asked->job = fcntl(descriptors[0], F_DUPFD_CLOEXEC, 3);
	PROPERTY(asked->job != -1);
	return CHANNEL_DONE;
}

enum channel_result
children_send(
    enum child_kind kind, const struct message *message, const int *descriptors, unsigned count)
{
	return kind == CHILD_MONITOR ? tell_monitor(message, count)
				     : ask_spawner(message, descriptors, count);
}

/* The child hears what the parent says; when the parent has hung up it ends at its gate, or goes on
 * with what it executes. */
static void
hear(struct asked *asked)
{
	static struct incoming incoming;
	struct being *being = asked->being;
	enum channel_result result = CHANNEL_DONE;

	while (asked->job != -1 && result != CHANNEL_AGAIN) {
		result = channel_receive_descriptors(asked->job, &incoming, unprivileged_valid);
		PROPERTY(result != CHANNEL_BROKEN);
		if (result == CHANNEL_CLOSED) {
			(void)close(asked->job);
			asked->job = -1;
			if (being != NULL && (being->gated || !being->serves))
				end_being(being);
		} else if (result == CHANNEL_DONE && incoming.message.type == MESSAGE_GO &&
		    being->serves && being->gated) {
			/* it is not forgotten, whatever happens now */
			PROPERTY(recorded[being->profile] == pid_of(being));
			being->gated = false;
		}
	}
}

static void
check_world(void)
{
	struct being *being;
	unsigned i;

	for (i = 0; i < waiting_count; i++)
		hear(&waiting[i]);
	PROFILES_FOREACH(profile) {
		PROPERTY(profile->process.phase < PHASE_COUNT);
		if (profile->pidfd == -1)
			continue;
		being = being_behind(profile->pidfd);
		PROPERTY(being != NULL && being->profile == table_index(profile) && being->serves);
		PROPERTY(pid_of(being) == profile->process.pid);
		PROPERTY(
		    profile->process.phase >= PHASE_BORN && profile->process.phase <= PHASE_PROVED);
	}
	/* a tenant's own entry is nothing that runs, or that the monitor has heard of */
	ENTRIES_FOREACH(entry)
		PROPERTY(!entry->tenant ||
		    (!entry->introduced && entry->pidfd == -1 && entry->tell == 0 &&
			entry->process.phase == PHASE_NONE && entry->note.state == 0));
}

/* What the monitor may ask: once more, and by itself. */
static enum verdict
expected_verdict(const struct message *message, enum acquaintance acquaintance, unsigned attached)
{
	const struct profile *profile = table_at(message->index);
	uint32_t phase = profile == NULL ? PHASE_COUNT : profile->process.phase;
	bool general = message->index == NO_PROFILE || acquaintance == CHILD_NEW, legal;

	if (!general && (profile == NULL || profile->generation != message->generation))
		return RULE_REFUSED;
	switch (message->type) {
	case MESSAGE_HELLO:
		legal = acquaintance == CHILD_NEW;
		break;
	case MESSAGE_PONG:
	case MESSAGE_REOPEN:
	case MESSAGE_MARK:
	case MESSAGE_GOODBYE:
		legal = acquaintance == CHILD_GREETED;
		break;
	case MESSAGE_ROTATE:
	case MESSAGE_READ:
		return attached > 0				? RULE_BROKEN
		    : !general || acquaintance == CHILD_GREETED ? RULE_KEPT
								: RULE_REFUSED;
	case MESSAGE_START:
		legal = phase == PHASE_NONE || phase == PHASE_REST;
		break;
	case MESSAGE_SIGNAL:
		legal = phase >= PHASE_ASKED && phase <= PHASE_PROVED;
		break;
	case MESSAGE_SWEEP:
		legal = phase >= PHASE_BORN && phase <= PHASE_REST;
		break;
	case MESSAGE_FORGET:
		legal = phase == PHASE_NONE;
		break;
	case MESSAGE_NOTE:
	case MESSAGE_OPEN:
	case MESSAGE_KEEP:
	case MESSAGE_SETTLE:
		legal = true;
		break;
	default:
		return RULE_BROKEN;
	}
	switch (message->type) { /* those about no profile, and those about one */
	case MESSAGE_HELLO:
	case MESSAGE_PONG:
	case MESSAGE_REOPEN:
	case MESSAGE_MARK:
	case MESSAGE_GOODBYE:
		if (!general)
			return RULE_BROKEN;
		break;
	default:
		if (general)
			return RULE_BROKEN;
		break;
	}
	return attached > 0 ? RULE_BROKEN : legal ? RULE_KEPT : RULE_REFUSED;
}

static void
monitor_says(struct input *input)
{
	static const enum message_type asked[] = {MESSAGE_START, MESSAGE_START, MESSAGE_SIGNAL,
	    MESSAGE_SIGNAL, MESSAGE_SWEEP, MESSAGE_FORGET, MESSAGE_NOTE, MESSAGE_KEEP,
	    MESSAGE_SETTLE, MESSAGE_OPEN, MESSAGE_ROTATE, MESSAGE_READ, MESSAGE_PONG, MESSAGE_MARK};
	static struct incoming incoming;
	unsigned choice = input_below(input, 64);
	enum acquaintance acquaintance = choice == 63 ? CHILD_NEW : CHILD_GREETED;
	enum message_type type = choice < sizeof(asked) / sizeof(asked[0])
	    ? asked[choice]
	    : (enum message_type)input_below(input, MESSAGE_TYPE_COUNT);
	enum verdict expected;

	input_message(input, &incoming.message, type);
	incoming.count = 0;
	if (input_below(input, 16) == 15)
		incoming.descriptors[incoming.count++] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (!unprivileged_valid(&incoming.message)) {
		channel_discard(&incoming);
		return; /* the channel takes no such message, and still fewer */
	}
	asked_profile = incoming.message.index;
	asked_signal =
	    type == MESSAGE_SIGNAL || type == MESSAGE_SWEEP ? (int)incoming.message.number : -1;
	expected = expected_verdict(&incoming.message, acquaintance, incoming.count);
	PROPERTY(requests_apply(FROM_MONITOR, NULL, acquaintance, &incoming) == expected);
	PROPERTY(incoming.count == 0);
	asked_profile = NOBODY;
	asked_signal = -1;
}

/* The true answer to something that the parent has asked. */
static void
spawner_answers(struct input *input)
{
	static struct incoming incoming;
	unsigned choice = waiting_count == 0 ? 0 : input_below(input, waiting_count);
	struct asked *asked = &waiting[choice];
	bool run = asked->request.fork.task == TASK_RUN;

	if (waiting_count == 0 || asked->being != NULL)
		return;
	message_begin(&incoming.message, MESSAGE_BORN);
	incoming.message.index = asked->request.index;
	incoming.message.generation = asked->request.generation;
	incoming.message.number = asked->request.number;
	incoming.message.born.task = asked->request.fork.task;
	incoming.message.born.error = EAGAIN;
	incoming.message.born.pid = -1;
	incoming.count = 0;
	if (input_below(input, 8) != 7)
		asked->being = make_being(
		    asked->request.fork.task == TASK_SURVEY ? PROFILES_MAX : asked->request.index,
		    run, true);
	if (asked->being != NULL) {
		incoming.message.born.pid = pid_of(asked->being);
		incoming.descriptors[incoming.count++] =
		    fcntl(asked->being->reading, F_DUPFD_CLOEXEC, 3);
	}
	PROPERTY(requests_apply(FROM_SPAWNER, NULL, CHILD_GREETED, &incoming) == RULE_KEPT);
	if (asked->being == NULL) {
		(void)close(asked->job);
		asked->job = -1;
		*asked = waiting[--waiting_count];
	}
}

/* Anything else. A pidfd of a being that it was not asked for is never the spawner's to give: it is
 * root's, and trusted that far. */
static void
spawner_says(struct input *input)
{
	static struct incoming incoming;
	unsigned choice = input_below(input, 4);

	input_message(input, &incoming.message,
	    choice == 0 ? MESSAGE_BORN : (enum message_type)input_below(input, MESSAGE_TYPE_COUNT));
	incoming.count = 0;
	if (incoming.message.type == MESSAGE_BORN)
		incoming.message.number += 1000000; /* of no request */
	if (unprivileged_valid(&incoming.message) && incoming.message.type != MESSAGE_HELLO)
		(void)requests_apply(FROM_SPAWNER, NULL, CHILD_GREETED, &incoming);
}

static void
parent_hears(const struct asked *asked)
{
	switch (asked->request.fork.task) {
	case TASK_RUN:
		births_birth_event(asked->request.index, 0);
		break;
	case TASK_PID_FILE:
		births_reader_event(asked->request.index, 0);
		break;
	default:
		surveys_event(asked->request.index, 0);
		break;
	}
}

/* A child says what its kind says, or anything; or hangs up, by its exec or its death. */
static void
child_acts(struct input *input)
{
	static const enum message_type words[] = {
	    MESSAGE_STAGE, MESSAGE_CLAIM, MESSAGE_PROFILE, MESSAGE_SETTING, MESSAGE_SURVEYED};
	struct asked *asked = &waiting[input_below(input, waiting_count == 0 ? 1 : waiting_count)];
	unsigned choice = input_below(input, 16);
	struct message message;

	if (waiting_count == 0 || asked->job == -1)
		return;
	if (choice == 0) { /* exec, or end */
		(void)close(asked->job);
		asked->job = -1;
		if (asked->being != NULL && (asked->being->gated || !asked->being->serves))
			end_being(asked->being);
	} else {
		input_message(input, &message,
		    choice < 10 ? words[choice % 5]
				: (enum message_type)input_below(input, MESSAGE_TYPE_COUNT));
		if (message.type == MESSAGE_CLAIM && choice < 8) {
			message.claim.verdict = CLAIM_NUMBER;
			message.claim.pid = FIRST_PID + (int32_t)input_below(input, BEINGS_MAX);
		}
		(void)channel_send(asked->job, &message, NULL, 0);
	}
	parent_hears(asked);
}

static void
being_acts(struct input *input)
{
	struct being *being = &beings[input_below(input, BEINGS_MAX) % being_count];

	switch (input_below(input, 4)) {
	case 0: /* forks: a daemon, or something that stays behind */
		if (being->serves && !being->gated && !being->ended)
			(void)make_being(being->profile, true, false);
		break;
	case 1: /* ends, and that is noticed by SIGCHLD or by its pidfd */
		end_being(being);
		(void)processes_reap();
		break;
	case 2:
		end_being(being);
		PROFILES_FOREACH(profile)
			processes_pidfd_event(table_index(profile), 0);
		break;
	default:
		PROFILES_FOREACH(profile)
			processes_rest_event(table_index(profile), 0);
		break;
	}
}

static void
world_changes(struct input *input)
{
	struct profile *profile = table_at(input_below(input, PROFILES));

	switch (input_below(input, 12)) {
	case 0:
		ledger_fails = !ledger_fails;
		break;
	case 1:
		account_gone = !account_gone;
		break;
	case 2:
		spawner_full = !spawner_full;
		break;
	case 3:
		monitor_full = !monitor_full;
		break;
	case 4: /* the spawner dies, and what it had not begun with it */
		births_ask_again();
		break;
	case 5:
		reset_clock += SECOND << input_below(input, 8);
		surveys_tend(clock_now());
		break;
	case 6:
		if (profile != NULL)
			profile->facts.gone = !profile->facts.gone;
		break;
	case 7:
		if (profile != NULL)
			profile->facts.refusal = input_below(input, REFUSAL_COUNT);
		break;
	case 8:
		surveys_request("alice/web", FIRST_UID + 100);
		break;
	case 9:
		if (table_find("alice/") == NULL)
			table_add("alice/")->tenant = true;
		surveys_request("alice/", FIRST_UID + 100);
		break;
	case 10:
		births_hold(input_below(input, 2) == 1);
		break;
	default:
		inform_everything();
		break;
	}
}

static void
make_world(void)
{
	static const char *const names[PROFILES] = {"web", "mail", "alice/web", "alice/mail"};
	struct profile *profile;
	unsigned i;

	being_count = waiting_count = 0;
	memset(recorded, 0, sizeof(recorded));
	ledger_fails = account_gone = spawner_full = monitor_full = false;
	asked_profile = NOBODY;
	asked_signal = -1;
	reset_clock = 1000 * SECOND;
	for (i = 0; i < PROFILES; i++) {
		profile = table_add(names[i]);
		PROPERTY(profile != NULL);
		profile->facts.uid = FIRST_UID + i;
		profile->facts.trigger = 7;
		profile->facts.present = SETTING_BIT(SETTING_RUN);
		if (i % 2 == 0) {
			inform_tell(profile, TELL_PROFILE);
			continue;
		}
		profile->facts.present |= SETTING_BIT(SETTING_PID_FILE);
		profile->contents[SETTING_PID_FILE] = calloc(1, sizeof(struct content) + 4);
		PROPERTY(profile->contents[SETTING_PID_FILE] != NULL);
		profile->contents[SETTING_PID_FILE]->length = 4;
		memcpy(profile->contents[SETTING_PID_FILE]->bytes, "pid", 4);
		inform_tell(profile, TELL_PROFILE);
	}
	(void)make_being(NOBODY, true, false);
}

static void
play(void *context)
{
	struct input *input = context;

	make_world();
	cgroups = input_below(input, 4) != 3;
	while (input->left > 0) {
		switch (input_below(input, 8)) {
		case 0:
		case 1:
			monitor_says(input);
			break;
		case 2:
		case 3:
			spawner_answers(input);
			break;
		case 4:
			child_acts(input);
			break;
		case 5:
			being_acts(input);
			break;
		case 6:
			world_changes(input);
			break;
		default:
			spawner_says(input);
			break;
		}
		births_flush();
		surveys_flush();
		inform_flush();
		check_world();
	}
}

int
LLVMFuzzerInitialize(int *count, char ***arguments)
{
	(void)count;
	(void)arguments;
	loop_open();
	reset_remember(true);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = {.at = bytes, .left = size > 2048 ? 2048 : size};

	PROPERTY(!reset_after(play, &input)); /* nothing of this ends the parent */
	return 0;
}
