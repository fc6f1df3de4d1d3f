/* Who asked for a product is told when it is back, once: through logins that make two people one, through what is taken back and
 * through erasures, and also when everybody dies between any two steps of asking and telling. Seen failing with FW_BREAK_ASKED (who was
 * told goes on asking, and is told again) and FW_BREAK_UNASK (whoever is erased stays in the index). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lib_joins.h"
#include "lib_products.h"
#include "lib_rules.h"
#include "people/asked.h"
#include "people/check.h"
#include "people/erase.h"
#include "people/sweep.h"
#include "people/undo.h"

#define HOUR INT64_C(3600000000)

enum { TEXT = 4096 };

static const char feed[] = "{\"id\":\"B-1\",\"title\":\"Trail boot\",\"link\":\"https://shop.example/b-1\",\"price\":\"149 EUR\","
	"\"availability\":\"out_of_stock\"}\n{\"id\":\"B-2\",\"availability\":\"out_of_stock\"}\n";
static const char rules[] = "rule 'back' { channel = 'email', on = 'Product Restocked',\n"
	"  send = function(v) return { product = v.event.product_id } end }";

struct shop {
	struct client c;
	struct products s;
	struct rules r;
	struct fw_triggers *triggers;
	struct fw_due_config due;
	unsigned messages;
};

static void shop_open(struct shop *x, const struct memory_options *options)
{
	memset(x, 0, sizeof *x);
	products_open(&x->s, feed);
	rules_open(&x->r, rules, NULL);
	x->r.set->products = &x->s.products;
	x->triggers = fw_triggers_create(x->r.set);
	x->due = (struct fw_due_config){ .zones = x->r.zones };
	assert_non_null(x->triggers);
	client_init(&x->c, options);
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
	products_finish(&x->s);
}

static void stock(struct shop *x, const char *product, const char *availability)
{
	char body[200];
	snprintf(body, sizeof body, "{\"products\":[{\"id\":\"%s\",\"availability\":\"%s\"}]}", product, availability);
	assert_string_equal(products_tell(&x->s, body, FEED_US + ++x->messages), "1 []");
}

/* Handed in again until it is answered. */
static void hand(struct shop *x, const char *event, const char *ids, const char *product)
{
	struct client *c = &x->c;
	struct request *r = request_create(c, 1);
	char json[600];
	unsigned answered = c->answered, number = ++x->messages;
	snprintf(json, sizeof json, "{\"type\":\"track\",\"event\":\"%s\",\"messageId\":\"m-%u\",%s,"
		"\"properties\":{\"product_id\":\"%s\"}}", event, number, ids, product);
	request_add(r, json, NOON + number * INT64_C(1000000));
	r->events[0].facts = FW_STR("{\"country\":\"US\",\"timezone\":\"America/New_York\",\"device\":\"mobile\",\"event\":{}}");
	hand_in(r);
	joins_wait(c, &c->answered, answered + 1);
	settle_down(c);
	request_destroy(r);
}

static void ask(struct shop *x, const char *ids, const char *product)
{
	hand(x, FW_ASK_REQUESTED, ids, product);
}

/* Whoever does it, and however often it has to be begun. */
static void tell_index(struct shop *x, const char *product, int64_t now_us)
{
	static const bool never = false;
	struct client *c = &x->c;
	struct swept s;
	do {
		s = (struct swept){ 0 };
		fw_asked_tell(c->workers[memory_random(c->memory, WORKERS)], fw_asked_bucket(fw_str(product)), now_us, &never, on_swept,
			&s);
		joins_wait(c, &s.came, 1);
	} while (s.rc < 0);
	deliver_all(c);
}

static void on_erased(void *ctx, int rc, const struct fw_receipt *receipt)
{
	(void)receipt;
	on_swept(ctx, rc);
}

static void erase(struct shop *x, const char *id)
{
	struct fw_person_id who;
	struct swept s;
	assert_int_equal(fw_person_id_parse(&x->c.t.arena, fw_str(id), &who, NULL), 0);
	do {
		s = (struct swept){ 0 };
		fw_people_erase(x->c.workers[0], &who, NOON + HOUR / 2, on_erased, &s);
		joins_wait(&x->c, &s.came, 1);
	} while (s.rc < 0 && s.rc != FW_ENOENT);
	deliver_all(&x->c);
}

