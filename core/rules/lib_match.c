/* string.find, match, gmatch and gsub. */
#include <lauxlib.h>
#include <string.h>

#include "base/limits.h"
#include "rules/lib.h"
#include "rules/lib_parts.h"
#include "rules/lib_pattern.h"

static int find_plain(lua_State *L, struct fw_str s, struct fw_str text, size_t from)
{
	const char *p = s.p + from - 1;
	size_t left = s.n - (from - 1);
	const char *found = text.n == 0 ? p : memmem(p, left, text.p, text.n);
	fw_lib_charge_bytes(L, found ? (size_t)(found - p) + text.n : left);
	if (!found) {
		lua_pushnil(L);
		return 1;
	}
	lua_pushinteger(L, found - s.p + 1);
	lua_pushinteger(L, found - s.p + (lua_Integer)text.n);
	return 2;
}

/* string.find(s, pattern [, init [, plain]]) and string.match(s, pattern [, init]) */
static int search(lua_State *L, bool find)
{
	struct fw_str s = fw_lib_text(L, 1), pattern = fw_lib_text(L, 2);
	size_t from = fw_lib_begin(fw_lib_opt_integer(L, 3, 1), s.n);
	if (from > s.n + 1) {
		lua_pushnil(L);
		return 1;
	}
	if (find && (lua_toboolean(L, 4) || fw_pattern_plain(pattern)))
		return find_plain(L, s, pattern, from);
	struct fw_pattern m;
	fw_pattern_init(&m, L, s, pattern, false);
	const char *at = s.p + from - 1, *end;
	do {
		end = fw_pattern_match(&m, at);
	} while (!end && !m.anchored && at++ < s.p + s.n);
	int n = 1;
	if (!end) {
		lua_pushnil(L);
	} else if (find) {
		lua_pushinteger(L, at - s.p + 1);
		lua_pushinteger(L, end - s.p);
		n = 2 + fw_pattern_push_all(&m, NULL, NULL, false);
	} else {
		n = fw_pattern_push_all(&m, at, end, true);
	}
	fw_pattern_settle(&m);
	return n;
}

int fw_lib_find(lua_State *L)
{
	return search(L, true);
}

int fw_lib_match(lua_State *L)
{
	return search(L, false);
}

/* Looks from `*at` on for a match that is not empty just behind the one before, which ended at `last`. */
static const char *next_match(struct fw_pattern *m, const char **at, const char *last)
{
	for (; *at <= m->subject.p + m->subject.n; ++*at) {
		const char *end = fw_pattern_match(m, *at);
		if (end && end != last)
			return end;
	}
	return NULL;
}

/* Upvalues: subject, pattern, where to go on, where the last match ended (both counted from 0; -1: none). */
int fw_lib_next_match(lua_State *L)
{
	struct fw_str s = fw_lib_text(L, lua_upvalueindex(1)), pattern = fw_lib_text(L, lua_upvalueindex(2));
	lua_Integer from = lua_tointeger(L, lua_upvalueindex(3)), last = lua_tointeger(L, lua_upvalueindex(4));
	if (from > (lua_Integer)s.n)
		return 0;
	struct fw_pattern m;
	fw_pattern_init(&m, L, s, pattern, true);
	const char *at = s.p + from, *end = next_match(&m, &at, last < 0 ? NULL : s.p + last);
	lua_pushinteger(L, end ? end - s.p : (lua_Integer)s.n + 1);
	lua_pushvalue(L, -1);
	lua_replace(L, lua_upvalueindex(3));
	lua_replace(L, lua_upvalueindex(4));
	int n = end ? fw_pattern_push_all(&m, at, end, true) : 0;
	fw_pattern_settle(&m);
	return n;
}

/* string.gmatch(s, pattern [, init]) */
int fw_lib_gmatch(lua_State *L)
{
	struct fw_str s = fw_lib_text(L, 1);
	fw_lib_text(L, 2);
	size_t from = fw_lib_begin(fw_lib_opt_integer(L, 3, 1), s.n);
	lua_settop(L, 2);
	lua_pushinteger(L, (lua_Integer)(from > s.n ? s.n + (from > s.n + 1) : from - 1));
	lua_pushinteger(L, -1);
	lua_pushcclosure(L, fw_lib_next_match, 4);
	return 1;
}

