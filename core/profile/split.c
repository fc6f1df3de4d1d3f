/* A person who became part of another is taken out again. As merging is pure, what the two were merged into is computed once
 * more; what the record has beyond that came since, and is merged with what it was before. */
#include "profile/own.h"

#include <stdlib.h>

struct splitting {
	struct fw_record *r;      /* as it was before; what came since goes on top */
	struct fw_record *now, *merged;
	struct fw_record *since;  /* what `now` has beyond `merged` */
	bool any;                 /* something came */
};

/* Whether the i-th element is one more of its like than there were. */
static bool is_new(const void *now, uint32_t i, const void *merged, uint32_t n, size_t size, bool (*alike)(const void *, const void *))
{
	const char *items = now, *before = merged, *item = items + i * size;
	uint32_t there = 0, were = 0;
	for (uint32_t k = 0; k <= i; k++)
		there += alike(items + k * size, item);
	for (uint32_t k = 0; k < n; k++)
		were += alike(before + k * size, item);
	return there > were;
}

/* Appends what is new in a list of `now` to that of `since`. */
#define TAKE_NEW(s, list, alike) take_new(s, (void **)&(s)->since->list.items, &(s)->since->list.n, (s)->now->list.items, \
	(s)->now->list.n, (s)->merged->list.items, (s)->merged->list.n, sizeof *(s)->now->list.items, alike)
static int take_new(struct splitting *s, void **ret, uint32_t *ret_n, const void *now, uint32_t n, const void *merged, uint32_t n_merged,
	size_t size, bool (*alike)(const void *, const void *))
{
	char *items = fw_arena_array(s->r->arena, n, size);
	if (!items)
		return FW_ENOMEM;
	*ret_n = 0;
	for (uint32_t i = 0; i < n; i++)
		if (is_new(now, i, merged, n_merged, size, alike))
			memcpy(items + size * (*ret_n)++, (const char *)now + i * size, size);
	*ret = items;
	s->any |= *ret_n > 0;
	return 0;
}

/* Whatever happened at this time came since. */
static void happened(struct splitting *s, int64_t at_ms)
{
	if (at_ms > s->since->last_ms)
		s->since->last_ms = at_ms;
	s->any = true;
}

/* Texts get the numbers that they have in `r`. */
static int renumber(struct splitting *s, struct fw_record *x)
{
	uint32_t *number = FW_NEW_ARRAY(s->r->arena, x->texts.n + 1, uint32_t);
	if (!number)
		return FW_ENOMEM;
	for (uint32_t i = 0; i < x->texts.n; i++)
		if ((number[i + 1] = fw_record_text_whole(s->r, x->texts.items[i].text)) == 0)
			return FW_ENOMEM;
	for (int k = 0; k < FW_LABELS; k++) {
		for (uint32_t i = 0; i < x->series.n; i++)
			x->series.items[i].labels[k] = number[x->series.items[i].labels[k]];
		for (uint32_t i = 0; i < x->cart.entries.n; i++)
			x->cart.entries.items[i].labels[k] = number[x->cart.entries.items[i].labels[k]];
	}
	for (uint32_t i = 0; i < x->recent.n; i++) {
		x->recent.items[i].name = number[x->recent.items[i].name];
		x->recent.items[i].object = number[x->recent.items[i].object];
	}
	return 0;
}

static bool same_id(const void *x, const void *y)
{
	const struct fw_id *a = x, *b = y;
	return a->kind == b->kind && fw_str_equal(a->text, b->text) && a->shared == b->shared;
}

/* An id that was taken away since is away. */
static int split_ids(struct splitting *s)
{
	for (uint32_t i = s->r->ids.n; i-- > 0; ) {
		const struct fw_id *own = &s->r->ids.items[i];
		if (!fw_record_has_id(s->now, own->kind, own->text))
			FW_LIST_TAKE(s->r->ids, i);
	}
	return TAKE_NEW(s, ids, same_id);
}

