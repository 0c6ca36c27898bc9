#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "files.h"
#include "wishes.h"

static int directories[WISH_COUNT] = {-1, -1, -1};

void
wishes_open(void)
{
	directories[WISH_UP] = files_open_own("enabled", 0700);
	directories[WISH_DOWN] = files_open_own("disabled", 0700);
}

static bool
is_kept(enum wish wish, const char *name)
{
	return faccessat(directories[wish], name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

enum wish
wishes_of(const char *profile)
{
	const char *name = files_name("", profile, "");

	return is_kept(WISH_DOWN, name) ? WISH_DOWN
	    : is_kept(WISH_UP, name)	? WISH_UP
					: WISH_DEFAULT;
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
	const char *name = files_name("", profile, "");

	/* made before the other is erased; where a crash leaves both, disabled is what counts */
	if (wish != WISH_DEFAULT && create(directories[wish], name) == -1)
		return -1;
	if (wish != WISH_UP && erase(directories[WISH_UP], name) == -1)
		return -1;
	if (wish != WISH_DOWN && erase(directories[WISH_DOWN], name) == -1)
		return -1;
	return 0;
}
