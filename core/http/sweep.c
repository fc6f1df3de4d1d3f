#include "http/internal.h"

/* Each list holds one kind of wait, and so one length of time: whoever is appended expires last, and nothing is ever
 * sorted. A deadline may be met up to SWEEP_MS late. */

static int64_t wait_ms(const struct fw_http_limits *l, enum wait wait)
{
	switch (wait) {
	case WAIT_HEAD: return l->header_ms;
	case WAIT_BODY: return l->body_ms;
	case WAIT_IDLE: return l->idle_ms;
	case WAIT_WRITE: return l->write_ms;
	default: return l->linger_ms;
	}
}

static void unlink_wait(struct conn *c)
{
	if (c->wait == WAIT_NOTHING)
		return;
	struct fw_http_server *s = c->server;
	if (c->wait_prev)
		c->wait_prev->wait_next = c->wait_next;
	else
		s->waiting[c->wait].first = c->wait_next;
	if (c->wait_next)
		c->wait_next->wait_prev = c->wait_prev;
	else
		s->waiting[c->wait].last = c->wait_prev;
	c->wait_prev = c->wait_next = NULL;
	c->wait = WAIT_NOTHING;
}

void wait_for(struct conn *c, enum wait wait)
{
	struct fw_http_server *s = c->server;
	if (c->wait == wait && !c->renew)
		return;
	c->renew = false;
	unlink_wait(c);
	if (wait == WAIT_NOTHING)
		return;
	c->wait = wait;
	c->deadline_us = s->now_us + wait_ms(&s->limits, wait) * 1000;
	c->wait_prev = s->waiting[wait].last;
	if (c->wait_prev)
		c->wait_prev->wait_next = c;
	else
		s->waiting[wait].first = c;
	s->waiting[wait].last = c;
	if (wait == WAIT_IDLE && s->counters.open >= s->limits.connections)
		listeners_update(s);
}

static void expire(struct conn *c, enum wait wait)
{
	static const struct fw_http_refusal slow_head = { 408, FW_HTTP_REASON_TIMEOUT, "the headers came too slowly" };
	static const struct fw_http_refusal slow_body = { 408, FW_HTTP_REASON_TIMEOUT, "the body came too slowly" };
	unlink_wait(c);
	if (wait == WAIT_BODY) {
		refuse_request(c, &slow_body);
	} else if (wait == WAIT_HEAD && c->in) {
		refuse_request(c, &slow_head);
	} else {
		if (wait == WAIT_HEAD || wait == WAIT_IDLE)
			c->server->counters.idle_closed++;
		c->stream.slow = wait == WAIT_WRITE;
		conn_drop(c);
	}
}

void sweep(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct fw_http_server *s = arg;
	s->now_us = fw_monotonic_us();
	for (int wait = 0; wait < WAITS; wait++) {
		bool all = s->draining && wait == WAIT_IDLE && s->now_us >= s->drain_idle_us;
		struct conn *c;
		while ((c = s->waiting[wait].first) && (all || c->deadline_us <= s->now_us))
			expire(c, (enum wait)wait);
	}
	while (s->draining && s->now_us >= s->drain_us && s->conns)
		conn_drop(s->conns);
	s->exhausted = false;
	listeners_update(s);
	if (s->draining && !s->drained && s->counters.open == 0 && s->counters.inflight == 0) {
		s->drained = true;
		if (s->handlers.on_drained)
			s->handlers.on_drained(s, s->handlers.ctx);
	}
}
