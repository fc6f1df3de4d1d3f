// What the parts of the benchmark share: places, commands pinned to a core, the daemon, rule sets of the workload.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const tree = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
export const shared = process.env.FW_BENCH_SHARED;
export const bench = join(tree, 'build/bench');
export const program = join(tree, 'build/core/floorwalker');
export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

export function commit() {
	return spawnSync('git', ['-C', tree, 'describe', '--always', '--dirty'], { encoding: 'utf8' }).stdout.trim() || 'unknown';
}

export function machine() {
	return `${cpus()[0].model}, ${cpus().length} cores, Linux ${execFileSync('uname', ['-r'], { encoding: 'utf8' }).trim()}`;
}

// A command on one core, to its end; its standard output.
export function pinned(core, command, args, options = {}) {
	return execFileSync('taskset', ['-c', String(core), command, ...args], { encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'inherit'], ...options });
}

export function median(numbers) {
	const sorted = [...numbers].sort((a, b) => a - b);
	return sorted[Math.floor(sorted.length / 2)];
}

// The workload of the yardstick in a folder of its own, made once: rules_N, visitors, fw_N/, facts.jsonl, expected_N.jsonl.
export function workload(name, n) {
	const folder = join(bench, name);
	if (existsSync(join(folder, `expected_${n}.jsonl`))) return folder;
	mkdirSync(folder, { recursive: true });
	const env = { ...process.env, ...(name === 'sparse' ? { KADD: '2' } : {}) };
	execFileSync('node', [join(shared, 'workload/gen.js'), folder, String(n)], { env });
	execFileSync('node', [join(shared, 'workload/to-floorwalker.js'), folder, String(n)], { env });
	return folder;
}

// A C program of the peers, built once.
export function compiled(name, source, flags) {
	const out = join(bench, name);
	if (!existsSync(out)) execFileSync('gcc', ['-w', '-D_GNU_SOURCE', '-o', out, source, ...flags]);
	return out;
}

// Starts a program on a core and waits until `ready` answers true. stop() ends it.
export async function start(core, command, args, ready, { env, seconds = 60 } = {}) {
	const child = spawn('taskset', ['-c', String(core), command, ...args], { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...env } });
	let log = '';
	child.stderr.setEncoding('utf8').on('data', (text) => { log += text; });
	const ended = new Promise((done) => child.on('exit', done));
	const server = { child, log: () => log, stop: async () => { child.kill('SIGTERM'); await ended; } };
	for (const until = Date.now() + seconds * 1000; !(await ready(log)); await sleep(10)) {
		if (child.exitCode !== null || Date.now() > until) throw new Error(`${command} does not serve:\n${log}`);
	}
	return server;
}

// `floorwalker serve` with one worker on a core; the example store's configuration but for `more`.
export async function daemon({ rules, compliance = false, core = 0, more = '' }) {
	const folder = mkdtempSync(join(tmpdir(), 'fw-bench-'));
	const config = join(folder, 'floorwalker.lua');
	const geo = join(tree, '.geo/country.mmdb');
	writeFileSync(config, `listen = { "127.0.0.1:0" } run = "run" workers = 1 rules = ${JSON.stringify(rules)} compliance = ${compliance ? JSON.stringify(compliance) : false}\n` +
		`plugins = { web = {} } ${existsSync(geo) ? `geo = { database = ${JSON.stringify(geo)} }` : ''}\n${more}\n`);
	const began = performance.now();
	const server = await start(core, program, ['serve', '--config', config], async (log) => /listening on/.test(log));
	const url = server.log().match(/listening on (http:\/\/[^\s,]+)/)[1];
	while (!(await fetch(`${url}/readyz`).then((r) => r.ok, () => false))) await sleep(2);
	return { ...server, url, config, startMs: performance.now() - began, master: server.child.pid,
		stop: async () => { await server.stop(); rmSync(folder, { recursive: true, force: true }); } };
}

// The processes below one, itself first: { pid, parent }.
export function family(pid) {
	const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((name) => {
		try {
			return [{ pid: Number(name), parent: Number(readFileSync(`/proc/${name}/stat`, 'utf8').replace(/^.*\) /, '').split(' ')[1]) }];
		} catch {
			return []; /* it has ended meanwhile */
		}
	});
	const found = all.filter((p) => p.pid === pid);
	for (let i = 0; i < found.length; i++) found.push(...all.filter((p) => p.parent === found[i].pid));
	return found;
}

export function anonymousKib(pid) {
	return Number(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8').match(/^Pss_Anon:\s+(\d+)/m)[1]);
}

// The bodies that no cache can answer, written once.
export function bodies(slots) {
	const file = join(bench, `bodies_${slots}.jsonl`);
	if (!existsSync(file)) {
		const names = Array.from({ length: slots }, (_, i) => `slot.${i}`).join(',');
		writeFileSync(file, execFileSync('node', [join(shared, 'http/bodies.js'), '1000', names], { encoding: 'utf8', maxBuffer: 1 << 28 }));
	}
	return file;
}
