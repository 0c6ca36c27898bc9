/*
 * Daemons that others have written: nginx, redis and memcached, as Debian has them. Each is
 * configured below the test's own directory and listens on a free port of the loopback alone.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
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

static struct sockaddr_in
loopback(int port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* One that nobody listens on now. */
static int
free_port(void)
{
	struct sockaddr_in address = loopback(0);
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(listener != -1);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
	assert_int_equal(close(listener), 0);
	return ntohs(address.sin_port);
}

/* Connects, says `question`, and looks for `answer` in what comes back. */
static bool
converse(int port, const char *question, const char *answer)
{
	const struct timeval patience = {.tv_sec = 5};
	struct sockaddr_in address = loopback(port);
	int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char text[1024] = "";
	size_t length = 0;
	ssize_t got = 0;
	bool heard = false;

	if (setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0 &&
	    connect(connection, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	    send(connection, question, strlen(question), MSG_NOSIGNAL) ==
		(ssize_t)strlen(question)) {
		do {
			got = recv(connection, text + length, sizeof(text) - 1 - length, 0);
			length += got > 0 ? (size_t)got : 0;
			text[length] = '\0';
			heard = strstr(text, answer) != NULL;
		} while (got > 0 && !heard);
	}
	(void)close(connection);
	return heard;
}

#define HTTP_QUESTION "GET / HTTP/1.0\r\n\r\n"

static bool
nginx_answers(int port)
{
	return converse(port, HTTP_QUESTION, "HTTP/1.1 200 OK\r\n");
}

static bool
redis_answers(int port)
{
	return converse(port, "PING\r\n", "+PONG\r\n");
}

static bool
memcached_answers(int port)
{
	return converse(port, "version\r\n", "VERSION 1");
}

static void
write_nginx_configuration(struct host *host, const char *profile, int port, const char *body)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/nginx.conf", profile);
	host_write(host, path, 0644,
	    "%s pid %s/%s/nginx.pid; error_log stderr; worker_processes 1;\n"
	    "events { worker_connections 64; }\n"
	    "http {\n"
	    "	access_log off;\n"
	    "	client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;\n"
	    "	uwsgi_temp_path uwsgi; scgi_temp_path scgi;\n"
	    "	server { listen 127.0.0.1:%d; location / { return 200 \"%s\\n\"; } }\n"
	    "}\n",
	    host->uid == 0 ? "user " TENANT ";" : "", host->profiles, profile, port, body);
}

