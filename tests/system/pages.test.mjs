// The example store's two pages in a real browser, with its own configuration and rules: where a visitor says what may be done
// with his data, and where support looks him up. What is said on them counts from the next answer on.

import './release.mjs';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { pages, servePages } from '../../rules/shop/pages/serve.mjs';
import { ask, startDaemon, temporaryFolder, tree, until, writeFiles } from './daemon.mjs';
import { bearer, secret, withPeople, write } from './people.mjs';
import { startProxy } from './proxy.mjs';
import { kind, storeOf, test } from './stores.mjs';

const inGermany = { location: { country: 'DE' } };
const inOregon = { location: { country: 'US', region: 'US-OR' } };

// The example's own configuration; on another store a copy of it that says so.
async function configuration(t) {
	const rules = join(tree, 'rules'), own = join(rules, 'floorwalker.lua');
	if (kind === 'lmdb') return own;
	const text = readFileSync(own, 'utf8').replace(/^store .*$/m, `store = ${JSON.stringify(await storeOf(t))}`)
		.replace(/^(rules|compliance) += "(.*)"$/mg, (line, key, path) => `${key} = "${join(rules, path)}"`)
		.replace('"shop/products.jsonl"', JSON.stringify(join(rules, 'shop/products.jsonl'))).replace('"../.geo/', `"${tree}/.geo/`);
	return join(writeFiles(temporaryFolder(t), { 'floorwalker.lua': text }), 'floorwalker.lua');
}

// The shop, its web server and a browser: { shop, proxy, page, origin, says(who, context, headers) }. The preference page asks
// floorwalker itself, which is another origin; the agent's view is handed on by the shop's server, through the proxy.
async function open(t, { writeKey = write, init } = {}) {
	const front = await servePages('http://127.0.0.1:1');
	const origin = `http://127.0.0.1:${front.address().port}`;
	t.after(() => { front.closeAllConnections(); front.close(); });
	const env = { FW_RUN: temporaryFolder(t), FW_LISTEN: '127.0.0.1:0', FW_SECRET_KEY: secret, FW_WRITE_KEY: write, FW_PAGES: origin };
	const daemon = await startDaemon(t, await configuration(t), { env });
	await ask(`${daemon.url}/livez`);
	const proxy = await startProxy(t, daemon.url);
	front.removeAllListeners('request').on('request', pages(proxy.url, { writeKey, api: proxy.url }));
	const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
	t.after(() => browser.close());
	const context = await browser.newContext({ viewport: { width: 1000, height: 1100 } });
	if (init) await context.addInitScript(init);
	const page = await context.newPage();
	// Nothing fails, nothing is forbidden by the page's own policy, and nothing comes from elsewhere.
	const problems = [];
	page.on('pageerror', (error) => problems.push(error.message));
	page.on('console', (message) => { if (/Content Security Policy|Refused/.test(message.text())) problems.push(message.text()); });
	page.on('request', (request) => { if (![origin, proxy.url].includes(new URL(request.url()).origin)) problems.push(request.url()); });
	t.after(() => assert.deepEqual(problems, []));
	const shop = withPeople({ url: daemon.url, daemon });
	// What the footer tells somebody, and whether partners show something.
	const says = async (anonymousId, where, headers = {}) => {
		const { body } = await ask(`${daemon.url}/v1/decide`, { anonymousId, slots: ['footer.privacy', 'home.partners'], context: where }, { headers: { ...bearer(secret).headers, ...headers } });
		return [body.decisions['footer.privacy'].winners[0]?.rule, body.decisions['home.partners'].winners.length === 1];
	};
	return { shop, proxy, page, context, origin, says };
}

// A picture for whoever wants to look: FW_PICTURES names a folder.
const picture = (page, name) => process.env.FW_PICTURES && page.screenshot({ path: join(process.env.FW_PICTURES, `${name}.png`), fullPage: true });

// Presses Tab until the element has the focus, as somebody without a mouse does.
async function tabTo(page, selector) {
	for (let i = 0; i < 40; i++) {
		await page.keyboard.press('Tab');
		if (await page.evaluate((s) => document.activeElement?.matches(s), selector)) return;
	}
	assert.fail(`Tab does not lead to ${selector}`);
}

const anonymousId = async (context) => (await context.cookies()).find(({ name }) => name === 'ajs_anonymous_id')?.value;
const textOf = (page, id) => page.locator(`#${id}`).textContent();

