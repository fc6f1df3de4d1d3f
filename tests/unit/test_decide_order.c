/* Lists put in order: by what, what lifts and what lowers, pins, limits, what has no value, what is sold out, who must not see it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "decide/order.h"
#include "lib_products.h"
#include "lib_rules.h"

#define SLOT "slot 's' { channel = 'web' }\n"

/* The ids of what one list shows, in their order: "b a", with "!" before what is marked; or the reason why there is none. */
static const char *order_of(struct rules *r)
{
	static char said[400];
	char why[600];
	said[0] = '\0';
	if (rules_run(r) < 0)
		return "no decision";
	if (r->decision.slots[0].n == 0)
		return rules_reason(r, "r", why);
	struct fw_json *content;
	struct fw_str json = r->decision.slots[0].content;
	assert_int_equal(fw_json_parse(&r->arena, json.p, json.n, &content, NULL), 0);
	for (const struct fw_json *i = content->child->child; i; i = i->next) {
		struct fw_str id = i->type == FW_JSON_STRING ? i->string : fw_json_text(i, "id");
		snprintf(said + strlen(said), sizeof said - strlen(said), "%s%s%.*s", said[0] ? " " : "", fw_json_get(i, "mark") ? "!" : "",
			(int)id.n, id.p);
	}
	return said;
}

static const char *order_for(const char *items, const char *order, const char *visitor, const struct fw_products *products)
{
	char text[2000];
	struct rules r;
	snprintf(text, sizeof text, SLOT "rule 'r' { slot = 's', show = { products = order { items = { %s }, %s } } }\n", items, order);
	rules_open(&r, text, NULL);
	assert_int_equal(rules_visit(&r, visitor), 0);
	r.facts.products = products;
	const char *said = order_of(&r);
	rules_finish(&r);
	return said;
}

struct wanted {
	const char *items, *order, *visitor, *said;
};

static void assert_said(const struct wanted *wanted, size_t n, const struct fw_products *products)
{
	for (size_t i = 0; i < n; i++) {
		const struct wanted *w = &wanted[i];
		const char *said = order_for(w->items, w->order, w->visitor, products);
		if (strcmp(said, w->said) != 0)
			fail_msg("%s by %s for %s: \"%s\", not \"%s\"", w->items, w->order, w->visitor, said, w->said);
	}
}

#define ABC "{ id = 'a', n = 1, category = 'x', t = 'T' }, { id = 'b', n = 3, category = 'y' }, { id = 'c', category = { 'y', 'z' } }, " \
	"{ id = 'd', n = 2 }"
#define LIKES "{\"affinity\":[{\"category\":\"x\",\"share\":0.2},{\"category\":\"y\",\"share\":0.3},{\"category\":\"z\",\"share\":0.5}]"

