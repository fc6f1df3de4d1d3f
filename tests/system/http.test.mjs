// The HTTP server, over raw sockets: what it refuses, what it waits for, and in which order it answers.
// It is driven through tests/system/http_echo.c, which does nothing but expose it.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import { environment, long, program, temporaryFolder, until } from './daemon.mjs';

const echo = process.env.HTTP_ECHO ?? join(dirname(program), '../tests/system/http_echo');

async function start(t, ...args) {
	const child = spawn(echo, args, { env: environment(), stdio: ['ignore', 'pipe', 'inherit'] });
	let said = '';
	child.stdout.setEncoding('utf8').on('data', (text) => { said += text; });
	const ended = new Promise((done) => child.on('exit', (status, signal) => done(status ?? signal)));
	t.after(() => { child.kill('SIGKILL'); return ended; });
	await until(() => said.includes('\n'), { what: `${echo} says its port` });
	const server = { port: Number(said), child, ended };
	server.open = (path) => open(t, path ? { path } : { port: server.port, host: '127.0.0.1' });
	server.ask = async (path) => {
		const c = await server.open();
		const answer = await c.ask(get(path, 'Connection: close\r\n'));
		await c.ended();
		c.socket.destroy();
		return answer;
	};
	server.counters = async () => JSON.parse((await server.ask('/counters')).body);
	server.held = async (id) => (await server.ask(`/held/${id}`)).body;
	return server;
}

// A raw connection: send bytes, read answers one by one.
async function open(t, where) {
	const socket = connect({ ...where, allowHalfOpen: true });
	let bytes = Buffer.alloc(0), parts = [], n = 0, over = false, failed = null;
	socket.on('data', (data) => { parts.push(data); n += data.length; });
	const join = () => { bytes = Buffer.concat([bytes, ...parts]); parts = []; return bytes; };
	socket.on('end', () => { over = true; });
	socket.on('error', (error) => { failed = error; });
	socket.on('close', () => { over = true; });
	t.after(() => socket.destroy());
	await new Promise((done, fail) => socket.once('connect', done).once('error', fail));
	const c = {
		socket,
		send: (data) => new Promise((done) => socket.write(data, done)),
		received: () => join().toString('latin1'),
		isOver: () => over,
		failed: () => failed,
		ended: () => until(() => over, { what: 'the server closes the connection' }),
		answer: async ({ head = false } = {}) => {
			await until(() => join().includes('\r\n\r\n') || over, { what: 'an answer' });
			join();
			const end = bytes.indexOf('\r\n\r\n');
			if (end < 0) throw new Error(`no answer, but ${JSON.stringify(bytes.toString('latin1'))} ${failed ?? ''}`);
			const [first, ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
			const headers = Object.fromEntries(lines.map((l) => [l.slice(0, l.indexOf(':')).toLowerCase(), l.slice(l.indexOf(':') + 2)]));
			const whole = end + 4 + (head ? 0 : Number(headers['content-length'] ?? 0));
			await until(() => n >= whole || over, { what: 'the body of an answer' });
			const body = join().subarray(end + 4, whole).toString();
			n -= Math.min(n, whole);
			bytes = bytes.subarray(whole);
			return { status: Number(first.split(' ')[1]), first, headers, body, json: () => JSON.parse(body) };
		},
	};
	c.ask = async (data, how) => { await c.send(data); return c.answer(how); };
	return c;
}

const get = (path, more = '') => `GET ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;
const post = (path, body, more = '') => `POST ${path} HTTP/1.1\r\nHost: x\r\n${more}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

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
