/* The keeper when things go wrong: killed under load, stopped, told nonsense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <sys/un.h>

#include "base/limits.h"
#include "lib_store.h"
#include "store/wire.h"

static unsigned scaled(unsigned small, unsigned at_length)
{
	return getenv("FW_LONG") ? at_length : small;
}

/* A worker whose keeper is out of reach has its own loop to run. */
static void turn(struct store_test *t, int ms)
{
	struct timeval most = { ms / 1000, (ms % 1000) * 1000 };
	event_base_loopexit(t->base, &most);
	event_base_dispatch(t->base);
}

/* Counters that are read, raised and committed, as people do with records; a conflict is computed again. */
enum { COUNTERS = 40 };

struct load {
	struct store_test *t;
	struct fw_store *s;
	unsigned left, busy, done, conflicts, other;
	uint64_t acknowledged[COUNTERS];
	struct raise {
		struct load *load;
		unsigned n;
		uint64_t value;
		struct fw_arena arena;
	} raises[COUNTERS];
};

static void raise_next(struct raise *r);

static void on_raised(void *ctx, int rc, uint64_t version)
{
	struct raise *r = ctx;
	(void)version;
	r->load->busy--;
	if (rc == 0) {
		r->load->done++;
		r->load->acknowledged[r->n]++;
	} else if (rc == FW_ECONFLICT) {
		r->load->conflicts++;
	} else {
		r->load->other++;
	}
	raise_next(r);
}

static void on_counter(void *ctx, int rc, const struct fw_row *row)
{
	struct raise *r = ctx;
	char key[16], value[512];
	assert_int_equal(rc, 0);
	r->value = row->value.p ? strtoull(row->value.p, NULL, 10) : 0;
	snprintf(key, sizeof key, "c%u", r->n);
	memset(value, ' ', sizeof value);
	snprintf(value, sizeof value, "%llu", (unsigned long long)(r->value + 1));
	struct fw_change c = { FW_CHANGE_PUT, fw_str(key), { value, sizeof value }, row->version };
	struct fw_batch b = { r->n * 7 % FW_STORE_BUCKETS, &c, 1 };
	assert_int_equal(fw_store_commit(r->load->s, &b, on_raised, r), 0);
	r->load->busy++;
}

static void raise_next(struct raise *r)
{
	char key[16];
	if (r->load->left == 0)
		return;
	r->load->left--;
	fw_arena_reset(&r->arena);
	snprintf(key, sizeof key, "c%u", r->n);
	fw_store_get(r->load->s, r->n * 7 % FW_STORE_BUCKETS, fw_str(key), &r->arena, on_counter, r);
}

static uint64_t first_version(struct fw_store *s, struct fw_arena *a)
{
	struct store_outcome o = { 0 };
	fw_arena_reset(a);
	fw_store_get(s, 0, FW_STR("c0"), a, store_on_got, &o);
	return o.row.version;
}

/* Hands over what waits and stays outside the loop. Then it kills the keeper at once; or as soon as it has written: what it
 * wrote is on disk, and perhaps not answered. */
