#include <sys/epoll.h>
#include <sys/inotify.h>

#include <errno.h>
#include <fcntl.h>
#include <stdalign.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "inform.h"
#include "sources.h"
#include "tenants.h"
#include "profiles.h"
#include "report.h"
#include "trust.h"
#include "watch.h"

/* Files that two looks at this distance find the same have settled. */
#define STILL_FOR (20 * MILLISECOND)
/* Files that never settle are believed after this time. */
#define PATIENCE (1 * SECOND)
/* What could not be seen for want of descriptors or memory is looked at again after this time. */
#define TRY_AGAIN      (5 * SECOND)
#define EVENTS_AT_ONCE 4096

static int inotify = -1;
static int profiles_watch = -1;
static int accounts_watch = -1;
static int64_t next_look = NEVER; /* the earliest look_at of all profiles, or before it */
static int64_t next_scan;	  /* the first one at once */
static int64_t rescan_every;
static bool coming_up = true;
static int unwatched; /* errno of the first directory that could not be watched, told once */

void
watch_look_at(struct profile *profile, int64_t when)
{
	profile->look_at = clock_earlier(profile->look_at, when);
	next_look = clock_earlier(next_look, when);
}

static bool
passes(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM;
}

static void
try_again(struct profile *profile, int error)
{
	if (passes(error))
		watch_look_at(profile, clock_now() + TRY_AGAIN);
}

static int
watch_descriptor(int directory, uint32_t events)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", directory);
	return inotify_add_watch(inotify, path, events | IN_ONLYDIR);
}

static int
add_watch(int base, const char *name, uint32_t events)
{
	int directory = trust_open_profile(base, name), watch, error;

	if (directory == -1)
		return -1;
	watch = watch_descriptor(directory, events);
	error = errno;
	(void)close(directory);
	errno = error;
	return watch;
}

/* IN_ONESHOT: one event is enough to make us look; a flood of them costs the kernel's time, and
 * only until the next look, which sets the watch again first. */
#define PROFILE_EVENTS                                                                       \
	(IN_ONESHOT | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_CLOSE_WRITE | \
	    IN_ATTRIB)

int
watch_opened(int profile)
{
	return inotify == -1 ? -1 : watch_descriptor(profile, PROFILE_EVENTS);
}

static void
set_watch(struct profile *profile)
{
	if (inotify == -1 || profile->watch != -1)
		return;
	profile->watch =
	    add_watch(profiles_base(profile->facts.name), profile->facts.name, PROFILE_EVENTS);
	if (profile->watch != -1)
		return;
	try_again(profile, errno);
	/* what has gone, or is no directory any more, need not be watched */
	if (errno != ENOENT && errno != ELOOP && errno != ENOTDIR && unwatched == 0) {
		unwatched = errno;
		inform_report(REPORT_UNWATCHED, errno, profile->facts.name);
	}
}

int
watch_directory(int base, const char *name, uint32_t events)
{
	int watch = -1;

	if (inotify != -1)
		watch = add_watch(
		    base, name, IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | events);
	if (watch == -1 && unwatched == 0) {
		unwatched = errno;
		inform_report(REPORT_UNWATCHED, errno, name);
	}
	return watch;
}

void
watch_remove(int watch)
{
	if (watch != -1)
		(void)inotify_rm_watch(inotify, watch); /* the directory may have gone */
}

void
watch_open(int directory, int64_t rescan)
{
	rescan_every = rescan;
	inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (inotify == -1 || loop_add(inotify, EPOLLIN, SOURCE_INOTIFY, 0) == -1) {
		unwatched = errno;
		inform_report(REPORT_UNWATCHED, errno, "anything");
		return;
	}
	/* a profile that an ordinary user may not read is not watched: that it may be read is seen
	 * from above */
	profiles_watch = watch_directory(directory, ".", geteuid() == 0 ? 0 : IN_ATTRIB);
	/* accounts come and go there, passwd(5) is replaced by another file */
	accounts_watch =
	    inotify_add_watch(inotify, "/etc", IN_MOVED_TO | IN_CLOSE_WRITE | IN_ONLYDIR);
}

