/* What is told of products between feeds: as a request says it, as rows, and as decisions read it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib_products.h"

static void test_rows(void **state)
{
	(void)state;
	struct products s;
	struct fw_product x;
	products_open(&s, "{\"id\":\"B-7\",\"availability\":\"in_stock\",\"price\":90,\"sale_price\":70}\n"
		"{\"id\":\"L-1\",\"availability\":\"in_stock\"}\n");
	assert_string_equal(products_tell(&s, "{\"products\":[{\"id\":\"b-7\",\"availability\":\"out_of_stock\"},"
		"{\"id\":\"L-1\",\"price\":12.5,\"sale_price\":10,\"availability\":\"backorder\"}]}", FEED_US + 5), "2 []");
	fw_products_get(&s.products, 0, 0, &x);
	assert_true(x.availability == FW_OUT_OF_STOCK && x.price == 90 && x.sale_price == 70 && x.told_us == FEED_US + 5);
	fw_products_get(&s.products, 1, 0, &x);
	assert_true(x.availability == FW_BACKORDER && x.price == 12.5 && x.sale_price == 10);
	assert_int_equal(s.products.n_told, 2);

	/* A price without a sale price ends the sale; what is older changes nothing. */
	assert_string_equal(products_tell(&s, "{\"products\":[{\"id\":\"B-7\",\"price\":95}]}", FEED_US + 6), "1 []");
	assert_string_equal(products_tell(&s, "{\"products\":[{\"id\":\"B-7\",\"price\":1,\"availability\":\"in_stock\"}]}",
		FEED_US + 4), "1 []");
	fw_products_get(&s.products, 0, 0, &x);
	assert_true(x.price == 95 && isnan(x.sale_price) && x.availability == FW_OUT_OF_STOCK);
	products_finish(&s);
}

static void test_newer_feed(void **state)
{
	(void)state;
	struct products s;
	struct fw_told_row row = { .key_n = 5, .value_n = 9 };
	uint32_t changed;
	products_open(&s, "{\"id\":\"B-7\",\"availability\":\"in_stock\"}\n");
	memcpy(row.key, "Gab-7", 5);
	for (int later = -1; later <= 1; later++) {
		fw_put_number(row.value, (uint64_t)(FEED_US + later), 8);
		row.value[8] = FW_OUT_OF_STOCK;
		assert_int_equal(fw_told_apply(&s.products, (struct fw_str){ row.key, 5 }, (struct fw_str){ row.value, 9 }, &changed),
			later == 1);
		assert_int_equal(changed, later == 1 ? 0 : FW_NO_PRODUCT);
		assert_int_equal(fw_products_sold_out(&s.products, 0), later == 1);
	}
	/* The same once more changes nothing. */
	assert_true(fw_told_apply(&s.products, (struct fw_str){ row.key, 5 }, (struct fw_str){ row.value, 9 }, &changed));
	assert_int_equal(changed, FW_NO_PRODUCT);
	/* A clock behind the feed's does not make what is told void. */
	assert_string_equal(products_tell(&s, "{\"products\":[{\"id\":\"B-7\",\"availability\":\"in_stock\"}]}", 5), "1 []");
	assert_false(fw_products_sold_out(&s.products, 0));

	/* Rows that are none. */
	struct fw_str key = { row.key, 5 }, value = { row.value, 9 };
	row.value[8] = 9;
	assert_false(fw_told_apply(&s.products, key, value, &changed));
	row.value[8] = 0;
	for (size_t n = 0; n < 9; n++)
		assert_false(fw_told_apply(&s.products, key, (struct fw_str){ row.value, n }, &changed));
	for (size_t n = 0; n < 5; n++)
		assert_false(fw_told_apply(&s.products, (struct fw_str){ row.key, n }, value, &changed));
	row.key[1] = 'x';
	assert_false(fw_told_apply(&s.products, key, value, &changed));
	memcpy(row.key, "Gab-8", 5);
	assert_false(fw_told_apply(&s.products, key, value, &changed));
	products_finish(&s);
}

static void test_rejected(void **state)
{
	(void)state;
	static const struct { const char *json, *says; } wrong[] = {
		{ "{\"id\":\"nowhere\",\"availability\":\"in_stock\"}", "\"not_found\",\"message\":\"the catalogue has no such product\"" },
		{ "{\"availability\":\"in_stock\"}", "an object with an id" },
		{ "\"B-7\"", "an object with an id" },
		{ "{\"id\":\"B-7\"}", "nothing is told of it" },
		{ "{\"id\":\"B-7\",\"availability\":\"gone\"}", "availability is in_stock" },
		{ "{\"id\":\"B-7\",\"availability\":true}", "availability is in_stock" },
		{ "{\"id\":\"B-7\",\"price\":-1}", "a number from 0" },
		{ "{\"id\":\"B-7\",\"price\":\"5 EUR\"}", "a number from 0" },
		{ "{\"id\":\"B-7\",\"sale_price\":5}", "told beside the price" },
		{ "{\"id\":\"B-7\",\"stock\":5}", "there is no \\\"stock\\\" to be told" },
	};
	struct products s;
	char body[300];
	products_open(&s, "{\"id\":\"B-7\",\"availability\":\"in_stock\",\"price\":90}\n");
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		snprintf(body, sizeof body, "{\"products\":[{\"id\":\"B-7\",\"price\":%zu},%s]}", i, wrong[i].json);
		const char *said = products_tell(&s, body, FEED_US + 10 + (int64_t)i);
		if (strncmp(said, "1 [{\"index\":1,", 14) != 0 || !strstr(said, wrong[i].says))
			fail_msg("%s: \"%s\" was expected, not \"%s\"", wrong[i].json, wrong[i].says, said);
	}
	assert_string_equal(products_tell(&s, "{}", FEED_US + 100), "refused: it lists no products");
	assert_string_equal(products_tell(&s, "{\"products\":[]}", FEED_US + 100), "refused: it lists no products");
	assert_string_equal(products_tell(&s, "[]", FEED_US + 100), "refused: it lists no products");
	products_finish(&s);
}

static void test_written(void **state)
{
	(void)state;
	struct products s;
	struct fw_buf b;
	struct fw_json_out o;
	products_open(&s, "{\"id\":\"B-7\",\"title\":\"Boots\",\"availability\":\"in_stock\",\"price\":90,\"brand\":\"Acme\","
		"\"product_type\":\"Shoes > Boots\"}\n");
	fw_buf_init(&b, 0);
	fw_json_out_init(&o, &b);
	fw_told_write(&s.products, 0, FEED_US, &o);
	assert_string_equal(fw_buf_text(&b), "{\"id\":\"B-7\",\"title\":\"Boots\",\"link\":null,\"image_link\":null,\"price\":90,"
		"\"sale_price\":null,\"availability\":\"in_stock\",\"brand\":\"Acme\",\"product_type\":[\"Shoes\",\"Boots\"],"
		"\"told\":null}");
	fw_buf_finish(&b);
	products_finish(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_newer_feed),
		cmocka_unit_test(test_rejected),
		cmocka_unit_test(test_written),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
