#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "cgroup.h"
#include "children.h"
#include "clock.h"
#include "files.h"
#include "inform.h"
#include "leave.h"
#include "processes.h"
#include "profiles.h"

#define EXIT_STOPPED_ALL 111
/* What a monitor needs to write its last lines, and a second one should the first have hung. */
#define LAST_LINES_WITHIN (3 * SECOND)

static enum { STAYING, CHECKING, STOPPING_ALL, LEAVING } intention = STAYING;
static int status;
static int64_t leave_at = NEVER;

static void
leave_soon(enum order order, int exit_status)
{
	intention = LEAVING;
	status = exit_status;
	leave_at = clock_now() + LAST_LINES_WITHIN;
	inform_order(order);
}

static void
stop_all(void)
{
	intention = STOPPING_ALL;
	PROFILES_FOREACH(profile) {
		if (profile->process.phase != PHASE_NONE) /* whoever owns it keeps us waiting */
			profiles_unread(profile->facts.name, ETIMEDOUT);
	}
	inform_order(ORDER_STOP_ALL);
}

void
leave_on_signal(int number)
{
	if (intention == CHECKING)
		exit(1);
	/* with process 1 the kernel ends everybody in its PID namespace: nobody would stay */
	if ((number == SIGTERM || number == SIGINT) && getpid() != 1) {
		if (intention != LEAVING)
			leave_soon(ORDER_LEAVE, 0);
	} else if (intention == STAYING) {
		stop_all();
	} else if (intention == STOPPING_ALL) {
		leave_soon(ORDER_LEAVE_NOW, EXIT_STOPPED_ALL);
	}
}

bool
leave_intended(void)
{
	return intention != STAYING;
}

void
leave_after_check(void)
{
	intention = CHECKING;
}

static _Noreturn void
leave(int exit_status)
{
	children_end(false);
	PROFILES_FOREACH(profile)
		cgroup_remove(profile->facts.name); /* where nothing lives */
	cgroup_end();
	files_hide_pid();
	exit(exit_status);
}

void
leave_when_done(void *subject, struct incoming *incoming)
{
	(void)subject;
	if (intention == CHECKING) {
		children_end(false);
		exit(incoming->message.number == 0 ? 0 : 1);
	}
	if (intention == LEAVING)
		leave(status);
	if (intention == STOPPING_ALL && processes_none())
		leave(EXIT_STOPPED_ALL);
}

int64_t
leave_deadline(void)
{
	return leave_at;
}

void
leave_tend(int64_t now)
{
	if (now >= leave_at)
		leave(status);
}
