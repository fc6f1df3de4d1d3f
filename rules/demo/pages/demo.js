// What the demo adds to each site, at the page's edge: the switcher "Who am I", and "Why do I see this" from /v1/explain. It is no part
// of a site: it stands before the body, in a shadow tree, so that neither's style reaches the other.

const { site } = document.body.dataset;
const countries = { DE: 'Germany', FR: 'France', GB: 'United Kingdom', NO: 'Norway', US: 'United States', CA: 'Canada', JP: 'Japan', AU: 'Australia' };
const devices = { desktop: 'Desktop', mobile: 'Phone', tablet: 'Tablet' };
const sources = {
	direct: ['Typed the address', {}],
	newsletter: ['The newsletter', { utm_source: 'newsletter', utm_medium: 'email', utm_campaign: 'november' }],
	paid_social: ['A social advertisement', { utm_source: 'instagram', utm_medium: 'paid_social', utm_campaign: 'first-snow' }],
	search: ['A search engine', { utm_source: 'google', utm_medium: 'organic' }],
};
const consents = { all: 'Agreed to everything', none: 'Has not answered yet', refused: 'Refused everything' };
const sites = { shop: 'Store', media: 'News', travel: 'Travel', onboarding: 'Onboarding' };
const purposes = ['analytics', 'personalization', 'sale'];
const writeKey = document.querySelector('script[data-write-key]').dataset.writeKey;
const place = `demo.${site}`; // of what no cookie says: which visitor, which history

// --- The page's memory

function readCookie(name) {
	const pair = document.cookie.split('; ').find((c) => c.startsWith(`${name}=`));
	return pair && decodeURIComponent(pair.slice(name.length + 1));
}

function writeCookie(name, value) {
	document.cookie = `${name}=${encodeURIComponent(value ?? '')}; path=/; samesite=lax; max-age=${value ? 31536000 : 0}`;
}

const random = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, '0')).join('');

function parsed(text) {
	try {
		return JSON.parse(text) ?? undefined;
	} catch { return undefined; }
}

// A browser may refuse to store anything.
function kept() {
	try {
		return parsed(localStorage.getItem(place)) ?? {};
	} catch { return {}; }
}

function keep(what) {
	try {
		localStorage.setItem(place, JSON.stringify(what));
		localStorage.removeItem('fw.unsent'); // of whoever was here before
	} catch { /* then the switcher forgets, and the visitor does not */ }
}

const said = () => parsed(readCookie('fw_consent') ?? '');

// Who is here now, by what the page server and floorwalker go by.
function present() {
	const answer = said(), query = new URLSearchParams(location.search), { history = 'first', visitor } = kept();
	const medium = query.get('utm_medium');
	return {
		visitor, history,
		country: readCookie('demo_country') ?? 'DE',
		device: readCookie('demo_device') ?? (/Mobi/.test(navigator.userAgent) ? 'mobile' : 'desktop'),
		source: Object.keys(sources).find((name) => sources[name][1].utm_medium === (medium ?? undefined)) ?? 'direct',
		consent: !answer ? 'none' : purposes.some((purpose) => answer[purpose]) ? 'all' : 'refused',
	};
}

// --- Somebody else

// What somebody did before coming here, told as the site's pages would have told it.
async function tell(anonymousId, { events, identify }) {
	const context = { consent: { categoryPreferences: Object.fromEntries(purposes.map((purpose) => [purpose, true])) }, page: { url: location.origin + location.pathname, path: location.pathname } };
	const now = Date.now();
	const common = (minutesAgo) => ({ anonymousId, messageId: random(), timestamp: new Date(now - minutesAgo * 60000).toISOString(), context });
	const batch = events.map(({ event, properties, minutesAgo = 5 }) => ({ type: 'track', event, properties, ...common(minutesAgo) }));
	if (identify) batch.push({ type: 'identify', traits: identify.traits, ...common(1) });
	if (!batch.length) return;
	const answer = await fetch('/v1/batch', { method: 'POST', body: JSON.stringify({ writeKey, batch, sentAt: new Date(now).toISOString() }) });
	const { accepted, rejected = [] } = await answer.json();
	if (accepted !== batch.length) throw Error(`of ${batch.length} events ${accepted ?? 0} were taken: ${rejected[0]?.reason ?? answer.status}`);
}