async function said(page, id, pattern) {
	await page.locator(`#${id}`).filter({ hasText: pattern }).waitFor({ timeout: 20000 });
	return textOf(page, id);
}

test('yes and no, without a mouse: each counts in the next answer', async (t) => {
	const { shop, page, context, origin, says } = await open(t);
	await page.goto(`${origin}/privacy`);
	assert.equal(await anonymousId(context), undefined, 'to look at the page makes nobody known');
	for (const name of ['Remember what I look at', 'Choose for me', 'Share it with partners']) assert.equal(await page.getByRole('checkbox', { name }).isChecked(), false);
	assert.match(await textOf(page, 'sale-told'), /not told us in this browser/);
	await picture(page, 'preferences-first');

	await tabTo(page, '#analytics');
	await page.keyboard.press('Space');
	await tabTo(page, '#personalization');
	await page.keyboard.press('Space');
	await tabTo(page, '#save');
	await page.keyboard.press('Enter');
	assert.match(await said(page, 'status', /Saved/), /agree to: Remember what I look at; Choose for me\./);
	const id = await anonymousId(context);
	assert.ok(id.length >= 16);
	const view = async () => Object.fromEntries(Object.entries((await shop.visitor(`anonymous:${id}`)).consent).map(([what, { state, source, text }]) => [what, `${state} ${source} ${text}`]));
	assert.deepEqual(await view(), { analytics: 'granted preference-page 2026-11', personalization: 'granted preference-page 2026-11', sale: 'denied preference-page 2026-11' });
	assert.deepEqual(await says(id, inGermany), ['chosen-for-you', false]);
	assert.ok(await page.evaluate(() => document.activeElement.id === 'save'), 'the focus stays where it was');

	await page.reload();
	assert.deepEqual(await page.locator('input:checked').evaluateAll((boxes) => boxes.map((box) => box.id)), ['analytics', 'personalization']);
	assert.match(await textOf(page, 'analytics-told'), /You last said yes, on .*20\d\d/);
	await tabTo(page, '#all');
	await page.keyboard.press('Enter');
	await said(page, 'status', /Share it with partners/);
	assert.deepEqual(await says(id, inGermany), ['chosen-for-you', true]);
	await picture(page, 'preferences-all');

	await page.reload();
	await tabTo(page, '#none');
	await page.keyboard.press('Enter');
	assert.equal(await said(page, 'status', /Saved/), 'Saved. You agree to none of it.');
	assert.deepEqual(await view(), { analytics: 'withdrawn preference-page 2026-11', personalization: 'withdrawn preference-page 2026-11', sale: 'withdrawn preference-page 2026-11' });
	assert.deepEqual(await says(id, inGermany), ['as-for-everybody', false]);
	assert.equal(await page.locator('input:checked').count(), 0);
	// Where messages go is not this page's to say.
	assert.equal(await page.getByRole('link', { name: 'sign in to change' }).count(), 3);
	assert.equal(await page.locator('input').count(), 3);
});

test('Global Privacy Control is heeded, by page and by answer', async (t) => {
	const { shop, page, context, origin, says } = await open(t, { init: () => Object.defineProperty(navigator, 'globalPrivacyControl', { value: true }) });
	assert.deepEqual(await says('visitor-of-oregon-1', inOregon), ['do-not-sell', true], 'granted until somebody objects');
	assert.deepEqual(await says('visitor-of-oregon-1', inOregon, { 'sec-gpc': '1' }), ['not-sold', false]);
	assert.deepEqual(await says('visitor-of-koeln-01', inGermany), ['as-for-everybody', false], 'denied until somebody agrees');
	await page.goto(`${origin}/privacy`);
	assert.ok(await page.locator('#gpc').isVisible());
	assert.deepEqual(await page.locator('input:disabled').evaluateAll((boxes) => boxes.map((box) => box.id)), ['personalization', 'sale']);
	await page.getByRole('button', { name: 'Agree to all' }).click();
	assert.equal(await said(page, 'status', /Saved/), 'Saved. You agree to: Remember what I look at.');
	const id = await anonymousId(context);
	assert.deepEqual(Object.entries((await shop.visitor(`anonymous:${id}`)).consent).map(([what, { state }]) => [what, state]), [['analytics', 'granted']]);
	await picture(page, 'preferences-gpc');
	// Who wants it in writing gets it.
	await page.getByRole('button', { name: 'Refuse all' }).click();
	await said(page, 'status', /none of it/);
	assert.deepEqual(Object.values((await shop.visitor(`anonymous:${id}`)).consent).map(({ state }) => state), ['withdrawn', 'denied', 'denied']);
	assert.deepEqual(await says(id, inOregon), ['not-sold', false]);
});

