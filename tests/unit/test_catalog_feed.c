/* Feeds in each form, what is wrong in them, the block that is made of them, and the copy that is kept. */
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/hash.h"
#include "catalog/catalog.h"
#include "lib_temporary.h"

static const char jsonl[] =
	"{\"id\":\"B-7\",\"title\":\"Snow boots\",\"link\":\"https://shop.example/b7\",\"image_link\":\"https://shop.example/b7.jpg\","
	"\"price\":\"89.90 EUR\",\"sale_price\":\"69.90 EUR\",\"availability\":\"in_stock\",\"brand\":\"Acme\","
	"\"product_type\":\"Shoes > Boots\",\"description\":\"not kept\"}\n"
	"\r\n"
	"{\"id\":\"L-1\",\"price\":42.7,\"availability\":\"out of stock\",\"product_type\":[\"Lamps\",\"Home > Lamps\"]}\n"
	"{\"id\":\"T-4\",\"availability\":\"Preorder\",\"brand\":\"ACME\"}";

static const char rss[] =
	"<?xml version=\"1.0\"?>\n"
	"<rss version=\"2.0\" xmlns:g=\"http://base.google.com/ns/1.0\"><channel><title>A shop</title>\n"
	"<item>\n<g:id>B-7</g:id>\n<title>Snow boots</title>\n<link>https://shop.example/b7</link>\n"
	"<g:image_link>https://shop.example/b7.jpg</g:image_link><g:price>89.90 EUR</g:price><g:sale_price>69.90 EUR</g:sale_price>\n"
	"<g:availability>in stock</g:availability><g:brand>Acme</g:brand><g:product_type>Shoes &gt; Boots</g:product_type>\n"
	"<g:shipping><g:country>DE</g:country><g:price>4.90 EUR</g:price></g:shipping></item>\n"
	"<item><g:id>L-1</g:id><g:price>42.70 EUR</g:price><g:availability>out_of_stock</g:availability>"
	"<g:product_type>Lamps</g:product_type><g:product_type><![CDATA[Home > Lamps]]></g:product_type></item>\n"
	"<item><g:id>T-4</g:id><g:availability>preorder</g:availability><g:brand>ACME</g:brand></item>\n"
	"</channel></rss>\n";

static const char tabs[] =
	"id\ttitle\tlink\timage link\tprice\tsale_price\tavailability\tbrand\tproduct type\tnot used\n"
	"B-7\tSnow boots\thttps://shop.example/b7\thttps://shop.example/b7.jpg\t89.90 EUR\t69.90 EUR\tin stock\tAcme\tShoes > Boots\tx\n"
	"L-1\t\t\t\t42.70 EUR\t\tout of stock\t\tLamps\n"
	"T-4\t\t\t\t\t\tpreorder\tACME\n";

/* The feed handed in by so many bytes at a time. */
static int read_by(const char *text, size_t step, struct fw_products_head **ret, struct fw_feed_outcome *outcome, struct fw_error *err)
{
	struct fw_catalog_build *b = fw_catalog_build_create("EUR");
	struct fw_feed *f = fw_feed_create(b);
	const struct fw_products_head head = { .feed_us = 1000 };
	size_t n = strlen(text);
	int rc = 0;
	for (size_t at = 0; at < n && rc == 0; at += step) {
		size_t now = n - at < step ? n - at : step;
		char *copy = malloc(now); /* so that whoever reads beyond it is found out */
		memcpy(copy, text + at, now);
		rc = fw_feed_read(f, copy, now, err);
		free(copy);
	}
	if (rc == 0)
		rc = fw_feed_end(f, err);
	if (outcome)
		*outcome = *fw_feed_outcome(f);
	if (rc == 0)
		assert_int_equal(fw_catalog_build_finish(b, &head, ret), 0);
	fw_feed_destroy(f);
	fw_catalog_build_destroy(b);
	return rc;
}

static struct fw_value ask(const struct fw_products *p, enum fw_fact fact, const char *product, struct fw_arena *a)
{
	const struct fw_query q = { .fact = fact, .key_kind = FW_KEY_PRODUCT, .key = fw_str(product) };
	return fw_products_ask(p, &q, 0, a);
}

