// Checking rules before they serve: how long the whole command `check` takes, for the example store and for 10,000 rules; and how soon
// `check --watch` and `test --watch` have answered a save of the example store, from before the write until they wait again. Each save
// adds a rule and a test, so that only an answer to this very save counts.

import { spawn, spawnSync } from 'node:child_process';
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { environment } from '../system/daemon.mjs';
import { median, options, program, say, tree, work, workload } from './bench.mjs';

const bars = { shop: 2, many: 60, watchMs: 200 }, many = 10000;

// It ends with 1 where something was found, which is no failure here; a set that would not load is one.
function check(args) {
	const begin = performance.now();
	const { status, stdout, stderr, error } = spawnSync(program, ['check', '--all', '--json', ...args], { cwd: work, env: environment(), encoding: 'utf8', maxBuffer: 1 << 28, timeout: 600000 });
	const seconds = (performance.now() - begin) / 1000;
	if (error || ![0, 1].includes(status) || !stdout.startsWith('{')) throw new Error(`check ${args.join(' ')}: ${error?.message ?? `status ${status}`}\n${stderr}`);
	const { errors, findings } = JSON.parse(stdout), of = (verdict) => findings.filter((f) => f.verdict === verdict).length;
	if (errors.length) throw new Error(`check ${args.join(' ')}: ${errors[0].message}`);
	return { seconds, certain: of('certain'), possible: of('possible'), notDetermined: of('not_determined') };
}

function checked(what, args, runs, bar) {
	const all = Array.from({ length: runs }, (_, i) => { say(`checking ${what}, ${i + 1}`); return check(args); });
	const [{ certain, possible, notDetermined }] = all, seconds = median(all.map((one) => one.seconds));
	return { measure: `check, ${what}: ${certain} findings, ${possible} possible, ${notDetermined} not determined`, ours: seconds, unit: 's', bar: `≤ ${bar} s`, met: seconds <= bar, raw: all };
}

// A command that watches a folder: next() is what it has said by the time that it waits.
function watching(folder, command) {
	const child = spawn(program, [command, '--watch'], { cwd: folder, env: environment(), stdio: ['ignore', 'pipe', 'inherit'] });
	let said = '', heard = () => {};
	child.stdout.setEncoding('utf8').on('data', (text) => { said += text; heard(); });
	child.on('exit', () => heard());
	const next = () => new Promise((done, fail) => {
		heard = () => {
			if (/^waiting for a change\n/m.test(said)) {
				done(said);
				said = '';
			} else if (child.exitCode !== null || child.signalCode) fail(new Error(`${command} --watch ended: ${said}`));
		};
		heard();
	});
	return { child, next };
}

const counted = {
	check: (said) => Number(said.match(/^no errors: rules (\d+), /m)?.[1]),
	test: (said) => Number(said.match(/^(\d+) passed, 0 failed$/m)?.[1]),
};
const countries = ['AR', 'BR', 'CL', 'IN', 'JP', 'KE', 'KR', 'MX', 'NZ', 'ZA'];
const saved = (n) => `slot "bench" { channel = "web" }\n${countries.slice(0, n).map((country) => `rule "bench-${country}" { slot = "bench", when = { country = "${country}" }, show = { banner = "${country}" } }
test "bench ${country}" { given = { country = "${country}" }, expect = { bench = "bench-${country}" } }\n`).join('')}`;

async function watched(command) {
	const folder = join(work, `check/${command}`), took = [];
	rmSync(folder, { recursive: true, force: true });
	cpSync(join(tree, 'rules'), folder, { recursive: true });
	say(`saving while ${command} watches`);
	const { child, next } = watching(folder, command);
	try {
		const before = counted[command](await next());
		for (let n = 1; n <= countries.length; n++) {
			const text = saved(n), begin = performance.now();
			writeFileSync(join(folder, 'shop/bench.lua'), text);
			const said = await next();
			took.push(performance.now() - begin);
			if (counted[command](said) !== before + n) throw new Error(`${command} --watch, after save ${n}: ${said}`);
		}
	} finally {
		child.kill();
	}
	const ms = median(took);
	return { measure: `${command} --watch, the example store: from a save until it has answered, median of ${countries.length}`, ours: ms, unit: 'ms', bar: `≤ ${bars.watchMs} ms`, met: ms <= bars.watchMs, raw: took };
}

export async function measure() {
	const rows = [checked('the example store', ['--config', join(tree, 'rules/floorwalker.lua')], options.quick ? 5 : 9, bars.shop)];
	for (const name of ['dense', 'sparse', 'store']) {
		rows.push(checked(`${name}, ${many.toLocaleString('en')} rules`, ['--rules', workload(name, many).rules], options.quick ? 1 : 5, bars.many));
	}
	return [...rows, await watched('check'), await watched('test')];
}
