/* What Redis and its clusters go through while batches are on their way: connections are cut in the middle of a pipeline, scripts
 * are forgotten, servers die and come back or are stopped for longer than their cluster waits, primaries change, slots move. Every row is
 * a chain: each batch names the version that the one before it was answered with. So a batch that counts twice, or is lost though
 * it was answered, is seen at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/limits.h"
#include "lib_redis.h"
#include "lib_store.h"

enum { CHAINS = 48, FAULT_EVERY_MS = 20, HEAVY_BUCKET = 1 };

struct trial;

struct chain {
	struct trial *trial;
	uint32_t bucket;
	char key[16];
	uint64_t version, n; /* of what was answered */
	bool doubtful;       /* it is not known what became of the last batch; one that was given up may come yet */
	bool resting, looking; /* until the next step; then it goes on, or looks what became of its last batch */
};

struct trial {
	struct store_test t;
	struct fw_store *store;
	struct chain chains[CHAINS];
	struct redis_server *servers; /* or a cluster's */
	struct redis_cluster *cluster;
	bool (*fault)(struct trial *t, unsigned step); /* false: it is over */
	struct event *timer;
	unsigned step, finished, away, full;
	uint64_t total;
	bool over; /* faults are; chains end after a few more batches */
	uint64_t end_at;
	struct redis_server *victim;
	int64_t until_us;
};

static void go_on(struct chain *c);

static void on_looked(void *ctx, int rc, const struct fw_row *row)
{
	struct chain *c = ctx;
	if (rc == FW_EAWAY) {
		c->resting = c->looking = true;
		return;
	}
	c->looking = false;
	assert_int_equal(rc, 0);
	uint64_t n = row->value.p ? strtoull(row->value.p, NULL, 10) : 0;
	if (n != c->n && n != c->n + 1)
		fail_msg("%s of bucket %u is %llu, and %llu was answered", c->key, (unsigned)c->bucket, (unsigned long long)n,
			(unsigned long long)c->n);
	c->doubtful &= n == c->n; /* one that has come comes once: a second would not find its version */
	c->n = n;
	c->version = row->version;
	go_on(c);
}

static void look(struct chain *c)
{
	fw_store_get(c->trial->store, c->bucket, fw_str(c->key), &c->trial->t.arena, on_looked, c);
}

static void on_linked(void *ctx, int rc, uint64_t version)
{
	struct chain *c = ctx;
	struct trial *t = c->trial;
	if (rc == 0) {
		c->n++;
		c->version = version;
		c->doubtful = false;
		t->total++;
		go_on(c);
		return;
	}
	if (rc == FW_ECONFLICT && !c->doubtful)
		fail_msg("%s of bucket %u: somebody else has changed it after %llu", c->key, (unsigned)c->bucket, (unsigned long long)c->n);
	if (rc != FW_ECONFLICT && rc != FW_EAWAY && rc != FW_EFULL)
		fail_msg("a batch ended with %d", rc);
	t->away += rc == FW_EAWAY;
	t->full += rc == FW_EFULL;
	c->doubtful |= rc == FW_EAWAY;
	c->resting = true;
	c->looking = rc != FW_EFULL;
}

static void go_on(struct chain *c)
{
	struct trial *t = c->trial;
	char value[24];
	if (t->over && t->total >= t->end_at) {
		t->finished++;
		return;
	}
	snprintf(value, sizeof value, "%llu", (unsigned long long)c->n + 1);
	struct fw_change change = { FW_CHANGE_PUT, fw_str(c->key), fw_str(value), c->version };
	struct fw_batch batch = { c->bucket, &change, 1 };
	assert_int_equal(fw_store_commit(t->store, &batch, on_linked, c), 0);
}

static void on_step(evutil_socket_t fd, short what, void *ctx)
{
	struct trial *t = ctx;
	const struct timeval soon = { 0, FAULT_EVERY_MS * 1000 };
	(void)fd;
	(void)what;
	if (!t->over && !t->fault(t, t->step++)) {
		t->over = true;
		t->end_at = t->total + 10 * CHAINS;
	}
	for (unsigned i = 0; i < CHAINS; i++)
		if (t->chains[i].resting) {
			t->chains[i].resting = false;
			if (t->chains[i].looking)
				look(&t->chains[i]);
			else
				go_on(&t->chains[i]);
		}
	if (t->finished < CHAINS)
		evtimer_add(t->timer, &soon);
}

