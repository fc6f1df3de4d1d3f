/* The record of a person: what events make of it, that it comes back from its bytes as it was, and what facts follow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/hash.h"
#include "base/limits.h"
#include "lib_arena.h"
#include "lib_profile.h"
#include "profile/due.h"

#define BOOT "{\"product_id\":\"P-1\",\"category\":\"Boots\",\"brand\":\"Acme\",\"price\":\"89.90\",\"quantity\":1}"
#define HAT "{\"product_id\":\"P-2\",\"category\":\"Hats\",\"brand\":\"Acme\",\"price\":20,\"quantity\":2}"

static void facts_after(struct fw_facts *f, struct fw_record *r, int64_t now_us)
{
	struct fw_str bytes = written(&arena, r);
	struct fw_str again = written(&arena, read_again(&arena, bytes));
	assert_int_equal(bytes.n, again.n);
	assert_memory_equal(bytes.p, again.p, bytes.n);
	filled(f, &arena, bytes, now_us);
}

static void test_nobody_yet(void **state)
{
	(void)state;
	struct fw_facts f;
	filled(&f, &arena, (struct fw_str){ 0 }, NOON);
	static const enum fw_fact zeros[] = { FW_FACT_VISITS, FW_FACT_ORDERS, FW_FACT_REVENUE, FW_FACT_CART_ITEMS, FW_FACT_CART_TOTAL };
	for (size_t i = 0; i < sizeof zeros / sizeof *zeros; i++)
		assert_true(number(&f, zeros[i]) == 0);
	assert_true(f.single[FW_FACT_NEW_VISITOR].boolean);
	static const enum fw_fact none[] = { FW_FACT_DAYS_SINCE_VISIT, FW_FACT_DAYS_SINCE_ORDER, FW_FACT_AVERAGE_ORDER, FW_FACT_CART_AGE };
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		assert_int_equal(f.single[none[i]].state, FW_ABSENT);
	assert_true(asked(&f, FW_FACT_VIEWED, FW_KEY_CATEGORY, "boots", 0) == 0);
	assert_true(asked(&f, FW_FACT_AFFINITY, FW_KEY_CATEGORY, "boots", 0) == 0);
	assert_true(f.caps_in_reach);
	assert_int_equal(f.single[FW_FACT_CONSENT].state, FW_ABSENT);
}

static void test_counts(void **state)
{
	(void)state;
	struct fw_facts f;
	struct fw_record *r = fw_record_new(&arena, FW_STR("a-1"));
	track(r, &arena, "Product Viewed", BOOT, NOON - 500 * DAY);
	track(r, &arena, "Product Viewed", BOOT, NOON - 40 * DAY);
	track(r, &arena, "Viewed Product", BOOT, NOON - 2 * DAY);
	track(r, &arena, "Product Viewed", HAT, NOON - 2 * HOUR);
	track(r, &arena, "Products Searched", "{\"query\":\"Warm Hats\"}", NOON - 2 * HOUR);
	track(r, &arena, "Product Added", HAT, NOON - HOUR);
	facts_after(&f, r, NOON);
	assert_true(asked(&f, FW_FACT_VIEWED, FW_KEY_NONE, NULL, 0) == 4);
	assert_true(asked(&f, FW_FACT_VIEWED, FW_KEY_CATEGORY, "boots", 0) == 3);
	assert_true(asked(&f, FW_FACT_VIEWED, FW_KEY_PRODUCT, "p-1", 400 * 86400) == 2);
	assert_true(asked(&f, FW_FACT_VIEWED, FW_KEY_BRAND, "acme", 7 * 86400) == 2);
	assert_true(asked(&f, FW_FACT_VIEWED, FW_KEY_BRAND, "acme", 3600) == 0);
	assert_true(asked(&f, FW_FACT_VIEWED, FW_KEY_BRAND, "acme", 2 * 3600) == 1);
	assert_true(asked(&f, FW_FACT_SEARCHED, FW_KEY_TERM, "warm hats", 0) == 1);
	assert_true(asked(&f, FW_FACT_SEARCHED, FW_KEY_TERM, "warm", 0) == 0);
	assert_true(asked(&f, FW_FACT_ADDED, FW_KEY_CATEGORY, "hats", 86400) == 1);
	double boots = asked(&f, FW_FACT_AFFINITY, FW_KEY_CATEGORY, "boots", 0), hats =
		asked(&f, FW_FACT_AFFINITY, FW_KEY_CATEGORY, "hats", 0);
	assert_true(hats > 0.7 && boots > 0.2 && boots + hats > 0.999999 && boots + hats < 1.000001);
}

/* Whoever tries other facts out asks the same history with memory of his own, which ends before the history does. */
static void test_asked_in_passing(void **state)
{
	(void)state;
	struct fw_facts f;
	struct fw_record *r = fw_record_new(&arena, FW_STR("a-1"));
	track(r, &arena, "Product Viewed", BOOT, NOON - HOUR);
	facts_after(&f, r, NOON);
	struct fw_facts other = f;
	struct fw_arena passing;
	fw_arena_init(&passing, NULL, 0, 0);
	other.arena = &passing;
	assert_true(asked(&other, FW_FACT_VIEWED, FW_KEY_CATEGORY, "boots", 0) == 1);
	assert_true(asked(&other, FW_FACT_AFFINITY, FW_KEY_BRAND, "acme", 0) == 1);
	fw_arena_finish(&passing);
	assert_true(asked(&f, FW_FACT_VIEWED, FW_KEY_CATEGORY, "boots", 0) == 1);
	assert_true(asked(&f, FW_FACT_AFFINITY, FW_KEY_BRAND, "acme", 0) == 1);
}