/* What gsub builds. */
struct made {
	luaL_Buffer b;
	size_t n;
};

static void check_made(lua_State *L, struct made *made, size_t n)
{
	made->n += n;
	if (made->n > FW_LIMIT_STRING_BYTES)
		fw_lib_check_size(L, made->n);
	fw_lib_charge_bytes(L, n);
}

static void add_text(lua_State *L, struct made *made, const char *p, size_t n)
{
	check_made(L, made, n);
	luaL_addlstring(&made->b, p, n);
}

/* Adds the value on top and pops it. */
static void add_top(lua_State *L, struct made *made)
{
	size_t n;
	lua_tolstring(L, -1, &n);
	check_made(L, made, n);
	luaL_addvalue(&made->b);
}

/* Adds the replacement text at stack index 3, in which "%1" means a capture. */
static void add_replacement(lua_State *L, struct made *made, struct fw_pattern *m, const char *from, const char *to)
{
	struct fw_str r = fw_lib_text(L, 3);
	const char *p = r.p, *end = r.p + r.n;
	for (;;) {
		const char *escape = memchr(p, '%', (size_t)(end - p));
		add_text(L, made, p, (size_t)((escape ? escape : end) - p));
		if (!escape)
			return;
		char c = escape + 1 < end ? escape[1] : '\0';
		p = escape + 2;
		if (c == '%') {
			add_text(L, made, "%", 1);
		} else if (c == '0') {
			add_text(L, made, from, (size_t)(to - from));
		} else if (c >= '1' && c <= '9') {
			fw_pattern_push(m, c - '1', from, to);
			add_top(L, made);
		} else {
			luaL_error(L, "invalid use of '%%' in replacement string");
		}
	}
}

/* Adds what takes the place of the match; false if the match itself stays. */
static bool add_instead(lua_State *L, struct made *made, struct fw_pattern *m, const char *from, const char *to)
{
	int type = lua_type(L, 3);
	fw_pattern_settle(m);
	if (type == LUA_TFUNCTION) {
		lua_pushvalue(L, 3);
		lua_call(L, fw_pattern_push_all(m, from, to, true), 1);
	} else if (type == LUA_TTABLE) {
		fw_pattern_push(m, 0, from, to);
		lua_gettable(L, 3);
	} else {
		add_replacement(L, made, m, from, to);
		return true;
	}
	if (!lua_toboolean(L, -1)) {
		lua_pop(L, 1);
		add_text(L, made, from, (size_t)(to - from));
		return false;
	}
	if (!lua_isstring(L, -1))
		luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
	add_top(L, made);
	return true;
}

/* string.gsub(s, pattern, replacement [, n]) */
int fw_lib_gsub(lua_State *L)
{
	struct fw_str s = fw_lib_text(L, 1), pattern = fw_lib_text(L, 2);
	int type = lua_type(L, 3);
	luaL_argexpected(L, type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TTABLE || type == LUA_TFUNCTION, 3,
		"string/function/table");
	lua_Integer most = fw_lib_opt_integer(L, 4, (lua_Integer)s.n + 1), n = 0;
	struct fw_pattern m;
	fw_pattern_init(&m, L, s, pattern, false);
	struct made made = { .n = 0 };
	luaL_buffinit(L, &made.b);
	const char *at = s.p, *kept = s.p, *last = NULL, *end = s.p + s.n;
	bool changed = false;
	while (n < most && at <= end) {
		const char *to = fw_pattern_match(&m, at);
		if (to && to != last) {
			n++;
			add_text(L, &made, kept, (size_t)(at - kept));
			changed |= add_instead(L, &made, &m, at, to);
			at = kept = last = to;
		} else {
			at++;
		}
		if (m.anchored)
			break;
	}
	fw_pattern_settle(&m);
	if (changed) {
		add_text(L, &made, kept, (size_t)(end - kept));
		luaL_pushresult(&made.b);
	} else {
		lua_pushvalue(L, 1);
	}
	lua_pushinteger(L, n);
	return 2;
}
