#include "store/lmdb.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/folder.h"
#include "base/hash.h"
#include "base/limits.h"
#include "store/wire.h"

static const struct fw_str mark = { "floorwalker", 11 };
enum { FORMAT_BYTES = 11 + 4 + 16 };

const char *fw_lmdb_folder(const char *url)
{
	return url && strncmp(url, "lmdb:/", 6) == 0 && url[6] ? url + 5 : NULL;
}

int fw_lmdb_code(int rc)
{
	switch (rc) {
	case MDB_SUCCESS:
		return 0;
	case ENOMEM:
		return FW_ENOMEM;
	case ENOSPC:
	case EDQUOT:
		return FW_EFULL;
	case MDB_INVALID:
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_VERSION_MISMATCH:
		return FW_EINVAL;
	case MDB_READERS_FULL:
		return FW_EAWAY;
	default:
		return FW_EIO;
	}
}

int fw_lmdb_fail(struct fw_error *err, int rc, const char *file, const char *what)
{
	int code = fw_lmdb_code(rc);
	if (rc == MDB_VERSION_MISMATCH)
		fw_fail(err, code, file, 0, "%s: it was written by another version of LMDB", what);
	else if (code == FW_EINVAL)
		fw_fail(err, code, file, 0, "%s: it is damaged, or no store's data (%s)", what, mdb_strerror(rc));
	else
		fw_fail(err, code, file, 0, "%s: %s", what, mdb_strerror(rc));
	if (code == FW_EINVAL)
		fw_hint(err, "restore a backup with `floorwalker store restore`");
	else if (code == FW_EFULL)
		fw_hint(err, "make room on its disk");
	return code;
}

MDB_val fw_lmdb_key(char buf[FW_LMDB_KEY_BYTES], uint32_t bucket, struct fw_str key)
{
	buf[0] = (char)(unsigned char)(bucket >> 8);
	buf[1] = (char)(unsigned char)bucket;
	if (key.n)
		memcpy(buf + 2, key.p, key.n);
	return (MDB_val){ key.n + 2, buf };
}

uint32_t fw_lmdb_key_bucket(const MDB_val *key)
{
	const unsigned char *p = key->mv_data;
	return key->mv_size < 2 ? FW_LMDB_OWN_BUCKET : (uint32_t)p[0] << 8 | p[1];
}

uint64_t fw_lmdb_version(const MDB_val *value)
{
	return value->mv_size < FW_LMDB_ROW_HEAD ? FW_VERSION_NONE : fw_get_number(value->mv_data, 8);
}

static uint32_t checksum(const MDB_val *key, uint64_t version, const void *bytes, size_t n)
{
	return (uint32_t)XXH64(bytes, n, XXH64(key->mv_data, key->mv_size, version));
}

int fw_lmdb_row(const MDB_val *key, const MDB_val *value, struct fw_row *ret)
{
	const char *p = value->mv_data;
	size_t n = key->mv_size < 2 ? 0 : key->mv_size - 2;
	*ret = (struct fw_row){ .key = { (const char *)key->mv_data + (key->mv_size - n), n } };
	if (key->mv_size < 2 || value->mv_size < FW_LMDB_ROW_HEAD)
		return FW_EIO;
	ret->value = (struct fw_str){ p + FW_LMDB_ROW_HEAD, value->mv_size - FW_LMDB_ROW_HEAD };
	ret->version = fw_get_number(p, 8);
	return fw_get_number(p + 8, 4) == checksum(key, ret->version, ret->value.p, ret->value.n) ? 0 : FW_EIO;
}

int fw_lmdb_put(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, struct fw_str bytes, uint64_t version)
{
	MDB_val value = { FW_LMDB_ROW_HEAD + bytes.n, NULL };
	int rc = mdb_put(txn, dbi, key, &value, MDB_RESERVE);
	if (rc != 0)
		return rc;
	char *p = value.mv_data;
	fw_put_number(p, version, 8);
	fw_put_number(p + 8, checksum(key, version, bytes.p, bytes.n), 4);
	if (bytes.n)
		memcpy(p + FW_LMDB_ROW_HEAD, bytes.p, bytes.n);
	return 0;
}

int fw_lmdb_own(MDB_txn *txn, MDB_dbi dbi, struct fw_str name, struct fw_str *ret)
{
	char buf[FW_LMDB_KEY_BYTES];
	MDB_val key = fw_lmdb_key(buf, FW_LMDB_OWN_BUCKET, name), value;
	struct fw_row row;
	int rc = mdb_get(txn, dbi, &key, &value);
	if (rc == MDB_NOTFOUND) {
		*ret = (struct fw_str){ 0 };
		return 0;
	}
	if (rc != 0)
		return rc;
	if (fw_lmdb_row(&key, &value, &row) < 0)
		return MDB_CORRUPTED;
	*ret = row.value;
	return 0;
}

int fw_lmdb_put_own(MDB_txn *txn, MDB_dbi dbi, struct fw_str name, struct fw_str bytes)
{
	char buf[FW_LMDB_KEY_BYTES];
	MDB_val key = fw_lmdb_key(buf, FW_LMDB_OWN_BUCKET, name);
	return fw_lmdb_put(txn, dbi, &key, bytes, FW_VERSION_NONE);
}

