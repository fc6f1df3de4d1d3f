/* The one order in which a candidate is tried. Not for other rooms. */
#ifndef FW_DECIDE_JUDGE_H
#define FW_DECIDE_JUDGE_H

#include "decide/decide.h"

/* A guard's answer, remembered for the decision. */
struct fw_guard_memo {
	uint64_t epoch;
	bool passes;
};

/* How full a cap is, remembered for the decision. */
struct fw_cap_memo {
	uint64_t epoch;
	uint32_t counted; /* earlier uses in its window */
	uint32_t taken;   /* by winners of this decision */
};

/* Condition (unless `verify` is false: the index knows it is true), rollout, guards on what the candidate declares and
 * its condition read, caps likewise, its `show` (with `make`), guards and caps once more if its reads grew.
 * FW_REASON_WON means that nothing but room and group stand between it and winning. */
void fw_judge(struct fw_decider *d, uint32_t rule, bool verify, bool make, struct fw_verdict *ret);

/* Whether a guard lets pass, at the time of the facts. */
bool fw_judge_guard(struct fw_decider *d, uint32_t guard);
/* Takes the rule's only_one_of: FW_NONE when it is free (or the rule has none), else the rule that has it. */
uint32_t fw_judge_take_group(struct fw_decider *d, uint32_t rule);
/* Takes a place under each cap of a winner; `uses` as in its verdict. */
void fw_judge_take_caps(struct fw_decider *d, uint32_t rule, unsigned uses);
/* The cap of the rule at `*at` or after it that counts a candidate of these uses, or FW_NONE; moves `*at` behind it. */
uint32_t fw_judge_next_cap(const struct fw_ruleset *set, const struct fw_rule *r, unsigned uses, uint32_t *at);
/* A place under the cap that whoever asks has for this rule already; NULL: none. It is not taken again. */
const struct fw_cap_use *fw_judge_own_place(const struct fw_facts *f, const struct fw_cap *c, const struct fw_rule *r);
/* When a cap that is full will no longer be: when enough of what is counted, this decision's included, has left its
 * window. 0: not known. */
int64_t fw_judge_until(struct fw_decider *d, uint32_t cap);

/* What the slot shows where nothing wins, without what is sold out; in the arena, or the slot's own. False: there is nothing. */
bool fw_decide_default(const struct fw_slot *slot, const struct fw_facts *facts, struct fw_arena *arena, struct fw_str *ret);

#endif
