// As many messages as a campaign has, due at one moment, among as many that are due later, and one that is due before all: it goes within a
// second of its time, so does the first of the others, and each goes once.
// Seen failing on a build whose scheduler is told of nothing and looks every 30 seconds (fw_messages_start without its watch): the one.

import './release.mjs';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { long, until } from './daemon.mjs';
import { fakeChannel, handedTo, withMessages } from './messages.mjs';
import { servePeople } from './people.mjs';
import { quick } from './server.mjs';
import { test } from './stores.mjs';

const PEOPLE = long ? 50000 : 1500; // of each kind
const HOUR_MS = 3600e3;
const rules = `
rule "sale" { channel = "email", on = "Sale Asked", after = "1h", class = "service", send = { text = "it begins" } }
rule "later" { channel = "email", on = "Later Asked", after = "3h", class = "service", send = { text = "later" } }
`;

test(`of ${2 * PEOPLE} messages, half of them due at once, the first goes in time`, async (t) => {
	const shop = withMessages(await servePeople(t, {
		files: { 'shop/messages.lua': rules },
		config: { plugin_path: fakeChannel(t), plugins: { web: {}, email: { file: 'sent.jsonl' } }, limits: quick },
	}));
	const file = join(shop.folder, 'sent.jsonl'), sent = () => handedTo(file);
	// So many people of whom each sets off one; several batches are on their way at once.
	const ask = async (kind, event, atMs, n = PEOPLE) => {
		const timestamp = new Date(atMs).toISOString();
		let next = 0;
		await Promise.all(Array.from({ length: 4 }, async () => {
			while (next < n) {
				const from = next, batch = [];
				next = Math.min(next + 100, n);
				for (let i = from; i < next; i++) batch.push({ type: 'identify', userId: `${kind}-${i}`, traits: { email: `${kind}-${i}@mail-${i % 50}.example` } }, { type: 'track', event, userId: `${kind}-${i}`, timestamp });
				const told = await shop.send('batch', { batch });
				assert.deepEqual([told.status, told.body.rejected], [200, []]);
			}
		}));
	};
	const began = Date.now();
	await ask('later', 'Later Asked', began - HOUR_MS);
	// The others are there before they are due, be the machine slow.
	const due = Date.now() + 3 * (Date.now() - began) + 8000;
	await ask('now', 'Sale Asked', due - HOUR_MS);
	const before = Math.max(Date.now() + 2000, due - 4000);
	await ask('before', 'Sale Asked', before - HOUR_MS, 1);
	assert.ok(Date.now() < before && before + 1000 < due, 'all are there before they are due');
	assert.deepEqual(sent(), []);
	const inTime = ({ at }, time) => assert.ok(at >= time && at <= time + 1000, `it goes ${at - time} ms after its time`);
	const one = await until(() => sent()[0], { what: 'the one is sent', seconds: (before - Date.now()) / 1000 + 35 });
	assert.equal(one.to, 'before-0@mail-0.example');
	inTime(one, before);
	const first = await until(() => sent()[1], { what: 'the first is sent', seconds: (due - Date.now()) / 1000 + 35 });
	inTime(first, due);
	const lines = () => readFileSync(file, 'latin1').split('\n').length - 1;
	await until(async () => { await new Promise((done) => setTimeout(done, 200)); return lines() > PEOPLE; }, { what: 'all are sent', seconds: 120 + PEOPLE / 50 });
	const all = sent().slice(1), last = Math.max(...all.map(({ at }) => at));
	t.diagnostic(`the one after ${one.at - before} ms, the first of ${PEOPLE} after ${first.at - due} ms, the last after ${last - due} ms`);
	assert.deepEqual([all.length, new Set(all.map(({ to }) => to)).size, all.filter(({ message }) => message.rule !== 'sale').length], [PEOPLE, PEOPLE, 0]);
});
