// A store as merchandisers fill one: campaigns by the thousand that two or three rules name each, favourite brands and
// shops as traits, segments, any and none, dates, rollouts, groups, several winners, guards on a quarter of the rules.
// The same for the same N and SEED. Node alone, no package.
//
//   node store.mjs DIR N [SEED]
//
// writes DIR/fw_N (tables only), DIR/fw_N_functions (functions beside the tables in 5 % of the rules), DIR/facts_N.jsonl
// and the winners that evaluating every rule in turn gives, DIR/expected_N.jsonl and DIR/expected_N_functions.jsonl.

import { mkdirSync, writeFileSync } from 'node:fs';

const [, , dir, count, seed = '7'] = process.argv;
const n = Number(count);
if (!dir || !n) {
	console.error('usage: node store.mjs DIR N [SEED]');
	process.exit(2);
}

// Mulberry32: small, and good enough to draw a store.
let state = Number(seed) >>> 0;
function random() {
	state = (state + 0x6d2b79f5) >>> 0;
	let t = Math.imul(state ^ (state >>> 15), state | 1);
	t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
	return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const int = (k) => Math.floor(random() * k);
const often = (share) => random() < share;
const pick = (list) => list[int(list.length)];
const some = (k, draw) => [...new Set(Array.from({ length: k }, draw))];
// Of k things the first are drawn most.
const skewed = (k) => Math.min(k - 1, Math.floor(k ** random()) - 1 + int(3));
const named = (letter, k) => `${letter}${String(k).padStart(5, '0')}`;

const countries = 'US DE GB FR CA NL SE NO DK FI AT CH BE ES IT PL CZ PT IE JP AU BR MX IN'.split(' ');
const categories = 'boots jackets knits tents packs bikes climbing running skis kids socks lamps stoves maps bottles caps'.split(' ');
const sources = ['direct', 'organic_search', 'paid_search', 'organic_social', 'paid_social', 'email', 'affiliate', 'referral'];
const devices = ['desktop', 'mobile', 'tablet'];
const at = '2026-11-23T12:00';
const size = { campaigns: Math.max(40, n >> 1), brands: Math.max(30, n >> 3), shops: Math.max(20, n >> 4), products: Math.max(50, n >> 2) };
const campaign = () => named('c-', skewed(size.campaigns));
const brand = () => named('b-', skewed(size.brands));
const shop = () => named('s-', int(size.shops));

// --- conditions: each has lua, holds (true, false or undefined: unknown), the facts it names, and whether it reads behaviour

const not = (t) => (t === undefined ? undefined : !t);
const and = (a, b) => (a === false || b === false ? false : a === undefined || b === undefined ? undefined : true);
const or = (a, b) => not(and(not(a), not(b)));
const quoted = JSON.stringify;
const behaviour = new Set(['visits', 'orders', 'days_since_order', 'viewed']);

// A matcher on a fact; `path` is its way down a visitor, `key` how it stands in a table.
function fact(path, lua, test) {
	const [first, second] = path.split('.');
	const value = second ? (v) => v[first]?.[second] : (v) => v[first];
	return {
		facts: [path], behaviour: behaviour.has(first), table: [first, second, lua],
		holds: (v) => { const x = value(v); return x === undefined || x === null ? undefined : test(x); },
	};
}
const is = (path, x) => fact(path, quoted(x), (y) => (Array.isArray(y) ? y.includes(x) : y === x));
const isNot = (path, x) => fact(path, `is_not ${quoted(x)}`, (y) => (Array.isArray(y) ? !y.includes(x) : y !== x));
const oneOf = (path, xs) => (xs.length === 1 ? is(path, xs[0]) : fact(path, `{ ${xs.map(quoted).join(', ')} }`, (y) => xs.includes(y)));
const noneOf = (path, xs) => fact(path, `is_not { ${xs.map(quoted).join(', ')} }`, (y) => !xs.includes(y));
const atLeast = (path, x) => fact(path, `at_least(${x})`, (y) => y >= x);
const lessThan = (path, x) => fact(path, `less_than(${x})`, (y) => y < x);
const between = (path, a, b) => fact(path, `between(${a}, ${b})`, (y) => y >= a && y <= b);
const viewed = (category, times) => ({
	facts: ['viewed'], behaviour: true, table: ['viewed', undefined, `{ category = "${category}", at_least = ${times}, within = "7d" }`],
	holds: (v) => { const found = (v.viewed ?? []).find((a) => a.category === category); return found && found.total >= times; },
});
const inSegment = (s) => ({ facts: ['segment'], behaviour: s.when.behaviour, table: ['segment', undefined, quoted(s.id)], holds: s.when.holds });
const called = (expression, test) => ({ facts: [], behaviour: false, lua: `function(v) return ${expression} end`, holds: test });

// Parts that can share a table do; a fact that comes twice, or a part without a name, begins the next or stands alone.
function written(parts) {
	const entries = new Map(), rest = [];
	for (const { table, lua } of parts) {
		if (!table) { rest.push(lua); continue; }
		const [first, second, matcher] = table;
		const family = entries.get(first);
		if (second && (!family || (family instanceof Map && !family.has(second)))) entries.set(first, (family ?? new Map()).set(second, matcher));
		else if (!second && !family) entries.set(first, matcher);
		else rest.push(second ? `{ ${first} = { ${second} = ${matcher} } }` : `{ ${first} = ${matcher} }`);
	}
	const fields = [...entries].map(([key, m]) => `${key} = ${m instanceof Map ? `{ ${[...m].map(([k, x]) => `${k} = ${x}`).join(', ')} }` : m}`);
	const bare = rest.filter((part) => part.startsWith('{'));
	const table = `{ ${[...fields, ...rest.filter((part) => !part.startsWith('{'))].join(', ')} }`;
	return bare.length ? { lua: `all { ${[table, ...bare].join(', ')} }`, one: false } : { lua: table, one: true };
}
const joined = (parts) => ({ facts: parts.flatMap((p) => p.facts), behaviour: parts.some((p) => p.behaviour) });
// A conjunction is false at the first part that is; only true and unknown make one look on.
function every(parts, v) {
	let t = true;
	for (const p of parts) if ((t = and(t, p.holds(v))) === false) break;
	return t;
}
const all = (parts) => ({ ...joined(parts), ...written(parts), holds: (v) => every(parts, v) });
const alternatives = (word, parts) => `${word} { ${parts.map((p) => (p.lua ? p.lua : `{ ${p.table[0]} = ${p.table[1] ? `{ ${p.table[1]} = ${p.table[2]} }` : p.table[2]} }`)).join(', ')} }`;
const any = (parts) => ({ ...joined(parts), lua: alternatives('any', parts), holds: (v) => parts.reduce((t, p) => or(t, p.holds(v)), false) });
const none = (parts) => ({ ...joined(parts), lua: alternatives('none', parts), holds: (v) => not(parts.reduce((t, p) => or(t, p.holds(v)), false)) });

// --- what is drawn

const broad = () => pick([
	() => oneOf('country', some(1 + int(5), () => countries[skewed(countries.length)])), () => noneOf('country', some(2, () => pick(countries))),
	() => is('device', pick(devices)), () => isNot('device', 'tablet'), () => oneOf('source', some(1 + int(2), () => pick(sources))),
	() => between('hour', int(12), 12 + int(12)), () => atLeast('visits', pick([2, 3, 5, 10])), () => lessThan('visits', pick([2, 3])),
	() => atLeast('cart.total', 25 * (1 + int(12))), () => lessThan('cart.total', 50), () => atLeast('orders', pick([1, 2, 5])),
	() => between('days_since_order', 10 * int(4), 40 + 10 * int(20)), () => viewed(pick(categories), 1 + int(4)),
	() => is('traits.plan', pick(['basic', 'plus', 'pro'])), () => is('page_type', pick(['home', 'category', 'product', 'cart'])),
])();
const rare = () => pick([
	() => oneOf('campaign', some(1 + int(2), campaign)), () => oneOf('campaign', some(1 + int(2), campaign)), () => is('traits.brand', brand()),
	() => is('traits.shop', shop()), () => is('traits.wished', named('p-', int(size.products))),
])();
const segments = [];
for (let i = 0; i < 40; i++) {
	const parts = [any(Array.from({ length: 2 + int(2) }, () => all(Array.from({ length: 1 + int(2) }, broad)))), ...Array.from({ length: int(2) }, broad)];
	if (i > 10 && often(0.3)) parts.push(inSegment(segments[int(10)]));
	segments.push({ id: `segment-${i}`, when: all(parts) });
}
const slots = Array.from({ length: 20 }, (_, i) => ({ id: `place.${i}`, room: i % 7 === 3 ? 3 : 1 }));
const guards = [
	{ id: 'consent-for-behaviour', lua: 'applies = { uses = "behaviour" }, require = { consent = "personalization" }', applies: (r) => r.when.behaviour,
		passes: (v) => v.consent.includes('personalization') },
	{ id: 'adults', lua: 'applies = { tag = "age-restricted" }, require = { traits = { age = at_least(18) } }', applies: (r) => r.tag === 'age-restricted',
		passes: (v) => v.traits.age >= 18 },
	{ id: 'not-there', lua: 'applies = { tag = "regional" }, forbid = { country = { "NO", "CH", "BR" } }', applies: (r) => r.tag === 'regional',
		passes: (v) => !['NO', 'CH', 'BR'].includes(v.country) },
];
function condition() {
	const parts = Array.from({ length: 1 + int(3) }, broad);
	if (often(0.6)) parts.push(rare());
	if (often(0.2)) parts.push(inSegment(pick(segments)));
	if (often(0.1)) parts.push(any([all([broad(), broad()]), broad(), rare()]));
	if (often(0.08)) parts.push(none([broad(), rare()]));
	return parts;
}
const rules = [];
for (let i = 0; i < n; i++) {
	const parts = condition(), x = random();
	const asked = pick([['v.hour >= 9', (v) => v.hour >= 9], ['v.cart.total < 200', (v) => v.cart.total < 200], ['v.country ~= "US"', (v) => v.country !== 'US']]);
	rules.push({
		id: `rule-${i}`, slot: int(slots.length), priority: int(60) + 8 * Math.min(5, parts.length), when: all(parts),
		functional: often(0.05) ? all([...parts, called(...asked)]) : undefined,
		group: often(0.1) ? `group-${int(30)}` : undefined, rollout: often(0.1) ? 5 * (1 + int(19)) : 100,
		starts: x < 0.15 ? `2026-${pick(['09', '10', '12'])}-01` : undefined, ends: x > 0.05 && x < 0.3 ? `2026-${pick(x < 0.15 ? ['12'] : ['10', '11', '12'])}-28` : undefined,
		tag: often(0.08) ? 'age-restricted' : often(0.09) ? 'regional' : undefined,
	});
}
const visitors = Array.from({ length: 1000 }, () => ({
	country: countries[skewed(countries.length)], device: pick(devices), source: pick(sources), hour: int(24), page_type: pick(['home', 'category', 'product', 'cart']),
	visits: 1 + Math.floor(-Math.log(1 - random()) * 5), orders: int(4), ...(often(0.5) ? { days_since_order: int(300) } : {}),
	...(often(0.4) ? { campaign: campaign() } : {}), cart: { total: often(0.6) ? 0 : int(400) },
	viewed: some(3, () => pick(categories)).map((category) => ({ category, within: '7d', total: int(6) })),
	traits: { ...(often(0.4) ? { plan: pick(['basic', 'plus', 'pro']) } : {}), ...(often(0.5) ? { brand: brand() } : {}), ...(often(0.3) ? { shop: shop() } : {}),
		...(often(0.3) ? { wished: named('p-', int(size.products)) } : {}), ...(often(0.6) ? { age: 14 + int(60) } : {}) },
	consent: often(0.6) ? ['personalization', 'analytics'] : [], rollout: int(100), at,
}));

// --- who wins, rule by rule

// 'starts' and 'ends' are whole days, and `at` is in the middle of one.
const inDate = (r) => (!r.starts || r.starts <= at) && (!r.ends || r.ends >= at.slice(0, 10));
const specificity = (r) => new Set(r.when.facts).size;
const bytewise = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

function expected(functions) {
	const order = rules.map((r) => ({ ...r, specificity: specificity(r) })).filter(inDate)
		.sort((a, b) => b.priority - a.priority || b.specificity - a.specificity || bytewise(a.id, b.id));
	return visitors.map((v) => {
		const winners = slots.map(() => []), taken = new Set();
		let left = slots.length;
		const passes = new Map(guards.map((g) => [g, g.passes(v)]));
		for (const r of order) {
			const won = winners[r.slot];
			if (won.length === slots[r.slot].room || (r.group && taken.has(r.group))) continue;
			if (v.rollout >= r.rollout || ((functions && r.functional) || r.when).holds(v) !== true) continue;
			if (guards.some((g) => g.applies(r) && !passes.get(g))) continue;
			won.push(r.id);
			if (r.group) taken.add(r.group);
			if (won.length === slots[r.slot].room && --left === 0) break;
		}
		return Object.fromEntries(winners.map((ids, i) => [slots[i].id, ids]));
	});
}

function ruleText(r, functions) {
	const fields = [`slot = "${slots[r.slot].id}"`, `priority = ${r.priority}`, `when = ${((functions && r.functional) || r.when).lua}`];
	if (r.group) fields.push(`only_one_of = "${r.group}"`);
	if (r.rollout < 100) fields.push(`rollout = ${r.rollout}`);
	if (r.starts) fields.push(`starts = "${r.starts}"`);
	if (r.ends) fields.push(`ends = "${r.ends}"`);
	if (r.tag) fields.push(`tags = { "${r.tag}" }`);
	return `rule "${r.id}" { ${fields.join(', ')}, show = { banner = "${r.id}", headline = "What ${r.id} says" } }`;
}

const lines = (list) => list.map((x) => `${x}\n`).join('');
for (const functions of [false, true]) {
	const suffix = functions ? '_functions' : '';
	mkdirSync(`${dir}/fw_${n}${suffix}`, { recursive: true });
	writeFileSync(`${dir}/fw_${n}${suffix}/places.lua`, lines([
		...slots.map((s) => `slot "${s.id}" { channel = "web", default = { banner = "everybody" }${s.room > 1 ? `, show_up_to = ${s.room}` : ''} }`),
		...segments.map((s) => `segment "${s.id}" { when = ${s.when.lua} }`),
		...guards.map((g) => `guard "${g.id}" { ${g.lua}, because = "it must be so" }`),
	]));
	writeFileSync(`${dir}/fw_${n}${suffix}/rules.lua`, lines(rules.map((r) => ruleText(r, functions))));
	writeFileSync(`${dir}/expected_${n}${suffix}.jsonl`, lines(expected(functions).map((w) => JSON.stringify(w))));
}
writeFileSync(`${dir}/facts_${n}.jsonl`, lines(visitors.map((v) => JSON.stringify(v))));
