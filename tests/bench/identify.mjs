// Who turns out to be whom: identifies a second, most of them of devices that are joined already and some that make two people one,
// until all that follows is delivered; what a decision reads for somebody who was merged; how large a record becomes.

import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { until } from '../system/daemon.mjs';
import { cpuUs, median, options, processes, run, runBeside, say, tool } from './bench.mjs';
import { copied, crowd, howMany, serveStore } from './crowd.mjs';

const connections = 64, batch = 100, workers = 2;
const bars = { interval: 10000, commit: 2000 };
const mixes = [{ name: 'logins', oneIn: 5 }, { name: 'first logins', oneIn: 1 }];
const key = 'sk-of-the-benchmark';
const secret = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
const thousands = (n) => Math.round(n).toLocaleString('en');
let seed = 0;

const serve = (name, data, more) => serveStore(name, data, { free: true, more: `keys = { secret = { "${key}" } }\n`, ...more });
const keeper = (daemon) => join(dirname(daemon.config), 'run/keeper.sock');
const looked = (daemon, data, what, ...more) => JSON.parse(run([tool('people_cost'), what, data, keeper(daemon), ...more]));

const busyUs = (daemon) => processes(daemon.child.pid).reduce((sum, pid) => sum + cpuUs(pid), 0);

async function counted(daemon) {
	const text = await (await fetch(`${daemon.url}/metrics`, { headers: secret })).text();
	const value = (name) => Number(text.match(new RegExp(`^floorwalker_${name} (\\d+)$`, 'm'))[1]);
	const asked = Object.fromEntries(['get', 'scan', 'batch', 'conflict', 'busy'].map((one) => [one, value(`store_operations_total{operation="${one}"}`)]));
	return { ...asked, merged: value('identity_merged_total'), refused: value('identity_refused_total'), delivered: value('identity_delivered_total') };
}

// A worker tells what it has counted every other second, the one that is asked at once.
const merged = (daemon, n) => until(async () => (await counted(daemon)).merged >= n, { what: `${n} people have become one with another` })
	.then(async () => {
		const now = (await counted(daemon)).merged;
		if (now !== n) throw new Error(`${now} people became one with another, and not ${n}`);
	});

// --- identifies a second

// `joined` of the crowd's devices are their users'; so many more will be.
async function send(daemon, data, { users, joined, devices, oneIn, seconds }) {
	const before = await counted(daemon), cpuBefore = busyUs(daemon), { port } = new URL(daemon.url);
	const said = JSON.parse(await runBeside([tool('identify_load'), port, data, keeper(daemon), key, ...[users, joined, devices, oneIn, connections, batch, seconds, ++seed].map(String)],
		{ seconds: 1200 }));
	const took = busyUs(daemon) - cpuBefore;
	if (said.unanswered) throw new Error(`${said.unanswered} batches were never answered`);
	if (!said.events) throw new Error(`there were no devices left that had not identified, of ${devices}`);
	await merged(daemon, before.merged + (joined < users ? 0 : said.firsts));
	const after = await counted(daemon);
	return { ...said, cpuUs: took, store: Object.fromEntries(Object.keys(after).map((name) => [name, after[name] - before[name]])) };
}

// The first device of each user is joined; the crowd's others have been seen, and nobody knows whose they are.
async function joinUsers(made, users) {
	const data = copied(made.folder, 'identify'), daemon = await serve('identify', data, { workers, durability: 'interval' });
	say(`joining the first devices of ${thousands(users)} users`);
	await send(daemon, data, { users, joined: 0, devices: users, oneIn: 1, seconds: 1000 });
	await daemon.stop();
	return data;
}

