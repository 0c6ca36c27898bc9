/*
 * Who else could have put this here? Owners, modes, links, sticky directories and ACLs in every
 * position of a path: which rule is broken, and which component is named as the culprit.
 */
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "child.h"
#include "fault.h"
#include "folder.h"
#include "open_files.h"
#include "path.h"
#include "trust.h"

/* Of no account and no process. */
#define TENANT 64997
#define OTHER  64998

static struct folder *folder;
static unsigned open_before;
static int started_in;

static int
set_up(void **state)
{
	open_before = open_files_count();
	assert_int_equal(folder_set_up(state), 0);
	folder = *state;
	started_in = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_not_equal(started_in, -1);
	return 0;
}

/* Every test of this program is also one for lost descriptors. */
static int
tear_down(void **state)
{
	assert_int_equal(folder_tear_down(state), 0);
	assert_int_equal(fchdir(started_in), 0);
	assert_int_equal(close(started_in), 0);
	assert_int_equal(open_files_count(), open_before);
	return 0;
}

static const char *
at(const char *name)
{
	return folder_path(folder, name);
}

static void
assert_trusted_at(const char *path, uid_t owner)
{
	char culprit[PATH_MAX] = "";
	enum refusal refusal;
	struct stat opened, named;
	int directory = path_walk(path, owner, 0, &refusal, culprit);

	if (directory == -1)
		fail_msg(
		    "%s: refusal %d because of %s: %s", path, refusal, culprit, strerror(errno));
	assert_int_equal(fcntl(directory, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(directory, F_GETFL) & (O_ACCMODE | O_PATH), O_RDONLY);
	assert_int_equal(fstat(directory, &opened), 0);
	assert_int_equal(stat(path, &named), 0);
	assert_true(opened.st_dev == named.st_dev && opened.st_ino == named.st_ino);
	assert_int_equal(refusal, REFUSAL_NONE);
	assert_int_equal(close(directory), 0);
}

static void
assert_trusted(const char *name, uid_t owner)
{
	assert_trusted_at(at(name), owner);
}

/* errno is left as it was found. */
static void
assert_refused_at(const char *path, uid_t owner, enum refusal expected, const char *culprit)
{
	char found[PATH_MAX] = "";
	enum refusal refusal;
	int directory, error;

	errno = 0;
	directory = path_walk(path, owner, 0, &refusal, found);
	error = errno;
	if (directory != -1)
		fail_msg("%s is trusted", path);
	assert_int_equal(refusal, expected);
	assert_string_equal(found, culprit);
	assert_int_not_equal(error, 0);
	errno = error;
}

static void
assert_refused(const char *name, uid_t owner, enum refusal expected, const char *culprit)
{
	char path[PATH_MAX], expected_culprit[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s", at(name));
	(void)snprintf(expected_culprit, sizeof(expected_culprit), "%s", at(culprit));
	assert_refused_at(path, owner, expected, expected_culprit);
}

static void
link_to(const char *target, const char *name)
{
	assert_int_equal(symlinkat(target, folder->descriptor, name), 0);
}

static void
root_and_the_owner_may_own_and_nobody_else_may_write(void **state)
{
	static const struct {
		uid_t uid, owner;
		mode_t mode;
		enum refusal expected;
	} cases[] = {
	    {0, 0, 0755, REFUSAL_NONE},
	    {0, TENANT, 0755, REFUSAL_NONE},
	    {TENANT, TENANT, 0700, REFUSAL_NONE},
	    {TENANT, TENANT, 07755, REFUSAL_NONE},
	    {0, 0, 0000, REFUSAL_NONE},
	    {TENANT, 0, 0755, REFUSAL_OWNER},
	    {OTHER, TENANT, 0700, REFUSAL_OWNER},
	    {OTHER, 0, 0000, REFUSAL_OWNER},
	    {(uid_t)-1, 0, 0700, REFUSAL_OWNER},
	    {0, 0, 0775, REFUSAL_WRITABLE},
	    {0, 0, 0757, REFUSAL_WRITABLE},
	    {0, 0, 0020, REFUSAL_WRITABLE},
	    {0, 0, 0002, REFUSAL_WRITABLE},
	    {0, TENANT, 0777, REFUSAL_WRITABLE},
	    {TENANT, TENANT, 0720, REFUSAL_WRITABLE},
	    {0, 0, 01777, REFUSAL_WRITABLE},
	    {OTHER, TENANT, 0777, REFUSAL_OWNER},
	};
	struct stat status;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(&status, 0, sizeof(status));
		status.st_uid = cases[i].uid;
		status.st_mode = S_IFDIR | cases[i].mode;
		if (trust_owner(&status, cases[i].owner) != cases[i].expected)
			fail_msg("uid %u, owner %u, mode %o", cases[i].uid, cases[i].owner,
			    cases[i].mode);
	}
}

static void
a_path_of_roots_directories_is_trusted_however_it_is_written(void **state)
{
	(void)state;
	folder_make(folder, "a", 0755);
	folder_make(folder, "a/b", 0700);
	folder_make(folder, "a/b/c", 0755);
	assert_trusted("a/b/c", 0);
	assert_trusted("a//b///c", 0);
	assert_trusted("a/b/c/", 0);
	assert_trusted("a/b/c///", 0);
	assert_trusted("./a/./b/.", 0);
	assert_trusted("a/b/../b/c/..", 0);
	assert_trusted_at("/", 0);
	assert_trusted_at("///", 0);
	assert_trusted_at("/..", 0);
}

static void
a_relative_path_names_nothing(void **state)
{
	(void)state;
	folder_make(folder, "a", 0755);
	assert_int_equal(fchdir(folder->descriptor), 0);
	assert_refused_at("a", 0, REFUSAL_UNREADABLE, "a");
	assert_int_equal(errno, ENOENT);
}

static void
an_empty_path_names_nothing(void **state)
{
	(void)state;
	assert_int_equal(fchdir(folder->descriptor), 0);
	assert_refused_at("", 0, REFUSAL_UNREADABLE, "");
	assert_int_equal(errno, ENOENT);
}

static void
a_path_that_is_too_long_is_refused(void **state)
{
	static char path[2 * PATH_MAX];
	char culprit[PATH_MAX];
	enum refusal refusal;

	(void)state;
	memset(path, '/', sizeof(path) - 1);
	assert_int_equal(path_walk(path, 0, 0, &refusal, culprit), -1);
	assert_int_equal(errno, ENAMETOOLONG);
	assert_int_equal(refusal, REFUSAL_UNREADABLE);
	assert_int_equal(strlen(culprit), sizeof(culprit) - 1);
	path[PATH_MAX] = '\0';
	assert_int_equal(path_walk(path, 0, 0, &refusal, culprit), -1);
	assert_int_equal(errno, ENAMETOOLONG);
	path[PATH_MAX - 1] = '\0'; /* that many slashes are the root */
	assert_trusted_at(path, 0);
	memset(path + 1, 'x', NAME_MAX + 1);
	path[NAME_MAX + 2] = '\0';
	assert_refused_at(path, 0, REFUSAL_UNREADABLE, path);
	assert_int_equal(errno, ENAMETOOLONG);
}

static void
a_link_is_refused_in_every_position(void **state)
{
	(void)state;
	folder_make(folder, "a", 0755);
	folder_make(folder, "a/b", 0755);
	folder_make(folder, "a/b/c", 0755);
	link_to("a", "first");
	link_to("b", "a/middle");
	link_to("c", "a/b/last");
	link_to("/", "root");
	link_to("nowhere", "dangling");
	assert_refused("first/b/c", 0, REFUSAL_LINK, "first");
	assert_refused("a/middle/c", 0, REFUSAL_LINK, "a/middle");
	assert_refused("a/b/last", 0, REFUSAL_LINK, "a/b/last");
	assert_refused("a/b/last/", 0, REFUSAL_LINK, "a/b/last");
	assert_refused("a/b/last/.", 0, REFUSAL_LINK, "a/b/last");
	assert_refused("a/b/last/../c", 0, REFUSAL_LINK, "a/b/last");
	assert_refused("root/tmp", 0, REFUSAL_LINK, "root");
	assert_refused("dangling", 0, REFUSAL_LINK, "dangling");
	assert_refused_at("/proc/self", 0, REFUSAL_LINK, "/proc/self");
}

static void
a_component_of_somebody_else_is_refused_in_every_position(void **state)
{
	static const char *const positions[] = {"a", "a/b", "a/b/c"};
	size_t i;

	(void)state;
	folder_make(folder, "a", 0755);
	folder_make(folder, "a/b", 0755);
	folder_make(folder, "a/b/c", 0755);
	for (i = 0; i < 3; i++) {
		folder_chown(folder, positions[i], TENANT);
		assert_refused("a/b/c", 0, REFUSAL_OWNER, positions[i]);
		assert_refused("a/b/c", OTHER, REFUSAL_OWNER, positions[i]);
		assert_trusted("a/b/c", TENANT);
		folder_chown(folder, positions[i], 0);
	}
	assert_trusted("a/b/c", 0);
}

static void
a_component_that_others_may_write_to_is_refused_in_every_position(void **state)
{
	static const char *const positions[] = {"a", "a/b", "a/b/c"};
	static const mode_t modes[] = {0775, 0757, 0777, 02775};
	size_t i, j;

	(void)state;
	folder_make(folder, "a", 0755);
	folder_make(folder, "a/b", 0755);
	folder_make(folder, "a/b/c", 0755);
	for (i = 0; i < 3; i++) {
		for (j = 0; j < sizeof(modes) / sizeof(modes[0]); j++) {
			folder_chmod(folder, positions[i], modes[j]);
			assert_refused("a/b/c", 0, REFUSAL_WRITABLE, positions[i]);
		}
		folder_chmod(folder, positions[i], 0755);
	}
	assert_trusted("a/b/c", 0);
}

static void
what_is_named_on_the_way_counts_even_when_dots_lead_out_of_it(void **state)
{
	(void)state;
	folder_make(folder, "good", 0755);
	folder_make(folder, "bad", 0777);
	folder_make(folder, "bad/inner", 0755);
	folder_make(folder, "theirs", 0755);
	folder_chown(folder, "theirs", TENANT);
	assert_refused("bad/../good", 0, REFUSAL_WRITABLE, "bad");
	assert_refused("theirs/../good", 0, REFUSAL_OWNER, "theirs");
	assert_refused("good/../bad/inner/..", 0, REFUSAL_WRITABLE, "good/../bad");
	assert_trusted("good/../good", 0);
}

static void
a_sticky_directory_of_root_may_stand_above_what_is_trusted(void **state)
{
	(void)state;
	folder_make(folder, "sticky", 01777);
	folder_make(folder, "sticky/ours", 0755);
	folder_make(folder, "sticky/theirs", 0755);
	folder_chown(folder, "sticky/theirs", TENANT);
	folder_make(folder, "sticky/sticky", 01777);
	folder_make(folder, "sticky/sticky/ours", 0755);
	link_to("ours", "sticky/link");
	assert_trusted("sticky/ours", 0);
	assert_trusted("sticky/sticky/ours", 0);
	assert_trusted("sticky/theirs", TENANT);
	assert_refused("sticky/theirs", 0, REFUSAL_OWNER, "sticky/theirs");
	assert_refused("sticky/link", 0, REFUSAL_LINK, "sticky/link");
}

static void
a_sticky_directory_is_not_itself_trusted(void **state)
{
	(void)state;
	folder_make(folder, "sticky", 01777);
	folder_make(folder, "sticky/ours", 0755);
	assert_refused("sticky", 0, REFUSAL_WRITABLE, "sticky");
	assert_refused("sticky/", 0, REFUSAL_WRITABLE, "sticky/");
	assert_refused("sticky/.", 0, REFUSAL_WRITABLE, "sticky/.");
	assert_refused("sticky/ours/..", 0, REFUSAL_WRITABLE, "sticky/ours/..");
	folder_chmod(folder, "sticky", 01755); /* with nobody to share it with it is trusted */
	assert_trusted("sticky", 0);
}

static void
a_sticky_directory_of_somebody_else_is_refused(void **state)
{
	(void)state;
	folder_make(folder, "sticky", 01777);
	folder_make(folder, "sticky/ours", 0755);
	folder_chown(folder, "sticky", TENANT);
	folder_chmod(folder, "sticky", 01777);
	assert_refused("sticky/ours", 0, REFUSAL_OWNER, "sticky");
	/* the tenant may trust itself, but the sticky bit does not bind its own directory's owner
	 */
	assert_refused("sticky/ours", TENANT, REFUSAL_WRITABLE, "sticky");
}

static void
a_missing_component_is_named(void **state)
{
	(void)state;
	folder_make(folder, "a", 0755);
	assert_refused("a/missing", 0, REFUSAL_UNREADABLE, "a/missing");
	assert_int_equal(errno, ENOENT);
	assert_refused("a/missing/below", 0, REFUSAL_UNREADABLE, "a/missing");
	assert_int_equal(errno, ENOENT);
}

static void
make_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_not_equal(listener, -1);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(close(listener), 0);
}

