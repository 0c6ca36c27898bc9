#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>

#include "bucket.h"
#include "build.h"
#include "clock.h"
#include "log.h"
#include "parent.h"
#include "reports.h"
#include "share.h"
#include "vocabulary.h"
#include "words.h"
#include "unprivileged.h"

/* Entries that are no profiles are met again at each scan; so many are remembered. A tenant who
 * makes others all the time has had some lines then, and all tenants together leave room for
 * root's. */
#define SKIPPED_MAX	    1024
#define SKIPPED_OF_A_TENANT 64
#define SKIPPED_OF_TENANTS  768

/* Each tenant has all quota files read as often as he likes, by chmod(2) of his directory. */
#define QUOTA_LINES	 20
#define QUOTA_LINE_EVERY (10 * SECOND)

#define TAG TAG_PROCLAUNCH

/* Sums for each entry that was met, and for the tenant in whose directory; 0: in root's. */
static struct entry {
	uint64_t sum, tenant;
} seen[SKIPPED_MAX];
static unsigned count;

static void
say_child_died(const struct report_facts *facts)
{
	char signal_text[SIGNAL_TEXT_BYTES];

	if (facts->end != END_SIGNAL) {
		log_line(TAG, SAY_CHILD_EXITED, facts->text, facts->pid, facts->value);
		return;
	}
	(void)signal_to_text(facts->value, signal_text, sizeof(signal_text));
	if (facts->value == SIGSYS)
		log_line(TAG, SAY_CHILD_SANDBOX, facts->text, facts->pid, signal_text);
	else
		log_line(TAG, SAY_CHILD_KILLED, facts->text, facts->pid, signal_text);
}

/* About the monitor or the spawner: facts->text says which. */
static void
say_child(uint32_t report, const struct report_facts *facts)
{
	switch (report) {
	case REPORT_CHILD_STARTED:
		log_line(TAG, SAY_CHILD_STARTED, facts->text, facts->pid);
		break;
	case REPORT_CHILD_DIED:
		say_child_died(facts);
		break;
	case REPORT_CHILD_HUNG:
		log_line(TAG, SAY_CHILD_HUNG, facts->text, facts->pid);
		break;
	case REPORT_CHILD_KEPT:
		log_line(TAG, SAY_CHILD_KEPT, facts->text, facts->pid);
		break;
	case REPORT_CHILD_BROKEN:
		log_line(TAG, SAY_CHILD_BROKEN, facts->text, facts->pid,
		    unprivileged_name((uint32_t)facts->value));
		break;
	case REPORT_CHILD_SAYS:
		log_line(TAG, SAY_CHILD_SAYS, facts->text);
		break;
	default: /* REPORT_CHILD_UNSTARTED */
		log_line(TAG, SAY_CHILD_UNSTARTED, facts->text, strerror(facts->value));
		break;
	}
}

static uint64_t
sum_of(uint64_t sum, const char *text, size_t length)
{
	sum ^= 14695981039346656037ULL;
	while (length-- > 0)
		sum = (sum ^ (unsigned char)*text++) * 1099511628211ULL;
	return sum;
}

/* One line for each entry, however often it is met. */
static bool
skipped_before(const char *name, uint32_t why)
{
	const char *slash = strchr(name, '/');
	struct entry entry = {.sum = sum_of(why, name, strlen(name)),
	    .tenant = slash == NULL ? 0 : sum_of(0, name, (size_t)(slash - name))};
	unsigned i, of_tenant = 0, of_tenants = 0;

	for (i = 0; i < count; i++) {
		if (seen[i].sum == entry.sum)
			return true;
		of_tenants += seen[i].tenant != 0;
		of_tenant += seen[i].tenant == entry.tenant;
	}
	if (count == SKIPPED_MAX)
		return true; /* a thousand lines have said it */
	if (slash != NULL && (of_tenant == SKIPPED_OF_A_TENANT || of_tenants == SKIPPED_OF_TENANTS))
		return true;
	seen[count++] = entry;
	return false;
}

unsigned
reports_skipped(void)
{
	return count;
}

/* Whose it is that could not be read: "web", "alice/web", or all that alice has, "alice/". Whoever
 * kills those who read it chooses how often. */
static uint32_t
owner_of(const char *name)
{
	const struct profile *profile;
	size_t length = strcspn(name, "/");
	uint32_t index;

	PROFILES_FOREACH(profile, index) {
		/* up to the slash; without one, all of it */
		if (strncmp(profile->facts.name, name, length + 1) == 0)
			return profile->facts.owner;
	}
	return 0;
}

