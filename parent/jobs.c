#include <sys/epoll.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "children.h"
#include "jobs.h"

void
jobs_describe(struct job_request *request, enum fork_task task, uint32_t index,
    const struct account *account, int directory)
{
	struct message *message = &request->message;

	message_begin(message, MESSAGE_FORK);
	message->index = index;
	message->fork.task = task;
	message->fork.uid = account->uid;
	message->fork.gid = account->gid;
	message->fork.group_count = account->group_count;
	memcpy(message->fork.groups, account->groups, account->group_count * sizeof(gid_t));
	request->descriptors[1] = directory;
	request->count = 2;
}

enum channel_result
jobs_request(struct job *job, struct job_request *request, unsigned source)
{
	static uint32_t number;
	struct message *message = &request->message;
	enum channel_result result;
	int ends[2];

	if (channel_pair(ends) == -1)
		return CHANNEL_BROKEN;
	channel_refuse_descriptors(ends[0]);
	message->number = ++number;
	request->descriptors[0] = ends[1];
	result = children_send(CHILD_SPAWNER, message, request->descriptors, request->count);
	if (result == CHANNEL_DONE && loop_add(ends[0], EPOLLIN, source, message->index) == -1)
		result = CHANNEL_BROKEN;
	descriptor_close(ends[1]);
	if (result == CHANNEL_DONE)
		*job = (struct job){.channel = ends[0], .pidfd = -1, .number = number};
	else
		descriptor_close(ends[0]);
	return result;
}

bool
jobs_match(const struct job *job, const struct message *born)
{
	return job->channel != -1 && job->pidfd == -1 && job->number == born->number;
}

void
jobs_end(struct job *job)
{
	loop_close(&job->channel);
	if (job->pidfd == -1)
		return;
	(void)pidfd_send_signal(job->pidfd, SIGKILL, NULL, 0); /* it may have ended */
	(void)close(job->pidfd);
	job->pidfd = -1;
}
