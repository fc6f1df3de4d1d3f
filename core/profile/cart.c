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
	c->told_ms = kept_from_ms > c->told_ms ? kept_from_ms : c->told_ms;
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

void fw_cart_forget(struct fw_record *r, uint32_t most)
{
	while (r->cart.entries.n > most)
		FW_LIST_TAKE(r->cart.entries, 0);
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

/* By time, then by what they say. */
static int compare_entries(const struct merging *m, const struct cart_entry *a, const struct cart_entry *b)
{
	if (a->at_ms != b->at_ms)
		return a->at_ms < b->at_ms ? -1 : 1;
	for (int i = 0; i < FW_LABELS; i++)
		if (a->labels[i] != b->labels[i])
			return m->rank[a->labels[i]] < m->rank[b->labels[i]] ? -1 : 1;
	if (a->price != b->price)
		return a->price < b->price ? -1 : 1;
	return a->quantity < b->quantity ? -1 : a->quantity > b->quantity;
}

static bool is_told(const struct cart *c, uint32_t i)
{
	return i < c->entries.n && c->entries.items[i].at_ms == 0;
}

/* Which of two was told later; when that was at the same time, by what was told. */
static int compare_told(const struct merging *m, const struct cart *a, const struct cart *b)
{
	if (a->told_ms != b->told_ms)
		return a->told_ms < b->told_ms ? -1 : 1;
	if (a->began_ms != b->began_ms)
		return a->began_ms < b->began_ms ? -1 : 1;
	for (uint32_t i = 0; is_told(a, i) || is_told(b, i); i++) {
		int by_entry = !is_told(b, i) ? 1 : !is_told(a, i) ? -1 : compare_entries(m, &a->entries.items[i], &b->entries.items[i]);
		if (by_entry)
			return by_entry;
	}
	return 0;
}

/* Those that came after all of it was told, or (with at_ms of 0) were told then. */
static void add_entries(const struct merging *m, struct cart *c, const struct cart *more, bool told)
{
	for (uint32_t k = 0; k < more->entries.n; k++) {
		const struct cart_entry *e = &more->entries.items[k];
		uint32_t i = c->entries.n;
		if (e->at_ms ? e->at_ms <= c->told_ms : !told)
			continue;
		while (e->at_ms && i > 0 && compare_entries(m, &c->entries.items[i - 1], e) > 0)
			i--;
		FW_LIST_OPEN(c->entries, i);
		c->entries.items[i] = *e;
	}
}

/* The cart that was told last, and what either of them changed since. */
int fw_merge_cart(struct merging *m)
{
	struct fw_record *r = m->into;
	struct cart a = r->cart, b = m->from->cart, c;
	uint32_t n = a.entries.n + b.entries.n;
	b.entries.items = FW_NEW_ARRAY(r->arena, b.entries.n, struct cart_entry);
	c.entries.items = FW_NEW_ARRAY(r->arena, n, struct cart_entry);
	if (!b.entries.items || !c.entries.items)
		return FW_ENOMEM;
	for (uint32_t i = 0; i < b.entries.n; i++) {
		b.entries.items[i] = m->from->cart.entries.items[i];
		for (int k = 0; k < FW_LABELS; k++)
			b.entries.items[i].labels[k] = m->number[b.entries.items[i].labels[k]];
	}
	const struct cart *later = compare_told(m, &a, &b) < 0 ? &b : &a;
	c.told_ms = later->told_ms;
	c.began_ms = later->began_ms;
	c.entries.n = 0;
	c.entries.size = n;
	add_entries(m, &c, later, true);
	add_entries(m, &c, later == &a ? &b : &a, false);
	while (c.entries.n > FW_LIMIT_CART_ENTRIES)
		fold(&c);
	r->cart = c;
	return 0;
}
