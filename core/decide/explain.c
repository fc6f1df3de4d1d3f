#include <string.h>

#include "base/clock.h"
#include "decide/due.h"
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
	c->until_us = 0;
	c->needs = NULL;
	c->due = NULL;
	if (!r->enabled && c->rule != d->as_if) {
		c->verdict = (struct fw_verdict){ .reason = FW_REASON_DISABLED };
		return;
	}
	fw_judge(d, c->rule, true, !full && !x->holdout, &c->verdict);
	enum fw_reason *reason = &c->verdict.reason;
	if (*reason == FW_REASON_NOT_MATCHED || *reason == FW_REASON_UNKNOWN)
		c->literal = blame(d, r->when, false, *reason == FW_REASON_UNKNOWN ? FW_UNKNOWN : FW_FALSE, &c->literal_negated);
	if (*reason == FW_REASON_CAPPED)
		c->until_us = fw_judge_until(d, c->verdict.cap);
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
		slot->winners[slot->n_winners++] = (struct fw_winner){ c->rule, c->verdict.uses, c->verdict.content };
		fw_judge_take_caps(d, c->rule, c->verdict.uses);
	}
}

/* All rules of the slot, disabled ones too, in order of rank. */
static int list_candidates(struct fw_decider *d, struct fw_explained_slot *slot, struct fw_arena *arena)
{
	const struct fw_slot *declared = &d->set->slots[slot->slot];
	uint32_t n = declared->n_rules;
	slot->candidates = FW_NEW_ARRAY(arena, n, struct fw_candidate);
	slot->winners = FW_NEW_ARRAY(arena, n, struct fw_winner);
	if (!slot->candidates || !slot->winners)
		return FW_ENOMEM;
	for (; slot->n < n; slot->n++)
		slot->candidates[slot->n].rule = d->set->slot_rules[declared->first_rule + slot->n];
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
			if (best == FW_NONE ||
				rules[x->slots[s].candidates[at[s]].rule].rank < rules[x->slots[best].candidates[at[best]].rule].rank)
				best = s;
		}
		if (best == FW_NONE)
			return;
		judge_candidate(x, &x->slots[best], &x->slots[best].candidates[at[best]++]);
	}
}

int fw_explain(struct fw_decider *d, const struct fw_facts *facts, const uint32_t *slots, uint32_t n_slots, struct fw_arena *arena,
	struct fw_explanation *ret)
{
	memset(ret, 0, sizeof *ret);
	struct explaining x = { .d = d, .n_slots = n_slots, .holdout = fw_decide_in_holdout(d, facts) };
	uint32_t *at = FW_NEW_ARRAY(arena, n_slots, uint32_t);
	x.slots = ret->slots = FW_NEW_ARRAY(arena, n_slots, struct fw_explained_slot);
	if (!at || !ret->slots)
		return FW_ENOMEM;
	ret->n_slots = n_slots;
	ret->at_us = facts->has_clock ? facts->now_us : fw_now_us();
	fw_decide_make_id(d, ret->at_us, ret->id);
	int code = 0;
	for (uint32_t i = 0; i < n_slots && code == 0; i++) {
		ret->slots[i].slot = slots[i];
		code = list_candidates(d, &ret->slots[i], arena);
	}
	fw_eval_begin(&d->eval, facts, arena);
	if (code == 0)
		judge_all(&x, at);
	for (uint32_t i = 0; i < n_slots && code == 0; i++) {
		struct fw_explained_slot *s = &ret->slots[i];
		struct fw_str content;
		/* What is not shown is not looked up, as a decision does not. */
		bool fallback = !s->n_winners && fw_decide_default(&d->set->slots[s->slot], facts, arena, &content);
		s->reason = s->n_winners ? FW_SLOT_RULE : x.holdout ? FW_SLOT_HOLDOUT : fallback ? FW_SLOT_DEFAULT : FW_SLOT_NONE;
	}
	fw_eval_end(&d->eval);
	return code;
}

