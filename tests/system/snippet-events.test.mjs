// What fw.js tells, in a real browser: events, impressions and clicks; who may be known, before and after somebody says so.

import './release.mjs';
import assert from 'node:assert/strict';
import test from 'node:test';
import { userHash } from './people.mjs';
import { hero, named, open, until, write } from './snippet.mjs';

const agreed = { 'data-consent': 'analytics personalization' };
const is = (name) => (event) => event.event === name;

test('events arrive in Segment\'s shapes, before and after the script is there', async (t) => {
	const { page, go, sent, shop, cookie, proxy } = await open(t, {
		attributes: agreed,
		script: `window.fw = [['track', 'Product Viewed', { product_id: 'p-1', category: 'boots' }]];`,
	});
	await go('/boots?utm_source=google&utm_medium=cpc');
	await page.waitForFunction(() => window.fw.track);
	await page.evaluate((hash) => {
		window.fw.identify('u-7', { plan: 'pro' }, { context: { userHash: hash } });
		window.fw.page('Docs', 'Guide', { depth: 2 });
		window.fw.push(['track', 'Product Added', { product_id: 'p-1', category: 'boots', price: 20, quantity: 2 }, { messageId: 'mine', timestamp: new Date(Date.now() - 5000) }]);
	}, userHash('u-7'));
	await until(async () => (await shop.timeline('u-7'))?.length >= 5, { what: 'all is stored' });
	const id = await cookie();
	assert.match(id, /^[0-9a-f]{32}$/);
	const events = sent();
	assert.deepEqual(events.map(({ type, event }) => event ?? type).sort(), ['Product Added', 'Product Viewed', 'identify', 'page', 'page']);
	assert.ok(events.every((e) => e.anonymousId === id && e.context.locale && e.context.timezone && e.context.page.url.includes('utm_source=google')));
	const [view, guide] = events.filter(({ type }) => type === 'page');
	assert.deepEqual([view.properties.path, guide.name, guide.category, guide.properties.depth, guide.properties.title], ['/boots', 'Guide', 'Docs', 2, 'Shop /boots']);
	assert.equal(named(events, 'Product Added')[0].messageId, 'mine');
	const person = await shop.visitor('u-7');
	assert.deepEqual([person.facts.viewed.total, person.facts.cart.items, person.traits.plan], [1, 2, 'pro']);
	assert.ok(proxy.seen.every((r) => r.method !== 'OPTIONS'), 'no question goes before a request');
	assert.ok(proxy.seen.filter((r) => r.method === 'POST').every((r) => JSON.parse(r.text).writeKey === write && !r.headers.cookie && !r.headers.authorization));
});

test('a busy server and lost answers: each event counts once', async (t) => {
	const { page, go, shop, cookie, proxy } = await open(t, { attributes: agreed, body: '', gentle: /^Failed to load resource/ });
	await go();
	await page.waitForFunction(() => window.fw?.track);
	proxy.plan.push({ status: 503 }, 'lose', { status: 429, headers: { 'retry-after': '1' } });
	await page.evaluate(() => { for (let i = 0; i < 25; i++) window.fw.track('Product Viewed', { product_id: 'p-1' }); });
	await until(async () => (await shop.visitor(`anonymous:${await cookie()}`))?.facts?.viewed?.total >= 25, { what: 'all are counted' });
	assert.equal(proxy.plan.length, 0);
	assert.equal((await shop.visitor(`anonymous:${await cookie()}`)).facts.viewed.total, 25);
});

