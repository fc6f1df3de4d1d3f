/* A product as a feed tells it: texts, not looked at yet. What the forms of a feed have in common. */
#ifndef FW_CATALOG_ITEM_H
#define FW_CATALOG_ITEM_H

#include "base/buf.h"
#include "base/limits.h"

enum fw_item_field {
	FW_ITEM_ID, FW_ITEM_TITLE, FW_ITEM_LINK, FW_ITEM_IMAGE, FW_ITEM_PRICE, FW_ITEM_SALE_PRICE, FW_ITEM_SALE_DATES,
	FW_ITEM_AVAILABILITY, FW_ITEM_BRAND, FW_ITEM_TYPE, /* product_type: there may be several */
	FW_ITEM_FIELDS,
};

/* The field of that name, as the Google Merchant specification has it ("image_link"; " " and "-" stand for "_", case does not count);
 * -1: no field that is used. */
int fw_item_field(struct fw_str name);
const char *fw_item_field_name(enum fw_item_field field);

struct fw_item {
	struct fw_buf text;      /* all its texts, one behind the other */
	struct { size_t at, n; } fields[FW_ITEM_TYPE]; /* n 0: not told */
	struct { size_t at, n; } types[FW_LIMIT_PRODUCT_TYPES];
	unsigned n_types;
	int line;                /* where it begins */
};

void fw_item_init(struct fw_item *item);
void fw_item_finish(struct fw_item *item);
/* Forgets it; the next one begins on that line. */
void fw_item_clear(struct fw_item *item, int line);
/* Sets a field that was not told yet, trimmed; one more product_type. Later tellings of the others do not count. Memory that runs
 * out is in item->text.failed. */
void fw_item_set(struct fw_item *item, enum fw_item_field field, struct fw_str text);
struct fw_str fw_item_get(const struct fw_item *item, enum fw_item_field field);

#endif
