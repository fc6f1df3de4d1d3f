// The rule language, sentence by sentence: what is refused, with file, line and the nearest right thing; and that what
// looks unusual but is right is taken.

import { test } from 'node:test';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { long, program, releaseProgram, run, temporaryFolder, writeFiles } from './daemon.mjs';

const slot = 'slot "s" { channel = "web" }\n';
const rule = (fields, id = 'r') => `rule "${id}" { slot = "s", show = { a = 1 }, ${fields} }\n`;
const when = (condition) => rule(`when = { ${condition} }`);

// A folder with rules/, and, if there is a configuration or a compliance folder to be had, floorwalker.lua and compliance/.
function store(t, rules, { config = '', compliance } = {}) {
	const folder = temporaryFolder(t);
	const put = (where, files) => writeFiles(join(folder, where), typeof files === 'string' ? { 'a.lua': files } : files);
	put('rules', rules);
	if (compliance) put('compliance', compliance);
	if (config || compliance)
		writeFiles(folder, { 'floorwalker.lua': `rules = "rules"\ncompliance = ${compliance ? '"compliance"' : 'false'}\n${config}\n` });
	return folder;
}

function floorwalker(folder, command, args = [], input = undefined, bin = program) {
	return run([command, '--rules', join(folder, 'rules'), ...args], { cwd: folder, input, bin });
}

function check(t, rules, options, bin) {
	const { status, stdout } = floorwalker(store(t, rules, options), 'check', ['--json'], undefined, bin);
	return { status, errors: JSON.parse(stdout).errors };
}

// Each visitor's decisions: { slot: [winners' ids] }.
function decide(folder, visitors, args = []) {
	const { status, stdout, stderr } = floorwalker(folder, 'decide', args, visitors.map((v) => JSON.stringify(v)).join('\n'));
	assert.equal(status, 0, stderr);
	return stdout.trim().split('\n').map((line) => Object.fromEntries(Object.entries(JSON.parse(line).decisions).map(
		([slot, { winners }]) => [slot, winners.map((w) => w.rule)])));
}

