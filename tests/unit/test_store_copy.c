/* Copying a store into another while it changes. Seeded. Seen failing on a build with -DFW_BREAK_COPY_NOTICES: what changes is not
 * followed, and is found different by a check. */
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
#include "store/copy.h"
#include "store/lmdb.h"

enum { KEYS = 400, FEW_BUCKETS = 37 };

enum kind { MEMORY, MEMORY_LATE, LMDB, REDIS, CLUSTER };

/* A source and a destination on one loop, and a copy between them. */
struct pair {
	struct store_test from_test, to_test;
	struct event_base *base;
	struct fw_store *from, *to;
	struct fw_copy *copy;
	struct fw_arena arena;
	uint64_t random;
	unsigned put, outcomes; /* changes of the source, begun and done */
};

/* What the tests have in common: a Redis, a cluster, and the pair that one of them has begun, which ends with it however it goes. A test
 * that failed once left it all behind, and what was told of that hid why it had failed. */
struct servers {
	struct redis_server redis;
	struct redis_cluster cluster;
	char redis_url[TEMPORARY_PATH], cluster_url[TEMPORARY_PATH];
	struct pair pair;
};

static struct servers *the_servers(void **state)
{
	return *state;
}

static struct fw_store *open_kind(struct pair *p, struct store_test *t, enum kind kind, struct servers *servers, uint64_t seed)
{
	store_test_init(t, NULL);
	event_base_free(t->base);
	t->base = p->base;
	if (kind == LMDB) {
		store_test_start(t);
	} else if (kind == REDIS || kind == CLUSTER) {
		t->options = (struct fw_store_options){ .url = kind == REDIS ? servers->redis_url : servers->cluster_url,
			.durability = "server" };
		for (unsigned i = 0; i < (kind == REDIS ? 1 : servers->cluster.n); i++) {
			struct redis_server *r = kind == REDIS ? &servers->redis : &servers->cluster.nodes[i];
			if (redis_says(r, "INFO replication", "role:master"))
				redis_tell(r, "FLUSHALL");
		}
	} else {
		struct memory_options options = { .seed = seed, .late_turns = kind == MEMORY_LATE ? 12 : 0,
			.busy_percent = kind == MEMORY_LATE ? 10 : 0 };
		t->memory = true;
		return memory_store_open(t->base, &options);
	}
	return store_open(t);
}

static struct pair *begin(void **state, enum kind from, enum kind to, uint64_t seed)
{
	struct servers *servers = the_servers(state);
	struct pair *p = &servers->pair;
	*p = (struct pair){ .base = event_base_new(), .random = seed * UINT64_C(0x9e3779b97f4a7c15) | 1 };
	fw_arena_init(&p->arena, NULL, 0, 0);
	p->from = open_kind(p, &p->from_test, from, servers, seed + 1);
	p->to = open_kind(p, &p->to_test, to, servers, seed + 2);
	return p;
}

static void close_test(struct store_test *t)
{
	t->base = event_base_new(); /* the one it frees */
	store_test_finish(t);
}

static void end_copy(struct pair *p)
{
	fw_copy_end(p->copy);
	fw_store_close(p->from);
	fw_store_close(p->to);
	fw_copy_destroy(p->copy);
	p->copy = NULL;
	p->from = p->to = NULL;
}

static void end(struct pair *p)
{
	end_copy(p);
	close_test(&p->from_test);
	close_test(&p->to_test);
	event_base_free(p->base);
	fw_arena_finish(&p->arena);
	p->base = NULL;
}

static int end_anyway(void **state)
{
	if (the_servers(state)->pair.base)
		end(&the_servers(state)->pair);
	return 0;
}

static uint64_t draw(struct pair *p, uint64_t below)
{
	p->random ^= p->random >> 12;
	p->random ^= p->random << 25;
	p->random ^= p->random >> 27;
	return (p->random * UINT64_C(0x2545f4914f6cdd1d) >> 11) % below;
}

static void on_put(void *ctx, int rc, uint64_t version)
{
	struct pair *p = ctx;
	(void)version;
	assert_true(rc == 0 || rc == FW_EAWAY); /* a Redis on a busy machine is late */
	p->outcomes++;
}

/* One row of the source gets another value, or goes. The few first ones far more often than others. */
static void change_one(struct pair *p)
{
	char key[40];
	static char value[20000];
	unsigned n = (unsigned)(draw(p, KEYS) * draw(p, KEYS) / KEYS);
	size_t size = draw(p, 20) == 0 ? draw(p, sizeof value) : draw(p, 60);
	snprintf(key, sizeof key, "%c-%u", n % 3 ? 'k' : '\x01', n);
	memset(value, 'a' + (int)draw(p, 26), size);
	struct fw_change c = { draw(p, 4) ? FW_CHANGE_PUT : FW_CHANGE_DELETE, fw_str(key), { value, size }, FW_VERSION_ANY };
	struct fw_batch batch = { n % FEW_BUCKETS * 27, &c, 1 };
	if (fw_store_commit(p->from, &batch, on_put, p) == 0)
		p->put++;
}

