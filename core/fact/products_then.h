/* What a decision was told of products, noted so that it can be made again without the catalogue of then: what rules asked, and whether
 * what content names was sold out. */
#ifndef FW_FACT_PRODUCTS_THEN_H
#define FW_FACT_PRODUCTS_THEN_H

#include "base/map.h"
#include "base/pack.h"
#include "fact/facts.h"

enum { FW_PRODUCT_FACTS = FW_FACT_BRAND - FW_FACT_IN_STOCK + 1 };

struct fw_product_stock {
	struct fw_str id; /* as it is asked, folded or not */
	bool sold_out;
};

struct fw_products_then {
	struct fw_arena *arena; /* of what is noted: that of the facts may be another's, who tries what they might be */
	bool again; /* it says what was noted then, and there is nobody else to ask; false: it notes */
	bool lost;  /* more than FW_LIMIT_PRODUCTS_THEN was asked; or, again, what was not asked then */
	struct fw_product_answer *answers;
	struct fw_product_stock *stock;
	uint32_t n_answers, n_stock;
	struct fw_map answers_by[FW_PRODUCT_FACTS], stock_by; /* their places in the lists, by key and by id */
};

/* One that notes, itself in the arena. NULL: memory ran out. */
struct fw_products_then *fw_products_then_new(struct fw_arena *arena);

/* Of one that notes: each once, copied but for texts of the catalogue. */
void fw_products_then_note(struct fw_products_then *t, const struct fw_query *query, const struct fw_value *value);
void fw_products_then_note_stock(struct fw_products_then *t, struct fw_str id, bool sold_out);
/* Of one that says it again; what was not asked then has no value, and is not sold out. */
struct fw_value fw_products_then_ask(struct fw_products_then *t, const struct fw_query *query);
bool fw_products_then_sold_out(struct fw_products_then *t, struct fw_str id);

/* As bytes: lost (1); how many answers, then of each which of a product's facts (1, from FW_FACT_IN_STOCK), the key, and the value as
 * facts_pack.h has values; how many that were looked up, then of each sold out (1) and the id. Failure is the buffer's. */
void fw_products_then_pack(const struct fw_products_then *t, struct fw_buf *out);
/* In the arena, saying it again. 0, or FW_ENOMEM; what is no such thing makes the reader fail. */
int fw_products_then_unpack(struct fw_unpack *u, struct fw_arena *a, struct fw_products_then **ret);

#endif
