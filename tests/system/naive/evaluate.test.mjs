// The naive evaluator itself, on cases written by hand from the page of the rule language; and its generator.

import assert from 'node:assert/strict';
import test from 'node:test';
import { features, randomSet, randomVisitors } from './generate.mjs';
import { candidates, decide, Evaluation, matches, specificity } from './evaluate.mjs';
import { toFiles, toLua } from './lua.mjs';
import { Random } from './random.mjs';
import { shrink, wellFormed } from './shrink.mjs';

// ---- writing conditions ----

const is = (value) => (Array.isArray(value) ? { is: 'one_of', values: value } : typeof value === 'object' ? value : { is: 'equals', value });
const fact = (name, matcher) => ({ kind: 'fact', fact: name, matcher: is(matcher) });
const parts = (name, of) => ({ kind: 'parts', fact: name, parts: Object.entries(of).map(([part, matcher]) => [part, is(matcher)]) });
const group = (kind) => (...items) => ({ kind, items });
const [table, any, all, none] = ['table', 'any', 'all', 'none'].map(group);
const call = (...body) => ({ kind: 'function', body });
const answer = (value) => ({ do: 'return', value });
const literal = (value) => ({ is: 'value', value });
const read = (path) => ({ is: 'fact', path });
const op = (a, operator, b) => ({ is: operator, a, b });
const atLeast = (value) => ({ is: 'at_least', value });
const between = (low, high) => ({ is: 'between', low, high });
const isNot = (of) => ({ is: 'not', of: is(of) });
const allOf = (...values) => ({ is: 'all_of', values });
const known = { is: 'known' }, unknown = { is: 'unknown' };

const ask = (condition, visitor, segments = []) => new Evaluation({ segments }, visitor).condition(condition);

// Each: condition, visitor, answer (null: unknown).
function hold(cases, segments) {
	for (const [condition, visitor, expected] of cases) {
		assert.equal(ask(condition, visitor, segments), expected, `${JSON.stringify(condition)} for ${JSON.stringify(visitor)}`);
	}
}

const content = { banner: 'x' };
function rules(...list) {
	return {
		slots: [{ id: 'hero' }, { id: 'strip', showUpTo: 3, default: { offer: 'none' } }], segments: [], guards: [],
		rules: list.map((rule) => ({ slot: 'hero', show: { content }, ...rule })),
	};
}
const won = (set, visitor, slots) => Object.fromEntries(Object.entries(decide(set, visitor, slots)).map(([slot, { winners }]) => [slot, winners.map(({ rule }) => rule)]));
const hero = (set, visitor) => won(set, visitor).hero;

// ---- the page's own rules ----

const page = {
	slots: [{ id: 'home.hero', channel: 'web', default: { banner: 'spring-sale' } }, { id: 'home.strip', channel: 'web', showUpTo: 3 }],
	segments: [{ id: 'boot-curious', when: table({ kind: 'query', fact: 'viewed', args: { category: 'boots', at_least: 3, within: '7d' } }) }],
	rules: [
		{ id: 'cold-region-outerwear', slot: 'home.hero', priority: 40, when: table(fact('country', ['CA', 'NO', 'FI']), fact('device', 'mobile')),
			show: { content: { banner: 'outerwear', headline: 'Ready for the first snow?' } } },
		{ id: 'boots-again', slot: 'home.hero', priority: 60, onlyOneOf: 'winter-push', when: table(fact('segment', 'boot-curious'), fact('source', isNot('email'))),
			show: { body: [answer({ is: 'table', fields: [['banner', literal('boots')], ['name', read('traits.first_name')]] })] } },
		{ id: 'big-basket', slot: 'home.strip', when: any(table(parts('cart', { total: atLeast(150) })),
			table(fact('orders', atLeast(3)), fact('days_since_order', between(20, 60)))),
		starts: '2026-11-20', ends: '2026-12-27', rollout: 25, show: { content: { offer: 'free-shipping' } } },
		{ id: 'evening-bundle', slot: 'home.strip', when: call(answer(op(op(op(read('cart.items'), '>', literal(2)), 'and', op(read('hour'), '>=', literal(18))),
			'and', op({ is: 'query', fact: 'viewed', args: { brand: 'Acme' } }, '>', literal(0))))), show: { content: { offer: 'evening-bundle' } } },
	],
	guards: [{ id: 'behaviour-needs-consent', applies: { uses: 'behaviour' }, require: table(fact('consent', 'personalization')), because: 'law' }],
};

