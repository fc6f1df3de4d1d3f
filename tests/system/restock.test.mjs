// Back in stock: somebody asks for a product that is sold out, it comes back, by API or with a new feed, and whoever asked is told once, on a
// real daemon; the channel is a plugin that writes down what it was handed (plugins/email.c).

import assert from 'node:assert/strict';
import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import { ask, run, until } from './daemon.mjs';
import { fakeChannel, handedTo, withMessages } from './messages.mjs';
import { bearer, secret, servePeople } from './people.mjs';
import { metrics, quick } from './server.mjs';
import { kind, test, testEverywhere } from './stores.mjs';

const product = (id, availability) => JSON.stringify({ id, title: `Product ${id}`, link: `https://shop.example/${id}`, price: '60.00 EUR', availability });
const feed = (...products) => `${products.join('\n')}\n`;
const rules = (after) => `
rule "back" {
  channel = "email", on = "Product Restocked",${after ? ` after = "${after}",` : ''}
  when = function(v) return v:bought { product = v.event.product_id, within = "30d" } == 0 end,
  send = function(v) return { product = v.event.product_id, name = v.event.name, link = v.event.url, price = v.event.price } end,
}
`;

async function open(t, { after, config = {} } = {}) {
	const shop = withMessages(await servePeople(t, {
		files: { 'shop/messages.lua': rules(after), 'feed.jsonl': feed(product('B-7', 'out_of_stock'), product('L-1', 'out_of_stock'), product('T-4', 'in_stock')) },
		config: { plugin_path: fakeChannel(t), plugins: { web: {}, email: { file: 'sent.jsonl' } }, catalog: { file: 'feed.jsonl' }, limits: { ...quick }, ...config },
	}));
	const sent = () => handedTo(join(shop.folder, 'sent.jsonl'));
	return Object.assign(shop, {
		sent,
		to: (who) => sent().filter((s) => s.to === `${who}@shop.example`),
		stock: async (id, availability) => assert.equal((await ask(`${shop.url}/v1/products`, { products: [{ id, availability }] }, bearer(secret))).body.changed, 1),
		wants: (user, id) => shop.happen(user, 'Product Restock Requested', { product_id: id }),
		asksFor: async (user) => (await shop.visitor(user)).askedFor.map((a) => a.product),
		allAsk: async (users, id) => { for (const user of users) { await shop.meet(user, `${user}@shop.example`); await shop.wants(user, id); } },
	});
}

testEverywhere('who asked is told once, and nobody else', async (t) => {
	const shop = await open(t);
	await shop.meet('u-no', 'u-no@shop.example', { grant: [] });
	await shop.wants('u-no', 'b-7');
	await shop.allAsk(['u-1', 'u-gone', 'u-not', 'u-bought', 'u-other'], 'B-7');
	await shop.wants('u-other', 'L-1');
	assert.deepEqual(await shop.asksFor('u-other'), ['b-7', 'l-1']);
	await shop.happen('u-not', 'Product Restock Cancelled', { product_id: 'B-7' });
	await shop.happen('u-bought', 'Order Completed', { order_id: 'A-1', total: 60, products: [{ product_id: 'B-7', price: 60 }] });
	assert.equal((await ask(`${shop.url}/v1/visitors/u-gone`, undefined, { method: 'DELETE', ...bearer(secret) })).status, 200);
	assert.deepEqual([shop.sent(), shop.list()], [[], []]);

	await shop.stock('B-7', 'in_stock');
	await until(() => shop.to('u-1').length && shop.to('u-other').length, { what: 'they are told' });
	const [one] = shop.to('u-1');
	assert.deepEqual([one.message.rule, one.message.content], ['back', { product: 'B-7', name: 'Product B-7', link: 'https://shop.example/B-7', price: 60 }]);
	await until(async () => (await shop.became('u-no'))[0] === 'vetoed' && (await shop.became('u-bought'))[0] === 'not_matched', { what: 'the others are judged' });
	await until(async () => (await shop.asksFor('u-1')).length === 0);
	assert.deepEqual(await shop.asksFor('u-other'), ['l-1']);

	// It comes and goes, and nobody asks any more; who asks again is told again.
	await shop.stock('B-7', 'out_of_stock');
	await shop.stock('B-7', 'in_stock');
	await shop.stock('B-7', 'out_of_stock');
	await shop.wants('u-1', 'B-7');
	await shop.stock('B-7', 'preorder');
	await until(() => shop.to('u-1').length === 2, { what: 'it is told once more' });
	await until(() => shop.list().length === 0);
	await until(async () => (await metrics(shop)).floorwalker_restock_requests_answered_total === 5, { what: 'all are counted: u-1 twice, and those who were not written to' });
	assert.deepEqual(shop.sent().map((s) => s.to).sort(), ['u-1@shop.example', 'u-1@shop.example', 'u-other@shop.example']);
	if (kind === 'lmdb') assert.equal(run(['store', 'check', '--config', shop.config]).status, 0);
});

test('a new feed brings it back', async (t) => {
	const shop = await open(t);
	await shop.allAsk(['u-1'], 'L-1');
	assert.deepEqual(shop.sent(), []);
	shop.write({ 'feed.jsonl': feed(product('B-7', 'out_of_stock'), product('L-1', 'in_stock')) });
	const later = new Date(Date.now() + 1000);
	utimesSync(join(shop.folder, 'feed.jsonl'), later, later);
	assert.equal(shop.reload().status, 0);
	await until(() => shop.to('u-1').length === 1, { what: 'it is told' });
	assert.equal(shop.reload().status, 0);
	await until(() => shop.list().length === 0);
	assert.equal(shop.to('u-1').length, 1);
});

test('what sells out again before it was told is asked for still', async (t) => {
	const shop = await open(t, { after: '5s' });
	await shop.allAsk(['u-1'], 'B-7');
	await shop.stock('B-7', 'in_stock');
	await until(async () => (await shop.visitor('u-1')).waiting.length === 1, { what: 'it is to be told' });
	await shop.stock('B-7', 'out_of_stock');
	await until(async () => (await shop.became('u-1'))[0] === 'out_of_stock', { what: 'it is not told' });
	assert.deepEqual([await shop.asksFor('u-1'), shop.sent()], [['b-7'], []]);
	await shop.stock('B-7', 'in_stock');
	await until(() => shop.to('u-1').length === 1, { what: 'it is told' });
	assert.deepEqual(await shop.asksFor('u-1'), []);
});
