#include <stdio.h>
#include <string.h>

#include "nagios.h"
#include "words.h"

/* Names that a line has room for; the rest is counted. */
#define NAMED_MAX 5

/* How bad a profile's state is. */
static enum nagios_status
judge(const struct row *row)
{
	bool completed = row->exit_end == END_EXIT && row->exit_value == 0;

	if (row->state == STATE_RUNNING)
		return row->accepted != 0 ? NAGIOS_OK : NAGIOS_WARNING;
	if (row->state == STATE_STARTING || row->state == STATE_STOPPING)
		return NAGIOS_WARNING;
	if (row->accepted == 0)
		return NAGIOS_CRITICAL;
	if (row->wanted == 0)
		return NAGIOS_OK; /* somebody wants it so */
	return completed && row->timer != SHOWN_START ? NAGIOS_OK : NAGIOS_CRITICAL;
}

static void
print_names(const struct profiles *profiles, enum nagios_status status)
{
	unsigned named = 0, unnamed = 0;
	size_t i;

	for (i = 0; i < profiles->count; i++) {
		if (judge(&profiles->rows[i]) != status)
			continue;
		if (named++ < NAMED_MAX)
			(void)printf("%s %s is %s", named == 1 ? ":" : ",", profiles->rows[i].name,
			    profiles->rows[i].accepted == 0 ? "refused"
							    : state_name(profiles->rows[i].state));
		else
			unnamed++;
	}
	if (unnamed > 0)
		(void)printf(" and %u more", unnamed);
}

enum nagios_status
nagios_report(const struct profiles *profiles)
{
	static const char *const words[] = {"OK", "WARNING", "CRITICAL"};
	unsigned states[STATE_COUNT] = {0}, grades[NAGIOS_UNKNOWN] = {0}, restarts = 0;
	enum nagios_status worst = NAGIOS_OK, status;
	size_t i;

	for (i = 0; i < profiles->count; i++) {
		status = judge(&profiles->rows[i]);
		grades[status]++;
		if (status > worst)
			worst = status;
		if (profiles->rows[i].state < STATE_COUNT)
			states[profiles->rows[i].state]++;
		restarts += profiles->rows[i].restarts;
	}
	(void)printf("PROCLAUNCH %s - %zu profile%s, %u running", words[worst], profiles->count,
	    profiles->count == 1 ? "" : "s", states[STATE_RUNNING]);
	if (worst != NAGIOS_OK)
		print_names(profiles, worst);
	(void)printf(
	    " | profiles=%zu;;;0 running=%u;;;0 starting=%u;;;0 stopping=%u;;;0 stopped=%u;;;0 "
	    "warning=%u;;;0 critical=%u;;;0 restarts=%uc;;;0\n",
	    profiles->count, states[STATE_RUNNING], states[STATE_STARTING], states[STATE_STOPPING],
	    states[STATE_STOPPED], grades[NAGIOS_WARNING], grades[NAGIOS_CRITICAL], restarts);
	return worst;
}

enum nagios_status
nagios_unknown(const char *why)
{
	(void)printf("PROCLAUNCH UNKNOWN - %s\n", why);
	return NAGIOS_UNKNOWN;
}
