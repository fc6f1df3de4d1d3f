#include "server/streams_own.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/living.h"

enum { AT_ONCE = 64, DRAIN_TICK_MS = 50, DRAIN_LEAST = 10, HANDED_OVER_RETRY_MS = 100 };

/* Who ended it, as the metric has it. */
enum ended_by { BY_CLIENT, BY_SLOWNESS, BY_AGE, BY_DRAIN };

/* The connection is no more, or is left to itself. */
static void leave(struct fw_stream *st, enum ended_by by)
{
	struct fw_streams *s = st->all;
	fw_count(s->worker->page, FW_COUNT_STREAMS_ENDED + by, 1);
	fw_stream_unlink(st);
	st->http = NULL;
	st->over = true;
	if (!st->looking)
		fw_stream_free(st);
}

/* --- what it is told */

static void write_text(struct fw_stream *st)
{
	struct fw_buf *b = &st->all->out;
	st->told_us = fw_monotonic_us();
	/* It may be over afterwards. */
	if (!b->failed)
		fw_http_stream_write(st->http, b->data, b->n);
}

static void put_id(struct fw_stream *st)
{
	char tag[FW_SHOWN_TEXT];
	fw_shown_write(&st->watch.shown, tag);
	fw_buf_printf(&st->all->out, "id: %s\n", tag);
}

/* What is new; without data (nothing is) only the id, which moves on. */
static void tell(struct fw_stream *st, const struct fw_buf *answer)
{
	struct fw_buf *b = &st->all->out;
	put_id(st);
	if (answer) {
		fw_buf_puts(b, "data: ");
		if (st->notice)
			fw_buf_puts(b, st->notice);
		else
			fw_buf_add(b, answer->data, answer->n);
		fw_buf_putc(b, '\n');
		fw_count(st->all->worker->page, FW_COUNT_STREAM_EVENTS, 1);
	}
	fw_buf_putc(b, '\n');
	write_text(st);
}

/* Asks it to come back, and leaves. */
static void end(struct fw_stream *st, enum ended_by by, unsigned retry_ms)
{
	struct fw_http_stream *http = st->http;
	char text[32];
	int n = snprintf(text, sizeof text, "retry: %u\n\n", retry_ms);
	leave(st, by);
	fw_http_stream_end(http, text, (size_t)n);
}

static void on_clear(void *ctx)
{
	struct fw_stream *st = ctx;
	if (st->missed)
		fw_stream_set_due(st);
}

static void on_closed(void *ctx, bool slow)
{
	leave(ctx, slow ? BY_SLOWNESS : BY_CLIENT);
}

static const struct fw_http_stream_handlers *handlers_of(struct fw_stream *st, struct fw_http_stream_handlers *to)
{
	*to = (struct fw_http_stream_handlers){ on_clear, on_closed, st };
	return to;
}

/* The first answer is there. */
static void begin(struct fw_stream *st, const struct fw_buf *answer)
{
	struct fw_streams *s = st->all;
	struct fw_http_stream_handlers handlers;
	struct fw_http_request *request = st->request;
	st->request = NULL;
	st->ask.request = NULL;
	st->ask.from = &st->from;
	fw_stream_headers(request);
	st->http = fw_http_stream_begin(request, FW_STREAM_TYPE, handlers_of(st, &handlers));
	if (!st->http) {
		fw_stream_free(st);
		return;
	}
	fw_count(s->worker->page, FW_COUNT_STREAMS, 1);
	st->began_us = st->looked_us = fw_monotonic_us();
	fw_stream_append(st, st->began_us);
	bool changed = fw_stream_watch_rows(st) && st->heard != s->heard;
	if (changed)
		fw_stream_set_due(st);
#ifdef FW_BREAK_STREAMS /* who comes back is not told what he missed */
	answer = st->watch.knew ? NULL : answer;
#endif
	fw_buf_clear(&s->out);
	fw_buf_printf(&s->out, "retry: %u\n", fw_streams_spread(s, FW_LIMIT_STREAM_RETRY_MS));
	if (s->draining)
		fw_stream_wait(s->on_drain, 0);
	tell(st, answer);
}

static void refuse(struct fw_stream *st, int status, const struct fw_buf *answer)
{
	struct fw_http_request *request = st->request;
	if (status == 429 || status == 503)
		fw_http_reply_header(request, "Retry-After", "1");
	fw_stream_free(st);
	fw_http_reply(request, status, "application/json", answer->failed ? "{}" : answer->data, answer->failed ? 2 : answer->n);
}

/* A look that was no first one. */
static void looked_again(struct fw_stream *st, int status, const struct fw_buf *answer)
{
	struct fw_streams *s = st->all;
	bool changed = status == 200 && fw_stream_watch_rows(st) && st->heard != s->heard;
	st->missed = status != 200;
	st->looked_us = fw_monotonic_us();
	if (st->again || changed)
		fw_stream_set_due(st);
	st->again = false;
	fw_buf_clear(&s->out);
	if (status == 200 && !st->watch.same)
		tell(st, answer);
	else if (status == 200 && st->watch.moved)
		tell(st, NULL);
}