/* Keys that end in digits are packed after the last one with the same letters. */
static void test_numbered_keys(void **state)
{
	(void)state;
	static const char *const ids[] = { "sku-0042", "sku-1041", "4711", "sku-42", "sku-1041", "hat-1041", "sku-1041x", "47110" };
	struct fw_facts f;
	struct fw_record *r = fw_record_new(&arena, FW_STR("a-1"));
	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
		char properties[64];
		snprintf(properties, sizeof properties, "{\"product_id\":\"%s\"}", ids[i]);
		track(r, &arena, "Product Viewed", properties, NOON - HOUR);
	}
	facts_after(&f, r, NOON);
	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
		assert_true(asked(&f, FW_FACT_VIEWED, FW_KEY_PRODUCT, ids[i], 0) == (strcmp(ids[i], "sku-1041") == 0 ? 2 : 1));
	assert_true(asked(&f, FW_FACT_VIEWED, FW_KEY_PRODUCT, "sku-1042", 0) == 0);
	assert_true(asked(&f, FW_FACT_VIEWED, FW_KEY_PRODUCT, "sku-042", 0) == 0);
	assert_true(asked(&f, FW_FACT_VIEWED, FW_KEY_PRODUCT, "1041", 0) == 0);
}

static void test_cart_and_orders(void **state)
{
	(void)state;
	struct fw_facts f;
	struct fw_record *r = fw_record_new(&arena, FW_STR("a-1"));
	track(r, &arena, "Product Added", BOOT, NOON - 3 * HOUR);
	track(r, &arena, "Product Added", HAT, NOON - 2 * HOUR);
	facts_after(&f, r, NOON);
	assert_true(number(&f, FW_FACT_CART_ITEMS) == 3 && number(&f, FW_FACT_CART_TOTAL) == 129.9);
	assert_true(number(&f, FW_FACT_CART_AGE) == 3 * 3600);
	assert_int_equal(f.single[FW_FACT_CART_CATEGORY].n_items, 2);
	assert_int_equal(f.single[FW_FACT_CART_BRAND].n_items, 1);
	track(r, &arena, "Cart Viewed", "{\"products\":[" HAT "]}", NOON - 2 * HOUR + SECOND);
	track(r, &arena, "Product Removed", "{\"product_id\":\"p-2\",\"quantity\":1}", NOON - HOUR);
	facts_after(&f, r, NOON);
	assert_true(number(&f, FW_FACT_CART_ITEMS) == 1 && number(&f, FW_FACT_CART_TOTAL) == 20);
	for (int twice = 0; twice < 2; twice++)
		track(r, &arena, "Order Completed", "{\"order_id\":\"o-7\",\"revenue\":\"129.90\",\"products\":[" BOOT "," HAT "]}",
			NOON - HOUR / 2);
	track(r, &arena, "Order Completed", "{\"order_id\":\"o-8\",\"revenue\":1000,\"currency\":\"USD\"}", NOON - HOUR / 3);
	facts_after(&f, r, NOON);
	assert_true(number(&f, FW_FACT_CART_ITEMS) == 0 && f.single[FW_FACT_CART_AGE].state == FW_ABSENT);
	assert_true(number(&f, FW_FACT_ORDERS) == 2 && number(&f, FW_FACT_REVENUE) == 129.9 && number(&f, FW_FACT_AVERAGE_ORDER) == 129.9);
	assert_true(number(&f, FW_FACT_DAYS_SINCE_ORDER) == 0);
	assert_true(asked(&f, FW_FACT_BOUGHT, FW_KEY_CATEGORY, "hats", 0) == 2);
	track(r, &arena, "Order Refunded", "{\"order_id\":\"o-7\",\"total\":29.9}", NOON - HOUR / 4);
	facts_after(&f, r, NOON);
	assert_true(number(&f, FW_FACT_ORDERS) == 2 && number(&f, FW_FACT_REVENUE) == 100);
	track(r, &arena, "Order Cancelled", "{\"order_id\":\"o-7\"}", NOON - HOUR / 5);
	facts_after(&f, r, NOON);
	assert_true(number(&f, FW_FACT_ORDERS) == 1 && number(&f, FW_FACT_REVENUE) == 0);
}