static void
what_is_missing_at_the_end_is_made_where_all_above_it_is_in_order(void **state)
{
	char path[FOLDER_PATH_BYTES], culprit[PATH_MAX];
	enum refusal refusal;
	struct stat status;
	int made;

	(void)state;
	folder_make(folder, "a", 0755);
	folder_make(folder, "loose", 0777);
	(void)snprintf(path, sizeof(path), "%s", at("a/new//"));
	made = path_walk(path, 0, 0711, &refusal, culprit);
	assert_int_not_equal(made, -1);
	assert_int_equal(fstat(made, &status), 0);
	assert_int_equal(status.st_mode, S_IFDIR | 0711);
	assert_int_equal(close(made), 0);
	assert_int_equal(stat(at("a/new"), &status), 0);
	/* once it is there, nothing is made; nor above the end, nor where others may write */
	made = path_walk(path, 0, 0711, &refusal, culprit);
	assert_int_not_equal(made, -1);
	assert_int_equal(close(made), 0);
	assert_int_equal(path_walk(at("a/no/end"), 0, 0711, &refusal, culprit), -1);
	assert_int_equal(errno, ENOENT);
	assert_string_equal(culprit, at("a/no"));
	assert_int_equal(path_walk(at("loose/end"), 0, 0711, &refusal, culprit), -1);
	assert_int_equal(refusal, REFUSAL_WRITABLE);
	assert_int_equal(stat(at("loose/end"), &status), -1);
	assert_int_equal(path_walk(at("a/end/."), 0, 0711, &refusal, culprit), -1);
	assert_int_equal(stat(at("a/end"), &status), -1);
}