// [what, text (a line each), line, part of the message, part of the hint]
const refused = [
	// Files.
	['a missing comma', `${slot}rule "r" {\n  slot = "s"\n  show = { a = 1 },\n}`, 3, 'a comma is missing after "s"', 'separated by commas'],
	['a missing comma after a table', `${slot}rule "r" {\n  slot = "s", when = {\n    country = "CA"\n  }\n  show = { a = 1 },\n}`, 5, 'a comma is missing'],
	['a missing comma after a number', `${slot}rule "r" { slot = "s",\n  priority = 5\n  show = { a = 1 } }`, 3, 'a comma is missing after 5'],
	['a missing comma after a matcher', `${slot}rule "r" { slot = "s", when = {\n  visits = at_least(3)\n  country = "CA" }, show = { a = 1 } }`, 3, 'a comma is missing'],
	['a missing comma before a bracket', `${slot}${rule('')}test "t" { given = {}, expect = {\n  ["s"] = "r"\n  ["s2"] = "r" } }`, 4, 'a comma is missing after "r"'],
	['a missing comma after a function', `${slot}rule "r" { slot = "s",\n  show = function(v) return {} end\n  priority = 1 }`, 3, 'a comma is missing after end'],
	['curly quotes', `${slot}\nrule “r” { slot = "s" }`, 3, 'curly quotes', 'straight'],
	['single curly quotes', `${slot}rule ‘r’ { slot = "s" }`, 2, 'curly quotes', 'straight'],
	['a brace that is not closed', `${slot}rule "r" { slot = "s"\n`, 3, "'}' expected"],
	['no Lua at all', `${slot}this is a note`, 2, 'syntax error'],
	['a name that means nothing', `${slot}${when('country = US')}`, 2, 'US is not defined', '"US" in quotes'],
	['a word spelt wrong', `${slot}rul "r" {}`, 2, 'rul is not defined', 'did you mean rule'],
	['a matcher spelt wrong', `${slot}${when('visits = atleast(3)')}`, 2, 'atleast is not defined', 'at_least'],
	['a name of Lua that rules do not have', `${slot}local t = os.time()`, 2, 'os is not defined'],
	['a name that only a function reads', `${slot}rule "r" { slot = "s",\n  show = function(v)\n    return { a = nothing }\n  end }`, 4, 'nothing is not defined', '"nothing" in quotes'],
	['a key twice', `${slot}rule "r" {\n  slot = "s",\n  priority = 1,\n  show = { a = 1 },\n  priority = 2,\n}`, 6, '"priority" stands twice', 'only the last'],
	['a key twice, once in brackets', `${slot}rule "r" { slot = "s", show = { a = 1,\n  ["a"] = 2 } }`, 3, '"a" stands twice'],
	['a key twice deep inside', `${slot}${when('any { { country = "CA",\n country = "NO" }, { device = "mobile" } }')}`, 3, '"country" stands twice'],
	['a position twice', `${slot}rule "r" { slot = "s", show = { list = { "a",\n [1] = "b" } } }`, 3, '[1] stands twice'],
	['an error that the file raises', `${slot}error("no stock file")`, 2, 'no stock file'],
	['a loop that never ends', `${slot}while true do end`, 2, 'ran for more than'],
	['a declaration in a function', `${slot}rule "r" { slot = "s",\n show = function(v) slot "t" { channel = "web" } return {} end }\ntest "t" { given = {}, expect = { s = "r" } }`, 4, 'nothing won', 'declarations are made while a rule file loads'],

	// Declarations.
	['a word without a name', `${slot}rule { slot = "s" }`, 2, 'rule needs a name in quotes', 'rule "name" { … }'],
	['a name without a table', `${slot}\nrule "r"\n`, 3, 'it has a name and no table'],
	['a name and a text', `${slot}rule "r" "x"`, 2, 'needs a table', 'rule "r" { … }'],
	['an empty name', `${slot}rule "" { slot = "s" }`, 2, 'a name of a rule has 1 to 200 bytes'],
	['an id twice', `${slot}${rule('')}${rule('')}`, 3, 'declared twice, first in a.lua:2', 'another name'],
	['a field that does not exist', `${slot}rule "r" { slot = "s", show = {},\n  prority = 3 }`, 3, 'a rule has no such field', '"priority"'],
	['a slot field that does not exist', 'slot "s" {\n  chanel = "web" }', 2, 'a slot has no such field', '"channel"'],
	['a guard field that does not exist', `${slot}guard "g" { requires = { country = "CA" }, because = "x" }`, 2, 'a guard has no such field', '"require"'],
	['a value without a name', `${slot}rule "r" { "s" }`, 2, 'a value stands without a name'],
	['a slot without channel', '\nslot "s" {}', 2, 'a slot needs its channel', 'channel = "web"'],
	['room for nobody', 'slot "s" { channel = "web",\n show_up_to = 0 }', 2, 'whole number from 1'],
	['room for too many', 'slot "s" { channel = "web",\n show_up_to = 101 }', 2, 'at most 100'],
	['a default that is made anew', 'slot "s" { channel = "web",\n default = function(v) return {} end }', 2, 'default is a table', 'everybody'],
	['public that is neither', 'slot "s" { channel = "web",\n public = "yes" }', 2, 'true or false'],
	['a slot that does not exist', `slot "home.hero" { channel = "web" }\nrule "r" { show = {},\n slot = "home.hreo" }`, 3, 'there is no slot "home.hreo"', '"home.hero"'],
	['neither slot nor channel', `${slot}rule "r" { show = {} }`, 2, 'a rule needs a slot or a channel'],
	['slot and message at once', `${slot}rule "r" { slot = "s", show = {}, on = "Order Completed" }`, 2, 'not both', 'two rules'],
	['nothing to show', `${slot}rule "r" { slot = "s" }`, 2, 'shows something', 'show = { … }'],
	['show for a message', 'rule "r" { channel = "email", on = "X",\n show = {} }', 2, 'show belongs to a slot', 'send = { … }'],
	['a message without trigger', 'rule "r" { channel = "email", send = {} }', 1, 'what triggers it', 'on = '],
	['a message that sends nothing', 'rule "r" { channel = "email", on = "X" }', 1, 'sends something'],
	['a class that there is not', 'rule "r" { channel = "email", on = "X", send = {},\n class = "promo" }', 2, '"promo"', '"marketing", "service" or "transactional"'],
	['a segment entered that there is not', 'segment "vip" { when = { visits = at_least(3) } }\nrule "r" { channel = "email", send = {},\n on = segment_entered "vips" }', 3, 'there is no segment "vips"', '"vip"'],
	['a function that should trigger', 'segment "vip" { when = function(v) return v.visits > 3 end }\nrule "r" { channel = "email", send = {},\n on = segment_entered "vip" }', 3, 'a function decides segment "vip"', 'only table conditions'],
	['every without a segment', 'rule "r" { channel = "email", send = {},\n on = every "1d" }', 2, 'every needs a segment', 'when = { segment'],
	['every with a function', 'segment "vip" { when = function(v) return v.visits > 3 end }\nrule "r" { channel = "email", send = {}, when = { segment = "vip" },\n on = every "1d" }', 3, 'function', 'only table conditions'],
	['a trigger that is none', 'rule "r" { channel = "email", send = {},\n on = at_least(3) }', 2, 'no trigger'],
	['after without unit', 'rule "r" { channel = "email", on = "X", send = {},\n after = 60 }', 2, 'a duration was expected', '"1h"'],
	['a priority between numbers', `${slot}rule "r" { slot = "s", show = {},\n priority = 1.5 }`, 3, 'whole number'],
	['a priority in quotes', `${slot}rule "r" { slot = "s", show = {},\n priority = "5" }`, 3, 'a whole number was expected, not text'],
	['more than all visitors', `${slot}rule "r" { slot = "s", show = {},\n rollout = 120 }`, 3, '0 to 100', 'a quarter'],
	['a date that there is not', `${slot}rule "r" { slot = "s", show = {},\n starts = "2026-02-30" }`, 3, '"2026-02-30" is no date', '2026-11-20'],
	['a date the other way round', `${slot}rule "r" { slot = "s", show = {},\n ends = "20.11.2026" }`, 3, 'is no date'],
	['an end before the start', `${slot}rule "r" { slot = "s", show = {},\n starts = "2026-11-20",\n ends = "2026-11-19" }`, 4, 'ends before it starts'],
	['score', `${slot}rule "r" { slot = "s", show = {},\n score = "clicks" }`, 3, 'reserved', 'priority'],
	['tags with a hole', `${slot}rule "r" { slot = "s", show = {},\n tags = { "a", nil, "b" } }`, 3, 'hole'],
	['tags with a key', `${slot}rule "r" { slot = "s", show = {},\n tags = { "a", b = "c" } }`, 3, '"b"'],
	['no tags', `${slot}rule "r" { slot = "s", show = {},\n tags = {} }`, 3, 'names nothing'],
	['content that JSON has no word for', `${slot}rule "r" { slot = "s",\n show = { f = print_it or function() end } }`.replace('print_it or ', ''), 3, 'a function', 'JSON'],
	['content with both kinds of keys', `${slot}rule "r" { slot = "s",\n show = { 1, a = 2 } }`, 3, 'both kinds of keys'],
	['content that holds itself', `${slot}local t = {} t.t = t\nrule "r" { slot = "s",\n show = t }`, 4, 'nested too deep', 'holds itself'],
	['content that is a text', `${slot}rule "r" { slot = "s",\n show = "banner" }`, 3, 'a table or a function, not text', 'banner'],
	['content that is a matcher', `${slot}rule "r" { slot = "s",\n show = { n = at_least(3) } }`, 3, 'at_least is no content'],
	['content that is too large', `${slot}rule "r" { slot = "s",\n show = { a = ("x"):rep(70000) } }`, 3, 'larger than'],
	['a guard without a condition', `${slot}guard "g" { because = "x" }`, 2, 'a guard has a condition', 'require'],
	['a guard without a reason', `${slot}guard "g" { require = { country = "CA" } }`, 2, 'says why', 'because'],
	['a guard on a use that there is not', `${slot}guard "g" { require = { country = "CA" }, because = "x",\n applies = { uses = "behavior" } }`, 3, 'nothing uses "behavior"', '"behaviour"'],
	['a guard on a rule that there is not', `${slot}${rule('', 'winter')}guard "g" { require = { country = "CA" }, because = "x",\n applies = { rule = "wintr" } }`, 4, 'there is no rule "wintr"', '"winter"'],
	['a guard on a slot that there is not', `slot "hero" { channel = "web" }\nguard "g" { require = { country = "CA" }, because = "x",\n applies = { slot = "heros" } }`, 3, 'there is no slot "heros"', '"hero"'],
	['a guard on a thing that there is not', `${slot}guard "g" { require = { country = "CA" }, because = "x",\n applies = { slots = "s" } }`, 3, 'no such field', '"slot"'],
	['a guard that does neither', `${slot}guard "g" { require = { country = "CA" }, because = "x",\n or_else = "wait" }`, 3, '"wait"', '"drop" or "defer"'],
	['a guard with an empty condition', `${slot}guard "g" { because = "x",\n require = {} }`, 3, 'names nothing'],
	['a cap without limit', 'cap "c" { per = "7d" }', 1, 'a limit and a window', 'limit = 3, per = "7d"'],
	['a cap of more than is remembered', 'cap "c" { per = "7d",\n limit = 101 }', 1, 'more than 100 times are not remembered'],
	['a cap of half a message', 'cap "c" { per = "7d",\n limit = 2.5 }', 2, 'whole number'],
	['a segment without condition', 'segment "g" {}', 1, 'it is missing', 'when = { … }'],
	['a segment in itself', 'segment "a" { when = { segment = "b" } }\nsegment "b" { when = { segment = "a" } }', 1, 'its own condition'],

	// Conditions.
	['a fact that does not exist', `${slot}rule "r" { slot = "s", show = {}, when = {\n  contry = "CA" } }`, 3, 'there is no fact "contry"', '"country"'],
	['a fact of the cart that does not exist', `${slot}${when('cart = {\n sum = 3 }')}`, 3, 'there is no fact of the cart "sum"'],
	['a field of a query that does not exist', `${slot}${when('viewed = {\n categori = "boots" }')}`, 3, 'viewed has no "categori"', '"category"'],
	['a segment that does not exist', `${slot}segment "vip" { when = { visits = at_least(3) } }\n${when('segment =\n "vpi"')}`, 3, 'there is no segment "vpi"', '"vip"'],
	['an empty condition', `${slot}rule "r" { slot = "s", show = {},\n when = {} }`, 3, 'names nothing', 'leaves `when` out'],
	['an empty any', `${slot}${when('\n any {}')}`, 3, 'any names nothing'],
	['an empty none', `${slot}${when('\n none {}')}`, 3, 'none names nothing'],
	['an empty list', `${slot}${when('\n country = {}')}`, 3, 'the list names nothing', 'unknown()'],
	['an empty cart', `${slot}${when('\n cart = {}')}`, 3, 'cart names nothing'],
	['an empty query', `${slot}${when('\n viewed = {}')}`, 3, 'names nothing', 'at_least = 1'],
	['an empty list of segments', `${slot}${when('\n segment = {}')}`, 3, 'names at least one'],
	['a bare table in a table', `${slot}${when('\n { country = "CA" }')}`, 3, 'a bare table stands inside a table', 'any { … } or all { … }'],
	['a bare value in a table', `${slot}${when('\n "CA"')}`, 3, 'a condition names a fact', 'country = "CA"'],
	['a matcher without a fact', `${slot}${when('\n at_least(3)')}`, 3, 'at_least stands without a fact', 'visits = at_least(3)'],
	['a group after a fact', `${slot}${when('\n country = any { "CA", "NO" }')}`, 3, 'any', 'country = { "a", "b" }'],
	['a condition that is a text', `${slot}rule "r" { slot = "s", show = {},\n when = "CA" }`, 3, 'a condition is a table or a function, not text'],
	['a country by its name', `${slot}${when('\n country = "Canada"')}`, 3, 'two letters', '"CA"'],
	['a country by its name, in a list', `${slot}${when('\n country = { "CA", "Norway" }')}`, 3, '"Norway"', '"NO"'],
	['a country by its name, negated', `${slot}${when('\n country = is_not "Germany"')}`, 3, '"Germany"', '"DE"'],
	['a value outside a closed list', `${slot}${when('\n device = "phone"')}`, 3, 'device is never "phone"', 'mobile'],
	['a source outside the list', `${slot}${when('\n source = "paid_serach"')}`, 3, 'source is never "paid_serach"', '"paid_search"'],
	['a continent by its name', `${slot}${when('\n continent = "Europe"')}`, 3, 'continent is never "Europe"'],
	['a region by its name', `${slot}${when('\n region = "Ontario"')}`, 3, 'ISO 3166-2'],
	['a language by its name', `${slot}${when('\n language = "English"')}`, 3, 'BCP 47'],
	['a language the POSIX way', `${slot}${when('\n language = "en_CA"')}`, 3, 'BCP 47', '"en-CA"'],
	['a page without a slash', `${slot}${when('\n page = "sale"')}`, 3, 'a path', '"/sale"'],
	['a weekday that there is not', `${slot}${when('\n weekday = "monday"')}`, 3, 'there is no weekday "monday"', '"mon"'],
	['an hour that there is not', `${slot}${when('\n hour = between(8, 24)')}`, 3, 'there is no hour 24', '0 to 23'],
	['a text for a number', `${slot}${when('\n visits = "3"')}`, 3, 'visits is a number: text can never match it'],
	['a number for a text', `${slot}${when('\n city = 3')}`, 3, 'city is text: a number can never match it'],
	['a text for a boolean', `${slot}${when('\n in_eu = "true"')}`, 3, 'in_eu is true or false: text can never match it'],
	['a range on a text', `${slot}${when('\n city = at_least(3)')}`, 3, 'city is text: at_least can never match it'],
	['a range on a boolean', `${slot}${when('\n in_eu = at_least(1)')}`, 3, 'in_eu is true or false: at_least can never match it'],
	['a range of texts on a trait', `${slot}${when('traits = {\n since = at_least("2026-01-01") }')}`, 3, 'at_least takes a number'],
	['a text match on a number', `${slot}${when('\n visits = starts_with "3"')}`, 3, 'visits is a number: starts_with can never match it'],
	['all_of on one value', `${slot}${when('\n country = all_of { "CA", "NO" }')}`, 3, 'country has one value', 'a list'],
	['all_of without a list', `${slot}${when('\n consent = all_of "email"')}`, 3, 'all_of takes a list', 'all_of {'],
	['a mixed list', `${slot}${when('traits = {\n x = { "a", 1 } }')}`, 3, 'not a mixture'],
	['a list with a hole', `${slot}${when('\n country = { "CA", nil, "NO" }')}`, 3, 'hole'],
	['a list with a key', `${slot}${when('\n country = { "CA", x = "NO" }')}`, 3, '"x"'],
	['a range the wrong way round', `${slot}${when('\n orders = between(60, 20)')}`, 3, 'the first value is greater', 'smaller one first'],
	['dates the wrong way round', `${slot}${when('\n date = between("2026-12-01", "2026-11-01")')}`, 3, 'the first value is greater'],
	['a date that is a number', `${slot}${when('\n date = at_least(20261101)')}`, 3, 'date takes an ISO date', '2026-11-23'],
	['an age without unit', `${slot}${when('cart = {\n age = at_least(30) }')}`, 3, 'cart.age takes a duration', '"30m"'],
	['half a range', `${slot}${when('orders = between(3)')}`, 2, 'between needs two values'],
	['a range of nothing', `${slot}${when('orders = at_least()')}`, 2, 'at_least needs a value'],
	['known of something', `${slot}${when('orders = known(3)')}`, 2, 'known takes nothing'],
	['not known', `${slot}${when('\n orders = is_not(known())')}`, 3, 'can never match', 'unknown()'],
	['empty text', `${slot}${when('\n city = ""')}`, 3, 'empty text is no value', 'unknown()'],
	['a count without a query', `${slot}${when('\n viewed = 3')}`, 3, 'viewed is asked with a query', 'at_least = 3'],
	['two keys in a query', `${slot}${when('viewed = { category = "a",\n brand = "b" }')}`, 2, 'at most one of category, product, brand and term'],
	['a window too long', `${slot}${when('viewed = { category = "a",\n within = "2000d" }')}`, 3, '1h to 400d'],
	['a window between hours', `${slot}${when('viewed = { category = "a",\n within = "90m" }')}`, 3, 'whole hours'],
	['a window between days', `${slot}${when('viewed = { category = "a",\n within = "100h" }')}`, 3, 'whole days'],
	['half a view', `${slot}${when('viewed = { category = "a",\n at_least = 1.5 }')}`, 3, 'at_least is a whole number'],
	['at least more than at most', `${slot}${when('\nviewed = { category = "a", at_least = 3, at_most = 2 }')}`, 3, 'at_least is greater than at_most'],
	['affinity to nothing', `${slot}${when('\n affinity = { at_least = 0.3 }')}`, 3, 'affinity needs what it is for'],
	['affinity above one', `${slot}${when('affinity = { category = "a",\n at_least = 30 }')}`, 3, 'a share from 0 to 1'],
	['a function as a value', `${slot}${when('\n country = function(v) return true end')}`, 3, 'not a function'],
	['a function of the library', `${slot}rule "r" { slot = "s", show = {},\n when = type }`, 3, 'a function of the library'],
	['conditions nested too deep', `${slot}rule "r" { slot = "s", show = {}, when = { ${'all { '.repeat(70)} country = "CA" ${'}'.repeat(70)} } }`, 2, 'more than 64 deep'],

	// Functions.
	['an assignment to a variable outside', `${slot}local n = 0\nrule "r" { slot = "s", show = function(v)\n n = n + 1\n return { n = n } end }`, 4, 'assigns to n', 'local n'],
	['an assignment to a global', `${slot}rule "r" { slot = "s", show = function(v)\n n = 1\n return {} end }`, 3, 'assigns to n', 'local n'],
	['an assignment in a helper', `${slot}local n = 0\nlocal function count()\n n = n + 1\n return n end\nrule "r" { slot = "s", show = function(v) return { n = count() } end }`, 4, 'assigns to n'],
	['an assignment in a helper of a helper', `${slot}local n = 0\nlocal h = { { f = function()\n n = n + 1 end } }\nrule "r" { slot = "s", show = function(v) h[1].f() return {} end }`, 4, 'assigns to n'],
	['an assignment in a function in a function', `${slot}local n = 0\nrule "r" { slot = "s", show = function(v)\n local function f()\n n = n + 1 end f() return {} end }`, 5, 'assigns to n'],
	['an assignment in a metamethod', `${slot}local n = 0\nlocal t = setmetatable({}, { __index = function()\n n = n + 1 return n end })\nrule "r" { slot = "s", show = function(v) return { n = t.x } end }`, 4, 'assigns to n'],
	['an assignment in a guard', `${slot}local n = 0\nguard "g" { because = "x", require = function(v)\n n = 1 return true end }`, 4, 'assigns to n'],
	['an assignment in a segment', `${slot}local n = 0\nsegment "g" { when = function(v)\n n = 1 return true end }`, 4, 'assigns to n'],

	// Tests.
	['a test without a visitor', `${slot}test "t" { expect = { s = "default" } }`, 2, 'given', 'given = {'],
	['a test that expects nothing', `${slot}test "t" { given = {} }`, 2, 'expect'],
	['a test of no slot', `${slot}test "t" { given = {},\n expect = {} }`, 3, 'it names no slot'],
	['a test of a slot that there is not', `slot "home.hero" { channel = "web" }\ntest "t" { given = {}, expect = {\n  ["home.hro"] = "default" } }`, 3, 'there is no slot "home.hro"', '"home.hero"'],
	['a test of a rule that there is not', `${slot}${rule('', 'winter')}test "t" { given = {}, expect = {\n  s = "wintr" } }`, 4, 'there is no rule "wintr"', '"winter"'],
	['a fact given that there is not', `${slot}test "t" { expect = { s = "default" }, given = {\n  contry = "CA" } }`, 3, 'contry: there is no such fact', '"country"'],
	['a value given that nobody can have', `${slot}test "t" { expect = { s = "default" }, given = {\n  country = "Canada" } }`, 3, 'two letters', '"CA"'],
	['a value given of the wrong kind', `${slot}test "t" { expect = { s = "default" }, given = {\n  visits = "three" } }`, 3, 'visits: a string where a number was expected'],
	['a set given as a table', `${slot}test "t" { expect = { s = "default" }, given = {\n  consent = { email = true } } }`, 3, 'consent: an object where a list of names was expected'],
	['a time given that is none', `${slot}test "t" { expect = { s = "default" }, given = {\n  at = "yesterday" } }`, 3, 'at: '],
	['an hour given that there is not', `${slot}test "t" { expect = { s = "default" }, given = {\n  hour = 24 } }`, 3, 'hour'],
	['a test that fails', `${slot}${rule('when = { country = "CA" }')}test "t" { given = { country = "NO" }, expect = { s = "r" } }`, 3, '"r" was expected, and nothing won', '"r": not_matched, country is "NO", wanted "CA"'],
	['a test that expects another', `${slot}${rule('priority = 2')}${rule('', 'q')}test "t" { given = {}, expect = { s = "q" } }`, 4, '"q" was expected, and "r" won', '"q": beaten by "r"'],
];

