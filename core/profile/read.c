#include "profile/layout.h"

#include <math.h>

enum { AMOUNT_BITS = 53, HOUR_MS = 3600000, DAY_HOURS = 24 };

/* A time that is so long before another one. */
static int64_t get_before(struct fw_unpack *u, int64_t than_ms)
{
	int64_t most = INT64_C(1) << AMOUNT_BITS, back = fw_unpack_signed(u);
	if (back < -most || back > most || than_ms - back < 0 || than_ms - back > most)
		u->failed = true;
	return u->failed ? 0 : than_ms - back;
}

/* A number of at most 2^53. */
static int64_t get_amount(struct fw_unpack *u)
{
	uint64_t x = fw_unpack_number(u);
	if (x > UINT64_C(1) << AMOUNT_BITS)
		u->failed = true;
	return u->failed ? 0 : (int64_t)x;
}

static bool get_ids(struct fw_record *r, struct fw_unpack *u)
{
	while (u->p < u->end && !u->failed) {
		unsigned head = fw_unpack_byte(u), kind = r->version == 1 ? head >> 1 : head >> 3;
		struct fw_str text = head & 1 ? r->first_id : fw_unpack_text(u, r->arena);
		if (kind >= FW_ID_KINDS || r->ids.n >= FW_LIMIT_RECORD_IDS || !FW_LIST_ROOM(r, r->ids))
			return false;
		r->ids.items[r->ids.n++] = (struct fw_id){ (enum fw_id_kind)kind, text, r->version > 1 && head & 2 };
	}
	return true;
}

static uint32_t count_channels(void)
{
	const char *const *channels = fw_fact_info(FW_FACT_SOURCE)->values;
	uint32_t n = 0;
	while (channels[n])
		n++;
	return n;
}

static bool get_touch(struct fw_unpack *u, struct fw_arena *a, int64_t last_ms, struct touch *ret)
{
	uint32_t head = fw_unpack_bounded(u, UINT32_MAX);
	u->failed |= head >> 2 > count_channels();
	*ret = (struct touch){ .channel = head >> 2, .at_ms = get_before(u, last_ms) };
	if (head & 1)
		ret->medium = fw_unpack_text(u, a);
	if (head & 2)
		ret->campaign = fw_unpack_text(u, a);
	return !u->failed;
}

/* Visits come newest first, each with its distance from the one after it. */
static bool add_session(struct fw_record *r, struct fw_unpack *u)
{
	int64_t next_s = r->sessions.n ? r->sessions.items[0].start_s : r->last_ms / 1000;
	struct session s = { .start_s = next_s - get_amount(u) };
	int64_t length = get_amount(u);
	s.last_s = s.start_s + (length >> 1);
	s.campaign = length & 1 ? fw_unpack_bounded(u, UINT16_MAX) : 0;
	s.pages = fw_unpack_bounded(u, UINT32_MAX);
	if (u->failed || s.start_s < 0 || !FW_LIST_ROOM(r, r->sessions))
		return false;
	FW_LIST_OPEN(r->sessions, 0);
	r->sessions.items[0] = s;
	return true;
}

static bool get_last_session(struct fw_record *r, struct fw_unpack *u)
{
	return add_session(r, u) && (u->p == u->end || get_touch(u, r->arena, r->last_ms, &r->session_touch));
}

static void get_labels(struct fw_unpack *u, unsigned mask, uint32_t labels[FW_LABELS])
{
	for (int i = 0; i < FW_LABELS; i++)
		labels[i] = mask >> i & 1 ? fw_unpack_bounded(u, UINT32_MAX) : 0;
}

static bool get_cart(struct fw_record *r, struct fw_unpack *u)
{
	enum { FLAGS = 3 };
	struct cart *c = &r->cart;
	unsigned told = fw_unpack_bounded(u, FLAGS);
	c->told_ms = told & 2 ? get_before(u, r->last_ms) : 0;
	c->began_ms = told & 1 ? get_before(u, c->told_ms) : 0;
	int64_t before = r->last_ms;
	while (u->p < u->end && !u->failed) {
		struct cart_entry e = { 0 };
		unsigned head = fw_unpack_byte(u);
		if (head >> FW_LABELS & 1)
			e.at_ms = before -= get_amount(u);
		if (e.at_ms && c->entries.n && c->entries.items[0].at_ms == 0)
			return false; /* those without a time are the first of all */
		get_labels(u, head, e.labels);
		e.price = get_amount(u) - 1;
		int64_t quantity = fw_unpack_signed(u);
		if (quantity > INT32_MAX || quantity < -INT32_MAX || c->entries.n >= FW_LIMIT_CART_ENTRIES || !FW_LIST_ROOM(r, c->entries))
			return false;
		e.quantity = (int32_t)quantity;
		FW_LIST_OPEN(c->entries, 0);
		c->entries.items[0] = e;
		if (before < 0)
			return false;
	}
	return true;
}

