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
			snprintf(text, sizeof text, "{\"type\":\"page\",\"anonymousId\":\"%s\",\"context\":{\"page\":{\"url\":\"https://shop.example/"
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_average_visitor),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
