// Living with the data: looking at a person, keeping it only so long, backups.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ask, long, run, temporaryFolder } from './daemon.mjs';
import { assertExactlyOnce, assertStored, countByPerson, makeStream, random, seed, sendAgain, startLoad, storedByPerson } from './acknowledged.mjs';
import { openShop, strikes } from './faults.mjs';
import { metrics, runAside, until, writeShop } from './server.mjs';
import { test, testEverywhere, testOnLmdb } from './stores.mjs';
import { xxh64 } from './xxh64.mjs';

const view = (n, more = {}) => ({ type: 'track', event: 'Product Viewed', messageId: `data-${n}`, anonymousId: 'visitor-1', properties: { product_id: 'p-1', category: 'boots' }, ...more });
const send = async (shop, batch) => assert.equal((await ask(`${shop.url()}/v1/batch`, { batch })).body.accepted, batch.length);

test('profile show says what /v1/visitors says, beside a daemon and without one', async (t) => {
	const shop = await openShop(t);
	await send(shop, [view(1), view(2, { timestamp: new Date(Date.now() - 3600_000).toISOString() }), { type: 'identify', messageId: 'i', userId: 'u-7', traits: { plan: 'pro' } },
		{ type: 'track', event: 'Order Completed', messageId: 'o', userId: 'u-7', properties: { order_id: 'o-1', total: 20, revenue: '18.50', currency: 'EUR', products: [{ product_id: 'p-1', quantity: 2, price: 9.25 }] } }]);
	const show = (...args) => run(['profile', 'show', '--config', shop.config, ...args]);
	const served = {};
	for (const id of ['anonymous:visitor-1', 'u-7']) {
		for (const [path, option] of [['', []], ['/timeline', ['--timeline']]]) {
			// The command loads no rules, so it knows of no segments.
			const { segments, ...body } = (await ask(`${shop.url()}/v1/visitors/${id}${path}`)).body;
			served[id + path] = body;
			assert.deepEqual(JSON.parse(show('--json', ...option, id).stdout), served[id + path], id + path);
		}
	}
	assert.deepEqual(JSON.parse(show('--json', 'user:u-7').stdout), served['u-7']);
	assert.equal(served['anonymous:visitor-1'].facts.viewed.total, 2);
	assert.equal(served['u-7'].traits.plan, 'pro');
	assert.equal(served['u-7'].orders.length, 1);
	assert.equal(served['anonymous:visitor-1/timeline'].timeline.length, 2);
	const text = show('u-7').stdout;
	assert.match(text, /plan +pro\n/);
	assert.equal(await shop.daemon.stop(), 0);
	const alone = JSON.parse(show('--json', 'anonymous:visitor-1').stdout);
	assert.equal(alone.facts.viewed.total, 2);
	const nobody = show('anonymous:nobody');
	assert.equal(nobody.status, 1);
	assert.match(nobody.stderr, /nobody is known by this id/);
	for (const args of [[], ['a', 'b']]) assert.equal(show(...args).status, 2, args.join(' '));
});

// The bucket of an anonymousId's record (core/people/key.h).
const bucketOf = (id) => Number(xxh64(Buffer.from(`a${id}`), 0n) >> 54n);

// An id of its own in one of these buckets.
function idIn(prefix, from, to) {
	for (let n = 0; ; n++) {
		const bucket = bucketOf(`${prefix}-${n}`);
		if (bucket >= from && bucket < to) return `${prefix}-${n}`;
	}
}

testEverywhere('retain: a record that nobody has touched for so long is dropped, others stay', async (t) => {
	const shop = await openShop(t, { config: { retain: { anonymous: '1s', known: '1h' } } });
	// The sweep goes from the first bucket on, a bucket in three steps of 100 ms: these are met when a second is long over.
	const [gone, back, known] = ['gone', 'back', 'known'].map((name) => idIn(name, 14, 22));
	await send(shop, [view(1, { anonymousId: gone }), view(2, { anonymousId: back }), { ...view(3, { anonymousId: known }), userId: 'u-1' }]);
	const status = async (id) => (await ask(`${shop.url()}/v1/visitors/anonymous:${id}`)).status;
	assert.deepEqual(await Promise.all([gone, back, known].map(status)), [200, 200, 200]);
	let n = 10;
	await until(async () => { await send(shop, [view(n++, { anonymousId: back })]); return await status(gone) === 404; }, { what: 'the record is dropped' });
	assert.equal((await metrics({ url: shop.url() }))['floorwalker_swept_total{kind="record"}'], 1);
	assert.deepEqual(await Promise.all([back, known].map(status)), [200, 200]);
	assert.equal((await storedByPerson(shop.url(), [back]))[back], n - 9);
	// Who comes back afterwards is new.
	await send(shop, [view(n, { anonymousId: gone })]);
	assert.deepEqual(await storedByPerson(shop.url(), [gone]), { [gone]: 1 });
});

// A shop of its own whose data is this backup.
async function restored(t, backup) {
	const folder = writeShop(t, { config: { store: 'lmdb:data' } });
	const { status, stdout, stderr } = run(['store', 'restore', '--config', join(folder, 'floorwalker.lua'), backup]);
	assert.equal(status, 0, stdout + stderr);
	return openShop(t, { folder });
}

