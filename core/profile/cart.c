/* The cart, from its events. Cart Viewed tells all that is in it, an order or Cart Emptied that nothing is; what was added
 * and removed since is kept with its time and played back, so that late events find their place. */
#include "profile/own.h"

#include <math.h>

enum { MOST_QUANTITY = 1000000000 }; /* of one line */

int64_t fw_read_amount(const struct fw_json *v)
{
	double x;
	if (!fw_event_number(v, &x) || !(x >= 0 && x <= 1e12))
		return -1;
	return llround(x * 1000);
}

/* A whole number; fractions of things are one thing. */
static int32_t read_quantity(const struct fw_json *v, bool *ret_told)
{
	double x;
	*ret_told = fw_event_number(v, &x) && x >= 0 && x <= 1e6;
	return *ret_told ? (int32_t)ceil(x) : 1;
}

/* A member that is text, or a number as text (product ids often are). */
static struct fw_str read_label(const struct fw_json *object, const char *member, char buf[32])
{
	const struct fw_json *v = fw_json_get(object, member);
	if (v && v->type == FW_JSON_NUMBER)
		return (struct fw_str){ buf, fw_number_text(v->number, buf) };
	return v && v->type == FW_JSON_STRING ? v->string : (struct fw_str){ 0 };
}

void fw_read_product(struct fw_record *r, const struct fw_json *p, bool foreign, struct product *ret)
{
	static const char *const ids[] = { "product_id", "productId", "sku", "id" };
	char buf[32];
	struct fw_str id = { 0 };
	*ret = (struct product){ .price = foreign ? -1 : fw_read_amount(fw_json_get(p, "price")) };
	ret->quantity = read_quantity(fw_json_get(p, "quantity"), &ret->has_quantity);
	ret->labels[FW_KEY_CATEGORY - 1] = fw_record_text_folded(r, read_label(p, "category", buf));
	ret->labels[FW_KEY_BRAND - 1] = fw_record_text_folded(r, read_label(p, "brand", buf));
	for (size_t i = 0; i < sizeof ids / sizeof *ids && id.n == 0; i++)
		id = read_label(p, ids[i], buf);
	ret->labels[FW_KEY_PRODUCT - 1] = fw_record_text_folded(r, id);
}

bool fw_is_foreign(const struct happening *h)
{
	struct fw_str currency = fw_json_text(h->e->properties, "currency");
	return currency.n && h->o->currency && !fw_str_equal_fold(currency, fw_str(h->o->currency));
}

static bool same_thing(const struct cart_line *line, const struct cart_entry *e)
{
	if (line->labels[FW_KEY_PRODUCT - 1] || e->labels[FW_KEY_PRODUCT - 1])
		return line->labels[FW_KEY_PRODUCT - 1] == e->labels[FW_KEY_PRODUCT - 1];
	return memcmp(line->labels, e->labels, sizeof line->labels) == 0;
}

static void change_line(struct cart_now *now, const struct cart_entry *e)
{
	struct cart_line *line = NULL;
	for (uint32_t i = 0; i < now->n && !line; i++)
		if (same_thing(&now->lines[i], e))
			line = &now->lines[i];
	if (!line) {
		if (e->quantity <= 0 || now->n == FW_LIMIT_CART_ENTRIES)
			return;
		line = &now->lines[now->n++];
		*line = (struct cart_line){ .price = -1 };
		memcpy(line->labels, e->labels, sizeof line->labels);
	}
	if (e->price >= 0)
		line->price = e->price;
	int64_t before = line->quantity, after = e->quantity == 0 ? 0 : before + e->quantity;
	line->quantity = after < 0 ? 0 : after > MOST_QUANTITY ? MOST_QUANTITY : after;
	now->items += line->quantity - before;
	if (line->quantity == 0)
		*line = now->lines[--now->n];
}

void fw_cart_replay(const struct cart *c, struct cart_now *ret)
{
	ret->n = 0;
	ret->items = ret->total = 0;
	ret->since_ms = c->began_ms;
	for (uint32_t i = 0; i < c->entries.n; i++) {
		const struct cart_entry *e = &c->entries.items[i];
		bool was_empty = ret->items == 0;
		change_line(ret, e);
		if (ret->items == 0)
			ret->since_ms = 0;
		else if (was_empty && e->at_ms)
			ret->since_ms = e->at_ms;
	}
	for (uint32_t i = 0; i < ret->n; i++)
		if (ret->lines[i].price > 0)
			ret->total = fw_money_sum(ret->total, fw_money_times(ret->lines[i].price, ret->lines[i].quantity));
}

