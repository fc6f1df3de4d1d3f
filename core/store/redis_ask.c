/* Reads and batches, until they have their outcome. Batches of one bucket go one after the other; those of others meanwhile. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/redis_own.h"

/* A bucket moves at most so often in a row before an ask waits for a tick. */
enum { MOST_MOVES = 5, TICK_MS = 20 };

static void submit(struct fw_redis_ask *a);

/* --- holding */

static void let_go(struct fw_redis_ask *a)
{
	if (--a->holders > 0)
		return;
	if (a->command)
		redisFreeCommand(a->command);
	free(a);
}

static struct fw_redis_asks *list_of(struct fw_redis_ask *a)
{
	return a->kind == FW_REDIS_BATCH ? &a->redis->batches : a->patient ? &a->redis->patient_reads : &a->redis->reads;
}

static struct fw_redis_ask *create(struct fw_redis *r, enum fw_redis_kind kind, uint32_t bucket, void *ctx)
{
	struct fw_redis_ask *a = calloc(1, sizeof *a);
	if (!a)
		return NULL;
	*a = (struct fw_redis_ask){ .redis = r, .kind = kind, .bucket = bucket, .ctx = ctx, .holders = 1, .since_us = fw_monotonic_us() };
	return a;
}

static void enter(struct fw_redis_ask *a)
{
	struct fw_redis_asks *list = list_of(a);
	a->older = list->newest;
	*(a->older ? &a->older->newer : &list->oldest) = a;
	list->newest = a;
	fw_redis_tick_soon(a->redis, TICK_MS);
}

static void leave(struct fw_redis_ask *a)
{
	struct fw_redis_asks *list = list_of(a);
	*(a->older ? &a->older->newer : &list->oldest) = a->newer;
	*(a->newer ? &a->newer->older : &list->newest) = a->older;
	a->older = a->newer = NULL;
}

/* The first of the bucket's queue that has no outcome yet is under way, or is sent now. */
static void advance(struct fw_redis *r, uint32_t bucket)
{
	struct fw_redis_ask *a;
	while ((a = r->queues[bucket].first) && a->over) {
		r->queues[bucket].first = a->behind;
		if (!a->behind)
			r->queues[bucket].last = NULL;
		let_go(a);
	}
	if (a && !a->sent && !r->closing)
		submit(a);
}

/* --- outcomes */

static void finish_read(struct fw_redis_ask *a, int rc, const struct fw_row *rows, size_t n, bool more)
{
	struct fw_row none = { .key = a->key };
	a->over = true;
	leave(a);
	if (a->kind == FW_REDIS_GET)
		fw_store_give_row(&a->redis->store, rc, rows ? rows : &none, a->done.got, a->ctx);
	else
		fw_store_give_rows(&a->redis->store, rc, rows, n, more, a->done.listed, a->ctx);
	let_go(a);
}

static void finish_batch(struct fw_redis_ask *a, int rc)
{
	struct fw_redis *r = a->redis;
	uint32_t bucket = a->bucket;
	a->over = true;
	leave(a);
	r->n_batches--;
	r->batch_bytes -= a->n;
	if (rc == 0)
		r->full = false;
	fw_store_give_outcome(&r->store, rc, rc == 0 ? a->version : 0, a->rows, a->since_us, a->done.committed, a->ctx);
	let_go(a);
	advance(r, bucket);
}

static void finish(struct fw_redis_ask *a, int rc)
{
	if (a->kind == FW_REDIS_BATCH)
		finish_batch(a, rc);
	else
		finish_read(a, rc, NULL, 0, false);
}

/* --- sending */

static void send_again_later(struct fw_redis_ask *a)
{
	struct fw_redis *r = a->redis;
	a->holders++;
	a->next = NULL;
	*r->again_end = a;
	r->again_end = &a->next;
	fw_redis_tick_soon(r, TICK_MS);
}

static struct fw_redis_line *line_of(const struct fw_redis_ask *a, const struct fw_redis_node *node)
{
	return a->kind == FW_REDIS_BATCH ? node->writes : node->reads;
}

static void on_reply(void *ctx, const redisReply *reply);

