/* What the files of the keeper share: its connections, and the group in hand. Only for keeper*.c. */
#ifndef FW_STORE_KEEPER_OWN_H
#define FW_STORE_KEEPER_OWN_H

#include <event2/event.h>

#include "base/arena.h"
#include "base/limits.h"
#include "store/keeper.h"
#include "store/scrub.h"
#include "store/submitter.h"
#include "store/wire.h"

struct fw_keeper_conn {
	struct fw_keeper_conn *next;
	struct fw_keeper *keeper;
	int fd;    /* -1: broken; it goes when the group in hand is done */
	struct event *readable, *writable;
	uint8_t *in;
	size_t in_n, in_size;
	struct fw_buf out;
	size_t out_at;
	struct fw_submitter *submitter; /* NULL: it has not said hello */
	bool watches, lost; /* lost: notices were, and it is to be told */
	bool held;          /* not read until it has taken what it was sent */
	unsigned n_scrubs;  /* that it waits for */
};

/* A connection that waits for a scrub. */
struct fw_keeper_asked {
	struct fw_keeper_asked *next;
	struct fw_keeper_conn *conn;
	uint64_t number;
	bool begun; /* the scrub in hand began after it asked */
};

struct fw_keeper_scrub {
	struct fw_scrub pass;
	struct fw_keeper_asked *asked;
	struct event *again;
	bool running, due, owed; /* owed: somebody was told that what he asked for will be done later */
	int64_t held_us;         /* since when something is in the way; 0: nothing is */
};

/* A batch of the group. Its outcome is the submitter's; the number of a row that it appended is the change's `expected`. */
struct fw_keeper_item {
	struct fw_keeper_conn *conn;
	struct fw_submitter *submitter;
	struct fw_wire_batch batch;
	bool again;    /* it was handed in before: answered, not applied */
	bool answered;
};

struct fw_keeper_group {
	struct fw_arena arena;
	struct fw_keeper_item *items;
	uint64_t *order; /* as long as items */
	unsigned n, size;
	size_t bytes;
	int64_t since_us;
};

struct fw_keeper {
	const char *folder;
	struct fw_lmdb db;
	struct event_base *base;
	struct fw_keeper_conn *conns;
	unsigned n_conns;
	struct fw_submitter *submitters;
	struct fw_keeper_group group;
	struct fw_buf scratch;
	uint64_t version, own_rows;
	struct fw_wire_state state;
	struct fw_keeper_scrub scrub;
	bool interval, unsynced; /* unsynced: the last commit's meta page may not be on disk */
	bool stopping;
};

/* keeper_loop.c */
void fw_keeper_accept(struct fw_keeper *k, int listener);
/* Everything of the group is decided (again: or answered before): answers, then notices of [from, to), then the state. */
void fw_keeper_answer(struct fw_keeper *k, unsigned from, unsigned to);
void fw_keeper_publish(struct fw_keeper *k, unsigned from, unsigned to);
void fw_keeper_tell_state(struct fw_keeper *k);
/* Hands over what waits for the sockets. */
void fw_keeper_flush(struct fw_keeper *k);
/* Frees connections that broke. Only between groups. */
void fw_keeper_sweep(struct fw_keeper *k);
/* Waits at most so long until everything is handed over, then closes all. */
void fw_keeper_hang_up(struct fw_keeper *k, int ms);

/* keeper_scrub.c. 0 or FW_ENOMEM. */
int fw_keeper_scrub_open(struct fw_keeper *k);
void fw_keeper_scrub_close(struct fw_keeper *k);
/* A connection asks for one. FW_EINVAL: for too many. */
int fw_keeper_scrub_ask(struct fw_keeper_conn *c, uint64_t number);
/* It waits no longer. */
void fw_keeper_scrub_drop(struct fw_keeper_conn *c);
/* A slice, if it is time for one. Only between groups. 0, or FW_EIO: the data cannot be opened any more. */
int fw_keeper_scrub_turn(struct fw_keeper *k);

/* keeper.c: opens the data for writing, in the way that this keeper promises. 0, or as fw_lmdb_open. */
int fw_keeper_open_data(struct fw_keeper *k, struct fw_error *err);

/* keeper_group.c */
/* The key of the row that a change wrote; `buf` is for one that was appended. */
struct fw_str fw_keeper_key(const struct fw_change *c, char buf[FW_LIMIT_STORE_KEY_BYTES]);
/* Reads versions and submitters. LMDB's code. */
int fw_keeper_group_load(struct fw_keeper *k);
/* A place for a batch, with its bytes copied; NULL: out of memory. */
struct fw_keeper_item *fw_keeper_group_add(struct fw_keeper *k, const struct fw_wire_frame *f, int *ret_rc);
/* Decides the group, answers and empties it. 0, or FW_EIO: LMDB cannot go on with this file; end, and start anew. */
int fw_keeper_group_commit(struct fw_keeper *k);
/* Rows of submitters that are long gone. As above. */
int fw_keeper_group_forget(struct fw_keeper *k);
/* `interval`: brings on disk what the last commit left open. */
void fw_keeper_group_sync(struct fw_keeper *k);

#endif