static void wait_changes(struct pair *p)
{
	store_wait(&p->from_test, &p->outcomes, p->put);
}

static void fill(struct pair *p, unsigned rows)
{
	for (unsigned i = 0; i < rows; i++) {
		change_one(p);
		if (p->put - p->outcomes > 500)
			wait_changes(p);
	}
	wait_changes(p);
}

static void copy(struct pair *p, struct fw_copy_options options)
{
	options.from = p->from;
	options.to = p->to;
	assert_int_equal(fw_copy_create(&options, p->base, &p->copy), 0);
}

/* Turns the loop until it stands so; `each` time so many changes. */
static void run_until(struct pair *p, enum fw_copy_phase phase, unsigned changes)
{
	int64_t most = fw_monotonic_us() + STORE_WAIT_MS * INT64_C(1000);
	while (fw_copy_progress(p->copy)->phase != phase && !fw_copy_is_over(p->copy)) {
		for (unsigned i = 0; i < changes && p->put - p->outcomes < 50; i++)
			change_one(p);
		event_base_loop(p->base, EVLOOP_ONCE);
		assert_true(fw_monotonic_us() < most);
	}
	if (fw_copy_progress(p->copy)->phase != phase)
		fprintf(stderr, "the copy ended: %s\n", fw_copy_progress(p->copy)->err.message);
	assert_int_equal(fw_copy_progress(p->copy)->phase, phase);
}

static size_t list(struct pair *p, struct store_test *t, struct fw_store *s, uint32_t bucket, const struct fw_row **ret)
{
	struct store_outcome o = { 0 };
	for (unsigned asked = 1; o.came < asked; asked += o.rc == FW_EAWAY) { /* a Redis on a busy machine is late */
		fw_store_scan(s, bucket, FW_STR(""), FW_STR(""), 1000, &p->arena, store_on_listed, &o);
		store_wait(t, &o.came, asked);
	}
	assert_int_equal(o.rc, 0);
	assert_false(o.more);
	*ret = o.rows;
	return o.n;
}

/* The two have the same rows: how many. */
static size_t assert_same(struct pair *p)
{
	size_t all = 0;
	for (uint32_t b = 0; b < FW_STORE_BUCKETS; b++) {
		const struct fw_row *from, *to;
		size_t n = list(p, &p->from_test, p->from, b, &from);
		assert_int_equal(list(p, &p->to_test, p->to, b, &to), n);
		for (size_t i = 0; i < n; i++) {
			assert_true(fw_str_equal(from[i].key, to[i].key));
			assert_true(fw_str_equal(from[i].value, to[i].value));
		}
		all += n;
		fw_arena_reset(&p->arena);
	}
	return all;
}

/* Everything that the source was told, the destination has. */
static void assert_done(struct pair *p)
{
	const struct fw_copy_progress *now = fw_copy_progress(p->copy);
	assert_int_equal(now->phase, FW_COPY_DONE);
	assert_int_equal(now->differing, 0);
	wait_changes(p);
	assert_true(assert_same(p) > 0);
}

static const struct {
	enum kind from, to;
} ways[] = { { MEMORY, MEMORY }, { MEMORY_LATE, MEMORY_LATE }, { LMDB, LMDB }, { LMDB, REDIS }, { REDIS, CLUSTER }, { CLUSTER, LMDB } };

/* In the short tier a store at rest is copied from and to each kind once; all ways are gone while it changes (test_changes_meanwhile). */
static bool is_for_length(size_t i)
{
	return i > 0 && (ways[i].from == ways[i].to || ways[i].from == REDIS) && !getenv("FW_LONG");
}

static void test_at_rest(void **state)
{
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		if (is_for_length(i))
			continue;
		struct pair *p = begin(state, ways[i].from, ways[i].to, 1);
		fill(p, 1500);
		copy(p, (struct fw_copy_options){ .still = i % 2 });
		run_until(p, FW_COPY_DONE, 0);
		assert_done(p);
		const struct fw_copy_progress *now = fw_copy_progress(p->copy);
		assert_true(now->passes == 2 || ways[i].from == REDIS); /* there a notice may be lost, which is told */
		assert_int_equal(now->from.rows, now->to.rows);
		assert_int_equal(now->from.bytes, now->to.bytes);
		assert_int_equal(now->written, now->from.rows);
		assert_int_equal(now->from.rows, assert_same(p));
		end(p);
	}
}

