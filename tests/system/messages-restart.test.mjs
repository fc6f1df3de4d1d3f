// A daemon that ends while messages wait and one is on its way: stopped as by a supervisor, its master killed, and all of it killed; then it is
// started again. All go, and only what was on its way when somebody was killed may come twice, under its one id.
// Seen failing on a build with -DFW_BREAK_LOST (whoever dies with a message takes it along), and where a worker that ends does not wait for
// what its channels have in hand (fw_sending_finish).

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { random, seed } from './acknowledged.mjs';
import { ask, until } from './daemon.mjs';
import { openShop, strikes } from './faults.mjs';
import { fakeChannel, handedTo, listAsideOf } from './messages.mjs';
import { quick } from './server.mjs';
import { testEverywhere as test } from './stores.mjs';

const PEOPLE = 40, HOUR_MS = 3600e3;
const rules = `
rule "later" { channel = "email", on = "Later Asked", after = "1h", class = "service", send = { text = "later" } }
rule "now" { channel = "email", on = "Now Asked", class = "service", send = { text = "now" } }
`;

// `ends` ends a shop and has it start again; what was on its way comes `most` times at most.
async function messagesOutlive(t, ends, most) {
	const shop = await openShop(t, {
		files: { 'shop/messages.lua': rules },
		config: { plugin_path: fakeChannel(t), plugins: { web: {}, email: { file: 'sent.jsonl' } }, limits: { ...quick, drain_ms: 20000, delivery_ms: 4000, message_again_ms: 100 } },
	});
	const sent = () => handedTo(join(shop.folder, 'sent.jsonl')), list = listAsideOf(shop.config);
	const stored = (batch) => until(async () => ask(`${shop.url()}/v1/batch`, { batch }).then((a) => a.status === 200, () => false), { what: 'a batch is stored' });
	const comes = (user, address) => ({ type: 'identify', userId: user, messageId: `i-${user}`, traits: { email: address } });
	// Half of them are due about when nobody serves, half of them later.
	const began = Date.now(), due = (i) => began + (i % 2 ? 8000 : 14000) - HOUR_MS;
	const people = Array.from({ length: PEOPLE }, (_, i) => `u-${i}`);
	await stored(people.flatMap((user, i) => [comes(user, `${user}@mail-${i % 5}.example`), { type: 'track', event: 'Later Asked', userId: user, messageId: `l-${user}`, timestamp: new Date(due(i)).toISOString() }]));
	await stored([comes('u-slow', 'later1500@mail.example'), { type: 'track', event: 'Now Asked', userId: 'u-slow', messageId: 'n-slow' }]);
	await until(() => sent().length > 0, { what: 'one is on its way' });
	assert.deepEqual(sent().map(({ to }) => to), ['later1500@mail.example'], 'and all others wait');
	await ends(shop);
	await until(async () => sent().length > PEOPLE && (await list()).length === 0, { what: 'all have gone, and none is left', seconds: 60 });
	const to = (address) => sent().filter((one) => one.to === address);
	assert.deepEqual(people.map((user, i) => to(`${user}@mail-${i % 5}.example`).length), people.map(() => 1));
	const slow = to('later1500@mail.example');
	assert.ok(slow.length <= most, `${slow.length} times`);
	assert.equal(new Set(slow.map(({ id }) => id)).size, 1);
	const { messages } = (await ask(`${shop.url()}/v1/visitors/u-slow`)).body;
	assert.deepEqual(messages.map((m) => m.what), ['sent']);
	t.diagnostic(`what was on its way came ${slow.length} times`);
}

test('a daemon that is stopped hears what became of what is on its way, and goes on with the rest when it is started', (t) => messagesOutlive(t, async (shop) => {
	assert.equal(await shop.daemon.stop(), 0);
	await shop.start();
}, 1));

test('after its master was killed all that waited goes once, and what was on its way twice at most', (t) => messagesOutlive(t, (shop) => strikes.master(shop, random(seed)), 2));

test('after all of it was killed at once, too', (t) => messagesOutlive(t, (shop) => strikes.all(shop, random(seed)), 2));