static void submit(struct fw_redis_ask *a)
{
	struct fw_redis_node *node = a->asking ? a->asking : a->redis->of[a->bucket];
	struct fw_redis_line *line = node ? line_of(a, node) : NULL;
	bool asking = a->asking != NULL;
	a->asking = NULL;
	a->sent |= a->kind == FW_REDIS_BATCH; /* it is the first of its queue from now on */
	if (!line || !fw_redis_line_up(line) || (asking && fw_redis_line_say(line, NULL, NULL, "ASKING", NULL) < 0) ||
	    fw_redis_line_send(line, a->command, a->n, on_reply, a) < 0) {
		send_again_later(a);
		return;
	}
	a->holders++;
	a->node = node;
	if (a->kind == FW_REDIS_BATCH && a->redis->replicated && !node->to_wait) {
		const struct timeval now = { 0, 0 };
		node->to_wait = true;
		evtimer_add(node->flush, &now);
	}
}

/* --- replies that are errors */

static bool begins(const char *text, const char *word)
{
	size_t n = strlen(word);
	return strncmp(text, word, n) == 0 && (text[n] == ' ' || text[n] == '\0');
}

/* "MOVED 3999 10.0.0.1:7000" and "ASK …": the node; NULL: it cannot be read. */
static struct fw_redis_node *named_node(struct fw_redis_ask *a, const char *text)
{
	char host[256];
	const char *place = strrchr(text, ' '), *colon = place ? strrchr(place, ':') : NULL;
	unsigned long port = colon ? strtoul(colon + 1, NULL, 10) : 0;
	if (!colon || port == 0 || port > 65535 || (size_t)(colon - place) > sizeof host)
		return NULL;
	snprintf(host, sizeof host, "%.*s", (int)(colon - place - 1), place + 1);
	return fw_redis_map_node(a->redis, a->node, host, (unsigned)port);
}

static void on_loaded(void *ctx, const redisReply *reply)
{
	(void)reply;
	*(bool *)ctx = false;
}

/* What comes behind the loading on the same connection finds the scripts. */
static void load_scripts(struct fw_redis_ask *a)
{
	struct fw_redis_line *line = line_of(a, a->node);
	bool *loading = a->kind == FW_REDIS_BATCH ? &a->node->loading_writes : &a->node->loading_reads;
	for (unsigned i = 0; !*loading && i < FW_REDIS_SCRIPTS; i++) {
		bool last = i + 1 == FW_REDIS_SCRIPTS;
		int rc = fw_redis_line_say(line, last ? on_loaded : NULL, loading, "SCRIPT", "LOAD",
			fw_redis_script_text((enum fw_redis_script_name)i), NULL);
		*loading = last && rc == 0;
	}
}

static void on_error(struct fw_redis_ask *a, const char *text)
{
	static const char *const passing[] = { "TRYAGAIN", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "READONLY", "BUSY", "NOREPLICAS" };
	struct fw_redis *r = a->redis;
	struct fw_redis_node *to;
	bool moved = begins(text, "MOVED");
	if (begins(text, "NOSCRIPT")) {
		load_scripts(a);
		if (++a->moves <= MOST_MOVES)
			submit(a);
		else
			send_again_later(a);
		return;
	}
	if ((moved || begins(text, "ASK")) && (to = named_node(a, text))) {
		if (moved) {
			r->of[a->bucket] = to;
			to->mapped = true;
			fw_redis_map_doubt(r);
		} else {
			a->asking = to;
		}
		if (++a->moves <= MOST_MOVES && fw_redis_line_up(line_of(a, to)))
			submit(a);
		else
			send_again_later(a);
		return;
	}
	fw_redis_trouble(r, a->node, text);
	for (size_t i = 0; i < sizeof passing / sizeof *passing; i++)
		if (begins(text, passing[i])) {
			fw_redis_map_doubt(r);
			send_again_later(a);
			return;
		}
	bool full = begins(text, "OOM") || begins(text, "MISCONF");
	r->full |= full;
	finish(a, full ? FW_EFULL : FW_EIO);
}

/* --- replies */

static void on_written(struct fw_redis_ask *a, const redisReply *reply)
{
	struct fw_redis_node *node = a->node;
	int rc = fw_redis_read_outcome(reply, &a->version);
	if (rc == FW_EIO)
		fw_redis_trouble(a->redis, node, "it answers what the script does not");
	if (rc < 0 || !a->redis->replicated) {
		finish_batch(a, rc);
		return;
	}
	a->holders++;
	a->next = NULL;
	*node->unconfirmed_end = a;
	node->unconfirmed_end = &a->next;
}

