#include <sys/inotify.h>
#include <sys/queue.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "account.h"
#include "clock.h"
#include "files.h"
#include "inform.h"
#include "profiles.h"
#include "quota.h"
#include "surveys.h"
#include "tenants.h"
#include "trust.h"
#include "watch.h"

/* A tenant's directory that changed is looked at again so much later, however often it changes. */
#define STILL_FOR (20 * MILLISECOND)
/* All of them, where they could not be listed. */
#define TRY_AGAIN (5 * SECOND)
/* ... and one that could not be surveyed so much later. */
#define LOOK_AGAIN (60 * SECOND)

struct tenant {
	SLIST_ENTRY(tenant) next;
	char name[ACCOUNT_NAME_BYTES];
	uid_t uid;
	struct quota quota;
	int watch; /* inotify watch of the directory; -1: none */
	int64_t look_at;
	bool seen; /* by the scan that is under way */
};

static SLIST_HEAD(, tenant) tenants = SLIST_HEAD_INITIALIZER(tenants);
static int directory = -1;
static int directory_watch = -1;
static struct quota usual;
static int64_t scan_at = NEVER;

void
tenants_open(const char *path, const struct quota *quota)
{
	usual = *quota;
	if (path == NULL)
		return;
	directory = files_open_trusted("tenants directory", path);
	directory_watch = watch_directory(directory, ".", IN_ATTRIB | IN_CLOSE_WRITE);
}

int
tenants_directory(void)
{
	return directory;
}

static struct tenant *
find(const char *name, size_t length)
{
	struct tenant *tenant;

	SLIST_FOREACH(tenant, &tenants, next) {
		if (strlen(tenant->name) == length && memcmp(tenant->name, name, length) == 0)
			break;
	}
	return tenant;
}

static size_t
tenant_length(const char *profile)
{
	const char *slash = strchr(profile, '/');

	return slash == NULL ? 0 : (size_t)(slash - profile);
}

const struct quota *
tenants_quota(const char *profile)
{
	const struct tenant *tenant = find(profile, tenant_length(profile));

	return tenant == NULL ? NULL : &tenant->quota;
}

static bool
belongs(const struct profile *profile, const char *tenant, size_t length)
{
	return strncmp(profile->facts.name, tenant, length) == 0 &&
	    profile->facts.name[length] == '/';
}

unsigned
tenants_count(const char *name, bool refused_too)
{
	struct profile *profile;
	unsigned count = 0;
	uint32_t index;

	PROFILES_FOREACH(profile, index) {
		if (profile->facts.gone == 0 &&
		    (refused_too || profile->facts.refusal != REFUSAL_QUOTA) &&
		    belongs(profile, name, tenant_length(name)) &&
		    strcmp(profile->facts.name, name) != 0)
			count++;
	}
	return count;
}

/* What stands there? False with errno. A tenant may have mounted a file system of his own. */
static bool
look_at(const char *name, struct stat *status)
{
	int entry = trust_open_entry(directory, name);
	bool known = entry != -1 && fstat(entry, status) == 0;

	if (entry != -1)
		(void)close(entry);
	return known;
}

/* Is the entry a tenant's directory? REPORT_COUNT when it is, or when it is a plain file, which is
 * nobody's: then there is no account. Else what is to be said of it. */
static enum report
examine(const char *name, struct account *account)
{
	struct stat status;

	account->name[0] = '\0';
	if (!look_at(name, &status))
		return REPORT_UNSCANNED;
	if (S_ISREG(status.st_mode))
		return REPORT_COUNT;
	if (S_ISLNK(status.st_mode))
		return REPORT_SKIPPED_LINK;
	if (!S_ISDIR(status.st_mode))
		return REPORT_SKIPPED_KIND;
	if (!profile_name_valid(name))
		return REPORT_SKIPPED_NAME;
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
	if (status.st_uid != account->uid || trust_owner(&status, account->uid) != REFUSAL_NONE)
		return REPORT_SKIPPED_OWNER;
	return REPORT_COUNT;
}

static void
read_quota(struct tenant *tenant)
{
	int fault;

	tenant->quota = usual;
	fault = quota_read(directory, tenant->name, &tenant->quota);
	if (fault != 0)
		inform_report(REPORT_QUOTA, fault == -1 ? 0 : fault, tenant->name);
}

static void
survey(struct tenant *tenant)
{
	/* first, or a change between the two is missed */
	if (tenant->watch == -1)
		tenant->watch = watch_directory(directory, tenant->name, IN_ATTRIB | IN_ONESHOT);
	tenant->look_at = NEVER;
	surveys_request_all(tenant->name, tenant->uid);
}

static void
take_tenant(const char *name, const struct account *account)
{
	struct tenant *tenant = find(name, strlen(name));

	if (tenant == NULL) {
		tenant = calloc(1, sizeof(*tenant));
		if (tenant == NULL) {
			inform_report(REPORT_UNSCANNED, ENOMEM, name);
			return;
		}
		memcpy(tenant->name, account->name, sizeof(tenant->name));
		tenant->watch = -1;
		tenant->look_at = NEVER;
		SLIST_INSERT_HEAD(&tenants, tenant, next);
	}
	tenant->seen = true;
	tenant->uid = account->uid;
	read_quota(tenant);
	survey(tenant);
}

