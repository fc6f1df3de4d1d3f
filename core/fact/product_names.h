/* Which members of content name products, and by which id: "product" and "product_id" (an id, or an object with an "id"), and "products",
 * a list of those. What is sold out is found by them (decide/stock.h), and what the items of an ordered list go with (rules/order.h). */
#ifndef FW_FACT_PRODUCT_NAMES_H
#define FW_FACT_PRODUCT_NAMES_H

#include "base/json.h"

/* Whether a member of that name stands for a product. */
bool fw_names_product(struct fw_str member);
/* The same, or for a list of them. */
bool fw_names_products(struct fw_str member);
/* The id of the product that the value of such a member stands for; n 0: for none. */
struct fw_str fw_product_named(const struct fw_json *value);
/* Whether a member names a product anywhere within the value, however deep. */
bool fw_products_within(const struct fw_json *value);
/* The same of JSON as it is written, by its bytes alone: false is certain, true is not. */
bool fw_may_name_products(struct fw_str json);

#endif
