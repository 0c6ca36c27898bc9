/*
 * A ledger that is torn, foreign or of another boot: nothing in it is believed, and nobody is sent
 * a signal on its word. And what is taken over from a true one is a full citizen.
 */
#include <sys/utsname.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "canary.h"
#include "guard.h"
#include "host.h"
#include "message.h"

/* The record as it lies on the disk; tests/unit/ledger_test.c holds the room to it. */
#define RECORD_BYTES 512
#define SUM_AT	     8
#define BOOT_AT	     16
#define NAME_AT	     56
#define TICKS_AT     208
#define PROCESS_AT   216

static int
open_ledger(const struct host *host)
{
	char path[PATH_MAX];
	int file;

	(void)snprintf(path, sizeof(path), "%s/ledger", host->state);
	file = open(path, O_RDWR | O_CLOEXEC);
	assert_true(file != -1);
	return file;
}

static void
sum_up(unsigned char *record)
{
	uint64_t sum = 14695981039346656037ULL;
	size_t i;

	for (i = 0; i < RECORD_BYTES; i++)
		if (i < SUM_AT || i >= BOOT_AT)
			sum = (sum ^ record[i]) * 1099511628211ULL;
	memcpy(record + SUM_AT, &sum, sizeof(sum));
}

static uint64_t
start_ticks(pid_t pid)
{
	char text[1024], *field;
	int i;

	assert_true(read_proc(pid, "stat", text, sizeof(text)) > 0);
	field = strrchr(text, ')');
	for (i = 2; i < 22; i++) /* starttime is the 22nd, proc(5) */
		field = strchr(field + 1, ' ');
	return strtoull(field, NULL, 10);
}

/* How the record of the profile of that name is falsified; each comes to name the canary. */
enum lie { TORN, OTHER_BOOT, OTHER_START, OTHER_INDEX, OTHER_MAGIC, HALF, LIES };
static const char *const names[LIES] = {
    "torn", "other-boot", "other-start", "other-index", "other-magic", "half"};

static void
falsify(unsigned char *record, enum lie lie, pid_t canary)
{
	uint64_t ticks = start_ticks(canary);

	memcpy(record + PROCESS_AT + offsetof(struct process_facts, pid), &canary, sizeof(canary));
	if (lie != OTHER_START)
		memcpy(record + TICKS_AT, &ticks, sizeof(ticks));
	if (lie == TORN)
		return;
	if (lie == OTHER_BOOT)
		record[BOOT_AT] = record[BOOT_AT] == '0' ? '1' : '0';
	if (lie == OTHER_INDEX)
		record[4] ^= 64;
	if (lie == OTHER_MAGIC)
		record[0] ^= 1;
	sum_up(record);
	if (lie == HALF) /* the second half is an older one */
		memset(record + RECORD_BYTES / 2, 0, RECORD_BYTES / 2);
}

static unsigned
falsify_all(const struct host *host, pid_t canary)
{
	int file = open_ledger(host);
	unsigned char record[RECORD_BYTES];
	unsigned found = 0, lie;
	off_t at = 0;

	for (; pread(file, record, RECORD_BYTES, at) == RECORD_BYTES; at += RECORD_BYTES) {
		for (lie = 0; lie < LIES; lie++) {
			if (strcmp((const char *)record + NAME_AT, names[lie]) != 0)
				continue;
			falsify(record, (enum lie)lie, canary);
			assert_int_equal(pwrite(file, record, RECORD_BYTES, at), RECORD_BYTES);
			found++;
		}
	}
	assert_int_equal(close(file), 0);
	return found;
}

static void
a_false_record_sends_nobody_a_signal_and_its_profile_is_started_anew(void **state)
{
	pid_t canary = canary_begin("root"), pids[LIES];
	struct host *host = *state;
	unsigned i;

	for (i = 0; i < LIES; i++)
		host_profile(host, names[i], GUARD "exec sleep 1000");
	host_start(host);
	for (i = 0; i < LIES; i++)
		pids[i] = host_wait_running(host, names[i]);
	host_crash(host);
	for (i = 0; i < LIES; i++) {
		assert_int_equal(kill(pids[i], SIGKILL), 0);
		process_wait_gone(pids[i]);
	}
	assert_int_equal(falsify_all(host, canary), LIES);
	for (i = 0; i < LIES; i++) {
		char file[64];

		(void)snprintf(file, sizeof(file), "%s/restart", names[i]);
		host_write(host, file, 0644, "%s", "");
	}
	host_mark_log(host);
	host_start(host);
	for (i = 0; i < LIES; i++)
		assert_int_not_equal(host_wait_running(host, names[i]), canary);
	canary_assert_unharmed(canary);
	host_stop_all(host);
	canary_assert_unharmed(canary);
	canary_end(canary);
}

static void
a_false_record_of_a_profile_that_has_gone_sends_nobody_a_signal(void **state)
{
	pid_t canary = canary_begin("root"), pids[LIES];
	struct host *host = *state;
	unsigned i;

	for (i = 0; i < LIES; i++)
		host_profile(host, names[i], GUARD "exec sleep 1000");
	host_start(host);
	for (i = 0; i < LIES; i++)
		pids[i] = host_wait_running(host, names[i]);
	host_crash(host);
	for (i = 0; i < LIES; i++) {
		assert_int_equal(kill(pids[i], SIGKILL), 0);
		process_wait_gone(pids[i]);
		host_remove(host, names[i]);
	}
	assert_int_equal(falsify_all(host, canary), LIES);
	host_start(host);
	host_settle(host);
	canary_assert_unharmed(canary);
	host_stop_all(host);
	canary_assert_unharmed(canary);
	canary_end(canary);
}

