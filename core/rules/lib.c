#include "rules/lib.h"

#include <lauxlib.h>
#include <lualib.h>

#include "base/limits.h"
#include "rules/lib_parts.h"

void fw_lib_charge_bytes(lua_State *L, size_t n)
{
	if (n >= FW_LIB_BYTES_PER_INSTRUCTION)
		fw_lib_charge(L, n / FW_LIB_BYTES_PER_INSTRUCTION);
}

void fw_lib_check_size(lua_State *L, size_t n)
{
	if (n > FW_LIMIT_STRING_BYTES)
		luaL_error(L, "a string may have %d bytes, this one would have more", FW_LIMIT_STRING_BYTES);
	fw_lib_charge_bytes(L, n);
}

static void charge_text(lua_State *L, int arg)
{
	if (lua_type(L, arg) == LUA_TSTRING)
		fw_lib_charge_bytes(L, lua_rawlen(L, arg));
}

lua_Integer fw_lib_integer(lua_State *L, int arg)
{
	charge_text(L, arg);
	return luaL_checkinteger(L, arg);
}

lua_Integer fw_lib_opt_integer(lua_State *L, int arg, lua_Integer otherwise)
{
	return lua_isnoneornil(L, arg) ? otherwise : fw_lib_integer(L, arg);
}

struct fw_str fw_lib_text(lua_State *L, int arg)
{
	struct fw_str s;
	s.p = luaL_checklstring(L, arg, &s.n);
	return s;
}

size_t fw_lib_begin(lua_Integer position, size_t n)
{
	if (position > 0)
		return (size_t)position;
	if (position == 0 || position < -(lua_Integer)n)
		return 1;
	return n + (size_t)position + 1;
}

size_t fw_lib_end(lua_Integer position, size_t n)
{
	if (position > (lua_Integer)n)
		return n;
	if (position >= 0)
		return (size_t)position;
	return position < -(lua_Integer)n ? 0 : n + (size_t)position + 1;
}

/* Calls the C function in upvalue 1. */
static int charged(lua_State *L)
{
	int n = lua_gettop(L);
	for (int i = 1; i <= n; i++)
		charge_text(L, i);
	if (n >= 8)
		fw_lib_charge(L, (size_t)n / 8);
	return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

void fw_lib_take(lua_State *L, int from, const char *const *names, bool charge)
{
	from = lua_absindex(L, from);
	for (; *names; names++) {
		lua_getfield(L, from, *names);
		if (charge)
			lua_pushcclosure(L, charged, 1);
		lua_setfield(L, -2, *names);
	}
}

void fw_lib_tostring(lua_State *L, int index)
{
	index = lua_absindex(L, index);
	if (luaL_callmeta(L, index, "__tostring")) {
		if (!lua_isstring(L, -1))
			luaL_error(L, "'__tostring' must return a string");
		lua_tolstring(L, -1, NULL); /* makes a text of a number in its place */
		return;
	}
	switch (lua_type(L, index)) {
	case LUA_TNUMBER:
	case LUA_TSTRING:
		lua_pushvalue(L, index);
		lua_tolstring(L, -1, NULL);
		break;
	case LUA_TBOOLEAN: lua_pushstring(L, lua_toboolean(L, index) ? "true" : "false"); break;
	default: lua_pushstring(L, luaL_typename(L, index)); break;
	}
}

static int tostring(lua_State *L)
{
	luaL_checkany(L, 1);
	fw_lib_tostring(L, 1);
	return 1;
}

static void refuse_field(lua_State *L, int metatable, const char *name)
{
	lua_pushstring(L, name);
	if (lua_rawget(L, metatable) != LUA_TNIL)
		luaL_error(L, "%s is not available in rules", name);
	lua_pop(L, 1);
}

static int set_metatable(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	luaL_argexpected(L, lua_isnil(L, 2) || lua_istable(L, 2), 2, "nil or table");
	if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
		return luaL_error(L, "cannot change a protected metatable");
	if (lua_istable(L, 2)) {
		/* A frozen metatable has its metamethods in the hidden table, where Lua must find them. */
		fw_lib_contents(L, 2);
		lua_replace(L, 2);
		refuse_field(L, 2, "__gc");
		refuse_field(L, 2, "__mode");
		refuse_field(L, 2, "__close");
	}
	lua_settop(L, 2);
	lua_setmetatable(L, 1);
	return 1;
}

/* Pushes Lua's own basic functions in a table of their own, leaving the state's globals alone. */
static void push_lua_base(lua_State *L)
{
	lua_pushglobaltable(L);
	lua_newtable(L);
	lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
	lua_pushcfunction(L, luaopen_base);
	lua_call(L, 0, 1);
	lua_insert(L, -2);
	lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
}

static void set_library(lua_State *L, const char *name, void (*make)(lua_State *))
{
	make(L);
	fw_lib_seal(L, name);
	lua_setfield(L, -2, name);
}

int fw_lib_open(lua_State *L)
{
	static const char *const as_in_lua[] = { "pcall", "error", "assert", "ipairs", "type", NULL };
	static const char *const charged_by_length[] = { "select", "tonumber", NULL };
	static const luaL_Reg own[] = { { "pairs", fw_lib_pairs }, { "next", fw_lib_next }, { "tostring", tostring },
		{ "setmetatable", set_metatable }, { NULL, NULL } };
	luaL_checkstack(L, 20, NULL);
	luaL_newlib(L, own);
	push_lua_base(L);
	lua_insert(L, -2);
	fw_lib_take(L, -2, as_in_lua, false);
	fw_lib_take(L, -2, charged_by_length, true);
	lua_remove(L, -2);
	set_library(L, "string", fw_lib_make_string);
	set_library(L, "table", fw_lib_make_table);
	set_library(L, "math", fw_lib_make_math);
	set_library(L, "utf8", fw_lib_make_utf8);
	lua_setfield(L, LUA_REGISTRYINDEX, FW_LIB_KEY);
	return 0;
}

bool fw_lib_is_iterator(lua_State *L, int index)
{
	lua_CFunction f = lua_tocfunction(L, index);
	return f == fw_lib_next_pair || f == fw_lib_next_match;
}

void fw_lib_push(lua_State *L)
{
	lua_getfield(L, LUA_REGISTRYINDEX, FW_LIB_KEY);
}
