// Random rule sets and visitors from a seed: the same seed gives the same set. README.md says what is drawn and what is
// left out; `without` turns off single features by name, to look around a difference that is already known.

import { domains, isTime, randomGiven, randomMatcher, randomQuery, usesOf } from './domains.mjs';
import { matches } from './evaluate.mjs';
import { typeOf } from './facts.mjs';
import { randomBody, randomShow } from './generate_functions.mjs';
import { Random } from './random.mjs';

export const features = ['functions', 'spin', 'is_not_all_of', 'queries', 'zones', 'country_zones', 'other_channels', 'uses', 'closed_case', 'caps'];

const tags = ['promo', 'night', 'b2b'];
const groups = ['winter-push', 'one-banner'];
const range = (count) => Array.from({ length: count }, (_, i) => i);

// What a set draws from. `timeMode`: how its visitors come to know the time (visitor() below).
function palette(random, without) {
	const timeMode = random.weighted([[6, 'given'], [without.zones ? 0 : 2, 'zone'], [without.country_zones ? 0 : 1, 'country']]);
	const paths = random.sample(Object.keys(domains), random.between(5, 11));
	if (timeMode !== 'given') paths.push(...random.sample(['hour', 'weekday', 'date'], 2));
	if (timeMode === 'country' && !paths.includes('country')) paths.push('country');
	if (random.chance(0.5)) paths.push('consent', 'traits.plan');
	const kept = paths.filter((path) => timeMode !== 'country' || !['region', 'city'].includes(path));
	return { timeMode, paths: [...new Set(kept)] };
}

// A rule set of `ruleCount` rules (README.md shows its shape) with its palette.
export function randomSet(seed, { ruleCount, without = {} } = {}) {
	const random = new Random(seed);
	const { timeMode, paths } = palette(random, without);
	const count = ruleCount ?? random.weighted([[3, random.between(1, 6)], [5, random.between(5, 20)], [2, random.between(20, 60)]]);
	// What a function in an alternative reads depends on whether it is called at all, so guards on `uses` and such
	// functions do not stand in one set.
	const usesGuards = !without.uses && random.chance(0.5);
	const context = {
		random, without, paths, usesGuards, segments: [], many: count > 200,
		functionPaths: paths.filter((path) => timeMode !== 'country' || !isTime(path)),
	};
	const slots = randomSlots(random, count, without);
	const segments = randomSegments(context);
	context.segments = segments.map((segment) => segment.id);
	const rules = range(count).map((i) => randomRule(context, slots, i));
	const guardCount = usesGuards ? random.between(1, 3) : random.weighted([[4, 0], [3, 1], [2, 2], [1, 3]]);
	const guards = range(guardCount).map((i) => randomGuard(context, { slots, rules }, i));
	const caps = range(without.caps ? 0 : random.weighted([[4, 0], [3, 1], [2, 2]])).map((i) => randomCap(context, { slots, rules }, i));
	return { set: { slots, segments, rules, guards, caps }, timeMode, paths };
}

function randomSlots(random, ruleCount, without) {
	return range(random.between(1, Math.min(6, 2 + ruleCount))).map((i) => {
		const slot = { id: random.pick(['home.', 'page.', 'strip-']) + i, channel: 'web' };
		if (!without.other_channels && random.chance(0.1)) slot.channel = 'email';
		if (random.chance(0.35)) slot.showUpTo = random.between(1, 4);
		if (random.chance(0.6)) slot.default = { banner: `default-${i}` };
		return slot;
	});
}

function randomSegments(context) {
	const { random } = context;
	const segments = [];
	for (const i of range(random.weighted([[3, 0], [3, 1], [3, 2], [2, 4]]))) {
		const known = segments.map((segment) => segment.id);
		segments.push({ id: `segment-${i}`, when: randomCondition({ ...context, segments: known, noFunctions: context.usesGuards }) });
	}
	return segments;
}

function randomRule(context, slots, i) {
	const { random } = context;
	const rule = { id: `${random.pick(['r-', 'rule-', 'a', 'z.'])}${i}`, slot: random.pick(slots).id };
	if (random.chance(0.5)) rule.priority = random.pick([0, 0, 1, 10, -5]);
	if (random.chance(context.many ? 1 : 0.95)) rule.when = randomCondition(context, true);
	if (random.chance(0.15)) rule.onlyOneOf = random.pick(groups);
	if (random.chance(0.3)) rule.tags = random.sample(tags, random.between(1, 2));
	if (random.chance(0.15)) rule.rollout = random.pick([1, 12.5, 25, 50, 99, 100]);
	if (random.chance(0.06)) rule.enabled = random.chance(0.3);
	if (random.chance(0.15)) Object.assign(rule, randomDates(random));
	rule.show = randomShow(context, rule.id);
	return rule;
}

