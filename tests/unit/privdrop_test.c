/*
 * Giving up privileges: what is left afterwards, that there is no way back, and that every step
 * which fails, or says that it did not fail and has done nothing, is noticed. Each case runs in a
 * child; a seccomp filter makes a step fail or lie.
 */
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "child.h"
#include "privdrop.h"

/* Of no account and no process. */
#define UID   64997
#define GID   64998
#define OTHER 64999

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const gid_t groups[] = {64990, 64992, 64995};

/* The value of a line of /proc/self/status, which is the kernel's own word. */
static const char *
status_line(const char *field)
{
	static char line[65536];
	FILE *file = fopen("/proc/self/status", "re");
	size_t length = strlen(field);

	REQUIRE(file != NULL);
	while (fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, field, length) != 0 || line[length] != ':')
			continue;
		(void)fclose(file);
		line[strcspn(line, "\n")] = '\0';
		return line + length + 1;
	}
	(void)fclose(file);
	REQUIRE(!"the field is there");
	return NULL;
}

static void
require_no_capabilities(void)
{
	static const char *const sets[] = {"CapInh", "CapPrm", "CapEff", "CapAmb"};
	size_t i;

	for (i = 0; i < COUNT(sets); i++)
		REQUIRE(strcmp(status_line(sets[i]), "\t0000000000000000") == 0);
}

static void
require_ids(uid_t uid, gid_t gid)
{
	char expected[64];

	/* real, effective, saved and file system */
	(void)snprintf(expected, sizeof(expected), "\t%u\t%u\t%u\t%u", uid, uid, uid, uid);
	REQUIRE(strcmp(status_line("Uid"), expected) == 0);
	(void)snprintf(expected, sizeof(expected), "\t%u\t%u\t%u\t%u", gid, gid, gid, gid);
	REQUIRE(strcmp(status_line("Gid"), expected) == 0);
}

static void
require_no_way_back(void)
{
	const gid_t root = 0;

	REQUIRE(setuid(0) == -1 && errno == EPERM);
	REQUIRE(seteuid(0) == -1 && errno == EPERM);
	REQUIRE(setreuid((uid_t)-1, 0) == -1 && errno == EPERM);
	REQUIRE(setresuid((uid_t)-1, (uid_t)-1, 0) == -1 && errno == EPERM);
	REQUIRE(setuid(OTHER) == -1 && errno == EPERM);
	REQUIRE(setgid(0) == -1 && errno == EPERM);
	REQUIRE(setegid(0) == -1 && errno == EPERM);
	REQUIRE(setresgid((gid_t)-1, (gid_t)-1, 0) == -1 && errno == EPERM);
	REQUIRE(setgroups(1, &root) == -1 && errno == EPERM);
	REQUIRE(setgroups(0, NULL) == -1 && errno == EPERM);
	require_ids(UID, GID);
}

static void
set_capabilities(uint32_t effective, uint32_t permitted, uint32_t inheritable)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	memset(data, 0, sizeof(data));
	data[0].effective = effective;
	data[0].permitted = permitted;
	data[0].inheritable = inheritable;
	REQUIRE(syscall(SYS_capset, &header, data) == 0);
}

#define BIT(capability) (1U << (capability))
#define SOME                                                                  \
	(BIT(CAP_SETUID) | BIT(CAP_SETGID) | BIT(CAP_CHOWN) | BIT(CAP_KILL) | \
	    BIT(CAP_DAC_OVERRIDE) | BIT(CAP_SETPCAP))

static void
drop(void *context)
{
	(void)context;
	REQUIRE(privdrop(UID, GID, groups, COUNT(groups)) == STAGE_NONE);
	require_ids(UID, GID);
	REQUIRE(strcmp(status_line("Groups"), "\t64990 64992 64995 ") == 0);
	require_no_capabilities();
	require_no_way_back();
}

static void
every_id_group_and_capability_is_given_up(void **state)
{
	(void)state;
	child_run(drop, NULL);
}

static void
drop_with_groups_of_root(void *context)
{
	static const gid_t before[] = {0, 4, 27};

	(void)context;
	REQUIRE(setgroups(COUNT(before), before) == 0);
	REQUIRE(privdrop(UID, GID, NULL, 0) == STAGE_NONE);
	REQUIRE(getgroups(0, NULL) == 0);
	require_no_way_back();
}

