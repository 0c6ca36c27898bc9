/*
 * What is found in a directory of profiles: good ones, and all that an administrator's slip or a
 * tenant's malice may put in the place of a file. And when a profile counts as changed.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "child.h"
#include "fault.h"
#include "folder.h"
#include "open_files.h"
#include "survey.h"

/* Of no account and no process. */
#define TENANT 64997
#define OTHER  64998

#define FINDINGS_MAX 64

static struct folder *folder;
static unsigned open_before;
static struct message findings[FINDINGS_MAX];
static unsigned found;

static void
keep_finding(const struct message *finding)
{
	if (found < FINDINGS_MAX)
		findings[found] = *finding;
	found++;
}

/* Every finding has to be a message that the receiver lets in. */
static void
take_finding(const struct message *finding)
{
	assert_true(message_valid(finding));
	assert_true(found < FINDINGS_MAX);
	keep_finding(finding);
}

static int
set_up(void **state)
{
	open_before = open_files_count();
	assert_int_equal(folder_set_up(state), 0);
	folder = *state;
	return 0;
}

static int
tear_down(void **state)
{
	assert_int_equal(folder_tear_down(state), 0);
	assert_int_equal(open_files_count(), open_before);
	return 0;
}

static struct survey
survey_for(uid_t owner)
{
	found = 0;
	return (struct survey){
	    .directory = folder->descriptor, .owner = owner, .sink = take_finding};
}

/* Surveys one profile as a supervisor of root's does for `owner`; its facts. */
static const struct profile_facts *
facts_of(const char *name, uid_t owner)
{
	struct survey survey = survey_for(owner);

	survey_profile(&survey, name);
	assert_true(found >= 1);
	assert_int_equal(findings[found - 1].type, MESSAGE_PROFILE);
	assert_string_equal(findings[found - 1].profile.name, name);
	return &findings[found - 1].profile;
}

static void
assert_refused(uid_t owner, enum refusal refusal, uint32_t setting, int error)
{
	const struct profile_facts *facts = facts_of("web", owner);

	if (facts->refusal != refusal || facts->refused_setting != setting ||
	    facts->refused_error != (uint32_t)error)
		fail_msg("refusal %u of %u, errno %u, instead of %d of %u, errno %d",
		    facts->refusal, facts->refused_setting, facts->refused_error, refusal, setting,
		    error);
}

static void
assert_accepted(uid_t owner)
{
	assert_refused(owner, REFUSAL_NONE, 0, 0);
}

static const struct setting_bytes *
content_of(enum setting setting)
{
	unsigned i;

	for (i = 0; i < found - 1; i++) {
		assert_int_equal(findings[i].type, MESSAGE_SETTING);
		if (findings[i].number == setting)
			return &findings[i].setting;
	}
	return NULL;
}

static const char *
in_web(enum setting setting)
{
	static char name[64];

	(void)snprintf(name, sizeof(name), "web/%s", setting_name(setting));
	return name;
}

static void
make_profile(const char *name, uid_t owner)
{
	char run[80];

	folder_make(folder, name, 0755);
	(void)snprintf(run, sizeof(run), "%s/run", name);
	folder_write(folder, run, 0755, "#!/bin/sh\n");
	folder_chown(folder, run, owner);
	folder_chown(folder, name, owner);
}

static void
remove_file(const char *name)
{
	assert_int_equal(unlinkat(folder->descriptor, name, 0), 0);
}

static void
make_socket(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_not_equal(listener, -1);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", folder_path(folder, name));
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(close(listener), 0);
	folder_chmod(folder, name, 0755);
}

static void
make_fifo(const char *name)
{
	assert_int_equal(mkfifoat(folder->descriptor, name, 0600), 0);
	folder_chmod(folder, name, 0755);
}

/* /dev/full's numbers: what would be read from it has no end. */
static void
make_device(const char *name)
{
	assert_int_equal(mknodat(folder->descriptor, name, S_IFCHR | 0755, 0x107), 0);
	folder_chmod(folder, name, 0755);
}

static void
make_directory(const char *name)
{
	folder_make(folder, name, 0755);
}

static void
link_to(const char *target, const char *name)
{
	assert_int_equal(symlinkat(target, folder->descriptor, name), 0);
}

static void
make_link(const char *name)
{
	link_to("other", name);
}

static void
make_plain(const char *name)
{
	folder_write(folder, name, 0644, "");
}

