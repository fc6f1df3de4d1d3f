/* The order in which a candidate is tried, and what each thing in its way takes from it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib_rules.h"

#define SLOTS "slot \"a\" { channel = \"web\", show_up_to = 2 }\nslot \"b\" { channel = \"web\" }\n"

/* For one visitor: the winners, and why the rule "x" is or is not among them. */
static void expect(const char *text, const char *visitor, const char *winners, const char *reason, const char *why)
{
	struct rules r;
	char said[600];
	rules_open(&r, text, NULL);
	const char *won = rules_decide(&r, visitor);
	if (strcmp(won, winners) != 0)
		fail_msg("%s\n%s\n  gave     %s\n  expected %s", text, visitor, won, winners);
	const char *became = rules_explain(&r, "x", visitor, said);
	if (strcmp(became, reason) != 0 || (why && !strstr(said, why)))
		fail_msg("%s\n%s\n  x is     %s: %s\n  expected %s: %s", text, visitor, became, said, reason, why ? why : "");
	rules_finish(&r);
}

static void test_one_order(void **state)
{
	(void)state;
	/* Everything stands in its way at once; what comes first is said. */
	static const char *const all = SLOTS "rule \"x\" { slot = \"a\", priority = 9, starts = \"2026-11-10\", ends = \"2026-11-19\", "
		"rollout = 20, "
		"when = { country = \"CA\" }, show = function(v) error(\"made\") end }\n"
		"rule \"y\" { slot = \"a\", show = {} }\nguard \"g\" { applies = { rule = \"x\" }, require = { consent = \"c\" }, because "
			"= \"b\" }\n";
	expect(all, "{\"at\":\"2026-11-09\",\"rollout\":50}", "a: y{}; b:", "not_started", NULL);
	expect(all, "{\"at\":\"2026-11-20\",\"rollout\":50}", "a: y{}; b:", "ended", NULL);
	expect(all, "{\"at\":\"2026-11-12\",\"rollout\":50}", "a: y{}; b:", "unknown", NULL);
	expect(all, "{\"at\":\"2026-11-12\",\"rollout\":50,\"country\":\"NO\"}", "a: y{}; b:", "not_matched", NULL);
	expect(all, "{\"at\":\"2026-11-12\",\"rollout\":50,\"country\":\"CA\"}", "a: y{}; b:", "not_in_rollout", NULL);
	expect(all, "{\"at\":\"2026-11-12\",\"rollout\":19,\"country\":\"CA\"}", "a: y{}; b:", "vetoed", "g");
	expect(all, "{\"at\":\"2026-11-12\",\"rollout\":19,\"country\":\"CA\",\"consent\":\"c\"}", "a: y{}; b:", "failed", "a.lua:3: made");
	/* What is not shown is not made: a slot that is full asks nobody's show. */
	expect(SLOTS "rule \"x\" { slot = \"b\", show = function(v) error(\"made\") end }\nrule \"y\" { slot = \"b\", priority = 1, show = "
		"{} }\n", "{}",
		"a:; b: y{}", "beaten", "y");
	expect(SLOTS "rule \"x\" { slot = \"b\", enabled = false, show = {} }\n", "{}", "a:; b:", "disabled", NULL);
}

