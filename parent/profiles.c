#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cgroup.h"
#include "births.h"
#include "clock.h"
#include "files.h"
#include "inform.h"
#include "outputs.h"
#include "path.h"
#include "ledger.h"
#include "sources.h"
#include "processes.h"
#include "profiles.h"
#include "report.h"
#include "session.h"
#include "survey.h"
#include "surveys.h"
#include "tenants.h"
#include "watch.h"
#include "wishes.h"

static int directory = -1;
static const char *place; /* where it stands */
static bool without_root;

#define PROFILES_AT_ONCE 16

static struct draft our_draft; /* of the surveys that the parent makes itself */
static DIR *scanned;	       /* by the scan that is under way; NULL: there is none */

void
profiles_open(const char *path, bool no_root)
{
	without_root = no_root;
	place = path;
	directory = path_open("profiles directory", path, 0);
}

int
profiles_directory(void)
{
	return directory;
}

int
profiles_base(const char *name)
{
	return strchr(name, '/') == NULL ? directory : tenants_directory();
}

/* A tenant's profile runs as the tenant, whoever owns what in it; another one as its owner or,
 * where that is root, as its `user`. */
static enum refusal
look_up(const struct profile_facts *facts, const struct content *user, struct account *account)
{
	const char *name = facts->name, *slash = strchr(name, '/');
	enum refusal refusal;

	if (slash != NULL) {
		refusal = account_by_text(name, (size_t)(slash - name), account);
		return refusal == REFUSAL_NONE && account->uid != facts->owner ? REFUSAL_UID_CHANGED
									       : refusal;
	}
	if (user != NULL && (facts->owner == 0 || geteuid() != 0))
		return account_by_text(user->bytes, user->length, account);
	return account_by_uid(facts->owner, account);
}

enum refusal
profiles_account(
    const struct profile_facts *facts, const struct content *user, struct account *account)
{
	enum refusal refusal = look_up(facts, user, account);

	if (refusal != REFUSAL_NONE)
		return refusal;
	/* nobody else is possible */
	if (geteuid() != 0 && account->uid != geteuid())
		return REFUSAL_NOT_YOU;
	if (account->uid == 0 && without_root)
		return REFUSAL_NO_ROOT;
	if (facts->account[0] != '\0' && account->uid != facts->uid &&
	    strcmp(account->name, facts->account) == 0)
		return REFUSAL_UID_CHANGED;
	return REFUSAL_NONE;
}

void
profiles_refuse(struct profile *profile, enum setting setting, enum refusal refusal)
{
	profile->facts.refusal = refusal;
	profile->facts.refused_setting = setting;
	profile->facts.refused_error = 0;
	inform_tell(profile, TELL_PROFILE);
}

void
profiles_unread(const char *name, int error)
{
	struct profile *profile = table_find(name);

	if (profile == NULL)
		profile = table_add(name);
	if (profile != NULL)
		profile->seen = true; /* what could not be read has not disappeared */
	if (profile == NULL || profile->introduced || profile->facts.trigger != TRIGGER_UNKNOWN)
		return;
	profile->facts.gone = 0; /* as far as anybody knows */
	profiles_refuse(profile, SETTING_DIRECTORY, REFUSAL_UNREADABLE);
	profile->facts.refused_error = (uint32_t)error;
	inform_introduce(profile);
}

/* Fills in as whom the drafted profile would run, or refuses it. An account that has another uid
 * than when these files were read first is not the one that was meant. */
static void
resolve_account(struct draft *draft, const struct profile *known)
{
	static struct account account;
	struct profile_facts *facts = &draft->facts;
	enum refusal refusal;

	if (known != NULL && known->facts.trigger == facts->trigger) {
		facts->uid = known->facts.uid;
		memcpy(facts->account, known->facts.account, sizeof(facts->account));
	}
	refusal = profiles_account(facts, draft->contents[SETTING_USER], &account);
	if (refusal == REFUSAL_NONE) {
		facts->uid = account.uid;
		memcpy(facts->account, account.name, sizeof(facts->account));
	} else {
		survey_refuse(facts, SETTING_USER, refusal, errno);
	}
}

