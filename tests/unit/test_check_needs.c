/* The smallest change that would make a rule win, against brute force: random rule sets over facts of few values, every visitor that there
 * can be, and of each rule that does not win for one the fewest facts that differ from his in a visitor for whom it does; of slots and of
 * messages. Then some by hand, for their words. FW_LONG=1 tries many more sets, FW_SEED=n one set alone.
 * Messages were seen failing where a rule that is off is not asked whether its channel is consented to, and where the consent that it
 * takes lets no stronger one go (give_leave). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "check/needs.h"
#include "decide/due.h"
#include "lib_generate.h"
#include "lib_rules.h"

enum { COUNTRY, DEVICE, VISITS, VIEWED, CONSENT, FACTS, MOST_RULES = 7, ASKED = 60 };

static const unsigned n_values[FACTS] = { 4, 4, 5, 5, 4 };
enum { WORLDS = 4 * 4 * 5 * 5 * 4, NEVER = 99 };

static const char *const matchers[FACTS][8] = {
	[COUNTRY] = { "\"CA\"", "{ \"CA\", \"NO\" }", "is_not \"CA\"", "known()", "unknown()", "\"NO\"", "is_not { \"NO\", \"CA\" }" },
	[DEVICE] = { "\"mobile\"", "is_not \"mobile\"", "{ \"mobile\", \"desktop\" }", "\"desktop\"", "known()" },
	[VISITS] = { "at_least(2)", "at_most(1)", "between(1, 2)", "3", "is_not(2)", "more_than(2)" },
	[CONSENT] = { "\"email\"", "{ \"email\", \"sms\" }", "all_of { \"email\", \"sms\" }", "is_not \"email\"", "\"sms\"" },
	[VIEWED] = { "{ category = \"boots\", at_least = 1 }", "{ category = \"boots\", at_least = 3 }",
	"{ category = \"boots\", at_most = 1 }",
		"{ category = \"boots\", at_least = 2 }" },
};

static void put_one(struct generator *g)
{
	static const char *const names[FACTS] = { "country", "device", "visits", "viewed", "consent" };
	unsigned fact = below(g, FACTS), n = 0;
	while (n < 8 && matchers[fact][n])
		n++;
	PUT(g, "all { %s = %s }, ", names[fact], matchers[fact][below(g, n)]);
}

static void put_when(struct generator *g)
{
	static const char *const groups[] = { "any", "none", "all" };
	PUT(g, "all { ");
	for (unsigned n = 1 + below(g, 2); n; n--) {
		PUT(g, "%s { ", PICK(g, groups));
		for (unsigned k = 1 + below(g, 3); k; k--)
			put_one(g);
		PUT(g, "}, ");
	}
	PUT(g, "}");
}

static void put_place(struct generator *g, bool messages, unsigned i)
{
	static const char *const classes[] = { "marketing", "marketing", "service", "transactional" };
	if (messages)
		PUT(g, "rule \"r%u\" { channel = \"email\", on = \"Ping\", class = \"%s\", send = { n = %u }, ", i, PICK(g, classes), i);
	else
		PUT(g, "rule \"r%u\" { slot = \"%s\", show = { n = %u }, ", i, chance(g, 70) ? "a" : "b", i);
}

static const char *make_rules(struct generator *g, bool messages)
{
	fw_buf_clear(&g->out);
	if (!messages)
		PUT(g, "slot \"a\" { channel = \"web\", show_up_to = %u }\nslot \"b\" { channel = \"web\" }\n", 1 + chance(g, 25));
	for (unsigned i = 0; i < 2; i++)
		if (chance(g, 40)) {
			PUT(g, "guard \"g%u\" { because = \"so\", applies = { tag = \"t\" }, %s = ", i, chance(g,
				60) ? "require" : "forbid");
			put_when(g);
			PUT(g, " }\n");
		}
	if (chance(g, 25))
		PUT(g, "cap \"c\" { applies = { tag = \"c\" }, limit = 1, per = \"1d\" }\n");
	else
		PUT(g, "cap \"c\" { applies = { tag = \"no\" }, limit = 1, per = \"1d\" }\n");
	for (unsigned i = 0, n = 2 + below(g, MOST_RULES - 1); i < n; i++) {
		put_place(g, messages, i);
		PUT(g, "priority = %u, ", below(g, 3));
		PUT(g, "tags = { \"%s\", \"%s\" }, ", chance(g, 40) ? "t" : "x", chance(g, 30) ? "c" : "y");
		if (chance(g, 15))
			PUT(g, "enabled = false, ");
		if (chance(g, 15))
			PUT(g, "ends = \"2026-05-01\", ");
		if (chance(g, 15))
			PUT(g, "rollout = %u, ", 10 * below(g, 10));
		if (chance(g, 20))
			PUT(g, "only_one_of = \"group\", ");
		if (chance(g, 90)) {
			PUT(g, "when = ");
			put_when(g);
		}
		PUT(g, " }\n");
	}
	return fw_buf_text(&g->out);
}

static struct fw_value text_value(struct fw_arena *a, const char *text)
{
	struct fw_value v;
	assert_int_equal(fw_value_text(a, fw_str(text), &v), 0);
	return v;
}

static void split(unsigned number, unsigned values[FACTS])
{
	for (unsigned i = 0; i < FACTS; i++) {
		values[i] = number % n_values[i];
		number /= n_values[i];
	}
}

static void make_world(unsigned number, struct fw_arena *a, struct fw_facts *f)
{
	static const char *const countries[] = { "CA", "NO", "US" }, *const devices[] = { "mobile", "desktop", "tablet" };
	struct fw_str set[2] = { FW_STR("email"), FW_STR("sms") };
	unsigned v[FACTS];
	split(number, v);
	fw_facts_init(f, a, true);
	if (v[COUNTRY])
		f->single[FW_FACT_COUNTRY] = text_value(a, countries[v[COUNTRY] - 1]);
	if (v[DEVICE])
		f->single[FW_FACT_DEVICE] = text_value(a, devices[v[DEVICE] - 1]);
	fw_facts_number(f, FW_FACT_VISITS, v[VISITS]);
	fw_facts_set(f, FW_FACT_CONSENT, v[CONSENT] == 2 ? set + 1 : set, v[CONSENT] == 0 ? 0 : v[CONSENT] == 3 ? 2 : 1);
	f->answers = FW_NEW_ARRAY(a, 1, struct fw_answer);
	assert_non_null(f->answers);
	f->answers[f->n_answers++] = (struct fw_answer){ { .fact = FW_FACT_VIEWED, .key_kind = FW_KEY_CATEGORY, .key = FW_STR("boots") },
		v[VIEWED] };
	f->has_clock = f->caps_in_reach = f->has_point = true;
	f->now_us = INT64_C(1780000000) * 1000000;
	f->point = 35;
}

/* What a rule lacks besides, once it is as if it were on and drawn: 0, 1 (priority or a place), NEVER. */
static unsigned char lacks[MOST_RULES + 1][WORLDS];