static void
a_good_profile_is_reported_with_its_files(void **state)
{
	const struct profile_facts *facts;
	struct stat status;

	(void)state;
	make_profile("web", 0);
	folder_write(folder, "web/user", 0644, "games\n");
	folder_write(folder, "web/restart", 0600, "");
	folder_write_bytes(folder, "web/stop_signal", 0444, "a\0b", 3);
	folder_write(folder, "web/down", 0644, "not read");
	folder_write(folder, "web/README", 0666, "not looked at");
	assert_int_equal(stat(folder_path(folder, "web"), &status), 0);

	facts = facts_of("web", 0);
	assert_int_equal(facts->refusal, REFUSAL_NONE);
	assert_int_equal(facts->owner, 0);
	assert_int_equal(facts->device, status.st_dev);
	assert_int_equal(facts->inode, status.st_ino);
	assert_int_equal(facts->gone, 0);
	assert_true(facts->trigger > 1);
	assert_int_equal(facts->present,
	    SETTING_BIT(SETTING_RUN) | SETTING_BIT(SETTING_USER) | SETTING_BIT(SETTING_RESTART) |
		SETTING_BIT(SETTING_STOP_SIGNAL) | SETTING_BIT(SETTING_DOWN));
	assert_int_equal(found, 4); /* of `run` and `down` only the presence counts */
	assert_int_equal(content_of(SETTING_USER)->length, 6);
	assert_memory_equal(content_of(SETTING_USER)->bytes, "games\n", 7);
	assert_int_equal(content_of(SETTING_RESTART)->length, 0);
	assert_int_equal(content_of(SETTING_STOP_SIGNAL)->length, 3);
	assert_memory_equal(content_of(SETTING_STOP_SIGNAL)->bytes, "a\0b", 4);
}

static void
every_file_is_known_by_its_name(void **state)
{
	enum setting setting;

	(void)state;
	make_profile("web", 0);
	for (setting = SETTING_RUN + 1; setting < SETTING_COUNT; setting++)
		folder_write(folder, in_web(setting), 0644, setting_name(setting));
	assert_accepted(0);
	assert_int_equal(findings[found - 1].profile.present, SETTING_BIT(SETTING_COUNT) - 1);
	for (setting = 0; setting < SETTING_COUNT; setting++) {
		if ((SETTINGS_PRESENCE & SETTING_BIT(setting)) != 0)
			assert_null(content_of(setting));
		else
			assert_string_equal(content_of(setting)->bytes, setting_name(setting));
	}
}

static void
a_file_has_at_most_4096_bytes_and_run_as_many_as_it_likes(void **state)
{
	static char bytes[SETTING_BYTES_MAX + 1];
	enum setting setting;

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	make_profile("web", 0);
	folder_write_bytes(folder, "web/run", 0755, bytes, sizeof(bytes));
	assert_accepted(0);
	for (setting = SETTING_RUN + 1; setting < SETTING_COUNT; setting++) {
		folder_write_bytes(folder, in_web(setting), 0644, bytes, SETTING_BYTES_MAX);
		assert_accepted(0);
		if ((SETTINGS_PRESENCE & SETTING_BIT(setting)) == 0)
			assert_int_equal(content_of(setting)->length, SETTING_BYTES_MAX);
		folder_write_bytes(folder, in_web(setting), 0644, bytes, sizeof(bytes));
		assert_refused(0, REFUSAL_TOO_LARGE, setting, 0);
		assert_null(content_of(setting));
		remove_file(in_web(setting));
	}
}

static void
a_profile_without_run_is_refused(void **state)
{
	(void)state;
	make_profile("web", 0);
	remove_file("web/run");
	assert_refused(0, REFUSAL_MISSING, SETTING_RUN, 0);
}

static void
a_run_that_nobody_may_execute_is_refused(void **state)
{
	static const mode_t executable[] = {0100, 0010, 0001, 0755};

	size_t i;

	(void)state;
	make_profile("web", 0);
	folder_chmod(folder, "web/run", 0644);
	assert_refused(0, REFUSAL_NOT_EXECUTABLE, SETTING_RUN, 0);
	for (i = 0; i < sizeof(executable) / sizeof(executable[0]); i++) {
		folder_chmod(folder, "web/run", executable[i]);
		assert_accepted(0);
	}
}

static void
a_link_in_the_place_of_a_file_is_refused(void **state)
{
	static const char *const targets[] = {"target", "missing", "/etc/shadow", "/dev/null", "."};
	enum setting setting;
	size_t i;

	(void)state;
	make_profile("web", 0);
	folder_write(folder, "web/target", 0755, "1");
	for (setting = 0; setting < SETTING_COUNT; setting++) {
		for (i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
			(void)unlinkat(folder->descriptor, in_web(setting), 0);
			link_to(targets[i], in_web(setting));
			assert_refused(0, REFUSAL_LINK, setting, 0);
			assert_null(content_of(setting));
		}
		remove_file(in_web(setting));
		if (setting == SETTING_RUN)
			folder_write(folder, "web/run", 0755, "");
	}
}

/* No FIFO is waited for, no device is read. */
static void
what_is_no_plain_file_is_refused(void **state)
{
	static void (*const makers[])(const char *) = {
	    make_fifo, make_device, make_socket, make_directory};
	enum setting setting;
	size_t i;

	(void)state;
	make_profile("web", 0);
	for (setting = 0; setting < SETTING_COUNT; setting++) {
		if (setting == SETTING_RUN)
			remove_file("web/run");
		for (i = 0; i < sizeof(makers) / sizeof(makers[0]); i++) {
			makers[i](in_web(setting));
			assert_refused(0, REFUSAL_NOT_REGULAR, setting, 0);
			assert_null(content_of(setting));
			assert_int_equal(unlinkat(folder->descriptor, in_web(setting),
					     makers[i] == make_directory ? AT_REMOVEDIR : 0),
			    0);
		}
		if (setting == SETTING_RUN)
			folder_write(folder, "web/run", 0755, "");
	}
}

