/* `order { items = …, by = …, boost = …, pins = …, names = …, limit = … }`: what its table says, into what is in order.h.
 * Its items were written with the content; order_items.c looks at them. */
#include <lauxlib.h>
#include <math.h>
#include <stdio.h>

#include "rules/order_own.h"

static const struct fw_word order_words[] = {
	{ "items", 0, "(string|table)[]",
		"The list, in the order in which it stands where nothing else is so: ids of products, or tables." },
	{ "by", 0, "fw.order.by|fw.order.by[]|nil", "What it is put in order by; of several the next decides between equal ones." },
	{ "boost", 0, "fw.order.boost[]?", "What lifts an item, or lowers it." },
	{ "pins", 0, "table<integer, string>?", "Ids of items that keep their places: { \"first\", [4] = \"fourth\" }." },
	{ "names", 0, "fw.order.names?", "What the items call their category, for instance: { category = \"section\" }." },
	{ "limit", 0, "integer?", "So many are shown; all, where nothing is said." },
};
static const struct fw_word boost_words[] = {
	{ "where", 0, "table<string, any>?",
		"Which items: attributes, and what they are to be: { brand = \"Nordlys\", price = at_most(50) }." },
	{ "when", 0, "fw.when|(fun(v: fw.visitor): boolean?)|nil", "For which visitors; for all, where nothing is said." },
	{ "by", 0, "number?", "What is added to the item's number, which is from 0 to 1; less than 0 lowers it." },
	{ "mark", 0, "string?", "A name under which the item says `true` to the page." },
};

const struct fw_word *fw_words_of_order(size_t *ret_n)
{
	*ret_n = FW_FIELDS(order_words);
	return order_words;
}

const struct fw_word *fw_words_of_boost(size_t *ret_n)
{
	*ret_n = FW_FIELDS(boost_words);
	return boost_words;
}

/* The table at `index` has names, and none but these. */
static int check_words(struct fw_builder *b, struct fw_at *at, int index, const char *what, const struct fw_word *words, size_t n_words)
{
	struct fw_key *keys = NULL;
	size_t n = 0;
	int ret = fw_build_keys(b, at, index, &keys, &n);
	for (size_t i = 0; i < n && ret == 0; i++) {
		const char *name = keys[i].name.p;
		char hint[100] = "";
		size_t k = 0;
		if (!name)
			return fw_build_fail(b, at, "write name = value", "a value stands without a name");
		while (k < n_words && strcmp(words[k].name, name) != 0)
			k++;
		const char *nearest = k < n_words ? NULL : fw_nearest_in(name, &words[0].name, n_words, sizeof *words);
		if (nearest)
			snprintf(hint, sizeof hint, "did you mean \"%s\"?", nearest);
		if (k == n_words)
			ret = fw_build_fail_in(b, at, name, hint, "%s has no such field", what);
	}
	return ret;
}

bool fw_order_push(struct fw_builder *b, int table, const char *name)
{
	lua_pushstring(b->lua, name);
	bool there = lua_rawget(b->lua, table) != LUA_TNIL;
	if (!there)
		lua_pop(b->lua, 1);
	return there;
}

static bool is_plain(struct fw_builder *b, int index)
{
	return lua_type(b->lua, index) == LUA_TTABLE && !fw_words_tag(b->lua, index);
}

/* Reads each entry of the table at `index`: its value is on top of the stack, and the place has its name or number. */
typedef int read_entry(struct fw_order_build *o, struct fw_at *at, const struct fw_key *key, uint32_t i, void *to);

static int read_entries(struct fw_order_build *o, struct fw_at *at, int index, const struct fw_key *keys, size_t n, read_entry *read,
	void *to)
{
	int ret = 0;
	for (uint32_t i = 0; i < n && ret == 0; i++) {
		char place[24];
		snprintf(place, sizeof place, "#%lld", (long long)keys[i].position);
		size_t length = fw_at_enter(at, keys[i].name.p ? keys[i].name.p : place);
		fw_build_push(o->b, index, &keys[i]);
		ret = read(o, at, &keys[i], i, to);
		lua_pop(o->b->lua, 1);
		fw_at_leave(at, length);
	}
	return ret;
}

