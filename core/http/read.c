#include "http/internal.h"
#include "http/uri.h"

bool reads_on(const struct conn *c)
{
	if (c->state == CONN_BODY)
		return true;
	return c->state == CONN_HEAD && c->n_requests < c->server->limits.pipelined && conn_unsent(c) < UNSENT_BYTES;
}

static const struct fw_http_refusal no_memory = { 503, FW_HTTP_REASON_OVERLOAD, "out of memory" };

static void enqueue(struct conn *c, struct fw_http_request *req)
{
	if (c->last)
		c->last->next = req;
	else
		c->first = req;
	c->last = req;
	c->n_requests++;
	req->server->counters.inflight++;
}

static struct fw_http_request *new_request(struct conn *c)
{
	struct fw_http_request *req = request_get(c->server);
	if (!req)
		return NULL;
	req->conn = c;
	req->listener = c->listener;
	req->peer = c->peer;
	req->started_us = c->server->now_us;
	return req;
}

static const char *error_code(int status)
{
	switch (status) {
	case 413:
	case 414:
	case 431: return "too_large";
	case 415: return "unsupported_type";
	case 503: return "unavailable";
	default: return "bad_request";
	}
}

void refuse_request(struct conn *c, const struct fw_http_refusal *refusal)
{
	struct fw_http_request *req = c->receiving ? c->receiving : new_request(c);
	c->server->counters.refused[refusal->reason]++;
	c->receiving = NULL;
	c->continue_due = false;
	c->state = CONN_CLOSING;
	if (!req) {
		if (!c->busy)
			conn_settle(c);
		return;
	}
	req->close = true;
	enqueue(c, req);
	fw_http_error(req, refusal->status, error_code(refusal->status), refusal->message, NULL, NULL);
}

/* The request is whole. */
static void hand_out(struct conn *c, struct fw_http_request *req)
{
	struct fw_http_server *s = c->server;
	bool full = s->counters.inflight >= s->limits.max_inflight;
	c->receiving = NULL;
	c->renew = true;
	c->scan = (struct fw_http_scan){ 0 };
	c->state = req->head.keep_alive ? CONN_HEAD : CONN_CLOSING;
	req->started_us = s->now_us;
	s->counters.requests++;
	enqueue(c, req);
	if (!full) {
		s->handlers.on_request(req, s->handlers.ctx);
		return;
	}
	s->counters.refused[FW_HTTP_REASON_OVERLOAD]++;
	fw_http_reply_header(req, "Retry-After", "1");
	fw_http_error(req, 503, "unavailable", "too many requests are being answered; try again", NULL, NULL);
}

/* Unpacks the body if need be, then hands the request out. `body` need not outlive the call. */
static void finish_body(struct conn *c, struct fw_http_request *req, struct fw_str body)
{
	struct fw_http_server *s = c->server;
	struct fw_http_refusal refusal = no_memory;
	if (req->head.gzip && body.n) {
		struct fw_buf *plain = buffer_get(s);
		if (!plain || gunzip(s, body, plain, &refusal) != 0) {
			buffer_put(s, plain);
			refuse_request(c, &refusal);
			return;
		}
		buffer_put(s, req->body_buf);
		req->body_buf = plain;
		body = (struct fw_str){ plain->data, plain->n };
	} else if (body.n && !req->body_buf) {
		char *copy = fw_arena_strndup(&req->arena, body.p, body.n);
		if (!copy) {
			refuse_request(c, &refusal);
			return;
		}
		body.p = copy;
	}
	req->body = body;
	hand_out(c, req);
}

/* Takes the head apart in the request's own memory. */
static enum fw_http_progress take_head(struct conn *c, struct fw_http_request *req, const char *data,
	struct fw_http_refusal *refusal)
{
	const struct fw_http_limits *limits = &c->server->limits;
	size_t n = c->scan.end - c->scan.start;
	char *head = fw_arena_strndup(&req->arena, data + c->scan.start, n);
	struct fw_http_field *fields = fw_arena_alloc(&req->arena, c->scan.lines * sizeof *fields);
	*refusal = no_memory;
	if (!head || !fields)
		return FW_HTTP_BAD;
	if (fw_http_parse_head(head, n, limits, fields, c->scan.lines, &req->head, refusal) == FW_HTTP_BAD)
		return FW_HTTP_BAD;
	char *path = fw_arena_alloc(&req->arena, req->head.path.n + 1);
	size_t path_n = 1;
	*refusal = no_memory;
	if (!path)
		return FW_HTTP_BAD;
	path[0] = '*';
	if (req->head.path.p[0] != '*' && !fw_uri_decode_path(req->head.path, path, &path_n)) {
		*refusal = (struct fw_http_refusal){ 400, FW_HTTP_REASON_MALFORMED, "the path is malformed" };
		return FW_HTTP_BAD;
	}
	path[path_n] = '\0';
	req->path = (struct fw_str){ path, path_n };
	return fw_http_body_begin(&c->body, &req->head, limits, refusal);
}

