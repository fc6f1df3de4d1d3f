/* What is told of products between feeds: stock and prices, as a request says it, as rows of the store hold it, and as decisions read it.
 *
 *   'G' 'a' id     availability: when (8 bytes, microseconds since 1970), then which (1)
 *   'G' 'p' id     price: when (8), price (8), sale price (8), as IEEE 754 has them; NaN: none
 *
 * All of them lie in one bucket; the id is ASCII case folded; numbers are big-endian. What a feed tells counts from the moment it was
 * written: older rows say nothing any more. */
#ifndef FW_CATALOG_TOLD_H
#define FW_CATALOG_TOLD_H

#include "base/json.h"
#include "base/limits.h"
#include "fact/products.h"

enum { FW_TOLD_KEY = 2 + FW_LIMIT_KEY_BYTES, FW_TOLD_VALUE = 24, FW_TOLD_LETTER = 'G' };

struct fw_told_row {
	char key[FW_TOLD_KEY], value[FW_TOLD_VALUE];
	unsigned key_n, value_n;
};

/* The bucket of all of them. */
uint32_t fw_told_bucket(void);

/* Reads {"products":[{"id","availability","price","sale_price"}, …]}: the rows that say it, of `at_us`, and to `rejected` (an open array)
 * {"index","code","message"} for each that cannot be. A price without a sale price ends a sale. `ret_n`: rows; `ret_changed`: products.
 * 0; FW_EINVAL, with why, where the whole is no such thing; FW_ENOMEM. */
int fw_told_read(const struct fw_products *p, const struct fw_json *body, int64_t at_us, struct fw_arena *a, struct fw_json_out *rejected,
	struct fw_told_row **ret, unsigned *ret_n, unsigned *ret_changed, struct fw_error *err);

/* A row into what decisions read. False: nobody needs it any more, or it is none: its product is not in the catalogue, or the feed is
 * newer. `ret_changed`: the number of the product that is another for it, FW_NO_PRODUCT: none is. */
bool fw_told_apply(struct fw_products *p, struct fw_str key, struct fw_str value, uint32_t *ret_changed);
/* When the row was written; 0: it is none. */
int64_t fw_told_at(struct fw_str value);

/* A product as it is now, as an object with the feed's names. */
void fw_told_write(const struct fw_products *p, uint32_t number, int64_t now_us, struct fw_json_out *out);

#endif