test('every mistake is refused with its place, its cause and the nearest right thing', async (t) => {
	for (const [i, [what, text, line, message, hint]] of refused.entries())
		await t.test(what, (t) => {
			// All of them by the release build, and each by the sanitized one at length: what reads rules has a fuzzer besides.
			const { status, errors } = check(t, text, {}, long || i % 5 === 0 ? program : releaseProgram);
			const said = `${text}\n${JSON.stringify(errors, null, 1)}`;
			assert.equal(status, 1, said);
			const error = errors.find((e) => e.message.includes(message));
			assert.ok(error, `no message has: ${message}\n${said}`);
			assert.equal(error.file, 'a.lua', said);
			assert.equal(error.line, line, said);
			if (hint) assert.ok((error.hint ?? '').includes(hint), `the hint has not: ${hint}\n${said}`);
			assert.equal(errors.length, 1, `one mistake, one error\n${said}`);
			assert.ok(!/\n/.test(error.message), said);
		});
});

test('several mistakes come together, from top to bottom', (t) => {
	const { errors } = check(t, { 'b.lua': when('visits = "3"'), 'a.lua': `${slot}rule "q" { slot = "s", show = {},\n z = 1,\n a = 2,\n when = { contry = "CA" } }` });
	assert.deepEqual(errors.map((e) => `${e.file}:${e.line}`), ['a.lua:3', 'a.lua:4', 'a.lua:5', 'b.lua:1'], JSON.stringify(errors, null, 1));
	const many = check(t, slot + Array.from({ length: 60 }, (_, i) => rule('when = { contry = "CA" }', `r${i}`)).join(''));
	assert.equal(many.errors.length, 50);
});

