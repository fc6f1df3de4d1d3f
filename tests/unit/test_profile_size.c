/* How large records are, and that what is done to them is bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/limits.h"
#include "lib_shoppers.h"
#include "profile/own.h"

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
	const int events = getenv("FW_LONG") ? 30000 : 4000;
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

/* Somebody with everything at its limit. `full` of ten parts are, drawn; times are far apart and texts have nothing in common. */
struct worst {
	struct dice dice;
	struct fw_arena *arena;
	struct fw_record *r;
	unsigned full;
};

#define WORST_ADD(w, list, ...) \
	(assert_true(FW_LIST_ROOM((w)->r, (w)->r->list)), (w)->r->list.items[(w)->r->list.n++] = (__VA_ARGS__))

static struct fw_str any_text(struct worst *w, size_t n)
{
	char text[FW_LIMIT_TRAIT_BYTES];
	for (size_t i = 0; i < n; i++)
		text[i] = (char)(33 + below(&w->dice, 94));
	return (struct fw_str){ fw_arena_strndup(w->arena, text, n), n };
}

/* Of those that may be `most`: all, or fewer. */
static unsigned how_many(struct worst *w, unsigned most)
{
	return below(&w->dice, 10) < w->full ? most : below(&w->dice, most + 1);
}

static int64_t any_time(struct worst *w)
{
	return NOON / 1000 - (int64_t)below(&w->dice, 400 * 86400) * 1000 - below(&w->dice, 1000);
}

static int64_t any_money(struct worst *w)
{
	return FW_MOST_MONEY - below(&w->dice, 1000000);
}

static void fill_ids(struct worst *w)
{
	unsigned most = how_many(w, FW_LIMIT_IDS_BYTES);
	size_t bytes = FW_LIMIT_IDS_BYTES;
	for (int i = 0; i < FW_LIMIT_MERGES; i++) {
		struct fw_str id = any_text(w, most / FW_LIMIT_MERGES + 1);
		if (fw_record_add_id(w->r, FW_ID_ANONYMOUS, id) == 0)
			bytes -= id.n;
	}
	for (int i = 0; i < FW_LIMIT_IDS_OF_A_KIND; i++) {
		size_t n = bytes < 254 ? bytes : 254;
		if (n && fw_record_add_id(w->r, FW_ID_EMAIL, any_text(w, n)) == 0)
			bytes -= n;
	}
	if (bytes < FW_LIMIT_EVENT_ID_BYTES)
		assert_int_equal(fw_record_add_id(w->r, FW_ID_OTHER, any_text(w, bytes + 1)), FW_ELIMIT);
	for (unsigned i = how_many(w, FW_LIMIT_MERGES); i > 0; i--) {
		struct fw_merge m = { .id = w->r->ids.items[below(&w->dice, w->r->ids.n)].text, .number = roll(&w->dice) >> 8,
			.at_us = any_time(w) * 1000, .spilled_day = 20000, .spilled_days = 15 };
		memcpy(m.seal, any_text(w, sizeof m.seal).p, sizeof m.seal);
		assert_int_equal(fw_record_note_merge(w->r, &m), 0);
	}
}

static void fill_consent(struct worst *w)
{
	size_t bytes = 0;
	for (unsigned i = how_many(w, FW_LIMIT_CONSENTS); i > 0; i--)
		WORST_ADD(w, consents, (struct consent){ any_text(w, FW_LIMIT_CONSENT_NAME_BYTES), FW_CONSENT_GRANTED, any_time(w) });
	unsigned n = how_many(w, FW_LIMIT_CONSENT_LOG), each = FW_LIMIT_CONSENT_LOG_BYTES / (n + 1);
	for (unsigned i = 0; i < n; i++) {
		bool is_new = w->r->consents.n == 0 || below(&w->dice, 10) < w->full;
		struct fw_str what = is_new ? any_text(w, each < 3 ? 1 : each / 3 < 64 ? each / 3 : 64) :
			w->r->consents.items[below(&w->dice, w->r->consents.n)].what;
		WORST_ADD(w, consent_log, (struct consent_entry){ what, FW_CONSENT_GRANTED, any_time(w),
			any_text(w, each / 3 + 1 < 64 ? each / 3 + 1 : 64), any_text(w, each / 3 + 1 < 100 ? each / 3 + 1 : 100) });
		bytes += what.n;
	}
	if (w->r->consent_log.n)
		qsort(w->r->consent_log.items, w->r->consent_log.n, sizeof *w->r->consent_log.items,
			(int (*)(const void *, const void *))fw_consent_compare);
	fw_consent_bound_log(w->r);
	assert_true(bytes == 0 || w->r->consent_log.n > 0);
}

