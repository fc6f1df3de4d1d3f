// Small domains of values for each fact, so that rules and visitors meet often, and random matchers over them.

import { typeOf, usesOf, weekdays } from './facts.mjs';

// kind text: `closed` ones are lists of the language itself, so that rules spell them exactly and use no parts of them.
const text = (...values) => ({ kind: 'text', values });
const closed = (...values) => ({ kind: 'text', closed: true, values });
const number = (...values) => ({ kind: 'number', values });
const boolean = { kind: 'boolean', values: [true, false] };

export const domains = {
	country: closed('CA', 'NO', 'FI', 'DE', 'US'),
	region: closed('CA-QC', 'CA-ON', 'US-NY', 'DE-BE'),
	city: text('Montréal', 'Oslo', 'Espoo', 'New York'),
	continent: closed('EU', 'NA', 'AS'),
	in_eu: boolean,
	source: closed('email', 'paid_social', 'direct', 'organic_search'),
	medium: text('cpc', 'email', 'social'),
	campaign: text('winter-push', 'spring_sale', 'Black Friday'),
	term: text('boots', 'red boots'),
	content: text('hero-a', 'hero-b'),
	referrer: text('news.example', 'blog.example.org'),
	landing: text('/sale', '/boots'),
	device: closed('mobile', 'desktop', 'tablet'),
	os: closed('iOS', 'Android', 'Windows'),
	browser: closed('Chrome', 'Safari', 'Firefox'),
	language: { kind: 'language', values: ['en', 'en-CA', 'fr', 'fi'], given: ['en', 'en-CA', 'en-US', 'fr-CA', 'fi', 'fil', 'de'] },
	page: text('/', '/boots', '/boots/red', '/sale'),
	page_type: text('home', 'product', 'category'),
	hour: { kind: 'hour', values: [0, 3, 8, 12, 18, 20, 23] },
	weekday: { kind: 'weekday', values: weekdays },
	date: { kind: 'date', values: ['2026-11-20', '2026-11-22', '2026-11-23', '2026-11-25', '2026-11-27'] },
	logged_in: boolean,
	pages_this_visit: number(1, 2, 3, 6),
	'cart.items': number(0, 1, 2, 4),
	'cart.total': number(0, 19.5, 49.99, 80, 150),
	new_visitor: boolean,
	visits: number(0, 1, 2, 5),
	days_since_visit: number(0, 1, 7, 30),
	orders: number(0, 1, 3),
	revenue: number(0, 80, 250.25, 1000),
	average_order: number(20, 62.5, 125),
	days_since_order: number(0, 5, 20, 60),
	'engagement.email': number(0, 0.1, 0.25, 0.5),
	'engagement.sms': number(0, 0.2, 0.9),
	'traits.plan': { ...text('pro', 'free', 'Basic', '3'), given: ['pro', 'Pro', 'free', 'BASIC', 'basic', 3, '3', ''] },
	'traits.age': { ...number(17, 18, 21, 40), given: [17, 18, 21, 40, '18', '21', '40.0', '4e1', '021', ' 21', 'old', true, null] },
	'traits.score': { kind: 'mixed', values: [2.5, 21, '2.5', '21', 'A1'], given: [2.5, 21, '2.5', '21', '21.0', 'a1', false] },
	'traits.vip': { ...boolean, given: [true, true, false, false, 'true', 1] },
	'traits.interests': { kind: 'set', values: ['boots', 'hats', 'tents'] },
	consent: { kind: 'set', closed: true, values: ['personalization', 'analytics', 'email', 'sms'] },
};

// The queries are of facts that come from history alone, which these visitors have not: always unknown.
export function randomQuery(random) {
	const fact = random.pick(['viewed', 'searched', 'added', 'bought', 'clicked', 'opened', 'affinity']);
	switch (fact) {
	case 'affinity': return { fact, args: { category: random.pick(['boots', 'hats']), at_least: 0.3 } };
	case 'searched': return { fact, args: { term: 'boots', at_least: random.between(1, 3) } };
	case 'clicked': case 'opened': return { fact, args: { at_least: random.between(1, 3), within: '7d' } };
	default: return { fact, args: { [random.pick(['category', 'product', 'brand'])]: 'boots', at_least: random.between(1, 3), within: random.pick(['1h', '7d', '400d']) } };
	}
}

const recase = (value, random) => random.pick([value.toUpperCase(), value.toLowerCase(), value[0].toUpperCase() + value.slice(1)]);