const accepted = {
	'a byte-order mark': `\ufeff${slot}${rule('')}`,
	'CRLF': `${slot}${rule('\n when = {\n country = "CA" }')}`.replaceAll('\n', '\r\n'),
	'a file without a declaration': `${slot}local x = 1`,
	'words of the language as fields of other tables': `${slot}local t = { rule = 1, slot = 2, test = "x" }\nlocal test = t.rule\nlocal y = test\nlocal z = 1\n${rule('')}`,
	'a variable named as a word': `${slot}local cap = 3\nlocal n = cap\nm = n\n${rule('')}`,
	'several rules from a loop': `${slot}for i = 1, 3 do\n rule("r" .. i) { slot = "s", show = { n = i } }\nend`,
	'a table that two rules share': `${slot}local canada = { country = "CA" }\n${rule('when = canada')}${rule('when = canada', 'q')}`,
	'a semicolon and a trailing comma': `${slot}rule "r" { slot = "s"; show = { a = 1, }, }`,
	'quotes of either kind, long strings, comments': `${slot}--[[ rule “x” { ]]\n-- “curly” in a comment\nrule 'r' { slot = [[s]], show = { a = "she said “hi”", b = [==[ x ]==] } }`,
	'calls and conditions of Lua in a table': `${slot}local function f(x) return x end\nlocal u = true and 1 or 2\nrule "r" { slot = "s", priority = f(3) + #"abc", show = { a = f "x", b = u == 1 and "y" or "z", c = not u } }`,
	'functions with loops and blocks in a table': `${slot}rule "r" { slot = "s", show = function(v)\n for i = 1, 3 do if i == 2 then break end end\n local n = 0\n while n < 3 do n = n + 1 end\n repeat n = n - 1 until n == 0\n do local x = 1 end\n return { n = n }\n end, priority = 1 }`,
	'a global function of the file': `${slot}function helper(v) return v.country == "CA" end\nrule "r" { slot = "s", when = function(v) return helper(v) end, show = {} }`,
	'a helper that counts while the file loads': `${slot}local n = 0\nfunction nextName() n = n + 1 return "r" .. n end\nrule(nextName()) { slot = "s", show = {} }\nrule(nextName()) { slot = "s", show = {} }`,
	'one function as condition and content': `${slot}local function f(v) return { a = 1 } end\nrule "r" { slot = "s", show = f }\nrule "q" { slot = "s", show = f }`,
	'ids of one name, of different kinds': 'slot "x" { channel = "web" }\nsegment "x" { when = { visits = at_least(1) } }\nrule "x" { slot = "x", show = {} }\nguard "x" { because = "x", require = { visits = at_least(1) } }',
	'every matcher': `${slot}${when(`
		country = is_not { "CA", "NO" }, city = starts_with "Mont", region = ends_with "-QC", page = contains "sale", in_eu = false, hour = between(22, 6),
		weekday = between("sat", "sun"), date = between("2026-11-01", "2026-11-30"), orders = is_not(between(3, 5)), consent = all_of { "email", "sms" },
		language = "en", cart = { items = at_least(1), total = less_than(50.5), age = at_most("30m"), contains = { category = "boots", brand = { "a", "b" } } },
		traits = { plan = "pro", age = more_than(18), tags = { "x", "y" }, vip = true, zip = unknown() }, engagement = { email = at_least(0.2) },
		viewed = { category = "boots", at_least = 3, within = "7d" }, bought = is_not { brand = "Acme" }, affinity = { category = "boots", at_least = 0.3 }, visits = is_not(unknown()),
		any { { device = "mobile" }, all { os = "iOS", browser = "Safari" }, none { source = "email", function(v) return v.visits > 3 end } }`)}`,
	'every field of a rule': `${slot}${rule('priority = -3, when = { country = "CA" }, only_one_of = "x", tags = { "a", "b" }, rollout = 12.5, starts = "2026-11-20", ends = "2026-11-20", enabled = false, owner = "me", note = "why"')}`,
	'messages and caps': `segment "vip" { when = { orders = at_least(3) } }
		rule "a" { channel = "email", on = { "Product Added", "Product Viewed" }, after = "1h", cancel_on = "Order Completed", expires = "2d", class = "service", send = { text = "x" }, when = { event = { price = at_least(3) } } }
		rule "b" { channel = "sms", on = segment_entered "vip", send = function(v) return { text = "hi" } end }
		rule "c" { channel = "email", on = every "1d", when = { segment = "vip" }, send = {} }
		cap "c" { applies = { channel = { "email", "sms" }, tag = "x", uses = "behaviour" }, limit = 3, per = "7d", or_else = "defer" }
		guard "g" { applies = { channel = "sms" }, require = { hour = between(8, 20) }, or_else = "defer", because = "law" }`,
	'conditions as deep as they may be': `${slot}rule "r" { slot = "s", show = {}, when = { ${'all { '.repeat(63)} country = "CA" ${'}'.repeat(63)} } }`,
	'a key of content that is no name': `${slot}rule "r" { slot = "s", show = { ["home.hero"] = 1, ["ünï"] = 2, [""] = 3 } }`,
	'an unhappy comment about commas': `${slot}rule "r" { slot = "s" -- no comma here\n, show = {} }`,
};