static void test_what_is_refused_takes_nothing(void **state)
{
	(void)state;
	static const char *const text = SLOTS "rule \"x\" { slot = \"a\", priority = 9, only_one_of = \"g\", show = %s }\n"
		"rule \"y\" { slot = \"b\", priority = 5, only_one_of = \"g\", show = {} }\nrule \"z\" { slot = \"a\", priority = 1, "
			"only_one_of = \"g\", show = {} }\n%s";
	char made[2000];
	snprintf(made, sizeof made, text, "{}", "");
	expect(made, "{}", "a: x{}; b:", "won", NULL);
	snprintf(made, sizeof made, text, "function(v) error(\"no\") end", "");
	expect(made, "{}", "a:; b: y{}", "failed", NULL);
	snprintf(made, sizeof made, text, "{}", "guard \"g\" { applies = { rule = \"x\" }, forbid = { unknown_ = 1 }, because = \"b\" }");
	struct rules r;
	assert_int_equal(rules_load(&r, made, NULL), FW_EINVAL);
	rules_finish(&r);
	snprintf(made, sizeof made, text, "{}",
		"guard \"g\" { applies = { rule = \"x\" }, forbid = { country = \"CA\" }, because = \"b\" }");
	expect(made, "{}", "a:; b: y{}", "vetoed", "g");
	expect(made, "{\"country\":\"NO\"}", "a: x{}; b:", "won", NULL);
	snprintf(made, sizeof made, text, "{}", "rule \"w\" { slot = \"b\", priority = 20, only_one_of = \"g\", show = {} }");
	expect(made, "{}", "a:; b: w{}", "excluded", "w");
}

/* A guard on behaviour, and a rule that comes by it in one way or another. */
static void test_guards_on_uses(void **state)
{
	(void)state;
	static const struct { const char *fields, *visitor; bool applies; } ways[] = {
		{ "when = { visits = at_least(1) }, show = {}", "{\"visits\":3}", true },
		{ "when = { any { { country = \"CA\" }, { visits = at_least(9) } } }, show = {}", "{\"country\":\"CA\",\"visits\":3}",
			true },
		{ "when = function(v) return v.visits > 1 end, show = {}", "{\"visits\":3}", true },
		{ "when = function(v) return v.country == 'CA' or v.visits > 1 end, show = {}", "{\"visits\":3,\"country\":\"CA\"}",
			false },
		{ "when = function(v) return v.country == 'CA' or v.visits > 1 end, show = {}", "{\"visits\":3,\"country\":\"NO\"}", true },
		{ "when = function(v) return not v:known 'visits' or true end, show = {}", "{\"visits\":3}", true },
		{ "when = function(v) return v:get('visits', 2) > 1 end, show = {}", "{}", true },
		{ "when = function(v) return v:viewed { category = 'a' } > 0 end, show = {}",
			"{\"viewed\":{\"category\":\"a\",\"total\":1}}", true },
		{ "when = function(v) local f = function(w) return w.visits end return pcall(f, v) end, show = {}", "{\"visits\":3}",
			true },
		{ "when = { segment = \"table\" }, show = {}", "{\"visits\":3}", true },
		{ "when = { segment = \"function\" }, show = {}", "{\"visits\":3}", true },
		{ "when = function(v) return v.segment[\"function\"] end, show = {}", "{\"visits\":3}", true },
		{ "when = function(v) return v.segment.nested end, show = {}", "{\"visits\":3}", true },
		{ "show = function(v) return { n = v.visits } end", "{\"visits\":3}", true },
		{ "show = function(v) return { n = v.engagement.email } end", "{}", true },
		{ "show = function(v) for k in pairs(v.engagement) do end return {} end", "{}", true },
		{ "show = function(v) return { n = v.segment.table } end", "{\"visits\":3}", true },
		{ "show = function(v) return { n = v.country, t = v.traits.x, c = v.cart.items, h = v.hour } end", "{\"visits\":3}",
			false },
		{ "when = { country = \"CA\" }, show = { n = 1 }", "{\"country\":\"CA\"}", false },
	};
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		char text[2000];
		snprintf(text, sizeof text,
			SLOTS "segment \"table\" { when = { visits = at_least(1) } }\nsegment \"function\" { when = function(v) return "
			"v.visits > 1 end }\n"
			"segment \"nested\" { when = { segment = \"function\" } }\nrule \"x\" { slot = \"b\", %s }\n"
			"guard \"g\" { applies = { uses = \"behaviour\" }, require = { consent = \"personalization\" }, because = \"law\" "
				"}\n", ways[i].fields);
		struct rules r;
		char why[600];
		rules_open(&r, text, NULL);
		const char *reason = rules_explain(&r, "x", ways[i].visitor, why);
		if (strcmp(reason, ways[i].applies ? "vetoed" : "won") != 0)
			fail_msg("%s\n%s is %s (%s)", ways[i].fields, ways[i].visitor, reason, why);
		bool won = strstr(rules_decide(&r, ways[i].visitor), "x{") != NULL;
		assert_int_equal(won, !ways[i].applies);
		rules_finish(&r);
	}
}

