// The store's home page: draws what the rules say into its slots, and tells what is done on it. The words of a rule come with its
// content; those that go with a picture, and never change, stand here.

window.fw ??= []; // floorwalker's script takes the queue over at any moment, or never comes
const call = (...what) => window.fw.push(what);

const make = (name, fields = {}, ...children) => {
	const { dataset = {}, ...rest } = fields;
	const element = Object.assign(document.createElement(name), rest);
	Object.assign(element.dataset, dataset);
	element.append(...children.flat().filter((child) => child !== undefined && child !== ''));
	return element;
};

// --- What the shop sells

const pictures = {
	'B-1': 'boot', 'B-2': 'boot-lined', 'B-3': 'boot-mountain', 'SKU-8': 'shoe', 'SKU-31': 'boot-light', 'J-4': 'jacket', 'T-1': 'tent', 'T-2': 'tent', 'T-4': 'tent-tunnel',
	'C-1': 'harness', 'hut-lamp': 'lamp', 'care-kit': 'care', 'water-filter': 'filter', 'mulled-wine-box': 'wine', 'S-1': 'socks',
};
const texts = {
	boots: 'Stitched to be resoled. We wax each pair once before it leaves.',
	jackets: 'Down from birds that were not plucked alive, under cloth that keeps wind out.',
	tents: 'Stands in four minutes, and in a storm.',
};
const bestsellers = ['B-1', 'J-4', 'T-1', 'hut-lamp'];
const money = new Intl.NumberFormat('en-IE', { style: 'currency', currency: 'EUR' });

async function load() {
	const answer = await fetch('products.jsonl').catch(() => null);
	const lines = answer?.ok ? (await answer.text()).split('\n').filter(Boolean) : [];
	return lines.map((line) => {
		const { id, title, price, sale_price: sale, availability, product_type: type, brand } = JSON.parse(line);
		const category = type.split('>').pop().trim().toLowerCase();
		return { id, title, brand, category, price: parseFloat(sale ?? price), before: sale && parseFloat(price), there: availability === 'in_stock' };
	});
}

const told = ({ id, title, brand, price, category }) => ({ product_id: id, name: title, brand, price, category, currency: 'EUR' });

function tile(p) {
	return make('li', { className: 'tile', dataset: { product: p.id } },
		make('img', { src: `pictures/${pictures[p.id] ?? 'socks'}.svg`, alt: '', width: 240, height: 200 }),
		make('h3', {}, make('button', { type: 'button', textContent: p.title, onclick: () => open(p) })), make('p', { textContent: p.brand ?? p.category }),
		make('p', { className: 'price' }, p.before ? [make('del', { textContent: money.format(p.before) }), ' '] : '', money.format(p.price)),
		p.there ? make('button', { type: 'button', className: 'add', textContent: 'Add', ariaLabel: `Add ${p.title} to the cart`, onclick: () => add(p) })
			: make('span', { className: 'out soft', textContent: 'Sold out' }));
}

let quiet = 0;
function say(text) {
	document.getElementById('said').textContent = text;
	clearTimeout(quiet);
	quiet = setTimeout(() => { document.getElementById('said').textContent = ''; }, 4000);
}

function add(p) {
	call('track', 'Product Added', { ...told(p), quantity: 1 });
	say(`${p.title} is in your cart.`);
}

let looked;
function open(p) {
	const at = (part) => document.getElementById(`product-${part}`);
	call('track', 'Product Viewed', told(p));
	looked = p;
	at('picture').src = `pictures/${pictures[p.id] ?? 'socks'}.svg`;
	at('brand').textContent = p.brand ?? '';
	at('title').textContent = p.title;
	at('text').textContent = texts[p.category] ?? 'Made to be used for years, and mended when it has been.';
	at('price').textContent = money.format(p.price);
	at('add').hidden = !p.there;
	document.getElementById('product').showModal();
}

document.getElementById('product-add').addEventListener('click', () => {
	add(looked);
	document.getElementById('product').close();
});

// --- The slots

