/* From the products of a feed to the block that is read (fact/products.h). */
#ifndef FW_CATALOG_BUILD_H
#define FW_CATALOG_BUILD_H

#include "base/error.h"
#include "catalog/item.h"
#include "fact/products.h"

struct fw_catalog_build;

/* `currency`: that of the prices, ISO 4217. NULL: out of memory. */
struct fw_catalog_build *fw_catalog_build_create(const char *currency);
void fw_catalog_build_destroy(struct fw_catalog_build *b);

/* Adds a product. 0; FW_EINVAL: it cannot be used and is left out, with why (no file; the item's line); FW_ELIMIT: there are too many;
 * FW_ENOMEM. */
int fw_catalog_build_add(struct fw_catalog_build *b, const struct fw_item *item, struct fw_error *err);
/* How many were added. */
uint32_t fw_catalog_build_count(const struct fw_catalog_build *b);

/* The block, on the heap: the caller's. Of its head the feed's part (feed_us, feed_bytes, feed_file, left_out) is taken from `head`. 0
 * or FW_ENOMEM. */
int fw_catalog_build_finish(const struct fw_catalog_build *b, const struct fw_products_head *head, struct fw_products_head **ret);

/* A price as feeds write it: "15.00 EUR", "EUR 15", "15"; a plain number is in `currency`. 0; FW_EINVAL with why: it is no price, or in
 * another currency. */
int fw_catalog_price(struct fw_str text, const char *currency, double *ret, struct fw_error *err);

#endif
