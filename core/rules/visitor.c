#include "rules/visitor.h"

#include <lauxlib.h>
#include <stdio.h>

#include "base/clock.h"
#include "fact/given.h"
#include "rules/eval.h"
#include "rules/lib.h"

static const char visitor_key;

static struct fw_eval *eval_of(lua_State *L)
{
	struct fw_eval *e = fw_sandbox_context(fw_sandbox_of(L), FW_CONTEXT_EVAL);
	if (!e || !e->frame)
		luaL_error(L, "the visitor is known only while a decision is made");
	return e;
}

static void push_text(lua_State *L, struct fw_str s)
{
	lua_pushlstring(L, s.p ? s.p : "", s.n);
}

static void push_known(lua_State *L, enum fw_type type, const struct fw_value *v);

static int set_index(lua_State *L)
{
	/* A list-valued trait: the list itself, which also answers by name. Upvalue: names, folded. */
	size_t n;
	if (lua_type(L, 2) != LUA_TSTRING)
		return 0;
	const char *name = lua_tolstring(L, 2, &n);
	char folded[256];
	if (n >= sizeof folded)
		return 0;
	fw_fold((struct fw_str){ name, n }, folded);
	lua_pushlstring(L, folded, n);
	lua_rawget(L, lua_upvalueindex(1));
	return 1;
}

static void push_list(lua_State *L, const struct fw_value *v)
{
	luaL_checkstack(L, 8, "too many values");
	fw_lib_charge(L, v->n_items);
	lua_createtable(L, (int)v->n_items, 0);
	lua_newtable(L);
	for (unsigned i = 0; i < v->n_items; i++) {
		push_known(L, FW_TYPE_ANY, &v->items[i]);
		lua_rawseti(L, -3, (lua_Integer)i + 1);
		if (v->items[i].kind == FW_KIND_TEXT) {
			push_text(L, v->items[i].folded);
			lua_pushboolean(L, 1);
			lua_rawset(L, -3);
		}
	}
	lua_createtable(L, 0, 1);
	lua_insert(L, -2);
	lua_pushcclosure(L, set_index, 1);
	lua_setfield(L, -2, "__index");
	lua_setmetatable(L, -2);
}

static void push_number(lua_State *L, double x)
{
	lua_Integer whole;
	if (lua_numbertointeger(x, &whole) && (double)whole == x)
		lua_pushinteger(L, whole);
	else
		lua_pushnumber(L, x);
}

static void push_known(lua_State *L, enum fw_type type, const struct fw_value *v)
{
	char date[16];
	if (v->kind == FW_KIND_TEXT)
		push_text(L, v->text);
	else if (v->kind == FW_KIND_BOOL)
		lua_pushboolean(L, v->boolean);
	else if (v->kind == FW_KIND_SET)
		push_list(L, v);
	else if (type == FW_TYPE_WEEKDAY)
		lua_pushstring(L, fw_weekday_name((int)v->number));
	else if (type == FW_TYPE_DATE)
		lua_pushstring(L, fw_date_text((int64_t)v->number, date));
	else
		push_number(L, v->number);
}

/* A read: what it uses is noted, and a missing value makes the function's answer unknown. */
static int push_read(lua_State *L, struct fw_eval *e, enum fw_fact fact, const struct fw_value *v)
{
	e->frame->reads |= fw_fact_info(fact)->uses;
	if (v->state != FW_KNOWN || v->n_several > 1) {
		e->frame->unknown = true;
		lua_pushnil(L);
	} else {
		push_known(L, fw_fact_info(fact)->type, v);
	}
	return 1;
}

static int unknown_fact(lua_State *L, const char *prefix, const char *const *names)
{
	const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : luaL_typename(L, 2);
	size_t n = 0;
	while (names[n])
		n++;
	fw_lib_charge(L, FW_LIB_NEAREST_INSTRUCTIONS + strlen(name));
	const char *nearest = fw_nearest(name, names, n);
	if (nearest)
		return luaL_error(L, "%s%s: there is no such fact\ndid you mean %s%s?", prefix, name, prefix, nearest);
	return luaL_error(L, "%s%s: there is no such fact", prefix, name);
}