static void test_visits(void **state)
{
	(void)state;
	struct fw_facts f;
	struct fw_record *r = fw_record_new(&arena, FW_STR("a-1"));
	static const char page[] = "{\"type\":\"page\",\"anonymousId\":\"a-1\"}";
	static const char mail[] = "{\"type\":\"page\",\"anonymousId\":\"a-1\",\"context\":{\"page\":{\"url\":"
		"\"https://shop.example/?utm_source=news&utm_medium=email&utm_campaign=may\"}}}";
	apply_with(r, &arena, page, NOON - 3 * DAY, true);
	facts_after(&f, r, NOON - 3 * DAY + SECOND);
	assert_true(number(&f, FW_FACT_VISITS) == 1 && f.single[FW_FACT_NEW_VISITOR].boolean);
	assert_int_equal(f.single[FW_FACT_DAYS_SINCE_VISIT].state, FW_ABSENT);
	facts_after(&f, r, NOON);
	assert_true(number(&f, FW_FACT_VISITS) == 1 && !f.single[FW_FACT_NEW_VISITOR].boolean);
	assert_true(number(&f, FW_FACT_DAYS_SINCE_VISIT) == 3 && number(&f, FW_FACT_PAGES_THIS_VISIT) == 0);
	apply_with(r, &arena, page, NOON - 20 * 60 * SECOND, true);
	apply_with(r, &arena, page, NOON - 15 * 60 * SECOND, true);
	apply_with(r, &arena, mail, NOON - 10 * 60 * SECOND, true);
	apply_with(r, &arena, mail, NOON - 5 * 60 * SECOND, true);
	facts_after(&f, r, NOON);
	assert_true(number(&f, FW_FACT_VISITS) == 3 && number(&f, FW_FACT_PAGES_THIS_VISIT) == 2);
	assert_string_equal(f.single[FW_FACT_SOURCE].text.p, "email");
	assert_string_equal(f.single[FW_FACT_CAMPAIGN].text.p, "may");
}

/* `r` NULL: there is no record. */
static void expect_whose(const struct fw_record *r, const char *anonymous_id, const char *user, struct fw_whose expected)
{
	struct fw_str bytes = { NULL, 0 };
	if (r)
		bytes = written(&arena, r);
	const struct fw_whose w = fw_profile_whose(&arena, bytes, fw_str(anonymous_id), fw_str(user));
	assert_int_equal(w.is_user, expected.is_user);
	assert_int_equal(w.has_user, expected.has_user);
	assert_int_equal(w.is_shared, expected.is_shared);
	assert_int_equal(w.is_open, expected.is_open);
}