test('the page that shows it all: a Canadian phone sees outerwear', () => {
	const decisions = decide(page, { country: 'CA', device: 'mobile' });
	const shown = { banner: 'outerwear', headline: 'Ready for the first snow?' };
	assert.deepEqual(decisions, {
		'home.hero': { reason: 'rule', content: shown, winners: [{ rule: 'cold-region-outerwear', content: shown }] },
		'home.strip': { reason: 'none', content: null, winners: [] },
	});
	assert.deepEqual(decide(page, { country: 'CA' })['home.hero'], { reason: 'default', content: { banner: 'spring-sale' }, winners: [] });
	assert.deepEqual(won(page, { country: 'se', device: 'mobile' }), { 'home.hero': [], 'home.strip': [] });
	assert.deepEqual(won(page, { country: 'fi', device: 'Mobile' })['home.hero'], ['cold-region-outerwear']);
});

test('the page that shows it all: a basket, by total or by history, with consent, in date and in rollout', () => {
	const strip = (visitor) => won(page, visitor)['home.strip'];
	const consent = ['personalization'];
	assert.deepEqual(strip({ cart: { total: 150 }, consent }), ['big-basket']);
	assert.deepEqual(strip({ cart: { total: 149.99 }, consent }), []);
	assert.deepEqual(strip({ orders: 3, days_since_order: 60, consent }), ['big-basket']);
	assert.deepEqual(strip({ cart: { total: 150 } }), [], 'it names behaviour, whatever matched');
	assert.deepEqual(strip({ cart: { total: 150 }, consent: ['email'] }), []);
	assert.deepEqual(strip({ cart: { total: 150 }, consent, rollout: 24.9 }), ['big-basket']);
	assert.deepEqual(strip({ cart: { total: 150 }, consent, rollout: 25 }), []);
	assert.deepEqual(strip({ cart: { total: 150 }, consent, at: '2026-11-19T23:59' }), []);
	assert.deepEqual(strip({ cart: { total: 150 }, consent, at: '2026-11-20T00:00' }), ['big-basket']);
	assert.deepEqual(strip({ cart: { total: 150 }, consent, at: '2026-12-27T23:59' }), ['big-basket'], 'ends included');
	assert.deepEqual(strip({ cart: { total: 150 }, consent, at: '2026-12-28T00:00' }), []);
});

test('a segment of history is unknown for who has none, and so is what negates it', () => {
	const when = table(fact('segment', isNot('boot-curious')));
	hold([[when, {}, null], [none(fact('segment', 'boot-curious')), {}, null]], page.segments);
});

// ---- conditions ----

test('any, all and none take each named fact as a condition of its own', () => {
	const [ca, phone] = [fact('country', 'CA'), fact('device', 'mobile')];
	const [both, one, neither] = [{ country: 'CA', device: 'mobile' }, { country: 'CA', device: 'tv' }, { country: 'US', device: 'tv' }];
	hold([
		[any(ca, phone), both, true], [any(ca, phone), one, true], [any(ca, phone), neither, false],
		[none(ca, phone), both, false], [none(ca, phone), one, false], [none(ca, phone), neither, true],
		[all(ca, phone), both, true], [all(ca, phone), one, false],
		[none(none(ca)), both, true], [none(none(none(ca))), both, false],
		[none(table(ca, phone)), one, true], [table(ca, none(phone)), one, true],
	]);
});

test('conditions have three values', () => {
	const [ca, phone] = [fact('country', 'CA'), fact('device', 'mobile')];
	hold([
		[ca, {}, null], [fact('country', isNot('CA')), {}, null], [none(ca), {}, null], [none(none(ca)), {}, null],
		[table(ca, phone), { device: 'mobile' }, null], [table(ca, phone), { device: 'tv' }, false],
		[any(ca, phone), { device: 'mobile' }, true], [any(ca, phone), { device: 'tv' }, null],
		[none(ca, phone), { device: 'mobile' }, false], [none(ca, phone), { device: 'tv' }, null],
		[ca, { country: null }, null], [ca, { country: '' }, null],
		[fact('country', unknown), {}, true], [fact('country', unknown), { country: '' }, true], [fact('country', known), {}, false],
		[fact('country', known), { country: 'XX' }, true], [parts('traits', { plan: unknown }), { traits: {} }, true],
	]);
});

