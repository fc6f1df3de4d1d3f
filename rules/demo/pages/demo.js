// What the demo adds to each site, at the page's edge: the switcher "Who am I", and "Why do I see this" from /v1/explain. It is no part
// of a site: it stands before the body, in a shadow tree, so that neither's style reaches the other.

import { drawFacts, drawSlot, make } from './why.js';

const { site } = document.body.dataset;
const countries = {
	DE: 'Germany', AT: 'Austria', CH: 'Switzerland', FR: 'France', GB: 'United Kingdom', NO: 'Norway', SE: 'Sweden', US: 'United States',
	CA: 'Canada', JP: 'Japan', AU: 'Australia',
};
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
	const context = {
		consent: { categoryPreferences: Object.fromEntries(purposes.map((purpose) => [purpose, true])) },
		page: { url: location.origin + location.pathname, path: location.pathname },
	};
	const now = Date.now();
	const common = (minutesAgo) => ({ anonymousId, messageId: random(), timestamp: new Date(now - minutesAgo * 60000).toISOString(), context });
	const batch = events.map(({ event, properties, minutesAgo = 5 }) => ({ type: 'track', event, properties, ...common(minutesAgo) }));
	if (identify) batch.push({ type: 'identify', traits: identify.traits, ...common(1) });
	if (!batch.length) return;
	const answer = await fetch('/v1/batch', { method: 'POST', body: JSON.stringify({ writeKey, batch, sentAt: new Date(now).toISOString() }) });
	const { accepted, rejected = [] } = await answer.json();
	if (accepted !== batch.length) throw Error(`of ${batch.length} events ${accepted ?? 0} were taken: ${rejected[0]?.message ?? answer.status}`);
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

const host = make('div', { id: 'demo', hidden: true });
const root = host.attachShadow({ mode: 'open' });
const at = (id) => root.getElementById(id);
const isOpen = () => document.documentElement.hasAttribute('data-demo-open');

function choose(id, label, options, chosen) {
	const all = Object.entries(options).map(([value, text]) => make('option', { value, textContent: text, selected: value === chosen }));
	return make('p', { className: 'field' }, make('label', { htmlFor: id, textContent: label }), make('select', { id, name: id }, all));
}

function drawBar(name) {
	const links = Object.entries(sites).map(([id, text]) => make('a', {
		href: `/${id}/`, textContent: text, attributes: id === site ? { 'aria-current': 'page' } : {},
	}));
	const toggle = make('button', { id: 'toggle', type: 'button', attributes: { 'aria-expanded': 'false', 'aria-controls': 'panel' } },
		make('span', { textContent: 'Who am I?' }), make('small', { textContent: name }));
	return make('nav', { className: 'bar', ariaLabel: 'Demo' },
		make('a', { href: '/', className: 'home', textContent: 'floorwalker' }), make('span', { className: 'sites' }, links), toggle);
}

// A visitor in a line.
const inWords = ({ country, device, source, consent }) => [countries[country], devices[device].toLowerCase(), sources[source][0].toLowerCase(),
	consents[consent].toLowerCase()].join(' · ');

function drawPanel({ visitors = [], about = '' }) {
	const now = present();
	const buttons = visitors.map((visitor) => make('button', {
		type: 'button', className: 'visitor', dataset: { visitor: visitor.id }, attributes: { 'aria-pressed': String(visitor.id === now.visitor) },
		onclick: () => change({ ...visitor, visitor: visitor.id }),
	}, make('b', { textContent: visitor.label }), make('span', { textContent: inWords(visitor) })));
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
		make('header', {}, make('h2', { textContent: 'Who am I?' }),
			make('button', { id: 'close', type: 'button', className: 'close', ariaLabel: 'Close', textContent: '×' })),
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

// --- Why do I see this

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
	const name = somebody ?? `${countries[now.country] ?? now.country}, ${(devices[now.device] ?? now.device).toLowerCase()}`;
	root.append(style, drawBar(name), drawPanel(told));
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
