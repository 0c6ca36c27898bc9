/*
 * Each of the three processes, each pair and all of them, killed and hung, while services stand in
 * every state that there is: proclaunch(8), WHEN A PROCESS DIES. Each row of the table below is a
 * host of its own with all the states in it, and all rows run side by side.
 *
 * Afterwards each service has exactly one process where it is wanted and none where it is not, was
 * started as often as the log says and no oftener, and its backoff and its wanted state are kept.
 */
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <dirent.h>
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

#include "guard.h"
#include "ctl.h"
#include "host.h"

enum { MONITOR = 1, SPAWNER = 2, PARENT = 4, ALL = 7 };

/* How long a parent is stopped: longer than it gives the others for an answer. */
#define PARENT_STOPPED_FOR 11000 /* milliseconds */
/* Until the parent has replaced who does not answer for 10 s. */
#define REPLACED_WITHIN 40000 /* milliseconds */
/* A row that hangs is ended. */
#define ROW_WITHIN 200 /* seconds */

/* One state of a service: a column. */
struct column {
	const char *title;
	const char *name;
	const char *script;
	const char *file, *content; /* one more file of the profile, if need be */
	unsigned starts;	    /* how often it is started, in all */
	bool wanted;		    /* has a process at the end */
	bool same;		    /* the process that was there before */
};

#define IDLE  "exec sleep 1000"
#define DEAF  "trap '' TERM\n: > ready\n" UNTIL("../end")
#define FIRST "[ $(wc -l < starts) -gt 1 ] || { "

static const struct column columns[] = {
    {"stopped", "stopped", GUARD IDLE, "down", "", 0, false, false},
    {"ended", "ended", GUARD "exit 0", NULL, NULL, 1, false, false},
    {"before exec", "newborn", GUARD IDLE, NULL, NULL, 1, true, true},
    {"asked for", "later", GUARD IDLE, NULL, NULL, 1, true, false},
    {"pid file", "waiting", GUARD UNTIL("../go") "echo $$ > pid\n" IDLE, "pid_file", "pid\n", 1,
	true, true},
    {"pid file, detached", "detached",
	"setsid sh -c '" GUARD UNTIL("../go") "echo $$ > pid\n" IDLE "' > /dev/null 2>&1 &",
	"pid_file", "pid\n", 1, true, true},
    {"foreground", "foreground", GUARD IDLE, "restart", "", 1, true, true},
    {"daemon", "daemon", "setsid sh -c '" GUARD "echo $$ > pid\n" IDLE "' > /dev/null 2>&1 &",
	"pid_file", "pid\n", 1, true, true},
    {"reloading", "reloading",
	GUARD "trap 'echo hup >> hups' HUP\n: > ready\n"
	      "while :; do sleep 0.1 " WITHOUT_LOCK "; done",
	"reload", "", 1, true, true},
    {"stopping", "stopping", GUARD DEAF, NULL, NULL, 1, false, false},
    {"restarting", "restarting", GUARD FIRST DEAF "exit; }\n" IDLE, NULL, NULL, 2, true, false},
    {"after SIGKILL", "killed", GUARD IDLE, "stop_timeout", "1\n", 1, false, false},
    {"backoff", "backoff", GUARD "exit 1", "restart", "", 0, false, false},
};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

#define CELL_BYTES 120

