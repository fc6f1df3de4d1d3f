// A shadow that decides again all that is answered: processor time of the worker for a request, beside the same daemon without one, by
// turns; and that no answer is another for it. The example store's rules are the shadow of themselves, so that all of it is made twice.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../system/daemon.mjs';
import { cpuUs, median, once, options, processes, say, serve, status, tree, work, workload } from './bench.mjs';
import { bodies, load } from './http.mjs';

const sets = [
	{ name: 'the example store', rules: () => join(tree, 'rules/shop'), compliance: join(tree, 'rules/compliance') },
	{ name: '10,000 rules, twenty slots', rules: () => workload('dense', 10000).rules, compliance: false },
];

// The same visitors, of whom all slots of the store are asked.
function everySlot() {
	const file = join(work, 'bodies_every.jsonl');
	return once('bodies_every.jsonl', () => writeFileSync(file, readFileSync(bodies(20), 'utf8').split('\n').filter(Boolean)
		.map((line) => `${JSON.stringify({ ...JSON.parse(line), slots: undefined })}\n`).join('')));
}

const busyUs = (daemon) => processes(daemon.child.pid).reduce((sum, pid) => sum + cpuUs(pid), 0);

async function costs(daemon, file, seconds) {
	const before = busyUs(daemon), { requests, failed, refused } = await load(`${daemon.url}/v1/decide`, file, seconds);
	if (failed || refused) throw new Error(`${failed} requests failed, ${refused} were refused`);
	return (busyUs(daemon) - before) / requests;
}

// What is shown, without what is another in each answer.
async function shown(daemon, body) {
	const answer = await fetch(`${daemon.url}/v1/decide`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
	if (answer.status !== 200) throw new Error(`answered ${answer.status}`);
	return JSON.stringify((await answer.json()).decisions);
}

async function beside({ name, rules, compliance }) {
	const file = name === sets[0].name ? everySlot() : bodies(20), seconds = options.quick ? 1 : 3, runs = options.quick ? 4 : 10;
	const plain = await serve('shadow-none', { rules: rules(), compliance });
	const shadowed = await serve('shadow-all', { rules: rules(), compliance, more: `shadow = { rules = ${JSON.stringify(rules())}, sample = 1 }\n` });
	const asked = readFileSync(file, 'utf8').split('\n').filter(Boolean).slice(0, 500);
	let other = 0;
	for (const body of asked) other += await shown(plain, body) !== await shown(shadowed, body);
	for (const daemon of [plain, shadowed]) await costs(daemon, file, 1);
	const took = { plain: [], shadowed: [] };
	for (let i = 0; i < runs; i++) {
		say(`a shadow of ${name}, ${i + 1} of ${runs}`);
		for (const [key, daemon] of i % 2 ? [['shadowed', shadowed], ['plain', plain]] : [['plain', plain], ['shadowed', shadowed]]) took[key].push(await costs(daemon, file, seconds));
	}
	const told = await until(() => { const { shadow } = status(shadowed); return shadow.decisions >= asked.length && shadow; }, { what: 'the shadow has decided' });
	await Promise.all([plain.stop(), shadowed.stop()]);
	const ratios = took.plain.map((us, i) => took.shadowed[i] / us), ratio = median(ratios);
	return [
		{ measure: `processor time of a request with a shadow of all decisions, ${name}; median of ${runs} turns`, ours: median(took.shadowed), unit: 'µs', peer: median(took.plain), peerName: 'without',
			ratio: 1 / ratio, bar: '≤ 2 × its time', met: ratio <= 2, raw: { ...took, ratios } },
		{ measure: `answers that are others for it, of ${asked.length}, ${name}; and what it would have changed itself`, ours: other + told.changed, unit: '', bar: '0', met: other + told.changed === 0 },
	];
}

export async function measure() {
	const rows = [];
	for (const set of sets) rows.push(...await beside(set));
	return rows;
}
