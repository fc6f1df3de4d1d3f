// Over HTTP: one worker on one core, wrk on the other, 10,000 rules, 1,000 bodies that all differ; against a bare
// raw-event server that parses and writes JSON, and nginx with Lua deciding 100 rules.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bodies, compiled, daemon, median, pinned, shared, start, tree, workload } from './measure.mjs';

const RAW = 19107, NGINX = 9104; /* the peers have their ports in their sources */

function load(url, file, seconds) {
	const text = pinned(1, 'wrk', ['-t1', '-c64', `-d${seconds}s`, '-s', join(tree, 'tests/bench/post.lua'), url], { env: { ...process.env, BODIES: file } });
	return JSON.parse(text.match(/^\{.*\}$/m)[0]);
}

const answers = (port) => async () => fetch(`http://127.0.0.1:${port}/decide`, { method: 'POST', body: '{}' }).then(() => true, () => false);

async function nginx() {
	const folder = mkdtempSync(join(tmpdir(), 'fw-nginx-'));
	const data = workload('dense', 100);
	execFileSync('node', [join(shared, 'workload/luagen.js'), data, '100']);
	mkdirSync(join(folder, 'logs'), { recursive: true });
	writeFileSync(join(folder, 'nginx.conf'), readFileSync(join(shared, 'http/nginx.conf.in'), 'utf8').replaceAll('@RUN@', folder).replaceAll('@DATA@', data));
	const server = await start(0, 'nginx', ['-c', join(folder, 'nginx.conf'), '-p', `${folder}/`], answers(NGINX));
	return { ...server, url: `http://127.0.0.1:${NGINX}/decide`, stop: async () => { await server.stop(); rmSync(folder, { recursive: true, force: true }); } };
}

async function raw() {
	const server = await start(0, compiled('bev_srv', join(shared, 'http/bev_srv.c'), ['-O2', '-levent', '-lyajl']), [String(RAW), 'json', 'raw'], answers(RAW));
	return { ...server, url: `http://127.0.0.1:${RAW}/decide`, stop: async () => { server.child.kill('SIGKILL'); } };
}

async function ours() {
	const server = await daemon({ rules: join(workload('dense', 10000), 'fw_10000') });
	return { ...server, url: `${server.url}/v1/decide` };
}

// Each server in turn, several times over, so that the machine's drift meets all of them.
export async function run({ quick }) {
	const seconds = quick ? 2 : 5, rounds = quick ? 1 : 3;
	const rows = [];
	for (const slots of [1, 20]) {
		const file = bodies(slots), seen = { ours: [], raw: [], nginx: [] };
		for (let round = 0; round < rounds; round++) {
			for (const [name, make] of Object.entries({ ours, raw, nginx })) {
				const server = await make();
				try {
					load(server.url, file, 1);
					const result = load(server.url, file, seconds);
					if (name === 'ours' && result.failed) throw new Error(`${result.failed} requests failed`);
					seen[name].push(result);
				} finally {
					await server.stop();
				}
			}
		}
		const rps = Object.fromEntries(Object.entries(seen).map(([name, list]) => [name, median(list.map((r) => r.rps))]));
		const p99 = median(seen.ours.map((r) => r.p99_us));
		for (const [name, peerName, bar] of [['raw', 'raw events + yajl', 0.55], ['nginx', 'nginx + Lua, 100 rules', 1.8]]) {
			rows.push({ measure: `HTTP, ${slots} slot${slots > 1 ? 's' : ''}, 10000 rules`, ours: `${rps.ours} req/s (p99 ${p99} µs)`, peerName, peer: `${rps[name]} req/s`,
				ratio: rps.ours / rps[name], bar: `≥ ${bar}×`, met: rps.ours / rps[name] >= bar, raw: seen });
		}
	}
	return rows;
}
