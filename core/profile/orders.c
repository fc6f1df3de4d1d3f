/* Orders: completed once each, and adjusted by what comes after, in whatever order it comes. */
#include "profile/own.h"

#include <math.h>
#include <stdlib.h>

static struct order *find_order(struct fw_record *r, struct fw_str id)
{
	for (uint32_t i = 0; i < r->orders.n; i++)
		if (fw_str_equal(r->orders.items[i].id, id))
			return &r->orders.items[i];
	return NULL;
}

static int64_t worth(const struct order *o)
{
	if (o->flags & (ORDER_CANCELLED | ORDER_REFUNDED) || o->revenue < 0 || o->refunded > o->revenue)
		return 0;
	return o->revenue - o->refunded;
}

static bool is_priced(const struct order *o)
{
	return !(o->flags & ORDER_FOREIGN) && o->revenue >= 0;
}

/* A cancelled order is none; one of which only a refund was heard is not yet one. */
static bool counts(const struct order *o)
{
	return (o->flags & (ORDER_COMPLETED | ORDER_CANCELLED)) == ORDER_COMPLETED;
}

void fw_order_add(const struct order *o, struct order_sums *sums)
{
	if (!counts(o))
		return;
	sums->orders++;
	sums->priced += is_priced(o);
	sums->revenue = fw_money_sum(sums->revenue, is_priced(o) ? worth(o) : 0);
	if (o->at_ms > sums->last_ms)
		sums->last_ms = o->at_ms;
}

void fw_orders_sum(const struct fw_record *r, struct order_sums *ret)
{
	*ret = (struct order_sums){ r->lifetime.orders, r->lifetime.priced, r->lifetime.revenue, 0 };
	for (uint32_t i = 0; i < r->orders.n; i++)
		fw_order_add(&r->orders.items[i], ret);
}

/* The oldest is only counted, if it may be. */
static void forget_oldest(struct fw_record *r, bool behaviour)
{
	const struct order *o = &r->orders.items[0];
	if (behaviour && counts(o)) {
		r->lifetime.orders++;
		r->lifetime.priced += is_priced(o);
		r->lifetime.revenue = fw_money_sum(r->lifetime.revenue, is_priced(o) ? worth(o) : 0);
	}
	FW_LIST_TAKE(r->orders, 0);
}

void fw_orders_forget(struct fw_record *r, uint32_t most)
{
	while (r->orders.n > most)
		forget_oldest(r, !fw_consent_refuses(r));
}

/* Moves an order to where its time belongs. */
static struct order *put_in_order(struct fw_record *r, struct order *o)
{
	struct order moved = *o;
	uint32_t i = (uint32_t)(o - r->orders.items);
	FW_LIST_TAKE(r->orders, i);
	for (i = r->orders.n; i > 0 && r->orders.items[i - 1].at_ms > moved.at_ms; )
		i--;
	FW_LIST_OPEN(r->orders, i);
	r->orders.items[i] = moved;
	return &r->orders.items[i];
}

static struct order *add_order(struct fw_record *r, const struct happening *h, struct fw_str id)
{
	while (r->orders.n >= FW_LIMIT_ORDERS)
		forget_oldest(r, h->behaviour);
	char *copy = FW_LIST_ROOM(r, r->orders) ? fw_arena_strndup(r->arena, id.n ? id.p : "", id.n) : NULL;
	if (!copy)
		return NULL;
	struct order *o = &r->orders.items[r->orders.n++];
	*o = (struct order){ .id = { copy, id.n }, .at_ms = h->at_ms, .revenue = -1 };
	return put_in_order(r, o);
}

/* What it brings in: without shipping and tax if that is told, else all, else what the products come to. */
static int64_t read_revenue(const struct happening *h)
{
	static const char *const members[] = { "revenue", "total", "subtotal", "value" };
	const struct fw_json *p = h->e->properties, *products = fw_json_get(p, "products");
	int64_t sum = -1;
	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		if ((sum = fw_read_amount(fw_json_get(p, members[i]))) >= 0)
			return sum;
	for (const struct fw_json *e = products && products->type == FW_JSON_ARRAY ? products->child : NULL; e; e = e->next) {
		double quantity;
		int64_t price = fw_read_amount(fw_json_get(e, "price"));
		if (!fw_event_number(fw_json_get(e, "quantity"), &quantity) || !(quantity >= 0 && quantity <= 1e6))
			quantity = 1;
		if (price >= 0)
			sum = fw_money_sum(sum < 0 ? 0 : sum, fw_money_times(price, (int64_t)ceil(quantity)));
	}
	return sum;
}

static void tell_worth(struct order *o, const struct happening *h)
{
	if (h->at_ms < o->told_ms)
		return;
	o->told_ms = h->at_ms;
	o->revenue = read_revenue(h);
	o->flags = (o->flags & ~(uint32_t)ORDER_FOREIGN) | (fw_is_foreign(h) ? ORDER_FOREIGN : 0);
}

