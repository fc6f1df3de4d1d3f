/* The one way in which a due message is judged. */
#include <stdalign.h>
#include <string.h>

#include "decide/due.h"
#include "decide/judge.h"
#include "profile/ask.h"
#include "signal/signal.h"

enum { MINUTE_US = 60000000, QUARTER = 15, SCRATCH_BYTES = 1 << 14 };

struct fw_due_judging {
	struct fw_decider *d;
	const struct fw_due_config *config;
	struct fw_record *r;
	struct fw_str bytes;        /* of `r` */
	struct fw_due_item *items;
	uint32_t n, at;             /* of them; the one to be judged next */
	int64_t now_us;
	const struct fw_due_log *log; /* or NULL */
	struct fw_arena *arena;
	struct { uint32_t group, rule; } taken[FW_LIMIT_DUE];
	uint32_t n_taken;
	struct { struct fw_str channel; uint32_t rule; } sent[FW_LIMIT_DUE]; /* marketing */
	uint32_t n_sent;
};

static const struct fw_rule *rule_of(const struct fw_due_judging *j, const struct fw_due_item *x)
{
	return &j->d->set->rules[x->rule];
}

static bool has_consent(const struct fw_facts *f, struct fw_str channel)
{
	const struct fw_value *v = fw_facts_single(f, FW_FACT_CONSENT);
	for (unsigned i = 0; v->state == FW_KNOWN && i < v->n_items; i++)
		if (fw_str_equal_fold(v->items[i].folded, channel))
			return true;
	return false;
}

enum fw_reason fw_due_refusal(const struct fw_decider *d, const struct fw_rule *r, const struct fw_facts *f, const char **ret_by)
{
	bool marketing = r->message->class == FW_CLASS_MARKETING;
	*ret_by = NULL;
	if (f->restricted)
		*ret_by = FW_PERSON_RESTRICTED;
	else if (marketing && !has_consent(f, fw_str(r->message->channel)))
		*ret_by = FW_CHANNEL_CONSENT;
	if (*ret_by)
		return FW_REASON_VETOED;
	return marketing && fw_decide_in_holdout(d, f) ? FW_REASON_HOLDOUT : FW_REASON_WON;
}

enum fw_reason fw_due_unreached(struct fw_str address, bool suppressed)
{
	return address.n == 0 ? FW_REASON_NO_ADDRESS : suppressed ? FW_REASON_SUPPRESSED : FW_REASON_WON;
}

static void refuse(struct fw_due_item *x, enum fw_reason reason, const char *by)
{
	x->reason = reason;
	x->by = fw_str(by ? by : "");
}

/* What needs no facts. True: it is decided. */
static bool refuse_at_once(const struct fw_due_judging *j, struct fw_due_item *x)
{
	enum fw_reason unreached = fw_due_unreached(x->address, x->suppressed);
	if (x->rule == FW_NONE)
		refuse(x, FW_REASON_DISABLED, "the rule set has this rule no more");
	else if (!rule_of(j, x)->enabled)
		refuse(x, FW_REASON_DISABLED, NULL);
	else if (x->due.expires_us <= j->now_us)
		refuse(x, FW_REASON_EXPIRED, NULL);
	else if (unreached != FW_REASON_WON)
		refuse(x, unreached, NULL);
	else
		return false;
	return true;
}

static int facts_at(const struct fw_due_judging *j, const struct fw_due_item *x, int64_t at_us, struct fw_facts *ret)
{
	return fw_due_item_facts(j->d->set, j->config, j->log, x, j->bytes, at_us, j->arena, ret);
}

/* Whether the condition can have another answer later, of a person of whom nothing else is heard. What a function reads is not known. */
static bool moves(const struct fw_ruleset *set, uint32_t number)
{
	const struct fw_node *n = number == FW_NONE ? NULL : &set->nodes[number];
	bool any = n && n->kind == FW_NODE_FUNCTION;
	if (n && n->kind == FW_NODE_LITERAL) {
		const struct fw_ref *ref = &set->refs[set->literals[n->first].ref];
		return ref->fact == FW_FACT_SEGMENT ? moves(set, set->segments[ref->segment].when)
			: (fw_fact_info(ref->fact)->uses & (FW_USES_TIME | FW_USES_SESSION | FW_USES_BEHAVIOUR)) != 0;
	}
	for (uint32_t i = 0; n && n->kind != FW_NODE_FUNCTION && i < n->n && !any; i++)
		any = moves(set, set->children[n->first + i]);
	return any;
}