test('what looks unusual and is right is taken', async (t) => {
	for (const [what, text] of Object.entries(accepted))
		await t.test(what, (t) => assert.deepEqual(check(t, text).errors, []));
});

test('the order of files changes nothing', (t) => {
	const files = {
		'a.lua': slot, 'b.lua': 'rule "x" { slot = "s", when = { segment = "g" }, show = { n = 1 } }', 'c.lua': 'segment "g" { when = { country = "CA" } }',
		'deep/er/d.lua': 'rule "w" { slot = "s", show = { n = 2 } }', '_off.lua': 'nonsense(', '.hidden.lua': 'nonsense(', 'floorwalker.lua': 'nonsense(', 'notes.txt': 'nonsense(',
		'_drafts/e.lua': 'nonsense(',
	};
	const one = store(t, files);
	const other = store(t, Object.fromEntries(Object.entries(files).reverse()));
	const renamed = store(t, { 'z.lua': files['a.lua'], 'y.lua': files['b.lua'], 'x.lua': files['c.lua'], 'w.lua': files['deep/er/d.lua'] });
	for (const folder of [one, other, renamed]) assert.deepEqual(decide(folder, [{ country: 'CA' }, {}]), [{ s: ['x'] }, { s: ['w'] }]);
	const hash = (folder) => JSON.parse(floorwalker(folder, 'decide', [], '{}').stdout).ruleSet;
	assert.equal(hash(one), hash(other));
	assert.notEqual(hash(one), hash(renamed));
	writeFiles(one, { 'rules/_off.lua': 'other nonsense(' });
	assert.equal(hash(one), hash(other), 'what is no rule file does not count');
});