static void test_orders(void **state)
{
	(void)state;
	static const struct wanted orders[] = {
		{ ABC, "limit = 9", "{}", "a b c d" },
		{ ABC, "by = 'n'", "{}", "b d a c" },
		{ ABC, "by = { n = -1 }", "{}", "a d b c" },               /* what has no number is last either way */
		{ ABC, "by = 'price'", "{}", "a b c d" },                  /* nobody knows any */
		{ ABC, "by = 'affinity'", LIKES "}", "c b a d" },          /* of two categories the one that is liked best */
		{ ABC, "by = { affinity = -1 }", LIKES "}", "a b c d" },   /* d has no category: that is 0, too */
		{ ABC, "by = 'affinity'", "{}", "a b c d" },
		{ ABC, "by = { 'affinity', 'n' }", "{}", "b d a c" },      /* the next decides between equal ones */
		{ ABC, "by = { 'affinity', 'n' }", LIKES "}", "c b a d" },
		{ ABC, "by = { affinity = 1, n = 1 }", LIKES "}", "b d c a" }, /* 1.3, 0.5, 0.5 without a number, 0.2 */
		{ ABC, "by = { affinity = 4, n = 1 }", LIKES "}", "b c a d" },
		{ ABC, "by = 'viewed'", "{\"viewed\":[{\"product\":\"d\",\"total\":1},{\"product\":\"b\",\"total\":7}]}", "b d a c" },
		{ ABC, "by = { viewed = -1 }", "{\"events\":[{\"event\":\"Product Viewed\",\"properties\":{\"product_id\":\"a\"}}]}",
			"b c d a" },
		{ ABC, "by = 'affinity.product'", "{\"affinity\":{\"product\":\"D\",\"share\":1}}", "d a b c" },
		{ ABC, "boost = { { where = { category = 'Y' }, by = 1 } }", "{}", "b c a d" },
		{ ABC, "boost = { { where = { category = 'y' }, by = -1 } }", "{}", "a d b c" },
		/* d has none: unknown is never yes */
		{ ABC, "boost = { { where = { category = is_not 'y' }, by = 1 } }", "{}", "a b c d" },
		{ ABC, "boost = { { where = { category = unknown() }, by = 1 } }", "{}", "d a b c" },
		{ ABC, "boost = { { where = { n = at_least(2), category = known() }, by = 1 } }", "{}", "b a c d" },
		{ ABC, "boost = { { where = { t = 't' }, by = -1 } }", "{}", "b c d a" },
		{ ABC, "by = 'n', boost = { { where = { id = 'a' }, by = 0.6 } }", "{}", "b a d c" },
		{ ABC, "by = 'n', boost = { { where = { id = 'a' }, by = 0.6 }, { where = { n = 1 }, by = 0.5 } }", "{}", "a b d c" },
		{ ABC, "boost = { { where = { id = 'd' }, when = { country = 'CA' }, by = 1 } }", "{\"country\":\"CA\"}", "d a b c" },
		{ ABC, "boost = { { where = { id = 'd' }, when = { country = 'CA' }, by = 1 } }", "{\"country\":\"NO\"}", "a b c d" },
		{ ABC, "boost = { { where = { id = 'd' }, when = { country = is_not 'CA' }, by = 1 } }", "{}", "a b c d" },
		{ ABC, "boost = { { where = { id = 'd' }, when = function(v) return v.country == 'CA' end, by = 1 } }",
			"{\"country\":\"CA\"}", "d a b c" },
		{ ABC, "boost = { { where = { viewed = at_least(2) }, by = 1, mark = 'mark' } }",
			"{\"viewed\":[{\"product\":\"d\",\"total\":2},{\"product\":\"b\",\"total\":1}]}", "!d a b c" },
		{ ABC, "boost = { { where = { viewed = false }, by = 1 } }", "{}", "a b c d" }, /* it is not known */
		{ ABC, "boost = { { where = { affinity = at_least(0.3) }, mark = 'mark' } }", LIKES "}", "a !b !c d" },
		{ ABC, "by = 'n', pins = { 'c' }", "{}", "c b d a" },
		{ ABC, "by = 'n', pins = { [2] = 'A', [4] = 'b' }", "{}", "d a c b" },
		{ ABC, "by = 'n', pins = { [3] = 'c' }, limit = 3", "{}", "b d c" },
		{ ABC, "by = 'n', limit = 2", "{}", "b d" },
		{ ABC, "by = 'affinity', names = { category = 't' }", "{\"affinity\":{\"category\":\"t\",\"share\":1}}", "a b c d" },
	};
	assert_said(orders, sizeof orders / sizeof *orders, NULL);
}

static const char feed[] =
	"{\"id\":\"A\",\"availability\":\"in_stock\",\"price\":40,\"product_type\":\"Shoes > Boots\"}\n"
	"{\"id\":\"b\",\"availability\":\"out_of_stock\",\"price\":10}\n"
	"{\"id\":\"c\",\"availability\":\"preorder\",\"price\":20,\"brand\":\"Acme\"}\n"
	"{\"id\":\"d\",\"availability\":\"in_stock\",\"brand\":\"Acme\"}\n";

static void test_products(void **state)
{
	(void)state;
	static const struct wanted orders[] = {
		{ "'a', 'b', 'c', 'd'", "by = 'price'", "{}", "c a d" },
		{ "'a', 'b', 'c', 'd'", "by = { price = -1 }", "{}", "a c d" },
		{ "'a', 'b', 'c', 'd', 'e'", "by = 'price', limit = 2", "{}", "c a" },    /* what is sold out takes no place */
		{ "'a', 'b', 'c', 'd'", "by = 'price', pins = { 'b', [2] = 'd' }", "{}", "c d a" },
		{ "'c', 'a', 'd'", "by = { 'in_stock', 'price' }", "{}", "a d c" },
		{ "'a', 'c', 'd'", "boost = { { where = { brand = 'acme', in_stock = true }, by = 1 } }", "{}", "d a c" },
		{ "'c', 'd', 'a'", "by = 'affinity'", "{\"affinity\":{\"category\":\"boots\",\"share\":0.4}}", "a c d" },
		{ "'a', 'c', 'd'", "by = 'affinity.brand'", "{\"affinity\":{\"brand\":\"acme\",\"share\":0.4}}", "c d a" },
		{ "{ id = 'a', price = 5 }, { id = 'c' }, { id = 'd', price = 30 }", "by = 'price'", "{}", "a c d" },
			/* what is written counts */
		{ "'b', 'e'", "by = 'price'", "{}", "out_of_stock" },
		{ "{ id = 'x', product = 'b' }, { id = 'a' }", "limit = 5", "{}", "a" },
		{ "{ id = 'x', product = { id = 'b' } }, { id = 'd', product_id = 'B' }, { id = 'a' }", "limit = 5", "{}", "a" },
		/* What is deeper is looked for once the list is in order. */
		{ "{ id = 'a', with = { product = 'b' } }, { id = 'c' }, { id = 'd' }", "limit = 2", "{}", "c" },
		{ "{ id = 'a', product = { id = 'd', product = 'b' } }, { id = 'c' }", "limit = 5", "{}", "c" },
		{ "{ id = 'a', with = { products = { 'b' } } }", "limit = 5", "{}", "out_of_stock" },
		{ "'a', 'd'", "limit = 5", "{\"in_stock\":{\"product\":\"a\",\"is\":false}}", "d" },
	};
	struct products s;
	products_open(&s, feed);
	assert_said(orders, sizeof orders / sizeof *orders, &s.products);
	products_finish(&s);
}

