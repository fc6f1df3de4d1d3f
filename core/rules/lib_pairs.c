/* pairs and next in the order of keys. */
#include <lauxlib.h>
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "rules/lib.h"
#include "rules/lib_parts.h"

/* An empty table may still be large, and Lua does not say so. */
enum { INSTRUCTIONS_A_WALK = 32, USUAL_KEYS = 8, FEW_KEYS = 16 };

enum rank { WHOLE, FRACTION, TEXT, BOOLEAN };

/* A key as it is compared; `place` is where it stands in the list of keys. */
struct key {
	unsigned char rank;
	uint32_t place;
	union {
		lua_Integer whole; /* of a boolean: 0 or 1 */
		lua_Number fraction;
		struct {
			const char *p;
			size_t n;
		} text;
	} as;
};

static struct key read_key(lua_State *L, int index, uint32_t place)
{
	struct key k = { .rank = BOOLEAN, .place = place };
	switch (lua_type(L, index)) {
	case LUA_TNUMBER:
		k.rank = lua_isinteger(L, index) ? WHOLE : FRACTION;
		if (k.rank == WHOLE)
			k.as.whole = lua_tointeger(L, index);
		else
			k.as.fraction = lua_tonumber(L, index);
		break;
	case LUA_TSTRING:
		k.rank = TEXT;
		k.as.text.p = lua_tolstring(L, index, &k.as.text.n);
		break;
	case LUA_TBOOLEAN: k.as.whole = lua_toboolean(L, index); break;
	default:
		luaL_error(L, "a key of this table is a %s; pairs and next take numbers, text and booleans",
			luaL_typename(L, index));
	}
	return k;
}

/* A float among the keys of a table is never equal to an integer. */
static bool whole_is_less(lua_Integer i, lua_Number f)
{
	if (f >= 0x1p63)
		return true;
	return f >= -0x1p63 && i <= (lua_Integer)floor(f);
}

static int compare_numbers(const struct key *a, const struct key *b)
{
	if (a->rank == WHOLE && b->rank == WHOLE)
		return (a->as.whole > b->as.whole) - (a->as.whole < b->as.whole);
	if (a->rank == FRACTION && b->rank == FRACTION)
		return (a->as.fraction > b->as.fraction) - (a->as.fraction < b->as.fraction);
	if (a->rank == WHOLE)
		return whole_is_less(a->as.whole, b->as.fraction) ? -1 : 1;
	return whole_is_less(b->as.whole, a->as.fraction) ? 1 : -1;
}

static int compare_keys(const void *x, const void *y)
{
	const struct key *a = x, *b = y;
	if (a->rank <= FRACTION && b->rank <= FRACTION)
		return compare_numbers(a, b);
	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	if (a->rank == BOOLEAN)
		return (a->as.whole > b->as.whole) - (a->as.whole < b->as.whole);
	size_t n = a->as.text.n < b->as.text.n ? a->as.text.n : b->as.text.n;
	int order = memcmp(a->as.text.p, b->as.text.p, n);
	return order ? order : (a->as.text.n > b->as.text.n) - (a->as.text.n < b->as.text.n);
}

/* Brings the list of n keys, with so many bytes of text, at stack index `list` into order. */
static void sort_list(lua_State *L, int list, uint32_t n, size_t bytes)
{
	struct key few[FEW_KEYS], *keys = few;
	size_t levels = 1;
	for (uint32_t i = n; i > 1; i /= 2)
		levels++;
	fw_lib_charge(L, n * levels / 2);
	fw_lib_charge_bytes(L, bytes * levels);
	if (n > FEW_KEYS)
		keys = lua_newuserdatauv(L, n * sizeof *keys, 0);
	else
		lua_pushnil(L);
	for (uint32_t i = 0; i < n; i++) {
		lua_rawgeti(L, list, i + 1);
		keys[i] = read_key(L, -1, i + 1);
		lua_pop(L, 1);
	}
	qsort(keys, n, sizeof *keys, compare_keys);
	if (n > FEW_KEYS) {
		lua_createtable(L, (int)n, 0);
		for (uint32_t i = 0; i < n; i++) {
			lua_rawgeti(L, list, keys[i].place);
			lua_rawseti(L, -2, i + 1);
		}
		lua_replace(L, list);
	} else {
		for (uint32_t i = 0; i < n; i++)
			lua_rawgeti(L, list, keys[i].place);
		for (uint32_t i = n; i > 0; i--)
			lua_rawseti(L, list, i);
	}
	lua_pop(L, 1);
}

