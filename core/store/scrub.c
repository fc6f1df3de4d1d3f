#include "store/scrub.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/wire.h"

enum {
	SLICE_US = 1000,
	SLICE_BYTES = 256 << 10, /* of free pages, overwritten in a slice */
	SYNC_BYTES = 1 << 20,    /* overwritten and not on disk: more would hold up the next commit */
};

void fw_scrub_init(struct fw_scrub *s)
{
	*s = (struct fw_scrub){ .stage = FW_SCRUB_ONCE };
}

void fw_scrub_finish(struct fw_scrub *s)
{
	free(s->buffers);
	free(s->is_free);
	fw_scrub_init(s);
}

/* A line of LMDB's list of readers: process, thread, and the transaction whose state it reads, or a dash. */
static int on_reader(const char *line, void *ctx)
{
	uint64_t txn, *oldest = ctx;
	if (sscanf(line, "%*d %*x %" SCNu64, &txn) == 1 && txn < *oldest)
		*oldest = txn;
	return 0;
}

/* Pages freed by transactions before this one are nobody's: LMDB's own rule for using them again (mdb_find_oldest). */
static int find_oldest(const struct fw_lmdb *l, uint64_t last, uint64_t *ret)
{
	int dead;
	*ret = last;
	mdb_reader_check(l->env, &dead);
	return mdb_reader_list(l->env, on_reader, ret) >= 0 ? 0 : FW_EIO;
}

static int sync_file(struct fw_scrub *s, const struct fw_lmdb *l)
{
	s->unsynced = 0;
	return fw_lmdb_code(mdb_env_sync(l->env, 1));
}

/* A transaction that changes nothing: afterwards the state before the last one is no longer what it was. */
static int commit_nothing(const struct fw_lmdb *l)
{
	MDB_txn *txn;
	struct fw_str row;
	char copy[64];
	int rc = mdb_txn_begin(l->env, NULL, 0, &txn);
	if (rc != 0)
		return fw_lmdb_code(rc);
	rc = fw_lmdb_own(txn, l->dbi, FW_STR("version"), &row);
	if (rc == 0 && (row.n == 0 || row.n > sizeof copy))
		rc = MDB_CORRUPTED;
	if (rc == 0) {
		memcpy(copy, row.p, row.n);
		rc = fw_lmdb_put_own(txn, l->dbi, FW_STR("version"), (struct fw_str){ copy, row.n });
	}
	if (rc == 0)
		rc = mdb_txn_commit(txn);
	else
		mdb_txn_abort(txn);
	return rc == MDB_MAP_FULL ? FW_EFULL : fw_lmdb_code(rc);
}

/* Marks in is_free what may be overwritten. */
static int list_free(struct fw_scrub *s, const struct fw_pages *p, MDB_txn *txn, uint64_t oldest)
{
	MDB_cursor *cursor;
	MDB_val key, value;
	size_t need = (size_t)(p->last / 8) + 1;
	if (need > s->free_bytes) {
		uint8_t *more = realloc(s->is_free, need);
		if (!more)
			return FW_ENOMEM;
		s->is_free = more;
		s->free_bytes = need;
	}
	memset(s->is_free, 0, need);
	if (mdb_cursor_open(txn, 0, &cursor) != 0)
		return FW_EIO;
	int rc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
	for (; rc == 0; rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
		if (key.mv_size != 8 || value.mv_size < 8 || fw_get_number(key.mv_data, 8) >= oldest)
			break;
		const uint8_t *list = value.mv_data;
		uint64_t n = fw_get_number(list, 8);
		for (uint64_t i = 1; i <= n && i < value.mv_size / 8; i++) {
			uint64_t number = fw_get_number(list + i * 8, 8);
			if (number >= 2 && number <= p->last)
				s->is_free[number / 8] |= (uint8_t)(1u << number % 8);
		}
	}
	mdb_cursor_close(cursor);
	return rc == 0 || rc == MDB_NOTFOUND ? 0 : FW_EIO;
}