test('no file sees the names of another', (t) => {
	const { errors } = check(t, { 'a.lua': `${slot}function helper() return true end\nlimit = 3`, 'b.lua': `rule "r" { slot = "s", priority = limit, show = {} }` });
	assert.deepEqual(errors.map((e) => [e.file, e.message]), [['b.lua', 'limit is not defined']]);
});

test('a folder without rule files, or none, is refused', (t) => {
	const empty = store(t, { 'README.md': 'nothing' });
	assert.match(floorwalker(empty, 'check').stderr, /no rule files .*\*\.lua/);
	assert.equal(floorwalker(empty, 'check').status, 1);
	const { status, stderr } = run(['check', '--rules', join(empty, 'nowhere')], { cwd: empty });
	assert.equal(status, 1);
	assert.match(stderr, /nowhere: the folder cannot be read/);
});

test('the compliance folder: its own names, known to rule files, and not to be declared again', (t) => {
	const guard = 'guard "age" { applies = { tag = "alcohol" }, require = { segment = "grown-up" }, because = "law" }\nguard "none" { applies = { rule = "no-such-rule", tag = "no-such-tag" }, forbid = { country = "CA" }, because = "x" }\n';
	const compliance = { 'law.lua': `segment "grown-up" { when = { traits = { age = at_least(18) } } }\n${guard}cap "c" { limit = 1, per = "1d" }
		test "a child sees no wine" { given = { traits = { age = 9 } }, expect = { s = "default" } }` };
	const wine = 'slot "s" { channel = "web" }\nrule "wine" { slot = "s", tags = { "alcohol" }, show = {} }\n';

	const good = store(t, `${wine}rule "more" { slot = "s", priority = -1, when = { segment = "grown-up" }, show = {} }`, { compliance });
	assert.deepEqual(decide(good, [{ traits: { age: 20 } }, { traits: { age: 9 } }, {}]), [{ s: ['wine'] }, { s: [] }, { s: [] }]);
	assert.deepEqual(check(t, wine, { compliance }).errors, [], 'a rule or tag that does not exist is no error');

	const twice = check(t, `${wine}segment "grown-up" { when = { country = "CA" } }`, { compliance }).errors;
	assert.deepEqual(twice.map((e) => [e.file, e.line]), [['a.lua', 3]]);
	assert.match(twice[0].message, /the name is taken by compliance\/law\.lua:1/);
	assert.match(twice[0].hint, /the compliance folder owns that name/);

	const blind = check(t, `${wine}segment "local" { when = { country = "CA" } }`, { compliance: { 'law.lua': 'guard "g" { require = { segment = "local" }, because = "x" }' } }).errors;
	assert.deepEqual(blind.map((e) => [e.file, e.message.includes('there is no segment "local"')]), [['compliance/law.lua', true]]);
	for (const text of ['slot "t" { channel = "web" }', 'rule "t" { slot = "s", show = {} }']) {
		const { errors } = check(t, wine, { compliance: { 'law.lua': text } });
		assert.deepEqual(errors.map((e) => e.file), ['compliance/law.lua']);
		assert.match(errors[0].message, /guards, caps, segments and tests/);
	}
	const stale = { 'law.lua': 'test "wine" { given = {}, expect = { gone = "nothing-of-the-kind" } }' };
	assert.deepEqual(check(t, wine, { compliance: stale }).errors, [], 'rules that other people have taken away');

	const read = `guard "g" { because = "x", require = function(v) return v.segment["local"] end }`;
	const { stdout } = floorwalker(store(t, `${wine}segment "local" { when = { country = "CA" } }`, { compliance: { 'law.lua': read } }), 'decide', ['--explain'], '{"country":"CA"}');
	assert.equal(JSON.parse(stdout).slots.s.candidates[0].reason, 'vetoed', 'in a function too, names are looked up in it alone');
	assert.match(run(['check', '--rules', join(good, 'rules')], { cwd: join(good, 'rules') }).stderr, /no compliance guards/);
});

