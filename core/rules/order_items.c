/* The items of an order: what they are known by, what is asked of them, and where their marks go. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "fact/product_names.h"
#include "rules/order_own.h"

enum { PRODUCT, CATEGORY, BRAND, PRICE, IN_STOCK }; /* in fw_order_build.names */

const char *const fw_order_names[FW_ORDER_NAMES + 1] = { "product", "category", "brand", "price", "in_stock", NULL };

static const struct fw_attribute known[] = {
	{ FW_ATTRIBUTE_SHARE, "affinity", FW_FACT_AFFINITY, FW_KEY_CATEGORY, FW_NONE },
	{ FW_ATTRIBUTE_SHARE, "affinity.category", FW_FACT_AFFINITY, FW_KEY_CATEGORY, FW_NONE },
	{ FW_ATTRIBUTE_SHARE, "affinity.brand", FW_FACT_AFFINITY, FW_KEY_BRAND, FW_NONE },
	{ FW_ATTRIBUTE_SHARE, "affinity.product", FW_FACT_AFFINITY, FW_KEY_PRODUCT, FW_NONE },
	{ FW_ATTRIBUTE_COUNT, "viewed", FW_FACT_VIEWED, FW_KEY_PRODUCT, FW_NONE },
	{ FW_ATTRIBUTE_COUNT, "added", FW_FACT_ADDED, FW_KEY_PRODUCT, FW_NONE },
	{ FW_ATTRIBUTE_COUNT, "bought", FW_FACT_BOUGHT, FW_KEY_PRODUCT, FW_NONE },
	{ FW_ATTRIBUTE_COUNT, "clicked", FW_FACT_CLICKED, FW_KEY_PRODUCT, FW_NONE },
	{ FW_ATTRIBUTE_PRODUCT, "in_stock", FW_FACT_IN_STOCK, FW_KEY_NONE, FW_NONE },
	{ FW_ATTRIBUTE_PRODUCT, "price", FW_FACT_PRICE, FW_KEY_NONE, FW_NONE },
	{ FW_ATTRIBUTE_PRODUCT, "category", FW_FACT_CATEGORY, FW_KEY_NONE, FW_NONE },
	{ FW_ATTRIBUTE_PRODUCT, "brand", FW_FACT_BRAND, FW_KEY_NONE, FW_NONE },
};

const char **fw_order_own_name(struct fw_order_build *o, const char *attribute)
{
	for (int i = 0; i < FW_ORDER_NAMES; i++)
		if (strcmp(fw_order_names[i], attribute) == 0)
			return &o->names[i];
	return NULL;
}

/* The member of an item that says the attribute, or NULL. */
static const struct fw_json *member(struct fw_order_build *o, uint32_t item, const char *attribute)
{
	const char **name = fw_order_own_name(o, attribute);
	const struct fw_json *v = fw_json_get(o->trees[item], name ? *name : attribute);
	return v && v->type != FW_JSON_NULL ? v : NULL;
}

static struct fw_str product_of(const struct fw_json *item, const char *name)
{
	const struct fw_json *v = fw_json_get(item, name);
	return v ? fw_product_named(v) : (struct fw_str){ NULL, 0 };
}

/* Whether an item names products besides those that it is known to go with: deeper, or in a list. */
static bool names_others(const struct fw_json *item)
{
	bool any = false;
	for (const struct fw_json *m = item->type == FW_JSON_OBJECT ? item->child : NULL; m && !any; m = m->next)
		any = fw_products_within(m) || (fw_names_products(m->key) && (!fw_names_product(m->key) || m->type == FW_JSON_ARRAY));
	return any;
}

static bool is_of_products(const struct fw_order_build *o)
{
	const char *dot = strrchr(o->written->path, '.');
	return strcmp(dot ? dot + 1 : o->written->path, "products") == 0;
}

