/* What the checker says for certain, over rule sets that visit every corner of the language: no random visitor may show otherwise.
 * FW_LONG=1 tries many more sets, FW_FROM=n begins at another one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>

#include "base/clock.h"
#include "check/check.h"
#include "lib_generate.h"
#include "lib_rules.h"

enum { MOST_RULES = 60, VISITORS = 150 };

struct seen {
	bool matched[MOST_RULES], won[MOST_RULES];
};

/* Counts that no history has: a part greater than the whole. */
static bool is_made_up(const struct rules *r)
{
	const struct fw_ruleset *s = r->set;
	for (uint32_t i = 0; i < s->n_refs; i++)
		for (uint32_t k = 0; k < s->n_refs; k++) {
			const struct fw_ref *a = &s->refs[i], *b = &s->refs[k];
			if (i == k || a->fact < FW_FACT_VIEWED || a->fact != b->fact || a->query.key_kind != b->query.key_kind
				|| !fw_str_equal(a->query.key, b->query.key))
				continue;
			struct fw_value x = fw_facts_ask(&r->facts, &a->query), y = fw_facts_ask(&r->facts, &b->query);
			bool part = !b->query.within_s || (a->query.within_s && a->query.within_s < b->query.within_s);
			if (part && y.state == FW_KNOWN && (x.state != FW_KNOWN || x.number > y.number))
				return true;
		}
	return false;
}

/* Whole numbers from 0, where nothing else is counted. */
static void make_real(struct rules *r)
{
	static const enum fw_fact counted[] = { FW_FACT_VISITS, FW_FACT_ORDERS, FW_FACT_PAGES_THIS_VISIT, FW_FACT_DAYS_SINCE_ORDER };
	r->facts.segments_given = false;
	for (size_t i = 0; i < sizeof counted / sizeof *counted; i++) {
		struct fw_value *v = &r->facts.single[counted[i]];
		if (v->state == FW_KNOWN)
			v->number = v->number < 0 ? 0 : floor(v->number);
	}
	if (is_made_up(r))
		r->facts.n_answers = 0;
}

static void visit(struct rules *r, struct generator *g, struct seen *seen)
{
	assert_int_equal(rules_visit(r, generate_visitor(g)), 0);
	make_real(r);
	assert_int_equal(rules_run(r), 0);
	for (uint32_t i = 0; i < r->decision.n_slots; i++)
		for (uint32_t k = 0; k < r->decision.slots[i].n; k++)
			seen->won[r->decision.slots[i].winners[k].rule] = true;
	fw_eval_begin(&r->decider.eval, &r->facts, &r->arena);
	for (uint32_t i = 0; i < r->set->n_rules; i++) {
		struct fw_seen read = { 0 };
		if (!seen->matched[i])
			seen->matched[i] = fw_eval_condition(&r->decider.eval, r->set->rules[i].when, &read) == FW_TRUE;
	}
	fw_eval_end(&r->decider.eval);
}

static void complain(uint64_t seed, const struct fw_finding *f)
{
	fprintf(stderr, "set %llu: wrong: %s\n", (unsigned long long)seed, f->message);
	fail();
}

static uint32_t n_certain, n_witnesses;

static void judge(struct rules *r, uint64_t seed, const struct seen *seen, const struct fw_findings *found)
{
	for (uint32_t i = 0; i < found->n; i++) {
		const struct fw_finding *f = &found->items[i];
		n_witnesses += f->witness.n > 0;
		if (f->verdict != FW_CERTAIN || strcmp(f->kind, "rule") != 0)
			continue;
		uint32_t rule = fw_ruleset_rule(r->set, fw_str(f->id));
		bool dead = f->code == FW_FINDING_NEVER_WINS || f->code == FW_FINDING_ALWAYS_VETOED || f->code == FW_FINDING_OVER;
		n_certain += dead || f->code == FW_FINDING_CONTRADICTION;
		if ((f->code == FW_FINDING_CONTRADICTION && seen->matched[rule]) || (dead && seen->won[rule]))
			complain(seed, f);
	}
}

static void try_set(uint64_t seed)
{
	struct generator g = { .state = seed, .values = 12, .traits = 3, .functions = seed % 3 == 0 };
	struct rules r;
	struct seen seen = { 0 };
	struct fw_arena arena;
	struct fw_findings found;
	struct fw_civil c;
	fw_buf_init(&g.out, 0);
	fw_arena_init(&arena, NULL, 0, 0);
	rules_open(&r, generate_rules(&g, 3, 10 + below(&g, MOST_RULES - 10)), NULL);
	for (unsigned i = 0; i < VISITORS; i++)
		visit(&r, &g, &seen);
	assert_true(fw_civil_parse(FW_STR("2026-10-01T00:00Z"), &c)); /* before all dates that are asked for */
	assert_int_equal(fw_check(&r.decider, r.zones, c.days * 86400 * INT64_C(1000000), &arena, &found), 0);
	judge(&r, seed, &seen, &found);
	fw_arena_finish(&arena);
	rules_finish(&r);
	fw_buf_finish(&g.out);
}

static void test_random(void **state)
{
	(void)state;
	const char *from = getenv("FW_FROM"), *sets = getenv("FW_SETS");
	unsigned long first = from ? strtoul(from, NULL, 10) : 0;
	unsigned long n = sets ? strtoul(sets, NULL, 10) : getenv("FW_LONG") ? 1500 : 60;
	for (uint64_t seed = first; seed < first + n; seed++)
		try_set(seed);
	printf("%lu sets: rules that are said to be nobody's %u, visitors shown %u\n", n, n_certain, n_witnesses);
	assert_true(sets || (n_certain > 50 && n_witnesses > 50));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_random) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
