// Runs the parts named (or all), one at a time, and prints one table; build/bench/result.json has everything, result.md
// the table. scripts/bench builds and calls this.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { endAll, machine, options, say, work } from './bench.mjs';

const parts = ['decide', 'peers', 'http', 'ofrep', 'page', 'streams', 'shadow', 'replay', 'check', 'reload', 'memory', 'people', 'events', 'identify', 'caps', 'messages', 'redis', 'cluster'];
const named = process.argv.slice(2).filter((word) => word !== '--quick');
options.quick = process.argv.includes('--quick');

const figure = (x) => (x === undefined ? '' : Math.abs(x) >= 100 || Number.isInteger(x) ? Math.round(x).toLocaleString('en') : x.toFixed(Math.abs(x) < 10 ? 2 : 1));
const withUnit = (x, unit) => (x === undefined ? '' : [figure(x), unit].filter(Boolean).join(' '));

// The ratio is what the peer takes over what we take, or for rates ours over the peer's: more is better.
function cells(row) {
	const bar = row.bar ?? (row.least ? `≥ ${row.least} ×` : '');
	const met = row.met ?? (row.least ? row.ratio >= row.least : undefined);
	return [row.measure, withUnit(row.ours, row.unit), row.peer === undefined ? '' : `${withUnit(row.peer, row.unit)} (${row.peerName})`,
		row.ratio === undefined ? '' : `${figure(row.ratio)} ×`, bar, met === undefined ? '' : met ? 'yes' : 'NO'];
}

function table(rows, line) {
	const all = [['measure', 'ours', 'peer', 'ratio', 'bar', 'met'], ...rows.map(cells)];
	const widths = all[0].map((_, i) => Math.max(...all.map((r) => [...r[i]].length)));
	const written = all.map((r) => line(r.map((cell, i) => (i === 0 || i === 2 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))));
	return { all, written };
}

const rows = [], failures = [];
mkdirSync(work, { recursive: true });
const facts = machine();
if (facts.load > 0.5) say(`the machine is busy (load ${facts.load.toFixed(1)}): ratios of one run mean something, single figures little`);
for (const part of named.length ? named : parts) {
	try {
		rows.push(...await (await import(`./${part}.mjs`)).measure());
	} catch (error) {
		failures.push(`${part}: ${error.message}`);
		say(`${part} failed: ${error.message}`);
	} finally {
		await endAll();
	}
}
const text = table(rows, (r) => r.join('  ').trimEnd()).written.join('\n');
const markdown = table(rows, (r) => `| ${r.join(' | ')} |`).written;
markdown.splice(1, 0, '|---|--:|---|--:|--:|--:|');
const missed = rows.filter((row) => cells(row)[5] === 'NO');
writeFileSync(join(work, 'result.json'), `${JSON.stringify({ machine: facts, quick: options.quick, rows, failures }, null, '\t')}\n`);
writeFileSync(join(work, 'result.md'), `${markdown.join('\n')}\n`);
console.log(`${facts.cpu}, ${facts.cores} cores, Linux ${facts.kernel}, ${facts.compiler}; commit ${facts.commit}${facts.changed ? ' with changes' : ''}${options.quick ? '; quick' : ''}\n`);
console.log(text);
const verdict = [missed.length ? `${missed.length} bars missed` : '', failures.length ? `${failures.length} parts failed` : ''].filter(Boolean).join(', ');
console.log(`\n${verdict || 'every bar met'}; build/bench/result.json, build/bench/result.md`);
failures.forEach((failure) => console.log(`failed: ${failure.split('\n')[0]}`));
process.exitCode = missed.length || failures.length ? 1 : 0;