/* A tenant's share: what the monitor has to watch over, and how many profiles there may be. */
static void
apply_quota(struct draft *draft)
{
	const struct quota *quota = tenants_quota(draft->facts.name);

	if (quota == NULL)
		return;
	draft->facts.quota = *quota;
	if (draft->facts.refusal == REFUSAL_NONE &&
	    tenants_count(draft->facts.name, false) >= quota->profiles)
		survey_refuse(&draft->facts, SETTING_DIRECTORY, REFUSAL_QUOTA, 0);
}

/* The directory belongs to a tenant: it is opened as that tenant only. */
static bool
is_tenants(const struct profile_facts *facts)
{
	return geteuid() == 0 && facts->owner != 0 && facts->gone == 0;
}

static bool
same_contents(const struct content *one, const struct content *other)
{
	if (one == NULL || other == NULL)
		return one == other;
	return one->length == other->length && memcmp(one->bytes, other->bytes, one->length) == 0;
}

static bool
same_draft(const struct profile *profile, const struct draft *other)
{
	unsigned setting;

	for (setting = 0; setting < SETTING_COUNT; setting++)
		if (!same_contents(profile->contents[setting], other->contents[setting]))
			return false;
	return memcmp(&profile->facts, &other->facts, sizeof(profile->facts)) == 0;
}

void
profiles_discard(struct draft *draft)
{
	unsigned setting;

	for (setting = 0; setting < SETTING_COUNT; setting++)
		free(draft->contents[setting]);
	/* of the whole survey */
	*draft = (struct draft){.told_full = draft->told_full, .begun = draft->begun};
}

/* Who it runs as stays known when the new answer is a refusal, or that it has gone: a process of
 * that user may live. Before two looks are compared, or they would never agree. */
static void
keep_account(const struct profile *profile, struct draft *draft)
{
	if (draft->facts.account[0] != '\0')
		return;
	draft->facts.uid = profile->facts.uid;
	memcpy(draft->facts.account, profile->facts.account, sizeof(draft->facts.account));
}

/* The profile is now as drafted. */
static void
take_over(struct profile *profile, struct draft *draft)
{
	unsigned setting;

	profile->facts = draft->facts;
	for (setting = 0; setting < SETTING_COUNT; setting++) {
		free(profile->contents[setting]);
		profile->contents[setting] = draft->contents[setting];
		draft->contents[setting] = NULL;
	}
}

/* A new entry, where there may be one. */
static struct profile *
add(struct draft *draft)
{
	const struct quota *quota = tenants_quota(draft->facts.name);
	struct profile *profile = NULL;

	/* some over the quota are shown as refused; who makes thousands is told once, or nothing
	 * else would be reported meanwhile */
	if (quota == NULL || tenants_count(draft->facts.name, true) < 2ULL * quota->profiles)
		profile = table_add(draft->facts.name);
	if (profile == NULL && !draft->told_full) {
		inform_report(REPORT_SKIPPED_FULL, 0, draft->facts.name);
		draft->told_full = quota != NULL;
	}
	return profile;
}

/* A whole finding has come in. */
static void
commit(struct draft *draft)
{
	struct profile *profile = table_find(draft->facts.name);
	bool created = profile == NULL || profile->facts.trigger == TRIGGER_UNKNOWN;

	if (draft->spoiled) {
		if (profile != NULL || add(draft) != NULL)
			surveys_give_up(draft->facts.name, ENOMEM);
		profiles_discard(draft);
		return;
	}
	if (draft->facts.gone == 0) {
		if (is_tenants(&draft->facts) &&
		    (draft->facts.present & SETTING_BIT(SETTING_ALLOW_NEW_PRIVS)) != 0)
			survey_refuse(&draft->facts, SETTING_ALLOW_NEW_PRIVS, REFUSAL_ROOT_ONLY, 0);
		resolve_account(draft, profile);
		apply_quota(draft);
		if (profile == NULL)
			profile = add(draft);
	}
	if (profile != NULL) {
		if (!created &&
		    (profile->facts.inode != draft->facts.inode ||
			profile->facts.device != draft->facts.device))
			watch_forget(profile); /* it is on a directory that stands there no more */
		profile->seen = true;
		profile->looked = draft->begun != 0 ? draft->begun : clock_now();
		keep_account(profile, draft);
		draft->facts.kept = created ? wishes_of(draft->facts.name) : profile->facts.kept;
		if (created || !same_draft(profile, draft)) {
			take_over(profile, draft);
			if (created)
				processes_find_strays(profile);
			watch_changed(profile);
		} else {
			watch_unchanged(profile);
		}
		if (profile->process.phase == PHASE_UP)
			births_read_pid_file(profile); /* now that we know which */
	}
	profiles_discard(draft);
}

