/* A worker's handle on Redis. Only for core/store/redis*.c.
 *
 * An ask is a read or a batch on its way to an outcome, over as many attempts as it takes: redis_ask.c. A node is a Redis; where the
 * buckets are says redis_map.c, which for a single Redis is soon said. */
#ifndef FW_STORE_REDIS_OWN_H
#define FW_STORE_REDIS_OWN_H

#include <event2/event.h>

#include "store/own.h"
#include "store/redis_line.h"
#include "store/redis_script.h"

struct fw_redis;

/* What a node says of itself: redis_about.c. */
struct fw_redis_about {
	bool known, replica, aof, evicts;
	bool rdb;         /* it saves snapshots, or does not tell */
	unsigned version; /* the first number of it */
	char sync[16];    /* when it syncs its append-only file; "": it does not tell */
	uint64_t used_bytes, most_bytes;
	int64_t asked_us;
};

struct fw_redis_node {
	struct fw_redis_node *next;
	struct fw_redis *redis;
	char host[256];
	unsigned port;
	bool mapped;          /* it has buckets, or is the only one, or a host of the URL while there is no map */
	int64_t unmapped_us;  /* since when not */
	struct fw_redis_line *reads, *writes, *notices; /* notices NULL: not watched */
	bool *heard;          /* by bucket: subscribed to */
	unsigned subscribing; /* subscriptions that are not confirmed yet */
	bool loading_reads, loading_writes; /* scripts are on their way to it */
	struct event *flush;  /* at the end of the turn, WAIT goes out */
	bool to_wait;         /* batches went out since the last one */
	struct fw_redis_ask *unconfirmed, **unconfirmed_end; /* batches that it has written, and no replica has confirmed yet */
	struct fw_redis_about about;
};

enum fw_redis_kind { FW_REDIS_GET, FW_REDIS_SCAN, FW_REDIS_BATCH };

/* Held by: the handle until it has its outcome, its bucket's queue, the list of those to be sent again, a reply that is due, its node's
 * list of the unconfirmed. */
struct fw_redis_ask {
	struct fw_redis_ask *older, *newer;  /* of the handle's, by when they came */
	struct fw_redis_ask *behind;         /* the next batch of its bucket */
	struct fw_redis_ask *next;           /* to be sent again, or unconfirmed */
	struct fw_redis *redis;
	struct fw_redis_node *node;          /* that it went to last */
	struct fw_redis_node *asking;        /* that it is to go to, once (ASK); NULL: whoever has the bucket */
	unsigned holders, moves;
	bool over;                           /* it has its outcome */
	bool sent;                           /* once at least */
	bool patient;                        /* a read that may take as long as a batch */
	enum fw_redis_kind kind;
	uint32_t bucket;
	int64_t since_us;
	char *command;                       /* hiredis's */
	size_t n;
	uint64_t version;                    /* a batch's, once it is written */
	unsigned rows;                       /* that it changes */
	struct fw_arena *arena;
	struct fw_str key;                   /* of a get: in the arena */
	union {
		fw_store_got got;
		fw_store_listed listed;
		fw_store_committed committed;
	} done;
	void *ctx;
};

struct fw_redis_asks {
	struct fw_redis_ask *oldest, *newest;
};

struct fw_redis_scrub;

struct fw_redis {
	struct fw_store store;
	struct fw_redis_lines lines;
	struct fw_arena arena; /* the URL's */
	struct fw_redis_scripts scripts;
	uint32_t tags[FW_STORE_BUCKETS];
	bool replicated, closing, watched;
	struct fw_redis_node *nodes, *of[FW_STORE_BUCKETS];
	struct fw_redis_asks reads, patient_reads, batches; /* that have no outcome yet */
	struct {
		struct fw_redis_ask *first, *last; /* the first is under way */
	} queues[FW_STORE_BUCKETS];
	struct fw_redis_ask *again, **again_end;
	uint64_t n_batches, batch_bytes, next_sequence;
	struct event *tick;
	int64_t tick_us; /* monotonic: when it comes next; 0: it does not */
	bool full;
	char trouble[200]; /* the last thing that went wrong, for health */
	int64_t trouble_us;
	/* The map. */
	bool has_map, map_due, map_asked;
	int64_t map_us;
	unsigned map_turn;
	struct fw_redis_scrub *scrubs;
};

/* redis_ask.c */
void fw_redis_get(struct fw_store *s, uint32_t bucket, struct fw_str key, bool patient, struct fw_arena *arena, fw_store_got done,
	void *ctx);
void fw_redis_scan(struct fw_store *s, uint32_t bucket, struct fw_str prefix, struct fw_str after, size_t limit, struct fw_arena *arena,
	fw_store_listed done, void *ctx);
int fw_redis_commit(struct fw_store *s, const struct fw_batch *batch, fw_store_committed done, void *ctx);
/* Sends again what is to be sent again, gives up what took too long. */
void fw_redis_asks_tick(struct fw_redis *r);
void fw_redis_asks_close(struct fw_redis *r);
/* The node's lines are gone: no replica confirms any more what it has written. */
void fw_redis_unconfirmed_lose(struct fw_redis_node *node);
/* At the end of a turn in which batches went to the node: the WAIT. */
void fw_redis_flush(evutil_socket_t fd, short what, void *node);

/* redis_map.c */
int fw_redis_map_begin(struct fw_redis *r); /* 0 or FW_ENOMEM */
void fw_redis_map_tick(struct fw_redis *r);
void fw_redis_map_close(struct fw_redis *r);
/* The node of that place, made if there is none; NULL: no memory, or too many. `host` may be "": that of `told_by`. */
struct fw_redis_node *fw_redis_map_node(struct fw_redis *r, const struct fw_redis_node *told_by, const char *host, unsigned port);
/* Soon the map is asked for again. */
void fw_redis_map_doubt(struct fw_redis *r);

/* redis_watch.c */
int fw_redis_watch(struct fw_store *s, bool on);
/* Subscribes to what is not subscribed to; hangs up where nothing is to be heard. Not from within a callback of a line for notices. */
void fw_redis_watch_tick(struct fw_redis *r);

/* redis_scrub.c */
int fw_redis_scrub(struct fw_store *s, fw_store_scrubbed done, void *ctx);
void fw_redis_scrub_tick(struct fw_redis *r);
void fw_redis_scrub_close(struct fw_redis *r);

/* redis_about.c */
void fw_redis_about_ask(struct fw_redis_node *node);
/* What INFO says under that name; p NULL: nothing. */
struct fw_str fw_redis_info(const redisReply *reply, const char *name);
uint64_t fw_redis_info_number(const redisReply *reply, const char *name); /* 0: nothing */
void fw_redis_health(struct fw_store *s, struct fw_store_health *ret);

/* redis.c */
void fw_redis_tick_soon(struct fw_redis *r, int64_t ms); /* unless one is to come already */
void fw_redis_trouble(struct fw_redis *r, const struct fw_redis_node *node, const char *what);
int fw_redis_open(const struct fw_store_options *options, struct event_base *base, struct fw_store **ret, struct fw_error *err);

#endif