// In the zone of the store: [starts, ends, [[instant, inside?] …]].
const dated = [
	['2026-11-20', '2026-11-20', [['2026-11-19T23:59:59', false], ['2026-11-20T00:00', true], ['2026-11-20T23:59:59', true], ['2026-11-21T00:00', false]]],
	['2026-11-20T09:30', '2026-11-20T18:00', [['2026-11-20T09:29:59', false], ['2026-11-20T09:30', true], ['2026-11-20T17:59:59', true], ['2026-11-20T18:00', false]]],
	['2026-11-20T09:30:15+01:00', '2026-11-20T10:00Z', [['2026-11-20T08:30:14Z', false], ['2026-11-20T08:30:15Z', true], ['2026-11-20T09:59:59Z', true], ['2026-11-20T10:00Z', false]]],
	// Europe/Berlin skips 02:00–03:00 on 2026-03-29: what is skipped is the moment after it, 01:00 UTC.
	['2026-03-29T02:30', undefined, [['2026-03-29T00:59:59Z', false], ['2026-03-29T01:00Z', true]]],
	[undefined, '2026-03-29T02:30', [['2026-03-29T00:59:59Z', true], ['2026-03-29T01:00Z', false]]],
	// It repeats 02:00–03:00 on 2026-10-25 (00:00–02:00 UTC): the first for starts, the last for ends.
	['2026-10-25T02:30', undefined, [['2026-10-25T00:29:59Z', false], ['2026-10-25T00:30Z', true]]],
	[undefined, '2026-10-25T02:30', [['2026-10-25T01:29:59Z', true], ['2026-10-25T01:30Z', false]]],
	['2026-10-25', '2026-10-25', [['2026-10-24T21:59:59Z', false], ['2026-10-24T22:00Z', true], ['2026-10-25T22:59:59Z', true], ['2026-10-25T23:00Z', false]]],
];

