// A slot under a cap: how exact its limit is when every visitor asks twice as often, from 64 connections at two workers; and
// what it costs beside the same slot without a cap.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { options, runBeside, say, tool, work } from './bench.mjs';
import { copied, serveStore } from './crowd.mjs';

const limit = 3, times = 6, connections = 64;
const rules = `slot "capped" { channel = "web" }
slot "open" { channel = "web" }
rule "offer" { slot = "capped", show = { offer = "ten-per-cent" } }
rule "open-offer" { slot = "open", show = { offer = "ten-per-cent" } }
cap "three-a-day" { applies = { slot = "capped" }, limit = ${limit}, per = "1d" }
`;

async function ask(daemon, slot, visitors, most, seed) {
	say(`asking for ${visitors} visitors, ${times} times each, for the slot "${slot}"`);
	const { port } = new URL(daemon.url);
	return JSON.parse(await runBeside([tool('caps_load'), port, slot, String(visitors), String(times), String(connections), String(most), String(seed)]));
}

export async function measure() {
	const visitors = options.quick ? 2000 : 10000, folder = join(work, 'caps');
	mkdirSync(folder, { recursive: true });
	writeFileSync(join(folder, 'rules.lua'), rules);
	const daemon = await serveStore('caps', copied(undefined, 'caps'), { rules: folder, compliance: false, workers: 2, free: true });
	await ask(daemon, 'open', visitors, times, 1);
	const open = await ask(daemon, 'open', visitors, times, 2), capped = await ask(daemon, 'capped', visitors, limit, 3);
	await daemon.stop();
	const what = `a slot under a cap of ${limit} a day, ${times * visitors} requests`;
	return [
		{ measure: `visitors of ${visitors.toLocaleString('en')} who saw it exactly ${limit} times (more: ${capped.over}, less: ${capped.under})`, ours: capped.exact, unit: '',
			bar: String(visitors), met: capped.exact === visitors, raw: { capped, open } },
		{ measure: `${what}: requests`, ours: capped.perSecond, unit: '1/s', peer: open.perSecond, peerName: 'without the cap', ratio: capped.perSecond / open.perSecond },
		{ measure: `${what}: 99th percentile`, ours: capped.p99_us / 1000, unit: 'ms', peer: open.p99_us / 1000, peerName: 'without the cap' },
		{ measure: `${what}: 99th percentile of those who saw it`, ours: capped.shown_p99_us / 1000, unit: 'ms' },
	];
}
