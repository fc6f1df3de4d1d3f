/* Two people become one, and two again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/hash.h"
#include "lib_arena.h"
#include "lib_shoppers.h"
#include "profile/own.h"

static struct fw_record *person(const char *first, enum fw_id_kind kind, const char *id)
{
	struct fw_record *r = fw_record_new(&arena, fw_str(first));
	assert_int_equal(fw_record_add_id(r, FW_ID_ANONYMOUS, fw_str(first)), 0);
	if (id)
		assert_int_equal(fw_record_add_id(r, kind, fw_str(id)), 0);
	return r;
}

static void test_may_not(void **state)
{
	(void)state;
	struct fw_record *ann = person("a-1", FW_ID_USER, "ann"), *bob = person("a-2", FW_ID_USER, "bob");
	struct fw_record *guest = person("a-3", FW_ID_EMAIL, "e0@shop.example");
	assert_string_equal(fw_record_may_not_merge(ann, bob), "two_users");
	assert_null(fw_record_may_not_merge(ann, ann));
	assert_null(fw_record_may_not_merge(ann, guest));
	char text[40];
	for (int i = 1; i <= FW_LIMIT_IDS_OF_A_KIND; i++) {
		snprintf(text, sizeof text, "e%d@shop.example", i);
		assert_int_equal(fw_record_add_id(ann, FW_ID_EMAIL, fw_str(text)), 0);
	}
	assert_string_equal(fw_record_may_not_merge(ann, guest), "too_many_ids");
	fw_record_remove_id(ann, FW_ID_EMAIL, fw_str(text));
	assert_null(fw_record_may_not_merge(guest, ann));
	for (uint64_t i = 0; i + 1 < FW_LIMIT_MERGES; i++)
		assert_int_equal(fw_record_note_merge(ann, &(struct fw_merge){ .id = FW_STR("a-3"), .number = i }), 0);
	assert_null(fw_record_may_not_merge(guest, ann));
	assert_int_equal(fw_record_note_merge(ann, &(struct fw_merge){ .id = FW_STR("a-3"), .number = 0 }), 0);
	assert_null(fw_record_may_not_merge(guest, ann));
	assert_int_equal(fw_record_note_merge(ann, &(struct fw_merge){ .id = FW_STR("a-3"), .number = 1000 }), 0);
	assert_string_equal(fw_record_may_not_merge(guest, ann), "too_many_merges");
	assert_int_equal(fw_record_note_merge(ann, &(struct fw_merge){ .id = FW_STR("a-3"), .number = 1001 }), FW_ELIMIT);
}

/* Ids are bounded by their bytes, too; who was absorbed counts where it is none of them. */
static void test_long_ids(void **state)
{
	(void)state;
	enum { EACH = 200, FIT = FW_LIMIT_IDS_BYTES / EACH };
	struct fw_record *ann = fw_record_new(&arena, FW_STR("a-1")), *guest = person("a-3", FW_ID_EMAIL, "e0@shop.example");
	char text[EACH + 1];
	memset(text, 'x', sizeof text);
	const struct fw_str id = { text, EACH };
	for (int i = 0; i < FIT; i++) {
		snprintf(text, sizeof text, "device-%03d", i);
		text[10] = 'x';
		assert_int_equal(fw_record_add_id(ann, FW_ID_ANONYMOUS, id), 0);
	}
	const struct fw_str last = ann->ids.items[FIT - 1].text;
	text[0] = 'D';
	assert_int_equal(fw_record_add_id(ann, FW_ID_ANONYMOUS, id), FW_ELIMIT);
	assert_int_equal(fw_record_add_id(ann, FW_ID_ANONYMOUS, last), 0);
	assert_null(fw_record_may_not_merge(ann, guest));
	assert_int_equal(fw_record_add_id(guest, FW_ID_ANONYMOUS, id), 0);
	assert_string_equal(fw_record_may_not_merge(ann, guest), "too_many_ids");
	assert_string_equal(fw_record_may_not_merge(guest, ann), "too_many_ids");
	fw_record_remove_id(ann, FW_ID_ANONYMOUS, last);
	assert_null(fw_record_may_not_merge(guest, ann));
	assert_int_equal(fw_record_note_merge(ann, &(struct fw_merge){ .id = id, .number = 1 }), 0);
	assert_null(fw_record_may_not_merge(guest, ann));
	assert_int_equal(fw_record_note_merge(ann, &(struct fw_merge){ .id = last, .number = 2 }), 0);
	assert_string_equal(fw_record_may_not_merge(guest, ann), "too_many_ids");
}

