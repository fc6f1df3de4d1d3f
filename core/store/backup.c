/* Living with the data: a copy of it, its return, and a look at every row. All of them run in a command's process. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/folder.h"
#include "store/guard.h"
#include "store/keeper.h"
#include "store/keeper_lock.h"
#include "store/lmdb.h"
#include "store/own.h"

enum {
	PATH_BYTES = 4096,
	ROWS_A_VIEW = 1000, /* read in one transaction: a longer one would keep the keeper from using pages again */
	RESTORE_WAIT_MS = 2000,
};

static int folder_of(const struct fw_store_options *options, const char **ret, struct fw_error *err)
{
	*ret = fw_lmdb_folder(options->url);
	return *ret ? 0 : fw_fail(err, FW_EINVAL, NULL, 0, "the store \"%s\" has no file: this is for LMDB only", options->url
		? options->url : "");
}

/* So that a name that was given survives a power loss. */
static int sync_path(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int rc = fd < 0 ? -1 : fsync(fd);
	if (fd >= 0)
		close(fd);
	return rc;
}

static int sync_parent(const char *path)
{
	char parent[PATH_BYTES];
	const char *slash = strrchr(path, '/');
	if (!slash)
		return sync_path(".");
	snprintf(parent, sizeof parent, "%.*s", slash == path ? 1 : (int)(slash - path), path);
	return sync_path(parent);
}

static void remove_part(const char *part)
{
	char path[PATH_BYTES + 16];
	snprintf(path, sizeof path, "%s/data.mdb", part);
	unlink(path);
	rmdir(part);
}

static int copy_out(const char *folder, const char *part, struct fw_error *err)
{
	struct fw_lmdb l;
	int rc = fw_lmdb_open(&l, folder, FW_LMDB_READ, err);
	if (rc < 0)
		return rc;
	int code = mdb_env_copy2(l.env, part, MDB_CP_COMPACT);
	fw_lmdb_close(&l);
	if (code == 0)
		return 0;
	rc = fw_lmdb_fail(err, code, part, "the backup cannot be written");
	return rc;
}

int fw_keeper_backup(const struct fw_store_options *options, const char *to, struct fw_error *err)
{
	char part[PATH_BYTES], data[PATH_BYTES + 16];
	const char *folder;
	struct stat st;
	int rc = folder_of(options, &folder, err);
	if (rc < 0)
		return rc;
	if (lstat(to, &st) == 0)
		return fw_fail(err, FW_EINVAL, to, 0, "there is something of that name already");
	if ((size_t)snprintf(part, sizeof part, "%s.part", to) >= sizeof part)
		return fw_fail(err, FW_EINVAL, NULL, 0, "the path is too long");
	remove_part(part);
	if (mkdir(part, 0700) < 0)
		return fw_fail(err, FW_EIO, part, 0, "the folder cannot be made: %s", strerror(errno));
	rc = copy_out(folder, part, err);
	snprintf(data, sizeof data, "%s/data.mdb", part);
	if (rc == 0 && (sync_path(data) < 0 || sync_path(part) < 0 || rename(part, to) < 0 || sync_parent(to) < 0))
		rc = fw_fail(err, FW_EIO, to, 0, "the backup cannot be finished: %s", strerror(errno));
	if (rc < 0)
		remove_part(part);
	return rc;
}

static int copy_file(const char *from, const char *to, struct fw_error *err)
{
	static const char what[] = "the backup cannot be copied";
	char bytes[1 << 16];
	int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ssize_t n = in < 0 || out < 0 ? -1 : 1;
	while (n > 0) {
		n = read(in, bytes, sizeof bytes);
		for (ssize_t at = 0, m; n > 0 && at < n; at += m)
			if ((m = write(out, bytes + at, (size_t)(n - at))) < 0) {
				n = -1;
				break;
			}
	}
	int rc = n < 0 || fsync(out) < 0 ? fw_lmdb_fail(err, errno, in < 0 ? from : to, what) : 0;
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return rc;
}

static int put_in_place(const char *folder, const char *from, struct fw_error *err)
{
	char source[PATH_BYTES], part[PATH_BYTES], data[PATH_BYTES], lock[PATH_BYTES];
	snprintf(source, sizeof source, "%s/data.mdb", from);
	snprintf(part, sizeof part, "%s/data.mdb.part", folder);
	snprintf(data, sizeof data, "%s/data.mdb", folder);
	snprintf(lock, sizeof lock, "%s/lock.mdb", folder);
	int rc = copy_file(source, part, err);
	/* LMDB's table of readers belongs to the former file. */
	if (rc == 0 && ((unlink(lock) < 0 && errno != ENOENT) || rename(part, data) < 0 || sync_path(folder) < 0))
		rc = fw_fail(err, FW_EIO, data, 0, "the backup cannot be put in place: %s", strerror(errno));
	if (rc < 0)
		unlink(part);
	return rc;
}

int fw_keeper_restore(const struct fw_store_options *options, const char *from, struct fw_error *err)
{
	const char *folder;
	int fd = -1, rc = folder_of(options, &folder, err);
	if (rc == 0)
		rc = fw_store_look(from, false, true, err);
	if (rc == 0)
		rc = fw_make_folders(folder, 0700, err);
	if (rc == 0)
		rc = fw_keeper_lock(folder, RESTORE_WAIT_MS, &fd, err);
	if (rc < 0)
		return rc;
	rc = put_in_place(folder, from, err);
	close(fd);
	return rc;
}

