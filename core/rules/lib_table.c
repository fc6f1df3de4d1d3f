/* table, through metamethods as Lua's own: what is frozen is read like any other and refuses to be written. */
#include <lauxlib.h>
#include <limits.h>

#include "base/limits.h"
#include "rules/lib.h"
#include "rules/lib_parts.h"

static bool has_field(lua_State *L, int metatable, const char *name)
{
	lua_pushstring(L, name);
	bool has = lua_rawget(L, metatable) != LUA_TNIL;
	lua_pop(L, 1);
	return has;
}

void fw_lib_check_table(lua_State *L, int arg, int use)
{
	if (lua_istable(L, arg))
		return;
	if (lua_getmetatable(L, arg)) {
		int metatable = lua_gettop(L);
		bool passes = (!(use & FW_LIB_READ) || has_field(L, metatable, "__index")) &&
			(!(use & FW_LIB_WRITE) || has_field(L, metatable, "__newindex")) &&
			(!(use & FW_LIB_LENGTH) || has_field(L, metatable, "__len"));
		lua_pop(L, 1);
		if (passes)
			return;
	}
	luaL_checktype(L, arg, LUA_TTABLE);
}

static lua_Integer length(lua_State *L, int arg, int use)
{
	fw_lib_check_table(L, arg, use | FW_LIB_LENGTH);
	return luaL_len(L, arg);
}

/* table.insert(t, [position,] value) */
static int insert(lua_State *L)
{
	lua_Integer end = (lua_Integer)((lua_Unsigned)length(L, 1, FW_LIB_READ | FW_LIB_WRITE) + 1), at = end;
	switch (lua_gettop(L)) {
	case 2: break;
	case 3:
		at = fw_lib_integer(L, 2);
		luaL_argcheck(L, (lua_Unsigned)at - 1 < (lua_Unsigned)end, 2, "position out of bounds");
		fw_lib_charge(L, (size_t)(end - at));
		for (lua_Integer i = end; i > at; i--) {
			lua_geti(L, 1, i - 1);
			lua_seti(L, 1, i);
		}
		break;
	default: return luaL_error(L, "wrong number of arguments to 'insert'");
	}
	lua_seti(L, 1, at);
	return 0;
}

/* table.remove(t [, position]) */
static int remove_at(lua_State *L)
{
	lua_Integer size = length(L, 1, FW_LIB_READ | FW_LIB_WRITE), at = fw_lib_opt_integer(L, 2, size);
	if (at != size)
		luaL_argcheck(L, (lua_Unsigned)at - 1 <= (lua_Unsigned)size, 2, "position out of bounds");
	lua_geti(L, 1, at);
	if (at < size)
		fw_lib_charge(L, (size_t)(size - at));
	for (; at < size; at++) {
		lua_geti(L, 1, at + 1);
		lua_seti(L, 1, at);
	}
	lua_pushnil(L);
	lua_seti(L, 1, at);
	return 1;
}

/* table.move(from, first, last, at [, to]) */
static int move(lua_State *L)
{
	lua_Integer first = fw_lib_integer(L, 2), last = fw_lib_integer(L, 3), at = fw_lib_integer(L, 4);
	int to = lua_isnoneornil(L, 5) ? 1 : 5;
	fw_lib_check_table(L, 1, FW_LIB_READ);
	fw_lib_check_table(L, to, FW_LIB_WRITE);
	if (last >= first) {
		luaL_argcheck(L, first > 0 || last < LUA_MAXINTEGER + first, 3, "too many elements to move");
		lua_Integer n = last - first + 1;
		luaL_argcheck(L, at <= LUA_MAXINTEGER - n + 1, 4, "destination wrap around");
		fw_lib_charge(L, (size_t)n);
		/* Upwards, unless that would overwrite what is still to be read. */
		bool upwards = at > last || at <= first || (to != 1 && !lua_compare(L, 1, to, LUA_OPEQ));
		for (lua_Integer k = 0; k < n; k++) {
			lua_Integer i = upwards ? k : n - 1 - k;
			lua_geti(L, 1, first + i);
			lua_seti(L, to, at + i);
		}
	}
	lua_pushvalue(L, to);
	return 1;
}

/* table.concat(t [, separator [, i [, j]]]) */
static int concat(lua_State *L)
{
	lua_Integer n = length(L, 1, FW_LIB_READ);
	struct fw_str separator = lua_isnoneornil(L, 2) ? FW_STR("") : fw_lib_text(L, 2);
	lua_Integer i = fw_lib_opt_integer(L, 3, 1), last = fw_lib_opt_integer(L, 4, n);
	size_t made = 0;
	luaL_Buffer b;
	luaL_buffinit(L, &b);
	for (; i <= last; i++) {
		size_t bytes;
		lua_geti(L, 1, i);
		if (!lua_isstring(L, -1))
			return luaL_error(L, "invalid value (at index %I) in table for 'concat'", (LUAI_UACINT)i);
		lua_tolstring(L, -1, &bytes);
		size_t added = bytes + (i < last ? separator.n : 0);
		made += added;
		if (made > FW_LIMIT_STRING_BYTES)
			fw_lib_check_size(L, made);
		fw_lib_charge(L, 1 + added / FW_LIB_BYTES_PER_INSTRUCTION);
		luaL_addvalue(&b);
		if (i == last) /* which may be the largest integer */
			break;
		luaL_addlstring(&b, separator.p, separator.n);
	}
	luaL_pushresult(&b);
	return 1;
}

/* table.pack(...) */
static int pack(lua_State *L)
{
	int n = lua_gettop(L);
	fw_lib_charge(L, (size_t)n / 4);
	lua_createtable(L, n, 1);
	lua_insert(L, 1);
	for (int i = n; i >= 1; i--)
		lua_seti(L, 1, i);
	lua_pushinteger(L, n);
	lua_setfield(L, 1, "n");
	return 1;
}

/* table.unpack(t [, i [, j]]) */
static int unpack(lua_State *L)
{
	lua_Integer i = fw_lib_opt_integer(L, 2, 1), last = lua_isnoneornil(L, 3) ? luaL_len(L, 1) : fw_lib_integer(L, 3);
	if (i > last)
		return 0;
	lua_Unsigned n = (lua_Unsigned)last - (lua_Unsigned)i;
	fw_lib_charge(L, n / 2);
	if (n >= (lua_Unsigned)INT_MAX || !lua_checkstack(L, (int)++n))
		return luaL_error(L, "too many results to unpack");
	for (; i < last; i++)
		lua_geti(L, 1, i);
	lua_geti(L, 1, last);
	return (int)n;
}

void fw_lib_make_table(lua_State *L)
{
	static const luaL_Reg functions[] = { { "concat", concat }, { "insert", insert }, { "move", move }, { "pack", pack },
		{ "remove", remove_at }, { "sort", fw_lib_sort }, { "unpack", unpack }, { NULL, NULL } };
	luaL_newlib(L, functions);
}
