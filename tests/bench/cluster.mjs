// A Redis Cluster by arithmetic: how evenly the buckets lie on its primaries, and how evenly the load does when some visitors come far
// more often than others. The slots are those of the program (slots.c).

import { options, run, say, tool } from './bench.mjs';
import { created, fullest, grown, loads, share, zipf } from './spread.mjs';

const bar = 1.15, primaries = [3, 6, 12, 24, 48];
const draws = [{ s: 0, name: 'all alike' }, { s: 0.8, name: 'Zipf, s = 0.8' }, { s: 1, name: 'Zipf, s = 1' }];

function grownTo(from, to) {
	let cluster = created(from);
	while (cluster.length < to) cluster = grown(cluster);
	return cluster;
}

export async function measure() {
	const slotOf = run([tool('slots')]).trim().split('\n').map(Number);
	const ones = new Array(slotOf.length).fill(1), rows = [];
	for (const n of primaries) {
		const ours = fullest(loads(created(n), slotOf, ones));
		rows.push({ measure: `buckets on the fullest of ${n} primaries over the mean`, ours, unit: '', ...(n === 6 ? { bar: `≤ ${bar}`, met: ours <= bar } : {}) });
	}
	const ours = fullest(loads(grownTo(3, 6), slotOf, ones));
	rows.push({ measure: 'the same, three primaries grown to six one by one', ours, unit: '', bar: `≤ ${bar}`, met: ours <= bar });
	const visitors = options.quick ? 100000 : 1000000, seeds = options.quick ? 3 : 9;
	say(`drawing ${seeds} times ${visitors.toLocaleString('en')} visitors`);
	for (const { s, name } of draws) {
		const weights = Array.from({ length: seeds }, (_, seed) => zipf(visitors, s, { seed: seed + 1 }));
		const mean = (f) => weights.reduce((sum, w) => sum + f(w), 0) / seeds;
		rows.push({ measure: `${visitors.toLocaleString('en')} visitors, ${name}: the busiest visitor's share, per cent`, ours: 100 * share(visitors, s), unit: '%' });
		rows.push({ measure: `${name}: the busiest bucket over the mean`, ours: mean((w) => fullest([...w])), unit: '' });
		for (const n of primaries) rows.push({ measure: `${name}: the busiest of ${n} primaries over the mean`, ours: mean((w) => fullest(loads(created(n), slotOf, w))), unit: '' });
	}
	return rows;
}