static int read_weight(struct fw_builder *b, struct fw_at *at, int index, double *ret)
{
	double x = lua_type(b->lua, index) == LUA_TNUMBER ? lua_tonumber(b->lua, index) : NAN;
	if (isnan(x) || fabs(x) > FW_LIMIT_ORDER_WEIGHT)
		return fw_build_fail(b, at, NULL, "a number from %d to %d was expected, not %s", -FW_LIMIT_ORDER_WEIGHT,
			FW_LIMIT_ORDER_WEIGHT,
			isnan(x) ? fw_build_type_name(b, index) : "one beyond");
	*ret = x;
	return 0;
}

static int read_name(struct fw_order_build *o, struct fw_at *at, const struct fw_key *key, uint32_t i, void *to)
{
	const char **own = key->name.p ? fw_order_own_name(o, key->name.p) : NULL;
	(void)i;
	(void)to;
	if (!own)
		return fw_build_fail(o->b, at, "the attributes that may have another name are product, category, brand, price and in_stock",
			"there is no attribute \"%s\" to be named", key->name.p ? key->name.p : "#");
	return fw_field_text(o->b, at, lua_gettop(o->b->lua), own);
}

/* names = { category = "section" } */
static int read_names(struct fw_order_build *o, struct fw_at *at, int index)
{
	struct fw_key *keys = NULL;
	size_t n = 0;
	if (!is_plain(o->b, index))
		return fw_build_fail(o->b, at, "write names = { category = \"section\" }", "names is a table, not %s",
			fw_build_type_name(o->b, index));
	int ret = fw_build_keys(o->b, at, index, &keys, &n);
	return ret < 0 ? ret : read_entries(o, at, index, keys, n, read_name, NULL);
}

static int read_part(struct fw_order_build *o, struct fw_at *at, const char *name, double weight, struct fw_order_part *ret)
{
	if (weight == 0)
		return fw_build_fail(o->b, at, "leave it out", "a weight of 0 says nothing");
	int code = fw_order_attribute(o, at, name, &ret->attribute);
	if (code == 0)
		code = fw_order_is_number(o, at, ret->attribute);
	ret->weight = weight;
	ret->low_first = code == 0 && o->attributes[ret->attribute].fact == FW_FACT_PRICE &&
		o->attributes[ret->attribute].kind == FW_ATTRIBUTE_PRODUCT;
	return code;
}

static int read_weighted(struct fw_order_build *o, struct fw_at *at, const struct fw_key *key, uint32_t i, void *to)
{
	struct fw_order_part *parts = to;
	double weight;
	if (!key->name.p)
		return fw_build_fail(o->b, at, "write by = { { affinity = 2, popularity = 1 }, \"price\" }",
			"a weight stands without a name");
	int ret = read_weight(o->b, at, lua_gettop(o->b->lua), &weight);
	return ret < 0 ? ret : read_part(o, at, key->name.p, weight, &parts[i]);
}

/* "affinity", or { affinity = 2, popularity = 1 }. */
static int read_key(struct fw_order_build *o, struct fw_at *at, int index, struct fw_order_key *ret)
{
	struct fw_builder *b = o->b;
	struct fw_key *keys = NULL;
	size_t n = 1;
	bool alone = lua_type(b->lua, index) == LUA_TSTRING;
	if (!alone && !is_plain(b, index))
		return fw_build_fail(b, at, "write by = \"affinity\", or with weights by = { affinity = 2, popularity = 1 }",
			"what to put it in order by is a name, or names with weights, not %s", fw_build_type_name(b, index));
	int code = alone ? 0 : fw_build_keys(b, at, index, &keys, &n);
	if (code == 0 && (n == 0 || n > FW_LIMIT_ORDER_PARTS))
		return fw_build_fail(b, at, NULL, n ? "there are more than %d weights" : "it names nothing", FW_LIMIT_ORDER_PARTS);
	struct fw_order_part *parts = FW_NEW_ARRAY(&b->set->arena, n, struct fw_order_part);
	if (!parts)
		return fw_build_no_memory(b);
	if (code == 0)
		code = alone ? read_part(o, at, fw_build_text_at(b, index), 1, parts)
			: read_entries(o, at, index, keys, n, read_weighted, parts);
	*ret = (struct fw_order_key){ parts, (uint32_t)n };
	return code;
}

