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
#include "profiles.h"
#include "report.h"
#include "tenants.h"
#include "trust.h"
#include "watch.h"

/* Files that two looks at this distance find the same have settled. */
#define STILL_FOR (20 * MILLISECOND)
/* Files that never settle are believed after this time. */
#define PATIENCE (1 * SECOND)
/* What could not be seen for want of descriptors, memory or watches is looked at again after this
 * time. */
#define TRY_AGAIN (5 * SECOND)
/* To watch a directory the kernel goes through all names of it that it remembers, of which its
 * owner may make a million, and nobody is served meanwhile: whoever has cost us this may cost us as
 * much only after so many times as long. */
#define COSTLY	    (2 * MILLISECOND)
#define COSTS_AGAIN 50
/* Meanwhile it is looked at by the clock: it need not be its owner who has made the names. */
#define LOOK_UNWATCHED (1 * SECOND)
#define EVENTS_AT_ONCE 4096
/* Whoever edits a profile without end has so many looks at once, and then one in so much time. */
#define LOOKS	   20
#define LOOK_EVERY (100 * MILLISECOND)

/* The entries by their watch: an edit is not to cost more where there are many. */
#define BUCKETS 4096
static LIST_HEAD(, profile) by_watch[BUCKETS];

static int inotify = -1;
static int profiles_watch = -1;
static int tenants_watch = -1;
static int accounts_watch = -1, passwd_watch = -1;
static int64_t next_look = NEVER;    /* the earliest look_at of all entries, or before it */
static int64_t next_scan;	     /* the first one at once */
static int64_t next_tenants = NEVER; /* the tenants alone */
static int64_t tenants_at;	     /* ... and not before, whatever happens there */
static int64_t next_follow = NEVER;  /* does the profiles directory still stand in its place? */
static int64_t rescan_every;
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
	return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOSPC ||
	    error == EAGAIN;
}

static void
look_soon(struct profile *profile)
{
	int64_t now = clock_now();

	if (profile->looks_earned < now - LOOKS * LOOK_EVERY)
		profile->looks_earned = now - LOOKS * LOOK_EVERY;
	profile->looks_earned += LOOK_EVERY;
	watch_look_at(profile,
	    profile->looks_earned > now + STILL_FOR ? profile->looks_earned : now + STILL_FOR);
}

static void
try_again(struct profile *profile, int error)
{
	if (passes(error))
		watch_look_at(profile, clock_now() + TRY_AGAIN);
}

static void
say_unwatched(const char *name)
{
	if (unwatched != 0)
		return;
	unwatched = errno;
	inform_report(REPORT_UNWATCHED, errno, name);
}

/* Names that come and go in it are noticed, and `events`. */
#define NAMES (IN_ONLYDIR | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)
static int
watch_descriptor(int directory, uint32_t events)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", directory);
	return inotify_add_watch(inotify, path, NAMES | events);
}

static int
watch_directory(int directory, const char *what, uint32_t events)
{
	int watch = watch_descriptor(directory, events);

	if (watch == -1)
		say_unwatched(what);
	return watch;
}

/* IN_ONESHOT: one event is enough to make us look; a flood of them costs the kernel's time, and
 * only until the next look, which sets the watch again first. */
#define PROFILE_EVENTS (IN_ONESHOT | IN_CLOSE_WRITE | IN_ATTRIB)

/* Without one, errno says why. */
static void
set_watch(struct profile *entry, int directory)
{
	entry->watch = watch_descriptor(directory, PROFILE_EVENTS);
	if (entry->watch != -1)
		LIST_INSERT_HEAD(&by_watch[entry->watch % BUCKETS], entry, watched);
}

/* Until when the watches of whoever owns it have to wait: one tenant's all together. */
static int64_t *
waits_until(struct profile *entry)
{
	struct profile *tenant =
	    strchr(entry->facts.name, '/') == NULL ? NULL : tenants_entry(entry->facts.name);

	return tenant == NULL ? &entry->watch_after : &tenant->watch_after;
}