/* Upvalue 1: a table from name to a fact's number, a method, or a part of the visitor. */
static int visitor_index(lua_State *L)
{
	lua_pushvalue(L, 2);
	int type = lua_rawget(L, lua_upvalueindex(1));
	if (type == LUA_TNIL)
		return unknown_fact(L, "v.", fw_fact_words());
	if (type != LUA_TNUMBER)
		return 1;
	struct fw_eval *e = eval_of(L);
	enum fw_fact fact = (enum fw_fact)lua_tointeger(L, -1);
	return push_read(L, e, fact, fw_facts_single(e->facts, fact));
}

static int now(lua_State *L, struct fw_eval *e)
{
	e->frame->reads |= FW_USES_TIME;
	if (!e->facts->has_clock) {
		e->frame->unknown = true;
		lua_pushnil(L);
	} else {
		lua_pushinteger(L, e->facts->now_us / 1000000);
	}
	return 1;
}

static int root_index(lua_State *L)
{
	if (lua_type(L, 2) == LUA_TSTRING && strcmp(lua_tostring(L, 2), "now") == 0)
		return now(L, eval_of(L));
	return visitor_index(L);
}

static int cart_index(lua_State *L)
{
	static const char *const names[] = { "items", "total", "age", "contains", NULL };
	lua_pushvalue(L, 2);
	int type = lua_rawget(L, lua_upvalueindex(1));
	if (type == LUA_TNIL)
		return unknown_fact(L, "v.cart.", names);
	return type == LUA_TNUMBER ? visitor_index(L) : 1;
}

/* Members of a family are looked for one by one. */
enum { MEMBERS_PER_INSTRUCTION = 4 };

static unsigned count_members(const struct fw_facts *f, enum fw_fact family)
{
	return family == FW_FACT_TRAIT ? f->n_traits : family == FW_FACT_EVENT ? f->n_event : f->n_engagement;
}

/* Upvalue 1: the family. */
static int member_index(lua_State *L)
{
	struct fw_eval *e = eval_of(L);
	enum fw_fact family = (enum fw_fact)lua_tointeger(L, lua_upvalueindex(1));
	size_t n = 0;
	const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tolstring(L, 2, &n) : "";
	fw_lib_charge(L, count_members(e->facts, family) / MEMBERS_PER_INSTRUCTION);
	return push_read(L, e, family, fw_facts_member(e->facts, family, (struct fw_str){ name, n }));
}

static bool holds(const struct fw_value *set, struct fw_str name)
{
	for (unsigned i = 0; i < set->n_items; i++)
		if (fw_str_equal_fold(set->items[i].text, name))
			return true;
	return false;
}

/* Upvalue 1: the fact, a set. */
static int set_fact_index(lua_State *L)
{
	struct fw_eval *e = eval_of(L);
	enum fw_fact fact = (enum fw_fact)lua_tointeger(L, lua_upvalueindex(1));
	const struct fw_value *v = fw_facts_single(e->facts, fact);
	size_t n = 0;
	const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tolstring(L, 2, &n) : "";
	e->frame->reads |= fw_fact_info(fact)->uses;
	fw_lib_charge(L, v->n_items);
	if (v->state != FW_KNOWN) {
		e->frame->unknown = true;
		lua_pushnil(L);
	} else {
		lua_pushboolean(L, holds(v, (struct fw_str){ name, n }));
	}
	return 1;
}

static int segment_index(lua_State *L)
{
	struct fw_eval *e = eval_of(L);
	size_t n = 0;
	const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tolstring(L, 2, &n) : "";
	uint32_t segment = fw_ruleset_segment(e->set, (struct fw_str){ name, n }, e->frame->compliance);
	if (segment == FW_MAP_NONE)
		return luaL_error(L, "there is no segment \"%s\"", name);
	struct fw_seen seen = { 0 };
	fw_lib_charge(L, e->facts->segments_given ? e->facts->segments.n_items : 1);
	enum fw_truth t = fw_eval_segment(e, segment, &seen);
	e->frame->reads |= e->set->segments[segment].uses | seen.reads;
	e->frame->unknown |= t == FW_UNKNOWN;
	e->frame->height = seen.height > e->frame->height ? seen.height : e->frame->height;
	if (fw_sandbox_depth(e->set->sandbox) + seen.height > FW_LIMIT_CALL_NESTING)
		fw_sandbox_stop(e->set->sandbox);
	fw_lib_charge(L, 0); /* does not return when the call is at its end */
	if (t == FW_UNKNOWN)
		lua_pushnil(L);
	else
		lua_pushboolean(L, t == FW_TRUE);
	return 1;
}