/* One userId, five e-mail addresses, five ids of each other system; written and read again. */
static void test_ids(void **state)
{
	(void)state;
	char text[40];
	struct fw_id id;
	struct fw_record *r = fw_record_new(&arena, FW_STR("a-1"));
	assert_int_equal(fw_record_add_id(r, FW_ID_ANONYMOUS, FW_STR("a-1")), 0);
	assert_int_equal(fw_record_add_id(r, FW_ID_USER, FW_STR("u-1")), 0);
	assert_int_equal(fw_record_add_id(r, FW_ID_USER, FW_STR("u-1")), 0);
	assert_int_equal(fw_record_add_id(r, FW_ID_USER, FW_STR("u-2")), FW_ELIMIT);
	for (int i = 0; i < 6; i++) {
		int rc = i < FW_LIMIT_IDS_OF_A_KIND ? 0 : FW_ELIMIT;
		snprintf(text, sizeof text, "ann%d@shop.example", i);
		assert_int_equal(fw_record_add_id(r, FW_ID_EMAIL, fw_str(text)), rc);
		snprintf(text, sizeof text, "loyalty:%d", i);
		assert_int_equal(fw_record_add_id(r, FW_ID_OTHER, fw_str(text)), rc);
		snprintf(text, sizeof text, "crm:%d", i);
		assert_int_equal(fw_record_add_id(r, FW_ID_OTHER, fw_str(text)), rc);
	}
	fw_record_share_id(r, FW_ID_EMAIL, FW_STR("ann2@shop.example"));
	r = read_again(&arena, written(&arena, r));
	assert_true(fw_record_is_known(r) && fw_str_is(fw_record_user(r), "u-1"));
	expect_whose(r, "a-1", "u-1", (struct fw_whose){ .is_user = true, .has_user = true, .is_open = true });
	expect_whose(r, "a-1", "u-2", (struct fw_whose){ .has_user = true });
	expect_whose(r, "a-1", "", (struct fw_whose){ .has_user = true });
	unsigned n = 0, shared = 0;
	for (; fw_record_id(r, n, &id); n++)
		shared += id.shared;
	assert_true(n == 2 + 3 * FW_LIMIT_IDS_OF_A_KIND && shared == 1);
	fw_record_remove_id(r, FW_ID_USER, FW_STR("u-1"));
	assert_false(fw_record_is_known(r));
	expect_whose(r, "a-1", "", (struct fw_whose){ .is_open = false }); /* it has an e-mail address */
	assert_int_equal(fw_record_add_id(r, FW_ID_USER, FW_STR("u-2")), 0);
	r = fw_record_new(&arena, FW_STR("a-1"));
	assert_int_equal(fw_record_add_id(r, FW_ID_ANONYMOUS, FW_STR("a-1")), 0);
	expect_whose(r, "a-1", "", (struct fw_whose){ .is_open = true });
	expect_whose(NULL, "a-1", "u-1", (struct fw_whose){ .is_open = true });
	fw_record_share_id(r, FW_ID_ANONYMOUS, FW_STR("a-1"));
	expect_whose(r, "a-1", "", (struct fw_whose){ .is_shared = true, .is_open = true });
	expect_whose(r, "a-2", "", (struct fw_whose){ .is_open = true });
	expect_whose(r, "", "u-1", (struct fw_whose){ .is_open = true });
	const struct fw_whose unreadable = fw_profile_whose(&arena, FW_STR("no record"), FW_STR("a-1"), FW_STR("u-1"));
	assert_false(unreadable.is_user || unreadable.has_user || unreadable.is_shared || unreadable.is_open);
}

static void test_traits(void **state)
{
	(void)state;
	struct fw_facts f;
	struct fw_record *r = fw_record_new(&arena, FW_STR("a-1"));
	apply_with(r, &arena, "{\"type\":\"identify\",\"userId\":\"u-1\",\"traits\":{\"plan\":\"pro\",\"age\":31.5,"
		"\"likes\":[\"tea\",7],\"vip\":true,"
		"\"address\":{\"city\":\"Oslo\"},\"userHash\":\"00\"}}", NOON - HOUR, true);
	apply_with(r, &arena, "{\"type\":\"identify\",\"userId\":\"u-1\",\"traits\":{\"plan\":\"basic\",\"vip\":null}}",
		NOON - 2 * HOUR, true);
	apply_with(r, &arena, "{\"type\":\"identify\",\"userId\":\"u-1\",\"traits\":{\"vip\":null}}", NOON - SECOND, true);
	assert_false(fw_record_is_known(r)); /* whose ids these are, whoever stores it says */
	facts_after(&f, r, NOON);
	assert_int_equal(f.n_traits, 3);
	assert_string_equal(fw_facts_member(&f, FW_FACT_TRAIT, FW_STR("plan"))->text.p, "pro");
	assert_true(fw_facts_member(&f, FW_FACT_TRAIT, FW_STR("age"))->number == 31.5);
	assert_int_equal(fw_facts_member(&f, FW_FACT_TRAIT, FW_STR("likes"))->n_items, 2);
	assert_int_equal(fw_facts_member(&f, FW_FACT_TRAIT, FW_STR("vip"))->state, FW_ABSENT);
}

