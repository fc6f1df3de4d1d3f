/* Order and grouping of events do not matter where they should not. Seeded; FW_LONG=1: more of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/limits.h"
#include "lib_shoppers.h"

enum { EVENTS = 60 };

struct story {
	char *texts[EVENTS];
	int64_t at_us[EVENTS];
};

static unsigned rounds(void)
{
	return getenv("FW_LONG") ? 2000 : 60;
}

/* Sixty events of one shopper with different times, in some visits; some come with a campaign. */
static void tell_story(struct story *s, struct fw_arena *a, uint64_t seed)
{
	struct shopper shopper;
	shopper_begin(&shopper, seed);
	for (int i = 0; i < EVENTS; i++) {
		char text[2000];
		unsigned kind = below(&shopper.dice, 10);
		shopper_event(&shopper, kind, text, sizeof text);
		if (kind == 0 && below(&shopper.dice, 4) == 0)
			snprintf(text, sizeof text, "{\"type\":\"page\",\"anonymousId\":\"%s\","
				"\"context\":{\"page\":{\"url\":\"https://shop.example/?utm_source=news&"
				"utm_medium=email&utm_campaign=c%u\"}}}", shopper.id, below(&shopper.dice, 2));
		else if (kind == 0 && below(&shopper.dice, 3) == 0)
			snprintf(text, sizeof text, "{\"type\":\"track\",\"anonymousId\":\"%s\",\"event\":\"%s\","
				"\"properties\":{\"order_id\":\"o-%u\",\"total\":5}}", shopper.id,
				below(&shopper.dice, 2) ? "Order Refunded" : "Order Cancelled", below(&shopper.dice, 3));
		else if (kind == 6)
			snprintf(text, sizeof text, "{\"type\":\"track\",\"anonymousId\":\"%s\",\"event\":\"Order Completed\","
				"\"properties\":{\"order_id\":\"o-%u\","
				"\"revenue\":%d.25,\"products\":[{\"product_id\":\"SKU-%d\",\"category\":\"boots\","
				"\"quantity\":2}]}}", shopper.id, i, 20 + i, i % 5);
		s->texts[i] = fw_arena_strdup(a, text);
		shopper.at_us += (1 + below(&shopper.dice, 600)) * SECOND + (below(&shopper.dice, 6) == 0
			? below(&shopper.dice, 9) * DAY + HOUR : 0);
		s->at_us[i] = shopper.at_us;
	}
}

static void shuffle(struct dice *d, unsigned *order)
{
	for (unsigned i = EVENTS - 1; i > 0; i--) {
		unsigned k = below(d, i + 1), swapped = order[i];
		order[i] = order[k];
		order[k] = swapped;
	}
}

/* The record of the story told in that order; with `cuts`, written and read again now and then. */
static struct fw_str told(struct fw_arena *a, const struct story *s, const unsigned *order, struct dice *cuts)
{
	struct fw_record *r = fw_record_new(a, FW_STR("a-1"));
	for (unsigned i = 0; i < EVENTS; i++) {
		apply_with(r, a, s->texts[order[i]], s->at_us[order[i]], true);
		if (cuts && below(cuts, 3) == 0)
			r = read_again(a, written(a, r));
	}
	return written(a, r);
}

#define assert_near(x, y) assert_true((x) - (y) < 1e-9 && (y) - (x) < 1e-9)

static void assert_same_facts(struct fw_arena *a, struct fw_str x, struct fw_str y, int64_t now_us)
{
	static const enum fw_fact numbers[] = { FW_FACT_ORDERS, FW_FACT_REVENUE, FW_FACT_AVERAGE_ORDER, FW_FACT_DAYS_SINCE_ORDER,
		FW_FACT_CART_ITEMS,
		FW_FACT_CART_TOTAL };
	static const char *const keys[] = { "boots", "jackets", "winter boots", "nordica", "sku-1", "sku-10007" };
	struct fw_facts f, g;
	filled(&f, a, x, now_us);
	filled(&g, a, y, now_us);
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		assert_near(number(&f, numbers[i]), number(&g, numbers[i]));
	for (int fact = FW_FACT_VIEWED; fact <= FW_FACT_OPENED; fact++)
		for (int64_t within = 0; within <= 400 * 86400; within = within ? within * 20 : 3600)
			assert_near(asked(&f, (enum fw_fact)fact, FW_KEY_NONE, NULL, within),
				asked(&g, (enum fw_fact)fact, FW_KEY_NONE, NULL, within));
	for (int fact = FW_FACT_VIEWED; fact <= FW_FACT_AFFINITY; fact++)
		for (int kind = FW_KEY_CATEGORY; kind <= FW_KEY_TERM; kind++)
			for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
				assert_near(asked(&f, (enum fw_fact)fact, (enum fw_key_kind)kind, keys[k], 0),
					asked(&g, (enum fw_fact)fact, (enum fw_key_kind)kind, keys[k], 0));
	assert_int_equal(f.n_traits, g.n_traits);
}

/* A story, and the order in which it happened. */
static void begin_story(struct story *story, struct fw_arena *arena, uint64_t seed, unsigned order[EVENTS])
{
	fw_arena_init(arena, NULL, 0, 0);
	tell_story(story, arena, seed);
	for (unsigned i = 0; i < EVENTS; i++)
		order[i] = i;
}

static void test_order(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= rounds(); seed++) {
		struct fw_arena arena;
		struct story story;
		struct dice dice = { seed };
		unsigned order[EVENTS];
		begin_story(&story, &arena, seed, order);
		struct fw_str in_order = told(&arena, &story, order, NULL);
		shuffle(&dice, order);
		struct fw_str shuffled = told(&arena, &story, order, NULL);
		assert_same_facts(&arena, in_order, shuffled, story.at_us[EVENTS - 1] + 60 * SECOND);
		fw_arena_finish(&arena);
	}
}

