#include "decide/judge.h"

#include "base/clock.h"
#include "base/hash.h"
#include "decide/order.h"
#include "decide/stock.h"

/* Only what is proven opens a guard. */
static bool guard_opens(struct fw_decider *d, const struct fw_guard *g)
{
	struct fw_seen seen = { 0 }; /* what a guard reads does not count as the candidate's */
#ifndef FW_BREAK_CLAIMS
	if (fw_eval_distrust(&d->eval) < 0)
		return false;
#endif
	bool opens = (g->require == FW_NONE || fw_eval_condition(&d->eval, g->require, &seen) == FW_TRUE) &&
		(g->forbid == FW_NONE || fw_eval_condition(&d->eval, g->forbid, &seen) == FW_FALSE);
	fw_eval_trust(&d->eval);
	return opens;
}

static bool guard_passes(struct fw_decider *d, uint32_t number)
{
	struct fw_guard_memo *memo = &d->guards[number];
	if (memo->epoch != d->eval.epoch) {
		memo->epoch = d->eval.epoch;
		memo->passes = guard_opens(d, &d->set->guards[number]);
	}
	return memo->passes;
}

/* A message is put off by a guard only if no other drops it. */
static bool guards_pass(struct fw_decider *d, const struct fw_rule *r, unsigned uses, struct fw_verdict *v)
{
	bool passes = true;
	for (uint32_t i = 0; i < r->n_guards; i++) {
		uint32_t number = r->guards[i];
		const struct fw_guard *g = &d->set->guards[number];
		bool may_wait = g->defer && r->message;
		if (!fw_uses_fit(g->uses, uses) || (may_wait && !passes) || guard_passes(d, number))
			continue;
		v->reason = FW_REASON_VETOED;
		v->guard = number;
		passes = false;
		if (!may_wait)
			break;
	}
	return passes;
}

bool fw_judge_guard(struct fw_decider *d, uint32_t guard)
{
	return guard_passes(d, guard);
}

uint32_t fw_judge_next_cap(const struct fw_ruleset *set, const struct fw_rule *r, unsigned uses, uint32_t *at)
{
	while (*at < r->n_caps) {
		uint32_t number = r->caps[(*at)++];
		if (fw_uses_fit(set->caps[number].uses, uses))
			return number;
	}
	return FW_NONE;
}

/* Without a clock every use counts. */
static bool use_counts(const struct fw_facts *f, const struct fw_cap *c, const struct fw_cap_use *use)
{
	return use->cap == c->hash && (!f->has_clock || (f->now_us - use->at_us) / 1000000 < c->per_s);
}

const struct fw_cap_use *fw_judge_own_place(const struct fw_facts *f, const struct fw_cap *c, const struct fw_rule *r)
{
	uint64_t rule = 0;
	for (unsigned i = 0; i < f->n_cap_uses; i++) {
		const struct fw_cap_use *use = &f->cap_uses[i];
		if (!use->own || !use_counts(f, c, use))
			continue;
		if (!rule)
			rule = fw_hash(r->id, strlen(r->id));
		if (!use->rule || use->rule == rule)
			return use;
	}
	return NULL;
}

static struct fw_cap_memo *look_at_cap(struct fw_decider *d, uint32_t number)
{
	struct fw_cap_memo *memo = &d->caps[number];
	const struct fw_facts *f = d->eval.facts;
	if (memo->epoch == d->eval.epoch)
		return memo;
	*memo = (struct fw_cap_memo){ .epoch = d->eval.epoch };
	for (unsigned i = 0; i < f->n_cap_uses; i++)
		memo->counted += use_counts(f, &d->set->caps[number], &f->cap_uses[i]);
	return memo;
}

static bool caps_have_room(struct fw_decider *d, const struct fw_rule *r, unsigned uses, struct fw_verdict *v)
{
	uint32_t at = 0;
	for (uint32_t number; (number = fw_judge_next_cap(d->set, r, uses, &at)) != FW_NONE;) {
		const struct fw_cap_memo *memo = look_at_cap(d, number);
		if (d->eval.facts->caps_in_reach && memo->counted + memo->taken < d->set->caps[number].limit)
			continue;
		if (d->eval.facts->caps_in_reach && fw_judge_own_place(d->eval.facts, &d->set->caps[number], r))
			continue;
		v->reason = FW_REASON_CAPPED;
		v->cap = number;
		return false;
	}
	return true;
}

void fw_judge_take_caps(struct fw_decider *d, uint32_t rule, unsigned uses)
{
	uint32_t at = 0;
	for (uint32_t number; (number = fw_judge_next_cap(d->set, &d->set->rules[rule], uses, &at)) != FW_NONE;)
		if (!fw_judge_own_place(d->eval.facts, &d->set->caps[number], &d->set->rules[rule]))
			look_at_cap(d, number)->taken++;
}

/* The time of the counted use that has `nth` earlier ones. There are few: the record keeps so many. */
static int64_t nth_use_us(const struct fw_facts *f, const struct fw_cap *c, uint32_t nth)
{
	for (unsigned i = 0; i < f->n_cap_uses; i++) {
		const struct fw_cap_use *one = &f->cap_uses[i];
		uint32_t earlier = 0;
		for (unsigned k = 0; k < f->n_cap_uses; k++) {
			const struct fw_cap_use *other = &f->cap_uses[k];
			bool before = other->at_us < one->at_us || (other->at_us == one->at_us && k < i);
			earlier += before && use_counts(f, c, other);
		}
		if (use_counts(f, c, one) && earlier == nth)
			return one->at_us;
	}
	return f->now_us; /* one of this decision's */
}

