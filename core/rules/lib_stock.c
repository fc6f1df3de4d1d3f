/* math and utf8: Lua's own functions, charged where they walk over a text. */
#include <lauxlib.h>
#include <lualib.h>

#include "rules/lib.h"
#include "rules/lib_parts.h"

static void push_stock(lua_State *L, lua_CFunction open)
{
	lua_pushcfunction(L, open);
	lua_call(L, 0, 1);
}

void fw_lib_make_math(lua_State *L)
{
	static const char *const values[] = { "pi", "huge", "maxinteger", "mininteger", "type", NULL };
	/* A number may be given as text, however long. */
	static const char *const functions[] = { "abs", "acos", "asin", "atan", "ceil", "cos", "deg", "exp", "floor", "fmod",
		"log", "max", "min", "modf", "rad", "sin", "sqrt", "tan", "tointeger", "ult", NULL };
	lua_newtable(L);
	push_stock(L, luaopen_math);
	lua_insert(L, -2);
	fw_lib_take(L, -2, values, false);
	fw_lib_take(L, -2, functions, true);
	lua_remove(L, -2);
}

/* The wrappers below call the function of Lua's own library that is their upvalue 1. */
static int call_stock(lua_State *L)
{
	return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

/* utf8.codepoint(s [, i [, j]]) */
static int codepoint(lua_State *L)
{
	struct fw_str s = fw_lib_text(L, 1);
	lua_Integer i = fw_lib_opt_integer(L, 2, 1);
	size_t from = fw_lib_begin(i, s.n), to = fw_lib_end(fw_lib_opt_integer(L, 3, i), s.n);
	if (to > from)
		fw_lib_charge(L, (to - from) / 2);
	return call_stock(L);
}

/* utf8.len(s [, i [, j]]) */
static int len(lua_State *L)
{
	struct fw_str s = fw_lib_text(L, 1);
	size_t from = fw_lib_begin(fw_lib_opt_integer(L, 2, 1), s.n), to = fw_lib_end(fw_lib_opt_integer(L, 3, -1), s.n);
	if (to > from)
		fw_lib_charge(L, (to - from) / 4);
	return call_stock(L);
}

/* utf8.offset(s, n [, i]); what it walked is known afterwards. */
static int offset(lua_State *L)
{
	struct fw_str s = fw_lib_text(L, 1);
	lua_Integer n = fw_lib_integer(L, 2);
	size_t from = fw_lib_begin(fw_lib_opt_integer(L, 3, n > 0 ? 1 : (lua_Integer)s.n + 1), s.n);
	int results = call_stock(L);
	size_t to = lua_isinteger(L, -1) ? (size_t)lua_tointeger(L, -1) : s.n;
	fw_lib_charge(L, (to > from ? to - from : from - to) / 4);
	return results;
}

/* A step of utf8.codes: Lua's own one first walks over what is left of the character before. */
static int next_code(lua_State *L)
{
	struct fw_str s = fw_lib_text(L, 1);
	lua_Integer at = fw_lib_integer(L, 2);
	size_t n = 0;
	for (size_t i = at < 0 ? s.n : (size_t)at; i + n < s.n && (s.p[i + n] & 0xC0) == 0x80;)
		if (++n % 256 == 0)
			fw_lib_charge(L, 64);
	return call_stock(L);
}

static int codes(lua_State *L)
{
	int results = call_stock(L);
	lua_pushvalue(L, -results);
	lua_pushcclosure(L, next_code, 1);
	lua_replace(L, -results - 1);
	return results;
}

void fw_lib_make_utf8(lua_State *L)
{
	static const char *const values[] = { "charpattern", NULL };
	static const char *const functions[] = { "char", NULL };
	static const luaL_Reg wrapped[] = { { "codepoint", codepoint }, { "len", len }, { "offset", offset },
		{ "codes", codes } };
	lua_newtable(L);
	push_stock(L, luaopen_utf8);
	lua_insert(L, -2);
	fw_lib_take(L, -2, values, false);
	fw_lib_take(L, -2, functions, true);
	for (size_t i = 0; i < sizeof wrapped / sizeof wrapped[0]; i++) {
		lua_getfield(L, -2, wrapped[i].name);
		lua_pushcclosure(L, wrapped[i].func, 1);
		lua_setfield(L, -2, wrapped[i].name);
	}
	lua_remove(L, -2);
}
