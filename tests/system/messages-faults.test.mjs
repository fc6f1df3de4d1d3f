// Messages while whoever sends them is killed: none is lost, and what comes twice has one key and was on its way at a kill. Seen
// failing with -DFW_BREAK_LOST: what a worker had in hand when it died is never heard of again.

import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { random, seed } from './acknowledged.mjs';
import { ask, long, run, temporaryFolder, until } from './daemon.mjs';
import { openShop, strikes } from './faults.mjs';
import { ownPlugins, pluginFolder, quick } from './server.mjs';
import { strikesHere } from './stores.mjs';

const MESSAGES = long ? 10000 : 400, KILLS = long ? 20 : 5, AT_ONCE = 100;

test(`${MESSAGES} messages through ${KILLS} kills`, async (t) => {
	const folder = temporaryFolder(t, {
		'shop/messages.lua': 'rule "receipt" { channel = "email", on = "Order Completed", class = "transactional", send = { text = "thank you" } }\n',
	});
	mkdirSync(join(folder, 'plugins'));
	cpSync(join(ownPlugins, 'web.so'), join(folder, 'plugins/web.so'));
	cpSync(join(pluginFolder, 'email.so'), join(folder, 'plugins/email.so'));
	const shop = await openShop(t, { folder, config: { plugin_path: 'plugins', plugins: { web: {}, email: { file: 'sent.jsonl' } }, limits: { ...quick, delivery_ms: 2000, message_again_ms: 200 } } });
	const file = join(folder, 'sent.jsonl');
	const sent = () => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line)) : []);
	// A batch that had no answer is sent again: every event counts once.
	const send = async (from, to) => {
		const batch = [];
		for (let i = from; i < to; i++) {
			batch.push({ type: 'identify', userId: `u-${i}`, messageId: `i-${i}`, traits: { email: `${i % 3 ? 'later' : 'now'}-${i}@shop.example` } });
			batch.push({ type: 'track', event: 'Order Completed', userId: `u-${i}`, messageId: `o-${i}`, properties: { order_id: `A-${i}`, total: 5 } });
		}
		await until(async () => ask(`${shop.url()}/v1/batch`, { batch }).then((a) => a.status === 200, () => false), { what: 'a batch is stored', seconds: 60 });
	};
	const rnd = random(seed);
	const kinds = strikesHere(['worker', 'worker', 'keeper', 'loader', 'all']);
	const step = Math.ceil(MESSAGES / KILLS);
	const inHand = [];
	for (let k = 0; k < KILLS; k++) {
		await send(k * step, Math.min((k + 1) * step, MESSAGES));
		// While they are being delivered.
		const before = new Set(sent().map((s) => s.to)).size;
		await until(() => new Set(sent().map((s) => s.to)).size > before || before === (k + 1) * step, { what: 'some are delivered' });
		const kind = kinds[k % kinds.length];
		inHand.push(kind);
		await strikes[kind](shop, rnd);
	}
	const reached = () => new Set(sent().map((s) => s.to)).size;
	await until(() => reached() === MESSAGES, { what: 'every message is delivered', seconds: long ? 600 : 60 }).catch((error) => { throw new Error(`${error.message}: ${reached()} of ${MESSAGES}`); });
	await until(() => run(['messages', 'list', '--config', shop.config]).stdout === '', { what: 'nothing is left', seconds: 60 });
	const byAddress = new Map();
	for (const s of sent()) byAddress.set(s.to, [...(byAddress.get(s.to) ?? []), s.id]);
	let twice = 0;
	for (const [to, ids] of byAddress) {
		assert.equal(new Set(ids).size, 1, `${to}: one key for all deliveries`);
		twice += ids.length - 1;
	}
	t.diagnostic(`${MESSAGES} messages, ${twice} of them delivered once more, through ${inHand.join(', ')}`);
	// At most what two workers may have on their way, each time.
	assert.ok(twice <= KILLS * 2 * AT_ONCE, `${twice} came twice`);
});
