/* The keeper's connections: frames in, answers and notices out. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "store/keeper_own.h"

enum {
	IN_BYTES = 64 << 10,
	IN_MOST_BYTES = FW_WIRE_HEAD + FW_WIRE_BATCH_HEAD + FW_LIMIT_STORE_CHANGES * FW_WIRE_CHANGE_HEAD + FW_LIMIT_STORE_BATCH_BYTES,
	OUT_HELD_BYTES = 4 << 20, /* answers that a connection does not take: it is not read on */
};

static size_t pending(const struct fw_keeper_conn *c)
{
	return c->out.n - c->out_at;
}

/* The group may still name it, so it stays until the sweep. */
static void hang_up(struct fw_keeper_conn *c)
{
	if (c->fd < 0)
		return;
	event_free(c->readable);
	event_free(c->writable);
	close(c->fd);
	c->fd = -1;
	if (c->submitter)
		c->submitter->connections--;
	fw_keeper_scrub_drop(c);
}

static int on_hello(struct fw_keeper_conn *c, const struct fw_wire_frame *f)
{
	uint32_t protocol;
	uint64_t id;
	if (c->submitter || fw_wire_hello(f, &protocol, &id) < 0 || protocol != FW_WIRE_PROTOCOL)
		return FW_EINVAL;
	if (!(c->submitter = fw_submitters_find(&c->keeper->submitters, id)))
		return FW_ENOMEM;
	c->submitter->connections++;
	fw_wire_put_welcome(&c->out);
	fw_wire_put_state(&c->out, &c->keeper->state);
	return 0;
}

static int on_batch(struct fw_keeper_conn *c, const struct fw_wire_frame *f)
{
	struct fw_keeper *k = c->keeper;
	enum fw_submitted submitted;
	int rc;
	if (!c->submitter)
		return FW_EINVAL;
	struct fw_keeper_item *item = fw_keeper_group_add(k, f, &rc);
	if (!item)
		return rc;
	item->conn = c;
	item->submitter = c->submitter;
	rc = fw_submitter_take(c->submitter, item->batch.sequence, item->batch.answered, &submitted);
	if (rc < 0) {
		k->group.n--;
		return rc;
	}
#ifndef FW_BREAK_RESUBMIT
	item->again = submitted == FW_SUBMITTED_AGAIN;
#endif
	return 0;
}

static int on_scrub(struct fw_keeper_conn *c, const struct fw_wire_frame *f)
{
	uint64_t number;
	if (!c->submitter || fw_wire_scrub(f, &number) < 0)
		return FW_EINVAL;
	return fw_keeper_scrub_ask(c, number);
}

static int on_frame(struct fw_keeper_conn *c, const struct fw_wire_frame *f)
{
	switch (f->type) {
	case FW_WIRE_HELLO:
		return on_hello(c, f);
	case FW_WIRE_BATCH:
		return on_batch(c, f);
	case FW_WIRE_WATCH:
		return c->submitter ? fw_wire_watch(f, &c->watches) : FW_EINVAL;
	case FW_WIRE_SCRUB:
		return on_scrub(c, f);
	default:
		return FW_EINVAL;
	}
}

static int on_bytes(struct fw_keeper_conn *c)
{
	struct fw_wire_frame f;
	size_t at = 0, used = 0;
	int rc;
	while ((rc = fw_wire_next(c->in + at, c->in_n - at, &f, &used)) == 1) {
		if ((rc = on_frame(c, &f)) < 0)
			return rc;
		at += used;
	}
	memmove(c->in, c->in + at, c->in_n - at);
	c->in_n -= at;
	return rc;
}

/* A frame longer than the room there is: 0 or FW_ENOMEM. */
static int make_room(struct fw_keeper_conn *c)
{
	if (c->in_n < c->in_size)
		return 0;
	size_t size = c->in_size * 2 < IN_MOST_BYTES ? c->in_size * 2 : IN_MOST_BYTES;
	uint8_t *bigger = size > c->in_size ? realloc(c->in, size) : NULL;
	if (!bigger)
		return FW_ENOMEM;
	c->in = bigger;
	c->in_size = size;
	return 0;
}

/* Takes what is there, as long as the group has room; the rest makes the next one. */
static void on_readable(evutil_socket_t fd, short what, void *ctx)
{
	struct fw_keeper_conn *c = ctx;
	(void)what;
	while (c->keeper->group.bytes < FW_LIMIT_STORE_GROUP_BYTES) {
		if (make_room(c) < 0) {
			hang_up(c);
			return;
		}
		ssize_t n = recv(fd, c->in + c->in_n, c->in_size - c->in_n, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n > 0)
			c->in_n += (size_t)n;
		if (n <= 0 || on_bytes(c) < 0) {
			hang_up(c);
			return;
		}
	}
	/* An idle connection needs no large buffer; most batches are small. */
	if (c->in_n == 0 && c->in_size > 4 * IN_BYTES) {
		uint8_t *smaller = realloc(c->in, IN_BYTES);
		c->in = smaller ? smaller : c->in;
		c->in_size = smaller ? IN_BYTES : c->in_size;
	}
}