static bool same_merge(const void *x, const void *y)
{
	const struct fw_merge *a = x, *b = y;
	return a->kind == b->kind && a->number == b->number && fw_str_equal(a->id, b->id);
}

static int split_merges(struct splitting *s)
{
	for (uint32_t i = s->r->merges.n; i-- > 0; ) {
		bool there = false;
		for (uint32_t k = 0; k < s->now->merges.n && !there; k++)
			there = same_merge(&s->now->merges.items[k], &s->r->merges.items[i]);
		if (!there)
			FW_LIST_TAKE(s->r->merges, i);
	}
	return TAKE_NEW(s, merges, same_merge);
}

static bool same_session(const void *x, const void *y)
{
	const struct session *a = x, *b = y;
	return a->start_s == b->start_s && a->last_s == b->last_s && a->campaign == b->campaign && a->pages == b->pages;
}

/* Of a visit that went on since only what came then. */
static bool shorten(struct session *e, const struct fw_record *merged)
{
	int64_t start_s = INT64_MAX, last_s = 0;
	uint32_t pages = 0;
	for (uint32_t i = 0; i < merged->sessions.n; i++) {
		const struct session *m = &merged->sessions.items[i];
		if (m->start_s < e->start_s || m->start_s > e->last_s)
			continue;
		start_s = m->start_s < start_s ? m->start_s : start_s;
		last_s = m->last_s > last_s ? m->last_s : last_s;
		pages += m->pages;
	}
	if (start_s == INT64_MAX)
		return true;
	e->pages = e->pages > pages ? e->pages - pages : 0;
	e->campaign = 0;
	if (e->last_s <= last_s && e->start_s >= start_s && e->pages == 0)
		return false;
	if (e->start_s >= start_s)
		e->start_s = last_s < e->last_s ? last_s : e->last_s;
	else if (e->last_s <= last_s)
		e->last_s = start_s;
	return true;
}

static int split_sessions(struct splitting *s)
{
	bool any = s->any;
	uint32_t n = 0;
	if (TAKE_NEW(s, sessions, same_session) < 0)
		return FW_ENOMEM;
	s->any = any;
	for (uint32_t i = 0; i < s->since->sessions.n; i++) {
		struct session e = s->since->sessions.items[i];
		if (!shorten(&e, s->merged))
			continue;
		s->since->sessions.items[n++] = e;
		happened(s, e.last_s * 1000);
	}
	s->since->sessions.n = n;
	return 0;
}

/* Those of before, those that are only counted, and what has been added to both. */
static void count_visits(struct splitting *s, const struct fw_record *before)
{
	uint64_t was = before->lifetime.visits + before->sessions.n, merged = s->merged->lifetime.visits + s->merged->sessions.n;
	uint64_t now = s->now->lifetime.visits + s->now->sessions.n, all = was + (now > merged ? now - merged : 0);
	struct lifetime *l = &s->r->lifetime;
	if (l->visits == 0)
		l->visits_since_s = s->now->lifetime.visits_since_s;
	l->visits = all > s->r->sessions.n ? all - s->r->sessions.n : 0;
}

static bool same_entry(const void *x, const void *y)
{
	const struct cart_entry *a = x, *b = y;
	return a->at_ms == b->at_ms && memcmp(a->labels, b->labels, sizeof a->labels) == 0 && a->price == b->price &&
		a->quantity == b->quantity;
}

/* What was told since was told of all that was in it then. */
static int split_cart(struct splitting *s)
{
	struct cart *c = &s->since->cart;
	const struct cart *now = &s->now->cart;
	bool told = now->told_ms != s->merged->cart.told_ms;
	if (TAKE_NEW(s, cart.entries, same_entry) < 0)
		return FW_ENOMEM;
	uint32_t n = 0;
	for (uint32_t i = 0; i < now->entries.n && told; i++)
		if (now->entries.items[i].at_ms == 0)
			c->entries.items[n++] = now->entries.items[i];
	for (uint32_t i = 0; i < now->entries.n; i++)
		if (now->entries.items[i].at_ms && is_new(now->entries.items, i, s->merged->cart.entries.items, s->merged->cart.entries.n,
				sizeof *now->entries.items, same_entry)) {
			c->entries.items[n++] = now->entries.items[i];
			happened(s, now->entries.items[i].at_ms);
		}
	c->entries.n = n;
	if (!told)
		return 0;
	c->told_ms = now->told_ms;
	c->began_ms = now->began_ms;
	happened(s, c->told_ms);
	return 0;
}

