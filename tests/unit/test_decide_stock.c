/* Products in conditions, in three values; and what is sold out is neither shown nor sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "decide/stock.h"
#include "lib_products.h"
#include "lib_rules.h"

static const char feed[] =
	"{\"id\":\"B-7\",\"title\":\"Boots\",\"availability\":\"in_stock\",\"price\":90,\"brand\":\"Acme\","
	"\"product_type\":\"Shoes > Boots\"}\n"
	"{\"id\":\"L-1\",\"availability\":\"out_of_stock\",\"price\":40}\n"
	"{\"id\":\"T-4\",\"availability\":\"preorder\"}\n";

/* The truth of a condition for somebody who has the catalogue before him: "true", "false" or "unknown". */
static const char *truth_of(struct products *s, const char *condition, const char *visitor)
{
	char text[600], why[600];
	struct rules r;
	snprintf(text, sizeof text, "slot \"s\" { channel = \"web\" }\nrule \"r\" { slot = \"s\", when = %s, show = { a = 1 } }\n"
		"rule \"n\" { slot = \"s\", when = none { %s }, priority = -1, show = { a = 2 } }\n", condition, condition);
	rules_open(&r, text, NULL);
	assert_int_equal(rules_visit(&r, visitor), 0);
	r.facts.products = s ? &s->products : NULL;
	const char *reason = rules_reason(&r, "r", why), *truth = strcmp(reason, "won") == 0 ? "true" : strcmp(reason, "unknown") == 0
		? "unknown" : strcmp(reason, "not_matched") == 0 ? "false" : reason;
	/* The index says the same, and so does the negation. */
	const char *other = rules_reason(&r, "n", why);
	assert_string_equal(strcmp(truth, "false") == 0 ? "won" : strcmp(truth, "true") == 0 ? "not_matched" : "unknown", other);
	assert_int_equal(rules_run(&r), 0);
	assert_string_equal(rules_winners(&r), strcmp(truth, "true") == 0 ? "s: r{\"a\":1}" : strcmp(truth, "false") == 0
		? "s: n{\"a\":2}" : "s:");
	rules_finish(&r);
	return truth;
}

static void test_conditions(void **state)
{
	(void)state;
	static const char *const conditions[][2] = {
		{ "{ in_stock = { product = 'b-7' } }", "true" },
		{ "{ in_stock = { product = 'L-1' } }", "false" },
		{ "{ in_stock = { product = 'T-4' } }", "false" },
		{ "{ in_stock = { product = 'nowhere' } }", "unknown" },
		{ "{ in_stock = is_not { product = 'L-1' } }", "true" },
		{ "{ in_stock = is_not { product = 'nowhere' } }", "unknown" },
		{ "{ in_stock = { product = 'L-1', is = false } }", "true" },
		{ "{ in_stock = { product = 'nowhere', is = unknown() } }", "true" },
		{ "{ in_stock = { product = 'B-7', is = known() } }", "true" },
		{ "{ price = { product = 'B-7', at_most = 90 } }", "true" },
		{ "{ price = { product = 'B-7', at_least = 90.5 } }", "false" },
		{ "{ price = { product = 'B-7', is = between(80, 100) } }", "true" },
		{ "{ price = { product = 'B-7', is = less_than(90) } }", "false" },
		{ "{ price = { product = 'T-4', at_most = 90 } }", "unknown" },
		{ "{ category = { product = 'B-7', is = 'BOOTS' } }", "true" },
		{ "{ category = { product = 'B-7', is = all_of { 'boots', 'shoes' } } }", "true" },
		{ "{ category = { product = 'B-7', is = { 'lamps', 'tents' } } }", "false" },
		{ "{ category = { product = 'L-1', is = 'lamps' } }", "unknown" },
		{ "{ brand = { product = 'B-7', is = 'acme' } }", "true" },
		{ "{ brand = { product = 'B-7', is = is_not 'acme' } }", "false" },
		{ "{ brand = { product = 'B-7', is = starts_with 'ac' } }", "true" },
		{ "{ in_stock = { product = 'B-7' }, price = { product = 'B-7', at_most = 50 } }", "false" },
		{ "any { in_stock = { product = 'nowhere' }, brand = { product = 'B-7', is = 'acme' } }", "true" },
	};
	struct products s;
	products_open(&s, feed);
	for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++) {
		const char *truth = truth_of(&s, conditions[i][0], "{}");
		if (strcmp(truth, conditions[i][1]) != 0)
			fail_msg("%s is %s, not %s", conditions[i][0], truth, conditions[i][1]);
	}
	/* Whoever writes a visitor down says what his world sells; without a catalogue nothing has a value. */
	assert_string_equal(truth_of(&s, "{ in_stock = { product = 'L-1' } }", "{\"in_stock\":{\"product\":\"l-1\",\"is\":true}}"), "true");
	assert_string_equal(truth_of(NULL, "{ in_stock = { product = 'B-7' } }", "{}"), "unknown");
	assert_string_equal(truth_of(NULL, "{ price = { product = 'B-7', at_most = 5 } }",
		"{\"price\":[{\"product\":\"A\",\"is\":1},{\"product\":\"B-7\",\"is\":5}]}"), "true");
	assert_string_equal(truth_of(NULL, "{ category = { product = 'B-7', is = 'boots' } }",
		"{\"category\":{\"product\":\"B-7\",\"is\":[\"Boots\",\"Shoes\"]},"
		"\"brand\":{\"product\":\"B-7\",\"is\":\"Acme\"}}"), "true");
	products_finish(&s);
}

