/* The group: batches of all workers, compared and written in one transaction. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "store/keeper_own.h"
#include "store/own.h"

/* So many batches that fail alone, one after the other, on a full disk: the rest will too. */
enum { FULL_ENOUGH = 3 };
/* A disk with less than this is full. */
enum { FULL_BYTES = 64 << 10 };

int fw_keeper_group_load(struct fw_keeper *k)
{
	MDB_txn *txn;
	struct fw_str row;
	uint64_t n = 0;
	int rc = mdb_txn_begin(k->db.env, NULL, MDB_RDONLY, &txn);
	if (rc != 0)
		return rc;
	if ((rc = fw_lmdb_own(txn, k->db.dbi, FW_STR("version"), &row)) == 0 && row.n != 16)
		rc = MDB_CORRUPTED;
	if (rc == 0) {
		k->version = fw_get_number(row.p, 8);
		rc = fw_submitters_load(&k->submitters, txn, k->db.dbi, &n);
		k->own_rows = 2 + n;
	}
	mdb_txn_abort(txn);
	return rc;
}

static int make_room(struct fw_keeper_group *g)
{
	if (g->n < g->size)
		return 0;
	unsigned size = g->size ? g->size * 2 : 256;
	struct fw_keeper_item *items = realloc(g->items, size * sizeof *items);
	if (items)
		g->items = items;
	uint64_t *order = realloc(g->order, size * sizeof *order);
	if (order)
		g->order = order;
	if (!items || !order)
		return FW_ENOMEM;
	g->size = size;
	return 0;
}

struct fw_keeper_item *fw_keeper_group_add(struct fw_keeper *k, const struct fw_wire_frame *f, int *ret_rc)
{
	struct fw_keeper_group *g = &k->group;
	uint8_t *copy = make_room(g) < 0 ? NULL : fw_arena_alloc(&g->arena, f->n);
	*ret_rc = FW_ENOMEM;
	if (!copy)
		return NULL;
	memcpy(copy, f->body, f->n);
	struct fw_wire_frame own = { f->type, copy, f->n };
	struct fw_keeper_item *item = &g->items[g->n];
	*item = (struct fw_keeper_item){ 0 };
	if ((*ret_rc = fw_wire_batch(&own, &g->arena, &item->batch)) < 0)
		return NULL;
	if (g->n++ == 0)
		g->since_us = fw_monotonic_us();
	g->bytes += f->n;
	return item;
}

static int compare_rows(struct fw_keeper *k, MDB_txn *txn, const struct fw_wire_batch *b, bool *ret_same)
{
	char buf[FW_LMDB_KEY_BYTES];
	*ret_same = true;
	for (unsigned i = 0; i < b->n; i++) {
		const struct fw_change *c = &b->changes[i];
		if (c->expected == FW_VERSION_ANY || c->kind == FW_CHANGE_APPEND)
			continue;
		MDB_val key = fw_lmdb_key(buf, b->bucket, c->key), value;
		int rc = mdb_get(txn, k->db.dbi, &key, &value);
		if (rc != 0 && rc != MDB_NOTFOUND)
			return rc;
#ifndef FW_BREAK_VERSIONS
		if ((rc == 0 ? fw_lmdb_version(&value) : FW_VERSION_NONE) != c->expected)
			*ret_same = false;
#endif
	}
	return 0;
}

struct fw_str fw_keeper_key(const struct fw_change *c, char buf[FW_LIMIT_STORE_KEY_BYTES])
{
	if (c->kind != FW_CHANGE_APPEND)
		return c->key;
	memcpy(buf, c->key.p, c->key.n);
	fw_store_put_count(buf + c->key.n, c->expected);
	return (struct fw_str){ buf, c->key.n + FW_STORE_NUMBER };
}