test('text is folded in ASCII, and only there', () => {
	hold([
		[fact('city', 'montréal'), { city: 'MONTRéAL' }, true], [fact('city', 'montréal'), { city: 'MONTRÉAL' }, false],
		[fact('page', { is: 'starts_with', value: '/Boots' }), { page: '/boots/red' }, true],
		[fact('page', { is: 'ends_with', value: 'RED' }), { page: '/boots/red' }, true],
		[fact('page', { is: 'contains', value: '.*' }), { page: '/boots/red' }, false],
		[fact('page', isNot({ is: 'contains', value: 'boots' })), { page: '/sale' }, true],
	]);
});

test('ranges: between includes both ends, and wraps for hour and weekday', () => {
	hold([
		[fact('visits', between(1, 3)), { visits: 1 }, true], [fact('visits', between(1, 3)), { visits: 3 }, true], [fact('visits', between(1, 3)), { visits: 4 }, false],
		[fact('visits', { is: 'more_than', value: 3 }), { visits: 3 }, false], [fact('visits', { is: 'less_than', value: 3 }), { visits: 3 }, false],
		[fact('visits', { is: 'at_most', value: 3 }), { visits: 3 }, true], [fact('visits', atLeast(0)), { visits: 0 }, true],
		[fact('hour', between(22, 6)), { hour: 23 }, true], [fact('hour', between(22, 6)), { hour: 6 }, true], [fact('hour', between(22, 6)), { hour: 7 }, false],
		[fact('hour', between(8, 20)), { hour: 20 }, true], [fact('hour', between(8, 20)), { hour: 21 }, false], [fact('hour', between(0, 6)), { hour: 0 }, true],
		[fact('weekday', between('fri', 'mon')), { weekday: 'sun' }, true], [fact('weekday', between('fri', 'mon')), { weekday: 'tue' }, false],
		[fact('weekday', between('tue', 'thu')), { weekday: 'wed' }, true], [fact('weekday', isNot(between('tue', 'thu'))), { weekday: 'wed' }, false],
		[fact('date', atLeast('2026-11-20')), { date: '2026-11-20' }, true], [fact('date', between('2026-01-01', '2026-11-19')), { date: '2026-11-20' }, false],
	]);
});

test('sets: one of, each of, none of; an empty set is known', () => {
	hold([
		[fact('consent', 'Email'), { consent: ['email'] }, true], [fact('consent', ['email', 'sms']), { consent: ['sms'] }, true],
		[fact('consent', allOf('email', 'sms')), { consent: ['sms'] }, false], [fact('consent', allOf('email', 'sms')), { consent: ['sms', 'email'] }, true],
		[fact('consent', isNot(['email', 'sms'])), { consent: ['sms'] }, false], [fact('consent', isNot(['email', 'sms'])), { consent: [] }, true],
		[fact('consent', known), { consent: [] }, true], [fact('consent', 'email'), {}, null],
		[parts('traits', { likes: ['hats'] }), { traits: { likes: ['Hats', 'boots'] } }, true],
		[parts('traits', { likes: isNot('hats') }), { traits: { likes: ['boots'] } }, true],
	]);
});

test('a language means itself and all below it', () => {
	hold([
		[fact('language', 'en'), { language: 'en-CA' }, true], [fact('language', 'en'), { language: 'EN' }, true], [fact('language', 'fi'), { language: 'fil' }, false],
		[fact('language', 'en-CA'), { language: 'en' }, false], [fact('language', isNot('en')), { language: 'en-GB' }, false],
	]);
});

test("a trait is read as its matcher's type, or is unknown", () => {
	const adult = parts('traits', { age: atLeast(18) });
	hold([
		[adult, { traits: { age: '21' } }, true], [adult, { traits: { age: '2.1e1' } }, true], [adult, { traits: { age: 17 } }, false],
		[adult, { traits: { age: '021' } }, null], [adult, { traits: { age: ' 21' } }, null], [adult, { traits: { age: true } }, null], [adult, { traits: { age: [21] } }, null],
		[parts('traits', { age: isNot(3) }), { traits: { age: 'old' } }, null],
		[parts('traits', { plan: '3' }), { traits: { plan: 3 } }, true], [parts('traits', { plan: '2.5' }), { traits: { plan: 2.5 } }, true],
		[parts('traits', { plan: 3 }), { traits: { plan: '3.0' } }, true], [parts('traits', { plan: 'pro' }), { traits: { plan: false } }, null],
		[parts('traits', { vip: true }), { traits: { vip: 'true' } }, null], [parts('traits', { vip: isNot(true) }), { traits: { vip: false } }, true],
		[parts('traits', { plan: { is: 'starts_with', value: '2' } }), { traits: { plan: 21 } }, true],
	]);
});