struct look {
	int (*each)(void *ctx, uint32_t bucket, const struct fw_row *row, struct fw_error *err);
	void *ctx;
	struct fw_store_check *count;
	struct fw_error *err; /* of the first row that is wrong */
	struct fw_buf bytes; /* of a row: `each` sees no page of the file */
	char last[FW_LMDB_KEY_BYTES];
	size_t n_last;
};

static void complain(struct look *o, uint32_t bucket, struct fw_str key, const char *what)
{
	if (o->count->damaged + o->count->refused > 1)
		return;
	fw_fail(o->err, FW_EINVAL, NULL, 0, "bucket %u, row \"%.*s\": %s", bucket, (int)(key.n < 200 ? key.n : 200), key.p, what);
}

static void look_at(struct look *o, const MDB_val *key, const MDB_val *value)
{
	struct fw_row row;
	struct fw_error err = { 0 };
	uint32_t bucket = fw_lmdb_key_bucket(key);
	bool damaged = fw_lmdb_row(key, value, &row) < 0;
	if (damaged) {
		o->count->damaged++;
		complain(o, bucket, row.key, "its checksum is wrong");
	}
	if (bucket == FW_LMDB_OWN_BUCKET || row.key.n == 0 || (unsigned char)row.key.p[0] == FW_STORE_OWN_KEY)
		return;
	o->count->rows++;
	o->count->bytes += row.key.n + row.value.n;
	if (damaged || !o->each)
		return;
	fw_buf_clear(&o->bytes);
	fw_buf_add(&o->bytes, row.key.p, row.key.n);
	fw_buf_add(&o->bytes, row.value.p, row.value.n);
	if (o->bytes.failed) {
		fw_fail(&err, FW_ENOMEM, NULL, 0, "out of memory");
	} else {
		row.key.p = o->bytes.data;
		row.value.p = o->bytes.data + row.key.n;
		if (o->each(o->ctx, bucket, &row, &err) == 0)
			return;
	}
	o->count->refused++;
	complain(o, bucket, row.key, err.message);
}

/* Some rows, after the last one seen. LMDB's code; MDB_NOTFOUND at the end. */
static int look_on(struct look *o, const struct fw_lmdb *l)
{
	MDB_txn *txn;
	MDB_cursor *cursor;
	MDB_val key = { o->n_last, o->last }, value;
	int rc = fw_lmdb_begin_read(l, &txn);
	if (rc != 0)
		return rc;
	if ((rc = mdb_cursor_open(txn, l->dbi, &cursor)) == 0) {
		rc = mdb_cursor_get(cursor, &key, &value, o->n_last ? MDB_SET_RANGE : MDB_FIRST);
		if (rc == 0 && key.mv_size == o->n_last && memcmp(key.mv_data, o->last, o->n_last) == 0)
			rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
		for (int i = 0; rc == 0 && i < ROWS_A_VIEW; i++) {
			look_at(o, &key, &value);
			memcpy(o->last, key.mv_data, key.mv_size);
			o->n_last = key.mv_size;
			rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
		}
		mdb_cursor_close(cursor);
	}
	mdb_txn_abort(txn);
	return rc;
}

int fw_keeper_check(const struct fw_store_options *options,
	int (*each)(void *ctx, uint32_t bucket, const struct fw_row *row, struct fw_error *err), void *ctx,
	struct fw_store_check *ret, struct fw_error *err)
{
	struct fw_lmdb l;
	const char *folder;
	struct look o = { .each = each, .ctx = ctx, .count = ret, .err = err };
	*ret = (struct fw_store_check){ 0 };
	int rc = folder_of(options, &folder, err);
	fw_buf_init(&o.bytes, 0);
	/* First in a child: pages that are no pages may kill who reads them. */
	if (rc == 0)
		rc = fw_store_look(folder, false, true, err);
	if (rc == 0)
		rc = fw_lmdb_open(&l, folder, FW_LMDB_READ, err);
	if (rc < 0)
		return rc;
	int code;
	while ((code = look_on(&o, &l)) == 0 || code == MDB_MAP_RESIZED)
		if (code == MDB_MAP_RESIZED && (code = mdb_env_set_mapsize(l.env, 0)) != 0)
			break;
	fw_lmdb_close(&l);
	fw_buf_finish(&o.bytes);
	if (code != MDB_NOTFOUND)
		return fw_lmdb_fail(err, code, folder, "the data cannot be read");
	return ret->damaged + ret->refused > 0 ? FW_EINVAL : 0;
}

int fw_keeper_hold(const struct fw_store_options *options, int *ret_fd, struct fw_error *err)
{
	char path[PATH_BYTES];
	const char *folder;
	int rc = folder_of(options, &folder, err);
	if (rc < 0)
		return rc;
	snprintf(path, sizeof path, "%s/data.mdb", folder);
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return fw_fail(err, FW_EIO, path, 0, "there is no data yet");
	return fw_keeper_lock(folder, RESTORE_WAIT_MS, ret_fd, err);
}