/* What somebody tells with a public key. */
static void claim(struct fw_record *r, const char *text, int64_t at_us)
{
	const struct fw_profile_options options = { .currency = "EUR", .behaviour = true };
	struct fw_event e = event_at(&arena, text, at_us);
	e.trusted = false;
	assert_int_equal(fw_profile_apply(r, &e, &options, NULL), 0);
}

static const char *trait_of(struct fw_record *r, const char *name)
{
	struct fw_facts f;
	facts_after(&f, r, NOON + DAY);
	const struct fw_value *v = fw_facts_member(&f, FW_FACT_TRAIT, fw_str(name));
	return v->state == FW_KNOWN ? fw_arena_strndup(&arena, v->text.p, v->text.n) : "-";
}

/* A trait is what was proven, whatever was claimed and when; else the latest claim. In whatever order they come. */
static void test_claimed_traits(void **state)
{
	(void)state;
	enum { TELLINGS = 4 };
	static const struct { const char *plan; bool proven; int64_t at_us; } tellings[TELLINGS] = {
		{ "proven", true, NOON }, { "older", true, NOON - HOUR }, { "claimed", false, NOON + HOUR },
		{ "taken", false, NOON + 2 * HOUR },
	};
	for (unsigned order = 0; order < 256; order++) {
		struct fw_record *r = fw_record_new(&arena, FW_STR("a-1"));
		unsigned told = 0;
		for (unsigned i = 0; i < TELLINGS; i++) {
			unsigned which = order >> 2 * i & 3;
			const char *text = fw_arena_printf(&arena, "{\"type\":\"identify\",\"userId\":\"u\",\"traits\":{\"plan\":\"%s\"}}",
				tellings[which].plan);
			if (tellings[which].proven)
				apply_with(r, &arena, text, tellings[which].at_us, true);
			else
				claim(r, text, tellings[which].at_us);
			told |= 1u << which;
			r = read_again(&arena, written(&arena, r));
		}
		assert_string_equal(trait_of(r, "plan"), told & 1 ? "proven" : told & 2 ? "older" : told & 8 ? "taken" : "claimed");
	}
}

/* Claims do not push what is known out of a record. */
static void test_many_claims(void **state)
{
	(void)state;
	struct fw_record *r = fw_record_new(&arena, FW_STR("a-1"));
	apply_with(r, &arena, "{\"type\":\"identify\",\"userId\":\"u\",\"traits\":{\"plan\":\"pro\",\"own\":\"x\"}}", NOON - DAY, true);
	for (int i = 0; i < 3 * FW_LIMIT_TRAITS; i++)
		claim(r, fw_arena_printf(&arena, "{\"type\":\"identify\",\"anonymousId\":\"a-1\",\"traits\":{\"t-%d\":\"v\",\"plan\":null,"
			"\"long-%d\":\"%0900d\"}}",
			i, i, 7), NOON + i * SECOND);
	r = read_again(&arena, written(&arena, r));
	assert_string_equal(trait_of(r, "plan"), "pro");
	assert_string_equal(trait_of(r, "own"), "x");
	assert_string_equal(trait_of(r, "t-299"), "v");
	assert_string_equal(trait_of(r, "t-0"), "-");
}

static void test_group(void **state)
{
	(void)state;
	struct fw_record *r = fw_record_new(&arena, FW_STR("a-1"));
	apply_with(r, &arena, "{\"type\":\"identify\",\"userId\":\"u\",\"traits\":{\"plan\":\"own\"}}", NOON, true);
	apply_with(r, &arena, "{\"type\":\"group\",\"userId\":\"u\",\"groupId\":\"acme\",\"traits\":{\"plan\":\"gold\","
		"\"size\":\"9\",\"address\":{}}}",
		NOON, true);
	assert_string_equal(trait_of(r, "groupId"), "acme");
	assert_string_equal(trait_of(r, "group_plan"), "gold");
	assert_string_equal(trait_of(r, "plan"), "own");
	apply_with(r, &arena, "{\"type\":\"group\",\"userId\":\"u\",\"groupId\":\"acme\",\"traits\":{\"plan\":\"iron\"}}", NOON + HOUR,
		true);
	assert_string_equal(trait_of(r, "group_plan"), "iron");
	assert_string_equal(trait_of(r, "group_size"), "9");
	/* A claim changes nothing of it, and neither does a group that was left. */
	claim(r, "{\"type\":\"group\",\"userId\":\"u\",\"groupId\":\"evil\",\"traits\":{\"plan\":\"free\"}}", NOON + 2 * HOUR);
	apply_with(r, &arena, "{\"type\":\"group\",\"userId\":\"u\",\"groupId\":\"before\",\"traits\":{\"size\":\"1\"}}", NOON - HOUR,
		true);
	assert_string_equal(trait_of(r, "groupId"), "acme");
	assert_string_equal(trait_of(r, "group_plan"), "iron");
	assert_string_equal(trait_of(r, "group_size"), "9");
	apply_with(r, &arena, "{\"type\":\"group\",\"userId\":\"u\",\"groupId\":\"next\",\"traits\":{\"size\":\"2\"}}", NOON + 3 * HOUR,
		true);
	r = read_again(&arena, written(&arena, r));
	assert_string_equal(trait_of(r, "groupId"), "next");
	assert_string_equal(trait_of(r, "group_plan"), "-");
	assert_string_equal(trait_of(r, "group_size"), "2");
	assert_string_equal(trait_of(r, "plan"), "own");
}