static int by_use(const void *a, const void *b)
{
	int64_t x = ((const struct cap_use *)a)->at_ms, y = ((const struct cap_use *)b)->at_ms;
	return x < y ? -1 : x > y;
}

static void fill_caps(struct worst *w)
{
	unsigned caps = 1 + how_many(w, FW_LIMIT_CAPS_KEPT - 1), uses = how_many(w, FW_LIMIT_CAPS_USES);
	for (unsigned i = 0; i < caps; i++) {
		struct cap c = { .cap = roll(&w->dice), .per_s = 400 * 86400, .limit = 100 };
		for (unsigned k = 1 + uses / caps; k > 0 && c.uses.n < FW_LIMIT_CAP_USES; k--) {
			assert_true(FW_LIST_ROOM(w->r, c.uses));
			c.uses.items[c.uses.n++] = (struct cap_use){ any_time(w), roll(&w->dice) };
		}
		qsort(c.uses.items, c.uses.n, sizeof *c.uses.items, by_use);
		WORST_ADD(w, caps, c);
	}
}

static int by_order(const void *a, const void *b)
{
	int64_t x = ((const struct order *)a)->at_ms, y = ((const struct order *)b)->at_ms;
	return x < y ? -1 : x > y;
}

static void fill_shop(struct worst *w)
{
	struct fw_record *r = w->r;
	for (unsigned i = how_many(w, FW_LIMIT_ORDERS); i > 0; i--)
		WORST_ADD(w, orders, (struct order){ any_text(w, FW_LIMIT_EVENT_ID_BYTES), any_time(w), any_time(w), any_money(w),
			any_money(w), ORDER_FLAGS });
	if (r->orders.n)
		qsort(r->orders.items, r->orders.n, sizeof *r->orders.items, by_order);
	int64_t at_ms = NOON / 1000 - 100 * DAY / 1000;
	for (unsigned i = how_many(w, FW_LIMIT_CART_ENTRIES); i > 0; i--) {
		struct cart_entry e = { .at_ms = at_ms += below(&w->dice, 86400000), .price = any_money(w), .quantity = 1000000 };
		for (int k = 0; k < FW_LABELS - 1; k++)
			e.labels[k] = fw_record_text(r, any_text(w, FW_LIMIT_KEY_BYTES));
		WORST_ADD(w, cart.entries, e);
	}
	r->cart.told_ms = any_time(w);
	size_t bytes = 0, most = how_many(w, FW_LIMIT_TRAITS_BYTES), traits = 1 + how_many(w, FW_LIMIT_TRAITS - 1);
	for (unsigned i = 0; i < traits; i++) {
		struct fw_buf b;
		size_t n = most / traits;
		struct fw_json value = { .type = FW_JSON_STRING, .string =
			any_text(w, n < FW_LIMIT_TRAIT_BYTES ? n : FW_LIMIT_TRAIT_BYTES) };
		struct trait t = { .name = any_text(w, 8), .at_ms = any_time(w) };
		fw_buf_init(&b, 0);
		fw_trait_pack(&value, &b);
		assert_int_equal(fw_buf_keep(&b, w->arena, &t.packed), 0);
		bytes += t.packed.n;
		if (bytes <= FW_LIMIT_TRAITS_BYTES)
			WORST_ADD(w, traits, t);
	}
}

/* Through the events that tell of it: the counts are bounded as they are added. */
static void fill_behaviour(struct worst *w)
{
	static const char *const names[] = { "Product Viewed", "Product Added", "Product Clicked", "Email Delivered" };
	char text[1000];
	for (unsigned i = how_many(w, getenv("FW_LONG") ? 3000 : 600); i > 0; i--) {
		snprintf(text, sizeof text,
			"{\"type\":\"track\",\"anonymousId\":\"a-1\",\"event\":\"%s\",\"properties\":{\"product_id\":\"%llx%llx\","
			"\"category\":\"c%llx\",\"brand\":\"b%llx\"},"
			"\"context\":{\"page\":{\"url\":\"https://shop.example/?utm_campaign=%llx%llx\"}}}",
			names[below(&w->dice, 4)], (unsigned long long)roll(&w->dice), (unsigned long long)roll(&w->dice),
			(unsigned long long)roll(&w->dice), (unsigned long long)roll(&w->dice), (unsigned long long)roll(&w->dice),
			(unsigned long long)roll(&w->dice));
		apply_with(w->r, w->arena, text, any_time(w) * 1000, true);
	}
}

