/* A store in memory for tests: it completes late, out of order and with failures, all by a seed. Batches of one bucket are
 * applied in their order, as the contract says; those of different buckets, and reads, complete in any. */
#ifndef FW_TESTS_LIB_STORE_MEMORY_H
#define FW_TESTS_LIB_STORE_MEMORY_H

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/own.h"

struct memory_options {
	uint64_t seed;
	unsigned late_turns;   /* a completion comes after up to so many turns of the loop; 0: a read's at once */
	unsigned fail_percent; /* of reads: FW_EAWAY; of commits: FW_EFULL, FW_EIO or FW_EBUSY at the call */
	unsigned busy_percent;
	unsigned room;         /* for commits that are not answered; then FW_EBUSY; 0: for any number */
	unsigned lose_at;      /* the commit of this number, counted from 1, is applied and its answer lost; 0: none */
	unsigned lose_every;   /* and every so many after it; 0: none */
	bool dies;             /* then nothing is done any more, until memory_give_up */
};

struct memory_row {
	struct memory_row *next;
	uint32_t bucket;
	struct fw_str key, value; /* owned */
	uint64_t version;
};

/* Something to be completed. */
struct memory_pending {
	struct memory_pending *next;
	unsigned turns;
	enum { MEMORY_GET, MEMORY_SCAN, MEMORY_COMMIT, MEMORY_SCRUB } kind;
	uint32_t bucket;
	struct fw_str key, after; /* owned */
	size_t limit;
	struct fw_arena *arena;
	fw_store_got got;
	fw_store_listed listed;
	fw_store_committed committed;
	fw_store_scrubbed scrubbed;
	void *ctx;
	int64_t since_us;
	struct fw_change *changes; /* owned, with their texts */
	unsigned n;
};

struct memory_store {
	struct fw_store store;
	struct memory_options options;
	struct event *turn;
	struct memory_row *rows;
	struct memory_pending *pending; /* in the order of the calls */
	uint64_t random, version, n_rows, n_waiting;
	bool watched, closing, away; /* away: nothing completes until it is taken back */
	unsigned applied, lose_at; /* commits that were applied; the number of the one whose answer is lost next; 0: none is */
};

static inline uint64_t memory_random(struct memory_store *m, uint64_t below)
{
	m->random ^= m->random >> 12;
	m->random ^= m->random << 25;
	m->random ^= m->random >> 27;
	return (m->random * UINT64_C(0x2545f4914f6cdd1d) >> 11) % below;
}

static inline struct fw_str memory_copy(struct fw_str s)
{
	char *p = malloc(s.n + 1);
	if (!p)
		abort();
	if (s.n)
		memcpy(p, s.p, s.n);
	return (struct fw_str){ p, s.n };
}

/* In order of bucket and key; NULL, or the place where it belongs. */
static inline struct memory_row **memory_find(struct memory_store *m, uint32_t bucket, struct fw_str key, bool *ret_there)
{
	struct memory_row **p = &m->rows;
	while (*p && ((*p)->bucket < bucket || ((*p)->bucket == bucket && fw_str_compare((*p)->key, key) < 0)))
		p = &(*p)->next;
	*ret_there = *p && (*p)->bucket == bucket && fw_str_equal((*p)->key, key);
	return p;
}

static inline void memory_change(struct memory_store *m, uint32_t bucket, const struct fw_change *c, uint64_t version)
{
	bool there;
	struct memory_row **p = memory_find(m, bucket, c->key, &there), *row = *p;
	if (c->kind == FW_CHANGE_EXPECT)
		return;
	if (there) {
		free((char *)(uintptr_t)row->value.p);
		row->value = memory_copy(c->value);
		row->version = version;
		if (c->kind == FW_CHANGE_DELETE) {
			*p = row->next;
			free((char *)(uintptr_t)row->key.p);
			free((char *)(uintptr_t)row->value.p);
			free(row);
			m->n_rows--;
		}
	} else if (c->kind == FW_CHANGE_PUT) {
		row = calloc(1, sizeof *row);
		if (!row)
			abort();
		*row = (struct memory_row){ *p, bucket, memory_copy(c->key), memory_copy(c->value), version };
		*p = row;
		m->n_rows++;
	}
}

