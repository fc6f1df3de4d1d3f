/* What is sold out is neither shown nor sent: products that content names, looked up in the catalogue.
 *
 * What names one that is sold out (fact/product_names.h) goes: out of the list that it stands in, the innermost; where it stands in none,
 * or nothing is left in the list, the whole content. A product that the catalogue does not have cannot be bought, so it counts as sold
 * out; without a catalogue nobody knows, and nothing goes. */
#ifndef FW_DECIDE_STOCK_H
#define FW_DECIDE_STOCK_H

#include "fact/facts.h"

enum fw_stock {
	FW_STOCK_FINE,     /* the content may go as it is */
	FW_STOCK_FEWER,    /* without what is sold out */
	FW_STOCK_SOLD_OUT, /* not at all */
};

/* Whether the product with this id cannot be bought. False where nobody knows of any product. */
bool fw_stock_is_sold_out(const struct fw_facts *facts, struct fw_str id);

/* `ret` (may be NULL): of FEWER the content that is left, of SOLD_OUT the id of the product; in the arena, as all that is needed to look.
 * 0 or FW_ENOMEM. */
int fw_stock_look(const struct fw_facts *facts, struct fw_str content, struct fw_arena *a, enum fw_stock *ret_stock, struct fw_str *ret);

/* The same of content that was let through before: whether nothing has sold out since. False also where memory ran out. */
bool fw_stock_still_fine(const struct fw_facts *facts, struct fw_str content, struct fw_arena *a);

#endif
