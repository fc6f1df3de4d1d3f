/* What a rule's function may try: to run on, to take memory, to keep something, to change what others see. Each attempt ends
 * with an error that names its line, soon, and leaves the next decision as it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib_rules.h"

#ifndef __has_feature
#define __has_feature(what) 0
#endif
#if defined __SANITIZE_ADDRESS__ || __has_feature(address_sanitizer)
enum { MOST_MS = 3000 };
#else
enum { MOST_MS = 150 };
#endif

#define RAN "more than 100000 instructions"
#define MADE "more than 1048576 bytes"

/* `before` stands in front of the rule, `body` in its `show`, on line 2. `outcome` is part of the error, or the content. */
static const struct attempt {
	const char *before, *body, *outcome;
} attempts[] = {
	/* Running on. */
	{ "", "while true do end", RAN },
	{ "", "for i = 1, math.maxinteger do end", RAN },
	{ "", "for i = 1, math.huge do end", RAN },
	{ "", "for i = 1, 1e308, 1e-300 do end", RAN },
	{ "", "repeat until false", RAN },
	{ "", "::again:: goto again", RAN },
	{ "", "while true do pcall(function() while true do end end) end", RAN },
	{ "", "local function loop() while true do end end while true do pcall(loop) end", RAN },
	{ "", "local function again() return pcall(again) and again() end again()", MADE },
	{ "", "local f f = function() return pcall(f) end while true do f() end", NULL },
	{ "", "local f f = function() return f() end f()", RAN },
	{ "", "local t = setmetatable({}, { __index = function(t, k) while true do end end }) return { x = t.x }", RAN },
	{ "", "local t = setmetatable({}, { __eq = function() while true do end end }) return { x = t == setmetatable({}, getmt) }",
		"getmt is not defined" },
	{ "", "local m = { __lt = function() while true do end end } return { x = setmetatable({}, m) < setmetatable({}, m) }", RAN },
	{ "", "local m = { __concat = function() while true do end end } return { x = setmetatable({}, m) .. 'x' }", RAN },
	{ "", "local t = setmetatable({}, { __call = function(t) return t() end }) t()", RAN },
	{ "", "local t = setmetatable({}, { __len = function() while true do end end }) return { x = #t }", RAN },
	{ "", "local m = {} local t <close> = setmetatable({}, m) m.__close = function() while true do end end", "a non-closable value" },
	{ "", "local m = {} setmetatable({}, m) m.__close = function() while true do end end do local t <close> = setmetatable({}, m) end",
		"__close is not available" },
	{ "", "local m = {} local t = setmetatable({}, m) m.__close = function() while true do end end do local c <close> = t end", RAN },
	{ "", "local m = {} local t = setmetatable({}, m) m.__close = function() while true do end end while true do pcall(function() "
		"local c <close> = t error('x') end) end", RAN },
	{ "", "table.sort({ 3, 1, 2 }, function(a, b) while true do end end)", RAN },
	{ "", "while true do pcall(table.sort, { 3, 1, 2 }, function(a, b) while true do end end) end", RAN },
	{ "", "table.sort({ 3, 1, 2 }, function(a, b) while true do pcall(function() while true do end end) end end)", RAN },
	{ "", "('x'):rep(9):gsub('x', function() while true do pcall(function() while true do end end) end end)", RAN },
	{ "", "while true do pcall(string.gsub, 'x', 'x', function() while true do end end) end", RAN },
	{ "", "for k in pairs(setmetatable({}, { __pairs = function() return function() while true do end end end })) do end", RAN },
	{ "", "return { x = tostring(setmetatable({}, { __tostring = function() while true do end end })) }", RAN },
	{ "", "error(setmetatable({}, { __tostring = function() while true do end end }))", "an error that is no text" },
	{ "", "while true do v.country = nil end", "the visitor is read-only" },
	{ "", "while true do pcall(function() v.country = nil end) end", NULL },
	{ "", "while true do pcall(function() return v.nonsense end) end", RAN },
	{ "", "while true do pcall(function() return v[('x'):rep(200000)] end) end", RAN },
	{ "", "while true do pcall(error) end", RAN },
	{ "", "while true do local x = v.traits.a end", RAN },
	{ "", "while true do local x = v.segment.many end", RAN },
	{ "", "while true do for k in pairs(v.traits) do end end", NULL },
	{ "", "while true do v:viewed { category = 'a' } end", NULL },
	{ "", "local t = {} for i = 1, 200 do t = setmetatable({}, { __index = t }) end while true do local x = t.x end", RAN },
	{ "", "local t = {} t = setmetatable(t, { __index = t }) return { x = t.x }", "possible loop" },
	{ "", "local m = {} m.__index = setmetatable({}, m) setmetatable(m, m) local t = setmetatable({}, m) return { x = t.x }", "loop" },

	/* Work that Lua does not count. */
	{ "", "return { x = #('x'):rep(1e12) }", "a string may have" },
	{ "", "return { x = #(''):rep(1e15) }", "{\"x\":0}" },
	{ "", "for i = 1, 100 do local x = (''):rep(1e15, '') end return {}", "{}" },
	{ "", "while true do local x = ('x'):rep(200000) end", NULL },
	{ "", "while true do pcall(string.rep, 'x', 1e15) end", NULL },
	{ "", "table.move({}, 1, 1e10, 2)", RAN },
	{ "", "table.concat({}, 'x', 1, 1e10)", "invalid value" },
	{ "", "table.concat(setmetatable({}, { __index = function() return 'x' end }), '', 1, 1e10)", RAN },
	{ "", "table.unpack({}, 1, 1e8)", NULL },
	{ "", "table.insert(setmetatable({}, { __len = function() return 1e9 end }), 1, 'x')", RAN },
	{ "", "table.remove(setmetatable({}, { __len = function() return 1e9 end }), 1)", RAN },
	{ "", "table.sort(setmetatable({}, { __len = function() return 1e8 end }))", RAN },
	{ "", "select(-1, table.unpack({}, 1, 60000)) while true do select(60000, table.unpack({}, 1, 60000)) end", NULL },
	{ "", "return { x = ('a'):rep(28):find(('a?'):rep(28) .. ('a'):rep(28)) }", RAN },
	{ "", "return { x = ('a'):rep(500):match(('.-'):rep(6) .. 'b') }", RAN },
	{ "", "return { x = ('a'):rep(3000):match(('.-'):rep(3) .. 'b') }", RAN },
	{ "", "return { x = ('('):rep(200000):gsub('%b()', '') }", RAN },
	{ "", "for w in ('a'):rep(200000):gmatch('.-b') do end", RAN },
	{ "", "return { x = ('x'):rep(100):find(('['):rep(1000)) }", "malformed pattern" },
	{ "", "return { x = ('x'):find(('x*'):rep(2000)) }", "a pattern may have" },
	{ "", "return { x = ('%s'):rep(1000):format() }", "no value" },
	{ "", "while true do local x = ('%99.99f'):format(1e308) end", NULL },
	{ "", "while true do local x = tostring(0.1) .. 1e308 end", NULL },
	{ "", "while true do local x = ('9'):rep(100000) + 0 end", NULL },
	{ "", "while true do tonumber(('9'):rep(100000)) end", NULL },
	{ "local s = (' '):rep(250000) .. '1'", "while true do pcall(function() return s & 1 end) end", NULL },
	{ "local s = (' '):rep(250000) .. '1'", "while true do local x = s + 1 end", RAN },
	{ "local a, b = ('x'):rep(250000) .. 'a', ('x'):rep(250000) .. 'b'", "while true do local x = a < b end", RAN },
	{ "local a, b = ('x'):rep(250000) .. 'a', ('x'):rep(250000) .. 'b'", "while true do local x = a == b end", RAN },
	{ "local a = ('x'):rep(250000) a = a .. a", "return { x = #a }", "a function can reach a text of more than" },
	{ "local a = ('x'):rep(250000) a = { { [a .. a] = 1 } }", "return { x = #a }", "a function can reach a text of more than" },
	{ "local t = {} for i = 1, 3e5 do t[i] = i end", "return { x = t }", "larger" },
	{ "local t = {} for i = 1, 3e5 do t['k' .. i] = i end", "return t", "larger" },
	{ "local t = {} for i = 1, 3e5 do t[i] = i end", "while true do local x = next(t) end", RAN },
	{ "local t = {} for i = 1, 3e5 do t[i] = i end", "for k in pairs(t) do end", RAN },
	{ "", "local function f(...) while true do (function(...) end)(...) end end f(table.unpack({}, 1, 15000))", NULL },
	{ "", "local t = {} for i = 1, 20000 do t[i] = i end while true do t.a = 1 t.b = 1 t.c = 1 t.a = nil t.b = nil t.c = nil t.d = 1 "
		"t.e = 1 t.f = 1 t.d = nil t.e = nil t.f = nil end", NULL },

	/* Taking memory. */
	{ "", "local s = 'x' while true do s = s .. s end", MADE },
	{ "", "local s = ('x'):rep(200000) s = s .. s .. s .. s .. s .. s .. s .. s .. s .. s .. s .. s .. s .. s .. s .. s .. s .. s .. s "
		".. s .. s .. s", MADE },
	{ "", "local t = {} while true do t[#t + 1] = {} end", MADE },
	{ "", "local t = {} for i = 1, 1e9 do t[i] = i end", MADE },
	{ "", "local t = {} while true do t = { t } end", MADE },
	{ "", "local function f() return 1 + f() end f()", MADE },
	{ "", "local function f() return (f()) end while true do pcall(f) end", MADE },
	{ "", "local f = function() end while true do f = function() return f end end", NULL },
	{ "", "local t = setmetatable({}, { __index = function(t, k) return t[k + 1] end }) return { x = t[1] }", "C stack overflow" },
	{ "", "while true do pcall(function() local s = 'x' while true do s = s .. s end end) end", MADE },
	{ "", "local t = {} for i = 1, 300 do t[i] = ('x'):rep(1000) end return { x = table.concat(t) .. table.concat(t) .. "
		"table.concat(t) .. table.concat(t) }", NULL },
	{ "", "local t = {} for i = 1, 40 do t = { t } end return t", "nested too deep" },
	{ "", "local t = {} for i = 1, 30 do t = { t, t } end return t", "larger" },
	{ "", "local t = {} t.t = t return t", "nested too deep" },
	{ "", "return { x = ('x'):rep(70000) }", "larger" },
	{ "", "return { x = 0/0 }", "not finite" },
	{ "", "return { x = math.huge }", "not finite" },
	{ "", "return { x = print }", "print is not defined" },
	{ "", "return { x = type }", "a function" },
	{ "", "return { x = v }", "the visitor is no content" },
	{ "", "return { x = v.traits }", "the visitor is no content" },
	{ "", "return v", "the visitor is no content" },
	{ "", "return 1", "show answered a number, not a table" },
	{ "", "return", "show answered nothing, not a table" },

	/* Keeping something, or changing what others see. */
	{ "local t = {}", "t.x = 1 return {}", "shared between visitors" },
	{ "local t = { {} }", "t[1].x = v.country return {}", "shared between visitors" },
	{ "local t = {}", "table.insert(t, v) return {}", "shared between visitors" },
	{ "local t = { 2, 1 }", "table.sort(t) return {}", "shared between visitors" },
	{ "local t = {}", "setmetatable(t, {}) return {}", "protected metatable" },
	{ "local t = setmetatable({}, { __index = {} })", "t.x = 1 return {}", "shared between visitors" },
	{ "local m = { __index = {} } local t = setmetatable({}, m)", "m.__index.x = 1 return {}", "shared between visitors" },
	{ "local m = {} m.__index = m function m.new() return setmetatable({}, m) end", "local o = m.new() o.x = 1 m.x = 1 return {}",
		"shared between visitors" },
	{ "local t = { f = function(self) self.n = 1 end }", "t:f() return {}", "shared between visitors" },
	{ "", "string.upper = nil return {}", "string is read-only" },
	{ "", "('').rep = nil return {}", "attempt to index a string value" },
	{ "", "('x').y.z = 1 return {}", "attempt to index a nil value" },
	{ "", "setmetatable('', {}) return {}", "table expected" },
	{ "", "setmetatable(string, {}) return {}", "protected metatable" },
	{ "", "return { x = getmetatable('') }", "getmetatable is not defined" },
	{ "", "rawset(string, 'x', 1) return {}", "rawset is not defined" },
	{ "", "setmetatable(v, {}) return {}", "protected metatable" },
	{ "", "v.traits.x = 1 return {}", "the visitor is read-only" },
	{ "", "v.cart.contains.category.boots = true return {}", "the visitor is read-only" },
	{ "", "table.insert(v.traits, 1) return {}", "read-only" },
	{ "", "local t = v.traits.list t[1] = 'changed' return { x = v.traits.list[1] }", "{\"x\":\"a\"}" },
	{ "", "_ENV.x = 1 return {}", "assigns to x" },
	{ "", "local e = _ENV e.x = 1 return {}", "shared between visitors" },
	{ "", "local _ENV = {} x = 1 return { x = x }", "{\"x\":1}" },
	{ "", "local function f(_ENV) x = 1 return x end return { x = f({}) }", "{\"x\":1}" },
	{ "local function f(_ENV) x = 1 return x end local t = {}", "return { x = f(t) }", "shared between visitors" },
	{ "local E = _ENV", "E.x = 1 return {}", "shared between visitors" },
	{ "local n = 0 local function up() n = n + 1 return n end", "return { x = up() }", "assigns to n" },
	{ "local n = 0 local t = { deep = { up = function() n = n + 1 return n end } }", "return { x = t.deep.up() }", "assigns to n" },
	{ "local n = 0 local t = setmetatable({}, { __call = function() n = n + 1 return n end })", "return { x = t() }", "assigns to n" },
	{ "local n = 0 local t = setmetatable({}, { __index = setmetatable({}, { __index = function() n = n + 1 return n end }) })",
		"return { x = t.y }", "assigns to n" },
	{ "local n = 0 function up() n = n + 1 return n end", "return { x = up() }", "assigns to n" },
	{ "local n = 0 function up() n = n + 1 return n end", "return { x = _ENV['u' .. 'p']() }", "assigns to n" },
	{ "local n = 0 function up() n = n + 1 return n end local E = _ENV", "return { x = E.up() }", "assigns to n" },
	{ "local n = 0 function a_name_of_more_than_forty_letters_is_no_short_string() n = n + 1 return n end",
		"return { x = a_name_of_more_than_forty_letters_is_no_short_string() }", "assigns to n" },
	{ "", "a_name_of_more_than_forty_letters_is_no_short_string = 1 return {}", "shared between visitors" },
	{ "local it = ('abc'):gmatch('.')", "return { x = it() }", "remembers how far it went" },
	{ "local it = { (pairs({ 1, 2, 3 })) }", "return { x = it[1]() }", "remembers how far it went" },
	{ "", "rule 'x' { slot = 's', show = {} } return {}", "declarations are made while a rule file loads" },
	{ "local late = rule 'late'", "late { slot = 's', show = {} } return {}", "a name and no table" },
	{ "", "return { x = coroutine }", "coroutine is not defined" },
	{ "", "return { x = load('return 1')() }", "load is not defined" },
	{ "", "return { x = string.dump(function() end) }", "attempt to call a nil value" },
	{ "", "return { x = math.random() }", "attempt to call a nil value" },
	{ "", "setmetatable({}, { __gc = function() end }) return {}", "__gc is not available" },
	{ "", "return { x = tostring({}), y = tostring(print_), z = ('%s'):format({}) }", "print_ is not defined" },
	{ "", "return { x = tostring({}) .. tostring(type) .. ('%s'):format({}) }", "tablefunctiontable" },
};

