// `floorwalker store copy`: a daemon on the copy knows what the one on the source knew; with --follow nothing that was acknowledged
// is missing after the switch; and what keeps it from copying is said. How it copies is in tests/unit/test_store_copy.c.

import './release.mjs';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import test from 'node:test';
import { environment, long, program, run, temporaryFolder } from './daemon.mjs';
import { assertExactlyOnce, makeStream, startLoad } from './acknowledged.mjs';
import { openShop } from './faults.mjs';
import { event, servePeople } from './people.mjs';
import { startCluster, startRedis } from './redis.mjs';
import { runAside, serve, until } from './server.mjs';
import { moveTo } from './stores.mjs';

// Starts the command beside the test: { child, out(), err(), ended }.
function startCopy(t, config, to, ...more) {
	const child = spawn(program, ['store', 'copy', to, '--config', config, ...more], { env: environment(), stdio: ['ignore', 'pipe', 'pipe'] });
	let out = '', err = '';
	child.stdout.setEncoding('utf8').on('data', (text) => { out += text; });
	child.stderr.setEncoding('utf8').on('data', (text) => { err += text; });
	t.after(() => child.kill('SIGKILL'));
	return { child, out: () => out, err: () => err, ended: new Promise((done) => child.on('close', (status, signal) => done(status ?? signal))) };
}

// While a daemon serves, the two sides are not counted at one moment: what was on its way between is on one of them only.
function copied({ status, stdout, stderr }, { served = false } = {}) {
	assert.equal(status, 0, stderr);
	assert.doesNotMatch(stderr, /Sanitizer|runtime error:/);
	const told = JSON.parse(stdout);
	assert.equal(told.ok, true);
	assert.equal(told.differing, 0);
	if (!served) assert.deepEqual(told.destination, told.source);
	return told;
}

const copy = (config, to, ...more) => run(['store', 'copy', to, '--json', '--config', config, ...more], { seconds: 180 });

// People with several ids, consents, merges: whatever has rows of its own kind.
async function live(shop) {
	const sent = async (path, body) => {
		const { status, body: told } = await shop.send(path, body);
		assert.equal(status, 200, JSON.stringify(told));
	};
	for (let i = 0; i < 30; i++) {
		const anonymousId = `visitor-of-the-copy-${i}`, userId = `u-${i % 20}`;
		for (let k = 0; k <= i % 4; k++) await sent('track', event({ anonymousId, messageId: `copy-${i}-${k}` }));
		if (i % 3 === 0) await sent('identify', { anonymousId, userId, traits: { email: `u${i}@shop.example`, ids: { loyalty: `l-${i}` } } });
		if (i % 5 === 0) await sent(`visitors/${encodeURIComponent(`anonymous:${anonymousId}`)}/consent`, { deny: ['sale'] });
	}
	await sent('track', { type: 'track', event: 'Order Completed', userId: 'u-0', properties: { order_id: 'o-1', revenue: 12, products: [{ product_id: 'p-9' }] } });
}

const names = Array.from({ length: 30 }, (_, i) => [`anonymous:visitor-of-the-copy-${i}`, `u-${i}`, `email:u${i}@shop.example`, `external:loyalty:l-${i}`]).flat();

// What is known of everybody, and decided for them. What tells of the time of asking is left out.
async function known(shop) {
	const all = {};
	for (const name of names) {
		const { status, body } = await shop.known('', name);
		const timeline = (await shop.known('/timeline', name)).body, exported = (await shop.known('/export', name)).body;
		const seen = await shop.decide({ ...(name.startsWith('anonymous:') ? { anonymousId: name.slice(10) } : { userId: name }), slots: ['seen'] }, { headers: { authorization: 'Bearer sk-0123456789abcdef' } });
		all[name] = { status, body, timeline, exported, seen: seen.body.decisions };
	}
	return JSON.parse(JSON.stringify(all, (key, value) => (['exportedAt', 'decisionId'].includes(key) || /days_since|seconds_since/.test(key) ? undefined : value)));
}

// A shop with people, copied from place to place: everywhere it answers the same.
async function goRound(t, places) {
	let shop = await servePeople(t, { config: { workers: 1 } });
	await live(shop);
	const { folder, config } = shop;
	const first = await known(shop);
	assert.ok(Object.values(first).filter(({ status }) => status === 200).length > 50);
	for (const place of places) {
		await shop.daemon.stop();
		const told = copied(copy(config, place));
		assert.ok(told.source.rows > 60, `${told.source.rows} rows`);
		moveTo(config, place);
		rmSync(join(folder, 'data'), { recursive: true, force: true });
		shop = await servePeople(t, { folder, config: { workers: 1, store: place } });
		assert.deepEqual(await known(shop), first);
		// And it goes on from there.
		const { body } = await shop.send('track', event({ anonymousId: 'visitor-of-the-copy-0', messageId: 'copy-0-0' }));
		assert.deepEqual(body, { success: true, accepted: 1, rejected: [] });
		assert.deepEqual(await known(shop), first, 'an event of before the copy does not count twice after it');
	}
}