// Becomes a new visitor, and opens the page anew.
async function become({ visitor, country, device, source, query = '', history, consent }) {
	const anonymousId = random();
	writeCookie('demo_country', country);
	writeCookie('demo_device', device);
	writeCookie('fw_consent', consent === 'none' ? '' : JSON.stringify(Object.fromEntries(purposes.map((purpose) => [purpose, consent === 'all']))));
	// Who has agreed to nothing has no id, and nothing is told of him.
	writeCookie(`fw_${site}`, consent === 'all' ? anonymousId : '');
	if (consent === 'all') await tell(anonymousId, histories.find(({ id }) => id === history) ?? { events: [] });
	keep({ visitor, history });
	const arrives = new URLSearchParams(sources[source][1]);
	for (const [name, value] of new URLSearchParams(query)) arrives.set(name, value);
	location.assign(`${location.pathname}${arrives.size ? `?${arrives}` : ''}`);
}

// --- The panel

function make(name, fields = {}, ...children) {
	const { dataset = {}, attributes = {}, ...rest } = fields;
	const element = Object.assign(document.createElement(name), rest);
	Object.assign(element.dataset, dataset);
	for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
	element.append(...children.flat().filter((child) => child !== undefined && child !== ''));
	return element;
}

const host = make('div', { id: 'demo', hidden: true });
const root = host.attachShadow({ mode: 'open' });
const at = (id) => root.getElementById(id);
const isOpen = () => document.documentElement.hasAttribute('data-demo-open');

const choose = (id, label, options, chosen) => make('p', { className: 'field' }, make('label', { htmlFor: id, textContent: label }),
	make('select', { id, name: id }, Object.entries(options).map(([value, text]) => make('option', { value, textContent: text, selected: value === chosen }))));

function drawBar(name) {
	const links = Object.entries(sites).map(([id, text]) => make('a', { href: `/${id}/`, textContent: text, attributes: id === site ? { 'aria-current': 'page' } : {} }));
	return make('nav', { className: 'bar', ariaLabel: 'Demo' }, make('a', { href: '/', className: 'home', textContent: 'floorwalker' }), make('span', { className: 'sites' }, links),
		make('button', { id: 'toggle', type: 'button', attributes: { 'aria-expanded': 'false', 'aria-controls': 'panel' } }, make('span', { textContent: 'Who am I?' }), make('small', { textContent: name })));
}

function drawPanel({ visitors = [], about = '' }) {
	const now = present();
	const buttons = visitors.map((visitor) => make('button', {
		type: 'button', className: 'visitor', dataset: { visitor: visitor.id }, attributes: { 'aria-pressed': String(visitor.id === now.visitor) },
		onclick: () => change({ ...visitor, visitor: visitor.id }),
	}, make('b', { textContent: visitor.label }), make('span', {
		textContent: [countries[visitor.country], devices[visitor.device].toLowerCase(), sources[visitor.source][0].toLowerCase(), consents[visitor.consent].toLowerCase()].join(' · '),
	})));
	const form = make('form', { id: 'choose' },
		choose('country', 'Country', countries, now.country), choose('device', 'Device', devices, now.device),
		choose('source', 'Came by', Object.fromEntries(Object.entries(sources).map(([id, [label]]) => [id, label])), now.source),
		choose('history', 'Before this visit', Object.fromEntries(histories.map(({ id, label }) => [id, label])), now.history),
		choose('consent', 'Consent', consents, now.consent), make('button', { id: 'be', type: 'submit', className: 'be', textContent: 'Be this visitor' }));
	form.addEventListener('submit', (event) => {
		event.preventDefault();
		change(Object.fromEntries([...form.querySelectorAll('select')].map(({ id, value }) => [id, value])));
	});
	return make('aside', { id: 'panel', className: 'panel', hidden: true, attributes: { 'aria-label': 'Who am I, and why do I see this' } },
		make('header', {}, make('h2', { textContent: 'Who am I?' }), make('button', { id: 'close', type: 'button', className: 'close', ariaLabel: 'Close', textContent: '×' })),
		make('p', { className: 'soft', textContent: about }),
		make('div', { className: 'visitors' }, buttons),
		make('details', { open: !now.visitor }, make('summary', { textContent: 'Somebody else' }), form),
		make('p', { id: 'status', className: 'status', attributes: { role: 'status' } }),
		make('h2', { textContent: 'Why do I see this?' }), make('div', { id: 'why', attributes: { 'aria-busy': 'true' } }));
}

async function change(who) {
	at('status').textContent = 'One moment …';
	try {
		sessionStorage.setItem('demo.focus', root.activeElement?.dataset.visitor ?? root.activeElement?.id ?? '');
	} catch { /* then the focus starts at the top */ }
	await become(who).catch((error) => { at('status').textContent = `That did not work: ${error.message}`; });
}