/* What is not known, and what fails, never lets a candidate through. */
static void test_guards_that_cannot_tell(void **state)
{
	(void)state;
	static const struct { const char *guard, *visitor; bool passes; } guards[] = {
		{ "require = { country = \"CA\" }", "{}", false },
		{ "require = { country = \"CA\" }", "{\"country\":\"NO\"}", false },
		{ "require = { country = \"CA\" }", "{\"country\":\"CA\"}", true },
		{ "forbid = { country = \"CA\" }", "{}", false },
		{ "forbid = { country = \"CA\" }", "{\"country\":\"CA\"}", false },
		{ "forbid = { country = \"CA\" }", "{\"country\":\"NO\"}", true },
		{ "forbid = { country = known() }", "{}", true },
		{ "forbid = { country = is_not \"CA\" }", "{}", false },
		{ "require = { country = \"CA\" }, forbid = { device = \"bot\" }", "{\"country\":\"CA\"}", false },
		{ "require = { country = \"CA\" }, forbid = { device = \"bot\" }", "{\"country\":\"CA\",\"device\":\"mobile\"}", true },
		{ "require = function(v) return true end", "{}", true },
		{ "require = function(v) return nil end", "{}", false },
		{ "require = function(v) return 1 end", "{}", false },
		{ "require = function(v) error('x') end", "{}", false },
		{ "forbid = function(v) error('x') end", "{}", false },
		{ "forbid = function(v) return 'no' end", "{}", false },
		{ "forbid = function(v) while true do end end", "{}", false },
		{ "forbid = function(v) return v.country == 'CA' end", "{}", false },
		{ "forbid = function(v) return v.country == 'CA' end", "{\"country\":\"NO\"}", true },
		{ "forbid = function(v) return false end", "{}", true },
		{ "applies = { rule = \"y\" }, require = { country = \"CA\" }", "{}", true },
		{ "applies = { slot = \"a\" }, require = { country = \"CA\" }", "{}", true },
		{ "applies = { slot = { \"a\", \"b\" }, channel = \"web\", tag = { \"t\", \"u\" } }, require = { country = \"CA\" }", "{}",
			false },
		{ "applies = { slot = \"b\", tag = \"none\" }, require = { country = \"CA\" }", "{}", true },
		{ "applies = { channel = \"email\" }, require = { country = \"CA\" }", "{}", true },
		{ "applies = { uses = { \"device\", \"consent\" } }, require = { country = \"CA\" }", "{}", true },
		{ "applies = { uses = { \"device\", \"traffic\" } }, require = { country = \"CA\" }", "{\"source\":\"email\"}", false },
	};
	for (size_t i = 0; i < sizeof guards / sizeof *guards; i++) {
		char text[1500];
		snprintf(text, sizeof text,
			SLOTS "rule \"x\" { slot = \"b\", tags = { \"t\" }, %s show = {} }\nrule \"y\" { slot = \"a\", show = {} }\n"
			"guard \"g\" { because = \"b\", %s }\n", strstr(guards[i].visitor, "source") ? "when = { source = \"email\" },"
				: "", guards[i].guard);
		struct rules r;
		rules_open(&r, text, NULL);
		const char *said = rules_decide(&r, guards[i].visitor);
		if ((strstr(said, "b: x{}") != NULL) != guards[i].passes)
			fail_msg("%s for %s: %s", guards[i].guard, guards[i].visitor, said);
		assert_int_equal(r.decider.counts.vetoes[0] > 0, !guards[i].passes || (strstr(said, "a:;") != NULL));
		rules_finish(&r);
	}
}

