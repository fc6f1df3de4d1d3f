/* The checker against brute force: random rule sets over facts with few values, every visitor that there can be, and what the real
 * decision says of each. Nothing that is said for certain may be wrong, nor may the rules that are named as the proof; and where a set asks
 * for nothing that the checker does not tell apart exactly, nothing may be missed either, and each rule of a proof is needed.
 * FW_LONG=1 tries tens of thousands, FW_SEED=n one set alone, FW_SETS=n so many.
 * The proofs were seen failing where one of their rules is left out, and where one that is not needed is left in (shorten); segments where
 * a contradiction of theirs is not reported, and reported of another one; dates where a day is not allowed for (day_may_be). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "check/check.h"
#include "lib_generate.h"
#include "lib_rules.h"

enum { COUNTRY, DEVICE, VISITS, CONSENT, PLAN, CAMPAIGN, HOUR, VIEWED, DATE, FACTS, MOST_RULES = 8, MOST_WORLDS = 4000 };

/* One moment that all sets are checked at, and those that visitors come at. */
static const char *const moments[] = { "2026-06-01T00:00Z", "2026-06-10T12:00Z", "2026-06-20T12:00Z", "2026-07-20T12:00Z",
	"2026-08-20T12:00Z" };
static int64_t moments_us[5];

static const char *const countries[] = { "CA", "NO", "US" };
static const char *const devices[] = { "mobile", "tablet", "desktop", "bot" };
static const char *const campaigns[] = { "x", "ab", "cd", "bc", "ab~cd", "ab~bc", "bc~cd", "ab~bc~cd", "abcd" };
static const double hours[] = { 1, 8, 9, 12, 20, 22 };

/* How many values of a fact there are to try; of what comes from the profile the last is to be out of reach. */
static const unsigned n_values[FACTS] = { 4, 5, 7, 6, 25, 10, 64, 16, 6 };

static const char *const matchers[FACTS][9] = {
	[COUNTRY] = { "\"CA\"", "{ \"CA\", \"NO\" }", "is_not \"CA\"", "is_not { \"NO\", \"CA\" }", "known()", "unknown()", "\"NO\"" },
	[DEVICE] = { "\"mobile\"", "{ \"mobile\", \"tablet\" }", "is_not \"mobile\"", "is_not { \"tablet\", \"mobile\" }", "\"tablet\"",
		"is_not \"desktop\"" },
	[VISITS] = { "at_least(2)", "at_most(1)", "between(1, 3)", "3", "known()", "is_not(2)", "more_than(3)", "less_than(2)" },
	[CONSENT] = { "\"email\"", "{ \"email\", \"sms\" }", "all_of { \"email\", \"sms\" }", "is_not \"email\"", "\"sms\"", "known()",
		"is_not(all_of { \"email\", \"sms\" })", "is_not \"sms\"" },
	[PLAN] = { "\"pro\"", "{ \"pro\", \"basic\" }", "is_not \"pro\"", "3", "at_least(3)", "true", "known()",
		"is_not { \"basic\", \"pro\" }",
		"all_of { \"basic\", \"pro\" }" },
	[CAMPAIGN] = { "starts_with \"ab\"", "ends_with \"cd\"", "contains \"bc\"", "\"abcd\"", "is_not(starts_with \"ab\")", "known()",
		"is_not(contains \"bc\")", "is_not \"abcd\"" },
	[HOUR] = { "8", "{ 8, 9 }", "between(8, 20)", "between(20, 8)", "is_not(9)", "at_least(9)", "at_most(8)", "known()", "9" },
	[VIEWED] = { "{ category = \"boots\", within = \"7d\", at_least = 1 }", "{ category = \"boots\", at_least = 2 }",
		"{ category = \"boots\", at_most = 0 }", "{ category = \"boots\", within = \"7d\", at_least = 2 }",
		"{ category = \"boots\", within = \"7d\", at_most = 1 }", "{ category = \"boots\", at_most = 1 }" },
	[DATE] = { "at_least \"2026-06-11\"", "between(\"2026-06-05\", \"2026-06-20\")", "\"2026-06-20\"", "at_most \"2026-06-12\"",
		"is_not \"2026-06-20\"", "at_least \"2026-08-15\"", "at_most \"2026-06-01\"", "at_most \"2026-05-20\"", "known()" },
};

