// Private memory of a worker (Pss_Anon) after it has answered, and the time from start to the first answer.
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { anonymousKib, bodies, daemon, family, tree, workload } from './measure.mjs';

async function measure(name, options, bar) {
	const server = await daemon(options);
	try {
		for (const body of readFileSync(bodies(1), 'utf8').trim().split('\n')) {
			const answer = await fetch(`${server.url}/v1/decide`, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
			await answer.arrayBuffer();
		}
		const worker = family(server.master).at(-1).pid;
		const mib = anonymousKib(worker) / 1024;
		const rows = [{ measure: `start, ${name}`, ours: `${Math.round(server.startMs)} ms` }];
		rows.push({ measure: `worker's private memory, ${name}`, ours: `${mib.toFixed(1)} MiB`, bar: bar && `< ${bar} MiB`, met: bar ? mib < bar : undefined });
		return rows;
	} finally {
		await server.stop();
	}
}

export async function run({ quick }) {
	const sizes = [['the example store', { rules: join(tree, 'rules/shop'), compliance: join(tree, 'rules/compliance') }, 24],
		['10000 rules', { rules: join(workload('dense', 10000), 'fw_10000') }, 64]];
	if (!quick) sizes.push(['100000 rules', { rules: join(workload('dense', 100000), 'fw_100000') }]);
	const rows = [];
	for (const [name, options, bar] of sizes) rows.push(...await measure(name, options, bar));
	return rows;
}
