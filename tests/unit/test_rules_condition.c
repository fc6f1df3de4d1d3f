/* What conditions mean, value by value: true, false or unknown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib_rules.h"

static const struct row {
	const char *condition, *visitor;
	char truth; /* + true, - false, ? unknown */
} rows[] = {
	/* Equality; ASCII case is folded, in lists and sets too. */
	{ "country = 'CA'", "{\"country\":\"CA\"}", '+' }, { "country = 'ca'", "{\"country\":\"CA\"}", '+' },
	{ "country = 'CA'", "{\"country\":\"ca\"}", '+' }, { "country = 'CA'", "{\"country\":\"NO\"}", '-' },
	{ "country = 'CA'", "{}", '?' }, { "country = 'CA'", "{\"country\":null}", '?' }, { "city = 'x'", "{\"city\":\"\"}", '?' },
	{ "city = 'MONTRÉAL'", "{\"city\":\"montréal\"}", '-' }, { "city = { 'a', 'MONTRéAL' }", "{\"city\":\"montréal\"}", '+' },
	{ "visits = 3", "{\"visits\":3}", '+' }, { "visits = { 1, 2 }", "{\"visits\":3}", '-' },
		{ "in_eu = true", "{\"in_eu\":false}", '-' },
	{ "in_eu = { true, false }", "{\"in_eu\":false}", '+' },
	/* Negation: known, and does not match. */
	{ "country = is_not 'CA'", "{\"country\":\"NO\"}", '+' }, { "country = is_not 'CA'", "{}", '?' },
	{ "country = is_not { 'CA', 'NO' }", "{\"country\":\"no\"}", '-' }, { "country = is_not(is_not 'CA')", "{\"country\":\"CA\"}",
		'+' },
	{ "visits = is_not(between(1, 3))", "{\"visits\":4}", '+' }, { "country = is_not(unknown())", "{}", '-' },
	/* known and unknown. */
	{ "country = known()", "{}", '-' }, { "country = unknown()", "{}", '+' }, { "country = known()", "{\"country\":\"CA\"}", '+' },
	{ "traits = { a = unknown() }", "{\"traits\":{\"a\":null}}", '+' }, { "traits = { a = known() }", "{\"traits\":{\"a\":[]}}", '+' },
	{ "traits = { a = known() }", "{\"traits\":{\"a\":{}}}", '-' }, { "viewed = { category = 'a' }", "{}", '?' },
	/* Ranges. */
	{ "visits = at_least(3)", "{\"visits\":3}", '+' }, { "visits = more_than(3)", "{\"visits\":3}", '-' },
		{ "visits = at_most(3)", "{\"visits\":3}", '+' },
	{ "visits = less_than(3)", "{\"visits\":3}", '-' }, { "visits = less_than(3)", "{\"visits\":2.999}", '+' },
		{ "visits = between(3, 5)", "{\"visits\":5}", '+' },
	{ "visits = between(3, 3)", "{\"visits\":3}", '+' }, { "revenue = at_least(0.1)", "{\"revenue\":0.1}", '+' },
	{ "hour = between(22, 6)", "{\"hour\":23}", '+' }, { "hour = between(22, 6)", "{\"hour\":6}", '+' },
		{ "hour = between(22, 6)", "{\"hour\":7}", '-' },
	{ "hour = is_not(between(22, 6))", "{\"hour\":7}", '+' }, { "weekday = between('sat', 'mon')", "{\"weekday\":\"sun\"}", '+' },
	{ "weekday = between('sat', 'mon')", "{\"weekday\":\"tue\"}", '-' }, { "weekday = { 'sat', 'SUN' }", "{\"weekday\":\"sun\"}", '+' },
	{ "date = between('2026-11-01', '2026-11-30')", "{\"date\":\"2026-11-30\"}", '+' },
		{ "date = more_than('2026-11-30')", "{\"date\":\"2026-11-30\"}", '-' },
	{ "cart = { age = at_most('30m') }", "{\"cart\":{\"age\":\"1800s\"}}", '+' },
		{ "cart = { age = more_than('1h') }", "{\"cart\":{\"age\":\"1h\"}}", '-' },
	/* Text, plain and never a pattern. */
	{ "city = starts_with 'mon'", "{\"city\":\"Montreal\"}", '+' }, { "city = ends_with 'EAL'", "{\"city\":\"Montreal\"}", '+' },
	{ "city = contains '.'", "{\"city\":\"Montreal\"}", '-' }, { "city = contains 'tre'", "{\"city\":\"Montreal\"}", '+' },
	{ "city = starts_with 'Montreal and more'", "{\"city\":\"Montreal\"}", '-' },
		{ "city = is_not(contains 'x')", "{\"city\":\"Montreal\"}", '+' },
	/* A language and all below it. */
	{ "language = 'en'", "{\"language\":\"en-CA\"}", '+' }, { "language = 'en-CA'", "{\"language\":\"en\"}", '-' },
		{ "language = 'en'", "{\"language\":\"enm\"}", '-' },
	{ "language = 'zh-hant'", "{\"language\":\"zh-Hant-TW\"}", '+' }, { "language = is_not 'en'", "{\"language\":\"en-GB\"}", '-' },
	/* Sets. */
	{ "consent = 'email'", "{\"consent\":[\"Email\"]}", '+' }, { "consent = { 'a', 'sms' }", "{\"consent\":[\"email\",\"sms\"]}", '+' },
	{ "consent = all_of { 'email', 'sms' }", "{\"consent\":[\"email\"]}", '-' },
		{ "consent = all_of { 'email', 'sms' }", "{\"consent\":[\"sms\",\"email\"]}", '+' },
	{ "consent = 'email'", "{\"consent\":[]}", '-' }, { "consent = 'email'", "{}", '?' },
		{ "consent = is_not 'email'", "{\"consent\":[]}", '+' },
	{ "consent = is_not { 'email', 'sms' }", "{\"consent\":[\"sms\"]}", '-' },
		{ "consent = is_not(all_of { 'email', 'sms' })", "{\"consent\":[\"sms\"]}", '+' },
	{ "cart = { contains = { brand = 'acme' } }", "{\"cart\":{\"contains\":{\"brand\":\"Acme\"}}}", '+' },
	/* A trait is read as its matcher's type. */
	{ "traits = { age = at_least(18) }", "{\"traits\":{\"age\":\"18\"}}", '+' },
		{ "traits = { age = at_least(18) }", "{\"traits\":{\"age\":\"eighteen\"}}", '?' },
	{ "traits = { age = at_least(18) }", "{\"traits\":{\"age\":\" 18\"}}", '?' },
		{ "traits = { age = at_least(18) }", "{\"traits\":{\"age\":\"018\"}}", '?' },
	{ "traits = { age = 18 }", "{\"traits\":{\"age\":\"1.8e1\"}}", '+' },
		{ "traits = { zip = '1050' }", "{\"traits\":{\"zip\":1050}}", '+' },
	{ "traits = { zip = '0.1' }", "{\"traits\":{\"zip\":0.1}}", '+' }, { "traits = { zip = starts_with '10' }",
		"{\"traits\":{\"zip\":1050}}", '+' },
	{ "traits = { vip = true }", "{\"traits\":{\"vip\":\"true\"}}", '?' },
		{ "traits = { vip = 'true' }", "{\"traits\":{\"vip\":true}}", '?' },
	{ "traits = { vip = is_not(true) }", "{\"traits\":{\"vip\":\"true\"}}", '?' },
		{ "traits = { vip = 1 }", "{\"traits\":{\"vip\":true}}", '?' },
	{ "traits = { t = 'x' }", "{\"traits\":{\"t\":[\"X\",1]}}", '+' }, { "traits = { t = 1 }", "{\"traits\":{\"t\":[\"x\",\"1\"]}}",
		'+' },
	{ "traits = { t = all_of { 'x', '1' } }", "{\"traits\":{\"t\":[\"x\",1]}}", '+' },
		{ "traits = { t = at_least(1) }", "{\"traits\":{\"t\":[1,2]}}", '?' },
	{ "traits = { t = starts_with 'x' }", "{\"traits\":{\"t\":[\"x\"]}}", '?' },
		{ "traits = { t = all_of { 'x' } }", "{\"traits\":{\"t\":\"X\"}}", '+' },
	/* Counts. */
	{ "viewed = { category = 'Boots' }", "{\"viewed\":{\"category\":\"boots\",\"total\":1}}", '+' },
		{ "viewed = { category = 'boots' }", "{\"viewed\":{\"category\":\"boots\",\"total\":0}}", '-' },
	{ "viewed = { category = 'boots', at_least = 0 }", "{\"viewed\":{\"category\":\"boots\",\"total\":0}}", '+' },
	{ "viewed = { category = 'boots', at_most = 2 }", "{\"viewed\":{\"category\":\"boots\",\"total\":2}}", '+' },
	{ "viewed = is_not { category = 'boots' }", "{\"viewed\":{\"category\":\"boots\",\"total\":0}}", '+' },
	{ "viewed = { category = 'boots', within = '7d' }", "{\"viewed\":{\"category\":\"boots\",\"within\":\"7d\",\"total\":1}}", '+' },
	{ "viewed = { category = 'boots', within = '1w' }", "{\"viewed\":{\"category\":\"boots\",\"within\":\"168h\",\"total\":1}}", '+' },
	{ "viewed = { category = 'boots', within = '7d' }", "{\"viewed\":{\"category\":\"boots\",\"within\":\"1d\",\"total\":1}}", '?' },
	{ "viewed = { brand = 'boots' }", "{\"viewed\":{\"category\":\"boots\",\"total\":1}}", '?' },
		{ "viewed = { at_least = 3 }", "{\"viewed\":3}", '+' },
	{ "affinity = { category = 'a', at_least = 0.3 }", "{\"affinity\":{\"category\":\"a\",\"share\":0.3}}", '+' },
	/* Unknown is never yes, and and or follow Kleene. */
	{ "country = 'CA', device = 'mobile'", "{\"country\":\"CA\"}", '?' },
		{ "country = 'CA', device = 'mobile'", "{\"country\":\"NO\"}", '-' },
	{ "any { country = 'CA', device = 'mobile' }", "{\"device\":\"mobile\"}", '+' },
		{ "any { country = 'CA', device = 'mobile' }", "{\"device\":\"tv\"}", '?' },
	{ "any { country = 'CA', device = 'mobile' }", "{\"device\":\"tv\",\"country\":\"NO\"}", '-' },
		{ "none { country = 'CA', device = 'mobile' }", "{\"device\":\"tv\"}", '?' },
	{ "none { country = 'CA', device = 'mobile' }", "{\"device\":\"mobile\"}", '-' },
		{ "none { country = 'CA', device = 'mobile' }", "{\"device\":\"tv\",\"country\":\"NO\"}", '+' },
	{ "none { none { country = 'CA' } }", "{\"country\":\"CA\"}", '+' }, { "none { none { country = 'CA' } }", "{}", '?' },
	{ "any { { country = 'CA', device = 'mobile' }, { in_eu = true } }", "{\"country\":\"DE\",\"device\":\"tv\"}", '+' },
	{ "none { all { country = 'CA', device = 'mobile' } }", "{\"country\":\"CA\",\"device\":\"tv\"}", '+' },
	{ "any { traits = { a = 1, b = 2 } }", "{\"traits\":{\"a\":1,\"b\":3}}", '-' },
	/* Functions. */
	{ "function(v) return true end", "{}", '+' }, { "function(v) return nil end", "{}", '-' }, { "function(v) end", "{}", '-' },
	{ "function(v) return v.country == 'CA' end", "{\"country\":\"CA\"}", '+' },
		{ "function(v) return v.country == 'ca' end", "{\"country\":\"CA\"}", '-' },
	{ "function(v) return true or v.country end", "{}", '+' }, { "function(v) return v.country == nil end", "{}", '?' },
	{ "function(v) local c = v.country return true end", "{}", '?' }, { "function(v) local c = v.country error('x') end", "{}", '?' },
	{ "function(v) return not v:known 'country' end", "{}", '+' }, { "function(v) return v:get('country', 'US') == 'US' end", "{}",
		'+' },
	{ "function(v) return v:get('traits.a', 1) == 1 end", "{\"traits\":{\"b\":2}}", '+' },
		{ "function(v) return v:known 'traits.a' end", "{\"traits\":{\"a\":0}}", '+' },
	{ "function(v) return v.consent.email end", "{\"consent\":[\"email\"]}", '+' },
		{ "function(v) return v.consent.sms end", "{\"consent\":[\"email\"]}", '-' },
	{ "function(v) return v.consent.sms end", "{}", '?' }, { "function(v) return v.traits.t[1] == 'a' and v.traits.t.b end",
		"{\"traits\":{\"t\":[\"a\",\"B\"]}}", '+' },
	{ "function(v) return v.cart.contains.brand.acme end", "{\"cart\":{\"contains\":{\"brand\":[\"Acme\"]}}}", '+' },
	{ "function(v) return type(v.cart) == 'table' and type(v.traits) == 'table' and type(v.event) == 'table' end", "{}", '+' },
	{ "function(v) return v.weekday == 'sun' and v.date == '2026-11-22' end", "{\"weekday\":\"sun\",\"date\":\"2026-11-22\"}", '+' },
	{ "function(v) return v.now == 1795474800 end", "{\"at\":\"2026-11-24T00:00\"}", '+' },
		{ "function(v) return v.now > 0 end", "{}", '?' },
	{ "function(v) return v:viewed { category = 'BOOTS' } == 2 end", "{\"viewed\":{\"category\":\"boots\",\"total\":2}}", '+' },
	{ "function(v) return math.type(v.visits) == 'integer' and math.type(v.revenue) == 'float' end", "{\"visits\":3,\"revenue\":3.5}",
		'+' },
	{ "country = 'CA', function(v) return v.visits > 3 end", "{\"visits\":4,\"country\":\"CA\"}", '+' },
	{ "any { country = 'CA', function(v) return v.visits > 3 end }", "{\"visits\":4}", '+' },
	{ "none { function(v) return v.visits > 3 end }", "{}", '?' },
	/* Segments: the condition's value, unknown included; given by name, they are what is given. */
	{ "segment = 'far'", "{\"country\":\"CA\"}", '+' }, { "segment = 'far'", "{}", '?' }, { "segment = is_not 'far'", "{}", '?' },
	{ "segment = { 'near', 'far' }", "{\"country\":\"DE\"}", '+' }, { "segment = all_of { 'near', 'far' }", "{\"country\":\"DE\"}",
		'-' },
	{ "segment = is_not { 'near', 'far' }", "{\"country\":\"CA\"}", '-' }, { "segment = 'far'", "{\"segment\":[\"far\"]}", '+' },
	{ "segment = 'far'", "{\"country\":\"CA\",\"segment\":[]}", '-' }, { "function(v) return v.segment.far end",
		"{\"segment\":[\"far\"]}", '+' },
	/* Time where only the country is known: true in all its zones, false in all, or unknown. */
	{ "hour = between(0, 23)", "{\"at\":\"2026-11-23T20:00Z\",\"country\":\"US\"}", '+' },
		{ "hour = at_least(15)", "{\"at\":\"2026-11-23T20:00Z\",\"country\":\"US\"}", '?' },
	{ "hour = 3", "{\"at\":\"2026-11-23T20:00Z\",\"country\":\"US\"}", '-' },
		{ "hour = is_not(3)", "{\"at\":\"2026-11-23T20:00Z\",\"country\":\"US\"}", '+' },
	{ "hour = 21", "{\"at\":\"2026-11-23T20:00Z\",\"country\":\"DE\"}", '+' },
		{ "hour = 5", "{\"at\":\"2026-11-23T20:00Z\",\"country\":\"US\",\"timezone\":\"Asia/Tokyo\"}", '+' },
	{ "function(v) return v.hour < 24 end", "{\"at\":\"2026-11-23T20:00Z\",\"country\":\"US\"}", '?' },
	{ "hour = 5", "{\"at\":\"2026-11-23T20:00Z\",\"country\":\"US\",\"traits\":{\"timezone\":\"Asia/Tokyo\"}}", '+' },
		{ "hour = 5", "{\"country\":\"JP\"}", '?' },
};

