#include "server/spool_drain.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/ingest.h"

enum {
	LEASE_MS = 6000, LEASE_EVERY_MS = 2000, /* who leads and dies: somebody else must begin soon */
	FIRST_MS = 20,
	LOOK_MS = 100,   /* for the first event that is held, and whether the store is back */
	AGAIN_MS = 500,  /* after the store did not take a slice */
	COUNT_ROWS = 1000,
	TRUE_AFTER = 20, /* looks at an empty spool, each time: then nothing is held, whatever was counted */
	SCRUB_EVERY_US = 60000000,
};

struct fw_drain {
	struct fw_engine_worker *worker;
	struct fw_spool *spool;
	struct event *on_lease, *on_step;
	bool leads, closed;
	bool busy;           /* a slice is on its way */

	/* What the leading worker knows. */
	bool counted, seen;  /* all rows were counted; and some were there when it last looked */
	uint64_t rows;
	int64_t oldest_us;
	char after[FW_HELD_KEY];
	size_t after_n;
	unsigned empty_looks;
	bool dirty;          /* rows were dropped whose bytes are still in the file */
	int64_t scrubbed_us, complained_us;

	/* The slice. */
	unsigned limit, singly; /* how many events it may have; how many are still taken one at a time */
	struct fw_arena arena;
	struct fw_held *held;
	unsigned n;
	struct fw_people_event *events;
	unsigned n_events, n_letters, n_refused; /* n_refused: of the letters, those that were let in when they came */
	struct fw_dead *letters;
	struct fw_people_group group;
	unsigned left;
	int rc;

	void (*finished)(void *ctx); /* NULL: the worker is not about to end */
	void *ctx;
	int64_t until_us;
};

static void wait_ms(struct event *timer, int64_t ms)
{
	struct timeval t = { ms / 1000, ms % 1000 * 1000 };
	event_add(timer, &t);
}

static void next(struct fw_drain *d, int64_t ms)
{
	d->busy = false;
	if (d->leads && !d->closed)
		wait_ms(d->on_step, ms);
}

static void finish(struct fw_drain *d)
{
	void (*finished)(void *ctx) = d->finished;
	d->finished = NULL;
	if (finished)
		finished(d->ctx);
}

static void say(enum fw_log_level level, const char *what, uint64_t events)
{
	char text[24];
	snprintf(text, sizeof text, "%" PRIu64, events);
	fw_log(level, what, "events", text, NULL);
}

/* At most once a minute. */
static void complain(struct fw_drain *d, const char *what)
{
	int64_t now_us = fw_monotonic_us();
	if (d->complained_us && now_us - d->complained_us < SCRUB_EVERY_US)
		return;
	d->complained_us = now_us;
	fw_log(FW_LOG_ERROR, what, NULL);
}

/* The store may be tried again soon; anything else is that event's own fault. */
static bool is_passing(int rc)
{
	return rc == FW_EAWAY || rc == FW_EBUSY || rc == FW_EFULL || rc == FW_ENOMEM || rc == FW_ECONFLICT;
}

static void on_dropped(void *ctx, int rc)
{
	struct fw_drain *d = ctx;
	struct fw_slot_page *page = d->worker->page;
	uint64_t repeated = 0, refused = 0;
	struct fw_refusal refusal;
	if (rc < 0) { /* somebody else dropped one: what is left is looked at again */
		next(d, rc == FW_ECONFLICT ? 0 : AGAIN_MS);
		return;
	}
	for (unsigned i = 0; i < d->n_events; i++) {
		bool is_refused = fw_ingest_refused(&d->events[i], &refusal);
		refused += is_refused;
		repeated += !is_refused && d->events[i].repeated;
	}
	fw_count(page, FW_COUNT_EVENTS_STORED, d->n_events - refused - repeated);
	fw_count(page, FW_COUNT_EVENTS_REPEATED, repeated);
	fw_count(page, FW_COUNT_EVENTS_REJECTED, refused + d->n_refused);
	fw_count(page, FW_COUNT_LETTERS, d->n_refused);
	fw_count(page, FW_COUNT_UNSPOOLED, d->n);
	d->dirty = true;
	if (d->singly > 0 && --d->singly == 0)
		d->limit = FW_LIMIT_SPOOL_SLICE;
	next(d, 0);
}