static void test_merges(void **state)
{
	(void)state;
	struct fw_record *r = person("a-1", FW_ID_ANONYMOUS, "a-2");
	struct fw_merge m = { .kind = FW_ID_PHONE, .id = FW_STR("+4711"), .number = 7, .at_us = NOON + 1234, .seal = "key",
		.spilled_day = 20000, .spilled_days = 5 };
	assert_int_equal(fw_record_note_merge(r, &m), 0);
	assert_int_equal(fw_record_note_merge(r, &(struct fw_merge){ .kind = FW_ID_ANONYMOUS, .id = FW_STR("a-2"), .at_us = NOON - DAY }),
		0);
	assert_int_equal(fw_record_note_merge(r, &m), 0);
	r = read_again(&arena, written(&arena, r));
	assert_true(fw_record_merge_at(r, 0, &m) && fw_str_is(m.id, "a-2") && m.number == 0 && m.at_us == NOON - DAY);
	assert_true(fw_record_merge_at(r, 1, &m) && fw_str_is(m.id, "+4711") && m.kind == FW_ID_PHONE && m.number == 7);
	assert_true(m.at_us == NOON + 1000 && memcmp(m.seal, "key", 4) == 0 && m.spilled_day == 20000 && m.spilled_days == 5);
	assert_false(fw_record_merge_at(r, 2, &m));
	int32_t days[4];
	assert_int_equal(fw_merge_spilled_days(&m, 20000 * DAY, days), 2);
	assert_true(days[0] == 20000 && days[1] == 19998);
	assert_int_equal(fw_record_seen(r, 1), FW_SEEN_ASK);
	assert_false(fw_record_forget_merge(r, FW_ID_PHONE, FW_STR("+4711"), 8));
	assert_true(fw_record_forget_merge(r, FW_ID_PHONE, FW_STR("+4711"), 7));
	assert_int_equal(fw_record_seen(r, 1), FW_SEEN_NO);
}

/* What makes the difference between what is exact and what depends on the order. */
enum { SHARED_ORDERS = 1, CAMPAIGNS = 2, SEEN_BEFORE = 4, NO_CARTS_TOLD = 8, CLAIMS = 16 };

static unsigned rounds(void)
{
	return getenv("FW_LONG") ? 3000 : 300;
}

/* One event of a random person, mostly within the four hours before `noon`, at a millisecond of its own. Orders of several people
 * have one id now and then with SHARED_ORDERS. */
static void happen(struct fw_record *r, struct shopper *s, unsigned with, int64_t noon)
{
	char text[2000];
	unsigned kind = below(&s->dice, with & CAMPAIGNS ? 11 : 10);
	if (kind == 5 && with & NO_CARTS_TOLD)
		kind = 4;
	int64_t at_us = noon - (int64_t)below(&s->dice, 4 * 3600 * 1000) * 1000;
	if (below(&s->dice, 8) == 0)
		at_us -= (int64_t)below(&s->dice, 3) * DAY;
	unsigned order = with & SHARED_ORDERS ? below(&s->dice, 3) : below(&s->dice, 1000000000), campaign = below(&s->dice, 3);
	shopper_event(s, kind == 10 ? 0 : kind, text, sizeof text);
	if (kind == 10)
		snprintf(text, sizeof text, "{\"type\":\"page\",\"anonymousId\":\"%s\",\"context\":{\"page\":{\"url\":"
			"\"https://shop.example/?utm_source=news&utm_medium=email&utm_campaign=c%u\"}}}", s->id, campaign);
	if (kind == 6)
		snprintf(text, sizeof text, "{\"type\":\"track\",\"anonymousId\":\"%s\",\"event\":\"%s\",\"properties\":{"
			"\"order_id\":\"o-%u\",\"total\":%u,\"products\":[{\"product_id\":\"SKU-%u\",\"category\":\"boots\"}]}}", s->id,
			campaign ? "Order Completed" : "Order Refunded", order, 20 + order % 7, order % 5);
	if (kind == 8)
		snprintf(text, sizeof text, "{\"type\":\"identify\",\"anonymousId\":\"%s\",\"traits\":{\"plan\":\"%u\",\"t%u\":%u}}",
			s->id, order % 9, campaign, order % 100);
	const struct fw_profile_options options = { .currency = "EUR", .behaviour = true };
	struct fw_event e = event_at(&arena, text, at_us);
	e.trusted = !(with & CLAIMS) || below(&s->dice, 2); /* else what it tells is claimed */
	assert_int_equal(fw_profile_apply(r, &e, &options, NULL), 0);
}