static void kill_keeper(struct store_test *t, struct fw_store *s, bool at_once)
{
	struct fw_arena a;
	fw_arena_init(&a, NULL, 0, 0);
	uint64_t before = first_version(s, &a);
	event_base_loop(t->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	for (unsigned n = 0; n < 50000 && !at_once && first_version(s, &a) == before; n++)
		;
	store_keeper_stop(t, SIGKILL);
	fw_arena_finish(&a);
}

static void check_counters(struct load *l)
{
	char key[16];
	for (unsigned i = 0; i < COUNTERS; i++) {
		snprintf(key, sizeof key, "c%u", i);
		struct store_outcome o = store_get(l->t, l->s, i * 7 % FW_STORE_BUCKETS, key);
		assert_int_equal(o.row.value.p ? strtoull(o.row.value.p, NULL, 10) : 0, l->acknowledged[i]);
	}
}

/* Killed again and again, often between its commit and its answer: everything acknowledged is there, once. */
static void test_killed_under_load(void **state)
{
	(void)state;
	struct store_test t;
	unsigned kills = scaled(15, 60);
	store_test_init(&t, NULL);
	store_test_start(&t);
	struct load l = { .t = &t, .s = store_open(&t), .left = kills * 200 };
	for (unsigned i = 0; i < COUNTERS; i++) {
		l.raises[i] = (struct raise){ .load = &l, .n = i };
		fw_arena_init(&l.raises[i].arena, NULL, 0, 0);
		raise_next(&l.raises[i]);
	}
	for (unsigned k = 0; k < kills && l.left > 0; k++) {
		unsigned done = l.done;
		while (l.done < done + 20 && l.busy > 0)
			event_base_loop(t.base, EVLOOP_ONCE);
		kill_keeper(&t, l.s, k % 3 == 0);
		store_keeper_start(&t);
	}
	l.left = 0;
	while (l.busy > 0)
		event_base_loop(t.base, EVLOOP_ONCE);
	assert_true(l.done > 0);
	/* Nobody else writes: a conflict is a batch that was applied and then refused. */
	assert_int_equal(l.conflicts, 0);
	assert_int_equal(l.other, 0);
	assert_true(fw_store_counters(l.s)->resubmitted > 0);
	check_counters(&l);
	for (unsigned i = 0; i < COUNTERS; i++)
		fw_arena_finish(&l.raises[i].arena);
	fw_store_close(l.s);
	store_test_finish(&t);
}

/* A stopped keeper: reads go on, commits wait up to the bound, and then all of them are written in order. */
static void test_stopped(void **state)
{
	(void)state;
	struct store_test t;
	store_test_init(&t, NULL);
	store_test_start(&t);
	struct fw_store *s = store_open(&t);
	assert_int_equal(store_put(&t, s, 1, "there", "v", FW_VERSION_ANY).rc, 0);
	kill(t.keeper, SIGSTOP);
	struct store_outcome o = { 0 };
	char value[16];
	unsigned taken = 0;
	int rc = 0;
	for (; rc == 0; taken += rc == 0) {
		snprintf(value, sizeof value, "%u", taken);
		struct fw_change c = { FW_CHANGE_PUT, FW_STR("k"), fw_str(value), FW_VERSION_ANY };
		struct fw_batch b = { 1, &c, 1 };
		rc = fw_store_commit(s, &b, store_on_committed, &o);
	}
	assert_int_equal(rc, FW_EBUSY);
	assert_int_equal(taken, FW_LIMIT_STORE_WAITING);
	turn(&t, 50);
	assert_int_equal(o.came, 0);
	assert_true(fw_str_is(store_get(&t, s, 1, "there").row.value, "v"));
	struct fw_store_health h;
	fw_store_health(s, &h);
	assert_int_equal(h.waiting, taken);
	assert_true(h.oldest_us >= 50000);
	kill(t.keeper, SIGCONT);
	store_wait(&t, &o.came, taken);
	assert_int_equal(o.rc, 0);
	snprintf(value, sizeof value, "%u", taken - 1);
	assert_true(fw_str_is(store_get(&t, s, 1, "k").row.value, value));
	fw_store_health(s, &h);
	assert_true(h.reachable);
	assert_string_equal(h.message, "");
	fw_store_close(s);
	store_test_finish(&t);
}

/* No keeper at all yet: what is committed waits for it. */
static void test_late_keeper(void **state)
{
	(void)state;
	struct store_test t;
	struct fw_error err;
	store_test_init(&t, NULL);
	assert_int_equal(fw_keeper_bind(&t.options, &t.listener, &err), 0);
	struct fw_store *s = store_open(&t);
	struct store_outcome o = { 0 };
	struct fw_change c = { FW_CHANGE_PUT, FW_STR("k"), FW_STR("v"), FW_VERSION_NONE };
	struct fw_batch b = { 1, &c, 1 };
	assert_int_equal(fw_store_commit(s, &b, store_on_committed, &o), 0);
	turn(&t, 30);
	assert_int_equal(o.came, 0);
	struct fw_store_health h;
	fw_store_health(s, &h);
	assert_false(h.reachable);
	assert_non_null(strstr(h.message, "keeper"));
	store_keeper_start(&t);
	store_wait(&t, &o.came, 1);
	assert_int_equal(o.rc, 0);
	fw_store_close(s);
	store_test_finish(&t);
}

/* TERM, and the end of whoever started it: what was read is answered, and the status is 0. */
static void test_ends(void **state)
{
	(void)state;
	for (int how = 0; how < 2; how++) {
		struct store_test t;
		int status;
		store_test_init(&t, how ? "interval" : NULL);
		store_test_start(&t);
		struct fw_store *s = store_open(&t);
		assert_int_equal(store_put(&t, s, 1, "k", "v", FW_VERSION_ANY).rc, 0);
		struct store_outcome o = { 0 };
		struct fw_change c = { FW_CHANGE_PUT, FW_STR("k"), FW_STR("w"), FW_VERSION_ANY };
		struct fw_batch b = { 1, &c, 1 };
		assert_int_equal(fw_store_commit(s, &b, store_on_committed, &o), 0);
		event_base_loop(t.base, EVLOOP_NONBLOCK);
		if (how == 0)
			kill(t.keeper, SIGTERM);
		else
			close(t.beat);
		waitpid(t.keeper, &status, 0);
		t.keeper = 0;
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
		store_wait(&t, &o.came, 1);
		assert_int_equal(o.rc, 0);
		fw_store_close(s);
		store_test_finish(&t);
	}
}

static void test_beats(void **state)
{
	(void)state;
	struct store_test t;
	char byte;
	store_test_init(&t, NULL);
	store_test_start(&t);
	for (int i = 0; i < 3; i++)
		assert_int_equal(read(t.beat, &byte, 1), 1);
	store_test_finish(&t);
}

/* A connection as somebody else would make one. */
static int raw_connect(const struct store_test *t)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	memcpy(a.sun_path, t->socket, strlen(t->socket));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
	return fd;
}

