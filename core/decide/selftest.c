#include "decide/selftest.h"

#include <string.h>

#include "decide/order.h"
#include "decide/rehearse.h"
#include "profile/given.h"
#include "signal/signal.h"

struct asked {
	uint32_t *slots;
	const struct fw_json **expected; /* of the slots, then of the channels */
	uint32_t n, n_channels;
};

static bool has_messages(const struct fw_ruleset *set, struct fw_str channel)
{
	for (uint32_t i = 0; i < set->n_rules; i++)
		if (set->rules[i].message && fw_str_is(channel, set->rules[i].message->channel))
			return true;
	return false;
}

/* The slots that the test names; other names are channels of messages. What the compliance folder expects of neither is not looked at:
 * other people have taken it away. */
static int read_expected(const struct fw_ruleset *set, const struct fw_test *t, struct fw_arena *arena, struct asked *ret)
{
	ret->slots = FW_NEW_ARRAY(arena, t->expect->count, uint32_t);
	ret->expected = FW_NEW_ARRAY(arena, t->expect->count, const struct fw_json *);
	if (!ret->slots || !ret->expected)
		return FW_ENOMEM;
	for (const struct fw_json *m = t->expect->child; m; m = m->next) {
		uint32_t slot = fw_ruleset_slot(set, m->key);
		if (slot == FW_MAP_NONE)
			continue;
		ret->slots[ret->n] = slot;
		ret->expected[ret->n++] = m;
	}
	for (const struct fw_json *m = t->expect->child; m; m = m->next)
		if (fw_ruleset_slot(set, m->key) == FW_MAP_NONE && (!t->compliance || has_messages(set, m->key)))
			ret->expected[ret->n + ret->n_channels++] = m;
	return 0;
}

static bool is_default(const struct fw_json *v)
{
	return v->type == FW_JSON_STRING && fw_str_is(v->string, "default");
}

static bool fits(const struct fw_ruleset *set, const struct fw_json *expected, const struct fw_winner *winners, uint32_t n)
{
	if (is_default(expected) || expected->count == 1)
		expected = expected->type == FW_JSON_ARRAY ? expected->child : expected;
	if (is_default(expected))
		return n == 0;
	if (expected->type == FW_JSON_STRING)
		return n == 1 && fw_str_is(expected->string, set->rules[winners[0].rule].id);
	uint32_t i = 0;
	for (const struct fw_json *e = expected->child; e; e = e->next, i++)
		if (i >= n || !fw_str_is(e->string, set->rules[winners[i].rule].id))
			return false;
	return i == n;
}

static void put_expected(const struct fw_json *e, struct fw_buf *out)
{
	if (e->type == FW_JSON_STRING) {
		fw_buf_printf(out, "\"%s\"", e->string.p);
		return;
	}
	for (const struct fw_json *v = e->child; v; v = v->next)
		fw_buf_printf(out, "%s\"%s\"", v == e->child ? "" : ", ", v->string.p);
}

/* Why the first rule that was expected and did not win, did not. */
static void put_why(struct fw_decider *d, const struct fw_facts *facts, const struct fw_explained_slot *slot,
	const struct fw_json *expected, struct fw_buf *out)
{
	const struct fw_json *first = expected->type == FW_JSON_ARRAY ? expected->child : expected;
	for (; first; first = expected->type == FW_JSON_ARRAY ? first->next : NULL)
		for (uint32_t i = 0; i < slot->n; i++) {
			const struct fw_candidate *c = &slot->candidates[i];
			if (!fw_str_is(first->string, d->set->rules[c->rule].id) || c->verdict.reason == FW_REASON_WON)
				continue;
			fw_buf_printf(out, "\"%s\": %s", d->set->rules[c->rule].id, fw_reason_name(c->verdict.reason));
			if (c->literal != FW_NONE) {
				const struct fw_ref *ref = &d->set->refs[d->set->literals[c->literal].ref];
				fw_buf_puts(out, ", ");
				fw_ref_text(d->set, ref, out);
				if (ref->fact != FW_FACT_SEGMENT) {
					struct fw_value v = fw_ref_value(ref, facts);
					fw_buf_puts(out, v.state == FW_KNOWN ? " is " : " has ");
					fw_value_text_for(ref, &v, out);
				}
				fw_buf_puts(out, c->literal_negated ? ", wanted not " : ", wanted ");
				fw_literal_text(d->set, &d->set->literals[c->literal], out);
			} else if (c->verdict.reason == FW_REASON_VETOED) {
				fw_buf_printf(out, " by guard \"%s\"", d->set->guards[c->verdict.guard].id);
			} else if (c->verdict.reason == FW_REASON_CAPPED) {
				fw_buf_printf(out, " by cap \"%s\"", d->set->caps[c->verdict.cap].id);
			} else if (c->by != FW_NONE) {
				fw_buf_printf(out, " by \"%s\"", d->set->rules[c->by].id);
			} else if (c->verdict.error) {
				char text[1200];
				fw_buf_printf(out, ", %s", fw_error_text(c->verdict.error, text, sizeof text));
			}
			return;
		}
}

