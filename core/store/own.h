/* What stands behind a handle. Only for the implementations of the store, and for the test store. */
#ifndef FW_STORE_OWN_H
#define FW_STORE_OWN_H

#include "store/store.h"

/* Keys that begin with this byte are the store's own (leases): nobody else may write them, and a scan leaves them out. */
enum { FW_STORE_OWN_KEY = 0xff };

/* Arguments have been checked; every completion goes out through fw_store_give_…, which count. */
struct fw_store_ops {
	/* `patient`: it may take as long as a batch. */
	void (*get)(struct fw_store *s, uint32_t bucket, struct fw_str key, bool patient, struct fw_arena *arena, fw_store_got done,
		void *ctx);
	void (*scan)(struct fw_store *s, uint32_t bucket, struct fw_str prefix, struct fw_str after, size_t limit,
		struct fw_arena *arena, fw_store_listed done, void *ctx);
	int (*commit)(struct fw_store *s, const struct fw_batch *batch, fw_store_committed done, void *ctx);
	int (*watch)(struct fw_store *s, bool on);
	int (*scrub)(struct fw_store *s, fw_store_scrubbed done, void *ctx);
	void (*health)(struct fw_store *s, struct fw_store_health *ret);
	void (*close)(struct fw_store *s); /* gives up what waits, then frees */
};

/* The first member of each implementation's own. */
struct fw_store {
	const struct fw_store_ops *ops;
	uint64_t id; /* random: who submits a batch, who holds a lease */
	const char *durability;
	struct fw_store_counters counters;
	struct fw_store_watcher {
		fw_store_changed changed; /* NULL: nobody */
		void *ctx;
	} watchers[FW_STORE_WATCHERS];
	unsigned n_watchers; /* that are somebody */
};

/* 0, or FW_EIO: the system has no random bytes. */
int fw_store_init(struct fw_store *s, const struct fw_store_ops *ops, const char *durability);

/* Completions: they count, and call `done`. */
void fw_store_give_row(struct fw_store *s, int rc, const struct fw_row *row, fw_store_got done, void *ctx);
void fw_store_give_rows(struct fw_store *s, int rc, const struct fw_row *rows, size_t n, bool more, fw_store_listed done, void *ctx);
/* `since_us`: fw_monotonic_us when the batch came; `rows`: that it puts or deletes. */
void fw_store_give_outcome(struct fw_store *s, int rc, uint64_t version, unsigned rows, int64_t since_us, fw_store_committed done,
	void *ctx);
unsigned fw_store_rows_of(const struct fw_batch *batch);

/* Whether COUNT and APPEND stand in the order that they should, with keys that have room for a number. */
bool fw_store_counts_well(const struct fw_change *changes, unsigned n);
/* What a row counts: 0 when it is none that does. */
uint64_t fw_store_count_of(struct fw_str value);
void fw_store_put_count(char to[FW_STORE_NUMBER], uint64_t count);
void fw_store_give_notice(struct fw_store *s, uint32_t bucket, struct fw_str key, uint64_t version);

#endif
