// Runs the parts that are asked for, one after the other, prints one table and writes build/bench/result.json.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bench, commit, machine } from './measure.mjs';

const PARTS = ['decide', 'peers', 'http', 'reload', 'memory'];

function usage(why) {
	console.error(`bench: ${why}; parts are ${PARTS.join(', ')}`);
	process.exit(2);
}

const words = process.argv.slice(2);
const quick = words.includes('--quick');
const asked = words.filter((word) => word !== '--quick');
for (const word of asked) if (!PARTS.includes(word)) usage(`there is no part "${word}"`);

const rows = [];
for (const part of asked.length ? asked : PARTS) {
	console.error(`bench: ${part}`);
	const { run } = await import(`./${part}.mjs`);
	for (const row of await run({ quick })) {
		rows.push({ part, ...row });
		console.error(`  ${row.measure}: ${row.ours}${row.peer === undefined ? '' : ` (${row.peerName} ${row.peer})`}`);
	}
}

const cells = rows.map((r) => [r.measure, r.ours, r.peerName ? `${r.peerName} ${r.peer}` : '', r.ratio === undefined ? '' : `${r.ratio.toFixed(r.ratio < 10 ? 2 : 0)}×`,
	r.bar ?? '', r.met === undefined ? '' : r.met ? 'yes' : 'NO']);
const header = ['what', 'floorwalker', 'peer', 'ratio', 'bar', 'met'];
const widths = header.map((h, i) => Math.max(h.length, ...cells.map((c) => String(c[i]).length)));
const line = (c) => `| ${c.map((text, i) => String(text).padEnd(widths[i])).join(' | ')} |`;
console.log(`${machine()}, commit ${commit()}${quick ? ', quick' : ''}\n`);
console.log(line(header));
console.log(`|${widths.map((w) => '-'.repeat(w + 2)).join('|')}|`);
for (const c of cells) console.log(line(c));
writeFileSync(join(bench, 'result.json'), `${JSON.stringify({ machine: machine(), commit: commit(), quick, at: new Date().toISOString(), rows }, null, 1)}\n`);
const missed = rows.filter((r) => r.met === false);
if (missed.length) console.log(`\nmissed: ${missed.map((r) => r.measure).join('; ')}`);
process.exitCode = missed.length ? 1 : 0;
