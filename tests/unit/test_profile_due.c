/* Messages in a record: their limits, and that merging and taking apart lose and double none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib_arena.h"
#include "lib_shoppers.h"
#include "lib_profile.h"
#include "profile/own.h"

enum { MINUTE_US = 60000000 };
#define DECISION "01993c1e-7a40-7c12-9d3e-0a1b2c3d4e5f"

static struct fw_due due(uint64_t number, const char *rule, int64_t triggered_us)
{
	return (struct fw_due){ .number = number, .rule = fw_str(rule), .channel = FW_STR("email"), .triggered_us = triggered_us,
		.due_us = triggered_us + MINUTE_US, .expires_us = triggered_us + 9 * (int64_t)MINUTE_US,
		.facts = FW_STR("{\"country\":\"CA\"}") };
}

static struct fw_record *nobody(const char *id)
{
	struct fw_record *r = fw_record_new(&arena, fw_str(id));
	assert_non_null(r);
	r->last_ms = NOON / 1000;
	r->first_s = NOON / 1000000;
	return r;
}

static struct fw_record *again(const struct fw_record *r)
{
	return read_again(&arena, written(&arena, r));
}

static void test_kept(void **state)
{
	(void)state;
	struct fw_record *r = nobody("a-1");
	struct fw_due d = due(7, "hello", NOON + 1500), found;
	struct fw_wake wake;
	assert_int_equal(fw_record_put_due(r, &d), 0);
	d.state = FW_DUE_SENDING;
	d.attempts = 3;
	d.person = UINT64_MAX - 1;
	d.lost = 2;
	d.reason = FW_STR("421 later");
	d.decision = FW_STR(DECISION);
	assert_int_equal(fw_record_put_due(r, &d), 0);
	const struct fw_due_outcome o = { NOON, 7, FW_STR("hello"), FW_STR("email"), FW_STR("deferred"), FW_STR("quiet-hours"),
		FW_STR(DECISION) };
	assert_int_equal(fw_record_note_outcome(r, &o), 0);
	assert_int_equal(fw_record_set_mark(r, &(struct fw_mark){ FW_STR("lapsed"), NOON, true }), 0);
	r = again(r);
	assert_true(fw_record_find_due(r, 7, &found) && found.state == FW_DUE_SENDING && found.attempts == 3 && found.lost == 2 &&
		found.person == UINT64_MAX - 1);
	assert_int_equal(found.triggered_us, NOON + 1000); /* whole milliseconds */
	assert_true(fw_str_is(found.reason, "421 later") && fw_str_is(found.facts, "{\"country\":\"CA\"}") && fw_str_is(found.channel,
		"email") && fw_str_is(found.decision, DECISION));
	struct fw_due_outcome was;
	struct fw_mark mark;
	assert_true(fw_record_outcome(r, 0, &was) && fw_str_is(was.by, "quiet-hours") && fw_str_is(was.decision, DECISION) &&
		!fw_record_outcome(r, 1, &was));
	assert_true(fw_record_mark(r, FW_STR("lapsed"), &mark) && mark.in && mark.at_us == NOON);
	/* What it was when it was read, and what it is. */
	assert_true(fw_record_was_due(r, 0, &wake) && wake.at_us == NOON + 1000 + MINUTE_US && !wake.dead &&
		wake.channel == fw_due_channel(FW_STR("email")));
	assert_true(fw_record_drop_due(r, 7) && !fw_record_drop_due(r, 7) && !fw_record_wake(r, 0, &wake) && fw_record_was_due(r, 0,
		&wake));
}

static void test_the_dead(void **state)
{
	(void)state;
	struct fw_record *r = nobody("a-1");
	struct fw_due found;
	for (uint64_t i = 1; i <= 4; i++) {
		struct fw_due d = due(i, "hello", NOON);
		d.state = i == 4 ? FW_DUE_WAITS : FW_DUE_DEAD;
		d.due_us = NOON + (int64_t)i % 4 * MINUTE_US;
		assert_int_equal(fw_record_put_due(r, &d), 0);
	}
	assert_false(fw_record_drop_dead(r, NOON + MINUTE_US));
	assert_true(fw_record_drop_dead(r, NOON + 3 * MINUTE_US));
	assert_false(fw_record_find_due(r, 1, &found) || fw_record_find_due(r, 2, &found));
	assert_true(fw_record_find_due(r, 3, &found) && fw_record_find_due(r, 4, &found));
}

