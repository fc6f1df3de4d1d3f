// Draws what the rules decide, and tells what is done on the page. Quarterbell is no shop: a step of the checklist is told as a product
// of the category "setup". Its help is read: `Product Viewed`. It is ticked off: `Product Added`. The program saw it happen: `Order Completed`.
//
// Whoever refused to be remembered is told of to nobody. What is ticked off then is known to this page alone, and the role goes along
// with the question as the kind of page, which is kept nowhere.

const tell = (...call) => (window.fw ||= []).push(call);
const $ = (id) => document.getElementById(id);

function make(name, attributes = {}, ...children) {
	const element = document.createElement(name);
	for (const [key, value] of Object.entries(attributes)) if (value !== undefined && value !== false) element.setAttribute(key, value);
	element.append(...children.filter((child) => child !== undefined && child !== ''));
	return element;
}
const picture = (name, alt, width, height) => make('img', { src: `pictures/${name}.svg`, alt, width, height });

function isRemembered() {
	const kept = document.cookie.split('; ').find((pair) => pair.startsWith('fw_consent='));
	try {
		return JSON.parse(decodeURIComponent(kept.slice('fw_consent='.length))).analytics === true;
	} catch {
		return false;
	}
}

function say(text, focus) {
	$('said').textContent = text;
	if (focus) $('said').focus(); // a slot with the focus in it would be left as it is
	setTimeout(() => { if ($('said').textContent === text) $('said').textContent = ''; }, 5000);
}

/* ---- The checklist ---- */

const mine = new Map();   // what was done on this page, before the answer knows it
const opened = new Set(); // whose help is open
const steps = document.querySelector('.steps');
const rows = () => [...steps.querySelectorAll('.step')];

function row({ id, title, text, how, minutes, seen, state }) {
	return make('li', { class: 'step', 'data-step': id, 'data-state': mine.get(id) ?? state, 'data-minutes': minutes, 'data-seen': seen ? '' : undefined },
		make('button', { class: 'tick', type: 'button', 'aria-label': `Done: ${title}` }),
		make('div', {},
			make('h3', {}, title), make('p', {}, text),
			make('details', { open: opened.has(id) ? '' : undefined }, make('summary', {}, 'How', make('span', { class: 'hidden' }, `: ${title}`)), make('p', {}, how))),
		make('span', { class: 'minutes' }, `${minutes} min`));
}

// What follows from the states of the steps: the bar, which is next, and a hint that is done already.
function sync() {
	const all = rows(), open = all.filter((li) => li.dataset.state !== 'done');
	const left = open.reduce((sum, li) => sum + Number(li.dataset.minutes), 0);
	for (const li of all) {
		const done = li.dataset.state === 'done';
		li.classList.toggle('next', li === open[0]);
		li.querySelector('.tick').setAttribute('aria-pressed', done);
		li.querySelector('summary').firstChild.data = li.dataset.state === 'looked-at' ? 'How, looked at' : 'How';
		li.querySelector('.minutes').textContent = done ? 'done' : `${li.dataset.minutes} min`;
	}
	$('bar').max = all.length;
	$('bar').value = all.length - open.length;
	const text = `${all.length - open.length} of ${all.length} done` + (left ? `, about ${left} min left` : '');
	if ($('progress').textContent !== text) $('progress').textContent = text;
	const hint = document.querySelector('.hint'), about = hint.dataset.step;
	if (about && mine.get(about) === 'done' && open[0] && open[0].dataset.step !== about)
		hint.replaceChildren(...hintOf({ title: open[0].querySelector('h3').textContent, text: 'This is the best to do now.',
			minutes: open[0].dataset.minutes, step: open[0].dataset.step, action: 'Show me how' }, hint));
}

function change(li, state) {
	mine.set(li.dataset.step, state);
	li.dataset.state = state;
	sync();
}

function tick(li) {
	const { step, seen } = li.dataset;
	if (li.dataset.state === 'done') return;
	const what = { product_id: step, category: 'setup', name: li.querySelector('h3').textContent, quantity: 1 };
	if (seen === undefined) tell('track', 'Product Added', what);
	else tell('track', 'Order Completed', { order_id: `setup-${step}`, products: [what] });
	change(li, 'done');
}

function look(li) {
	opened.add(li.dataset.step);
	tell('track', 'Product Viewed', { product_id: li.dataset.step, category: 'setup', name: li.querySelector('h3').textContent });
	if (li.dataset.state === 'open') change(li, 'looked-at');
}

steps.addEventListener('click', ({ target }) => {
	const li = target.closest('.step'), summary = target.closest('summary');
	if (target.closest('.tick')) tick(li);
	else if (summary?.parentElement.open) opened.delete(li.dataset.step);
	else if (summary) look(li);
});

tell('render', 'onboarding.checklist', (content, element) => {
	element.replaceChildren(...content.steps.map(row));
	fillIn(content.you ?? {});
	sync();
});

/* ---- Who somebody is ---- */

const sizes = [[10, '3'], [99, '30'], [249, '150'], [Infinity, '400']];
const cannotBuy = ['operations', 'developer'];

// What the answer knows of somebody; a field that somebody is in is left alone.
function fillIn({ role, size, goal }) {
	const known = { role, size: size && sizes.find(([most]) => size <= most)[1], goal };
	for (const [name, value] of Object.entries(known)) {
		const field = $('you').elements[name];
		if (value && field !== document.activeElement && !field.dataset.told) field.value = value;
	}
}