/* Products beside the list are looked for as in any content, and in what an item has as well. */
static void test_beside(void **state)
{
	(void)state;
	static const struct { const char *show, *decided; } contents[] = {
		{ "{ products = order { items = { 'b', 'd' } }, hero = 1 }", "s: r{\"hero\":1,\"products\":[\"d\"]}" },
		{ "{ products = order { items = { 'b', 'd' } }, hero = { product = 'a' } }",
			"s: r{\"hero\":{\"product\":\"a\"},\"products\":[\"d\"]}" },
		{ "{ products = order { items = { 'b', 'd' } }, hero = { product = 'b' } }", "s:" },
		{ "{ l = order { items = { { n = 1 } } }, r = { { product_id = 'b' }, { product_id = 'a' } } }",
			"s: r{\"l\":[{\"n\":1}],\"r\":[{\"product_id\":\"a\"}]}" },
		{ "{ l = order { items = { { more = { products = { 'b', 'a' } } }, { products = { 'c' } } } } }",
			"s: r{\"l\":[{\"more\":{\"products\":[\"a\"]}},{\"products\":[\"c\"]}]}" },
		{ "{ a = order { items = { { n = 1 } } }, product = 'b', products = order { items = { 'd' } } }", "s:" },
	};
	struct products s;
	products_open(&s, feed);
	for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
		struct rules r;
		char text[400];
		snprintf(text, sizeof text, SLOT "rule 'r' { slot = 's', show = %s }\n", contents[i].show);
		rules_open(&r, text, NULL);
		assert_int_equal(rules_visit(&r, "{}"), 0);
		r.facts.products = &s.products;
		assert_int_equal(rules_run(&r), 0);
		assert_string_equal(rules_winners(&r), contents[i].decided);
		rules_finish(&r);
	}
	products_finish(&s);
}

/* The rest of the content stays, several lists are put in order, and marks stand among the members by their names. */
static void test_content(void **state)
{
	(void)state;
	struct rules r;
	rules_open(&r, SLOT "rule 'r' { slot = 's', show = { z = list {}, a = 1, rows = { { l = order { items = {\n"
		"  { id = 'a', ['k\"'] = '},{' }, { id = 'b', n = { 1, { x = 2 } } }, {} },\n"
		"  boost = { { where = { id = 'b' }, by = 1, mark = 'a\"z' }, { where = { id = known() }, mark = 'm' },\n"
		"  { where = { id = unknown() }, by = 2, mark = 'zz' }, { where = { id = unknown() }, mark = 'aa' } } } },\n"
		"  { l = order { items = { { n = 1 }, { n = 2 } }, by = 'n' }, m = { 'x' } } } } }\n", NULL);
	assert_string_equal(rules_decide(&r, "{}"), "s: r{\"a\":1,\"rows\":[{\"l\":[{\"aa\":true,\"zz\":true},"
		"{\"a\\\"z\":true,\"id\":\"b\",\"m\":true,\"n\":[1,{\"x\":2}]},{\"id\":\"a\",\"k\\\"\":\"},{\",\"m\":true}]},"
		"{\"l\":[{\"n\":2},{\"n\":1}],\"m\":[\"x\"]}],\"z\":[]}");
	rules_finish(&r);
}

static const char law[] = "guard 'g' { applies = { uses = 'behaviour' }, require = { consent = 'personalization' }, because = 'B' }\n"
	"guard 'p' { applies = { uses = 'profile' }, forbid = { country = 'XX' }, because = 'P' }\n";