static void leave(struct fw_drain *d, int rc)
{
	if (rc < 0)
		d->rc = rc;
	if (--d->left > 0)
		return;
	if (d->rc == 0)
		fw_held_drop(d->spool->store, d->held, d->n, on_dropped, d);
	else
		next(d, AGAIN_MS);
}

static void on_letter(void *ctx, int rc, uint64_t version)
{
	(void)version;
	leave(ctx, rc);
}

static void add_letter(struct fw_drain *d, const struct fw_held *h, struct fw_str code, struct fw_str reason)
{
	struct fw_buf b;
	struct fw_json_out o;
	struct fw_dead *dead = &d->letters[d->n_letters];
	*dead = (struct fw_dead){ .at_us = h->received_us, .code = code, .message = reason, .sender = h->sender, .bytes = h->bytes };
	fw_buf_init(&b, 0);
	fw_json_out_init(&o, &b);
	if (h->event)
		fw_json_tree(&o, h->event);
	if (b.n)
		dead->bytes = b.n;
	if (fw_buf_keep(&b, &d->arena, &dead->event) < 0)
		d->rc = FW_ENOMEM;
	d->n_letters++;
}

/* What is refused for good is written last, when all else is known to be applied. */
static void put_letters(struct fw_drain *d)
{
	d->left = 1;
	for (unsigned i = 0; i < d->n_letters && d->rc == 0; i++) {
		d->left++;
		int rc = fw_dead_put(fw_people_store(d->worker->people), &d->letters[i], on_letter, d);
		if (rc < 0)
			leave(d, rc);
	}
	leave(d, 0);
}

/* One by one, so that an event which cannot be applied holds up nobody else's. */
static void give_up_event(struct fw_drain *d)
{
	const struct fw_str code = FW_STR("not_applied"), reason = FW_STR("it was held, and the person's record cannot be read or written");
	if (d->n > 1) {
		d->singly = d->n;
		d->limit = 1;
		next(d, 0);
		return;
	}
	d->n_events = 0;
	d->n_refused = 1;
	add_letter(d, &d->held[0], code, reason);
	put_letters(d);
}

static void on_applied(void *ctx, int rc)
{
	struct fw_drain *d = ctx;
	if (rc == 0)
		put_letters(d);
	else if (!is_passing(rc))
		give_up_event(d);
	else
		next(d, AGAIN_MS);
}

/* As it was read when it came. */
static int read_event(struct fw_drain *d, const struct fw_held *h, struct fw_people_event *ret, struct fw_refusal *refusal)
{
	struct fw_engine_worker *w = d->worker;
	const struct fw_ingest_reader reader = {
		.arena = &d->arena, .scratch = &w->ingester->scratch, .signals = w->signals, .consent = &w->engine->signal_config.consent,
		.identity_key = w->engine->config->identity_key, .secret = fw_str_is(h->sender, "secret"),
		.frame = { .type = -1, .received_us = h->received_us, .context = h->context, .sent_at = h->sent_at },
		.vouched = fw_str_is(h->sender, "signed"), .again = true, .behaviour = h->behaviour,
		.triggers = w->engine->triggers,
	};
	int rc = fw_ingest_read(&reader, h->event, ret, refusal);
#ifndef FW_BREAK_SPOOL_ONCE /* what may have been applied already is applied */
	if (rc == 0 && !ret->event.message_hash)
		ret->event.message_hash = h->message_hash;
#endif
	return rc;
}