struct shape {
	unsigned facts[4], n_facts;
	bool exact;          /* nothing in it that the checker only takes for possible */
	bool segment, dated, rollout;
};

static void put_one(struct generator *g, const void *ctx)
{
	const struct shape *s = ctx;
	static const char *const names[FACTS] = { "country = ", "device = ", "visits = ", "consent = ", "traits = { plan = ", "campaign = ",
		"hour = ", "viewed = ", "date = " };
	unsigned fact = s->facts[below(g, s->n_facts)], n = 0;
	if (s->segment && chance(g, 15)) {
		PUT(g, chance(g, 70) ? "all { segment = \"s\" }, " : "all { segment = is_not \"s\" }, ");
		return;
	}
	while (n < 9 && matchers[fact][n])
		n++;
	PUT(g, "all { %s%s%s }, ", names[fact], matchers[fact][below(g, n)], fact == PLAN ? " }" : "");
}

static void put_when(struct generator *g, const struct shape *s)
{
	put_groups(g, put_one, s, 3, s->exact ? 0 : 10);
}

static void put_rule(struct generator *g, const struct shape *s, unsigned i)
{
	static const char *const days[] = { "2026-05-15", "2026-06-10", "2026-06-30", "2026-08-01" };
	PUT(g, "rule \"r%u\" { slot = \"%s\", priority = %u, show = { n = %u }, ", i, chance(g, 70) ? "a" : "b", below(g, 3), i);
	if (chance(g, 90)) {
		PUT(g, "when = ");
		put_when(g, s);
		PUT(g, ", ");
	}
	if (chance(g, 40))
		PUT(g, "tags = { \"t\" }, ");
	if (s->dated && chance(g, 30))
		PUT(g, "starts = \"%s\", ", days[below(g, 3)]);
	else if (s->dated && chance(g, 30))
		PUT(g, "ends = \"%s\", ", PICK(g, days));
	if (!s->exact && chance(g, 15))
		PUT(g, "only_one_of = \"g\", ");
	if (!s->exact && chance(g, 15))
		PUT(g, "rollout = %u, ", PICK(g, ((const unsigned[]){ 0, 25, 50 })));
	PUT(g, "}\n");
}

static void put_guard(struct generator *g, const struct shape *s, unsigned i)
{
	static const char *const applies[] = { "applies = { tag = \"t\" }, ", "applies = { slot = \"a\" }, ",
		"applies = { uses = \"behaviour\" }, ",
		"" };
	PUT(g, "guard \"g%u\" { because = \"so\", %s", i, PICK(g, applies));
	PUT(g, "%s = ", chance(g, 60) ? "require" : "forbid");
	put_when(g, s);
	PUT(g, " }\n");
}

static const char *make_rules(struct generator *g, struct shape *s)
{
	unsigned worlds = 1;
	*s = (struct shape){ .exact = chance(g, 60), .segment = false, .dated = chance(g, 25) };
	for (unsigned tries = 0; tries < 6 && s->n_facts < 3; tries++) {
		unsigned fact = below(g, FACTS);
		bool taken = false;
		for (unsigned i = 0; i < s->n_facts; i++)
			taken |= s->facts[i] == fact;
		if (taken || worlds * n_values[fact] > 400)
			continue;
		worlds *= n_values[fact];
		s->facts[s->n_facts++] = fact;
		s->exact &= fact != DATE; /* a rule's days are the store's, the visitor's may be others */
		s->dated |= fact == DATE;
	}
	fw_buf_clear(&g->out);
	PUT(g, "slot \"a\" { channel = \"web\", show_up_to = %u%s }\nslot \"b\" { channel = \"web\" }\n", 1 + chance(g, 25),
		chance(g, 50) ? ", default = {}" : "");
	if (chance(g, 40)) {
		PUT(g, "segment \"s\" { when = ");
		put_when(g, s);
		PUT(g, " }\n");
		s->segment = true;
	}
	for (unsigned i = 0; i < 2; i++)
		if (chance(g, 30))
			put_guard(g, s, i);
	unsigned n = 2 + below(g, MOST_RULES - 1);
	for (unsigned i = 0; i < n; i++)
		put_rule(g, s, i);
	if (!s->exact && chance(g, 15))
		PUT(g, "cap \"c\" { applies = { tag = \"t\" }, limit = 1, per = \"1d\" }\n");
	return fw_buf_text(&g->out);
}