static void test_truth(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char text[1000];
		struct rules r;
		struct fw_seen seen = { 0 };
		snprintf(text, sizeof text,
			"slot \"s\" { channel = \"web\" }\nsegment \"far\" { when = { country = { 'CA', 'AU' } } }\nsegment \"near\" { "
			"when = { country = 'DE' } }\n"
			"rule \"r\" { slot = \"s\", when = { %s }, show = {} }\n", rows[i].condition);
		rules_open(&r, text, NULL);
		if (rules_visit(&r, rows[i].visitor) < 0)
			fail_msg("no visitor: %s", rows[i].visitor);
		fw_eval_begin(&r.decider.eval, &r.facts, &r.arena);
		enum fw_truth t = fw_eval_condition(&r.decider.eval, r.set->rules[0].when, &seen);
		fw_eval_end(&r.decider.eval);
		if ("-?+"[t] != rows[i].truth || seen.failure)
			fail_msg("{ %s } for %s is %c, not %c%s%s", rows[i].condition, rows[i].visitor, "-?+"[t], rows[i].truth,
				seen.failure ? ": " : "",
				seen.failure ? seen.failure->error->message : "");
		bool won = strstr(rules_decide(&r, rows[i].visitor), "r{}") != NULL; /* through the index */
		if (won != (rows[i].truth == '+'))
			fail_msg("{ %s } for %s %s", rows[i].condition, rows[i].visitor, won ? "won" : "did not win");
		rules_finish(&r);
	}
}

