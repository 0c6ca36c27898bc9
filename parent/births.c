#include <sys/epoll.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "account.h"
#include "births.h"
#include "cgroup.h"
#include "children.h"
#include "clock.h"
#include "inform.h"
#include "ledger.h"
#include "outputs.h"
#include "sources.h"
#include "processes.h"
#include "procfs.h"
#include "profiles.h"
#include "rules.h"
#include "surveys.h"
#include "watch.h"

/* However fast a monitor asks, a profile is started so often at once, and then so often. */
#define START_TOKENS 100
#define START_REFILL (100 * MILLISECOND)

/* Who reads a pid file and could not be had now is asked for again so much later. */
#define READ_AGAIN (1 * SECOND)

enum asked { ASKED_RUN = 1, ASKED_READER = 2 };

static TAILQ_HEAD(, profile) asks = TAILQ_HEAD_INITIALIZER(asks);
static bool held; /* an upgrade waits for those that are under way */

static void
enqueue(struct profile *profile, enum asked ask)
{
	if (profile->ask == 0)
		TAILQ_INSERT_TAIL(&asks, profile, asks);
	profile->ask |= ask;
}

static void
dequeue(struct profile *profile, unsigned done)
{
	if (profile->ask == 0)
		return;
	profile->ask &= ~done;
	if (profile->ask == 0)
		TAILQ_REMOVE(&asks, profile, asks);
}

static void
close_reader(struct profile *profile)
{
	dequeue(profile, ASKED_READER);
	jobs_end(&profile->reader);
}

/* For want of something there is no reader: it is asked for when the profile is looked at again. */
static void
miss_reader(struct profile *profile)
{
	close_reader(profile);
	watch_look_at(profile, clock_now() + READ_AGAIN);
}

/* Nothing was executed, and this is why. */
static void
fail(struct profile *profile, enum stage stage, int error)
{
	jobs_end(&profile->birth);
	dequeue(profile, ASKED_RUN);
	profile->process.phase = PHASE_NONE;
	if (profile->rest != -1 || profile->pin_count > 0)
		processes_rest(profile); /* kill_mode has spared it */
	profile->process.ended = clock_now();
	profile->process.end = END_UNBORN;
	profile->process.stage = stage;
	profile->process.error = (uint32_t)error;
	processes_changed(profile);
}

/* A bucket of tokens, so that a monitor that went mad cannot make the host do nothing but fork. */
static bool
take_token(struct profile *profile)
{
	int64_t now = clock_now();

	if (profile->starts_earned < now - START_TOKENS * START_REFILL)
		profile->starts_earned = now - START_TOKENS * START_REFILL;
	if (profile->starts_earned + START_REFILL > now)
		return false;
	profile->starts_earned += START_REFILL;
	return true;
}

void
births_start(struct profile *profile, uint32_t attempt)
{
	processes_release(profile);
	memset(&profile->process, 0, sizeof(profile->process));
	memset(&profile->claim, 0, sizeof(profile->claim));
	profile->process.attempt = attempt;
	profile->process.uid = profile->facts.uid;
	profile->process.trigger = profile->facts.trigger;
	profile->process.started = clock_now();
	if (!take_token(profile)) {
		fail(profile, STAGE_RATE, EAGAIN);
		return;
	}
	profile->process.phase = PHASE_ASKED;
	if (ledger_write(profile) == -1) {
		fail(profile, STAGE_LEDGER, errno);
		return;
	}
	enqueue(profile, ASKED_RUN);
}

void
births_cancel(struct profile *profile)
{
	/* nothing was executed; a child that the spawner has made sees its gate vanish, and ends */
	fail(profile, STAGE_GATE, ECANCELED);
}

void
births_read_pid_file(struct profile *profile)
{
	if (profile->contents[SETTING_PID_FILE] != NULL && profile->reader.channel == -1)
		enqueue(profile, ASKED_READER);
}

void
births_stop(struct profile *profile)
{
	jobs_end(&profile->birth);
	close_reader(profile);
	dequeue(profile, ASKED_RUN | ASKED_READER);
}

static void
add_variable(struct fork_request *fork, const char *name, const char *value)
{
	size_t room = sizeof(fork->environment) - fork->environment_bytes;
	int wrote =
	    snprintf(fork->environment + fork->environment_bytes, room, "%s=%s", name, value);

	/* account.h bounds all values: together they fit */
	if (wrote > 0 && (size_t)wrote < room)
		fork->environment_bytes += (uint32_t)wrote + 1;
}

