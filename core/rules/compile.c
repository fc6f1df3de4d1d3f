#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>

#include "fact/given.h"
#include "rules/builder.h"

/* A key of a Lua table, so that tables are read in one order on every machine: positions first, then names bytewise. */
struct key {
	struct fw_str name; /* p NULL: a position */
	lua_Integer position;
};

static int compare_keys(const void *x, const void *y)
{
	const struct key *a = x, *b = y;
	if (!a->name.p || !b->name.p)
		return a->name.p ? 1 : b->name.p ? -1 : (a->position > b->position) - (a->position < b->position);
	return fw_str_compare(a->name, b->name);
}

/* The table's keys, sorted; to be freed. */
static int read_keys(struct fw_builder *b, const struct fw_at *at, int table, struct key **ret_keys, size_t *ret_n)
{
	lua_State *L = b->lua;
	size_t n = 0, size = 8;
	struct key *keys = malloc(size * sizeof *keys);
	for (lua_pushnil(L); keys && lua_next(L, table); lua_pop(L, 1)) {
		if (n == size) {
			struct key *more = realloc(keys, (size *= 2) * sizeof *keys);
			if (!more) {
				free(keys);
				keys = NULL;
				break;
			}
			keys = more;
		}
		if (lua_type(L, -2) == LUA_TSTRING) {
			size_t length;
			keys[n].name.p = lua_tolstring(L, -2, &length);
			keys[n++].name.n = length;
		} else if (lua_isinteger(L, -2)) {
			keys[n++] = (struct key){ .position = lua_tointeger(L, -2) };
		} else {
			free(keys);
			lua_pop(L, 2);
			return fw_build_fail(b, at, NULL, "a key of a condition is the name of a fact");
		}
	}
	if (!keys)
		return fw_build_no_memory(b);
	qsort(keys, n, sizeof *keys, compare_keys);
	*ret_keys = keys;
	*ret_n = n;
	return 0;
}

static void push_key(struct fw_builder *b, int table, const struct key *key)
{
	if (key->name.p) {
		lua_pushlstring(b->lua, key->name.p, key->name.n);
		lua_rawget(b->lua, table);
	} else {
		lua_rawgeti(b->lua, table, key->position);
	}
}

/* Children of a node being gathered. */
struct parts {
	uint32_t *nodes;
	uint32_t n, size;
};

static int add_part(struct fw_builder *b, struct parts *p, uint32_t node)
{
	if (p->n == p->size) {
		uint32_t size = p->size ? p->size * 2 : 8;
		uint32_t *more = realloc(p->nodes, size * sizeof *more);
		if (!more)
			return fw_build_no_memory(b);
		p->nodes = more;
		p->size = size;
	}
	p->nodes[p->n++] = node;
	return 0;
}

/* A fact named in a table counts once for the specificity. */
static int count_fact(struct fw_builder *b, struct fw_condition_info *info, const char *name, size_t n)
{
	for (uint32_t i = 0; i < info->n_facts; i++)
		if (fw_str_equal(info->facts[i], (struct fw_str){ name, n }))
			return 0;
	if (info->n_facts == info->size) {
		uint32_t size = info->size ? info->size * 2 : 8;
		struct fw_str *more = FW_NEW_ARRAY(&b->set->arena, size, struct fw_str);
		if (!more)
			return fw_build_no_memory(b);
		for (uint32_t i = 0; i < info->n_facts; i++)
			more[i] = info->facts[i];
		info->facts = more;
		info->size = size;
	}
	char *copy = fw_build_copy(b, name, n);
	if (!copy)
		return FW_ENOMEM;
	info->facts[info->n_facts++] = (struct fw_str){ copy, n };
	info->specificity++;
	return 0;
}

static int unknown_name(struct fw_builder *b, struct fw_at *at, const char *what, struct fw_str name, const char *const *names, size_t n)
{
	char copy[80], hint[160] = "";
	snprintf(copy, sizeof copy, "%.*s", (int)(name.n < 79 ? name.n : 79), name.p);
	const char *nearest = fw_nearest(copy, names, n);
	if (nearest)
		snprintf(hint, sizeof hint, "did you mean \"%s\"?", nearest);
	else if (strcmp(copy, "any") == 0 || strcmp(copy, "all") == 0 || strcmp(copy, "none") == 0)
		snprintf(hint, sizeof hint, "write %s { … } without the \"=\"", copy);
	else if (n <= 8)
		for (size_t i = 0, length = 0; i < n && length < sizeof hint; i++)
			length += (size_t)snprintf(hint + length, sizeof hint - length, "%s%s", i ? ", " : "it is one of ", names[i]);
	return fw_build_fail(b, at, hint, "there is no %s \"%s\"", what, copy);
}

