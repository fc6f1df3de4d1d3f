// A client that knows what was acknowledged: it sends events of many visitors in batches, each batch again until it is
// answered with 200, under the same messageIds; and then asks of each visitor whether exactly that is stored.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { until } from './daemon.mjs';

// Numbers from 0 to below 1, the same for the same seed (mulberry32, Tommy Ettinger, public domain).
export function random(seed) {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let x = Math.imul(state ^ (state >>> 15), 1 | state);
		x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
		return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
	};
}

export const seed = Number(process.env.FW_TEST_SEED ?? 20251125);

export function shuffled(list, rnd) {
	const out = [...list];
	for (let i = out.length - 1; i > 0; i--) {
		const j = Math.floor(rnd() * (i + 1));
		[out[i], out[j]] = [out[j], out[i]];
	}
	return out;
}

export const inBatches = (events, n) => Array.from({ length: Math.ceil(events.length / n) }, (_, i) => events.slice(i * n, (i + 1) * n));

// An endless stream of batches: up to `most` events each, of `people` visitors of whom the first few come far more often, as
// they do. `clock` is what the clients' clocks are off, in ms: a number, or a function of the visitor's number.
export function makeStream({ people = 60, most = 12, name = 'v', clock = 0, from = seed } = {}) {
	const rnd = random(from);
	let n = 0;
	const off = typeof clock === 'function' ? clock : () => clock;
	return () => Array.from({ length: 1 + Math.floor(rnd() * most) }, () => {
		const person = Math.floor(people * rnd() ** 3);
		return { type: 'track', event: 'Product Viewed', messageId: `${name}-${from}-${n++}`, anonymousId: `${name}-${person}`,
			timestamp: new Date(Date.now() + off(person)).toISOString(), properties: { product_id: `p-${n % 7}`, category: `c-${n % 3}` } };
	});
}