/* What waits for the person is sent. */
static void send_waiting(struct shop *x, const char *id)
{
	struct found f = find(&x->c, id);
	struct fw_record *r;
	struct fw_due d;
	struct swept s = { 0 };
	if (!f.person.record.n)
		return;
	assert_int_equal(fw_record_read(&x->c.t.arena, f.person.record, &r, NULL), 0);
	while (fw_record_due(r, 0, &d)) {
		const struct fw_due_outcome o = { NOON + HOUR, d.number, d.rule, d.channel, FW_STR("sent"), { NULL, 0 }, { NULL, 0 } };
		assert_int_equal(fw_record_note_outcome(r, &o), 0);
		fw_record_drop_due(r, d.number);
	}
	struct fw_person_id row = { f.person.row.kind, fw_str(strchr(f.row, ':') + 1) };
	f.person.row = row;
	fw_people_replace(x->c.workers[0], &f.person, r, NULL, 0, on_swept, &s);
	joins_wait(&x->c, &s.came, 1);
	assert_int_equal(s.rc, 0);
}

/* What somebody asks for and what came of it, one line; "" for nobody. */
static void put_person(struct shop *x, const char *id, struct fw_buf *out)
{
	struct found f = find(&x->c, id);
	struct fw_record *r;
	struct fw_ask asked;
	struct fw_due_outcome o;
	struct fw_due d;
	fw_buf_printf(out, "%s", id);
	if (f.person.record.n) {
		assert_int_equal(fw_record_read(&x->c.t.arena, f.person.record, &r, NULL), 0);
		for (unsigned i = 0; fw_record_ask(r, i, &asked); i++)
			fw_buf_printf(out, " asks %.*s", (int)asked.product.n, asked.product.p);
		for (unsigned i = 0; fw_record_due(r, i, &d); i++)
			fw_buf_printf(out, " waits");
		for (unsigned i = 0; fw_record_outcome(r, i, &o); i++)
			fw_buf_printf(out, " %.*s", (int)o.what.n, o.what.p);
	} else {
		fw_buf_printf(out, " nobody");
	}
	fw_buf_putc(out, '\n');
}

/* And the index, whose rows say what leads to whom. */
static void put_index(struct shop *x, struct fw_buf *out)
{
	for (const struct memory_row *row = x->c.memory->rows; row; row = row->next) {
		struct fw_asked asked;
		const struct fw_row as_read = { row->key, row->value, row->version };
		struct fw_error err;
		if (row->key.p[0] != 'B')
			continue;
		assert_int_equal(fw_people_check_row(&x->c.t.arena, row->bucket, &as_read, &err), 0);
		assert_true(fw_asked_read(&as_read, &asked));
		fw_buf_printf(out, "[%.*s]\n", (int)asked.product.n, asked.product.p);
	}
}

static const char *const people[] = { "u-1", "anonymous:d-3", "anonymous:d-4", "anonymous:d-5", "anonymous:d-6" };

enum { PEOPLE = sizeof people / sizeof *people };

static void put_state(struct shop *x, struct fw_buf *out)
{
	for (unsigned i = 0; i < PEOPLE; i++)
		put_person(x, people[i], out);
	put_index(x, out);
}

/* Everybody asks, some take it back, become one, are erased; then one of the products comes back. */
static unsigned run(const struct memory_options *options, char text[TEXT])
{
	struct shop x;
	struct fw_buf b;
	shop_open(&x, options);
	ask(&x, "\"anonymousId\":\"d-1\"", "B-1");
	hand(&x, "Product Viewed", "\"anonymousId\":\"d-1\",\"userId\":\"u-1\"", "B-1");
	ask(&x, "\"anonymousId\":\"d-2\"", "b-1");
	ask(&x, "\"anonymousId\":\"d-2\"", "B-2");
	hand(&x, "Product Viewed", "\"anonymousId\":\"d-2\",\"userId\":\"u-1\"", "B-2"); /* both asked, and are one */
	ask(&x, "\"anonymousId\":\"d-3\"", "B-1");
	hand(&x, FW_ASK_CANCELLED, "\"anonymousId\":\"d-3\"", "B-1");
	ask(&x, "\"anonymousId\":\"d-4\"", "B-2");
	erase(&x, "anonymous:d-4");
	ask(&x, "\"anonymousId\":\"d-5\"", "B-1");
	ask(&x, "\"anonymousId\":\"d-6\"", "B-2");
	tell_index(&x, "b-1", NOON + HOUR); /* nothing is back yet */
	stock(&x, "B-1", "in_stock");
	tell_index(&x, "b-1", NOON + HOUR + 1);
	unsigned applied = x.c.memory->applied;
	x.c.memory->lose_at = 0;
	for (unsigned i = 0; i < PEOPLE; i++)
		send_waiting(&x, people[i]);
	tell_index(&x, "b-1", NOON + 2 * HOUR); /* whoever comes by again finds nobody */
	fw_buf_init(&b, 0);
	put_state(&x, &b);
	assert_true(!b.failed && b.n < TEXT);
	snprintf(text, TEXT, "%.*s", (int)b.n, b.data);
	fw_buf_finish(&b);
	shop_close(&x);
	return applied;
}

