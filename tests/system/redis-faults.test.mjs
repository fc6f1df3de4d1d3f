// What befalls a single Redis, and the way to it, under load: acknowledged = stored each time, and again after all of it was sent
// once more. Redis syncs its append-only file before it answers: with "everysec" it may answer what it has not even written yet.
// Seen failing on a build with -Dc_args=-DFW_BREAK_BATCH_ID (a batch that comes again is done again): "connections are cut".

import './release.mjs';
import assert from 'node:assert/strict';
import test from 'node:test';
import { assertExactlyOnce, assertStored } from './acknowledged.mjs';
import { ask, long, until } from './daemon.mjs';
import { openShop, storesNameless, strikeUnderLoad } from './faults.mjs';
import { startLine } from './line.mjs';
import { startRedis } from './redis.mjs';

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// Strikes on a shop whose store is there, then what has to be true. `nameless`: nobody is refused meanwhile, and events without a
// messageId, each sent once, count once.
async function struck(t, store, strike, { times = long ? 6 : 4, nameless = false } = {}) {
	const { shop, load, once } = await strikeUnderLoad(t, [strike], { times, config: { store }, nameless });
	assert.equal(load.broken, 0, 'every request is answered');
	if (nameless) assert.deepEqual(load.refused, {}, 'nobody is refused');
	await assertExactlyOnce(shop.url, load);
	if (nameless) await assertStored(shop.url(), once.events, 'what was handed in twice counts once');
	return { shop, load };
}

test('it is killed, and comes back with its file', async (t) => {
	const redis = await startRedis(t, { password: 'secret' });
	await struck(t, redis.url(), async (shop, rnd) => {
		await redis.stop();
		await pause(rnd() * 500);
		await redis.start();
	});
});

test('it stands still, for a moment or for so long that batches are given up, and does late what it was told', async (t) => {
	const redis = await startRedis(t);
	let n = 0;
	const { load } = await struck(t, redis.unixUrl(), async (shop, rnd) => {
		redis.pause();
		await pause(n++ % 2 === 1 ? 6000 + rnd() * 2000 : rnd() * 1000);
		redis.resume();
	}, { times: long ? 4 : 2 });
	assert.ok(load.refused['the store is out of reach'] > 0, 'some were given up');
});

test('it is full, and is given room again', async (t) => {
	const redis = await startRedis(t);
	const { load } = await struck(t, redis.unixUrl(), async (shop) => {
		await redis.ask('CONFIG', 'SET', 'maxmemory', '1mb');
		await until(async () => (await ask(`${shop.url()}/readyz?verbose`)).body.store.full, { what: 'a worker says that it is full' });
		await redis.ask('CONFIG', 'SET', 'maxmemory', '0');
	});
	assert.deepEqual(Object.keys(load.refused), ['the store\'s disk is full']);
});

test('it forgets the scripts', async (t) => {
	const redis = await startRedis(t, { password: 'secret', tls: true });
	await struck(t, redis.url(), () => redis.ask('SCRIPT', 'FLUSH'), { times: long ? 30 : 10, nameless: true });
});

test('connections are cut in the middle of what is asked, and of what is answered, and when all is done and nothing answered', async (t) => {
	const redis = await startRedis(t, { password: 'secret' });
	const line = await startLine(t, redis.port, { redis: true });
	let n = 0;
	await struck(t, redis.url().replace(String(redis.port), String(line.port)), (shop, rnd) => (n++ % 3 ? line.cutWithin(Math.floor(rnd() * 3000), rnd() < 0.5 ? 'up' : 'down')
		: line.cutUnanswered(storesNameless)), { times: long ? 40 : 12, nameless: true });
});

test('nothing comes through for a while, and then what was sent does', async (t) => {
	const redis = await startRedis(t);
	const line = await startLine(t, redis.port);
	let n = 0;
	await struck(t, `redis://127.0.0.1:${line.port}`, async (shop, rnd) => {
		line.hold(true);
		await pause(n++ % 2 === 1 ? 4000 + rnd() * 3000 : rnd() * 1000);
		line.hold(false);
	}, { times: long ? 4 : 2 });
});

test('it is not there: decisions go on without what is known, events are refused at once', async (t) => {
	const redis = await startRedis(t);
	const shop = await openShop(t, { config: { store: redis.unixUrl() } });
	const event = (n) => ({ type: 'track', event: 'Product Viewed', messageId: `away-${n}`, anonymousId: 'visitor-1', properties: { product_id: 'p-1' } });
	const send = (n) => ask(`${shop.url()}/v1/batch`, { batch: [event(n)] });
	const decide = async () => (await ask(`${shop.url()}/v1/decide`, { anonymousId: 'visitor-1', slots: ['s'], context: { page: { type: 'home' } } })).body;
	assert.equal((await send(1)).status, 200);
	await redis.stop();
	const refused = await until(async () => { const answer = await send(2); return answer.status === 503 && answer; }, { what: 'it is found to be away' });
	assert.match(refused.headers.get('retry-after'), /^[1-9]\d*$/);
	await until(async () => { const began = Date.now(); return (await send(2)).status === 503 && Date.now() - began < 300; }, { what: 'whoever is refused does not wait' });
	const told = await decide();
	assert.deepEqual([told.degraded, told.decisions.s.content.banner], [true, 'one']);
	assert.equal((await ask(`${shop.url()}/readyz?verbose`)).body.store.reachable, false);
	await redis.start();
	await until(async () => (await send(2)).status === 200, { what: 'it is found again' });
	await until(async () => !(await decide()).degraded, { what: 'decisions know again' });
	// One of the two workers may not have found it yet.
	const known = await until(async () => { const answer = await ask(`${shop.url()}/v1/visitors/anonymous:visitor-1`); return answer.status === 200 && answer.body; });
	assert.equal(known.facts.viewed.total, 2);
});
