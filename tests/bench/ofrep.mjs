// OFREP over loopback, one flag and twenty: floorwalker with one worker beside a Node server on @openfeature/flagd-core, which has the same
// flags. Both must name the same variant for each of a thousand contexts before anything is measured. They take turns.

import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { environment, until } from '../system/daemon.mjs';
import { here, median, needShared, options, say, serve, serverCore, work } from './bench.mjs';
import { load } from './http.mjs';
import { installed } from './peers.mjs';

const flags = 20, rules = 10, port = 9118, path = '/ofrep/v1/evaluate/flags';
const plans = ['free', 'pro', 'team'], countries = ['CA', 'DE', 'FR', 'NO', 'US'];

// Flag s has ten rules, the first that holds wins: a country and a plan, and an age of at least so much.
const conditions = Array.from({ length: flags }, (_, s) => Array.from({ length: rules }, (__, r) =>
	({ id: `r-${s}-${r}`, land: countries[(s + r) % 5], plan: plans[(s * 3 + r) % 3], age: 20 + ((s * 7 + r * 11) % 50) })));

const asLua = () => conditions.map((of, s) => `slot "slot.${s}" { channel = "web", default = { n = 0 } }\n` + of.map(({ id, land, plan, age }, r) =>
	`rule "${id}" { slot = "slot.${s}", priority = ${rules - r}, when = { traits = { land = "${land}", plan = "${plan}", age = at_least(${age}) } }, show = { n = ${r + 1} } }`).join('\n')).join('\n');

const asFlagd = () => JSON.stringify({ flags: Object.fromEntries(conditions.map((of, s) => [`slot.${s}`, {
	state: 'ENABLED', defaultVariant: 'default', variants: { default: { n: 0 }, ...Object.fromEntries(of.map(({ id }, r) => [id, { n: r + 1 }])) },
	targeting: { if: [...of.flatMap(({ id, land, plan, age }) =>
		[{ and: [{ '==': [{ var: 'land' }, land] }, { '==': [{ var: 'plan' }, plan] }, { '>=': [{ var: 'age' }, age] }] }, id]), 'default'] },
}])) });

const bodies = Array.from({ length: 1000 }, (_, i) => JSON.stringify({ context: {
	targetingKey: `visitor-of-the-bench-${i}`, land: countries[i % 5], plan: plans[(i >> 2) % 3], age: 18 + ((i * 13) % 60), locale: 'en-CA', page: { url: `https://shop.example/${i}` },
} }));

async function ask(url, body) {
	const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
	if (answer.status !== 200) throw new Error(`${url} answered ${answer.status}`);
	return answer.json();
}

async function compare(ours, peer) {
	const said = ({ flags: all }) => JSON.stringify(Object.fromEntries(all.map(({ key, variant, value }) => [key, [variant, value]]).sort()));
	for (const body of bodies) {
		const [a, b] = await Promise.all([ask(ours + path, body), ask(peer + path, body)]);
		if (said(a) !== said(b)) throw new Error(`other flags than flagd-core for ${body}:\n${said(a)}\n${said(b)}`);
	}
}

export async function measure() {
	needShared();
	const folder = join(work, 'ofrep'), rows = [], seconds = options.quick ? 2 : 5, rounds = options.quick ? 1 : 3;
	mkdirSync(join(folder, 'rules'), { recursive: true });
	writeFileSync(join(folder, 'rules/flags.lua'), asLua());
	writeFileSync(join(folder, 'flags.json'), asFlagd());
	const file = join(folder, 'bodies.jsonl');
	writeFileSync(file, bodies.join('\n') + '\n');
	const peer = spawn('taskset', ['-c', serverCore, 'node', join(here, 'ofrep_flagd.cjs'), installed(), join(folder, 'flags.json'), String(port)], { env: environment(), stdio: 'ignore' });
	try {
		const daemon = await serve('ofrep', { rules: join(folder, 'rules') });
		const servers = { ours: daemon.url, flagd: `http://127.0.0.1:${port}` };
		await until(() => ask(servers.flagd + path, bodies[0]).catch(() => false), { what: 'the peer answers' });
		await compare(servers.ours, servers.flagd);
		for (const [what, where] of [['one flag', `${path}/slot.7`], ['twenty flags', path]]) {
			const results = { ours: [], flagd: [] };
			for (const [, url] of Object.entries(servers)) await load(url + where, file, 1);
			for (let round = 0; round < rounds; round++) {
				for (const [name, url] of Object.entries(servers)) {
					say(`asking ${name} for ${what}`);
					results[name].push(await load(url + where, file, seconds));
				}
			}
			const rate = (name) => median(results[name].map((r) => r.perSecond)), broken = results.ours.reduce((sum, r) => sum + r.failed + r.refused, 0);
			rows.push({ measure: `OFREP, ${what}, 200 rules`, ours: rate('ours'), unit: '1/s', peer: rate('flagd'), peerName: 'Node, flagd-core', ratio: rate('ours') / rate('flagd'), least: 5, raw: results });
			rows.push({ measure: `OFREP, ${what}: failed or refused`, ours: broken, unit: '', bar: '0', met: broken === 0 });
		}
		await daemon.stop();
	} finally {
		peer.kill('SIGTERM');
	}
	return rows;
}