static void add_consent(struct fw_record *r, struct dice *d, const char *what)
{
	struct consent c = { fw_str(what), (enum fw_consent_state)below(d, 3), NOON / 1000 - below(d, 1000) };
	struct consent_entry e = { c.what, c.state, c.at_ms, FW_STR("page"), fw_str(below(d, 2) ? "v1" : NULL) };
	assert_true(FW_LIST_ROOM(r, r->consents) && FW_LIST_ROOM(r, r->consent_log));
	r->consents.items[r->consents.n++] = c;
	r->consent_log.items[r->consent_log.n++] = e;
}

/* A random person, few of whom reach no limit together; read from bytes, as people are. */
static struct fw_record *anybody(uint64_t seed, unsigned with, unsigned most_events)
{
	struct shopper s;
	char text[40];
	uint64_t spilled[FW_SPILL_MOST];
	int32_t day;
	shopper_begin(&s, seed);
	struct dice *d = &s.dice;
	struct fw_record *r = fw_record_new(&arena, fw_str(s.id));
	assert_int_equal(fw_record_add_id(r, FW_ID_ANONYMOUS, fw_str(s.id)), 0);
	if (with & SEEN_BEFORE)
		apply_with(r, &arena, "{\"type\":\"page\",\"anonymousId\":\"a-1\"}", NOON - 9 * DAY - below(d, 86400) * SECOND, true);
	for (unsigned n = below(d, most_events + 1); n > 0; n--)
		happen(r, &s, with, NOON);
	snprintf(text, sizeof text, "loyalty:%u", below(d, 3));
	if (below(d, 2))
		assert_int_equal(fw_record_add_id(r, FW_ID_OTHER, fw_str(text)), 0);
	if (below(d, 4) == 0)
		fw_record_share_id(r, FW_ID_OTHER, fw_str(text));
	for (unsigned n = below(d, 4); n > 0; n--) {
		const struct fw_reservation place = { .cap = below(d, 3), .rule = 1 + below(d, 2), .at_us = NOON - below(d, 9) * SECOND,
			.per_s = 86400, .limit = 1 + below(d, 2) };
		assert_int_equal(fw_record_reserve(r, &place), 0);
	}
	if (below(d, 2))
		assert_int_equal(fw_record_remember(r, roll(d), NOON - below(d, 90) * HOUR, spilled, &day), 0);
	if (below(d, 3) == 0)
		fw_record_set_import_offset(r, below(d, 3), below(d, 1000));
	for (unsigned n = below(d, 3); n > 0; n--) {
		const struct fw_merge m = { .kind = FW_ID_ANONYMOUS, .id = FW_STR("a-0"), .number = below(d, 4), .at_us = NOON };
		assert_int_equal(fw_record_note_merge(r, &m), 0);
	}
	if (below(d, 2))
		add_consent(r, d, "marketing");
	if (below(d, 2))
		add_consent(r, d, "email");
	r->restricted = below(d, 9) == 0;
	return read_again(&arena, written(&arena, r));
}

static struct fw_record *copy_of(const struct fw_record *r)
{
	return read_again(&arena, written(&arena, r));
}

/* Both as one; they stay as they are. */
static struct fw_record *merged(const struct fw_record *a, const struct fw_record *b)
{
	struct fw_spilled spilled[FW_SPILL_MOST];
	unsigned n;
	struct fw_str before = written(&arena, b);
	struct fw_record *both = copy_of(a);
	assert_int_equal(fw_record_merge(both, b, spilled, &n), 0);
	assert_true(n <= FW_SPILL_MOST);
	assert_true(fw_str_equal(before, written(&arena, b)));
	return both;
}