test('parts of a fact are a conjunction, also in any', () => {
	const both = parts('cart', { items: atLeast(1), total: atLeast(50) });
	hold([[any(both), { cart: { items: 1, total: 10 } }, false], [none(both), { cart: { items: 1, total: 10 } }, true], [both, { cart: { items: 1 } }, null]]);
});

test('segments use segments, unknown included', () => {
	const segments = [
		{ id: 'north', when: table(fact('country', ['NO', 'FI'])) },
		{ id: 'north-phone', when: table(fact('segment', 'north'), fact('device', 'mobile')) },
	];
	hold([
		[table(fact('segment', 'north-phone')), { country: 'NO', device: 'mobile' }, true],
		[table(fact('segment', ['north', 'north-phone'])), { country: 'NO' }, true],
		[table(fact('segment', allOf('north', 'north-phone'))), { country: 'NO' }, null],
		[table(fact('segment', isNot('north-phone'))), { country: 'SE' }, true],
		[table(fact('segment', isNot('north'))), {}, null],
	], segments);
});

test('time comes from the clock in the zone of the visitor, in all zones of a country', () => {
	const evening = fact('hour', atLeast(18));
	const at = '2026-11-23T22:40Z';
	hold([
		[evening, {}, null], [evening, { hour: 18 }, true], [evening, { at }, null], [evening, { at, hour: 3, timezone: 'UTC' }, false],
		[evening, { at, timezone: 'UTC' }, true], [evening, { at, timezone: 'America/Toronto' }, false], [evening, { at, traits: { timezone: 'Asia/Tokyo' } }, false],
		[fact('date', '2026-11-24'), { at, timezone: 'Asia/Tokyo' }, true], [fact('weekday', 'tue'), { at, timezone: 'Asia/Tokyo' }, true],
		[evening, { at, country: 'NO' }, true], [evening, { at, country: 'CA' }, null], [fact('hour', atLeast(14)), { at, country: 'CA' }, true],
		[fact('hour', between(0, 5)), { at, country: 'CA' }, false], [fact('hour', known), { at, country: 'CA' }, true],
		[evening, { at: '2026-11-23T22:40+05:00', timezone: 'UTC' }, false],
	]);
});

test('what follows from a country follows from one given, unless it is given itself', () => {
	hold([
		[fact('in_eu', true), { country: 'fi' }, true], [fact('in_eu', true), { country: 'NO' }, false], [fact('in_eu', true), {}, null],
		[fact('in_eu', true), { country: 'NO', in_eu: true }, true], [fact('continent', 'NA'), { country: 'CA' }, true], [fact('continent', known), {}, false],
	]);
});

// ---- functions ----

test('a function answers true or false; nothing is false, anything else a failure', () => {
	hold([
		[call(answer(op(read('visits'), '>', literal(2)))), { visits: 3 }, true], [call(answer(op(read('visits'), '>', literal(2)))), { visits: 2 }, false],
		[call(), {}, false], [call({ do: 'return' }), {}, false], [call(answer(literal(1))), {}, null], [call(answer(literal('yes'))), {}, null],
		[call({ do: 'error' }), {}, null], [call({ do: 'spin' }), {}, null], [none(call({ do: 'error' })), {}, null],
		[any(call({ do: 'error' }), fact('visits', 3)), { visits: 3 }, true],
		[call(answer(op(read('city'), '==', literal('oslo')))), { city: 'Oslo' }, false],
		[call(answer(op(read('traits.age'), '>', literal(18)))), { traits: { age: '21' } }, null],
	]);
});

