#include <stdio.h>

#include "base/clock.h"
#include "check/needs.h"
#include "decide/due.h"
#include "trace/order.h"
#include "trace/trace.h"

/* What decided a condition, as three texts: the fact, what it is, what was wanted. */
struct shortfall {
	struct fw_buf fact, value, wanted;
};

static void shortfall_init(struct shortfall *s, const struct fw_ruleset *set, const struct fw_facts *facts, const struct fw_candidate *c)
{
	fw_buf_init(&s->fact, 0);
	fw_buf_init(&s->value, 0);
	fw_buf_init(&s->wanted, 0);
	const struct fw_literal *l = &set->literals[c->literal];
	const struct fw_ref *ref = &set->refs[l->ref];
	fw_ref_text(set, ref, &s->fact);
	if (facts && ref->fact != FW_FACT_SEGMENT) {
		struct fw_value v = fw_ref_value(ref, facts);
		fw_value_text_for(ref, &v, &s->value);
	}
	if (c->literal_negated)
		fw_buf_puts(&s->wanted, "not ");
	fw_literal_text(set, l, &s->wanted);
}

static void shortfall_finish(struct shortfall *s)
{
	fw_buf_finish(&s->fact);
	fw_buf_finish(&s->value);
	fw_buf_finish(&s->wanted);
}

/* On what the other rule was stronger. */
static const char *beaten_on(const struct fw_rule *loser, const struct fw_rule *winner)
{
	if (loser->priority != winner->priority)
		return "priority";
	return loser->specificity != winner->specificity ? "specificity" : "id";
}

static void put_text(struct fw_json_out *o, const char *key, const char *text)
{
	fw_json_key(o, key);
	fw_json_text_value(o, text);
}

/* The veto of who did not agree to a channel is nobody's declaration. */
static const char *guard_name(const struct fw_ruleset *set, const struct fw_candidate *c)
{
	return c->verdict.guard == FW_NONE ? c->built_in : set->guards[c->verdict.guard].id;
}

static const char *guard_because(const struct fw_ruleset *set, const struct fw_candidate *c)
{
	if (c->verdict.guard != FW_NONE)
		return set->guards[c->verdict.guard].because;
	return strcmp(c->built_in, FW_CHANNEL_CONSENT) == 0 ? "marketing goes only to who agreed to it"
		: "who is restricted is sent nothing";
}

/* The smallest change that would make it win; null: that is not determined, [] that there is none. */
static void put_needs(struct fw_json_out *o, const struct fw_ruleset *set, const struct fw_needs *needs)
{
	fw_json_key(o, "change");
	if (!needs->determined) {
		fw_json_null(o);
		return;
	}
	fw_json_open_array(o);
	for (uint32_t i = 0; i < needs->n; i++) {
		const struct fw_need *n = &needs->items[i];
		fw_json_open_object(o);
		put_text(o, "what", fw_need_name(n->kind));
		if (n->ref != FW_NONE) {
			struct fw_buf fact;
			fw_buf_init(&fact, 0);
			fw_ref_text(set, &set->refs[n->ref], &fact);
			put_text(o, "fact", fw_buf_text(&fact));
			fw_buf_finish(&fact);
		}
		if (n->kind == FW_NEED_PRIORITY || n->kind == FW_NEED_ROLLOUT) {
			fw_json_key(o, fw_need_name(n->kind));
			fw_json_number(o, n->number);
		}
		put_text(o, "text", n->text);
		fw_json_close_object(o);
	}
	fw_json_close_array(o);
	if (!needs->smallest) {
		fw_json_key(o, "smallest");
		fw_json_bool(o, false);
	}
}

/* The facts that a candidate was judged on: each message has its own. */
static const struct fw_facts *facts_of(const struct fw_candidate *c, const struct fw_facts *facts)
{
	return c->due ? &c->due->facts : facts;
}

static struct fw_str put_facts(struct fw_buf *b, const struct fw_facts *facts)
{
	struct fw_json_out o;
	fw_buf_init(b, 0);
	fw_json_out_init(&o, b);
	fw_facts_write(&o, facts);
	return (struct fw_str){ b->data, b->n };
}

/* Those of a message, where they are others than the explanation's. */
static void put_own_facts(struct fw_json_out *o, const struct fw_candidate *c, const struct fw_facts *facts)
{
	struct fw_buf own, all;
	bool same = fw_str_equal(put_facts(&own, facts_of(c, facts)), put_facts(&all, facts));
	if (!same) {
		fw_json_key(o, "facts");
		fw_facts_write(o, facts_of(c, facts));
	}
	fw_buf_finish(&own);
	fw_buf_finish(&all);
}

/* What put a message off. */
static void put_deferral(struct fw_json_out *o, const struct fw_ruleset *set, const struct fw_due_item *x)
{
	char until[32];
	if (x->guard != FW_NONE) {
		put_text(o, "guard", set->guards[x->guard].id);
		put_text(o, "because", set->guards[x->guard].because);
	} else {
		put_text(o, "cap", set->caps[x->cap].id);
	}
	put_text(o, "until", fw_time_text(x->until_us, until));
}

