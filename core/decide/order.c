#include "decide/order.h"

#include <math.h>
#include <string.h>

#include "base/map.h"

/* What a visitor is interested in, asked once. */
struct shares {
	struct fw_map labels;
	struct fw_value *values;
	uint32_t n, size;
};

/* A list while it is put in order. */
struct ranking {
	struct fw_eval *e;
	const struct fw_order *order;
	struct fw_standing *standings;  /* by item, then in order */
	const struct fw_value **values; /* of each item that is left all attributes */
	uint32_t *left, *spare, n_left; /* items that are not sold out */
	struct shares *shares;
	struct fw_ordered *ret;
};

static int grow(struct shares *s, struct fw_arena *a)
{
	uint32_t size = s->size ? s->size * 2 : 16;
	struct fw_value *more = FW_NEW_ARRAY(a, size, struct fw_value);
	if (!more)
		return FW_ENOMEM;
	if (s->n)
		memcpy(more, s->values, s->n * sizeof *more);
	s->values = more;
	s->size = size;
	return 0;
}

static struct fw_value ask(struct ranking *r, enum fw_fact fact, enum fw_key_kind kind, struct fw_str key)
{
	const struct fw_query q = { .fact = fact, .key_kind = kind, .key = key };
	return fw_facts_ask(r->e->facts, &q);
}

/* The visitor's interest in one category, brand or product. */
static int share_of(struct ranking *r, enum fw_key_kind kind, struct fw_str label, struct fw_value *ret)
{
	struct shares *s = r->shares;
	char text[256];
	const struct fw_str key = { text, label.n + 1 };
	if (key.n > sizeof text) {
		*ret = ask(r, FW_FACT_AFFINITY, kind, label);
		return 0;
	}
	text[0] = (char)('0' + kind);
	memcpy(text + 1, label.p, label.n);
	uint32_t found = fw_map_get(&s->labels, key);
	if (found == FW_MAP_NONE) {
		if (s->n == s->size && grow(s, r->e->arena) < 0)
			return FW_ENOMEM;
		if (fw_map_put(&s->labels, key, s->n) < 0)
			return FW_ENOMEM;
		s->values[found = s->n++] = ask(r, FW_FACT_AFFINITY, kind, label);
	}
	*ret = s->values[found];
	return 0;
}

/* Of several categories the one that the visitor likes best. */
static int best_share(struct ranking *r, enum fw_key_kind kind, const struct fw_value *labels, struct fw_value *ret)
{
	bool set = labels->kind == FW_KIND_SET;
	unsigned n = labels->state != FW_KNOWN ? 0 : set ? labels->n_items : 1;
	*ret = (struct fw_value){ .state = FW_ABSENT };
	for (unsigned i = 0; i < n; i++) {
		const struct fw_value *label = set ? &labels->items[i] : labels;
		struct fw_value v;
		if (label->kind != FW_KIND_TEXT)
			continue;
		if (share_of(r, kind, label->folded, &v) < 0)
			return FW_ENOMEM;
		if (ret->state != FW_KNOWN || (v.state == FW_KNOWN && v.number > ret->number))
			*ret = v;
	}
	return 0;
}

/* What is known of an item, of those attributes that it does not say itself: of a product by the catalogue, of the visitor by what he did.
 * The attribute that says its category or brand was looked at before. */
static int find_out(struct ranking *r, uint32_t item, uint32_t attribute, struct fw_value *ret)
{
	const struct fw_order *o = r->order;
	const struct fw_attribute *a = &o->attributes[attribute];
	struct fw_str key = o->items[item].key;
	*ret = (struct fw_value){ .state = FW_ABSENT };
	if (a->source != FW_NONE)
		return best_share(r, a->key, r->values[item * o->n_attributes + a->source], ret);
	if (!key.n)
		return 0;
	if (a->kind == FW_ATTRIBUTE_SHARE)
		return share_of(r, a->key, key, ret);
	*ret = ask(r, a->fact, FW_KEY_PRODUCT, key);
	return 0;
}

