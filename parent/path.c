#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "path.h"
#include "report.h"
#include "trust.h"

struct walk {
	int directory; /* the component that was reached */
	bool sticky;   /* ... may be written to by others, who may only add names */
	uid_t owner;
	enum refusal refusal;
};

/* Enters one component, which is made with `make`, unless that is 0, where it is missing, and
 * checks it. False with walk->refusal and errno when it is refused. */
static bool
step(struct walk *walk, const char *component, mode_t make)
{
	struct stat status;
	int next;

	walk->refusal = REFUSAL_UNREADABLE;
	if (make != 0 && mkdirat(walk->directory, component, make) == -1 && errno != EEXIST)
		return false;
	next = openat(walk->directory, component, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (next == -1)
		return false;
	descriptor_close(walk->directory);
	walk->directory = next;
	if (fstat(next, &status) == -1)
		return false;
	errno = EPERM;
	if (S_ISLNK(status.st_mode)) {
		walk->refusal = REFUSAL_LINK;
		return false;
	}
	if (!S_ISDIR(status.st_mode)) {
		errno = ENOTDIR;
		return false;
	}
	walk->refusal = trust_owner(&status, walk->owner);
	/* in a sticky directory a name can be taken away only by the owner of what it names */
	walk->sticky = walk->refusal == REFUSAL_WRITABLE && (status.st_mode & S_ISVTX) != 0 &&
	    status.st_uid == 0;
	if (walk->sticky)
		walk->refusal = REFUSAL_NONE;
	return walk->refusal == REFUSAL_NONE;
}

/* Where it is refused the path ends with the culprit. */
static bool
walk_path(struct walk *walk, char *path, mode_t make)
{
	char *component, *end = path, after;
	bool last;

	if (!step(walk, "/", 0)) {
		path[1] = '\0';
		return false;
	}
	while (end[strspn(end, "/")] != '\0') {
		component = end + strspn(end, "/");
		end = component + strcspn(component, "/");
		last = end[strspn(end, "/")] == '\0';
		after = *end;
		*end = '\0';
		if (!step(walk, component, last ? make : 0))
			return false;
		*end = after;
	}
	if (walk->sticky) {
		errno = EPERM;
		walk->refusal = REFUSAL_WRITABLE;
	}
	return !walk->sticky;
}

int
path_walk(const char *path, uid_t owner, mode_t make, enum refusal *refusal, char *culprit)
{
	struct walk walk = {.directory = -1, .owner = owner, .refusal = REFUSAL_UNREADABLE};
	int opened = -1;

	(void)snprintf(culprit, PATH_MAX, "%s", path);
	errno = path[0] == '/' ? ENAMETOOLONG : ENOENT;
	if (path[0] == '/' && strlen(path) < PATH_MAX && walk_path(&walk, culprit, make)) {
		opened = openat(walk.directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (opened == -1)
			walk.refusal = REFUSAL_UNREADABLE;
	}
	descriptor_close(walk.directory);
	*refusal = walk.refusal;
	return opened;
}

const char *
path_explain(enum refusal refusal)
{
	switch (refusal) {
	case REFUSAL_OWNER:
		return "belongs to somebody else: chown it, or run this as its owner";
	case REFUSAL_WRITABLE:
		return "may be written to by others: chmod go-w, and see its ACL";
	case REFUSAL_LINK:
		return "is a symbolic link: name the directory that it leads to";
	default:
		return "cannot be used";
	}
}

/* The directories that the command line names, the state directory first: path_spoilt(). */
#define NAMED_MAX 5
static const char *named[NAMED_MAX];
static int state;

int
path_open(const char *what, const char *path, mode_t make)
{
	char culprit[PATH_MAX];
	enum refusal refusal;
	int opened = path_walk(path, geteuid(), make, &refusal, culprit);
	unsigned i;

	if (opened == -1 && refusal == REFUSAL_UNREADABLE)
		fatal("%s: %s", what, culprit);
	if (opened == -1)
		fatalx("%s: %s %s", what, culprit, path_explain(refusal));
	for (i = 0; i < NAMED_MAX - 1 && named[i] != NULL;)
		i++;
	named[i] = path;
	if (i == 0)
		state = opened;
	return opened;
}

int
path_try(const char *path)
{
	char culprit[PATH_MAX];
	enum refusal refusal;

	return path_walk(path, geteuid(), 0, &refusal, culprit);
}

bool
path_same(int one, int other)
{
	struct stat first, second;

	return fstat(one, &first) == 0 && fstat(other, &second) == 0 &&
	    first.st_ino == second.st_ino && first.st_dev == second.st_dev;
}

const char *
path_spoilt(void)
{
	unsigned i;

	for (i = 0; i < NAMED_MAX && named[i] != NULL; i++) {
		int opened = path_try(named[i]);
		bool another = i == 0 && opened != -1 && !path_same(opened, state);

		if (opened == -1)
			return named[i];
		(void)close(opened);
		errno = ESTALE;
		if (another)
			return named[i];
	}
	return NULL;
}