static int take_row(struct fw_drain *d, const struct fw_row *row)
{
	struct fw_held *h = &d->held[d->n];
	struct fw_people_event *e = &d->events[d->n_events];
	struct fw_refusal *refusal = FW_NEW(&d->arena, struct fw_refusal);
	int rc = refusal ? fw_held_read(&d->arena, row, h) : FW_ENOMEM;
	if (rc == FW_EINVAL) {
		*h = (struct fw_held){ .version = row->version, .received_us = fw_held_received_us(row) };
		memcpy(h->key, row->key.p, row->key.n < sizeof h->key ? row->key.n : sizeof h->key);
		complain(d, "a held event is damaged and is dropped");
	} else if (rc == 0 && h->code.n) {
		add_letter(d, h, h->code, h->reason);
	} else if (rc == 0 && (rc = read_event(d, h, e, refusal)) == FW_EINVAL) {
		add_letter(d, h, fw_str(refusal->code), fw_str(refusal->message));
		d->n_refused++;
	} else if (rc == 0) {
		d->n_events++;
	}
	d->n += rc != FW_ENOMEM;
	return rc == FW_ENOMEM ? rc : 0;
}

static void apply(struct fw_drain *d, const struct fw_row *rows, size_t n)
{
	d->n = d->n_events = d->n_letters = d->n_refused = 0;
	d->rc = 0;
	d->held = FW_NEW_ARRAY(&d->arena, n, struct fw_held);
	d->events = FW_NEW_ARRAY(&d->arena, n, struct fw_people_event);
	d->letters = FW_NEW_ARRAY(&d->arena, n + 1, struct fw_dead);
	int rc = d->held && d->events && d->letters ? 0 : FW_ENOMEM;
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = take_row(d, &rows[i]);
	if (rc < 0 || d->rc < 0) { /* fewer at a time take less memory */
		d->singly = (unsigned)n;
		d->limit = 1;
		next(d, AGAIN_MS);
		return;
	}
	d->busy = true;
	d->group = (struct fw_people_group){ .done = on_applied, .ctx = d };
	fw_people_apply(d->worker->people, d->events, d->n_events, &d->group);
}

static void on_scrubbed(void *ctx, int rc)
{
	(void)ctx;
	(void)rc; /* what it could not do now, it does after the next outage or erasure */
}

/* Nothing is held. What was counted amiss, by workers that died between two things or stood still for long, is known by now. */
static void rest(struct fw_drain *d)
{
	struct fw_shared *shared = d->spool->shared;
	int64_t now_us = fw_monotonic_us();
	atomic_store(&shared->spool_oldest_us, 0);
	if (d->seen)
		fw_log(FW_LOG_INFO, "all that was held is applied", NULL);
	d->seen = false;
	if (++d->empty_looks % TRUE_AFTER == 0)
		fw_shared_set_held(shared, 0);
	if (d->dirty && (!d->scrubbed_us || now_us - d->scrubbed_us > SCRUB_EVERY_US)) {
		d->dirty = false;
		d->scrubbed_us = now_us;
		if (fw_store_scrub(d->spool->store, on_scrubbed, d) < 0)
			d->dirty = true;
	}
	finish(d);
	next(d, LOOK_MS);
}

static void on_rows(void *ctx, int rc, const struct fw_row *rows, size_t n, bool more)
{
	struct fw_drain *d = ctx;
	(void)more;
	if (rc < 0) {
		complain(d, "held events cannot be read");
		finish(d);
		next(d, AGAIN_MS);
		return;
	}
	if (n == 0) {
		rest(d);
		return;
	}
	if (!d->seen)
		say(FW_LOG_WARN, "events are held until the store answers", fw_shared_held(d->spool->shared));
	d->seen = true;
	d->empty_looks = 0;
	atomic_store(&d->spool->shared->spool_oldest_us, fw_held_received_us(&rows[0]));
	bool away = fw_spool_is_away(d->spool), over = d->finished && fw_monotonic_us() >= d->until_us;
	if (away || over) {
		finish(d);
		next(d, LOOK_MS);
	} else {
		apply(d, rows, n);
	}
}