testOnLmdb('a backup under load, restored elsewhere, is one moment of the data', async (t) => {
	const shop = await openShop(t);
	const folder = temporaryFolder(t);
	const rnd = random(seed);
	const people = long ? 5000 : 100;
	const load = startLoad(shop.url, makeStream({ people }));
	await load.passed(long ? 500 : 20);
	const backups = [];
	for (let i = 0; i < (long ? 10 : 2); i++) {
		const before = countByPerson(load.events);
		const backup = join(folder, `backup-${i}`);
		const { status, stdout, stderr } = await runAside(['store', 'backup', '--config', shop.config, backup]);
		assert.equal(status, 0, stdout + stderr);
		backups.push({ backup, before });
		await load.passed(1 + Math.floor(rnd() * (long ? 200 : 10)));
		const check = await runAside(['store', 'check', '--config', shop.config]);
		assert.equal(check.status, 0, check.stdout + check.stderr);
	}
	await load.stop();
	const sent = countByPerson(load.events);
	for (const { backup, before } of backups) {
		// Whatever was acknowledged before it began is in it; what was on its way may be, and nothing else.
		const other = await restored(t, backup);
		const stored = await storedByPerson(other.url(), Object.keys(sent));
		for (const [id, n] of Object.entries(sent)) assert.ok(stored[id] >= (before[id] ?? 0) && stored[id] <= n, `${id}: acknowledged ${before[id]}, in the backup ${stored[id]}, sent ${n}`);
		// It knows what it has: sent all that ever was, it becomes equal.
		await sendAgain(other.url, load.events);
		assert.deepEqual(await storedByPerson(other.url(), Object.keys(sent)), sent);
		assert.equal(await other.daemon.stop(), 0);
	}
	await assertExactlyOnce(shop.url, load);
});

testOnLmdb('a backup of a shop at rest has equal counts, and takes the place of other data', async (t) => {
	const shop = await openShop(t);
	const load = startLoad(shop.url, makeStream({ people: long ? 5000 : 100 }));
	await load.passed(long ? 1000 : 30);
	await load.stop();
	const folder = temporaryFolder(t);
	const store = (...args) => run(['store', ...args, '--config', shop.config]);
	assert.equal(store('backup', join(folder, 'served')).status, 0);
	// While a daemon serves, its data is not replaced.
	const busy = store('restore', join(folder, 'served'));
	assert.equal(busy.status, 1);
	assert.match(busy.stderr, /process \d+|keeper|daemon|serves/);
	// What comes after it is gone with the restore.
	await send(shop, [view(1, { anonymousId: 'after' })]);
	assert.equal(await shop.daemon.stop(), 0);
	assert.equal(store('backup', join(folder, 'ended')).status, 0);
	assert.equal(store('restore', join(folder, 'served')).status, 0);
	await shop.start();
	await assertStored(shop.url(), load.events);
	assert.equal((await ask(`${shop.url()}/v1/visitors/anonymous:after`)).status, 404);
	await assertExactlyOnce(shop.url, load);
	const other = await restored(t, join(folder, 'ended'));
	assert.deepEqual(await storedByPerson(other.url(), ['after']), { after: 1 });
	await assertExactlyOnce(other.url, load);
});

testOnLmdb('a backup that cannot be is refused, and leaves nothing', async (t) => {
	const shop = await openShop(t);
	await send(shop, [view(1)]);
	const folder = temporaryFolder(t, { 'taken/x': '', 'nonsense/data.mdb': 'hello\n'.repeat(3000) });
	const store = (...args) => run(['store', ...args, '--config', shop.config]);
	for (const [args, status, why] of [
		[['backup', join(folder, 'taken')], 1, /something of that name already/],
		[['backup', join(folder, 'no/such/folder')], 1, /No such file/],
		[['backup'], 2, /Try: floorwalker store --help/],
		[['restore'], 2, /Try: floorwalker store --help/],
		[['burn'], 2, /Try: floorwalker store --help/],
	]) {
		const told = store(...args);
		assert.equal(told.status, status, `${args}: ${told.stderr}`);
		assert.match(told.stderr, why, args.join(' '));
	}
	assert.ok(!existsSync(join(folder, 'no')) && !existsSync(join(folder, 'taken.part')));
	assert.equal(await shop.daemon.stop(), 0);
	const before = readFileSync(join(shop.folder, 'data/data.mdb'));
	for (const from of ['nonsense', 'taken', 'nowhere']) assert.equal(store('restore', join(folder, from)).status, 1, from);
	assert.ok(readFileSync(join(shop.folder, 'data/data.mdb')).equals(before), 'the data is as it was');
});

testOnLmdb('a backup while the keeper is killed', async (t) => {
	const shop = await openShop(t);
	const folder = temporaryFolder(t);
	const load = startLoad(shop.url, makeStream({ people: 100 }));
	await load.passed(20);
	const before = countByPerson(load.events);
	const backup = runAside(['store', 'backup', '--config', shop.config, join(folder, 'b')]);
	await strikes.keeper(shop);
	const { status, stderr } = await backup;
	assert.equal(status, 0, stderr);
	await load.passed(5);
	await load.stop();
	const other = await restored(t, join(folder, 'b'));
	const stored = await storedByPerson(other.url(), Object.keys(before));
	for (const [id, n] of Object.entries(before)) assert.ok(stored[id] >= n, `${id}: ${stored[id]} of ${n}`);
	await assertExactlyOnce(shop.url, load);
});
