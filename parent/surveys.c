#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "account.h"
#include "children.h"
#include "clock.h"
#include "inform.h"
#include "jobs.h"
#include "profiles.h"
#include "surveys.h"
#include "tenants.h"
#include "watch.h"

/* So many at the same time; those of a tenant who lets them hang are given up one after another. */
#define SURVEYS_MAX 16
/* ... and of one tenant, so that those who let them hang leave places to the others. */
#define SURVEYS_PER_OWNER 2
/* A survey that takes longer hangs in a file system of its tenant's. */
#define SURVEY_WITHIN (10 * SECOND)
/* So many entries that are no profiles are reported of one survey. */
#define SKIPPED_MAX	 16
#define FINDINGS_AT_ONCE 64

struct errand {
	TAILQ_ENTRY(errand) queue; /* these three first: there may be thousands to go through */
	uint32_t owner;
	char name[FULL_NAME_BYTES]; /* "web", "alice/web"; "alice/": all that alice has */
	struct job job;
	struct draft draft;
	unsigned skipped;
	int error;	/* 0: all that there is has been said */
	int64_t end_by; /* NEVER: the spawner has not answered, which is watched elsewhere */
};

/* Those that are still to be made; and those under way. */
static TAILQ_HEAD(errand_queue, errand) errands = TAILQ_HEAD_INITIALIZER(errands);
static struct errand *surveys[SURVEYS_MAX];

static void
end_survey(uint32_t index)
{
	struct errand *survey = surveys[index];

	jobs_end(&survey->job);
	profiles_discard(&survey->draft);
	free(survey);
	surveys[index] = NULL;
}

/* Is it about all that a tenant has? */
static bool
is_tenants(const char *name)
{
	return name[strlen(name) - 1] == '/';
}

/* The tenant whose directory it is about; "" for a profile in the profiles directory. */
static void
split_name(const char *name, char *tenant, const char **profile)
{
	const char *slash = strchr(name, '/');
	size_t length = slash == NULL ? 0 : (size_t)(slash - name);

	memcpy(tenant, name, length);
	tenant[length] = '\0';
	*profile = slash == NULL ? name : slash + 1;
}

static void
look_again(const char *name)
{
	struct profile *entry = table_find(name);

	if (entry != NULL)
		watch_look_at(entry, clock_now() + LOOK_AGAIN);
}

void
surveys_give_up(const char *name, int error)
{
	inform_report(REPORT_UNSCANNED, error, name);
	if (is_tenants(name))
		tenants_unsurveyed(name, error);
	else
		profiles_unread(name, error);
	if (error != EACCES) /* that he has shut it, its owner is seen to undo */
		look_again(name);
}

void
surveys_request(const char *name, uint32_t owner)
{
	struct errand *errand;

	TAILQ_FOREACH(errand, &errands, queue) {
		if (strcmp(errand->name, name) == 0)
			break;
	}
	if (errand == NULL) {
		errand = calloc(1, sizeof(*errand));
		if (errand == NULL) {
			surveys_give_up(name, ENOMEM);
			return;
		}
		strncpy(errand->name, name, sizeof(errand->name) - 1);
		errand->job = JOB_NONE;
		errand->error = ECHILD; /* should it end before it has said that it is done */
		errand->end_by = NEVER;
		TAILQ_INSERT_TAIL(&errands, errand, queue);
	}
	errand->owner = owner;
}

/* Starts the survey in a free place. CHANNEL_DONE: it runs. CHANNEL_BROKEN: there is none. */
static enum channel_result
launch(uint32_t index, struct errand *errand)
{
	static struct account account;
	struct job_request request;
	const char *profile;
	enum refusal refusal = account_by_uid(errand->owner, &account);
	enum channel_result result = CHANNEL_BROKEN;

	if (refusal == REFUSAL_NONE) {
		jobs_describe(&request, TASK_SURVEY, index, &account, profiles_base(errand->name));
		split_name(errand->name, request.message.fork.where, &profile);
		strncpy(request.message.fork.name, profile, sizeof(request.message.fork.name) - 1);
		errand->draft.begun = clock_now();
		result = jobs_request(&errand->job, &request, SOURCE_SURVEY);
	}
	if (result == CHANNEL_DONE && is_tenants(errand->name))
		tenants_begin_survey(errand->name);
	if (result != CHANNEL_BROKEN)
		return result;
	if (refusal == REFUSAL_NONE || refusal == REFUSAL_UNREADABLE)
		surveys_give_up(errand->name, errno);
	else if (is_tenants(errand->name)) /* whose account has gone just now: it is missed then */
		look_again(errand->name);
	else
		profiles_ownerless(errand->name);
	return CHANNEL_BROKEN;
}

/* Two of the same at a time would each take for gone what the other has found. An owner has a
 * second one as long as half of the places are free: then it takes as many of them as there are
 * places to fill them. */
static bool
may_run(const struct errand *errand)
{
	unsigned of_owner = 0, free_places = 0;
	uint32_t index;

	for (index = 0; index < SURVEYS_MAX; index++) {
		if (surveys[index] == NULL)
			free_places++;
		else if (strcmp(surveys[index]->name, errand->name) == 0)
			return false;
		else if (surveys[index]->owner == errand->owner)
			of_owner++;
	}
	return of_owner < (free_places > SURVEYS_MAX / 2 ? SURVEYS_PER_OWNER : 1);
}