/* An empty store is soon copied. */
static void test_nothing(void **state)
{
	struct pair *p = begin(state, MEMORY, LMDB, 1);
	copy(p, (struct fw_copy_options){ 0 });
	run_until(p, FW_COPY_DONE, 0);
	assert_int_equal(fw_copy_progress(p->copy)->from.rows, 0);
	end(p);
}

/* With changes all the while; what was changed before it is told to finish is there afterwards, and no check found anything that no
 * notice had told. */
static void test_changes_meanwhile(void **state)
{
	unsigned rounds = getenv("FW_LONG") ? 3 : 1;
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
		for (unsigned round = 0; round < (ways[i].from < LMDB ? 3 : 1) * rounds; round++) {
			struct pair *p = begin(state, ways[i].from, ways[i].to, 100 + round);
			fill(p, 600);
			copy(p, (struct fw_copy_options){ .follow = true });
			run_until(p, FW_COPY_FOLLOWING, 3);
			unsigned passes = fw_copy_progress(p->copy)->passes;
			assert_true(passes == 2 || ways[i].from == REDIS || ways[i].from == CLUSTER); /* there a notice may be lost */
			wait_changes(p);
			fw_copy_finish(p->copy);
			run_until(p, FW_COPY_DONE, 0);
			assert_done(p);
			end(p);
		}
}

/* While it follows, a change is soon there, without any further pass. */
static void test_following(void **state)
{
	struct pair *p = begin(state, LMDB, LMDB, 3);
	fill(p, 300);
	copy(p, (struct fw_copy_options){ .follow = true });
	run_until(p, FW_COPY_FOLLOWING, 0);
	assert_int_equal(store_put(&p->from_test, p->from, 7, "new", "value", FW_VERSION_NONE).rc, 0);
	int64_t most = fw_monotonic_us() + 5000000;
	bool there = false;
	while (!there && fw_monotonic_us() < most) {
		struct store_outcome o = store_get(&p->to_test, p->to, 7, "new");
		there = o.row.value.p && fw_str_is(o.row.value, "value");
		event_base_loop(p->base, EVLOOP_ONCE);
	}
	assert_true(there);
	assert_int_equal(fw_copy_progress(p->copy)->passes, 2);
	end(p);
}

/* The source stands still after its keeper ended: what the last notices did not tell a pass finds. */
static void test_still_at_the_end(void **state)
{
	struct pair *p = begin(state, LMDB, LMDB, 4);
	fill(p, 600);
	copy(p, (struct fw_copy_options){ .follow = true });
	run_until(p, FW_COPY_FOLLOWING, 2);
	for (unsigned i = 0; i < 200; i++)
		change_one(p);
	wait_changes(p);
	store_keeper_stop(&p->from_test, SIGKILL);
	fw_copy_still(p->copy);
	run_until(p, FW_COPY_DONE, 0);
	assert_done(p);
	assert_int_equal(fw_copy_progress(p->copy)->from.rows, fw_copy_progress(p->copy)->to.rows);
	end(p);
}

/* Notices that were lost, said to be or not: another pass finds what they would have told. */
static void test_lost_notices(void **state)
{
	for (unsigned told = 0; told < 2; told++) {
		struct pair *p = begin(state, MEMORY, MEMORY, 5);
		fill(p, 600);
		copy(p, (struct fw_copy_options){ .follow = true });
		run_until(p, FW_COPY_CHECKING, 0);
		const struct fw_store_watcher heard = p->from->watchers[0];
		p->from->watchers[0].changed = NULL;
		for (unsigned i = 0; i < 50; i++)
			change_one(p);
		wait_changes(p);
		p->from->watchers[0] = heard;
		if (told)
			fw_store_give_notice(p->from, 0, (struct fw_str){ 0 }, 0);
		fw_copy_finish(p->copy);
		run_until(p, FW_COPY_DONE, 0);
		assert_true(fw_copy_progress(p->copy)->passes > 2);
		assert_done(p);
		end(p);
	}
}

/* The keeper of the source dies and another takes its place, while rows change. */
static void test_keepers_die(void **state)
{
	struct pair *p = begin(state, LMDB, LMDB, 6);
	fill(p, 600);
	copy(p, (struct fw_copy_options){ .follow = true });
	run_until(p, FW_COPY_CHECKING, 3);
	for (unsigned i = 0; i < 2; i++) {
		struct store_test *t = i ? &p->to_test : &p->from_test;
		store_keeper_stop(t, SIGKILL);
		for (unsigned k = 0; k < 60; k++)
			change_one(p);
		store_keeper_start(t);
		wait_changes(p);
		run_until(p, FW_COPY_FOLLOWING, 0);
	}
	fw_copy_finish(p->copy);
	run_until(p, FW_COPY_DONE, 0);
	assert_done(p);
	end(p);
}