const momentsBefore = ['2026-11-01', '2026-11-22', '2026-11-23', '2026-11-23T12:30', '2026-11-24T00:00+02:00'];
const momentsAfter = ['2026-11-24', '2026-11-25', '2026-11-24T12:30', '2026-11-25T08:00-05:00', '2026-12-27'];

function randomDates(random) {
	const dates = { starts: random.pick(momentsBefore), ends: random.pick(momentsAfter) };
	if (random.chance(0.3)) delete dates[random.pick(['starts', 'ends'])];
	return dates;
}

// What a guard or a cap applies to, or undefined: to all.
function randomApplies(context, { slots, rules }) {
	const { random } = context;
	const one = {
		slot: () => random.pick(slots).id, rule: () => random.pick(rules).id,
		tag: () => random.pick(rules.flatMap((rule) => rule.tags ?? [])), channel: () => random.pick(['web', 'email', 'sms']),
		uses: () => random.pick([usesOf(random.pick(context.paths)), 'profile', 'profile', 'behaviour']),
	};
	const keys = ['slot', 'rule', ...(rules.some((rule) => rule.tags) ? ['tag', 'tag'] : []), 'channel', ...(context.usesGuards ? Array(6).fill('uses') : [])];
	const applies = {};
	for (const key of random.sample(keys, random.weighted([[1, 0], [6, 1], [3, 2]]))) {
		applies[key] = random.chance(0.7) ? one[key]() : [...new Set([one[key](), one[key]()])];
	}
	return Object.keys(applies).length ? applies : undefined;
}

function randomCap(context, declared, i) {
	const { random } = context;
	const applies = randomApplies(context, declared);
	return { id: `cap-${i}`, ...(applies && { applies }), limit: random.weighted([[5, 1], [3, 2], [1, 3]]), per: random.pick(['10m', '2h', '7d', '1w']) };
}

function randomGuard(context, declared, i) {
	const { random } = context;
	const guard = { id: `guard-${i}`, because: `reason ${i}` };
	const applies = randomApplies(context, declared);
	if (applies) guard.applies = applies;
	const kinds = random.weighted([[4, ['require']], [3, ['forbid']], [1, ['require', 'forbid']]]);
	// A guard's own functions count for no guard, so they may stand anywhere.
	for (const kind of kinds) guard[kind] = randomCondition({ ...context, usesGuards: false });
	return guard;
}

// ---- conditions ----

// A condition for a `when`, `require` or `forbid`; `topLevel` where a function may stand that guards on `uses` look at.
function randomCondition(context, topLevel = false) {
	const { random } = context;
	return random.weighted([
		[14, () => randomTable(context, 2, topLevel)],
		[3, () => randomGroup(context, 'any', 3)],
		[1, () => randomGroup(context, 'all', 3)],
		[1, () => randomGroup(context, 'none', 3)],
		[mayCall(context, topLevel) ? 2 : 0, () => ({ kind: 'function', body: randomBody(context, true) })],
	])();
}

function mayCall(context, forced) {
	return !context.without.functions && !context.noFunctions && (forced || !context.usesGuards);
}

// A conjunction: facts by name, groups and functions without one. No two items have the same name.
function randomTable(context, depth, forced) {
	const { random } = context;
	const items = namedItems(context, context.many ? random.between(2, 5) : random.weighted([[5, 1], [4, 2], [2, 3]]));
	if (depth > 0 && random.chance(0.2)) items.push(randomGroup(context, random.pick(['any', 'all', 'none']), depth));
	if (random.chance(0.08) && mayCall(context, forced)) items.push({ kind: 'function', body: randomBody(context) });
	return { kind: 'table', items };
}

// any, all or none: each named fact is a condition of its own, and tables may stand in it.
function randomGroup(context, kind, depth) {
	const { random } = context;
	const items = namedItems(context, random.weighted([[2, 0], [3, 1], [4, 2]]));
	for (let i = random.weighted([[4, 0], [4, 1], [2, 2]]); i > 0 || !items.length; i--) {
		items.push(random.weighted([
			[4, () => randomTable(context, depth - 1)],
			[depth > 1 ? 2 : 0, () => randomGroup(context, random.pick(['any', 'all', 'none', 'none']), depth - 1)],
			[mayCall(context) ? 1 : 0, () => ({ kind: 'function', body: randomBody(context) })],
		])());
	}
	return { kind, items };
}

