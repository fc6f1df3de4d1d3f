#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/json_own.h"

static void check(const char *text, const char *expected)
{
	struct fw_arena a;
	struct fw_json *v = NULL;
	struct fw_error err;
	fw_arena_init(&a, NULL, 0, 0);
	int r = fw_json_parse(&a, text, strlen(text), &v, &err);
	if (!expected) {
		assert_int_equal(r, FW_EINVAL);
		assert_true(err.message[0]);
	} else {
		struct fw_buf b;
		struct fw_json_out o;
		assert_int_equal(r, 0);
		fw_buf_init(&b, 0);
		fw_json_out_init(&o, &b);
		fw_json_tree(&o, v);
		assert_string_equal(fw_buf_text(&b), expected);
		fw_buf_finish(&b);
	}
	fw_arena_finish(&a);
}

static void test_round_trip(void **state)
{
	(void)state;
	check("{\"b\":1.0,\"a\":[true,null,\"\\u00e9\\n\"],\"c\":0.1}", "{\"a\":[true,null,\"\xc3\xa9\\n\"],\"b\":1,\"c\":0.1}");
	check("1e3", "1000");
	check("-0.0", "0");
}

/* Every ASCII byte at every place of texts of every length up to two words: what is written is read back the same. */
static void test_every_byte_is_written(void **state)
{
	(void)state;
	struct fw_arena a;
	fw_arena_init(&a, NULL, 0, 0);
	for (size_t ascii = 0; ascii < 2; ascii++)
		for (size_t n = 1; n <= 17; n++)
			for (size_t at = 0; at < n; at++)
				for (int c = 0; c < 0x80; c++) {
					char text[19] = "\xc3\xa9";
					const struct fw_str whole = { text + 2 * ascii, n + 2 * (1 - ascii) };
					struct fw_json *read = NULL;
					struct fw_error err;
					memset(text + 2, 'x', n);
					text[2 + at] = (char)c;
					struct fw_str written = fw_json_written(&a, whole);
					assert_non_null(written.p);
					assert_int_equal(fw_json_parse(&a, written.p, written.n, &read, &err), 0);
					assert_true(fw_str_equal(read->string, whole));
					fw_arena_reset(&a);
				}
	fw_arena_finish(&a);
}

static void test_last_key_counts(void **state)
{
	(void)state;
	check("{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":3,\"b\":2}");
	check("{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,"
		"\"i\":1,\"j\":1,\"k\":1,\"l\":1,\"m\":1,\"n\":1,\"o\":1,\"p\":1,\"q\":1,\"a\":2,\"q\":2}",
		"{\"a\":2,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,"
		"\"i\":1,\"j\":1,\"k\":1,\"l\":1,\"m\":1,\"n\":1,\"o\":1,\"p\":1,\"q\":2}");
}

/* The text of the outermost member "k", or "-". */
static void check_peek(const char *text, const char *expected)
{
	struct fw_arena a;
	fw_arena_init(&a, NULL, 0, 0);
	struct fw_str found = fw_json_peek(&a, text, strlen(text), "k");
	assert_string_equal(found.p ? found.p : "-", expected);
	fw_arena_finish(&a);
}

static void test_peek(void **state)
{
	(void)state;
	check_peek("{\"k\":\"v\"}", "v");
	check_peek(" { \"a\" : [{\"k\":\"inner\"}], \"k\" : \"\\u0076\\n\", \"b\":{\"k\":\"inner\"} }", "v\n");
	check_peek("{\"\\u006b\":\"v\"}", "v");
	check_peek("{\"k\":\"\"}", "");
	/* The last of a name counts, whatever it is. */
	check_peek("{\"k\":\"v\",\"k\":\"w\"}", "w");
	check_peek("{\"k\":\"v\",\"k\":1}", "-");
	check_peek("{\"k\":\"v\",\"k\":{\"k\":\"w\"}}", "-");
	check_peek("{\"k\":\"v\",\"k\":[]}", "-");
	check_peek("{\"k\":\"v\",\"k\":null}", "-");
	check_peek("{\"k\":\"v\",\"k\":false}", "-");
	check_peek("{\"k\":[\"v\"],\"l\":\"w\"}", "-");
	check_peek("[{\"k\":\"v\"}]", "-");
	check_peek("\"k\"", "-");
	check_peek("", "-");
	/* What is wrong later on is for somebody else to say. */
	check_peek("{\"k\":\"v\",", "v");
	check_peek("{\"k\":\"v\"}}", "v");
	check_peek("{\"k\":\"v", "-");
}

/* A batch of a megabyte in small values was refused for want of a key: the tree of it did not fit into a request's memory. */
static void test_peek_takes_no_memory(void **state)
{
	struct fw_arena a;
	struct fw_buf b;
	(void)state;
	fw_buf_init(&b, 0);
	fw_buf_puts(&b, "{\"batch\":[0");
	while (b.n < 1 << 20)
		fw_buf_puts(&b, ",{\"a\":0}");
	fw_buf_puts(&b, "],\"k\":\"v\"}");
	fw_arena_init(&a, NULL, 0, 4096);
	struct fw_str found = fw_json_peek(&a, b.data, b.n, "k");
	assert_non_null(found.p);
	assert_string_equal(found.p, "v");
	fw_arena_finish(&a);
	fw_buf_finish(&b);
}