test('a function that read a fact without a value answers unknown, whatever it returned', () => {
	const visits = read('visits');
	hold([
		[call(answer(op(op(visits, '==', literal(3)), 'or', literal(true)))), {}, null],
		[call(answer({ is: 'not', a: visits })), {}, null], [call(answer(op(visits, '>', literal(3)))), {}, null],
		[call(answer(op(literal(true), 'or', visits))), {}, true], [call(answer(op(literal(false), 'and', visits))), {}, false],
		[call(answer({ is: 'known', path: 'visits' })), {}, false], [call(answer({ is: 'known', path: 'visits' })), { visits: 0 }, true],
		[call(answer(op({ is: 'get', path: 'visits', fallback: 0 }, '<', literal(1)))), {}, true],
		[call(answer({ is: 'holds', path: 'consent', name: 'email' })), {}, null],
		[call(answer({ is: 'holds', path: 'consent', name: 'email' })), { consent: ['sms'] }, false],
		[call(answer({ is: 'not', a: { is: 'segment', name: 's' } })), {}, null],
		[call(answer({ is: 'not', a: { is: 'segment', name: 's' } })), { country: 'NO' }, true],
	], [{ id: 's', when: table(fact('country', 'CA')) }]);
});

// ---- who wins ----

test('specificity counts the distinct facts that tables name', () => {
	for (const [condition, expected] of [
		[undefined, 0], [call(answer(read('country'))), 0], [table(fact('country', 'CA'), none(fact('country', isNot('CA')))), 1],
		[table(parts('cart', { total: atLeast(1), items: atLeast(1) }), parts('traits', { plan: 'pro' })), 3],
		[any(table({ kind: 'query', fact: 'viewed', args: { category: 'boots', at_least: 1 } }), fact('segment', ['a', 'b'])), 2],
	]) assert.equal(specificity(condition), expected);
});

test('higher priority first, then the more specific, then the id in byte order', () => {
	const ca = fact('country', 'CA'), phone = fact('device', 'mobile');
	const set = rules({ id: 'r-9', when: table(ca) }, { id: 'r-10', when: table(ca) }, { id: 'z', when: table(ca, phone) },
		{ id: 'low', priority: -1, when: table(ca, phone, fact('os', 'iOS')) }, { id: 'high', priority: 1 });
	const order = candidates(set, new Evaluation(set, { country: 'CA', device: 'mobile', os: 'iOS' }), ['hero']);
	assert.deepEqual(order.map(({ id }) => id), ['high', 'z', 'r-10', 'r-9', 'low']);
	assert.deepEqual(hero(set, { country: 'CA' }), ['high']);
});

test('disabled rules and those that are unknown are no candidates', () => {
	assert.deepEqual(hero(rules({ id: 'a', enabled: false }, { id: 'b', when: table(fact('country', 'CA')) }), {}), []);
});

test('a slot shows up to its number, in the order taken, with the first one as its content', () => {
	const set = rules(...['a', 'b', 'c', 'd'].map((id) => ({ id, slot: 'strip', priority: id === 'd' ? 1 : 0, show: { content: { offer: id } } })));
	const { strip } = decide(set, {});
	assert.deepEqual(strip.winners.map(({ rule }) => rule), ['d', 'a', 'b']);
	assert.deepEqual(strip.content, { offer: 'd' });
});

test('only_one_of holds over all slots asked together', () => {
	const set = rules({ id: 'a', slot: 'strip', onlyOneOf: 'g', priority: 2 }, { id: 'b', onlyOneOf: 'g', priority: 1 }, { id: 'c' });
	assert.deepEqual(won(set, {}), { hero: ['c'], strip: ['a'] });
	assert.deepEqual(won(set, {}, ['hero']), { hero: ['b'] });
});

test('a refused candidate takes nothing and the next is tried', () => {
	const set = rules({ id: 'a', onlyOneOf: 'g', priority: 3, show: { body: [{ do: 'error' }] } }, { id: 'b', onlyOneOf: 'g', priority: 2, tags: ['t'] }, { id: 'c', onlyOneOf: 'g' });
	set.guards.push({ id: 'no', applies: { tag: 't' }, forbid: table(fact('country', 'CA')), because: 'x' });
	assert.deepEqual(hero(set, { country: 'CA' }), ['c']);
	assert.deepEqual(hero(set, {}), ['c'], 'what is unknown can never loosen a guard');
	assert.deepEqual(hero(set, { country: 'US' }), ['b']);
});

