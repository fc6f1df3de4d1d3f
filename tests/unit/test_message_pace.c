/* Messages give way to requests: while a worker is asked and its loop is late, fewer people are in hand; while nobody asks, as many as
 * there may be. Seen failing with FW_BREAK_PACE (however late the loop is). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <event2/event.h>
#include <stdlib.h>

#include "base/clock.h"
#include "message/own.h"

enum { BUSY_EVERY_US = 1000, BUSY_US = 10000, PATIENCE_US = 20000000 };

struct fixture {
	struct fw_messages m;
	uint64_t requests;
	struct event *busy;
	int64_t busy_us;   /* that each turn takes */
	bool asks;
};

static void on_busy(evutil_socket_t fd, short what, void *ctx)
{
	struct fixture *x = ctx;
	const struct timeval again = { 0, BUSY_EVERY_US };
	int64_t until = fw_monotonic_us() + x->busy_us;
	(void)fd;
	(void)what;
	while (fw_monotonic_us() < until)
		;
	x->requests += x->asks;
	fw_pace_allows(&x->m); /* there is always one more who waits */
	x->m.in_hand = x->m.pace.room;
	event_add(x->busy, &again);
}

static struct fixture *open_pace(void)
{
	struct fixture *x = calloc(1, sizeof *x);
	assert_non_null(x);
	x->m.base = event_base_new();
	x->m.options.requests = &x->requests;
	assert_int_equal(fw_pace_init(&x->m), 0);
	x->busy = evtimer_new(x->m.base, on_busy, x);
	on_busy(-1, 0, x);
	return x;
}

static void close_pace(struct fixture *x)
{
	fw_pace_finish(&x->m);
	event_free(x->busy);
	event_base_free(x->m.base);
	free(x);
}

/* Whether so many may be in hand before long; `most`: or fewer. */
static bool comes_to(struct fixture *x, unsigned room, bool most)
{
	int64_t until = fw_monotonic_us() + PATIENCE_US;
	while ((most ? x->m.pace.room > room : x->m.pace.room < room) && fw_monotonic_us() < until)
		event_base_loop(x->m.base, EVLOOP_ONCE);
	return most ? x->m.pace.room <= room : x->m.pace.room >= room;
}

static void test_nobody_asks(void **state)
{
	(void)state;
	struct fixture *x = open_pace();
	x->busy_us = BUSY_US; /* its own work alone */
	assert_true(comes_to(x, FW_LIMIT_MESSAGES_AT_ONCE, false));
	assert_int_equal(x->m.pace.room, FW_LIMIT_MESSAGES_AT_ONCE);
	close_pace(x);
}

static void test_late_while_asked(void **state)
{
	(void)state;
	struct fixture *x = open_pace();
	x->asks = true;
	x->busy_us = BUSY_US;
	assert_true(comes_to(x, 2, true)); /* never none: somebody's message goes on */
	assert_int_equal(x->m.pace.room, 2);
	/* And back, once nobody asks any more. */
	x->asks = false;
	assert_true(comes_to(x, FW_LIMIT_MESSAGES_AT_ONCE, false));
	close_pace(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_nobody_asks), cmocka_unit_test(test_late_while_asked) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