static int clear_free(struct fw_scrub *s, const struct fw_pages *p, int64_t until_us)
{
	uint64_t enough = s->cleared + SLICE_BYTES;
	for (unsigned seen = 0; s->page <= p->last; s->page++) {
		if (!(s->is_free[s->page / 8] >> s->page % 8 & 1))
			continue;
		if (s->cleared >= enough || (++seen % 8 == 0 && fw_monotonic_us() >= until_us))
			return 1;
		int rc = fw_page_read_part(p, s->page, 0, p->bytes, s->buffers);
		if (rc == 0)
			rc = fw_scrub_clear(s, p, s->page, s->buffers, 0, p->bytes);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* A transaction that failed may have written beyond the last page. */
static int cut_end(const struct fw_pages *p)
{
	off_t end = (off_t)((p->last + 1) * p->bytes);
	struct stat st;
	if (fstat(p->fd, &st) < 0)
		return FW_EIO;
	return st.st_size <= end || ftruncate(p->fd, end) == 0 ? 0 : FW_EIO;
}

static int free_slice(struct fw_scrub *s, const struct fw_lmdb *l, const struct fw_pages *p, MDB_txn *txn, int64_t until_us)
{
	uint64_t oldest;
	int rc = find_oldest(l, p->txn, &oldest);
	if (rc < 0)
		return rc;
#ifndef FW_BREAK_SCRUB_READERS
	if (oldest <= s->walked)
		return FW_EBUSY;
#else
	oldest = p->txn;
#endif
	rc = list_free(s, p, txn, oldest);
	if (rc == 0)
		rc = clear_free(s, p, until_us);
	if (rc != 0)
		return rc;
	return cut_end(p);
}

/* A slice of the stage in hand, in the state of `txn`: 1, 0 when the stage is done, or an error. */
static int slice(struct fw_scrub *s, const struct fw_lmdb *l, MDB_txn *txn)
{
	struct fw_pages p;
	int64_t until_us = fw_monotonic_us() + SLICE_US;
	int rc = fw_pages_see(l, txn, &p);
	if (rc < 0)
		return rc;
	if (!s->buffers && !(s->buffers = malloc((FW_PAGE_DEPTH + 1) * p.bytes)))
		return FW_ENOMEM;
	switch (s->stage) {
	case FW_SCRUB_ONCE:
	case FW_SCRUB_ROWS:
		return fw_scrub_rows(s, &p, txn, l->dbi, until_us);
	case FW_SCRUB_LIST:
		s->walked = p.txn;
		return fw_scrub_list(s, &p);
	default:
		return free_slice(s, l, &p, txn, until_us);
	}
}

int fw_scrub_step(struct fw_scrub *s, const struct fw_lmdb *l)
{
	MDB_txn *txn;
#ifdef FW_BREAK_SCRUB
	return 0;
#endif
	int code = mdb_txn_begin(l->env, NULL, MDB_RDONLY, &txn);
	if (code != 0)
		return fw_lmdb_code(code);
	int rc = slice(s, l, txn);
	mdb_txn_abort(txn);
	if (rc > 0 && s->unsynced >= SYNC_BYTES)
		return sync_file(s, l) < 0 ? FW_EIO : FW_SCRUB_MORE;
	if (rc != 0)
		return rc;
	switch (s->stage) {
	case FW_SCRUB_ONCE:
		s->stage = FW_SCRUB_ROWS;
		s->n_after = 0;
		return FW_SCRUB_REOPEN;
	case FW_SCRUB_ROWS:
		s->stage = FW_SCRUB_LIST;
		return FW_SCRUB_MORE;
	case FW_SCRUB_LIST:
		/* Done again when the disk was full. */
		if ((rc = commit_nothing(l)) < 0)
			return rc;
		s->stage = FW_SCRUB_FREE;
		s->page = 2;
		return FW_SCRUB_MORE;
	default:
		return sync_file(s, l);
	}
}
