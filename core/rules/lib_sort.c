/* table.sort: a stable merge sort over a copy, so that neither a wrong comparator nor one that raises or changes the
 * table can do harm. */
#include <lauxlib.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "rules/lib.h"
#include "rules/lib_parts.h"

/* Stack places. */
enum { TABLE = 1, COMPARATOR = 2, COPY = 3 };

enum { INSTRUCTIONS_A_COMPARISON = 3 };

struct order {
	lua_State *L;
	uint32_t *places, *spare; /* places in the copy, and room to merge into */
	uint32_t n;
};

/* True if the element at place a of the copy belongs before the one at place b. */
static bool before(lua_State *L, uint32_t a, uint32_t b)
{
	bool answer;
	fw_lib_charge(L, INSTRUCTIONS_A_COMPARISON);
	if (lua_isnil(L, COMPARATOR)) {
		lua_rawgeti(L, COPY, a);
		lua_rawgeti(L, COPY, b);
		if (lua_type(L, -1) == LUA_TSTRING && lua_type(L, -2) == LUA_TSTRING) {
			size_t x = lua_rawlen(L, -1), y = lua_rawlen(L, -2);
			fw_lib_charge_bytes(L, x < y ? x : y);
		}
		answer = lua_compare(L, -2, -1, LUA_OPLT);
		lua_pop(L, 2);
	} else {
		lua_pushvalue(L, COMPARATOR);
		lua_rawgeti(L, COPY, a);
		lua_rawgeti(L, COPY, b);
		lua_call(L, 2, 1);
		answer = lua_toboolean(L, -1);
		lua_pop(L, 1);
	}
	return answer;
}

/* Merges the neighbours [from, middle) and [middle, to). */
static void merge(struct order *o, uint32_t from, uint32_t middle, uint32_t to)
{
	uint32_t *p = o->places, *left = o->spare;
	if (!before(o->L, p[middle], p[middle - 1]))
		return;
	uint32_t n_left = middle - from, i = 0, j = middle, at = from;
	memcpy(left, p + from, n_left * sizeof *left);
	while (i < n_left && j < to)
		p[at++] = before(o->L, p[j], left[i]) ? p[j++] : left[i++];
	memcpy(p + at, left + i, (n_left - i) * sizeof *left);
}

static void sort_places(struct order *o)
{
	for (uint32_t width = 1; width < o->n; width *= 2)
		for (uint32_t from = 0; from + width < o->n; from += 2 * width)
			merge(o, from, from + width, from + 2 * width < o->n ? from + 2 * width : o->n);
	for (uint32_t i = 1; i < o->n; i++)
		if (before(o->L, o->places[i], o->places[i - 1]))
			luaL_error(o->L, "invalid order function for sorting: it must say false for equal elements");
}

int fw_lib_sort(lua_State *L)
{
	lua_settop(L, 2);
	fw_lib_check_table(L, TABLE, FW_LIB_READ | FW_LIB_WRITE | FW_LIB_LENGTH);
	if (!lua_isnil(L, COMPARATOR))
		luaL_checktype(L, COMPARATOR, LUA_TFUNCTION);
	lua_Integer n = luaL_len(L, TABLE);
	if (n < 2)
		return 0;
	fw_lib_charge(L, (size_t)n);
	luaL_argcheck(L, n < INT_MAX / 4, TABLE, "array too big");
	lua_createtable(L, (int)n, 0);
	struct order o = { .L = L, .n = (uint32_t)n };
	o.places = lua_newuserdatauv(L, 2 * (size_t)n * sizeof *o.places, 0);
	o.spare = o.places + n;
	for (uint32_t i = 0; i < o.n; i++) {
		o.places[i] = i + 1;
		lua_geti(L, TABLE, i + 1);
		lua_rawseti(L, COPY, i + 1);
	}
	sort_places(&o);
	fw_lib_charge(L, (size_t)n);
	for (uint32_t i = 0; i < o.n; i++) {
		lua_rawgeti(L, COPY, o.places[i]);
		lua_seti(L, TABLE, i + 1);
	}
	return 0;
}
