/* A worker's connection to the keeper. What was not answered when it broke is sent again on the next one, in order; the keeper
 * knows each batch by its number. */
#include "store/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"

enum {
	IN_BYTES = 64 << 10,
	PARTS = 64, /* batches handed to the socket in one call */
	AGAIN_MS = 5,
	AGAIN_MOST_MS = 500,
};

static void flush(struct fw_line_state *l);

static void wait_to_connect(struct fw_line_state *l)
{
	struct timeval t = { l->again_ms / 1000, (l->again_ms % 1000) * 1000 };
	event_add(l->again, &t);
	l->again_ms = l->again_ms * 2 < AGAIN_MOST_MS ? l->again_ms * 2 : AGAIN_MOST_MS;
}

static void drop(struct fw_line_state *l)
{
	l->state = FW_LINE_DOWN;
	if (l->readable)
		event_free(l->readable);
	if (l->writable)
		event_free(l->writable);
	l->readable = l->writable = NULL;
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	l->in_n = 0;
	fw_buf_clear(&l->out);
	l->out_at = 0;
	l->unsent = l->first;
	l->sent_bytes = 0;
}

static void lose(struct fw_line_state *l)
{
	drop(l);
	wait_to_connect(l);
}

/* The oldest batch has its outcome. False: that is not the one which the keeper means. */
static bool answer(struct fw_line_state *l, uint64_t sequence, int rc, uint64_t version)
{
	struct fw_waiting *w = l->first;
	if (!w || w->sequence != sequence || w == l->unsent)
		return false;
	if (!(l->first = w->next))
		l->last = NULL;
	l->n_waiting--;
	l->waiting_bytes -= w->n;
	fw_store_give_outcome(l->store, rc, version, w->rows, w->since_us, w->done, w->ctx);
	free(w);
	return true;
}

static bool on_scrubbed(struct fw_line_state *l, const struct fw_wire_frame *f)
{
	uint64_t number;
	int rc;
	if (fw_wire_scrubbed(f, &number, &rc) < 0)
		return false;
	for (struct fw_scrubbing **p = &l->scrubs; *p; p = &(*p)->next) {
		struct fw_scrubbing *asked = *p;
		if (asked->number != number)
			continue;
		*p = asked->next;
		l->n_scrubs--;
		asked->done(asked->ctx, rc);
		free(asked);
		return true;
	}
	return false;
}

static bool on_welcome(struct fw_line_state *l, const struct fw_wire_frame *f)
{
	uint32_t protocol;
	if (l->state != FW_LINE_GREETED || fw_wire_welcome(f, &protocol) < 0 || protocol != FW_WIRE_PROTOCOL)
		return false;
	l->state = FW_LINE_UP;
	l->again_ms = AGAIN_MS;
	l->connected(l->store);
	for (struct fw_waiting *w = l->first; w; w = w->next)
		l->store->counters.resubmitted += w->sent;
	/* What was changed between the connections nobody told. */
	if (l->watched)
		fw_store_give_notice(l->store, 0, (struct fw_str){ 0 }, 0);
	l->watched = l->store->n_watchers > 0;
	for (const struct fw_scrubbing *asked = l->scrubs; asked; asked = asked->next)
		fw_wire_put_scrub(&l->out, asked->number);
	flush(l);
	return !l->out.failed;
}

static bool on_frame(struct fw_line_state *l, const struct fw_wire_frame *f)
{
	uint64_t sequence, version;
	uint32_t bucket;
	struct fw_str key;
	int rc;
	if (f->type == FW_WIRE_WELCOME)
		return on_welcome(l, f);
	if (l->state != FW_LINE_UP)
		return false;
	switch (f->type) {
	case FW_WIRE_DONE:
		return fw_wire_done(f, &sequence, &rc, &version) == 0 && answer(l, sequence, rc, version);
	case FW_WIRE_NOTICE:
		if (fw_wire_notice(f, &bucket, &key, &version) < 0)
			return false;
		fw_store_give_notice(l->store, bucket, key, version);
		return true;
	case FW_WIRE_LOST:
		fw_store_give_notice(l->store, 0, (struct fw_str){ 0 }, 0);
		return f->n == 0;
	case FW_WIRE_STATE:
		return fw_wire_state(f, &l->keeper) == 0;
	case FW_WIRE_SCRUBBED:
		return on_scrubbed(l, f);
	default:
		return false;
	}
}

