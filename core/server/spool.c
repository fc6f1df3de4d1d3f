#include "server/spool.h"

#include <event2/event.h>
#include <inttypes.h>

#include "base/clock.h"

enum { WAKE_MS = 10 };

static void wake_all(struct fw_spool *s)
{
	struct fw_spool_waiter *waiters = s->waiters;
	s->waiters = NULL;
	s->last_waiter = &s->waiters;
	s->n_waiters = 0;
	while (waiters) {
		struct fw_spool_waiter *w = waiters;
		waiters = w->next; /* it may be gone then */
		w->wake(w->ctx);
	}
}

static void on_wake(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	wake_all(ctx);
}

int fw_spool_init(struct fw_spool *s, struct fw_store *store, struct fw_store *data, const struct fw_spool_limits *limits,
	struct fw_shared *shared, struct fw_slot_page *page, struct event_base *base)
{
	*s = (struct fw_spool){ .store = store, .data = data, .limits = limits, .shared = shared, .page = page };
	s->last_waiter = &s->waiters;
	fw_arena_init(&s->scratch, NULL, 0, 0);
	s->on_wake = evtimer_new(base, on_wake, s);
	return s->on_wake ? 0 : FW_ENOMEM;
}

void fw_spool_close(struct fw_spool *s)
{
	if (!s->on_wake)
		return;
	event_free(s->on_wake);
	s->on_wake = NULL;
	wake_all(s);
}

void fw_spool_finish(struct fw_spool *s)
{
	fw_spool_close(s);
	fw_arena_finish(&s->scratch);
}

bool fw_spool_wait(struct fw_spool *s, struct fw_spool_waiter *w)
{
	const struct timeval soon = { 0, WAKE_MS * 1000 };
	int64_t now_us = fw_monotonic_us();
	if (!w->since_us)
		w->since_us = now_us;
	if (!s->on_wake || now_us - w->since_us > FW_LIMIT_SPOOL_WAIT_MS * INT64_C(1000) ||
			s->n_waiters >= FW_LIMIT_SPOOL_WAITERS)
		return false;
	if (!s->waiters)
		event_add(s->on_wake, &soon);
	w->next = NULL;
	*s->last_waiter = w;
	s->last_waiter = &w->next;
	s->n_waiters++;
	return true;
}

bool fw_spool_is_away(const struct fw_spool *s)
{
	struct fw_store_health h;
	fw_store_health(s->data, &h);
	return !h.reachable;
}

bool fw_spool_is_empty(struct fw_spool *s)
{
	int64_t oldest_us;
	return fw_held_oldest(s->store, &s->scratch, &oldest_us) == 0 && oldest_us == 0;
}

bool fw_spool_has_room(struct fw_spool *s, unsigned n)
{
	struct fw_store_health h;
	fw_store_health(s->store, &h);
	bool fits = h.used_bytes < s->limits->spool_bytes && fw_shared_held(s->shared) + n <= s->limits->spool_events;
	if (!fits)
		fw_count(s->page, FW_COUNT_SPOOL_REFUSED, n);
	return fits;
}

static double oldest_s(const struct fw_shared *shared)
{
	int64_t since_us = atomic_load(&shared->spool_oldest_us), now_us = fw_now_us();
	return since_us && now_us > since_us ? (double)((now_us - since_us) / 1000) / 1e3 : 0;
}

void fw_spool_write(const struct fw_shared *shared, struct fw_json_out *o)
{
	fw_json_open_object(o);
	fw_json_key(o, "events");
	if (atomic_load(&shared->spool_counted))
		fw_json_number(o, (double)fw_shared_held(shared));
	else
		fw_json_null(o);
	fw_json_key(o, "oldestSeconds");
	fw_json_number(o, oldest_s(shared));
	fw_json_close_object(o);
}

void fw_spool_metrics(const struct fw_spool *s, struct fw_buf *out)
{
	struct fw_store_health h;
	fw_store_health(s->store, &h);
	if (atomic_load(&s->shared->spool_counted))
		fw_buf_printf(out, "# HELP floorwalker_spool_events Events that are held until the store answers again.\n"
			"# TYPE floorwalker_spool_events gauge\nfloorwalker_spool_events %" PRIu64 "\n", fw_shared_held(s->shared));
	fw_buf_printf(out, "# HELP floorwalker_spool_oldest_seconds For how long the oldest of them has been held.\n"
		"# TYPE floorwalker_spool_oldest_seconds gauge\nfloorwalker_spool_oldest_seconds %.3f\n", oldest_s(s->shared));
	fw_buf_printf(out, "# HELP floorwalker_spool_bytes Bytes in use of the spool's file.\n"
		"# TYPE floorwalker_spool_bytes gauge\nfloorwalker_spool_bytes %" PRIu64 "\n", h.used_bytes);
}
