/* What every store promises, asked of each: LMDB with a real keeper, the test store, at once and late, and Redis with a real server
 * or cluster. Leases: seen failing with FW_BREAK_CLOCK (one taken before the clock was set back holds until then). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/limits.h"
#include "lib_redis.h"
#include "lib_store.h"
#include "lib_store_memory.h"

enum kind { LMDB, INTERVAL, MEMORY, MEMORY_LATE, REDIS, REDIS_UNIX, REDIS_TLS, CLUSTER, CLUSTER_REPLICATED };

/* The implementation under test: what opens it. Redis runs for all tests of a group, on data that each begins without. */
struct subject {
	enum kind kind;
	struct fw_store_options options;
	struct redis_server *servers;
	unsigned n;
};

static void flush(const struct subject *subject)
{
	for (unsigned i = 0; i < subject->n; i++) {
		redis_server_pause(&subject->servers[i], false);
		if (redis_says(&subject->servers[i], "INFO replication", "role:master"))
			redis_tell(&subject->servers[i], "FLUSHALL");
	}
}

static struct fw_store *begin(struct store_test *t, void **state)
{
	const struct subject *subject = *state;
	enum kind kind = subject->kind;
	store_test_init(t, kind == INTERVAL ? "interval" : NULL);
	if (kind == LMDB || kind == INTERVAL) {
		store_test_start(t);
		return store_open(t);
	}
	if (subject->n > 0) {
		flush(subject);
		t->options = subject->options;
		return store_open(t);
	}
	struct memory_options options = { .seed = 7, .late_turns = kind == MEMORY_LATE ? 20 : 0 };
	t->memory = true;
	return memory_store_open(t->base, &options);
}

static void end(struct store_test *t, struct fw_store *s)
{
	fw_store_close(s);
	store_test_finish(t);
}

static void test_rows(void **state)
{
	struct store_test t;
	struct fw_store *s = begin(&t, state);
	struct store_outcome o = store_get(&t, s, 5, "a");
	assert_int_equal(o.rc, 0);
	assert_null(o.row.value.p);
	assert_int_equal(o.row.version, FW_VERSION_NONE);

	o = store_put(&t, s, 5, "a", "first", FW_VERSION_NONE);
	assert_int_equal(o.rc, 0);
	assert_true(o.version > 0);
	uint64_t first = o.version;
	o = store_get(&t, s, 5, "a");
	assert_true(fw_str_is(o.row.value, "first"));
	assert_int_equal(o.row.version, first);
	assert_null(store_get(&t, s, 6, "a").row.value.p);

	o = store_put(&t, s, 5, "a", "second", first);
	assert_int_equal(o.rc, 0);
	assert_true(o.version > first);
	assert_int_equal(store_put(&t, s, 5, "a", "third", first).rc, FW_ECONFLICT);
	assert_int_equal(store_put(&t, s, 5, "a", "third", FW_VERSION_NONE).rc, FW_ECONFLICT);
	assert_true(fw_str_is(store_get(&t, s, 5, "a").row.value, "second"));
	assert_int_equal(store_put(&t, s, 5, "a", "", FW_VERSION_ANY).rc, 0);
	o = store_get(&t, s, 5, "a");
	assert_non_null(o.row.value.p);
	assert_int_equal(o.row.value.n, 0);

	const struct fw_store_counters *c = fw_store_counters(s);
	assert_int_equal(c->gets, 5);
	assert_int_equal(c->found, 3);
	assert_int_equal(c->batches, 5);
	assert_int_equal(c->conflicts, 2);
	assert_int_equal(c->rows_written, 3);
	end(&t, s);
}

static void test_deleting(void **state)
{
	struct store_test t;
	struct fw_store *s = begin(&t, state);
	uint64_t version = store_put(&t, s, 0, "k", "v", FW_VERSION_NONE).version;
	struct fw_change wrong = { FW_CHANGE_DELETE, FW_STR("k"), { 0 }, version + 1 }, right =
		{ FW_CHANGE_DELETE, FW_STR("k"), { 0 }, version };
	struct fw_change any = { FW_CHANGE_DELETE, FW_STR("k"), { 0 }, FW_VERSION_ANY };
	assert_int_equal(store_commit(&t, s, 0, &wrong, 1).rc, FW_ECONFLICT);
	assert_int_equal(store_commit(&t, s, 0, &right, 1).rc, 0);
	assert_null(store_get(&t, s, 0, "k").row.value.p);
	assert_int_equal(store_commit(&t, s, 0, &any, 1).rc, 0);
	/* A row that comes back has a version nobody has seen. */
	assert_true(store_put(&t, s, 0, "k", "v", FW_VERSION_NONE).version > version);
	end(&t, s);
}