/* What was read, frame by frame. Completions may hand in further batches, and nothing else of ours. */
static bool on_bytes(struct fw_line_state *l)
{
	struct fw_wire_frame f;
	size_t at = 0, used = 0;
	int rc;
	while ((rc = fw_wire_next(l->in + at, l->in_n - at, &f, &used)) == 1) {
		if (!on_frame(l, &f))
			return false;
		at += used;
	}
	memmove(l->in, l->in + at, l->in_n - at);
	l->in_n -= at;
	return rc == 0 && l->in_n < l->in_size;
}

static void on_readable(evutil_socket_t fd, short what, void *ctx)
{
	struct fw_line_state *l = ctx;
	(void)what;
	ssize_t n = recv(fd, l->in + l->in_n, l->in_size - l->in_n, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		lose(l);
		return;
	}
	l->in_n += (size_t)n;
	if (!on_bytes(l))
		lose(l);
}

/* What is to be sent, as one list of parts: the rest of a batch that was begun, greetings, batches. */
static int gather(struct fw_line_state *l, struct iovec parts[PARTS])
{
	int n = 0;
	struct fw_waiting *w = l->state == FW_LINE_UP ? l->unsent : NULL;
	if (w && l->sent_bytes > 0) {
		parts[n++] = (struct iovec){ w->frame + l->sent_bytes, w->n - l->sent_bytes };
		w = w->next;
	}
	if (l->out_at < l->out.n)
		parts[n++] = (struct iovec){ l->out.data + l->out_at, l->out.n - l->out_at };
	for (; w && n < PARTS; w = w->next)
		parts[n++] = (struct iovec){ w->frame, w->n };
	return n;
}

/* So many bytes of the first unsent batch are gone, or fewer: as many as it has. Returns how many are left over. */
static size_t take_off_batch(struct fw_line_state *l, size_t n)
{
	struct fw_waiting *w = l->unsent;
	size_t part = w->n - l->sent_bytes < n ? w->n - l->sent_bytes : n;
	w->sent = true;
	l->sent_bytes += part;
	if (l->sent_bytes == w->n) {
		l->unsent = w->next;
		l->sent_bytes = 0;
	}
	return n - part;
}

static void take_off(struct fw_line_state *l, size_t n)
{
	if (l->sent_bytes > 0)
		n = take_off_batch(l, n);
	size_t greetings = l->out.n - l->out_at < n ? l->out.n - l->out_at : n;
	l->out_at += greetings;
	n -= greetings;
	if (l->out_at == l->out.n) {
		fw_buf_clear(&l->out);
		l->out_at = 0;
	}
	while (n > 0)
		n = take_off_batch(l, n);
}

