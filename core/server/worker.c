#include "server/worker.h"

#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/client.h"
#include "server/aside.h"
#include "server/channel.h"
#include "server/living.h"
#include "server/rates.h"
#include "server/request.h"
#include "server/sending.h"
#include "server/spool_drain.h"
#include "server/stock.h"
#include "server/streams.h"
#include "signal/signal.h"

/* A worker stops accepting beyond its share of the open connections, and an eighth, and these. */
enum { SHARE_SLACK = 4, BEATS_PER_DEADLINE = 5, BEAT_MOST_MS = 1000 };

static void leave(struct fw_worker *w, int status)
{
	w->status = status;
	event_base_loopbreak(w->base);
}

/* Over its share, a worker leaves the next connections to the others; one that hangs does not count as another. */
static bool over_share(const struct fw_worker *w)
{
	uint64_t open = 0, others = 0;
	int64_t now = fw_monotonic_us(), stale = 2 * 1000 * (int64_t)BEAT_MOST_MS;
	for (unsigned i = 0; i < w->made->config->workers; i++) {
		const struct fw_slot_page *p = &w->made->slots[i];
		if (p == w->page || !atomic_load_explicit(&p->pid, memory_order_relaxed))
			continue;
		if (now - atomic_load_explicit(&p->turned_us, memory_order_relaxed) > stale)
			continue;
		open += atomic_load_explicit(&p->open, memory_order_relaxed);
		others++;
	}
	uint64_t mine = fw_http_server_counters(w->http)->open;
	uint64_t share = (open + mine) / (others + 1);
	return others > 0 && mine > share + share / 8 + SHARE_SLACK;
}

void fw_worker_turned(struct fw_worker *w)
{
	const struct fw_http_counters *now = fw_http_server_counters(w->http);
	fw_slot_publish(w->page, &w->http_before, now);
	event_active(w->on_turn, EV_TIMEOUT, 0);
	if (now->accepted == w->accepted_seen && !w->paused)
		return;
	w->accepted_seen = now->accepted;
	bool over = over_share(w);
	if (over != w->paused && !w->draining) {
		w->paused = over;
		fw_http_server_pause(w->http, over);
	}
}

static void on_beat(evutil_socket_t fd, short what, void *ctx)
{
	struct fw_worker *w = ctx;
	(void)fd;
	(void)what;
	atomic_store_explicit(&w->page->turned_us, fw_monotonic_us(), memory_order_relaxed);
	fw_worker_turned(w);
	fw_living_publish(w->living);
	fw_sending_publish(w->sending);
	/* A master that reads too slowly misses a beat, not the worker. */
	fw_channel_tell(w->channel, FW_TELL_BEAT, (int)w->number, getpid(), 0, NULL);
}

static void on_turn(evutil_socket_t fd, short what, void *ctx)
{
	struct fw_worker *w = ctx;
	(void)fd;
	(void)what;
	fw_engine_turned(w->engine);
}

static int accept_all(struct fw_worker *w)
{
	const struct fw_sockets *s = w->made->sockets;
	struct fw_error err;
	for (unsigned i = 0; i < s->n; i++) {
		if (fw_http_server_listen(w->http, s->fds[i], &err) >= 0)
			continue;
		fw_log_error(FW_LOG_ERROR, "a worker cannot serve a socket", &err);
		return FW_EIO;
	}
	return 0;
}

static void drain(struct fw_worker *w)
{
	if (w->draining)
		return;
	w->draining = true;
	w->until_us = fw_monotonic_us() + w->made->config->process.drain_ms * 1000 / 10 * 9;
	fw_sending_drain(w->sending);
	fw_streams_drain(w->streams, atomic_load(&w->made->shared->stopping));
	fw_plugins_drain(w->made->plugins, w->made->config->process.drain_ms);
	fw_http_server_drain(w->http, w->made->config->process.drain_ms);
}

static void on_spool_drained(void *ctx)
{
	leave(ctx, 0);
}

