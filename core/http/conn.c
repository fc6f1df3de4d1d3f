#include "http/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

void conn_open(struct fw_http_server *s, int fd, int listener, const union peer *peer)
{
	struct conn *c = calloc(1, sizeof *c);
	if (!c) {
		close(fd);
		return;
	}
	c->server = s;
	c->fd = fd;
	c->listener = listener;
	c->peer = *peer;
	c->wait = WAIT_NOTHING;
	event_assign(&c->on_read, s->base, fd, EV_READ | EV_PERSIST, conn_read, c);
	event_assign(&c->on_write, s->base, fd, EV_WRITE | EV_PERSIST, conn_write, c);
	if (event_add(&c->on_read, NULL) < 0) {
		close(fd);
		free(c);
		return;
	}
	c->reading = true;
	c->next = s->conns;
	if (c->next)
		c->next->prev = c;
	s->conns = c;
	s->counters.accepted++;
	s->counters.open++;
	wait_for(c, WAIT_HEAD);
}

void conn_drop(struct conn *c)
{
	struct fw_http_server *s = c->server;
	if (c->busy) {
		c->dead = true;
		return;
	}
	const struct fw_http_stream stream = c->stream;
	bool streamed = c->state == CONN_STREAM;
	orphan_requests(c);
	wait_for(c, WAIT_NOTHING);
	event_del(&c->on_read);
	event_del(&c->on_write);
	close(c->fd);
	buffer_put(s, c->in);
	buffer_put(s, c->out);
	if (c->prev)
		c->prev->next = c->next;
	else
		s->conns = c->next;
	if (c->next)
		c->next->prev = c->prev;
	free(c);
	s->counters.open--;
	if (s->draining)
		event_active(&s->on_sweep, EV_TIMEOUT, 1);
	else if (s->counters.open + 1 == s->limits.connections)
		listeners_update(s);
	if (streamed)
		stream.on.on_closed(stream.on.ctx, stream.slow);
}

/* Puts what was left over, and what can be read now, into the server's buffer. Returns the bytes there, or -1. */
static ssize_t fill(struct conn *c)
{
	struct fw_http_server *s = c->server;
	size_t kept = 0;
	if (c->in) {
		kept = c->in->n;
		memcpy(s->in, c->in->data, kept);
	}
	size_t room = s->in_bytes - kept;
	if (c->eof || room == 0)
		return (ssize_t)kept;
	ssize_t n = recv(c->fd, s->in + kept, room < READ_BYTES ? room : READ_BYTES, 0);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? (ssize_t)kept : -1;
	if (n == 0)
		c->eof = true;
	s->counters.bytes_in += (uint64_t)n;
	return (ssize_t)kept + n;
}

void conn_read(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct conn *c = arg;
	struct fw_http_server *s = c->server;
	s->now_us = fw_monotonic_us();
	ssize_t n = fill(c);
	if (n < 0) {
		conn_drop(c);
		return;
	}
	if (c->state != CONN_STREAM)
		read_requests(c, s->in, (size_t)n);
	else if (c->eof)
		c->dead = true;
	conn_settle(c);
}

void conn_write(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct conn *c = arg;
	c->server->now_us = fw_monotonic_us();
	conn_settle(c);
}

/* One write of all that is due; -1 when nobody takes it. */
static int flush(struct conn *c)
{
	struct fw_buf *out = c->out;
	if (!out)
		return 0;
	if (out->failed)
		return -1;
	ssize_t n = send(c->fd, out->data + c->written, out->n - c->written, MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	c->server->counters.bytes_out += (uint64_t)n;
	c->written += (size_t)n;
	c->taken += (size_t)n;
	if (c->taken >= TAKEN_BYTES)
		c->renew = true;
	if (c->renew)
		c->taken = 0;
	if (c->written == out->n) {
		buffer_put(c->server, out);
		c->out = NULL;
		c->written = 0;
		c->renew = true;
	}
	return 0;
}

/* Answers are out and no request will follow. A client that still sends would lose the answer to a reset, so it is
 * listened to for a while. False: the connection is no more. */
static bool end(struct conn *c)
{
	if (c->eof || (c->state != CONN_LINGER && shutdown(c->fd, SHUT_WR) < 0)) {
		conn_drop(c);
		return false;
	}
	c->state = CONN_LINGER;
	buffer_put(c->server, c->in);
	c->in = NULL;
	return true;
}

static enum wait next_wait(const struct conn *c)
{
	if (c->state == CONN_LINGER)
		return WAIT_LINGER;
	if (c->out)
		return WAIT_WRITE;
	if (c->state == CONN_BODY)
		return WAIT_BODY;
	if (!reads_on(c))
		return WAIT_NOTHING;
	if (c->in)
		return WAIT_HEAD;
	if (c->first)
		return WAIT_NOTHING;
	return c->wait == WAIT_HEAD && !c->renew ? WAIT_HEAD : WAIT_IDLE;
}

static void watch(struct event *ev, bool wanted, bool *watched)
{
	if (wanted == *watched)
		return;
	if (wanted)
		event_add(ev, NULL);
	else
		event_del(ev);
	*watched = wanted;
}

static int send_continue(struct conn *c)
{
	struct fw_buf *out = conn_out(c);
	c->continue_due = false;
	if (!out)
		return -1;
	fw_buf_puts(out, "HTTP/1.1 100 Continue\r\n\r\n");
	return flush(c);
}

void conn_settle(struct conn *c)
{
	if (c->dead || flush(c) < 0 || (c->continue_due && !c->first && send_continue(c) < 0)) {
		conn_drop(c);
		return;
	}
	bool done = !c->first && !c->out && !c->held;
	if (done && (c->eof || c->state >= CONN_CLOSING) && !end(c))
		return;
	/* Who does not take answers is asked for no more requests; a body may come, lest both sides wait. */
	bool goes_on = c->state == CONN_LINGER || c->state == CONN_STREAM || (reads_on(c) && (c->state == CONN_BODY || !c->out));
	watch(&c->on_write, c->out != NULL, &c->writing);
	watch(&c->on_read, goes_on && !c->eof, &c->reading);
	if (goes_on && c->held) {
		c->held = false;
		event_active(&c->on_read, EV_READ, 1);
	}
	wait_for(c, next_wait(c));
	if (c->state != CONN_STREAM || c->stream.full == (c->out != NULL))
		return;
	c->stream.full = !c->stream.full;
	if (!c->stream.full)
		c->stream.on.on_clear(c->stream.on.ctx);
}
