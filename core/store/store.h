/* The store: versioned rows in buckets, changed in batches. It knows bytes only; what a row means is profile's and
 * people's. One model for every implementation: whoever changes something reads rows, computes, and commits a batch that
 * names the versions it was computed from; the store compares and writes, atomically, and nothing else.
 *
 * A handle belongs to one process and one event loop. Completions come on that loop, exactly once each; a read's may come
 * before the call returns, a commit's never does. */
#ifndef FW_STORE_STORE_H
#define FW_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

struct event_base;
struct fw_store;

enum { FW_STORE_BUCKETS = 1024 };

/* The bucket of an id's hash (fw_hash): all rows of one person lie in one bucket. */
static inline uint32_t fw_store_bucket(uint64_t hash)
{
	return (uint32_t)(hash >> 54);
}

/* Versions: 0 stands for "there is no such row"; every commit gives its rows a version larger than any before. */
#define FW_VERSION_NONE UINT64_C(0)
#define FW_VERSION_ANY UINT64_MAX /* expected: whatever is there, or nothing */

struct fw_row {
	struct fw_str key, value; /* value.p NULL: no such row */
	uint64_t version;
};

/* A read: rc is 0 (`row` valid during the call, its bytes in the arena; a missing row has version 0) or FW_EAWAY (the store
 * is out of reach), FW_ENOMEM, FW_EIO (the row is damaged). */
typedef void (*fw_store_got)(void *ctx, int rc, const struct fw_row *row);
void fw_store_get(struct fw_store *s, uint32_t bucket, struct fw_str key, struct fw_arena *arena, fw_store_got done, void *ctx);
/* As fw_store_get, of what a batch is computed from and nobody decides by meanwhile: over a network it may take as long as the batch,
 * FW_LIMIT_STORE_GIVE_UP_MS, before it is given up. */
void fw_store_get_for_batch(struct fw_store *s, uint32_t bucket, struct fw_str key, struct fw_arena *arena, fw_store_got done,
	void *ctx);

/* At most `limit` rows of the bucket whose keys begin with `prefix` and come after `after` (n 0: from the first), in byte
 * order of their keys. `more`: there are further ones; fewer than `limit` may come with it. */
typedef void (*fw_store_listed)(void *ctx, int rc, const struct fw_row *rows, size_t n, bool more);
void fw_store_scan(struct fw_store *s, uint32_t bucket, struct fw_str prefix, struct fw_str after, size_t limit,
	struct fw_arena *arena, fw_store_listed done, void *ctx);

enum fw_change_kind {
	FW_CHANGE_PUT,
	FW_CHANGE_DELETE, /* of a row that is not there: fine */
	FW_CHANGE_EXPECT, /* only compare */
	/* Rows that are numbered as they are written, so that no two batches need to know of each other: COUNT names a row that holds
	 * a number (8 bytes, big-endian; no row: 0), APPEND puts one whose key ends with a larger number (8 bytes, big-endian), which is
	 * then that row's. So keys come in the order of the batches, and in it of the changes. A batch has at most one COUNT,
	 * before its APPENDs, and no other change of either row. Both expect FW_VERSION_ANY. */
	FW_CHANGE_COUNT,  /* of no use alone; `value` is none */
	FW_CHANGE_APPEND, /* `key` is what comes before the number */
};

enum { FW_STORE_NUMBER = 8 };

struct fw_change {
	enum fw_change_kind kind;
	struct fw_str key, value;
	uint64_t expected; /* the version it was computed from, FW_VERSION_NONE or FW_VERSION_ANY */
};

struct fw_batch {
	uint32_t bucket;
	const struct fw_change *changes;
	unsigned n;
};

/* How a batch ended: 0 (all of it is written, as durably as the store promises; `version` is that of its rows), FW_ECONFLICT
 * (none of it: a row had another version), FW_EFULL (none: the disk is full), FW_EAWAY (not known whether it was written;
 * only once the store is given up, as when the process ends, or, over a network, after FW_LIMIT_STORE_GIVE_UP_MS), FW_EIO. */
typedef void (*fw_store_committed)(void *ctx, int rc, uint64_t version);

/* Bytes are copied before it returns. 0: `done` will be called. FW_EBUSY (too much waits already), FW_ELIMIT (a key or a
 * value is too long, or too many changes), FW_EINVAL (no such bucket; a key that is empty or begins with 0xff, which are the
 * store's own; numbers that are not asked for as they should be), FW_ENOMEM: nothing was taken, `done` is not called. Batches of a handle
 * on one bucket are applied in the order of these calls. The store gives each its batch id, so that one that is handed in
 * again after a lost connection is applied once. */
int fw_store_commit(struct fw_store *s, const struct fw_batch *batch, fw_store_committed done, void *ctx);

/* Change notices: `changed` is called for every row that any process commits, after the commit. A handle has up to
 * FW_STORE_WATCHERS, each by its `ctx`; `changed` NULL ends that one's. 0, FW_ELIMIT, FW_ENOMEM. A notice can be lost when the
 * connection is (then `changed` comes once with key.p NULL: anything may have changed); over a network also before watching has
 * begun, which is told in the same way. */