static size_t count(const char *const *names)
{
	size_t n = 0;
	while (names[n])
		n++;
	return n;
}

/* Members of a family (traits = { plan = … }) or of the cart. */
typedef int (*member_compiler)(struct fw_builder *b, struct fw_at *at, int index, struct fw_str name, struct fw_condition_info *info, struct parts *into);

/* The table of members is a conjunction of its own, wherever it stands. */
static int compile_members(struct fw_builder *b, struct fw_at *at, int index, const char *what, member_compiler compile, struct fw_condition_info *info, struct parts *into)
{
	struct key *keys;
	struct parts own = { 0 };
	uint32_t node;
	size_t n;
	if (lua_type(b->lua, index) != LUA_TTABLE || fw_words_tag(b->lua, index)) {
		char hint[100];
		snprintf(hint, sizeof hint, "write %s = { name = … }", what);
		return fw_build_fail(b, at, hint, "%s takes a table of names", what);
	}
	int ret = read_keys(b, at, index, &keys, &n);
	if (ret < 0)
		return ret;
	if (n == 0)
		ret = fw_build_fail(b, at, NULL, "%s names nothing", what);
	for (size_t i = 0; i < n && ret == 0; i++) {
		if (!keys[i].name.p) {
			ret = fw_build_fail(b, at, NULL, "%s takes names, not a list", what);
			break;
		}
		size_t length = fw_at_enter(at, keys[i].name.p);
		push_key(b, index, &keys[i]);
		ret = compile(b, at, lua_gettop(b->lua), keys[i].name, info, &own);
		lua_pop(b->lua, 1);
		fw_at_leave(at, length);
	}
	if (ret == 0)
		ret = fw_build_node(b, FW_NODE_ALL, own.nodes, own.n, &node);
	if (ret == 0)
		ret = add_part(b, into, node);
	free(own.nodes);
	free(keys);
	return ret;
}

static int compile_ref(struct fw_builder *b, struct fw_at *at, int index, const struct fw_ref *ref, struct fw_condition_info *info, struct parts *into)
{
	uint32_t node;
	info->uses |= fw_fact_info(ref->fact)->uses;
	int ret = fw_compile_matcher(b, at, index, ref, &node);
	return ret < 0 ? ret : add_part(b, into, node);
}

static int compile_family_member(struct fw_builder *b, struct fw_at *at, int index, enum fw_fact family, struct fw_str name, struct fw_condition_info *info, struct parts *into)
{
	char *copy = fw_build_copy(b, name.p, name.n), full[160];
	if (!copy)
		return FW_ENOMEM;
	int n = snprintf(full, sizeof full, "%s.%s", fw_fact_info(family)->name, copy);
	struct fw_ref ref = { .fact = family, .member = { copy, name.n } };
	int ret = count_fact(b, info, full, (size_t)n < sizeof full ? (size_t)n : sizeof full - 1);
	return ret < 0 ? ret : compile_ref(b, at, index, &ref, info, into);
}

static int compile_trait(struct fw_builder *b, struct fw_at *at, int index, struct fw_str name, struct fw_condition_info *info, struct parts *into)
{
	return compile_family_member(b, at, index, FW_FACT_TRAIT, name, info, into);
}

static int compile_event(struct fw_builder *b, struct fw_at *at, int index, struct fw_str name, struct fw_condition_info *info, struct parts *into)
{
	return compile_family_member(b, at, index, FW_FACT_EVENT, name, info, into);
}

static int compile_engagement(struct fw_builder *b, struct fw_at *at, int index, struct fw_str name, struct fw_condition_info *info, struct parts *into)
{
	return compile_family_member(b, at, index, FW_FACT_ENGAGEMENT, name, info, into);
}