static double cpu_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static const char segments[] = "segment \"many\" { when = { country = \"CA\" } }";
static const char visitor[] =
	"{\"country\":\"CA\",\"traits\":{\"list\":[\"a\",\"b\"],\"x\":1},\"viewed\":{\"category\":\"a\",\"total\":1}}";

/* True if what happened is what was expected. */
static bool happens(const struct attempt *a, const char *said)
{
	if (!a->outcome)
		return strstr(said, RAN) || strstr(said, MADE);
	return strstr(said, a->outcome) != NULL;
}

static void try_it(const struct attempt *a)
{
	char text[2000], why[600];
	struct rules r;
	snprintf(text, sizeof text,
		"slot \"s\" { channel = \"web\" } %s %s\nrule \"r\" { slot = \"s\", priority = 1, show = function(v) %s end }\nrule "
		"\"good\" { slot = \"s\", show = { ok = 1 } }",
		segments, a->before, a->body);
	if (rules_load(&r, text, NULL) < 0) {
		assert_true(r.errors.n > 0);
		snprintf(why, sizeof why, "%s", r.errors.items[0].message);
		if (!happens(a, why) || r.errors.items[0].line < 1 || strcmp(r.errors.items[0].file, "a.lua") != 0)
			fail_msg("%s\n  gave     %s (%s:%d)\n  expected %s", text, why, r.errors.items[0].file, r.errors.items[0].line,
				a->outcome);
		rules_finish(&r);
		return;
	}
	const char *before = strdup(rules_decide(&r, visitor));
	double began = cpu_ms();
	const char *reason = rules_explain(&r, "r", visitor, why);
	double took = cpu_ms() - began;
	bool failed = strcmp(reason, "failed") == 0;
	if (!happens(a, why))
		fail_msg("%s\n  %s       %s\n  expected %s", text, reason, why, a->outcome ? a->outcome : "to run out");
	if (failed && strncmp(why, "a.lua:2: ", 9) != 0 && strncmp(why, "a.lua:1: ", 9) != 0)
		fail_msg("%s\n  says no place: %s", text, why);
	if (took > MOST_MS)
		fail_msg("%s\n  took %.0f ms: %s", text, took, why);
	assert_string_equal(rules_decide(&r, visitor), before);
	assert_true(!failed || strstr(before, "good{\"ok\":1}"));
	free((char *)before);
	rules_finish(&r);
}

