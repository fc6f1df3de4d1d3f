#include "check/cover.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

struct search {
	struct fw_cover *c;
	struct fw_coverer *coverers; /* those that meet the box */
	uint32_t *number;            /* their numbers in c->coverers */
	uint32_t n;
	uint32_t depth;
};

/* A part of the box that is still to be covered. */
struct part {
	struct fw_box box;
	uint32_t at;      /* the next coverer */
	uint32_t need;
	uint32_t counted; /* the owner that was counted last, or FW_NONE */
};

static enum fw_covered search(struct search *s, const struct part *p);

static bool step(struct fw_cover *c)
{
	if (c->steps == 0 || *c->budget == 0)
		return false;
	c->steps--;
	--*c->budget;
	return true;
}

/* The box with another side for one dimension. */
static bool with_side(struct fw_maker *m, const struct fw_box *box, uint32_t dim, fw_side side, struct fw_box *ret)
{
	struct fw_limited *dims = fw_arena_alloc(m->arena, (box->n + 1) * sizeof *dims);
	uint32_t at = 0;
	if (!dims) {
		m->no_memory = true;
		return false;
	}
	while (at < box->n && box->dims[at].dim < dim)
		at++;
	bool has = at < box->n && box->dims[at].dim == dim;
	if (at)
		memcpy(dims, box->dims, at * sizeof *dims);
	dims[at] = fw_limited(m->domain, dim, side);
	if (box->n - at - has)
		memcpy(dims + at + 1, box->dims + at + has, (box->n - at - has) * sizeof *dims);
	*ret = (struct fw_box){ dims, box->n + !has };
	return true;
}

/* Takes the coverer's box out of the part: first what lies outside of it, dimension by dimension, then what lies inside. */
static enum fw_covered split(struct search *s, const struct part *p)
{
	struct fw_maker *m = s->c->maker;
	const struct fw_domain *d = m->domain;
	const struct fw_coverer *by = &s->coverers[p->at];
	struct part inside = *p;
	uint32_t none;
	for (uint32_t i = 0; i < by->box->n; i++) {
		const struct fw_limited *x = &by->box->dims[i];
		uint32_t words = d->dims[x->dim].words;
		fw_side had = fw_box_side(&inside.box, x->dim);
		uint64_t *out = fw_arena_alloc(m->arena, 2 * words * sizeof *out), *in = out ? out + words : NULL, left = 0;
		if (!had)
			had = d->dims[x->dim].all;
		for (uint32_t w = 0; out && w < words; w++) {
			left |= out[w] = had[w] & ~x->side[w];
			in[w] = had[w] & x->side[w];
		}
		struct part outside = *p;
		outside.at++;
		if (!out || (left && !with_side(m, &inside.box, x->dim, out, &outside.box)))
			return FW_COVER_UNKNOWN;
		if (left && fw_box_counts(d, &outside.box, &none)) {
			enum fw_covered found = search(s, &outside);
			if (found != FW_COVERED)
				return found;
		}
		if (left && !with_side(m, &inside.box, x->dim, in, &inside.box))
			return FW_COVER_UNKNOWN;
	}
	if (s->c->used)
		s->c->used[s->number[p->at]] = true;
	inside.at++;
	inside.need = by->alone ? 0 : p->need - 1;
	inside.counted = by->owner;
	return inside.need && fw_box_counts(d, &inside.box, &none) ? search(s, &inside) : FW_COVERED;
}

static enum fw_covered search(struct search *s, const struct part *p)
{
	struct fw_maker *m = s->c->maker;
	struct fw_arena_mark mark = fw_arena_mark(m->arena);
	struct part part = *p;
	for (; part.at < s->n; part.at++) {
		const struct fw_coverer *by = &s->coverers[part.at];
		if (by->owner == part.counted)
			continue;
		if (!step(s->c) || s->depth >= FW_LIMIT_CHECK_DEPTH)
			return FW_COVER_UNKNOWN;
		if (fw_box_overlaps(&part.box, by->box))
			break;
	}
	if (part.at == s->n)
		return !s->c->accept || s->c->accept(s->c->ctx, &part.box) ? FW_NOT_COVERED : FW_COVERED;
	s->depth++;
	enum fw_covered found = split(s, &part);
	s->depth--;
	if (found == FW_COVERED)
		fw_arena_rewind(m->arena, &mark);
	return m->no_memory ? FW_COVER_UNKNOWN : found;
}

/* The single values of a side. */
static bool singles_within(const struct fw_dim *dim, fw_side a, fw_side b)
{
	for (uint32_t i = FW_CELL_VALUES; i < dim->n; i++)
		if (fw_side_has(a, i) && !fw_side_has(b, i))
			return false;
	return true;
}

static bool has_single(const struct fw_dim *dim, fw_side side)
{
	for (uint32_t i = FW_CELL_VALUES; i < dim->n; i++)
		if (fw_side_has(side, i))
			return true;
	return false;
}

static fw_side with_several(struct fw_maker *m, uint32_t dim, fw_side side)
{
	uint32_t words = m->domain->dims[dim].words;
	uint64_t *more = fw_arena_alloc(m->arena, words * sizeof *more);
	if (!more) {
		m->no_memory = true;
		return side;
	}
	memcpy(more, side, words * sizeof *more);
	fw_side_add(more, FW_CELL_SEVERAL);
	return more;
}

/* A visitor of whom all that the box allows is possible at once is in the box, and hardest to hold: only who holds each of the
 * values holds him. The cell for several values stands for him. */