static const int64_t second = 1000000, minute = 60000000, start = 1700000000000000;

static void test_setting_aside_over_time(void **state)
{
	(void)state;
	struct fw_set_aside *s = calloc(1, fw_set_aside_bytes(2));
	for (uint64_t i = 0; i < 100; i++)
		assert_false(fw_set_aside_note(s, 0, 7, start + (int64_t)i * second / 10)); /* one visitor, however often */
	for (uint64_t i = 0; i < 18; i++)
		assert_false(fw_set_aside_note(s, 0, 100 + i, start + 20 * second));
	assert_false(fw_set_aside_is(s, 0, start + 20 * second));
	assert_true(fw_set_aside_note(s, 0, 200, start + 21 * second)); /* the twentieth */
	assert_true(fw_set_aside_is(s, 0, start + 21 * second));
	assert_false(fw_set_aside_is(s, 1, start + 21 * second));
	assert_int_equal(fw_set_aside_until(s, 0, start + 22 * second), start + 21 * second + minute);
	assert_true(fw_set_aside_is(s, 0, start + 21 * second + minute - 1));
	assert_false(fw_set_aside_is(s, 0, start + 21 * second + minute));
	assert_int_equal(fw_set_aside_until(s, 0, start + 21 * second + minute), 0);
	/* From the beginning again, and never at a slower pace. */
	int64_t at = start + 3 * minute;
	for (uint64_t i = 0; i < 400; i++)
		assert_false(fw_set_aside_note(s, 0, i, at + (int64_t)i * 4 * second));
	at += 400 * 4 * second + minute;
	for (uint64_t i = 0; i < 20; i++)
		assert_int_equal(fw_set_aside_note(s, 0, i, at + (int64_t)i * 2 * second), i == 19);
	free(s);
}

static void test_setting_aside_rules(void **state)
{
	(void)state;
	struct rules r;
	char why[600];
	rules_open(&r, SLOTS "rule \"x\" { slot = \"b\", priority = 2, show = function(v) while true do end end }\n"
		"rule \"raises\" { slot = \"b\", priority = 1, show = function(v) error('x') end }\nrule \"y\" { slot = \"b\", show = {} "
			"}\n"
		"rule \"z\" { slot = \"a\", show = {} }\nguard \"g\" { applies = { slot = \"a\" }, forbid = function(v) while true do end "
			"end, because = \"b\" }\n", NULL);
	uint32_t x = fw_ruleset_rule(r.set, FW_STR("x"));
	for (int i = 0; i < 25; i++) {
		char key[16];
		assert_int_equal(rules_visit(&r, "{}"), 0);
		r.facts.key = (struct fw_str){ key, (size_t)snprintf(key, sizeof key, "visitor-%d", i) };
		assert_int_equal(rules_run(&r), 0);
		assert_int_equal(r.decision.slots[1].n, 1);
		assert_string_equal(r.set->rules[r.decision.slots[1].winners[0].rule].id, "y");
		assert_int_equal(r.decision.slots[0].n, 0); /* the guard goes on: failing, it removes what it applies to */
	}
	assert_int_equal(r.decider.counts.rules[x].failed, 20); /* then it was not tried */
	assert_int_equal(r.decider.counts.rules[fw_ruleset_rule(r.set, FW_STR("raises"))].failed, 25);
	assert_string_equal(rules_explain(&r, "x", "{}", why), "set_aside");
	assert_string_equal(rules_explain(&r, "raises", "{}", why), "failed");
	assert_string_equal(rules_explain(&r, "z", "{}", why), "vetoed");
	assert_int_equal(r.decider.counts.all->set_aside, 1);
	rules_finish(&r);
}

