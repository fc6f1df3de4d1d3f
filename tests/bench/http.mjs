// /v1/decide over loopback: one worker on one core, wrk on the other with 64 kept connections and 1,000 bodies that all
// differ, for one slot and for twenty, beside the raw-event server of ../shared/bench/http (it parses the body and writes
// one answer) and nginx with Lua deciding by 100 rules. The servers take turns, so that all see the machine's drift.

import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { environment, until } from '../system/daemon.mjs';
import { clientCore, here, median, needShared, onCore, once, options, run, runBeside, say, serve, serverCore, shared, work, workload } from './bench.mjs';

const allSlots = Array.from({ length: 20 }, (_, i) => `slot.${i}`).join();
export function bodies(slots) {
	needShared();
	return once(`bodies_${slots}.jsonl`, () => writeFileSync(join(work, `bodies_${slots}.jsonl`),
		run(['node', join(shared, 'http/bodies.js'), '1000', slots === 1 ? 'slot.0' : allSlots])));
}

// One answer, looked at: measuring refusals quickly would be easy.
async function answers(name, url, file, slots) {
	const body = readFileSync(file, 'utf8').split('\n')[0];
	const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
	const { decisions } = await response.json();
	const n = Array.isArray(decisions) ? slots : Object.keys(decisions).length; // the raw server's answer is always the same
	if (response.status !== 200 || n !== slots) throw new Error(`${name} answered ${response.status} for ${n} slots, not 200 for ${slots}`);
}

export async function load(url, file, seconds, connections = 64) {
	const said = await runBeside(onCore(clientCore, ['wrk', '-t1', `-c${connections}`, `-d${seconds}s`, '-s', join(here, 'http/post.lua'), url]), { env: { BENCH_BODIES: file } });
	return JSON.parse(said.match(/^RESULT (.*)$/m)[1]);
}

export function start(command, stop) {
	const child = spawn('taskset', ['-c', serverCore, ...command], { env: environment(), stdio: 'ignore' });
	stop.push(() => child.kill('SIGTERM'));
}

const answering = (url, name) => until(() => fetch(url, { method: 'POST', body: '{}' }).then(() => true, () => false), { what: `${name} answers` });

// The raw-event server: where it is.
export async function startRaw(stop) {
	const folder = join(work, 'http');
	mkdirSync(folder, { recursive: true });
	const raw = once('http/bev_srv', () => run(['gcc', '-O2', '-w', '-D_GNU_SOURCE', '-o', join(folder, 'bev_srv'), join(shared, 'http/bev_srv.c'), '-levent', '-lyajl']));
	start([raw, '9117', 'json', 'raw'], stop);
	await answering('http://127.0.0.1:9117/decide', 'the raw-event server');
	return 'http://127.0.0.1:9117';
}

async function others(stop) {
	const folder = join(work, 'http'), dense = workload('dense', 100).folder, raw = await startRaw(stop);
	writeFileSync(join(folder, 'nginx.conf'), readFileSync(join(here, 'http/nginx.conf.in'), 'utf8').replaceAll('@RUN@', folder).replaceAll('@RULES@', `${dense}/rules_100.lua.txt`));
	start(['nginx', '-c', join(folder, 'nginx.conf'), '-p', `${folder}/`], stop);
	await answering('http://127.0.0.1:9114/decide', 'nginx');
	return [['raw', 'raw events', `${raw}/decide`], ['nginx', 'nginx + Lua, 100 rules', 'http://127.0.0.1:9114/decide']];
}

function rowsOf(slots, results) {
	const rate = (name) => median(results[name].map((r) => r.perSecond));
	const what = `POST /v1/decide, 10,000 rules, ${slots === 1 ? 'one slot' : 'twenty slots'}`, ours = rate('ours');
	const broken = results.ours.reduce((sum, r) => sum + r.failed + r.refused, 0);
	return [
		{ measure: what, ours, unit: '1/s', peer: rate('raw'), peerName: 'raw events', ratio: ours / rate('raw'), least: 0.55, raw: results },
		{ measure: what, ours, unit: '1/s', peer: rate('nginx'), peerName: 'nginx + Lua, 100 rules', ratio: ours / rate('nginx'), least: 1.8 },
		{ measure: `${what}: 99th percentile`, ours: median(results.ours.map((r) => r.p99_us)), unit: 'µs', peer: median(results.raw.map((r) => r.p99_us)), peerName: 'raw events' },
		{ measure: `${what}: failed or refused`, ours: broken, unit: '', bar: '0', met: broken === 0 },
	];
}

export async function measure() {
	const stop = [], rows = [], seconds = options.quick ? 2 : 5, rounds = options.quick ? 1 : 3;
	try {
		const daemon = await serve('dense-10000', { rules: workload('dense', 10000).rules });
		const servers = [['ours', 'floorwalker', `${daemon.url}/v1/decide`], ...await others(stop)];
		for (const slots of [1, 20]) {
			const file = bodies(slots), results = Object.fromEntries(servers.map(([name]) => [name, []]));
			for (const [, name, url] of servers) {
				await answers(name, url, file, slots);
				await load(url, file, 1);
			}
			for (let round = 0; round < rounds; round++) {
				for (const [key, name, url] of servers) {
					say(`asking ${name} for ${slots} of 20 slots`);
					results[key].push(await load(url, file, seconds));
				}
			}
			rows.push(...rowsOf(slots, results));
		}
		await daemon.stop();
	} finally {
		stop.forEach((f) => f());
	}
	return rows;
}
