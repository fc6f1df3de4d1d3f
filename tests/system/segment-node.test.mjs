// The stock client of Segment for Node, unmodified: through a busy server, lost answers, a restart and reloads every event is
// counted, and counted once.

import './release.mjs';
import { Analytics } from '@segment/analytics-node';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import test from 'node:test';
import { long, startDaemon } from './daemon.mjs';
import { secret, servePeople, until, withPeople } from './people.mjs';
import { startProxy } from './proxy.mjs';

function client(t, host, more = {}) {
	const analytics = new Analytics({ writeKey: secret, host, flushAt: 5, flushInterval: 50, maxRetries: 20, ...more });
	const failures = [];
	analytics.on('error', (error) => failures.push(error));
	t.after(() => assert.deepEqual(failures, []));
	return analytics;
}

const viewed = (userId) => ({ userId, event: 'Product Viewed', properties: { product_id: 'p-1', category: 'boots', price: 19.9 } });
const messageIds = (proxy) => proxy.seen.flatMap((r) => JSON.parse(r.text).batch.map((e) => e.messageId));

test('it is the client that npm has', () => {
	const lock = JSON.parse(readFileSync(new URL('package-lock.json', import.meta.url), 'utf8'));
	const found = createRequire(import.meta.url).resolve('@segment/analytics-node');
	const { version } = JSON.parse(readFileSync(join(found.slice(0, found.indexOf('/dist/')), 'package.json'), 'utf8'));
	assert.equal(version, lock.packages['node_modules/@segment/analytics-node'].version);
});

test('every call arrives as what it is', async (t) => {
	const shop = await servePeople(t);
	const analytics = client(t, shop.url);
	analytics.identify({ userId: 'u-1', traits: { plan: 'pro', email: 'u@shop.example' } });
	analytics.track(viewed('u-1'));
	analytics.page({ userId: 'u-1', category: 'Docs', name: 'Guide', properties: { url: 'https://shop.example/guide' } });
	analytics.screen({ userId: 'u-1', name: 'Cart' });
	analytics.group({ userId: 'u-1', groupId: 'g-1', traits: { name: 'Acme' } });
	analytics.alias({ userId: 'u-1', previousId: 'u-0' });
	analytics.track({ anonymousId: 'visitor-of-node-000', event: 'Product Viewed', properties: { product_id: 'p-1' } });
	await analytics.closeAndFlush();
	assert.deepEqual((await shop.timeline('u-1')).map((e) => e.type).sort(), ['alias', 'group', 'identify', 'page', 'screen', 'track']);
	assert.equal((await shop.visitor('u-1')).traits.plan, 'pro');
	assert.equal(await shop.seen({ userId: 'u-1' }), 1);
	assert.equal(await shop.seen({ anonymousId: 'visitor-of-node-000' }), 1);
});

test('through a busy server, lost requests and lost answers each event counts once', async (t) => {
	const shop = await servePeople(t);
	const proxy = await startProxy(t, shop.url);
	proxy.plan.push({ status: 503 }, { status: 503, headers: { 'retry-after': '1' } }, 'lose', { status: 429, headers: { 'retry-after': '1' } }, 'drop', 'lose', 'pass', 'lose');
	const analytics = client(t, proxy.url);
	const n = 23;
	for (let i = 0; i < n; i++) analytics.track(viewed('u-1'));
	await analytics.closeAndFlush({ timeout: 120_000 });
	assert.equal(proxy.plan.length, 0, 'each failure was met');
	const sent = messageIds(proxy);
	assert.ok(sent.length > n && new Set(sent).size === n, 'some were sent again');
	assert.ok(proxy.seen.some((r) => Number(r.headers['x-retry-count']) > 0));
	assert.equal(await shop.seen({ userId: 'u-1' }), n);
	assert.equal((await shop.visitor('u-1')).facts.viewed.total, n);
	// The whole stream once more changes nothing.
	for (const { text } of proxy.seen) assert.deepEqual((await shop.send('batch', text)).body.rejected, []);
	assert.equal((await shop.visitor('u-1')).facts.viewed.total, n);
});

test('through a restart and reloads under way each event counts once', async (t) => {
	const shop = await servePeople(t);
	const proxy = await startProxy(t, shop.url);
	const analytics = client(t, proxy.url);
	const people = long ? 20 : 4, rounds = long ? 300 : 60;
	let sent = 0;
	let daemon = shop.daemon, now = shop;
	const another = async () => {
		for (let p = 0; p < people; p++) analytics.track(viewed(`u-${p}`));
		sent++;
		await new Promise((done) => setTimeout(done, 5));
	};
	const during = async (what) => {
		let over = false;
		proxy.plan.push('lose');
		const done = what().finally(() => { over = true; });
		while (!over) await another();
		return done;
	};
	for (let i = 0; i < rounds / 6; i++) await another();
	assert.equal((await during(() => now.reloadAside())).status, 0);
	for (let i = 0; i < rounds / 6; i++) await another();
	assert.equal(await during(() => daemon.stop()), 0);
	for (let i = 0; i < rounds / 6; i++) await another();
	daemon = await during(() => startDaemon(t, shop.config));
	now = withPeople({ ...shop, daemon, url: daemon.url });
	proxy.target = daemon.url;
	for (let i = 0; i < rounds / 6; i++) await another();
	assert.equal((await during(() => now.reloadAside())).status, 0);
	for (let i = 0; i < rounds / 3; i++) await another();
	await analytics.closeAndFlush({ timeout: 180_000 });
	assert.equal(new Set(messageIds(proxy)).size, sent * people);
	for (let p = 0; p < people; p++) assert.equal((await now.visitor(`u-${p}`)).facts.viewed.total, sent, `u-${p}`);
	assert.ok(proxy.seen.some((r) => r.outcome !== 200), 'the restart was felt');
	if (sent <= 300) assert.equal(await now.seen({ userId: 'u-0' }), sent);
});

test('a key that is refused is told to the application, and nothing is tried again', async (t) => {
	const shop = await servePeople(t);
	const proxy = await startProxy(t, shop.url);
	const analytics = new Analytics({ writeKey: 'unknown', host: proxy.url, flushAt: 1, maxRetries: 5 });
	const failure = new Promise((done) => analytics.on('error', done));
	analytics.track(viewed('u-1'));
	assert.equal((await failure).code, 'delivery_failure');
	await analytics.closeAndFlush();
	await until(() => proxy.seen.length > 0);
	assert.deepEqual(proxy.seen.map((r) => r.outcome), [401]);
});