static void fill_messages(struct worst *w)
{
	for (unsigned i = how_many(w, FW_LIMIT_ASKS); i > 0; i--) {
		const struct fw_ask a = { any_text(w, FW_LIMIT_KEY_BYTES), any_time(w) * 1000, any_text(w, FW_LIMIT_ASK_PLACE_BYTES) };
		if (a.product.n)
			assert_int_equal(fw_record_put_ask(w->r, &a), 0);
	}
	for (unsigned i = how_many(w, FW_LIMIT_DUE); i > 0; i--) {
		const struct fw_due d = { .number = roll(&w->dice) | 1, .state = (enum fw_due_state)below(&w->dice, 3),
			.rule = any_text(w, FW_LIMIT_ID_BYTES), .channel = any_text(w, FW_LIMIT_ID_BYTES),
			.triggered_us = any_time(w) * 1000,
			.due_us = any_time(w) * 1000, .expires_us = any_time(w) * 1000, .attempts = UINT32_MAX, .lost = UINT32_MAX,
			.reason = any_text(w, FW_LIMIT_DUE_REASON_BYTES), .facts = any_text(w, FW_LIMIT_TRAIT_BYTES),
			.decision = FW_STR("01993c1e-7a40-7c12-9d3e-0a1b2c3d4e5f") };
		assert_int_equal(fw_record_put_due(w->r, &d), 0);
	}
	for (unsigned i = how_many(w, 2 * FW_LIMIT_OUTCOMES); i > 0; i--) {
		const struct fw_due_outcome o = { any_time(w) * 1000, roll(&w->dice), any_text(w, 60), any_text(w, 20), any_text(w, 12),
			any_text(w, 60), FW_STR("01993c1e-7a40-7c12-9d3e-0a1b2c3d4e5f") };
		assert_int_equal(fw_record_note_outcome(w->r, &o), 0);
	}
	for (unsigned i = how_many(w, FW_LIMIT_MARKS); i > 0; i--) {
		const struct fw_mark m = { any_text(w, FW_LIMIT_ID_BYTES), any_time(w) * 1000, true };
		assert_int_equal(fw_record_set_mark(w->r, &m), 0);
	}
}

static struct fw_record *anybody_at_limits(struct fw_arena *a, uint64_t seed, unsigned full)
{
	struct worst w = { { seed }, a, NULL, full };
	uint64_t spilled[FW_SPILL_MOST];
	int32_t day;
	w.r = fw_record_new(a, any_text(&w, FW_LIMIT_EVENT_ID_BYTES));
	w.r->last_ms = NOON / 1000;
	w.r->first_s = any_time(&w) / 1000;
	fill_behaviour(&w);
	fill_ids(&w);
	fill_consent(&w);
	fill_caps(&w);
	w.r->cart.entries.n = 0;
	fill_shop(&w);
	fill_messages(&w);
	for (int i = 0; i < 2 * FW_LIMIT_SEEN_KEPT; i++)
		fw_record_remember(w.r, roll(&w.dice), any_time(&w) * 1000, spilled, &day);
	for (uint64_t i = 0; i < FW_LIMIT_IMPORTS_KEPT; i++)
		fw_record_set_import_offset(w.r, roll(&w.dice), INT64_MAX);
	return w.r;
}

static size_t uses_of(const struct fw_record *r)
{
	size_t n = 0;
	for (uint32_t i = 0; i < r->caps.n; i++)
		n += r->caps.items[i].uses.n;
	return n;
}

/* A hundred merged ids of two hundred bytes and a full log of consent gave 35,989 bytes: nothing bounded the bytes of ids, and what was
 * forgotten first was used up. Whatever is at its limit, the record is within its own, and writing it leaves it as it was. */
static void test_everything_at_its_limit(void **state)
{
	(void)state;
	const unsigned rounds = getenv("FW_LONG") ? 300 : 24;
	size_t most = 0;
	for (unsigned i = 0; i < rounds; i++) {
		struct fw_arena arena;
		fw_arena_init(&arena, NULL, 0, 0);
		struct fw_record *r = anybody_at_limits(&arena, i, i < 10 ? 10 : i % 11);
		struct fw_str bytes = written(&arena, r);
		most = bytes.n > most ? bytes.n : most;
		assert_true(bytes.n <= FW_LIMIT_RECORD_BYTES);
		assert_true(fw_str_equal(bytes, written(&arena, r)));
		struct fw_record *again = read_again(&arena, bytes);
		assert_true(fw_str_equal(bytes, written(&arena, again)));
		assert_true(again->dues.n == r->dues.n && again->marks.n == r->marks.n);
		assert_true(again->ids.n == r->ids.n && again->merges.n == r->merges.n && again->seen.n == r->seen.n);
		assert_true(uses_of(again) == uses_of(r) && again->consents.n == r->consents.n && again->restricted == r->restricted);
		fw_arena_finish(&arena);
	}
	print_message("everything at its limit: %zu bytes at most\n", most);
	assert_true(most > FW_LIMIT_RECORD_BYTES * 9 / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_average_visitor),
		cmocka_unit_test(test_heavy_visitor),
		cmocka_unit_test(test_everything_at_its_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
