#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <time.h>

#include "base/limits.h"
#include "lib_state.h"

static lua_State *rules, *stock;

static int open_states(void **state)
{
	(void)state;
	rules = open_rules();
	stock = open_stock();
	return 0;
}

static int close_states(void **state)
{
	(void)state;
	lua_close(rules);
	lua_close(stock);
	return 0;
}

/* What code gives, in rules. */
static void expect(const char *code, const char *outcome)
{
	struct fw_buf b;
	fw_buf_init(&b, 0);
	run(rules, code, true, &b);
	if (strcmp(fw_buf_text(&b), outcome) != 0)
		fail_msg("%s\n  gave     %s\n  expected %s", code, fw_buf_text(&b), outcome);
	fw_buf_finish(&b);
}

/* Each piece of code gives the same in rules as in Lua. */
static void same(const char *const *codes, size_t n)
{
	struct fw_buf ours, theirs;
	fw_buf_init(&ours, 0);
	fw_buf_init(&theirs, 0);
	for (size_t i = 0; i < n; i++) {
		run(rules, codes[i], false, &ours);
		run(stock, codes[i], false, &theirs);
		if (ours.n != theirs.n || memcmp(ours.data, theirs.data, ours.n) != 0) {
			run(rules, codes[i], true, &ours);
			run(stock, codes[i], true, &theirs);
			fail_msg("%s\n  gave %s\n  Lua: %s", codes[i], fw_buf_text(&ours), fw_buf_text(&theirs));
		}
	}
	fw_buf_finish(&ours);
	fw_buf_finish(&theirs);
}

#define SAME(...) same((const char *const[]){ __VA_ARGS__ }, sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *))

static void test_globals(void **state)
{
	(void)state;
	static const char *const absent[] = { "rawset", "rawget", "rawequal", "rawlen", "getmetatable", "load", "loadstring",
		"require", "xpcall", "coroutine", "os", "io", "debug", "collectgarbage", "print", "dofile", "loadfile", "warn",
		"package", "_G", "_VERSION", "math.random", "math.randomseed", "math.pow", "string.dump", "string.pack",
		"string.unpack", "string.packsize" };
	char code[100];
	for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++) {
		snprintf(code, sizeof code, "return %s", absent[i]);
		expect(code, "nil");
	}
	/* And every name there is, is one of those promised. */
	expect("local names = {} for _, t in ipairs { string, table, math, utf8 } do for k in pairs(t) do names[#names + 1] = k"
		   " end end return table.concat(names, ' ')",
		"\"byte char find format gmatch gsub len lower match rep reverse sub upper "
		"concat insert move pack remove sort unpack "
		"abs acos asin atan ceil cos deg exp floor fmod huge log max maxinteger min mininteger modf pi rad sin sqrt tan "
		"tointeger type ult char charpattern codepoint codes len offset\"");
	fw_lib_push(rules);
	size_t n = 0;
	for (lua_pushnil(rules); lua_next(rules, -2); lua_pop(rules, 1))
		n++;
	lua_pop(rules, 1);
	assert_int_equal(n, 15);
	lua_getfield(rules, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
	assert_true(lua_isnil(rules, -1));
	lua_pop(rules, 1);
}

static void test_library_is_read_only(void **state)
{
	(void)state;
	expect("string.upper = 1", "error: code:1: string is read-only");
	expect("math.pi = 3", "error: code:1: math is read-only");
	expect("utf8.x = 3", "error: code:1: utf8 is read-only");
	expect("table.insert(table, 1)", "error: table is read-only");
	expect("setmetatable(string, {})", "error: code:1: cannot change a protected metatable");
	expect("local s = '' s.upper = 1", "error: code:1: attempt to index a string value (local 's')");
	expect("return ('x'):upper(), ('abc').len, #'abc'", "\"X\", function, 3");
}

