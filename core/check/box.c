#include "check/box.h"

#include <math.h>
#include <string.h>

#include "base/limits.h"

fw_side fw_box_side(const struct fw_box *b, uint32_t dim)
{
	uint32_t low = 0, high = b->n;
	while (low < high) {
		uint32_t middle = (low + high) / 2;
		if (b->dims[middle].dim < dim)
			low = middle + 1;
		else
			high = middle;
	}
	return low < b->n && b->dims[low].dim == dim ? b->dims[low].side : NULL;
}

bool fw_box_overlaps(const struct fw_box *a, const struct fw_box *b)
{
	for (uint32_t i = 0, k = 0; i < a->n && k < b->n;) {
		const struct fw_limited *x = &a->dims[i], *y = &b->dims[k];
		if (x->dim == y->dim && !fw_limited_meet(x, y))
			return false;
		i += x->dim <= y->dim;
		k += y->dim <= x->dim;
	}
	return true;
}

bool fw_box_within(const struct fw_domain *d, const struct fw_box *a, const struct fw_box *b)
{
	for (uint32_t k = 0; k < b->n; k++) {
		const struct fw_limited *y = &b->dims[k];
		fw_side side = fw_box_side(a, y->dim);
		if (!fw_side_within(side ? side : d->dims[y->dim].all, y->side, d->dims[y->dim].words))
			return false;
	}
	return true;
}

/* The greatest number that a side allows; false: it allows what is no number. */
static bool greatest(const struct fw_dim *dim, fw_side side, double *ret)
{
	*ret = -INFINITY;
	for (uint32_t i = 0; i < dim->n; i++) {
		if (!fw_side_has(side, i))
			continue;
		if (i < FW_CELL_VALUES)
			return false;
		*ret = fmax(*ret, dim->cells[i].high);
	}
	return true;
}

/* Whether whoever has the one count has the other, too: what was counted ever is known in every window. */
static bool is_known_with(const struct fw_domain *d, uint32_t part, uint32_t whole)
{
	const struct fw_query *x = &d->set->refs[part].query, *y = &d->set->refs[whole].query;
	return y->within_s == 0 && x->key_kind == y->key_kind && fw_str_equal(x->key, y->key);
}

/* A part of a count beside the whole. */
static bool counts_fit(const struct fw_domain *d, uint32_t part, fw_side part_side, uint32_t whole, fw_side whole_side)
{
	const struct fw_dim *x = &d->dims[part];
	double most;
#ifdef FW_BREAK_CHECK_COUNTS
	return true;
#endif
	if (!greatest(&d->dims[whole], whole_side, &most))
		return true;
	for (uint32_t i = is_known_with(d, part, whole) ? FW_CELL_VALUES : 0; i < x->n; i++)
		if (fw_side_has(part_side, i) && (i < FW_CELL_VALUES || x->cells[i].low <= most))
			return true;
	return false;
}

bool fw_box_counts(const struct fw_domain *d, const struct fw_box *b, uint32_t *ret_conflict)
{
	for (uint32_t i = 0; i < b->n; i++) {
		const struct fw_dim *x = &d->dims[b->dims[i].dim];
		for (uint32_t k = 0; k < x->n_most; k++) {
			fw_side whole = fw_box_side(b, x->most[k]);
			if (!whole || counts_fit(d, b->dims[i].dim, b->dims[i].side, x->most[k], whole))
				continue;
			*ret_conflict = b->dims[i].dim;
			return false;
		}
	}
	return true;
}

static struct fw_limited meet(struct fw_maker *m, const struct fw_limited *a, const struct fw_limited *b)
{
	uint32_t words = m->domain->dims[a->dim].words;
	if (fw_side_within(a->side, b->side, words))
		return *a;
	if (fw_side_within(b->side, a->side, words))
		return *b;
	uint64_t *both = fw_arena_alloc(m->arena, words * sizeof *both);
	if (!both) {
		m->no_memory = true;
		return *a;
	}
	for (uint32_t i = 0; i < words; i++)
		both[i] = a->side[i] & b->side[i];
	return fw_limited(m->domain, a->dim, both);
}