static void test_batches_are_whole(void **state)
{
	struct store_test t;
	struct fw_store *s = begin(&t, state);
	uint64_t version = store_put(&t, s, 9, "guard", "1", FW_VERSION_NONE).version;
	struct fw_change changes[] = {
		{ FW_CHANGE_PUT, FW_STR("x"), FW_STR("1"), FW_VERSION_NONE },
		{ FW_CHANGE_EXPECT, FW_STR("guard"), { 0 }, version + 5 },
		{ FW_CHANGE_PUT, FW_STR("y"), FW_STR("2"), FW_VERSION_NONE },
	};
	assert_int_equal(store_commit(&t, s, 9, changes, 3).rc, FW_ECONFLICT);
	assert_null(store_get(&t, s, 9, "x").row.value.p);
	assert_null(store_get(&t, s, 9, "y").row.value.p);
	changes[1].expected = version;
	struct store_outcome o = store_commit(&t, s, 9, changes, 3);
	assert_int_equal(o.rc, 0);
	assert_int_equal(store_get(&t, s, 9, "x").row.version, o.version);
	assert_int_equal(store_get(&t, s, 9, "y").row.version, o.version);
	assert_int_equal(store_get(&t, s, 9, "guard").row.version, version);
	/* A comparison that there is nothing, alone. */
	struct fw_change nothing = { FW_CHANGE_EXPECT, FW_STR("z"), { 0 }, FW_VERSION_NONE };
	assert_int_equal(store_commit(&t, s, 9, &nothing, 1).rc, 0);
	end(&t, s);
}

struct order;

struct ordered {
	struct order *order;
	unsigned n;
	int rc;
};

struct order {
	unsigned came;
	struct ordered batches[100];
	unsigned at[100];
};

static void on_ordered(void *ctx, int rc, uint64_t version)
{
	struct ordered *b = ctx;
	(void)version;
	b->rc = rc;
	b->order->at[b->order->came++] = b->n;
}

/* So many rows are numbered behind `after`, one after the other, and the last number is what the counter says. */
static uint64_t check_numbered(struct store_test *t, struct fw_store *s, uint64_t after, unsigned n)
{
	char from[1 + FW_STORE_NUMBER] = "q";
	fw_store_put_count(from + 1, after);
	struct store_outcome o = store_scan(t, s, 11, "q", (struct fw_str){ from, sizeof from }, 100);
	assert_int_equal(o.n, n);
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(o.rows[i].key.n, sizeof from);
		uint64_t number = fw_store_count_of((struct fw_str){ o.rows[i].key.p + 1, FW_STORE_NUMBER });
		assert_true(number > after);
		after = number;
	}
	assert_true(fw_store_count_of(store_get(t, s, 11, "n").row.value) == after);
	return after;
}

