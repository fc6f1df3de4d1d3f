/* What a person asked to be told of: products that are to come back. It stands in the record until the product is back and a message of
 * that was triggered, the person takes it back, or it is FW_LIMIT_ASK_S old; people/asked.h has the index that leads from a product to
 * whoever asked. Pure. Times are kept in whole milliseconds. */
#ifndef FW_PROFILE_ASK_H
#define FW_PROFILE_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct fw_record;

/* The events of it: somebody asks for the product that it names, or takes that back; and what the host makes of both when it is back. */
#define FW_ASK_REQUESTED "Product Restock Requested"
#define FW_ASK_CANCELLED "Product Restock Cancelled"
#define FW_ASK_RESTOCKED "Product Restocked"

struct fw_ask {
	struct fw_str product; /* its id, ASCII case folded; at most FW_LIMIT_KEY_BYTES */
	int64_t at_us;         /* since when; whoever asks again asks since then */
	struct fw_str place;   /* where the person was, as JSON in the shape of `given` (fw_due_place); n 0: not known */
};

/* In the order of their products; false: there are no more. Texts stay the record's. */
bool fw_record_ask(const struct fw_record *r, unsigned i, struct fw_ask *ret);
bool fw_record_find_ask(const struct fw_record *r, struct fw_str product, struct fw_ask *ret);
/* Those of the record as it was read; whoever stores it keeps the index by the difference. */
bool fw_record_was_asked(const struct fw_record *r, unsigned i, struct fw_ask *ret);

/* Adds it, unless that product is asked for: then the earlier time stays. The one that is oldest makes room. 0 or FW_ENOMEM. */
int fw_record_put_ask(struct fw_record *r, const struct fw_ask *ask);
bool fw_record_drop_ask(struct fw_record *r, struct fw_str product); /* false: it was not asked for */
bool fw_record_drop_asks(struct fw_record *r, int64_t before_us);    /* those that are older; whether there were any */

#endif