static void test_into_existing(void **state)
{
	struct pair *p = begin(state, LMDB, LMDB, 7);
	fill(p, 600);
	for (uint32_t b = 0; b < FW_STORE_BUCKETS; b += 31)
		assert_int_equal(store_put(&p->to_test, p->to, b, "k-1", "of another copy", FW_VERSION_ANY).rc, 0);
	copy(p, (struct fw_copy_options){ 0 });
	run_until(p, FW_COPY_FAILED, 0);
	assert_string_equal(fw_copy_progress(p->copy)->err.message, "the destination is not empty");
	assert_non_null(strstr(fw_copy_progress(p->copy)->err.hint, "--into-existing"));
	assert_int_equal(fw_copy_progress(p->copy)->written, 0);
	fw_copy_destroy(p->copy);
	p->copy = NULL;
	copy(p, (struct fw_copy_options){ .into_existing = true });
	run_until(p, FW_COPY_DONE, 0);
	assert_true(fw_copy_progress(p->copy)->deleted > 20);
	assert_done(p);
	end(p);
}

/* One that was interrupted goes on where it was: only what is left is written. */
static void test_going_on(void **state)
{
	struct pair *p = begin(state, LMDB, LMDB, 8);
	fill(p, 3000);
	copy(p, (struct fw_copy_options){ 0 });
	/* Not until so many buckets are through: those without a row are so before the first row is written. */
	while (fw_copy_progress(p->copy)->written == 0)
		event_base_loop(p->base, EVLOOP_ONCE);
	uint64_t before = fw_copy_progress(p->copy)->written;
	assert_int_equal(fw_copy_progress(p->copy)->phase, FW_COPY_COPYING);
	end_copy(p);
	p->from = store_open(&p->from_test);
	p->to = store_open(&p->to_test);
	copy(p, (struct fw_copy_options){ .into_existing = true });
	run_until(p, FW_COPY_DONE, 0);
	assert_done(p);
	assert_true(fw_copy_progress(p->copy)->written <= fw_copy_progress(p->copy)->from.rows - before);
	end(p);
}

/* Rows by the thousand in a bucket, and rows as large as they may be: pages of either side end at different rows. */
static void test_pages(void **state)
{
	static char value[FW_LIMIT_STORE_VALUE_BYTES];
	struct pair *p = begin(state, LMDB, LMDB, 9);
	for (unsigned i = 0; i < 4200; i++) {
		char key[16];
		snprintf(key, sizeof key, "%05u", i);
		struct fw_change c = { FW_CHANGE_PUT, fw_str(key), { value, i % 500 == 77 ? sizeof value : 10 }, FW_VERSION_ANY };
		struct fw_batch batch = { 5, &c, 1 };
		int rc;
		while ((rc = fw_store_commit(p->from, &batch, on_put, p)) == FW_EBUSY)
			event_base_loop(p->base, EVLOOP_ONCE);
		assert_int_equal(rc, 0);
		p->put++;
		/* The destination has every third, some of them with another value, and some that the source lacks. */
		key[0] = i % 7 ? '0' : '1';
		if (i % 3 == 0)
			assert_int_equal(store_put(&p->to_test, p->to, 5, key, i % 2 ? "other" : "", FW_VERSION_ANY).rc, 0);
	}
	wait_changes(p);
	copy(p, (struct fw_copy_options){ .into_existing = true });
	run_until(p, FW_COPY_DONE, 0);
	assert_int_equal(fw_copy_progress(p->copy)->from.rows, 4200);
	assert_int_equal(fw_copy_progress(p->copy)->to.rows, 4200);
	assert_int_equal(fw_copy_progress(p->copy)->passes, 2);
	assert_int_equal(fw_copy_progress(p->copy)->deleted, 200);
	end(p);
}

/* The store's own rows stay where they are, and notices of them are none of rows. */
static void test_leases_stay(void **state)
{
	struct store_outcome o = { 0 };
	struct pair *p = begin(state, LMDB, LMDB, 10);
	fill(p, 50);
	copy(p, (struct fw_copy_options){ .follow = true });
	run_until(p, FW_COPY_FOLLOWING, 0);
	uint64_t written = fw_copy_progress(p->copy)->written;
	for (unsigned i = 0; i < 10; i++) {
		assert_int_equal(fw_store_lease(p->from, "sweep", 1000, store_on_leased, &o), 0);
		store_wait(&p->from_test, &o.came, i + 1);
	}
	fw_copy_finish(p->copy);
	run_until(p, FW_COPY_DONE, 0);
	assert_int_equal(fw_copy_progress(p->copy)->written, written);
	assert_done(p);
	end(p);
}