/* Of slots, or of messages. */
static void explain(struct rules *r, const struct fw_facts *f, const uint32_t *slots, struct fw_arena *a, struct fw_explanation *e)
{
	assert_int_equal(fw_explain(&r->decider, f, slots, r->set->n_slots, a, e), 0);
	if (r->set->n_message_rules)
		assert_int_equal(fw_explain_channel(&r->decider, f, "email", FW_REASON_WON, a, e), 0);
}

static void look_at_all(struct rules *r, const uint32_t *slots)
{
	struct fw_arena a;
	fw_arena_init(&a, NULL, 0, 0);
	for (uint32_t rule = 0; rule < r->set->n_rules; rule++)
		for (unsigned w = 0; w < WORLDS; w++) {
			struct fw_facts f;
			struct fw_explanation e;
			const char *by;
			fw_arena_reset(&a);
			make_world(w, &a, &f);
			r->decider.as_if = rule;
			explain(r, &f, slots, &a, &e);
			lacks[rule][w] = NEVER;
			if (r->set->rules[rule].message && fw_due_refusal(&r->decider, &r->set->rules[rule], &f, &by) != FW_REASON_WON)
				continue; /* as if it were on, it would go nonetheless */
			for (uint32_t s = 0; s < e.n_slots; s++)
				for (uint32_t i = 0; i < e.slots[s].n; i++) {
					enum fw_reason reason = e.slots[s].candidates[i].verdict.reason;
					if (e.slots[s].candidates[i].rule == rule)
						lacks[rule][w] = reason == FW_REASON_WON ? 0 : reason == FW_REASON_BEATEN ||
							reason == FW_REASON_EXCLUDED ||
							reason == FW_REASON_CAPPED ? 1 : NEVER;
				}
		}
	r->decider.as_if = FW_NONE;
	fw_arena_finish(&a);
}

