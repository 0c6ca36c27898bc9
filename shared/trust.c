#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trust.h"

enum refusal
trust_owner(const struct stat *status, uid_t owner)
{
	if (status->st_uid != 0 && status->st_uid != owner)
		return REFUSAL_OWNER;
	if ((status->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return REFUSAL_WRITABLE;
	return REFUSAL_NONE;
}

/* The number of the mount that the descriptor is on; -1: unknown. AT_STATX_DONT_SYNC: the server of
 * a mounted file system is not asked, statx(2). */
static int
mount_of(int descriptor)
{
	struct statx status;

	if (statx(descriptor, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID, &status) ==
		-1 ||
	    (status.stx_mask & STATX_MNT_ID) == 0)
		return -1;
	return (int)status.stx_mnt_id;
}

/* Every user may mount FUSE where fusermount(1) is installed; proc_pid_mountinfo(5). */
static bool
is_user_mount(int mount)
{
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	char line[4 * PATH_MAX], *type;
	bool begins = true, users = true; /* also what was unmounted since, and still is there */

	while (mounts != NULL && fgets(line, sizeof(line), mounts) != NULL) {
		if (begins && strtol(line, NULL, 10) == mount) {
			type = strstr(line, " - "); /* spaces in the paths before it are \040 */
			users = type == NULL || strncmp(type + 3, "fuse", 4) == 0;
			break;
		}
		/* the rest of a line that is too long is none of its own: a user chose its bytes */
		begins = strchr(line, '\n') != NULL;
	}
	if (mounts != NULL)
		(void)fclose(mounts);
	return users;
}

/* Into no mount, or into none that is a user's. */
static int
open_entry(int directory, const char *name, uint64_t resolve)
{
	struct open_how how = {.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC, .resolve = resolve};
	int entry = (int)syscall(SYS_openat2, directory, name, &how, sizeof(how)), mount;

	if (entry == -1 || resolve == RESOLVE_NO_XDEV)
		return entry;
	mount = mount_of(entry);
	if ((mount != -1 && mount == mount_of(directory)) || !is_user_mount(mount))
		return entry;
	(void)close(entry);
	errno = EREMOTE;
	return -1;
}

int
trust_open_entry(int directory, const char *name)
{
	int entry = open_entry(directory, name, RESOLVE_NO_XDEV);

	return entry == -1 && errno == EXDEV ? open_entry(directory, name, 0) : entry;
}

int
trust_open_profile(int directory, const char *name)
{
	const char *slash = strchr(name, '/');
	char tenant[FULL_NAME_BYTES];
	int above, opened;

	if (slash == NULL)
		return trust_open_entry(directory, name);
	(void)snprintf(tenant, sizeof(tenant), "%.*s", (int)(slash - name), name);
	above = trust_open_entry(directory, tenant);
	if (above == -1 || slash[1] == '\0')
		return above;
	/* what it does not remember the kernel would look up under the directory's lock, which a
	 * tenant can keep: he lists it into a page of his own that takes long, and adds a name */
	opened = open_entry(above, slash + 1, RESOLVE_CACHED);
	descriptor_close(above);
	return opened;
}