/* Visitors, by number: a value of each fact, then whether the trait is proven, the moment, the point. */
struct world {
	struct fw_facts facts;
	bool plain;    /* he can be written down */
};

static struct fw_value text_value(struct fw_arena *a, const char *text)
{
	struct fw_value v;
	assert_int_equal(fw_value_text(a, fw_str(text), &v), 0);
	return v;
}

static void put_plan(struct fw_facts *f, struct fw_arena *a, unsigned i, bool claimed)
{
	struct fw_value *items = FW_NEW_ARRAY(a, 4, struct fw_value), v = { .state = FW_ABSENT };
	const struct fw_value all[] = { text_value(a, "pro"), text_value(a, "basic"),
		{ .state = FW_KNOWN, .kind = FW_KIND_NUMBER, .number = 3 }, { .state = FW_KNOWN, .kind = FW_KIND_BOOL, .boolean = true } };
	assert_non_null(items);
	if (i >= 8) { /* lists of these */
		v = (struct fw_value){ .state = FW_KNOWN, .kind = FW_KIND_SET, .items = items };
		for (unsigned k = 0; k < 4; k++)
			if ((i - 8) >> k & 1)
				items[v.n_items++] = all[k];
	} else if (i == 7) {
		v = (struct fw_value){ .state = FW_KNOWN, .kind = FW_KIND_NUMBER, .number = 2 };
	} else if (i >= 5) {
		v = text_value(a, i == 5 ? "other" : "4");
	} else if (i) {
		v = all[i - 1];
	}
	f->traits = FW_NEW_ARRAY(a, 1, struct fw_member);
	assert_non_null(f->traits);
	f->traits[0] = (struct fw_member){ FW_STR("plan"), v };
	f->n_traits = i != 0;
	f->n_claimed = claimed && f->n_traits;
}

static void put_viewed(struct fw_facts *f, struct fw_arena *a, unsigned i)
{
	static const unsigned pairs[][2] = { { 0, 0 }, { 0, 1 }, { 1, 1 }, { 0, 2 }, { 1, 2 }, { 2, 2 }, { 0, 3 }, { 1, 3 }, { 2, 3 },
		{ 3, 3 } };
	struct fw_query q = { .fact = FW_FACT_VIEWED, .key_kind = FW_KEY_CATEGORY, .key = FW_STR("boots") };
	if (i == 0)
		return;
	f->answers = FW_NEW_ARRAY(a, 2, struct fw_answer);
	assert_non_null(f->answers);
	f->n_answers = i > 10 ? 1 : 2; /* or only what was viewed within a week is told */
	if (i <= 10)
		f->answers[1] = (struct fw_answer){ q, pairs[i - 1][1] };
	q.within_s = 7 * 86400;
	f->answers[0] = (struct fw_answer){ q, i > 10 ? i - 11 : pairs[i - 1][0] };
}

static bool put_hours(struct fw_facts *f, unsigned mask)
{
	double numbers[6];
	unsigned n = 0;
	for (unsigned i = 0; i < 6; i++)
		if (mask >> i & 1)
			numbers[n++] = hours[i];
	assert_int_equal(fw_facts_several(f, FW_FACT_HOUR, numbers, n), 0);
	return n < 2;
}

/* The day of the moment, or that of a place where it is the one before or after. */
static bool put_dates(struct fw_facts *f, unsigned i)
{
	static const int days[][2] = { { 0, 0 }, { -1, -1 }, { 1, 1 }, { -1, 0 }, { 0, 1 } };
	double day = (double)(f->now_us / INT64_C(86400000000));
	if (i == 0)
		return true;
	const double numbers[] = { day + days[i - 1][0], day + days[i - 1][1] };
	assert_int_equal(fw_facts_several(f, FW_FACT_DATE, numbers, 2), 0);
	return i < 4;
}

static bool put_out_of_reach(struct fw_facts *f, unsigned fact, unsigned i)
{
	bool profile = fact == VISITS || fact == CONSENT || fact == PLAN || fact == VIEWED;
	if (!profile || i + 1 < n_values[fact])
		return false;
	if (fact == VISITS || fact == CONSENT)
		f->single[fact == VISITS ? FW_FACT_VISITS : FW_FACT_CONSENT].state = FW_OUT_OF_REACH;
	f->traits_withheld |= fact == PLAN;
	f->behaviour_in_reach &= fact != VIEWED;
	return true;
}

