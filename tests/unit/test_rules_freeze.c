#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib_state.h"

#define REFUSED "this table is shared between visitors and cannot be changed"

/* freeze(t): freezes; returns how many functions were reached. */
static int freeze(lua_State *L)
{
	lua_settop(L, 1);
	lua_newtable(L);
	fw_lib_freeze(L, 1, 2);
	assert_int_equal(lua_gettop(L), 2);
	lua_Integer n = 0;
	for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1))
		n++;
	lua_pushinteger(L, n);
	return 1;
}

/* Runs the code in a state of its own, where `freeze` is defined. */
static void expect(const char *code, const char *outcome)
{
	struct fw_buf b;
	lua_State *L = open_rules();
	lua_register(L, "freeze", freeze);
	fw_buf_init(&b, 0);
	run(L, code, true, &b);
	if (strcmp(fw_buf_text(&b), outcome) != 0)
		fail_msg("%s\n  gave     %s\n  expected %s", code, fw_buf_text(&b), outcome);
	fw_buf_finish(&b);
	lua_close(L);
}

static void test_reads_as_before(void **state)
{
	(void)state;
	expect("local t = {1, 2, 3, x = 'y', [true] = false, n = {5}} local before = t freeze(t) "
		   "return t == before, #t, t[1], t[3], t[4], t.x, t[true], t.nope, #t.n, t.n[1]",
		"true, 3, 1, 3, nil, \"y\", false, nil, 1, 5");
	expect("local t = {3, 1, b = 2, a = 1} freeze(t) local o = {} for k, v in pairs(t) do o[#o + 1] = k .. '=' .. v end "
		   "for i, v in ipairs(t) do o[#o + 1] = v end return table.concat(o, ' ')",
		"\"1=3 2=1 a=1 b=2 3 1\"");
	expect("local t = {3, 1} freeze(t) return table.concat(t, ','), table.unpack(t)", "\"3,1\", 3, 1");
	expect("local t, e = {a = 1}, {} freeze(t) freeze(e) local k, v = next(t) return k, v, next(e)", "\"a\", 1, nil");
	expect("local t = {a = 'x'} freeze(t) return (('a'):gsub('a', t))", "\"x\"");
	expect("local t = {1, 2} freeze(t) return table.unpack(table.move(t, 1, 2, 1, {}))", "1, 2");
	expect("local t = {} freeze(t) freeze(t) return type(t), tostring(t)", "\"table\", \"table\"");
}

static void test_refuses_writes(void **state)
{
	(void)state;
	static const char *const writes[] = { "t.x = 1", "t.new = 1", "t.x = nil", "t[1] = 1", "t.deep.er[1] = 1", "t.deep.er.x = 1",
		"t.loop.loop.y = 1", "t.list[1].x = 1", "t.via.x = 1", "for k, v in pairs(t.list) do v[1] = 0 end", "key.x = 1" };
	char code[400];
	for (size_t i = 0; i < sizeof writes / sizeof writes[0]; i++) {
		snprintf(code, sizeof code,
			"local key = {} local t = {9, x = 0, deep = {er = {5}}, list = {{}, {}}, [key] = 1} t.loop = t "
			"t.via = setmetatable({}, {__index = {x = 1}}) freeze(t) %s", writes[i]);
		expect(code, "error: code:1: " REFUSED);
	}
	expect("local t = {1, 2} freeze(t) return pcall(table.insert, t, 3)", "false, \"" REFUSED "\"");
	expect("local t = {2, 1} freeze(t) return pcall(table.sort, t)", "false, \"" REFUSED "\"");
	expect("local t = {2, 1} freeze(t) return pcall(table.remove, t)", "false, \"" REFUSED "\"");
	expect("local t = {2, 1} freeze(t) return pcall(setmetatable, t, {})", "false, \"cannot change a protected metatable\"");
	expect("local t = setmetatable({}, {__newindex = function() end}) freeze(t) t.x = 1", "error: code:1: " REFUSED);
	expect("local t = setmetatable({}, {__index = {inner = {}}}) freeze(t) t.inner.x = 1", "error: code:1: " REFUSED);
}

