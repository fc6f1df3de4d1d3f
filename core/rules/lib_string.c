/* string: what needs no pattern. */
#include <lauxlib.h>
#include <lualib.h>
#include <string.h>

#include "base/limits.h"
#include "rules/lib.h"
#include "rules/lib_parts.h"

/* string.byte(s [, i [, j]]) */
static int byte(lua_State *L)
{
	struct fw_str s = fw_lib_text(L, 1);
	lua_Integer i = fw_lib_opt_integer(L, 2, 1);
	size_t from = fw_lib_begin(i, s.n), to = fw_lib_end(fw_lib_opt_integer(L, 3, i), s.n);
	if (from > to)
		return 0;
	size_t n = to - from + 1;
	if (n > 1) {
		fw_lib_charge(L, n / 4);
		if (n > FW_LIMIT_STRING_BYTES || !lua_checkstack(L, (int)n))
			return luaL_error(L, "string slice too long");
	}
	for (size_t at = from; at <= to; at++)
		lua_pushinteger(L, (unsigned char)s.p[at - 1]);
	return (int)n;
}

/* string.sub(s, i [, j]) */
static int sub(lua_State *L)
{
	struct fw_str s = fw_lib_text(L, 1);
	size_t from = fw_lib_begin(fw_lib_integer(L, 2), s.n), to = fw_lib_end(fw_lib_opt_integer(L, 3, -1), s.n);
	size_t n = from <= to ? to - from + 1 : 0;
	fw_lib_charge_bytes(L, n);
	lua_pushlstring(L, n ? s.p + from - 1 : "", n);
	return 1;
}

/* string.rep(s, n [, separator]) */
static int rep(lua_State *L)
{
	struct fw_str s = fw_lib_text(L, 1), separator = FW_STR("");
	lua_Integer times = fw_lib_integer(L, 2);
	if (!lua_isnoneornil(L, 3))
		separator = fw_lib_text(L, 3);
	size_t unit = s.n + separator.n;
	if (times <= 0 || unit == 0) {
		lua_pushliteral(L, "");
		return 1;
	}
	if ((size_t)times > (FW_LIMIT_STRING_BYTES + separator.n) / unit)
		fw_lib_check_size(L, FW_LIMIT_STRING_BYTES + 1);
	size_t n = unit * (size_t)times - separator.n;
	fw_lib_check_size(L, n);
	fw_lib_charge(L, (size_t)times / 4 + 1);
	luaL_Buffer b;
	char *to = luaL_buffinitsize(L, &b, n);
	while (times-- > 0) {
		memcpy(to, s.p, s.n);
		to += s.n;
		if (times > 0 && separator.n) {
			memcpy(to, separator.p, separator.n);
			to += separator.n;
		}
	}
	luaL_pushresultsize(&b, n);
	return 1;
}

static int change_case(lua_State *L, char first, char last)
{
	struct fw_str s = fw_lib_text(L, 1);
	luaL_Buffer b;
	fw_lib_charge_bytes(L, 2 * s.n);
	char *to = luaL_buffinitsize(L, &b, s.n);
	for (size_t i = 0; i < s.n; i++)
		to[i] = s.p[i] >= first && s.p[i] <= last ? (char)(s.p[i] ^ 0x20) : s.p[i];
	luaL_pushresultsize(&b, s.n);
	return 1;
}

static int lower(lua_State *L)
{
	return change_case(L, 'A', 'Z');
}

static int upper(lua_State *L)
{
	return change_case(L, 'a', 'z');
}

/* Arithmetic on text ("10" + 1) is in the metatable of strings; indexing is by the plain table, which Lua code cannot
 * get at through the locked metatable. */
static void set_metatable(lua_State *L, int library)
{
	static const char *const arithmetic[] = { "__add", "__sub", "__mul", "__mod", "__pow", "__div", "__idiv", "__unm",
		NULL };
	library = lua_absindex(L, library);
	lua_pushliteral(L, "");
	lua_newtable(L);
	lua_getmetatable(L, -2); /* as luaopen_string left it */
	lua_insert(L, -2);
	fw_lib_take(L, -2, arithmetic, true);
	lua_remove(L, -2);
	lua_pushvalue(L, library);
	lua_setfield(L, -2, "__index");
	lua_pushboolean(L, false);
	lua_setfield(L, -2, "__metatable");
	lua_setmetatable(L, -2);
	lua_pop(L, 1);
}

void fw_lib_make_string(lua_State *L)
{
	static const char *const as_in_lua[] = { "len", NULL };
	static const char *const charged[] = { "char", "reverse", NULL };
	static const luaL_Reg own[] = { { "byte", byte }, { "find", fw_lib_find }, { "gmatch", fw_lib_gmatch },
		{ "gsub", fw_lib_gsub }, { "lower", lower }, { "match", fw_lib_match }, { "rep", rep }, { "sub", sub },
		{ "upper", upper }, { NULL, NULL } };
	luaL_newlib(L, own);
	lua_pushcfunction(L, luaopen_string);
	lua_call(L, 0, 1);
	lua_insert(L, -2);
	fw_lib_take(L, -2, as_in_lua, false);
	fw_lib_take(L, -2, charged, true);
	lua_getfield(L, -2, "format");
	lua_pushcclosure(L, fw_lib_format, 1);
	lua_setfield(L, -2, "format");
	lua_remove(L, -2);
	set_metatable(L, -1);
}