static int find_all(struct ranking *r)
{
	const struct fw_order *o = r->order;
	r->values = FW_NEW_ARRAY(r->e->arena, (size_t)o->n_attributes * o->n, const struct fw_value *);
	if (!r->values)
		return FW_ENOMEM;
	for (uint32_t i = 0; i < r->n_left; i++)
		for (uint32_t k = 0; k < o->n_attributes; k++) {
			const struct fw_value *written = &o->values[r->left[i] * o->n_attributes + k];
			bool says = o->attributes[k].kind == FW_ATTRIBUTE_OWN ||
				(o->attributes[k].kind == FW_ATTRIBUTE_PRODUCT && written->state == FW_KNOWN);
			struct fw_value *found = says ? NULL : FW_NEW(r->e->arena, struct fw_value);
			if (!says && (!found || find_out(r, r->left[i], k, found) < 0))
				return FW_ENOMEM;
			r->values[r->left[i] * o->n_attributes + k] = says ? written : found;
		}
	return 0;
}

/* The number that an item is put in order by; NaN: it has none. */
static double number_of(struct ranking *r, uint32_t item, uint32_t attribute)
{
	const struct fw_attribute *a = &r->order->attributes[attribute];
	const struct fw_value *v = r->values[item * r->order->n_attributes + attribute];
	if (v->state != FW_KNOWN || (v->kind != FW_KIND_BOOL && v->kind != FW_KIND_NUMBER))
		return NAN;
	if (v->kind == FW_KIND_BOOL)
		return v->boolean;
	return a->kind == FW_ATTRIBUTE_COUNT ? v->number > 0 : v->number;
}

/* What a part adds to each item: numbers of items from the lowest to the highest, of visitors as they are. */
static void add_part(struct ranking *r, uint32_t key, const struct fw_order_part *part, double *adds, uint32_t stride)
{
	bool of_visitor = fw_attribute_is_of_visitor(&r->order->attributes[part->attribute]);
	bool turned = (part->weight < 0) != part->low_first;
	double low = INFINITY, high = -INFINITY;
	for (uint32_t i = 0; i < r->n_left; i++) {
		double *x = &adds[r->left[i] * stride];
		*x = number_of(r, r->left[i], part->attribute);
		low = isnan(*x) || *x > low ? low : *x;
		high = isnan(*x) || *x < high ? high : *x;
	}
	low = of_visitor ? 0 : low / 2; /* halves, as the whole may be more than a number can be */
	high = of_visitor ? 0.5 : high / 2;
	for (uint32_t i = 0; i < r->n_left; i++) {
		struct fw_standing *s = &r->standings[r->left[i]];
		double *x = &adds[r->left[i] * stride];
		if (isnan(*x)) {
			s->lacking[key] += !of_visitor; /* who is not known to like it likes it as little as who does not */
			continue;
		}
		double share = turned ? high - *x / 2 : *x / 2 - low;
		share = high > low ? share / (high - low) : 1;
		*x = fabs(part->weight) * share;
		s->scores[key] += *x;
	}
}

static int add_keys(struct ranking *r)
{
	const struct fw_order *o = r->order;
	uint32_t stride = 0;
	for (uint32_t k = 0; k < o->n_keys; k++)
		stride += o->keys[k].n;
	double *adds = FW_NEW_ARRAY(r->e->arena, (size_t)stride * o->n, double);
	if (!adds)
		return FW_ENOMEM;
	for (uint32_t i = 0; i < o->n; i++)
		r->standings[i].parts = adds + i * stride;
	for (uint32_t k = 0; k < o->n_keys; k++)
		for (uint32_t p = 0; p < o->keys[k].n; p++)
			add_part(r, k, &o->keys[k].parts[p], adds++, stride);
	return 0;
}

static bool fits(struct ranking *r, uint32_t item, const struct fw_order_boost *b)
{
	for (uint32_t i = 0; i < b->n_where; i++) {
		const struct fw_order_test *t = &b->where[i];
		const struct fw_attribute *a = &r->order->attributes[t->attribute];
		const struct fw_literal *l = &r->e->set->literals[t->literal];
		struct fw_value v = *r->values[item * r->order->n_attributes + t->attribute];
		if (a->kind == FW_ATTRIBUTE_COUNT && l->as == FW_AS_BOOL && v.state == FW_KNOWN) {
			v.kind = FW_KIND_BOOL;
			v.boolean = v.number > 0;
		}
		if (fw_literal_test(l, &v) != FW_TRUE)
			return false;
	}
	return true;
}