/* Looks for a head in n bytes; returns how many of them it needs no more. 0: it needs more, or nothing ever again. */
static size_t read_head(struct conn *c, const char *data, size_t n)
{
	struct fw_http_refusal refusal;
	enum fw_http_progress r = fw_http_scan_head(&c->scan, data, n, &c->server->limits, &refusal);
	if (r == FW_HTTP_MORE)
		return 0;
	size_t used = r == FW_HTTP_DONE ? c->scan.end : 0;
	struct fw_http_request *req = NULL;
	if (r == FW_HTTP_DONE) {
		refusal = no_memory;
		c->receiving = req = new_request(c);
		r = req ? take_head(c, req, data, &refusal) : FW_HTTP_BAD;
	}
	c->more_input = used < n;
	if (r == FW_HTTP_BAD) {
		refuse_request(c, &refusal);
		return 0;
	}
	if (r == FW_HTTP_DONE) {
		finish_body(c, req, (struct fw_str){ NULL, 0 });
		return used;
	}
	uint64_t length = req->head.content_length;
	if (!req->head.chunked && length <= n - used && (length <= COPIED_BODY_BYTES || req->head.gzip)) {
		c->more_input = used + length < n;
		finish_body(c, req, (struct fw_str){ data + used, length });
		return used + length;
	}
	c->state = CONN_BODY;
	c->renew = true;
	c->continue_due = req->head.expect_continue && used == n;
	return used;
}

/* Takes what n bytes hold of a body; returns how many that were. */
static size_t read_body(struct conn *c, const char *data, size_t n)
{
	struct fw_http_request *req = c->receiving;
	struct fw_http_refusal refusal = no_memory;
	enum fw_http_progress r = FW_HTTP_MORE;
	size_t at = 0;
	c->continue_due = false;
	if (!req->body_buf)
		req->body_buf = buffer_get(c->server);
	if (!req->body_buf)
		r = FW_HTTP_BAD;
	while (at < n && r == FW_HTTP_MORE) {
		struct fw_str piece;
		size_t used;
		r = fw_http_body_feed(&c->body, data + at, n - at, &used, &piece, &c->server->limits, &refusal);
		at += used;
		fw_buf_add(req->body_buf, piece.p, piece.n);
	}
	if (r != FW_HTTP_BAD && req->body_buf->failed) {
		refusal = no_memory;
		r = FW_HTTP_BAD;
	}
	c->more_input = at < n;
	if (r == FW_HTTP_BAD)
		refuse_request(c, &refusal);
	else if (r == FW_HTTP_DONE)
		finish_body(c, req, (struct fw_str){ req->body_buf->data, req->body_buf->n });
	return at;
}

/* Leaves what was not used for the next read. */
static void keep(struct conn *c, const char *data, size_t n)
{
	if (n == 0 || c->state >= CONN_STREAM) {
		buffer_put(c->server, c->in);
		c->in = NULL;
		return;
	}
	if (!c->in)
		c->in = buffer_get(c->server);
	if (c->in) {
		fw_buf_clear(c->in);
		fw_buf_add(c->in, data, n);
	}
	if (!c->in || c->in->failed)
		c->dead = true;
}

void read_requests(struct conn *c, char *data, size_t n)
{
	size_t at = 0, used = 1;
	c->busy = true;
	while (at < n && used > 0 && reads_on(c) && !c->dead) {
		used = c->state == CONN_BODY ? read_body(c, data + at, n - at) : read_head(c, data + at, n - at);
		at += used;
	}
	c->held = at < n && used > 0 && c->state == CONN_HEAD;
	c->more_input = false;
	c->busy = false;
	keep(c, data + at, n - at);
}