static void test_rollout_points(void **state)
{
	(void)state;
	/* XXH64 with seed 0, as published. */
	assert_true(fw_hash("", 0) == 0xef46db3751d8e999 && fw_hash("a", 1) == 0xd24ec4f1a98c6e5b &&
		fw_hash("foobar", 6) == 0xa2aa05ed9085aaf9);
	assert_true(fw_rollout_point("winter", FW_STR("a-1")) == (double)(XXH64("winter\0a-1", 10, 0) >> 11) / 9007199254740992.0 * 100);
	assert_true(fw_rollout_point("", FW_STR("a-1")) == (double)(XXH64("\0a-1", 4, 0) >> 11) / 9007199254740992.0 * 100);
	char key[1000];
	memset(key, 'k', sizeof key);
	for (size_t n = 480; n < 520; n++) { /* longer ones are hashed piece by piece */
		char whole[1100] = "winter";
		memcpy(whole + 7, key, n);
		assert_true(fw_rollout_point("winter", (struct fw_str){ key, n }) == (double)(fw_hash(whole, n + 7) >> 11) * 0x1p-53 * 100);
	}
	unsigned in_a = 0, in_b = 0, in_both = 0;
	for (unsigned i = 0; i < 40000; i++) {
		struct fw_str k = { key, (size_t)snprintf(key, sizeof key, "a-%u", i) };
		bool a = fw_rollout_point("rule-a", k) < 25, b = fw_rollout_point("rule-b", k) < 40;
		assert_true(fw_rollout_point("rule-a", k) >= 0 && fw_rollout_point("rule-a", k) < 100);
		in_a += a;
		in_b += b;
		in_both += a && b;
	}
	assert_in_range(in_a, 9700, 10300);
	assert_in_range(in_b, 15650, 16350);
	assert_in_range(in_both, 3750, 4250); /* rules draw independently */
}

static void test_who_is_in(void **state)
{
	(void)state;
	struct rules r;
	rules_open(&r, SLOTS "rule \"x\" { slot = \"b\", rollout = 30, show = {} }\nrule \"all\" { slot = \"a\", rollout = 100, show = {} "
		"}\n", NULL);
	for (int i = 0; i < 300; i++) {
		char key[16];
		assert_int_equal(rules_visit(&r, "{}"), 0);
		r.facts.has_point = false; /* as in production: the id decides */
		r.facts.key = (struct fw_str){ key, i ? (size_t)snprintf(key, sizeof key, "a-%d", i) : 0 };
		r.decider.holdout = i % 2 ? 0 : 50;
		assert_int_equal(rules_run(&r), 0);
		bool out = i && i % 2 == 0 && fw_rollout_point("", r.facts.key) < 50;
		assert_int_equal(r.decision.slots[1].n, i && !out && fw_rollout_point("x", r.facts.key) < 30);
		assert_int_equal(r.decision.slots[0].n, !out); /* without any id a visitor is in only at 100, and in no holdout */
		assert_int_equal(r.decision.slots[0].reason == FW_SLOT_HOLDOUT, out);
	}
	rules_finish(&r);
}

/* A chain of segments that functions decide is as deep whoever asks first. */
static void test_depth_hangs_on_nobody(void **state)
{
	(void)state;
	struct fw_buf text;
	char why[600];
	fw_buf_init(&text, 0);
	fw_buf_puts(&text, SLOTS "segment \"s0\" { when = { country = \"CA\" } }\n");
	for (int i = 1; i < 14; i++)
		fw_buf_printf(&text, "segment \"s%d\" { when = function(v) return v.segment.s%d end }\n", i, i - 1);
	for (int i = 1; i < 14; i++)
		fw_buf_printf(&text, "rule \"up%02d\" { slot = \"a\", priority = %d, when = { segment = \"s%d\" }, show = { n = %d } }\n"
			"rule \"down%02d\" { slot = \"b\", priority = %d, when = { segment = \"s%d\" }, show = { n = %d } }\n", i, i, i, i,
				i, -i, i, i);
	for (int i = 1; i < 14; i++) {
		struct rules r;
		char rule[16];
		rules_open(&r, fw_buf_text(&text), NULL);
		for (int way = 0; way < 2; way++) {
			snprintf(rule, sizeof rule, way ? "up%02d" : "down%02d", i);
			const char *reason = rules_explain(&r, rule, "{\"country\":\"CA\"}", why);
			assert_int_equal(strcmp(reason, "failed") == 0, i > FW_LIMIT_CALL_NESTING);
		}
		rules_finish(&r);
	}
	fw_buf_finish(&text);
}