// A value for a visitor: sometimes in another case, sometimes none at all, spelled as JSON can spell that.
export function randomGiven(path, random) {
	const domain = domains[path];
	if (random.chance(0.04)) return domain.kind === 'text' && random.chance(0.5) ? '' : null;
	if (domain.kind === 'set') return random.sample(domain.values, random.between(0, domain.values.length));
	const value = random.pick(domain.given && random.chance(0.7) ? domain.given : domain.values);
	return ['text', 'language'].includes(domain.kind) && typeof value === 'string' && value && random.chance(0.2) ? recase(value, random) : value;
}

// ---- matchers ----

// A list of as many values as a rule would name: never empty, never all of a longer domain.
function someOf(values, random) {
	return random.sample(values, random.between(1, Math.max(1, Math.min(3, values.length - 1))));
}

function between(values, random) {
	const [low, high] = [random.pick(values), random.pick(values)];
	return { is: 'between', low: low < high ? low : high, high: low < high ? high : low };
}

// A range that some value of the domain is in and, where the type has a smallest and a largest value, that is one.
function range(values, random) {
	if (random.chance(0.3)) return between(values, random);
	const is = random.pick(['at_least', 'at_most', 'more_than', 'less_than']);
	const inside = is === 'more_than' ? values.slice(0, -1) : is === 'less_than' ? values.slice(1) : values;
	return { is, value: random.pick(inside) };
}

function partOfText(value, random) {
	const cut = random.between(1, Math.min(4, value.length));
	switch (random.between(0, 2)) {
	case 0: return { is: 'starts_with', value: value.slice(0, cut) };
	case 1: return { is: 'ends_with', value: value.slice(-cut) };
	default: return { is: 'contains', value: value.slice(Math.floor((value.length - cut) / 2)).slice(0, cut) };
	}
}

// How a rule spells a value: case counts for nothing in text that is not the language's own.
const spelling = (value, spelled, random) => (!spelled && random.chance(0.15) ? recase(value, random) : value);

function textMatcher({ values, closed: spelled }, random) {
	const written = (value) => spelling(value, spelled, random);
	return random.weighted([
		[4, () => ({ is: 'equals', value: written(random.pick(values)) })],
		[4, () => ({ is: 'one_of', values: someOf(values, random).map(written) })],
		[spelled ? 0 : 3, () => partOfText(written(random.pick(values)), random)],
	])();
}

function numberMatcher({ values }, random) {
	return random.weighted([
		[2, () => ({ is: 'equals', value: random.pick(values) })],
		[2, () => ({ is: 'one_of', values: someOf(values, random) })],
		[6, () => range(values, random)],
	])();
}

function cyclicMatcher({ kind, values }, random) {
	return random.weighted([
		[2, () => ({ is: 'equals', value: random.pick(values) })],
		[2, () => ({ is: 'one_of', values: someOf(values, random) })],
		[4, () => ({ is: 'between', low: random.pick(values), high: random.pick(values) })],
		[kind === 'hour' ? 3 : 0, () => range(values, random)],
	])();
}

function setMatcher({ values, closed: spelled }, random) {
	const written = (value) => spelling(value, spelled, random);
	return random.weighted([
		[4, () => ({ is: 'equals', value: written(random.pick(values)) })],
		[3, () => ({ is: 'one_of', values: someOf(values, random).map(written) })],
		[3, () => ({ is: 'all_of', values: someOf(values, random).map(written) })],
	])();
}

function positiveMatcher(domain, random) {
	switch (domain.kind) {
	case 'boolean': return { is: 'equals', value: random.chance(0.6) };
	case 'number': case 'date': return numberMatcher(domain, random);
	case 'hour': case 'weekday': return cyclicMatcher(domain, random);
	case 'set': return setMatcher(domain, random);
	case 'language': return textMatcher({ ...domain, closed: true }, random);
	case 'mixed': {
		const type = random.pick(['string', 'number']);
		const values = domain.values.filter((value) => typeof value === type);
		return type === 'string' ? textMatcher({ values }, random) : numberMatcher({ values }, random);
	}
	default: return textMatcher(domain, random);
	}
}

// A matcher for the fact; `without.is_not_all_of` leaves out is_not(all_of { … }).
export function randomMatcher(path, random, without = {}) {
	if (random.chance(0.06)) return { is: random.pick(['known', 'unknown']) };
	let matcher = positiveMatcher(domains[path], random);
	if (!random.chance(0.15)) return matcher;
	while (without.is_not_all_of && matcher.is === 'all_of') matcher = positiveMatcher(domains[path], random);
	return { is: 'not', of: matcher };
}

export const scalarPaths = Object.keys(domains).filter((path) => domains[path].kind !== 'set');
export const isTime = (path) => usesOf(path) === 'time';
export { typeOf, usesOf };