/* Gives the rows that are appended their numbers, and writes the last of them. */
static int number_rows(struct fw_keeper *k, MDB_txn *txn, const struct fw_wire_batch *b, const struct fw_change *counter, uint64_t version)
{
	char buf[FW_LMDB_KEY_BYTES], count[FW_STORE_NUMBER];
	MDB_val key = fw_lmdb_key(buf, b->bucket, counter->key), value;
	struct fw_row row = { 0 };
	int rc = mdb_get(txn, k->db.dbi, &key, &value);
	if (rc != 0 && rc != MDB_NOTFOUND)
		return rc;
	if (rc == 0 && fw_lmdb_row(&key, &value, &row) < 0)
		return MDB_CORRUPTED;
	uint64_t last = fw_store_count_of(row.value);
	for (unsigned i = 0; i < b->n; i++)
		if (b->changes[i].kind == FW_CHANGE_APPEND)
			b->changes[i].expected = ++last;
	fw_store_put_count(count, last);
	return fw_lmdb_put(txn, k->db.dbi, &key, (struct fw_str){ count, sizeof count }, version);
}

static int write_rows(struct fw_keeper *k, MDB_txn *txn, const struct fw_wire_batch *b, uint64_t version)
{
	char buf[FW_LMDB_KEY_BYTES], appended[FW_LIMIT_STORE_KEY_BYTES];
	for (unsigned i = 0; i < b->n; i++) {
		const struct fw_change *c = &b->changes[i];
		MDB_val key = fw_lmdb_key(buf, b->bucket, fw_keeper_key(c, appended));
		int rc = 0;
		if (c->kind == FW_CHANGE_COUNT)
			rc = number_rows(k, txn, b, c, version);
		else if (c->kind == FW_CHANGE_PUT || c->kind == FW_CHANGE_APPEND)
			rc = fw_lmdb_put(txn, k->db.dbi, &key, c->value, version);
		else if (c->kind == FW_CHANGE_DELETE)
			rc = mdb_del(txn, k->db.dbi, &key, NULL);
		if (rc != 0 && rc != MDB_NOTFOUND)
			return rc;
	}
	return 0;
}

/* One batch: its outcome, and whether it wrote. */
static int judge(struct fw_keeper *k, MDB_txn *txn, const struct fw_keeper_item *item, uint64_t *version, bool *wrote)
{
	struct fw_outcome *o = fw_submitter_outcome(item->submitter, item->batch.sequence);
	bool same;
	int rc = compare_rows(k, txn, &item->batch, &same);
	if (rc != 0)
		return rc;
	if (!same) {
		*o = (struct fw_outcome){ FW_ECONFLICT, 0 };
		return 0;
	}
	if (item->batch.writes) {
		++*version;
		*wrote = true;
		rc = write_rows(k, txn, &item->batch, *version);
	}
	*o = (struct fw_outcome){ 0, *version };
	return rc;
}

static int compare_order(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

/* By bucket, so that the pages of neighbours are visited together; within a bucket as they came. */
static void put_in_order(struct fw_keeper_group *g, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++)
		g->order[i] = (uint64_t)g->items[i].batch.bucket << 32 | i;
	qsort(g->order + from, to - from, sizeof *g->order, compare_order);
}

/* The rows that are the store's own: outcomes, and the highest version. */
static int write_own(struct fw_keeper *k, MDB_txn *txn, unsigned from, unsigned to, uint64_t version, uint64_t *own_rows)
{
	struct fw_keeper_group *g = &k->group;
	int64_t now_s = fw_now_us() / 1000000;
	char row[16];
	int rc = 0;
	*own_rows = k->own_rows;
	for (unsigned i = from; i < to; i++)
		g->items[i].submitter->touched = true;
	for (unsigned i = from; i < to && rc == 0; i++) {
		struct fw_submitter *s = g->items[i].submitter;
		if (!s->touched)
			continue;
		s->touched = false;
		fw_submitter_trim(s);
		rc = fw_submitter_write(s, txn, k->db.dbi, now_s, &k->scratch);
		*own_rows += !s->stored;
	}
	fw_put_number(row, version, 8);
	fw_put_number(row + 8, *own_rows, 8);
	return rc != 0 ? rc : fw_lmdb_put_own(txn, k->db.dbi, FW_STR("version"), (struct fw_str){ row, sizeof row });
}