/* Out of reach, everything that would come from the profile is unknown, known() and unknown() too. */
static void test_out_of_reach(void **state)
{
	(void)state;
	static const struct row reach[] = {
		{ "visits = known()", "", '?' }, { "visits = unknown()", "", '?' }, { "traits = { a = unknown() }", "", '?' },
			{ "consent = 'email'", "", '?' },
		{ "consent = is_not 'email'", "", '?' }, { "viewed = { category = 'a', at_least = 0 }", "", '?' },
			{ "country = unknown()", "", '+' },
		{ "cart = { items = unknown() }", "", '?' }, { "event = { a = unknown() }", "", '+' },
			{ "function(v) return v:known 'visits' end", "", '?' },
		{ "function(v) return v:get('visits', 3) == 3 end", "", '+' },
			{ "function(v) for k in pairs(v.traits) do end return true end", "", '?' },
		{ "function(v) return v.traits.a == nil end", "", '?' }, { "logged_in = unknown()", "", '+' },
			{ "engagement = { email = known() }", "", '?' },
	};
	for (size_t i = 0; i < sizeof reach / sizeof *reach; i++) {
		char text[1000];
		struct rules r;
		struct fw_seen seen = { 0 };
		snprintf(text, sizeof text, "slot \"s\" { channel = \"web\" }\nrule \"r\" { slot = \"s\", when = { %s }, show = {} }\n",
			reach[i].condition);
		rules_open(&r, text, NULL);
		fw_facts_init(&r.facts, &r.arena, false);
		r.facts.profile_lost = true;
		fw_eval_begin(&r.decider.eval, &r.facts, &r.arena);
		enum fw_truth t = fw_eval_condition(&r.decider.eval, r.set->rules[0].when, &seen);
		fw_eval_end(&r.decider.eval);
		if ("-?+"[t] != reach[i].truth)
			fail_msg("{ %s } is %c, not %c", reach[i].condition, "-?+"[t], reach[i].truth);
		assert_int_equal(rules_run(&r), 0);
		assert_int_equal(r.decision.slots[0].n, reach[i].truth == '+');
		assert_true(r.decision.degraded);
		rules_finish(&r);
	}
}

