#include "fact/product_names.h"

#include <string.h>

bool fw_names_product(struct fw_str member)
{
	return fw_str_is(member, "product") || fw_str_is(member, "product_id");
}

bool fw_names_products(struct fw_str member)
{
	return fw_names_product(member) || fw_str_is(member, "products");
}

struct fw_str fw_product_named(const struct fw_json *value)
{
	return value->type == FW_JSON_STRING ? value->string : fw_json_text(value, "id");
}

bool fw_products_within(const struct fw_json *value)
{
	bool any = false;
	bool is_object = value->type == FW_JSON_OBJECT;
	for (const struct fw_json *m = is_object || value->type == FW_JSON_ARRAY ? value->child : NULL; m && !any; m = m->next)
		any = (is_object && fw_names_products(m->key)) || fw_products_within(m);
	return any;
}

bool fw_may_name_products(struct fw_str json)
{
	return json.n && memmem(json.p, json.n, "\"product", sizeof "\"product" - 1);
}
