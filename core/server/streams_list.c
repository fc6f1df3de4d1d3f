/* Where a stream stands: whose changes it hears of, what is due, whose turn it is, and how many there are. */
#include <stdlib.h>

#include "base/clock.h"
#include "server/streams_own.h"

void fw_stream_wait(struct event *timer, int64_t us)
{
	struct timeval t = { us > 0 ? us / 1000000 : 0, us > 0 ? us % 1000000 : 0 };
	event_add(timer, &t);
}

unsigned fw_streams_spread(struct fw_streams *s, unsigned ms)
{
	s->chance = s->chance * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return ms / 2 + (unsigned)((s->chance >> 33) % (ms + 1));
}

/* Spread like the hash of a row, of which it is none. */
static uint64_t product_row(uint32_t number)
{
	return (number + UINT64_C(1)) * UINT64_C(0x9e3779b97f4a7c15);
}

static void hang(struct fw_stream *st, struct fw_stream_row *w, uint64_t row)
{
	struct fw_stream_row **chain = &st->all->chains[row % FW_STREAM_CHAINS];
	*w = (struct fw_stream_row){ row, st, *chain, chain };
	if (w->next)
		w->next->back = &w->next;
	*chain = w;
}

static void unhang(struct fw_stream_row *rows, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		*rows[i].back = rows[i].next;
		if (rows[i].next)
			rows[i].next->back = rows[i].back;
	}
}

static void unwatch_products(struct fw_stream *st)
{
	unhang(st->products, st->n_products);
	free(st->products);
	st->products = NULL;
	st->n_products = 0;
}

/* Without memory it hears of none, and is looked at as often as time wants it. */
static bool watch_products(struct fw_stream *st)
{
	const struct fw_products_asked *now = &st->watch.products;
	bool same = st->n_products == now->n;
	for (unsigned i = 0; same && i < now->n; i++)
		same = st->products[i].row == product_row(now->numbers[i]);
	if (same)
		return false;
	unwatch_products(st);
	st->products = now->n ? malloc(now->n * sizeof *st->products) : NULL;
	for (; st->products && st->n_products < now->n; st->n_products++)
		hang(st, &st->products[st->n_products], product_row(now->numbers[st->n_products]));
	return true;
}

bool fw_stream_watch_rows(struct fw_stream *st)
{
	const struct fw_engine_watch *now = &st->watch;
	bool others = watch_products(st), same = st->n_rows == now->n_rows;
	for (unsigned i = 0; same && i < now->n_rows; i++)
		same = st->rows[i].row == now->rows[i];
	if (same)
		return others;
	unhang(st->rows, st->n_rows);
	for (st->n_rows = 0; st->n_rows < now->n_rows; st->n_rows++)
		hang(st, &st->rows[st->n_rows], now->rows[st->n_rows]);
	return true;
}

void fw_stream_set_due(struct fw_stream *st)
{
	struct fw_streams *s = st->all;
	if (st->is_due || !st->http)
		return;
	st->is_due = true;
	st->due_us = fw_monotonic_us() + FW_LIMIT_STREAM_GATHER_MS * INT64_C(1000);
	st->due_next = NULL;
	st->due_prev = s->due.last;
	if (s->due.last)
		s->due.last->due_next = st;
	else
		s->due.first = st;
	s->due.last = st;
	if (s->due.first == st)
		fw_stream_wait(s->on_due, FW_LIMIT_STREAM_GATHER_MS * INT64_C(1000));
}

void fw_stream_unset_due(struct fw_stream *st)
{
	struct fw_streams *s = st->all;
	if (!st->is_due)
		return;
	st->is_due = false;
	*(st->due_prev ? &st->due_prev->due_next : &s->due.first) = st->due_next;
	*(st->due_next ? &st->due_next->due_prev : &s->due.last) = st->due_prev;
}

static void row_changed(struct fw_streams *s, uint64_t row)
{
	for (struct fw_stream_row *w = s->chains[row % FW_STREAM_CHAINS]; w; w = w->next)
		if (w->row == row)
			fw_stream_set_due(w->stream);
}

void fw_streams_product_changed(void *ctx, uint32_t number)
{
	struct fw_streams *s = ctx;
	s->heard++;
#ifndef FW_BREAK_STREAM_PRODUCTS /* what sells out stays on open pages for a minute */
	row_changed(s, product_row(number));
#else
	(void)number;
#endif
}

void fw_streams_changed(void *ctx, uint32_t bucket, struct fw_str key, uint64_t version)
{
	struct fw_streams *s = ctx;
	uint64_t row;
	(void)bucket;
	(void)version;
	s->heard++;
	if (!key.p) { /* anything may have changed */
		for (struct fw_stream *st = s->open.first; st; st = st->next)
			fw_stream_set_due(st);
	} else if (fw_people_row_changed(key, &row)) {
		row_changed(s, row);
	}
}

/* --- its place among the others */

void fw_stream_append(struct fw_stream *st, int64_t now_us)
{
	struct fw_streams *s = st->all;
	st->beat_us = now_us + s->worker->made->config->streams.stream_beat_ms * 1000;
	st->next = NULL;
	st->prev = s->open.last;
	*(st->prev ? &st->prev->next : &s->open.first) = st;
	s->open.last = st;
	if (s->open.first == st)
		fw_stream_wait(s->on_beat, st->beat_us - now_us);
}

void fw_stream_unlink(struct fw_stream *st)
{
	struct fw_streams *s = st->all;
	*(st->prev ? &st->prev->next : &s->open.first) = st->next;
	*(st->next ? &st->next->prev : &s->open.last) = st->prev;
}

unsigned fw_streams_near(const struct fw_streams *s, uint64_t address)
{
	unsigned n = 0;
	for (const struct fw_stream *st = s->near[address % FW_STREAM_ADDRESS_CHAINS]; st; st = st->near_next)
		n += st->address == address;
	return n;
}

void fw_stream_come_near(struct fw_stream *st, uint64_t address)
{
	struct fw_stream **chain = &st->all->near[address % FW_STREAM_ADDRESS_CHAINS];
	st->address = address;
	if (!address)
		return;
	st->near_next = *chain;
	st->near_back = chain;
	if (st->near_next)
		st->near_next->near_back = &st->near_next;
	*chain = st;
}

void fw_streams_count(struct fw_streams *s, int more)
{
	s->n += (unsigned)more;
	atomic_store_explicit(&s->worker->page->streams, s->n, memory_order_relaxed);
}

void fw_stream_free(struct fw_stream *st)
{
	unhang(st->rows, st->n_rows);
	unwatch_products(st);
	fw_stream_unset_due(st);
	if (st->address) {
		*st->near_back = st->near_next;
		if (st->near_next)
			st->near_next->near_back = st->near_back;
	}
	if (st->counted)
		fw_streams_count(st->all, -1);
	free(st);
}