function show(open) {
	at('panel').hidden = !open;
	at('toggle').setAttribute('aria-expanded', String(open));
	document.documentElement.toggleAttribute('data-demo-open', open);
	writeCookie('demo_open', open ? '1' : '');
	if (open) explain();
}

// --- Why do I see this, in a merchandiser's words

const isoTime = /\d{4}-\d\d-\d\dT[\d:.]+Z/g;
const nice = (text) => String(text).replace(isoTime, (time) => new Date(time).toLocaleDateString('en-GB', { dateStyle: 'long' })).replace(/`(\w+)`/g, '$1').replace(/"([^"]*)"/g, '“$1”')
	.replace('starts no later than now: it is', 'an earlier start than').replace('ends no earlier than now: it is', 'a later end than')
	.replace(/\b(\w+) \{ (?:category|product|brand|term) = (“[^”]*”) \}/g, (all, name, of) => (counted[name] ? `${counted[name]} of ${of}` : all));
const spans = { m: 'minutes', h: 'hours', d: 'days', mo: 'months' };
const span = (text) => text.replace(/^(\d+)([a-z]+)$/, (all, n, unit) => `${n} ${spans[unit] ?? unit}`);
const names = {
	country: 'the country', in_eu: 'being in the European Union', source: 'the way here', device: 'the device', hour: 'the hour', weekday: 'the day of the week', date: 'the date',
	new_visitor: 'being new', visits: 'the number of visits', orders: 'the number of orders', revenue: 'what was spent so far', consent: 'consent', language: 'the language', page: 'the page',
	page_type: 'the kind of page', days_since_order: 'days since the last order', days_since_visit: 'days since the last visit', logged_in: 'being logged in', os: 'the system',
	average_order: 'the average order', pages_this_visit: 'pages looked at in this visit', 'cart.total': 'the worth of the cart', 'cart.items': 'the number of things in the cart',
};
const counted = { viewed: 'views', searched: 'searches', added: 'things put aside', bought: 'purchases', clicked: 'clicks', opened: 'letters opened', affinity: 'the share of interest' };

function fact(text = '') {
	const [, name, inside] = text.match(/^(\w+) \{ (.*) \}$/) ?? [];
	if (!counted[name]) return counted[text] ?? names[text] ?? text.replace(/^traits\./, 'the trait ').replaceAll('_', ' ');
	const of = inside.match(/(?:category|product|brand|term) = "([^"]*)"/)?.[1], within = inside.match(/within = "([^"]*)"/)?.[1];
	return `${counted[name]}${of ? ` of “${of}”` : ''}${within ? ` in the last ${span(within)}` : ''}`;
}

function value(text) {
	const plain = (word) => (word === 'true' ? 'yes' : word === 'false' ? 'no' : nice(word));
	const [, not = '', rest] = String(text).match(/^(not |is_not )?(.*)$/s);
	const number = rest.match(/^(at_least|at_most|more_than|less_than)\((.*)\)$/), range = rest.match(/^between\((.*), (.*)\)$/), begins = rest.match(/^(starts_with|ends_with|contains)\(?\s*"?([^")]*)"?\)?$/);
	const words = { at_least: (n) => `${n} or more`, at_most: (n) => `${n} or less`, more_than: (n) => `more than ${n}`, less_than: (n) => `less than ${n}` };
	const said = number ? words[number[1]](plain(number[2])) : range ? `${plain(range[1])} to ${plain(range[2])}`
		: begins ? `${begins[1].replace('_', ' ')} “${begins[2]}”` : /^\{.*\}$/.test(rest) ? rest.slice(1, -1).trim().split(/,\s*/).map(plain).join(' or ') : plain(rest);
	return not ? `anything but ${said}` : said;
}

const upper = (text) => text.charAt(0).toUpperCase() + text.slice(1);
const code = (text) => make('code', { textContent: text });

