// Messages while the clock on the wall is set, back and forward, under a running daemon: each goes once, and what is due goes within seconds
// of its time by the new clock. On the release build, see clock.mjs.
// Seen failing with FW_BREAK_CLOCK (all goes by the clock on the wall, nobody sees it jump, and what is on its way counts as lost when its
// time is over by it): set back, nothing went for an hour; set forward, what a channel had went a second time.

import { startClock } from './clock.mjs';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { ask, temporaryFolder, until } from './daemon.mjs';
import { fakeChannel, handedTo, withMessages } from './messages.mjs';
import { bearer, event, secret, servePeople } from './people.mjs';
import { processes, quick } from './server.mjs';
import { test } from './stores.mjs';

const HOUR = 3600, SECONDS = 20; // within which goes what is due

const rules = `
rule "receipt" { channel = "email", on = "Order Completed", class = "transactional", send = { text = "thank you" } }
rule "soon" { channel = "email", on = "Soon Asked", after = "3s", class = "service", send = { text = "three seconds" } }
rule "half" { channel = "email", on = "Half Asked", after = "30m", class = "service", send = { text = "half an hour" } }
rule "long" { channel = "email", on = "Long Asked", after = "90m", class = "service", send = { text = "an hour and a half" } }
`;

async function open(t, { workers, rate = 20 }) {
	const clock = startClock(temporaryFolder(t));
	const shop = withMessages(await servePeople(t, {
		env: clock.env, files: { 'shop/messages.lua': rules },
		config: { workers, plugin_path: fakeChannel(t), plugins: { web: {}, email: { file: 'sent.jsonl', rate } }, limits: quick },
	}));
	const sent = () => handedTo(join(shop.folder, 'sent.jsonl'));
	return Object.assign(shop, {
		clock, sent,
		of: (rule, to) => sent().filter((s) => s.message.rule === rule && (!to || s.to === to)),
		// Sets it, and waits until the workers have seen that.
		turn: async (ahead) => {
			const told = () => shop.log().filter(({ msg }) => msg.startsWith('the clock was set')), before = told().length;
			clock.set(ahead);
			await until(() => told().length >= before + workers, { what: 'the workers see that the clock was set', seconds: SECONDS });
			return told().slice(before).map(({ by_s }) => Math.round(Number(by_s) / 60));
		},
	});
}

const buyAll = async (shop, users) => {
	for (const user of users) await shop.meet(user, `${user}@shop.example`, { grant: [] });
	const batch = users.map((user) => event({ type: 'track', anonymousId: undefined, userId: user, event: 'Order Completed', properties: { order_id: `A-${user}`, total: 5 } }));
	assert.equal((await ask(`${shop.url}/v1/batch`, { batch }, bearer(secret))).status, 200);
};
const isOnItsWay = (shop, to) => until(() => shop.of('receipt', to).length === 1, { what: `the channel has the receipt to ${to}`, seconds: SECONDS });

test('the clock is set back an hour and then forward two: each message goes once, in its time', async (t) => {
	const shop = await open(t, { workers: 1 }), { clock } = shop;
	const first = 'later2000@shop.example', second = 'later6000@shop.example';
	await shop.meet('u-first', first, { grant: [] });
	await shop.meet('u-second', second, { grant: [] });
	const waiting = ['u-1', 'u-2', 'u-3'];
	for (const user of waiting) await shop.meet(user, `${user}@shop.example`, { grant: [] });
	for (const user of [...waiting, 'u-second']) await shop.happen(user, 'Half Asked');
	await shop.happen('u-1', 'Long Asked');
	await shop.happen('u-first', 'Order Completed', { order_id: 'A-1', total: 5 });
	await isOnItsWay(shop, first);

	// Back: what is due now goes, a few a second; what is due in three seconds, after three seconds.
	assert.deepEqual(await shop.turn(-HOUR), [-60]);
	const buyers = Array.from({ length: 30 }, (_, i) => `u-${i + 100}`);
	await buyAll(shop, buyers);
	await until(() => shop.of('receipt').length === 1 + buyers.length, { what: 'the receipts go', seconds: SECONDS });
	const asked = clock.now();
	await shop.happen('u-100', 'Soon Asked');
	await until(() => shop.of('soon').length === 1, { what: 'what was due in three seconds goes', seconds: SECONDS });
	const [soon] = shop.of('soon');
	assert.ok(soon.at >= asked + 2999 && soon.at < asked + SECONDS * 1000, `${soon.at - asked} ms after it was asked for`);
	assert.deepEqual([shop.of('half').length, shop.of('long').length], [0, 0]);

	// Forward, while a channel has one whose time is over by this clock: it is not lost, and others to the same person go meanwhile.
	await shop.happen('u-second', 'Order Completed', { order_id: 'A-2', total: 5 });
	await isOnItsWay(shop, second);
	assert.deepEqual(await shop.turn(HOUR), [120]);
	await until(() => shop.of('half').length === waiting.length + 1, { what: 'what was due in half an hour goes', seconds: SECONDS });
	assert.equal(shop.of('long').length, 0);
	await shop.turn(HOUR + 31 * 60);
	await until(() => shop.of('long').length === 1, { what: 'what was due in an hour and a half goes', seconds: SECONDS });

	await until(() => shop.list().length === 0, { what: 'nothing is left' });
	const all = shop.sent();
	assert.equal(new Set(all.map(({ id }) => id)).size, all.length, 'each went once');
	assert.deepEqual(all.filter(({ attempt }) => attempt !== 1), []);
	assert.equal(all.length, 2 + buyers.length + 1 + waiting.length + 1 + 1);
	assert.deepEqual(await shop.became('u-second'), ['sent', 'sent']);
	const delivered = (await shop.timeline('u-second')).filter(({ name }) => name === 'Email Delivered').map(({ at }) => Date.parse(at));
	assert.ok(shop.of('half', second)[0].at < Math.min(...delivered), 'the other went while the first was on its way');
});

test('who dies as the clock is set back has its part taken over at once', async (t) => {
	const shop = await open(t, { workers: 2 });
	const users = (from) => Array.from({ length: 20 }, (_, i) => `u-${from + i}`);
	await buyAll(shop, users(100));
	await until(() => shop.sent().length === 20, { what: 'the receipts go', seconds: SECONDS });
	const { workers } = processes(shop);
	shop.clock.set(-HOUR);
	workers.forEach((pid) => process.kill(pid, 'SIGKILL'));
	await until(() => processes(shop).workers.length === 2 && processes(shop).workers.every((pid) => !workers.includes(pid)), { what: 'there are others' });
	await until(() => ask(`${shop.url}/livez`).then(() => true, () => false), { what: 'connections to the dead are gone' });
	await buyAll(shop, users(200));
	await until(() => shop.sent().length === 40, { what: 'the receipts go', seconds: SECONDS });
	await until(() => shop.list().length === 0, { what: 'nothing is left' });
	assert.equal(new Set(shop.sent().map(({ id }) => id)).size, 40);
});