/* COUNT and APPEND become what they put. */
static inline void memory_number(struct memory_store *m, const struct memory_pending *w)
{
	uint64_t last = 0;
	bool there;
	struct fw_change *counter = NULL;
	for (unsigned i = 0; i < w->n; i++) {
		struct fw_change *c = &w->changes[i];
		if (c->kind == FW_CHANGE_COUNT) {
			const struct memory_row *row = *memory_find(m, w->bucket, c->key, &there);
			counter = c;
			last = there ? fw_store_count_of(row->value) : 0;
		} else if (c->kind == FW_CHANGE_APPEND) {
			char *key = malloc(c->key.n + FW_STORE_NUMBER);
			if (!key)
				abort();
			memcpy(key, c->key.p, c->key.n);
			fw_store_put_count(key + c->key.n, ++last);
			free((char *)(uintptr_t)c->key.p);
			c->key = (struct fw_str){ key, c->key.n + FW_STORE_NUMBER };
			c->kind = FW_CHANGE_PUT;
		}
	}
	if (counter) {
		char count[FW_STORE_NUMBER];
		fw_store_put_count(count, last);
		free((char *)(uintptr_t)counter->value.p);
		counter->value = memory_copy((struct fw_str){ count, sizeof count });
		counter->kind = FW_CHANGE_PUT;
	}
}

static inline int memory_apply(struct memory_store *m, const struct memory_pending *w, uint64_t *ret_version)
{
	bool there, writes = false;
	for (unsigned i = 0; i < w->n; i++) {
		const struct fw_change *c = &w->changes[i];
		struct memory_row *row = *memory_find(m, w->bucket, c->key, &there);
		if (c->expected != FW_VERSION_ANY && c->expected != (there ? row->version : FW_VERSION_NONE))
			return FW_ECONFLICT;
		writes |= c->kind != FW_CHANGE_EXPECT;
	}
	memory_number(m, w);
	m->version += writes;
	*ret_version = m->version;
	for (unsigned i = 0; i < w->n; i++)
		memory_change(m, w->bucket, &w->changes[i], m->version);
	return 0;
}

static inline void memory_free(struct memory_pending *w)
{
	for (unsigned i = 0; i < w->n; i++) {
		free((char *)(uintptr_t)w->changes[i].key.p);
		free((char *)(uintptr_t)w->changes[i].value.p);
	}
	free(w->changes);
	free((char *)(uintptr_t)w->key.p);
	free((char *)(uintptr_t)w->after.p);
	free(w);
}

static inline struct fw_row memory_row_copy(struct fw_arena *arena, const struct memory_row *row)
{
	char *key = fw_arena_strndup(arena, row->key.p, row->key.n), *value = fw_arena_strndup(arena, row->value.p, row->value.n);
	return (struct fw_row){ { key, row->key.n }, { value, row->value.n }, row->version };
}

static inline void memory_do_get(struct memory_store *m, struct memory_pending *w, int rc)
{
	bool there;
	struct memory_row *found = *memory_find(m, w->bucket, w->key, &there);
	struct fw_row row = { .key = w->key };
	if (rc == 0 && there) {
		row = memory_row_copy(w->arena, found);
		rc = row.key.p && row.value.p ? 0 : FW_ENOMEM;
	}
	fw_store_give_row(&m->store, rc, &row, w->got, w->ctx);
}

static inline void memory_do_scan(struct memory_store *m, struct memory_pending *w, int rc)
{
	struct fw_row *rows = FW_NEW_ARRAY(w->arena, w->limit + 1, struct fw_row);
	size_t n = 0;
	bool more = false;
	for (struct memory_row *row = m->rows; row && rows && rc == 0 && !more; row = row->next) {
		if (row->bucket != w->bucket || row->key.n < w->key.n || memcmp(row->key.p, w->key.p, w->key.n) != 0 ||
			(unsigned char)row->key.p[0] == FW_STORE_OWN_KEY || (w->after.n > 0 && fw_str_compare(row->key, w->after) <= 0))
			continue;
		if (n == w->limit)
			more = true;
		else
			rows[n++] = memory_row_copy(w->arena, row);
	}
	fw_store_give_rows(&m->store, rows ? rc : FW_ENOMEM, rows, n, more, w->listed, w->ctx);
}