static void
what_is_no_directory_is_refused_and_not_waited_for(void **state)
{
	static const char *const names[] = {"file", "fifo", "device", "socket"};
	char below[64];
	size_t i;

	(void)state;
	folder_write(folder, "file", 0755, "");
	assert_int_equal(mkfifoat(folder->descriptor, "fifo", 0600), 0);
	assert_int_equal(mknodat(folder->descriptor, "device", S_IFCHR | 0600, 0x103), 0);
	make_socket(at("socket"));
	folder_chmod(folder, "socket", 0755);
	for (i = 0; i < 4; i++) {
		assert_refused(names[i], 0, REFUSAL_UNREADABLE, names[i]);
		assert_int_equal(errno, ENOTDIR);
		(void)snprintf(below, sizeof(below), "%s/below", names[i]);
		assert_refused(below, 0, REFUSAL_UNREADABLE, names[i]);
		assert_int_equal(errno, ENOTDIR);
	}
}

static void
change_acl(const char *change, const char *name)
{
	char *arguments[] = {(char *)(uintptr_t) "setfacl", (char *)(uintptr_t) "-m",
	    (char *)(uintptr_t)change, (char *)(uintptr_t)at(name), NULL};
	int status;
	pid_t child;

	assert_int_equal(posix_spawnp(&child, arguments[0], NULL, NULL, arguments, environ), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void
an_acl_that_lets_somebody_write_is_refused(void **state)
{
	(void)state;
	folder_make(folder, "a", 0755);
	folder_make(folder, "a/b", 0755);
	change_acl("u:64997:rwx", "a");
	assert_refused("a/b", 0, REFUSAL_WRITABLE, "a");
	assert_refused("a", 0, REFUSAL_WRITABLE, "a");
	change_acl("m::r-x", "a"); /* its mask takes the right away again */
	assert_trusted("a/b", 0);
	change_acl("g:64997:-wx", "a/b");
	assert_refused("a/b", 0, REFUSAL_WRITABLE, "a/b");
}

static void
an_acl_that_lets_nobody_write_is_no_harm(void **state)
{
	(void)state;
	folder_make(folder, "a", 0755);
	folder_make(folder, "a/b", 0700);
	change_acl("u:64997:r-x", "a");
	change_acl("g:64997:r-x", "a/b");
	change_acl("d:u:64997:rwx", "a"); /* a default is for what is made in it */
	assert_trusted("a/b", 0);
}

static void
walk_blindly(void *context)
{
	static const struct fault fault = {"fstat", SYS_newfstatat, 3, AT_EMPTY_PATH, EIO};
	char culprit[PATH_MAX];
	enum refusal refusal;

	REQUIRE(fault_install(&fault));
	REQUIRE(path_walk(context, 0, 0, &refusal, culprit) == -1);
	REQUIRE(errno == EIO && refusal == REFUSAL_UNREADABLE);
}

static void
what_does_not_say_whose_it_is_is_refused(void **state)
{
	char path[FOLDER_PATH_BYTES];

	(void)state;
	folder_make(folder, "a", 0755);
	(void)snprintf(path, sizeof(path), "%s", at("a"));
	child_run(walk_blindly, path);
}

static void
walk_as_tenant(void *context)
{
	const char *const *paths = context;
	char culprit[PATH_MAX];
	enum refusal refusal;

	REQUIRE(setresuid(TENANT, TENANT, TENANT) == 0);
	/* entered, but not to be listed: the descriptor could not be read */
	REQUIRE(path_walk(paths[0], TENANT, 0, &refusal, culprit) == -1);
	REQUIRE(errno == EACCES);
	REQUIRE(refusal == REFUSAL_UNREADABLE);
	REQUIRE(strcmp(culprit, paths[0]) == 0);
	/* not entered */
	REQUIRE(path_walk(paths[2], TENANT, 0, &refusal, culprit) == -1);
	REQUIRE(errno == EACCES);
	REQUIRE(refusal == REFUSAL_UNREADABLE);
	REQUIRE(strcmp(culprit, paths[2]) == 0);
}

static void
what_the_caller_may_not_read_or_enter_is_refused(void **state)
{
	char shut[FOLDER_PATH_BYTES], closed[FOLDER_PATH_BYTES], below[FOLDER_PATH_BYTES];
	char *paths[] = {shut, closed, below};

	(void)state;
	folder_make(folder, "shut", 0711);
	folder_make(folder, "closed", 0700);
	folder_make(folder, "closed/below", 0755);
	(void)snprintf(shut, sizeof(shut), "%s", at("shut"));
	(void)snprintf(closed, sizeof(closed), "%s", at("closed"));
	(void)snprintf(below, sizeof(below), "%s", at("closed/below"));
	child_run(walk_as_tenant, paths);
}

static void
walk_in_a_root_that_is_not_trusted(void *context)
{
	char culprit[PATH_MAX];
	enum refusal refusal;

	(void)context;
	REQUIRE(chroot(".") == 0);
	REQUIRE(path_walk("/inner", 0, 0, &refusal, culprit) == -1);
	REQUIRE(refusal == REFUSAL_WRITABLE);
	REQUIRE(strcmp(culprit, "/") == 0);
	REQUIRE(chmod("/", 0755) == 0);
	REQUIRE(path_walk("/inner", 0, 0, &refusal, culprit) != -1);
}

static void
the_root_directory_is_a_component_too(void **state)
{
	(void)state;
	folder_make(folder, "root", 0777);
	folder_make(folder, "root/inner", 0755);
	assert_int_equal(chdir(at("root")), 0);
	child_run(walk_in_a_root_that_is_not_trusted, NULL);
}

/* In the child: a disk of root's is entered; a mount of which /proc does not say what it is, as
 * when it was unmounted by a user just now, is not. */
static void
enter_mounts(void *context)
{
	int directory, entry;

	(void)context;
	child_own_mounts();
	child_mount_small(folder_path(folder, "disk"), 65536);
	directory = open(folder->path, O_PATH | O_DIRECTORY | O_CLOEXEC); /* among our mounts */
	REQUIRE(directory != -1);
	entry = trust_open_entry(directory, "disk");
	REQUIRE(entry != -1);
	REQUIRE(close(entry) == 0);
	REQUIRE(mount("proc", folder_path(folder, "root/proc"), "proc", 0, NULL) == 0);
	REQUIRE(chroot(folder_path(folder, "root")) == 0);
	REQUIRE(access("/proc/self/mountinfo", R_OK) == 0);
	REQUIRE(trust_open_entry(directory, "disk") == -1);
	REQUIRE(errno == EREMOTE);
}

static void
a_mount_is_entered_only_when_it_is_known_to_be_no_users(void **state)
{
	(void)state;
	folder_make(folder, "disk", 0755);
	folder_make(folder, "root", 0755);
	folder_make(folder, "root/proc", 0755);
	child_run(enter_mounts, NULL);
}

/* Where somebody mounts something meanwhile, anywhere, the kernel cannot say what it remembers: the
 * parent looks once more, later. */
static int
open_profile(int directory, const char *name)
{
	int opened, tries = 0;

	do
		opened = trust_open_profile(directory, name);
	while (opened == -1 && errno == EAGAIN && ++tries < 100);
	return opened;
}

static void
require_opened(int directory, const char *name, const char *expected)
{
	struct stat status, wanted;
	int entry = open_profile(directory, name);

	REQUIRE(entry != -1 && fstat(entry, &status) == 0);
	REQUIRE(fstatat(directory, expected, &wanted, AT_SYMLINK_NOFOLLOW) == 0);
	REQUIRE(status.st_ino == wanted.st_ino && status.st_dev == wanted.st_dev);
	REQUIRE(close(entry) == 0);
}

/* With a file system of which nobody answers in that place. */
static void
require_not_entered(int directory, const char *place, const char *name)
{
	int server = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	char options[128];

	(void)snprintf(options, sizeof(options),
	    "fd=%d,rootmode=40000,user_id=%u,group_id=%u,allow_other", server, (unsigned)TENANT,
	    (unsigned)TENANT);
	REQUIRE(
	    mount("fuse", folder_path(folder, place), "fuse", MS_NOSUID | MS_NODEV, options) == 0);
	REQUIRE(open_profile(directory, name) == -1);
	REQUIRE(errno == EREMOTE);
	REQUIRE(umount2(folder_path(folder, place), MNT_DETACH) == 0 && close(server) == 0);
}

static void
open_profiles(void *context)
{
	int directory;

	(void)context;
	child_own_mounts();
	directory = open(folder->path, O_PATH | O_DIRECTORY | O_CLOEXEC); /* among our mounts */
	REQUIRE(directory != -1);
	require_opened(directory, "alice", "alice");
	require_opened(directory, "alice/", "alice");
	require_opened(directory, "alice/web", "alice/web");
	require_not_entered(directory, "alice", "alice");
	require_not_entered(directory, "alice", "alice/");
	require_not_entered(directory, "alice", "alice/web");
	require_not_entered(directory, "alice/web", "alice/web");
	REQUIRE(symlinkat("alice", directory, "link") == 0);
	REQUIRE(open_profile(directory, "link/web") == -1);
	REQUIRE(errno == ENOTDIR);
	REQUIRE(unlinkat(directory, "link", 0) == 0);
}

/* Neither at the profile, nor on the way to it. */
static void
a_profile_is_opened_through_no_link_and_no_mount_of_a_user(void **state)
{
	(void)state;
	folder_make(folder, "alice", 0755);
	folder_make(folder, "alice/web", 0755);
	child_run(open_profiles, NULL);
}

/* To look one up takes the lock of the directory, which is the tenant's. */
static void
what_the_kernel_does_not_remember_of_a_tenants_directory_is_not_looked_up(void **state)
{
	int opened;

	(void)state;
	folder_make(folder, "alice", 0755);
	folder_make(folder, "alice/web", 0755);
	assert_int_equal(trust_open_profile(folder->descriptor, "alice/never"), -1);
	assert_int_equal(errno, EAGAIN);
	opened = open_profile(folder->descriptor, "alice/web");
	assert_int_not_equal(opened, -1);
	assert_int_equal(close(opened), 0);
}

static void
every_refusal_has_words(void **state)
{
	(void)state;
	assert_non_null(strstr(path_explain(REFUSAL_OWNER), "chown"));
	assert_non_null(strstr(path_explain(REFUSAL_WRITABLE), "ACL"));
	assert_non_null(strstr(path_explain(REFUSAL_LINK), "symbolic link"));
	assert_non_null(path_explain(REFUSAL_UNREADABLE));
	assert_non_null(path_explain(REFUSAL_COUNT));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(root_and_the_owner_may_own_and_nobody_else_may_write),
	    TEST(a_path_of_roots_directories_is_trusted_however_it_is_written),
	    TEST(a_relative_path_names_nothing),
	    TEST(an_empty_path_names_nothing),
	    TEST(a_path_that_is_too_long_is_refused),
	    TEST(a_link_is_refused_in_every_position),
	    TEST(a_component_of_somebody_else_is_refused_in_every_position),
	    TEST(a_component_that_others_may_write_to_is_refused_in_every_position),
	    TEST(what_is_named_on_the_way_counts_even_when_dots_lead_out_of_it),
	    TEST(a_sticky_directory_of_root_may_stand_above_what_is_trusted),
	    TEST(a_sticky_directory_is_not_itself_trusted),
	    TEST(a_sticky_directory_of_somebody_else_is_refused),
	    TEST(a_missing_component_is_named),
	    TEST(what_is_missing_at_the_end_is_made_where_all_above_it_is_in_order),
	    TEST(what_is_no_directory_is_refused_and_not_waited_for),
	    TEST(an_acl_that_lets_somebody_write_is_refused),
	    TEST(an_acl_that_lets_nobody_write_is_no_harm),
	    TEST(what_the_caller_may_not_read_or_enter_is_refused),
	    TEST(what_does_not_say_whose_it_is_is_refused),
	    TEST(the_root_directory_is_a_component_too),
	    TEST(a_mount_is_entered_only_when_it_is_known_to_be_no_users),
	    TEST(a_profile_is_opened_through_no_link_and_no_mount_of_a_user),
	    TEST(what_the_kernel_does_not_remember_of_a_tenants_directory_is_not_looked_up),
	    cmocka_unit_test(every_refusal_has_words),
	};

	return cmocka_run_group_tests_name("trust", tests, NULL, NULL);
}