static void
a_file_of_somebody_else_is_refused(void **state)
{
	enum setting setting;

	(void)state;
	make_profile("web", TENANT);
	for (setting = 0; setting < SETTING_COUNT; setting++) {
		if (setting == SETTING_ALLOW_NEW_PRIVS)
			continue; /* refused in a tenant's profile whoever owns it */
		folder_write(folder, in_web(setting), 0755, "1");
		folder_chown(folder, in_web(setting), OTHER);
		assert_refused(TENANT, REFUSAL_OWNER, setting, 0);
		folder_chown(folder, in_web(setting), 0);
		assert_accepted(TENANT);
		folder_chown(folder, in_web(setting), TENANT);
		assert_accepted(TENANT);
	}
}

static void
a_file_of_anybody_but_root_in_roots_profile_is_refused(void **state)
{
	enum setting setting;

	(void)state;
	make_profile("web", 0);
	for (setting = 0; setting < SETTING_COUNT; setting++) {
		folder_write(folder, in_web(setting), 0755, "1");
		folder_chown(folder, in_web(setting), TENANT);
		assert_refused(0, REFUSAL_OWNER, setting, 0);
		folder_chown(folder, in_web(setting), 0);
		assert_accepted(0);
	}
}

static void
a_file_that_others_may_write_to_is_refused(void **state)
{
	static const mode_t modes[] = {0775, 0757, 0777};
	enum setting setting;
	size_t i;

	(void)state;
	make_profile("web", 0);
	for (setting = 0; setting < SETTING_COUNT; setting++) {
		folder_write(folder, in_web(setting), 0755, "1");
		for (i = 0; i < 3; i++) {
			folder_chmod(folder, in_web(setting), modes[i]);
			assert_refused(0, REFUSAL_WRITABLE, setting, 0);
			assert_null(content_of(setting));
		}
		folder_chmod(folder, in_web(setting), 0755);
		assert_accepted(0);
	}
}

static void
a_tenant_cannot_lend_a_file_of_roots_by_a_hard_link(void **state)
{
	enum setting setting;

	(void)state;
	make_profile("web", TENANT);
	folder_write(folder, "secret", 0755, "of root's");
	for (setting = 0; setting < SETTING_COUNT; setting++) {
		(void)unlinkat(folder->descriptor, in_web(setting), 0);
		assert_int_equal(
		    linkat(folder->descriptor, "secret", folder->descriptor, in_web(setting), 0),
		    0);
		assert_refused(TENANT, REFUSAL_LINK, setting, 0);
		assert_null(content_of(setting));
		remove_file(in_web(setting));
		if (setting == SETTING_RUN) {
			folder_write(folder, "web/run", 0755, "");
			folder_chown(folder, "web/run", TENANT);
		}
	}
}

static void
hard_links_of_ones_own_are_no_harm(void **state)
{
	(void)state;
	make_profile("web", TENANT);
	assert_int_equal(
	    linkat(folder->descriptor, "web/run", folder->descriptor, "web/other", 0), 0);
	assert_accepted(TENANT);
	folder_chown(folder, "web/run", 0);
	assert_refused(TENANT, REFUSAL_LINK, SETTING_RUN, 0);
	folder_chown(folder, "web", 0);
	assert_accepted(0);
}

/* What goes with that, such as allow_new_privs, is for the parent to say. */
static void
roots_directory_in_a_tenants_is_the_tenants(void **state)
{
	(void)state;
	make_profile("web", TENANT);
	folder_chown(folder, "web/run", 0);
	folder_chown(folder, "web", 0);
	/* who can replace it with another */
	assert_int_equal(facts_of("web", TENANT)->owner, TENANT);
	assert_int_equal(facts_of("web", 0)->owner, 0);
}

static void
a_tenants_directory_is_reported_to_root_and_not_looked_into(void **state)
{
	const struct profile_facts *facts;

	(void)state;
	make_profile("web", TENANT);
	folder_write(folder, "web/user", 0644, "root");
	assert_refused(0, REFUSAL_OWNER, SETTING_DIRECTORY, 0);
	facts = &findings[found - 1].profile;
	assert_int_equal(facts->owner, TENANT);
	assert_int_equal(facts->present, 0);
	assert_int_equal(found, 1);
	assert_refused(OTHER, REFUSAL_OWNER, SETTING_DIRECTORY, 0);
	assert_accepted(TENANT);
}

static void
a_directory_that_others_may_write_to_is_refused_and_not_looked_into(void **state)
{
	static const mode_t modes[] = {0775, 0757, 01777};
	size_t i;

	(void)state;
	make_profile("web", 0);
	for (i = 0; i < 3; i++) {
		folder_chmod(folder, "web", modes[i]);
		assert_refused(0, REFUSAL_WRITABLE, SETTING_DIRECTORY, 0);
		assert_int_equal(findings[found - 1].profile.present, 0);
	}
	folder_chmod(folder, "web", 0755);
	assert_accepted(0);
}

static void
a_directory_that_is_not_there_is_gone(void **state)
{
	const struct profile_facts *facts;
	struct survey survey;

	(void)state;
	facts = facts_of("web", TENANT);
	assert_int_equal(facts->gone, 1);
	assert_int_equal(facts->refusal, REFUSAL_NONE);
	assert_int_equal(facts->owner, TENANT);
	assert_int_equal(found, 1);
	survey = survey_for(0);
	survey_profile(&survey, "not a name");
	assert_int_equal(found, 0);
}