static bool get_orders(struct fw_record *r, struct fw_unpack *u)
{
	enum { MOVED = ORDER_FLAGS + 1, REFUNDS = MOVED << 1 };
	while (u->p < u->end && !u->failed) {
		struct order o = { 0 };
		uint32_t head = fw_unpack_bounded(u, 2 * REFUNDS - 1);
		o.flags = head & ORDER_FLAGS;
		o.id = fw_unpack_text(u, r->arena);
		o.at_ms = get_before(u, r->last_ms);
		o.told_ms = head & MOVED ? get_amount(u) : o.at_ms;
		o.revenue = get_amount(u) - 1;
		o.refunded = head & REFUNDS ? get_amount(u) : 0;
		if (r->orders.n >= FW_LIMIT_ORDERS || !FW_LIST_ROOM(r, r->orders))
			return false;
		r->orders.items[r->orders.n++] = o;
	}
	return true;
}

static bool get_uses(struct fw_record *r, struct fw_unpack *u, struct cap *c)
{
	uint32_t n = fw_unpack_bounded(u, FW_LIMIT_CAP_USES);
	int64_t before = r->last_ms;
	for (uint32_t i = 0; i < n && !u->failed; i++) {
		uint32_t waits = fw_unpack_bounded(u, 1);
		struct cap_use use = { .at_ms = get_before(u, before) };
		use.rule = waits ? fw_unpack_fixed(u) : 0;
		before = use.at_ms;
		if (!FW_LIST_ROOM(r, c->uses))
			return false;
		c->uses.items[c->uses.n++] = use;
	}
	return c->uses.n > 0;
}

static bool get_caps(struct fw_record *r, struct fw_unpack *u)
{
	while (u->p < u->end && !u->failed) {
		struct cap c = { .cap = fw_unpack_fixed(u) };
		c.per_s = fw_unpack_bounded(u, UINT32_MAX);
		c.limit = fw_unpack_bounded(u, UINT32_MAX);
		if (!get_uses(r, u, &c) || r->caps.n >= FW_LIMIT_CAPS_KEPT || !FW_LIST_ROOM(r, r->caps))
			return false;
		r->caps.items[r->caps.n++] = c;
	}
	return true;
}

static bool get_seen(struct fw_record *r, struct fw_unpack *u)
{
	int64_t hour = r->last_ms / HOUR_MS;
	r->spilled_days = fw_unpack_bounded(u, 15);
	int64_t day = r->spilled_days ? get_before(u, hour / DAY_HOURS) : 0;
	if (day > INT32_MAX)
		return false;
	r->spilled_day = (int32_t)day;
	while (u->p < u->end && !u->failed) {
		uint32_t n = fw_unpack_bounded(u, FW_LIMIT_SEEN_KEPT);
		int64_t on = fw_unpack_signed(u);
		if (on > INT32_MAX || on < -INT32_MAX || hour + on < 0 || hour + on > INT32_MAX || r->seen.n + n > FW_LIMIT_SEEN_KEPT)
			return false;
		hour += on;
		for (uint32_t i = 0; i < n; i++) {
			if (!FW_LIST_ROOM(r, r->seen))
				return false;
			r->seen.items[r->seen.n++] = (struct seen){ fw_unpack_fixed(u), (uint32_t)hour };
		}
	}
	return true;
}

static bool get_imports(struct fw_record *r, struct fw_unpack *u)
{
	while (u->p < u->end && !u->failed) {
		struct import i = { .file = fw_unpack_fixed(u) };
		i.offset = fw_unpack_signed(u);
		if (r->imports.n >= FW_LIMIT_IMPORTS_KEPT || !FW_LIST_ROOM(r, r->imports))
			return false;
		r->imports.items[r->imports.n++] = i;
	}
	return true;
}

