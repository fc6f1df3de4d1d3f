/* Lua states to test the rules' standard library with: one with it, and one with Lua's own to compare. */
#ifndef FW_TEST_LIB_STATE_H
#define FW_TEST_LIB_STATE_H

#include <lauxlib.h>
#include <lualib.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "rules/lib.h"

/* Instructions that library functions may still charge; charging more raises "out of budget". `run` sets it. */
static int64_t budget, run_budget = INT64_MAX;

void fw_lib_charge(lua_State *L, size_t instructions)
{
	if ((uint64_t)budget < instructions) {
		budget = 0;
		luaL_error(L, "out of budget");
	}
	budget -= (int64_t)instructions;
}

/* A state whose globals are an environment over the library, as a rule file has. */
static inline lua_State *open_rules(void)
{
	lua_State *L = luaL_newstate();
	lua_pushcfunction(L, fw_lib_open);
	lua_call(L, 0, 0);
	lua_newtable(L);
	lua_newtable(L);
	fw_lib_push(L);
	lua_setfield(L, -2, "__index");
	lua_setmetatable(L, -2);
	lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
	return L;
}

static inline lua_State *open_stock(void)
{
	lua_State *L = luaL_newstate();
	luaL_openlibs(L);
	return L;
}

static inline void describe(struct fw_buf *b, lua_State *L, int index)
{
	size_t n;
	switch (lua_type(L, index)) {
	case LUA_TSTRING:
		fw_buf_putc(b, '"');
		const char *s = lua_tolstring(L, index, &n);
		fw_buf_add(b, s, n);
		fw_buf_putc(b, '"');
		break;
	case LUA_TNUMBER:
		if (lua_isinteger(L, index))
			fw_buf_printf(b, "%lld", lua_tointeger(L, index));
		else
			fw_buf_printf(b, "%.17gf", lua_tonumber(L, index));
		break;
	case LUA_TBOOLEAN: fw_buf_puts(b, lua_toboolean(L, index) ? "true" : "false"); break;
	default: fw_buf_puts(b, luaL_typename(L, index)); break;
	}
}

/* Runs the code and writes what it returned, "a, b", or "error", with the message if `message`. */
static inline void run(lua_State *L, const char *code, bool message, struct fw_buf *b)
{
	int top = lua_gettop(L);
	fw_buf_clear(b);
	budget = run_budget;
	if (luaL_loadbufferx(L, code, strlen(code), "=code", "t") != LUA_OK || lua_pcall(L, 0, LUA_MULTRET, 0) != LUA_OK) {
		fw_buf_puts(b, "error");
		if (message)
			fw_buf_printf(b, ": %s", lua_tostring(L, -1));
	} else {
		for (int i = top + 1; i <= lua_gettop(L); i++) {
			if (i > top + 1)
				fw_buf_puts(b, ", ");
			describe(b, L, i);
		}
	}
	lua_settop(L, top);
}

#endif
