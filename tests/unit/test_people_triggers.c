/* What time alone sets off, with a clock that moves: the sweep finds who has come to be in a segment, once, and what comes at intervals
 * goes when its time has come; also where more people are triggered than one batch takes. Seen failing where the sweep does not remember
 * who is in (trigger_segment without fw_record_set_mark), and where the interval is not looked at (trigger_by_time). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lib_joins.h"
#include "lib_rules.h"
#include "people/key.h"
#include "people/sweep.h"

#define SECOND INT64_C(1000000)
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)

static const char rules[] =
	"segment 'left' { when = { cart = { items = at_least(1), age = at_least '1d' } } }\n"
	"rule 'left-behind' { channel = 'email', on = segment_entered 'left', class = 'service', send = { text = 'x' } }\n"
	"segment 'quiet' { when = { days_since_order = at_least(30) } }\n"
	"rule 'weekly' { channel = 'email', on = every '7d', when = { segment = 'quiet' }, class = 'service', send = { text = 'y' } }\n";

struct shop {
	struct client c;
	struct rules r;
	struct fw_triggers *triggers;
	struct fw_due_config due;
	unsigned messages;
};

static void shop_open(struct shop *x)
{
	static const struct fw_consent_config no_places;
	memset(x, 0, sizeof *x);
	rules_open(&x->r, rules, NULL);
	x->triggers = fw_triggers_create(x->r.set);
	x->due = (struct fw_due_config){ .zones = x->r.zones, .consent = &no_places };
	assert_non_null(x->triggers);
	client_init(&x->c, &(struct memory_options){ .seed = 1 });
	x->c.triggers = x->triggers;
	x->c.decider = &x->r.decider;
	x->c.due = &x->due;
	client_trigger(&x->c);
}

static void shop_close(struct shop *x)
{
	client_finish(&x->c);
	fw_triggers_destroy(x->triggers);
	rules_finish(&x->r);
}

static void hand(struct shop *x, const char *event, const char *user, int64_t at_us)
{
	struct client *c = &x->c;
	struct request *r = request_create(c, 1);
	char json[600];
	unsigned answered = c->answered, number = ++x->messages;
	snprintf(json, sizeof json, "{\"type\":\"track\",\"event\":\"%s\",\"messageId\":\"m-%u\",\"userId\":\"%s\","
		"\"properties\":{\"product_id\":\"B-1\",\"order_id\":\"A-%u\",\"price\":5}}", event, number, user, number);
	request_add(r, json, at_us);
	hand_in(r);
	joins_wait(c, &c->answered, answered + 1);
	settle_down(c);
	request_destroy(r);
}

static struct fw_record *record_of(struct shop *x, const char *user)
{
	struct found f = find(&x->c, user);
	struct fw_record *r;
	assert_int_equal(fw_record_read(&x->c.t.arena, f.person.record, &r, NULL), 0);
	return r;
}

/* How many messages of the rule wait for the person. */
static unsigned waiting(struct shop *x, const char *user, const char *rule)
{
	struct fw_record *r = record_of(x, user);
	struct fw_due d;
	unsigned n = 0;
	for (unsigned i = 0; fw_record_due(r, i, &d); i++)
		n += d.state == FW_DUE_WAITS && fw_str_is(d.rule, rule);
	return n;
}

/* What waits for the person is sent. */
static void send_waiting(struct shop *x, const char *user)
{
	struct found f = find(&x->c, user);
	struct fw_record *r;
	struct fw_due d;
	struct swept s = { 0 };
	assert_int_equal(fw_record_read(&x->c.t.arena, f.person.record, &r, NULL), 0);
	while (fw_record_due(r, 0, &d))
		fw_record_drop_due(r, d.number);
	f.person.row = (struct fw_person_id){ f.person.row.kind, fw_str(strchr(f.row, ':') + 1) };
	fw_people_replace(x->c.workers[0], &f.person, r, NULL, 0, on_swept, &s);
	joins_wait(&x->c, &s.came, 1);
	assert_int_equal(s.rc, 0);
}

static void sweep_shop(struct shop *x, int64_t now_us)
{
	sweep_at(&x->c, now_us);
	deliver_all(&x->c);
}

