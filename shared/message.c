#include <signal.h>
#include <string.h>

#include "message.h"

#define MESSAGE_NAME(name, who, what) [MESSAGE_##name] = #name,
static const char *const names[MESSAGE_TYPE_COUNT] = {MESSAGE_CATALOGUE(MESSAGE_NAME)};

void
message_begin(struct message *message, enum message_type type)
{
	memset(message, 0, sizeof(*message));
	message->type = type;
	message->index = NO_PROFILE;
}

/* True when the string in the array ends inside of it. */
#define ENDS(text) (memchr((text), '\0', sizeof(text)) != NULL)

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
process_valid(const struct process_facts *process)
{
	return process->phase < PHASE_COUNT && process->end < END_COUNT &&
	    process->stage < STAGE_COUNT && process->adopted <= 1 && process->proved <= 1;
}

static bool
go_valid(const struct go *go)
{
	return ENDS(go->where) && go->environment_bytes <= sizeof(go->environment) &&
	    (go->environment_bytes == 0 || go->environment[go->environment_bytes - 1] == '\0');
}

static bool
rows_valid(const struct rows *rows)
{
	const struct row *row;

	if (rows->count > ROWS_MAX)
		return false;
	for (row = rows->rows; row < rows->rows + rows->count; row++)
		if (!ENDS(row->name) || !ENDS(row->account) || !ENDS(row->reason) ||
		    !ENDS(row->decided_by) || row->exit_end >= END_COUNT ||
		    row->timer >= SHOWN_COUNT)
			return false;
	return true;
}

bool
message_valid(const struct message *message)
{
	switch (message->type) {
	case MESSAGE_HELLO:
		return hello_valid(&message->hello);
	case MESSAGE_ORDER:
		return message->number <= ORDER_LEAVE_NOW;
	case MESSAGE_REPORT:
		return message->number < REPORT_COUNT && message->report.end < END_COUNT &&
		    ENDS(message->report.text);
	case MESSAGE_SKIPPED: /* a tenant's survey reports entries, and nothing else */
		return message->number >= REPORT_SKIPPED_NAME &&
		    message->number <= REPORT_SKIPPED_KIND && ENDS(message->report.text);
	case MESSAGE_PROFILE:
		return profile_valid(&message->profile);
	case MESSAGE_SETTING:
		return message->number < SETTING_COUNT &&
		    message->setting.length <= SETTING_BYTES_MAX;
	case MESSAGE_PROCESS:
		return process_valid(&message->process);
	case MESSAGE_CLAIM:
		return message->claim.verdict < CLAIM_VERDICT_COUNT && ENDS(message->claim.text);
	case MESSAGE_SIGNAL:
		return message->number < NSIG && signal_permitted((int)message->number);
	case MESSAGE_SWEEP:
		return message->number == SIGTERM || message->number == SIGKILL;
	case MESSAGE_MARK:
		return message->lines.length <= LINES_BYTES;
	case MESSAGE_KEEP:
		return message->number < WISH_COUNT;
	case MESSAGE_ASK:
		return message->ask.verb < VERB_COUNT && ENDS(message->ask.name);
	case MESSAGE_ROWS:
		return rows_valid(&message->rows);
	case MESSAGE_TRANSITION:
		return ENDS(message->transition.name) && ENDS(message->transition.reason);
	case MESSAGE_ANSWER:
		return message->answer.result < RESULT_COUNT && ENDS(message->answer.text);
	case MESSAGE_FIFO:
	case MESSAGE_OPEN:
	case MESSAGE_ROTATE:
	case MESSAGE_OUTPUT:
	case MESSAGE_READ:
	case MESSAGE_READABLE:
		return message->file.stream < STREAM_COUNT && message->file.age <= 1 &&
		    message->file.keep <= ROTATE_KEEP_MAX;
	case MESSAGE_FORK:
		return message->fork.task < TASK_COUNT &&
		    message->fork.group_count <= FORK_GROUPS_MAX;
	case MESSAGE_BORN:
		return message->born.task < TASK_COUNT;
	case MESSAGE_LOOK:
		return ENDS(message->look.where) && ENDS(message->look.name);
	case MESSAGE_GO:
		return go_valid(&message->go);
	case MESSAGE_STAGE:
		return message->stage.stage < STAGE_COUNT;
	default:
		return message->type != MESSAGE_NONE && message->type < MESSAGE_TYPE_COUNT;
	}
}

const char *
message_name(uint32_t type)
{
	return type < MESSAGE_TYPE_COUNT && names[type] != NULL ? names[type] : "unknown";
}