/* Traits that are not for whoever asks: as if out of reach, and they alone. */
static void test_withheld_traits(void **state)
{
	(void)state;
	static const struct row withheld[] = {
		{ "traits = { a = unknown() }", "", '?' }, { "traits = { a = 'x' }", "", '?' }, { "traits = { a = is_not 'x' }", "", '?' },
		{ "function(v) return v.traits.a == nil end", "", '?' },
		{ "function(v) for k in pairs(v.traits) do end return true end", "", '?' },
		{ "event = { a = unknown() }", "", '+' }, { "engagement = { email = unknown() }", "", '+' },
		{ "days_since_order = unknown()", "", '+' },
	};
	for (size_t i = 0; i < sizeof withheld / sizeof *withheld; i++) {
		char text[1000];
		struct rules r;
		snprintf(text, sizeof text, "slot \"s\" { channel = \"web\" }\nrule \"r\" { slot = \"s\", when = { %s }, show = {} }\n",
			withheld[i].condition);
		rules_open(&r, text, NULL);
		fw_facts_init(&r.facts, &r.arena, true);
		r.facts.traits_withheld = true;
		assert_int_equal(rules_run(&r), 0);
		if (r.decision.slots[0].n != (withheld[i].truth == '+'))
			fail_msg("{ %s } is not %c", withheld[i].condition, withheld[i].truth);
		rules_finish(&r);
	}
}

static void test_kleene(void **state)
{
	(void)state;
	static const enum fw_truth all[] = { FW_FALSE, FW_UNKNOWN, FW_TRUE };
	static const char and[] = "---" "-??" "-?+", or[] = "-?+" "??+" "+++", not[] = "+?-";
	for (int a = 0; a < 3; a++) {
		assert_int_equal("-?+"[fw_not(all[a])], not[a]);
		for (int b = 0; b < 3; b++) {
			assert_int_equal("-?+"[fw_and(all[a], all[b])], and[a * 3 + b]);
			assert_int_equal("-?+"[fw_or(all[a], all[b])], or[a * 3 + b]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kleene),
		cmocka_unit_test(test_truth),
		cmocka_unit_test(test_out_of_reach),
		cmocka_unit_test(test_withheld_traits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