static void test_caps(void **state)
{
	(void)state;
	struct fw_facts f;
	struct fw_record *r = fw_record_new(&arena, FW_STR("a-1"));
	struct fw_reservation reservation = { .cap = 5, .rule = fw_hash("boots", 5), .at_us = NOON, .per_s = 86400, .limit = 2 };
	assert_int_equal(fw_record_reserve(r, &reservation), 0);
	reservation.at_us += 60 * SECOND;
	assert_int_equal(fw_record_reserve(r, &reservation), 0);
	facts_after(&f, r, NOON + 120 * SECOND);
	assert_int_equal(f.n_cap_uses, 2);
	track(r, &arena, "Promotion Viewed", "{\"promotion_id\":\"boots\"}", NOON + 130 * SECOND);
	track(r, &arena, "Promotion Viewed", "{\"promotion_id\":\"hats\"}", NOON + 130 * SECOND);
	facts_after(&f, r, NOON + 2 * HOUR);
	assert_int_equal(f.n_cap_uses, 1); /* the other one has lapsed */
	assert_true(f.cap_uses[0].cap == 5 && f.cap_uses[0].at_us == NOON);
	for (int i = 0; i < 1000; i++) {
		reservation.at_us += SECOND;
		reservation.cap = 5 + (uint64_t)i % 20;
		assert_int_equal(fw_record_reserve(r, &reservation), 0);
	}
	facts_after(&f, r, NOON + HOUR / 3);
	assert_true(f.n_cap_uses <= FW_LIMIT_CAPS_USES && f.n_cap_uses > FW_LIMIT_CAPS_USES / 2);
}

static void test_exactly_once(void **state)
{
	(void)state;
	struct fw_record *r = fw_record_new(&arena, FW_STR("a-1"));
	uint64_t spilled[FW_SPILL_MOST];
	bool rows[1001] = { false };
	int32_t days[4], day = 0;
	for (uint64_t i = 1; i <= 1000; i++) {
		int64_t at = NOON + (int64_t)i * 600 * SECOND;
		unsigned n = fw_record_remember(r, i, at, spilled, &day);
		assert_true(n <= FW_SPILL_MOST);
		for (unsigned k = 0; k < n; k++)
			rows[spilled[k]] = true;
		r = read_again(&arena, written(&arena, r));
		unsigned n_days = fw_record_spilled_days(r, at, days);
		assert_true(n_days <= 4);
		for (uint64_t k = 1; k <= i; k++)
			if (fw_record_seen(r, k) == FW_SEEN_ASK && i - k < 48 * 6)
				assert_true(rows[k]);
		assert_int_equal(fw_record_seen(r, i), FW_SEEN_YES);
	}
	assert_true(fw_record_spilled_days(r, NOON + 7 * DAY, days) >= 3);
	assert_true(fw_record_spilled_days(r, NOON + 14 * DAY, days) == 0);
	assert_int_equal(fw_record_import_offset(r, 9), -1);
	fw_record_set_import_offset(r, 9, 1234);
	r = read_again(&arena, written(&arena, r));
	assert_int_equal(fw_record_import_offset(r, 9), 1234);
}

static struct fw_str described(struct fw_str bytes)
{
	struct fw_buf text;
	struct fw_json_out out;
	struct fw_error err;
	fw_buf_init(&text, 0);
	fw_json_out_init(&out, &text);
	fw_json_open_object(&out);
	assert_int_equal(fw_profile_describe(&arena, bytes, NOON, &out, &err), 0);
	fw_json_close_object(&out);
	struct fw_str ret = { fw_arena_strndup(&arena, text.data, text.n), text.n };
	fw_buf_finish(&text);
	return ret;
}