/* A guard sees what an order reads before it is made, and what a function of a boost reads once it has run. */
static void test_guards(void **state)
{
	(void)state;
	char why[600];
	struct rules r;
	rules_open(&r, SLOT "rule 'r' { slot = 's', show = { l = order { items = { " ABC " }, by = 'affinity' } } }\n"
		"rule 'plain' { slot = 's', priority = -1, show = { l = { { id = 'written' } } } }\n", law);
	assert_int_equal(rules_visit(&r, LIKES ",\"consent\":[\"personalization\"]}"), 0);
	assert_string_equal(order_of(&r), "c b a d");
	assert_int_equal(rules_visit(&r, LIKES ",\"consent\":[]}"), 0);
	assert_string_equal(order_of(&r), "written");
	assert_string_equal(rules_reason(&r, "r", why), "vetoed");
	assert_string_equal(why, "g");
	rules_finish(&r);
	rules_open(&r, SLOT "rule 'r' { slot = 's', show = { l = order { items = { " ABC " },\n"
		"  boost = { { where = { id = 'd' }, when = function(v) return v.traits.plan == 'pro' end, by = 1 } } } } }\n", law);
	assert_string_equal(rules_explain(&r, "r", "{\"country\":\"CA\",\"traits\":{\"plan\":\"pro\"}}", why), "won");
	assert_string_equal(rules_explain(&r, "r", "{\"traits\":{\"plan\":\"pro\"}}", why), "vetoed");
	assert_string_equal(why, "p");
	rules_finish(&r);
	/* Whose history is out of reach, because he wants none kept, reads the list as it is written: where no guard forbids it. */
	rules_open(&r, SLOT "rule 'r' { slot = 's', show = { l = order { items = { " ABC " }, by = 'affinity' } } }\n", NULL);
	assert_int_equal(rules_visit(&r, "{\"events\":[{\"event\":\"Product Viewed\",\"properties\":{\"category\":\"z\"},"
		"\"context\":{\"consent\":{\"categoryPreferences\":{\"analytics\":false}}}}]}"), 0);
	assert_string_equal(order_of(&r), "a b c d");
	rules_finish(&r);
}

/* A function that fails takes the rule with it, as one in `show` does. */
static void test_failure(void **state)
{
	(void)state;
	char why[600];
	struct rules r;
	rules_open(&r, SLOT "rule 'r' { slot = 's', show = { l = order { items = { " ABC " },\n"
		"  boost = { { where = { id = 'd' }, when = function(v) error 'no way' end, by = 1 } } } } }\n", NULL);
	assert_string_equal(rules_explain(&r, "r", "{}", why), "failed");
	assert_non_null(strstr(why, "no way"));
	rules_finish(&r);
}

/* Two hundred items with every kind of value: in order, each once, whatever memory there is. */
static void test_many(void **state)
{
	(void)state;
	static char text[40000];
	struct rules r;
	size_t n = (size_t)snprintf(text, sizeof text,
		SLOT "rule 'r' { slot = 's', show = { l = order { by = { 'm', { n = 1 } }, limit = 150, items = {");
	for (int i = 0; i < FW_LIMIT_ORDER_ITEMS; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "{ id = 'i%d', m = %d, n = %d },", i, i * 7919 % 10, i * 104729 % 1000);
	snprintf(text + n, sizeof text - n, "} } } }\n");
	rules_open(&r, text, NULL);
	assert_int_equal(rules_visit(&r, "{}"), 0);
	assert_int_equal(rules_run(&r), 0);
	struct fw_json *content, *last = NULL;
	struct fw_str json = r.decision.slots[0].content;
	assert_int_equal(fw_json_parse(&r.arena, json.p, json.n, &content, NULL), 0);
	assert_int_equal(content->child->count, 150);
	for (struct fw_json *i = content->child->child; i; last = i, i = i->next) {
		double m = fw_json_get(i, "m")->number, k = fw_json_get(i, "n")->number;
		assert_true(!last || fw_json_get(last, "m")->number > m ||
			(fw_json_get(last, "m")->number == m && fw_json_get(last, "n")->number >= k));
	}
	char why[600];
	const size_t unbound = r.arena.limit;
	for (size_t limit = 1; limit < 200000; limit += 997) { /* there is an answer, or the rule fails; nothing else */
		assert_int_equal(rules_visit(&r, "{}"), 0);
		r.arena.limit = r.arena.used + limit;
		const char *reason = rules_reason(&r, "r", why);
		assert_true(!reason || strcmp(reason, "won") == 0 || (strcmp(reason, "failed") == 0 && strstr(why, "memory is used up")));
		r.arena.limit = unbound;
	}
	rules_finish(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_orders),
		cmocka_unit_test(test_products),
		cmocka_unit_test(test_beside),
		cmocka_unit_test(test_content),
		cmocka_unit_test(test_guards),
		cmocka_unit_test(test_failure),
		cmocka_unit_test(test_many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
