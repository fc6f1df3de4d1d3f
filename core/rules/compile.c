#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>

#include "fact/given.h"
#include "rules/builder.h"

/* Children of a node being gathered. */
struct parts {
	uint32_t *nodes;
	uint32_t n, size;
};

static int add_part(struct fw_builder *b, struct parts *p, uint32_t node)
{
	if (p->n == p->size) {
		uint32_t size = p->size ? p->size * 2 : 8;
		uint32_t *more = FW_NEW_ARRAY(&b->scratch, size, uint32_t);
		if (!more)
			return fw_build_no_memory(b);
		if (p->n)
			memcpy(more, p->nodes, p->n * sizeof *more);
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
typedef int (*member_compiler)(struct fw_builder *b, struct fw_at *at, int index, struct fw_str name, struct fw_condition_info *info,
	struct parts *into);

/* The table of members is a conjunction of its own, wherever it stands. */
static int compile_members(struct fw_builder *b, struct fw_at *at, int index, const char *what, member_compiler compile,
	struct fw_condition_info *info, struct parts *into)
{
	struct fw_key *keys;
	struct parts own = { 0 };
	uint32_t node;
	size_t n;
	if (lua_type(b->lua, index) != LUA_TTABLE || fw_words_tag(b->lua, index)) {
		char hint[100];
		snprintf(hint, sizeof hint, "write %s = { name = … }", what);
		return fw_build_fail(b, at, hint, "%s takes a table of names", what);
	}
	int ret = fw_build_keys(b, at, index, &keys, &n);
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
		fw_build_push(b, index, &keys[i]);
		ret = compile(b, at, lua_gettop(b->lua), keys[i].name, info, &own);
		lua_pop(b->lua, 1);
		fw_at_leave(at, length);
	}
	if (ret == 0)
		ret = fw_build_node(b, FW_NODE_ALL, own.nodes, own.n, &node);
	if (ret == 0)
		ret = add_part(b, into, node);
	return ret;
}

static int compile_ref(struct fw_builder *b, struct fw_at *at, int index, const struct fw_ref *ref, struct fw_condition_info *info,
	struct parts *into)
{
	uint32_t node;
	info->uses |= fw_fact_info(ref->fact)->uses;
	int ret = fw_compile_matcher(b, at, index, ref, &node);
	return ret < 0 ? ret : add_part(b, into, node);
}

static int compile_family_member(struct fw_builder *b, struct fw_at *at, int index, enum fw_fact family, struct fw_str name,
	struct fw_condition_info *info, struct parts *into)
{
	char *copy = fw_build_copy(b, name.p, name.n), full[160];
	if (!copy)
		return FW_ENOMEM;
	int n = snprintf(full, sizeof full, "%s.%s", fw_fact_info(family)->name, copy);
	struct fw_ref ref = { .fact = family, .member = { copy, name.n } };
	int ret = count_fact(b, info, full, (size_t)n < sizeof full ? (size_t)n : sizeof full - 1);
	return ret < 0 ? ret : compile_ref(b, at, index, &ref, info, into);
}

static int compile_trait(struct fw_builder *b, struct fw_at *at, int index, struct fw_str name, struct fw_condition_info *info,
	struct parts *into)
{
	return compile_family_member(b, at, index, FW_FACT_TRAIT, name, info, into);
}

static int compile_event(struct fw_builder *b, struct fw_at *at, int index, struct fw_str name, struct fw_condition_info *info,
	struct parts *into)
{
	return compile_family_member(b, at, index, FW_FACT_EVENT, name, info, into);
}

static int compile_engagement(struct fw_builder *b, struct fw_at *at, int index, struct fw_str name, struct fw_condition_info *info,
	struct parts *into)
{
	return compile_family_member(b, at, index, FW_FACT_ENGAGEMENT, name, info, into);
}

static int compile_single(struct fw_builder *b, struct fw_at *at, int index, enum fw_fact fact, struct fw_condition_info *info,
	struct parts *into)
{
	const char *name = fw_fact_info(fact)->name;
	struct fw_ref ref = { .fact = fact };
	int ret = count_fact(b, info, name, strlen(name));
	return ret < 0 ? ret : compile_ref(b, at, index, &ref, info, into);
}

static int compile_cart_contains(struct fw_builder *b, struct fw_at *at, int index, struct fw_str name, struct fw_condition_info *info,
	struct parts *into)
{
	static const char *const words[] = { "category", "product", "brand" };
	for (int i = 0; i < 3; i++)
		if (fw_str_is(name, words[i]))
			return compile_single(b, at, index, (enum fw_fact)(FW_FACT_CART_CATEGORY + i), info, into);
	return unknown_name(b, at, "cart.contains", name, words, 3);
}

static int compile_cart(struct fw_builder *b, struct fw_at *at, int index, struct fw_str name, struct fw_condition_info *info,
	struct parts *into)
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

int fw_refuse_segment(struct fw_builder *b, struct fw_at *at, const char *field, struct fw_str name)
{
	bool compliance = fw_in_compliance(b, at->declaration);
	uint32_t known = 0;
	const char **names = calloc(b->set->n_segments + 1, sizeof *names);
	for (uint32_t i = 0; names && i < b->set->n_segments; i++)
		if (b->set->segments[i].compliance || !compliance)
			names[known++] = b->set->segments[i].id;
	size_t length = field ? fw_at_enter(at, field) : strlen(at->path);
	int ret = unknown_name(b, at, "segment", name, names, known);
	fw_at_leave(at, length);
	free(names);
	return ret;
}

/* Each table, matcher and segment inside another. Ends what holds itself, too. */
static int go_deeper(struct fw_builder *b, const struct fw_at *at, struct fw_condition_info *info, uint32_t levels)
{
	info->depth += levels;
	if (info->depth > info->deepest)
		info->deepest = info->depth;
	if (info->depth <= FW_LIMIT_CONDITION_DEPTH)
		return 0;
	return fw_build_fail(b, at, "a segment gives a part of it a name, and counts as deep as it is",
		"conditions are nested more than %d deep", FW_LIMIT_CONDITION_DEPTH);
}

static int compile_segment_name(struct fw_builder *b, struct fw_at *at, int index, struct fw_condition_info *info, uint32_t *ret_node)
{
	size_t n;
	if (lua_type(b->lua, index) != LUA_TSTRING)
		return fw_build_fail(b, at, "write segment = \"name\"", "a segment is named by text");
	const char *name = lua_tolstring(b->lua, index, &n);
	bool compliance = fw_in_compliance(b, at->declaration);
	uint32_t segment = fw_ruleset_segment(b->set, (struct fw_str){ name, n }, compliance);
	if (segment == FW_MAP_NONE)
		return fw_refuse_segment(b, at, NULL, (struct fw_str){ name, n });
	int ret = count_fact(b, info, "segment", strlen("segment")); /* one fact, however many are named */
	if (ret < 0 || (ret = fw_compile_segment(b, segment)) < 0 || (ret = go_deeper(b, at, info, b->set->segments[segment].depth)) < 0)
		return ret;
	info->depth -= b->set->segments[segment].depth;
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
	if (go_deeper(b, at, info, 1) < 0 || !lua_checkstack(L, 8))
		return FW_EINVAL;
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
	}
	lua_settop(L, top);
	info->depth--;
	*ret_node = node;
	return ret;
}

