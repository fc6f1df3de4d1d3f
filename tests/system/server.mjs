// A small shop in a temporary folder, served; for the tests of the processes, the plugins and the keys.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { dirname, join, resolve } from 'node:path';
import { ask, environment, program, run, startDaemon, temporaryFolder, until, wholeLines, writeFiles } from './daemon.mjs';

export const pluginFolder = resolve(dirname(program), '../tests/system/plugins');
export const ownPlugins = resolve(dirname(program), '../plugins');

// One slot, "s", that shows `banner` on a page of type home.
export const rules = (banner, more = '') => `slot "s" { channel = "web", default = { banner = "none" } }
rule "r" { slot = "s", when = { page_type = "home" }, show = { banner = "${banner}" } }
test "home" { given = { page_type = "home" }, expect = { s = "r" } }
${more}`;

export const question = { slots: ['s'], context: { page: { type: 'home' } } };

// A value as Lua writes it.
export function lua(value) {
	if (Array.isArray(value)) return `{ ${value.map(lua).join(', ')} }`;
	if (value !== null && typeof value === 'object') return `{ ${Object.entries(value).map(([k, v]) => `[${JSON.stringify(k)}] = ${lua(v)}`).join(', ')} }`;
	return JSON.stringify(value);
}

const configuration = (keys) => Object.entries(keys).filter(([, v]) => v !== undefined).map(([k, v]) => `${k} = ${lua(v)}\n`).join('');

// Short deadlines, so that what ends by one ends soon.
// A sanitized worker on a busy machine may be silent for seconds over one request of 2,500 events.
export const quick = { heartbeat_ms: 6000, drain_ms: 3000, restart_ms: 20, load_ms: 30000, drain_idle_ms: 500 };

// Writes the shop: `config` overrides keys of the configuration, `files` are added.
export function writeShop(t, { config = {}, files = {}, banner = 'one', folder = temporaryFolder(t) } = {}) {
	return writeFiles(folder, {
		'shop/home.lua': rules(banner),
		'floorwalker.lua': configuration({ listen: ['127.0.0.1:0'], workers: 2, run: 'run', rules: 'shop', compliance: false, plugins: { web: {} }, limits: quick, ...config }),
		...files,
	});
}

// A request on a connection of its own: one that was kept open may be answered once more by the generation that ends.
export function askFresh(url, body, headers = {}) {
	return new Promise((done, fail) => {
		const req = request(url, { method: body === undefined ? 'GET' : 'POST', agent: false, headers: { 'content-type': 'application/json', ...headers } }, (answer) => {
			let text = '';
			answer.setEncoding('utf8').on('data', (d) => { text += d; }).on('end', () => done({ status: answer.statusCode, text })).on('error', fail);
		});
		req.on('error', fail).end(body === undefined ? undefined : JSON.stringify(body));
	});
}

// Asks without pause on kept-alive connections until it is told to stop, and looks at every answer: { answers, failures, banners, stop, ended }.
// `body` null: a GET. `look` is called with the text of each that is 200; by itself it gathers the banners.
export function askOnAndOn(shop, { connections = 8, path = '/v1/decide', body = question, look } = {}) {
	const agent = new Agent({ keepAlive: true, maxSockets: connections });
	const seen = { answers: 0, failures: [], banners: new Set(), stop: false };
	const read = look ?? ((text) => seen.banners.add(JSON.parse(text).decisions.s.content.banner));
	const one = () => new Promise((done) => {
		const req = request(shop.url + path, { method: body === null ? 'GET' : 'POST', agent, headers: { 'content-type': 'application/json' } }, (answer) => {
			let text = '';
			answer.setEncoding('utf8').on('data', (d) => { text += d; }).on('end', () => {
				seen.answers++;
				if (answer.statusCode === 200) read(text);
				else seen.failures.push(`${answer.statusCode} ${text}`);
				done();
			});
		});
		req.on('error', (error) => {
			// A kept-alive connection that closes while the request is on its way is the client's to send again.
			if (!(req.reusedSocket && error.code === 'ECONNRESET')) seen.failures.push(error.message);
			done();
		});
		req.end(body === null ? undefined : JSON.stringify(body));
	});
	seen.ended = Promise.all(Array.from({ length: connections }, async () => { while (!seen.stop) await one(); })).then(() => agent.destroy());
	return seen;
}