static bool get_traits(struct fw_record *r, struct fw_unpack *u)
{
	int64_t before = r->last_ms;
	while (u->p < u->end && !u->failed) {
		struct trait t = { 0 };
		unsigned head = fw_unpack_byte(u), known = r->version == 1 ? head : head & ~(unsigned)TRAIT_CLAIMED;
		t.claimed = known != head;
		t.name = known ? fw_str(fw_trait_name(known)) : fw_unpack_text(u, r->arena);
		t.at_ms = before = get_before(u, before);
		const unsigned char *begin = u->p;
		fw_trait_skip(u);
		char *copy = u->failed || !t.name.p ? NULL : fw_arena_strndup(r->arena, (const char *)begin, (size_t)(u->p - begin));
		if (!copy || r->traits.n >= FW_LIMIT_TRAITS || !FW_LIST_ROOM(r, r->traits))
			return false;
		t.packed = (struct fw_str){ copy, (size_t)(u->p - begin) };
		r->traits.items[r->traits.n++] = t;
	}
	return true;
}

static bool get_visits(struct fw_record *r, struct fw_unpack *u)
{
	r->lifetime.visits = (uint64_t)get_amount(u);
	r->lifetime.visits_since_s = r->lifetime.visits ? get_before(u, r->last_ms / 1000) : 0;
	while (u->p < u->end && !u->failed)
		if (!add_session(r, u))
			return false;
	return r->sessions.n <= FW_LIMIT_SESSIONS;
}

static bool get_touches(struct fw_record *r, struct fw_unpack *u)
{
	if (!get_touch(u, r->arena, r->last_ms, &r->first_touch))
		return false;
	r->last_touch = r->first_touch;
	return u->p == u->end || get_touch(u, r->arena, r->last_ms, &r->last_touch);
}

static bool get_recent(struct fw_record *r, struct fw_unpack *u)
{
	int64_t at_s = r->last_ms / 1000;
	while (u->p < u->end && !u->failed) {
		struct recent e = { .type = FW_EVENT_TRACK };
		uint32_t head = fw_unpack_bounded(u, UINT32_MAX), name = head >> 2;
		at_s -= get_amount(u);
		e.at_s = at_s;
		if (name < FW_EVENT_TYPES)
			e.type = name;
		else
			e.known = name - FW_EVENT_TYPES + 1;
		e.name = head & 2 ? fw_unpack_bounded(u, UINT32_MAX) : 0;
		e.object = head & 1 ? fw_unpack_bounded(u, UINT32_MAX) : 0;
		if (at_s < 0 || r->recent.n >= FW_LIMIT_RECENT_EVENTS || (e.known && !fw_behaviour_name(e.known)) ||
			!FW_LIST_ROOM(r, r->recent))
			return false;
		FW_LIST_OPEN(r->recent, 0); /* they are written newest first */
		r->recent.items[0] = e;
	}
	return true;
}

static bool get_lifetime(struct fw_record *r, struct fw_unpack *u)
{
	r->lifetime.orders = (uint64_t)get_amount(u);
	r->lifetime.priced = (uint64_t)get_amount(u);
	r->lifetime.revenue = get_amount(u);
	return true;
}

static double get_double(struct fw_unpack *u)
{
	uint64_t bits = fw_unpack_fixed(u);
	double x;
	memcpy(&x, &bits, sizeof x);
	u->failed |= !isfinite(x) || x < 0;
	return u->failed ? 0 : x;
}

static bool get_engagements(struct fw_record *r, struct fw_unpack *u)
{
	while (u->p < u->end && !u->failed) {
		struct engagement e = { .channel = fw_unpack_text(u, r->arena) };
		e.at_ms = get_before(u, r->last_ms);
		e.sent = get_double(u);
		e.engaged = get_double(u);
		if (!FW_LIST_ROOM(r, r->engagements))
			return false;
		r->engagements.items[r->engagements.n++] = e;
	}
	return true;
}

/* Mostly it is among the person's ids, and then a place there. */
static bool get_merged_id(struct fw_record *r, struct fw_unpack *u, unsigned head, struct fw_str *ret)
{
	enum { AMONG_IDS = 128 };
	if (!(head & AMONG_IDS)) {
		*ret = fw_unpack_text(u, r->arena);
		return true;
	}
	uint32_t i = fw_unpack_bounded(u, FW_LIMIT_RECORD_IDS);
	if (u->failed || i >= r->ids.n)
		return false;
	*ret = r->ids.items[i].text;
	return true;
}

