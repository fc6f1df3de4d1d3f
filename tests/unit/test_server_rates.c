/* Limits by address and key: what is let in, how long to wait, and that neither many clients nor time make it wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "base/limits.h"
#include "server/rates.h"

#define SECOND INT64_C(1000000)
enum { AT = 1000 }; /* seconds since the machine was started */

static struct fw_rates *of(unsigned per_address_s, unsigned per_key_s, unsigned new_min, unsigned workers)
{
	const struct fw_rate_limits limits = { per_address_s, per_key_s, new_min };
	struct fw_rates *r = fw_rates_create(&limits, workers);
	assert_non_null(r);
	return r;
}

/* How many of n are let in at once. */
static unsigned taken(struct fw_rates *r, enum fw_rate rate, const char *who, unsigned n, int64_t now_us)
{
	unsigned in = 0;
	for (unsigned i = 0; i < n; i++)
		in += fw_rates_take(r, rate, fw_str(who), now_us) == 0;
	return in;
}

static void test_what_is_let_in(void **state)
{
	(void)state;
	struct fw_rates *r = of(100, 1000, 120, 1);
	assert_int_equal(taken(r, FW_RATE_ADDRESS, "a", 5000, AT * SECOND), 100 * FW_LIMIT_BURST_S);
	assert_int_equal(taken(r, FW_RATE_ADDRESS, "b", 5000, AT * SECOND), 100 * FW_LIMIT_BURST_S); /* each for itself */
	assert_int_equal(taken(r, FW_RATE_NEW, "a", 500, AT * SECOND), 120);
	assert_int_equal(taken(r, FW_RATE_KEY, "a", 50000, AT * SECOND), 1000 * FW_LIMIT_BURST_S);
	assert_int_equal(taken(r, FW_RATE_ADDRESS, "a", 500, (AT + 1) * SECOND), 100);
	assert_int_equal(taken(r, FW_RATE_NEW, "a", 500, (AT + 30) * SECOND), 60);
	assert_int_equal(taken(r, FW_RATE_ADDRESS, "a", 5000, (AT + 3600) * SECOND), 100 * FW_LIMIT_BURST_S);
	fw_rates_destroy(r);
	/* Over a long time it is the rate, however the requests come. */
	r = of(7, 0, 0, 3);
	unsigned in = 0;
	for (int i = 0; i < 600 * 13; i++)
		in += fw_rates_take(r, FW_RATE_ADDRESS, FW_STR("a"), AT * SECOND + i * SECOND / 13) == 0;
	assert_in_range(in, 600 * 7 / 3, 600 * 7 / 3 + 7 * FW_LIMIT_BURST_S / 3 + 1);
	assert_int_equal(taken(r, FW_RATE_KEY, "a", 100000, AT * SECOND), 100000); /* 0: no limit */
	fw_rates_destroy(r);
	fw_rates_destroy(NULL);
}

static void test_how_long_to_wait(void **state)
{
	(void)state;
	struct fw_rates *r = of(0, 0, 2, 4); /* a place in two minutes: one at once all the same */
	assert_int_equal(fw_rates_take(r, FW_RATE_NEW, FW_STR("a"), AT * SECOND), 0);
	assert_int_equal(fw_rates_take(r, FW_RATE_NEW, FW_STR("a"), AT * SECOND), 120);
	assert_int_equal(fw_rates_take(r, FW_RATE_NEW, FW_STR("a"), (AT + 119) * SECOND + 1), 1);
	assert_int_equal(fw_rates_take(r, FW_RATE_NEW, FW_STR("a"), (AT + 120) * SECOND), 0);
	fw_rates_destroy(r);
	r = of(100, 0, 0, 1);
	taken(r, FW_RATE_ADDRESS, "a", 5000, AT * SECOND);
	assert_int_equal(fw_rates_take(r, FW_RATE_ADDRESS, FW_STR("a"), AT * SECOND), 1); /* whole seconds, never 0 */
	fw_rates_destroy(r);
}

/* Hundreds of thousands of addresses do not free the one that asks too often. */
static void test_many_clients(void **state)
{
	(void)state;
	struct fw_rates *r = of(100, 0, 0, 1);
	char who[24];
	unsigned refused = 0, greedy = 0;
	for (unsigned i = 0; i < 200000; i++) {
		int64_t now_us = AT * SECOND + i * INT64_C(100); /* 20 seconds */
		snprintf(who, sizeof who, "many-%u", i);
		refused += fw_rates_take(r, FW_RATE_ADDRESS, fw_str(who), now_us) != 0;
		greedy += fw_rates_take(r, FW_RATE_ADDRESS, FW_STR("greedy"), now_us) == 0;
	}
	assert_int_equal(refused, 0);
	assert_in_range(greedy, 100 * (FW_LIMIT_BURST_S + 20) - 1, 100 * (FW_LIMIT_BURST_S + 20) + 1);
	fw_rates_destroy(r);
}

static void test_known_ids(void **state)
{
	(void)state;
	struct fw_rates *r = of(0, 0, 0, 1);
	char id[24];
	unsigned wrong = 0;
	for (unsigned i = 0; i < 500000; i++) {
		snprintf(id, sizeof id, "visitor-%u", i);
		wrong += fw_rates_knows(r, fw_str(id));
		fw_rates_learn(r, fw_str(id));
		assert_true(fw_rates_knows(r, fw_str(id)));
		snprintf(id, sizeof id, "visitor-%u", i < 100000 ? 0 : i - 100000);
		if (i % 1000 == 0)
			assert_true(fw_rates_knows(r, fw_str(id)));
	}
	assert_in_range(wrong, 0, 500000 / 40);
	fw_rates_destroy(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_let_in),
		cmocka_unit_test(test_how_long_to_wait),
		cmocka_unit_test(test_many_clients),
		cmocka_unit_test(test_known_ids),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