/* LMDB maps its lock file and writes into the map: on a full disk a hole in it would be a SIGBUS, so it has none. The
 * descriptor is closed before LMDB puts its own locks on the file. */
static int reserve_lock_file(const char *folder, struct fw_error *err)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/lock.mdb", folder);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct stat st;
	off_t least = 4096 + 64 * FW_LIMIT_STORE_READERS;
	int rc = fd < 0 || fstat(fd, &st) < 0 ? errno : posix_fallocate(fd, 0, st.st_size > least ? st.st_size : least);
	if (fd >= 0)
		close(fd);
	return rc == 0 || rc == EOPNOTSUPP || rc == EINVAL ? 0 : fw_lmdb_fail(err, rc, path, "the lock file cannot be made");
}

static int check_file(const char *path, struct stat *st, enum fw_lmdb_use use, struct fw_error *err)
{
	if (stat(path, st) < 0) {
		*st = (struct stat){ 0 };
		if (errno != ENOENT)
			return fw_fail(err, FW_EIO, path, 0, "the data cannot be read: %s", strerror(errno));
		return use == FW_LMDB_CREATE ? 0 : fw_fail(err, FW_EIO, path, 0, "there is no data yet");
	}
	if (!S_ISREG(st->st_mode))
		return fw_fail(err, FW_EINVAL, path, 0, "this is no file");
	if (st->st_size > 0)
		return 0;
	fw_fail(err, FW_EINVAL, path, 0, "the data is empty: something has cut it off");
	fw_hint(err, "restore a backup with `floorwalker store restore`; or remove the file, if nothing was ever in it");
	return FW_EINVAL;
}

int fw_lmdb_length(const struct fw_lmdb *l, uint64_t *ret_is, uint64_t *ret_should)
{
	MDB_envinfo info;
	MDB_stat stat_;
	struct stat st;
	mdb_filehandle_t fd;
	int rc = mdb_env_get_fd(l->env, &fd);
	if (rc == 0)
		rc = mdb_env_info(l->env, &info);
	if (rc == 0)
		rc = mdb_env_stat(l->env, &stat_);
	if (rc != 0 || fstat(fd, &st) < 0)
		return FW_EIO;
	*ret_is = (uint64_t)st.st_size;
	*ret_should = (uint64_t)(info.me_last_pgno + 1) * stat_.ms_psize;
	return 0;
}

int fw_lmdb_mend_length(const struct fw_lmdb *l)
{
	uint64_t is = 0, should = 0;
	mdb_filehandle_t fd;
	int rc = fw_lmdb_length(l, &is, &should);
	if (rc < 0 || is >= should)
		return rc;
	return mdb_env_get_fd(l->env, &fd) == 0 && ftruncate(fd, (off_t)should) == 0 ? 0 : FW_EIO;
}

/* A reader would die of a page that the file has no more. The keeper mends a length that is only behind, within a moment. */
static int check_length(const struct fw_lmdb *l, const char *path, struct fw_error *err)
{
	uint64_t is = 0, should = 0;
	for (int i = 0; i < 100; i++) {
		if (fw_lmdb_length(l, &is, &should) < 0)
			return fw_fail(err, FW_EIO, path, 0, "the data cannot be read");
		if (is >= should)
			return 0;
		usleep(10000);
	}
	fw_fail(err, FW_EINVAL, path, 0, "the data is cut off: %llu bytes are left of %llu", (unsigned long long)is,
		(unsigned long long)should);
	fw_hint(err, "restore a backup with `floorwalker store restore`");
	return FW_EINVAL;
}

static int check_format(struct fw_str row, const char *path, struct fw_error *err)
{
	if (row.n < FORMAT_BYTES || memcmp(row.p, mark.p, mark.n) != 0) {
		fw_fail(err, FW_EINVAL, path, 0, "this is no data of floorwalker: it is damaged, or another program's");
		fw_hint(err, "restore a backup with `floorwalker store restore`");
		return FW_EINVAL;
	}
	unsigned format = (unsigned)fw_get_number(row.p + mark.n, 4);
#ifdef FW_BREAK_FORMAT
	format = FW_LMDB_FORMAT;
#endif
	if (format == FW_LMDB_FORMAT)
		return 0;
	if (format < FW_LMDB_FORMAT) {
		fw_fail(err, FW_EINVAL, path, 0, "this data was written by an older version (format %u; this one reads %d)", format,
			FW_LMDB_FORMAT);
		fw_hint(err, "restore a backup of this version with `floorwalker store restore`, or start the older version");
		return FW_EINVAL;
	}
	fw_fail(err, FW_EINVAL, path, 0, "this data was written by a newer version (format %u; this one reads up to %d)", format,
		FW_LMDB_FORMAT);
	fw_hint(err, "start the newer version, or restore a backup of this one with `floorwalker store restore`");
	return FW_EINVAL;
}