static bool has_item(const struct fw_lineup *l, struct fw_str id)
{
	for (uint32_t i = 0; i < l->order->n; i++)
		if (fw_str_equal_fold(l->order->items[i].id, id))
			return true;
	return false;
}

static bool begins_so(const struct fw_lineup *l, const struct fw_json *expected)
{
	uint32_t i = 0;
	for (const struct fw_json *e = expected->child; e; e = e->next, i++)
		if (!l || i >= l->n_shown || !fw_str_equal_fold(l->order->items[l->standings[i].item].id, e->string))
			return false;
	return true;
}

/* The list that a slot's winners have put in order: of several the one that begins as expected, or has the first item, or stands first.
 * NULL: there is none. */
static const struct fw_lineup *lineup_of(const struct fw_ruleset *set, const struct fw_explained_slot *slot, const struct fw_json *expected)
{
	const struct fw_lineup *meant = NULL;
	bool has = false;
	for (uint32_t i = 0; i < slot->n; i++) {
		const struct fw_candidate *c = &slot->candidates[i];
		bool won = c->verdict.reason == FW_REASON_WON && c->verdict.lineups;
		for (uint32_t k = 0; won && k < set->rules[c->rule].show.ordering->n; k++) {
			const struct fw_lineup *l = &c->verdict.lineups[k];
			if (begins_so(l, expected))
				return l;
			if (meant && (has || !has_item(l, expected->child->string)))
				continue;
			meant = l;
			has = has_item(l, expected->child->string);
		}
	}
	return meant;
}

static void report_order(const struct fw_test *t, const struct fw_json *expected, const struct fw_lineup *l, struct fw_errors *errors)
{
	struct fw_buf text;
	struct fw_error *err = fw_errors_add(errors);
	fw_buf_init(&text, 0);
	put_expected(expected, &text);
	fw_buf_puts(&text, l ? " were expected first, and it is " : " were expected first, and no winner puts a list in order");
	for (uint32_t i = 0; l && i < l->n_shown && i <= expected->count; i++) {
		struct fw_str id = l->order->items[l->standings[i].item].id;
		fw_buf_printf(&text, "%s\"%.*s\"", i ? ", " : "", (int)id.n, id.n ? id.p : "");
	}
	fw_fail(err, FW_EINVAL, t->place.file, t->place.line, "test \"%s\": %s: %s", t->id, expected->key.p, fw_buf_text(&text));
	fw_hint(err, "explain --order tells why");
	fw_buf_finish(&text);
}

/* The lists of which the test says what comes first. 0, 1 when it fails, FW_ENOMEM. */
static int run_orders(struct fw_decider *d, const struct fw_facts *facts, const struct fw_test *t, const struct asked *asked,
	struct fw_arena *arena, struct fw_errors *errors)
{
	struct fw_explanation e;
	int failed = 0;
	if (fw_explain(d, facts, asked->slots, asked->n, arena, &e) < 0)
		return FW_ENOMEM;
	for (uint32_t i = 0; i < asked->n; i++) {
		const struct fw_json *expected = fw_json_member(t->order, asked->expected[i]->key);
		const struct fw_lineup *l = expected ? lineup_of(d->set, &e.slots[i], expected) : NULL;
		if (!expected || begins_so(l, expected))
			continue;
		report_order(t, expected, l, errors);
		failed = 1;
	}
	return failed;
}