// What became of a rule, as a sentence (a list of texts and elements).
function fate(c, shown) {
	switch (c.reason) {
	case 'won': return ['Shown: no stronger rule fits this visitor.'];
	case 'vetoed': return [`Kept away by the guard `, code(c.guard), `: ${c.because}.`];
	case 'beaten': return ['Fits, and ', code(c.by), c.on === 'priority' ? ' goes before it: its priority is higher.' : c.on === 'specificity' ? ' goes before it: it says more exactly for whom it is.' : ' goes before it, by its name.'];
	case 'excluded': return ['Fits, and ', code(c.by), ' has the one place that both compete for.'];
	case 'capped': return shown ? ['On the page now; that used up its turn (', code(c.cap), ').'] : ['Has had its turn: ', code(c.cap), c.until ? `, until ${nice(c.until)}.` : '. It counts per person, and nobody is known here.'];
	case 'out_of_stock': return [`“${c.product}” is sold out, or not in the catalogue.`];
	case 'not_started': return ['Its time has not come yet.'];
	case 'ended': return ['Its time is over.'];
	case 'disabled': return ['It is switched off.'];
	case 'not_in_rollout': return ['It is shown to a part of the visitors, and this one is not among them.'];
	case 'failed': case 'set_aside': return [`Its function is wrong: ${c.error ?? 'see the log'}.`];
	case 'unknown': return [`${upper(fact(c.fact))} is not known.`];
	default: return c.fact === undefined ? ['Does not fit: its function says no.'] : c.value === undefined ? [`Does not fit: it is about ${fact(c.fact)}.`] : [`${upper(fact(c.fact))}: ${value(c.value)}. It wants ${value(c.wanted ?? '')}.`];
	}
}

// The smallest change that would make it win.
function wins({ change, smallest }) {
	if (change === undefined) return '';
	if (change === null) return make('p', { className: 'change', textContent: 'What would make it win cannot be told: a function decides.' });
	if (!change.length) return make('p', { className: 'change', textContent: 'Nothing would make it win: its condition and its guards leave nobody.' });
	return make('p', { className: 'change' }, make('b', { textContent: smallest === false ? 'Would win, perhaps with less, with: ' : 'Would win with: ' }), change.map(({ text }) => nice(text).replace(/\b(\d+[hd])\b/g, span).replaceAll('_', ' ')).join(', and '));
}

const rule = (c, shown) => make('li', { className: c.reason }, make('b', { className: 'rule', textContent: c.rule, title: `${c.file}, line ${c.line}` }), make('span', { className: 'fate' }, fate(c, shown)), wins(c));

// Every element of that slot, and whether one of them shows what a rule says.
const elementsOf = (slot) => [...document.querySelectorAll(`[data-fw-slot="${CSS.escape(slot)}"]`)];

function drawSlot(slot, { reason, winners, candidates }) {
	// What the page shows has used up its turn under a cap, so that for the next answer it would be capped, and nothing else wins.
	const shown = !winners.length && elementsOf(slot).some((element) => element.dataset.fw === 'rule');
	const isShown = (c) => c.reason === 'won' || (c.reason === 'capped' && shown && c.until !== undefined);
	const won = candidates.filter(isShown), kept = candidates.filter((c) => c.reason === 'vetoed'), lost = candidates.filter((c) => !isShown(c) && c.reason !== 'vetoed');
	const nothing = { default: 'No rule wins here, so what stands here is what everybody sees.', none: 'No rule wins here, and there is nothing to show to everybody.', holdout: 'This visitor is held out, to compare: the default for everything.' };
	const late = elementsOf(slot).some((element) => ['late', 'off'].includes(element.dataset.fw)) ? make('p', { className: 'soft', textContent: 'The answer came after the page’s time budget, so the page kept what was there.' }) : '';
	const fold = (list, title) => (list.length ? make('details', {}, make('summary', { textContent: title }), make('ul', {}, list.map((c) => rule(c, false)))) : '');
	return make('article', { dataset: { demoSlot: slot } }, make('h3', {}, make('button', { type: 'button', className: 'slot', textContent: slot, title: 'Show it on the page', onclick: () => point(slot) })),
		won.length ? make('ul', { className: 'won' }, won.map((c) => rule(c, true))) : make('p', { textContent: nothing[reason] ?? reason }), late,
		kept.length ? make('ul', { className: 'kept' }, kept.map((c) => rule(c, false))) : '',
		fold(lost, `${lost.length} ${lost.length === 1 ? 'other rule' : 'other rules'}, and what would make ${lost.length === 1 ? 'it' : 'each'} win`));
}

