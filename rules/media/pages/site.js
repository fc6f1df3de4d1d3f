// Draws what floorwalker decided. What stands in the page itself is the paper as the editor made it: it is there for whoever has no
// script, and stays where no answer comes in time.
//
// A story is a product here, and its section a category: the engine's counts and shares know nothing of newspapers, and need not.

const fw = (...call) => (window.fw ||= []).push(call);
const at = (id) => document.getElementById(id);

const sections = { politics: 'Politics', economy: 'Economy', climate: 'Climate & sea', culture: 'Culture', sport: 'Sport', science: 'Science', food: 'Food' };
const pictures = {
	'sea-wall': 'A wave breaks at a tall grey sea wall; behind it stand two small houses.', tunnel: 'A ferry on the fjord, and below it, cut open, a road through the rock.',
	ferry: 'A ferry with a green sign of electricity, in front of the evening sun.', politics: 'The court house, with four columns and a red flag.', kelp: 'Fish between tall stalks of kelp, in green light.',
	shed: 'A singer in the lit gate of a wooden shed, barrels to both sides, an audience in the dark.', derby: 'A football flies in a long curve over the goalkeeper.',
	'sea-floor': 'A chart of the sea floor: a yellow river winds across lines of depth; a ship above.', rye: 'A dark loaf of rye on a table, steaming, with two ears of grain.',
	economy: 'Two ring nets in the fjord, a salmon that leaps, a boathouse.', sport: 'Four rowers in an open boat at sunrise.', ski: 'A skier in a red cap in front of snowy mountains.',
	school: 'A white school with a red roof on a small island, three children in front of it.', gloves: 'Two red gloves of a goalkeeper, on the grass.', glacier: 'A woman holds a rope that leads towards the tongue of a glacier.',
	lighthouse: 'A lighthouse at dusk, its beam to both sides, and a house with one lit window.',
	climate: 'The tail of a whale and a shoal of herring below a glacier.', culture: 'A boat full of books.', science: 'A radio mast sends towards green and violet northern lights.', food: 'An open sea urchin with a slice of lemon and dill on a plate.',
};

// An element: its fields, with data- ones under `dataset`, and what is in it.
function make(name, { dataset = {}, ...fields } = {}, ...children) {
	const element = Object.assign(document.createElement(name), fields);
	Object.assign(element.dataset, dataset);
	element.append(...children.filter((child) => child !== undefined && child !== ''));
	return element;
}

const picture = (name) => make('img', { src: `pictures/${name}.svg`, alt: pictures[name] ?? '', width: 640, height: 400, loading: 'lazy' });

// One story, as the page's own HTML has it, too.
function drawStory(story, { heading = 'h3', label, badge } = {}) {
	const tags = [label && make('span', { className: 'label', textContent: label }), badge && make('span', { className: 'badge', textContent: badge })].filter(Boolean);
	return make('article', { className: `story${story.opened ? ' opened' : ''}`, dataset: { story: story.id, section: story.section } },
		make('div', { className: 'picture' }, picture(story.picture)),
		make('div', { className: 'words' },
			make('p', { className: 'kicker' }, make('span', { className: 'section', textContent: sections[story.section] }), ...tags),
			make(heading, {}, make('a', { href: `#story/${story.id}`, textContent: story.headline })),
			make('p', { className: 'standfirst', textContent: story.standfirst }),
			make('p', { className: 'byline' }, make('span', { textContent: story.author }), make('span', { textContent: `${story.minutes} min` }))));
}

const badgeOf = (story) => (story.opened ? 'Read' : story.for_you ? 'For you' : undefined);

// --- The slots

fw('render', 'media.lead', ({ story, label }, element) => {
	element.replaceChildren(drawStory(story, { heading: 'h2', ...(story.for_you ? { badge: label } : { label }) }));
	element.querySelector('img').loading = 'eager';
	arrange();
});