// One POST: the status and the parsed body, or status 0 when there was no whole answer.
function post(url, agent, body) {
	return new Promise((done) => {
		const req = request(`${url}/v1/batch`, { method: 'POST', agent, timeout: 30000, headers: { 'content-type': 'application/json' } }, (answer) => {
			let text = '';
			answer.setEncoding('utf8').on('data', (d) => { text += d; }).on('error', () => done({ status: 0 })).on('close', () => {
				if (!answer.complete) return done({ status: 0 });
				done({ status: answer.statusCode, retryAfter: answer.headers['retry-after'], body: JSON.parse(text) });
			});
		});
		req.on('error', () => done({ status: 0 })).on('timeout', () => req.destroy()).end(body);
	});
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// Sends batches over `connections` kept-alive connections to url() until `stop` is called or next() answers undefined; what was
// begun is sent until it is acknowledged. `copies`: how many of each are on their way at once.
// Answers { events, batches, refused, broken, over, stop(), done }: `events` are those acknowledged, `refused` counts answers
// of 429 and 503 by their message, `broken` requests without an answer.
export function startLoad(url, next, { connections = 12, copies = 1, clock = 0, once = false } = {}) {
	const agent = new Agent({ keepAlive: true, maxSockets: connections * copies });
	const load = { events: [], batches: 0, refused: {}, broken: 0, over: false };
	let stopped = false;
	async function send(batch, first) {
		for (let tried = 0, began = Date.now(); ; tried++) {
			const body = JSON.stringify({ batch, sentAt: new Date(Date.now() + clock).toISOString() });
			const { status, retryAfter, body: told } = await post(url(), agent, body);
			if (status === 200) {
				assert.deepEqual(told, { success: true, accepted: batch.length, rejected: [] });
				return;
			}
			assert.ok([0, 429, 503].includes(status), `answered ${status}: ${JSON.stringify(told)}`);
			assert.ok(!once, `not stored at once: ${status} ${JSON.stringify(told)}`);
			if (status === 0) load.broken++;
			else {
				assert.match(retryAfter ?? '', /^[1-9]\d*$/, 'Retry-After is a whole number');
				load.refused[told.error.message] = (load.refused[told.error.message] ?? 0) + 1;
			}
			assert.ok(Date.now() - began < 300e3, `a batch is not taken in five minutes: ${tried + 1} times, ${load.broken} broken, refused ${JSON.stringify(load.refused)}`);
			await pause(Math.min(first + 2 ** tried, 100));
		}
	}
	async function line() {
		for (let batch; !stopped && (batch = next());) {
			await Promise.all(Array.from({ length: copies }, (_, i) => send(batch, 5 + i)));
			load.events.push(...batch);
			load.batches++;
		}
	}
	load.stop = () => { stopped = true; return load.done; };
	load.done = Promise.all(Array.from({ length: connections }, line)).then(() => load, (error) => { stopped = true; load.failed = error; throw error; })
		.finally(() => { load.over = true; agent.destroy(); });
	load.done.catch(() => {}); // whoever waits for it is told
	// Waits until so many more batches were acknowledged.
	load.passed = async (n, seconds = 60) => {
		const from = load.batches;
		await until(() => load.batches >= from + n || load.over, { what: `${n} more batches are acknowledged`, seconds });
		if (load.failed) throw load.failed;
	};
	return load;
}

// Sends these events once more, in another order and in other batches.
export async function sendAgain(url, events, { from = seed, ...more } = {}) {
	const batches = inBatches(shuffled(events, random(from + 1)), 100);
	return startLoad(url, () => batches.shift(), more).done;
}

export function countByPerson(events) {
	const counts = {};
	for (const { anonymousId } of events) counts[anonymousId] = (counts[anonymousId] ?? 0) + 1;
	return counts;
}

// What is stored of these people: how often each has viewed products.
export async function storedByPerson(url, people) {
	const agent = new Agent({ keepAlive: true, maxSockets: 8 });
	const get = (id, more = 50) => new Promise((done, fail) => {
		request(`${url}/v1/visitors/anonymous:${encodeURIComponent(id)}`, { agent }, (answer) => {
			let text = '';
			answer.setEncoding('utf8').on('data', (d) => { text += d; }).on('error', fail).on('end', () => {
				if (answer.statusCode === 404) return done(0);
				if (answer.statusCode === 503 && more > 0) return pause(100).then(() => get(id, more - 1)).then(done, fail);
				if (answer.statusCode !== 200) return fail(new Error(`${id}: ${answer.statusCode} ${text}`));
				done(JSON.parse(text).facts.viewed.total);
			});
		}).on('error', fail).end();
	});
	const counts = {}, left = [...people];
	await Promise.all(Array.from({ length: 8 }, async () => {
		for (let id; (id = left.pop()) !== undefined;) counts[id] = await get(id);
	})).finally(() => agent.destroy());
	return counts;
}

// Acknowledged = stored, by count per person.
export async function assertStored(url, events, what = 'acknowledged = stored') {
	const wanted = countByPerson(events);
	const stored = await storedByPerson(url, Object.keys(wanted));
	const wrong = Object.keys(wanted).filter((id) => wanted[id] !== stored[id]).map((id) => `${id}: acknowledged ${wanted[id]}, stored ${stored[id]}`);
	assert.ok(wrong.length === 0, `${what} (seed ${seed}), but of ${Object.keys(wanted).length} people ${wrong.length} differ: ${wrong.slice(0, 10).join('; ')}`);
}

// How every fault ends: equal, and equal after all of it was sent once more.
export async function assertExactlyOnce(url, load) {
	assert.ok(load.events.length > 0);
	await assertStored(url(), load.events);
	await sendAgain(url, load.events);
	await assertStored(url(), load.events, 'nothing changes when all is sent once more');
}

// A leak sanitizer looks at a process that ends from another one, which it starts for that; whoever took that one for a worker and killed it
// would find a fault of the sanitizer's. From its beginning to its end it blocks what nobody of ours does, SIGQUIT; who is traced says so for
// a part of that time only.
const SIGQUIT = 3n;
const isOurs = (pid) => {
	try {
		const blocked = BigInt(`0x${readFileSync(`/proc/${pid}/status`, 'utf8').match(/^SigBlk:\s+([0-9a-f]+)$/m)[1]}`);
		return (blocked >> SIGQUIT - 1n & 1n) === 0n;
	} catch { return false; /* it has ended meanwhile */ }
};
const children = (pid) => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number).filter(isOurs);
// How often a process has the file of the data open: the keeper, who writes it, twice; a worker, who reads it, once. That may be the master's
// child as well, since its loader died.
const opens = (pid) => readdirSync(`/proc/${pid}/fd`).filter((fd) => {
	try { return readlinkSync(`/proc/${pid}/fd/${fd}`).endsWith('/data.mdb'); } catch { return false; }
}).length;

// The processes of a daemon as they are now: { keeper, loaders, workers }; keeper undefined while there is none.
export function kin(master) {
	const all = { loaders: [], workers: [] }, alone = [];
	for (const pid of children(master)) {
		try {
			const its = children(pid), n = opens(pid);
			if (n > 1) all.keeper = pid;
			else if (n === 1) all.workers.push(pid);
			else if (its.length === 0) alone.push(pid);
			else {
				all.workers.push(...its);
				all.loaders.push(pid);
			}
		} catch { /* it has ended meanwhile */ }
	}
	all[all.keeper ? 'loaders' : 'workers'].push(...alone); // on a store without a keeper: of a loader that was killed
	return all;
}

// The processes that match, once there are some: [pid, …].
export const whenThere = (master, find, what) => until(() => {
	try {
		const found = find(kin(master));
		return found.length > 0 && found.every(Boolean) ? found : false;
	} catch { return false; }
}, { what });