/* Each consent counts for itself: 1 is e-mail, 2 is SMS. */
static unsigned differ(unsigned fact, unsigned a, unsigned b)
{
	return fact == CONSENT ? (unsigned)__builtin_popcount(a ^ b) : a != b;
}

static unsigned fewest(const struct rules *r, uint32_t rule, unsigned from, const struct fw_facts *f)
{
	const struct fw_rule *x = &r->set->rules[rule];
	unsigned forced = (unsigned)!x->enabled + (x->ends_us < f->now_us) + !fw_rollout_has(x, f), best = NEVER, a[FACTS], b[FACTS];
	split(from, a);
	for (unsigned w = 0; w < WORLDS; w++) {
		unsigned n = forced + lacks[rule][w];
		split(w, b);
		for (unsigned i = 0; i < FACTS; i++)
			n += differ(i, a[i], b[i]);
		best = n < best ? n : best;
	}
	return best;
}

static void check_one(const struct rules *r, const struct fw_candidate *c, unsigned world, const struct fw_facts *f, const char *text,
	unsigned *undetermined)
{
	unsigned wanted = fewest(r, c->rule, world, f);
	assert_non_null(c->needs);
	if (!c->needs->determined) {
		++*undetermined;
		return;
	}
	unsigned found = c->needs->never ? NEVER : c->needs->n;
	*undetermined += !c->needs->smallest;
	if (c->needs->smallest ? found == wanted : found >= wanted) /* what is not known to be the smallest may be it */
		return;
	fprintf(stderr, "%s\nvisitor %u, rule %s: %u things, found", text, world, r->set->rules[c->rule].id, wanted);
	for (uint32_t i = 0; i < c->needs->n; i++)
		fprintf(stderr, "%s %s", i ? ";" : "", c->needs->items[i].text);
	fprintf(stderr, "%s\n", c->needs->never ? " never" : "");
	fail();
}

static void check_set(uint64_t seed, bool messages, unsigned *checked, unsigned *undetermined)
{
	struct generator g = { .state = seed };
	static const uint32_t slots[] = { 0, 1 };
	struct rules r;
	fw_buf_init(&g.out, 0);
	const char *text = make_rules(&g, messages);
	rules_open(&r, text, NULL);
	look_at_all(&r, slots);
	for (unsigned i = 0; i < ASKED; i++) {
		unsigned world = below(&g, WORLDS);
		struct fw_explanation e;
		fw_arena_reset(&r.arena);
		make_world(world, &r.arena, &r.facts);
		explain(&r, &r.facts, slots, &r.arena, &e);
		assert_int_equal(fw_needs_find(&r.decider, &r.facts, slots, r.set->n_slots, &r.arena, &e), 0);
		for (uint32_t s = 0; s < e.n_slots; s++)
			for (uint32_t k = 0; k < e.slots[s].n; k++) {
				if (e.slots[s].candidates[k].verdict.reason == FW_REASON_WON) {
					assert_null(e.slots[s].candidates[k].needs);
					continue;
				}
				check_one(&r, &e.slots[s].candidates[k], world, &r.facts, text, undetermined);
				++*checked;
			}
	}
	rules_finish(&r);
	fw_buf_finish(&g.out);
}

static void check_sets(unsigned sets, bool messages)
{
	const char *one = getenv("FW_SEED");
	unsigned checked = 0, undetermined = 0;
	sets = one ? 1 : sets;
	for (unsigned i = 0; i < sets; i++)
		check_set(one ? strtoull(one, NULL, 10) : i + 1, messages, &checked, &undetermined);
	print_message("%u rules of %u sets, %u not determined\n", checked, sets, undetermined);
	assert_true(one || (checked > sets * 50 && undetermined * 100 <= checked));
}

static void test_oracle(void **state)
{
	(void)state;
	check_sets(getenv("FW_LONG") ? 2000 : 40, false);
}

static void test_oracle_of_messages(void **state)
{
	(void)state;
	check_sets(getenv("FW_LONG") ? 1000 : 30, true);
}

