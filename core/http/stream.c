/* Answers without an end. The request's memory ends when one begins; what stays is the connection. */
#include <netinet/tcp.h>

#include "base/limits.h"
#include "http/internal.h"

/* What the system may hold of it, and for how long it believes in a client that is silent: a slow reader is noticed by what is written. */
static void bound(const struct conn *c)
{
	int bytes = FW_LIMIT_STREAM_SEND_BYTES;
	unsigned ms = (unsigned)c->server->limits.write_ms;
	setsockopt(c->fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
	if (c->peer.any.sa_family != AF_UNIX)
		setsockopt(c->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms);
}

struct fw_http_stream *fw_http_stream_begin(struct fw_http_request *req, const char *content_type,
	const struct fw_http_stream_handlers *handlers)
{
	struct fw_http_server *s = req->server;
	struct conn *c = req->conn;
	if (!c || req->head.method == FW_HTTP_HEAD) {
		fw_http_reply(req, 200, content_type, NULL, 0);
		return NULL;
	}
	if (req != c->first) {
		fw_http_error(req, 400, "bad_request", "a stream is not asked for behind requests without an answer", NULL,
			"use a connection of its own");
		return NULL;
	}
	struct fw_buf *out = conn_out(c);
	s->counters.inflight--;
	s->counters.responses[2]++;
	req->done = true;
	stop_reading(c);
	if (out)
		write_endless(out, req, content_type);
	orphan_requests(c);
	if (!c->busy) { /* else it is dealt with when that is over */
		buffer_put(s, c->in);
		c->in = NULL;
	}
	if (!out || out->failed || c->dead) {
		conn_drop(c);
		return NULL;
	}
	c->state = CONN_STREAM;
	c->stream = (struct fw_http_stream){ .on = *handlers, .conn = c };
	bound(c);
	return &c->stream;
}

bool fw_http_stream_clear(const struct fw_http_stream *stream)
{
	return !stream->conn->out;
}

void fw_http_stream_write(struct fw_http_stream *stream, const void *bytes, size_t n)
{
	struct conn *c = stream->conn;
	struct fw_buf *out = conn_out(c);
	c->server->now_us = fw_monotonic_us();
	if (!out) {
		conn_drop(c);
		return;
	}
	fw_buf_add(out, bytes, n);
	if (!c->busy)
		conn_settle(c);
}

void fw_http_stream_end(struct fw_http_stream *stream, const void *bytes, size_t n)
{
	struct conn *c = stream->conn;
	struct fw_buf *out = conn_out(c);
	c->server->now_us = fw_monotonic_us();
	c->state = CONN_CLOSING;
	if (out)
		fw_buf_add(out, bytes, n);
	if (!c->busy)
		conn_settle(c);
}