static struct order *find_order(const struct fw_record *r, const struct order *o)
{
	for (uint32_t i = 0; i < r->orders.n; i++) {
		struct order *own = &r->orders.items[i];
		if (fw_str_equal(own->id, o->id) && (o->id.n || own->at_ms == o->at_ms))
			return own;
	}
	return NULL;
}

/* What of an order was told since. */
static struct order told_since(const struct order *now, const struct order *merged)
{
	bool later = now->told_ms != merged->told_ms;
	struct order o = { .id = now->id, .at_ms = now->at_ms, .revenue = -1 };
	o.refunded = now->refunded > merged->refunded ? now->refunded - merged->refunded : 0;
	o.flags = now->flags & ~merged->flags & ~(uint32_t)ORDER_FOREIGN;
	if (later) {
		o.told_ms = now->told_ms;
		o.revenue = now->revenue;
		o.flags |= now->flags & ORDER_FOREIGN;
	}
	return o;
}

static bool says_something(const struct order *o)
{
	return o->told_ms || o->refunded || o->flags;
}

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* Orders that are only counted by now: those of before are counted with what came since, the others are not. */
static void split_counted_orders(struct splitting *s)
{
	struct order_sums others = { 0 };
	struct lifetime *l = &s->since->lifetime;
	const struct lifetime *now = &s->now->lifetime, *merged = &s->merged->lifetime;
	for (uint32_t i = 0; i < s->merged->orders.n; i++) {
		const struct order *o = &s->merged->orders.items[i];
		struct order *own = find_order(s->r, o);
		if (find_order(s->now, o))
			continue;
		if (own)
			FW_LIST_TAKE(s->r->orders, (uint32_t)(own - s->r->orders.items));
		else
			fw_order_add(o, &others);
	}
	l->orders = less(less(now->orders, merged->orders), others.orders);
	l->priced = less(less(now->priced, merged->priced), others.priced);
	l->revenue = (int64_t)less(less((uint64_t)now->revenue, (uint64_t)merged->revenue), (uint64_t)others.revenue);
	s->any |= l->orders > 0;
}

static int split_orders(struct splitting *s)
{
	split_counted_orders(s);
	for (uint32_t i = 0; i < s->now->orders.n; i++) {
		const struct order *now = &s->now->orders.items[i], *merged = find_order(s->merged, now);
		struct order o = merged ? told_since(now, merged) : *now;
		if (merged && !says_something(&o))
			continue;
		if (!FW_LIST_ROOM(s->r, s->since->orders))
			return FW_ENOMEM;
		s->since->orders.items[s->since->orders.n++] = o;
		s->any = true;
	}
	return 0;
}

static bool same_time(const void *x, const void *y)
{
	return ((const struct cap_use *)x)->at_ms == ((const struct cap_use *)y)->at_ms;
}

/* Places of before may have been confirmed since. */
static void confirm(struct cap *own, const struct cap *now)
{
	for (uint32_t i = 0; i < own->uses.n; i++)
		for (uint32_t k = 0; k < now->uses.n && own->uses.items[i].rule; k++)
			if (now->uses.items[k].at_ms == own->uses.items[i].at_ms && now->uses.items[k].rule == 0)
				own->uses.items[i].rule = 0;
}

static bool was_confirmed(const struct cap *now, const struct cap *merged)
{
	uint32_t before = 0, after = 0;
	for (uint32_t i = 0; merged && i < merged->uses.n; i++)
		before += merged->uses.items[i].rule == 0;
	for (uint32_t i = 0; i < now->uses.n; i++)
		after += now->uses.items[i].rule == 0;
	return after > before;
}