static void put_fact_value(struct world *w, struct fw_arena *a, unsigned fact, unsigned i, bool claimed)
{
	struct fw_facts *f = &w->facts;
	struct fw_str set[2] = { FW_STR("email"), FW_STR("sms") };
	if (put_out_of_reach(f, fact, i)) {
		w->plain = false;
		return;
	}
	switch (fact) {
	case COUNTRY: if (i) f->single[FW_FACT_COUNTRY] = text_value(a, countries[i - 1]); break;
	case DEVICE: if (i) f->single[FW_FACT_DEVICE] = text_value(a, devices[i - 1]); break;
	case VISITS: if (i) fw_facts_number(f, FW_FACT_VISITS, i - 1); break;
	case CONSENT: if (i) fw_facts_set(f, FW_FACT_CONSENT, i == 3 ? set + 1 : set, i == 1 ? 0 : i == 4 ? 2 : 1); break;
	case PLAN: put_plan(f, a, i, claimed); break;
	case CAMPAIGN: if (i) f->single[FW_FACT_CAMPAIGN] = text_value(a, campaigns[i - 1]); break;
	case HOUR: w->plain &= put_hours(f, i); break;
	case DATE: w->plain &= put_dates(f, i); break;
	default: put_viewed(f, a, i); break;
	}
}

static bool make_world(const struct shape *s, unsigned number, struct fw_arena *a, struct world *w)
{
	unsigned values[4];
	for (unsigned i = 0; i < s->n_facts; i++) {
		values[i] = number % n_values[s->facts[i]];
		number /= n_values[s->facts[i]];
	}
	bool claimed = number % 2;
	unsigned moment = s->dated ? number / 2 % 5 : 0, rest = number / 2 / (s->dated ? 5 : 1);
	if (rest >= (s->exact ? 1 : 3))
		return false;
	fw_facts_init(&w->facts, a, true);
	w->plain = !claimed;
	w->facts.has_clock = true;
	w->facts.now_us = moments_us[moment];
	for (unsigned i = 0; i < s->n_facts; i++)
		put_fact_value(w, a, s->facts[i], values[i], claimed);
	w->facts.caps_in_reach = true;
	w->facts.has_point = true;
	w->facts.point = rest == 0 ? -1 : rest == 1 ? 30 : 80;
	return true;
}

/* What all visitors together show. */
struct seen {
	bool matched[MOST_RULES + 1], won[MOST_RULES + 1], tied[MOST_RULES + 1];
	bool empty[2];
	bool vetoes[2], opens[2];
	bool segment; /* somebody is in it */
};

static bool is_true(struct rules *r, const struct fw_facts *f, struct fw_arena *a, uint32_t node)
{
	struct fw_seen seen = { 0 };
	fw_eval_begin(&r->decider.eval, f, a);
	bool t = fw_eval_condition(&r->decider.eval, node, &seen) == FW_TRUE;
	fw_eval_end(&r->decider.eval);
	return t;
}

static void look_at(struct rules *r, const struct world *w, struct fw_arena *a, struct seen *seen)
{
	const struct fw_ruleset *set = r->set;
	static const uint32_t asked[3][2] = { { 0, 1 }, { 0, 0 }, { 1, 0 } };
	struct fw_explanation e;
	for (unsigned i = 0; i < 3; i++) {
		struct fw_decision d;
		assert_int_equal(fw_decide(&r->decider, &w->facts, asked[i], i ? 1 : 2, a, &d), 0);
		for (uint32_t k = 0; k < d.n_slots; k++) {
			for (uint32_t n = 0; n < d.slots[k].n; n++)
				seen->won[d.slots[k].winners[n].rule] = true;
			seen->empty[d.slots[k].slot] |= i && d.slots[k].n == 0 && w->plain;
		}
	}
	for (uint32_t i = 0; i < set->n_rules; i++)
		seen->matched[i] = seen->matched[i] || is_true(r, &w->facts, a, set->rules[i].when);
	seen->segment = seen->segment || (set->n_segments && is_true(r, &w->facts, a, set->segments[0].when));
	for (uint32_t slot = 0; slot < 2; slot++) {
		assert_int_equal(fw_explain(&r->decider, &w->facts, &slot, 1, a, &e), 0);
		for (uint32_t i = 0; i < e.slots[0].n; i++) {
			const struct fw_candidate *c = &e.slots[0].candidates[i];
			const struct fw_rule *b = &set->rules[c->rule];
			if (c->verdict.reason == FW_REASON_VETOED && !c->built_in)
				seen->vetoes[c->verdict.guard] = true;
			bool stands = c->verdict.reason == FW_REASON_WON || c->verdict.reason == FW_REASON_BEATEN;
			for (uint32_t k = 0; k < i && stands && w->plain; k++) {
				const struct fw_candidate *o = &e.slots[0].candidates[k];
				const struct fw_rule *x = &set->rules[o->rule];
				seen->tied[c->rule] |= o->verdict.reason == FW_REASON_WON && x->priority == b->priority &&
					x->specificity == b->specificity;
			}
		}
	}
}

