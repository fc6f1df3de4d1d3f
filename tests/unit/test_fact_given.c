/* Visitors that somebody wrote down: what is taken, and what is refused with the fact's name and a hint. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fact/given.h"

static int read_visitor(const char *text, struct fw_arena *arena, struct fw_facts *facts, struct fw_error *err)
{
	static struct fw_zone_set *zones;
	struct fw_json *json;
	if (!zones)
		zones = fw_zone_set_create();
	fw_arena_init(arena, NULL, 0, 0);
	err->message[0] = err->hint[0] = '\0';
	assert_int_equal(fw_json_parse(arena, text, strlen(text), &json, err), 0);
	return fw_facts_given(facts, arena, json, fw_zone_find(zones, FW_STR("Europe/Berlin")), err);
}

static void test_refused(void **state)
{
	(void)state;
	static const struct { const char *visitor, *message, *hint; } rows[] = {
		{ "[1]", "visitor: an array where an object of facts was expected", "" },
		{ "\"x\"", "visitor: a string where", "" }, { "3", "visitor: a number where", "" }, { "null", "visitor: null where", "" },
		{ "{\"countri\":\"CA\"}", "countri: there is no such fact", "did you mean \"country\"?" },
		{ "{\"cart.total\":3}", "cart.total: there is no such fact", "" },
		{ "{\"country\":\"Canada\"}", "country: \"Canada\" is no country", "did you mean \"CA\"?" },
		{ "{\"country\":3}", "country: a number where text was expected", "" },
			{ "{\"device\":\"phone\"}", "device: device is never \"phone\"", "it is one of" },
		{ "{\"in_eu\":\"yes\"}", "in_eu: a string where true or false was expected", "" },
			{ "{\"visits\":\"3\"}", "visits: a string where a number", "" },
		{ "{\"visits\":[3]}", "visits: an array where a number", "" },
			{ "{\"hour\":24}", "hour: a number where a whole number from 0 to 23", "" },
		{ "{\"hour\":1.5}", "hour: a number where a whole number from 0 to 23", "" },
			{ "{\"weekday\":\"monday\"}", "weekday: a string where one of mon", "" },
		{ "{\"date\":\"2026-02-30\"}", "date: a string where an ISO date", "" },
			{ "{\"date\":\"2026-02-03T10:00\"}", "date: a string where an ISO date", "" },
		{ "{\"cart\":3}", "cart: a number where an object", "" }, { "{\"cart\":\"x\"}", "cart: a string where an object", "" },
			{ "{\"cart\":{\"totl\":3}}", "cart.totl: there is no such fact", "\"total\"" },
		{ "{\"cart\":{\"age\":\"old\"}}", "cart.age: a string where a duration", "" },
			{ "{\"cart\":{\"contains\":{\"term\":\"x\"}}}", "cart.contains.term: there is no such fact", "" },
		{ "{\"cart\":{\"contains\":{\"brand\":3}}}", "cart.contains.brand: a number where a list of names", "" },
		{ "{\"consent\":{\"email\":true}}", "consent: an object where a list of names", "" },
			{ "{\"consent\":[\"a\",1]}", "consent: a number where a list of names", "" },
		{ "{\"traits\":\"pro\"}", "traits: a string where an object", "" },
			{ "{\"traits\":[1]}", "traits: an array where an object", "" },
		{ "{\"engagement\":{\"email\":\"much\"}}", "engagement.email: a string where a number", "" },
		{ "{\"viewed\":-1}", "viewed: a number where a number from 0", "" },
			{ "{\"viewed\":{\"category\":\"a\"}}", "viewed: total is missing", "" },
		{ "{\"viewed\":{\"category\":3,\"total\":1}}", "viewed.category: a number where one text", "" },
			{ "{\"viewed\":{\"total\":\"1\"}}", "viewed.total: a string where a number from 0", "" },
		{ "{\"viewed\":{\"category\":\"a\",\"brand\":\"b\",\"total\":1}}",
			"viewed.brand: a string where one text (a query has at most one", "" },
		{ "{\"viewed\":{\"categori\":\"a\",\"total\":1}}", "viewed.categori: there is no such fact", "\"category\"" },
		{ "{\"viewed\":{\"within\":7,\"total\":1}}", "viewed.within: a number where a duration", "" },
			{ "{\"affinity\":{\"category\":\"a\"}}", "affinity: share is missing", "" },
		{ "{\"at\":\"noon\"}", "at: a string where a time", "" }, { "{\"at\":5}", "at: a number where a time", "" },
			{ "{\"wait\":3}", "wait: a number where a duration", "" },
		{ "{\"rollout\":101}", "rollout: a number where a number from 0 to 100", "" },
			{ "{\"rollout\":\"all\"}", "rollout: a string where", "" },
			{ "{\"segment\":3}", "segment: a number where a list of names", "" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct fw_arena arena;
		struct fw_facts facts;
		struct fw_error err;
		if (read_visitor(rows[i].visitor, &arena, &facts, &err) != FW_EINVAL)
			fail_msg("%s is taken", rows[i].visitor);
		if (strncmp(err.message, rows[i].message, strlen(rows[i].message)) != 0 || !strstr(err.hint, rows[i].hint))
			fail_msg("%s\n  gave     %s; %s\n  expected %s; %s", rows[i].visitor, err.message, err.hint, rows[i].message,
				rows[i].hint);
		fw_arena_finish(&arena);
	}
}

static void test_taken(void **state)
{
	(void)state;
	struct fw_arena arena;
	struct fw_facts f;
	struct fw_error err;
	assert_int_equal(read_visitor("{\"country\":null,\"city\":\"\",\"consent\":null,\"cart\":null,"
		"\"traits\":{\"a\":null,\"b\":\"\",\"c\":{},\"d\":[null,1,\"x\",{}]},"
		"\"viewed\":null,\"at\":null,\"rollout\":null,\"segment\":null,\"wait\":null,\"visits\":-0.0}", &arena, &f, &err), 0);
	assert_int_equal(fw_facts_single(&f, FW_FACT_COUNTRY)->state, FW_ABSENT);
	assert_int_equal(fw_facts_single(&f, FW_FACT_CITY)->state, FW_ABSENT);
	assert_int_equal(fw_facts_single(&f, FW_FACT_CONSENT)->state, FW_ABSENT);
	assert_int_equal(fw_facts_member(&f, FW_FACT_TRAIT, FW_STR("a"))->state, FW_ABSENT);
	assert_int_equal(fw_facts_member(&f, FW_FACT_TRAIT, FW_STR("b"))->state, FW_ABSENT);
	assert_int_equal(fw_facts_member(&f, FW_FACT_TRAIT, FW_STR("c"))->state, FW_ABSENT);
	assert_int_equal(fw_facts_member(&f, FW_FACT_TRAIT, FW_STR("d"))->n_items, 2);
	assert_false(f.segments_given || f.has_clock || f.n_answers);
	assert_true(f.has_point && f.point < 0);
	fw_arena_finish(&arena);

	assert_int_equal(read_visitor("{\"at\":\"2026-11-23T22:40\",\"wait\":\"1h\",\"rollout\":30,"
		"\"cart\":{\"age\":\"90m\",\"contains\":{\"brand\":\"Acme\"}},\"consent\":{},"
		"\"viewed\":[3,{\"category\":\"Boots\",\"within\":\"1w\",\"total\":2}],\"date\":\"2026-01-01\"}", &arena, &f, &err),
			FW_EINVAL);
	fw_arena_finish(&arena);
	assert_int_equal(read_visitor("{\"at\":\"2026-11-23T22:40\",\"wait\":\"1h\",\"rollout\":30,"
		"\"cart\":{\"age\":\"90m\",\"contains\":{\"brand\":\"Acme\"}},\"consent\":{},"
		"\"viewed\":[{\"total\":3},{\"category\":\"Boots\",\"within\":\"1w\",\"total\":2}],\"date\":\"1970-01-02\"}", &arena, &f,
			&err), 0);
	assert_int_equal(f.now_us, 1795473600LL * 1000000); /* 22:40 in Berlin is 21:40 UTC, and an hour later it is 22:40 */
	assert_true(f.has_clock && f.point == 30);
	assert_true(fw_facts_single(&f, FW_FACT_CART_AGE)->number == 5400 && fw_facts_single(&f, FW_FACT_DATE)->number == 1);
	assert_int_equal(fw_facts_single(&f, FW_FACT_CONSENT)->state, FW_KNOWN);
	assert_int_equal(fw_facts_single(&f, FW_FACT_CONSENT)->n_items, 0);
	assert_true(fw_str_is(fw_facts_single(&f, FW_FACT_CART_BRAND)->items[0].folded, "acme"));
	struct fw_query q = { .fact = FW_FACT_VIEWED, .key_kind = FW_KEY_CATEGORY, .key = FW_STR("boots"), .within_s = 604800 };
	assert_true(fw_facts_ask(&f, &q).number == 2);
	q.within_s = 86400;
	assert_int_equal(fw_facts_ask(&f, &q).state, FW_ABSENT);
	q = (struct fw_query){ .fact = FW_FACT_VIEWED, .within_s = 3600 };
	assert_true(fw_facts_ask(&f, &q).number == 3); /* a count without a window answers for all */
	fw_arena_finish(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_taken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