static inline void memory_do_commit(struct memory_store *m, struct memory_pending *w, int rc)
{
	uint64_t version = 0;
	if (rc == 0)
		rc = memory_apply(m, w, &version);
	if (rc == 0 && ++m->applied == m->lose_at) {
		m->lose_at = m->options.lose_every ? m->applied + m->options.lose_every : 0;
		rc = FW_EAWAY;
		if (m->options.dies) {
			m->closing = true;
			event_base_loopbreak(event_get_base(m->turn)); /* for whoever is to revive it */
		}
	}
	m->n_waiting--;
	struct fw_batch batch = { w->bucket, w->changes, w->n };
	fw_store_give_outcome(&m->store, rc, rc == 0 ? version : 0, fw_store_rows_of(&batch), w->since_us, w->committed, w->ctx);
	for (unsigned i = 0; rc == 0 && i < w->n; i++)
		if (w->changes[i].kind != FW_CHANGE_EXPECT)
			fw_store_give_notice(&m->store, w->bucket, w->changes[i].key, w->changes[i].kind == FW_CHANGE_PUT ? version : 0);
}

static inline void memory_complete(struct memory_store *m, struct memory_pending *w)
{
	bool fails = m->options.fail_percent && memory_random(m, 100) < m->options.fail_percent;
	int rc = m->closing ? FW_EAWAY : 0;
	if (fails && rc == 0)
		rc = w->kind != MEMORY_COMMIT ? FW_EAWAY : memory_random(m, 2) ? FW_EFULL : FW_EIO;
	if (w->kind == MEMORY_GET)
		memory_do_get(m, w, rc);
	else if (w->kind == MEMORY_SCAN)
		memory_do_scan(m, w, rc);
	else if (w->kind == MEMORY_SCRUB)
		w->scrubbed(w->ctx, rc); /* what is deleted is freed */
	else
		memory_do_commit(m, w, rc);
	memory_free(w);
}

/* An earlier batch of the same bucket is still on its way. */
static inline bool memory_is_behind(struct memory_store *m, const struct memory_pending *w)
{
	for (struct memory_pending *p = m->pending; p && p != w; p = p->next)
		if (w->kind == MEMORY_COMMIT && p->kind == MEMORY_COMMIT && p->bucket == w->bucket)
			return true;
	return false;
}

static inline void memory_wake(struct memory_store *m)
{
	struct timeval now = { 0, 0 };
	if (m->pending && !m->closing && !m->away)
		evtimer_add(m->turn, &now);
}

static inline void memory_on_turn(evutil_socket_t fd, short what, void *ctx)
{
	struct memory_store *m = ctx;
	(void)fd;
	(void)what;
	if (m->away)
		return;
	for (struct memory_pending **p = &m->pending; *p;) {
		struct memory_pending *w = *p;
		if (w->turns > 0)
			w->turns--;
		if (w->turns > 0 || memory_is_behind(m, w)) {
			p = &w->next;
			continue;
		}
		*p = w->next;
		memory_complete(m, w);
		p = &m->pending; /* the completion may have changed the list */
		break;
	}
	memory_wake(m);
}

static inline struct memory_pending *memory_later(struct memory_store *m, uint32_t bucket, void *ctx)
{
	struct memory_pending *w = calloc(1, sizeof *w), **p = &m->pending;
	if (!w)
		abort();
	w->turns = m->options.late_turns ? (unsigned)memory_random(m, m->options.late_turns) + 1 : 1;
	w->bucket = bucket;
	w->ctx = ctx;
	w->since_us = fw_monotonic_us();
	while (*p)
		p = &(*p)->next;
	*p = w;
	memory_wake(m);
	return w;
}

static inline void memory_get(struct fw_store *s, uint32_t bucket, struct fw_str key, bool patient, struct fw_arena *arena,
	fw_store_got done, void *ctx)
{
	struct memory_store *m = (struct memory_store *)s;
	(void)patient;
	struct memory_pending *w = memory_later(m, bucket, ctx);
	w->kind = MEMORY_GET;
	w->key = memory_copy(key);
	w->arena = arena;
	w->got = done;
	if (m->options.late_turns > 0 || m->away)
		return;
	struct memory_pending **p = &m->pending;
	while (*p != w)
		p = &(*p)->next;
	*p = NULL;
	memory_complete(m, w);
}

