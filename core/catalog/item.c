#include "catalog/item.h"

#include <string.h>

#include "fact/products.h"

static const char *const names[FW_ITEM_FIELDS] = { "id", "title", "link", "image_link", "price", "sale_price",
	"sale_price_effective_date", "availability", "brand", "product_type" };

const char *fw_item_field_name(enum fw_item_field field)
{
	return names[field];
}

int fw_item_field(struct fw_str name)
{
	char word[32];
	name = fw_str_trim(name);
	if (!fw_products_word(name, word, sizeof word))
		return -1;
	for (int i = 0; i < FW_ITEM_FIELDS; i++)
		if (fw_str_is((struct fw_str){ word, name.n }, names[i]))
			return i;
	return -1;
}

void fw_item_init(struct fw_item *item)
{
	*item = (struct fw_item){ .line = 0 };
	fw_buf_init(&item->text, 0);
}

void fw_item_finish(struct fw_item *item)
{
	fw_buf_finish(&item->text);
}

void fw_item_clear(struct fw_item *item, int line)
{
	fw_buf_clear(&item->text);
	memset(item->fields, 0, sizeof item->fields);
	item->n_types = 0;
	item->line = line;
}

void fw_item_set(struct fw_item *item, enum fw_item_field field, struct fw_str text)
{
	size_t at = item->text.n;
	text = fw_str_trim(text);
	if (text.n == 0 || (field == FW_ITEM_TYPE ? item->n_types == FW_LIMIT_PRODUCT_TYPES : item->fields[field].n != 0))
		return;
	fw_buf_add(&item->text, text.p, text.n);
	if (item->text.failed)
		return;
	if (field == FW_ITEM_TYPE) {
		item->types[item->n_types].at = at;
		item->types[item->n_types++].n = text.n;
	} else {
		item->fields[field].at = at;
		item->fields[field].n = text.n;
	}
}

struct fw_str fw_item_get(const struct fw_item *item, enum fw_item_field field)
{
	return item->fields[field].n ? (struct fw_str){ item->text.data + item->fields[field].at, item->fields[field].n }
		: (struct fw_str){ NULL, 0 };
}