bool fw_box_and(struct fw_maker *m, const struct fw_box *a, const struct fw_box *b, struct fw_box *ret, uint32_t *ret_conflict)
{
	const struct fw_domain *d = m->domain;
	for (uint32_t i = 0, k = 0; i < a->n && k < b->n;) {
		const struct fw_limited *x = &a->dims[i], *y = &b->dims[k];
		if (x->dim == y->dim && !fw_limited_meet(x, y)) {
			*ret_conflict = x->dim;
			return false;
		}
		i += x->dim <= y->dim;
		k += y->dim <= x->dim;
	}
	struct fw_box both = { fw_arena_alloc(m->arena, (a->n + b->n) * sizeof *both.dims), 0 };
	if (!both.dims) {
		m->no_memory = true;
		return false;
	}
	for (uint32_t i = 0, k = 0; i < a->n || k < b->n;) {
		const struct fw_limited *x = i < a->n ? &a->dims[i] : NULL, *y = k < b->n ? &b->dims[k] : NULL;
		bool take_x = x && (!y || x->dim <= y->dim), take_y = y && (!x || y->dim <= x->dim);
		both.dims[both.n] = take_x ? *x : *y;
		if (take_x && take_y)
			both.dims[both.n] = meet(m, x, y);
		both.n++;
		i += take_x;
		k += take_y;
	}
	*ret = both;
	return fw_box_counts(d, ret, ret_conflict);
}

static bool add_box(struct fw_maker *m, struct fw_boxes *b, struct fw_box box)
{
	if (b->n == b->size) {
		uint32_t size = b->size ? b->size * 2 : 2;
		struct fw_box *more = fw_arena_alloc(m->arena, size * sizeof *more);
		if (!more) {
			m->no_memory = true;
			return false;
		}
		if (b->n)
			memcpy(more, b->items, b->n * sizeof *more);
		b->items = more;
		b->size = size;
	}
	b->items[b->n++] = box;
	return true;
}

void fw_boxes_all(struct fw_maker *m, struct fw_boxes *ret)
{
	*ret = (struct fw_boxes){ .conflict = FW_NONE };
	add_box(m, ret, (struct fw_box){ 0 });
}

static void note_conflict(struct fw_boxes *b, uint32_t conflict)
{
	if (b->conflict == FW_NONE)
		b->conflict = conflict;
}

/* A box that another holds anyway says nothing. */
static void add_unless_held(struct fw_maker *m, struct fw_boxes *b, struct fw_box box)
{
	for (uint32_t i = 0; i < b->n; i++)
		if (fw_box_within(m->domain, &box, &b->items[i]))
			return;
	add_box(m, b, box);
}

void fw_boxes_and(struct fw_maker *m, struct fw_boxes *a, const struct fw_boxes *b)
{
	struct fw_boxes both = { .loose = a->loose || b->loose, .conflict = a->conflict };
	for (uint32_t i = 0; i < a->n; i++)
		for (uint32_t k = 0; k < b->n && both.n <= FW_LIMIT_CHECK_BOXES; k++) {
			struct fw_box box;
			uint32_t conflict = FW_NONE;
			if (fw_box_and(m, &a->items[i], &b->items[k], &box, &conflict))
				add_unless_held(m, &both, box);
			else
				note_conflict(&both, conflict);
		}
	note_conflict(&both, b->conflict);
	if (both.n > FW_LIMIT_CHECK_BOXES)
		a->loose = true; /* what b asks is left out */
	else
		*a = both;
}

void fw_boxes_or(struct fw_maker *m, struct fw_boxes *a, const struct fw_boxes *b)
{
	a->loose |= b->loose;
	note_conflict(a, b->conflict);
	for (uint32_t k = 0; k < b->n && a->n <= FW_LIMIT_CHECK_BOXES; k++)
		add_unless_held(m, a, b->items[k]);
	if (a->n > FW_LIMIT_CHECK_BOXES) {
		fw_boxes_all(m, a);
		a->loose = true;
	}
}