static bool guard_moves(const struct fw_ruleset *set, const struct fw_guard *g)
{
	return moves(set, g->require) || moves(set, g->forbid);
}

/* `scratch` is emptied first. */
static int guard_passes_at(const struct fw_due_judging *j, const struct fw_due_item *x, int64_t at_us, struct fw_arena *scratch, bool *ret)
{
	struct fw_facts f;
	fw_arena_reset(scratch);
	int rc = fw_due_item_facts(j->d->set, j->config, j->log, x, j->bytes, at_us, scratch, &f);
	if (rc == 0) {
		fw_eval_begin(&j->d->eval, &f, scratch);
		*ret = fw_judge_guard(j->d, x->guard);
		fw_eval_end(&j->d->eval);
	}
	return rc;
}

/* The first minute at which the guard lets pass, before the message expires; 0: none. All zones are whole quarters of an hour
 * from UTC, so what a clock says changes at one; within the quarter before the first that passes each minute is looked at. */
static int find_minute(const struct fw_due_judging *j, const struct fw_due_item *x, struct fw_arena *scratch, int64_t *ret_us)
{
	int64_t minute = j->now_us / MINUTE_US + 1, last = x->due.expires_us / MINUTE_US, at = (minute + QUARTER - 1) / QUARTER * QUARTER;
	bool passes = false;
	int rc = 0;
	*ret_us = 0;
	for (int step = 0; rc == 0 && !passes && at < last && step < FW_LIMIT_DEFER_STEPS; step++, at += passes ? 0 : QUARTER)
		rc = guard_passes_at(j, x, at * MINUTE_US, scratch, &passes);
	if (rc < 0 || !passes)
		return rc;
	int64_t first = at - QUARTER + 1 > minute ? at - QUARTER + 1 : minute;
	for (passes = false; rc == 0 && first < at; first++) {
		rc = guard_passes_at(j, x, first * MINUTE_US, scratch, &passes);
		if (passes)
			break;
	}
	*ret_us = first * MINUTE_US;
	return rc;
}

/* When the guard that refuses lets pass; 0: not before the message expires. */
static int find_time(const struct fw_due_judging *j, const struct fw_due_item *x, int64_t *ret_us)
{
	alignas(max_align_t) char first[SCRATCH_BYTES]; /* as much as the facts of most people take */
	struct fw_arena scratch;
	*ret_us = 0;
	if (!guard_moves(j->d->set, &j->d->set->guards[x->guard]))
		return 0;
	fw_arena_init(&scratch, first, sizeof first, 0);
	int rc = find_minute(j, x, &scratch, ret_us);
	fw_arena_finish(&scratch);
	return rc;
}

/* A veto or a full cap that only puts off. */
static int put_off(const struct fw_due_judging *j, struct fw_due_item *x, int64_t cap_until_us)
{
	int64_t until_us = cap_until_us;
	int rc = 0;
	bool may_wait = x->reason == FW_REASON_VETOED ? j->d->set->guards[x->guard].defer : j->d->set->caps[x->cap].defer;
	if (!may_wait)
		return 0;
	if (x->reason == FW_REASON_VETOED)
		rc = find_time(j, x, &until_us);
	if (rc < 0 || until_us <= j->now_us || until_us >= x->due.expires_us)
		return rc;
	x->reason = FW_REASON_DEFERRED;
	x->until_us = until_us;
	return 0;
}

static int explain_verdict(const struct fw_due_judging *j, struct fw_due_item *x, const struct fw_verdict *v, int64_t cap_until_us)
{
	x->reason = v->reason;
	x->uses = v->uses;
	if (v->reason == FW_REASON_VETOED) {
		x->guard = v->guard;
		x->by = fw_str(j->d->set->guards[v->guard].id);
		return put_off(j, x, 0);
	}
	if (v->reason == FW_REASON_CAPPED) {
		x->cap = v->cap;
		x->by = fw_str(j->d->set->caps[v->cap].id);
		x->until_us = cap_until_us;
		return put_off(j, x, cap_until_us);
	}
	if (v->reason == FW_REASON_OUT_OF_STOCK)
		x->by = v->content;
	if (v->reason == FW_REASON_FAILED && v->error) {
		char *text = fw_arena_strdup(j->arena, v->error->message);
		x->by = fw_str(text ? text : "");
	}
	return 0;
}