static const char expected[] =
	"u-1 asks b-2 sent\n"
	"anonymous:d-3\n"
	"anonymous:d-4 nobody\n"
	"anonymous:d-5 sent\n"
	"anonymous:d-6 asks b-2\n"
	"[b-2]\n[b-2]\n";

static void test_story(void **state)
{
	char text[TEXT];
	(void)state;
	run(&(struct memory_options){ .seed = 1 }, text);
	assert_string_equal(text, expected);
}

static void assert_ends_alike(const struct memory_options *o)
{
	char text[TEXT];
	run(o, text);
	if (strcmp(text, expected) != 0)
		fail_msg("seed %" PRIu64 ", up to %u turns late, commit %u%s, then every %u:\n%s\nnot\n%s", o->seed, o->late_turns,
			o->lose_at, o->dies ? " and everybody dies" : " and its answer is lost", o->lose_every, text, expected);
}

static void test_between_every_two_commits(void **state)
{
	char text[TEXT];
	(void)state;
	unsigned seeds = getenv("FW_LONG") ? 10 : 1;
	for (unsigned seed = 1; seed <= seeds; seed++)
		for (unsigned late = 0; late <= 4; late += 4) {
			struct memory_options o = { .seed = seed, .late_turns = late };
			unsigned n = run(&o, text);
			for (o.lose_at = 1; o.lose_at <= n; o.lose_at++)
				for (int dies = 0; dies < 2; dies++) {
					o.dies = dies;
					assert_ends_alike(&o);
				}
		}
}

static void test_again_and_again(void **state)
{
	(void)state;
	memory_lose_again_and_again(assert_ends_alike);
}

/* The record of who goes by the id. */
static struct fw_record *record_of(struct shop *x, const char *id)
{
	struct found f = find(&x->c, id);
	struct fw_record *r;
	assert_int_equal(fw_record_read(&x->c.t.arena, f.person.record, &r, NULL), 0);
	return r;
}

/* What the message is judged with: the product, and where the person was. */
static void test_what_is_told(void **state)
{
	(void)state;
	struct shop x;
	struct fw_due d;
	char facts[1100];
	shop_open(&x, &(struct memory_options){ .seed = 1 });
	ask(&x, "\"anonymousId\":\"d-1\"", "B-1");
	stock(&x, "B-1", "in_stock");
	tell_index(&x, "b-1", NOON + HOUR);
	assert_true(fw_record_due(record_of(&x, "anonymous:d-1"), 0, &d));
	snprintf(facts, sizeof facts, "%.*s", (int)d.facts.n, d.facts.p);
	assert_string_equal(facts, "{\"country\":\"US\",\"timezone\":\"America/New_York\",\"event\":{\"product_id\":\"B-1\","
		"\"name\":\"Trail boot\","
		"\"url\":\"https://shop.example/b-1\",\"price\":149,\"currency\":\"EUR\",\"requested_at\":\"2026-09-21T14:13:21.000Z\"}}");
	shop_close(&x);
}

/* Of two that come back at once the second waits until the message of the first has gone; what sells out again is left. */
static void test_one_after_the_other(void **state)
{
	(void)state;
	struct shop x;
	struct fw_buf b;
	fw_buf_init(&b, 0);
	shop_open(&x, &(struct memory_options){ .seed = 1 });
	ask(&x, "\"anonymousId\":\"d-5\"", "B-1");
	ask(&x, "\"anonymousId\":\"d-5\"", "B-2");
	stock(&x, "B-1", "in_stock");
	stock(&x, "B-2", "in_stock");
	tell_index(&x, "b-1", NOON + HOUR);
	tell_index(&x, "b-2", NOON + HOUR);
	put_person(&x, "anonymous:d-5", &b);
	send_waiting(&x, "anonymous:d-5");
	stock(&x, "B-2", "out_of_stock");
	tell_index(&x, "b-2", NOON + HOUR + 1);
	put_person(&x, "anonymous:d-5", &b);
	stock(&x, "B-2", "backorder");
	tell_index(&x, "b-2", NOON + HOUR + 2);
	send_waiting(&x, "anonymous:d-5");
	put_person(&x, "anonymous:d-5", &b);
	ask(&x, "\"anonymousId\":\"d-5\"", "B-1"); /* it is there: told at once */
	tell_index(&x, "b-1", NOON + HOUR + 3);
	put_person(&x, "anonymous:d-5", &b);
	put_index(&x, &b);
	assert_string_equal(fw_buf_text(&b), "anonymous:d-5 asks b-2 waits\nanonymous:d-5 asks b-2 sent\nanonymous:d-5 sent sent\n"
		"anonymous:d-5 waits sent sent\n");
	fw_buf_finish(&b);
	shop_close(&x);
}