static struct fw_str keep(struct fw_order_build *o, struct fw_str s)
{
	return (struct fw_str){ s.n ? fw_build_copy(o->b, s.p, s.n) : NULL, s.n };
}

static int look_at(struct fw_order_build *o, uint32_t i)
{
	struct fw_order_item *item = &o->items[i];
	const struct fw_json *tree = o->trees[i];
	struct fw_str id = tree->type == FW_JSON_STRING ? tree->string : product_of(tree, o->names[PRODUCT]);
	const struct fw_str named[] = { product_of(tree, "product"), product_of(tree, "product_id"),
		tree->type == FW_JSON_STRING ? tree->string : is_of_products(o) ? fw_json_text(tree, "id") : (struct fw_str){ NULL, 0 } };
	if (!id.n && strcmp(o->names[PRODUCT], "product") == 0)
		id = named[1].n ? named[1] : fw_json_text(tree, "id");
	item->id = keep(o, id);
	o->elsewhere |= names_others(tree);
	for (int k = 0; k < 3; k++)
		if (named[k].n)
			item->products[item->n_products++] = keep(o, named[k]);
	if (!id.n || id.n > FW_LIMIT_KEY_BYTES)
		return o->b->failed ? FW_ENOMEM : 0;
	char *folded = fw_build_copy(o->b, id.p, id.n);
	if (!folded)
		return FW_ENOMEM;
	fw_fold(id, folded);
	item->key = (struct fw_str){ folded, id.n };
	return 0;
}

int fw_order_look(struct fw_order_build *o, struct fw_at *at)
{
	struct fw_builder *b = o->b;
	const struct fw_content_order *w = o->written;
	o->trees = FW_NEW_ARRAY(&b->scratch, w->n, struct fw_json *);
	o->items = FW_NEW_ARRAY(&b->set->arena, w->n, struct fw_order_item);
	if (!o->trees || !o->items)
		return fw_build_no_memory(b);
	o->order = (struct fw_order){ .name = fw_build_copy(b, w->path, strlen(w->path)), .from = w->from, .to = w->to, .items = o->items,
		.n = w->n, .limit = w->n };
	int ret = o->order.name ? 0 : FW_ENOMEM;
	for (uint32_t i = 0; i < w->n && ret == 0; i++) {
		o->items[i].json = (struct fw_str){ o->json.p + w->items[i], w->items[i + 1] - w->items[i] - 1 };
		if (fw_json_parse(&b->scratch, o->items[i].json.p, o->items[i].json.n, &o->trees[i], NULL) < 0)
			return fw_build_no_memory(b);
		enum fw_json_type type = o->trees[i]->type;
		if (type != FW_JSON_OBJECT && type != FW_JSON_STRING)
			return fw_build_fail_in(b, at, "items", "write { id = \"a\", category = \"boots\" }",
				"item %u is %s, and neither a product's id nor a table", i + 1, fw_json_type_name(type));
		if (type == FW_JSON_STRING && !is_of_products(o))
			return fw_build_fail_in(b, at, "items", "write products = order { … }, or { id = \"…\" } for what is no product",
				"a list of products' ids is called products");
		ret = look_at(o, i);
	}
	return ret;
}

static bool some_has(struct fw_order_build *o, const char *attribute)
{
	for (uint32_t i = 0; i < o->order.n; i++)
		if (member(o, i, attribute))
			return true;
	return false;
}

static bool some_has_key(const struct fw_order_build *o)
{
	for (uint32_t i = 0; i < o->order.n; i++)
		if (o->items[i].key.n)
			return true;
	return false;
}

