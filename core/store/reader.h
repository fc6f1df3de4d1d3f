/* A worker's reads: one read transaction, renewed for each and reset after it, so that none is held over a callback. Only for
 * core/store/. */
#ifndef FW_STORE_READER_H
#define FW_STORE_READER_H

#include "store/lmdb.h"

struct fw_lmdb_reader {
	struct fw_lmdb db;
	MDB_txn *txn; /* reset between reads; NULL: no slot was to be had yet */
};

/* As fw_lmdb_open. */
int fw_lmdb_reader_open(struct fw_lmdb_reader *r, const char *folder, struct fw_error *err);
void fw_lmdb_reader_close(struct fw_lmdb_reader *r);
/* Opens what lies there now, if it is another file than the one that is open: 0, or as fw_lmdb_open (the former one is closed
 * then, and reads are FW_EAWAY). */
int fw_lmdb_reader_follow(struct fw_lmdb_reader *r, const char *folder, struct fw_error *err);

/* As fw_store_get and fw_store_scan, at once: bytes are in the arena. With FW_EIO `ret->key` is the damaged row's. */
int fw_lmdb_read(struct fw_lmdb_reader *r, uint32_t bucket, struct fw_str key, struct fw_arena *arena, struct fw_row *ret);
int fw_lmdb_scan(struct fw_lmdb_reader *r, uint32_t bucket, struct fw_str prefix, struct fw_str after, size_t limit,
	struct fw_arena *arena, struct fw_row **ret, size_t *ret_n, bool *ret_more);
/* From LMDB's own account of the file. */
int fw_lmdb_usage(struct fw_lmdb_reader *r, uint64_t *ret_used, uint64_t *ret_size, uint64_t *ret_rows);

#endif