static void test_base(void **state)
{
	(void)state;
	SAME(
		"return pcall(error, {1})", "return pcall(error)", "return select('#', pcall(error, nil))",
		"return pcall(error, 'x', 0)", "return pcall(function() error('x', 1) end)", "return pcall()",
		"return select('#')", "return select('#', nil, nil)", "return select(2, 'a', 'b', 'c')",
		"return select(-1, 'a', 'b')", "return select(0)", "return select(-5, 1)", "return assert(1, 2, 3)",
		"return assert(false)", "return assert(nil, 'm')", "return assert()",
		"return type(nil), type({}), type(type), type('')", "return type()",
		"return tonumber('0x10'), tonumber('  12  '), tonumber('1e1'), tonumber('z', 36), tonumber('8', 8), "
			"tonumber('')",
		"return tonumber('10', 2), tonumber(nil)", "return tonumber()", "return tonumber('1', 99)",
		"return tonumber({})",
		"return tonumber('0x'), tonumber('1 2'), tonumber('1e'), tonumber('inf'), tonumber('nan')",
		"return tostring(1), tostring(1.0), tostring(-0.0), tostring(1e100), tostring(2^53), tostring(2^63), "
			"tostring(1/0)",
		"return tostring(nil), tostring(true), tostring('x'), tostring(math.mininteger)", "return tostring()",
		"return tostring(setmetatable({}, {__tostring = function() return 'me' end}))",
		"return tostring(setmetatable({}, {__tostring = function() return {} end}))",
		"return #tostring(setmetatable({}, {__tostring = function() return 12 end}))",
		"local t = {} for i, v in ipairs {1, 2, nil, 4} do t[#t + 1] = i * v end return table.concat(t, ',')",
		"local t = setmetatable({}, {__index = function(_, i) return i < 5 and i or nil end}) local n = 0 for _, v "
			"in ipairs(t) do n = n + v end return n",
		"return ipairs()", "return (next({}))", "return next({5})", "return next({x = 1})", "return next()",
		"return pairs()", "return setmetatable(1, {})", "return setmetatable({})", "return setmetatable({}, 1)",
		"return setmetatable(setmetatable({}, {__metatable = 1}), {})",
		"return setmetatable({}, {__index = {x = 7}}).x", "local t = {} return setmetatable(t, nil) == t",
		"return '10' + 1, '3' * '4', -'2', '7' // 2, '7' % '4', 2 ^ '2', '1' - 1.5, '6' / 2", "return 'x' + 1",
		"return {} + '1'", "return '0x10' + 0, ' 5 ' * 1", "return 1 .. 2",
		"return 'a' < 'b', 'Z' < 'a', '' < 'a', 'a\\0b' < 'a\\0c'",
		"return setmetatable({}, {__add = function(a, b) return b end}) + '1'",
		"return '1' + setmetatable({}, {__add = function(a, b) return a end})");
	expect("return tostring({}), tostring(type), tostring(setmetatable({}, {__name = 'X'}))",
		"\"table\", \"function\", \"table\"");
	expect("return pcall(setmetatable, {}, {__gc = 1})", "false, \"__gc is not available in rules\"");
	expect("return pcall(setmetatable, {}, {__mode = 'k'})", "false, \"__mode is not available in rules\"");
	expect("return pcall(setmetatable, {}, {__close = 1})", "false, \"__close is not available in rules\"");
	expect("next({1}, 1)", "error: code:1: next(t) only tells whether a table is empty; go through it with pairs(t)");
}

static void test_order_of_pairs(void **state)
{
	(void)state;
#define KEYS "local o = {} for k, v in pairs(t) do o[#o + 1] = tostring(k) .. '=' .. tostring(v) end return table.concat(o, ' ')"
	expect("local t = {} " KEYS, "\"\"");
	expect("local t = {3, 2, 1} " KEYS, "\"1=3 2=2 3=1\"");
	expect("local t = {1, nil, 3, x = 0, [true] = 9, [false] = 8, [-1] = 7, [1.5] = 6, [2.5] = 5, [''] = 4, [100] = 1} " KEYS,
		"\"-1=7 1=1 1.5=6 2.5=5 3=3 100=1 =4 x=0 false=8 true=9\"");
	expect("local t = {[1/0] = 1, [-1/0] = 2, [math.maxinteger] = 3, [2^63] = 4, [math.mininteger] = 5, [-2^63-2048] = 6, [0.5] = 7,"
		   " [0] = 8, [-0.5] = 9} " KEYS,
		"\"-inf=2 -9.2233720368548e+18=6 -9223372036854775808=5 -0.5=9 0=8 0.5=7 9223372036854775807=3 "
		"9.2233720368548e+18=4 inf=1\"");
	expect("local t = {b = 1, a = 1, ab = 1, ['a\\0'] = 1, ['a\\0b'] = 1, B = 1, ['\\xff'] = 1, ['10'] = 1, ['9'] = 1} "
		   "local o = {} for k in pairs(t) do o[#o + 1] = (k:gsub('%z', '0')) end return table.concat(o, ' ')",
		"\"10 9 B a a0 a0b ab b \xff\"");
	expect("local t = {} for i = 1, 300 do t['k' .. i * 7919 % 300] = i end local last, n = '', 0 "
		   "for k, v in pairs(t) do assert(last < k and t[k] == v) last = k n = n + 1 end return n",
		"300");
	/* What the loop does to the table. */
	expect("local t = {a = 1, b = 2, c = 3} local o = '' for k, v in pairs(t) do o = o .. k .. v "
		   "t.b = nil t.c = 7 t.d = 1 end return o",
		"\"a1c7\"");
	expect("local t = {1, 2, 3} local n = 0 for k in pairs(t) do t[k] = nil n = n + 1 end return n, next(t)", "3, nil");
	expect("for k in pairs { [{}] = 1 } do end",
		"error: code:1: a key of this table is a table; pairs and next take numbers, text and booleans");
	expect("return next { b = 1, a = 2, [3] = 4 }", "3, 4");
	expect("return next { b = 1, a = 2 }", "\"a\", 2");
	expect("local t = setmetatable({}, {__pairs = function(t) return function(_, k) return not k and 1 or nil end, t, nil end}) "
		   "local n = 0 for k in pairs(t) do n = n + k end return n",
		"1");
	expect("return pairs(1)", "error: code:1: bad argument #1 to 'pairs' (table expected, got number)");
#undef KEYS
}