static void
settle(struct profile *profile)
{
	profile->unsettled = 0;
	profile->look_at = NEVER;
	set_watch(profile);
	try_again(profile, (int)profile->facts.refused_error);
	if (profile->introduced)
		inform_tell(profile, TELL_PROFILE);
	else
		inform_introduce(profile);
}

void
watch_changed(struct profile *profile)
{
	int64_t now = clock_now();

	set_watch(profile);
	if (profile->unsettled == 0)
		profile->unsettled = now;
	profile->look_at = NEVER;
	if (coming_up || now - profile->unsettled >= PATIENCE)
		settle(profile);
	else
		watch_look_at(profile, now + STILL_FOR);
}

void
watch_unchanged(struct profile *profile)
{
	/* an event may have us look before the files have been still for long enough */
	if (profile->unsettled != 0 &&
	    (profile->look_at == NEVER || clock_now() - profile->unsettled >= PATIENCE))
		settle(profile);
}

void
watch_came_up(void)
{
	coming_up = false;
}

void
watch_forget(struct profile *profile)
{
	watch_remove(profile->watch);
	profile->watch = -1;
}

/* Events were lost, and with them one-shot watches that we believe to have: all are set again. */
static void
start_over(void)
{
	struct profile *profile;
	uint32_t index;

	next_scan = clock_now();
	PROFILES_FOREACH(profile, index) {
		watch_forget(profile);
		watch_look_at(profile, next_scan);
	}
}

static void
handle(const struct inotify_event *event)
{
	struct profile *profile;
	uint32_t index;

	if ((event->mask & IN_Q_OVERFLOW) != 0) {
		inform_report(REPORT_OVERFLOW, 0, "");
		start_over();
	} else if (event->wd == profiles_watch) {
		if (event->len > 0 && event->name[0] != '.')
			profiles_look(event->name);
	} else if (event->wd == accounts_watch) {
		if (event->len > 0 && strcmp(event->name, "passwd") == 0)
			next_scan = clock_earlier(next_scan, clock_now() + STILL_FOR);
	} else if (!tenants_event(event)) {
		PROFILES_FOREACH(profile, index) {
			if (profile->watch != event->wd)
				continue;
			profile->watch = -1; /* it was for one event */
			watch_look_at(profile, clock_now() + STILL_FOR);
			break;
		}
	}
}

void
watch_event(uint32_t index, uint32_t events)
{
	alignas(struct inotify_event) char buffer[EVENTS_AT_ONCE];
	const struct inotify_event *event;
	ssize_t length;
	size_t offset;

	(void)index;
	(void)events;
	length = read(inotify, buffer, sizeof(buffer));
	for (offset = 0; length > 0 && offset < (size_t)length;
	     offset += sizeof(*event) + event->len) {
		event = (const struct inotify_event *)(const void *)(buffer + offset);
		handle(event);
	}
}

int64_t
watch_deadline(void)
{
	return profiles_scanning() ? 0 : clock_earlier(next_look, next_scan);
}

static void
look_at_due(int64_t now)
{
	struct profile *profile;
	uint32_t index;

	next_look = NEVER;
	PROFILES_FOREACH(profile, index) {
		if (profile->look_at <= now) {
			profile->look_at = NEVER;
			if (profile->fifos_due != 0)
				inform_tell(profile, TELL_FIFO);
			set_watch(profile); /* first, or a change between the two is missed */
			profiles_look(profile->facts.name);
		}
		if (profile->used)
			next_look = clock_earlier(next_look, profile->look_at);
	}
}

void
watch_tend(int64_t now)
{
	int error = 0;

	if (profiles_scanning()) { /* one that is due meanwhile comes after it, or none would end */
		error = profiles_scan_on();
	} else if (now >= next_scan) {
		next_scan = rescan_every == 0 ? NEVER : now + rescan_every;
		error = profiles_scan();
		tenants_scan();
	}
	if (passes(error))
		next_scan = clock_earlier(next_scan, now + TRY_AGAIN);
	if (now >= next_look)
		look_at_due(now);
}
