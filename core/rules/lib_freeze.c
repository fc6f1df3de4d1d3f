/* Tables that Lua code can read and not write. Such a table is empty, and its metatable
 *   __index     is the hidden table with the contents, or a closure over it (upvalue 1) where the table had a function
 *               as its own __index (upvalue 2); a fallback that is no function stands behind the hidden table,
 *   __newindex  is refuse_write, by which a frozen table is known,
 *   [1]         is the name of a library table, in its message.
 * No library function gives a metatable away, so neither it nor the hidden table can be had by Lua code. */
#include <lauxlib.h>
#include <limits.h>

#include "base/limits.h"
#include "rules/lib.h"
#include "rules/lib_parts.h"

static int refuse_write(lua_State *L)
{
	if (lua_getmetatable(L, 1) && lua_rawgeti(L, -1, 1) == LUA_TSTRING)
		return luaL_error(L, "%s is read-only", lua_tostring(L, -1));
	return luaL_error(L, "this table is shared between visitors and cannot be changed");
}

static int get_field(lua_State *L, int table, const char *name)
{
	table = lua_absindex(L, table);
	lua_pushstring(L, name);
	return lua_rawget(L, table);
}

bool fw_lib_contents(lua_State *L, int index)
{
	index = lua_absindex(L, index);
	if (!lua_getmetatable(L, index)) {
		lua_pushvalue(L, index);
		return false;
	}
	get_field(L, -1, "__newindex");
	bool frozen = lua_tocfunction(L, -1) == refuse_write;
	lua_pop(L, 1);
	if (!frozen) {
		lua_pushvalue(L, index);
	} else if (get_field(L, -1, "__index") == LUA_TFUNCTION) {
		lua_getupvalue(L, -1, 1);
		lua_remove(L, -2);
	}
	lua_remove(L, -2);
	return frozen;
}

static bool is_frozen(lua_State *L, int index)
{
	bool frozen = fw_lib_contents(L, index);
	lua_pop(L, 1);
	return frozen;
}

static int frozen_len(lua_State *L)
{
	fw_lib_contents(L, 1);
	lua_pushinteger(L, (lua_Integer)lua_rawlen(L, -1));
	return 1;
}

static int finish_index(lua_State *L, int status, lua_KContext context)
{
	(void)L;
	(void)status;
	(void)context;
	return 1;
}

/* Reads from the hidden table (upvalue 1), and asks the table's own function (upvalue 2) for what is not there. */
static int index_with_function(lua_State *L)
{
	lua_settop(L, 2);
	lua_pushvalue(L, 2);
	if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
		return 1;
	lua_pop(L, 1);
	lua_pushvalue(L, lua_upvalueindex(2));
	lua_insert(L, 1);
	lua_callk(L, 2, 1, 0, finish_index);
	return 1;
}

/* Sets, in the metatable on top, what all have in common. */
static void set_common(lua_State *L)
{
	static const luaL_Reg unless_own[] = { { "__len", frozen_len }, { "__pairs", fw_lib_pairs } };
	lua_pushcfunction(L, refuse_write);
	lua_setfield(L, -2, "__newindex");
	lua_pushboolean(L, false);
	lua_setfield(L, -2, "__metatable");
	for (size_t i = 0; i < sizeof unless_own / sizeof unless_own[0]; i++) {
		if (get_field(L, -1, unless_own[i].name) == LUA_TNIL) {
			lua_pushcfunction(L, unless_own[i].func);
			lua_setfield(L, -3, unless_own[i].name);
		}
		lua_pop(L, 1);
	}
}

void fw_lib_seal(lua_State *L, const char *name)
{
	lua_newtable(L);
	lua_createtable(L, 1, 5);
	lua_pushvalue(L, -3);
	lua_setfield(L, -2, "__index");
	lua_pushstring(L, name);
	lua_rawseti(L, -2, 1);
	set_common(L);
	lua_setmetatable(L, -2);
	lua_remove(L, -2);
}

/* Tables still to be frozen stand in a list. */
struct work {
	lua_State *L;
	int list, functions; /* stack places; functions may be 0 */
	lua_Integer n;
};

void fw_lib_check_reached(lua_State *L, int index)
{
	if (lua_type(L, index) == LUA_TSTRING && lua_rawlen(L, index) > FW_LIMIT_STRING_BYTES)
		luaL_error(L, "a function can reach a text of more than %d bytes", FW_LIMIT_STRING_BYTES);
}

