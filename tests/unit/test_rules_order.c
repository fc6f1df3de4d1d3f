/* `order { … }` in what a rule shows: what may stand in it, what is wrong with it and on which line, and what it reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lib_rules.h"
#include "rules/order.h"

#define SLOT "slot 's' { channel = 'web' }\n"
#define ITEMS "items = { { id = 'a', category = 'x', n = 1 }, { id = 'b', category = 'y', n = 2 }, { id = 'c', title = 'C' } }"

static void test_mistakes(void **state)
{
	(void)state;
	static const char *const wrong[][2] = {
		{ "{ l = order 'a' }", "order takes a table" },
		{ "order { " ITEMS " }", "the list has no name" },
		{ "{ l = order {} }", "content at l: an order has a list of items" },
		{ "{ l = order { items = 'a' } }", "an order has a list of items" },
		{ "{ l = order { items = {} } }", "and this has none" },
		{ "{ l = order { items = { id = 'a' } } }", "and this has none" },
		{ "{ l = order { items = { 'a', x = 'b' } } }", "the items are no list" },
		{ "{ l = order { items = { 'a' } } }", "show.l.items: a list of products' ids is called products" },
		{ "{ l = order { items = { { id = 'a' }, 3 } } }", "item 2 is a number" },
		{ "{ l = order { items = { { x = order { " ITEMS " } } } } }", "order is no content" },
		{ "{ l = order { " ITEMS ", buy = 'affinity' } }", "show.l.buy: an order has no such field; did you mean \"by\"?" },
		{ "{ l = order { " ITEMS ", 'affinity' } }", "a value stands without a name" },
		{ "{ l = order { " ITEMS ", by = 'afinity' } }", "no item has \"afinity\"; did you mean \"affinity\"?" },
		{ "{ l = order { " ITEMS ", by = 'titel' } }", "no item has \"titel\"; did you mean \"title\"?" },
		{ "{ l = order { " ITEMS ", by = 'title' } }", "\"title\" of item 3 (\"c\") is no number" },
		{ "{ l = order { " ITEMS ", by = 'category' } }", "category is no number" },
		{ "{ l = order { " ITEMS ", by = {} } }", "it names nothing" },
		{ "{ l = order { " ITEMS ", by = 3 } }", "or names with weights, not a number" },
		{ "{ l = order { " ITEMS ", by = { n = 0 } } }", "show.l.by.n: a weight of 0 says nothing" },
		{ "{ l = order { " ITEMS ", by = { n = 'x' } } }", "a number from -1000 to 1000 was expected, not text" },
		{ "{ l = order { " ITEMS ", by = { n = 1001 } } }", "not one beyond" },
		{ "{ l = order { " ITEMS ", by = { 'n', 'n', 'n', 'n', 'n' } } }", "more than 4 one after the other" },
		{ "{ l = order { " ITEMS ", by = { 'n', [4] = 'n', [5] = 'n', [6] = 'n', [7] = 'n' } } }",
			"more than 4 one after the other" },
		{ "{ l = order { " ITEMS ", by = { 'n', id = 2 } } }", "show.l.by.id: a weight stands beside a list" },
		{ "{ l = order { " ITEMS ", by = { { 'n', n = 2 } } } }", "show.l.by.#1.#1: a weight stands without a name" },
		{ "{ l = order { items = { { x = 1 } }, by = 'price' } }", "no item tells its price; if they call it something else" },
		{ "{ l = order { items = { { x = 1 } }, by = 'affinity' } }", "no item tells its category" },
		{ "{ l = order { items = { { x = 1 } }, by = 'viewed' } }", "no item has an id to know it by" },
		{ "{ l = order { " ITEMS ", names = { categoy = 'x' } } }", "there is no attribute \"categoy\" to be named" },
		{ "{ l = order { " ITEMS ", boost = { where = { n = 1 }, by = 1 } } }", "boost is a list of tables" },
		{ "{ l = order { " ITEMS ", boost = { {} } } }", "show.l.boost.#1: by how much is it boosted?" },
		{ "{ l = order { " ITEMS ", boost = { { by = 1 } } } }", "which items is it for?" },
		{ "{ l = order { " ITEMS ", boost = { { where = {}, by = 1 } } } }", "where names nothing" },
		{ "{ l = order { " ITEMS ", boost = { { were = {}, by = 1 } } } }", "did you mean \"where\"?" },
		{ "{ l = order { " ITEMS ", boost = { { where = { m = 1 }, by = 1 } } } }", "show.l.boost.#1.where.m: no item has \"m\"" },
		{ "{ l = order { " ITEMS ", boost = { { where = { n = 1 }, by = 0 } } } }", "to boost by 0 does nothing" },
		{ "{ l = order { " ITEMS ", boost = { { where = { affinity = 'x' }, by = 1 } } } }", "affinity is a share from 0 to 1" },
		{ "{ l = order { " ITEMS ", boost = { { where = { affinity = at_least(2) }, by = 1 } } } }",
			"affinity is a share from 0 to 1" },
		{ "{ l = order { " ITEMS ", boost = { { where = { in_stock = 1 }, by = 1 } } } }", "in_stock is true or false" },
		{ "{ l = order { " ITEMS ", boost = { { where = { price = 'x' }, by = 1 } } } }", "price is an amount of money" },
		{ "{ l = order { " ITEMS ", boost = { { where = { n = { at_least = 1 } }, by = 1 } } } }",
			"n takes a value or a list of values" },
		{ "{ l = order { " ITEMS ", boost = { { where = { n = 1 }, when = { contry = 'CA' }, by = 1 } } } }",
			"did you mean \"country\"?" },
		{ "{ l = order { " ITEMS ", boost = { { where = { n = 1 }, mark = 'id' } } } }", "item 1 has \"id\" already" },
		{ "{ products = order { items = { 'a' }, boost = { { where = { price = 1 }, mark = 'm' } } } }",
			"is an id, and cannot be marked" },
		{ "{ l = order { " ITEMS ", pins = 'a' } }", "pins are ids of items" },
		{ "{ l = order { " ITEMS ", pins = { 'd' } } }", "there is no item \"d\"" },
		{ "{ l = order { " ITEMS ", pins = { [4] = 'a' } } }", "there are only 3 places" },
		{ "{ l = order { " ITEMS ", limit = 1, pins = { [2] = 'a' } } }", "there are only 1 places" },
		{ "{ l = order { " ITEMS ", pins = { 'a', 'A' } } }", "\"A\" is pinned to two places" },
		{ "{ l = order { " ITEMS ", limit = 0 } }", "a whole number from 1 was expected" },
		{ "function(v) return { l = order { " ITEMS " } } end", NULL },
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		char text[600], said[1200] = "";
		struct rules r;
		snprintf(text, sizeof text, SLOT "rule 'r' { slot = 's', show = %s }\n", wrong[i][0]);
		int rc = rules_load(&r, text, NULL);
		if (rc < 0)
			fw_error_text(&r.errors.items[0], said, sizeof said);
		if (wrong[i][1] ? rc != FW_EINVAL || !strstr(said, wrong[i][1]) || strncmp(said, "a.lua:2: ", 9) != 0 : rc != 0)
			fail_msg("%s: \"%s\" was expected, not \"%s\"", wrong[i][0], wrong[i][1] ? wrong[i][1] : "no error", said);
		rules_finish(&r);
	}
}

/* The line is that of what is wrong, however deep it stands. */
static void test_lines(void **state)
{
	(void)state;
	char said[1200];
	struct rules r;
	assert_int_equal(rules_load(&r,
		SLOT "rule 'r' {\n  slot = 's',\n  show = {\n    rows = { {\n      l = order {\n        " ITEMS ",\n"
		"        boost = {\n          { where = { n = 1 }, by = 1 },\n          { where = { n = 2 },\n            by = 'x' },\n"
		"        },\n      },\n    } },\n  },\n}\n", NULL), FW_EINVAL);
	fw_error_text(&r.errors.items[0], said, sizeof said);
	assert_non_null(strstr(said, "a.lua:11: rule \"r\": show.rows.#1.l.boost.#2.by: a number"));
	rules_finish(&r);
}