test('starts and ends, clock changes included', (t) => {
	for (const [starts, ends, moments] of dated) {
		const fields = `${starts ? `starts = "${starts}", ` : ''}${ends ? `ends = "${ends}", ` : ''}`;
		const folder = store(t, `${slot}rule "r" { slot = "s", ${fields}show = {} }`, { config: 'timezone = "Europe/Berlin"' });
		const answers = decide(folder, [{}, ...moments.map(([at]) => ({ at }))], ['--config', join(folder, 'floorwalker.lua')]);
		assert.deepEqual(answers.shift(), { s: ['r'] }, 'without a clock dates do not count');
		assert.deepEqual(answers.map(({ s }) => s.length === 1), moments.map(([, inside]) => inside), `${fields}${JSON.stringify(moments)}`);
	}
});

test('a point given is in every rollout above it', (t) => {
	const folder = store(t, `slot "s" { channel = "web", show_up_to = 9 }\n${[0, 30, 30.5, 99.9, 100].map((n, i) => `rule "r${i}" { slot = "s", rollout = ${n}, show = {} }`).join('\n')}`);
	assert.deepEqual(decide(folder, [{}, { rollout: 0 }, { rollout: 30 }, { rollout: 30.4 }, { rollout: 99.95 }, { rollout: 100 }]).map(({ s }) => s.join()),
		['r1,r2,r3,r4', 'r1,r2,r3,r4', 'r2,r3,r4', 'r2,r3,r4', 'r4', 'r4']);
});

test('holdout: defaults only, and only for those in it', (t) => {
	const folder = store(t, 'slot "s" { channel = "web", default = { d = 1 } }\nslot "n" { channel = "web" }\nrule "r" { slot = "s", show = {} }\nrule "q" { slot = "n", show = {} }', { config: 'holdout = 20' });
	const { stdout } = floorwalker(folder, 'decide', ['--config', join(folder, 'floorwalker.lua')], '{"rollout":19.9}\n{"rollout":20}\n{}');
	const said = stdout.trim().split('\n').map((line) => { const { s, n } = JSON.parse(line).decisions; return [s.reason, s.content, n.reason, n.content]; });
	assert.deepEqual(said, [['holdout', { d: 1 }, 'holdout', null], ['rule', {}, 'rule', {}], ['rule', {}, 'rule', {}]]);
});

test('who wins: priority, then how specific, then the id; groups over all slots', (t) => {
	const text = `slot "a" { channel = "web", show_up_to = 2 }\nslot "b" { channel = "web" }
		rule "p" { slot = "a", priority = -1, when = { country = "CA", device = "mobile", visits = at_least(1) }, show = {} }
		rule "one" { slot = "a", when = { country = "CA" }, show = {} }
		rule "two" { slot = "a", when = { any { { country = "CA" }, { country = "NO" } }, device = "mobile" }, show = {} }
		rule "queries" { slot = "a", when = { viewed = { category = "a" }, any { { viewed = { category = "b" } } , { viewed = { category = "c" } } } }, show = {} }
		rule "B" { slot = "a", show = {}, when = function(v) return true end }
		rule "a" { slot = "a", show = {} }
		rule "g1" { slot = "b", only_one_of = "g", priority = 5, show = {} }
		rule "g2" { slot = "a", only_one_of = "g", priority = 4, show = {} }
		rule "g3" { slot = "b", priority = 1, show = {} }`;
	const folder = store(t, text);
	const visitor = { country: 'CA', device: 'mobile', visits: 3, viewed: [{ category: 'a', total: 1 }, { category: 'b', total: 1 }] };
	assert.deepEqual(decide(folder, [visitor]), [{ a: ['two', 'one'], b: ['g1'] }]);
	assert.deepEqual(decide(folder, [visitor], ['--slots', 'a']), [{ a: ['g2', 'two'] }], 'a group counts among the slots asked');
	const { stdout } = floorwalker(folder, 'explain', ['--slot', 'a', '--facts', JSON.stringify(visitor), '--json']);
	assert.deepEqual(JSON.parse(stdout).slots.a.candidates.map((c) => [c.rule, c.specificity, c.reason]), [
		['g2', 0, 'won'], ['two', 2, 'won'], ['one', 1, 'beaten'], ['queries', 1, 'beaten'], ['B', 0, 'beaten'], ['a', 0, 'beaten'], ['p', 3, 'beaten']]);
});