/* The rule that has the group or the channel already, or FW_NONE. */
static uint32_t taken_by(const struct fw_due_judging *j, const struct fw_rule *r, enum fw_reason *ret)
{
	for (uint32_t i = 0; i < j->n_taken; i++)
		if (r->group != FW_NONE && j->taken[i].group == r->group) {
			*ret = FW_REASON_EXCLUDED;
			return j->taken[i].rule;
		}
	for (uint32_t i = 0; r->message->class == FW_CLASS_MARKETING && i < j->n_sent; i++)
		if (fw_str_is(j->sent[i].channel, r->message->channel)) {
			*ret = FW_REASON_BEATEN;
			return j->sent[i].rule;
		}
	return FW_NONE;
}

/* Judges one on the person as he is, with what this run has taken before. */
static int judge_one(struct fw_due_judging *j, struct fw_due_item *x)
{
	const struct fw_rule *r = rule_of(j, x);
	struct fw_verdict v;
	int64_t until_us = 0;
	int rc = facts_at(j, x, j->now_us, &x->facts);
	if (rc < 0)
		return rc;
	x->has_facts = true;
	const char *why;
	enum fw_reason refused = fw_due_refusal(j->d, r, &x->facts, &why);
	if (refused != FW_REASON_WON) {
		refuse(x, refused, why);
		return 0;
	}
	enum fw_reason reason;
	uint32_t by = taken_by(j, r, &reason);
	if (by != FW_NONE) {
		refuse(x, reason, j->d->set->rules[by].id);
		return 0;
	}
	fw_eval_begin(&j->d->eval, &x->facts, j->arena);
	fw_judge(j->d, x->rule, true, true, &v);
	if (v.reason == FW_REASON_CAPPED)
		until_us = fw_judge_until(j->d, v.cap);
	if (v.reason == FW_REASON_WON) {
		char *copy = fw_arena_strndup(j->arena, v.content.p, v.content.n);
		x->content = (struct fw_str){ copy, copy ? v.content.n : 0 };
		rc = copy ? 0 : FW_ENOMEM;
	}
	fw_eval_end(&j->d->eval);
	return rc < 0 ? rc : explain_verdict(j, x, &v, until_us);
}

/* A place under each of its caps, which is confirmed when it is sent. */
static int reserve(struct fw_due_judging *j, const struct fw_due_item *x)
{
	const struct fw_ruleset *set = j->d->set;
	uint32_t at = 0;
	int rc = 0;
	for (uint32_t number; rc == 0 && (number = fw_judge_next_cap(set, rule_of(j, x), x->uses, &at)) != FW_NONE;) {
		const struct fw_cap *c = &set->caps[number];
		rc = fw_record_reserve(j->r, &(struct fw_reservation){ c->hash, x->due.number, j->now_us, c->per_s, c->limit });
	}
	return rc;
}

int fw_due_judge_send(struct fw_due_judging *j, struct fw_due_item *x)
{
	const struct fw_rule *r = rule_of(j, x);
	if (r->group != FW_NONE) {
		j->taken[j->n_taken].group = r->group;
		j->taken[j->n_taken++].rule = x->rule;
	}
	if (r->message->class == FW_CLASS_MARKETING) {
		j->sent[j->n_sent].channel = x->due.channel;
		j->sent[j->n_sent++].rule = x->rule;
	}
	x->due.state = FW_DUE_SENDING;
	x->due.attempts++;
	x->due.due_us = j->now_us + j->config->delivery_ms * 1000;
	int rc = reserve(j, x);
	if (rc == 0)
		rc = fw_record_put_due(j->r, &x->due);
	if (rc < 0 || j->at == j->n) /* nobody is left to be judged with it */
		return rc;
	return fw_record_bytes(j->r, j->arena, &j->bytes);
}

static int note(struct fw_due_judging *j, const struct fw_due_item *x, const char *what)
{
	const struct fw_due *d = &x->due;
	return fw_record_note_outcome(j->r, &(struct fw_due_outcome){ j->now_us, d->number, d->rule, d->channel, fw_str(what), x->by,
		d->decision });
}

/* The product that the person asked for, and which the message was to tell of; n 0: it is not about one. */
static struct fw_str asked_for(const struct fw_due_judging *j, const struct fw_due_item *x)
{
	const struct fw_value *asked = fw_facts_member(&x->facts, FW_FACT_EVENT, FW_STR("requested_at"));
	const struct fw_value *product = fw_facts_member(&x->facts, FW_FACT_EVENT, FW_STR("product_id"));
	if (!fw_event_names_have(rule_of(j, x)->message->on, FW_STR(FW_ASK_RESTOCKED)))
		return (struct fw_str){ NULL, 0 };
	if (asked->state != FW_KNOWN || product->state != FW_KNOWN || product->kind != FW_KIND_TEXT)
		return (struct fw_str){ NULL, 0 };
	return product->folded;
}

