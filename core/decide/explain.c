#include <string.h>

#include "base/clock.h"
#include "decide/judge.h"

/* The literal that made a condition not true: on the way down, the first part that is as little true as the whole. */
static uint32_t blame(struct fw_decider *d, uint32_t number, bool negated, enum fw_truth truth, bool *ret_negated)
{
	const struct fw_node *n = &d->set->nodes[number];
	struct fw_seen seen = { 0 };
	if (n->kind == FW_NODE_FUNCTION)
		return FW_NONE;
	if (n->kind == FW_NODE_LITERAL) {
		const struct fw_literal *l = &d->set->literals[n->first];
		const struct fw_ref *ref = &d->set->refs[l->ref];
		if (ref->fact == FW_FACT_SEGMENT && !d->eval.facts->segments_given)
			return blame(d, d->set->segments[ref->segment].when, negated, truth, ret_negated);
		*ret_negated = negated;
		return n->first;
	}
	for (uint32_t i = 0; i < n->n; i++) {
		uint32_t child = d->set->children[n->first + i];
		bool child_negated = negated != (n->kind == FW_NODE_NOT);
		enum fw_truth t = fw_eval_condition(&d->eval, child, &seen);
		if ((child_negated ? fw_not(t) : t) == truth) {
			uint32_t found = blame(d, child, child_negated, truth, ret_negated);
			if (found != FW_NONE)
				return found;
		}
	}
	return FW_NONE;
}

struct explaining {
	struct fw_decider *d;
	struct fw_explained_slot *slots;
	uint32_t n_slots;
	bool holdout;
};

static void judge_candidate(struct explaining *x, struct fw_explained_slot *slot, struct fw_candidate *c)
{
	struct fw_decider *d = x->d;
	const struct fw_rule *r = &d->set->rules[c->rule];
	bool full = slot->n_winners >= d->set->slots[slot->slot].show_up_to;
	c->by = c->literal = FW_NONE;
	if (!r->enabled) {
		c->verdict = (struct fw_verdict){ .reason = FW_REASON_DISABLED };
		return;
	}
	fw_judge(d, c->rule, true, !full && !x->holdout, &c->verdict);
	enum fw_reason *reason = &c->verdict.reason;
	if (*reason == FW_REASON_NOT_MATCHED || *reason == FW_REASON_UNKNOWN)
		c->literal = blame(d, r->when, false, *reason == FW_REASON_UNKNOWN ? FW_UNKNOWN : FW_FALSE, &c->literal_negated);
	if (*reason != FW_REASON_WON)
		return;
	if (x->holdout) {
		*reason = FW_REASON_HOLDOUT;
	} else if (full) {
		*reason = FW_REASON_BEATEN;
		c->by = slot->winners[slot->n_winners - 1].rule;
	} else if ((c->by = fw_judge_take_group(d, c->rule)) != FW_NONE) {
		*reason = FW_REASON_EXCLUDED;
	} else {
		slot->winners[slot->n_winners++] = (struct fw_winner){ c->rule, c->verdict.content };
	}
}

/* All rules of the slot, disabled ones too, in order of rank. */
static int list_candidates(struct fw_decider *d, struct fw_explained_slot *slot, struct fw_arena *arena, uint32_t *by_rank)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < d->set->n_rules; i++)
		n += d->set->rules[i].slot == slot->slot;
	slot->candidates = FW_NEW_ARRAY(arena, n, struct fw_candidate);
	slot->winners = FW_NEW_ARRAY(arena, n, struct fw_winner);
	if (!slot->candidates || !slot->winners)
		return FW_ENOMEM;
	for (uint32_t rank = 0; slot->n < n; rank++)
		if (d->set->rules[by_rank[rank]].slot == slot->slot)
			slot->candidates[slot->n++].rule = by_rank[rank];
	return 0;
}

/* Candidates of all slots together, strongest first, as fw_decide takes them. */
static void judge_all(struct explaining *x, uint32_t *at)
{
	const struct fw_rule *rules = x->d->set->rules;
	for (;;) {
		uint32_t best = FW_NONE;
		for (uint32_t s = 0; s < x->n_slots; s++) {
			if (at[s] == x->slots[s].n)
				continue;
			if (best == FW_NONE || rules[x->slots[s].candidates[at[s]].rule].rank < rules[x->slots[best].candidates[at[best]].rule].rank)
				best = s;
		}
		if (best == FW_NONE)
			return;
		judge_candidate(x, &x->slots[best], &x->slots[best].candidates[at[best]++]);
	}
}

int fw_explain(struct fw_decider *d, const struct fw_facts *facts, const uint32_t *slots, uint32_t n_slots, struct fw_arena *arena, struct fw_explanation *ret)
{
	memset(ret, 0, sizeof *ret);
	struct explaining x = { .d = d, .n_slots = n_slots, .holdout = fw_decide_in_holdout(d, facts) };
	uint32_t *by_rank = FW_NEW_ARRAY(arena, d->set->n_rules, uint32_t), *at = FW_NEW_ARRAY(arena, n_slots, uint32_t);
	x.slots = ret->slots = FW_NEW_ARRAY(arena, n_slots, struct fw_explained_slot);
	if (!by_rank || !at || !ret->slots)
		return FW_ENOMEM;
	ret->n_slots = n_slots;
	ret->at_us = facts->has_clock ? facts->now_us : fw_now_us();
	fw_decide_make_id(d, ret->at_us, ret->id);
	for (uint32_t i = 0; i < d->set->n_rules; i++)
		if (d->set->rules[i].slot != FW_NONE)
			by_rank[d->set->rules[i].rank] = i;
	int code = 0;
	for (uint32_t i = 0; i < n_slots && code == 0; i++) {
		ret->slots[i].slot = slots[i];
		code = list_candidates(d, &ret->slots[i], arena, by_rank);
	}
	fw_eval_begin(&d->eval, facts, arena);
	if (code == 0)
		judge_all(&x, at);
	for (uint32_t i = 0; i < n_slots && code == 0; i++) {
		struct fw_explained_slot *s = &ret->slots[i];
		bool fallback = d->set->slots[s->slot].fallback.given;
		s->reason = s->n_winners ? FW_SLOT_RULE : x.holdout ? FW_SLOT_HOLDOUT : fallback ? FW_SLOT_DEFAULT : FW_SLOT_NONE;
	}
	fw_eval_end(&d->eval);
	return code;
}

void fw_decide_sample(struct fw_decider *d, const struct fw_facts *facts, const uint32_t *slots, uint32_t n_slots, struct fw_arena *arena)
{
	struct fw_explanation e;
	if (fw_explain(d, facts, slots, n_slots, arena, &e) < 0)
		return;
	d->counts.all->sampled++;
	for (uint32_t s = 0; s < e.n_slots; s++)
		for (uint32_t i = 0; i < e.slots[s].n; i++) {
			const struct fw_candidate *c = &e.slots[s].candidates[i];
			struct fw_rule_counts *counts = &d->counts.rules[c->rule];
			enum fw_reason r = c->verdict.reason;
			counts->beaten += r == FW_REASON_BEATEN;
			counts->matched += r == FW_REASON_WON || r == FW_REASON_BEATEN || r == FW_REASON_EXCLUDED || r == FW_REASON_VETOED ||
				r == FW_REASON_NOT_IN_ROLLOUT || r == FW_REASON_HOLDOUT || r == FW_REASON_CAPPED;
		}
}