static void test_string(void **state)
{
	(void)state;
	SAME(
		"return ('abc'):byte(), ('abc'):byte(-1), ('abc'):byte(0), ('abc'):byte(10)", "return ('abc'):byte(1, -1)",
		"return ('abc'):byte(2, 1)", "return ('abc'):byte(-10, 10)", "return ('abc'):byte(0, 0)",
		"return ('abc'):byte(0, 2)", "return ('abc'):byte(math.mininteger, math.maxinteger)",
		"return ('abc'):byte({})", "return (''):byte()", "return ('abc'):byte('2')", "return ('abc'):byte(1.5)",
		"return string.char(), string.char(65, 0, 255)", "return string.char(256)", "return string.char(-1)",
		"return string.char('x')",
		"return ('abc'):sub(2), ('abc'):sub(-2, -2), ('abc'):sub(0), ('abc'):sub(3, 2), ('abc'):sub(-100, 100), "
			"('abc'):sub(4)",
		"return ('abc'):sub(math.mininteger, math.maxinteger), ('abc'):sub(math.maxinteger), ('abc'):sub(1, "
			"math.mininteger)",
		"return ('abc'):sub()", "return ('abc'):sub(2, nil), (123):sub(2)", "return string.sub(123, 2, 2)",
		"return ('ab'):rep(3), ('ab'):rep(3, '-'), ('ab'):rep(0), ('ab'):rep(-1), (''):rep(100), ('x'):rep(1, 'y')",
		"return (''):rep(3, ','), ('x'):rep('2')", "return ('x'):rep()", "return ('x'):rep(2, {})",
		"return ('aZ[`{@\\0\\xe9'):lower(), ('aZ[`{@\\0\\xe9'):upper(), (''):upper()", "return string.lower()",
		"return string.upper(12)", "return ('abc\\0'):reverse(), (''):reverse(), ('abc\\0'):len(), ('').len(12)",
		"return string.reverse({})", "return #('x'):rep(1000):upper():lower():reverse()",
		"return ('hello'):find('l'), ('hello'):find('l', 4), ('hello'):find('', 6), ('hello'):find('', 7), "
			"('hello'):find('xyz')",
		"return ('a.b'):find('.', 1, true), ('a.b'):find('%.'), ('a+b'):find('+', 1, true), ('a\\0b'):find('\\0b')",
		"return ('hello'):find('l', -2), ('hello'):find('h', -100), ('hello'):find('', 0), (''):find(''), "
			"(''):find('', 2)",
		"return ('hello'):find('(l)(l)'), ('hello'):match('()ll()'), ('hello'):match('(h)(.-)(o)$')",
		"return ('x'):find()",
		"return ('hello world'):match('^(%w+)'), ('  x '):match('^%s*(.-)%s*$'), ('key = "
			"val'):match('^(%w+)%s*=%s*(%w+)$')",
		"return ('hello'):match('.', -1), ('hello'):match('^l', 3), ('hello'):match('x'), ('hello'):match('', 6)",
		"return ('THE (quick) fox'):find('%((%a+)%)'), ('f(a(b)c)d'):match('%b()'), ('THE (quick) "
			"fox'):gsub('%f[%a]%a+', string.lower)",
		"local o = {} for k, v in ('a=1, b=2'):gmatch('(%w+)=(%w+)') do o[#o + 1] = k .. v end return "
			"table.concat(o)",
		"local o = {} for w in ('one two'):gmatch('%a*') do o[#o + 1] = '<' .. w .. '>' end return table.concat(o)",
		"local o = {} for p in ('abc'):gmatch('()') do o[#o + 1] = p end return table.concat(o, ' ')",
		"local o = {} for w in ('abc'):gmatch('%a', 2) do o[#o + 1] = w end return table.concat(o, ' ')",
		"local o = {} for w in ('abc'):gmatch('', -1) do o[#o + 1] = 'x' end return table.concat(o, ' ')",
		"local o = {} for w in ('abc'):gmatch('', 5) do o[#o + 1] = 'x' end return table.concat(o, ' ')",
		"local o = {} for w in ('a^a'):gmatch('^a') do o[#o + 1] = w end return #o", "return string.gmatch('x')",
		"local f = ('ab'):gmatch('.') return f(), f(), f(), f()");
	SAME(
		"return ('hello'):gsub('l', 'L'), ('hello'):gsub('l', 'L', 1), ('hello'):gsub('', '-'), ('hello'):gsub('x', "
			"'y')",
		"return ('hello'):gsub('(h)(e)', '%2%1'), ('hello'):gsub('l+', '<%0>'), ('hello'):gsub('l', '%%'), "
			"('abc'):gsub('%w', '%1')",
		"return ('hello'):gsub('l', '%2')", "return ('hello'):gsub('l', '%')", "return ('hello'):gsub('l', '%x')",
		"return ('hello'):gsub('(l)', {l = 'x'}), ('hello'):gsub('.', {h = 1, e = false}), ('hello'):gsub('l', {l = "
			"{}})",
		"return ('hello'):gsub('l', function(c) return c:upper() end), ('hello'):gsub('l', function() end)",
		"return ('hello'):gsub('(h)()', function(a, b) return b end)",
		"return ('hello'):gsub('l', function() return {} end)",
		"return ('hello'):gsub('l', function() error('x', 0) end)", "return ('hello'):gsub('l')",
		"return ('hello'):gsub('l', true)",
		"return ('hello'):gsub('^h', 'x'), ('hhh'):gsub('^h', 'x'), ('abc'):gsub('$', 'x'), ('abc'):gsub('.', 'x', "
			"0), ('abc'):gsub('.', 'x', -1)",
		"return ('hello'):gsub('l', 5), ('abc'):gsub('b*', '-'), ('abc'):gsub('.-', '-'), (''):gsub('', 'x'), ('a "
			"b'):gsub('%s', '')",
		"return ('x'):gsub('x', setmetatable({}, {__index = function(_, k) return k .. '!' end}))",
		"return ('abc'):gsub('()', '%1'), ('abc'):gsub('()b', {[2] = 'B'})",
		"return string.rep('ab', 600):gsub('a', 'xyz')", "return ('x'):find('('), ('x'):match('(')",
		"return ('x'):match(')')", "return ('x'):match('%')", "return ('x'):match('[')", "return ('x'):match('[^')",
		"return ('x'):match('[a')", "return ('x'):match('[%')", "return ('x'):match('[%]')",
		"return ('x'):match('%b')", "return ('x'):match('%bx')", "return ('x'):match('%f')",
		"return ('x'):match('%fx')", "return ('x'):match('%1')", "return ('x'):match('(%1)')",
		"return ('x'):match('%0')", "return ('x'):match('()%1')", "return ('xx'):match('(x)%1')",
		"return ('x'):match(('(x?)'):rep(32))", "return ('x'):match(('()'):rep(33))",
		"return ('x]^-'):match('[]]'), ('^'):match('[%^]'), ('^'):match('[x^]'), ('-'):match('[a-]')",
		"return ('x'):match('[%a-z]'), ('-'):match('[%a-z]'), ('b'):match('[a-c]'), "
			"('\\xe9'):match('[\\xe0-\\xef]'), ('b'):match('[c-a]')",
		"return ('\\0a'):match('%z'), ('\\0a'):match('[%z]a'), ('\\0a'):match('.a'), ('a\\0b'):match('a\\0b')");
}