/* A directory in the profile that whom it runs as may write to; root's services run as a tenant. */
static void
give_to_tenant(struct host *host, const char *profile)
{
	char path[128], full[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/data", profile);
	host_path(host, path, full, sizeof(full));
	assert_int_equal(mkdir(full, 0755), 0);
	assert_int_equal(chown(full, account_uid(TENANT), account_gid(TENANT)), 0);
	(void)snprintf(path, sizeof(path), "%s/user", profile);
	host_write(host, path, 0644, "%s\n", TENANT);
}

static pid_t
kill_and_wait_for_another(struct host *host, const char *name, pid_t pid)
{
	pid_t another;

	host_mark_log(host);
	assert_int_equal(kill(pid, SIGKILL), 0);
	host_wait_log(host, " INFO  %s died pid %d signal SIGKILL$", name, pid);
	another = host_wait_running(host, name);
	assert_int_not_equal(another, pid);
	return another;
}

static void
stop_and_find_nothing(struct host *host, int port, bool (*answers)(int port))
{
	host_stop_all(host);
	host_wait_deserted(host);
	assert_false(answers(port));
}

/* Started, killed, back again, restarted when a file changes, stopped; it answers all the while. */
static void
live_a_life(struct host *host, const char *name, int port, bool (*answers)(int port))
{
	char path[128];
	pid_t pid;

	(void)snprintf(path, sizeof(path), "%s/restart", name);
	host_write(host, path, 0644, "%s", "");
	host_start(host);
	pid = host_wait_running(host, name);
	wait_until(answers(port));
	if (host->uid == 0 && strcmp(name, "nginx") != 0)
		assert_int_equal(process_uid(pid), account_uid(TENANT));
	pid = kill_and_wait_for_another(host, name, pid);
	wait_until(answers(port));
	host_mark_log(host);
	(void)snprintf(path, sizeof(path), "%s/run", name);
	host_touch(host, path);
	host_wait_log(host, " INFO  %s changed\\. Restarting\\.$", name);
	assert_int_not_equal(host_wait_running(host, name), pid);
	wait_until(answers(port));
	stop_and_find_nothing(host, port, answers);
}

static void
redis_that_daemonises_itself_is_supervised(void **state)
{
	struct host *host = *state;
	int port = free_port();

	host_profile(host, "redis", "exec redis-server \"$PWD/redis.conf\"");
	give_to_tenant(host, "redis");
	host_write(host, "redis/pid_file", 0644, "data/redis.pid\n");
	host_write(host, "redis/redis.conf", 0644,
	    "daemonize yes\nbind 127.0.0.1\nport %d\nsave \"\"\ndir %s/redis/data\n"
	    "pidfile %s/redis/data/redis.pid\n",
	    port, host->profiles, host->profiles);
	live_a_life(host, "redis", port, redis_answers);
}

static void
memcached_that_daemonises_itself_is_supervised(void **state)
{
	struct host *host = *state;
	int port = free_port();

	host_profile(host, "memcached",
	    "exec memcached -d -P \"$PWD/data/memcached.pid\" -l 127.0.0.1 -p %d -U 0 -m 8", port);
	give_to_tenant(host, "memcached");
	host_write(
	    host, "memcached/pid_file", 0644, "%s/memcached/data/memcached.pid\n", host->profiles);
	live_a_life(host, "memcached", port, memcached_answers);
}

static void
nginx_in_the_foreground_is_supervised(void **state)
{
	struct host *host = *state;
	int port = free_port();

	host_profile(
	    host, "nginx", "exec nginx -e stderr -p \"$PWD\" -c nginx.conf -g 'daemon off;'");
	write_nginx_configuration(host, "nginx", port, "one");
	live_a_life(host, "nginx", port, nginx_answers);
}

/* Asks again and again, each time over a new connection, until `stop` is closed. */
struct tally {
	unsigned asked;
	unsigned failed;
};

static pid_t
start_asking(int port, int *stop, int *result)
{
	struct tally tally = {0, 0};
	struct pollfd end = {.events = POLLIN};
	int stops[2], results[2];
	pid_t pid;

	assert_int_equal(pipe2(stops, O_CLOEXEC), 0);
	assert_int_equal(pipe2(results, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)close(stops[1]);
		end.fd = stops[0];
		for (; poll(&end, 1, 0) == 0; tally.asked++)
			tally.failed += !nginx_answers(port);
		_exit(write(results[1], &tally, sizeof(tally)) == sizeof(tally) ? 0 : 1);
	}
	(void)close(stops[0]);
	(void)close(results[1]);
	*stop = stops[1];
	*result = results[0];
	return pid;
}

static struct tally
stop_asking(pid_t pid, int stop, int result)
{
	struct tally tally = {0, 0};

	(void)close(stop);
	assert_int_equal(read(result, &tally, sizeof(tally)), sizeof(tally));
	(void)close(result);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return tally;
}

static void
nginx_that_daemonises_itself_is_reloaded_without_losing_a_request(void **state)
{
	struct host *host = *state;
	int port = free_port(), stop, result, i;
	struct tally tally;
	char body[32];
	pid_t pid, asking;

	host_profile(host, "nginx", "exec nginx -e stderr -p \"$PWD\" -c nginx.conf");
	host_write(host, "nginx/pid_file", 0644, "nginx.pid\n");
	host_write(host, "nginx/restart", 0644, "%s", "");
	host_write(host, "nginx/reload", 0644, "HUP\n");
	write_nginx_configuration(host, "nginx", port, "one");
	host_start(host);
	pid = host_wait_running(host, "nginx");
	wait_until(nginx_answers(port));

	/* its workers outlive the master, and have to go before another can listen */
	pid = kill_and_wait_for_another(host, "nginx", pid);
	wait_until(nginx_answers(port));

	host_mark_log(host);
	asking = start_asking(port, &stop, &result);
	for (i = 1; i <= 3; i++) {
		(void)snprintf(body, sizeof(body), "generation %d", i);
		write_nginx_configuration(host, "nginx", port, body);
		host_touch(host, "nginx/run");
		wait_until(converse(port, HTTP_QUESTION, body));
		wait_until(host_count_log(host, " INFO  nginx reloading$") == (unsigned)i);
	}
	tally = stop_asking(asking, stop, result);
	assert_int_equal(tally.failed, 0);
	assert_true(tally.asked > 10);
	assert_int_equal(host_count_log(host, " INFO  nginx reloading$"), 3);
	assert_int_equal(host_count_log(host, " nginx (died|starting|stopping)"), 0);
	assert_true(process_lives(pid));
	stop_and_find_nothing(host, port, nginx_answers);
}

/* A container without any network has none, or it is down. */
static int
find_loopback(void **state)
{
	struct sockaddr_in address = loopback(9);
	int probe = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool found =
	    probe != -1 && connect(probe, (struct sockaddr *)&address, sizeof(address)) == 0;

	(void)state;
	if (!found)
		print_error("the daemons answer on 127.0.0.1: %s\n", strerror(errno));
	if (probe != -1)
		(void)close(probe);
	return found ? 0 : -1;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROOT_TEST(redis_that_daemonises_itself_is_supervised),
	    TENANT_TEST(redis_that_daemonises_itself_is_supervised),
	    SESSIONS_TEST(redis_that_daemonises_itself_is_supervised),
	    ROOT_TEST(memcached_that_daemonises_itself_is_supervised),
	    TENANT_TEST(memcached_that_daemonises_itself_is_supervised),
	    SESSIONS_TEST(memcached_that_daemonises_itself_is_supervised),
	    ROOT_TEST(nginx_in_the_foreground_is_supervised),
	    TENANT_TEST(nginx_in_the_foreground_is_supervised),
	    SESSIONS_TEST(nginx_in_the_foreground_is_supervised),
	    ROOT_TEST(nginx_that_daemonises_itself_is_reloaded_without_losing_a_request),
	    TENANT_TEST(nginx_that_daemonises_itself_is_reloaded_without_losing_a_request),
	    SESSIONS_TEST(nginx_that_daemonises_itself_is_reloaded_without_losing_a_request),
	};

	return cmocka_run_group_tests_name("daemons", tests, find_loopback, NULL);
}
