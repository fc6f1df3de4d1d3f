// `floorwalker import`: each line counts once per file and place in it, whatever happens meanwhile. Seen failing with
// -DFW_BREAK_IMPORT (places are not compared): imports that are killed, and two at once; with -DFW_BREAK_TOO_LATE: the last one.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { appendFileSync, copyFileSync, readdirSync, readFileSync, readlinkSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ask, environment, long, program, run, until } from './daemon.mjs';
import { assertStored, makeStream, random, seed, startLoad, storedByPerson } from './acknowledged.mjs';
import { openShop, strikes } from './faults.mjs';
import { startRedis } from './redis.mjs';
import { runAside, writeShop } from './server.mjs';
import { importAside, kind, storeOf, test, testEverywhere, testOnLmdb } from './stores.mjs';

const day = 86400_000;

// History of `people` visitors, up to two years old, oldest first.
function history(n, { people = 40, name = 'h', from = seed } = {}) {
	const rnd = random(from);
	const now = Date.now();
	return Array.from({ length: n }, (_, i) => ({ type: 'track', event: 'Product Viewed', messageId: `${name}-${from}-${i}`, anonymousId: `${name}-${Math.floor(people * rnd() ** 2)}`,
		timestamp: new Date(now - 700 * day * (1 - i / n)).toISOString(), properties: { product_id: `p-${i % 9}`, category: `c-${i % 4}` } }));
}

const lines = (events) => events.map((e) => `${JSON.stringify(e)}\n`).join('');

// What is said of a store over a network that was busy; the import went on.
const askedAgain = /^.*: the store is out of reach; it is asked again for 30 s\n/gm;

// A shop that does not serve (yet): { folder, config, write(name, events), bring(file…), start() }.
async function closedShop(t, store) {
	const settings = { store: store ?? await storeOf(t), retain: { anonymous: '3000d', known: '3000d' } };
	const folder = writeShop(t, { config: settings });
	const config = join(folder, 'floorwalker.lua');
	return {
		folder, config,
		write: (name, events) => { writeFileSync(join(folder, name), lines(events)); return join(folder, name); },
		bring: (...files) => {
			const { status, stdout, stderr } = run(['import', '--json', '--config', config, ...files], { seconds: 600 });
			return { status, stderr: stderr.replace(askedAgain, ''), ...(stdout ? JSON.parse(stdout) : {}) };
		},
		start: () => openShop(t, { folder, config: settings }),
	};
}

test('a file counts once, without a daemon and beside one, under any name', async (t) => {
	const closed = await closedShop(t);
	const events = history(long ? 50000 : 3000);
	const file = closed.write('history.jsonl', events);
	assert.deepEqual(closed.bring(file), { status: 0, stderr: '', lines: events.length, applied: events.length, repeated: 0, refused: 0, skippedBytes: 0 });
	const again = { status: 0, stderr: '', lines: 0, applied: 0, repeated: 0, refused: 0, skippedBytes: statSync(file).size };
	assert.deepEqual(closed.bring(file), again);
	const shop = await closed.start();
	await assertStored(shop.url(), events);
	assert.deepEqual(closed.bring(file), again);
	renameSync(file, `${file}.old`);
	copyFileSync(`${file}.old`, join(closed.folder, 'other.jsonl'));
	assert.deepEqual(closed.bring(`${file}.old`), again);
	assert.deepEqual(closed.bring(join(closed.folder, 'other.jsonl')), again);
	await assertStored(shop.url(), events);
	// Another file for the same visitors, and both in one command.
	const more = history(1000, { from: seed + 1 });
	const second = closed.write('more.jsonl', more);
	const both = closed.bring(`${file}.old`, second);
	assert.deepEqual([both.status, both.lines, both.applied, both.skippedBytes], [0, 1000, 1000, again.skippedBytes]);
	await assertStored(shop.url(), [...events, ...more]);
	// The same for people.
	const { stdout } = run(['import', '--config', closed.config, second]);
	assert.match(stdout, /^0 lines: 0 applied, 0 applied before, 0 refused; \d+ bytes were done already\n$/);
});

