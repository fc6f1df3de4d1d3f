// What befalls the processes while people log in on several devices: whoever was joined is one person in the end, with every
// acknowledged event once, and again after all of it was sent once more.
//
// Seen failing on a build with -Dc_args=-DFW_BREAK_DEDUPE.

import assert from 'node:assert/strict';
import test from 'node:test';
import { random, seed, sendAgain, startLoad } from './acknowledged.mjs';
import { ask, atLength, long, until } from './daemon.mjs';
import { openShop, strikes } from './faults.mjs';
import { kind as store, strikesHere } from './stores.mjs';

const devices = (user) => [`phone-of-${user}`, `laptop-of-${user}`];

function view(n, user, how) {
	const [phone, laptop] = devices(user);
	const who = [{ anonymousId: phone }, { anonymousId: laptop }, { userId: user }, { anonymousId: phone, userId: user }, { anonymousId: laptop, userId: user }, { anonymousId: phone, context: { traits: { email: `${user}@shop.example` } } }];
	return { user, type: 'track', event: 'Product Viewed', messageId: `identity-${seed}-${n}`, timestamp: new Date().toISOString(), properties: { product_id: `p-${n % 7}` }, ...who[how] };
}

// What a worker said to other buckets and died before delivering is delivered by whoever leads, once the lease of one who died is over.
async function assertJoined(shop, events, what) {
	const counts = {};
	for (const { user } of events) counts[user] = (counts[user] ?? 0) + 1;
	for (const [user, wanted] of Object.entries(counts)) {
		let told;
		await until(async () => {
			const all = await Promise.all([user, ...devices(user).map((id) => `anonymous:${id}`)].map((id) => ask(`${shop.url()}/v1/visitors/${encodeURIComponent(id)}`)));
			told = all.map(({ status, body }) => [status, body.id, body.facts?.viewed.total]);
			return told.every(([status, id, total]) => status === 200 && id === told[0][1] && total === wanted);
		}, { what: `${user} is one person`, seconds: 90 }).catch((error) => assert.fail(`${what} (seed ${seed}): ${error.message} who has viewed ${wanted}, but ${JSON.stringify(told)}`));
	}
}

async function struck(t, kinds, times) {
	const shop = await openShop(t), rnd = random(seed), users = long ? 200 : 10;
	let n = 0;
	const load = startLoad(shop.url, () => Array.from({ length: 1 + Math.floor(rnd() * 8) }, () => view(n++, `u-${Math.floor(users * rnd() ** 2)}`, Math.floor(rnd() * 6))));
	await load.passed(5);
	for (let i = 0; i < times; i++) {
		await load.passed(1 + Math.floor(rnd() * (long ? 100 : 15)));
		await strikes[kinds[Math.floor(rnd() * kinds.length)]](shop, rnd);
	}
	await load.passed(5);
	await load.stop();
	const joint = [...new Set(load.events.map((e) => e.user))].map((user) => [view(n++, user, 3), view(n++, user, 4)]);
	const all = [...load.events, ...joint.flat()];
	await startLoad(shop.url, () => joint.shift()).done;
	await assertJoined(shop, all, 'acknowledged = stored');
	await sendAgain(shop.url, all);
	await assertJoined(shop, all, 'nothing changes when all is sent once more');
}

test('nothing happens', (t) => struck(t, ['nothing'], 1));
// What one who died did not deliver is waited for, ten seconds each: on a store that is not the first, only when there is time.
for (const kind of store === 'lmdb' || atLength ? strikesHere(['worker', 'keeper', 'loader', 'master', 'all']) : []) test(`kill -9 of ${kind}`, (t) => struck(t, [kind], long ? 8 : 3));
test('any of them', (t) => struck(t, strikesHere(['worker', 'keeper', 'loader', 'master', 'all', 'stopped', 'reload']), long ? 20 : 5));
