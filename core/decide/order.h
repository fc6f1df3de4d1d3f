/* Lists of content put in order for one visitor: `order { … }` in a rule's `show` (rules/order.h).
 *
 * What is sold out is left out first. Then each item has a number: what its parts add, each from 0 to 1 times its weight, and what its
 * boosts add. What has no value adds 0; and of equal items those with a value come before those without one, then the next key decides,
 * then the order in which they are written. Pinned items take their places among the others. Last, what is beyond the limit is left out. */
#ifndef FW_DECIDE_ORDER_H
#define FW_DECIDE_ORDER_H

#include "decide/stock.h"
#include "rules/eval.h"

enum fw_standing_as { FW_STANDS, FW_STANDS_PINNED, FW_OVER_LIMIT, FW_SOLD_OUT };

/* Where one item stands, and why. */
struct fw_standing {
	uint32_t item;                         /* in order->items */
	enum fw_standing_as as;
	uint32_t boosts;                       /* those that hold: bits, the first boost the lowest */
	double scores[FW_LIMIT_ORDER_KEYS];    /* by key; the first with the boosts */
	uint32_t lacking[FW_LIMIT_ORDER_KEYS]; /* parts of each key that it has no value for */
	const double *parts;                   /* what each part of each key adds; NaN: it has no value */
};

/* One list, put in order. */
struct fw_lineup {
	const struct fw_order *order;
	struct fw_standing *standings; /* those shown, in their order; then those beyond the limit; then what is sold out */
	uint32_t n_shown;
};

struct fw_ordered {
	enum fw_stock stock;             /* FW_STOCK_SOLD_OUT: nothing is left of a list */
	struct fw_str json;              /* the content; of SOLD_OUT the id of a product */
	unsigned reads;                  /* by functions: what is declared is in the ordering's `uses` */
	const struct fw_called *failure; /* a function that failed: there is no content; or NULL */
	struct fw_lineup *lineups;       /* one for each order */
};

/* The content with its lists in order, all in the arena of the evaluation, which has begun. The content has an ordering. 0 or FW_ENOMEM. */
int fw_order_make(struct fw_eval *e, const struct fw_content *content, struct fw_ordered *ret);

#endif