static void test_mistakes(void **state)
{
	(void)state;
	static const char *const wrong[][2] = {
		{ "{ in_stock = true }", "in_stock is asked of a product" },
		{ "{ in_stock = {} }", "in_stock is asked of a product, and names none" },
		{ "{ in_stock = { product = 7 } }", "a product is named by its id" },
		{ "{ in_stock = { produkt = 'B-7' } }", "in_stock has no \"produkt\"" },
		{ "{ in_stock = { product = 'B-7', at_least = 1 } }", "in_stock has no \"at_least\"" },
		{ "{ in_stock = { product = 'B-7', is = 'yes' } }", "in_stock is true or false" },
		{ "{ price = { product = 'B-7' } }", "what is price to be?" },
		{ "{ price = { product = 'B-7', at_most = '5' } }", "at_most is an amount of money" },
		{ "{ price = { product = 'B-7', at_least = 5, at_most = 4 } }", "at_least is greater than at_most" },
		{ "{ price = { product = 'B-7', at_least = 5, is = 4 } }", "do not go with is" },
		{ "{ category = { product = 'B-7', is = at_least(3) } }", "category is a set" },
		{ "{ brand = { product = 'B-7', is = all_of { 'a' } } }", "brand has one value" },
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		char text[300];
		struct rules r;
		snprintf(text, sizeof text, "slot \"s\" { channel = \"web\" }\nrule \"r\" { slot = \"s\", when = %s, show = {} }\n",
			wrong[i][0]);
		assert_int_equal(rules_load(&r, text, NULL), FW_EINVAL);
		if (!strstr(r.errors.items[0].message, wrong[i][1]))
			fail_msg("%s: \"%s\" was expected, not \"%s\"", wrong[i][0], wrong[i][1], r.errors.items[0].message);
		rules_finish(&r);
	}
}