static void refund(struct order *o, const struct happening *h)
{
	int64_t amount = fw_read_amount(fw_json_get(h->e->properties, "total"));
	if (amount < 0)
		amount = fw_read_amount(fw_json_get(h->e->properties, "revenue"));
	if (amount < 0)
		o->flags |= ORDER_REFUNDED; /* all of it */
	else
		o->refunded = fw_money_sum(o->refunded, amount);
}

int fw_apply_order(struct fw_record *r, const struct happening *h, bool *ret_counted)
{
	char number[32];
	const struct fw_json *v = fw_json_get(h->e->properties, "order_id");
	if (!v)
		v = fw_json_get(h->e->properties, "orderId");
	struct fw_str id = v && v->type == FW_JSON_STRING ? v->string : (struct fw_str){ 0 };
	*ret_counted = h->b->order == FW_ORDER_COMPLETE;
	if (v && v->type == FW_JSON_NUMBER)
		id = (struct fw_str){ number, fw_number_text(v->number, number) };
	if (id.n > FW_LIMIT_EVENT_ID_BYTES)
		id.n = FW_LIMIT_EVENT_ID_BYTES;
	struct order *o = id.n ? find_order(r, id) : NULL;
	if (!o && id.n == 0 && h->b->order != FW_ORDER_COMPLETE)
		return 0; /* nobody knows of which */
	if (!o && !(o = add_order(r, h, id)))
		return FW_ENOMEM;
	switch (h->b->order) {
	case FW_ORDER_COMPLETE:
		*ret_counted = !(o->flags & ORDER_COMPLETED);
		if (!*ret_counted)
			return 0;
		o->flags |= ORDER_COMPLETED;
		o->at_ms = h->at_ms;
		tell_worth(o, h);
		put_in_order(r, o);
		return 0;
	case FW_ORDER_UPDATE: tell_worth(o, h); return 0;
	case FW_ORDER_REFUND: refund(o, h); return 0;
	default: o->flags |= ORDER_CANCELLED; return 0;
	}
}

static int by_time(const void *x, const void *y)
{
	const struct order *a = x, *b = y;
	if (a->at_ms != b->at_ms)
		return a->at_ms < b->at_ms ? -1 : 1;
	int by_id = fw_str_compare(a->id, b->id);
	if (by_id)
		return by_id;
	if (a->told_ms != b->told_ms)
		return a->told_ms < b->told_ms ? -1 : 1;
	if (a->revenue != b->revenue)
		return a->revenue < b->revenue ? -1 : 1;
	if (a->refunded != b->refunded)
		return a->refunded < b->refunded ? -1 : 1;
	return a->flags < b->flags ? -1 : a->flags > b->flags;
}

/* What two people's records say of one order. */
static void join_order(struct order *o, const struct order *other)
{
	enum { TOLD = ORDER_FOREIGN };
	bool completed = o->flags & ORDER_COMPLETED, other_completed = other->flags & ORDER_COMPLETED;
	if (completed == other_completed ? other->at_ms < o->at_ms : other_completed)
		o->at_ms = other->at_ms;
	bool later = other->told_ms != o->told_ms ? other->told_ms > o->told_ms :
		other->revenue != o->revenue ? other->revenue > o->revenue : (other->flags & TOLD) > (o->flags & TOLD);
	if (later) {
		o->told_ms = other->told_ms;
		o->revenue = other->revenue;
		o->flags = (o->flags & ~(uint32_t)TOLD) | (other->flags & TOLD);
	}
	o->flags |= other->flags & ~(uint32_t)TOLD;
	o->refunded = fw_money_sum(o->refunded, other->refunded);
}

int fw_merge_orders(struct merging *m)
{
	struct fw_record *r = m->into;
	struct lifetime *l = &r->lifetime;
	l->orders += m->from->lifetime.orders;
	l->priced += m->from->lifetime.priced;
	l->revenue = fw_money_sum(l->revenue, m->from->lifetime.revenue);
	for (uint32_t i = 0; i < m->from->orders.n; i++) {
		struct order o = m->from->orders.items[i], *found = o.id.n ? find_order(r, o.id) : NULL;
		if (found) {
			join_order(found, &o);
			continue;
		}
		if (!fw_record_own(r, &o.id) || !FW_LIST_ROOM(r, r->orders))
			return FW_ENOMEM;
		r->orders.items[r->orders.n++] = o;
	}
	if (r->orders.n)
		qsort(r->orders.items, r->orders.n, sizeof *r->orders.items, by_time);
	while (r->orders.n > FW_LIMIT_ORDERS)
		forget_oldest(r, true);
	return 0;
}