/* All that is said of a person, in an order that does not depend on what came first. */
static struct fw_str said(const struct fw_record *r)
{
	struct fw_buf text;
	struct fw_json_out out;
	struct fw_error err;
	struct fw_str bytes = written(&arena, merged(fw_record_new(&arena, fw_record_first_id(r)), r));
	fw_buf_init(&text, 0);
	fw_json_out_init(&out, &text);
	fw_json_open_object(&out);
	assert_int_equal(fw_profile_describe(&arena, bytes, NOON + 60 * SECOND, &out, &err), 0);
	fw_json_key(&out, "timeline");
	assert_int_equal(fw_profile_timeline(&arena, bytes, &out, &err), 0);
	fw_json_close_object(&out);
	struct fw_str ret = { fw_arena_strndup(&arena, text.data, text.n), text.n };
	fw_buf_finish(&text);
	return ret;
}

static void assert_same(struct fw_str a, struct fw_str b, uint64_t seed, bool is_text)
{
	if (!fw_str_equal(a, b))
		print_message("seed %llu\n", (unsigned long long)seed);
	size_t i = 0;
	while (i < a.n && i < b.n && a.p[i] == b.p[i])
		i++;
	if (!fw_str_equal(a, b) && is_text) {
		i -= i < 40 ? i : 40;
		print_message("... %.200s\n... %.200s\n", a.p + i, b.p + i);
	}
	assert_true(fw_str_equal(a, b));
}

/* Whether so many people together stay within the limits that lists have. */
static bool within_limits(struct fw_record *const *who, unsigned n)
{
	uint32_t visits = 0, orders = 0, seen = 0, entries = 0;
	for (unsigned i = 0; i < n; i++) {
		visits += who[i]->sessions.n + (uint32_t)who[i]->lifetime.visits;
		orders += who[i]->orders.n;
		seen += who[i]->seen.n;
		entries += who[i]->cart.entries.n;
	}
	return visits <= FW_LIMIT_SESSIONS && orders <= FW_LIMIT_ORDERS && seen <= FW_LIMIT_SEEN_KEPT && entries <= FW_LIMIT_CART_ENTRIES;
}

/* Four people become one in whatever order. */
static void test_any_order(void **state)
{
	(void)state;
	unsigned tried = 0;
	for (uint64_t seed = 1; seed <= rounds(); seed++) {
		struct fw_record *who[4];
		for (uint64_t i = 0; i < 4; i++)
			who[i] = anybody(seed * 4 + i, SHARED_ORDERS | CAMPAIGNS | CLAIMS, 7);
		struct fw_record *ab = merged(who[0], who[1]), *cd = merged(who[2], who[3]), *all = merged(ab, cd);
		assert_same(written(&arena, ab), written(&arena, merged(who[1], who[0])), seed, false);
		assert_same(said(ab), said(merged(who[1], who[0])), seed, true);
		if (within_limits(who, 4)) {
			struct fw_record *bit_by_bit = merged(merged(who[3], who[1]), who[0]);
			assert_same(said(all), said(merged(who[2], bit_by_bit)), seed, true);
			assert_same(written(&arena, all), written(&arena, merged(who[2], bit_by_bit)), seed, false);
			assert_same(written(&arena, all), written(&arena, merged(merged(who[2], merged(who[0], who[3])), who[1])), seed,
				false);
			tried++;
		}
		fw_arena_reset(&arena);
	}
	print_message("any order: %u of %u\n", tried, rounds());
	assert_true(tried > rounds() / 4);
}

/* Takes out how long a cart has had something in it: of a cart that is told as a whole only its own person's is known. */
static struct fw_str without_age(struct fw_str text)
{
	char *copy = fw_arena_strndup(&arena, text.p, text.n);
	for (char *p = copy; (p = strstr(p, "\"age\":")); ) {
		p += strlen("\"age\":");
		memmove(p, p + strspn(p, "0123456789"), strlen(p + strspn(p, "0123456789")) + 1);
	}
	return fw_str(copy);
}

/* What happens to one of two before they become one might as well have happened afterwards. */
static void test_events_before_or_after(void **state)
{
	(void)state;
	unsigned tried = 0;
	for (uint64_t seed = 1; seed <= rounds(); seed++) {
		unsigned with = SEEN_BEFORE | CLAIMS | (seed % 2 ? NO_CARTS_TOLD : 0);
		struct fw_record *who[2] = { anybody(seed * 2, with, 9), anybody(seed * 2 + 1, with, 9) };
		struct fw_record *after = merged(who[0], who[1]), *before = copy_of(who[0]);
		struct shopper s;
		shopper_begin(&s, seed * 2 + 100000);
		struct shopper again = s;
		bool within = within_limits(who, 2);
		for (int i = 0; i < 5; i++) {
			happen(before, &s, with, NOON);
			happen(after, &again, with, NOON);
			within &= before->lifetime.visits + after->lifetime.visits == 0;
		}
		before = merged(before, who[1]);
		if (within && within_limits(&before, 1)) {
			struct fw_str one = said(before), other = said(after);
			assert_same(seed % 2 ? one : without_age(one), seed % 2 ? other : without_age(other), seed, true);
			tried++;
		}
		fw_arena_reset(&arena);
	}
	print_message("before or after: %u of %u\n", tried, rounds());
	assert_true(tried > rounds() / 4);
}