static int compile_single(struct fw_builder *b, struct fw_at *at, int index, enum fw_fact fact, struct fw_condition_info *info, struct parts *into)
{
	const char *name = fw_fact_info(fact)->name;
	struct fw_ref ref = { .fact = fact };
	int ret = count_fact(b, info, name, strlen(name));
	return ret < 0 ? ret : compile_ref(b, at, index, &ref, info, into);
}

static int compile_cart_contains(struct fw_builder *b, struct fw_at *at, int index, struct fw_str name, struct fw_condition_info *info, struct parts *into)
{
	static const char *const words[] = { "category", "product", "brand" };
	for (int i = 0; i < 3; i++)
		if (fw_str_is(name, words[i]))
			return compile_single(b, at, index, (enum fw_fact)(FW_FACT_CART_CATEGORY + i), info, into);
	return unknown_name(b, at, "cart.contains", name, words, 3);
}

static int compile_cart(struct fw_builder *b, struct fw_at *at, int index, struct fw_str name, struct fw_condition_info *info, struct parts *into)
{
	static const char *const words[] = { "items", "total", "age", "contains" };
	static const enum fw_fact facts[] = { FW_FACT_CART_ITEMS, FW_FACT_CART_TOTAL, FW_FACT_CART_AGE };
	for (int i = 0; i < 3; i++)
		if (fw_str_is(name, words[i]))
			return compile_single(b, at, index, facts[i], info, into);
	if (fw_str_is(name, "contains"))
		return compile_members(b, at, index, "cart.contains", compile_cart_contains, info, into);
	return unknown_name(b, at, "fact of the cart", name, words, 4);
}

static uint32_t find_segment(struct fw_builder *b, const struct fw_at *at, struct fw_str name)
{
	bool compliance = b->sources.items[at->declaration->source].compliance;
	uint32_t found = fw_map_get(&b->segment_ids[compliance], name);
	return found != FW_MAP_NONE || compliance ? found : fw_map_get(&b->segment_ids[1], name);
}

static int compile_segment_name(struct fw_builder *b, struct fw_at *at, int index, struct fw_condition_info *info, uint32_t *ret_node)
{
	size_t n;
	if (lua_type(b->lua, index) != LUA_TSTRING)
		return fw_build_fail(b, at, "write segment = \"name\"", "a segment is named by text");
	const char *name = lua_tolstring(b->lua, index, &n);
	uint32_t segment = find_segment(b, at, (struct fw_str){ name, n });
	if (segment == FW_MAP_NONE) {
		uint32_t known = b->set->n_segments;
		const char **names = calloc(known + 1, sizeof *names);
		for (uint32_t i = 0; names && i < known; i++)
			names[i] = b->set->segments[i].id;
		int ret = unknown_name(b, at, "segment", (struct fw_str){ name, n }, names, names ? known : 0);
		free(names);
		return ret;
	}
	int ret = count_fact(b, info, "segment", strlen("segment")); /* one fact, however many are named */
	if (ret < 0 || (ret = fw_compile_segment(b, segment)) < 0)
		return ret;
	info->uses |= b->set->segments[segment].uses;
	info->has_functions |= !b->set->segments[segment].pure;
	struct fw_ref ref = { .fact = FW_FACT_SEGMENT, .segment = segment };
	struct fw_literal l = { .op = FW_OP_TRUE };
	return fw_build_literal(b, &ref, &l, ret_node);
}