static void raw_send(int fd, const void *p, size_t n)
{
	assert_int_equal(send(fd, p, n, MSG_NOSIGNAL), n);
}

static int raw_hello(const struct store_test *t, uint64_t submitter)
{
	struct fw_buf b;
	int fd = raw_connect(t);
	fw_buf_init(&b, 0);
	fw_wire_put_hello(&b, submitter);
	/* One connection too many is closed at once. */
	send(fd, b.data, b.n, MSG_NOSIGNAL);
	fw_buf_finish(&b);
	return fd;
}

/* A batch's frame. */
static size_t raw_batch(uint8_t *out, const char *key, uint64_t expected, uint64_t sequence, uint64_t answered)
{
	struct fw_change c = { FW_CHANGE_PUT, fw_str(key), FW_STR("value"), expected };
	struct fw_batch b = { 3, &c, 1 };
	fw_wire_write_batch(out, &b, sequence, answered);
	return fw_wire_batch_bytes(&b);
}

/* The next answer; others are passed over. False: the connection was closed. */
static bool raw_done(int fd, uint64_t *sequence, int *rc, uint64_t *version)
{
	uint8_t in[4096];
	size_t n = 0, used;
	struct fw_wire_frame f;
	for (;;) {
		ssize_t got = recv(fd, in + n, 1, 0);
		if (got <= 0)
			return false;
		n += (size_t)got;
		if (fw_wire_next(in, n, &f, &used) != 1)
			continue;
		n = 0;
		if (f.type == FW_WIRE_DONE)
			return fw_wire_done(&f, sequence, rc, version) == 0;
	}
}

/* A batch that comes again after its keeper died gets its first outcome: the answer was lost, not the rows. */
static void test_handed_in_again(void **state)
{
	(void)state;
	struct store_test t;
	uint8_t frames[256];
	uint64_t sequence, version, first;
	int rc;
	store_test_init(&t, NULL);
	store_test_start(&t);
	int fd = raw_hello(&t, 77);
	size_t n = raw_batch(frames, "row", FW_VERSION_NONE, 1, 1);
	n += raw_batch(frames + n, "row", 4711, 2, 1);
	raw_send(fd, frames, n);
	assert_true(raw_done(fd, &sequence, &rc, &first));
	assert_int_equal(rc, 0);
	assert_true(raw_done(fd, &sequence, &rc, &version));
	assert_int_equal(rc, FW_ECONFLICT);
	close(fd);
	for (int again = 0; again < 3; again++) {
		if (again > 0) {
			store_keeper_stop(&t, again == 1 ? SIGKILL : SIGTERM);
			store_keeper_start(&t);
		}
		fd = raw_hello(&t, 77);
		raw_send(fd, frames, n);
		assert_true(raw_done(fd, &sequence, &rc, &version));
		assert_int_equal(sequence, 1);
		assert_int_equal(rc, 0);
		assert_int_equal(version, first);
		assert_true(raw_done(fd, &sequence, &rc, &version));
		assert_int_equal(sequence, 2);
		assert_int_equal(rc, FW_ECONFLICT);
		close(fd);
	}
	/* Seen by the submitter, so forgotten: nobody may ask again. */
	fd = raw_hello(&t, 77);
	raw_send(fd, frames, raw_batch(frames, "other", FW_VERSION_NONE, 3, 3));
	assert_true(raw_done(fd, &sequence, &rc, &version));
	assert_int_equal(rc, 0);
	raw_send(fd, frames, raw_batch(frames, "row", FW_VERSION_ANY, 1, 1));
	assert_false(raw_done(fd, &sequence, &rc, &version));
	close(fd);
	/* Another submitter's numbers are its own. */
	fd = raw_hello(&t, 78);
	raw_send(fd, frames, raw_batch(frames, "row", FW_VERSION_NONE, 1, 1));
	assert_true(raw_done(fd, &sequence, &rc, &version));
	assert_int_equal(rc, FW_ECONFLICT);
	close(fd);
	store_test_finish(&t);
}