static void on_read(struct fw_redis_ask *a, const redisReply *reply)
{
	struct fw_row row, *rows = &row;
	size_t n = 1;
	bool more = false;
	int rc = a->kind == FW_REDIS_GET ? fw_redis_read_row(reply, a->key, a->arena, &row)
		: fw_redis_read_rows(reply, a->arena, &rows, &n, &more);
	if (rc == FW_EIO)
		fw_redis_trouble(a->redis, a->node, "a row is not as it was written");
	finish_read(a, rc, rc == 0 ? rows : NULL, rc == 0 ? n : 0, rc == 0 && more);
}

static void on_reply(void *ctx, const redisReply *reply)
{
	struct fw_redis_ask *a = ctx;
	if (a->over) {
		/* It took too long. */
	} else if (!reply) {
		a->redis->store.counters.resubmitted += a->kind == FW_REDIS_BATCH;
		send_again_later(a);
	} else if (reply->type == REDIS_REPLY_ERROR) {
		on_error(a, reply->str);
	} else if (a->kind == FW_REDIS_BATCH) {
		on_written(a, reply);
	} else {
		on_read(a, reply);
	}
	let_go(a);
}

/* --- replicas */

/* What the node had written before it came to this WAIT. */
static void on_waited(void *ctx, const redisReply *reply)
{
	struct fw_redis_node *node = ctx;
	bool confirmed = reply && reply->type == REDIS_REPLY_INTEGER && reply->integer >= 1;
	struct fw_redis_ask *a = node->unconfirmed, *next;
	if (!confirmed && a && reply)
		fw_redis_trouble(node->redis, node, "no replica confirms what it writes");
	node->unconfirmed = NULL;
	node->unconfirmed_end = &node->unconfirmed;
#ifdef FW_BREAK_WAIT
	confirmed = reply != NULL;
#endif
	for (; a; a = next) {
		next = a->next;
		if (!a->over && confirmed) {
			finish_batch(a, 0);
		} else if (!a->over) {
			a->redis->store.counters.resubmitted++;
			send_again_later(a);
		}
		let_go(a);
	}
}

void fw_redis_unconfirmed_lose(struct fw_redis_node *node)
{
	on_waited(node, NULL);
}

void fw_redis_flush(evutil_socket_t fd, short what, void *ctx)
{
	struct fw_redis_node *node = ctx;
	char most[16];
	(void)fd;
	(void)what;
	node->to_wait = false;
	snprintf(most, sizeof most, "%d", FW_LIMIT_REDIS_WAIT_MS);
	if (fw_redis_line_say(node->writes, on_waited, node, "WAIT", "1", most, NULL) < 0)
		on_waited(node, NULL); /* the connection is gone, and all on it */
}

/* --- time */

/* Whoever has the bucket (where there is no map, everybody) has been out of reach for so long that nothing can be expected of it. */
static bool is_lost(const struct fw_redis_ask *a, int64_t us)
{
	const struct fw_redis_node *node = a->redis->of[a->bucket];
	if (node)
		return fw_redis_line_down_us(line_of(a, node)) > us;
	for (node = a->redis->nodes; node; node = node->next)
		if (fw_redis_line_down_us(line_of(a, node)) <= us)
			return false;
	return true;
}

/* Those that wait for longer; -1: all. */
static void give_up(const struct fw_redis_asks *list, int64_t most_ms)
{
	struct fw_redis_ask *a;
	int64_t now = fw_monotonic_us();
	while ((a = list->oldest) && now - a->since_us > most_ms * 1000)
		finish(a, FW_EAWAY);
}