static int read_next_key(struct fw_order_build *o, struct fw_at *at, const struct fw_key *key, uint32_t i, void *to)
{
	struct fw_order_key *keys = to;
	if (key->name.p)
		return fw_build_fail(o->b, at, "write by = { { affinity = 2, popularity = 1 }, \"price\" }",
			"a weight stands beside a list of what to put it in order by");
	return read_key(o, at, lua_gettop(o->b->lua), &keys[i]);
}

static int read_by(struct fw_order_build *o, struct fw_at *at, int index)
{
	struct fw_builder *b = o->b;
	struct fw_key *names = NULL;
	bool list = is_plain(b, index) && lua_rawlen(b->lua, index) > 0;
	size_t n = 1;
	int ret = list ? fw_build_keys(b, at, index, &names, &n) : 0;
	if (ret < 0)
		return ret;
	if (n > FW_LIMIT_ORDER_KEYS)
		return fw_build_fail(b, at, NULL, "there are more than %d one after the other", FW_LIMIT_ORDER_KEYS);
	struct fw_order_key *keys = FW_NEW_ARRAY(&b->set->arena, n, struct fw_order_key);
	if (!keys)
		return fw_build_no_memory(b);
	ret = list ? read_entries(o, at, index, names, n, read_next_key, keys) : read_key(o, at, index, keys);
	o->order.keys = keys;
	o->order.n_keys = (uint32_t)n;
	return ret;
}

static int read_test(struct fw_order_build *o, struct fw_at *at, const struct fw_key *key, uint32_t i, void *to)
{
	struct fw_order_test *t = (struct fw_order_test *)to + i;
	if (!key->name.p)
		return fw_build_fail(o->b, at, "write where = { category = \"boots\" }", "a value stands without an attribute");
	int ret = fw_order_attribute(o, at, key->name.p, &t->attribute);
	if (ret == 0)
		ret = fw_compile_attribute(o->b, at, lua_gettop(o->b->lua), key->name.p, &t->literal);
	return ret < 0 ? ret : fw_order_may_be(o, at, t->attribute, &o->b->literals.items[t->literal]);
}

/* where = { brand = "Nordlys", price = at_most(50) } */
static int read_where(struct fw_order_build *o, struct fw_at *at, int index, struct fw_order_boost *boost)
{
	struct fw_builder *b = o->b;
	struct fw_key *keys = NULL;
	size_t n = 0;
	if (!is_plain(b, index))
		return fw_build_fail(b, at, "write where = { category = \"boots\" }", "where is a table of attributes, not %s",
			fw_build_type_name(b, index));
	int ret = fw_build_keys(b, at, index, &keys, &n);
	if (ret == 0 && n == 0)
		return fw_build_fail(b, at, "leave it out for all items", "where names nothing");
	struct fw_order_test *tests = FW_NEW_ARRAY(&b->set->arena, n, struct fw_order_test);
	if (!tests)
		return fw_build_no_memory(b);
	if (ret == 0)
		ret = read_entries(o, at, index, keys, n, read_test, tests);
	boost->where = tests;
	boost->n_where = (uint32_t)n;
	return ret;
}

static int read_when(struct fw_order_build *o, struct fw_at *at, int index, struct fw_order_boost *boost)
{
	struct fw_condition_info info = { 0 };
	int ret = fw_compile_condition(o->b, at, index, &info, &boost->when);
	o->uses |= info.uses;
	o->functions |= info.has_functions;
	return ret;
}

static int read_mark(struct fw_order_build *o, struct fw_at *at, int index, struct fw_order_boost *boost)
{
	const char *name;
	int ret = fw_field_text(o->b, at, index, &name);
	return ret < 0 ? ret : fw_order_mark(o, at, name, &boost->mark);
}

static int read_lift(struct fw_order_build *o, struct fw_at *at, int index, struct fw_order_boost *boost)
{
	return read_weight(o->b, at, index, &boost->by);
}

