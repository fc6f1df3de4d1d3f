/* No visitor leaves a bit for the next: what two visitors get, in either order and one after the other many times, is what
 * each gets alone; through random sets of functions that do all they can to remember. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib_generate.h"
#include "lib_rules.h"

static const char before[] =
	"local seen, log, cache = {}, { n = 0 }, setmetatable({}, { __index = function(t, k) return k .. '?' end })\n"
	"local list = { 3, 1, 2 }\n"
	"local class = { total = 0 } class.__index = class\n"
	"function class.new(x) return setmetatable({ x = x }, class) end\n"
	"function class:add(y) self.x = self.x .. y return self end\n"
	"local shared = class.new('shared')\n"
	"local function remember(t, k, x) return pcall(function() t[k] = x end) end\n"
	"local function counter() local n = 0 return function() n = n + 1 return n end end\n"
	"function helper(v) local c = counter() c() return c() end\n"
	"segment 'odd' { when = function(v) remember(seen, 'odd', 1) return (v.traits.n or 0) % 2 == 1 end }\n"
	"segment 'both' { when = { segment = 'odd', country = 'CA' } }\n";

/* Bodies of `show`; each tells what it finds. */
static const char *const bodies[] = {
	("remember(seen, v.country or 'none', true) local n = 0 for k in pairs(seen) do n = n + 1 end return { n = n, k = seen[v.country "
		"or 'none'] }"),
	"remember(log, 'n', log.n + 1) return { n = log.n }",
	"pcall(table.insert, list, v.traits.n) pcall(table.sort, list) return { first = list[1], n = #list }",
	"remember(cache, v.traits.n or 0, 'x') return { c = cache[v.traits.n or 0] }",
	"pcall(shared.add, shared, v.city or '') return { x = shared.x }",
	"local o = class.new('mine') o:add(v.city or '') remember(class, 'total', 1) return { x = o.x, t = class.total }",
	"remember(v, 'note', 1) remember(v.traits, 'note', 1) return { x = v.traits.note == nil }",
	"pcall(function() string.note = 1 end) pcall(function() ('').note = 1 end) return { x = string.note == nil }",
	"local e = _ENV remember(e, 'leak', v.country) return { x = e.seen == nil, y = remember(e, 'leak2', 1) }",
	"return { n = helper(v), c = counter()() }",
	"pcall(setmetatable, seen, { __index = function() return 'poison' end }) return { x = seen.x == nil }",
	"pcall(function() for k in pairs(list) do list[k] = nil end end) return { n = #list }",
	"remember(cache, 'deep', {}) local ok = pcall(function() cache.deep.x = 1 end) return { ok = ok, d = cache.deep }",
	"local big = {} for i = 1, (v.traits.n or 1) % 500 do big[i] = 'text ' .. i end return { n = #big }",
	"pcall(function() while true do local s = ('x'):rep(1000) end end) return { x = 1 }",
	"local it = ('a b c'):gmatch('%a') it() return { x = it() }",
	"return { odd = v.segment.odd, both = v.segment.both, seen = seen.odd }",
	"local t = {} t[v.country or 1] = v.traits.n or 0 for k, x in pairs(t) do return { k = k, x = x } end return {}",
	"local ok, e = pcall(error, { n = log.n }) return { n = e.n }",
	"local s = tostring(v) .. tostring(seen) .. tostring(helper) return { s = s }",
	"if (v.traits.n or 0) % 7 == 3 then error('seven') end return { n = v.traits.n }",
	"if (v.traits.n or 0) % 11 == 3 then while true do end end return { n = v.traits.n }",
	"return { c = v.country, l = v.traits.list, n = v.now }",
};

static const char *const conditions[] = {
	"function(v) remember(seen, 'when', v.country) return seen.when == nil end",
	"function(v) remember(log, 'n', log.n + 1) return log.n == 0 end",
	"function(v) return v.country == 'CA' or (v.traits.n or 0) > 5 end",
	"{ segment = 'odd' }", "{ segment = 'both' }", "{ country = { 'CA', 'NO' } }",
	"{ any { traits = { n = at_least(7) }, function(v) return v.segment.odd end } }",
	"function(v) return pcall(table.remove, list) == false end",
};