/* segment = "a", { "a", "b" }, all_of { … } or is_not(…) of these. */
static int compile_segments(struct fw_builder *b, struct fw_at *at, int index, struct fw_condition_info *info, uint32_t *ret_node)
{
	lua_State *L = b->lua;
	const char *tag = fw_words_tag(L, index);
	if (lua_type(L, index) != LUA_TTABLE)
		return compile_segment_name(b, at, index, info, ret_node);
	if (tag && strcmp(tag, "is_not") != 0 && strcmp(tag, "all_of") != 0)
		return fw_build_fail(b, at, "write segment = \"name\"", "%s does not go with a segment", tag);
	int list = index;
	int top = lua_gettop(L);
	if (tag) {
		lua_rawgeti(L, index, 1);
		list = lua_gettop(L);
	}
	uint32_t node = FW_NONE;
	int ret = 0;
	if (tag && strcmp(tag, "is_not") == 0) {
		ret = compile_segments(b, at, list, info, &node);
		if (ret == 0)
			ret = fw_build_node(b, FW_NODE_NOT, &node, 1, &node);
	} else if (lua_type(L, list) != LUA_TTABLE || lua_rawlen(L, list) == 0) {
		ret = fw_build_fail(b, at, NULL, "a list of segments names at least one");
	} else {
		struct parts parts = { 0 };
		for (lua_Integer i = 1; i <= (lua_Integer)lua_rawlen(L, list) && ret == 0; i++) {
			lua_rawgeti(L, list, i);
			ret = compile_segment_name(b, at, lua_gettop(L), info, &node);
			lua_pop(L, 1);
			if (ret == 0)
				ret = add_part(b, &parts, node);
		}
		if (ret == 0)
			ret = fw_build_node(b, tag ? FW_NODE_ALL : FW_NODE_ANY, parts.nodes, parts.n, &node);
		free(parts.nodes);
	}
	lua_settop(L, top);
	*ret_node = node;
	return ret;
}

static int compile_fact(struct fw_builder *b, struct fw_at *at, int index, struct fw_str name, struct fw_condition_info *info, struct parts *into)
{
	uint32_t node;
	if (fw_str_is(name, "cart"))
		return compile_members(b, at, index, "cart", compile_cart, info, into);
	if (fw_str_is(name, "traits"))
		return compile_members(b, at, index, "traits", compile_trait, info, into);
	if (fw_str_is(name, "event"))
		return compile_members(b, at, index, "event", compile_event, info, into);
	if (fw_str_is(name, "engagement"))
		return compile_members(b, at, index, "engagement", compile_engagement, info, into);
	if (fw_str_is(name, "segment")) {
		int ret = compile_segments(b, at, index, info, &node);
		return ret < 0 ? ret : add_part(b, into, node);
	}
	int fact = memchr(name.p, '.', name.n) ? -1 : fw_fact_find(name);
	if (fact < 0)
		return unknown_name(b, at, "fact", name, fw_fact_words(), count(fw_fact_words()));
	if (fact < FW_FACT_SINGLE)
		return compile_single(b, at, index, (enum fw_fact)fact, info, into);
	info->uses |= fw_fact_info((enum fw_fact)fact)->uses;
	int ret = count_fact(b, info, name.p, name.n);
	if (ret == 0)
		ret = fw_compile_query(b, at, index, (enum fw_fact)fact, &node);
	return ret < 0 ? ret : add_part(b, into, node);
}

static int compile_function(struct fw_builder *b, struct fw_at *at, int index, struct fw_condition_info *info, uint32_t *ret_node)
{
	uint32_t function;
	info->has_functions = true;
	int ret = fw_build_function(b, at, index, &function);
	if (ret < 0)
		return ret;
	struct fw_node *node = FW_ADD(&b->nodes);
	if (!node)
		return fw_build_no_memory(b);
	*node = (struct fw_node){ FW_NODE_FUNCTION, function, 0 };
	*ret_node = b->nodes.n - 1;
	return 0;
}

static int compile_table(struct fw_builder *b, struct fw_at *at, int index, const char *group, struct fw_condition_info *info, uint32_t *ret_node);

static int compile_positional(struct fw_builder *b, struct fw_at *at, int index, const char *group, struct fw_condition_info *info, struct parts *into)
{
	lua_State *L = b->lua;
	uint32_t node;
	int ret;
	const char *tag = fw_words_tag(L, index);
	bool is_group = tag && (strcmp(tag, "any") == 0 || strcmp(tag, "all") == 0 || strcmp(tag, "none") == 0);
	if (lua_type(L, index) == LUA_TFUNCTION)
		ret = compile_function(b, at, index, info, &node);
	else if (lua_type(L, index) != LUA_TTABLE)
		ret = fw_build_fail(b, at, "write the fact's name before it: country = \"CA\"", "a condition names a fact; this is a bare %s", luaL_typename(L, index));
	else if (!tag && !group)
		ret = fw_build_fail(b, at, "write any { … } or all { … } before it", "a bare table stands inside a table");
	else if (tag && !is_group)
		ret = fw_build_fail(b, at, "write the fact's name before it: visits = at_least(3)", "%s stands without a fact", tag);
	else
		ret = compile_table(b, at, index, tag, info, &node);
	return ret < 0 ? ret : add_part(b, into, node);
}