static void report(struct fw_decider *d, const struct fw_facts *facts, const struct fw_test *t, const struct fw_explained_slot *slot,
	const struct fw_json *expected, struct fw_errors *errors)
{
	struct fw_buf text, why;
	struct fw_error *err = fw_errors_add(errors);
	fw_buf_init(&text, 0);
	fw_buf_init(&why, 0);
	put_expected(expected, &text);
	fw_buf_puts(&text, " was expected, and ");
	for (uint32_t i = 0; i < slot->n_winners; i++)
		fw_buf_printf(&text, "%s\"%s\"", i ? ", " : "", d->set->rules[slot->winners[i].rule].id);
	fw_buf_puts(&text, slot->n_winners ? " won" : "nothing won");
	put_why(d, facts, slot, expected, &why);
	fw_fail(err, FW_EINVAL, t->place.file, t->place.line, "test \"%s\": %s: %s", t->id, d->set->slots[slot->slot].id,
		fw_buf_text(&text));
	fw_hint(err, "%s", fw_buf_text(&why));
	fw_buf_finish(&text);
	fw_buf_finish(&why);
}

/* What became of the first message that was expected. */
static void put_what_became(const struct fw_record *r, const struct fw_json *expected, struct fw_buf *out)
{
	const struct fw_json *first = expected->type == FW_JSON_ARRAY ? expected->child : expected;
	struct fw_due_outcome o, last = { .at_us = 0 };
	struct fw_due d;
	if (!first || is_default(first))
		return;
	for (unsigned i = 0; fw_record_outcome(r, i, &o); i++)
		if (fw_str_equal(o.rule, first->string))
			last = o;
	if (last.what.n)
		fw_buf_printf(out, "\"%s\": %.*s", first->string.p, (int)last.what.n, last.what.p);
	if (last.by.n)
		fw_buf_printf(out, " by \"%.*s\"", (int)last.by.n, last.by.p);
	for (unsigned i = 0; !last.what.n && fw_record_due(r, i, &d); i++)
		if (fw_str_equal(d.rule, first->string)) {
			fw_buf_printf(out, "\"%s\" still waits", first->string.p);
			return;
		}
	if (!last.what.n)
		fw_buf_printf(out, "nothing triggered \"%s\"", first->string.p);
}

static void report_channel(struct fw_decider *d, const struct fw_test *t, const struct fw_record *r, const struct fw_json *expected,
	const struct fw_winner *sent, uint32_t n, struct fw_errors *errors)
{
	struct fw_buf text, why;
	struct fw_error *err = fw_errors_add(errors);
	fw_buf_init(&text, 0);
	fw_buf_init(&why, 0);
	put_expected(expected, &text);
	fw_buf_puts(&text, " was expected, and ");
	for (uint32_t i = 0; i < n; i++)
		fw_buf_printf(&text, "%s\"%s\"", i ? ", " : "", d->set->rules[sent[i].rule].id);
	fw_buf_puts(&text, n ? " was sent" : "nothing was sent");
	put_what_became(r, expected, &why);
	fw_fail(err, FW_EINVAL, t->place.file, t->place.line, "test \"%s\": %s: %s", t->id, expected->key.p, fw_buf_text(&text));
	fw_hint(err, "%s", fw_buf_text(&why));
	fw_buf_finish(&text);
	fw_buf_finish(&why);
}

static int fail_given(const struct fw_test *t, const struct fw_error *why, struct fw_errors *errors)
{
	fw_fail(fw_errors_add(errors), FW_EINVAL, t->place.file, t->place.line, "test \"%s\": %s", t->id, why->message);
	return 1;
}