static void run_trial(struct trial *t, const struct fw_store_options *options, bool (*fault)(struct trial *t, unsigned step))
{
	const struct timeval soon = { 0, FAULT_EVERY_MS * 1000 };
	store_test_init(&t->t, NULL);
	t->t.options = *options;
	t->fault = fault;
	t->store = store_open(&t->t);
	t->timer = evtimer_new(t->t.base, on_step, t);
	for (unsigned i = 0; i < CHAINS; i++) {
		struct chain *c = &t->chains[i];
		/* Half of them in one bucket, and so in one slot. */
		*c = (struct chain){ .trial = t, .bucket = i % 2 ? HEAVY_BUCKET : i * (FW_STORE_BUCKETS / CHAINS) };
		snprintf(c->key, sizeof c->key, "chain-%u", i);
		go_on(c);
	}
	evtimer_add(t->timer, &soon);
	store_wait(&t->t, &t->finished, CHAINS);
	for (unsigned i = 0; i < CHAINS; i++) {
		struct chain *c = &t->chains[i];
		struct store_outcome o = store_get(&t->t, t->store, c->bucket, c->key);
		assert_int_equal(o.rc, 0);
		struct fw_str is = o.row.value.p ? o.row.value : FW_STR("nothing");
		uint64_t n = o.row.value.p ? strtoull(o.row.value.p, NULL, 10) : 0;
		if (n != c->n && !(c->doubtful && n == c->n + 1))
			fail_msg("%s of bucket %u was answered up to %llu%s, and is at %.*s", c->key, (unsigned)c->bucket,
				(unsigned long long)c->n, c->doubtful ? ", one more may have come" : "", (int)is.n, is.p);
	}
	print_message("%llu batches, %llu of them sent again, %u without an outcome, %u refused for want of memory\n",
		(unsigned long long)t->total, (unsigned long long)fw_store_counters(t->store)->resubmitted, t->away, t->full);
	event_free(t->timer);
	fw_store_close(t->store);
	store_test_finish(&t->t);
}

static unsigned times(void)
{
	return getenv("FW_LONG") ? 10 : 1;
}

/* --- one server */

static void on_server(const struct redis_options *options, bool (*fault)(struct trial *t, unsigned step), struct trial *t)
{
	char folder[TEMPORARY_PATH], url[TEMPORARY_PATH + 64];
	struct redis_server server;
	temporary_folder(folder);
	redis_server_init(&server, folder, "redis", options);
	redis_server_start(&server);
	snprintf(url, sizeof url, "redis://127.0.0.1:%d", server.port);
	*t = (struct trial){ .servers = &server };
	run_trial(t, &(struct fw_store_options){ .url = url }, fault);
	redis_server_finish(&server);
	store_remove(folder);
}

static bool cut(struct trial *t, unsigned step)
{
	redis_tell(t->servers, "CLIENT KILL TYPE normal SKIPME yes");
	return step < 40 * times();
}

/* Seen failing with FW_BREAK_BATCH_ID. */
static void test_cut(void **state)
{
	struct trial t;
	(void)state;
	on_server(&(struct redis_options){ 0 }, cut, &t);
	assert_int_equal(t.away, 0);
}

static bool forget(struct trial *t, unsigned step)
{
	redis_tell(t->servers, "SCRIPT FLUSH");
	return step < 40 * times();
}

static void test_scripts_forgotten(void **state)
{
	struct trial t;
	(void)state;
	on_server(&(struct redis_options){ 0 }, forget, &t);
	assert_int_equal(t.away, 0);
}

static bool kill_and_start(struct trial *t, unsigned step)
{
	if (step % 10 == 5) {
		redis_server_stop(t->servers, SIGKILL);
		redis_server_start(t->servers);
	}
	return step < 30 * times();
}