/* Nonsense ends its own connection and nothing else. */
/* A lease that was given back in the moment of closing was kept until its end: it never left the process. */
static void test_last_word(void **state)
{
	(void)state;
	struct store_test t;
	store_test_init(&t, NULL);
	store_test_start(&t);
	struct fw_store *s = store_open(&t);
	struct store_outcome o = { 0 };
	assert_int_equal(fw_store_lease(s, "sweep", 60000, store_on_leased, &o), 0);
	store_wait(&t, &o.came, 1);
	assert_int_equal(o.rc, 0);
	assert_int_equal(fw_store_release(s, "sweep", NULL, NULL), 0);
	fw_store_close(s);
	s = store_open(&t);
	int64_t until = fw_monotonic_us() + INT64_C(20000000);
	for (o.rc = FW_EBUSY; o.rc == FW_EBUSY && fw_monotonic_us() < until;) {
		unsigned came = o.came;
		assert_int_equal(fw_store_lease(s, "sweep", 60000, store_on_leased, &o), 0);
		store_wait(&t, &o.came, came + 1);
	}
	assert_int_equal(o.rc, 0);
	fw_store_close(s);
	store_test_finish(&t);
}

static void test_nonsense(void **state)
{
	(void)state;
	struct store_test t;
	uint64_t random = 88172645463325252u;
	store_test_init(&t, NULL);
	store_test_start(&t);
	struct fw_store *s = store_open(&t);
	for (unsigned i = 0; i < scaled(300, 4000); i++) {
		uint8_t bytes[300];
		int fd = i % 2 ? raw_hello(&t, i) : raw_connect(&t);
		size_t n = i % 4 == 3 ? raw_batch(bytes, "key", FW_VERSION_ANY, 1, 1) : sizeof bytes;
		for (size_t b = 0; b < n; b++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			if (i % 4 != 3)
				bytes[b] = (uint8_t)random;
			else if (random % 16 == 0)
				bytes[b] ^= (uint8_t)(random >> 8);
		}
		if (i % 4 < 2)
			fw_put_number(bytes, 20 + random % 250, 4);
		bytes[4] = i % 4 == 2 ? FW_WIRE_BATCH : bytes[4];
		send(fd, bytes, n, MSG_NOSIGNAL);
		close(fd);
	}
	assert_int_equal(store_put(&t, s, 1, "k", "v", FW_VERSION_ANY).rc, 0);
	assert_int_equal(waitpid(t.keeper, NULL, WNOHANG), 0);
	assert_int_equal(fw_store_counters(s)->resubmitted, 0);
	fw_store_close(s);
	store_test_finish(&t);
}

/* A worker killed in the middle of a frame: the batch was never handed in. */
static void test_half_a_frame(void **state)
{
	(void)state;
	struct store_test t;
	uint8_t frame[256];
	store_test_init(&t, NULL);
	store_test_start(&t);
	struct fw_store *s = store_open(&t);
	size_t n = raw_batch(frame, "half", FW_VERSION_ANY, 1, 1);
	for (size_t cut = 1; cut < n; cut += 7) {
		int fd = raw_hello(&t, cut);
		raw_send(fd, frame, cut);
		close(fd);
	}
	assert_int_equal(store_put(&t, s, 3, "k", "v", FW_VERSION_ANY).rc, 0);
	assert_null(store_get(&t, s, 3, "half").row.value.p);
	fw_store_close(s);
	store_test_finish(&t);
}

