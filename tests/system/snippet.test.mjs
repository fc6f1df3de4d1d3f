// fw.js in a real browser: what it shows, and what a visitor sees while it does. What it tells is in snippet-events.test.mjs.

import './release.mjs';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { join } from 'node:path';
import test from 'node:test';
import { gunzipSync } from 'node:zlib';
import { chromium } from 'playwright-core';
import { ask, startDaemon, temporaryFolder, tree } from './daemon.mjs';
import { shownUnder } from './guides.mjs';
import { secret } from './people.mjs';
import { metrics, serve } from './server.mjs';
import { chrome, hero, open, until, write } from './snippet.mjs';

// Raw, so that nothing is unpacked on the way.
function fetchRaw(url, headers = {}, method = 'GET') {
	return new Promise((done, fail) => request(url, { method, headers, agent: false }, (answer) => {
		const parts = [];
		answer.on('data', (part) => parts.push(part)).on('end', () => done({ status: answer.statusCode, headers: answer.headers, bytes: Buffer.concat(parts) }));
	}).on('error', fail).end());
}

test('the script is small, cached and packed; its map and its types lie beside it', async (t) => {
	const shop = await serve(t);
	const plain = await fetchRaw(`${shop.url}/fw.js`);
	const packed = await fetchRaw(`${shop.url}/fw.js`, { 'accept-encoding': 'br, gzip;q=0.8' });
	assert.equal(plain.status, 200);
	assert.match(plain.headers['content-type'], /^text\/javascript/);
	assert.equal(packed.headers['content-encoding'], 'gzip');
	assert.ok(packed.bytes.length < 6144, `${packed.bytes.length} bytes`);
	assert.deepEqual(gunzipSync(packed.bytes), plain.bytes);
	assert.notEqual(packed.headers.etag, plain.headers.etag);
	assert.match(plain.headers['cache-control'], /max-age=\d+/);
	assert.match(plain.headers.vary, /Accept-Encoding/);
	for (const [headers, tag] of [[{}, plain.headers.etag], [{ 'accept-encoding': 'gzip' }, packed.headers.etag]]) {
		const again = await fetchRaw(`${shop.url}/fw.js`, { ...headers, 'if-none-match': `"other", ${tag}` });
		assert.deepEqual([again.status, again.bytes.length], [304, 0]);
		assert.equal((await fetchRaw(`${shop.url}/fw.js`, { ...headers, 'if-none-match': '"other"' })).status, 200);
	}
	assert.equal((await fetchRaw(`${shop.url}/fw.js`, { 'accept-encoding': 'gzip;q=0' })).headers['content-encoding'], undefined);
	assert.deepEqual((await fetchRaw(`${shop.url}/fw.js`, {}, 'HEAD')).bytes.length, 0);
	assert.match(plain.bytes.toString(), /sourceMappingURL=fw\.js\.map\s*$/);
	const map = JSON.parse((await fetchRaw(`${shop.url}/fw.js.map`)).bytes);
	assert.ok(map.sources.includes('slots.ts') && map.sourcesContent.length === map.sources.length);
	assert.match((await fetchRaw(`${shop.url}/fw.d.ts`)).bytes.toString(), /export interface Floorwalker \{/);
});

test('its types say what a page may call', async (t) => {
	const shop = await serve(t);
	const types = (await fetchRaw(`${shop.url}/fw.d.ts`)).bytes.toString();
	const check = (text) => spawnSync(join(tree, 'plugins/web/page/node_modules/.bin/tsc'), ['--noEmit', '--strict', '--target', 'es2022', '--module', 'esnext', 'use.ts', 'fw.d.ts'],
		{ cwd: temporaryFolder(t, { 'fw.d.ts': types, 'use.ts': `import type { Floorwalker, Answer } from './fw';\n${text}` }), encoding: 'utf8' });
	const right = check(`(window.fw ||= []).push(['track', 'Product Viewed', { product_id: 'p-1' }], (fw: Floorwalker) => fw.consent({ analytics: true }));
		export async function headline(fw: Floorwalker): Promise<string> { const answer: Answer | null = await fw.decide(['home.hero']); return answer?.decisions['home.hero'].reason ?? 'none'; }`);
	assert.equal(right.status, 0, right.stdout);
	assert.match(check('(window.fw ||= []).push(["trak", "Product Viewed"]);').stdout, /trak/);
});

test('all slots are filled from one question, by templates and renderers', async (t) => {
	const strip = '<ul id="strip" data-fw-slot="home.strip"></ul><template data-fw-template="home.strip"><li><b data-fw-text="text"></b><a data-fw-if="more" data-fw-attr="href: more.url">more</a></li></template>';
	const deal = '<div id="deal" data-fw-slot="home.deal"><template><a data-fw-attr="href:url, title:note, onclick:text"><b data-fw-text="text"></b></a></template></div>';
	const { page, go, filled, decides, text, state } = await open(t, {
		body: hero() + strip + deal + '<div id="none" data-fw-slot="home.nothing">nothing is better</div><div id="own" data-fw-slot="home.hero"></div>',
		script: `window.fw = [['render', 'home.own', () => {}], (fw) => fw.render('home.hero', (content, element, decision) => {
			element.replaceChildren(Object.assign(document.createElement('h2'), { textContent: content.headline + ' (' + decision.reason + ')' }));
		})];`,
	});
	await go();
	for (const id of ['hero', 'strip', 'deal', 'none', 'own']) await filled(id);
	assert.equal(decides().length, 1);
	assert.deepEqual(decides()[0].slots.sort(), ['home.deal', 'home.hero', 'home.nothing', 'home.strip']);
	assert.deepEqual([await text('hero'), await text('own')], ['Welcome (default)', 'Welcome (default)']);
	assert.deepEqual(await page.locator('#strip li').evaluateAll((all) => all.map((li) => [li.innerText, li.dataset.fwRule, li.querySelector('a')?.getAttribute('href') ?? null])),
		[['Free shippingmore', 'free-shipping', '/shipping'], ['Open until ten', 'late-hours', null]]);
	assert.deepEqual([await text('none'), await state('none')], ['nothing is better', 'default']);
	// What rules say is text, and no attribute can run.
	assert.equal(await text('deal'), '<img src=x onerror=alert(1)>');
	assert.deepEqual(await page.locator('#deal a').evaluate((a) => a.getAttributeNames()), ['data-fw-attr', 'title', 'data-fw-rule']);
	assert.equal(decides()[0].context.page.type, 'home');
});

test('its attributes say where floorwalker is, and whose the cookie is', async (t) => {
	const written = () => {
		const { get, set } = Object.getOwnPropertyDescriptor(Document.prototype, 'cookie');
		window.written = [];
		Object.defineProperty(Document.prototype, 'cookie', { get, set(text) { window.written.push(text); set.call(this, text); } });
	};
	const { page, go, filled, context, site, proxy, decides, cookie } = await open(t, { init: written });
	site.attributes = { 'data-consent': 'personalization', 'data-cookie': 'shop_id', 'data-domain': 'localhost', 'data-api': `${proxy.url}/behind` };
	const asked = [];
	await context.route('**/behind/v1/*', (route, request) => {
		asked.push(new URL(request.url()).pathname);
		return route.continue({ url: request.url().replace('/behind/', '/') });
	});
	await go();
	await filled('hero', /default/);
	assert.deepEqual(asked, ['/behind/v1/decide']);
	assert.match(decides()[0].anonymousId, /^[0-9a-f]{32}$/);
	assert.deepEqual([await cookie('shop_id'), await cookie()], [decides()[0].anonymousId, undefined]);
	assert.match((await page.evaluate(() => window.written)).join(), /^shop_id=[^,]*; domain=localhost$/);
});

test('a renderer that fails leaves the default', async (t) => {
	const { page, go, filled, text, problems } = await open(t, { body: '<div id="hero" data-fw-slot="home.hero">The default</div>', script: 'window.fw = [["render", "home.hero", (c, e) => { e.textContent = "half"; throw Error("mine"); }]];' });
	await go();
	await filled();
	assert.equal(await text(), 'The default');
	assert.deepEqual(problems.splice(0).filter((p) => p !== 'mine'), [], 'and its own error is told to whoever wrote it');
});

test('a renderer that comes after the answer is not too late while the slot is hidden', async (t) => {
	const { page, go, text, proxy, state } = await open(t, { body: '<div id="hero" data-fw-slot="home.hero">The default</div>' });
	await go();
	await until(() => proxy.seen.some((r) => r.path === '/v1/decide' && r.outcome === 200));
	assert.equal(await state(), null);
	await page.evaluate(() => window.fw.render('home.hero', (content, element) => { element.textContent = content.headline; }));
	await page.waitForFunction(() => document.getElementById('hero').dataset.fw === 'default');
	assert.equal(await text(), 'Welcome');
});

// What was to be seen of the slot, frame by frame.
const frames = () => {
	window.seen = [];
	window.shifts = [];
	new PerformanceObserver((list) => window.shifts.push(...list.getEntries().map((e) => e.value))).observe({ type: 'layout-shift', buffered: true });
	const look = () => {
		const hero = document.getElementById('hero');
		const what = hero && getComputedStyle(hero).visibility === 'visible' ? hero.innerText.trim() : '';
		if (what !== (window.seen.at(-1) ?? '')) {
			window.seen.push(what);
			window.seenAt ??= performance.now();
		}
		requestAnimationFrame(look);
	};
	requestAnimationFrame(look);
};
const below = '<p id="below">What stands below stays where it is.</p>';

test('nothing flickers and nothing moves: the default is never seen before the content', async (t) => {
	const { page, go, filled } = await open(t, { body: hero() + below, init: frames });
	await go();
	await filled('hero', /default/);
	await page.waitForTimeout(300);
	assert.deepEqual(await page.evaluate(() => [window.seen, window.shifts]), [['Welcome\nLook'], []]);
});

// An answer that does not come before the page is as `reached` says.
const answeredAfter = (page, reached) => page.route('**/v1/decide', async (route) => {
	await page.waitForFunction(reached);
	await route.continue().catch(() => {}); // where nobody waits for it any more
});
// The style sheet's budget is over a little before the script's.
const defaultSeen = () => window.seenAt;
const gaveUp = () => window.seenAt && document.getElementById('hero').dataset.fw;

test('after the time budget the default stays, whenever the answer comes', async (t) => {
	const { page, go, filled, text } = await open(t, { body: hero() + below, attributes: { 'data-budget': 150 }, init: frames });
	await answeredAfter(page, gaveUp);
	await go();
	await filled('hero', /^off$/);
	await page.waitForTimeout(500);
	assert.equal(await text(), 'The default');
	assert.deepEqual(await page.evaluate(() => [window.seen, window.shifts]), [['The default'], []]);
});

// Every other page here says how long it waits. Seen failing with a default of 0, of 60 and of 20000.
test('a page that says no budget waits for 150 ms, and then not for the answer', async (t) => {
	const { page, go, filled, text } = await open(t, { body: `<div id="view"></div><template id="later">${hero()}</template>${below}`, attributes: { 'data-budget': undefined }, init: frames });
	await answeredAfter(page, gaveUp);
	await go();
	await page.waitForFunction(() => window.fw?.track);
	await page.evaluate(() => {
		document.getElementById('view').append(document.importNode(document.getElementById('later').content, true));
		window.cameAt = performance.now();
	});
	await filled('hero', /^off$/);
	await page.waitForFunction(defaultSeen);
	const waited = await page.evaluate(() => window.seenAt - window.cameAt);
	// A frame's time is that of its beginning, a little before what happens in it. How much later a busy machine paints is nobody's to say.
	assert.ok(waited > 150 - 20 && waited < 3000, `${waited} ms`);
	await page.waitForTimeout(300);
	assert.equal(await text(), 'The default');
	assert.deepEqual(await page.evaluate(() => window.seen), ['The default']);
});

test('whoever has seen the default keeps it, whatever the script would wait for', async (t) => {
	// By its id the slot is the page's rather than the script's to hide.
	const { page, go, filled } = await open(t, { body: hero() + below, budget: 150, slots: '#hero', attributes: { 'data-budget': 20000 }, init: frames });
	await answeredAfter(page, defaultSeen);
	await go();
	await filled('hero', /^late$/);
	await page.waitForTimeout(500);
	assert.deepEqual(await page.evaluate(() => [window.seen, window.shifts]), [['The default'], []]);
});

test('a script that comes late leaves the default to who has seen it', async (t) => {
	const { page, go, filled, context } = await open(t, { body: hero() + below, budget: 150, attributes: { 'data-budget': 20000 }, init: frames });
	let seen = false;
	await context.route('**/fw.js', async (route) => {
		await page.waitForFunction(() => window.seen.length > 0);
		seen = true;
		await route.fallback();
	});
	await go();
	await filled('hero', /^late$/);
	assert.ok(seen);
	await page.waitForTimeout(300);
	assert.deepEqual(await page.evaluate(() => [window.seen, window.shifts]), [['The default'], []]);
});

for (const [how, what, trouble] of [
	['the script is blocked', '**/fw.js', (route) => route.abort('blockedbyclient')],
	['the question is blocked', '**/v1/*', (route) => route.abort('blockedbyclient')],
	['nobody answers', '**/v1/*', () => {}],
	['the script does not come', '**/fw.js', () => {}],
]) {
	test(`the page is the default page, without an error: ${how}`, async (t) => {
		// The browser itself notes each request that was blocked, which no page can keep it from.
		const { page, context, origin, text } = await open(t, { body: hero() + below, budget: 150, init: frames, gentle: /^Failed to load resource: net::ERR_BLOCKED_BY_CLIENT/ });
		await context.route(what, trouble);
		await page.goto(`${origin}/`, { waitUntil: 'commit' });
		await page.waitForFunction(() => window.seen.length > 0);
		await page.waitForTimeout(500);
		assert.equal(await text(), 'The default');
		assert.deepEqual(await page.evaluate(() => [window.seen, window.shifts]), [['The default'], []]);
	});
}

test('offline the default is there at once, and nothing is asked', async (t) => {
	const { page, go, context, filled, state, text, decides } = await open(t, { body: `<div id="view"></div><template id="boots">${hero()}</template>` });
	await go();
	await page.waitForFunction(() => window.fw?.track);
	await context.setOffline(true);
	await page.evaluate(() => {
		history.pushState(null, '', '/boots');
		document.getElementById('view').append(document.importNode(document.getElementById('boots').content, true));
	});
	await filled();
	assert.deepEqual([await state(), await text(), decides().length], ['off', 'The default', 0]);
});

test('without storage slots are filled, and nobody is known', async (t) => {
	const none = () => {
		for (const [of, name] of [[Document.prototype, 'cookie'], [window, 'localStorage']])
			Object.defineProperty(of, name, { get() { throw new DOMException('no', 'SecurityError'); }, set() { throw new DOMException('no', 'SecurityError'); } });
	};
	const { page, go, filled, text, decides, sent, cookie } = await open(t, { attributes: { 'data-consent': 'analytics, personalization' }, init: none });
	await go();
	await filled();
	assert.match(await text(), /Welcome/);
	assert.equal(decides()[0].anonymousId, undefined);
	await page.evaluate(() => { window.fw.track('Product Viewed', { product_id: 'p-1' }); window.fw.consent({ analytics: true }); });
	await page.waitForTimeout(500);
	assert.deepEqual([sent(), await cookie()], [[], undefined]);
});

test('a page that changes its address: one more question, for what is there then', async (t) => {
	const { page, go, filled, text, decides, state } = await open(t, { body: `${hero()}<div id="view"></div>` });
	await go('/?utm_source=news');
	await filled();
	await page.evaluate(() => {
		history.pushState(null, '', '/sale');
		document.title = 'Sale';
		const strip = document.createElement('div');
		strip.id = 'strip';
		strip.dataset.fwSlot = 'home.strip';
		document.getElementById('view').append(strip);
		window.fw.render('home.strip', (content, element) => { element.textContent = content.text; });
	});
	await filled('strip', /rule/);
	await page.waitForFunction(() => /On sale/.test(document.getElementById('hero').innerText));
	assert.deepEqual([await state(), await text('strip')], ['rule', 'Free shipping']);
	assert.equal(decides().length, 2);
	assert.deepEqual(decides()[1].slots.sort(), ['home.hero', 'home.strip']);
	assert.equal(decides()[1].context.page.path, '/sale');
	assert.match(decides()[1].context.page.referrer, /\/\?utm_source=news$/);
	await page.goBack();
	await page.waitForFunction(() => /Welcome/.test(document.getElementById('hero').innerText));
	assert.equal(decides().length, 3);
	// Going to a place on the page, and an address that stays the same, are no other views.
	await page.evaluate(() => { location.hash = 'below'; history.replaceState({ scroll: 3 }, ''); });
	await page.waitForTimeout(300);
	assert.equal(decides().length, 3);
});

test('the focus stays where it is, and nothing is announced unless the page asks for it', async (t) => {
	const { page, go, filled, decides } = await open(t, { body: `<input id="search">${hero()}<div id="live" aria-live="polite" data-fw-slot="home.deal"><template><b data-fw-text="note"></b></template></div>` });
	await page.addInitScript(() => addEventListener('DOMContentLoaded', () => document.getElementById('search').focus()));
	await go();
	await filled('hero');
	await filled('live', /rule/);
	assert.equal(await page.evaluate(() => document.activeElement.id), 'search');
	const attributes = await page.evaluate(() => [...document.querySelectorAll('[data-fw-slot], [data-fw-slot] *')].flatMap((e) => e.getAttributeNames()).filter((n) => /^(aria-|role|tabindex)/.test(n)));
	assert.deepEqual(attributes, ['aria-live']);
	// By keyboard into the slot; another view would change it, but somebody is in it.
	await page.keyboard.press('Tab');
	assert.equal(await page.evaluate(() => document.activeElement.getAttribute('href')), '/welcome');
	await page.evaluate(() => history.pushState(null, '', '/sale'));
	await until(() => decides().length === 2);
	await page.waitForTimeout(500);
	assert.equal(await page.evaluate(() => document.activeElement.getAttribute('href')), '/welcome');
});

test('a page that is rendered ahead asks once it is looked at', async (t) => {
	const ahead = () => Object.defineProperty(document, 'prerendering', { value: true, configurable: true });
	const { page, go, filled, decides, state } = await open(t, { init: ahead });
	await go();
	await page.waitForTimeout(500);
	assert.deepEqual([decides().length, await state()], [0, null]);
	await page.evaluate(() => { Object.defineProperty(document, 'prerendering', { value: false }); document.dispatchEvent(new Event('prerenderingchange')); });
	await filled();
	assert.equal(decides().length, 1);
});

const guide = readFileSync(join(tree, 'core/README.md'), 'utf8');

// Chromium, at a page of another origin that may ask the example store: { page, problems, daemon }. give(path, api) answers what the origin hands
// out, [type, text], where `api` is the store's address.
async function besideTheStore(t, give) {
	let api;
	const server = createServer((req, res) => {
		const [type, text] = give(req.url, api) ?? [];
		if (!type) return res.writeHead(204).end();
		return res.writeHead(200, { 'content-type': type, 'content-security-policy': `default-src 'none'; script-src 'self' ${api}; connect-src ${api}; style-src 'self'` }).end(text);
	});
	await new Promise((done) => server.listen(0, '127.0.0.1', done));
	const origin = `http://localhost:${server.address().port}`;
	const daemon = await startDaemon(t, join(tree, 'rules/floorwalker.lua'), { env: { FW_RUN: temporaryFolder(t), FW_LISTEN: '127.0.0.1:0', FW_SECRET_KEY: secret, FW_WRITE_KEY: write, FW_PAGES: origin } });
	api = daemon.url;
	const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', `--user-agent=${chrome}`] });
	t.after(async () => { await browser.close(); server.closeAllConnections(); server.close(); });
	const page = await browser.newPage(), problems = [];
	page.on('console', (message) => problems.push(message.text()));
	page.on('pageerror', (error) => problems.push(error.message));
	await page.goto(origin);
	return { page, problems, daemon };
}

test('the page that the guide shows, with the example store', async (t) => {
	const [html, style, script] = ['html', 'css', 'js'].map((language) => shownUnder(guide, 'On a page', language));
	const { page, problems, daemon } = await besideTheStore(t, (path, api) => ({
		'/shop.css': ['text/css', style.replace('150ms', '20000ms')],
		'/shop.js': ['text/javascript', script],
		'/': ['text/html', `<!doctype html><title>Shop</title>${html.replace('http://127.0.0.1:8080', api).replace('async src', 'data-budget="20000" async src')}<script src="/shop.js"></script>`],
	})[path]);
	await page.waitForFunction(() => [...document.querySelectorAll('[data-fw-slot]')].every((e) => e.dataset.fw));
	assert.match(await page.locator('.hero').getAttribute('data-fw'), /^(rule|default)$/);
	assert.doesNotMatch(await page.locator('.hero').innerText(), /^(What everybody sees)?$/);
	const id = (await page.context().cookies()).find(({ name }) => name === 'ajs_anonymous_id').value;
	await until(async () => (await ask(`${daemon.url}/v1/visitors/anonymous:${id}`, undefined, { headers: { authorization: `Bearer ${secret}` } })).body.facts?.viewed?.total === 1, { what: 'the event of the guide is stored' });
	assert.deepEqual(problems, []);
});

test('the live page that the guide shows, with the example store', async (t) => {
	const script = shownUnder(guide, 'Live pages', 'js'), anonymousId = 'visitor-of-the-live-page';
	// What the guide takes as known: who it is, which answer the page has, and what it does with a further one.
	const before = (api) => `const anonymousId = '${anonymousId}', show = (decisions) => window.shown.push(decisions);
window.shown = [];
const asked = await fetch('${api}/v1/decide', { method: 'POST', body: JSON.stringify({ writeKey: '${write}', anonymousId, slots: ['home.hero', 'home.strip'], context: { page: { url: location.href } } }) });
const { decisionId, decisions } = await asked.json();
show(decisions);
`;
	const { page, problems, daemon } = await besideTheStore(t, (path, api) => ({
		'/live.js': ['text/javascript', before(api) + script.replace('http://127.0.0.1:8080', api)],
		'/': ['text/html', '<!doctype html><title>Shop</title><script type="module" src="/live.js"></script>'],
	})[path]);
	const hero = () => page.evaluate(() => window.shown?.at(-1)?.['home.hero'].winners[0]?.rule ?? 'none');
	await until(async () => (await metrics(daemon)).floorwalker_streams === 1, { what: 'the page listens' });
	assert.notEqual(await hero(), 'boots-again');
	const consent = { categoryPreferences: { analytics: true, personalization: true } };
	const looks = ['B-1', 'B-2', 'B-3'].map((product_id) => ({ type: 'track', event: 'Product Viewed', anonymousId, messageId: `live-${product_id}`, properties: { product_id, category: 'boots' }, context: { consent } }));
	assert.equal((await ask(`${daemon.url}/v1/batch`, { batch: looks }, { headers: { authorization: `Bearer ${secret}` } })).body.accepted, 3);
	await until(async () => await hero() === 'boots-again', { what: 'the page is told of another hero' });
	assert.deepEqual(await page.evaluate(() => Object.keys(window.shown.at(-1)).sort()), ['home.hero', 'home.strip']);
	assert.deepEqual(problems, []);
});