void fw_boxes_limit(struct fw_maker *m, struct fw_boxes *a, uint32_t dim, fw_side side)
{
	if (!side) {
		m->no_memory = true;
		return;
	}
	struct fw_limited limited = fw_limited(m->domain, dim, side);
	struct fw_box box = { &limited, 1 };
	struct fw_boxes one = { .items = &box, .n = 1, .conflict = FW_NONE };
	fw_boxes_and(m, a, &one);
}

bool fw_boxes_hang(const struct fw_domain *d, const struct fw_boxes *b)
{
	for (uint32_t i = 0; i < b->n; i++)
		for (uint32_t k = 0; k < b->items[i].n; k++) {
			enum fw_dim_kind kind = d->dims[b->items[i].dims[k].dim].kind;
			if (kind == FW_DIM_FUNCTION || kind == FW_DIM_OPAQUE)
				return true;
		}
	return false;
}

/* One box more, of one or two dimensions. */
static void add_limited(struct fw_maker *m, struct fw_boxes *ret, struct fw_limited a, struct fw_limited b)
{
	struct fw_boxes one;
	fw_boxes_all(m, &one);
	if (m->no_memory)
		return;
	if (b.side && b.dim < a.dim) {
		struct fw_limited swap = a;
		a = b;
		b = swap;
	}
	struct fw_limited *dims = fw_arena_alloc(m->arena, 2 * sizeof *dims);
	if (!dims) {
		m->no_memory = true;
		return;
	}
	dims[0] = a;
	dims[1] = b;
	one.items[0] = (struct fw_box){ dims, b.side ? 2 : 1 };
	fw_boxes_or(m, ret, &one);
}

static bool is_empty(const struct fw_domain *d, const struct fw_limited *x)
{
	struct fw_limited all = fw_limited(d, x->dim, d->dims[x->dim].all);
	return !fw_limited_meet(x, &all);
}

/* Where the fact is a set: each value that it has to hold, or not, is a dimension. */
static void make_set(struct fw_maker *m, uint32_t literal, bool want, struct fw_boxes *ret)
{
	struct fw_domain *d = m->domain;
	const struct fw_literal *l = &d->set->literals[literal];
	bool positive = want != l->negated, any = (l->op == FW_OP_ONE_OF) == positive;
	struct fw_boxes all = { .conflict = FW_NONE };
	fw_side is_set = fw_domain_one(d, l->ref, FW_CELL_SET);
	if (!any)
		fw_boxes_all(m, &all);
	for (uint32_t i = 0; i < l->n && is_set && !m->no_memory; i++) {
		struct fw_boxes one = { .conflict = FW_NONE };
		uint32_t dim = fw_domain_holds(d, literal, i);
		fw_side side = dim == FW_NONE ? NULL : fw_domain_one(d, dim, positive ? FW_CELL_YES : FW_CELL_NO);
		if (!side)
			break;
		add_limited(m, &one, fw_limited(d, l->ref, is_set), fw_limited(d, dim, side));
		if (any)
			fw_boxes_or(m, &all, &one);
		else
			fw_boxes_and(m, &all, &one);
	}
	fw_boxes_or(m, ret, &all);
}

static void make_opaque(struct fw_maker *m, uint32_t literal, bool want, struct fw_boxes *ret)
{
	struct fw_domain *d = m->domain;
	const struct fw_literal *l = &d->set->literals[literal];
	uint32_t dim = fw_domain_opaque(d, literal);
	uint64_t *known = fw_domain_side_new(d, l->ref);
	fw_side says = dim == FW_NONE ? NULL : fw_domain_one(d, dim, want ? FW_TRUE : FW_FALSE);
	if (!known || !says)
		return;
	for (uint32_t i = FW_CELL_SEVERAL; i < d->dims[l->ref].n; i++)
		if (fw_side_has(d->dims[l->ref].all, i))
			fw_side_add(known, i);
	add_limited(m, ret, fw_limited(d, l->ref, known), fw_limited(d, dim, says));
}

