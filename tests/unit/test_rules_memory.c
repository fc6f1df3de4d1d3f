/* Memory runs out at every place where it can, while a rule set loads and while it decides: once, or from there on. Loading
 * says so and leaves nothing behind; a decision is an error or leaves out what failed, and the next one is as ever. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib_rules.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
char *__real_strdup(const char *s);
int __real_posix_memalign(void **p, size_t alignment, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
char *__wrap_strdup(const char *s);
int __wrap_posix_memalign(void **p, size_t alignment, size_t size);

/* How many more are granted; negative: all. Once it is 0 one is refused, or every one. */
static long granted = -1;
static bool for_good;
static long asked;

static bool refused(void)
{
	asked++;
	if (granted < 0)
		return false;
	if (granted > 0) {
		granted--;
		return false;
	}
	if (!for_good)
		granted = -1;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return refused() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return refused() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	return size && refused() ? NULL : __real_realloc(p, size);
}

char *__wrap_strdup(const char *s)
{
	return refused() ? NULL : __real_strdup(s);
}

int __wrap_posix_memalign(void **p, size_t alignment, size_t size)
{
	return refused() ? 12 : __real_posix_memalign(p, alignment, size);
}

static const char text[] =
	"slot \"a\" { channel = \"web\", show_up_to = 3, default = { d = { 1, 2 } } }\n"
	"slot \"b\" { channel = \"web\" }\n"
	"local words = { CA = 'hello', NO = 'hei', list = { 1, 2 } }\n"
	"function greet(v) return words[v.country] or 'hi' end\n"
	"segment \"s1\" { when = { visits = at_least(2), country = { \"CA\", \"NO\" } } }\n"
	"segment \"s2\" { when = { segment = \"s1\", any { { device = \"mobile\" }, function(v) return v.orders > 2 end } } }\n"
	"rule \"r1\" { slot = \"a\", priority = 3, when = { segment = \"s2\" }, show = function(v) return { hi = greet(v), l = { "
		"v.traits.name, list {} } } end, tags = { \"t\" } }\n"
	"rule \"r2\" { slot = \"a\", only_one_of = \"g\", when = { any { { city = starts_with \"Mon\" }, none { traits = { plan = \"pro\" "
		"} } } }, show = { x = 1 } }\n"
	"rule \"r3\" { slot = \"b\", only_one_of = \"g\", rollout = 60, starts = \"2026-01-01\", when = { hour = between(22, 6), viewed = "
		"{ category = \"boots\" } }, show = { y = { z = true } } }\n"
	"rule \"r4\" { slot = \"b\", when = function(v) local t = {} for i = 1, 30 do t[i] = 'text ' .. i end return #t == 30 and "
		"v.segment.s1 end, show = { w = 1 } }\n"
	"rule \"m\" { channel = \"email\", on = \"X\", after = \"1h\", send = { template = \"t\" } }\n"
	"guard \"g1\" { applies = { uses = \"behaviour\" }, require = { consent = \"personalization\" }, because = \"law\" }\n"
	"guard \"g2\" { applies = { tag = \"t\" }, forbid = function(v) return v.device == 'bot' end, because = \"bots\" }\n"
	"cap \"c\" { limit = 3, per = \"7d\" }\n"
	"test \"t\" { given = { country = \"CA\", device = \"mobile\", visits = 3, orders = 3, consent = { \"personalization\" } }, expect "
		"= { a = { \"r1\", \"r2\" } } }\n";

static const char visitor[] =
	"{\"country\":\"CA\",\"device\":\"desktop\",\"visits\":3,\"orders\":5,\"consent\":[\"personalization\"],\"hour\":23,"
	"\"city\":\"Montréal, "
	"and a text of more than forty letters\",\"traits\":{\"name\":\"a name that is longer than what Lua interns, by "
		"far\",\"list\":[1,2]},"
	"\"viewed\":{\"category\":\"boots\",\"total\":2},\"rollout\":10}";

static void fail_from(long n, bool good)
{
	granted = n;
	for_good = good;
}

static void test_loading(void **state)
{
	(void)state;
	for (int good = 0; good < 2; good++)
		for (long n = 0, done = 0; !done; n++) {
			struct rules r;
			fail_from(n, good);
			int ret = rules_load(&r, text, text + strlen(text));
			bool spent = granted < 0;
			fail_from(-1, false);
			done = ret == 0 && !spent;
			if (r.began && !r.set && r.errors.n == 0)
				fail_msg("refusing the %ldth: %d without an error", n, ret);
			if (ret < 0 && r.errors.n && !r.errors.items[0].message[0])
				fail_msg("refusing the %ldth: an error without a message", n);
			if (ret == 0)
				assert_string_equal(rules_decide(&r, visitor),
					"a: r1{\"hi\":\"hello\",\"l\":[\"a name that is longer than what Lua interns, by far\",[]]} "
						"r2{\"x\":1}; b: r4{\"w\":1}");
			rules_finish(&r);
			if (n > 1000000)
				fail_msg("loading never succeeds");
		}
}

static void test_deciding(void **state)
{
	(void)state;
	struct rules r;
	char why[600];
	rules_open(&r, text, NULL);
	char *expected = strdup(rules_decide(&r, visitor));
	for (int good = 0; good < 2; good++)
		for (long n = 0, done = 0; !done; n++) {
			fail_from(n, good);
			const char *said = rules_decide(&r, visitor);
			done = granted > 0;
			fail_from(-1, false);
			if (done && strcmp(said, expected) != 0)
				fail_msg("%s", said);
			fail_from(n, good);
			rules_explain(&r, "r1", visitor, why);
			fail_from(-1, false);
			assert_string_equal(rules_decide(&r, visitor), expected);
			if (n > 100000)
				fail_msg("deciding never succeeds");
		}
	free(expected);
	rules_finish(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_loading),
		cmocka_unit_test(test_deciding),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