static void test_entering_by_time(void **state)
{
	(void)state;
	struct shop x;
	shop_open(&x);
	hand(&x, "Product Added", "u-1", NOON);
	sweep_shop(&x, NOON + DAY - SECOND);
	assert_int_equal(waiting(&x, "u-1", "left-behind"), 0);
	sweep_shop(&x, NOON + DAY + SECOND);
	assert_int_equal(waiting(&x, "u-1", "left-behind"), 1);
	send_waiting(&x, "u-1");
	/* Inside, neither time nor what he does is an entering. */
	sweep_shop(&x, NOON + 2 * DAY);
	hand(&x, "Product Viewed", "u-1", NOON + 2 * DAY + HOUR);
	assert_int_equal(waiting(&x, "u-1", "left-behind"), 0);
	/* Out, and in again by time: once more. */
	hand(&x, "Cart Emptied", "u-1", NOON + 3 * DAY);
	hand(&x, "Product Added", "u-1", NOON + 3 * DAY + HOUR);
	sweep_shop(&x, NOON + 4 * DAY);
	assert_int_equal(waiting(&x, "u-1", "left-behind"), 0);
	sweep_shop(&x, NOON + 4 * DAY + 2 * HOUR);
	assert_int_equal(waiting(&x, "u-1", "left-behind"), 1);
	shop_close(&x);
}

/* Who has been in it since before anybody looked is not entering it. */
static void test_in_it_before(void **state)
{
	(void)state;
	struct shop x;
	shop_open(&x);
	for (int i = 0; i < WORKERS; i++)
		fw_people_trigger(x.c.workers[i], NULL, NULL, NULL);
	hand(&x, "Product Added", "u-1", NOON);
	for (int i = 0; i < WORKERS; i++)
		fw_people_trigger(x.c.workers[i], x.triggers, &x.r.decider, &x.due);
	for (int days = 2; days <= 3; days++) {
		sweep_shop(&x, NOON + days * DAY);
		assert_int_equal(waiting(&x, "u-1", "left-behind"), 0);
	}
	shop_close(&x);
}

static void test_intervals(void **state)
{
	(void)state;
	struct shop x;
	unsigned sent = 0;
	shop_open(&x);
	hand(&x, "Order Completed", "u-1", NOON);
	hand(&x, "Product Viewed", "u-2", NOON); /* who never ordered is not quiet */
	/* The first time when he matches, then every seventh day, though he is looked at every day. */
	for (int day = 28; day <= 60; day++) {
		sweep_shop(&x, NOON + day * DAY);
		assert_int_equal(waiting(&x, "u-2", "weekly"), 0);
		unsigned n = waiting(&x, "u-1", "weekly");
		assert_int_equal(n, day >= 30 && (day - 30) % 7 == 0);
		sent += n;
		if (n)
			send_waiting(&x, "u-1");
	}
	assert_int_equal(sent, 5);
	/* One that waits makes way for the next, and he who matches no more has none. */
	sweep_shop(&x, NOON + 65 * DAY);
	sweep_shop(&x, NOON + 72 * DAY);
	assert_int_equal(waiting(&x, "u-1", "weekly"), 1);
	send_waiting(&x, "u-1");
	hand(&x, "Order Completed", "u-1", NOON + 73 * DAY);
	sweep_shop(&x, NOON + 80 * DAY);
	assert_int_equal(waiting(&x, "u-1", "weekly"), 0);
	shop_close(&x);
}

/* More in one bucket than a batch takes: the others have their turn the next time round, and nobody is forgotten. */
static void test_many_at_once(void **state)
{
	enum { MANY = 40 };
	(void)state;
	struct shop x;
	char users[MANY][32];
	unsigned n = 0;
	shop_open(&x);
	for (unsigned i = 0; n < MANY; i++) {
		struct fw_key key;
		snprintf(users[n], sizeof users[n], "u-%u", i);
		fw_key_person(&(struct fw_person_id){ FW_PERSON_USER, fw_str(users[n]) }, &key);
		n += key.bucket == 5;
	}
	for (unsigned i = 0; i < MANY; i++)
		hand(&x, "Product Added", users[i], NOON);
	unsigned times = 0, found = 0;
	while (found < MANY && times++ < 10) {
		sweep_shop(&x, NOON + 2 * DAY + times * HOUR);
		found = 0;
		for (unsigned i = 0; i < MANY; i++)
			found += waiting(&x, users[i], "left-behind");
	}
	assert_int_equal(found, MANY);
	assert_int_equal(times, 3);
	shop_close(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entering_by_time),
		cmocka_unit_test(test_in_it_before),
		cmocka_unit_test(test_intervals),
		cmocka_unit_test(test_many_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
