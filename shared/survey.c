#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "survey.h"
#include "trust.h"

/* One profile while it is surveyed: the announcement, and the contents that go out after it. */
struct draft {
	struct message announcement;
	struct setting_bytes *contents[SETTING_COUNT];
	uid_t owner;
};

#define FNV_OFFSET 14695981039346656037ULL
#define FNV_PRIME  1099511628211ULL

/* FNV-1a; a change of inode, mtime, device or presence changes the sum. Nobody gains by a
 * collision: it would keep their own profile from being reloaded. */
static uint64_t
mix(uint64_t sum, uint64_t value)
{
	unsigned shift;

	for (shift = 0; shift < 64; shift += 8)
		sum = (sum ^ ((value >> shift) & 0xff)) * FNV_PRIME;
	return sum;
}

static void
refuse(struct profile_facts *facts, enum setting setting, enum refusal refusal, int error)
{
	if (facts->refusal != REFUSAL_NONE)
		return; /* the first reason is enough */
	facts->refusal = refusal;
	facts->refused_setting = setting;
	facts->refused_error = refusal == REFUSAL_UNREADABLE ? (uint32_t)error : 0;
}

static enum refusal
check_file(enum setting setting, const struct stat *status, uid_t owner)
{
	if (!S_ISREG(status->st_mode))
		return S_ISLNK(status->st_mode) ? REFUSAL_LINK : REFUSAL_NOT_REGULAR;
	/* a tenant can hard-link what they cannot read, where protected_hardlinks is off */
	if (owner != 0 && status->st_uid == 0 && status->st_nlink != 1)
		return REFUSAL_LINK;
	if (setting == SETTING_RUN)
		return (status->st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) == 0
		    ? REFUSAL_NOT_EXECUTABLE
		    : trust_owner(status, owner);
	if (status->st_size > SETTING_BYTES_MAX)
		return REFUSAL_TOO_LARGE;
	return trust_owner(status, owner);
}

/* Reads at most SETTING_BYTES_MAX bytes; NULL with errno. The caller owns what is returned. */
static struct setting_bytes *
read_setting(int file)
{
	struct setting_bytes *content;
	ssize_t got;

	content = calloc(1, sizeof(*content));
	if (content == NULL)
		return NULL;
	while ((got = read(file, content->bytes + content->length,
		    SETTING_BYTES_MAX - content->length)) > 0)
		content->length += (uint32_t)got;
	if (got == -1) {
		free(content);
		return NULL;
	}
	return content;
}

