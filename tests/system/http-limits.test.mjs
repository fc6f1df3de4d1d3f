// The HTTP server, over raw sockets: what it waits for and for how long, what it holds at most, and how it ends.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import test from 'node:test';
import { long, temporaryFolder, until } from './daemon.mjs';
import { echo, get, post, start } from './http.mjs';

test('slow senders meet absolute deadlines, however steadily they send', async (t) => {
	const server = await start(t, 'header_ms=800', 'body_ms=800', 'idle_ms=800');
	const drip = async (c, first, byte) => {
		await c.send(first);
		const timer = setInterval(() => { if (!c.isOver()) c.socket.write(byte); }, 20);
		try { return await c.answer(); } finally { clearInterval(timer); }
	};
	const began = Date.now();
	const [head, body, chunked] = await Promise.all([
		drip(await server.open(), 'GET / HTTP/1.1\r\nHost: x\r\nX-A: ', 'a'),
		drip(await server.open(), 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n', 'a'),
		drip(await server.open(), 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n', '1\r\na\r\n'),
	]);
	assert.deepEqual([head, body, chunked].map((a) => [a.status, a.headers.connection]), Array(3).fill([408, 'close']));
	assert.ok(Date.now() - began >= 800 && Date.now() - began < 20000);
	// A connection that says nothing, or nothing more, is closed without a word.
	const silent = await server.open(), idle = await server.open();
	assert.equal((await idle.ask(get('/a'))).status, 200);
	await Promise.all([silent.ended(), idle.ended()]);
	assert.deepEqual([silent.received(), idle.received()], ['', '']);
	const { refused: counted, idle_closed: closed } = await server.counters();
	assert.deepEqual([counted.timeout, closed], [3, 2]);
});

test('a slow head after a request that is being answered gets its 408 after that answer', async (t) => {
	const server = await start(t, 'header_ms=800');
	const c = await server.open();
	await c.send(get('/hold/a') + 'GET / HT');
	await until(async () => (await server.counters()).refused.timeout === 1);
	assert.equal(c.received(), '');
	await server.ask('/release/a');
	assert.equal((await c.answer()).body, 'a ');
	assert.equal((await c.answer()).status, 408);
	await c.ended();
});

test('a handler may take longer than any deadline of the client', async (t) => {
	const server = await start(t, 'header_ms=500', 'body_ms=500', 'idle_ms=500');
	const c = await server.open();
	await c.send(post('/hold/a', 'x'));
	const other = await server.open();
	await other.ended();
	const another = await server.open();
	await another.ended();
	assert.equal(await server.held('a'), 'yes');
	await server.ask('/release/a');
	assert.equal((await c.answer()).body, 'a x');
});

test('a client that does not take its answer is dropped', async (t) => {
	const server = await start(t, 'write_ms=1000');
	const c = await server.open();
	c.socket.pause();
	await c.send(get('/bytes?n=50000000'));
	await until(async () => (await server.counters()).open === 1);
	const slow = await server.open();
	slow.socket.pause();
	const asking = slow.ask(get('/bytes?n=20000000'));
	const sips = setInterval(() => { slow.socket.resume(); setImmediate(() => slow.socket.pause()); }, 20);
	assert.equal((await asking.finally(() => clearInterval(sips))).body.length, 20000000, 'who takes it slowly gets it all');
});

test('a flood of pipelined requests for large answers holds little memory', async (t) => {
	const server = await start(t);
	const c = await server.open();
	c.socket.pause();
	const n = 2000;
	await c.send(get('/bytes?n=100000').repeat(n));
	const before = await server.counters();
	assert.ok(before.requests < 500, `${before.requests} were answered into a socket that nobody reads`);
	c.socket.resume();
	for (let i = 0; i < 20; i++) assert.equal((await c.answer()).body.length, 100000);
	c.socket.destroy();
});

test('above max_inflight requests are answered 503 with Retry-After, and the connection goes on', async (t) => {
	const server = await start(t, 'max_inflight=3');
	const c = await server.open(), d = await server.open();
	await c.send(get('/hold/a') + get('/hold/b') + get('/hold/c') + get('/hold/d'));
	const over = await d.ask(post('/echo', 'hi'));
	assert.deepEqual([over.status, over.headers['retry-after'], over.json().error.code], [503, '1', 'unavailable']);
	c.socket.destroy();
	assert.equal((await d.ask(get('/release/a'))).status, 503);
});

test('at the connection limit the longest idle one makes room, and busy ones do not', async (t) => {
	const server = await start(t, 'connections=3');
	const a = await server.open(), b = await server.open(), c = await server.open();
	await a.ask(get('/a'));
	await b.ask(get('/a'));
	await c.ask(get('/a'));
	const d = await server.open();
	assert.equal((await d.ask(get('/a'))).status, 200);
	await a.ended();
	await b.send(get('/hold/b'));
	await c.send(get('/hold/c'));
	await d.send(get('/hold/d'));
	const e = await server.open();
	await e.send(get('/a'));
	// Nobody idles: e waits in the backlog until one of the three ends.
	c.socket.resetAndDestroy();
	assert.equal((await e.answer()).status, 200);
	assert.ok(!b.isOver() && !d.isOver());
});

test('accepting can be paused', async (t) => {
	const server = await start(t);
	const before = await server.open();
	assert.equal((await before.ask(get('/pause?ms=500'))).body, 'paused');
	const began = Date.now(), during = await server.open();
	await during.send(get('/a'));
	// Connections that are there go on, and the new one waits.
	assert.equal((await before.ask(get('/counters'))).json().accepted, 1);
	assert.equal((await during.answer()).status, 200);
	assert.ok(Date.now() - began >= 400);
});

test('drain: what is asked is answered, with Connection: close; idle ones are kept for a while; then it is over', async (t) => {
	const server = await start(t, 'drain_idle_ms=60000');
	const held = await server.open(), idle = await server.open(), many = await server.open();
	await idle.ask(get('/a'));
	await held.send(get('/hold/a') + get('/hold/b'));
	await until(async () => await server.held('b') === 'yes');
	assert.equal((await many.ask(get('/drain?ms=30000'))).headers.connection, 'close');
	await many.ended();
	await assert.rejects(server.open(), /ECONNREFUSED/);
	// Two requests in one packet: the first answer must not close on the second.
	await idle.send(post('/echo', '1') + get('/release/a'));
	const [one, two] = [await idle.answer(), await idle.answer()];
	assert.deepEqual([one.headers.connection, two.headers.connection], [undefined, 'close']);
	await idle.ended();
	assert.equal((await held.answer()).headers.connection, undefined);
	// hold/b waits still, and whoever sends on this connection is served: release/b answers both.
	await held.send(get('/release/b'));
	assert.equal((await held.answer()).body, 'b ');
	const last = await held.answer();
	assert.deepEqual([last.body, last.headers.connection], ['released', 'close']);
	for (const c of [held, idle, many]) c.socket.destroy();
	assert.equal(await server.ended, 0);
});

test('drain: an answer that must wait for its turn does not close the connection on requests that follow', async (t) => {
	const server = await start(t);
	const held = await server.open(), c = await server.open(), d = await server.open();
	await held.send(get('/hold/a') + get('/hold/b'));
	await until(async () => await server.held('b') === 'yes');
	await d.ask(get('/echo'));
	await c.ask(get('/drain?ms=30000'));
	await d.send(get('/release/b') + get('/echo'));
	assert.equal((await d.answer()).body, 'released');
	await held.send(get('/echo') + get('/hold/c'));
	await held.send(get('/release/a'));
	for (const wanted of ['a ', 'b ', '']) assert.equal((await held.answer()).body, wanted);
});

test('drain: idle connections end after their time, and the program with them', async (t) => {
	const server = await start(t, 'drain_idle_ms=300');
	const idle = await server.open(), c = await server.open();
	await idle.ask(get('/a'));
	await c.ask(get('/drain?ms=30000'));
	c.socket.destroy();
	await idle.ended();
	assert.equal(await server.ended, 0);
});

test('drain: its deadline cuts what is left, and answers given later go nowhere', async (t) => {
	const server = await start(t);
	const held = await server.open(), partial = await server.open(), c = await server.open();
	await held.send(get('/hold/a'));
	await partial.send('GET / HTTP');
	await until(async () => await server.held('a') === 'yes');
	await c.ask(get('/drain?ms=200'));
	c.socket.destroy();
	await Promise.all([held.ended(), partial.ended()]);
	assert.equal(held.received(), '');
	// The held request was never answered, so the server is not done.
	assert.equal(server.child.exitCode, null);
});

test('a Unix socket is served like any other', async (t) => {
	const path = join(temporaryFolder(t), 's');
	const server = await start(t, `unix=${path}`);
	const c = await server.open(path);
	const said = (await c.ask(post('/a', 'hi'))).json();
	assert.deepEqual([said.family, said.listener, said.body], [1, 1, 'hi']);
	const there = (await (await server.open()).ask(get('/a'))).json();
	assert.deepEqual([there.family, there.listener], [2, 0]);
});

test('a limit that makes no sense is refused by name', async (t) => {
	const child = spawn(echo, ['header_bytes=1'], { stdio: ['ignore', 'ignore', 'pipe'] });
	t.after(() => child.kill('SIGKILL'));
	let said = '';
	child.stderr.setEncoding('utf8').on('data', (text) => { said += text; });
	assert.equal(await new Promise((done) => child.on('close', done)), 2);
	assert.match(said, /the limit header_bytes is 1; it must be from 256 to/);
});

test('many connections in random pieces: every request is answered with its own body', async (t) => {
	const server = await start(t);
	let seed = 20261123;
	const random = (n) => { seed = (Math.imul(seed, 1103515245) + 12345) >>> 0; return (seed >>> 8) % n; };
	await Promise.all(Array.from({ length: long ? 200 : 30 }, async (_, k) => {
		const c = await server.open();
		const bodies = Array.from({ length: 50 }, (__, i) => `${k}.${i}.`.padEnd(random(3000) + 1, 'z'));
		const all = Buffer.from(bodies.map((body) => (random(2) ? post('/echo', body)
			: `POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`)).join(''));
		for (let at = 0; at < all.length;) {
			const size = 1 + random(8000);
			await c.send(all.subarray(at, at + size));
			at += size;
		}
		for (const body of bodies) assert.ok((await c.answer()).body === body, `seed 20261123, connection ${k}`);
	}));
});
