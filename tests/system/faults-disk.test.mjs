// A disk that is full, and data that cannot be read. Seen failing: the full disk with -DFW_BREAK_FULL (it is answered as if it
// were written) and with -DFW_BREAK_DEDUPE, the order of calls with -DFW_BREAK_FSYNC, damaged data with -DFW_BREAK_FORMAT and
// with -DFW_BREAK_LOOK (nothing is read at the start).

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { ask, long, run } from './daemon.mjs';
import { assertExactlyOnce, makeStream, random, seed, startLoad, storedByPerson, countByPerson, whenThere } from './acknowledged.mjs';
import { openShop, strikes } from './faults.mjs';
import { question, until } from './server.mjs';
import { xxh64 } from './xxh64.mjs';

// A folder for a shop whose data has a file system of its own, of so many KiB; both gone with the test. `folder` null: nothing
// can be mounted.
function smallDisk(t, kib) {
	const folder = mkdtempSync(join(tmpdir(), 'fw-'));
	const data = join(folder, 'data');
	mkdirSync(data);
	const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${kib}k`, 'floorwalker-test', data]);
	t.after(() => {
		spawnSync('umount', ['-l', data]);
		rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
	});
	return { folder: status === 0 ? folder : null, resize: (to) => assert.equal(spawnSync('mount', ['-o', `remount,size=${to}k`, data]).status, 0) };
}

test('a full disk: 503 until there is room, and nothing is lost', async (t) => {
	const disk = smallDisk(t, 400);
	if (!disk.folder) return t.skip('no tmpfs can be mounted here: this needs root');
	const shop = await openShop(t, { folder: disk.folder });
	const rnd = random(seed);
	const load = startLoad(shop.url, makeStream({ people: 1e9 }));
	for (let round = 0, kib = 400; round < (long ? 10 : 2); round++) {
		await until(() => load.refused["the store's disk is full"] > 20 * (round + 1), { what: 'the disk is full', seconds: 120 });
		// Decisions go on, and what was acknowledged so far can be read.
		assert.equal((await ask(`${shop.url()}/v1/decide`, question)).status, 200);
		const so_far = countByPerson(load.events);
		const stored = await storedByPerson(shop.url(), Object.keys(so_far).slice(0, 200));
		for (const [id, n] of Object.entries(stored)) assert.ok(n >= so_far[id], `${id}: ${n} of ${so_far[id]}`);
		await until(async () => (await ask(`${shop.url()}/readyz?verbose`)).body.store.full, { what: 'a worker knows that the disk is full' });
		if (round % 2 === 1) await strikes.keeper(shop, rnd);
		disk.resize(kib += 400);
		await load.passed(20, 120);
	}
	disk.resize(64 << 10);
	await load.passed(20, 120);
	await load.stop();
	t.diagnostic(`${load.events.length} events acknowledged, refused ${JSON.stringify(load.refused)}`);
	await assertExactlyOnce(shop.url, load);
	await until(async () => !(await ask(`${shop.url()}/readyz?verbose`)).body.store.full, { what: 'a worker knows that there is room' });
});

test('on a full disk it starts, and serves what it has', async (t) => {
	const disk = smallDisk(t, 400);
	if (!disk.folder) return t.skip('no tmpfs can be mounted here: this needs root');
	const shop = await openShop(t, { folder: disk.folder });
	const load = startLoad(shop.url, makeStream({ people: 1e9 }));
	await until(() => load.refused["the store's disk is full"] > 20, { what: 'the disk is full', seconds: 120 });
	await strikes.all(shop, random(seed));
	assert.equal((await ask(`${shop.url()}/v1/decide`, question)).status, 200);
	disk.resize(64 << 10);
	await load.passed(20, 120);
	await load.stop();
	await assertExactlyOnce(shop.url, load);
});

// What the keeper does, call by call, while `work` is done: [{ name, fd, path, text, result }].
async function traced(t, shop, work) {
	const [keeper] = await whenThere(shop.master(), (k) => [k.keeper], 'the keeper');
	const synced = readdirSync(`/proc/${keeper}/fd`).filter((fd) => /^flags:\s*\d*[1-7]\d{4}$/m.test(readFileSync(`/proc/${keeper}/fdinfo/${fd}`, 'utf8')));
	const file = join(shop.folder, 'trace');
	const strace = spawn('strace', ['-p', String(keeper), '-y', '-x', '-s', '24', '-e', 'trace=recvfrom,sendto,pwrite64,pwritev,writev,fdatasync,fsync', '-o', file], { stdio: 'ignore' });
	t.after(() => strace.kill('SIGKILL'));
	const ended = new Promise((done) => strace.on('exit', done));
	await until(() => existsSync(file) && statSync(file).size > 0, { what: 'strace is attached' });
	await work();
	strace.kill('SIGINT');
	await ended;
	const calls = [...readFileSync(file, 'latin1').matchAll(/^(\w+)\((\d+)<([^>]*)>(?:, "((?:[^"\\]|\\.)*)")?.*\) += (-?\d+)/gm)];
	return calls.map(([, name, fd, path, text, result]) => ({ name, fd, data: path.endsWith('/data.mdb'), durable: synced.includes(fd), text, result: Number(result) }));
}

// The bytes of a string of strace's.
const bytesOf = (text) => Buffer.from(text.replace(/\\(x[0-9a-f]{2}|[0-7]{1,3}|.)/g, (_, e) => {
	const named = { n: '\n', t: '\t', r: '\r', v: '\v', f: '\f' };
	return e[0] === 'x' ? String.fromCharCode(parseInt(e.slice(1), 16)) : /^[0-7]/.test(e) ? String.fromCharCode(parseInt(e, 8)) : named[e] ?? e;
}), 'latin1');

// A kill -9 does not show a missing sync: what was written but not synced stays in the machine's memory. This one shows that the
// calls are made, in their order (pages, their sync, the page that makes them count on a descriptor that syncs each write, then the
// answer); not that the disk does what it was told.
test('an answer leaves the keeper after what it says is on disk', async (t) => {
	if (spawnSync('strace', ['-V']).error) return t.skip('there is no strace');
	const shop = await openShop(t);
	const load = startLoad(shop.url, makeStream());
	await load.passed(5);
	const calls = await traced(t, shop, () => load.passed(long ? 2000 : 60));
	await load.stop();
	let answers = 0, began = false, wrote = false, synced = false, counts = false;
	for (const { name, data, durable, text, result } of calls) {
		if (name === 'recvfrom' && result > 0) [began, wrote, synced, counts] = [true, false, false, false];
		else if (/^p?writev?(64)?$/.test(name) && data && durable) counts = synced;
		else if (/^p?writev?(64)?$/.test(name) && data) wrote = true;
		else if (/sync$/.test(name) && data) synced = wrote && result === 0;
		else if (name === 'sendto' && began) {
			// DONE with an outcome of 0 (core/store/wire.h); others say that nothing was written.
			const bytes = bytesOf(text);
			if (bytes[4] !== 5 || bytes.readUInt32LE(13) !== 0) continue;
			assert.ok(wrote && synced && counts, `answer ${answers}: pages written ${wrote}, synced ${synced}, counted ${counts}`);
			answers++;
		}
	}
	t.diagnostic(`${answers} answers among ${calls.length} calls`);
	assert.ok(answers >= 5, `${answers} answers were seen`);
	await assertExactlyOnce(shop.url, load);
});

// Gives a data file another format number, with the row's checksum right (core/store/lmdb.h).
function setFormat(path, format) {
	const data = readFileSync(path);
	const key = Buffer.concat([Buffer.from([0xff, 0xff]), Buffer.from('format')]);
	let n = 0;
	for (let at = data.indexOf('floorwalker'); at >= 0; at = data.indexOf('floorwalker', at + 1)) {
		const row = data.subarray(at, at + 31);
		const sum = (bytes) => Number(BigInt.asUintN(32, xxh64(bytes, xxh64(key, 0n))));
		if (data.readUInt32LE(at - 4) !== sum(row)) continue;
		row.writeUInt32LE(format, 11);
		data.writeUInt32LE(sum(row), at - 4);
		n++;
	}
	assert.ok(n > 0, 'the row of the format was found');
	writeFileSync(path, data);
}

// A data folder with something in it.
async function someData(t) {
	const shop = await openShop(t);
	const load = startLoad(shop.url, makeStream({ people: long ? 5000 : 300 }));
	await load.passed(long ? 2000 : 40);
	await load.stop();
	assert.equal(await shop.daemon.stop(), 0);
	return { folder: shop.folder, load };
}

// The leaves of LMDB's file behind its two heads, in use or freed, as they lie in it.
function leavesOf(bytes) {
	const PAGE = 4096, LEAF = 2, pages = Array.from({ length: Math.floor(bytes.length / PAGE) }, (_, i) => bytes.subarray(i * PAGE, (i + 1) * PAGE));
	return pages.slice(2).filter((page) => page.readUInt16LE(10) === LEAF);
}

// The rows of a leaf: what the list behind its head points to. What was one lies about in it until something else is written over a part of it.
function rowsOf(page) {
	const HEAD = 16, NODE = 8, n = (page.readUInt16LE(12) - HEAD) / 2;
	return Array.from({ length: n }, (_, i) => page.readUInt16LE(HEAD + 2 * i)).map((node) => {
		const end = node + NODE + page.readUInt16LE(node + 6);
		return { key: page.subarray(node + NODE, end), value: page.subarray(end) };
	});
}

test('data that is damaged or of another version: the start is refused and says what to do', async (t) => {
	const { folder, load } = await someData(t);
	const data = join(folder, 'data/data.mdb');
	const good = readFileSync(data);
	const size = statSync(data).size;
	const write = (at, bytes) => writeFileSync(data, Buffer.concat([good.subarray(0, at), bytes, good.subarray(at + bytes.length)]));
	const backup = /floorwalker store restore/;
	const cases = {
		'an empty file': [() => writeFileSync(data, ''), /empty/, backup],
		'cut off in the middle': [() => { const fd = openSync(data, 'r+'); ftruncateSync(fd, Math.floor(size / 8192) * 4096); closeSync(fd); }, /cut off|damaged/, backup],
		'text': [() => writeFileSync(data, 'hello\n'.repeat(2000)), /damaged, or no store's data/, backup],
		'zeros at its beginning': [() => write(0, Buffer.alloc(8192)), /damaged, or no store's data/, backup],
		'nonsense behind its beginning': [() => write(8192, Buffer.alloc(size - 8192, 0xa5)), /damaged/, backup],
		'nonsense in the pages of its rows': [() => {
			const bytes = Buffer.from(good);
			// The format's row stays.
			for (const page of leavesOf(bytes)) if (page.includes('v-') && !page.includes('floorwalker')) page.fill(0xa5);
			writeFileSync(data, bytes);
		}, /damaged/, backup],
		'an older format': [() => setFormat(data, 0), /written by an older version/, /restore a backup of this version/],
		'a newer format': [() => setFormat(data, 7), /written by a newer version \(format 7/, /start the newer version/],
	};
	for (const [what, [damage, cause, advice]] of Object.entries(cases)) {
		writeFileSync(data, good);
		damage();
		const before = readFileSync(data);
		for (const args of [['serve'], ['profile', 'show', 'anonymous:v-1']]) {
			const { status, stderr } = run([...args, '--config', join(folder, 'floorwalker.lua')]);
			assert.equal(status, 1, `${what}, ${args}: ${stderr}`);
			assert.match(stderr, cause, `${what}, ${args}`);
			assert.match(stderr, advice, `${what}, ${args}`);
			assert.ok(!/Sanitizer|runtime error/.test(stderr), stderr);
		}
		assert.ok(readFileSync(data).equals(before), `${what}: nothing was written into it`);
	}
	// The good one still serves.
	writeFileSync(data, good);
	const shop = await openShop(t, { folder });
	await assertExactlyOnce(shop.url, load);
});

test('a damaged row harms its person alone', async (t) => {
	const { folder, load } = await someData(t);
	const data = join(folder, 'data/data.mdb');
	const bytes = readFileSync(data);
	const ids = Object.keys(countByPerson(load.events));
	const victim = ids[0], name = Buffer.from(`ra${victim}`), CHECKED = 12; // bytes of version and checksum, before the record
	let damaged = 0;
	for (const page of leavesOf(bytes)) for (const { key, value } of rowsOf(page)) {
		if (key[2] !== 'P'.charCodeAt() || !key.subarray(11).equals(name)) continue;
		value[CHECKED] ^= 0xff;
		damaged++;
	}
	assert.ok(damaged > 0, `${victim} stands in no leaf`);
	writeFileSync(data, bytes);
	const shop = await openShop(t, { folder });
	const { status, body } = await ask(`${shop.url()}/v1/visitors/anonymous:${victim}`);
	assert.equal(status, 503, JSON.stringify(body));
	const others = await storedByPerson(shop.url(), ids.filter((id) => id !== victim));
	const wanted = countByPerson(load.events);
	for (const [id, n] of Object.entries(others)) assert.equal(n, wanted[id], id);
});
