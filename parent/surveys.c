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

/* So many at the same time; those of a tenant who lets them hang are given up one after another. */
#define SURVEYS_MAX 16
/* A survey that takes longer hangs in a file system of its tenant's. */
#define SURVEY_WITHIN (10 * SECOND)

struct survey_job {
	struct job job;
	struct draft draft;
	char name[FULL_NAME_BYTES];
	uint32_t owner;
	int64_t end_by;
};

/* What is still to be surveyed. */
struct errand {
	TAILQ_ENTRY(errand) queue;
	uint32_t owner;
	char name[FULL_NAME_BYTES];
};

static TAILQ_HEAD(, errand) errands = TAILQ_HEAD_INITIALIZER(errands);
static struct survey_job *surveys[SURVEYS_MAX];

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
			inform_report(REPORT_UNSCANNED, ENOMEM, name);
			return;
		}
		strncpy(errand->name, name, sizeof(errand->name) - 1);
		TAILQ_INSERT_TAIL(&errands, errand, queue);
	}
	errand->owner = owner;
}

static void
end_survey(uint32_t index)
{
	struct survey_job *survey = surveys[index];

	jobs_end(&survey->job);
	profiles_discard(&survey->draft);
	free(survey);
	surveys[index] = NULL;
}

/* Starts the survey in a free place. CHANNEL_AGAIN: there is no room at the spawner. */
static enum channel_result
launch(uint32_t index, const struct errand *errand)
{
	static struct account account;
	struct job_request request = {.task = TASK_SURVEY,
	    .account = &account,
	    .index = index,
	    .directory = profiles_directory(),
	    .output = -1,
	    .error = -1,
	    .cgroup = -1};
	struct survey_job *survey;
	enum channel_result result;

	if (account_by_uid(errand->owner, &account) != REFUSAL_NONE) {
		profiles_ownerless(errand->name);
		return CHANNEL_DONE;
	}
	survey = calloc(1, sizeof(*survey));
	if (survey == NULL)
		return CHANNEL_AGAIN;
	survey->job = JOB_NONE;
	memcpy(survey->name, errand->name, sizeof(survey->name));
	survey->owner = errand->owner;
	survey->end_by = clock_now() + SURVEY_WITHIN;
	result = jobs_request(&survey->job, &request, SOURCE_SURVEY);
	surveys[index] = survey;
	if (result != CHANNEL_DONE)
		end_survey(index);
	if (result == CHANNEL_BROKEN)
		inform_report(REPORT_UNSCANNED, errno, errand->name);
	return result;
}

void
surveys_flush(void)
{
	struct errand *errand;
	uint32_t index;

	for (index = 0; index < SURVEYS_MAX && children_spawner_ready(); index++) {
		errand = TAILQ_FIRST(&errands);
		if (errand == NULL || surveys[index] != NULL)
			continue;
		if (launch(index, errand) == CHANNEL_AGAIN)
			return;
		TAILQ_REMOVE(&errands, errand, queue);
		free(errand);
	}
}

void
surveys_born(const struct message *born, int pidfd)
{
	struct survey_job *survey = born->index < SURVEYS_MAX ? surveys[born->index] : NULL;
	struct message go;

	if (survey == NULL || !jobs_match(&survey->job, born)) {
		if (pidfd != -1)
			(void)close(pidfd);
		return;
	}
	if (pidfd == -1) {
		inform_report(REPORT_UNSCANNED, born->born.error, survey->name);
		end_survey(born->index);
		return;
	}
	survey->job.pidfd = pidfd;
	message_begin(&go, MESSAGE_GO);
	memcpy(go.go.where, survey->name, sizeof(go.go.where));
	(void)channel_send(survey->job.channel, &go, NULL, 0); /* it has died: we see it hang up */
}

void
surveys_ask_again(void)
{
	uint32_t index;

	for (index = 0; index < SURVEYS_MAX; index++) {
		if (surveys[index] == NULL || surveys[index]->job.pidfd != -1)
			continue; /* born, it does not need the spawner any more */
		profiles_look(surveys[index]->name);
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

void
surveys_event(uint32_t index, uint32_t events)
{
	static struct incoming incoming;
	struct survey_job *survey = surveys[index];
	enum channel_result result;

	(void)events;
	if (survey == NULL)
		return;
	result = channel_receive(survey->job.channel, &incoming);
	if (result == CHANNEL_AGAIN)
		return;
	if (result == CHANNEL_DONE && incoming.count == 0 &&
	    profiles_take_from(&survey->draft, survey->name, survey->owner, &incoming.message))
		return;
	channel_discard(&incoming);
	end_survey(index);
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
		inform_report(REPORT_UNSCANNED, ETIMEDOUT, surveys[index]->name);
		end_survey(index);
	}
}
