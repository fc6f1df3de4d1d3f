/* What runs inside Redis: two scripts, each on the keys of one bucket, and what goes into them and comes out.
 *
 * A bucket has three keys; TAG is its tag (redis_tag.h):
 *   fw:{TAG}    a hash: the key of a row to its version (8 bytes, big-endian) and its value
 *   fw:{TAG}:i  a sorted set, all of score 0: the keys of the rows in the order of their bytes, without the store's own (leases)
 *   fw:{TAG}:o  a hash: "v" to the highest version; a handle (8 bytes) to its last batch here, "SEQUENCE VERSION"
 * Notices go to the shard channel fw:{TAG}: the version (8 bytes), then for every row the kind (p: put, d: deleted), the length
 * of its key (2 bytes, big-endian) and the key.
 *
 * A version is one more than the highest, or the time of the batch in microseconds if that is more: what a failover loses is not
 * given to something else again. Rows that are numbered get numbers beyond the version, for the same reason. A handle has one batch
 * of a bucket under way at a time, so its last one is all that has to be remembered: one that comes again gets its first outcome, one
 * that comes later than its successor (from a connection that was given up) does nothing. Handles of a bucket that were not heard of
 * for an hour are forgotten. */
#ifndef FW_STORE_REDIS_SCRIPT_H
#define FW_STORE_REDIS_SCRIPT_H

#include <hiredis/hiredis.h>

#include "store/store.h"

enum fw_redis_script_name {
	FW_REDIS_SCRIPT_COMMIT,
	FW_REDIS_SCRIPT_SCAN,
	FW_REDIS_SCRIPTS,
};

/* The texts, and the names Redis gives them (SHA-1 in hexadecimal). */
const char *fw_redis_script_text(enum fw_redis_script_name name);
struct fw_redis_scripts {
	char sha[FW_REDIS_SCRIPTS][41];
};
/* 0, or FW_EIO: there is no SHA-1. */
int fw_redis_scripts_init(struct fw_redis_scripts *scripts);

/* Commands, allocated as hiredis does (redisFreeCommand); their length, or FW_ENOMEM. */
int fw_redis_command_get(char **ret, uint32_t tag, struct fw_str key);
int fw_redis_command_scan(char **ret, const struct fw_redis_scripts *scripts, uint32_t tag, struct fw_str prefix, struct fw_str after,
	size_t limit);
int fw_redis_command_commit(char **ret, const struct fw_redis_scripts *scripts, uint32_t tag, uint64_t handle, uint64_t sequence,
	int64_t now_us, const struct fw_batch *batch);

/* What came back, which is no error. Bytes are copied into the arena. 0; FW_EIO: it is not what we wrote; FW_ENOMEM. */
int fw_redis_read_row(const redisReply *reply, struct fw_str key, struct fw_arena *a, struct fw_row *ret);
int fw_redis_read_rows(const redisReply *reply, struct fw_arena *a, struct fw_row **ret, size_t *ret_n, bool *ret_more);
/* 0 with a version, FW_ECONFLICT or FW_EIO. */
int fw_redis_read_outcome(const redisReply *reply, uint64_t *ret_version);
/* Calls `row` for every row of a notice's text; a damaged text ends it. `version`: FW_VERSION_NONE for one that was deleted. */
void fw_redis_read_notice(struct fw_str text, void (*row)(void *ctx, struct fw_str key, uint64_t version), void *ctx);

#endif
