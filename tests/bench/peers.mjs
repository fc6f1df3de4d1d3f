// The flag SDKs and rule engines of ../shared/bench/peers, and Lua, over the same rules and visitors. Each says a checksum
// of its winners, which must be that of the winners expected.

import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { clientCore, needShared, onCore, options, run, say, shared, work, workload } from './bench.mjs';
import { decide, linear } from './decide.mjs';

// [name, how many visitors, rounds, at least so many times slower]: slow ones get few visitors.
const engines = [['flagd', 100, 3, 300], ['unleash', 100, 3, 300], ['growthbook', 100, 3, 300], ['plainjs_first', 1000, 2], ['zen_table', 20, 2], ['jre', 4, 2]];
const titles = { flagd: 'flagd-core', unleash: 'Unleash', growthbook: 'GrowthBook', plainjs_first: 'compiled JavaScript', zen_table: 'zen, decision table', jre: 'json-rules-engine' };

// What the peers sum up, for the first `visitors` of the expected winners.
function checksum(expected, visitors) {
	let sum = 0;
	readFileSync(expected, 'utf8').split('\n').slice(0, visitors).forEach((line, i) => {
		for (const [slot, rule] of Object.entries(JSON.parse(line))) {
			sum += (Number(rule.slice(1)) * 7919 + Number(slot.slice(5)) * 15485863 + i * 104729) % 1000003;
		}
	});
	return String(sum);
}

export function installed() {
	const folder = join(work, 'peers');
	if (!existsSync(join(folder, 'node_modules/.package-lock.json'))) {
		say('installing the peers');
		cpSync(join(shared, 'peers'), folder, { recursive: true });
		// Not `npm ci`: the lock file lacks builds for other machines, and npm would refuse it. The versions are the lock's.
		run(['npm', 'install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: folder });
	}
	return folder;
}

export function measure() {
	needShared();
	const n = 10000, folder = installed(), load = workload('dense', n), rows = [];
	const ours = () => decide(load, options.quick ? 5 : 20).decide.calm_us;
	const first = ours();
	const row = (name, p50, best, visitors, least) => {
		if (best !== checksum(load.expected, visitors)) throw new Error(`${name}: other winners than expected`);
		rows.push({ measure: `decide, dense, 10,000 rules, beside ${name}`, ours: first, unit: 'µs', peer: p50, peerName: name, ratio: p50 / first, least });
	};
	const c = linear(load.folder, n, 5);
	row('linear.c', c.decide.p50_us, c.best, 1000, 40);
	for (const [lua, ...more] of [['lua5.4'], ['luajit', '-joff']]) {
		const name = lua === 'luajit' ? 'LuaJIT' : 'Lua 5.4';
		say(`deciding by ${name}`);
		const said = run(onCore(clientCore, [lua, ...more, join(folder, 'naive.lua'), load.folder, String(n), '1000', '1']), { cwd: folder });
		row(name, Number(said.match(/first_p50_us=([\d.]+)/)[1]), said.match(/best=(\d+)/)[1], 1000);
	}
	for (const [engine, visitors, rounds, least] of engines) {
		if (options.quick && engine === 'jre') continue;
		say(`deciding by ${titles[engine]}`);
		const said = run(onCore(clientCore, ['node', '--max-old-space-size=8192', 'peers.js', engine, load.folder, String(n), String(visitors), String(rounds)]), { cwd: folder });
		row(titles[engine], Number(said.match(/p50_us=([\d.]+)/)[1]), said.match(/best=(\d+)/)[1], visitors, least);
	}
	const last = ours();
	rows.push({ measure: 'decide, dense, 10,000 rules, once more at the end', ours: last, unit: 'µs' });
	return rows;
}
