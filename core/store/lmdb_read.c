#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "store/own.h"
#include "store/reader.h"
#include "store/wire.h"

int fw_lmdb_reader_open(struct fw_lmdb_reader *r, const char *folder, struct fw_error *err)
{
	r->txn = NULL;
	return fw_lmdb_open(&r->db, folder, FW_LMDB_READ, err);
}

void fw_lmdb_reader_close(struct fw_lmdb_reader *r)
{
	if (r->txn)
		mdb_txn_abort(r->txn);
	r->txn = NULL;
	fw_lmdb_close(&r->db);
}

int fw_lmdb_reader_follow(struct fw_lmdb_reader *r, const char *folder, struct fw_error *err)
{
	char path[4096];
	struct stat st;
	snprintf(path, sizeof path, "%s/data.mdb", folder);
	if (r->db.env && stat(path, &st) == 0 && st.st_dev == r->db.device && st.st_ino == r->db.file)
		return 0;
	fw_lmdb_reader_close(r);
	return fw_lmdb_reader_open(r, folder, err);
}

static int renew(struct fw_lmdb_reader *r)
{
	return r->txn ? mdb_txn_renew(r->txn) : fw_lmdb_begin_read(&r->db, &r->txn);
}

/* A view of the data as it is now; end with mdb_txn_reset. */
static int begin(struct fw_lmdb_reader *r)
{
	if (!r->db.env)
		return FW_EAWAY;
	int rc = renew(r);
	/* The keeper has made the map larger; 0 stands for "as large as the file says". */
	for (int i = 0; rc == MDB_MAP_RESIZED && i < 10; i++)
		if ((rc = mdb_env_set_mapsize(r->db.env, 0)) == 0)
			rc = renew(r);
	return fw_lmdb_code(rc);
}

static int copy_row(const struct fw_row *row, struct fw_arena *arena, struct fw_row *ret)
{
	char *p = fw_arena_alloc(arena, row->key.n + row->value.n);
	if (!p)
		return FW_ENOMEM;
	memcpy(p, row->key.p, row->key.n);
	memcpy(p + row->key.n, row->value.p, row->value.n);
	*ret = (struct fw_row){ { p, row->key.n }, { p + row->key.n, row->value.n }, row->version };
	return 0;
}

int fw_lmdb_read(struct fw_lmdb_reader *r, uint32_t bucket, struct fw_str key, struct fw_arena *arena, struct fw_row *ret)
{
	char buf[FW_LMDB_KEY_BYTES];
	MDB_val at, value;
	struct fw_row row;
	*ret = (struct fw_row){ .key = key };
	if (key.n > FW_LIMIT_STORE_KEY_BYTES)
		return 0;
	int rc = begin(r);
	if (rc < 0)
		return rc;
	at = fw_lmdb_key(buf, bucket, key);
	int code = mdb_get(r->txn, r->db.dbi, &at, &value);
	if (code == 0) {
		rc = fw_lmdb_row(&at, &value, &row);
		if (rc == 0)
			rc = copy_row(&row, arena, ret);
	} else if (code != MDB_NOTFOUND) {
		rc = FW_EIO;
	}
	mdb_txn_reset(r->txn);
	return rc;
}

/* The first row at or after the start of a scan. */
static int seek(MDB_cursor *cursor, uint32_t bucket, struct fw_str prefix, struct fw_str after, MDB_val *key, MDB_val *value)
{
	char buf[FW_LMDB_KEY_BYTES];
	bool further = fw_str_compare(after, prefix) >= 0 && after.n > 0;
	struct fw_str from = further ? after : prefix;
	*key = fw_lmdb_key(buf, bucket, from);
	size_t n = key->mv_size;
	int rc = mdb_cursor_get(cursor, key, value, MDB_SET_RANGE);
	if (rc == 0 && further && key->mv_size == n && memcmp(key->mv_data, buf, n) == 0)
		rc = mdb_cursor_get(cursor, key, value, MDB_NEXT);
	return rc;
}

