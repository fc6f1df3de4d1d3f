// What a person takes: bytes, memory of a worker, an event by how many there were before it, and a decision that reads the
// person beside the same decision for nobody in particular.

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clientCore, cpuUs, median, needShared, onCore, options, privateBytes, run, runBeside, say, shared, status, tool, work } from './bench.mjs';
import { crowd, howMany, serveStore } from './crowd.mjs';
import { load } from './http.mjs';

export const slots = ['home.hero', 'home.strip', 'home.layout', 'navigation', 'cart.note'];
const thousands = (n) => n.toLocaleString('en');

function sizes(n) {
	const made = crowd(n), lived = crowd(Math.min(n, 20000), 'live');
	const disk = made.made.disk_bytes / n, dedupe = lived.made.used_bytes / lived.people - made.made.used_bytes / n;
	const left = lived.swept.rows - lived.people;
	const what = `an average visitor (5 sessions, 40 events, a cart, an order), ${thousands(n)} of them`;
	return [
		{ measure: `record of ${what}, mean`, ours: made.record.mean, unit: 'B', bar: '≤ 500 B', met: made.record.mean <= 500, raw: made },
		{ measure: 'record, all 40 events within two days, mean', ours: lived.record.mean, unit: 'B', raw: lived },
		{ measure: `disk of ${what}`, ours: disk, unit: 'B', bar: '≤ 1,229 B', met: disk <= 1.2 * 1024 },
		{ measure: 'rows against counting a message twice, all 40 events within two days, disk', ours: dedupe, unit: 'B' },
		{ measure: 'rows besides people and the secret of the store, three days later', ours: left - 1, unit: '', bar: '0', met: left === 1 },
		{ measure: `making them: events through the code of a daemon, without HTTP`, ours: made.events / made.seconds, unit: '1/s' },
	];
}

function eventCost() {
	say('an event after 10, after 1,000 and after many');
	const folder = join(work, 'data/lives');
	rmSync(folder, { recursive: true, force: true });
	const behind = ['10', '1000', options.quick ? '10000' : '100000'], hours = 300 * 24;
	const said = JSON.parse(run([tool('people_cost'), 'event', folder, String(hours), ...behind]));
	const total = said.map((one) => one.own_us + one.keeper_us), grown = total[2] / total[1];
	return [
		...said.map((one, i) => ({ measure: `an event after ${thousands(one.behind)} of the same visitor in 300 days: processor time of worker and keeper`, ours: total[i], unit: 'µs', raw: one })),
		{ measure: `the same after ${thousands(said[2].behind)} over after 1,000`, ours: grown, unit: '×', bar: '≤ 1.25 ×', met: grown <= 1.25 },
	];
}

function inProcess(made, n) {
	const { load: read, fill } = JSON.parse(run(onCore(clientCore, [tool('people_cost'), 'read', made.folder, String(n), '200000'])));
	return [
		{ measure: 'reading a person in process', ours: read.p50_us, unit: 'µs', raw: { read, fill } },
		{ measure: 'facts of the person', ours: fill.p50_us, unit: 'µs' },
	];
}

// Requests that differ in everything, with the ids of so many different people; and the same without an id. No crawlers: of
// them nothing is remembered, so nothing would be read.
export function bodies(n, people) {
	needShared();
	const made = run(['node', join(shared, 'http/bodies.js'), '1300', slots.join()]).trim().split('\n').map((line) => JSON.parse(line))
		.filter(({ context }) => !/bot/i.test(context.userAgent));
	const ids = run([tool('people_cost'), 'ids', String(people), String(n)]).trim().split('\n');
	const write = (name, request) => {
		const path = join(work, `people_${name}.jsonl`);
		writeFileSync(path, ids.map((id, i) => JSON.stringify(request(id, made[i % made.length].context))).join('\n'));
		return path;
	};
	return {
		ids, write: (name, slots, known) => write(name, (anonymousId, context) => ({ ...(known ? { anonymousId } : {}), slots, context })),
		known: write('known', (anonymousId, context) => ({ anonymousId, slots, context })), nobody: write('nobody', (_, context) => ({ slots, context })),
		few: write('few', (_, context) => ({ anonymousId: ids[context.page.url.length], slots, context })),
	};
}

export async function isKnown(daemon, id) {
	const answer = await fetch(`${daemon.url}/v1/visitors/anonymous:${id}`);
	const visitor = await answer.json();
	if (answer.status !== 200 || visitor.facts?.orders !== 1) throw new Error(`the daemon does not know ${id}: ${answer.status} ${JSON.stringify(visitor).slice(0, 300)}`);
}

// Processor time of a request, in microseconds, as many a second as the worker can answer. The longer it takes for one, the
// more often the client sleeps and has to be woken for the answer, at the worker's expense.
async function costAtMost(pid, url, file, seconds) {
	const before = cpuUs(pid);
	const said = await load(url, file, seconds);
	if (said.failed + said.refused) throw new Error(`${said.failed} requests failed, ${said.refused} were refused`);
	return (cpuUs(pid) - before) / said.requests;
}