/* Elsewhere it is no content, and what functions make is refused with the way to do it. */
static void test_elsewhere(void **state)
{
	(void)state;
	char why[600];
	struct rules r;
	assert_int_equal(rules_load(&r, "slot 's' { channel = 'web', default = { l = order { " ITEMS " } } }\n", NULL), FW_EINVAL);
	assert_non_null(strstr(r.errors.items[0].message, "order is no content"));
	rules_finish(&r);
	assert_int_equal(rules_load(&r, "rule 'm' { channel = 'log', on = 'x', send = { l = order { " ITEMS " } } }\n", NULL), FW_EINVAL);
	assert_non_null(strstr(r.errors.items[0].hint, "in a rule's `show`"));
	rules_finish(&r);
	rules_open(&r, SLOT "rule 'r' { slot = 's', show = function(v) return { l = order { " ITEMS " } } end }\n", NULL);
	assert_string_equal(rules_explain(&r, "r", "{}", why), "failed");
	assert_non_null(strstr(why, "table.sort"));
	rules_finish(&r);
}

/* Content that has such names already is what it was, and a file may have variables of that name. */
static void test_names_stay(void **state)
{
	(void)state;
	struct rules r;
	rules_open(&r, "slot 's' { channel = 'web', show_up_to = 3 }\nlocal order = 'affinity'\n"
		"rule 'a' { slot = 's', show = { stories = { 'b', 'a' }, order = 'affinity', boost = { { by = 2 } }, limit = 1 } }\n"
		"rule 'b' { slot = 's', show = { order = order } }\n", NULL);
	assert_string_equal(rules_decide(&r, "{}"),
		"s: a{\"boost\":[{\"by\":2}],\"limit\":1,\"order\":\"affinity\",\"stories\":[\"b\",\"a\"]} "
		"b{\"order\":\"affinity\"}");
	assert_null(r.set->rules[0].show.ordering);
	rules_finish(&r);
}

/* What an order reads counts as declared: a guard on it sees the rule, with the boosts' conditions and the segments in them. */
static void test_uses(void **state)
{
	(void)state;
	static const struct { const char *order; unsigned uses; } orders[] = {
		{ "by = 'n'", 0 },
		{ "by = 'price'", 0 },
		{ "by = 'affinity'", FW_USES_BEHAVIOUR },
		{ "boost = { { where = { viewed = true }, by = -1 } }", FW_USES_BEHAVIOUR },
		{ "boost = { { where = { n = 1 }, when = { country = 'CA' }, by = 1 } }", FW_USES_GEOGRAPHY },
		{ "boost = { { where = { n = 1 }, when = { segment = 'often' }, by = 1 } }", FW_USES_BEHAVIOUR },
	};
	for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
		char text[600];
		struct rules r;
		snprintf(text, sizeof text, SLOT "segment 'often' { when = { visits = at_least(9) } }\n"
			"rule 'r' { slot = 's', show = { l = order { " ITEMS ", %s } } }\n", orders[i].order);
		rules_open(&r, text, NULL);
		assert_int_equal(r.set->rules[0].uses, orders[i].uses);
		assert_int_equal(r.set->rules[0].specificity, 0);
		rules_finish(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_elsewhere),
		cmocka_unit_test(test_names_stay),
		cmocka_unit_test(test_uses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
