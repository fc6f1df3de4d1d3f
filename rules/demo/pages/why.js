// "Why do I see this": an answer of /v1/explain, in a merchandiser's words.

export function make(name, fields = {}, ...children) {
	const { dataset = {}, attributes = {}, ...rest } = fields;
	const element = Object.assign(document.createElement(name), rest);
	Object.assign(element.dataset, dataset);
	for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
	element.append(...children.flat().filter((child) => child !== undefined && child !== ''));
	return element;
}

const spans = { m: 'minutes', h: 'hours', d: 'days', mo: 'months' };
const span = (text) => text.replace(/^(\d+)([a-z]+)$/, (all, n, unit) => `${n} ${spans[unit] ?? unit}`);
const day = (time) => new Date(time).toLocaleDateString('en-GB', { dateStyle: 'long' });
const upper = (text) => text.charAt(0).toUpperCase() + text.slice(1);
const code = (text) => make('code', { textContent: text });

// --- Facts and values

const counted = {
	viewed: 'views', searched: 'searches', added: 'things put aside', bought: 'purchases', clicked: 'clicks', opened: 'letters opened',
	affinity: 'the share of interest',
};
const names = {
	country: 'the country', in_eu: 'being in the European Union', source: 'the way here', device: 'the device', os: 'the system',
	language: 'the language', hour: 'the hour', weekday: 'the day of the week', date: 'the date', page: 'the page', page_type: 'the kind of page',
	new_visitor: 'being new', logged_in: 'being logged in', consent: 'consent', visits: 'the number of visits', orders: 'the number of orders',
	revenue: 'what was spent so far', average_order: 'the average order', pages_this_visit: 'pages looked at in this visit',
	days_since_order: 'days since the last order', days_since_visit: 'days since the last visit',
	'cart.total': 'the worth of the cart', 'cart.items': 'the number of things in the cart',
};

// What floorwalker writes as it stands in a rule, as it is said.
const nice = (text) => String(text).replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, day).replace(/`(\w+)`/g, '$1').replace(/"([^"]*)"/g, '“$1”')
	.replace('starts no later than now: it is', 'an earlier start than').replace('ends no earlier than now: it is', 'a later end than')
	.replace(/\b(\w+) \{ (?:category|product|brand|term) = (“[^”]*”) \}/g, (all, name, of) => (counted[name] ? `${counted[name]} of ${of}` : all));

function fact(text = '') {
	const [, name, inside] = text.match(/^(\w+) \{ (.*) \}$/) ?? [];
	if (!counted[name]) return counted[text] ?? names[text] ?? text.replace(/^traits\./, 'the trait ').replaceAll('_', ' ');
	const [, of] = inside.match(/(?:category|product|brand|term) = "([^"]*)"/) ?? [], [, within] = inside.match(/within = "([^"]*)"/) ?? [];
	return `${counted[name]}${of ? ` of “${of}”` : ''}${within ? ` in the last ${span(within)}` : ''}`;
}

const plain = (word) => (word === 'true' ? 'yes' : word === 'false' ? 'no' : nice(word));
const matchers = {
	at_least: (n) => `${n} or more`, at_most: (n) => `${n} or less`, more_than: (n) => `more than ${n}`, less_than: (n) => `less than ${n}`,
};

function value(text) {
	const [, not, wanted] = String(text).match(/^(not |is_not )?(.*)$/s);
	const number = wanted.match(/^(\w+)\(([^,]*)\)$/), range = wanted.match(/^between\((.*), (.*)\)$/);
	const part = wanted.match(/^(starts_with|ends_with|contains)\(?\s*"?([^")]*)"?\)?$/), list = wanted.match(/^\{\s*(.*?)\s*\}$/);
	const said = part ? `${part[1].replace('_', ' ')} “${part[2]}”`
		: range ? `${plain(range[1])} to ${plain(range[2])}`
		: matchers[number?.[1]] ? matchers[number[1]](plain(number[2]))
		: list ? list[1].split(/,\s*/).map(plain).join(' or ')
		: plain(wanted);
	return not ? `anything but ${said}` : said;
}

// --- Rules

const goesBefore = { priority: 'its priority is higher', specificity: 'it says more exactly for whom it is', id: 'both are as strong, and its name comes first' };