/* Nothing came between: as it was before, to the byte. */
static void test_there_and_back(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= rounds(); seed++) {
		const unsigned with = SHARED_ORDERS | CAMPAIGNS | CLAIMS;
		struct fw_record *a = anybody(seed * 2, with, 30), *b = anybody(seed * 2 + 1, with, 30);
		struct fw_record *both = copy_of(merged(b, a));
		assert_int_equal(fw_record_split(both, b, a), 0);
		assert_same(written(&arena, b), written(&arena, both), seed, false);
		fw_arena_reset(&arena);
	}
}

/* What came between stays, on top of what was before. */
static void test_there_and_back_later(void **state)
{
	(void)state;
	unsigned tried = 0;
	for (uint64_t seed = 1; seed <= rounds(); seed++) {
		struct fw_record *who[2] = { anybody(seed * 2, SEEN_BEFORE, 9), anybody(seed * 2 + 1, SEEN_BEFORE, 9) };
		struct fw_record *both = merged(who[1], who[0]), *alone = copy_of(who[1]);
		const struct fw_merge m = { .kind = FW_ID_ANONYMOUS, .id = fw_record_first_id(who[0]), .number = 77, .at_us = NOON };
		assert_int_equal(fw_record_note_merge(both, &m), 0);
		struct shopper s;
		shopper_begin(&s, seed * 2 + 100000);
		struct shopper again = s;
		bool within = within_limits(who, 2);
		for (int i = 0; i < 5; i++) {
			happen(both, &s, 0, NOON + 20 * DAY);
			happen(alone, &again, 0, NOON + 20 * DAY);
			if (i % 2)
				both = copy_of(both);
			within &= both->lifetime.visits == 0;
		}
		assert_int_equal(fw_record_split(both, who[1], who[0]), 0);
		assert_true(fw_record_forget_merge(both, m.kind, m.id, m.number));
		assert_int_equal(both->merges.n, alone->merges.n);
		if (within) {
			assert_same(without_age(said(alone)), without_age(said(both)), seed, true);
			tried++;
		}
		fw_arena_reset(&arena);
	}
	print_message("there and back later: %u of %u\n", tried, rounds());
	assert_true(tried > rounds() / 4);
}

/* A hundred busy people: the record stays within its bounds, and what it forgets of them is still counted. */
static void test_many_busy_people(void **state)
{
	(void)state;
	const unsigned events = getenv("FW_LONG") ? 1500 : 150;
	struct fw_record *all = fw_record_new(&arena, FW_STR("a-0"));
	struct fw_spilled spilled[FW_SPILL_MOST];
	struct fw_facts f;
	double viewed = 0, orders = 0;
	size_t most = 0;
	unsigned n;
	for (uint64_t i = 1; i <= FW_LIMIT_MERGES; i++) {
		struct fw_arena scratch, kept = arena;
		fw_arena_init(&scratch, NULL, 0, 0);
		arena = scratch;
		struct fw_record *r = anybody(i, CLAIMS, events);
		fw_record_restrict(r, false);
		filled(&f, &arena, written(&arena, r), NOON);
		viewed += asked(&f, FW_FACT_VIEWED, FW_KEY_NONE, NULL, 0);
		orders += number(&f, FW_FACT_ORDERS);
		struct fw_str bytes = written(&arena, r);
		scratch = arena;
		arena = kept;
		bytes.p = fw_arena_strndup(&arena, bytes.p, bytes.n);
		fw_arena_finish(&scratch);
		r = read_again(&arena, bytes);
		while (r->merges.n)
			r->merges.n--;
		fw_record_remove_id(r, FW_ID_OTHER, FW_STR("loyalty:0"));
		assert_null(fw_record_may_not_merge(all, r));
		assert_int_equal(fw_record_merge(all, r, spilled, &n), 0);
		struct fw_merge m = { .id = fw_record_first_id(r), .number = i, .at_us = NOON, .spilled_day = 20000, .spilled_days = 15 };
		memset(m.seal, (int)i, sizeof m.seal);
		assert_int_equal(fw_record_note_merge(all, &m), 0);
		bytes = written(&arena, all);
		most = bytes.n > most ? bytes.n : most;
		all = read_again(&arena, bytes);
	}
	filled(&f, &arena, written(&arena, all), NOON);
	print_message("a hundred people in one: %zu bytes at most\n", most);
	assert_true(most <= FW_LIMIT_RECORD_BYTES);
	assert_true(all->merges.n == FW_LIMIT_MERGES && fw_record_merge_at(all, 99, &(struct fw_merge){ 0 }));
	assert_true(asked(&f, FW_FACT_VIEWED, FW_KEY_NONE, NULL, 0) == viewed && number(&f, FW_FACT_ORDERS) == orders);
	assert_string_equal(fw_record_may_not_merge(all, fw_record_new(&arena, FW_STR("a-x"))), "too_many_merges");
}