static void test_refusals(void **state)
{
	(void)state;
	check("", NULL);
	check("[1]\f", NULL);
	check("\v1", NULL);
	check("[1] 2", NULL);
	check("{\"a\":1,}", NULL);
	check("1e999", NULL);
	check("\"\xff\"", NULL);
	check("\"\xc0\xa3\"", NULL); /* an overlong form, which yajl took for a character */
	check("\"\xed\xa0\x80\"", NULL);
	check("\"\x01\"", NULL);
	char deep[200] = { 0 };
	memset(deep, '[', 100);
	memset(deep + 100, ']', 99);
	check(deep, NULL);
}

/* A text, or half a word, that began after the value was taken for nothing. */
static void test_what_begins_after_the_value(void **state)
{
	(void)state;
	static const char *const wrong[] = { "{} \"", "[] \"more", "1 tru", "\"\"\"", "{\"a\":[]}n", "null nul", "[1] -", "true\n2" };
	struct fw_arena a;
	fw_arena_init(&a, NULL, 0, 0);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct fw_json *v;
		struct fw_error err;
		assert_int_equal(fw_json_thorough(&a, wrong[i], strlen(wrong[i]), &v, &err), FW_EINVAL);
		assert_true(err.message[0]);
	}
	check("\"\\u00e9\" \r\n\t", "\"\xc3\xa9\"");
	check(" [\"\\u00e9\"] ", "[\"\xc3\xa9\"]");
	fw_arena_finish(&a);
}

/* A text that ends the quick reader at its last byte needs no more memory than one that yajl alone has read. */
static void test_giving_up_costs_no_memory(void **state)
{
	(void)state;
	enum { N = 5000, SIZE = N * 12 };
	static char text[SIZE + 64];
	struct fw_arena a;
	struct fw_json *v;
	struct fw_error err;
	size_t n = 0;
	text[n++] = '[';
	for (int i = 0; i < N; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "\"%d\",", i);
	n += (size_t)snprintf(text + n, sizeof text - n, "\"\\u00e9\"]");
	fw_arena_init(&a, NULL, 0, 0);
	assert_int_equal(fw_json_thorough(&a, text, n, &v, &err), 0);
	size_t needed = a.used;
	fw_arena_finish(&a);
	fw_arena_init(&a, NULL, 0, needed);
	assert_false(fw_json_quick(&a, text, n, &v));
	assert_int_equal(a.used, 0);
	assert_int_equal(fw_json_parse(&a, text, n, &v, &err), 0);
	assert_int_equal(v->count, N + 1);
	fw_arena_finish(&a);
}

/* Numbers and escapes as yajl and strtod read them. */
static void test_the_quick_reader(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		double number;
	} numbers[] = { { "0", 0 }, { "-0", 0 }, { "7", 7 }, { "-12", -12 }, { "999999999999999", 999999999999999.0 },
		{ "9007199254740993", 9007199254740992.0 }, { "1234567890123456789", 1234567890123456789.0 }, { "0.1", 0.1 },
		{ "1e3", 1000 }, { "1E-2", 0.01 }, { "-2.5e+1", -25 } };
	static const char *const wrong[] = { "01", "-", "1.", ".5", "+1", "1e", "1e+", "0x10", "1 2", "--1", "1e999", "truex", "nul",
		"\"", "\"\\", "\"\\x\"", "\"\t\"", "[1,]", "[,1]", "{\"a\"}", "{\"a\":}", "{a:1}", "[1", "{", "]", "\"a\"\"b\"", "\xff" };
	struct fw_arena a;
	struct fw_json *v;
	fw_arena_init(&a, NULL, 0, 0);
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		assert_true(fw_json_quick(&a, numbers[i].text, strlen(numbers[i].text), &v));
		assert_true(v->number == numbers[i].number);
	}
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_false(fw_json_quick(&a, wrong[i], strlen(wrong[i]), &v));
	const char *text = " { \"a\\/b\" : \"1234567\\n\\\"\\\\ \xc3\xa9 \\t\" , \"\" : [ ] } ";
	assert_true(fw_json_quick(&a, text, strlen(text), &v));
	assert_true(fw_str_is(fw_json_text(v, "a/b"), "1234567\n\"\\ \xc3\xa9 \t"));
	assert_int_equal(fw_json_get(v, "")->type, FW_JSON_ARRAY);
	assert_int_equal(fw_json_text(v, "a/b").p[fw_json_text(v, "a/b").n], 0);
	fw_arena_finish(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_every_byte_is_written),
		cmocka_unit_test(test_last_key_counts), cmocka_unit_test(test_refusals), cmocka_unit_test(test_peek),
		cmocka_unit_test(test_peek_takes_no_memory),
		cmocka_unit_test(test_what_begins_after_the_value),
		cmocka_unit_test(test_giving_up_costs_no_memory), cmocka_unit_test(test_the_quick_reader),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