static void test_attempts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++)
		try_it(&attempts[i]);
}

/* Each runs v.traits.n times through something that costs instructions, memory, or both. */
static const char *const costs[] = {
	"for i = 1, n do local x = i * i end",
	"for i = 1, n do local f = function() return i end end",
	"for i = 1, n do local t = { i, x = i } end",
	"local t = {} for i = 1, n do t[i] = i end",
	"local t = {} for i = 1, n do t['key' .. i] = i end",
	"local t = {} for i = 1, n do t[i % 7 == 0 and ('key' .. i) or i] = i end",
	"local t = {} for i = 1, n do t['key' .. i] = i t['key' .. i - 3] = nil end",
	"local t = {} for i = 1, n do t['key' .. i] = i t['key' .. i - 3] = nil t.list = {{}, {}, {}, {}} end",
	"local t = {} for i = 1, n do t['key' .. i % 50] = i t['key' .. (i * 7) % 50] = nil t['key' .. (i * 3) % 50] = i end",
	"local t = {} for i = 1, n do t[i + 0.5] = i t[i - 2.5] = nil t[i % 2 == 0] = i end",
	"local t = {} for i = 1, n do t[{}] = i end",
	"local s = '' for i = 1, n do s = s .. 'x' end",
	"for i = 1, n do local s = ('%d-%s'):format(i, 'a text of more than forty bytes, which is a long one in Lua') end",
	"for i = 1, n do local s = ('abc'):rep(i % 50):gsub('b', '%0%0'):upper() end",
	"for i = 1, n do pcall(error, { i }) pcall(error, 'x' .. i) end",
	"local function deep(k) if k > 0 then return 1 + deep(k - 1) end return 0 end for i = 1, n do deep(i % 100) end",
	"local function deep(k) if k > 0 then return 1 + deep(k - 1) end return 0 end deep(n)",
	"local t = {} for i = 1, n do t[i] = (i * 7919) % 1000 end table.sort(t, function(a, b) return a > b end)",
	"local t = {} for i = 1, n % 300 do t['key' .. i] = i end for i = 1, n do for k, x in pairs(t) do break end end",
	"for i = 1, n do local a, b = v.traits.list, v.country for k in pairs(v.traits) do end end",
	"for i = 1, n do local x = setmetatable({}, { __index = function(t, k) return k end })['x' .. i] end",
	"local t = {} for i = 1, n do t[#t + 1] = table.concat(t, ',', #t - 3 > 0 and #t - 3 or 1) end",
	"for i = 1, n do local x = select('#', table.unpack({ 1, 2, 3, nil, 5 }, 1, i % 40)) end",
	"for w in ('some words and more '):rep(n):gmatch('%a+') do local x = w:byte(1, -1) end",
};
enum { COSTS = sizeof costs / sizeof *costs };