static inline void memory_scan(struct fw_store *s, uint32_t bucket, struct fw_str prefix, struct fw_str after, size_t limit,
	struct fw_arena *arena, fw_store_listed done, void *ctx)
{
	struct memory_pending *w = memory_later((struct memory_store *)s, bucket, ctx);
	w->kind = MEMORY_SCAN;
	w->key = memory_copy(prefix);
	w->after = memory_copy(after);
	w->limit = limit;
	w->arena = arena;
	w->listed = done;
}

static inline int memory_commit(struct fw_store *s, const struct fw_batch *batch, fw_store_committed done, void *ctx)
{
	struct memory_store *m = (struct memory_store *)s;
	if (m->closing || (m->options.room && m->n_waiting >= m->options.room) ||
			(m->options.busy_percent && memory_random(m, 100) < m->options.busy_percent))
		return FW_EBUSY;
	struct memory_pending *w = memory_later(m, batch->bucket, ctx);
	w->kind = MEMORY_COMMIT;
	w->committed = done;
	w->n = batch->n;
	w->changes = calloc(batch->n, sizeof *w->changes);
	if (!w->changes)
		abort();
	for (unsigned i = 0; i < batch->n; i++) {
		w->changes[i] = batch->changes[i];
		w->changes[i].key = memory_copy(batch->changes[i].key);
		w->changes[i].value = memory_copy(batch->changes[i].value);
	}
	m->n_waiting++;
	return 0;
}

static inline int memory_watch(struct fw_store *s, bool on)
{
	((struct memory_store *)s)->watched = on;
	return 0;
}

static inline int memory_scrub(struct fw_store *s, fw_store_scrubbed done, void *ctx)
{
	struct memory_store *m = (struct memory_store *)s;
	if (m->closing)
		return FW_EBUSY;
	struct memory_pending *w = memory_later(m, 0, ctx);
	w->kind = MEMORY_SCRUB;
	w->scrubbed = done;
	return 0;
}

static inline void memory_health(struct fw_store *s, struct fw_store_health *ret)
{
	struct memory_store *m = (struct memory_store *)s;
	ret->reachable = !m->away;
	ret->rows = m->n_rows;
	ret->waiting = m->n_waiting;
}

/* Whoever waited is gone: nothing that was on its way arrives. */
static inline void memory_give_up(struct memory_store *m)
{
	m->closing = true;
	while (m->pending) {
		struct memory_pending *w = m->pending;
		m->pending = w->next;
		memory_complete(m, w);
	}
	m->closing = false;
}

static inline void memory_close(struct fw_store *s)
{
	struct memory_store *m = (struct memory_store *)s;
	memory_give_up(m);
	while (m->rows) {
		struct memory_row *next = m->rows->next;
		free((char *)(uintptr_t)m->rows->key.p);
		free((char *)(uintptr_t)m->rows->value.p);
		free(m->rows);
		m->rows = next;
	}
	event_free(m->turn);
	free(m);
}

/* A store that is empty. */
static inline struct fw_store *memory_store_open(struct event_base *base, const struct memory_options *options)
{
	static const struct fw_store_ops ops = { memory_get, memory_scan, memory_commit, memory_watch, memory_scrub, memory_health,
		memory_close };
	struct memory_store *m = calloc(1, sizeof *m);
	if (!m || fw_store_init(&m->store, &ops, "memory") < 0 || !(m->turn = evtimer_new(base, memory_on_turn, m)))
		abort();
	m->options = *options;
	m->lose_at = options->lose_at;
	m->random = options->seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
	return &m->store;
}

/* While it is away nothing completes; what waits does afterwards. */
static inline void memory_store_set_away(struct fw_store *s, bool away)
{
	struct memory_store *m = (struct memory_store *)s;
	m->away = away;
	memory_wake(m);
}

/* Calls `ends` for stores that lose one commit in a few, or have everybody die at it, over and over. */
static inline void memory_lose_again_and_again(void (*ends)(const struct memory_options *o))
{
	unsigned seeds = getenv("FW_LONG") ? 100 : 3;
	for (unsigned seed = 1; seed <= seeds; seed++)
		for (unsigned every = 2; every <= 6; every++)
			for (int dies = 0; dies < 2; dies++)
				ends(&(struct memory_options){ .seed = seed, .late_turns = seed % 3 * 4, .lose_at = every,
					.lose_every = every, .dies = dies });
}

#endif