/* A message that was applied to one of two stays known: in the record, or as a row of its day. */
static void test_exactly_once(void **state)
{
	(void)state;
	struct dice dice = { 5 };
	uint64_t rows[1000];
	struct fw_spilled spilled[FW_SPILL_MOST];
	for (unsigned round = 0; round < rounds(); round++) {
		struct fw_record *who[2];
		uint64_t hashes[2 * FW_LIMIT_SEEN_KEPT];
		unsigned n = 0, n_rows = 0;
		int32_t days[4];
		for (int i = 0; i < 2; i++) {
			who[i] = fw_record_new(&arena, FW_STR("a-1"));
			for (unsigned k = below(&dice, FW_LIMIT_SEEN_KEPT + 1); k > 0; k--) {
				int32_t day;
				hashes[n] = n && below(&dice, 6) == 0 ? hashes[0] : roll(&dice);
				if (fw_record_seen(who[i], hashes[n]) == FW_SEEN_NO)
					assert_int_equal(fw_record_remember(who[i], hashes[n], NOON - below(&dice, 40) * HOUR, rows, &day),
						0);
				n++;
			}
		}
		unsigned n_spilled;
		assert_int_equal(fw_record_merge(who[0], who[1], spilled, &n_spilled), 0);
		struct fw_record *both = copy_of(who[0]);
		unsigned n_days = fw_record_spilled_days(both, NOON, days);
		for (unsigned i = 0; i < n_spilled; i++) {
			bool asked_for = false;
			for (unsigned k = 0; k < n_days; k++)
				asked_for |= days[k] == spilled[i].day;
			assert_true(asked_for);
			rows[n_rows++] = spilled[i].hash;
		}
		for (unsigned i = 0; i < n; i++) {
			bool is_row = false;
			for (unsigned k = 0; k < n_rows; k++)
				is_row |= rows[k] == hashes[i];
			assert_int_equal(fw_record_seen(both, hashes[i]), is_row ? FW_SEEN_ASK : FW_SEEN_YES);
		}
		fw_arena_reset(&arena);
	}
}

/* Engagement is a sum of what decays: equal in any order, but for rounding. */
static void test_engagement(void **state)
{
	(void)state;
	struct dice dice = { 9 };
	struct fw_record *who[3], *alone = fw_record_new(&arena, FW_STR("a-0"));
	for (int i = 0; i < 3; i++) {
		who[i] = fw_record_new(&arena, FW_STR("a-1"));
		for (int k = 0; k < 20; k++) {
			const char *name = below(&dice, 2) ? "Email Delivered" : "Email Opened";
			int64_t at_us = NOON - below(&dice, 300) * DAY;
			track(who[i], &arena, name, "{}", at_us);
			track(alone, &arena, name, "{}", at_us);
		}
	}
	struct fw_record *one = merged(who[0], merged(who[1], who[2])), *other = merged(merged(who[2], who[0]), who[1]);
	assert_true(one->engagements.n == 1 && other->engagements.n == 1 && alone->engagements.n == 1);
	double share = fw_engagement_share(&alone->engagements.items[0]);
	assert_true(share > 0);
	assert_true(fabs(fw_engagement_share(&one->engagements.items[0]) - share) < 1e-9);
	assert_true(fabs(fw_engagement_share(&other->engagements.items[0]) - share) < 1e-9);
}