/* Sold out again before it could be told: whoever asked goes on waiting for it. */
static int ask_again(struct fw_due_judging *j, const struct fw_due_item *x)
{
	struct fw_ask ask = { .product = asked_for(j, x), .at_us = j->now_us };
	if (!ask.product.n || !fw_str_equal_fold(ask.product, x->by))
		return 0;
	int rc = fw_due_place(x->due.facts, j->arena, &ask.place);
	return rc < 0 ? rc : fw_record_put_ask(j->r, &ask);
}

static int put_away(struct fw_due_judging *j, struct fw_due_item *x)
{
	int rc = x->reason == FW_REASON_OUT_OF_STOCK ? ask_again(j, x) : 0;
	if (rc < 0)
		return rc;
	if (x->reason == FW_REASON_DEFERRED) {
		x->due.state = FW_DUE_WAITS;
		x->due.due_us = x->until_us;
		x->due.reason = x->by;
		rc = fw_record_put_due(j->r, &x->due);
	} else {
		fw_record_drop_due(j->r, x->due.number);
	}
	return rc < 0 ? rc : note(j, x, fw_reason_name(x->reason));
}

/* It is dead, and kept. */
static int bury(struct fw_due_judging *j, struct fw_due_item *x)
{
	x->due.state = FW_DUE_DEAD;
	x->due.due_us = j->now_us;
	x->due.reason = x->by;
	int rc = fw_record_put_due(j->r, &x->due);
	return rc < 0 ? rc : note(j, x, "failed");
}

/* An attempt of which nothing was heard. The place that it held is free again; the third in a row is the last. */
static int lose_attempt(struct fw_due_judging *j, struct fw_due_item *x)
{
	fw_record_release_due(j->r, x->due.number);
	x->due.lost++;
	x->lost = true;
	x->due.state = FW_DUE_WAITS;
	x->poison = x->due.lost >= FW_LIMIT_MESSAGE_LOST;
	if (!x->poison)
		return 0;
	refuse(x, FW_REASON_FAILED, "poison: nothing was heard of three attempts in a row");
	return bury(j, x);
}

int fw_due_judge_begin(struct fw_decider *d, const struct fw_due_config *config, struct fw_record *r, struct fw_due_item *items, uint32_t n,
	int64_t now_us, const struct fw_due_log *log, struct fw_arena *a, struct fw_due_judging **ret)
{
	struct fw_due_judging *j = FW_NEW(a, struct fw_due_judging);
	if (!j)
		return FW_ENOMEM;
	*j = (struct fw_due_judging){ .d = d, .config = config, .r = r, .items = items, .n = n, .now_us = now_us, .log = log,
		.arena = a };
	int rc = 0;
	for (uint32_t i = 0; i < n; i++)
		items[i].due.decision = log ? log->id : (struct fw_str){ NULL, 0 };
	for (uint32_t i = 0; i < n && rc == 0; i++)
		if (items[i].due.state == FW_DUE_SENDING)
			rc = lose_attempt(j, &items[i]);
	if (rc == 0)
		rc = fw_record_bytes(r, a, &j->bytes);
	if (rc == 0)
		*ret = j;
	return rc;
}

int fw_due_judge_next(struct fw_due_judging *j, struct fw_due_item **ret)
{
	int rc = 0;
	*ret = NULL;
	while (rc == 0 && j->at < j->n) {
		struct fw_due_item *x = &j->items[j->at++];
		if (x->poison)
			continue;
		if (!refuse_at_once(j, x))
			rc = judge_one(j, x);
		if (rc == 0 && x->reason == FW_REASON_WON) {
			*ret = x;
			break;
		}
		if (rc == 0)
			rc = put_away(j, x);
	}
	return rc;
}

int fw_due_judge_fail(struct fw_due_judging *j, struct fw_due_item *x, struct fw_str why)
{
	const char *copy = fw_arena_strndup(j->arena, why.p, why.n);
	if (!copy)
		return FW_ENOMEM;
#ifdef FW_BREAK_UNWRITTEN /* what cannot be written beats others all the same */
	if (fw_due_judge_send(j, x) < 0)
		return FW_ENOMEM;
	fw_record_release_due(j->r, x->due.number);
#endif
	refuse(x, FW_REASON_FAILED, copy);
	return bury(j, x);
}