/* Batches that know nothing of each other get numbers one after the other, in the order in which they are applied. */
static void test_numbers(void **state)
{
	struct store_test t;
	struct fw_store *s = begin(&t, state);
	uint64_t version = store_put(&t, s, 11, "guard", "1", FW_VERSION_NONE).version;
	struct fw_change changes[] = {
		{ FW_CHANGE_COUNT, FW_STR("n"), { 0 }, FW_VERSION_ANY },
		{ FW_CHANGE_APPEND, FW_STR("q"), FW_STR("one"), FW_VERSION_ANY },
		{ FW_CHANGE_EXPECT, FW_STR("guard"), { 0 }, version },
		{ FW_CHANGE_APPEND, FW_STR("q"), FW_STR("two"), FW_VERSION_ANY },
	};
	struct store_outcome o = store_commit(&t, s, 11, changes, 4);
	assert_int_equal(o.rc, 0);
	uint64_t last = check_numbered(&t, s, 0, 2);
	assert_int_equal(store_get(&t, s, 11, "n").row.version, o.version);
	struct store_outcome rows = store_scan(&t, s, 11, "q", (struct fw_str){ 0 }, 100);
	assert_true(fw_str_is(rows.rows[0].value, "one") && fw_str_is(rows.rows[1].value, "two"));
	assert_int_equal(rows.rows[1].version, o.version);

	/* One that is refused takes no number; many at once take one each, in the order of the calls. */
	changes[2].expected = version + 1;
	assert_int_equal(store_commit(&t, s, 11, changes, 4).rc, FW_ECONFLICT);
	assert_true(fw_store_count_of(store_get(&t, s, 11, "n").row.value) == last);
	struct order order = { 0 };
	char value[8];
	for (unsigned i = 0; i < 40; i++) {
		snprintf(value, sizeof value, "%u", i);
		changes[1].value = fw_str(value);
		struct fw_batch b = { 11, changes, 2 };
		order.batches[i] = (struct ordered){ &order, i, 1 };
		assert_int_equal(fw_store_commit(s, &b, on_ordered, &order.batches[i]), 0);
	}
	store_wait(&t, &order.came, 40);
	uint64_t before = last;
	last = check_numbered(&t, s, before, 40);
	rows = store_scan(&t, s, 11, "q", (struct fw_str){ 0 }, 100);
	for (unsigned i = 0; i < 40; i++) {
		snprintf(value, sizeof value, "%u", i);
		assert_true(fw_str_is(rows.rows[2 + i].value, value));
	}

	/* What was deleted is not numbered again. */
	char key[1 + FW_STORE_NUMBER] = "q";
	fw_store_put_count(key + 1, last);
	struct fw_change gone = { FW_CHANGE_DELETE, { key, sizeof key }, { 0 }, FW_VERSION_ANY };
	assert_int_equal(store_commit(&t, s, 11, &gone, 1).rc, 0);
	assert_int_equal(store_commit(&t, s, 11, changes, 2).rc, 0);
	check_numbered(&t, s, last, 1);
	end(&t, s);
}

static void test_numbers_are_asked_for_well(void **state)
{
	struct store_test t;
	struct fw_store *s = begin(&t, state);
	static char big[FW_LIMIT_STORE_KEY_BYTES];
	memset(big, 'k', sizeof big);
	const struct fw_change count = { FW_CHANGE_COUNT, FW_STR("n"), { 0 }, FW_VERSION_ANY };
	const struct fw_change append = { FW_CHANGE_APPEND, FW_STR("q"), FW_STR("v"), FW_VERSION_ANY };
	struct fw_change pair[] = { append, count };
	assert_int_equal(store_commit(&t, s, 11, pair, 2).rc, FW_EINVAL);
	pair[0] = count;
	assert_int_equal(store_commit(&t, s, 11, pair, 2).rc, FW_EINVAL);
	pair[1] = append;
	pair[1].expected = FW_VERSION_NONE;
	assert_int_equal(store_commit(&t, s, 11, pair, 2).rc, FW_EINVAL);
	pair[1] = append;
	pair[1].key = (struct fw_str){ big, sizeof big - FW_STORE_NUMBER + 1 };
	assert_int_equal(store_commit(&t, s, 11, pair, 2).rc, FW_EINVAL);
	pair[1].key.n--;
	assert_int_equal(store_commit(&t, s, 11, pair, 2).rc, 0);
	end(&t, s);
}