static void test_format(void **state)
{
	(void)state;
	SAME(
		"return ('%d|%5d|%-5d|%05d|%+d|% d|%.3d|%i'):format(1, 2, 3, 4, 5, 6, 7, 8)", "return ('%d'):format(3.0)",
		"return ('%d'):format(3.5)",
		"return ('%d'):format('10'), ('%d'):format(math.mininteger), ('%u'):format(7), ('%-3u|'):format(7)",
		"return ('%u'):format(-1)", "return ('%x %X %#x %o %#o'):format(255, 255, 255, 8, 8), ('%x'):format(-1)",
		"return ('%c%c%5c%-3c|'):format(65, 0, 66, 67)",
		"return ('%e %E %.2e %f %.0f %10.3f %-10.1f| %g %G %+g %#g'):format(1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, "
			"1e20, 1e20, 1, 1)",
		"return ('%a %A %.2a'):format(1, 0.5, 1/3)",
		"return ('%f %g %e'):format(1/0, -1/0, 1e308), ('%99.99f'):format(1e308)",
		"return ('%s %s %s %s'):format(nil, true, 12, 1.5), ('%10s|%-10s|%.2s|%10.1s'):format('abc', 'abc', 'abc', "
			"'abc')",
		"return ('%s'):format('a\\0b'), ('%5s'):format(('x'):rep(200))", "return ('%5s'):format('a\\0b')",
		"return ('%.5s'):format('a\\0b')",
		"return ('%.99s'):format(('x'):rep(200)), ('%5.99s'):format(('x'):rep(200))",
		"return ('%q'):format('a\\n\\0\\r\"\\\\b\\1231'), ('%q %q %q'):format(1, 1.5, 0.1), ('%q %q'):format(true, "
			"nil)",
		"return ('%q'):format(math.mininteger), ('%q'):format(1/0), ('%q'):format(0/0)", "return ('%q'):format({})",
		"return ('%5q'):format('x')", "return ('%%'):format(), ('100%%'):format(1), (''):format()",
		"return ('%'):format(1)", "return ('%y'):format(1)", "return ('%d'):format()", "return ('%d'):format('x')",
		"return ('%d'):format({})", "return ('%s'):format()", "return ('%F'):format(1)", "return ('%ld'):format(1)",
		"return ('%100d'):format(1)", "return ('%.100f'):format(1)", "return ('%0100d'):format(1)",
		"return ('%#d'):format(1)", "return ('%0s'):format(1)", "return ('%+s'):format(1)",
		"return ('%.2c'):format(1)", "return ('%0c'):format(1)", "return ('%--5d|'):format(1)",
		"return ('% +d'):format(1)", "return ('%.d'):format(0), ('%.f'):format(2.5), ('%5.d|'):format(0)",
		"return ('%1$d'):format(1)", "return ('%*d'):format(1, 1)",
		"return ('%-+ #0-+ #0-+ #0-+ #0-+ #05d'):format(1)", "return ('%-d|%-5.3d|'):format(1, 2)",
		"return ('%s%d'):format('x')",
		"return ('%s'):format(setmetatable({}, {__tostring = function() return 'me' end}))",
		"return ('x%sy%sz'):format(1, 2, 3)", "return ('%s'):rep(300, ','):format(table.unpack({}, 1, 300))",
		"return ('%d'):rep(20):format(table.unpack({1, 2, 3}, 1, 20))",
		"return #('%s%s'):format(('x'):rep(5000), ('y'):rep(5000))",
		"return ('%5s%s'):rep(300):format(table.unpack(table.pack(('abc'):rep(200):byte(1, -1))))",
		"return ('%s'):format(setmetatable({}, {__tostring = function() return 1 end}))", "return string.format()",
		"return string.format({})");
	expect("return ('%s %s'):format({}, print or type)", "\"table function\"");
	expect("return ('%p'):format({})", "error: code:1: '%p' is not available in rules");
	expect("return ('%s %d'):format('x', 'y')", "error: code:1: bad argument #2 to 'format' (number expected, got string)");
}

