// What sets off messages besides the name of an event: who comes to be in a segment, by what he does or by time alone, and what comes at
// intervals. Time alone is looked at by the sweep, which each new generation begins with the first bucket: whoever is to be met soon has an id
// in one of the first, and somebody behind them all has a letter each time, by which it is known how far it has come.
// Seen failing on builds without one of these lines of core/decide/trigger.c: who is in the segment and was (trigger_segment) is left
// alone; what he was before the event is asked; the mark is written; and the interval (trigger_by_time) is looked at.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { until, writeFiles } from './daemon.mjs';
import { fakeChannel, handedTo, withMessages } from './messages.mjs';
import { servePeople } from './people.mjs';
import { quick } from './server.mjs';
import { testEverywhere as test } from './stores.mjs';
import { xxh64 } from './xxh64.mjs';

// An id whose row (core/people/key.h) is in one of these buckets.
function userIn(name, from, to) {
	for (let n = 0; ; n++) {
		const bucket = Number(xxh64(Buffer.from(`u${name}-${n}`), 0n) >> 54n);
		if (bucket >= from && bucket < to) return `${name}-${n}`;
	}
}

const addressOf = (user) => `${user}@shop.example`;

// A shop without messages, to which people come first; `serves` puts these rules into service, and so the sweep begins anew.
async function open(t, more = '') {
	const shop = withMessages(await servePeople(t, {
		files: { 'shop/messages.lua': more },
		config: { workers: 1, plugin_path: fakeChannel(t), plugins: { web: {}, email: { file: 'sent.jsonl' } }, limits: quick },
	}));
	const sent = () => handedTo(join(shop.folder, 'sent.jsonl'));
	let inService = more;
	return Object.assign(shop, {
		rulesTo: (user) => sent().filter((s) => s.to === addressOf(user)).map((s) => s.message.rule),
		textsTo: (user) => sent().filter((s) => s.to === addressOf(user)).map((s) => s.message.content.text),
		come: async (user, traits) => shop.meet(user, addressOf(user), { traits }),
		serves: async (rules) => {
			const ruleSet = async () => (await shop.send('decide', { slots: ['seen'] })).body.ruleSet, before = await ruleSet(), changes = rules !== inService;
			writeFiles(shop.folder, { 'shop/messages.lua': inService = rules });
			const { status, stderr } = await shop.reloadAside();
			assert.equal(status, 0, stderr);
			// A connection that was kept open may be answered once more by the generation that ends.
			if (changes) await until(async () => await ruleSet() !== before, { what: 'the new rules are in service' });
		},
		adds: (user, product) => shop.happen(user, 'Product Added', { product_id: product, price: 10 }),
		removes: (user, product) => shop.happen(user, 'Product Removed', { product_id: product, quantity: 1 }),
		// An event that concerns nobody is judged as any other: whatever it had set off would wait or be sent by then.
		over: async (user) => { await shop.happen(user, 'Looked Around'); await until(async () => (await shop.listAside()).length === 0, { what: 'none waits' }); },
	});
}

const full = `segment "full-cart" { when = { cart = { items = at_least(2) } } }
rule "entered" { channel = "email", on = segment_entered "full-cart", class = "service", send = { text = "{{cart.items}} things" } }
`;

test('who comes to be in a segment by an event is written to once, and again when he was out of it meanwhile', async (t) => {
	const shop = await open(t, full);
	await shop.come('u-ann');
	await shop.adds('u-ann', 'B-1');
	await shop.over('u-ann');
	assert.deepEqual(shop.textsTo('u-ann'), [], 'one thing is not two');
	await shop.adds('u-ann', 'B-2');
	await until(() => shop.textsTo('u-ann').length === 1, { what: 'the first letter' });
	// Inside, whatever he does is no entering.
	await shop.adds('u-ann', 'B-3');
	await shop.happen('u-ann', 'Product Viewed', { product_id: 'B-4' });
	await shop.over('u-ann');
	assert.deepEqual(shop.textsTo('u-ann').length, 1);
	await shop.removes('u-ann', 'B-3');
	await shop.over('u-ann');
	assert.deepEqual(shop.textsTo('u-ann').length, 1, 'two are still in it');
	await shop.removes('u-ann', 'B-2');
	await shop.over('u-ann');
	assert.deepEqual(shop.textsTo('u-ann').length, 1, 'leaving is no entering');
	await shop.adds('u-ann', 'B-5');
	await until(() => shop.textsTo('u-ann').length === 2, { what: 'the second letter' });
	await shop.over('u-ann');
	assert.deepEqual(shop.textsTo('u-ann'), ['2 things', '2 things']);
});

