/*
 * What is tried before an upgrade: each new binary names its version, as nobody. Where a probe
 * cannot be made what it is to be (without privileges, with the limits that we were started with)
 * the new binary is not executed, and there is no upgrade.
 *
 * The new binaries are this program: asked for its version it names one, as whoever it is run.
 */
#include <sys/wait.h>

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "births.h"
#include "child.h"
#include "children.h"
#include "files.h"
#include "inform.h"
#include "leave.h"
#include "nofile.h"
#include "path.h"
#include "privdrop.h"
#include "processes.h"
#include "upgrade.h"

#define PROBES 3
#define UID    64997 /* of no account and no process */

/* --- what of the parent the object calls --- */

static struct {
	enum stage drop; /* what fails of the drop of privileges */
	int restore;	 /* what nofile_restore() returns */
} answers;

static bool held;    /* all have been proved: births wait for the new programs */
static int reported; /* errno of the upgrade that is none; 0: it goes on */

void
births_hold(bool hold)
{
	held = hold;
}

bool
births_under_way(void)
{
	return false;
}

const char *
children_path(enum child_kind kind)
{
	(void)kind;
	return "/proc/self/exe";
}

void
children_end(bool heed)
{
	(void)heed;
}

void
children_go_on(void)
{
}

void
files_inherit_lock(int descriptor)
{
	(void)descriptor;
}

void
files_keep(int *lock, int *control)
{
	*lock = *control = -1;
}

/* a new parent could begin */
int
files_open_log(struct file_facts *facts, bool read)
{
	REQUIRE(!read && facts->age == 0);
	return dup(STDERR_FILENO);
}

const char *
path_spoilt(void)
{
	return NULL;
}

void
inform_report(enum report report, int value, const char *text)
{
	(void)text;
	REQUIRE(report == REPORT_NOT_UPGRADED);
	reported = value;
}

bool
inform_written(void)
{
	return true;
}

bool
leave_intended(void)
{
	return false;
}

uint32_t
nofile_raise(void)
{
	return 0;
}

int
nofile_restore(void)
{
	return answers.restore;
}

enum stage
privdrop(uid_t uid, gid_t gid, const gid_t *groups, size_t count)
{
	(void)groups;
	if (answers.drop == STAGE_NONE && (uid != UID || gid != UID || count != 0))
		return STAGE_SETGROUPS;
	return answers.drop;
}

void
processes_keep(void)
{
}

/* --- the tests, each in a process of its own --- */

/* Begins an upgrade, and lets all come in of how its probes end. */
static void
probe(void)
{
	char *arguments[] = {NULL};
	siginfo_t how;
	unsigned ended;

	REQUIRE(upgrade_remember(arguments) == NULL);
	upgrade_configure(UID, UID);
	upgrade_begin();
	for (ended = 0; waitid(P_ALL, 0, &how, WEXITED) == 0; ended++)
		upgrade_reaped(&how);
	REQUIRE(ended == (reported == 0 ? PROBES : 1));
}

static void
upgrade(void *context)
{
	(void)context;
	probe();
	REQUIRE(held && reported == 0);
}

static void
upgrade_as_root(void *context)
{
	answers.drop = *(enum stage *)context;
	probe();
	REQUIRE(!held && reported == ENOEXEC);
}

static void
upgrade_without_limits(void *context)
{
	(void)context;
	answers.restore = -1;
	probe();
	REQUIRE(!held && reported == ENOEXEC);
}

static void
what_names_its_version_without_privileges_may_take_over(void **state)
{
	(void)state;
	child_run(upgrade, NULL);
}

static void
what_cannot_be_tried_without_privileges_is_not_executed(void **state)
{
	enum stage stages[] = {
	    STAGE_SETGROUPS, STAGE_SETRESGID, STAGE_SETRESUID, STAGE_REGAIN, STAGE_VERIFY};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(stages) / sizeof(stages[0]); i++)
		child_run(upgrade_as_root, &stages[i]);
}

static void
what_cannot_be_tried_under_the_limits_of_the_start_is_not_executed(void **state)
{
	(void)state;
	child_run(upgrade_without_limits, NULL);
}

int
main(int count, char **arguments)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_names_its_version_without_privileges_may_take_over),
	    cmocka_unit_test(what_cannot_be_tried_without_privileges_is_not_executed),
	    cmocka_unit_test(what_cannot_be_tried_under_the_limits_of_the_start_is_not_executed),
	};

	if (count == 2 && strcmp(arguments[1], "--version") == 0)
		return puts("a version") < 0;
	return cmocka_run_group_tests_name("probe", tests, NULL, NULL);
}