/* pairs(v.traits): a copy, walked in key order. Upvalue 1: the family or set. */
static int part_pairs(lua_State *L)
{
	struct fw_eval *e = eval_of(L);
	enum fw_fact fact = (enum fw_fact)lua_tointeger(L, lua_upvalueindex(1));
	e->frame->reads |= fw_fact_info(fact)->uses;
	lua_newtable(L);
	if (fact < FW_FACT_SINGLE) {
		const struct fw_value *v = fw_facts_single(e->facts, fact);
		e->frame->unknown |= v->state != FW_KNOWN;
		fw_lib_charge(L, v->n_items);
		for (unsigned i = 0; v->state == FW_KNOWN && i < v->n_items; i++) {
			push_text(L, v->items[i].text);
			lua_pushboolean(L, 1);
			lua_rawset(L, -3);
		}
	} else {
		const struct fw_member *m = fact == FW_FACT_TRAIT ? e->facts->traits : fact == FW_FACT_EVENT ? e->facts->event
			: e->facts->engagement;
		unsigned n = count_members(e->facts, fact);
		fw_lib_charge(L, n);
		/* there may be more of them */
		e->frame->unknown |= !e->facts->profile_in_reach && fact != FW_FACT_EVENT;
		e->frame->unknown |= !e->facts->behaviour_in_reach && fact == FW_FACT_ENGAGEMENT;
		e->frame->unknown |= e->facts->traits_withheld && fact == FW_FACT_TRAIT;
		for (unsigned i = 0; i < n; i++) {
			e->frame->unknown |= m[i].value.state == FW_OUT_OF_REACH;
			if (m[i].value.state != FW_KNOWN)
				continue;
			push_text(L, m[i].name);
			push_known(L, FW_TYPE_ANY, &m[i].value);
			lua_rawset(L, -3);
		}
	}
	fw_lib_push(L);
	lua_getfield(L, -1, "pairs");
	lua_pushvalue(L, -3);
	lua_call(L, 1, 3);
	return 3;
}

static int read_only(lua_State *L)
{
	return luaL_error(L, "the visitor is read-only");
}

/* v:known "traits.age", v:get("country", "US"): the value of a dotted name, or an error when there is no such fact. */
static struct fw_value named_value(lua_State *L, struct fw_eval *e)
{
	size_t n;
	const char *name = luaL_checklstring(L, 2, &n);
	static const enum fw_fact families[] = { FW_FACT_TRAIT, FW_FACT_EVENT, FW_FACT_ENGAGEMENT };
	for (size_t i = 0; i < 3; i++) {
		const struct fw_fact_info *info = fw_fact_info(families[i]);
		size_t length = strlen(info->name);
		if (n > length + 1 && memcmp(name, info->name, length) == 0 && name[length] == '.') {
			e->frame->reads |= info->uses;
			fw_lib_charge(L, count_members(e->facts, families[i]) / MEMBERS_PER_INSTRUCTION);
			return *fw_facts_member(e->facts, families[i], (struct fw_str){ name + length + 1, n - length - 1 });
		}
	}
	int fact = fw_fact_find((struct fw_str){ name, n });
	if (fact < 0 || fact >= FW_FACT_SINGLE) {
		unknown_fact(L, "", fw_fact_words());
		return (struct fw_value){ 0 };
	}
	e->frame->reads |= fw_fact_info((enum fw_fact)fact)->uses;
	return *fw_facts_single(e->facts, (enum fw_fact)fact);
}

static int method_known(lua_State *L)
{
	struct fw_eval *e = eval_of(L);
	struct fw_value v = named_value(L, e);
	if (v.state == FW_OUT_OF_REACH)
		e->frame->unknown = true;
	lua_pushboolean(L, v.state == FW_KNOWN);
	return 1;
}

