#include <string.h>

#include "unprivileged.h"

#define MESSAGE_NAME(name, who, what) [MESSAGE_##name] = #name,
static const char *const names[MESSAGE_TYPE_COUNT] = {MESSAGE_CATALOGUE(MESSAGE_NAME)};

static bool
process_valid(const struct process_facts *process)
{
	return process->phase < PHASE_COUNT && process->end < END_COUNT &&
	    process->stage < STAGE_COUNT && process->adopted <= 1 && process->proved <= 1;
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
unprivileged_valid(const struct message *message)
{
	switch (message->type) {
	case MESSAGE_ORDER:
		return message->number <= ORDER_LEAVE_NOW;
	case MESSAGE_REPORT:
		return message->number < REPORT_COUNT && message->report.end < END_COUNT &&
		    ENDS(message->report.text);
	case MESSAGE_PROCESS:
		return process_valid(&message->process);
	case MESSAGE_FIFO:
	case MESSAGE_OUTPUT:
	case MESSAGE_READABLE:
		return message_file_valid(&message->file);
	case MESSAGE_ASK:
		return message->ask.verb < VERB_COUNT && ENDS(message->ask.name);
	case MESSAGE_ROWS:
		return rows_valid(&message->rows);
	case MESSAGE_TRANSITION:
		return ENDS(message->transition.name) && ENDS(message->transition.reason);
	case MESSAGE_ANSWER:
		return message->answer.result < RESULT_COUNT && ENDS(message->answer.text);
	case MESSAGE_LOG:
	case MESSAGE_CONTROL:
	case MESSAGE_RECALL:
	case MESSAGE_KEPT:
	case MESSAGE_SETTLED:
	case MESSAGE_REMAINS:
	case MESSAGE_MORE:
	case MESSAGE_FILE:
		return true;
	default:
		return message_valid(message);
	}
}

const char *
unprivileged_name(uint32_t type)
{
	return type < MESSAGE_TYPE_COUNT && names[type] != NULL ? names[type] : "unknown";
}