static void test_table(void **state)
{
	(void)state;
	SAME(
		"return table.concat {}, table.concat {1, 2.5, 'x'}, table.concat({1, 2, 3}, ', '), table.concat({1, 2, 3}, "
			"',', 2), table.concat({1, 2, 3}, ',', 2, 2)",
		"return table.concat({1, 2, 3}, ',', 3, 2), table.concat({[5] = 'x'}, ',', 5, 5)",
		"return table.concat({1, {}, 3})", "return table.concat({1, nil, 3})",
		"return table.concat({}, ',', math.maxinteger, math.maxinteger - 1)",
		"return table.concat({[math.maxinteger] = 'x'}, ',', math.maxinteger, math.maxinteger)",
		"return table.concat(setmetatable({}, {__index = function(_, i) return i end, __len = function() return 4 "
			"end}), '-')",
		"return table.concat(1)", "local t = {} for i = 1, 3000 do t[i] = i end return table.concat(t, ', ')",
		"return table.concat({1}, {})",
		"local t = {1, 2} table.insert(t, 3) table.insert(t, 1, 0) return table.unpack(t)",
		"local t = {} table.insert(t, 1, 'a') table.insert(t, 2, 'b') return table.concat(t)",
		"table.insert({}, 3, 1)", "table.insert({}, 0, 1)", "table.insert({})", "table.insert({}, 1, 2, 3)",
		"table.insert(1, 2)", "table.insert({}, 'x', 1)",
		"local t = setmetatable({}, {__len = function() return 4 end}) table.insert(t, 'x') return t[5]",
		"table.insert(nil, 1)", "local t = {1, 2, 3} return table.remove(t), table.remove(t, 1), #t, t[1]",
		"return table.remove({}), table.remove({}, 0), table.remove({1}, 2), table.remove({}, 1)",
		"return table.remove({1, 2}, 4)", "return table.remove({1, 2}, -1)", "return table.remove({1, 2}, 0)",
		"local t = {[0] = 'x'} return table.remove(t, 0), t[0]",
		"local t = {1, 2, 3, 4} table.move(t, 2, 4, 1) return table.unpack(t)",
		"local t = {1, 2, 3} table.move(t, 1, 3, 2) return table.unpack(t)",
		"return table.unpack(table.move({1, 2, 3}, 1, 3, 1, {}))",
		"return table.unpack(table.move({1, 2, 3}, 3, 1, 1, {9}))", "table.move({}, 1, 2, math.maxinteger)",
		"table.move({}, -1, math.maxinteger, 1)", "table.move({}, 1, 2)", "table.move({}, 1, 2, 3, 4)",
		"table.move(1, 1, 2, 3)", "return table.unpack(table.move({1, 2, 3}, 0, 4, -1, {}), -1, 4)",
		"local t = table.pack(1, nil, 3) return t.n, t[1], t[2], t[3]", "return table.pack().n",
		"return table.unpack {1, 2, 3}", "return table.unpack({1, 2, 3}, 2), table.unpack({1, 2}, 1, 3)",
		"return table.unpack({}, 1, 0)", "return select('#', table.unpack({}, 1, 200))",
		"return table.unpack({}, 1, 1e8)", "return table.unpack({}, math.mininteger, math.maxinteger)",
		"return table.unpack({[math.maxinteger] = 1}, math.maxinteger, math.maxinteger)", "return table.unpack(1)",
		"return table.unpack('abc', 1, 2)",
		"return table.unpack(setmetatable({}, {__index = function(_, i) return i * 2 end}), 1, 3)",
		"local t = {3, 1, 2} table.sort(t) return table.unpack(t)",
		"local t = {'b', 'a', 'C'} table.sort(t) return table.unpack(t)", "table.sort({1, 'x'})",
		"table.sort({1, 2, nil, 4})", "table.sort({{}, {}})", "table.sort({1, 2}, 1)", "table.sort(1)",
		"table.sort({1, 2, 3}, function() error('x', 0) end)",
		"local t = {3, 1, 2} table.sort(t, function(a, b) return a > b end) return table.unpack(t)",
		"local t = {1} table.sort(t, function() error() end) return t[1]",
		"local t = {} for i = 1, 500 do t[i] = i * 7919 % 501 end table.sort(t) return table.concat(t, ' ')",
		"local t = {} for i = 1, 333 do t[i] = i * 0.37 % 1 end table.sort(t, function(a, b) return a > b end) "
			"return table.concat(t, ' ')");
}