test('what keeps a choice from being stored is said in words', async (t) => {
	const { proxy, page, context, origin, shop } = await open(t);
	await page.goto(`${origin}/privacy`);
	for (const [trouble, words] of [
		[{ status: 503 }, /cannot store your choice at the moment\. Nothing was changed/],
		[{ status: 429, headers: { 'retry-after': '7' } }, /too often.*in 7 seconds/],
		['away', /could not be reached\. Nothing was changed/],
	]) {
		if (trouble === 'away') proxy.target = 'http://127.0.0.1:1';
		else proxy.plan.push(trouble);
		await page.getByRole('button', { name: 'Agree to all' }).click();
		await said(page, 'problem', words);
		assert.equal(await textOf(page, 'status'), '');
		assert.match(await textOf(page, 'analytics-told'), /not told us/);
		assert.equal((await shop.known('', `anonymous:${await anonymousId(context)}`)).status, 404);
	}
	await picture(page, 'preferences-problem');
	proxy.target = shop.url;
	await page.getByRole('button', { name: 'Agree to all' }).click();
	await said(page, 'status', /Saved/);
	assert.equal(await textOf(page, 'problem'), '');
});

test('a write key that is none', async (t) => {
	const { page, origin } = await open(t, { writeKey: 'wk-of-another-shop' });
	await page.goto(`${origin}/privacy`);
	await page.getByRole('button', { name: 'Refuse all' }).click();
	await said(page, 'problem', /does not let this page speak for you\. Nothing was changed/);
});

const customer = 'u-7', browsers = ['browser-of-the-customer-1', 'browser-of-the-customer-2'];
const agreed = { consent: { categoryPreferences: { analytics: true, personalization: true } } };

// Two browsers whose visitors turn out to be one customer, with an order, a cart, and a name that tries to be markup.
async function makeCustomer(shop) {
	// Sent again as it asks while it finds out that two are one (503).
	const send = (path, body) => until(async () => {
		const { status, body: answer } = await shop.send(path, body);
		assert.ok(status === 200 || status === 503, `${status} ${JSON.stringify(answer)}`);
		return status === 200 && assert.equal(answer.accepted, body.batch?.length ?? 1) === undefined;
	}, { what: `${path} is taken` });
	for (const [i, id] of browsers.entries()) await send('track', { anonymousId: id, event: 'Product Viewed', messageId: `v-${i}`, properties: { product_id: `B-${i}`, category: 'boots' }, context: agreed });
	for (const id of browsers) await send('identify', { anonymousId: id, userId: customer, traits: { name: 'Ann <img src=x onerror=alert(1)>', email: 'Ann@Shop.Example', phone: '+49 151 23456789', ids: { loyalty: '123' } } });
	await send('track', { userId: customer, event: 'Order Completed', messageId: 'o-1', properties: { order_id: 'A-1', revenue: 90, products: [{ product_id: 'B-1', category: 'boots', price: 90 }] } });
	await send('track', { userId: customer, event: 'Product Added', messageId: 'a-1', properties: { product_id: 'S-1', category: 'socks', price: 19.9, quantity: 2 } });
	await send('identify', { anonymousId: browsers[0], traits: { shoe_size: 41 } });
}

