/* What the files share that compile an order. Not for others. */
#ifndef FW_RULES_ORDER_OWN_H
#define FW_RULES_ORDER_OWN_H

#include "rules/builder.h"
#include "rules/content.h"
#include "rules/order.h"

enum { FW_ORDER_NAMES = 5 };

/* An order while its table is read. */
struct fw_order_build {
	struct fw_builder *b;
	const struct fw_content_order *written;
	struct fw_str json;
	struct fw_order order;
	struct fw_order_item *items;                /* order.items, while they are made */
	struct fw_json **trees;                     /* of the items, in the scratch arena */
	struct fw_attribute attributes[FW_LIMIT_ORDER_ATTRIBUTES];
	struct fw_str marks[FW_LIMIT_ORDER_BOOSTS]; /* names, as they come */
	const char *names[FW_ORDER_NAMES];          /* what the items call product, category, brand, price, in_stock */
	unsigned uses;
	bool functions;
	bool elsewhere; /* an item names products besides those in fw_order_item.products */
};

/* Pushes the field of that name, if the table has it. */
bool fw_order_push(struct fw_builder *b, int table, const char *name);

/* Each of these: 0, or an error written.
 * The items: what each is, and what it is known by. */
int fw_order_look(struct fw_order_build *o, struct fw_at *at);
/* The number of an attribute by its name; an error where no item can have it. */
int fw_order_attribute(struct fw_order_build *o, struct fw_at *at, const char *name, uint32_t *ret);
/* Whether items can be put in order by it. */
int fw_order_is_number(struct fw_order_build *o, struct fw_at *at, uint32_t attribute);
/* Whether it can ever be what the literal asks for. */
int fw_order_may_be(struct fw_order_build *o, struct fw_at *at, uint32_t attribute, const struct fw_literal *l);
/* The number of a mark by its name. */
int fw_order_mark(struct fw_order_build *o, struct fw_at *at, const char *name, uint32_t *ret);
/* The item that has the id. */
int fw_order_find(struct fw_order_build *o, struct fw_at *at, const char *id, uint32_t *ret);
/* All that depends on the whole order: values of attributes, places of marks. */
int fw_order_finish(struct fw_order_build *o, struct fw_at *at);

/* Where it is noted what the items call the attribute; NULL: it has one name only. */
const char **fw_order_own_name(struct fw_order_build *o, const char *attribute);

#endif