enum { FW_STORE_WATCHERS = 4 };
typedef void (*fw_store_changed)(void *ctx, uint32_t bucket, struct fw_str key, uint64_t version);
int fw_store_watch(struct fw_store *s, fw_store_changed changed, void *ctx);

/* A lease of that name for so long, which all who ask for it name alike; taking one's own again prolongs it. It spreads work and protects
 * nothing: two may hold it for a moment when clocks or processes stall, or a clock is set: one that ends later than it can is over.
 * done: rc 0, FW_EBUSY (somebody else has it), FW_EAWAY. */
typedef void (*fw_store_leased)(void *ctx, int rc);
int fw_store_lease(struct fw_store *s, const char *name, int64_t ms, fw_store_leased done, void *ctx);
/* Gives one's own back; of anybody else's nothing is done. `done` may be NULL; a store that is closed before it comes may still hold the
 * lease. */
int fw_store_release(struct fw_store *s, const char *name, fw_store_leased done, void *ctx);

/* Overwrites, on the disk, what was deleted: a store keeps deleted bytes until it needs their place. done: rc 0 (nothing is left
 * in the store's file of rows that batches deleted or replaced whose outcome was known at the call; of a key perhaps that part
 * by which it was told from its neighbour); FW_EBUSY (a process still reads an older state, as a long backup does: it is gone on
 * with when that ends, and asking again later tells); FW_EFULL (not on a full disk), FW_EIO, FW_EINVAL (the file is damaged, or of a
 * form that this is not made for), FW_EAWAY. It takes about as long as reading all of the file; others are served meanwhile. 0, or
 * FW_ENOMEM or FW_EBUSY (too many ask): `done` is not called. Backups keep what was deleted after they were made. */
typedef void (*fw_store_scrubbed)(void *ctx, int rc);
int fw_store_scrub(struct fw_store *s, fw_store_scrubbed done, void *ctx);

/* What a power loss or a restart of the store leaves of what was answered, as far as it tells; the later in the list, the less. */
enum fw_store_promise {
	FW_PROMISE_NOT_KNOWN, /* or as the durability says */
	FW_PROMISE_ALL,
	FW_PROMISE_ALL_BUT_A_SECOND, /* or two: it also writes late while it syncs */
	FW_PROMISE_AS_SYNCED, /* whenever the system does */
	FW_PROMISE_SNAPSHOTS,
	FW_PROMISE_NOTHING,
	FW_PROMISE_EVICTS,    /* not even while it runs */
};
/* A sentence for a person; NULL: not known. */
const char *fw_store_promise_text(enum fw_store_promise promise);

/* How it is, from what this process knows: never waits. */
struct fw_store_health {
	bool reachable;       /* reads work and commits are being answered */
	bool full;            /* the disk is */
	char message[200];    /* for a person; "" when all is well */
	enum fw_store_promise promise;
	uint64_t used_bytes, size_bytes; /* of the data; 0: not known */
	uint64_t rows;
	uint64_t waiting;     /* batches that are not answered yet */
	uint64_t oldest_us;   /* how long the oldest of them has been waiting */
	uint64_t groups, syncs; /* of commits since the keeper started: groups written, and those that were on disk before their answer */
};
void fw_store_health(struct fw_store *s, struct fw_store_health *ret);

/* Counted since the handle was opened. */
struct fw_store_counters {
	uint64_t gets, found, scans, batches, rows_written, conflicts, busy, failures, resubmitted, notices;
	uint64_t commit_us; /* time from commit to completion, added up */
};
const struct fw_store_counters *fw_store_counters(const struct fw_store *s);

/* What the store promises about a batch that is done ("commit": on disk before the answer), for status and the log. */
const char *fw_store_durability(const struct fw_store *s);

/* The folder of "lmdb:FOLDER", which is on this machine; NULL: the URL leads elsewhere, or nowhere. */
const char *fw_store_folder(const char *url);
/* The durability of a store with that URL: the one that is asked for (NULL: the usual one of its kind), a constant; NULL: it has no
 * such. */
const char *fw_store_durability_for(const char *url, const char *asked);

/* Where the store is and what it is to promise; texts are copied. */
struct fw_store_options {
	const char *url;        /* "lmdb:/absolute/folder", or a Redis (redis_url.h) */
	const char *socket;     /* the keeper's socket; of an LMDB */
	const char *durability; /* as fw_store_durability_for takes it */
};

/* In a worker or a command; `base` is its loop. A keeper or a Redis that is not there yet is waited for: opening only fails when the
 * data cannot be read, or the URL (FW_EINVAL: damaged, or of another version, with what to do; FW_EIO; FW_ENOMEM). */
int fw_store_open(const struct fw_store_options *options, struct event_base *base, struct fw_store **ret, struct fw_error *err);
/* Batches that wait are given up: their completions come, with FW_EAWAY, before this returns. NULL is fine. Not from within
 * a completion. */
void fw_store_close(struct fw_store *s);

#endif
