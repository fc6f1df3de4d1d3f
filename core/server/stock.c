#include "server/stock.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "catalog/told.h"
#include "store/store.h"

enum { SCAN_ROWS = 1000, READS_MOST = 4096 };

struct fw_stock {
	struct fw_catalog *catalog;
	struct fw_store *store;
	struct event_base *base;
	struct fw_arena arena;       /* of what a scan found */
	char after[FW_TOLD_KEY];     /* the last row that it found */
	size_t after_n;
	bool scanning, again, known; /* `again`: something may have been missed since it began; `known`: one has come to its end */
	bool inside, more;           /* while the store is asked: it may answer at once, and there is more */
	unsigned reads;              /* of single rows that are under way */
	void (*on_change)(void *ctx, uint32_t number);
	void *ctx;
};

/* False: nobody needs the row any more. */
static bool apply(struct fw_stock *s, struct fw_str key, struct fw_str value)
{
	uint32_t changed;
	bool needed = fw_told_apply(&s->catalog->products, key, value, &changed);
	if (changed != FW_NO_PRODUCT && s->on_change)
		s->on_change(s->ctx, changed);
	return needed;
}

static void scan(struct fw_stock *s);

static void on_swept(void *ctx, int rc, uint64_t version)
{
	(void)ctx;
	(void)rc; /* else the next scan does it */
	(void)version;
}

/* What a newer feed has made void is kept for a week: another node may not have that feed yet. */
static void sweep(struct fw_stock *s, const struct fw_row *row)
{
	int64_t at_us = fw_told_at(row->value);
	struct fw_change change = { FW_CHANGE_DELETE, row->key, { NULL, 0 }, row->version };
	if (fw_now_us() - at_us > FW_LIMIT_PRODUCT_CHANGE_KEPT_S * INT64_C(1000000))
		fw_store_commit(s->store, &(struct fw_batch){ fw_told_bucket(), &change, 1 }, on_swept, NULL);
}

static void on_rows(void *ctx, int rc, const struct fw_row *rows, size_t n, bool more)
{
	struct fw_stock *s = ctx;
	s->scanning = false;
	for (size_t i = 0; rc == 0 && i < n; i++)
		if (!apply(s, rows[i].key, rows[i].value))
			sweep(s, &rows[i]);
	if (rc == 0 && n && rows[n - 1].key.n <= sizeof s->after) {
		s->after_n = rows[n - 1].key.n;
		memcpy(s->after, rows[n - 1].key.p, s->after_n);
	}
	fw_arena_reset(&s->arena);
	bool goes_on = rc == 0 && more && n;
	s->known |= rc == 0 && !goes_on;
	s->again |= rc < 0; /* the store is away: it says when it is back that anything may have changed */
	if (!goes_on)
		s->after_n = 0;
	if (!goes_on && (rc < 0 || !s->again))
		return;
	if (s->inside)
		s->more = true;
	else
		scan(s);
}

static void scan(struct fw_stock *s)
{
	static const char letter = FW_TOLD_LETTER;
	do {
		s->scanning = s->inside = true;
		s->more = false;
		if (!s->after_n)
			s->again = false;
		fw_store_scan(s->store, fw_told_bucket(), (struct fw_str){ &letter, 1 }, (struct fw_str){ s->after, s->after_n }, SCAN_ROWS,
			&s->arena, on_rows, s);
		s->inside = false;
	} while (s->more);
}

static void look_at_all(struct fw_stock *s)
{
	s->again = true;
	if (!s->scanning)
		scan(s);
}

/* A row that somebody has written. */
struct heard {
	struct fw_stock *stock;
	struct fw_arena arena;
};

static void on_row(void *ctx, int rc, const struct fw_row *row)
{
	struct heard *h = ctx;
	struct fw_stock *s = h->stock;
	s->reads--;
	if (rc == 0 && row->value.p)
		apply(s, row->key, row->value);
	else if (rc < 0)
		s->again = true;
	fw_arena_finish(&h->arena);
	free(h);
}

