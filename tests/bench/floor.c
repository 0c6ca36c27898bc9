/*
 * The least that a supervisor has to do, to compare all of them with: fork, exec and waitid in a
 * loop, with a pipe for each service; and, when a file is named, between two of these a bare copy
 * from the pipes to that file with rotation at 16 MB, stamped or not. It keeps no promise whatever.
 * usage: floor FOLDER COUNT [FILE [stamped]]     (FOLDER/0/run ... FOLDER/COUNT-1/run)
 */
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "stamp.h"

#define READ_BYTES   (64 * 1024)
#define ROTATE_BYTES (16 * 1024 * 1024)

struct piped {
	pid_t pid;
	int pipe[2];
};

static struct piped *services;
static unsigned count;
static const char *folder;
static volatile sig_atomic_t leave;
static sigset_t ends; /* SIGCHLD */

static void
begin(struct piped *service)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/%u/run", folder, (unsigned)(service - services));
	service->pid = vfork();
	if (service->pid == -1)
		err(1, "vfork");
	if (service->pid == 0) {
		(void)dup2(service->pipe[1], STDOUT_FILENO);
		(void)dup2(service->pipe[1], STDERR_FILENO);
		(void)sigprocmask(SIG_UNBLOCK, &ends, NULL);
		(void)execl(path, "./run", (char *)NULL);
		_exit(127);
	}
}

/* Starts again whatever has ended; waits for it, or takes what there is. */
static void
supervise(int options)
{
	siginfo_t ended;
	unsigned i;

	while (!leave) {
		ended.si_pid = 0;
		if (waitid(P_ALL, 0, &ended, WEXITED | options) == -1)
			continue;
		if (ended.si_pid == 0)
			break;
		for (i = 0; i < count; i++)
			if (services[i].pid == ended.si_pid)
				begin(&services[i]);
	}
}

static size_t
stamp_all(const char *in, size_t length, char *out, size_t room)
{
	char stamp[STAMP_BYTES + 1];
	struct timespec now;
	size_t written;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	stamp_microseconds(now.tv_sec * 1000000LL + now.tv_nsec / 1000, stamp);
	(void)stamp_lines(in, length, stamp, out, room, &written);
	return written;
}

static int
rotate(const char *path)
{
	char old[512];

	(void)snprintf(old, sizeof(old), "%s.1", path);
	(void)rename(path, old); /* the first time there is none */
	return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
}

static void
copy(const char *path, bool stamped)
{
	static char in[READ_BYTES], out[READ_BYTES * 2];
	struct epoll_event event = {.events = EPOLLIN};
	int file = rotate(path), waiting = epoll_create1(EPOLL_CLOEXEC);
	int ended = signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
	struct signalfd_siginfo one;
	size_t in_file = 0, length;
	ssize_t got;
	unsigned i;

	for (i = 0; i <= count; i++) {
		event.data.fd = i < count ? services[i].pipe[0] : ended;
		if (epoll_ctl(waiting, EPOLL_CTL_ADD, event.data.fd, &event) == -1)
			err(1, "epoll_ctl");
	}
	while (!leave) {
		if (epoll_wait(waiting, &event, 1, -1) != 1)
			continue;
		if (event.data.fd == ended) {
			(void)!read(ended, &one, sizeof(one));
			supervise(WNOHANG);
			continue;
		}
		got = read(event.data.fd, in, sizeof(in));
		if (got <= 0)
			continue;
		length = stamped ? stamp_all(in, (size_t)got, out, sizeof(out)) : (size_t)got;
		if (in_file + length > ROTATE_BYTES) {
			(void)close(file);
			file = rotate(path);
			in_file = 0;
		}
		if (write(file, stamped ? out : in, length) != (ssize_t)length)
			err(1, "%s", path);
		in_file += length;
	}
}

static void
on_signal(int number)
{
	(void)number;
	leave = 1;
}

int
main(int argument_count, char **arguments)
{
	struct sigaction action = {.sa_handler = on_signal}; /* no SA_RESTART: the wait ends */
	unsigned i;

	if (argument_count < 3 || argument_count > 5)
		errx(2, "usage: floor FOLDER COUNT [FILE [stamped]]");
	folder = arguments[1];
	count = (unsigned)strtoul(arguments[2], NULL, 10);
	services = calloc(count, sizeof(*services));
	if (services == NULL || sigaction(SIGHUP, &action, NULL) == -1)
		err(1, NULL);
	(void)sigemptyset(&ends);
	(void)sigaddset(&ends, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &ends, NULL) == -1)
		err(1, "sigprocmask");
	for (i = 0; i < count; i++) {
		if (pipe2(services[i].pipe, O_CLOEXEC) == -1)
			err(1, "pipe2");
		begin(&services[i]);
	}
	if (argument_count > 3)
		copy(arguments[3], argument_count > 4);
	else
		supervise(0);
	for (i = 0; i < count; i++)
		(void)kill(services[i].pid, SIGTERM);
	for (i = 0; i < count; i++)
		(void)waitpid(services[i].pid, NULL, 0);
	return 0;
}