test('support finds a customer by whatever he goes by, and changes where he is written to', async (t) => {
	const { shop, page, context, origin } = await open(t);
	await makeCustomer(shop);
	await page.goto(`${origin}/agent`);
	// Without a mouse: the key, then who.
	await tabTo(page, '#key');
	await page.keyboard.type(secret);
	await tabTo(page, '#id');
	await page.keyboard.type(customer);
	await page.keyboard.press('Enter');
	await said(page, 'status', /Found/);
	assert.ok(await page.evaluate(() => document.activeElement.id === 'person'));
	assert.equal(await textOf(page, 'name'), 'Ann <img src=x onerror=alert(1)>', 'as text');
	assert.equal(await page.locator('img').count(), 0);
	const ids = await page.locator('#ids li').allTextContents();
	assert.deepEqual(ids.sort(), ['anonymous:browser-of-the-customer-1', 'anonymous:browser-of-the-customer-2', 'email:ann@shop.example', 'external:loyalty:123', 'phone:+4915123456789', 'u-7']);
	const rows = (id) => page.locator(`#${id} tbody tr`).evaluateAll((all) => all.map((row) => [...row.cells].map((cell) => cell.textContent)));
	assert.deepEqual((await rows('orders')).map((row) => [row[0], row[2]]), [['A-1', '90']]);
	assert.deepEqual((await rows('cart')).map((row) => [row[0], row[1], row[3], row[4]]), [['s-1', 'socks', '2', '19.9']]);
	assert.deepEqual(new Set((await rows('timeline')).map((row) => row[0])), new Set(['identify', 'Product Added', 'Order Completed', 'Product Viewed']));
	assert.equal((await rows('merges')).length, 1, 'two browsers, one person');
	assert.ok((await page.locator('#segments li').allTextContents()).includes('customer'));
	assert.deepEqual((await rows('consent')).map((row) => row.slice(0, 2)), [['email', 'never said'], ['sms', 'never said'], ['push', 'never said'], ['analytics', 'granted'], ['personalization', 'granted']]);
	await picture(page, 'agent');

	const button = (what) => `#consent button[data-what="${what}"]`;
	await tabTo(page, button('email'));
	await page.keyboard.press('Enter');
	await said(page, 'status', /email: allowed/);
	const view = async (what) => (await shop.visitor(customer)).consent[what];
	assert.deepEqual([(await view('email')).state, (await view('email')).source], ['granted', 'support']);
	assert.ok(await page.evaluate((s) => document.activeElement.matches(s), button('email')), 'the focus goes on from there');
	await page.keyboard.press('Enter');
	await said(page, 'status', /email: withdrawn/);
	assert.equal((await view('email')).state, 'withdrawn');
	assert.deepEqual((await rows('log')).slice(0, 2).map((row) => [row[0], row[1], row[3]]), [['email', 'withdrawn', 'support'], ['email', 'granted', 'support']]);
	assert.equal(await page.locator('#consent button').count(), 3, 'purposes are the customer\'s own');

	for (const [kind, id] of [['email', ' ANN@shop.example'], ['phone', '+49 151 234 567 89'], ['anonymous', browsers[1]], ['external', 'loyalty:123'], ['user', 'u-7']]) {
		await page.getByLabel('Look up by').selectOption(kind);
		await page.getByLabel('Who', { exact: true }).fill(id);
		await page.getByRole('button', { name: 'Look up' }).click();
		await page.waitForFunction(() => !document.getElementById('person').hasAttribute('aria-busy'));
		await said(page, 'status', /Found/);
		assert.match(await textOf(page, 'name'), /^Ann/, `${kind} ${id}`);
	}
	// The key is in the page and nowhere else.
	assert.deepEqual(await page.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie]), [0, 0, '']);
	assert.deepEqual(await context.cookies(), []);
	await page.getByRole('button', { name: 'Forget the key' }).click();
	assert.deepEqual([await page.locator('#key').inputValue(), await page.locator('#person').isVisible(), await page.locator('#ids li').count()], ['', false, 0]);
});

test('what keeps support from an answer is said in words', async (t) => {
	const { shop, proxy, page, origin } = await open(t);
	await makeCustomer(shop);
	await page.goto(`${origin}/agent`);
	const look = async (key, id, words) => {
		await page.getByLabel('Secret key').fill(key);
		await page.getByLabel('Who', { exact: true }).fill(id);
		await page.getByRole('button', { name: 'Look up' }).click();
		await said(page, 'problem', words);
		assert.equal(await page.locator('#person').isVisible(), false);
		assert.equal(await textOf(page, 'status'), '');
	};
	await look('sk-of-nobody', customer, /The key is not known/);
	await look('', customer, /The key is not known/);
	await look(write, customer, /A secret key is needed/);
	await picture(page, 'agent-problem');
	await look(secret, 'u-nobody', /Nobody is known by that/);
	proxy.target = 'http://127.0.0.1:1';
	await look(secret, customer, /store is out of reach/);
	proxy.target = shop.url;
	await page.getByRole('button', { name: 'Look up' }).click();
	await said(page, 'status', /Found/);
	proxy.plan.push({ status: 503 });
	await page.getByRole('button', { name: 'Allow sms' }).click();
	await said(page, 'problem', /store is out of reach/);
	assert.equal((await shop.visitor(customer)).consent.sms, undefined);
	assert.ok(await page.getByRole('button', { name: 'Allow sms' }).isEnabled());
});
