#include <sys/stat.h>
#include <sys/syscall.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "digest.h"
#include "survey.h"
#include "trust.h"

void
survey_refuse(struct profile_facts *facts, enum setting setting, enum refusal refusal, int error)
{
	if (facts->refusal != REFUSAL_NONE)
		return;
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

/* Hands on what stands in the file, at most SETTING_BYTES_MAX bytes of it. False with errno. */
static bool
emit_setting(const struct survey *survey, enum setting setting, int file)
{
	struct message message;
	struct setting_bytes *content = &message.setting;
	ssize_t got;

	message_begin(&message, MESSAGE_SETTING);
	message.number = setting;
	while ((got = read(file, content->bytes + content->length,
		    SETTING_BYTES_MAX - content->length)) > 0)
		content->length += (uint32_t)got;
	if (got == 0)
		survey->sink(&message);
	return got == 0;
}

/* A change of inode, mtime, device or presence changes the sum. Nobody gains by a collision: it
 * would keep their own profile from being reloaded. */
static uint64_t
add_file(uint64_t trigger, enum setting setting, const struct stat *status)
{
	const uint64_t facts[] = {setting, status->st_dev, status->st_ino,
	    (uint64_t)status->st_mtim.tv_sec, (uint64_t)status->st_mtim.tv_nsec};

	return digest(trigger, facts, sizeof(facts));
}

/*
 * What a user has mounted on a file of his in root's profile may say that it is root's, and keep
 * root waiting: no mount is entered before it is known whose it is. A tenant may wait.
 * O_NONBLOCK: a FIFO does not hold us, and a lease that its owner took (fcntl(2), F_SETLEASE) fails
 * with EWOULDBLOCK instead of letting us wait for the lease-break time.
 */
static int
open_setting(const struct survey *survey, int directory, enum setting setting, bool presence)
{
	const uint64_t flags = O_CLOEXEC | (presence ? O_PATH : O_RDONLY | O_NONBLOCK | O_NOCTTY);
	struct open_how how = {
	    .flags = flags | O_NOFOLLOW, .resolve = survey->opened != NULL ? RESOLVE_NO_XDEV : 0};
	long file = syscall(SYS_openat2, directory, setting_name(setting), &how, sizeof(how));
	char path[32];
	int entry;

	if (file != -1 || errno != EXDEV)
		return (int)file;
	entry = trust_open_entry(directory, setting_name(setting));
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", entry);
	if (entry != -1)
		file = open(path, (int)flags);
	descriptor_close(entry);
	return (int)file;
}

static void
survey_setting(
    const struct survey *survey, struct profile_facts *facts, int directory, enum setting setting)
{
	bool presence = (SETTINGS_PRESENCE & SETTING_BIT(setting)) != 0;
	struct stat status;
	enum refusal refusal;
	int file;

	file = open_setting(survey, directory, setting, presence);
	if (file == -1 || fstat(file, &status) == -1) {
		if (errno == ELOOP)
			survey_refuse(facts, setting, REFUSAL_LINK, 0);
		else if (errno == ENXIO) /* a socket, or a device that nothing drives */
			survey_refuse(facts, setting, REFUSAL_NOT_REGULAR, 0);
		else if (errno != ENOENT)
			survey_refuse(facts, setting, REFUSAL_UNREADABLE, errno);
		else if (setting == SETTING_RUN)
			survey_refuse(facts, setting, REFUSAL_MISSING, 0);
		descriptor_close(file);
		return;
	}
	facts->present |= SETTING_BIT(setting);
	if ((SETTINGS_TRIGGER & SETTING_BIT(setting)) != 0)
		facts->trigger = add_file(facts->trigger, setting, &status);
	refusal = check_file(setting, &status, facts->owner);
	if (refusal != REFUSAL_NONE)
		survey_refuse(facts, setting, refusal, 0);
	else if (!presence && !emit_setting(survey, setting, file))
		survey_refuse(facts, setting, REFUSAL_UNREADABLE, errno);
	(void)close(file);
}

static void
emit_skipped(const struct survey *survey, enum report why, const char *name)
{
	struct message message;

	message_begin(&message, MESSAGE_SKIPPED);
	message.number = why;
	strncpy(message.report.text, name, sizeof(message.report.text) - 1);
	survey->sink(&message);
}

enum report
survey_judge(const char *name, const struct stat *status)
{
	if (S_ISLNK(status->st_mode))
		return REPORT_SKIPPED_LINK;
	if (!S_ISDIR(status->st_mode) && !S_ISREG(status->st_mode))
		return REPORT_SKIPPED_KIND;
	return S_ISREG(status->st_mode) || profile_name_valid(name) ? REPORT_COUNT
								    : REPORT_SKIPPED_NAME;
}

static void
survey_opened(const struct survey *survey, struct profile_facts *facts, int profile,
    const struct stat *status)
{
	enum refusal refusal = trust_owner(status, survey->owner);
	unsigned setting;

	facts->device = status->st_dev;
	facts->inode = status->st_ino;
	/* what root has put into a tenant's directory is the tenant's all the same: who owns the
	 * directory above can take it away and put something else there */
	if (survey->owner == 0)
		facts->owner = status->st_uid;
	if (refusal == REFUSAL_NONE && survey->opened != NULL)
		survey->opened(facts->name, profile);
	if (refusal != REFUSAL_NONE)
		survey_refuse(facts, SETTING_DIRECTORY, refusal, 0);
	for (setting = 0; refusal == REFUSAL_NONE && setting < SETTING_COUNT; setting++)
		survey_setting(survey, facts, profile, (enum setting)setting);
	if (facts->trigger < 2)
		facts->trigger = 2; /* the two smallest have a meaning of their own */
}

void
survey_profile(const struct survey *survey, const char *name)
{
	struct message finding;
	struct profile_facts *facts = &finding.profile;
	struct stat status;
	int entry = trust_open_entry(survey->directory, name);
	bool seen = entry != -1 && fstat(entry, &status) == 0;
	enum report skipped = seen ? survey_judge(name, &status) : REPORT_COUNT;

	message_begin(&finding, MESSAGE_PROFILE);
	strncpy(facts->name, name, sizeof(facts->name) - 1);
	facts->trigger = DIGEST_BEGIN;
	facts->owner = survey->owner;
	if (skipped != REPORT_COUNT)
		emit_skipped(survey, skipped, name);
	if (seen && skipped == REPORT_COUNT && S_ISDIR(status.st_mode))
		survey_opened(survey, facts, entry, &status);
	else if (seen || errno == ENOENT) /* should it have been a profile, that has gone */
		facts->gone = 1;
	else
		survey_refuse(facts, SETTING_DIRECTORY, REFUSAL_UNREADABLE, errno);
	if (profile_name_valid(name))
		survey->sink(&finding);
	descriptor_close(entry);
}

DIR *
survey_open(int directory)
{
	/* a descriptor of its own: its offset is not shared with anybody */
	int own = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = own == -1 ? NULL : fdopendir(own);

	if (stream == NULL)
		descriptor_close(own);
	return stream;
}

bool
survey_next(const struct survey *survey, DIR *stream)
{
	const struct dirent *entry;

	errno = 0;
	entry = readdir(stream);
	if (entry != NULL && entry->d_name[0] != '.' && entry->d_type != DT_REG)
		survey_profile(survey, entry->d_name);
	return entry != NULL;
}

int
survey_directory(const struct survey *survey)
{
	DIR *stream = survey_open(survey->directory);
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
