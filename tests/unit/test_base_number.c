/* Numbers as text: what is written reads back as the same, and is what the slow way writes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "lib_generate.h"

/* By trying, as the standard library writes numbers. */
static void tried(double x, char *buf)
{
	if (fabs(x) < 1e17 && x == floor(x)) {
		snprintf(buf, 32, "%lld", (long long)x);
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(buf, 32, "%.*g", digits, x);
		if (strtod(buf, NULL) == x)
			return;
	}
}

static void check(double x)
{
	char ours[32], theirs[32];
	tried(x, theirs);
	size_t n = fw_number_text(x, ours);
	assert_string_equal(ours, theirs);
	assert_int_equal(n, strlen(theirs));
	assert_true(strtod(ours, NULL) == x);
}

static void test_the_same_as_by_trying(void **state)
{
	static const double edges[] = { 0, -0.0, 0.01, 0.1, -0.1, 0.99, 1.005, 19.95, -19.95, 0.001, 1e-5, 1e-300, 0.30000000000000004,
		9999999999999.99, 99999999999999.9, 999999999999999.9, 1e15 - 1, 1e15, 1e15 + 2, 1e16, 1e300, DBL_MIN, DBL_MAX,
		DBL_TRUE_MIN, 4503599627370496.5, 1 / 3.0 };
	(void)state;
	for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
		check(edges[i]);
		check(-edges[i]);
	}
	for (int i = -200000; i < 200000; i++)
		check(i / 100.0);
	struct generator g = { .state = 20261127 };
	for (int i = 0; i < 300000; i++) {
		double x = (double)(int64_t)draw(&g) / pow(10, (double)(draw(&g) % 25));
		check(x);
		check(rint(x * 100) / 100);
		check(nextafter(rint(x * 100) / 100, x));
	}
}

/* Of 16 and 17 digits, too, and where the last are noughts: ids and the numbers of merges are as large. */
static void test_large_whole_numbers(void **state)
{
	static const struct { double x; const char *text; } large[] = {
		{ 1e15, "1000000000000000" }, { 1795889923907710, "1795889923907710" }, { 1795889923907713, "1795889923907713" },
		{ 9007199254740992, "9007199254740992" }, { 9007199254741000, "9007199254741000" }, { 1e16, "10000000000000000" },
		{ 99999999999999984, "99999999999999984" }, { 1e17, "1e+17" }, { 1.5e300, "1.5e+300" },
	};
	char ours[32];
	(void)state;
	for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
		check(large[i].x);
		check(-large[i].x);
		fw_number_text(large[i].x, ours);
		assert_string_equal(ours, large[i].text);
	}
}

static void test_whole_numbers(void **state)
{
	static const int64_t edges[] = { 0, 1, -1, 9, 10, -10, 99, 100, INT64_MAX, INT64_MIN, INT64_MIN + 1 };
	char ours[24], theirs[24];
	(void)state;
	for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
		int n = snprintf(theirs, sizeof theirs, "%lld", (long long)edges[i]);
		assert_int_equal(fw_whole_text(edges[i], ours), n);
		assert_string_equal(ours, theirs);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_same_as_by_trying), cmocka_unit_test(test_large_whole_numbers),
		cmocka_unit_test(test_whole_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
