// Making decisions again: a daemon answers for people who have a history and logs all of it; then the whole command is timed, from its start
// to what it prints, with one process a processor. By the rules that decided, and by others that change some of the decisions.

import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../system/daemon.mjs';
import { median, options, program, run, say, status, tree, work } from './bench.mjs';
import { copied, crowd, serveStore } from './crowd.mjs';
import { load } from './http.mjs';
import { bodies } from './people.mjs';

const people = 50000, bar = 100000;
const thousands = (n) => n.toLocaleString('en');

// The configuration of a daemon whose log has so many decisions at least.
async function logged(n) {
	const made = crowd(people), asked = bodies(people, people);
	rmSync(join(work, 'serve/replay'), { recursive: true, force: true });
	const daemon = await serveStore('replay', copied(made.folder, 'replay'), { durability: 'interval', more: 'decisions = { log = "decisions", sample = 1, bytes = 8000000000 }\n', free: true });
	say(`logging ${thousands(n)} decisions`);
	for (let done = 0, asks = 0; done < n;) {
		const { requests, failed, refused } = await load(`${daemon.url}/v1/decide`, asked.known, 2);
		if (failed || requests === refused) throw new Error(`of ${requests} requests ${failed} failed, ${refused} were refused`);
		asks += requests - refused; // the store is busy with a key for each of the people
		done = await until(() => { const { written, dropped } = status(daemon).logged; return written + dropped >= asks && written; }, { what: 'the decisions are logged' });
	}
	await daemon.stop();
	return daemon.config;
}

// The example store with one rule more.
function others() {
	const folder = join(work, 'replay/rules');
	rmSync(folder, { recursive: true, force: true });
	mkdirSync(folder, { recursive: true });
	cpSync(join(tree, 'rules/shop'), folder, { recursive: true });
	writeFileSync(join(folder, 'more.lua'), 'rule "replay-other" { slot = "home.hero", priority = 90, when = { country = { "CA", "DE" } }, show = { banner = "other" } }\n');
	return folder;
}

function replay(config, rules) {
	const begin = performance.now(), said = JSON.parse(run([program, 'replay', '--json', '--config', config, '--rules', rules, '--samples', '0']));
	return { ...said, perSecond: said.decisions / (performance.now() - begin) * 1000 };
}

function row(config, what, rules, more) {
	const runs = Array.from({ length: options.quick ? 3 : 5 }, (_, i) => { say(`making them again, ${what}, ${i + 1}`); return replay(config, rules); });
	const [one] = runs, gaps = Object.values(one.notDetermined).reduce((sum, n) => sum + n, 0), perSecond = median(runs.map((r) => r.perSecond));
	if (gaps || !more.right(one)) throw new Error(`${what}: ${JSON.stringify(one).slice(0, 400)}`);
	return { measure: `decisions made again, five slots each, ${what}; ${thousands(one.decisions)} of them, the whole command`, ours: perSecond, unit: '1/s', ...more.bar ? { bar: `≥ ${thousands(bar)}/s`, met: perSecond >= bar } : {}, raw: runs };
}

export async function measure() {
	const config = await logged(options.quick ? 200000 : 1000000);
	return [
		row(config, 'by the rules that made them', join(tree, 'rules/shop'), { right: ({ changed }) => changed === 0, bar: true }),
		row(config, 'by rules that change some', others(), { right: ({ changed, decisions }) => changed > decisions / 50 && changed < decisions, bar: false }),
	];
}
