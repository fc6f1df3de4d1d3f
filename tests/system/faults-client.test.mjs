// Clients that send everything five times (seen failing with -DFW_BREAK_DEDUPE), and clients whose clocks are wrong (with
// -DFW_BREAK_CLOCK: sentAt is ignored).

import assert from 'node:assert/strict';
import test from 'node:test';
import { ask, long } from './daemon.mjs';
import { assertExactlyOnce, assertStored, makeStream, sendAgain, startLoad } from './acknowledged.mjs';
import { openShop } from './faults.mjs';

const hour = 3600_000;

test('a client that sends each batch five times', async (t) => {
	const shop = await openShop(t);
	const load = startLoad(shop.url, makeStream({ people: long ? 2000 : 40 }), { connections: 4, copies: 5 });
	await load.passed(long ? 4000 : 60, 600);
	await load.stop();
	await assertExactlyOnce(shop.url, load);
	for (let i = 0; i < 4; i++) await sendAgain(shop.url, load.events, { from: i, connections: 3, copies: 2 });
	await assertStored(shop.url(), load.events, 'nothing changes, however often it comes');
});

test('clocks an hour apart', async (t) => {
	const shop = await openShop(t);
	const began = Date.now();
	// Three kinds of clients; each one's `sentAt` is as wrong as its timestamps.
	const clients = [-hour, 0, hour].map((clock, i) => startLoad(shop.url, makeStream({ name: `clock-${i}`, people: long ? 500 : 10, from: i, clock }), { clock, connections: 4 }));
	for (const load of clients) await load.passed(long ? 500 : 8, 600);
	for (const load of clients) await load.stop();
	for (const load of clients) {
		await assertStored(shop.url(), load.events);
		// What it was retried with does not matter either: another clock, or none.
		await sendAgain(shop.url, load.events, { clock: 2 * hour });
		await assertStored(shop.url(), load.events, 'nothing changes when all is sent once more');
		for (const id of new Set(load.events.map((e) => e.anonymousId))) {
			const { body } = await ask(`${shop.url()}/v1/visitors/anonymous:${id}/timeline`);
			for (const { at } of body.timeline) {
				const ms = Date.parse(at);
				assert.ok(ms > began - 2000 && ms < Date.now() + 2000, `${id}: ${at} is between ${new Date(began).toISOString()} and now`);
			}
		}
	}
});