static bool get_merges(struct fw_record *r, struct fw_unpack *u)
{
	while (u->p < u->end && !u->failed) {
		unsigned head = fw_unpack_byte(u);
		unsigned kind = head >> 4 & 7;
		struct fw_merge m = { .kind = kind < FW_ID_KINDS ? (enum fw_id_kind)kind : FW_ID_KINDS, .spilled_days = head & 15 };
		if (!get_merged_id(r, u, head, &m.id))
			return false;
		m.number = fw_unpack_number(u);
		m.at_us = get_before(u, r->last_ms) * 1000;
		int64_t day = m.spilled_days ? get_before(u, r->last_ms / HOUR_MS / DAY_HOURS) : 0;
		m.spilled_day = (int32_t)day;
		for (size_t k = 0; k < sizeof m.seal; k++)
			m.seal[k] = fw_unpack_byte(u);
		if (m.kind == FW_ID_KINDS || day > INT32_MAX || r->merges.n >= FW_LIMIT_MERGES || !FW_LIST_ROOM(r, r->merges))
			return false;
		r->merges.items[r->merges.n++] = m;
	}
	return true;
}

static bool get_consent_entry(struct fw_record *r, struct fw_unpack *u)
{
	unsigned head = fw_unpack_byte(u);
	struct consent_entry c = { .state = head >> 2 < FW_CONSENT_STATES ? (enum fw_consent_state)(head >> 2) : FW_CONSENT_STATES };
	c.what = fw_unpack_text(u, r->arena);
	c.at_ms = get_before(u, r->last_ms);
	if (head & 2)
		c.source = fw_unpack_text(u, r->arena);
	if (head & 1)
		c.text = fw_unpack_text(u, r->arena);
	if (c.state == FW_CONSENT_STATES || r->consent_log.n >= FW_LIMIT_CONSENT_LOG || !FW_LIST_ROOM(r, r->consent_log))
		return false;
	r->consent_log.items[r->consent_log.n++] = c;
	return true;
}

static bool get_consents(struct fw_record *r, struct fw_unpack *u)
{
	uint32_t head = fw_unpack_bounded(u, 2 * FW_LIMIT_CONSENTS + 1);
	r->restricted = head & 1;
	for (uint32_t n = head >> 1; n > 0 && !u->failed; n--) {
		unsigned state = fw_unpack_byte(u);
		struct consent c = { .state = state < FW_CONSENT_STATES ? (enum fw_consent_state)state : FW_CONSENT_STATES };
		c.what = fw_unpack_text(u, r->arena);
		c.at_ms = get_before(u, r->last_ms);
		if (c.state == FW_CONSENT_STATES || !FW_LIST_ROOM(r, r->consents))
			return false;
		r->consents.items[r->consents.n++] = c;
	}
	return !u->failed;
}

static bool get_consent(struct fw_record *r, struct fw_unpack *u)
{
	if (!get_consents(r, u))
		return false;
	while (u->p < u->end && !u->failed)
		if (!get_consent_entry(r, u))
			return false;
	return true;
}

static bool get_erased(struct fw_record *r, struct fw_unpack *u)
{
	r->erased_ms = get_before(u, r->last_ms);
	return r->erased_ms != 0;
}

bool fw_part_read(struct fw_record *r, enum part part, struct fw_str bytes)
{
	static bool (*const readers[PARTS])(struct fw_record *r, struct fw_unpack *u) = {
		[PART_IDS] = get_ids, [PART_SESSION] = get_last_session, [PART_CART] = get_cart, [PART_ORDERS] = get_orders,
		[PART_CAPS] = get_caps, [PART_SEEN] = get_seen, [PART_IMPORTS] = get_imports, [PART_TRAITS] = get_traits,
		[PART_VISITS] = get_visits, [PART_TOUCHES] = get_touches, [PART_RECENT] = get_recent, [PART_LIFETIME] = get_lifetime,
		[PART_ENGAGEMENT] = get_engagements, [PART_MERGES] = get_merges, [PART_CONSENT] = get_consent, [PART_ERASED] = get_erased,
		[PART_MESSAGES] = fw_messages_get, [PART_ASKS] = fw_asks_get,
	};
	struct fw_unpack u;
	fw_unpack_init(&u, bytes);
	return !readers[part] || (readers[part](r, &u) && !u.failed && u.p == u.end);
}

