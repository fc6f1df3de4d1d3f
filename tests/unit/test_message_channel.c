/* What a channel may be asked for: how many at once, how many a second, how many to one destination, and for how long a destination that
 * only asks to come back is left alone.
 *
 * A server that went away failed all that was on its way there at once, each failure doubled the pause, and a short stay away became
 * minutes. Seen failing with FW_BREAK_PAUSE (what fails together counts one by one). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <event2/event.h>

#include "base/clock.h"
#include "message/own.h"

enum { SECOND_US = 1000000, BORNE = 5, MOST = 2 * FW_LIMIT_DESTINATION_AT_ONCE };

struct fixture {
	struct event_base *base;
	struct fw_channel channels[2];
	struct fw_messages *m;
	struct fw_used_channel *email, *sms;
	int64_t now_us;
};

static void open_channels(struct fixture *x, double rate)
{
	x->channels[0] = (struct fw_channel){ .name = "email", .most = MOST };
	x->channels[1] = (struct fw_channel){ .name = "sms", .most = MOST, .rate = rate };
	const struct fw_messages_options options = { .channels = x->channels, .n_channels = 2 };
	assert_non_null(x->base = event_base_new());
	assert_non_null(x->m = fw_messages_create(x->base, &options));
	assert_non_null(x->email = fw_channel_find(x->m, FW_STR("email")));
	assert_non_null(x->sms = fw_channel_find(x->m, FW_STR("sms")));
	assert_null(fw_channel_find(x->m, FW_STR("push")));
	x->now_us = fw_monotonic_us() + 10 * SECOND_US;
}

static void close_channels(struct fixture *x)
{
	fw_messages_destroy(x->m);
	event_base_free(x->base);
}

/* Until when nothing goes there; 0: it may go. */
static int64_t waits_until(const struct fixture *x, struct fw_used_channel *c, const char *address)
{
	int64_t wait_us = 0;
	bool free = fw_channel_has_room(c, fw_str(address), x->now_us, &wait_us);
	assert_true(free || wait_us > 0);
	return free ? 0 : x->now_us + wait_us;
}

/* So many on their way at once, of which all are told the same. */
static void deliver(const struct fixture *x, const char *address, unsigned n, bool again)
{
	struct fw_channel_place places[MOST];
	assert_true(n <= MOST);
	for (unsigned i = 0; i < n; i++)
		places[i] = fw_channel_take(x->email, fw_str(address), x->now_us);
	for (unsigned i = 0; i < n; i++)
		fw_channel_give(&places[i], again, x->now_us);
}

static void test_what_fails_together(void **state)
{
	struct fixture x;
	(void)state;
	open_channels(&x, 0);
	deliver(&x, "a@shop.example", BORNE, true);
	assert_int_equal(waits_until(&x, x.email, "a@shop.example"), 0);
	deliver(&x, "a@shop.example", FW_LIMIT_DESTINATION_AT_ONCE, true);
	assert_int_equal(waits_until(&x, x.email, "b@shop.example"), x.now_us + 2 * SECOND_US);
	assert_int_equal(waits_until(&x, x.email, "a@other.example"), 0);
	assert_int_equal(waits_until(&x, x.sms, "+12025550100"), 0);
	close_channels(&x);
}

static void test_pauses_double(void **state)
{
	struct fixture x;
	int64_t last_us = 0;
	(void)state;
	open_channels(&x, 0);
	deliver(&x, "a@shop.example", BORNE + 1, true);
	for (unsigned i = 0; i < 10; i++) {
		int64_t until_us = waits_until(&x, x.email, "a@shop.example"), pause_us = until_us - x.now_us;
		assert_int_equal(pause_us, last_us == 0 ? 2 * SECOND_US : last_us == 256 * SECOND_US ? last_us : 2 * last_us);
		last_us = pause_us;
		x.now_us = until_us;
		assert_int_equal(waits_until(&x, x.email, "a@shop.example"), 0);
		deliver(&x, "a@shop.example", 20, true);
	}
	assert_int_equal(last_us, 256 * SECOND_US);
	x.now_us = waits_until(&x, x.email, "a@shop.example");
	deliver(&x, "a@shop.example", 1, false); /* it is back: all is borne anew */
	deliver(&x, "a@shop.example", BORNE, true);
	assert_int_equal(waits_until(&x, x.email, "a@shop.example"), 0);
	close_channels(&x);
}