// Where on the page that is. Without motion where that is asked for.
function point(slot) {
	const [element] = elementsOf(slot);
	if (!element) return;
	element.scrollIntoView({ block: 'center', behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth' });
	element.classList.add('demo-pointed');
	setTimeout(() => element.classList.remove('demo-pointed'), 2000);
}

const known = ['country', 'device', 'source', 'campaign', 'language', 'visits', 'orders', 'hour'];

function drawFacts(facts) {
	const told = known.filter((name) => facts[name] !== undefined).map((name) => [name, facts[name]]);
	told.push(['consent', (facts.consent ?? []).join(', ') || 'none']);
	if (facts.cart?.items) told.push(['cart', `${facts.cart.items}, worth ${facts.cart.total}`]);
	for (const [name, what] of Object.entries(facts.traits ?? {})) told.push([name, what]);
	return make('dl', { className: 'facts' }, told.map(([name, what]) => make('div', {}, make('dt', { textContent: name.replaceAll('_', ' ') }), make('dd', { textContent: String(what).replaceAll('_', ' ') }))));
}

let asked = 0;

async function explain() {
	const slots = [...new Set([...document.querySelectorAll('[data-fw-slot]')].map((element) => element.dataset.fwSlot))];
	if (!isOpen() || !slots.length) return;
	const number = ++asked, why = at('why');
	const folds = new Set([...why.querySelectorAll('article details[open]')].map((details) => details.closest('article').dataset.demoSlot));
	const type = document.querySelector('[data-fw-page-type]')?.dataset.fwPageType, answer = said();
	// The question that fw.js asks, of the same visitor.
	const context = {
		page: { path: location.pathname, search: location.search, url: location.href, title: document.title, referrer: document.referrer, type },
		locale: navigator.language, timezone: Intl.DateTimeFormat().resolvedOptions().timeZone, consent: answer && { categoryPreferences: answer },
		globalPrivacyControl: navigator.globalPrivacyControl || undefined,
	};
	const anonymousId = answer && purposes.some((purpose) => answer[purpose]) ? readCookie(`fw_${site}`) : undefined;
	const given = await fetch('/v1/explain', { method: 'POST', body: JSON.stringify({ anonymousId, slots, context, changes: true }) })
		.then((said) => (said.ok ? said.json() : Promise.reject(Error(String(said.status))))).catch(() => null);
	if (number !== asked) return;
	why.removeAttribute('aria-busy');
	const scrolled = at('panel').scrollTop;
	if (!given) return why.replaceChildren(make('p', { textContent: 'floorwalker cannot be asked right now. The page shows what everybody sees.' }));
	const focused = root.activeElement?.closest('article')?.dataset.demoSlot;
	why.replaceChildren(drawFacts(given.facts), ...slots.filter((slot) => given.slots[slot]).map((slot) => drawSlot(slot, given.slots[slot])));
	for (const slot of folds) why.querySelector(`[data-demo-slot="${CSS.escape(slot)}"] details`)?.setAttribute('open', '');
	if (focused) why.querySelector(`[data-demo-slot="${CSS.escape(focused)}"] .slot`)?.focus({ preventScroll: true });
	at('panel').scrollTop = scrolled;
}

// --- Start

let histories = [{ id: 'first', label: 'First visit', events: [] }];

async function start() {
	const told = await fetch('visitors.json').then((answer) => (answer.ok ? answer.json() : {})).catch(() => ({}));
	histories = told.histories ?? histories;
	const now = present(), somebody = told.visitors?.find(({ id }) => id === now.visitor)?.label;
	const style = make('link', { rel: 'stylesheet', href: '/demo/panel.css' });
	root.append(style, drawBar(somebody ?? `${countries[now.country] ?? now.country}, ${(devices[now.device] ?? now.device).toLowerCase()}`), drawPanel(told));
	style.addEventListener('load', () => { host.hidden = false; restoreFocus(); });
	at('toggle').addEventListener('click', () => { show(!isOpen()); if (isOpen()) at('close').focus(); });
	at('close').addEventListener('click', () => { show(false); at('toggle').focus(); });
	root.addEventListener('keydown', (event) => {
		if (event.key !== 'Escape' || !isOpen()) return;
		show(false);
		at('toggle').focus();
	});
	show(isOpen());
	document.documentElement.insertBefore(host, document.body);
	// What the page shows has changed, or is settled.
	let soon = 0;
	const changed = () => { clearTimeout(soon); soon = setTimeout(explain, 200); };
	const observer = new MutationObserver((seen) => { if (seen.some(({ target }) => target.closest('[data-fw-slot]'))) changed(); });
	observer.observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ['data-fw'] });
}

// Whoever chose with the keyboard goes on where he was.
function restoreFocus() {
	let was = '';
	try {
		was = sessionStorage.getItem('demo.focus') ?? '';
		sessionStorage.removeItem('demo.focus');
	} catch { return; }
	if (was && isOpen()) (root.querySelector(`[data-visitor="${CSS.escape(was)}"]`) ?? at(was))?.focus({ preventScroll: true });
}

start();