static void on_changed(void *ctx, uint32_t bucket, struct fw_str key, uint64_t version)
{
	struct fw_stock *s = ctx;
	(void)version;
	if (!key.p) {
		look_at_all(s);
		return;
	}
	if (bucket != fw_told_bucket() || key.n < 3 || key.p[0] != FW_TOLD_LETTER)
		return;
	struct heard *h = s->reads < READS_MOST ? calloc(1, sizeof *h) : NULL;
	if (!h) {
		look_at_all(s);
		return;
	}
	h->stock = s;
	s->reads++;
	fw_arena_init(&h->arena, NULL, 0, 0);
	fw_store_get(s->store, bucket, key, &h->arena, on_row, h);
}

struct fw_stock *fw_stock_create(struct fw_catalog *catalog, struct fw_store *store, struct event_base *base)
{
	struct fw_stock *s = calloc(1, sizeof *s);
	struct fw_products *p = &catalog->products;
	if (!s || !(p->told = calloc(p->head->n + 1, sizeof *p->told))) { /* pages that nothing is told of take no memory */
		free(s);
		return NULL;
	}
	*s = (struct fw_stock){ .catalog = catalog, .store = store, .base = base };
	fw_arena_init(&s->arena, NULL, 0, 0);
	return s;
}

void fw_stock_listen(struct fw_stock *s, void (*on_change)(void *ctx, uint32_t number), void *ctx)
{
	s->on_change = on_change;
	s->ctx = ctx;
}

static void set_true(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	*(bool *)ctx = true;
}

void fw_stock_greet(struct fw_stock *s)
{
	const struct timeval most = { FW_LIMIT_STORE_GREET_MS / 1000, FW_LIMIT_STORE_GREET_MS % 1000 * 1000 };
	bool late = false;
	if (!s)
		return;
	/* First, so that nothing falls in between. */
	if (fw_store_watch(s->store, on_changed, s) < 0)
		fw_log(FW_LOG_WARN, "the store sends no notices: what is told of products is known after the next reload", NULL);
	look_at_all(s);
	struct event *timer = evtimer_new(s->base, set_true, &late);
	if (timer)
		evtimer_add(timer, &most);
	while (timer && !late && !s->known && s->scanning && event_base_loop(s->base, EVLOOP_ONCE) == 0 && !event_base_got_break(s->base))
		continue;
	if (timer)
		event_free(timer);
	if (!s->known)
		fw_log(FW_LOG_WARN, "what was told of products since the feed is not known yet: the store does not answer", NULL);
}

void fw_stock_destroy(struct fw_stock *s)
{
	if (!s)
		return;
	free(s->catalog->products.told);
	s->catalog->products.told = NULL;
	fw_arena_finish(&s->arena);
	free(s);
}

/* A request on its way. */
struct telling {
	struct fw_stock *stock;
	struct fw_http_request *http;
	struct fw_told_row *rows;
	unsigned n, changed;
	struct fw_buf rejected;
};

static void fail_store(struct fw_http_request *http, int rc)
{
	fw_http_reply_header(http, "Retry-After", "1");
	fw_http_error(http, 503, "unavailable", rc == FW_ENOMEM ? "out of memory" : rc == FW_EFULL ? "the store's disk is full"
		: "the store is out of reach", NULL, "send it again after Retry-After");
}

static void answer(struct telling *t)
{
	struct fw_buf b;
	struct fw_json_out o;
	fw_buf_init(&b, 0);
	fw_json_out_init(&o, &b);
	fw_json_open_object(&o);
	fw_json_key(&o, "changed");
	fw_json_number(&o, t->changed);
	fw_json_key(&o, "rejected");
	fw_json_raw(&o, (struct fw_str){ t->rejected.data, t->rejected.n });
	fw_json_close_object(&o);
	if (b.failed || t->rejected.failed)
		fail_store(t->http, FW_ENOMEM);
	else
		fw_http_reply(t->http, 200, "application/json", b.data, b.n);
	fw_buf_finish(&t->rejected);
	fw_buf_finish(&b);
}