static struct fw_str read_version(int version, char bytes[2000])
{
	char path[600];
	snprintf(path, sizeof path, "%s/data/record/version-%d", FW_TESTS, version);
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	struct fw_str ret = { bytes, fread(bytes, 1, 2000, file) };
	fclose(file);
	return ret;
}

/* Version 2: ids of all kinds, merges, consent and claims. */
static void test_version_2(void **state)
{
	(void)state;
	static const char *const texts[] = { "a-1", "u-1", "ann@shop.example", "+4915112345678", "loyalty:1234", "a-2", "crm:77" };
	static const enum fw_id_kind kinds[] = { FW_ID_ANONYMOUS, FW_ID_USER, FW_ID_EMAIL, FW_ID_PHONE, FW_ID_OTHER, FW_ID_ANONYMOUS,
		FW_ID_OTHER };
	char bytes[2000];
	struct fw_facts f;
	struct fw_id id;
	struct fw_merge m;
	struct fw_str v2 = read_version(2, bytes);
	struct fw_record *r = read_again(&arena, v2);
	for (unsigned i = 0; i < 7; i++) {
		assert_true(fw_record_id(r, i, &id) && id.kind == kinds[i] && fw_str_is(id.text, texts[i]));
		assert_true(id.shared == (i == 3));
	}
	assert_false(fw_record_id(r, 7, &id));
	assert_true(fw_record_merge_at(r, 0, &m) && m.kind == FW_ID_ANONYMOUS && fw_str_is(m.id, "a-2") && m.number == 3);
	assert_true(m.at_us == NOON - DAY && m.spilled_day == 20779 && m.spilled_days == 3);
	assert_memory_equal(m.seal, "the key of what is kept of a-2..", 32);
	assert_true(fw_record_merge_at(r, 1, &m) && m.kind == FW_ID_PHONE && fw_str_is(m.id, "+47999") && m.number == 300);
	filled(&f, &arena, v2, NOON + SECOND);
	assert_true(fw_record_is_restricted(r) && f.restricted && !f.profile_in_reach && f.n_traits == 0 && f.n_cap_uses == 0);
	fw_record_restrict(r, false);
	filled(&f, &arena, written(&arena, r), NOON + SECOND);
	assert_true(f.n_traits == 3 && f.n_claimed == 2 && f.n_cap_uses == 1 && number(&f, FW_FACT_VISITS) == 5);
	assert_true(asked(&f, FW_FACT_VIEWED, FW_KEY_NONE, NULL, 0) == 3 && number(&f, FW_FACT_REVENUE) == 50);
	struct fw_str said = described(v2);
	assert_non_null(strstr(said.p, "\"analytics\":{\"state\":\"granted\""));
	assert_non_null(strstr(said.p, "\"sale\":{\"state\":\"denied\""));
	assert_non_null(strstr(said.p, "\"email\":{\"state\":\"withdrawn\""));
	fw_record_restrict(r, true);
	struct fw_str v5 = written(&arena, r); /* but for its version, as nobody has written to this person */
	assert_true(v5.n == v2.n && v5.p[0] == 5 && memcmp(v5.p + 1, v2.p + 1, v2.n - 1) == 0);
}

/* Version 3: messages, of which it is not said where they were first sent from. */
static void test_version_3(void **state)
{
	(void)state;
	char bytes[2000];
	struct fw_due due;
	struct fw_due_outcome o;
	struct fw_mark mark;
	struct fw_record *r = read_again(&arena, read_version(3, bytes));
	assert_true(fw_record_find_due(r, 7, &due) && due.state == FW_DUE_SENDING && due.attempts == 3 && due.lost == 2 && due.person == 0);
	assert_true(fw_str_is(due.reason, "421 later") && fw_str_is(due.facts, "{\"country\":\"CA\"}"));
	assert_true(fw_record_find_due(r, 9, &due) && due.state == FW_DUE_WAITS && due.attempts == 0 && due.person == 0);
	assert_true(fw_record_outcome(r, 0, &o) && o.number == 7 && fw_str_is(o.by, "quiet-hours"));
	assert_true(fw_record_mark(r, FW_STR("lapsed"), &mark) && mark.in);
	struct fw_str v3 = read_version(3, bytes), v5 = written(&arena, r); /* what became of one has a place for its decision */
	assert_true(v5.n == v3.n + 1 && v5.p[0] == 5 && fw_str_equal(written(&arena, read_again(&arena, v5)), v5));
}

