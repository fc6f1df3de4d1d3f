#include "profile/layout.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "fact/given.h"

/* "2026-11-23T22:40:05Z" */
void fw_put_time(struct fw_json_out *out, const char *key, int64_t at_s)
{
	char date[16], text[40];
	int64_t days = at_s / 86400, second = at_s % 86400;
	snprintf(text, sizeof text, "%sT%02d:%02d:%02dZ", fw_date_text(days, date), (int)(second / 3600), (int)(second / 60 % 60),
		(int)(second % 60));
	fw_json_key(out, key);
	fw_json_text_value(out, text);
}

void fw_put_value(struct fw_json_out *out, const struct fw_value *v)
{
	switch (v->kind) {
	case FW_KIND_TEXT: fw_json_string(out, v->text); return;
	case FW_KIND_NUMBER: fw_json_number(out, v->number); return;
	case FW_KIND_BOOL: fw_json_bool(out, v->boolean); return;
	default:
		fw_json_open_array(out);
		for (unsigned i = 0; i < v->n_items; i++)
			fw_put_value(out, &v->items[i]);
		fw_json_close_array(out);
	}
}

static void put_known(struct fw_json_out *out, const char *key, const struct fw_value *v)
{
	if (v->state != FW_KNOWN)
		return;
	fw_json_key(out, key);
	fw_put_value(out, v);
}

static void put_members(struct fw_json_out *out, const char *key, const struct fw_member *members, unsigned n)
{
	fw_json_key(out, key);
	fw_json_open_object(out);
	for (unsigned i = 0; i < n; i++) {
		fw_json_key_str(out, members[i].name);
		fw_put_value(out, &members[i].value);
	}
	fw_json_close_object(out);
}

const char *fw_id_prefix(enum fw_id_kind kind)
{
	static const char *const prefixes[FW_ID_KINDS] = { "anonymous:", "", "email:", "phone:", "external:" };
	return prefixes[kind];
}

static void put_ids(struct fw_json_out *out, const struct fw_record *r)
{
	fw_json_key(out, "ids");
	fw_json_open_array(out);
	for (uint32_t i = 0; i < r->ids.n; i++) {
		const char *kind = fw_id_prefix(r->ids.items[i].kind);
		char *text = fw_arena_printf(r->arena, "%s%.*s", kind, (int)r->ids.items[i].text.n, r->ids.items[i].text.p);
		fw_json_text_value(out, text);
	}
	fw_json_close_array(out);
}

static void put_cart(struct fw_json_out *out, const struct fw_facts *f, bool contains)
{
	static const char *const sets[] = { "category", "product", "brand" };
	fw_json_key(out, "cart");
	fw_json_open_object(out);
	put_known(out, "items", &f->single[FW_FACT_CART_ITEMS]);
	put_known(out, "total", &f->single[FW_FACT_CART_TOTAL]);
	put_known(out, "age", &f->single[FW_FACT_CART_AGE]);
	if (contains) {
		fw_json_key(out, "contains");
		fw_json_open_object(out);
		for (int i = 0; i < 3; i++)
			put_known(out, sets[i], &f->single[FW_FACT_CART_CATEGORY + i]);
		fw_json_close_object(out);
	}
}

struct share {
	struct fw_str text;
	double share;
};

static int compare_shares(const void *x, const void *y)
{
	const struct share *a = x, *b = y;
	return a->share > b->share ? -1 : a->share < b->share ? 1 : fw_str_compare(a->text, b->text);
}

/* The largest shares of interest, by category and by brand. */
static int put_affinities(struct fw_json_out *out, const struct fw_facts *f)
{
	enum { SHOWN = 10 };
	static const enum fw_key_kind kinds[] = { FW_KEY_CATEGORY, FW_KEY_BRAND };
	struct share *shares = fw_history_unpack(f->history) < 0 ? NULL
		: FW_NEW_ARRAY(f->arena, f->history->n_texts, struct share);
	if (!shares)
		return FW_ENOMEM;
	fw_json_key(out, "affinity");
	fw_json_open_array(out);
	for (int k = 0; k < 2; k++) {
		uint32_t n = 0;
		for (uint32_t text = 1; text <= f->history->n_texts; text++) {
			shares[n].text = fw_history_text(f->history, text, f->arena);
			shares[n].share = fw_history_share(f->history, kinds[k], text);
			if (!shares[n].text.p)
				return FW_EINVAL;
			n += shares[n].share > 0;
		}
		qsort(shares, n, sizeof *shares, compare_shares);
		for (uint32_t i = 0; i < n && i < SHOWN; i++) {
			fw_json_open_object(out);
			fw_json_key(out, fw_key_kind_name(kinds[k]));
			fw_json_string(out, shares[i].text);
			fw_json_key(out, "share");
			fw_json_number(out, shares[i].share);
			fw_json_close_object(out);
		}
	}
	fw_json_close_array(out);
	return 0;
}