static void on_looked(void *ctx, int status, struct fw_buf *out)
{
	struct fw_stream *st = ctx;
	st->looking = false;
	st->watch.asked_before = true;
	if (out->failed)
		status = 503;
	if (st->over)
		fw_stream_free(st);
	else if (st->http)
		looked_again(st, status, out);
	else if (status != 200)
		refuse(st, status, out);
	else
		begin(st, st->watch.same || (st->notice && !st->watch.knew) ? NULL : out);
}

void fw_stream_look(struct fw_stream *st)
{
	struct fw_streams *s = st->all;
	st->looking = true;
	st->heard = s->heard;
	st->watch.n_rows = 0;
	st->watch.products.n = 0;
	fw_count(s->worker->page, FW_COUNT_STREAM_LOOKS, 1);
	fw_engine_decide(s->worker->engine, &st->ask, on_looked, st);
}

/* --- what time brings */

static void on_due(evutil_socket_t fd, short what, void *ctx)
{
	struct fw_streams *s = ctx;
	struct fw_stream *st;
	int64_t now_us = fw_monotonic_us();
	(void)fd;
	(void)what;
	for (unsigned n = 0; (st = s->due.first) && st->due_us <= now_us && n < AT_ONCE; n++) {
		fw_stream_unset_due(st);
		if (st->looking)
			st->again = true;
		else if (fw_http_stream_clear(st->http))
			fw_stream_look(st);
		else
			st->missed = true; /* nothing is decided for one who does not read */
	}
	if (s->due.first)
		fw_stream_wait(s->on_due, s->due.first->due_us - now_us);
	fw_worker_turned(s->worker);
}

static void beat(struct fw_stream *st, int64_t now_us)
{
	const struct fw_stream_limits *l = &st->all->worker->made->config->streams;
	fw_stream_unlink(st);
	fw_stream_append(st, now_us);
	if (now_us - st->began_us >= l->stream_ms * 1000) {
		end(st, BY_AGE, fw_streams_spread(st->all, FW_LIMIT_STREAM_RETRY_MS));
		return;
	}
	if (st->missed || now_us - st->looked_us >= FW_LIMIT_STREAM_LOOK_MS * INT64_C(1000))
		fw_stream_set_due(st);
	if (st->looking || !fw_http_stream_clear(st->http) || now_us - st->told_us < l->stream_beat_ms * 500)
		return;
	fw_buf_clear(&st->all->out);
	fw_buf_puts(&st->all->out, ":\n\n");
	write_text(st);
}

static void on_beat(evutil_socket_t fd, short what, void *ctx)
{
	struct fw_streams *s = ctx;
	int64_t now_us = fw_monotonic_us();
	(void)fd;
	(void)what;
	for (unsigned n = 0; s->open.first && s->open.first->beat_us <= now_us && n < AT_ONCE; n++)
		beat(s->open.first, now_us);
	if (s->open.first)
		fw_stream_wait(s->on_beat, s->open.first->beat_us - now_us);
}

static void on_drain(evutil_socket_t fd, short what, void *ctx)
{
	struct fw_streams *s = ctx;
	(void)fd;
	(void)what;
	for (unsigned n = 0; s->open.first && n < s->drain_at_once; n++)
		end(s->open.first, BY_DRAIN, s->stopping ? fw_streams_spread(s, FW_LIMIT_STREAM_RETRY_MS) : HANDED_OVER_RETRY_MS);
	if (s->open.first)
		fw_stream_wait(s->on_drain, DRAIN_TICK_MS * 1000);
}

/* --- its life */

struct fw_streams *fw_streams_create(struct fw_worker *worker)
{
	struct fw_streams *s = calloc(1, sizeof *s);
	if (!s)
		return NULL;
	s->worker = worker;
	s->on_due = evtimer_new(worker->base, on_due, s);
	s->on_beat = evtimer_new(worker->base, on_beat, s);
	s->on_drain = evtimer_new(worker->base, on_drain, s);
	fw_buf_init(&s->out, 0);
	if (getrandom(&s->seed, sizeof s->seed, 0) != sizeof s->seed || !s->on_due || !s->on_beat || !s->on_drain) {
		fw_streams_destroy(s);
		return NULL;
	}
	s->chance = s->seed;
	return s;
}

void fw_streams_start(struct fw_streams *s)
{
	if (fw_store_watch(fw_people_store(fw_living_people(s->worker->living)), fw_streams_changed, s) < 0)
		fw_log(FW_LOG_WARN, "the store sends no notices: open pages are looked after once a minute", NULL);
}

void fw_streams_drain(struct fw_streams *s, bool stopping)
{
	s->stopping = stopping;
	s->draining = true;
	s->drain_at_once = s->n * DRAIN_TICK_MS / FW_LIMIT_STREAM_DRAIN_MS + DRAIN_LEAST;
	fw_stream_wait(s->on_drain, 0);
}

void fw_streams_destroy(struct fw_streams *s)
{
	if (!s)
		return;
	if (s->on_due)
		event_free(s->on_due);
	if (s->on_beat)
		event_free(s->on_beat);
	if (s->on_drain)
		event_free(s->on_drain);
	fw_buf_finish(&s->out);
	free(s);
}