static void test_scans(void **state)
{
	struct store_test t;
	struct fw_store *s = begin(&t, state);
	static const char *const keys[] = { "d:2", "d:1", "d:3", "c", "e", "d", "d:10" };
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		assert_int_equal(store_put(&t, s, 77, keys[i], keys[i], FW_VERSION_NONE).rc, 0);
	assert_int_equal(store_put(&t, s, 76, "d:0", "other bucket", FW_VERSION_NONE).rc, 0);
	assert_int_equal(store_put(&t, s, 78, "d:0", "other bucket", FW_VERSION_NONE).rc, 0);
	struct store_outcome o = store_scan(&t, s, 77, "d:", (struct fw_str){ 0 }, 100);
	assert_int_equal(o.rc, 0);
	assert_int_equal(o.n, 4);
	assert_false(o.more);
	assert_true(fw_str_is(o.rows[0].key, "d:1"));
	assert_true(fw_str_is(o.rows[1].key, "d:10"));
	assert_true(fw_str_is(o.rows[3].value, "d:3"));
	assert_true(o.rows[3].version > 0);
	o = store_scan(&t, s, 77, "d:", FW_STR("d:1"), 2);
	assert_int_equal(o.n, 2);
	assert_true(o.more);
	assert_true(fw_str_is(o.rows[0].key, "d:10"));
	assert_true(fw_str_is(o.rows[1].key, "d:2"));
	o = store_scan(&t, s, 77, "d:", FW_STR("d:2"), 1);
	assert_int_equal(o.n, 1);
	assert_false(o.more);
	assert_int_equal(store_scan(&t, s, 77, "", (struct fw_str){ 0 }, 100).n, 7);
	assert_int_equal(store_scan(&t, s, 77, "d:", FW_STR("a"), 100).n, 4);
	assert_int_equal(store_scan(&t, s, 77, "d:", FW_STR("z"), 100).n, 0);
	assert_int_equal(store_scan(&t, s, 500, "", (struct fw_str){ 0 }, 100).n, 0);
	end(&t, s);
}

static void test_refusals_at_once(void **state)
{
	struct store_test t;
	struct fw_store *s = begin(&t, state);
	static char big[FW_LIMIT_STORE_VALUE_BYTES + 1];
	memset(big, 'v', sizeof big);
	struct fw_change c = { FW_CHANGE_PUT, { big, FW_LIMIT_STORE_KEY_BYTES + 1 }, FW_STR("v"), FW_VERSION_ANY };
	assert_int_equal(store_commit(&t, s, 1, &c, 1).rc, FW_ELIMIT);
	c.key.n = FW_LIMIT_STORE_KEY_BYTES;
	c.value = (struct fw_str){ big, sizeof big };
	assert_int_equal(store_commit(&t, s, 1, &c, 1).rc, FW_ELIMIT);
	c.value.n--;
	assert_int_equal(store_commit(&t, s, 1, &c, 1).rc, 0);
	struct store_outcome o = { 0 };
	fw_store_get(s, 1, c.key, &t.arena, store_on_got, &o);
	store_wait(&t, &o.came, 1);
	assert_int_equal(o.row.value.n, FW_LIMIT_STORE_VALUE_BYTES);
	c.key.n = 0;
	assert_int_equal(store_commit(&t, s, 1, &c, 1).rc, FW_EINVAL);
	c.key = FW_STR("\xff" "own");
	assert_int_equal(store_commit(&t, s, 1, &c, 1).rc, FW_EINVAL);
	c.key = FW_STR("k");
	assert_int_equal(store_commit(&t, s, FW_STORE_BUCKETS, &c, 1).rc, FW_EINVAL);
	assert_int_equal(store_commit(&t, s, 1, &c, 0).rc, FW_ELIMIT);
	end(&t, s);
}

/* Batches of a handle on one bucket are applied in the order of the calls, however late each completes. */
static void test_order(void **state)
{
	struct store_test t;
	struct fw_store *s = begin(&t, state);
	struct order o = { 0 };
	char value[16];
	for (unsigned i = 0; i < 100; i++) {
		o.batches[i] = (struct ordered){ &o, i, 1 };
		snprintf(value, sizeof value, "%u", i);
		struct fw_change c = { FW_CHANGE_PUT, i % 2 ? FW_STR("odd") : FW_STR("even"), fw_str(value), FW_VERSION_ANY };
		struct fw_batch b = { i % 3, &c, 1 };
		assert_int_equal(fw_store_commit(s, &b, on_ordered, &o.batches[i]), 0);
		assert_int_equal(o.came, 0);
	}
	struct fw_store_health health;
	fw_store_health(s, &health);
	assert_int_equal(health.waiting, 100);
	store_wait(&t, &o.came, 100);
	for (unsigned bucket = 0; bucket < 3; bucket++) {
		unsigned last = 0;
		for (unsigned i = 0; i < 100; i++) {
			assert_int_equal(o.batches[i].rc, 0);
			if (o.at[i] % 3 != bucket)
				continue;
			assert_true(o.at[i] >= last);
			last = o.at[i];
		}
	}
	assert_true(fw_str_is(store_get(&t, s, 0, "odd").row.value, "99"));
	assert_true(fw_str_is(store_get(&t, s, 2, "even").row.value, "98"));
	fw_store_health(s, &health);
	assert_int_equal(health.waiting, 0);
	end(&t, s);
}

