#include <sys/epoll.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "sources.h"
#include "pidfd.h"
#include "procfs.h"
#include "session.h"

/* The others are found when these have ended: who leaves thousands behind has no more descriptors
 * of root's than this. */
#define PINS_MAX 64

/* A signal for those who are not pinned. */
struct signal {
	const struct profile *profile;
	int number;
};

static bool
pinned(const struct profile *profile, pid_t pid)
{
	unsigned i;

	for (i = 0; i < profile->pin_count; i++)
		if (profile->pins[i].pid == pid)
			return true;
	return false;
}

static bool
in_session(const struct profile *profile, pid_t pid)
{
	pid_t session = getsid(pid);

	return session > 0 && (session == profile->sessions[0] || session == profile->sessions[1]);
}

/* The number of a session that nobody was in any more can be another's by now, of another service
 * of ours: that one's leader is younger. After our own death nobody descends from us. */
static bool
is_ours(const struct profile *profile, pid_t pid)
{
	struct procfs_stat leader;

	if (profile->process.adopted == 0 && !procfs_descends_from_us(pid))
		return false;
	return !procfs_stat(getsid(pid), &leader) || leader.start_ticks <= profile->start_ticks;
}

/* A pidfd first, then the proof, all of it about what the pidfd holds. A pid file could bring a
 * tenant's service into a session of others, as with su(1). What root's has in its session it may
 * end, whoever that runs as: nginx could not start again beside its old workers. */
static int
open_member(const struct profile *profile, pid_t pid)
{
	int pidfd = pidfd_open(pid, 0);

	if (pidfd == -1)
		return -1;
	if (!pidfd_ends(pidfd, 0) && in_session(profile, pid) && is_ours(profile, pid) &&
	    (profile->process.uid == 0 || procfs_has_uid(pid, profile->process.uid, true)))
		return pidfd;
	(void)close(pidfd);
	errno = ESRCH; /* who is no member might as well not be there */
	return -1;
}

static bool
pin_member(pid_t pid, void *context)
{
	struct profile *profile = context;
	struct pin *pins;
	int pidfd;

	if (!in_session(profile, pid) || pid == profile->process.pid || pinned(profile, pid))
		return true;
	if (profile->pin_count == PINS_MAX)
		return false;
	pidfd = open_member(profile, pid);
	if (pidfd == -1) /* EINVAL, of older kernels: it was reaped in the middle of the look */
		return errno == ESRCH || errno == EINVAL;
	pins = reallocarray(profile->pins, profile->pin_count + 1, sizeof(*pins));
	if (pins != NULL)
		profile->pins = pins; /* the old ones are there no more, whatever follows */
	if (pins == NULL || loop_add(pidfd, EPOLLIN, SOURCE_PIN, table_index(profile)) == -1) {
		(void)close(pidfd);
		return false; /* the next look finds it again */
	}
	profile->pins[profile->pin_count++] = (struct pin){.pid = pid, .pidfd = pidfd};
	return true;
}

static void
drop_dead(struct profile *profile)
{
	unsigned i;

	for (i = profile->pin_count; i-- > 0;)
		if (pidfd_ends(profile->pins[i].pidfd, 0)) {
			loop_close(&profile->pins[i].pidfd);
			profile->pins[i] = profile->pins[--profile->pin_count];
		}
}

unsigned
session_pin(struct profile *profile)
{
	bool all = profile->sessions[0] == 0 || procfs_each(pin_member, profile);

	drop_dead(profile);
	return profile->pin_count + !all;
}

bool
session_lives(struct profile *profile)
{
	drop_dead(profile); /* a look at all processes for each of many that end would take long */
	return profile->pin_count > 0 || session_pin(profile) > 0;
}

static bool
signal_member(pid_t pid, void *context)
{
	const struct signal *signal = context;
	const struct profile *profile = signal->profile;
	int pidfd = -1;

	if (in_session(profile, pid) && pid != profile->process.pid && !pinned(profile, pid))
		pidfd = open_member(profile, pid);
	if (pidfd != -1) {
		pidfd_signal(pidfd, signal->number);
		(void)close(pidfd);
	}
	return true;
}

void
session_signal(struct profile *profile, int number)
{
	struct signal others = {.profile = profile, .number = number};
	unsigned i;

	(void)session_pin(profile);
	if (profile->pin_count == PINS_MAX)
		(void)procfs_each(signal_member, &others);
	for (i = 0; i < profile->pin_count; i++)
		pidfd_signal(profile->pins[i].pidfd, number);
}

void
session_release(struct profile *profile)
{
	while (profile->pin_count > 0)
		loop_close(&profile->pins[--profile->pin_count].pidfd);
	free(profile->pins);
	profile->pins = NULL;
	profile->sessions[0] = profile->sessions[1] = 0;
}
