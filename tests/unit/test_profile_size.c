/* How large records are, and that what is done to them is bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/limits.h"
#include "lib_shoppers.h"

static void next(struct shopper *s, struct fw_record *r, struct fw_arena *a, unsigned kind)
{
	char text[2000];
	uint64_t spilled[FW_SPILL_MOST];
	int32_t day;
	shopper_event(s, kind, text, sizeof text);
	apply_with(r, a, text, s->at_us, true);
	fw_record_remember(r, roll(&s->dice), s->at_us, spilled, &day);
	s->at_us += (5 + below(&s->dice, 90)) * SECOND;
}

/* Five visits of eight events in sixty days; he comes by a newsletter once, orders in the third and fills a cart in the last. */
static struct fw_record *average_visitor(struct fw_arena *a, uint64_t seed)
{
	static const char visits[5][9] = { "01232022", "01222022", "04283600", "01222012", "02123240" };
	struct shopper s;
	shopper_begin(&s, seed);
	struct fw_record *r = fw_record_new(a, fw_str(s.id));
	for (int i = 0; i < 5; i++) {
		s.at_us = NOON - (60 - 14 * i) * DAY + (int64_t)below(&s.dice, 86400) * SECOND;
		if (i == 2) {
			char text[600];
			snprintf(text, sizeof text, "{\"type\":\"page\",\"anonymousId\":\"%s\","
				"\"context\":{\"page\":{\"url\":\"https://shop.example/"
				"?utm_source=news&utm_medium=email&utm_campaign=autumn-2026\",\"path\":\"/\"}}}", s.id);
			apply_with(r, a, text, s.at_us, true);
			s.at_us += 20 * SECOND;
		}
		for (int k = i == 2; k < 8; k++)
			next(&s, r, a, (unsigned)(visits[i][k] - '0'));
	}
	return r;
}

static void test_average_visitor(void **state)
{
	(void)state;
	enum { VISITORS = 300 };
	size_t sum = 0, most = 0;
	for (uint64_t seed = 1; seed <= VISITORS; seed++) {
		struct fw_arena arena;
		struct fw_facts f;
		fw_arena_init(&arena, NULL, 0, 0);
		struct fw_str bytes = written(&arena, average_visitor(&arena, seed));
		filled(&f, &arena, bytes, NOON);
		assert_true(number(&f, FW_FACT_VISITS) == 5 && number(&f, FW_FACT_ORDERS) == 1 && number(&f, FW_FACT_CART_ITEMS) >= 1);
		sum += bytes.n;
		most = bytes.n > most ? bytes.n : most;
		fw_arena_finish(&arena);
	}
	print_message("average visitor: %zu bytes, the largest of %d: %zu\n", sum / VISITORS, VISITORS, most);
	assert_true(sum <= 500 * VISITORS);
}

/* Somebody who never stops: the record stays within its limit, and what is folded together is still counted. */
static void test_heavy_visitor(void **state)
{
	(void)state;
	const int events = getenv("FW_LONG") ? 100000 : 4000;
	struct shopper s;
	struct fw_arena arena;
	struct fw_facts f;
	struct fw_str bytes = { 0 };
	unsigned viewed = 0, added = 0;
	size_t most = 0;
	shopper_begin(&s, 3);
	s.at_us = NOON - 500 * DAY;
	char *kept = malloc(FW_LIMIT_RECORD_BYTES);
	assert_non_null(kept);
	for (int i = 0; i < events; i++) {
		static const unsigned kinds[] = { 0, 2, 2, 3, 2, 4, 9, 2, 5, 7 };
		unsigned kind = kinds[below(&s.dice, 10)];
		fw_arena_init(&arena, NULL, 0, 0);
		s.favourites[0] = below(&s.dice, 200);
		struct fw_record *r = i ? read_again(&arena, bytes) : fw_record_new(&arena, fw_str(s.id));
		struct fw_reservation reservation = { .cap = below(&s.dice, 40), .rule = 7, .at_us = s.at_us, .per_s = 400 * 86400,
			.limit = 100 };
		assert_int_equal(fw_record_reserve(r, &reservation), 0);
		next(&s, r, &arena, kind);
		viewed += kind == 2;
		added += kind == 4;
		s.at_us += (int64_t)below(&s.dice, 500 * 86400 / 4000 * 2) * SECOND * 4000 / events;
		bytes = written(&arena, r);
		assert_true(bytes.n <= FW_LIMIT_RECORD_BYTES);
		most = bytes.n > most ? bytes.n : most;
		memcpy(kept, bytes.p, bytes.n);
		bytes.p = kept;
		fw_arena_finish(&arena);
	}
	fw_arena_init(&arena, NULL, 0, 0);
	filled(&f, &arena, bytes, s.at_us);
	print_message("heavy visitor: %zu bytes at most\n", most);
	assert_true(asked(&f, FW_FACT_VIEWED, FW_KEY_NONE, NULL, 0) == viewed && asked(&f, FW_FACT_ADDED, FW_KEY_NONE, NULL, 0) == added);
	assert_true(asked(&f, FW_FACT_VIEWED, FW_KEY_NONE, NULL, 400 * 86400) <= viewed);
	/* At length there is hardly a pause of thirty minutes between two events. */
	assert_true(number(&f, FW_FACT_VISITS) > (events > 4000 ? 0 : 8));
	fw_arena_finish(&arena);
	free(kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_average_visitor),
		cmocka_unit_test(test_heavy_visitor),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