static bool add_several(struct fw_maker *m, const struct fw_box *box, struct fw_box *ret)
{
	const struct fw_domain *d = m->domain;
	*ret = *box;
#ifdef FW_BREAK_CHECK_SEVERAL
	return true;
#endif
	for (uint32_t i = 0; i < d->n_several; i++) {
		uint32_t dim = d->several[i];
		fw_side side = fw_box_side(box, dim);
		side = side ? side : d->dims[dim].all;
		if (has_single(&d->dims[dim], side) && !with_side(m, ret, dim, with_several(m, dim, side), ret))
			return false;
	}
	return true;
}

static bool holds_several(struct fw_maker *m, const struct fw_box *box, const struct fw_box *coverer, struct fw_box *ret)
{
	const struct fw_domain *d = m->domain;
	*ret = *coverer;
	for (uint32_t i = 0; i < coverer->n; i++) {
		uint32_t dim = coverer->dims[i].dim;
		if (!fw_domain_may_be_several(d, dim))
			continue;
		fw_side side = fw_box_side(box, dim);
		side = side ? side : d->dims[dim].all;
		if (has_single(&d->dims[dim], side) && singles_within(&d->dims[dim], side, coverer->dims[i].side) &&
			!with_side(m, ret, dim, with_several(m, dim, coverer->dims[i].side), ret))
			return false;
	}
	return true;
}

/* The coverers that meet the box; FW_COVERED: one of them holds all of it. */
static enum fw_covered gather(struct search *s, const struct fw_box *box)
{
	struct fw_cover *c = s->c;
	struct fw_maker *m = c->maker;
	for (uint32_t i = 0; i < c->n; i++) {
		if (!fw_box_overlaps(box, c->coverers[i].box))
			continue;
		struct fw_coverer *by = &s->coverers[s->n];
		s->number[s->n++] = i;
		*by = c->coverers[i];
		struct fw_box *held = c->several ? fw_arena_alloc(m->arena, sizeof *held) : NULL;
		if (c->several && (!held || !holds_several(m, box, by->box, held)))
			return FW_COVER_UNKNOWN;
		by->box = held ? held : by->box;
		if ((c->need > 1 && !by->alone) || !fw_box_within(m->domain, box, by->box))
			continue;
		if (c->used)
			c->used[i] = true;
		return FW_COVERED;
	}
	return FW_NOT_COVERED;
}

/* One cell for a dimension: the least that can be said of it. */
static uint32_t plain_cell(const struct fw_domain *d, const struct fw_box *box, uint32_t dim)
{
	const struct fw_dim *x = &d->dims[dim];
	fw_side side = fw_box_side(box, dim);
	side = side ? side : x->all;
	if (x->kind == FW_DIM_REF && fw_side_has(side, FW_CELL_ABSENT))
		return FW_CELL_ABSENT;
	if (x->other != FW_NONE && fw_side_has(side, x->other))
		return x->other;
	uint32_t cell = 0;
	while (cell + 1 < x->n && !fw_side_has(side, cell))
		cell++;
	return cell;
}

/* Whether the plainest visitor of the box is held by too few: most boxes that are not covered show it at once. */
static bool plain_is_left(const struct search *s, const struct fw_box *box)
{
	const struct fw_domain *d = s->c->maker->domain;
	uint32_t holding = 0, counted = FW_NONE;
	for (uint32_t i = 0; i < s->n && holding < s->c->need; i++) {
		const struct fw_coverer *by = &s->coverers[i];
		bool holds = by->owner != counted;
		for (uint32_t k = 0; k < by->box->n && holds; k++) {
			if (d->dims[by->box->dims[k].dim].n_most)
				return false; /* counts depend on one another */
			holds = fw_side_has(by->box->dims[k].side, plain_cell(d, box, by->box->dims[k].dim));
		}
		if (holds) {
			holding = by->alone ? s->c->need : holding + 1;
			counted = by->owner;
		}
	}
	return holding < s->c->need;
}

static enum fw_covered cover(struct search *s, const struct fw_box *box)
{
	struct fw_cover *c = s->c;
	struct part p = { *box, 0, c->need, FW_NONE };
	if (!fw_cover_pay(c->budget, c->n / FW_COVER_MEETINGS) || (c->several && !add_several(c->maker, box, &p.box)))
		return FW_COVER_UNKNOWN;
	enum fw_covered found = gather(s, &p.box);
	if (found != FW_NOT_COVERED || (!c->accept && plain_is_left(s, &p.box)))
		return found;
	return search(s, &p);
}

enum fw_covered fw_cover_box(struct fw_cover *c, const struct fw_box *box)
{
	struct fw_maker *m = c->maker;
	struct search s = { .c = c };
	struct fw_arena_mark mark = fw_arena_mark(m->arena);
	s.coverers = malloc((c->n + 1) * sizeof *s.coverers);
	s.number = malloc((c->n + 1) * sizeof *s.number);
	m->no_memory |= !s.coverers || !s.number;
	enum fw_covered found = m->no_memory ? FW_COVER_UNKNOWN : cover(&s, box);
	free(s.coverers);
	free(s.number);
	fw_arena_rewind(m->arena, &mark);
	return m->no_memory ? FW_COVER_UNKNOWN : found;
}

enum fw_covered fw_cover_boxes(struct fw_cover *c, const struct fw_boxes *boxes)
{
	enum fw_covered worst = FW_COVERED;
	for (uint32_t i = 0; i < boxes->n && worst != FW_NOT_COVERED; i++) {
		enum fw_covered found = fw_cover_box(c, &boxes->items[i]);
		if (found != FW_COVERED)
			worst = found;
	}
	return worst;
}
