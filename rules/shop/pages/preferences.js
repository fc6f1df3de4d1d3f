// The preference page: tells floorwalker what a visitor agrees to (POST /v1/visitors/anonymous:ID/consent). With a write key
// nothing can be read, so that what was last told is remembered here, in the browser's own storage.
'use strict';

(() => {
	const page = document.getElementById('preferences');
	const { api, writeKey, cookie, text } = page.dataset;
	const purposes = ['analytics', 'personalization', 'sale'];
	const signalled = ['personalization', 'sale']; // what Global Privacy Control takes away
	const gpc = navigator.globalPrivacyControl === true;
	const at = (id) => document.getElementById(id);

	function read(name) {
		const pair = document.cookie.split('; ').find((c) => c.startsWith(`${name}=`));
		if (!pair) return '';
		try {
			return decodeURIComponent(pair.slice(name.length + 1));
		} catch { return ''; }
	}

	// The anonymousId, as the browser client keeps it: plain, or as a JSON string.
	const readId = () => read(cookie).replace(/^"|"$/g, '');

	const write = (name, value) => {
		document.cookie = `${name}=${value}; path=/; max-age=31536000; samesite=lax${location.protocol === 'https:' ? '; secure' : ''}`;
	};

	// Who has none gets one when there is something to remember, and not before.
	function makeId() {
		const id = Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, '0')).join('');
		write(cookie, id);
		return readId(); // nothing, where cookies are refused
	}

	// What fw.js sends along with each question of the shop's other pages. It outranks what floorwalker has stored, so that it has to
	// hear of a choice, too.
	function readAnswer() {
		try {
			return JSON.parse(read('fw_consent')) ?? {};
		} catch { return {}; }
	}
	const writeAnswer = () => write('fw_consent', encodeURIComponent(JSON.stringify(
		{ ...readAnswer(), ...Object.fromEntries(Object.entries(told).map(([purpose, { granted }]) => [purpose, granted])) })));

	// What was told: { purpose: { granted, at } }, of this id alone. A browser may refuse to store anything.
	const place = (id) => `floorwalker.told.${id}`;
	function readTold(id) {
		try {
			return JSON.parse(localStorage.getItem(place(id))) ?? {};
		} catch { return {}; }
	}
	function keepTold(id, told) {
		try {
			localStorage.setItem(place(id), JSON.stringify(told));
		} catch { /* then the page shows it until it is closed */ }
	}

	let id = readId();
	const told = id ? readTold(id) : {};
	for (const [purpose, granted] of Object.entries(readAnswer())) if (purposes.includes(purpose) && told[purpose]?.granted !== granted) told[purpose] = { granted };

	function show() {
		for (const purpose of purposes) {
			const box = at(purpose), off = gpc && signalled.includes(purpose), last = told[purpose];
			box.checked = !off && last?.granted === true;
			box.disabled = off;
			const answer = last?.granted ? 'yes' : 'no';
			at(`${purpose}-told`).textContent = (off ? 'Off, as your browser asks. ' : '') + (!last ? 'You have not told us in this browser.'
				: last.at ? `You last said ${answer}, on ${new Date(last.at).toLocaleString('en', { dateStyle: 'long', timeStyle: 'short' })}.` : `You said ${answer} on another of our pages.`);
		}
		at('gpc').hidden = !gpc;
	}

	// What to do about an answer that is no yes, for people.
	async function explain(answer) {
		const nothing = 'Nothing was changed.';
		if (!answer) return `The shop could not be reached. ${nothing} Please try again.`;
		const said = await answer.json().then((body) => body.error?.message).catch(() => undefined);
		switch (answer.status) {
		case 401: case 403: return `The shop does not let this page speak for you. ${nothing} That is our mistake; please write to us.`;
		case 429: return `That was too often in a short time. ${nothing} Please try again in ${answer.headers.get('retry-after') ?? 'a few'} seconds.`;
		case 503: return `The shop cannot store your choice at the moment. ${nothing} Please try again in a little while.`;
		default: return `The shop did not understand this page (${said ?? answer.status}). ${nothing} Please write to us.`;
		}
	}

	const post = (body) => fetch(`${api}/v1/visitors/${encodeURIComponent(`anonymous:${id}`)}/consent`, {
		method: 'POST', body: JSON.stringify(body), credentials: 'omit', signal: AbortSignal.timeout(15000),
		headers: { 'Content-Type': 'application/json', ...(writeKey ? { Authorization: `Bearer ${writeKey}` } : {}) },
	}).catch(() => null);

	function busy(is) {
		for (const button of document.querySelectorAll('button')) button.disabled = is;
	}

	// `yes` and `no` are lists of purposes.
	async function tell(yes, no) {
		at('status').textContent = at('problem').textContent = '';
		id ||= makeId();
		if (!id) {
			at('problem').textContent = 'Your browser takes no cookies of this shop, so we could not recognise you to keep your choice. Nothing is kept of you either.';
			return;
		}
		const focused = document.activeElement;
		busy(true);
		const withdrawn = no.filter((p) => told[p]?.granted);
		const body = { grant: yes, deny: no.filter((p) => !withdrawn.includes(p)), withdraw: withdrawn, source: 'preference-page', text };
		const answer = await post(body);
		busy(false);
		focused?.focus();
		const granted = answer?.ok ? await answer.json().then(({ consent }) => consent).catch(() => null) : null;
		if (!granted) {
			at('problem').textContent = await explain(answer);
			return;
		}
		// The answer says what holds now, also of what was told elsewhere.
		for (const p of [...yes, ...no]) told[p] = { granted: granted.includes(p), at: Date.now() };
		keepTold(id, told);
		writeAnswer();
		show();
		const all = purposes.filter((p) => at(p).checked).map((p) => document.querySelector(`label[for=${p}]`).textContent);
		at('status').textContent = all.length ? `Saved. You agree to: ${all.join('; ')}.` : 'Saved. You agree to none of it.';
	}

	const open = () => purposes.filter((p) => !at(p).disabled);
	at('choices').addEventListener('submit', (event) => {
		event.preventDefault();
		tell(open().filter((p) => at(p).checked), open().filter((p) => !at(p).checked));
	});
	at('all').addEventListener('click', () => tell(open(), []));
	at('none').addEventListener('click', () => tell([], purposes));
	show();
})();
