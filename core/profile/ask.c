#include "profile/ask.h"

#include "profile/own.h"

enum { US_PER_MS = 1000 };

static uint32_t place_of(const struct fw_record *r, struct fw_str product)
{
	uint32_t i = 0;
	while (i < r->asks.n && fw_str_compare(r->asks.items[i].product, product) < 0)
		i++;
	return i;
}

static bool is_at(const struct fw_record *r, uint32_t i, struct fw_str product)
{
	return i < r->asks.n && fw_str_equal(r->asks.items[i].product, product);
}

bool fw_record_ask(const struct fw_record *r, unsigned i, struct fw_ask *ret)
{
	if (i >= r->asks.n)
		return false;
	*ret = r->asks.items[i];
	return true;
}

bool fw_record_was_asked(const struct fw_record *r, unsigned i, struct fw_ask *ret)
{
	if (i >= r->was_asked.n)
		return false;
	*ret = r->was_asked.items[i];
	return true;
}

bool fw_record_find_ask(const struct fw_record *r, struct fw_str product, struct fw_ask *ret)
{
	uint32_t i = place_of(r, product);
	if (is_at(r, i, product))
		*ret = r->asks.items[i];
	return is_at(r, i, product);
}

/* A total order: so either way of merging keeps the same one. */
static bool is_earlier(const struct fw_ask *a, const struct fw_ask *b)
{
	if (a->at_us != b->at_us)
		return a->at_us < b->at_us;
	int order = fw_str_compare(a->product, b->product);
	return (order ? order : fw_str_compare(a->place, b->place)) < 0;
}

void fw_asks_bound(struct fw_record *r, uint32_t most)
{
	while (r->asks.n > most) {
		uint32_t oldest = 0;
		for (uint32_t i = 1; i < r->asks.n; i++)
			if (is_earlier(&r->asks.items[i], &r->asks.items[oldest]))
				oldest = i;
		FW_LIST_TAKE(r->asks, oldest);
	}
}

/* In the place of the one of its product, or as a new one. */
static int set(struct fw_record *r, struct fw_ask ask)
{
	uint32_t i = place_of(r, ask.product);
	if (!fw_record_own(r, &ask.product) || !fw_record_own(r, &ask.place))
		return FW_ENOMEM;
	if (!is_at(r, i, ask.product)) {
		if (!FW_LIST_ROOM(r, r->asks))
			return FW_ENOMEM;
		FW_LIST_OPEN(r->asks, i);
	}
	r->asks.items[i] = ask;
	return 0;
}

int fw_record_put_ask(struct fw_record *r, const struct fw_ask *ask)
{
	struct fw_ask own, new = *ask;
	new.at_us -= new.at_us % US_PER_MS;
	if (fw_record_find_ask(r, ask->product, &own) && !is_earlier(&new, &own))
		return 0;
	int rc = set(r, new);
	fw_asks_bound(r, FW_LIMIT_ASKS);
	return rc;
}

bool fw_record_drop_ask(struct fw_record *r, struct fw_str product)
{
	uint32_t i = place_of(r, product);
	if (!is_at(r, i, product))
		return false;
	FW_LIST_TAKE(r->asks, i);
	return true;
}

bool fw_record_drop_asks(struct fw_record *r, int64_t before_us)
{
	uint32_t n = r->asks.n;
	for (uint32_t i = n; i-- > 0; )
		if (r->asks.items[i].at_us < before_us)
			FW_LIST_TAKE(r->asks, i);
	return r->asks.n < n;
}

int fw_apply_ask(struct fw_record *r, const struct happening *h, struct fw_str *ret_asked)
{
	struct product p;
	fw_read_product(r, h->e->properties, true, &p);
	struct fw_ask ask = { .product = fw_record_text_of(r, p.labels[FW_KEY_PRODUCT - 1]), .at_us = h->at_ms * US_PER_MS };
	if (ask.product.n == 0)
		return 0;
	if (h->b->ask == FW_ASK_DROP) {
		fw_record_drop_ask(r, ask.product);
		return 0;
	}
	*ret_asked = ask.product;
	return fw_record_put_ask(r, &ask);
}