/* A name that no item has: perhaps it is one that is known, or that the first items have. */
static int refuse_name(struct fw_order_build *o, struct fw_at *at, const char *name)
{
	const char *nearest = fw_nearest_in(name, &known[0].name, FW_FIELDS(known), sizeof *known);
	for (uint32_t i = 0; i < o->order.n && !nearest; i++)
		for (const struct fw_json *m = o->trees[i]->type == FW_JSON_OBJECT ? o->trees[i]->child : NULL; m && !nearest; m = m->next)
			nearest = fw_nearest(name, &m->key.p, 1);
	char hint[160];
	if (nearest)
		snprintf(hint, sizeof hint, "did you mean \"%.100s\"?", nearest);
	else
		snprintf(hint, sizeof hint,
			"it is affinity, viewed, added, bought, clicked, in_stock, price, category, brand, or what items have");
	return fw_build_fail(o->b, at, hint, "no item has \"%s\"", name);
}

static int check_there(struct fw_order_build *o, struct fw_at *at, const struct fw_attribute *a)
{
	char hint[120];
	switch (a->kind) {
	case FW_ATTRIBUTE_OWN:
		return some_has(o, a->name) ? 0 : refuse_name(o, at, a->name);
	case FW_ATTRIBUTE_PRODUCT:
		if (some_has(o, a->name) || some_has_key(o))
			return 0;
		snprintf(hint, sizeof hint, "if they call it something else: names = { %s = \"…\" }", a->name);
		return fw_build_fail(o->b, at, hint, "no item tells its %s", a->name);
	default:
		if (a->source != FW_NONE || some_has_key(o))
			return 0;
		return fw_build_fail(o->b, at, "give them an id; if they call it something else: names = { product = \"…\" }",
			"no item has an id to know it by");
	}
}

int fw_order_attribute(struct fw_order_build *o, struct fw_at *at, const char *name, uint32_t *ret)
{
	struct fw_attribute a = { .kind = FW_ATTRIBUTE_OWN, .source = FW_NONE };
	for (uint32_t i = 0; i < o->order.n_attributes; i++)
		if (strcmp(o->attributes[i].name, name) == 0) {
			*ret = i;
			return 0;
		}
	for (size_t i = 0; i < FW_FIELDS(known); i++)
		if (strcmp(known[i].name, name) == 0)
			a = known[i];
	a.name = fw_build_copy(o->b, name, strlen(name));
	if (!a.name)
		return FW_ENOMEM;
	int code = 0;
	if (a.kind == FW_ATTRIBUTE_SHARE && a.key != FW_KEY_PRODUCT)
		code = fw_order_attribute(o, at, a.key == FW_KEY_BRAND ? "brand" : "category", &a.source);
	if (code == 0)
		code = check_there(o, at, &a);
	if (code == 0 && o->order.n_attributes == FW_LIMIT_ORDER_ATTRIBUTES)
		code = fw_build_fail(o->b, at, NULL, "an order asks for at most %d attributes", FW_LIMIT_ORDER_ATTRIBUTES);
	if (code < 0)
		return code;
	if (fw_attribute_is_of_visitor(&a))
		o->uses |= fw_fact_info(a.fact)->uses;
	*ret = o->order.n_attributes;
	o->attributes[o->order.n_attributes++] = a;
	return 0;
}

int fw_order_is_number(struct fw_order_build *o, struct fw_at *at, uint32_t attribute)
{
	const struct fw_attribute *a = &o->attributes[attribute];
	if (a->kind == FW_ATTRIBUTE_PRODUCT && (a->fact == FW_FACT_CATEGORY || a->fact == FW_FACT_BRAND))
		return fw_build_fail(o->b, at, "affinity is how much a visitor is interested in it; boost has `where` for one of them",
			"%s is no number", a->name);
	for (uint32_t i = 0; i < o->order.n && a->kind <= FW_ATTRIBUTE_PRODUCT; i++) {
		const struct fw_json *v = member(o, i, a->name);
		if (v && v->type != FW_JSON_NUMBER && v->type != FW_JSON_BOOL)
			return fw_build_fail(o->b, at, "items are put in order by numbers, or by true before false",
				"\"%s\" of item %u (\"%.60s\") is no number", a->name, i + 1, o->items[i].id.n ? o->items[i].id.p : "");
	}
	return 0;
}