const orders = {
	editor: 'In the order in which the editors put it.',
	yours: 'In your order: the sections you open come first, and what you have read goes to the end.',
};

// Two winners: what is pinned, and an order. A story stands here once.
fw('render', 'media.front', (content, element, { winners }) => {
	const list = make('ol', { className: 'front' }), seen = new Set();
	let order = 'editor';
	for (const { rule, content: { stories, label, order: said } } of winners.length ? winners : [{ content }]) {
		if (said) {
			order = said;
			list.dataset.fwRule = rule;
		}
		for (const story of stories) {
			if (seen.has(story.id)) continue;
			seen.add(story.id);
			const item = make('li', {}, drawStory(story, { label, badge: badgeOf(story) }));
			if (label) item.dataset.fwRule = rule;
			list.append(item);
		}
	}
	element.replaceChildren(make('p', { className: 'order', textContent: orders[order] }), list);
	arrange();
});

fw('render', 'media.read-on', ({ headline, stories }, element) => {
	element.replaceChildren(make('h2', { textContent: headline }), make('ul', { className: 'row' }, ...stories.map((story) => make('li', {}, drawStory(story, { badge: badgeOf(story) })))));
});

fw('render', 'media.band', ({ kind, label, text, entries }, element) => {
	const line = [make('span', { className: 'label', textContent: label }), make('span', { className: 'text', textContent: text })];
	const open = element.querySelector('details')?.open ?? false;
	element.replaceChildren(entries
		? make('details', { className: `band ${kind}`, open }, make('summary', {}, ...line), make('ol', {}, ...entries.map((e) => make('li', {}, make('b', { textContent: e.time }), make('span', { textContent: e.text })))))
		: make('p', { className: `band ${kind}` }, ...line));
});

fw('render', 'media.region', ({ place, stories }, element) => {
	element.replaceChildren(make('h2', { textContent: place }), make('ul', { className: 'briefs' }, ...stories.map((s) =>
		make('li', {}, make('p', { className: 'day', textContent: s.day }), make('h3', { textContent: s.headline }), make('p', { textContent: s.text })))));
});

fw('render', 'media.offer', ({ kind, headline, text, price, per, button, terms }, element) => {
	const answer = make('p', { className: 'terms', hidden: true, textContent: terms });
	const more = make('button', { type: 'button', textContent: button, onclick: () => { answer.hidden = !answer.hidden; more.ariaExpanded = String(!answer.hidden); } });
	more.ariaExpanded = 'false';
	element.replaceChildren(make('div', { className: `offer ${kind}` },
		make('div', { className: 'words' }, make('h2', { textContent: headline }), make('p', { textContent: text })),
		price ? make('p', { className: 'price' }, make('b', { textContent: price }), make('span', { textContent: per })) : '', more, answer));
});

fw('render', 'media.newsletter', ({ kind, headline, text, list, button }, element) => {
	const words = [make('h2', { textContent: headline }), make('p', { textContent: text })], status = make('p', { className: 'status', role: 'status' });
	if (kind !== 'sign-up') {
		const all = make('button', { type: 'button', textContent: button, onclick: () => { status.textContent = 'Sunday: Final whistle. Wednesday: Tide line. Friday: Cold kitchen.'; } });
		return element.replaceChildren(make('div', { className: 'letter' }, ...words, all, status));
	}
	const form = make('form', { className: 'letter' }, ...words,
		make('label', { htmlFor: 'letter-to', textContent: 'Your e-mail address' }),
		make('div', { className: 'field' }, make('input', { id: 'letter-to', name: 'email', type: 'email', required: true, autocomplete: 'email' }), make('button', { textContent: 'Sign up' })), status);
	form.addEventListener('submit', (event) => {
		event.preventDefault();
		form.reset();
		// A real paper's server would write to the address, and tell of the consent once that letter is answered.
		status.textContent = `Thank you. A real newspaper would now ask, by letter, whether it was you. (${list})`;
	});
	return element.replaceChildren(form);
});

// --- Sections