static unsigned n_claimed; /* of the visitor's traits, the last ones */

/* What each rule of a set needs for a visitor, a line each. */
static void expect(const char *text, const char *law, const char *visitor, const char *channel, const char *wanted)
{
	struct rules r;
	struct fw_explanation e;
	struct fw_buf said;
	uint32_t slots[8];
	rules_open(&r, text, law);
	assert_int_equal(rules_visit(&r, visitor), 0);
	r.facts.n_claimed = n_claimed;
	for (uint32_t i = 0; i < r.set->n_slots; i++)
		slots[i] = i;
	uint32_t n = channel ? 0 : r.set->n_slots;
	assert_int_equal(fw_explain(&r.decider, &r.facts, slots, n, &r.arena, &e), 0);
	if (channel)
		assert_int_equal(fw_explain_channel(&r.decider, &r.facts, channel, FW_REASON_WON, &r.arena, &e), 0);
	assert_int_equal(fw_needs_find(&r.decider, &r.facts, slots, n, &r.arena, &e), 0);
	fw_buf_init(&said, 0);
	for (uint32_t s = 0; s < e.n_slots; s++)
		for (uint32_t i = 0; i < e.slots[s].n; i++) {
			const struct fw_candidate *c = &e.slots[s].candidates[i];
			fw_buf_printf(&said, "%s:", r.set->rules[c->rule].id);
			for (uint32_t k = 0; c->needs && k < c->needs->n; k++)
				fw_buf_printf(&said, "%s %s", k ? ";" : "", c->needs->items[k].text);
			fw_buf_puts(&said, c->needs && c->needs->n && !c->needs->smallest ? " perhaps less" : "");
			fw_buf_puts(&said, !c->needs ? " won" : c->needs->never ? " never" : c->needs->determined ? "" : " not determined");
			fw_buf_putc(&said, '\n');
		}
	assert_string_equal(fw_buf_text(&said), wanted);
	fw_buf_finish(&said);
	rules_finish(&r);
}

#define SLOT "slot \"s\" { channel = \"web\", default = {} }\n"
#define RULE(id, fields) "rule \"" id "\" { slot = \"s\", show = { r = \"" id "\" }, " fields " }\n"

static void test_facts(void **state)
{
	(void)state;
	expect(SLOT RULE("a", "when = { viewed = { category = \"boots\", within = \"7d\", at_least = 3 } }"), NULL,
		"{\"viewed\":{\"category\":\"boots\",\"within\":\"7d\",\"total\":2}}", NULL, "a: 1 more view of \"boots\" within 7d\n");
	expect(SLOT RULE("a", "when = { country = \"CA\", visits = at_least(2) }"), NULL, "{\"country\":\"DE\",\"visits\":1}", NULL,
		"a: country \"CA\"; visits 2 or more\n");
	expect(SLOT RULE("a", "when = { country = { \"CA\", \"NO\" } }"), NULL, "{\"country\":\"DE\"}", NULL,
		"a: country \"CA\" or \"NO\"\n");
	expect(SLOT RULE("a", "when = { country = is_not \"DE\" }"), NULL, "{\"country\":\"DE\"}", NULL, "a: country other than \"DE\"\n");
	expect(SLOT RULE("a", "when = { country = unknown() }"), NULL, "{\"country\":\"DE\"}", NULL, "a: country not known\n");
	expect(SLOT RULE("a", "when = { cart = { total = more_than(150) } }"), NULL, "{\"cart\":{\"total\":20}}", NULL,
		"a: cart.total more than 150\n");
	expect(SLOT RULE("a", "when = { consent = \"personalization\" }"), NULL, "{\"consent\":[\"email\"]}", NULL,
		"a: consent for personalization\n");
	expect(SLOT RULE("a", "when = { weekday = \"sat\" }"), NULL, "{\"weekday\":\"mon\"}", NULL, "a: weekday \"sat\"\n");
	/* One fact, asked twice; and the shorter of two ways. */
	expect(SLOT RULE("a", "when = all { { visits = at_least(2) }, { visits = at_most(4) } }"), NULL, "{\"visits\":9}", NULL,
		"a: visits from 2 to 4\n");
	expect(SLOT RULE("a", "when = any { { country = \"CA\", device = \"mobile\" }, { visits = at_least(5) } }"), NULL,
		"{\"country\":\"DE\",\"device\":\"desktop\",\"visits\":1}", NULL, "a: visits 5 or more\n");
	expect("segment \"fans\" { when = { orders = at_least(3) } }\n" SLOT RULE("a", "when = { segment = \"fans\" }"), NULL,
		"{\"orders\":1}",
		NULL, "a: orders 3 or more\n");
}