static bool is_beyond_share(const struct fw_literal *l)
{
	bool low = isfinite(l->low) && (l->low < 0 || l->low > 1), high = isfinite(l->high) && (l->high < 0 || l->high > 1);
	return l->op == FW_OP_RANGE && (low || high);
}

int fw_order_may_be(struct fw_order_build *o, struct fw_at *at, uint32_t attribute, const struct fw_literal *l)
{
	const struct fw_attribute *a = &o->attributes[attribute];
	const char *wanted = NULL;
	if (l->op == FW_OP_KNOWN || l->op == FW_OP_UNKNOWN || a->kind == FW_ATTRIBUTE_OWN)
		return 0;
	if (a->kind == FW_ATTRIBUTE_SHARE && (l->as != FW_AS_NUMBER || is_beyond_share(l)))
		wanted = "a share from 0 to 1: write at_least(0.3)";
	else if (a->kind == FW_ATTRIBUTE_COUNT && l->as != FW_AS_BOOL && l->as != FW_AS_NUMBER)
		wanted = "true, false, or how often: write at_least(2)";
	else if (a->kind == FW_ATTRIBUTE_PRODUCT && a->fact == FW_FACT_IN_STOCK && l->as != FW_AS_BOOL)
		wanted = "true or false";
	else if (a->kind == FW_ATTRIBUTE_PRODUCT && a->fact == FW_FACT_PRICE && l->as != FW_AS_NUMBER)
		wanted = "an amount of money: write at_most(50)";
	else if (a->kind == FW_ATTRIBUTE_PRODUCT && a->fact >= FW_FACT_CATEGORY && l->as != FW_AS_TEXT)
		wanted = "text";
	return wanted ? fw_build_fail(o->b, at, NULL, "%s is %s", a->name, wanted) : 0;
}

int fw_order_mark(struct fw_order_build *o, struct fw_at *at, const char *name, uint32_t *ret)
{
	struct fw_str text = fw_str(name);
	for (uint32_t i = 0; i < o->order.n; i++) {
		if (o->trees[i]->type == FW_JSON_STRING)
			return fw_build_fail(o->b, at, "write it as a table: { id = \"…\" }", "item %u is an id, and cannot be marked",
				i + 1);
		if (fw_json_member(o->trees[i], text))
			return fw_build_fail(o->b, at, "choose another name", "item %u has \"%s\" already", i + 1, name);
	}
	for (*ret = 0; *ret < o->order.n_marks; ++*ret)
		if (fw_str_equal(o->marks[*ret], text))
			return 0;
	o->marks[o->order.n_marks++] = text;
	return 0;
}

int fw_order_find(struct fw_order_build *o, struct fw_at *at, const char *id, uint32_t *ret)
{
	const char **ids = FW_NEW_ARRAY(&o->b->scratch, o->order.n + 1, const char *);
	size_t n = 0;
	if (!ids)
		return fw_build_no_memory(o->b);
	for (uint32_t i = 0; i < o->order.n; i++) {
		if (o->items[i].id.n && fw_str_equal_fold(o->items[i].id, fw_str(id))) {
			*ret = i;
			return 0;
		}
		if (o->items[i].id.n)
			ids[n++] = o->items[i].id.p;
	}
	return fw_build_no_such(o->b, at, "item", id, ids, n, sizeof *ids);
}

/* Where the object's k-th member begins, from 0; its closing brace, if it has no more than k. */
static uint32_t member_at(struct fw_str json, uint32_t k)
{
	unsigned depth = 0;
	bool quoted = false;
	for (uint32_t i = 0; i < json.n && k; i++) {
		char c = json.p[i];
		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '{' || c == '['))
			depth++;
		else if (!quoted && (c == '}' || c == ']'))
			depth--;
		else if (!quoted && c == ',' && depth == 1 && --k == 0)
			return i + 1;
	}
	return k ? (uint32_t)json.n - 1 : 1;
}

