/*
 * The profiles directory: what stands in it, whom it may run as, and what has changed. The surveys'
 * findings come in here; nothing that a tenant wrote is parsed.
 */
#ifndef PROCLAUNCH_PROFILES_H
#define PROCLAUNCH_PROFILES_H

#include "account.h"
#include "table.h"

/* A finding that is being put together: the contents so far, and what they are of, which comes
 * last. */
struct draft {
	struct profile_facts facts;
	struct content *contents[SETTING_COUNT];
	bool spoiled;	/* there was no memory for one of them */
	bool told_full; /* a tenant's survey has found too many profiles, and it has been said */
	int64_t begun;	/* when that survey began; 0: it is a look of our own, which is now */
};

/* Opens and checks the directory; fatal, with how to mend it, when it cannot be trusted. */
void profiles_open(const char *path, bool no_root);

/* Its descriptor; stays the room's. */
int profiles_directory(void);

/* The directory that holds the profile of that name: the profiles directory, or that of the
 * tenants. */
int profiles_base(const char *name);

/* The profile's directory is gone, or not the tenant's any more. */
void profiles_gone(struct profile *profile);

/*
 * The directory that stands at the path of the command line now is the one that counts, and is
 * watched and scanned where it is another one. While none stands there, or one that others have a
 * hand in, the old one counts on, and this says false, and once why.
 */
bool profiles_follow(void);

/* Begins to survey all of it. 0, or the errno of what prevented it. */
int profiles_scan(void);
/* Surveys some more of it, so that services and clients need not wait for thousands of profiles. At
 * the end marks as gone what has disappeared, and looks what else runs in our cgroups. */
int profiles_scan_on(void);
bool profiles_scanning(void);

/* Surveys one name: new, changed, or gone. */
void profiles_look(const char *name);

/*
 * Takes PROFILE or SETTING of a survey that ran as `owner`, about the profile `name` (or "": any)
 * of the tenant (or "": of none). What it says about others is not believed.
 */
void profiles_take_from(struct draft *draft, const char *tenant, const char *name, uid_t owner,
    const struct message *finding);

/* Frees what a draft has collected. */
void profiles_discard(struct draft *draft);

/* The directory of that name belongs to a uid that has no account. */
void profiles_ownerless(const char *name);

/* As whom a profile with these facts and this `user` file (NULL: none) runs, looked up now.
 * REFUSAL_NONE, or why it may not run. */
enum refusal profiles_account(
    const struct profile_facts *facts, const struct content *user, struct account *account);

/* From now on the profile is refused, for this reason. */
void profiles_refuse(struct profile *profile, enum setting setting, enum refusal refusal);

/*
 * The profile could not be looked at. Unless it has been before, it is refused for that: so it can
 * be seen, looked at again, and stopped should it run since before we started.
 */
void profiles_unread(const char *name, int error);

/* Removes a profile that is gone and of which nothing lives. */
void profiles_forget(struct profile *profile);

#endif
