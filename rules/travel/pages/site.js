// The travel site's page. What is shown where is decided by the rules beside it; this script draws what they say, makes the filters
// work, and tells what is searched for, looked at and begun. In the words of the trade's events a journey is a product and its kind
// (beach, city, snow, hiking) the category.

const tell = (...call) => (window.fw ||= []).push(call);
const find = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];

// A small element: make('p', { class: 'text' }, 'words', another element …)
function make(name, attributes = {}, ...children) {
	const element = document.createElement(name);
	for (const [key, value] of Object.entries(attributes)) if (value !== undefined && value !== false) element.setAttribute(key, value === true ? '' : value);
	element.append(...children.filter((child) => child != null));
	return element;
}

const journeys = new Map();                    // all that the page has heard of, by id
const state = { currency: 'EUR', rate: 1, list: [], order: 'plain', filters: {}, words: [], party: undefined, text: '', reminder: null, airports: [] };
const PARTIES = ['family', 'couple', 'solo', 'group'];

/* Prices */

function money(euro) {
	const value = Math.round((euro * state.rate) / 10) * 10;
	return new Intl.NumberFormat(document.documentElement.lang, { style: 'currency', currency: state.currency, maximumFractionDigits: 0 }).format(value);
}

const price = (euro) => make('b', { 'data-euro': euro }, money(euro));

function reprice() {
	for (const element of all('[data-euro]')) element.textContent = money(Number(element.dataset.euro));
	for (const option of all('option[data-most]')) option.textContent = `up to ${money(Number(option.dataset.most))}`;
}

/* Journeys */

const AIRPORTS = {
	BER: 'Berlin', FRA: 'Frankfurt', MUC: 'Munich', VIE: 'Vienna', ZRH: 'Zurich', LGW: 'London Gatwick', MAN: 'Manchester', OSL: 'Oslo', ARN: 'Stockholm', CPH: 'Copenhagen', EWR: 'New York',
};
const KINDS = { beach: 'By the sea', city: 'Into town', snow: 'Into the snow', hiking: 'On foot' };
const PACES = ['', 'Easy', 'Steady', 'Demanding'];
const airports = (journey) => (Array.isArray(journey.airports) ? journey.airports : []); // an empty list has no kind in Lua

// The two or three things that matter most to whom the list is for.
function badges(journey) {
	const told = [];
	if (journey.adults_only) told.push('Grown-ups only');
	if (state.order === 'family') told.push(journey.min_age ? `From age ${journey.min_age}` : 'For every age');
	if (state.order === 'solo' && !journey.single) told.push('No single supplement');
	if (state.order === 'group') told.push(`Up to ${journey.group} people`);
	if (journey.pool) told.push('Pool');
	if (journey.train) told.push('By train');
	if (journey.luggage) told.push('Bags are carried');
	return told.slice(0, 2);
}

const address = (id) => {
	const query = new URLSearchParams(location.search);
	if (id) query.set('package', id);
	else query.delete('package');
	const text = query.toString();
	return location.pathname + (text ? `?${text}` : '');
};

function card(journey) {
	return make('li', { class: 'card', 'data-id': journey.id, 'data-kind': journey.kind },
		make('a', { href: address(journey.id), 'data-open': journey.id },
			make('img', { src: `pictures/${journey.id}.svg`, alt: '', width: 800, height: 600, loading: 'lazy' }),
			make('div', { class: 'words' },
				make('p', { class: 'place' }, journey.place),
				make('h3', {}, journey.name),
				make('p', { class: 'text' }, journey.text),
				make('ul', { class: 'badges' }, ...badges(journey).map((text) => make('li', {}, text))),
				make('p', { class: 'price' }, make('span', {}, `${journey.days} days`), make('span', {}, 'from ', price(journey.price))))));
}

/* The list: in the order of the answer, as far as the filters let it through */

const passes = {
	kind: (journey, value) => journey.kind === value,
	budget: (journey, value) => journey.price <= Number(value),
	pace: (journey, value) => journey.pace <= Number(value),
	airport: (journey, value) => airports(journey).includes(value),
	children: (journey, value) => journey.min_age <= Number(value),
	group: (journey, value) => journey.group >= Number(value),
	pool: (journey) => Boolean(journey.pool),
	train: (journey) => Boolean(journey.train),
	single: (journey) => !journey.single,
	luggage: (journey) => Boolean(journey.luggage),
};

const fits = (journey) => Object.entries(state.filters).every(([id, value]) => !value || passes[id](journey, value))
	&& (!state.text || `${journey.name} ${journey.place} ${journey.text}`.toLowerCase().includes(state.text));