test('what waits when the page is left goes with a beacon', async (t) => {
	const { page, go, sent, shop, cookie, context } = await open(t, { attributes: { ...agreed, 'data-page': 'off' }, body: '<a id="next" href="/next">next</a>' });
	await context.addInitScript(() => {
		// On this page the timer that tells what waits never comes: a busy machine may take longer to leave.
		const send = navigator.sendBeacon.bind(navigator), later = window.setTimeout;
		if (location.pathname !== '/next') window.setTimeout = (f, ms, ...more) => (ms === 100 ? 1 : later(f, ms, ...more));
		navigator.sendBeacon = (...args) => { sessionStorage.beacons = Number(sessionStorage.beacons ?? 0) + 1; return send(...args); };
	});
	await go();
	await page.waitForFunction(() => window.fw?.track);
	await page.evaluate(() => { window.fw.track('Product Viewed', { product_id: 'p-1' }); document.getElementById('next').click(); });
	await page.waitForURL('**/next');
	await until(async () => (await shop.visitor(`anonymous:${await cookie()}`))?.facts?.viewed?.total === 1, { what: 'the event is counted' });
	assert.deepEqual([sent().length, await page.evaluate(() => sessionStorage.beacons)], [1, '1']);
});

test('what happens offline is told when the browser is back, on this page or the next', async (t) => {
	const { page, go, sent, shop, cookie, context, origin } = await open(t, { attributes: agreed, body: '' });
	await go();
	await until(() => sent().length === 1);
	await context.setOffline(true);
	await page.evaluate(() => window.fw.track('Product Viewed', { product_id: 'p-1' }));
	await page.waitForTimeout(500);
	assert.equal(sent().length, 1);
	await context.setOffline(false);
	await until(() => sent().some(is('Product Viewed')));
	await context.setOffline(true);
	// Offline to its end: for a page that is being closed the browser's own pretence is over before its last event.
	await page.evaluate(() => {
		Object.defineProperty(navigator, 'onLine', { value: false });
		window.fw.track('Product Viewed', { product_id: 'p-1' });
		dispatchEvent(new Event('pagehide'));
	});
	await page.close();
	await context.setOffline(false);
	assert.equal(named(sent(), 'Product Viewed').length, 1);
	// A page that is left before it has looked for what waits: still offline, and its timer never comes.
	const between = await context.newPage();
	await between.addInitScript(() => {
		const later = window.setTimeout;
		window.setTimeout = (f, ms, ...more) => (ms === 100 ? 1 : later(f, ms, ...more));
		Object.defineProperty(navigator, 'onLine', { value: false });
	});
	await between.goto(`${origin}/between`);
	await between.waitForFunction(() => window.fw?.track);
	await between.evaluate(() => dispatchEvent(new Event('pagehide')));
	await between.close();
	assert.equal(named(sent(), 'Product Viewed').length, 1);
	await (await context.newPage()).goto(`${origin}/next`);
	await until(async () => (await shop.visitor(`anonymous:${await cookie()}`)).facts.viewed?.total === 2, { what: 'both are counted, once' });
});

const promotions = (events) => events.filter(({ event }) => /^Promotion/.test(event ?? '')).map(({ event, properties: p }) => [event, p.promotion_id, p.position]);

test('what was in view for a second is told, once; and what was clicked', async (t) => {
	const { page, go, filled, sent, decides } = await open(t, {
		attributes: agreed,
		body: `${hero()}<div id="far" data-fw-slot="home.strip"><template><p><a href="#x" data-fw-text="text"></a></p></template></div>`,
	});
	await go('/sale');
	await filled();
	await filled('far');
	await until(() => promotions(sent()).length === 1);
	await page.waitForTimeout(1500);
	assert.deepEqual(promotions(sent()), [['Promotion Viewed', 'on-sale', 'home.hero']], 'what is below has not been seen');
	const answer = named(sent(), 'Promotion Viewed')[0].properties.decision_id;
	assert.match(answer, /^[0-9a-f-]{36}$/);
	// A look in passing is none.
	await page.evaluate(() => { scrollTo(0, 9999); setTimeout(() => scrollTo(0, 0), 200); });
	await page.waitForTimeout(1800);
	assert.equal(promotions(sent()).length, 1);
	await page.evaluate(() => scrollTo(0, 9999));
	await until(() => promotions(sent()).length === 3);
	assert.deepEqual(promotions(sent()).slice(1).sort(), [['Promotion Viewed', 'free-shipping', 'home.strip'], ['Promotion Viewed', 'late-hours', 'home.strip']]);
	await page.locator('#far a').nth(1).focus();
	await page.keyboard.press('Enter');
	await until(() => promotions(sent()).length === 4);
	assert.deepEqual(promotions(sent())[3], ['Promotion Clicked', 'late-hours', 'home.strip']);
	await page.locator('#far').click({ position: { x: 700, y: 200 } });
	await page.waitForTimeout(500);
	assert.equal(promotions(sent()).length, 4, 'beside the link is no click');
	assert.equal(decides().length, 1);
});

