// People are erased, and merges undone, while whoever does it is killed: each is asked for until it is answered, as clients do. Who was
// acknowledged as erased is gone by every id, from the file too, and does not come back with what is told late; who was taken out of
// somebody again has the counts of before, and so has the other; who has nothing to do with it keeps everything. What happens at every
// single commit is tests/unit/test_people_erase.c's and test_people_undo.c's.
//
// Seen failing on a build with -Dc_args=-DFW_BREAK_TOMBSTONE, where nobody goes on with an erasure that was begun, and where an unmerge
// does not forget the merge.

import assert from 'node:assert/strict';
import test from 'node:test';
import { random, seed, shuffled } from './acknowledged.mjs';
import { ask, long, run, until } from './daemon.mjs';
import { openShop, strikes } from './faults.mjs';
import { foundIn } from './needles.mjs';
import { bytesInStore, kind as store, strikesHere } from './stores.mjs';

const PEOPLE = long ? 300 : 36, KILLS = long ? 20 : 6, LANES = 8;

// Every third is erased, every third becomes one with somebody and is two again, and every third is left alone.
const everybody = [...Array(PEOPLE).keys()];
const erased = everybody.filter((i) => i % 3 === 0), undone = everybody.filter((i) => i % 3 === 1), left = everybody.filter((i) => i % 3 === 2);
// None is the beginning of another's, so that what is found is of whom it seems to be.
const number = (i) => String(i).padStart(4, '0');
const phone = (i) => `phone-of-person-${number(i)}`, laptop = (i) => `laptop-of-person-${number(i)}`, user = (i) => `user-of-person-${number(i)}`;
const address = (i) => `person-${number(i)}@shop.example`, name = (i) => `имя-${number(i)}-лица`;
const idsOf = (i) => [user(i), `anonymous:${phone(i)}`, `anonymous:${laptop(i)}`, `email:${address(i)}`];
const textsOf = (i) => [user(i), phone(i), laptop(i), address(i), name(i)];
const viewsOf = (i) => ({ phone: 1 + i % 4, laptop: 2 + i % 3 });

// What is told of somebody before, with the times of then: it can be told again, late.
const began = new Date().toISOString();
const view = (device, n) => ({ type: 'track', event: 'Product Viewed', messageId: `v-${seed}-${device}-${n}`, anonymousId: device, timestamp: began, properties: { product_id: `p-${n % 5}` } });
const seen = (i) => [[phone(i), viewsOf(i).phone], [laptop(i), viewsOf(i).laptop]].flatMap(([device, n]) => Array.from({ length: n }, (_, k) => view(device, k)));
const identify = (device, more) => ({ type: 'identify', messageId: `i-${seed}-${device}`, anonymousId: device, timestamp: began, ...more });
// Those who are undone go by an address alone; the others have a userId, too.
const joins = (i) => (undone.includes(i) ? [phone(i), laptop(i)].map((device) => identify(device, { traits: { email: address(i) } }))
	: [identify(phone(i), { userId: user(i), traits: { email: address(i), name: name(i) } }), identify(laptop(i), { userId: user(i) })]);