struct notices {
	unsigned came;
	uint32_t bucket;
	char key[32];
	size_t key_bytes;
	uint64_t version;
};

static void on_changed(void *ctx, uint32_t bucket, struct fw_str key, uint64_t version)
{
	struct notices *n = ctx;
	n->came++;
	n->bucket = bucket;
	n->version = version;
	n->key_bytes = key.n;
	snprintf(n->key, sizeof n->key, "%.*s", (int)key.n, key.p ? key.p : "");
}

static void test_notices(void **state)
{
	struct store_test t;
	struct fw_store *s = begin(&t, state);
	struct notices n = { 0 };
	assert_int_equal(store_put(&t, s, 3, "before", "v", FW_VERSION_ANY).rc, 0);
	assert_int_equal(fw_store_watch(s, on_changed, &n), 0);
	unsigned told = ((const struct subject *)*state)->n > 0; /* over a network it is told when watching has begun, on every primary */
	if (told) {
		told = ((const struct subject *)*state)->n > 1 ? 3 : 1;
		store_wait(&t, &n.came, told);
		assert_string_equal(n.key, "");
		n.came = 0;
	}
	/* Another one, which leaves again. */
	struct notices other = { 0 };
	assert_int_equal(fw_store_watch(s, on_changed, &other), 0);
	struct store_outcome o = store_put(&t, s, 3, "after", "v", FW_VERSION_ANY);
	store_wait(&t, &n.came, 1);
	assert_int_equal(n.came, 1);
	store_wait(&t, &other.came, 1);
	assert_string_equal(other.key, "after");
	assert_int_equal(fw_store_watch(s, NULL, &other), 0);
	assert_int_equal(n.bucket, 3);
	assert_string_equal(n.key, "after");
	assert_int_equal(n.version, o.version);
	struct fw_change gone = { FW_CHANGE_DELETE, FW_STR("after"), { 0 }, FW_VERSION_ANY };
	store_commit(&t, s, 3, &gone, 1);
	store_wait(&t, &n.came, 2);
	assert_int_equal(n.version, FW_VERSION_NONE);
	/* A row that was appended is told by its whole key. */
	const struct fw_change numbered[] = { { FW_CHANGE_COUNT, FW_STR("n"), { 0 }, FW_VERSION_ANY },
		{ FW_CHANGE_APPEND, FW_STR("appended"), FW_STR("v"), FW_VERSION_ANY } };
	o = store_commit(&t, s, 3, numbered, 2);
	store_wait(&t, &n.came, 4);
	assert_string_equal(n.key, "appended");
	assert_int_equal(n.key_bytes, 8 + FW_STORE_NUMBER);
	assert_int_equal(n.version, o.version);
	/* A conflict and a comparison change nothing. */
	store_put(&t, s, 3, "after", "v", 12345);
	assert_int_equal(fw_store_watch(s, NULL, &n), 0);
	store_put(&t, s, 3, "unheard", "v", FW_VERSION_ANY);
	assert_int_equal(n.came, 4);
	assert_int_equal(other.came, 1);
	assert_int_equal(fw_store_counters(s)->notices, 4 + told);
	end(&t, s);
}

