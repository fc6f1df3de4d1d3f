/* What the files of the streams share. Not for others. */
#ifndef FW_SERVER_STREAMS_OWN_H
#define FW_SERVER_STREAMS_OWN_H

#include <event2/event.h>
#include <netinet/in.h>

#include "server/engine_own.h"
#include "server/request.h"
#include "server/streams.h"
#include "server/worker.h"

enum { FW_STREAM_CHAINS = 4096, FW_STREAM_ADDRESS_CHAINS = 1024 };

struct fw_stream;

/* That a stream hangs on the record of a row, or on a product. */
struct fw_stream_row {
	uint64_t row; /* its hash, or what stands for the product */
	struct fw_stream *stream;
	struct fw_stream_row *next, **back;
};

struct fw_stream {
	struct fw_streams *all;
	struct fw_http_stream *http;     /* NULL: not begun, or over */
	struct fw_http_request *request; /* until it has begun */
	struct fw_engine_ask ask;
	struct fw_engine_watch watch;
	struct fw_stream_row rows[FW_ENGINE_ROWS];
	unsigned n_rows;
	struct fw_stream_row *products; /* on the heap; NULL: none */
	unsigned n_products;
	bool looking; /* a look is on its way */
	bool again;   /* and something has changed meanwhile */
	bool missed;  /* a look failed: there is another one with the next beat */
	bool over;    /* it ends with the look that is on its way */
	bool is_due, counted;
	uint64_t heard;         /* notices, when the look began */
	int64_t due_us, beat_us, began_us, told_us, looked_us;
	struct fw_stream *due_next, *due_prev; /* while it is due */
	struct fw_stream *next, *prev;         /* in the order of beats */
	uint64_t address;                   /* 0: not counted */
	struct fw_stream *near_next, **near_back;
	const char *notice;                 /* NULL: the answer is told */
	struct fw_signal_request from;
	struct sockaddr_in6 peer; /* or what is smaller */
	char text[];
};

struct fw_stream_list {
	struct fw_stream *first, *last;
};

struct fw_streams {
	struct fw_worker *worker;
	struct event *on_due, *on_beat, *on_drain;
	struct fw_stream_list open, due;
	unsigned n, drain_at_once;
	bool draining, stopping;
	uint64_t heard;     /* notices so far */
	uint64_t seed, chance;
	struct fw_buf out;
	struct fw_stream_row *chains[FW_STREAM_CHAINS];
	struct fw_stream *near[FW_STREAM_ADDRESS_CHAINS];
};


/* streams_list.c: where a stream stands. Microseconds from now on. */
void fw_stream_wait(struct event *timer, int64_t us);
/* Half to one and a half of it, so that those who are sent away together do not come back together. */
unsigned fw_streams_spread(struct fw_streams *s, unsigned ms);
/* Hangs it on the rows and products that its last look found. True: they are others than before. */
bool fw_stream_watch_rows(struct fw_stream *st);
/* It is to be looked at, once what comes meanwhile is gathered. */
void fw_stream_set_due(struct fw_stream *st);
void fw_stream_unset_due(struct fw_stream *st);
/* The store's watcher; `ctx` is the streams. */
void fw_streams_changed(void *ctx, uint32_t bucket, struct fw_str key, uint64_t version);
/* Into, and out of, the order of beats. */
void fw_stream_append(struct fw_stream *st, int64_t now_us);
void fw_stream_unlink(struct fw_stream *st);
/* How many there are of an address; and one more. */
unsigned fw_streams_near(const struct fw_streams *s, uint64_t address);
void fw_stream_come_near(struct fw_stream *st, uint64_t address);
void fw_streams_count(struct fw_streams *s, int more);
/* Out of everything but the order of beats. */
void fw_stream_free(struct fw_stream *st);

/* stream_open.c: the headers of its answer, and what that is. */
void fw_stream_headers(struct fw_http_request *request);
#define FW_STREAM_TYPE "text/event-stream"

/* streams.c: has its slots decided; it may be over afterwards. */
void fw_stream_look(struct fw_stream *st);

#endif