test('who was in a segment before there was a rule on it is not entering it', async (t) => {
	const shop = await open(t);
	const [was, comes] = ['u-was', 'u-comes'];
	for (const user of [was, comes]) await shop.come(user);
	for (const product of ['B-1', 'B-2']) await shop.adds(was, product);
	await shop.adds(comes, 'B-1');
	await shop.serves(full);
	await shop.adds(was, 'B-3');
	await shop.adds(comes, 'B-3');
	await until(() => shop.textsTo(comes).length === 1, { what: 'who comes in has a letter' });
	await shop.over(was);
	assert.deepEqual(shop.textsTo(was), []);
	// He goes, and comes back.
	for (const product of ['B-1', 'B-2', 'B-3']) await shop.removes(was, product);
	for (const product of ['B-7', 'B-8']) await shop.adds(was, product);
	await until(() => shop.textsTo(was).length === 1, { what: 'who comes back has one' });
});

// The last to be met has a letter each time that the sweep comes by.
const last = `segment "last" { when = { traits = { role = "last" } } }
rule "passed" { channel = "email", on = every "1s", when = { segment = "last" }, class = "service", send = { text = "passed" } }
`;
const left = `${last}segment "left" { when = { cart = { items = at_least(1), age = at_least "5s" } } }
rule "left-behind" { channel = "email", on = segment_entered "left", class = "service", send = { text = "{{cart.items}} left" } }
`;

test('who comes to be in a segment by the passing of time is found by the sweep, once', async (t) => {
	const shop = await open(t);
	const [leaves, buys, fence] = [userIn('leaves', 0, 3), userIn('buys', 0, 3), userIn('fence', 3, 6)];
	await shop.serves(left);
	for (const user of [leaves, buys]) { await shop.come(user); await shop.adds(user, 'B-1'); }
	await shop.come(fence, { role: 'last' });
	await shop.happen(buys, 'Order Completed', { order_id: 'A-1', total: 10 });
	const passes = () => shop.rulesTo(fence).length;
	// It comes by until the cart has its age; then it has found who left it. Nothing else happens to anybody.
	const pass = async () => { const had = passes(); await shop.serves(left); await until(() => passes() > had, { what: 'the sweep has come by', seconds: 60 }); };
	for (let times = 0; shop.textsTo(leaves).length === 0; times++) {
		assert.ok(times < 10, 'it is found');
		await pass();
	}
	await pass();
	await until(async () => (await shop.listAside()).length === 0, { what: 'none waits' });
	assert.deepEqual([shop.textsTo(leaves), shop.textsTo(buys)], [['1 left'], []]);
	// Another cart is young, and grows old once more.
	await shop.happen(leaves, 'Cart Emptied');
	await shop.adds(leaves, 'B-2');
	for (let times = 0; shop.textsTo(leaves).length === 1; times++) {
		assert.ok(times < 10, 'it is found again');
		await pass();
	}
	assert.deepEqual(shop.textsTo(leaves), ['1 left', '1 left']);
});

const rhythm = `${last}segment "pro" { when = { traits = { plan = "pro" } } }
rule "often" { channel = "email", on = every "1s", when = { segment = "pro" }, class = "service", send = { text = "often" } }
rule "daily" { channel = "email", on = every "1d", when = { segment = "pro", consent = "email" }, class = "service", send = { text = "daily" } }
`;

test('what comes at intervals goes to each who matches, and not again before its time', async (t) => {
	const shop = await open(t);
	const pros = ['ann', 'bob', 'cem'].map((name) => userIn(name, 0, 3)), basic = userIn('dan', 0, 3), fence = userIn('fence', 3, 6);
	for (const user of pros) await shop.come(user, { plan: 'pro' });
	await shop.come(basic, { plan: 'basic' });
	await shop.come(fence, { role: 'last' });
	for (let times = 1; times <= 3; times++) {
		const had = shop.rulesTo(fence).length;
		await shop.serves(rhythm);
		await until(() => shop.rulesTo(fence).length > had, { what: 'the sweep has come by', seconds: 60 });
		await until(async () => (await shop.listAside()).length === 0, { what: 'none waits' });
		for (const user of pros) {
			const rules = shop.rulesTo(user);
			assert.deepEqual(rules.filter((rule) => rule === 'daily'), ['daily'], `${user} after ${times}`);
			assert.ok(rules.filter((rule) => rule === 'often').length >= times, `${user} has ${rules}`);
		}
		assert.deepEqual(shop.rulesTo(basic), []);
		assert.deepEqual(new Set(shop.rulesTo(fence)), new Set(['passed']));
	}
	// Who begins to match has it the next time; who matches no more has none.
	assert.equal((await shop.send('identify', { userId: basic, traits: { plan: 'pro' } })).status, 200);
	assert.equal((await shop.send('identify', { userId: pros[0], traits: { plan: 'basic' } })).status, 200);
	const [had, often] = [shop.rulesTo(fence).length, shop.rulesTo(pros[0]).length];
	await shop.serves(rhythm);
	await until(() => shop.rulesTo(fence).length > had, { what: 'the sweep has come by', seconds: 60 });
	await until(() => shop.rulesTo(basic).length === 2, { what: 'the new one has both' });
	assert.equal(shop.rulesTo(pros[0]).length, often);
});
