// Memory that is a worker's own once it has answered, with the example store and with 10,000 rules; how long a start takes.

import { join } from 'node:path';
import { options, privateBytes, say, serve, status, tree, workload } from './bench.mjs';
import { bodies, load } from './http.mjs';

const mebibyte = 1 << 20;

async function one(name, what, most, where, file) {
	say(`starting with ${what}`);
	const daemon = await serve(name, where);
	await load(`${daemon.url}/v1/decide`, file, options.quick ? 1 : 5);
	const used = Math.max(...status(daemon).workers.map((w) => privateBytes(w.pid))) / mebibyte;
	await daemon.stop();
	return [{ measure: `private memory of a worker, ${what}`, ours: used, unit: 'MiB', ...(most && { bar: `< ${most} MiB`, met: used < most }) },
		{ measure: `start until ready, ${what}`, ours: daemon.readyMs, unit: 'ms' }];
}

export async function measure() {
	return [
		...await one('shop', 'the example store', 24, { rules: join(tree, 'rules/shop'), compliance: join(tree, 'rules/compliance') }, bodies(1)),
		...await one('memory-10000', '10,000 rules', 64, { rules: workload('dense', 10000).rules }, bodies(20)),
		...options.quick ? [] : await one('memory-100000', '100,000 rules', undefined, { rules: workload('dense', 100000).rules }, bodies(20)),
	];
}