static void test_functions(void **state)
{
	(void)state;
	struct products s;
	struct rules r;
	products_open(&s, feed);
	rules_open(&r, "slot 's' { channel = 'web', show_up_to = 9 }\n"
		"rule 'all' { slot = 's', show = function(v) return {\n"
		"  n = v:price { product = 'B-7' }, stock = v:in_stock { product = 'b-7' }, brand = v:brand { product = 'B-7' },\n"
		"  boots = v:category { product = 'B-7' }.boots, none = v:price { product = 'nowhere' } } end }\n"
		"rule 'unknown' { slot = 's', when = function(v) return not v:in_stock { product = 'nowhere' } end, show = { a = 1 } }\n"
		"rule 'none' { slot = 's', when = function(v) return not v:in_stock { product = v.event.product_id } end,\n"
		"  show = { a = 1 } }\n"
		"rule 'wrong' { slot = 's', when = function(v) return v:in_stock 'B-7' end, show = { a = 1 } }\n"
		"rule 'yes' { slot = 's', when = function(v) return v:in_stock { product = 'B-7' } end, show = { a = 2 } }\n", NULL);
	char why[600];
	assert_int_equal(rules_visit(&r, "{}"), 0);
	r.facts.products = &s.products;
	assert_int_equal(rules_run(&r), 0);
	assert_string_equal(rules_winners(&r), "s: all{\"boots\":true,\"brand\":\"Acme\",\"n\":90,\"stock\":true} yes{\"a\":2}");
	assert_string_equal(rules_reason(&r, "unknown", why), "unknown");
	assert_string_equal(rules_reason(&r, "none", why), "unknown");
	assert_string_equal(rules_reason(&r, "wrong", why), "failed");
	assert_non_null(strstr(why, "v:in_stock asks of a product"));
	rules_finish(&r);
	products_finish(&s);
}

static const char shows[] =
	"slot 'one' { channel = 'web', default = { product = 'B-7' } }\n"
	"slot 'two' { channel = 'web' }\n"
	"rule 'lamp' { slot = 'one', priority = 2, show = { banner = 'light', product = 'L-1' } }\n"
	"rule 'tent' { slot = 'one', priority = 1, show = function(v) return { product = { id = 't-4', n = 1 } } end }\n"
	"rule 'list' { slot = 'two', show = { products = { 'L-1', 'B-7', 'nowhere', { id = 'T-4' } }, title = 'Now' } }\n";

static const char *decide(struct rules *r, struct products *s, const char *visitor)
{
	assert_int_equal(rules_visit(r, visitor), 0);
	r->facts.products = s ? &s->products : NULL;
	assert_int_equal(rules_run(r), 0);
	return rules_winners(r);
}

static void test_sold_out(void **state)
{
	(void)state;
	struct products s;
	struct rules r;
	char why[600];
	products_open(&s, feed);
	rules_open(&r, shows, NULL);
	assert_string_equal(decide(&r, NULL, "{}"), "one: lamp{\"banner\":\"light\",\"product\":\"L-1\"}; "
		"two: list{\"products\":[\"L-1\",\"B-7\",\"nowhere\",{\"id\":\"T-4\"}],\"title\":\"Now\"}");
	assert_string_equal(decide(&r, &s, "{}"), "one: tent{\"product\":{\"id\":\"t-4\",\"n\":1}}; "
		"two: list{\"products\":[\"B-7\",{\"id\":\"T-4\"}],\"title\":\"Now\"}");
	assert_string_equal(rules_reason(&r, "lamp", why), "out_of_stock");
	assert_string_equal(why, "L-1");
	assert_int_equal(r.decider.counts.all->out_of_stock, 1);

	/* Told later: the function's product, and with all of them the list and the default. */
	products_tell(&s, "{\"products\":[{\"id\":\"T-4\",\"availability\":\"out_of_stock\"}]}", FEED_US + 1);
	assert_string_equal(decide(&r, &s, "{}"), "one:; two: list{\"products\":[\"B-7\"],\"title\":\"Now\"}");
	assert_int_equal(r.decision.slots[0].reason, FW_SLOT_DEFAULT);
	assert_true(fw_decide_still_fine(&r.facts, &r.decision, &r.arena));
	products_tell(&s, "{\"products\":[{\"id\":\"B-7\",\"availability\":\"out_of_stock\"}]}", FEED_US + 2);
	assert_false(fw_decide_still_fine(&r.facts, &r.decision, &r.arena)); /* decided, and sold out before it was shown */
	assert_string_equal(decide(&r, &s, "{}"), "one:; two:");
	assert_int_equal(r.decision.slots[0].reason, FW_SLOT_NONE);
	assert_int_equal(r.decision.slots[0].content.n, 0);
	assert_string_equal(rules_reason(&r, "list", why), "out_of_stock");
	assert_int_equal(r.explanation.slots[0].reason, FW_SLOT_NONE);

	/* In stock again. */
	products_tell(&s, "{\"products\":[{\"id\":\"L-1\",\"availability\":\"in_stock\"}]}", FEED_US + 3);
	assert_string_equal(decide(&r, &s, "{}"), "one: lamp{\"banner\":\"light\",\"product\":\"L-1\"}; "
		"two: list{\"products\":[\"L-1\"],\"title\":\"Now\"}");
	/* What a rule test says of its visitor's world. */
	assert_string_equal(decide(&r, NULL, "{\"in_stock\":{\"product\":\"l-1\",\"is\":false}}"),
		"one: tent{\"product\":{\"id\":\"t-4\",\"n\":1}}; "
		"two: list{\"products\":[\"B-7\",\"nowhere\",{\"id\":\"T-4\"}],\"title\":\"Now\"}");
	rules_finish(&r);
	products_finish(&s);
}

