// OFREP over loopback, one flag and twenty, of 200 rules and of 10,000, as many as the other figures over HTTP have: floorwalker with one
// worker beside a Node server on @openfeature/flagd-core, which has the same flags. Both must name the same variant for each of a thousand
// contexts before anything is measured. They take turns; the raw-event server of ../shared/bench/http says
// what one worker could reach at most.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../system/daemon.mjs';
import { here, median, needShared, options, say, serve, work } from './bench.mjs';
import { load, start, startRaw } from './http.mjs';
import { installed } from './peers.mjs';

const flags = 20, port = 9118, path = '/ofrep/v1/evaluate/flags';
const plans = ['free', 'pro', 'team'];
const lands = ['CA', 'DE', 'FR', 'NO', 'US', ...Array.from({ length: 55 }, (_, i) => `L${i}`)];

// Every flag has so many rules, the first that holds wins: a country and a plan, and an age of at least so much.
const conditionsOf = (rules, countries) => Array.from({ length: flags }, (_, s) => Array.from({ length: rules }, (__, r) =>
	({ id: `r-${s}-${r}`, land: countries[(s + r) % countries.length], plan: plans[(s * 3 + r + Math.floor(r / 60)) % 3], age: 20 + ((s * 7 + r * 11) % 50) })));

const asLua = (conditions) => conditions.map((of, s) => `slot "slot.${s}" { channel = "web", default = { n = 0 } }\n` + of.map(({ id, land, plan, age }, r) =>
	`rule "${id}" { slot = "slot.${s}", priority = ${of.length - r}, when = { traits = { land = "${land}", plan = "${plan}", age = at_least(${age}) } }, show = { n = ${r + 1} } }`).join('\n')).join('\n');

const asFlagd = (conditions) => JSON.stringify({ flags: Object.fromEntries(conditions.map((of, s) => [`slot.${s}`, {
	state: 'ENABLED', defaultVariant: 'default', variants: { default: { n: 0 }, ...Object.fromEntries(of.map(({ id }, r) => [id, { n: r + 1 }])) },
	targeting: { if: [...of.flatMap(({ id, land, plan, age }) =>
		[{ and: [{ '==': [{ var: 'land' }, land] }, { '==': [{ var: 'plan' }, plan] }, { '>=': [{ var: 'age' }, age] }] }, id]), 'default'] },
}])) });

const bodiesOf = (countries) => Array.from({ length: 1000 }, (_, i) => JSON.stringify({ context: {
	targetingKey: `visitor-of-the-bench-${i}`, land: countries[i % countries.length], plan: plans[(i >> 2) % 3], age: 18 + ((i * 13) % 60), locale: 'en-CA', page: { url: `https://shop.example/${i}` },
} }));

async function ask(url, body) {
	const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
	if (answer.status !== 200) throw new Error(`${url} answered ${answer.status}`);
	return answer.json();
}

async function compare(ours, peer, bodies) {
	const said = ({ flags: all }) => JSON.stringify(Object.fromEntries(all.map(({ key, variant, value }) => [key, [variant, value]]).sort()));
	for (const body of bodies) {
		const [a, b] = await Promise.all([ask(ours + path, body), ask(peer + path, body)]);
		if (said(a) !== said(b)) throw new Error(`other flags than flagd-core for ${body}:\n${said(a)}\n${said(b)}`);
	}
}

async function beside(name, servers, where, file) {
	const seconds = options.quick ? 2 : 5, results = Object.fromEntries(Object.keys(servers).map((server) => [server, []]));
	for (const url of Object.values(servers)) await load(url + where, file, 1);
	for (let round = 0; round < (options.quick ? 1 : 3); round++) {
		for (const [server, url] of Object.entries(servers)) {
			say(`asking ${server} for ${name}`);
			results[server].push(await load(url + where, file, seconds));
		}
	}
	const rate = (server) => median(results[server].map((r) => r.perSecond)), broken = results.ours.reduce((sum, r) => sum + r.failed + r.refused, 0);
	return [
		{ measure: `OFREP, ${name}`, ours: rate('ours'), unit: '1/s', peer: rate('flagd'), peerName: 'Node, flagd-core', ratio: rate('ours') / rate('flagd'), least: 5, raw: results },
		{ measure: `OFREP, ${name}: beside a server that decides nothing`, ours: rate('ours'), unit: '1/s', peer: rate('raw'), peerName: 'raw events', ratio: rate('ours') / rate('raw') },
		{ measure: `OFREP, ${name}: failed or refused`, ours: broken, unit: '', bar: '0', met: broken === 0 },
	];
}

async function measureSet(rules, countries) {
	const folder = join(work, `ofrep-${rules}`), conditions = conditionsOf(rules, countries), bodies = bodiesOf(countries), rows = [];
	mkdirSync(join(folder, 'rules'), { recursive: true });
	writeFileSync(join(folder, 'rules/flags.lua'), asLua(conditions));
	writeFileSync(join(folder, 'flags.json'), asFlagd(conditions));
	const file = join(folder, 'bodies.jsonl');
	writeFileSync(file, bodies.join('\n') + '\n');
	const stop = [];
	try {
		start(['node', join(here, 'ofrep_flagd.cjs'), installed(), join(folder, 'flags.json'), String(port)], stop);
		const daemon = await serve('ofrep', { rules: join(folder, 'rules') });
		const servers = { ours: daemon.url, flagd: `http://127.0.0.1:${port}`, raw: await startRaw(stop) };
		await until(() => ask(servers.flagd + path, bodies[0]).catch(() => false), { what: 'the peer answers', seconds: 60 });
		await compare(servers.ours, servers.flagd, bodies);
		for (const [what, where] of [['one flag', `${path}/slot.7`], ['twenty flags', path]])
			rows.push(...await beside(`${what}, ${(flags * rules).toLocaleString('en')} rules`, servers, where, file));
		await daemon.stop();
	} finally {
		stop.forEach((f) => f());
	}
	return rows;
}

export async function measure() {
	needShared();
	return [...await measureSet(10, lands.slice(0, 5)), ...await measureSet(500, lands)];
}