$('you').addEventListener('submit', (event) => event.preventDefault());
$('you').addEventListener('change', ({ target }) => {
	const { role, size, goal } = Object.fromEntries(new FormData($('you')));
	target.dataset.told = '';
	if (isRemembered()) {
		// A trait that is null is none any more. `cannot_buy` is there only of those who may not: the guard on offers asks for it.
		tell('identify', null, { plan: 'trial', role: role || null, company_size: Number(size) || null, goal: goal || null,
			cannot_buy: cannotBuy.includes(role) || null });
		$('you-told').textContent = 'Told. The list below is yours now.';
		// A page whose answer came too late follows nothing, and asks again once this is told.
		if (['late', 'off'].includes(steps.dataset.fw)) setTimeout(askAgain, 500, role);
	} else {
		document.body.dataset.fwPageType = role ? `setup-${role}` : 'home';
		askAgain(role);
		$('you-told').textContent = 'The list follows your role, and nobody keeps it.';
	}
});

// Another address is another view of the page, and all of it is asked anew.
function askAgain(role) {
	const address = new URL(location.href);
	if (role) address.searchParams.set('setup', role);
	else address.searchParams.delete('setup');
	history.replaceState(history.state, '', address);
}

// Come back to, or opened anew: the address still says it.
const said = new URLSearchParams(location.search).get('setup');
if (said && !isRemembered() && $('you').elements.role.querySelector(`[value="${CSS.escape(said)}"]`)) {
	document.body.dataset.fwPageType = `setup-${said}`;
	fillIn({ role: said });
}

/* ---- The places around it ---- */

function hintOf({ title, text, minutes, step, action, target }, element) {
	if (step) element.dataset.step = step;
	else delete element.dataset.step;
	return [
		make('p', { class: 'label' }, minutes ? `Next, ${minutes} min` : 'Next'), make('h2', {}, title), make('p', {}, text),
		step ? make('button', { class: 'button', type: 'button', 'data-shows': step }, action) : make('a', { class: 'button', href: target }, action),
	];
}

tell('render', 'onboarding.hint', (content, element) => {
	element.replaceChildren(...hintOf(content, element));
	sync();
});

document.querySelector('.hint').addEventListener('click', ({ target }) => {
	const li = rows().find(({ dataset }) => dataset.step === target.dataset.shows);
	if (!li) return;
	const details = li.querySelector('details');
	if (!details.open) {
		details.open = true;
		look(li);
	}
	details.firstElementChild.focus({ preventScroll: true });
	li.scrollIntoView({ block: 'center' });
});

tell('render', 'onboarding.welcome', ({ title, text, picture: name }, element) => {
	const alts = {
		week: 'A week of shifts for four people', team: 'Three people who talk about a shift', costs: 'What each day of a week costs, with the budget as a line',
		sites: 'Three shops that share one plan', code: 'A window with a request in it, and a key', done: 'A list of which nearly all is ticked off',
	};
	element.replaceChildren(make('div', {}, make('h1', {}, title), make('p', {}, text)), picture(name, alts[name] ?? '', 480, 300));
});

tell('render', 'onboarding.banner', ({ kind, text, action, link }, element) => {
	element.replaceChildren(make('p', { 'data-kind': kind }, `${text} `, make('a', { href: link }, action)));
});

// The step may not be among those that are shown.
document.querySelector('.banner').addEventListener('click', ({ target }) => {
	if (target.hash === '#step-phones') rows().find(({ dataset }) => dataset.step === 'phones')?.scrollIntoView({ block: 'center' });
});

tell('render', 'onboarding.video', ({ title, text, length, picture: name }, element) => {
	element.replaceChildren(make('button', { class: 'play', type: 'button', 'aria-label': `Play: ${title}` }, picture(name, '', 320, 180)),
		make('h2', {}, title), make('p', {}, `${text} `, make('span', { class: 'length' }, length)));
});

document.querySelector('.film').addEventListener('click', ({ target }) => {
	const play = target.closest('.play');
	if (!play) return;
	const plays = play.getAttribute('aria-pressed') !== 'true';
	play.setAttribute('aria-pressed', plays);
	if (!plays) return;
	const { textContent: name } = document.querySelector('.film h2');
	tell('track', 'Product Clicked', { product_id: `film-${name.toLowerCase().replace(/[^a-z]+/g, '-')}`, category: 'films', name });
	say('Here the film would play. The picture is all there is.');
});

const addresses = { docs: '#docs', write: 'mailto:hello@quarterbell.example' };

tell('render', 'onboarding.help', ({ kind, title, text, action, picture: name }, element) => {
	const buttons = kind === 'call'
		? [make('button', { class: 'button quiet', type: 'button', 'data-help': 'call' }, action),
			make('button', { class: 'plain', type: 'button', 'data-help': 'none' }, 'No calls, please')]
		: [make('a', { class: 'button quiet', href: addresses[kind] }, action)];
	element.replaceChildren(picture(name, '', 64, 64), make('h2', {}, title), make('p', {}, text), make('div', {}, ...buttons));
});

$('help').addEventListener('click', ({ target }) => {
	if (target.dataset.help === 'call') say('The telephone rings in a minute. Here it would.', true);
	if (target.dataset.help !== 'none') return;
	tell('identify', null, { no_calls: true });
	say('Noted: no calls.', true);
});

tell('render', 'onboarding.upgrade', ({ title, text, price, action, link }, element) => {
	element.replaceChildren(make('div', {}, make('h2', {}, title), ...price ? [make('p', { class: 'price' }, price)] : [], make('p', {}, text)),
		make('a', { class: price ? 'button' : 'button quiet', href: link }, action));
});

sync();