static void assert_holds(const struct fw_value *v, const char *folded)
{
	bool holds = false;
	for (unsigned i = 0; i < v->n_items; i++)
		holds |= fw_str_is(v->items[i].folded, folded);
	assert_true(holds);
}

static void check_products(const struct fw_products_head *head, bool two_types)
{
	const struct fw_products p = { .head = head };
	struct fw_product x;
	struct fw_arena a;
	fw_arena_init(&a, NULL, 0, 0);
	assert_true(fw_products_fit(head, head->bytes));
	assert_int_equal(head->n, 3);
	uint32_t boots = fw_products_find(&p, FW_STR("b-7")), lamp = fw_products_find(&p, FW_STR("L-1"));
	assert_int_not_equal(boots, FW_NO_PRODUCT);
	assert_int_equal(fw_products_find(&p, FW_STR("B-8")), FW_NO_PRODUCT);
	fw_products_get(&p, boots, 0, &x);
	assert_true(fw_str_is(x.id, "B-7") && fw_str_is(x.title, "Snow boots") && fw_str_is(x.brand, "Acme"));
	assert_true(fw_str_is(x.link, "https://shop.example/b7") && fw_str_is(x.image, "https://shop.example/b7.jpg"));
	assert_true(x.price == 89.9 && x.sale_price == 69.9 && x.availability == FW_IN_STOCK && x.told_us == 0);
	assert_false(fw_products_sold_out(&p, boots));
	assert_true(fw_products_sold_out(&p, lamp));

	struct fw_value v = ask(&p, FW_FACT_IN_STOCK, "b-7", &a);
	assert_true(v.state == FW_KNOWN && v.kind == FW_KIND_BOOL && v.boolean);
	v = ask(&p, FW_FACT_IN_STOCK, "t-4", &a); /* it may be ordered, and is not there */
	assert_true(v.state == FW_KNOWN && !v.boolean && !fw_products_sold_out(&p, fw_products_find(&p, FW_STR("T-4"))));
	v = ask(&p, FW_FACT_PRICE, "b-7", &a);
	assert_true(v.state == FW_KNOWN && v.number == 69.9); /* what it costs now */
	assert_int_equal(ask(&p, FW_FACT_PRICE, "t-4", &a).state, FW_ABSENT);
	assert_int_equal(ask(&p, FW_FACT_IN_STOCK, "b-8", &a).state, FW_ABSENT);
	v = ask(&p, FW_FACT_BRAND, "t-4", &a); /* one brand, however it is written: as it stands first */
	assert_true(fw_str_is(v.folded, "acme") && fw_str_is(v.text, "Acme"));
	v = ask(&p, FW_FACT_CATEGORY, "b-7", &a);
	assert_int_equal(v.n_items, 2);
	assert_holds(&v, "shoes");
	assert_holds(&v, "boots");
	v = ask(&p, FW_FACT_CATEGORY, "l-1", &a);
	assert_int_equal(v.n_items, two_types ? 2 : 1);
	assert_holds(&v, "lamps");
	assert_int_equal(ask(&p, FW_FACT_CATEGORY, "t-4", &a).state, FW_ABSENT);
	fw_arena_finish(&a);
}

static void test_forms(void **state)
{
	(void)state;
	static const char *const feeds[] = { jsonl, rss, tabs };
	static const size_t steps[] = { 1, 7, 64, 1 << 20 };
	for (size_t i = 0; i < 3; i++)
		for (size_t k = 0; k < 4; k++) {
			struct fw_products_head *head;
			struct fw_feed_outcome outcome;
			struct fw_error err;
			if (read_by(feeds[i], steps[k], &head, &outcome, &err) < 0)
				fail_msg("feed %zu by %zu bytes: line %d: %s", i, steps[k], err.line, err.message);
			assert_int_equal(outcome.left_out, 0);
			check_products(head, i < 2);
			free(head);
		}
}