/* Every fact that has a value now, in the shape that visitors are given in. */
static int put_facts(struct fw_json_out *out, const struct fw_facts *f)
{
	fw_json_key(out, "facts");
	fw_json_open_object(out);
	for (int i = 0; i < FW_FACT_SINGLE; i++) {
		const char *name = fw_fact_info((enum fw_fact)i)->name;
		if (!strchr(name, '.'))
			put_known(out, name, &f->single[i]);
	}
	put_cart(out, f, true);
	fw_json_close_object(out);
	if (f->n_engagement)
		put_members(out, "engagement", f->engagement, f->n_engagement);
	for (int i = FW_FACT_VIEWED; i <= FW_FACT_OPENED; i++) {
		const struct fw_query q = { .fact = (enum fw_fact)i };
		const struct fw_value v = fw_facts_ask(f, &q);
		fw_json_key(out, fw_fact_info((enum fw_fact)i)->name);
		fw_json_open_object(out);
		put_known(out, "total", &v);
		fw_json_close_object(out);
	}
	int ret = put_affinities(out, f);
	fw_json_close_object(out);
	return ret;
}

static void put_lines(struct fw_json_out *out, const struct fw_record *r)
{
	struct cart_now now;
	fw_cart_replay(&r->cart, &now);
	fw_json_key(out, "products");
	fw_json_open_array(out);
	for (uint32_t i = 0; i < now.n; i++) {
		fw_json_open_object(out);
		for (int k = FW_KEY_CATEGORY; k <= FW_KEY_BRAND; k++)
			if (now.lines[i].labels[k - 1]) {
				fw_json_key(out, fw_key_kind_name((enum fw_key_kind)k));
				fw_json_string(out, fw_record_text_of(r, now.lines[i].labels[k - 1]));
			}
		fw_json_key(out, "quantity");
		fw_json_number(out, (double)now.lines[i].quantity);
		if (now.lines[i].price >= 0) {
			fw_json_key(out, "price");
			fw_json_number(out, (double)now.lines[i].price / 1000);
		}
		fw_json_close_object(out);
	}
	fw_json_close_array(out);
	fw_json_close_object(out);
}

/* Newest first. */
static void put_orders(struct fw_json_out *out, const struct fw_record *r)
{
	fw_json_key(out, "orders");
	fw_json_open_array(out);
	for (uint32_t i = r->orders.n; i-- > 0; ) {
		const struct order *o = &r->orders.items[i];
		if (!(o->flags & ORDER_COMPLETED))
			continue;
		fw_json_open_object(out);
		fw_json_key(out, "id");
		fw_json_string(out, o->id);
		fw_put_time(out, "at", o->at_ms / 1000);
		if (o->revenue >= 0 && !(o->flags & ORDER_FOREIGN)) {
			fw_json_key(out, "revenue");
			fw_json_number(out, (double)o->revenue / 1000);
		}
		if (o->flags & ORDER_REFUNDED || o->refunded) {
			fw_json_key(out, "refunded");
			fw_json_number(out, (double)(o->flags & ORDER_REFUNDED && o->revenue >= 0 ? o->revenue : o->refunded) / 1000);
		}
		if (o->flags & ORDER_CANCELLED) {
			fw_json_key(out, "cancelled");
			fw_json_bool(out, true);
		}
		fw_json_close_object(out);
	}
	fw_json_close_array(out);
}

void fw_put_touch(struct fw_json_out *out, const char *key, const struct touch *t)
{
	if (t->at_ms == 0)
		return;
	fw_json_key(out, key);
	fw_json_open_object(out);
	fw_put_time(out, "at", t->at_ms / 1000);
	if (t->channel) {
		fw_json_key(out, "source");
		fw_json_text_value(out, fw_fact_info(FW_FACT_SOURCE)->values[t->channel - 1]);
	}
	if (t->medium.n) {
		fw_json_key(out, "medium");
		fw_json_string(out, t->medium);
	}
	if (t->campaign.n) {
		fw_json_key(out, "campaign");
		fw_json_string(out, t->campaign);
	}
	fw_json_close_object(out);
}

/* Which of the traits nobody has proven. */
static void put_claimed(struct fw_json_out *out, const struct fw_record *r)
{
	fw_json_key(out, "claimed");
	fw_json_open_array(out);
	for (uint32_t i = 0; i < r->traits.n; i++)
		if (r->traits.items[i].claimed)
			fw_json_string(out, r->traits.items[i].name);
	fw_json_close_array(out);
}

static void put_said(struct fw_json_out *out, enum fw_consent_state state, int64_t at_ms, struct fw_str source, struct fw_str text)
{
	static const char *const states[FW_CONSENT_STATES] = { "granted", "denied", "withdrawn" };
	fw_json_key(out, "state");
	fw_json_text_value(out, states[state]);
	fw_put_time(out, "at", at_ms / 1000);
	if (source.n) {
		fw_json_key(out, "source");
		fw_json_string(out, source);
	}
	if (text.n) {
		fw_json_key(out, "text");
		fw_json_string(out, text);
	}
}