/* When the daemon stops what is held goes to the store first, if that answers; otherwise the next generation does it. */
static void on_sent(void *ctx)
{
	struct fw_worker *w = ctx;
	if (w->spool && atomic_load(&w->made->shared->stopping))
		fw_drain_finish(w->spool, w->until_us, on_spool_drained, w);
	else
		leave(w, 0);
}

/* What channels have in hand is heard to its end. */
static void on_drained(struct fw_http_server *server, void *ctx)
{
	struct fw_worker *w = ctx;
	(void)server;
	fw_sending_finish(w->sending, w->until_us, on_sent, w);
}

static void on_channel(evutil_socket_t fd, short what, void *ctx)
{
	struct fw_worker *w = ctx;
	struct fw_told told;
	int rc;
	(void)what;
	while ((rc = fw_channel_read(fd, &told)) == 1) {
		if (told.what == FW_TELL_ACCEPT && accept_all(w) < 0)
			leave(w, 1);
		else if (told.what == FW_TELL_ACCEPT)
			fw_sending_start(w->sending);
		else if (told.what == FW_TELL_DRAIN)
			drain(w);
		else if (told.what == FW_TELL_REOPEN)
			fw_log_reopen(NULL);
	}
	if (rc < 0)
		leave(w, 0); /* the master is gone */
}

static void on_term(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	leave(ctx, 0);
}

/* The bank's memory, which is the first worker's; the others begin with a copy. NULL: out of memory. */
static void *remembered(struct fw_worker *w)
{
	void *first = w->made->shared->remembered[w->made->bank];
	if (w->number == 0)
		return first;
	if ((w->remembered = calloc(1, fw_signal_memory_bytes())))
		fw_signal_memory_copy(w->remembered, first);
	return w->remembered;
}

static void on_product(void *ctx, uint32_t number)
{
	struct fw_worker *w = ctx;
	fw_streams_product_changed(w->streams, number);
	fw_sending_product(w->sending, number);
}

static int make(struct fw_worker *w, struct fw_error *err)
{
	const struct fw_config *config = w->made->config;
	struct fw_http_handlers handlers = { fw_request_dispatch, on_drained, w };
	int64_t beat_ms = config->process.heartbeat_ms / BEATS_PER_DEADLINE;
	if (beat_ms > BEAT_MOST_MS)
		beat_ms = BEAT_MOST_MS;
	struct timeval beat = { beat_ms / 1000, beat_ms % 1000 * 1000 };
	fw_fail(err, FW_ENOMEM, NULL, 0, "a worker is out of memory");
	if (!(w->base = event_base_new()) || !(w->http = fw_http_server_create(w->base, &config->http, &handlers)))
		return FW_ENOMEM;
	int rc = fw_living_create(w->made, w->page, w->base, &w->living, err);
	if (rc < 0)
		return rc;
	if (!(w->engine = fw_engine_worker_create(w->made->engine, w->number, w->page, remembered(w), fw_living_people(w->living),
			fw_living_spool(w->living))))
		return FW_ENOMEM;
	if (w->made->shadow && fw_engine_worker_shadow(w->engine, w->made->shadow) < 0)
		return FW_ENOMEM;
	if (fw_engine_worker_log(w->engine, w->made->shared->logged[w->made->bank][w->number]) < 0)
		return FW_ENOMEM;
	if (fw_living_spool(w->living) && !(w->spool = fw_drain_create(w->engine, w->base)))
		return FW_ENOMEM;
	struct fw_catalog *catalog = fw_engine_catalog(w->made->engine);
	if (catalog && !(w->stock = fw_stock_create(catalog, fw_people_store(fw_living_people(w->living)), w->base)))
		return FW_ENOMEM;
	struct fw_store *shared = fw_living_shared(w->living);
	if (shared && !(w->aside = fw_aside_create(w->made->engine, w->page, shared, w->base)))
		return FW_ENOMEM;
	if (!(w->streams = fw_streams_create(w)))
		return FW_ENOMEM;
	fw_streams_start(w->streams);
	if (w->stock)
		fw_stock_listen(w->stock, on_product, w);
	if (fw_config_has_keys(config) && !(w->rates = fw_rates_create(&config->rates, config->workers)))
		return FW_ENOMEM;
	w->on_channel = event_new(w->base, w->channel, EV_READ | EV_PERSIST, on_channel, w);
	w->on_beat = event_new(w->base, -1, EV_PERSIST, on_beat, w);
	w->on_term = evsignal_new(w->base, SIGTERM, on_term, w);
	w->on_turn = event_new(w->base, -1, 0, on_turn, w);
	if (!w->on_channel || !w->on_beat || !w->on_term || !w->on_turn)
		return FW_ENOMEM;
	return event_add(w->on_channel, NULL) | event_add(w->on_beat, &beat) | event_add(w->on_term, NULL) ? FW_ENOMEM : 0;
}

