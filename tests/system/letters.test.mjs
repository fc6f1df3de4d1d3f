// `floorwalker dead-letters`: what was refused is kept with its reason, can be looked at, sent once more, dropped. Seen failing
// with -DFW_BREAK_TOO_LATE, and replay with -DFW_BREAK_DEDUPE.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ask, run } from './daemon.mjs';
import { storedByPerson } from './acknowledged.mjs';
import { openShop } from './faults.mjs';
import { metrics, quick } from './server.mjs';
import { test, testEverywhere } from './stores.mjs';

const view = (n, more = {}) => ({ type: 'track', event: 'Product Viewed', messageId: `letter-${n}`, anonymousId: 'visitor-1', properties: { product_id: 'p-1' }, ...more });
const days = (n) => new Date(Date.now() - n * 86400_000).toISOString();

// A shop with `dead-letters` at hand: letters(args…) answers { status, stdout, stderr }, list(args…) the letters themselves.
async function open(t) {
	// A sanitized worker on a busy machine is silent for seconds over 2,500 events.
	const shop = await openShop(t, { config: { limits: { ...quick, heartbeat_ms: 20000 } } });
	const letters = (...args) => run(['dead-letters', ...args, '--config', shop.config]);
	return Object.assign(shop, {
		letters,
		list: (...args) => letters('list', '--json', ...args).stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line)),
		send: async (batch, more = {}) => (await ask(`${shop.url()}/v1/batch`, { batch, sentAt: new Date().toISOString(), ...more })).body,
	});
}

test('a bad event in a good batch is kept with its reason', async (t) => {
	const shop = await open(t);
	const bad = [['no_user_anon_id', view(1, { anonymousId: undefined })], ['no_event', view(2, { event: undefined })], ['no_type', view(3, { type: undefined })], ['bad_timestamp', view(4, { timestamp: 'yesterday' })], ['too_late', view(5, { timestamp: days(3) })]];
	const told = await shop.send([view(0), ...bad.map(([, e]) => e), view(9)], { context: { locale: 'de-DE' } });
	assert.deepEqual([told.accepted, told.rejected.map((r) => r.code)], [2, bad.map(([code]) => code)]);
	const kept = shop.list();
	assert.deepEqual(kept.map((l) => l.code).sort(), bad.map(([code]) => code).sort());
	for (const [i, [code, event]] of bad.entries()) {
		const letter = kept.find((l) => l.code === code);
		assert.equal(letter.message, told.rejected[i].message);
		assert.equal(letter.sender, 'secret');
		assert.ok(Math.abs(Date.parse(letter.at) - Date.now()) < 60_000);
		const { messageId, ...rest } = JSON.parse(JSON.stringify(event));
		assert.equal(letter.event.messageId, messageId);
		for (const key of Object.keys(rest)) assert.deepEqual(letter.event[key], rest[key]);
		// One alone, and the list for people.
		assert.deepEqual(JSON.parse(shop.letters('show', letter.id).stdout), letter);
		assert.match(shop.letters('list', '--code', code).stdout, new RegExp(`^${letter.id}  \\S+  ${code} +\\S.*\n$`));
		assert.deepEqual(shop.list('--code', code), [letter]);
	}
	assert.deepEqual(shop.list('--code', 'nothing_of_this_kind'), []);
	assert.equal((await metrics({ url: shop.url() })).floorwalker_dead_letters_total, 5);
	// The whole batch once more, as a client does that had no answer: what was stored counts once.
	await shop.send([view(0), ...bad.map(([, e]) => e), view(9)]);
	assert.deepEqual(await storedByPerson(shop.url(), ['visitor-1']), { 'visitor-1': 2 });
});

