#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "report.h"
#include "wishes.h"

static int directories[WISH_COUNT] = {-1, -1, -1};

static int
open_own(int state, const char *name)
{
	struct stat status;
	int opened;

	if (mkdirat(state, name, 0700) == -1 && errno != EEXIST)
		fatal("state directory: %s", name);
	opened = openat(state, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (opened == -1 || fstat(opened, &status) == -1)
		fatal("state directory: %s", name);
	if (status.st_uid != geteuid())
		fatalx("state directory: %s belongs to uid %u: move it away", name, status.st_uid);
	return opened;
}

void
wishes_open(int state_directory)
{
	directories[WISH_UP] = open_own(state_directory, "enabled");
	directories[WISH_DOWN] = open_own(state_directory, "disabled");
}

/* A tenant's profile is alice/web; '%' stands in no name. */
static const char *
file_name(const char *profile)
{
	static char name[FULL_NAME_BYTES];
	char *slash;

	strncpy(name, profile, sizeof(name) - 1);
	slash = strchr(name, '/');
	if (slash != NULL)
		*slash = '%';
	return name;
}

enum wish
wishes_of(const char *profile)
{
	const char *name = file_name(profile);

	if (faccessat(directories[WISH_DOWN], name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return WISH_DOWN;
	if (faccessat(directories[WISH_UP], name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return WISH_UP;
	return WISH_DEFAULT;
}

static int
create(int directory, const char *name)
{
	int file = openat(directory, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (file == -1)
		return -1;
	(void)close(file); /* empty: nothing can be lost */
	return fsync(directory);
}

static int
erase(int directory, const char *name)
{
	if (unlinkat(directory, name, 0) == -1)
		return errno == ENOENT ? 0 : -1;
	return fsync(directory);
}

int
wishes_keep(const char *profile, enum wish wish)
{
	const char *name = file_name(profile);

	/* made before the other is erased; where a crash leaves both, disabled is what counts */
	if (wish != WISH_DEFAULT && create(directories[wish], name) == -1)
		return -1;
	if (wish != WISH_UP && erase(directories[WISH_UP], name) == -1)
		return -1;
	if (wish != WISH_DOWN && erase(directories[WISH_DOWN], name) == -1)
		return -1;
	return 0;
}