/* How it came about that it holds: its last entry of that state. Told again since, it is as old as it was. */
static const struct consent_entry *find_entry(const struct fw_record *r, const struct consent *c)
{
	for (uint32_t i = r->consent_log.n; i-- > 0; ) {
		const struct consent_entry *e = &r->consent_log.items[i];
		if (fw_str_equal(e->what, c->what) && e->state == c->state && e->at_ms <= c->at_ms)
			return e;
	}
	return NULL;
}

static void put_consent(struct fw_json_out *out, const struct fw_record *r)
{
	fw_json_key(out, "consent");
	fw_json_open_object(out);
	for (uint32_t i = 0; i < r->consents.n; i++) {
		const struct consent *c = &r->consents.items[i];
		const struct consent_entry *e = find_entry(r, c), none = { 0 };
		e = e ? e : &none;
		fw_json_key_str(out, c->what);
		fw_json_open_object(out);
		put_said(out, c->state, e->at_ms ? e->at_ms : c->at_ms, e->source, e->text);
		fw_json_close_object(out);
	}
	fw_json_close_object(out);
	fw_json_key(out, "consentLog");
	fw_json_open_array(out);
	for (uint32_t i = r->consent_log.n; i-- > 0; ) {
		const struct consent_entry *e = &r->consent_log.items[i];
		fw_json_open_object(out);
		fw_json_key(out, "what");
		fw_json_string(out, e->what);
		put_said(out, e->state, e->at_ms, e->source, e->text);
		fw_json_close_object(out);
	}
	fw_json_close_array(out);
}

void fw_put_merges(struct fw_json_out *out, const struct fw_record *r)
{
	static const char *const kinds[FW_ID_KINDS] = { "anonymous", "user", "email", "phone", "external" };
	struct fw_merge m;
	fw_json_key(out, "merges");
	fw_json_open_array(out);
	for (unsigned i = 0; fw_record_merge_at(r, i, &m); i++) {
		fw_json_open_object(out);
		fw_json_key(out, "kind");
		fw_json_text_value(out, kinds[m.kind]);
		if (m.kind == FW_ID_ANONYMOUS || m.kind == FW_ID_USER) {
			fw_json_key(out, "id");
			fw_json_string(out, m.id);
		}
		fw_json_key(out, "number");
		fw_json_number(out, (double)m.number);
		fw_put_time(out, "at", m.at_us / 1000000);
		fw_put_time(out, "until", m.at_us / 1000000 + FW_LIMIT_MERGE_KEPT_S);
		fw_json_close_object(out);
	}
	fw_json_close_array(out);
}

int fw_profile_describe(struct fw_arena *a, struct fw_str bytes, int64_t now_us, struct fw_json_out *out, struct fw_error *err)
{
	struct fw_record *r;
	struct fw_facts f;
	int ret = fw_record_read(a, bytes, &r, err);
	if (ret < 0)
		return ret;
	fw_facts_init(&f, a, true);
	f.has_clock = true;
	f.now_us = now_us;
	ret = fw_profile_fill_shown(bytes, &f);
	if (ret < 0)
		return fw_fail(err, ret, NULL, 0, "the record cannot be read");
	fw_json_key(out, "id");
	fw_json_string(out, r->first_id);
	put_ids(out, r);
	fw_put_merges(out, r);
	fw_put_messages(out, r);
	fw_put_asks(out, r);
	if (r->restricted) {
		fw_json_key(out, "restricted");
		fw_json_bool(out, true);
	}
	if (r->last_ms) {
		fw_put_time(out, "firstSeen", r->first_s);
		fw_put_time(out, "lastSeen", r->last_ms / 1000);
	}
	fw_put_touch(out, "firstTouch", &r->first_touch);
	fw_put_touch(out, "lastTouch", &r->last_touch);
	put_consent(out, r);
	put_members(out, "traits", f.traits, f.n_traits);
	put_claimed(out, r);
	if (put_facts(out, &f) < 0)
		return fw_fail(err, FW_ENOMEM, NULL, 0, "no memory for the visitor");
	put_cart(out, &f, false);
	put_lines(out, r);
	put_orders(out, r);
	return 0;
}

int fw_profile_timeline(struct fw_arena *a, struct fw_str bytes, struct fw_json_out *out, struct fw_error *err)
{
	struct fw_record *r;
	int ret = fw_record_read(a, bytes, &r, err);
	if (ret < 0)
		return ret;
	fw_json_open_array(out);
	for (uint32_t i = r->recent.n; i-- > 0; ) {
		const struct recent *e = &r->recent.items[i];
		const char *known = fw_behaviour_name(e->known);
		fw_json_open_object(out);
		fw_put_time(out, "at", e->at_s);
		fw_json_key(out, "type");
		fw_json_text_value(out, fw_event_type_name((enum fw_event_type)e->type));
		if (known || e->name) {
			fw_json_key(out, "name");
			fw_json_string(out, known ? fw_str(known) : fw_record_text_of(r, e->name));
		}
		if (e->object) {
			fw_json_key(out, "object");
			fw_json_string(out, fw_record_text_of(r, e->object));
		}
		fw_json_close_object(out);
	}
	fw_json_close_array(out);
	return 0;
}
