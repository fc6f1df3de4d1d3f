// Redis goes away, in one way or another, and what is sent meanwhile is accepted all the same. Each test ends with acknowledged =
// stored, by count per person, and again after the whole acknowledged stream was sent once more.
//
// Seen failing on a build with FW_BREAK_SPOOL_ONCE (meson -Dc_args=-D…): events without a messageId count twice.

import './release.mjs';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { assertExactlyOnce, inBatches, kin, makeStream, random, seed, startLoad, whenThere } from './acknowledged.mjs';
import { ask, long, run } from './daemon.mjs';
import { openShop } from './faults.mjs';
import { startRedis } from './redis.mjs';
import { until, writeShop } from './server.mjs';
import { limits, spoolShop, stored } from './spool.mjs';

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function openSpoolShop(t, config) {
	const redis = await startRedis(t, { args: ['--appendfsync', 'always'] });
	return { redis, shop: await spoolShop(t, redis.unixUrl(), config) };
}

const events = (n, fields = {}) => Array.from({ length: n }, (_, i) => ({ type: 'track', event: 'Product Viewed', anonymousId: `held-${i % 7}`, properties: { product_id: 'p-1', category: 'boots' },
	messageId: `held-${process.pid}-${i}`, ...fields }));

test('a spool beside a store on the same machine is refused', (t) => {
	const folder = writeShop(t, { config: { store: 'lmdb:data', spool: 'spool' } });
	const { status, stderr } = run(['serve', '--config', join(folder, 'floorwalker.lua')]);
	assert.equal(status, 1);
	assert.match(stderr, /spool cannot be used with the store "lmdb:.*set store to that, or take spool away/s);
});

test('without a spool events are refused while Redis is away, and decisions go on', async (t) => {
	const redis = await startRedis(t);
	const shop = await openShop(t, { config: { store: redis.unixUrl() } });
	assert.equal((await ask(`${shop.url()}/v1/batch`, { batch: events(3) })).status, 200);
	await redis.stop();
	const refused = await until(async () => {
		const answer = await ask(`${shop.url()}/v1/batch`, { batch: events(1, { messageId: 'later' }) });
		return answer.status === 503 && answer;
	}, { what: 'the store is away' });
	assert.match(refused.headers.get('retry-after'), /^[1-9]\d*$/);
	assert.equal(refused.body.error.message, 'the store is out of reach');
	const { status, body } = await ask(`${shop.url()}/v1/decide`, { slots: ['s'], anonymousId: 'held-1', context: { page: { type: 'home' } } });
	assert.deepEqual([status, body.degraded, body.decisions.s.content.banner], [200, true, 'one']);
});

test('Redis is killed, and is back: no request fails, and all counts once', async (t) => {
	const { redis, shop } = await openSpoolShop(t);
	const rnd = random(seed);
	const load = startLoad(shop.url, makeStream({ people: 40 }));
	const plain = makeStream({ people: 40, from: seed + 1, name: 'nameless' });
	const once = startLoad(shop.url, () => plain().map((e) => ({ ...e, messageId: undefined })), { connections: 4, once: true });
	await load.passed(5);
	for (let i = 0; i < (long ? 10 : 3); i++) {
		await redis.stop();
		await load.passed(20 + Math.floor(rnd() * 50));
		if (i === 1) await pause(1000);
		await redis.start();
		await load.passed(10);
		if (i !== 1) await shop.emptied();
	}
	await Promise.all([load.stop(), once.stop()]);
	assert.deepEqual([load.refused, load.broken, once.refused, once.broken], [{}, 0, {}, 0]);
	assert.ok((await shop.metrics()).floorwalker_spooled_total > 100);
	await shop.emptied();
	await stored(shop, load.events);
	await assertExactlyOnce(shop.url, load);
	await stored(shop, once.events, 'an event without a messageId counts once');
	t.diagnostic(`${load.events.length + once.events.length} events acknowledged, ${(await shop.metrics()).floorwalker_spooled_total} of them held`);
});

test('Redis is paused: what waits is held, too', async (t) => {
	const { redis, shop } = await openSpoolShop(t);
	const load = startLoad(shop.url, makeStream({ people: 20 }));
	await load.passed(5);
	redis.pause();
	await until(async () => await shop.held() > 50, { what: 'events are held' });
	redis.resume();
	await load.passed(10);
	await load.stop();
	assert.deepEqual([load.refused, load.broken], [{}, 0]);
	await shop.emptied();
	await stored(shop, load.events);
	await assertExactlyOnce(shop.url, load);
});

test('workers and the keeper are killed meanwhile, and everything at once', async (t) => {
	const { redis, shop } = await openSpoolShop(t);
	const rnd = random(seed + 2);
	const load = startLoad(shop.url, makeStream({ people: 40, from: seed + 2 }));
	const kill = (pids) => pids.forEach((pid) => { try { process.kill(pid, 'SIGKILL'); } catch { /* it was faster */ } });
	await load.passed(5);
	for (let i = 0; i < (long ? 30 : 8); i++) {
		await load.passed(1 + Math.floor(rnd() * 20));
		if (i % 4 === 0) await redis.stop();
		if (i % 4 === 2) await redis.start();
		const what = rnd();
		if (what < 0.4) kill([(await whenThere(shop.master(), (k) => k.workers, 'a worker'))[0]]);
		else if (what < 0.7) kill(await whenThere(shop.master(), (k) => [k.keeper], 'the keeper'));
		else if (what < 0.8) shop.daemon.signal('SIGHUP');
		else {
			const { keeper, loaders, workers } = kin(shop.master());
			[shop.master(), keeper, ...loaders, ...workers].filter(Boolean).forEach((pid) => shop.seen.add(pid));
			kill([shop.master(), keeper, ...loaders, ...workers].filter(Boolean));
			await shop.daemon.ended;
			await shop.start();
		}
	}
	if (!redis.child) await redis.start();
	await load.passed(5);
	await load.stop();
	await shop.emptied();
	await stored(shop, load.events);
	await assertExactlyOnce(shop.url, load);
	t.diagnostic(`${load.events.length} events acknowledged, ${load.broken} requests broken, refused ${JSON.stringify(load.refused)}`);
});

test('TERM while Redis is away: what is held stays, is told, and is applied after the next start', async (t) => {
	const { redis, shop } = await openSpoolShop(t);
	const sent = events(40);
	assert.equal((await shop.post(sent.slice(0, 10))).status, 200);
	await redis.stop();
	for (const batch of inBatches(sent.slice(10), 10)) assert.deepEqual((await shop.post(batch)).body, { success: true, accepted: 10, rejected: [] });
	const held = await until(shop.held, { what: 'events are held' });
	assert.ok(held === 30 || held === 40, `${held}`);
	const told = await shop.metrics();
	assert.equal(told.floorwalker_spool_events, held);
	await until(async () => (await shop.metrics()).floorwalker_spool_oldest_seconds > 0, { what: 'its age is told' });
	assert.equal(JSON.parse(run(['status', '--json', '--config', shop.config]).stdout).spool.events, held);
	assert.match(run(['status', '--config', shop.config]).stdout, new RegExp(`^spool       ${held} events held, the oldest for \\d+ s$`, 'm'));
	assert.equal(await shop.daemon.stop(), 0);
	assert.match(shop.daemon.log(), new RegExp(`"events stay in the spool until the next start","events":"${held}"`));
	await shop.start();
	await until(async () => await shop.held() === held, { what: 'they are counted' });
	await redis.start();
	await shop.emptied();
	await stored(shop, sent);
	// Read what is said only once it is: the last line of the log comes after the last event is applied.
	await until(() => /all that was held is applied/.test(shop.daemon.log()), { what: 'it is told' });
});

test('TERM when Redis is back: it ends when nothing is held', async (t) => {
	const { redis, shop } = await openSpoolShop(t);
	const sent = events(long ? 20000 : 3000);
	await redis.stop();
	for (const batch of inBatches(sent, 500)) assert.equal((await shop.post(batch)).status, 200);
	assert.equal(await shop.held(), sent.length);
	await redis.start();
	await until(async () => await shop.held() < sent.length, { what: 'they are being applied' });
	assert.equal(await shop.daemon.stop(), 0);
	assert.doesNotMatch(shop.daemon.log(), /stay in the spool/);
	await shop.start();
	await stored(shop, sent);
});

test('reloads while events are held: the new generation goes on', async (t) => {
	const { redis, shop } = await openSpoolShop(t);
	const sent = events(50);
	await redis.stop();
	assert.equal((await shop.post(sent)).status, 200);
	for (let i = 0; i < 3; i++) assert.match(run(['reload', '--config', shop.config]).stdout, /^reloaded/);
	assert.equal(await shop.held(), 50);
	await redis.start();
	await shop.emptied();
	await stored(shop, sent);
});

test('a full spool: 503 again', async (t) => {
	const { redis, shop } = await openSpoolShop(t, { limits: { ...limits, spool_events: 20 } });
	const sent = events(40);
	await redis.stop();
	assert.equal((await shop.post(sent.slice(0, 15))).status, 200);
	const full = await shop.post(sent.slice(15));
	assert.deepEqual([full.status, full.body.error.message], [503, 'the store is out of reach']);
	assert.match(full.headers.get('retry-after'), /^[1-9]\d*$/);
	assert.equal((await shop.metrics()).floorwalker_spool_refused_total, 25);
	await redis.start();
	await shop.emptied();
	await until(async () => (await shop.post(sent)).status === 200, { what: 'all workers have found Redis again' });
	await stored(shop, sent);
});