static void test_metamethods_stay(void **state)
{
	(void)state;
	expect("local t = setmetatable({2}, {__add = function(a, b) return a[1] + b end, __call = function(s, x) return s[1] * x end, "
		   "__tostring = function() return 'me' end, __len = function() return 77 end, __eq = function() return true end, "
		   "__unm = function() return 'neg' end, __concat = function(a, b) return 'cat' end, __lt = function() return true end}) "
		   "local u = setmetatable({}, {__eq = function() return true end}) freeze(t) "
		   "return t + 1, t(5), tostring(t), #t, t == u, -t, t .. '', t < t",
		"3, 10, \"me\", 77, true, \"neg\", \"cat\", true");
	expect("local t = setmetatable({a = 1}, {__index = {b = 2}}) freeze(t) return t.a, t.b, t.c", "1, 2, nil");
	expect("local t t = setmetatable({a = 1}, {__index = function(s, k) return s == t and k .. s.a end}) freeze(t) return t.a, t.x",
		"1, \"x1\"");
	expect("local t = setmetatable({}, {__index = function(s, k) s[k] = 1 return 1 end}) freeze(t) return t.x",
		"error: code:1: " REFUSED);
	expect("local t = setmetatable({a = 1}, {__index = function() end}) freeze(t) return next(t)", "\"a\", 1");
	expect("local t = setmetatable({}, {__pairs = function() return function(_, k) if not k then "
		   "return 'own', 1 end end end}) freeze(t) "
		   "for k in pairs(t) do return k end",
		"\"own\"");
	expect("local A = {} A.__index = A function A.hi() return 'hi' end local B = setmetatable({}, A) B.__index = B "
		   "local b = setmetatable({}, B) freeze(b) return b.hi(), B.hi()",
		"\"hi\", \"hi\"");
	/* A class, its instances from before and those made later. */
	expect("local P = {} P.__index = P function P.new(x) return setmetatable({x = x}, P) end function P:get() return self.x end "
		   "P.__add = function(a, b) return P.new(a.x + b.x) end local old = P.new(1) freeze({P, old}) "
		   "local new = P.new(2) new.y = 3 "
		   "return old:get(), new:get(), new.y, (old + new).x",
		"1, 2, 3, 3");
	expect("local P = {} P.__index = P local old = setmetatable({}, P) function P.f() return 1 end freeze(P) "
		   "freeze(old) return old.f()",
		"1");
	expect("local P = {__gc = 1} freeze(P) return pcall(setmetatable, {}, P)", "false, \"__gc is not available in rules\"");
}

static void test_what_is_reached(void **state)
{
	(void)state;
	expect("local function f() end local function g() end return freeze { f, f, { g, math.floor }, [f] = 1, s = ('x'):rep(99) }",
		"2");
	expect("local function f() end return freeze(setmetatable({}, {__index = function() end, __call = f, __add = f}))", "2");
	expect("return freeze { (pairs({})), ('x'):gmatch('x'), next, (ipairs({})) }", "2");
	expect("local t = {s = string, m = math} freeze(t) t.s.x = 1", "error: code:1: string is read-only");
	expect("local t = {} for i = 1, 20000 do t = {t} end freeze(t) for i = 1, 20000 do t = t[1] end return next(t)", "nil");
	expect("local t = {} for i = 1, 5000 do t[i] = {i, k = 'v' .. i} end freeze(t) local n = 0 for i, v in ipairs(t) do "
		   "n = n + v[1] assert(v.k == 'v' .. i and not pcall(function() v.k = 1 end)) end return n",
		"12502500");
}

static void test_contents(void **state)
{
	(void)state;
	lua_State *L = open_rules();
	assert_int_equal(luaL_dostring(L, "return {7, x = 1}, setmetatable({8}, {__index = function() end})"), LUA_OK);
	assert_false(fw_lib_contents(L, 1));
	assert_true(lua_rawequal(L, 1, -1));
	lua_pop(L, 1);
	for (int i = 1; i <= 2; i++) {
		fw_lib_freeze(L, i, 0);
		assert_int_equal(lua_gettop(L), 2);
		lua_pushnil(L);
		assert_false(lua_next(L, i)); /* raw access sees nothing */
		assert_true(fw_lib_contents(L, i));
		assert_false(lua_rawequal(L, i, -1));
		lua_rawgeti(L, -1, 1);
		assert_int_equal(lua_tointeger(L, -1), 6 + i);
		lua_settop(L, 2);
	}
	fw_lib_push(L);
	lua_getfield(L, -1, "math");
	assert_true(fw_lib_contents(L, -1));
	lua_close(L);
}

/* An allocator that gives nothing from some time on: whatever stops half-way raises, and the state can be closed. */
struct limited {
	long left;
};

static void *allocate(void *ud, void *block, size_t old, size_t size)
{
	struct limited *m = ud;
	(void)old;
	if (size == 0) {
		free(block);
		return NULL;
	}
	if ((!block || size > old) && m->left-- <= 0)
		return NULL;
	return realloc(block, size);
}

static int build_and_freeze(lua_State *L)
{
	fw_lib_open(L);
	lua_newtable(L);
	fw_lib_push(L);
	lua_getfield(L, -1, "string");
	lua_setfield(L, -3, "string");
	lua_pop(L, 1);
	lua_newtable(L);
	lua_pushinteger(L, 1);
	lua_setfield(L, -2, "x");
	lua_setfield(L, -2, "inner");
	fw_lib_freeze(L, -1, 0);
	return 1;
}

static void test_every_allocation_failing(void **state)
{
	(void)state;
	budget = INT64_MAX;
	bool done = false;
	for (long n = 0; !done; n++) {
		struct limited m = { .left = 1000000 };
		lua_State *L = lua_newstate(allocate, &m);
		lua_pushcfunction(L, build_and_freeze);
		m.left = n;
		int r = lua_pcall(L, 0, 1, 0);
		assert_true(r == LUA_OK || r == LUA_ERRMEM);
		m.left = 1000000;
		if (r == LUA_OK) {
			lua_getfield(L, -1, "inner");
			lua_getfield(L, -1, "x");
			assert_int_equal(lua_tointeger(L, -1), 1);
			done = true;
		}
		lua_close(L);
		assert_true(n < 100000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_as_before), cmocka_unit_test(test_refuses_writes), cmocka_unit_test(test_metamethods_stay),
		cmocka_unit_test(test_what_is_reached), cmocka_unit_test(test_contents), cmocka_unit_test(test_every_allocation_failing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
