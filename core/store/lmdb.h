/* The data file: opening it, the form of a row, the store's own rows. Only for core/store/.
 *
 * Everything lies in LMDB's main database. A key is the bucket (2 bytes, big-endian: a bucket's rows lie together) and the
 * row's key. A value is the version (8 bytes), a checksum (4) and the row's bytes; the checksum is the low half of
 * XXH64(bytes, seed XXH64(key, seed version)). Numbers are little-endian. Bucket 0xffff holds the store's own rows:
 *   format   "floorwalker" (11 bytes), the format's number (4), a random name for this data (16)
 *   version  the highest version given (8), how many rows of its own the store has (8)
 *   s…       a submitter (8 bytes): see submitter.h */
#ifndef FW_STORE_LMDB_H
#define FW_STORE_LMDB_H

#include <lmdb.h>
#include <sys/types.h>

#include "store/store.h"

enum {
	FW_LMDB_FORMAT = 1,
	FW_LMDB_ROW_HEAD = 12,
	FW_LMDB_OWN_BUCKET = 0xffff,
	FW_LMDB_KEY_BYTES = 511,
};

struct fw_lmdb {
	MDB_env *env;
	MDB_dbi dbi;
	dev_t device; /* of the file that is open … */
	ino_t file;   /* … which a restore replaces */
};

enum fw_lmdb_use {
	FW_LMDB_READ,
	FW_LMDB_WRITE,
	FW_LMDB_CREATE, /* WRITE, and makes folder and file where there are none */
};

/* "lmdb:/folder" into the folder; NULL when it is no such thing. */
const char *fw_lmdb_folder(const char *url);

/* 0; FW_EINVAL: damaged, of another version, or not floorwalker's; FW_EIO; FW_EFULL; FW_ENOMEM. Never twice in a process at
 * one time, and never over a fork. */
int fw_lmdb_open(struct fw_lmdb *l, const char *folder, enum fw_lmdb_use use, struct fw_error *err);
void fw_lmdb_close(struct fw_lmdb *l); /* also of a zeroed one, and twice */

/* How long the file is, and how long it says it is. LMDB never writes a page at the end that was taken and given back in one
 * transaction, so a file may rightly be shorter; but then so may be one that was cut off. The keeper therefore lengthens it after
 * every commit, and whoever opens for writing has to look at a short file whole. 0 or FW_EIO. */
int fw_lmdb_length(const struct fw_lmdb *l, uint64_t *ret_is, uint64_t *ret_should);
int fw_lmdb_mend_length(const struct fw_lmdb *l);

/* LMDB's codes into ours, and into words. */
int fw_lmdb_code(int rc);
int fw_lmdb_fail(struct fw_error *err, int rc, const char *file, const char *what);

/* A view of the data, with a place in the table of readers, if need be that of one who died. LMDB's code. */
int fw_lmdb_begin_read(const struct fw_lmdb *l, MDB_txn **ret);

/* A row's key in LMDB, in `buf`. */
MDB_val fw_lmdb_key(char buf[FW_LMDB_KEY_BYTES], uint32_t bucket, struct fw_str key);
uint32_t fw_lmdb_key_bucket(const MDB_val *key);
/* The version that a row carries; 0 when it is too short to be one. */
uint64_t fw_lmdb_version(const MDB_val *value);
/* Fills `ret` with slices of the page: 0, or FW_EIO when the row is damaged (its key is filled then). */
int fw_lmdb_row(const MDB_val *key, const MDB_val *value, struct fw_row *ret);
/* LMDB's code. */
int fw_lmdb_put(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, struct fw_str bytes, uint64_t version);

/* A row of the store's own, its bytes in the page; n 0 when there is none. LMDB's code. */
int fw_lmdb_own(MDB_txn *txn, MDB_dbi dbi, struct fw_str name, struct fw_str *ret);
int fw_lmdb_put_own(MDB_txn *txn, MDB_dbi dbi, struct fw_str name, struct fw_str bytes);

#endif