static int write_format(MDB_txn *txn, MDB_dbi dbi)
{
	char row[FORMAT_BYTES], version[16];
	memcpy(row, mark.p, mark.n);
	fw_put_number(row + mark.n, FW_LMDB_FORMAT, 4);
	if (getrandom(row + mark.n + 4, 16, 0) != 16)
		return EIO;
	fw_put_number(version, 0, 8);
	fw_put_number(version + 8, 2, 8);
	int rc = fw_lmdb_put_own(txn, dbi, FW_STR("format"), (struct fw_str){ row, sizeof row });
	return rc != 0 ? rc : fw_lmdb_put_own(txn, dbi, FW_STR("version"), (struct fw_str){ version, sizeof version });
}

int fw_lmdb_begin_read(const struct fw_lmdb *l, MDB_txn **ret)
{
	int dead, rc = mdb_txn_begin(l->env, NULL, MDB_RDONLY, ret);
	if (rc != MDB_READERS_FULL)
		return rc;
	/* Those of processes that died may have the places. */
	mdb_reader_check(l->env, &dead);
	return mdb_txn_begin(l->env, NULL, MDB_RDONLY, ret);
}

/* The format's row: read, or written where the database is empty. */
static int open_format(struct fw_lmdb *l, const char *path, enum fw_lmdb_use use, struct fw_error *err)
{
	static const char what[] = "the data cannot be read";
	MDB_txn *txn = NULL;
	MDB_stat stat_;
	struct fw_str row;
	int rc = use == FW_LMDB_CREATE ? mdb_txn_begin(l->env, NULL, 0, &txn) : fw_lmdb_begin_read(l, &txn);
	if (rc != 0)
		return fw_lmdb_fail(err, rc, path, what);
	if ((rc = mdb_dbi_open(txn, NULL, 0, &l->dbi)) != 0 || (rc = mdb_stat(txn, l->dbi, &stat_)) != 0 ||
		(rc = fw_lmdb_own(txn, l->dbi, FW_STR("format"), &row)) != 0) {
		mdb_txn_abort(txn);
		return fw_lmdb_fail(err, rc, path, what);
	}
	if (stat_.ms_entries == 0 && use == FW_LMDB_CREATE) {
		if ((rc = write_format(txn, l->dbi)) != 0) {
			mdb_txn_abort(txn);
			return fw_lmdb_fail(err, rc, path, "the data cannot be made");
		}
		rc = mdb_txn_commit(txn);
		return rc == 0 ? 0 : fw_lmdb_fail(err, rc, path, "the data cannot be made");
	}
	int code = check_format(row, path, err);
	mdb_txn_abort(txn);
	return code;
}

static int open_env(struct fw_lmdb *l, const char *folder, off_t size, enum fw_lmdb_use use)
{
	size_t map = (size_t)size * 2 > FW_LIMIT_STORE_MAP_BYTES ? (size_t)size * 2 : FW_LIMIT_STORE_MAP_BYTES;
	int rc = mdb_env_create(&l->env);
	if (rc == 0)
		rc = mdb_env_set_maxreaders(l->env, FW_LIMIT_STORE_READERS);
	/* A map is whole pages; readers take the writer's size from the file. */
	if (rc == 0 && use != FW_LMDB_READ)
		rc = mdb_env_set_mapsize(l->env, (map + 0xfffff) & ~(size_t)0xfffff);
	if (rc == 0)
		rc = mdb_env_open(l->env, folder, MDB_NOTLS | MDB_NORDAHEAD | (use == FW_LMDB_READ ? (unsigned)MDB_RDONLY : 0), 0600);
	return rc;
}

int fw_lmdb_open(struct fw_lmdb *l, const char *folder, enum fw_lmdb_use use, struct fw_error *err)
{
	char path[4096];
	struct stat st;
	*l = (struct fw_lmdb){ 0 };
	if ((size_t)snprintf(path, sizeof path, "%s/data.mdb", folder) >= sizeof path)
		return fw_fail(err, FW_EINVAL, NULL, 0, "the path of the data folder is too long");
	int rc = use == FW_LMDB_CREATE ? fw_make_folders(folder, 0700, err) : 0;
	if (rc == 0)
		rc = check_file(path, &st, use, err);
	if (rc == 0 && use != FW_LMDB_READ)
		rc = reserve_lock_file(folder, err);
	if (rc < 0)
		return rc;
	int code = open_env(l, folder, st.st_size, use);
	if (code != 0) {
		fw_lmdb_close(l);
		return fw_lmdb_fail(err, code, path, "the data cannot be opened");
	}
	rc = use == FW_LMDB_READ ? check_length(l, path, err) : 0;
	if (rc == 0)
		rc = open_format(l, path, use, err);
	if (rc == 0 && stat(path, &st) < 0)
		rc = fw_fail(err, FW_EIO, path, 0, "the data is gone: %s", strerror(errno));
	if (rc < 0) {
		fw_lmdb_close(l);
		return rc;
	}
	l->device = st.st_dev;
	l->file = st.st_ino;
	return 0;
}

void fw_lmdb_close(struct fw_lmdb *l)
{
	if (l->env)
		mdb_env_close(l->env);
	l->env = NULL;
}
