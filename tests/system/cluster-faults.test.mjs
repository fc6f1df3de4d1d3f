// What befalls a Redis Cluster of three primaries and three replicas under load, and two daemons on it: acknowledged = stored each
// time, and again after all of it was sent once more.
//
// Seen failing on builds without a protection (meson -Dc_args=-D…): FW_BREAK_WAIT (a batch is answered that no replica has) "a primary
// that its replica has lost"; FW_BREAK_BATCH_ID (a batch that comes again is done again) "connections to the nodes are cut".

import './release.mjs';
import assert from 'node:assert/strict';
import test from 'node:test';
import { assertExactlyOnce, assertStored, kin, makeStream, random, seed, startLoad } from './acknowledged.mjs';
import { ask, long, until } from './daemon.mjs';
import { openShop, storesNameless, strikeUnderLoad } from './faults.mjs';
import { startLine } from './line.mjs';
import { event, servePeople } from './people.mjs';
import { startCluster } from './redis.mjs';
import { serve } from './server.mjs';
import { spoolShop, stored } from './spool.mjs';
import { sharedCluster } from './stores.mjs';

const password = 'secret';
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// Strikes on a shop whose store is the cluster, then what has to be true. `nameless`: nobody is refused meanwhile, and events
// without a messageId, each sent once, count once.
async function struck(t, cluster, strike, { times = long ? 4 : 2, nameless = false } = {}) {
	const { shop, load, once } = await strikeUnderLoad(t, [strike], { times, config: { store: cluster.url() }, nameless });
	await cluster.settle(0);
	assert.equal(load.broken, 0, 'every request is answered');
	if (nameless) assert.deepEqual(load.refused, {}, 'nobody is refused');
	await assertExactlyOnce(shop.url, load);
	if (nameless) await assertStored(shop.url(), once.events, 'what was handed in twice counts once');
}

const anySlot = (rnd) => Math.floor(rnd() * 16384);

test('a primary is killed, its replica takes its place, and it comes back', async (t) => {
	const cluster = await sharedCluster();
	await struck(t, cluster, async (shop, rnd) => {
		const slot = anySlot(rnd), primary = await cluster.primaryOf(slot);
		await primary.stop();
		await cluster.succeeded(slot, primary);
		await primary.start();
		await cluster.settle();
	}, { times: long ? 4 : 1 });
});

test('a primary stands still until its replica has taken its place, and goes on', async (t) => {
	const cluster = await sharedCluster();
	await struck(t, cluster, async (shop, rnd) => {
		const slot = anySlot(rnd), primary = await cluster.primaryOf(slot);
		primary.pause();
		await cluster.succeeded(slot, primary);
		await pause(rnd() * 500);
		primary.resume();
		await cluster.settle();
	}, { times: long ? 5 : 1 });
});

// What it was told alone is not in its replica, and is not acknowledged.
test('a primary that its replica has lost goes on alone, and is killed', async (t) => {
	const cluster = await sharedCluster();
	await struck(t, cluster, async (shop, rnd) => {
		const slot = anySlot(rnd), primary = await cluster.primaryOf(slot), replica = await cluster.replicaOf(primary);
		await replica.ask('CONFIG', 'SET', 'masterauth', 'wrong');
		await primary.ask('CLIENT', 'KILL', 'TYPE', 'replica');
		await pause(1500 + rnd() * 500); // longer than a WAIT
		await primary.stop();
		await replica.ask('CONFIG', 'SET', 'masterauth', password);
		await cluster.succeeded(slot, primary);
		await primary.start();
		await cluster.settle();
	}, { times: long ? 4 : 1 });
});

test('a primary and its replica change places in agreement', async (t) => {
	const cluster = await startCluster(t, { password, tls: true });
	await struck(t, cluster, async (shop, rnd) => { await cluster.failover(anySlot(rnd)); await cluster.settle(); }, { times: long ? 5 : 2, nameless: true });
});