static int finish(struct fw_keeper *k, MDB_txn *txn, unsigned from, unsigned to, uint64_t version)
{
	uint64_t own_rows;
	int rc = write_own(k, txn, from, to, version, &own_rows);
	if (rc != 0) {
		mdb_txn_abort(txn);
		return rc;
	}
#ifdef FW_BREAK_FSYNC
	fw_keeper_answer(k, from, to);
	fw_keeper_flush(k);
#endif
	if ((rc = mdb_txn_commit(txn)) != 0)
		return rc;
	k->version = version;
	k->own_rows = own_rows;
	k->state.groups++;
	k->state.syncs += !k->interval;
	k->unsynced = k->interval;
	for (unsigned i = from; i < to; i++)
		k->group.items[i].submitter->stored = true;
	return 0;
}

/* Compares and writes [from, to) in one transaction. LMDB's code; outcomes are filled where it is 0. */
static int apply(struct fw_keeper *k, unsigned from, unsigned to)
{
	struct fw_keeper_group *g = &k->group;
	MDB_txn *txn;
	uint64_t version = k->version;
	bool wrote = false;
	int rc = mdb_txn_begin(k->db.env, NULL, 0, &txn);
	if (rc != 0)
		return rc;
	put_in_order(g, from, to);
	for (unsigned i = from; i < to && rc == 0; i++) {
		const struct fw_keeper_item *item = &g->items[(uint32_t)g->order[i]];
		if (!item->again)
			rc = judge(k, txn, item, &version, &wrote);
	}
	if (rc != 0 || !wrote) {
		mdb_txn_abort(txn);
		return rc;
	}
	return finish(k, txn, from, to, version);
}

static void decide_all(struct fw_keeper *k, unsigned from, unsigned to, int rc)
{
	struct fw_keeper_group *g = &k->group;
	for (unsigned i = from; i < to; i++)
		if (!g->items[i].again)
			*fw_submitter_outcome(g->items[i].submitter, g->items[i].batch.sequence) = (struct fw_outcome){ rc, 0 };
}

static int grow(struct fw_keeper *k)
{
	MDB_envinfo info;
	char text[32];
	int rc = mdb_env_info(k->db.env, &info);
	if (rc == 0)
		rc = mdb_env_set_mapsize(k->db.env, info.me_mapsize * 2);
	snprintf(text, sizeof text, "%zu", info.me_mapsize * 2);
	if (rc == 0)
		fw_log(FW_LOG_DEBUG, "the map is larger", "bytes", text, NULL);
	return rc;
}

/* LMDB calls a write that the disk cut short EIO, and only the next one ENOSPC. */
static bool is_full(const struct fw_keeper *k, int rc)
{
	struct statvfs v;
	if (rc == EIO)
		return statvfs(k->folder, &v) == 0 && (uint64_t)v.f_bavail * v.f_frsize < FULL_BYTES;
	return rc == ENOSPC || rc == EDQUOT || rc == MDB_MAP_FULL || rc == MDB_TXN_FULL;
}

/* A commit that failed while it wrote the meta page leaves LMDB unusable, and us without knowledge of what is on disk. */
static bool is_lost(struct fw_keeper *k)
{
	MDB_txn *txn;
	int rc = mdb_txn_begin(k->db.env, NULL, 0, &txn);
	if (rc == 0)
		mdb_txn_abort(txn);
	return rc == MDB_PANIC;
}

/* One try, and further ones with a larger map. */
static int try_apply(struct fw_keeper *k, unsigned from, unsigned to)
{
	int rc;
	while ((rc = apply(k, from, to)) == MDB_MAP_FULL && grow(k) == 0)
		decide_all(k, from, to, FW_OUTCOME_NONE);
	if (rc != 0)
		decide_all(k, from, to, FW_OUTCOME_NONE);
	return rc;
}

static void set_full(struct fw_keeper *k, bool full)
{
	if (full != k->state.full)
		fw_log(full ? FW_LOG_ERROR : FW_LOG_INFO, full ? "the disk of the data is full: commits are refused"
			: "there is room for the data again",
			"folder", k->folder, NULL);
	k->state.full = full;
}

