// In process: one decision over 20 slots, facts interned, against the same rules evaluated one by one in C; loading.
import { existsSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { bench, compiled, pinned, shared, tree, workload } from './measure.mjs';

const BARS = { dense: { 1000: [null, 1], 10000: [40, 2], 100000: [50, 6] }, sparse: { 1000: [null, 1], 10000: [80, 2], 100000: [120, 6] } };

function decided(folder, n, rounds) {
	return JSON.parse(pinned(1, join(tree, 'build/tests/bench/decide_bench'), [join(folder, `fw_${n}`), join(folder, 'facts.jsonl'), join(folder, `expected_${n}.jsonl`), String(rounds)]));
}

export async function run({ quick }) {
	const linear = compiled('linear', join(shared, 'workload/linear.c'), ['-O3', '-march=x86-64-v2']);
	const rows = [];
	for (const name of ['dense', 'sparse']) {
		for (const n of quick ? [1000, 10000] : [1000, 10000, 100000]) {
			const folder = workload(name, n);
			const ours = decided(folder, n, quick ? 5 : 20);
			const peer = Number(pinned(1, linear, [folder, String(n), quick ? '3' : '10']).match(/p50_us=([\d.]+)/)[1]);
			const ratio = peer / ours.decide_p50_us;
			const [times, most] = BARS[name][n];
			if (ours.wrong) throw new Error(`${ours.wrong} winners of ${name} ${n} are not those of the naive evaluation`);
			rows.push({ measure: `decide, ${name}, ${n} rules`, ours: `${ours.decide_p50_us} µs (p99 ${ours.decide_p99_us})`, peerName: 'linear C', peer: `${peer} µs`, ratio,
				bar: times ? `≥ ${times}×, ≤ ${most} µs` : `≤ ${most} µs`, met: (!times || ratio >= times) && ours.decide_p50_us <= most, raw: ours });
			if (name === 'dense' && n >= 10000) {
				const bar = n === 10000 ? 0.5 : 5;
				rows.push({ measure: `load ${n} rules`, ours: `${(ours.load_ms / 1000).toFixed(2)} s`, bar: `< ${bar} s`, met: ours.load_ms < bar * 1000 });
			}
		}
	}
	const store = join(tree, 'tests/bench/workload/store.mjs');
	if (existsSync(store)) rows.push(...ownWorkload(store, quick));
	return rows;
}

// A store as it might be: many campaigns and traits that few rules name, segments, dates, guards, some functions.
function ownWorkload(store, quick) {
	const folder = join(bench, 'store');
	const n = quick ? 1000 : 10000;
	if (!existsSync(join(folder, `expected_${n}.jsonl`))) execFileSync('node', [store, folder, String(n)], { stdio: ['ignore', 'ignore', 'inherit'] });
	const ours = decided(folder, n, quick ? 5 : 20);
	if (ours.wrong) throw new Error(`${ours.wrong} winners of the store are not those of the naive evaluation`);
	return [{ measure: `decide, a store's rules, ${n}`, ours: `${ours.decide_p50_us} µs (p99 ${ours.decide_p99_us})`, raw: ours }];
}
