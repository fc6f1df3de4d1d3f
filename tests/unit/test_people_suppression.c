/* What is said of an address, in any order and again: what holds then, what is left to do, and how long it is remembered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lib_joins.h"
#include "people/suppression.h"

#define CHANGED FW_SUPPRESSION_CHANGED
#define SAME FW_SUPPRESSION_SAME
#define OVER FW_SUPPRESSION_OVER
#define DAY INT64_C(86400000000)

/* A letter for what is said (p: put, l: lifting, e: lifted), a digit for its id (0: none). */
struct step {
	const char *said;
	enum fw_suppression_outcome outcome;
	bool suppressed;
};

static struct fw_suppression_said said_of(const char *said, int64_t now_us)
{
	enum fw_suppression_what what = said[0] == 'p' ? FW_SUPPRESSION_PUT
		: said[0] == 'l' ? FW_SUPPRESSION_LIFTING : FW_SUPPRESSION_LIFTED;
	return (struct fw_suppression_said){ what, FW_STR("stop"), (uint64_t)(said[1] - '0'), now_us };
}

static void test_turns(void **state)
{
	static const struct step stories[][8] = {
		/* without ids, as often as somebody likes */
		{ { "p0", CHANGED, true }, { "p0", SAME, true }, { "l0", SAME, true }, { "e0", CHANGED, false }, { "p0", CHANGED, true } },
		{ { "l0", OVER, false }, { "e0", OVER, false } },
		/* told again: what was left is done; after the contrary nothing is */
		{ { "p1", CHANGED, true }, { "p1", SAME, true }, { "l2", SAME, true }, { "l2", SAME, true }, { "e2", CHANGED, false },
			{ "p1", OVER, false }, { "p3", CHANGED, true }, { "l2", OVER, true } },
		{ { "l1", OVER, false }, { "p2", CHANGED, true }, { "l1", OVER, true }, { "e1", OVER, true } },
		/* a stop while a start is under way */
		{ { "p1", CHANGED, true }, { "l2", SAME, true }, { "p1", OVER, true }, { "p3", SAME, true },
			{ "e2", OVER, true }, { "l2", OVER, true } },
		{ { "p1", CHANGED, true }, { "l2", SAME, true }, { "p0", SAME, true }, { "e2", OVER, true } },
	};
	(void)state;
	for (size_t i = 0; i < sizeof stories / sizeof *stories; i++) {
		struct fw_suppression s = { .at_us = 0 };
		for (const struct step *step = stories[i]; step < stories[i] + 8 && step->said; step++) {
			struct fw_suppression_said said = said_of(step->said, 1);
			enum fw_suppression_outcome outcome;
			fw_suppression_turn(&s, &said, &outcome);
			if (outcome != step->outcome || (s.reason.n > 0) != step->suppressed)
				fail_msg("story %zu, step %td (%s): outcome %d, %s", i, step - stories[i] + 1, step->said, (int)outcome,
					s.reason.n ? "suppressed" : "free");
		}
	}
}

/* The oldest makes room. */
static void test_many(void **state)
{
	struct fw_suppression s = { .at_us = 0 };
	enum fw_suppression_outcome outcome;
	(void)state;
	for (uint64_t id = 1; id <= FW_LIMIT_ADDRESS_HEARD + 1; id++) {
		struct fw_suppression_said said = { FW_SUPPRESSION_PUT, FW_STR("stop"), id, 1 };
		assert_true(fw_suppression_turn(&s, &said, &outcome));
	}
	assert_int_equal(s.n_heard, FW_LIMIT_ADDRESS_HEARD);
	assert_int_equal(s.heard[0], 2);
	assert_int_equal(s.heard[FW_LIMIT_ADDRESS_HEARD - 1], FW_LIMIT_ADDRESS_HEARD + 1);
}

struct told {
	unsigned came;
	int rc;
	enum fw_suppression_outcome outcome;
};

static void on_told(void *ctx, int rc, enum fw_suppression_outcome outcome)
{
	struct told *t = ctx;
	*t = (struct told){ t->came + 1, rc, outcome };
}

static enum fw_suppression_outcome say_of(struct client *c, const struct fw_key *key, const char *what, int64_t now_us)
{
	struct told t = { 0 };
	struct fw_suppression_said said = said_of(what, now_us);
	fw_suppression_say(c->workers[0], key, &said, on_told, &t);
	joins_wait(c, &t.came, 1);
	assert_int_equal(t.rc, 0);
	return t.outcome;
}

static void on_secret(void *ctx, int rc)
{
	assert_int_equal(rc, 0);
	++*(unsigned *)ctx;
}

static unsigned rows(const struct client *c)
{
	unsigned n = 0;
	for (const struct memory_row *row = c->memory->rows; row; row = row->next)
		n += row->key.p[0] == 'U';
	return n;
}

/* What was lifted is remembered for a week, and without an id not at all; what is suppressed stays for ever. */
static void test_how_long(void **state)
{
	static const char *const numbers[] = { "+4930111111", "+4930222222", "+4930333333" };
	struct client c;
	struct fw_key keys[3];
	unsigned ready = 0;
	(void)state;
	client_init(&c, &(struct memory_options){ .seed = 1 });
	fw_people_ready(c.workers[0], on_secret, &ready);
	joins_wait(&c, &ready, 1);
	for (int i = 0; i < 3; i++) {
		fw_suppression_key(&c.workers[0]->secret, FW_STR("sms"), fw_str(numbers[i]), &keys[i]);
		assert_int_equal(say_of(&c, &keys[i], i == 1 ? "p0" : "p1", NOON), CHANGED);
	}
	assert_int_equal(say_of(&c, &keys[0], "l2", NOON), SAME);
	assert_int_equal(say_of(&c, &keys[0], "e2", NOON), CHANGED);
	assert_int_equal(say_of(&c, &keys[0], "p1", NOON), OVER);
	assert_int_equal(say_of(&c, &keys[1], "l0", NOON), SAME);
	assert_int_equal(rows(&c), 3);
	assert_int_equal(say_of(&c, &keys[1], "e0", NOON), CHANGED);
	assert_int_equal(rows(&c), 2);
	sweep_at(&c, NOON + 6 * DAY);
	assert_int_equal(rows(&c), 2);
	sweep_at(&c, NOON + 8 * DAY);
	assert_int_equal(rows(&c), 1);
	assert_int_equal(say_of(&c, &keys[2], "p2", NOON), SAME);
	client_finish(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_turns),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_how_long),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
