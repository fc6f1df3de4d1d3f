// Texts through a real Kannel: out to its message centre, the reports back, and what phones answer. What a gateway seldom does, one of the
// test's own does: it reports before it answers. Seen failing where what is kept of a message is written only once its channel has
// answered (core/message/attempt.c without its put_sent): a report before the answer is of nobody.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
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

// A gateway as Kannel is to whoever sends, that answers when it is told to: `asked` are the requests, { headers, answer(status, text) }.
async function ownGateway(t) {
	const asked = [];
	const server = createServer((req, res) => {
		req.resume().on('end', () => asked.push({ headers: req.headers, answer: (status, text) => res.writeHead(status).end(text) }));
	});
	await new Promise((done) => server.listen(0, '127.0.0.1', done));
	t.after(() => { server.closeAllConnections(); server.close(); });
	return { asked, url: `http://127.0.0.1:${server.address().port}` };
}

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

test('reports that come before the gateway has answered, in any order and again, count once each, and nothing is sent again', async (t) => {
	const port = await freePort(), url = `http://127.0.0.1:${port}`, gateway = await ownGateway(t);
	const sms = { gateway: 'kannel', url: gateway.url, username: 'u', password: 'p', from: '12345', brand: 'Shop', callback: url };
	const shop = withMessages(await servePeople(t, {
		files: { 'shop/messages.lua': rules },
		config: { listen: [`127.0.0.1:${port}`], workers: 2, plugins: { web: {}, sms }, limits: { ...quick, message_again_ms: 100 } },
	}));
	// 1: delivered; 2: not; 4: it waits; 8: the centre has it. Each over a connection of its own, so to whichever worker.
	const reports = async (one, type) => {
		const to = one.headers['x-kannel-dlr-url'].replace('%d', type).replace('%A', 'NACK%2F11');
		assert.equal((await fetch(to, { headers: { connection: 'close' } })).status, 200, `type ${type}`);
	};
	const stories = [
		{ user: 'u-early', number: '+15550002001', before: [8, 1, 4], after: [1, 8, 4], names: ['SMS Deferred', 'SMS Delivered'] },
		{ user: 'u-late', number: '+15550002002', before: [4], after: [1, 1, 4], names: ['SMS Deferred', 'SMS Delivered'] },
		{ user: 'u-none', number: '+15550002003', before: [2], after: [8, 2], names: ['SMS Failed'] },
	];
	for (const { user, number, before, after, names } of stories) {
		await shop.meet(user, number);
		await shop.happen(user, 'Order Completed', { order_id: `A-${user}`, total: 5 });
		const one = await until(() => gateway.asked.find(({ headers }) => headers['x-kannel-to'] === number), { what: `${user} is written to` });
		for (const type of before) await reports(one, type);
		one.answer(202, '0: Accepted for delivery');
		await until(async () => (await shop.became(user)).length === 1, { what: 'the answer is heard' });
		for (const type of after) await reports(one, type);
		assert.deepEqual(await shop.became(user), ['sent']);
		assert.deepEqual((await shop.timeline(user)).map((e) => e.name).filter((name) => name?.startsWith('SMS')).sort(), names, user);
		assert.deepEqual(shop.list(), []);
	}
	assert.equal(gateway.asked.length, stories.length, 'each was asked for once');
});