static void
say_skipped(uint32_t why, const char *name)
{
	if (skipped_before(name, why))
		return;
	switch (why) {
	case REPORT_SKIPPED_NAME:
		log_line(TAG, SAY_SKIPPED_NAME, name);
		break;
	case REPORT_SKIPPED_LINK:
		log_line(TAG, SAY_SKIPPED_LINK, name);
		break;
	case REPORT_SKIPPED_KIND:
		log_line(TAG, SAY_SKIPPED_KIND, name);
		break;
	case REPORT_SKIPPED_ACCOUNT:
		log_line(TAG, SAY_SKIPPED_ACCOUNT, name);
		break;
	case REPORT_SKIPPED_ROOT:
		log_line(TAG, SAY_SKIPPED_ROOT, name);
		break;
	case REPORT_SKIPPED_OWNER:
		log_line(TAG, SAY_SKIPPED_OWNER, name);
		break;
	default:
		log_line(TAG, SAY_SKIPPED_FULL, name);
		break;
	}
}

/* What the parent could not watch, read or record: `text` names it, `value` is the errno. */
static void
say_failure(uint32_t what, const struct report_facts *facts)
{
	switch (what) {
	case REPORT_UNWATCHED:
		log_line(TAG, SAY_UNWATCHED, facts->text, strerror(facts->value));
		break;
	case REPORT_UNWATCHED_END:
		log_line(TAG, SAY_UNWATCHED_END, facts->text, strerror(facts->value));
		break;
	case REPORT_UNSCANNED:
		if (share_permits(owner_of(facts->text)))
			log_line(TAG, SAY_UNSCANNED, facts->text,
			    facts->value == EREMOTE
				? "a FUSE mount, which may keep root waiting for ever"
				: facts->value == EPERM
				? "it, or what is above it, is a link or not its owner's alone: "
				  "chown it, chmod go-w"
				: strerror(facts->value));
		break;
	default: /* REPORT_LEDGER */
		log_line(TAG, SAY_LEDGER, facts->text, strerror(facts->value));
		break;
	}
}

static void
say_quota(const char *name, int line)
{
	static struct bucket buckets[BUCKETS];
	struct bucket *bucket = bucket_of(buckets, (uint32_t)sum_of(0, name, strlen(name)));

	if (bucket_wait(bucket, clock_now(), QUOTA_LINES, QUOTA_LINE_EVERY) > 0)
		return;
	bucket->full += QUOTA_LINE_EVERY;
	if (line == 0)
		log_line(TAG, SAY_QUOTA_FILE, name);
	else
		log_line(TAG, SAY_QUOTA_LINE, name, line);
}

static const char *
why_not_upgraded(int error)
{
	switch (error) {
	case ENOEXEC:
		return "it does not run, or does not name its version";
	case EXDEV:
		return "it is of another build than proclaunch";
	case ETIMEDOUT:
		return "it has not named its version in time";
	case EPERM: /* of a directory of the command line, or of the log */
		return "somebody else owns it, may write to it, or has a link to it";
	case ESTALE: /* of the state directory */
		return "another directory has taken its place";
	default:
		return strerror(error);
	}
}

void
reports_log(void *subject, struct incoming *incoming)
{
	const struct report_facts *facts = &incoming->message.report;

	(void)subject;
	parent_heard_report();
	switch (incoming->message.number) {
	case REPORT_STARTED:
		log_line(TAG, SAY_STARTED, facts->pid);
		break;
	case REPORT_UPGRADED:
		log_upgraded();
		log_line(TAG, SAY_UPGRADED, facts->text, PROCLAUNCH_VERSION);
		break;
	case REPORT_NOT_UPGRADED:
		log_line(TAG, SAY_NOT_UPGRADED, facts->text, why_not_upgraded(facts->value));
		break;
	case REPORT_CHILD_STARTED:
	case REPORT_CHILD_DIED:
	case REPORT_CHILD_HUNG:
	case REPORT_CHILD_KEPT:
	case REPORT_CHILD_BROKEN:
	case REPORT_CHILD_SAYS:
	case REPORT_CHILD_UNSTARTED:
		say_child(incoming->message.number, facts);
		break;
	case REPORT_UNWATCHED:
	case REPORT_UNWATCHED_END:
	case REPORT_UNSCANNED:
	case REPORT_LEDGER:
		say_failure(incoming->message.number, facts);
		break;
	case REPORT_QUOTA: /* its value is the line at fault; 0: all of the file */
		say_quota(facts->text, facts->value);
		break;
	case REPORT_FIFO_STUCK:
		log_line(TAG, SAY_FIFO_STUCK, facts->text);
		break;
	case REPORT_OVERFLOW:
		log_line(TAG, SAY_OVERFLOW);
		break;
	case REPORT_NO_CGROUPS:
		log_line(TAG, SAY_NO_CGROUPS);
		break;
	case REPORT_LOST:
		log_line(TAG, SAY_REPORTS_LOST, facts->value);
		break;
	default:
		say_skipped(incoming->message.number, facts->text);
		break;
	}
}
