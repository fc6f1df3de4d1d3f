// What holds messages back: consent that is withdrawn while one waits; caps, one ledger over pages, letters and texts, whose places are free
// again when nothing came of a message; and an address on the list, which outlives the person who had it.
// Seen failing where what is due is judged on the consent of its trigger (fw_due_refusal lets marketing pass), where a message that failed
// or is tried again keeps its place (fw_due_settle without fw_record_release_due), where one takes none (fw_due_judge_send without its
// reserve), and where an address on the list is taken for free (on_suppression of core/message/attempt.c).

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { ask, until } from './daemon.mjs';
import { fakeChannel, handedTo, withMessages } from './messages.mjs';
import { bearer, secret, servePeople } from './people.mjs';
import { quick } from './server.mjs';
import { testEverywhere as test } from './stores.mjs';

const asked = `
slot "box" { channel = "web", default = { n = 0 } }
rule "letter" { channel = "email", on = "Letter Asked", send = { text = "letter" } }
rule "text" { channel = "sms", on = "Text Asked", send = { text = "text" } }
rule "receipt" { channel = "email", on = "Order Completed", class = "transactional", send = { text = "thank you" } }
`;

async function open(t, rules) {
	const shop = withMessages(await servePeople(t, {
		files: { 'shop/messages.lua': rules },
		config: { plugin_path: fakeChannel(t, 'sms'), plugins: { web: {}, email: { file: 'sent.jsonl' }, sms: { file: 'sent.jsonl' } }, limits: { ...quick, message_again_ms: 100 } },
	}));
	const messagesOf = async (user) => (await shop.visitor(user)).messages ?? [];
	return Object.assign(shop, {
		// What was handed to channels, of attempts the last.
		to: (address) => [...new Map(handedTo(join(shop.folder, 'sent.jsonl')).filter((s) => s.to === address).map((s) => [s.id, s])).values()],
		comes: (user, email, phone) => shop.meet(user, email, { grant: phone ? ['email', 'sms'] : ['email'], traits: phone ? { phone } : {} }),
		// What became of them, the oldest first, and by what.
		outcomes: async (user) => (await messagesOf(user)).reverse().map((m) => [m.rule, m.what, ...(m.by ? [m.by] : [])]),
		// Sets one off, and waits until it is decided what becomes of it.
		asks: async (user, name) => {
			const had = (await messagesOf(user)).length;
			await shop.happen(user, name, name === 'Order Completed' ? { order_id: `A-${user}-${had}`, total: 5 } : {});
			await until(async () => (await messagesOf(user)).length > had && (await shop.listAside('--state', 'waits')).length + (await shop.listAside('--state', 'sending')).length === 0, { what: `${name} of ${user} is decided` });
			return (await shop.outcomes(user)).at(-1);
		},
		box: async (user) => (await shop.send('decide', { userId: user, slots: ['box'] })).body.decisions.box.reason,
	});
}

test('consent that is withdrawn while a message waits for its hour holds back what is marketing, and nothing else', async (t) => {
	// The guard opens with a whole minute, as those of the night do.
	const shop = await open(t, `rule "reminder" { channel = "email", on = "Product Added", when = { cart = { items = at_least(1) } }, send = { text = "reminder" } }
rule "receipt" { channel = "email", on = "Product Added", class = "transactional", send = { text = "receipt" } }
guard "not-yet" { applies = { channel = "email" }, require = { cart = { age = at_least "10s" } }, or_else = "defer", because = "it is night" }\n`);
	for (const user of ['u-ann', 'u-bob']) {
		await shop.comes(user, `${user}@shop.example`);
		await shop.happen(user, 'Product Added', { product_id: 'B-1', price: 5 });
	}
	const waits = async () => (await shop.listAside()).map((m) => [m.visitor, m.rule, m.state, m.reason]).sort();
	const all = ['u-ann', 'u-bob'].flatMap((user) => ['receipt', 'reminder'].map((rule) => [user, rule, 'waits', 'not-yet']));
	await until(async () => JSON.stringify(await waits()) === JSON.stringify(all), { what: 'all four are put off' });
	assert.equal((await ask(`${shop.url}/v1/visitors/u-ann/consent`, { withdraw: ['email'] }, bearer(secret))).status, 200);
	assert.deepEqual(await waits(), all, 'what waits is judged when its time has come');
	await until(async () => (await waits()).length === 0, { what: 'the minute has come', seconds: 120 });
	const became = async (user) => (await shop.outcomes(user)).filter(([, what]) => what !== 'deferred').sort();
	assert.deepEqual(await became('u-ann'), [['receipt', 'sent'], ['reminder', 'vetoed', 'channel consent']]);
	assert.deepEqual(await became('u-bob'), [['receipt', 'sent'], ['reminder', 'sent']]);
	assert.deepEqual(shop.to('u-ann@shop.example').map((s) => s.message.rule), ['receipt']);
	assert.deepEqual(shop.to('u-bob@shop.example').map((s) => s.message.rule).sort(), ['receipt', 'reminder']);
});