struct judged {
	uint64_t seed;
	const char *text;
	struct rules r;
	struct shape shape;
	struct seen seen;
	unsigned worlds;
};

static void complain(const struct judged *j, const char *what, const char *id)
{
	fprintf(stderr, "seed %llu (%u visitors): %s \"%s\"\n%s\n", (unsigned long long)j->seed, j->worlds, what, id, j->text);
	fail();
}

static uint32_t rule_of(const struct judged *j, const struct fw_finding *f)
{
	return fw_ruleset_rule(j->r.set, fw_str(f->id));
}

/* The visitor shown, written down and decided for by himself. */
static void check_witness(struct judged *j, const struct fw_finding *f)
{
	struct rules *r = &j->r;
	char json[2000];
	snprintf(json, sizeof json, "%.*s", (int)f->witness.n, f->witness.p);
	if (f->witness.n == 0 || rules_visit(r, json) < 0)
		complain(j, "a witness is no visitor", f->id);
	uint32_t slot = f->code == FW_FINDING_TIE ? r->set->rules[rule_of(j, f)].slot : fw_ruleset_slot(r->set, fw_str(f->id));
	assert_int_equal(fw_decide(&r->decider, &r->facts, &slot, 1, &r->arena, &r->decision), 0);
	const struct fw_slot_answer *a = &r->decision.slots[0];
	if (f->code == FW_FINDING_EMPTY_SLOT && a->n)
		complain(j, "somebody is shown something", f->id);
	if (f->code != FW_FINDING_TIE)
		return;
	uint32_t other = fw_ruleset_rule(r->set, fw_str(f->with[0]));
	bool won = false;
	for (uint32_t i = 0; i < a->n; i++)
		won |= a->winners[i].rule == other;
	if (!won || !is_true(r, &r->facts, &r->arena, r->set->rules[rule_of(j, f)].when))
		complain(j, "the visitor shows no tie", f->id);
}

static bool is_rule(const char *line, const char *id)
{
	char head[64];
	int n = snprintf(head, sizeof head, "rule \"%s\" ", id);
	return strncmp(line, head, (size_t)n) == 0;
}

/* Whether the line says nothing of a rule, or of one that the proof names, but for `without`. */
static bool is_in_proof(const char *line, const struct fw_finding *f, const char *without)
{
	bool in = strncmp(line, "rule ", 5) != 0 || is_rule(line, f->id);
	for (uint32_t i = 0; i < f->n_with; i++)
		in |= f->with[i] != without && is_rule(line, f->with[i]);
	return in;
}

/* Whether the rule wins for anybody where there are no other rules than those of the proof, but for `without`. */
static bool wins_beside(const struct judged *j, const struct fw_finding *f, const char *without)
{
	struct fw_buf text;
	struct rules r;
	struct fw_arena a;
	struct world w;
	bool won = false;
	fw_buf_init(&text, 0);
	fw_arena_init(&a, NULL, 0, 0);
	for (const char *line = j->text, *next; *line; line = next) {
		next = strchr(line, '\n') + 1;
		if (is_in_proof(line, f, without))
			fw_buf_add(&text, line, (size_t)(next - line));
	}
	rules_open(&r, fw_buf_text(&text), NULL);
	uint32_t rule = fw_ruleset_rule(r.set, fw_str(f->id)), slots[] = { r.set->rules[rule].slot, 1 - r.set->rules[rule].slot };
	for (unsigned n = 0; n < MOST_WORLDS && !won && make_world(&j->shape, n, &a, &w); n++) {
		for (uint32_t asked = 1; asked <= 2; asked++) {
			struct fw_decision d;
			assert_int_equal(fw_decide(&r.decider, &w.facts, slots, asked, &a, &d), 0);
			for (uint32_t i = 0; i < d.slots[0].n; i++)
				won |= d.slots[0].winners[i].rule == rule;
		}
		fw_arena_reset(&a);
	}
	rules_finish(&r);
	fw_arena_finish(&a);
	fw_buf_finish(&text);
	return won;
}