function applyFilters() {
	const shown = state.list.filter(fits).map(({ id }) => id);
	for (const item of all('.list .card')) item.hidden = !shown.includes(item.dataset.id);
	for (const item of all('.list .card')) item.classList.toggle('first', item.dataset.id === shown[0]);
	find('.count').textContent = shown.length === state.list.length ? `${shown.length} journeys` : `${shown.length} of ${state.list.length} journeys`;
	find('.none').hidden = shown.length > 0;
}

// Cards glide to their new places, for whoever does not mind.
function glide(list, before) {
	if (!before.size || matchMedia('(prefers-reduced-motion: reduce)').matches) return;
	for (const item of list.children) {
		const old = before.get(item.dataset.id);
		if (!old || item.hidden) continue;
		const now = item.getBoundingClientRect();
		if (old.left === now.left && old.top === now.top) continue;
		item.animate([{ transform: `translate(${old.left - now.left}px, ${old.top - now.top}px)` }, { transform: 'none' }], { duration: 450, easing: 'cubic-bezier(.2, .7, .2, 1)' });
	}
}

// Who agreed to nothing is not remembered, and may search all the same: then the page sorts by itself, and forgets.
function sorted(packages, order) {
	const kinds = state.words.filter((word) => KINDS[word]);
	const party = state.party ?? state.words.find((word) => PARTIES.includes(word));
	if ((!kinds.length && !party) || (order !== 'plain' && order !== 'search')) return packages;
	const score = ({ kind, fits }) => (kinds.includes(kind) ? 4 : 0) + (fits?.[party] ?? 0);
	return [...packages].sort((a, b) => score(b) - score(a));
}

function drawList(content, element) {
	state.given = content;
	state.order = content.order;
	for (const journey of content.packages) journeys.set(journey.id, journey);
	state.list = sorted(content.packages, content.order);
	const list = find('.list', element);
	const before = new Map(all('.card', list).filter((item) => !item.hidden && item.offsetParent).map((item) => [item.dataset.id, item.getBoundingClientRect()]));
	find('#journeys-title').textContent = content.headline;
	find('.why').textContent = state.list === content.packages ? content.why : 'By your search, on this page only: nobody remembers it.';
	list.replaceChildren(...state.list.map(card));
	applyFilters();
	glide(list, before);
	route();
}

// What was given, with what the visitor has just said of it.
const drawListAgain = () => drawList(state.given, find('[data-fw-slot="travel.packages"]'));

/* Filters */

const select = (label, options) => ({ label, options });
const FILTERS = {
	kind: select('What', [['', 'Anything'], ...Object.entries(KINDS)]),
	budget: select('Price', [['', 'Any price'], ...[600, 900, 1200].map((most) => [most, '', most])]),
	pace: select('Pace', [['', 'Any pace'], ['1', 'Easy'], ['2', 'Easy or steady']]),
	children: select('Youngest traveller', [['', 'A grown-up'], ['0', 'Under 3'], ['3', '3 or 4'], ['5', '5 to 7'], ['8', '8 to 11'], ['12', '12 or older']]),
	group: select('How many', [['', 'Any number'], ['8', 'Up to 8'], ['10', '9 or 10'], ['12', '11 or 12']]),
	airport: select('From', [['', 'Anywhere'], ...Object.entries(AIRPORTS)]),
	pool: { label: 'With a pool' },
	train: { label: 'Reachable by train' },
	single: { label: 'No single supplement' },
	luggage: { label: 'Bags are carried' },
};

function control(id) {
	const { label, options } = FILTERS[id];
	if (!options) {
		return make('label', { class: 'tick' }, make('input', { type: 'checkbox', name: id, checked: Boolean(state.filters[id]) }), make('span', {}, label));
	}
	const near = id === 'airport' ? state.airports : [];
	const inOrder = [...options].sort((a, b) => near.includes(b[0]) - near.includes(a[0])).sort((a, b) => (b[0] === '') - (a[0] === ''));
	const field = make('select', { name: id }, ...inOrder.map(([value, text, most]) => make('option', { value, 'data-most': most, selected: String(value) === (state.filters[id] ?? '') }, most ? `up to ${money(most)}` : text)));
	return make('label', { class: 'pick' }, make('span', {}, label), field);
}