static void
groups_that_are_not_named_are_given_up(void **state)
{
	(void)state;
	child_run(drop_with_groups_of_root, NULL);
}

static void
drop_with_many_groups(void *context)
{
	gid_t many[FORK_GROUPS_MAX], after[FORK_GROUPS_MAX + 1];
	unsigned i;

	(void)context;
	for (i = 0; i < FORK_GROUPS_MAX; i++)
		many[i] = 70000 + i;
	REQUIRE(privdrop(UID, GID, many, FORK_GROUPS_MAX) == STAGE_NONE);
	REQUIRE(getgroups(FORK_GROUPS_MAX + 1, after) == FORK_GROUPS_MAX);
	REQUIRE(memcmp(many, after, sizeof(many)) == 0);
}

static void
as_many_groups_as_a_request_holds_are_set(void **state)
{
	(void)state;
	child_run(drop_with_many_groups, NULL);
}

static void
drop_with_other_saved_ids(void *context)
{
	(void)context;
	REQUIRE(setresgid(0, OTHER, OTHER) == 0);
	REQUIRE(setresuid(OTHER, 0, OTHER) == 0);
	drop(NULL);
}

/* Not all that is not root's user has a group of its own. */
static void
drop_into_roots_group(void *context)
{
	(void)context;
	REQUIRE(privdrop(UID, 0, groups, COUNT(groups)) == STAGE_NONE);
	require_ids(UID, 0);
	require_no_capabilities();
}

static void
a_user_whose_group_is_roots_is_no_fault(void **state)
{
	(void)state;
	child_run(drop_into_roots_group, NULL);
}

static void
ids_that_differed_before_are_all_the_same_afterwards(void **state)
{
	(void)state;
	child_run(drop_with_other_saved_ids, NULL);
}

/* Whoever starts us may have set bits that keep the kernel from taking capabilities with uid 0. */
static void
drop_with_sticky_capabilities(void *context)
{
	const unsigned long *bits = context;

	REQUIRE(prctl(PR_SET_SECUREBITS, *bits, 0, 0, 0) == 0);
	set_capabilities(SOME, SOME, SOME);
	if ((*bits & SECBIT_NO_CAP_AMBIENT_RAISE) == 0)
		REQUIRE(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0) == 0);
	drop(NULL);
}

static void
capabilities_are_given_up_although_they_are_set_to_stay(void **state)
{
	static unsigned long bits[] = {0, SECBIT_KEEP_CAPS, SECBIT_NO_SETUID_FIXUP,
	    SECBIT_KEEP_CAPS | SECBIT_NO_SETUID_FIXUP,
	    SECBIT_NOROOT | SECBIT_NO_SETUID_FIXUP | SECBIT_NO_CAP_AMBIENT_RAISE};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bits); i++)
		child_run(drop_with_sticky_capabilities, &bits[i]);
}

static void
drop_to_root(void *context)
{
	char before[64];

	(void)context;
	(void)snprintf(before, sizeof(before), "%s", status_line("CapPrm"));
	REQUIRE(privdrop(0, 0, groups, 1) == STAGE_NONE);
	require_ids(0, 0);
	REQUIRE(strcmp(status_line("Groups"), "\t64990 ") == 0);
	REQUIRE(strcmp(status_line("CapPrm"), before) == 0);
	REQUIRE(strcmp(status_line("CapEff"), before) == 0);
}

static void
roots_services_keep_their_capabilities(void **state)
{
	(void)state;
	child_run(drop_to_root, NULL);
}