/* Applies [from, to), in halves where it does not fit as a whole, so that what is too large is refused alone. `failed` counts
 * those refused one after the other. */
static int settle(struct fw_keeper *k, unsigned from, unsigned to, unsigned *failed)
{
	int rc = *failed >= FULL_ENOUGH ? ENOSPC : try_apply(k, from, to);
	if (rc == 0) {
		/* On a full disk, too, a small batch finds freed pages to go into. */
		if (k->state.full && !is_full(k, EIO))
			set_full(k, false);
		*failed = 0;
		return 0;
	}
	if (rc == MDB_PANIC || (*failed < FULL_ENOUGH && is_lost(k)))
		return FW_EIO;
	bool full = is_full(k, rc);
	if (full && to - from > 1 && *failed < FULL_ENOUGH) {
		unsigned middle = from + (to - from) / 2;
		rc = settle(k, from, middle, failed);
		return rc < 0 ? rc : settle(k, middle, to, failed);
	}
	if (full)
		set_full(k, true);
	else
		fw_log(FW_LOG_ERROR, "batches could not be written", "cause", mdb_strerror(rc), NULL);
	++*failed;
#ifdef FW_BREAK_FULL
	decide_all(k, from, to, 0);
#else
	decide_all(k, from, to, full ? FW_EFULL : FW_EIO);
#endif
	return 0;
}

int fw_keeper_group_commit(struct fw_keeper *k)
{
	struct fw_keeper_group *g = &k->group;
	unsigned failed = 0;
	int rc = g->n > 0 ? settle(k, 0, g->n, &failed) : 0;
	if (rc < 0)
		return rc;
	fw_keeper_answer(k, 0, g->n);
	fw_keeper_publish(k, 0, g->n);
	fw_keeper_tell_state(k);
	fw_keeper_flush(k);
	for (unsigned i = 0; i < g->n; i++)
		fw_submitter_trim(g->items[i].submitter);
	fw_arena_reset(&g->arena);
	g->n = 0;
	g->bytes = 0;
	return 0;
}

static bool is_forgotten(const struct fw_submitter *s, int64_t now_s)
{
	return s->connections == 0 && (!s->stored || now_s - s->seen_s > FW_LIMIT_STORE_SUBMITTER_S);
}

int fw_keeper_group_forget(struct fw_keeper *k)
{
	int64_t now_s = fw_now_us() / 1000000;
	MDB_txn *txn;
	uint64_t gone = 0;
	char row[16];
	for (struct fw_submitter *s = k->submitters; s; s = s->next)
		gone += s->stored && is_forgotten(s, now_s);
	int rc = gone == 0 ? 0 : mdb_txn_begin(k->db.env, NULL, 0, &txn);
	if (gone > 0 && rc == 0) {
		for (struct fw_submitter *s = k->submitters; s && rc == 0; s = s->next)
			if (s->stored && is_forgotten(s, now_s))
				rc = fw_submitter_delete(s, txn, k->db.dbi);
		fw_put_number(row, k->version, 8);
		fw_put_number(row + 8, k->own_rows - gone, 8);
		if (rc == 0)
			rc = fw_lmdb_put_own(txn, k->db.dbi, FW_STR("version"), (struct fw_str){ row, sizeof row });
		if (rc == 0)
			rc = mdb_txn_commit(txn);
		else
			mdb_txn_abort(txn);
	}
	/* A full disk or map: another time. */
	if (rc != 0)
		return is_lost(k) ? FW_EIO : 0;
	k->own_rows -= gone;
	for (struct fw_submitter **p = &k->submitters; *p;) {
		struct fw_submitter *s = *p;
		if (!is_forgotten(s, now_s)) {
			p = &s->next;
			continue;
		}
		*p = s->next;
		free(s->outcomes);
		free(s);
	}
	return 0;
}

void fw_keeper_group_sync(struct fw_keeper *k)
{
	if (k->unsynced && mdb_env_sync(k->db.env, 1) == 0) {
		k->unsynced = false;
		k->state.syncs++;
	}
}
