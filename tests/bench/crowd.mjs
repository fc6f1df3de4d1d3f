// The people of the benchmark (crowd.c), made by living their lives (people_make.c), and a daemon that knows them.

import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { once, options, run, say, serve, tool, tree, work } from './bench.mjs';

export const howMany = () => Number(process.env.FW_BENCH_PEOPLE ?? (options.quick ? 50000 : 1000000));

// A folder of data with so many people, and what making it said. Made once for a program: another one may write other records.
export function crowd(n, how = 'history') {
	const all = join(work, 'crowd');
	const hash = createHash('sha256').update(readFileSync(tool('people_make'))).digest('hex').slice(0, 12);
	const name = `${how}-${n}`, folder = join(all, `${name}-${hash}`);
	const said = once(`crowd/${name}-${hash}.json`, () => {
		say(`living the lives of ${n.toLocaleString('en')} people`);
		for (const old of readdirSync(all)) if (old.startsWith(`${name}-`)) rmSync(join(all, old), { recursive: true });
		const text = run([tool('people_make'), folder, String(n), how], { seconds: 1800 });
		writeFileSync(`${folder}.json`, text);
	});
	return { folder, ...JSON.parse(readFileSync(said, 'utf8')) };
}

// A copy that may be changed.
export function copied(from, name) {
	const folder = join(work, 'data', name);
	rmSync(folder, { recursive: true, force: true });
	mkdirSync(join(work, 'data'), { recursive: true });
	if (from) cpSync(from, folder, { recursive: true });
	return folder;
}

// A daemon over that data (a folder, or the URL of a store), whose visitors let their behaviour be remembered.
export function serveStore(name, data, { durability = data.startsWith('/') ? 'commit' : 'server', more = '', ...rest } = {}) {
	return serve(name, { rules: join(tree, 'rules/shop'), compliance: join(tree, 'rules/compliance'), ...rest,
		more: `store = ${JSON.stringify(data.startsWith('/') ? `lmdb:${data}` : data)}\ndurability = "${durability}"\nretain = { anonymous = "400d", known = "400d" }\n`
			+ 'consent = { default = { analytics = "granted", personalization = "granted" } }\n' + more });
}