/* Whoever has a public key could write that he is of age: what is only claimed opens no guard, in no way, while rules read it. */
static void test_claims_open_no_guard(void **state)
{
	(void)state;
	static const struct { const char *guard; bool if_claimed; } guards[] = {
		{ "require = { traits = { age = at_least(18) } }", false },
		{ "require = { segment = \"adult\" }", false },
		{ "require = { segment = \"adult-by-function\" }", false },
		{ "require = function(v) return v.traits.age >= 18 end", false },
		{ "require = function(v) return v:known \"traits.age\" end", false },
		{ "require = function(v) return v:get(\"traits.age\", 20) >= 18 end", true }, /* as it would for nobody */
		{ "require = function(v) return v.segment[\"adult-by-function\"] end", false },
		{ "require = function(v) for k, n in pairs(v.traits) do if k == \"age\" then return n >= 18 end end return true end",
			false }, { "require = { traits = { age = known() } }", false },
		{ "forbid = { traits = { age = less_than(18) } }", false },
		{ "forbid = { traits = { age = unknown() } }", false },
		{ "require = { traits = { plan = \"pro\" } }", true },
		{ "require = any { traits = { age = at_least(18) }, country = \"CA\" }", true },
	};
	for (size_t i = 0; i < sizeof guards / sizeof *guards; i++) {
		char text[2000];
		struct rules r;
		snprintf(text, sizeof text, SLOTS "segment \"adult\" { when = { traits = { age = at_least(18) } } }\n"
			"segment \"adult-by-function\" { when = function(v) return v.traits.age >= 18 end }\n"
			"rule \"x\" { slot = \"b\", when = { segment = { \"adult\", \"adult-by-function\" }, traits = { age = 30 } }, "
			"show = function(v) return { n = v.traits.age, adult = v.segment[\"adult-by-function\"] } end }\n"
			"rule \"z\" { slot = \"a\", when = { segment = \"adult-by-function\" }, show = {} }\n"
			"guard \"g\" { applies = { rule = \"x\" }, %s, because = \"law\" }\n", guards[i].guard);
		rules_open(&r, text, NULL);
		for (unsigned claimed = 0; claimed <= 1; claimed++) {
			const char *expected = claimed && !guards[i].if_claimed ? "a: z{}; b:" : "a: z{}; b: x{\"adult\":true,\"n\":30}";
			assert_int_equal(rules_visit(&r, "{\"traits\":{\"plan\":\"pro\",\"age\":30},\"country\":\"CA\"}"), 0);
			r.facts.n_claimed = claimed; /* the last of them: "age" */
			assert_int_equal(rules_run(&r), 0);
			if (strcmp(rules_winners(&r), expected) != 0)
				fail_msg("%s\n  gave     %s\n  expected %s", guards[i].guard, rules_winners(&r), expected);
		}
		rules_finish(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_order),
		cmocka_unit_test(test_what_is_refused_takes_nothing),
		cmocka_unit_test(test_guards_on_uses),
		cmocka_unit_test(test_guards_that_cannot_tell),
		cmocka_unit_test(test_setting_aside_over_time),
		cmocka_unit_test(test_setting_aside_rules),
		cmocka_unit_test(test_rollout_points),
		cmocka_unit_test(test_who_is_in),
		cmocka_unit_test(test_depth_hangs_on_nobody),
		cmocka_unit_test(test_claims_open_no_guard),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
