#include "rules.h"

enum verdict
rules_apply(const struct rule *rules, size_t count, enum sender sender, unsigned state,
    void *subject, struct incoming *incoming)
{
	const struct rule *rule;
	enum verdict verdict = RULE_BROKEN;
	size_t i;

	for (i = 0; i < count; i++) {
		rule = &rules[i];
		if (rule->type != incoming->message.type || (rule->senders & sender) == 0)
			continue;
		if (incoming->count < rule->descriptors_min ||
		    incoming->count > rule->descriptors_max)
			break;
		if (rule->states != 0 && (rule->states & state) == 0) {
			verdict = RULE_REFUSED;
			break;
		}
		rule->handle(subject, incoming);
		verdict = RULE_KEPT;
		break;
	}
	channel_discard(incoming);
	return verdict;
}