function drawFilters(content, element) {
	state.airports = content.airports ?? [];
	const first = content.filters.filter((id) => FILTERS[id]);
	const more = Object.keys(FILTERS).filter((id) => !first.includes(id));
	element.replaceChildren(
		make('div', { class: 'row' }, ...first.map(control)),
		make('details', { class: 'more', open: more.some((id) => state.filters[id]) }, make('summary', {}, 'More filters'), make('div', { class: 'row' }, ...more.map(control))));
}

/* One journey */

function fact(name, value) {
	return make('div', {}, make('dt', {}, name), make('dd', {}, value));
}

function drawJourney(journey) {
	const from = [...airports(journey).map((code) => AIRPORTS[code]), ...(journey.train ? ['by train'] : [])].join(', ');
	find('#journey').replaceChildren(
		make('p', { class: 'back' }, make('a', { href: address(null), 'data-open': '' }, '← All journeys')),
		make('div', { class: 'sheet' },
			make('img', { src: `pictures/${journey.id}.svg`, alt: `A drawing: ${journey.name}, ${journey.place}`, width: 800, height: 600 }),
			make('div', { class: 'words' },
				make('p', { class: 'place' }, journey.place),
				make('h1', { tabindex: -1 }, journey.name),
				make('p', { class: 'text' }, journey.text),
				make('dl', {},
					fact('Days', String(journey.days)),
					fact('Kind', KINDS[journey.kind]),
					fact('Pace', PACES[journey.pace]),
					fact('From', from),
					fact('For', journey.min_age ? `${journey.min_age} years and older` : 'Every age'),
					fact('Group', `${journey.group} at most`),
					fact('Single room', journey.single ? price(journey.single) : 'No supplement'),
					fact('Bags', journey.luggage ? 'Are carried' : 'You carry your own')),
				make('p', { class: 'price' }, 'from ', price(journey.price), ' each'),
				make('div', { class: 'booking' }))));
	drawBooking(journey);
}

const begun = new Set();

function drawBooking(journey) {
	const place = find('#journey .booking');
	const button = (text, kind, act) => { const b = make('button', { type: 'button', class: kind }, text); b.addEventListener('click', act); return b; };
	const product = { product_id: journey.id, category: journey.kind, price: journey.price, name: journey.name, quantity: 1 };
	if (!begun.has(journey.id)) {
		place.replaceChildren(button('Begin a booking', 'strong', () => {
			begun.add(journey.id);
			tell('track', 'Product Added', product);
			tell('track', 'Booking Started', { package: journey.id, name: journey.name });
			drawBooking(journey);
			find('button', place).focus();
		}), make('p', { class: 'soft' }, 'Nothing is paid and nothing is binding yet.'));
		return;
	}
	const done = (text) => place.replaceChildren(make('p', { class: 'said', role: 'status' }, text));
	place.replaceChildren(
		make('p', { class: 'said', role: 'status' }, 'Begun. Your booking waits here until you finish it, or drop it.'),
		button('Finish it', 'strong', () => {
			begun.delete(journey.id);
			tell('track', 'Order Completed', { order_id: `T-${Date.now()}`, total: journey.price, products: [product] });
			done('Booked. This is an example, so nobody will be waiting at the station.');
		}),
		button('Drop it', 'quiet', () => {
			begun.delete(journey.id);
			tell('track', 'Product Removed', product);
			tell('track', 'Booking Dropped', { package: journey.id });
			done('Dropped. No hard feelings.');
		}));
}

/* Which view: the list, or one journey. The address says it, so that "back" works and a journey can be sent to somebody. */

let showing;

function route() {
	const id = new URLSearchParams(location.search).get('package') ?? '';
	document.body.dataset.fwPageType = id ? 'product' : 'home';
	document.body.classList.toggle('one', Boolean(id));
	if (id === showing) return;
	if (id && !journeys.has(id)) return; // it may come with an answer
	showing = id;
	find('#journey').hidden = !id;
	if (id) drawJourney(journeys.get(id));
	else find('#journey').replaceChildren();
	drawReminder();
}

const looked = ({ id, kind, price: euro, name }) => tell('track', 'Product Viewed', { product_id: id, category: kind, price: euro, name });

function open(id) {
	const journey = journeys.get(id);
	if (journey) looked(journey);
	const before = window.scrollY;
	if (!id) history.pushState({}, '', address(null));
	else history.pushState({ from: before }, '', address(id));
	route();
	window.scrollTo(0, id ? 0 : state.from ?? 0);
	if (id) { state.from = before; find('#journey h1')?.focus({ preventScroll: true }); }
}

