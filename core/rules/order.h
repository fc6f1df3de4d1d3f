/* Lists of content that are put in order for each visitor, as a rule set has them: `order { items = …, by = …, boost = … }` in a rule's
 * `show`. Compiled at load (order.c, order_items.c); decide/order.h puts them in order.
 *
 * The content's JSON has each list as it is written. Where it stands there, and each item, is noted, so that another order is made of
 * pieces of that text. */
#ifndef FW_RULES_ORDER_H
#define FW_RULES_ORDER_H

#include "rules/condition.h"

/* Where what is asked of an item is from. */
enum fw_attribute_kind {
	FW_ATTRIBUTE_OWN,     /* what the rule writes beside it */
	FW_ATTRIBUTE_PRODUCT, /* that, or else what the catalogue has of the product: in_stock, price, category, brand */
	FW_ATTRIBUTE_SHARE,   /* the visitor's affinity for its category, its brand or itself */
	FW_ATTRIBUTE_COUNT,   /* how often the visitor viewed, added, bought or clicked it */
};

/* One thing that is asked of each item. */
struct fw_attribute {
	enum fw_attribute_kind kind;
	const char *name;     /* as the rule has it: "affinity", "price", "section" */
	enum fw_fact fact;    /* of all but FW_ATTRIBUTE_OWN */
	enum fw_key_kind key; /* FW_ATTRIBUTE_SHARE: of what */
	uint32_t source;      /* the same, of a category or a brand: the attribute that says which; else FW_NONE */
};

static inline bool fw_attribute_is_of_visitor(const struct fw_attribute *a)
{
	return a->kind == FW_ATTRIBUTE_SHARE || a->kind == FW_ATTRIBUTE_COUNT;
}

struct fw_order_item {
	struct fw_str json; /* in the content's */
	struct fw_str id;   /* as it is written; n 0: it has none */
	struct fw_str key;  /* the same, folded; n 0: none that a person or the catalogue could know it by */
	struct fw_str products[3]; /* what it goes with, when that is sold out: see decide/stock.h */
	uint32_t n_products;
	const uint32_t *mark_at; /* where in `json` each mark of the order has its place; NULL: there are none */
};

/* A part of what items are put in order by. */
struct fw_order_part {
	uint32_t attribute;
	double weight;  /* below 0: turned round */
	bool low_first; /* the lowest counts most: a price */
};
struct fw_order_key {
	const struct fw_order_part *parts;
	uint32_t n;
};

/* What an attribute has to be, for a boost. */
struct fw_order_test {
	uint32_t attribute, literal;
};
struct fw_order_boost {
	const struct fw_order_test *where; /* each must be true */
	uint32_t n_where;
	uint32_t when;  /* a node, or FW_NONE */
	double by;
	uint32_t mark;  /* in the order's marks, or FW_NONE */
};

/* An item that stands in one place, from 0, whatever else is so. */
struct fw_order_pin {
	uint32_t place, item;
};

struct fw_order {
	const char *name;   /* where its list stands in the content: "stories", "rows.2.products" */
	size_t from, to;    /* the same in the JSON, brackets included */
	const struct fw_order_item *items;
	const struct fw_attribute *attributes;
	const struct fw_value *values; /* what the rule writes, of each item all attributes; absent where it writes nothing */
	const struct fw_order_key *keys;
	const struct fw_order_boost *boosts;
	const struct fw_order_pin *pins; /* by place */
	const struct fw_str *marks;      /* `"name":true`, by name */
	uint32_t n, n_attributes, n_keys, n_boosts, n_pins, n_marks;
	uint32_t limit;     /* so many are shown */
};

struct fw_ordering {
	const struct fw_order *orders; /* in the order in which they stand in the content */
	uint32_t n;
	unsigned uses;   /* what they read, and the conditions of their boosts */
	bool functions;  /* a function decides one of those */
	bool elsewhere;  /* the content may name products besides those of the items: they are looked for as in any content */
};

#endif
