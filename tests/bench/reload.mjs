// Reloading 10,000 rules while requests come at half of what the worker can answer, at their own pace (open_loop.c); and
// what 200 reloads of the example store leave behind.

import { join } from 'node:path';
import { until } from '../system/daemon.mjs';
import { clientCore, descriptors, onCore, options, percentile, privateBytes, processes, program, run, runBeside, say, serve, sleep, status, tree, workload } from './bench.mjs';
import { bodies, load } from './http.mjs';

const connections = 64;

async function underLoad() {
	const daemon = await serve('reload-10000', { rules: workload('dense', 10000).rules });
	const url = new URL('/v1/decide', daemon.url);
	const capacity = (await load(url, bodies(20), options.quick ? 1 : 4)).perSecond;
	const rate = Math.round(capacity / 2), reloads = options.quick ? 1 : 5, apart = 3;
	say(`reloading at ${rate} requests a second of ${capacity}`);
	const asking = runBeside(onCore(clientCore, [join(tree, 'build/tests/bench/open_loop'), url.port, url.pathname, bodies(20), String(rate),
		String(2 + reloads * apart), String(connections)]));
	const spans = [];
	await sleep(1.5);
	for (let i = 0; i < reloads; i++) {
		const begin = Date.now();
		await runBeside([program, 'reload', '--config', daemon.config]);
		spans.push({ begin, end: Date.now() });
		await sleep(apart - (Date.now() - begin) / 1000);
	}
	const said = await asking;
	await daemon.stop();
	// A line a request: when it was due in microseconds, its status, how long it took.
	const requests = said.trim().split('\n').map((line) => line.split('\t').map(Number));
	const failed = requests.filter(([, code]) => code !== 200).length;
	if (requests.length < rate) throw new Error(`only ${requests.length} requests were sent`);
	const around = spans.map(({ begin, end }) => {
		const middle = (begin + end) / 2 * 1000;
		return percentile(requests.filter(([at]) => Math.abs(at - middle) <= 1e6).map(([, , us]) => us), 0.99);
	});
	const took = requests.map(([, , us]) => us), worst = Math.max(...around) / 1000;
	return [
		{ measure: `failed of ${requests.length} requests, ${reloads} reloads of 10,000 rules at ${rate}/s`, ours: failed, unit: '', bar: '0', met: failed === 0, raw: { capacity } },
		{ measure: '99th percentile over the whole run', ours: percentile(took, 0.99) / 1000, unit: 'ms' },
		{ measure: '99th percentile of the two seconds around a reload, the worst', ours: worst, unit: 'ms', bar: '< 25 ms', met: worst < 25, raw: { around, spans } },
		{ measure: 'a reload of 10,000 rules', ours: percentile(spans.map((s) => s.end - s.begin), 0.5), unit: 'ms' },
	];
}

// What a daemon holds once it has answered, nothing drains and nobody is connected any more.
async function holdings(daemon) {
	await load(`${daemon.url}/v1/decide`, bodies(1), 1);
	await until(() => { const s = status(daemon); return s.state === 'serving' && s.draining === 0 && s.workers.every((w) => w.connections === 0); },
		{ what: 'the drain ends and the connections go', seconds: 60 });
	const pids = processes(daemon.child.pid);
	return { processes: pids.length, descriptors: pids.reduce((sum, pid) => sum + descriptors(pid), 0), bytes: pids.reduce((sum, pid) => sum + privateBytes(pid), 0) };
}

async function manyTimes() {
	const times = options.quick ? 20 : 200;
	const daemon = await serve('reload-shop', { rules: join(tree, 'rules/shop'), compliance: join(tree, 'rules/compliance') });
	const again = async (n) => { for (let i = 0; i < n; i++) await runBeside([program, 'reload', '--config', daemon.config]); };
	say(`reloading ${times} times`);
	await again(5);
	const before = await holdings(daemon);
	await again(times);
	const after = await holdings(daemon);
	await daemon.stop();
	const grown = (after.bytes - before.bytes) / before.bytes;
	return [
		{ measure: `processes after ${times} reloads (before: ${before.processes})`, ours: after.processes, unit: '', bar: `${before.processes}`, met: after.processes === before.processes },
		{ measure: `descriptors after ${times} reloads (before: ${before.descriptors})`, ours: after.descriptors, unit: '', bar: `${before.descriptors}`,
			met: after.descriptors === before.descriptors },
		{ measure: `private memory of all processes after ${times} reloads, change`, ours: grown * 100, unit: '%', bar: '≤ 5 %', met: grown <= 0.05, raw: { before, after } },
	];
}

export async function measure() {
	return [...await underLoad(), ...await manyTimes()];
}
