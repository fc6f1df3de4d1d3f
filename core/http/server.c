#include "http/internal.h"

#include <stdlib.h>


/* Deadlines that are shorter than usual are looked at more often. */
static int64_t sweep_ms(const struct fw_http_limits *l)
{
	const int64_t all[] = { l->header_ms, l->body_ms, l->idle_ms, l->write_ms, l->linger_ms, l->drain_idle_ms };
	int64_t least = SWEEP_MS * 4;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		if (all[i] < least)
			least = all[i];
	}
	return least < 20 ? 5 : least / 4;
}

struct fw_http_server *fw_http_server_create(struct event_base *base, const struct fw_http_limits *limits,
	const struct fw_http_handlers *handlers)
{
	struct fw_http_server *s = calloc(1, sizeof *s);
	if (!s)
		return NULL;
	s->base = base;
	s->limits = *limits;
	s->handlers = *handlers;
	s->now_us = fw_monotonic_us();
	s->date_s = -1;
	/* A head that is not whole is kept and read again with what follows it. */
	s->in_bytes = READ_BYTES + limits->header_bytes;
	s->in = malloc(s->in_bytes);
	int64_t every_us = sweep_ms(limits) * 1000;
	struct timeval every = { .tv_sec = every_us / 1000000, .tv_usec = every_us % 1000000 };
	if (!s->in || event_assign(&s->on_sweep, base, -1, EV_PERSIST, sweep, s) < 0 || event_add(&s->on_sweep, &every) < 0) {
		free(s->in);
		free(s);
		return NULL;
	}
	return s;
}

void server_free(struct fw_http_server *s)
{
	pool_finish(s);
	if (s->z_ready)
		inflateEnd(&s->z);
	free(s->in);
	free(s);
}

void fw_http_server_destroy(struct fw_http_server *s)
{
	if (!s)
		return;
	s->drained = true;
	listeners_close(s);
	while (s->conns)
		conn_drop(s->conns);
	event_del(&s->on_sweep);
	s->destroyed = true;
	if (s->counters.inflight == 0)
		server_free(s);
}

void fw_http_server_drain(struct fw_http_server *s, int64_t deadline_ms)
{
	int64_t now = fw_monotonic_us();
	s->drain_us = now + deadline_ms * 1000;
	if (!s->draining)
		s->drain_idle_us = now + s->limits.drain_idle_ms * 1000;
	s->draining = true;
	listeners_close(s);
	event_active(&s->on_sweep, EV_TIMEOUT, 1);
}

const struct fw_http_counters *fw_http_server_counters(const struct fw_http_server *s)
{
	return &s->counters;
}
