// A decision in process, over all 20 slots, facts looked up beforehand, beside the yardstick: the same rules one by one
// in C. The store has no yardstick of its own; there the same rules are scanned by floorwalker's own evaluator.
//
// Both run in turn, several times, and of each the round (a decision for each of a thousand visitors) with the lowest median
// counts: on a machine that is shared, what others do in its caches slows many rounds by half or more, and is no part of either.

import { join } from 'node:path';
import { clientCore, needShared, onCore, once, options, run, say, shared, tree, work, workload } from './bench.mjs';

const bench = join(tree, 'build/tests/bench/decide_bench');
// At least so many times the yardstick, at most so many microseconds.
const bars = {
	dense: { 1000: [undefined, 1], 10000: [40, 2], 100000: [50, 6] },
	sparse: { 1000: [undefined, 1], 10000: [80, 2], 100000: [120, 6] },
	store: { 1000: [undefined, 1], 10000: [40, 2], 100000: [50, 6] },
};
const loadBars = { 10000: 500, 100000: 5000 };

export function yardstick() {
	needShared();
	return once('linear', () => run(['gcc', '-O3', '-march=x86-64-v2', '-o', join(work, 'linear'), join(shared, 'workload/linear.c')]));
}

export function linear(folder, n, rounds) {
	const [, best, p50, p99] = run(onCore(clientCore, [yardstick(), folder, String(n), String(rounds)])).match(/best=(\d+) p50_us=([\d.]+) p99_us=([\d.]+)/);
	return { best, decide: { calm_us: Number(p50), p50_us: Number(p50), p99_us: Number(p99) } };
}

export function decide({ rules, facts, expected }, rounds) {
	return JSON.parse(run(onCore(clientCore, [bench, rules, facts, expected, String(rounds)])));
}

// Each of the ways to decide so many times in turn; of each the run with the calmest round, and the medians of all.
function inTurn(...ways) {
	const runs = Array.from({ length: options.quick ? 5 : 9 }, () => ways.map((way) => way()));
	return ways.map((_, k) => runs.map((run) => run[k])).map((list) => ({ ...list.reduce((a, b) => (b.decide.calm_us < a.decide.calm_us ? b : a)),
		medians: list.map(({ decide: { p50_us } }) => p50_us) }));
}

function rowsOf(name, n, ours, beside) {
	const [times, most] = bars[name][n];
	const what = `decide, ${name}, ${n.toLocaleString('en')} rules`;
	const rows = [{ measure: what, ours: ours.decide.calm_us, unit: 'µs', peer: beside.calm_us, peerName: beside.name, ratio: beside.calm_us / ours.decide.calm_us, least: times, raw: { ours, beside } },
		{ measure: `${what}: at most`, ours: ours.decide.calm_us, unit: 'µs', bar: `≤ ${most} µs`, met: ours.decide.calm_us <= most },
		{ measure: `${what}: median over all rounds`, ours: ours.decide.p50_us, unit: 'µs' },
		{ measure: `${what}: 99th percentile`, ours: ours.decide.p99_us, unit: 'µs', peer: beside.p99_us, peerName: beside.name },
		{ measure: `${what}: with looking the facts up`, ours: ours.both.calm_us, unit: 'µs' }];
	if (name === 'dense' && loadBars[n]) rows.push({ measure: `load ${n.toLocaleString('en')} rules`, ours: ours.load_ms, unit: 'ms', bar: `≤ ${loadBars[n]} ms`, met: ours.load_ms <= loadBars[n] });
	return rows;
}

export function measure() {
	const rows = [];
	for (const n of options.quick ? [1000, 10000] : [1000, 10000, 100000]) {
		const rounds = n === 100000 ? 10 : 20;
		for (const name of ['dense', 'sparse']) {
			const load = workload(name, n);
			say(`deciding by ${n} rules, ${name}`);
			const [ours, peer] = inTurn(() => decide(load, rounds), () => linear(load.folder, n, 1));
			rows.push(...rowsOf(name, n, ours, { name: 'linear.c', ...peer.decide }));
		}
		const load = workload('store', n);
		say(`deciding by ${n} rules, store`);
		const withFunctions = { rules: `${load.rules}_functions`, facts: load.facts, expected: load.expected.replace('.jsonl', '_functions.jsonl') };
		const [ours, functions] = inTurn(() => decide(load, rounds), () => decide(withFunctions, rounds));
		rows.push(...rowsOf('store', n, ours, { name: 'own scan', ...ours.scan }));
		rows.push({ measure: `decide, store, ${n.toLocaleString('en')} rules, functions in 5 %`, ours: functions.decide.calm_us, unit: 'µs', raw: functions });
	}
	return rows;
}
