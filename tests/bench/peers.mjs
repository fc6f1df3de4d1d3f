// In process against other engines given the same rules: flag SDKs, rule engines, Lua.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { bench, pinned, shared, tree, workload } from './measure.mjs';

const N = 10000;
// Engine, visitors, rounds (slow ones get few), and whether it is a flag SDK, which the bar is about.
const ENGINES = [['flagd', 100, 3, true], ['unleash', 100, 3, true], ['growthbook', 100, 3, true], ['plainjs_first', 1000, 1, false], ['zen_table', 20, 1, false]];

function installed() {
	const folder = join(bench, 'peers');
	if (!existsSync(join(folder, 'node_modules'))) {
		mkdirSync(folder, { recursive: true });
		cpSync(join(shared, 'peers'), folder, { recursive: true });
		execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--silent'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
	}
	return folder;
}

function microseconds(text) {
	const m = text.match(/p50(?:_us)?[=: ]+([\d.]+)/);
	if (!m) throw new Error(`no p50 in: ${text}`);
	return Number(m[1]);
}

export async function run({ quick }) {
	const peers = installed();
	const folder = workload('dense', N);
	const ours = JSON.parse(pinned(1, join(tree, 'build/tests/bench/decide_bench'), [join(folder, `fw_${N}`), join(folder, 'facts.jsonl'), join(folder, `expected_${N}.jsonl`), '10'])).decide_p50_us;
	const rows = [];
	const add = (name, peer, bar) => rows.push({ measure: `decide, dense, ${N} rules`, ours: `${ours} µs`, peerName: name, peer: `${peer} µs`, ratio: peer / ours, bar: bar ? `≥ ${bar}×` : undefined, met: bar ? peer / ours >= bar : undefined });
	for (const [name, visitors, rounds, flags] of ENGINES) {
		if (quick && !flags) continue;
		add(name, microseconds(pinned(1, 'node', ['--max-old-space-size=8192', join(peers, 'peers.js'), name, folder, String(N), String(visitors), String(rounds)])), flags ? 300 : undefined);
	}
	execFileSync('node', [join(shared, 'workload/luagen.js'), folder, String(N)]);
	add('Lua 5.4', microseconds(pinned(1, 'lua5.4', [join(shared, 'peers/naive.lua'), folder, String(N), '1000', '2'])));
	if (!quick) add('LuaJIT', microseconds(pinned(1, 'luajit', ['-joff', join(shared, 'peers/naive.lua'), folder, String(N), '1000', '2'])));
	return rows;
}