const heroes = {
	'winter-collection': ['winter', 'A hut with lit windows below snowy peaks', 'The winter collection', 'Wool, down and waxed leather, for days on which nobody else is out.', 'See the collection'],
	'black-friday': ['sale', 'A price tag', 'Four days', 'Once a year, and never on what is already reduced.', 'To the sale'],
	'early-access': ['sale', 'A price tag', 'Before everybody else', 'You were here before. So you may choose first.', 'To the sale'],
	boots: ['boots', 'Two leather boots', 'You came back for these', 'The ones you looked at are below. Sole, lining and weight side by side, and a person to ask.', 'Compare them'],
	'first-snow': ['snow', 'Somebody with poles in falling snow', 'First snow', 'The jacket from the picture, and what belongs below it.', 'See the collection'],
	newsletter: ['letter', 'An opened letter with a picture of mountains', 'Aus unserem Brief', 'Was im Brief stand, steht hier noch einmal.', 'Zum Neuen'],
	outerwear: ['outerwear', 'Two jackets on a rail', 'For where you are', 'Shells and down for places where winter is not a season but a matter of fact.', 'See outerwear'],
	'summer-trails': ['summer', 'Somebody walking on a sunlit trail', 'Summer on your side', 'Light packs, wide hats, shoes that breathe.', 'See summer'],
	'advent-calendar': ['advent', 'A house whose windows are doors of a calendar', 'Until Christmas', 'Behind each door something small, made by us.', 'Open today’s door'],
	'by-the-fire': ['fire', 'A fire beside a tent at night', 'It is late', 'A story from the hut, for whoever is still up.', 'Read it'],
	'new-since-last-time': ['tents', 'Two tents in evening light', 'Good to see you again', 'What came in while you were out.', 'See what is new'],
	'what-is-new': ['tents', 'Two tents in evening light', 'It has been a while', 'A repair workshop by mail, boots that can be resoled, tents for hire.', 'See what is new'],
	'how-we-work': ['workshop', 'A workbench with a boot on it', 'New here?', 'We make few things, wear them for a winter before we sell them, and mend them afterwards.', 'How we work'],
	nordlys: ['nordlys', 'Northern lights over a tent', 'Your favourite', 'The new season of the maker you keep looking at.', 'See Nordlys'],
};

function hero({ banner, headline, name }, element) {
	const [picture, alt, kicker, text, button] = heroes[banner] ?? heroes['winter-collection'];
	element.replaceChildren(make('img', { src: `pictures/${picture}.svg`, alt, width: 800, height: 520 }),
		make('div', { className: 'words' }, make('p', { className: 'kicker', textContent: name ? `${kicker}, ${name}` : kicker }), make('h1', { textContent: headline }),
			make('p', { textContent: text }), make('a', { className: 'button', href: '#all', textContent: button })));
}

const icon = (path) => {
	const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg'), line = document.createElementNS(svg.namespaceURI, 'path');
	svg.setAttribute('viewBox', '0 0 24 24');
	svg.setAttribute('aria-hidden', 'true');
	line.setAttribute('d', path);
	svg.append(line);
	return svg;
};
const icons = {
	offer: 'M4 12V4h8l8 8-8 8zM8.5 8.5v.1', parcel: 'M3 8l9-5 9 5v8l-9 5-9-5zM3 8l9 5 9-5M12 13v8',
	back: 'M4 10h11a5 5 0 010 10h-3M8 6l-4 4 4 4', phone: 'M8 2h8v20H8zM11 19h2',
	gift: 'M4 10h16v10H4zM4 10V7h16v3M12 7v13M12 7c-5-6-8 0 0 0 8 0 5-6 0 0', cart: 'M3 4h3l3 11h9l3-8H7M10 20v.1M17 20v.1',
	star: 'M12 3l3 6 6 1-4.5 4.5 1 6.5-5.5-3-5.5 3 1-6.5L3 10l6-1z', book: 'M12 6c-3-2-6-2-8-1v13c2-1 5-1 8 1 3-2 6-2 8-1V5c-2-1-5-1-8 1zM12 6v13',
};
const notes = {
	'order-by-two': ['parcel'], 'duties-included': ['parcel'], 'free-returns': ['back'], 'personal-adviser': ['star'], catalogue: ['book'],
	'crampon-guide': ['book'], 'tent-advice': ['book'], 'gift-cards': ['gift', () => 'Gift cards, by post or by mail'],
	'get-the-app': ['phone', ({ store }) => `Nordkamm in your pocket: get it from the ${store === 'play' ? 'Play store' : 'App Store'}`],
	'cart-waiting': ['cart', ({ items, total }) => `${items} ${items === 1 ? 'thing waits' : 'things wait'} in your cart: ${money.format(total)}`],
};
const offers = { 'free-shipping': 'Free delivery for this order', 'nordlys-bundle': 'Three from Nordlys, the cheapest for half' };

function strip(content, element, { winners }) {
	element.replaceChildren(...winners.map(({ rule, content: { note, offer, text, link, ...more } }) => {
		const [picture = 'star', words] = notes[note] ?? [offer ? 'offer' : 'star'];
		const said = text ?? words?.(more) ?? offers[offer] ?? note ?? offer;
		return make('li', { className: offer ? 'offer' : '', dataset: { fwRule: rule } }, icon(icons[picture]),
			link ? make('a', { href: '#all', textContent: said }) : make('span', { textContent: said }));
	}));
}

const links = (menu) => make('ul', {}, menu.map((name) => make('li', {}, make('a', { href: '#all', textContent: name }))));

