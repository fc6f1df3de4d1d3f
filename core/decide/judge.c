#include "decide/judge.h"

#include "base/clock.h"
#include "base/hash.h"

static bool guard_passes(struct fw_decider *d, uint32_t number)
{
	struct fw_guard_memo *memo = &d->guards[number];
	const struct fw_guard *g = &d->set->guards[number];
	struct fw_seen seen = { 0 }; /* what a guard reads does not count as the candidate's */
	if (memo->epoch != d->eval.epoch) {
		memo->epoch = d->eval.epoch;
		memo->passes = (g->require == FW_NONE || fw_eval_condition(&d->eval, g->require, &seen) == FW_TRUE) &&
			(g->forbid == FW_NONE || fw_eval_condition(&d->eval, g->forbid, &seen) == FW_FALSE);
	}
	return memo->passes;
}

static bool guards_pass(struct fw_decider *d, const struct fw_rule *r, unsigned uses, struct fw_verdict *v)
{
	for (uint32_t i = 0; i < r->n_guards; i++) {
		uint32_t number = r->guards[i];
		unsigned wanted = d->set->guards[number].uses;
		if ((wanted && !(wanted & uses)) || guard_passes(d, number))
			continue;
		v->reason = FW_REASON_VETOED;
		v->guard = number;
		return false;
	}
	return true;
}

/* A failure beyond the budget counts towards setting the rule aside, visitor by visitor. */
static void note_failure(struct fw_decider *d, uint32_t rule, const struct fw_called *c)
{
	const struct fw_facts *f = d->eval.facts;
	if (!c->over_budget)
		return;
	d->counts.all->over_budget++;
	if (!d->set_aside)
		return;
	uint64_t visitor = f->key.n ? fw_hash(f->key.p, f->key.n) : d->counts.all->decisions;
	d->counts.all->set_aside += fw_set_aside_note(d->set_aside, rule, visitor, fw_now_us());
}

static bool is_dated(struct fw_decider *d, const struct fw_rule *r, struct fw_verdict *v)
{
	const struct fw_facts *f = d->eval.facts;
	if (!f->has_clock)
		return true;
	if (f->now_us < r->starts_us)
		v->reason = FW_REASON_NOT_STARTED;
	else if (f->now_us >= r->ends_us)
		v->reason = FW_REASON_ENDED;
	else
		return true;
	return false;
}

static bool condition_holds(struct fw_decider *d, uint32_t number, const struct fw_rule *r, unsigned *reads, struct fw_verdict *v)
{
	struct fw_seen seen = { 0 };
	enum fw_truth t = fw_eval_condition(&d->eval, r->when, &seen);
	*reads |= seen.reads;
	if (t == FW_TRUE)
		return true;
	v->reason = seen.failure ? FW_REASON_FAILED : t == FW_UNKNOWN ? FW_REASON_UNKNOWN : FW_REASON_NOT_MATCHED;
	if (seen.failure) {
		v->error = seen.failure->error;
		note_failure(d, number, seen.failure);
	}
	return false;
}

static bool in_rollout(const struct fw_facts *f, const struct fw_rule *r)
{
	if (r->rollout >= 100)
		return true;
	if (f->has_point)
		return f->point < r->rollout && (f->point >= 0 || r->rollout > 0);
	return f->key.n && fw_rollout_point(r->id, f->key) < r->rollout;
}

static bool make_content(struct fw_decider *d, uint32_t number, const struct fw_rule *r, unsigned *reads, struct fw_verdict *v)
{
	if (r->show.function == FW_NONE) {
		v->content = r->show.json;
		return true;
	}
	const struct fw_called *c = fw_eval_show(&d->eval, r->show.function);
	*reads |= c->reads;
	if (!c->failed) {
		v->content = c->json;
		return true;
	}
	v->reason = FW_REASON_FAILED;
	v->error = c->error;
	note_failure(d, number, c);
	return false;
}

void fw_judge(struct fw_decider *d, uint32_t number, bool verify, bool make, struct fw_verdict *v)
{
	const struct fw_rule *r = &d->set->rules[number];
	unsigned reads = r->uses;
	*v = (struct fw_verdict){ .reason = FW_REASON_WON };
	if (!is_dated(d, r, v))
		return;
	if (d->set_aside && (r->has_functions || r->show.function != FW_NONE) && fw_set_aside_is(d->set_aside, number, fw_now_us())) {
		v->reason = FW_REASON_SET_ASIDE;
		return;
	}
	if (verify && !condition_holds(d, number, r, &reads, v))
		return;
	if (!in_rollout(d->eval.facts, r)) {
		v->reason = FW_REASON_NOT_IN_ROLLOUT;
		return;
	}
	if (r->n_guards && !guards_pass(d, r, reads, v))
		return;
	unsigned before = reads;
	if (make && make_content(d, number, r, &reads, v) && reads != before)
		guards_pass(d, r, reads, v);
}

uint32_t fw_judge_take_group(struct fw_decider *d, uint32_t rule)
{
	uint32_t group = d->set->rules[rule].group;
	if (group == FW_NONE)
		return FW_NONE;
	if (d->group_epoch[group] == d->eval.epoch)
		return d->group_winner[group];
	d->group_epoch[group] = d->eval.epoch;
	d->group_winner[group] = rule;
	return FW_NONE;
}

void fw_judge_count(struct fw_decider *d, uint32_t rule, const struct fw_verdict *v)
{
	struct fw_rule_counts *c = &d->counts.rules[rule];
	switch (v->reason) {
	case FW_REASON_WON:
		c->won++;
		c->last_us = d->eval.facts->now_us;
		break;
	case FW_REASON_VETOED:
		c->vetoed++;
		d->counts.vetoes[v->guard]++;
		break;
	case FW_REASON_CAPPED: c->capped++; break;
	case FW_REASON_FAILED:
		c->failed++;
		d->counts.all->failed++;
		break;
	default: break;
	}
}
