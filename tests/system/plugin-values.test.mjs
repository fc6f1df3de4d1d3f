// What a plugin keeps in the store, and its timer of the node: on LMDB, on a Redis and on a cluster.

import './release.mjs';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, temporaryFolder, tree, until } from './daemon.mjs';
import { blocksOf } from './guides.mjs';
import { startReceiver } from './receiver.mjs';
import { startRedis } from './redis.mjs';
import { askFresh, installed, metrics, ownPlugins, pluginFolder, processes, serve } from './server.mjs';
import { kind, storeOf, testEverywhere, testOnLmdb } from './stores.mjs';

function plugins(t, ...names) {
	const folder = temporaryFolder(t);
	cpSync(join(ownPlugins, 'web.so'), join(folder, 'web.so'));
	for (const name of names) cpSync(join(pluginFolder, `${name}.so`), join(folder, `${name}.so`));
	return folder;
}

const using = (t, more = {}) => ({ plugin_path: plugins(t, 'keeps'), plugins: { web: {}, keeps: {} }, workers: 2, ...more });

// A value as the plugin is asked for it: { status, text }. Each question is a connection of its own, so that any worker may have it.
const path = ({ url, name = 'keeps' }, key) => `${url}/${name}/values/${encodeURIComponent(key)}`;
const get = async (shop, key) => {
	const answer = await fetch(path(shop, key), { headers: { connection: 'close' } });
	return { status: answer.status, bytes: Buffer.from(await answer.arrayBuffer()) };
};
const put = async (shop, key, body) => {
	const answer = await fetch(path(shop, key), { method: 'POST', body, headers: { connection: 'close', 'content-type': 'application/octet-stream' } });
	return { status: answer.status, text: await answer.text() };
};
const takeAway = async (shop, key) => (await fetch(path(shop, key), { method: 'DELETE', headers: { connection: 'close' } })).status;
const code = ({ text, bytes }) => JSON.parse(text ?? bytes.toString()).error.code;

testEverywhere('a value is what was put, for every worker, after a reload and a restart', async (t) => {
	const config = using(t, { store: await storeOf(t) });
	const shop = await serve(t, { config });
	const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i)), long = Buffer.alloc(64 * 1024, 'x');
	assert.deepEqual([(await get(shop, 'one')).status, code(await get(shop, 'one'))], [404, 'not_found']);
	assert.deepEqual(await put(shop, 'one', bytes), { status: 200, text: '{}' });
	assert.deepEqual(await put(shop, 'empty', ''), { status: 200, text: '{}' });
	assert.equal((await put(shop, 'k'.repeat(200), long)).status, 200);
	assert.equal((await put(shop, 'at start', 'was here')).status, 200);
	for (let i = 0; i < 6; i++) assert.deepEqual((await get(shop, 'one')).bytes, bytes);
	assert.deepEqual(await get(shop, 'empty'), { status: 200, bytes: Buffer.alloc(0) });
	assert.deepEqual((await get(shop, 'k'.repeat(200))).bytes, long);
	assert.equal((await put(shop, 'one', 'two')).status, 200);
	assert.equal((await get(shop, 'one')).bytes.toString(), 'two');

	assert.equal(shop.reload().status, 0);
	assert.equal((await get(shop, 'one')).bytes.toString(), 'two');
	// It was asked for while the plugin started, and told once it was there.
	await until(async () => JSON.parse((await askFresh(`${shop.url}/keeps/state`)).text).began === 'was here');
	assert.equal(await takeAway(shop, 'one'), 200);
	assert.equal((await get(shop, 'one')).status, 404);
	assert.equal(await takeAway(shop, 'one'), 200);
	assert.equal(JSON.parse((await askFresh(`${shop.url}/keeps/state`)).text).early, 0);
	assert.equal(await shop.daemon.stop(), 0);
	assert.ok(shop.log().some((line) => line.plugin === 'keeps' && line.msg === 'keeps has stopped, open 0'));

	const again = await serve(t, { folder: shop.folder, config });
	assert.equal((await get(again, 'at start')).bytes.toString(), 'was here');
	if (kind === 'lmdb') assert.equal(run(['store', 'check', '--config', again.config]).status, 0);
});

testEverywhere('bad arguments, and a plugin that never looks at the answers', async (t) => {
	const shop = await serve(t, { config: using(t, { store: await storeOf(t), workers: 1 }) });
	for (const ask of [get, (s, key) => put(s, key, 'x')])
		for (const [key, status, what] of [['', 400, 'bad_request'], ['k'.repeat(201), 400, 'bad_request']]) {
			const answer = await ask(shop, key);
			assert.deepEqual([answer.status, code(answer)], [status, what], `${key.length} bytes`);
		}
	const tooLong = await put(shop, 'long', Buffer.alloc(64 * 1024 + 1));
	assert.deepEqual([tooLong.status, code(tooLong)], [413, 'too_large']);
	assert.equal((await get(shop, 'long')).status, 404);

	// More at once than may be are refused, and then there is room again.
	assert.equal((await askFresh(`${shop.url}/keeps/forget?n=300`)).status, 503);
	await until(async () => (await metrics(shop)).floorwalker_keeps_forgotten_total === 300);
	assert.equal((await get(shop, 'forgotten-0')).bytes.toString(), 'forgotten-0');
	assert.equal((await get(shop, 'forgotten-255')).bytes.toString(), 'forgotten-255');
	assert.equal((await get(shop, 'forgotten-256')).status, 404);

	// Whoever has some under way when the worker ends is told so, each once.
	await askFresh(`${shop.url}/keeps/forget?n=200`);
	assert.equal(await shop.daemon.stop(), 0);
	assert.ok(shop.log().some((line) => line.plugin === 'keeps' && line.msg === 'keeps has stopped, open 0'));
});

