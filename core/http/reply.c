#include "http/internal.h"
#include "http/syntax.h"

#include "base/json.h"

struct fw_buf *conn_out(struct conn *c)
{
	if (!c->out)
		c->out = buffer_get(c->server);
	return c->out;
}

size_t conn_unsent(const struct conn *c)
{
	return c->out ? c->out->n - c->written : 0;
}

void orphan_requests(struct conn *c)
{
	struct fw_http_request *req = c->first;
	while (req) {
		struct fw_http_request *next = req->next;
		if (req->done) {
			request_put(req);
		} else {
			req->conn = NULL;
			c->server->counters.gone++;
		}
		req = next;
	}
	if (c->receiving)
		request_put(c->receiving);
	c->first = c->last = c->receiving = NULL;
	c->n_requests = 0;
	c->continue_due = false;
}

/* Moves the answers whose turn has come to the output. */
static void advance(struct conn *c)
{
	while (c->first && c->first->done) {
		struct fw_http_request *req = c->first;
		if (req->answer) {
			struct fw_buf *out = conn_out(c);
			if (!out || req->answer->failed) {
				conn_drop(c);
				return;
			}
			fw_buf_add(out, req->answer->data, req->answer->n);
		}
		bool close = req->close;
		c->first = req->next;
		if (!c->first)
			c->last = NULL;
		c->n_requests--;
		request_put(req);
		if (close)
			orphan_requests(c);
	}
	c->renew = true;
	if (!c->busy)
		conn_settle(c);
}

/* A worker that ends closes a connection with an answer after which nothing is known to come. */
static bool closes(const struct conn *c, const struct fw_http_request *req)
{
	if (req->close || !req->head.keep_alive)
		return true;
	bool more = c->busy ? c->more_input : c->in != NULL;
	return c->server->draining && req == c->first && req == c->last && !c->receiving && !more;
}

void stop_reading(struct conn *c)
{
	c->state = CONN_CLOSING;
	c->held = false;
	c->continue_due = false;
	if (c->receiving)
		request_put(c->receiving);
	c->receiving = NULL;
}

/* Its client is gone, and maybe the server too. */
static void discard(struct fw_http_request *req)
{
	struct fw_http_server *s = req->server;
	request_put(req);
	if (s->destroyed && s->counters.inflight == 0)
		server_free(s);
	else if (!s->destroyed && s->draining)
		event_active(&s->on_sweep, EV_TIMEOUT, 1);
}

void fw_http_reply(struct fw_http_request *req, int status, const char *content_type, const void *body, size_t n)
{
	struct fw_http_server *s = req->server;
	struct conn *c = req->conn;
	s->counters.inflight--;
	if (!c) {
		discard(req);
		return;
	}
	if (status >= 100 && status < 600)
		s->counters.responses[status / 100]++;
	req->close = closes(c, req);
	req->done = true;
	if (req->close)
		stop_reading(c);
	struct fw_buf *to = req == c->first ? conn_out(c) : (req->answer = buffer_get(s));
	if (!to) {
		conn_drop(c);
		return;
	}
	write_answer(to, req, status, content_type, body, n, req->close);
	if (req == c->first)
		advance(c);
}

void fw_http_reply_close(struct fw_http_request *req)
{
	req->close = true;
}

static bool written_by_server(struct fw_str name)
{
	static const char *const names[] = { "content-length", "content-type", "connection", "date", "server",
		"transfer-encoding" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (fw_str_equal_fold(name, fw_str(names[i])))
			return true;
	}
	return false;
}

int fw_http_reply_header(struct fw_http_request *req, const char *name, const char *value)
{
	struct fw_str key = fw_str(name), text = fw_str(value);
	if (!is_token(key) || written_by_server(key))
		return FW_EINVAL;
	for (size_t i = 0; i < text.n; i++) {
		if (is_control(text.p[i]) && text.p[i] != '\t')
			return FW_EINVAL;
	}
	size_t n = key.n + 2 + text.n + 2;
	struct reply_header *h = fw_arena_alloc(&req->arena, sizeof *h + n);
	if (!h)
		return FW_ENOMEM;
	h->next = NULL;
	h->n = n;
	memcpy(h->line, key.p, key.n);
	memcpy(h->line + key.n, ": ", 2);
	memcpy(h->line + key.n + 2, text.p, text.n);
	memcpy(h->line + n - 2, "\r\n", 2);
	*req->headers_end = h;
	req->headers_end = &h->next;
	return 0;
}

static void add_member(struct fw_json_out *o, const char *key, const char *value)
{
	if (!value)
		return;
	fw_json_key(o, key);
	fw_json_text_value(o, value);
}

void fw_http_error(struct fw_http_request *req, int status, const char *code, const char *message, const char *path,
	const char *hint)
{
	struct fw_buf *b = buffer_get(req->server);
	char *text = NULL;
	size_t n = 0;
	if (b) {
		struct fw_json_out o;
		fw_json_out_init(&o, b);
		fw_json_open_object(&o);
		fw_json_key(&o, "error");
		fw_json_open_object(&o);
		add_member(&o, "code", code);
		add_member(&o, "message", message);
		add_member(&o, "path", path);
		add_member(&o, "hint", hint);
		fw_json_close_object(&o);
		fw_json_close_object(&o);
		/* Answering may be the end of the server, so the buffer goes back before. */
		n = b->failed ? 0 : b->n;
		text = fw_arena_strndup(&req->arena, b->data, n);
		buffer_put(req->server, b);
	}
	fw_http_reply(req, status, "application/json", text, text ? n : 0);
}
