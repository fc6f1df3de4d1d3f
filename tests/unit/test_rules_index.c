/* The index and the plain evaluation agree: on every slot, for every visitor, the same rules in the same order; and a rule
 * that the index gives out unverified is true. Built twice: as it is, and with limits so low that every fallback is taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib_generate.h"
#include "lib_rules.h"

static unsigned times(unsigned n)
{
	return getenv("FW_LONG") ? n * 10 : n;
}

static const char *line_of(const char *text, const char *id, char *buf, size_t size)
{
	char begin[64];
	snprintf(begin, sizeof begin, "rule \"%s\" ", id);
	const char *p = strstr(text, begin);
	snprintf(buf, size, "%.*s", p ? (int)strcspn(p, "\n") : 0, p ? p : "");
	return buf;
}

static void differ(uint64_t seed, struct rules *r, const char *text, const char *visitor, uint32_t rule, const char *what)
{
	static char line[20000];
	fail_msg("seed %llu: %s\n  %s\n  %s", (unsigned long long)seed, what, line_of(text, r->set->rules[rule].id, line, sizeof line),
		visitor);
}

static enum fw_truth truth_of(struct rules *r, uint32_t rule)
{
	struct fw_seen seen = { 0 };
	return fw_eval_condition(&r->decider.eval, r->set->rules[rule].when, &seen);
}

/* Walks both ways through one slot. */
static void compare_slot(uint64_t seed, struct rules *r, const char *text, const char *visitor, uint32_t number)
{
	const struct fw_slot *slot = &r->set->slots[number];
	struct fw_cursor c;
	bool verify;
	uint32_t next = 0;
	fw_cursor_init(&c, r->set->index, number);
	for (;;) {
		uint32_t found = fw_cursor_next(&c, r->set->index, &r->decider.probe, &verify);
		if (found != FW_NONE && !verify && truth_of(r, found) != FW_TRUE)
			differ(seed, r, text, visitor, found, "given out as true");
		if (found != FW_NONE && verify && truth_of(r, found) != FW_TRUE)
			continue;
		while (next < slot->n_ranked && truth_of(r, r->set->ranked[slot->first_ranked + next]) != FW_TRUE)
			next++;
		uint32_t expected = next < slot->n_ranked ? r->set->ranked[slot->first_ranked + next++] : FW_NONE;
		if (found == expected && found == FW_NONE)
			return;
		if (found != expected)
			differ(seed, r, text, visitor, expected != FW_NONE ? expected : found, expected != FW_NONE ? "true, and passed over"
				: "came up twice");
	}
}

/* What would come from a profile that cannot be asked. */
static void lose_profile(struct fw_facts *f)
{
	f->profile_in_reach = false;
	for (int i = 0; i < FW_FACT_SINGLE; i++)
		if (f->single[i].state == FW_ABSENT && fw_fact_from_profile((enum fw_fact)i))
			f->single[i].state = FW_OUT_OF_REACH;
}

static void compare(struct generator *g, uint64_t seed, unsigned n_segments, unsigned n_rules, unsigned n_visitors)
{
	struct rules r;
	g->state = seed;
	const char *generated = generate_rules(g, n_segments, n_rules);
	char *text = strdup(generated);
	rules_open(&r, text, NULL);
	for (unsigned i = 0; i < n_visitors; i++) {
		char *visitor = strdup(generate_visitor(g));
		if (rules_visit(&r, visitor) < 0)
			fail_msg("no visitor: %s", visitor);
		if (chance(g, 10))
			lose_profile(&r.facts);
		fw_eval_begin(&r.decider.eval, &r.facts, &r.arena);
		fw_probe_set(&r.decider.probe, r.set->index, &r.facts);
		for (uint32_t s = 0; s < r.set->n_slots; s++)
			compare_slot(seed, &r, text, visitor, s);
		fw_eval_end(&r.decider.eval);
		fw_sandbox_collect(r.set->sandbox);
		free(visitor);
	}
	rules_finish(&r);
	free(text);
}

static void test_small_sets(void **state)
{
	(void)state;
	struct generator g = { .values = 1, .traits = 6, .functions = true };
	fw_buf_init(&g.out, 0);
	for (uint64_t seed = 1; seed <= times(120); seed++)
		compare(&g, seed, (unsigned)seed % 5, 1 + (unsigned)seed * 7 % 90, 20);
	fw_buf_finish(&g.out);
}

/* More facts than there are columns. */
static void test_many_facts(void **state)
{
	(void)state;
	struct generator g = { .values = 1, .traits = 120 };
	fw_buf_init(&g.out, 0);
	for (uint64_t seed = 1000; seed < 1000 + times(6); seed++)
		compare(&g, seed, 3, 400, 30);
	fw_buf_finish(&g.out);
}

/* Values that few rules name keep lists. */
static void test_rare_values(void **state)
{
	(void)state;
	struct generator g = { .values = 4000, .traits = 4 };
	fw_buf_init(&g.out, 0);
	for (uint64_t seed = 2000; seed < 2000 + times(4); seed++)
		compare(&g, seed, 2, 3000, 40);
	fw_buf_finish(&g.out);
}

/* A trait that is a long list meets more lists of rows than a probe holds. */
static void test_more_lists_than_fit(void **state)
{
	(void)state;
	struct fw_buf text, visitor;
	struct rules r;
	fw_buf_init(&text, 0);
	fw_buf_init(&visitor, 0);
	fw_buf_puts(&text, "slot \"s\" { channel = \"web\" }\n");
	fw_buf_puts(&visitor, "{\"traits\":{\"t\":[");
	for (int i = 0; i < 1200; i++) {
		fw_buf_printf(&text, "rule \"r%d\" { slot = \"s\", show = {}, when = { traits = { t = \"v%d\", u = %d } } }\n", i, i,
			i % 3);
		fw_buf_printf(&visitor, "%s\"v%d\"", i ? "," : "", i);
	}
	fw_buf_puts(&visitor, "],\"u\":2}}");
	rules_open(&r, fw_buf_text(&text), NULL);
	assert_int_equal(rules_visit(&r, fw_buf_text(&visitor)), 0);
	fw_eval_begin(&r.decider.eval, &r.facts, &r.arena);
	fw_probe_set(&r.decider.probe, r.set->index, &r.facts);
	compare_slot(0, &r, fw_buf_text(&text), fw_buf_text(&visitor), 0);
	fw_eval_end(&r.decider.eval);
	rules_finish(&r);
	fw_buf_finish(&text);
	fw_buf_finish(&visitor);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small_sets),
		cmocka_unit_test(test_many_facts),
		cmocka_unit_test(test_rare_values),
		cmocka_unit_test(test_more_lists_than_fit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
