#include <sys/prctl.h>
#include <sys/syscall.h>

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <string.h>
#include <unistd.h>

#include "privdrop.h"

/* errno is written only here: to do so costs a newborn the copy of a page. */
static enum stage
not_as_asked(void)
{
	errno = EPERM;
	return STAGE_VERIFY;
}

enum stage
privdrop_verify(uid_t uid, gid_t gid)
{
	uid_t real_uid, effective_uid, saved_uid;
	gid_t real_gid, effective_gid, saved_gid;

	if (syscall(SYS_getresuid, &real_uid, &effective_uid, &saved_uid) == -1 ||
	    syscall(SYS_getresgid, &real_gid, &effective_gid, &saved_gid) == -1)
		return STAGE_VERIFY;
	if (real_uid != uid || effective_uid != uid || saved_uid != uid || real_gid != gid ||
	    effective_gid != gid || saved_gid != gid)
		return not_as_asked();
	return STAGE_NONE;
}

/* Is every group that we are in now one that was asked for? The kernel keeps them in an order of
 * its own. */
static enum stage
verify_groups(const gid_t *groups, size_t count)
{
	gid_t now[FORK_GROUPS_MAX];
	long have = syscall(SYS_getgroups, FORK_GROUPS_MAX, now);
	long i;
	size_t known;

	if (have == -1)
		return STAGE_VERIFY;
	if ((size_t)have != count)
		return not_as_asked();
	for (i = 0; i < have; i++) {
		for (known = 0; known < count && groups[known] != now[i];)
			known++;
		if (known == count)
			return not_as_asked();
	}
	return STAGE_NONE;
}

bool
privdrop_keep(uint64_t kept)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
	unsigned i;

	if (syscall(SYS_capget, &header, sets) == -1)
		return false;
	for (i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		sets[i].permitted &= (uint32_t)(kept >> 32 * i);
		sets[i].effective = sets[i].permitted;
		sets[i].inheritable = 0;
	}
	/* what is not inheritable the kernel takes out of the ambient set too, capabilities(7) */
	return syscall(SYS_capset, &header, sets) == 0;
}

/* All sets empty. The bounding set is the caller's matter: emptying it takes CAP_SETPCAP. */
static enum stage
empty_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	static const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3];
	struct __user_cap_data_struct left[_LINUX_CAPABILITY_U32S_3];

	if (!privdrop_keep(0) || syscall(SYS_capget, &header, left) == -1)
		return STAGE_CAPABILITIES;
	errno = EPERM;
	return memcmp(left, none, sizeof(none)) == 0 ? STAGE_NONE : STAGE_CAPABILITIES;
}

/* Each of these has to be refused by the kernel now, or the drop was none. */
static enum stage
regain(gid_t gid)
{
	const gid_t root = 0;

	if (setresuid(0, 0, 0) == 0 || setuid(0) == 0 || seteuid(0) == 0 ||
	    setgroups(1, &root) == 0 ||
	    (gid != 0 && (setresgid(0, 0, 0) == 0 || setegid(0) == 0))) {
		errno = ENOTRECOVERABLE;
		return STAGE_REGAIN;
	}
	return STAGE_NONE;
}

enum stage
privdrop(uid_t uid, gid_t gid, const gid_t *groups, size_t count)
{
	enum stage failed;

	/*
	 * By system call: glibc's wrappers signal all threads and take locks to do so, which a
	 * child of a fork must not (nptl(7)). We have one thread.
	 */
	if (syscall(SYS_setgroups, count, groups) == -1)
		return STAGE_SETGROUPS;
	if (syscall(SYS_setresgid, gid, gid, gid) == -1)
		return STAGE_SETRESGID;
	if (syscall(SYS_setresuid, uid, uid, uid) == -1)
		return STAGE_SETRESUID;
	/* with fs.suid_dumpable, proc(5), others of that user might look into what we know, or have
	 * us run before no_new_privs is set */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		return STAGE_SETRESUID;
	failed = privdrop_verify(uid, gid);
	if (failed == STAGE_NONE)
		failed = verify_groups(groups, count);
	if (failed != STAGE_NONE || uid == 0)
		return failed;
	failed = empty_capabilities();
	if (failed != STAGE_NONE)
		return failed;
	return regain(gid);
}

bool
privdrop_bound(uint64_t kept)
{
	int capability;

	for (capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
		if ((kept & PRIVDROP_BIT(capability)) == 0 &&
		    prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == -1)
			return false;
	return true;
}