static void test_leases(void **state)
{
	struct store_test t;
	struct fw_store *s = begin(&t, state);
	struct store_outcome o = { 0 };
	assert_int_equal(fw_store_lease(s, "sweep", 60000, store_on_leased, &o), 0);
	store_wait(&t, &o.came, 1);
	assert_int_equal(o.rc, 0);
	/* One's own is prolonged. */
	assert_int_equal(fw_store_lease(s, "sweep", 60000, store_on_leased, &o), 0);
	store_wait(&t, &o.came, 2);
	assert_int_equal(o.rc, 0);
	/* Another handle is another holder. */
	uint64_t own = s->id;
	s->id ^= 1;
	assert_int_equal(fw_store_lease(s, "sweep", 60000, store_on_leased, &o), 0);
	store_wait(&t, &o.came, 3);
	assert_int_equal(o.rc, FW_EBUSY);
	assert_int_equal(fw_store_release(s, "sweep", store_on_leased, &o), 0);
	store_wait(&t, &o.came, 4);
	assert_int_equal(o.rc, 0);
	assert_int_equal(fw_store_lease(s, "sweep", 60000, store_on_leased, &o), 0);
	store_wait(&t, &o.came, 5);
	assert_int_equal(o.rc, FW_EBUSY);
	s->id = own;
	/* Once it is given back, the next one has it. */
	assert_int_equal(fw_store_release(s, "sweep", store_on_leased, &o), 0);
	store_wait(&t, &o.came, 6);
	assert_int_equal(o.rc, 0);
	s->id ^= 1;
	assert_int_equal(fw_store_lease(s, "sweep", 1, store_on_leased, &o), 0);
	store_wait(&t, &o.came, 7);
	assert_int_equal(o.rc, 0);
	s->id = own;
	/* A millisecond is over at some time. */
	for (o.rc = FW_EBUSY; o.rc == FW_EBUSY;) {
		unsigned came = o.came;
		assert_int_equal(fw_store_lease(s, "sweep", 60000, store_on_leased, &o), 0);
		store_wait(&t, &o.came, came + 1);
	}
	assert_int_equal(o.rc, 0);
	/* One that lasts longer than any of its name was taken before the clock was set back. */
	s->id ^= 1;
	unsigned came = o.came;
	assert_int_equal(fw_store_lease(s, "sweep", 1000, store_on_leased, &o), 0);
	store_wait(&t, &o.came, came + 1);
	assert_int_equal(o.rc, 0);
	end(&t, s);
}

static void on_scrubbed(void *ctx, int rc)
{
	struct store_outcome *o = ctx;
	o->rc = rc;
	o->came++;
}

/* What was deleted is gone, and nothing else; several ask at once. test_store_scrub.c looks into LMDB's file. */
static void test_scrubs(void **state)
{
	struct store_test t;
	struct fw_store *s = begin(&t, state);
	struct store_outcome o = { 0 };
	struct fw_change gone = { FW_CHANGE_DELETE, FW_STR("b"), { 0 }, FW_VERSION_ANY };
	assert_int_equal(fw_store_scrub(s, on_scrubbed, &o), 0);
	store_wait(&t, &o.came, 1);
	assert_int_equal(o.rc, 0); /* of nothing */
	assert_int_equal(store_put(&t, s, 3, "a", "stays", FW_VERSION_NONE).rc, 0);
	assert_int_equal(store_put(&t, s, 3, "b", "goes", FW_VERSION_NONE).rc, 0);
	assert_int_equal(store_commit(&t, s, 3, &gone, 1).rc, 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(fw_store_scrub(s, on_scrubbed, &o), 0);
	assert_int_equal(o.came, 1); /* never before the call returns */
	store_wait(&t, &o.came, 6);
	assert_int_equal(o.rc, 0);
	assert_true(fw_str_is(store_get(&t, s, 3, "a").row.value, "stays"));
	assert_null(store_get(&t, s, 3, "b").row.value.p);
	end(&t, s);
}

static void test_closing_gives_up(void **state)
{
	struct store_test t;
	struct fw_store *s = begin(&t, state);
	struct store_outcome o[3] = { { 0 } };
	assert_int_equal(store_put(&t, s, 1, "k", "v", FW_VERSION_ANY).rc, 0);
	const struct subject *subject = *state;
	if (t.memory)
		memory_store_set_away(s, true);
	else if (t.keeper > 0)
		kill(t.keeper, SIGSTOP);
	for (unsigned i = 0; i < subject->n; i++)
		redis_server_pause(&subject->servers[i], true);
	for (int i = 0; i < 3; i++) {
		struct fw_change c = { FW_CHANGE_PUT, FW_STR("k"), FW_STR("w"), FW_VERSION_ANY };
		struct fw_batch b = { 1, &c, 1 };
		assert_int_equal(fw_store_commit(s, &b, store_on_committed, &o[i]), 0);
	}
	struct store_outcome scrubbed = { 0 };
	assert_int_equal(fw_store_scrub(s, on_scrubbed, &scrubbed), 0);
	fw_store_close(s);
	assert_int_equal(scrubbed.came, 1);
	assert_int_equal(scrubbed.rc, FW_EAWAY);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(o[i].came, 1);
		assert_int_equal(o[i].rc, FW_EAWAY);
	}
	store_test_finish(&t);
}

