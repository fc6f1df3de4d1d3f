/* A message whose product sells out: while it waits it is written without it; after it was claimed, its channel does not get it.
 *
 * A table's `send` is parsed once, when the rules are loaded: what was taken out of its lists when it was judged came back when it was
 * written. And between the claim, which the store has to confirm, and its channel a product may sell out. Seen failing with FW_BREAK_STOCK
 * (what is sold out is shown, and sent). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <event2/event.h>

#include "base/clock.h"
#include "decide/stock.h"
#include "lib_products.h"
#include "lib_rules.h"
#include "message/compose.h"
#include "message/own.h"

static const char feed[] = "{\"id\":\"B-7\",\"availability\":\"in_stock\"}\n{\"id\":\"L-1\",\"availability\":\"in_stock\"}\n";

static const char text[] =
	"rule 'table' { channel = 'log', on = 'X', class = 'service',\n"
	"  send = { products = { 'L-1', 'B-7' }, text = 'For {{traits.name}}', about = 'boots' } }\n";

struct shop {
	struct products s;
	struct rules r;
	struct fw_templates *templates;
	struct fw_due_item item;
};

static void open_shop(struct shop *x)
{
	products_open(&x->s, feed);
	rules_open(&x->r, text, NULL);
	assert_int_equal(fw_templates_open(x->r.set, &x->r.errors, &x->templates), 0);
	assert_int_equal(rules_visit(&x->r, "{\"traits\":{\"name\":\"Ada\"},\"consent\":[\"log\"]}"), 0);
	x->r.facts.products = &x->s.products;
}

static void close_shop(struct shop *x)
{
	rules_finish(&x->r);
	products_finish(&x->s);
}

/* What is sold out at this moment is taken out, and the rest is written. */
static struct fw_str write(struct shop *x)
{
	const struct fw_to_compose what = { .set = x->r.set, .templates = x->templates, .rule = 0, .facts = &x->r.facts, .id = "m1" };
	struct fw_to_compose now = what;
	enum fw_stock stock;
	struct fw_str written;
	struct fw_error err;
	now.content = x->r.set->rules[0].show.json;
	assert_int_equal(fw_stock_look(&x->r.facts, now.content, &x->r.arena, &stock, &now.content), 0);
	assert_int_not_equal(stock, FW_STOCK_SOLD_OUT);
	assert_int_equal(fw_compose(&now, &x->r.arena, &written, &err), 0);
	return written;
}

static void test_written(void **state)
{
	(void)state;
	struct shop x;
	open_shop(&x);
	assert_true(fw_str_is(write(&x), "{\"about\":\"boots\",\"products\":[\"L-1\",\"B-7\"],\"text\":\"For Ada\"}"));
	products_tell(&x.s, "{\"products\":[{\"id\":\"L-1\",\"availability\":\"out_of_stock\"}]}", FEED_US + 1);
	struct fw_str written = write(&x);
	if (!fw_str_is(written, "{\"about\":\"boots\",\"products\":[\"B-7\"],\"text\":\"For Ada\"}"))
		fail_msg("%.*s", (int)written.n, written.p);
	close_shop(&x);
}

static unsigned handed, put_off;

static enum fw_channel_outcome take(void *ctx, const struct fw_channel_message *m, char *reason, size_t size)
{
	(void)ctx;
	(void)m;
	(void)reason;
	(void)size;
	handed++;
	return FW_CHANNEL_PENDING;
}

/* What came of it is to be written: the test needs to know no more. */
void __wrap_fw_people_load_row(struct fw_people *p, const struct fw_person_id *row, struct fw_arena *arena, fw_people_loaded done,
	void *ctx);
void __wrap_fw_people_load_row(struct fw_people *p, const struct fw_person_id *row, struct fw_arena *arena, fw_people_loaded done,
	void *ctx)
{
	const struct fw_delivering *d = ctx;
	(void)p;
	(void)row;
	(void)arena;
	(void)done;
	put_off += d->outcome == FW_CHANNEL_RETRY && strstr(d->reason, "sold out");
}

static void test_handed_over(void **state)
{
	(void)state;
	static const char key[] = "visitor";
	struct fw_channel channel = { .name = "log", .deliver = take, .most = 10 };
	struct shop x;
	open_shop(&x);
	const struct fw_due_config due = { .delivery_ms = FW_LIMIT_DELIVERY_MS };
	const struct fw_messages_options options = { .decider = &x.r.decider, .due = &due, .channels = &channel, .n_channels = 1 };
	struct event_base *base = event_base_new();
	struct fw_messages *m = fw_messages_create(base, &options);
	assert_non_null(m);
	struct fw_attempt attempt = { .messages = m, .person.row = { FW_PERSON_ANONYMOUS, FW_STR(key) } };
	attempt.record = fw_record_new(&x.r.arena, FW_STR(key));
	for (unsigned i = 0; i < 2; i++) {
		struct fw_due_item item = { .due = { .number = 7 + i, .channel = FW_STR("log"), .attempts = 1 },
			.address = FW_STR("visitor"), .content = write(&x), .facts = x.r.facts };
		item.due.due_us = fw_now_us() + due.delivery_ms * 1000;
		struct fw_going going = { .attempt = &attempt, .item = &item, .id = "m1" };
		going.place = fw_channel_take(fw_channel_find(m, FW_STR("log")), item.address, fw_clock_steady_us());
		if (i == 1) /* it was written and claimed before */
			products_tell(&x.s, "{\"products\":[{\"id\":\"L-1\",\"availability\":\"out_of_stock\"}]}", FEED_US + 1);
		fw_deliver(m, &going);
		assert_int_equal(handed, 1);
		assert_int_equal(put_off, i);
	}
	fw_messages_destroy(m);
	event_base_free(base);
	close_shop(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_written), cmocka_unit_test(test_handed_over) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