static void test_atom_and_quotes(void **state)
{
	(void)state;
	struct fw_products_head *head;
	struct fw_error err;
	struct fw_product x;
	assert_int_equal(read_by("<feed xmlns=\"http://www.w3.org/2005/Atom\" xmlns:g=\"http://base.google.com/ns/1.0\"><entry>"
		"<g:id>1</g:id><title>One</title><link href=\"https://shop.example/1\"/><g:availability>in_stock</g:availability>"
		"</entry></feed>", 50, &head, NULL, &err), 0);
	fw_products_get(&(struct fw_products){ .head = head }, 0, 0, &x);
	assert_true(fw_str_is(x.link, "https://shop.example/1") && fw_str_is(x.title, "One") && isnan(x.price));
	free(head);

	assert_int_equal(read_by("id\ttitle\tavailability\n1\t\"a\ttab, \"\"quotes\"\"\nand a line\"\tin_stock\n"
		"2\t\"Best\" boots\tin_stock\n", 5, &head, NULL, &err), 0);
	const struct fw_products p = { .head = head };
	assert_int_equal(head->n, 2);
	fw_products_get(&p, 0, 0, &x);
	assert_true(fw_str_is(x.title, "a\ttab, \"quotes\"\nand a line"));
	fw_products_get(&p, 1, 0, &x);
	assert_true(fw_str_is(x.title, "\"Best\" boots"));
	free(head);
}

static void test_sales(void **state)
{
	(void)state;
	struct fw_products_head *head;
	struct fw_error err;
	struct fw_product x;
	assert_int_equal(read_by("{\"id\":\"1\",\"availability\":\"in_stock\",\"price\":10,\"sale_price\":8,"
		"\"sale_price_effective_date\":\"2026-11-20T00:00-0100/2026-11-27T23:59Z\"}", 9, &head, NULL, &err), 0);
	const struct fw_products p = { .head = head };
	/* From 2026-11-20T01:00Z until 2026-11-27T23:59Z; and without a clock. */
	const struct { int64_t at_s; bool on; } moments[] = { { 1795136399, false }, { 0, false }, { 1795136400, true },
		{ 1795823939, true }, { 1795823940, false } };
	for (size_t i = 0; i < sizeof moments / sizeof *moments; i++) {
		fw_products_get(&p, 0, moments[i].at_s * 1000000, &x);
		assert_true(isnan(x.sale_price) == !moments[i].on);
	}
	free(head);
}

/* A whole feed that is refused, with where and why. */
static void expect_broken(const char *text, int line, const char *says)
{
	struct fw_products_head *head;
	for (size_t step = 1; step < 2000; step *= 40) {
		struct fw_error err = { .message = "" };
		if (read_by(text, step, &head, NULL, &err) == 0)
			fail_msg("this feed is taken: %s", text);
		if (err.line != line || !strstr(err.message, says))
			fail_msg("line %d was expected to say \"%s\"; line %d says \"%s\"", line, says, err.line, err.message);
	}
}

static void test_broken(void **state)
{
	(void)state;
	expect_broken("", 0, "no product");
	expect_broken("\n \n", 0, "no product");
	expect_broken("{\"id\":\"1\",\"availability\":\"in_stock\"}\n{\"id\":\"2\",", 2, "no JSON");
	expect_broken("{\"id\":\"1\",\"availability\":\"in_stock\"}\n7\n", 2, "an object, was expected");
	expect_broken("[{\"id\":\"1\"}]\n", 1, "array");
	expect_broken("<rss><channel>\n<item><id>1</id><availability>in_stock</availability></item>\n</rss>", 3, "mismatched tag");
	expect_broken("<rss><channel><item><id>1</id><availability>in_stock</availability></item>\n", 2, "no element found");
	expect_broken("<!DOCTYPE rss [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]>\n<rss>&b;</rss>", 1, "document type");
	expect_broken("<rss>\n&nbsp;</rss>", 2, "undefined entity");
	expect_broken("name\tprice\nx\t1\n", 1, "no column \"id\"");
	expect_broken("id\tavailability\n", 0, "no product");
	/* More than one in ten. */
	expect_broken("{\"id\":\"1\",\"availability\":\"in_stock\"}\n{\"id\":\"2\",\"availability\":\"perhaps\"}\n", 2,
		"1 of 2 products cannot be used, the first: product \"2\": availability \"perhaps\"");
	struct fw_buf deep;
	fw_buf_init(&deep, 0);
	for (int i = 0; i < 100; i++)
		fw_buf_puts(&deep, "<a>");
	expect_broken(fw_buf_text(&deep), 1, "nested too deep");
	fw_buf_finish(&deep);
}