static void
add_environment(
    struct fork_request *fork, const struct profile *profile, const struct account *account)
{
	add_variable(fork, "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	add_variable(fork, "HOME", account->home);
	add_variable(fork, "USER", account->name);
	add_variable(fork, "LOGNAME", account->name);
	add_variable(fork, "SHELL", account->shell);
	add_variable(fork, "PROCLAUNCH_PROFILE", profile->facts.name);
}

static void
describe(struct job_request *request, const struct profile *profile, enum fork_task task,
    const struct account *account)
{
	struct fork_request *fork = &request->message.fork;

	jobs_describe(
	    request, task, table_index(profile), account, profiles_base(profile->facts.name));
	request->message.generation = profile->generation;
	memcpy(fork->where, profile->facts.name, sizeof(fork->where));
	fork->device = profile->facts.device;
	fork->inode = profile->facts.inode;
	fork->processes = profile->facts.quota.processes;
	fork->new_privs = (profile->facts.present & SETTING_BIT(SETTING_ALLOW_NEW_PRIVS)) != 0;
}

/* Opens what the service is born with; the cgroup is the caller's. STAGE_NONE, or what cannot be
 * had, with errno. */
static enum stage
open_for_birth(struct profile *profile, struct job_request *request, int *cgroup)
{
	int output = outputs_for_service(profile, STREAM_OUTPUT, profile->process.uid);
	int error = output;

	if (output != -1 && (profile->note.start_flags & START_SEPARATE_ERROR) != 0)
		error = outputs_for_service(profile, STREAM_ERROR, profile->process.uid);
	if (error == -1)
		return STAGE_OUTPUT;
	request->descriptors[request->count++] = output;
	request->descriptors[request->count++] = error;
	if (profile->fifos_due != 0)
		inform_tell(profile, TELL_FIFO);
	if (!cgroup_available())
		return STAGE_NONE;
	*cgroup = cgroup_make(profile->facts.name);
	request->descriptors[request->count++] = *cgroup;
	return *cgroup == -1 ? STAGE_CGROUP : STAGE_NONE;
}

static enum channel_result
ask_run(struct profile *profile, const struct account *account)
{
	struct job_request request;
	enum channel_result result = CHANNEL_DONE;
	enum stage failed;
	int cgroup = -1;

	describe(&request, profile, TASK_RUN, account);
	add_environment(&request.message.fork, profile, account);
	profile->process.uid = account->uid;
	failed = open_for_birth(profile, &request, &cgroup);
	if (failed == STAGE_NONE)
		result = jobs_request(&profile->birth, &request, SOURCE_BIRTH);
	if (result == CHANNEL_BROKEN)
		failed = STAGE_SPAWNER;
	if (failed != STAGE_NONE)
		fail(profile, failed, errno);
	outputs_release(profile);
	descriptor_close(cgroup);
	return result;
}

static enum channel_result
ask_reader(struct profile *profile, const struct account *account)
{
	const struct content *path = profile->contents[SETTING_PID_FILE];
	struct job_request request;
	enum channel_result result;
	struct message message;

	if (path == NULL)
		return CHANNEL_DONE; /* not wanted any more */
	describe(&request, profile, TASK_PID_FILE, account);
	result = jobs_request(&profile->reader, &request, SOURCE_READER);
	if (result != CHANNEL_DONE)
		return result;
	message_begin(&message, MESSAGE_SETTING);
	message.number = SETTING_PID_FILE;
	message.setting.length = path->length;
	memcpy(message.setting.bytes, path->bytes, path->length);
	(void)channel_send(profile->reader.channel, &message, NULL, 0); /* nothing is before it */
	return CHANNEL_DONE;
}

/* One request of one profile. CHANNEL_AGAIN: there is no room for it now. */
static enum channel_result
ask(struct profile *profile)
{
	static struct account account;
	enum channel_result result = CHANNEL_DONE;
	enum refusal refusal;
	int error = EPERM;

	refusal = profiles_account(&profile->facts, profile->contents[SETTING_USER], &account);
	if (refusal == REFUSAL_UNREADABLE)
		error = errno; /* it is tried again */
	else if (refusal != REFUSAL_NONE)
		profiles_refuse(profile, SETTING_USER, refusal);
	else if ((profile->ask & ASKED_RUN) != 0)
		refusal = profile->facts.gone != 0 ? REFUSAL_MISSING
						   : (enum refusal)profile->facts.refusal;
	if (refusal != REFUSAL_NONE) {
		inform_tell(profile, TELL_PROFILE); /* the monitor may not know yet */
		if ((profile->ask & ASKED_RUN) != 0)
			fail(profile, STAGE_ACCOUNT, error);
		if ((profile->ask & ASKED_READER) != 0)
			miss_reader(profile);
		return CHANNEL_DONE;
	}
	if ((profile->ask & ASKED_RUN) != 0) {
		result = ask_run(profile, &account);
		if (result != CHANNEL_AGAIN)
			dequeue(profile, ASKED_RUN);
	} else if ((profile->ask & ASKED_READER) != 0) {
		result = ask_reader(profile, &account);
		if (result == CHANNEL_BROKEN)
			miss_reader(profile);
		else if (result == CHANNEL_DONE)
			dequeue(profile, ASKED_READER);
	}
	return result;
}

void
births_flush(void)
{
	while (!held && !TAILQ_EMPTY(&asks) && children_ready(CHILD_SPAWNER))
		if (ask(TAILQ_FIRST(&asks)) == CHANNEL_AGAIN)
			break;
}

void
births_hold(bool hold)
{
	held = hold;
}

bool
births_under_way(void)
{
	PROFILES_FOREACH(profile) {
		if (profile->process.phase == PHASE_BORN && profile->birth.channel != -1)
			return true;
	}
	return false;
}

void
births_ask_again(void)
{
	PROFILES_FOREACH(profile) {
		if (profile->process.phase == PHASE_ASKED && profile->birth.channel != -1) {
			/* a child that nobody told us of ends at its gate */
			jobs_end(&profile->birth);
			enqueue(profile, ASKED_RUN);
		}
		if (profile->reader.channel != -1 && profile->reader.pidfd == -1) {
			jobs_end(&profile->reader);
			enqueue(profile, ASKED_READER);
		}
	}
	surveys_ask_again();
}

/* The pid stands in the ledger before the child may go on: nothing ever runs that we could forget.
 * That it may go on stands there afterwards: should we die before it may, it is tried again. */
static void
open_gate(struct profile *profile)
{
	struct message message;
	int recorded;

	profile->process.phase = PHASE_ASKED;
	recorded = ledger_write(profile);
	profile->process.phase = PHASE_BORN;
	if (recorded == -1) {
		profile->process.end = END_UNBORN;
		profile->process.stage = STAGE_LEDGER;
		profile->process.error = (uint32_t)errno;
		jobs_end(&profile->birth);
		return;
	}
	message_begin(&message, MESSAGE_GO);
	(void)channel_send(
	    profile->birth.channel, &message, NULL, 0); /* it has died: SIGCHLD will tell */
	(void)ledger_write(profile);			/* there was room just now */
	inform_tell(profile, TELL_PROCESS);
}

static void
handle_stage(void *subject, struct incoming *incoming)
{
	struct profile *profile = subject;

	profile->process.end = END_UNBORN;
	profile->process.stage = incoming->message.stage.stage;
	profile->process.error = (uint32_t)incoming->message.stage.error;
}

/* All that a child may say between fork and exec. */
static const struct rule birth_rules[] = {
    {MESSAGE_STAGE, FROM_JOB, PHASE_BIT(PHASE_ASKED) | PHASE_BIT(PHASE_BORN), 0, 0, handle_stage},
};

/* Takes in one message of a child, which may say what the one rule permits and nothing else. */
static enum channel_result
hear(int channel, const struct rule *rule, struct profile *profile)
{
	struct incoming incoming;
	enum channel_result result = channel_receive(channel, &incoming, message_valid);

	if (result == CHANNEL_DONE &&
	    rules_apply(rule, 1, FROM_JOB, PHASE_BIT(profile->process.phase), profile, &incoming) ==
		RULE_BROKEN)
		result = CHANNEL_BROKEN;
	return result;
}

/* The exec closed the job, or the child died; the latter is for SIGCHLD to tell. */
static void
hung_up(struct profile *profile)
{
	struct procfs_stat stat;

	if (profile->process.phase == PHASE_ASKED) {
		loop_mute(profile->birth.channel); /* its last words are read when BORN has come */
		return;
	}
	jobs_end(&profile->birth);
	if (profile->process.phase != PHASE_BORN || profile->process.end != END_NONE)
		return;
	/* somebody has killed it before it has executed anything; it is tried again */
	if (procfs_stat(profile->process.pid, &stat) && stat.unexecuted) {
		profile->process.end = END_UNBORN;
		profile->process.stage = STAGE_GATE;
		profile->process.error = ECANCELED;
		return;
	}
	profile->process.phase = PHASE_UP;
	if ((profile->facts.present & SETTING_BIT(SETTING_PID_FILE)) != 0)
		births_read_pid_file(profile);
	else
		profile->process.phase = PHASE_PROVED;
	profile->process.proved = profile->process.phase == PHASE_PROVED;
	processes_changed(profile);
}

static void
drain(struct profile *profile)
{
	enum channel_result result = CHANNEL_DONE;

	while (profile->birth.channel != -1 && result == CHANNEL_DONE) {
		result = hear(profile->birth.channel, birth_rules, profile);
		if (result == CHANNEL_BROKEN && profile->process.phase == PHASE_ASKED) {
			fail(profile, STAGE_GATE, EPROTO); /* which stays shut */
			return;
		}
		if (result == CHANNEL_BROKEN) /* whatever it is, it is no child of ours any more */
			processes_signal(profile, SIGKILL);
		if (result != CHANNEL_DONE && result != CHANNEL_AGAIN)
			hung_up(profile);
	}
}

static void
run_born(struct profile *profile, const struct message *message, int pidfd)
{
	if (pidfd == -1) {
		fail(profile, STAGE_CLONE, message->born.error);
		return;
	}
	processes_hold(profile, message->born.pid, pidfd);
	loop_close(&profile->rest);
	profile->sessions[0] = message->born.pid; /* it begins with setsid(2) */
	profile->process.phase = PHASE_BORN;
	profile->process.started = clock_now();
	drain(profile); /* what it has said already may keep its gate shut */
	if (profile->birth.channel != -1)
		open_gate(profile);
}

void
births_born(void *subject, struct incoming *incoming)
{
	const struct message *message = &incoming->message;
	struct profile *profile = table_at(message->index);
	bool run = message->born.task == TASK_RUN;
	int pidfd = channel_take(incoming);

	(void)subject;
	if (message->born.task == TASK_SURVEY) {
		surveys_born(message, pidfd);
	} else if (profile == NULL || profile->generation != message->generation ||
	    !jobs_match(run ? &profile->birth : &profile->reader, message)) {
		descriptor_close(pidfd); /* not wanted any more: its gate is gone, it ends */
	} else if (run) {
		run_born(profile, message, pidfd);
	} else if (pidfd == -1) {
		miss_reader(profile);
	} else {
		profile->reader.pidfd = pidfd;
		births_reader_event(message->index, 0); /* it may have died, and been muted */
	}
}

/* Refused claims are the monitor's to log; the file may yet come to name the service. */
static void
handle_claim(void *subject, struct incoming *incoming)
{
	struct profile *profile = subject;
	struct claim *claim = &incoming->message.claim;

	if (claim->verdict == CLAIM_NUMBER)
		claim->verdict = processes_prove(profile, claim->pid);
	if (claim->verdict == CLAIM_NUMBER) {
		close_reader(profile);
		return;
	}
	if (profile->stray) {
		profile->stray = false;
		processes_ended(profile, END_UNKNOWN, 0);
	}
	if (claim->verdict == CLAIM_ABSENT || memcmp(claim, &profile->claim, sizeof(*claim)) == 0)
		return;
	profile->claim = *claim;
	inform_tell(profile, TELL_CLAIM);
}

/* All that the reader of a pid file may say. */
static const struct rule reader_rules[] = {
    {MESSAGE_CLAIM, FROM_JOB, PHASE_BIT(PHASE_UP), 0, 0, handle_claim},
};

void
births_drain(struct profile *profile)
{
	drain(profile);
	/* the spawner may not have closed its copy yet: then `run`, which has ended with success,
	 * would count as dead before it was executed, and its daemon as left behind */
	if (profile->birth.channel != -1)
		hung_up(profile);
}

void
births_birth_event(uint32_t index, uint32_t events)
{
	struct profile *profile = table_at(index);

	(void)events;
	if (profile != NULL)
		drain(profile);
}

void
births_reader_event(uint32_t index, uint32_t events)
{
	struct profile *profile = table_at(index);
	enum channel_result result;

	(void)events;
	if (profile == NULL || profile->reader.channel == -1)
		return;
	result = hear(profile->reader.channel, reader_rules, profile);
	if (result == CHANNEL_CLOSED && profile->reader.pidfd == -1)
		loop_mute(profile->reader.channel); /* BORN, or the spawner's death, follows */
	else if (result == CHANNEL_CLOSED)
		miss_reader(profile); /* killed, when memory was short or by its user */
	else if (result == CHANNEL_BROKEN)
		close_reader(profile); /* by its user, who alone is hurt: start_timeout */
}
