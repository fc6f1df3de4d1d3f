/* The server from within. Private to this folder. */
#ifndef FW_HTTP_INTERNAL_H
#define FW_HTTP_INTERNAL_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <netinet/in.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "http/server.h"

enum {
	READ_BYTES = 64 << 10,      /* of one read */
	UNSENT_BYTES = 256 << 10,   /* of answers; above it a connection's requests wait */
	FIRST_BLOCK_BYTES = 14 << 10, /* of a request's arena, part of its allocation */
	TAKEN_BYTES = 64 << 10,       /* of an answer, to be taken within each limits.write_ms */
	COPIED_BODY_BYTES = 8 << 10,  /* a body up to this goes into the arena */
	KEPT_BUFFERS = 64,
	KEPT_BUFFER_BYTES = 256 << 10,
	SWEEP_MS = 250,
};

/* What a connection is waiting for; each has one deadline, and a list in the order of deadlines. */
enum wait {
	WAIT_HEAD,
	WAIT_BODY,
	WAIT_IDLE,
	WAIT_WRITE,
	WAIT_LINGER,
	WAITS,
	WAIT_NOTHING = WAITS, /* of the client: its requests are being answered */
};

enum conn_state {
	CONN_HEAD,
	CONN_BODY,
	CONN_STREAM,  /* its answer has no end; what is read is dropped */
	CONN_CLOSING, /* no more requests are read; ends with the answers due */
	CONN_LINGER,  /* all is said; reading on so that the other end can hear it */
};

union peer {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

struct fw_http_stream {
	struct fw_http_stream_handlers on;
	struct conn *conn;
	bool full; /* something was left unsent */
	bool slow; /* for too long */
};

struct conn {
	struct fw_http_server *server;
	struct event on_read, on_write;
	int fd, listener;
	enum conn_state state;
	bool reading, writing; /* events are added */
	bool eof;              /* the other end sends no more */
	bool busy;             /* inside read_requests: whoever answers must leave writing and ending to it */
	bool dead;             /* to be ended when no longer busy */
	bool more_input;       /* while busy: bytes follow the request at hand */
	bool held;             /* c->in may have whole requests, to be read when earlier ones are answered */
	bool renew;            /* the deadline starts anew */
	bool continue_due;     /* "100 Continue" when all before it is answered */
	struct fw_http_scan scan;
	struct fw_http_body body;
	struct fw_http_request *receiving;    /* CONN_BODY */
	struct fw_http_request *first, *last; /* to be answered, in order */
	unsigned n_requests;
	struct fw_buf *in;  /* bytes of a request that is not whole, or NULL */
	struct fw_buf *out; /* bytes not written, or NULL */
	size_t written;     /* of out */
	size_t taken;       /* written since the deadline began */
	enum wait wait;
	int64_t deadline_us;
	struct fw_http_stream stream; /* CONN_STREAM */
	struct conn *wait_prev, *wait_next, *prev, *next;
	union peer peer;
};

struct reply_header {
	struct reply_header *next;
	size_t n;
	char line[]; /* with CRLF */
};

struct fw_http_request {
	struct fw_http_server *server;
	struct conn *conn; /* NULL: gone */
	struct fw_http_request *next;
	struct fw_arena arena;
	struct fw_http_head head;
	struct fw_str path, body;
	struct fw_buf *body_buf; /* or NULL: the body is in the arena */
	struct fw_buf *answer;   /* given before its turn */
	struct reply_header *headers, **headers_end;
	bool done;  /* answered, waiting for its turn */
	bool close; /* the connection ends with the answer */
	int64_t started_us;
	int listener;
	union peer peer;
	void *data;
	max_align_t block[FIRST_BLOCK_BYTES / sizeof(max_align_t)];
};

struct listener {
	struct fw_http_server *server;
	struct event on_accept;
	int fd, index;
	bool accepting;
};

enum { MAX_LISTENERS = 64 };

struct fw_http_server {
	struct event_base *base;
	struct fw_http_limits limits;
	struct fw_http_handlers handlers;
	struct fw_http_counters counters;
	struct event on_sweep;
	struct listener listeners[MAX_LISTENERS];
	unsigned n_listeners;
	bool paused, exhausted /* no descriptor or memory for another connection */, draining, drained, destroyed;
	int64_t drain_idle_us, drain_us;
	int64_t now_us; /* of the event being handled */
	struct conn *conns;
	struct {
		struct conn *first, *last;
	} waiting[WAITS];
	char *in; /* what a read reads into, after what was left over */
	size_t in_bytes;
	struct fw_buf *buffers[KEPT_BUFFERS];
	unsigned n_buffers;
	struct fw_http_request *free_requests; /* by next */
	unsigned n_free_requests;
	z_stream z;
	bool z_ready;
	int64_t date_s;
	char date[72]; /* the Date and Server lines */
	size_t date_n;
};

/* listen.c */
void listeners_update(struct fw_http_server *s);
void listeners_close(struct fw_http_server *s);

/* pool.c: buffers and requests that are used again. NULL: out of memory. */
struct fw_buf *buffer_get(struct fw_http_server *s);
void buffer_put(struct fw_http_server *s, struct fw_buf *b);
struct fw_http_request *request_get(struct fw_http_server *s);
void request_put(struct fw_http_request *req);
void pool_finish(struct fw_http_server *s);

/* conn.c */
void conn_open(struct fw_http_server *s, int fd, int listener, const union peer *peer);
/* Ends it now, or as soon as it is not busy. Requests not answered become gone. */
void conn_drop(struct conn *c);
void conn_read(evutil_socket_t fd, short what, void *arg);
void conn_write(evutil_socket_t fd, short what, void *arg);
/* After anything happened to it: writes, ends, waits for whatever comes next. May free it. */
void conn_settle(struct conn *c);

/* read.c */
/* Takes requests out of n bytes and hands them out; keeps what is left over in c->in. */
void read_requests(struct conn *c, char *data, size_t n);
/* Whether it may take another byte of a request. */
bool reads_on(const struct conn *c);
/* Answers the request being read, or none yet, with an error, and reads no further. */
void refuse_request(struct conn *c, const struct fw_http_refusal *refusal);

/* reply.c */
struct fw_buf *conn_out(struct conn *c); /* NULL: out of memory */
size_t conn_unsent(const struct conn *c);
/* Takes all its requests from a connection: what is not answered becomes gone. */
void orphan_requests(struct conn *c);
/* No more requests from here: an answer says so. */
void stop_reading(struct conn *c);

/* answer.c: an answer's bytes. */
void write_answer(struct fw_buf *to, const struct fw_http_request *req, int status, const char *content_type,
	const void *body, size_t n, bool close);
/* The head of one without an end. */
void write_endless(struct fw_buf *to, const struct fw_http_request *req, const char *content_type);

/* server.c */
void server_free(struct fw_http_server *s);

/* sweep.c */
void wait_for(struct conn *c, enum wait wait);
void sweep(evutil_socket_t fd, short what, void *arg);

/* gzip.c: 0, or the status of the refusal, filled. */
int gunzip(struct fw_http_server *s, struct fw_str packed, struct fw_buf *out, struct fw_http_refusal *refusal);

#endif