/* Who could not be looked at has not left. */
static void
keep_tenant(const char *name)
{
	struct tenant *tenant = find(name, strlen(name));

	if (tenant == NULL)
		return;
	tenant->seen = true;
	tenant->look_at = clock_now() + LOOK_AGAIN;
}

/* Plain files, the quotas among them, and names with a leading dot are nobody's directory. */
static void
take_entry(const struct dirent *entry)
{
	static struct account account;
	enum report report;

	if (entry->d_name[0] == '.')
		return;
	report = examine(entry->d_name, &account);
	if (report == REPORT_UNSCANNED)
		keep_tenant(entry->d_name);
	if (report != REPORT_COUNT)
		inform_report(report, errno, entry->d_name);
	else if (account.name[0] != '\0')
		take_tenant(entry->d_name, &account);
}

void
tenants_surveyed(const char *tenant)
{
	struct profile *profile;
	uint32_t index;

	PROFILES_FOREACH(profile, index) {
		if (!profile->seen && belongs(profile, tenant, strlen(tenant)))
			profiles_gone(profile);
	}
}

void
tenants_begin_survey(const char *tenant)
{
	struct profile *profile;
	uint32_t index;

	PROFILES_FOREACH(profile, index) {
		if (belongs(profile, tenant, strlen(tenant)))
			profile->seen = false;
	}
}

/* Tenants whose directory has gone, or is not theirs any more. */
static void
forget_unseen(void)
{
	struct tenant *tenant, *following;

	for (tenant = SLIST_FIRST(&tenants); tenant != NULL; tenant = following) {
		following = SLIST_NEXT(tenant, next);
		if (tenant->seen)
			continue;
		tenants_begin_survey(tenant->name);
		tenants_surveyed(tenant->name); /* nothing was found */
		watch_remove(tenant->watch);
		SLIST_REMOVE(&tenants, tenant, tenant, next);
		free(tenant);
	}
}

/* Profiles in the table, from the ledger or an earlier scan, whose tenant there is no more. */
static void
let_go_of_orphans(void)
{
	struct profile *profile;
	uint32_t index;

	PROFILES_FOREACH(profile, index) {
		if (tenant_length(profile->facts.name) > 0 &&
		    tenants_quota(profile->facts.name) == NULL)
			profiles_gone(profile);
	}
}

void
tenants_scan(void)
{
	struct tenant *tenant;
	struct dirent *entry;
	DIR *stream = NULL;
	int own;

	scan_at = NEVER;
	if (directory == -1)
		return;
	SLIST_FOREACH(tenant, &tenants, next)
		tenant->seen = false;
	own = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (own == -1 || (stream = fdopendir(own)) == NULL) {
		inform_report(REPORT_UNSCANNED, errno, "the tenants directory");
		scan_at = clock_now() + TRY_AGAIN;
		if (own != -1)
			(void)close(own);
		return; /* who could not be read has not left */
	}
	while ((entry = readdir(stream)) != NULL)
		take_entry(entry);
	(void)closedir(stream);
	forget_unseen();
	let_go_of_orphans();
}

void
tenants_unsurveyed(const char *name, int error)
{
	struct tenant *tenant = find(name, strlen(name));
	struct profile *profile;
	uint32_t index;

	if (tenant != NULL && error != EACCES) /* that its owner has shut it, he is seen to undo */
		tenant->look_at = clock_now() + LOOK_AGAIN;
	PROFILES_FOREACH(profile, index) {
		if (belongs(profile, name, strlen(name)))
			profiles_unread(profile->facts.name, error);
	}
}

/* Something was made, removed or replaced in DIR. What a tenant changes about his own directory is
 * not worth a look at all the others. */
static void
directory_event(const struct inotify_event *event)
{
	bool known = event->len > 0 && find(event->name, strlen(event->name)) != NULL;

	if (event->len > 0 && event->name[0] != '.' && ((event->mask & IN_ATTRIB) == 0 || !known))
		scan_at = clock_earlier(scan_at, clock_now() + STILL_FOR);
}

bool
tenants_event(const struct inotify_event *event)
{
	struct tenant *tenant;

	if (event->wd == directory_watch && directory_watch != -1) {
		directory_event(event);
		return true;
	}
	SLIST_FOREACH(tenant, &tenants, next) {
		if (tenant->watch != event->wd)
			continue;
		tenant->watch = -1; /* it was for one event */
		tenant->look_at = clock_earlier(tenant->look_at, clock_now() + STILL_FOR);
		return true;
	}
	return false;
}

int64_t
tenants_deadline(void)
{
	const struct tenant *tenant;
	int64_t deadline = scan_at;

	SLIST_FOREACH(tenant, &tenants, next)
		deadline = clock_earlier(deadline, tenant->look_at);
	return deadline;
}

void
tenants_tend(int64_t now)
{
	static struct account account;
	struct tenant *tenant;

	if (scan_at <= now)
		tenants_scan();
	SLIST_FOREACH(tenant, &tenants, next) {
		if (tenant->look_at > now)
			continue;
		tenant->look_at = NEVER;
		if (examine(tenant->name, &account) == REPORT_COUNT && account.name[0] != '\0')
			survey(tenant);
		else
			scan_at = now; /* it is not a tenant's any more: the scan says why */
	}
}
