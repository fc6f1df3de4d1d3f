// Two daemons on one store: what one of them finds out about a rule, or is told of a product, holds for both.

import './release.mjs';
import assert from 'node:assert/strict';
import test from 'node:test';
import { until, writeFiles } from './daemon.mjs';
import { startRedis } from './redis.mjs';
import { askFresh, serve } from './server.mjs';

const files = { 'feed.jsonl': '{"id":"B-7","availability":"in_stock","price":9}\n',
	 'shop/home.lua': `slot "s" { channel = "web", default = { a = 1 } }
rule "plain" { slot = "s", show = { b = 1 } }
slot "p" { channel = "web" }
rule "boots" { slot = "p", show = { product = "B-7" } }
rule "long" { slot = "s", priority = 1, when = function(v) if v.page_type == "long" then while true do end end return false end, show = { b = 2 } }\n` };

// Asked by so many different visitors that the rule is set aside.
async function overspend(shop) {
	for (let i = 0; i < 25; i++) await shop.decide({ anonymousId: `visitor-${i}`, slots: ['s'], context: { page: { type: 'long' } } });
}

const isSetAside = async (shop, rule) => Boolean((await shop.ask('/v1/rules')).body.rules.find((r) => r.rule === rule).setAsideUntil);

test('a rule that one node sets aside is set aside by the other within seconds, and what is told of a product at once', async (t) => {
	const redis = await startRedis(t), config = { store: redis.url(), workers: 2, catalog: { file: 'feed.jsonl' } };
	const [one, other] = [await serve(t, { config, files }), await serve(t, { config, files })];
	await overspend(one);
	await until(() => isSetAside(one, 'long'));
	await until(() => isSetAside(other, 'long'), { seconds: 10 });
	assert.equal(await isSetAside(other, 'plain'), false);
	await until(() => other.log().some((line) => line.msg === 'a rule is set aside, as another node has done' && line.rule === 'long'));
	const { body } = await other.decide({ anonymousId: 'somebody', slots: ['s'], context: { page: { type: 'long' } } });
	assert.deepEqual(body.decisions.s.content, { b: 1 });

	const shows = async (shop) => JSON.parse((await askFresh(`${shop.url}/v1/decide`, { slots: ['p'] })).text).decisions.p.content;
	assert.deepEqual(await shows(other), { product: 'B-7' });
	assert.equal((await one.ask('/v1/products', { products: [{ id: 'B-7', availability: 'out_of_stock' }] })).body.changed, 1);
	await until(async () => {
		for (let i = 0; i < 8; i++) if (await shows(i % 2 ? one : other)) return false; // whichever worker is asked
		return true;
	}, { seconds: 5 });
	assert.equal((await other.ask('/v1/products', { products: [{ id: 'B-7', availability: 'preorder', price: 8 }] })).body.changed, 1);
	await until(async () => (await shows(one)) && (await one.ask('/v1/products/B-7')).body.price === 8, { seconds: 5 });
});

test('another rule set is another matter', async (t) => {
	const redis = await startRedis(t), config = { store: redis.url(), workers: 1 };
	const changed = { 'shop/home.lua': files['shop/home.lua'].replace('{ b = 2 }', '{ b = 3 }') };
	const [one, other, like] = [await serve(t, { config, files }), await serve(t, { config, files: changed }), await serve(t, { config, files })];
	await overspend(one);
	await until(() => isSetAside(like, 'long'), { seconds: 10 });
	assert.equal(await isSetAside(other, 'long'), false);
	writeFiles(other.folder, files);
	assert.equal(other.reload().status, 0);
	await until(() => isSetAside(other, 'long'), { seconds: 10, what: 'with the same rules it is' });
});