static int split_caps(struct splitting *s)
{
	static const struct cap none = { 0 };
	for (uint32_t i = 0; i < s->now->caps.n; i++) {
		const struct cap *now = &s->now->caps.items[i], *merged = fw_cap_find(s->merged, now->cap);
		struct cap *own = fw_cap_find(s->r, now->cap), since = { .cap = now->cap, .per_s = now->per_s, .limit = now->limit };
		if (!merged)
			merged = &none;
		for (uint32_t k = 0; k < now->uses.n; k++) {
			if (!is_new(now->uses.items, k, merged->uses.items, merged->uses.n, sizeof *now->uses.items, same_time))
				continue;
			if (!FW_LIST_ROOM(s->r, since.uses))
				return FW_ENOMEM;
			since.uses.items[since.uses.n++] = now->uses.items[k];
		}
		if (own && was_confirmed(now, merged))
			confirm(own, now);
		if (since.uses.n == 0)
			continue;
		if (!FW_LIST_ROOM(s->r, s->since->caps))
			return FW_ENOMEM;
		s->since->caps.items[s->since->caps.n++] = since;
		s->any = true;
	}
	return 0;
}

static bool same_import(const void *x, const void *y)
{
	const struct import *a = x, *b = y;
	return a->file == b->file && a->offset == b->offset;
}

static bool same_trait(const void *x, const void *y)
{
	const struct trait *a = x, *b = y;
	return a->at_ms == b->at_ms && a->claimed == b->claimed && fw_str_equal(a->name, b->name) && fw_str_equal(a->packed, b->packed);
}

static bool same_consent(const struct consent *a, const struct consent *b)
{
	return a->state == b->state && a->at_ms == b->at_ms;
}

static bool same_log_entry(const void *x, const void *y)
{
	return fw_consent_compare(x, y) == 0;
}

/* What was told since holds, also where it lets more be done than what was told before. */
static int split_consents(struct splitting *s)
{
	for (uint32_t i = 0; i < s->now->consents.n; i++) {
		const struct consent *now = &s->now->consents.items[i], *merged = fw_consent_find(s->merged, now->what);
		struct consent *own = fw_consent_find(s->r, now->what);
		if (merged && same_consent(now, merged))
			continue;
		if (!own && !FW_LIST_ROOM(s->r, s->r->consents))
			return FW_ENOMEM;
		*(own ? own : &s->r->consents.items[s->r->consents.n++]) = *now;
		s->any = true;
	}
	if (s->now->restricted != s->merged->restricted)
		s->r->restricted = s->now->restricted;
	return TAKE_NEW(s, consent_log, same_log_entry);
}

static void split_touches(struct splitting *s)
{
	const struct fw_record *now = s->now, *merged = s->merged;
	if (fw_touch_compare(&now->session_touch, &merged->session_touch) != 0)
		s->since->session_touch = now->session_touch;
	if (fw_touch_compare(&now->last_touch, &merged->last_touch) != 0)
		s->since->first_touch = s->since->last_touch = now->last_touch;
	if (fw_touch_compare(&now->first_touch, &merged->first_touch) != 0)
		s->since->first_touch = now->first_touch;
	s->any |= s->since->session_touch.at_ms || s->since->first_touch.at_ms;
}

static bool same_recent(const void *x, const void *y)
{
	const struct recent *a = x, *b = y;
	return a->at_s == b->at_s && a->type == b->type && a->known == b->known && a->name == b->name && a->object == b->object;
}