static void test_limits(void **state)
{
	(void)state;
	struct fw_record *r = nobody("a-1");
	for (uint64_t i = 1; i <= FW_LIMIT_DUE; i++) {
		struct fw_due d = due(i, "hello", NOON);
		d.state = i == 3 || i == 5 ? FW_DUE_DEAD : FW_DUE_WAITS;
		d.due_us = NOON + (int64_t)(10 - i) * MINUTE_US;
		assert_int_equal(fw_record_put_due(r, &d), 0);
	}
	/* The dead make room, whoever has been so longest first; nobody else does. */
	struct fw_due d = due(100, "more", NOON), found;
	assert_int_equal(fw_record_put_due(r, &d), 0);
	assert_false(fw_record_find_due(r, 5, &found));
	assert_true(fw_record_find_due(r, 3, &found));
	d = due(101, "more", NOON);
	assert_int_equal(fw_record_put_due(r, &d), 0);
	d = due(102, "more", NOON);
	assert_int_equal(fw_record_put_due(r, &d), FW_ELIMIT);
	char long_text[4000];
	memset(long_text, 'x', sizeof long_text);
	d = due(1, "hello", NOON);
	d.facts = (struct fw_str){ long_text, sizeof long_text };
	d.reason = (struct fw_str){ long_text, sizeof long_text };
	assert_int_equal(fw_record_put_due(r, &d), 0);
	assert_true(fw_record_find_due(r, 1, &found) && found.facts.n == 0 && found.reason.n == FW_LIMIT_DUE_REASON_BYTES);
	for (unsigned i = 0; i < 3 * FW_LIMIT_OUTCOMES; i++) {
		const struct fw_due_outcome o = { NOON + (int64_t)i * MINUTE_US, i, FW_STR("hello"), FW_STR("email"), FW_STR("sent"),
			{ NULL, 0 }, { NULL, 0 } };
		assert_int_equal(fw_record_note_outcome(r, &o), 0);
	}
	struct fw_due_outcome oldest;
	assert_true(r->outcomes.n == FW_LIMIT_OUTCOMES && fw_record_outcome(r, 0, &oldest) && oldest.number == 2 * FW_LIMIT_OUTCOMES);
	assert_true(fw_str_equal(written(&arena, r), written(&arena, again(r))));
}

/* Somebody with a few messages of a few rules, some of which others have, too. */
static struct fw_record *anybody(struct dice *dice, const char *id)
{
	static const char *const rules[] = { "a", "b", "c", "d" };
	struct fw_record *r = nobody(id);
	const uint64_t first = below(dice, 4); /* of a rule one waits */
	for (uint64_t n = below(dice, 4); n > 0; n--) {
		uint64_t rule = (first + n) % 4, number = 4 * (1 + below(dice, 250)) + rule; /* which says of whom it is and since when */
		struct fw_due d = due(number, rules[rule], NOON + (int64_t)(number % 5) * MINUTE_US);
		d.state = (enum fw_due_state)below(dice, 3);
		if (fw_record_put_due(r, &d) < 0)
			break;
	}
	for (uint64_t n = below(dice, 5); n > 0; n--)
		fw_record_note_outcome(r, &(struct fw_due_outcome){ NOON + (int64_t)below(dice, 9) * MINUTE_US, below(dice, 20),
			FW_STR("a"), FW_STR("email"),
			FW_STR("sent"), { NULL, 0 }, { NULL, 0 } });
	for (uint64_t n = below(dice, 4); n > 0; n--)
		fw_record_set_mark(r, &(struct fw_mark){ fw_str(rules[below(dice, 4)]), NOON + below(dice, 4) * MINUTE_US, below(dice,
			2) });
	return r;
}

static struct fw_record *merged(const struct fw_record *a, const struct fw_record *b)
{
	struct fw_spilled spilled[FW_SPILL_MOST];
	unsigned n;
	struct fw_record *into = again(a);
	assert_int_equal(fw_record_merge(into, b, spilled, &n), 0);
	return into;
}

static struct fw_str messages_of(const struct fw_record *r)
{
	struct fw_buf b;
	struct fw_str ret;
	fw_buf_init(&b, 0);
	fw_messages_put(r, &b);
	assert_int_equal(fw_buf_keep(&b, &arena, &ret), 0);
	return ret;
}

static void test_merging(void **state)
{
	(void)state;
	struct dice dice = { 11 };
	for (unsigned round = 0; round < (getenv("FW_LONG") ? 20000 : 2000); round++) {
		struct fw_record *who[3] = { anybody(&dice, "a-1"), anybody(&dice, "a-2"), anybody(&dice, "a-3") };
		struct fw_str one = messages_of(merged(who[0], who[1])), other = messages_of(merged(who[1], who[0]));
		assert_true(fw_str_equal(one, other));
		struct fw_record *all = merged(merged(who[0], who[1]), who[2]), *also = merged(who[0], merged(who[1], who[2]));
		if (all->dues.n < FW_LIMIT_DUE)
			assert_true(fw_str_equal(messages_of(all), messages_of(also)));
		/* Of no rule do two wait. */
		for (uint32_t i = 0; i < all->dues.n; i++)
			for (uint32_t k = 0; k < i; k++)
				assert_false(all->dues.items[i].state == FW_DUE_WAITS && all->dues.items[k].state == FW_DUE_WAITS &&
					fw_str_equal(all->dues.items[i].rule, all->dues.items[k].rule));
		/* And back: with nothing between, what was before. */
		struct fw_record *both = merged(who[1], who[0]);
		assert_int_equal(fw_record_split(both, who[1], who[0]), 0);
		assert_true(fw_str_equal(messages_of(both), messages_of(again(who[1]))));
		fw_arena_reset(&arena);
	}
}

