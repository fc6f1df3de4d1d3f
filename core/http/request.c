#include "http/internal.h"
#include "http/uri.h"

enum fw_http_method fw_http_method(const struct fw_http_request *req)
{
	return req->head.method;
}

struct fw_str fw_http_path(const struct fw_http_request *req)
{
	return req->path;
}

struct fw_str fw_http_raw_path(const struct fw_http_request *req)
{
	return req->head.path;
}

struct fw_str fw_http_query(const struct fw_http_request *req)
{
	return req->head.query;
}

struct fw_str fw_http_query_param(struct fw_http_request *req, const char *name)
{
	struct fw_str none = { NULL, 0 }, raw = fw_uri_param(req->head.query, name);
	if (!raw.p)
		return none;
	size_t n = 0;
	char *text = fw_arena_alloc(&req->arena, raw.n + 1);
	if (!text || !fw_uri_decode(raw, true, text, &n))
		return none;
	text[n] = '\0';
	return (struct fw_str){ text, n };
}

struct fw_str fw_http_header(const struct fw_http_request *req, const char *name)
{
	struct fw_str wanted = fw_str(name);
	for (unsigned i = 0; i < req->head.n_fields; i++) {
		if (fw_str_equal_fold(req->head.fields[i].name, wanted))
			return req->head.fields[i].value;
	}
	return (struct fw_str){ NULL, 0 };
}

const struct fw_http_field *fw_http_headers(const struct fw_http_request *req, unsigned *ret_n)
{
	*ret_n = req->head.n_fields;
	return req->head.fields;
}

struct fw_str fw_http_body(const struct fw_http_request *req)
{
	return req->body;
}

struct fw_str fw_http_traceparent(const struct fw_http_request *req)
{
	return req->head.traceparent;
}

const struct sockaddr *fw_http_peer(const struct fw_http_request *req)
{
	return &req->peer.any;
}

int fw_http_listener(const struct fw_http_request *req)
{
	return req->listener;
}

unsigned fw_http_minor(const struct fw_http_request *req)
{
	return req->head.minor;
}

bool fw_http_keep_alive(const struct fw_http_request *req)
{
	return req->head.keep_alive && !req->close;
}

int64_t fw_http_started_us(const struct fw_http_request *req)
{
	return req->started_us;
}

bool fw_http_gone(const struct fw_http_request *req)
{
	return !req->conn;
}

struct fw_arena *fw_http_arena(struct fw_http_request *req)
{
	return &req->arena;
}

void fw_http_set_data(struct fw_http_request *req, void *data)
{
	req->data = data;
}

void *fw_http_data(const struct fw_http_request *req)
{
	return req->data;
}