static unsigned proofs, longer_proofs; /* of several rules */

/* The rules that are named are enough; and where nothing is missed, each of them is needed. */
static void check_proof(const struct judged *j, const struct fw_finding *f)
{
	proofs++;
	longer_proofs += f->n_with > 1;
	if (wins_beside(j, f, NULL))
		complain(j, "it wins where only those that are said to beat it are", f->id);
	for (uint32_t i = 0; i < f->n_with && j->shape.exact && j->worlds < MOST_WORLDS; i++)
		if (!wins_beside(j, f, f->with[i]))
			complain(j, "it is said to beat another, which never wins without it either", f->with[i]);
}

/* That what was said for certain is so. */
static void check_said(struct judged *j, const struct fw_finding *f)
{
	const struct seen *s = &j->seen;
	uint32_t rule = strcmp(f->kind, "rule") == 0 ? rule_of(j, f) : 0;
	switch (f->code) {
	case FW_FINDING_CONTRADICTION:
		if (strcmp(f->kind, "rule") == 0 ? s->matched[rule] : strcmp(f->kind, "segment") == 0 && s->segment)
			complain(j, "somebody matches", f->id);
		break;
	case FW_FINDING_OVER: case FW_FINDING_NEVER_WINS: case FW_FINDING_ALWAYS_VETOED: case FW_FINDING_NEVER_COMES:
		if (strcmp(f->kind, "rule") == 0 ? s->won[rule] : s->segment)
			complain(j, "it wins, and should not be said to be never shown", f->id);
		if (f->code == FW_FINDING_NEVER_WINS)
			check_proof(j, f);
		break;
	case FW_FINDING_TIE: case FW_FINDING_EMPTY_SLOT: check_witness(j, f); break;
	case FW_FINDING_GUARD_IDLE: case FW_FINDING_GUARD_CLOSED:
		for (uint32_t i = 0; i < j->r.set->n_guards; i++)
			if (strcmp(j->r.set->guards[i].id, f->id) == 0 && (f->code == FW_FINDING_GUARD_IDLE ? s->vetoes[i] : s->opens[i]))
				complain(j, f->code == FW_FINDING_GUARD_IDLE ? "it vetoes" : "it opens", f->id);
		break;
	default: break;
	}
}

static bool is_said(const struct fw_findings *f, const char *kind, const char *id, unsigned codes)
{
	for (uint32_t i = 0; i < f->n; i++)
		if (strcmp(f->items[i].kind, kind) == 0 && strcmp(f->items[i].id, id) == 0 && codes >> f->items[i].code & 1)
			return true;
	return false;
}

/* That nothing was missed. */
static void check_unsaid(struct judged *j, const struct fw_findings *f)
{
	enum { DEAD = 1 << FW_FINDING_CONTRADICTION | 1 << FW_FINDING_OVER | 1 << FW_FINDING_NEVER_WINS | 1 << FW_FINDING_ALWAYS_VETOED };
	const struct fw_ruleset *set = j->r.set;
	bool closed = false;
	for (uint32_t i = 0; i < f->n; i++)
		closed |= f->items[i].code == FW_FINDING_GUARD_CLOSED;
	for (uint32_t i = 0; i < set->n_rules; i++) {
		const char *id = set->rules[i].id;
		bool dead = is_said(f, "rule", id, DEAD);
		if (!j->seen.won[i] && !dead && !closed)
			complain(j, "it never wins, and nothing is said", id);
		if (j->seen.tied[i] && !dead && !is_said(f, "rule", id, 1 << FW_FINDING_TIE))
			complain(j, "it ties, and nothing is said", id);
	}
	if (set->n_segments && !j->seen.segment && !is_said(f, "segment", "s", 1 << FW_FINDING_CONTRADICTION))
		complain(j, "nobody is in it, and nothing is said", "s");
	for (uint32_t i = 0; i < 2; i++)
		if (j->seen.empty[i] && !set->slots[i].fallback.given && set->slots[i].n_rules && !is_said(f, "slot", set->slots[i].id,
			1 << FW_FINDING_EMPTY_SLOT))
			complain(j, "it is empty for somebody, and nothing is said", set->slots[i].id);
}

