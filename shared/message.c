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

static bool
text_ends(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

static bool
profile_valid(const struct profile_facts *profile)
{
	return text_ends(profile->name, sizeof(profile->name)) &&
	    text_ends(profile->account, sizeof(profile->account)) && profile->trigger != 0 &&
	    profile->present < SETTING_BIT(SETTING_COUNT) && profile->settings <= SETTING_COUNT &&
	    profile->refusal < REFUSAL_COUNT && profile->refused_setting <= SETTING_DIRECTORY &&
	    profile->gone <= 1 && profile->kept < WISH_COUNT;
}

static bool
process_valid(const struct process_facts *process)
{
	return process->phase < PHASE_COUNT && process->end < END_COUNT &&
	    process->stage < STAGE_COUNT && process->adopted <= 1;
}

static bool
go_valid(const struct go *go)
{
	return text_ends(go->where, sizeof(go->where)) &&
	    go->environment_bytes <= sizeof(go->environment) &&
	    (go->environment_bytes == 0 || go->environment[go->environment_bytes - 1] == '\0');
}

static bool
rows_valid(const struct rows *rows)
{
	const struct row *row;

	if (rows->count > ROWS_MAX)
		return false;
	for (row = rows->rows; row < rows->rows + rows->count; row++)
		if (!text_ends(row->name, sizeof(row->name)) ||
		    !text_ends(row->account, sizeof(row->account)) ||
		    !text_ends(row->reason, sizeof(row->reason)) ||
		    !text_ends(row->decided_by, sizeof(row->decided_by)) ||
		    row->exit_end >= END_COUNT)
			return false;
	return true;
}

bool
message_valid(const struct message *message)
{
	switch (message->type) {
	case MESSAGE_HELLO:
		return text_ends(message->hello.version, sizeof(message->hello.version)) &&
		    text_ends(message->hello.build, sizeof(message->hello.build)) &&
		    text_ends(message->hello.base, sizeof(message->hello.base)) &&
		    text_ends(message->hello.tenants, sizeof(message->hello.tenants));
	case MESSAGE_ORDER:
		return message->number <= ORDER_LEAVE_NOW;
	case MESSAGE_REPORT:
		return message->number < REPORT_COUNT && message->report.end < END_COUNT &&
		    text_ends(message->report.text, sizeof(message->report.text));
	case MESSAGE_SKIPPED:
		return message->number < REPORT_COUNT &&
		    text_ends(message->report.text, sizeof(message->report.text));
	case MESSAGE_PROFILE:
		return profile_valid(&message->profile);
	case MESSAGE_SETTING:
		return message->number < SETTING_COUNT &&
		    message->setting.length <= SETTING_BYTES_MAX;
	case MESSAGE_PROCESS:
		return process_valid(&message->process);
	case MESSAGE_CLAIM:
		return message->claim.verdict < CLAIM_VERDICT_COUNT &&
		    text_ends(message->claim.text, sizeof(message->claim.text));
	case MESSAGE_SIGNAL:
		return message->number < NSIG && signal_permitted((int)message->number);
	case MESSAGE_SWEEP:
		return message->number == SIGTERM || message->number == SIGKILL;
	case MESSAGE_KEEP:
		return message->number < WISH_COUNT;
	case MESSAGE_ASK:
		return message->ask.verb < VERB_COUNT &&
		    text_ends(message->ask.name, sizeof(message->ask.name));
	case MESSAGE_ROWS:
		return rows_valid(&message->rows);
	case MESSAGE_TRANSITION:
		return text_ends(message->transition.name, sizeof(message->transition.name)) &&
		    text_ends(message->transition.reason, sizeof(message->transition.reason));
	case MESSAGE_ANSWER:
		return message->answer.result < RESULT_COUNT &&
		    text_ends(message->answer.text, sizeof(message->answer.text));
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
		return text_ends(message->look.where, sizeof(message->look.where)) &&
		    text_ends(message->look.name, sizeof(message->look.name));
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