/* What is older than all of it that is kept becomes what was told. */
static void fold(struct cart *c)
{
	struct cart_now now;
	int64_t kept_from_ms = c->entries.items[c->entries.n / 2].at_ms;
	uint32_t old = 0;
	while (old < c->entries.n && c->entries.items[old].at_ms <= kept_from_ms)
		old++;
	struct cart first = { .told_ms = c->told_ms, .began_ms = c->began_ms };
	first.entries.items = c->entries.items;
	first.entries.n = old;
	fw_cart_replay(&first, &now);
	uint32_t rest = c->entries.n - old, kept = now.n + rest < FW_LIMIT_CART_ENTRIES ? now.n : FW_LIMIT_CART_ENTRIES - 1 - rest;
	memmove(c->entries.items + kept, c->entries.items + old, rest * sizeof *c->entries.items);
	for (uint32_t i = 0; i < kept; i++) {
		const struct cart_line *line = &now.lines[i];
		c->entries.items[i] = (struct cart_entry){ .price = line->price, .quantity = (int32_t)line->quantity };
		memcpy(c->entries.items[i].labels, line->labels, sizeof line->labels);
	}
	c->entries.n = kept + rest;
	c->told_ms = kept_from_ms;
	c->began_ms = now.since_ms;
}

static int put_entry(struct fw_record *r, const struct cart_entry *e)
{
	struct cart *c = &r->cart;
	if (c->entries.n >= FW_LIMIT_CART_ENTRIES)
		fold(c);
	if (e->at_ms && e->at_ms <= c->told_ms)
		return 0;
	if (c->entries.n >= FW_LIMIT_CART_ENTRIES || !FW_LIST_ROOM(r, c->entries))
		return c->entries.n >= FW_LIMIT_CART_ENTRIES ? 0 : FW_ENOMEM;
	uint32_t i = c->entries.n;
	while (i > 0 && c->entries.items[i - 1].at_ms > e->at_ms)
		i--;
	FW_LIST_OPEN(c->entries, i);
	c->entries.items[i] = *e;
	return 0;
}

static int change(struct fw_record *r, const struct happening *h, bool removed)
{
	struct product p;
	fw_read_product(r, h->e->properties, fw_is_foreign(h), &p);
	struct cart_entry e = { .at_ms = h->at_ms, .price = p.price, .quantity = p.quantity };
	memcpy(e.labels, p.labels, sizeof e.labels);
	if (removed)
		e.quantity = p.has_quantity ? -p.quantity : 0;
	else if (e.quantity == 0)
		return 0;
	return put_entry(r, &e);
}

/* All of it as of this moment; later changes stay. */
static int tell(struct fw_record *r, const struct happening *h, const struct fw_json *products)
{
	struct cart *c = &r->cart;
	struct cart_now before;
	uint32_t old = 0;
	if (h->at_ms <= c->told_ms)
		return 0;
	while (old < c->entries.n && c->entries.items[old].at_ms <= h->at_ms)
		old++;
	struct cart first = { .began_ms = c->began_ms };
	first.entries.items = c->entries.items;
	first.entries.n = old;
	fw_cart_replay(&first, &before);
	if (old)
		memmove(c->entries.items, c->entries.items + old, (c->entries.n - old) * sizeof *c->entries.items);
	c->entries.n -= old;
	c->told_ms = h->at_ms;
	c->began_ms = before.since_ms ? before.since_ms : h->at_ms;
	bool any = false;
	for (const struct fw_json *p = products ? products->child : NULL; p && c->entries.n + 1 < FW_LIMIT_CART_ENTRIES; p = p->next) {
		struct product product;
		if (p->type != FW_JSON_OBJECT)
			continue;
		fw_read_product(r, p, fw_is_foreign(h), &product);
		struct cart_entry e = { .price = product.price, .quantity = product.quantity };
		memcpy(e.labels, product.labels, sizeof e.labels);
		if (e.quantity && put_entry(r, &e) < 0)
			return FW_ENOMEM;
		any |= e.quantity != 0;
	}
	if (!any)
		c->began_ms = 0;
	return 0;
}

int fw_apply_cart(struct fw_record *r, const struct happening *h)
{
	const struct fw_json *products = fw_json_get(h->e->properties, "products");
	if (products && products->type != FW_JSON_ARRAY)
		products = NULL;
	switch (h->b->cart) {
	case FW_CART_ADD: return change(r, h, false);
	case FW_CART_REMOVE: return change(r, h, true);
	case FW_CART_IS: return products ? tell(r, h, products) : 0;
	case FW_CART_EMPTY: return tell(r, h, NULL);
	default: return 0;
	}
}