static void
noise_in_the_place_of_the_ledger_is_survived(void **state)
{
	struct host *host = *state;
	unsigned char noise[4096];
	uint32_t random = 2463534242U;
	unsigned round;
	pid_t pid;
	size_t i;
	int file;

	host_profile(host, "web", GUARD "exec sleep 1000");
	for (round = 0; round < 5; round++) {
		host_mark_log(host);
		host_start(host);
		pid = host_wait_running(host, "web");
		host_stop_all(host);
		assert_false(process_lives(pid));
		for (i = 0; i < sizeof(noise); i++) {
			random ^= random << 13, random ^= random >> 17, random ^= random << 5;
			noise[i] = (unsigned char)random;
		}
		file = open_ledger(host);
		assert_int_equal(write(file, noise, sizeof(noise)), sizeof(noise));
		if (round % 2 == 0) /* and it ends in the middle of a record */
			assert_int_equal(ftruncate(file, RECORD_BYTES * 3 + 100), 0);
		assert_int_equal(close(file), 0);
	}
}

/* Linux 6.15 tells how a process ended that another one reaps. */
static bool
kernel_tells_status(void)
{
	struct utsname kernel;
	int major, minor;

	assert_int_equal(uname(&kernel), 0);
	assert_int_equal(sscanf(kernel.release, "%d.%d", &major, &minor), 2);
	return major > 6 || (major == 6 && minor >= 15);
}

static void
the_death_of_an_adopted_service_is_noticed_at_once_with_its_status(void **state)
{
	const char *told = kernel_tells_status() ? "" : "?";
	long long died[2], stopped[2];
	struct host *host = *state;
	pid_t status, killed;

	host_profile(host, "status", GUARD UNTIL("../go") "exit 7");
	host_profile(host, "killed", GUARD "exec sleep 1000");
	host_profile(host, "marker", GUARD "exec sleep 1000");
	host_start(host);
	status = host_wait_running(host, "status");
	killed = host_wait_running(host, "killed");
	host_crash(host);
	host_start(host);
	host_settle(host);
	assert_int_equal(kill(killed, SIGUSR1), 0);
	host_remove(host, "marker"); /* what the log says next has a time */
	host_wait_log(host, " INFO  killed died pid %d( signal SIGUSR1)%s$", killed, told);
	host_wait_log(host, " marker disappeared");
	assert_int_equal(host_log_times(host, died, 2, " killed died "), 1);
	assert_int_equal(host_log_times(host, stopped, 2, " marker disappeared"), 1);
	assert_true(died[0] <= stopped[0] + 500); /* a busy machine ends it a little later */
	host_write(host, "go", 0644, "%s", "");
	host_wait_log(host, " INFO  status died pid %d( exit 7)%s$", status, told);
	host_stop_all(host);
}

/* It was reaped while we could not look: its number may be another's by now. */
static void
how_an_adopted_service_ended_is_told_though_it_was_reaped_before_we_looked(void **state)
{
	const char *told = kernel_tells_status() ? "" : "?";
	struct host *host = *state;
	pid_t web;

	host_profile(host, "web", GUARD "exec sleep 1000");
	host_start(host);
	web = host_wait_running(host, "web");
	host_crash_and_inherit(host);
	host_mark_log(host);
	host_start(host);
	host_settle(host);
	assert_int_equal(kill(host->supervisor, SIGSTOP), 0);
	assert_int_equal(kill(web, SIGUSR1), 0);
	assert_int_equal(waitpid(web, NULL, 0), web);
	assert_int_equal(kill(host->supervisor, SIGCONT), 0);
	host_wait_log(host, " INFO  web died pid %d( signal SIGUSR1)%s$", web, told);
	host_stop_all(host);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROOT_TEST(a_false_record_sends_nobody_a_signal_and_its_profile_is_started_anew),
	    SESSIONS_TEST(a_false_record_sends_nobody_a_signal_and_its_profile_is_started_anew),
	    ROOT_TEST(a_false_record_of_a_profile_that_has_gone_sends_nobody_a_signal),
	    SESSIONS_TEST(a_false_record_of_a_profile_that_has_gone_sends_nobody_a_signal),
	    ROOT_TEST(noise_in_the_place_of_the_ledger_is_survived),
	    TENANT_TEST(noise_in_the_place_of_the_ledger_is_survived),
	    ROOT_TEST(the_death_of_an_adopted_service_is_noticed_at_once_with_its_status),
	    SESSIONS_TEST(the_death_of_an_adopted_service_is_noticed_at_once_with_its_status),
	    ROOT_TEST(how_an_adopted_service_ended_is_told_though_it_was_reaped_before_we_looked),
	    TENANT_TEST(the_death_of_an_adopted_service_is_noticed_at_once_with_its_status),
	};

	return cmocka_run_group_tests_name("ledger lies", tests, NULL, NULL);
}
