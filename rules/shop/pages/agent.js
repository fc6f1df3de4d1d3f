// The agent's view: looks a person up with a secret key and changes the consent to channels. Everything is written as text,
// so that what somebody put into a trait stays text; and neither the key nor an answer is stored anywhere.
'use strict';

(() => {
	const at = (id) => document.getElementById(id);
	const channels = ['email', 'sms', 'push'];
	const isChannel = (what) => channels.includes(what.split(':')[0]);
	let shown = ''; // the id of who is on the page, as /v1/visitors has it
	let asked = 0;  // the last question: an answer to an earlier one comes too late

	function make(name, fields = {}, ...children) {
		const element = Object.assign(document.createElement(name), fields);
		element.append(...children);
		return element;
	}

	const time = (text) => (text ? new Date(text).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' }) : '');
	const plain = (value) => (Array.isArray(value) ? value.join(', ') : value === undefined ? '' : String(value));

	// A table: its rows are lists of texts, numbers and elements. What is not there is said.
	function table(where, caption, heads, rows, none) {
		if (rows.length === 0) return at(where).replaceChildren(make('p', { className: 'soft', textContent: none }));
		const cell = (value, i) => {
			const element = make(i === 0 ? 'th' : 'td', { className: typeof value === 'number' ? 'number' : '' }, value instanceof Node ? value : plain(value));
			if (i === 0) element.scope = 'row';
			return element;
		};
		const head = make('tr', {}, ...heads.map((text, i) =>
			make('th', { scope: 'col', textContent: text, className: rows.some((row) => i && typeof row[i] === 'number') ? 'number' : '' })));
		const result = make('table', {}, make('thead', {}, head), make('tbody', {}, ...rows.map((row) => make('tr', {}, ...row.map(cell)))));
		result.setAttribute('aria-label', caption);
		return at(where).replaceChildren(result);
	}

	function list(where, items, none) {
		at(where).replaceChildren(items.length
			? make('ul', { className: 'plain' }, ...items.map((text) => make('li', { textContent: text })))
			: make('p', { className: 'soft', textContent: none }));
	}

	// Asks floorwalker: { body } or { problem }, a sentence.
	async function ask(path, body) {
		const key = at('key').value;
		const answer = await fetch(path, {
			method: body ? 'POST' : 'GET', body: body && JSON.stringify(body), cache: 'no-store', credentials: 'omit', signal: AbortSignal.timeout(15000),
			headers: { ...(body ? { 'Content-Type': 'application/json' } : {}), ...(key ? { Authorization: `Bearer ${key}` } : {}) },
		}).catch(() => null);
		if (!answer) return { problem: 'floorwalker could not be reached. Is this page of one origin with it, and does it run?' };
		const said = await answer.json().catch(() => ({}));
		if (answer.ok) return { body: said };
		const { message = `status ${answer.status}`, hint } = said.error ?? {};
		switch (answer.status) {
		case 401: return { problem: 'The key is not known. Look whether it is whole, and of this shop.' };
		case 403: return { problem: 'This key may not look people up. A secret key is needed, not the write key of the pages.' };
		case 404: return { problem: 'Nobody is known by that.' };
		case 429: return { problem: `Too many questions at once. Try again in ${answer.headers.get('retry-after') ?? 'a few'} seconds.` };
		case 502: case 503: return { problem: 'The store is out of reach at the moment. Nothing was changed; try again in a little while.' };
		default: return { problem: `That was not understood: ${message}${hint ? ` (${hint})` : ''}.` };
		}
	}

	const idOf = () => {
		const id = at('id').value.trim();
		return `${at('kind').value}:${id}`;
	};

	function showConsent(person) {
		const names = [...new Set([...channels, ...Object.keys(person.consent)])];
		const rows = names.map((what) => {
			const { state, at: when, source, text } = person.consent[what] ?? {};
			const next = state === 'granted' ? 'withdraw' : 'grant';
			const change = isChannel(what) ? make('button', { type: 'button', textContent: next === 'grant' ? 'Allow' : 'Withdraw' }) : '';
			if (change) {
				change.setAttribute('aria-label', `${change.textContent} ${what}`);
				change.dataset.what = what;
				change.addEventListener('click', () => tell(what, next));
			}
			return [what, state ?? 'never said', time(when), source ?? '', text ?? '', change];
		});
		table('consent', 'Consent', ['what', 'state', 'since', 'told by', 'words', 'change'], rows, '');
		table('log', 'Consent log', ['what', 'state', 'when', 'told by', 'words'],
			person.consentLog.map((e) => [e.what, e.state, time(e.at), e.source, e.text]), 'Nothing was said so far.');
	}

	function show(person, { timeline, unverified = [] }) {
		const { first_name: first, last_name: last, name } = person.traits;
		at('name').textContent = plain(name ?? [first, last].filter(Boolean).join(' ')) || person.id;
		at('seen').textContent = person.lastSeen ? `First seen ${time(person.firstSeen)}, last ${time(person.lastSeen)}.` : 'Never seen in the shop.';
		showConsent(person);
		list('ids', person.ids, 'No id is kept.');
		table('traits', 'Traits', ['name', 'value', ''], Object.entries(person.traits).map(([key, value]) =>
			[key, plain(value), person.claimed.includes(key) ? 'claimed: a browser told it, nobody proved it' : '']), 'Nothing.');
		list('segments', person.segments ?? [], 'In none.');
		table('cart', 'Cart', ['product', 'category', 'brand', 'pieces', 'price'],
			person.cart.products.map((p) => [p.product ?? '(no number)', p.category, p.brand, p.quantity, p.price ?? '']), 'Empty.');
		table('orders', 'Orders', ['order', 'when', 'worth', 'refunded', ''],
			person.orders.map((o) => [o.id, time(o.at), o.revenue ?? '', o.refunded ?? '', o.cancelled ? 'cancelled' : '']), 'None.');
		table('timeline', 'Timeline', ['what', 'of', 'when', ''],
			[...timeline.map((e) => [e.name ?? e.type, e.object, time(e.at), '']), ...unverified.map((e) => [e.name ?? e.type, e.object, time(e.at), 'unverified: claimed to be this customer'])],
			'Nothing is kept: the person did not agree to it, or has done nothing.');
		table('merges', 'Merges', ['was known as', 'one since', 'number'],
			(person.merges ?? []).map((m) => [m.id ? `${m.kind}:${m.id}` : `an id of kind ${m.kind}`, time(m.at), String(m.number)]), 'No.');
		at('person').hidden = false;
	}

	async function look(id, status) {
		const number = ++asked;
		const path = `/v1/visitors/${encodeURIComponent(id)}`;
		at('problem').textContent = at('status').textContent = '';
		at('person').setAttribute('aria-busy', 'true');
		const [person, timeline] = await Promise.all([ask(path), ask(`${path}/timeline`)]);
		if (number !== asked) return false;
		at('person').removeAttribute('aria-busy');
		const problem = person.problem ?? timeline.problem;
		if (problem) {
			clear();
			at('problem').textContent = problem;
			return false;
		}
		shown = id;
		show(person.body, timeline.body);
		at('status').textContent = status;
		return true;
	}

	async function tell(what, how) {
		const number = asked;
		for (const button of document.querySelectorAll('#consent button')) button.disabled = true;
		const { problem } = await ask(`/v1/visitors/${encodeURIComponent(shown)}/consent`, { [how]: [what], source: 'support' });
		if (number !== asked) return;
		if (problem) {
			for (const button of document.querySelectorAll('#consent button')) button.disabled = false;
			at('status').textContent = '';
			at('problem').textContent = problem;
		} else if (await look(shown, `${what}: ${how === 'grant' ? 'allowed' : 'withdrawn'}.`)) {
			document.querySelector(`#consent button[data-what="${CSS.escape(what)}"]`)?.focus();
		}
	}

	function clear() {
		shown = '';
		at('person').hidden = true;
		at('name').textContent = at('seen').textContent = '';
		for (const where of ['consent', 'log', 'ids', 'traits', 'segments', 'cart', 'orders', 'timeline', 'merges']) at(where).replaceChildren();
	}

	at('ask').addEventListener('submit', async (event) => {
		event.preventDefault();
		if (await look(idOf(), 'Found.')) at('person').focus();
	});
	at('forget').addEventListener('click', () => {
		asked++;
		clear();
		at('ask').reset();
		at('problem').textContent = '';
		at('status').textContent = 'The key and the person are gone from this page.';
		at('key').focus();
	});
	// A page that comes back from the browser's memory has forgotten, too.
	addEventListener('pagehide', () => { at('ask').reset(); clear(); });
})();
