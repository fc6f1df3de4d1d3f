// Random Lua functions, as functions.mjs understands them: conditions, and what a rule shows.

import { domains, randomQuery } from './domains.mjs';

const literal = (value) => ({ is: 'value', value });
const ordered = ['<', '<=', '>', '>='];

// ---- conditions ----

// The body of a `when`, `require` or `forbid`. `whole`: nothing stands beside it, so that it may also never end (a
// function that runs out of its budget may cost its rule more than this answer).
export function randomBody(context, whole = false) {
	const { random } = context;
	return random.weighted([
		[16, () => [answer(predicate(context, 2))]],
		[3, () => [{ do: 'if', test: predicate(context, 1), then: [answer(literal(true))] }, answer(predicate(context, 1))]],
		[1, () => [{ do: 'if', test: predicate(context, 1), then: [answer(literal(true))] }]],
		[1, () => [{ do: 'if', test: predicate(context, 1), then: [{ do: 'error' }] }, answer(literal(true))]],
		[1, () => [{ do: 'assert', test: predicate(context, 1) }, answer(literal(true))]],
		[1, () => [answer(random.pick([literal(1), literal('yes'), { is: 'table', fields: [] }]))]],
		[whole && !context.without.spin ? 0.3 : 0, () => [{ do: 'spin' }]],
	])();
}

const answer = (value) => ({ do: 'return', value });

function predicate(context, depth) {
	const { random } = context;
	if (depth === 0 || random.chance(0.4)) return reading(context);
	const is = random.weighted([[4, 'and'], [3, 'or'], [2, 'not']]);
	if (is === 'not') return { is, a: predicate(context, depth - 1) };
	return { is, a: predicate(context, depth - 1), b: predicate(context, depth - 1) };
}

// A comparison of one fact, or the asking whether it is known.
function reading(context) {
	const { random, functionPaths: paths } = context;
	if (context.segments.length && random.chance(0.15)) return { is: 'segment', name: random.pick(context.segments) };
	if (!context.without.queries && random.chance(0.04)) return { is: '>', a: { is: 'query', ...randomQuery(random) }, b: literal(0) };
	if (!paths.length) return literal(random.chance(0.5));
	const path = random.pick(paths);
	if (!context.usesGuards && random.chance(0.08)) return { is: 'known', path };
	if (domains[path].kind === 'set') return { is: 'holds', path, name: random.pick(domains[path].values) };
	return compared(path, random);
}

function compared(path, random) {
	const { kind, values } = domains[path];
	const fact = random.chance(0.15) ? { is: 'get', path, fallback: random.pick(values) } : { is: 'fact', path };
	if (kind === 'boolean') return random.chance(0.7) ? fact : { is: '==', a: fact, b: literal(false) };
	const value = literal(random.pick(values));
	const isNumber = typeof value.value === 'number';
	return { is: isNumber && random.chance(0.7) ? random.pick(ordered) : random.pick(['==', '==', '~=']), a: fact, b: value };
}

// ---- content ----

// What a rule shows: { content } as a table, or { body } of a function.
export function randomShow(context, id) {
	const { random } = context;
	if (context.without.functions || random.chance(0.75)) return { content: randomContent(random, id) };
	return { body: random.weighted([
		[12, () => [answer(shown(context, id))]],
		[3, () => [{ do: 'if', test: showTest(context), then: [{ do: 'error' }] }, answer(shown(context, id))]],
		[2, () => [{ do: 'assert', test: showTest(context) }, answer(shown(context, id))]],
		[1, () => [{ do: 'error' }]],
		[2, () => [{ do: 'lua', text: random.pick(noContent) }]],
		[context.without.spin ? 0 : 0.3, () => [{ do: 'spin' }]],
	])() };
}

const noContent = [
	'local t = {} t.t = t return t',
	'return { f = function() end }',
	'return { n = 0 / 0 }',
	'return { "first", a = 2 }',
];

function randomContent(random, id) {
	const content = { banner: id };
	if (random.chance(0.3)) content.headline = random.pick(['Ready?', 'Größe "M"', 'a\\b\nc', '']);
	if (random.chance(0.2)) content.n = random.pick([0, 3, -2, 1.5, 49.99]);
	if (random.chance(0.2)) content.list = random.pick([['a', 'b'], [1, 2, 3], [{ x: true }]]);
	if (random.chance(0.2)) content.box = random.pick([{}, { deep: { er: false } }]);
	return content;
}

// Facts whose values can be content as they stand: no sets, and none whose spelling the engine may settle.
function showPaths({ functionPaths }) {
	return functionPaths.filter((path) => !domains[path].closed && !['set', 'language', 'weekday', 'date'].includes(domains[path].kind));
}

const firstName = { is: 'fact', path: 'traits.first_name' };

function showTest(context) {
	const paths = showPaths(context);
	return paths.length && context.random.chance(0.7) ? compared(context.random.pick(paths), context.random)
		: { is: '==', a: firstName, b: literal('Ada') };
}

function shown(context, id) {
	const { random } = context;
	const fields = [['banner', literal(id)]];
	if (random.chance(0.4)) fields.push(['name', firstName]);
	if (random.chance(0.15)) fields.push(['hello', { is: '..', a: literal('Hello '), b: firstName }]);
	if (random.chance(0.3)) fields.push(['friend', { is: 'get', path: 'traits.first_name', fallback: 'you' }]);
	const paths = showPaths(context);
	if (paths.length && random.chance(0.5)) fields.push(['fact', { is: 'fact', path: random.pick(paths) }]);
	return { is: 'table', fields };
}
