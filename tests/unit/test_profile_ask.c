/* What a person asked to be told of: in the record, as it is stored, through merging and being taken apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lib_generate.h"
#include "lib_profile.h"
#include "profile/own.h"

#define FIRST INT64_C(1790000000000000)
#define SECOND INT64_C(1000000)

static struct fw_record *person(struct fw_arena *a, const char *id)
{
	struct fw_record *r = fw_record_new(a, fw_str(id));
	assert_int_equal(fw_record_add_id(r, FW_ID_ANONYMOUS, fw_str(id)), 0);
	r->last_ms = FIRST / 1000;
	r->first_s = r->last_ms / 1000;
	return r;
}

static void put(struct fw_record *r, const char *product, int64_t at_us)
{
	const struct fw_ask ask = { fw_str(product), at_us, FW_STR("{\"country\":\"DE\"}") };
	assert_int_equal(fw_record_put_ask(r, &ask), 0);
}

static struct fw_record *again(struct fw_arena *a, const struct fw_record *r)
{
	struct fw_record *ret;
	struct fw_str bytes;
	assert_int_equal(fw_record_bytes(r, a, &bytes), 0);
	assert_int_equal(fw_record_read(a, bytes, &ret, NULL), 0);
	return ret;
}

static void test_kept(void **state)
{
	(void)state;
	struct fw_arena a;
	struct fw_ask ask;
	struct fw_str bytes;
	fw_arena_init(&a, NULL, 0, 0);
	struct fw_record *r = person(&a, "a-1");
	put(r, "b-2", FIRST + 5);
	put(r, "b-1", FIRST + SECOND);
	put(r, "b-2", FIRST + SECOND); /* asked for since then */
	struct fw_record *read = again(&a, r);
	assert_true(fw_record_ask(read, 0, &ask) && fw_str_is(ask.product, "b-1") && ask.at_us == FIRST + SECOND);
	assert_true(fw_record_ask(read, 1, &ask) && fw_str_is(ask.product, "b-2") && ask.at_us == FIRST);
	assert_true(fw_str_is(ask.place, "{\"country\":\"DE\"}") && !fw_record_ask(read, 2, &ask));
	assert_true(fw_record_drop_ask(read, FW_STR("b-2")) && !fw_record_drop_ask(read, FW_STR("b-2")));
	assert_true(fw_record_was_asked(read, 1, &ask) && fw_str_is(ask.product, "b-2"));
	assert_true(!fw_record_drop_asks(read, FIRST) && fw_record_drop_asks(read, FIRST + 2 * SECOND) && !fw_record_ask(read, 0, &ask));
	/* One of whom nothing is asked is what version 4 wrote. */
	assert_int_equal(fw_record_bytes(read, &a, &bytes), 0);
	char *old = fw_arena_strndup(&a, bytes.p, bytes.n);
	old[0] = 4;
	assert_int_equal(fw_record_read(&a, (struct fw_str){ old, bytes.n }, &read, NULL), 0);
	fw_arena_finish(&a);
}

static void any(struct generator *dice, struct fw_record *r)
{
	static const char *const products[] = { "b-1", "b-2", "b-3", "b-4", "b-5" };
	for (unsigned i = below(dice, 4); i > 0; i--)
		put(r, products[below(dice, 5)], FIRST + below(dice, 3) * SECOND);
}

static struct fw_record *merged(struct fw_arena *a, const struct fw_record *x, const struct fw_record *y)
{
	struct fw_spilled spilled[FW_SPILL_MOST];
	unsigned n;
	struct fw_record *into = again(a, x);
	assert_int_equal(fw_record_merge(into, y, spilled, &n), 0);
	return again(a, into);
}

static void assert_same(const struct fw_record *x, const struct fw_record *y)
{
	assert_int_equal(x->asks.n, y->asks.n);
	for (uint32_t i = 0; i < x->asks.n; i++) {
		assert_true(fw_str_equal(x->asks.items[i].product, y->asks.items[i].product));
		assert_true(x->asks.items[i].at_us == y->asks.items[i].at_us);
	}
}

/* In whatever order three become one they ask for the same; and what one brought is taken out again. */
static void test_merged(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < 200; seed++) {
		struct generator dice = { .state = seed };
		struct fw_arena a;
		fw_arena_init(&a, NULL, 0, 0);
		struct fw_record *x = person(&a, "x"), *y = person(&a, "y"), *z = person(&a, "z");
		any(&dice, x);
		any(&dice, y);
		any(&dice, z);
		assert_same(merged(&a, merged(&a, x, y), z), merged(&a, z, merged(&a, y, x)));
		assert_same(merged(&a, merged(&a, x, z), y), merged(&a, x, merged(&a, y, z)));
		struct fw_record *now = merged(&a, x, y), *back = again(&a, y);
		put(now, "b-9", FIRST + 9 * SECOND);
		assert_int_equal(fw_record_split(now, x, back), 0);
		assert_true(fw_record_drop_ask(now, FW_STR("b-9")));
		assert_same(now, x);
		assert_same(back, y);
		fw_arena_finish(&a);
	}
}

/* What both were told of as one, neither asks for any more. */
static void test_told_as_one(void **state)
{
	(void)state;
	struct fw_arena a;
	struct fw_ask ask;
	fw_arena_init(&a, NULL, 0, 0);
	struct fw_record *x = person(&a, "x"), *y = person(&a, "y");
	put(x, "b-1", FIRST + SECOND);
	put(y, "b-1", FIRST);
	put(y, "b-2", FIRST);
	struct fw_record *now = merged(&a, x, y);
	assert_true(fw_record_drop_ask(now, FW_STR("b-1")));
	put(now, "b-1", FIRST + 7 * SECOND); /* and asked again */
	assert_int_equal(fw_record_split(now, x, y), 0);
	assert_true(fw_record_find_ask(now, FW_STR("b-1"), &ask) && ask.at_us == FIRST + 7 * SECOND);
	assert_false(fw_record_find_ask(now, FW_STR("b-2"), &ask));
	assert_false(fw_record_find_ask(y, FW_STR("b-1"), &ask));
	assert_true(fw_record_find_ask(y, FW_STR("b-2"), &ask));
	fw_arena_finish(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_merged),
		cmocka_unit_test(test_told_as_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