static void test_killed(void **state)
{
	struct trial t;
	(void)state;
	on_server(&(struct redis_options){ .appendonly = true }, kill_and_start, &t);
}

/* Stopped for a moment; then for so long that batches are given up, which it may find in its sockets when it goes on. */
static bool stop(struct trial *t, unsigned step)
{
	if (step == 5 || step == 30)
		redis_server_pause(t->servers, true);
	if (step == 15 || step == 30 + (FW_LIMIT_STORE_GIVE_UP_MS + 1000) / FAULT_EVERY_MS)
		redis_server_pause(t->servers, false);
	return step < 50 + (FW_LIMIT_STORE_GIVE_UP_MS + 1000) / FAULT_EVERY_MS;
}

static void test_stopped(void **state)
{
	struct trial t;
	(void)state;
	on_server(&(struct redis_options){ 0 }, stop, &t);
	assert_true(t.away > 0);
}

struct patient {
	struct redis_server *server;
	unsigned answered;
	int hasty, patient;
};

static void on_hasty(void *ctx, int rc, const struct fw_row *row)
{
	struct patient *p = ctx;
	(void)row;
	p->hasty = rc;
	p->answered++;
	redis_server_pause(p->server, false);
}

static void on_patient(void *ctx, int rc, const struct fw_row *row)
{
	struct patient *p = ctx;
	p->patient = rc;
	assert_true(rc < 0 || fw_str_equal(row->value, FW_STR("value")));
	p->answered++;
}

/* Stopped for longer than a decision waits for a row: what an event changes is waited for. */
static void test_stopped_while_read(void **state)
{
	char folder[TEMPORARY_PATH], url[TEMPORARY_PATH + 64];
	struct redis_server server;
	struct store_test t;
	struct patient p = { .server = &server };
	(void)state;
	temporary_folder(folder);
	redis_server_init(&server, folder, "redis", &(struct redis_options){ 0 });
	redis_server_start(&server);
	snprintf(url, sizeof url, "redis://127.0.0.1:%d", server.port);
	store_test_init(&t, NULL);
	t.options = (struct fw_store_options){ .url = url };
	struct fw_store *store = store_open(&t);
	assert_int_equal(store_put(&t, store, 1, "key", "value", FW_VERSION_NONE).rc, 0);
	redis_server_pause(&server, true);
	fw_store_get(store, 1, fw_str("key"), &t.arena, on_hasty, &p);
	fw_store_get_for_batch(store, 1, fw_str("key"), &t.arena, on_patient, &p);
	store_wait(&t, &p.answered, 2);
	assert_int_equal(p.hasty, FW_EAWAY);
	assert_int_equal(p.patient, 0);
	fw_store_close(store);
	store_test_finish(&t);
	redis_server_finish(&server);
	store_remove(folder);
}

static bool fill(struct trial *t, unsigned step)
{
	if (step == 5)
		redis_tell(t->servers, "CONFIG SET maxmemory 1");
	if (step == 15) {
		struct fw_store_health h;
		fw_store_health(t->store, &h);
		assert_true(h.full && strstr(h.message, "OOM"));
		redis_tell(t->servers, "CONFIG SET maxmemory 0");
	}
	return step < 25;
}

static void test_full(void **state)
{
	struct trial t;
	(void)state;
	on_server(&(struct redis_options){ 0 }, fill, &t);
	assert_true(t.full > 0 && t.away == 0);
}

/* --- a cluster */

static struct redis_options short_timeout = { .more = { "--cluster-node-timeout", "1000" } };

static void on_cluster(struct redis_cluster *c, const char *durability, bool (*fault)(struct trial *t, unsigned step), struct trial *t)
{
	char url[128];
	snprintf(url, sizeof url, "redis-cluster://127.0.0.1:%d,127.0.0.1:%d", c->nodes[0].port, c->nodes[5].port);
	*t = (struct trial){ .cluster = c };
	for (unsigned i = 0; i < c->n; i++)
		if (redis_says(&c->nodes[i], "INFO replication", "role:master"))
			redis_tell(&c->nodes[i], "FLUSHALL");
	run_trial(t, &(struct fw_store_options){ .url = url, .durability = durability }, fault);
}