/* A rule that the set has no more. */
static void put_gone(struct fw_json_out *o, const struct fw_candidate *c)
{
	char text[1200];
	fw_json_open_object(o);
	fw_json_key(o, "rule");
	fw_json_string(o, c->due->due.rule);
	put_text(o, "reason", fw_reason_name(c->verdict.reason));
	if (c->verdict.error)
		put_text(o, "error", fw_error_text(c->verdict.error, text, sizeof text));
	fw_json_close_object(o);
}

static void put_candidate(struct fw_json_out *o, const struct fw_ruleset *set, const struct fw_facts *facts, const struct fw_candidate *c,
	bool orders)
{
	if (c->rule == FW_NONE) {
		put_gone(o, c);
		return;
	}
	const struct fw_rule *r = &set->rules[c->rule];
	fw_json_open_object(o);
	put_text(o, "rule", r->id);
	fw_json_key(o, "priority");
	fw_json_number(o, r->priority);
	fw_json_key(o, "specificity");
	fw_json_number(o, r->specificity);
	put_text(o, "reason", fw_reason_name(c->verdict.reason));
	if (c->literal != FW_NONE) {
		struct shortfall s;
		shortfall_init(&s, set, facts_of(c, facts), c);
		put_text(o, "fact", fw_buf_text(&s.fact));
		if (c->verdict.reason == FW_REASON_NOT_MATCHED) {
			if (s.value.n)
				put_text(o, "value", fw_buf_text(&s.value));
			put_text(o, "wanted", fw_buf_text(&s.wanted));
		}
		shortfall_finish(&s);
	}
	if (c->verdict.reason == FW_REASON_VETOED) {
		put_text(o, "guard", guard_name(set, c));
		put_text(o, "because", guard_because(set, c));
	}
	if (c->verdict.reason == FW_REASON_CAPPED) {
		char until[32];
		put_text(o, "cap", set->caps[c->verdict.cap].id);
		if (c->until_us)
			put_text(o, "until", fw_time_text(c->until_us, until));
	}
	if (c->verdict.reason == FW_REASON_DEFERRED)
		put_deferral(o, set, c->due);
	if (c->verdict.reason == FW_REASON_OUT_OF_STOCK) {
		fw_json_key(o, "product");
		fw_json_string(o, c->verdict.content);
	}
	if (c->by != FW_NONE) {
		put_text(o, "by", set->rules[c->by].id);
		if (c->verdict.reason == FW_REASON_BEATEN)
			put_text(o, "on", beaten_on(r, &set->rules[c->by]));
	}
	if (c->verdict.error) {
		char text[1200];
		put_text(o, "error", fw_error_text(c->verdict.error, text, sizeof text));
	}
	if (c->needs)
		put_needs(o, set, c->needs);
	if (c->due)
		put_own_facts(o, c, facts);
	if (orders)
		fw_trace_orders(o, set, c);
	put_text(o, "file", r->place.file);
	fw_json_key(o, "line");
	fw_json_number(o, r->place.line);
	fw_json_close_object(o);
}

/* Slots, or the messages of channels. */
static void put_explained(struct fw_json_out *o, const struct fw_ruleset *set, const struct fw_facts *facts, const struct fw_explanation *e,
	bool messages)
{
	fw_json_key(o, messages ? "messages" : "slots");
	fw_json_open_object(o);
	for (uint32_t s = 0; s < e->n_slots; s++) {
		const struct fw_explained_slot *slot = &e->slots[s];
		if (messages != (slot->channel != NULL))
			continue;
		fw_json_key(o, messages ? slot->channel : set->slots[slot->slot].id);
		fw_json_open_object(o);
		put_text(o, "reason", fw_slot_reason_name(slot->reason));
		fw_json_key(o, "winners");
		fw_json_open_array(o);
		for (uint32_t i = 0; i < slot->n_winners; i++)
			fw_json_text_value(o, set->rules[slot->winners[i].rule].id);
		fw_json_close_array(o);
		fw_json_key(o, "candidates");
		fw_json_open_array(o);
		for (uint32_t i = 0; i < slot->n; i++)
			put_candidate(o, set, facts, &slot->candidates[i], e->orders);
		fw_json_close_array(o);
		fw_json_close_object(o);
	}
	fw_json_close_object(o);
}

void fw_trace_explanation(struct fw_json_out *o, const struct fw_ruleset *set, const struct fw_facts *facts, const struct fw_explanation *e)
{
	char at[32];
	fw_json_open_object(o);
	put_text(o, "decisionId", e->id);
	put_text(o, "ruleSet", set->hash);
	put_text(o, "at", fw_time_text(e->at_us, at));
	fw_json_key(o, "facts");
	fw_facts_write(o, facts);
	put_explained(o, set, facts, e, false);
	for (uint32_t s = 0; s < e->n_slots; s++)
		if (e->slots[s].channel) {
			put_explained(o, set, facts, e, true);
			break;
		}
	fw_json_close_object(o);
}

