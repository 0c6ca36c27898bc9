/*
 * What a child of the spawner has open once it is a user's, whatever the spawner had: also what
 * does not close itself at an exec, for who reads a tenant's files executes nothing.
 */
#include <sys/wait.h>

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "birth.h"
#include "child.h"
#include "descriptors.h"

#define UID   64997 /* of no account and no process */
#define LOOKS 5000  /* a pause of 2 ms each */

/* In the place of the spawner, which has more open than it should; tells the pid of its child. */
static void
bear(int job, int told)
{
	static const struct fork_request request = {.task = TASK_RUN, .uid = UID, .gid = UID};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), pidfd = -1;
	struct birth birth = {.request = &request,
	    .job = job,
	    .directory = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC),
	    .output = null,
	    .error = null,
	    .cgroup = -1,
	    .oom_score = -1};
	pid_t pid;

	REQUIRE(null != -1 && birth.directory != -1);
	REQUIRE(fcntl(null, F_DUPFD, FD_JOB_FIRST_FREE + 1) != -1);
	REQUIRE(fcntl(null, F_DUPFD, 500) == 500);
	pid = birth_fork(&birth, &pidfd);
	REQUIRE(pid > 0 && write(told, &pid, sizeof(pid)) == sizeof(pid));
	_exit(0);
}

/* Are these its descriptors, 0 to FD_JOB, and no other? */
static bool
has_its_own_alone(pid_t pid)
{
	const struct dirent *entry;
	unsigned count = 0;
	char path[64];
	bool others = false;
	DIR *folder;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	folder = opendir(path);
	REQUIRE(folder != NULL);
	while ((entry = readdir(folder)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		others = others || strtol(entry->d_name, NULL, 10) >= FD_JOB_FIRST_FREE;
		count++;
	}
	(void)closedir(folder);
	return !others && count == FD_JOB_FIRST_FREE;
}

/* The child of the spawner is ours, as it is the parent's. It waits for a word that does not come.
 */
static void
look_at_newborn(void *context)
{
	int job[2], told[2], status;
	unsigned looks;
	pid_t spawner, pid;

	(void)context;
	REQUIRE(channel_pair(job) == 0 && pipe2(told, O_CLOEXEC) == 0);
	spawner = fork();
	REQUIRE(spawner != -1);
	if (spawner == 0)
		bear(job[1], told[1]);
	REQUIRE(close(job[1]) == 0 && read(told[0], &pid, sizeof(pid)) == sizeof(pid));
	REQUIRE(waitpid(spawner, &status, 0) == spawner && status == 0);
	for (looks = 0; !has_its_own_alone(pid) && looks < LOOKS; looks++)
		(void)poll(NULL, 0, 2);
	REQUIRE(close(job[0]) == 0);
	REQUIRE(waitpid(pid, &status, 0) == pid && status == 0);
	REQUIRE(looks < LOOKS);
}

static void
a_child_has_no_descriptor_but_its_own_though_it_executes_nothing(void **state)
{
	(void)state;
	child_run(look_at_newborn, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_child_has_no_descriptor_but_its_own_though_it_executes_nothing),
	};

	return cmocka_run_group_tests_name("newborn", tests, NULL, NULL);
}