static void test_sort(void **state)
{
	(void)state;
	expect("for _, n in ipairs { 2, 3, 7, 64, 100, 501 } do local t = {} for i = 1, n do t[i] = { i * 7919 % 10, i } end "
		   "table.sort(t, function(a, b) return a[1] < b[1] end) for i = 2, n do local a, b = t[i - 1], t[i] "
		   "assert(a[1] < b[1] or a[1] == b[1] and a[2] < b[2]) end end return 'stable'",
		"\"stable\"");
	expect("table.sort({2, 1, 2}, function(a, b) return a <= b end)",
		"error: code:1: invalid order function for sorting: it must say false for equal elements");
	expect("table.sort({3, 1, 2}, function() return true end)",
		"error: code:1: invalid order function for sorting: it must say false for equal elements");
	/* Whatever a comparator does, the elements stay. */
	expect("local n = 0 for round = 1, 50 do local t = {} for i = 1, round do t[i] = i end local x = round "
		   "pcall(table.sort, t, function() x = (x * 1103515245 + 12345) % 2147483648 return x > 1073741824 end) "
		   "local seen = {} for _, v in ipairs(t) do seen[v] = true end "
		   "for i = 1, round do if seen[i] then n = n + 1 end end end return n",
		"1275");
	expect("local t = {3, 1, 2} return pcall(table.sort, t, function(a, b) if a == 1 then error('no', 0) end "
		   "return a < b end), t[1], t[2], t[3]",
		"false, 3, 1, 2");
	expect("local t = {3, 1, 2} table.sort(t, function(a, b) t[1] = nil t[5] = 9 return a < b end) return t[1], t[2], t[3]",
		"1, 2, 3");
}

