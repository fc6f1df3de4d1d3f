// `floorwalker store`: what it says and how it ends when there is nothing good to work on. Backups of living data and their
// return are in tests/unit/test_store_file.c.

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { long, run, startDaemon, temporaryFolder, writeFiles } from './daemon.mjs';
import { runAside } from './server.mjs';

function place(t, store = '') {
	const folder = writeFiles(temporaryFolder(t), { 'shop/a.lua': '', 'floorwalker.lua': `rules = "shop" compliance = false ${store}` });
	return { folder, store: (...args) => run(['store', ...args, '--config', join(folder, 'floorwalker.lua')]) };
}

test('used wrongly it says how it is used', (t) => {
	const { store } = place(t);
	for (const args of [[], ['chek'], ['backup'], ['restore', 'a', 'b'], ['check', 'x'], ['scrub', 'x'], ['check', '--fast'], ['copy'], ['copy', 'a', 'b'], ['check', '--follow']]) {
		const { status, stderr } = store(...args);
		assert.equal(status, 2, `${args}: ${stderr}`);
		assert.match(stderr, /Try: floorwalker store --help/);
	}
});

test('without data there is nothing to check or to back up', (t) => {
	const { folder, store } = place(t);
	for (const args of [['check'], ['backup', join(folder, 'copy')]]) {
		const { status, stderr } = store(...args);
		assert.equal(status, 1);
		assert.match(stderr, /var\/data\/data\.mdb: there is no data yet/);
	}
	const { status, stdout } = store('check', '--json');
	assert.equal(status, 1);
	assert.equal(JSON.parse(stdout).ok, false);
	assert.match(JSON.parse(stdout).error.message, /no data yet/);
});

test('what was deleted is overwritten, by the running daemon or without one', async (t) => {
	const { folder, store } = place(t, 'listen = { "127.0.0.1:0" } run = "run" store = "lmdb:data" workers = 1 plugins = { web = {} }');
	for (const running of [false, true]) {
		if (running) await startDaemon(t, join(folder, 'floorwalker.lua'));
		const plain = store('scrub'), json = store('scrub', '--json');
		assert.deepEqual([plain.status, plain.stdout, plain.stderr], [0, 'what was deleted is overwritten\n', '']);
		assert.deepEqual([json.status, JSON.parse(json.stdout)], [0, { ok: true }]);
	}
	assert.equal(store('check').status, 0);
});

test('data that is none is refused with what to do', (t) => {
	const { folder, store } = place(t, 'store = "lmdb:there"');
	mkdirSync(join(folder, 'there'));
	writeFileSync(join(folder, 'there/data.mdb'), Buffer.alloc(20000, 'Z'));
	const { status, stderr } = store('check');
	assert.equal(status, 1);
	assert.match(stderr, /damaged, or no store's data.*restore a backup with `floorwalker store restore`/);
});

test('what is no backup is not restored', (t) => {
	const { folder, store } = place(t);
	mkdirSync(join(folder, 'empty'));
	for (const from of ['nowhere', 'empty']) {
		const { status, stderr } = store('restore', join(folder, from));
		assert.equal(status, 1);
		assert.match(stderr, /there is no data yet/);
	}
});

test('commands that come at once where no daemon keeps the data take turns', async (t) => {
	const { folder } = place(t, 'run = "run" store = "lmdb:data"');
	const list = () => runAside(['messages', 'list', '--config', join(folder, 'floorwalker.lua')]);
	for (let round = 0; round < (long ? 50 : 5); round++) {
		for (const { status, stderr } of await Promise.all([list(), list(), list(), list()])) assert.deepEqual([status, stderr], [0, '']);
	}
});

test('another kind of store has no file', (t) => {
	const { store } = place(t, 'store = "redis://127.0.0.1:6379/0"');
	const { status, stderr } = store('check');
	assert.equal(status, 1);
	assert.match(stderr, /in Redis, which has its own backups/);
});