static void
survey_setting(struct draft *draft, int directory, enum setting setting)
{
	struct profile_facts *facts = &draft->announcement.profile;
	bool presence = (SETTINGS_PRESENCE & SETTING_BIT(setting)) != 0;
	struct stat status;
	enum refusal refusal;
	int file;

	/* O_NONBLOCK: a FIFO does not hold us, and a lease that its owner took (fcntl(2),
	 * F_SETLEASE) fails with EWOULDBLOCK instead of letting us wait for the lease-break time */
	file = openat(directory, setting_name(setting),
	    (presence ? O_PATH : O_RDONLY) | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (file == -1) {
		if (errno == ELOOP)
			refuse(facts, setting, REFUSAL_LINK, 0);
		else if (errno == ENXIO) /* a socket, or a device that nothing drives */
			refuse(facts, setting, REFUSAL_NOT_REGULAR, 0);
		else if (errno != ENOENT)
			refuse(facts, setting, REFUSAL_UNREADABLE, errno);
		else if (setting == SETTING_RUN)
			refuse(facts, setting, REFUSAL_MISSING, 0);
		return;
	}
	if (fstat(file, &status) == -1) {
		refuse(facts, setting, REFUSAL_UNREADABLE, errno);
		(void)close(file);
		return;
	}
	facts->present |= SETTING_BIT(setting);
	if ((SETTINGS_TRIGGER & SETTING_BIT(setting)) != 0) {
		facts->trigger = mix(facts->trigger, setting);
		facts->trigger = mix(facts->trigger, status.st_dev);
		facts->trigger = mix(facts->trigger, status.st_ino);
		facts->trigger = mix(facts->trigger, (uint64_t)status.st_mtim.tv_sec);
		facts->trigger = mix(facts->trigger, (uint64_t)status.st_mtim.tv_nsec);
	}
	refusal = check_file(setting, &status, draft->owner);
	if (refusal != REFUSAL_NONE)
		refuse(facts, setting, refusal, 0);
	else if (!presence && (draft->contents[setting] = read_setting(file)) == NULL)
		refuse(facts, setting, REFUSAL_UNREADABLE, errno);
	(void)close(file);
}

static void
survey_settings(const struct survey *survey, struct draft *draft, int directory)
{
	struct profile_facts *facts = &draft->announcement.profile;
	unsigned setting;

	for (setting = 0; setting < SETTING_COUNT; setting++)
		survey_setting(draft, directory, (enum setting)setting);
	if (survey->for_tenants && draft->owner != 0 &&
	    (facts->present & SETTING_BIT(SETTING_ALLOW_NEW_PRIVS)) != 0)
		refuse(facts, SETTING_ALLOW_NEW_PRIVS, REFUSAL_ROOT_ONLY, 0);
}

/* The announcement, then each content; frees the contents. */
static void
emit_draft(const struct survey *survey, struct draft *draft)
{
	struct profile_facts *facts = &draft->announcement.profile;
	struct message message;
	unsigned setting;

	if (facts->trigger < 2)
		facts->trigger = 2; /* the two smallest have a meaning of their own */
	for (setting = 0; setting < SETTING_COUNT; setting++)
		if (draft->contents[setting] != NULL)
			facts->settings++;
	survey->sink(survey->context, &draft->announcement);
	for (setting = 0; setting < SETTING_COUNT; setting++) {
		if (draft->contents[setting] == NULL)
			continue;
		message_begin(&message, MESSAGE_SETTING);
		message.number = setting;
		message.setting = *draft->contents[setting];
		free(draft->contents[setting]);
		survey->sink(survey->context, &message);
	}
}

static void
begin_draft(struct draft *draft, const char *name)
{
	struct profile_facts *facts = &draft->announcement.profile;

	memset(draft, 0, sizeof(*draft));
	message_begin(&draft->announcement, MESSAGE_PROFILE);
	strncpy(facts->name, name, sizeof(facts->name) - 1);
	facts->trigger = FNV_OFFSET;
}

static void
emit_skipped(const struct survey *survey, enum report why, const char *name)
{
	struct message message;

	message_begin(&message, MESSAGE_SKIPPED);
	message.number = why;
	strncpy(message.report.text, name, sizeof(message.report.text) - 1);
	survey->sink(survey->context, &message);
}

/* Nothing stands there under a name that a profile may have; or it cannot be seen. */
static void
emit_unseen(const struct survey *survey, const char *name, int error)
{
	struct draft draft;

	begin_draft(&draft, name);
	if (error == ENOENT)
		draft.announcement.profile.gone = 1;
	else
		refuse(&draft.announcement.profile, SETTING_DIRECTORY, REFUSAL_UNREADABLE, error);
	draft.announcement.profile.owner = survey->owner;
	emit_draft(survey, &draft);
}

/* What kind of entry is it? True when it is a directory that can be a profile. */
static bool
is_profile(const struct survey *survey, const char *name, const struct stat *status)
{
	if (S_ISREG(status->st_mode))
		return false;
	if (S_ISLNK(status->st_mode) || !S_ISDIR(status->st_mode)) {
		emit_skipped(survey,
		    S_ISLNK(status->st_mode) ? REPORT_SKIPPED_LINK : REPORT_SKIPPED_KIND, name);
		return false;
	}
	if (!profile_name_valid(name)) {
		emit_skipped(survey, REPORT_SKIPPED_NAME, name);
		return false;
	}
	return true;
}

static void
survey_opened(const struct survey *survey, const char *name, int profile, const struct stat *status)
{
	struct draft draft;
	struct profile_facts *facts = &draft.announcement.profile;
	enum refusal refusal;

	begin_draft(&draft, name);
	facts->device = status->st_dev;
	facts->inode = status->st_ino;
	/* what root has put into a tenant's directory is the tenant's all the same: who owns the
	 * directory above can take it away and put something else there */
	facts->owner = survey->owner != 0 ? survey->owner : status->st_uid;
	draft.owner = facts->owner;
	refusal = trust_owner(status, survey->owner);
	if (refusal == REFUSAL_NONE && survey->opened != NULL)
		survey->opened(name, profile);
	if (refusal != REFUSAL_NONE)
		refuse(facts, SETTING_DIRECTORY, refusal, 0);
	else
		survey_settings(survey, &draft, profile);
	emit_draft(survey, &draft);
}

/* False: what stands there is no directory that could be a profile. */
static bool
survey_entry(const struct survey *survey, const char *name)
{
	struct stat status;
	int entry = trust_open_entry(survey->directory, name);
	bool profile = true;

	if (entry != -1 && fstat(entry, &status) == 0) {
		profile = is_profile(survey, name, &status);
		if (profile)
			survey_opened(survey, name, entry, &status);
	} else if (profile_name_valid(name)) {
		emit_unseen(survey, name, errno);
	}
	if (entry != -1)
		(void)close(entry);
	return profile;
}

void
survey_profile(const struct survey *survey, const char *name)
{
	if (!survey_entry(survey, name) && profile_name_valid(name))
		emit_unseen(survey, name, ENOENT); /* should it have been one: that has gone */
}

DIR *
survey_open(const struct survey *survey)
{
	/* a descriptor of its own: its offset is not shared with anybody */
	int own = openat(survey->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), error;
	DIR *stream = own == -1 ? NULL : fdopendir(own);

	error = errno;
	if (stream == NULL && own != -1)
		(void)close(own);
	errno = error;
	return stream;
}

bool
survey_next(const struct survey *survey, DIR *stream)
{
	const struct dirent *entry;

	errno = 0;
	entry = readdir(stream);
	if (entry != NULL && entry->d_name[0] != '.')
		(void)survey_entry(survey, entry->d_name);
	return entry != NULL;
}

int
survey_directory(const struct survey *survey)
{
	DIR *stream = survey_open(survey);
	int error;

	if (stream == NULL)
		return -1;
	while (survey_next(survey, stream))
		;
	error = errno;
	(void)closedir(stream);
	errno = error;
	return error == 0 ? 0 : -1;
}