/* What has gone, or is no directory any more, need not be watched: when it is back is seen from
 * above. */
void
watch_entry(struct profile *entry, int opened)
{
	int64_t *after = waits_until(entry), now = clock_now(), before = clock_spent(), cost;
	int directory = opened;

	if (inotify == -1 || entry->watch != -1 || (opened == -1 && entry->facts.gone != 0))
		return;
	if (now < *after) {
		watch_look_at(entry, clock_earlier(*after, now + LOOK_UNWATCHED));
		return;
	}
	if (opened == -1)
		directory = trust_open_profile(profiles_base(entry->facts.name), entry->facts.name);
	if (directory != -1)
		set_watch(entry, directory);
	if (entry->watch == -1)
		try_again(entry, errno);
	if (entry->watch == -1 && errno != ENOENT && errno != ELOOP && errno != ENOTDIR &&
	    errno != EAGAIN)
		say_unwatched(entry->facts.name);
	if (opened == -1)
		descriptor_close(directory);
	cost = clock_spent() - before;
	if (cost >= COSTLY)
		*after = now + cost * COSTS_AGAIN;
}

void
watch_profiles(void)
{
	if (profiles_watch != -1)
		(void)inotify_rm_watch(inotify, profiles_watch); /* it may have gone */
	/* a profile that an ordinary user may not read is not watched: that it may be read is seen
	 * from above */
	profiles_watch = watch_directory(profiles_directory(), "the profiles directory",
	    IN_MOVE_SELF | (geteuid() == 0 ? 0 : IN_ATTRIB));
	next_scan = clock_now();
}

void
watch_open(int64_t rescan)
{
	rescan_every = rescan;
	inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (inotify == -1 || loop_add(inotify, EPOLLIN, SOURCE_INOTIFY, 0) == -1) {
		say_unwatched("anything");
		return;
	}
	watch_profiles();
	/* accounts come and go there: another file takes the place of passwd(5), or it is written
	 * to; where it is a mount of its own, as in a container, the directory does not tell */
	accounts_watch =
	    inotify_add_watch(inotify, "/etc", IN_MOVED_TO | IN_CLOSE_WRITE | IN_ONLYDIR);
	passwd_watch = inotify_add_watch(inotify, "/etc/passwd", IN_CLOSE_WRITE);
}

void
watch_await(void *subject, struct incoming *incoming)
{
	struct profile *profile = subject;

	profile->settle = incoming->message.number;
	profile->settle_asked = clock_now();
	if (profile->unsettled == 0)
		watch_look_at(profile, clock_now());
}

static void
answer(struct profile *profile)
{
	if (profile->settled == profile->settle)
		return;
	if (profile->looked < profile->settle_asked) {
		/* a tenant's survey has taken its time: what was edited meanwhile it may not know
		 */
		watch_look_at(profile, clock_now());
		return;
	}
	profile->settled = profile->settle;
	inform_tell(profile, TELL_SETTLED);
}

static void
settle(struct profile *profile)
{
	profile->unsettled = 0;
	profile->look_at = NEVER;
	watch_entry(profile, -1);
	try_again(profile, (int)profile->facts.refused_error);
	if (profile->introduced)
		inform_tell(profile, TELL_PROFILE);
	else
		inform_introduce(profile);
	answer(profile);
}

void
watch_changed(struct profile *profile)
{
	int64_t now = clock_now();

	watch_entry(profile, -1);
	if (profile->unsettled == 0)
		profile->unsettled = now;
	profile->look_at = NEVER;
	if (!inform_complete() || now - profile->unsettled >= PATIENCE)
		settle(profile);
	else
		look_soon(profile);
}

void
watch_unchanged(struct profile *profile)
{
	/* an event may have us look before the files have been still for long enough */
	if (profile->unsettled != 0 &&
	    (profile->look_at == NEVER || clock_now() - profile->unsettled >= PATIENCE))
		settle(profile);
	else if (profile->unsettled == 0)
		answer(profile);
}