static int read_boost(struct fw_order_build *o, struct fw_at *at, const struct fw_key *key, uint32_t number, void *to)
{
	static const struct {
		const char *name;
		int (*read)(struct fw_order_build *o, struct fw_at *at, int index, struct fw_order_boost *boost);
	} fields[] = { { "where", read_where }, { "when", read_when }, { "mark", read_mark }, { "by", read_lift } };
	struct fw_builder *b = o->b;
	struct fw_order_boost *boost = (struct fw_order_boost *)to + number;
	int index = lua_gettop(b->lua);
	bool by = false;
	(void)key;
	*boost = (struct fw_order_boost){ .when = FW_NONE, .mark = FW_NONE };
	if (!is_plain(b, index))
		return fw_build_fail(b, at, "write { where = { category = \"boots\" }, by = 0.5 }", "a boost is a table, not %s",
			fw_build_type_name(b, index));
	int ret = check_words(b, at, index, "a boost", boost_words, FW_FIELDS(boost_words));
	for (size_t i = 0; i < FW_FIELDS(fields) && ret == 0; i++) {
		if (!fw_order_push(b, index, fields[i].name))
			continue;
		by |= fields[i].read == read_lift;
		size_t length = fw_at_enter(at, fields[i].name);
		ret = fields[i].read(o, at, lua_gettop(b->lua), boost);
		fw_at_leave(at, length);
		lua_pop(b->lua, 1);
	}
	if (ret == 0 && boost->by == 0 && boost->mark == FW_NONE)
		ret = fw_build_fail(b, at, "by = 0.5 lifts, by = -0.5 lowers", by ? "to boost by 0 does nothing"
			: "by how much is it boosted?");
	if (ret == 0 && boost->n_where == 0)
		ret = fw_build_fail(b, at, "write where = { category = \"boots\" }", "which items is it for? One for all changes no order");
	return ret;
}

static int read_boosts(struct fw_order_build *o, struct fw_at *at, int index)
{
	struct fw_builder *b = o->b;
	struct fw_key *keys = NULL;
	size_t n = 0;
	bool table = is_plain(b, index);
	int ret = table ? fw_build_keys(b, at, index, &keys, &n) : 0;
	if (ret < 0)
		return ret;
	if (!table || n == 0 || keys[n - 1].name.p || keys[n - 1].position != (lua_Integer)n || keys[0].position != 1)
		return fw_build_fail(b, at, "write boost = { { where = { category = \"boots\" }, by = 0.5 } }",
			"boost is a list of tables");
	if (n > FW_LIMIT_ORDER_BOOSTS)
		return fw_build_fail(b, at, NULL, "there are more than %d boosts", FW_LIMIT_ORDER_BOOSTS);
	struct fw_order_boost *boosts = FW_NEW_ARRAY(&b->set->arena, n, struct fw_order_boost);
	if (!boosts)
		return fw_build_no_memory(b);
	o->order.boosts = boosts;
	o->order.n_boosts = (uint32_t)n;
	return read_entries(o, at, index, keys, n, read_boost, boosts);
}

static int read_pin(struct fw_order_build *o, struct fw_at *at, const struct fw_key *key, uint32_t i, void *to)
{
	struct fw_order_pin *pins = to;
	const char *id = NULL;
	int ret = fw_field_text(o->b, at, lua_gettop(o->b->lua), &id);
	if (ret == 0)
		ret = fw_order_find(o, at, id, &pins[i].item);
	for (uint32_t k = 0; k < i && ret == 0; k++)
		if (pins[k].item == pins[i].item)
			ret = fw_build_fail(o->b, at, NULL, "\"%s\" is pinned to two places", id);
	if (ret == 0 && key->position > (lua_Integer)o->order.limit)
		ret = fw_build_fail(o->b, at, NULL, "there are only %u places", o->order.limit);
	pins[i].place = (uint32_t)(key->position - 1);
	return ret;
}