static void make_literal(struct fw_maker *m, uint32_t literal, bool want, struct fw_boxes *ret)
{
	struct fw_domain *d = m->domain;
	const struct fw_literal *l = &d->set->literals[literal];
	const struct fw_ref *ref = &d->set->refs[l->ref];
	bool presence = l->op == FW_OP_KNOWN || l->op == FW_OP_UNKNOWN;
	*ret = (struct fw_boxes){ .conflict = FW_NONE };
	if (ref->fact == FW_FACT_SEGMENT) {
		fw_boxes_make(m, d->set->segments[ref->segment].when, want, ret);
		return;
	}
	if (d->dims[l->ref].opaque && !presence) {
		make_opaque(m, literal, want, ret);
	} else {
		fw_side side = fw_domain_side(d, literal, want);
		if (!side) {
			m->no_memory = true;
			return;
		}
		struct fw_limited limited = fw_limited(d, l->ref, side);
		if (!is_empty(d, &limited))
			add_limited(m, ret, limited, (struct fw_limited){ .side = NULL });
		else
			note_conflict(ret, l->ref);
		if ((l->op == FW_OP_ONE_OF || l->op == FW_OP_ALL_OF) && fw_domain_may_be_set(d, l->ref))
			make_set(m, literal, want, ret);
	}
#ifndef FW_BREAK_CHECK_PROVEN
	uint32_t proven = m->guard && ref->fact == FW_FACT_TRAIT ? fw_domain_proven(d, l->ref) : FW_NONE;
	if (proven != FW_NONE)
		fw_boxes_limit(m, ret, proven, fw_domain_one(d, proven, FW_CELL_YES));
#endif
}

static void make_function(struct fw_maker *m, uint32_t function, bool want, struct fw_boxes *ret)
{
	/* A guard asks it again, believing less: that is another answer. */
	uint32_t dim = m->domain->first_function + function + (m->guard ? m->domain->set->n_functions : 0);
	fw_boxes_all(m, ret);
	fw_boxes_limit(m, ret, dim, fw_domain_one(m->domain, dim, want ? FW_TRUE : FW_FALSE));
}

void fw_boxes_make(struct fw_maker *m, uint32_t number, bool want, struct fw_boxes *ret)
{
	fw_boxes_all(m, ret);
	if (number == FW_NONE || m->no_memory)
		return;
	const struct fw_ruleset *s = m->domain->set;
	const struct fw_node *node = &s->nodes[number];
	switch (node->kind) {
	case FW_NODE_LITERAL: make_literal(m, node->first, want, ret); break;
	case FW_NODE_FUNCTION: make_function(m, node->first, want, ret); break;
	case FW_NODE_NOT: fw_boxes_make(m, s->children[node->first], !want, ret); break;
	default: {
		bool all = (node->kind == FW_NODE_ALL) == want; /* De Morgan holds in three values as well */
		if (!all)
			*ret = (struct fw_boxes){ .conflict = FW_NONE };
		for (uint32_t i = 0; i < node->n && !m->no_memory; i++) {
			struct fw_boxes part;
			fw_boxes_make(m, s->children[node->first + i], want, &part);
			if (all)
				fw_boxes_and(m, ret, &part);
			else
				fw_boxes_or(m, ret, &part);
		}
	}
	}
	m->no_memory |= m->domain->no_memory;
}

void fw_boxes_guard(struct fw_maker *m, const struct fw_guard *g, struct fw_boxes *ret)
{
	struct fw_boxes forbid;
	m->guard = true;
	fw_boxes_make(m, g->require, true, ret);
	if (g->forbid != FW_NONE) {
		fw_boxes_make(m, g->forbid, false, &forbid);
		fw_boxes_and(m, ret, &forbid);
	}
	m->guard = false;
}