/* One of the two said no to analytics: of both nothing is kept, and what was there of the other comes back. */
static void test_denied(void **state)
{
	(void)state;
	struct fw_facts f;
	const struct consent no = { FW_STR("analytics"), FW_CONSENT_DENIED, NOON / 1000 };
	const struct consent yes = { FW_STR("analytics"), FW_CONSENT_GRANTED, no.at_ms + 1 };
	struct fw_record *a = fw_record_new(&arena, FW_STR("a-1")), *b = fw_record_new(&arena, FW_STR("b-1"));
	assert_true(FW_LIST_ROOM(a, a->consents) && FW_LIST_ROOM(b, b->consents));
	a->consents.items[a->consents.n++] = no;
	for (int i = 0; i < 3; i++)
		track(b, &arena, "Product Viewed", "{\"product_id\":\"p-1\"}", NOON - i * DAY);
	b->consents.items[b->consents.n++] = yes;
	struct fw_record *both = merged(a, b);
	assert_true(fw_str_equal(written(&arena, both), written(&arena, merged(b, a))));
	assert_true(both->consents.items[0].state == FW_CONSENT_DENIED && both->series.n == 0 && both->recent.n == 0 &&
		both->sessions.n == 1);
	assert_int_equal(fw_record_split(both, b, a), 0);
	filled(&f, &arena, written(&arena, both), NOON);
	assert_true(asked(&f, FW_FACT_VIEWED, FW_KEY_NONE, NULL, 0) == 3 && number(&f, FW_FACT_VISITS) == 3);
}

/* Answers about a channel, a second apart, the last of which holds. */
static void answer(struct fw_record *r, struct fw_str what, int64_t from_ms, unsigned n, struct fw_str text)
{
	struct consent_entry e = { .what = what, .source = FW_STR("page"), .text = text };
	for (unsigned i = 0; i < n; i++) {
		e.state = (n - i) % 2 ? FW_CONSENT_GRANTED : FW_CONSENT_WITHDRAWN;
		e.at_ms = from_ms + i * 1000;
		assert_true(FW_LIST_ROOM(r, r->consent_log));
		r->consent_log.items[r->consent_log.n++] = e;
	}
	assert_true(FW_LIST_ROOM(r, r->consents));
	r->consents.items[r->consents.n++] = (struct consent){ what, e.state, e.at_ms };
}

/* Two people's logs, each within its bytes, became one of twice as many; and an answer that still held went for being old, before
 * those that had been superseded. */
static void test_two_long_logs(void **state)
{
	(void)state;
	enum { EACH = FW_LIMIT_CONSENT_LOG_BYTES / (FW_LIMIT_CONSENT_TEXT_BYTES + 7) };
	char words[FW_LIMIT_CONSENT_TEXT_BYTES];
	memset(words, 'w', sizeof words);
	for (int few_bytes = 0; few_bytes <= 1; few_bytes++) {
		const struct fw_str text = { words, few_bytes ? 1 : sizeof words };
		unsigned n = few_bytes ? FW_LIMIT_CONSENT_LOG - 1 : EACH - 1;
		struct fw_record *a = fw_record_new(&arena, FW_STR("a-1")), *b = fw_record_new(&arena, FW_STR("b-1"));
		answer(a, FW_STR("email"), (NOON - DAY) / 1000, 1, (struct fw_str){ NULL, 0 });
		answer(a, FW_STR("sms"), NOON / 1000, n, text);
		answer(b, FW_STR("sms"), NOON / 1000 + 500, n, text);
		struct fw_record *both = merged(a, b);
		assert_true(fw_str_equal(written(&arena, both), written(&arena, merged(b, a))));
		size_t bytes = 0;
		for (uint32_t i = 0; i < both->consent_log.n; i++)
			bytes += both->consent_log.items[i].what.n + both->consent_log.items[i].source.n +
				both->consent_log.items[i].text.n;
		assert_in_range(both->consent_log.n, EACH - 1, FW_LIMIT_CONSENT_LOG);
		assert_in_range(bytes, 1, FW_LIMIT_CONSENT_LOG_BYTES);
		assert_true(fw_str_is(both->consent_log.items[0].what, "email"));
		assert_true(both->consent_log.items[both->consent_log.n - 1].at_ms == NOON / 1000 + 500 + (n - 1) * 1000);
	}
}

