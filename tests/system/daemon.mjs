// What system tests share: a folder that goes away, a command that is run, a daemon on a free port, and waiting for a
// condition. Whatever a test starts here ends with the test.

import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const tree = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
// At length: every scenario, on every store, and on the first at its full size. What another store does to people it does to few of them.
export const atLength = Boolean(process.env.FW_LONG);
export const long = atLength && (process.env.FW_STORE ?? 'lmdb') === 'lmdb';

// The program under test. Without FW_BIN that is what scripts/test would build.
export const program = resolve(process.env.FW_BIN ?? join(tree, 'build-test/core/floorwalker'));
export const releaseProgram = resolve(process.env.FW_RELEASE_BIN ?? join(tree, 'build/core/floorwalker'));

// The environment without what would change the program's behaviour, and with `more`.
export function environment(more = {}) {
	const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('FW_') || name.startsWith('FW_TEST_'));
	return { ...Object.fromEntries(kept), ...more };
}

// A folder with `files` ({ path: text }) in it, removed after the test; first, whoever was started on it ends, who might be writing there.
export function temporaryFolder(t, files = {}) {
	const folder = mkdtempSync(join(tmpdir(), 'fw-'));
	t.after(async () => {
		await Promise.all([...running.values()].filter(({ places }) => places.some((place) => place.startsWith(folder))).map((daemon) => daemon.stop()));
		rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
	});
	return writeFiles(folder, files);
}

export function writeFiles(folder, files) {
	for (const [path, text] of Object.entries(files)) {
		mkdirSync(dirname(join(folder, path)), { recursive: true });
		writeFileSync(join(folder, path), text);
	}
	return folder;
}

// Runs the program to its end: { status, stdout, stderr }.
export function run(args, { input, env, cwd, bin = program, seconds = 60 } = {}) {
	const { status, signal, stdout, stderr, error } = spawnSync(bin, args,
		{ input, cwd, env: environment(env), encoding: 'utf8', timeout: seconds * 1000, killSignal: 'SIGKILL', maxBuffer: 1 << 28 });
	if (error) throw error;
	return { status: status ?? signal, stdout, stderr };
}

// Asks again until `condition` answers something true, and returns that. Fails when `seconds` have passed. Asking that takes long, as by a
// command, is done the less often, so that whoever waits does not keep the others waiting.
export async function until(condition, { what = condition.toString(), seconds = 30 } = {}) {
	const end = Date.now() + seconds * 1000;
	for (;;) {
		const asked = Date.now(), answer = await condition();
		if (answer) return answer;
		if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
		await new Promise((done) => setTimeout(done, Math.min(Math.max(10, 3 * (Date.now() - asked)), 500)));
	}
}

// Of what another process is writing, the lines that are there: one that it has not ended yet is not.
export const wholeLines = (text) => text.split('\n').slice(0, -1);

// What still runs when this process ends, for whatever reason, ends with it.
const running = new Map();
process.on('exit', () => running.forEach((daemon, child) => child.kill('SIGKILL')));

// For what they need until they have ended.
export const stopDaemons = () => Promise.all([...running.values()].map((daemon) => daemon.stop()));

// Starts `floorwalker serve --config CONFIG` and waits until it says where it listens.
// Answers { url, child, log(), signal(name), ended, stop() }: log() is its stderr so far, `ended` a promise of its exit
// status (or the signal's name), stop() drains it with SIGTERM and answers the same.
export async function startDaemon(t, config, { env, bin = program, args = [], seconds = 60 } = {}) {
	const child = spawn(bin, ['serve', '--config', config, ...args], { env: environment(env), stdio: ['ignore', 'ignore', 'pipe'] });
	let log = '';
	child.stderr.setEncoding('utf8').on('data', (text) => { log += text; });
	let over;
	const ended = new Promise((done) => {
		child.on('error', (error) => done(over = error.message));
		child.on('exit', (status, signal) => { running.delete(child); done(over = status ?? signal); });
	});
	const daemon = {
		child, ended,
		places: [...child.spawnargs, ...Object.values(env ?? {})], // where it may be writing
		log: () => log,
		signal: (name) => child.kill(name),
		stop: async () => {
			child.kill('SIGTERM');
			const late = setTimeout(() => child.kill('SIGKILL'), 40000);
			return ended.finally(() => clearTimeout(late));
		},
	};
	running.set(child, daemon);
	t.after(() => daemon.stop());
	const said = /^floorwalker: listening on (http:\/\/[^\s,]+)/m;
	await until(() => over !== undefined || said.test(log), { what: 'floorwalker says where it listens', seconds }).catch((error) => {
		throw new Error(`${error.message}\n${log}`);
	});
	if (!said.test(log)) throw new Error(`floorwalker ended (${over}) before it listened:\n${log}`);
	daemon.url = log.match(said)[1];
	return daemon;
}

// A request with a JSON body (or a GET without one): { status, headers, body }, the body parsed when it is JSON.
export async function ask(url, body, { method = body === undefined ? 'GET' : 'POST', headers = {} } = {}) {
	const sent = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
	const answer = await fetch(url, { method, body: sent, headers: { ...(sent === undefined ? {} : { 'content-type': 'application/json' }), ...headers } });
	const text = await answer.text();
	const isJson = (answer.headers.get('content-type') ?? '').startsWith('application/json');
	return { status: answer.status, headers: answer.headers, body: isJson ? JSON.parse(text) : text };
}