static void on_undone(void *ctx, int rc)
{
	on_swept(ctx, rc);
}

/* Two who became one and are two again ask for what each of them asked for, but for what they were told of meanwhile. */
static void test_apart_again(void **state)
{
	(void)state;
	struct shop x;
	struct fw_buf b;
	struct swept s = { 0 };
	struct fw_person_id who;
	fw_buf_init(&b, 0);
	shop_open(&x, &(struct memory_options){ .seed = 1 });
	hand(&x, "Product Viewed", "\"anonymousId\":\"d-1\",\"userId\":\"u-1\"", "B-1");
	ask(&x, "\"userId\":\"u-1\"", "B-1");
	ask(&x, "\"anonymousId\":\"d-5\"", "B-1");
	ask(&x, "\"anonymousId\":\"d-5\"", "B-2");
	hand(&x, "Product Viewed", "\"anonymousId\":\"d-5\",\"userId\":\"u-1\"", "B-1");
	put_person(&x, "u-1", &b);
	put_index(&x, &b);
	stock(&x, "B-1", "in_stock");
	tell_index(&x, "b-1", NOON + HOUR);
	send_waiting(&x, "u-1");
	assert_int_equal(fw_person_id_parse(&x.c.t.arena, FW_STR("u-1"), &who, NULL), 0);
	fw_people_unmerge(x.c.workers[0], &who, 0, NOON + HOUR + 1, on_undone, &s);
	joins_wait(&x.c, &s.came, 1);
	assert_int_equal(s.rc, 0);
	settle_down(&x.c);
	put_person(&x, "u-1", &b);
	put_person(&x, "anonymous:d-5", &b);
	put_index(&x, &b);
	assert_string_equal(fw_buf_text(&b), "u-1 asks b-1 asks b-2\n[b-2]\n[b-1]\nu-1 sent\nanonymous:d-5 asks b-2\n[b-2]\n");
	fw_buf_finish(&b);
	shop_close(&x);
}

/* The oldest of too many makes room, in the index as well. */
static void test_too_many(void **state)
{
	(void)state;
	struct shop x;
	struct fw_ask asked;
	char product[16];
	unsigned rows = 0;
	shop_open(&x, &(struct memory_options){ .seed = 1 });
	for (unsigned i = 0; i <= FW_LIMIT_ASKS; i++) {
		snprintf(product, sizeof product, "p-%02u", i);
		ask(&x, "\"anonymousId\":\"d-1\"", product);
	}
	struct fw_record *r = record_of(&x, "anonymous:d-1");
	assert_false(fw_record_find_ask(r, FW_STR("p-00"), &asked));
	assert_true(fw_record_find_ask(r, fw_str(product), &asked));
	assert_false(fw_record_ask(r, FW_LIMIT_ASKS, &asked));
	for (const struct memory_row *row = x.c.memory->rows; row; row = row->next)
		rows += row->key.p[0] == 'B';
	assert_int_equal(rows, FW_LIMIT_ASKS);
	shop_close(&x);
}

static void sweep_shop(struct shop *x, int64_t now_us)
{
	sweep_all(&x->c, &(struct fw_sweep_options){ .anonymous_s = 90 * 86400 }, now_us);
	deliver_all(&x->c);
}

/* Who has waited for longer than anybody does waits no more; and who is forgotten is forgotten by the index. */
static void test_too_old(void **state)
{
	(void)state;
	const int64_t day = 24 * HOUR;
	struct shop x;
	struct fw_buf b;
	fw_buf_init(&b, 0);
	shop_open(&x, &(struct memory_options){ .seed = 1 });
	ask(&x, "\"anonymousId\":\"d-5\"", "B-1");
	ask(&x, "\"userId\":\"u-1\"", "B-2");
	sweep_shop(&x, NOON + 80 * day);
	put_person(&x, "anonymous:d-5", &b);
	sweep_shop(&x, NOON + 100 * day);
	put_person(&x, "anonymous:d-5", &b);
	put_person(&x, "u-1", &b);
	put_index(&x, &b);
	sweep_shop(&x, NOON + 366 * day);
	put_person(&x, "u-1", &b);
	put_index(&x, &b);
	assert_string_equal(fw_buf_text(&b), "anonymous:d-5 asks b-1\nanonymous:d-5 nobody\nu-1 asks b-2\n[b-2]\nu-1\n");
	fw_buf_finish(&b);
	shop_close(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_story),
		cmocka_unit_test(test_what_is_told),
		cmocka_unit_test(test_one_after_the_other),
		cmocka_unit_test(test_apart_again),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_too_old),
		cmocka_unit_test(test_between_every_two_commits),
		cmocka_unit_test(test_again_and_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