static void assert_failed(struct pair *p, int rc, const char *text)
{
	const struct fw_copy_progress *now = fw_copy_progress(p->copy);
	run_until(p, FW_COPY_FAILED, 0);
	(void)rc;
	if (!strstr(now->err.message, text))
		fail_msg("it says: %s", now->err.message);
}

static void test_full_destination(void **state)
{
	struct pair *p = begin(state, LMDB, REDIS, 11);
	fill(p, 600);
	struct redis_server *r = &the_servers(state)->redis;
	redis_tell(r, "CONFIG SET maxmemory 1");
	copy(p, (struct fw_copy_options){ 0 });
	assert_failed(p, FW_EFULL, "the destination: ");
	redis_tell(r, "CONFIG SET maxmemory 0");
	end(p);
}

static void test_damaged_row(void **state)
{
	struct pair *p = begin(state, LMDB, MEMORY, 12);
	fill(p, 300);
	assert_int_equal(store_put(&p->from_test, p->from, 123, "row123", "undamaged", FW_VERSION_ANY).rc, 0);
	fw_store_close(p->from);
	store_keeper_stop(&p->from_test, SIGTERM);
	char path[TEMPORARY_PATH + 32];
	snprintf(path, sizeof path, "%s/data.mdb", p->from_test.data);
	FILE *f = fopen(path, "r+");
	assert_non_null(f);
	static char bytes[1 << 22];
	size_t n = fread(bytes, 1, sizeof bytes, f);
	for (char *at = bytes; (at = memmem(at, (size_t)(bytes + n - at), "undamaged", 9)); at += 9) {
		fseek(f, at - bytes, SEEK_SET);
		fputc('X', f);
	}
	fclose(f);
	store_keeper_start(&p->from_test);
	p->from = store_open(&p->from_test);
	copy(p, (struct fw_copy_options){ 0 });
	assert_failed(p, FW_EIO, "the source: the row \"row123\" of bucket 123 is damaged");
	end(p);
}

/* Both sides may be away for a while. */
static void test_away_for_a_while(void **state)
{
	struct pair *p = begin(state, MEMORY_LATE, MEMORY_LATE, 13);
	fill(p, 300);
	copy(p, (struct fw_copy_options){ 0 });
	run_until(p, FW_COPY_COPYING, 0);
	for (unsigned i = 0; i < 2; i++) {
		memory_store_set_away(i ? p->from : p->to, true);
		for (unsigned k = 0; k < 40; k++)
			event_base_loop(p->base, EVLOOP_ONCE);
		memory_store_set_away(i ? p->from : p->to, false);
	}
	run_until(p, FW_COPY_DONE, 0);
	assert_done(p);
	end(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_at_rest),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_changes_meanwhile),
		cmocka_unit_test(test_following),
		cmocka_unit_test(test_still_at_the_end),
		cmocka_unit_test(test_lost_notices),
		cmocka_unit_test(test_keepers_die),
		cmocka_unit_test(test_into_existing),
		cmocka_unit_test(test_going_on),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_leases_stay),
		cmocka_unit_test(test_full_destination),
		cmocka_unit_test(test_damaged_row),
		cmocka_unit_test(test_away_for_a_while),
	};
	struct servers servers = { .pair.base = NULL };
	struct redis_options options = { 0 };
	char folder[TEMPORARY_PATH];
	temporary_folder(folder);
	redis_server_init(&servers.redis, folder, "redis", &options);
	redis_server_start(&servers.redis);
	redis_cluster_start(&servers.cluster, folder, &options);
	snprintf(servers.redis_url, sizeof servers.redis_url, "redis://127.0.0.1:%d", servers.redis.port);
	snprintf(servers.cluster_url, sizeof servers.cluster_url, "redis-cluster://127.0.0.1:%d", servers.cluster.nodes[0].port);
	struct CMUnitTest with_state[sizeof tests / sizeof *tests];
	memcpy(with_state, tests, sizeof tests);
	for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
		with_state[i].initial_state = &servers;
		with_state[i].teardown_func = end_anyway;
	}
	int failed = cmocka_run_group_tests(with_state, NULL, NULL);
	redis_cluster_finish(&servers.cluster);
	redis_server_finish(&servers.redis);
	store_remove(folder);
	return failed;
}