int64_t fw_judge_until(struct fw_decider *d, uint32_t number)
{
	const struct fw_facts *f = d->eval.facts;
	const struct fw_cap *c = &d->set->caps[number];
	const struct fw_cap_memo *memo = look_at_cap(d, number);
	int64_t window, until;
	if (!f->caps_in_reach || !f->has_clock || memo->counted + memo->taken < c->limit)
		return 0;
	int64_t from = nth_use_us(f, c, memo->counted + memo->taken - c->limit);
	bool too_long = __builtin_mul_overflow(c->per_s, 1000000, &window) || __builtin_add_overflow(from, window, &until);
	return too_long ? 0 : until;
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

static bool condition_holds(struct fw_decider *d, uint32_t number, const struct fw_rule *r, unsigned *uses, struct fw_verdict *v)
{
	struct fw_seen seen = { 0 };
	enum fw_truth t = fw_eval_condition(&d->eval, r->when, &seen);
	*uses |= seen.reads;
	if (t == FW_TRUE)
		return true;
	v->reason = seen.failure ? FW_REASON_FAILED : t == FW_UNKNOWN ? FW_REASON_UNKNOWN : FW_REASON_NOT_MATCHED;
	if (seen.failure) {
		v->error = seen.failure->error;
		note_failure(d, number, seen.failure);
	}
	return false;
}

bool fw_rollout_has(const struct fw_rule *r, const struct fw_facts *f)
{
	if (r->rollout >= 100)
		return true;
	if (f->has_point)
		return f->point < r->rollout && (f->point >= 0 || r->rollout > 0);
	return f->key.n && fw_rollout_point(r->id, f->key) < r->rollout;
}

static const struct fw_error no_memory = { .message = "the answer's memory is used up" };

/* Content goes without what is sold out, or not at all. A call of its own, as order_content: few candidates come here. */
static __attribute__((noinline)) bool is_in_stock(struct fw_decider *d, struct fw_verdict *v)
{
	enum fw_stock stock;
	int rc = fw_stock_look(d->eval.facts, v->content, d->eval.arena, &stock, &v->content);
	if (rc == 0 && stock != FW_STOCK_SOLD_OUT)
		return true;
	v->reason = rc < 0 ? FW_REASON_FAILED : FW_REASON_OUT_OF_STOCK;
	v->error = rc < 0 ? &no_memory : NULL;
	return false;
}

static bool fail(struct fw_decider *d, uint32_t number, const struct fw_called *c, struct fw_verdict *v)
{
	v->reason = FW_REASON_FAILED;
	v->error = c->error;
	note_failure(d, number, c);
	return false;
}

/* Content whose lists are put in order. A call of its own: within fw_judge, what it keeps on the stack would cost every candidate. */
static __attribute__((noinline)) bool order_content(struct fw_decider *d, uint32_t number, const struct fw_rule *r, unsigned *uses,
	struct fw_verdict *v)
{
	struct fw_ordered o;
	if (fw_order_make(&d->eval, &r->show, &o) < 0) {
		v->reason = FW_REASON_FAILED;
		v->error = &no_memory;
		return false;
	}
	*uses |= o.reads;
	if (o.failure)
		return fail(d, number, o.failure, v);
	v->content = o.json;
	v->lineups = o.lineups;
	if (o.stock != FW_STOCK_SOLD_OUT) /* each item was looked at */
		return !r->show.ordering->elsewhere || is_in_stock(d, v);
	v->reason = FW_REASON_OUT_OF_STOCK;
	return false;
}

static bool make_content(struct fw_decider *d, uint32_t number, const struct fw_rule *r, unsigned *uses, struct fw_verdict *v)
{
	if (r->show.ordering)
		return order_content(d, number, r, uses, v);
	if (r->show.function == FW_NONE) {
		v->content = r->show.json;
		return !r->show.may_name_products || is_in_stock(d, v);
	}
	const struct fw_called *c = fw_eval_show(&d->eval, r->show.function);
	*uses |= c->reads;
	if (!c->failed) {
		v->content = c->json;
		return is_in_stock(d, v);
	}
	return fail(d, number, c, v);
}

/* Services and receipts count, and no cap holds them back. */
static bool is_held_back(const struct fw_rule *r)
{
	return !r->message || r->message->class == FW_CLASS_MARKETING;
}

/* Guards and caps, for a candidate of these uses. */
static bool may_pass(struct fw_decider *d, const struct fw_rule *r, unsigned uses, struct fw_verdict *v)
{
	return guards_pass(d, r, uses, v) && (!r->has_caps || !is_held_back(r) || caps_have_room(d, r, uses, v));
}

void fw_judge(struct fw_decider *d, uint32_t number, bool verify, bool make, struct fw_verdict *v)
{
	const struct fw_rule *r = &d->set->rules[number];
	unsigned uses = r->uses;
	bool as_if = number == d->as_if;
	*v = (struct fw_verdict){ .reason = FW_REASON_WON };
	if (!as_if && !is_dated(d, r, v))
		return;
	if (d->set_aside && r->calls && fw_set_aside_is(d->set_aside, number, fw_now_us())) {
		v->reason = FW_REASON_SET_ASIDE;
		return;
	}
	if (verify && !condition_holds(d, number, r, &uses, v))
		return;
	if (!as_if && !fw_rollout_has(r, d->eval.facts)) {
		v->reason = FW_REASON_NOT_IN_ROLLOUT;
		return;
	}
	if ((r->n_guards || r->has_caps) && !may_pass(d, r, uses, v))
		return;
	unsigned before = uses;
	if (make && make_content(d, number, r, &uses, v) && uses != before)
		may_pass(d, r, uses, v);
	v->uses = uses;
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