/* `commit`: no answer without a sync. */
static void test_syncs_are_counted(void **state)
{
	(void)state;
	for (int interval = 0; interval < 2; interval++) {
		struct store_test t;
		struct fw_store_health h = { 0 };
		store_test_init(&t, interval ? "interval" : "commit");
		store_test_start(&t);
		struct fw_store *s = store_open(&t);
		assert_string_equal(fw_store_durability(s), interval ? "interval" : "commit");
		for (unsigned i = 0; i < 5; i++)
			assert_int_equal(store_put(&t, s, i, "k", "v", FW_VERSION_ANY).rc, 0);
		/* The state comes with the answers, in the interval also when what was left open has been synced. */
		while (h.groups < 5 || h.syncs == 0) {
			event_base_loop(t.base, EVLOOP_NONBLOCK);
			fw_store_health(s, &h);
			if (interval && h.syncs == 0)
				store_put(&t, s, 9, "more", "v", FW_VERSION_ANY);
		}
		if (!interval)
			assert_int_equal(h.syncs, h.groups);
		fw_store_close(s);
		store_test_finish(&t);
	}
}

static void on_lost(void *ctx, uint32_t bucket, struct fw_str key, uint64_t version)
{
	unsigned *lost = ctx;
	(void)bucket;
	(void)version;
	*lost += key.p == NULL;
}

/* A watcher that does not read loses notices, and is told so; nobody waits for it. */
static void test_slow_watcher(void **state)
{
	(void)state;
	struct store_test t;
	struct fw_buf b;
	uint8_t in[65536];
	store_test_init(&t, NULL);
	store_test_start(&t);
	struct fw_store *s = store_open(&t);
	int fd = raw_hello(&t, 5);
	fw_buf_init(&b, 0);
	fw_wire_put_watch(&b, true);
	raw_send(fd, b.data, b.n);
	fw_buf_finish(&b);
	static struct fw_change changes[FW_LIMIT_STORE_CHANGES];
	static char keys[FW_LIMIT_STORE_CHANGES][400];
	for (unsigned i = 0; i < FW_LIMIT_STORE_CHANGES; i++) {
		memset(keys[i], 'k', sizeof keys[i]);
		snprintf(keys[i], sizeof keys[i], "%u", i);
		changes[i] = (struct fw_change){ FW_CHANGE_PUT, { keys[i], sizeof keys[i] }, FW_STR("v"), FW_VERSION_ANY };
	}
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(store_commit(&t, s, i, changes, FW_LIMIT_STORE_CHANGES).rc, 0);
	unsigned lost = 0, notices = 0;
	size_t n = 0, used;
	while (lost == 0) {
		ssize_t got = recv(fd, in + n, sizeof in - n, 0);
		assert_true(got > 0);
		n += (size_t)got;
		size_t at = 0;
		struct fw_wire_frame f;
		while (fw_wire_next(in + at, n - at, &f, &used) == 1) {
			notices += f.type == FW_WIRE_NOTICE;
			lost += f.type == FW_WIRE_LOST;
			at += used;
		}
		memmove(in, in + at, n - at);
		n -= at;
	}
	assert_true(notices < 8 * FW_LIMIT_STORE_CHANGES);
	close(fd);
	/* A handle whose connection broke is told too. */
	lost = 0;
	assert_int_equal(fw_store_watch(s, on_lost, &lost), 0);
	assert_int_equal(store_put(&t, s, 1, "k", "v", FW_VERSION_ANY).rc, 0);
	store_keeper_stop(&t, SIGKILL);
	store_keeper_start(&t);
	store_wait(&t, &lost, 1);
	fw_store_close(s);
	store_test_finish(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_killed_under_load),
		cmocka_unit_test(test_stopped),
		cmocka_unit_test(test_late_keeper),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_beats),
		cmocka_unit_test(test_handed_in_again),
		cmocka_unit_test(test_last_word),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_half_a_frame),
		cmocka_unit_test(test_syncs_are_counted),
		cmocka_unit_test(test_slow_watcher),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