static int method_get(lua_State *L)
{
	struct fw_eval *e = eval_of(L);
	struct fw_value v = named_value(L, e);
	if (v.state != FW_KNOWN || v.n_several > 1) {
		lua_settop(L, 3);
		return 1;
	}
	int fact = fw_fact_find(fw_str(lua_tostring(L, 2)));
	push_known(L, fact >= 0 ? fw_fact_info((enum fw_fact)fact)->type : FW_TYPE_ANY, &v);
	return 1;
}

static void read_query(lua_State *L, struct fw_query *q, char *folded, size_t size)
{
	lua_settop(L, 2);
	if (lua_isnil(L, 2))
		return;
	luaL_checktype(L, 2, LUA_TTABLE);
	fw_lib_contents(L, 2);
	for (lua_pushnil(L); lua_next(L, 3); lua_pop(L, 1)) {
		size_t n = 0;
		const char *field = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "a position";
		const char *value = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &n) : NULL;
		enum fw_key_kind kind = fw_key_kind_find(fw_str(field));
		if (kind != FW_KEY_NONE && value && n && n < size && q->key_kind == FW_KEY_NONE) {
			q->key_kind = kind;
			fw_fold((struct fw_str){ value, n }, folded);
			q->key = (struct fw_str){ folded, n };
		} else if (strcmp(field, "within") == 0 && value) {
			q->within_s = fw_duration_s((struct fw_str){ value, n });
			if (!fw_within_fits(q->within_s))
				luaL_error(L, "within is a duration from 1h to 400d, in whole hours up to 3d, then in whole days");
		} else {
			luaL_error(L, "a query has category, product, brand or term (one of them), and within; not \"%s\"", field);
		}
	}
}

/* v:viewed { … }. Upvalue 1: the fact. */
static int method_ask(lua_State *L)
{
	struct fw_eval *e = eval_of(L);
	char folded[256];
	struct fw_query q = { .fact = (enum fw_fact)lua_tointeger(L, lua_upvalueindex(1)) };
	read_query(L, &q, folded, sizeof folded);
	fw_lib_charge(L, e->facts->n_answers);
	struct fw_value v = fw_facts_ask(e->facts, &q);
	return push_read(L, e, q.fact, &v);
}

/* v:price { product = "B-7" }. Upvalue 1: the fact. */
static int method_product(lua_State *L)
{
	struct fw_eval *e = eval_of(L);
	char folded[FW_LIMIT_KEY_BYTES];
	struct fw_query q = { .fact = (enum fw_fact)lua_tointeger(L, lua_upvalueindex(1)), .key_kind = FW_KEY_PRODUCT };
	size_t n = 0;
	const char *name = fw_fact_info(q.fact)->name, *id = NULL;
	lua_settop(L, 2);
	if (lua_type(L, 2) == LUA_TTABLE) {
		fw_lib_contents(L, 2);
		for (lua_pushnil(L); lua_next(L, 3); lua_pop(L, 1)) {
			if (lua_type(L, -2) != LUA_TSTRING || strcmp(lua_tostring(L, -2), "product") != 0)
				return luaL_error(L, "v:%s takes { product = … } and nothing else", name);
			id = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &n) : NULL;
			if (!id)
				return luaL_error(L, "a product is named by its id, a text");
		}
	}
	if (!id) /* v:price { product = v.event.product_id } where the event tells none: that has no value either */
		return lua_type(L, 2) == LUA_TTABLE ? push_read(L, e, q.fact, &(struct fw_value){ .state = FW_ABSENT })
			: luaL_error(L, "v:%s asks of a product\nwrite v:%s { product = \"…\" }", name, name);
	if (n > sizeof folded)
		return push_read(L, e, q.fact, &(struct fw_value){ .state = FW_ABSENT });
	fw_fold((struct fw_str){ id, n }, folded);
	q.key = (struct fw_str){ folded, n };
	fw_lib_charge(L, e->facts->n_product_answers);
	struct fw_value v = fw_facts_ask(e->facts, &q);
	return push_read(L, e, q.fact, &v);
}