testEverywhere('replay takes what can be taken now, once, and keeps the rest', async (t) => {
	const shop = await open(t);
	// Those behind the 2,500th of a request are refused for their place alone.
	const told = await shop.send(Array.from({ length: 2503 }, (_, i) => view(i, { anonymousId: i < 2500 ? `visitor-${i % 50}` : 'visitor-behind' })));
	assert.deepEqual([told.accepted, told.rejected.map((r) => [r.index, r.code])], [2500, [2500, 2501, 2502].map((i) => [i, 'too_many'])]);
	await shop.send([view('late', { timestamp: days(3) })]);
	const [one] = shop.list('--code', 'too_many');
	assert.match(shop.letters('replay', one.id).stdout, /^1 replayed\n$/);
	assert.deepEqual(await storedByPerson(shop.url(), ['visitor-behind']), { 'visitor-behind': 1 });
	assert.deepEqual([shop.list('--code', 'too_many').length, shop.list().length], [2, 3]);
	// It is not there any more.
	const gone = shop.letters('replay', one.id);
	assert.equal(gone.status, 1);
	assert.match(gone.stderr, /1 of the ids are not there/);
	const all = shop.letters('replay', '--all');
	assert.equal(all.status, 1);
	assert.match(all.stdout, /refused again: .*48 hours/);
	assert.match(all.stdout, /\n2 replayed\n$|^2 replayed\n$/);
	assert.deepEqual(shop.list().map((l) => l.code), ['too_late']);
	assert.deepEqual(await storedByPerson(shop.url(), ['visitor-behind']), { 'visitor-behind': 3 });
	// The client mends its batch and sends those three itself: they were counted.
	await shop.send([2500, 2501, 2502].map((i) => view(i, { anonymousId: 'visitor-behind' })));
	assert.deepEqual(await storedByPerson(shop.url(), ['visitor-behind']), { 'visitor-behind': 3 });
});

test('what is too late can be brought in as history', async (t) => {
	const shop = await open(t);
	await shop.send([view(1, { timestamp: days(3) }), view(2, { timestamp: days(30) })]);
	const file = join(shop.folder, 'late.jsonl');
	writeFileSync(file, shop.list('--code', 'too_late').map((l) => `${JSON.stringify(l.event)}\n`).join(''));
	assert.equal(run(['import', '--config', shop.config, file]).status, 0);
	assert.match(shop.letters('drop', '--code', 'too_late').stdout, /^2 dropped\n$/);
	assert.deepEqual(shop.list(), []);
	assert.deepEqual(await storedByPerson(shop.url(), ['visitor-1']), { 'visitor-1': 2 });
});

test('drop, by id and by code, also without a daemon; they outlive it', async (t) => {
	const shop = await open(t);
	await shop.send([view(1, { anonymousId: undefined }), view(2, { anonymousId: undefined }), view(3, { event: undefined }), view(4, { type: undefined })]);
	assert.equal(await shop.daemon.stop(), 0);
	const [a] = shop.list('--code', 'no_user_anon_id');
	assert.match(shop.letters('drop', a.id).stdout, /^1 dropped\n$/);
	assert.equal(shop.list().length, 3);
	assert.match(shop.letters('drop', '--code', 'no_event').stdout, /^1 dropped\n$/);
	assert.deepEqual(shop.list().map((l) => l.code).sort(), ['no_type', 'no_user_anon_id']);
	for (const id of [a.id, 'nonsense', '000-0000000000000000-0000000000000000']) {
		for (const action of ['show', 'drop', 'replay']) {
			const { status, stderr } = shop.letters(action, id);
			assert.equal(status, 1, `${action} ${id}`);
			assert.match(stderr, /not there/);
		}
	}
	for (const args of [[], ['lists'], ['show'], ['replay'], ['drop'], ['list', 'x'], ['list', '--what']]) assert.equal(shop.letters(...args).status, 2, args.join(' '));
	assert.match(shop.letters('drop', '--all').stdout, /^2 dropped\n$/);
	assert.deepEqual(shop.list(), []);
});

test('nonsense does not fill the disk, and crawlers leave nothing', async (t) => {
	const shop = await open(t);
	const told = await shop.send(Array.from({ length: 2000 }, (_, i) => view(i, { anonymousId: undefined })));
	assert.equal(told.rejected.length, 2000);
	const counted = await metrics({ url: shop.url() });
	const { floorwalker_dead_letters_total: kept, floorwalker_dead_letters_dropped_total: dropped } = counted;
	assert.equal(kept + dropped, 2000);
	assert.ok(kept >= 100 && kept <= 1000, `${kept} kept`);
	assert.equal(shop.list().length, kept);
	const crawler = await shop.send([view(1, { anonymousId: 'crawler', context: { userAgent: 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)' } })]);
	assert.deepEqual([crawler.accepted, crawler.rejected.map((r) => r.code)], [0, ['crawler']]);
	assert.equal(shop.list().length, kept);
	assert.equal((await ask(`${shop.url()}/v1/visitors/anonymous:crawler`)).status, 404);
});