document.addEventListener('click', (event) => {
	const link = event.target.closest('[data-open]');
	if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
	if (link.dataset.open && !journeys.has(link.dataset.open)) return;
	event.preventDefault();
	open(link.dataset.open);
});
addEventListener('popstate', route);

/* Hero */

const DRAWINGS = {
	'hero-coast': 'A drawing: a lighthouse over the sea in the evening, and somebody walking down to the boats',
	'hero-beach': 'A drawing: a beach with a red boat, an umbrella and white houses across the bay',
	'hero-city': 'A drawing: a town at dusk, with lit windows and a red tram',
	'hero-snow': 'A drawing: a wooden house in the snow under northern lights',
	'hero-hiking': 'A drawing: two walkers above a lake between mountains',
	'hero-family': 'A drawing: three children and a sandcastle by the sea',
};

function drawHero(content, element) {
	element.dataset.intent = content.intent;
	const picture = find('img', element);
	if (!picture.src.endsWith(`/${content.picture}.svg`)) picture.src = `pictures/${content.picture}.svg`;
	picture.alt = DRAWINGS[content.picture] ?? '';
	find('.eyebrow', element).textContent = content.eyebrow;
	find('h1', element).textContent = content.headline;
	find('.claim', element).textContent = content.claim;
}

/* Pictures, help, price */

function drawStrip(content, element, { winners }) {
	if (!winners.length) return;
	element.replaceChildren(...winners.map(({ rule, content: part }) => {
		if (part.offer) journeys.set(part.offer.id, part.offer);
		const id = part.offer?.id ?? part.journey;
		return make('li', { 'data-fw-rule': rule }, make('a', { href: address(id), 'data-open': id },
			make('img', { src: `pictures/${part.picture}.svg`, alt: '', width: 800, height: 600, loading: 'lazy' }),
			make('span', { class: 'words' }, make('b', {}, part.title), make('span', {}, part.text))));
	}));
	route();
}

const FIELDS = {
	call: (content) => [make('label', {}, 'Your number', make('input', { type: 'tel', name: 'phone', autocomplete: 'tel', value: content.prefix ? `${content.prefix} ` : '', required: true }))],
	later: () => [make('label', {}, 'Your number', make('input', { type: 'tel', name: 'phone', autocomplete: 'tel', required: true })), make('label', {}, 'At', make('select', { name: 'at' }, ...['9:00', '11:00', '14:00', '16:00'].map((at) => make('option', {}, at))))],
	write: () => [make('label', {}, 'What would you like to know?', make('textarea', { name: 'text', rows: 3, required: true }))],
};
const THANKS = { call: 'Thank you. The telephone will ring.', later: 'Thank you. We call on the next working day.', write: 'Thank you. Somebody reads it today.' };

function drawHelp(content, element) {
	const button = make('button', { type: 'button', class: 'light', 'aria-expanded': 'false' }, content.button);
	const more = make('div', { class: 'form', hidden: true });
	if (content.kind === 'ring') more.append(make('p', {}, make('a', { href: 'tel:+493023125040' }, '+49 30 23125 040')));
	else {
		const form = make('form', {}, ...FIELDS[content.kind](content), make('button', { class: 'light' }, 'Send'));
		form.addEventListener('submit', (event) => {
			event.preventDefault();
			tell('track', content.kind === 'write' ? 'Question Asked' : 'Call Requested', {});
			more.replaceChildren(make('p', { role: 'status' }, THANKS[content.kind]));
		});
		more.append(form);
	}
	button.addEventListener('click', () => {
		more.hidden = !more.hidden;
		button.setAttribute('aria-expanded', String(!more.hidden));
		if (!more.hidden) find('input, textarea, a', more)?.focus();
	});
	element.replaceChildren(make('div', {}, make('h2', {}, content.title), make('p', {}, content.text)), make('div', {}, button, more));
}

function drawPrice(content, element) {
	state.currency = content.currency;
	state.rate = content.rate;
	element.textContent = content.text;
	reprice();
}

/* The reminder: beside the journey that it speaks of, or on the home page. A promise stands there for everybody else. */

const PROMISE = { kind: 'promise', text: 'No deposit until sixty days before. Twelve people at most. By rail wherever rails go.' };
const PACKING = 'A torch, a swimsuit, a pencil, and half of the clothes that you wanted to take.';