/* What a former leader or a former daemon has left. */
static void on_counted(void *ctx, int rc, const struct fw_row *rows, size_t n, bool more)
{
	struct fw_drain *d = ctx;
	struct fw_shared *shared = d->spool->shared;
	if (d->rows == 0)
		d->oldest_us = n ? fw_held_received_us(&rows[0]) : 0;
	d->rows += n;
	if (n && rows[n - 1].key.n == FW_HELD_KEY) {
		memcpy(d->after, rows[n - 1].key.p, FW_HELD_KEY);
		d->after_n = FW_HELD_KEY;
	}
	d->counted = rc < 0 || !more;
	if (rc == 0 && d->counted) {
		atomic_store(&shared->spool_oldest_us, d->oldest_us);
		fw_shared_set_held(shared, d->rows);
	}
	next(d, 0);
}

static void on_step(evutil_socket_t fd, short what, void *ctx)
{
	struct fw_drain *d = ctx;
	(void)fd;
	(void)what;
	if (d->busy || !d->leads || d->closed)
		return;
	fw_arena_reset(&d->arena);
	if (!d->counted)
		fw_held_list(d->spool->store, (struct fw_str){ d->after, d->after_n }, COUNT_ROWS, &d->arena, on_counted, d);
	else
		fw_held_list(d->spool->store, (struct fw_str){ NULL, 0 }, fw_spool_is_away(d->spool) ? 1 : d->limit, &d->arena, on_rows, d);
}

/* One worker of the node has the lease. */
static void on_leased(void *ctx, int rc)
{
	struct fw_drain *d = ctx;
	bool begins = rc == 0 && !d->leads;
	if (d->closed)
		return;
	d->leads = rc == 0;
	if (begins) {
		d->counted = false;
		d->rows = d->after_n = 0;
		if (!d->busy)
			wait_ms(d->on_step, 0);
	} else if (!d->leads) {
		event_del(d->on_step);
		finish(d);
	}
}

static void lease(struct fw_drain *d)
{
	if (fw_store_lease(d->spool->store, "drain", LEASE_MS, on_leased, d) < 0)
		on_leased(d, FW_EBUSY);
}

static void on_lease(evutil_socket_t fd, short what, void *ctx)
{
	struct fw_drain *d = ctx;
	(void)fd;
	(void)what;
	lease(d);
	wait_ms(d->on_lease, LEASE_EVERY_MS);
}

struct fw_drain *fw_drain_create(struct fw_engine_worker *worker, struct event_base *base)
{
	struct fw_drain *d = calloc(1, sizeof *d);
	if (!d)
		return NULL;
	d->worker = worker;
	d->spool = worker->spool;
	d->limit = FW_LIMIT_SPOOL_SLICE;
	fw_arena_init(&d->arena, NULL, 0, 0);
	d->on_lease = evtimer_new(base, on_lease, d);
	d->on_step = evtimer_new(base, on_step, d);
	if (!d->on_lease || !d->on_step) {
		fw_drain_destroy(d);
		return NULL;
	}
	wait_ms(d->on_lease, FIRST_MS);
	return d;
}

void fw_drain_finish(struct fw_drain *d, int64_t until_us, void (*done)(void *ctx), void *ctx)
{
	d->finished = done;
	d->ctx = ctx;
	d->until_us = until_us;
	if (!d->leads)
		lease(d);
	else if (!d->busy)
		wait_ms(d->on_step, 0);
}

void fw_drain_close(struct fw_drain *d)
{
	if (!d || d->closed)
		return;
	d->closed = true;
	if (d->leads)
		fw_store_release(d->spool->store, "drain", NULL, NULL);
	event_free(d->on_lease);
	event_free(d->on_step);
	d->on_lease = d->on_step = NULL;
}

void fw_drain_destroy(struct fw_drain *d)
{
	if (!d)
		return;
	if (d->on_lease)
		event_free(d->on_lease);
	if (d->on_step)
		event_free(d->on_step);
	fw_arena_finish(&d->arena);
	free(d);
}