void fw_redis_asks_tick(struct fw_redis *r)
{
	struct fw_redis_ask *a = r->again, *next;
	r->again = NULL;
	r->again_end = &r->again;
	for (; a; a = next) {
		next = a->next;
		if (!a->over && is_lost(a, a->node ? FW_LIMIT_STORE_GIVE_UP_MS * INT64_C(1000) : FW_LIMIT_STORE_READ_MS * INT64_C(1000)))
			finish(a, FW_EAWAY); /* a batch that has not been sent anywhere need not wait */
		else if (!a->over)
			submit(a);
		let_go(a);
	}
	give_up(&r->reads, FW_LIMIT_STORE_READ_MS);
	give_up(&r->patient_reads, FW_LIMIT_STORE_GIVE_UP_MS);
	give_up(&r->batches, FW_LIMIT_STORE_GIVE_UP_MS);
	if (r->again || r->reads.oldest || r->patient_reads.oldest || r->batches.oldest)
		fw_redis_tick_soon(r, TICK_MS);
}

void fw_redis_asks_close(struct fw_redis *r)
{
	struct fw_redis_ask *a, *next;
	give_up(&r->reads, -1);
	give_up(&r->patient_reads, -1);
	give_up(&r->batches, -1);
	for (a = r->again; a; a = next) {
		next = a->next;
		let_go(a);
	}
	r->again = NULL;
	r->again_end = &r->again;
}

/* --- the calls */

static void begin_read(struct fw_redis *r, struct fw_redis_ask *a, int length)
{
	if (length > 0)
		a->n = (size_t)length;
	else
		a->command = NULL;
	enter(a);
	if (length < 0)
		finish(a, FW_ENOMEM);
	else if (r->closing || is_lost(a, FW_LIMIT_STORE_READ_MS * INT64_C(1000)))
		finish(a, FW_EAWAY);
	else
		submit(a);
}

void fw_redis_get(struct fw_store *s, uint32_t bucket, struct fw_str key, bool patient, struct fw_arena *arena, fw_store_got done,
	void *ctx)
{
	struct fw_redis *r = (struct fw_redis *)s;
	struct fw_redis_ask *a = create(r, FW_REDIS_GET, bucket, ctx);
	char *copy = fw_arena_strndup(arena, key.p, key.n);
	if (!a || !copy) {
		struct fw_row none = { .key = key };
		free(a);
		fw_store_give_row(s, FW_ENOMEM, &none, done, ctx);
		return;
	}
	a->arena = arena;
	a->key = (struct fw_str){ copy, key.n };
	a->done.got = done;
	a->patient = patient;
	begin_read(r, a, fw_redis_command_get(&a->command, r->tags[bucket], key));
}

void fw_redis_scan(struct fw_store *s, uint32_t bucket, struct fw_str prefix, struct fw_str after, size_t limit, struct fw_arena *arena,
	fw_store_listed done, void *ctx)
{
	struct fw_redis *r = (struct fw_redis *)s;
	struct fw_redis_ask *a = create(r, FW_REDIS_SCAN, bucket, ctx);
	if (!a) {
		fw_store_give_rows(s, FW_ENOMEM, NULL, 0, false, done, ctx);
		return;
	}
	a->arena = arena;
	a->done.listed = done;
	begin_read(r, a, fw_redis_command_scan(&a->command, &r->scripts, r->tags[bucket], prefix, after, limit));
}

int fw_redis_commit(struct fw_store *s, const struct fw_batch *batch, fw_store_committed done, void *ctx)
{
	struct fw_redis *r = (struct fw_redis *)s;
	if (r->n_batches >= FW_LIMIT_STORE_WAITING || r->batch_bytes >= FW_LIMIT_STORE_WAITING_BYTES)
		return FW_EBUSY;
	struct fw_redis_ask *a = create(r, FW_REDIS_BATCH, batch->bucket, ctx);
	if (!a)
		return FW_ENOMEM;
	int length = fw_redis_command_commit(&a->command, &r->scripts, r->tags[batch->bucket], s->id, r->next_sequence + 1, fw_now_us(),
		batch);
	if (length < 0) {
		a->command = NULL;
		let_go(a);
		return length;
	}
	r->next_sequence++;
	a->n = (size_t)length;
	a->rows = fw_store_rows_of(batch);
	a->done.committed = done;
	r->n_batches++;
	r->batch_bytes += a->n;
	enter(a);
	a->holders++;
	if (r->queues[batch->bucket].last)
		r->queues[batch->bucket].last->behind = a;
	else
		r->queues[batch->bucket].first = a;
	r->queues[batch->bucket].last = a;
	advance(r, batch->bucket);
	return 0;
}
