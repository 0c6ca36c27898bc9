#include <signal.h>
#include <string.h>

#include "message.h"

void
message_begin(struct message *message, enum message_type type)
{
	memset(message, 0, sizeof(*message));
	message->type = type;
	message->index = NO_PROFILE;
}

static bool
hello_valid(const struct hello *hello)
{
	return ENDS(hello->version) && ENDS(hello->build) && ENDS(hello->base) &&
	    ENDS(hello->tenants);
}

static bool
profile_valid(const struct profile_facts *profile)
{
	return ENDS(profile->name) && ENDS(profile->account) && profile->trigger != 0 &&
	    profile->present < SETTING_BIT(SETTING_COUNT) && profile->settings <= SETTING_COUNT &&
	    profile->refusal < REFUSAL_COUNT && profile->refused_setting <= SETTING_DIRECTORY &&
	    profile->gone <= 1 && profile->kept < WISH_COUNT;
}

static bool
fork_valid(const struct fork_request *fork)
{
	return fork->task < TASK_COUNT && fork->group_count <= FORK_GROUPS_MAX &&
	    ENDS(fork->where) && ENDS(fork->name) &&
	    fork->environment_bytes <= sizeof(fork->environment) &&
	    (fork->environment_bytes == 0 ||
		fork->environment[fork->environment_bytes - 1] == '\0');
}

bool
message_file_valid(const struct file_facts *file)
{
	return file->stream < STREAM_COUNT && file->age <= 1 && file->keep <= ROTATE_KEEP_MAX;
}

bool
message_valid(const struct message *message)
{
	switch (message->type) {
	case MESSAGE_HELLO:
		return hello_valid(&message->hello);
	case MESSAGE_SKIPPED: /* a tenant's survey reports entries, and nothing else */
		return message->number >= REPORT_SKIPPED_NAME &&
		    message->number <= REPORT_SKIPPED_KIND && ENDS(message->report.text);
	case MESSAGE_PROFILE:
		return profile_valid(&message->profile);
	case MESSAGE_SETTING:
		return message->number < SETTING_COUNT &&
		    message->setting.length <= SETTING_BYTES_MAX;
	case MESSAGE_CLAIM:
		return message->claim.verdict < CLAIM_VERDICT_COUNT && ENDS(message->claim.text);
	case MESSAGE_SIGNAL:
		return signal_permitted((int)message->number);
	case MESSAGE_SWEEP:
		return message->number == SIGTERM || message->number == SIGKILL;
	case MESSAGE_KEEP:
		return message->number < WISH_COUNT;
	case MESSAGE_OPEN:
	case MESSAGE_ROTATE:
	case MESSAGE_READ:
		return message_file_valid(&message->file);
	case MESSAGE_FORK:
		return fork_valid(&message->fork);
	case MESSAGE_BORN:
		return message->born.task < TASK_COUNT;
	case MESSAGE_STAGE:
		return message->stage.stage < STAGE_COUNT;
	case MESSAGE_PING:
	case MESSAGE_PONG:
	case MESSAGE_START:
	case MESSAGE_GO:
	case MESSAGE_NOTE:
	case MESSAGE_MARK:
	case MESSAGE_FORGET:
	case MESSAGE_SETTLE:
	case MESSAGE_GOODBYE:
	case MESSAGE_REOPEN:
	case MESSAGE_SURVEYED:
		return true; /* a number at most, and the next monitor's own note */
	default:
		return false;
	}
}
