#include "profile/layout.h"

enum { HOUR_MS = 3600000, DAY_HOURS = 24 };

struct writer {
	const struct fw_record *r;
	struct fw_buf *out;
	uint32_t *renumber; /* the new number of each text; 0: nobody refers to it */
	uint32_t n_texts;
};

/* Most of what is kept happened lately: times are distances back from the last event's. */
static void put_time(struct writer *w, int64_t at_ms)
{
	fw_pack_signed(w->out, w->r->last_ms - at_ms);
}

/* A text's number, given out in the order of first use. */
static uint32_t number(struct writer *w, uint32_t text)
{
	if (text && !w->renumber[text - 1])
		w->renumber[text - 1] = ++w->n_texts;
	return text ? w->renumber[text - 1] : 0;
}

static void put_ids(struct writer *w)
{
	for (uint32_t i = 0; i < w->r->ids.n; i++) {
		const struct fw_id *id = &w->r->ids.items[i];
		bool first = fw_str_equal(id->text, w->r->first_id);
		fw_buf_putc(w->out, (char)((unsigned)id->kind << 3 | (id->shared ? 2u : 0) | first)); /* a bit is left */
		if (!first)
			fw_pack_text(w->out, id->text);
	}
}

static void put_touch(struct writer *w, const struct touch *t)
{
	fw_pack_number(w->out, (uint64_t)t->channel << 2 | (t->campaign.n ? 2u : 0) | (t->medium.n ? 1u : 0));
	put_time(w, t->at_ms);
	if (t->medium.n)
		fw_pack_text(w->out, t->medium);
	if (t->campaign.n)
		fw_pack_text(w->out, t->campaign);
}

/* `next_s` is the beginning of the visit after it. */
static void put_session(struct writer *w, const struct session *s, int64_t next_s)
{
	fw_pack_number(w->out, (uint64_t)(next_s - s->start_s));
	fw_pack_number(w->out, (uint64_t)(s->last_s - s->start_s) << 1 | (s->campaign != 0));
	if (s->campaign)
		fw_pack_number(w->out, s->campaign);
	fw_pack_number(w->out, s->pages);
}

static void put_last_session(struct writer *w)
{
	struct session last = w->r->sessions.items[w->r->sessions.n - 1];
	bool refuses = fw_consent_refuses(w->r);
	if (refuses)
		last.campaign = 0;
	put_session(w, &last, w->r->last_ms / 1000);
	if (w->r->session_touch.at_ms && !refuses)
		put_touch(w, &w->r->session_touch);
}

static void put_labels(struct writer *w, const uint32_t labels[FW_LABELS])
{
	for (int i = 0; i < FW_LABELS; i++)
		if (labels[i])
			fw_pack_number(w->out, number(w, labels[i]));
}

static unsigned labels_mask(const uint32_t labels[FW_LABELS])
{
	unsigned mask = 0;
	for (int i = 0; i < FW_LABELS; i++)
		mask |= (unsigned)(labels[i] != 0) << i;
	return mask;
}

/* Newest first; those of the event that told all have no time. */
static void put_cart(struct writer *w)
{
	const struct cart *c = &w->r->cart;
	int64_t before = w->r->last_ms;
	fw_pack_number(w->out, (uint64_t)(c->told_ms != 0) << 1 | (c->began_ms != 0));
	if (c->told_ms)
		put_time(w, c->told_ms);
	if (c->began_ms)
		fw_pack_signed(w->out, c->told_ms - c->began_ms);
	for (uint32_t i = c->entries.n; i-- > 0; ) {
		const struct cart_entry *e = &c->entries.items[i];
		fw_buf_putc(w->out, (char)(labels_mask(e->labels) | (e->at_ms ? 1u << FW_LABELS : 0)));
		if (e->at_ms)
			fw_pack_number(w->out, (uint64_t)(before - e->at_ms));
		put_labels(w, e->labels);
		fw_pack_number(w->out, (uint64_t)(e->price + 1));
		fw_pack_signed(w->out, e->quantity);
		before = e->at_ms ? e->at_ms : before;
	}
}

static void put_orders(struct writer *w)
{
	for (uint32_t i = 0; i < w->r->orders.n; i++) {
		const struct order *o = &w->r->orders.items[i];
		enum { MOVED = ORDER_FLAGS + 1, REFUNDS = MOVED << 1 };
		fw_pack_number(w->out, o->flags | (o->told_ms != o->at_ms ? MOVED : 0) | (o->refunded ? REFUNDS : 0));
		fw_pack_text(w->out, o->id);
		put_time(w, o->at_ms);
		if (o->told_ms != o->at_ms)
			fw_pack_number(w->out, (uint64_t)o->told_ms);
		fw_pack_number(w->out, (uint64_t)(o->revenue + 1));
		if (o->refunded)
			fw_pack_number(w->out, (uint64_t)o->refunded);
	}
}