// What became of a rule, as a sentence: a list of texts and elements. `shown`: it is on the page.
function fate(c, shown) {
	switch (c.reason) {
	case 'won': return ['Shown: no stronger rule fits this visitor.'];
	case 'vetoed': return ['Kept away by the guard ', code(c.guard), `: ${c.because}.`];
	case 'beaten': return ['Fits, and ', code(c.by), ` goes before it: ${goesBefore[c.on]}.`];
	case 'excluded': return ['Fits, and ', code(c.by), ' has the one place that both compete for.'];
	case 'capped':
		if (shown) return ['On the page now; that used up its turn (', code(c.cap), ').'];
		return ['Has had its turn: ', code(c.cap), c.until ? `, until ${nice(c.until)}.` : '. It counts per person, and nobody is known here.'];
	case 'out_of_stock': return [`“${c.product}” is sold out, or not in the catalogue.`];
	case 'not_started': return ['Its time has not come yet.'];
	case 'ended': return ['Its time is over.'];
	case 'disabled': return ['It is switched off.'];
	case 'not_in_rollout': return ['It is shown to a part of the visitors, and this one is not among them.'];
	case 'failed': case 'set_aside': return [`Its function is wrong: ${c.error ?? 'see the log'}.`];
	case 'unknown': return [`${upper(fact(c.fact))} is not known.`];
	default:
		if (c.fact === undefined) return ['Does not fit: its function says no.'];
		return [c.value === undefined ? `Does not fit: it is about ${fact(c.fact)}.` : `${upper(fact(c.fact))}: ${value(c.value)}. It wants ${value(c.wanted)}.`];
	}
}

// The smallest change that would make it win.
function wins({ change, smallest }) {
	if (change === undefined) return '';
	const say = (...what) => make('p', { className: 'change' }, ...what);
	if (change === null) return say('What would make it win cannot be told: a function decides.');
	if (!change.length) return say('Nothing would make it win: its condition and its guards leave nobody.');
	const needs = change.map(({ text }) => nice(text).replace(/\b\d+[hd]\b/g, span).replaceAll('_', ' '));
	return say(make('b', { textContent: smallest === false ? 'Would win, perhaps with less, with: ' : 'Would win with: ' }), needs.join(', and '));
}

const rule = (c, shown) => make('li', { className: c.reason }, make('b', { className: 'rule', textContent: c.rule, title: `${c.file}, line ${c.line}` }),
	make('span', { className: 'fate' }, fate(c, shown)), wins(c));

// --- Slots

const elementsOf = (slot) => [...document.querySelectorAll(`[data-fw-slot="${CSS.escape(slot)}"]`)];
const nothing = {
	default: 'No rule wins here, so what stands here is what everybody sees.', none: 'No rule wins here, and there is nothing to show to everybody.',
	holdout: 'This visitor is held out, to compare: the default for everything.',
};

// Where on the page that is. Without motion where that is asked for.
function point(slot) {
	const [element] = elementsOf(slot);
	element?.scrollIntoView({ block: 'center', behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth' });
	element?.classList.add('demo-pointed');
	setTimeout(() => element?.classList.remove('demo-pointed'), 2000);
}

// What won in a slot, what guards kept away, and, folded, all others.
export function drawSlot(slot, { reason, winners, candidates }) {
	const states = elementsOf(slot).map((element) => element.dataset.fw);
	// What the page shows has used up its turn under a cap, so that for the next answer it would be capped, and nothing else wins.
	const shown = !winners.length && states.includes('rule');
	const isShown = (c) => c.reason === 'won' || (c.reason === 'capped' && shown && c.until !== undefined);
	const won = candidates.filter(isShown), vetoed = candidates.filter((c) => c.reason === 'vetoed');
	const lost = candidates.filter((c) => !isShown(c) && c.reason !== 'vetoed');
	const title = lost.length === 1 ? '1 other rule, and what would make it win' : `${lost.length} other rules, and what would make each win`;
	return make('article', { dataset: { demoSlot: slot } },
		make('h3', {}, make('button', { type: 'button', className: 'slot', textContent: slot, title: 'Show it on the page', onclick: () => point(slot) })),
		won.length ? make('ul', { className: 'won' }, won.map((c) => rule(c, true))) : make('p', { textContent: nothing[reason] ?? reason }),
		states.some((state) => state === 'late' || state === 'off')
			? make('p', { className: 'soft', textContent: 'The answer came after the page’s time budget, so the page kept what was there.' }) : '',
		vetoed.length ? make('ul', { className: 'kept' }, vetoed.map((c) => rule(c))) : '',
		lost.length ? make('details', {}, make('summary', { textContent: title }), make('ul', {}, lost.map((c) => rule(c)))) : '');
}

const known = ['country', 'device', 'source', 'campaign', 'language', 'visits', 'orders', 'hour'];

// What floorwalker knows of who is here, in a few words.
export function drawFacts(facts) {
	const told = known.filter((name) => facts[name] !== undefined).map((name) => [name, facts[name]]);
	told.push(['consent', (facts.consent ?? []).join(', ') || 'none'], ...Object.entries(facts.traits ?? {}));
	if (facts.cart?.items) told.push(['cart', `${facts.cart.items}, worth ${facts.cart.total}`]);
	return make('dl', { className: 'facts' }, told.map(([name, what]) => make('div', {},
		make('dt', { textContent: name.replaceAll('_', ' ') }), make('dd', { textContent: String(what).replaceAll('_', ' ') }))));
}
