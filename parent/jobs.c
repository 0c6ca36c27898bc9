#include <sys/epoll.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "children.h"
#include "jobs.h"

static void
fill(struct message *message, const struct job_request *request, uint32_t number)
{
	const struct account *account = request->account;

	message_begin(message, MESSAGE_FORK);
	message->index = request->index;
	message->generation = request->generation;
	message->number = number;
	message->fork.task = request->task;
	message->fork.new_privs = request->new_privs;
	message->fork.uid = account->uid;
	message->fork.gid = account->gid;
	message->fork.processes = request->processes;
	message->fork.group_count = account->group_count;
	memcpy(message->fork.groups, account->groups, account->group_count * sizeof(gid_t));
}

static enum channel_result
send_request(const struct message *message, const struct job_request *request, int job)
{
	const int descriptors[CHANNEL_DESCRIPTORS_MAX] = {
	    job, request->directory, request->output, request->error, request->cgroup};
	unsigned count = 2;

	while (count < CHANNEL_DESCRIPTORS_MAX && descriptors[count] != -1)
		count++;
	return children_send_spawner(message, descriptors, count);
}

enum channel_result
jobs_request(struct job *job, const struct job_request *request, unsigned source)
{
	static uint32_t number;
	struct message message;
	enum channel_result result;
	int ends[2], error;

	if (channel_pair(ends) == -1)
		return CHANNEL_BROKEN;
	channel_refuse_descriptors(ends[0]);
	fill(&message, request, ++number);
	result = send_request(&message, request, ends[1]);
	if (result == CHANNEL_DONE && loop_add(ends[0], EPOLLIN, source, request->index) == -1)
		result = CHANNEL_BROKEN;
	error = errno;
	(void)close(ends[1]);
	if (result == CHANNEL_DONE)
		*job = (struct job){.channel = ends[0], .pidfd = -1, .number = number};
	else
		(void)close(ends[0]);
	errno = error;
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
