// A server to speak HTTP with: tests/system/http_echo.c, which does nothing but expose ours, and raw connections to it.

import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { environment, program, until } from './daemon.mjs';

export const echo = process.env.HTTP_ECHO ?? join(dirname(program), '../tests/system/http_echo');

export async function start(t, ...args) {
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
export async function open(t, where) {
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

export const get = (path, more = '') => `GET ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;
export const post = (path, body, more = '') => `POST ${path} HTTP/1.1\r\nHost: x\r\n${more}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