function rowsOf({ name, oneIn }, durability, users, runs) {
	const of = (what) => median(runs.map((one) => one[what])), bar = oneIn > 1 ? bars[durability] : undefined, rate = of('perSecondDrained');
	const mix = oneIn > 1 ? `one in ${oneIn} the first of a device with a history (a merge), the others of joined devices` : 'each the first of a device with a history (a merge)';
	return [
		{ measure: `identifies, ${mix}; ${thousands(users)} users, batches of ${batch} from ${connections} connections, ${workers} workers, ${durability}: until all is delivered`, ours: rate, unit: '1/s',
			...(bar ? { bar: `≥ ${thousands(bar)}/s`, met: rate >= bar } : {}), raw: runs },
		{ measure: `${name}, ${durability}: stored, without what follows`, ours: of('perSecond'), unit: '1/s' },
		{ measure: `${name}, ${durability}: 99th percentile of a batch`, ours: of('p99_us') / 1000, unit: 'ms' },
		{ measure: `${name}, ${durability}: processor time of the daemon for an identify`, ours: median(runs.map((one) => one.cpuUs / one.events)), unit: 'µs' },
		{ measure: `${name}, ${durability}: batches of the store for a merge`, ours: median(runs.map((one) => (one.store.batch - one.events) / one.firsts)), unit: '' },
		{ measure: `${name}, ${durability}: conflicts of them`, ours: median(runs.map((one) => one.store.conflict / one.firsts)), unit: '' },
	];
}

async function rates() {
	const devices = howMany(), users = devices / 4, made = crowd(devices), rows = [];
	const rounds = options.quick ? 1 : 3, seconds = options.quick ? 4 : 8, base = await joinUsers(made, users);
	for (const durability of Object.keys(bars)) {
		const data = copied(base, `identify-${durability}`), daemon = await serve('identify', data, { workers, durability });
		let joined = users;
		for (const mix of mixes) {
			const runs = [];
			for (let i = 0; i < rounds; i++) {
				say(`identifying, ${mix.name}, ${durability}, ${i + 1} of ${rounds}`);
				runs.push(await send(daemon, data, { users, joined, devices, oneIn: mix.oneIn, seconds }));
				({ joined } = runs.at(-1));
			}
			rows.push(...rowsOf(mix, durability, users, runs));
		}
		await daemon.stop();
		rmSync(data, { recursive: true });
	}
	rmSync(base, { recursive: true });
	return rows;
}

// --- what a decision reads

async function tell(daemon, path, body) {
	const answer = await until(async () => {
		const one = await fetch(`${daemon.url}/v1/${path}`, { method: 'POST', headers: secret, body: JSON.stringify(body) });
		return one.status !== 503 && one;
	}, { what: `${path} is accepted` });
	const said = await answer.json();
	if (answer.status !== 200 || said.rejected?.length) throw new Error(`${path}: ${answer.status} ${JSON.stringify(said).slice(0, 300)}`);
	return said;
}

const viewed = (anonymousId) => ({ type: 'track', event: 'Product Viewed', anonymousId, properties: { product_id: 'p-1', category: 'boots' } });
const identified = (anonymousId, userId) => ({ type: 'identify', anonymousId, userId, traits: { first_name: 'Anna' } });
const isQuiet = (daemon, data) => until(() => looked(daemon, data, 'state').outbox === 0, { what: 'the outboxes are empty' });

// Each decision of one visitor reads the same; what a worker reads besides, now and then, is less than half a read of each.
async function readsOf(daemon, who) {
	const times = 20, before = await counted(daemon);
	for (let i = 0; i < times; i++) {
		const said = await tell(daemon, 'decide', { ...who, slots: ['home.hero', 'home.strip', 'home.layout', 'navigation', 'cart.note'], context: { locale: 'en-CA' } });
		if (said.degraded) throw new Error('the store did not answer');
	}
	return Math.round(((await counted(daemon)).get - before.get) / times);
}