// The same at a fixed pace, so that all but the decision is alike.
async function costAt(rate, pid, url, file, seconds) {
	const before = cpuUs(pid), { port, pathname } = new URL(url);
	const said = await runBeside(onCore(clientCore, [tool('open_loop'), port, pathname, file, String(rate), String(seconds), '64']));
	const requests = said.trim().split('\n').map((line) => Number(line.split('\t')[1])), failed = requests.filter((one) => one !== 200).length;
	if (failed) throw new Error(`${failed} of ${requests.length} requests failed`);
	return (cpuUs(pid) - before) / requests.length;
}

async function memory(daemon, pid, url, asked, n) {
	await load(url, asked.few, 2);
	const before = privateBytes(pid);
	say(`reading ${thousands(n)} different people`);
	let { requests, perSecond } = await load(url, asked.known, 3);
	if (requests < n) ({ requests } = await load(url, asked.known, Math.ceil((n / perSecond) * 1.5)));
	if (requests < n) throw new Error(`only ${requests} of ${n} people were read`);
	const grown = (privateBytes(pid) - before) / before * 100;
	return [{ measure: `private memory of a worker, change by reading ${thousands(n)} different people`, ours: grown, unit: '%', bar: '≤ 2 %', met: grown <= 2,
		raw: { before } }];
}

// The two kinds of requests in turn; how much more processor time one of the first takes, the median over the runs.
async function compare(cost, known, nobody, what) {
	const runs = options.quick ? 3 : 10, seconds = options.quick ? 1 : 2, costs = [[], []];
	for (let i = 0; i < runs; i++) {
		say(`deciding for people and for nobody, ${what}, ${i + 1} of ${runs}`);
		for (const k of i % 2 ? [1, 0] : [0, 1]) costs[k].push(await cost([known, nobody][k], seconds));
	}
	const [ours, peer] = costs.map(median);
	return { ours, unit: 'µs', peer, peerName: 'the same for nobody', ratio: median(costs[0].map((us, i) => us / costs[1][i])), raw: costs };
}

// The slots that show people what they show nobody in particular: there the read is all that differs. Rules on behaviour are
// in the set and their questions are asked; they win elsewhere.
async function alike(url, asked) {
	const answers = async (file) => Promise.all(readFileSync(file, 'utf8').split('\n').slice(0, 500)
		.map(async (body) => (await (await fetch(url, { method: 'POST', body })).json()).decisions));
	const [a, b] = [await answers(asked.write('all_known', undefined, true)), await answers(asked.write('all_nobody', undefined, false))];
	return Object.keys(a[0]).filter((slot) => a.every((one, i) => JSON.stringify(one[slot]) === JSON.stringify(b[i][slot])));
}

async function reading(made, n) {
	const asked = bodies(options.quick ? 20000 : 200000, n);
	const daemon = await serveStore('people', made.folder);
	const url = `${daemon.url}/v1/decide`, { pid } = status(daemon).workers[0];
	run(['dd', `if=${join(made.folder, 'data.mdb')}`, 'of=/dev/null', 'bs=1M', 'status=none']); // a cache that was emptied meanwhile is no part of a decision
	await isKnown(daemon, asked.ids[0]);
	const rows = await memory(daemon, pid, url, asked, asked.ids.length);
	const same = await alike(url, asked);
	if (!same.length) throw new Error('every slot shows people something else than nobody');
	const [known, nobody] = [asked.write('same_known', same, true), asked.write('same_nobody', same, false)];
	const rate = Math.round((await load(url, nobody, options.quick ? 1 : 4)).perSecond / 2 / 1000) * 1000;
	const paced = (file, seconds) => costAt(rate, pid, url, file, seconds), full = (file, seconds) => costAtMost(pid, url, file, seconds);
	const read = await compare(paced, known, nobody, 'the same answers');
	const busy = await compare(full, known, nobody, 'the same answers, at full load');
	const richer = await compare(paced, asked.known, asked.nobody, 'answers of their own');
	await daemon.stop();
	const measure = `processor time of POST /v1/decide for one of ${thousands(n)} people, the example store`, pace = `at ${thousands(rate)}/s`;
	rows.push({ measure: `${measure}, ${same.length} slots with the same answers (${same.join(', ')}), ${pace}`, ...read, bar: '≤ 1.25 ×', met: read.ratio <= 1.25 });
	rows.push({ measure: 'the same, as many a second as can be answered', ...busy });
	rows.push({ measure: `${measure}, ${slots.length} slots with answers of their own (rules on behaviour win, and their functions run), ${pace}`, ...richer });
	return rows;
}

export async function measure() {
	const n = howMany(), made = crowd(n);
	return [...sizes(n), ...eventCost(), ...inProcess(made, n), ...await reading(made, n)];
}