/* A domain has few at once; a channel of text messages is one destination, for which its own number holds. */
static void test_at_once(void **state)
{
	struct fixture x;
	struct fw_channel_place places[MOST], last;
	int64_t wait_us;
	(void)state;
	open_channels(&x, 0);
	for (unsigned i = 0; i < FW_LIMIT_DESTINATION_AT_ONCE; i++) {
		assert_int_equal(waits_until(&x, x.email, "a@shop.example"), 0);
		last = fw_channel_take(x.email, FW_STR("a@shop.example"), x.now_us);
	}
	assert_true(waits_until(&x, x.email, "b@shop.example") > 0);
	assert_int_equal(waits_until(&x, x.email, "a@other.example"), 0);
	fw_channel_return(&last);
	assert_int_equal(waits_until(&x, x.email, "b@shop.example"), 0);
	for (unsigned i = 0; i < MOST; i++) {
		assert_int_equal(waits_until(&x, x.sms, "+12025550100"), 0);
		places[i] = fw_channel_take(x.sms, FW_STR("+12025550100"), x.now_us);
	}
	assert_true(waits_until(&x, x.sms, "+12025550101") > 0);
	assert_false(fw_channel_is_free(x.m, x.sms->letter, x.now_us, &wait_us));
	assert_true(fw_channel_any_is_free(x.m, x.now_us));
	for (unsigned i = 0; i < MOST; i++)
		fw_channel_give(&places[i], false, x.now_us);
	assert_true(fw_channel_is_free(x.m, x.sms->letter, x.now_us, &wait_us));
	close_channels(&x);
}

/* A second's worth goes at once, then one in its time; what was taken and not used may go again. */
static void test_rate(void **state)
{
	enum { RATE = 4 };
	struct fixture x;
	struct fw_channel_place last = { NULL, 0 };
	(void)state;
	open_channels(&x, RATE);
	for (unsigned i = 0; i < RATE; i++) {
		assert_int_equal(waits_until(&x, x.sms, "+12025550100"), 0);
		last = fw_channel_take(x.sms, FW_STR("+12025550100"), x.now_us);
	}
	int64_t until_us = waits_until(&x, x.sms, "+12025550100");
	assert_in_range(until_us - x.now_us, SECOND_US / RATE, SECOND_US / RATE + 2000);
	fw_channel_return(&last);
	assert_int_equal(waits_until(&x, x.sms, "+12025550100"), 0);
	last = fw_channel_take(x.sms, FW_STR("+12025550100"), x.now_us);
	x.now_us = until_us;
	assert_int_equal(waits_until(&x, x.sms, "+12025550100"), 0);
	close_channels(&x);
}

/* More destinations than there are places: some share one, and every delivery still leaves as it came. */
static void test_many_destinations(void **state)
{
	enum { MANY = FW_DESTINATIONS + 50 };
	struct fixture x;
	struct fw_channel_place places[MANY];
	char address[32];
	(void)state;
	open_channels(&x, 0);
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(address, sizeof address, "a@%u.example", i);
		places[i] = fw_channel_take(x.email, fw_str(address), x.now_us);
	}
	assert_int_equal(x.email->at_once, MANY);
	for (unsigned i = 0; i < MANY; i++)
		fw_channel_give(&places[i], false, x.now_us);
	assert_int_equal(x.email->at_once, 0);
	for (unsigned i = 0; i < FW_DESTINATIONS; i++)
		assert_int_equal(x.email->destinations[i].at_once, 0);
	assert_int_equal(waits_until(&x, x.email, "a@new.example"), 0);
	close_channels(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_fails_together),
		cmocka_unit_test(test_pauses_double),
		cmocka_unit_test(test_at_once),
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_many_destinations),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