async function reads() {
	const n = options.quick ? 20 : 100, data = copied(undefined, 'identify-reads'), daemon = await serve('identify-reads', data, { workers: 1 });
	const numbers = Array.from({ length: n }, (_, i) => i), device = (name, i) => `${name}-device-of-user-${i}`;
	say(`reads of a decision for ${n} visitors never merged, and for ${n} merged once`);
	await tell(daemon, 'batch', { batch: numbers.flatMap((i) => ['only', 'first', 'second'].map((name) => viewed(device(name, i)))) });
	await tell(daemon, 'batch', { batch: numbers.map((i) => identified(device('first', i), `user-${i}`)) });
	await isQuiet(daemon, data);
	await tell(daemon, 'batch', { batch: numbers.map((i) => identified(device('second', i), `user-${i}`)) });
	await merged(daemon, n);
	await isQuiet(daemon, data);
	const never = [], once = [];
	for (const i of numbers) {
		const userId = `user-${i}`, [first, second] = ['first', 'second'].map((name) => ({ anonymousId: device(name, i) }));
		never.push(await readsOf(daemon, { anonymousId: device('only', i) }));
		for (const who of [first, second, { userId }, { ...first, userId }, { ...second, userId }]) once.push(await readsOf(daemon, who));
	}
	await daemon.stop();
	const more = Math.max(...once) - Math.min(...never);
	return [{ measure: `reads of a decision for a visitor merged once, by any of the ids, the most of ${n} visitors`, ours: Math.max(...once), unit: '', peer: Math.min(...never),
		peerName: 'never merged, the least', bar: 'one more at most', met: Math.min(...never) > 0 && more <= 1, raw: { never, once } }];
}

// --- the record of somebody with everything

const idsBytes = 6144; // of all ids of a person; two do not become one beyond it

// As many bytes as the log may have: names of the greatest length, granted and withdrawn in turn.
async function fillConsent(daemon, userId) {
	const names = Array.from({ length: 64 }, (_, i) => `purpose-${i}-`.padEnd(64, 'x'));
	for (const state of ['grant', 'withdraw', 'grant', 'withdraw']) await tell(daemon, `visitors/${userId}/consent`, { [state]: names, source: 'preference-centre' });
}

async function largest(idBytes) {
	const merges = 100, userId = 'collector', data = copied(undefined, 'identify-record'), daemon = await serve('identify-record', data, { workers });
	const devices = Array.from({ length: merges }, (_, i) => `device-${i}-`.padEnd(idBytes, 'x'));
	say(`a person of ${merges} merged ids of ${idBytes} bytes`);
	await tell(daemon, 'batch', { batch: [identified(undefined, userId), ...devices.map(viewed)] });
	for (let i = 0; i < merges; i += 10) await tell(daemon, 'batch', { batch: devices.slice(i, i + 10).map((id) => identified(id, userId)) });
	await until(async () => ((now) => now.merged + now.refused >= merges)(await counted(daemon)), { what: `all ${merges} have become one or been refused` });
	await isQuiet(daemon, data);
	await fillConsent(daemon, userId);
	const person = await (await fetch(`${daemon.url}/v1/visitors/${userId}`, { headers: secret })).json();
	const logBytes = person.consentLog.reduce((sum, one) => sum + one.what.length + one.source.length, 0);
	const joined = Math.min(merges, Math.floor((idsBytes - userId.length) / idBytes));
	if (person.merges.length !== joined || person.ids.length !== joined + 1 || logBytes < 8000)
		throw new Error(`the person has ${person.merges.length} merges, ${person.ids.length} ids and ${logBytes} bytes of consent`);
	const { bytes, limit } = looked(daemon, data, 'record', userId);
	await daemon.stop();
	return { measure: `record of a person with ${merges} devices whose ids have ${idBytes} bytes, ${joined} of them merged, and a full log of consent`, ours: bytes, unit: 'B', bar: `≤ ${thousands(limit)} B`, met: bytes <= limit,
		raw: { logBytes, logEntries: person.consentLog.length } };
}

export async function measure() {
	return [...await reads(), await largest(36), await largest(200), ...await rates()];
}