/* Hands over what the socket takes; the rest goes when it can be written again. */
static void flush(struct fw_line_state *l)
{
	struct iovec parts[PARTS];
	struct msghdr message = { .msg_iov = parts };
	while (l->fd >= 0 && (message.msg_iovlen = (size_t)gather(l, parts)) > 0) {
		ssize_t n = sendmsg(l->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n > 0) {
			take_off(l, (size_t)n);
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		/* A connection that broke is noticed when it is read, where nothing is in the middle of anything. */
		if (errno == EAGAIN)
			event_add(l->writable, NULL);
		return;
	}
}

static void on_writable(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	flush(ctx);
}

static int connect_to(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	size_t n = strlen(path);
	if (n >= sizeof a.sun_path)
		return -1;
	memcpy(a.sun_path, path, n);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static void try_to_connect(struct fw_line_state *l)
{
	if ((l->fd = connect_to(l->socket)) < 0) {
		wait_to_connect(l);
		return;
	}
	l->readable = event_new(l->base, l->fd, EV_READ | EV_PERSIST, on_readable, l);
	l->writable = event_new(l->base, l->fd, EV_WRITE, on_writable, l);
	fw_wire_put_hello(&l->out, l->store->id);
	if (l->store->n_watchers > 0)
		fw_wire_put_watch(&l->out, true);
	if (!l->readable || !l->writable || l->out.failed || event_add(l->readable, NULL) < 0) {
		lose(l);
		return;
	}
	l->state = FW_LINE_GREETED;
	flush(l);
}

static void on_again(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	try_to_connect(ctx);
}

int fw_line_open(struct fw_line_state *l, struct fw_store *s, struct event_base *base, const char *socket,
	void (*connected)(struct fw_store *s))
{
	*l = (struct fw_line_state){ .store = s, .base = base, .fd = -1, .again_ms = AGAIN_MS, .next_sequence = 1, .connected = connected };
	fw_buf_init(&l->out, 0);
	l->in = malloc(IN_BYTES);
	l->in_size = IN_BYTES;
	l->socket = strdup(socket);
	l->again = evtimer_new(base, on_again, l);
	if (!l->in || !l->socket || !l->again)
		return FW_ENOMEM; /* the caller closes */
	try_to_connect(l);
	return 0;
}

void fw_line_close(struct fw_line_state *l)
{
	l->closing = true;
	/* Of what nobody waits for any more, as much as the socket takes: a lease that is given back is somebody's next. */
	flush(l);
	drop(l);
	while (l->first) {
		l->unsent = NULL;
		answer(l, l->first->sequence, FW_EAWAY, 0);
	}
	while (l->scrubs) {
		struct fw_scrubbing *asked = l->scrubs;
		l->scrubs = asked->next;
		asked->done(asked->ctx, FW_EAWAY);
		free(asked);
	}
	if (l->again)
		event_free(l->again);
	fw_buf_finish(&l->out);
	free(l->in);
	free((char *)(uintptr_t)l->socket);
}

int fw_line_commit(struct fw_line_state *l, const struct fw_batch *batch, fw_store_committed done, void *ctx)
{
	size_t n = fw_wire_batch_bytes(batch);
	if (l->closing || l->n_waiting >= FW_LIMIT_STORE_WAITING ||
		(l->n_waiting > 0 && l->waiting_bytes + n > FW_LIMIT_STORE_WAITING_BYTES))
		return FW_EBUSY;
	struct fw_waiting *w = malloc(sizeof *w + n);
	if (!w)
		return FW_ENOMEM;
	*w = (struct fw_waiting){ .sequence = l->next_sequence++, .since_us = fw_monotonic_us(), .done = done, .ctx = ctx,
		.rows = fw_store_rows_of(batch), .n = n };
	fw_wire_write_batch(w->frame, batch, w->sequence, l->first ? l->first->sequence : w->sequence);
	if (l->last)
		l->last->next = w;
	else
		l->first = w;
	l->last = w;
	l->n_waiting++;
	l->waiting_bytes += n;
	if (!l->unsent) {
		l->unsent = w;
		l->sent_bytes = 0;
		/* With whatever else comes in this turn of the loop. */
		if (l->state == FW_LINE_UP)
			event_active(l->writable, EV_WRITE, 0);
	}
	return 0;
}

int fw_line_scrub(struct fw_line_state *l, fw_store_scrubbed done, void *ctx)
{
	if (l->closing || l->n_scrubs >= FW_LIMIT_STORE_SCRUBS)
		return FW_EBUSY;
	struct fw_scrubbing *asked = malloc(sizeof *asked);
	if (asked && l->state == FW_LINE_UP) {
		fw_wire_put_scrub(&l->out, l->next_scrub);
		event_active(l->writable, EV_WRITE, 0);
	}
	if (!asked || l->out.failed) {
		free(asked);
		return FW_ENOMEM;
	}
	*asked = (struct fw_scrubbing){ l->scrubs, l->next_scrub++, done, ctx };
	l->scrubs = asked;
	l->n_scrubs++;
	return 0;
}

int fw_line_watch(struct fw_line_state *l, bool on)
{
	l->watched = on && l->state == FW_LINE_UP;
	if (l->state == FW_LINE_DOWN)
		return 0;
	fw_wire_put_watch(&l->out, on);
	if (l->out.failed)
		return FW_ENOMEM;
	event_active(l->writable, EV_WRITE, 0);
	return 0;
}