/* Only what lies in the directory itself, whatever a name would lead to. */
static void
what_is_no_directory_any_more_has_gone(void **state)
{
	static void (*const makers[])(const char *) = {
	    make_fifo, make_device, make_socket, make_link, make_plain};
	struct survey survey;
	size_t i;

	(void)state;
	make_profile("other", 0);
	for (i = 0; i < sizeof(makers) / sizeof(makers[0]); i++) {
		makers[i]("web");
		survey = survey_for(0);
		survey_profile(&survey, "web");
		/* a plain file may lie there, and nothing is said of it */
		assert_int_equal(found, makers[i] == make_plain ? 1 : 2);
		assert_int_equal(findings[found - 1].type, MESSAGE_PROFILE);
		assert_string_equal(findings[found - 1].profile.name, "web");
		assert_int_equal(findings[found - 1].profile.gone, 1);
		remove_file("web");
	}
}

static void
a_name_that_leads_elsewhere_is_no_profile(void **state)
{
	static const char *const names[] = {"web/inner", ".", "..", "/etc", "../.."};
	struct survey survey;
	size_t i;

	(void)state;
	make_profile("web", 0);
	make_profile("web/inner", 0);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		survey = survey_for(0);
		survey_profile(&survey, names[i]);
		assert_int_equal(found, 1);
		assert_int_equal(findings[0].type, MESSAGE_SKIPPED);
		assert_int_equal(findings[0].number, REPORT_SKIPPED_NAME);
		assert_string_equal(findings[0].report.text, names[i]);
	}
}

static void
survey_as_tenant(void *context)
{
	struct survey *survey = context;

	survey->sink = keep_finding;
	REQUIRE(setresuid(TENANT, TENANT, TENANT) == 0);
	survey_profile(survey, "web");
	REQUIRE(found == 1);
	REQUIRE(findings[found - 1].profile.refusal == REFUSAL_UNREADABLE);
	REQUIRE(findings[found - 1].profile.refused_error == EACCES);
	REQUIRE(findings[found - 1].profile.refused_setting == SETTING_RUN);
	survey_profile(survey, "inner");
	REQUIRE(found == 2);
	REQUIRE(findings[1].profile.refusal == REFUSAL_UNREADABLE);
	REQUIRE(findings[1].profile.refused_error == EACCES);
	REQUIRE(findings[1].profile.refused_setting == SETTING_USER);
}

/* What the look at its names has not told is asked for by name. */
static void
survey_unlisted(void *context)
{
	struct survey *survey = context;

	survey->sink = keep_finding;
	REQUIRE(setresuid(TENANT, TENANT, TENANT) == 0);
	survey_profile(survey, "web");
	REQUIRE(found == 2);
	REQUIRE(findings[1].profile.refusal == REFUSAL_NONE);
	REQUIRE(findings[1].profile.present ==
	    (SETTING_BIT(SETTING_RUN) | SETTING_BIT(SETTING_KILL_MODE)));
}

static void
files_are_found_in_a_directory_that_its_user_may_not_list(void **state)
{
	struct survey survey = survey_for(TENANT);

	(void)state;
	make_profile("web", TENANT);
	folder_write(folder, "web/kill_mode", 0644, "group\n");
	folder_chmod(folder, "web", 0311);
	child_run(survey_unlisted, &survey);
}

static void
files_are_found_among_more_names_than_are_looked_at(void **state)
{
	enum setting setting;
	char name[64];
	unsigned i;

	(void)state;
	make_profile("web", 0);
	for (i = 0; i < 400; i++) {
		(void)snprintf(name, sizeof(name), "web/data-%u", i);
		make_plain(name);
	}
	for (setting = SETTING_RUN + 1; setting < SETTING_COUNT; setting++)
		folder_write(folder, in_web(setting), 0644, "");
	assert_accepted(0);
	assert_int_equal(findings[found - 1].profile.present, SETTING_BIT(SETTING_COUNT) - 1);
}

static void
what_its_user_may_not_read_is_refused_with_the_reason(void **state)
{
	struct survey survey = survey_for(TENANT);

	(void)state;
	make_profile("web", 0);
	folder_chmod(folder, "web", 0700);
	make_profile("inner", 0);
	folder_write(folder, "inner/user", 0600, "games");
	child_run(survey_as_tenant, &survey);
}

static void
survey_what_cannot_be_entered(void *context)
{
	struct survey *survey = context;

	survey->sink = keep_finding;
	REQUIRE(setresuid(TENANT, TENANT, TENANT) == 0);
	survey_profile(survey, "web");
	REQUIRE(found == 1);
	REQUIRE(findings[found - 1].type == MESSAGE_PROFILE);
	REQUIRE(findings[found - 1].profile.gone == 0);
	REQUIRE(findings[found - 1].profile.refusal == REFUSAL_UNREADABLE);
	REQUIRE(findings[found - 1].profile.refused_error == EACCES);
	REQUIRE(findings[found - 1].profile.refused_setting == SETTING_DIRECTORY);
}