static bool change_places(struct trial *t, unsigned step)
{
	if (step % 10 == 5)
		redis_cluster_failover(t->cluster, step / 10 * 5000 % REDIS_SLOTS);
	return step < 40 * times();
}

/* Slot by slot and key by key, with batches in between, and back again. */
static bool move(struct trial *t, unsigned step)
{
	enum { FIRST = 16, SLOTS = 16 }; /* those of HEAVY_BUCKET */
	struct redis_cluster *c = t->cluster;
	unsigned slot = FIRST + step / 4 % SLOTS;
	if (step % 4 == 0) {
		struct redis_server *owner = redis_cluster_primary(c, slot), *to = NULL;
		for (unsigned i = 0; i < c->n && !to; i++)
			if (&c->nodes[i] != owner && redis_says(&c->nodes[i], "INFO replication", "role:master"))
				to = &c->nodes[i];
		t->victim = to;
		redis_cluster_open_slot(c, slot, to);
	} else if (step % 4 == 1) { /* one key of it */
		struct redis_server *from = redis_cluster_primary(c, slot);
		redisReply *keys = redis_ask(from, "CLUSTER GETKEYSINSLOT %u 1", slot);
		if (keys->elements)
			redis_tell(from, "MIGRATE 127.0.0.1 %d %s 0 60000", t->victim->port, keys->element[0]->str);
		freeReplyObject(keys);
	} else if (step % 4 == 3) {
		redis_cluster_move_keys(redis_cluster_primary(c, slot), t->victim, slot);
		redis_cluster_close_slot(c, slot, t->victim);
	}
	return step + 1 < SLOTS * 4 * 2 * times();
}

static bool kill_primary(struct trial *t, unsigned step)
{
	struct redis_cluster *c = t->cluster;
	if (step == 5) {
		t->victim = redis_cluster_primary(c, 100);
		redis_server_stop(t->victim, SIGKILL);
	}
	/* Until another has its slots. */
	if (step > 5 && t->victim->pid == 0 && redis_cluster_primary(c, 100) != t->victim)
		redis_server_start(t->victim);
	return step < 20 || t->victim->pid == 0;
}

/* A primary that is stopped past the failover does not know, when it goes on, that it is none any more. What it takes then is lost. */
static bool stop_primary(struct trial *t, unsigned step)
{
	struct redis_cluster *c = t->cluster;
	if (step == 5) {
		t->victim = redis_cluster_primary(c, 100);
		redis_server_pause(t->victim, true);
		t->until_us = 0;
	}
	if (step > 5 && t->victim->paused && redis_cluster_primary(c, 100) != t->victim) {
		if (t->until_us == 0)
			t->until_us = fw_monotonic_us() + 300000;
		else if (fw_monotonic_us() > t->until_us)
			redis_server_pause(t->victim, false);
	}
	return step < 20 || t->victim->paused;
}

/* Seen failing with FW_BREAK_BATCH_ID; stopping the primary also with FW_BREAK_WAIT. */
static void test_cluster(void **state)
{
	static const struct {
		const char *name, *durability;
		bool (*fault)(struct trial *t, unsigned step);
	} faults[] = { { "slots move", "server", move }, { "primaries and replicas change places", "replicated", change_places },
		{ "a primary dies", "replicated", kill_primary }, { "a primary is stopped", "replicated", stop_primary } };
	char folder[TEMPORARY_PATH];
	struct redis_cluster c;
	struct trial t;
	(void)state;
	temporary_folder(folder);
	redis_cluster_start(&c, folder, &short_timeout);
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
		print_message("%s\n", faults[i].name);
		on_cluster(&c, faults[i].durability, faults[i].fault, &t);
		redis_cluster_settle(&c, 1);
	}
	redis_cluster_finish(&c);
	store_remove(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_cut), cmocka_unit_test(test_scripts_forgotten),
		cmocka_unit_test(test_killed), cmocka_unit_test(test_stopped), cmocka_unit_test(test_stopped_while_read),
		cmocka_unit_test(test_full), cmocka_unit_test(test_cluster) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