/* False: a function failed. */
static bool add_boosts(struct ranking *r)
{
	for (uint32_t k = 0; k < r->order->n_boosts; k++) {
		const struct fw_order_boost *b = &r->order->boosts[k];
		struct fw_seen seen = { 0 };
		enum fw_truth holds = fw_eval_condition(r->e, b->when, &seen);
		r->ret->reads |= seen.reads;
		r->ret->failure = seen.failure;
		if (seen.failure)
			return false;
		for (uint32_t i = 0; holds == FW_TRUE && i < r->n_left; i++) {
			struct fw_standing *s = &r->standings[r->left[i]];
			if (!fits(r, r->left[i], b))
				continue;
			s->boosts |= UINT32_C(1) << k;
			s->scores[0] += b->by;
		}
	}
	return true;
}

static bool is_before(const struct ranking *r, uint32_t x, uint32_t y)
{
	const struct fw_standing *a = &r->standings[x], *b = &r->standings[y];
	for (uint32_t k = 0; k == 0 || k < r->order->n_keys; k++) {
		if (a->scores[k] != b->scores[k])
			return a->scores[k] > b->scores[k];
		if (a->lacking[k] != b->lacking[k])
			return a->lacking[k] < b->lacking[k];
	}
	return x < y;
}

/* Merges neighbours of growing width: places stay as they are where neither is before the other. */
static void sort_left(struct ranking *r, uint32_t n)
{
	for (uint32_t width = 1; width < n; width *= 2) {
		uint32_t *from = r->left, *to = r->spare;
		for (uint32_t begin = 0; begin < n; begin += 2 * width) {
			uint32_t middle = begin + width < n ? begin + width : n, end = begin + 2 * width < n ? begin + 2 * width : n;
			for (uint32_t i = begin, k = middle, at = begin; at < end; at++)
				to[at] = i < middle && (k == end || !is_before(r, from[k], from[i])) ? from[i++] : from[k++];
		}
		r->left = to;
		r->spare = from;
	}
}

/* Takes the pinned items from those that are left, and puts each in its place again once the others are sorted. */
static void sort_around_pins(struct ranking *r)
{
	const struct fw_order *o = r->order;
	uint32_t n = 0, pin = 0, at = 0;
	for (uint32_t i = 0; i < o->n_pins; i++)
		if (r->standings[o->pins[i].item].as != FW_SOLD_OUT)
			r->standings[o->pins[i].item].as = FW_STANDS_PINNED;
	for (uint32_t i = 0; i < r->n_left; i++)
		if (r->standings[r->left[i]].as != FW_STANDS_PINNED)
			r->left[n++] = r->left[i];
	sort_left(r, n);
	for (uint32_t i = 0; at < r->n_left; at++) {
		while (pin < o->n_pins && r->standings[o->pins[pin].item].as != FW_STANDS_PINNED)
			pin++;
		bool pinned = pin < o->n_pins && (o->pins[pin].place <= at || i == n);
		r->spare[at] = pinned ? o->pins[pin++].item : r->left[i++];
	}
}

/* What is sold out is not left. */
static void look_at_stock(struct ranking *r)
{
	const struct fw_order *o = r->order;
	for (uint32_t i = 0; i < o->n; i++) {
		struct fw_standing *s = &r->standings[i];
		s->item = i;
		for (uint32_t k = 0; k < o->items[i].n_products && s->as == FW_STANDS; k++) {
			if (!fw_stock_is_sold_out(r->e->facts, o->items[i].products[k]))
				continue;
			s->as = FW_SOLD_OUT;
			if (!r->ret->json.n)
				r->ret->json = o->items[i].products[k];
		}
		if (s->as == FW_STANDS)
			r->left[r->n_left++] = i;
	}
}

/* Standings in their order: shown, beyond the limit, sold out. */
static int line_up(struct ranking *r, struct fw_lineup *ret)
{
	const struct fw_order *o = r->order;
	struct fw_standing *in_order = FW_NEW_ARRAY(r->e->arena, o->n, struct fw_standing);
	uint32_t n = 0;
	if (!in_order)
		return FW_ENOMEM;
	for (; n < r->n_left; n++) {
		in_order[n] = r->standings[r->spare[n]];
		if (n >= o->limit)
			in_order[n].as = FW_OVER_LIMIT;
	}
	for (uint32_t i = 0; i < o->n; i++)
		if (r->standings[i].as == FW_SOLD_OUT)
			in_order[n++] = r->standings[i];
	*ret = (struct fw_lineup){ .order = o, .standings = in_order, .n_shown = r->n_left < o->limit ? r->n_left : o->limit };
	return 0;
}