static void test_math_and_utf8(void **state)
{
	(void)state;
	SAME(
		"return math.abs(-1), math.ceil(1.5), math.floor(-1.5), math.fmod(-5, 3), math.max(1, 3, 2), math.min(3, "
			"1), math.modf(-1.5)",
		"return math.sqrt(2), math.sin(1), math.cos(1), math.tan(1), math.asin(1), math.acos(1), math.atan(1, 2), "
			"math.exp(1), math.log(8, 2), math.log(10)",
		"return math.pi, math.huge, math.maxinteger, math.mininteger, math.deg(1), math.rad(1), math.type(1), "
			"math.type(1.0), math.type('1')",
		"return math.tointeger(3.0), math.tointeger(3.5), math.tointeger('8'), math.ult(1, -1)",
		"return math.floor('x')", "return math.max()", "return math.fmod(1, 0)",
		"return math.floor(1e300), math.floor('3.7')", "return utf8.char(), utf8.char(72, 228, 8364, 128512)",
		"return utf8.char(-1)", "return utf8.charpattern", "return utf8.codepoint('h\xc3\xa4\xe2\x82\xac', 1, -1)",
		"return utf8.codepoint('h\xc3\xa4', 3)", "return utf8.codepoint('abc', 4)", "return utf8.codepoint('abc', 2)",
		"return utf8.len('h\xc3\xa4\xe2\x82\xac'), utf8.len('\xff'), utf8.len('abc', 2), utf8.len('abc', 4), "
			"utf8.len('abc', -1)",
		"return utf8.len('abc', 5)",
		"return utf8.offset('h\xc3\xa4\xe2\x82\xac', 3), utf8.offset('h\xc3\xa4x', -1), utf8.offset('abc', 5), "
			"utf8.offset('h\xc3\xa4x', 0, 3), utf8.offset('abc', 1, 2)",
		"return utf8.offset('h\xc3\xa4', 1, 3)", "return utf8.offset('abc', 1, 9)",
		"local o = {} for p, c in utf8.codes('h\xc3\xa4\xe2\x82\xac') do o[#o + 1] = p .. ':' .. c end return "
			"table.concat(o, ' ')",
		"for p, c in utf8.codes('ab\xff') do end", "for p, c in utf8.codes('\x80') do end",
		"local n = 0 for p in utf8.codes('') do n = n + 1 end return n",
		"for p, c in utf8.codes('\xed\xa0\x80', true) do return p, c end",
		"for p, c in utf8.codes('\xed\xa0\x80') do return p, c end",
		"local f, s = utf8.codes('h\xc3\xa4x') return f(s, 0), f(s, 1), f(s, 2), f(s, 4), f(s, 9), f(s, -1)",
		"local f = utf8.codes('x') return f({}, 0)",
		"local o = {} for c in ('h\xc3\xa4\xe2\x82\xac'):gmatch(utf8.charpattern) do o[#o + 1] = #c end return "
			"table.concat(o)");
}