/* Looks at the value on top and pops it. */
static void reach(struct work *w)
{
	lua_State *L = w->L;
	fw_lib_check_reached(L, -1);
	if (lua_istable(L, -1)) {
		lua_rawseti(L, w->list, ++w->n);
		return;
	}
	if (w->functions && lua_isfunction(L, -1) && (!lua_iscfunction(L, -1) || fw_lib_is_iterator(L, -1))) {
		lua_pushboolean(L, true);
		lua_rawset(L, w->functions);
		return;
	}
	lua_pop(L, 1);
}

static int clip(lua_Unsigned n)
{
	return n < INT_MAX ? (int)n : INT_MAX;
}

/* Moves everything from the table at `from` into a new one, which is pushed. */
static void move_contents(struct work *w, int from)
{
	lua_State *L = w->L;
	lua_Unsigned n = 0, listed = lua_rawlen(L, from);
	for (lua_pushnil(L); lua_next(L, from); lua_pop(L, 1))
		n++;
	lua_createtable(L, clip(listed), n > listed ? clip(n - listed) : 0);
	int to = lua_gettop(L);
	for (lua_pushnil(L); lua_next(L, from);) {
		lua_pushvalue(L, -1);
		reach(w);
		lua_pushvalue(L, -2);
		reach(w);
		lua_pushvalue(L, -2);
		lua_insert(L, -2);
		lua_rawset(L, to);
	}
	for (lua_pushnil(L); lua_next(L, from);) {
		lua_pop(L, 1);
		lua_pushvalue(L, -1);
		lua_pushnil(L);
		lua_rawset(L, from);
	}
}

/* Copies the table's own metamethods from `own` to the metatable on top. */
static void copy_metamethods(struct work *w, int own)
{
	static const char *const names[] = { "__add", "__sub", "__mul", "__div", "__mod", "__pow", "__unm", "__idiv", "__band",
		"__bor", "__bxor", "__shl", "__shr", "__bnot", "__concat", "__len", "__eq", "__lt", "__le", "__call",
		"__tostring", "__pairs" };
	lua_State *L = w->L;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		get_field(L, own, names[i]);
		lua_pushvalue(L, -1);
		lua_setfield(L, -3, names[i]);
		reach(w);
	}
	/* The marks of words.c, under keys that Lua code cannot have. */
	for (lua_pushnil(L); lua_next(L, own); lua_pop(L, 1))
		if (lua_islightuserdata(L, -2)) {
			lua_pushvalue(L, -2);
			lua_pushvalue(L, -2);
			lua_rawset(L, -5);
		}
}

/* Sets __index of the metatable on top, for the hidden table at `hidden` and, behind it, what `own` said. */
static void set_index(struct work *w, int hidden, int own)
{
	lua_State *L = w->L;
	int type = LUA_TNIL;
	if (own) {
		type = get_field(L, own, "__index");
		lua_pushvalue(L, -1);
		reach(w);
	} else {
		lua_pushnil(L);
	}
	lua_pushvalue(L, hidden);
	lua_insert(L, -2);
	if (type == LUA_TFUNCTION) {
		lua_pushcclosure(L, index_with_function, 2);
	} else {
		if (type != LUA_TNIL) {
			lua_createtable(L, 0, 1);
			lua_pushvalue(L, -2);
			lua_setfield(L, -2, "__index");
			lua_setmetatable(L, hidden);
		}
		lua_pop(L, 1);
	}
	lua_setfield(L, -2, "__index");
}

static void freeze_one(struct work *w, int table)
{
	lua_State *L = w->L;
	int top = lua_gettop(L), own = 0;
	if (lua_getmetatable(L, table)) {
		fw_lib_contents(L, -1);
		own = lua_gettop(L);
	}
	move_contents(w, table);
	int hidden = lua_gettop(L);
	lua_createtable(L, 0, 5);
	if (own)
		copy_metamethods(w, own);
	set_index(w, hidden, own);
	set_common(L);
	lua_setmetatable(L, table);
	lua_settop(L, top);
}

void fw_lib_freeze(lua_State *L, int index, int functions)
{
	luaL_checkstack(L, 20, NULL);
	struct work w = { .L = L, .functions = functions ? lua_absindex(L, functions) : 0 };
	index = lua_absindex(L, index);
	lua_newtable(L);
	w.list = lua_gettop(L);
	lua_pushvalue(L, index);
	reach(&w);
	while (w.n > 0) {
		lua_rawgeti(L, w.list, w.n);
		lua_pushnil(L);
		lua_rawseti(L, w.list, w.n--);
		if (!is_frozen(L, -1))
			freeze_one(&w, lua_gettop(L));
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
}
