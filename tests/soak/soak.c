/*
 * Everything that can happen to a supervisor and its services, at random, for as long as is asked:
 * services, monitor, spawner and parent are killed and hung, profiles are edited, broken, mended,
 * removed and made again, stopped and started, upgraded, and pid files lie. After each round each
 * wanted service has exactly one process, with the right uid, and no other has any; and canaries of
 * root, of another tenant and of the same user have never been sent a signal.
 *
 * SOAK_SECONDS (300) and SOAK_SEED (random, and printed) are taken from the environment.
 */
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "canary.h"
#include "ctl.h"
#include "host.h"

#define DEFAULT_SECONDS	   300
#define SERVICES	   12
#define ACTIONS_IN_A_ROUND 5
/* Delays of everything that died a few times in a row add up. */
#define SETTLED_WITHIN 90000 /* milliseconds */

static struct service {
	char name[16];
	const char *account; /* as whom it runs */
	bool daemon;	     /* with a pid file */
	bool there;	     /* its directory */
	bool wanted;
	bool broken; /* what is in its directory is refused */
} services[SERVICES];

static struct host *host;
static pid_t canaries[3];
static uint64_t seed, random_state;
static unsigned long rounds, actions;

static unsigned
pick(unsigned below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)(random_state >> 33) % below;
}

/* What is done stands in the same file as what the supervisor says of it, when a round fails. */
static void __attribute__((format(printf, 1, 2))) tell(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)fprintf(stderr, "round %lu: ", rounds);
	(void)vfprintf(stderr, format, arguments);
	(void)fputc('\n', stderr);
	va_end(arguments);
	actions++;
}

static const char *
run_path(const struct service *service, const char *file, char *path, size_t size)
{
	assert_true(
	    (size_t)snprintf(path, size, "%s/run/%s/%s", host->root, service->name, file) < size);
	return path;
}

static void
write_setting(const struct service *service, const char *file, const char *content)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "%s/%s", service->name, file);
	host_write(host, path, 0644, "%s", content);
}

static void
make_profile(struct service *service)
{
	char guard[512], pid_file[PATH_MAX], setting[PATH_MAX + 2];

	(void)snprintf(guard, sizeof(guard),
	    "exec 9>> %s/run/%s/lock\n"
	    "flock -n 9 || echo $$ >> %s/run/second\n"
	    "echo $$ >> %s/run/%s/starts\n",
	    host->root, service->name, host->root, host->root, service->name);
	write_setting(service, "restart", "");
	write_setting(service, "stop_timeout", "3\n");
	write_setting(service, "start_timeout", "8\n");
	write_setting(service, "user", service->account);
	run_path(service, "pid", pid_file, sizeof(pid_file));
	(void)snprintf(setting, sizeof(setting), "%s\n", pid_file);
	if (service->daemon) {
		write_setting(service, "pid_file", setting);
		/* it takes the place of whatever lies there */
		host_profile(host, service->name,
		    "setsid sh -c '%srm -rf %s; echo $$ > %s; exec sleep 1000' > /dev/null 2>&1 &",
		    guard, pid_file, pid_file);
	} else {
		host_profile(host, service->name, "%sexec sleep 1000", guard);
	}
	service->there = true;
	service->broken = false;
}

/* Its processes that live: at most `max` of their pids. */
static unsigned
copies(const struct service *service, pid_t *pids, unsigned max)
{
	char path[PATH_MAX], line[32], environment[4096], variable[64];
	unsigned count = 0;
	ssize_t length;
	FILE *starts;
	pid_t pid;

	(void)snprintf(variable, sizeof(variable), "PROCLAUNCH_PROFILE=%s", service->name);
	starts = fopen(run_path(service, "starts", path, sizeof(path)), "re");
	while (starts != NULL && fgets(line, sizeof(line), starts) != NULL) {
		pid = (pid_t)strtol(line, NULL, 10);
		length = read_proc(pid, "environ", environment, sizeof(environment));
		/* a pid may have been used again, even by the same service */
		if (length <= 0 || !process_lives(pid) ||
		    memmem(environment, (size_t)length, variable, strlen(variable) + 1) == NULL ||
		    (count > 0 && pids[count - 1] == pid) || count == max)
			continue;
		pids[count++] = pid;
	}
	if (starts != NULL)
		(void)fclose(starts);
	return count;
}

/* proclaunchctl, until somebody answers. */
static void
command(const char *verb, const struct service *service)
{
	struct deadline deadline = deadline_in(SETTLED_WITHIN);
	struct outcome outcome;

	for (;;) {
		(void)ctl(host, &outcome, verb, "--no-wait", service->name, NULL);
		if (outcome.status == 0)
			return;
		deadline_pause(&deadline, outcome.error, __FILE__, __LINE__);
	}
}

static struct service *
pick_existing(void)
{
	unsigned i, from = pick(SERVICES);

	for (i = 0; i < SERVICES; i++)
		if (services[(from + i) % SERVICES].there)
			return &services[(from + i) % SERVICES];
	return NULL;
}

