/* Whether every visitor of a box is held by others: the others' boxes are taken out of it, one after the other, until nothing is left
 * (then they cover it, and are the proof) or a part is left that none of them holds. Exact; its cost can grow without bounds, so it
 * has a budget. */
#ifndef FW_CHECK_COVER_H
#define FW_CHECK_COVER_H

#include "check/box.h"

/* What may hold visitors of the box. Those of one owner stand together. */
struct fw_coverer {
	const struct fw_box *box;
	uint32_t owner;
	bool alone;          /* it counts for as many as are needed */
};

enum fw_covered { FW_COVERED, FW_NOT_COVERED, FW_COVER_UNKNOWN /* the budget was used up */ };

struct fw_cover {
	struct fw_maker *maker;
	struct fw_coverer *coverers;
	uint32_t n;
	uint32_t need;       /* a visitor is covered when so many different owners hold him */
	bool several;        /* time facts may have several possible values at once: such a visitor counts, too */
	/* Whether a part that nobody holds is what is looked for; the search goes on otherwise. NULL: it is. The part is gone after the
	 * call. */
	bool (*accept)(void *ctx, const struct fw_box *part);
	void *ctx;
	uint64_t *budget;    /* steps left for everything … */
	uint64_t steps;      /* … and for this search */
	bool *used;          /* by coverer: it took something out. May be NULL */
};

enum { FW_COVER_MEETINGS = 16 }; /* so many boxes are compared with one another in the time of a step */
/* Work beside the searches, in steps; what the budget is not enough for uses it up. */
static inline bool fw_cover_pay(uint64_t *budget, uint64_t steps)
{
	bool enough = steps <= *budget;
	*budget -= enough ? steps : *budget;
	return enough;
}

enum fw_covered fw_cover_box(struct fw_cover *c, const struct fw_box *box);
enum fw_covered fw_cover_boxes(struct fw_cover *c, const struct fw_boxes *boxes);

#endif