void
watch_forget(struct profile *profile)
{
	if (profile->watch == -1)
		return;
	(void)inotify_rm_watch(inotify, profile->watch); /* the directory may have gone */
	LIST_REMOVE(profile, watched);
	profile->watch = -1;
}

/* Events were lost, and with them one-shot watches that we believe to have: all are set again. */
static void
start_over(void)
{
	next_scan = clock_now();
	ENTRIES_FOREACH(entry) {
		watch_forget(entry);
		watch_look_at(entry, next_scan);
	}
}

static void
handle_entry(int watch)
{
	struct profile *entry;

	LIST_FOREACH(entry, &by_watch[watch % BUCKETS], watched) {
		if (entry->watch != watch)
			continue;
		watch_forget(entry); /* it was for one event */
		look_soon(entry);
		return;
	}
}

static void
handle(const struct inotify_event *event)
{
	if ((event->mask & IN_Q_OVERFLOW) != 0) {
		inform_report(REPORT_OVERFLOW, 0, "");
		start_over();
	} else if (event->wd == profiles_watch) {
		/* who removes all that is in it may remove it next: that, nobody is told of */
		if ((event->mask & (IN_MOVE_SELF | IN_DELETE)) != 0)
			next_follow =
			    clock_now() + ((event->mask & IN_DELETE) != 0 ? PATIENCE : STILL_FOR);
		if (event->len > 0 && event->name[0] != '.')
			profiles_look(event->name);
	} else if (event->wd == accounts_watch || event->wd == passwd_watch) {
		if (event->len == 0 || strcmp(event->name, "passwd") == 0)
			next_scan = clock_earlier(next_scan, clock_now() + STILL_FOR);
	} else if (event->wd == tenants_watch) {
		next_tenants = clock_now() < tenants_at ? tenants_at : clock_now() + STILL_FOR;
	} else {
		handle_entry(event->wd);
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
	return profiles_scanning() ? 0
				   : clock_earlier(clock_earlier(next_look, next_follow),
					 clock_earlier(next_scan, next_tenants));
}

static void
look_at_due(int64_t now)
{
	next_look = NEVER;
	ENTRIES_FOREACH(entry) {
		if (entry->look_at <= now) {
			entry->look_at = NEVER;
			if (entry->fifos_due != 0)
				inform_tell(entry, TELL_FIFO);
			watch_entry(entry, -1); /* first, or a change between the two is missed */
			if (entry->tenant)
				tenants_look(entry);
			else
				profiles_look(entry->facts.name);
		}
		if (entry->used)
			next_look = clock_earlier(next_look, entry->look_at);
	}
}

/* Each tenant may change the mode of his directory without end: so the watch is for one event here,
 * too, and what it costs to look at all of them is bounded. */
static void
look_at_tenants(int64_t now)
{
	int64_t before = clock_spent();

	if (tenants_directory() != -1) /* whom they belong to, and quotas, are of importance */
		tenants_watch = watch_directory(tenants_directory(), "the tenants directory",
		    IN_ONESHOT | IN_ATTRIB | IN_CLOSE_WRITE);
	next_tenants = tenants_scan() && (tenants_watch != -1 || tenants_directory() == -1)
	    ? NEVER
	    : now + TRY_AGAIN;
	tenants_at = now + (clock_spent() - before) * COSTS_AGAIN;
}

void
watch_tend(int64_t now)
{
	int error = 0;

	if (now >= clock_earlier(next_follow, next_scan))
		next_follow = profiles_follow() ? NEVER : now + TRY_AGAIN;
	if (profiles_scanning()) { /* one that is due meanwhile comes after it, or none would end */
		error = profiles_scan_on();
	} else if (now >= next_scan) {
		next_scan = rescan_every == 0 ? NEVER : now + rescan_every;
		error = profiles_scan();
		next_tenants = now;
	}
	if (passes(error))
		next_scan = clock_earlier(next_scan, now + TRY_AGAIN);
	if (now >= next_tenants)
		look_at_tenants(now);
	if (now >= next_look)
		look_at_due(now);
}