/* Which of content's members name products, and what goes with them. */
static void test_content(void **state)
{
	(void)state;
	static const struct { const char *content; enum fw_stock stock; const char *left; } contents[] = {
		{ "{\"a\":1}", FW_STOCK_FINE, NULL },
		{ "{\"product\":\"B-7\",\"product_id\":\"T-4\"}", FW_STOCK_FINE, NULL },
		{ "{\"product_id\":\"L-1\"}", FW_STOCK_SOLD_OUT, "L-1" },
		{ "{\"a\":{\"product\":\"L-1\"}}", FW_STOCK_SOLD_OUT, "L-1" },
		{ "{\"product_name\":\"L-1\"}", FW_STOCK_FINE, NULL },
		{ "{\"product\":7,\"products\":7}", FW_STOCK_FINE, NULL },
		{ "{\"products\":[]}", FW_STOCK_FINE, NULL },
		{ "{\"products\":[\"L-1\"]}", FW_STOCK_SOLD_OUT, "L-1" },
		{ "{\"cards\":[{\"product\":\"L-1\"},{\"product\":\"B-7\"},{\"text\":\"x\"}]}", FW_STOCK_FEWER,
			"{\"cards\":[{\"product\":\"B-7\"},{\"text\":\"x\"}]}" },
		{ "{\"rows\":[{\"products\":[\"L-1\"]},{\"products\":[\"L-1\",\"B-7\"]}]}", FW_STOCK_FEWER,
			"{\"rows\":[{\"products\":[\"B-7\"]}]}" },
		{ "{\"products\":[{\"product_id\":\"L-1\",\"n\":1},{\"id\":\"B-7\"}]}", FW_STOCK_FEWER,
			"{\"products\":[{\"id\":\"B-7\"}]}" },
	};
	struct products s;
	struct fw_facts f;
	struct fw_arena a;
	products_open(&s, feed);
	fw_arena_init(&a, NULL, 0, 0);
	fw_facts_init(&f, &a, true);
	f.products = &s.products;
	for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
		struct fw_str left = { NULL, 0 };
		enum fw_stock stock;
		assert_int_equal(fw_stock_look(&f, fw_str(contents[i].content), &a, &stock, &left), 0);
		if (stock != contents[i].stock || (contents[i].left && !fw_str_is(left, contents[i].left)))
			fail_msg("%s: %d %.*s", contents[i].content, (int)stock, (int)left.n, left.p);
		assert_int_equal(fw_stock_still_fine(&f, fw_str(contents[i].content), &a), contents[i].stock == FW_STOCK_FINE);
	}
	fw_arena_finish(&a);
	products_finish(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_functions),
		cmocka_unit_test(test_sold_out),
		cmocka_unit_test(test_content),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