/* With the fault it is refused for this file, and for what the kernel says. */
static void
require_unreadable(struct survey *survey, const struct fault *fault, enum setting setting)
{
	survey->sink = keep_finding;
	REQUIRE(fault_install(fault));
	survey_profile(survey, "web");
	REQUIRE(found == 1);
	REQUIRE(findings[found - 1].profile.refusal == REFUSAL_UNREADABLE);
	REQUIRE(findings[found - 1].profile.refused_error == EIO);
	REQUIRE(findings[found - 1].profile.refused_setting == setting);
}

static void
survey_what_cannot_be_read(void *context)
{
	static const struct fault fault = {"read", SYS_read, FAULT_ANY, 0, EIO};

	require_unreadable(context, &fault, SETTING_USER);
}

static void
survey_what_does_not_say_whose_it_is(void *context)
{
	struct fault fault = {"fstat", SYS_newfstatat, 0, 0, EIO};
	int directory = dup(folder->descriptor), file = dup(folder->descriptor);

	/* the numbers that the profile's directory and each of its files will have */
	REQUIRE(close(directory) == 0 && close(file) == 0 && directory < file);
	fault.value = (uint32_t)file;
	require_unreadable(context, &fault, SETTING_RUN);
}

/* The disk is broken, or a file system in user space says so. */
static void
a_file_that_can_be_opened_and_not_read_is_refused(void **state)
{
	struct survey survey = survey_for(0);

	(void)state;
	make_profile("web", 0);
	folder_write(folder, "web/user", 0644, "games");
	child_run(survey_what_cannot_be_read, &survey);
	child_run(survey_what_does_not_say_whose_it_is, &survey);
}

/* Else a slip of chmod(1) would stop a service for good. */
static void
what_cannot_be_seen_is_refused_but_has_not_gone(void **state)
{
	struct survey survey = survey_for(TENANT);

	(void)state;
	assert_int_equal(fchmod(folder->descriptor, 0700), 0);
	child_run(survey_what_cannot_be_entered, &survey);
}

/* After the look at an entry, or at a file in it, somebody may put something else in its place. */
static bool swap_after_look, swap_file_after_look;

/* In the place of the C library's, for the whole program. */
int
fstat(int descriptor, struct stat *status)
{
	int result = (int)syscall(SYS_newfstatat, descriptor, "", status, AT_EMPTY_PATH);

	if (swap_after_look && S_ISDIR(status->st_mode)) {
		swap_after_look = false;
		assert_int_equal(
		    renameat(folder->descriptor, "web", folder->descriptor, "moved"), 0);
		link_to("trap", "web");
	}
	if (swap_file_after_look && S_ISREG(status->st_mode)) {
		swap_file_after_look = false;
		assert_int_equal(
		    renameat(folder->descriptor, "trap/user", folder->descriptor, "web/user"), 0);
	}
	return result;
}

static void
what_was_looked_at_is_what_is_read_whatever_takes_its_place(void **state)
{
	(void)state;
	make_profile("trap", 0);
	folder_write(folder, "trap/user", 0644, "root");
	make_profile("web", 0);
	swap_after_look = true;
	assert_accepted(0);
	assert_false(swap_after_look);
	assert_int_equal(findings[found - 1].profile.present, SETTING_BIT(SETTING_RUN));

	make_profile("mail", 0);
	assert_int_equal(unlinkat(folder->descriptor, "web", 0), 0);
	assert_int_equal(renameat(folder->descriptor, "mail", folder->descriptor, "web"), 0);
	folder_write(folder, "web/user", 0644, "games");
	assert_int_equal(unlinkat(folder->descriptor, "web/run", 0), 0);
	swap_file_after_look = true;
	assert_refused(0, REFUSAL_MISSING, SETTING_RUN, 0);
	assert_false(swap_file_after_look);
	assert_memory_equal(content_of(SETTING_USER)->bytes, "games", 5);
}

/* Its owner would be sent SIGIO, and we would wait for the lease-break time, fcntl(2). */
static void
a_lease_that_somebody_took_holds_nobody_up(void **state)
{
	int leased;

	(void)state;
	make_profile("web", 0);
	folder_write(folder, "web/user", 0644, "games");
	leased = openat(folder->descriptor, "web/user", O_RDWR | O_CLOEXEC);
	assert_int_not_equal(leased, -1);
	assert_true(signal(SIGIO, SIG_IGN) != SIG_ERR);
	assert_int_equal(fcntl(leased, F_SETLEASE, F_WRLCK), 0);
	assert_refused(0, REFUSAL_UNREADABLE, SETTING_USER, EWOULDBLOCK);
	assert_int_equal(close(leased), 0);
	assert_accepted(0);
}

static void
the_first_reason_is_the_one_that_is_said(void **state)
{
	(void)state;
	make_profile("web", 0);
	link_to("x", "web/user");
	folder_write(folder, "web/restart", 0666, "");
	assert_refused(0, REFUSAL_LINK, SETTING_USER, 0);
	/* the others are looked at all the same, so that a change of them is seen */
	assert_true((findings[found - 1].profile.present & SETTING_BIT(SETTING_RESTART)) != 0);
}