int fw_merge_asks(struct merging *m)
{
	for (uint32_t i = 0; i < m->from->asks.n; i++) {
		const struct fw_ask *other = &m->from->asks.items[i];
		struct fw_ask own;
		if (fw_record_find_ask(m->into, other->product, &own) && !is_earlier(other, &own))
			continue;
		if (set(m->into, *other) < 0)
			return FW_ENOMEM;
	}
	fw_asks_bound(m->into, FW_LIMIT_ASKS);
	return 0;
}

static bool has_same(const struct fw_record *r, const struct fw_ask *ask)
{
	struct fw_ask own;
	return fw_record_find_ask(r, ask->product, &own) && own.at_us == ask->at_us;
}

/* What both were told of since, or do not want to be told of any more. */
static void take_told(struct fw_record *r, const struct fw_record *now, const struct fw_record *merged)
{
	for (uint32_t i = r->asks.n; i-- > 0; ) {
		struct fw_ask was;
		if (fw_record_find_ask(merged, r->asks.items[i].product, &was) && !has_same(now, &was))
			FW_LIST_TAKE(r->asks, i);
	}
}

int fw_split_asks(struct fw_record *r, const struct fw_record *now, const struct fw_record *merged)
{
	take_told(r, now, merged);
	for (uint32_t i = 0; i < now->asks.n; i++)
		if (!has_same(merged, &now->asks.items[i]) && set(r, now->asks.items[i]) < 0)
			return FW_ENOMEM;
	fw_asks_bound(r, FW_LIMIT_ASKS);
	return 0;
}

void fw_split_absorbed_asks(struct fw_record *absorbed, const struct fw_record *now, const struct fw_record *merged)
{
	take_told(absorbed, now, merged);
}

void fw_asks_put(const struct fw_record *r, struct fw_buf *out)
{
	for (uint32_t i = 0; i < r->asks.n; i++) {
		const struct fw_ask *a = &r->asks.items[i];
		fw_pack_text(out, a->product);
		fw_pack_signed(out, r->last_ms - a->at_us / US_PER_MS);
		fw_pack_bytes(out, a->place);
	}
}

static bool get_ask(struct fw_record *r, struct fw_unpack *u)
{
	int64_t most = INT64_C(1) << 53;
	struct fw_ask a = { .product = fw_unpack_text(u, r->arena) };
	int64_t back = fw_unpack_signed(u);
	a.place = fw_unpack_bytes(u);
	bool follows = r->asks.n == 0 || fw_str_compare(r->asks.items[r->asks.n - 1].product, a.product) < 0;
	if (u->failed || back < -most || back > most || r->last_ms - back < 0 || r->last_ms - back > most)
		return false;
	a.at_us = (r->last_ms - back) * US_PER_MS;
	if (!follows || a.product.n == 0 || a.product.n > FW_LIMIT_KEY_BYTES || a.place.n > FW_LIMIT_ASK_PLACE_BYTES ||
			r->asks.n >= FW_LIMIT_ASKS || !fw_record_own(r, &a.place) || !FW_LIST_ROOM(r, r->asks))
		return false;
	r->asks.items[r->asks.n++] = a;
	return true;
}

bool fw_asks_get(struct fw_record *r, struct fw_unpack *u)
{
	while (u->p < u->end && !u->failed)
		if (!get_ask(r, u))
			return false;
	for (uint32_t i = 0; i < r->asks.n; i++) {
		if (!FW_LIST_ROOM(r, r->was_asked))
			return false;
		r->was_asked.items[r->was_asked.n++] = r->asks.items[i];
	}
	return !u->failed;
}

void fw_asks_forget_places(struct fw_record *r)
{
	for (uint32_t i = 0; i < r->asks.n; i++)
		r->asks.items[i].place.n = 0;
}

void fw_put_asks(struct fw_json_out *out, const struct fw_record *r)
{
	fw_json_key(out, "askedFor");
	fw_json_open_array(out);
	for (uint32_t i = 0; i < r->asks.n; i++) {
		fw_json_open_object(out);
		fw_json_key(out, "product");
		fw_json_string(out, r->asks.items[i].product);
		fw_put_time(out, "at", r->asks.items[i].at_us / 1000000);
		fw_json_close_object(out);
	}
	fw_json_close_array(out);
}
