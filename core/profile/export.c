/* All that a record holds, for whoever asks what is kept of him: what is shown of a person anyhow, and the rest as it stands. */
#include <stdio.h>

#include "fact/given.h"
#include "profile/layout.h"

static void put_ms(struct fw_json_out *out, const char *key, int64_t at_ms)
{
	if (at_ms)
		fw_put_time(out, key, at_ms / 1000);
}

static void put_count(struct fw_json_out *out, const char *key, double n)
{
	fw_json_key(out, key);
	fw_json_number(out, n);
}

static void put_flag(struct fw_json_out *out, const char *key, bool set)
{
	if (!set)
		return;
	fw_json_key(out, key);
	fw_json_bool(out, true);
}

static void put_labels(struct fw_json_out *out, const struct fw_record *r, const uint32_t labels[FW_LABELS])
{
	for (int k = FW_KEY_CATEGORY; k < FW_KEY_CATEGORY + FW_LABELS; k++)
		if (labels[k - 1]) {
			fw_json_key(out, fw_key_kind_name((enum fw_key_kind)k));
			fw_json_string(out, fw_record_text_of(r, labels[k - 1]));
		}
}

static void put_money(struct fw_json_out *out, const char *key, int64_t amount)
{
	if (amount >= 0)
		put_count(out, key, (double)amount / 1000);
}

/* Every trait with its time, those that were taken away and those that nobody has proven among them. */
static int put_traits(struct fw_json_out *out, const struct fw_record *r)
{
	fw_json_key(out, "traitsKept");
	fw_json_open_array(out);
	for (uint32_t i = 0; i < r->traits.n; i++) {
		const struct trait *t = &r->traits.items[i];
		struct fw_value v;
		int rc = fw_trait_unpack(t->packed, r->arena, &v);
		if (rc < 0)
			return rc;
		fw_json_open_object(out);
		fw_json_key(out, "name");
		fw_json_string(out, t->name);
		if (v.state == FW_KNOWN) {
			fw_json_key(out, "value");
			fw_put_value(out, &v);
		}
		put_ms(out, "at", t->at_ms);
		put_flag(out, "claimed", t->claimed);
		put_flag(out, "removed", v.state != FW_KNOWN);
		fw_json_close_object(out);
	}
	fw_json_close_array(out);
	return 0;
}

static void put_visits(struct fw_json_out *out, const struct fw_record *r)
{
	fw_json_key(out, "visits");
	fw_json_open_array(out);
	for (uint32_t i = r->sessions.n; i-- > 0; ) {
		const struct session *s = &r->sessions.items[i];
		fw_json_open_object(out);
		fw_put_time(out, "from", s->start_s);
		fw_put_time(out, "until", s->last_s);
		put_count(out, "pages", s->pages);
		fw_json_close_object(out);
	}
	fw_json_close_array(out);
	fw_put_touch(out, "visitTouch", &r->session_touch);
	fw_json_key(out, "before"); /* what is only counted */
	fw_json_open_object(out);
	put_count(out, "visits", (double)r->lifetime.visits);
	put_ms(out, "visitsSince", r->lifetime.visits_since_s * 1000);
	put_count(out, "orders", (double)r->lifetime.orders);
	put_count(out, "ordersWithAmount", (double)r->lifetime.priced);
	put_money(out, "revenue", r->lifetime.revenue);
	fw_json_close_object(out);
}

static void put_changes_of_cart(struct fw_json_out *out, const struct fw_record *r)
{
	fw_json_key(out, "cartChanges");
	fw_json_open_array(out);
	for (uint32_t i = 0; i < r->cart.entries.n; i++) {
		const struct cart_entry *e = &r->cart.entries.items[i];
		fw_json_open_object(out);
		put_ms(out, "at", e->at_ms ? e->at_ms : r->cart.told_ms);
		put_labels(out, r, e->labels);
		put_money(out, "price", e->price);
		put_count(out, "quantity", e->quantity);
		fw_json_close_object(out);
	}
	fw_json_close_array(out);
	put_ms(out, "cartSince", r->cart.began_ms);
}

static void put_all_orders(struct fw_json_out *out, const struct fw_record *r)
{
	fw_json_key(out, "ordersKept");
	fw_json_open_array(out);
	for (uint32_t i = r->orders.n; i-- > 0; ) {
		const struct order *o = &r->orders.items[i];
		fw_json_open_object(out);
		fw_json_key(out, "id");
		fw_json_string(out, o->id);
		put_ms(out, "at", o->at_ms);
		put_ms(out, "toldAt", o->told_ms);
		put_money(out, "revenue", o->revenue);
		if (o->refunded)
			put_money(out, "refunded", o->refunded);
		put_flag(out, "completed", o->flags & ORDER_COMPLETED);
		put_flag(out, "cancelled", o->flags & ORDER_CANCELLED);
		put_flag(out, "allRefunded", o->flags & ORDER_REFUNDED);
		put_flag(out, "otherCurrency", o->flags & ORDER_FOREIGN);
		fw_json_close_object(out);
	}
	fw_json_close_array(out);
}