static uint32_t said[FW_FINDINGS], empty_segments, undetermined;

static void judge(struct judged *j)
{
	struct fw_arena a, arena;
	struct fw_findings f;
	struct world w;
	fw_arena_init(&a, NULL, 0, 0);
	fw_arena_init(&arena, NULL, 0, 0);
	for (j->worlds = 0; j->worlds < MOST_WORLDS && make_world(&j->shape, j->worlds, &a, &w); j->worlds++) {
		look_at(&j->r, &w, &a, &j->seen);
		for (uint32_t i = 0; i < j->r.set->n_guards; i++) {
			const struct fw_guard *g = &j->r.set->guards[i];
			struct fw_seen seen = { 0 };
			fw_eval_begin(&j->r.decider.eval, &w.facts, &a);
			assert_int_equal(fw_eval_distrust(&j->r.decider.eval), 0);
			j->seen.opens[i] |= (g->require == FW_NONE || fw_eval_condition(&j->r.decider.eval, g->require,
				&seen) == FW_TRUE) &&
				(g->forbid == FW_NONE || fw_eval_condition(&j->r.decider.eval, g->forbid, &seen) == FW_FALSE);
			fw_eval_trust(&j->r.decider.eval);
			fw_eval_end(&j->r.decider.eval);
		}
		fw_arena_reset(&a);
	}
	assert_int_equal(fw_check(&j->r.decider, j->r.zones, moments_us[0], &arena, &f), 0);
	for (uint32_t i = 0; i < f.n; i++) {
		if (f.items[i].verdict == FW_CERTAIN || f.items[i].witness.n) {
			check_said(j, &f.items[i]);
			said[f.items[i].code]++;
			empty_segments += f.items[i].code == FW_FINDING_CONTRADICTION && strcmp(f.items[i].kind, "segment") == 0;
		}
		undetermined += f.items[i].verdict == FW_NOT_DETERMINED;
	}
	if (j->shape.exact && j->worlds < MOST_WORLDS && f.not_determined == 0)
		check_unsaid(j, &f);
	fw_arena_finish(&a);
	fw_arena_finish(&arena);
}

static void try_seed(uint64_t seed)
{
	struct generator g = { .state = seed * 7919 };
	struct judged j = { .seed = seed };
	fw_buf_init(&g.out, 0);
	j.text = make_rules(&g, &j.shape);
	rules_open(&j.r, j.text, NULL);
	judge(&j);
	rules_finish(&j.r);
	fw_buf_finish(&g.out);
}

static void test_oracle(void **state)
{
	(void)state;
	struct fw_civil c;
	for (size_t i = 0; i < 5; i++) {
		assert_true(fw_civil_parse(fw_str(moments[i]), &c));
		moments_us[i] = (c.days * 86400 + c.second) * 1000000;
	}
	const char *one = getenv("FW_SEED"), *sets = getenv("FW_SETS"), *from = getenv("FW_FROM");
	unsigned long n = sets ? strtoul(sets, NULL, 10) : getenv("FW_LONG") ? 20000 : 700, first = from ? strtoul(from, NULL, 10) : 0;
	if (one) {
		try_seed(strtoul(one, NULL, 10));
		return;
	}
	for (uint64_t seed = first; seed < first + n; seed++)
		try_seed(seed);
	printf("%lu sets:", n);
	for (int i = 0; i < FW_FINDINGS; i++)
		if (said[i])
			printf(" %s %u", fw_finding_name((enum fw_finding_code)i), said[i]);
	printf(", not determined %u; proofs %u, %u of several rules; segments without anybody %u\n", undetermined, proofs, longer_proofs,
		empty_segments);
	assert_true(n < 700 || (said[FW_FINDING_NEVER_WINS] && said[FW_FINDING_TIE] && said[FW_FINDING_CONTRADICTION] &&
		said[FW_FINDING_ALWAYS_VETOED] && said[FW_FINDING_GUARD_IDLE] && said[FW_FINDING_EMPTY_SLOT] &&
		said[FW_FINDING_NEVER_COMES] && longer_proofs && empty_segments));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_oracle) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