static int split_engagements(struct splitting *s)
{
	for (uint32_t i = 0; i < s->now->engagements.n; i++) {
		struct engagement e = s->now->engagements.items[i];
		for (uint32_t k = 0; k < s->merged->engagements.n; k++) {
			struct engagement m = s->merged->engagements.items[k];
			if (!fw_str_equal(m.channel, e.channel))
				continue;
			fw_engagement_decay(&m, e.at_ms);
			e.sent = e.sent > m.sent ? e.sent - m.sent : 0;
			e.engaged = e.engaged > m.engaged ? e.engaged - m.engaged : 0;
		}
		if (e.sent == 0 && e.engaged == 0)
			continue;
		if (!FW_LIST_ROOM(s->r, s->since->engagements))
			return FW_ENOMEM;
		s->since->engagements.items[s->since->engagements.n++] = e;
		s->any = true;
	}
	return 0;
}

static int split_behaviour(struct splitting *s)
{
	fw_split_series(s->now, s->merged);
	s->since->series = s->now->series.n ? s->now->series : s->since->series;
	s->since->newest_hour = s->now->newest_hour;
	s->any |= s->now->series.n > 0;
	split_touches(s);
	if (TAKE_NEW(s, recent, same_recent) < 0 || split_engagements(s) < 0)
		return FW_ENOMEM;
	for (uint32_t i = 0; i < s->since->recent.n; i++)
		happened(s, s->since->recent.items[i].at_s * 1000);
	return 0;
}

static int find_since(struct splitting *s)
{
	struct fw_record *since = s->since;
	since->first_id = s->r->first_id;
	if (s->now->last_ms > s->merged->last_ms)
		happened(s, s->now->last_ms);
	if (renumber(s, s->now) < 0 || renumber(s, s->merged) < 0)
		return FW_ENOMEM;
	if (split_ids(s) < 0 || split_merges(s) < 0 || split_sessions(s) < 0 || split_cart(s) < 0 || split_orders(s) < 0 ||
			split_caps(s) < 0 || fw_split_seen(s->r, s->now, s->merged) < 0 || TAKE_NEW(s, imports, same_import) < 0 ||
			TAKE_NEW(s, traits, same_trait) < 0 || split_consents(s) < 0 || fw_split_messages(s->r, s->now, s->merged) < 0 ||
			fw_split_asks(s->r, s->now, s->merged) < 0 || split_behaviour(s) < 0)
		return FW_ENOMEM;
	since->first_s = since->last_ms / 1000;
	if (s->now->first_s < s->merged->first_s && s->now->first_s < since->first_s)
		since->first_s = s->now->first_s;
	since->texts = s->r->texts;
	return 0;
}

/* A record as it is when it is stored and read again. */
static int copy_of(const struct fw_record *r, struct fw_arena *a, struct fw_record **ret)
{
	struct fw_buf bytes;
	fw_buf_init(&bytes, 0);
	fw_record_write(r, &bytes);
	int code = bytes.failed ? FW_ENOMEM : fw_record_read(a, (struct fw_str){ bytes.data, bytes.n }, ret, NULL);
	fw_buf_finish(&bytes);
	return code < 0 ? FW_ENOMEM : 0;
}

int fw_record_split(struct fw_record *from, const struct fw_record *before, struct fw_record *absorbed)
{
	struct fw_spilled spilled[FW_SPILL_MOST];
	unsigned n;
	struct splitting s = { .now = from, .since = FW_NEW(from->arena, struct fw_record) };
	if (!s.since || copy_of(before, from->arena, &s.r) < 0 || copy_of(before, from->arena, &s.merged) < 0)
		return FW_ENOMEM;
	s.since->arena = from->arena;
	if (fw_record_merge(s.merged, absorbed, spilled, &n) < 0 || fw_split_absorbed_messages(absorbed, from, s.merged) < 0
			|| find_since(&s) < 0)
		return FW_ENOMEM;
	fw_split_absorbed_asks(absorbed, from, s.merged);
	if (s.any && fw_record_merge(s.r, s.since, spilled, &n) < 0)
		return FW_ENOMEM;
	count_visits(&s, before);
	s.r->was_due.items = from->was_due.items; /* it is written where it was read */
	s.r->was_due.n = from->was_due.n;
	s.r->was_asked.items = from->was_asked.items;
	s.r->was_asked.n = from->was_asked.n;
	*from = *s.r;
	return 0;
}
