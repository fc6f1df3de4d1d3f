/* What plugins of the tree share: marks that were made before are still known, and a configuration is refused with what may stand there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

#include "common/config.h"
#include "common/escape.h"
#include "common/json.h"
#include "common/mark.h"

static int unsigned_yet;

static int sign(const struct fw_host *host, struct fw_plugin_text what, unsigned char ret_mac[32])
{
	unsigned n = 32;
	(void)host;
	return !unsigned_yet && HMAC(EVP_sha256(), "driver", 6, (const unsigned char *)what.p, what.n, ret_mac, &n) ? 0 : -1;
}

static int config_only(const struct fw_host *host, const char *const *known, struct fw_plugin_problem *problem)
{
	(void)host;
	(void)problem;
	return known[0] ? 0 : -1;
}

static const struct fw_host host = { .sign = sign, .config_only = config_only };

/* The kinds that are out, as messages carry them. */
static void test_marks_stay_as_they_are(void **state)
{
	static const struct {
		struct common_mark kind;
		const char *mark;
	} marks[] = {
		{ { "", ".b", '-', 10 }, "m1-ef049c5b145e51111e7c" },
		{ { "report ", "", '.', 16 }, "m1.c02a84211b4a9b64190438aeb42ebff0" },
	};
	char made[COMMON_MARK_BYTES + 1], id[COMMON_ID_BYTES + 1];
	(void)state;
	for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
		const struct common_mark *kind = &marks[i].kind;
		size_t n = strlen(marks[i].mark);
		assert_int_equal(common_mark_make(kind, &host, "m1", made), 0);
		assert_string_equal(made, marks[i].mark);
		assert_int_equal(common_mark_read(kind, &host, made, n, id), COMMON_SIGNED);
		assert_string_equal(id, "m1");
		for (size_t k = 0; k < n; k++) {
			made[k] ^= 1;
			assert_int_equal(common_mark_read(kind, &host, made, n, id), COMMON_FORGED);
			assert_int_equal(common_mark_read(kind, &host, marks[i].mark, k, id), COMMON_FORGED);
			made[k] ^= 1;
		}
		assert_int_equal(common_mark_read(&marks[1 - i].kind, &host, made, n, id), COMMON_FORGED);
		unsigned_yet = 1;
		assert_int_equal(common_mark_read(kind, &host, made, n, id), COMMON_UNKNOWN_YET);
		assert_int_equal(common_mark_make(kind, &host, "m1", made), COMMON_UNKNOWN_YET);
		unsigned_yet = 0;
	}
	/* The longest id, and one that is longer. */
	const char *most = "0123456789abcdefghij0123456789abcdefghij", *more = "0123456789abcdefghij0123456789abcdefghijk";
	assert_int_equal(common_mark_make(&marks[1].kind, &host, most, made), 0);
	assert_int_equal(strlen(made), COMMON_MARK_BYTES);
	assert_int_equal(common_mark_read(&marks[1].kind, &host, made, strlen(made), id), COMMON_SIGNED);
	assert_int_equal(common_mark_make(&marks[1].kind, &host, more, made), 0);
	assert_int_equal(strlen(made), COMMON_MARK_BYTES);
}

static void test_configuration(void **state)
{
	static const struct common_key keys[] = { { .name = "name" }, { "share", COMMON_NUMBER, 0.5, 2 }, { "count", COMMON_WHOLE, 1, 10 },
		{ .name = "on", .kind = COMMON_FLAG }, { .name = NULL } };
	static const struct {
		const char *config, *message, *hint;
	} cases[] = {
		{ "{}", "", "" },
		{ "{\"name\":\"a\",\"share\":0.5,\"count\":10,\"on\":false,\"other\":[1]}", "", "" },
		{ "{\"name\":12345}", "name is no text", "a text goes there, in quotes" },
		{ "{\"name\":[]}", "name is no text", "a text goes there, in quotes" },
		{ "{\"share\":2.1}", "share is 2.1", "a number from 0.5 to 2 goes there" },
		{ "{\"share\":\"1\"}", "share is \"1\"", "a number from 0.5 to 2 goes there" },
		{ "{\"share\":{}}", "share is a table", "a number from 0.5 to 2 goes there" },
		{ "{\"count\":1.5}", "count is 1.5", "a whole number from 1 to 10 goes there" },
		{ "{\"count\":0}", "count is 0", "a whole number from 1 to 10 goes there" },
		{ "{\"on\":1}", "on is 1", "true or false goes there" },
		{ "{\"count\":0,\"on\":1}", "count is 0", "a whole number from 1 to 10 goes there" },
		{ "{", "the configuration cannot be read: out of memory, or too deep", "" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct fw_plugin_problem problem = { .message = "" };
		struct fw_plugin_text config = { cases[i].config, strlen(cases[i].config) };
		assert_int_equal(common_config_check(&host, config, keys, &problem), cases[i].message[0] ? -1 : 0);
		assert_string_equal(problem.message, cases[i].message);
		assert_string_equal(problem.hint, cases[i].hint);
	}
	struct fw_plugin_text off = { "{\"on\":false}", 12 }, none = { "{}", 2 };
	assert_int_equal(common_config_flag(off, "on", 1), 0);
	assert_int_equal(common_config_flag(none, "on", 1), 1);
}

struct taken {
	char said[256];
};

static void take(void *ctx, size_t which, enum common_json_type type, const char *p, size_t n)
{
	struct taken *t = ctx;
	size_t at = strlen(t->said);
	snprintf(t->said + at, sizeof t->said - at, "%zu:%d:%.*s ", which, (int)type, (int)n, p ? p : "");
}

static void test_json(void **state)
{
	static const struct common_json_path paths[] = { { { "a" } }, { { "c", "a" } }, { { "c" } } };
	static const struct {
		const char *json, *taken;
		int rc;
	} cases[] = {
		{ "{\"a\":\"x\\u00e9\",\"b\":{\"a\":1},\"c\":{\"a\":2,\"c\":3},\"a\":true}", "0:0:xé 2:3: 1:1:2 0:2:true ", 0 },
		{ "{\"a\":null,\"c\":[{\"a\":1}]}", "0:3: 2:3: ", 0 },
		{ "{\"c\":{\"a\":{\"a\":1}},\"c\":{\"a\":7}}", "2:3: 1:3: 2:3: 1:1:7 ", 0 },
		{ "[{\"a\":1}]", "", 0 },
		{ "{\"a\":1", "0:1:1 ", -1 },
		{ "{\"a\":1} 2", "0:1:1 ", -1 },
		{ "", "", -1 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct taken t = { "" };
		assert_int_equal(common_json_read(cases[i].json, strlen(cases[i].json), paths, 3, take, &t), cases[i].rc);
		if (cases[i].rc == 0)
			assert_string_equal(t.said, cases[i].taken);
	}
	char out[64];
	assert_int_equal(common_json_escape("a\"\\\n\0é", 7, out), 19);
	assert_string_equal(out, "a\\\"\\\\\\u000a\\u0000é");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_marks_stay_as_they_are), cmocka_unit_test(test_configuration),
		cmocka_unit_test(test_json) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