void
profiles_gone(struct profile *profile)
{
	struct draft draft = {.spoiled = false};

	draft.facts.gone = 1;
	draft.facts.trigger = profile->facts.trigger;
	memcpy(draft.facts.name, profile->facts.name, sizeof(draft.facts.name));
	commit(&draft);
}

static void
take_content(struct draft *draft, const struct message *finding)
{
	struct content *content = malloc(sizeof(*content) + finding->setting.length);

	free(draft->contents[finding->number]);
	draft->contents[finding->number] = content;
	if (content == NULL) {
		draft->spoiled = true;
		return;
	}
	content->length = finding->setting.length;
	memcpy(content->bytes, finding->setting.bytes, finding->setting.length);
}

/* True when the draft is complete. */
static bool
take(struct draft *draft, const struct message *finding)
{
	unsigned setting;

	if (finding->type == MESSAGE_SETTING) {
		take_content(draft, finding);
		return false;
	}
	draft->facts = finding->profile;
	memset(
	    draft->facts.account, 0, sizeof(draft->facts.account)); /* ours to say, as are these */
	memset(&draft->facts.quota, 0, sizeof(draft->facts.quota));
	draft->facts.uid = 0;
	draft->facts.settings = 0;
	for (setting = 0; setting < SETTING_COUNT; setting++)
		draft->facts.settings += draft->contents[setting] != NULL;
	return true;
}

/* The sink of our own surveys. */
static void
take_finding(const struct message *finding)
{
	struct profile *profile;

	if (finding->type == MESSAGE_SKIPPED) {
		inform_skipped(finding, "");
		return;
	}
	if (!take(&our_draft, finding))
		return;
	if (is_tenants(&our_draft.facts)) {
		profile = table_find(our_draft.facts.name);
		if (profile != NULL)
			profile->seen = true;
		surveys_request(our_draft.facts.name, our_draft.facts.owner);
		profiles_discard(&our_draft);
	} else {
		commit(&our_draft);
	}
}

void
profiles_take_from(struct draft *draft, const char *tenant, const char *name, uid_t owner,
    const struct message *finding)
{
	char full[FULL_NAME_BYTES] = {0}; /* all of it is compared, and told */

	if (!take(draft, finding))
		return;
	(void)snprintf(full, sizeof(full), "%s%s%.64s", tenant, tenant[0] == '\0' ? "" : "/",
	    draft->facts.name);
	if (!profile_name_valid(draft->facts.name) || draft->facts.owner != owner ||
	    (name[0] != '\0' && strcmp(draft->facts.name, name) != 0) ||
	    (tenant[0] != '\0' && tenants_quota(full) == NULL)) { /* who has left meanwhile */
		profiles_discard(draft);
		return;
	}
	memcpy(draft->facts.name, full, sizeof(draft->facts.name));
	commit(draft);
}

void
profiles_ownerless(const char *name)
{
	const struct profile *profile = table_find(name);
	struct draft draft = {.spoiled = false};

	strncpy(draft.facts.name, name, sizeof(draft.facts.name) - 1);
	/* no edit: what runs is to end */
	draft.facts.trigger = profile != NULL && profile->process.trigger != 0
	    ? profile->process.trigger
	    : TRIGGER_UNKNOWN + 1;
	draft.facts.owner = UINT32_MAX;
	survey_refuse(&draft.facts, SETTING_DIRECTORY, REFUSAL_NO_ACCOUNT, 0);
	commit(&draft);
}

