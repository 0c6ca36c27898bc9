/*
 * What a tenant can do to the FIFO that a service of his prints into, which is his: what he does to
 * it is his own loss, and nobody else's.
 */
#include <sys/stat.h>

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

#include "host.h"
#include "peer.h"

/* What stands in the log of a profile's output, as a string. */
static const char *
printed(const struct host *host, const char *name)
{
	static char text[65536];
	char path[PATH_MAX];
	FILE *file;
	size_t length;

	(void)snprintf(path, sizeof(path), "%s/output/%s.log", host->state, name);
	file = fopen(path, "re");
	text[0] = '\0';
	if (file == NULL)
		return text;
	length = fread(text, 1, sizeof(text) - 1, file);
	text[length] = '\0';
	(void)fclose(file);
	return text;
}

static void
make_printer(struct host *host, const char *name)
{
	char file[64];

	host_profile(host, name, "echo i am $USER; exec sleep 1000");
	(void)snprintf(file, sizeof(file), "%s/output", name);
	host_write(host, file, 0644, "format raw\n");
	(void)snprintf(file, sizeof(file), "%s/restart", name);
	host_write(host, file, 0644, "%s", "");
	(void)snprintf(file, sizeof(file), "%s/user", name);
	host_write(host, file, 0644, "%s\n", TENANT);
}

/* Ends it, and waits for the next one. */
static pid_t
restart(struct host *host, const char *name, pid_t service)
{
	host_mark_log(host);
	assert_int_equal(kill(service, SIGKILL), 0);
	return host_wait_running(host, name);
}

static void
whoever_had_a_fifo_before_cannot_read_what_the_next_user_prints(void **state)
{
	struct host *host = *state;
	struct stat before, after;
	char byte[64];
	pid_t service;
	int kept, now;

	make_printer(host, "web");
	host_start(host);
	service = host_wait_running(host, "web");
	wait_until(strstr(printed(host, "web"), "i am " TENANT "\n") != NULL);
	kept = peer_take(service, STDOUT_FILENO); /* he has handed it to a friend */
	assert_int_equal(fcntl(kept, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(write(kept, "the last of mine\n", 17), 17);
	host_mark_log(host);
	host_write(host, "web/user", 0644, "%s\n", OTHER_TENANT);
	service = host_wait_running(host, "web");
	assert_int_equal(process_uid(service), account_uid(OTHER_TENANT));
	wait_until(strstr(printed(host, "web"), "i am " OTHER_TENANT "\n") != NULL);
	assert_string_equal(
	    printed(host, "web"), "i am " TENANT "\nthe last of mine\ni am " OTHER_TENANT "\n");
	now = peer_take(service, STDOUT_FILENO);
	assert_true(fstat(kept, &before) == 0 && fstat(now, &after) == 0);
	assert_int_not_equal(before.st_ino, after.st_ino);
	assert_int_equal(after.st_uid, account_uid(OTHER_TENANT));
	/* the monitor, which has another one now, left nothing in the old */
	assert_true(read(kept, byte, sizeof(byte)) == -1 && errno == EAGAIN);
	assert_int_equal(close(kept) | close(now), 0);
	host_stop_all(host);
}

static void
what_one_service_does_to_its_fifo_does_not_reach_the_next_one(void **state)
{
	struct host *host = *state;
	char path[PATH_MAX];
	struct stat status;
	pid_t service;
	int fifo;

	make_printer(host, "web");
	host_start(host);
	service = host_wait_running(host, "web");
	wait_until(strstr(printed(host, "web"), "i am " TENANT "\n") != NULL);
	fifo = peer_take(service, STDOUT_FILENO);
	/* non-blocking, without a mode, smaller than a line, and of packets */
	assert_int_equal(fcntl(fifo, F_SETFL, O_NONBLOCK | O_DIRECT), 0);
	assert_int_equal(fchmod(fifo, 0), 0);
	assert_true(fcntl(fifo, F_SETPIPE_SZ, 4096) != -1);
	service = restart(host, "web", service);
	wait_until(strstr(printed(host, "web"), "i am " TENANT "\ni am " TENANT "\n") != NULL);
	assert_int_equal(close(fifo), 0);
	fifo = peer_take(service, STDOUT_FILENO);
	assert_int_equal(fcntl(fifo, F_GETFL) & O_NONBLOCK, 0);
	/* nor does it keep the next monitor, or the next parent, from reading it */
	assert_int_equal(kill(host_monitor(host), SIGKILL), 0);
	assert_int_equal(write(fifo, "after the monitor\n", 18), 18);
	wait_until(strstr(printed(host, "web"), "after the monitor\n") != NULL);
	host_crash(host);
	host_start(host);
	service = host_wait_running(host, "web");
	service = restart(host, "web", service);
	wait_until(strstr(printed(host, "web"), "after the monitor\ni am " TENANT "\n") != NULL);
	(void)snprintf(path, sizeof(path), "%s/fifo/web.out", host->state);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_uid, account_uid(TENANT));
	assert_int_equal(close(fifo), 0);
	host_stop_all(host);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROOT_TEST(whoever_had_a_fifo_before_cannot_read_what_the_next_user_prints),
	    ROOT_TEST(what_one_service_does_to_its_fifo_does_not_reach_the_next_one),
	};

	return cmocka_run_group_tests_name("games with FIFOs", tests, NULL, NULL);
}
