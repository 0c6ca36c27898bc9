/*
 * `make run`: the demonstration supervises the examples with its log on the terminal until ^C, and
 * leaves nothing of it running, however often that is pressed.
 */
#include <sys/wait.h>

#include <fcntl.h>
#include <limits.h>
#include <regex.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "folder.h"
#include "host.h"

static pid_t script;
static char terminal[PATH_MAX]; /* what is a terminal otherwise */

static int
set_up(void **state)
{
	struct folder *folder;

	if (folder_set_up(state) != 0)
		return -1;
	folder = *state;
	(void)snprintf(terminal, sizeof(terminal), "%s", folder_path(folder, "terminal"));
	return 0;
}

static int
tear_down(void **state)
{
	if (script > 0) {
		(void)kill(script, SIGTERM);
		(void)waitpid(script, NULL, 0);
	}
	return folder_tear_down(state);
}

static void
start_demo(void)
{
	char program[PATH_MAX];
	int file;

	host_program("proclaunch", program, sizeof(program));
	script = fork();
	assert_int_not_equal(script, -1);
	if (script != 0)
		return;
	/* a shell catches nothing that was ignored when it began, as it is behind nohup or `&` */
	(void)signal(SIGINT, SIG_DFL);
	(void)signal(SIGTERM, SIG_DFL);
	file = open(terminal, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (file != -1 && dup2(file, STDOUT_FILENO) != -1 && dup2(file, STDERR_FILENO) != -1)
		(void)execl("examples/run-demo", "run-demo", program, NULL);
	_exit(127);
}

static const char *
shown(void)
{
	static char text[65536];
	FILE *file = fopen(terminal, "re");
	size_t length = 0;

	if (file != NULL) {
		length = fread(text, 1, sizeof(text) - 1, file);
		(void)fclose(file);
	}
	text[length] = '\0';
	return text;
}

static bool
is_shown(const char *pattern)
{
	regex_t expression;
	bool found;

	assert_int_equal(regcomp(&expression, pattern, REG_EXTENDED | REG_NEWLINE | REG_NOSUB), 0);
	found = regexec(&expression, shown(), 0, NULL, 0) == 0;
	regfree(&expression);
	return found;
}

static void
assert_none_lives(void)
{
	static const char words[] = " running pid ";
	const char *line = shown();

	while ((line = strstr(line, words)) != NULL) {
		line += strlen(words);
		assert_false(process_lives((pid_t)strtol(line, NULL, 10)));
	}
}

/* As a terminal does it: the key is pressed again while all is being stopped. */
static void
interrupt_leaves_nothing_of_the_demonstration(void **state)
{
	char folder[PATH_MAX];
	int status = 0;
	unsigned pressed;

	(void)state;
	start_demo();
	wait_until(is_shown(" INFO  clock running pid [0-9]+$"));
	wait_until(is_shown(" INFO  daemon running pid [0-9]+$"));
	wait_until(is_shown(" INFO  reloader running pid [0-9]+$"));
	wait_until(is_shown(geteuid() == 0 ? " INFO  other-user running pid"
					   : " WARN  other-user refused: user: "));
	assert_int_equal(
	    sscanf(strstr(shown(), "The profiles are in "), "The profiles are in %s", folder), 1);
	for (pressed = 0; pressed < 3; pressed++) {
		assert_int_equal(kill(script, SIGINT), 0);
		if (pressed == 0)
			wait_until(is_shown(" ProcLaunch received HUP\\."));
	}
	wait_until(waitpid(script, &status, WNOHANG) == script);
	script = 0;
	assert_int_equal(status, 0);
	assert_true(is_shown(" INFO  ProcLaunch all profiles stopped\\. Exiting\\.$"));
	assert_none_lives();
	folder[strlen(folder) - strlen("/profiles.")] = '\0';
	assert_int_equal(strncmp(folder, "/tmp/proclaunch-demo.", 21), 0);
	assert_int_equal(access(folder, F_OK), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		interrupt_leaves_nothing_of_the_demonstration, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("demo", tests, NULL, NULL);
}