test(`${erased.length} people are erased and ${undone.length} merges undone through ${KILLS} kills`, async (t) => {
	const shop = await openShop(t), rnd = random(seed);
	const visitor = (id, path = '') => `/v1/visitors/${encodeURIComponent(id)}${path}`;
	// The answer, once there is one that is no "later"; `tries`: how many there were before it.
	async function get(path, body, method = body === undefined ? 'GET' : 'POST') {
		for (let tries = 0; ; tries++) {
			const answer = await ask(`${shop.url()}${path}`, body, { method }).catch(() => ({ status: 0 }));
			if (![0, 429, 503].includes(answer.status)) return { ...answer, tries };
			await new Promise((done) => setTimeout(done, 20));
		}
	}
	const batch = async (events) => {
		const { status, body } = await get('/v1/batch', { batch: events });
		assert.equal(status, 200, JSON.stringify(body));
		return body;
	};
	const total = async (id) => { const { status, body } = await get(visitor(id)); return status === 200 ? body.facts.viewed.total : status; };

	// Everybody is one person, by whatever id.
	for (const i of everybody) assert.deepEqual((await batch(seen(i))).rejected, []);
	for (const part of [0, 1]) for (const i of everybody) assert.deepEqual((await batch([joins(i)[part]])).rejected, []);
	for (const i of everybody) {
		const all = viewsOf(i).phone + viewsOf(i).laptop;
		await until(async () => (await Promise.all(idsOf(i).slice(undone.includes(i) ? 1 : 0).map(total))).every((n) => n === all), { what: `${phone(i)} is one person who has viewed ${all}`, seconds: 60 });
	}
	const merges = new Map();
	for (const i of undone) {
		const { body } = await get(visitor(`anonymous:${phone(i)}`, '/merges'));
		assert.equal(body.merges.length, 1);
		merges.set(i, body.merges[0].number);
	}

	// What is asked for: each until it is answered. Where no answer came it may have been done: then there is nobody, or no such merge, any more.
	const receipts = [], again = { erase: 0, unmerge: 0 };
	let answered = 0;
	async function erase(i) {
		const ids = idsOf(i), { status, body, tries } = await get(visitor(ids[Math.floor(rnd() * ids.length)]), undefined, 'DELETE');
		assert.ok([200, 202].includes(status) || (status === 404 && tries > 0), `${user(i)}: ${status} after ${tries} times without an answer: ${JSON.stringify(body)}`);
		again.erase += tries;
		if (status !== 404) receipts.push(body.erasure);
		for (const id of ids) assert.equal(await total(id), 404, `${id} is there after it was acknowledged`);
	}
	async function unmerge(i) {
		const ids = [`anonymous:${phone(i)}`, `anonymous:${laptop(i)}`];
		const { status, body, tries } = await get(visitor(ids[Math.floor(rnd() * 2)], '/unmerge'), { number: merges.get(i) });
		assert.ok(status === 200 || (status === 404 && tries > 0), `${phone(i)}: ${status} after ${tries} times without an answer: ${JSON.stringify(body)}`);
		again.unmerge += tries;
	}
	const list = shuffled([...erased.map((i) => () => erase(i)), ...undone.map((i) => () => unmerge(i))], rnd), all = list.length;
	const lanes = Promise.all(Array.from({ length: LANES }, async () => { for (let what; (what = list.pop()); answered++) await what(); }));
	lanes.catch(() => {});
	const kinds = strikesHere(['worker', 'keeper', 'answering', 'all', 'master', 'loader']), log = [];
	for (let k = 0; k < KILLS; k++) {
		await until(() => answered >= k * all / (KILLS + 1), { what: 'some are answered', seconds: 120 });
		log.push(kinds[k % kinds.length]);
		await strikes[kinds[k % kinds.length]](shop, rnd);
	}
	await lanes;
	t.diagnostic(`asked again after no answer: ${JSON.stringify(again)}, through ${log.join(', ')}`);

	async function assertEnded(what) {
		for (const i of erased) for (const id of idsOf(i)) {
			// What a worker had to say to other buckets and died is said by whoever leads, once its lease is over.
			await until(async () => await total(id) === 404, { seconds: 60, what: `${id} is gone` }).catch((error) => assert.fail(`${error.message}, ${what} (seed ${seed})`));
			for (const path of ['/export', '/merges', '/timeline']) assert.equal((await get(visitor(id, path))).status, 404, `${id}${path}, ${what}`);
		}
		for (const i of undone) {
			const ids = [`anonymous:${phone(i)}`, `anonymous:${laptop(i)}`], wanted = [viewsOf(i).phone, viewsOf(i).laptop];
			let told;
			await until(async () => JSON.stringify(told = await Promise.all(ids.map(total))) === JSON.stringify(wanted), { seconds: 60 })
				.catch(() => assert.deepEqual(told, wanted, `${phone(i)} and ${laptop(i)} are who they were, ${what} (seed ${seed})`));
			for (const id of ids) assert.deepEqual((await get(visitor(id, '/merges'))).body, { merges: [] }, id);
		}
		for (const i of left) for (const id of idsOf(i)) assert.equal(await total(id), viewsOf(i).phone + viewsOf(i).laptop, `${id}, ${what}`);
	}
	await assertEnded('asked for until it was answered');
	for (const id of receipts) await until(async () => { const { status, body } = await get(`/v1/erasures/${id}`); return status === 200 && body.state === 'complete' && body.scrubbed; }, { seconds: 60, what: `the erasure ${id} is complete` });

	// All of it once more, late: of who was erased nothing is taken, of the others nothing counts twice.
	for (const i of shuffled(everybody, rnd)) {
		const events = [...seen(i), ...joins(i)], { accepted, rejected } = await batch(events);
		assert.deepEqual([accepted, rejected.map((r) => r.code)], erased.includes(i) ? [0, events.map(() => 'erased')] : [events.length, []], `person ${i}`);
	}
	await assertEnded('and once more');

	// Nor is half of anybody left, in whatever row.
	if (store !== 'lmdb') return;
	const check = run(['store', 'check', '--config', shop.config]);
	assert.equal(check.status, 0, check.stdout + check.stderr);
	const there = (people) => foundIn(Buffer.from(bytesInStore(shop), 'latin1'), people.flatMap(textsOf));
	await until(() => there(erased).length === 0, { seconds: 60, what: 'nothing of them stands in the file' }).catch((error) => assert.fail(`${error.message}: ${there(erased).join(', ')} (seed ${seed})`));
	const kept = there(left.slice(0, 3));
	for (const text of left.slice(0, 3).flatMap(textsOf)) assert.ok(kept.some((name) => name.startsWith(`${text} `)), `${text} is found of whom it is kept`);
});