static bool is_within(const MDB_val *key, uint32_t bucket, struct fw_str prefix)
{
	const char *p = key->mv_data;
	return fw_lmdb_key_bucket(key) == bucket && key->mv_size >= 2 + prefix.n &&
		memcmp(p + 2, prefix.p ? prefix.p : "", prefix.n) == 0 &&
		(key->mv_size == 2 || (unsigned char)p[2] != FW_STORE_OWN_KEY);
}

static int collect(MDB_cursor *cursor, uint32_t bucket, struct fw_str prefix, struct fw_str after, size_t limit,
	struct fw_arena *arena, struct fw_row *rows, size_t *ret_n, bool *ret_more)
{
	MDB_val key, value;
	struct fw_row row;
	size_t n = 0, bytes = 0;
	int code = seek(cursor, bucket, prefix, after, &key, &value);
	*ret_more = false;
	for (; code == 0 && is_within(&key, bucket, prefix); code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
		if (n == limit || bytes > FW_LIMIT_STORE_SCAN_BYTES) {
			*ret_more = true;
			break;
		}
		int rc = fw_lmdb_row(&key, &value, &row);
		if (rc < 0)
			n = 0; /* its key, for the message */
		int copied = copy_row(&row, arena, &rows[n]);
		if (rc < 0 || copied < 0)
			return rc < 0 ? rc : copied;
		bytes += key.mv_size + value.mv_size;
		n++;
	}
	*ret_n = n;
	return code == 0 || code == MDB_NOTFOUND ? 0 : FW_EIO;
}

int fw_lmdb_scan(struct fw_lmdb_reader *r, uint32_t bucket, struct fw_str prefix, struct fw_str after, size_t limit,
	struct fw_arena *arena, struct fw_row **ret, size_t *ret_n, bool *ret_more)
{
	MDB_cursor *cursor;
	if (prefix.n > FW_LIMIT_STORE_KEY_BYTES || after.n > FW_LIMIT_STORE_KEY_BYTES)
		return FW_EINVAL;
	if (!(*ret = FW_NEW_ARRAY(arena, limit + 1, struct fw_row)))
		return FW_ENOMEM;
	int rc = begin(r);
	if (rc < 0)
		return rc;
	int code = mdb_cursor_open(r->txn, r->db.dbi, &cursor);
	if (code == 0) {
		rc = collect(cursor, bucket, prefix, after, limit, arena, *ret, ret_n, ret_more);
		mdb_cursor_close(cursor);
	} else {
		rc = fw_lmdb_code(code);
	}
	mdb_txn_reset(r->txn);
	return rc;
}

int fw_lmdb_usage(struct fw_lmdb_reader *r, uint64_t *ret_used, uint64_t *ret_size, uint64_t *ret_rows)
{
	MDB_stat stat_;
	MDB_envinfo info;
	struct fw_str version = { 0 };
	int rc = begin(r);
	if (rc < 0)
		return rc;
	int code = mdb_stat(r->txn, r->db.dbi, &stat_);
	if (code == 0)
		code = mdb_env_info(r->db.env, &info);
	if (code == 0)
		code = fw_lmdb_own(r->txn, r->db.dbi, FW_STR("version"), &version);
	if (code == 0 && version.n == 16) {
		uint64_t own = fw_get_number(version.p + 8, 8);
		*ret_used = (uint64_t)(stat_.ms_branch_pages + stat_.ms_leaf_pages + stat_.ms_overflow_pages) * stat_.ms_psize;
		*ret_size = (uint64_t)(info.me_last_pgno + 1) * stat_.ms_psize;
		*ret_rows = stat_.ms_entries > own ? stat_.ms_entries - own : 0;
	}
	mdb_txn_reset(r->txn);
	return fw_lmdb_code(code);
}