static void test_grouping(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= rounds(); seed++) {
		struct fw_arena arena;
		struct story story;
		struct dice dice = { seed };
		unsigned order[EVENTS];
		begin_story(&story, &arena, seed, order);
		if (seed % 2)
			shuffle(&dice, order);
		struct fw_str at_once = told(&arena, &story, order, NULL), bit_by_bit = told(&arena, &story, order, &dice);
		assert_int_equal(at_once.n, bit_by_bit.n);
		assert_memory_equal(at_once.p, bit_by_bit.p, at_once.n);
		fw_arena_finish(&arena);
	}
}

static int by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return x < y ? -1 : x > y;
}

/* The visits of events at these times, with thirty idle minutes between two of them. */
static unsigned count_visits(const int64_t *at, int n)
{
	int64_t sorted[20];
	unsigned visits = 1;
	memcpy(sorted, at, (size_t)n * sizeof *at);
	qsort(sorted, (size_t)n, sizeof *sorted, by_time);
	for (int i = 1; i < n; i++)
		visits += sorted[i] - sorted[i - 1] > 30 * 60 * SECOND;
	return visits;
}

/* Visits by brute force: every event's time in order, with thirty idle minutes between two visits. Without campaigns, and of
 * at most as many visits as are kept, however late events come. */
static void test_visits(void **state)
{
	(void)state;
	static const char page[] = "{\"type\":\"page\",\"anonymousId\":\"a-1\"}";
	for (uint64_t seed = 1; seed <= rounds(); seed++) {
		struct fw_arena arena;
		struct dice dice = { seed };
		int64_t at[20];
		unsigned visits = 1, pages = 1, most = 1;
		fw_arena_init(&arena, NULL, 0, 0);
		for (int i = 0; i < 20; i++)
			at[i] = (i ? at[i - 1] : NOON) + (int64_t)(1 + below(&dice, 20)) * 60 * SECOND + (i % 3 == 0 &&
				below(&dice, 2) ? HOUR : 0);
		for (int i = 1; i < 20; i++) {
			bool begins = at[i] - at[i - 1] > 30 * 60 * SECOND;
			visits += begins;
			pages = begins ? 1 : pages + 1;
		}
		int64_t last = at[19];
		for (unsigned i = 19; i > 0; i--) {
			unsigned k = below(&dice, i + 1);
			int64_t swapped = at[i];
			at[i] = at[k];
			at[k] = swapped;
		}
		struct fw_record *r = fw_record_new(&arena, FW_STR("a-1"));
		for (int i = 0; i < 20; i++) {
			apply_with(r, &arena, page, at[i], true);
			most = count_visits(at, i + 1) > most ? count_visits(at, i + 1) : most;
		}
		struct fw_facts f;
		filled(&f, &arena, written(&arena, r), last + SECOND);
		if (most > FW_LIMIT_SESSIONS) {
			fw_arena_finish(&arena);
			continue;
		}
		assert_int_equal((int)number(&f, FW_FACT_VISITS), (int)visits);
		assert_int_equal((int)number(&f, FW_FACT_PAGES_THIS_VISIT), (int)pages);
		fw_arena_finish(&arena);
	}
}

/* Without consent to more, the necessary part alone changes: the same facts as if the behaviour part were not there. */
static void test_necessary_part(void **state)
{
	(void)state;
	struct fw_arena arena;
	struct story story;
	struct fw_facts f;
	fw_arena_init(&arena, NULL, 0, 0);
	tell_story(&story, &arena, 7);
	struct fw_record *r = fw_record_new(&arena, FW_STR("a-1"));
	for (unsigned i = 0; i < EVENTS / 2; i++)
		apply_with(r, &arena, story.texts[i], story.at_us[i], true);
	filled(&f, &arena, written(&arena, r), story.at_us[EVENTS - 1]);
	double viewed = asked(&f, FW_FACT_VIEWED, FW_KEY_NONE, NULL, 0), bought = asked(&f, FW_FACT_BOUGHT, FW_KEY_NONE, NULL, 0);
	double visits = number(&f, FW_FACT_VISITS);
	assert_true(viewed > 0 && visits > 1);
	for (unsigned i = EVENTS / 2; i < EVENTS; i++)
		apply_with(r, &arena, story.texts[i], story.at_us[i], false);
	apply_with(r, &arena, "{\"type\":\"track\",\"userId\":\"u\",\"event\":\"Product Added\","
		"\"properties\":{\"product_id\":\"x\",\"price\":3}}",
		story.at_us[EVENTS - 1], false);
	filled(&f, &arena, written(&arena, r), story.at_us[EVENTS - 1]);
	assert_true(asked(&f, FW_FACT_VIEWED, FW_KEY_NONE, NULL, 0) == viewed && asked(&f, FW_FACT_BOUGHT, FW_KEY_NONE, NULL, 0) == bought);
	assert_true(number(&f, FW_FACT_VISITS) == visits && number(&f, FW_FACT_CART_ITEMS) >= 1);
	double orders = number(&f, FW_FACT_ORDERS);
	fw_record_forget_behaviour(r);
	filled(&f, &arena, written(&arena, r), story.at_us[EVENTS - 1]);
	assert_true(asked(&f, FW_FACT_VIEWED, FW_KEY_NONE, NULL, 0) == 0 && number(&f, FW_FACT_VISITS) == 1);
	assert_true(number(&f, FW_FACT_CART_ITEMS) >= 1 && number(&f, FW_FACT_ORDERS) == orders && f.n_traits > 0);
	fw_arena_finish(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_grouping),
		cmocka_unit_test(test_visits),
		cmocka_unit_test(test_necessary_part),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