/* A read-only part: an empty table whose metatable answers. The __index function is on top of the stack. */
static void wrap(lua_State *L, int pairs_of)
{
	lua_newtable(L);
	lua_createtable(L, 0, 4);
	lua_rotate(L, -3, -1);
	lua_setfield(L, -2, "__index");
	lua_pushcfunction(L, read_only);
	lua_setfield(L, -2, "__newindex");
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	if (pairs_of >= 0) {
		lua_pushinteger(L, pairs_of);
		lua_pushcclosure(L, part_pairs, 1);
		lua_setfield(L, -2, "__pairs");
	}
	lua_setmetatable(L, -2);
}

static void push_part(lua_State *L, lua_CFunction index, enum fw_fact fact)
{
	lua_pushinteger(L, fact);
	lua_pushcclosure(L, index, 1);
	wrap(L, fact == FW_FACT_SEGMENT ? -1 : (int)fact);
}

static void push_cart(lua_State *L)
{
	static const struct { const char *name; enum fw_fact fact; } numbers[] = {
		{ "items", FW_FACT_CART_ITEMS }, { "total", FW_FACT_CART_TOTAL }, { "age", FW_FACT_CART_AGE } };
	static const char *const sets[] = { "category", "product", "brand" };
	lua_newtable(L);
	for (int i = 0; i < 3; i++) {
		lua_pushinteger(L, numbers[i].fact);
		lua_setfield(L, -2, numbers[i].name);
	}
	lua_newtable(L);
	for (int i = 0; i < 3; i++) {
		push_part(L, set_fact_index, (enum fw_fact)(FW_FACT_CART_CATEGORY + i));
		lua_setfield(L, -2, sets[i]);
	}
	lua_pushcclosure(L, cart_index, 1);
	wrap(L, -1);
	lua_setfield(L, -2, "contains");
	lua_pushcclosure(L, cart_index, 1);
	wrap(L, -1);
}

static int open_visitor(lua_State *L)
{
	lua_newtable(L); /* names */
	for (int i = 0; i < FW_FACT_SINGLE; i++) {
		const struct fw_fact_info *info = fw_fact_info((enum fw_fact)i);
		if (strchr(info->name, '.'))
			continue;
		if (info->type == FW_TYPE_SET)
			push_part(L, set_fact_index, (enum fw_fact)i);
		else
			lua_pushinteger(L, i);
		lua_setfield(L, -2, info->name);
	}
	for (int i = FW_FACT_VIEWED; i < FW_FACT_COUNT; i++) {
		lua_pushinteger(L, i);
		lua_pushcclosure(L, fw_fact_is_of_product((enum fw_fact)i) ? method_product : method_ask, 1);
		lua_setfield(L, -2, fw_fact_info((enum fw_fact)i)->name);
	}
	static const enum fw_fact families[] = { FW_FACT_TRAIT, FW_FACT_EVENT, FW_FACT_ENGAGEMENT };
	for (size_t i = 0; i < 3; i++) {
		push_part(L, member_index, families[i]);
		lua_setfield(L, -2, fw_fact_info(families[i])->name);
	}
	push_part(L, segment_index, FW_FACT_SEGMENT);
	lua_setfield(L, -2, "segment");
	push_cart(L);
	lua_setfield(L, -2, "cart");
	lua_pushcfunction(L, method_known);
	lua_setfield(L, -2, "known");
	lua_pushcfunction(L, method_get);
	lua_setfield(L, -2, "get");
	lua_pushcclosure(L, root_index, 1);
	wrap(L, -1);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &visitor_key);
	return 0;
}

int fw_visitor_open(struct fw_sandbox *s)
{
	lua_State *L = fw_sandbox_lua(s);
	lua_pushcfunction(L, open_visitor);
	if (lua_pcall(L, 0, 0, 0) == LUA_OK)
		return 0;
	lua_pop(L, 1);
	return FW_ENOMEM;
}

bool fw_visitor_is_part(lua_State *L, int index)
{
	if (lua_type(L, index) != LUA_TTABLE || luaL_getmetafield(L, index, "__newindex") == LUA_TNIL)
		return false;
	bool is = lua_tocfunction(L, -1) == read_only;
	lua_pop(L, 1);
	return is;
}

void fw_visitor_push(lua_State *L)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, &visitor_key);
}