test('slots move under load, to nodes that are there and to one that is added', async (t) => {
	const cluster = await startCluster(t, { password });
	let added;
	await struck(t, cluster, async (shop, rnd) => {
		const to = added ? await cluster.primaryOf(anySlot(rnd)) : added = await cluster.add();
		const others = (await cluster.primaries()).filter((node) => node !== to);
		await cluster.move(long ? 1600 : 160, others[Math.floor(rnd() * others.length)], to); // a hundred buckets, or ten
	}, { times: long ? 4 : 2, nameless: true });
	assert.equal(cluster.nodes.length, 8);
});

test('connections to the nodes are cut, in the middle of what is asked and of what is answered, and when all is done and nothing answered', async (t) => {
	const lines = [];
	const cluster = await startCluster(t, { password, line: async (port) => { lines.push(await startLine(t, port, { redis: true })); return lines.at(-1).port; } });
	let n = 0;
	await struck(t, cluster, (shop, rnd) => {
		const line = lines[Math.floor(rnd() * 3)];
		return n++ % 2 ? line.cutWithin(Math.floor(rnd() * 3000), rnd() < 0.5 ? 'up' : 'down') : line.cutUnanswered(storesNameless);
	}, { times: long ? 20 : 8, nameless: true });
});

test('nodes forget the scripts', async (t) => {
	const cluster = await sharedCluster();
	await struck(t, cluster, async () => { for (const node of await cluster.primaries()) await node.ask('SCRIPT', 'FLUSH'); }, { times: long ? 20 : 5, nameless: true });
});

// Of two who log in on one device, the device stays the first's: which of them that was is seen afterwards.
test('the cluster is away, or a part of it: what is sent is held, and applied once and in order when it is back', async (t) => {
	const cluster = await sharedCluster(), shop = await spoolShop(t, cluster.url());
	const rnd = random(seed), people = long ? 500 : 40, devices = [];
	const load = startLoad(shop.url, makeStream({ people }));
	const plain = makeStream({ people, from: seed + 1, name: 'nameless' });
	const once = startLoad(shop.url, () => plain().map((e) => ({ ...e, messageId: undefined })), { connections: 4, once: true });
	await load.passed(5);
	for (let i = 0; i < (long ? 4 : 2); i++) {
		const primary = await cluster.primaryOf(anySlot(rnd)), gone = i % 2 ? [primary, await cluster.replicaOf(primary)] : cluster.nodes;
		await Promise.all(gone.map((node) => node.stop()));
		await until(shop.held, { what: 'events are held' });
		const two = Array.from({ length: 20 }, (_, k) => [`device-of-two-${i}-${k}`, `first-${i}-${k}`, `second-${i}-${k}`]);
		devices.push(...two);
		await Promise.all(two.map(async ([anonymousId, ...users]) => {
			for (const userId of users) assert.deepEqual((await ask(`${shop.url()}/v1/identify`, { anonymousId, userId })).body, { success: true, accepted: 1, rejected: [] });
		}));
		await load.passed(20 + Math.floor(rnd() * 30));
		await Promise.all(gone.map((node) => node.start()));
		await cluster.settle();
		await shop.emptied();
	}
	await Promise.all([load.stop(), once.stop()]);
	assert.deepEqual([load.refused, load.broken, once.refused, once.broken], [{}, 0, {}, 0]);
	await shop.emptied();
	await stored(shop, load.events);
	await assertExactlyOnce(shop.url, load);
	await stored(shop, once.events, 'an event without a messageId counts once');
	const idsOf = async (id) => (await ask(`${shop.url()}/v1/visitors/${encodeURIComponent(id)}`)).body.ids.sort();
	for (const [device, first, second] of devices) assert.deepEqual([await idsOf(first), await idsOf(second)], [[`anonymous:${device}`, first], [second]]);
	t.diagnostic(`${load.events.length + once.events.length} events acknowledged, ${(await shop.metrics()).floorwalker_spooled_total} of them held`);
});

