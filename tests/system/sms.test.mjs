// Texts through a real Kannel: out to its message centre, the reports back, and what phones answer.

import assert from 'node:assert/strict';
import { until } from './daemon.mjs';
import { startKannel } from './kannel.mjs';
import { withMessages } from './messages.mjs';
import { freePort } from './peers.mjs';
import { servePeople } from './people.mjs';
import { metrics, quick } from './server.mjs';
import { test } from './stores.mjs';

const rules = `
rule "reminder" { channel = "sms", on = "Product Added", send = { text = "Your “boots” wait – 20 € off" } }
rule "receipt" { channel = "sms", on = "Order Completed", class = "transactional", send = { text = "спасибо" } }
rule "novel" { channel = "sms", on = "Product Viewed", send = { text = ("0123456789"):rep(46) } }
`;
const visitor = 'u-1', number = '+15550001111', inSecret = 'in-0123456789abcdef';

async function open(t) {
	const port = await freePort(), url = `http://127.0.0.1:${port}`;
	const kannel = await startKannel(t, { inUrl: `${url}/sms/in/kannel?secret=${inSecret}&from=%p&to=%P&text=%a&coding=%c&id=%I` });
	const sms = { gateway: 'kannel', url: kannel.url, username: kannel.username, password: kannel.password, from: '12345', brand: 'Shop', callback: url, secret: inSecret };
	const shop = withMessages(await servePeople(t, {
		files: { 'shop/messages.lua': rules },
		config: { listen: [`127.0.0.1:${port}`], plugins: { web: {}, sms }, limits: quick },
	}));
	await shop.meet(visitor, number);
	return Object.assign(shop, { kannel, consents: async () => (await shop.visitor(visitor)).consent.sms.state });
}

test('a text is written plainly, comes out once, and its report comes back', async (t) => {
	const shop = await open(t);
	await shop.happen(visitor, 'Product Added', { product_id: 'B-1', price: 89 });
	const [one] = await shop.kannel.waitFor(1);
	assert.deepEqual([one.from, one.to], ['12345', number]);
	assert.match(one.text, /^Your "boots" wait - 20 .+ off$/);
	await shop.heard(visitor, 'SMS Delivered');
	await shop.happen(visitor, 'Order Completed', { order_id: 'A-1', total: 89 });
	const [, two] = await shop.kannel.waitFor(2);
	assert.equal(two.kind, 'ucs-2');
	const counts = async () => { const count = await metrics(shop); return [count.floorwalker_sms_accepted_total, count.floorwalker_sms_segments_total]; };
	await until(async () => (await counts()).join() === '2,2');
});

test('a text of too many segments is not sent, and says why', async (t) => {
	const shop = await open(t);
	await shop.happen(visitor, 'Product Viewed', { product_id: 'B-1' });
	await until(async () => (await metrics(shop)).floorwalker_sms_refused_total === 1);
	assert.deepEqual(shop.kannel.delivered(), []);
});

test('STOP from the phone silences at once, is confirmed once, and START undoes it', async (t) => {
	const shop = await open(t);
	await shop.kannel.say('15550001111', '12345', 'Stop.');
	const [confirmation] = await shop.kannel.waitFor(1);
	assert.deepEqual([confirmation.to, confirmation.text], [number, 'Shop: You will get no more messages. Reply START to get them again.']);
	assert.equal(await shop.consents(), 'withdrawn');
	// Even what needs no consent, and even when consent is given again elsewhere: the number is on the list.
	await shop.grant(visitor, ['sms']);
	await shop.happen(visitor, 'Order Completed', { order_id: 'A-1', total: 89 });
	await shop.kannel.say('15550001111', '12345', 'STOP');
	await until(async () => (await metrics(shop)).floorwalker_sms_stops_total === 2);
	await until(async () => (await metrics(shop)).floorwalker_messages_refused_total === 1);
	assert.equal(shop.kannel.delivered().length, 1);
	await shop.kannel.say('15550001111', '12345', 'START');
	await shop.kannel.waitFor(2);
	assert.equal(await shop.consents(), 'granted');
	await shop.happen(visitor, 'Order Completed', { order_id: 'A-2', total: 89 });
	await shop.kannel.waitFor(3);
	// Kannel asks again what it had no answer to, and later than what came after it.
	const say = async (text, id) => assert.equal((await fetch(`${shop.url}/sms/in/kannel?${new URLSearchParams({ secret: inSecret, from: number, text, id })}`)).status, 200);
	for (const [text, id, state] of [['STOP', '1-"a', 'withdrawn'], ['START', '2', 'granted'], ['STOP', '1-"a', 'granted'], ['STOP', '3', 'withdrawn'], ['START', '2', 'withdrawn']]) {
		await say(text, id);
		assert.equal(await shop.consents(), state, `after ${text} ${id}`);
	}
});

test('while the gateway is away nothing is lost', async (t) => {
	const shop = await open(t);
	await shop.kannel.kill();
	await shop.happen(visitor, 'Order Completed', { order_id: 'A-1', total: 89 });
	await until(async () => (await metrics(shop)).floorwalker_messages_retried_total >= 1);
	await shop.kannel.start();
	await shop.kannel.waitFor(1);
	await shop.heard(visitor, 'SMS Delivered');
});