static int run(const char *name, struct subject subject)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(test_rows, &subject),
		cmocka_unit_test_prestate(test_deleting, &subject),
		cmocka_unit_test_prestate(test_batches_are_whole, &subject),
		cmocka_unit_test_prestate(test_numbers, &subject),
		cmocka_unit_test_prestate(test_numbers_are_asked_for_well, &subject),
		cmocka_unit_test_prestate(test_scans, &subject),
		cmocka_unit_test_prestate(test_refusals_at_once, &subject),
		cmocka_unit_test_prestate(test_order, &subject),
		cmocka_unit_test_prestate(test_notices, &subject),
		cmocka_unit_test_prestate(test_leases, &subject),
		cmocka_unit_test_prestate(test_scrubs, &subject),
		cmocka_unit_test_prestate(test_closing_gives_up, &subject),
	};
	return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

/* One server, spoken to in three ways. */
static int run_servers(const char *folder)
{
	static const struct {
		enum kind kind;
		const char *name;
		bool password, secure;
	} ways[] = { { REDIS, "redis", true, false }, { REDIS_UNIX, "redis-unix", false, false }, { REDIS_TLS, "redis-tls", true, true } };
	int failed = 0;
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		struct redis_options options = { .password = ways[i].password ? "pass:w@rd/" : NULL,
			.certificates = ways[i].secure ? folder : NULL };
		struct redis_server server;
		char url[4 * TEMPORARY_PATH];
		redis_server_init(&server, folder, ways[i].name, &options);
		redis_server_start(&server);
		if (ways[i].kind == REDIS)
			snprintf(url, sizeof url, "redis://:pass%%3Aw%%40rd%%2F@127.0.0.1:%d/3", server.port);
		else if (ways[i].kind == REDIS_UNIX)
			snprintf(url, sizeof url, "redis+unix:%s?db=2", server.socket);
		else
			snprintf(url, sizeof url, "rediss://shop:pass%%3Aw%%40rd%%2F@127.0.0.1:%d?ca=%s/ca.crt", server.port, folder);
		failed += run(ways[i].name, (struct subject){ ways[i].kind, { .url = url }, &server, 1 });
		redis_server_finish(&server);
	}
	return failed;
}

/* One cluster, for two promises. */
static int run_cluster(const char *folder)
{
	struct redis_options options = { .password = "secret" };
	struct redis_cluster cluster;
	char url[2 * TEMPORARY_PATH];
	redis_cluster_start(&cluster, folder, &options);
	snprintf(url, sizeof url, "redis-cluster://shop:secret@127.0.0.1:%d,127.0.0.1:%d", cluster.nodes[4].port, cluster.nodes[1].port);
	int failed = run("cluster", (struct subject){ CLUSTER, { .url = url, .durability = "server" }, cluster.nodes, cluster.n }) +
		run("cluster, replicated", (struct subject){ CLUSTER_REPLICATED, { .url = url, .durability = "replicated" }, cluster.nodes,
			cluster.n });
	redis_cluster_finish(&cluster);
	return failed;
}

int main(void)
{
	char folder[TEMPORARY_PATH];
	temporary_folder(folder);
	redis_certificates(folder);
	int failed = run("lmdb", (struct subject){ .kind = LMDB }) + run("interval", (struct subject){ .kind = INTERVAL }) +
		run("memory", (struct subject){ .kind = MEMORY }) +
			run("memory, late", (struct subject){ .kind = MEMORY_LATE }) + run_servers(folder) +
		run_cluster(folder);
	store_remove(folder);
	return failed;
}