/* One thing without an end is not kept until memory is full. */
static void test_endless(void **state)
{
	(void)state;
	static const struct { const char *begin, *says; } endless[] = {
		{ "<rss><item a=\"", "a tag is longer than" },
		{ "<rss><item><title>", "a field of a product is longer than" },
		{ "{\"id\":\"", "a line is longer than" },
		{ "id\ttitle\n1\t\"", "a line is longer than" },
	};
	enum { CHUNK = 1 << 16, CHUNKS = 200 };
	char *chunk = malloc(CHUNK);
	memset(chunk, 'a', CHUNK);
	for (size_t i = 0; i < sizeof endless / sizeof *endless; i++) {
		struct fw_catalog_build *b = fw_catalog_build_create("EUR");
		struct fw_feed *f = fw_feed_create(b);
		struct fw_error err = { .message = "" };
		int rc = fw_feed_read(f, endless[i].begin, strlen(endless[i].begin), &err);
		for (int k = 0; k < CHUNKS && rc == 0; k++)
			rc = fw_feed_read(f, chunk, CHUNK, &err);
		assert_int_equal(rc, FW_ELIMIT);
		assert_non_null(strstr(err.message, endless[i].says));
		fw_feed_destroy(f);
		fw_catalog_build_destroy(b);
	}
	free(chunk);
}

static void test_left_out(void **state)
{
	(void)state;
	static const struct { const char *json, *says; } faulty[] = {
		{ "{\"title\":\"no id\",\"availability\":\"in_stock\"}", "no id" },
		{ "{\"id\":\"x-1\",\"availability\":\"in_stock\"}", "stands on line 1, too" },
		{ "{\"id\":\"a\"}", "availability \"\" is missing" },
		{ "{\"id\":\"a\",\"availability\":\"in_stock\",\"price\":\"cheap\"}", "price \"cheap\" is no price" },
		{ "{\"id\":\"a\",\"availability\":\"in_stock\",\"price\":\"5 USD\"}", "is not in EUR" },
		{ "{\"id\":\"a\",\"availability\":\"in_stock\",\"price\":\"-5\"}", "is no price" },
		{ "{\"id\":\"a\",\"availability\":\"in_stock\",\"sale_price_effective_date\":\"tomorrow\"}", "is no time span" },
	};
	for (size_t i = 0; i < sizeof faulty / sizeof *faulty; i++) {
		struct fw_products_head *head;
		struct fw_feed_outcome outcome;
		struct fw_error err;
		struct fw_buf b;
		fw_buf_init(&b, 0);
		for (int k = 1; k <= 12; k++)
			fw_buf_printf(&b, "{\"id\":\"X-%d\",\"availability\":\"in_stock\"}\n", k);
		fw_buf_puts(&b, faulty[i].json);
		assert_int_equal(read_by(fw_buf_text(&b), 100, &head, &outcome, &err), 0);
		assert_int_equal(outcome.left_out, 1);
		assert_int_equal(outcome.faults[0].line, 13);
		if (!strstr(outcome.faults[0].message, faulty[i].says))
			fail_msg("\"%s\" was expected, not \"%s\"", faulty[i].says, outcome.faults[0].message);
		assert_int_equal(head->n, 12);
		free(head);
		fw_buf_finish(&b);
	}
}