test('two daemons on one cluster give the same answers', async (t) => {
	const cluster = await sharedCluster();
	const shops = [await servePeople(t, { config: { store: cluster.url() } }), await servePeople(t, { config: { store: cluster.url() } })];
	const people = long ? 500 : 40, views = (i) => i % 7;
	for (let i = 0; i < people; i++) {
		const anonymousId = `visitor-of-two-${String(i).padStart(6, '0')}`;
		await Promise.all(Array.from({ length: views(i) }, (_, n) => shops[n % 2].send('track', event({ anonymousId })).then(({ status }) => assert.equal(status, 200))));
	}
	// As a person: a device that one daemon heard of, whom the other knows.
	await shops[0].send('identify', { anonymousId: 'visitor-of-two-000006', userId: 'u-6', traits: { plan: 'pro' } });
	await until(async () => (await shops[1].known('', 'u-6')).status === 200, { what: 'the other daemon knows the user' });
	for (let i = 0; i < people; i++) {
		const who = { anonymousId: `visitor-of-two-${String(i).padStart(6, '0')}` };
		const [one, other] = await Promise.all(shops.map((shop) => shop.send('decide', { ...who, slots: ['seen'] })));
		assert.deepEqual([one.body.degraded, other.body.degraded, one.body.ruleSet], [undefined, undefined, other.body.ruleSet]);
		assert.deepEqual(one.body.decisions, other.body.decisions);
		assert.equal(one.body.decisions.seen.content.n, views(i), who.anonymousId);
		const [here, there] = await Promise.all(shops.map((shop) => shop.visitor(`anonymous:${who.anonymousId}`)));
		assert.deepEqual(here, there);
	}
});

test('one of two daemons is killed under load: no request fails but those that it had open', async (t) => {
	const cluster = await sharedCluster();
	const shops = [await openShop(t, { config: { store: cluster.url() } }), await openShop(t, { config: { store: cluster.url() } })];
	const connections = 12;
	let next = 0, alone = false;
	const url = () => (alone ? shops[0] : shops[next++ % 2]).url();
	const load = startLoad(url, makeStream({ people: long ? 2000 : 40 }), { connections });
	await load.passed(long ? 500 : 30);
	const { loaders, workers } = kin(shops[1].master());
	[shops[1].master(), ...loaders, ...workers].forEach((pid) => { try { process.kill(pid, 'SIGKILL'); } catch { /* it ended with the others */ } });
	alone = true;
	await load.passed(long ? 500 : 30);
	await load.stop();
	// Its workers end when the master does, and may still refuse what they have open.
	const failed = load.broken + Object.values(load.refused).reduce((n, more) => n + more, 0);
	assert.ok(failed <= connections, `${load.broken} requests were broken, refused ${JSON.stringify(load.refused)}`);
	t.diagnostic(`${load.batches} requests acknowledged, ${load.broken} broken, refused ${JSON.stringify(load.refused)}`);
	await assertExactlyOnce(shops[0].url, load);
});

test('a cap holds over two daemons', async (t) => {
	const cluster = await sharedCluster();
	const rules = 'slot "hero" { channel = "web", default = { banner = "none" } }\nrule "ask" { slot = "hero", show = { banner = "ask" } }\ncap "three" { applies = { rule = "ask" }, limit = 3, per = "1d" }\n';
	const shops = [0, 1].map(() => serve(t, { files: { 'shop/home.lua': rules }, config: { store: cluster.url() } }));
	const urls = (await Promise.all(shops)).map((shop) => shop.url);
	const visitors = long ? 1000 : 60, times = 10, shown = new Map();
	const asked = Array.from({ length: visitors * times }, (_, i) => i);
	await Promise.all(Array.from({ length: 48 }, async () => {
		for (let i; (i = asked.pop()) !== undefined;) {
			const visitor = `visitor-${String(Math.floor(i / times)).padStart(8, '0')}`;
			const { status, body } = await ask(`${urls[i % 2]}/v1/decide`, { anonymousId: visitor });
			assert.equal(status, 200);
			if (body.degraded) asked.unshift(i); // it came too late, and shows nothing under a cap
			else if (body.decisions.hero.reason === 'rule') shown.set(visitor, (shown.get(visitor) ?? 0) + 1);
		}
	}));
	assert.deepEqual([shown.size, [...new Set(shown.values())]], [visitors, [3]]);
});