test('a guard wants require true and forbid false, and applies where all its keys fit', () => {
	const guarded = (guard, visitor) => hero({ ...rules({ id: 'a', tags: ['x', 'y'], when: table(fact('visits', known)) }), guards: [{ id: 'g', because: 'x', ...guard }] }, { visits: 1, ...visitor });
	const never = { require: table(fact('country', 'CA')) };
	assert.deepEqual(guarded(never, { country: 'CA' }), ['a']);
	assert.deepEqual(guarded(never, {}), []);
	for (const fits of [undefined, { slot: 'hero' }, { slot: ['strip', 'hero'] }, { rule: 'a' }, { tag: 'y' }, { channel: 'web' }, { uses: 'behaviour' }, { tag: 'x', uses: ['time', 'behaviour'] }]) {
		assert.deepEqual(guarded({ ...never, applies: fits }, {}), [], JSON.stringify(fits));
	}
	for (const misses of [{ slot: 'strip' }, { rule: 'b' }, { tag: 'z' }, { channel: 'email' }, { uses: 'profile' }, { tag: 'x', uses: 'time' }]) {
		assert.deepEqual(guarded({ ...never, applies: misses }, {}), ['a'], JSON.stringify(misses));
	}
	assert.deepEqual(guarded({ require: call({ do: 'error' }) }, {}), []);
	assert.deepEqual(guarded({ require: table(fact('country', 'CA')), forbid: table(fact('device', 'tv')) }, { country: 'CA', device: 'mobile' }), ['a']);
	assert.deepEqual(guarded({ require: table(fact('country', 'CA')), forbid: table(fact('device', 'tv')) }, { country: 'CA' }), []);
});

test('a cap counts what the decision shows under it, over all slots, strongest first', () => {
	const set = rules({ id: 'a', slot: 'strip', priority: 3, tags: ['t'] }, { id: 'b', priority: 2, tags: ['t'] }, { id: 'c', slot: 'strip', priority: 1, tags: ['t'] },
		{ id: 'd', slot: 'strip' }, { id: 'e' });
	const capped = (limit, applies = { tag: 't' }) => won({ ...set, caps: [{ id: 'x', applies, limit, per: '1d' }] }, {});
	assert.deepEqual(capped(1), { hero: ['e'], strip: ['a', 'd'] });
	assert.deepEqual(capped(2), { hero: ['b'], strip: ['a', 'd'] });
	assert.deepEqual(capped(3), { hero: ['b'], strip: ['a', 'c', 'd'] });
	assert.deepEqual(capped(1, {}), { hero: [], strip: ['a'] });
	assert.deepEqual(capped(1, { tag: 't', slot: 'hero' }), { hero: ['b'], strip: ['a', 'c', 'd'] });
	assert.deepEqual(capped(1, { uses: 'behaviour' }), { hero: ['b'], strip: ['a', 'c', 'd'] });
	assert.deepEqual(won({ ...set, caps: [{ id: 'x', limit: 5, per: '1d' }, { id: 'y', applies: { rule: ['b', 'd'] }, limit: 1, per: '1d' }] }, {}), { hero: ['b'], strip: ['a', 'c'] });
	set.rules[0].show = { body: [{ do: 'error' }] };
	assert.deepEqual(capped(1), { hero: ['b'], strip: ['d'] }, 'what is refused takes nothing');
});

test('uses follows segments, functions and what show reads', () => {
	const guard = { id: 'g', applies: { uses: 'profile' }, require: table(fact('consent', 'personalization')), because: 'x' };
	const guarded = (rule, visitor, segments = []) => hero({ ...rules({ id: 'a', ...rule }), segments, guards: [guard] }, visitor);
	const pro = table(parts('traits', { plan: 'pro' }));
	const visitor = { traits: { plan: 'pro' } };
	assert.deepEqual(guarded({ when: table(fact('segment', 's')) }, visitor, [{ id: 's', when: pro }]), []);
	assert.deepEqual(guarded({ when: call(answer(op(read('traits.plan'), '==', literal('pro')))) }, visitor), []);
	assert.deepEqual(guarded({ when: call(answer(op(literal(true), 'or', read('traits.plan')))) }, visitor), ['a'], 'not read');
	const show = { body: [answer({ is: 'table', fields: [['name', read('traits.name')]] })] };
	assert.deepEqual(guarded({ show }, visitor), [], 'reading what is not there is reading');
	assert.deepEqual(guarded({ show }, { consent: ['personalization'] }), ['a']);
});