test('a click comes after its view, however soon', async (t) => {
	const { page, go, filled, sent } = await open(t, { attributes: agreed });
	await go('/sale');
	await filled();
	await page.evaluate(() => { document.querySelector('#hero a').addEventListener('click', (e) => e.preventDefault()); document.querySelector('#hero a').click(); });
	await until(() => promotions(sent()).length === 2);
	assert.deepEqual(promotions(sent()).map(([event]) => event), ['Promotion Viewed', 'Promotion Clicked']);
	await page.waitForTimeout(1500);
	assert.equal(promotions(sent()).length, 2);
});

test('what the server has rendered is neither asked for nor counted again', async (t) => {
	const body = (decision) => `<section id="hero" data-fw-slot="home.hero" data-fw-decision="${decision}" data-fw-rule="on-sale"><h2>On sale</h2></section>
		<ul id="strip" data-fw-slot="home.strip" data-fw-decision="${decision}"><li data-fw-rule="free-shipping">Free shipping</li><li data-fw-rule="late-hours">Open until ten</li></ul>`;
	const { page, go, site, sent, decides, shop, cookie, state, text } = await open(t, { attributes: agreed, body: body('0') });
	const { body: answer } = await shop.ask('/v1/decide', { anonymousId: 'a'.repeat(32), writeKey: write, slots: ['home.hero', 'home.strip'], context: { page: { path: '/sale' } } });
	site.body = body(answer.decisionId);
	await go('/sale');
	await until(() => promotions(sent()).length === 3);
	assert.deepEqual(promotions(sent()).map(([, rule]) => rule).sort(), ['free-shipping', 'late-hours', 'on-sale']);
	assert.ok(sent().filter(({ properties: p }) => p?.promotion_id).every(({ properties: p }) => p.decision_id === answer.decisionId));
	// The same page once more, as from a cache: its views are the same views.
	await page.reload();
	await page.waitForTimeout(2500);
	assert.equal(promotions(sent()).length, 3);
	assert.deepEqual([decides().length, await state(), await text()], [0, 'server', 'On sale']);
	const viewed = (await shop.timeline(`anonymous:${await cookie()}`)).filter(({ name }) => name === 'Promotion Viewed');
	assert.equal(viewed.length, 3);
});