/* But for that no profile of that name is there. */
static const struct message *
finding_of(const char *name)
{
	const struct message *match = NULL;
	const char *text;
	unsigned i;

	for (i = 0; i < found; i++) {
		if (findings[i].type == MESSAGE_SETTING ||
		    (findings[i].type == MESSAGE_PROFILE && findings[i].profile.gone != 0))
			continue;
		text = findings[i].type == MESSAGE_PROFILE ? findings[i].profile.name
							   : findings[i].report.text;
		if (strcmp(text, name) != 0)
			continue;
		assert_null(match);
		match = &findings[i];
	}
	return match;
}

static void
assert_skipped(const char *name, enum report why)
{
	assert_non_null(finding_of(name));
	assert_int_equal(finding_of(name)->type, MESSAGE_SKIPPED);
	assert_int_equal(finding_of(name)->number, why);
}

static void
each_entry_of_a_directory_is_a_profile_or_skipped_or_ignored(void **state)
{
	static const char *const bad_names[] = {"bad name", "-bad", "caf\xc3\xa9", "a\nb", "a%sb",
	    "a2345678901234567890123456789012345678901234567890123456789012345"};
	static const char *const ignored[] = {
	    "plain file", "error.log", ".hidden", ".git", ".link"};
	struct survey survey;
	size_t i;

	(void)state;
	make_profile("web", 0);
	folder_write(folder, "web/user", 0644, "games");
	make_profile("mail", TENANT);
	make_profile("a234567890123456789012345678901234567890123456789012345678901234", 0);
	for (i = 0; i < sizeof(bad_names) / sizeof(bad_names[0]); i++)
		make_profile(bad_names[i], 0);
	link_to("web", "link");
	link_to("nowhere", "dangling");
	link_to("web", "bad link");
	make_fifo("fifo");
	make_device("device");
	make_socket("socket");
	folder_write(folder, "plain file", 0666, "");
	folder_write(folder, "error.log", 0640, "");
	folder_write(folder, ".hidden", 0640, "");
	make_profile(".git", 0);
	link_to("web", ".link");

	survey = survey_for(0);
	assert_int_equal(survey_directory(&survey), 0);
	/* five of these have names that a profile may have: none is there */
	assert_int_equal(found, 4 + sizeof(bad_names) / sizeof(bad_names[0]) + 6 + 5);
	assert_int_equal(finding_of("web")->profile.refusal, REFUSAL_NONE);
	assert_int_equal((finding_of("web") - 1)->type, MESSAGE_SETTING);
	assert_int_equal(finding_of("mail")->profile.refusal, REFUSAL_OWNER);
	assert_int_equal(
	    finding_of("a234567890123456789012345678901234567890123456789012345678901234")->type,
	    MESSAGE_PROFILE);
	for (i = 0; i < sizeof(bad_names) / sizeof(bad_names[0]); i++)
		assert_skipped(bad_names[i], REPORT_SKIPPED_NAME);
	assert_skipped("link", REPORT_SKIPPED_LINK);
	assert_skipped("dangling", REPORT_SKIPPED_LINK);
	assert_skipped("bad link", REPORT_SKIPPED_LINK);
	assert_skipped("fifo", REPORT_SKIPPED_KIND);
	assert_skipped("device", REPORT_SKIPPED_KIND);
	assert_skipped("socket", REPORT_SKIPPED_KIND);
	for (i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		assert_null(finding_of(ignored[i]));
}

static void
a_directory_can_be_surveyed_again(void **state)
{
	struct survey survey;
	unsigned first;

	(void)state;
	make_profile("web", 0);
	make_profile("mail", 0);
	survey = survey_for(0);
	assert_int_equal(survey_directory(&survey), 0);
	first = found;
	assert_int_equal(first, 2);
	survey = survey_for(0);
	assert_int_equal(survey_directory(&survey), 0);
	assert_int_equal(found, first);
}

static void
a_directory_that_cannot_be_read_is_an_error_and_not_empty(void **state)
{
	struct survey survey;
	int file;

	(void)state;
	folder_write(folder, "file", 0644, "");
	file = openat(folder->descriptor, "file", O_RDONLY | O_CLOEXEC);
	assert_int_not_equal(file, -1);
	survey = survey_for(0);
	survey.directory = file;
	errno = 0;
	assert_int_equal(survey_directory(&survey), -1);
	assert_int_equal(errno, ENOTDIR);
	assert_int_equal(found, 0);
	assert_int_equal(close(file), 0);
}

/* In the place of the C library's, which allocates the stream that readdir(3) reads. */
static bool no_memory;

DIR *
fdopendir(int directory)
{
	DIR *(*real)(int) = (DIR * (*)(int)) dlsym(RTLD_NEXT, "fdopendir");

	if (!no_memory)
		return real(directory);
	errno = ENOMEM;
	return NULL;
}

/* The fixture sees whether a descriptor stays open. */
static void
a_directory_for_which_there_is_no_memory_is_an_error_and_not_empty(void **state)
{
	struct survey survey = survey_for(0);

	(void)state;
	no_memory = true;
	errno = 0;
	assert_int_equal(survey_directory(&survey), -1);
	no_memory = false;
	assert_int_equal(errno, ENOMEM);
	assert_int_equal(found, 0);
	assert_int_equal(survey_directory(&survey), 0);
}

static unsigned opened;

static void
change_what_was_opened(const char *name, int directory)
{
	int file;

	opened++;
	assert_string_equal(name, "web");
	file = openat(directory, "down", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_int_not_equal(file, -1);
	assert_int_equal(close(file), 0);
}

/* Who sets a watch when it is told of the directory misses nothing. */
static void
who_is_to_watch_a_profile_is_told_before_its_files_are_looked_at(void **state)
{
	struct survey survey = survey_for(0);

	(void)state;
	opened = 0;
	make_profile("web", 0);
	make_profile("mail", TENANT); /* which is watched when its owner has opened it */
	survey.opened = change_what_was_opened;
	assert_int_equal(survey_directory(&survey), 0);
	assert_int_equal(found, 2);
	assert_int_equal(opened, 1);
	assert_int_equal(finding_of("web")->profile.present,
	    SETTING_BIT(SETTING_RUN) | SETTING_BIT(SETTING_DOWN));
}

static void
survey_without_descriptors(void *context)
{
	static const struct fault fault = {"openat2", SYS_openat2, FAULT_ANY, 0, EMFILE};
	struct survey *survey = context;

	survey->sink = keep_finding;
	REQUIRE(fault_install(&fault));
	REQUIRE(survey_directory(survey) == 0);
	REQUIRE(found == 1);
	REQUIRE(strcmp(findings[0].profile.name, "web") == 0);
	REQUIRE(findings[0].profile.refused_error == EMFILE);
}

/* Nor is our own log, which by default stands there. */
static void
a_plain_file_is_no_profile_that_could_not_be_looked_at(void **state)
{
	struct survey survey = survey_for(0);

	(void)state;
	make_profile("web", 0);
	folder_write(folder, "error.log", 0640, "");
	child_run(survey_without_descriptors, &survey);
}

static void
open_nothing(const char *name, int directory)
{
	(void)name;
	(void)directory;
}

static void
survey_what_root_has_mounted(void *context)
{
	struct survey *survey = context;
	char replacement[FOLDER_PATH_BYTES];
	unsigned before = open_files_count();

	survey->sink = keep_finding;
	(void)snprintf(replacement, sizeof(replacement), "%s", folder_path(folder, "mounted"));
	child_own_mounts();
	child_replace_file(folder_path(folder, "web/user"), replacement);
	child_replace_file(folder_path(folder, "web/down"), replacement);
	survey->directory = open(folder->path, O_PATH | O_CLOEXEC); /* where these are seen */
	survey_profile(survey, "web");
	REQUIRE(close(survey->directory) == 0 && open_files_count() == before);
	REQUIRE(found == 2);
	REQUIRE(findings[0].type == MESSAGE_SETTING && findings[0].number == SETTING_USER);
	REQUIRE(findings[0].setting.length == 5);
	REQUIRE(memcmp(findings[0].setting.bytes, "games", 5) == 0);
	REQUIRE(findings[1].profile.refusal == REFUSAL_NONE);
	REQUIRE((findings[1].profile.present & SETTING_BIT(SETTING_DOWN)) != 0);
}

/* As containers are given their secrets; users' mounts: see tests/system/tenants_test.c. */
static void
a_file_that_root_has_mounted_is_read_as_any_other(void **state)
{
	struct survey survey = survey_for(0);

	(void)state;
	make_profile("web", 0);
	folder_write(folder, "web/user", 0644, "news");
	folder_write(folder, "web/down", 0644, "");
	folder_write(folder, "mounted", 0644, "games");
	survey.opened = open_nothing;
	child_run(survey_what_root_has_mounted, &survey);
}

static uint64_t
trigger(void)
{
	return facts_of("web", 0)->trigger;
}

/* A whole number of seconds and nanoseconds after 2020. */
static void
set_times(const char *name, time_t accessed, time_t changed, long nanoseconds)
{
	const struct timespec times[2] = {{.tv_sec = 1577836800 + accessed},
	    {.tv_sec = 1577836800 + changed, .tv_nsec = nanoseconds}};

	assert_int_equal(utimensat(folder->descriptor, name, times, 0), 0);
}

static uint64_t seen[64];
static unsigned seen_count;

/* The trigger differs from all others that this test has seen. */
static void
assert_new_trigger(const char *why)
{
	uint64_t now = trigger();
	unsigned i;

	for (i = 0; i < seen_count; i++)
		if (seen[i] == now)
			fail_msg("the trigger has not changed: %s", why);
	seen[seen_count++] = now;
}

static void
the_trigger_changes_with_each_change_of_a_trigger_file(void **state)
{
	static const enum setting triggers[] = {
	    SETTING_RUN, SETTING_USER, SETTING_PID_FILE, SETTING_ALLOW_NEW_PRIVS};
	size_t i;

	(void)state;
	make_profile("web", 0);
	set_times("web/run", 0, 0, 0);
	seen_count = 0;
	assert_new_trigger("first");
	for (i = 0; i < 4; i++) {
		if (triggers[i] != SETTING_RUN) {
			folder_write(folder, in_web(triggers[i]), 0755, "");
			set_times(in_web(triggers[i]), 0, 0, 0);
			assert_new_trigger("it has come");
		}
		set_times(in_web(triggers[i]), 0, 1, 0);
		assert_new_trigger("a later second");
		set_times(in_web(triggers[i]), 0, 1, 1);
		assert_new_trigger("a later nanosecond");
		set_times(in_web(triggers[i]), 0, -1, 1);
		assert_new_trigger("an earlier second");
		folder_write(folder, "web/new", 0755, "");
		set_times("web/new", 0, -1, 1);
		assert_int_equal(renameat(folder->descriptor, "web/new", folder->descriptor,
				     in_web(triggers[i])),
		    0);
		assert_new_trigger("another file with the same time");
	}
	assert_int_equal(renameat(folder->descriptor, "web/user", folder->descriptor, "web/x"), 0);
	assert_new_trigger("it has gone");
	assert_int_equal(
	    renameat(folder->descriptor, "web/pid_file", folder->descriptor, "web/user"), 0);
	assert_new_trigger("it has become another setting");
}

static void
the_trigger_comes_back_when_the_files_do(void **state)
{
	uint64_t before;

	(void)state;
	make_profile("web", 0);
	before = trigger();
	assert_int_equal(trigger(), before);
	folder_write(folder, "web/user", 0644, "games");
	assert_true(trigger() != before);
	remove_file("web/user");
	assert_int_equal(trigger(), before);
}

static void
the_trigger_changes_with_nothing_else(void **state)
{
	static const unsigned triggers = SETTING_BIT(SETTING_RUN) | SETTING_BIT(SETTING_USER) |
	    SETTING_BIT(SETTING_PID_FILE) | SETTING_BIT(SETTING_ALLOW_NEW_PRIVS);
	enum setting setting;
	uint64_t before;

	(void)state;
	make_profile("web", 0);
	folder_write(folder, "web/user", 0644, "games");
	set_times("web/user", 0, 0, 0);
	before = trigger();
	for (setting = 0; setting < SETTING_COUNT; setting++) {
		if ((triggers & SETTING_BIT(setting)) != 0)
			continue;
		folder_write(folder, in_web(setting), 0644, "1");
		assert_int_equal(trigger(), before);
		set_times(in_web(setting), 1, 1, 1);
		assert_int_equal(trigger(), before);
		remove_file(in_web(setting));
		assert_int_equal(trigger(), before);
	}
	folder_write(folder, "web/README", 0644, "");
	folder_make(folder, "web/data", 0777);
	set_times("web", 5, 5, 5);
	set_times("web/user", 1, 0, 0);
	assert_int_equal(trigger(), before);
	folder_chmod(folder, "web/user", 0600);
	assert_int_equal(trigger(), before);
	/* as in ProcLaunch 1, the time decides and not the content */
	folder_write(folder, "web/user", 0600, "other");
	set_times("web/user", 0, 0, 0);
	assert_int_equal(trigger(), before);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_good_profile_is_reported_with_its_files),
	    TEST(every_file_is_known_by_its_name),
	    TEST(a_file_has_at_most_4096_bytes_and_run_as_many_as_it_likes),
	    TEST(a_profile_without_run_is_refused),
	    TEST(a_run_that_nobody_may_execute_is_refused),
	    TEST(a_link_in_the_place_of_a_file_is_refused),
	    TEST(what_is_no_plain_file_is_refused),
	    TEST(a_file_of_somebody_else_is_refused),
	    TEST(a_file_of_anybody_but_root_in_roots_profile_is_refused),
	    TEST(a_file_that_others_may_write_to_is_refused),
	    TEST(a_tenant_cannot_lend_a_file_of_roots_by_a_hard_link),
	    TEST(hard_links_of_ones_own_are_no_harm),
	    TEST(roots_directory_in_a_tenants_is_the_tenants),
	    TEST(a_tenants_directory_is_reported_to_root_and_not_looked_into),
	    TEST(a_directory_that_others_may_write_to_is_refused_and_not_looked_into),
	    TEST(a_directory_that_is_not_there_is_gone),
	    TEST(what_is_no_directory_any_more_has_gone),
	    TEST(a_name_that_leads_elsewhere_is_no_profile),
	    TEST(files_are_found_in_a_directory_that_its_user_may_not_list),
	    TEST(files_are_found_among_more_names_than_are_looked_at),
	    TEST(what_its_user_may_not_read_is_refused_with_the_reason),
	    TEST(a_file_that_can_be_opened_and_not_read_is_refused),
	    TEST(what_cannot_be_seen_is_refused_but_has_not_gone),
	    TEST(what_was_looked_at_is_what_is_read_whatever_takes_its_place),
	    TEST(a_lease_that_somebody_took_holds_nobody_up),
	    TEST(the_first_reason_is_the_one_that_is_said),
	    TEST(each_entry_of_a_directory_is_a_profile_or_skipped_or_ignored),
	    TEST(a_directory_can_be_surveyed_again),
	    TEST(a_directory_that_cannot_be_read_is_an_error_and_not_empty),
	    TEST(a_directory_for_which_there_is_no_memory_is_an_error_and_not_empty),
	    TEST(who_is_to_watch_a_profile_is_told_before_its_files_are_looked_at),
	    TEST(a_file_that_root_has_mounted_is_read_as_any_other),
	    TEST(a_plain_file_is_no_profile_that_could_not_be_looked_at),
	    TEST(the_trigger_changes_with_each_change_of_a_trigger_file),
	    TEST(the_trigger_comes_back_when_the_files_do),
	    TEST(the_trigger_changes_with_nothing_else),
	};

	return cmocka_run_group_tests_name("survey", tests, NULL, NULL);
}