test('a place under a cap is free again when the channel refuses for good', async (t) => {
	const shop = await open(t, `${asked}cap "one" { applies = { channel = "email" }, limit = 1, per = "1d" }\n`);
	await shop.comes('u-1', 'never@shop.example');
	assert.deepEqual(await shop.asks('u-1', 'Letter Asked'), ['letter', 'failed', '550 no such user']);
	// Where it comes through there is a place, and one only.
	assert.equal((await shop.send('identify', { userId: 'u-1', traits: { email: 'ann@shop.example' } })).status, 200);
	assert.deepEqual(await shop.asks('u-1', 'Letter Asked'), ['letter', 'sent']);
	assert.deepEqual(await shop.asks('u-1', 'Letter Asked'), ['letter', 'capped', 'one']);
	assert.equal(shop.to('ann@shop.example').length, 1);
});

test('a message that is tried again takes one place, however often', async (t) => {
	const shop = await open(t, `${asked}cap "two" { applies = { channel = "email" }, limit = 2, per = "1d" }\n`);
	await shop.comes('u-1', 'again@shop.example');
	for (let n = 1; n <= 2; n++) {
		assert.deepEqual(await shop.asks('u-1', 'Letter Asked'), ['letter', 'sent'], `the letter ${n}`);
		assert.deepEqual(shop.to('again@shop.example').map((s) => s.attempt), Array(n).fill(3));
	}
	assert.deepEqual(await shop.asks('u-1', 'Letter Asked'), ['letter', 'capped', 'two']);
});

test('one cap counts what a page shows and what is sent, whichever comes first', async (t) => {
	const shop = await open(t, `${asked}rule "banner" { slot = "box", show = { n = 1 } }\ncap "one-ad" { applies = { rule = { "banner", "letter" } }, limit = 1, per = "1d" }\n`);
	await shop.comes('u-page', 'page@shop.example');
	await shop.comes('u-letter', 'letter@shop.example');
	assert.equal(await shop.box('u-page'), 'rule');
	assert.deepEqual(await shop.asks('u-page', 'Letter Asked'), ['letter', 'capped', 'one-ad']);
	assert.deepEqual(await shop.asks('u-letter', 'Letter Asked'), ['letter', 'sent']);
	assert.equal(await shop.box('u-letter'), 'default');
	assert.deepEqual([shop.to('page@shop.example').length, shop.to('letter@shop.example').length], [0, 1]);
});

test('one cap counts letters and texts, and receipts, which it does not hold back', async (t) => {
	const shop = await open(t, `${asked}cap "two" { applies = { channel = { "email", "sms" } }, limit = 2, per = "1d" }\n`);
	const people = [['u-1', '+15550000001', ['Letter Asked', 'Text Asked']], ['u-2', '+15550000002', ['Text Asked', 'Letter Asked']], ['u-3', '+15550000003', ['Order Completed', 'Text Asked']]];
	for (const [user, phone, first] of people) {
		await shop.comes(user, `${user}@shop.example`, phone);
		for (const name of first) assert.equal((await shop.asks(user, name))[1], 'sent', `${user}: ${name}`);
		for (const [name, rule] of [['Letter Asked', 'letter'], ['Text Asked', 'text']]) assert.deepEqual(await shop.asks(user, name), [rule, 'capped', 'two'], user);
		assert.deepEqual(await shop.asks(user, 'Order Completed'), ['receipt', 'sent']);
		assert.equal(shop.to(phone).length, 1, phone);
		assert.equal(shop.to(`${user}@shop.example`).length, 2, user);
	}
});

test('an address that is on the list stays there when its person is erased', async (t) => {
	const shop = await open(t, asked);
	await shop.comes('u-old', 'one@shop.example', '+15550000009');
	for (const [channel, to] of [['email', 'one@shop.example'], ['sms', '%2B15550000009']])
		assert.deepEqual((await ask(`${shop.url}/${channel}/suppress?to=${to}`, { reason: 'complained' }, bearer(secret))).body, { changed: true });
	assert.deepEqual(await shop.asks('u-old', 'Order Completed'), ['receipt', 'suppressed']);
	const erased = await ask(`${shop.url}/v1/visitors/u-old`, undefined, { method: 'DELETE', ...bearer(secret) });
	assert.ok([200, 202].includes(erased.status), `${erased.status}`);
	await until(async () => (await shop.known('', 'u-old')).status === 404, { what: 'nobody is known by the id' });
	// Somebody with the same address: who is not on the list is written to, and who is, is not.
	await shop.comes('u-new', 'ONE@shop.example', '+15550000009');
	await shop.comes('u-other', 'other@shop.example', '+15550000008');
	assert.deepEqual(await shop.asks('u-new', 'Order Completed'), ['receipt', 'suppressed']);
	assert.deepEqual(await shop.asks('u-new', 'Text Asked'), ['text', 'suppressed']);
	assert.deepEqual(await shop.asks('u-other', 'Text Asked'), ['text', 'sent']);
	assert.deepEqual([shop.to('one@shop.example').length, shop.to('+15550000009').length], [0, 0]);
});