static bool passes(struct rules *r, int cost, int n, char *why)
{
	char given[200], rule[16];
	snprintf(given, sizeof given, "{\"country\":\"CA\",\"traits\":{\"n\":%d,\"list\":[\"a\",\"b\",3]}}", n);
	snprintf(rule, sizeof rule, "r%d", cost);
	assert_int_equal(rules_visit(r, given), 0);
	fw_eval_begin(&r->decider.eval, &r->facts, &r->arena);
	const struct fw_called *c = fw_eval_show(&r->decider.eval, r->set->rules[fw_ruleset_rule(r->set, fw_str(rule))].show.function);
	if (c->failed)
		fw_error_text(c->error, why, 600);
	bool passed = !c->failed;
	fw_eval_end(&r->decider.eval);
	return passed;
}

/* The largest n that is within the budget. */
static int find_threshold(struct rules *r, int cost)
{
	int low = 0, high = 120000;
	char why[600];
	while (high - low > 1) {
		int middle = (low + high) / 2;
		if (passes(r, cost, middle, why))
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* That it is so, and which budget the next one exceeds. */
static void tell_threshold(struct rules *r, int cost, int n, struct fw_buf *out)
{
	char why[600] = "";
	bool fits = passes(r, cost, n, why), more = passes(r, cost, n + 1, why);
	fw_buf_printf(out, "%d: %d%s then %s\n", cost, n, fits && !more ? "" : ", which is not so,", why);
}

/* Looking for a threshold takes seventeen calls, to see that it is where it was takes two: but for the first time, and at length, when
 * they are looked for each time. */
static int threshold(struct rules *r, int cost, const int *known)
{
	return known && !getenv("FW_LONG") ? known[cost] : find_threshold(r, cost);
}

static void open_costs(struct rules *r)
{
	struct fw_buf text;
	fw_buf_init(&text, 0);
	fw_buf_printf(&text, "slot \"s\" { channel = \"web\", show_up_to = 100 }\n");
	for (int i = 0; i < COSTS; i++)
		fw_buf_printf(&text, "rule \"r%d\" { slot = \"s\", show = function(v) local n = v.traits.n %s return {} end }\n", i,
			costs[i]);
	for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++)
		if (!attempts[i].before[0] && i % 5 == 0)
			fw_buf_printf(&text, "rule \"a%zu\" { slot = \"s\", enabled = false, show = {} }\n", i);
	fw_buf_puts(&text, "rule \"other\" { slot = \"s\", show = function(v) local t = {} for i = 1, 3000 do t[i] = 'some' .. i .. "
		"v.traits.word end return { n = #t } end }\n");
	rules_open(r, fw_buf_text(&text), NULL);
	fw_buf_finish(&text);
}

/* All thresholds, on a rule set that has just been loaded. `known`: of another; NULL: they are not yet. */
static void put_thresholds(const int *known, int *ret, struct fw_buf *out)
{
	struct rules r;
	open_costs(&r);
	for (int i = 0; i < COSTS; i++) {
		ret[i] = threshold(&r, i, known);
		tell_threshold(&r, i, ret[i], out);
	}
	rules_finish(&r);
}

static const char *own_path;

static void ask_another_process(const int *known, struct fw_buf *out)
{
	int ends[2], status;
	char text[4096], numbers[COSTS][12];
	const char *argv[COSTS + 3] = { own_path, "--thresholds" };
	for (int i = 0; i < COSTS; i++) {
		snprintf(numbers[i], sizeof numbers[i], "%d", known[i]);
		argv[2 + i] = numbers[i];
	}
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	if (child == 0) {
		dup2(ends[1], STDOUT_FILENO);
		execv(own_path, (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	close(ends[1]);
	fw_buf_clear(out);
	for (ssize_t n; (n = read(ends[0], text, sizeof text)) > 0;)
		fw_buf_add(out, text, (size_t)n);
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* What a budget allows hangs on nothing but the function and the facts: not on what ran before, on the strings that are
 * there already, on the collector, on addresses, or on the seed of Lua's hash. */
static void test_budgets_are_exact(void **state)
{
	(void)state;
	struct fw_buf fresh, used, line;
	struct rules r;
	char why[600], given[200];
	int known[COSTS];
	fw_buf_init(&fresh, 0);
	fw_buf_init(&used, 0);
	fw_buf_init(&line, 0);
	put_thresholds(NULL, known, &fresh);
	assert_null(strstr(fw_buf_text(&fresh), "not so"));
	open_costs(&r);
	for (int i = 0; i < 30; i++) {
		snprintf(given, sizeof given, "{\"traits\":{\"n\":%d,\"word\":\"w%d\",\"list\":[]}}", i * 997, i * i);
		rules_explain(&r, "other", given, why);
		if (i % 3)
			fw_sandbox_collect(r.set->sandbox);
	}
	for (int i = COSTS - 1; i >= 0; i--) { /* in the other order */
		fw_buf_clear(&line);
		tell_threshold(&r, i, threshold(&r, i, known), &line);
		fw_buf_puts(&line, fw_buf_text(&used));
		fw_buf_clear(&used);
		fw_buf_puts(&used, fw_buf_text(&line));
	}
	rules_finish(&r);
	assert_string_equal(fw_buf_text(&fresh), fw_buf_text(&used));
	for (int i = 0; i < 2; i++) {
		ask_another_process(known, &used);
		assert_string_equal(fw_buf_text(&fresh), fw_buf_text(&used));
	}
	fw_buf_finish(&fresh);
	fw_buf_finish(&used);
	fw_buf_finish(&line);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attempts),
		cmocka_unit_test(test_budgets_are_exact),
	};
	if (argc > 1 && strcmp(argv[1], "--thresholds") == 0) { /* what the test asks of other processes */
		struct fw_buf out;
		int known[COSTS], found[COSTS];
		for (int i = 0; i < COSTS; i++)
			known[i] = i + 2 < argc ? atoi(argv[i + 2]) : 0;
		fw_buf_init(&out, 0);
		put_thresholds(known, found, &out);
		fputs(fw_buf_text(&out), stdout);
		fw_buf_finish(&out);
		return 0;
	}
	own_path = argv[0];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