/* Puts a list of the whole numbers from 1 to n in place of the value at stack index `list`. */
static void begin_list(lua_State *L, int list, uint32_t n)
{
	lua_createtable(L, n < USUAL_KEYS ? USUAL_KEYS : (int)n + 1, 0);
	for (uint32_t i = 1; i <= n; i++) {
		lua_pushinteger(L, i);
		lua_rawseti(L, -2, i);
	}
	lua_replace(L, list);
}

/* Pushes the keys of the table at `t` in order, as a list, or nil if they are 1 to n. Returns how many there are. */
static uint32_t push_keys(lua_State *L, int t)
{
	uint32_t n = 0;
	size_t bytes = 0;
	bool in_order = true, counts = true;
	struct key last = { 0 };
	fw_lib_charge(L, INSTRUCTIONS_A_WALK);
	luaL_checkstack(L, FEW_KEYS + 8, NULL);
	lua_pushnil(L);
	int list = lua_gettop(L);
	for (lua_pushnil(L); lua_next(L, t); n++) {
		lua_pop(L, 1);
		struct key k = read_key(L, -1, n + 1);
		if (n == INT_MAX / 2)
			luaL_error(L, "too many keys");
		if (counts && !(k.rank == WHOLE && k.as.whole == (lua_Integer)n + 1)) {
			counts = false;
			begin_list(L, list, n);
		}
		if (!counts) {
			in_order = in_order && (n == 0 || compare_keys(&last, &k) < 0);
			bytes += k.rank == TEXT ? k.as.text.n : 0;
			lua_pushvalue(L, -1);
			lua_rawseti(L, list, n + 1);
		}
		last = k;
		if (n % 64 == 63)
			fw_lib_charge(L, 64);
	}
	fw_lib_charge_bytes(L, bytes);
	if (!in_order)
		sort_list(L, list, n, bytes);
	return n;
}

/* Upvalues: the table to read, the list of its keys (nil: they are 1 to n), n, how many were visited. */
int fw_lib_next_pair(lua_State *L)
{
	lua_Integer n = lua_tointeger(L, lua_upvalueindex(3)), i = lua_tointeger(L, lua_upvalueindex(4));
	bool counts = lua_isnil(L, lua_upvalueindex(2)), found = false;
	lua_settop(L, 0);
	while (i < n && !found) {
		i++;
		if (counts)
			lua_pushinteger(L, i);
		else
			lua_rawgeti(L, lua_upvalueindex(2), i);
		lua_pushvalue(L, 1);
		found = lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL;
		if (!found)
			lua_settop(L, 0);
		if (i % 64 == 0)
			fw_lib_charge(L, 16);
	}
	lua_pushinteger(L, i);
	lua_replace(L, lua_upvalueindex(4));
	if (!found)
		lua_pushnil(L);
	return found ? 2 : 1;
}

int fw_lib_pairs(lua_State *L)
{
	luaL_checkany(L, 1);
	lua_settop(L, 1);
	if (luaL_getmetafield(L, 1, "__pairs") != LUA_TNIL && lua_tocfunction(L, -1) != fw_lib_pairs) {
		lua_pushvalue(L, 1);
		lua_call(L, 1, 3);
		return 3;
	}
	lua_settop(L, 1);
	luaL_checktype(L, 1, LUA_TTABLE);
	fw_lib_contents(L, 1);
	uint32_t n = push_keys(L, 2);
	lua_pushinteger(L, n);
	lua_pushinteger(L, 0);
	lua_pushcclosure(L, fw_lib_next_pair, 4);
	lua_insert(L, 1);
	lua_pushnil(L);
	return 3;
}

int fw_lib_next(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	if (!lua_isnoneornil(L, 2))
		return luaL_error(L, "next(t) only tells whether a table is empty; go through it with pairs(t)");
	lua_settop(L, 1);
	fw_lib_contents(L, 1);
	fw_lib_charge(L, INSTRUCTIONS_A_WALK);
	struct key first = { 0 };
	uint32_t n = 0;
	lua_pushnil(L); /* 3: the first key so far */
	for (lua_pushnil(L); lua_next(L, 2); n++) {
		lua_pop(L, 1);
		struct key k = read_key(L, -1, 0);
		if (n == 0 || compare_keys(&k, &first) < 0) {
			first = k;
			lua_pushvalue(L, -1);
			lua_replace(L, 3);
		}
		if (k.rank == TEXT)
			fw_lib_charge_bytes(L, k.as.text.n);
		if (n % 64 == 63)
			fw_lib_charge(L, 32);
	}
	if (n == 0)
		return 1;
	lua_pushvalue(L, 3);
	lua_rawget(L, 2);
	return 2;
}