static void put_caps(struct writer *w)
{
	for (uint32_t i = 0; i < w->r->caps.n; i++) {
		const struct cap *c = &w->r->caps.items[i];
		fw_pack_fixed(w->out, c->cap);
		fw_pack_number(w->out, (uint64_t)c->per_s);
		fw_pack_number(w->out, c->limit);
		fw_pack_number(w->out, c->uses.n);
		int64_t before = w->r->last_ms;
		for (uint32_t k = 0; k < c->uses.n; k++) {
			const struct cap_use *u = &c->uses.items[k];
			fw_pack_number(w->out, u->rule != 0);
			fw_pack_signed(w->out, before - u->at_ms);
			if (u->rule)
				fw_pack_fixed(w->out, u->rule);
			before = u->at_ms;
		}
	}
}

/* Messages by the hour of their arrival: a number of them, the hour, their hashes. */
static void put_seen(struct writer *w)
{
	const struct seen *items = w->r->seen.items;
	int64_t before = w->r->last_ms / HOUR_MS;
	fw_pack_number(w->out, w->r->spilled_days);
	if (w->r->spilled_days)
		fw_pack_signed(w->out, before / DAY_HOURS - w->r->spilled_day);
	for (uint32_t i = 0, n; i < w->r->seen.n; i += n) {
		for (n = 1; i + n < w->r->seen.n && items[i + n].hour == items[i].hour; n++)
			;
		fw_pack_number(w->out, n);
		fw_pack_signed(w->out, items[i].hour - before);
		for (uint32_t k = 0; k < n; k++)
			fw_pack_fixed(w->out, items[i + k].hash);
		before = items[i].hour;
	}
}

static void put_imports(struct writer *w)
{
	for (uint32_t i = 0; i < w->r->imports.n; i++) {
		fw_pack_fixed(w->out, w->r->imports.items[i].file);
		fw_pack_signed(w->out, w->r->imports.items[i].offset);
	}
}

static void put_traits(struct writer *w)
{
	int64_t before = w->r->last_ms;
	for (uint32_t i = 0; i < w->r->traits.n; i++) {
		const struct trait *t = &w->r->traits.items[i];
		unsigned known = fw_trait_number(t->name);
		fw_buf_putc(w->out, (char)(known | (t->claimed ? TRAIT_CLAIMED : 0)));
		if (!known)
			fw_pack_text(w->out, t->name);
		fw_pack_signed(w->out, before - t->at_ms);
		fw_buf_add(w->out, t->packed.p, t->packed.n);
		before = t->at_ms;
	}
}

static void put_texts(struct writer *w)
{
	uint32_t *order = FW_NEW_ARRAY(w->r->arena, w->n_texts + 1, uint32_t);
	if (!order) {
		w->out->failed = true;
		return;
	}
	for (uint32_t i = 0; i < w->r->texts.n; i++)
		if (w->renumber[i])
			order[w->renumber[i] - 1] = i;
	struct fw_str prefix = { 0 };
	fw_pack_number(w->out, w->n_texts);
	for (uint32_t i = 0; i < w->n_texts; i++)
		fw_pack_text_after(w->out, w->r->texts.items[order[i]].text, &prefix);
}

static void put_visits(struct writer *w)
{
	fw_pack_number(w->out, w->r->lifetime.visits);
	if (w->r->lifetime.visits)
		fw_pack_signed(w->out, w->r->last_ms / 1000 - w->r->lifetime.visits_since_s);
	for (uint32_t i = w->r->sessions.n - 1; i-- > 0; )
		put_session(w, &w->r->sessions.items[i], w->r->sessions.items[i + 1].start_s);
}

static bool same_touch(const struct touch *a, const struct touch *b)
{
	return a->at_ms == b->at_ms && a->channel == b->channel && fw_str_equal(a->medium, b->medium) &&
		fw_str_equal(a->campaign, b->campaign);
}

static void put_touches(struct writer *w)
{
	const struct touch *first = &w->r->first_touch, *last = &w->r->last_touch;
	put_touch(w, first);
	if (!same_touch(first, last))
		put_touch(w, last);
}

static void put_series(struct writer *w)
{
	for (uint32_t i = 0; i < w->r->series.n; i++)
		for (int k = 0; k < FW_LABELS; k++)
			number(w, w->r->series.items[i].labels[k]);
	fw_history_pack(w->r->series.items, w->r->series.n, w->renumber, w->out);
}