/* What was done with a thing, and how often: in an hour, on a day, or before those that are kept apart. */
static void put_cells(struct fw_json_out *out, const struct fw_series *s)
{
	fw_json_key(out, "did");
	fw_json_open_array(out);
	for (uint32_t i = 0; i < s->n; i++) {
		const struct fw_cell *c = &s->cells[i];
		fw_json_open_object(out);
		fw_json_key(out, "what");
		fw_json_text_value(out, fw_fact_info((enum fw_fact)(FW_FACT_VIEWED + c->kind))->name);
		if (c->hour)
			fw_put_time(out, c->hourly ? "hour" : "day", (int64_t)c->hour * 3600);
		put_count(out, "times", c->count);
		fw_json_close_object(out);
	}
	fw_json_close_array(out);
}

static void put_counts(struct fw_json_out *out, const struct fw_record *r)
{
	fw_json_key(out, "counts");
	fw_json_open_array(out);
	for (uint32_t i = 0; i < r->series.n; i++) {
		fw_json_open_object(out);
		put_labels(out, r, r->series.items[i].labels);
		put_cells(out, &r->series.items[i]);
		fw_json_close_object(out);
	}
	fw_json_close_array(out);
}

/* Both halves decay with time, so they are no whole numbers. */
static void put_engagements(struct fw_json_out *out, const struct fw_record *r)
{
	fw_json_key(out, "engagements");
	fw_json_open_array(out);
	for (uint32_t i = 0; i < r->engagements.n; i++) {
		const struct engagement *e = &r->engagements.items[i];
		fw_json_open_object(out);
		fw_json_key(out, "channel");
		fw_json_string(out, e->channel);
		put_ms(out, "at", e->at_ms);
		put_count(out, "sent", e->sent);
		put_count(out, "engaged", e->engaged);
		fw_json_close_object(out);
	}
	fw_json_close_array(out);
}

/* A cap is kept by the hash of its name alone. */
static void put_caps(struct fw_json_out *out, const struct fw_record *r)
{
	char hash[20];
	fw_json_key(out, "caps");
	fw_json_open_array(out);
	for (uint32_t i = 0; i < r->caps.n; i++) {
		const struct cap *c = &r->caps.items[i];
		snprintf(hash, sizeof hash, "%016llx", (unsigned long long)c->cap);
		fw_json_open_object(out);
		fw_json_key(out, "hash");
		fw_json_text_value(out, hash);
		put_count(out, "limit", c->limit);
		put_count(out, "perSeconds", (double)c->per_s);
		fw_json_key(out, "shown");
		fw_json_open_array(out);
		for (uint32_t k = 0; k < c->uses.n; k++) {
			fw_json_open_object(out);
			put_ms(out, "at", c->uses.items[k].at_ms);
			put_flag(out, "unconfirmed", c->uses.items[k].rule != 0);
			fw_json_close_object(out);
		}
		fw_json_close_array(out);
		fw_json_close_object(out);
	}
	fw_json_close_array(out);
}

int fw_profile_merges(struct fw_arena *a, struct fw_str bytes, struct fw_json_out *out, struct fw_error *err)
{
	struct fw_record *r;
	int rc = fw_record_read(a, bytes, &r, err);
	if (rc == 0)
		fw_put_merges(out, r);
	return rc;
}

static int put_timelines(struct fw_arena *a, struct fw_str bytes, struct fw_str unverified, struct fw_json_out *out, struct fw_error *err)
{
	int rc = 0;
	if (bytes.n) {
		fw_json_key(out, "timeline");
		rc = fw_profile_timeline(a, bytes, out, err);
	}
	if (rc == 0 && unverified.n) {
		fw_json_key(out, "unverified");
		rc = fw_profile_timeline(a, unverified, out, err);
	}
	return rc;
}

int fw_profile_export(struct fw_arena *a, struct fw_str bytes, struct fw_str unverified, int64_t now_us, struct fw_json_out *out,
	struct fw_error *err)
{
	struct fw_record *r;
	int rc = bytes.n ? fw_profile_describe(a, bytes, now_us, out, err) : 0;
	if (rc == 0 && bytes.n)
		rc = fw_record_read(a, bytes, &r, err);
	if (rc == 0 && bytes.n) {
		put_visits(out, r);
		put_changes_of_cart(out, r);
		put_all_orders(out, r);
		put_counts(out, r);
		put_engagements(out, r);
		put_caps(out, r);
		put_count(out, "messagesRemembered", r->seen.n);
		put_count(out, "importsRemembered", r->imports.n);
		if (put_traits(out, r) < 0)
			return fw_fail(err, FW_ENOMEM, NULL, 0, "no memory for the export");
	}
	return rc < 0 ? rc : put_timelines(a, bytes, unverified, out, err);
}