static void finish(struct fw_worker *w)
{
	struct event *events[] = { w->on_channel, w->on_beat, w->on_term, w->on_turn };
	fw_http_server_destroy(w->http);
	fw_streams_destroy(w->streams);
	fw_client_destroy(w->client);
	fw_drain_close(w->spool);
	fw_living_close(w->living);
	fw_drain_destroy(w->spool);
	fw_sending_destroy(w->sending);
	fw_engine_worker_destroy(w->engine);
	free(w->remembered);
	fw_rates_destroy(w->rates);
	fw_living_destroy(w->living);
	fw_aside_destroy(w->aside);
	fw_stock_destroy(w->stock);
	for (size_t i = 0; i < sizeof events / sizeof *events; i++)
		if (events[i])
			event_free(events[i]);
	if (w->base) {
		event_base_loop(w->base, EVLOOP_NONBLOCK); /* a connection that was given up is freed in a turn of the loop */
		event_base_free(w->base);
	}
	fw_buf_finish(&w->spare);
	close(w->channel);
}

static void refuse(struct fw_worker *w, const struct fw_error *err)
{
	struct fw_report report;
	fw_report_init(&report);
	fw_report_add(&report, err);
	fw_channel_tell_all(w->channel, FW_TELL_REFUSED, (int)w->number, getpid(), 0, fw_report_text(&report));
	fw_report_finish(&report);
	w->status = 1;
}

_Noreturn void fw_worker_run(const struct fw_made *made, unsigned number, int channel)
{
	struct fw_worker w = { .made = made, .number = number, .page = &made->slots[number], .channel = channel };
	struct fw_error err;
	fw_log_role("worker");
	fw_slot_begin(made->shared, w.page, &w.http_before);
	if (make(&w, &err) < 0) {
		refuse(&w, &err);
	} else if (fw_plugins_start(made->plugins, &w, &err) < 0) {
		refuse(&w, &err);
	} else if (!(w.sending = fw_sending_create(&w))) {
		fw_fail(&err, FW_ENOMEM, NULL, 0, "a worker is out of memory");
		refuse(&w, &err);
		fw_plugins_stop(made->plugins);
	} else {
		fw_living_greet(w.living);
		fw_stock_greet(w.stock);
		if (!event_base_got_break(w.base)) {
			fw_channel_tell_all(channel, FW_TELL_UP, (int)number, getpid(), 0, NULL);
			event_base_dispatch(w.base);
		}
		fw_slot_publish(w.page, &w.http_before, fw_http_server_counters(w.http));
		fw_plugins_end_asks(made->plugins);
		fw_drain_close(w.spool);
		fw_living_close(w.living); /* what waits is answered while there still are plugins to answer it */
		fw_plugins_stop(made->plugins);
		fw_sending_publish(w.sending);
	}
	fw_slot_end(made->shared, w.page);
	finish(&w);
	exit(w.status);
}