/* Many products: the index grows, and all are found; a byte that is turned is found out. */
static void test_many(void **state)
{
	(void)state;
	enum { MANY = 5000 };
	struct fw_products_head *head;
	struct fw_error err;
	struct fw_buf b;
	fw_buf_init(&b, 0);
	for (int i = 0; i < MANY; i++)
		fw_buf_printf(&b, "{\"id\":\"SKU-%d\",\"availability\":\"%s\",\"price\":%d,\"product_type\":\"C%d\"}\n", i,
			i % 3 ? "in_stock" : "out_of_stock", i, i % 50);
	assert_int_equal(read_by(fw_buf_text(&b), 1 << 16, &head, NULL, &err), 0);
	fw_buf_finish(&b);
	const struct fw_products p = { .head = head };
	assert_int_equal(head->n_labels, 50);
	for (int i = 0; i < MANY; i++) {
		char id[32];
		struct fw_product x;
		snprintf(id, sizeof id, "sKu-%d", i);
		uint32_t number = fw_products_find(&p, fw_str(id));
		assert_int_equal(number, i);
		fw_products_get(&p, number, 0, &x);
		assert_true(x.price == i && fw_products_sold_out(&p, number) == (i % 3 == 0));
	}
	assert_false(fw_products_fit(head, head->bytes - 1));
	for (size_t at = 0; at < head->bytes; at += 997) {
		((char *)head)[at] ^= 1;
		assert_false(fw_products_fit(head, head->bytes));
		((char *)head)[at] ^= 1;
	}
	/* One whose sum is right and whose numbers lead out of it. */
	const size_t summed = offsetof(struct fw_products_head, bytes);
	head->texts_n += 8;
	head->checksum = fw_hash((const char *)head + summed, head->bytes - summed);
	assert_false(fw_products_fit(head, head->bytes));
	free(head);
}

static void put_file(const char *path, const char *text, int64_t at_s)
{
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	fclose(f);
	const struct timespec times[2] = { { at_s, 0 }, { at_s, 0 } };
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void test_kept(void **state)
{
	(void)state;
	char folder[TEMPORARY_PATH], feed[TEMPORARY_PATH + 8], kept[TEMPORARY_PATH + 8];
	struct fw_catalog *c = NULL;
	struct fw_error err;
	temporary_folder(folder);
	snprintf(feed, sizeof feed, "%s/feed", folder);
	snprintf(kept, sizeof kept, "%s/kept", folder);
	const struct fw_catalog_options o = { feed, kept, "EUR" };

	assert_int_equal(fw_catalog_load(&o, &c, &err), FW_EIO); /* no feed, no copy */
	assert_string_equal(err.file, feed);
	put_file(feed, jsonl, 1000);
	assert_int_equal(fw_catalog_load(&o, &c, &err), 0);
	assert_false(c->kept || c->is_broken);
	check_products(c->block, true);
	assert_int_equal(c->block->feed_us, INT64_C(1000000000));
	fw_catalog_destroy(c);

	assert_int_equal(fw_catalog_load(&o, &c, &err), 0); /* the same again: it need not be read */
	assert_true(c->kept && !c->is_broken);
	check_products(c->block, true);
	fw_catalog_destroy(c);

	put_file(feed, "{\"id\":\"1\",\n", 2000);
	assert_int_equal(fw_catalog_load(&o, &c, &err), 0);
	assert_true(c->kept && c->is_broken);
	assert_int_equal(c->broken.line, 1);
	assert_string_equal(c->broken.file, feed);
	check_products(c->block, true);
	fw_catalog_destroy(c);

	const struct fw_catalog_options dollars = { feed, kept, "USD" }; /* those prices are none of this store's */
	assert_int_equal(fw_catalog_load(&dollars, &c, &err), FW_EINVAL);
	assert_int_equal(truncate(kept, 100), 0);
	assert_int_equal(fw_catalog_load(&o, &c, &err), FW_EINVAL);
	put_file(feed, rss, 3000);
	assert_int_equal(fw_catalog_load(&o, &c, &err), 0);
	assert_false(c->kept);
	fw_catalog_destroy(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_atom_and_quotes),
		cmocka_unit_test(test_sales),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_endless),
		cmocka_unit_test(test_left_out),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