test('what show cannot make removes the candidate; a missing value is no field', () => {
	const body = (...statements) => decide(rules({ id: 'a', show: { body: statements } }), { traits: { name: 'Ada' } }).hero;
	const shown = (path) => answer({ is: 'table', fields: [['a', read(path)], ['b', literal(1)]] });
	assert.deepEqual(body(shown('traits.name')).content, { a: 'Ada', b: 1 });
	assert.deepEqual(body(shown('traits.plan')).content, { b: 1 });
	assert.equal(body({ do: 'if', test: op(read('traits.name'), '==', literal('Ada')), then: [{ do: 'error' }] }, shown('traits.name')).reason, 'none');
	assert.equal(body(answer({ is: 'table', fields: [['a', op(literal('Hello '), '..', read('traits.plan'))]] })).reason, 'none');
	assert.equal(body({ do: 'lua', text: 'return { n = 0 / 0 }' }).reason, 'none');
});

// ---- the generator ----

test('the same seed gives the same set, files and visitors', () => {
	const all = () => [7, 8].map((seed) => [randomSet(seed), randomVisitors(seed, randomSet(seed), 5), toFiles(randomSet(seed).set, new Random(seed))]);
	assert.deepEqual(all(), all());
});

test('a fifth to three fifths of the slots have winners, and every part of the language is drawn', () => {
	let slots = 0, winners = 0, several = 0, vetoed = 0, capped = 0, text = '';
	for (let seed = 0; seed < 120; seed++) {
		const drawn = randomSet(seed);
		text += toLua(drawn.set);
		assert.ok(wellFormed({ set: drawn.set, slots: drawn.set.slots.map(({ id }) => id) }));
		for (const visitor of randomVisitors(seed, drawn, 10)) {
			const [decisions, unguarded, uncapped] = [{}, { guards: [] }, { caps: [] }].map((less) => decide({ ...drawn.set, ...less }, visitor));
			for (const [slot, decision] of Object.entries(decisions)) {
				slots++;
				if (decision.winners.length) winners++;
				if (decision.winners.length > 1) several++;
				if (decision.winners.length < unguarded[slot].winners.length) vetoed++;
				if (decision.winners.length < uncapped[slot].winners.length) capped++;
			}
		}
	}
	assert.ok(winners > slots * 0.2 && winners < slots * 0.6, `${winners} of ${slots}`);
	assert.ok(several > 20 && vetoed > 20 && capped > 20, `${several} with several winners, ${vetoed} changed by a guard, ${capped} by a cap`);
	for (const part of ['at_least', 'at_most', 'more_than', 'less_than', 'between', 'is_not', 'starts_with', 'ends_with', 'contains', 'all_of', 'known', 'unknown',
		'any {', 'all {', 'none {', 'function(v)', 'only_one_of', 'rollout', 'enabled', 'starts', 'ends', 'tags', 'show_up_to', 'segment =', 'v.segment', 'v:known', 'v:get',
		'uses =', 'limit =', 'channel =', 'rule =', 'slot =', 'tag =', 'require', 'forbid', 'error(', 'assert(', 'while true', 'cart = {', 'traits = {', 'engagement = {']) {
		assert.ok(text.includes(part), `never drawn: ${part}`);
	}
});

test('a feature turned off is not drawn', () => {
	const without = Object.fromEntries(features.map((name) => [name, true]));
	const text = Array.from({ length: 60 }, (_, seed) => toLua(randomSet(seed, { without }).set)).join('');
	for (const part of ['function', 'while', 'viewed', 'affinity', 'is_not(all_of', 'channel = "email",\n', 'uses =', 'cap "']) assert.ok(!text.includes(part), part);
});

test('shrinking keeps what fails and removes the rest', async () => {
	const drawn = randomSet(11, { ruleCount: 30 });
	const slots = drawn.set.slots.map(({ id }) => id);
	const [visitor] = randomVisitors(11, drawn, 1);
	const wanted = drawn.set.rules[17].id;
	const smallest = await shrink({ set: drawn.set, slots, visitor }, async ({ set }) => set.rules.some(({ id }) => id === wanted), 2000);
	assert.deepEqual(smallest.set.rules.map(({ id }) => id), [wanted]);
	assert.equal(smallest.set.slots.length, 1);
	assert.deepEqual([smallest.set.guards, smallest.set.caps, smallest.visitor, smallest.set.rules[0].when], [[], [], {}, undefined]);
});

test('matches: is_not is known and does not match', () => {
	assert.equal(matches(undefined, isNot('x'), 'text'), null);
	assert.equal(matches(['a'], isNot(allOf('a', 'b')), 'set'), true);
	assert.equal(matches(['a', 'b'], isNot(allOf('a', 'b')), 'set'), false);
});