static int compile_fact(struct fw_builder *b, struct fw_at *at, int index, struct fw_str name, struct fw_condition_info *info,
	struct parts *into)
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
		ret = fw_fact_is_of_product((enum fw_fact)fact) ? fw_compile_product(b, at, index, (enum fw_fact)fact, &node)
			: fw_compile_query(b, at, index, (enum fw_fact)fact, &node);
	return ret < 0 ? ret : add_part(b, into, node);
}

static int compile_function(struct fw_builder *b, struct fw_at *at, int index, struct fw_condition_info *info, uint32_t *ret_node)
{
	uint32_t function;
	info->has_functions = true;
	int ret = fw_build_function(b, at, index, false, &function);
	if (ret < 0)
		return ret;
	struct fw_node *node = FW_ADD(&b->nodes);
	if (!node)
		return fw_build_no_memory(b);
	*node = (struct fw_node){ FW_NODE_FUNCTION, function, 0 };
	*ret_node = b->nodes.n - 1;
	return 0;
}

static int compile_table(struct fw_builder *b, struct fw_at *at, int index, const char *group, struct fw_condition_info *info,
	uint32_t *ret_node);

static int compile_positional(struct fw_builder *b, struct fw_at *at, int index, const char *group, struct fw_condition_info *info,
	struct parts *into)
{
	lua_State *L = b->lua;
	uint32_t node;
	int ret;
	const char *tag = fw_words_tag(L, index);
	bool is_group = tag && (strcmp(tag, "any") == 0 || strcmp(tag, "all") == 0 || strcmp(tag, "none") == 0);
	if (lua_type(L, index) == LUA_TFUNCTION)
		ret = compile_function(b, at, index, info, &node);
	else if (lua_type(L, index) != LUA_TTABLE)
		ret = fw_build_fail(b, at, "write the fact's name before it: country = \"CA\"",
			"a condition names a fact; this is %s by itself", fw_build_type_name(b, index));
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

/* Parts in which functions decide are asked after the others, which cost next to nothing. */
static int set_back(struct fw_builder *b, struct parts *parts, uint32_t from, struct parts *late)
{
	int ret = 0;
	for (uint32_t i = from; i < parts->n && ret == 0; i++)
		ret = add_part(b, late, parts->nodes[i]);
	parts->n = from;
	return ret;
}

static int compile_table(struct fw_builder *b, struct fw_at *at, int index, const char *group, struct fw_condition_info *info,
	uint32_t *ret_node)
{
	struct fw_key *keys;
	size_t n;
	struct parts parts = { 0 }, late = { 0 };
	bool had_functions = info->has_functions;
	int ret = go_deeper(b, at, info, 1);
	if (ret == 0 && !lua_checkstack(b->lua, 8))
		ret = fw_build_no_memory(b);
	if (ret < 0 || (ret = fw_build_keys(b, at, index, &keys, &n)) < 0)
		return ret;
	if (n == 0)
		ret = fw_build_fail(b, at, "a rule for everybody leaves `when` out", "%s names nothing", group ? group : "the condition");
	for (size_t i = 0; i < n && ret == 0; i++) {
		char position[24];
		snprintf(position, sizeof position, "#%lld", (long long)keys[i].position);
		size_t length = fw_at_enter(at, keys[i].name.p ? keys[i].name.p : position);
		fw_build_push(b, index, &keys[i]);
		int value = lua_gettop(b->lua);
		uint32_t before = parts.n;
		info->has_functions = false;
		ret = keys[i].name.p ? compile_fact(b, at, value, keys[i].name, info, &parts)
			: compile_positional(b, at, value, group, info, &parts);
		lua_settop(b->lua, value - 1);
		fw_at_leave(at, length);
		had_functions |= info->has_functions;
		if (info->has_functions)
			ret = ret < 0 ? ret : set_back(b, &parts, before, &late);
	}
	info->has_functions = had_functions;
	for (uint32_t i = 0; i < late.n && ret == 0; i++)
		ret = add_part(b, &parts, late.nodes[i]);
	if (ret == 0)
		ret = make_group(b, group, &parts, ret_node);
	info->depth--;
	return ret;
}

int fw_compile_condition(struct fw_builder *b, struct fw_at *at, int index, struct fw_condition_info *info, uint32_t *ret_node)
{
	const char *tag = fw_words_tag(b->lua, index);
	if (lua_type(b->lua, index) == LUA_TFUNCTION)
		return compile_function(b, at, index, info, ret_node);
	if (lua_type(b->lua, index) != LUA_TTABLE)
		return fw_build_fail(b, at, NULL, "a condition is a table or a function, not %s", fw_build_type_name(b, index));
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
		return fw_build_fail(b, &at, "take it out of its own condition, or out of a segment named there",
			"it is part of its own condition");
	struct fw_condition_info info = { .depth = b->segments_open };
	if (go_deeper(b, &at, &info, 1) < 0)
		return FW_EINVAL;
	info.depth = info.deepest = 0;
	b->segments_open++;
	b->segment_state[number] = 1;
	lua_State *L = b->lua;
	lua_rawgeti(L, LUA_REGISTRYINDEX, d->table_ref);
	lua_getfield(L, -1, "when");
	size_t length = fw_at_enter(&at, "when");
	int ret = lua_isnil(L, -1) ? fw_build_fail(b, &at, "write when = { … }", "it is missing: a segment is a condition with a name")
		: fw_compile_condition(b, &at, lua_gettop(L), &info, &s->when);
	fw_at_leave(&at, length);
	lua_pop(L, 2);
	s->uses = info.uses;
	s->pure = !info.has_functions;
	s->depth = info.deepest > 0 ? info.deepest : 1;
	b->segments_open--;
	b->segment_state[number] = 2; /* after an error too: it is named once */
	return ret;
}
