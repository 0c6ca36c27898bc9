/*
 * --tenants=DIR: one directory a tenant, named after and owned by an account, with profiles in it
 * that run as that account. DIR is root's; what stands in a tenant's directory is looked at by a
 * process that has dropped to the tenant.
 */
#ifndef PROCLAUNCH_TENANTS_H
#define PROCLAUNCH_TENANTS_H

#include "table.h"

/* Opens and checks the directory (NULL: there are no tenants) and takes the default quota. Fatal
 * when it cannot be trusted. */
void tenants_open(const char *path, const struct quota *quota);

/* Its descriptor; stays the room's. -1: there are no tenants. */
int tenants_directory(void);

/* Looks who the tenants are, and has the profiles surveyed of those who are new, or have another
 * directory or quota. False, and nothing has changed, when the directory cannot be read. */
bool tenants_scan(void);

/* Looks at one that is known: its profiles are surveyed, or it is a tenant's directory no more, and
 * its services are stopped. The entry may be gone afterwards. */
void tenants_look(struct profile *tenant);

/* The entry of the tenant "alice", or of the one whose "alice/web" is; NULL when there is none. */
struct profile *tenants_entry(const char *name);

/* A survey of all profiles of the tenant ("alice/") begins. */
void tenants_begin_survey(const char *tenant);

/* It is complete: those that it did not find have gone, and their services are stopped. */
void tenants_surveyed(const char *tenant);

/* It has come to nothing. */
void tenants_unsurveyed(const char *tenant, int error);

/* The tenant whose profile has this name ("alice/web"): its quota; NULL when it is no tenant's. */
const struct quota *tenants_quota(const char *profile);

/* How many other profiles the tenant of that profile has; `all` also beyond the quota, and those
 * that have gone and whose processes have not. */
unsigned tenants_count(const char *profile, bool all);

#endif