/* Services and receipts all go; of marketing one. */
static void judge_message(struct fw_decider *d, struct fw_explained_slot *slot, struct fw_candidate *c, uint32_t *sent)
{
	const struct fw_rule *r = &d->set->rules[c->rule];
	bool marketing = r->message->class == FW_CLASS_MARKETING;
	enum fw_reason *reason = &c->verdict.reason;
	c->by = c->literal = FW_NONE;
	c->until_us = 0;
	c->needs = NULL;
	c->due = NULL;
	if (!r->enabled && c->rule != d->as_if) {
		c->verdict = (struct fw_verdict){ .reason = FW_REASON_DISABLED };
		return;
	}
	c->built_in = NULL;
	enum fw_reason refused = slot->unreached != FW_REASON_WON ? slot->unreached : fw_due_refusal(d, r, d->eval.facts, &c->built_in);
	if (refused != FW_REASON_WON && c->rule != d->as_if) {
		c->verdict = (struct fw_verdict){ .reason = refused, .guard = FW_NONE };
		return;
	}
	fw_judge(d, c->rule, true, true, &c->verdict);
	if (*reason == FW_REASON_NOT_MATCHED || *reason == FW_REASON_UNKNOWN)
		c->literal = blame(d, r->when, false, *reason == FW_REASON_UNKNOWN ? FW_UNKNOWN : FW_FALSE, &c->literal_negated);
	if (*reason == FW_REASON_CAPPED)
		c->until_us = fw_judge_until(d, c->verdict.cap);
	if (*reason != FW_REASON_WON)
		return;
	if (marketing && *sent != FW_NONE) {
		*reason = FW_REASON_BEATEN;
		c->by = *sent;
	} else if ((c->by = fw_judge_take_group(d, c->rule)) != FW_NONE) {
		*reason = FW_REASON_EXCLUDED;
	} else {
		slot->winners[slot->n_winners++] = (struct fw_winner){ c->rule, c->verdict.uses, c->verdict.content };
		*sent = marketing ? c->rule : *sent;
	}
}

int fw_explain_channel(struct fw_decider *d, const struct fw_facts *facts, const char *channel, enum fw_reason unreached,
	struct fw_arena *arena, struct fw_explanation *e)
{
	const struct fw_ruleset *set = d->set;
	struct fw_explained_slot *all = FW_NEW_ARRAY(arena, e->n_slots + 1, struct fw_explained_slot),
		*slot = all ? &all[e->n_slots] : NULL;
	uint32_t sent = FW_NONE;
	if (!all)
		return FW_ENOMEM;
	if (e->n_slots)
		memcpy(all, e->slots, e->n_slots * sizeof *all);
	*slot = (struct fw_explained_slot){ .slot = FW_NONE, .channel = channel, .unreached = unreached };
	slot->candidates = FW_NEW_ARRAY(arena, set->n_message_rules, struct fw_candidate);
	slot->winners = FW_NEW_ARRAY(arena, set->n_message_rules, struct fw_winner);
	if (!slot->candidates || !slot->winners)
		return FW_ENOMEM;
	fw_eval_begin(&d->eval, facts, arena);
	for (uint32_t i = 0; i < set->n_message_rules; i++) {
		uint32_t rule = set->message_rules[i];
		if (strcmp(set->rules[rule].message->channel, channel) != 0)
			continue;
		slot->candidates[slot->n].rule = rule;
		judge_message(d, slot, &slot->candidates[slot->n++], &sent);
	}
	fw_eval_end(&d->eval);
	slot->reason = slot->n_winners ? FW_SLOT_RULE : FW_SLOT_NONE;
	e->slots = all;
	e->n_slots++;
	return 0;
}

static const struct fw_error *failure_of(const struct fw_due_item *x, struct fw_arena *arena)
{
	struct fw_error *err = FW_NEW(arena, struct fw_error);
	if (err)
		fw_fail(err, FW_EFAILED, NULL, 0, "%.*s", (int)x->by.n, x->by.p);
	return err;
}