static void put_detail(struct fw_buf *out, const struct fw_ruleset *set, const struct fw_facts *facts, const struct fw_candidate *c)
{
	char text[1200];
	if (c->literal != FW_NONE) {
		struct shortfall s;
		shortfall_init(&s, set, facts_of(c, facts), c);
		fw_buf_printf(out, "%s", fw_buf_text(&s.fact));
		if (s.value.n)
			fw_buf_printf(out, " is %s", fw_buf_text(&s.value));
		fw_buf_printf(out, ", wanted %s", fw_buf_text(&s.wanted));
		shortfall_finish(&s);
	} else if (c->verdict.reason == FW_REASON_VETOED) {
		fw_buf_printf(out, "%s: %s", guard_name(set, c), guard_because(set, c));
	} else if (c->verdict.reason == FW_REASON_DEFERRED) {
		const struct fw_due_item *x = c->due;
		fw_buf_printf(out, "%.*s until %s", (int)x->by.n, x->by.p, fw_time_text(x->until_us, text));
		if (x->guard != FW_NONE)
			fw_buf_printf(out, ": %s", set->guards[x->guard].because);
	} else if (c->verdict.reason == FW_REASON_OUT_OF_STOCK) {
		fw_buf_printf(out, "product \"%.*s\"", (int)c->verdict.content.n, c->verdict.content.p);
	} else if (c->verdict.reason == FW_REASON_CAPPED) {
		char until[32];
		bool known = c->until_us != 0;
		fw_buf_printf(out, "%s%s%s", set->caps[c->verdict.cap].id, known ? " until " : facts && !facts->caps_in_reach
			? ": nobody is known to count for" : "", known ? fw_time_text(c->until_us, until) : "");
	} else if (c->verdict.reason == FW_REASON_BEATEN) {
		fw_buf_printf(out, "by %s on %s", set->rules[c->by].id, beaten_on(&set->rules[c->rule], &set->rules[c->by]));
	} else if (c->by != FW_NONE) {
		fw_buf_printf(out, "by %s", set->rules[c->by].id);
	} else if (c->verdict.error) {
		fw_buf_puts(out, fw_error_text(c->verdict.error, text, sizeof text));
	}
}

/* A line of its own, below the rule's. */
static void put_change(struct fw_buf *out, const struct fw_needs *needs, int indent)
{
	fw_buf_printf(out, "  %*s", indent, "");
	if (!needs->determined)
		fw_buf_puts(out, "wins with: not determined");
	else if (needs->n == 0)
		fw_buf_puts(out, "wins with: nothing, no visitor meets its condition and its guards");
	else
		fw_buf_puts(out, needs->smallest ? "wins with: " : "wins with, if not with less: ");
	for (uint32_t i = 0; i < needs->n; i++)
		fw_buf_printf(out, "%s%s", i ? "; " : "", needs->items[i].text);
	fw_buf_putc(out, '\n');
}

static struct fw_str rule_name(const struct fw_ruleset *set, const struct fw_candidate *c)
{
	return c->rule == FW_NONE ? c->due->due.rule : fw_str(set->rules[c->rule].id);
}

void fw_trace_table(struct fw_buf *out, const struct fw_ruleset *set, const struct fw_facts *facts, const struct fw_explanation *e)
{
	static const struct fw_rule gone;
	for (uint32_t s = 0; s < e->n_slots; s++) {
		const struct fw_explained_slot *slot = &e->slots[s];
		int widest = 4;
		for (uint32_t i = 0; i < slot->n; i++) {
			int n = (int)rule_name(set, &slot->candidates[i]).n;
			widest = n > widest ? n : widest;
		}
		widest = widest > 48 ? 48 : widest;
		fw_buf_printf(out, "%s%s: %s\n", s ? "\n" : "", slot->channel ? slot->channel : set->slots[slot->slot].id,
			fw_slot_reason_name(slot->reason));
		if (slot->n)
			fw_buf_printf(out, "  %-*s %8s %4s  %-14s %s\n", widest, "rule", "priority", "spec", "reason", "why");
		for (uint32_t i = 0; i < slot->n; i++) {
			const struct fw_candidate *c = &slot->candidates[i];
			const struct fw_rule *r = c->rule == FW_NONE ? &gone : &set->rules[c->rule];
			struct fw_str name = rule_name(set, c);
			fw_buf_printf(out, "  %-*.*s %8.0f %4u  %-14s ", widest, (int)name.n, name.p, r->priority, r->specificity,
				fw_reason_name(c->verdict.reason));
			put_detail(out, set, facts, c);
			while (out->n && out->data[out->n - 1] == ' ')
				out->n--;
			fw_buf_putc(out, '\n');
			if (c->needs)
				put_change(out, c->needs, widest + 16);
			if (e->orders)
				fw_trace_order_lines(out, set, c, widest + 16);
		}
	}
}