test('a daemon on the copy gives the same answers', (t) => goRound(t, [`lmdb:${temporaryFolder(t)}/copy`]));

test('so it does on a Redis, from there on a cluster, and back', async (t) => {
	const redis = await startRedis(t, { password: 'secret' }), cluster = await startCluster(t);
	await goRound(t, [redis.url(), cluster.url(), `lmdb:${temporaryFolder(t)}/copy`]);
});

// Under load: copy --follow, stop the daemon, another store, start it. Then acknowledged = stored, and each once.
async function switchUnderLoad(t, to, from = 'lmdb:data') {
	const shop = await openShop(t, { config: { store: from } }), isLmdb = from.startsWith('lmdb:');
	const load = startLoad(shop.url, makeStream({ people: long ? 2000 : 200 }));
	await load.passed(long ? 2000 : 40, 300);
	const copying = startCopy(t, shop.config, to, '--follow', '--json');
	await until(() => copying.err().includes('what changes follows') || copying.child.exitCode !== null, { what: 'it follows', seconds: 180 });
	assert.equal(copying.child.exitCode, null, copying.err() + copying.out());
	await load.passed(long ? 2000 : 40, 300);
	await shop.daemon.stop();
	// Where other nodes could write, the command is told that none does.
	if (!isLmdb) copying.child.kill('SIGINT');
	assert.equal(await copying.ended, 0, copying.err() + copying.out());
	assert.equal(/the daemon has stopped/.test(copying.err()), isLmdb);
	const told = copied({ status: 0, stdout: copying.out(), stderr: copying.err() });
	t.diagnostic(`${load.events.length} events acknowledged by then; ${JSON.stringify(told)}`);
	moveTo(shop.config, to);
	rmSync(join(shop.folder, 'data'), { recursive: true, force: true });
	await shop.start();
	await load.passed(10);
	await load.stop();
	await assertExactlyOnce(shop.url, load);
	assert.ok(!existsSync(join(shop.folder, 'data')));
	return shop;
}

test('what is acknowledged while it follows is on the copy', (t) => switchUnderLoad(t, `lmdb:${temporaryFolder(t)}/copy`));

test('what is acknowledged while a cluster follows is there, and in LMDB after the way back', async (t) => {
	const cluster = await startCluster(t);
	const shop = await switchUnderLoad(t, cluster.url());
	await shop.daemon.stop();
	await cluster.flush();
	await switchUnderLoad(t, `lmdb:${temporaryFolder(t)}/copy`, cluster.url());
});

test('a Redis that a daemon serves is no destination', async (t) => {
	const redis = await startRedis(t);
	const shop = await serve(t, { config: { store: redis.url() } }), other = await serve(t, { config: { store: 'lmdb:data' } });
	await until(async () => (await shop.ask('/readyz')).status === 200, { what: 'it serves' });
	// By this lease the command knows; the workers have others, and may have them first.
	const leased = `for _, rows in ipairs(redis.call('KEYS', 'fw:{*}')) do if redis.call('HEXISTS', rows, '\\255lease:sweep') == 1 then return 1 end end return 0`;
	await until(async () => await redis.ask('EVAL', leased, 0) === 1, { what: 'somebody leads' });
	const { status, stdout } = copy(other.config, redis.url());
	assert.equal(status, 1);
	assert.match(stdout, /a daemon serves the destination/);
	await shop.daemon.stop();
});

test('a copy while the daemon serves, ended by its own check or by an interrupt', async (t) => {
	const shop = await openShop(t);
	const load = startLoad(shop.url, makeStream({ people: 100 }));
	await load.passed(20);
	const place = `lmdb:${temporaryFolder(t)}/copy`;
	const plain = startCopy(t, shop.config, place, '--json');
	assert.equal(await plain.ended, 0, plain.err());
	assert.equal(JSON.parse(plain.out()).differing, 0);
	const again = startCopy(t, shop.config, place, '--follow', '--into-existing', '--json');
	await until(() => again.err().includes('what changes follows'), { what: 'it follows' });
	await load.passed(5);
	await load.stop();
	again.child.kill('SIGINT');
	assert.equal(await again.ended, 0, again.err());
	const told = copied({ status: 0, stdout: again.out(), stderr: again.err() }, { served: true });
	await shop.daemon.stop();
	moveTo(shop.config, place);
	await shop.start();
	await assertExactlyOnce(shop.url, load);
	assert.ok(told.written > 0 && told.written < 3 * told.source.rows);
});

