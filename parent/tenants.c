#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "account.h"
#include "clock.h"
#include "path.h"
#include "inform.h"
#include "profiles.h"
#include "quota.h"
#include "survey.h"
#include "surveys.h"
#include "tenants.h"
#include "trust.h"
#include "watch.h"

static int directory = -1;
static struct quota usual;

void
tenants_open(const char *path, const struct quota *quota)
{
	usual = *quota;
	if (path != NULL)
		directory = path_open("tenants directory", path, 0);
}

int
tenants_directory(void)
{
	return directory;
}

struct profile *
tenants_entry(const char *name)
{
	char tenant[FULL_NAME_BYTES];

	(void)snprintf(tenant, sizeof(tenant), "%.*s/", (int)strcspn(name, "/"), name);
	return table_find(tenant);
}

const struct quota *
tenants_quota(const char *profile)
{
	const struct profile *tenant = strchr(profile, '/') == NULL ? NULL : tenants_entry(profile);

	return tenant == NULL ? NULL : &tenant->facts.quota;
}

unsigned
tenants_count(const char *name, bool all)
{
	unsigned count = 0;

	TENANTS_FOREACH(profile, name) {
		bool there = profile->facts.gone == 0;

		if ((all ? there || profile->process.phase != PHASE_NONE
			 : there && profile->facts.refusal != REFUSAL_QUOTA) &&
		    strcmp(profile->facts.name, name) != 0)
			count++;
	}
	return count;
}

/* Is the entry a tenant's directory? REPORT_COUNT when it is, or when there is none or it is a
 * plain file, which is nobody's: then there is no account. Else what is to be said of it. */
static enum report
examine(const char *name, struct account *account, struct stat *status)
{
	/* a tenant may have mounted a file system of his own */
	int entry = trust_open_entry(directory, name);
	bool known = entry != -1 && fstat(entry, status) == 0;
	enum report report;

	descriptor_close(entry);
	account->name[0] = '\0';
	if (!known)
		return errno == ENOENT ? REPORT_COUNT : REPORT_UNSCANNED;
	report = survey_judge(name, status);
	if (report != REPORT_COUNT || S_ISREG(status->st_mode))
		return report;
	switch (account_by_text(name, strlen(name), account)) {
	case REFUSAL_NONE:
		break;
	case REFUSAL_FALSE_ROOT:
		return REPORT_SKIPPED_ROOT;
	case REFUSAL_UNREADABLE:
		return REPORT_UNSCANNED;
	default:
		return REPORT_SKIPPED_ACCOUNT;
	}
	if (account->uid == 0)
		return REPORT_SKIPPED_ROOT;
	if (status->st_uid != account->uid || trust_owner(status, account->uid) != REFUSAL_NONE)
		return REPORT_SKIPPED_OWNER;
	return REPORT_COUNT;
}

static void
read_quota(struct profile *tenant, const char *name)
{
	int fault;

	tenant->facts.quota = usual;
	fault = quota_read(directory, name, &tenant->facts.quota);
	if (fault != 0)
		inform_report(REPORT_QUOTA, fault == -1 ? 0 : fault, name);
}

/* The tenant's entry, which is made where there is none; NULL, which is said: there is no room. */
static struct profile *
see(const char *name)
{
	struct profile *tenant = tenants_entry(name);
	char full[FULL_NAME_BYTES];

	(void)snprintf(full, sizeof(full), "%.64s/", name);
	if (tenant == NULL && (tenant = table_add(full)) != NULL)
		tenant->facts.quota = usual;
	if (tenant == NULL)
		inform_report(REPORT_SKIPPED_FULL, 0, full);
	else
		tenant->tenant = tenant->seen = true;
	return tenant;
}

static void
take_tenant(const char *name, const struct stat *status)
{
	struct profile *tenant = see(name);
	struct profile_facts before;

	if (tenant == NULL)
		return;
	before = tenant->facts; /* of who is new, without an inode */
	tenant->facts.owner = status->st_uid;
	tenant->facts.device = status->st_dev;
	tenant->facts.inode = status->st_ino;
	read_quota(tenant, name);
	if (memcmp(&before, &tenant->facts, sizeof(before)) == 0)
		return;
	tenant->look_at = NEVER;
	watch_forget(tenant);	 /* it may be on the directory that stood there */
	watch_entry(tenant, -1); /* first, or a change between the two is missed */
	surveys_request(tenant->facts.name, tenant->facts.owner);
}

/* Plain files, the quotas among them, are nobody's directory. */
static void
look(const char *name)
{
	static struct account account;
	struct profile *tenant;
	struct stat status;
	enum report report = examine(name, &account, &status);

	if (report != REPORT_COUNT)
		inform_report(report, errno, name);
	else if (account.name[0] != '\0')
		take_tenant(name, &status);
	/* who could not be looked at has not left, also where only the ledger knows what he has */
	tenant = report == REPORT_UNSCANNED ? see(name) : NULL;
	if (tenant != NULL)
		watch_look_at(tenant, clock_now() + LOOK_AGAIN);
}

void
tenants_surveyed(const char *tenant)
{
	TENANTS_FOREACH(profile, tenant) {
		if (!profile->seen)
			profiles_gone(profile);
	}
}

void
tenants_begin_survey(const char *tenant)
{
	TENANTS_FOREACH(profile, tenant)
		profile->seen = false;
}

/* Tenants whose directory has gone, or is not theirs any more; and the profiles, also those from
 * the ledger, whose tenant there is no more. */
static void
forget_unseen(void)
{
	ENTRIES_FOREACH(entry) {
		if (!entry->tenant || entry->seen)
			continue;
		watch_forget(entry);
		table_remove(entry);
	}
	PROFILES_FOREACH(profile) {
		if (strchr(profile->facts.name, '/') != NULL &&
		    tenants_quota(profile->facts.name) == NULL)
			profiles_gone(profile);
	}
}

bool
tenants_scan(void)
{
	const struct dirent *found;
	DIR *stream = directory == -1 ? NULL : survey_open(directory);
	int error = directory == -1 || stream != NULL ? 0 : errno;

	ENTRIES_FOREACH(entry)
		entry->seen &= !entry->tenant;
	for (errno = 0; stream != NULL && (found = readdir(stream)) != NULL; errno = 0)
		if (found->d_name[0] != '.')
			look(found->d_name);
	if (stream != NULL) {
		error = errno;
		(void)closedir(stream);
	}
	if (error != 0) {
		inform_report(REPORT_UNSCANNED, error, "the tenants directory");
		ENTRIES_FOREACH(entry)
			entry->seen |= entry->tenant; /* who could not be read has not left */
		return false;
	}
	forget_unseen();
	return true;
}

void
tenants_look(struct profile *tenant)
{
	char name[FULL_NAME_BYTES];

	(void)snprintf(
	    name, sizeof(name), "%.*s", (int)strcspn(tenant->facts.name, "/"), tenant->facts.name);
	tenant->seen = false;
	tenant->facts.inode = 0; /* whatever stands there is surveyed */
	look(name);
	if (!tenant->seen)
		forget_unseen();
}

void
tenants_unsurveyed(const char *tenant, int error)
{
	TENANTS_FOREACH(profile, tenant)
		profiles_unread(profile->facts.name, error);
}