/* Version 4: the row that a message was first sent from, and not by which decision. */
static void test_version_4(void **state)
{
	(void)state;
	char bytes[2000];
	struct fw_due due;
	struct fw_due_outcome o;
	struct fw_mark mark;
	struct fw_record *r = read_again(&arena, read_version(4, bytes));
	assert_true(fw_record_find_due(r, 7, &due) && due.state == FW_DUE_SENDING && due.attempts == 3 && due.person == UINT64_MAX - 1);
	assert_true(fw_str_is(due.reason, "421 later") && due.decision.n == 0);
	assert_true(fw_record_find_due(r, 9, &due) && due.state == FW_DUE_WAITS && due.person == 0 && due.decision.n == 0);
	assert_true(fw_record_outcome(r, 0, &o) && o.number == 7 && fw_str_is(o.by, "quiet-hours") && o.decision.n == 0);
	assert_true(fw_record_mark(r, FW_STR("lapsed"), &mark) && mark.in);
	/* In version 4 the bit of a decision is none. */
	bytes[26] |= 0x40;
	assert_int_equal(fw_record_read(&arena, (struct fw_str){ bytes, 160 }, &r, NULL), FW_EINVAL);
}

/* Bytes of each version there ever was are read as what they were; those of a later one, and what is no record, are refused. */
static void test_versions(void **state)
{
	(void)state;
	char bytes[2000];
	struct fw_facts f;
	struct fw_error err;
	struct fw_record *r;
	struct fw_str old = read_version(1, bytes);
	filled(&f, &arena, old, NOON + SECOND);
	assert_true(number(&f, FW_FACT_VISITS) == 6 && number(&f, FW_FACT_ORDERS) == 1 && number(&f, FW_FACT_CART_TOTAL) == 2);
	assert_true(f.n_traits == 3 && f.n_cap_uses == 1 && f.cap_uses[0].cap == 5 && f.n_engagement == 1);
	assert_true(asked(&f, FW_FACT_VIEWED, FW_KEY_NONE, NULL, 0) == 17 && asked(&f, FW_FACT_OPENED, FW_KEY_NONE, NULL, 0) == 1);
	assert_int_equal(fw_record_import_offset(read_again(&arena, old), 9), 1234);
	struct fw_str now = written(&arena, read_again(&arena, old)), again = written(&arena, read_again(&arena, now));
	assert_int_equal(now.p[0], 5);
	assert_true(fw_str_equal(now, again));
	filled(&f, &arena, now, NOON + SECOND);
	assert_true(number(&f, FW_FACT_VISITS) == 6 && f.n_traits == 3 && f.n_cap_uses == 1 && f.n_engagement == 1);
	bytes[0] = 99;
	assert_int_equal(fw_record_read(&arena, old, &r, &err), FW_EINVAL);
	assert_string_equal(err.message, "the record has version 99, this program knows up to 5");
	assert_int_equal(fw_record_read(&arena, (struct fw_str){ bytes, 0 }, &r, &err), FW_EINVAL);
	bytes[0] = 1;
	for (size_t n = 1; n < old.n; n++)
		assert_int_equal(fw_record_read(&arena, (struct fw_str){ bytes, n }, &r, &err), FW_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nobody_yet, begin, end),
		cmocka_unit_test_setup_teardown(test_counts, begin, end),
		cmocka_unit_test_setup_teardown(test_asked_in_passing, begin, end),
		cmocka_unit_test_setup_teardown(test_numbered_keys, begin, end),
		cmocka_unit_test_setup_teardown(test_cart_and_orders, begin, end),
		cmocka_unit_test_setup_teardown(test_visits, begin, end),
		cmocka_unit_test_setup_teardown(test_ids, begin, end),
		cmocka_unit_test_setup_teardown(test_traits, begin, end),
		cmocka_unit_test_setup_teardown(test_claimed_traits, begin, end),
		cmocka_unit_test_setup_teardown(test_many_claims, begin, end),
		cmocka_unit_test_setup_teardown(test_group, begin, end),
		cmocka_unit_test_setup_teardown(test_caps, begin, end),
		cmocka_unit_test_setup_teardown(test_exactly_once, begin, end),
		cmocka_unit_test_setup_teardown(test_versions, begin, end),
		cmocka_unit_test_setup_teardown(test_version_2, begin, end),
		cmocka_unit_test_setup_teardown(test_version_3, begin, end),
		cmocka_unit_test_setup_teardown(test_version_4, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