/* 0, also where nothing is left or a function failed: `ret` of the ranking says so; or FW_ENOMEM. */
static int rank(struct ranking *r, struct fw_lineup *ret)
{
	struct fw_arena *a = r->e->arena;
	r->standings = FW_NEW_ARRAY(a, r->order->n, struct fw_standing);
	r->left = FW_NEW_ARRAY(a, r->order->n, uint32_t);
	r->spare = FW_NEW_ARRAY(a, r->order->n, uint32_t);
	if (!r->standings || !r->left || !r->spare)
		return FW_ENOMEM;
	look_at_stock(r);
	if (r->n_left == 0) {
		r->ret->stock = FW_STOCK_SOLD_OUT;
		return 0;
	}
	if (find_all(r) < 0 || add_keys(r) < 0)
		return FW_ENOMEM;
	if (!add_boosts(r))
		return 0;
	sort_around_pins(r);
	return line_up(r, ret);
}

static uint32_t marks_of(const struct fw_order *o, const struct fw_standing *s)
{
	uint32_t marks = 0;
	for (uint32_t k = 0; k < o->n_boosts; k++)
		if (s->boosts >> k & 1 && o->boosts[k].mark != FW_NONE)
			marks |= UINT32_C(1) << o->boosts[k].mark;
	return marks;
}

static char *put(char *to, const char *from, size_t n)
{
	memcpy(to, from, n);
	return to + n;
}

/* An item with its marks, among its members by their names. */
static char *put_item(char *to, const struct fw_order *o, const struct fw_standing *s)
{
	const struct fw_order_item *item = &o->items[s->item];
	uint32_t marks = marks_of(o, s), from = 0, last = (uint32_t)item->json.n - 1;
	bool any = item->json.n > 2;
	for (uint32_t k = 0; k < o->n_marks; k++) {
		if (!(marks >> k & 1))
			continue;
		uint32_t at = item->mark_at[k];
		to = put(to, item->json.p + from, at - from);
		from = at;
		if (at == last && any)
			*to++ = ',';
		to = put(to, o->marks[k].p, o->marks[k].n);
		if (at != last)
			*to++ = ',';
		any = true;
	}
	return put(to, item->json.p + from, item->json.n - from);
}

/* The most bytes that a list has: each item with a comma and every mark. */
static size_t most_bytes(const struct fw_lineup *l)
{
	size_t marks = 0, n = 2;
	for (uint32_t k = 0; k < l->order->n_marks; k++)
		marks += l->order->marks[k].n + 1;
	for (uint32_t i = 0; i < l->n_shown; i++)
		n += l->order->items[l->standings[i].item].json.n + 1 + marks;
	return n;
}

static int write(struct fw_eval *e, const struct fw_content *content, struct fw_ordered *ret)
{
	const struct fw_ordering *all = content->ordering;
	size_t most = content->json.n, from = 0;
	for (uint32_t i = 0; i < all->n; i++)
		most += most_bytes(&ret->lineups[i]);
	char *text = fw_arena_alloc(e->arena, most), *to = text;
	if (!text)
		return FW_ENOMEM;
	for (uint32_t i = 0; i < all->n; i++) {
		const struct fw_lineup *l = &ret->lineups[i];
		to = put(to, content->json.p + from, l->order->from - from);
		from = l->order->to;
		*to++ = '[';
		for (uint32_t k = 0; k < l->n_shown; k++) {
			if (k)
				*to++ = ',';
			to = put_item(to, l->order, &l->standings[k]);
		}
		*to++ = ']';
	}
	to = put(to, content->json.p + from, content->json.n - from);
	ret->json = (struct fw_str){ text, (size_t)(to - text) };
	return 0;
}

int fw_order_make(struct fw_eval *e, const struct fw_content *content, struct fw_ordered *ret)
{
	const struct fw_ordering *all = content->ordering;
	struct shares shares = { .n = 0 };
	*ret = (struct fw_ordered){ .stock = FW_STOCK_FINE, .lineups = FW_NEW_ARRAY(e->arena, all->n, struct fw_lineup) };
	if (!ret->lineups)
		return FW_ENOMEM;
	fw_map_init(&shares.labels, e->arena);
	for (uint32_t i = 0; i < all->n; i++) {
		struct ranking r = { .e = e, .order = &all->orders[i], .shares = &shares, .ret = ret };
		ret->json = (struct fw_str){ NULL, 0 };
		if (rank(&r, &ret->lineups[i]) < 0)
			return FW_ENOMEM;
		if (ret->failure || ret->stock == FW_STOCK_SOLD_OUT)
			return 0;
	}
	return write(e, content, ret);
}
