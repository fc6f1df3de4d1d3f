// The stock client of Segment for browsers, unmodified, in a real Chromium, on a page of another origin: what a shop gets by
// changing the client's host.

import './release.mjs';
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import test from 'node:test';
import { chromium } from 'playwright-core';
import { tree } from './daemon.mjs';
import { servePeople, until, write } from './people.mjs';
import { startProxy } from './proxy.mjs';

const executablePath = '/usr/bin/chromium';
// Without a window Chromium calls itself HeadlessChrome, which is a crawler's name.
const chrome = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36';
const umd = join(tree, 'tests/system/node_modules/@segment/analytics-next/dist/umd');

// A shop's page, whose scripts are its own: the client as npm has it. Answers its origin.
async function startPage(t) {
	const html = '<!doctype html><title>Boots</title><script>window.analytics = { _cdn: location.origin };</script><script src="/analytics-next/bundles/index.js"></script>';
	const server = createServer((req, res) => {
		const name = new URL(req.url, 'http://x').pathname.match(/^\/analytics-next\/bundles\/([\w.-]+\.js)$/)?.[1];
		if (!name) return res.setHeader('content-type', 'text/html').end(html);
		if (!existsSync(join(umd, name))) return res.writeHead(404).end();
		return res.setHeader('content-type', 'text/javascript').end(readFileSync(join(umd, name)));
	});
	await new Promise((done) => server.listen(0, '127.0.0.1', done));
	t.after(() => { server.closeAllConnections(); server.close(); });
	return `http://localhost:${server.address().port}`;
}

// A page with the client loaded: { page, call(f, …), proxy, shop, anonymousId }.
async function open(t, options = {}, userAgent = chrome) {
	const origin = await startPage(t);
	const shop = await servePeople(t, { config: { cors: [origin] } });
	const proxy = await startProxy(t, shop.url);
	const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
	t.after(() => browser.close());
	const page = await browser.newPage(userAgent ? { userAgent } : {});
	const problems = [];
	page.on('pageerror', (error) => problems.push(error.message));
	await page.goto(`${origin}/boots?utm_source=google&utm_medium=cpc&utm_campaign=summer&gclid=abc`);
	const start = () => page.evaluate(async ([writeKey, cdnURL, more]) => {
		window.client = window.AnalyticsNext.AnalyticsBrowser.load({ writeKey, cdnURL }, more);
		const [analytics] = await window.client;
		return analytics.user().anonymousId();
	}, [write, proxy.url, options]);
	const anonymousId = await start();
	t.after(() => assert.deepEqual(problems, []));
	return { page, proxy, shop, origin, start, anonymousId, id: `anonymous:${anonymousId}` };
}

const posts = (proxy) => proxy.seen.filter((r) => r.method === 'POST');
const track = (page, n) => page.evaluate(async (times) => {
	for (let i = 0; i < times; i++) await window.client.track('Product Viewed', { product_id: 'p-1', category: 'boots', price: '19.90' });
}, n);

test('each call arrives as what it is, one request each', async (t) => {
	const { page, proxy, shop, id, anonymousId, origin } = await open(t);
	await page.evaluate(async () => {
		await window.client.page('Docs', 'Guide');
		await window.client.track('Product Viewed', { product_id: 'p-1' });
		await window.client.identify({ plan: 'pro' });
		await window.client.screen('Cart');
		await window.client.group('g-1', { name: 'Acme' });
	});
	await until(() => posts(proxy).filter((r) => r.outcome === 200).length === 5, { what: 'five events are sent' });
	assert.deepEqual(posts(proxy).map((r) => r.path).sort(), ['/v1/g', '/v1/i', '/v1/p', '/v1/s', '/v1/t']);
	assert.ok(posts(proxy).every((r) => r.headers['content-type'] === 'text/plain' && r.headers.origin === origin));
	assert.ok(proxy.seen.some((r) => r.method === 'OPTIONS' && r.outcome === 204), 'the browser asked before');
	assert.deepEqual((await shop.timeline(id)).map((e) => e.type).sort(), ['group', 'identify', 'page', 'screen', 'track']);
	assert.equal(await shop.seen({ anonymousId }), 1);
});

test('a busy server and lost answers: each event counts once', async (t) => {
	const { page, proxy, shop, id, anonymousId } = await open(t);
	proxy.plan.push({ status: 503 }, 'lose', { status: 429, headers: { 'retry-after': '1' } }, 'drop', { status: 500 });
	await track(page, 7);
	const delivered = () => new Set(posts(proxy).filter((r) => r.outcome === 200).map((r) => JSON.parse(r.text).messageId)).size;
	await until(() => delivered() === 7, { what: 'seven events are delivered', seconds: 60 });
	assert.ok(posts(proxy).length > 7 && proxy.plan.length === 0);
	assert.equal((await shop.visitor(id)).facts.viewed.total, 7);
	assert.equal(await shop.seen({ anonymousId }), 7);
});

test('batches, through a reload and a restart of the page', async (t) => {
	const batching = { integrations: { 'Segment.io': { deliveryStrategy: { strategy: 'batching', config: { size: 4, timeout: 100 } } } } };
	const { page, proxy, shop, id, anonymousId, start } = await open(t, batching);
	proxy.plan.push({ status: 503 }, 'lose', { status: 429, headers: { 'retry-after': '1' } });
	await track(page, 10);
	assert.equal((await shop.reloadAside()).status, 0);
	await track(page, 10);
	// What is not sent yet goes out with the page, or is kept by the client for the next.
	await page.reload();
	assert.equal(await start(), anonymousId);
	await track(page, 5);
	await until(async () => (await shop.visitor(id)).facts?.viewed?.total >= 25, { what: 'all are counted', seconds: 60 });
	assert.ok(posts(proxy).every((r) => r.path === '/v1/b'), 'by batches');
	assert.ok(posts(proxy).some((r) => JSON.parse(r.text).batch.length > 1));
	assert.equal(await shop.seen({ anonymousId }), 25);
});

test('a userId from a page is a claim until a server signs it', async (t) => {
	const { page, proxy, shop, id, anonymousId } = await open(t);
	await page.evaluate(async () => {
		await window.client.identify('u-page', { plan: 'pro' });
		await window.client.track('Product Viewed', { product_id: 'p-1' });
		await window.client.alias('u-other');
	});
	await until(() => posts(proxy).filter((r) => r.outcome === 200).length === 3, { what: 'three events are sent' });
	assert.equal(await shop.seen({ anonymousId }), 1);
	assert.equal(await shop.seen({ userId: 'u-page' }), 0);
	assert.equal((await shop.known('', 'u-other')).status, 404);
	assert.equal((await shop.timeline(id)).length, 3);
});

test('a crawler is answered and leaves no trace', async (t) => {
	const { page, proxy, shop, id } = await open(t, {}, null);
	await track(page, 2);
	await until(() => posts(proxy).filter((r) => r.outcome === 200).length === 2, { what: 'two events are sent' });
	assert.equal((await shop.known('', id)).status, 404);
});
