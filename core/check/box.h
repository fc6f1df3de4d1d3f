/* Conditions as boxes. A box is a conjunction: for each dimension that it names, the cells that it allows. A condition is true of a
 * visitor exactly if one of its boxes holds him. */
#ifndef FW_CHECK_BOX_H
#define FW_CHECK_BOX_H

#include "check/domain.h"

struct fw_limited {
	uint32_t dim;
	uint32_t from, until; /* the side's words that have cells lie between; of ten thousand paths a box mostly names one */
	fw_side side;
};

struct fw_box {
	struct fw_limited *dims; /* by number */
	uint32_t n;
};

struct fw_boxes {
	struct fw_box *items;
	uint32_t n, size;
	bool loose;         /* too many alternatives: the boxes hold more visitors than the condition */
	uint32_t conflict;  /* where something contradicted something first: a dimension, or FW_NONE */
};

struct fw_maker {
	struct fw_domain *domain;
	struct fw_arena *arena; /* of boxes */
	bool guard;             /* of a guard's condition, which believes only what is proven of traits */
	bool no_memory;
};

/* The boxes in which a node is true (`want`), or false. FW_NONE: always true. */
void fw_boxes_make(struct fw_maker *m, uint32_t node, bool want, struct fw_boxes *ret);
/* The boxes in which a guard lets pass. */
void fw_boxes_guard(struct fw_maker *m, const struct fw_guard *g, struct fw_boxes *ret);
/* One box that holds everybody. */
void fw_boxes_all(struct fw_maker *m, struct fw_boxes *ret);
/* a := a and b, a or b. */
void fw_boxes_and(struct fw_maker *m, struct fw_boxes *a, const struct fw_boxes *b);
void fw_boxes_or(struct fw_maker *m, struct fw_boxes *a, const struct fw_boxes *b);
/* a := a where the dimension has one of these cells. */
void fw_boxes_limit(struct fw_maker *m, struct fw_boxes *a, uint32_t dim, fw_side side);

/* Whether the box has a side for the dimension; else NULL. */
fw_side fw_box_side(const struct fw_box *b, uint32_t dim);
bool fw_box_overlaps(const struct fw_box *a, const struct fw_box *b);
bool fw_box_within(const struct fw_domain *d, const struct fw_box *a, const struct fw_box *b);
/* Both at once, in the maker's arena. False: nobody; `ret_conflict` has the dimension. */
bool fw_box_and(struct fw_maker *m, const struct fw_box *a, const struct fw_box *b, struct fw_box *ret, uint32_t *ret_conflict);
/* Whether any function decides in one of the boxes, or something that is not told apart. */
bool fw_boxes_hang(const struct fw_domain *d, const struct fw_boxes *b);
/* Counts that contradict one another: three in the last week, and two in the last month. */
bool fw_box_counts(const struct fw_domain *d, const struct fw_box *b, uint32_t *ret_conflict);

static inline struct fw_limited fw_limited(const struct fw_domain *d, uint32_t dim, fw_side side)
{
	struct fw_limited l = { dim, 0, d->dims[dim].words, side };
	while (l.from < l.until && !side[l.from])
		l.from++;
	while (l.from < l.until && !side[l.until - 1])
		l.until--;
	return l;
}

/* Two sides of one dimension. */
static inline bool fw_limited_meet(const struct fw_limited *a, const struct fw_limited *b)
{
	uint32_t from = a->from > b->from ? a->from : b->from, until = a->until < b->until ? a->until : b->until;
	for (uint32_t i = from; i < until; i++)
		if (a->side[i] & b->side[i])
			return true;
	return false;
}

static inline bool fw_side_within(fw_side a, fw_side b, uint32_t words)
{
	for (uint32_t i = 0; i < words; i++)
		if (a[i] & ~b[i])
			return false;
	return true;
}

#endif