test('interrupted it says so, and goes on with --into-existing', async (t) => {
	const shop = await openShop(t);
	const load = startLoad(shop.url, makeStream({ people: 300 }));
	await load.passed(40);
	await load.stop();
	await shop.daemon.stop();
	const place = `lmdb:${temporaryFolder(t)}/copy`;
	const copying = startCopy(t, shop.config, place, '--json');
	await until(() => existsSync(`${place.slice(5)}/data.mdb`) || copying.child.exitCode !== null, { what: 'it has begun' });
	copying.child.kill('SIGTERM');
	const status = await copying.ended;
	if (status === 1) assert.match(JSON.parse(copying.out()).error.message, /interrupted/);
	else assert.ok(status === 0 || status === 'SIGTERM', `${status}`); // it was faster, or had not yet begun to listen
	copied(copy(shop.config, place, '--into-existing'));
	copied(copy(shop.config, place, '--into-existing'));
	assert.match(copy(shop.config, place).stdout, /the destination is not empty/);
});

test('what keeps it from copying is said', async (t) => {
	const shop = await serve(t, { config: { store: 'lmdb:data' } }), { config, folder } = shop;
	const refused = async (to, wanted) => {
		const { status, stdout, stderr } = await runAside(['store', 'copy', to, '--config', config]);
		assert.equal(status, 1, `${to}: ${stdout}${stderr}`);
		assert.equal(stdout, '');
		assert.match(stderr, wanted);
		assert.equal(stderr.split('\n').filter((line) => !/Redis has no persistence/.test(line)).length, 2, stderr);
	};
	await refused('nonsense', /there is no store "nonsense".*write lmdb:FOLDER, redis/);
	await refused('redis://', /names no host/);
	await refused(`lmdb:${folder}/data`, /source and destination are the same/);
	await refused(`lmdb:${folder}/shop/home.lua`, /home\.lua/);
	const other = await serve(t, { config: { store: 'lmdb:data' } });
	await refused(`lmdb:${other.folder}/data`, /process \d+ keeps this data; stop the daemon/);
	// What listens and never answers, and where nobody listens: each is waited for, so both at once.
	const silent = createServer(() => {});
	await new Promise((done) => silent.listen(0, '127.0.0.1', done));
	t.after(() => silent.close());
	await Promise.all([refused(`redis://127.0.0.1:${silent.address().port}`, /the destination: /), refused('redis://127.0.0.1:1', /the destination: .*Connection refused/)]);
	await shop.daemon.stop();
	assert.equal(copy(config, `lmdb:${folder}/copy`).status, 0);
	rmSync(join(folder, 'data'), { recursive: true });
	await refused(`lmdb:${folder}/copy2`, /there is no data yet/);
});

// A password in the destination's URL stood in the list of processes as long as the command ran, and with --follow that is long.
test('a password of the destination is not in the list of processes', async (t) => {
	const redis = await startRedis(t, { password: 'quite-secret' }), shop = await openShop(t);
	const following = startCopy(t, shop.config, redis.url('/1'), '--follow');
	await until(() => following.err().includes('what changes follows') || following.child.exitCode !== null, { what: 'it follows' });
	const told = readFileSync(`/proc/${following.child.pid}/cmdline`, 'latin1').split('\0');
	assert.ok(told.includes(redis.url('/1').replace('quite-secret', '*'.repeat(12))), told.join(' '));
	following.child.kill('SIGINT');
	assert.equal(await following.ended, 0, following.err());
	// Or it is no argument at all.
	const secret = join(shop.folder, 'destination');
	const empty = join(shop.folder, 'empty');
	writeFileSync(secret, `${redis.url('/2')}\n`);
	writeFileSync(empty, '');
	copied(copy(shop.config, `file:${secret}`), { served: true });
	copied(run(['store', 'copy', 'env:COPY_TO', '--json', '--config', shop.config], { env: { COPY_TO: redis.url('/3') } }), { served: true });
	for (const database of [1, 2, 3]) assert.match(await redis.ask('INFO', 'keyspace'), new RegExp(`^db${database}:keys=\\d`, 'm'));
	for (const [to, why] of [['env:COPY_TO', /the environment has no COPY_TO/], ['env:', /the environment has no variable without a name/], [`file:${secret}s`, /destinations.*No such file/], [`file:${empty}`, /empty.*no URL stands there/]])
		assert.match(copy(shop.config, to).stdout, why);
});

test('a daemon does not start on data that is being copied', async (t) => {
	const shop = await openShop(t);
	await shop.daemon.stop();
	const place = `lmdb:${temporaryFolder(t)}/copy`;
	copied(copy(shop.config, place));
	// Held by hand, as the command does: it would be over too soon.
	const holder = spawn('python3', ['-c', 'import fcntl,os,sys,time\nf=open(sys.argv[1],"r+")\nfcntl.lockf(f,fcntl.LOCK_EX)\nprint("held",flush=True)\ntime.sleep(60)', join(shop.folder, 'data/keeper.lock')], { stdio: ['ignore', 'pipe', 'inherit'] });
	t.after(() => holder.kill('SIGKILL'));
	await new Promise((done) => holder.stdout.once('data', done));
	assert.match(copy(shop.config, place, '--into-existing').stdout, /process \d+ keeps this data/);
	await assert.rejects(shop.start(), /keeps this data/);
});