/* A change that comes while the files are looked at is not missed. */
static void
watch_first(const char *name, int opened)
{
	struct profile *profile = table_find(name);

	if (profile == NULL && (profile = table_add(name)) != NULL)
		profile->facts.gone = 1; /* until they have been */
	if (profile != NULL)
		watch_entry(profile, opened);
}

static struct survey
our_survey(void)
{
	return (struct survey){.directory = directory,
	    .owner = geteuid(),
	    .opened = watch_first,
	    .sink = take_finding};
}

void
profiles_look(const char *name)
{
	struct survey survey = our_survey();
	struct profile *profile = table_find(name);

	if (strchr(name, '/') == NULL)
		survey_profile(&survey, name);
	else if (profile != NULL && tenants_quota(name) != NULL)
		surveys_request(name, profile->facts.owner);
	else if (profile != NULL)
		profiles_gone(profile); /* with its tenant */
}

/* A cgroup of ours that belongs to no profile: its processes are ended, as those of a profile that
 * has gone. */
static void
find_orphan(const char *name)
{
	struct profile *profile;
	int events = -1;
	bool lives;

	if (table_find(name) != NULL)
		return;
	cgroup_remove(name); /* where nothing lives */
	lives = cgroup_populated(name, &events);
	descriptor_close(events);
	if (!lives)
		return;
	profile = table_add(name);
	if (profile == NULL)
		return;
	profile->facts.gone = 1;
	processes_find_strays(profile);
	watch_changed(profile);
}

bool
profiles_scanning(void)
{
	return scanned != NULL;
}

/* What could not be read has not disappeared. */
static int
fail_scan(int error)
{
	inform_report(REPORT_UNSCANNED, error, "the profiles directory");
	return error;
}

bool
profiles_follow(void)
{
	static bool missed;
	int opened = path_try(place);

	if (opened == -1 && !missed)
		(void)fail_scan(errno);
	missed = opened == -1;
	if (missed)
		return false;
	if (!path_same(opened, directory)) {
		(void)dup3(opened, directory, O_CLOEXEC); /* cannot fail on open files */
		watch_profiles();
	}
	(void)close(opened);
	return true;
}

int
profiles_scan(void)
{
	ENTRIES_FOREACH(entry) {
		entry->seen = strchr(entry->facts.name, '/') != NULL; /* tenants_scan()'s ... */
		if (entry->tenant)
			entry->facts.inode = 0; /* ... which is to have all of them surveyed */
	}
	scanned = survey_open(directory);
	return scanned == NULL ? fail_scan(errno) : 0;
}

int
profiles_scan_on(void)
{
	struct survey survey = our_survey();
	unsigned count = 0;
	int error;

	while (count < PROFILES_AT_ONCE && survey_next(&survey, scanned))
		count++;
	if (count == PROFILES_AT_ONCE)
		return 0;
	error = errno;
	(void)closedir(scanned);
	scanned = NULL;
	if (error != 0)
		return fail_scan(error);
	PROFILES_FOREACH(profile) {
		if (!profile->seen)
			profiles_look(profile->facts.name);
	}
	cgroup_each(find_orphan);
	return 0;
}

void
profiles_forget(struct profile *profile)
{
	const struct quota *quota = tenants_quota(profile->facts.name);

	/* there may have been no place for another one */
	if (quota != NULL && tenants_count(profile->facts.name, true) + 1 >= 2ULL * quota->profiles)
		watch_look_at(tenants_entry(profile->facts.name), clock_now());
	watch_forget(profile);
	births_stop(profile);
	processes_release(profile);
	session_release(profile);
	loop_close(&profile->rest);
	inform_forget(profile);
	cgroup_remove(profile->facts.name);
	outputs_forget(profile);
	(void)wishes_keep(profile->facts.name, WISH_DEFAULT); /* of no importance any more */
	ledger_forget(table_index(profile));
	table_remove(profile);
}