/* --- what may happen ------------------------------------------------------------------------- */

static void
kill_service(void)
{
	static const int numbers[] = {SIGKILL, SIGTERM, SIGSEGV, SIGHUP};
	struct service *service = pick_existing();
	int number = numbers[pick(4)];
	pid_t pid;

	if (service == NULL || copies(service, &pid, 1) == 0)
		return;
	tell("signal %d to %s, pid %d", number, service->name, pid);
	(void)kill(pid, number); /* it may have ended */
}

static void
restart_parent(void)
{
	assert_int_equal(waitpid(host->supervisor, NULL, 0), host->supervisor);
	host_start(host);
}

static void
kill_ours(void)
{
	unsigned which = 1 + pick(7);
	pid_t monitor, spawner;

	tell("SIGKILL to%s%s%s", which & 1 ? " monitor" : "", which & 2 ? " spawner" : "",
	    which & 4 ? " parent" : "");
	monitor = host_monitor(host);
	spawner = host_spawner(host);
	if ((which & 1) != 0)
		(void)kill(monitor, SIGKILL);
	if ((which & 2) != 0)
		(void)kill(spawner, SIGKILL);
	if ((which & 4) == 0)
		return;
	assert_int_equal(kill(host->supervisor, SIGKILL), 0);
	process_wait_gone(monitor);
	process_wait_gone(spawner);
	restart_parent();
}

/* For less than what counts as hung, or else for longer. */
static void
stop_ours(void)
{
	pid_t pid = pick(2) == 0 ? host_monitor(host) : host_spawner(host);
	struct deadline deadline = deadline_in((int)pick(pick(10) == 0 ? 15000 : 1500));

	tell("SIGSTOP to pid %d for %lld ms", pid, deadline_left(&deadline));
	(void)kill(pid, SIGSTOP);
	while (deadline_left(&deadline) > 0)
		deadline_breathe();
	(void)kill(pid, SIGCONT);
}

static void
edit(void)
{
	struct service *service = pick_existing();
	char path[64];

	if (service == NULL)
		return;
	tell("touch %s/run", service->name);
	(void)snprintf(path, sizeof(path), "%s/run", service->name);
	host_touch(host, path);
}

static void
break_or_mend(void)
{
	struct service *service = pick_existing();

	if (service == NULL)
		return;
	service->broken = !service->broken;
	tell("%s %s", service->broken ? "break" : "mend", service->name);
	write_setting(service, "stop_timeout", service->broken ? "soon\n" : "3\n");
}

static void
stop_or_start(void)
{
	struct service *service = pick_existing();

	if (service == NULL)
		return;
	service->wanted = !service->wanted;
	tell("%s %s", service->wanted ? "start" : "stop", service->name);
	command(service->wanted ? "start" : "stop", service);
}

static void
remove_or_make(void)
{
	struct service *service = &services[pick(SERVICES)];

	tell("%s %s", service->there ? "remove" : "make", service->name);
	if (service->there) {
		host_remove(host, service->name);
		service->there = service->wanted = false;
		return;
	}
	make_profile(service);
	service->wanted = true;
	command("start", service); /* it may not have been forgotten that it was stopped */
}

static void
lie(void)
{
	struct service *service = &services[pick(SERVICES)];
	char path[PATH_MAX], text[64];
	unsigned what = pick(7);
	int file;

	if (!service->daemon)
		return;
	run_path(service, "pid", path, sizeof(path));
	if (what < 3)
		(void)snprintf(text, sizeof(text), "%d\n", canaries[what]);
	else
		(void)snprintf(text, sizeof(text), "%s",
		    what == 3	    ? "1\n"
			: what == 4 ? "-1\n"
			: what == 5 ? "99999999999999999999\n"
				    : "");
	tell("the pid file of %s says %s", service->name, what == 6 ? "nothing" : text);
	(void)unlink(path);
	file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (file == -1)
		return; /* the service was faster */
	(void)!write(file, text, strlen(text));
	(void)close(file);
	/* one that is just starting may be ended by start_timeout for it, and comes back */
}

static void
upgrade(void)
{
	tell("SIGUSR2 to the parent");
	assert_int_equal(kill(host->supervisor, SIGUSR2), 0);
}

static void
leave_and_come_back(void)
{
	bool all = pick(2) == 0;

	tell("%s to the parent, and another start", all ? "SIGHUP" : "SIGTERM");
	assert_int_equal(host_signal_and_wait(host, all ? SIGHUP : SIGTERM), all ? 111 : 0);
	host_start(host);
}

static const struct {
	void (*act)(void);
	unsigned weight;
} repertoire[] = {{kill_service, 6}, {kill_ours, 4}, {stop_ours, 1}, {edit, 4}, {break_or_mend, 2},
    {stop_or_start, 5}, {remove_or_make, 4}, {lie, 4}, {upgrade, 1}, {leave_and_come_back, 1}};