test('nobody is known until somebody says so; then from there on', async (t) => {
	const { page, go, filled, sent, decides, context, shop, cookie, text } = await open(t, { config: { consent: { default: { analytics: 'denied', personalization: 'denied' } } } });
	await go();
	await filled();
	await page.evaluate(() => window.fw.track('Product Viewed', { product_id: 'p-1' }));
	await page.waitForTimeout(1500);
	assert.deepEqual([sent(), await context.cookies(), await page.evaluate(() => localStorage.length)], [[], [], 0]);
	assert.deepEqual([decides()[0].anonymousId, decides()[0].context.consent], [undefined, undefined]);

	await page.evaluate(() => window.fw.consent({ analytics: true, personalization: true, sale: false }));
	await until(() => decides().length === 2);
	const id = await cookie();
	assert.equal(decides()[1].anonymousId, id);
	await page.evaluate(() => window.fw.track('Product Viewed', { product_id: 'p-1' }));
	await until(async () => (await shop.visitor(`anonymous:${id}`))?.facts?.viewed?.total === 1, { what: 'the event is counted' });
	assert.deepEqual(sent().map(({ type, event }) => event ?? type).filter((e) => !/^Promotion/.test(e)).sort(), ['Product Viewed', 'Segment Consent Preference Updated', 'page'], 'what went before is not told');
	const consent = async () => Object.fromEntries(Object.entries((await shop.visitor(`anonymous:${id}`)).consent).map(([what, { state }]) => [what, state]));
	assert.deepEqual(await consent(), { analytics: 'granted', personalization: 'granted', sale: 'denied' });

	// It holds on the next page.
	await go('/next');
	await page.waitForFunction(() => /Boots, again/.test(document.getElementById('hero').innerText));
	assert.deepEqual(decides().at(-1).context.consent.categoryPreferences, { analytics: true, personalization: true, sale: false });
	const told = sent().length;
	await page.evaluate(() => window.fw.consent({ analytics: true }));
	await page.waitForTimeout(300);
	assert.equal(named(sent().slice(told), 'Segment Consent Preference Updated').length, 0, 'what was said is not said again');

	await page.evaluate(() => { window.fw.track('Product Viewed', { product_id: 'p-1' }); window.fw.consent({ analytics: false, personalization: false }); });
	await page.waitForFunction(() => !/Boots, again/.test(document.getElementById('hero').innerText));
	assert.match(await text(), /Welcome/);
	await until(async () => (await consent()).analytics !== 'granted', { what: 'the withdrawal is stored' });
	assert.equal(await cookie(), undefined);
	assert.equal(decides().at(-1).anonymousId, undefined);
	const after = sent().length;
	await page.evaluate(() => window.fw.track('Product Viewed', { product_id: 'p-1' }));
	await page.waitForTimeout(500);
	assert.deepEqual([sent().length, named(sent(), 'Product Viewed').length], [after, 1], 'nor is what was still to be told');
});

test('consent refused: the page for everybody, and nothing of the visitor', async (t) => {
	const { page, go, filled, sent, decides, context, text } = await open(t, { attributes: agreed, script: 'window.fw = [["consent", { analytics: false, personalization: false }]];' });
	await go();
	await filled();
	assert.match(await text(), /Welcome/);
	await page.evaluate(() => { window.fw.track('Product Viewed', { product_id: 'p-1' }); window.fw.identify('u-7'); });
	await go('/next');
	await filled();
	assert.deepEqual((await context.cookies()).map(({ name }) => name), ['fw_consent']);
	assert.deepEqual(decides().map((d) => [d.anonymousId, d.userId, d.context.consent.categoryPreferences]), Array(2).fill([undefined, undefined, { analytics: false, personalization: false }]));
	assert.deepEqual(sent(), []);
});

test('Global Privacy Control takes away what it takes away, whatever is said', async (t) => {
	const { page, go, filled, sent, decides, cookie, shop } = await open(t, { init: () => Object.defineProperty(navigator, 'globalPrivacyControl', { value: true }) });
	await go();
	await filled();
	await page.evaluate(() => window.fw.consent({ personalization: true }));
	await until(() => decides().length === 2);
	assert.deepEqual([await cookie(), sent()], [undefined, []], 'for that alone nobody is remembered');
	await page.evaluate(() => window.fw.consent({ analytics: true, sale: true }));
	await until(() => decides().length === 3);
	assert.ok(decides().every((d) => d.context.globalPrivacyControl === true));
	assert.deepEqual(decides()[2].context.consent.categoryPreferences, { analytics: true });
	await page.evaluate(() => window.fw.track('Product Viewed', { product_id: 'p-1' }));
	await until(async () => (await shop.visitor(`anonymous:${await cookie()}`))?.facts?.viewed?.total === 1, { what: 'the event is counted' });
	assert.deepEqual(Object.keys((await shop.visitor(`anonymous:${await cookie()}`)).consent), ['analytics']);
});

test('whoever logs out is somebody else', async (t) => {
	const { page, go, filled, decides, cookie } = await open(t, { attributes: agreed });
	await go();
	await filled();
	const before = await cookie();
	await page.evaluate(() => { window.fw.identify('u-7'); window.fw.reset(); history.pushState(null, '', '/sale'); });
	await until(() => decides().length === 2);
	assert.equal(decides()[1].userId, undefined);
	assert.equal(decides()[1].anonymousId, await cookie());
	assert.notEqual(await cookie(), before);
});
