#include "http/internal.h"

#include <stdlib.h>

enum { KEPT_REQUESTS = 256 };

struct fw_buf *buffer_get(struct fw_http_server *s)
{
	if (s->n_buffers)
		return s->buffers[--s->n_buffers];
	struct fw_buf *b = malloc(sizeof *b);
	if (b)
		fw_buf_init(b, 0);
	return b;
}

void buffer_put(struct fw_http_server *s, struct fw_buf *b)
{
	if (!b)
		return;
	if (s->n_buffers < KEPT_BUFFERS && b->size <= KEPT_BUFFER_BYTES) {
		fw_buf_clear(b);
		b->limit = 0;
		s->buffers[s->n_buffers++] = b;
		return;
	}
	fw_buf_finish(b);
	free(b);
}

struct fw_http_request *request_get(struct fw_http_server *s)
{
	struct fw_http_request *req = s->free_requests;
	if (req) {
		s->free_requests = req->next;
		s->n_free_requests--;
	} else {
		req = malloc(sizeof *req);
		if (!req)
			return NULL;
	}
	memset(req, 0, offsetof(struct fw_http_request, block));
	req->server = s;
	req->headers_end = &req->headers;
	fw_arena_init(&req->arena, req->block, sizeof req->block, s->limits.request_bytes);
	return req;
}

void request_put(struct fw_http_request *req)
{
	struct fw_http_server *s = req->server;
	fw_arena_finish(&req->arena);
	buffer_put(s, req->body_buf);
	buffer_put(s, req->answer);
	if (s->n_free_requests < KEPT_REQUESTS) {
		req->next = s->free_requests;
		s->free_requests = req;
		s->n_free_requests++;
		return;
	}
	free(req);
}

void pool_finish(struct fw_http_server *s)
{
	while (s->n_buffers) {
		struct fw_buf *b = s->buffers[--s->n_buffers];
		fw_buf_finish(b);
		free(b);
	}
	while (s->free_requests) {
		struct fw_http_request *next = s->free_requests->next;
		free(s->free_requests);
		s->free_requests = next;
	}
	s->n_free_requests = 0;
}
