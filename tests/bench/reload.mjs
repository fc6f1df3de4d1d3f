// A reload of 10,000 rules at an open-loop load of half of capacity; 200 reloads, and what they leave behind.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { anonymousKib, bench, bodies, daemon, family, pinned, program, sleep, tree, workload } from './measure.mjs';

const CONNECTIONS = 32;

// Half of what one closed-loop run reaches on this machine, with the load on the other core.
function halfOfCapacity(url) {
	const text = pinned(1, 'wrk', ['-t1', '-c64', '-d2s', '-s', join(tree, 'tests/bench/post.lua'), `${url}/v1/decide`], { env: { ...process.env, BODIES: bodies(1) } });
	return Math.floor(JSON.parse(text.match(/^\{.*\}$/m)[0]).rps / 2);
}

async function underLoad(quick) {
	const server = await daemon({ rules: join(workload('dense', 10000), 'fw_10000') });
	const log = join(bench, 'h2load.log'), body = join(bench, 'body.json');
	try {
		const rate = halfOfCapacity(server.url);
		writeFileSync(body, readFileSync(bodies(1), 'utf8').split('\n')[0]);
		rmSync(log, { force: true });
		const seconds = quick ? 6 : 10;
		const load = spawn('taskset', ['-c', '1', 'h2load', '--h1', `-c${CONNECTIONS}`, '-t1', `-D${seconds}`, `--rps=${Math.max(1, Math.round(rate / CONNECTIONS))}`, '-d', body,
			'-H', 'content-type: application/json', `--log-file=${log}`, `${server.url}/v1/decide`], { stdio: ['ignore', 'pipe', 'inherit'] });
		let said = '';
		load.stdout.setEncoding('utf8').on('data', (text) => { said += text; });
		const over = new Promise((done) => load.on('exit', done));
		await sleep(seconds * 400);
		const began = Date.now();
		execFileSync(program, ['reload', '--config', server.config]);
		const took = Date.now() - began;
		await over;
		const requests = readFileSync(log, 'utf8').trim().split('\n').map((line) => line.split('\t').map(Number)); /* start µs, status, duration µs */
		const failed = requests.filter(([, status]) => status !== 200).length + Number(said.match(/(\d+) failed/)[1]);
		const around = requests.filter(([at]) => Math.abs(at / 1000 - (began + took / 2)) <= 1000).map(([, , us]) => us).sort((a, b) => a - b);
		const p99 = around[Math.floor(around.length * 0.99)] / 1000;
		return [
			{ measure: `reload of 10000 rules at ${rate} req/s: failed`, ours: `${failed} of ${requests.length}`, bar: 'none', met: failed === 0 && requests.length > 1000 },
			{ measure: 'p99 of the two seconds around it', ours: `${p99.toFixed(1)} ms (the reload took ${took} ms)`, bar: '< 25 ms', met: p99 < 25 },
		];
	} finally {
		await server.stop();
	}
}

const descriptors = (pid) => readdirSync(`/proc/${pid}/fd`).length;

async function settled(server) {
	for (let i = 0; i < 1500 && family(server.master).length !== 3; i++) await sleep(10);
	const processes = family(server.master).map((p) => p.pid);
	return { processes: processes.length, descriptors: processes.reduce((n, pid) => n + descriptors(pid), 0), kib: processes.reduce((n, pid) => n + anonymousKib(pid), 0) };
}

async function many(quick) {
	const n = quick ? 30 : 200;
	const server = await daemon({ rules: join(tree, 'rules/shop'), compliance: join(tree, 'rules/compliance') });
	try {
		/* The first reloads still fill caches of the allocator: what counts is whether it goes on growing. */
		for (let i = 0; i < 5; i++) execFileSync(program, ['reload', '--config', server.config]);
		const before = await settled(server);
		for (let i = 0; i < n; i++) {
			const { status, stderr } = spawnSync(program, ['reload', '--config', server.config], { encoding: 'utf8' });
			if (status !== 0) throw new Error(`reload ${i}: ${stderr}`);
		}
		const after = await settled(server);
		const same = after.processes === before.processes && after.descriptors === before.descriptors && after.kib <= before.kib * 1.05 + 512;
		const text = (x) => `${x.processes} processes, ${x.descriptors} descriptors, ${x.kib} KiB`;
		return [{ measure: `after ${n} reloads`, ours: text(after), peerName: 'before', peer: text(before), bar: 'the same', met: same }];
	} finally {
		await server.stop();
	}
}

export async function run({ quick }) {
	return [...await underLoad(quick), ...await many(quick)];
}