/* Each runs out of a call's budget or says which limit it broke, and soon. */
static void test_hostile(void **state)
{
	(void)state;
	static const char *const codes[] = {
		"return ('x'):rep(1e9)", "return ('x'):rep(1e18)", "return ('x'):rep(1, ('y'):rep(1e6))",
		"return ('xy'):rep(math.maxinteger, 'z')", "table.move({}, 1, 1e10, 2)",
		"table.move({}, 1, math.maxinteger - 1, 2)", "table.move({}, -1e10, 0, 2, {})",
		"table.concat(setmetatable({}, {__index = function() return '' end}), '', 1, 1e10)",
		"table.unpack({}, 1, 1e6)", "table.unpack({}, 1, 1e7)",
		"table.insert(setmetatable({}, {__len = function() return 1e10 | 0 end}), 1, 1)",
		"table.remove(setmetatable({}, {__len = function() return 1e10 | 0 end}), 1)",
		"table.sort(setmetatable({}, {__len = function() return 1e9 | 0 end}))",
		"table.sort(setmetatable({}, {__len = function() return math.maxinteger end}))",
		"return ('a'):rep(28):find(('a?'):rep(28) .. ('a'):rep(28))",
		"return ('x'):rep(500):find(('.-'):rep(6) .. 'b')", "return ('x'):rep(3000):find(('.-'):rep(3) .. 'b')",
		"return ('x'):rep(3000):match(('.*'):rep(3) .. 'b')", "return ('('):rep(200000):find('%b()')",
		"return ('x'):rep(200000):find('[' .. ('abcdefgh'):rep(100) .. ']*y')",
		"return ('a'):rep(2000):gsub('.-b', '')", "return ('a'):rep(100000):gsub('', ('x'):rep(1000))",
		"for w in ('a'):rep(5000):gmatch('.-b') do end", "return ('ab'):rep(5000):find('(.*)%1%1%1c')",
		"return ('x'):find(('a?'):rep(600))", "return ('x'):gsub(('a'):rep(2000), '')",
		"return ('%s'):rep(200):format(table.unpack(table.pack(('x'):rep(262144)), 1, 200))",
		"local s = ('x'):rep(262144) return (s .. s):gsub('x', 'yy')",
		"local s = ('x'):rep(262144) return table.concat { s, s }",
		"local s = ('x'):rep(262144) return ('%s%s'):format(s, s)", "return ('%q'):format(('\\0'):rep(262144))",
		"local s = ('\\x80'):rep(200000) local f = utf8.codes('x') for i = 1, 1e4 do local _, m = pcall(f, s, 1) if "
			"m == 'out of budget' then error(m) end end",
		"local s = ('x'):rep(262144) for i = 1, 1e6 do utf8.len(s) end",
		"local s = ('x'):rep(262144) for i = 1, 1e6 do s:find('y', 1, true) end",
		"local s = ('1'):rep(262144) for i = 1, 1e6 do local x = tonumber(s) end",
		"local s = ('1'):rep(262144) for i = 1, 1e6 do local x = s + 0 end",
		"local s = ('1'):rep(262144) for i = 1, 1e6 do local x = math.sin(s) end",
		"local s = ('1'):rep(262144) for i = 1, 1e4 do local _, m = pcall(string.rep, 'x', s) if m == 'out of "
			"budget' then error(m) end end",
		"local s = ('x'):rep(262144) for i = 1, 1e6 do s:upper() s:reverse() end",
		"local s = ('x'):rep(262144) for i = 1, 1e6 do s:sub(2) end",
		"local t = {} for i = 1, 20000 do t[i] = i end for i = 1, 1e6 do pairs(t) end",
		"local t = {} for i = 1, 20000 do t['k' .. i] = i end for i = 1, 1e6 do next(t) end",
		"local t = {} for i = 1, 20000 do t[i] = i end for i = 1, 20000 do t[i] = nil end for i = 1, 1e6 do next(t) "
			"end",
		"local t = {} for i = 1, 20000 do t[i] = i end for i = 1, 1e6 do table.remove(t, 1) table.insert(t, 1, 0) "
			"end",
		"local s = ('x'):rep(100000) local t = {} for i = 1, 100 do t[i] = s .. i end for i = 1, 1e6 do "
			"table.sort(t) end",
		"local s = ('x'):rep(200000) for i = 1, 1e6 do s:byte(1, -1) end",
		"local function f() return ('x'):gsub('x', f) end f()",
		"local t = setmetatable({}, {__tostring = function(t) return tostring(t) end}) return tostring(t)",
		"local s = ('x'):rep(50000) for w in s:gmatch('()') do end for i = 1, 1e6 do s:match('^x*$') end",
	};
	struct fw_buf b;
	fw_buf_init(&b, 0);
	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
		clock_t begin = clock();
		run_budget = FW_LIMIT_CALL_INSTRUCTIONS;
		run(rules, codes[i], true, &b);
		run_budget = INT64_MAX;
		double seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
		if (strncmp(fw_buf_text(&b), "error", 5) != 0 || seconds > 2)
			fail_msg("%s: %.2f s, %.200s", codes[i], seconds, fw_buf_text(&b));
		if (getenv("FW_SHOW"))
			printf("%7.1f ms  %-60.60s %.100s\n", seconds * 1e3, codes[i], fw_buf_text(&b));
		lua_gc(rules, LUA_GCCOLLECT);
	}
	fw_buf_finish(&b);
	/* Nothing to do is done at once. */
	expect("return (''):rep(1e12), (''):rep(math.maxinteger, ''), ('x'):rep(-1e12)", "\"\", \"\", \"\"");
	expect("return #('x'):rep(262144)", "262144");
	expect("return ('x'):rep(262145)", "error: code:1: a string may have 262144 bytes, this one would have more");
	expect("return ('x'):rep(131073, 'y')", "error: code:1: a string may have 262144 bytes, this one would have more");
	expect("return ('x'):find(('.'):rep(1025))", "error: code:1: a pattern may have 1024 bytes, this one has more");
	expect("return ('x'):rep(1000):match(('x?'):rep(500)) == ('x'):rep(500)", "true");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_globals), cmocka_unit_test(test_library_is_read_only), cmocka_unit_test(test_base),
		cmocka_unit_test(test_order_of_pairs), cmocka_unit_test(test_string), cmocka_unit_test(test_format),
		cmocka_unit_test(test_table), cmocka_unit_test(test_sort), cmocka_unit_test(test_math_and_utf8),
		cmocka_unit_test(test_hostile),
	};
	return cmocka_run_group_tests(tests, open_states, close_states);
}