static void test_rules(void **state)
{
	(void)state;
	expect(SLOT RULE("a", "priority = 40") RULE("b", "priority = 10"), NULL, "{}", NULL,
		"a: won\nb: `priority` 41 or more: \"a\" has 40\n");
	expect(SLOT RULE("a", "priority = 40") RULE("b", "priority = 10, when = { device = \"mobile\" }"), NULL, "{\"device\":\"tablet\"}",
		NULL, "a: won\nb: device \"mobile\"; `priority` 40 or more: \"a\" has 40\n");
	expect(SLOT RULE("a", "enabled = false, ends = \"2026-01-01\""), NULL, "{\"at\":\"2026-06-01T12:00Z\"}", NULL,
		"a: `enabled` true; `ends` later than now: it was 2026-01-01T23:00:00.000Z\n");
	expect(SLOT RULE("a", "rollout = 10"), NULL, "{\"rollout\":30}", NULL, "a: `rollout` above 30: it is 10\n");
	expect(SLOT "guard \"ok\" { because = \"so\", require = { consent = \"personalization\" }, applies = { uses = \"behaviour\" } }\n"
		RULE("a", "when = { visits = at_least(1) }"), NULL, "{\"visits\":3,\"consent\":[]}", NULL,
		"a: consent for personalization\n");
	/* The country that lets the one match lets a stronger one match, too. */
	expect(SLOT RULE("a", "when = { country = \"CA\" }, priority = 3") RULE("b", "when = { country = \"CA\", device = \"mobile\" "
		"}"), NULL,
		"{\"country\":\"DE\",\"device\":\"mobile\"}", NULL, "a: country \"CA\"\nb: country \"CA\"; `priority` 3 or more: \"a\" "
		"has 3\n");
	expect(SLOT RULE("a", "when = all { { country = \"CA\" }, { country = \"NO\" } }"), NULL, "{}", NULL, "a: never\n");
	expect(SLOT RULE("a", "when = function(v) return v.visits == 77 end"), NULL, "{}", NULL, "a: not determined\n");
	expect(SLOT RULE("a", "when = any { { country = \"CA\", device = \"mobile\" }, function(v) return v.visits == 77 end }"),
		NULL, "{}",
		NULL, "a: country \"CA\"; device \"mobile\" perhaps less\n");
	/* What a browser claims opens no guard. */
	n_claimed = 1;
	expect(SLOT "guard \"adult\" { because = \"so\", require = { traits = { age = at_least(18) } } }\n" RULE("a", ""), NULL,
		"{\"traits\":{\"age\":20}}", NULL, "a: traits.age proven: told with a secret key\n");
	n_claimed = 0;
}

static void test_messages(void **state)
{
	(void)state;
	static const char mail[] = "rule \"m\" { channel = \"email\", on = \"Ping\", send = { text = \"hi\" }, when = { orders = "
		"at_least(1) } }\n";
	expect(mail, NULL, "{\"orders\":0,\"consent\":[]}", "email", "m: orders 1 or more; consent for email\n");
	expect(mail, NULL, "{\"orders\":2,\"consent\":[\"email\"]}", "email", "m: won\n");
	/* One that is off needs it, too; and with it a stronger one goes. */
	expect("rule \"s\" { channel = \"email\", on = \"Ping\", priority = 4, send = { text = \"hi\" } }\n"
		"rule \"w\" { channel = \"email\", on = \"Ping\", send = { text = \"hi\" } }\n", NULL, "{\"consent\":[]}", "email",
		"s: consent for email\nw: consent for email; `priority` 5 or more: \"s\" has 4\n");
	expect("rule \"m\" { channel = \"email\", on = \"Ping\", enabled = false, send = { text = \"hi\" } }\n", NULL,
		"{\"consent\":[\"sms\"]}", "email", "m: `enabled` true; consent for email\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_oracle),
		cmocka_unit_test(test_oracle_of_messages),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_messages),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
