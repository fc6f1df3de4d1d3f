// What modules of real peers share: a free port, and a process that is started for a test and ends with it.

import { spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// A port below those that are given to outgoing connections, so that it stays free while its server is down; and this process's until it
// ends, for tests of other files look for ports, too, while that server is down.
const ports = join(tmpdir(), 'fw-ports'), taken = [];
process.on('exit', () => taken.forEach((file) => rmSync(file, { force: true })));

function take(port) {
	const file = join(ports, String(port));
	mkdirSync(ports, { recursive: true });
	try {
		writeFileSync(file, String(process.pid), { flag: 'wx' });
	} catch (error) {
		if (error.code !== 'EEXIST') throw error;
		return false;
	}
	taken.push(file);
	return true;
}

export async function freePort() {
	for (;;) {
		const port = 20000 + Math.floor(Math.random() * 12000);
		if (!take(port)) continue;
		const server = createServer();
		const free = await new Promise((done) => server.once('error', () => done(false)).listen(port, '127.0.0.1', () => done(true)));
		await new Promise((done) => server.close(done));
		if (free) return port;
	}
}

const running = new Set();
process.on('exit', () => running.forEach((peer) => peer.signal('SIGKILL')));

// Starts a program with a process group of its own, so that what it starts ends with it: { pid, output(), signal(name), ended, closed, stop() }.
// output() is what it wrote so far, `ended` a promise of its status, `closed` one of nothing more being written; stop() asks it to end, and ends it after `patience` milliseconds.
export function startPeer(name, args, { cwd, patience = 1000 } = {}) {
	const child = spawn(name, args, { cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
	let output = '', over;
	for (const stream of [child.stdout, child.stderr]) stream.setEncoding('latin1').on('data', (text) => { output += text; });
	const peer = {
		pid: child.pid,
		output: () => output,
		over: () => over,
		closed: new Promise((done) => child.on('error', done).on('close', done)),
		signal: (signal) => {
			try { if (child.pid) process.kill(-child.pid, signal); } catch { /* it has ended */ }
		},
		ended: new Promise((done) => {
			child.on('error', (error) => done(over = `${name} cannot be started (${error.message}); scripts/setup installs it`));
			child.on('exit', (status, signal) => { running.delete(peer); done(over = signal ?? status); });
		}),
		stop: async (signal = 'SIGTERM') => {
			peer.signal(signal);
			const late = setTimeout(() => peer.signal('SIGKILL'), patience);
			await peer.ended.finally(() => clearTimeout(late));
			peer.signal('SIGKILL'); // whatever it left behind
		},
	};
	running.add(peer);
	return peer;
}

// `condition`, as `until` takes it, of a peer that must be running: that it is over is an error, with what it wrote.
export const of = (peer, condition) => async () => {
	if (peer.over() !== undefined) throw new Error(`a peer ended: ${peer.over()}\n${peer.output()}`);
	return condition();
};