/* Newest first. The number of a behaviour, after those of the types of events; and whether name and object follow. */
static void put_recent(struct writer *w)
{
	int64_t before = w->r->last_ms / 1000;
	for (uint32_t i = w->r->recent.n; i-- > 0; ) {
		const struct recent *e = &w->r->recent.items[i];
		uint32_t number_of_name = e->known ? e->known + FW_EVENT_TYPES - 1 : e->type;
		fw_pack_number(w->out, (uint64_t)number_of_name << 2 | (e->name ? 2u : 0) | (e->object ? 1u : 0));
		fw_pack_number(w->out, (uint64_t)(before - e->at_s));
		if (e->name)
			fw_pack_number(w->out, number(w, e->name));
		if (e->object)
			fw_pack_number(w->out, number(w, e->object));
		before = e->at_s;
	}
}

static void put_lifetime(struct writer *w)
{
	fw_pack_number(w->out, w->r->lifetime.orders);
	fw_pack_number(w->out, w->r->lifetime.priced);
	fw_pack_number(w->out, (uint64_t)w->r->lifetime.revenue);
}

static void put_engagements(struct writer *w)
{
	for (uint32_t i = 0; i < w->r->engagements.n; i++) {
		const struct engagement *e = &w->r->engagements.items[i];
		uint64_t sent, engaged;
		memcpy(&sent, &e->sent, sizeof sent);
		memcpy(&engaged, &e->engaged, sizeof engaged);
		fw_pack_text(w->out, e->channel);
		put_time(w, e->at_ms);
		fw_pack_fixed(w->out, sent);
		fw_pack_fixed(w->out, engaged);
	}
}

/* An id that is among the person's is a place there. */
static void put_merges(struct writer *w)
{
	enum { AMONG_IDS = 128 };
	for (uint32_t i = 0; i < w->r->merges.n; i++) {
		const struct fw_merge *m = &w->r->merges.items[i];
		uint32_t place = 0;
		while (place < w->r->ids.n && !fw_str_equal(w->r->ids.items[place].text, m->id))
			place++;
		bool among_ids = place < w->r->ids.n;
		fw_buf_putc(w->out, (char)((among_ids ? AMONG_IDS : 0u) | (unsigned)m->kind << 4 | m->spilled_days));
		if (among_ids)
			fw_pack_number(w->out, place);
		else
			fw_pack_text(w->out, m->id);
		fw_pack_number(w->out, m->number);
		put_time(w, m->at_us / 1000);
		if (m->spilled_days)
			fw_pack_signed(w->out, w->r->last_ms / HOUR_MS / DAY_HOURS - m->spilled_day);
		fw_buf_add(w->out, (const char *)m->seal, sizeof m->seal);
	}
}

/* The view, then the log until the end. */
static void put_consent(struct writer *w)
{
	fw_pack_number(w->out, (uint64_t)w->r->consents.n << 1 | w->r->restricted);
	for (uint32_t i = 0; i < w->r->consents.n; i++) {
		const struct consent *c = &w->r->consents.items[i];
		fw_buf_putc(w->out, (char)c->state);
		fw_pack_text(w->out, c->what);
		put_time(w, c->at_ms);
	}
	for (uint32_t i = 0; i < w->r->consent_log.n; i++) {
		const struct consent_entry *c = &w->r->consent_log.items[i];
		fw_buf_putc(w->out, (char)((unsigned)c->state << 2 | (c->source.n ? 2u : 0) | (c->text.n ? 1u : 0)));
		fw_pack_text(w->out, c->what);
		put_time(w, c->at_ms);
		if (c->source.n)
			fw_pack_text(w->out, c->source);
		if (c->text.n)
			fw_pack_text(w->out, c->text);
	}
}

/* Of one who refused nothing of it is written, whatever a merge brought. */
static bool is_behaviour_there(const struct fw_record *r, enum part part)
{
	if (fw_consent_refuses(r))
		return false;
	switch (part) {
	case PART_VISITS: return r->lifetime.visits || r->sessions.n > 1;
	case PART_TOUCHES: return r->first_touch.at_ms != 0;
	case PART_SERIES: return r->series.n > 0;
	case PART_RECENT: return r->recent.n > 0;
	case PART_LIFETIME: return r->lifetime.orders > 0;
	case PART_ENGAGEMENT: return r->engagements.n > 0;
	default: return false; /* texts are known once all others are written */
	}
}