/* This worker need not wait for the store's notice. */
static void on_written(void *ctx, int rc, uint64_t version)
{
	struct telling *t = ctx;
	(void)version;
	if (rc < 0) {
		fw_buf_finish(&t->rejected);
		fail_store(t->http, rc);
		return;
	}
	for (unsigned i = 0; i < t->n; i++) {
		const struct fw_told_row *r = &t->rows[i];
		apply(t->stock, (struct fw_str){ r->key, r->key_n }, (struct fw_str){ r->value, r->value_n });
	}
	answer(t);
}

static void commit(struct telling *t, struct fw_arena *a)
{
	struct fw_change *changes = FW_NEW_ARRAY(a, t->n, struct fw_change);
	for (unsigned i = 0; changes && i < t->n; i++) {
		const struct fw_told_row *r = &t->rows[i];
		changes[i] = (struct fw_change){ FW_CHANGE_PUT, { r->key, r->key_n }, { r->value, r->value_n }, FW_VERSION_ANY };
	}
	const struct fw_batch batch = { fw_told_bucket(), changes, t->n };
	int rc = changes ? fw_store_commit(t->stock->store, &batch, on_written, t) : FW_ENOMEM;
	if (rc < 0)
		on_written(t, rc, 0);
}

static void refuse_without(struct fw_http_request *http)
{
	fw_http_error(http, 404, "not_found", "there is no catalogue", NULL, "name its feed in the configuration: catalog = { file = … }");
}

void fw_stock_post(struct fw_stock *s, struct fw_http_request *http)
{
	struct fw_arena *a = fw_http_arena(http);
	struct fw_str body = fw_http_body(http);
	struct fw_json *told;
	struct fw_json_out rejected;
	struct fw_error err;
	struct telling *t = FW_NEW(a, struct telling);
	if (!s) {
		refuse_without(http);
		return;
	}
	int rc = t ? fw_json_parse(a, body.p ? body.p : "", body.n, &told, &err) : FW_ENOMEM;
	if (rc == FW_ENOMEM) {
		fail_store(http, rc);
		return;
	}
	if (rc < 0) {
		fw_http_error(http, 400, "bad_json", err.message, NULL, err.hint[0] ? err.hint : NULL);
		return;
	}
	*t = (struct telling){ .stock = s, .http = http };
	fw_buf_init(&t->rejected, 0);
	fw_json_out_init(&rejected, &t->rejected);
	fw_json_open_array(&rejected);
	rc = fw_told_read(&s->catalog->products, told, fw_now_us(), a, &rejected, &t->rows, &t->n, &t->changed, &err);
	fw_json_close_array(&rejected);
	if (rc == 0 && t->n) {
		commit(t, a);
		return;
	}
	if (rc == 0)
		answer(t);
	else
		fw_buf_finish(&t->rejected);
	if (rc == FW_EINVAL)
		fw_http_error(http, 400, "bad_request", err.message, "products", err.hint[0] ? err.hint : NULL);
	else if (rc < 0)
		fail_store(http, rc);
}

void fw_stock_get(struct fw_stock *s, struct fw_http_request *http, struct fw_str id)
{
	uint32_t number = s ? fw_products_find(&s->catalog->products, id) : FW_NO_PRODUCT;
	struct fw_buf b;
	struct fw_json_out o;
	if (!s) {
		refuse_without(http);
		return;
	}
	if (number == FW_NO_PRODUCT) {
		fw_http_error(http, 404, "not_found", "the catalogue has no such product", NULL, NULL);
		return;
	}
	fw_buf_init(&b, 0);
	fw_json_out_init(&o, &b);
	fw_told_write(&s->catalog->products, number, fw_now_us(), &o);
	if (b.failed)
		fail_store(http, FW_ENOMEM);
	else
		fw_http_reply(http, 200, "application/json", b.data, b.n);
	fw_buf_finish(&b);
}
