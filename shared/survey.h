/*
 * Reading a profile's directory: which files are there, to whom they belong, and the bytes of those
 * that are small. Nothing is parsed here. The parent surveys what root owns; what a tenant owns is
 * surveyed by a child that has dropped to that tenant, so that a link, a FUSE mount or a hanging
 * file server can hurt nobody else.
 */
#ifndef PROCLAUNCH_SURVEY_H
#define PROCLAUNCH_SURVEY_H

#include <sys/types.h>

#include "message.h"

/*
 * Where the findings go: SKIPPED for an entry that is no profile; PROFILE and then as many SETTING
 * as it announces. The message is the survey's, valid during the call.
 */
typedef void (*survey_sink)(void *context, const struct message *finding);

/* What to survey, for whom, and where the findings go. */
struct survey {
	int directory;	  /* holds the profiles; the caller's */
	uid_t owner;	  /* the profiles have to belong to this user or to root */
	bool for_tenants; /* a profile that root does not own may not ask for allow_new_privs */
	survey_sink sink;
	void *context;
};

/*
 * Surveys the profile `name`. It has to be a directory that satisfies trust_owner(). A directory of
 * somebody else is reported with its owner, and no file in it is opened. A name that does not
 * exist, or leads to no directory, is reported as gone.
 */
void survey_profile(const struct survey *survey, const char *name);

/*
 * Surveys every entry of the directory; names with a leading dot and plain files are ignored.
 * Returns 0, or -1 with errno when the directory could not be read to its end.
 */
int survey_directory(const struct survey *survey);

#endif
