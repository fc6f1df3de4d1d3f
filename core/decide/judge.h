/* The one order in which a candidate is tried. Not for other rooms. */
#ifndef FW_DECIDE_JUDGE_H
#define FW_DECIDE_JUDGE_H

#include "decide/decide.h"

/* A guard's answer, remembered for the decision. */
struct fw_guard_memo {
	uint64_t epoch;
	bool passes;
};

/* Condition (unless `verify` is false: the index knows it is true), rollout, guards on what the candidate declares and
 * its condition read, its `show` (with `make`), guards once more if its reads grew. FW_REASON_WON means that nothing but
 * room and group stand between it and winning. */
void fw_judge(struct fw_decider *d, uint32_t rule, bool verify, bool make, struct fw_verdict *ret);

/* Takes the rule's only_one_of: FW_NONE when it is free (or the rule has none), else the rule that has it. */
uint32_t fw_judge_take_group(struct fw_decider *d, uint32_t rule);
/* Counts what became of a tried candidate. */
void fw_judge_count(struct fw_decider *d, uint32_t rule, const struct fw_verdict *v);

/* A new decision id; ids of one worker ascend by time. */
void fw_decide_make_id(struct fw_decider *d, int64_t at_us, char id[37]);
/* Whether the visitor is one of those who get defaults only. */
bool fw_decide_in_holdout(const struct fw_decider *d, const struct fw_facts *f);

#endif