static void
act(void)
{
	unsigned total = 0, drawn;
	size_t i;

	for (i = 0; i < sizeof(repertoire) / sizeof(repertoire[0]); i++)
		total += repertoire[i].weight;
	drawn = pick(total);
	for (i = 0; drawn >= repertoire[i].weight; i++)
		drawn -= repertoire[i].weight;
	repertoire[i].act();
}

/* --- what must hold -------------------------------------------------------------------------- */

/* What proclaunchctl says of a service; false when it says nothing. */
static bool
listed(const struct service *service, char *state, pid_t *pid)
{
	struct outcome outcome;
	char number[32];

	(void)ctl(host, &outcome, "list", "--no-header", "-o", "state,pid", service->name, NULL);
	if (outcome.status != 0 || sscanf(outcome.output, "%31s %31s", state, number) != 2)
		return false;
	*pid = (pid_t)strtol(number, NULL, 10);
	return true;
}

static bool
is_as_wanted(const struct service *service)
{
	char state[32] = "";
	pid_t pids[4], pid;
	unsigned count;

	count = copies(service, pids, 4);
	assert_in_range(count, 0, 1);
	if (service->broken && service->there && service->wanted)
		return true; /* one copy, or none: who is refused is not started again */
	if (!service->wanted)
		return count == 0;
	return count == 1 && listed(service, state, &pid) && strcmp(state, "running") == 0 &&
	    pid == pids[0] && process_uid(pid) == account_uid(service->account);
}

static void
assert_all_is_well(void)
{
	struct deadline deadline = deadline_in(SETTLED_WITHIN);
	char path[PATH_MAX];
	size_t i;

	for (i = 0; i < SERVICES; i++)
		while (!is_as_wanted(&services[i]))
			deadline_pause(&deadline, services[i].name, __FILE__, __LINE__);
	(void)snprintf(path, sizeof(path), "%s/run/second", host->root);
	assert_int_equal(access(path, F_OK), -1);
	for (i = 0; i < 3; i++)
		canary_assert_unharmed(canaries[i]);
	assert_true(process_lives(host->supervisor));
}

static void
make_all(void)
{
	static const char *const accounts[] = {"root", TENANT, OTHER_TENANT};
	char path[PATH_MAX];
	size_t i;

	(void)snprintf(path, sizeof(path), "%s/run", host->root);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(chmod(path, 01777), 0);
	for (i = 0; i < SERVICES; i++) {
		(void)snprintf(services[i].name, sizeof(services[i].name), "service-%zu", i);
		services[i].account = accounts[i % 3];
		services[i].daemon = i % 2 == 1;
		services[i].wanted = true;
		(void)snprintf(path, sizeof(path), "%s/run/%s", host->root, services[i].name);
		assert_int_equal(mkdir(path, 0755), 0);
		assert_int_equal(chown(path, account_uid(services[i].account), (gid_t)-1), 0);
		make_profile(&services[i]);
	}
	for (i = 0; i < 3; i++)
		canaries[i] = canary_begin(accounts[i]);
}

static unsigned long
number_from(const char *variable, unsigned long otherwise)
{
	const char *text = getenv(variable);

	return text == NULL || text[0] == '\0' ? otherwise : strtoul(text, NULL, 10);
}

static void
whatever_happens_there_is_one_copy_with_the_right_uid_and_no_foreign_signal(void **state)
{
	struct deadline end = deadline_in((int)number_from("SOAK_SECONDS", DEFAULT_SECONDS) * 1000);
	unsigned i, count;

	host = *state;
	make_all();
	host_start(host);
	assert_all_is_well();
	while (deadline_left(&end) > 0) {
		rounds++;
		count = 1 + pick(ACTIONS_IN_A_ROUND);
		for (i = 0; i < count; i++)
			act();
		assert_all_is_well();
	}
	host_stop_all(host);
	host_wait_deserted(host);
	assert_int_equal(host_count_log(host, "^"),
	    host_count_log(host, "^[0-9T:.-]{23}Z (FATAL|WARN |INFO ) [^ ]+ [^ ]"));
	for (i = 0; i < 3; i++) {
		canary_assert_unharmed(canaries[i]);
		canary_end(canaries[i]);
	}
	(void)printf("%lu rounds, %lu actions\n", rounds, actions);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROOT_TEST(whatever_happens_there_is_one_copy_with_the_right_uid_and_no_foreign_signal)};
	uint32_t drawn = 1;

	(void)!getrandom(&drawn, sizeof(drawn), 0);
	seed = number_from("SOAK_SEED", drawn);
	random_state = seed * 0x9e3779b97f4a7c15ULL + 1;
	(void)printf("SOAK_SEED=%llu\n", (unsigned long long)seed);
	(void)fflush(stdout);
	return cmocka_run_group_tests_name("soak", tests, NULL, NULL);
}