/* pins = { "first", [4] = "fourth" } */
static int read_pins(struct fw_order_build *o, struct fw_at *at, int index)
{
	struct fw_builder *b = o->b;
	struct fw_key *keys = NULL;
	size_t n = 0;
	bool table = is_plain(b, index);
	int ret = table ? fw_build_keys(b, at, index, &keys, &n) : 0;
	if (ret < 0)
		return ret;
	if (!table || n == 0 || keys[n - 1].name.p || keys[0].position < 1)
		return fw_build_fail(b, at, "write pins = { \"ID\" }, or pins = { [3] = \"ID\" } for the third place",
			"pins are ids of items, each at its place");
	struct fw_order_pin *pins = FW_NEW_ARRAY(&b->set->arena, n, struct fw_order_pin);
	if (!pins)
		return fw_build_no_memory(b);
	o->order.pins = pins;
	o->order.n_pins = (uint32_t)n;
	return read_entries(o, at, index, keys, n, read_pin, pins);
}

static int read_limit(struct fw_order_build *o, struct fw_at *at, int index)
{
	uint32_t limit = 0;
	int ret = fw_field_count(o->b, at, index, &limit);
	if (ret == 0 && limit < o->order.n)
		o->order.limit = limit;
	return ret;
}

/* One order, whose table is on top of the stack. */
static int compile(struct fw_order_build *o, struct fw_at *at)
{
	static const struct {
		const char *name;
		int (*read)(struct fw_order_build *o, struct fw_at *at, int index);
	} fields[] = { { "names", read_names }, { "limit", read_limit }, { "by", read_by }, { "boost", read_boosts },
		{ "pins", read_pins } };
	struct fw_builder *b = o->b;
	int table = lua_gettop(b->lua);
	int ret = check_words(b, at, table, "an order", order_words, FW_FIELDS(order_words));
	for (size_t i = 0; i < FW_FIELDS(fields) && ret == 0; i++) {
		if (i == 1)
			ret = fw_order_look(o, at); /* by the names that they have */
		if (ret < 0 || !fw_order_push(b, table, fields[i].name))
			continue;
		size_t length = fw_at_enter(at, fields[i].name);
		ret = fields[i].read(o, at, lua_gettop(b->lua));
		fw_at_leave(at, length);
		lua_settop(b->lua, table);
	}
	return ret < 0 ? ret : fw_order_finish(o, at);
}

/* Whether content may name products between its ordered lists: of one that is called "products", its name says nothing. */
static bool names_products_between(const struct fw_content_orders *written, struct fw_str json)
{
	static const char list[] = "\"products\":", any[] = "\"product";
	bool found = false;
	size_t from = 0;
	for (uint32_t i = 0; i <= written->n && !found; i++) {
		size_t to = i < written->n ? written->items[i].from : json.n, n = to - from;
		if (i < written->n && n >= sizeof list - 1 && memcmp(json.p + to - (sizeof list - 1), list, sizeof list - 1) == 0)
			n -= sizeof list - 1;
		found = n && memmem(json.p + from, n, any, sizeof any - 1);
		from = i < written->n ? written->items[i].to : json.n;
	}
	return found;
}

int fw_order_compile(struct fw_builder *b, struct fw_at *at, int specs, const struct fw_content_orders *written, struct fw_str json,
	const struct fw_ordering **ret)
{
	*ret = NULL;
	if (written->n == 0)
		return 0;
	struct fw_ordering *all = FW_NEW(&b->set->arena, struct fw_ordering);
	struct fw_order *orders = FW_NEW_ARRAY(&b->set->arena, written->n, struct fw_order);
	if (!all || !orders)
		return fw_build_no_memory(b);
	int code = lua_checkstack(b->lua, 24) ? 0 : fw_build_no_memory(b);
	for (uint32_t i = 0; i < written->n && code == 0; i++) {
		struct fw_order_build o = { .b = b, .written = &written->items[i], .json = json, .names = { NULL } };
		memcpy(o.names, fw_order_names, sizeof o.names);
		size_t length = fw_at_enter(at, written->items[i].path);
		lua_rawgeti(b->lua, specs, (lua_Integer)i + 1);
		code = compile(&o, at);
		lua_settop(b->lua, specs);
		fw_at_leave(at, length);
		orders[i] = o.order;
		all->uses |= o.uses;
		all->functions |= o.functions;
		all->elsewhere |= o.elsewhere;
	}
	all->elsewhere |= names_products_between(written, json);
	all->orders = orders;
	all->n = written->n;
	*ret = all;
	return code;
}