function namedItems(context, count) {
	const { random } = context;
	const heads = [...new Set(context.paths.map((path) => path.split('.')[0]))];
	if (context.segments.length) heads.push('segment');
	const items = random.sample(heads, count).map((head) => (head === 'segment' ? segmentItem(context) : factItem(context, head)));
	if (count && !context.without.queries && random.chance(0.03)) items[0] = { kind: 'query', ...randomQuery(random) };
	return items;
}

function factItem({ random, paths, without }, head) {
	if (domains[head]) return { kind: 'fact', fact: head, matcher: randomMatcher(head, random, without) };
	const parts = paths.filter((path) => path.startsWith(`${head}.`));
	const chosen = random.sample(parts, random.chance(0.7) ? 1 : 2);
	return { kind: 'parts', fact: head, parts: chosen.map((path) => [path.split('.')[1], randomMatcher(path, random, without)]) };
}

function segmentItem({ random, segments }) {
	const some = random.sample(segments, random.between(1, 2));
	const matcher = random.weighted([
		[4, { is: 'equals', value: some[0] }], [2, { is: 'one_of', values: some }], [2, { is: 'all_of', values: some }],
	]);
	const negated = matcher.is !== 'all_of' && random.chance(0.25);
	return { kind: 'fact', fact: 'segment', matcher: negated ? { is: 'not', of: matcher } : matcher };
}

// ---- visitors ----

// `count` visitors of a set; about half are led towards a rule, so that rules meet on one visitor.
export function randomVisitors(seed, { set, timeMode, paths }, count, { without = {} } = {}) {
	const random = new Random(seed);
	return range(count).map(() => randomVisitor(random, { set, timeMode, paths, without }));
}

function randomVisitor(random, { set, timeMode, paths, without }) {
	const values = {};
	const share = random.pick([0.6, 0.85, 1]);
	for (const path of paths) if (random.chance(share)) values[path] = given(path, random, without);
	if (random.chance(0.6)) values['traits.first_name'] = random.pick(['Ada', 'Zoë', 'O"Neil', 'a\\b', '']);
	if (random.chance(0.5)) lead(random.pick(set.rules), values, random);
	const visitor = {};
	for (const [path, value] of random.shuffle(Object.entries(values))) {
		const [head, part] = path.split('.');
		if (part) visitor[head] = { ...visitor[head], [part]: value };
		else visitor[head] = value;
	}
	giveTime(visitor, timeMode, random);
	if (random.chance(0.3)) visitor.rollout = random.pick([0, 1, 12.5, 24.9, 25, 60, 99.9]);
	return visitor;
}

function given(path, random, without) {
	const value = randomGiven(path, random);
	const { closed, values } = domains[path];
	return without.closed_case && closed && value && !values.includes(value) ? random.pick(values) : value;
}

// Gives the facts that the first table of the rule names values that match, where its domain has one.
function lead(rule, values, random) {
	const named = (rule.when?.kind === 'table' ? rule.when.items : []).flatMap((item) => {
		if (item.kind === 'parts') return item.parts.map(([part, matcher]) => [`${item.fact}.${part}`, matcher]);
		return item.kind === 'fact' && item.fact !== 'segment' ? [[item.fact, item.matcher]] : [];
	});
	for (const [path, matcher] of named) {
		const { kind, values: domain } = domains[path];
		const fitting = (kind === 'set' ? [domain, [], [domain[0]]] : domain).filter((value) => matches(value, matcher, typeOf(path)));
		if (fitting.length) values[path] = random.pick(fitting);
	}
}

const clock = (random) => `2026-${random.pick(['11-22', '11-23', '11-24', '11-25', '07-01'])}T${String(random.between(0, 23)).padStart(2, '0')}:${random.pick(['00', '30', '40'])}`;
const zones = ['America/Toronto', 'Europe/Oslo', 'Asia/Kolkata', 'Pacific/Auckland', 'UTC'];

// given: time facts stand in the visitor, all three when there is a clock; zone: the clock and a zone, or no place at
// all; country: the clock and the country alone.
function giveTime(visitor, timeMode, random) {
	const names = ['hour', 'weekday', 'date'];
	if (timeMode === 'given') {
		if (!random.chance(0.4)) return;
		visitor.at = clock(random);
		for (const name of names) visitor[name] ??= random.pick(domains[name].values);
		return;
	}
	for (const name of names) if (visitor[name] === null || random.chance(0.8)) delete visitor[name];
	if (random.chance(0.1)) return;
	visitor.at = clock(random) + random.pick(['', '', 'Z', '+02:00', '-05:00']);
	if (timeMode === 'country') return;
	if (random.chance(0.15)) delete visitor.country;
	else if (random.chance(0.5)) visitor.timezone = random.pick(zones);
	else visitor.traits = { ...visitor.traits, timezone: random.pick(zones) };
}