static struct row {
	const char *title;
	unsigned victims;
	int number;    /* SIGKILL or SIGSTOP */
	bool sessions; /* there are no cgroups */
	pid_t runner;
	FILE *output;
	char (*cells)[CELL_BYTES]; /* in memory that the runner shares; empty: not tried */
} rows[] = {
    {"monitor", MONITOR, SIGKILL, false, 0, NULL, NULL},
    {"spawner", SPAWNER, SIGKILL, false, 0, NULL, NULL},
    {"parent", PARENT, SIGKILL, false, 0, NULL, NULL},
    {"monitor, spawner", MONITOR | SPAWNER, SIGKILL, false, 0, NULL, NULL},
    {"monitor, parent", MONITOR | PARENT, SIGKILL, false, 0, NULL, NULL},
    {"spawner, parent", SPAWNER | PARENT, SIGKILL, false, 0, NULL, NULL},
    {"all three", ALL, SIGKILL, false, 0, NULL, NULL},
    {"monitor", MONITOR, SIGSTOP, false, 0, NULL, NULL},
    {"spawner", SPAWNER, SIGSTOP, false, 0, NULL, NULL},
    {"parent", PARENT, SIGSTOP, false, 0, NULL, NULL},
    {"monitor, spawner", MONITOR | SPAWNER, SIGSTOP, false, 0, NULL, NULL},
    {"monitor, parent", MONITOR | PARENT, SIGSTOP, false, 0, NULL, NULL},
    {"spawner, parent", SPAWNER | PARENT, SIGSTOP, false, 0, NULL, NULL},
    {"all three", ALL, SIGSTOP, false, 0, NULL, NULL},
    {"monitor, sessions", MONITOR, SIGKILL, true, 0, NULL, NULL},
    {"spawner, sessions", SPAWNER, SIGKILL, true, 0, NULL, NULL},
    {"parent, sessions", PARENT, SIGKILL, true, 0, NULL, NULL},
    {"all, sessions", ALL, SIGKILL, true, 0, NULL, NULL},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static const struct column *
column_named(const char *name)
{
	const struct column *column = columns;

	while (strcmp(column->name, name) != 0)
		column++;
	return column;
}

static void
make_profile(struct host *host, const struct column *column)
{
	char file[128];

	/* the directory appears with all that is in it */
	(void)snprintf(file, sizeof(file), "%s/%s", column->name, column->file);
	if (column->file != NULL)
		host_write(host, file, 0644, "%s", column->content);
	host_profile(host, column->name, "%s", column->script);
}

static bool
exists(struct host *host, const char *name, const char *file)
{
	char path[PATH_MAX], full[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/%s", name, file);
	return access(host_path(host, path, full, sizeof(full)), F_OK) == 0;
}

/* The pids of all copies of the service that were ever started; how many. */
static unsigned
starts_of(struct host *host, const char *name, pid_t *pids, unsigned max)
{
	char path[PATH_MAX], full[PATH_MAX], line[32];
	unsigned count = 0;
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/starts", name);
	file = fopen(host_path(host, path, full, sizeof(full)), "re");
	while (file != NULL && fgets(line, sizeof(line), file) != NULL && count < max)
		pids[count++] = (pid_t)strtol(line, NULL, 10);
	if (file != NULL)
		(void)fclose(file);
	return count;
}

static pid_t
first_start(struct host *host, const char *name)
{
	pid_t pid = 0;

	wait_until(starts_of(host, name, &pid, 1) == 1);
	return pid;
}

/* --- the states ------------------------------------------------------------------------------ */

static void
write_to_cgroup(const char *directory, const char *file, const char *text)
{
	char path[PATH_MAX];
	int opened;

	(void)snprintf(path, sizeof(path), "%s/%s", directory, file);
	opened = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(opened != -1);
	assert_int_equal(write(opened, text, strlen(text)), strlen(text));
	assert_int_equal(close(opened), 0);
}

/* The only process in the profile's cgroup, or 0. */
static pid_t
only_member(const struct host *host, const char *name)
{
	char cgroup[PATH_MAX / 2], path[PATH_MAX], line[32] = "";
	FILE *members;

	(void)snprintf(
	    path, sizeof(path), "%s/cgroup.procs", host_cgroup(host, name, cgroup, sizeof(cgroup)));
	members = fopen(path, "re");
	if (members == NULL)
		return 0;
	if (fgets(line, sizeof(line), members) == NULL)
		line[0] = '\0';
	(void)fclose(members);
	return (pid_t)strtol(line, NULL, 10);
}

/* A child that is held between the clone and the exec: it is born into a frozen cgroup. */
static pid_t
hold_newborn(struct host *host)
{
	char cgroup[PATH_MAX / 2], top[PATH_MAX / 2];
	pid_t pid = 0;

	host_cgroup(host, "newborn", cgroup, sizeof(cgroup));
	(void)snprintf(top, sizeof(top), "%s", cgroup);
	*strrchr(top, '/') = '\0';
	write_to_cgroup(top, "cgroup.freeze", "1");
	make_profile(host, column_named("newborn"));
	wait_until((pid = only_member(host, "newborn")) != 0);
	write_to_cgroup(cgroup, "cgroup.freeze", "1");
	write_to_cgroup(top, "cgroup.freeze", "0");
	assert_false(exists(host, "newborn", "starts"));
	return pid;
}

/* A process that SIGKILL has reached and that is still there: it is traced, and its tracer, which
 * is this test, does not let go of it. */
static pid_t
hold_killed(struct host *host)
{
	pid_t pid = first_start(host, "killed");
	struct outcome outcome;
	char state[32];

	assert_int_equal(ptrace(PTRACE_SEIZE, pid, NULL, NULL), 0);
	assert_int_equal(ctl(host, &outcome, "--no-wait", "stop", "killed", NULL), CTL_DONE);
	assert_int_equal(outcome.status, 0);
	host_wait_log(
	    host, " WARN  killed still there [0-9]+ s after the stop signal: sending SIGKILL");
	wait_until(process_status(pid, "State", state, sizeof(state))[0] == 'Z');
	return pid;
}

struct held {
	pid_t newborn; /* 0: there are no cgroups to hold it with */
	pid_t killed;
};

static void
arrange(struct host *host, struct held *held)
{
	static const char *const later[] = {"newborn", "backoff", "later"};
	struct outcome outcome;
	size_t i;

	for (i = 0; i < COLUMNS; i++)
		if (strcmp(columns[i].name, later[0]) != 0 &&
		    strcmp(columns[i].name, later[1]) != 0 &&
		    strcmp(columns[i].name, later[2]) != 0)
			make_profile(host, &columns[i]);
	host_start(host);
	(void)host_wait_running(host, "foreground");
	(void)host_wait_running(host, "daemon");
	wait_until(exists(host, "reloading", "ready") && exists(host, "stopping", "ready") &&
	    exists(host, "restarting", "ready"));
	(void)first_start(host, "waiting");
	(void)first_start(host, "detached");
	host_wait_log(host, " ended stopped$");
	held->killed = hold_killed(host);
	held->newborn = 0;
	if (host_has_cgroups(host))
		held->newborn = hold_newborn(host);
	/* not before: for a moment everything was frozen, and who dies later than at once has not
	 * failed */
	make_profile(host, column_named("backoff"));
	assert_int_equal(ctl(host, &outcome, "--no-wait", "stop", "stopping", NULL), CTL_DONE);
	assert_int_equal(outcome.status, 0);
	host_touch(host, "restarting/run");
	host_wait_log(host, " stopping stopping$");
	host_wait_log(host, " restarting stopping$");
	host_wait_log(host, " backoff starting again in 4\\.");
}

/* Everything may go on. */
static void
release(struct host *host, const struct held *held)
{
	char cgroup[PATH_MAX / 2];

	if (held->newborn != 0)
		write_to_cgroup(
		    host_cgroup(host, "newborn", cgroup, sizeof(cgroup)), "cgroup.freeze", "0");
	assert_int_equal(waitpid(held->killed, NULL, __WALL), held->killed);
	host_write(host, "go", 0644, "%s", "");
	host_write(host, "end", 0644, "%s", "");
}

/* --- the deaths ------------------------------------------------------------------------------ */

static void
wait_replaced(struct host *host, const char *which, pid_t pid, int number)
{
	if (number == SIGSTOP)
		host_wait_log_within(host, REPLACED_WITHIN,
		    " WARN  ProcLaunch %s pid %d has not answered for 10 s. Killing it.$", which,
		    pid);
	host_wait_log(host, " WARN  ProcLaunch %s died pid %d signal SIGKILL. Starting another.$",
	    which, pid);
}

/* A stopped parent goes on after a while; a killed one is started again, as an administrator does.
 */
static void
bring_back_parent(struct host *host, int number, pid_t monitor, pid_t spawner)
{
	struct deadline stopped = deadline_in(PARENT_STOPPED_FOR);

	if (number == SIGSTOP) {
		while (deadline_left(&stopped) > 0)
			deadline_breathe();
		assert_int_equal(kill(host->supervisor, SIGCONT), 0);
		return;
	}
	assert_int_equal(waitpid(host->supervisor, NULL, 0), host->supervisor);
	process_wait_gone(monitor);
	process_wait_gone(spawner);
	host_start(host);
}

static void
strike(struct host *host, const struct row *row)
{
	pid_t monitor = host_monitor(host), spawner = host_spawner(host);

	/* at this very moment one profile is asked for, and another one reloads */
	make_profile(host, column_named("later"));
	host_touch(host, "reloading/run");
	if ((row->victims & MONITOR) != 0)
		assert_int_equal(kill(monitor, row->number), 0);
	if ((row->victims & SPAWNER) != 0)
		assert_int_equal(kill(spawner, row->number), 0);
	if ((row->victims & PARENT) != 0) {
		assert_int_equal(kill(host->supervisor, row->number), 0);
		bring_back_parent(host, row->number, monitor, spawner);
		if (row->number == SIGKILL)
			return;
	}
	if ((row->victims & MONITOR) != 0)
		wait_replaced(host, "monitor", monitor, row->number);
	if ((row->victims & SPAWNER) != 0)
		wait_replaced(host, "spawner", spawner, row->number);
}

/* --- what must hold afterwards --------------------------------------------------------------- */

#define REQUIRE_CELL(condition) \
	if (!(condition))       \
	return #condition

static bool
listed(struct host *host, const char *name, const char *state, pid_t pid)
{
	struct outcome outcome;
	char listed_state[32], listed_pid[32];

	(void)ctl(host, &outcome, "list", "--no-header", "-o", "state,pid", name, NULL);
	if (sscanf(outcome.output, "%31s %31s", listed_state, listed_pid) != 2)
		return false;
	return strcmp(listed_state, state) == 0 &&
	    (pid == 0 || strtol(listed_pid, NULL, 10) == pid);
}

/* Failures are not forgotten: the wait that was planned before the deaths is kept, is in the log
 * once, and the next one is no shorter. (It is as long where a loaded machine lets what exits at
 * once live for more than a second, which is no failure more.) */
static const char *
check_backoff(struct host *host)
{
	long long planned[8] = {0}, shorter[8], begun[64];
	unsigned starts, shorter_plans, i;

	REQUIRE_CELL(comes_true(
	    host_log_times(host, planned, 8, " backoff starting again in [48]\\.") >= 2));
	shorter_plans = host_log_times(host, shorter, 8, " backoff starting again in [12]\\.");
	REQUIRE_CELL(shorter_plans >= 2 && shorter[shorter_plans - 1] < planned[0]);
	starts = host_log_times(host, begun, 64, " backoff starting$");
	for (i = 0; i < starts && begun[i] < planned[0] + 4000 - 5; i++)
		REQUIRE_CELL(begun[i] <= planned[0]);
	REQUIRE_CELL(i < starts && begun[i] < planned[1]);
	REQUIRE_CELL(listed(host, "backoff", "stopped", 0));
	return NULL;
}

/* Does it live, and is it still in a profile? On a machine with much to do its number is somebody
 * else's after half a minute. */
static bool
copy_lives(const struct host *host, pid_t pid)
{
	char path[64], folder[PATH_MAX];
	ssize_t length;

	(void)snprintf(path, sizeof(path), "/proc/%d/cwd", pid);
	length = readlink(path, folder, sizeof(folder) - 1);
	folder[length < 0 ? 0 : length] = '\0';
	return process_lives(pid) && strncmp(folder, host->profiles, strlen(host->profiles)) == 0;
}

static const char *
check_unwanted(struct host *host, const struct column *column)
{
	pid_t pids[8];
	unsigned count, i;

	if (column->starts > 0)
		REQUIRE_CELL(comes_true(host_count_log(host, " %s stopped$", column->name) > 0));
	REQUIRE_CELL(comes_true(listed(host, column->name, "stopped", 0)));
	count = starts_of(host, column->name, pids, 8);
	REQUIRE_CELL(count == column->starts);
	for (i = 0; i < count; i++)
		REQUIRE_CELL(!copy_lives(host, pids[i]));
	REQUIRE_CELL(host_count_log(host, " %s stopped$", column->name) == column->starts);
	return NULL;
}

static const char *
check_wanted(struct host *host, const struct column *column, pid_t before)
{
	pid_t pids[8];
	unsigned count, i;

	REQUIRE_CELL(comes_true(starts_of(host, column->name, pids, 8) >= column->starts));
	count = starts_of(host, column->name, pids, 8);
	REQUIRE_CELL(count == column->starts);
	REQUIRE_CELL(!column->same || pids[0] == before);
	for (i = 0; i + 1 < count; i++)
		REQUIRE_CELL(!copy_lives(host, pids[i]));
	REQUIRE_CELL(copy_lives(host, pids[count - 1]));
	REQUIRE_CELL(comes_true(listed(host, column->name, "running", pids[count - 1])));
	REQUIRE_CELL(
	    host_count_log(host, " %s running pid %d$", column->name, pids[count - 1]) > 0);
	return NULL;
}

static const char *
check_cell(struct host *host, const struct column *column, pid_t before)
{
	const char *wrong;
	unsigned said;

	if (strcmp(column->name, "backoff") == 0)
		return check_backoff(host);
	wrong = column->wanted ? check_wanted(host, column, before) : check_unwanted(host, column);
	if (wrong != NULL)
		return wrong;
	/* a start that the parent's death has undone before the exec is begun once more */
	said = host_count_log(host, " %s starting$", column->name);
	REQUIRE_CELL(said == column->starts ||
	    (strcmp(column->name, "later") == 0 && said == column->starts + 1));
	REQUIRE_CELL(strcmp(column->name, "reloading") != 0 ||
	    comes_true(exists(host, "reloading", "hups")));
	return NULL;
}

static unsigned
zombies_of(pid_t parent)
{
	DIR *processes = opendir("/proc");
	const struct dirent *entry;
	unsigned zombies = 0;
	char state[32];
	pid_t pid;

	assert_non_null(processes);
	while ((entry = readdir(processes)) != NULL) {
		pid = (pid_t)strtol(entry->d_name, NULL, 10);
		if (pid > 0 && process_parent(pid) == parent &&
		    process_status(pid, "State", state, sizeof(state))[0] == 'Z')
			zombies++;
	}
	(void)closedir(processes);
	return zombies;
}

static struct row *current_row;

static void
one_copy_of_each_wanted_service_and_none_of_another(void **state)
{
	pid_t before[COLUMNS] = {0};
	struct host *host = *state;
	const char *wrong;
	struct held held;
	bool well = true;
	size_t i;

	arrange(host, &held);
	for (i = 0; i < COLUMNS; i++)
		(void)starts_of(host, columns[i].name, &before[i], 1);
	before[column_named("newborn") - columns] = held.newborn;
	strike(host, current_row);
	release(host, &held);
	for (i = 0; i < COLUMNS; i++) {
		if (strcmp(columns[i].name, "newborn") == 0 && held.newborn == 0)
			continue;
		wrong = check_cell(host, &columns[i], before[i]);
		(void)snprintf(
		    current_row->cells[i], CELL_BYTES, "%s", wrong == NULL ? "ok" : wrong);
		well = well && wrong == NULL;
	}
	if (!well)
		host_print_log(host);
	assert_true(well);
	assert_false(exists(host, ".", "second"));
	wait_until(zombies_of(host->supervisor) + zombies_of(host_monitor(host)) +
		zombies_of(host_spawner(host)) ==
	    0);
	/* no line is torn, and none is of another form */
	assert_int_equal(host_count_log(host, "^"),
	    host_count_log(host, "^[0-9T:.-]{23}Z (FATAL|WARN |INFO ) [^ ]+ [^ ]"));
	assert_int_equal(host_count_log(host, " ProcLaunch .* lost$"), 0);
	host_stop_all(host);
	host_wait_deserted(host);
	assert_false(exists(host, ".", "second"));
}

/* --- the rows, side by side ------------------------------------------------------------------ */

static _Noreturn void
run_row(struct row *row)
{
	const struct CMUnitTest with_cgroups[] = {
	    ROOT_TEST(one_copy_of_each_wanted_service_and_none_of_another)};
	const struct CMUnitTest with_sessions[] = {
	    SESSIONS_TEST(one_copy_of_each_wanted_service_and_none_of_another)};
	int failed;

	current_row = row;
	(void)dup2(fileno(row->output), STDOUT_FILENO);
	(void)dup2(fileno(row->output), STDERR_FILENO);
	(void)alarm(ROW_WITHIN);
	failed = row->sessions ? cmocka_run_group_tests_name(row->title, with_sessions, NULL, NULL)
			       : cmocka_run_group_tests_name(row->title, with_cgroups, NULL, NULL);
	(void)fflush(NULL);
	_exit(failed);
}

static int
begin_all(void **state)
{
	char(*cells)[CELL_BYTES] = mmap(NULL, ROWS * COLUMNS * CELL_BYTES, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	size_t i;

	(void)state;
	assert_true(cells != MAP_FAILED);
	(void)fflush(NULL);
	for (i = 0; i < ROWS; i++) {
		rows[i].cells = cells + i * COLUMNS;
		rows[i].output = tmpfile();
		assert_non_null(rows[i].output);
		rows[i].runner = fork();
		assert_true(rows[i].runner >= 0);
		if (rows[i].runner == 0)
			run_row(&rows[i]);
	}
	return 0;
}

static void
print_output(FILE *output)
{
	char line[1024];

	rewind(output);
	while (fgets(line, sizeof(line), output) != NULL)
		(void)fputs(line, stderr);
}

static void
nothing_is_lost_doubled_or_forgotten(void **state)
{
	struct row *row = *state;
	size_t i, tried = 0;
	int status = 0;

	assert_int_equal(waitpid(row->runner, &status, 0), row->runner);
	row->runner = 0;
	if (status != 0)
		print_output(row->output);
	assert_int_equal(status, 0);
	for (i = 0; i < COLUMNS; i++) {
		if (row->cells[i][0] == '\0')
			continue;
		assert_string_equal(row->cells[i], "ok");
		tried++;
	}
	assert_true(tried >= COLUMNS - 1); /* all, but for who cannot be held without cgroups */
}

static int
print_table(void **state)
{
	size_t i, j;

	(void)state;
	for (j = 0; j < COLUMNS; j++)
		(void)printf("%s%2zu %-18s", j % 4 == 0 ? "\n" : "  ", j + 1, columns[j].title);
	(void)printf("\n\n");
	(void)printf("%-8s %-17s", "signal", "process");
	for (j = 0; j < COLUMNS; j++)
		(void)printf(" %4zu", j + 1);
	for (i = 0; i < ROWS; i++) {
		(void)printf("\n%-8s %-17s", rows[i].number == SIGKILL ? "SIGKILL" : "SIGSTOP",
		    rows[i].title);
		for (j = 0; j < COLUMNS; j++)
			(void)printf(" %4s",
			    rows[i].cells[j][0] == '\0'		      ? "-"
				: strcmp(rows[i].cells[j], "ok") == 0 ? "ok"
								      : "FAIL");
		(void)fclose(rows[i].output);
	}
	(void)printf("\n");
	for (i = 0; i < ROWS * COLUMNS; i++)
		if (rows[0].cells[i][0] != '\0' && strcmp(rows[0].cells[i], "ok") != 0)
			(void)printf("%s of %s, %s: not so: %s\n",
			    rows[i / COLUMNS].number == SIGKILL ? "SIGKILL" : "SIGSTOP",
			    rows[i / COLUMNS].title, columns[i % COLUMNS].title, rows[0].cells[i]);
	return 0;
}

int
main(void)
{
	struct CMUnitTest tests[ROWS];
	char names[ROWS][96];
	size_t i;

	for (i = 0; i < ROWS; i++) {
		(void)snprintf(names[i], sizeof(names[i]),
		    "nothing_is_lost_doubled_or_forgotten (%s of %s)",
		    rows[i].number == SIGKILL ? "SIGKILL" : "SIGSTOP", rows[i].title);
		tests[i] = (struct CMUnitTest){.name = names[i],
		    .test_func = nothing_is_lost_doubled_or_forgotten,
		    .initial_state = &rows[i]};
	}
	return cmocka_run_group_tests_name("crash matrix", tests, begin_all, print_table);
}