static int compare_marks(const void *x, const void *y)
{
	return fw_str_compare(*(const struct fw_str *)x, *(const struct fw_str *)y);
}

/* Marks by name, as objects have their members; boosts name them by their numbers. */
static void sort_marks(struct fw_order_build *o, struct fw_order_boost *boosts)
{
	struct fw_str before[FW_LIMIT_ORDER_BOOSTS];
	memcpy(before, o->marks, sizeof before);
	qsort(o->marks, o->order.n_marks, sizeof *o->marks, compare_marks);
	for (uint32_t i = 0; i < o->order.n_boosts; i++)
		for (uint32_t k = 0; boosts[i].mark != FW_NONE && k < o->order.n_marks; k++)
			if (fw_str_equal(o->marks[k], before[boosts[i].mark])) {
				boosts[i].mark = k;
				break;
			}
}

static int place_marks(struct fw_order_build *o, struct fw_at *at)
{
	struct fw_arena *a = &o->b->set->arena;
	uint32_t n = o->order.n_marks;
	size_t bytes = 0;
	struct fw_str *texts = FW_NEW_ARRAY(a, n, struct fw_str);
	if (!texts)
		return fw_build_no_memory(o->b);
	for (uint32_t k = 0; k < n; k++) {
		struct fw_str written = fw_json_written(a, o->marks[k]);
		const char *text = written.p ? fw_arena_printf(a, "%.*s:true", (int)written.n, written.p) : NULL;
		if (!text)
			return fw_build_no_memory(o->b);
		texts[k] = fw_str(text);
		bytes += texts[k].n + 1;
	}
	if (o->json.n + bytes * o->order.n > FW_LIMIT_CONTENT_BYTES)
		return fw_build_fail(o->b, at, NULL, "with its marks the content is larger than the limit for one winner");
	for (uint32_t i = 0; i < o->order.n; i++) {
		uint32_t *places = FW_NEW_ARRAY(a, n, uint32_t);
		if (!places)
			return fw_build_no_memory(o->b);
		for (uint32_t k = 0; k < n; k++) {
			uint32_t before = 0;
			for (const struct fw_json *m = o->trees[i]->child; m; m = m->next)
				before += fw_str_compare(m->key, o->marks[k]) < 0;
			places[k] = before < o->trees[i]->count ? member_at(o->items[i].json, before) : (uint32_t)o->items[i].json.n - 1;
		}
		o->items[i].mark_at = places;
	}
	o->order.marks = texts;
	return 0;
}

int fw_order_finish(struct fw_order_build *o, struct fw_at *at)
{
	struct fw_arena *a = &o->b->set->arena;
	uint32_t n = o->order.n_attributes;
	struct fw_attribute *attributes = FW_NEW_ARRAY(a, n, struct fw_attribute);
	struct fw_value *values = FW_NEW_ARRAY(a, (size_t)n * o->order.n, struct fw_value);
	struct fw_order_boost *boosts = FW_NEW_ARRAY(a, o->order.n_boosts, struct fw_order_boost);
	if (!attributes || !values || !boosts)
		return fw_build_no_memory(o->b);
	memcpy(attributes, o->attributes, n * sizeof *attributes);
	for (uint32_t i = 0; i < o->order.n; i++)
		for (uint32_t k = 0; k < n; k++) {
			const struct fw_json *v = attributes[k].kind <= FW_ATTRIBUTE_PRODUCT ? member(o, i, attributes[k].name) : NULL;
			if (v && fw_value_json(a, v, &values[i * n + k]) < 0)
				return fw_build_no_memory(o->b);
		}
	if (o->order.n_boosts)
		memcpy(boosts, o->order.boosts, o->order.n_boosts * sizeof *boosts);
	sort_marks(o, boosts);
	o->order.attributes = attributes;
	o->order.values = values;
	o->order.boosts = boosts;
	return o->order.n_marks ? place_marks(o, at) : 0;
}