static bool is_there(const struct fw_record *r, enum part part)
{
	switch (part) {
	case PART_IDS: return r->ids.n > 0;
	case PART_SESSION: return r->sessions.n > 0;
	case PART_CART: return r->cart.told_ms || r->cart.entries.n > 0;
	case PART_ORDERS: return r->orders.n > 0;
	case PART_CAPS: return r->caps.n > 0;
	case PART_SEEN: return r->seen.n > 0 || r->spilled_days;
	case PART_IMPORTS: return r->imports.n > 0;
	case PART_TRAITS: return r->traits.n > 0;
	case PART_MERGES: return r->merges.n > 0;
	case PART_ERASED: return r->erased_ms != 0;
	case PART_CONSENT: return r->consents.n > 0 || r->restricted;
	case PART_ASKS: return r->asks.n > 0;
	case PART_MESSAGES: return r->dues.n || r->outcomes.n || r->marks.n;
	default: return is_behaviour_there(r, part);
	}
}

static void put_part(struct writer *w, enum part part)
{
	switch (part) {
	case PART_IDS: put_ids(w); break;
	case PART_SESSION: put_last_session(w); break;
	case PART_CART: put_cart(w); break;
	case PART_ORDERS: put_orders(w); break;
	case PART_CAPS: put_caps(w); break;
	case PART_SEEN: put_seen(w); break;
	case PART_IMPORTS: put_imports(w); break;
	case PART_TRAITS: put_traits(w); break;
	case PART_TEXTS: put_texts(w); break;
	case PART_VISITS: put_visits(w); break;
	case PART_TOUCHES: put_touches(w); break;
	case PART_SERIES: put_series(w); break;
	case PART_RECENT: put_recent(w); break;
	case PART_LIFETIME: put_lifetime(w); break;
	case PART_MERGES: put_merges(w); break;
	case PART_CONSENT: put_consent(w); break;
	case PART_ERASED: put_time(w, w->r->erased_ms); break;
	case PART_MESSAGES: fw_messages_put(w->r, w->out); break;
	case PART_ASKS: fw_asks_put(w->r, w->out); break;
	default: put_engagements(w); break;
	}
}

/* The parts in one buffer, each with its place in it; texts last, as then all are known. */
static void write_all(const struct fw_record *r, struct fw_buf *scratch, struct fw_buf *out)
{
	struct writer w = { .r = r, .out = scratch, .renumber = FW_NEW_ARRAY(r->arena, r->texts.n + 1, uint32_t) };
	size_t from[PARTS] = { 0 }, n[PARTS] = { 0 };
	uint32_t there = 0;
	if (!w.renumber) {
		out->failed = true;
		return;
	}
	fw_buf_clear(scratch);
	for (int i = 0; i <= PARTS; i++) {
		enum part part = i < PARTS ? (enum part)i : PART_TEXTS;
		if (i < PARTS ? !is_there(r, part) : w.n_texts == 0)
			continue;
		from[part] = scratch->n;
		put_part(&w, part);
		n[part] = scratch->n - from[part];
		there |= 1u << part;
	}
	fw_buf_putc(out, RECORD_VERSION);
	fw_pack_number(out, there);
	fw_pack_text(out, r->first_id);
	fw_pack_number(out, (uint64_t)r->last_ms);
	fw_pack_number(out, (uint64_t)(r->last_ms / 1000 - r->first_s));
	for (int i = 0; i < PARTS; i++)
		if (there >> i & 1)
			fw_pack_bytes(out, (struct fw_str){ scratch->data + from[i], n[i] });
	out->failed |= scratch->failed;
}

/* What was written is read once more, to forget from: `r` keeps what it has. */
static void write_less(const struct fw_record *r, struct fw_buf *scratch, struct fw_buf *out, size_t begin)
{
	struct fw_record *less;
	struct fw_str bytes = { fw_arena_strndup(r->arena, out->data + begin, out->n - begin), out->n - begin };
	if (!bytes.p || fw_record_read(r->arena, bytes, &less, NULL) < 0) {
		out->failed = true;
		return;
	}
	for (unsigned level = 1; !out->failed && out->n - begin > FW_LIMIT_RECORD_BYTES && fw_record_forget(less, level); level++) {
		out->n = begin;
		write_all(less, scratch, out);
	}
}

/* Most records have fewer. */
enum { USUAL_BYTES = 2048 };

void fw_record_write(const struct fw_record *r, struct fw_buf *out)
{
	struct fw_buf scratch;
	size_t begin = out->n;
	fw_buf_init(&scratch, 0);
	fw_buf_reserve(&scratch, USUAL_BYTES);
	write_all(r, &scratch, out);
	if (!out->failed && out->n - begin > FW_LIMIT_RECORD_BYTES)
		write_less(r, &scratch, out, begin);
	fw_buf_finish(&scratch);
}

int fw_record_bytes(const struct fw_record *r, struct fw_arena *a, struct fw_str *ret)
{
	struct fw_buf b;
	fw_buf_init(&b, 0);
	fw_buf_reserve(&b, USUAL_BYTES);
	fw_record_write(r, &b);
	return fw_buf_keep(&b, a, ret);
}