function drawReminder() {
	const element = find('[data-fw-slot="travel.reminder"]');
	let content = state.reminder ?? PROMISE;
	const speaksOf = content.journeys ?? (content.journey ? [content.journey] : []);
	if (showing && content.kind !== 'promise' && !speaksOf.includes(showing)) content = PROMISE;
	element.dataset.kind = content.kind;
	const name = content.kind === 'started' && journeys.get(content.journey)?.name;
	const words = content.kind === 'promise'
		? make('ul', {}, ...content.text.match(/[^.]+\./g).map((sentence) => make('li', {}, sentence.trim())))
		: make('p', {}, name ? make('b', {}, `${name}. `) : null, content.text);
	element.replaceChildren(words);
	if (!content.button) return;
	const button = make('button', { type: 'button', class: 'quiet' }, content.button);
	button.addEventListener('click', () => {
		if (content.kind === 'started' && content.journey) return open(content.journey);
		if (content.kind === 'again') tell('track', 'Place Kept', { package: showing });
		if (content.kind === 'places') tell('track', 'Question Asked', { package: showing });
		words.textContent = { again: 'Kept until the day after tomorrow. You will hear no more of it.', places: 'Asked. The guide answers within a day.', packing: PACKING }[content.kind] ?? '';
		button.remove();
	});
	element.append(button);
}

/* The search. Rules ask for a search as a whole (`searched = { term = "beach" }`), so the page says what was meant: one search for each
   word that it knows, and the text itself where it knows none. */

const WORDS = [
	['beach', /^(beach|sea|seaside|coast|island|swim|strand|meer)/], ['city', /^(city|cities|town|weekend|museum|stadt)/],
	['snow', /^(snow|ski|winter|sledge|aurora|schnee)/], ['hiking', /^(hik|walk|trail|mountain|wander)/],
	['children', /^(child|kid|toddler|baby|babies|kinder)/], ['family', /^(famil)/], ['solo', /^(solo|alone|myself|single)/],
	['couple', /^(couple|two|romantic|honeymoon)/], ['group', /^(group|club|friends|team)/],
];

find('.search').addEventListener('submit', (event) => {
	event.preventDefault();
	const text = find('.search [name=q]').value.trim().toLowerCase();
	const words = [...new Set(text.split(/[^\p{L}]+/u).flatMap((word) => WORDS.find(([, known]) => known.test(word))?.[0] ?? []))];
	for (const query of words.length ? words : text ? [text] : []) tell('track', 'Products Searched', { query });
	const kind = words.findLast((word) => KINDS[word]);
	if (kind) tell('identify', null, { looking_for: kind }); // of counts nobody can tell which was the last
	state.words = words;
	state.text = words.length ? '' : text;
	drawListAgain();
	find('#journeys').scrollIntoView();
});

for (const input of all('.party input')) {
	input.addEventListener('change', () => {
		state.party = input.value;
		tell('identify', null, { party: input.value });
		drawListAgain();
	});
}

find('[data-fw-slot="travel.filters"]').addEventListener('change', ({ target }) => {
	state.filters[target.name] = target.type === 'checkbox' ? target.checked : target.value;
	applyFilters();
});

find('.none button').addEventListener('click', () => {
	state.filters = {};
	state.text = '';
	for (const field of all('[data-fw-slot="travel.filters"] select')) field.value = '';
	for (const field of all('[data-fw-slot="travel.filters"] input')) field.checked = false;
	applyFilters();
	find('.list a')?.focus();
});

/* What stands on the page is what everybody sees, and works by itself; the answer's renderers come after. */

state.list = all('.list .card').map((item) => JSON.parse(item.dataset.journey));
state.given = { order: 'plain', headline: find('#journeys-title').textContent, why: find('.why').textContent, packages: state.list };
for (const journey of state.list) journeys.set(journey.id, journey);
drawFilters({ filters: ['kind', 'budget', 'pace', 'train'] }, find('[data-fw-slot="travel.filters"]'));
drawHelp({ kind: 'write', title: 'Write to us', text: 'Jonna, Pau and Mirjam answer within a day, on Sundays, too.', button: 'Write' }, find('[data-fw-slot="travel.help"]'));
applyFilters();
route();
if (showing) looked(journeys.get(showing));

tell('render', 'travel.hero', drawHero);
tell('render', 'travel.packages', (content, element) => {
	drawList(content, element);
	const known = find(`.party input[value="${content.order}"]`); // whoever chose it before, or searched for it
	if (known) known.checked = true;
});
tell('render', 'travel.filters', drawFilters);
tell('render', 'travel.picture-strip', drawStrip);
tell('render', 'travel.help', drawHelp);
tell('render', 'travel.price-note', drawPrice);
tell('render', 'travel.reminder', (content) => { state.reminder = content; drawReminder(); });