bool fw_consents_read(struct fw_record *r, struct fw_str bytes)
{
	struct fw_unpack u;
	fw_unpack_init(&u, bytes);
	return get_consents(r, &u);
}

int fw_parts_read(struct fw_arena *a, struct fw_str bytes, struct parts *ret, struct fw_error *err)
{
	struct fw_unpack u;
	struct parts p = { 0 };
	fw_unpack_init(&u, bytes);
	unsigned version = fw_unpack_byte(&u);
	if (!u.failed && version > RECORD_VERSION)
		return fw_fail(err, FW_EINVAL, NULL, 0, "the record has version %u, this program knows up to %d", version, RECORD_VERSION);
	if (u.failed || version == 0)
		return fw_fail(err, FW_EINVAL, NULL, 0, "these bytes are no record");
	p.version = version;
	uint32_t there = fw_unpack_bounded(&u, (1u << PARTS) - 1);
	p.first_id = fw_unpack_text(&u, a);
	p.last_ms = get_amount(&u);
	p.first_s = p.last_ms / 1000 - get_amount(&u);
	u.failed |= p.first_s < 0;
	for (int i = 0; i < PARTS; i++)
		if (there >> i & 1)
			p.of[i] = fw_unpack_bytes(&u);
	if (u.failed || u.p != u.end)
		return fw_fail(err, FW_EINVAL, NULL, 0, "the record is damaged: it ends too early or too late");
	*ret = p;
	return 0;
}

/* Texts and series have one reader, which decisions use, too. */
static bool read_history(struct fw_record *r, const struct parts *p)
{
	struct fw_history h = { .arena = r->arena, .packed_texts = p->of[PART_TEXTS], .packed_series = p->of[PART_SERIES] };
	if (fw_history_unpack(&h) < 0)
		return false;
	r->texts.items = FW_NEW_ARRAY(r->arena, h.n_texts, struct record_text);
	if (!r->texts.items)
		return false;
	r->texts.size = h.n_texts;
	for (; r->texts.n < h.n_texts; r->texts.n++) {
		struct fw_str text = fw_history_text(&h, r->texts.n + 1, r->arena);
		if (!text.p)
			return false;
		r->texts.items[r->texts.n] = (struct record_text){ text, fw_text_hash(text) };
	}
	r->series.items = h.series;
	r->series.n = r->series.size = h.n_series;
	for (uint32_t i = 0; i < h.n_series; i++)
		if (h.series[i].n && h.series[i].cells[0].hour > r->newest_hour)
			r->newest_hour = h.series[i].cells[0].hour;
	return true;
}

/* Numbers of texts that are not there. */
static bool refers_well(const struct fw_record *r)
{
	uint32_t n = r->texts.n;
	for (uint32_t i = 0; i < r->cart.entries.n; i++)
		for (int k = 0; k < FW_LABELS; k++)
			if (r->cart.entries.items[i].labels[k] > n)
				return false;
	for (uint32_t i = 0; i < r->recent.n; i++)
		if (r->recent.items[i].name > n || r->recent.items[i].object > n)
			return false;
	return true;
}

int fw_record_read(struct fw_arena *a, struct fw_str bytes, struct fw_record **ret, struct fw_error *err)
{
	static const char *const names[PARTS] = { "ids", "session", "cart", "orders", "seen", "traits", "texts", "visits", "touches",
		"series",
		"recent", "caps", "imports", "lifetime", "engagement", "merges", "consent", "erasure", "messages", "requests" };
	struct parts p;
	struct fw_record *r = FW_NEW(a, struct fw_record);
	int code = r ? fw_parts_read(a, bytes, &p, err) : FW_ENOMEM;
	if (code < 0)
		return code;
	r->arena = a;
	r->version = p.version;
	r->first_id = p.first_id;
	r->first_s = p.first_s;
	r->last_ms = p.last_ms;
	for (int i = 0; i < PARTS; i++)
		if (p.of[i].n && !fw_part_read(r, (enum part)i, p.of[i]))
			return fw_fail(err, FW_EINVAL, NULL, 0, "the record is damaged: its %s cannot be read", names[i]);
	if (!read_history(r, &p) || !refers_well(r))
		return fw_fail(err, FW_EINVAL, NULL, 0, "the record is damaged: its %s cannot be read", "history");
	*ret = r;
	return 0;
}