// How far a process has read a file; -1: it has not opened it.
function readSoFar(pid, file) {
	try {
		const fd = readdirSync(`/proc/${pid}/fd`).find((n) => readlinkSync(`/proc/${pid}/fd/${n}`) === file);
		return fd ? Number(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8').match(/^pos:\s*(\d+)/m)[1]) : -1;
	} catch { return -1; }
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// Runs imports of the file and kills each a moment after it has read a random part of the rest, until one reaches the end.
// Answers how many were killed.
async function killedUntilDone(config, file, rnd) {
	const { size } = statSync(file);
	for (let kills = 0, reached = 0; ; kills++) {
		const child = spawn(program, ['import', '--config', config, file], { env: environment(), stdio: ['ignore', 'ignore', 'pipe'] });
		let said = '', over = false;
		child.stderr.setEncoding('utf8').on('data', (text) => { said += text; });
		const ended = new Promise((done) => child.on('close', (...how) => { over = true; done(how); }));
		const target = reached + rnd() * 0.2 * size;
		while (!over && readSoFar(child.pid, file) < target) await pause(1);
		if (!over && target < size) {
			await pause(rnd() * 8);
			reached = Math.max(target, readSoFar(child.pid, file));
			child.kill('SIGKILL');
		}
		const [status, signal] = await ended;
		if (signal !== 'SIGKILL') {
			assert.equal(status, 0, said);
			return kills;
		}
	}
}

for (const beside of [false, true]) {
	test(`an import that is killed and begun again, ${beside ? 'beside a daemon' : 'without one'}`, async (t) => {
		const closed = await closedShop(t);
		const rnd = random(seed + beside);
		const events = history(long ? 200000 : 12000, { people: long ? 3000 : 60 });
		const file = closed.write('history.jsonl', events);
		const shop = beside ? await closed.start() : null;
		const kills = await killedUntilDone(closed.config, file, rnd);
		t.diagnostic(`${kills} times killed`);
		assert.ok(kills >= 3, `it was killed ${kills} times only`);
		const served = shop ?? await closed.start();
		await assertStored(served.url(), events);
		assert.equal(closed.bring(file).applied, 0);
		await assertStored(served.url(), events, 'nothing changes when it is brought in once more');
	});
}

testOnLmdb('an import waits for a store that is out of reach, and goes on', async (t) => {
	const redis = await startRedis(t, { password: 'secret' });
	const closed = await closedShop(t, redis.url('/1'));
	const events = history(500);
	const file = closed.write('history.jsonl', events);
	redis.pause();
	const child = spawn(program, ['import', '--json', '--config', closed.config, file], { env: environment(), stdio: ['ignore', 'pipe', 'pipe'] });
	let [summary, said] = ['', ''];
	child.stdout.setEncoding('utf8').on('data', (text) => { summary += text; });
	child.stderr.setEncoding('utf8').on('data', (text) => { said += text; });
	const ended = new Promise((done) => child.on('close', done));
	await until(() => said || child.exitCode !== null, { what: 'it says that it waits' });
	redis.resume();
	assert.equal(await ended, 0, said);
	assert.match(said, /^\S+history\.jsonl: the store is out of reach; it is asked again for 30 s\n$/);
	assert.equal(JSON.parse(summary).applied, events.length);
	const shop = await closed.start();
	await assertStored(shop.url(), events);
});

test(`an import beside live traffic while ${kind === 'lmdb' ? 'the keeper is' : 'workers are'} killed`, async (t) => {
	const closed = await closedShop(t);
	const shop = await closed.start();
	const rnd = random(seed);
	const events = history(long ? 100000 : 6000, { name: 'v', people: 30 });
	const file = closed.write('history.jsonl', events);
	// The same visitors are there meanwhile.
	const load = startLoad(shop.url, makeStream({ people: 30 }), { connections: 4 });
	const ended = runAside(['import', '--config', closed.config, file]);
	let over = false;
	ended.then(() => { over = true; });
	for (let i = 0; i < 3 && !over; i++) {
		await load.passed(5);
		await strikes[kind === 'lmdb' ? 'keeper' : 'worker'](shop, rnd);
	}
	const { status, stderr } = await ended;
	assert.equal(status, 0, stderr);
	await load.stop();
	await assertStored(shop.url(), [...events, ...load.events]);
	assert.equal(closed.bring(file).applied, 0);
});

testEverywhere('the same file by two imports at once', async (t) => {
	const closed = await closedShop(t);
	const shop = await closed.start();
	const events = history(long ? 50000 : 5000);
	const file = closed.write('history.jsonl', events);
	const ends = await Promise.all([1, 2].map(() => importAside(['--config', closed.config, file])));
	for (const { status, stderr } of ends) assert.equal(status, 0, stderr);
	assert.equal(ends.reduce((sum, { applied }) => sum + applied, 0), events.length);
	await assertStored(shop.url(), events);
});

test('a file that has grown goes on where it ended, from its first line to beyond 4 KiB', async (t) => {
	const closed = await closedShop(t);
	const events = history(200);
	const file = closed.write('history.jsonl', events.slice(0, 1));
	let done = 1;
	assert.equal(closed.bring(file).applied, 1);
	for (const n of [3, 10, 40, 200]) {
		appendFileSync(file, lines(events.slice(done, n)));
		const { status, applied, lines: read } = closed.bring(file);
		assert.deepEqual([status, applied, read], [0, n - done, n - done], `grown to ${n} lines`);
		done = n;
	}
	const shop = await closed.start();
	await assertStored(shop.url(), events);
});

test('two files that begin alike are two files', async (t) => {
	const closed = await closedShop(t);
	const all = [];
	for (const n of [5, 60]) {
		const [a, b] = [history(n, { name: `a${n}` }), history(n, { name: `b${n}`, from: seed + 1 })];
		b[0] = a[0];
		const [first, second] = [closed.write(`a${n}.jsonl`, a), closed.write(`b${n}.jsonl`, b)];
		assert.equal(closed.bring(first).applied, n);
		assert.equal(closed.bring(second).applied, n);
		assert.equal(closed.bring(first, second).applied, 0);
		all.push(...a, ...b);
	}
	const shop = await closed.start();
	await assertStored(shop.url(), all);
});

test('a last line that has no end yet is left for the next time', async (t) => {
	const closed = await closedShop(t);
	const events = history(20);
	const all = lines(events);
	const file = join(closed.folder, 'history.jsonl');
	writeFileSync(file, all.slice(0, -40));
	const first = closed.bring(file);
	assert.deepEqual([first.status, first.applied], [1, 19]);
	assert.match(first.stderr, /history\.jsonl:20: the last line does not end/);
	writeFileSync(file, all);
	assert.deepEqual([closed.bring(file).applied, closed.bring(file).applied], [1, 0]);
	const shop = await closed.start();
	await assertStored(shop.url(), events);
});

test('a line that cannot be taken is named with file and line, the others are taken', async (t) => {
	const closed = await closedShop(t);
	const good = history(8);
	const broken = [[3, '{"type":"track"', /\S/], [5, JSON.stringify({ ...good[0], anonymousId: undefined }), /neither a userId nor an anonymousId/], [6, JSON.stringify({ ...good[0], event: undefined }), /event/], [8, 'hello', /\S/], [9, '[]', /\S/],
		[10, JSON.stringify({ ...good[0], timestamp: 'yesterday' }), /\S/], [11, JSON.stringify({ ...good[0], properties: { text: 'x'.repeat(70000) } }), /70\d\d\d bytes; at most 65536/]];
	const all = lines(good).split('\n').slice(0, -1);
	for (const [at, text] of broken) all.splice(at - 1, 0, text);
	all.splice(11, 0, '');
	const file = join(closed.folder, 'mixed.jsonl');
	writeFileSync(file, all.map((line) => `${line}\n`).join(''));
	const { status, stderr, applied, refused } = closed.bring(file);
	assert.deepEqual([status, applied, refused], [1, good.length, broken.length]);
	const said = stderr.trim().split('\n');
	assert.equal(said.length, broken.length);
	broken.forEach(([at, , why], i) => {
		assert.ok(said[i].startsWith(`${file}:${at}: `), said[i]);
		assert.match(said[i], why);
	});
	assert.equal(closed.bring(file).applied, 0);
	const shop = await closed.start();
	await assertStored(shop.url(), good);
});

test('what is no file is said', async (t) => {
	const closed = await closedShop(t);
	const { status, stderr } = closed.bring(join(closed.folder, 'nowhere.jsonl'));
	assert.equal(status, 1);
	assert.match(stderr, /nowhere\.jsonl: No such file/);
	assert.equal(closed.bring(closed.folder).status, 1);
	assert.equal(run(['import', '--config', closed.config]).status, 2);
	const empty = closed.write('empty.jsonl', []);
	assert.deepEqual([closed.bring(empty).status, closed.bring(empty).lines], [0, 0]);
});

test('events years old are history; the same over HTTP are too late', async (t) => {
	const closed = await closedShop(t);
	const old = [3 * 365, 400, 100, 3].map((days, i) => ({ type: 'track', event: 'Product Viewed', messageId: `old-${i}`, anonymousId: 'old-visitor', timestamp: new Date(Date.now() - days * day).toISOString(), properties: { product_id: 'p-1' } }));
	assert.equal(closed.bring(closed.write('old.jsonl', old)).applied, 4);
	const shop = await closed.start();
	const { body } = await ask(`${shop.url()}/v1/batch`, { batch: old.map((e) => ({ ...e, anonymousId: 'late-visitor' })), sentAt: new Date().toISOString() });
	assert.deepEqual([body.accepted, body.rejected.map((r) => r.code)], [0, Array(4).fill('too_late')]);
	assert.deepEqual(await storedByPerson(shop.url(), ['old-visitor', 'late-visitor']), { 'old-visitor': 4, 'late-visitor': 0 });
	const timeline = (await ask(`${shop.url()}/v1/visitors/anonymous:old-visitor/timeline`)).body.timeline;
	assert.deepEqual(timeline.map((e) => e.at.slice(0, 10)), old.map((e) => e.timestamp.slice(0, 10)).reverse());
});