static struct errand *
next_errand(void)
{
	int64_t waits = -1; /* the owner of the last one: of his there may be thousands */
	struct errand *errand;

	TAILQ_FOREACH(errand, &errands, queue) {
		if (errand->owner != waits && may_run(errand))
			break;
		waits = errand->owner;
	}
	return errand;
}

/* Who has let one hang has the next one after all others who wait. */
static void
put_last(uint32_t owner)
{
	struct errand *errand, *following, *last = TAILQ_LAST(&errands, errand_queue);

	for (errand = TAILQ_FIRST(&errands); errand != NULL && errand != last; errand = following) {
		following = TAILQ_NEXT(errand, queue);
		if (errand->owner != owner)
			continue;
		TAILQ_REMOVE(&errands, errand, queue);
		TAILQ_INSERT_TAIL(&errands, errand, queue);
	}
}

void
surveys_flush(void)
{
	enum channel_result result;
	struct errand *errand;
	uint32_t index;

	for (index = 0; index < SURVEYS_MAX && children_ready(CHILD_SPAWNER); index++) {
		if (surveys[index] != NULL)
			continue;
		errand = next_errand();
		if (errand == NULL) /* nor for the next place: thousands of one owner may wait */
			return;
		result = launch(index, errand);
		if (result == CHANNEL_AGAIN)
			return;
		TAILQ_REMOVE(&errands, errand, queue);
		if (result == CHANNEL_DONE)
			surveys[index] = errand;
		else
			free(errand);
	}
}

void
surveys_born(const struct message *born, int pidfd)
{
	struct errand *survey = born->index < SURVEYS_MAX ? surveys[born->index] : NULL;

	if (survey == NULL || !jobs_match(&survey->job, born)) {
		descriptor_close(pidfd);
		return;
	}
	if (pidfd == -1) {
		surveys_give_up(survey->name, born->born.error);
		end_survey(born->index);
		return;
	}
	survey->job.pidfd = pidfd;
	survey->end_by = clock_now() + SURVEY_WITHIN;
	surveys_event(born->index, 0); /* it may have died, and been muted */
}

void
surveys_ask_again(void)
{
	uint32_t index;

	for (index = 0; index < SURVEYS_MAX; index++) {
		if (surveys[index] == NULL || surveys[index]->job.pidfd != -1)
			continue; /* born, it does not need the spawner any more */
		surveys_request(surveys[index]->name, surveys[index]->owner);
		end_survey(index);
	}
}

bool
surveys_pending(void)
{
	uint32_t index;

	for (index = 0; index < SURVEYS_MAX; index++)
		if (surveys[index] != NULL)
			return true;
	return !TAILQ_EMPTY(&errands);
}

/* True while more is to come. */
static bool
take(struct errand *survey, const struct message *finding)
{
	char tenant[FULL_NAME_BYTES];
	const char *profile;

	split_name(survey->name, tenant, &profile);
	switch (finding->type) {
	case MESSAGE_SKIPPED:
		if (survey->skipped++ < SKIPPED_MAX)
			inform_skipped(finding, tenant);
		return true;
	case MESSAGE_PROFILE:
	case MESSAGE_SETTING:
		profiles_take_from(&survey->draft, tenant, profile, survey->owner, finding);
		return true;
	case MESSAGE_SURVEYED:
		survey->error = finding->number == ENOENT ? 0 : (int)finding->number; /* it goes */
		if (finding->number == 0 && is_tenants(survey->name))
			tenants_surveyed(survey->name);
		return false;
	default:
		return false; /* no survey says that */
	}
}

void
surveys_event(uint32_t index, uint32_t events)
{
	static struct incoming incoming;
	struct errand *survey = surveys[index];
	enum channel_result result = CHANNEL_DONE;
	unsigned taken;

	(void)events;
	for (taken = 0; taken < FINDINGS_AT_ONCE && survey != NULL; taken++) {
		result = channel_receive(survey->job.channel, &incoming, message_valid);
		if (result == CHANNEL_AGAIN)
			return;
		if (result == CHANNEL_CLOSED && survey->job.pidfd == -1) {
			loop_mute(survey->job.channel); /* BORN, or the spawner's death, follows */
			return;
		}
		if (result == CHANNEL_DONE && incoming.count == 0 &&
		    take(survey, &incoming.message))
			continue;
		channel_discard(&incoming);
		if (survey->error != 0)
			surveys_give_up(survey->name, survey->error);
		end_survey(index);
		return;
	}
}

int64_t
surveys_deadline(void)
{
	int64_t deadline = NEVER;
	uint32_t index;

	for (index = 0; index < SURVEYS_MAX; index++)
		if (surveys[index] != NULL)
			deadline = clock_earlier(deadline, surveys[index]->end_by);
	return deadline;
}

void
surveys_tend(int64_t now)
{
	uint32_t index;

	for (index = 0; index < SURVEYS_MAX; index++) {
		if (surveys[index] == NULL || surveys[index]->end_by > now)
			continue;
		surveys_give_up(surveys[index]->name, ETIMEDOUT);
		put_last(surveys[index]->owner);
		end_survey(index);
	}
}
