/* The HTTP/1.1 server of a worker: strict, bounded, one thread on one event base.
 *
 * Every request is handed to one callback and must be answered exactly once with fw_http_reply or fw_http_error, inside
 * the callback or any time later from the same thread; answering ends its life and that of its arena. Answers leave in
 * the order of the requests, however they are given. */
#ifndef FW_HTTP_SERVER_H
#define FW_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"
#include "http/limits.h"
#include "http/parse.h"

struct event_base;
struct fw_http_server;
struct fw_http_request;

struct fw_http_handlers {
	/* A whole request with its body. Must not be NULL. */
	void (*on_request)(struct fw_http_request *req, void *ctx);
	/* Once, after fw_http_server_drain, when the last connection and request are gone. May be NULL; may destroy the
	 * server. */
	void (*on_drained)(struct fw_http_server *server, void *ctx);
	void *ctx;
};

/* Counts since creation, and gauges. */
struct fw_http_counters {
	uint64_t accepted;
	uint64_t open;             /* gauge: connections */
	uint64_t inflight;         /* gauge: requests handed out and not answered */
	uint64_t requests;         /* handed out, or answered 503 for overload */
	uint64_t responses[6];     /* by class of status: [2] is 2xx */
	uint64_t refused[FW_HTTP_REASONS];
	uint64_t idle_closed;      /* kept-alive connections closed for idling, or to make room */
	uint64_t gone;             /* requests whose client left before the answer */
	uint64_t bytes_in, bytes_out;
};

/* Copies limits and handlers. `base` must outlive the server. NULL: out of memory. No signal is touched. */
struct fw_http_server *fw_http_server_create(struct event_base *base, const struct fw_http_limits *limits,
	const struct fw_http_handlers *handlers);

/* Closes every connection and listener. Requests not answered yet stay valid, flagged gone, until they are. Not to be
 * called while a request is being handed out. NULL is fine. */
void fw_http_server_destroy(struct fw_http_server *server);

/* Serves a bound, listening socket (TCP or Unix), which other processes may share; it is made non-blocking and is closed
 * with the server or its drain. Returns the listener's index (0, 1, …), or FW_ENOMEM, FW_EIO, FW_ELIMIT (64 of them);
 * then `fd` stays the caller's. */
int fw_http_server_listen(struct fw_http_server *server, int fd, struct fw_error *err);

/* Stops and resumes accepting, for a worker over its share; the connections it has go on. */
void fw_http_server_pause(struct fw_http_server *server, bool paused);

/* Stops accepting for good. Kept-alive connections close with their next answer; idle ones stay until their next request
 * or limits.drain_idle_ms; after `deadline_ms` whatever is left is cut. Then on_drained. Calling again only moves the
 * deadline. */
void fw_http_server_drain(struct fw_http_server *server, int64_t deadline_ms);

/* The counters as they stand; valid as long as the server. */
const struct fw_http_counters *fw_http_server_counters(const struct fw_http_server *server);

/* The request. All text lives as long as it does and is terminated unless said otherwise. */

enum fw_http_method fw_http_method(const struct fw_http_request *req);
/* Percent-decoded UTF-8 that begins with a slash (or is "*" with OPTIONS). A slash in it separates segments: an encoded
 * one stays "%2F". Paths with segments "." or "..", control characters or broken escapes never get here. */
struct fw_str fw_http_path(const struct fw_http_request *req);
struct fw_str fw_http_raw_path(const struct fw_http_request *req); /* as sent; not terminated */
struct fw_str fw_http_query(const struct fw_http_request *req);    /* raw; p NULL when absent; not terminated */
/* Name and value of a query parameter, decoded ('+' is a blank) into the request's arena; the first one of that name.
 * p NULL when absent or broken. */
struct fw_str fw_http_query_param(struct fw_http_request *req, const char *name);
/* The first header of that name, ignoring case, trimmed; p NULL when absent; not terminated. */
struct fw_str fw_http_header(const struct fw_http_request *req, const char *name);
/* All headers in their order; names as sent. */
const struct fw_http_field *fw_http_headers(const struct fw_http_request *req, unsigned *ret_n);
/* The body, gzip already undone; n 0 when there is none; not terminated. */
struct fw_str fw_http_body(const struct fw_http_request *req);
/* The valid traceparent it came with (55 bytes or more), else p NULL; the answer carries it by itself. Not terminated. */
struct fw_str fw_http_traceparent(const struct fw_http_request *req);
/* The connection's other end; AF_UNIX has nothing but its family. */
const struct sockaddr *fw_http_peer(const struct fw_http_request *req);
int fw_http_listener(const struct fw_http_request *req); /* index from fw_http_server_listen */
unsigned fw_http_minor(const struct fw_http_request *req); /* HTTP/1.minor */
bool fw_http_keep_alive(const struct fw_http_request *req);
int64_t fw_http_started_us(const struct fw_http_request *req); /* fw_monotonic_us when it was complete */
/* The client has left: work for it may be cut short, but it must still be answered. */
bool fw_http_gone(const struct fw_http_request *req);
struct fw_arena *fw_http_arena(struct fw_http_request *req);
/* A pointer of the handler's own, NULL at first. */
void fw_http_set_data(struct fw_http_request *req, void *data);
void *fw_http_data(const struct fw_http_request *req);

/* The answer. */

/* Adds a header, copied; call before fw_http_reply. Returns 0, FW_EINVAL (name is no token, value has control
 * characters, or the server writes that one itself: Content-Length, Content-Type, Connection, Date, Server,
 * Transfer-Encoding), FW_ENOMEM. */
int fw_http_reply_header(struct fw_http_request *req, const char *name, const char *value);
/* Answers; the bytes are copied. `content_type` NULL: none. With HEAD the body counts but is not sent. `req` must not be
 * used afterwards. */
void fw_http_reply(struct fw_http_request *req, int status, const char *content_type, const void *body, size_t n);
/* Closes the connection after this answer. */
void fw_http_reply_close(struct fw_http_request *req);
/* An answer without an end: a connection that is written to until either side has had enough. Of one client that does not read no more
 * is held than what was written last, and that for limits.write_ms. */
struct fw_http_stream;
struct fw_http_stream_handlers {
	/* All that was written has been taken, after fw_http_stream_clear said otherwise. */
	void (*on_clear)(void *ctx);
	/* The stream is no more: the client has left, was too slow (`slow`), or the server ends. May come from within a write. */
	void (*on_closed)(void *ctx, bool slow);
	void *ctx;
};
/* Answers 200 with the headers that were added and no length; they leave with the first write. `req` must not be used afterwards. NULL:
 * it has been answered otherwise, for its client is gone, wants no body (HEAD), or waits for another answer first. */
struct fw_http_stream *fw_http_stream_begin(struct fw_http_request *req, const char *content_type,
	const struct fw_http_stream_handlers *handlers);
/* Whether all that was written has been handed over. Who writes only then never holds more than one piece. */
bool fw_http_stream_clear(const struct fw_http_stream *stream);
/* The bytes are copied. */
void fw_http_stream_write(struct fw_http_stream *stream, const void *bytes, size_t n);
/* The last bytes: closes it once all is taken. There is no on_closed. */
void fw_http_stream_end(struct fw_http_stream *stream, const void *bytes, size_t n);

/* Answers {"error":{"code","message","path"?,"hint"?}}; path and hint may be NULL. `code` is one of interfaces.md's. */
void fw_http_error(struct fw_http_request *req, int status, const char *code, const char *message, const char *path,
	const char *hint);

#endif