let chosen = '';

// What is the lead stands nowhere else, and of the front page only the chosen section is seen.
function arrange() {
	const lead = document.querySelector('.lead [data-story]')?.dataset.story;
	for (const story of document.querySelectorAll('.front [data-story]'))
		story.parentElement.hidden = (story.dataset.story === lead && chosen !== story.dataset.section) || (chosen !== '' && story.dataset.section !== chosen);
}

for (const button of document.querySelectorAll('.sections button')) button.addEventListener('click', () => {
	chosen = button.dataset.section;
	for (const other of document.querySelectorAll('.sections button')) other.ariaPressed = String(other === button);
	at('front-title').textContent = chosen ? sections[chosen] : 'The front page';
	arrange();
	if (chosen) at('front-title').scrollIntoView({ block: 'start' });
});

// --- A story, opened in its place

const reader = at('reader');
let articles, opened = '', walked = false;

async function textOf(id) {
	articles ??= fetch('articles.json').then((answer) => (answer.ok ? answer.json() : {})).catch(() => ({}));
	const all = await articles;
	return all[id] ?? ['This story could not be fetched. Perhaps you are offline; it is worth a second try.'];
}

// What a story is called stands on the page, whoever drew it.
async function open(id) {
	const story = document.querySelector(`[data-story="${CSS.escape(id)}"]`);
	if (!story || opened === id) return;
	opened = id;
	const { section } = story.dataset, said = (what) => story.querySelector(what)?.textContent ?? '';
	const [author, minutes] = [...story.querySelectorAll('.byline span')].map((part) => part.textContent);
	const headline = said('h2, h3');
	reader.dataset.section = section;
	at('reader-section').textContent = sections[section];
	at('reader-headline').textContent = headline;
	at('reader-standfirst').textContent = said('.standfirst');
	at('reader-byline').textContent = `By ${author} · ${minutes}`;
	const shown = story.querySelector('img');
	Object.assign(at('reader-picture'), { src: shown.getAttribute('src'), alt: shown.alt });
	at('reader-text').replaceChildren();
	reader.showModal();
	reader.scrollTop = 0;
	fw('track', 'Product Viewed', { product_id: id, category: section, name: headline });
	const paragraphs = await textOf(id);
	if (opened === id) at('reader-text').replaceChildren(...paragraphs.map((text) => make('p', { textContent: text })));
}

const asked = () => decodeURIComponent(location.hash.match(/^#story\/(.+)$/)?.[1] ?? '');

addEventListener('hashchange', () => {
	walked = true;
	if (asked()) open(asked());
	else if (reader.open) reader.close();
});

// The page may have been put in another order meanwhile: the focus goes to the same story, wherever that is.
reader.addEventListener('close', () => {
	const id = opened;
	opened = '';
	if (asked() && walked) history.back();
	else if (asked()) history.replaceState(null, '', location.pathname + location.search);
	requestAnimationFrame(() => [...document.querySelectorAll(`[data-story="${CSS.escape(id)}"] a`)].find((link) => link.checkVisibility())?.focus({ preventScroll: true }));
});
reader.addEventListener('click', (event) => { if (event.target === reader) reader.close(); });
at('reader-close').addEventListener('click', () => reader.close());
at('reader-end').addEventListener('click', () => reader.close());

// --- Permission

const ask = at('permission');
const said = () => document.cookie.includes('fw_consent=');
ask.hidden = said();

function answer(yes) {
	fw('consent', { analytics: yes, personalization: yes, sale: false });
	ask.hidden = true;
	at('permission-change').focus({ preventScroll: true });
}

at('permission-yes').addEventListener('click', () => answer(true));
at('permission-no').addEventListener('click', () => answer(false));
at('permission-change').addEventListener('click', () => {
	ask.hidden = false;
	at('permission-yes').focus();
});

at('today').textContent = new Date().toLocaleDateString('en-GB', { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
if (asked()) open(asked());
arrange();