testOnLmdb('what one plugin keeps is not another one\'s', async (t) => {
	const shop = await serve(t, { config: { plugin_path: plugins(t, 'keeps', 'keeps_too'), plugins: { web: {}, keeps: {}, keeps_too: {} }, workers: 1 } });
	const other = { url: shop.url, name: 'keeps_too' };
	assert.equal((await put(shop, 'one', 'mine')).status, 200);
	assert.equal((await get(other, 'one')).status, 404);
	assert.equal((await put(other, 'one', 'theirs')).status, 200);
	assert.equal(await takeAway(other, 'one'), 200);
	assert.equal((await get(shop, 'one')).bytes.toString(), 'mine');
});

testOnLmdb('a store that is away is said', async (t) => {
	const redis = await startRedis(t);
	const shop = await serve(t, { config: using(t, { store: redis.url(), workers: 1 }) });
	assert.equal((await put(shop, 'one', 'here')).status, 200);
	await redis.stop();
	await until(async () => (await get(shop, 'one')).status === 503);
	assert.equal(code(await get(shop, 'one')), 'unavailable');
	await redis.start();
	await until(async () => (await get(shop, 'one')).status === 200, { seconds: 20 });
	assert.equal((await get(shop, 'one')).bytes.toString(), 'here');
});

testOnLmdb('a timer of the node fires in one worker at a time, over reloads and deaths', async (t) => {
	const every = 100, shop = await serve(t, { config: using(t, { workers: 3, plugins: { web: {}, keeps: { every } } }) });
	const fired = async () => (await metrics(shop)).floorwalker_keeps_ticks_total ?? 0;
	const began = process.hrtime.bigint();
	const most = () => Number((process.hrtime.bigint() - began) / 1000000n) / every + 2;
	await until(async () => await fired() >= 5);
	assert.ok(await fired() <= most(), 'never more often than once in its interval');
	// Whoever has it is killed: another one goes on.
	const lost = processes(shop).workers[0];
	process.kill(lost, 'SIGKILL');
	const before = await fired();
	await until(async () => await fired() >= before + 5);
	assert.equal(shop.reload().status, 0);
	const then = await fired();
	await until(async () => await fired() >= then + 5);
	assert.ok(await fired() <= most(), 'nor over a reload');
	// With a longer interval it fires more seldom at once.
	shop.configure(using(t, { workers: 3, plugins: { web: {}, keeps: { every: 60000 } } }));
	assert.equal(shop.reload().status, 0);
	await until(() => processes(shop).workers.length === 3 && shop.status().generation >= 3);
	assert.ok(await fired() <= most());
	// A load that is refused fires nothing.
	shop.configure({ ...using(t), plugin_path: plugins(t, 'keeps', 'start_refuses'), plugins: { web: {}, keeps: { every: 1 }, start_refuses: {} } });
	const still = await fired();
	assert.equal(shop.reload().status, 1);
	assert.ok(await fired() <= still + 2);
	assert.equal(await shop.daemon.stop(), 0);
});

// The guide's plugin, built with the installed header and run.
testOnLmdb('the guide\'s plugin fetches in one worker what all of them know', async (t) => {
	const folder = plugins(t), { cflags } = installed(t), bank = await startReceiver(t);
	const source = blocksOf(readFileSync(join(tree, 'plugins/README.md'), 'utf8')).find(({ language, text }) => language === 'c' && text.includes('.name = "rates"'));
	writeFileSync(join(folder, 'rates.c'), source.text);
	const { status, stderr } = spawnSync('cc', ['-std=c11', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC', ...cflags, 'rates.c', '-o', 'rates.so'], { cwd: folder, encoding: 'utf8' });
	assert.equal(status, 0, stderr);
	bank.answer = { status: 200, body: '1.0842' };
	const shop = await serve(t, { config: { plugin_path: folder, plugins: { web: {}, rates: { url: bank.url, every_s: 0.2 } } } });
	await until(async () => (await askFresh(`${shop.url}/rates`)).status === 200);
	for (let i = 0; i < 6; i++) assert.equal((await askFresh(`${shop.url}/rates`)).text, '1.0842');
	bank.answer = { status: 500, body: 'the bank sleeps' };
	const asked = bank.asked.length;
	await until(() => bank.asked.length > asked + 2);
	assert.equal((await askFresh(`${shop.url}/rates`)).text, '1.0842');
});