void fw_explain_due(struct fw_decider *d, const struct fw_due_item *x, struct fw_arena *arena, struct fw_candidate *ret)
{
	enum fw_reason reason = x->reason;
	bool unmet = x->has_facts && (reason == FW_REASON_NOT_MATCHED || reason == FW_REASON_UNKNOWN);
	*ret = (struct fw_candidate){ .rule = x->rule, .verdict = { .reason = reason, .content = x->content, .uses = x->uses }, .due = x,
		.until_us = x->until_us, .by = FW_NONE, .literal = FW_NONE };
	ret->verdict.guard = FW_NONE;
	if (reason == FW_REASON_VETOED) {
		ret->verdict.guard = x->guard;
		ret->built_in = x->guard == FW_NONE ? x->by.p : NULL;
	} else if (reason == FW_REASON_CAPPED) {
		ret->verdict.cap = x->cap;
	} else if (reason == FW_REASON_OUT_OF_STOCK) {
		ret->verdict.content = x->by;
	} else if (reason == FW_REASON_BEATEN || reason == FW_REASON_EXCLUDED) {
		ret->by = fw_ruleset_rule(d->set, x->by);
	} else if (x->rule == FW_NONE || reason == FW_REASON_FAILED) {
		ret->verdict.error = failure_of(x, arena);
	}
	if (!unmet)
		return;
	fw_eval_begin(&d->eval, &x->facts, arena);
	ret->literal = blame(d, d->set->rules[x->rule].when, false, reason == FW_REASON_UNKNOWN ? FW_UNKNOWN : FW_FALSE,
		&ret->literal_negated);
	fw_eval_end(&d->eval);
}

static bool is_winner(const struct fw_slot_answer *a, uint32_t rule)
{
	for (uint32_t i = 0; i < a->n; i++)
		if (a->winners[i].rule == rule)
			return true;
	return false;
}

static bool group_is_taken(const struct fw_decider *d, const struct fw_decision *decision, uint32_t group)
{
	for (uint32_t s = 0; group != FW_NONE && s < decision->n_slots; s++)
		for (uint32_t i = 0; i < decision->slots[s].n; i++)
			if (d->set->rules[decision->slots[s].winners[i].rule].group == group)
				return true;
	return false;
}

/* As the decision did: what it left no place for was not beaten. */
static void take_caps(struct fw_decider *d, const struct fw_decision *decision)
{
	for (uint32_t s = 0; decision->n_reservations && s < decision->n_slots; s++)
		for (uint32_t i = 0; i < decision->slots[s].n; i++)
			fw_judge_take_caps(d, decision->slots[s].winners[i].rule, decision->slots[s].winners[i].uses);
}

void fw_decide_sample(struct fw_decider *d, const struct fw_facts *facts, const struct fw_decision *decision, struct fw_arena *arena)
{
	if (decision->holdout)
		return;
	fw_eval_begin(&d->eval, facts, arena);
	fw_probe_set(&d->probe, d->set->index, facts);
	take_caps(d, decision);
	for (uint32_t s = 0; s < decision->n_slots; s++) {
		const struct fw_slot_answer *a = &decision->slots[s];
		struct fw_cursor cursor;
		bool verify;
		fw_cursor_init(&cursor, d->set->index, a->slot);
		for (uint32_t rule; (rule = fw_cursor_next(&cursor, d->set->index, &d->probe, &verify)) != FW_NONE;) {
			struct fw_verdict v;
			fw_judge(d, rule, verify, false, &v);
			bool held = v.reason == FW_REASON_WON || v.reason == FW_REASON_VETOED || v.reason == FW_REASON_NOT_IN_ROLLOUT ||
				v.reason == FW_REASON_CAPPED;
			d->counts.rules[rule].matched += held;
			d->counts.rules[rule].beaten += v.reason == FW_REASON_WON && !is_winner(a, rule) &&
				!group_is_taken(d, decision, d->set->rules[rule].group);
		}
	}
	d->counts.all->sampled++;
	fw_eval_end(&d->eval);
}