static int make_group(struct fw_builder *b, const char *group, const struct parts *parts, uint32_t *ret_node)
{
	bool any = group && strcmp(group, "all") != 0;
	int ret = fw_build_node(b, any ? FW_NODE_ANY : FW_NODE_ALL, parts->nodes, parts->n, ret_node);
	if (ret == 0 && group && strcmp(group, "none") == 0)
		ret = fw_build_node(b, FW_NODE_NOT, ret_node, 1, ret_node);
	return ret;
}

static int compile_table(struct fw_builder *b, struct fw_at *at, int index, const char *group, struct fw_condition_info *info, uint32_t *ret_node)
{
	struct key *keys;
	size_t n;
	struct parts parts = { 0 };
	if (lua_checkstack(b->lua, 8) == 0 || lua_gettop(b->lua) > FW_LIMIT_CONDITION_DEPTH * 4)
		return fw_build_fail(b, at, NULL, "conditions are nested more than %d deep", FW_LIMIT_CONDITION_DEPTH);
	int ret = read_keys(b, at, index, &keys, &n);
	if (ret < 0)
		return ret;
	if (n == 0)
		ret = fw_build_fail(b, at, "a rule for everybody leaves `when` out", "%s names nothing", group ? group : "the condition");
	for (size_t i = 0; i < n && ret == 0; i++) {
		char position[24];
		snprintf(position, sizeof position, "#%lld", (long long)keys[i].position);
		size_t length = fw_at_enter(at, keys[i].name.p ? keys[i].name.p : position);
		push_key(b, index, &keys[i]);
		int value = lua_gettop(b->lua);
		ret = keys[i].name.p ? compile_fact(b, at, value, keys[i].name, info, &parts) : compile_positional(b, at, value, group, info, &parts);
		lua_settop(b->lua, value - 1);
		fw_at_leave(at, length);
	}
	if (ret == 0)
		ret = make_group(b, group, &parts, ret_node);
	free(parts.nodes);
	free(keys);
	return ret;
}

int fw_compile_condition(struct fw_builder *b, struct fw_at *at, int index, struct fw_condition_info *info, uint32_t *ret_node)
{
	const char *tag = fw_words_tag(b->lua, index);
	if (lua_type(b->lua, index) == LUA_TFUNCTION)
		return compile_function(b, at, index, info, ret_node);
	if (lua_type(b->lua, index) != LUA_TTABLE)
		return fw_build_fail(b, at, NULL, "a condition is a table or a function, not a %s", luaL_typename(b->lua, index));
	if (tag && strcmp(tag, "any") != 0 && strcmp(tag, "all") != 0 && strcmp(tag, "none") != 0)
		return fw_build_fail(b, at, "write the fact's name before it: { visits = at_least(3) }", "%s stands without a fact", tag);
	return compile_table(b, at, index, tag, info, ret_node);
}

int fw_compile_segment(struct fw_builder *b, uint32_t number)
{
	struct fw_segment *s = &b->set->segments[number];
	const struct fw_declaration *d = &b->declarations.items[b->segment_declaration[number]];
	struct fw_at at = { .declaration = d };
	if (b->segment_state[number] == 2)
		return 0;
	if (b->segment_state[number] == 1)
		return fw_build_fail(b, &at, NULL, "segment \"%s\" is part of its own condition", s->id);
	b->segment_state[number] = 1;
	lua_State *L = b->lua;
	lua_rawgeti(L, LUA_REGISTRYINDEX, d->table_ref);
	lua_getfield(L, -1, "when");
	size_t length = fw_at_enter(&at, "when");
	struct fw_condition_info info = { 0 };
	int ret = lua_isnil(L, -1) ? fw_build_fail(b, &at, "write when = { … }", "segment \"%s\" has no condition", s->id)
		: fw_compile_condition(b, &at, lua_gettop(L), &info, &s->when);
	fw_at_leave(&at, length);
	lua_pop(L, 2);
	s->uses = info.uses;
	s->pure = !info.has_functions;
	b->segment_state[number] = 2; /* after an error too: it is named once */
	return ret;
}
