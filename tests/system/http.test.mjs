// The HTTP server, over raw sockets: what it refuses, what it takes, and in which order it answers.

import assert from 'node:assert/strict';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import { long, until } from './daemon.mjs';
import { get, post, start } from './http.mjs';

// Every request of this table is refused, answered once, and followed by the end of the connection: nothing that comes
// after it is taken for a request.
const next = get('/smuggled');
const refused = {
	'Content-Length and Transfer-Encoding': [400, `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
	'Transfer-Encoding and Content-Length': [400, `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`],
	'Transfer-Encoding: gzip, chunked': [400, `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
	'Transfer-Encoding: chunked, identity': [400, `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`],
	'Transfer-Encoding: xchunked': [400, `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
	'Transfer-Encoding with a vertical tab': [400, `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n`],
	'Transfer-Encoding twice': [400, `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
	'Transfer-Encoding without a value': [400, `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\r\n\r\n0\r\n\r\n`],
	'Transfer-Encoding with HTTP/1.0': [400, `POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
	'two different Content-Lengths': [400, `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello`],
	'the same Content-Length twice': [400, `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello`],
	'Content-Length: 5, 5': [400, `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 5\r\n\r\nhello`],
	'Content-Length: +5': [400, `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\nhello`],
	'Content-Length: -5': [400, `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\nhello`],
	'Content-Length: 0x5': [400, `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x5\r\n\r\nhello`],
	'Content-Length: 5 5': [400, `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5 5\r\n\r\nhello`],
	'Content-Length without a value': [400, `POST / HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n\r\n`],
	'Content-Length beyond 64 bits': [400, `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551621\r\n\r\nhello`],
	'chunk size 0x3': [400, `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n`],
	'chunk size with a sign': [400, `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n+3\r\nabc\r\n0\r\n\r\n`],
	'chunk size after a blank': [400, `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n 3\r\nabc\r\n0\r\n\r\n`],
	'chunk size of 17 digits': [400, `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000003\r\nabc\r\n0\r\n\r\n`],
	'chunk without a size': [400, `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n\r\nabc\r\n0\r\n\r\n`],
	'chunk size that ends with a bare LF': [400, `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n`],
	'chunk extension with a bare LF': [400, `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3;a\nabc\r\n0\r\n\r\n`],
	'chunk that ends with other bytes': [400, `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcXX0\r\n\r\n`],
	'trailer with a bare LF': [400, `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\na: b\n\r\n`],
	'NUL in a header value': [400, `GET / HTTP/1.1\r\nHost: x\r\nX-A: a\0b\r\n\r\n`],
	'NUL in a header name': [400, `GET / HTTP/1.1\r\nHost: x\r\nX\0A: b\r\n\r\n`],
	'NUL in the target': [400, `GET /a\0b HTTP/1.1\r\nHost: x\r\n\r\n`],
	'space before the colon': [400, `GET / HTTP/1.1\r\nHost: x\r\nX-A : b\r\n\r\n`],
	'empty header name': [400, `GET / HTTP/1.1\r\nHost: x\r\n: b\r\n\r\n`],
	'header without a colon': [400, `GET / HTTP/1.1\r\nHost: x\r\nX-A\r\n\r\n`],
	'header name that is no token': [400, `GET / HTTP/1.1\r\nHost: x\r\nX(A): b\r\n\r\n`],
	'a bare LF ends the request line': [400, `GET / HTTP/1.1\nHost: x\r\n\r\n`],
	'a bare LF ends a header': [400, `GET / HTTP/1.1\r\nHost: x\nX-A: b\r\n\r\n`],
	'a bare LF ends the head': [400, `GET / HTTP/1.1\r\nHost: x\r\n\n`],
	'a bare CR in a header': [400, `GET / HTTP/1.1\r\nHost: x\r\nX-A: a\rX-B: b\r\n\r\n`],
	'a folded header': [400, `GET / HTTP/1.1\r\nHost: x\r\nX-A: a\r\n b\r\n\r\n`],
	'a blank before the first header': [400, `GET / HTTP/1.1\r\n Host: x\r\n\r\n`],
	'no Host with HTTP/1.1': [400, `GET / HTTP/1.1\r\n\r\n`],
	'two Hosts': [400, `GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n`],
	'two Hosts with HTTP/1.0': [400, `GET / HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n`],
	'a Host that is none': [400, `GET / HTTP/1.1\r\nHost: x/y\r\n\r\n`],
	'a Host with a user': [400, `GET / HTTP/1.1\r\nHost: a@x\r\n\r\n`],
	'a list of Hosts': [400, `GET / HTTP/1.1\r\nHost: x, y\r\n\r\n`],
	'absolute form that names another host': [400, `GET http://other.example/ HTTP/1.1\r\nHost: x\r\n\r\n`],
	'absolute form of another scheme': [400, `GET ftp://x/ HTTP/1.1\r\nHost: x\r\n\r\n`],
	'authority form': [400, `GET x:80 HTTP/1.1\r\nHost: x\r\n\r\n`],
	'an asterisk with GET': [400, `GET * HTTP/1.1\r\nHost: x\r\n\r\n`],
	'CONNECT': [501, `CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n`],
	'an unknown method': [501, `BREW / HTTP/1.1\r\nHost: x\r\n\r\n`],
	'a method in small letters': [501, `get / HTTP/1.1\r\nHost: x\r\n\r\n`],
	'a method that is no token': [400, `G(T / HTTP/1.1\r\nHost: x\r\n\r\n`],
	'HTTP/0.9': [400, `GET /\r\n\r\n`],
	'HTTP/2.0': [505, `GET / HTTP/2.0\r\nHost: x\r\n\r\n`],
	'HTTP/1.2': [505, `GET / HTTP/1.2\r\nHost: x\r\n\r\n`],
	'HTTP/1.10': [400, `GET / HTTP/1.10\r\nHost: x\r\n\r\n`],
	'no version at all': [400, `GET / FTP/1.1\r\nHost: x\r\n\r\n`],
	'two blanks in the request line': [400, `GET  / HTTP/1.1\r\nHost: x\r\n\r\n`],
	'a blank in the target': [400, `GET /a b HTTP/1.1\r\nHost: x\r\n\r\n`],
	'a blank after the version': [400, `GET / HTTP/1.1 \r\nHost: x\r\n\r\n`],
	'a tab in the request line': [400, `GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n`],
	'two empty lines before the request': [400, `\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n`],
	'a fragment': [400, `GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n`],
	'a byte that is not ASCII in the target': [400, Buffer.from('GET /\xe9 HTTP/1.1\r\nHost: x\r\n\r\n', 'latin1')],
	'a path that climbs': [400, `GET /a/../b HTTP/1.1\r\nHost: x\r\n\r\n`],
	'a path that climbs in escapes': [400, `GET /a/%2e%2E/b HTTP/1.1\r\nHost: x\r\n\r\n`],
	'a path that ends with a dot': [400, `GET /a/. HTTP/1.1\r\nHost: x\r\n\r\n`],
	'a path with an escaped NUL': [400, `GET /a%00 HTTP/1.1\r\nHost: x\r\n\r\n`],
	'a path with a broken escape': [400, `GET /a%2 HTTP/1.1\r\nHost: x\r\n\r\n`],
	'a path that is not UTF-8': [400, `GET /%ff HTTP/1.1\r\nHost: x\r\n\r\n`],
	'TLS': [400, Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01])],
	'an unknown expectation': [417, `POST / HTTP/1.1\r\nHost: x\r\nExpect: a-miracle\r\nContent-Length: 1\r\n\r\nx`],
	'Content-Encoding: br': [415, `POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\nx`],
	'Content-Encoding: gzip, gzip': [415, `POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip, gzip\r\nContent-Length: 1\r\n\r\nx`],
	'Content-Encoding twice': [415, `POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx`],
	'gzip that is none': [400, `POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello`],
	'a body beyond the limit': [413, `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\n\r\n`],
	'a body beyond the limit that was announced': [413, `POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1048577\r\n\r\n`],
	'a chunk beyond the limit': [413, `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n100001\r\n`],
	'a target beyond the limit': [414, `GET /${'a'.repeat(8192)} HTTP/1.1\r\nHost: x\r\n\r\n`],
	'a target without an end': [414, `GET /${'a'.repeat(20000)}`],
	'headers beyond the limit': [431, `GET / HTTP/1.1\r\nHost: x\r\n${`X-A: ${'a'.repeat(1000)}\r\n`.repeat(17)}\r\n`],
	'a header without an end': [431, `GET / HTTP/1.1\r\nHost: x\r\nX-A: ${'a'.repeat(20000)}`],
	'more than 100 headers': [431, `GET / HTTP/1.1\r\nHost: x\r\n${'X-A: a\r\n'.repeat(100)}\r\n`],
	'trailers beyond the limit': [431, `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n${`X-A: ${'a'.repeat(1000)}\r\n`.repeat(17)}\r\n`],
	'chunk extensions beyond the limit': [431, `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${`1;${'a'.repeat(1000)}\r\nx\r\n`.repeat(17)}0\r\n\r\n`],
};

test('whatever two readers could understand differently is refused, once, and ends the connection', async (t) => {
	const server = await start(t);
	for (const [what, [status, bytes]] of Object.entries(refused)) {
		const c = await server.open();
		const answer = await c.ask(Buffer.concat([Buffer.from(bytes), Buffer.from(next)]));
		assert.equal(answer.status, status, `${what}: ${answer.body}`);
		assert.equal(answer.headers.connection, 'close', what);
		assert.match(answer.json().error.code, /^(bad_request|too_large|unsupported_type)$/, what);
		assert.ok(answer.json().error.message.length > 10, what);
		await c.ended();
		assert.equal(c.received(), '', `${what}: nothing more is answered`);
		c.socket.destroy();
	}
	const { refused: counted, requests } = await server.counters();
	assert.equal(Object.values(counted).reduce((a, b) => a + b), Object.keys(refused).length);
	assert.equal(requests, 1);
});

test('the same table, a byte at a time', async (t) => {
	const server = await start(t);
	const some = Object.entries(refused).filter(([, [, bytes]]) => bytes.length < 120).filter((_, i) => long || i % 6 === 0);
	await Promise.all(some.map(async ([what, [status, bytes]]) => {
		const c = await server.open();
		c.socket.setNoDelay(true);
		for (const byte of Buffer.from(bytes)) {
			if (c.isOver()) break;
			await c.send(Buffer.from([byte]));
			await new Promise((done) => setImmediate(done));
		}
		assert.equal((await c.answer()).status, status, what);
		await c.ended();
	}));
});

const accepted = {
	'an empty line before the request': ['\r\n' + get('/a'), { path: '/a' }],
	'absolute form of the same host': ['GET http://X.example:80/a?b HTTP/1.1\r\nHost: x.example:80\r\n\r\n', { path: '/a', query: 'b' }],
	'absolute form without a path': ['GET http://x HTTP/1.1\r\nHost: x\r\n\r\n', { path: '/' }],
	'an empty Host': ['GET /a HTTP/1.1\r\nHost:\r\n\r\n', { path: '/a' }],
	'an address as Host': ['GET /a HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n', { path: '/a' }],
	'OPTIONS *': ['OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n', { path: '*', method: 'OPTIONS' }],
	'blanks and tabs around a value': [get('/a', 'X-A: \t b \t\r\n'), { headers: ['Host', 'x', 'X-A', 'b'] }],
	'a header twice': [get('/a', 'X-A: 1\r\nx-a: 2\r\n'), { headers: ['Host', 'x', 'X-A', '1', 'x-a', '2'] }],
	'an empty value': [get('/a', 'X-A:\r\n'), { headers: ['Host', 'x', 'X-A', ''] }],
	'escapes in a path': [get('/a%20%C3%A9%2fb//c%25'), { path: '/a é%2Fb//c%' }],
	'a query': [get('/a?x=1&q=a%20b+c%26&q=2'), { query: 'x=1&q=a%20b+c%26&q=2', q: 'a b c&' }],
	'an upgrade that is not wanted': [get('/a', 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n'), { path: '/a' }],
	'a body with GET': ['GET /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi', { body: 'hi' }],
	'a length with leading zeros': ['PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 002\r\n\r\nhi', { body: 'hi', method: 'PUT' }],
	'chunks with extensions and trailers': ['PATCH /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n3;a="b"\r\nabc\r\n0A\r\n0123456789\r\n0;x\r\nX-T: y\r\n\r\n',
		{ body: 'abc0123456789', method: 'PATCH', headers: ['Host', 'x', 'Transfer-Encoding', 'Chunked'] }],
	'an empty chunked body': ['DELETE /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', { body: '', method: 'DELETE' }],
};

test('what is well-formed is served, whole or a byte at a time, on one connection', async (t) => {
	const server = await start(t);
	const whole = await server.open(), slow = await server.open();
	slow.socket.setNoDelay(true);
	for (const [what, [bytes, wanted]] of Object.entries(accepted)) {
		const once = await whole.ask(bytes);
		for (const byte of Buffer.from(bytes)) await slow.send(Buffer.from([byte]));
		const parts = await slow.answer();
		for (const answer of [once, parts]) {
			assert.equal(answer.status, 200, `${what}: ${answer.body}`);
			const said = answer.json();
			assert.deepEqual(Object.fromEntries(Object.keys(wanted).map((key) => [key, said[key]])), wanted, what);
		}
	}
});

test('an answer has a date, a length and what the handler added; traceparent is passed on when it is valid', async (t) => {
	const c = await (await start(t)).open();
	const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
	const answer = await c.ask(get('/a', `traceparent: ${trace}\r\n`));
	assert.equal(answer.first, 'HTTP/1.1 200 OK');
	assert.equal(answer.headers.traceparent, trace);
	assert.equal(answer.headers.server, 'floorwalker');
	assert.equal(answer.headers['x-echo'], 'yes');
	assert.equal(answer.headers.connection, undefined);
	assert.equal(new Date(answer.headers.date).toUTCString(), answer.headers.date);
	assert.ok(Math.abs(Date.now() - new Date(answer.headers.date)) < 60000);
	const cut = trace.slice(0, -1);
	assert.equal((await c.ask(get('/a', `traceparent: ${cut}\r\n`))).headers.traceparent, undefined);
});

test('HEAD tells the length and sends no body', async (t) => {
	const c = await (await start(t)).open();
	const answer = await c.ask('HEAD /bytes?n=1000 HTTP/1.1\r\nHost: x\r\n\r\n', { head: true });
	assert.equal(answer.headers['content-length'], '1000');
	assert.equal((await c.ask(get('/bytes?n=3'))).body, 'xxx');
});

test('keep-alive: HTTP/1.1 unless told otherwise, HTTP/1.0 when asked for', async (t) => {
	const server = await start(t);
	const c = await server.open();
	for (let i = 0; i < 20; i++) assert.equal((await c.ask(get('/a'))).status, 200);
	assert.equal((await c.ask(get('/a', 'Connection: close\r\n'))).headers.connection, 'close');
	await c.ended();
	const old = await server.open();
	assert.equal((await old.ask('GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n')).headers.connection, 'keep-alive');
	assert.equal((await old.ask('GET /a HTTP/1.0\r\n\r\n')).headers.connection, 'close');
	await old.ended();
	const asked = await server.open();
	await asked.send(get('/close') + get('/a'));
	assert.equal((await asked.answer()).headers.connection, 'close');
	await asked.ended();
	assert.equal(asked.received(), '');
});

test('pipelined requests are answered in order, in however many pieces they come', async (t) => {
	const server = await start(t);
	const n = 300;
	const all = Array.from({ length: n }, (_, i) => post('/echo', `body ${i}`, i % 3 ? '' : 'X-A: b\r\n')).join('');
	for (const size of [all.length, 1000, 37]) {
		const c = await server.open();
		for (let at = 0; at < all.length; at += size) await c.send(all.slice(at, at + size));
		for (let i = 0; i < n; i++) assert.equal((await c.answer()).body, `body ${i}`);
	}
});

test('answers given out of order leave in order', async (t) => {
	const server = await start(t);
	const c = await server.open();
	await c.send(post('/hold/a', 'one') + post('/hold/b', 'two') + get('/c?q=three') + post('/hold/d', 'four'));
	await until(async () => await server.held('d') === 'yes');
	assert.equal((await server.ask('/release/d')).status, 200);
	assert.equal((await server.ask('/release/b')).status, 200);
	assert.equal(c.received(), '');
	await server.ask('/release/a');
	assert.equal((await c.answer()).body, 'a one');
	assert.equal((await c.answer()).body, 'b two');
	assert.equal((await c.answer()).json().q, 'three');
	assert.equal((await c.answer()).body, 'd four');
	assert.equal((await c.ask(get('/echo'))).status, 200);
});

test('beyond the pipelining limit requests wait, and are answered later', async (t) => {
	const server = await start(t, 'pipelined=4');
	const c = await server.open();
	const n = 12;
	await c.send(Array.from({ length: n }, (_, i) => get(`/hold/${i}`)).join('') + get('/echo', 'Connection: close\r\n'));
	for (let i = 0; i < n; i++) {
		await until(async () => await server.held(i) === 'yes');
		assert.equal(await server.held(i + 4), 'no');
		await server.ask(`/release/${i}`);
		assert.equal((await c.answer()).body, `${i} `);
	}
	assert.equal((await c.answer()).status, 200);
	await c.ended();
});

test('a client that sends everything and closes its side still gets every answer', async (t) => {
	const server = await start(t, 'pipelined=2');
	const c = await server.open();
	c.socket.end(get('/hold/a') + get('/hold/b') + get('/hold/c') + post('/echo', 'last'));
	for (const id of ['a', 'b', 'c']) {
		await until(async () => await server.held(id) === 'yes');
		await server.ask(`/release/${id}`);
		assert.equal((await c.answer()).body, `${id} `);
	}
	assert.equal((await c.answer()).body, 'last');
	await c.ended();
});

test('a client that goes away is noticed, and its answer is dropped', async (t) => {
	const server = await start(t);
	const c = await server.open();
	await c.send(get('/hold/a') + get('/hold/b'));
	await until(async () => await server.held('b') === 'yes');
	c.socket.resetAndDestroy();
	await until(async () => await server.held('a') === 'gone' && await server.held('b') === 'gone');
	assert.equal((await server.ask('/release/b')).status, 200);
	assert.equal((await server.ask('/release/a')).status, 200);
	const { gone, inflight } = await server.counters();
	assert.deepEqual([gone, inflight], [2, 1]);
	// In the middle of a request, and of an answer.
	const half = await server.open();
	await half.send('POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf');
	half.socket.resetAndDestroy();
	const big = await server.open();
	big.socket.pause();
	await big.send(get('/bytes?n=50000000'));
	big.socket.resetAndDestroy();
	await until(async () => (await server.counters()).open === 1);
});

test('bodies: chunked, gzip, both, in any pieces', async (t) => {
	const server = await start(t);
	const text = 'The quick brown fox. '.repeat(5000), packed = gzipSync(text);
	const chunks = (data, size) => Buffer.concat([...Array(Math.ceil(data.length / size)).keys()].map((i) => data.subarray(i * size, i * size + size))
		.flatMap((piece) => [Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]).concat(Buffer.from('0\r\n\r\n')));
	const gzip = 'Content-Encoding: gzip\r\n', chunked = 'Transfer-Encoding: chunked\r\n';
	const request = (more, body) => Buffer.concat([Buffer.from(`POST /echo HTTP/1.1\r\nHost: x\r\n${more}\r\n`), body]);
	const c = await server.open();
	for (const [what, bytes, wanted] of [
		['plain', request(`Content-Length: ${text.length}\r\n`, Buffer.from(text)), text],
		['chunked', request(chunked, chunks(Buffer.from(text), 7)), text],
		['gzip', request(`${gzip}Content-Length: ${packed.length}\r\n`, packed), text],
		['gzip, chunked', request(gzip + chunked, chunks(packed, 100)), text],
		['two members', request(`${gzip}Content-Length: ${packed.length * 2}\r\n`, Buffer.concat([packed, packed])), text + text],
		['gzip of nothing', request(`${gzip}Content-Length: ${gzipSync('').length}\r\n`, gzipSync('')), ''],
		['identity', request('Content-Encoding: identity\r\nContent-Length: 2\r\n', Buffer.from('hi')), 'hi'],
	]) {
		const once = await c.ask(bytes);
		assert.ok(once.status === 200 && once.body === wanted, what);
		for (let at = 0; at < bytes.length; at += 1031) await c.send(bytes.subarray(at, at + 1031));
		assert.ok((await c.answer()).body === wanted, `${what} in pieces`);
	}
});

test('gzip: a bomb is 413 without being unpacked, a broken stream 400', async (t) => {
	const server = await start(t);
	const send = async (body) => (await server.open()).ask(Buffer.concat([
		Buffer.from(`POST /echo HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: ${body.length}\r\n\r\n`), body]));
	const fits = await send(gzipSync(Buffer.alloc(1 << 20, 'x')));
	assert.deepEqual([fits.status, fits.body.length], [200, 1 << 20]);
	assert.equal((await send(gzipSync(Buffer.alloc((1 << 20) + 1, 'x')))).status, 413);
	assert.equal((await send(gzipSync(Buffer.alloc(200 << 20)))).status, 413);
	const packed = gzipSync('hello hello hello');
	assert.equal((await send(packed.subarray(0, -3))).status, 400);
	assert.equal((await send(Buffer.concat([packed, Buffer.from('x')]))).status, 400);
	packed[packed.length - 6] ^= 1;
	assert.equal((await send(packed)).status, 400);
});

test('an upload that is too large gets its 413 before the connection closes', async (t) => {
	const server = await start(t, 'body_bytes=1000');
	const c = await server.open();
	const sending = c.send(post('/echo', 'x'.repeat(3000000)));
	assert.equal((await c.answer()).status, 413);
	await sending;
	await c.ended();
	assert.equal(c.failed(), null);
	const exact = await server.open();
	assert.equal((await exact.ask(post('/echo', 'x'.repeat(1000)))).status, 200);
	assert.equal((await exact.ask('POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n' + 'x'.repeat(1000) + '\r\n0\r\n\r\n')).status, 200);
	assert.equal((await exact.ask('POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n' + 'x'.repeat(1000) + '\r\n1\r\nx\r\n0\r\n\r\n')).status, 413);
});

test('Expect: 100-continue is met when the body has not come yet, in its turn', async (t) => {
	const server = await start(t);
	const c = await server.open();
	const head = 'POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n';
	assert.equal((await c.ask(head)).first, 'HTTP/1.1 100 Continue');
	assert.equal((await c.ask('hi')).body, 'hi');
	assert.equal((await c.ask(head + 'ho')).body, 'ho');
	await c.send(get('/hold/a') + head);
	await until(async () => await server.held('a') === 'yes');
	assert.equal(c.received(), '');
	await server.ask('/release/a');
	assert.equal((await c.answer()).body, 'a ');
	assert.equal((await c.answer()).status, 100);
	assert.equal((await c.ask('ha')).body, 'ha');
});
