/* Visitors with a history: what rules that ask for it decide, in tests of a rule file and in JSON; end to end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "decide/selftest.h"
#include "lib_rules.h"

static const char rules_text[] =
	"slot \"a\" { channel = \"web\", show_up_to = 100 }\n"
	"rule \"boots\" { slot = \"a\", when = { viewed = { category = \"Boots\", at_least = 2, within = \"7d\" } }, show = { a = 1 } }\n"
	"rule \"not-boots\" { slot = \"a\", when = { viewed = { category = \"boots\", at_most = 0 } }, show = { a = 1 } }\n"
	"rule \"cart\" { slot = \"a\", when = { cart = { total = at_least(50), contains = { brand = \"acme\" } } }, show = { a = 1 } }\n"
	"rule \"loves\" { slot = \"a\", when = { affinity = { category = \"boots\", at_least = 0.5 } }, show = { a = 1 } }\n"
	"rule \"bought\" { slot = \"a\", when = { bought = { product = \"p-1\" }, days_since_order = between(1, 9) }, show = { a = 1 } }\n"
	"rule \"new\" { slot = \"a\", when = { new_visitor = true, visits = at_most(1) }, show = { a = 1 } }\n"
	"rule \"hours\" { slot = \"a\", when = function(v) return v:viewed { brand = \"ACME\", within = \"2h\" } > 0 end, show = "
	"{ a = 1 } }\n"
	"test \"in Lua's shape\" { given = { events = { { \"Product Viewed\", category = \"boots\", ago = \"6d\" },\n"
	"  { \"Product Viewed\", category = \"Boots\", ago = \"2d\" } } }, expect = { a = { \"boots\", \"loves\" } } }\n"
	"test \"a name alone\" { given = { events = { { \"Cart Emptied\" } } }, expect = { a = { \"new\", \"not-boots\" } } }\n"
	"test \"an order\" { given = { events = { { \"Order Completed\", order_id = \"o\", ago = \"3d\", products = { { "
	"product_id = \"P-1\", quantity = 2 } } } } },\n"
	"  expect = { a = { \"bought\", \"not-boots\" } } }\n"
	"test \"no history, no value\" { given = {}, expect = { a = \"default\" } }\n"
	"test \"a fact by name wins\" { given = { visits = 7, events = {} }, expect = { a = { \"not-boots\" } } }\n";

static struct rules r;

static int begin(void **state)
{
	(void)state;
	rules_open(&r, rules_text, NULL);
	return 0;
}

static int end(void **state)
{
	(void)state;
	rules_finish(&r);
	return 0;
}

static void test_rule_file(void **state)
{
	(void)state;
	uint32_t run;
	int failed = fw_selftest_run(&r.decider, r.zones, NULL, &r.errors, &run);
	char text[1200];
	for (size_t i = 0; i < r.errors.n; i++)
		print_message("%s\n", fw_error_text(&r.errors.items[i], text, sizeof text));
	assert_int_equal(failed, 0);
	assert_int_equal(run, 5);
}

static void test_json(void **state)
{
	(void)state;
	assert_string_equal(rules_decide(&r, "{\"events\":[{\"event\":\"Product Added\",\"properties\":{\"category\":\"hats\","
		"\"brand\":\"Acme\","
		"\"product_id\":7,\"price\":\"30\",\"quantity\":2},\"ago\":\"1h\"}]}"), "a: cart{\"a\":1} not-boots{\"a\":1}");
	/* What happened a year ago and 23 hours is still of the first day of a window of whole days; with a clock, too. */
	assert_string_equal(rules_decide(&r, "{\"at\":\"2026-11-23T22:40Z\",\"wait\":\"1h\",\"events\":[{\"event\":\"Product Viewed\","
		"\"properties\":{\"brand\":\"acme\",\"category\":\"boots\"},\"ago\":\"1h\"}]}"), "a: loves{\"a\":1} hours{\"a\":1}");
	assert_string_equal(rules_decide(&r, "{\"events\":[{\"event\":\"Product Viewed\",\"properties\":{\"brand\":\"acme\","
		"\"category\":\"boots\"},"
		"\"ago\":\"3h\"}]}"), "a: loves{\"a\":1}");
}

static void test_refusals(void **state)
{
	(void)state;
	static const struct { const char *visitor, *message; } refused[] = {
		{ "{\"events\":7}", "events: a number where a list of events was expected" },
		{ "{\"events\":[7]}", "events.1: an event was expected" },
		{ "{\"events\":[{\"event\":\"x\"},{}]}", "events.2: a track event has no name: \"event\" is missing" },
		{ "{\"events\":[{\"event\":\"x\",\"ago\":\"2 days\"}]}", "events.1: ago is a duration such as \"2d\"" },
		{ "{\"events\":[{\"event\":\"x\",\"type\":\"trick\"}]}",
			"events.1: type is none of identify, track, page, screen, group, alias" },
	};
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		struct fw_json *json;
		struct fw_error err;
		fw_arena_reset(&r.arena);
		assert_int_equal(fw_json_parse(&r.arena, refused[i].visitor, strlen(refused[i].visitor), &json, &err), 0);
		assert_int_equal(fw_profile_given(&r.facts, &r.arena, json, r.set->zone, "EUR", &err), FW_EINVAL);
		assert_string_equal(err.message, refused[i].message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rule_file, begin, end),
		cmocka_unit_test_setup_teardown(test_json, begin, end),
		cmocka_unit_test_setup_teardown(test_refusals, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
