/*
 * Everything that `make bench` measures. Each verb prints one line of numbers. TREE is the pid of a
 * supervisor: its descendants count as its processes, unless they stand on the board as services.
 */
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "board.h"

#define MILLISECOND  1000000LL
#define SECOND	     1000000000LL
#define PID_LIMIT    (1 << 22)
#define PATIENCE     (180 * SECOND)
#define REPETITIONS  21
#define PAUSE_BEFORE (20 * MILLISECOND) /* before each sample, so that the last one has settled */

static void
pause_for(int64_t nanoseconds)
{
	struct timespec pause = {.tv_sec = nanoseconds / SECOND, .tv_nsec = nanoseconds % SECOND};

	(void)nanosleep(&pause, NULL);
}

static int
compare(const void *one, const void *other)
{
	const int64_t *a = one, *b = other;

	return (*a > *b) - (*a < *b);
}

/* Of sorted values; 50: the median. */
static double
percentile(const int64_t *values, unsigned count, unsigned percent)
{
	unsigned rank = (count * percent + 99) / 100;

	return (double)values[rank > 0 ? rank - 1 : 0] / (double)MILLISECOND;
}

/* --- which processes --- */

static int *parents; /* of each pid; 0: no such process */

static void
read_parents(void)
{
	DIR *processes = opendir("/proc");
	const struct dirent *entry;
	char path[64], text[512], *end;
	ssize_t length;
	int pid, file;

	if (parents == NULL)
		parents = calloc(PID_LIMIT, sizeof(*parents));
	if (processes == NULL || parents == NULL)
		err(1, "/proc");
	memset(parents, 0, PID_LIMIT * sizeof(*parents));
	while ((entry = readdir(processes)) != NULL) {
		pid = atoi(entry->d_name);
		(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		if (pid <= 0 || (file = open(path, O_RDONLY | O_CLOEXEC)) == -1)
			continue;
		length = read(file, text, sizeof(text) - 1);
		(void)close(file);
		text[length > 0 ? length : 0] = '\0';
		end = strrchr(text, ')');
		if (end != NULL && (sscanf(end, ") %*c %d", &parents[pid]) != 1))
			parents[pid] = 0;
	}
	(void)closedir(processes);
}

static bool
belongs(int pid, int tree)
{
	while (pid > 1 && pid != tree)
		pid = parents[pid];
	return pid == tree;
}

static bool
is_service(const struct board *board, int pid)
{
	uint32_t i;

	for (i = 0; i < board->count; i++)
		if (board->places[i].pid == (uint32_t)pid)
			return true;
	return false;
}

/* The processes of the supervisor, ended by 0; the caller frees them. */
static int *
processes_of(const char *tree, const struct board *board)
{
	int root = atoi(tree), pid, *found;
	size_t count = 0;

	read_parents();
	found = calloc(65536, sizeof(*found));
	if (found == NULL)
		err(1, NULL);
	for (pid = 2; pid < PID_LIMIT && count < 65535; pid++)
		if (parents[pid] != 0 && belongs(pid, root) && !is_service(board, pid))
			found[count++] = pid;
	if (count == 0)
		errx(1, "no process %s", tree);
	return found;
}

/* The sum of the numbers that follow the word in a file of /proc/PID; 0 where there is none. */
static long long
number_in(int pid, const char *file, const char *word)
{
	char path[64], line[256];
	long long sum = 0, number;
	FILE *stream;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	stream = fopen(path, "re");
	while (stream != NULL && fgets(line, sizeof(line), stream) != NULL)
		if (strncmp(line, word, strlen(word)) == 0 &&
		    sscanf(line + strlen(word), "%lld", &number) == 1)
			sum += number;
	if (stream != NULL)
		(void)fclose(stream);
	return sum;
}

static long long
sum_of(const int *pids, const char *file, const char *word)
{
	long long sum = 0;

	for (; *pids != 0; pids++)
		sum += number_in(*pids, file, word);
	return sum;
}

static long long
cpu_of(const int *pids)
{
	return sum_of(pids, "schedstat", ""); /* nanoseconds on a CPU; all peers have one thread */
}

static long long
wake_ups_of(const int *pids)
{
	return sum_of(pids, "status", "voluntary_ctxt_switches:") +
	    sum_of(pids, "status", "nonvoluntary_ctxt_switches:");
}

/* --- the verbs --- */

/* started BOARD SINCE: milliseconds until the last service's first instruction */
static void
started(struct board *board, char **arguments)
{
	int64_t since = strtoll(arguments[0], NULL, 10), last = 0, deadline = since + PATIENCE;
	struct place *place;
	uint32_t i;

	for (i = 0; i < board->count; i++) {
		place = &board->places[i];
		while (place->pid == 0 && board_now() < deadline)
			pause_for(2 * MILLISECOND);
		if (place->pid == 0)
			errx(1, "service %u does not start", i);
		last = place->first > last ? place->first : last;
	}
	(void)printf("%.3f\n", (double)(last - since) / MILLISECOND);
}

/* Waits until another process stands in the place; when its first instruction ran. */
static int64_t
successor(struct place *place, uint32_t pid)
{
	int64_t deadline = board_now() + PATIENCE;

	while (place->pid == pid && board_now() < deadline)
		board_wait(&place->pid, pid);
	if (place->pid == pid)
		errx(1, "pid %u has no successor", pid);
	return place->first;
}

/* The services from `first` on, one after the other. */
static void
restart_from(struct board *board, uint32_t first, char **arguments)
{
	unsigned most = (unsigned)atoi(arguments[0]), count;
	int64_t end = board_now() + atoi(arguments[1]) * SECOND, killed;
	int64_t *times = calloc(most, sizeof(*times));
	struct place *place;
	uint32_t pid;

	if (times == NULL || most == 0)
		errx(1, "samples?");
	for (count = 0; count < most && (count == 0 || board_now() < end); count++) {
		place = &board->places[first + count % (board->count - first)];
		pid = place->pid;
		/* one that is killed at once is held back by every supervisor */
		while (board_now() - place->first < 2 * SECOND)
			pause_for(100 * MILLISECOND);
		pause_for(PAUSE_BEFORE);
		killed = board_now();
		if (kill((pid_t)pid, SIGKILL) == -1)
			err(1, "pid %u", pid);
		times[count] = successor(place, pid) - killed;
	}
	qsort(times, count, sizeof(*times), compare);
	(void)printf("%.3f %.3f\n", percentile(times, count, 50), percentile(times, count, 99));
}

/* restart BOARD SAMPLES SECONDS: p50 and p99 from kill -9 to the successor's first instruction */
static void
restart(struct board *board, char **arguments)
{
	restart_from(board, 0, arguments);
}

static void
let_writers_go(struct board *board)
{
	board->write_now = 1;
	board_wake(&board->write_now);
}

/* flooded BOARD SAMPLES SECONDS: the same of all but the first, which writes meanwhile */
static void
flooded(struct board *board, char **arguments)
{
	let_writers_go(board);
	restart_from(board, 1, arguments);
	if (board->places[0].ended != 0)
		errx(1, "the flood was over too soon");
}

/* touch BOARD PLACE FILE: milliseconds from a change of the file to the new process */
static void
touch(struct board *board, char **arguments)
{
	struct place *place = &board->places[strtoul(arguments[0], NULL, 10)];
	uint32_t pid = place->pid;
	int64_t changed;
	int file = open(arguments[1], O_WRONLY | O_CLOEXEC);

	if (file == -1 || futimens(file, NULL) == -1)
		err(1, "%s", arguments[1]);
	changed = board_now();
	(void)close(file);
	(void)printf("%.3f\n", (double)(successor(place, pid) - changed) / MILLISECOND);
}

/* memory BOARD TREE: KiB of PSS for each service, and how many processes */
static void
memory(struct board *board, char **arguments)
{
	int *pids = processes_of(arguments[0], board), count = 0;

	while (pids[count] != 0)
		count++;
	(void)printf("%.3f %d\n",
	    (double)sum_of(pids, "smaps_rollup", "Pss:") / (double)board->count, count);
}

/* cpu BOARD TREE: milliseconds of CPU that the supervision has taken until now */
static void
spent(struct board *board, char **arguments)
{
	(void)printf(
	    "%.3f\n", (double)cpu_of(processes_of(arguments[0], board)) / (double)MILLISECOND);
}

/* idle BOARD TREE SECONDS: wake-ups, and milliseconds of CPU a second */
static void
idle(struct board *board, char **arguments)
{
	int *pids = processes_of(arguments[0], board), seconds = atoi(arguments[1]);
	long long wake_ups = wake_ups_of(pids), cpu = cpu_of(pids);

	pause_for(seconds * SECOND);
	(void)printf("%lld %.3f\n", wake_ups_of(pids) - wake_ups,
	    (double)(cpu_of(pids) - cpu) / MILLISECOND / seconds);
}

/* Runs a command and throws away what it prints. */
static pid_t
run(char **command)
{
	pid_t pid = fork();

	if (pid == -1)
		err(1, "fork");
	if (pid == 0) {
		(void)dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
		(void)execvp(command[0], command);
		err(127, "%s", command[0]);
	}
	return pid;
}

/* stopped BOARD COMMAND...: milliseconds from the command until the last service has gone */
static void
stopped(struct board *board, char **arguments)
{
	struct epoll_event event = {.events = EPOLLIN};
	int waiting = epoll_create1(EPOLL_CLOEXEC), service;
	uint32_t i, left = board->count;
	int64_t begun;
	pid_t command;

	for (i = 0; i < board->count; i++) {
		service = (int)syscall(SYS_pidfd_open, board->places[i].pid, 0);
		event.data.fd = service;
		if (service == -1 || epoll_ctl(waiting, EPOLL_CTL_ADD, service, &event) == -1)
			err(1, "pid %u", board->places[i].pid);
	}
	begun = board_now();
	command = run(arguments);
	while (left > 0) {
		if (epoll_wait(waiting, &event, 1, (int)(PATIENCE / MILLISECOND)) != 1)
			errx(1, "%u services do not stop", left);
		(void)close(event.data.fd);
		left--;
	}
	(void)printf("%.3f\n", (double)(board_now() - begun) / MILLISECOND);
	(void)waitpid(command, NULL, 0);
}

/* time BOARD COMMAND...: milliseconds that the whole command takes, the median of many */
static void
time_command(struct board *board, char **arguments)
{
	int64_t times[REPETITIONS], begun, end = board_now() + 20 * SECOND;
	unsigned count;
	int status;

	(void)board;
	for (count = 0; count < REPETITIONS && (count == 0 || board_now() < end); count++) {
		begun = board_now();
		(void)waitpid(run(arguments), &status, 0);
		times[count] = board_now() - begun;
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
			errx(1, "%s failed", arguments[0]);
	}
	qsort(times, count, sizeof(times[0]), compare);
	(void)printf("%.3f\n", percentile(times, count, 50));
}

/* write BOARD TREE BYTES: lets all writers go; MB/s and CPU seconds of the supervision a GB */
static void
write_all(struct board *board, char **arguments)
{
	int *pids = processes_of(arguments[0], board);
	int64_t begun = INT64_MAX, ended = 0;
	double bytes = strtod(arguments[1], NULL);
	long long cpu = cpu_of(pids), before;
	struct place *place;
	uint32_t i;

	let_writers_go(board);
	for (i = 0; i < board->count; i++) {
		place = &board->places[i];
		while (place->ended == 0)
			pause_for(MILLISECOND);
		begun = place->begun < begun ? place->begun : begun;
		ended = place->ended > ended ? place->ended : ended;
	}
	before = -1; /* what stands in pipes and buffers yet is worked off */
	while (cpu_of(pids) - before > MILLISECOND) {
		before = cpu_of(pids);
		pause_for(200 * MILLISECOND);
	}
	(void)printf("%.1f %.3f\n", bytes * 1000 / (double)(ended - begun),
	    (double)(cpu_of(pids) - cpu) / bytes);
}

/* Is it the program that stands beside this one? */
static bool
is_ours(int pid)
{
	char link[64], target[4096], mine[4096];
	ssize_t length, own = readlink("/proc/self/exe", mine, sizeof(mine) - 1);

	(void)snprintf(link, sizeof(link), "/proc/%d/exe", pid);
	length = readlink(link, target, sizeof(target) - 1);
	if (own <= 0 || length <= 0)
		return false;
	target[length] = mine[own] = '\0';
	(void)strcpy(strrchr(mine, '/'), "/service");
	return strcmp(target, mine) == 0;
}

/* end BOARD TREE: kills what is left of a supervisor and its services; says how many were left */
static void
end(struct board *board, char **arguments)
{
	int root = atoi(arguments[0]), pid, left = 0;

	(void)board;
	read_parents(); /* once: what loses its parent is still known */
	for (pid = 2; pid < PID_LIMIT; pid++)
		if (parents[pid] != 0 && belongs(pid, root) && kill(pid, SIGKILL) == 0)
			left++;
	pause_for(100 * MILLISECOND); /* what was being born becomes a service */
	read_parents();
	for (pid = 2; pid < PID_LIMIT; pid++)
		if (parents[pid] != 0 && is_ours(pid) && kill(pid, SIGKILL) == 0)
			left++;
	(void)printf("%d\n", left);
}

static const struct {
	const char *name;
	int arguments;
	void (*does)(struct board *, char **);
} verbs[] = {
    {"started", 1, started},
    {"restart", 2, restart},
    {"flooded", 2, flooded},
    {"touch", 2, touch},
    {"memory", 1, memory},
    {"cpu", 1, spent},
    {"idle", 2, idle},
    {"stopped", 1, stopped},
    {"time", 1, time_command},
    {"write", 2, write_all},
    {"end", 1, end},
};

int
main(int count, char **arguments)
{
	size_t i;

	if (count == 2 && strcmp(arguments[1], "now") == 0) {
		(void)printf("%lld\n", (long long)board_now());
		return 0;
	}
	if (count == 4 && strcmp(arguments[1], "board") == 0) {
		board_make(arguments[2], (uint32_t)strtoul(arguments[3], NULL, 10));
		return 0;
	}
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (count >= 3 + verbs[i].arguments && strcmp(arguments[1], verbs[i].name) == 0) {
			verbs[i].does(board_open(arguments[2]), arguments + 3);
			return 0;
		}
	errx(2, "usage: measure VERB BOARD ARGUMENT...");
}