/* Where the ids stay the kernel changes nothing, as with any ids under fs.suid_dumpable=1. */
static void
drop_what_can_be_looked_into(void *context)
{
	(void)context;
	REQUIRE(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
	REQUIRE(privdrop(0, 0, groups, 1) == STAGE_NONE);
	REQUIRE(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
}

static void
nobody_can_look_into_whoever_has_dropped(void **state)
{
	(void)state;
	child_run(drop_what_can_be_looked_into, NULL);
}

static void
drop_without_privilege(void *context)
{
	(void)context;
	REQUIRE(setresgid(GID, GID, GID) == 0);
	REQUIRE(setresuid(UID, UID, UID) == 0);
	REQUIRE(privdrop(OTHER, OTHER, groups, COUNT(groups)) == STAGE_SETGROUPS);
	REQUIRE(errno == EPERM);
	require_ids(UID, GID);
}

static void
who_has_no_privilege_cannot_become_somebody_else(void **state)
{
	(void)state;
	child_run(drop_without_privilege, NULL);
}

struct ids {
	uid_t uids[3];
	gid_t gids[3];
};

static void
verify_ids(void *context)
{
	const struct ids *ids = context;
	bool right = true;
	unsigned i;

	for (i = 0; i < 3; i++)
		right &= ids->uids[i] == UID && ids->gids[i] == GID;
	REQUIRE(setresgid(ids->gids[0], ids->gids[1], ids->gids[2]) == 0);
	REQUIRE(setresuid(ids->uids[0], ids->uids[1], ids->uids[2]) == 0);
	errno = 0;
	REQUIRE(privdrop_verify(UID, GID) == (right ? STAGE_NONE : STAGE_VERIFY));
	REQUIRE(right || errno == EPERM);
}

static void
verification_sees_each_of_the_six_ids(void **state)
{
	static struct ids cases[] = {
	    {{UID, UID, UID}, {GID, GID, GID}},
	    {{OTHER, UID, UID}, {GID, GID, GID}},
	    {{UID, OTHER, UID}, {GID, GID, GID}},
	    {{UID, UID, OTHER}, {GID, GID, GID}},
	    {{UID, UID, UID}, {OTHER, GID, GID}},
	    {{UID, UID, UID}, {GID, OTHER, GID}},
	    {{UID, UID, UID}, {GID, GID, OTHER}},
	    {{0, UID, UID}, {GID, GID, GID}},
	    {{UID, UID, 0}, {GID, GID, GID}},
	    {{UID, UID, UID}, {GID, GID, 0}},
	    {{GID, GID, GID}, {UID, UID, UID}},
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++)
		child_run(verify_ids, &cases[i]);
}

/* One system call that answers with an error, or with 0 and has done nothing; only with the first
 * argument `argument` where that is not ANY. */
#define ANY UINT64_MAX
struct fault {
	int call;
	uint64_t argument;
	int error;
	enum stage expected;
	bool sticky; /* the capabilities are set to stay */
};

static void
install(const struct fault *fault)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	uint32_t action = SCMP_ACT_ERRNO((unsigned)fault->error);

	REQUIRE(filter != NULL);
	if (fault->argument == ANY)
		REQUIRE(seccomp_rule_add(filter, action, fault->call, 0) == 0);
	else
		REQUIRE(seccomp_rule_add(filter, action, fault->call, 1,
			    SCMP_A0(SCMP_CMP_EQ, fault->argument)) == 0);
	REQUIRE(seccomp_load(filter) == 0);
	seccomp_release(filter);
}

static void
drop_with_fault(void *context)
{
	static const gid_t before[COUNT(groups)] = {0, 4, 27};
	const struct fault *fault = context;
	enum stage stage;

	REQUIRE(setgroups(COUNT(before), before) == 0);
	if (fault->sticky) {
		REQUIRE(prctl(PR_SET_SECUREBITS, SECBIT_KEEP_CAPS, 0, 0, 0) == 0);
		set_capabilities(SOME, SOME, SOME);
	}
	install(fault);
	errno = 0;
	stage = privdrop(UID, GID, groups, COUNT(groups));
	if (stage != fault->expected)
		(void)dprintf(STDERR_FILENO, "call %d, errno %d: stage %u instead of %u\n",
		    fault->call, fault->error, stage, fault->expected);
	REQUIRE(stage == fault->expected);
	REQUIRE(errno != 0);
	REQUIRE(fault->error == 0 || errno == fault->error);
}

static void
a_step_that_fails_is_named_with_its_errno(void **state)
{
	static struct fault faults[] = {
	    {SCMP_SYS(setgroups), ANY, EPERM, STAGE_SETGROUPS, false},
	    {SCMP_SYS(setgroups), ANY, ENOMEM, STAGE_SETGROUPS, false},
	    {SCMP_SYS(setresgid), ANY, EPERM, STAGE_SETRESGID, false},
	    {SCMP_SYS(setresgid), ANY, EINVAL, STAGE_SETRESGID, false},
	    {SCMP_SYS(setresuid), ANY, EPERM, STAGE_SETRESUID, false},
	    {SCMP_SYS(setresuid), ANY, EAGAIN, STAGE_SETRESUID, false},
	    {SCMP_SYS(prctl), PR_SET_DUMPABLE, EPERM, STAGE_SETRESUID, false},
	    {SCMP_SYS(getresuid), ANY, EPERM, STAGE_VERIFY, false},
	    {SCMP_SYS(getresgid), ANY, EPERM, STAGE_VERIFY, false},
	    {SCMP_SYS(capset), ANY, EPERM, STAGE_CAPABILITIES, false},
	    {SCMP_SYS(capget), ANY, EFAULT, STAGE_CAPABILITIES, false},
	    {SCMP_SYS(getgroups), ANY, EPERM, STAGE_VERIFY, false},
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(faults); i++)
		child_run(drop_with_fault, &faults[i]);
}

static void
a_step_that_lies_is_found_out(void **state)
{
	static struct fault lies[] = {
	    {SCMP_SYS(setresgid), ANY, 0, STAGE_VERIFY, false},
	    {SCMP_SYS(setresuid), ANY, 0, STAGE_VERIFY, false},
	    {SCMP_SYS(setgroups), ANY, 0, STAGE_VERIFY, false},
	    /* of the two the attempt to get root back would see the first, if it lies again */
	    {SCMP_SYS(setgroups), COUNT(groups), 0, STAGE_VERIFY, false},
	    /* without the sticky bits the kernel would have taken them with uid 0 */
	    {SCMP_SYS(capset), ANY, 0, STAGE_CAPABILITIES, true},
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(lies); i++)
		child_run(drop_with_fault, &lies[i]);
}

static void
drop_with_a_group_too_few(void *context)
{
	static const struct fault lie = {.call = SCMP_SYS(setgroups), .argument = COUNT(groups)};

	(void)context;
	REQUIRE(setgroups(1, groups) == 0);
	install(&lie);
	REQUIRE(privdrop(UID, GID, groups, COUNT(groups)) == STAGE_VERIFY);
}

static void
a_group_that_is_missing_is_found_out(void **state)
{
	(void)state;
	child_run(drop_with_a_group_too_few, NULL);
}

/* Each way back by itself: after the drop it must not be open. setegid(3) and seteuid(3) are
 * setresgid and setresuid with -1 in front. */
static void
a_way_back_that_is_open_is_found_out(void **state)
{
	static struct fault open_ways[] = {
	    {SCMP_SYS(setresuid), 0, 0, STAGE_REGAIN, false},
	    {SCMP_SYS(setuid), 0, 0, STAGE_REGAIN, false},
	    {SCMP_SYS(setresuid), UINT32_MAX, 0, STAGE_REGAIN, false},
	    {SCMP_SYS(setgroups), 1, 0, STAGE_REGAIN, false},
	    {SCMP_SYS(setresgid), 0, 0, STAGE_REGAIN, false},
	    {SCMP_SYS(setresgid), UINT32_MAX, 0, STAGE_REGAIN, false},
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(open_ways); i++)
		child_run(drop_with_fault, &open_ways[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_id_group_and_capability_is_given_up),
	    cmocka_unit_test(groups_that_are_not_named_are_given_up),
	    cmocka_unit_test(as_many_groups_as_a_request_holds_are_set),
	    cmocka_unit_test(a_user_whose_group_is_roots_is_no_fault),
	    cmocka_unit_test(ids_that_differed_before_are_all_the_same_afterwards),
	    cmocka_unit_test(capabilities_are_given_up_although_they_are_set_to_stay),
	    cmocka_unit_test(roots_services_keep_their_capabilities),
	    cmocka_unit_test(nobody_can_look_into_whoever_has_dropped),
	    cmocka_unit_test(who_has_no_privilege_cannot_become_somebody_else),
	    cmocka_unit_test(verification_sees_each_of_the_six_ids),
	    cmocka_unit_test(a_step_that_fails_is_named_with_its_errno),
	    cmocka_unit_test(a_step_that_lies_is_found_out),
	    cmocka_unit_test(a_group_that_is_missing_is_found_out),
	    cmocka_unit_test(a_way_back_that_is_open_is_found_out),
	};

	return cmocka_run_group_tests_name("privdrop", tests, NULL, NULL);
}
