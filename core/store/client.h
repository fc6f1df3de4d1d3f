/* A worker's handle on an LMDB store: reads come from the file, batches go to the keeper. Only for core/store/. */
#ifndef FW_STORE_CLIENT_H
#define FW_STORE_CLIENT_H

#include <event2/event.h>

#include "store/own.h"
#include "store/reader.h"
#include "store/wire.h"

/* A batch that is not answered yet, as the frame that goes to the keeper. */
struct fw_waiting {
	struct fw_waiting *next;
	uint64_t sequence;
	int64_t since_us;
	fw_store_committed done;
	void *ctx;
	unsigned rows;
	bool sent; /* on some connection, perhaps in part */
	size_t n;
	uint8_t frame[];
};

/* A scrub that was asked for. */
struct fw_scrubbing {
	struct fw_scrubbing *next;
	uint64_t number;
	fw_store_scrubbed done;
	void *ctx;
};

enum fw_line {
	FW_LINE_DOWN,    /* waits for the time to try again */
	FW_LINE_GREETED, /* connected, and the keeper has not answered yet: it may be starting, or stopped */
	FW_LINE_UP,
};

/* The connection. Batches keep their order: those from `unsent` on have not been handed to the socket. */
struct fw_line_state {
	struct fw_store *store;
	struct event_base *base;
	const char *socket;
	enum fw_line state;
	int fd; /* -1: none */
	bool closing;
	bool watched; /* the watcher saw notices on an earlier connection */
	struct event *readable, *writable, *again;
	int64_t again_ms;
	struct fw_waiting *first, *last, *unsent;
	size_t sent_bytes; /* of the first unsent one */
	uint64_t n_waiting, waiting_bytes, next_sequence;
	struct fw_scrubbing *scrubs;
	uint64_t n_scrubs, next_scrub;
	struct fw_buf out; /* greetings, which go before any batch */
	size_t out_at;
	uint8_t *in;
	size_t in_n, in_size;
	struct fw_wire_state keeper;
	void (*connected)(struct fw_store *s); /* after each greeting: the file may be another one */
};

/* Starts connecting; `connected` is called in the same room. 0 or FW_ENOMEM. */
int fw_line_open(struct fw_line_state *l, struct fw_store *s, struct event_base *base, const char *socket,
	void (*connected)(struct fw_store *s));
/* Everything that waits is answered with FW_EAWAY. */
void fw_line_close(struct fw_line_state *l);
/* As fw_store_commit. */
int fw_line_commit(struct fw_line_state *l, const struct fw_batch *batch, fw_store_committed done, void *ctx);
/* As fw_store_scrub. What a connection leaves without an answer is asked again on the next one. */
int fw_line_scrub(struct fw_line_state *l, fw_store_scrubbed done, void *ctx);
int fw_line_watch(struct fw_line_state *l, bool on);

/* fw_store_open for LMDB (lmdb_store.c). */
int fw_lmdb_store_open(const struct fw_store_options *options, struct event_base *base, struct fw_store **ret, struct fw_error *err);

#endif