function navigation({ menu, style }, element) {
	element.replaceChildren(style === 'folded' ? make('details', {}, make('summary', { textContent: 'Menu' }), links(menu)) : links(menu));
}

// How it is laid out is one slot and what stands in it another; both are answered together.
let columns = 3;
function layout(content, element) {
	columns = content.columns;
	document.querySelector('.hero').dataset.shape = content.hero;
	document.querySelector('.tiles').dataset.columns = columns;
	element.textContent = { 1: 'One column', 2: 'Two columns' }[columns] ?? 'Three columns';
}

const row = (products) => ({ list, headline }, element) => {
	const wanted = list === 'bestsellers' ? bestsellers : [...products.filter(({ category }) => category === list).map(({ id }) => id), ...bestsellers];
	const found = [...new Set(wanted)].map((id) => products.find((p) => p.id === id)).filter((p) => p?.there).slice(0, columns === 2 ? 4 : 3);
	element.dataset.columns = columns;
	element.replaceChildren(make('h2', { id: 'row-title', textContent: headline }), make('ul', {}, found.map(tile)));
};

function account({ tier, text, missing }, element) {
	const next = { member: 'silver', silver: 'gold' }[tier], goal = { member: 600, silver: 1500 }[tier];
	element.dataset.tier = tier;
	element.replaceChildren(make('h2', { textContent: tier === 'none' ? 'Nordkamm for members' : `You are ${tier === 'member' ? 'a member' : tier}` }),
		make('p', { textContent: next && missing > 0 ? `${text}. ${money.format(missing)} until ${next}.` : `${text}.` }),
		next && missing > 0 ? make('progress', { max: goal, value: goal - missing, ariaLabel: `The way to ${next}` }) : '');
}

function cart({ note, missing, price: wrap, text }, element) {
	const words = {
		'almost-free-shipping': `${money.format(missing ?? 0)} more, and it ships free.`, 'gift-wrap': `We wrap it, for ${money.format(wrap ?? 0)}.`,
	};
	element.replaceChildren(make('h2', { textContent: 'Your cart' }), make('p', { textContent: words[note] ?? `${text}.` }));
}

function partners({ text, link }, element) {
	const there = text && make('a', { href: link, rel: 'noopener noreferrer', textContent: text });
	if (there) element.replaceChildren(make('h2', { textContent: 'From our partners' }), make('p', {}, there));
	else element.replaceChildren(make('h2', { textContent: 'Just us' }), make('p', { textContent: 'Nobody else learns that you were here.' }));
}

const privacy = ({ text, link }, element) => element.replaceChildren(make('a', { href: link, textContent: text }));

// A box in the corner, and a layer: nobody's focus is taken, and both go away.
const ask = (title, yes, thanks, event) => ({ text }, element) => {
	const away = () => element.replaceChildren();
	const agree = () => {
		if (event) call('track', event, {});
		away();
		say(thanks);
	};
	element.replaceChildren(make('button', { type: 'button', className: 'close', ariaLabel: 'Close', textContent: '×', onclick: away }),
		make('h2', { textContent: title }), make('p', { textContent: text }), make('button', { type: 'button', className: 'button', textContent: yes, onclick: agree }));
};
const layers = {
	newsletter: ask('A letter now and then', 'Yes, write to me', 'Thank you. The next one is yours.', 'Newsletter Subscribed'),
	'hold-my-cart': ask('Take your time', 'Keep them for me', 'They are yours until tomorrow.'),
	chat: ask('Somebody is here', 'Ask a person', 'In a real store somebody would answer now.'),
	survey: ask('After some weeks outdoors', 'Tell us', 'Thank you. That helps the next one to choose.'),
};
const layer = (content, element) => layers[content.layer ?? content.widget]?.(content, element);

for (const [slot, draw] of Object.entries({
	'home.layout': layout, 'home.hero': hero, 'home.strip': strip, navigation, 'account.card': account, 'cart.note': cart, 'home.partners': partners,
	'footer.privacy': privacy, 'page.corner': layer, 'page.overlay': layer,
})) call('render', slot, draw);

// --- The list, and the search in it

const products = await load();
if (products.length) call('render', 'home.row', row(products));
const list = document.getElementById('products');
list.replaceChildren(...products.map(tile));

document.getElementById('search').addEventListener('submit', (event) => {
	event.preventDefault();
	const term = document.getElementById('term').value.trim().toLowerCase();
	if (term) call('track', 'Products Searched', { query: term });
	const found = products.filter((p) => `${p.title} ${p.brand ?? ''} ${p.category}`.toLowerCase().includes(term));
	for (const item of list.children) item.hidden = !found.some(({ id }) => id === item.dataset.product);
	const none = document.getElementById('none');
	none.hidden = found.length > 0;
	none.textContent = `Nothing here is called “${term}”. We have written it down.`;
	document.getElementById('all').scrollIntoView();
});