/* What came to what was there already: a visit that goes on, a refund, a confirmed place, consent. */
static void test_there_and_back_in_a_visit(void **state)
{
	(void)state;
	struct fw_facts f;
	struct fw_record *a = fw_record_new(&arena, FW_STR("a-1")), *b = fw_record_new(&arena, FW_STR("b-1"));
	const struct fw_reservation place = { .cap = 5, .rule = fw_hash("boots", 5), .at_us = NOON, .per_s = 86400, .limit = 2 };
	const struct consent denied = { FW_STR("sale"), FW_CONSENT_DENIED, NOON / 1000 };
	const struct consent granted = { denied.what, FW_CONSENT_GRANTED, denied.at_ms + 1 };
	apply_with(b, &arena, "{\"type\":\"page\",\"anonymousId\":\"b-1\"}", NOON - 600 * SECOND, true);
	track(b, &arena, "Order Completed", "{\"order_id\":\"o-1\",\"total\":50}", NOON - 500 * SECOND);
	assert_int_equal(fw_record_reserve(b, &place), 0);
	apply_with(a, &arena, "{\"type\":\"page\",\"anonymousId\":\"a-1\"}", NOON - 60 * SECOND, true);
	apply_with(a, &arena, "{\"type\":\"page\",\"anonymousId\":\"a-1\"}", NOON - 50 * SECOND, true);
	track(a, &arena, "Order Completed", "{\"order_id\":\"o-2\",\"total\":70}", NOON - 40 * SECOND);
	assert_int_equal(fw_record_reserve(a, &place), 0);
	assert_true(FW_LIST_ROOM(a, a->consents));
	a->consents.items[a->consents.n++] = denied;
	struct fw_record *both = merged(b, a);
	filled(&f, &arena, written(&arena, both), NOON);
	assert_true(number(&f, FW_FACT_VISITS) == 1 && number(&f, FW_FACT_PAGES_THIS_VISIT) == 3 && number(&f, FW_FACT_REVENUE) == 120);
	assert_true(f.n_cap_uses == 2 && both->consents.items[0].state == FW_CONSENT_DENIED);
	apply_with(both, &arena, "{\"type\":\"page\",\"anonymousId\":\"b-1\"}", NOON + 600 * SECOND, true);
	track(both, &arena, "Order Refunded", "{\"order_id\":\"o-1\",\"total\":20}", NOON + 601 * SECOND);
	track(both, &arena, "Order Cancelled", "{\"order_id\":\"o-2\"}", NOON + 602 * SECOND);
	track(both, &arena, "Promotion Viewed", "{\"promotion_id\":\"boots\"}", NOON + 603 * SECOND);
	both->consents.items[0] = granted;
	assert_int_equal(fw_record_split(both, b, a), 0);
	filled(&f, &arena, written(&arena, both), NOON + 604 * SECOND);
	assert_true(number(&f, FW_FACT_VISITS) == 1 && number(&f, FW_FACT_PAGES_THIS_VISIT) == 2);
	assert_true(number(&f, FW_FACT_ORDERS) == 1 && number(&f, FW_FACT_REVENUE) == 30);
	assert_true(f.n_cap_uses == 1 && both->caps.items[0].uses.items[0].rule == 0);
	assert_true(both->consents.n == 1 && both->consents.items[0].state == FW_CONSENT_GRANTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_may_not, begin, end),
		cmocka_unit_test_setup_teardown(test_long_ids, begin, end),
		cmocka_unit_test_setup_teardown(test_merges, begin, end),
		cmocka_unit_test_setup_teardown(test_any_order, begin, end),
		cmocka_unit_test_setup_teardown(test_events_before_or_after, begin, end),
		cmocka_unit_test_setup_teardown(test_there_and_back, begin, end),
		cmocka_unit_test_setup_teardown(test_there_and_back_in_a_visit, begin, end),
		cmocka_unit_test_setup_teardown(test_denied, begin, end),
		cmocka_unit_test_setup_teardown(test_two_long_logs, begin, end),
		cmocka_unit_test_setup_teardown(test_many_busy_people, begin, end),
		cmocka_unit_test_setup_teardown(test_exactly_once, begin, end),
		cmocka_unit_test_setup_teardown(test_engagement, begin, end),
		cmocka_unit_test_setup_teardown(test_there_and_back_later, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
