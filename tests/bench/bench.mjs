// What the parts of the benchmark share: where things are, commands on one core, the daemon, what the machine is.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { environment, releaseProgram, startDaemon, tree, until } from '../system/daemon.mjs';

export { tree };
export const work = join(tree, 'build/bench');
export const shared = resolve(process.env.FW_BENCH_SHARED ?? join(tree, '../shared/bench'));
export const here = join(tree, 'tests/bench');
export const program = releaseProgram;
export const options = { quick: false };

// Where the server and what asks it run, so that neither takes the other's time.
export const serverCore = '0', clientCore = '1';
export const onCore = (core, command) => ['taskset', '-c', core, ...command];

export function say(text) {
	console.error(`bench: ${text}`);
}

// Runs a command to its end and answers its standard output; a failure ends the part with what the command said.
export function run(command, { cwd = work, env, seconds = 600, input } = {}) {
	const [file, ...args] = command;
	const { status, signal, stdout, stderr, error } = spawnSync(file, args,
		{ cwd, env: environment(env), encoding: 'utf8', timeout: seconds * 1000, killSignal: 'SIGKILL', maxBuffer: 1 << 28, input });
	if (error || status !== 0) throw new Error(`${command.join(' ')}: ${error?.message ?? signal ?? `status ${status}`}\n${stderr}${stdout}`.trim());
	return stdout;
}

// Runs it without standing in the way of timers and other processes' output.
export function runBeside(command, { cwd = work, env, seconds = 600 } = {}) {
	const [file, ...args] = command;
	const child = spawn(file, args, { cwd, env: environment(env), stdio: ['ignore', 'pipe', 'pipe'], timeout: seconds * 1000, killSignal: 'SIGKILL' });
	let stdout = '', stderr = '';
	child.stdout.setEncoding('utf8').on('data', (text) => { stdout += text; });
	child.stderr.setEncoding('utf8').on('data', (text) => { stderr += text; });
	return new Promise((done, fail) => {
		child.on('error', fail);
		child.on('close', (status) => (status === 0 ? done(stdout) : fail(new Error(`${command.join(' ')}: status ${status}\n${stderr}${stdout}`))));
	});
}

export const sleep = (seconds) => new Promise((done) => { setTimeout(done, seconds * 1000); });
export const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
export const percentile = (list, share) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * share))];

// The workload and the peers are not part of this repository.
export function needShared() {
	if (!existsSync(join(shared, 'workload/gen.js'))) {
		throw new Error(`${shared} is missing: the workload and the peers that this part measures beside live there (FW_BENCH_SHARED names another place)`);
	}
}

// What tests/bench/meson.build made.
export const tool = (name) => join(tree, 'build/tests/bench', name);

// Makes what `path` (in the work folder) is for, once.
export function once(path, make) {
	const whole = join(work, path);
	if (!existsSync(whole)) {
		mkdirSync(dirname(whole), { recursive: true });
		make();
	}
	return whole;
}

// A workload of n rules: { rules, facts, expected, lines } (lines: what the yardstick and the peers read, where they can).
export function workload(name, n) {
	const folder = join(work, name);
	mkdirSync(folder, { recursive: true });
	if (name === 'store') {
		once(`store/expected_${n}.jsonl`, () => { say(`making ${n} rules of a store`); run(['node', join(here, 'workload/store.mjs'), folder, String(n)]); });
		return { rules: `${folder}/fw_${n}`, facts: `${folder}/facts_${n}.jsonl`, expected: `${folder}/expected_${n}.jsonl` };
	}
	needShared();
	once(`${name}/rules_${n}.lua.txt`, () => {
		say(`making ${n} rules, ${name}`);
		run(['node', join(shared, 'workload/gen.js'), folder, String(n)], { env: name === 'sparse' ? { KADD: '2' } : {} });
		run(['node', join(shared, 'workload/to-floorwalker.js'), folder, String(n)]);
		run(['node', join(shared, 'workload/luagen.js'), folder, String(n)]);
	});
	return { rules: `${folder}/fw_${n}`, facts: `${folder}/facts.jsonl`, expected: `${folder}/expected_${n}.jsonl`, folder };
}

// --- the daemon

const afterwards = [];
const context = { after: (f) => afterwards.push(f) };
export async function endAll() {
	while (afterwards.length) await afterwards.pop()();
}

// A daemon with one worker on the server's core: what startDaemon answers, and its configuration's path. The web plugin
// and the country file are what it has in production; without compliance the guards would be those of the example store.
// `plugins` are further ones, `more` goes to the configuration; with `free` its processes run wherever there is room.
export async function serve(name, { rules, compliance = false, workers = 1, plugins = '', more = '', free = false }) {
	const folder = join(work, 'serve', name);
	mkdirSync(folder, { recursive: true });
	const config = join(folder, 'floorwalker.lua');
	writeFileSync(config, `listen = { "127.0.0.1:0" }\nworkers = ${workers}\nrun = "run"\nrules = ${JSON.stringify(rules)}\n`
		+ `compliance = ${JSON.stringify(compliance)}\nplugins = { web = {}, ${plugins} }\ngeo = { database = ${JSON.stringify(join(tree, '.geo/country.mmdb'))} }\n${more}`);
	const begin = performance.now();
	const daemon = await startDaemon(context, config, { bin: program });
	await until(async () => (await fetch(`${daemon.url}/readyz`).catch(() => ({}))).status === 200, { what: `${name} is ready` });
	const readyMs = performance.now() - begin;
	for (const pid of free ? [] : processes(daemon.child.pid)) run(['taskset', '-a', '-p', '-c', serverCore, String(pid)]);
	return { ...daemon, config, readyMs };
}

export const status = (daemon) => JSON.parse(run([program, 'status', '--json', '--config', daemon.config]));

// The processes of a daemon: its master and all below it.
export function processes(pid) {
	const parents = new Map();
	for (const name of readdirSync('/proc')) {
		if (!/^\d+$/.test(name)) continue;
		try {
			parents.set(Number(name), Number(readFileSync(`/proc/${name}/stat`, 'utf8').split(') ').pop().split(' ')[1]));
		} catch { /* it has ended */ }
	}
	const all = [pid];
	for (const one of all) for (const [child, parent] of parents) if (parent === one) all.push(child);
	return all;
}

// Memory that is a process's own, in bytes: anonymous pages, shared ones (with the loader it was forked from) in part.
export function privateBytes(pid) {
	const line = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8').match(/^Pss_Anon:\s+(\d+) kB/m);
	return Number(line[1]) * 1024;
}
// Processor time of its first thread, in microseconds.
export const cpuUs = (pid) => Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1000;
export const descriptors = (pid) => readdirSync(`/proc/${pid}/fd`).length;

// --- what it was measured on

export function machine() {
	const git = (...args) => run(['git', '-C', tree, ...args]).trim();
	return {
		at: new Date().toISOString(), cpu: cpus()[0].model.trim(), cores: cpus().length, kernel: release(),
		compiler: run(['gcc', '--version']).split('\n')[0], node: process.version, load: loadavg()[0],
		commit: git('rev-parse', '--short=12', 'HEAD'), changed: git('status', '--porcelain', '--untracked-files=no') !== '',
	};
}
