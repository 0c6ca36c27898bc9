/*
 * Reading a profile's directory: which files are there, to whom they belong, and the bytes of those
 * that are small. Nothing is parsed here. The parent surveys what root owns; what a tenant owns is
 * surveyed by a child that has dropped to that tenant, so that a link, a FUSE mount or a hanging
 * file server can hurt nobody else.
 */
#ifndef PROCLAUNCH_SURVEY_H
#define PROCLAUNCH_SURVEY_H

#include <sys/stat.h>

#include <dirent.h>

#include "descriptors.h"
#include "message.h"

/*
 * Where the findings go: SKIPPED for an entry that is no profile; a SETTING for each file that was
 * read, and then the PROFILE that they are of. The message is the survey's, valid during the call.
 */
typedef void (*survey_sink)(const struct message *finding);

/* What to survey, for whom, and where the findings go. */
struct survey {
	int directory; /* holds the profiles; the caller's */
	uid_t owner;   /* the profiles have to belong to this user or to root */
	/* NULL, or told before any file of a profile is looked at: what changes from then on may
	 * not be in the findings. The descriptor is the survey's, valid during the call */
	void (*opened)(const char *name, int directory);
	survey_sink sink;
};

/*
 * Surveys the profile `name`. It has to be a directory that satisfies trust_owner(). A directory of
 * somebody else is reported with its owner, and no file in it is opened. A name that does not
 * exist, or leads to no directory, is reported as gone.
 */
void survey_profile(const struct survey *survey, const char *name);

/*
 * For all that is there, an entry at a time, so that nobody has to wait for thousands: opens the
 * directory (NULL with errno; the caller's, closedir(3)), and surveys the next entry of it. False
 * at its end, with errno 0, or when it could not be read on. Names with a leading dot and plain
 * files are ignored.
 */
DIR *survey_open(int directory);
bool survey_next(const struct survey *survey, DIR *stream);

/* What is to be said of an entry that stands among profiles or tenants; REPORT_COUNT: nothing, for
 * it is a directory by a good name, or a plain file, which is nobody's. */
enum report survey_judge(const char *name, const struct stat *status);

/* The profile is refused for this reason, unless it is for another one already: the first is
 * enough. `error` is of REFUSAL_UNREADABLE. */
void
survey_refuse(struct profile_facts *facts, enum setting setting, enum refusal refusal, int error);

/*
 * Surveys every entry of the directory.
 * Returns 0, or -1 with errno when the directory could not be read to its end.
 */
int survey_directory(const struct survey *survey);

#endif