/* The messages that the test expects. 0, 1 when it fails, FW_ENOMEM. */
static int run_channels(struct fw_decider *d, const struct fw_triggers *triggers, struct fw_zone_set *zones, const struct fw_test *t,
	const struct asked *asked, struct fw_arena *arena, struct fw_errors *errors)
{
	struct fw_rehearsal r;
	struct fw_error why;
	int failed = 0, rc = fw_rehearse(d, triggers, zones, t->given, arena, &r, &why);
	struct fw_winner *sent = rc == 0 ? FW_NEW_ARRAY(arena, r.n + 1, struct fw_winner) : NULL;
	if (rc < 0)
		return rc == FW_ENOMEM ? rc : fail_given(t, &why, errors);
	if (!sent)
		return FW_ENOMEM;
	for (uint32_t i = 0; i < asked->n_channels; i++) {
		const struct fw_json *expected = asked->expected[asked->n + i];
		uint32_t n = 0;
		for (uint32_t k = 0; k < r.n; k++)
			if (fw_str_is(expected->key, d->set->rules[r.sent[k].rule].message->channel))
				sent[n++] = (struct fw_winner){ .rule = r.sent[k].rule };
		if (fits(d->set, expected, sent, n))
			continue;
		report_channel(d, t, r.record, expected, sent, n, errors);
		failed = 1;
	}
	return failed;
}

static int run_slots(struct fw_decider *d, struct fw_zone_set *zones, const struct fw_test *t, const struct asked *asked,
	struct fw_arena *arena, struct fw_errors *errors)
{
	struct fw_facts facts;
	struct fw_decision decision;
	struct fw_explanation explanation;
	struct fw_error why;
	if (fw_profile_given(&facts, arena, t->given, d->set->zone, d->set->currency, &why) < 0)
		return fail_given(t, &why, errors);
	if (fw_signal_derive(zones, &facts) < 0 || fw_decide(d, &facts, asked->slots, asked->n, arena, &decision) < 0)
		return FW_ENOMEM;
	bool passed = true;
	for (uint32_t i = 0; i < asked->n; i++)
		passed &= fits(d->set, asked->expected[i], decision.slots[i].winners, decision.slots[i].n);
	if (passed)
		return t->order ? run_orders(d, &facts, t, asked, arena, errors) : 0;
	if (fw_explain(d, &facts, asked->slots, asked->n, arena, &explanation) < 0)
		return FW_ENOMEM;
	for (uint32_t i = 0; i < asked->n; i++)
		if (!fits(d->set, asked->expected[i], decision.slots[i].winners, decision.slots[i].n))
			report(d, &facts, t, &explanation.slots[i], asked->expected[i], errors);
	return 1;
}

static int run_one(struct fw_decider *d, const struct fw_triggers *triggers, struct fw_zone_set *zones, const struct fw_test *t,
	struct fw_arena *arena, struct fw_errors *errors)
{
	struct asked asked = { 0 };
	if (read_expected(d->set, t, arena, &asked) < 0)
		return FW_ENOMEM;
	int slots = asked.n || !asked.n_channels ? run_slots(d, zones, t, &asked, arena, errors) : 0;
	if (slots < 0 || !asked.n_channels)
		return slots;
	int channels = run_channels(d, triggers, zones, t, &asked, arena, errors);
	return channels < 0 ? channels : slots | channels;
}

int fw_selftest_run(struct fw_decider *d, struct fw_zone_set *zones, const char *only, struct fw_errors *errors, uint32_t *ret_run)
{
	struct fw_triggers *triggers = fw_triggers_create(d->set);
	int failed = triggers ? 0 : FW_ENOMEM;
	double holdout = d->holdout;
	d->holdout = 0;
	*ret_run = 0;
	for (uint32_t i = 0; i < d->set->n_tests && failed >= 0; i++) {
		struct fw_arena arena;
		if (only && !strstr(d->set->tests[i].id, only))
			continue;
		fw_arena_init(&arena, NULL, 0, 0);
		int r = run_one(d, triggers, zones, &d->set->tests[i], &arena, errors);
		failed = r < 0 ? r : failed + r;
		++*ret_run;
		fw_arena_finish(&arena);
	}
	d->holdout = holdout;
	fw_triggers_destroy(triggers);
	return failed;
}