static void flush(struct fw_keeper_conn *c)
{
	while (c->fd >= 0 && pending(c) > 0) {
		ssize_t n = send(c->fd, c->out.data + c->out_at, pending(c), MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			hang_up(c);
		if (n < 0)
			break;
		c->out_at += (size_t)n;
		if (pending(c) == 0 && c->lost) {
			fw_wire_put_lost(&c->out);
			c->lost = false;
		}
	}
	if (c->fd < 0)
		return;
	if (c->out.failed) {
		hang_up(c);
		return;
	}
	if (c->out_at > c->out.n / 2) {
		memmove(c->out.data, c->out.data + c->out_at, pending(c));
		c->out.n -= c->out_at;
		c->out_at = 0;
	}
	if (pending(c) > 0)
		event_add(c->writable, NULL);
	if (!c->held && pending(c) > OUT_HELD_BYTES) {
		c->held = true;
		event_del(c->readable);
	} else if (c->held && pending(c) < OUT_HELD_BYTES / 4) {
		c->held = false;
		event_add(c->readable, NULL);
	}
}

static void on_writable(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	flush(ctx);
}

static void destroy(struct fw_keeper_conn *c)
{
	hang_up(c);
	fw_buf_finish(&c->out);
	free(c->in);
	free(c);
}

static int add(struct fw_keeper *k, int fd)
{
	struct fw_keeper_conn *c = calloc(1, sizeof *c);
	if (!c)
		return FW_ENOMEM;
	c->keeper = k;
	c->fd = fd;
	fw_buf_init(&c->out, 0);
	c->in = malloc(IN_BYTES);
	c->in_size = IN_BYTES;
	c->readable = event_new(k->base, fd, EV_READ | EV_PERSIST, on_readable, c);
	c->writable = event_new(k->base, fd, EV_WRITE, on_writable, c);
	if (!c->in || !c->readable || !c->writable || event_add(c->readable, NULL) < 0) {
		if (c->readable)
			event_free(c->readable);
		if (c->writable)
			event_free(c->writable);
		free(c->in);
		free(c);
		return FW_ENOMEM;
	}
	c->next = k->conns;
	k->conns = c;
	k->n_conns++;
	return 0;
}

void fw_keeper_accept(struct fw_keeper *k, int listener)
{
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0)
			return;
		if (k->n_conns >= FW_LIMIT_STORE_CONNECTIONS || add(k, fd) < 0)
			close(fd);
	}
}

void fw_keeper_answer(struct fw_keeper *k, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++) {
		struct fw_keeper_item *item = &k->group.items[i];
		const struct fw_outcome *o = fw_submitter_outcome(item->submitter, item->batch.sequence);
		if (item->answered || item->conn->fd < 0)
			continue;
		item->answered = true;
		if (o && o->rc <= 0)
			fw_wire_put_done(&item->conn->out, item->batch.sequence, o->rc, o->version);
		else
			hang_up(item->conn); /* it asks for what it said it had seen */
	}
}

static void tell(struct fw_keeper_conn *c, const struct fw_wire_batch *b, uint64_t version)
{
	char buf[FW_LIMIT_STORE_KEY_BYTES];
	for (unsigned i = 0; i < b->n; i++) {
		const struct fw_change *change = &b->changes[i];
		if (change->kind == FW_CHANGE_EXPECT)
			continue;
		if (c->lost || pending(c) > FW_LIMIT_STORE_NOTICE_BYTES)
			c->lost = true;
		else
			fw_wire_put_notice(&c->out, b->bucket, fw_keeper_key(change, buf),
				change->kind == FW_CHANGE_DELETE ? FW_VERSION_NONE : version);
	}
}

void fw_keeper_publish(struct fw_keeper *k, unsigned from, unsigned to)
{
	for (struct fw_keeper_conn *c = k->conns; c; c = c->next) {
		if (!c->watches || c->fd < 0)
			continue;
		for (unsigned i = from; i < to; i++) {
			const struct fw_keeper_item *item = &k->group.items[i];
			const struct fw_outcome *o = fw_submitter_outcome(item->submitter, item->batch.sequence);
			if (!item->again && o && o->rc == 0)
				tell(c, &item->batch, o->version);
		}
	}
}

void fw_keeper_tell_state(struct fw_keeper *k)
{
	for (struct fw_keeper_conn *c = k->conns; c; c = c->next)
		if (c->submitter && c->fd >= 0 && pending(c) < FW_LIMIT_STORE_NOTICE_BYTES)
			fw_wire_put_state(&c->out, &k->state);
}

void fw_keeper_flush(struct fw_keeper *k)
{
	for (struct fw_keeper_conn *c = k->conns; c; c = c->next)
		flush(c);
}

void fw_keeper_sweep(struct fw_keeper *k)
{
	for (struct fw_keeper_conn **p = &k->conns; *p;) {
		struct fw_keeper_conn *c = *p;
		if (c->fd >= 0) {
			p = &c->next;
			continue;
		}
		*p = c->next;
		k->n_conns--;
		destroy(c);
	}
}

void fw_keeper_hang_up(struct fw_keeper *k, int ms)
{
	int64_t until = fw_monotonic_us() + ms * INT64_C(1000);
	for (struct fw_keeper_conn *c = k->conns; c; c = c->next) {
		for (int64_t left; c->fd >= 0 && pending(c) > 0 && (left = until - fw_monotonic_us()) > 0;) {
			struct pollfd p = { .fd = c->fd, .events = POLLOUT };
			poll(&p, 1, (int)(left / 1000) + 1);
			flush(c);
		}
		hang_up(c);
	}
	fw_keeper_sweep(k);
}