/* What was sent while they were one is not sent once more, and what came since stays. */
static void test_taking_apart(void **state)
{
	(void)state;
	struct fw_record *a = nobody("a-1"), *b = nobody("a-2");
	struct fw_due mine = due(1, "mine", NOON), theirs = due(2, "theirs", NOON), later = due(3, "later", NOON + MINUTE_US), found;
	assert_int_equal(fw_record_put_due(a, &mine), 0);
	assert_int_equal(fw_record_put_due(b, &theirs), 0);
	struct fw_record *both = merged(a, b);
	assert_true(fw_record_find_due(both, 1, &found) && fw_record_find_due(both, 2, &found));
	fw_record_drop_due(both, 1);
	fw_record_note_outcome(both, &(struct fw_due_outcome){ NOON + MINUTE_US, 1, FW_STR("mine"), FW_STR("email"), FW_STR("sent"),
		{ NULL, 0 }, { NULL, 0 } });
	assert_int_equal(fw_record_put_due(both, &later), 0);
	assert_int_equal(fw_record_split(both, a, b), 0);
	struct fw_due_outcome o;
	assert_false(fw_record_find_due(both, 1, &found));
	assert_false(fw_record_find_due(both, 2, &found));
	assert_true(fw_record_find_due(both, 3, &found));
	assert_true(fw_record_outcome(both, 0, &o) && o.number == 1);
}

/* Of who was absorbed, too; a place that a message of his held counts if it was sent, or what became of it is forgotten, and is free if
 * it was not. */
static void test_taking_apart_the_absorbed(void **state)
{
	(void)state;
	struct fw_record *a = nobody("a-1"), *b = nobody("a-2");
	struct fw_due sent = due(1, "sent", NOON), refused = due(2, "refused", NOON), forgotten = due(3, "forgotten", NOON);
	struct fw_due again = due(4, "again", NOON), waits = due(5, "waits", NOON), found;
	sent.state = refused.state = forgotten.state = FW_DUE_SENDING;
	struct fw_due *const all[] = { &sent, &refused, &forgotten, &again, &waits };
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(fw_record_put_due(b, all[i]), 0);
	for (uint64_t number = 1; number <= 3; number++)
		assert_int_equal(fw_record_reserve(b, &(struct fw_reservation){ .cap = number, .per_s = 86400, .limit = 1,
			.rule = number, .at_us = NOON }), 0);
	struct fw_record *both = merged(a, b);
	for (uint64_t number = 1; number <= 3; number++)
		fw_record_drop_due(both, number);
	for (uint64_t number = 1; number <= 2; number++)
		fw_record_note_outcome(both, &(struct fw_due_outcome){ NOON + MINUTE_US, number, FW_STR("r"), FW_STR("email"),
			number == 1 ? FW_STR("sent") : FW_STR("failed"), { NULL, 0 }, { NULL, 0 } });
	again.attempts = 1;
	again.due_us = NOON + MINUTE_US;
	assert_int_equal(fw_record_put_due(both, &again), 0);
	assert_int_equal(fw_record_split(both, a, b), 0);
	assert_false(fw_record_find_due(b, 1, &found) || fw_record_find_due(b, 2, &found) || fw_record_find_due(b, 3, &found));
	assert_true(fw_record_find_due(b, 4, &found) && found.attempts == 1);
	assert_true(fw_record_find_due(b, 5, &found) && found.attempts == 0);
	assert_int_equal(both->dues.n, 0);
	assert_int_equal(fw_cap_find(b, 1)->uses.items[0].rule, 0);
	assert_true(fw_cap_find(b, 3) && fw_cap_find(b, 3)->uses.items[0].rule == 0);
	assert_true(!fw_cap_find(b, 2) || fw_cap_find(b, 2)->uses.n == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_kept, begin, end),
		cmocka_unit_test_setup_teardown(test_the_dead, begin, end),
		cmocka_unit_test_setup_teardown(test_limits, begin, end),
		cmocka_unit_test_setup_teardown(test_merging, begin, end),
		cmocka_unit_test_setup_teardown(test_taking_apart, begin, end),
		cmocka_unit_test_setup_teardown(test_taking_apart_the_absorbed, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
