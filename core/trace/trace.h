/* Decisions and explanations as people and programs read them. */
#ifndef FW_TRACE_TRACE_H
#define FW_TRACE_TRACE_H

#include "base/json.h"
#include "decide/decide.h"

/* A slot asked for that could not be answered as such: it does not exist, or the key may not ask for it. */
struct fw_refused_slot {
	struct fw_str id;
	const char *code; /* "unknown_slot" */
	const char *message;
	const char *hint; /* or NULL */
};

/* {"decisionId","ruleSet","decisions":{…}}: the answer of /v1/decide and a line of `floorwalker decide`. `details` adds
 * "list":true to slots that may show several, and "split":true to winners that are shown to a part of the visitors. */
void fw_trace_answer(struct fw_json_out *o, const struct fw_ruleset *set, const struct fw_decision *d,
	const struct fw_refused_slot *refused, uint32_t n_refused, bool details);

/* {"decisionId","ruleSet","at","facts","slots":{…}}: the answer of /v1/explain. Of messages that were due `facts` are one's, and another
 * has its own where they are others. Where whoever asks wants it (`orders` of the explanation) with the items of lists that were put in
 * order. */
void fw_trace_explanation(struct fw_json_out *o, const struct fw_ruleset *set, const struct fw_facts *facts,
	const struct fw_explanation *e);
/* The same for a terminal: a table a slot. */
void fw_trace_table(struct fw_buf *out, const struct fw_ruleset *set, const struct fw_facts *facts, const struct fw_explanation *e);

/* The record of a decision: what is needed to make it again, bit for bit. */
void fw_trace_record(struct fw_json_out *o, const struct fw_decider *decider, const struct fw_facts *facts, const struct fw_decision *d);

#endif