export async function serve(t, options = {}) {
	const folder = writeShop(t, options);
	const config = join(folder, 'floorwalker.lua');
	const daemon = await startDaemon(t, config, { env: options.env, bin: options.bin ?? program });
	t.after(() => assert.doesNotMatch(daemon.log(), /Sanitizer|runtime error:/));
	// It listens before it has loaded: the first answer says that it serves.
	await ask(`${daemon.url}/livez`);
	const command = (...args) => run([...args, '--config', config], { env: options.env });
	return {
		folder, config, daemon, command,
		url: daemon.url,
		write: (files) => writeFiles(folder, files),
		configure: (keys) => writeFileSync(config, configuration({ listen: ['127.0.0.1:0'], workers: 2, run: 'run', rules: 'shop', compliance: false, plugins: { web: {} }, limits: quick, ...options.config, ...keys })),
		ask: (path, body, more) => ask(daemon.url + path, body, more),
		// The banner that the slot shows now.
		banner: async () => JSON.parse((await askFresh(`${daemon.url}/v1/decide`, question)).text).decisions.s.content.banner,
		decide: (body = question, more = {}) => ask(`${daemon.url}/v1/decide`, body, more),
		reload: () => command('reload'),
		status: () => JSON.parse(command('status', '--json').stdout),
		// The daemon's log, parsed; what is no JSON is left out.
		log: () => wholeLines(daemon.log()).filter((line) => line.startsWith('{')).map((line) => JSON.parse(line)),
	};
}

// Runs the program without blocking this process: { status, stdout, stderr }.
export function runAside(args, { env } = {}) {
	const child = spawn(program, args, { env: environment(env), stdio: ['ignore', 'pipe', 'pipe'] });
	const answer = { stdout: '', stderr: '' };
	child.stdout.setEncoding('utf8').on('data', (text) => { answer.stdout += text; });
	child.stderr.setEncoding('utf8').on('data', (text) => { answer.stderr += text; });
	return new Promise((done) => child.on('close', (status) => done({ status, ...answer })));
}

// The processes of a daemon: { master, loader, workers }.
export function processes(shop) {
	const status = shop.status();
	return { master: status.pid, loader: status.loader, workers: status.workers.map((w) => w.pid) };
}

export const alive = (pid) => {
	try {
		return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
	} catch { return false; }
};

// Metrics by name and labels, as numbers.
export async function metrics(shop) {
	const { text } = await askFresh(`${shop.url}/metrics`);
	return Object.fromEntries(text.split('\n').filter((line) => line && !line.startsWith('#')).map((line) => {
		const at = line.lastIndexOf(' ');
		return [line.slice(0, at), Number(line.slice(at + 1))];
	}));
}

// Installs header and pkg-config file into a folder, from the build that is tested: { folder, cflags, plugindir }, what pkg-config says of them.
export function installed(t) {
	const folder = temporaryFolder(t);
	const build = join(program, '../..');
	const { status, stdout, stderr } = spawnSync('meson', ['install', '-C', build, '--no-rebuild', '--destdir', folder], { encoding: 'utf8' });
	assert.equal(status, 0, stdout + stderr);
	const pc = spawnSync('find', [folder, '-name', 'floorwalker.pc'], { encoding: 'utf8' }).stdout.trim();
	assert.ok(pc.endsWith('/floorwalker.pc'), 'floorwalker.pc is installed');
	const config = (...args) => spawnSync('pkg-config', [...args, 'floorwalker'], { encoding: 'utf8', env: { ...process.env, PKG_CONFIG_PATH: join(pc, '..'), PKG_CONFIG_SYSROOT_DIR: folder } }).stdout.trim();
	return { folder, cflags: config('--cflags').split(' '), plugindir: config('--variable=plugindir') };
}

export { until };