static char *make_rules(struct generator *g)
{
	fw_buf_clear(&g->out);
	PUT(g, "slot \"a\" { channel = \"web\", show_up_to = 9 }\nslot \"b\" { channel = \"web\", show_up_to = 9 }\n%s", before);
	for (unsigned i = 0; i < 14; i++) {
		PUT(g, "rule \"r%u\" { slot = \"%s\", priority = %u, show = function(v) %s end", i, chance(g, 50) ? "a" : "b", below(g, 3),
			PICK(g, bodies));
		if (chance(g, 50))
			PUT(g, ", when = %s", PICK(g, conditions));
		PUT(g, " }\n");
	}
	if (chance(g, 30))
		PUT(g, "guard \"g\" { because = \"x\", require = %s }\n", PICK(g, conditions));
	return strdup(fw_buf_text(&g->out));
}

static char *make_visitor(struct generator *g)
{
	fw_buf_clear(&g->out);
	PUT(g, "{");
	if (chance(g, 70))
		PUT(g, "\"country\":\"%s\",", PICK(g, some_countries));
	if (chance(g, 50))
		PUT(g, "\"city\":\"%s and more than forty letters of it, so that it is long\",", PICK(g, some_words));
	if (chance(g, 50))
		PUT(g, "\"at\":\"2026-11-23T12:00:%02u\",", below(g, 60));
	PUT(g, "\"traits\":{\"list\":[\"x\",%u]%s", below(g, 9), chance(g, 80) ? "," : "}}");
	if (fw_buf_text(&g->out)[g->out.n - 1] == ',')
		PUT(g, "\"n\":%u}}", below(g, 1000));
	return strdup(fw_buf_text(&g->out));
}

static char *alone(const char *text, const char *visitor)
{
	struct rules r;
	rules_open(&r, text, NULL);
	char *said = strdup(rules_decide(&r, visitor));
	rules_finish(&r);
	return said;
}

static void same(uint64_t seed, const char *text, const char *visitor, const char *expected, const char *said)
{
	if (strcmp(expected, said) != 0)
		fail_msg("seed %llu: not as if alone\n%s\n%s\n  alone: %s\n  after: %s", (unsigned long long)seed, text, visitor, expected,
			said);
}

static void test_either_order(void **state)
{
	(void)state;
	struct generator g = { .values = 1 };
	fw_buf_init(&g.out, 0);
	for (uint64_t seed = 1; seed <= (getenv("FW_LONG") ? 500 : 60); seed++) {
		g.state = seed;
		char *text = make_rules(&g), *a = make_visitor(&g), *b = make_visitor(&g);
		char *said_a = alone(text, a), *said_b = alone(text, b);
		struct rules ab, ba;
		rules_open(&ab, text, NULL);
		rules_open(&ba, text, NULL);
		same(seed, text, a, said_a, rules_decide(&ab, a));
		same(seed, text, b, said_b, rules_decide(&ab, b));
		same(seed, text, b, said_b, rules_decide(&ba, b));
		same(seed, text, a, said_a, rules_decide(&ba, a));
		for (int i = 0; i < 6; i++) {
			same(seed, text, a, said_a, rules_decide(&ab, a));
			same(seed, text, b, said_b, rules_decide(&ab, b));
		}
		rules_finish(&ab);
		rules_finish(&ba);
		free(text);
		free(a);
		free(b);
		free(said_a);
		free(said_b);
	}
	fw_buf_finish(&g.out);
}

/* What calls leave in memory goes away again, however many there are. */
static void test_memory_stays(void **state)
{
	(void)state;
	struct generator g = { .values = 1, .state = 5 };
	struct rules r;
	int64_t early = 0;
	fw_buf_init(&g.out, 0);
	char *text = make_rules(&g);
	rules_open(&r, text, NULL);
	for (int i = 0; i < 1500; i++) {
		char *visitor = make_visitor(&g);
		rules_decide(&r, visitor);
		free(visitor);
		if (i == 300)
			early = fw_sandbox_bytes(r.set->sandbox);
	}
	int64_t late = fw_sandbox_bytes(r.set->sandbox);
	if (late > early + early / 4)
		fail_msg("%lld bytes after 300 visitors, %lld after 1500", (long long)early, (long long)late);
	rules_finish(&r);
	free(text);
	fw_buf_finish(&g.out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_either_order),
		cmocka_unit_test(test_memory_stays),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
